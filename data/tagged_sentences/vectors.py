"""Word vectors trained elsewhere: reads those that are wanted from the text formats of GloVe, word2vec and fastText."""

import codecs
import itertools
import os
import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from data.errors import UserError
from data.files import decoded_lines, without_end

# What a binary file has soon and a text never.
_BINARY = re.compile("[\x00-\x08\x0e-\x1b]")
_NOT_NORMALISED = re.compile(r"[1-9]|\s")
_CORRECT = "correct the line or leave it out"


class WordVectors(NamedTuple):
    """The vectors found for some words.

    Args:
        vectors: Word, as it was wanted -> vector, float32, (size,).
        size: Numbers per vector.
        exact: The words found as they are written.
        lowered: The words found in lower case only.
        missing: The words not found.
        others: Further words of the file, in its order.
    """

    vectors: dict[str, np.ndarray]
    size: int
    exact: set[str]
    lowered: set[str]
    missing: set[str]
    others: list[str]

    def summary(self, counts: Mapping[str, int]) -> str:
        """One line about how much of the data has a vector.

        Args:
            counts: How often each of the wanted words occurs; a word that is not in it occurs 0 times.

        Example:
            "vectors for 81.2% of 23,624 words (96.5% of tokens), 1,024 of them in lower case"
        """
        asked_for = self.exact | self.lowered
        wanted = len(asked_for) + len(self.missing)
        found = sum(counts.get(word, 0) for word in asked_for)
        tokens = found + sum(counts.get(word, 0) for word in self.missing)
        shares = [part / whole if whole else 0.0 for part, whole in ((len(asked_for), wanted), (found, tokens))]
        lowered = f", {len(self.lowered):,} of them in lower case" if self.lowered else ""
        others = f", and for {len(self.others):,} other words" if self.others else ""
        return f"vectors for {shares[0]:.1%} of {wanted:,} words ({shares[1]:.1%} of tokens){lowered}{others}"


def read_vectors(
    path: str | os.PathLike, words: Collection[str], encoding: str = "utf-8", others: int = 0
) -> WordVectors:
    """Reads the vectors of the words that are wanted.

    A line is a word and its numbers, with blanks between them; a first line of two whole numbers (how many vectors, and
    their size) is a heading. A word may hold blanks: the last `size` fields are the numbers. Of several lines for one
    word the first counts. A word that has no line is looked up in lower case.

    The file is read line by line and only vectors that are wanted are kept. All lines are checked for their number of
    fields; the fields of words that nobody wants are not read as numbers, or a file of gigabytes would take minutes.

    Args:
        path: The file, plain or compressed as its name says (`.gz`, `.xz`).
        words: The words wanted, such as a vocabulary or a `Counter`.
        encoding: How its bytes are to be read.
        others: How many further words of the file are kept, the first ones, which are the most frequent where published
            files are sorted; only words in lower case and without digits but 0, as normalised words are.

    Returns:
        The vectors and what was found.

    Raises:
        UserError: When the file is missing, empty, damaged, cut short, binary or not valid in the encoding, or when a
            line has another number of fields or a field that is no finite number.

    Example:
        found = read_vectors("glove.6B.100d.txt", counts)
        print(found.summary(counts))
    """
    lines = _lines(path, encoding)
    wanted = set(words)
    looked_for = wanted | {word.lower() for word in wanted}
    # The words before their first blank: most lines are told apart by it, without being taken to pieces.
    first_fields = {word.split(" ", 1)[0] for word in looked_for}

    first = next(lines, None)
    if first is None:
        raise UserError(f"{path} is empty; expected lines of a word and its numbers")
    announced, size = _announced(path, *first)
    if announced is None:
        lines = itertools.chain([first], lines)

    found: dict[str, np.ndarray] = {}
    more: dict[str, np.ndarray] = {}
    count = 0
    for number, line in lines:
        count += 1
        blanks = line.count(" ")
        if blanks != size:
            _check_fields(path, number, line, size)
        elif len(more) >= others and line[: line.find(" ")] not in first_fields:
            continue
        word, *fields = line.rsplit(" ", size)
        if word in found:
            continue
        if word in looked_for:
            found[word] = _numbers(path, number, fields)
        elif len(more) < others and word not in more and not _NOT_NORMALISED.search(word) and word == word.lower():
            more[word] = _numbers(path, number, fields)
    if announced is not None and count != announced:
        message = f"{path}:1: expected {announced:,} vectors as this line says, found {count:,}"
        raise UserError(
            f"{message}; the file is cut short or its first line is wrong: get it again, or correct the line"
        )
    return _matched(wanted, found, more, size)


