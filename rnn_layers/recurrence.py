"""How a cell is run over time. `run_over_time` hoists what it can, `loop` is the only loop over the steps."""

import tensorflow as tf


def run_over_time(
    cell,
    sequences,
    initial_states,
    mask=None,
    training=False,
    go_backwards=False,
    unroll=False,
    zero_output_for_mask=False,
    return_sequences=True,
):
    """Runs a cell over sequences.

    The input products x_t W_x of all steps are one product before the loop; the loop holds what depends on h_{t-1}.

    Args:
        cell: A built `rnn_layers.cell.RecurrentCell`.
        sequences: (batch, steps, features) in the cell's compute dtype; any of the sizes may be unknown or 0.
        initial_states: List of tensors (batch, units) in the cell's compute dtype.
        mask: None, or (batch, steps) or (batch, steps, 1): where it is false a row keeps its states.
        training: Whether dropout is active.
        go_backwards: Whether the steps are taken from the last to the first; outputs are in the order taken.
        unroll: Whether a graph holds every step instead of a loop; needs a known number of steps.
        zero_output_for_mask: Whether a masked step's output is 0; otherwise it repeats the output before it.
        return_sequences: Whether the outputs of all steps are kept.

    Returns:
        The last output, (batch, units); all outputs, (batch, steps, units), or None; the list of final states. Without
        a step, or with all of a row's steps masked, the last output is 0 and the states are the initial ones.
    """
    inputs = tf.transpose(sequences, (1, 0, 2))
    if mask is not None:
        mask = tf.cast(mask, tf.bool)
        mask = tf.transpose(mask if len(mask.shape) == 3 else mask[:, :, tf.newaxis], (1, 0, 2))
    if go_backwards:
        inputs = tf.reverse(inputs, (0,))
        mask = None if mask is None else tf.reverse(mask, (0,))

    empty = inputs.shape[0] == 0
    if empty:
        # One masked step in place of none: it changes nothing, and gradients are zeros instead of missing.
        inputs = tf.pad(inputs, ((0, 1), (0, 0), (0, 0)))
        mask = tf.zeros((1, tf.shape(inputs)[1], 1), dtype=tf.bool)

    input_masks, state_masks = (), ()
    if training:
        input_masks, state_masks = cell.draw_dropout_masks(tf.shape(inputs)[1], inputs.shape[2])
    projected = cell.project_inputs(inputs, input_masks)
    weights = cell.recurrent_weights()

    def advance(projected_step, mask_step, output, states):
        new_output, new_states = cell.step(projected_step, states, weights, state_masks)
        if mask_step is not None:
            kept = tf.zeros_like(output) if zero_output_for_mask else output
            new_output = tf.where(mask_step, new_output, kept)
            new_states = [tf.where(mask_step, new, old) for new, old in zip(new_states, states, strict=True)]
        return new_output, new_states

    output = tf.zeros((tf.shape(inputs)[1], cell.output_size), dtype=inputs.dtype)
    output.set_shape((inputs.shape[1], cell.output_size))
    output, outputs, states = loop(advance, projected, mask, output, list(initial_states), return_sequences, unroll)
    if outputs is not None:
        outputs = tf.transpose(outputs[:0] if empty else outputs, (1, 0, 2))
    return output, outputs, states


def loop(advance, inputs, mask, output, states, keep_outputs, unroll):
    """The loop over time.

    Args:
        advance: (input of a step, its mask or None, last output, states) -> (output, states).
        inputs: (steps, batch, ...); the number of steps may be unknown, and then 0.
        mask: None or (steps, batch, 1).
        output: The output before the first step, (batch, units).
        states: List of the states before the first step.
        keep_outputs: Whether all outputs are returned.
        unroll: Whether a graph gets one copy of the step for each step.

    Returns:
        The last output; all outputs, (steps, batch, units), or None; the list of final states.
    """
    length = inputs.shape[0]
    if unroll or tf.executing_eagerly():
        return _unrolled(advance, inputs, mask, output, states, keep_outputs)

    steps = tf.shape(inputs)[0] if length is None else length
    input_array = tf.TensorArray(inputs.dtype, size=steps).unstack(inputs)
    mask_array = None if mask is None else tf.TensorArray(tf.bool, size=steps).unstack(mask)
    output_arrays = [tf.TensorArray(output.dtype, size=steps, element_shape=output.shape)] if keep_outputs else []

    def body(time, output, states, output_arrays):
        mask_step = None if mask_array is None else mask_array.read(time)
        new_output, new_states = advance(input_array.read(time), mask_step, output, states)
        # The loop's variables keep their static shapes, though a step may know its batch size less well.
        for new, old in zip([new_output, *new_states], [output, *states], strict=True):
            new.set_shape(old.shape)
        return time + 1, new_output, new_states, [array.write(time, new_output) for array in output_arrays]

    _, output, states, output_arrays = tf.while_loop(
        lambda time, *_: time < steps,
        body,
        (tf.constant(0), output, states, output_arrays),
        # XLA sizes the values that the gradient needs by this, so a known length must be given as a number.
        maximum_iterations=steps,
    )
    return output, _stack(output_arrays[0], output, length) if keep_outputs else None, states


def _unrolled(advance, inputs, mask, output, states, keep_outputs):
    kept = []
    masks = [None] * inputs.shape[0] if mask is None else tf.unstack(mask)
    for step_input, step_mask in zip(tf.unstack(inputs), masks, strict=True):
        output, states = advance(step_input, step_mask, output, states)
        kept.append(output)
    return output, tf.stack(kept) if keep_outputs else None, states


def _stack(array, output, length):
    if length is not None and output.shape.is_fully_defined():
        return array.stack()
    # TensorArray.stack() of no element at all fails when the batch size is unknown to the graph: give its value.
    outputs = tf.raw_ops.TensorListStack(
        input_handle=array.flow, element_shape=tf.shape(output), element_dtype=output.dtype, num_elements=length or -1
    )
    outputs.set_shape((length, *output.shape))
    return outputs
