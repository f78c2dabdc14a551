"""The step from one time of a series to the next: so many seconds, months, business days, or places in a count."""

import dataclasses
from typing import Literal

import numpy as np

Unit = Literal["microsecond", "business day", "month", "count"]
_DAY = 86_400_000_000  # in microseconds
# What a step of so many microseconds is called; of steps that are none of these, the next smaller one is counted.
_NAMES = {
    7 * _DAY: "week",
    _DAY: "day",
    3_600_000_000: "hour",
    60_000_000: "minute",
    1_000_000: "second",
    1_000: "millisecond",
    1: "microsecond",
}
# After how many steps a season is over, where nothing else is known.
_SEASONS = {"business day": 5, "1 week": 52, "1 day": 7, "1 hour": 24, "1 minute": 60, "1 month": 12, "1 quarter": 4}


@dataclasses.dataclass(frozen=True)
class Step:
    """A step of time.

    Args:
        size: How many units.
        unit: "count" where times are integers.

    Example:
        >>> str(Step(900_000_000, "microsecond")), str(Step(3, "month"))
        ('15 minutes', '1 quarter')
    """

    size: int
    unit: Unit

    def __str__(self) -> str:
        if self.unit == "microsecond":
            size = next(size for size in _NAMES if not self.size % size)
            return _counted(self.size // size, _NAMES[size])
        if self.unit == "month":
            size, name = next(
                (size, name) for size, name in ((12, "year"), (3, "quarter"), (1, "month")) if not self.size % size
            )
            return _counted(self.size // size, name)
        return _counted(self.size, self.unit) if self.unit == "business day" else str(self.size)

    @property
    def season_length(self) -> int:
        """The steps of the season that is usual at such steps: of hours a day, of days a week, of months a year."""
        if self.unit == "business day":
            return 5
        if self.unit == "microsecond" and self.size < _DAY and not _DAY % self.size and self.size >= 600_000_000:
            return _DAY // self.size
        return _SEASONS.get(str(self), 1)

    @property
    def is_within_days(self) -> bool:
        """Whether a day has several steps, so that time zones matter to it."""
        return self.unit == "microsecond" and self.size < _DAY

    def places(self, times: np.ndarray) -> np.ndarray:
        """The number of each time on a line on which one step is `size`, int64."""
        if self.unit == "month":
            return times.astype("datetime64[M]").astype(np.int64)
        if self.unit == "business day":
            return np.busday_count("1970-01-01", times.astype("datetime64[D]"))
        return times.astype(np.int64)

    def after(self, first: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """The times so many steps after others.

        Args:
            first: (times,) as `Series.times`, which tell the day of a month, too: its last day stays the last.
            steps: (times,) int64.
        """
        if self.unit == "month":
            month, day = first.astype("datetime64[M]"), first.astype("datetime64[D]")
            within = first - day.astype(first.dtype)
            last = day == _last_day(month)
            target = month + steps * self.size
            number = (day - month.astype("datetime64[D]")).astype(np.int64)
            days = np.where(
                last, _last_day(target), np.minimum(target.astype("datetime64[D]") + number, _last_day(target))
            )
            return days.astype(first.dtype) + within
        if self.unit == "business day":
            day = first.astype("datetime64[D]")
            return np.busday_offset(day, steps * self.size).astype(first.dtype) + (first - day.astype(first.dtype))
        return first + steps * self.size


def _counted(count: int, name: str) -> str:
    return f"{count} {name}" if count == 1 else f"{count:,} {name}s"


def _last_day(months: np.ndarray) -> np.ndarray:
    return (months + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")


def find_step(times: np.ndarray, follows: np.ndarray) -> tuple[Step, np.ndarray]:
    """Finds the step of series: the smallest distance of two times, of which all the others are a multiple.

    Args:
        times: The times of all series, one series after the other, each in order, datetime64[us] or int64.
        follows: Whether a time follows another one of the same series, the one before it in the array.

    Returns:
        The step; the places in `times` of those that are no multiple of the step after the one before. Where there are
        any, the step is the most frequent one.

    Example:
        find_step(np.array([10, 20, 40]), np.array([False, True, True]))[0].size   # 10
    """
    later = np.flatnonzero(follows)
    distances = (times[later] - times[later - 1]).astype(np.int64)
    smallest = int(distances.min())
    if times.dtype.kind == "M":
        if smallest >= 28 * _DAY and _keep_their_day(times, later):
            months = np.diff(times.astype("datetime64[M]").astype(np.int64))[later - 1]
            return _regular(months, "month", later)
        weekdays = (times.astype("datetime64[D]").astype(np.int64) + 3) % 7
        if smallest == _DAY and not (distances % _DAY).any() and weekdays.max() < 5 and (distances > _DAY).any():
            return Step(1, "business day"), later[:0]
    return _regular(distances, "microsecond" if times.dtype.kind == "M" else "count", later)


def _regular(distances: np.ndarray, unit: Unit, later: np.ndarray) -> tuple[Step, np.ndarray]:
    size = int(distances.min())
    if not (distances % size).any():
        return Step(size, unit), later[:0]
    sizes, counts = np.unique(distances, return_counts=True)
    usual = int(sizes[counts.argmax()])
    return Step(usual, unit), later[distances % usual != 0]


def _keep_their_day(times: np.ndarray, later: np.ndarray) -> bool:
    """Whether the times of a series are all on one day of the month, or all on its last day, at one time of the day."""
    days = times.astype("datetime64[D]")
    months = times.astype("datetime64[M]")
    within, number = times - days.astype(times.dtype), (days - months.astype("datetime64[D]")).astype(np.int64)
    same = number[later] == number[later - 1]
    are_last = days == _last_day(months)
    return bool((within[later] == within[later - 1]).all() and (same.all() or are_last.all()))
