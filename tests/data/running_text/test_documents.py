"""Documents are cut to the character, and know where they begin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.running_text.documents import Documents

TWO = Documents(["a b\n", "c\n", "d e f\n"], [True, False, True])


def test_texts_are_those_of_the_documents():
    assert TWO.texts == ["a b\nc\n", "d e f\n"] and len(TWO) == 3


def test_lines_that_do_not_follow_one_another_begin_documents():
    assert TWO.select([0, 1]) == Documents(["a b\n", "c\n"], [True, False])
    assert TWO.select([1, 0]) == Documents(["c\n", "a b\n"], [True, True])
    assert TWO.select([1, 2]).texts == ["c\n", "d e f\n"]


@given(st.lists(st.text("ab", min_size=1, max_size=5).map(lambda text: f"{text}\n"), min_size=1), st.floats(0.01, 0.99))
def test_what_is_held_out_is_the_end(lines, share):
    whole = "".join(lines)
    kept, held_out = Documents(lines, [True] + [False] * (len(lines) - 1)).hold_out(share)
    assert "".join(kept.lines) + "".join(held_out.lines) == whole
    assert sum(map(len, kept.lines)) == int(len(whole) * (1 - share))
    assert held_out.begins[0] and all(kept.lines) and len(kept.lines) == len(kept.begins)


def test_the_first_nine_tenths_are_nine_tenths_of_the_characters():
    kept, held_out = Documents(["x" * 1_115_393 + "\n"], [True]).hold_out(0.1)
    assert len(kept.lines[0]) == int(1_115_394 * 0.9) and kept.begins == [True]
    assert len(held_out.lines[0]) == 1_115_394 - int(1_115_394 * 0.9)


@pytest.mark.parametrize("lines, only", [(["a"], "one character"), (["a\n"], ""), (["a", "b"], "")])
def test_one_character_cannot_be_split(lines, only):
    assert Documents(lines, [True] * len(lines)).only_row == only
