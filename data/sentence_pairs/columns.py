"""Which columns of a table are the two languages: by the names in its first line, or by what the columns hold."""

import dataclasses
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from data.errors import BadLines, UserError
from data.files import content_suffix, decoded_lines, sampled
from data.sentence_pairs.column_names import hints_at_sentences, holds_sentences, names_columns, stands_out
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
        doubt: What else the first line may be, and which flag says so, or "".
    """

    languages: Languages
    source: str
    target: str | None
    dialect: Dialect | None
    layout: Layout
    format: str
    doubt: str = ""

    def __str__(self) -> str:
        """In words: "separated by tabs, no line of column names; source in '1', target in '2'"."""
        sides = zip(UNNAMED, (self.source, self.target))
        roles = ", ".join(f"{side} in {column!r}" for side, column in sides if column is not None)
        return "; ".join(part for part in (str(self.dialect or ""), roles, self.doubt) if part)

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
    lines = sampled(decoded_lines(path, reading.encoding), SAMPLED_LINES)
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
        The columns. Where their names do not tell, they are the first two that hold sentences: no numbers, no
        addresses, not the same few values in all rows.

    Raises:
        UserError: The file is missing or damaged, has no two columns, or a language is not among them, given twice, or
            not to be told.
    """
    check_different(asked)
    format = suffix if (suffix := content_suffix(path)) in TABLE_SUFFIXES else ".tsv"
    given = {language.casefold() for language in asked[: 1 + need_target] if language != AUTO}
    layout = Layout(reading.delimiter, reading.header, lambda fields: names_columns(fields, given))
    dialect, sample = _sampled(path, reading, layout, format)
    doubt = ""
    if dialect and not dialect.has_header and reading.header is None:
        is_header = stands_out([list(row.values()) for row in sample])
        if is_header is None:
            doubt = f"{', '.join(map(repr, sample[0].values()))} taken for a pair (--header: column names)"
        elif is_header:
            doubt = "told by how the first line differs (--no-header: it is a pair)"
            layout = dataclasses.replace(layout, header=True)
            dialect, sample = _sampled(path, reading, layout, format)
    if not sample:
        next(read_rows(path, reading.encoding, BadLines(skip=False), layout, format))  # raises for its first bad line
    columns = {name.strip(): name for name in (dialect.columns if dialect else sample[0])}
    if need_target and len(columns) < 2:
        expected = "a sentence, a tab and its translation" if format == ".tsv" else "a sentence and its translation"
        message = f"{path}: expected {expected} in every row, found one column"
        raise UserError(f"{message}; --delimiter names another separator" if dialect else message)
    holding = [name for name, column in columns.items() if holds_sentences([row.get(column) for row in sample])]
    if not dialect or dialect.has_header or (given and given <= set(columns)):
        where = f"{path}:1" if dialect else os.fspath(path)
        languages = _named(asked, list(columns), holding, where, need_target)
        source, target = columns[languages.source], columns.get(languages.target)
    else:
        languages = Languages(*(name if language == AUTO else language for language, name in zip(asked, UNNAMED)))
        source, target = [*(holding if len(holding) > 1 else columns), None][:2]
    return PairColumns(languages, source, target if need_target else None, dialect, layout, format, doubt)


def _unnested(row: dict[str, Any]) -> dict[str, Any]:
    inner = row.get(NESTED)
    return inner if isinstance(inner, dict) else row


def _sampled(
    path: str | os.PathLike, reading: Reading, layout: Layout, format: str
) -> tuple[Dialect | None, list[dict[str, Any]]]:
    """How a table is written, and its first rows."""
    rows = read_rows(path, reading.encoding, BadLines(skip=True), layout, format)
    return dialect_of(path, reading.encoding, layout, format), [
        _unnested(row) for _, row in islice(rows, SAMPLED_LINES)
    ]


def _named(asked: Languages, names: list[str], holding: list[str], where: str, need_target: bool) -> Languages:
    """The languages, of columns that have names, some of them holding sentences."""
    given = {language.casefold() for language in asked if language != AUTO}
    likely = [name for name in names if is_language(name) or name.casefold() in given]
    if len(likely) > 2:
        likely = [name for name in likely if name in holding or name.casefold() in given]
    if len(likely) < 2:
        likely = holding if len(holding) == 2 and all(map(hints_at_sentences, holding)) and not given else names
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
