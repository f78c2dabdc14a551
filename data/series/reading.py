"""From the rows of tables to series at regular steps: each row finds its place, and what is missing stays missing."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from data.errors import BadLines, UserError, shown
from data.series.columns import Reading, SeriesColumns
from data.series.covariates import future_of, static_of
from data.series.rows import Series
from data.series.steps import Step, find_step
from data.series.tables import Table, read_table
from data.series.time_stamps import TimeForm, format_times
from data.series.time_zones import as_local, as_utc

# Where rows are missing, a series may have so many times as many steps as there are rows; steps are smaller than that
# where a time is wrong.
_MOST_STEPS_A_ROW, _ALWAYS_ALLOWED = 20, 10**6


@dataclass(frozen=True)
class Rows:
    """The rows of all tables, in order of the series and, in a series, of the times.

    Args:
        tables: The tables.
        names: What tells the series apart, each once.
        table: (rows,) the place in `tables` of each row's.
        lines: (rows,) the number of each row's line.
        series: (rows,) the place in `names`.
        times: (rows,) as `data.series.rows.Series.times`.
        targets: Column -> (rows,) float64.
        covariates: Column -> its words, and the place in them of each row's, (rows,).
    """

    tables: list[Table]
    names: list[str]
    table: np.ndarray
    lines: np.ndarray
    series: np.ndarray
    times: np.ndarray
    targets: dict[str, np.ndarray]
    covariates: dict[str, tuple[list[str], np.ndarray]]

    def select(self, rows: np.ndarray) -> "Rows":
        """Some of the rows: their places, or whether each is wanted."""
        return Rows(
            self.tables,
            self.names,
            self.table[rows],
            self.lines[rows],
            self.series[rows],
            self.times[rows],
            {name: column[rows] for name, column in self.targets.items()},
            {name: (words, codes[rows]) for name, (words, codes) in self.covariates.items()},
        )

    @property
    def follows(self) -> np.ndarray:
        """Whether a row follows another one of its series."""
        return np.append(False, self.series[1:] == self.series[:-1]) if len(self.series) else np.zeros(0, bool)

    def place(self, row: int) -> str:
        """Where a row stands: "sales.csv:17"."""
        return f"{self.tables[self.table[row]].path}:{self.lines[row]}"

    def written(self, row: int) -> str:
        """A row's time, in a common form."""
        return str(self.times[row]).replace("T", " ").removesuffix(".000000")

    def called(self, row: int) -> str:
        """A row's series, for a message; "" where there is only one."""
        name = self.names[self.series[row]]
        return f" of series {shown(name)}" if name else ""


