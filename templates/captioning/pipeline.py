"""From a data source to batches: find pictures and captions, decode, learn pieces, draw what a step sees, pad."""

from dataclasses import dataclass, replace

import numpy as np

from data.batches import pad
from data.captioned_pictures.caption_columns import Told
from data.captioned_pictures.datasets import load_captions, picture_contents
from data.captioned_pictures.known_datasets import DATASETS
from data.captioned_pictures.source import CaptionedPictures, CaptionFiles, find_pictures
from data.errors import BadLines, UserError
from data.scripts import length_in_words
from data.sources.opened_source import OpenedSource
from data.sources.source import Source, resolve_source
from data.subwords.ids import END, START
from data.subwords.learning import learn_pieces
from data.subwords.pieces import Subwords, count_words
from data.tables.dialect import Layout
from training.metrics.captions import normalise

from .config import BENCHMARK, SAMPLE, Config

# Pictures that cannot be read are named up to this many.
NAMED = 3


def find_source(config: Config, to_train: bool = True) -> Source[CaptionFiles]:
    """Finds out what `--data` means, without TensorFlow: a mistake is answered at once.

    Args:
        config: The run's configuration.
        to_train: Whether a folder without pictures to train on is a mistake; to evaluate, test pictures are enough.

    Raises:
        UserError: There is no such data.
    """
    return resolve_source(
        config.data,
        benchmark=BENCHMARK,
        sample=SAMPLE,
        datasets=DATASETS,
        find=lambda path: find_pictures(path, config.encoding, need_train=to_train, told=told_of(config)),
    )


def told_of(config: Config) -> Told:
    """What the configuration says of how files of captions are written."""
    return Told(Layout(config.delimiter, config.header), config.picture_column, config.caption_column)


def open_source(config: Config, source: Source[CaptionFiles]) -> OpenedSource[CaptionedPictures]:
    """Opens a source: reads captions and lists, and tells which pictures with which captions are in a split.

    Raises:
        UserError: A file is damaged, or nothing fits.
    """
    bad_lines, files = BadLines(config.skip_bad_lines), source.files
    if not files:
        dataset = DATASETS[source.name]
        return OpenedSource(source, lambda split: load_captions(dataset, split), config.validation_fraction, bad_lines)
    joined = files.join(config.encoding, bad_lines)
    notes = {"read as": "; ".join(joined.formats) if source.kind != "sample" else None}
    notes |= {f"note {number}": note for number, note in enumerate(joined.notes, start=1)}
    return OpenedSource(source, joined.split, config.validation_fraction, bad_lines, notes)


def learn_vocabulary(config: Config, pictures: CaptionedPictures) -> list[str]:
    """Learns pieces from the training captions."""
    texts = (normalise(caption) for captions in pictures.captions for caption in captions)
    return learn_pieces(count_words(texts), config.vocabulary_size)


@dataclass(frozen=True)
class Examples:
    """One split, ready to be cut into batches.

    Args:
        names: The pictures' names.
        pictures: Of what the encoder sees, a row each: uint8 (rows, side, side, 3), or features of a network that is
            not trained, float32 (rows, height, width, channels).
        at: In which row of `pictures` each of the examples is.
        captions: The captions of each as piece ids, the end last, int32 arrays; one or more.
        words: The ids that occur in the captions of each, but for the end, int32 arrays.
        references: The captions of each as they were read.
    """

    names: list[str]
    pictures: np.ndarray
    at: np.ndarray
    captions: list[list[np.ndarray]]
    words: list[np.ndarray]
    references: list[list[str]]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def most_captions(self) -> int:
        """The captions of the picture that has most."""
        return max(map(len, self.captions), default=1)


def make_examples(
    config: Config, opened: OpenedSource, split: str, read: CaptionedPictures, subwords: Subwords
) -> tuple[Examples, str]:
    """Decodes the pictures of a split that have captions, and cuts these into pieces.

    Args:
        config: The run's configuration.
        opened: Where the pictures are.
        split: The split's name.
        read: Its pictures and captions.
        subwords: The captions' pieces.

    Returns:
        The examples, and a sentence about pictures that cannot be read; "" if there are none.

    Raises:
        UserError: No picture can be read.
    """
    # Here and not above: it imports TensorFlow.
    from data.captioned_pictures.arrays import decode_pictures, file_contents

    source: Source[CaptionFiles] = opened.source
    if source.files:
        contents = file_contents(source.files.pictures, read.names)
    else:
        contents = picture_contents(DATASETS[source.name], split)
    decoded = decode_pictures(contents, len(read), config.picture_size)
    damaged = [f"{read.names[row]}: {reason}" for row, reason in decoded.unreadable.items()]
    rows = (row for row, captions in enumerate(read.captions) if captions and row not in decoded.unreadable)
    at = np.array(list(rows), int)
    if not len(at):
        raise UserError(f"{opened.place(split)}: no picture can be read; {'; '.join(damaged[:NAMED])}")
    kept = read.select(at)
    captions = [
        [np.array([*subwords.encode(normalise(text)), END], np.int32) for text in texts] for texts in kept.captions
    ]
    words = [np.setdiff1d(np.concatenate(own), END) for own in captions]
    examples = Examples(kept.names, decoded.pictures, at, captions, words, kept.captions)
    more = "; ..." if len(damaged) > NAMED else ""
    note = f"{len(damaged):,} of {len(read):,} cannot be read: {'; '.join(damaged[:NAMED])}{more}" if damaged else ""
    return examples, note


