"""The pictures of a run, drawn with matplotlib without a display."""

from pathlib import Path

import numpy as np

from data.writing import replacing
from training.fonts import boxes_in_silence, font_families

DOTS = 120  # per inch


def plot_learning_curve(path: Path, history: list[dict], metric: str, best_epoch: int) -> None:
    """Draws the losses over the epochs, and beside them a validation metric that is another.

    Args:
        path: The `.png` to write.
        history: A dictionary per epoch with `epoch`, `loss`, `validation_loss` and `validation_<metric>`.
        metric: The metric that early stopping watches.
        best_epoch: The epoch (from 1) whose weights were kept; marked.
    """
    panels = 1 if metric == "loss" else 2
    figure, axes = new_figure(1, panels, (4.5 * panels, 3.6))
    axes = np.atleast_1d(axes)
    left, right = axes[0], axes[-1]
    epochs = [row["epoch"] for row in history]
    left.plot(epochs, [row["loss"] for row in history], marker="o", label="training")
    left.plot(epochs, [row["validation_loss"] for row in history], marker="o", label="validation")
    left.set(xlabel="epoch", ylabel="loss", title="Loss")
    left.legend(frameon=False)
    if panels == 2:
        name = metric.replace("_", " ")
        right.plot(epochs, [row[f"validation_{metric}"] for row in history], marker="o", color="tab:green")
        right.set(xlabel="epoch", ylabel=name, title=f"Validation {name}")
    right.axvline(best_epoch, linestyle=":", color="gray")
    # On the side that has more room.
    side, place = (-4, "right") if best_epoch > len(epochs) / 2 else (4, "left")
    right.annotate(
        f"best: epoch {best_epoch}", (best_epoch, 0.5), xycoords=("data", "axes fraction"), xytext=(side, 0),
        textcoords="offset points", color="gray", rotation=90, va="center", ha=place,
    )  # fmt: skip
    for panel in axes:
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.grid(alpha=0.3)
    save_figure(figure, path)


def plot_confusion_matrix(path: Path, confusion: np.ndarray, names: list[str], title: str) -> None:
    """Draws a confusion matrix: shares of each true class as colour, counts as numbers.

    Args:
        path: The `.png` to write.
        confusion: (classes, classes) counts, rows true, columns predicted.
        names: The classes' names.
        title: What was counted: "test, 25,000 rows".
    """
    size = min(4 + 0.5 * len(names), 24)
    figure, axes = new_figure(1, 1, (size + 1, size))
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    ticks = range(len(names))
    short = [name if len(name) <= 24 else name[:23] + "…" for name in names]
    turned = {"rotation": 45, "ha": "right"} if len(names) > 3 else {}
    # A label is a label, also with dollar signs in it.
    axes.set_xticks(ticks, short, parse_math=False, **turned)
    axes.set_yticks(ticks, short, parse_math=False)
    axes.set(xlabel="predicted", ylabel="true", title=title)
    # Numbers in a cell of a few points would be unreadable.
    if len(names) <= 30:
        for row in ticks:
            for column in ticks:
                colour = "white" if shares[row, column] > 0.5 else "black"
                axes.text(column, row, f"{confusion[row, column]:,}", ha="center", va="center", color=colour)
    figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.8)
    save_figure(figure, path)


def new_figure(rows: int, columns: int, size: tuple[float, float]):
    """A matplotlib figure of a size in inches, and its axes."""
    # Not pyplot: it would look for a display, and keep every figure alive.
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns)


def save_figure(figure, path: Path) -> None:
    """Writes a matplotlib figure as a `.png`, in fonts that have its characters; it appears whole or not at all."""
    from matplotlib.text import Text

    texts = figure.findobj(Text)
    families = font_families(text.get_text() for text in texts)
    for text in texts:
        text.set_fontfamily(families)
    with replacing(path) as temporary, boxes_in_silence():
        figure.savefig(temporary, dpi=DOTS)
