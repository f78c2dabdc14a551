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
    axes.imshow(attention, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    # Read like a page: inputs above, outputs downwards. A label is a label, also with dollar signs in it.
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(inputs)), inputs, parse_math=False, rotation=90)
    axes.set_yticks(range(len(outputs)), outputs, parse_math=False)
    axes.tick_params(length=0)
    axes.set_xticks(np.arange(1, len(inputs)) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, len(outputs)) - 0.5, minor=True)
    axes.grid(which="minor", color="0.9", linewidth=0.5)
    axes.set_title(title, parse_math=False)
    save_figure(figure, path)
