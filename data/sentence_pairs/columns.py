"""Which columns of a table are the two languages: by the names in its first line, or by what the columns hold."""

import dataclasses
import os
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from data.errors import BadLines, UserError
from data.files import content_suffix, decoded_lines
from data.sentence_pairs.languages import (
    AUTO,
    SIDES,
    UNNAMED,
    Languages,
    check_different,
    choose_languages,
    is_language,
)
from data.tables.dialect import SAMPLED_LINES, Dialect, Layout, find_dialect
from data.tables.rows import TABLE_SUFFIXES, dialect_of, read_rows

# Files of any text, which may be tables: what the first lines show decides.
MAYBE_TABLES = (".txt", "")
# Of rows of the Hugging Face hub, {"translation": {"de": "...", "en": "..."}}, the columns are those inside.
NESTED = "translation"

# What further columns are called.
_OTHERS = frozenset("id number index score attribution license url reference translation text sentence".split())
# What is no sentence: nothing, a number, an address.
_NO_SENTENCE = re.compile(r"\s*([\d.,:/+-]+|https?://\S+)?\s*")


@dataclasses.dataclass(frozen=True)
class Reading:
    """How files of sentence pairs are to be read.

    Args:
        encoding: How the files' bytes are to be read.
        delimiter: What separates the columns of a table; see `data.tables.dialect.Layout`.
        header: Whether the first line of a table names the columns; None: look.
    """

    encoding: str = "utf-8"
    delimiter: str = AUTO
    header: bool | None = None


@dataclasses.dataclass(frozen=True)
class PairColumns:
    """What a table of sentence pairs was taken for.

    Args:
        languages: The languages, "source" and "target" where nothing tells them.
        source: The name of the source's column.
        target: The name of the target's column; None where there is none, and none is needed.
        dialect: How the table is written, where it is delimited.
        layout: How `data.tables.rows.read_rows` is to read it.
        format: In which format: its suffix, or ".tsv" where the name tells none.
    """

    languages: Languages
    source: str
    target: str | None
    dialect: Dialect | None
    layout: Layout
    format: str

    def __str__(self) -> str:
        """In words: "separated by tabs, no line of column names; source in '1', target in '2'"."""
        sides = zip(UNNAMED, (self.source, self.target))
        roles = ", ".join(f"{side} in {column!r}" for side, column in sides if column is not None)
        return f"{self.dialect}; {roles}" if self.dialect else roles

    def rows(
        self, path: str | os.PathLike, encoding: str, bad_lines: BadLines
    ) -> Iterator[tuple[int, dict[str, Any], list[Any]]]:
        """The rows of the table.

        Yields:
            Of each its line; its columns; and of these the sentence and its translation, which may be no texts.
        """
        for line, row in read_rows(path, encoding, bad_lines, self.layout, self.format):
            sides = _unnested(row)
            yield line, row, [sides.get(column) if column else None for column in (self.source, self.target)]


def is_table(path: str | os.PathLike, reading: Reading = Reading()) -> bool:
    """Whether a file holds a table: its name says so; or, of a .txt file and one without a suffix, its first lines do.

    Example:
        is_table("fra.txt")   # True: Go.<TAB>Va !<TAB>CC-BY 2.0
    """
    suffix = content_suffix(path)
    if suffix not in MAYBE_TABLES or not Path(path).is_file():
        return suffix in TABLE_SUFFIXES
    lines = list(islice(decoded_lines(path, reading.encoding), SAMPLED_LINES))
    delimiter = "tab" if reading.delimiter == AUTO else reading.delimiter
    return len(find_dialect(lines, Layout(delimiter)).columns) > 1


