"""From a data source to batches: read, learn pieces, cut sentences into them, leave pairs out, pad."""

from dataclasses import dataclass, replace

import numpy as np

from data.batches import pad
from data.errors import BadLines
from data.sentence_pairs.columns import Reading
from data.sentence_pairs.datasets import in_languages, load_sentence_pairs
from data.sentence_pairs.datasets import languages_of as choose_languages
from data.sentence_pairs.files import PairFiles, find_pairs
from data.sentence_pairs.filters import describe_entities, filter_pairs
from data.sentence_pairs.known_datasets import DATASETS
from data.sentence_pairs.languages import UNNAMED, Languages
from data.sentence_pairs.pairs import SentencePairs
from data.sources.opened_source import OpenedSource
from data.sources.source import Source, resolve_source
from data.subwords.ids import END, START
from data.subwords.learning import learn_pieces
from data.subwords.pieces import Subwords, count_words

from .config import BENCHMARK, SAMPLE, Config


def find_source(config: Config, to_train: bool = True) -> Source[PairFiles]:
    """Finds out what `--data` means, without TensorFlow: a mistake is answered at once.

    Args:
        config: The run's configuration.
        to_train: Whether a folder without a train file is a mistake; to evaluate, a test file is enough.

    Raises:
        UserError: There is no such data, or its languages cannot be told.
    """
    asked = Languages(config.source_language, config.target_language)
    source = resolve_source(
        config.data,
        benchmark=BENCHMARK,
        sample=SAMPLE,
        datasets=DATASETS,
        find=lambda path: find_pairs(path, asked, reading_of(config), need_train=to_train),
        choose=lambda dataset: in_languages(dataset, asked),
        # A mirror's columns do not tell which language the set is mostly translated from.
        find_mirrored=lambda path: find_pairs(path, _usual(config, asked), reading_of(config), need_train=to_train),
    )
    languages = source.files.languages if source.files else choose_languages(DATASETS[source.name], asked)
    if languages == UNNAMED:
        return source
    return replace(source, resolved={"source_language": languages.source, "target_language": languages.target})


def reading_of(config: Config) -> Reading:
    """How files are to be read."""
    return Reading(config.encoding, config.delimiter, config.header)


def _usual(config: Config, asked: Languages) -> Languages:
    return choose_languages(DATASETS.get(config.data, DATASETS[BENCHMARK]), asked)


def languages_of(source: Source[PairFiles]) -> Languages:
    """The two languages, as the data call them."""
    return Languages(*source.resolved.values()) if source.resolved else Languages(*UNNAMED)


def open_source(config: Config, source: Source[PairFiles]) -> OpenedSource[SentencePairs]:
    """Opens a source: pairs by split, as they stand in the files."""
    bad_lines = BadLines(config.skip_bad_lines)
    notes: dict[str, str | None] = {}

    def read(split: str) -> SentencePairs:
        if not source.files:
            return load_sentence_pairs(DATASETS[source.name], split, languages_of(source))
        pairs = source.files.read(split, reading_of(config), bad_lines)
        notes[f"entities in {split}"] = describe_entities(pairs)
        return pairs

    if source.files and source.kind != "sample":
        notes["read as"] = source.files.notice or None
    return OpenedSource(source, read, config.validation_fraction, bad_lines, notes)


def learn_vocabulary(config: Config, pairs: SentencePairs) -> dict[str, list[str]]:
    """Learns pieces from the training pairs.

    Returns:
        `source` and `target`, the pieces of each; of a shared vocabulary both are the same.
    """
    counts = [count_words(pairs.sources), count_words(pairs.targets)]
    if config.vocabulary == "shared":
        counts = [counts[0] + counts[1]] * 2
    source = learn_pieces(counts[0], config.vocabulary_size)
    target = source if config.vocabulary == "shared" else learn_pieces(counts[1], config.vocabulary_size)
    return {"source": source, "target": target}


def subwords_of(vocabulary: dict[str, list[str]]) -> tuple[Subwords, Subwords]:
    """The source's and the target's subwords, of what `learn_vocabulary` learned."""
    return Subwords(vocabulary["source"]), Subwords(vocabulary["target"])


