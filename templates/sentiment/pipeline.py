"""From a data source to batches: read, hold out, choose words and labels, turn texts into ids, pad."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.batches import pad
from data.errors import BadLines, UserError
from data.labelled_texts.datasets import load_labelled_texts
from data.labelled_texts.files import LabelledTexts, read_labelled_texts
from data.labelled_texts.known_datasets import DATASETS
from data.sources.opened_source import OpenedSource
from data.sources.source import Source, resolve_source
from data.sources.split_files import find_splits
from data.tables.rows import TABLE_SUFFIXES
from data.vocabulary import build_vocabulary

from .config import BENCHMARK, SAMPLE, Config


def find_source(config: Config, to_train: bool = True) -> Source:
    """Finds out what `--data` means, without TensorFlow: a mistake is answered at once.

    Args:
        config: The run's configuration.
        to_train: Whether a folder without a train file is a mistake; to evaluate, a test file is enough.

    Raises:
        UserError: There is no such data.
    """
    return resolve_source(
        config.data,
        benchmark=BENCHMARK,
        sample=SAMPLE,
        datasets=DATASETS,
        find=lambda path: find_splits(path, TABLE_SUFFIXES, need_train=to_train),
    )


@dataclass(frozen=True)
class Examples:
    """One split, ready to be cut into batches.

    Args:
        ids: A row of word ids per text, int32 arrays.
        labels: The labels' numbers, (rows,) int32.
        lengths: Words per row, (rows,).
    """

    ids: list[np.ndarray]
    labels: np.ndarray
    lengths: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


def open_source(config: Config, source: Source) -> OpenedSource[LabelledTexts]:
    """Opens a source: texts and labels by split, as they stand in the file."""
    bad_lines = BadLines(config.skip_bad_lines)

    def read(split: str) -> LabelledTexts:
        if not source.files:
            return load_labelled_texts(DATASETS[source.name], split)
        columns = config.text_column, config.label_column
        return read_labelled_texts(source.files.path(split), *columns, config.encoding, bad_lines)

    return OpenedSource(source, read, config.validation_fraction, bad_lines)


def known_labels(opened: OpenedSource, texts: dict[str, LabelledTexts]) -> list[str]:
    """The labels that a model may meet: those of the training rows, and of the rows held out of them."""
    held_out = texts["validation"].labels if opened.holds_out else []
    return [*texts["train"].labels, *held_out]


def label_names(labels: Sequence[str]) -> list[str]:
    """The distinct labels of the training rows, in order of value where all are numbers, else in alphabetical order.

    Raises:
        UserError: There are fewer than two.
    """
    names = sorted(set(labels))
    if len(names) < 2:
        raise UserError(f"every training row has the label {names[0]!r}; a classifier needs at least two labels")
    try:
        return sorted(names, key=float)
    except ValueError:
        return names


def choose_words(config: Config, texts: LabelledTexts) -> list[str]:
    """The words of the training split that get an id of their own, most frequent first."""
    # Here and not above: it imports TensorFlow, and `find_source` is to answer at once.
    from data.labelled_texts.word_ids import count_words

    return build_vocabulary(count_words(texts.texts), config.vocabulary_size)


def make_examples(texts: LabelledTexts, word_ids, names: list[str], where: str) -> Examples:
    """Turns a split's texts and labels into numbers.

    Args:
        texts: The split.
        word_ids: The `data.labelled_texts.word_ids.WordIds` layer.
        names: The labels.
        where: The split's file or name, for messages.

    Raises:
        UserError: A label does not occur in the training split.
    """
    numbers = {name: number for number, name in enumerate(names)}
    for row, label in enumerate(texts.labels):
        if label not in numbers:
            line = texts.lines[row] if texts.lines else f"row {row + 1}"
            raise UserError(f"{where}:{line}: the label {label!r} does not occur in training; labels are {_few(names)}")
    ids = word_ids.rows(texts.texts)
    labels = np.array([numbers[label] for label in texts.labels], np.int32)
    return Examples(ids, labels, np.array([len(row) for row in ids]))


def class_weights(config: Config, labels: np.ndarray, names: list[str]) -> np.ndarray:
    """The loss weight of each class, (classes,) float32.

    Args:
        config: `class_weights` is "none", "balanced" (rows / (classes * rows of the class)), or "label=weight,...".
        labels: The training labels' numbers.
        names: The labels' names.

    Raises:
        UserError: The setting names no label, or gives no positive number.
    """
    if config.class_weights == "none":
        return np.ones(len(names), np.float32)
    if config.class_weights == "balanced":
        return (len(labels) / (len(names) * np.maximum(np.bincount(labels, minlength=len(names)), 1))).astype(
            np.float32
        )
    weights = dict.fromkeys(names, 1.0)
    for part in config.class_weights.split(","):
        name, _, number = part.rpartition("=")
        if name.strip() not in weights:
            raise UserError(f"--class-weights: no label {name.strip()!r} in {part!r}; labels are {_few(names)}")
        try:
            weights[name.strip()] = float(number)
        except ValueError:
            raise UserError(f"--class-weights: {number!r} in {part!r} is not a number") from None
    if not all(0 < weight < np.inf for weight in weights.values()):
        raise UserError("--class-weights: every weight must be a positive number")
    return np.array([weights[name] for name in names], np.float32)


def batch_signature():
    """The shapes and types of `make_batch`'s tensors."""
    import tensorflow as tf

    return [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32), tf.TensorSpec([None], tf.float32)]


def make_batch(
    examples: Examples, rows: np.ndarray, weights: np.ndarray, size: int, multiple: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cuts one batch.

    Args:
        examples: The split.
        rows: Which rows.
        weights: The loss weight of each class, (classes,).
        size: The number of rows is brought to this with empty rows of weight 0: every batch is of one size, which is
            compiled once.
        multiple: The padded length is a multiple of this.

    Returns:
        ids (rows, time) int32, labels (rows,) int32, weights (rows,) float32.
    """
    labels = examples.labels[rows]
    spare = size - len(rows)
    ids = pad([*(examples.ids[row] for row in rows), *[np.zeros(1, np.int32)] * spare], multiple)
    return ids, np.pad(labels, (0, spare)), np.pad(weights[labels], (0, spare))


def _few(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
