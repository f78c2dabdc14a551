"""Writing tables row by row, so that a reader never sees half a file."""

import base64
import contextlib
import json
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Self, TextIO

from data.errors import UserError
from data.tables.delimited import Writing, quoted
from data.tables.dialect import Dialect
from data.tables.rows import DELIMITED, table_format
from data.writing import writing as open_writing


class TableWriter:
    """Writes rows as .jsonl, .csv or .tsv, one at a time.

    A file takes its target's place when the writer is left without an error; see `data.writing.writing`.

    Args:
        target: Where to write: a path, whose suffix tells the format (.gz and .xz compress), or an open text stream,
            which is left open.
        columns: The columns of a .csv or .tsv; by default those of the first row, in its order.
        format: ".jsonl", ".csv" or ".tsv"; needed for a stream only.
        writing: How the fields of a .csv or .tsv are separated and quoted, such as in the table that is answered; by
            default with commas or tabs, and quoted where it is needed.

    Attributes:
        answered: How the table is written whose rows are written with more columns. Where it has no line of column
            names, none is written, and names are as they stand there, blank ones as well.

    Raises:
        UserError: For a path with another suffix, or, when the writer is entered, that cannot be written to.

    Example:
        >>> with TableWriter("answers.csv.gz") as writer:
        ...     for number, row in read_rows("reviews.csv"):
        ...         writer.write({**row, "predicted": "pos"})
    """

    def __init__(
        self,
        target: str | os.PathLike | TextIO,
        columns: Sequence[str] | None = None,
        format: str | None = None,
        writing: Writing | None = None,
    ):
        self.columns = [] if columns is None else list(columns)
        self.rows = 0
        self.answered: Dialect | None = None
        self._header_is_due = columns is not None
        self._opened: contextlib.AbstractContextManager[TextIO]
        if isinstance(target, str | os.PathLike):
            self.format = format or table_format(target, to_write=True)
            self._opened = open_writing(Path(target))
        else:
            # What was read from .parquet is printed as JSON.
            self.format = format if format in DELIMITED else ".jsonl"
            self._opened = contextlib.nullcontext(target)
        self.writing = writing or Writing("\t" if self.format == ".tsv" else ",")

    def __enter__(self) -> Self:
        self._stream = self._opened.__enter__()
        return self

    def __exit__(self, *error) -> bool | None:
        if error[0] is None:
            try:
                self._write_header()
                self._stream.flush()
            except BaseException as failure:
                self._opened.__exit__(type(failure), failure, failure.__traceback__)
                raise
        return self._opened.__exit__(*error)

    def write(self, row: dict[str, Any]) -> None:
        """Writes one row.

        Args:
            row: A dictionary from column to value: strings, numbers, None, lists, dictionaries, numpy scalars, bytes
                (written in base64). In .csv and .tsv a missing column is empty, and what is not a string is written as
                JSON.

        Raises:
            UserError: In .csv and .tsv, for a column that the first row did not have.
        """
        if self.format not in DELIMITED:
            self._stream.write(json.dumps(row, ensure_ascii=False, default=_plain) + "\n")
        else:
            if not self.rows and not self.columns:
                self.columns, self._header_is_due = list(row), True
            self._write_header()
            unknown = [column for column in row if column not in self.columns]
            if unknown:
                raise UserError(
                    f"row {self.rows + 1} has a column {unknown[0]!r} that the first row did not have; "
                    "write .jsonl, where every row names its own"
                )
            self._write_fields([_field(row.get(column)) for column in self.columns])
        self.rows += 1

    def _write_header(self) -> None:
        if self._header_is_due and self.format in DELIMITED and not (self.answered and not self.answered.has_header):
            as_they_stand = dict(zip(self.answered.columns, self.answered.header)) if self.answered else {}
            self._write_fields([as_they_stand.get(column, column) for column in self.columns])
        self._header_is_due = False

    def _write_fields(self, fields: list[str]) -> None:
        line = self.writing.delimiter.join(quoted(field, self.writing) for field in fields)
        self._stream.write((line or '""') + "\n")  # an empty line would be no row


def unused_names(columns: Collection[str], names: Sequence[str]) -> list[str]:
    """Names for new columns, all as they are, or all with the first number by which a table has none of them.

    Example:
        >>> unused_names(["text", "label"], ["label", "score"])
        ['label (2)', 'score (2)']
    """
    number = 1
    free = list(names)
    while not set(free).isdisjoint(columns):
        number += 1
        free = [f"{name} ({number})" for name in names]
    return free


def _field(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    """What JSON can hold for bytes (base64), and for a numpy scalar or array, without importing numpy."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a table cannot hold a {type(value).__name__}")
