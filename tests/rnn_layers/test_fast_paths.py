"""The hoisted loop and the pieces compiled by XLA against Keras and finite differences, and which is taken when."""

import collections
import functools
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnn_layers import compiled, hoisted, processor, recurrence
from rnn_layers.bidirectional import Bidirectional
from rnn_layers.cell import RecurrentCell
from rnn_layers.gru import GRU
from rnn_layers.layer import RecurrentLayer
from rnn_layers.lstm import LSTM
from rnn_layers.portable import portable
from rnn_layers.simple_rnn import SimpleRNN
from tests.rnn_layers.test_parity import PAIRS as ALL_PAIRS
from tests.rnn_layers.test_parity import assert_close, states_of

ROOT = Path(__file__).resolve().parents[2]
PAIRS = {name: ALL_PAIRS[name][:2] for name in ("simple_rnn", "gru", "lstm")}
BATCH, FEATURES, UNITS = 4, 3, 5
# With pieces of about 8 steps: three of which the last is padded, and two that come out even.
PADDED, EVEN = 22, 16


class CoupledLSTMCell(RecurrentCell):
    """An LSTM that writes what it forgets, i_t = 1 - f_t (Greff et al. 2017, "LSTM: A Search Space Odyssey", CIFG)."""

    gates = 3

    def __init__(self, units, **kwargs):
        super().__init__(units, **kwargs)
        self.state_size = [units, units]

    def combine(self, projected_inputs, projected_state, states):
        forget, candidate, read = tf.split(projected_inputs + projected_state, 3, axis=-1)
        forget = tf.sigmoid(forget)
        memory = forget * states[1] + (1 - forget) * self.activation(candidate)
        return [tf.sigmoid(read) * self.activation(memory), memory]


def with_weights_of(ours, theirs, features=FEATURES, seed=1):
    """Builds both and gives both the same weights, biases included."""
    random = np.random.default_rng(seed)
    for layer in (ours, theirs):
        layer.build((None, None, features))
    theirs.set_weights([random.normal(scale=0.5, size=weight.shape) for weight in theirs.get_weights()])
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def problem(count, steps, batch=BATCH, features=FEATURES, units=UNITS, seed=0, dtype="float32"):
    random = np.random.default_rng(seed)
    inputs = tf.constant(random.normal(size=(batch, steps, features)).astype(dtype))
    return inputs, [tf.constant(random.normal(size=(batch, units)).astype(dtype)) for _ in range(count)]


def everything(layer, inputs, states, mask=None, training=False):
    """All that a layer returns, and the gradients of a weighted sum of it for inputs, states and weights."""
    with tf.GradientTape() as tape:
        tape.watch([inputs, *states])
        results = tf.nest.flatten(layer(inputs, initial_state=list(states) or None, mask=mask, training=training))
        total = functional(results, inputs.dtype)
    sources = [inputs, *states, *(variable.value for variable in layer.trainable_variables)]
    return [tf.cast(result, inputs.dtype) for result in results], tape.gradient(total, sources)


def functional(results, dtype):
    total = tf.zeros((), dtype)
    for result in results:
        weights = tf.reshape(tf.cos(tf.cast(tf.range(tf.size(result)), dtype)), tf.shape(result))
        total += tf.reduce_sum(tf.cast(result, dtype) * weights)
    return total


@pytest.fixture
def small_pieces(monkeypatch):
    """Sizes at which a small problem has several pieces and, on any machine, two shares of the rows."""
    monkeypatch.setattr(compiled, "STEPS", 8)
    monkeypatch.setattr(compiled, "LEAST_POSITIONS", 1)
    monkeypatch.setattr(compiled, "LEAST_ROWS", 2)
    monkeypatch.setattr(processor, "cores", lambda: 2)


@settings(derandomize=True, deadline=None, max_examples=20)
@given(data=st.data())
def test_hoisted_loop_equals_keras(data):
    batch, units = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    steps, features = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 3))
    name = data.draw(st.sampled_from(sorted(PAIRS)))
    arguments = {
        # softplus is one whose derivative is not known as a function of its output.
        "activation": data.draw(st.sampled_from(["tanh", "relu", "sigmoid", "softplus"])),
        **{key: data.draw(st.booleans()) for key in ("go_backwards", "return_sequences", "zero_output_for_mask")},
        "return_state": True,
    }
    ours, theirs = with_weights_of(*(cls(units, **arguments) for cls in PAIRS[name]), features)
    count = states_of(name) if data.draw(st.booleans()) else 0
    mask = data.draw(st.none() | arrays(bool, (batch, steps)))
    inputs, states = problem(count, steps, batch, features, units, data.draw(st.integers(0, 100)))
    training = data.draw(st.booleans())
    assert_close(everything(ours, inputs, states, mask, training), everything(theirs, inputs, states, mask, training))


