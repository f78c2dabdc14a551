"""What a forecasting run can be told: one field per flag; the comment above a field is its help text."""

from dataclasses import dataclass
from typing import Annotated, Literal

from data.errors import UserError
from data.tables.dialect import Layout
from training.configuration import OF_NO_RUN, Share, at_least, at_most, check_bounds, more_than

# What `--data auto` stands for: there is no benchmark set that can be downloaded, so the bundled sample.
BENCHMARK, SAMPLE = None, "forecasting"

# What the sample knows beforehand, and of each series.
SAMPLE_COLUMNS = {"future_columns": "promotion,event", "static_columns": "kind"}

# What a user may type first: `predict RUN ...`.
EXAMPLE_INPUT = "history.csv"

# Whether an input of `predict` is the path of a file, or a folder of them, instead of a text.
INPUTS_ARE_FILES = True

# Whether oneDNN is to compute its products and convolutions in `run` and `evaluate` (see `import_tensorflow`).
USES_ONEDNN = True

# Fields about reading a file; `evaluate` and `predict` take them too, for a file that looks different.
READING = (
    "id_column", "time_column", "target", "future_columns", "static_columns", "fill", "time_format", "time_zone",
    "delimiter", "header", "encoding", "skip_bad_lines",
)  # fmt: skip

# Fields about how an answer is found; `predict` takes them too.
ANSWERING = ("future", "rolling")


@dataclass(frozen=True)
class Config:
    """The fields of a forecasting run."""

    # --- Data ---

    # auto, sample, or a path: a table of numbers (.csv, .tsv, .parquet, .jsonl; plain, .gz or .xz), a row for each
    # series and time or a column for each series; or a folder of train / validation / test files
    data: str = "auto"
    # the column that names the series; auto: unique_id, item_id, series, id and the like, or none: one series, or one
    # for each target
    id_column: str = "auto"
    # the column of the time stamps; two names, DATE,TIME, are joined; none counts the rows
    time_column: str = "auto"
    # the column to forecast, or several with commas: a series for each; auto: y, target, value, or every column of
    # numbers
    target: str = "auto"
    # columns that are known beforehand, with commas; auto: those of the sample, of other data none
    future_columns: str = "auto"
    # columns that say something of a whole series, with commas; auto: that of the sample, of other data none
    static_columns: str = "auto"
    # what stands in a window where a value is missing: none leaves such windows out, zero takes missing for 0
    fill: Literal["none", "forward", "zero", "interpolate"] = "none"
    # auto, day-first, month-first, or a pattern such as %d.%m.%Y %H:%M
    time_format: str = "auto"
    # such as Europe/Berlin: of stamps without a zone, and of the calendar; by default as they are written
    time_zone: str = ""
    # what separates the columns of a delimited table: comma, tab, semicolon, bar, or auto: what its first lines show
    delimiter: str = "auto"
    # whether the first line of a delimited table names the columns; by default what it says
    header: bool | None = None
    # the files' encoding
    encoding: str = "utf-8"
    # leave bad lines out, and count them, instead of stopping at the first
    skip_bad_lines: bool = False
    # the steps of each series before those of the test to validate on; 0: 20% of them
    validation_steps: Annotated[int, at_least(0)] = 0
    # the last steps of each series to test on; 0: 20% of them
    test_steps: Annotated[int, at_least(0)] = 0
    # steps of a season, of which the seasonal naive forecast and MASE know; 0: what the step of the times suggests
    season: Annotated[int, at_least(0)] = 0

    # --- Network ---

    # how many steps ahead are forecast
    horizon: Annotated[int, at_least(1)] = 28
    # how many steps are looked at
    window: Annotated[int, at_least(2)] = 112
    # steps that the recurrent cell takes as one; it divides --window
    segment: Annotated[int, at_least(1)] = 7
    # the recurrent cell
    cell: Literal["simple_rnn", "gru", "lstm"] = "gru"
    # the length of the state h
    units: Annotated[int, at_least(1)] = 128
    # the segments of the horizon: all at once from the window's last state, or step by step, each from the one before
    decoding: Literal["at_once", "step_by_step"] = "at_once"
    # whether the hour, weekday, day of the month and of the year are among what is known beforehand, where the training
    # rows go round them twice
    calendar: bool = True
    # levels of the quantiles that are forecast besides, ascending, with commas; none: none
    quantiles: str = "0.1,0.5,0.9"

    # --- Training ---

    # passes over the training windows, at most
    epochs: Annotated[int, at_least(1)] = 15
    # windows per step, over all replicas together
    batch_size: Annotated[int, at_least(1)] = 128
    # windows of an epoch, drawn anew for each one; 0: all there are
    windows_per_epoch: Annotated[int, at_least(0)] = 0
    # Adam's learning rate in the first steps
    learning_rate: Annotated[float, more_than(0)] = 2e-3
    # steps in which the learning rate halves; 0 keeps it as it is
    learning_rate_half_life: Annotated[int, at_least(0)] = 500
    # what is validated and saved is the average of the weights over about the last 1 / (1 - this) steps; 0: the last
    # weights
    weight_average: Share = 0.99
    # the largest global norm of a step's gradient
    clip_norm: Annotated[float, more_than(0)] = 1.0
    # the share of the states' channels that is dropped in training
    dropout: Share = 0.2
    # what the point forecast is trained for: the median (mae) or the mean (mse)
    point_loss: Literal["mae", "mse"] = "mae"
    # the validation metric that chooses the best epoch
    best_by: Literal["loss"] = "loss"
    # stop after this many epochs in a row without a better one; 0 never stops early
    patience: Annotated[int, at_least(0)] = 3

    # --- Answer ---

    # with predict: a file of what is known beforehand of the steps to come; empty: the calendar alone, or rows of the
    # history's own file that go on without a target
    future: str = ""
    # with evaluate: besides all windows, so many origins a horizon apart, the last one a horizon before the end of each
    # series, as if one had forecast then and then; 0: none
    rolling: Annotated[int, at_least(0), OF_NO_RUN] = 0

    # --- Run ---

    # seeds the weights, the order of the windows and dropout
    seed: Annotated[int, at_least(0), at_most(2**31 - 1)] = 0
    # float32, mixed_bfloat16, or auto: mixed_bfloat16 on a GPU that computes in it
    precision: Literal["auto", "float32", "mixed_bfloat16"] = "auto"
    # one device, mirrored over several, or auto: mirrored where there are several GPUs
    strategy: Literal["auto", "one", "mirrored"] = "auto"
    # compile forward and gradient with XLA; auto is off
    jit: Literal["auto", "on", "off"] = "auto"
    # steps between checkpoints, there is one at an epoch's end too; fewer where they would take over 2% of the time
    checkpoint_steps: Annotated[int, at_least(1)] = 200

    def __post_init__(self):
        check_bounds(self)
        Layout(self.delimiter)
        if self.window % self.segment:
            raise UserError(f"--window must be a multiple of --segment, got {self.window} and {self.segment}")
        levels = self.levels
        if not all(0 < level < 1 for level in levels) or list(levels) != sorted(set(levels)):
            raise UserError(f"--quantiles must ascend between 0 and 1, got {self.quantiles}")

    @property
    def levels(self) -> tuple[float, ...]:
        """`quantiles` as numbers.

        Raises:
            UserError: One is none.
        """
        try:
            return tuple(float(level) for level in self.quantiles.split(",") if level.strip() not in ("", "none"))
        except ValueError:
            raise UserError(
                f"--quantiles must be numbers with commas, such as 0.1,0.5,0.9, got {self.quantiles}"
            ) from None
