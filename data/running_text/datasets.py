"""Public sets of running text, read through TensorFlow Datasets (TFDS)."""

import re
from pathlib import Path

from data.running_text.documents import Documents
from data.sources.dataset import Dataset
from data.sources.datasets import read_batches

_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def load_documents(dataset: Dataset, split: str, data_dir: Path | None = None) -> Documents:
    """Reads a split of a set of running text, preparing the set if need be.

    TFDS reads through TensorFlow: threads, devices and determinism must be set before.

    Args:
        dataset: The set.
        split: One of `dataset.splits`.
        data_dir: TFDS's data folder; None means `data.sources.datasets.data_folder()`.

    Returns:
        The documents, always in the same order.

    Raises:
        UserError: For an unknown split, and as `data.sources.datasets.prepare`.
    """
    lines: list[str] = []
    begins: list[bool] = []
    for batch, _ in read_batches(dataset, split, ("text",), data_dir):
        for text in batch["text"].numpy():
            here = _LINE.findall(text.decode("utf-8", "replace").replace("\r\n", "\n"))
            lines += here
            begins += [place == 0 for place in range(len(here))]
    return Documents(lines, begins)