@dataclass(frozen=True)
class ReadSeries:
    """What is read from files.

    Args:
        series: All their series, `begins` 0.
        columns: What was found out about the columns, or what was known.
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
    form = tables[0].form
    rows = _all_rows(tables)
    rows, zone = _on_one_clock(rows, form, reading.time_zone)
    rows = _in_order(rows)
    rows = _each_time_once(rows, bad_lines)
    step = _checked_step(rows, columns.step if columns else None)
    grid = _Grid(rows, step)
    future, future_features = future_of(rows, grid, tables[0].roles.future, reading.fill, columns)
    static, static_features = static_of(rows, tables[0].roles.static, columns)
    found = columns or SeriesColumns(future_features, static_features, step, form, zone)
    series, file_ends, missing = _cut(rows, grid, future, static, reading.fill == "zero")
    notes = {"read as": str(tables[0].roles), "series": _described(series, step), "missing": missing}
    return ReadSeries(series, found, file_ends, {name: note for name, note in notes.items() if note})


def _all_rows(tables: list[Table]) -> Rows:
    numbers: dict[str, int] = {}
    series = []
    for table in tables:
        in_all = np.array([numbers.setdefault(name, len(numbers)) for name in table.names])
        series.append(in_all[table.series])
        if (table.times.dtype.kind == "M") != (tables[0].times.dtype.kind == "M"):
            raise UserError(f"{table.path}: expected {tables[0].form}, as in {tables[0].path}, found {table.form}")
    lengths = [len(table.lines) for table in tables]
    targets = {
        name: np.concatenate([table.targets.get(name, np.full(len(table.lines), np.nan)) for table in tables])
        for name in tables[0].roles.targets
    }
    covariates = {}
    for name in tables[0].covariates:
        words: dict[str, int] = {}
        codes = []
        for table in tables:
            own, places = table.covariates[name]
            codes.append(np.array([words.setdefault(word, len(words)) for word in own])[places])
        covariates[name] = list(words), np.concatenate(codes)
    rows = Rows(
        tables,
        list(numbers),
        np.repeat(np.arange(len(tables)), lengths),
        np.concatenate([table.lines for table in tables]),
        np.concatenate(series),
        np.concatenate([table.times for table in tables]),
        targets,
        covariates,
    )
    return rows if tables[0].roles.times else _counted(rows)


def _counted(rows: Rows) -> Rows:
    """Rows whose times are their places in their series."""
    order = np.argsort(rows.series, kind="stable")
    series = rows.series[order]
    begins = np.flatnonzero(np.append(True, series[1:] != series[:-1]))
    counts = np.arange(len(order)) - np.repeat(begins, np.diff(np.append(begins, len(order))))
    rows.times[order] = counts
    return rows


def _on_one_clock(rows: Rows, form: TimeForm, asked: str) -> tuple[Rows, str]:
    """Rows in UTC where a day has several steps and a zone is known, else as the clocks show it; the zone."""
    if rows.times.dtype.kind != "M":
        return rows, ""
    is_utc = bool(form.offset) or form.kind not in ("stamp", "quarter")
    zone = asked or ("UTC" if form.offset == "varies" else form.offset)
    local = as_local(rows.times, zone) if is_utc else rows.times
    order = np.lexsort((local, rows.series))
    distances = np.diff(local[order])[np.diff(rows.series[order]) == 0]
    distances = distances[distances > np.timedelta64(0)]
    within_days = len(distances) and distances.min() < np.timedelta64(1, "D")
    if is_utc or not zone or not within_days:
        times = rows.times if within_days else local
    else:
        times = _utc_of_rows(rows, zone)
    return Rows(**{**vars(rows), "times": times}), zone


def _utc_of_rows(rows: Rows, zone: str) -> np.ndarray:
    """UTC of what clocks show: where they show an hour twice, a series' first row of a time is in the first one."""
    distinct, places = np.unique(rows.times, return_inverse=True)
    (first, second), are_shown = as_utc(distinct, zone)
    if not are_shown.all():
        row = int(np.flatnonzero(~are_shown[places])[0])
        never = f"clocks in {zone} do not show {rows.written(row)}: they are put forward then"
        raise UserError(f"{rows.place(row)}: {never}; if the times are of another zone, name that with --time-zone")
    times = first[places]
    twice = np.flatnonzero((first != second)[places])
    seen: set[tuple[int, int]] = set()
    for row in twice.tolist():
        key = int(rows.series[row]), int(places[row])
        if key in seen:
            times[row] = second[places[row]]
        seen.add(key)
    return times


def _in_order(rows: Rows) -> Rows:
    same = rows.series[1:] == rows.series[:-1]
    if (rows.series[1:] >= rows.series[:-1]).all() and (rows.times[1:] >= rows.times[:-1])[same].all():
        return rows
    return rows.select(np.lexsort((rows.times, rows.series)))


def _each_time_once(rows: Rows, bad_lines: BadLines) -> Rows:
    """Rows without those that repeat a time: a mistake, unless another file says the same again."""
    again = rows.follows
    again[1:] &= rows.times[1:] == rows.times[:-1]
    first = 0
    hours = rows.times.dtype.kind == "M" and bool((rows.times.astype("datetime64[D]") != rows.times).any())
    for row in np.flatnonzero(again).tolist():
        first = first if again[row - 1] else row - 1
        values = [(column[first], column[row]) for column in rows.targets.values()]
        says_the_same = all(before == after or np.isnan(after) for before, after in values)
        if rows.table[first] != rows.table[row] and says_the_same:
            continue
        path = rows.tables[rows.table[row]].path
        found = f"{rows.written(row)}{rows.called(row)} again, which stands in {rows.place(first)}"
        advice = "--time-zone NAME tells apart the hour that clocks show twice" if hours else ""
        advice = (
            advice if rows.called(row) else "; ".join(filter(None, ["--id-column NAME tells series apart", advice]))
        )
        bad_lines.report(path, int(rows.lines[row]), expected="each time once", found=found, advice=advice)
    return rows.select(~again) if again.any() else rows


