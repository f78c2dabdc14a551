"""Documents of running text: what a language model reads, in order."""

from collections.abc import Iterable
from dataclasses import dataclass

from data.sources.rows import Rows


@dataclass(frozen=True)
class Documents(Rows):
    r"""The lines of one document or of several, one after the other.

    Args:
        lines: The lines with their ends, always "\n"; joined they are the text.
        begins: Whether a line is the first of its document.

    Example:
        Documents(["To be,\n", "or not\n", "Once\n"], [True, False, True]).texts   # ["To be,\nor not\n", "Once\n"]
    """

    lines: list[str]
    begins: list[bool]

    @property
    def texts(self) -> list[str]:
        """The text of each document."""
        starts = [place for place, begins in enumerate(self.begins) if begins]
        ends = [*starts[1:], len(self.lines)]
        return ["".join(self.lines[start:end]) for start, end in zip(starts, ends, strict=True)]

    def select(self, rows: Iterable[int]) -> "Documents":
        """Some of the lines; where the line before one of them is not among them, a document begins."""
        rows = list(rows)
        follows = [before == row - 1 for before, row in zip([-2, *rows], rows, strict=False)]
        begins = [self.begins[row] or not goes_on for row, goes_on in zip(rows, follows, strict=True)]
        return Documents([self.lines[row] for row in rows], begins)

    def hold_out(self, share: float) -> tuple["Documents", "Documents"]:
        """Cuts the end off, to the character: a language model is validated on what comes after what it has read.

        Args:
            share: The share of the characters to hold out, 0 to 1.

        Returns:
            What is left, and the end.
        """
        left = int(sum(map(len, self.lines)) * (1 - share))
        row = 0
        while row < len(self.lines) - 1 and left >= len(self.lines[row]):
            left -= len(self.lines[row])
            row += 1
        before, after = self.lines[row][:left], self.lines[row][left:]
        cut = [before] if before else []
        return (
            Documents([*self.lines[:row], *cut], self.begins[: row + len(cut)]),
            Documents([after, *self.lines[row + 1 :]], [True, *self.begins[row + 1 :]]),
        )

    @property
    def only_row(self) -> str:
        return "one character" if sum(map(len, self.lines)) < 2 else ""
