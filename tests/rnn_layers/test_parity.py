"""Our recurrent layers against Keras's, given the same weights: outputs, states and every gradient."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnn_layers.bidirectional import Bidirectional
from rnn_layers.gru import GRU, GRUCell
from rnn_layers.lstm import LSTM, LSTMCell
from rnn_layers.simple_rnn import SimpleRNN, SimpleRNNCell

BATCH, STEPS, FEATURES, UNITS = 4, 5, 3, 6
PAIRS = {
    "simple_rnn": (SimpleRNN, keras.layers.SimpleRNN, {}),
    "gru": (GRU, keras.layers.GRU, {}),
    "gru_reset_before": (GRU, keras.layers.GRU, {"reset_after": False}),
    "lstm": (LSTM, keras.layers.LSTM, {}),
}
GATED = ("gru", "gru_reset_before", "lstm")
MASKS = {
    "none": None,
    "right": [[1, 1, 1, 0, 0], [1, 0, 0, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 0]],
    "left": [[0, 0, 1, 1, 1], [0, 0, 0, 0, 1], [1, 1, 1, 1, 1], [0, 1, 1, 1, 1]],
    "between": [[1, 0, 1, 0, 1], [1, 1, 0, 0, 1], [0, 1, 0, 1, 0], [1, 0, 0, 0, 1]],
    "whole_row": [[0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [1, 0, 1, 1, 0]],
    "everything": [[0] * STEPS] * BATCH,
}
ARGUMENTS = {
    "as_is": {},
    "last_output": {"return_sequences": False},
    "no_state": {"return_state": False},
    "go_backwards": {"go_backwards": True},
    "unroll": {"unroll": True},
    "unroll_backwards": {"unroll": True, "go_backwards": True},
    "no_bias": {"use_bias": False},
    "zero_output": {"zero_output_for_mask": True},
    "zero_output_last": {"zero_output_for_mask": True, "return_sequences": False},
    "relu": {"activation": "relu"},
    "sigmoid": {"activation": "sigmoid"},
    "linear": {"activation": None},
    "softmax": {"activation": "softmax"},
    "dropout": {"dropout": 0.4, "seed": 7},
    "recurrent_dropout": {"recurrent_dropout": 0.3, "seed": 8},
    "both_dropouts": {"dropout": 0.4, "recurrent_dropout": 0.3, "seed": 9},
}
GATED_ARGUMENTS = {
    "hard_gates": {"recurrent_activation": "hard_sigmoid"},
    # Keras's own layers crash on these together unless they are told not to try cuDNN.
    "mask_per_gate": {"implementation": 1, "dropout": 0.4, "seed": 3, "use_cudnn": False},
}


def inputs_and_states(count, seed=0):
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(BATCH, STEPS, FEATURES)).astype("float32")
    return inputs, [random.normal(size=(BATCH, UNITS)).astype("float32") for _ in range(count)]


def mask_of(kind):
    return None if MASKS[kind] is None else np.array(MASKS[kind], dtype=bool)


def with_weights_of(ours, theirs, seed=1):
    """Builds both and gives both the same weights, biases included."""
    random = np.random.default_rng(seed)
    for layer in (ours, theirs):
        layer.build((BATCH, STEPS, FEATURES))
    theirs.set_weights([random.normal(scale=0.5, size=weight.shape) for weight in theirs.get_weights()])
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def run_with_gradients(layer, inputs, states, mask, training=False):
    """Everything a layer returns, and the gradients of a weighted sum of it for inputs, states and weights."""
    inputs, states = tf.constant(inputs), [tf.constant(state) for state in states]
    with tf.GradientTape() as tape:
        tape.watch([inputs, *states])
        results = tf.nest.flatten(layer(inputs, initial_state=states or None, mask=mask, training=training))
        total = 0.0
        for result in results:
            total += tf.reduce_sum(
                result * tf.reshape(tf.cos(tf.range(tf.size(result), dtype=tf.float32)), result.shape)
            )
    sources = [inputs, *states, *(variable.value for variable in layer.trainable_variables)]
    return results, tape.gradient(total, sources)


def assert_close(ours, theirs, bound=1e-5):
    ours, theirs = tf.nest.flatten(ours), tf.nest.flatten(theirs)
    assert len(ours) == len(theirs)
    for our, their in zip(ours, theirs, strict=True):
        # None against a tensor (a forgotten gradient) fails here too.
        assert (our is None) == (their is None)
        if our is not None:
            our, their = np.asarray(our), np.asarray(their)
            assert our.shape == their.shape
            assert np.abs(our - their).max(initial=0) <= bound * max(1, np.abs(their).max(initial=0))


def compare(ours, theirs, mask, state_count, training=False):
    ours, theirs = with_weights_of(ours, theirs)
    inputs, states = inputs_and_states(state_count)
    expected = run_with_gradients(theirs, inputs, states, mask, training)
    assert_close(run_with_gradients(ours, inputs, states, mask, training), expected)


def states_of(name):
    return 2 if name == "lstm" else 1


@pytest.mark.parametrize("arguments", [*ARGUMENTS, *GATED_ARGUMENTS])
@pytest.mark.parametrize("pair", PAIRS)
def test_every_argument(pair, arguments):
    if arguments in GATED_ARGUMENTS and pair not in GATED:
        with pytest.raises((TypeError, ValueError)):
            PAIRS[pair][0](UNITS, **GATED_ARGUMENTS[arguments])
        return
    our_class, their_class, own = PAIRS[pair]
    given = {"return_sequences": True, "return_state": True, **own, **(ARGUMENTS | GATED_ARGUMENTS)[arguments]}
    for kind in ("none", "between") if arguments in ("unroll", "go_backwards", "both_dropouts") else ("between",):
        # The same seed draws the same dropout masks, so training is compared as exactly as inference.
        compare(our_class(UNITS, **given), their_class(UNITS, **given), mask_of(kind), states_of(pair), training=True)


@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("pair", PAIRS)
def test_every_mask(pair, kind):
    our_class, their_class, own = PAIRS[pair]
    for zero_output, state_count in ((False, 0), (False, states_of(pair)), (True, states_of(pair))):
        given = {"return_sequences": True, "return_state": True, "zero_output_for_mask": zero_output, **own}
        compare(our_class(UNITS, **given), their_class(UNITS, **given), mask_of(kind), state_count)


@pytest.mark.parametrize("pair", PAIRS)
def test_in_a_graph_with_every_size_unknown(pair):
    our_class, their_class, own = PAIRS[pair]
    for given in ({}, {"return_sequences": True, "go_backwards": True}):
        layers = (cls(UNITS, return_state=True, **own, **given) for cls in (our_class, their_class))
        ours, theirs = with_weights_of(*layers)

        @tf.function(
            input_signature=[
                tf.TensorSpec((None, None, FEATURES)),
                [tf.TensorSpec((None, UNITS))] * states_of(pair),
                tf.TensorSpec((None, None), tf.bool),
            ]
        )
        def forward_and_gradients(inputs, states, mask, ours=ours):
            with tf.GradientTape() as tape:
                tape.watch([inputs, *states])
                results = ours(inputs, initial_state=states, mask=mask)
                total = tf.add_n([tf.reduce_sum(result**2) for result in results])
            variables = [variable.value for variable in ours.trainable_variables]
            return results, tape.gradient(total, [inputs, *states, *variables])

        inputs, states = inputs_and_states(states_of(pair))
        mask = mask_of("between")
        with tf.GradientTape() as tape:
            watched = [tf.constant(inputs), *map(tf.constant, states)]
            tape.watch(watched)
            results = theirs(watched[0], initial_state=watched[1:], mask=mask)
            total = tf.add_n([tf.reduce_sum(result**2) for result in results])
        gradients = tape.gradient(total, [*watched, *(variable.value for variable in theirs.trainable_variables)])
        assert_close(forward_and_gradients(inputs, states, mask), (results, gradients))


def bidirectional_pair(pair, merge_mode, **given):
    our_class, their_class, own = PAIRS[pair]
    ours = Bidirectional(our_class(UNITS, **own, **given), merge_mode=merge_mode)
    return ours, keras.layers.Bidirectional(their_class(UNITS, **own, **given), merge_mode=merge_mode)


@pytest.mark.parametrize("merge_mode", ["concat", "sum", "mul", "ave", None])
@pytest.mark.parametrize("return_sequences", [True, False])
def test_bidirectional_merges(merge_mode, return_sequences):
    for kind, return_state, state_count in (("none", False, 0), ("right", True, 0), ("between", True, 2)):
        pair = bidirectional_pair("gru", merge_mode, return_sequences=return_sequences, return_state=return_state)
        compare(*pair, mask_of(kind), state_count)


@pytest.mark.parametrize("pair", PAIRS)
def test_bidirectional_masks(pair):
    for kind in MASKS if pair == "lstm" else ("left", "everything"):
        given = {"return_sequences": True, "return_state": True}
        compare(*bidirectional_pair(pair, "concat", **given), mask_of(kind), 2 * states_of(pair))


@pytest.mark.parametrize("pair", ["simple_rnn", "lstm"])
def test_bidirectional_dropout_and_zero_output(pair):
    given = {"dropout": 0.3, "recurrent_dropout": 0.2, "seed": 4, "zero_output_for_mask": True}
    if pair == "simple_rnn":
        # Keras's copy of a SimpleRNN forgets the seed, so only the rest can be compared.
        given = {"zero_output_for_mask": True}
    compare(*bidirectional_pair(pair, "concat", **given), mask_of("right"), 0, training=True)


def test_bidirectional_with_a_backward_layer_of_another_kind_and_width():
    given = {"return_sequences": True, "return_state": True}
    ours = Bidirectional(LSTM(UNITS, **given), backward_layer=GRU(4, go_backwards=True, **given))
    theirs = keras.layers.Bidirectional(
        keras.layers.LSTM(UNITS, **given), backward_layer=keras.layers.GRU(4, go_backwards=True, **given)
    )
    compare(ours, theirs, mask_of("right"), 0)
    # Keras gives the forward layer's shapes for both.
    shapes = [result.shape for result in ours(np.ones((BATCH, STEPS, FEATURES)))]
    assert shapes == [(BATCH, STEPS, UNITS + 4), (BATCH, UNITS), (BATCH, UNITS), (BATCH, 4)]
    assert list(ours.compute_output_shape((BATCH, STEPS, FEATURES))) == shapes


@pytest.mark.parametrize("pair", PAIRS)
def test_kerass_bidirectional_takes_our_layers_and_ours_takes_kerass(pair):
    our_class, their_class, own = PAIRS[pair]
    given = {"return_sequences": True, **own}
    expected = keras.layers.Bidirectional(their_class(UNITS, **given))
    compare(keras.layers.Bidirectional(our_class(UNITS, **given)), expected, mask_of("right"), 0)
    compare(Bidirectional(their_class(UNITS, **given)), expected, mask_of("right"), 0)


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_our_cells_run_in_kerass_rnn(dropout):
    def cells(library, seed=5):
        given = {"dropout": dropout, "recurrent_dropout": dropout, "seed": seed}
        classes = (SimpleRNNCell, GRUCell, GRUCell, LSTMCell) if library == "ours" else ()
        classes = classes or tuple(getattr(keras.layers, f"{name}Cell") for name in ("SimpleRNN", "GRU", "GRU", "LSTM"))
        extra = ({}, {"reset_after": False}, {}, {})
        return [cls(width, **given, **more) for cls, width, more in zip(classes, (6, 5, 4, 3), extra, strict=True)]

    layers = (keras.layers.RNN(cells(library), return_sequences=True) for library in ("ours", "keras"))
    ours, theirs = with_weights_of(*layers)
    # One dropout mask for all steps, also where the steps are a loop of the graph.
    signature = [tf.TensorSpec((None, None, FEATURES))]
    graphs = [tf.function(lambda x, rnn=rnn: rnn(x, training=True), signature) for rnn in (ours, theirs)]
    inputs, _ = inputs_and_states(0)
    assert_close(graphs[0](inputs), graphs[1](inputs))


@pytest.mark.parametrize("pair", PAIRS)
def test_one_call_of_a_cell(pair):
    our_class, their_class, own = PAIRS[pair]
    ours, theirs = (cls(UNITS, **own).cell for cls in (our_class, their_class))
    with_weights_of(ours, theirs)
    inputs, states = inputs_and_states(states_of(pair))
    assert_close(ours(inputs[:, 0], states), theirs(inputs[:, 0], states))
    projected = ours.project_inputs(tf.constant(inputs[:, 0]), ours.input_weights())
    new_states = ours.step(projected, [tf.constant(state) for state in states], ours.recurrent_weights())
    assert_close(new_states, theirs(inputs[:, 0], states)[1])
    assert [state.shape for state in ours.get_initial_state(3)] == [(3, UNITS)] * states_of(pair)
    if pair != "lstm":
        output, state = ours(inputs[:, 0], states[0])
        assert_close(state, output)


@pytest.mark.parametrize("name", ["simple_rnn", "gru", "lstm"])
def test_stateful_layers(name):
    ours, theirs = (cls(UNITS, stateful=True, return_sequences=True) for cls in PAIRS[name][:2])
    with_weights_of(ours, theirs)
    inputs, _ = inputs_and_states(0)
    mask = mask_of("left")
    for _ in range(2):
        assert_close(ours(inputs, mask=mask), theirs(inputs, mask=mask))
        assert_close([state.value for state in ours.states], [state.value for state in theirs.states])
    first = theirs(inputs)
    assert_close(ours(inputs), first)
    ours.reset_state()
    theirs.reset_state()
    again = theirs(inputs)
    assert np.abs(again - first).max() > 0.01
    assert_close(ours(inputs), again)


@pytest.mark.parametrize("their_class", [keras.layers.SimpleRNN, keras.layers.GRU, keras.layers.LSTM])
@pytest.mark.parametrize("suffix", ["", "Cell"])
def test_arguments_and_defaults_are_kerass(their_class, suffix):
    their_class = getattr(keras.layers, their_class.__name__ + suffix)
    classes = (SimpleRNN, GRU, LSTM, SimpleRNNCell, GRUCell, LSTMCell)
    our_class = {cls.__name__: cls for cls in classes}[their_class.__name__]

    def parameters(cls):
        found = inspect.signature(cls.__init__).parameters.items()
        return [(name, value.default) for name, value in found if name not in ("self", "kwargs")]

    expected = parameters(their_class)
    assert parameters(our_class)[: len(expected)] == expected
    ours, theirs = our_class(3).get_config(), their_class(3).get_config()
    assert set(theirs) <= set(ours)
    for name in set(theirs) - {"name"}:
        # An initializer without a seed draws one.
        given, default = ours[name], theirs[name]
        if "initializer" in name:
            given, default = given["class_name"], default["class_name"]
        assert given == default, name


def test_initial_values_are_kerass():
    given = {
        "kernel_initializer": keras.initializers.GlorotUniform(seed=1),
        "recurrent_initializer": keras.initializers.Orthogonal(seed=2),
        "bias_initializer": keras.initializers.RandomNormal(seed=3),
    }
    for our_class, their_class, own in PAIRS.values():
        ours, theirs = our_class(UNITS, **own, **given), their_class(UNITS, **own, **given)
        for layer in (ours, theirs):
            layer.build((None, None, FEATURES))
        for our, their in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_array_equal(our, their)
