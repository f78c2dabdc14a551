import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from data.errors import BadLines, UserError
from data.tagged_sentences.tag_schemes import (
    IOB1,
    IOB2,
    IOBES,
    PLAIN,
    SCHEMES,
    Entity,
    allowed_transitions,
    convert,
    entities,
    find_scheme,
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


def data_set(*sentences):
    """Sentences given as words, one below the other in a file, with a blank line after each."""
    line, result = 1, []
    for sentence in sentences:
        tags = sentence.split()
        result.append((tags, list(range(line, line + len(tags))), "a.conll"))
        line += len(tags) + 1
    return result


@pytest.mark.parametrize(
    ("sentences", "scheme"),
    [
        (["O O", "O"], IOB2),
        ([], IOB2),
        (["B-A O", "B-A I-A B-A"], IOB2),
        (["O I-A O", "I-A B-A"], IOB1),
        (["I-A I-B", "O O"], IOB1),
        (["B-A E-A S-A", "O"], IOBES),
        (["S-A O"], IOBES),
        (["B-A I-A L-A U-A"], IOBES),
        (["B-A M-A E-A W-A"], IOBES),
        (["B-A M-A E-A S-A"], IOBES),
        (["NOUN VERB PUNCT"], PLAIN),
        (["NN IN S-Sg NN"], PLAIN),
        (["person-actor O"], PLAIN),
        (["B-A-b I-A-b"], IOB2),
    ],
)
def test_the_scheme_is_found(sentences, scheme):
    assert find_scheme(data_set(*sentences)) == (scheme, [])


@settings(max_examples=100, deadline=None)
@given(st.data(), st.sampled_from(SCHEMES))
def test_legal_data_is_found_to_be_in_its_scheme(data, scheme):
    sentences = data.draw(st.lists(legal_tags(scheme), max_size=6))
    expected = scheme if any(tag != "O" for tags in sentences for tag in tags) else IOB2
    assert find_scheme([(tags, [], "x") for tags in sentences]) == (expected, [])


@pytest.mark.parametrize(
    ("sentences", "line", "message", "left_out"),
    [
        (["B-A", "B-A O", "O I-A"], 7, "IOB2, as in 2 of 3 sentences, found I-A after O", [2]),
        (["B-A", "B-A O", "I-A O"], 6, "IOB2, as in 2 of 3 sentences, found I-A at the beginning of a sentence", [2]),
        (["B-A", "B-A O", "B-A I-B"], 7, "IOB2, as in 2 of 3 sentences, found I-B after B-A", [2]),
        (["I-A", "I-A", "B-A"], 5, "IOB1, as in 2 of 3 sentences, found B-A at the beginning of a sentence", [2]),
        (["S-A", "B-A O"], 4, "IOBES, as in 1 of 2 sentences, found O after B-A", [1]),
        (["S-A", "O B-A"], 4, "IOBES, as in 1 of 2 sentences, found B-A at the end of a sentence", [1]),
        (["B-A", "B-A I-A", "S-A E-A", "B-A"], 6, "IOB2, as in 3 of 4 sentences, found S-A at the beginning", [2]),
        (["B-A O", "X-A O"], 4, "O, or a tag that begins with B-, I-, E-, S-, found X-A", [1]),
        (["B-A O", "O A"], 5, "O, or a tag that begins with B-, I-, E-, S-, found A", [1]),
        (["B-A PER"], 2, "O, or a tag that begins with B-, I-, E-, S-, found PER", [0]),
        (["B-A O", "O _"], 5, "O, or a tag that begins with B-, I-, E-, S-, found _", [1]),
        (["B-A O", "O B-"], 5, "a type in the tag, such as B-PER, found B-", [1]),
        (["B-A O", "O I"], 5, "a type in the tag, such as I-PER, found I", [1]),
        (["B I O"], 1, "a type in the tag, such as B-PER, found B", [0]),
        (["S-A B-A E-A", "S-A", "B-A L-A U-A"], 8, "E-, which means the same and occurs more often, found L-A", [2]),
    ],
)
def test_what_contradicts_the_scheme_is_named(sentences, line, message, left_out):
    with pytest.raises(UserError) as error:
        find_scheme(data_set(*sentences))
    assert str(error.value).startswith(f"a.conll:{line}: expected {message}")
    assert str(error.value).endswith("; --skip-bad-lines leaves such lines out")
    bad_lines = BadLines(skip=True)
    found = find_scheme(data_set(*sentences), bad_lines)
    assert (found.left_out, bad_lines.count) == (left_out, 1)
    kept = [one for number, one in enumerate(data_set(*sentences)) if number not in found.left_out]
    assert find_scheme(kept).left_out == []


def test_all_splits_count_together_and_without_lines_the_sentence_is_named():
    train = [(["B-A"], [], "set (train)"), (["O", "B-A"], [], "set (train)"), (["B-A", "I-A"], [], "set (train)")]
    test = [(["O"], [], "set (test)"), (["O", "I-A"], [], "set (test)")]
    with pytest.raises(UserError, match=r"^set \(test\):sentence 2:2: expected IOB2, as in 4 of 5 .*found I-A after O"):
        find_scheme([*train, *test])
    assert find_scheme(test) == (IOB1, [])


def test_a_few_needless_b_do_not_contradict_iob1():
    many = ["O I-A O"] * 198 + ["I-A B-A"]
    assert find_scheme(data_set(*many, "O B-A I-A")) == (IOB1, [])
    with pytest.raises(UserError, match="a.conll:797: expected IOB1, as in 199 of 202 .*, found B-A after O"):
        find_scheme(data_set(*many, *["O B-A I-A"] * 3))
    # But a letter of another scheme is named, and so is an I that begins an entity in IOB2.
    with pytest.raises(UserError, match="found S-A after O"):
        find_scheme(data_set(*many, "O S-A"))
    with pytest.raises(UserError, match="expected IOB2, as in 199 of 200 sentences, found I-A after O"):
        find_scheme(data_set(*["O B-A I-A"] * 199, "O I-A"))
