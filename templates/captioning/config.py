"""What a captioning run can be told: one field per flag; the comment above a field is its help text."""

from dataclasses import dataclass
from typing import Annotated, Literal

from data.errors import UserError
from data.tables.dialect import Layout
from training.configuration import CAME_LATER, Share, at_least, at_most, below, check_bounds, more_than

# What `--data auto` stands for: the benchmark set where it is to be had, else the bundled sample.
BENCHMARK, SAMPLE = "flickr8k", "captioning"

# What a user may type first: `predict RUN ...`.
EXAMPLE_INPUT = "picture.jpg"

# Whether an input of `predict` is the path of a file, or a folder of them, instead of a text.
INPUTS_ARE_FILES = True

# Whether oneDNN is to compute its products and convolutions in `run` and `evaluate` (see `import_tensorflow`).
USES_ONEDNN = True

# Fields about reading a file; `evaluate` and `predict` take them too, for a file that looks different.
READING = ("picture_column", "caption_column", "delimiter", "header", "encoding", "skip_bad_lines")

# Fields about the search for an answer; `evaluate`, `predict` and `export` take them too.
ANSWERING = ("beam_width", "length_exponent", "max_length")

# The encoder that is trained from scratch; any other is called as in keras.applications.
CONVOLUTIONAL = "convolutional"


@dataclass(frozen=True)
class Config:
    """The fields of a captioning run."""

    # --- Data ---

    # auto, sample, flickr8k, coco_captions, or a path: a folder with pictures (loose or in a .tar), captions (lines of
    # name<TAB>caption, a table, COCO's or Karpathy's JSON, or a .txt beside each picture) and lists of the pictures of
    # each split
    # or hf:OWNER/NAME[/CONFIGURATION][@REVISION], a data set of the Hugging Face hub
    data: str = "auto"
    # of a table of captions, the column that names the pictures: its name, or its number from 1
    picture_column: Annotated[str, CAME_LATER] = "auto"
    # of a table of captions, the column that holds them: its name, or its number from 1
    caption_column: Annotated[str, CAME_LATER] = "auto"
    # what separates the columns of such a table: comma, tab, semicolon, bar, or auto: what its first lines show
    delimiter: Annotated[str, CAME_LATER] = "auto"
    # whether the first line of such a table names the columns; by default what its first lines show
    header: Annotated[bool | None, CAME_LATER] = None
    # the encoding of captions and lists
    encoding: str = "utf-8"
    # leave bad lines out, and count them, instead of stopping at the first
    skip_bad_lines: bool = False
    # the share of the training pictures to validate on, where the data has no validation split
    validation_fraction: Annotated[float, more_than(0), below(1)] = 0.1
    # pixels of a side: every picture is brought to a square of this size
    picture_size: Annotated[int, at_most(2048)] = 96
    # training captions of more words than this are left out; 0: none
    longest: Annotated[int, at_least(0)] = 30
    # ids, 259 of bytes and marks included; the others are learned pieces of words
    vocabulary_size: Annotated[int, at_least(259)] = 3000

    # --- Network ---

    # convolutional (trained from scratch), or a network of keras.applications, such as EfficientNetB0
    encoder: str = CONVOLUTIONAL
    # the weights of a network of keras.applications: imagenet (downloaded by Keras), none, or a file of weights
    encoder_weights: str = "imagenet"
    # train a network of keras.applications too; otherwise its features are computed once
    fine_tune: bool = False
    # channels of the convolutional encoder's first stage, of 4 pixels a place; each further stage has twice as many
    channels: Annotated[int, at_least(1)] = 64
    # residual blocks in each of its stages
    blocks: Annotated[int, at_least(1)] = 1
    # pixels of the picture's side for each place of its grid of features
    grid_stride: Literal[4, 8, 16, 32] = 16
    # the length of a word's vector
    embedding_size: Annotated[int, at_least(1)] = 256
    # the recurrent cell
    cell: Literal["simple_rnn", "gru", "lstm"] = "gru"
    # the length of the decoder's state h, and of the vector of each place in the picture
    units: Annotated[int, at_least(2)] = 256
    # the decoder's recurrent layers; the attention looks at the first one's states and feeds the second
    decoder_layers: Annotated[int, at_least(1)] = 2
    # how a state is compared with the places of the picture: their product, as it is (multiplicative) or over the root
    # of --units (scaled), or a layer of their sum (additive); none: the whole picture is the decoder's first input
    attention: Literal["scaled", "multiplicative", "additive", "none"] = "multiplicative"
    # whether the table of the words also scores the outputs
    tied_embeddings: bool = True

    # --- Training ---

    # passes over the training pictures, at most
    epochs: Annotated[int, at_least(1)] = 60
    # pictures per step, over all replicas together
    batch_size: Annotated[int, at_least(1)] = 32
    # captions of a picture that a step learns from, drawn anew in every epoch
    captions_per_picture: Annotated[int, at_least(1)] = 1
    # Adam's learning rate after the warm-up
    learning_rate: Annotated[float, more_than(0)] = 1.5e-3
    # steps in which the learning rate rises from 0
    warm_up_steps: Annotated[int, at_least(0)] = 200
    # steps in which the learning rate halves after that; 0 keeps it as it is
    learning_rate_half_life: Annotated[int, at_least(0)] = 2500
    # decoupled weight decay (AdamW)
    weight_decay: Annotated[float, at_least(0)] = 0.4
    # what is validated and saved is the average of the weights over about the last 1 / (1 - this) steps; 0: the last
    # weights
    weight_average: Share = 0.998
    # the largest global norm of a step's gradient
    clip_norm: Annotated[float, more_than(0)] = 5.0
    # the weight of a second loss: the picture also tells which words its captions have, in any order
    word_loss: Annotated[float, at_least(0)] = 1.0
    # pictures are moved by up to this share of their side
    shift: Share = 0.1
    # pictures are made larger or smaller by up to this share
    zoom: Share = 0.35
    # mirror half of the pictures whose captions say neither left nor right
    flip: bool = True
    # change brightness, contrast and saturation by up to this share
    colour_change: Share = 0.3
    # the share of words that are taken for unknown in training
    word_dropout: Share = 0.0
    # the share of the channels of a caption's word vectors that is dropped in training
    embedding_dropout: Share = 0.1
    # the share of the states' and the picture's channels that is dropped in training
    dropout: Share = 0.25
    # the share of the probability that training spreads over all words
    label_smoothing: Share = 0.1
    # the validation metric that chooses the best epoch: of greedy search; the loss is that of one reference a picture
    best_by: Literal["cider", "bleu4", "loss"] = "cider"
    # stop after this many epochs in a row without a better one; 0 never stops early
    patience: Annotated[int, at_least(0)] = 15

    # --- Search ---

    # hypotheses kept at each step of the search; 1 is greedy
    beam_width: Annotated[int, at_least(1), at_most(1000)] = 3
    # hypotheses are ranked by log probability / length to the power of this
    length_exponent: Annotated[float, at_least(0)] = 0.7
    # the most pieces of a caption
    max_length: Annotated[int, at_least(1), at_most(1000)] = 40

    # --- Run ---

    # seeds the weights, the order of the pictures, what is drawn of them and dropout
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
        if self.picture_size < 2 * self.grid_stride:
            raise UserError(f"--picture-size must be at least twice --grid-stride, got {self.picture_size}")
