"""SimpleRNN, GRU and LSTM by NVIDIA's cuDNN: why it cannot be had, how the weights lie in its buffer, and the call.

A caller asks `why_not` about the layer and `why_not_here` about the graph being traced, has `fits` look at the batch,
and lets `rnn_layers.portable.choose` run one way or the other.

Sources: `tf.raw_ops.CudnnRNNV3` and `tf.raw_ops.CudnnRNNCanonicalToParamsV2`; NVIDIA cuDNN API, `cudnnRNNMode_t` (the
equations) and `cudnnGetRNNWeightParams` (the order of the matrices).
"""

import functools

import keras
import tensorflow as tf

from rnn_layers import hoisted
from rnn_layers.differentiation import with_own_gradient
from rnn_layers.hoisted import Dropout, Steps, Weights
from rnn_layers.portable import compiling, exporting, traced_ahead

# Exact types, for a subclass may have other equations; by name, for their modules import the layer, which imports this.
MODES = {
    "rnn_layers.simple_rnn.SimpleRNNCell": "rnn_tanh",
    "rnn_layers.gru.GRUCell": "gru",
    "rnn_layers.lstm.LSTMCell": "lstm",
}
ACTIVATIONS = {
    "tanh": (keras.activations.tanh, keras.ops.tanh, tf.tanh),
    "relu": (keras.activations.relu, keras.ops.relu, tf.nn.relu),
    "sigmoid": (keras.activations.sigmoid, keras.ops.sigmoid, tf.sigmoid),
}
# Where cuDNN's reset, update and new gate stand among our update, reset and candidate. The others agree.
GRU_ORDER = (1, 0, 2)


def why_not(layer):
    """Why cuDNN cannot run a layer as it is configured.

    Args:
        layer: A `rnn_layers.layer.RecurrentLayer`.

    Returns:
        A reason in one line, or None.

    Example:
        >>> why_not(GRU(4, reset_after=False))  # on a machine with a GPU
        'reset_after is False: in cuDNN the reset gate acts after the product'
    """
    if layer.use_cudnn is False:
        return "use_cudnn is False"
    return _gpu_problem() or _cell_problem(layer.cell) or ("unroll is True" if layer.unroll else None)


def why_not_here(training=False):
    """Why the graph being traced must not hold cuDNN's operation, which only runs on a GPU and outside of XLA.

    Args:
        training: Whether the layer is called for a training step, which is not what exports are made of.

    Returns:
        A reason in one line, or None.
    """
    if exporting():
        return "the graph is exported, and must run without a GPU"
    if compiling():
        return "the graph is compiled by XLA, which has no cuDNN recurrence: set jit_compile=False"
    if not training and traced_ahead():
        return "get_concrete_function may be tracing for an export: call the tf.function instead"
    return None


@functools.cache
def _gpu_problem():
    if not tf.config.list_logical_devices("GPU"):
        return "TensorFlow sees no GPU"
    if not tf.sysconfig.get_build_info().get("is_cuda_build"):
        return "this TensorFlow is not built for CUDA"
    return None


def _cell_problem(cell):
    mode = _mode(cell)
    if mode is None:
        return f"cuDNN has SimpleRNN, GRU and LSTM, not {type(cell).__name__}"
    is_simple = mode not in ("gru", "lstm")
    allowed = {"activation": ("tanh", "relu") if is_simple else ("tanh",), "recurrent_activation": ("sigmoid",)}
    for argument, names in allowed.items():
        function = getattr(cell, argument, None)
        if function is not None and not any(function in ACTIVATIONS[name] for name in names):
            return f"{argument} is {getattr(function, '__name__', function)}, cuDNN has {' and '.join(names)}"
    if mode == "gru" and not cell.reset_after:
        return "reset_after is False: in cuDNN the reset gate acts after the product"
    if cell.recurrent_dropout > 0:
        return "recurrent_dropout is above 0: cuDNN keeps the state to itself"
    if cell.dropout > 0 and getattr(cell, "dropout_mask_count", None):
        return "implementation is 1, with a dropout mask for each gate: cuDNN gives all gates the same inputs"
    if cell.compute_dtype not in ("float16", "bfloat16", "float32", "float64"):
        return f"the compute dtype is {cell.compute_dtype}, cuDNN has floats of 16, 32 and 64 bits"
    return None


def is_right_padded(mask):
    """Whether every row of a mask is a run of trues followed by falses; either may be missing.

    Args:
        mask: (batch, steps) or (batch, steps, 1), bool.

    Returns:
        A scalar bool tensor.
    """
    return tf.reduce_all(mask[:, :-1] | ~mask[:, 1:])


