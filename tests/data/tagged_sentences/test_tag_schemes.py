import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from data.tagged_sentences.tag_schemes import (
    IOB1,
    IOB2,
    IOBES,
    LETTERS,
    PLAIN,
    SCHEMES,
    Entity,
    allowed_transitions,
    as_conlleval,
    convert,
    entities,
    is_entity_tag,
)

TYPES = ("PER", "LOC-deriv")
ALL_TAGS = ["O", *(f"{letter}-{entity_type}" for letter in "BIES" for entity_type in TYPES)]
any_tags = st.lists(st.sampled_from([*ALL_TAGS, "B", "I-", "E", "S-"]), max_size=12)


def layouts(length):
    """Every way to lay entities on a sentence: a tuple of (start, end, type)."""
    if length <= 0:
        return [()] if length == 0 else []
    found = [*layouts(length - 1)]
    for size in range(1, length + 1):
        for rest in layouts(length - size):
            found += [(*rest, (length - size, length, entity_type)) for entity_type in TYPES]
    return found


def written(layout, length, scheme):
    """The legal tags for a layout, written down from the schemes' definitions."""
    tags = ["O"] * length
    for start, end, entity_type in layout:
        for token in range(start, end):
            if scheme == IOBES and end - start == 1:
                letter = "S"
            elif scheme == IOBES and token == end - 1:
                letter = "E"
            elif token > start:
                letter = "I"
            else:
                follows = any(other[1] == start and other[2] == entity_type for other in layout)
                letter = "B" if follows or scheme != IOB1 else "I"
            tags[token] = f"{letter}-{entity_type}"
    return tags


@st.composite
def legal_tags(draw, scheme):
    tags, length = [], 0
    layout = []
    for entity_type, size in draw(st.lists(st.tuples(st.sampled_from(["", *TYPES]), st.integers(1, 4)), max_size=8)):
        if entity_type:
            layout.append((length, length + size, entity_type))
        length += size
    return tags + written(layout, length, scheme)


@settings(max_examples=300, deadline=None)
@given(any_tags)
def test_entities_are_those_of_seqeval(tags):
    expected = [Entity(entity_type, start, last + 1) for entity_type, start, last in get_entities(tags)]
    assert entities(tags) == expected


def test_entities_of_short_sentences_are_those_of_seqeval():
    for length in (1, 2, 3):
        for tags in itertools.product(ALL_TAGS, repeat=length):
            assert [(entity.type, entity.start, entity.end - 1) for entity in entities(tags)] == get_entities([*tags])


def test_entities_of_other_spellings():
    assert entities(["B-A", "I-A", "L-A", "U-A", "U-A"]) == [Entity("A", 0, 3), Entity("A", 3, 4), Entity("A", 4, 5)]
    assert entities(["B-A", "M-A", "E-A", "W-A", "O"]) == [Entity("A", 0, 3), Entity("A", 3, 4)]
    assert entities([]) == []
    with pytest.raises(ValueError, match="'NOUN' is not a tag of an entity"):
        entities(["NOUN"])


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_sequence_is_allowed_when_it_is_legal(scheme):
    # Letters that the scheme does not have are there too: they must never be allowed.
    first, between, last = allowed_transitions(ALL_TAGS, scheme)
    assert (first.dtype, between.dtype, last.dtype) == (bool, bool, bool)
    assert (first.shape, between.shape, last.shape) == ((9,), (9, 9), (9,))
    for length in (1, 2, 3, 4):
        legal = {tuple(written(layout, length, scheme)) for layout in layouts(length)}
        # With `first` and `between` alone the number of sequences stays small enough to go through all of them.
        begun = [(number,) for number in np.flatnonzero(first)]
        for _ in range(length - 1):
            begun = [(*numbers, after) for numbers in begun for after in np.flatnonzero(between[numbers[-1]])]
        allowed = [tuple(ALL_TAGS[number] for number in numbers) for numbers in begun if last[numbers[-1]]]
        assert len(set(allowed)) == len(allowed)
        assert set(allowed) == legal


