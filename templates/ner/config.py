"""What an ner run can be told: one field per flag; the comment above a field is its help text."""

from dataclasses import dataclass
from typing import Literal

from data.errors import UserError
from training.commands.flags import check_at_least, check_at_most, check_share

# What `--data auto` stands for: the benchmark set where it is to be had, else the bundled sample.
BENCHMARK, SAMPLE = "conll2003", "ner"

# What a user may type first: `predict RUN ...`.
EXAMPLE_INPUT = '"Mr Marlow arrived in Hartfield on Friday ."'

# Whether an input of `predict` is the path of a file, or a folder of them, instead of a text.
INPUTS_ARE_FILES = False

# Fields about reading a file; `evaluate` and `predict` take them too, for a file that looks different.
READING = ("tag_column", "encoding", "skip_bad_lines")

# Fields about how an answer is found: none.
ANSWERING = ()


@dataclass(frozen=True)
class Config:
    """The fields of an ner run."""

    # auto, sample, conll2003, wikiann, or a path: a file of columns or a .conllu file (plain, .gz or .xz), or a folder
    # of train / validation / test files
    data: str = "auto"
    # what a tag is: part of a named entity (IOB1, IOB2, IOBES), or a tag by itself (a part of speech); auto looks
    task: Literal["auto", "entities", "tags"] = "auto"
    # the column of the tags: its number from 1, or its name in .conllu (upos, xpos, ...); auto is the last, or upos
    tag_column: str = "auto"
    # the files' encoding
    encoding: str = "utf-8"
    # leave sentences with bad lines out, and count the lines, instead of stopping at the first
    skip_bad_lines: bool = False
    # the share of the training sentences to validate on, where the data has no validation split
    validation_fraction: float = 0.1
    # ids for words, most frequent first, padding and unknown included
    vocabulary_size: int = 50_000
    # a file of word vectors to start from: GloVe, word2vec or fastText in text form (plain, .gz or .xz)
    vectors: str | None = None
    # the length of a word's vector
    embedding_size: int = 100
    # how a word is read from its characters
    characters: Literal["cnn", "rnn", "none"] = "cnn"
    # the length of a character's vector
    character_size: int = 30
    # the length of the vector that a word's characters give
    character_units: int = 50
    # the length of the vector of each beginning and ending of a word; 0 leaves them out
    affix_size: int = 20
    # the recurrent cell
    cell: Literal["simple_rnn", "gru", "lstm"] = "lstm"
    # the length of the state h, per direction
    units: int = 150
    # recurrent layers, one on top of the other
    layers: int = 1
    # read the sentence in both directions, or forward only
    directions: Literal["both", "forward"] = "both"
    # how tags are chosen: the best sequence (a conditional random field), or the best tag of each token
    decoder: Literal["crf", "softmax"] = "crf"
    # the share of words that are taken for unknown in training
    word_dropout: float = 0.1
    # the same among the words that occur once in training
    rare_word_dropout: float = 0.5
    # the share of the channels of a sentence's token vectors that is dropped in training
    embedding_dropout: float = 0.5
    # the share of the states that is dropped in training
    output_dropout: float = 0.6
    # passes over the training sentences, at most
    epochs: int = 20
    # sentences per step, over all replicas together
    batch_size: int = 32
    # Adam's learning rate at the first step
    learning_rate: float = 2e-3
    # steps in which the learning rate halves; 0 keeps it as it is
    learning_rate_half_life: int = 4000
    # what is validated and saved is the average of the weights over about the last 1 / (1 - this) steps; 0: the last
    # weights
    weight_average: float = 0.998
    # the largest global norm of a step's gradient
    clip_norm: float = 1.0
    # the validation metric that chooses the best epoch; auto is f1 for entities, accuracy for tags
    best_by: Literal["auto", "f1", "accuracy", "loss"] = "auto"
    # stop after this many epochs in a row without a better one; 0 never stops early
    patience: int = 6
    # seeds the weights, the order of the sentences and dropout
    seed: int = 0
    # float32, mixed_bfloat16, or auto: mixed_bfloat16 on a GPU that computes in it
    precision: Literal["auto", "float32", "mixed_bfloat16"] = "auto"
    # one device, mirrored over several, or auto: mirrored where there are several GPUs
    strategy: Literal["auto", "one", "mirrored"] = "auto"
    # compile forward and gradient with XLA; auto is off
    jit: Literal["auto", "on", "off"] = "auto"
    # steps between checkpoints; there is one at each epoch's end too
    checkpoint_steps: int = 200

    def __post_init__(self):
        check_at_least(self, 1, "epochs", "batch_size", "units", "layers", "embedding_size", "checkpoint_steps")
        check_at_least(self, 1, "character_size", "character_units")
        check_at_least(self, 3, "vocabulary_size")
        check_at_least(self, 0, "patience", "seed", "learning_rate_half_life", "affix_size")
        check_at_least(self, 1e-12, "learning_rate", "clip_norm", "validation_fraction")
        check_at_most(self, 2**31 - 1, "seed")
        check_share(self, "word_dropout", "rare_word_dropout", "embedding_dropout", "output_dropout")
        check_share(self, "weight_average", "validation_fraction")
        if self.characters == "rnn" and self.character_units % 2:
            raise UserError(f"--character-units must be even with --characters rnn, got {self.character_units}")
