"""Gradients of every kind that TensorFlow has, by every way in which a layer runs: all give what Keras's layers give."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnn_layers import cudnn
from rnn_layers.bidirectional import Bidirectional
from rnn_layers.gru import GRU
from rnn_layers.lstm import LSTM
from rnn_layers.simple_rnn import SimpleRNN
from tests.cudnn_emulation import emulate

BATCH, STEPS, FEATURES = 3, 3, 2
INPUTS = np.random.default_rng(0).normal(size=(BATCH, STEPS, FEATURES)).astype("float32")
MASK = np.array([[1, 1, 1], [1, 1, 0], [1, 0, 0]], bool)
PAIRS = {
    "simple_rnn": (SimpleRNN, keras.layers.SimpleRNN),
    "gru": (GRU, keras.layers.GRU),
    "lstm": (LSTM, keras.layers.LSTM),
}
with_a_gpu = pytest.mark.skipif(not tf.config.list_physical_devices("GPU"), reason="needs a GPU")


def square(outputs):
    return tf.reduce_sum(outputs**2)


def two_losses_on_a_persistent_tape(run, inputs, weights):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        outputs = run(inputs)
        first, second = square(outputs), tf.reduce_sum(tf.sin(outputs))
    return [tape.gradient(loss, [inputs, *weights]) for loss in (first, second)]


def a_tape_that_another_one_watches(run, inputs, weights):
    with tf.GradientTape() as outer:
        outer.watch(inputs)
        with tf.GradientTape() as inner:
            loss = square(run(inputs))
    return inner.gradient(loss, weights)


def a_gradient_penalty(run, inputs, weights):
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(inputs)
            loss = square(run(inputs))
        loss += square(inner.gradient(loss, inputs))
    return outer.gradient(loss, weights)


def a_jacobian(run, inputs, weights):
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = run(inputs)
    return tape.jacobian(outputs, [inputs, weights[0]])


def a_batch_jacobian(run, inputs, weights):
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = run(inputs)
    return tape.batch_jacobian(outputs, inputs)


def forward_mode(run, inputs, weights):
    with tf.autodiff.ForwardAccumulator(inputs, tf.ones_like(inputs)) as accumulator:
        outputs = run(inputs)
    return accumulator.jvp(outputs)


def forward_mode_over_a_tape(run, inputs, weights):
    with tf.autodiff.ForwardAccumulator(inputs, tf.ones_like(inputs)) as accumulator:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = square(run(inputs))
        gradient = tape.gradient(loss, inputs)
    return accumulator.jvp(gradient)


KINDS = [
    two_losses_on_a_persistent_tape,
    a_tape_that_another_one_watches,
    a_gradient_penalty,
    a_jacobian,
    a_batch_jacobian,
    forward_mode,
    forward_mode_over_a_tape,
]
# In a graph Keras's own loop has no forward mode; under a graph there is one, but not over a tape. A batch Jacobian is
# computed as a Jacobian is.
IN_A_GRAPH = [two_losses_on_a_persistent_tape, a_tape_that_another_one_watches, a_gradient_penalty, a_jacobian]
ALL = {"eagerly": KINDS, "in a graph": IN_A_GRAPH, "of a graph": [*IN_A_GRAPH, forward_mode]}
# Each takes seconds: every way has all of them for one cell, and these for the others.
ESSENTIAL = {"eagerly": [forward_mode], "in a graph": [two_losses_on_a_persistent_tape, a_gradient_penalty]}
# The emulation of cuDNN is a graph of every step, and slow to differentiate.
EMULATED = {
    "eagerly": [a_tape_that_another_one_watches, a_batch_jacobian, forward_mode],
    "in a graph": [two_losses_on_a_persistent_tape, a_gradient_penalty, a_jacobian],
    "of a graph": [two_losses_on_a_persistent_tape],
}


def derivatives(kinds, layer, where, mask):
    """What kinds of derivatives give: of eager calls, taken inside a graph, or taken of calls of a graph."""
    inputs, weights = tf.constant(INPUTS), layer.trainable_variables

    def run(inputs):
        return layer(inputs, mask=mask, training=True)

    if where == "of a graph":
        run = tf.function(run, autograph=False)

    def taken(kind):
        if where == "in a graph":
            return tf.function(lambda inputs: kind(run, inputs, weights), autograph=False)(inputs)
        return kind(run, inputs, weights)

    return (arrays(taken(kind)) for kind in kinds)


@functools.cache
def keras_derivatives(pair, units, masked, bidirectional):
    """A layer of Keras's, and a function that gives its derivatives of a kind, computed once."""
    # Keras's cuDNN has no second order, and its SimpleRNN no such argument.
    given = {} if pair == "simple_rnn" else {"use_cudnn": False}
    theirs = PAIRS[pair][1](units, return_sequences=True, go_backwards=masked and not bidirectional, **given)
    theirs = keras.layers.Bidirectional(theirs) if bidirectional else theirs
    theirs.build(INPUTS.shape)
    mask = tf.constant(MASK) if masked else None
    # They are the same in whichever way they are taken, and eager ones take the least time.
    return theirs, functools.cache(lambda kind: next(derivatives([kind], theirs, "eagerly", mask)))


