"""What a page is made of: tables, curves, matrices and pictures, each of which writes itself as HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Protocol

import numpy as np

from training.pages.colours import shade


class Part(Protocol):
    """A part of a page."""

    @property
    def title(self) -> str:
        """Its heading."""

    def html(self) -> str:
        """The part's HTML, without its heading."""


@dataclass(frozen=True)
class Section:
    """A heading and the parts under it.

    Args:
        title: The heading.
        parts: What stands under it.
        note: A sentence or two below the heading.
    """

    title: str
    parts: Sequence[Part]
    note: str = ""

    def html(self) -> str:
        """The section's HTML."""
        inner = "".join(f"<section>{_heading(3, part.title)}{part.html()}</section>" for part in self.parts)
        return f"<section>{_heading(2, self.title)}{_note(self.note)}{inner}</section>"


@dataclass(frozen=True)
class Table:
    """A table.

    Args:
        title: Its heading.
        headings: The columns' names; none for a table of names and values.
        rows: The cells, strings; what looks like a number is set to the right.
        note: What is to be known beside it.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def html(self) -> str:
        """The table, as wide as it needs to be; a narrow window scrolls it."""
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in self.headings)
        body = "".join(f"<tr>{''.join(self._cell(*cell) for cell in enumerate(row))}</tr>" for row in self.rows)
        head = f"<thead><tr>{head}</tr></thead>" if head else ""
        return f'{_note(self.note)}<div class="wide" tabindex="0"><table>{head}<tbody>{body}</tbody></table></div>'

    def _cell(self, column: int, text: str) -> str:
        if column == 0 and not self.headings:
            return f'<th scope="row" dir="auto">{escape(text)}</th>'
        kind = ' class="number"' if _is_number(text) else ""
        return f'<td dir="auto"{kind}>{escape(text)}</td>'


@dataclass(frozen=True)
class Matrix:
    """A number for each pair of a row and a column, such as attention or a CRF's transitions.

    Args:
        title: Its heading.
        rows: The rows' names.
        columns: The columns' names.
        values: (rows, columns); NaN where there is none.
        note: What the numbers are.
        decimals: Shown of each number.
    """

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: np.ndarray
    note: str = ""
    decimals: int = 2

    def html(self) -> str:
        """A table of coloured cells; the numbers stand in them, or where there are many, in their titles."""
        largest = float(np.nanmax(np.abs(self.values), initial=0))
        shows = len(self.columns) <= 24
        lines = []
        for name, row in zip(self.rows, self.values, strict=True):
            cells = "".join(
                self._cell(name, column, value, largest, shows) for column, value in zip(self.columns, row, strict=True)
            )
            lines.append(f'<tr><th scope="row" dir="auto">{escape(name)}</th>{cells}</tr>')
        head = "".join(f'<th scope="col"><span dir="auto">{escape(name)}</span></th>' for name in self.columns)
        table = f'<table class="matrix"><thead><tr><td></td>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'
        return f'{_note(self.note)}<div class="wide" tabindex="0">{table}</div>'

    def _cell(self, row: str, column: str, value: float, largest: float, shows: bool) -> str:
        if np.isnan(value):
            return "<td></td>"
        number = f"{value:.{self.decimals}f}"
        told = f'title="{escape(f"{row}, {column}: {number}")}" style="background:{shade(value, largest)}"'
        return f"<td {told}>{number if shows else ''}</td>"


@dataclass(frozen=True)
class Picture:
    """Pictures side by side, each with a line below it.

    Args:
        title: The heading.
        pictures: Pairs of a `data:` address and its line.
        note: What is to be seen.
    """

    title: str
    pictures: Sequence[tuple[str, str]]
    note: str = ""

    def html(self) -> str:
        """A row of figures that wraps."""
        figures = "".join(
            f'<figure><img src="{source}" alt="{escape(line)}">'
            f'<figcaption dir="auto">{escape(line)}</figcaption></figure>'
            for source, line in self.pictures
        )
        return f'{_note(self.note)}<div class="pictures">{figures}</div>'


@dataclass(frozen=True)
class Words:
    """A text whose words are shaded by a number: orange and underlined above 0, blue and dotted below.

    Args:
        title: The heading.
        words: The words.
        values: A number for each.
        note: What the numbers are.
    """

    title: str
    words: Sequence[str]
    values: Sequence[float]
    note: str = ""

    def html(self) -> str:
        """The text; a word's number is its title."""
        largest = max((abs(value) for value in self.values), default=0)
        spans = " ".join(
            f'<span class="{"against" if value < 0 else "for"}" style="background:{shade(value, largest)}" '
            f'title="{value:+.3f}">{escape(word)}</span>'
            for word, value in zip(self.words, self.values, strict=True)
        )
        return f'{_note(self.note)}<p class="words" dir="auto">{spans}</p>'


@dataclass(frozen=True)
class Curves:
    """Lines over a common axis.

    Args:
        title: The heading.
        across: What runs from left to right.
        lines: A line's name -> its points, (x, y).
        note: What is to be seen.
        logarithmic: Whether the upward axis is; points at 0 or below are left out then.
        marks: Upright lines: a place on the axis -> what it says.
    """

    title: str
    across: str
    lines: Mapping[str, Sequence[tuple[float, float]]]
    note: str = ""
    logarithmic: bool = False
    marks: dict[float, str] = field(default_factory=dict)

    def html(self) -> str:
        """An SVG, its numbers in a table below that can be opened."""
        from training.pages.curves import drawn

        rows = sorted({x for points in self.lines.values() for x, _ in points})
        values = {name: dict(points) for name, points in self.lines.items()}
        cells = [[f"{x:g}", *(_figure(values[name].get(x)) for name in values)] for x in rows]
        table = Table("", [self.across, *values], cells).html()
        return (
            f"{_note(self.note)}<figure>{drawn(self)}</figure><details><summary>the numbers</summary>{table}</details>"
        )


@dataclass(frozen=True)
class Raw:
    """HTML as it is.

    Args:
        title: The heading; "" for none.
        content: The HTML.
    """

    title: str
    content: str

    def html(self) -> str:
        """The HTML."""
        return self.content


def _heading(level: int, text: str) -> str:
    return f'<h{level} dir="auto">{escape(text)}</h{level}>' if text else ""


def _note(note: str) -> str:
    return f"<p>{escape(note)}</p>" if note else ""


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "").removesuffix("%"))
    except ValueError:
        return False
    return True
