"""Reading .jsonl, .json, .csv, .tsv and .parquet row by row."""

import json
import math
import os
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from data.errors import BadLines, UserError
from data.files import (
    LONGEST_LINE,
    Line,
    check_file,
    check_length,
    content_suffix,
    decoded_lines,
    report_encoding,
    sampled,
)
from data.json_text import LARGEST_VALUE, parse_json, parse_lines
from data.tables.delimited import Records
from data.tables.dialect import MOST_COLUMNS, SAMPLED_LINES, Dialect, Layout, distinct_names, find_dialect
from data.tables.parquet import PARQUET, Row, read_parquet

DELIMITED = (".csv", ".tsv")
WRITTEN = (".jsonl", *DELIMITED)
TABLE_SUFFIXES = (*WRITTEN, ".json", PARQUET)
# Tables with tabs or the like in files of text, such as SMSSpamCollection: .tsv under another name.
TEXT_SUFFIXES = (".txt", "")


class TextRow(NamedTuple):
    """A row of a table: the line on which it begins, its columns, and its text, or why it has none ("" if it has)."""

    line: int
    row: dict[str, Any]
    text: str
    problem: str


def read_text_rows(
    path: str | os.PathLike,
    find_column: Callable[[dict[str, Any]], str],
    encoding: str = "utf-8",
    bad_lines: BadLines | None = None,
    layout: Layout = Layout(),
) -> Iterator[TextRow]:
    """Reads the rows of a table whose texts are to be answered, without holding it in memory.

    Args:
        path: As `read_rows` takes it.
        find_column: Gives the name of the texts' column by the first row.
        encoding: How the file's bytes are to be read.
        bad_lines: What is done with lines that cannot be used; those without a text are left out only if it skips.
        layout: What is known of a delimited file.

    Raises:
        UserError: As `read_rows` and `find_column`, when the iterator gets there.
    """
    bad_lines = bad_lines or BadLines(skip=False)
    column = None
    for line, row in read_rows(path, encoding, bad_lines, layout):
        column = find_column(row) if column is None else column  # a column's name may be ""
        text = as_text(row.get(column))
        expected, found = f"a text in {column!r}", shown(row.get(column))
        if text is not None:
            yield TextRow(line, row, text, "")
        elif bad_lines.skip:
            bad_lines.report(path, line, expected=expected, found=found)
        else:
            yield TextRow(line, row, "", f"expected {expected}, found {found}; --skip-bad-lines leaves such lines out")


