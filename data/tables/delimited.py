"""Records of delimited text (.csv, .tsv), whose quoted fields may hold delimiters, quotes and line ends."""

import csv
from collections import deque
from collections.abc import Iterator

from data.files import Line, without_end

# A quoted field may span this many lines; a quote that stays open longer was not meant to open one.
_LONGEST_RECORD = 10_000
# What the csv module's messages begin with, in words for the owner of the file.
_QUOTE_PROBLEMS = {
    "unexpected": "a quote that is never closed",
    "new-line": "a carriage return outside quotes",
}


class Records:
    """Iterates over the records of a delimited file: (first line, fields, "" or what is wrong with the quotes).

    A record whose quotes are not well formed costs one line, not the rest of the file: the lines that were read while
    looking for the closing quote are read again.
    """

    def __init__(self, lines: Iterator[Line], delimiter: str):
        # The default limit of 128 KiB is shorter than some documents; larger values overflow on some platforms.
        csv.field_size_limit(2**31 - 1)
        self.lines = lines
        self.delimiter = delimiter
        self.width: int | None = None  # fields in a row, once the column names are known
        self.again: deque[Line] = deque()

    def __iter__(self) -> Iterator[tuple[Line, list[str], str]]:
        for first in iter(self._next_line, None):
            line = without_end(first.text)
            if not line.strip(" \r") and not (line and self.width == 1):
                continue
            if '"' not in line:
                yield first, line.split(self.delimiter), ""
                continue
            yield self._quoted_record(first)

    def _next_line(self) -> Line | None:
        return self.again.popleft() if self.again else next(self.lines, None)

    def _quoted_record(self, first: Line) -> tuple[Line, list[str], str]:
        taken = [first]
        fields, problem = [], ""
        try:
            fields = next(csv.reader(self._record_lines(taken), delimiter=self.delimiter, strict=True))
        except csv.Error as error:
            problem = _QUOTE_PROBLEMS.get(str(error).partition(" ")[0], "text after a closing quote")
        literal = [without_end(line.text).split(self.delimiter) for line in taken]
        joined_wrongly = (
            len(taken) > 1
            and self.width is not None
            and (len(fields) != self.width or (self.width > 1 and all(len(row) == self.width for row in literal)))
        )
        if self.delimiter == "\t" and (problem or joined_wrongly):
            fields, problem, keep = literal[0], "", 1
        else:
            keep = 1 if problem else len(taken)
        self.again.extendleft(reversed(taken[keep:]))
        invalid = next((line for line in taken[:keep] if line.problem), first)
        return (invalid if invalid.problem else first), fields, problem

    def _record_lines(self, taken: list[Line]) -> Iterator[str]:
        yield taken[0].text
        while len(taken) < _LONGEST_RECORD and (line := self._next_line()) is not None:
            taken.append(line)
            yield line.text
