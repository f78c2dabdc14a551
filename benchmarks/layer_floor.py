"""What a layer cannot do without: its matrix products, as large ones wherever nothing forces them to be small.

The products with W_h, forward and backward, depend on each other step by step, so they are timed as one chain, compiled
by XLA, at their own shape; where rows are padded, rows that have ended leave the chain. All other products are timed as
one product each over all valid steps. Nothing element-wise is counted, except what makes a chain of the products.
"""

from collections.abc import Callable

import numpy as np

from benchmarks.layer_problems import Problem

# In padded batches, rows leave the chain in so many groups.
GROUPS = 8
RATE_SIZE = 1024


def floor_runners(problem: Problem, training: bool) -> dict[str, dict[str, Callable[[], object]]]:
    """Makes what is timed for the floor.

    Args:
        problem: The batch and the weights.
        training: Whether the products of the gradients count too.

    Returns:
        For every product the functions that compute it, by name of the variant; the best of them counts. The last
        product, "rate", is one of 1024 x 1024 by 1024 x 1024 and no part of the floor.
    """
    import tensorflow as tf

    random = np.random.default_rng(0)

    def draw(*shape):
        return tf.constant(random.normal(size=shape), dtype=tf.float32)

    shape, directions, steps = problem.shape, problem.cell.directions, problem.valid_steps
    columns = problem.cell.gates * shape.units
    inputs, hidden, gradients = draw(steps, shape.inputs), draw(steps, shape.units), draw(steps, directions * columns)
    # Both directions read the same inputs: one product, with their kernels side by side.
    kernel = draw(shape.inputs, directions * columns)
    products = {"x W_x": (inputs, kernel, {})}
    if training:
        products["dx"] = (gradients, kernel, {"transpose_b": True})
        products["dW_x"] = (inputs, gradients, {"transpose_a": True})
        for direction in range(directions):
            part = gradients[:, direction * columns : (direction + 1) * columns]
            products[f"dW_h {direction + 1}"] = (hidden, tf.identity(part), {"transpose_a": True})
    products["rate"] = (draw(RATE_SIZE, RATE_SIZE), draw(RATE_SIZE, RATE_SIZE), {})
    runners = {"recurrent products": {"jit": _chain(problem, training)}}
    for name, (left, right, transposed) in products.items():
        runners[name] = {
            "plain": _product(left, right, transposed, False),
            "jit": _product(left, right, transposed, True),
        }
    return runners


def operations(problem: Problem, training: bool) -> int:
    """The number of floating point operations of these products, a multiplication and an addition counting as two."""
    shape = problem.shape
    once = 2 * problem.valid_steps * problem.cell.gates * shape.units * problem.cell.directions
    return once * (shape.units + shape.inputs) * (3 if training else 1)


def segments(lengths, batch: int, steps: int) -> list[tuple[int, int]]:
    """How many rows a chain needs for how many steps.

    Args:
        lengths: The rows' lengths, or None if all are full.
        batch: Number of rows.
        steps: Number of steps.

    Returns:
        Pairs (steps, rows), rows falling, at most `GROUPS` of them: the rows, longest first, fall into groups of like
        length, and a group stays as long as its longest row.
    """
    if lengths is None:
        return [(steps, batch)]
    ascending = sorted(lengths)
    pairs, done = [], 0
    for group in range(GROUPS):
        first, stop = batch * group // GROUPS, batch * (group + 1) // GROUPS
        if stop > first and ascending[stop - 1] > done:
            pairs.append((ascending[stop - 1] - done, batch - first))
            done = ascending[stop - 1]
    return pairs


def _chain(problem, training):
    import tensorflow as tf

    shape, gates = problem.shape, problem.cell.gates
    parts = segments(shape.lengths, shape.batch, shape.steps)

    def repeat(step, steps, states):
        return tf.while_loop(
            lambda taken, _: taken < steps,
            lambda taken, states: (taken + 1, [step(state, place) for place, state in enumerate(states)]),
            (tf.constant(0), states),
            maximum_iterations=steps,
        )[1]

    @tf.function(autograph=False, jit_compile=True)
    def chain(states, weights):
        def forward(state, place):
            product = tf.matmul(state, weights[place])
            return product if gates == 1 else tf.add_n(tf.split(product, gates, axis=1))

        def backward(state, place):
            return tf.matmul(tf.concat([state] * gates, axis=1), weights[place], transpose_b=True)

        ended = []
        for steps, rows in parts:
            ended.append([state[rows:] for state in states])
            states = repeat(forward, steps, [state[:rows] for state in states])
        if training:
            # A row's gradient starts where the row ended.
            for steps, _ in reversed(parts):
                states = repeat(backward, steps, states)
                states = [tf.concat(pair, axis=0) for pair in zip(states, ended.pop(), strict=True)]
        else:
            states = [tf.concat([state, *rest], axis=0) for state, *rest in zip(states, *ended, strict=True)]
        return states, tf.add_n([state[0, 0] for state in states])

    # The recurrent kernels have orthonormal rows: the states neither grow nor vanish.
    weights = [tf.constant(recurrent_kernel) for _, recurrent_kernel, _ in problem.directional_weights()]
    start = np.random.default_rng(0).normal(size=(shape.batch, shape.units))
    states = [tf.constant(start, dtype=tf.float32) for _ in weights]
    return lambda: chain(states, weights)[1].numpy()


def _product(left, right, transposed, jit_compile):
    import tensorflow as tf

    @tf.function(autograph=False, jit_compile=jit_compile or None)
    def product(left, right):
        result = tf.matmul(left, right, **transposed)
        return result, result[0, 0]

    return lambda: product(left, right)[1].numpy()
