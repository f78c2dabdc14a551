"""A cell over many steps, forward and backward, with everything outside the loops that does not depend on the carry.

    forward     a = x W_x + b_x                      one product for all steps
                s_t = g(a_t, h_{t-1} W_h, s_{t-1})   the loop
    backward    the derivatives of g                 element-wise, for all steps at once
                ds_{t-1}, da_t, dr_t from ds_t       the loop: element-wise, and one product with the transposed W_h
                dx, dW_x, dW_h, db from all da, dr   one product each

Both functions are plain TensorFlow without a variable in them: they run eagerly, in a graph, and compiled by XLA.
"""

from typing import NamedTuple

import tensorflow as tf

from rnn_layers.portable import compiling


class Weights(NamedTuple):
    """What a cell's products need: W_x and b_x, W_h and b_h; a bias may be None."""

    inputs: tuple
    state: tuple

    def tensors(self):
        """All that are there, in order."""
        return [weight for pair in self for weight in pair if weight is not None]

    def with_tensors(self, tensors):
        """The same structure holding other tensors, given in the order of `tensors()`."""
        rest = iter(tensors)
        return Weights(*(tuple(None if weight is None else next(rest) for weight in pair) for pair in self))


class Dropout(NamedTuple):
    """The masks that a cell drew for one pass, each a list; empty without dropout."""

    inputs: list
    state: list


class Steps(NamedTuple):
    """Which steps are taken, and how.

    Args:
        mask: None, or (steps, batch, 1), true where a row takes the step and false where it keeps its states.
        bounds: None for all steps, or the first step and the one after the last that any row takes, two scalars.
        go_backwards: Whether the last step comes first.
        unroll: Whether a graph holds every step instead of a loop.
    """

    mask: tf.Tensor | None = None
    bounds: tuple | None = None
    go_backwards: bool = False
    unroll: bool = False


def forward(cell, inputs, states, weights, dropout, steps, save, differentiable=True):
    """Runs a cell forward.

    Args:
        cell: A cell whose `is_hoistable` holds.
        inputs: (steps, batch, features).
        states: The states before the first step taken, each (batch, units).
        weights: The cell's `Weights`.
        dropout: The cell's `Dropout`.
        steps: Which steps are taken.
        save: Whether to keep what `backward` needs.
        differentiable: As for `loop`.

    Returns:
        The final states; the states after every step, each (steps, batch, units), or without `save` only the first of
        them; what was kept, each (steps, batch, ...). At steps outside the bounds these hold zeros.
    """
    projected = cell.project_inputs(inputs, weights.inputs, dropout.inputs)

    def advance(states, slices):
        projected_inputs, mask = slices
        projected_state = cell.project_state(states[0], weights.state, dropout.state)
        if save:
            new_states, saved = cell.save(projected_inputs, projected_state, states)
        else:
            new_states, saved = cell.combine(projected_inputs, projected_state, states), []
        if mask is not None:
            new_states = [tf.where(mask, new, old) for new, old in zip(new_states, states, strict=True)]
        return new_states, [*new_states, *saved] if save else new_states[:1]

    sizes = [1] * len(states) + list(cell.saved_sizes) if save else [1]
    widths = [size * cell.units for size in sizes]
    slices, how = [projected, steps.mask], (steps, steps.go_backwards, differentiable)
    states, kept = loop(advance, states, slices, widths, *how, as_lists=not differentiable and not save)
    return states, kept[: len(states)], kept[len(states) :]


def backward(cell, inputs, first, history, saved, weights, dropout, steps, output_gradients, state_gradients):
    """Runs the gradient backward.

    Args:
        cell: As given to `forward`, and so are inputs, weights, dropout and steps.
        inputs: (steps, batch, features).
        first: The states before the first step taken.
        history: The states after every step, as `forward` returned them.
        saved: What `forward` kept.
        weights: The cell's `Weights`.
        dropout: The cell's `Dropout`.
        steps: Which steps were taken.
        output_gradients: Those of the first state after every step, (steps, batch, units), or None for zeros.
        state_gradients: Those of the final states, each (batch, units).

    Returns:
        The gradients of the inputs; of the weights, in the structure of `Weights`; of the states before the first step.
    """
    before = [_before(start, after, steps) for start, after in zip(first, history, strict=True)]
    factors = cell.linearize(saved, before, history)

    def retreat(gradients, slices):
        output_gradient, mask, *step_factors = slices
        if output_gradient is not None:
            gradients = [gradients[0] + output_gradient, *gradients[1:]]
        taken = gradients if mask is None else [tf.where(mask, one, tf.zeros_like(one)) for one in gradients]
        by_inputs, by_state, earlier = cell.pull_back(step_factors, taken)
        with tf.GradientTape() as tape:
            # The projection is linear: where its derivative is taken does not matter.
            hidden = tf.zeros_like(gradients[0])
            tape.watch(hidden)
            projection = cell.project_state(hidden, weights.state, dropout.state)
        through_product = tape.gradient(projection, hidden, output_gradients=by_state)
        earlier = [_sum(earlier[0], through_product), *earlier[1:]]
        earlier = [tf.zeros_like(hidden) if one is None else one for one in earlier]
        if mask is not None:
            earlier = [tf.where(mask, one, old) for one, old in zip(earlier, gradients, strict=True)]
        # Kept, although they follow from the states' gradients: the product has just needed them, so they are at hand.
        return earlier, [by_inputs] if cell.adds_projections else [by_inputs, by_state]

    slices = [output_gradients, steps.mask, *factors]
    widths = [cell.gates * cell.units] * (1 if cell.adds_projections else 2)
    how = steps, not steps.go_backwards, False
    first_gradients, kept = loop(retreat, state_gradients, slices, widths, *how)

    if steps.mask is not None or steps.bounds is not None:
        # Where no step was taken the derivatives may be anything, infinite ones included.
        taken = _taken(steps, tf.shape(inputs)[0])
        kept = [tf.where(taken, gradient, tf.zeros_like(gradient)) for gradient in kept]
    by_inputs, by_state = kept[0], kept[-1]
    with tf.GradientTape() as tape:
        # Inside a tf.cond a tape does not find what the branch captured: it is given copies.
        inputs, *tensors = sources = [tf.identity(tensor) for tensor in (inputs, *weights.tensors())]
        weights = weights.with_tensors(tensors)
        tape.watch(sources)
        from_inputs = cell.project_inputs(inputs, weights.inputs, dropout.inputs)
        from_state = cell.project_state(before[0], weights.state, dropout.state)
    by_input, *by_weights = tape.gradient([from_inputs, from_state], sources, [by_inputs, by_state])
    return by_input, weights.with_tensors(by_weights), first_gradients


