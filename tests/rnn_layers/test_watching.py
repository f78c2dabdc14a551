"""Layers that are watched give what they always give; what is kept of them is what the equations say."""

import numpy as np
import pytest
import tensorflow as tf

from rnn_layers.bidirectional import Bidirectional
from rnn_layers.gru import GRU
from rnn_layers.ind_rnn import IndRNNCell
from rnn_layers.layer import RecurrentLayer
from rnn_layers.lstm import LSTM
from rnn_layers.simple_rnn import SimpleRNN
from rnn_layers.watching import is_watching, watching

LAYERS = {
    "simple_rnn": lambda **settings: SimpleRNN(4, **settings),
    "gru": lambda **settings: GRU(4, **settings),
    "gru before": lambda **settings: GRU(4, reset_after=False, **settings),
    "lstm": lambda **settings: LSTM(4, **settings),
    "ind_rnn": lambda **settings: RecurrentLayer(IndRNNCell(4), **settings),
}
SEQUENCES = np.random.default_rng(0).normal(size=(2, 6, 3)).astype(np.float32)
MASK = np.array([[True] * 6, [True] * 4 + [False] * 2])


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "masked"])
@pytest.mark.parametrize("name", LAYERS)
def test_a_watched_layer_gives_what_it_always_gives(name, mask):
    layer = Bidirectional(LAYERS[name](return_sequences=True, return_state=True))
    plain = layer(SEQUENCES, mask=mask)
    with watching() as calls:
        watched = layer(SEQUENCES, mask=mask)
    assert not is_watching()
    for one, other in zip(watched, plain, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    forward, backward = calls
    assert (forward.go_backwards, backward.go_backwards) == (False, True)
    np.testing.assert_allclose(forward.states[-1][0], plain[1], atol=1e-6)
    np.testing.assert_allclose(backward.states[0][0], plain[1 + len(forward.states[0])], atol=1e-6)


@pytest.mark.parametrize("name", LAYERS)
def test_a_gradient_at_a_state_is_the_difference_that_the_state_makes(name):
    layer = LAYERS[name]()
    layer(SEQUENCES)
    with tf.GradientTape() as tape, watching() as calls:
        answer = tf.reduce_sum(layer(SEQUENCES) ** 2)
    found = tape.gradient(answer, [states[0] for states in calls[0].states])
    for step in (0, 3):
        states = calls[0].states[step]
        for unit in range(4):
            change = 1e-2 * np.eye(4, dtype=np.float32)[unit]
            ends = [
                tf.reduce_sum(layer(SEQUENCES[:, step + 1 :], initial_state=[states[0] + sign * change, *states[1:]]) ** 2)
                for sign in (1, -1)
            ]  # fmt: skip
            difference = float(ends[0] - ends[1]) / 2e-2
            assert difference == pytest.approx(float(tf.reduce_sum(found[step][:, unit])), abs=2e-3)


def test_gates_are_those_of_the_equations():
    for reset_after in (True, False):
        layer = GRU(4, reset_after=reset_after)
        with watching() as calls:
            layer(SEQUENCES)
        hidden = np.stack([states[0] for states in calls[0].states])
        before = np.concatenate([np.zeros_like(hidden[:1]), hidden[:-1]])
        gates = calls[0].gates
        assert list(gates) == ["update", "reset", "candidate"] and gates["reset"].shape == (6, 2, 4)
        new = gates["update"] * before + (1 - gates["update"]) * gates["candidate"]
        np.testing.assert_allclose(new, hidden, atol=1e-6)
    layer = LSTM(4)
    with watching() as calls:
        layer(SEQUENCES)
    hidden, memory = (np.stack([states[place] for states in calls[0].states]) for place in (0, 1))
    before, gates = np.concatenate([np.zeros_like(memory[:1]), memory[:-1]]), calls[0].gates
    np.testing.assert_allclose(gates["forget"] * before + gates["input"] * gates["candidate"], memory, atol=1e-6)
    np.testing.assert_allclose(gates["output"] * np.tanh(memory), hidden, atol=1e-6)
    assert LAYERS["simple_rnn"]().cell.gate_values(None, None, None) == {}


def test_a_graph_is_not_watched():
    layer = GRU(4)
    function = tf.function(layer)
    with watching() as calls:
        function(tf.constant(SEQUENCES))
    assert calls == []