def central_differences(layer, inputs, states, mask, step=1e-6):
    """The gradient of `functional` for inputs, states and weights, one element at a time."""

    variables = [inputs, *states, *(variable.value for variable in layer.trainable_variables)]
    gradients = []
    for variable in variables:
        at, gradient = variable.numpy(), np.zeros(variable.shape)
        for index in np.ndindex(*variable.shape):
            sides = []
            for change in (step, -step):
                moved = at.copy()
                moved[index] += change
                variable.assign(moved)
                sides.append(float(functional(layer(inputs, initial_state=states, mask=mask), tf.float64)))
            gradient[index] = (sides[0] - sides[1]) / (2 * step)
        variable.assign(at)
        gradients.append(gradient)
    return gradients


@pytest.mark.parametrize("name", PAIRS)
def test_gradients_equal_finite_differences(name, monkeypatch):
    monkeypatch.setattr(compiled, "STEPS", 2)
    monkeypatch.setattr(compiled, "LEAST_POSITIONS", 1)
    how = {"return_sequences": True, "return_state": True, "dtype": "float64"}
    plain, by_xla = (PAIRS[name][0](2, jit_compile=jit, **how) for jit in (False, True))
    with_weights_of(plain, by_xla, features=2)
    inputs, states = problem(states_of(name), 4, 2, 2, 2, dtype="float64")
    mask = tf.constant([[True, False, True, True], [True, True, True, False]])
    inputs, states = tf.Variable(inputs), [tf.Variable(state) for state in states]
    expected = central_differences(plain, inputs, states, mask)
    inputs, states = tf.constant(inputs), [tf.constant(state) for state in states]
    assert_close(everything(plain, inputs, states, mask, True)[1], expected, 1e-6)
    assert_close(tf.function(lambda: everything(by_xla, inputs, states, mask, True))()[1], expected, 1e-6)


def test_compiled_gradient_has_the_precision_of_the_weights(monkeypatch):
    monkeypatch.setattr(compiled, "STEPS", 2)
    monkeypatch.setattr(compiled, "LEAST_POSITIONS", 1)
    plain, by_xla = (SimpleRNN(2, dtype="float64", jit_compile=jit) for jit in (False, True))
    with_weights_of(plain, by_xla)
    inputs, _ = problem(0, 4, dtype="float64")
    expected = everything(plain, inputs, [], training=True)
    assert_close(tf.function(lambda: everything(by_xla, inputs, [], training=True))(), expected, 1e-12)


def compare_compiled(name, steps, masks=(None,), count=0, training=True, unknown=False, bound=1e-5, **arguments):
    """Our layer in a graph, with pieces compiled by XLA, against Keras's called eagerly."""
    jit_compile = arguments.pop("jit_compile", True)
    arguments = {"return_sequences": True, "return_state": True, **arguments}
    our_class, their_class = PAIRS[name]
    layer = our_class(UNITS, jit_compile=jit_compile, **arguments)
    ours, theirs = with_weights_of(layer, their_class(UNITS, **arguments))
    inputs, states = problem(count, steps)
    signature = [tf.TensorSpec((None, None, FEATURES)), [tf.TensorSpec((None, UNITS))] * count]
    signature += [tf.TensorSpec((None, None), tf.bool)] * (masks[0] is not None)

    @tf.function(input_signature=signature if unknown else None)
    def ours_in_a_graph(inputs, states, mask=None):
        return everything(ours, inputs, states, mask, training)

    for mask in masks:
        given = (inputs, states) if mask is None else (inputs, states, tf.constant(mask))
        expected = everything(theirs, inputs, states, mask, training)
        assert_close(ours_in_a_graph(*given), expected, bound)


def right_padded(steps):
    # The second row has no step at all, and the last piece none in any row.
    return np.arange(steps) < np.array([[11], [0], [3], [13]])


def with_holes(steps):
    return np.random.default_rng(5).random((BATCH, steps)) < 0.5


@pytest.mark.parametrize("name", PAIRS)
def test_compiled_pieces_equal_keras(name, small_pieces):
    compare_compiled(name, PADDED, (right_padded(PADDED), with_holes(PADDED)), states_of(name))


