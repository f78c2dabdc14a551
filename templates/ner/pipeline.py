"""From a data source to batches: read, find the tags' scheme, choose words, turn tokens into ids, pad."""

import dataclasses
from collections import Counter
from dataclasses import dataclass

import numpy as np

from data.batches import pad
from data.errors import BadLines, UserError
from data.sources.opened_source import OpenedSource
from data.sources.source import Source, resolve_source
from data.sources.split_files import find_splits
from data.tagged_sentences.column_layout import Wanted
from data.tagged_sentences.columns import (
    LAST_SUFFIXES,
    SUFFIXES,
    TaggedSentences,
    describe_columns,
    read_tagged_sentences,
)
from data.tagged_sentences.datasets import load_tagged_sentences
from data.tagged_sentences.known_datasets import DATASETS
from data.tagged_sentences.scheme_of_data import FoundScheme, TagsOfSentence, find_scheme
from data.tagged_sentences.tag_schemes import IOBES, LETTERS, OUTSIDE, PLAIN, as_conlleval, convert
from data.vocabulary import FIRST_WORD, build_vocabulary

from .config import BENCHMARK, SAMPLE, Config

# Characters and affixes rarer than this are unknown: they would be learned from too little.
LEAST_CHARACTER_COUNT = 2
LEAST_AFFIX_COUNT = 5


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
        find=lambda path: find_splits(path, SUFFIXES, need_train=to_train, last=LAST_SUFFIXES),
    )


@dataclass(frozen=True)
class Tags:
    """What a tagger chooses from.

    Args:
        scheme: How the data writes entities, one of `data.tagged_sentences.tag_schemes.SCHEMES`; `PLAIN` where tags are
            no entities'.
        names: The tags inside the network: "O" and B-, I-, E-, S- of each type, or B, I, E, S where tags name none; of
            plain tags the tags themselves.
        letters: How the data spell B, I, E and S.
    """

    scheme: str
    names: list[str]
    letters: str = LETTERS

    @property
    def inner_scheme(self) -> str:
        """The scheme of `names`."""
        return PLAIN if self.scheme == PLAIN else IOBES

    @property
    def are_entities(self) -> bool:
        """Whether the tags tell entities."""
        return self.scheme != PLAIN


@dataclass(frozen=True)
class Examples:
    """One split, ready to be cut into batches.

    Args:
        tokens: A row of token numbers per sentence, int32 arrays; a number is a row of `features`, 0 is padding.
        tags: A row of tag numbers per sentence, int32 arrays.
        lengths: Tokens per sentence, (sentences,).
        features: Feature name -> ids of every distinct token, (distinct tokens + 1, ...) int32.
        sentences: The sentences as they were read.
        known: Whether training has all the tags of a sentence, (sentences,) bool. One that it lacks is some number in
            `tags`, so that the sentence has no loss.
    """

    tokens: list[np.ndarray]
    tags: list[np.ndarray]
    lengths: np.ndarray
    features: dict[str, np.ndarray]
    sentences: TaggedSentences
    known: np.ndarray

    def __len__(self) -> int:
        return len(self.tokens)


def open_source(config: Config, source: Source) -> OpenedSource[TaggedSentences]:
    """Opens a source: sentences by split, as they stand in the file."""
    bad_lines = BadLines(config.skip_bad_lines)
    notes: dict[str, str | None] = {}

    def read(split: str) -> TaggedSentences:
        if not source.files:
            return load_tagged_sentences(DATASETS[source.name], split)
        path, before = source.files.path(split), bad_lines.count
        try:
            columns = describe_columns(path, Wanted(config.token_column, config.tag_column), config.encoding)
            rows = read_tagged_sentences(path, config.tag_column, config.encoding, bad_lines, config.token_column)
        except UserError as error:
            advice = "; run --no-test trains without the test split" if split.startswith("test") else ""
            raise UserError(f"{error}{advice}") from None
        if source.kind != "sample" and columns not in notes.values():
            notes["read as" if "read as" not in notes else f"{split} read as"] = columns
        if (bad := bad_lines.count - before) and split not in ("train", "all"):
            notes[f"not measured of {split}"] = f"the sentences around {bad:,} bad line{'s' if bad > 1 else ''}"
        return rows

    return OpenedSource(source, read, config.validation_fraction, bad_lines, notes)


def in_one_scheme(
    config: Config, opened: OpenedSource, sentences: dict[str, TaggedSentences], scheme: str | None = None
) -> tuple[dict[str, TaggedSentences], FoundScheme]:
    """Finds the scheme of the tags; tags that do not fit it are read as conlleval reads them, and noted.

    Args:
        config: The run's configuration.
        opened: Where the sentences are from; told what does not fit.
        sentences: The splits. Of those that are not learned from, no sentence is left out.
        scheme: PLAIN if the tags are known to be no entities'; None finds out, unless `task` says it.

    Returns:
        The sentences of each split, and what was found.

    Raises:
        UserError: A tag to learn from is that of no entity, or none is though it should.
    """
    if scheme == PLAIN or config.task == "tags":
        return sentences, FoundScheme(PLAIN)
    learned = _learned(opened)
    told = [
        TagsOfSentence(tags, rows.lines[n] if rows.lines else [], opened.place(split), split not in learned)
        for split, rows in sentences.items()
        for n, tags in enumerate(rows.tags)
    ]
    found = find_scheme(told, opened.bad_lines)
    if found.name == PLAIN and (config.task == "entities" or scheme):
        hint = found.irregular or "--task tags takes tags as they are"
        raise UserError(f"{opened.source.name}: no tag is part of an entity (such as B-PER); {hint}{_columns(opened)}")
    opened.notes["irregular tags"] = found.irregular or None
    left_out, start, kept = set(found.left_out), 0, {}
    for split, rows in sentences.items():
        rows_kept = rows.select(number for number in range(len(rows)) if start + number not in left_out)
        read = as_conlleval if found.name != PLAIN else str
        kept[split] = dataclasses.replace(rows_kept, tags=[[read(tag) for tag in tags] for tags in rows_kept.tags])
        start += len(rows)
    return kept, found