def lengths_of(mask):
    """The number of steps that each row of a right-padded mask takes.

    Args:
        mask: (batch, steps) or (batch, steps, 1), bool.

    Returns:
        (batch,), int32.
    """
    return tf.reduce_sum(tf.cast(mask if len(mask.shape) == 2 else mask[:, :, 0], tf.int32), axis=1)


def fits(sequences, mask=None):
    """Whether cuDNN can take this batch: it has a row, a step and a feature, and its mask is right-padded.

    Args:
        sequences: (batch, steps, features).
        mask: None, or (batch, steps) or (batch, steps, 1), bool.

    Returns:
        True or False, or a scalar bool tensor where only the running graph will know.
    """
    if 0 in sequences.shape:
        return False
    conditions = [] if mask is None else [is_right_padded(mask)]
    if None in sequences.shape:
        conditions.append(tf.size(sequences) > 0)
    if not conditions:
        return True
    all_hold = tf.reduce_all(tf.stack(conditions))
    return bool(all_hold) if tf.executing_eagerly() else all_hold


def run(
    cell,
    sequences,
    initial_states,
    lengths=None,
    training=False,
    go_backwards=False,
    zero_output_for_mask=False,
    return_sequences=True,
):
    """Runs a cell over sequences; the results are those of `rnn_layers.recurrence.run_over_time`.

    Args:
        cell: A built cell in a layer for which `why_not` is None.
        sequences: (batch, steps, features) in the cell's compute dtype, with a row and a step at least.
        initial_states: List of tensors (batch, units) in the cell's compute dtype.
        lengths: (batch,), int32: the steps that each row takes, from the first on and possibly 0; None for all.
        training: Whether dropout is active.
        go_backwards: Whether the steps are taken from the last to the first.
        zero_output_for_mask: Whether the output of a step not taken is 0; otherwise it repeats the output before it.
        return_sequences: Whether the outputs of all steps are returned.

    Returns:
        The last output, (batch, units); all outputs in the order of time, (batch, steps, units), or None; the list of
        final states.
    """
    if training:
        masks, _ = cell.draw_dropout_masks(tf.shape(sequences)[0], sequences.shape[2])
        sequences = sequences * masks[0][:, tf.newaxis] if masks else sequences
    width, given = len(initial_states), sequences.dtype

    def forward(inputs, lengths):
        arguments = _arguments(cell, *inputs, lengths, go_backwards)
        # The gradient needs what is only kept in training, and may be asked for at any time.
        results = tf.raw_ops.CudnnRNNV3(**arguments, rnn_mode=_mode(cell), is_training=True, time_major=False)
        outputs, *final = results[: 1 + width]
        outputs = _turn(outputs, lengths) if go_backwards else outputs
        return [tf.cast(outputs, given), *(tf.cast(state[:, 0], given) for state in final)], list(results)

    def backward(inputs, lengths, kept, upstream):
        sequences, states, weights = inputs
        sources = [sequences, *states, *weights.tensors()]
        with tf.GradientTape() as tape:
            tape.watch(sources)
            arguments = _arguments(cell, *inputs, lengths, go_backwards)
        by_outputs, *by_final = (tf.cast(one, kept[0].dtype) for one in upstream)
        by_final = [one[:, tf.newaxis] for one in by_final]
        outputs, hidden, memory, reserved, on_the_host = kept
        by_arguments = tf.raw_ops.CudnnRNNBackpropV3(
            **arguments,
            rnn_mode=_mode(cell),
            time_major=False,
            output=outputs,
            output_h=hidden,
            output_c=memory,
            output_backprop=_turn(by_outputs, lengths) if go_backwards else by_outputs,
            output_h_backprop=by_final[0],
            output_c_backprop=by_final[1] if width == 2 else tf.zeros_like(memory),
            # cuDNN writes into this buffer, and a persistent tape may ask for the gradient again.
            reserve_space=tf.raw_ops.DeepCopy(x=reserved),
            host_reserved=on_the_host,
        )
        # Without a memory cell its argument is a constant.
        names = [name for name in ("input", "input_h", "input_c", "params") if name != "input_c" or width == 2]
        by_names = [getattr(by_arguments, f"{name}_backprop") for name in names]
        by_sequences, *rest = tape.gradient([arguments[name] for name in names], sources, by_names)
        return by_sequences, rest[:width], weights.with_tensors(rest[width:])

    def plainly(inputs, lengths):
        sequences, states, weights = inputs
        mask = None if lengths is None else tf.sequence_mask(lengths, tf.shape(sequences)[1])
        steps = Steps(None if mask is None else tf.transpose(mask)[:, :, tf.newaxis], go_backwards=go_backwards)
        inputs = tf.transpose(sequences, (1, 0, 2))
        states, (outputs, *_), _ = hoisted.forward(cell, inputs, states, weights, Dropout([], []), steps, save=False)
        return [tf.transpose(outputs, (1, 0, 2)), *states]

    weights = Weights(cell.input_weights(), cell.recurrent_weights())
    inputs = _without_padding(sequences, lengths), list(initial_states), weights
    outputs, *states = with_own_gradient(forward, backward, plainly, inputs, lengths)
    return _finish(outputs, states, initial_states, lengths, go_backwards, zero_output_for_mask, return_sequences)