def compare(pair, units, kinds_where, masked=True, bidirectional=False):
    theirs, expected = keras_derivatives(pair, units, masked, bidirectional)
    ours = PAIRS[pair][0](units, return_sequences=True, go_backwards=masked and not bidirectional)
    ours = Bidirectional(ours) if bidirectional else ours
    ours.build(INPUTS.shape)
    ours.set_weights(theirs.get_weights())
    for where, kinds in kinds_where.items():
        found = derivatives(kinds, ours, where, tf.constant(MASK) if masked else None)
        for kind, arrays_of_ours in zip(kinds, found, strict=True):
            for one, other in zip(arrays_of_ours, expected(kind), strict=True):
                difference = np.abs(one - other).max()
                assert difference <= 1e-4 * max(1, np.abs(other).max()), (where, kind.__name__, difference)


def arrays(tensors):
    return [tf.convert_to_tensor(one).numpy() for one in tf.nest.flatten(tensors)]


@pytest.mark.parametrize(("pair", "kinds"), [("simple_rnn", ALL), ("gru", ESSENTIAL), ("lstm", ESSENTIAL)])
def test_the_plain_loop(pair, kinds):
    compare(pair, 4, kinds)


@pytest.mark.parametrize(("pair", "kinds"), [("simple_rnn", ESSENTIAL), ("gru", ALL), ("lstm", ESSENTIAL)])
def test_compiled_pieces(pair, kinds):
    compare(pair, 24, kinds)


def test_compiled_pieces_without_a_mask_in_both_directions():
    compare("gru", 24, ESSENTIAL, masked=False, bidirectional=True)


@pytest.mark.parametrize(("pair", "kinds"), [("simple_rnn", EMULATED), ("gru", ESSENTIAL), ("lstm", ESSENTIAL)])
def test_cudnn(pair, kinds, monkeypatch):
    emulate(monkeypatch)
    monkeypatch.setattr(cudnn, "_gpu_problem", lambda: None)
    compare(pair, 4, kinds)


@with_a_gpu
@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("ways", [["eagerly"], ["in a graph", "of a graph"]], ids=["eagerly", "graph"])
def test_on_a_gpu(pair, ways):
    tf.config.experimental.enable_tensor_float_32_execution(False)
    keras_derivatives.cache_clear()
    try:
        compare(pair, 4, {way: EMULATED[way] for way in ways})
    finally:
        keras_derivatives.cache_clear()
        tf.config.experimental.enable_tensor_float_32_execution(True)


@pytest.mark.parametrize("pair", ["simple_rnn", "lstm"])
def test_second_derivatives_by_tapes_around_a_function_that_xla_compiles(pair):
    """Its gradient is traced after it, and must be XLA's as well."""
    layer = PAIRS[pair][0](4, return_sequences=True)
    rows = tf.constant(np.random.default_rng(0).normal(size=(2, 5, 3)), tf.float32)
    layer(rows)

    def penalty(function):
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(rows)
                loss = tf.reduce_sum(function(rows) ** 2)
            squared = tf.reduce_sum(inner.gradient(loss, rows) ** 2)
        return outer.gradient(squared, layer.trainable_variables)

    found = penalty(tf.function(layer, autograph=False, jit_compile=True))
    for one, other in zip(found, penalty(layer), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
