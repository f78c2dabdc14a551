"""How entities are written as one tag per token: IOB1, IOB2 and IOBES, and conversions between them.

A tag is "O" (outside), or a letter that says which part of an entity the token is, and the entity's type: "B-PER".

- IOB1 (CoNLL-2003 as published): I, and B only for an entity right after another one of its type.
- IOB2: B for the first token of every entity, I for the others.
- IOBES: S for the only token, else B for the first, E for the last and I for those between. Data may spell it
  otherwise: L for E, U, or W, for S, M for I (BILOU, BMEWO, BMES).

A letter alone ("B") is a tag of one unnamed type, which entities call "_".
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

IOB1, IOB2, IOBES = "IOB1", "IOB2", "IOBES"
# Tags that are no parts of entities, such as parts of speech.
PLAIN = "plain"
SCHEMES = (IOB2, IOB1, IOBES)

OUTSIDE = "O"
# What each letter says, in the letters of IOBES.
MEANINGS = {"B": "B", "I": "I", "M": "I", "E": "E", "L": "E", "S": "S", "U": "S", "W": "S"}
# How data may spell B, I, E and S; the first is how they are meant here.
LETTERS = "BIES"
# The type of an entity whose tags name none.
UNNAMED = "_"
_NOWHERE = (OUTSIDE, "")


class Entity(NamedTuple):
    """An entity of a sentence: its type, its first token, and the token after its last, from 0."""

    type: str
    start: int
    end: int


def is_entity_tag(tag: str) -> bool:
    """Whether a tag says that a token is part of an entity: B-PER, or B alone."""
    letter, hyphen, entity_type = tag.partition("-")
    return letter in MEANINGS and bool(entity_type) == bool(hyphen)


def as_conlleval(tag: str) -> str:
    """A tag as conlleval reads it: whatever is not O and has no letter that it knows goes on with an entity, as I does.

    Example:
        >>> as_conlleval("B-PER"), as_conlleval("X-PER"), as_conlleval("PER")
        ('B-PER', 'I-PER', 'I-_')
    """
    if tag == OUTSIDE or is_entity_tag(tag):
        return tag
    letter, _, entity_type = tag.partition("-")
    return f"{letter if letter in MEANINGS else 'I'}-{entity_type or UNNAMED}"


def parse(tag: str) -> tuple[str, str]:
    """A tag's letter, in those of IOBES, and its type."""
    if tag == OUTSIDE:
        return _NOWHERE
    letter, _, entity_type = tag.partition("-")
    if letter not in MEANINGS:
        raise ValueError(f"{tag!r} is not a tag of an entity")
    return MEANINGS[letter], entity_type or UNNAMED


def may_follow(before: tuple[str, str], after: tuple[str, str], scheme: str) -> bool:
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
        next_letter, next_type = parse(tag)
        if letter in ("B", "I") and next_letter in ("I", "E") and entity_type == next_type:
            letter = next_letter
            continue
        if letter != OUTSIDE:
            found.append(Entity(entity_type, start, token))
        start, letter, entity_type = token, next_letter, next_type
    return found


def convert(tags: Sequence[str], from_scheme: str, to_scheme: str, letters: str = LETTERS) -> list[str]:
    """Writes the tags of a sentence in another scheme.

    Args:
        tags: The tags of one sentence; those that are not legal are understood as `entities` does.
        from_scheme: The scheme that they are in, one of `SCHEMES` or `PLAIN`.
        to_scheme: The scheme to write; plain tags stay plain.
        letters: How to spell B, I, E and S.

    Returns:
        As many tags; where they name no type, letters alone. Converting legal tags there and back gives the same tags.

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
    unnamed = any(tag in MEANINGS for tag in tags)
    before = Entity("", 0, -1)
    for entity in entities(tags):
        length = entity.end - entity.start
        touches = before.end == entity.start and before.type == entity.type
        first = "I" if to_scheme == IOB1 and not touches else "B"
        parts = [first, *"I" * (length - 1)]
        if to_scheme == IOBES:
            parts = [*parts[:-1], "E"] if length > 1 else ["S"]
        ending = "" if unnamed and entity.type == UNNAMED else f"-{entity.type}"
        written[entity.start : entity.end] = [f"{letters[LETTERS.index(part)]}{ending}" for part in parts]
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
    tags = [*map(parse, tag_names), _NOWHERE]
    allowed = np.array([[may_follow(before, after, scheme) for after in tags] for before in tags], bool)
    return allowed[-1, :-1], allowed[:-1, :-1], allowed[:-1, -1]
