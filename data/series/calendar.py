"""What the calendar says of a time: the hour, the weekday, the day of the month and of the year, as points on circles.

A point on a circle, its sine and cosine, has no jump between 23 and 0 o'clock or between December and January.
"""

import numpy as np

from data.series.steps import Step
from data.series.time_zones import as_local

_DAY = np.timedelta64(1, "D") / np.timedelta64(1, "us")
# What each circle is, and the longest step, in days, at which it still has several places.
_CIRCLES = {"hour": 1, "weekday": 7, "day of month": 28, "day of year": 360}


def calendar_names(step: Step) -> list[str]:
    """The circles that vary at a step: "hour" for hours, none for years and for counted steps."""
    if step.unit == "count":
        return []
    days = {"month": step.size * 30, "business day": step.size}.get(step.unit, step.size / _DAY)
    names = [name for name, longest in _CIRCLES.items() if days < longest]
    # Steps of whole weeks are always on the same weekday, and those of months on the same day of the month.
    return [name for name in names if name != "weekday" or days % 7]


def calendar_features(times: np.ndarray, step: Step, time_zone: str = "") -> np.ndarray:
    """The calendar of times, from the times alone.

    Args:
        times: (length,) as `Series.times`.
        step: Their step, which says what varies.
        time_zone: The zone of the clocks and calendars; "" where times are as they are written.

    Returns:
        (length, 2 circles) float32: sine and cosine for each of `calendar_names`.

    Example:
        noon = np.array(["2024-01-01T12"], "datetime64[us]")
        calendar_features(noon, Step(3_600_000_000, "microsecond"))[0, :2]   # 0, -1: half round the day's circle
    """
    names = calendar_names(step)
    if not names:
        return np.zeros([len(times), 0], np.float32)
    if step.is_within_days:
        times = as_local(times, time_zone)
    days = times.astype("datetime64[D]")
    months, years = times.astype("datetime64[M]"), times.astype("datetime64[Y]")
    share = (times - days.astype(times.dtype)).astype(np.int64) / _DAY
    within_month = (days - months.astype("datetime64[D]")).astype(np.int64)
    within_year = (days - years.astype("datetime64[D]")).astype(np.int64)
    next_months = months + np.timedelta64(1, "M")
    days_of_month = (next_months.astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
    circles = {
        "hour": share,
        "weekday": (days.astype(np.int64) + 3) % 7 / 7,
        "day of month": within_month / days_of_month,
        "day of year": (within_year + (share if step.is_within_days else 0)) / 365.25,
    }
    angles = 2 * np.pi * np.stack([circles[name] for name in names], axis=-1)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(len(times), -1).astype(np.float32)
