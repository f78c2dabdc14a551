"""Which columns of a table hold the times, the series' names, what is to be forecast, and what is known beforehand."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from data.errors import UserError
from data.series.filling import Fill
from data.series.numbers import as_number, is_missing
from data.series.steps import Step
from data.series.time_stamps import TimeForm, find_form
from data.tables.dialect import Layout
from data.tables.rows import as_text, shown

# The usual names, in the order in which they are looked for; the first of each are those of Nixtla's libraries.
ID_COLUMNS = ("unique_id", "item_id", "series_id", "series_name", "series", "ts_id", "tsid", "id")
TIME_COLUMNS = (
    *("ds", "timestamp", "datetime", "date_time", "date", "time", "utc_timestamp", "day", "week", "month", "quarter"),
    *("year", "period", "time_idx", "time_index", "step", "t"),
)
TARGET_COLUMNS = ("y", "target", "value")
NONE = "none"
# What tells, in a table without usual names, which columns hold numbers.
LOOKED_AT = 100


@dataclasses.dataclass(frozen=True)
class Reading:
    """How tables of series are to be read.

    Args:
        id_column: The column that tells the series apart: its name, without regard to case, or its number from 1;
            "auto" takes the first present of `ID_COLUMNS`; "none": there is none.
        time_column: Likewise of the times, and of `TIME_COLUMNS`, else the first column if it holds times; several,
            with commas, are joined by blanks; "none" counts the rows.
        target: What is to be forecast, or several with commas, a series each; "auto" takes the first present of
            `TARGET_COLUMNS`, else every column of numbers that is nothing else.
        future_columns: Those that are known beforehand, with commas.
        static_columns: Those that say something of a whole series, with commas.
        fill: What stands in a window where a value is missing; here it tells what stands for a covariate, and whether
            a missing target is 0.
        time_format: As `data.series.time_stamps.find_form` takes it.
        time_zone: The zone of the clocks that times without an offset were read from; "": times are as written.
        delimiter: What separates the columns of a .csv or .tsv file; see `data.tables.dialect.Layout`.
        header: Whether the first line of a .csv or .tsv file names the columns; None: look.
        encoding: How the file's bytes are to be read.
    """

    id_column: str = "auto"
    time_column: str = "auto"
    target: str = "auto"
    future_columns: str = ""
    static_columns: str = ""
    fill: Fill = "none"
    time_format: str = "auto"
    time_zone: str = ""
    delimiter: str = "auto"
    header: bool | None = None
    encoding: str = "utf-8"

    @property
    def layout(self) -> Layout:
        """What is known of a delimited file."""
        return Layout(self.delimiter, self.header, self._names_columns)

    def _names_columns(self, fields: list[str]) -> bool | None:
        names = set(map(_plain, fields))
        asked = (self.id_column, self.time_column, self.target, self.future_columns, self.static_columns)
        words = {_plain(name) for field in asked for name in names_in(field)} - {"auto", NONE}
        named = {name for name in words if not name.isdecimal()}
        usual = not names.isdisjoint(TIME_COLUMNS)
        return True if (named and named <= names) or usual else None


def names_in(field: str) -> list[str]:
    """The names in a field of several, with commas."""
    return [name.strip() for name in field.split(",") if name.strip()]


@dataclasses.dataclass(frozen=True)
class Roles:
    """The columns of a table by what they hold, as the file writes their names.

    Args:
        id: Of the series' names, or None.
        times: Of the times; empty where rows are counted.
        targets: Of what is to be forecast.
        future: Of what is known beforehand.
        static: Of what is the same at all times of a series.
        unread: All the others.
    """

    id: str | None
    times: tuple[str, ...]
    targets: tuple[str, ...]
    future: tuple[str, ...]
    static: tuple[str, ...]
    unread: tuple[str, ...] = ()

    def __str__(self) -> str:
        """In words: "times in 'ds', series in 'unique_id', targets in 'y'"."""
        told = {
            "times": self.times,
            "series": (self.id,) if self.id else (),
            "known beforehand": self.future,
            "of a series": self.static,
            "not read": self.unread,
        }
        parts = [f"{role} {'' if role == 'not read' else 'in '}{_few(names)}" for role, names in told.items() if names]
        return ", ".join([*parts[:2], f"targets in {_few(self.targets)}", *parts[2:]] if self.targets else parts)


Feature = tuple[str, str | None]


@dataclasses.dataclass(frozen=True)
class SeriesColumns:
    """What is learned from the training files about their columns, and holds for all others.

    Args:
        future: The columns of `Series.future`: a column of numbers (name, None), or a word of a column of words, 1
            where the column holds it and 0 elsewhere.
        static: Likewise of `Series.static`.
        step: Of the times.
        time_form: How times are written.
        time_zone: Of the clocks and calendars where times are in UTC; "" where times are as they are written.

    Example:
        SeriesColumns.from_json(columns.to_json()) == columns   # True
    """

    future: tuple[Feature, ...]
    static: tuple[Feature, ...]
    step: Step
    time_form: TimeForm
    time_zone: str = ""

    def to_json(self) -> dict[str, Any]:
        """What JSON can hold."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "SeriesColumns":
        """What `to_json` gave."""
        return cls(
            tuple((column, word) for column, word in value["future"]),
            tuple((column, word) for column, word in value["static"]),
            Step(**value["step"]),
            TimeForm(**value["time_form"]),
            value["time_zone"],
        )


