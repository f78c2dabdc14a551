"""How entities are written as one tag per token: IOB1, IOB2 and IOBES; which of them data is in, and conversions.

A tag is "O" (outside), or a letter that says which part of an entity the token is, and the entity's type: "B-PER".

- IOB1 (CoNLL-2003 as published): I, and B only for an entity right after another one of its type.
- IOB2: B for the first token of every entity, I for the others.
- IOBES: S for the only token, else B for the first, E for the last and I for those between. Data may spell it
  otherwise: L for E, U, or W, for S, M for I (BILOU, BMEWO, BMES); it is written in the letters of IOBES.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from data.errors import BadLines

IOB1, IOB2, IOBES = "IOB1", "IOB2", "IOBES"
# Tags that are no parts of entities, such as parts of speech.
PLAIN = "plain"
SCHEMES = (IOB2, IOB1, IOBES)

OUTSIDE = "O"
# What each letter says, in the letters of IOBES.
_MEANINGS = {"B": "B", "I": "I", "M": "I", "E": "E", "L": "E", "S": "S", "U": "S", "W": "S"}
_NOWHERE = (OUTSIDE, "")
# The share of sentences in which a B that IOB1 does not need counts as a slip, not as another scheme.
_NEEDLESS_B = 0.01

Pair = tuple[str, str]


class Entity(NamedTuple):
    """An entity of a sentence: its type, its first token, and the token after its last, from 0."""

    type: str
    start: int
    end: int


class FoundScheme(NamedTuple):
    """The scheme of a data set, and the numbers, from 0, of the sentences that are not in it."""

    name: str
    left_out: list[int]


def find_scheme(
    sentences: Iterable[tuple[Sequence[str], Sequence[int], str]], bad_lines: BadLines | None = None
) -> FoundScheme:
    """Finds the scheme that a whole data set, all its splits together, is in.

    It is the scheme that the fewest sentences contradict. Without any entity it is IOB2. Tags of which none, or next to
    none, has the form of an entity's are plain classes. A few B's that IOB1 does not need are no contradiction, as they
    say what they say in every scheme, and CoNLL-2003 has two; `convert` writes them as I.

    Args:
        sentences: Of each sentence its tags, the line of each tag (empty when they come from no file) and the file, or
            what else tells where it is.
        bad_lines: What is done with a sentence that contradicts the scheme; None raises for the first.

    Returns:
        One of `SCHEMES`, or `PLAIN`, and the sentences to leave out (none, unless bad lines are skipped).

    Raises:
        UserError: A tag has an unknown letter or no type, one letter is spelled in two ways, or a sentence
            contradicts the scheme, unless bad lines are skipped.

    Example:
        >>> find_scheme([(["I-PER", "O"], [3, 4], "a.conll"), (["B-PER", "I-PER"], [6, 7], "a.conll")])
        Traceback (most recent call last):
        ...
        data.errors.UserError: a.conll:3: expected IOB2, as in 1 of 2 sentences, found I-PER at the beginning of a
        sentence; --skip-bad-lines leaves such lines out
    """
    sentences = list(sentences)
    bad_lines = bad_lines or BadLines(skip=False)
    counts = Counter(itertools.chain.from_iterable(tags for tags, _, _ in sentences))
    if not _are_entity_tags(counts):
        return FoundScheme(PLAIN, [])
    wrong_tags = _wrong_tags(counts)
    with_wrong_tag = {n for n, (tags, _, _) in enumerate(sentences) if not wrong_tags.keys().isdisjoint(tags)}
    scheme, illegal = _best_scheme([tags for n, (tags, _, _) in enumerate(sentences) if n not in with_wrong_tag])
    wrong = {n for n, (tags, _, _) in enumerate(sentences) if not illegal.isdisjoint(_pairs(tags))} | with_wrong_tag
    like = f"{scheme}, as in {len(sentences) - len(wrong)} of {len(sentences)} sentences"
    so_far: Counter[str] = Counter()
    for number, (tags, lines, place) in enumerate(sentences):
        so_far[place] += 1
        if number in wrong:
            token, expected, found = _contradiction(tags, wrong_tags, illegal, like)
            # Without a file: the sentence and its token, as a file has its line and column.
            where = (place, lines[token]) if lines else (f"{place}:sentence {so_far[place]}", token + 1)
            bad_lines.report(*where, expected=expected, found=found)
    return FoundScheme(scheme, sorted(wrong))


def _best_scheme(sentences: list[Sequence[str]]) -> tuple[str, set[Pair]]:
    """The scheme that the fewest sentences contradict, and the pairs of tags that contradict it."""
    pairs = set(itertools.chain.from_iterable(map(_pairs, sentences)))
    illegal = {
        scheme: {(before, after) for before, after in pairs if not _may_follow(_parse(before), _parse(after), scheme)}
        for scheme in SCHEMES
    }
    contradictions = {
        scheme: sum(not illegal[scheme].isdisjoint(_pairs(tags)) for tags in sentences) for scheme in SCHEMES
    }
    has_ends = any(_parse(tag)[0] in ("E", "S") for _, tag in pairs)
    scheme = min((IOBES, IOB2, IOB1) if has_ends else SCHEMES, key=lambda scheme: contradictions[scheme])
    if scheme == IOB1 and contradictions[IOB1] <= _NEEDLESS_B * len(sentences):
        return scheme, {pair for pair in illegal[scheme] if _parse(pair[1])[0] != "B"}
    return scheme, illegal[scheme]


def _pairs(tags: Sequence[str]) -> Iterator[Pair]:
    """Iterates over the neighbours of a sentence, which begins and ends as if next to an O."""
    return zip(itertools.chain((OUTSIDE,), tags), itertools.chain(tags, (OUTSIDE,)))


def _are_entity_tags(counts: Counter[str]) -> bool:
    inside = {tag: count for tag, count in counts.items() if tag != OUTSIDE}
    if all(tag in _MEANINGS for tag in inside):
        return True  # letters without types, which is a mistake, or no entity at all
    formed = sum(count for tag, count in inside.items() if _problem(tag) == "")
    # A part of speech, too, may look like an entity's tag ("S-Sg"); entities come with tokens outside of them.
    return formed > 0 and (OUTSIDE in counts or 2 * formed >= sum(inside.values()))


def _problem(tag: str) -> str:
    """What was expected instead of a tag, or "" for a well-formed one."""
    letter, _, entity_type = tag.partition("-")
    if tag == OUTSIDE or (letter in _MEANINGS and entity_type):
        return ""
    if letter in _MEANINGS:
        return f"a type in the tag, such as {letter}-PER"
    return "O, or a tag that begins with B-, I-, E-, S-"


def _wrong_tags(counts: Counter[str]) -> dict[str, str]:
    """The tags that no sentence may hold, with what was expected instead."""
    wrong = {tag: problem for tag in counts if (problem := _problem(tag))}
    spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for tag, count in counts.items():
        if tag != OUTSIDE and tag not in wrong:
            spellings[_MEANINGS[tag[0]]][tag[0]] += count
    for letters in spellings.values():
        (usual, _), *others = letters.most_common()
        for letter, _ in others:
            same = f"{usual}-, which means the same and occurs more often"
            wrong |= {tag: same for tag in counts if tag.startswith(f"{letter}-")}
    return wrong


def _contradiction(
    tags: Sequence[str], wrong_tags: dict[str, str], illegal: set[Pair], like: str
) -> tuple[int, str, str]:
    """The first token that a sentence should not have so, what was expected and what was found."""
    for token, (before, tag) in enumerate(_pairs(tags)):
        if tag in wrong_tags:
            return token, wrong_tags[tag], tag
        if (before, tag) in illegal:
            break
    if token == len(tags):
        return token - 1, like, f"{before} at the end of a sentence"
    return token, like, f"{tag} after {before}" if token else f"{tag} at the beginning of a sentence"


def _parse(tag: str) -> tuple[str, str]:
    """A tag's letter, in those of IOBES, and its type."""
    if tag == OUTSIDE:
        return _NOWHERE
    letter, _, entity_type = tag.partition("-")
    if letter not in _MEANINGS:
        raise ValueError(f"{tag!r} is not a tag of an entity")
    return _MEANINGS[letter], entity_type or "_"


