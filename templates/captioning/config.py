"""What a captioning run can be told: one field per flag; the comment above a field is its help text."""

from dataclasses import dataclass
from typing import Literal

from data.errors import UserError
from training.commands.flags import check_at_least, check_at_most, check_share

# What `--data auto` stands for: the benchmark set where it is to be had, else the bundled sample.
BENCHMARK, SAMPLE = "flickr8k", "captioning"

# What a user may type first: `predict RUN ...`.
EXAMPLE_INPUT = "picture.jpg"

# Whether an input of `predict` is the path of a file, or a folder of them, instead of a text.
INPUTS_ARE_FILES = True

# Fields about reading a file; `evaluate` and `predict` take them too, for a file that looks different.
READING = ("encoding", "skip_bad_lines")

# Fields about the search for an answer; `evaluate`, `predict` and `export` take them too.
ANSWERING = ("beam_width", "length_exponent", "max_length")

# The encoder that is trained from scratch; any other is called as in keras.applications.
CONVOLUTIONAL = "convolutional"


@dataclass(frozen=True)
class Config:
    """The fields of a captioning run."""

    # auto, sample, flickr8k, coco_captions, or a path: a folder with pictures (loose or in a .tar), captions (lines of
    # name<TAB>caption, or COCO's JSON) and lists of the pictures of each split
    data: str = "auto"
    # the encoding of captions and lists
    encoding: str = "utf-8"
    # leave bad lines out, and count them, instead of stopping at the first
    skip_bad_lines: bool = False
    # the share of the training pictures to validate on, where the data has no validation split
    validation_fraction: float = 0.1
    # pixels of a side: every picture is brought to a square of this size
    picture_size: int = 96
    # training captions of more words than this are left out; 0: none
    longest: int = 30
    # ids, 259 of bytes and marks included; the others are learned pieces of words
    vocabulary_size: int = 3000
    # convolutional (trained from scratch), or a network of keras.applications, such as EfficientNetB0
    encoder: str = CONVOLUTIONAL
    # the weights of a network of keras.applications: imagenet (downloaded by Keras), none, or a file of weights
    encoder_weights: str = "imagenet"
    # train a network of keras.applications too; otherwise its features are computed once
    fine_tune: bool = False
    # channels of the convolutional encoder's first stage, of 4 pixels a place; each further stage has twice as many
    channels: int = 64
    # residual blocks in each of its stages
    blocks: int = 1
    # pixels of the picture's side for each place of its grid of features
    grid_stride: Literal[4, 8, 16, 32] = 16
    # the length of a word's vector
    embedding_size: int = 256
    # the recurrent cell
    cell: Literal["simple_rnn", "gru", "lstm"] = "gru"
    # the length of the decoder's state h, and of the vector of each place in the picture
    units: int = 256
    # the decoder's recurrent layers; the attention looks at the first one's states and feeds the second
    decoder_layers: int = 2
    # how a state is compared with the places of the picture; none: the whole picture is the decoder's first input
    attention: Literal["multiplicative", "additive", "none"] = "multiplicative"
    # whether the table of the words also scores the outputs
    tied_embeddings: bool = True
    # captions of a picture that a step learns from, drawn anew in every epoch
    captions_per_picture: int = 1
    # the weight of a second loss: the picture also tells which words its captions have, in any order
    word_loss: float = 1.0
    # pictures are moved by up to this share of their side
    shift: float = 0.1
    # and made larger or smaller by up to this share
    zoom: float = 0.35
    # mirror half of the pictures whose captions say neither left nor right
    flip: bool = True
    # change brightness, contrast and saturation by up to this share
    colour_change: float = 0.3
    # the share of words that are taken for unknown in training
    word_dropout: float = 0.0
    # the share of the channels of a caption's word vectors that is dropped in training
    embedding_dropout: float = 0.1
    # the share of the states' and the picture's channels that is dropped in training
    dropout: float = 0.25
    # the share of the probability that training spreads over all words
    label_smoothing: float = 0.1
    # passes over the training pictures, at most
    epochs: int = 60
    # pictures per step, over all replicas together
    batch_size: int = 32
    # Adam's learning rate after the warm-up
    learning_rate: float = 1.5e-3
    # steps in which the learning rate rises from 0
    warm_up_steps: int = 200
    # steps in which the learning rate halves after that; 0 keeps it as it is
    learning_rate_half_life: int = 2500
    # decoupled weight decay (AdamW)
    weight_decay: float = 0.4
    # what is validated and saved is the average of the weights over about the last 1 / (1 - this) steps; 0: the last
    # weights
    weight_average: float = 0.998
    # the largest global norm of a step's gradient
    clip_norm: float = 5.0
    # the validation metric that chooses the best epoch: of greedy search; the loss is that of one reference a picture
    best_by: Literal["cider", "bleu4", "loss"] = "cider"
    # stop after this many epochs in a row without a better one; 0 never stops early
    patience: int = 15
    # hypotheses kept at each step of the search; 1 is greedy
    beam_width: int = 3
    # hypotheses are ranked by log probability / length to the power of this
    length_exponent: float = 0.7
    # the most pieces of a caption
    max_length: int = 40
    # seeds the weights, the order of the pictures, what is drawn of them and dropout
    seed: int = 0
    # float32, mixed_bfloat16, or auto: mixed_bfloat16 on a GPU that computes in it, or a CPU with AMX
    precision: Literal["auto", "float32", "mixed_bfloat16"] = "auto"
    # one device, mirrored over several, or auto: mirrored where there are several GPUs
    strategy: Literal["auto", "one", "mirrored"] = "auto"
    # compile forward and gradient with XLA; auto is off
    jit: Literal["auto", "on", "off"] = "auto"
    # steps between checkpoints; there is one at each epoch's end too
    checkpoint_steps: int = 200

    def __post_init__(self):
        check_at_least(self, 1, "epochs", "batch_size", "embedding_size", "decoder_layers", "channels", "blocks")
        check_at_least(self, 1, "checkpoint_steps", "beam_width", "captions_per_picture", "max_length")
        check_at_least(self, 2, "units")
        # 256 bytes, padding, start and end: every text can be written with these.
        check_at_least(self, 259, "vocabulary_size")
        check_at_least(self, 0, "patience", "seed", "learning_rate_half_life", "warm_up_steps", "longest")
        check_at_least(self, 0, "length_exponent", "word_loss", "weight_decay")
        check_at_least(self, 1e-12, "learning_rate", "clip_norm", "validation_fraction")
        check_at_most(self, 2**31 - 1, "seed")
        check_at_most(self, 1000, "beam_width", "max_length")
        check_at_most(self, 2048, "picture_size")
        check_share(self, "shift", "zoom", "colour_change", "word_dropout", "embedding_dropout", "dropout")
        check_share(self, "label_smoothing", "weight_average", "validation_fraction")
        if self.picture_size < 2 * self.grid_stride:
            raise UserError(f"--picture-size must be at least twice --grid-stride, got {self.picture_size}")
