"""The cuDNN path, without a GPU: its choice, its parameter buffer, and its results with the operation emulated.

`tests.cudnn_emulation` stands in for the operation. With a GPU the last test runs the operation itself.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from rnn_layers import cudnn
from rnn_layers.gru import GRU
from rnn_layers.hoisted import Weights
from rnn_layers.layer import RecurrentLayer
from rnn_layers.lstm import LSTM, LSTMCell
from rnn_layers.portable import choose, compiling, exporting, portable, traced_ahead
from rnn_layers.simple_rnn import SimpleRNN, SimpleRNNCell
from tests.cudnn_emulation import emulate

BATCH, STEPS, FEATURES, UNITS = 4, 4, 3, 2
PAIRS = {
    "tanh": (SimpleRNN, keras.layers.SimpleRNN, {}),
    "relu": (SimpleRNN, keras.layers.SimpleRNN, {"activation": "relu"}),
    "gru": (GRU, keras.layers.GRU, {}),
    "lstm": (LSTM, keras.layers.LSTM, {}),
}
MIXED, SHORT = [3, 4, 0, 1], [3, 1, 0, 2]
CASES = {
    "as_is": ({}, [None, MIXED]),
    "zero_output": ({"zero_output_for_mask": True}, [SHORT]),
    "backwards": ({"go_backwards": True}, [None, MIXED]),
    "backwards_zero_output": ({"go_backwards": True, "zero_output_for_mask": True}, [SHORT]),
    "last": ({"return_sequences": False}, [SHORT]),
    "last_zero_output": ({"return_sequences": False, "zero_output_for_mask": True}, [MIXED]),
    "last_backwards": ({"return_sequences": False, "go_backwards": True, "zero_output_for_mask": True}, [MIXED]),
    "dropout": ({"dropout": 0.4, "seed": 7, "use_bias": False}, [MIXED]),
    "dropout_backwards": ({"dropout": 0.4, "seed": 7, "go_backwards": True}, [None]),
}
with_a_gpu = pytest.mark.skipif(not tf.config.list_physical_devices("GPU"), reason="needs a GPU")


@pytest.fixture
def emulation(monkeypatch):
    emulate(monkeypatch)


@pytest.fixture
def a_gpu(monkeypatch):
    monkeypatch.setattr(cudnn, "_gpu_problem", lambda: None)


def layers(pair, **given):
    """Ours and Keras's with the same random weights; both return sequences and states if nothing else is asked for."""
    our_class, their_class, own = PAIRS[pair]
    given = {"return_sequences": True, "return_state": True, **own, **given}
    # Keras has no cuDNN for its SimpleRNN, and no such argument.
    without_cudnn = {} if their_class is keras.layers.SimpleRNN else {"use_cudnn": False}
    ours, theirs = our_class(UNITS, **given), their_class(UNITS, **given, **without_cudnn)
    for layer in (ours, theirs):
        layer.build((BATCH, STEPS, FEATURES))
    random = np.random.default_rng(1)
    ours.set_weights([random.normal(size=weight.shape) for weight in ours.get_weights()])
    theirs.set_weights(ours.get_weights())
    return ours, theirs


def inputs_and_states(layer, lengths, seed=0):
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(BATCH, STEPS, FEATURES)).astype("float32")
    states = [random.normal(size=(BATCH, UNITS)).astype("float32") for _ in layer.state_size]
    mask = None if lengths is None else np.arange(STEPS) < np.array(lengths)[:, np.newaxis]
    return tf.constant(inputs), [tf.constant(state) for state in states], mask


def with_gradients(function, inputs, states, *layers):
    """All that a function returns, and the gradients of a weighted sum of it."""
    with tf.GradientTape() as tape:
        tape.watch([inputs, *states])
        results = [result for result in tf.nest.flatten(function(inputs, states)) if result is not None]
        total = 0.0
        for result in results:
            weights = tf.reshape(tf.cos(tf.range(tf.size(result), dtype=tf.float32)), tf.shape(result))
            total += tf.reduce_sum(tf.cast(result, tf.float32) * weights)
    sources = [inputs, *states, *(variable.value for layer in layers for variable in layer.trainable_variables)]
    return results, tape.gradient(total, sources)