def loop(step, carry, inputs, widths, steps, descending, differentiable=True, as_lists=False):
    """The loop over time.

    Args:
        step: (carry, slices of the inputs) -> (carry, list of tensors to keep).
        carry: List of tensors (batch, units).
        inputs: List of tensors (steps, ...), or None, of which a step gets the slices (or None).
        widths: The sizes of the last axes of what a step keeps.
        steps: The `Steps`.
        descending: Whether the last step comes first.
        differentiable: Whether TensorFlow can differentiate the loop any number of times, under XLA too, for which it
            counts its steps once more.
        as_lists: Whether a loop that need not be differentiable twice takes the inputs apart beforehand: a step then
            begins with one operation for each of them instead of four.

    Returns:
        The last carry; what was kept, each (steps, batch, width).
    """
    known = next(tensor for tensor in inputs if tensor is not None)
    length = known.shape[0]
    shapes = [(carry[0].shape[0], width) for width in widths]

    def slices_at(time):
        # With bounds not tensor[time]: XLA would take them for constants, and compile anew for each of their values.
        cut = (lambda tensor: tensor[time]) if steps.bounds is None else (lambda tensor: tf.gather(tensor, time))
        return [None if tensor is None else cut(tensor) for tensor in inputs]

    if length is not None and (steps.unroll or tf.executing_eagerly()):
        kept = []
        for time in reversed(range(length)) if descending else range(length):
            carry, new = step(carry, slices_at(time))
            kept.append(new)
        if descending:
            kept.reverse()
        return carry, [tf.stack(each) for each in zip(*kept, strict=True)]

    count = tf.shape(known)[0] if length is None else length
    at = slices_at
    if as_lists and not compiling():
        lists = [tensor if tensor is None else tf.TensorArray(tensor.dtype, count).unstack(tensor) for tensor in inputs]

        def at(time):
            return [None if each is None else each.read(time) for each in lists]

    start, stop = (0, count) if steps.bounds is None else steps.bounds
    arrays = [tf.TensorArray(carry[0].dtype, size=count, element_shape=shape) for shape in shapes]

    def body(time, carry, arrays):
        new_carry, kept = step(carry, at(time))
        # The loop's variables keep their static shapes, though a step may know its batch size less well.
        for new, old in zip(new_carry, carry, strict=True):
            new.set_shape(old.shape)
        arrays = [array.write(time, value) for array, value in zip(arrays, kept, strict=True)]
        return time + (-1 if descending else 1), new_carry, arrays

    _, carry, arrays = tf.while_loop(
        lambda time, *_: time >= start if descending else time < stop,
        body,
        (tf.constant(0) + (stop - 1 if descending else start), list(carry), arrays),
        # XLA sizes what it keeps by this, so a known length must be given as a number.
        maximum_iterations=count if differentiable or compiling() else None,
    )
    batch = tf.shape(carry[0])[0]
    return carry, [stack(array, length, shape, [batch, shape[1]]) for array, shape in zip(arrays, shapes, strict=True)]


def stack(array, length, shape, sizes):
    """`array.stack()`, also for an array without any element; an element that was not written is zeros.

    Args:
        array: A `tf.TensorArray`.
        length: Its static length, or None.
        shape: The static shape of an element; sizes may be None.
        sizes: The same with tensors for what is not known.

    Returns:
        A tensor (length, *shape).
    """
    if length is not None and None not in shape:
        return array.stack()
    # TensorArray.stack() of no element at all fails when the batch size is unknown to the graph: give its value.
    stacked = tf.raw_ops.TensorListStack(
        input_handle=array.flow,
        element_shape=tf.stack(sizes),
        element_dtype=array.dtype,
        num_elements=-1 if length is None else length,
    )
    stacked.set_shape((length, *shape))
    return stacked


def _before(first, after, steps):
    """The state before each step: the one after the step taken before it."""
    if steps.go_backwards:
        before = tf.concat([after, first[tf.newaxis]], axis=0)[1:]
    else:
        before = tf.concat([first[tf.newaxis], after], axis=0)[:-1]
    if steps.bounds is None:
        return before
    time = tf.range(tf.shape(after)[0])[:, tf.newaxis, tf.newaxis]
    start, stop = steps.bounds
    is_first = time >= stop - 1 if steps.go_backwards else time <= start
    return tf.where(is_first, first, before)


def _taken(steps, count):
    if steps.bounds is None:
        return steps.mask
    time = tf.range(count)[:, tf.newaxis, tf.newaxis]
    within = (time >= steps.bounds[0]) & (time < steps.bounds[1])
    return within if steps.mask is None else within & steps.mask


def _sum(one, other):
    return other if one is None else one if other is None else one + other
