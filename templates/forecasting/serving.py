"""From a history to its future: the saved model, the exported signature, and what `predict` does."""

import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from data.errors import BadLines, UserError
from data.files import content_suffix
from data.series.filling import fill_windows
from data.series.reading import next_times, read_series, times_as_written
from data.series.rows import Series
from data.tables.table_writer import TableWriter
from data.writing import replacing
from rnn_layers.portable import portable
from training.commands.unanswered import Unanswered
from training.model_file import load_model_file
from training.runs.folder import RunFolder
from training.saved_model import in_float32, write_saved_model

from .baselines import LinearMap
from .config import Config
from .model import CELLS
from .pipeline import Learned, reading_of

SERIES_AT_A_TIME = 256


def save(path: Path, forecaster: keras.Model) -> None:
    """Writes `model.keras`: windows in their units in, with what is known beforehand; forecasts in the same units out.

    Example:
        keras.models.load_model("runs/mine/model.keras")({"window": window, "covariates": covariates})["forecast"]
    """
    with replacing(path) as temporary:
        forecaster.save(temporary)


def load_model(run: RunFolder) -> keras.Model:
    """Loads a run's `model.keras`: what `save` wrote."""
    return load_model_file(run.model_file, CELLS.values())


def save_linear_map(run: RunFolder, linear: LinearMap) -> None:
    """Keeps the linear map of the window, which `evaluate` compares with, in `linear_map.npy`."""
    stream = io.BytesIO()
    np.save(stream, linear.weights)
    with replacing(run.path / "linear_map.npy") as temporary:
        temporary.write_bytes(stream.getvalue())


def load_linear_map(run: RunFolder) -> LinearMap:
    """Loads what `save_linear_map` kept.

    Raises:
        UserError: The file is missing or damaged.
    """
    try:
        return LinearMap(np.load(run.path / "linear_map.npy", allow_pickle=False))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{run.path / 'linear_map.npy'}: missing or damaged ({error}); --restart trains anew"
        ) from error


@dataclass(frozen=True)
class Answering:
    """What `load` gives.

    Args:
        forecast: The function of `as_functions`.
        learned: What the run learned of its training rows.
        config: The run's configuration; says how files are read, and where `future` stands.
    """

    forecast: object
    learned: Learned
    config: Config


def load(run: RunFolder, config: Config) -> Answering:
    """Loads a run's model for `predict`."""
    learned = Learned.of_run(run)
    return Answering(as_functions(load_model(run), config)["serving_default"], learned, config)


def as_functions(model: keras.Model, config: Config) -> dict:
    """The model as traced functions that compute in float32, under the names of their signatures.

    Args:
        model: What `load_model` gave.
        config: The run's configuration.

    Returns:
        `serving_default`: `window` (batch, window) and, where the model has them, `covariates` (batch, window +
        horizon, covariates) and `static` (batch, covariates), float32 in their units -> `forecast` (batch, horizon)
        and, where there are any, `quantiles` (batch, horizon, quantiles), in the units of the window, and `levels`
        (quantiles,), which these are.
        `start`: the same -> the same, and the states of a stream, `state_1` and so on.
        `step`: `value` (batch,), the next one, where there are covariates `known` (batch, covariates), those of the
        step that is now the horizon's last, and the states before -> as `serving_default`, and the states after. A
        value that is NaN is filled where `config.fill` says so, from what came before it; `start` fills nothing.
    """
    model = in_float32(model)
    inputs = {name: tf.TensorSpec([None, *one.shape[1:]], tf.float32, name=name) for name, one in model.input.items()}
    states = {name: f"state_{number}" for number, name in enumerate(inputs, start=1)}
    before = [tf.TensorSpec(spec.shape, tf.float32, name=states[name]) for name, spec in inputs.items()]
    coming = {"window": tf.TensorSpec([None], tf.float32, name="value")}
    if "covariates" in inputs:
        coming["covariates"] = tf.TensorSpec([None, inputs["covariates"].shape[-1]], tf.float32, name="known")

    @tf.function(input_signature=list(inputs.values()), autograph=False)
    def serving_default(*given):
        found = model(dict(zip(inputs, given, strict=True)), training=False)
        return {**found, "levels": tf.constant(config.levels)} if config.levels else found

    @tf.function(input_signature=list(inputs.values()), autograph=False)
    def start(*given):
        return serving_default(*given) | dict(zip(states.values(), given, strict=True))

    @tf.function(input_signature=[*coming.values(), *before], autograph=False)
    def step(*given):
        new, given = dict(zip(coming, given)), dict(zip(inputs, given[len(coming) :], strict=True))
        if config.fill != "none":
            last = tf.zeros_like(new["window"]) if config.fill == "zero" else given["window"][:, -1]
            new["window"] = tf.where(tf.math.is_nan(new["window"]), last, new["window"])
        given |= {name: tf.concat([given[name][:, 1:], one[:, tf.newaxis]], axis=1) for name, one in new.items()}
        return start(*given.values())

    return {"serving_default": serving_default, "start": start, "step": step}