@pytest.mark.parametrize("name", PAIRS)
def test_compiled_pieces_with_unknown_sizes_backwards_and_dropout(name, small_pieces):
    arguments = {"go_backwards": True, "return_sequences": False, "dropout": 0.3, "recurrent_dropout": 0.2, "seed": 3}
    compare_compiled(name, PADDED, (right_padded(PADDED)[:, ::-1],), states_of(name), unknown=True, **arguments)


@pytest.mark.parametrize("name", PAIRS)
def test_gradient_of_compiled_inference(name, small_pieces):
    compare_compiled(name, EVEN, training=False)


@pytest.mark.parametrize("jit_compile", [True, False])
def test_compiled_pieces_and_the_loop_in_bfloat16(jit_compile, small_pieces):
    # Ten roundings to 8 bits: neither of the two is exact.
    compare_compiled("gru", EVEN, bound=10 * 2.0**-8, dtype="mixed_bfloat16", jit_compile=jit_compile)


def test_compiled_bidirectional_equals_keras(small_pieces):
    ours = Bidirectional(SimpleRNN(UNITS, return_sequences=True, jit_compile=True))
    theirs = keras.layers.Bidirectional(keras.layers.SimpleRNN(UNITS, return_sequences=True))
    with_weights_of(ours, theirs)
    inputs, _ = problem(0, PADDED)
    graph = tf.function(lambda mask: everything(ours, inputs, [], mask, training=True))
    mask = right_padded(PADDED)
    results = graph(tf.constant(mask))
    assert_close(results, everything(theirs, inputs, [], mask, training=True))
    assert not results[0][0].numpy()[~mask].any()


def test_cell_of_ones_own_needs_no_gradient(small_pieces):
    how = {"return_sequences": True, "return_state": True}
    plain, by_xla = (RecurrentLayer(CoupledLSTMCell(UNITS), jit_compile=jit, **how) for jit in (False, True))
    theirs = keras.layers.RNN(CoupledLSTMCell(UNITS), **how)
    with_weights_of(plain, theirs)
    with_weights_of(by_xla, theirs)
    inputs, states = problem(2, PADDED)
    mask = with_holes(PADDED)
    expected = everything(theirs, inputs, states, mask, True)
    assert_close(everything(plain, inputs, states, mask, True), expected)
    assert_close(tf.function(lambda: everything(by_xla, inputs, states, mask, True))(), expected)


@pytest.mark.parametrize("name", PAIRS)
def test_unknown_activation_goes_step_by_step(name, monkeypatch):
    def fail(*_):
        raise AssertionError("hoisted, although the activation may mix units")

    monkeypatch.setattr(hoisted, "backward", fail)
    monkeypatch.setattr(compiled, "run", fail)
    arguments = {"activation": lambda z: tf.cumsum(tf.sin(z), axis=-1), "return_sequences": True, "return_state": True}
    ours, theirs = with_weights_of(*(cls(UNITS, **arguments) for cls in PAIRS[name]))
    inputs, states = problem(states_of(name), 4)
    mask = with_holes(4)
    expected = everything(theirs, inputs, states, mask, True)
    assert_close(everything(ours, inputs, states, mask, True), expected)
    assert_close(tf.function(lambda: everything(ours, inputs, states, mask, True))(), expected)


@pytest.fixture
def compiled_runs(monkeypatch):
    """A list that grows when a layer takes the compiled pieces, in whose place the hoisted loop then runs."""
    runs = []

    def run(cell, *arguments):
        runs.append(cell)
        *arguments, _directions = arguments
        return recurrence._hoisted(cell, *arguments)

    monkeypatch.setattr(compiled, "run", run)
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda *_: [])
    return runs


LEAST = recurrence.LEAST_UNITS_TO_COMPILE
RULE = {
    # What is compiled; the layer's units and arguments; the call's batch, training and tf.function's arguments.
    "in_a_graph": (True, LEAST, {}, 2, False, {}),
    "in_training": (True, LEAST, {}, None, True, {}),
    "forced": (True, 2, {"jit_compile": True}, None, False, {}),
    "eagerly": (False, LEAST, {}, 2, True, None),
    "forced_eagerly": (False, LEAST, {"jit_compile": True}, 2, True, None),
    "inside_xla": (False, LEAST, {}, 2, True, {"jit_compile": True}),
    "any_batch": (False, LEAST, {}, None, False, {}),
    "forbidden": (False, LEAST, {"jit_compile": False}, 2, True, {}),
    "few_units": (False, LEAST - 1, {}, 2, True, {}),
    "unrolled": (False, LEAST, {"unroll": True}, 2, True, {}),
    "step_by_step": (False, LEAST, {"activation": "softmax", "jit_compile": True}, 2, True, {}),
}


