"""Tables of texts: reading .jsonl, .csv and .tsv row by row, and the columns that hold a text and its label."""

import dataclasses
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from data.delimited import Records
from data.errors import BadLines, DataError
from data.files import (
    Line,
    check_file,
    content_suffix,
    decoded_lines,
    report_encoding,
)

TABLE_SUFFIXES = (".jsonl", ".csv", ".tsv")
TEXT_COLUMNS = ("text", "review", "sentence", "comment", "content", "message", "body")
LABEL_COLUMNS = ("label", "sentiment", "class", "category", "target", "tag")

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")

Row = tuple[int, dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class LabelledTexts:
    """Texts and their labels.

    Attributes:
        texts: the texts, as they stand in the file.
        labels: one label for each text, or None when no labels were asked for.
        lines: the line on which each row begins; empty when the texts come from no file.
    """

    texts: list[str]
    labels: list[str] | None
    lines: list[int] = dataclasses.field(default_factory=list)


def read_labelled_texts(
    path: str | os.PathLike,
    text_column: str = "auto",
    label_column: str | None = "auto",
    encoding: str = "utf-8",
    bad_lines: BadLines | None = None,
) -> LabelledTexts:
    """Reads the texts and labels of a table; no other column is looked at.

    Args:
        path: a .jsonl, .csv or .tsv file, plain, .gz or .xz.
        text_column: the column of the texts; "auto" takes the first present of ``TEXT_COLUMNS``.
        label_column: the column of the labels; "auto" takes the first present of ``LABEL_COLUMNS``, None reads none.
        encoding: how the file's bytes are to be read.
        bad_lines: what is done with lines that cannot be used; None raises for the first.

    Returns:
        The texts and labels. Labels are stripped strings: a JSON 1 is "1", true is "true". An empty text is kept.

    Raises:
        DataError: when the file or a column is missing, no row can be used, or a line is bad.
    """
    bad_lines = bad_lines or BadLines(skip=False)
    result = LabelledTexts([], None if label_column is None else [])
    columns = None
    for number, row in read_rows(path, encoding, bad_lines):
        columns = columns or find_columns(path, row, text_column, label_column)
        text = as_text(row.get(columns[0]))
        if text is None:
            bad_lines.report(path, number, expected=f"a text in {columns[0]!r}", found=_shown(row.get(columns[0])))
            continue
        if columns[1] is not None:
            label = (as_text(row.get(columns[1])) or "").strip()
            if not label:
                bad_lines.report(path, number, expected=f"a label in {columns[1]!r}", found=_shown(row.get(columns[1])))
                continue
            result.labels.append(label)
        result.texts.append(text)
        result.lines.append(number)
    if not result.texts:
        raise DataError(f"{path}: no row can be used: {bad_lines.summary()}")
    return result


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
) -> Iterator[TextRow]:
    """Reads the rows of a table whose texts are to be answered, without holding it in memory.

    Args:
        path: as ``read_rows`` takes it.
        find_column: gives the name of the texts' column by the first row.
        encoding: how the file's bytes are to be read.
        bad_lines: what is done with lines that cannot be used; those without a text are left out only if it skips.

    Raises:
        DataError: as ``read_rows`` and ``find_column``, when the iterator gets there.
    """
    bad_lines = bad_lines or BadLines(skip=False)
    column = None
    for line, row in read_rows(path, encoding, bad_lines):
        column = column or find_column(row)
        text = as_text(row.get(column))
        expected, found = f"a text in {column!r}", _shown(row.get(column))
        if text is not None:
            yield TextRow(line, row, text, "")
        elif bad_lines.skip:
            bad_lines.report(path, line, expected=expected, found=found)
        else:
            yield TextRow(line, row, "", f"expected {expected}, found {found}; --skip-bad-lines leaves such lines out")


def find_columns(
    path: str | os.PathLike, columns: Iterable[str], text_column: str = "auto", label_column: str | None = "auto"
) -> tuple[str, str | None]:
    """Finds the columns that hold the text and the label.

    Args:
        path: the file, for the messages.
        columns: the names of its columns.
        text_column: a name, compared without regard to case, or "auto".
        label_column: likewise; None when no label is wanted.

    Returns:
        The names of the text column and of the label column (None when none is wanted), as the file writes them.

    Raises:
        DataError: when a column is missing; it lists those there are and the flag that names one.
    """
    columns = list(columns)
    text = _find_column(path, columns, text_column, TEXT_COLUMNS, "text")
    if label_column is None:
        return text, None
    label = _find_column(path, columns, label_column, LABEL_COLUMNS, "label")
    if label == text:
        raise DataError(
            f"{path}: the column {text!r} cannot be both the text and the label; use --text-column and --label-column"
        )
    return text, label


def _find_column(path: str | os.PathLike, columns: list[str], wanted: str, usual: tuple[str, ...], role: str) -> str:
    if wanted in columns:
        return wanted
    written = {column.strip().lower(): column for column in reversed(columns)}
    for name in usual if wanted == "auto" else (wanted.strip().lower(),):
        if name in written:
            return written[name]
    missing = f"no {role} column ({', '.join(usual)})" if wanted == "auto" else f"no column {wanted!r}"
    present = ", ".join(map(_shown, columns[:20])) + (", ..." if len(columns) > 20 else "")
    message = f"{path}: {missing}; its columns are {present}; use --{role}-column NAME"
    if content_suffix(path) != ".jsonl":
        message += ", or add a first line that names the columns if the file has none"
    raise DataError(message)


