"""The network: segments of the window as steps of a recurrent cell, and from its last state the horizon's segments."""

import math

import keras
import numpy as np
import tensorflow as tf

from rnn_layers.gru import GRU
from rnn_layers.lstm import LSTM
from rnn_layers.simple_rnn import SimpleRNN

from .config import Config
from .pipeline import Examples

CELLS = {"simple_rnn": SimpleRNN, "gru": GRU, "lstm": LSTM}
# Channels in which a step's covariates meet the state.
MEETING_UNITS = 32


def build_model(config: Config, training: Examples) -> keras.Model:
    """Builds the forecaster, an encoder and a decoder of one cell.

        s_k = (segment k of the window - the window's last value) / the window's deviation
        x_k = relu([s_k, c_k] W_e + b_e);        h_k = the cell's step of x_k and h_{k-1},  k = 1 .. n
        z_j = P_j + c_{n+j} W_c + static W_s;    h_{n+j} = the cell's step of z_j and h_n; step_by_step: and h_{n+j-1}
        o_j = h_{n+j} W_o + b_o + relu(h_{n+j} W_h + c_t W_t + b_t) W_r + b_r,  at each step t of segment j
        forecast = f * deviation + last value;   q_i = f + r_m + the sums of softplus(r) between q_m and q_i

    f and r are parts of o; q_m is the middle quantile, and no two can cross; they come to units as f does. c are the
    covariates of a segment, or of a step t; without any the terms with them are missing. P_j is learned for each of the
    horizon's segments. A missing value in a window makes its answer NaN.

    Source: Lin et al. 2023, "SegRNN", arXiv:2308.11200, whose network this is without covariates and quantiles.

    Args:
        config: The run's configuration.
        training: The training split, whose covariates' means and deviations the network divides by.

    Returns:
        A model of a dictionary: `window` (batch, window), where there are covariates `covariates` (batch, window +
        horizon, covariates), and where there are static ones `static` (batch, covariates), all in their own units. It
        gives `forecast` (batch, horizon) and, where quantiles are asked for, `quantiles` (batch, horizon, quantiles).

    Example:
        build_model(Config(), training)({"window": window, "covariates": covariates})["forecast"]
    """
    ops = keras.ops
    past, ahead = config.window // config.segment, math.ceil(config.horizon / config.segment)
    inputs = {"window": keras.Input((config.window,), dtype="float32", name="window")}
    last = inputs["window"][:, -1:]
    deviation = _deviation(inputs["window"])
    segments = ops.reshape((inputs["window"] - last) / deviation, (-1, past, config.segment))
    if features := training.covariates.shape[1]:
        steps = config.window + config.horizon
        inputs["covariates"] = keras.Input((steps, features), dtype="float32", name="covariates")
        scaled = _normalization(training.covariates, "covariates_scale")(inputs["covariates"])
        # Up to the last segment's end, which may lie beyond the horizon.
        scaled = ops.pad(scaled, ((0, 0), (0, (past + ahead) * config.segment - steps), (0, 0)))
        by_segment = ops.reshape(scaled, (-1, past + ahead, config.segment * features))
        segments = ops.concatenate([segments, by_segment[:, :past]], axis=2)
    recurrent = CELLS[config.cell](config.units, return_sequences=True, return_state=True, name="recurrent")
    encoded = keras.layers.Dense(config.units, activation="relu", name="encoder_input")(segments)
    _, *states = recurrent(encoded)

    places = ops.zeros_like(states[0][:, :1], dtype="int32") + ops.arange(ahead)
    asked = keras.layers.Embedding(ahead, config.units, name="positions")(places)
    if features:
        asked += keras.layers.Dense(config.units, use_bias=False, name="segment_covariates")(by_segment[:, past:])
    if training.static.shape[1]:
        inputs["static"] = keras.Input((training.static.shape[1],), dtype="float32", name="static")
        known = _normalization(training.static, "static_scale")(inputs["static"])
        asked += keras.layers.Dense(config.units, use_bias=False, name="static_covariates")(known)[:, None]
    if config.decoding == "at_once":
        # Every segment is a row of its own, one step after the same state.
        rows = ops.reshape(asked, (-1, 1, config.units))
        decoded, *_ = recurrent(rows, initial_state=[ops.repeat(state, ahead, axis=0) for state in states])
        decoded = ops.reshape(decoded, (-1, ahead, config.units))
    else:
        decoded, *_ = recurrent(asked, initial_state=states)
    decoded = keras.layers.Dropout(config.dropout, seed=config.seed)(decoded)

    figures = 1 + len(config.levels)
    # float32 whatever the training precision: what follows is in units.
    found = keras.layers.Dense(config.segment * figures, dtype="float32", name="output")(decoded)
    found = ops.reshape(found, (-1, ahead, config.segment, figures))
    if features:
        steps_ahead = ops.reshape(scaled, (-1, past + ahead, config.segment, features))[:, past:]
        meeting = keras.layers.Dense(MEETING_UNITS, name="step_covariates")(steps_ahead)
        meeting += keras.layers.Dense(MEETING_UNITS, use_bias=False, name="step_state")(decoded)[:, :, None]
        found += keras.layers.Dense(figures, dtype="float32", name="step_output")(ops.relu(meeting))
    found = ops.reshape(found, (-1, ahead * config.segment, figures))[:, : config.horizon]
    answers = {"forecast": found[:, :, 0] * deviation + last}
    if config.levels:
        quantiles = found[:, :, :1] + _ascending(found[:, :, 1:])
        answers["quantiles"] = quantiles * deviation[:, :, None] + last[:, :, None]
    return keras.Model(inputs, answers, name="forecaster")