def filter_training(config: Config, pairs: SentencePairs) -> tuple[SentencePairs, str]:
    """Leaves out training pairs that are too long, or whose sides are of unlike lengths.

    Returns:
        The pairs that are left, and a sentence about the others; "" if there are none.

    Raises:
        UserError: No pair is left.
    """
    return filter_pairs(pairs, config.longest, config.largest_ratio)


@dataclass(frozen=True)
class Examples:
    """One split, ready to be cut into batches.

    Args:
        sources: A row of piece ids per sentence, the end last, int32 arrays.
        targets: The same of the translations.
        pairs: The sentences as they were read.
    """

    sources: list[np.ndarray]
    targets: list[np.ndarray]
    pairs: SentencePairs

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def lengths(self) -> np.ndarray:
        """Pieces of each source, the end included, (sentences,)."""
        return np.array([len(ids) for ids in self.sources], int)

    @property
    def target_lengths(self) -> np.ndarray:
        """Pieces of each target, the end included, (sentences,)."""
        return np.array([len(ids) for ids in self.targets], int)

    @property
    def order(self) -> np.ndarray:
        """By what rows are put together in a batch: the target's length, and of equal ones the source's."""
        lengths = self.lengths
        return self.target_lengths * (1 + lengths.max(initial=0)) + lengths


def make_examples(pairs: SentencePairs, source: Subwords, target: Subwords) -> Examples:
    """Cuts the sentences of a split into pieces."""
    return Examples(_with_ends(map(source.encode, pairs.sources)), _with_ends(map(target.encode, pairs.targets)), pairs)


def cut_anew(config: Config, examples: Examples, source: Subwords, target: Subwords, epoch: int) -> Examples:
    """The training examples of an epoch: cut into other pieces each time, if `--subword-dropout` says so.

    What comes out depends on the seed and the epoch alone: a run that goes on sees the same.
    """
    if not config.subword_dropout:
        return examples
    random = np.random.default_rng([config.seed, epoch, 1])

    def cut(subwords: Subwords, texts: list[str]) -> list[np.ndarray]:
        return _with_ends(subwords.encode_with_dropout(text, config.subword_dropout, random) for text in texts)

    pairs = examples.pairs
    return Examples(cut(source, pairs.sources), cut(target, pairs.targets), pairs)


def _with_ends(rows) -> list[np.ndarray]:
    return [np.array([*ids, END], np.int32) for ids in rows]


def describe(examples: Examples) -> str:
    """A split in one line: pairs, pieces of both sides."""
    pieces = f"{examples.lengths.sum():,} and {examples.target_lengths.sum():,} pieces"
    return f"{len(examples):,} pairs, {pieces}"


def describe_vocabulary(config: Config, source: Subwords, target: Subwords) -> str:
    """The vocabularies in one line."""
    if config.vocabulary == "shared":
        return f"{source.size:,} ids for both languages, 256 of them single bytes"
    return f"{source.size:,} and {target.size:,} ids, 256 of each single bytes"


def batch_signature(rows: int | None = None):
    """The shapes and types of `make_batch`'s tensors."""
    import tensorflow as tf

    return [tf.TensorSpec([rows, None], tf.int32)] * 3


def make_batch(
    examples: Examples, rows: np.ndarray, size: int, multiple: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cuts one batch.

    Args:
        examples: The split.
        rows: Which sentences.
        size: The number of rows is brought to this with empty sentences: every batch is of one size, which is compiled
            once.
        multiple: The padded lengths are multiples of this.

    Returns:
        The sources (rows, places); the targets' ids before each id, which begin with the start (rows, steps); the
        targets (rows, steps); all int32, 0 at padding.
    """
    spare = [np.zeros(0, np.int32)] * (size - len(rows))
    sources = pad([*(examples.sources[row] for row in rows), *spare], multiple)
    targets = pad([*(examples.targets[row] for row in rows), *spare], multiple)
    before = np.concatenate([np.full((size, 1), START, np.int32), targets[:, :-1]], axis=1)
    return sources, before, targets
