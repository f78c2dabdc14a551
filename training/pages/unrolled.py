"""A network unrolled over its input: a column a step, x_t below, h_t above it, y_t on top, as textbooks draw it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from training.pages.colours import heat_map, shade

# The height of a lane in pixels, and a column's width: the more steps, the narrower.
BARS, STATES, MOST_LETTERS = 40, 96, 22
WIDTHS = ((12, 66), (30, 40), (80, 24))
NARROWEST = 14


@dataclass(frozen=True)
class States:
    """A lane of vectors: a column's numbers above each other, as a heat map.

    Args:
        name: What it shows: "h_t".
        values: (steps, units).
        arrow: "→" or "←" where each step takes over from the one beside it.
    """

    name: str
    values: np.ndarray
    arrow: str = ""

    def drawn(self, width: int) -> tuple[str, int]:
        """Its SVG, and its height."""
        steps = len(self.values)
        picture = (
            f'<image href="{heat_map(np.transpose(self.values))}" width="{steps * width}" height="{STATES}" '
            f'preserveAspectRatio="none" class="pixels"/>'
        )
        arrows = "".join(
            f'<text x="{step * width}" y="{STATES + 12}" text-anchor="middle">{self.arrow}</text>'
            for step in range(1, steps)
        )
        return picture + (arrows if width >= WIDTHS[-1][1] else ""), STATES + (16 if self.arrow else 4)

    def told(self, step: int) -> str:
        """What is said of a step."""
        row = self.values[step]
        return f"{self.name}: mean {row.mean():+.2f}, largest {row[np.abs(row).argmax()]:+.2f}"


@dataclass(frozen=True)
class Bars:
    """A lane of numbers of one kind.

    Args:
        name: What they are.
        values: (steps,).
        most: The number that fills the lane; the largest if None.
        decimals: Shown of each.
        said: Something to say with each number.
    """

    name: str
    values: Sequence[float]
    most: float | None = None
    decimals: int = 3
    said: Sequence[str] = ()

    def drawn(self, width: int) -> tuple[str, int]:
        """Its SVG, and its height."""
        most = self.most or max((abs(value) for value in self.values), default=0) or 1
        bars = []
        for step, value in enumerate(self.values):
            height = min(abs(value) / most, 1) * (BARS - 4)
            kind = "bar against" if value < 0 else "bar"
            bars.append(
                f'<rect class="{kind}" x="{step * width + 1}" y="{BARS - height:.1f}" width="{width - 2}" '
                f'height="{max(height, 0.5):.1f}"/>'
            )
        line = f'<line class="grid" x1="0" x2="{len(self.values) * width}" y1="{BARS}" y2="{BARS}"/>'
        return line + "".join(bars), BARS + 6

    def told(self, step: int) -> str:
        """What is said of a step."""
        said = f" ({self.said[step]})" if self.said else ""
        return f"{self.name}: {self.values[step]:.{self.decimals}f}{said}"


@dataclass(frozen=True)
class Labels:
    """A lane of words.

    Args:
        name: What they are: "x_t".
        words: One for each step.
        values: Numbers by which they are shaded; none for no shade.
        number: What these are.
    """

    name: str
    words: Sequence[str]
    values: Sequence[float] = ()
    number: str = ""

    def drawn(self, width: int) -> tuple[str, int]:
        """Its SVG, and its height."""
        short = [word if len(word) <= MOST_LETTERS else word[: MOST_LETTERS - 1] + "…" for word in self.words]
        longest = max((_width(word) for word in short), default=0)
        is_upright = longest > width - 4
        height = round(min(longest, 7 * MOST_LETTERS) + 14) if is_upright else 24
        most, parts = max((abs(value) for value in self.values), default=0), []
        for step, word in enumerate(short):
            left, middle = step * width, step * width + width / 2
            if self.values:
                fill = shade(self.values[step], most)
                parts.append(f'<rect x="{left}" y="0" width="{width}" height="{height - 4}" style="fill:{fill}"/>')
            turned = f' transform="rotate(-90 {middle + 4} {height - 8})"' if is_upright else ""
            x, anchor = (middle + 4, "start") if is_upright else (middle, "middle")
            parts.append(f'<text x="{x}" y="{height - 8}" text-anchor="{anchor}"{turned}>{escape(word)}</text>')
        return "".join(parts), height

    def told(self, step: int) -> str:
        """What is said of a step."""
        number = f" ({self.number} {self.values[step]:+.3f})" if self.values else ""
        return f"{self.name}: {self.words[step]}{number}"


@dataclass(frozen=True)
class Unrolled:
    """Lanes above each other over the same steps, through which one can go step by step.

    Args:
        title: The heading.
        lanes: From top to bottom; one step at least.
        steps: How many.
        note: What is to be seen.
    """

    title: str
    lanes: Sequence[States | Bars | Labels]
    steps: int
    note: str = ""

    def html(self) -> str:
        """The lanes' names, the lanes in a window that scrolls, and a slider that says a step's numbers."""
        width = next((width for most, width in WIDTHS if self.steps <= most), NARROWEST)
        names, lanes, top = [], [], 4
        for lane in self.lanes:
            svg, height = lane.drawn(width)
            names.append(
                f'<text x="100%" y="{top + min(height / 2, BARS) + 4}" text-anchor="end">{escape(lane.name)}</text>'
            )
            lanes.append(f'<g transform="translate(0 {top})">{svg}</g>')
            top += height + 4
        across = self.steps * width
        told = [f"step {step + 1}: " + "; ".join(lane.told(step) for lane in self.lanes) for step in range(self.steps)]
        cursor = f'<rect class="cursor" x="0" y="0" width="{width}" height="{top}"/>'
        note = f"<p>{escape(self.note)}</p>" if self.note else ""
        return f"""{note}<figure class="unrolled" data-width="{width}">
<div class="lanes"><svg class="names" height="{top}" aria-hidden="true">{"".join(names)}</svg>
<div class="window" tabindex="0" role="group" aria-label="the steps of {escape(self.title)}">
<svg width="{across}" height="{top}" role="img"
 aria-label="{escape(self.title)}, {self.steps} steps; the slider below tells the numbers of each">
{cursor}{"".join(lanes)}</svg></div></div>
<label>step <input type="range" min="1" max="{self.steps}" value="1" aria-label="step of {escape(self.title)}"></label>
<output aria-live="polite" dir="auto">{escape(told[0])}</output>
<script type="application/json">{_as_json(told)}</script></figure>"""


def _as_json(value) -> str:
    # Nothing in it may end the element.
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _width(word: str) -> float:
    """About how wide a word is in pixels: ideographs and the like take twice the room of a letter."""
    return sum(12.5 if ord(letter) >= 0x1100 else 7 for letter in word)
