"""The bundled sales: they are what their generator writes, and what was planned decides what last week cannot tell."""

import runpy

import numpy as np

from data.series.columns import Reading
from data.series.opening import Split
from data.series.reading import ReadSeries, read_series
from data.sources.source import SAMPLES

FOLDER = SAMPLES / "forecasting"
HORIZON = 28


def read_sample() -> ReadSeries:
    return read_series([FOLDER / "train.csv"], Reading(future_columns="promotion,event", static_columns="kind"))


def test_generator_reproduces_the_committed_bytes(tmp_path):
    runpy.run_path(str(FOLDER / "make" / "write_sales.py"))["write"](tmp_path)
    assert (tmp_path / "train.csv").read_bytes() == (FOLDER / "train.csv").read_bytes()
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 1_000_000


def test_sample_is_read_whole():
    read = read_sample()
    series = read.series
    assert len(series) == 12 and {len(targets) for targets in series.targets} == {1096}
    assert {len(times) for times in series.times} == {1096 + HORIZON}
    assert str(read.columns.step) == "1 day" and "missing" not in read.notes
    assert read.columns.future == (("promotion", None), ("event", "closed"), ("event", "fair"), ("event", "none"))
    assert [word for _, word in read.columns.static] == ["bakery", "garden", "toys"]
    assert min(targets.min() for targets in series.targets) == 0


def test_last_week_does_not_know_what_was_planned():
    """`pytest tests/data/samples/test_forecasting.py -s` prints the figures that the sample's README tells.

    Mean absolute errors on the last fifth, in the deviations of each series; the sales of 7 days before, and least
    squares of the logarithm by week, year and trend, with what is planned and without.
    """
    errors: dict[str, list[np.ndarray]] = {}
    series = read_sample().series
    for targets, times, future in zip(series.targets, series.times, series.future, strict=True):
        _, begin = Split().ends(len(targets))
        day = times[: len(targets)].astype("datetime64[D]").astype(int)
        angle = 2 * np.pi * day / 365.25
        calendar = np.stack([np.ones(len(day)), (day - day[0]) / 365, np.sin(angle), np.cos(angle)], axis=-1)
        calendar = np.concatenate([calendar, np.eye(7)[day % 7]], axis=-1)
        planned = np.concatenate([calendar, future[: len(targets)]], axis=-1)
        deviation = targets[:begin].std()
        answers = {"7 days before": targets[begin - 7 : -7]}
        for name, features in (("calendar", calendar), ("calendar and plans", planned)):
            learned = np.linalg.lstsq(features[:begin], np.log1p(targets[:begin]), rcond=None)[0]
            answers[name] = np.expm1(features[begin:] @ learned)
        for name, answer in answers.items():
            errors.setdefault(name, []).append(np.abs(answer - targets[begin:]).mean() / deviation)
    means = {name: float(np.mean(values)) for name, values in errors.items()}
    print(means)
    assert means["calendar and plans"] < 0.65 * min(means["calendar"], means["7 days before"])
