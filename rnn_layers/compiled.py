"""A cell run over time on a CPU in pieces that XLA compiles.

A plain loop pays for every operation of every step, and XLA alone runs most of a loop on one core. So the sequences are
cut twice. In time: a piece of twenty to forty steps, whose values stay in the cache, is one XLA program; a loop of
TensorFlow's goes from piece to piece, so that pieces without a valid step are skipped and, where the length is unknown
to the graph, no length compiles anything new. In rows: each core takes its share of the batch, unless the weights are
so large that all cores had better work on one product.
"""

import json
import weakref
from typing import NamedTuple

import tensorflow as tf

from rnn_layers import hoisted, processor
from rnn_layers.differentiation import with_own_gradient

STEPS = 40
# Where the length is unknown to the graph, a sequence is padded to whole pieces: shorter ones waste less on a sentence,
# and pay where a batch has rows enough for the products.
STEPS_OF_UNKNOWN_LENGTH, LEAST_STEPS = 20, 8
# A piece of few rows has more steps, for what it costs to call a program would be most of its time.
LEAST_POSITIONS = 1280
LEAST_ROWS = 16
# Pieces whose gates take more than this are cut in two: what a piece needs for its gradient is not to grow too large.
MOST_PIECE_BYTES = 12 * 1024 * 1024
# With more bytes of W_h than this, loops side by side push each other's weights out of the cache. Measured on a Xeon,
# which has AMX, and on an EPYC, which has not.
MOST_SHARED_BYTES, MOST_SHARED_BYTES_WITHOUT_AMX = 1536 * 1024, 8 * 1024 * 1024

_programs: dict = {}


class Programs(NamedTuple):
    """The compiled functions of a cell; see `_make_programs`."""

    forward: tf.types.experimental.PolymorphicFunction
    backward: tf.types.experimental.PolymorphicFunction


def run(cell, sequences, states, weights, dropout, steps, keep_outputs, training, directions):
    """Runs a cell over sequences.

    Args:
        cell: A cell whose `is_hoistable` holds.
        sequences: (batch, steps, features).
        states: The first states, each (batch, units).
        weights: The cell's `hoisted.Weights`.
        dropout: The cell's `hoisted.Dropout`.
        steps: `hoisted.Steps` with a mask of (batch, steps, 1) or None, and the direction.
        keep_outputs: Whether the outputs of all steps are returned.
        training: Whether a gradient will be asked for. Without it a gradient is right too, but runs forward again.
        directions: How many runs share the cores.

    Returns:
        The outputs in the order of time, (batch, steps, units), of which those at masked steps mean nothing, or None;
        the list of final states.
    """
    shares = _shares(weights, sequences.shape[0], directions)
    if len(shares) == 1:
        return _run_rows(cell, sequences, states, weights, dropout, steps, keep_outputs, training)

    def cut(tensor):
        # Not tensor[start:stop]: the gradient of that op takes longer than a loop's worth of products.
        return tf.split(tensor, shares)

    cut_mask = [None] * len(shares) if steps.mask is None else cut(steps.mask)
    cut_dropout = [[cut(mask) for mask in masks] for masks in dropout]
    cut_states = [cut(state) for state in states]
    results = []
    for share, rows in enumerate(cut(sequences)):
        here = [cut_state[share] for cut_state in cut_states]
        dropout_here = hoisted.Dropout(*([mask[share] for mask in masks] for masks in cut_dropout))
        steps_here = steps._replace(mask=cut_mask[share])
        results.append(_run_rows(cell, rows, here, weights, dropout_here, steps_here, keep_outputs, training))
    outputs = tf.concat([outputs for outputs, _ in results], axis=0) if keep_outputs else None
    return outputs, [tf.concat(parts, axis=0) for parts in zip(*(states for _, states in results), strict=True)]


