"""Whatever the pieces are, every text can be cut into them and comes back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.running_text.pieces import choose_pieces
from data.subwords.pieces import Subwords

TEXTS = ["Die Bären saßen.\nDie Bären liefen, die Bären saßen.\n", "日本語と日本語"]


def test_a_character_is_a_piece():
    pieces = choose_pieces("characters", TEXTS, 1000)
    assert set(pieces) == {"ä", "ß", *"日本語と"} and pieces[0] == "ä"
    assert len(Subwords(pieces).encode(TEXTS[0])) == len(TEXTS[0])
    assert choose_pieces("characters", TEXTS, 261) == pieces[:2] and choose_pieces("characters", TEXTS, 3) == []


def test_a_word_that_occurs_twice_is_a_piece_with_the_space_before_it():
    pieces = choose_pieces("words", TEXTS, 1000)
    assert pieces == [" Bären", " saßen", "Die"]
    subwords = Subwords(pieces)
    assert subwords.decode(subwords.encode(" Bären")[:1]) == " Bären"


@pytest.mark.parametrize("kind", ["characters", "subwords", "words"])
@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_comes_back(kind, text):
    subwords = Subwords(choose_pieces(kind, TEXTS, 300))
    assert subwords.decode(subwords.encode(text)) == text
    assert choose_pieces(kind, TEXTS, 300) == subwords.pieces
