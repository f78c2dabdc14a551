"""What a sentiment run can be told: one field per flag; the comment above a field is its help text."""

from dataclasses import dataclass
from typing import Annotated, Literal

from data.tables.dialect import Layout
from training.configuration import CAME_LATER, RunName, Share, at_least, at_most, below, check_bounds, more_than

# What `--data auto` stands for: the benchmark set where it is to be had, else the bundled sample.
BENCHMARK, SAMPLE = "imdb_reviews", "sentiment"

# What a user may type first: `predict RUN ...`.
EXAMPLE_INPUT = '"Not bad at all, in fact rather good."'

# Whether an input of `predict` is the path of a file, or a folder of them, instead of a text.
INPUTS_ARE_FILES = False

# Whether oneDNN is to compute its products and convolutions in `run` and `evaluate` (see `import_tensorflow`).
USES_ONEDNN = False

# Fields about reading a file; `evaluate` and `predict` take them too, for a file that looks different.
READING = ("text_column", "label_column", "delimiter", "header", "encoding", "skip_bad_lines")

# Fields about how an answer is found: none.
ANSWERING = ()

# Fields that fix the shapes of the weights: two runs that agree in them can exchange weights.
ARCHITECTURE = ("cell", "units", "layers", "directions", "embedding_size", "pooling")


@dataclass(frozen=True)
class Config:
    """The fields of a sentiment run."""

    # --- Data ---

    # auto, sample, imdb_reviews, hf:OWNER/NAME[/CONFIGURATION][@REVISION] (a data set of the Hugging Face hub), or a
    # path: a table (.jsonl, .csv, .tsv, .json, or .txt with tabs, plain, .gz or .xz; or .parquet), or a folder of
    # train / validation / test tables
    data: str = "auto"
    # the column that holds the text: its name, or its number from 1
    text_column: str = "auto"
    # the column that holds the label: its name, or its number from 1
    label_column: str = "auto"
    # what separates the columns of a .csv or .tsv file: comma, tab, semicolon, bar, or auto: what its first lines show
    delimiter: Annotated[str, CAME_LATER] = "auto"
    # whether the first line of a .csv or .tsv file names the columns; by default what its first lines show
    header: Annotated[bool | None, CAME_LATER] = None
    # the files' encoding
    encoding: str = "utf-8"
    # leave bad lines out, and count them, instead of stopping at the first
    skip_bad_lines: bool = False
    # the share of the training rows to validate on, where the data has no validation split
    validation_fraction: Annotated[float, more_than(0), below(1)] = 0.1
    # ids for words, most frequent first, padding and unknown included
    vocabulary_size: Annotated[int, at_least(3)] = 20_000
    # words read per text
    maximum_length: Annotated[int, at_least(1)] = 400
    # which words of a longer text are read: its end, its start, or half from each
    keep: Literal["end", "start", "both"] = "both"

    # --- Network ---

    # the length of a word's vector
    embedding_size: Annotated[int, at_least(1)] = 128
    # the recurrent cell
    cell: Literal["simple_rnn", "gru", "lstm"] = "gru"
    # the length of the state h, per direction
    units: Annotated[int, at_least(1)] = 64
    # recurrent layers, one on top of the other
    layers: Annotated[int, at_least(1)] = 1
    # read the text in both directions, or forward only
    directions: Literal["both", "forward"] = "both"
    # what the label is read from: the mean and the maximum of all states, or the last state
    pooling: Literal["mean_max", "last"] = "mean_max"

    # --- Training ---

    # passes over the training rows, at most
    epochs: Annotated[int, at_least(1)] = 10
    # rows per step, over all replicas together
    batch_size: Annotated[int, at_least(1)] = 64
    # Adam's learning rate at the first step
    learning_rate: Annotated[float, more_than(0)] = 2e-3
    # steps in which the learning rate halves; 0 keeps it as it is
    learning_rate_half_life: Annotated[int, at_least(0)] = 1000
    # what is validated and saved is the average of the weights over about the last 1 / (1 - this) steps; 0: the last
    # weights
    weight_average: Share = 0.998
    # the largest global norm of a step's gradient
    clip_norm: Annotated[float, more_than(0)] = 1.0
    # the share of words that are taken for unknown in training
    word_dropout: Share = 0.3
    # the share of each text's embedding channels that is dropped in training
    embedding_dropout: Share = 0.5
    # the share of the pooled states that is dropped in training
    output_dropout: Share = 0.5
    # the share of a row's label that is spread over all labels in training
    label_smoothing: Share = 0.1
    # loss weights: none, balanced (each class counts the same), or "label=weight,label=weight"
    class_weights: str = "none"
    # the validation metric that chooses the best epoch; of equal ones the validation loss does
    best_by: Literal["accuracy", "macro_f1", "loss"] = "accuracy"
    # stop after this many epochs in a row without a better one; 0 never stops early
    patience: Annotated[int, at_least(0)] = 3
    # start from another run's weights: a run folder, of this template, whose vocabulary is kept, or of a language model
    initialize_from: RunName = None

    # --- Run ---

    # seeds the weights, the order of the rows and dropout
    seed: Annotated[int, at_least(0), at_most(2**31 - 1)] = 0
    # float32, mixed_bfloat16, or auto: mixed_bfloat16 on a GPU that computes in it
    precision: Literal["auto", "float32", "mixed_bfloat16"] = "auto"
    # one device, mirrored over several, or auto: mirrored where there are several GPUs
    strategy: Literal["auto", "one", "mirrored"] = "auto"
    # compile forward and gradient with XLA; auto is off
    jit: Literal["auto", "on", "off"] = "auto"
    # steps between checkpoints, there is one at an epoch's end too; fewer where they would take over 2% of the time
    checkpoint_steps: Annotated[int, at_least(1)] = 100

    def __post_init__(self):
        check_bounds(self)
        Layout(self.delimiter)