def _learned(opened: OpenedSource) -> list[str]:
    """The splits whose tags are learned, and those held out of them."""
    return ["train", "validation"] if opened.holds_out else ["train"]


def _columns(opened: OpenedSource) -> str:
    columns = opened.notes.get("read as")
    return f"; columns: {columns}" if columns else ""


def find_tags(opened: OpenedSource, sentences: dict[str, TaggedSentences], scheme: FoundScheme) -> Tags:
    """What the tagger is to choose from: the tags of the training sentences, and of those held out of them.

    Raises:
        UserError: There is nothing to learn: no entity, or one tag only.
    """
    name = opened.source.name
    distinct = {tag for split in _learned(opened) for tags in sentences[split].tags for tag in tags}
    if scheme.name == PLAIN:
        if len(distinct) < 2:
            only = f"every token has the tag {min(distinct)!r}; a tagger needs at least two"
            raise UserError(f"{name}: {only}{_columns(opened)}")
        return Tags(PLAIN, sorted(distinct))
    endings = sorted({tag[1:] for tag in distinct} - {""}) or ([""] if distinct - {OUTSIDE} else [])
    if not endings:
        raise UserError(f"{name}: no entity in the training sentences, every tag is {OUTSIDE}{_columns(opened)}")
    names = [OUTSIDE, *(f"{letter}{ending}" for ending in endings for letter in LETTERS)]
    return Tags(scheme.name, names, scheme.letters)


def best_by(config: Config, tags: Tags) -> str:
    """The metric that chooses the best epoch, where `best_by` is "auto" too.

    Raises:
        UserError: It is one of entities, and the tags are plain.
    """
    if config.best_by == "f1" and not tags.are_entities:
        raise UserError("--best-by f1 is for entities; of plain tags the accuracy is measured")
    if config.best_by != "auto":
        return config.best_by
    return "f1" if tags.are_entities else "accuracy"


def count_words(sentences: TaggedSentences) -> Counter:
    """How often each word, normalised, occurs."""
    return _count(sentences).words


def _count(sentences: TaggedSentences):
    # Here and not above: it imports TensorFlow, and `find_source` is to answer at once.
    from data.tagged_sentences.token_features import count_tokens

    return count_tokens(Counter(token for tokens in sentences.tokens for token in tokens))


def choose_vocabulary(config: Config, sentences: TaggedSentences) -> dict[str, list[str]]:
    """Chooses what gets an id of its own, by the training sentences.

    Returns:
        `words`, `characters` and `affixes`, most frequent first; `rare`, the words that occur once; and `others`, none
        yet: words that only a file of vectors has.
    """
    counts = _count(sentences)
    words = build_vocabulary(counts.words, config.vocabulary_size)
    return {
        "words": words,
        "characters": build_vocabulary(counts.characters, len(counts.characters) + FIRST_WORD, LEAST_CHARACTER_COUNT),
        "affixes": build_vocabulary(counts.affixes, len(counts.affixes) + FIRST_WORD, LEAST_AFFIX_COUNT),
        "rare": [word for word in words if counts.words[word] == 1],
        "others": [],
    }


def make_examples(sentences: dict[str, TaggedSentences], features, tags: Tags) -> dict[str, Examples]:
    """Turns splits into numbers.

    Args:
        sentences: The splits.
        features: The `data.tagged_sentences.token_features.TokenFeatures` layer.
        tags: What the tagger chooses from.
    """
    distinct = sorted({token for rows in sentences.values() for tokens in rows.tokens for token in tokens})
    numbers = {token: number for number, token in enumerate(distinct, start=1)}
    tag_numbers = {name: number for number, name in enumerate(tags.names)}
    # Computed once for each distinct token, and looked up batch by batch; row 0 is padding.
    table = features.rows(["", *distinct])
    examples = {}
    for split, rows in sentences.items():
        inner = [convert(given, tags.scheme, tags.inner_scheme) for given in rows.tags]
        examples[split] = Examples(
            [np.array([numbers[token] for token in tokens], np.int32) for tokens in rows.tokens],
            [np.array([tag_numbers.get(tag, 0) for tag in row], np.int32) for row in inner],
            np.array([len(tokens) for tokens in rows.tokens], int),
            table,
            rows,
            np.array([all(tag in tag_numbers for tag in row) for row in inner], bool),
        )
    return examples


def batch_signature(features: dict[str, np.ndarray]):
    """The shapes and types of `make_batch`'s tensors."""
    import tensorflow as tf

    ids = {name: tf.TensorSpec([None, None, *rows.shape[1:]], tf.int32) for name, rows in features.items()}
    return [ids, tf.TensorSpec([None, None], tf.int32)]


def make_batch(
    examples: Examples, rows: np.ndarray, size: int, multiple: int = 1
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Cuts one batch.

    Args:
        examples: The split.
        rows: Which sentences.
        size: The number of rows is brought to this with empty sentences: every batch is of one size, which is compiled
            once.
        multiple: The padded length is a multiple of this.

    Returns:
        The features, each (rows, time, ...) int32, 0 at padding; tags (rows, time) int32.
    """
    spare = [np.zeros(0, np.int32)] * (size - len(rows))
    tokens = pad([*(examples.tokens[row] for row in rows), *spare], multiple)
    tags = pad([*(examples.tags[row] for row in rows), *spare], multiple)
    return {name: ids[tokens] for name, ids in examples.features.items()}, tags