def assert_close(ours, theirs, bound=1e-5):
    ours, theirs = tf.nest.flatten(ours), tf.nest.flatten(theirs)
    assert len(ours) == len(theirs)
    for our, their in zip(ours, theirs, strict=True):
        our, their = np.asarray(our, "float64"), np.asarray(their, "float64")
        assert our.shape == their.shape
        assert np.abs(our - their).max(initial=0) <= bound * max(1, np.abs(their).max(initial=0))


def run_of(layer, lengths, training=False):
    """`cudnn.run` as a layer calls it: the output or outputs in the order taken, and the states."""

    def function(inputs, states):
        last, outputs, states = cudnn.run(
            layer.cell,
            inputs,
            states,
            None if lengths is None else tf.constant(lengths),
            training,
            layer.go_backwards,
            layer.zero_output_for_mask,
            layer.return_sequences,
        )
        if not layer.return_sequences:
            assert outputs is None
            return last, *states
        return tf.reverse(outputs, (1,)) if layer.go_backwards else outputs, *states

    return function


def compare(pair, case, bound=1e-5):
    arguments, all_lengths = CASES[case]
    training = "dropout" in arguments
    for lengths in all_lengths:
        ours, theirs = layers(pair, **arguments)
        inputs, states, mask = inputs_and_states(ours, lengths)
        expected = with_gradients(
            lambda x, s, theirs=theirs, mask=mask: theirs(x, initial_state=s, mask=mask, training=training),
            inputs,
            states,
            theirs,
        )
        assert_close(with_gradients(run_of(ours, lengths, training), inputs, states, ours), expected, bound)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("pair", PAIRS)
def test_run_agrees_with_keras_in_values_and_gradients(emulation, pair, case):
    compare(pair, case)


@pytest.mark.parametrize(("policy", "bound"), [("mixed_float16", 0.01), ("mixed_bfloat16", 0.08), ("float64", 1e-6)])
def test_other_precisions(emulation, policy, bound):
    full, _ = layers("lstm")
    layer = LSTM(UNITS, dtype=policy, return_sequences=True)
    layer.build((BATCH, STEPS, FEATURES))
    layer.set_weights(full.get_weights())
    inputs, states, _ = inputs_and_states(full, MIXED)
    expected = with_gradients(run_of(full, MIXED), inputs, states, full)
    run, dtype = run_of(layer, MIXED), layer.compute_dtype
    results = with_gradients(
        lambda x, s: run(tf.cast(x, dtype), [tf.cast(state, dtype) for state in s]), inputs, states, layer
    )
    assert {result.dtype.name for result in results[0]} == {dtype}
    assert_close(results, expected, bound)


def pack(cell):
    return cudnn.pack(cell, Weights(cell.input_weights(), cell.recurrent_weights()))


def test_the_buffer():
    def cell_of(layer, features, *weights):
        layer.build((None, None, features))
        layer.set_weights([np.array(weight) for weight in weights])
        return layer.cell

    simple = cell_of(SimpleRNN(2), 3, [[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 10]], [11, 12])
    # Transposed matrices, one after the other; then b_x and b_h, of which a Keras layer has one.
    simple_buffer = [1, 3, 5, 2, 4, 6, 7, 9, 8, 10, 11, 12, 0, 0]
    np.testing.assert_array_equal(pack(simple), simple_buffer)
    # Ours has update, reset, candidate; cuDNN reset, update, candidate.
    gru = cell_of(GRU(1), 2, [[1, 2, 3], [4, 5, 6]], [[7, 8, 9]], [[10, 11, 12], [13, 14, 15]])
    np.testing.assert_array_equal(pack(gru), [2, 5, 1, 4, 3, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15])
    lstm = cell_of(LSTM(1, use_bias=False), 1, [[1, 2, 3, 4]], [[5, 6, 7, 8]])
    np.testing.assert_array_equal(pack(lstm), [1, 2, 3, 4, 5, 6, 7, 8] + 8 * [0])


@given(
    mask=st_numpy.arrays(bool, st.tuples(st.integers(0, 4), st.integers(0, 5)))
    | st.lists(st.integers(0, 5), max_size=4).map(lambda ends: np.arange(5) < np.array(ends, int)[:, np.newaxis])
)
@settings(max_examples=60, deadline=None)
def test_right_padding_is_recognized(mask):
    expected = all(list(row) == sorted(row, reverse=True) for row in mask)
    assert bool(cudnn.is_right_padded(tf.constant(mask))) == expected
    assert bool(cudnn.is_right_padded(tf.constant(mask[:, :, np.newaxis]))) == expected
    if expected:
        for given_mask in (mask, mask[:, :, np.newaxis]):
            np.testing.assert_array_equal(cudnn.lengths_of(tf.constant(given_mask)), mask.sum(axis=1))


