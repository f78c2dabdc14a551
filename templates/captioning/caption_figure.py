"""A figure of a few captioned pictures, with where the network looked for each word."""

import math
from collections.abc import Sequence
from pathlib import Path

from training.fonts import boxes_in_silence, font_families
from training.plots import DOTS, save_figure

from .caption_page import ShownCaption, attention_veil, words_of_no_reference

# What fits on a page: more pictures or words are left out.
MOST_PICTURES = 4
MOST_WORDS = 21
_WORDS_IN_A_LINE = 7
# Inches: a word's panel, the line of text below it, the gap between panels, the whole picture, and a picture's text.
_PANEL, _LABEL, _GAP, _PICTURE, _TEXT = 1.12, 0.24, 0.1, 1.7, 0.46
# Inches: the left and the right, the title, and the space below a picture.
_MARGIN, _TITLE, _BELOW = 0.15, 0.75, 0.25
_EXPLANATION = "Clear: where the network looked most for the word. Red: a word of none of the references."
_MARKED, _QUIET = "tab:red", "0.35"


def plot_captions(path: Path, shown: Sequence[ShownCaption], title: str) -> None:
    """Draws a few pictures, each with its caption, its first reference and the attention of every word.

    A word's panel is clear where the network looked most for it. Words that no reference has are red. The first 4
    pictures are drawn, and the first 21 words of each; text that is longer than its place ends in an ellipsis.

    Args:
        path: The `.png` to write; it appears whole or not at all.
        shown: The captions, one at least.
        title: The heading.

    Raises:
        ValueError: there is no caption to draw.

    Example:
        plot_captions(run / "captions.png", shown[:4], "test pictures")
    """
    # Not pyplot: it would look for a display, and keep every figure alive.
    from matplotlib.figure import Figure

    shown = shown[:MOST_PICTURES]
    if not shown:
        raise ValueError("no captions to draw")
    # Without attention there are no panels, but the texts still need some width.
    longest = max(len(one.words) for one in shown)
    columns = min(max(longest, 5), _WORDS_IN_A_LINE)
    heights = [_row_height(one, columns) for one in shown]
    width = 2 * _MARGIN + _PICTURE + columns * (_GAP + _PANEL)
    figure = Figure(figsize=(width, _TITLE + sum(heights)), dpi=DOTS)
    _write(figure, (_MARGIN, 0.1), title, width - 2 * _MARGIN, fontsize=13)
    explanation = _EXPLANATION if any(one.attention is not None for one in shown) else ""
    _write(figure, (_MARGIN, 0.38), explanation, width - 2 * _MARGIN, fontsize=9, color=_QUIET)
    for number, one in enumerate(shown):
        _draw_row(figure, _TITLE + sum(heights[:number]), columns, one)
    save_figure(figure, path)


def _row_height(one: ShownCaption, columns: int) -> float:
    words = min(len(one.words), MOST_WORDS) if one.attention is not None else 0
    return _TEXT + max(_PICTURE, math.ceil(words / columns) * (_PANEL + _LABEL)) + _BELOW


def _draw_row(figure, top: float, columns: int, one: ShownCaption) -> None:
    width = figure.get_figwidth() - 2 * _MARGIN
    _write(figure, (_MARGIN, top), " ".join(one.words) or "(no words)", width, fontsize=10, fontweight="bold")
    notes = [f"reference: {one.references[0]}"] if one.references else []
    notes = ([f"CIDEr {one.cider:.2f}"] if one.cider is not None else []) + notes
    _write(figure, (_MARGIN, top + 0.2), " · ".join(notes), width, fontsize=9, color=_QUIET)
    top += _TEXT
    _axes(figure, (_MARGIN, top), _PICTURE).imshow(one.picture)
    if one.attention is None:
        return
    height, width = one.picture.shape[:2]
    marks = words_of_no_reference(one)
    for place, (word, weights, mark) in enumerate(zip(one.words[:MOST_WORDS], one.attention, marks)):
        line, column = divmod(place, columns)
        left = _MARGIN + _PICTURE + _GAP + column * (_PANEL + _GAP)
        down = top + line * (_PANEL + _LABEL)
        axes = _axes(figure, (left, down), _PANEL)
        axes.imshow(one.picture)
        extent = (-0.5, width - 0.5, height - 0.5, -0.5)
        axes.imshow(attention_veil(weights), interpolation="bilinear", extent=extent)
        colour = _MARKED if mark else "black"
        centre = (left + _PANEL / 2, down + _PANEL + 0.02)
        _write(figure, centre, word, _PANEL, fontsize=9, color=colour, horizontalalignment="center")


def _axes(figure, corner: tuple[float, float], side: float):
    """A square for a picture; the corner is in inches from the left and the top."""
    width, height = figure.get_size_inches()
    left, top = corner
    axes = figure.add_axes((left / width, 1 - (top + side) / height, side / width, side / height))
    axes.set_axis_off()
    axes.set_anchor("N")
    return axes


def _write(figure, place: tuple[float, float], text: str, room: float, **settings) -> None:
    """Writes one line whose top is at `place`, in inches from the left and the top, no wider than `room` inches."""
    width, height = figure.get_size_inches()
    # Far more than fits: the rest would only be measured letter by letter.
    text = " ".join(text.split())[:300]
    # Text is text, also with dollar signs in it.
    settings |= {"verticalalignment": "top", "parse_math": False, "fontfamily": font_families([text])}
    written = figure.text(place[0] / width, 1 - place[1] / height, text, **settings)
    with boxes_in_silence():
        while text and written.get_window_extent().width > room * figure.dpi:
            text = text[:-1]
            written.set_text(text.rstrip() + "…")
