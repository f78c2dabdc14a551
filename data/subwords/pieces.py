"""Subwords: a text as ids of frequent byte strings and of single bytes, so that no text is unknown."""

import functools
import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from data.subwords.ids import FIRST_PIECE, spellings

# Characters are spaces, digits, controls, marks, or else letters. Marks are those of ASCII and of the blocks Latin-1
# Supplement (to U+00BF), General Punctuation and CJK Symbols and Punctuation: two bytes tell them, in a graph too, and
# whatever the version of Unicode.
_DIGITS, _CONTROLS = "0-9", r"\x00-\x1f\x7f"
_MARKS = r"!-/:-@\[-`{-~\x80-\xbf\u2000-\u207f\u3000-\u303f"
_LETTERS = f"^ {_DIGITS}{_CONTROLS}{_MARKS}"
_WORD = re.compile("|".join([*(f" ?[{kind}]+" for kind in (_LETTERS, _DIGITS, _MARKS, _CONTROLS)), " +(?= [^ ])| +"]))
_SURROGATE = re.compile("[\ud800-\udfff]")

# Words whose ids are kept, and the longest of them in characters.
_KEPT_WORDS, _LONGEST_KEPT = 1 << 18, 64


def split_words(text: str) -> list[str]:
    """Cuts a text into the words that no piece crosses.

    A word is a run of letters, of digits, of punctuation marks or of control characters, with the one space before it.
    Of several spaces all but the last are a word. Lone surrogates, which UTF-8 cannot express, become U+FFFD.

    Returns:
        The words; joined they are the text.

    Example:
        split_words("The  cat's 3 mats.")   # ["The", " ", " cat", "'", "s", " 3", " mats", "."]
    """
    if not text.isascii():
        text = _SURROGATE.sub("\ufffd", text)
    return _WORD.findall(text)


def count_words(texts: Iterable[str]) -> Counter:
    """Counts what `learn_pieces` learns from: the words of the training texts, as `split_words` cuts them."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(split_words(text))
    return counts


class Subwords:
    """Texts to ids and back.

    The ids: 0 padding, 1 start, 2 end, 3 + b the byte b, 259 + i the learned piece i. A word is cut from the left, each
    time into the longest piece that fits. `data.subwords.encoder` does the same in a graph.

    Args:
        pieces: The learned pieces, each of two bytes or more.

    Attributes:
        pieces: The same.
        size: Ids in all.

    Example:
        subwords = Subwords(learn_pieces(count_words(texts), size=8000))
        subwords.decode(subwords.encode("A café."))   # "A café."

    Source: longest match over the pieces of byte-pair encoding: Uzan et al., "Greed is All You Need", 2024,
    arXiv:2403.01289.
    """

    def __init__(self, pieces: Sequence[str]):
        self.pieces = list(pieces)
        self.size = FIRST_PIECE + len(self.pieces)
        self._spelled = spellings(self.pieces)
        self._ids = {piece: number for number, piece in enumerate(self._spelled) if piece}
        # The lengths of the pieces that begin with the same two bytes, longest first.
        lengths: dict[bytes, set[int]] = {}
        for piece in self._spelled[FIRST_PIECE:]:
            lengths.setdefault(piece[:2], set()).add(len(piece))
        self._lengths = {beginning: sorted(found, reverse=True) for beginning, found in lengths.items()}
        self._kept_ids = functools.lru_cache(_KEPT_WORDS)(lambda word: self.encode_word(word.encode()))

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without start and end; of an empty text none."""
        return [number for word in split_words(text) for number in self._ids_of(word)]

    def encode_with_dropout(self, text: str, rate: float, generator: np.random.Generator) -> list[int]:
        """The ids of a text, cut differently each time: every match is passed over for a shorter one at random.

        Args:
            text: The text.
            rate: The probability that a match is passed over; a single byte never is.
            generator: Where the choices come from.

        Returns:
            Ids of the same text.

        Source: MaxMatch-Dropout: Hiraoka, 2022, arXiv:2209.04126.
        """
        words = split_words(text)
        if not rate or not words:
            return self.encode(text)
        ids: list[int] = []
        # How many matches of each word are accepted before the first that is not; mostly these are all.
        for word, accepted in zip(words, (generator.geometric(rate, len(words)) - 1).tolist(), strict=True):
            whole = self._ids_of(word)
            ids += whole if accepted >= len(whole) else self._dropped(word.encode(), whole, accepted, rate, generator)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids: padding, start and end give nothing, and bytes that are not UTF-8 give U+FFFD."""
        return b"".join(map(self._spelled.__getitem__, ids)).decode("utf-8", "replace")

    def encode_word(self, spelled: bytes) -> tuple[int, ...]:
        """The ids of the bytes of one word."""
        ids, start = [], 0
        while start < len(spelled):
            length = self.longest_match(spelled, start, len(spelled))
            ids.append(self._ids[spelled[start : start + length]])
            start += length
        return tuple(ids)

    def longest_match(self, spelled: bytes, start: int, most: int) -> int:
        """The length of the longest piece that a word has at a place, in bytes, of those with `most` bytes at most."""
        most = min(most, len(spelled) - start)
        for length in self._lengths.get(spelled[start : start + 2], ()):
            if length <= most and spelled[start : start + length] in self._ids:
                return length
        return 1

    def _ids_of(self, word: str) -> tuple[int, ...]:
        return self._kept_ids(word) if len(word) <= _LONGEST_KEPT else self.encode_word(word.encode())

    def _dropped(
        self, spelled: bytes, whole: Sequence[int], accepted: int, rate: float, generator: np.random.Generator
    ) -> list[int]:
        """A word's ids where the first `accepted` longest matches are taken, and the next one is not."""
        ids = list(whole[:accepted])
        start = sum(len(self._spelled[number]) for number in ids)
        is_refused = True
        while start < len(spelled):
            length = self.longest_match(spelled, start, len(spelled))
            while length > 1 and (is_refused or generator.random() < rate):
                length = self.longest_match(spelled, start, length - 1)
                is_refused = False
            # A single byte cannot be passed over: a refusal that falls on one is spent on it.
            is_refused = False
            ids.append(self._ids[spelled[start : start + length]])
            start += length
        return ids
