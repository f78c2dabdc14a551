"""What a sentiment run can be told: one field per flag; the comment above a field is its help text."""

from dataclasses import dataclass
from typing import Literal

from training.commands.flags import check_at_least, check_at_most, check_share

# What `--data auto` stands for: the benchmark set where it is to be had, else the bundled sample.
BENCHMARK, SAMPLE = "imdb_reviews", "sentiment"

# What a user may type first: `predict RUN ...`.
EXAMPLE_INPUT = '"Not bad at all, in fact rather good."'

# Whether an input of `predict` is the path of a file, or a folder of them, instead of a text.
INPUTS_ARE_FILES = False

# Fields about reading a file; `evaluate` and `predict` take them too, for a file that looks different.
READING = ("text_column", "label_column", "encoding", "skip_bad_lines")

# Fields about how an answer is found: none.
ANSWERING = ()

# Fields that fix the shapes of the weights: two runs that agree in them can exchange weights.
ARCHITECTURE = ("cell", "units", "layers", "directions", "embedding_size", "pooling")


@dataclass(frozen=True)
class Config:
    """The fields of a sentiment run."""

    # auto, sample, imdb_reviews, or a path: a .jsonl, .csv or .tsv file (plain, .gz or .xz), or a folder of
    # train / validation / test files
    data: str = "auto"
    # the column that holds the text
    text_column: str = "auto"
    # the column that holds the label
    label_column: str = "auto"
    # the files' encoding
    encoding: str = "utf-8"
    # leave bad lines out, and count them, instead of stopping at the first
    skip_bad_lines: bool = False
    # the share of the training rows to validate on, where the data has no validation split
    validation_fraction: float = 0.1
    # ids for words, most frequent first, padding and unknown included
    vocabulary_size: int = 20_000
    # words read per text
    maximum_length: int = 400
    # which words of a longer text are read: its end, its start, or half from each
    keep: Literal["end", "start", "both"] = "both"
    # the recurrent cell
    cell: Literal["simple_rnn", "gru", "lstm"] = "gru"
    # the length of the state h, per direction
    units: int = 64
    # recurrent layers, one on top of the other
    layers: int = 1
    # read the text in both directions, or forward only
    directions: Literal["both", "forward"] = "both"
    # the length of a word's vector
    embedding_size: int = 128
    # what the label is read from: the mean and the maximum of all states, or the last state
    pooling: Literal["mean_max", "last"] = "mean_max"
    # the share of words that are taken for unknown in training
    word_dropout: float = 0.3
    # the share of each text's embedding channels that is dropped in training
    embedding_dropout: float = 0.5
    # the share of the pooled states that is dropped in training
    output_dropout: float = 0.5
    # the share of a row's label that is spread over all labels in training
    label_smoothing: float = 0.1
    # passes over the training rows, at most
    epochs: int = 10
    # rows per step, over all replicas together
    batch_size: int = 64
    # Adam's learning rate at the first step
    learning_rate: float = 2e-3
    # steps in which the learning rate halves; 0 keeps it as it is
    learning_rate_half_life: int = 1000
    # what is validated and saved is the average of the weights over about the last 1 / (1 - this) steps; 0: the last weights
    weight_average: float = 0.998
    # the largest global norm of a step's gradient
    clip_norm: float = 1.0
    # loss weights: none, balanced (each class counts the same), or "label=weight,label=weight"
    class_weights: str = "none"
    # the validation metric that chooses the best epoch
    best_by: Literal["accuracy", "macro_f1", "loss"] = "accuracy"
    # stop after this many epochs in a row without a better one; 0 never stops early
    patience: int = 3
    # start from another run's weights: a run folder; its vocabulary is kept
    initialize_from: str | None = None
    # seeds the weights, the order of the rows and dropout
    seed: int = 0
    # float32, mixed_bfloat16, or auto: mixed_bfloat16 on a GPU that computes in it
    precision: Literal["auto", "float32", "mixed_bfloat16"] = "auto"
    # one device, mirrored over several, or auto: mirrored where there are several GPUs
    strategy: Literal["auto", "one", "mirrored"] = "auto"
    # compile forward and gradient with XLA; auto is off
    jit: Literal["auto", "on", "off"] = "auto"
    # steps between checkpoints; there is one at each epoch's end too
    checkpoint_steps: int = 100

    def __post_init__(self):
        check_at_least(self, 1, "epochs", "batch_size", "units", "layers", "embedding_size", "maximum_length")
        check_at_least(self, 1, "checkpoint_steps")
        check_at_least(self, 3, "vocabulary_size")
        check_at_least(self, 0, "patience", "seed", "learning_rate_half_life")
        check_at_least(self, 1e-12, "learning_rate", "clip_norm", "validation_fraction")
        check_at_most(self, 2**31 - 1, "seed")
        check_share(self, "word_dropout", "embedding_dropout", "output_dropout", "label_smoothing", "weight_average")
        check_share(self, "validation_fraction")
