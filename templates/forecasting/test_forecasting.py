"""The template's own tests; they travel with a copy: `python -m pytest forecasting`."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from data.errors import UserError
from data.series.reading import read_series
from data.series.rows import Series
from training.averaging import WeightAverage
from training.device import Device
from training.runs.folder import RunFolder

from . import pipeline, serving
from .baselines import LinearMap, drift, naive, seasonal_naive
from .config import Config
from .evaluate import make_predict_step, measure, rolling_numbers, rolling_origins, verdict
from .metrics import Errors, scales_of
from .model import answer, build_model, losses_of
from .train import learning_rate, make_train_step

SMALL = Config(
    horizon=5, window=12, segment=4, units=6, batch_size=8, learning_rate=0.01, dropout=0.0, weight_average=0.5,
    calendar=False, future_columns="", static_columns="",
)  # fmt: skip
CPU = Device(tf.distribute.get_strategy(), "CPU", "float32", jit=False)
NETWORKS = [
    {"cell": "gru"},
    {"cell": "lstm", "decoding": "step_by_step", "point_loss": "mse"},
    {"cell": "simple_rnn", "quantiles": "none", "calendar": True},
    {"cell": "gru", "segment": 1, "quantiles": "0.05,0.25,0.75,0.95", "decoding": "step_by_step"},
]


def days(count, first="2024-01-01"):
    return (np.datetime64(first) + np.arange(count)).astype("datetime64[us]")


def series_of(*targets, future=0, static=0, begins=0):
    """Series of days, with covariates by chance."""
    random, count = np.random.default_rng(0), len(targets)
    return Series(
        [f"series {number}" for number in range(count)],
        [days(len(row)) for row in targets],
        [np.float32(row) for row in targets],
        [begins] * count,
        [random.normal(size=(len(row), future)).astype(np.float32) for row in targets],
        [random.normal(size=static).astype(np.float32) for _ in targets],
    )


def waves(count=3, length=60, **fields):
    steps = np.arange(length)
    rows = [(number + 1) * (10 + np.sin(steps * 2 * np.pi / 7 + number) + 0.01 * steps) for number in range(count)]
    return series_of(*rows, **fields)


def columns_of(path):
    """Those of a file of days, which is written."""
    path.write_text("ds,y\n" + "".join(f"{day},1\n" for day in days(9).astype("datetime64[D]")))
    return read_series([path]).columns


@pytest.fixture(scope="module")
def columns(tmp_path_factory):
    return columns_of(tmp_path_factory.mktemp("days") / "days.csv")


def examples_of(config, series, columns):
    return pipeline.make_examples(config, series, pipeline.Learned.of(config, columns, series))


def small_model(columns, series=None, **fields):
    """A model whose numbers are large enough to tell steps apart, its examples, and its configuration."""
    config = dataclasses.replace(SMALL, **fields)
    examples = examples_of(config, series or waves(), columns)
    keras.utils.set_random_seed(0)
    return build_model(config, examples), examples, config


def train_steps(model, examples, config):
    optimizer = keras.optimizers.Adam(config.learning_rate)
    optimizer.build(model.trainable_variables)
    average = WeightAverage(model.trainable_variables, config.weight_average)
    return make_train_step(model, optimizer, average, CPU, config, examples)


def batch_of(config, examples, chosen, size=None):
    return [tf.constant(part) for part in pipeline.make_batch(config, examples, np.array(chosen), size or len(chosen))]


# Windows and splits


def test_a_window_and_its_targets_are_the_steps_around_the_origin(columns):
    examples = examples_of(SMALL, series_of(np.arange(20), 100 + np.arange(17)), columns)
    assert len(examples) == (20 - 17 + 1) + 1
    windows, _, _, targets, units = pipeline.make_batch(SMALL, examples, np.array([1, 4]), 3)
    assert windows[0].tolist() == list(range(1, 13)) and targets[0].tolist() == list(range(13, 18))
    assert windows[1].tolist() == list(range(100, 112)) and targets[1].tolist() == list(range(112, 117))
    assert np.isnan(targets[2]).all() and windows[2].tolist() == windows[0].tolist()
    assert units.tolist() == pytest.approx([np.arange(20).std(), np.arange(17).std(), np.arange(20).std()])


def test_every_step_that_is_asked_for_is_forecast_at_every_distance(columns):
    examples = examples_of(SMALL, waves(1, 60, begins=40), columns)
    assert (examples.origins == np.arange(40, 56)).all()
    assert (examples_of(SMALL, waves(1, 60, begins=3), columns).origins == np.arange(12, 56)).all()


def test_a_missing_value_keeps_its_windows_out_or_is_filled_by_what_was_before(columns):
    row = np.arange(40.0)
    row[20] = np.nan
    kept = examples_of(SMALL, series_of(row), columns)
    assert (kept.origins == [*range(12, 21), *range(33, 36)]).all() and "12 windows lack values" in kept.note
    filled = dataclasses.replace(SMALL, fill="forward")
    examples = examples_of(filled, series_of(row), columns)
    assert len(examples) == 24 and not examples.note
    windows, _, _, targets, _ = pipeline.make_batch(filled, examples, np.array([9]), 1)
    assert windows[0, -1] == 19 and np.isnan(row[20])
    _, _, _, targets, _ = pipeline.make_batch(filled, examples, np.array([8]), 1)
    assert np.isnan(targets[0, 0]) and targets[0, 1] == 21


def test_what_is_too_short_is_named(columns):
    examples = examples_of(SMALL, series_of(np.arange(40.0), np.arange(16.0)), columns)
    assert "series 1" in examples.note and examples.series.names == ["series 0"]
    with pytest.raises(UserError, match="no series is long enough for a window of 12 and a horizon of 5"):
        examples_of(SMALL, series_of(np.arange(16.0)), columns)
    with pytest.raises(UserError, match="windows of 12 steps lacks values; --fill"):
        examples_of(SMALL, series_of(np.where(np.arange(40) % 3, 1, np.nan)), columns)


def test_epochs_are_planned_by_seed_and_epoch_alone(columns):
    examples = examples_of(SMALL, waves(), columns)
    plan = pipeline.plan_epoch(SMALL, examples, 1)
    assert np.array_equal(np.sort(np.concatenate(plan)), np.arange(len(examples)))
    again, other = pipeline.plan_epoch(SMALL, examples, 1), pipeline.plan_epoch(SMALL, examples, 2)
    assert all(map(np.array_equal, plan, again)) and not np.array_equal(plan[0], other[0])
    few = pipeline.plan_epoch(dataclasses.replace(SMALL, windows_per_epoch=20), examples, 1)
    assert [len(part) for part in few] == [8, 8, 4] and len(np.unique(np.concatenate(few))) == 20


def test_what_a_run_learned_is_the_same_after_json(columns):
    series = series_of(np.arange(40.0), np.ones(40), [5.0])
    learned = pipeline.Learned.of(SMALL, columns, series)
    again = pipeline.Learned.from_json(learned.to_json())
    assert again.columns == columns and again.season == 7
    np.testing.assert_equal(again.series, learned.series)
    assert learned.series["series 1"] == (0, 0) and np.isnan(learned.series["series 2"][1])
    scales = learned.scales(dataclasses.replace(series, names=["series 0", "unknown", "series 2"]))
    assert scales.seasonal_error[0] == 7 and scales.deviation[1] == 0


# The network


@pytest.mark.parametrize("fields", NETWORKS)
def test_a_step_moves_every_weight_and_lowers_the_loss(columns, fields):
    series = waves(future=2, static=3)
    model, examples, config = small_model(columns, series, **fields)
    before = [variable.numpy() for variable in model.trainable_variables]
    step, batch = train_steps(model, examples, config), batch_of(config, examples, range(7), 8)
    first, count, norm = step(*batch)
    assert float(count) == 7 * config.horizon and float(norm) > 0
    for variable, value in zip(model.trainable_variables, before, strict=True):
        assert (variable.numpy() != value).any(), variable.path
    for _ in range(30):
        last, *_ = step(*batch)
    assert float(last) < float(first)


@pytest.mark.parametrize("fields", NETWORKS)
def test_shapes_and_quantiles_that_do_not_cross(columns, fields):
    model, examples, config = small_model(columns, waves(future=2), **fields)
    for variable in model.trainable_variables:
        variable.assign(np.random.default_rng(1).normal(size=variable.shape))
    found = answer(model, *batch_of(config, examples, range(9))[:3])
    assert found["forecast"].shape == (9, 5)
    assert list(found) == (["forecast", "quantiles"] if config.levels else ["forecast"])
    if config.levels:
        assert found["quantiles"].shape == (9, 5, len(config.levels))
        assert (np.diff(found["quantiles"], axis=2) >= 0).all()
    nothing = answer(model, *(part[:0] for part in batch_of(config, examples, range(9))[:3]))
    assert nothing["forecast"].shape == (0, 5)


def test_a_forecast_moves_with_the_level_and_the_unit_of_its_window(columns):
    model, examples, config = small_model(columns)
    windows, covariates, static, *_ = batch_of(config, examples, range(9))
    found = answer(model, windows, covariates, static)
    moved = answer(model, windows * 8 - 100, covariates, static)
    for name, values in found.items():
        np.testing.assert_allclose(moved[name], values * 8 - 100, rtol=1e-4, atol=1e-3)


def test_constant_and_negative_windows_have_an_answer(columns):
    model, _, config = small_model(columns)
    windows = np.float32([[0] * 12, [-3] * 12, [1e6] * 12, [1e-6] * 11 + [2e-6], list(range(-12, 0))])
    found = answer(model, tf.constant(windows), None, None)
    assert all(np.isfinite(values).all() for values in found.values())
    windows[0, 3] = np.nan
    found = answer(model, tf.constant(windows), None, None)["forecast"].numpy()
    assert np.isnan(found[0]).all() and np.isfinite(found[1:]).all()


def test_the_loss_is_the_error_and_the_pinball_loss_of_what_is_known():
    config = dataclasses.replace(SMALL, quantiles="0.1,0.5")
    answers = {"forecast": tf.constant([[1.0, 2.0]]), "quantiles": tf.constant([[[0.0, 1.0], [5.0, 6.0]]])}
    targets, units = tf.constant([[3.0, np.nan]]), tf.constant([2.0])
    expected = (2 + (0.1 * 3 + 0.5 * 2)) / 2
    found = losses_of(config, answers, targets, units)
    np.testing.assert_allclose(found, [[expected, 0]], rtol=1e-6)
    squared = losses_of(dataclasses.replace(config, point_loss="mse", quantiles="none"), answers, targets, units)
    np.testing.assert_allclose(squared, [[1, 0]])
    with tf.GradientTape() as tape:
        tape.watch(answers)
        loss = tf.reduce_sum(losses_of(config, answers, targets, units))
    assert all(np.isfinite(gradient).all() for gradient in tf.nest.flatten(tape.gradient(loss, answers)))


def test_nobody_sees_what_comes_after_the_window(columns):
    """A signal is planted in the targets to come: answers, and what the run learned, are as without it."""
    before, after = waves(), waves()
    for row in after.targets:
        row[40:] += 1000
    model, examples, config = small_model(columns, before)
    planted = pipeline.make_examples(config, after, pipeline.Learned.of(config, columns, before))
    chosen = np.flatnonzero(examples.origins % 60 <= 40)
    ours, theirs = (batch_of(config, each, chosen) for each in (examples, planted))
    for name, values in answer(model, *ours[:3]).items():
        np.testing.assert_array_equal(answer(model, *theirs[:3])[name], values)
    assert (ours[3].numpy() != theirs[3].numpy()).any()


# Measuring


def test_figures_of_a_forecast_by_hand():
    errors = Errors(series=2, horizon=2, quantiles=(0.1, 0.9))
    quantiles = np.array([[[0, 2], [0, 2]], [[9, 11], [9, 9.5]]])
    errors.add(np.array([0, 1]), np.array([[1, np.nan], [10, 8]]), np.array([[2.0, 5.0], [10, 10]]), quantiles)
    scales = scales_of([np.array([0.0, 2, 4]), np.array([3.0, 3, 3])], season=1)
    found = errors.total(scales)
    assert found["mae"] == (1 + 1) / 2 and found["mse"] == (1 + 2) / 2
    assert found["mase"] == 1 / 2, "a constant series has no scale"
    assert found["smape"] == pytest.approx((1 / 3 + (0 + 2 / 18) / 2) / 2)
    assert found["coverage"] == (1 + 0.5) / 2
    pinball = np.array([0.1, 0.1, 0.1, 0.1, 0.9 * 1, 0.1 * 1.5]).reshape(3, 2).mean(axis=1)
    assert found["weighted_quantile_loss"] == pytest.approx(2 * pinball.sum() / 19)
    assert errors.per_horizon(scales)["mae"].tolist() == [0.5, 2]
    np.testing.assert_array_equal(errors.per_series(scales)["mase"], [0.5, np.nan])
    assert Errors(1, 2, ()).total(scales_of([np.ones(3)], 1))["mae"] is None


def test_a_perfect_model_has_no_error_and_the_loss_is_the_mean(columns):
    model, examples, config = small_model(columns)
    result = measure(make_predict_step(model, config, examples), config, examples)
    batch = batch_of(config, examples, range(len(examples)))
    found = answer(model, *batch[:3])
    expected = tf.reduce_mean(losses_of(config, found, *batch[3:]))
    assert result.loss == pytest.approx(float(expected), rel=1e-5)
    assert result.metrics["mae"] == pytest.approx(float(tf.reduce_mean(tf.abs(found["forecast"] - batch[3]))), rel=1e-5)


def test_baselines():
    windows = np.array([[1.0, 2, 3, 4], [5, 5, 5, 5]])
    assert naive(windows, 2).tolist() == [[4, 4], [5, 5]]
    assert seasonal_naive(windows, 3, 2).tolist() == [[3, 4, 3], [5, 5, 5]]
    assert seasonal_naive(windows, 2, 9).tolist() == naive(windows, 2).tolist()
    assert drift(windows, 2).tolist() == [[5, 6], [5, 5]]


def test_the_linear_map_is_that_of_least_squares():
    random = np.random.default_rng(0)
    windows = random.normal(size=(200, 6))
    targets = windows @ random.normal(size=(6, 3)) + random.normal(size=(200, 3))
    # In units in which every window counts alike, as `lstsq` has it.
    mean, deviation = windows.mean(axis=1, keepdims=True), windows.std(axis=1, keepdims=True)
    inputs = np.concatenate([(windows - mean) / deviation, np.ones([200, 1])], axis=1)
    solution, *_ = np.linalg.lstsq(inputs, (targets - mean) / deviation, rcond=None)
    parts = [slice(0, 50), slice(50, 200)]
    linear = LinearMap.fit((windows[part], targets[part], deviation[part, 0]) for part in parts)
    expected = inputs @ solution * deviation + mean
    np.testing.assert_allclose(linear.forecast(windows), expected, atol=1e-4)


def test_a_run_that_loses_says_so():
    figures = {"gru": {"mae_scaled": 0.5}, "naive": {"mae_scaled": 0.6}, "linear map": {"mae_scaled": 0.4}}
    assert verdict(figures).startswith("gru is NO BETTER than the best method without a network, linear map")
    assert verdict({**figures, "gru": {"mae_scaled": 0.3}}).startswith("gru is better than")


def test_rolling_origins_are_a_horizon_apart_back_from_each_end(columns):
    config = dataclasses.replace(SMALL, rolling=3, quantiles="none")
    random = np.random.default_rng(0)
    series = series_of(random.normal(size=40), random.normal(size=28))
    examples = examples_of(config, series, columns)
    model = build_model(config, examples)
    methods = {"naive": lambda windows: naive(windows, config.horizon)}
    found = rolling_origins(make_predict_step(model, config, examples), config, methods, examples)
    assert list(found) == ["all, gru", "all, naive", *(f"{5 * n} steps before the end" for n in (1, 2, 3))]
    off = {}
    for targets in series.targets:
        for n in (1, 2, 3):
            start = len(targets) - 5 * n
            forecast = model({"window": targets[np.newaxis, start - 12 : start]})["forecast"][0]
            off.setdefault(n, []).append(np.abs(targets[start : start + 5] - forecast).mean())
            off.setdefault("naive", []).append(np.abs(targets[start : start + 5] - targets[start - 1]).mean())
    for n in (1, 2, 3):
        assert found[f"{5 * n} steps before the end"]["mae"] == pytest.approx(np.mean(off[n]), rel=1e-5)
    assert found["all, gru"]["mae"] == pytest.approx(np.mean([off[n] for n in (1, 2, 3)]), rel=1e-5)
    assert found["all, naive"]["mae"] == pytest.approx(np.mean(off["naive"]), rel=1e-5)
    with pytest.raises(UserError, match="--rolling 6: the split has room for 5 origins 5 steps apart"):
        rolling_numbers(dataclasses.replace(config, rolling=6), examples)


# Answers


def saved(path, columns, series, **fields):
    """A saved model's run folder, and its configuration."""
    model, _, config = small_model(columns, series, **fields)
    path.mkdir(exist_ok=True)
    run = RunFolder(path)
    serving.save(run.model_file, model)
    run.write_vocabulary(pipeline.Learned.of(config, columns, series).to_json())
    return run, config