def test_which_batches_fit():
    batch = tf.zeros((2, 3, 4))
    right, left = tf.constant([[True, False, False]] * 2), tf.constant([[False, True, True]] * 2)
    assert cudnn.fits(batch) is True
    assert cudnn.fits(batch, right) is True
    assert cudnn.fits(batch, left) is False
    for empty in (batch[:0], batch[:, :0], batch[:, :, :0]):
        assert cudnn.fits(empty) is False

    @tf.function(input_signature=[tf.TensorSpec((None, None, 4)), tf.TensorSpec((None, None), tf.bool)])
    def in_a_graph(sequences, mask):
        return cudnn.fits(sequences), cudnn.fits(sequences, mask)

    assert [bool(fit) for fit in in_a_graph(batch, right)] == [True, True]
    assert [bool(fit) for fit in in_a_graph(batch, left)] == [True, False]
    assert [bool(fit) for fit in in_a_graph(batch[:0], left[:0])] == [False, False]
    assert [bool(fit) for fit in in_a_graph(batch[:, :0], left[:, :0])] == [False, False]


def test_a_graph_chooses_by_the_mask():
    @tf.function(input_signature=[tf.TensorSpec((None, STEPS, FEATURES)), tf.TensorSpec((None, STEPS), tf.bool)])
    def graph(sequences, mask):
        last, nothing, states = choose(
            cudnn.fits(sequences, mask),
            lambda: (2 * sequences, None, [sequences + 2]),
            lambda: (3 * sequences, None, [sequences + 3]),
        )
        assert nothing is None
        return last, states[0], tf.gradients(last, sequences)[0]

    for rows, factor in (([[1, 1, 1, 0], [1, 0, 0, 0]], 2), ([[0, 1, 1, 0], [1, 1, 1, 1]], 3), ([[1, 1, 1, 1]], 2)):
        sequences = np.ones((len(rows), STEPS, FEATURES), "float32")
        last, state, gradient = graph(sequences, np.array(rows, bool))
        np.testing.assert_array_equal(last, factor * sequences)
        np.testing.assert_array_equal(state, factor + sequences)
        np.testing.assert_array_equal(gradient, factor * sequences)
    # Nothing is traced that cannot be taken.
    assert choose(True, lambda: "cuDNN", None) == "cuDNN"
    assert choose(False, None, lambda: "portable") == "portable"


def test_in_a_graph_with_an_unknown_batch(emulation):
    layer, _ = layers("tanh")
    inputs, states, _ = inputs_and_states(layer, MIXED)
    signature = [
        tf.TensorSpec((None, STEPS, FEATURES)),
        [tf.TensorSpec((None, UNITS))],
        tf.TensorSpec((None,), tf.int32),
    ]
    graph = tf.function(lambda x, s, lengths: cudnn.run(layer.cell, x, s, lengths), signature, autograph=False)
    for rows in (slice(None), slice(1, 3)):
        given = inputs[rows], [state[rows] for state in states], tf.constant(MIXED)[rows]
        assert_close(graph(*given), cudnn.run(layer.cell, *given))