@pytest.mark.parametrize("case", RULE)
def test_what_is_compiled(case, compiled_runs):
    expected, units, arguments, batch, training, graph = RULE[case]
    layer = SimpleRNN(units, **arguments)
    layer.build((None, None, 3))

    call = functools.partial(layer, training=training)
    if graph is not None:
        call = tf.function(call, input_signature=[tf.TensorSpec((batch, 5, 3))], **graph)
    call(tf.zeros((2, 5, 3)))
    assert bool(compiled_runs) == expected


WIDE = recurrence.LEAST_UNITS_TO_ANSWER_BY_ONEDNN


@pytest.mark.parametrize(
    ("expected", "units", "dtype", "training", "multiplies"),
    [
        (False, LEAST, "mixed_bfloat16", True, True),
        (False, WIDE, "mixed_bfloat16", False, True),
        (True, LEAST, "mixed_bfloat16", False, True),
        (True, LEAST, "mixed_bfloat16", True, False),
        (True, WIDE, "float32", True, True),
    ],
)
def test_products_of_bfloat16_are_left_to_onednn_where_it_multiplies_them(
    expected, units, dtype, training, multiplies, compiled_runs, monkeypatch
):
    monkeypatch.setattr(processor, "multiplies_bfloat16", lambda: multiplies)
    layer = SimpleRNN(units, dtype=dtype)
    tf.function(functools.partial(layer, training=training))(tf.zeros((2, 5, 3)))
    assert bool(compiled_runs) == expected


@pytest.mark.parametrize(
    ("rows", "units", "sets", "expected"),
    [
        (64, 512, {"avx2"}, [32, 32]),
        (64, 512, set(), [64]),
        (64, 512, {"avx2", "amx_tile"}, [64]),
        (64, 256, {"avx2", "amx_tile"}, [32, 32]),
        (64, 1024, {"avx2"}, [64]),
        (31, 64, {"avx2"}, [31]),
    ],
)
def test_cores_share_the_rows_unless_the_weights_are_large(rows, units, sets, expected, monkeypatch):
    monkeypatch.setattr(processor, "cores", lambda: 2)
    monkeypatch.setattr(processor, "instruction_sets", lambda: frozenset(sets))
    cell = LSTM(units).cell
    cell.build((None, 3))
    weights = hoisted.Weights(cell.input_weights(), cell.recurrent_weights())
    assert compiled._shares(weights, rows, directions=1) == expected


@pytest.mark.parametrize("onednn", [True, False])
@pytest.mark.parametrize(
    ("told", "expected"), [("avx2 avx512_bf16", True), ("amx_bf16", True), ("avx2 avx512f", False)]
)
def test_a_processor_multiplies_bfloat16_by_its_flags_and_onednn(told, expected, onednn, monkeypatch):
    text = f"processor\t: 0\nflags\t\t: fpu {told}\nbugs\t\t: amx_bf16_of_another_line\n"
    monkeypatch.setattr(processor.Path, "read_text", lambda *_, **__: text)
    monkeypatch.setattr(processor._pywrap_util_port, "IsMklEnabled", lambda: onednn)
    processor.instruction_sets.cache_clear()
    try:
        assert processor.instruction_sets() == {"fpu", *told.split()}
        assert processor.multiplies_bfloat16() == (expected and onednn)
    finally:
        processor.instruction_sets.cache_clear()


def test_where_there_is_nothing_to_ask_a_processor_has_no_instruction_sets(monkeypatch):
    def missing(*_, **__):
        raise FileNotFoundError

    monkeypatch.setattr(processor.Path, "read_text", missing)
    processor.instruction_sets.cache_clear()
    try:
        assert processor.instruction_sets() == set() and not processor.multiplies_bfloat16()
    finally:
        processor.instruction_sets.cache_clear()
    assert processor.cores() >= 1


