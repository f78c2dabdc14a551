"""Public sets of captioned pictures, read through TensorFlow Datasets (TFDS)."""

from collections.abc import Iterator
from pathlib import Path

from data.captioned_pictures.source import CaptionedPictures
from data.sources.dataset import Dataset
from data.sources.datasets import read_batches, read_examples

# What TFDS's coco_captions calls them, and so does our own flickr8k.
_PICTURE, _NAME, _CAPTIONS = "image", "image/filename", "captions"


def load_captions(dataset: Dataset, split: str, data_dir: Path | None = None) -> CaptionedPictures:
    """Reads the names and captions of a split of a set of captioned pictures, preparing the set if need be.

    No picture is decoded. TFDS reads through TensorFlow: threads, devices and determinism must be set before.

    Args:
        dataset: The set.
        split: One of `dataset.splits`, or another common word for it ("dev").
        data_dir: TFDS's data folder; None means `data.sources.datasets.data_folder()`.

    Returns:
        The pictures' names and captions, always in the same order, which is not that of the archive.

    Raises:
        UserError: For an unknown split, and as `data.sources.datasets.prepare`.

    Example:
        >>> pictures = load_captions(DATASETS["flickr8k"], "test")
        >>> len(pictures), len(pictures.captions[0])
        (1000, 5)
    """
    # Here and not above: they import TFDS. By the first of them TFDS knows the set.
    import tensorflow_datasets as tfds

    from data.captioned_pictures import flickr8k  # noqa: F401

    result = CaptionedPictures([], [])
    decoders = tfds.decode.PartialDecoding([_NAME, _CAPTIONS])
    for batch, _ in read_batches(dataset, split, (_NAME, _CAPTIONS), data_dir, decoders=decoders):
        captions = batch[_CAPTIONS]
        if isinstance(captions, dict):  # with the number of each, in coco_captions
            captions = captions["text"]
        result.names.extend(_decoded(name) for name in batch[_NAME].numpy())
        # In COCO some begin or end with blanks.
        result.captions.extend([" ".join(_decoded(text).split()) for text in texts] for texts in captions.to_list())
    return result


def picture_contents(dataset: Dataset, split: str, data_dir: Path | None = None) -> Iterator[bytes]:
    """Opens the pictures of a split of a set of captioned pictures, preparing the set if need be.

    Args:
        dataset: The set.
        split: As for `load_captions`.
        data_dir: TFDS's data folder; None means `data.sources.datasets.data_folder()`.

    Returns:
        The bytes of each picture's file, in the order of `load_captions`. They are read from disk one after the other,
        when they are asked for.

    Raises:
        UserError: As `load_captions`.

    Example:
        >>> next(picture_contents(DATASETS["flickr8k"], "test"))[:3]
        b'\\xff\\xd8\\xff'
    """
    import tensorflow_datasets as tfds

    from data.captioned_pictures import flickr8k  # noqa: F401

    decoders = tfds.decode.PartialDecoding([_PICTURE], decoders={_PICTURE: tfds.decode.SkipDecoding()})
    examples, _ = read_examples(dataset, split, data_dir, decoders=decoders)
    return examples.map(lambda example: example[_PICTURE]).as_numpy_iterator()


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace")
