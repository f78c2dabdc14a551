"""The implementations that are compared. Each makes a function that does the whole work once and waits for its end.

    training   outputs of all steps, and the gradients of sum(outputs * cotangent) for the inputs and all weights
    inference  outputs of all steps

What has been given to the device beforehand (batch, weights) is not part of the work. PyTorch and JAX take part if they
are installed, each in a process of its own, which TensorFlow is not imported in.
"""

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.layer_problems import Problem
from benchmarks.processes import installed
from benchmarks.turns import seconds_of

OURS = ("ours", "ours portable", "ours jit")
KERAS = ("keras", "keras jit")
# XLA may refuse the graph of a whole step; that is then said instead of a time.
WHOLE_STEP_COMPILED = ("ours jit", "keras jit")
# The problem brings the weights; to draw an orthogonal matrix of 1024 rows takes seconds.
PLAIN = {"recurrent_initializer": "zeros"}
# Each of these needs a process without TensorFlow.
OTHER_LIBRARIES = ("torch", "jax")
# A function that does the work, and one that turns its result into arrays: the outputs and, in training, the gradients
# of the inputs and of the weights in Keras's layout and order.
Runner = tuple[Callable[[], object], Callable[[object], list[np.ndarray]]]


def available() -> list[str]:
    """The names of the implementations that can run here, Keras's plain one first: it is what others are checked by."""
    return [*KERAS, *OURS, *installed(*OTHER_LIBRARIES)]


class Implementation:
    """One implementation, ready to be timed in the process in which it is made; see `make_runner`."""

    def __init__(self, name: str, problem: Problem, training: bool):
        self.run, self.read = make_runner(name, problem, training)

    def first_call(self) -> tuple[float, list[np.ndarray]]:
        """The seconds of the first call, and what it gave: the outputs and, in training, the gradients."""
        start = time.perf_counter()
        result = self.run()
        return round(time.perf_counter() - start, 3), self.read(result)

    def milliseconds(self) -> float:
        """The milliseconds of a call, after one that is not timed."""
        return 1000 * seconds_of(self.run, again=True)


def make_runner(name: str, problem: Problem, training: bool) -> Runner:
    """Makes what is timed.

    Args:
        name: One of `available()`.
        problem: The batch and the weights.
        training: Whether the work is a training step; else it is one inference call.

    Returns:
        The function that does the work once, with everything finished when it returns; and the function that reads what
        it returned.
    """
    if name == "torch":
        return torch_runner(problem, training)
    if name == "jax":
        return jax_runner(problem, training)
    layer = keras_layer(problem) if name in KERAS else our_layer(problem, "auto" if name != "ours portable" else False)
    return tensorflow_runner(layer, problem, training, name in WHOLE_STEP_COMPILED)


def our_layer(problem: Problem, jit_compile):
    """This project's layer; inside a step that is compiled as a whole its own choice of pieces has no effect."""
    from rnn_layers.bidirectional import Bidirectional
    from rnn_layers.gru import GRU
    from rnn_layers.lstm import LSTM
    from rnn_layers.simple_rnn import SimpleRNN

    layers = {"simple_rnn": SimpleRNN, "gru": GRU, "lstm": LSTM, "bidirectional_simple_rnn": SimpleRNN}
    layer = layers[problem.name](problem.shape.units, return_sequences=True, jit_compile=jit_compile, **PLAIN)
    return layer if problem.cell.directions == 1 else Bidirectional(layer)


def keras_layer(problem: Problem):
    """Keras's layer."""
    import keras

    layers = {
        "simple_rnn": keras.layers.SimpleRNN,
        "gru": keras.layers.GRU,
        "lstm": keras.layers.LSTM,
        "bidirectional_simple_rnn": keras.layers.SimpleRNN,
    }
    layer = layers[problem.name](problem.shape.units, return_sequences=True, **PLAIN)
    return layer if problem.cell.directions == 1 else keras.layers.Bidirectional(layer)


def tensorflow_runner(layer, problem: Problem, training: bool, jit_compile: bool) -> Runner:
    """A layer in a tf.function; the batch is an argument of it, so that nothing of it is computed beforehand."""
    import tensorflow as tf

    layer.build(problem.inputs.shape)
    layer.set_weights(problem.weights)
    inputs, cotangent = tf.constant(problem.inputs), tf.constant(problem.cotangent)
    mask = None if problem.mask is None else tf.constant(problem.mask)

    @tf.function(autograph=False, jit_compile=jit_compile or None)
    def work(inputs, mask, cotangent):
        if training:
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                outputs = layer(inputs, mask=mask, training=True)
            gradients = tape.gradient(outputs, [inputs, *layer.trainable_variables], output_gradients=cotangent)
            results = [outputs, *gradients]
        else:
            results = [layer(inputs, mask=mask, training=False)]
        # One number that needs every result: to have read it is to have waited for all of them.
        return results, tf.add_n([tf.reshape(result, [-1])[0] for result in results])

    def run():
        results, last = work(inputs, mask, cotangent)
        last.numpy()
        return results

    return run, lambda results: [result.numpy() for result in results]