def _matched(wanted: set[str], found: dict[str, np.ndarray], more: dict[str, np.ndarray], size: int) -> WordVectors:
    exact = {word for word in wanted if word in found}
    lowered = {word for word in wanted - exact if word.lower() in found}
    vectors = {word: found[word if word in exact else word.lower()] for word in sorted(exact | lowered)}
    return WordVectors(vectors | more, size, exact, lowered, wanted - exact - lowered, list(more))


def _lines(path: str | os.PathLike, encoding: str) -> Iterator[tuple[int, str]]:
    """The lines that are not empty, without the blanks and the line end at their end."""
    for line in decoded_lines(path, encoding):
        if (line.problem or line.number <= 2) and _BINARY.search(line.text):
            advice = "save the vectors as text (gensim: load_word2vec_format(..., binary=True), save_word2vec_format)"
            raise UserError(f"{path}:{line.number}: expected text, found binary data; {advice} or get the .vec or .txt")
        if line.problem:
            another = "utf-8" if codecs.lookup(encoding).name == "iso8859-1" else "latin-1"
            message = f"{path}:{line.number}: expected {encoding} text, found {line.problem}"
            raise UserError(f"{message}; name its own encoding ({another}?) or convert the file")
        text = without_end(line.text).rstrip(" ")
        if text:
            yield line.number, text


def _announced(path: str | os.PathLike, number: int, line: str) -> tuple[int | None, int]:
    """How many vectors the first line says there are, if it is a heading, and their size."""
    fields = line.split(" ")
    if len(fields) == 2 and all(re.fullmatch("[0-9]{1,18}", field) for field in fields) and int(fields[1]):
        return int(fields[0]), int(fields[1])
    if len(fields) == 1:
        found = f"{line[:40]!r}"
        raise UserError(
            f"{path}:{number}: expected a word and its numbers with blanks between, found {found}; {_CORRECT}"
        )
    _numbers(path, number, fields[1:])
    return None, len(fields) - 1


def _check_fields(path: str | os.PathLike, number: int, line: str, size: int) -> None:
    """Raises for a line with too few fields, or with more numbers than `size`; a word may hold blanks."""
    _, *fields = line.split(" ")
    if len(fields) < size or all(_is_number(field) for field in fields):
        raise UserError(f"{path}:{number}: expected a word and {size} numbers, found {len(fields)} of them; {_CORRECT}")


def _is_number(field: str) -> bool:
    try:
        return bool(np.isfinite(float(field))) and "_" not in field
    except ValueError:
        return False


def _numbers(path: str | os.PathLike, number: int, fields: list[str]) -> np.ndarray:
    try:
        values = np.array([float(field) for field in fields])
    except ValueError:
        values = np.array([np.nan])
    # Numbers that are too large for float32 are not finite in it. Python's float takes 1_0, too.
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if not np.isfinite(values).all() or any("_" in field for field in fields):
        largest = float(np.finfo(np.float32).max)
        bad = next(field for field in fields if not _is_number(field) or abs(float(field)) > largest)
        raise UserError(f"{path}:{number}: expected finite numbers after the word, found {bad!r}; {_CORRECT}")
    return values
