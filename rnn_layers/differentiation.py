"""A gradient of our own for the first order, and TensorFlow's for all others, whatever asks for them.

A tape sees one operation with a gradient. Where that gradient is differentiated again (a tape around a tape, a gradient
penalty, a function that is called under either), it is by the gradient of the gradient of plain operations; and where
many gradients are computed at once (a Jacobian) or none backward (forward mode), the operations are plain themselves.
"""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

# Not exported by TensorFlow, whose own `tape.stop_recording()` stops one tape of several.
from tensorflow.python.eager import forwardprop_util, record

from rnn_layers.portable import vectorizing


def with_own_gradient(forward: Callable, backward: Callable, plainly: Callable, inputs: Any, constants: Any) -> list:
    """Computes a function that has a gradient of its own.

    Args:
        forward: (inputs, constants) -> the list of results, and tensors that `backward` needs, in any structure. It and
            `backward` may hold anything that TensorFlow cannot differentiate, such as programs compiled by XLA.
        backward: (inputs, constants, what `forward` kept, list of the results' gradients) -> the inputs' gradients, in
            the structure of the inputs.
        plainly: (inputs, constants) -> the list of results, by operations that TensorFlow can differentiate any number
            of times.
        inputs: Tensors of floats in any structure, in which there may be Nones.
        constants: Tensors that have no gradient, likewise. `plainly` must use no other tensors.

    Returns:
        The list of results.

    Example:
        >>> with_own_gradient(lambda x, _: ([x**2], []), lambda x, _, kept, by: 2 * x * by[0], lambda x, _: [x**2],
        ...     inputs=tf.constant(3.0), constants=())
        [9.0]
    """
    given = _tensors_of(inputs)
    if forwardprop_util.pack_tangents(given).tangents:
        return plainly(inputs, constants)
    count, structure = len(given), (inputs, constants)

    @tf.custom_gradient
    def differentiable(*tensors):
        # Copies, for a gradient only reaches tensors of the graph that it is the gradient of, and these may be those of
        # a graph around it.
        tensors = _copies(tensors)
        results, kept = forward(*_packed(structure, _unseen(tensors)))
        # Who asks a function for all that it computes would ask for the gradients of these tensors, too.
        kept = tf.nest.map_structure(lambda one: one if one.dtype.is_integer else tf.stop_gradient(one), kept)

        @_with_tapes
        def gradient(*upstream):
            if vectorizing():
                gradients = _plain_gradient(plainly, structure, tensors, upstream)
            else:
                gradients = first_order(*tensors, *upstream)
            return [*gradients, *[None] * (len(tensors) - count)]

        @tf.custom_gradient
        def first_order(*tensors):
            tensors = _copies(tensors)
            arguments, upstream = tensors[: -len(results)], tensors[-len(results) :]
            gradients = backward(*_packed(structure, _unseen(arguments)), kept, _unseen(upstream))

            @_with_tapes
            def second_order(*upstream_of_gradients):
                sources = _copies(tensors)
                with tf.GradientTape() as tape:
                    tape.watch(sources)
                    arguments, upstream = sources[: -len(results)], sources[-len(results) :]
                    gradients = _plain_gradient(plainly, structure, arguments, upstream)
                return _gradient(tape, gradients, sources, upstream_of_gradients)

            return _tensors_of(gradients), second_order

        return results, gradient

    return differentiable(*_tensors_of(structure))


def _with_tapes(function):
    """The function in a context in which tapes record, which they do not while forward mode differentiates a graph."""

    @functools.wraps(function)
    def with_tapes(*arguments):
        with forwardprop_util.push_forwardprop_state():
            return function(*arguments)

    return with_tapes


def _plain_gradient(plainly, structure, tensors, upstream):
    sources = _copies(tensors)
    inputs, constants = _packed(structure, sources)
    with tf.GradientTape() as tape:
        tape.watch(_tensors_of(inputs))
        results = plainly(inputs, constants)
    return _gradient(tape, results, _tensors_of(inputs), upstream)


def _gradient(tape, results, sources, upstream):
    zero = tf.UnconnectedGradients.ZERO
    return tape.gradient(results, sources, output_gradients=list(upstream), unconnected_gradients=zero)


def _unseen(tensors):
    """Copies that no tape follows: one that records what it computes would look into what cannot be differentiated."""
    with record.stop_recording():
        return [tf.identity(tensor) for tensor in tensors]


def _copies(tensors):
    """Copies that are this graph's own; a tape, too, does not find what a branch of tf.cond captured."""
    return [tf.identity(tensor) for tensor in tensors]


def _tensors_of(structure):
    return [leaf for leaf in tf.nest.flatten(structure) if leaf is not None]


def _packed(structure, tensors):
    rest = iter(tensors)
    return tf.nest.map_structure(lambda leaf: None if leaf is None else next(rest), structure)
