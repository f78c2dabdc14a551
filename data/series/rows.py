"""Series of numbers at regular steps, one a row."""

from dataclasses import dataclass

import numpy as np

from data.errors import UserError, shown
from data.sources.rows import Rows


@dataclass(frozen=True)
class Series(Rows):
    """Series of numbers at regular steps; a row is a series.

    Args:
        names: What tells a series from the others.
        times: (length + ahead,) datetime64[us], or int64 where steps are counted; each one step after the one before.
            Below a day they are in UTC where a time zone is known, else as they are written.
        targets: (length,) float32; NaN where a value is missing.
        begins: The first step whose target belongs to this split; what stands before is seen and not asked for.
        future: (length + ahead, covariates) float32, known beforehand; ahead > 0 where rows go on without a target.
        static: (covariates,) float32, the same at all steps.

    Example:
        days = np.arange("2024-01-01", "2024-01-04", dtype="datetime64[D]").astype("datetime64[us]")
        none = np.zeros([3, 0], np.float32)
        Series(["shop"], [days], [np.float32([3, 4, 5])], [0], [none], [none[0]])
    """

    names: list[str]
    times: list[np.ndarray]
    targets: list[np.ndarray]
    begins: list[int]
    future: list[np.ndarray]
    static: list[np.ndarray]

    def between(self, begins: list[int], ends: list[int]) -> "Series":
        """The series up to an end, of which the steps from `begins` on are asked for.

        Nothing from the end on is in the result, which is how no one can see it; a series whose `begins` is not before
        its end has nothing to be asked for and is left out.

        Args:
            begins: The first step that is asked for, of each series.
            ends: The step after the last, of each.
        """
        rows = [row for row in range(len(self)) if begins[row] < ends[row]]
        return Series(
            [self.names[row] for row in rows],
            [self.times[row][: ends[row]] for row in rows],
            [self.targets[row][: ends[row]] for row in rows],
            [begins[row] for row in rows],
            [self.future[row][: ends[row]] for row in rows],
            [self.static[row] for row in rows],
        )


def leave_out_short(series: Series, window: int, horizon: int) -> tuple[Series, str]:
    """Leaves out the series that have no place for a window and, after it, a horizon of steps that are asked for.

    Args:
        series: Those of a split.
        window: Steps that are looked at.
        horizon: Steps that are forecast.

    Returns:
        The others; a note about those that were left out, or "".

    Raises:
        UserError: None is long enough.
    """
    lengths = np.array([len(targets) for targets in series.targets])
    long_enough = np.maximum(window, series.begins) + horizon <= lengths
    if long_enough.all() and len(series):
        return series, ""
    needs = f"a window of {window} and a horizon of {horizon} steps"
    if not long_enough.any():
        longest = int(lengths.argmax()) if len(series) else None
        found = "there is no series" if longest is None else f"the longest, {shown(series.names[longest])}, has"
        count = "" if longest is None else f" {lengths[longest]:,}"
        if longest is not None and series.begins[longest]:
            count += f", of which {lengths[longest] - series.begins[longest]:,} are asked for"
        raise UserError(f"no series is long enough for {needs}: {found}{count}; take a smaller one of them")
    short = [name for name, enough in zip(series.names, long_enough, strict=True) if not enough]
    names = ", ".join(map(shown, short[:3])) + (", ..." if len(short) > 3 else "")
    return series.select(np.flatnonzero(long_enough)), f"{len(short):,} too short for {needs}: {names}"