@dataclass(frozen=True)
class Forecast:
    """The answer for a series: its name, the times ahead as its file writes them, and what is forecast for them.

    Args:
        name: Of the series.
        times: (horizon,).
        forecast: (horizon,).
        quantiles: (horizon, quantiles).
        problem: Why there is none, or "".
    """

    name: str
    times: list[str]
    forecast: list[float]
    quantiles: list[list[float]]
    problem: str = ""

    def rows(self, levels: tuple[float, ...]) -> Iterator[dict]:
        """A row for each step ahead: `unique_id`, `ds`, `forecast`, and a column for each quantile, such as `q0.9`."""
        names = [f"q{level:g}" for level in levels]
        for time, point, quantiles in zip(self.times, self.forecast, self.quantiles, strict=True):
            yield {"unique_id": self.name, "ds": time, "forecast": point, **dict(zip(names, quantiles, strict=True))}


def forecasts_of(answering: Answering, path: Path) -> Iterator[Forecast]:
    """Forecasts what follows each series of a file.

    Args:
        answering: What `load` gave.
        path: The file; what its rows, or those of `config.future`, know of the time after a series' last target is
            known beforehand.

    Yields:
        A forecast for each series, in the order of the file.

    Raises:
        UserError: A file cannot be read.
    """
    config, columns = answering.config, answering.learned.columns
    paths = [path, *([Path(config.future)] if config.future else [])]
    series = read_series(paths, reading_of(config), BadLines(config.skip_bad_lines), columns).series
    for start in range(0, len(series), SERIES_AT_A_TIME):
        some = range(start, min(start + SERIES_AT_A_TIME, len(series)))
        problems = [problem_of(config, series, row) for row in some]
        usable = [row for row, problem in zip(some, problems, strict=True) if not problem]
        found = iter(_answer(answering, series, usable) if usable else ())
        for row, problem in zip(some, problems, strict=True):
            yield Forecast(series.names[row], [], [], [], problem) if problem else next(found)


def problem_of(config: Config, series: Series, row: int) -> str:
    """Why a series cannot be answered, or ""."""
    targets, future = series.targets[row], series.future[row]
    if len(targets) < config.window:
        return f"{len(targets):,} steps of history, and the model looks at {config.window:,}"
    if not np.isfinite(fill_windows(targets[-config.window :], config.fill)).all():
        return f"a value is missing among the last {config.window:,}; --fill forward, zero or interpolate fills it"
    ahead = len(future) - len(targets)
    if future.shape[1] and ahead < config.horizon:
        known = f"{config.future_columns} known for {ahead:,} steps ahead"
        return f"{known}, and {config.horizon:,} are forecast; --future FILE tells more"
    return ""


def ask(learned: Learned, config: Config, series: Series, rows: list[int]) -> tuple[dict[str, np.ndarray], list]:
    """What a model is given to forecast what follows some series.

    Args:
        learned: What the run learned of its training rows.
        config: The run's configuration.
        series: Histories, and what is known beforehand.
        rows: Of which series; `problem_of` has no problem with them.

    Returns:
        The inputs by their names, and the times ahead of each, as its file writes them.
    """
    columns = learned.columns
    times, windows, covariates = [], [], []
    for row in rows:
        length = len(series.targets[row])
        past = series.times[row][:length]
        ahead = next_times(past, columns.step, config.horizon)
        around = np.concatenate([past[-config.window :], ahead])
        known = series.future[row][length - config.window : length + config.horizon]
        covariates.append(learned.known_beforehand(around, known))
        times.append(times_as_written(ahead, columns))
        windows.append(fill_windows(series.targets[row][-config.window :], config.fill))
    given = {"window": windows, "covariates": covariates, "static": [series.static[row] for row in rows]}
    return {name: np.stack(values).astype(np.float32) for name, values in given.items()}, times


