"""What a run says of its data: sentences, tags, what training lacks, how raw text is cut."""

from collections import Counter

from data.tagged_sentences.columns import TaggedSentences
from data.tagged_sentences.tag_schemes import LETTERS, UNNAMED, entities
from data.vocabulary import unknown_share as words_unknown

from .config import Config
from .pipeline import Examples, Tags

# So many sentences are joined and cut again, and this share of them is to be as it was.
SENTENCES_TO_CUT, USUAL_SHARE = 200, 0.8
# Tags or types told one by one.
MOST_NAMES = 30


def describe(examples: Examples, tags: Tags) -> str:
    """A split in one line: sentences, tokens, entities."""
    found = f", {sum(len(entities(row)) for row in examples.sentences.tags):,} entities" if tags.are_entities else ""
    return f"{len(examples):,} sentences, {int(examples.lengths.sum()):,} tokens{found}"


def describe_tags(tags: Tags) -> str:
    """The tags in one line."""
    if not tags.are_entities:
        return _few(tags.names)
    written = tags.scheme + (f" (with the letters {', '.join(tags.letters)})" if tags.letters != LETTERS else "")
    types = sorted({name.partition("-")[2] for name in tags.names} - {""})
    if not types:
        return f"entities of one type without a name, written in {written}"
    return f"entities of {len(types)} types, written in {written}: {_few(types)}"


def describe_cut(config: Config, sentences: TaggedSentences) -> str | None:
    """Says that raw text is not cut as the data are; None where it is, as far as the first sentences tell."""
    # Here and not above: it imports TensorFlow.
    from data.tagged_sentences.tokens import split_tokens

    some = sentences.tokens[:SENTENCES_TO_CUT]
    cut = split_tokens([" ".join(tokens) for tokens in some]).tokens.to_list()
    alike = sum([token.decode() for token in found] == tokens for found, tokens in zip(cut, some, strict=True))
    if config.tokens == "blanks" or alike >= USUAL_SHARE * len(some):
        return None
    share = f"{alike / len(some):.0%} of the sentences are cut by the rules for raw text as they are here"
    return f"{share}; --tokens blanks takes what stands between blanks"


def unknown_share(examples: Examples) -> float:
    """The share of tokens whose word is unknown, 0 to 1."""
    return words_unknown([examples.features["words"][tokens] for tokens in examples.tokens])


def not_in_training(sentences: dict[str, TaggedSentences], tags: Tags) -> str | None:
    """The types of entities, or the plain tags, that only splits to measure on have, with how many there are."""
    known = {name.partition("-")[2] or UNNAMED for name in tags.names} if tags.are_entities else {*tags.names}
    told = []
    for split, rows in sentences.items():
        found = Counter(
            name
            for given in rows.tags
            for name in ([entity.type for entity in entities(given)] if tags.are_entities else given)
            if name not in known
        )
        told += [f"{name} ({count:,} in {split})" for name, count in sorted(found.items())]
    return f"{_few(told)}: counted as missed" if told else None


def _few(names: list[str]) -> str:
    return ", ".join(names[:MOST_NAMES]) + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")
