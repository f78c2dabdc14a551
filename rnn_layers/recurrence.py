"""How a cell is run over time: which of the ways it takes, and what its outputs are where a step is masked."""

import tensorflow as tf

from rnn_layers import compiled, hoisted, processor
from rnn_layers.differentiation import with_own_gradient
from rnn_layers.hoisted import Dropout, Steps, Weights
from rnn_layers.portable import compiling, exporting
from rnn_layers.watching import is_watching, run_watched

# Below this, compiling takes longer than it saves in a program's life.
LEAST_UNITS_TO_COMPILE = 24
# XLA multiplies bfloat16 no faster than float32. Where oneDNN does, that makes up for a plain loop: always in training,
# and in inference from so many units on.
LEAST_UNITS_TO_ANSWER_BY_ONEDNN = 512
# With few rows a loop itself takes as long as the work of its steps: inference does without one for so many at most.
MOST_STEPS_WITHOUT_LOOP = 32


def run_over_time(
    cell,
    sequences,
    initial_states,
    mask=None,
    training=False,
    go_backwards=False,
    zero_output_for_mask=False,
    return_sequences=True,
    unroll=False,
    jit_compile="auto",
    directions=1,
):
    """Runs a cell over sequences.

    Args:
        cell: A built `rnn_layers.cell.RecurrentCell`.
        sequences: (batch, steps, features) in the cell's compute dtype; any of the sizes may be unknown or 0.
        initial_states: List of tensors (batch, units) in the cell's compute dtype.
        mask: None, or (batch, steps) or (batch, steps, 1): where it is false a row keeps its states.
        training: Whether dropout is active, and a gradient will be asked for. (It may be asked for anyway.)
        go_backwards: Whether the steps are taken from the last to the first.
        zero_output_for_mask: Whether a masked step's output is 0; otherwise it repeats the output before it.
        return_sequences: Whether the outputs of all steps are returned.
        unroll: Whether a graph holds every step instead of a loop; needs a known number of steps.
        jit_compile: "auto", True or False: whether pieces of the sequence are compiled by XLA.
        directions: How many runs like this one share the cores.

    Returns:
        The last output, (batch, units); all outputs in the order of time, (batch, steps, units), or None; the list of
        final states. Without a step, or with all of a row's steps masked, the last output is 0 and the states are the
        initial ones.
    """
    if mask is not None:
        mask = tf.cast(mask, tf.bool)
        mask = mask if len(mask.shape) == 3 else mask[:, :, tf.newaxis]
    is_empty = sequences.shape[1] == 0
    if is_empty:
        # One masked step in place of none: it changes nothing, and gradients are zeros instead of missing.
        sequences = tf.pad(sequences, ((0, 0), (0, 1), (0, 0)))
        mask = tf.zeros((tf.shape(sequences)[0], 1, 1), dtype=tf.bool)
    dropout = Dropout([], [])
    if training:
        dropout = Dropout(*cell.draw_dropout_masks(tf.shape(sequences)[0], sequences.shape[2]))
    weights = Weights(cell.input_weights(), cell.recurrent_weights())
    # A single step, as of a model that reads a stream, needs no loop.
    steps = Steps(mask, None, go_backwards, unroll or sequences.shape[1] == 1)

    if is_watching():
        outputs, states = run_watched(cell, sequences, initial_states, mask, weights, go_backwards)
    elif not cell.is_hoistable:
        outputs, states = _step_by_step(cell, sequences, initial_states, weights, dropout, steps)
    elif _compiles(cell, sequences, steps, training, jit_compile, directions):
        outputs, states = compiled.run(
            cell, sequences, initial_states, weights, dropout, steps, return_sequences, training, directions
        )
    else:
        outputs, states = _hoisted(cell, sequences, initial_states, weights, dropout, steps, return_sequences, training)

    last_output = states[0]
    if mask is not None:
        last_mask = mask[:, 0 if go_backwards else -1] if zero_output_for_mask else tf.reduce_any(mask, axis=1)
        last_output = tf.where(last_mask, last_output, tf.zeros_like(last_output))
    elif sequences.shape[1] is None:
        last_output = tf.where(tf.shape(sequences)[1] > 0, last_output, tf.zeros_like(last_output))
    if not return_sequences:
        return last_output, None, states
    if mask is not None:
        outputs = _fill_masked(outputs, mask, last_output, go_backwards, zero_output_for_mask)
    if is_empty:
        outputs = outputs[:, :0]
    return last_output, outputs, states


