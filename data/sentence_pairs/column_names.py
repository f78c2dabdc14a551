"""Whether a table's first line names its columns, and which columns hold sentences."""

import re
from collections.abc import Sequence
from typing import Any

from data.scripts import length_in_words
from data.sentence_pairs.languages import SIDES, code_length, is_language, tells_language

# What further columns are called.
_OTHERS = frozenset("id number index score attribution license url reference translation text sentence".split())
# What columns of sentences are called where no language tells them apart.
_ROLES = SIDES | frozenset(
    """original translation translated corrected correct incorrect input output question answer query response
    reference sentence text""".split()
)
# Nothing is tried in two ways, which would take the square of the time on a long text.
_NUMBER = re.compile(r"\s*+[\[(]?[-+.,:/\s]*+\d[-+\d.,:/e\s]*+[\])]?\s*+")
_ADDRESS = re.compile(r"\s*+(https?://\S++)?\s*+")
_OF_A_SENTENCE = re.compile(r"[.!?,;…¿¡。！？،؟।\"«»“”]")
# The share of a column's values that tells what it holds.
_MOST = 0.9
# A column with so few different values, as a share of all, says where a pair is from, or the like.
_FEW = 0.05


def names_columns(fields: list[str], given: set[str]) -> bool:
    """Whether a line names columns whatever the others hold: one that is given is there, or all tell a language etc.

    A line of codes must be of codes of one kind: "is" and "est" are a sentence and its translation.

    Args:
        fields: The first line's.
        given: The columns that flags name, in lower case.
    """
    names = [re.sub(r" \(\d+\)$", "", field).strip().casefold() for field in fields]
    if given & set(names):
        return _are_different(names)
    words = [name for name in names if name in _OTHERS or name in SIDES]
    languages = [
        field.strip() for field, name in zip(fields, names) if name not in words and is_language(field.strip())
    ]
    numbers = [name for number, name in enumerate(names, start=1) if name in ("", str(number))]
    if len(languages) + len(words) + len(numbers) < len(names) or len(set(languages)) < len(languages):
        return False
    codes = {code_length(name) for name in languages} - {None}
    return bool(words) or (len(languages) > 1 and len(codes) < 2)


def stands_out(rows: Sequence[Sequence[str]]) -> bool | None:
    """Whether the first row is unlike the others, as column names are: short, all different, without marks.

    Args:
        rows: Of a delimited file, the first one included.

    Returns:
        True where numbers stand below some name, or several words below names that tell languages or the like; None
        where the names tell nothing; False otherwise.

    Example:
        >>> stands_out([("Question", "Answer"), ("How are you?", "I am well.")])
        True
    """
    names = [field.strip() for field in (rows or [()])[0]]
    columns = list(zip(*rows[1:]))
    if len(columns) < 2 or not _are_different(names) or not all(map(_may_be_name, names)):
        return False
    if any(
        not _NUMBER.fullmatch(name) and _are_most(_NUMBER.fullmatch, column) for name, column in zip(names, columns)
    ):
        return True
    sentences = [(name, column) for name, column in zip(names, columns) if holds_sentences(column)]
    names = [name for name, _ in sentences]
    if len(names) < 2 or not all(name and _are_most(_has_words, column) for name, column in sentences):
        return False
    lengths = {code_length(name) for name in names}
    if all(map(hints_at_sentences, names)) or (
        len(lengths) == 1 and None not in lengths and any(map(tells_language, names))
    ):
        return True
    return False if any(" " in name for name in names) else None


def holds_sentences(values: Sequence[Any]) -> bool:
    """Whether a column may hold sentences: no numbers, no addresses, not the same few values in all rows."""
    texts = [value for value in values if isinstance(value, str)]
    is_few = len(values) > 1 and len(set(texts)) <= max(1, _FEW * len(values))
    return not is_few and not all(_NUMBER.fullmatch(text) or _ADDRESS.fullmatch(text) for text in texts)


def hints_at_sentences(name: str) -> bool:
    """Whether a word of a column's name is that of a language, or of a few others: "input", "Question", "text_de"."""
    return tells_language(name) or not _ROLES.isdisjoint(re.split(r"[\W_]+", name.casefold()))


def _are_different(names: list[str]) -> bool:
    """Whether no name comes twice; lines may end in several separators."""
    filled = [name.casefold() for name in names if name]
    return len(set(filled)) == len(filled)


def _may_be_name(field: str) -> bool:
    return len(field) <= 40 and len(field.split()) <= 4 and not _OF_A_SENTENCE.search(field)


def _has_words(value: str) -> bool:
    return length_in_words(value) > 1


def _are_most(test, values: Sequence[str]) -> bool:
    return sum(bool(test(value)) for value in values) >= _MOST * len(values)