def find_pair_columns(
    path: str | os.PathLike, asked: Languages = Languages(), reading: Reading = Reading(), need_target: bool = True
) -> PairColumns:
    """Finds out which columns of a table hold the sentences and their translations.

    Args:
        path: A table; see `is_table`.
        asked: The languages, as the columns are called, or the columns' numbers; or "auto".
        reading: How it is to be read.
        need_target: Whether there must be a column of translations.

    Returns:
        The columns. Where the first line does not name them, they are the first two that hold sentences: no numbers,
        no addresses, not the same in every row.

    Raises:
        UserError: The file is missing or damaged, has no two columns, or a language is not among them, given twice, or
            not to be told.
    """
    check_different(asked)
    format = suffix if (suffix := content_suffix(path)) in TABLE_SUFFIXES else ".tsv"
    given = {language.casefold() for language in asked[: 1 + need_target] if language != AUTO}
    layout = Layout(reading.delimiter, reading.header, lambda fields: _names_columns(fields, given))
    dialect = dialect_of(path, reading.encoding, layout, format)
    rows = read_rows(path, reading.encoding, BadLines(skip=True), layout, format)
    sample = [_unnested(row) for _, row in islice(rows, SAMPLED_LINES)]
    if not sample:
        next(read_rows(path, reading.encoding, BadLines(skip=False), layout, format))  # raises for its first bad line
    columns = {name.strip(): name for name in (dialect.columns if dialect else sample[0])}
    if need_target and len(columns) < 2:
        expected = "a sentence, a tab and its translation" if format == ".tsv" else "a sentence and its translation"
        message = f"{path}: expected {expected} in every row, found one column"
        raise UserError(f"{message}; --delimiter names another separator" if dialect else message)
    if not dialect or dialect.has_header or (given and given <= set(columns)):
        where = f"{path}:1" if dialect else os.fspath(path)
        languages = _named(asked, list(columns), where, need_target)
        source, target = columns[languages.source], columns.get(languages.target)
    else:
        languages = Languages(*(name if language == AUTO else language for language, name in zip(asked, UNNAMED)))
        source, target = _sentence_columns(list(columns), sample)
    return PairColumns(languages, source, target if need_target else None, dialect, layout, format)


def _unnested(row: dict[str, Any]) -> dict[str, Any]:
    inner = row.get(NESTED)
    return inner if isinstance(inner, dict) else row


def _names_columns(fields: list[str], given: set[str]) -> bool:
    """Whether a line names columns: one that is given is among them, or every field tells a language or the like.

    A line of codes must be of codes of one kind: "no" and "non" are a sentence and its translation.
    """
    names = [re.sub(r" \(\d+\)$", "", field).strip().casefold() for field in fields]
    if given & set(names):
        return len(set(names)) == len(names)
    languages = [field for field, name in zip(fields, names) if is_language(field.strip()) and name not in SIDES]
    words = [name for name in names if name in _OTHERS or name in SIDES]
    numbers = [name for number, name in enumerate(names, start=1) if name in ("", str(number))]
    if len(languages) + len(words) + len(numbers) < len(names) or len(set(languages)) < len(languages):
        return False
    of_one_kind = len({len(re.split("[-_]", name)[0]) for name in languages if " " not in name and len(name) < 12}) < 2
    return bool(words) or (len(languages) > 1 and of_one_kind)


def _named(asked: Languages, names: list[str], where: str, need_target: bool) -> Languages:
    """The languages, of columns that have names."""
    given = {language.casefold() for language in asked if language != AUTO}
    likely = [name for name in names if is_language(name) or name.casefold() in given]
    if len(likely) < 2:
        likely = names
    if not need_target and (asked.source != AUTO or len(names) == 1):
        known = {name.casefold(): name for name in names}
        wanted = names[0] if asked.source == AUTO else asked.source
        if wanted.casefold() not in known:
            raise UserError(
                f"{where}: no column {wanted!r}; --source-language names one of {', '.join(map(repr, names))}"
            )
        return Languages(known[wanted.casefold()])
    if asked == Languages() and len(likely) == 2:
        # Both are there, in the order of the columns, but for those that say it themselves.
        is_turned = likely[0].casefold() in SIDES and likely[0].casefold()[0] == "t"
        asked = Languages(*(likely[::-1] if is_turned else likely))
    return choose_languages(asked, likely, where)


def _sentence_columns(names: Sequence[str], sample: Sequence[dict[str, Any]]) -> tuple[str, str | None]:
    """The first two columns that hold sentences; the first two of all where there are no two such."""
    found = []
    for name in names:
        values = [row[name] for row in sample]
        is_constant = len(values) > 1 and len(set(values)) == 1
        if not is_constant and not all(map(_NO_SENTENCE.fullmatch, values)):
            found.append(name)
    first, *others = found if len(found) > 1 else names
    return first, others[0] if others else None