def write_days(path, **series):
    rows = [
        f"{name},{day},{value}\n"
        for name, values in series.items()
        for day, value in zip(days(len(values)).astype("datetime64[D]"), values, strict=True)
    ]
    path.write_text("unique_id,ds,y\n" + "".join(rows))


def test_predict_answers_each_series_with_the_times_that_follow(tmp_path, columns, capsys):
    run, config = saved(tmp_path / "run", columns, waves(), calendar=True)
    write_days(tmp_path / "in.csv", a=np.arange(20) + 0.5, b=np.arange(5) + 0.5, c=np.arange(30) ** 2)
    answering = serving.load(run, config)
    with pytest.raises(UserError, match="1 of the inputs"):
        serving.predict_file(answering, config, tmp_path / "in.csv", tmp_path / "out.csv", as_json=False)
    assert "series b: 5 steps of history, and the model looks at 12" in capsys.readouterr().err
    lines = [line.split(",") for line in (tmp_path / "out.csv").read_text().splitlines()]
    assert lines[0] == ["unique_id", "ds", "forecast", "q0.1", "q0.5", "q0.9"]
    assert [line[:2] for line in lines[1:6]] == [["a", f"2024-01-{day}"] for day in range(21, 26)]
    assert [line[0] for line in lines[6:]] == ["c"] * 5
    (given,) = serving.predict(answering, [str(tmp_path / "in.csv")])
    assert given["file"].endswith("in.csv") and given["error"].startswith("series b")
    assert [[str(value) for value in row.values()] for row in given["forecasts"]] == lines[1:]
    assert serving.as_line(given).count("\n") == 10