def _may_follow(before: tuple[str, str], after: tuple[str, str], scheme: str) -> bool:
    """Whether a parsed tag may stand after another one."""
    letter, entity_type = after
    same_type = before != _NOWHERE and before[1] == entity_type
    if scheme == IOB1:
        return letter in (OUTSIDE, "I") or (letter == "B" and same_type)
    if scheme == IOB2:
        return letter in (OUTSIDE, "B") or (letter == "I" and same_type)
    is_open = before[0] in ("B", "I")
    return is_open and same_type if letter in ("I", "E") else not is_open


def entities(tags: Sequence[str]) -> list[Entity]:
    """Finds the entities of a sentence, whatever its scheme, and also where it is in none.

    An I or E goes on with the entity before it when there is one of its type that has not ended; it begins one
    otherwise, as every B and S does.

    Args:
        tags: The tags of one sentence.

    Returns:
        The entities in their order.

    Raises:
        ValueError: For plain tags.

    Example:
        >>> entities(["B-PER", "I-PER", "O", "I-LOC"])
        [Entity(type='PER', start=0, end=2), Entity(type='LOC', start=3, end=4)]

    Source:
        conlleval, the evaluation of CoNLL-2003, and seqeval's default mode: a result that they count is this one's.
    """
    found = []
    start = 0
    letter, entity_type = _NOWHERE
    for token, tag in enumerate(itertools.chain(tags, (OUTSIDE,))):
        next_letter, next_type = _parse(tag)
        if letter in ("B", "I") and next_letter in ("I", "E") and entity_type == next_type:
            letter = next_letter
            continue
        if letter != OUTSIDE:
            found.append(Entity(entity_type, start, token))
        start, letter, entity_type = token, next_letter, next_type
    return found


