"""Which scheme data are in: found over all sentences, what does not fit it counted, and nothing lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import BadLines, UserError
from data.tagged_sentences.scheme_of_data import TagsOfSentence, find_scheme
from data.tagged_sentences.tag_schemes import IOB1, IOB2, IOBES, PLAIN, SCHEMES
from tests.data.tagged_sentences.test_tag_schemes import legal_tags


def data_set(*sentences):
    """Sentences given as words, one below the other in a file, with a blank line after each."""
    line, result = 1, []
    for sentence in sentences:
        tags = sentence.split()
        result.append(TagsOfSentence(tags, list(range(line, line + len(tags))), "a.conll"))
        line += len(tags) + 1
    return result


@pytest.mark.parametrize(
    ("sentences", "scheme", "letters"),
    [
        (["O O", "O"], IOB2, "BIES"),
        ([], IOB2, "BIES"),
        (["B-A O", "B-A I-A B-A"], IOB2, "BIES"),
        (["O I-A O", "I-A B-A"], IOB1, "BIES"),
        (["I-A I-B", "O O"], IOB1, "BIES"),
        (["B-A E-A S-A", "O"], IOBES, "BIES"),
        (["S-A O"], IOBES, "BIES"),
        (["U-A O"], IOBES, "BILU"),
        (["B-A I-A L-A U-A"], IOBES, "BILU"),
        (["B-A L-A"], IOBES, "BILU"),
        (["B-A M-A E-A W-A"], IOBES, "BMEW"),
        (["B-A M-A E-A S-A"], IOBES, "BMES"),
        (["B-A M-A E-A"], IOBES, "BMES"),
        (["B M E S"], IOBES, "BMES"),
        (["B I O"], IOB2, "BIES"),
        (["I I O", "B"], IOB2, "BIES"),
        (["I I O", "I B"], IOB1, "BIES"),
        (["NOUN VERB PUNCT"], PLAIN, "BIES"),
        (["NN IN S-Sg NN"], PLAIN, "BIES"),
        (["person-actor O"], PLAIN, "BIES"),
        (["B-A-b I-A-b"], IOB2, "BIES"),
    ],
)
def test_the_scheme_is_found(sentences, scheme, letters):
    found = find_scheme(data_set(*sentences))
    assert (found.name, found.letters, found.left_out) == (scheme, letters, ())


@settings(max_examples=100, deadline=None)
@given(st.data(), st.sampled_from(SCHEMES))
def test_legal_data_is_found_to_be_in_its_scheme(data, scheme):
    sentences = data.draw(st.lists(legal_tags(scheme), max_size=6))
    expected = scheme if any(tag != "O" for tags in sentences for tag in tags) else IOB2
    found = find_scheme([TagsOfSentence(tags, [], "x") for tags in sentences])
    assert (found.name, found.left_out, found.irregular) == (expected, (), "")


@pytest.mark.parametrize(
    ("sentences", "line", "message"),
    [
        (
            ["B-A", "B-A O", "O I-A"],
            7,
            "1 of 3 sentences does not follow IOB2 and is read as by conlleval (PLACE: I-A after O)",
        ),
        (["B-A", "B-A O", "I-A O"], 6, "I-A at the beginning of a sentence"),
        (["B-A", "B-A O", "B-A I-B"], 7, "I-B after B-A"),
        (["I-A", "I-A", "B-A"], 5, "B-A at the beginning of a sentence"),
        (
            ["S-A", "B-A O"],
            4,
            "1 of 2 sentences does not follow IOBES and is read as by conlleval (PLACE: O after B-A)",
        ),
        (["S-A", "O B-A"], 4, "B-A at the end of a sentence"),
        (["B-A", "B-A I-A", "S-A E-A", "B-A"], 6, "1 of 4 sentences does not follow IOB2"),
        (["S-A B-A E-A", "S-A", "B-A L-A U-A"], 8, "L-A"),
        (
            ["I-A B-A", "O B-A", "I-A", "I-A", "B-A"],
            5,
            "2 of 5 sentences do not follow IOB1 and are read as by conlleval",
        ),
    ],
)
def test_what_contradicts_the_scheme_is_counted_and_its_first_place_told(sentences, line, message):
    found = find_scheme(data_set(*sentences))
    assert message.replace("PLACE", f"a.conll:{line}") in found.irregular and f"(a.conll:{line}: " in found.irregular
    assert found.left_out == ()


WRONG = [
    (["B-A O", "X-A O"], 4, "O, or a tag that begins with B-, I-, E-, S-, found X-A"),
    (["B-A O", "O A"], 5, "O, or a tag that begins with B-, I-, E-, S-, found A"),
    (["B-A O", "B-A PER"], 5, "O, or a tag that begins with B-, I-, E-, S-, found PER"),
    (["B-A O", "O _"], 5, "O, or a tag that begins with B-, I-, E-, S-, found _"),
    (["B-A O", "O B-"], 5, "a type in the tag, such as B-PER, found B-"),
    (["B-A O", "O I"], 5, "a type in the tag, such as I-PER, found I"),
]


@pytest.mark.parametrize(("sentences", "line", "message"), WRONG)
def test_a_tag_of_no_entity_is_a_bad_line_to_learn_from(sentences, line, message):
    with pytest.raises(UserError) as error:
        find_scheme(data_set(*sentences))
    assert str(error.value).startswith(f"a.conll:{line}: expected {message}")
    assert str(error.value).endswith("; --skip-bad-lines leaves such lines out")
    bad_lines = BadLines(skip=True)
    found = find_scheme(data_set(*sentences), bad_lines)
    assert (found.left_out, bad_lines.count, found.irregular) == ((1,), 1, "")


@pytest.mark.parametrize(("sentences", "line", "message"), WRONG)
def test_no_sentence_to_measure_on_is_left_out(sentences, line, message):
    measured = [sentence._replace(is_measured=True) for sentence in data_set(*sentences)]
    bad_lines = BadLines(skip=True)
    found = find_scheme(measured, bad_lines)
    assert (found.left_out, bad_lines.count) == ((), 0)
    assert "1 of 2 sentences does not follow IOB2" in found.irregular and f"(a.conll:{line}: " in found.irregular


def test_all_splits_count_together_and_without_lines_the_sentence_is_named():
    train = [TagsOfSentence(tags, [], "set (train)") for tags in (["B-A"], ["O", "B-A"], ["B-A", "I-A"])]
    test = [TagsOfSentence(tags, [], "set (test)") for tags in (["O"], ["O", "I-A"])]
    assert "1 of 5 sentences does not follow IOB2" in find_scheme([*train, *test]).irregular
    assert find_scheme([*train, *test]).irregular.endswith("(set (test):sentence 2:2: I-A after O)")
    assert find_scheme(test).name == IOB1


@pytest.mark.parametrize(
    ("sentences", "example"),
    [(["b-per i-per o", "o b-loc"], "b-per"), (["PER-B PER-I O"], "PER-B"), (["B_PER I_PER O", "O"], "B_PER")],
)
def test_tags_that_almost_look_like_those_of_entities_are_noticed(sentences, example):
    found = find_scheme(data_set(*sentences))
    assert found.name == PLAIN and found.irregular.startswith(f"{example} and its like are taken as plain tags")
    assert find_scheme(data_set("NOUN VERB", "X-b NOUN")).irregular == ""
    assert find_scheme(data_set("actor O year O")).irregular == ""