def test_an_exported_model_answers_in_the_units_of_the_window(tmp_path, columns):
    series = waves(future=2, static=1)
    run, config = saved(tmp_path / "run", columns, series)
    serving.export(run, config, tmp_path / "exported")
    function = tf.saved_model.load(str(tmp_path / "exported")).signatures["serving_default"]
    examples = examples_of(config, series, columns)
    windows, covariates, static, *_ = batch_of(config, examples, range(9))
    expected = answer(serving.load_model(run), windows, covariates, static)
    found = function(window=windows, covariates=covariates, static=static)
    assert found["levels"].numpy().tolist() == pytest.approx(config.levels)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-5)
        alone = function(window=windows[:1], covariates=covariates[:1], static=static[:1])[name]
        np.testing.assert_allclose(alone, values[:1], rtol=1e-5)


@pytest.mark.parametrize("fields", [{"future": 2, "static": 1}, {}], ids=["covariates", "alone"])
def test_a_stream_forecasts_what_the_window_that_ends_there_does(tmp_path, columns, fields):
    series = waves(**fields)
    run, config = saved(tmp_path / "run", columns, series)
    serving.export(run, config, tmp_path / "exported")
    signatures = tf.saved_model.load(str(tmp_path / "exported")).signatures
    examples = examples_of(config, series, columns)
    rows = [number for number in range(len(examples)) if examples.rows[number] == 0][:6]
    names, model = ["window", "covariates", "static"], serving.load_model(run)
    wanted = signatures["start"].structured_input_signature[1]
    windows = [dict(zip(names, batch_of(config, examples, [row]), strict=False)) for row in rows]
    found = signatures["start"](**{name: windows[0][name] for name in wanted})
    for after in windows[1:]:
        new = {"value": after["window"][:, -1], "known": after["covariates"][:, -1]}
        new |= {name: value for name, value in found.items() if name.startswith("state_")}
        takes = signatures["step"].structured_input_signature[1]
        found = signatures["step"](**{name: tf.constant(new[name]) for name in takes})
        expected = answer(model, *(tf.constant(after[name]) for name in names))
        for name, values in expected.items():
            np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-5)
    assert {name: found[name].shape for name in found if name.startswith("state_")} == {
        f"state_{number}": windows[0][name].shape
        for number, name in enumerate([name for name in names if name in wanted], start=1)
    }


