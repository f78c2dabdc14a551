"""Which scheme the tags of a data set are in, IOB1, IOB2 or IOBES, in which letters, and what does not fit it."""

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import NamedTuple

from data.errors import BadLines
from data.tagged_sentences.tag_schemes import (
    IOB1,
    IOB2,
    IOBES,
    LETTERS,
    MEANINGS,
    OUTSIDE,
    PLAIN,
    SCHEMES,
    is_entity_tag,
    may_follow,
    parse,
)

# How data may spell B, I, E and S.
_SPELLINGS = (LETTERS, "BILU", "BMES", "BMEW")
# What people mean to be tags of entities, and what is none: b-per, B_PER, PER-B.
_ALMOST = re.compile(r"[BIESLUMW][-_:].+|.+[-_:][BIESLUMW]", re.IGNORECASE)

Pair = tuple[str, str]


class TagsOfSentence(NamedTuple):
    """The tags of a sentence, and where they stand.

    Args:
        tags: One for each token.
        lines: The line of each; empty when they come from no file.
        place: The file, or what else tells where the sentence is.
        is_measured: Whether a model is measured on it: then it is never left out.
    """

    tags: Sequence[str]
    lines: Sequence[int]
    place: str
    is_measured: bool = False


class FoundScheme(NamedTuple):
    """The scheme of a data set.

    Args:
        name: One of `SCHEMES`, or `PLAIN`.
        letters: How the data spell B, I, E and S.
        left_out: The numbers, from 0, of the sentences that cannot be used.
        irregular: How many sentences are not in the scheme, and the first of them, in words; "" if all are. Of plain
            tags: that they look almost like those of entities.
    """

    name: str
    letters: str = LETTERS
    left_out: tuple[int, ...] = ()
    irregular: str = ""


def find_scheme(sentences: Iterable[TagsOfSentence], bad_lines: BadLines | None = None) -> FoundScheme:
    """Finds the scheme that a whole data set, all its splits together, is in.

    It is the scheme that the fewest sentences contradict; those that do are read as conlleval reads them, by
    `entities`. Without any entity it is IOB2. Tags of which none, or next to none, has the form of an entity's are
    plain classes.

    Args:
        sentences: The sentences.
        bad_lines: What is done with a sentence one of whose tags has an unknown letter or no type, unless it is
            measured; None raises for the first.

    Returns:
        The scheme, and what does not fit it.

    Raises:
        UserError: A tag is not that of an entity, unless bad lines are skipped.

    Example:
        >>> find_scheme([TagsOfSentence(["I-A", "O"], [3, 4], "x"), TagsOfSentence(["B-A", "I-A"], [6, 7], "x")])[::3]
        ('IOB2', '1 of 2 sentences does not follow IOB2 and is read as by conlleval (x:3: I-A at the beginning of ...)')
    """
    sentences = list(sentences)
    bad_lines = bad_lines or BadLines(skip=False)
    counts = Counter(itertools.chain.from_iterable(sentence.tags for sentence in sentences))
    if not _are_entity_tags(counts):
        return FoundScheme(PLAIN, irregular=_almost_entities(counts))
    wrong_tags, letters = _wrong_tags(counts), _letters(counts)
    with_wrong_tag = {n for n, (tags, *_) in enumerate(sentences) if not wrong_tags.keys().isdisjoint(tags)}
    scheme, illegal = _best_scheme([s.tags for n, s in enumerate(sentences) if n not in with_wrong_tag])
    odd = wrong_tags.keys() | {tag for tag in counts if tag[:1] not in f"{OUTSIDE}{letters}"}
    left_out, irregular = [], []
    so_far: Counter[str] = Counter()
    for number, sentence in enumerate(sentences):
        so_far[sentence.place] += 1
        wrong = next((token for token, tag in enumerate(sentence.tags) if tag in wrong_tags), None)
        if wrong is not None and not sentence.is_measured:
            tag = sentence.tags[wrong]
            bad_lines.report(*_where(sentence, wrong, so_far), expected=wrong_tags[tag], found=tag)
            left_out.append(number)
        elif found := _contradiction(sentence.tags, odd, illegal):
            place, line = _where(sentence, found[0], so_far)
            irregular.append(f"{place}:{line}: {found[1]}")
    if not irregular:
        return FoundScheme(scheme, letters, tuple(left_out))
    verbs = ("does", "is") if len(irregular) == 1 else ("do", "are")
    told = f"{len(irregular):,} of {len(sentences):,} sentences {verbs[0]} not follow {scheme} and {verbs[1]} read"
    return FoundScheme(scheme, letters, tuple(left_out), f"{told} as by conlleval ({irregular[0]})")


