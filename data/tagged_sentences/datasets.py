"""Public sets of tagged sentences, read through TensorFlow Datasets (TFDS)."""

from pathlib import Path

from data.sources.dataset import Dataset
from data.sources.datasets import read_batches
from data.tagged_sentences.columns import TaggedSentences

# What TFDS's builders call the entities' tags; conll2003 has other tags, too.
_TAGS = {"conll2003": "ner", "wikiann": "tags"}


def load_tagged_sentences(dataset: Dataset, split: str, data_dir: Path | None = None) -> TaggedSentences:
    """Reads a split of a set of tagged sentences, preparing the set if need be.

    TFDS reads through TensorFlow: threads, devices and determinism must be set before.

    Args:
        dataset: The set.
        split: One of `dataset.splits`, or another common word for it ("dev").
        data_dir: TFDS's data folder; None means `data.sources.datasets.data_folder()`.

    Returns:
        The sentences, always in the same order, which is not that of the archive, with entities in IOB2; `lines` is
        empty.

    Raises:
        UserError: For an unknown split, and as `data.sources.datasets.prepare`.

    Example:
        >>> sentences = load_tagged_sentences(DATASETS["conll2003"], "train")
        >>> len(sentences.tokens)
        14041
    """
    tags = _TAGS.get(dataset.name, "")
    result = TaggedSentences([], [])
    for batch, features in read_batches(dataset, split, ("tokens", tags), data_dir):
        names = features[tags].feature.names
        for tokens, numbers in zip(batch["tokens"].to_list(), batch[tags].to_list()):
            # TFDS takes the end of a CoNLL file for one more sentence, without tokens.
            if tokens:
                result.tokens.append([token.decode("utf-8", "replace") for token in tokens])
                result.tags.append([names[number] for number in numbers])
    return result
