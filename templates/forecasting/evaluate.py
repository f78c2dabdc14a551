"""How far a model is off on a split, for each series and each step ahead, and how far methods without a network are."""

from dataclasses import dataclass, replace

import keras
import numpy as np
import tensorflow as tf

from data.errors import UserError
from data.sources.source import Source
from training.runs.folder import RunFolder

from . import pipeline, serving
from .baselines import LinearMap, drift, naive, seasonal_naive
from .config import Config
from .metrics import Errors
from .model import answer, losses_of

# Windows per step: no gradient is kept, so there is room for more than in training.
BATCH = 512
# The windows that the linear map is fitted to, at most, evenly taken from all.
MOST_WINDOWS = 200_000
# By which figure a method is said to be better.
COMPARED_BY = "mae_scaled"


@dataclass(frozen=True)
class Measured:
    """What `measure` found.

    Args:
        loss: The mean of `losses_of` over all targets.
        metrics: The figures of `metrics.Errors`, in all.
        errors: The errors that they come from.
    """

    loss: float
    metrics: dict[str, float | None]
    errors: Errors


def make_predict_step(model: keras.Model, config: Config, examples: pipeline.Examples):
    """Makes the function of a batch that gives the forecasts, the quantiles (of none, 0 of them) and the loss' sum."""

    @tf.function(input_signature=pipeline.batch_signature(config, examples), autograph=False)
    def predict_step(windows, covariates, static, targets, units):
        found = answer(model, windows, covariates, static)
        loss = tf.reduce_sum(losses_of(config, found, targets, units))
        return found["forecast"], found.get("quantiles", tf.zeros([*tf.unstack(tf.shape(targets)), 0])), loss

    return predict_step


def measure(predict_step, config: Config, examples: pipeline.Examples) -> Measured:
    """Measures a model on a split.

    Args:
        predict_step: What `make_predict_step` gave.
        config: The run's configuration.
        examples: The split.

    Returns:
        What was found; see `Measured`.
    """
    errors, loss, count = Errors(len(examples.series), config.horizon, config.levels), 0.0, 0
    for chosen in _in_order(examples):
        batch = pipeline.make_batch(config, examples, chosen, BATCH)
        forecasts, quantiles, batch_loss = predict_step(*map(tf.constant, batch))
        kept = slice(len(chosen))
        errors.add(examples.rows[chosen], batch[3][kept], forecasts.numpy()[kept], quantiles.numpy()[kept])
        loss += float(batch_loss)
        count += int(np.isfinite(batch[3]).sum())
    return Measured(loss / count, errors.total(examples.scales), errors)


def _in_order(examples: pipeline.Examples) -> list[np.ndarray]:
    order = np.arange(len(examples))
    return [order[start : start + BATCH] for start in range(0, len(order), BATCH)]


def fit_linear_map(config: Config, training: pipeline.Examples) -> LinearMap:
    """Fits the linear map of the window to the training windows."""
    chosen = np.unique(np.linspace(0, len(training) - 1, MOST_WINDOWS).astype(int))
    parts = [chosen[start : start + BATCH] for start in range(0, len(chosen), BATCH)]
    batches = (pipeline.make_batch(config, training, part, len(part)) for part in parts)
    return LinearMap.fit((windows, targets, units) for windows, _, _, targets, units in batches)


def baselines(config: Config, season: int, linear: LinearMap) -> dict:
    """The methods that a model is compared with: a name -> a function of windows (batch, window)."""
    return {
        "naive": lambda windows: naive(windows, config.horizon),
        "seasonal naive": lambda windows: seasonal_naive(windows, config.horizon, season),
        "drift": lambda windows: drift(windows, config.horizon),
        "linear map": linear.forecast,
    }


def measure_baselines(config: Config, methods: dict, examples: pipeline.Examples) -> dict[str, Errors]:
    """The errors of methods on a split: what `baselines` gave -> their errors."""
    errors = {name: Errors(len(examples.series), config.horizon, ()) for name in methods}
    for chosen in _in_order(examples):
        windows, _, _, targets, _ = pipeline.make_batch(config, examples, chosen, len(chosen))
        for name, method in methods.items():
            errors[name].add(examples.rows[chosen], targets, method(windows))
    return errors


def compared(config: Config, result: Measured, others: dict[str, Errors], examples: pipeline.Examples) -> dict:
    """The figures in all of a model and of other methods: a method's name -> its figures."""
    figures = {config.cell: result.metrics, **{name: one.total(examples.scales) for name, one in others.items()}}
    return {name: {metric: found.get(metric) for metric in result.metrics} for name, found in figures.items()}