def as_text(value: Any) -> str | None:
    """Returns a single value as the text that stands for it in JSON, or None for null, lists and objects."""
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, bool | int | float) else None


def _shown(value: Any) -> str:
    shown = repr(value) if isinstance(value, str) else "nothing" if value is None else json.dumps(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def table_format(path: str | os.PathLike) -> str:
    """Returns ".jsonl", ".csv" or ".tsv", or raises a ``DataError`` for a file whose name has another suffix."""
    suffix = content_suffix(path)
    if suffix not in TABLE_SUFFIXES:
        raise DataError(
            f"{path}: expected a name in {', '.join(TABLE_SUFFIXES)} (plain, .gz or .xz), found {suffix or 'no suffix'}"
        )
    return suffix


def read_rows(path: str | os.PathLike, encoding: str = "utf-8", bad_lines: BadLines | None = None) -> Iterator[Row]:
    """Reads a table row by row, without holding it in memory.

    A .csv or .tsv file begins with a line of column names. Their fields may be quoted (RFC 4180), and a quoted field
    may hold line ends. Many .tsv files are not quoted at all: there, a quote that does not open a well-formed field is
    taken as it stands, and lines that each make a complete row are never joined.

    Args:
        path: a .jsonl, .csv or .tsv file, plain, .gz or .xz.
        encoding: how its bytes are to be read.
        bad_lines: what is done with lines that cannot be used; None raises for the first.

    Returns:
        An iterator of (the number of the line on which the row begins, a dictionary from column to value). Values
        are strings, and in .jsonl whatever JSON holds.

    Raises:
        DataError: when the file is missing, of another format, damaged or empty, or a line is bad; a missing file and
            another format at once, the others when the iterator gets there.
    """
    path = check_file(path)
    suffix = table_format(path)
    bad_lines = bad_lines or BadLines(skip=False)
    lines = decoded_lines(path, encoding)
    if suffix == ".jsonl":
        rows = _json_rows(path, encoding, lines, bad_lines)
    else:
        rows = _delimited_rows(path, encoding, lines, bad_lines, "," if suffix == ".csv" else "\t")
    return _checked_not_empty(path, encoding, rows, bad_lines)


def _checked_not_empty(path: os.PathLike, encoding: str, rows: Iterator[Row], bad_lines: BadLines) -> Iterator[Row]:
    before = bad_lines.count
    empty = True
    for row in rows:
        empty = False
        yield row
    if empty and bad_lines.count == before:
        only_header = content_suffix(path) != ".jsonl" and any(
            line.text.strip() for line in decoded_lines(path, encoding)
        )
        raise DataError(f"{path} has column names and no rows" if only_header else f"{path} is empty")


def _json_rows(path: os.PathLike, encoding: str, lines: Iterator[Line], bad_lines: BadLines) -> Iterator[Row]:
    for line in lines:
        if line.problem:
            report_encoding(path, encoding, line, bad_lines)
            continue
        if not line.text.strip():
            continue
        try:
            value = json.loads(line.text, strict=False)
        except (ValueError, RecursionError) as error:
            reason = f" ({error})" if isinstance(error, json.JSONDecodeError) else ""
            bad_lines.report(path, line.number, expected="a JSON object", found=_shown(line.text.strip()) + reason)
            continue
        if not isinstance(value, dict):
            bad_lines.report(path, line.number, expected="a JSON object", found=_shown(value))
            continue
        yield line.number, _without_surrogates(value) if _SURROGATE_ESCAPE.search(line.text) else value


def _without_surrogates(value: Any) -> Any:
    r"""Replaces half characters, which JSON can hold ("\ud83d") and no UTF-8 file or tensor can."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def _delimited_rows(
    path: os.PathLike, encoding: str, lines: Iterator[Line], bad_lines: BadLines, delimiter: str
) -> Iterator[Row]:
    records = Records(lines, delimiter)
    columns = None
    for first, fields, problem in records:
        if first.problem:
            report_encoding(path, encoding, first, bad_lines)
        elif problem:
            bad_lines.report(path, first.number, expected="well-formed quotes", found=problem)
        elif columns is None:
            columns = _checked_header(path, first.number, fields)
            records.width = len(columns)
        elif len(fields) != len(columns):
            bad_lines.report(path, first.number, expected=f"{len(columns)} fields", found=str(len(fields)))
        else:
            yield first.number, dict(zip(columns, fields))


def _checked_header(path: os.PathLike, number: int, columns: list[str]) -> list[str]:
    repeated = sorted({column for column in columns if columns.count(column) > 1})
    if repeated:
        raise DataError(
            f"{path}:{number}: the column {repeated[0]!r} occurs more than once; every column needs its "
            "own name (and the first line must name the columns)"
        )
    return columns
