"""What a translation run can be told: one field per flag; the comment above a field is its help text."""

from dataclasses import dataclass
from typing import Annotated, Literal

from data.errors import UserError
from data.tables.dialect import Layout
from training.configuration import CAME_LATER, RunName, Share, at_least, at_most, below, check_bounds, more_than

# What `--data auto` stands for: the benchmark set where it is to be had, else the bundled sample.
BENCHMARK, SAMPLE = "multi30k", "translation"

# What a user may type first: `predict RUN ...`.
EXAMPLE_INPUT = '"Gestern hat der kleine Hund zwei rote Vögel gesehen."'

# Whether an input of `predict` is the path of a file, or a folder of them, instead of a text.
INPUTS_ARE_FILES = False

# Whether oneDNN is to compute its products and convolutions in `run` and `evaluate` (see `import_tensorflow`).
USES_ONEDNN = True

# Fields about reading a file; `evaluate` and `predict` take them too, for a file that looks different.
READING = ("source_language", "target_language", "delimiter", "header", "encoding", "skip_bad_lines")

# Fields about the search for an answer; `evaluate`, `predict` and `export` take them too.
ANSWERING = ("beam_width", "length_exponent", "max_length")


@dataclass(frozen=True)
class Config:
    """The fields of a translation run."""

    # --- Data ---

    # auto, sample, multi30k, ted_hrlr_translate, or a path: a table of pairs, one of two parallel files (corpus.de
    # beside corpus.en; plain, .gz or .xz), or a folder of train / validation / test files of either kind
    # or hf:OWNER/NAME[/CONFIGURATION][@REVISION], a data set of the Hugging Face hub
    data: str = "auto"
    # the language to translate from, as the files' names end or the columns are called, or a column's number
    source_language: str = "auto"
    # the language to translate into
    target_language: str = "auto"
    # what separates the columns of a delimited table: comma, tab, semicolon, bar, or auto: what its first lines show
    delimiter: Annotated[str, CAME_LATER] = "auto"
    # whether the first line of a delimited table names the columns; by default what it says
    header: Annotated[bool | None, CAME_LATER] = None
    # the files' encoding
    encoding: str = "utf-8"
    # leave bad lines out, and count them, instead of stopping at the first
    skip_bad_lines: bool = False
    # the share of the training pairs to validate on, where the data has no validation split
    validation_fraction: Annotated[float, more_than(0), below(1)] = 0.1
    # training pairs with a side of more words than this are left out, two characters of Chinese, Japanese, Thai and the
    # like for a word; 0: none
    longest: Annotated[int, at_least(0)] = 120
    # training pairs with a side more times as long as the other than this are left out; 0: none
    largest_ratio: Annotated[float, at_least(0)] = 5.0
    # ids for each language, 259 of bytes and marks included; the others are learned pieces of words
    vocabulary_size: Annotated[int, at_least(259)] = 4000
    # pieces of each language, or of both together
    vocabulary: Literal["separate", "shared"] = "separate"

    # --- Network ---

    # the length of a piece's vector
    embedding_size: Annotated[int, at_least(1)] = 256
    # the recurrent cell
    cell: Literal["simple_rnn", "gru", "lstm"] = "gru"
    # the length of the decoder's state h, and of the encoder's two directions together
    units: Annotated[int, at_least(2)] = 256
    # the encoder's recurrent layers, one on top of the other
    encoder_layers: Annotated[int, at_least(1)] = 1
    # the decoder's recurrent layers; the attention looks at the first one's states and feeds the second
    decoder_layers: Annotated[int, at_least(1)] = 2
    # how a state of the decoder is compared with those of the encoder: their product, over the root of --units (scaled)
    # or as it is (multiplicative), or a layer of their sum (additive)
    attention: Literal["scaled", "multiplicative", "additive", "none"] = "scaled"
    # whether the table of the target's pieces also scores the outputs
    tied_embeddings: bool = True

    # --- Training ---

    # passes over the training pairs, at most
    epochs: Annotated[int, at_least(1)] = 15
    # pairs per step, over all replicas together
    batch_size: Annotated[int, at_least(1)] = 128
    # Adam's learning rate after the warm-up
    learning_rate: Annotated[float, more_than(0)] = 2e-3
    # steps in which the learning rate rises from 0
    warm_up_steps: Annotated[int, at_least(0)] = 200
    # steps in which the learning rate halves after that; 0 keeps it as it is
    learning_rate_half_life: Annotated[int, at_least(0)] = 1500
    # what is validated and saved is the average of the weights over about the last 1 / (1 - this) steps; 0: the last
    # weights
    weight_average: Share = 0.998
    # the largest global norm of a step's gradient
    clip_norm: Annotated[float, more_than(0)] = 1.0
    # the probability that a piece is passed over for shorter ones when a training sentence is cut, anew in every epoch
    subword_dropout: Share = 0.0
    # the share of pieces that are taken for unknown in training, on both sides
    word_dropout: Share = 0.1
    # the share of the channels of a sentence's piece vectors that is dropped in training
    embedding_dropout: Share = 0.2
    # the share of the states' channels that is dropped in training
    dropout: Share = 0.3
    # the share of the probability that training spreads over all pieces
    label_smoothing: Share = 0.1
    # the validation metric that chooses the best epoch, and of equal ones the validation loss; bleu and chrf are those
    # of greedy search
    best_by: Literal["bleu", "chrf", "loss"] = "bleu"
    # stop after this many epochs in a row without a better one; 0 never stops early
    patience: Annotated[int, at_least(0)] = 6
    # start the decoder from a language model of the target language: its run folder
    initialize_from: Annotated[RunName, CAME_LATER] = None

    # --- Search ---

    # hypotheses kept at each step of the search; 1 is greedy
    beam_width: Annotated[int, at_least(1), at_most(1000)] = 5
    # hypotheses are ranked by log probability / length to the power of this
    length_exponent: Annotated[float, at_least(0)] = 1.0
    # the most pieces of an answer; 0 is twice those of the source, and ten, up to 1,000
    max_length: Annotated[int, at_least(0)] = 0

    # --- Run ---

    # seeds the weights, the order of the pairs and dropout
    seed: Annotated[int, at_least(0), at_most(2**31 - 1)] = 0
    # float32, mixed_bfloat16, or auto: mixed_bfloat16 on a GPU that computes in it, or a CPU with AVX-512 BF16 or AMX
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
        if 0 < self.largest_ratio < 1:
            raise UserError(f"--largest-ratio must be 0 or at least 1, got {self.largest_ratio}")