def unlike(cell_class):
    class Subclass(cell_class):
        """May have other equations."""

    return RecurrentLayer(Subclass(2))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: SimpleRNN(2), None),
        (lambda: SimpleRNN(2, activation="relu", use_bias=False), None),
        (lambda: SimpleRNN(2, activation=tf.tanh, dropout=0.5, stateful=True, go_backwards=True), None),
        (lambda: RecurrentLayer(SimpleRNNCell(2)), None),
        (lambda: GRU(2, dropout=0.5, dtype="mixed_float16"), None),
        (lambda: LSTM(2, use_cudnn=True, dtype="mixed_bfloat16"), None),
        (lambda: LSTM(2, use_cudnn=False), "use_cudnn is False"),
        (lambda: unlike(LSTMCell), "cuDNN has SimpleRNN, GRU and LSTM, not Subclass"),
        (lambda: SimpleRNN(2, activation="sigmoid"), "activation is sigmoid, cuDNN has tanh and relu"),
        (lambda: SimpleRNN(2, activation=None), "activation is linear"),
        (lambda: GRU(2, activation="relu"), "activation is relu, cuDNN has tanh"),
        (lambda: LSTM(2, recurrent_activation="hard_sigmoid"), "recurrent_activation is hard_sigmoid"),
        (lambda: GRU(2, reset_after=False), "reset_after is False"),
        (lambda: SimpleRNN(2, recurrent_dropout=0.1), "recurrent_dropout is above 0"),
        (lambda: LSTM(2, dropout=0.1, recurrent_dropout=0.1), "recurrent_dropout is above 0"),
        (lambda: GRU(2, dropout=0.1, implementation=1), "implementation is 1"),
        (lambda: GRU(2, implementation=1), None),
        (lambda: LSTM(2, unroll=True), "unroll is True"),
        (lambda: LSTM(2, dtype="int32"), "compute dtype is int32"),
    ],
)
def test_reasons(a_gpu, make, reason):
    found = cudnn.why_not(make())
    assert found is None if reason is None else reason in found


def test_the_reason_of_a_machine(monkeypatch):
    cudnn._gpu_problem.cache_clear()
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [])
    assert cudnn.why_not(LSTM(2)) == "TensorFlow sees no GPU"
    # What the layer was told comes first, what it is comes after.
    assert cudnn.why_not(LSTM(2, use_cudnn=False)) == "use_cudnn is False"
    assert cudnn.why_not(LSTM(2, unroll=True)) == "TensorFlow sees no GPU"
    cudnn._gpu_problem.cache_clear()
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: ["GPU:0"])
    monkeypatch.setattr(tf.sysconfig, "get_build_info", lambda: {"is_cuda_build": False})
    assert cudnn.why_not(LSTM(2)) == "this TensorFlow is not built for CUDA"
    cudnn._gpu_problem.cache_clear()


class WithTheOperation(keras.layers.Layer):
    """A GRU that chooses as a layer on a GPU would: the operation itself can be traced anywhere, but not run."""

    def __init__(self):
        super().__init__()
        self.gru, self.theirs = layers("gru", return_state=False)
        self.seen = []

    def call(self, inputs, training=False):
        self.seen.append((exporting(), traced_ahead(), compiling()))
        if tf.executing_eagerly() or cudnn.why_not_here(training):
            return self.theirs(inputs)
        return cudnn.run(self.gru.cell, inputs, [tf.zeros((tf.shape(inputs)[0], UNITS))])[1]


SPEC = tf.TensorSpec((None, STEPS, FEATURES), name="inputs")


@pytest.fixture
def model():
    inputs = keras.Input((STEPS, FEATURES))
    layer = WithTheOperation()
    model = keras.Model(inputs, layer(inputs))
    layer.seen.clear()
    return model


def has_operation(function):
    return any(operation.type.startswith("Cudnn") for operation in function.graph.get_operations())


def save_module_function(model, folder, function, **given):
    module = tf.Module()
    module.model, module.function = model, function
    tf.saved_model.save(module, folder, **given)


def export_archive(model, folder):
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", lambda inputs: model(inputs), input_signature=[SPEC])
    archive.write_out(folder, verbose=False)


def save_after_a_training_trace(model, folder):
    function = tf.function(lambda inputs: model(inputs, training=True), input_signature=[SPEC])
    assert has_operation(function.get_concrete_function())
    save_module_function(model, folder, function)


ROUTES = {
    "model.export": lambda model, folder: model.export(folder, verbose=False),
    "ExportArchive": export_archive,
    "saved_model.save of the model": tf.saved_model.save,
    "saved_model.save of a function": lambda model, folder: save_module_function(
        model, folder, tf.function(lambda inputs: model(inputs), input_signature=[SPEC])
    ),
    "a signature": lambda model, folder: save_module_function(
        model, folder, None, signatures=tf.function(lambda inputs: model(inputs), input_signature=[SPEC])
    ),
    # TensorFlow traces a function again when it saves it.
    "traced for training before": save_after_a_training_trace,
}


