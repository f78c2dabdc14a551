"""An unrolled network as a PNG, for a paper or a slide: the page's lanes, drawn with matplotlib."""

from pathlib import Path

import numpy as np

from training.pages.unrolled import Bars, Labels, States, Unrolled
from training.plots import new_figure, save_figure

# Inches: the heights of lanes, a column, and the widest figure.
HEIGHTS = {States: 1.3, Bars: 0.55, Labels: 0.3}
COLUMN, WIDEST = 0.55, 40.0


def draw_unrolled(unrolled: Unrolled, path: Path) -> None:
    """Draws an unrolled network's states and numbers, the steps' words below them.

    Args:
        unrolled: What is drawn.
        path: The `.png` to write.
    """
    drawn = [lane for lane in unrolled.lanes if not isinstance(lane, Labels)]
    words = [lane for lane in unrolled.lanes if isinstance(lane, Labels)]
    heights = [HEIGHTS[type(lane)] for lane in drawn]
    width = min(2.5 + COLUMN * unrolled.steps, WIDEST)
    figure, axes = new_figure(len(drawn), 1, (width, sum(heights) + 0.9 + 0.9 * len(words)))
    axes[0].get_gridspec().set_height_ratios(heights)
    for place, lane in zip(axes, drawn, strict=True):
        if isinstance(lane, States):
            most = float(np.abs(lane.values).max()) or 1
            place.imshow(lane.values.T, aspect="auto", cmap="PuOr_r", vmin=-most, vmax=most, interpolation="nearest")
        else:
            place.bar(range(unrolled.steps), lane.values, color="tab:orange")
            place.set_ylim(min(0, *lane.values), lane.most or None)
            place.set_xlim(-0.5, unrolled.steps - 0.5)
        place.set_ylabel(lane.name, rotation=0, ha="right", va="center", parse_math=False)
        place.set(xticks=[], yticks=[])
    columns = list(zip(*(lane.words for lane in words), strict=True))
    names = [" / ".join(dict.fromkeys(reversed(column))) for column in columns]
    axes[-1].set_xticks(range(unrolled.steps), names, rotation=60, ha="right", parse_math=False)
    figure.suptitle(unrolled.title, parse_math=False)
    save_figure(figure, path)
