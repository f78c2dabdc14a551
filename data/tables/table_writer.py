"""Writing tables row by row, so that a reader never sees half a file."""

import contextlib
import gzip
import io
import json
import lzma
import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self, TextIO

from data.errors import UserError
from data.tables.rows import table_format


class TableWriter:
    """Writes rows as .jsonl, .csv or .tsv, one at a time.

    A file is written beside its target under a hidden name and takes the target's place when the writer is left
    without an error; after an error the old file, if any, is as it was.

    Args:
        target: Where to write: a path, whose suffix tells the format (.gz and .xz compress), or an open text stream,
            which is left open.
        columns: The columns of a .csv or .tsv; by default those of the first row, in its order.
        format: ".jsonl", ".csv" or ".tsv"; needed for a stream only.

    Raises:
        UserError: For a path with another suffix, or whose folder does not exist.

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
    ):
        self.columns = list(columns) if columns is not None else None
        self.rows = 0
        self._header_written = False
        self._path = None if hasattr(target, "write") else Path(target)
        self._stream = target if self._path is None else None
        self._exits = contextlib.ExitStack()
        self._temporary: Path | None = None
        if self._path is None:
            self.format = format or ".jsonl"
            return
        if self._path.is_dir():
            raise UserError(f"{self._path} is a folder; expected the name of a file to write")
        self.format = format or table_format(self._path)
        # A link stays a link: its target is replaced.
        self._path = Path(os.path.realpath(self._path))
        if not self._path.parent.is_dir():
            raise UserError(f"{target}: the folder {self._path.parent} does not exist; make it first")

    def __enter__(self) -> Self:
        if self._path is not None:
            # A device or a pipe cannot be replaced, only written to.
            in_place = self._path.exists() and not self._path.is_file()
            try:
                if in_place:
                    binary = self._exits.enter_context(open(self._path, "wb"))
                else:
                    binary = self._open_temporary()
                self._stream = self._text_stream(binary)
            except BaseException:
                self._abandon()
                raise
        return self

    def write(self, row: dict[str, Any]) -> None:
        """Writes one row.

        Args:
            row: A dictionary from column to value: strings, numbers, None, lists, dictionaries, numpy scalars. In .csv
                and .tsv a missing column is empty, and what is not a string is written as JSON.

        Raises:
            UserError: In .csv and .tsv, for a column that the first row did not have.
        """
        if self.format == ".jsonl":
            self._stream.write(json.dumps(row, ensure_ascii=False, default=_plain) + "\n")
        else:
            self._write_header(row)
            unknown = [column for column in row if column not in self.columns]
            if unknown:
                raise UserError(
                    f"row {self.rows + 1} has a column {unknown[0]!r} that the first row did not have; "
                    "write .jsonl, where every row names its own"
                )
            self._write_fields([_field(row.get(column)) for column in self.columns])
        self.rows += 1

    def _write_header(self, row: dict[str, Any]) -> None:
        if not self._header_written:
            self._header_written = True
            self.columns = list(row) if self.columns is None else self.columns
            self._write_fields(self.columns)

    def _write_fields(self, fields: list[str]) -> None:
        delimiter = "," if self.format == ".csv" else "\t"
        line = delimiter.join(_quoted(field, delimiter) for field in fields)
        self._stream.write((line or '""') + "\n")  # an empty line would be no row

    def __exit__(self, error_type, error, traceback) -> None:
        try:
            if error_type is None:
                if self.format != ".jsonl" and self.columns is not None:
                    self._write_header({})
                self._finish()
        finally:
            self._abandon()

    def _finish(self) -> None:
        self._stream.flush()
        if self._path is None:
            return
        self._exits.close()  # writes what is still held back; a full disk shows here at the latest
        if self._temporary is not None:
            os.replace(self._temporary, self._path)
            self._temporary = None

    def _abandon(self) -> None:
        """Closes what is open and removes the unfinished file; does nothing after a clean end."""
        with contextlib.suppress(OSError, ValueError):
            self._exits.close()
        if self._temporary is not None:
            self._temporary.unlink(missing_ok=True)
            self._temporary = None

    def _open_temporary(self) -> BinaryIO:
        self._temporary = self._path.with_name(f".{self._path.name[:200]}.{secrets.token_hex(4)}.tmp")
        # open(), unlike tempfile, gives the permissions that any new file gets under the user's umask.
        binary = self._exits.enter_context(open(self._temporary, "xb"))  # noqa: SIM115
        if self._path.exists():
            with contextlib.suppress(OSError):
                os.chmod(self._temporary, stat.S_IMODE(self._path.stat().st_mode))
        return binary

    def _text_stream(self, binary: BinaryIO) -> TextIO:
        """A text stream over a binary one; closing `self._exits` closes and flushes the whole stack."""
        self._exits.callback(_flush_to_disk, binary)
        compression = self._path.suffix.lower()
        if compression == ".gz":
            # No name and no time in the archive: the same rows give the same bytes.
            binary = self._exits.enter_context(gzip.GzipFile(filename="", mode="wb", fileobj=binary, mtime=0))
        elif compression == ".xz":
            binary = self._exits.enter_context(lzma.LZMAFile(binary, "wb"))  # noqa: SIM115
        # "replace": half a character in one row must not cost all the others.
        stream = io.TextIOWrapper(binary, encoding="utf-8", errors="replace", newline="")
        self._exits.callback(stream.detach)
        self._exits.callback(stream.flush)
        return stream


def _flush_to_disk(binary: BinaryIO) -> None:
    binary.flush()
    with contextlib.suppress(OSError):  # a pipe cannot be synchronized
        os.fsync(binary.fileno())


def _field(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    """What JSON can hold for a numpy scalar or array, without importing numpy."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a table cannot hold a {type(value).__name__}")


def _quoted(field: str, delimiter: str) -> str:
    if delimiter in field or '"' in field or "\n" in field or "\r" in field or field.startswith("\ufeff"):
        return '"' + field.replace('"', '""') + '"'
    return field