@pytest.mark.parametrize("route", ROUTES)
def test_an_export_does_not_hold_the_operation(model, tmp_path, route):
    ROUTES[route](model, str(tmp_path))
    exports = [seen[0] for seen in model.layers[-1].seen]
    assert exports[-1] and all(exports[1:] if route == "traced for training before" else exports)
    assert b"CudnnRNN" not in (tmp_path / "saved_model.pb").read_bytes()
    loaded = tf.saved_model.load(str(tmp_path))
    inputs = tf.ones((2, STEPS, FEATURES))
    (output,) = loaded.signatures["serving_default"](inputs).values()
    np.testing.assert_allclose(output, model(inputs), atol=1e-6)


def test_a_concrete_function_traced_before_it_is_saved(model, tmp_path):
    function = tf.function(lambda inputs, training: model(inputs, training=training))
    # Nothing says that it will be saved, so that every one but a training step is taken for an export ...
    served = function.get_concrete_function(SPEC, False)
    assert model.layers[-1].seen == [(False, True, False)]
    assert not has_operation(served)
    assert has_operation(function.get_concrete_function(SPEC, True))
    # ... and one that holds a training step as well says so itself.
    with portable():
        assert not has_operation(tf.function(lambda inputs: model(inputs, training=True)).get_concrete_function(SPEC))
        assert exporting()
    assert not exporting()
    module = tf.Module()
    module.model = model
    tf.saved_model.save(module, str(tmp_path), signatures=served)
    assert b"CudnnRNN" not in (tmp_path / "saved_model.pb").read_bytes()


def test_a_call_is_no_export_and_compilation_shows(model):
    seen = model.layers[-1].seen
    model(tf.ones((2, STEPS, FEATURES)))
    assert seen.pop() == (False, False, False)
    # A trace that ends before the operation is run, which cannot be done here.
    with pytest.raises(tf.errors.OpError, match="CudnnRNNV3"):
        tf.function(model)(tf.ones((2, STEPS, FEATURES)))
    assert seen.pop() == (False, False, False)
    compiled = tf.function(lambda inputs: model(inputs, training=True), jit_compile=True)
    assert not has_operation(compiled.get_concrete_function(tf.TensorSpec((2, STEPS, FEATURES))))
    assert seen.pop() == (False, True, True)
    assert not (exporting() or traced_ahead() or compiling())
    reasons = []
    tf.function(lambda: reasons.append(cudnn.why_not_here()), jit_compile=True).get_concrete_function()
    with portable():
        reasons.append(cudnn.why_not_here())
    assert "XLA" in reasons[0] and "exported" in reasons[1]
    assert cudnn.why_not_here() is None


@pytest.mark.parametrize(
    ("pair", "dtype"),
    [("tanh", "float32"), ("relu", "float64"), ("gru", "float16"), ("lstm", "bfloat16"), ("lstm", "float32")],
)
def test_the_operation_itself_can_be_traced_with_its_gradient(pair, dtype):
    policy = dtype if dtype in ("float32", "float64") else f"mixed_{dtype}"
    layer = PAIRS[pair][0](UNITS, dtype=policy, **PAIRS[pair][2])
    layer.build((None, None, FEATURES))

    @tf.function(input_signature=[tf.TensorSpec((None, None, FEATURES), dtype), tf.TensorSpec((None,), tf.int32)])
    def graph(inputs, lengths):
        states = [tf.zeros((tf.shape(inputs)[0], UNITS), dtype) for _ in layer.state_size]
        one = cudnn.run(layer.cell, inputs, states, lengths)
        other = cudnn.run(layer.cell, inputs, states, lengths, go_backwards=True)
        for last, outputs, final in (one, other):
            assert outputs.shape.as_list() == [None, None, UNITS] and outputs.dtype == dtype
            for tensor in (last, *final):
                assert tensor.shape.as_list() == [None, UNITS] and tensor.dtype == dtype
        gradients = tf.gradients([one[1], other[1]], [inputs, layer.cell.kernel.value])
        assert gradients[0].dtype == dtype and gradients[1].shape == layer.cell.kernel.shape
        return gradients

    kinds = [node.op for node in graph.get_concrete_function().graph.as_graph_def().node]
    assert kinds.count("CudnnRNNV3") == kinds.count("CudnnRNNBackpropV3") == 2


@with_a_gpu
@pytest.mark.parametrize("pair", PAIRS)
def test_on_a_gpu(pair):
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        for case in CASES:
            compare(pair, case, bound=1e-4)
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(True)
