"""How texts of scripts with and without blanks are cut and counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.scripts import begins_word, has_blanks, length_in_words, split_words

SCRIPTS_WITH_BLANKS = st.text(st.characters(max_codepoint=0x6FF))


@given(SCRIPTS_WITH_BLANKS)
def test_where_a_script_has_blanks_they_alone_separate_words(text):
    assert split_words(text) == text.split()
    assert length_in_words(text) == len(text.split())
    assert has_blanks([text])


@given(st.text())
def test_nothing_that_can_be_seen_is_lost(text):
    letters = [character for character in text if character.isalnum()]
    assert [character for word in split_words(text) for character in word if character.isalnum()] == letters
    assert length_in_words(text) <= max(len(text), 1)


@pytest.mark.parametrize(
    "text, words, count",
    [
        ("东京的 ramen!", ["东", "京", "的", "ramen!"], 3),
        ("ラーメンが好きです。", ["ラ", "ー", "メ", "ン", "が", "好", "き", "で", "す", "。"], 5),
        # A mark stays with its character, however it is spelled.
        ("が か\u3099", ["が", "か\u3099"], 1),
        ("ฉันหิว", ["ฉั", "น", "หิ", "ว"], 2),
        # A blank of no width separates.
        ("ភាសា\u200bខ្មែរ", ["ភា", "សា", "ខ្", "មែ", "រ"], 3),
        ("「はい」", ["「", "は", "い", "」"], 1),
        ("배가 고파요", ["배가", "고파요"], 2),
    ],
)
def test_characters_of_scripts_without_blanks_are_words_and_two_of_them_as_long_as_one(text, words, count):
    assert split_words(text) == words
    assert length_in_words(text) == count


def test_what_begins_a_word():
    assert [begins_word(piece) for piece in (" a", "a", "狗", "\u0e31", "\ufffd", "")] == [True, False, True] + [
        False
    ] * 3


def test_most_letters_decide_whether_there_are_blanks():
    assert has_blanks(["I like 東京."]) and not has_blanks(["東京が好き OK", "はい"]) and has_blanks(["...", ""])
