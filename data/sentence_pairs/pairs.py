"""Sentences in one language, each with its translation: two parallel files, or the columns of a table."""

import dataclasses
import os
import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from data.errors import BadLines, UserError, shown
from data.files import Line, check_file, decoded_lines, report_encoding, without_end
from data.sentence_pairs.columns import Reading, find_pair_columns
from data.sentence_pairs.languages import UNNAMED, Languages
from data.sources.rows import Rows
from data.tables.rows import as_text

# In the names of files of talks in which further facts of each talk stand between tags.
TAGGED = ".tags."
# Blank lines in a row: a file of many more is made to take time.
MOST_BLANK = 1_000_000
_MARKUP = re.compile(r"\s*<(\w+)\b[^>]*>.*</\1>\s*")


@dataclasses.dataclass(frozen=True)
class SentencePairs(Rows):
    """Sentences and their translations.

    Args:
        sources: The sentences to translate, as they stand in the file.
        targets: The translation of each.
        lines: The line of each pair; empty when the pairs come from no file.
    """

    sources: list[str]
    targets: list[str]
    lines: list[int] = dataclasses.field(default_factory=list)


def read_parallel_files(
    source: str | os.PathLike,
    target: str | os.PathLike,
    encoding: str = "utf-8",
    bad_lines: BadLines | None = None,
) -> SentencePairs:
    """Reads two parallel files: line n of the one is the translation of line n of the other.

    A line that is blank in both files separates, and is no pair. Of a file whose name has `TAGGED` in it, as IWSLT's
    train.tags.de-en.de, the lines that are all markup (<url>...</url>) are no lines.

    Args:
        source: The file in the source language, plain, .gz or .xz.
        target: The file in the target language.
        encoding: How the bytes of both are to be read.
        bad_lines: What is done with lines that cannot be used; None raises for the first.

    Returns:
        The pairs, at least one.

    Raises:
        UserError: A file is missing, the files do not have the same number of lines, or a line is bad: it is not valid
            in the encoding, or only one side is blank; or more than `MOST_BLANK` lines in a row are blank.

    Example:
        >>> pairs = read_parallel_files("val.de.gz", "val.en.gz")
        >>> pairs.lines[0], pairs.targets[0]
        (1, 'A group of men are loading cotton onto a truck')
    """
    bad_lines = bad_lines or BadLines(skip=False)
    paths = (check_file(source), check_file(target))
    before, result = bad_lines.count, SentencePairs([], [], [])
    counts, problem = [0, 0], None
    for lines in zip_longest(*(_lines(path, encoding) for path in paths)):
        counts = [count + (line is not None) for count, line in zip(counts, lines)]
        if problem is None and None not in lines:
            try:
                _add_lines(result, lines, paths, encoding, bad_lines)
            except UserError as error:
                # Not yet: where a line is missing, every pair after it is wrong, however good it looks.
                problem = error.with_traceback(None)
    if counts[0] != counts[1]:
        found = " and ".join(f"{path} has {count:,}" for path, count in zip(paths, counts))
        raise UserError(f"parallel files must have the same number of lines; {found}")
    if problem:
        raise problem
    return _checked(result, paths[0], bad_lines, before)


def read_pair_table(
    path: str | os.PathLike,
    asked: Languages = Languages(),
    reading: Reading = Reading(),
    bad_lines: BadLines | None = None,
) -> SentencePairs:
    """Reads the pairs of a table.

    Args:
        path: A table; see `data.sentence_pairs.columns.is_table`.
        asked: The languages, as for `data.sentence_pairs.columns.find_pair_columns`.
        reading: How it is to be read.
        bad_lines: What is done with lines that cannot be used; None raises for the first.

    Returns:
        The pairs, at least one.

    Raises:
        UserError: As `find_pair_columns`, or a line is bad: it is not valid in the encoding, does not have as many
            columns as others, or only one side is a text that is not blank.

    Example:
        >>> read_pair_table("train.tsv", Languages("en", "de")).lines[0]   # line 1 is: de<TAB>en
        2
    """
    path = Path(path)
    bad_lines = bad_lines or BadLines(skip=False)
    before = bad_lines.count
    columns = find_pair_columns(path, asked, reading)
    result = SentencePairs([], [], [])
    for line, _, sides in columns.rows(path, reading.encoding, bad_lines):
        _add(result, line, [as_text(value) or "" for value in sides], (path, path), bad_lines)
    return _checked(result, path, bad_lines, before)


def _lines(path: Path, encoding: str) -> Iterator[Line]:
    """The lines of a parallel file, but for those of markup in a file that has such."""
    is_tagged, blank = TAGGED in path.name, 0
    for line in decoded_lines(path, encoding):
        is_markup = is_tagged and _MARKUP.fullmatch(line.text)
        blank = blank + 1 if is_markup or not line.text.strip() else 0
        if blank > MOST_BLANK:
            found = f"more than {MOST_BLANK:,} lines in a row without a sentence"
            raise UserError(f"{path}:{line.number}: {found}; take them out of both files")
        if not is_markup:
            yield line


def _add_lines(
    pairs: SentencePairs, lines: Sequence[Line], paths: tuple[Path, Path], encoding: str, bad_lines: BadLines
) -> None:
    """Adds the pair of two lines, unless one of them is not valid in the encoding."""
    for path, line in zip(paths, lines):
        if line.problem:
            report_encoding(path, encoding, line, bad_lines)
            return
    _add(pairs, lines[0].number, [without_end(line.text) for line in lines], paths, bad_lines)


def _add(pairs: SentencePairs, number: int, sides: list[str], paths: tuple[Path, Path], bad_lines: BadLines) -> None:
    """Adds a pair, unless a side is blank."""
    blank = [not text.strip() for text in sides]
    if all(blank):
        return
    if any(blank):
        empty, full = (0, 1) if blank[0] else (1, 0)
        other = "" if paths[0] == paths[1] else f" of {paths[full].name}"
        found = f"nothing beside {shown(sides[full])}{other}"
        bad_lines.report(paths[empty], number, expected=f"a {UNNAMED[empty]} sentence", found=found)
        return
    pairs.sources.append(sides[0])
    pairs.targets.append(sides[1])
    pairs.lines.append(number)


def _checked(pairs: SentencePairs, path: Path, bad_lines: BadLines, before: int) -> SentencePairs:
    if pairs.lines:
        return pairs
    if bad_lines.count > before:
        raise UserError(f"{path}: no pair can be used: {bad_lines.summary()}")
    raise UserError(f"{path} has no sentence pairs")
