"""Public sets of labelled texts, read through TensorFlow Datasets (TFDS)."""

from pathlib import Path

from data.errors import UserError
from data.labelled_texts.files import LabelledTexts
from data.sources.dataset import Dataset
from data.sources.datasets import read_batches


def load_labelled_texts(dataset: Dataset, split: str, data_dir: Path | None = None) -> LabelledTexts:
    """Reads a split of a set of labelled texts, preparing the set if need be.

    TFDS reads through TensorFlow: threads, devices and determinism must be set before.

    Args:
        dataset: The set.
        split: One of `dataset.splits`.
        data_dir: TFDS's data folder; None means `data.sources.datasets.data_folder()`.

    Returns:
        The texts, always in the same order, and the names of their labels ("neg", "pos").

    Raises:
        UserError: For an unknown split or one without labels, and as `data.sources.datasets.prepare`.
    """
    result = LabelledTexts([], [])
    for batch, features in read_batches(dataset, split, ("text", "label"), data_dir):
        names = features["label"].names
        result.texts.extend(text.decode("utf-8", "replace") for text in batch["text"].numpy())
        result.labels.extend(names[label] if label >= 0 else "" for label in batch["label"].numpy())
    if not all(result.labels):
        raise UserError(f"{dataset.name}: the split {split!r} has no labels")
    return result