def torch_runner(problem: Problem, training: bool) -> Runner:
    """`torch.nn`'s layer with its default threads; padded rows are packed."""
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    layers = {"simple_rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
    kind = layers[problem.name.removeprefix("bidirectional_")]
    shape, directions = problem.shape, problem.cell.directions
    module = kind(shape.inputs, shape.units, batch_first=True, bidirectional=directions == 2).to(device)
    module.train(training)
    values = [value for weights in problem.directional_weights() for value in to_torch(problem, *weights)]
    parameters = list(module.parameters())
    with torch.no_grad():
        for parameter, value in zip(parameters, values, strict=True):
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))
    inputs = torch.from_numpy(problem.inputs).to(device).requires_grad_(training)
    cotangent = torch.from_numpy(problem.cotangent).to(device)
    lengths = None if shape.lengths is None else torch.tensor(shape.lengths)

    def forward():
        if lengths is None:
            return module(inputs)[0]
        packed = torch.nn.utils.rnn.pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
        return torch.nn.utils.rnn.pad_packed_sequence(module(packed)[0], batch_first=True, total_length=shape.steps)[0]

    def run():
        if training:
            outputs = forward()
            results = [outputs, *torch.autograd.grad(outputs, [inputs, *parameters], cotangent)]
        else:
            with torch.inference_mode():
                results = [forward()]
        if device.type == "cuda":
            torch.cuda.synchronize()
        return results

    def read(results):
        outputs, *gradients = [result.detach().cpu().numpy() for result in results]
        by_weights = [
            gradient
            for start in range(1, len(gradients), 4)
            for gradient in from_torch(problem, *gradients[start : start + 4])
        ]
        return [outputs, *gradients[:1], *by_weights]

    return run, read


def to_torch(problem: Problem, kernel, recurrent_kernel, bias):
    """Keras's three weights of a direction as PyTorch's four: transposed, two biases, GRU's gates r, z, n."""
    if problem.cell.bias_rows == 1:
        bias = np.stack([bias, np.zeros_like(bias)])
    kernel, recurrent_kernel, bias = (_swap_gates(problem, array) for array in (kernel, recurrent_kernel, bias))
    return kernel.T, recurrent_kernel.T, bias[0], bias[1]


def from_torch(problem: Problem, kernel, recurrent_kernel, bias, recurrent_bias):
    """The way back from `to_torch`, for gradients: a bias that is added once has the gradient of either."""
    bias = bias if problem.cell.bias_rows == 1 else np.stack([bias, recurrent_bias])
    return [_swap_gates(problem, array) for array in (kernel.T, recurrent_kernel.T, bias)]


def _swap_gates(problem, array):
    """From Keras's order of the GRU's gates (z, r, n) to PyTorch's (r, z, n) or back; the LSTM's is the same."""
    if problem.cell.gates != 3:
        return array
    first, second, third = np.split(array, 3, axis=-1)
    return np.concatenate([second, first, third], axis=-1)


def jax_runner(problem: Problem, training: bool) -> Runner:
    """`jax.lax.scan` over the steps, under jit, with the input products of all steps taken out of it by hand."""
    import jax
    import jax.numpy as jnp

    step = {
        "simple_rnn": _jax_simple_rnn,
        "gru": _jax_gru,
        "lstm": _jax_lstm,
    }[problem.name.removeprefix("bidirectional_")]
    units, width = problem.shape.units, 2 if problem.name == "lstm" else 1

    def run_direction(inputs, mask, kernel, recurrent_kernel, bias, reverse):
        input_bias = bias[0] if problem.cell.bias_rows == 2 else bias
        projected = jnp.swapaxes(inputs @ kernel + input_bias, 0, 1)
        advance = partial(step, recurrent_kernel=recurrent_kernel, bias=bias)

        def body(states, slices):
            projected, taken = slices
            new_states = advance(projected, states)
            if taken is not None:
                new_states = [jnp.where(taken, new, old) for new, old in zip(new_states, states, strict=True)]
            return new_states, new_states[0]

        start = [jnp.zeros((inputs.shape[0], units), inputs.dtype)] * width
        taken = None if mask is None else jnp.swapaxes(mask, 0, 1)[:, :, jnp.newaxis]
        outputs = jax.lax.scan(body, start, (projected, taken), reverse=reverse)[1]
        return jnp.swapaxes(outputs, 0, 1)

    def forward(inputs, weights, mask):
        directions = [weights[start : start + 3] for start in range(0, len(weights), 3)]
        outputs = [run_direction(inputs, mask, *each, reverse=place == 1) for place, each in enumerate(directions)]
        return outputs[0] if len(outputs) == 1 else jnp.concatenate(outputs, axis=-1)

    @jax.jit
    def work(inputs, weights, mask, cotangent):
        if not training:
            return [forward(inputs, weights, mask)]
        outputs, pull_back = jax.vjp(lambda inputs, weights: forward(inputs, weights, mask), inputs, weights)
        by_inputs, by_weights = pull_back(cotangent)
        return [outputs, by_inputs, *by_weights]

    arguments = (problem.inputs, problem.weights, problem.mask, problem.cotangent)
    arguments = jax.block_until_ready(jax.tree.map(jnp.asarray, arguments))
    return lambda: jax.block_until_ready(work(*arguments)), lambda results: [np.asarray(result) for result in results]


def _jax_simple_rnn(projected, states, recurrent_kernel, bias):
    import jax.numpy as jnp

    return [jnp.tanh(projected + states[0] @ recurrent_kernel)]


def _jax_gru(projected, states, recurrent_kernel, bias):
    import jax
    import jax.numpy as jnp

    (hidden,) = states
    x_z, x_r, x_n = jnp.split(projected, 3, axis=-1)
    h_z, h_r, h_n = jnp.split(hidden @ recurrent_kernel + bias[1], 3, axis=-1)
    update = jax.nn.sigmoid(x_z + h_z)
    candidate = jnp.tanh(x_n + jax.nn.sigmoid(x_r + h_r) * h_n)
    return [update * hidden + (1 - update) * candidate]


def _jax_lstm(projected, states, recurrent_kernel, bias):
    import jax
    import jax.numpy as jnp

    hidden, cell = states
    i, f, c, o = jnp.split(projected + hidden @ recurrent_kernel, 4, axis=-1)
    cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(c)
    return [jax.nn.sigmoid(o) * jnp.tanh(cell), cell]
