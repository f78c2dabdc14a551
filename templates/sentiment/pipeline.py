"""From a data source to batches: read, hold out, choose words and labels, turn texts into ids, pad."""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from data.batches import pad
from data.errors import BadLines, UserError
from data.files import content_suffix
from data.labelled_texts.datasets import load_labelled_texts
from data.labelled_texts.files import (
    LabelledTexts,
    Reading,
    described,
    find_columns,
    first_row,
    read_labelled_texts,
)
from data.labelled_texts.known_datasets import DATASETS
from data.sources.opened_source import OpenedSource
from data.sources.source import Source, resolve_source
from data.sources.split_files import Splits, find_splits
from data.tables.rows import TABLE_SUFFIXES, TEXT_SUFFIXES
from data.vocabulary import build_vocabulary

from .config import BENCHMARK, SAMPLE, Config
from .labels import as_in_training


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
        find=lambda path: _find_tables(path, to_train),
    )


def _find_tables(path: Path, need_train: bool) -> Splits:
    """The tables at a path; files of text only where no others are to train on: beside those, they are notes."""
    text = (".txt",) if path.is_dir() or content_suffix(path) else TEXT_SUFFIXES
    for needed in (True, need_train):
        for suffixes in (TABLE_SUFFIXES, (*TABLE_SUFFIXES, *text)):
            with suppress(UserError):
                return find_splits(path, suffixes, need_train=needed)
    return find_splits(path, (*TABLE_SUFFIXES, *text), need_train=need_train)


@dataclass(frozen=True)
class Examples:
    """One split, ready to be cut into batches.

    Args:
        ids: A row of word ids per text, int32 arrays.
        labels: The labels' numbers, (rows,) int32.
        lengths: Words per row, (rows,).
        unknown: The labels that do not occur in training: they have the numbers after all others, and no answer.
    """

    ids: list[np.ndarray]
    labels: np.ndarray
    lengths: np.ndarray
    unknown: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)


def reading_of(config: Config) -> Reading:
    """How tables are to be read."""
    return Reading(config.text_column, config.label_column, config.delimiter, config.header, config.encoding)


def open_source(config: Config, source: Source) -> OpenedSource[LabelledTexts]:
    """Opens a source: texts and labels by split, as they stand in the file; a test split may have no labels."""
    bad_lines, reading = BadLines(config.skip_bad_lines), reading_of(config)
    notes: dict[str, str | None] = {}

    def read(split: str) -> LabelledTexts:
        if not source.files:
            return load_labelled_texts(DATASETS[source.name], split)
        path, training = source.files.path(split), source.files.files.get("train")
        training_columns = first_row(training, reading) if training else {}
        need_labels = not split.lower().startswith("test")
        texts = read_labelled_texts(path, reading, bad_lines, training_columns, need_labels)
        if source.kind != "sample":
            columns = find_columns(path, first_row(path, reading), reading, training_columns, need_labels)
            told = described(path, reading, columns)
            if told not in notes.values():
                notes["read as" if not notes else f"{split} read as"] = told
        return texts

    return OpenedSource(source, read, config.validation_fraction, bad_lines, notes)


def known_labels(opened: OpenedSource, texts: dict[str, LabelledTexts]) -> list[str]:
    """The labels that a model may meet: those of the training rows, and of the rows held out of them."""
    held_out = texts["validation"].labels if opened.holds_out else []
    return [*texts["train"].labels, *held_out]


def measurable(
    opened: OpenedSource[LabelledTexts], texts: dict[str, LabelledTexts], names: list[str]
) -> dict[str, LabelledTexts]:
    """The splits to train on and to measure, their labels spelled as in training; `opened.notes` tells what is odd.

    Args:
        opened: The source.
        texts: Its splits, as they were read.
        names: The labels.

    Returns:
        The splits; without a test split that has no label of training's, which is no reason not to train.

    Raises:
        UserError: No row of the validation split has a label that occurs in training.
    """
    found = dict(texts)
    for split in [split for split in texts if split != "train"]:
        try:
            found[split], opened.notes[f"labels of {split}"] = as_in_training(texts[split], names, opened.place(split))
        except UserError as error:
            if split == "validation":
                raise
            del found[split]
            opened.notes[split] = f"not measured: {error}"
    return found


def choose_words(config: Config, texts: LabelledTexts) -> list[str]:
    """The words of the training split that get an id of their own, most frequent first."""
    # Here and not above: it imports TensorFlow, and `find_source` is to answer at once.
    from data.labelled_texts.word_ids import count_words

    return build_vocabulary(count_words(texts.texts), config.vocabulary_size)


def make_examples(texts: LabelledTexts, word_ids, names: list[str]) -> Examples:
    """Turns a split's texts and labels into numbers.

    Args:
        texts: The split.
        word_ids: The `data.labelled_texts.word_ids.WordIds` layer.
        names: The labels.
    """
    unknown = sorted(set(texts.labels) - set(names))
    numbers = {name: number for number, name in enumerate([*names, *unknown])}
    ids = word_ids.rows(texts.texts)
    labels = np.array([numbers[label] for label in texts.labels], np.int32)
    return Examples(ids, labels, np.array([len(row) for row in ids]), unknown)


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
