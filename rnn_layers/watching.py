"""Looking into recurrent layers: their states and gates at every step, as tensors that gradients can be taken at."""

import contextlib
import contextvars
from typing import NamedTuple

import tensorflow as tf

_watched = contextvars.ContextVar("rnn_layers_watched", default=None)


class Watched(NamedTuple):
    """What one call of a recurrent layer passed through.

    Args:
        go_backwards: Whether the steps were taken from the last to the first.
        states: Of each step, in the order of time, the states after it, each (batch, units); the first is h_t. A
            gradient at one of them is the whole one, what comes by way of later steps included.
        gates: A gate's name, as `RecurrentCell.gate_values` says, -> its values, (steps, batch, units).
    """

    go_backwards: bool
    states: list
    gates: dict


@contextlib.contextmanager
def watching():
    """Within it recurrent layers, called eagerly, take one step after the other, and each call is kept.

    Yields:
        The list of `Watched`, one for each call of a layer so far; a `Bidirectional` calls two, the forward one first.

    Example:
        >>> with tf.GradientTape() as tape, watching() as calls:
        ...     loss = tf.reduce_sum(GRU(4)(np.ones((1, 5, 3))))
        >>> hidden = [states[0] for states in calls[0].states]
        >>> tape.gradient(loss, hidden)  # dL/dh_1 .. dL/dh_5, each (1, 4)
    """
    calls: list[Watched] = []
    token = _watched.set(calls)
    try:
        yield calls
    finally:
        _watched.reset(token)


def is_watching():
    """Whether layers are to be run by `run_watched`.

    Returns:
        A bool.
    """
    return _watched.get() is not None and tf.executing_eagerly()


def run_watched(cell, sequences, states, mask, weights, go_backwards):
    """Runs a cell one step after the other, without dropout, and keeps what it passes through.

    Args:
        cell: A built `rnn_layers.cell.RecurrentCell`.
        sequences: (batch, steps, features), one step at least.
        states: The first states, each (batch, units).
        mask: None, or (batch, steps, 1): where it is false a row keeps its states.
        weights: The pair of what `input_weights` and `recurrent_weights` returned.
        go_backwards: Whether the steps are taken from the last to the first.

    Returns:
        The outputs in the order of time, (batch, steps, units), and the list of final states.
    """
    input_weights, recurrent_weights = weights
    projected = tf.unstack(cell.project_inputs(tf.transpose(sequences, (1, 0, 2)), input_weights))
    steps = range(len(projected))
    befores, kept = [[] for _ in steps], [[] for _ in steps]
    for step in reversed(steps) if go_backwards else steps:
        befores[step] = states
        after = cell.step(projected[step], states, recurrent_weights)
        if mask is not None:
            after = [tf.where(mask[:, step], new, old) for new, old in zip(after, states, strict=True)]
        states = kept[step] = after
    # All steps at once, as rows: gates are only looked at.
    before = [tf.concat(values, axis=0) for values in zip(*befores, strict=True)]
    gates = cell.gate_values(tf.concat(projected, axis=0), before, recurrent_weights)
    shape = (len(projected), -1, cell.units)
    gates = {name: tf.reshape(values, shape) for name, values in gates.items()}
    _watched.get().append(Watched(go_backwards, kept, gates))
    return tf.stack([after[0] for after in kept], axis=1), states
