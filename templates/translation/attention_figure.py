"""The picture of what a translator looked at."""

from pathlib import Path

import numpy as np

from training.plots import new_figure, save_figure


def plot_attention(path: Path, attention: np.ndarray, inputs: list[str], outputs: list[str], title: str = "") -> None:
    """Draws where a decoder looked: a row per output, a column per input, dark where it looked.

    Args:
        path: The `.png` to write.
        attention: (outputs, inputs), 0 to 1.
        inputs: The inputs' labels.
        outputs: The outputs' labels.
        title: The heading.
    """
    width, height = (min(2 + 0.3 * len(labels), 30) for labels in (inputs, outputs))
    figure, axes = new_figure(1, 1, (width, height))
    # With its lines, which as a grid of minor ticks would take half as long again.
    axes.pcolormesh(attention, cmap="Blues", vmin=0, vmax=1, edgecolors="0.9", linewidth=0.5)
    # Read like a page: inputs above, outputs downwards. A label is a label, also with dollar signs in it.
    axes.invert_yaxis()
    axes.xaxis.tick_top()
    axes.set_xticks(np.arange(len(inputs)) + 0.5, inputs, parse_math=False, rotation=90)
    axes.set_yticks(np.arange(len(outputs)) + 0.5, outputs, parse_math=False)
    axes.tick_params(length=0)
    axes.set_title(title, parse_math=False)
    save_figure(figure, path)
