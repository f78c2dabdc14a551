"""The recurrent layers against their equations written out in numpy, and their gradients against differences."""

import numpy as np
import pytest
import tensorflow as tf

from rnn_layers.bidirectional import Bidirectional
from rnn_layers.gru import GRU
from rnn_layers.lstm import LSTM
from rnn_layers.simple_rnn import SimpleRNN

LAYERS = {
    "simple_rnn": lambda **given: SimpleRNN(2, **given),
    "gru": lambda **given: GRU(2, **given),
    "gru_reset_before": lambda **given: GRU(2, reset_after=False, **given),
    "lstm": lambda **given: LSTM(2, **given),
}


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def simple_rnn(x, weights, h):
    w_x, w_h, b_h = weights
    for x_t in x:
        z_t = x_t @ w_x + b_h
        h = np.tanh(z_t + h @ w_h)
        yield (h,)


def gru(x, weights, h):
    (w_xz, w_xr, w_xn), (w_hz, w_hr, w_hn) = (np.split(kernel, 3, axis=1) for kernel in weights[:2])
    (b_z, b_r, b_n), (c_z, c_r, c_n) = (np.split(bias, 3) for bias in weights[2])
    for x_t in x:
        z = sigmoid(x_t @ w_xz + b_z + h @ w_hz + c_z)
        r = sigmoid(x_t @ w_xr + b_r + h @ w_hr + c_r)
        n = np.tanh(x_t @ w_xn + b_n + r * (h @ w_hn + c_n))
        h = z * h + (1 - z) * n
        yield (h,)


def gru_reset_before(x, weights, h):
    (w_xz, w_xr, w_xn), (w_hz, w_hr, w_hn) = (np.split(kernel, 3, axis=1) for kernel in weights[:2])
    b_z, b_r, b_n = np.split(weights[2], 3)
    for x_t in x:
        z = sigmoid(x_t @ w_xz + b_z + h @ w_hz)
        r = sigmoid(x_t @ w_xr + b_r + h @ w_hr)
        n = np.tanh(x_t @ w_xn + b_n + (r * h) @ w_hn)
        h = z * h + (1 - z) * n
        yield (h,)


def lstm(x, weights, h, c):
    (w_xi, w_xf, w_xg, w_xo), (w_hi, w_hf, w_hg, w_ho) = (np.split(kernel, 4, axis=1) for kernel in weights[:2])
    b_i, b_f, b_g, b_o = np.split(weights[2], 4)
    for x_t in x:
        i = sigmoid(x_t @ w_xi + b_i + h @ w_hi)
        f = sigmoid(x_t @ w_xf + b_f + h @ w_hf)
        g = np.tanh(x_t @ w_xg + b_g + h @ w_hg)
        o = sigmoid(x_t @ w_xo + b_o + h @ w_ho)
        c = f * c + i * g
        h = o * np.tanh(c)
        yield h, c


EQUATIONS = {"simple_rnn": simple_rnn, "gru": gru, "gru_reset_before": gru_reset_before, "lstm": lstm}


def small_case(name, **given):
    """A float64 layer with random weights, its input (2, 3, 2) and its first states."""
    random = np.random.default_rng(3)
    layer = LAYERS[name](dtype="float64", return_sequences=True, return_state=True, **given)
    layer.build((2, 3, 2))
    layer.set_weights([random.normal(size=weight.shape) for weight in layer.get_weights()])
    return layer, random.normal(size=(2, 3, 2)), [random.normal(size=(2, 2)) for _ in layer.state_size]


@pytest.mark.parametrize("name", LAYERS)
def test_the_equations_written_out(name):
    layer, inputs, states = small_case(name)
    outputs, *final = layer(inputs, initial_state=states)
    steps = list(EQUATIONS[name](np.swapaxes(inputs, 0, 1), layer.get_weights(), *states))
    np.testing.assert_allclose(outputs, np.stack([step[0] for step in steps], axis=1), rtol=0, atol=1e-12)
    for state, expected in zip(final, steps[-1], strict=True):
        np.testing.assert_allclose(state, expected, rtol=0, atol=1e-12)
    # h_0 = 0 unless it is given.
    zeros = [np.zeros_like(state) for state in states]
    np.testing.assert_array_equal(layer(inputs)[0], layer(inputs, initial_state=zeros)[0])


def set_weights(layer, weights):
    layer.set_weights([np.array(weight) for weight in weights])


