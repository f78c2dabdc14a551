"""A place for each step of each series: rows find theirs, and where none does, something is missing."""

import numpy as np

from data.errors import UserError
from data.series.ordered_rows import Rows
from data.series.steps import Step, find_step

# Where rows are missing, a series may have so many times as many steps as there are rows; steps are smaller than that
# where a time is wrong.
_MOST_STEPS_A_ROW, _ALWAYS_ALLOWED = 20, 10**6


def step_of(rows: Rows, known: Step | None) -> Step:
    """The step of all series; one that is known must be theirs."""
    follows = rows.follows
    if known and (known.unit == "count") != (rows.times.dtype.kind != "M"):
        found, trained = ("dates", "counts") if known.unit == "count" else ("counts", "dates")
        raise UserError(f"{rows.tables[0].path}: its times are {found}, and those trained on were {trained}")
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


class Grid:
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