def test_nothing_is_compiled_for_elsewhere(compiled_runs, monkeypatch, tmp_path):
    inputs = keras.Input(batch_shape=(2, 5, 3))
    model = keras.Model(inputs, GRU(LEAST, jit_compile=True)(inputs))
    tf.function(model)(tf.zeros((2, 5, 3)))
    assert compiled_runs
    compiled_runs.clear()
    model.export(tmp_path / "model", verbose=False)
    with portable():
        tf.function(lambda: model(tf.zeros((2, 5, 3))))()
    assert not compiled_runs
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda *_: ["a GPU"])
    tf.function(GRU(LEAST, use_cudnn=False))(tf.zeros((2, 5, 3)))
    assert not compiled_runs


def test_another_length_compiles_nothing(small_pieces):
    ours, theirs = with_weights_of(SimpleRNN(UNITS, jit_compile=True), keras.layers.SimpleRNN(UNITS))
    signature = [tf.TensorSpec((BATCH, None, FEATURES))]
    graph = tf.function(lambda inputs: everything(ours, inputs, [], None, True), input_signature=signature)
    counts = []
    for steps in (5, 8, 23):
        inputs, _ = problem(0, steps)
        assert_close(graph(inputs), everything(theirs, inputs, [], training=True))
        counts.append([program.experimental_get_tracing_count() for program in compiled._programs_of(ours.cell)])
    assert min(counts[0]) >= 1
    assert counts == [counts[0]] * 3


def test_no_mask_compiles_anything_new(tmp_path):
    # In a process of its own, for XLA reads its flags once.
    script = """
import numpy as np, tensorflow as tf
from rnn_layers import compiled
from rnn_layers.simple_rnn import SimpleRNN
compiled.STEPS, compiled.LEAST_POSITIONS, compiled.LEAST_ROWS = 8, 1, 4
layer = SimpleRNN(5, jit_compile=True)
layer.build((4, 22, 3))

@tf.function(autograph=False)
def gradients(inputs, mask):
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(inputs, mask=mask, training=True))
    return tape.gradient(total, layer.trainable_variables)

for longest in (22, 13, 7):
    gradients(tf.ones((4, 22, 3)), tf.sequence_mask([longest, 2, 5, 1], 22))
"""
    flags = f"--xla_dump_to={tmp_path} --xla_dump_hlo_as_text"
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, "XLA_FLAGS": flags}, cwd=ROOT)
    programs = [path.name for path in tmp_path.glob("*after_optimizations.txt")]
    assert len(programs) == 2, programs


def test_the_outputs_of_a_length_that_the_graph_does_not_know_have_their_size():
    first, second = GRU(24, return_sequences=True), GRU(32, return_sequences=True)

    @tf.function(input_signature=[tf.TensorSpec((16, None, 3))])
    def graph(inputs):
        outputs = first(inputs, training=True)
        assert outputs.shape.as_list() == [16, None, 24]
        return second(outputs, training=True)

    assert graph(tf.ones((16, 7, 3))).shape == (16, 7, 32)


@pytest.mark.parametrize(
    ("steps", "training", "loops"), [(32, False, 0), (33, False, 1), (32, True, 1), (None, False, 1)]
)
def test_some_few_steps_are_answered_without_a_loop(steps, training, loops):
    layer = GRU(4, return_sequences=True, jit_compile=False)
    layer.build((None, None, 3))
    graph = tf.function(lambda rows: layer(rows, mask=rows[:, :, 0] > -1, training=training), autograph=False)
    traced = graph.get_concrete_function(tf.TensorSpec((None, steps, 3)))
    assert sum("While" in operation.type for operation in traced.graph.get_operations()) == loops
    rows = np.random.default_rng(0).normal(size=(2, steps or 5, 3)).astype(np.float32)
    mask = rows[:, :, 0] > -1
    np.testing.assert_allclose(traced(tf.constant(rows)), layer(rows, mask=mask, training=training), atol=1e-6)


def test_inference_takes_the_inputs_apart_before_its_loop():
    """One operation for each input of a step; and the same answers."""
    layer = GRU(4, return_sequences=True)
    layer.build((None, None, 3))
    rows = tf.constant(np.random.default_rng(0).normal(size=(2, 5, 3)), tf.float32)
    expected = layer(rows)
    with portable():
        graph = tf.function(layer, autograph=False).get_concrete_function(tf.TensorSpec((None, None, 3)))
    body = next(f for f in graph.graph.as_graph_def().library.function if "_body_" in f.signature.name)
    kinds = collections.Counter(node.op for node in body.node_def)
    assert kinds["TensorListGetItem"] == 1 and not kinds["StridedSlice"] and not kinds["Pack"]
    np.testing.assert_allclose(graph(rows), expected, atol=1e-6)