def verdict(figures: dict[str, dict]) -> str:
    """Whether the first method is better than all the others, in a sentence that names the best of those."""
    (mine, found), *others = [(name, one[COMPARED_BY]) for name, one in figures.items()]
    others = [(other, name) for name, other in others if other is not None]
    if found is None or not others:
        return "no series varies enough to compare methods"
    best, name = min(others)
    how = "better than" if found < best else "NO BETTER than"
    return f"{mine} is {how} the best method without a network, {name}, by {COMPARED_BY} ({found:.4f}, {best:.4f})"


def evaluate(run: RunFolder, config: Config, source: Source, split: str | None) -> dict:
    """Measures a run's model on a split of any source: the verb `evaluate`.

    Args:
        run: The run's folder.
        config: The run's configuration; its fields about reading fit the source.
        source: Where the data comes from.
        split: The split's name. None: "test" where there is one; a single file other than the run's is taken whole.

    Returns:
        `data`, `split`, `rows` (windows), `metrics`; `compared`, those of each method; `per_horizon`; `bad_lines`, a
        sentence about those left out; `notes`, what else is to be told about the data: a dictionary of sentences; and
        `tables`, with `config.rolling` origins what `rolling_origins` gives: a title -> rows.

    Raises:
        UserError: There is no such split, nothing in it is long enough, or it has fewer origins.
    """
    model, learned = serving.load_model(run), pipeline.Learned.of_run(run)
    own = source.fingerprint == run.read_record().source.fingerprint
    opened = pipeline.open_as_learned(config, source, learned.columns)
    split = split or opened.to_evaluate(own)
    examples = pipeline.make_examples(config, opened.read([split])[split], learned)
    rolling_numbers(config, examples)
    predict_step = make_predict_step(model, config, examples)
    result = measure(predict_step, config, examples)
    methods = baselines(config, learned.season, serving.load_linear_map(run))
    figures = compared(config, result, measure_baselines(config, methods, examples), examples)
    rolling = rolling_origins(predict_step, config, methods, examples) if config.rolling else {}
    notes = {"read": pipeline.describe(examples), **opened.notes, "compared": verdict(figures)}
    return {
        "data": source.name,
        "split": split,
        "rows": len(examples),
        "metrics": result.metrics,
        "compared": figures,
        "per_horizon": by_step(result.errors, examples),
        "tables": {f"rolling origins, {config.horizon:,} steps apart": rolling} if rolling else {},
        "bad_lines": opened.bad_lines.summary(),
        "notes": {name: said for name, said in notes.items() if said},
    }


def rolling_origins(predict_step, config: Config, methods: dict, examples: pipeline.Examples) -> dict[str, dict]:
    """Measures the forecasts of `config.rolling` origins, a horizon apart, back from the end of each series.

    Args:
        predict_step: What `make_predict_step` gave.
        config: The run's configuration.
        methods: What `baselines` gave.
        examples: The split.

    Returns:
        The figures of all of them together, of the model and of each method; and of each, the last one first.
    """
    number = rolling_numbers(config, examples)

    def select(chosen: np.ndarray) -> pipeline.Examples:
        return replace(examples, origins=examples.origins[chosen], rows=examples.rows[chosen])

    found = {}
    for origin in range(1, config.rolling + 1):
        if (chosen := number == origin).any():
            metrics = measure(predict_step, config, select(chosen)).metrics
            found[f"{origin * config.horizon:,} steps before the end"] = metrics
    every = select(number > 0)
    together = compared(config, measure(predict_step, config, every), measure_baselines(config, methods, every), every)
    return {f"all, {name}": figures for name, figures in together.items()} | found


def rolling_numbers(config: Config, examples: pipeline.Examples) -> np.ndarray:
    """Of each example, 1 for the last rolling origin of its series, 2 for the one before, and so on; 0 for all others.

    Raises:
        UserError: No series has `config.rolling` of them.
    """
    ends = np.cumsum([len(targets) for targets in examples.series.targets])
    number, rest = np.divmod(ends[examples.rows] - examples.origins, config.horizon)
    most = int(number[rest == 0].max(initial=0))
    if config.rolling > most:
        apart = f"{config.horizon:,} steps apart"
        raise UserError(f"--rolling {config.rolling}: the split has room for {most} origins {apart}")
    return np.where((rest == 0) & (number <= config.rolling), number, 0)


def by_step(errors: Errors, examples: pipeline.Examples) -> dict[str, list[float | None]]:
    """A figure's name -> its values at 1, 2, ... steps ahead."""
    found = errors.per_horizon(examples.scales)
    return {name: [None if np.isnan(one) else one for one in values.tolist()] for name, values in found.items()}
