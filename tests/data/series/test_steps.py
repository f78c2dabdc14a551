"""Steps of hours, business days, months and counts: found, named, gone on with, and told as calendars."""

import numpy as np
import pandas
import pytest

from data.series.calendar import calendar_features, calendar_names
from data.series.filling import fill_windows
from data.series.steps import Step, find_step

# pandas' name of a step, ours, and the steps of a season.
STEPS = [
    ("15min", "15 minutes", 96),
    ("h", "1 hour", 24),
    ("D", "1 day", 7),
    ("W-SUN", "1 week", 52),
    ("2W-MON", "2 weeks", 1),
    ("B", "1 business day", 5),
    ("MS", "1 month", 12),
    ("ME", "1 month", 12),
    ("QS-JAN", "1 quarter", 4),
    ("QE-DEC", "1 quarter", 4),
    ("YS-JAN", "1 year", 1),
    ("YE-DEC", "1 year", 1),
    ("10ms", "10 milliseconds", 1),
    ("36h", "36 hours", 1),
]


def range_of(frequency: str, count: int) -> np.ndarray:
    return pandas.date_range("2023-12-29 00:00", periods=count, freq=frequency).to_numpy().astype("datetime64[us]")


@pytest.mark.parametrize(("frequency", "name", "season"), STEPS)
def test_step_is_pandas_step(frequency, name, season):
    times = range_of(frequency, 40)
    follows = np.arange(40) > 0
    step, irregular = find_step(times, follows)
    assert (str(step), step.season_length, len(irregular)) == (name, season, 0)
    assert (step.after(np.repeat(times[:1], 40), np.arange(40)) == times).all()
    # Rows that are missing leave the step what it is.
    some = np.delete(times, [3, 4, 17])
    assert find_step(some, follows[: len(some)])[0] == step
    assert ((step.places(some) - step.places(some[:1])) % step.size == 0).all()


def test_step_of_counts_and_of_several_series():
    step, irregular = find_step(np.array([0, 5, 10, 3, 8, 18]), np.array([False, True, True, False, True, True]))
    assert (step, len(irregular)) == (Step(5, "count"), 0)
    step, irregular = find_step(np.array([0, 5, 10, 12, 17]), np.arange(5) > 0)
    assert step.size == 5 and irregular.tolist() == [3]


@pytest.mark.parametrize(
    ("frequency", "names"),
    [
        ("h", ["hour", "weekday", "day of month", "day of year"]),
        ("D", ["weekday", "day of month", "day of year"]),
        ("W-SUN", ["day of month", "day of year"]),
        ("MS", ["day of year"]),
        ("YS-JAN", []),
    ],
)
def test_calendar_has_what_varies(frequency, names):
    times = range_of(frequency, 40)
    step, _ = find_step(times, np.arange(40) > 0)
    assert calendar_names(step) == names
    features = calendar_features(times, step)
    assert features.shape == (40, 2 * len(names)) and features.dtype == np.float32
    assert np.allclose(np.square(features).reshape(40, -1, 2).sum(-1), 1, atol=1e-6)


def test_calendar_is_that_of_the_clocks():
    # 8 in the morning in Berlin, in winter and in summer.
    times = np.array(["2024-01-10T07", "2024-07-10T06"], "datetime64[us]")
    hour = calendar_features(times, Step(3_600_000_000, "microsecond"), "Europe/Berlin")[:, :2]
    assert np.allclose(hour, [np.sin(2 * np.pi / 3), np.cos(2 * np.pi / 3)], atol=1e-6)
    assert calendar_features(np.arange(3), Step(1, "count")).shape == (3, 0)


def test_windows_are_filled_by_themselves():
    none = np.nan
    windows = np.float32([[none, 2, none, none, 8, none], [1, 2, 3, 4, 5, 6], [none] * 6])
    forward, line, zero = (fill_windows(windows, how) for how in ("forward", "interpolate", "zero"))
    assert forward[0].tolist() == [2, 2, 2, 2, 8, 8] and line[0].tolist() == [2, 2, 4, 6, 8, 8]
    assert zero[0].tolist() == [0, 2, 0, 0, 8, 0] and zero[2].tolist() == [0] * 6
    for filled in (forward, line):
        assert (filled[1] == windows[1]).all() and np.isnan(filled[2]).all() and filled.dtype == np.float32
    assert fill_windows(windows, "none") is windows
    for place in range(6):
        # What comes after the window's end changes nothing in it.
        begun = fill_windows(windows[0, : place + 1], "interpolate")
        assert np.isnan(begun).all() or begun[-1] == forward[0, place]
