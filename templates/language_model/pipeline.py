"""From a data source to batches: read, choose pieces, cut the text into streams, and the streams into windows."""

import math
from dataclasses import dataclass

import numpy as np

from data.errors import BadLines
from data.running_text.datasets import load_documents
from data.running_text.documents import Documents
from data.running_text.files import find_documents, read_documents
from data.running_text.known_datasets import DATASETS
from data.running_text.pieces import choose_pieces
from data.sources.opened_source import OpenedSource
from data.sources.source import Source, resolve_source
from data.subwords.ids import FIRST_PIECE, START
from data.subwords.pieces import Subwords
from data.vocabulary import PADDING

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
        find=lambda path: find_documents(path, need_train=to_train),
    )


def open_source(config: Config, source: Source) -> OpenedSource[Documents]:
    """Opens a source: documents by split, as they stand in the files."""
    bad_lines = BadLines(config.skip_bad_lines)

    def read(split: str) -> Documents:
        if not source.files:
            return load_documents(DATASETS[source.name], split)
        return read_documents(source.files.path(split), config.encoding, bad_lines)

    return OpenedSource(source, read, config.validation_fraction, bad_lines)


def learn_vocabulary(config: Config, documents: Documents) -> list[str]:
    """Chooses the pieces of the training text; a text of others is spelled by its bytes."""
    return choose_pieces(config.pieces, documents.texts, config.vocabulary_size)


@dataclass(frozen=True)
class Examples:
    """One split, as one row of pieces.

    Args:
        ids: The pieces of all documents, one after the other, (pieces,) int32.
        before: The piece before each, (pieces,) int32; at the beginning of a document the start.
        characters: Characters in all.
        bytes: Bytes in all, in UTF-8.
    """

    ids: np.ndarray
    before: np.ndarray
    characters: int
    bytes: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def spelled(self) -> float:
        """The share of pieces that are single bytes of characters beyond ASCII, as rare ones are spelled, 0 to 1."""
        return float(((self.ids >= FIRST_PIECE - 128) & (self.ids < FIRST_PIECE)).mean())


def make_examples(documents: Documents, subwords: Subwords) -> Examples:
    """Cuts a split's documents into pieces."""
    texts = documents.texts
    rows = [np.array(subwords.encode(text), np.int32) for text in texts]
    before = [np.array([START, *row[:-1]], np.int32) for row in rows if len(row)]
    size = sum(len(text.encode("utf-8", "replace")) for text in texts)
    return Examples(np.concatenate(rows), np.concatenate(before), sum(map(len, texts)), size)


def describe(examples: Examples) -> str:
    """A split in one line: characters, bytes where these are more, pieces where these are others."""
    sizes = {"characters": examples.characters, "bytes": examples.bytes, "pieces": len(examples)}
    told = {name: size for name, size in sizes.items() if name == "characters" or size != examples.characters}
    spelled = f" ({examples.spelled:.1%} of them bytes of rare characters)" if examples.spelled else ""
    return ", ".join(f"{size:,} {name}" for name, size in told.items()) + spelled


@dataclass(frozen=True)
class Window:
    """What all streams read in one step.

    Args:
        starts: The place in the text where each stream goes on, (streams,).
        counts: How many pieces it reads there, (streams,).
        begins: Whether the streams begin here, with states of 0.
    """

    starts: np.ndarray
    counts: np.ndarray
    begins: bool

    def __len__(self) -> int:
        """Pieces in all."""
        return int(self.counts.sum())


def plan_windows(pieces: int, streams: int, steps: int, offset: int = 0) -> list[Window]:
    """Plans one pass: the text is cut into streams of one length, which are read side by side, window after window.

    Args:
        pieces: The pieces of the text.
        streams: How many streams.
        steps: The pieces that each reads in a window.
        offset: The place of the first stream's beginning; the text is read in a circle.

    Returns:
        The windows in order; every piece is read once.

    Example:
        [window.starts for window in plan_windows(pieces=10, streams=2, steps=3)]   # [0, 5], [3, 8]
    """
    length = math.ceil(pieces / streams)
    first = np.arange(streams) * length
    # The text's end may leave less for the last streams, or nothing.
    lengths = np.clip(pieces - first, 0, length)
    return [
        Window((offset + first + start) % pieces, np.clip(lengths - start, 0, steps), start == 0)
        for start in range(0, length, steps)
    ]


def plan_epoch(config: Config, examples: Examples, streams: int, epoch: int) -> list[Window]:
    """Plans one epoch of training, whose streams begin elsewhere than those of other epochs."""
    offset = int(np.random.default_rng([config.seed, epoch]).integers(len(examples)))
    return plan_windows(len(examples), streams, config.backpropagation_steps, offset)


def batch_signature(streams: int | None, steps: int):
    """The shapes and types of `make_batch`'s tensors."""
    import tensorflow as tf

    return [tf.TensorSpec([streams, steps], tf.int32)] * 2 + [tf.TensorSpec([], tf.bool)]


def make_batch(examples: Examples, window: Window, steps: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """Cuts one batch.

    Args:
        examples: The split.
        window: What is read.
        steps: Every batch has so many, which is compiled once; those that a stream does not have are padding.

    Returns:
        The piece before each piece, and the pieces, (streams, steps) int32, 0 at padding; whether the streams begin.
    """
    places = (window.starts[:, np.newaxis] + np.arange(steps)) % len(examples)
    is_read = np.arange(steps) < window.counts[:, np.newaxis]
    before, after = (np.where(is_read, row[places], PADDING) for row in (examples.before, examples.ids))
    return before, after, window.begins