def pack(cell, weights):
    """cuDNN's parameter buffer: a cell's matrices, then its biases.

    The matrices are W_x of each gate, (units, features), then W_h of each, (units, units), row by row; the biases b_x
    of each gate, then b_h of each, zeros where the cell has none. The gates are those of the kernels, but for the GRU
    reset, update, candidate.

    Args:
        cell: The cell.
        weights: Its `rnn_layers.hoisted.Weights`.

    Returns:
        A vector in the cell's compute dtype.
    """
    matrices = [tf.reshape(tf.transpose(_in_order(cell, kernel)), (-1,)) for kernel, _ in weights]
    biases = [
        tf.zeros((cell.gates * cell.units,), kernel.dtype) if bias is None else _in_order(cell, bias)
        for kernel, bias in weights
    ]
    return tf.concat([*matrices, *biases], axis=0)


def _arguments(cell, sequences, states, weights, lengths, go_backwards):
    """What the operation and its gradient are given, in the order of the steps that they take."""
    # TensorFlow casts bfloat16 to float32, too, but by its sources the gradient then reads memory nobody has written.
    dtype = tf.float32 if sequences.dtype == tf.bfloat16 else sequences.dtype
    shape = tf.shape(sequences)
    hidden, *memory = (tf.cast(state, dtype)[:, tf.newaxis] for state in states)
    return {
        "input": tf.cast(_turn(sequences, lengths) if go_backwards else sequences, dtype),
        "input_h": hidden,
        "input_c": memory[0] if memory else tf.zeros((), dtype),
        "params": tf.cast(pack(cell, weights), dtype),
        # A row without a step is run over one, since cuDNN takes no length of 0.
        "sequence_lengths": tf.fill(shape[:1], shape[1]) if lengths is None else tf.maximum(lengths, 1),
    }


def _finish(outputs, states, initial_states, lengths, go_backwards, zero_output_for_mask, return_sequences):
    """The outputs and states of `run` from the operation's, which are right for the steps that were taken."""
    if lengths is None:
        return states[0], outputs if return_sequences else None, states
    has_steps = (lengths > 0)[:, tf.newaxis]
    states = [tf.where(has_steps, new, old) for new, old in zip(states, initial_states, strict=True)]
    counts = has_steps
    if zero_output_for_mask and not go_backwards:
        counts = (lengths == tf.shape(outputs)[1])[:, tf.newaxis]
    last_output = tf.where(counts, states[0], tf.zeros_like(states[0]))
    if not return_sequences:
        return last_output, None, states
    # Taken backwards, the padding comes before the first output.
    padding = tf.zeros_like(outputs) if zero_output_for_mask or go_backwards else last_output[:, tf.newaxis]
    return last_output, tf.where(_is_taken(outputs, lengths), outputs, padding), states


def _without_padding(sequences, lengths):
    """Zeros at steps that are not taken: whatever stands there, and whatever gradient comes back, must not matter."""
    if lengths is None:
        return sequences
    return tf.where(_is_taken(sequences, lengths), sequences, tf.zeros_like(sequences))


def _is_taken(tensor, lengths):
    return tf.sequence_mask(lengths, tf.shape(tensor)[1])[:, :, tf.newaxis]


def _turn(tensor, lengths):
    """Each row's steps in the other order, the padding staying where it is."""
    return tf.reverse(tensor, (1,)) if lengths is None else tf.reverse_sequence(tensor, lengths, seq_axis=1)


def _in_order(cell, weights):
    """The gates along the last axis as cuDNN has them."""
    if _mode(cell) != "gru":
        return weights
    gates = tf.split(weights, len(GRU_ORDER), axis=-1)
    return tf.concat([gates[gate] for gate in GRU_ORDER], axis=-1)


def _mode(cell):
    mode = MODES.get(f"{type(cell).__module__}.{type(cell).__qualname__}")
    return "rnn_relu" if mode == "rnn_tanh" and cell.activation in ACTIVATIONS["relu"] else mode
