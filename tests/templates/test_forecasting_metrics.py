"""The metrics of forecasts are those of utilsforecast."""

import numpy as np
import pandas as pd
import pytest
from utilsforecast import losses

from templates.forecasting.metrics import Errors, scales_of

SEASON, HORIZON, LEVELS = 4, 6, (0.1, 0.5, 0.9)
NAMES = ["a", "b", "c", "d"]


@pytest.fixture(scope="module")
def forecasts():
    """Training rows, and of each series several forecasts: targets, forecasts and quantiles."""
    random = np.random.default_rng(0)
    units = np.array([1.0, 1e-3, 500.0, 7.0])
    training = [random.normal(size=40) * unit + 3 * unit for unit in units]
    rows = np.repeat(np.arange(4), 5)
    targets = random.normal(size=(20, HORIZON)) * units[rows, np.newaxis]
    targets[targets < -1.5] = 0
    found = targets + random.normal(size=targets.shape) * units[rows, np.newaxis]
    found[3] = 0
    quantiles = np.sort(found[:, :, np.newaxis] + random.normal(size=(20, HORIZON, 3)), axis=2)
    return training, rows, targets, found, quantiles


def measured(forecasts):
    training, rows, targets, found, quantiles = forecasts
    errors = Errors(len(NAMES), HORIZON, LEVELS)
    for some in (slice(0, 7), slice(7, 20)):
        errors.add(rows[some], targets[some], found[some], quantiles[some])
    return errors, scales_of(training, SEASON)


def by_utilsforecast(forecasts, steps: slice) -> dict[str, np.ndarray]:
    """Its figures of some of the steps ahead, by series."""
    training, rows, targets, found, quantiles = forecasts
    names = np.array(NAMES)[rows]
    columns = {f"q{number}": quantiles[:, steps, number].ravel() for number in range(3)}
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(names, targets[:, steps].shape[1]),
            "y": targets[:, steps].ravel(),
            "model": found[:, steps].ravel(),
            "model-lo-80": columns["q0"],
            "model-hi-80": columns["q2"],
            **columns,
        }
    )
    frame["ds"] = np.arange(len(frame))
    past = pd.concat(
        pd.DataFrame({"unique_id": name, "ds": np.arange(len(row)), "y": row})
        for name, row in zip(NAMES, training, strict=True)
    )
    crps = losses.scaled_crps(frame, {"model": list(columns)}, np.array(LEVELS))
    tables = {
        "mae": losses.mae(frame, ["model"]),
        "mse": losses.mse(frame, ["model"]),
        "mase": losses.mase(frame, ["model"], SEASON, past),
        "smape": losses.smape(frame, ["model"]),
        "weighted_quantile_loss": crps,
        "coverage": losses.coverage(frame, ["model"], 80),
    }
    return {name: table.sort_values("unique_id")["model"].to_numpy() for name, table in tables.items()}


def test_figures_of_each_series_are_those_of_utilsforecast(forecasts):
    errors, scales = measured(forecasts)
    expected, found = by_utilsforecast(forecasts, slice(None)), errors.per_series(scales)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-12, err_msg=name)
    total = errors.total(scales)
    for name in set(expected) - {"weighted_quantile_loss"}:
        assert total[name] == pytest.approx(expected[name].mean(), rel=1e-12), name
    deviation = np.array([row.std() for row in forecasts[0]])
    np.testing.assert_allclose(found["mae_scaled"], expected["mae"] / deviation, rtol=1e-12)
    np.testing.assert_allclose(found["mse_scaled"], expected["mse"] / deviation**2, rtol=1e-12)


def test_figures_of_each_step_ahead_are_those_of_utilsforecast(forecasts):
    errors, scales = measured(forecasts)
    found = errors.per_horizon(scales)
    for step in range(HORIZON):
        expected = by_utilsforecast(forecasts, slice(step, step + 1))
        for name in set(expected) - {"weighted_quantile_loss"}:
            assert found[name][step] == pytest.approx(expected[name].mean(), rel=1e-12), name


def test_the_weighted_quantile_loss_in_all_weighs_by_size(forecasts):
    _, rows, targets, found, quantiles = forecasts
    errors, scales = measured(forecasts)
    whole = Errors(1, HORIZON, LEVELS)
    whole.add(rows * 0, targets, found, quantiles)
    expected = whole.per_series(scales_of([np.arange(9.0)], SEASON))["weighted_quantile_loss"][0]
    assert errors.total(scales)["weighted_quantile_loss"] == pytest.approx(expected, rel=1e-12)
