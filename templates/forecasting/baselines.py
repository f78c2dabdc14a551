"""What a model is to be better than: forecasts that need no network, from the same windows."""

from collections.abc import Iterable

import numpy as np

# Of the sums of squares, what is added to those of the weights: enough for windows that say the same twice.
RIDGE = 1e-6


def naive(windows: np.ndarray, horizon: int) -> np.ndarray:
    """The last value, again and again.

    Args:
        windows: (batch, window).
        horizon: Steps ahead.

    Returns:
        (batch, horizon).
    """
    return np.repeat(windows[:, -1:], horizon, axis=1)


def seasonal_naive(windows: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """The last season, again and again; of a window that is shorter than a season, the last value.

    Example:
        seasonal_naive(np.array([[1, 2, 3]]), horizon=3, season=2)   # [[2, 3, 2]]
    """
    season = season if season <= windows.shape[1] else 1
    return windows[:, -season:][:, np.arange(horizon) % season]


def drift(windows: np.ndarray, horizon: int) -> np.ndarray:
    """The line through a window's first and last value, prolonged."""
    last, steps = windows[:, -1:], max(windows.shape[1] - 1, 1)
    return last + (last - windows[:, :1]) / steps * np.arange(1, horizon + 1)


class LinearMap:
    """A linear map of the window, one for all series and fitted by least squares: what DLinear computes.

    DLinear's two maps, of a moving average and of the rest, are together one map of the window; it is found here in
    closed form instead of by steps. Windows are brought to mean 0 and deviation 1 first, and what comes out back.

    Args:
        weights: (window + 1, horizon); the last row is the bias.

    Example:
        LinearMap.fit([(windows, targets, deviations)]).forecast(windows)

    Sources: Zeng et al. 2023, "Are Transformers Effective for Time Series Forecasting?", arXiv:2205.13504; Toner and
    Darlow 2024, "An Analysis of Linear Time Series Forecasting Models", arXiv:2403.14587 (the closed form).
    """

    def __init__(self, weights: np.ndarray):
        self.weights = weights

    @classmethod
    def fit(cls, batches: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> "LinearMap":
        """Fits the map to pairs of window and target.

        Args:
            batches: Windows (batch, window), targets (batch, horizon), of which those with NaN are left out, and the
                unit in which each row's error counts, (batch,): its series' deviation.
        """
        squares = products = 0.0
        for windows, targets, units in batches:
            whole = np.isfinite(targets).all(axis=1)
            windows, targets, units = windows[whole], targets[whole], units[whole, np.newaxis]
            mean, deviation = _mean_and_deviation(windows)
            weight = deviation / units
            inputs = _with_bias((windows - mean) / deviation) * weight
            squares = squares + inputs.T @ inputs
            products = products + inputs.T @ ((targets - mean) / units)
        # As many windows are to count for the bias as for each weight.
        ridge = RIDGE * np.trace(squares) / len(squares)
        return cls(np.linalg.solve(squares + ridge * np.eye(len(squares)), products))

    def forecast(self, windows: np.ndarray) -> np.ndarray:
        """(batch, window) -> (batch, horizon)."""
        mean, deviation = _mean_and_deviation(windows)
        return _with_bias((windows - mean) / deviation) @ self.weights * deviation + mean


def _mean_and_deviation(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each window, (batch, 1) each; the deviation of a constant one is 1."""
    windows = windows.astype(np.float64)
    deviation = windows.std(axis=1, keepdims=True)
    mean = windows.mean(axis=1, keepdims=True)
    return mean, np.where(deviation > 1e-6 * np.abs(mean), deviation, 1.0)


def _with_bias(inputs: np.ndarray) -> np.ndarray:
    return np.concatenate([inputs, np.ones_like(inputs[:, :1])], axis=1)