@pytest.mark.parametrize("fill, taken", [("none", np.nan), ("zero", 0.0), ("forward", 11.0), ("interpolate", 11.0)])
def test_a_value_that_is_missing_in_a_stream_is_filled(columns, fill, taken):
    model, _, config = small_model(columns, waves(), fill=fill)
    functions = serving.as_functions(model, config)
    found = functions["start"](tf.range(12, dtype=tf.float32)[tf.newaxis])
    after = functions["step"](tf.constant([np.nan]), found["state_1"])
    np.testing.assert_array_equal(after["state_1"][0], [*range(1, 12), taken])
    assert np.isfinite(after["forecast"]).all() == (fill != "none")


def test_a_damaged_vocabulary_is_named(tmp_path, columns):
    run, config = saved(tmp_path / "run", columns, waves())
    run.write_vocabulary(["a"])
    with pytest.raises(UserError, match="vocabulary.json: not what this version writes"):
        serving.load(run, config)
    run.vocabulary_file.unlink()
    with pytest.raises(UserError, match="vocabulary.json: missing or damaged"):
        serving.load(run, config)


def test_the_learning_rate_halves():
    config = dataclasses.replace(SMALL, learning_rate=1.0, learning_rate_half_life=10)
    assert [learning_rate(config, step) for step in (0, 10, 20)] == [1, 0.5, 0.25]
    assert learning_rate(dataclasses.replace(config, learning_rate_half_life=0), 99) == 1


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"window": 10}, "--window must be a multiple of --segment"),
        ({"quantiles": "0.5,0.1"}, "--quantiles must ascend"),
        ({"quantiles": "half"}, "--quantiles must be numbers"),
        ({"horizon": 0}, "--horizon must be at least 1"),
        ({"dropout": 1.0}, "--dropout"),
    ],
)
def test_a_field_out_of_bounds_is_named_by_its_flag(fields, message):
    with pytest.raises(UserError, match=message):
        dataclasses.replace(SMALL, **fields)
