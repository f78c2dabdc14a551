"""What a language model's run can be told: one field per flag; the comment above a field is its help text."""

from dataclasses import dataclass
from typing import Annotated, Literal

from training.configuration import Share, at_least, at_most, below, check_bounds, more_than

# What `--data auto` stands for: the benchmark set where it is to be had, else the bundled sample.
BENCHMARK, SAMPLE = "tiny_shakespeare", "language_model"

# What a user may type first: `predict RUN ...`.
EXAMPLE_INPUT = '"The "'

# Whether an input of `predict` is the path of a file, or a folder of them, instead of a text.
INPUTS_ARE_FILES = False

# Whether oneDNN is to compute its products and convolutions in `run` and `evaluate` (see `import_tensorflow`).
USES_ONEDNN = False

# Fields about reading a file; `evaluate` and `predict` take them too, for a file that looks different.
READING = ("encoding", "skip_bad_lines")

# Fields about how a text is continued; `predict` and `export` take them too.
ANSWERING = ("length", "temperature", "top_k", "top_p", "seed", "score")


@dataclass(frozen=True)
class Config:
    """The fields of a language model's run."""

    # --- Data ---

    # auto, sample, tiny_shakespeare, or a path: a file of text (plain, .gz or .xz), a folder of train / validation /
    # test files, or a folder of documents, a file each
    data: str = "auto"
    # the files' encoding
    encoding: str = "utf-8"
    # leave bad lines out, and count them, instead of stopping at the first
    skip_bad_lines: bool = False
    # the share of the text to validate on, its end, where the data has no validation split
    validation_fraction: Annotated[float, more_than(0), below(1)] = 0.1
    # what is predicted one by one: characters, parts of words, or words (rare ones are spelled)
    pieces: Literal["characters", "subwords", "words"] = "characters"
    # ids, 259 of bytes and marks included; the others are pieces of the training text
    vocabulary_size: Annotated[int, at_least(259)] = 4000

    # --- Network ---

    # the length of a piece's vector
    embedding_size: Annotated[int, at_least(1)] = 128
    # the recurrent cell
    cell: Literal["simple_rnn", "gru", "lstm"] = "lstm"
    # the length of the state h
    units: Annotated[int, at_least(1)] = 512
    # recurrent layers, one on top of the other
    layers: Annotated[int, at_least(1)] = 1
    # whether the table of the pieces' vectors also scores the outputs
    tied_embeddings: bool = False

    # --- Training ---

    # passes over the training text, at most
    epochs: Annotated[int, at_least(1)] = 18
    # streams: parts of the text that are read side by side, over all replicas together
    batch_size: Annotated[int, at_least(1)] = 32
    # pieces that a stream goes on by in a step, and the gradient back; the states are carried on to the next step
    backpropagation_steps: Annotated[int, at_least(1)] = 64
    # Adam's learning rate after the warm-up
    learning_rate: Annotated[float, more_than(0)] = 5e-3
    # steps in which the learning rate rises from 0
    warm_up_steps: Annotated[int, at_least(0)] = 100
    # steps in which the learning rate halves after that; 0 keeps it as it is
    learning_rate_half_life: Annotated[int, at_least(0)] = 1500
    # what is validated and saved is the average of the weights over about the last 1 / (1 - this) steps; 0: the last
    # weights
    weight_average: Share = 0.998
    # the largest global norm of a step's gradient
    clip_norm: Annotated[float, more_than(0)] = 1.0
    # the share of the vectors' channels that is dropped in training, the same ones at every piece of a step
    embedding_dropout: Share = 0.1
    # the share of the states' channels that is dropped in training, the same ones at every piece of a step
    dropout: Share = 0.3
    # the validation metric that chooses the best epoch
    best_by: Literal["loss"] = "loss"
    # stop after this many epochs in a row without a better one; 0 never stops early
    patience: Annotated[int, at_least(0)] = 3

    # --- Generation ---

    # pieces that a text is continued by
    length: Annotated[int, at_least(1), at_most(1_000_000)] = 500
    # above 1 draws pieces more evenly, below 1 more of the likeliest; 0 takes the likeliest
    temperature: Annotated[float, at_least(0)] = 0.8
    # how many of the likeliest pieces to draw from; 0: all
    top_k: Annotated[int, at_least(0)] = 0
    # draw from the likeliest pieces that have this share of the probability
    top_p: Annotated[float, more_than(0), at_most(1)] = 1.0
    # tell each text's log probability instead of going on with it
    score: bool = False

    # --- Run ---

    # seeds the weights, where streams begin, dropout, and what is drawn to continue a text
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
