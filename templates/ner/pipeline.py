"""From a data source to batches: read, find the tags' scheme, choose words, turn tokens into ids, pad."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from data.batches import pad
from data.errors import BadLines, UserError
from data.sources.opened_source import OpenedSource
from data.sources.source import Source, resolve_source
from data.sources.split_files import find_splits
from data.tagged_sentences.columns import SUFFIXES, TaggedSentences, read_tagged_sentences
from data.tagged_sentences.datasets import load_tagged_sentences
from data.tagged_sentences.known_datasets import DATASETS
from data.tagged_sentences.tag_schemes import IOBES, OUTSIDE, PLAIN, convert, entities, find_scheme
from data.vocabulary import FIRST_WORD, build_vocabulary
from data.vocabulary import unknown_share as words_unknown

from .config import BENCHMARK, SAMPLE, Config

# Characters and affixes rarer than this are unknown: they would be learned from too little.
LEAST_CHARACTER_COUNT = 2
LEAST_AFFIX_COUNT = 5
# Tags or types told one by one.
MOST_NAMES = 30


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
        find=lambda path: find_splits(path, SUFFIXES, need_train=to_train),
    )


@dataclass(frozen=True)
class Tags:
    """What a tagger chooses from.

    Args:
        scheme: How the data writes entities, one of `data.tagged_sentences.tag_schemes.SCHEMES`; `PLAIN` where tags are
            no entities'.
        names: The tags inside the network: "O" and B-, I-, E-, S- of each type; of plain tags the tags themselves.
    """

    scheme: str
    names: list[str]

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
    """

    tokens: list[np.ndarray]
    tags: list[np.ndarray]
    lengths: np.ndarray
    features: dict[str, np.ndarray]
    sentences: TaggedSentences

    def __len__(self) -> int:
        return len(self.tokens)


def open_source(config: Config, source: Source) -> OpenedSource[TaggedSentences]:
    """Opens a source: sentences by split, as they stand in the file."""
    bad_lines = BadLines(config.skip_bad_lines)

    def read(split: str) -> TaggedSentences:
        if not source.files:
            return load_tagged_sentences(DATASETS[source.name], split)
        return read_tagged_sentences(source.files.path(split), config.tag_column, config.encoding, bad_lines)

    return OpenedSource(source, read, config.validation_fraction, bad_lines)


def in_one_scheme(
    config: Config, opened: OpenedSource, sentences: dict[str, TaggedSentences], scheme: str | None = None
) -> tuple[dict[str, TaggedSentences], str]:
    """Finds the scheme of the tags, and leaves out sentences that do not fit it if bad lines are skipped.

    Args:
        config: The run's configuration.
        opened: Where the sentences are from.
        sentences: The splits.
        scheme: PLAIN if the tags are known to be no entities'; None finds out, unless `task` says it.

    Returns:
        The sentences of each split, and the scheme of their tags.

    Raises:
        UserError: A tag does not fit the others, or none is part of an entity though it should.
    """
    if scheme == PLAIN or config.task == "tags":
        return sentences, PLAIN
    told = [
        (tags, rows.lines[number] if rows.lines else [], opened.place(split))
        for split, rows in sentences.items()
        for number, tags in enumerate(rows.tags)
    ]
    found = find_scheme(told, opened.bad_lines)
    if found.name == PLAIN and (config.task == "entities" or scheme):
        raise UserError(
            f"{opened.source.name}: no tag is part of an entity (such as B-PER); --task tags takes tags as they are"
        )
    left_out, start, kept = set(found.left_out), 0, {}
    for split, rows in sentences.items():
        kept[split] = rows.select(number for number in range(len(rows)) if start + number not in left_out)
        start += len(rows)
    return kept, found.name


def find_tags(opened: OpenedSource, sentences: dict[str, TaggedSentences], scheme: str) -> Tags:
    """What the tagger is to choose from: the tags of the training sentences, and of those held out of them.

    Raises:
        UserError: There is nothing to learn: no entity, or one tag only.
    """
    known, name = ["train", "validation"] if opened.holds_out else ["train"], opened.source.name
    distinct = {tag for split in known for tags in sentences[split].tags for tag in tags}
    if scheme == PLAIN:
        if len(distinct) < 2:
            raise UserError(f"{name}: every token has the tag {min(distinct)!r}; a tagger needs at least two")
        return Tags(scheme, sorted(distinct))
    types = sorted({tag.partition("-")[2] for tag in distinct} - {""})
    if not types:
        raise UserError(f"{name}: no entity in the training sentences, every tag is {OUTSIDE}")
    return Tags(scheme, [OUTSIDE, *(f"{letter}-{entity_type}" for entity_type in types for letter in "BIES")])


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


def make_examples(
    sentences: dict[str, TaggedSentences], features, tags: Tags, place: Callable[[str], str]
) -> dict[str, Examples]:
    """Turns splits into numbers.

    Args:
        sentences: The splits.
        features: The `data.tagged_sentences.token_features.TokenFeatures` layer.
        tags: What the tagger chooses from.
        place: Says where a split stands, for messages.

    Raises:
        UserError: A tag does not occur in the training split.
    """
    distinct = sorted({token for rows in sentences.values() for tokens in rows.tokens for token in tokens})
    numbers = {token: number for number, token in enumerate(distinct, start=1)}
    # Computed once for each distinct token, and looked up batch by batch; row 0 is padding.
    table = features.rows(["", *distinct])
    examples = {}
    for split, rows in sentences.items():
        examples[split] = Examples(
            [np.array([numbers[token] for token in tokens], np.int32) for tokens in rows.tokens],
            _tag_numbers(rows, tags, place(split)),
            np.array([len(tokens) for tokens in rows.tokens], int),
            table,
            rows,
        )
    return examples


def _tag_numbers(rows: TaggedSentences, tags: Tags, place: str) -> list[np.ndarray]:
    numbers = {name: number for number, name in enumerate(tags.names)}
    converted = []
    for sentence, given in enumerate(rows.tags):
        inner = convert(given, tags.scheme, tags.inner_scheme)
        for token, tag in enumerate(inner):
            if tag not in numbers:
                line = rows.lines[sentence][token] if rows.lines else f"sentence {sentence + 1}"
                known = ", ".join(sorted({name.partition("-")[2] or name for name in tags.names})[:12])
                raise UserError(
                    f"{place}:{line}: the tag {given[token]!r} does not occur in training; there are {known}"
                )
        converted.append(np.array([numbers[tag] for tag in inner], np.int32))
    return converted


def describe(examples: Examples, tags: Tags) -> str:
    """A split in one line: sentences, tokens, entities."""
    found = f", {sum(len(entities(row)) for row in examples.sentences.tags):,} entities" if tags.are_entities else ""
    return f"{len(examples):,} sentences, {int(examples.lengths.sum()):,} tokens{found}"


def describe_tags(tags: Tags) -> str:
    """The tags in one line."""
    names = sorted({name.partition("-")[2] for name in tags.names} - {""}) if tags.are_entities else tags.names
    shown = ", ".join(names[:MOST_NAMES]) + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")
    return f"entities of {len(names)} types, written in {tags.scheme}: {shown}" if tags.are_entities else shown


def unknown_share(examples: Examples) -> float:
    """The share of tokens whose word is unknown, 0 to 1."""
    return words_unknown([examples.features["words"][tokens] for tokens in examples.tokens])


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
