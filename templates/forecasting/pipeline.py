"""From a data source to batches: read, lay all series end to end, plan windows, and cut them out."""

from dataclasses import dataclass, replace

import numpy as np

from data.errors import BadLines, UserError
from data.series.calendar import calendar_features, calendar_names
from data.series.columns import Reading, SeriesColumns
from data.series.files import find_tables
from data.series.filling import fill_windows
from data.series.known_datasets import DATASETS
from data.series.opening import OpenedSeries, Split, open_series
from data.series.rows import Series, leave_out_short
from data.sources.source import Source, resolve_source
from training.runs.folder import RunFolder

from .config import BENCHMARK, READING, SAMPLE, SAMPLE_COLUMNS, Config
from .metrics import Scales, scales_of


def find_source(config: Config, to_train: bool = True) -> Source:
    """Finds out what `--data` means, without TensorFlow: a mistake is answered at once.

    Args:
        config: The run's configuration.
        to_train: Whether a folder without a train file is a mistake; to evaluate, a test file is enough.

    Returns:
        The source; the columns that were "auto" are resolved.

    Raises:
        UserError: There is no such data.
    """
    source = resolve_source(
        config.data,
        benchmark=BENCHMARK,
        sample=SAMPLE,
        datasets=DATASETS,
        find=lambda path: find_tables(path, need_train=to_train),
    )
    columns = {
        name: of_sample if source.kind == "sample" else ""
        for name, of_sample in SAMPLE_COLUMNS.items()
        if getattr(config, name) == "auto"
    }
    return replace(source, resolved=columns)


def reading_of(config: Config) -> Reading:
    """How tables are to be read."""
    return Reading(**{name: getattr(config, name) for name in READING if name != "skip_bad_lines"})


def open_source(config: Config, source: Source) -> OpenedSeries:
    """Opens a source: series by split, each cut by time."""
    return open_as_learned(config, source, None)


def open_as_learned(config: Config, source: Source, columns: SeriesColumns | None) -> OpenedSeries:
    """Opens a source, its columns as a run learned them of its training files; None to learn them."""
    split = Split(config.validation_steps, config.test_steps)
    reading = reading_of(replace(config, **source.resolved))
    return open_series(source, reading, BadLines(config.skip_bad_lines), split, columns)


# The calendar's circles, and days that are twice round them: of what was seen once, next time is a guess.
TWICE_ROUND = {"hour": 2, "weekday": 14, "day of month": 62, "day of year": 731}


@dataclass(frozen=True)
class Learned:
    """What a run learns of its training rows besides weights.

    Args:
        columns: Of the files.
        season: Steps of a season.
        circles: Those of the calendar that are known beforehand: the training rows go round them twice.
        series: A series' name -> the standard deviation of its values, and the mean error of the value a season
            before; NaN where it has too little to tell.
    """

    columns: SeriesColumns
    season: int
    circles: list[str]
    series: dict[str, tuple[float, float]]

    @classmethod
    def of(cls, config: Config, columns: SeriesColumns, training: Series) -> "Learned":
        """Learns it."""
        season = config.season or columns.step.season_length
        scales = scales_of(training.targets, season)
        figures = zip(scales.deviation.tolist(), scales.seasonal_error.tolist(), strict=True)
        circles = _circles(columns, training) if config.calendar else []
        return cls(columns, season, circles, dict(zip(training.names, figures, strict=True)))

    def to_json(self) -> dict:
        """What JSON can hold."""
        series = {name: [None if np.isnan(one) else one for one in figures] for name, figures in self.series.items()}
        return {
            "columns": self.columns.to_json(),
            "season": self.season,
            "circles": self.circles,
            "series": series,
        }

    @classmethod
    def from_json(cls, value: dict) -> "Learned":
        """What `to_json` gave."""
        series = {
            name: tuple(np.nan if one is None else one for one in figures) for name, figures in value["series"].items()
        }
        return cls(SeriesColumns.from_json(value["columns"]), value["season"], value["circles"], series)

    @classmethod
    def of_run(cls, run: RunFolder) -> "Learned":
        """What a run learned, from its folder.

        Raises:
            UserError: The file is missing, damaged, or another version's.
        """
        try:
            return cls.from_json(run.read_vocabulary())
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, UserError):
                raise
            raise UserError(
                f"{run.vocabulary_file}: not what this version writes; `run ... --restart` begins anew"
            ) from error

    @property
    def covariates(self) -> list[str]:
        """What is known beforehand, in the order in which `known_beforehand` gives it."""
        words = [name if word is None else f"{name}={word}" for name, word in self.columns.future]
        return [f"{function} of {circle}" for circle in self.circles for function in ("sine", "cosine")] + words

    def known_beforehand(self, times: np.ndarray, future: np.ndarray) -> np.ndarray:
        """What is known beforehand of steps.

        Args:
            times: (steps,) as `Series.times`.
            future: (steps, columns) as `Series.future`.

        Returns:
            (steps, covariates) float32, the calendar first.
        """
        names = calendar_names(self.columns.step)
        places = [2 * names.index(circle) + part for circle in self.circles for part in (0, 1)]
        calendar = calendar_features(times, self.columns.step, self.columns.time_zone)[:, places]
        return np.concatenate([calendar, future.reshape(len(times), -1)], axis=1)

    def scales(self, series: Series) -> Scales:
        """What errors of series are measured by: of those that were not trained on, by their own rows."""
        figures = np.array([self.series.get(name, (np.nan, np.nan)) for name in series.names]).reshape(-1, 2)
        others = [row for row, name in enumerate(series.names) if name not in self.series]
        own = scales_of([series.targets[row] for row in others], self.season)
        figures[others] = np.stack([own.deviation, own.seasonal_error], axis=1)
        return Scales(*figures.T)


