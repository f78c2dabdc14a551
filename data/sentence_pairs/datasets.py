"""Public sets of sentence pairs, read through TensorFlow Datasets (TFDS)."""

import dataclasses
from pathlib import Path

from data.errors import UserError
from data.sentence_pairs.languages import AUTO, Languages, check_different
from data.sentence_pairs.pairs import SentencePairs
from data.sources.dataset import Dataset
from data.sources.datasets import read_batches


def languages_of(dataset: Dataset, asked: Languages = Languages()) -> Languages:
    """Finds out which languages of a set are meant.

    Args:
        dataset: The set.
        asked: The languages; where both are "auto", they are those that the set is mostly used for, and where one is,
            it is the other one of these, or the only one that goes with the one that is given.

    Returns:
        The languages, none of them "auto"; either direction.

    Raises:
        UserError: The set does not have that pair of languages.

    Example:
        >>> languages_of(DATASETS["multi30k"], Languages("en"))
        Languages(source='en', target='de')
    """
    check_different(asked)
    given = {language for language in asked if language != AUTO}
    possible = [pair for pair in dataset.language_pairs if given <= set(pair)]
    usual = dataset.language_pairs[0]
    if not possible or (len(possible) > 1 and usual not in possible):
        pairs = ", ".join(f"{first} and {second}" for first, second in possible or dataset.language_pairs)
        raise UserError(
            f"{dataset.name} has {pairs}; choose two that go together with --source-language and --target-language"
        )
    pair = usual if usual in possible else possible[0]
    if not given:
        return Languages(*pair)
    is_turned = asked.source == pair[1] or asked.target == pair[0]
    return Languages(*(pair[::-1] if is_turned else pair))


def in_languages(dataset: Dataset, asked: Languages = Languages()) -> Dataset:
    """The part of a set that holds a pair of languages, for `data.sources.source.resolve_source`; all, if it is one.

    Raises:
        UserError: As `languages_of`.
    """
    languages = languages_of(dataset, asked)
    pair = languages if languages in dataset.language_pairs else languages[::-1]
    usual, wanted = _configuration(dataset.language_pairs[0]), _configuration(pair)
    builder, folder = (text.replace(usual, wanted) for text in (dataset.builder, dataset.folder))
    mirror = dataset.mirror if dataset.mirror and set(languages) <= set(dataset.mirror.languages) else None
    return dataclasses.replace(dataset, builder=builder, folder=folder, mirror=mirror)


def _configuration(pair: tuple[str, str]) -> str:
    """What TFDS's ted_hrlr_translate calls a pair: ("az_tr", "en") is aztr_to_en."""
    return f"{pair[0].replace('_', '')}_to_{pair[1]}"


def load_sentence_pairs(
    dataset: Dataset, split: str, asked: Languages = Languages(), data_dir: Path | None = None
) -> SentencePairs:
    """Reads a split of a set of sentence pairs, preparing the set if need be.

    TFDS reads through TensorFlow: threads, devices and determinism must be set before.

    Args:
        dataset: The set.
        split: One of `dataset.splits`, or another common word for it ("dev").
        asked: The languages, as for `languages_of`.
        data_dir: TFDS's data folder; None means `data.sources.datasets.data_folder()`.

    Returns:
        The pairs, always in the same order, which is not that of the archive; `lines` is empty.

    Raises:
        UserError: For an unknown split, as `languages_of`, and as `data.sources.datasets.prepare`.

    Example:
        >>> pairs = load_sentence_pairs(DATASETS["multi30k"], "test", Languages("de", "en"))
        >>> len(pairs)
        1000
    """
    languages = languages_of(dataset, asked)
    # Here and not above: it imports TFDS. By this TFDS knows the set.
    from data.sentence_pairs import multi30k  # noqa: F401

    result = SentencePairs([], [])
    for batch, _ in read_batches(in_languages(dataset, asked), split, languages, data_dir):
        result.sources.extend(text.decode("utf-8", "replace") for text in batch[languages.source].numpy())
        result.targets.extend(text.decode("utf-8", "replace") for text in batch[languages.target].numpy())
    return result
