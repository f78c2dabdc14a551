"""What an ner run can be told: one field per flag; the comment above a field is its help text."""

from dataclasses import dataclass
from typing import Annotated, Literal

from data.errors import UserError
from training.configuration import CAME_LATER, RunName, Share, at_least, at_most, below, check_bounds, more_than

# What `--data auto` stands for: the benchmark set where it is to be had, else the bundled sample.
BENCHMARK, SAMPLE = "conll2003", "ner"

# What a user may type first: `predict RUN ...`.
EXAMPLE_INPUT = '"Mr Marlow arrived in Hartfield on Friday ."'

# Whether an input of `predict` is the path of a file, or a folder of them, instead of a text.
INPUTS_ARE_FILES = False

# Whether oneDNN is to compute its products and convolutions in `run` and `evaluate` (see `import_tensorflow`).
USES_ONEDNN = False

# Fields about reading a file; `evaluate` and `predict` take them too, for a file that looks different.
READING = ("token_column", "tag_column", "encoding", "skip_bad_lines")

# Fields about how an answer is found.
ANSWERING = ("tokens",)


@dataclass(frozen=True)
class Config:
    """The fields of an ner run."""

    # --- Data ---

    # auto, sample, conll2003, wikiann, or a path: a file of columns or a .conllu file (plain, .gz or .xz), or a folder
    # of train / validation / test files
    # or hf:OWNER/NAME[/CONFIGURATION][@REVISION], a data set of the Hugging Face hub
    data: str = "auto"
    # what a tag is: part of a named entity (IOB1, IOB2, IOBES), or a tag by itself (a part of speech); auto looks
    task: Literal["auto", "entities", "tags"] = "auto"
    # the column of the tokens: its number from 1, last, or its name in .conllu (form, lemma); auto is the first that
    # is called so, or that numbers neither tokens nor sentences and holds no tags of entities, or form
    token_column: Annotated[str, CAME_LATER] = "auto"
    # the column of the tags: its number from 1, last, or its name in .conllu (upos, feats, ...); auto is the last, or
    # the last that is called so, or that before the tokens where it holds tags of entities, or upos
    tag_column: str = "auto"
    # the files' encoding
    encoding: str = "utf-8"
    # leave sentences with bad lines out, and count the lines, instead of stopping at the first
    skip_bad_lines: bool = False
    # the share of the training sentences to validate on, where the data has no validation split
    validation_fraction: Annotated[float, more_than(0), below(1)] = 0.1
    # how raw text is cut into tokens: by rules, as newswire is, or at blanks, for what is already cut, such as tweets
    tokens: Annotated[Literal["rules", "blanks"], CAME_LATER] = "rules"
    # ids for words, most frequent first, padding and unknown included
    vocabulary_size: Annotated[int, at_least(3)] = 50_000

    # --- Network ---

    # a file of word vectors to start from: GloVe, word2vec or fastText in text form (plain, .gz or .xz)
    vectors: str | None = None
    # start words from the vectors of a language model instead: its run folder
    initialize_from: Annotated[RunName, CAME_LATER] = None
    # the length of a word's vector
    embedding_size: Annotated[int, at_least(1)] = 100
    # how a word is read from its characters
    characters: Literal["cnn", "rnn", "none"] = "cnn"
    # the length of a character's vector
    character_size: Annotated[int, at_least(1)] = 30
    # the length of the vector that a word's characters give
    character_units: Annotated[int, at_least(1)] = 50
    # the length of the vector of each beginning and ending of a word; 0 leaves them out
    affix_size: Annotated[int, at_least(0)] = 20
    # the recurrent cell
    cell: Literal["simple_rnn", "gru", "lstm"] = "lstm"
    # the length of the state h, per direction
    units: Annotated[int, at_least(1)] = 150
    # recurrent layers, one on top of the other
    layers: Annotated[int, at_least(1)] = 1
    # read the sentence in both directions, or forward only
    directions: Literal["both", "forward"] = "both"
    # how tags are chosen: the best sequence (a conditional random field), or the best tag of each token
    decoder: Literal["crf", "softmax"] = "crf"

    # --- Training ---

    # passes over the training sentences, at most
    epochs: Annotated[int, at_least(1)] = 20
    # sentences per step, over all replicas together
    batch_size: Annotated[int, at_least(1)] = 32
    # Adam's learning rate at the first step
    learning_rate: Annotated[float, more_than(0)] = 2e-3
    # steps in which the learning rate halves; 0 keeps it as it is
    learning_rate_half_life: Annotated[int, at_least(0)] = 4000
    # what is validated and saved is the average of the weights over about the last 1 / (1 - this) steps; 0: the last
    # weights
    weight_average: Share = 0.998
    # the largest global norm of a step's gradient
    clip_norm: Annotated[float, more_than(0)] = 1.0
    # the share of words that are taken for unknown in training
    word_dropout: Share = 0.1
    # the same among the words that occur once in training
    rare_word_dropout: Share = 0.5
    # the share of the channels of a sentence's token vectors that is dropped in training
    embedding_dropout: Share = 0.5
    # the share of the states that is dropped in training
    output_dropout: Share = 0.6
    # the validation metric that chooses the best epoch; auto is f1 for entities, accuracy for tags
    best_by: Literal["auto", "f1", "accuracy", "loss"] = "auto"
    # stop after this many epochs in a row without a better one; 0 never stops early
    patience: Annotated[int, at_least(0)] = 6

    # --- Run ---

    # seeds the weights, the order of the sentences and dropout
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
        if self.vectors and self.initialize_from:
            raise UserError("--vectors and --initialize-from both say what words start from: leave one out")
        if self.characters == "rnn" and self.character_units % 2:
            raise UserError(f"--character-units must be even with --characters rnn, got {self.character_units}")
