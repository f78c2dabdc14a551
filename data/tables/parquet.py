"""Reading .parquet row by row, with the names of labels in place of their numbers.

Files of the Hugging Face hub keep the names of labels in their schema's metadata, under `huggingface`, as the library
`datasets` writes it: {"info": {"features": {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}}}.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import BadLines, UserError
from data.files import COMPRESSIONS, check_file, check_growth, parts
from data.tables.dialect import MOST_COLUMNS

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.parquet

PARQUET = ".parquet"
# Rows are turned into Python's values this many at a time, or fewer where they are large, as pictures are.
_ROWS, _BYTES = 1024, 2**24
# A value that stands in a file once may stand in every row: what so many rows may take at the worst.
_MOST_BYTES = 2**31

Row = tuple[int, dict[str, Any]]
Resolve = Callable[[Any], Any]


def read_parquet(
    path: str | os.PathLike, bad_lines: BadLines | None = None, columns: Sequence[str] | None = None
) -> Iterator[Row]:
    """Reads a .parquet file row by row, without holding more than a group of its rows in memory.

    Args:
        path: The file, or several as `data.files.parts` takes them; their rows are counted on.
        bad_lines: What is done with rows that cannot be used; None raises for the first.
        columns: The columns that are wanted; None means all.

    Returns:
        An iterator of (the row's number from 1, a dictionary from column to value). Numbers of labels are their names,
        and None where there is no label (-1); dates and decimal numbers are strings; structures are dictionaries.

    Raises:
        UserError: The file is missing; at once. It is damaged, has no rows or becomes far larger than it is, or a row
            is bad; when the iterator gets there.

    Example:
        >>> next(read_parquet("imdb/train-00000-of-00001.parquet"))
        (1, {'text': 'I rented this one ...', 'label': 'neg'})
    """
    files = [check_file(part) for part in parts(path)]
    return _rows(path, files, bad_lines or BadLines(skip=False), columns)


def read_columns(path: str | os.PathLike, columns: Sequence[str]) -> "pyarrow.Table":
    """Reads some columns whole: dates, numbers and words as Arrow has them.

    Args:
        path: As `read_parquet` takes it.
        columns: The columns; those that the file does not have are left out.

    Raises:
        UserError: The file is missing or damaged, or becomes far larger than it is.
        pyarrow.ArrowException: It has no rows, or its parts have other columns.
    """
    import pyarrow

    found = []
    for part in parts(path):
        with _opened(check_file(part)) as file:
            with _naming_damage(part):
                _check_types(part, file.schema_arrow, columns)
            size = 0
            for batch in _guarded(part, file.iter_batches(2**16, columns=columns)):
                size += batch.nbytes
                check_growth(part, part.stat().st_size, size)
                found.append(batch)
    return pyarrow.Table.from_batches(found)


def count_rows(path: str | os.PathLike) -> int:
    """The number of rows that a .parquet file says it has; a `UserError` where it is missing or damaged."""
    with _opened(check_file(path)) as file:
        return file.metadata.num_rows


def _rows(
    path: str | os.PathLike, files: list[Path], bad_lines: BadLines, columns: Sequence[str] | None
) -> Iterator[Row]:
    number = 0
    names: list[str] | None = None
    for part in files:
        with _opened(part) as file:
            with _naming_damage(part):
                schema = file.schema_arrow
                schema_names = schema.names
            if len(schema_names) > MOST_COLUMNS:
                count = f"{len(schema_names):,} columns, and {MOST_COLUMNS:,} are the most that is read"
                raise UserError(f"{part}: {count}; keep those that are needed")
            if names not in (None, schema.names):
                raise UserError(f"{part}: its columns are {_few(schema.names)}, and {_few(names)} in {files[0]}")
            names = schema.names
            if len(set(names)) < len(names) or not names:
                raise UserError(f"{part}: every column needs its own name; its columns are {_few(names) or 'none'}")
            _check_types(part, schema, columns)
            resolvers = _resolvers(part, schema)
            before, size = number, 0
            batches = file.iter_batches(_batch_size(file), columns=columns, use_threads=False)
            for batch in _guarded(part, batches):
                size += batch.nbytes
                check_growth(part, part.stat().st_size, size)
                for row in _python_rows(part, number - before, batch, resolvers, bad_lines):
                    yield number + row[0], row[1]
                number += batch.num_rows
            if number - before != file.metadata.num_rows:
                said = f"says that it has {file.metadata.num_rows:,} rows, and {number - before:,} are there"
                raise UserError(f"{part} {said}; it is damaged: get it again")
    if not number:
        raise UserError(f"{path} has column names and no rows")


@contextmanager
def _opened(path: Path) -> Iterator["pyarrow.parquet.ParquetFile"]:
    if path.suffix.lower() in COMPRESSIONS:
        raise UserError(f"{path}: .parquet is compressed inside; unpack the file, to be {path.stem}")
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UserError(f"{path}: .parquet is read by pyarrow; pip install pyarrow") from None
    with open(path, "rb"):  # whatever stands in the way of opening it is not damage
        pass
    with _naming_damage(path):
        # Read as it is needed: by default a whole group of rows is fetched beforehand.
        file = pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=2**20)
    with file:
        yield file


@contextmanager
def _naming_damage(path: os.PathLike) -> Iterator[None]:
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{path}: not a .parquet file, cut short, or damaged; get it again ({reason})") from None


def _guarded(path: os.PathLike, batches: Iterator["pyarrow.RecordBatch"]) -> Iterator["pyarrow.RecordBatch"]:
    while True:
        with _naming_damage(path):
            batch = next(batches, None)
            if batch is None:
                return
            batch = _without_dictionaries(batch)
        yield batch


def _without_dictionaries(batch: "pyarrow.RecordBatch") -> "pyarrow.RecordBatch":
    """A batch that is as large as it says: a value that stands in a dictionary once may stand in every row."""
    import pyarrow

    types = [(column, _without_dictionary(column.type)) for column in batch]
    columns = [column if column.type == plain else column.cast(plain) for column, plain in types]
    return pyarrow.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _without_dictionary(kind: "pyarrow.DataType") -> "pyarrow.DataType":
    import pyarrow

    types = pyarrow.types
    if types.is_dictionary(kind):
        return kind.value_type
    inner = [field.with_type(_without_dictionary(field.type)) for field in _fields(kind)]
    if types.is_struct(kind):
        return pyarrow.struct(inner)
    if types.is_list(kind):
        return pyarrow.list_(*inner)
    return pyarrow.large_list(*inner) if types.is_large_list(kind) else kind


def _fields(kind: "pyarrow.DataType") -> list["pyarrow.Field"]:
    return [kind.field(number) for number in range(kind.num_fields)]


def _check_types(path: os.PathLike, schema: "pyarrow.Schema", columns: Sequence[str] | None) -> None:
    for field in schema:
        if columns is None or field.name in columns:
            _check_type(path, field.name, field.type)


def _check_type(path: os.PathLike, name: str, kind: "pyarrow.DataType", is_known: bool = True) -> None:
    """Raises for a column of a kind that pyarrow cannot turn into rows, or that takes more memory than it says."""
    import pyarrow

    types = pyarrow.types
    problem = ""
    if types.is_struct(kind) and len({field.name for field in _fields(kind)}) < kind.num_fields:
        problem = "a structure with two fields of one name"
    if types.is_dictionary(kind) and not is_known:
        problem = "a dictionary within a map, a list of a fixed size or an extension"
    if problem:
        raise UserError(f"{path}: column {name!r} is {problem}, which is not read; leave it out, or write it plainly")
    if isinstance(kind, pyarrow.BaseExtensionType):
        _check_type(path, name, kind.storage_type, is_known=False)
    is_known = is_known and (types.is_struct(kind) or types.is_list(kind) or types.is_large_list(kind))
    for field in _fields(kind):
        _check_type(path, name, field.type, is_known)


def _batch_size(file: "pyarrow.parquet.ParquetFile") -> int:
    groups = [file.metadata.row_group(group) for group in range(file.num_row_groups)]
    largest = max((group.total_byte_size / group.num_rows for group in groups if group.num_rows), default=1)
    # Not of the groups' columns: of a damaged file pyarrow 26 ends the process when it is asked about them.
    largest_value = max((group.total_byte_size for group in groups), default=1)
    return max(1, min(_ROWS, int(_BYTES / max(largest, 1)), int(_MOST_BYTES / max(largest_value, 1))))


def _python_rows(
    path: os.PathLike, before: int, batch: "pyarrow.RecordBatch", resolvers: dict[str, Resolve], bad_lines: BadLines
) -> Iterator[Row]:
    """The rows of a batch, numbered from 1 in it."""
    try:
        rows = _values(batch, resolvers)
    except (UnicodeDecodeError, _NoSuchLabel):
        rows = None  # one of the rows is bad: one by one
    for position in range(batch.num_rows):
        try:
            yield position + 1, rows[position] if rows else _values(batch.slice(position, 1), resolvers)[0]
        except UnicodeDecodeError as error:
            found = f"the byte 0x{error.object[error.start]:02x}"
            bad_lines.report(path, before + position + 1, expected="UTF-8 text", found=found)
        except _NoSuchLabel as error:
            bad_lines.report(path, before + position + 1, expected=f"a label from 0 to {error.last}", found=error.found)


def _values(batch: "pyarrow.RecordBatch", resolvers: dict[str, Resolve]) -> list[dict[str, Any]]:
    names = batch.schema.names
    columns = []
    for name, column in zip(names, batch.columns):
        values = _plain(column).to_pylist()
        columns.append([resolvers[name](value) for value in values] if name in resolvers else values)
    return [dict(zip(names, row)) for row in zip(*columns)]


def _plain(column: "pyarrow.Array") -> "pyarrow.Array":
    """Dates, times and decimal numbers as strings, which every table can hold."""
    import pyarrow

    kinds = pyarrow.types
    is_time = kinds.is_timestamp(column.type) or kinds.is_date(column.type) or kinds.is_time(column.type)
    return column.cast(pyarrow.string()) if is_time or kinds.is_decimal(column.type) else column


class _NoSuchLabel(Exception):
    """A number that is not a label's."""

    def __init__(self, last: int, found: int):
        self.last, self.found = last, str(found)


def _resolvers(path: os.PathLike, schema: "pyarrow.Schema") -> dict[str, Resolve]:
    """What turns the values of a column into those with labels' names, for the columns that hold any."""
    described = (schema.metadata or {}).get(b"huggingface")
    if described is None:
        return {}
    try:
        features = json.loads(described)["info"]["features"] or {}
        found = {name: _resolver(features[name]) for name in schema.names if name in features}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UserError(
            f"{path}: the names of labels cannot be read from its schema ({type(error).__name__}: {error}); "
            "write it again without the metadata `huggingface`"
        ) from None
    return {name: resolve for name, resolve in found.items() if resolve}


def _resolver(feature: Any) -> Resolve | None:
    """What turns a value of a feature into one with labels' names; None where it holds no labels."""
    if isinstance(feature, list):  # how `datasets` once spelt a list
        feature = {"_type": "List", "feature": feature[0]}
    kind = feature.get("_type")
    if kind == "ClassLabel":
        return _label_resolver(feature.get("names"))
    if kind in ("Sequence", "List", "LargeList"):
        inner = feature["feature"]
        if kind == "Sequence" and isinstance(inner, dict) and not isinstance(inner.get("_type"), str):
            # A sequence of structures is stored as a structure of lists.
            return _resolver({name: {"_type": "List", "feature": field} for name, field in inner.items()})
        item = _resolver(inner)
        return item and (lambda value: [item(one) for one in value] if isinstance(value, list) else value)
    if isinstance(kind, str):
        return None
    fields = {name: resolve for name, field in feature.items() if (resolve := _resolver(field))}
    if not fields:
        return None
    return lambda value: (
        {name: fields[name](one) if name in fields else one for name, one in value.items()}
        if isinstance(value, dict)
        else value
    )


def _label_resolver(names: list[str] | None) -> Resolve | None:
    if names is None:  # the number of labels is known, their names are not
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError("names of labels that are not a list of strings")

    def resolve(value: Any) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            return value
        if value == -1:
            return None
        if not 0 <= value < len(names):
            raise _NoSuchLabel(len(names) - 1, value)
        return names[value]

    return resolve


def _few(names: list[str]) -> str:
    return ", ".join(map(repr, names[:20])) + (", ..." if len(names) > 20 else "")