def _circles(columns: SeriesColumns, training: Series) -> list[str]:
    names = calendar_names(columns.step)
    if not names:
        return []
    days = max((times[-1] - times[0]) / np.timedelta64(1, "D") for times in training.times)
    return [name for name in names if days >= TWICE_ROUND[name]]


@dataclass(frozen=True)
class Examples:
    """One split: its series end to end, and the places in them from which is forecast.

    Args:
        series: The series.
        values: All their targets, (steps,) float32, NaN where one is missing.
        covariates: What is known beforehand, the calendar first, (steps, covariates) float32.
        static: What is known of each series, (series, covariates) float32.
        units: What each series' errors are divided by in the loss, (series,) float32: its deviation in training.
        scales: What they are measured by.
        origins: The place in `values` of each example's first target, (examples,).
        rows: The series of each, (examples,).
        note: What was left out, or "".
    """

    series: Series
    values: np.ndarray
    covariates: np.ndarray
    static: np.ndarray
    units: np.ndarray
    scales: Scales
    origins: np.ndarray
    rows: np.ndarray
    note: str

    def __len__(self) -> int:
        return len(self.origins)


def make_examples(config: Config, series: Series, learned: Learned) -> Examples:
    """Lays a split's series end to end and finds all windows in them that have a horizon after them to be asked for.

    Args:
        config: The run's configuration.
        series: The split.
        learned: What the run learned of its training rows.

    Raises:
        UserError: No series is long enough, or no window is without a missing value.
    """
    series, note = leave_out_short(series, config.window, config.horizon)
    lengths = np.array([len(targets) for targets in series.targets])
    ends = np.cumsum(lengths)
    firsts = ends - lengths + np.maximum(series.begins, config.window)
    counts = ends - config.horizon + 1 - firsts
    rows = np.repeat(np.arange(len(series)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    origins = np.repeat(firsts, counts) + within
    values = np.concatenate(series.targets)
    known = np.append(0, np.cumsum(np.isfinite(values)))
    seen = known[origins] - known[origins - config.window]
    asked = known[origins + config.horizon] - known[origins]
    usable = (seen >= (config.window if config.fill == "none" else 1)) & (asked > 0)
    if not usable.any():
        advice = "; --fill forward, zero or interpolate fills windows" if config.fill == "none" else ""
        raise UserError(f"each of {len(usable):,} windows of {config.window} steps lacks values{advice}")
    if left_out := len(usable) - int(usable.sum()):
        note = "; ".join(filter(None, [note, f"{left_out:,} windows lack values (--fill {config.fill})"]))
    scales = learned.scales(series)
    # All series at once: there may be 100,000 of them.
    times, future = (
        np.concatenate([row[:length] for row, length in zip(each, lengths, strict=True)])
        for each in (series.times, series.future)
    )
    return Examples(
        series=series,
        values=values,
        covariates=learned.known_beforehand(times, future),
        static=np.stack(series.static),
        units=np.where(scales.deviation > 0, scales.deviation, 1).astype(np.float32),
        scales=scales,
        origins=origins[usable],
        rows=rows[usable],
        note=note,
    )


def describe(examples: Examples) -> str:
    """A split in one line: series, steps that are asked for, windows."""
    lengths = [len(targets) for targets in examples.series.targets]
    asked = sum(lengths) - sum(examples.series.begins)
    note = f" ({examples.note})" if examples.note else ""
    return f"{len(lengths):,} series, {asked:,} values, {len(examples):,} windows{note}"


def plan_epoch(config: Config, examples: Examples, epoch: int) -> list[np.ndarray]:
    """Plans one epoch of training: examples by chance, as a pure function of seed and epoch.

    Returns:
        The examples of each batch, only the last of which may be short.
    """
    random, count = np.random.default_rng([config.seed, epoch]), len(examples)
    order = random.choice(count, min(config.windows_per_epoch or count, count), replace=False)
    return [order[start : start + config.batch_size] for start in range(0, len(order), config.batch_size)]


def batch_signature(config: Config, examples: Examples):
    """The shapes and types of `make_batch`'s tensors."""
    import tensorflow as tf

    steps, covariates, static = config.window + config.horizon, examples.covariates.shape[1], examples.static.shape[1]
    shapes = [[config.window], [steps, covariates], [static], [config.horizon], []]
    return [tf.TensorSpec([None, *shape], tf.float32) for shape in shapes]


def make_batch(config: Config, examples: Examples, chosen: np.ndarray, size: int) -> tuple[np.ndarray, ...]:
    """Cuts one batch.

    Args:
        config: The run's configuration.
        examples: The split.
        chosen: Which examples.
        size: The number of rows is brought to this with the first one again, its targets missing: every batch is of
            one size, which is compiled once.

    Returns:
        Windows (rows, window), covariates of window and horizon (rows, window + horizon, covariates), static covariates
        (rows, covariates), targets (rows, horizon), NaN where they do not count, and the units in which errors count
        (rows,), all float32.
    """
    count = len(chosen)
    chosen = np.concatenate([chosen, np.repeat(chosen[:1], size - count)])
    places = examples.origins[chosen, np.newaxis] + np.arange(-config.window, config.horizon)
    values, rows = examples.values[places], examples.rows[chosen]
    windows, targets = fill_windows(values[:, : config.window], config.fill), values[:, config.window :]
    targets[count:] = np.nan
    return windows, examples.covariates[places], examples.static[rows], targets, examples.units[rows]