def _deviation(windows):
    """The standard deviation of each window, (batch, 1); 1 of one that is constant but for rounding."""
    found = keras.ops.std(windows, axis=1, keepdims=True)
    size = keras.ops.mean(keras.ops.abs(windows), axis=1, keepdims=True)
    return keras.ops.where(found > 1e-6 * size, found, 1.0)


def _normalization(values: np.ndarray, name: str) -> keras.layers.Layer:
    """Brings covariates to mean 0 and deviation 1; a constant one keeps its unit."""
    mean, variance = values.mean(axis=0, dtype=np.float64), values.var(axis=0, dtype=np.float64)
    variance = np.where(variance > 0, variance, 1.0)
    return keras.layers.Normalization(mean=mean.tolist(), variance=variance.tolist(), dtype="float32", name=name)


def _ascending(found):
    """Ascending numbers, (..., quantiles): the middle one as found, the others by distances above and below it."""
    middle = found.shape[-1] // 2
    sums = keras.ops.cumsum(keras.ops.softplus(found), axis=-1)
    return found[..., middle : middle + 1] + (sums - sums[..., middle : middle + 1])


def answer(model: keras.Model, windows, covariates, static, training: bool = False) -> dict[str, tf.Tensor]:
    """What a model gives for the first parts of a batch, of which it takes those that it has inputs for."""
    given = {"window": windows, "covariates": covariates, "static": static}
    return model({name: given[name] for name in model.input}, training=training)


def losses_of(config: Config, answers: dict[str, tf.Tensor], targets: tf.Tensor, units: tf.Tensor) -> tf.Tensor:
    """The loss of each target, 0 where it is missing: of the point forecast, and of the quantiles their pinball loss.

        mae: |y - f|, or mse: (y - f)^2;  and 2 max(q (y - f_q), (q - 1) (y - f_q)), the mean over q

    Args:
        config: Says which, and the quantiles' levels.
        answers: What the model gave.
        targets: y, (batch, horizon), NaN where one is missing.
        units: What y and f are divided by, (batch,).

    Returns:
        (batch, horizon).
    """
    is_known, units = tf.math.is_finite(targets), units[:, tf.newaxis]
    # Not NaN anywhere: its gradient would be, too.
    targets = tf.where(is_known, targets, answers["forecast"])
    off = (targets - answers["forecast"]) / units
    losses = tf.abs(off) if config.point_loss == "mae" else off**2
    if config.levels:
        levels = tf.constant(config.levels, tf.float32)
        off = (targets[:, :, tf.newaxis] - answers["quantiles"]) / units[:, tf.newaxis]
        losses += 2 * tf.reduce_mean(tf.maximum(levels * off, (levels - 1) * off), axis=2)
    return tf.where(is_known, losses, 0.0)
