"""Reading whole columns at once by pyarrow, many times as fast as row by row.

It reads plain files only. Whatever is odd in a file, a word where a number should be or a blank line, is left to those
who read it row by row: they know what to say about it, and on which line.
"""

import codecs
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from data.errors import UserError
from data.files import content_suffix, open_bytes
from data.series.numbers import LARGEST, MISSING
from data.tables.delimited import Writing
from data.tables.dialect import Dialect
from data.tables.parquet import PARQUET, read_columns

_NULLS = sorted({spelled for word in MISSING for spelled in (word, word.upper(), word.capitalize(), "NaN")})
_WORDS = pa.dictionary(pa.int32(), pa.string())
# Words are kept once; a file is read in blocks of this size.
_BLOCK = 2**24  # bytes


@dataclass(frozen=True)
class WholeColumns:
    """Columns of a file.

    Args:
        first_line: The line of the first row; the others are on the lines after it.
        numbers: Column -> (rows,) float64, NaN where a value is missing.
        words: Column -> its words, each once, and the place in them of each row's, (rows,) int64.
    """

    first_line: int
    numbers: dict[str, np.ndarray]
    words: dict[str, tuple[list[str], np.ndarray]]


def read_whole_columns(
    path: str | os.PathLike, dialect: Dialect | None, encoding: str, numbers: Sequence[str], words: Sequence[str]
) -> WholeColumns | None:
    """Reads columns of numbers and of words.

    Args:
        path: The file.
        dialect: How a delimited file is written; None for another.
        encoding: How its bytes are to be read.
        numbers: The columns of numbers.
        words: The columns of words.

    Returns:
        The columns; None where the file has to be read row by row.
    """
    try:
        if content_suffix(path) == PARQUET:
            return _checked(read_columns(path, [*numbers, *words]), 1, numbers, words)
        # Of one column, an empty line may be a row.
        if dialect and len(dialect.columns) > 1 and encoding.lower() in ("utf-8", "utf8"):
            with open_bytes(path) as stream:
                content = stream.read().removeprefix(codecs.BOM_UTF8)
            if _is_plain(content, dialect):
                return _checked(_delimited(content, dialect, numbers, words), 1 + dialect.has_header, numbers, words)
    except UserError:
        raise
    except (pa.ArrowException, OSError, EOFError, KeyError, ValueError):
        pass  # whatever it is, reading row by row tells it
    return None


def _is_plain(content: bytes, dialect: Dialect) -> bool:
    """Whether each line of a file is a record, the first one the names of the columns if there are any."""
    writing = dialect.writing
    first = content.partition(b"\n")[0].decode().rstrip("\r").split(writing.delimiter)
    if dialect.has_header and [name.removeprefix('"').removesuffix('"') for name in first] != list(dialect.header):
        return False
    if not content.isascii():
        content.decode()  # raises where it is not UTF-8
    if content.count(b"\r") != content.count(b"\r\n"):
        return False
    if b'"' not in content:
        return True
    # Quotes that are not closed on their line join it with others, or are none.
    characters = np.frombuffer(content, np.uint8)
    lines = np.searchsorted(np.flatnonzero(characters == ord("\n")), np.flatnonzero(characters == ord('"')))
    return writing.quote == '"' and not writing.escapes and not (np.bincount(lines) % 2).any()


def _delimited(content: bytes, dialect: Dialect, numbers: Sequence[str], words: Sequence[str]) -> pa.Table:
    writing = dialect.writing
    return pyarrow.csv.read_csv(
        pa.BufferReader(content),
        pyarrow.csv.ReadOptions(
            column_names=list(dialect.columns), skip_rows=int(dialect.has_header), block_size=_BLOCK
        ),
        pyarrow.csv.ParseOptions(
            delimiter=writing.delimiter,
            quote_char=False if writing.delimiter in Writing.OFTEN_BARE else writing.quote,
            newlines_in_values=False,
            ignore_empty_lines=False,
        ),
        pyarrow.csv.ConvertOptions(
            include_columns=[*numbers, *words],
            column_types={**dict.fromkeys(numbers, pa.float64()), **dict.fromkeys(words, _WORDS)},
            null_values=_NULLS,
            strings_can_be_null=False,
        ),
    )


def _checked(table: pa.Table, first_line: int, numbers: Sequence[str], words: Sequence[str]) -> WholeColumns | None:
    found_numbers, found_words = {}, {}
    for name in numbers:
        column = table[name]
        if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
            return None
        values = pc.fill_null(column.cast(pa.float64()), np.nan).to_numpy()
        if (np.abs(values) > LARGEST).any():
            return None
        found_numbers[name] = values
    for name in words:
        coded = _coded(table, name)
        if coded is None:
            return None
        found_words[name] = coded
    return WholeColumns(first_line, found_numbers, found_words) if len(table) else None


def _coded(table: pa.Table, name: str) -> tuple[list[str], np.ndarray] | None:
    """A column's words, or None where they are of another kind than texts, whole numbers and times."""
    column = table[name]
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    is_plain = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    # The numbers of labels have names in files of the Hugging Face hub.
    is_count = pa.types.is_integer(kind) and b"huggingface" not in (table.schema.metadata or {})
    if not (is_plain or is_count or pa.types.is_timestamp(kind) or pa.types.is_date(kind)) or column.null_count:
        return None
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    whole = column.unify_dictionaries().combine_chunks()
    whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    words = whole.dictionary.cast(pa.string()).to_pylist()
    # A quote may be one that a file with tabs writes around a field.
    return None if any('"' in word for word in words) else (words, whole.indices.to_numpy().astype(np.int64))
