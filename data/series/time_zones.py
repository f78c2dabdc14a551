"""Clocks: from a zone's time to UTC and back."""

import re
from datetime import UTC, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import numpy as np

from data.errors import UserError


def zone_of(name: str) -> tzinfo:
    """The time zone of a name such as "Europe/Berlin", "UTC", or of an offset such as "+02:00".

    Raises:
        UserError: There is none.
    """
    if offset := re.fullmatch(r"([+-])([01]\d|2[0-3]):([0-5]\d)", name):
        minutes = int(offset[2]) * 60 + int(offset[3])
        return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        expected = "a zone such as Europe/Berlin, UTC, or an offset such as +02:00"
        advice = "where the system knows no zones, pip install tzdata"
        raise UserError(f"--time-zone {name}: expected {expected}; {advice}") from None


def as_local(times: np.ndarray, time_zone: str) -> np.ndarray:
    """What the clocks of a zone show at times of UTC.

    Args:
        times: datetime64[us].
        time_zone: As `zone_of` takes it; "" leaves the times as they are.
    """
    if not time_zone:
        return times
    zone = zone_of(time_zone)
    distinct, places = np.unique(times, return_inverse=True)
    local = [utc.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None) for utc in distinct.tolist()]
    return np.array(local, "datetime64[us]")[places]


def as_utc(times: np.ndarray, time_zone: str) -> tuple[np.ndarray, np.ndarray]:
    """UTC of what the clocks of a zone show.

    Args:
        times: datetime64[us], what the clocks show.
        time_zone: As `zone_of` takes it.

    Returns:
        (2, times) datetime64[us]: in an hour that comes twice, as clocks are put back, the first and the second time,
        else the same twice; whether clocks ever show the time, which they do not in an hour that is left out.
    """
    zone = zone_of(time_zone)
    both = np.array(
        [
            [local.replace(tzinfo=zone, fold=fold).astimezone(UTC).replace(tzinfo=None) for local in times.tolist()]
            for fold in (0, 1)
        ],
        "datetime64[us]",
    ).reshape(2, len(times))
    return both, as_local(both[0], time_zone) == times
