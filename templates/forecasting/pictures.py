"""The pictures of a run: forecasts beside what came, and how errors grow with the steps ahead."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from training.plots import new_figure, save_figure

from .config import Config
from .metrics import Errors
from .pipeline import Examples, make_batch

# Series in a picture, and horizons of history before each forecast.
MOST_SERIES, HISTORY = 6, 3


def plot_errors(path: Path, examples: Examples, errors: dict[str, Errors]) -> None:
    """Draws the mean scaled absolute error by steps ahead, a line for each method, the model's the first.

    Args:
        path: The `.png` to write.
        examples: The split.
        errors: A method's name -> its errors.
    """
    figure, axes = new_figure(1, 1, (7, 4))
    for number, (name, one) in enumerate(errors.items()):
        found = one.per_horizon(examples.scales)["mae_scaled"]
        style = {"color": "tab:blue", "linewidth": 2.2} if not number else {"linewidth": 1.2, "color": f"C{number}"}
        marker = "o" if len(found) < 8 else None
        axes.plot(np.arange(1, len(found) + 1), found, label=name, marker=marker, **style)
    axes.set(xlabel="steps ahead", ylabel="mean absolute error / deviation", title="Errors by steps ahead")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", frameon=False)
    save_figure(figure, path)


def plot_forecasts(path: Path, config: Config, examples: Examples, predict_step, methods: dict) -> None:
    """Draws the last window of some series: history, forecast with its quantiles, what came, and two other methods.

    Args:
        path: The `.png` to write.
        config: The run's configuration.
        examples: The split.
        predict_step: What `evaluate.make_predict_step` gave.
        methods: What `evaluate.baselines` gave.
    """
    _, lasts = np.unique(examples.rows[::-1], return_index=True)
    chosen = (len(examples) - 1 - lasts)[np.unique(np.linspace(0, len(lasts) - 1, MOST_SERIES).astype(int))]
    windows, *_, targets, _ = batch = make_batch(config, examples, chosen, len(chosen))
    forecasts, quantiles, _ = predict_step(*map(tf.constant, batch))
    columns = min(2, len(chosen))
    rows = -(-len(chosen) // columns)
    figure, axes = new_figure(rows, columns, (6.5 * columns, 2.6 * rows + 0.4))
    panels = np.atleast_1d(axes).ravel()
    for panel in panels[len(chosen) :]:
        panel.set_axis_off()
    shown = min(config.window, max(HISTORY * config.horizon, 8))
    for row, (panel, example) in enumerate(zip(panels, chosen, strict=False)):
        series = int(examples.rows[example])
        first = examples.origins[example] - int(sum(map(len, examples.series.targets[:series])))
        times = examples.series.times[series][first - shown : first + config.horizon]
        past, ahead = times[:shown], times[shown:]
        came = np.concatenate([windows[row, -shown:], targets[row]])
        panel.plot(times, came, color="black", linewidth=1, label="what came")
        for name, style in (("seasonal naive", ":"), ("linear map", "--")):
            found = methods[name](windows[row : row + 1])[0]
            panel.plot(ahead, found, color="gray", linewidth=1, linestyle=style, label=name)
        panel.plot(ahead, forecasts[row], color="tab:blue", linewidth=1.8, label="forecast")
        if len(config.levels) > 1:
            label = f"{config.levels[0]:g} to {config.levels[-1]:g} quantile"
            panel.fill_between(
                ahead,
                quantiles[row, :, 0],
                quantiles[row, :, -1],
                color="tab:blue",
                alpha=0.2,
                linewidth=0,
                label=label,
            )
        panel.axvline(past[-1], color="gray", linewidth=0.6)
        panel.set_title(examples.series.names[series], fontsize=10, parse_math=False)
        panel.tick_params(labelsize=8)
        if np.issubdtype(times.dtype, np.datetime64):
            _write_dates_briefly(panel)
        panel.grid(alpha=0.3)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False, fontsize=9)
    save_figure(figure, path)


def _write_dates_briefly(panel) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=7)
    panel.xaxis.set_major_locator(locator)
    panel.xaxis.set_major_formatter(ConciseDateFormatter(locator))