def _where(sentence: TagsOfSentence, token: int, so_far: Counter[str]) -> tuple[str, int]:
    """The file and the line of a token; without a file the sentence, and the token's number in it."""
    if sentence.lines:
        return sentence.place, sentence.lines[token]
    return f"{sentence.place}:sentence {so_far[sentence.place]}", token + 1


def _best_scheme(sentences: list[Sequence[str]]) -> tuple[str, set[Pair]]:
    """The scheme that the fewest sentences contradict, and the pairs of tags that contradict it."""
    pairs = set(itertools.chain.from_iterable(map(_pairs, sentences)))
    illegal = {
        scheme: {(before, after) for before, after in pairs if not may_follow(parse(before), parse(after), scheme)}
        for scheme in SCHEMES
    }
    contradictions = {
        scheme: sum(not illegal[scheme].isdisjoint(_pairs(tags)) for tags in sentences) for scheme in SCHEMES
    }
    has_ends = any(parse(tag)[0] in ("E", "S") for _, tag in pairs)
    scheme = min((IOBES, IOB2, IOB1) if has_ends else SCHEMES, key=lambda scheme: contradictions[scheme])
    return scheme, illegal[scheme]


def _pairs(tags: Sequence[str]) -> Iterator[Pair]:
    """Iterates over the neighbours of a sentence, which begins and ends as if next to an O."""
    return zip(itertools.chain((OUTSIDE,), tags), itertools.chain(tags, (OUTSIDE,)))


def _are_entity_tags(counts: Counter[str]) -> bool:
    inside = {tag: count for tag, count in counts.items() if tag != OUTSIDE}
    if all(tag in MEANINGS for tag in inside):
        return True  # letters without types, or no entity at all
    formed = sum(count for tag, count in inside.items() if is_entity_tag(tag) and tag not in MEANINGS)
    # A part of speech, too, may look like an entity's tag ("S-Sg"); entities come with tokens outside of them.
    return formed > 0 and (OUTSIDE in counts or 2 * formed >= sum(inside.values()))


def _almost_entities(counts: Counter[str]) -> str:
    """Says of plain tags that they look like those of entities, but are not written so; "" if they do not."""
    inside = Counter({tag: count for tag, count in counts.items() if tag not in (OUTSIDE, OUTSIDE.lower())})
    almost = Counter({tag: count for tag, count in inside.items() if _ALMOST.fullmatch(tag)})
    if len(inside) == len(counts) or 2 * almost.total() < inside.total():
        return ""
    return (
        f"{almost.most_common(1)[0][0]} and its like are taken as plain tags; tags of entities are written B-PER: a "
        f"capital letter, a hyphen, the type; and {OUTSIDE} outside"
    )


def _wrong_tags(counts: Counter[str]) -> dict[str, str]:
    """The tags that are no entity's, with what was expected instead."""
    are_unnamed = all(tag in MEANINGS for tag in counts if tag != OUTSIDE)
    wrong = {}
    for tag in counts:
        letter = tag.partition("-")[0]
        if letter in MEANINGS and (not is_entity_tag(tag) or (tag == letter and not are_unnamed)):
            wrong[tag] = f"a type in the tag, such as {letter}-PER"
        elif tag != OUTSIDE and not is_entity_tag(tag):
            wrong[tag] = "O, or a tag that begins with B-, I-, E-, S-"
    return wrong


def _letters(counts: Counter[str]) -> str:
    """How most tags spell B, I, E and S; a letter that does not occur is that of the spelling which has the others."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for tag, count in counts.items():
        if is_entity_tag(tag):
            found[MEANINGS[tag[0]]][tag[0]] += count
    usual = {letter: spelled.most_common(1)[0][0] for letter, spelled in found.items()}
    known = next((s for s in _SPELLINGS if all(s[LETTERS.index(letter)] == usual[letter] for letter in usual)), LETTERS)
    return "".join(usual.get(letter, spelled) for letter, spelled in zip(LETTERS, known))


def _contradiction(tags: Sequence[str], odd: Set[str], illegal: set[Pair]) -> tuple[int, str] | None:
    """The first token that a sentence should not have so, and what was found there; None if there is none."""
    for token, (before, tag) in enumerate(_pairs(tags)):
        if tag in odd:
            return token, tag
        if (before, tag) in illegal:
            if token == len(tags):
                return token - 1, f"{before} at the end of a sentence"
            return token, f"{tag} after {before}" if token else f"{tag} at the beginning of a sentence"
    return None