def find_roles(
    path: str | os.PathLike, rows: Sequence[Mapping[str, Any]], reading: Reading, need_target: bool = True
) -> Roles:
    """Finds out which column holds what.

    Args:
        path: The file, for the messages.
        rows: Its first rows, up to `LOOKED_AT`: a column's name -> its value.
        reading: Says which columns are asked for.
        need_target: Whether a table without a target is a mistake; what is known of the future has none.

    Raises:
        UserError: A column is missing, or is asked for twice.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    future = tuple(_named(path, columns, name, "--future-columns") for name in names_in(reading.future_columns))
    static = tuple(_named(path, columns, name, "--static-columns") for name in names_in(reading.static_columns))
    taken = {*future, *static}
    targets = _asked_targets(path, columns, reading, need_target)
    id_column = _find(path, columns, reading.id_column, ID_COLUMNS, "--id-column", {*taken, *targets})
    taken |= {id_column} if id_column else set()
    times = _find_times(path, columns, rows, reading, {*taken, *targets})
    taken |= set(times)
    if reading.target == "auto":
        targets = _usual_targets(path, columns, rows, taken, id_column, need_target)
    everything = [*([id_column] if id_column else []), *times, *targets, *future, *static]
    unread = tuple(name for name in columns if name not in everything)
    roles = Roles(id_column, times, tuple(targets), future, static, unread)
    if twice := next((name for name in everything if everything.count(name) > 1), None):
        raise UserError(f"{path}: the column {twice!r} cannot be two things; found {roles}")
    return roles


def _asked_targets(path: os.PathLike | str, columns: list[str], reading: Reading, need: bool) -> list[str]:
    if reading.target == "auto":
        return []
    if not need and not {_plain(name) for name in names_in(reading.target)} & set(map(_plain, columns)):
        return []
    return [_named(path, columns, name, "--target") for name in names_in(reading.target)]


def _usual_targets(
    path: os.PathLike | str,
    columns: list[str],
    rows: Sequence[Mapping[str, Any]],
    taken: set[str],
    id_column: str | None,
    need: bool,
) -> list[str]:
    left = [name for name in columns if name not in taken]
    written = {_plain(name): name for name in reversed(left)}
    if usual := next((written[name] for name in TARGET_COLUMNS if name in written), None):
        return [usual]
    numbers = [name for name in left if _holds_numbers(rows, name) and not _counts_rows(name)]
    if not need and id_column:
        return []
    if id_column and len(numbers) > 1:
        raise UserError(
            f"{path}: {_few(numbers)} could be the target; choose with --target NAME, or several with commas"
        )
    if not numbers and need:
        raise UserError(f"{path}: no column of numbers to forecast; its columns are {_few(columns)}; use --target NAME")
    return numbers


def _find_times(
    path: os.PathLike | str, columns: list[str], rows: Sequence[Mapping[str, Any]], reading: Reading, taken: set[str]
) -> tuple[str, ...]:
    if reading.time_column == NONE:
        return ()
    if reading.time_column != "auto":
        return tuple(_named(path, columns, name, "--time-column") for name in names_in(reading.time_column))
    left = [name for name in columns if name not in taken]
    if found := _find(path, left, "auto", TIME_COLUMNS, "--time-column", taken):
        return (found,)
    first = [text for row in rows if left and (text := as_text(row.get(left[0])))]
    try:
        if first and find_form(first).kind != "count":
            return (left[0],)
    except UserError:
        pass  # no times, or none that tell day and month apart
    raise UserError(
        f"{path}: no column of times ({', '.join(TIME_COLUMNS[:6])}, ...); its columns are {_few(columns)}; "
        "use --time-column NAME, or --time-column none to count the rows"
    )


def _find(
    path: os.PathLike | str, columns: list[str], wanted: str, usual: Sequence[str], flag: str, taken: set[str]
) -> str | None:
    if wanted == NONE:
        return None
    if wanted != "auto":
        return _named(path, columns, wanted, flag)
    written = {_plain(name): name for name in reversed(columns) if name not in taken}
    return next((written[name] for name in usual if name in written), None)


def _named(path: os.PathLike | str, columns: list[str], wanted: str, flag: str) -> str:
    if wanted in columns:
        return wanted
    if wanted.isdecimal() and 1 <= int(wanted) <= len(columns):
        return columns[int(wanted) - 1]
    written = {_plain(name): name for name in reversed(columns)}
    if _plain(wanted) not in written:
        raise UserError(f"{path}: no column {wanted!r} ({flag}); its columns are {_few(columns)}")
    return written[_plain(wanted)]


def _holds_numbers(rows: Sequence[Mapping[str, Any]], name: str) -> bool:
    values = [row.get(name) for row in rows if not is_missing(row.get(name))]
    return bool(values) and all(as_number(value, decimal_comma=True) is not None for value in values)


def _counts_rows(name: str) -> bool:
    """Whether a column has no name, as pandas writes the numbers of rows."""
    return not name.strip() or name.startswith("Unnamed: ")


def _plain(name: str) -> str:
    return name.strip().lower()


def _few(names: Sequence[str]) -> str:
    return ", ".join(map(shown, islice(names, 12))) + (", ..." if len(names) > 12 else "")