def _checked_step(rows: Rows, known: Step | None) -> Step:
    """The step of all series; one that is known must be theirs."""
    follows = rows.follows
    if not follows.any():
        if known:
            return known
        series = f"{len(rows.names):,} series have" if len(rows.names) > 1 else "the series has"
        advice = "a series needs several" + (
            "; --id-column NAME, or none, tells them apart" if len(rows.names) > 1 else ""
        )
        raise UserError(f"{rows.tables[0].path}: {series} one row{' each' if len(rows.names) > 1 else ''}; {advice}")
    step, irregular = find_step(rows.times, follows)
    if known and step != known:
        # Few rows may hide the step: those of a week no weekend, those of a series with gaps its smallest distance.
        later = np.flatnonzero(follows)
        places = known.places(rows.times)
        distances = places[later] - places[later - 1]
        if len(later) > 50 or ((distances % known.size != 0) | (distances == 0)).any():
            raise UserError(f"{rows.tables[0].path}: its times are {step} apart, and those trained on were {known}")
        return known
    if len(irregular):
        row = int(irregular[0])
        expected = f"a time some steps of {step} after {rows.written(row - 1)} ({rows.place(row - 1)})"
        advice = "round the times, or count the rows: --time-column none"
        if rows.tables[0].form.offset == "varies":
            advice = "if clocks are put forward and back, --time-zone NAME says where"
        raise UserError(
            f"{rows.place(row)}: expected {expected}, found {rows.written(row)}{rows.called(row)}; {advice}"
        )
    return step


class _Grid:
    """A place for each step of each series, one series after the other.

    Attributes:
        lengths: (series,) steps from a series' first row to its last.
        starts: (series,) the place of each series' first step.
        rows: (rows,) the place of each row.
    """

    def __init__(self, rows: Rows, step: Step):
        self.step = step
        firsts = np.flatnonzero(~rows.follows)
        counts = np.diff(np.append(firsts, len(rows.lines)))
        places = step.places(rows.times)
        within = (places - np.repeat(places[firsts], counts)) // step.size
        self.lengths = within[firsts + counts - 1] + 1
        _check_size(rows, within, int(self.lengths.sum()), step)
        self.starts = np.append(0, np.cumsum(self.lengths)[:-1])
        self.rows = within + np.repeat(self.starts, counts)
        self.names = rows.series[firsts]
        self._first_times = rows.times[firsts]

    @property
    def size(self) -> int:
        """All places."""
        return int(self.lengths.sum())

    @property
    def times(self) -> np.ndarray:
        """The time of each place."""
        steps = np.arange(self.size) - np.repeat(self.starts, self.lengths)
        return self.step.after(np.repeat(self._first_times, self.lengths), steps)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """The rows' values at their places, NaN elsewhere; float32."""
        placed = np.full(self.size, np.nan, np.float32)
        placed[self.rows] = values
        return placed


def _check_size(rows: Rows, within: np.ndarray, size: int, step: Step) -> None:
    if size <= max(_ALWAYS_ALLOWED, _MOST_STEPS_A_ROW * len(rows.lines)):
        return
    row = int((np.diff(within) * (np.diff(rows.series) == 0)).argmax()) + 1
    gap = f"between {rows.written(row - 1)} ({rows.place(row - 1)}) and {rows.written(row)} ({rows.place(row)})"
    raise UserError(
        f"{rows.tables[0].path}: {len(rows.lines):,} rows at steps of {step} would be {size:,}; "
        f"the longest gap is {gap}; mend the times, or count the rows: --time-column none"
    )


def _cut(
    rows: Rows, grid: _Grid, future: np.ndarray, static: np.ndarray, missing_is_zero: bool
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

    def __init__(self, rows: Rows, grid: _Grid, are_zeros: bool):
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
    is_utc = bool(columns.time_form.offset) or columns.time_form.kind not in ("stamp", "quarter", "count")
    if is_utc and columns.time_zone and not columns.step.is_within_days:
        times = as_utc(times, columns.time_zone)[0][0]
        return format_times(times, columns.time_form, columns.time_zone)
    return format_times(times, columns.time_form, columns.time_zone if columns.step.is_within_days else "")
