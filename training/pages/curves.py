"""Curves as SVG: axes with round numbers, lines that differ in dash as well as in colour."""

import math
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 560, 260, 58, 40, 12, 16
DASHES = ("none", "7 3", "2 3", "9 3 2 3", "1 4")


def drawn(curves) -> str:
    """Draws curves.

    Args:
        curves: A `training.pages.parts.Curves`.

    Returns:
        An `<svg>` and its legend.
    """
    lines = {
        name: [(x, math.log10(y) if curves.logarithmic else y) for x, y in points if _is_shown(y, curves.logarithmic)]
        for name, points in curves.lines.items()
    }
    points = [point for line in lines.values() for point in line]
    if not points:
        return "<p>no number to draw</p>"
    (left, right), (low, high) = (_range([point[axis] for point in points]) for axis in (0, 1))

    def place(x, y):
        across = LEFT + (x - left) / (right - left) * (WIDTH - LEFT - RIGHT)
        return across, HEIGHT - BOTTOM - (y - low) / (high - low) * (HEIGHT - BOTTOM - TOP)

    parts = []
    for value in ticks(low, high, whole=curves.logarithmic and high - low > 2):
        _, y = place(left, value)
        text = f"{float(f'{10**value:.2g}'):g}" if curves.logarithmic else f"{value:g}"
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    for value in ticks(left, right, whole=True):
        x, _ = place(value, low)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{value:g}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(curves.across)}</text>')
    for value, said in curves.marks.items():
        x, _ = place(value, low)
        parts.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        side, anchor = (-4, "end") if x > WIDTH / 2 else (4, "start")
        parts.append(
            f'<text class="mark" x="{x + side:.1f}" y="{TOP + 10}" text-anchor="{anchor}">{escape(said)}</text>'
        )
    legend = []
    for number, (name, line) in enumerate(lines.items()):
        style = f'class="line line{number % 5}" stroke-dasharray="{DASHES[number % 5]}"'
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in line))
        parts.append(f'<polyline {style} points="{path}"/>')
        if len(line) == 1:
            x, y = place(*line[0])
            parts.append(f'<circle class="line line{number % 5}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>')
        sample = f'<svg width="34" height="10" aria-hidden="true"><line {style} x1="1" x2="33" y1="5" y2="5"/></svg>'
        legend.append(f"<li>{sample} {escape(name)}</li>")
    told = escape(f"{curves.title}: {', '.join(lines)} by {curves.across}")
    return (
        f'<svg class="curves" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{told}">{"".join(parts)}</svg>'
        f'<ul class="legend">{"".join(legend)}</ul>'
    )


def ticks(low: float, high: float, whole: bool = False) -> list[float]:
    """Round numbers between two, about five of them."""
    step = 10 ** math.floor(math.log10((high - low) / 4))
    step = next(step * factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= 5)
    step = max(1, step) if whole else step
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 10) for number in range(first, math.floor(high / step + 1e-9) + 1)]


def _is_shown(value: float, logarithmic: bool) -> bool:
    return math.isfinite(value) and (value > 0 or not logarithmic)


def _range(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)