def as_text(value: Any) -> str | None:
    """A single value as the text that stands for it in JSON, or None for null, lists, objects and what is no number."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and not math.isfinite(value):  # NaN, and what 1e999 is read as
        return None
    return json.dumps(value) if isinstance(value, bool | int | float) else None


def shown(value: Any) -> str:
    """A value as a message shows it, cut short where it is long."""
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    shown = repr(value) if isinstance(value, str) else "nothing" if value is None else json.dumps(value, default=repr)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def table_format(path: str | os.PathLike, to_write: bool = False) -> str:
    """The suffix that tells a table's format; a `UserError` for one that is neither of `TABLE_SUFFIXES` nor of text.

    Args:
        path: The file's name.
        to_write: Whether it is to be written; .parquet is read only.
    """
    suffix = content_suffix(path)
    if suffix in TEXT_SUFFIXES and not to_write:
        return ".tsv"
    expected = WRITTEN if to_write else (*TABLE_SUFFIXES, ".txt")
    if suffix not in expected:
        raise UserError(
            f"{path}: expected a name in {', '.join(expected)} (plain, .gz or .xz), found {suffix or 'no suffix'}"
        )
    return suffix


def read_rows(
    path: str | os.PathLike,
    encoding: str = "utf-8",
    bad_lines: BadLines | None = None,
    layout: Layout = Layout(),
    format: str | None = None,
) -> Iterator[Row]:
    """Reads a table row by row, without holding it in memory.

    How a .csv or .tsv file is written is found by its first lines, as `data.tables.dialect` tells: whatever its name,
    the separator may be a comma, a tab, a semicolon or a bar, and the first line may name the columns or be a row.

    Args:
        path: A .jsonl or .json file, which holds a JSON object on each line or is an array of them, a .csv, .tsv or
            .txt file or one without a suffix, plain, .gz or .xz; or .parquet, as
            `data.tables.parquet.read_parquet` has it.
        encoding: How its bytes are to be read.
        bad_lines: What is done with lines that cannot be used; None raises for the first.
        layout: What is known of a delimited file.
        format: One of `TABLE_SUFFIXES`; None: as the file's name says.

    Returns:
        An iterator of (the number of the line on which the row begins, in .parquet that of the row, in an array that of
        the object; a dictionary from column to value). Values are strings, in .jsonl whatever JSON holds, in .parquet
        whatever the file does.

    Raises:
        UserError: The file is missing, of another format, damaged or empty, or a line is bad; a missing file and
            another format at once, the others when the iterator gets there.
    """
    if content_suffix(path) == PARQUET:
        return read_parquet(path, bad_lines)
    path = check_file(path)
    suffix = format or table_format(path)
    bad_lines = bad_lines or BadLines(skip=False)
    lines = decoded_lines(path, encoding, None if suffix in DELIMITED else LARGEST_VALUE)
    if suffix not in DELIMITED:
        rows = _json_rows(path, encoding, lines, bad_lines)
    else:
        rows = _delimited_rows(path, encoding, lines, bad_lines, layout, _usual_delimiter(suffix))
    return _checked_not_empty(path, encoding, rows, bad_lines)


def dialect_of(
    path: str | os.PathLike, encoding: str = "utf-8", layout: Layout = Layout(), format: str | None = None
) -> Dialect | None:
    """How `read_rows` takes a delimited file to be written, or None for a file of another format.

    Raises:
        UserError: The file is missing or damaged.
    """
    suffix = format or table_format(path)
    if suffix not in DELIMITED:
        return None
    return _dialect(path, sampled(decoded_lines(path, encoding), SAMPLED_LINES), layout, _usual_delimiter(suffix))


def _dialect(path: str | os.PathLike, sample: list[Line], layout: Layout, usual: str) -> Dialect:
    dialect = find_dialect(sample, layout, usual)
    if len(dialect.columns) > MOST_COLUMNS:
        count = f"{len(dialect.columns):,} columns, and {MOST_COLUMNS:,} are the most that is read"
        raise UserError(f"{path}:{sample[0].number}: {count}; keep those that are needed")
    return dialect


def _usual_delimiter(suffix: str) -> str:
    return "\t" if suffix == ".tsv" else ","


def _checked_not_empty(path: os.PathLike, encoding: str, rows: Iterator[Row], bad_lines: BadLines) -> Iterator[Row]:
    before = bad_lines.count
    empty = True
    for row in rows:
        empty = False
        yield row
    if empty and bad_lines.count == before:
        only_header = content_suffix(path) in (*DELIMITED, *TEXT_SUFFIXES) and any(
            line.text.strip() for line in decoded_lines(path, encoding)
        )
        raise UserError(f"{path} has column names and no rows" if only_header else f"{path} is empty")


def _json_rows(path: os.PathLike, encoding: str, lines: Iterator[Line], bad_lines: BadLines) -> Iterator[Row]:
    first = next((line for line in lines if line.text.strip()), None)
    if first is None:
        return
    if first.text.lstrip().startswith("["):
        values = parse_lines(Path(path), encoding, chain([first], lines), "an array of JSON objects")
        for number, value in enumerate(values, 1):
            yield from _checked_object(path, number, value, bad_lines)
        return
    for line in chain([first], lines):
        if line.problem:
            report_encoding(path, encoding, line, bad_lines)
            continue
        if not line.text.strip():
            continue
        check_length(path, line.number, len(line.text), LONGEST_LINE)
        try:
            value = parse_json(line.text)
        except ValueError as error:
            found, advice = f"{shown(line.text.strip())} ({error})", "write one on each line, or an array of them"
            bad_lines.report(path, line.number, expected="a JSON object", found=found, advice=advice)
            continue
        yield from _checked_object(path, line.number, value, bad_lines)


def _checked_object(path: os.PathLike, number: int, value: Any, bad_lines: BadLines) -> Iterator[Row]:
    if isinstance(value, dict):
        yield number, value
    else:
        bad_lines.report(path, number, expected="a JSON object", found=shown(value))


def _delimited_rows(
    path: os.PathLike, encoding: str, lines: Iterator[Line], bad_lines: BadLines, layout: Layout, usual: str
) -> Iterator[Row]:
    sample = sampled(lines, SAMPLED_LINES)
    dialect = _dialect(path, sample, layout, usual)
    columns, is_header = dialect.columns, dialect.has_header
    for first, fields, problem in Records(chain(sample, lines), dialect.writing, len(columns)):
        if first.problem:
            report_encoding(path, encoding, first, bad_lines)
        elif problem:
            bad_lines.report(path, first.number, expected="well-formed quotes", found=problem)
        elif is_header and distinct_names(fields, len(columns)) == columns:
            is_header = False
        elif len(fields) != len(columns):
            bad_lines.report(path, first.number, expected=f"{len(columns)} fields", found=str(len(fields)))
        else:
            yield first.number, dict(zip(columns, fields))
