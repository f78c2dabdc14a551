"""cuDNN without a GPU: NVIDIA's equations, reading the buffer of parameters where the documentation says that a matrix
lies, and as strict as the kernel."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf


def matrices_and_biases(params, mode, features, units):
    """The regions of the buffer in the order of `cudnnGetRNNWeightParams`: those of each linear layer."""
    gates = {"lstm": 4, "gru": 3}.get(mode, 1)
    position = 0

    def take(*shape):
        nonlocal position
        position += int(np.prod(shape))
        return tf.reshape(params[position - int(np.prod(shape)) : position], shape)

    widths = [features] * gates + [units] * gates
    matrices = [take(units, width) for width in widths]
    biases = [take(units) for _ in widths]
    assert params.shape == (position,)
    return matrices, biases


def emulated_step(mode, w, r, h, c):
    """The equations at `cudnnRNNMode_t`, from W x + b_W and R h + b_R of each linear layer."""
    if mode == "lstm":
        i, f, new, o = (one + other for one, other in zip(w, r, strict=True))
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(new)
        return tf.sigmoid(o) * tf.tanh(c), c
    if mode == "gru":
        reset, update = tf.sigmoid(w[0] + r[0]), tf.sigmoid(w[1] + r[1])
        return (1 - update) * tf.tanh(w[2] + reset * r[2]) + update * h, c
    return {"rnn_tanh": tf.tanh, "rnn_relu": tf.nn.relu}[mode](w[0] + r[0]), c


class Gradients(NamedTuple):
    input_backprop: tf.Tensor
    input_h_backprop: tf.Tensor
    input_c_backprop: tf.Tensor
    params_backprop: tf.Tensor


# What the forward operation has kept for its gradient in eager calls, held so that no other tensor gets its memory.
handed_out = []


def address(tensor):
    return np.asarray(memoryview(tensor)).ctypes.data


def emulate(monkeypatch):
    """Puts the operation and its gradient in the place of TensorFlow's."""
    monkeypatch.setattr(tf.raw_ops, "CudnnRNNV3", emulated)
    monkeypatch.setattr(tf.raw_ops, "CudnnRNNBackpropV3", emulated_gradient)


def emulated_gradient(**given):
    """`tf.raw_ops.CudnnRNNBackpropV3` with the operation's own names."""
    # The operation writes into this buffer: it must not be the one that another gradient will read.
    if tf.is_symbolic_tensor(given["reserve_space"]):
        assert given["reserve_space"].op.type == "DeepCopy"
    else:
        assert address(given["reserve_space"]) not in map(address, handed_out)
    names = ("input", "input_h", "input_c", "params")
    sources = {name: tf.identity(given[name]) for name in names}
    with tf.GradientTape() as tape:
        tape.watch(sources)
        output, output_h, output_c, _, _ = emulated(
            **sources,
            sequence_lengths=given["sequence_lengths"],
            rnn_mode=given["rnn_mode"],
            is_training=True,
            time_major=given["time_major"],
        )
    for name, tensor in (("output", output), ("output_h", output_h), ("output_c", output_c)):
        assert given[name].shape == tensor.shape and given[f"{name}_backprop"].shape == tensor.shape
    upstream = [given[f"{name}_backprop"] for name in ("output", "output_h", "output_c")]
    zero = tf.UnconnectedGradients.ZERO
    found = tape.gradient([output, output_h, output_c], sources, upstream, unconnected_gradients=zero)
    return Gradients(*(found[name] for name in names))


def emulated(**given):
    """`tf.raw_ops.CudnnRNNV3` with the operation's own names."""
    mode, lengths = given["rnn_mode"], given["sequence_lengths"][:, tf.newaxis]
    assert given["is_training"] and not given["time_major"] and lengths.dtype == tf.int32
    x, h, c = tf.transpose(given["input"], (1, 0, 2)), given["input_h"], given["input_c"]
    assert x.dtype != tf.bfloat16 and h.shape[1] == 1
    steps, units, gates = x.shape[0], h.shape[2], {"lstm": 4, "gru": 3}.get(mode, 1)
    state, kept = (h[:, 0], c[:, 0] if mode == "lstm" else h[:, 0]), []
    tf.debugging.assert_positive(lengths)
    tf.debugging.assert_less(lengths, steps + 1)
    x = with_worthless_gradients_in_padding(x, lengths)
    matrices, biases = matrices_and_biases(given["params"], mode, x.shape[2], units)
    w, r = tf.concat(matrices[:gates], axis=0), tf.concat(matrices[gates:], axis=0)
    b_w, b_r = tf.concat(biases[:gates], axis=0), tf.concat(biases[gates:], axis=0)
    projected = tf.unstack(tf.tensordot(x, w, [[2], [1]]) + b_w)
    for time in range(steps):
        products = tf.split(projected[time], gates, axis=-1), tf.split(state[0] @ tf.transpose(r) + b_r, gates, -1)
        new = emulated_step(mode, *products, *state)
        state = tuple(tf.where(time < lengths, one, old) for one, old in zip(new, state, strict=True))
        kept.append(tf.where(time < lengths, state[0], tf.zeros_like(state[0])))
    h, c = (one[:, tf.newaxis] for one in state)
    reserved = tf.zeros((1,), x.dtype)
    if not tf.is_symbolic_tensor(reserved):
        handed_out.append(reserved)
    c = c if mode == "lstm" else tf.zeros((), x.dtype)
    return tf.stack(kept, axis=1), h, c, reserved, tf.zeros((1,), tf.int8)


def with_worthless_gradients_in_padding(x, lengths):
    """The same, with a gradient of NaN at steps that are not taken: nothing says what cuDNN leaves there."""
    taken = tf.range(x.shape[0])[:, tf.newaxis, tf.newaxis] < lengths

    @tf.custom_gradient
    def poisoned(x):
        return tf.identity(x), lambda gradient: tf.where(taken, gradient, tf.constant(np.nan, gradient.dtype))

    return poisoned(x)
