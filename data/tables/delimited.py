"""Records of delimited text (.csv, .tsv), whose quoted fields may hold delimiters, quotes and line ends."""

import csv
import dataclasses
from collections import deque
from collections.abc import Iterator
from typing import ClassVar

from data.files import LONGEST_LINE, Line, without_end

# A quoted field may span this many lines, of as many characters as one line may have of bytes; a quote that stays open
# longer was not meant to open one.
_LONGEST_RECORD = 10_000
# What the csv module's messages begin with, in words for the owner of the file.
_QUOTE_PROBLEMS = {
    "unexpected": "a quote that is never closed",
    "new-line": "a carriage return outside quotes",
}


@dataclasses.dataclass(frozen=True)
class Writing:
    r"""How a record's fields are written one after the other.

    Args:
        delimiter: The character between two fields.
        quotes: "needed": a field that begins with a quote is quoted (RFC 4180). Many files with tabs are not quoted at
            all, so that there a quote is a character like any other, unless fields stand in quotes "always" (in some
            column), or a record makes it "evident": its quotes hold a doubled quote, a delimiter or a line end, which
            could not stand there otherwise.
        escapes: Whether a quote within quotes is written \" and not "".
        quote: The quote; some programs write ' where it is needed.
    """

    delimiter: str = ","
    quotes: str = "needed"
    escapes: bool = False
    quote: str = '"'

    OFTEN_BARE: ClassVar[tuple[str, ...]] = ("\t", "|")


class Records:
    """Iterates over the records of a delimited file: (first line, fields, "" or what is wrong with the quotes).

    A record whose quotes are not well formed costs one line, not the rest of the file: the lines that were read while
    looking for the closing quote are read again.

    Args:
        lines: The file's lines.
        writing: How a record is written.
        width: The number of fields in a record; None where it is not known.
    """

    def __init__(self, lines: Iterator[Line], writing: Writing, width: int | None = None):
        # The default limit of 128 KiB is shorter than some documents; larger values overflow on some platforms.
        csv.field_size_limit(2**31 - 1)
        self.lines = lines
        self.writing = writing
        self.width = width
        self.again: deque[Line] = deque()

    def __iter__(self) -> Iterator[tuple[Line, list[str], str]]:
        for first in iter(self._next_line, None):
            line = without_end(first.text)
            if not line.strip(" \r") and not (line and self.width == 1):
                continue
            fields, quote = line.split(self.writing.delimiter), self.writing.quote
            # A quote within a field that does not begin with one is a character.
            if quote not in line or not (self.writing.escapes or any(field.startswith(quote) for field in fields)):
                yield first, fields, ""
                continue
            yield self._quoted_record(first)

    def _next_line(self) -> Line | None:
        return self.again.popleft() if self.again else next(self.lines, None)

    def _quoted_record(self, first: Line) -> tuple[Line, list[str], str]:
        taken = [first]
        fields, problem = [], ""
        escapes = self.writing.escapes
        try:
            reader = csv.reader(
                self._record_lines(taken),
                delimiter=self.writing.delimiter,
                quotechar=self.writing.quote,
                strict=True,
                escapechar="\\" if escapes else None,
                doublequote=not escapes,
            )
            fields = next(reader)
        except csv.Error as error:
            problem = _QUOTE_PROBLEMS.get(str(error).partition(" ")[0], "text after a closing quote")
        literal = [without_end(line.text).split(self.writing.delimiter) for line in taken]
        # The quotes of two fields may seem to be those of one, on one line or over several.
        joined_wrongly = self.width is not None and (
            (len(fields) != self.width and (len(taken) > 1 or len(literal[0]) == self.width))
            or (len(taken) > 1 and self.width > 1 and all(len(row) == self.width for row in literal))
        )
        evident = self.writing.quotes != "evident" or len(taken) > 1 or _needs_quotes(literal[0], fields)
        if self.writing.quotes != "needed" and (problem or joined_wrongly or not evident):
            fields, problem, keep = literal[0], "", 1
        else:
            keep = 1 if problem else len(taken)
        self.again.extendleft(reversed(taken[keep:]))
        invalid = next((line for line in taken[:keep] if line.problem), first)
        return (invalid if invalid.problem else first), fields, problem

    def _record_lines(self, taken: list[Line]) -> Iterator[str]:
        size = len(taken[0].text)
        yield taken[0].text
        while len(taken) < _LONGEST_RECORD and size <= LONGEST_LINE and (line := self._next_line()) is not None:
            taken.append(line)
            size += len(line.text)
            yield line.text


def _needs_quotes(literal: list[str], fields: list[str]) -> bool:
    """Whether some quoted field of a line holds what could not stand there without quotes, or nothing at all."""
    return len(literal) != len(fields) or any(map(is_evident, literal))


def is_evident(field: str) -> bool:
    """Whether a field is in quotes that hold what could not stand there without them, or nothing."""
    inner = field[1:-1]
    is_quoted = len(field) > 1 and field[0] == field[-1] == '"'
    return is_quoted and (not inner or '""' in inner or "\r" in inner or inner[0] == "\ufeff")


def quoted(field: str, writing: Writing) -> str:
    """A field as it is written: in quotes where it would be read otherwise."""
    quote = writing.quote
    has_quote = is_evident(field) if writing.quotes == "evident" else quote in field
    if has_quote or any(mark in field for mark in (writing.delimiter, "\n", "\r")) or field.startswith("\ufeff"):
        return quote + field.replace(quote, 2 * quote) + quote
    return field
