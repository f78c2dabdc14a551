"""How a script is cut: words are what stands between blanks, but not in Chinese, Japanese or Thai."""

import math
from collections.abc import Sequence

import regex

from data.character_sets import KANA_MARKS, WITHOUT_BLANKS

# No character of these comes before it: a text that is all before it needs no search.
_FIRST = "\u0e00"
# Characters of these scripts that make about a word.
CHARACTERS_PER_WORD = 2

# What combines with a character stays with it.
_CHARACTER = rf"(?!\p{{M}})[{WITHOUT_BLANKS}{KANA_MARKS}]"
_WHOLE_CHARACTER = regex.compile(rf"{_CHARACTER}\p{{M}}*")
# Where such a script marks the end of a word at all, it is by U+200B, a blank of no width.
_WORD = regex.compile(rf"{_WHOLE_CHARACTER.pattern}|[^\s\u200b{WITHOUT_BLANKS}{KANA_MARKS}]+")
_WITH_PUNCTUATION = regex.compile(rf"\p{{P}}*{_CHARACTER}[\p{{M}}\p{{Cf}}\p{{P}}]*")
_LETTER = regex.compile(r"\p{L}")


def split_words(text: str) -> list[str]:
    """Cuts a text for scoring: at blanks, and around each character of a script that sets none between words.

    Args:
        text: Any text; of scripts with blanks the words are those of `str.split`.

    Returns:
        The words; a character comes with the marks that combine with it.

    Example:
        split_words("东京的 ramen!")   # ["东", "京", "的", "ramen!"]
    """
    return _WORD.findall(text) if max(text, default="") >= _FIRST and _WHOLE_CHARACTER.search(text) else text.split()


def length_in_words(text: str) -> int:
    """How long a text is in words, to compare it with its translation.

    Args:
        text: Any text; of scripts with blanks the words are those of `str.split`.

    Returns:
        The words; of scripts that set no blanks two characters, without punctuation, are about one.

    Example:
        length_in_words("I like ramen."), length_in_words("ラーメンが好きです。")   # 3, 5
    """
    characters = len(_WHOLE_CHARACTER.findall(text)) if max(text, default="") >= _FIRST else 0
    if not characters:
        return len(text.split())
    return math.ceil(characters / CHARACTERS_PER_WORD) + len(_WITH_PUNCTUATION.sub(" ", text).split())


def begins_word(piece: str) -> bool:
    """Whether a piece of a text begins a word: with a space, or with a character of a script without blanks."""
    return piece.startswith(" ") or bool(_WHOLE_CHARACTER.match(piece))


def has_blanks(texts: Sequence[str]) -> bool:
    """Whether most letters of some texts are of scripts that set blanks between words; of no letter at all True."""
    letters = sum(len(_LETTER.findall(text)) for text in texts)
    return 2 * sum(len(_WHOLE_CHARACTER.findall(text)) for text in texts) <= letters