def _compiles(cell, sequences, steps, training, jit_compile, directions):
    """Whether XLA compiles pieces: by a rule that looks at the sizes, the processor and what the graph is for."""
    if not jit_compile or tf.executing_eagerly() or compiling() or exporting():
        return False
    if jit_compile is True:
        return True
    in_bfloat16 = cell.compute_dtype == "bfloat16" and processor.multiplies_bfloat16()
    if in_bfloat16 and (training or cell.units >= LEAST_UNITS_TO_ANSWER_BY_ONEDNN):
        return False
    if directions > 1 and cell.gates == 1 and steps.mask is None and (sequences.shape[0] or 0) >= compiled.LEAST_ROWS:
        # TensorFlow runs the two loops side by side, and there is little besides the products for XLA to gain.
        return False
    return (
        not steps.unroll
        and cell.units >= LEAST_UNITS_TO_COMPILE
        # A graph that takes batches of any size may see many, and compile for each; in training there are one or two.
        and (training or sequences.shape[0] is not None)
        and not tf.config.list_logical_devices("GPU")
    )


def _hoisted(cell, sequences, states, weights, dropout, steps, keep_outputs, training):
    """All steps in one loop of TensorFlow's, or without one, with the gradient of `rnn_layers.hoisted`."""
    width = len(states)
    save = training or (compiling() and cell.saves_in_inference)
    if steps.mask is not None:
        steps = steps._replace(mask=tf.transpose(steps.mask, (1, 0, 2)))
    length = sequences.shape[1]
    if length is not None and length <= MOST_STEPS_WITHOUT_LOOP and not (training or compiling()):
        steps = steps._replace(unroll=True)

    def plainly(inputs, constants):
        mask, dropout = constants
        steps_here = steps._replace(mask=mask)
        states, history, _ = hoisted.forward(
            cell, *inputs, dropout, steps_here, save=False, differentiable=not exporting()
        )
        return [*history[: int(keep_outputs)], *states]

    def forward(inputs, constants):
        mask, dropout = constants
        steps_here = steps._replace(mask=mask)
        states, history, saved = hoisted.forward(cell, *inputs, dropout, steps_here, save, differentiable=False)
        return [*history[: int(keep_outputs)], *states], (history, saved)

    def backward(inputs, constants, kept, upstream):
        mask, dropout = constants
        steps_here, (sequences, first, weights) = steps._replace(mask=mask), inputs
        if not save:
            _, *kept = hoisted.forward(cell, *inputs, dropout, steps_here, save=True)
        output_gradients = upstream[0] if keep_outputs else None
        by_inputs, by_weights, by_states = hoisted.backward(
            cell, sequences, first, *kept, weights, dropout, steps_here, output_gradients, upstream[-width:]
        )
        return by_inputs, by_states, by_weights

    inputs, constants = (tf.transpose(sequences, (1, 0, 2)), list(states), weights), (steps.mask, dropout)
    # What is exported is not trained, and has TensorFlow's own gradient if it should be.
    if exporting():
        results = plainly(inputs, constants)
    else:
        results = with_own_gradient(forward, backward, plainly, inputs, constants)
    if not keep_outputs:
        return None, results
    return tf.transpose(results[0], (1, 0, 2)), results[1:]


def _step_by_step(cell, sequences, states, weights, dropout, steps):
    """For cells that are no products followed by `combine`: TensorFlow differentiates every step."""
    projected = cell.project_inputs(tf.transpose(sequences, (1, 0, 2)), weights.inputs, dropout.inputs)
    mask = None if steps.mask is None else tf.transpose(steps.mask, (1, 0, 2))

    def advance(states, slices):
        projected_inputs, mask = slices
        new_states = cell.step(projected_inputs, states, weights.state, dropout.state)
        if mask is not None:
            new_states = [tf.where(mask, new, old) for new, old in zip(new_states, states, strict=True)]
        return new_states, new_states[:1]

    states, (outputs,) = hoisted.loop(advance, list(states), [projected, mask], [cell.units], steps, steps.go_backwards)
    return tf.transpose(outputs, (1, 0, 2)), states


def _fill_masked(outputs, mask, last_output, go_backwards, with_zeros):
    """What Keras gives at masked steps: 0, or the output before; 0 before a row's first step."""
    zeros = tf.zeros_like(outputs)
    if with_zeros:
        return tf.where(mask, outputs, zeros)
    counted = tf.cast(mask, tf.int32)
    seen = tf.cumsum(counted, axis=1, reverse=go_backwards) > 0
    to_come = tf.cumsum(counted, axis=1, reverse=not go_backwards) > 0
    return tf.where(seen, tf.where(to_come, outputs, last_output[:, tf.newaxis]), zeros)