def test_transitions_do_not_need_an_outside_tag():
    first, between, last = allowed_transitions(["I-A", "B-A", "B-B"], IOB2)
    assert first.tolist() == [False, True, True]
    assert between.tolist() == [[True, True, True], [True, True, True], [False, True, True]]
    assert last.tolist() == [True, True, True]
    first, between, last = allowed_transitions(["B-A", "L-A", "U-A"], IOBES)
    assert (first.tolist(), last.tolist()) == ([True, False, True], [False, True, True])
    assert between.tolist() == [[False, True, False], [True, False, True], [True, False, True]]
    for allowed in allowed_transitions(["NOUN", "VERB"], PLAIN):
        assert allowed.all()


@pytest.mark.parametrize(("scheme", "other"), [*itertools.permutations(SCHEMES, 2)])
@settings(max_examples=80, deadline=None)
@given(st.data())
def test_there_and_back_is_the_same(scheme, other, data):
    tags = data.draw(legal_tags(scheme))
    there = convert(tags, scheme, other)
    assert entities(there) == entities(tags)
    assert convert(there, other, scheme) == tags
    assert convert(tags, scheme, scheme) == tags


@settings(max_examples=150, deadline=None)
@given(any_tags.filter(lambda tags: not {"B", "I-", "E", "S-"} & set(tags)), st.sampled_from(SCHEMES))
def test_whatever_is_converted_is_legal_and_has_the_same_entities(tags, scheme):
    converted = convert(tags, IOB2, scheme)
    assert entities(converted) == entities(tags)
    layout = [(entity.start, entity.end, entity.type) for entity in entities(tags)]
    assert converted == written(layout, len(tags), scheme)


def test_conversions():
    side_by_side = ["I-A", "I-A", "B-A", "I-B", "O", "I-A"]
    assert convert(side_by_side, IOB1, IOB2) == ["B-A", "I-A", "B-A", "B-B", "O", "B-A"]
    assert convert(side_by_side, IOB1, IOBES) == ["B-A", "E-A", "S-A", "S-B", "O", "S-A"]
    assert convert(["B-A", "L-A", "U-A"], IOBES, IOBES) == ["B-A", "E-A", "S-A"]
    assert convert(["O", "B-A"], IOB1, IOB1) == ["O", "I-A"]
    assert convert(["NOUN"], PLAIN, PLAIN) == ["NOUN"]
    with pytest.raises(ValueError, match="cannot convert plain to IOB2"):
        convert(["NOUN"], PLAIN, IOB2)
    with pytest.raises(ValueError, match="unknown scheme 'BIO'; expected IOB2, IOB1, IOBES, plain"):
        convert(["O"], "BIO", IOB2)
    assert convert(["I", "I", "O", "B"], IOB2, IOBES) == ["B", "E", "O", "S"]


@settings(max_examples=100, deadline=None)
@given(st.data(), st.sampled_from(["BIES", "BILU", "BMES", "BMEW"]), st.sampled_from(SCHEMES))
def test_what_is_written_in_other_letters_has_the_same_entities(data, letters, scheme):
    tags = data.draw(legal_tags(scheme))
    spelled = convert(tags, scheme, scheme, letters)
    assert entities(spelled) == entities(tags)
    assert spelled == [letters[LETTERS.index(tag[0])] + tag[1:] if tag != "O" else tag for tag in tags]
    unnamed = [tag[0] for tag in tags]
    assert [(entity.start, entity.end - 1) for entity in entities(unnamed)] == [of[1:] for of in get_entities(unnamed)]
    assert all(tag in {"O", *"BIES"} for tag in convert(unnamed, scheme, IOBES))
    assert entities(convert(unnamed, scheme, IOBES)) == entities(unnamed)


def test_tags_that_are_none_are_read_as_conlleval_reads_them():
    tags = ["O", "B-PER", "S-PER", "X-PER", "PER", "B-", "-PER"]
    assert [*map(as_conlleval, tags)] == ["O", "B-PER", "S-PER", "I-PER", "I-_", "B-_", "I-PER"]
    assert [*map(is_entity_tag, ["B", "U-a-b", *tags])] == [True, True, False, True, True, *[False] * 4]
    # Whatever has another letter goes on with an entity of its type, in conlleval.pl: neither its end nor its start.
    assert entities([*map(as_conlleval, ["B-PER", "X-PER", "O", "X-PER"])]) == [
        Entity("PER", 0, 2),
        Entity("PER", 3, 4),
    ]