def convert(tags: Sequence[str], from_scheme: str, to_scheme: str) -> list[str]:
    """Writes the tags of a sentence in another scheme.

    Args:
        tags: The tags of one sentence; those that are not legal are understood as `entities` does.
        from_scheme: The scheme that they are in, one of `SCHEMES` or `PLAIN`.
        to_scheme: The scheme to write; plain tags stay plain.

    Returns:
        As many tags. Converting legal tags there and back gives the same tags.

    Raises:
        ValueError: For an unknown scheme, or between a scheme and plain tags.

    Example:
        >>> convert(["I-PER", "I-PER", "B-PER"], "IOB1", "IOBES")
        ['B-PER', 'E-PER', 'S-PER']
    """
    for scheme in (from_scheme, to_scheme):
        if scheme not in (*SCHEMES, PLAIN):
            raise ValueError(f"unknown scheme {scheme!r}; expected {', '.join((*SCHEMES, PLAIN))}")
    if PLAIN in (from_scheme, to_scheme):
        if from_scheme != to_scheme:
            raise ValueError(f"cannot convert {from_scheme} to {to_scheme}: plain tags say nothing of entities")
        return list(tags)
    written = [OUTSIDE] * len(tags)
    before = Entity("", 0, -1)
    for entity in entities(tags):
        length = entity.end - entity.start
        touches = before.end == entity.start and before.type == entity.type
        first = "I" if to_scheme == IOB1 and not touches else "B"
        letters = [first, *"I" * (length - 1)]
        if to_scheme == IOBES:
            letters = [*letters[:-1], "E"] if length > 1 else ["S"]
        written[entity.start : entity.end] = [f"{letter}-{entity.type}" for letter in letters]
        before = entity
    return written


def allowed_transitions(tag_names: Sequence[str], scheme: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tells which sequences of tags are legal, as a decoder uses it.

    Args:
        tag_names: The tags, in the order of their numbers.
        scheme: One of `SCHEMES` or `PLAIN`, in which everything is allowed.

    Returns:
        first: whether a sentence may begin with a tag, (tags,) bool.
        between: whether a tag (second axis) may follow another one (first axis), (tags, tags) bool.
        last: whether a sentence may end with a tag, (tags,) bool.

    Example:
        >>> first, between, last = allowed_transitions(["O", "B-PER", "I-PER"], "IOB2")
        >>> first
        array([ True,  True, False])
        >>> between[0]
        array([ True,  True, False])
    """
    if scheme == PLAIN:
        size = len(tag_names)
        return np.ones(size, bool), np.ones((size, size), bool), np.ones(size, bool)
    tags = [*map(_parse, tag_names), _NOWHERE]
    allowed = np.array([[_may_follow(before, after, scheme) for after in tags] for before in tags], bool)
    return allowed[-1, :-1], allowed[:-1, :-1], allowed[:-1, -1]
