"""What a user meets around the equations: empty sequences, masks that travel, dropout, precision, compilation, fit."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnn_layers.bidirectional import Bidirectional
from rnn_layers.cell import RecurrentCell
from rnn_layers.gru import GRU
from rnn_layers.ind_rnn import IndRNNCell
from rnn_layers.layer import RecurrentLayer
from rnn_layers.lstm import LSTM
from rnn_layers.simple_rnn import SimpleRNN, SimpleRNNCell

LAYERS = {
    "simple_rnn": SimpleRNN,
    "gru": GRU,
    "gru_reset_before": lambda units, **given: GRU(units, reset_after=False, **given),
    "lstm": LSTM,
    "bidirectional": lambda units, **given: Bidirectional(LSTM(units, **given)),
}
INPUTS = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")


def forward_and_gradients(layer, inputs, **given):
    inputs = tf.cast(inputs, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        results = tf.nest.flatten(layer(inputs, **given))
        total = tf.add_n([tf.reduce_sum(tf.cast(result, tf.float32) ** 2) for result in results])
    return results, tape.gradient(total, [inputs, *(variable.value for variable in layer.trainable_variables)])


@pytest.mark.parametrize("name", LAYERS)
def test_sequences_without_a_step(name):
    for length in (None, 0) if name == "gru" else (None,):
        layer = LAYERS[name](3, return_sequences=True, return_state=True)
        layer.build((None, None, 4))
        signature = [tf.TensorSpec((None, length, 4)), tf.TensorSpec((None, length), tf.bool)]
        graph = tf.function(lambda x, m, layer=layer: forward_and_gradients(layer, x, mask=m), signature)
        empty, mask = np.zeros((2, 0, 4), "float32"), np.zeros((2, 0), bool)
        for results, gradients in (graph(empty, mask), forward_and_gradients(layer, empty)):
            width = 6 if name == "bidirectional" else 3
            assert [tuple(result.shape) for result in results] == [(2, 0, width)] + [(2, 3)] * (len(results) - 1)
            assert gradients[0].shape == (2, 0, 4)
            for value in (*results, *gradients):
                assert not np.any(value)
        # No row at all.
        if length is None:
            assert graph(np.zeros((0, 5, 4), "float32"), np.zeros((0, 5), bool))[0][0].shape[:2] == (0, 5)
    if name != "bidirectional":
        states = [np.full((2, 3), 0.5, "float32")] * len(layer.state_size)
        _, *final = layer(empty, initial_state=states)
        for state in final:
            np.testing.assert_array_equal(state, states[0])
        assert LAYERS[name](3)(empty).shape == (2, 3)


@pytest.mark.parametrize("name", ["lstm", "bidirectional"])
def test_the_mask_of_an_embedding_counts_with_and_without_an_initial_state(name):
    ids = keras.Input((None,), dtype="int32")
    states = [keras.Input((3,)) for _ in range(4 if name == "bidirectional" else 2)]
    embedded = keras.layers.Embedding(9, 4, mask_zero=True)(ids)
    layer = LAYERS[name](3, return_sequences=True)
    model = keras.Model([ids, *states], [layer(embedded), layer(embedded, initial_state=states)])
    given_ids = np.array([[1, 2, 0, 0], [3, 4, 5, 6], [0, 0, 0, 0]])
    given_states = [np.full((3, 3), 0.1 * index, "float32") for index in range(len(states))]
    outputs = model([given_ids, *given_states])
    vectors, mask = model.layers[1](given_ids), given_ids != 0
    np.testing.assert_allclose(outputs[0], layer(vectors, mask=mask), atol=1e-6)
    np.testing.assert_allclose(outputs[1], layer(vectors, mask=mask, initial_state=given_states), atol=1e-6)
    assert np.abs(outputs[0] - outputs[1]).max() > 0.01
    # ... and it goes on to the next layer.
    for output in model([given_ids, *given_states]):
        np.testing.assert_array_equal(output._keras_mask, mask)
    assert layer.compute_mask(vectors, mask) is mask


@pytest.mark.parametrize("units", [3, 24])
@pytest.mark.parametrize("signature", [(3, 5, 4), (None, None, 4)])
def test_a_mask_is_of_the_batchs_shape_or_stands_for_all_rows_or_steps(units, signature):
    layer = GRU(units, return_sequences=True)
    inputs, row = tf.random.stateless_normal((3, 5, 4), (1, 2)), np.array([[1, 1, 0, 1, 0]], bool)
    expected = layer(inputs, mask=np.repeat(row, 3, axis=0))

    @tf.function(input_signature=[tf.TensorSpec(signature), tf.TensorSpec((None, None), tf.bool)])
    def graph(inputs, mask):
        return layer(inputs, mask=mask, training=True)

    np.testing.assert_allclose(layer(inputs, mask=row), expected, atol=1e-6)
    np.testing.assert_allclose(layer(inputs, mask=row[..., None]), expected, atol=1e-6)
    np.testing.assert_allclose(graph(inputs, row), expected, atol=1e-6)
    column = np.array([[1], [0], [1]], bool)
    np.testing.assert_allclose(graph(inputs, column), layer(inputs, mask=np.repeat(column, 5, axis=1)), atol=1e-6)
    for shape in ((3, 6), (3, 4), (2, 5)):
        with pytest.raises(ValueError, match="mask must be of shape"):
            layer(inputs, mask=np.ones(shape, bool))
        with pytest.raises(tf.errors.InvalidArgumentError, match="mask_must_be_of_shape"):
            graph(inputs, np.ones(shape, bool))


@pytest.mark.parametrize("units", [3, 24])
@pytest.mark.parametrize("shape", [(0, 0, 4), (2, 0, 4), (0, 5, 4)])
def test_nothing_stays_nothing_in_a_training_graph_of_any_sizes(units, shape):
    layer = GRU(units, return_sequences=True)
    layer.build((None, None, 4))

    @tf.function(input_signature=[tf.TensorSpec((None, None, 4))])
    def graph(inputs):
        with tf.GradientTape() as tape:
            outputs = layer(inputs, training=True)
        return outputs, tape.gradient(outputs, layer.trainable_variables)

    outputs, gradients = graph(tf.zeros(shape))
    assert outputs.shape == (*shape[:2], units) and not any(np.any(gradient) for gradient in gradients)


@pytest.mark.parametrize("name", ["simple_rnn", "gru", "gru_reset_before", "lstm"])
@pytest.mark.parametrize("rates", [{"dropout": 0.5}, {"recurrent_dropout": 0.5}])
def test_dropout(name, rates):
    plain, *layers = (LAYERS[name](32, return_sequences=True, seed=1, **given) for given in ({}, rates, rates))
    inputs = np.ones((50, 4, 40), "float32")
    for layer in (plain, *layers):
        layer.build(inputs.shape)
        layer.set_weights(plain.get_weights())
    # Exactly off outside of training, and drawing nothing then.
    np.testing.assert_array_equal(layers[0](inputs, training=False), plain(inputs))
    first, second = layers[0](inputs, training=True), layers[0](inputs, training=True)
    assert np.abs(first - second).max() > 0.01
    np.testing.assert_array_equal(layers[1](inputs, training=True), first)
    # Setting the seed's state back repeats the masks: what an exact resume does.
    state = layers[1].non_trainable_variables[0]
    state.assign(layers[0].non_trainable_variables[0].value)
    np.testing.assert_array_equal(layers[0](inputs, training=True), layers[1](inputs, training=True))


def test_dropout_draws_what_keras_draws_and_inference_draws_nothing():
    def trained(layer, inference):
        layer.build(INPUTS.shape)
        layer.set_weights([np.full(weight.shape, 0.3, "float32") for weight in layer.get_weights()])
        outputs = []
        for _ in range(2):
            outputs.append(np.asarray(layer(INPUTS, training=True)))
            if inference:
                layer(INPUTS, training=False)
        return outputs

    given = {"dropout": 0.5, "recurrent_dropout": 0.3, "seed": 3}
    ours = trained(GRU(4, **given), inference=False)
    np.testing.assert_allclose(ours, trained(keras.layers.GRU(4, **given), inference=False), atol=1e-6)
    np.testing.assert_array_equal(ours, trained(GRU(4, **given), inference=True))
    # The second of Keras's masks is another one once it has predicted.
    assert np.abs(ours[1] - trained(keras.layers.GRU(4, **given), inference=True)[1]).max() > 0.01


def test_a_dropout_mask_holds_for_all_steps_and_keeps_the_expectation():
    layer = SimpleRNN(60, dropout=0.25, activation="linear", return_sequences=True, seed=2)
    layer.build((None, None, 60))
    layer.set_weights([np.eye(60), np.zeros((60, 60)), np.zeros(60)])
    outputs = layer(np.ones((200, 6, 60), "float32"), training=True).numpy()
    np.testing.assert_array_equal(outputs, np.repeat(outputs[:, :1], 6, axis=1))
    np.testing.assert_allclose(np.unique(outputs), [0, 1 / 0.75], rtol=1e-6)
    # 12,000 draws: the standard error of their mean is 0.0053.
    assert abs(outputs[:, 0].mean() - 1) < 0.025
    state = SimpleRNN(60, recurrent_dropout=0.25, activation="linear", use_bias=False, seed=2)
    state.build((None, None, 60))
    state.set_weights([np.zeros((60, 60)), np.eye(60)])
    ones = np.ones((200, 60), "float32")
    kept = state(np.ones((200, 2, 60), "float32"), initial_state=[ones], training=True).numpy()
    np.testing.assert_allclose(np.unique(kept), [0, 1 / 0.75**2], rtol=1e-6)


@pytest.mark.parametrize("name", ["simple_rnn", "gru", "lstm", "bidirectional"])
def test_mixed_precision_and_compilation(name):
    full = LAYERS[name](4, return_sequences=True)
    full.build((3, 5, 4))
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]], bool)
    expected, expected_gradients = forward_and_gradients(full, INPUTS, mask=mask)
    for policy, bound in (("mixed_bfloat16", 0.06), ("mixed_float16", 0.01), ("float32", 1e-5)):
        layer = LAYERS[name](4, return_sequences=True, dtype=policy)
        if name == "bidirectional":
            layer = Bidirectional(LSTM(4, return_sequences=True, dtype=policy), dtype=policy)
        layer.build((3, 5, 4))
        layer.set_weights(full.get_weights())
        assert {variable.dtype for variable in layer.trainable_variables} == {"float32"}
        # Compiling takes seconds: every layer once, every type at least once.
        compiled = tf.function(lambda x, layer=layer: forward_and_gradients(layer, x, mask=mask), jit_compile=True)
        runs = [forward_and_gradients(layer, INPUTS, mask=mask)]
        if policy == "mixed_bfloat16" or (policy, name) in (("mixed_float16", "simple_rnn"), ("float32", "lstm")):
            runs.append(compiled(INPUTS))
        for results, gradients in runs:
            assert results[0].dtype == layer.compute_dtype
            for value, reference in zip((*results, *gradients), (*expected, *expected_gradients), strict=True):
                difference = np.abs(np.asarray(tf.cast(value, tf.float32)) - reference).max()
                assert difference <= bound * max(1, np.abs(reference).max())


def test_one_step_of_fit_moves_every_weight():
    # Enough rows that no feature and no unit is dropped in all of them: one that is keeps its weights.
    keras.utils.set_random_seed(1)
    ids = np.random.default_rng(1).permuted(np.tile(np.arange(1, 20), (64, 1)), axis=1)
    model = keras.Sequential(
        [
            keras.layers.Embedding(20, 4, mask_zero=True),
            SimpleRNN(3, return_sequences=True, dropout=0.1),
            Bidirectional(GRU(4, return_sequences=True, recurrent_dropout=0.1)),
            LSTM(5),
            keras.layers.Dense(2),
        ]
    )
    model.compile("sgd", "mse")
    model.build((None, None))
    before = model.get_weights()
    model.fit(ids, np.ones((64, 2)), batch_size=64, verbose=0)
    # The rows of the vocabulary that no text held stay: only 0 here.
    before[0], after = before[0][1:], model.get_weights()
    after[0] = after[0][1:]
    for old, new in zip(before, after, strict=True):
        assert np.all(np.any(old != new, axis=-1))


@pytest.mark.parametrize("name", ["simple_rnn", "gru", "gru_reset_before", "lstm"])
def test_a_stateful_layer_goes_on_where_it_stopped(name):
    whole, stateful = LAYERS[name](3), LAYERS[name](3, stateful=True)
    for layer in (whole, stateful):
        layer.build((3, None, 4))
    stateful.set_weights(whole.get_weights())
    stateful(INPUTS[:, :2])
    stateful(INPUTS[:, :0])
    np.testing.assert_allclose(stateful(INPUTS[:, 2:]), whole(INPUTS), atol=1e-6)
    stateful.reset_state()
    np.testing.assert_allclose(stateful(INPUTS), whole(INPUTS), atol=1e-6)
    with pytest.raises(ValueError, match="batch of 3, got 2"):
        stateful(INPUTS[:2])


def test_a_stateful_bidirectional_layer():
    layer = Bidirectional(GRU(3, stateful=True, return_state=True))
    first, second = layer(INPUTS)[0], layer(INPUTS)[0]
    assert np.abs(first - second).max() > 0.001
    assert [tuple(state.shape) for state in layer.states] == [(3, 3)] * 2
    layer.reset_states()
    np.testing.assert_array_equal(layer(INPUTS)[0], first)
    # Keras's own raises here.
    assert layer.compute_mask(INPUTS, np.ones((3, 5), bool)) == [None, None, None]
    with pytest.raises(AttributeError, match="not stateful"):
        Bidirectional(GRU(3)).reset_state()


def test_a_cell_of_ones_own():
    class LeakyCell(RecurrentCell):
        """h_t = h_{t-1} / 2 + tanh(a_t + r_t) / 2."""

        def combine(self, projected_inputs, projected_state, states):
            return [0.5 * states[0] + 0.5 * self.activation(projected_inputs + projected_state)]

    ours = RecurrentLayer(LeakyCell(3), return_sequences=True)
    theirs = keras.layers.RNN(LeakyCell(3), return_sequences=True)
    theirs.build(INPUTS.shape)
    ours.build(INPUTS.shape)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(INPUTS), theirs(INPUTS), atol=1e-6)


def test_regularizers_and_constraints_act():
    given = {f"{weight}_regularizer": keras.regularizers.L2(0.5) for weight in ("kernel", "recurrent", "bias")}
    layer = LSTM(3, activity_regularizer="l1", recurrent_constraint="non_neg", **given)
    output = layer(INPUTS)
    expected = [0.5 * float(np.sum(weight**2)) for weight in layer.get_weights()]
    expected.append(0.01 * float(np.abs(output).sum()) / 3)
    np.testing.assert_allclose(sorted(layer.losses), sorted(expected), rtol=1e-5)
    assert layer.cell.recurrent_kernel.constraint is not None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SimpleRNN(0), "units must be positive"),
        (lambda: LSTM(2, dropout=1.0), "dropout must be at least 0 and below 1"),
        (lambda: GRU(2, recurrent_dropout=-0.1), "recurrent_dropout must be"),
        (lambda: GRU(2, implementation=3), "implementation must be 1 or 2"),
        (lambda: LSTM(2, use_cudnn="yes"), "use_cudnn must be"),
        (lambda: LSTM(2, jit_compile="yes"), "jit_compile must be"),
        (lambda: LSTM(2)(INPUTS, initial_state=[INPUTS[:, 0, :2]]), "2 states, initial_state holds 1"),
        (lambda: SimpleRNN(2)(INPUTS[0]), "expected ndim=3"),
        (lambda: Bidirectional(SimpleRNN(2), merge_mode="max"), "merge_mode must be one of"),
        (lambda: Bidirectional(keras.layers.Dense(2)), "needs a recurrent layer"),
        (lambda: Bidirectional(GRU(2, go_backwards=True)), "must differ in go_backwards"),
        (
            lambda: Bidirectional(GRU(2), backward_layer=GRU(2, go_backwards=True, return_state=True)),
            "must have the same return_state",
        ),
        (lambda: Bidirectional(GRU(2))(INPUTS, initial_state=[INPUTS[:, 0, :2]] * 3), "states"),
    ],
)
def test_mistakes_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_foreign_cells_and_unknown_lengths_are_refused():
    with pytest.raises(TypeError, match="keras.layers.RNN runs other cells"):
        RecurrentLayer(keras.layers.LSTMCell(2))
    unrolled = RecurrentLayer(SimpleRNNCell(2), unroll=True)
    with pytest.raises(ValueError, match="known number of steps"):
        tf.function(unrolled, [tf.TensorSpec((2, None, 3))]).get_concrete_function()


def test_the_independently_recurrent_cell_follows_its_paper():
    layer = RecurrentLayer(IndRNNCell(3, activation="relu"), return_sequences=True)
    outputs = np.asarray(layer(INPUTS))
    kernel, recurrent, bias = layer.get_weights()
    assert recurrent.shape == (3,)
    hidden = np.zeros((3, 3), np.float32)
    for step in range(INPUTS.shape[1]):
        hidden = np.maximum(INPUTS[:, step] @ kernel + bias + recurrent * hidden, 0)
        np.testing.assert_allclose(outputs[:, step], hidden, atol=1e-6)
    theirs = keras.layers.RNN(IndRNNCell(3, activation="relu"), return_sequences=True)
    theirs.build(INPUTS.shape)
    theirs.set_weights(layer.get_weights())
    _, ours = forward_and_gradients(layer, INPUTS)
    _, expected = forward_and_gradients(theirs, INPUTS)
    for gradient, other in zip(ours, expected, strict=True):
        np.testing.assert_allclose(gradient, other, atol=1e-5)