def test_simple_rnn_by_hand():
    layer = SimpleRNN(1, activation="relu", return_sequences=True)
    layer.build((1, 3, 1))
    set_weights(layer, [[[0.5]], [[-1.0]], [0.25]])
    # 0.5 + 0.25; 1 + 0.25 - 0.75; 1.5 + 0.25 - 0.5
    np.testing.assert_allclose(layer(np.array([[[1.0], [2.0], [3.0]]]))[0, :, 0], [0.75, 0.5, 1.25])
    # -4 + 0.25 is cut off, and the step after it sees h = 0.
    np.testing.assert_allclose(layer(np.array([[[-8.0], [2.0]]]))[0, :, 0], [0.0, 1.25])


@pytest.mark.parametrize("reset_after", [True, False])
def test_gru_by_hand(reset_after):
    layer = GRU(1, activation="linear", reset_after=reset_after, return_sequences=True)
    layer.build((1, 2, 1))
    no_bias = np.zeros(layer.cell.bias_shape)
    # Only the candidate sees anything: z = r = 1/2, n_t = x_t + h_{t-1} / 2, h_t = h_{t-1} / 2 + n_t / 2.
    set_weights(layer, [[[0.0, 0.0, 1.0]], [[0.0, 0.0, 1.0]], no_bias])
    outputs = layer(np.array([[[1.0], [2.0]]]), initial_state=[np.array([[4.0]])])
    np.testing.assert_allclose(outputs[0, :, 0], [3.5, 3.625])


def test_lstm_by_hand():
    layer = LSTM(1, activation="linear", return_sequences=True, return_state=True)
    layer.build((1, 2, 1))
    # Every gate is 1/2 and g_t = x_t: c_t = c_{t-1} / 2 + x_t / 2, h_t = c_t / 2.
    set_weights(layer, [[[0.0, 0.0, 1.0, 0.0]], [[0.0] * 4], [0.0] * 4])
    states = [np.array([[9.0]]), np.array([[8.0]])]
    outputs, hidden, memory = layer(np.array([[[2.0], [1.0]]]), initial_state=states)
    np.testing.assert_allclose(outputs[0, :, 0], [2.5, 1.5])
    np.testing.assert_allclose([hidden, memory], [[[1.5]], [[3.0]]])


def test_bidirectional_by_hand():
    layer = Bidirectional(SimpleRNN(1, activation="relu", return_sequences=True))
    layer.build((1, 3, 1))
    set_weights(layer, [[[1.0]], [[1.0]], [0.0], [[1.0]], [[2.0]], [0.0]])
    outputs = layer(np.array([[[1.0], [2.0], [3.0]]]))
    # Sums from the left; from the right 3, then 2 + 2 * 3, then 1 + 2 * 8.
    np.testing.assert_allclose(outputs[0], [[1.0, 17.0], [3.0, 8.0], [6.0, 3.0]])


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_against_central_differences(name):
    mask = np.array([[True, True, True], [False, True, False]])
    layer, inputs, states = small_case(name)
    values = [inputs, *states, *layer.get_weights()]

    def loss(inputs, *states):
        results = layer(inputs, initial_state=list(states), mask=mask)
        return tf.add_n([tf.reduce_sum(result**2 * (1.0 + index)) for index, result in enumerate(results)])

    def loss_at(values):
        layer.set_weights(values[1 + len(states) :])
        return float(loss(*values[: 1 + len(states)]))

    with tf.GradientTape() as tape:
        watched = [tf.constant(inputs), *map(tf.constant, states)]
        tape.watch(watched)
        total = loss(*watched)
    gradients = tape.gradient(total, [*watched, *(variable.value for variable in layer.trainable_variables)])
    for position, gradient in enumerate(gradients):
        expected = np.zeros_like(values[position])
        for index in np.ndindex(*expected.shape):
            around = []
            for change in (1e-6, -1e-6):
                changed = [value.copy() for value in values]
                changed[position][index] += change
                around.append(loss_at(changed))
            expected[index] = (around[0] - around[1]) / 2e-6
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-7 * max(1, np.abs(expected).max()))


@pytest.mark.parametrize("name", LAYERS)
def test_masked_steps_are_as_if_they_were_not_there(name):
    layer, inputs, states = small_case(name)
    mask = np.array([[True, False, True], [False, False, False]])
    outputs, *final = layer(inputs, initial_state=states, mask=mask)
    without, *expected = layer(inputs[:1, ::2], initial_state=[state[:1] for state in states])
    np.testing.assert_allclose(outputs[:1, ::2], without, rtol=0, atol=1e-12)
    for state, first, there in zip(final, expected, states, strict=True):
        np.testing.assert_allclose(state[:1], first, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(state[1], there[1])