def filter_training(config: Config, pictures: CaptionedPictures) -> tuple[CaptionedPictures, str]:
    """Leaves out training captions that are too long, or that hold no word.

    Returns:
        All pictures with the captions that are left, maybe none, and a sentence about the others; "" if there are none.

    Raises:
        UserError: No caption is left.
    """

    def is_kept(caption: str) -> bool:
        return 0 < length_in_words(normalise(caption)) <= (config.longest or np.inf)

    chosen = [[caption for caption in captions if is_kept(caption)] for captions in pictures.captions]
    count, left = (sum(map(len, captions)) for captions in (pictures.captions, chosen))
    if not left:
        raise UserError(f"no training caption has 1 to --longest {config.longest} words")
    kept = replace(pictures, captions=chosen)
    if left == count:
        return kept, ""
    return kept, f"{count - left:,} of {count:,} training captions left out: empty, or over {config.longest} words"


def describe(examples: Examples) -> str:
    """A split in one line: pictures, captions, pieces."""
    captions = sum(map(len, examples.captions))
    pieces = sum(len(ids) for rows in examples.captions for ids in rows)
    return f"{len(examples):,} pictures, {captions:,} captions, {pieces:,} pieces"


@dataclass(frozen=True)
class Drawn:
    """What an epoch sees of the training examples.

    Args:
        captions: Which captions of each, (examples, captions_per_picture); -1: no further one.
        transforms: How each picture is moved, zoomed and mirrored; see `data.captioned_pictures.augmentation`.
        colours: How its colours are changed.
        lengths: Pieces of the longest of these captions, (examples,).
    """

    captions: np.ndarray
    transforms: np.ndarray
    colours: np.ndarray
    lengths: np.ndarray


def draw(config: Config, examples: Examples, epoch: int) -> Drawn:
    """Draws captions and changes of the pictures for an epoch.

    What comes out depends on the seed, the epoch and the example alone: a run that goes on sees the same.
    """
    from data.captioned_pictures.augmentation import draw_changes, may_flip

    random = np.random.default_rng([config.seed, epoch, 1])
    most = min(config.captions_per_picture, examples.most_captions)
    captions = np.full((len(examples), most), -1)
    for row, own in enumerate(examples.captions):
        chosen = random.permutation(len(own))[:most]
        captions[row, : len(chosen)] = chosen
    lengths = np.array([max(len(own[at]) for at in row if at >= 0) for own, row in zip(examples.captions, captions)])
    flips = np.array([config.flip and may_flip(references) for references in examples.references])
    changes = draw_changes(
        len(examples),
        config.picture_size,
        random,
        shift=config.shift,
        zoom=config.zoom,
        flip=flips,
        brightness=config.colour_change,
        contrast=config.colour_change,
        saturation=config.colour_change,
    )
    return Drawn(captions, changes.transforms, changes.colours, lengths)


def batch_signature(pictures: np.ndarray, size: int | None = None):
    """The shapes and types of `make_batch`'s tensors, for examples of such pictures.

    With it a function is traced once. TensorFlow would trace it for the first batch's length, and then for any: the two
    differ in the last bits, and a run that goes on would begin with the first again.
    """
    import tensorflow as tf

    captions = tf.TensorSpec([size, None, None], tf.int32)
    return [tf.TensorSpec([size, *pictures.shape[1:]], pictures.dtype), captions, captions]


def make_batch(
    examples: Examples, rows: np.ndarray, size: int, chosen: np.ndarray, multiple: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cuts one batch.

    Args:
        examples: The split.
        rows: Which examples.
        size: The number of pictures is brought to this with pictures again that have no caption here: every batch is
            of one size, which is compiled once.
        chosen: Which captions of every example of the split, (examples, captions); -1: none.
        multiple: The padded length is a multiple of this.

    Returns:
        The pictures (size, ...), as they are in `examples`; the captions' ids before each id, which begin with the
        start, and the captions' ids, int32 (size, captions, steps), 0 at padding.
    """
    nothing = np.zeros(0, np.int32)
    captions = [examples.captions[row][at] if at >= 0 else nothing for row in rows for at in chosen[row]]
    captions += [nothing] * ((size - len(rows)) * chosen.shape[1])
    after = pad(captions, multiple)
    before = np.concatenate([np.full((len(after), 1), START, np.int32), after[:, :-1]], axis=1)
    shape = (size, chosen.shape[1], after.shape[1])
    return examples.pictures[examples.at[np.resize(rows, size)]], before.reshape(shape), after.reshape(shape)


def all_captions(examples: Examples) -> np.ndarray:
    """Every caption of every example, as `make_batch` takes them."""
    numbers = np.arange(examples.most_captions)
    counts = np.array([len(own) for own in examples.captions])
    return np.where(numbers < counts[:, np.newaxis], numbers, -1)


def changes_signature(size: int):
    """The shapes and types of `changes_of`'s tensors and of `words_of`'s."""
    import tensorflow as tf

    changes = [tf.TensorSpec([size, 2, 2], tf.float32), tf.TensorSpec([size, 3, 4], tf.float32)]
    return changes, tf.TensorSpec([size, None], tf.int32)


def changes_of(drawn: Drawn, rows: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The changes of a batch's pictures and of their colours, as `make_batch` puts the pictures together."""
    rows = np.resize(rows, size)
    return drawn.transforms[rows], drawn.colours[rows]


def words_of(examples: Examples, rows: np.ndarray, size: int) -> np.ndarray:
    """The ids that occur in the captions of a batch's pictures, int32 (size, most), 0 at padding."""
    return pad([examples.words[row] for row in np.resize(rows, size)])


def caption_lengths(examples: Examples) -> np.ndarray:
    """Pieces of each caption, the end included, (captions,)."""
    return np.array([len(ids) for rows in examples.captions for ids in rows], int)
