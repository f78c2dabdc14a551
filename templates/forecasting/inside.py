"""What the forecaster does with a history: its states, and which parts of the window the forecast rests on."""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from data.errors import BadLines, UserError
from data.series.reading import read_series
from data.series.rows import Series
from data.sources.source import Source
from rnn_layers.watching import watching
from training.pages.inside import Look
from training.pages.parts import Curves, Matrix, Part, Table
from training.pages.states import hidden, lanes_of, norms
from training.pages.unrolled import Bars, Labels, States, Unrolled
from training.runs.folder import RunFolder
from training.saved_model import in_float32

from . import pipeline, serving
from .config import Config
from .evaluate import COMPARED_BY
from .model import answer

MOST_EXAMPLES = 6


class History(NamedTuple):
    """A series of a file.

    Args:
        series: All of the file.
        row: Which of them.
    """

    series: Series
    row: int


def examples(run: RunFolder) -> list[Part]:
    """The series of the validation split that the network forecasts best, and worst."""
    file, cell = run.path / "series_validation.csv", run.read_record().config["cell"]
    if not file.is_file():
        return []
    with open(file, newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["method"] == cell and row[COMPARED_BY]]
    rows.sort(key=lambda row: float(row[COMPARED_BY]))
    cells = [list(row.values()) for row in rows]
    headings, note = list(rows[0]) if rows else [], f"All stand in {file.name}, other methods beside them."
    best, worst = cells[:MOST_EXAMPLES], cells[::-1][:MOST_EXAMPLES]
    return [Table("Best series", headings, best, note), Table("Worst series", headings, worst)] if rows else []


def typical_inputs(source: Source, config: Config) -> list[History]:
    """Up to three series, where the validation split ends."""
    series = pipeline.open_source(config, source).read(["validation"])["validation"]
    rows = dict.fromkeys(round(place * (len(series) - 1)) for place in (0, 0.5, 1))
    return [History(_without_future(series, config), row) for row in rows]


def _without_future(series: Series, config: Config) -> Series:
    """The series without their last steps, of which what is known beforehand stays."""
    targets = [target[: len(target) - config.horizon] for target in series.targets]
    return Series(series.names, series.times, targets, series.begins, series.future, series.static)


class Inside:
    """A run's forecaster, loaded to be looked into.

    Args:
        run: The run's folder.
        config: The run's configuration.

    Example:
        Inside(run, config).look("history.csv").answer   # "shop 1: 28 steps ahead, 102.3 to 131.8"
    """

    def __init__(self, run: RunFolder, config: Config):
        self.model, self.learned = in_float32(serving.load_model(run)), pipeline.Learned.of_run(run)
        self.config = config

    def look(self, given: str | History) -> Look:
        """Forecasts what follows the first series of a file that can be answered, and keeps what led to the forecast.

        L is the mean of the forecast over the horizon.
        """
        name = given if isinstance(given, str) else given.series.names[given.row]
        try:
            history = self._first(given) if isinstance(given, str) else given
        except (UserError, OSError) as error:
            return Look(name, "", error=str(error))
        series, row = history
        if problem := serving.problem_of(self.config, series, row):
            return Look(name, "", error=f"series {series.names[row]}: {problem}")
        inputs, (times,) = serving.ask(self.learned, self.config, series, [row])
        window = tf.constant(inputs["window"])
        size, past = self.config.segment, self.config.window // self.config.segment
        with tf.GradientTape(persistent=True) as tape, watching() as calls:
            tape.watch(window)
            found = answer(self.model, window, tf.constant(inputs["covariates"]), tf.constant(inputs["static"]))
            forecast = found["forecast"][0]
            mean = tf.reduce_mean(forecast)
            starts = range(0, self.config.horizon, size)
            by_segment = [tf.reduce_mean(forecast[start : start + size]) for start in starts]
            last = 0.5 * tf.reduce_sum(hidden(calls[0])[-1] ** 2)
        gradient = norms(tape.gradient(mean, hidden(calls[0])))
        slopes = np.stack([tape.gradient(one, window)[0].numpy() for one in by_segment])
        segments, ahead = [f"s_{number + 1}" for number in range(past)], [f"o_{j + 1}" for j in range(len(starts))]
        note = "How much the mean of the row's segment rises where all of the column's segment is 1 higher."
        values = inputs["window"][0]
        lanes = [
            *lanes_of(calls[0], "h_k", gradient),
            Bars("mean of s_k", values.reshape(past, size).mean(axis=1).tolist()),
            Labels("s_k", segments),
        ]
        after = np.concatenate([np.asarray(state) for state in hidden(calls[1])])
        decoder = [
            Bars("mean of o_j", [float(one) for one in by_segment]),
            States("h_n+j", after),
            Labels("o_j", ahead),
        ]
        parts: list[Part] = [
            _drawn(values, forecast.numpy(), found, self.config),
            Matrix("Which segments count", ahead, segments, slopes.reshape(len(starts), past, size).sum(axis=2), note),
            Unrolled("The encoder, unrolled", lanes, past, f"Each column is a segment of {size} steps of the window."),
            Unrolled("The decoder, unrolled", decoder, len(starts), f"Each column is {size} steps of the horizon."),
        ]
        low, high = float(tf.reduce_min(forecast)), float(tf.reduce_max(forecast))
        told = f"{series.names[row]}: {len(times):,} steps ahead, {low:.4g} to {high:.4g}"
        fading = {
            "the mean of the forecast": gradient,
            "half the squared length of the last state": norms(tape.gradient(last, hidden(calls[0]))),
        }
        return Look(name, told, parts, fading, asked=inputs)

    def _first(self, path: str) -> History:
        reading, bad_lines = pipeline.reading_of(self.config), BadLines(self.config.skip_bad_lines)
        paths = [Path(path), *([Path(self.config.future)] if self.config.future else [])]
        series = read_series(paths, reading, bad_lines, self.learned.columns).series
        rows = [row for row in range(len(series)) if not serving.problem_of(self.config, series, row)]
        return History(series, rows[0] if rows else 0)


def _drawn(window: np.ndarray, forecast: np.ndarray, found: dict, config: Config) -> Curves:
    """The window, the forecast, and its least and largest quantile, by steps before and after now."""
    lines = {
        "history": list(zip(range(1 - len(window), 1), window.tolist())),
        "forecast": list(enumerate(forecast.tolist(), start=1)),
    }
    if len(config.levels) > 1:
        for place in (0, -1):
            quantile = found["quantiles"][0, :, place].numpy().tolist()
            lines[f"{config.levels[place]:g} quantile"] = list(enumerate(quantile, start=1))
    return Curves("History and forecast", "steps from now", lines, marks={0.5: "now"})