def _shares(weights, batch, directions):
    """The number of rows of each share, by a rule that looks at the sizes and the processor only."""
    sets = processor.instruction_sets()
    most_bytes = MOST_SHARED_BYTES_WITHOUT_AMX if sets and "amx_tile" not in sets else MOST_SHARED_BYTES
    weight_bytes = sum(
        tensor.shape.num_elements() * tensor.dtype.size for tensor in weights.state if tensor is not None
    )
    if batch is None or weight_bytes > most_bytes:
        return [batch]
    count = max(1, min(processor.cores() // directions, batch // LEAST_ROWS))
    edges = [batch * share // count for share in range(count + 1)]
    return [stop - start for start, stop in zip(edges[:-1], edges[1:], strict=True)]


def _run_rows(cell, sequences, states, weights, dropout, steps, keep_outputs, training):
    programs = _programs_of(cell)
    length = sequences.shape[1]
    step_bytes = (sequences.shape[0] or 1) * cell.gates * cell.units * sequences.dtype.size
    steps_wanted = STEPS if STEPS * step_bytes <= MOST_PIECE_BYTES else STEPS // 2
    if length is None:
        enough = LEAST_POSITIONS // (sequences.shape[0] or LEAST_ROWS)
        size = min(STEPS_OF_UNKNOWN_LENGTH, steps_wanted, max(enough, LEAST_STEPS))
        count = -(-tf.shape(sequences)[1] // size)
        padding = count * size - tf.shape(sequences)[1]
    else:
        # Pieces of one size, of which the last is short by fewer steps than there are pieces.
        rows = sequences.shape[0] or LEAST_POSITIONS
        count = max(1, round(length / max(steps_wanted, LEAST_POSITIONS // rows)))
        size = -(-length // count)
        padding = count * size - length
    batch, padded_length = sequences.shape[0], None if length is None else count * size
    is_padded = length is None or padding > 0
    bounds = _bounds(steps.mask, tf.shape(sequences)[1]) if is_padded or steps.mask is not None else None

    def with_padding(tensor):
        """A tensor (batch, steps, ...) with as many steps as the pieces have."""
        return tensor if tensor is None or not is_padded else tf.pad(tensor, ((0, 0), (0, padding), (0, 0)))

    def without_padding(tensor):
        if not is_padded:
            return tensor
        rest = tf.slice(tensor, (0, 0, 0), (-1, tf.shape(tensor)[1] - padding, -1))
        rest.set_shape((batch, length, tensor.shape[2]))
        return rest

    mask = with_padding(steps.mask)
    first_piece, last_piece = (0, count) if bounds is None else (bounds[0] // size, -(-bounds[1] // size))
    width = len(states)

    def piece_of(tensor, piece):
        """The steps of a piece, (batch, size, ...)."""
        if tensor is None:
            return None
        cut = tf.slice(tensor, (0, piece * size, 0), (-1, size, -1))
        cut.set_shape((batch, size, tensor.shape[2]))
        return cut

    def steps_of(piece):
        """What of the piece is to be run: mask and bounds as its own."""
        within = None
        if bounds is not None:
            within = tuple(tf.clip_by_value(bound - piece * size, 0, size) for bound in bounds)
        return steps._replace(mask=piece_of(mask, piece), bounds=within)

    def over_pieces(body, carry, arrays, descending):
        """The loop over the pieces; `body` takes the piece, the carry and the arrays and gives the latter two."""

        def next_piece(taken, carry, arrays):
            piece = last_piece - 1 - taken if descending else first_piece + taken
            new_carry, arrays = body(piece, carry, arrays)
            # A program traced for batches of any size does not know its batch.
            for new, old in zip(tf.nest.flatten(new_carry), tf.nest.flatten(carry), strict=True):
                new.set_shape(old.shape)
            return taken + 1, new_carry, arrays

        _, carry, arrays = tf.while_loop(
            lambda taken, *_: taken < last_piece - first_piece,
            next_piece,
            (tf.constant(0), carry, arrays),
            maximum_iterations=count,
        )
        return carry, arrays

    def arrays_of(*widths):
        """An array for what each piece gives, (size, batch, width)."""
        return [tf.TensorArray(sequences.dtype, size=count, element_shape=(size, batch, width)) for width in widths]

    def join(array, features):
        """The pieces (size, batch, features) put together, (batch, steps, features)."""
        rows = tf.shape(sequences)[0]
        pieces = hoisted.stack(array, length and count, (size, batch, features), (size, rows, features))
        # Not -1 for the steps, which no one can tell where there are no rows.
        whole = tf.reshape(pieces, (tf.shape(pieces)[0] * size, rows, features))
        whole = tf.transpose(whole, (1, 0, 2))
        whole.set_shape((batch, padded_length, features))
        return without_padding(whole)

    def run_forward(sequences, states, weights, save):
        def body(piece, states, arrays):
            inputs = piece_of(sequences, piece)
            keep = save or cell.saves_in_inference
            final, history, saved = programs.forward(inputs, states, weights, dropout, steps_of(piece), keep)
            kept = [*history, *saved] if save else history[: len(arrays)]
            return final, [array.write(piece, value) for array, value in zip(arrays, kept, strict=True)]

        sizes = [1] * width + list(cell.saved_sizes) if save else [1] * keep_outputs
        return over_pieces(body, states, arrays_of(*(units * cell.units for units in sizes)), steps.go_backwards)

    def plainly(inputs, constants):
        (sequences, states, weights), (mask, dropout) = inputs, constants
        here = steps._replace(mask=_time_major(mask))
        states, history, _ = hoisted.forward(cell, _time_major(sequences), states, weights, dropout, here, save=False)
        return [*map(_time_major, history[: int(keep_outputs)]), *states]

    def forward(inputs, constants):
        sequences, states, weights = inputs
        final, kept = run_forward(with_padding(sequences), states, weights, save=training)
        outputs = [join(kept[0], cell.units)] if keep_outputs else []
        return [*outputs, *final], [array.flow for array in kept] if training else []

    def backward(inputs, constants, flows, upstream):
        sequences, states, weights = inputs
        sequences = with_padding(sequences)
        output_gradients = with_padding(upstream[0]) if keep_outputs else None
        if training:
            saved = [tf.TensorArray(sequences.dtype, flow=flow) for flow in flows]
        else:
            _, saved = run_forward(sequences, states, weights, save=True)

        def body(piece, carry, arrays):
            gradients, sums = carry
            values = [array.read(piece) for array in saved]
            by_inputs, gradients, sums = programs.backward(
                piece_of(sequences, piece),
                (states_before(piece), values[:width], values[width:]),
                weights,
                dropout,
                steps_of(piece),
                piece_of(output_gradients, piece),
                gradients,
                sums,
            )
            return (gradients, sums), [arrays[0].write(piece, by_inputs)]

        def states_before(piece):
            """Those that the piece taken before left, or the first ones."""
            begins = piece == (last_piece - 1 if steps.go_backwards else first_piece)
            earlier = tf.where(begins, piece, piece + 1 if steps.go_backwards else piece - 1)
            left = [array.read(earlier)[0 if steps.go_backwards else -1] for array in saved[:width]]
            return [tf.where(begins, first, state) for first, state in zip(states, left, strict=True)]

        # Sums over the pieces are kept in float32 where the products have less precision.
        tensors = weights.tensors()
        sums = [tf.zeros_like(one, dtype=tf.float32 if one.dtype.size < 4 else one.dtype) for one in tensors]
        carry = (upstream[-width:], sums)
        (gradients, sums), arrays = over_pieces(body, carry, arrays_of(sequences.shape[-1]), not steps.go_backwards)
        sums = [tf.cast(total, one.dtype) for total, one in zip(sums, tensors, strict=True)]
        return join(arrays[0], sequences.shape[-1]), gradients, weights.with_tensors(sums)

    inputs, constants = (sequences, list(states), weights), (steps.mask, dropout)
    results = with_own_gradient(forward, backward, plainly, inputs, constants)
    return (results[0], results[1:]) if keep_outputs else (None, results)


def _programs_of(cell):
    """The programs of all cells with the same equations: the two directions of a layer are compiled once."""
    settings = {
        name: value
        for name, value in cell.get_config().items()
        if name not in ("name", "seed", "trainable") and not name.endswith(("initializer", "regularizer", "constraint"))
    }
    key = type(cell), json.dumps(settings, sort_keys=True, default=str)
    known = _programs.get(key)
    if known is None or known[0]() is None:
        known = _programs[key] = weakref.ref(cell), _make_programs(weakref.ref(cell))
    return known[1]


def _make_programs(cell):
    """Makes the compiled functions, which ask for the cell only while they are traced.

    Args:
        cell: A weak reference to a cell.

    Returns:
        The `Programs`.
    """

    @tf.function(jit_compile=True, autograph=False)
    def forward(inputs, states, weights, dropout, steps, save):
        inputs, steps = _time_major(inputs), steps._replace(mask=_time_major(steps.mask))
        return hoisted.forward(cell(), inputs, states, weights, dropout, steps, save)

    @tf.function(jit_compile=True, autograph=False)
    def backward(inputs, kept, weights, dropout, steps, output_gradients, gradients, sums):
        inputs, steps = _time_major(inputs), steps._replace(mask=_time_major(steps.mask))
        by_inputs, by_weights, gradients = hoisted.backward(
            cell(), inputs, *kept, weights, dropout, steps, _time_major(output_gradients), gradients
        )
        added = [total + tf.cast(new, total.dtype) for total, new in zip(sums, by_weights.tensors(), strict=True)]
        return by_inputs, gradients, added

    return Programs(forward, backward)


def _bounds(mask, length):
    """The first step that any row takes and the one after the last, (0, 0) without any."""
    if mask is None:
        return tf.constant(0), length
    any_row = tf.reduce_any(mask, axis=(0, 2))
    taken = tf.where(any_row)[:, 0]
    steps = tf.cast(tf.concat([taken, [0]], axis=0), tf.int32)
    return steps[0], tf.reduce_max(tf.where(any_row, tf.range(1, length + 1), 0))


def _time_major(tensor):
    return None if tensor is None else tf.transpose(tensor, (1, 0, 2))