def _answer(answering: Answering, series: Series, rows: list[int]) -> Iterator[Forecast]:
    given, times = ask(answering.learned, answering.config, series, rows)
    wanted = [one.name for one in answering.forecast.input_signature]
    found = answering.forecast(*(tf.constant(given[name]) for name in wanted))
    points = found["forecast"].numpy()
    quantiles = found["quantiles"].numpy() if "quantiles" in found else np.zeros([*points.shape, 0])
    for place, row in enumerate(rows):
        yield Forecast(series.names[row], times[place], points[place].tolist(), quantiles[place].tolist())


def predict(answering: Answering, paths: list[str]) -> list[dict]:
    """Forecasts what follows in files.

    Args:
        answering: What `load` gave.
        paths: The files, each with histories as `predict_file` reads them.

    Returns:
        Of each, in order: `file` and `forecasts`, a list of rows as `Forecast.rows` gives them; and `error`, the
        first problem, where there is any.
    """
    answers = []
    for path in paths:
        answer: dict = {"file": path, "forecasts": []}
        try:
            for found in forecasts_of(answering, Path(path)):
                answer["forecasts"] += found.rows(answering.config.levels)
                if found.problem:
                    answer.setdefault("error", f"series {found.name}: {found.problem}")
        except (UserError, OSError) as error:
            answer["error"] = str(error)
        answers.append(answer)
    return answers


def as_line(answer: dict) -> str:
    """An answer as a table of the rows, its columns separated by tabs; nothing where there is none."""
    rows = answer.get("forecasts", [])
    lines = [list(rows[0])] if rows else []
    lines += [[f"{value:.6g}" if isinstance(value, float) else str(value) for value in row.values()] for row in rows]
    return "\n".join("\t".join(line) for line in lines)


def predict_file(answering: Answering, config: Config, path: Path, output: Path | None, as_json: bool) -> None:
    """Forecasts what follows each series of a file.

    Args:
        answering: What `load` gave.
        config: Says how the file is read, and what else is known of the future.
        path: The file.
        output: Where to, a row for each series and step ahead: `unique_id`, `ds`, `forecast`, and the quantiles; None
            prints them.
        as_json: Write an object per row.

    Raises:
        UserError: The file cannot be read; `output` is as it was then.
        UserError: After everything: some series are too short, or lack a value; they have no rows.
    """
    unanswered, count = Unanswered(), 0
    kind = ".jsonl" if as_json else ".csv"
    named = output and content_suffix(output) in (".csv", ".tsv", ".jsonl")
    with TableWriter(output or sys.stdout, format=None if named else kind) as writer:
        for found in forecasts_of(answering, path):
            if found.problem:
                unanswered.report(f"{path}: series {found.name}", found.problem)
                continue
            count += 1
            for row in found.rows(config.levels):
                writer.write(row)
    if output:
        print(f"{output}: {count:,} series, {config.horizon:,} steps ahead each", file=sys.stderr)
    unanswered.check()


def export(run: RunFolder, config: Config, folder: Path) -> None:
    """Writes a SavedModel that needs TensorFlow alone; its signatures are those of `as_functions`.

    Args:
        run: The run's folder.
        config: The run's configuration.
        folder: Where to; it appears whole or not at all.

    Raises:
        OSError: The disk is full, or the folder cannot be written to.
    """
    # Portable: the model may have been trained with cuDNN or XLA, and will be served where neither is.
    with portable():
        model = load_model(run)
        inputs = {name: np.zeros([1, *one.shape[1:]], np.float32) for name, one in model.input.items()}
        write_saved_model(folder, model, lambda model: as_functions(model, config), {"serving_default": inputs})
