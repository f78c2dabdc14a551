"""How far forecasts are off: for each series, for each step ahead, and in all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Figures that are the same in every unit; those that compare methods over series of several.
UNITLESS = ("mae_scaled", "mse_scaled", "mase", "smape", "weighted_quantile_loss")


@dataclass(frozen=True)
class Scales:
    """What the errors of each series are measured by: figures of its training rows.

    Args:
        deviation: The standard deviation, (series,).
        seasonal_error: The mean error of the value a season before, (series,).
    """

    deviation: np.ndarray
    seasonal_error: np.ndarray


def scales_of(targets: Sequence[np.ndarray], season: int) -> Scales:
    """Measures series of training rows.

    Args:
        targets: A series each, (length,), NaN where a value is missing.
        season: Steps of a season.

    Returns:
        The scales; NaN where a series has too little to tell.

    Example:
        scales_of([np.array([1.0, 2.0, 4.0])], season=1).seasonal_error   # [1.5]
    """
    found = [
        (_mean(np.abs(row - _mean(row)) ** 2) ** 0.5, _mean(np.abs(row[season:] - row[:-season]))) for row in targets
    ]
    deviation, seasonal_error = np.array(found, np.float64).reshape(-1, 2).T
    return Scales(deviation, seasonal_error)


def _mean(values: np.ndarray) -> float:
    """The mean of those that are there; NaN if there are none, without a warning."""
    there = values[np.isfinite(values)]
    return float(there.mean(dtype=np.float64)) if len(there) else float("nan")


class Errors:
    """Sums of errors by series and step ahead, to which forecasts are added a batch at a time.

    Targets that are NaN do not count. Figures of several series are the means over them, as utilsforecast has them,
    but for `weighted_quantile_loss`, where large series weigh more. The figures:

        mae, mse                  mean of |y - f| and of (y - f)^2, in units
        mae_scaled, mse_scaled    the same, of series divided by the deviation of their training rows
        mase                      mae / the training rows' mean of |y_t - y_{t - season}|
        smape                     mean of |y - f| / (|y| + |f|), 0 where both are 0
        weighted_quantile_loss    2 sum of the mean over q of max(q (y - f_q), (q - 1) (y - f_q)) / sum of |y|
        coverage                  the share of y between the least and the largest quantile, both included

    Args:
        series: How many series.
        horizon: Steps ahead.
        quantiles: Their levels, 0 to 1; empty where there are none.

    Example:
        errors = Errors(series=1, horizon=2, quantiles=())
        errors.add(np.array([0]), targets=np.array([[1.0, 2.0]]), forecasts=np.array([[1.0, 4.0]]))
        errors.total(scales)["mae"]   # 1.0

    Sources: Hyndman and Koehler, "Another look at measures of forecast accuracy", 2006 (mase); Makridakis, "Accuracy
    measures", 1993 (smape); Rangapuram et al., "End-to-end learning of coherent probabilistic forecasts", 2021, and
    Park et al., arXiv:2111.06581 (weighted_quantile_loss).
    """

    def __init__(self, series: int, horizon: int, quantiles: Sequence[float]):
        self.levels = np.array(quantiles, np.float64)
        names = ["count", "size", "absolute", "squared", "symmetric"]
        self.sums = {
            name: np.zeros([series, horizon]) for name in names + ["pinball", "covered"] * bool(len(self.levels))
        }

    def add(
        self, rows: np.ndarray, targets: np.ndarray, forecasts: np.ndarray, quantiles: np.ndarray | None = None
    ) -> None:
        """Adds forecasts.

        Args:
            rows: The series of each, (batch,).
            targets: y, (batch, horizon).
            forecasts: f, (batch, horizon).
            quantiles: f_q, (batch, horizon, quantiles), where there are any.
        """
        counts = np.isfinite(targets)
        y = np.where(counts, targets, 0).astype(np.float64)
        off = np.where(counts, y - forecasts, 0)
        size = np.abs(y) + np.where(counts, np.abs(forecasts), 0)
        found = {
            "count": counts,
            "size": np.abs(y),
            "absolute": np.abs(off),
            "squared": off**2,
            "symmetric": np.divide(np.abs(off), size, out=np.zeros_like(off), where=size > 0),
        }
        if len(self.levels):
            off = y[:, :, np.newaxis] - quantiles
            pinball = np.maximum(self.levels * off, (self.levels - 1) * off).mean(axis=2)
            found["pinball"] = np.where(counts, pinball, 0)
            found["covered"] = counts & (off[:, :, 0] >= 0) & (off[:, :, -1] <= 0)
        for name, values in found.items():
            np.add.at(self.sums[name], rows, values)

    def total(self, scales: Scales) -> dict[str, float | None]:
        """The figures in all; None where no series has any."""
        each = {name: _mean(values) for name, values in self.per_series(scales).items()}
        if "pinball" in self.sums:
            each["weighted_quantile_loss"] = _mean(_share(2 * self.sums["pinball"].sum(), self.sums["size"].sum()))
        return {name: None if np.isnan(value) else value for name, value in each.items()}

    def per_series(self, scales: Scales) -> dict[str, np.ndarray]:
        """The figures of each series, (series,) each; NaN where there are none."""
        sums = {name: values.sum(axis=1) for name, values in self.sums.items()}
        return _figures(sums, scales.deviation, scales.seasonal_error)

    def per_horizon(self, scales: Scales) -> dict[str, np.ndarray]:
        """The figures of each step ahead, the means over the series, (horizon,) each; NaN where there are none."""
        found = _figures(self.sums, scales.deviation[:, np.newaxis], scales.seasonal_error[:, np.newaxis])
        each = {name: np.array([_mean(step) for step in values.T]) for name, values in found.items()}
        if "pinball" in self.sums:
            each["weighted_quantile_loss"] = _share(2 * self.sums["pinball"].sum(axis=0), self.sums["size"].sum(axis=0))
        return each


def _figures(sums: dict[str, np.ndarray], deviation: np.ndarray, seasonal_error: np.ndarray) -> dict[str, np.ndarray]:
    mae, mse = _share(sums["absolute"], sums["count"]), _share(sums["squared"], sums["count"])
    figures = {
        "mae": mae,
        "mse": mse,
        "mae_scaled": _share(mae, deviation),
        "mse_scaled": _share(mse, deviation**2),
        "mase": _share(mae, seasonal_error),
        "smape": _share(sums["symmetric"], sums["count"]),
    }
    if "pinball" in sums:
        figures["weighted_quantile_loss"] = _share(2 * sums["pinball"], sums["size"])
        figures["coverage"] = _share(sums["covered"], sums["count"])
    return figures


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, NaN where whole is 0 or not known."""
    part, whole = np.broadcast_arrays(np.asarray(part, np.float64), np.asarray(whole, np.float64))
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
