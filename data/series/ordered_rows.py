"""The rows of several tables in order: on one clock, from the first time of a series to its last, each time once."""

from dataclasses import dataclass

import numpy as np

from data.errors import BadLines, UserError, shown
from data.series.tables import Table
from data.series.time_stamps import TimeForm
from data.series.time_zones import as_local, as_utc

# A file that agrees with another in more than this share of the values that change was meant to begin as that one.
NEARLY = 0.9


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


def in_order(tables: list[Table], time_zone: str, bad_lines: BadLines, zone_is_known: bool = False) -> tuple[Rows, str]:
    """Puts the rows of tables in order.

    Args:
        tables: The tables; the first tells the form of the times.
        time_zone: The zone of the clocks that times without an offset were read from; "": not known.
        bad_lines: What is done with a row that repeats a time.
        zone_is_known: Whether "" means that times are as clocks show them, also those with an offset.

    Returns:
        The rows; the zone of their clocks, "" where it is not known.

    Raises:
        UserError: A time comes twice, clocks never showed it, or a table's are of another kind.
    """
    rows, zone = _on_one_clock(_all_rows(tables), tables[0].form, time_zone, zone_is_known)
    return _each_time_once(_sorted(rows), bad_lines), zone


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
    """Rows whose times are their places in their series; a file goes on where those before it end, or begins anew."""
    counts = np.zeros(len(rows.names), np.int64)
    order = np.argsort(rows.series, kind="stable")
    known = order[:0]  # the rows of the files before, each time once
    for table in range(len(rows.tables)):
        own = order[rows.table[order] == table]
        series, begins, lengths = np.unique(rows.series[own], return_index=True, return_counts=True)
        within = np.arange(len(own)) - np.repeat(begins, lengths)
        before = np.repeat(counts[series], lengths)
        again = own[within < before]
        if _say_the_same(rows, known[np.isin(rows.series[known], series)], again):  # in the order of `again`
            before = np.zeros_like(before)
        rows.times[own] = within + before
        np.maximum.at(counts, rows.series[own], rows.times[own] + 1)
        known = np.concatenate([known, own])
        known = known[np.lexsort((rows.times[known], rows.series[known]))]
        follows = rows.select(known).follows
        follows[1:] &= rows.times[known][1:] == rows.times[known][:-1]
        known = known[~follows]
    return rows


def _say_the_same(rows: Rows, known: np.ndarray, again: np.ndarray) -> bool:
    """Whether rows are what is known already, as in files of whole series to test on (GluonTS's, the Monash archive's).

    Series that do not change do not tell: they go on as they began.

    Raises:
        UserError: Nearly all of them are.
    """
    if len(known) != len(again) or not len(known):
        return False
    same_series = rows.series[known][1:] == rows.series[known][:-1]
    agrees, tells = np.ones(len(known), bool), np.zeros(len(known), bool)
    for column in rows.targets.values():
        # As series are kept; another file may have more digits.
        before, after = column[known].astype(np.float32), column[again].astype(np.float32)
        agrees &= (before == after) | (np.isnan(before) & np.isnan(after))
        tells[1:] |= (np.abs(np.diff(before)) > 0) & same_series
    if tells.any() and not agrees.all() and agrees[tells].mean() > NEARLY:
        first = int(np.flatnonzero(~agrees)[0])
        raise UserError(
            f"{rows.place(again[first])}: expected the value of {rows.place(known[first])} again, as nearly everywhere "
            "else, or a file that goes on where those before it end"
        )
    return bool(tells.any() and agrees.all())


def _on_one_clock(rows: Rows, form: TimeForm, asked: str, is_known: bool) -> tuple[Rows, str]:
    """Rows in UTC where a day has several steps and a zone is known, else as the clocks show it; the zone."""
    if rows.times.dtype.kind != "M":
        return rows, ""
    is_utc = bool(form.offset) or form.kind not in ("stamp", "quarter")
    zone = asked or ("UTC" if form.offset == "varies" else form.offset)
    local = as_local(rows.times, zone) if is_utc else rows.times
    if is_known and not asked:
        return Rows(**{**vars(rows), "times": local}), ""
    order = np.lexsort((local, rows.series))
    distances = np.diff(local[order])[np.diff(rows.series[order]) == 0]
    distances = distances[distances > np.timedelta64(0, "us")]
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


def _sorted(rows: Rows) -> Rows:
    same = rows.series[1:] == rows.series[:-1]
    if (rows.series[1:] >= rows.series[:-1]).all() and (rows.times[1:] >= rows.times[:-1])[same].all():
        return rows
    return rows.select(np.lexsort((rows.times, rows.series)))


def _each_time_once(rows: Rows, bad_lines: BadLines) -> Rows:
    """Rows without those that repeat a time: a mistake, unless another file says the same again."""
    again = rows.follows
    again[1:] &= rows.times[1:] == rows.times[:-1]
    firsts = np.maximum.accumulate(np.where(again, 0, np.arange(len(again))))
    says_the_same = rows.table[firsts] != rows.table
    for column in rows.targets.values():
        says_the_same &= (column[firsts] == column) | np.isnan(column)
    hours = rows.times.dtype.kind == "M" and bool((rows.times.astype("datetime64[D]") != rows.times).any())
    for row in np.flatnonzero(again & ~says_the_same).tolist():
        path = rows.tables[rows.table[row]].path
        found = f"{rows.written(row)}{rows.called(row)} again, which stands in {rows.place(firsts[row])}"
        advice = "--time-zone NAME tells apart the hour that clocks show twice" if hours else ""
        advice = (
            advice if rows.called(row) else "; ".join(filter(None, ["--id-column NAME tells series apart", advice]))
        )
        bad_lines.report(path, int(rows.lines[row]), expected="each time once", found=found, advice=advice)
    return rows.select(~again) if again.any() else rows
