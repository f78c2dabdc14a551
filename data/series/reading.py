"""From the rows of tables to series at regular steps: each row finds its place, and what is missing stays missing."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from data.errors import BadLines, UserError, shown
from data.series.columns import Reading, SeriesColumns
from data.series.covariates import future_of, static_of
from data.series.grid import Grid, step_of
from data.series.ordered_rows import Rows, in_order
from data.series.rows import Series
from data.series.steps import Step
from data.series.tables import Table, read_table
from data.series.time_stamps import format_times
from data.series.time_zones import as_utc


@dataclass(frozen=True)
class ReadSeries:
    """What is read from files.

    Args:
        series: All their series, `begins` 0.
        columns: What was found out about the columns, or what was known; how times are written is the first file's.
        file_ends: For each file the step after each series's last one with a target in it or in a file before it.
        notes: What is to be told, a line under a name.
    """

    series: Series
    columns: SeriesColumns
    file_ends: list[list[int]]
    notes: dict[str, str] = field(default_factory=dict)


def read_series(
    paths: Sequence[str | os.PathLike],
    reading: Reading = Reading(),
    bad_lines: BadLines | None = None,
    columns: SeriesColumns | None = None,
) -> ReadSeries:
    """Reads series from tables: long (a row for each time of each series) or wide (a column for each series).

    Args:
        paths: Files, each of which may go on where the one before ends; only the first needs targets.
        reading: How they are to be read.
        bad_lines: What is done with rows that cannot be used; None raises for the first.
        columns: What is known from the training files; None: look.

    Returns:
        The series: names in the order in which they come, rows in the order of their times, a step for each time.
        Steps before a series' first target are left out, those after its last one are `ahead`.

    Raises:
        UserError: A file or a column is missing, a row is bad, a time comes twice or lies between the steps, a
            covariate is missing, or the steps are not those of `columns`.

    Example:
        read_series(["sales.csv"], Reading(future_columns="price, holiday")).series.names
    """
    bad_lines = bad_lines or BadLines(skip=False)
    tables = [read_table(paths[0], reading, bad_lines)]
    tables += [read_table(path, reading, bad_lines, like=tables[0].roles) for path in paths[1:]]
    return assemble(tables, reading, bad_lines, columns)


def assemble(tables: list[Table], reading: Reading, bad_lines: BadLines, columns: SeriesColumns | None) -> ReadSeries:
    """Makes series of the rows of tables; see `read_series`."""
    rows, zone = in_order(tables, columns.time_zone if columns else reading.time_zone, bad_lines, columns is not None)
    step = step_of(rows, columns.step if columns else None)
    grid = Grid(rows, step)
    future, future_features = future_of(rows, grid, tables[0].roles.future, reading.fill, columns)
    static, static_features = static_of(rows, tables[0].roles.static, columns)
    found = SeriesColumns(future_features, static_features, step, tables[0].form, zone)
    series, file_ends, missing = _cut(rows, grid, future, static, reading.fill == "zero")
    notes = {
        "read as": "; ".join(filter(None, [tables[0].written, str(tables[0].roles)])),
        "series": _described(series, step),
        "missing": missing,
    }
    return ReadSeries(series, found, file_ends, {name: note for name, note in notes.items() if note})


def _cut(
    rows: Rows, grid: Grid, future: np.ndarray, static: np.ndarray, missing_is_zero: bool
) -> tuple[Series, list[list[int]], str]:
    """The series, the ends of the files in them, and a note about what is missing."""
    result = Series([], [], [], [], [], [])
    ends: list[list[int]] = [[] for _ in rows.tables]
    times = grid.times
    gone = _Missing(rows, grid, missing_is_zero)
    for name, column in rows.targets.items():
        values = grid.spread(column)
        known = np.isfinite(values)
        table_of = np.full(grid.size, -1, np.int64)
        table_of[grid.rows] = rows.table
        for number, (start, length) in enumerate(zip(grid.starts.tolist(), grid.lengths.tolist(), strict=True)):
            whole = slice(start, start + length)
            places = np.flatnonzero(known[whole])
            label = _label(rows.names[grid.names[number]], name, len(rows.targets))
            if not len(places):
                gone.empty.append(label)
                continue
            first, end = start + int(places[0]), start + int(places[-1]) + 1
            if len(places) < end - first:
                gone.count(name, first, end, known, label)
                if missing_is_zero:
                    values[first:end][~known[first:end]] = 0
            result.names.append(label)
            result.times.append(times[first : start + length])
            result.targets.append(values[first:end])
            result.begins.append(0)
            result.future.append(future[first : start + length])
            result.static.append(static[grid.names[number]])
            if len(ends) == 1:
                ends[0].append(end - first)
                continue
            tables = table_of[first:end][known[first:end]]
            steps = np.flatnonzero(known[first:end])
            for table, file_ends in enumerate(ends):
                within = steps[tables <= table]
                file_ends.append(int(within.max()) + 1 if len(within) else 0)
    if not result.names:
        raise UserError(f"{rows.tables[0].path}: no value in {', '.join(map(repr, rows.targets))}")
    return result, ends, gone.note()


def _label(name: str, target: str, targets: int) -> str:
    if not name:
        return target
    return name if targets == 1 else f"{name} {target}"


class _Missing:
    """Counts what is missing."""

    def __init__(self, rows: Rows, grid: Grid, are_zeros: bool):
        self.rows, self.grid, self.are_zeros = rows, grid, are_zeros
        self.values = self.steps = self.series = 0
        self.first = ""
        self.empty: list[str] = []

    def count(self, target: str, first: int, end: int, known: np.ndarray, label: str) -> None:
        """Counts those of a series, between its first value and its last."""
        self.series += 1
        gaps = np.flatnonzero(~known[first:end]) + first
        self.values += len(gaps)
        if not self.first:
            at = int(np.searchsorted(self.grid.rows, gaps[0]))
            is_row = self.grid.rows[at] == gaps[0]
            where = f"{self.rows.place(at)} has none" if is_row else f"before {self.rows.place(at)}"
            self.first = f"first {where}, series {shown(label)}"

    def note(self) -> str:
        """What is missing, in one line, or ""."""
        notes = []
        if self.values:
            taken = " (taken for 0)" if self.are_zeros else ""
            values = "1 value" if self.values == 1 else f"{self.values:,} values"
            notes.append(f"{values} of {self.series:,} series{taken}, {self.first}")
        if self.empty:
            names = ", ".join(map(shown, self.empty[:3])) + (", ..." if len(self.empty) > 3 else "")
            notes.append(f"{len(self.empty):,} series without any value left out: {names}")
        return "; ".join(notes)


def _described(series: Series, step: Step) -> str:
    lengths = [len(targets) for targets in series.targets]
    size = f"{min(lengths):,}" if min(lengths) == max(lengths) else f"{min(lengths):,} to {max(lengths):,}"
    each = "" if len(series) == 1 else f"{len(series):,} series of "
    apart = "" if step.unit == "count" else f", {step} apart"
    return f"{each}{size} steps{apart}"


def next_times(times: np.ndarray, step: Step, count: int) -> np.ndarray:
    """The times that follow a series's.

    Args:
        times: As `Series.times`, at least one.
        step: Their step.
        count: How many.
    """
    # From the first time: the last day of a month stays the last, whatever the last time's month.
    last = len(times) - 1
    return step.after(np.repeat(times[:1], count), last + 1 + np.arange(count))


def times_as_written(times: np.ndarray, columns: SeriesColumns) -> list[str]:
    """Times in the form in which the file of `columns` writes them."""
    form, zone = columns.time_form, columns.time_zone
    if not (form.offset or form.kind not in ("stamp", "quarter", "count")):
        return format_times(times, form, zone if columns.step.is_within_days else "")
    if not (zone and columns.step.is_within_days):  # what clocks show, and no UTC
        zone = zone or (form.offset if form.offset not in ("", "varies") else "UTC")
        times = as_utc(times, zone)[0][0]
    return format_times(times, form, zone)
