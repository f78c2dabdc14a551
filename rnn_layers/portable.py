"""Whether the graph being traced must run elsewhere: on a machine without a GPU, or by a program without Python.

Such a graph gets the plain loop of TensorFlow operations: neither cuDNN nor pieces compiled by XLA.
"""

import contextlib
import contextvars
import sys

import tensorflow as tf

# Not exported by TensorFlow; there is no other way to ask.
from tensorflow.python.ops import control_flow_util
from tensorflow.python.saved_model import save_context

# Modules that trace a model only to write it to a file, and do so before they save it, or without TensorFlow's saving.
EXPORTERS = ("keras.src.export.", "tensorflow.lite.", "tf2onnx.")

_asked_for = contextvars.ContextVar("rnn_layers_portable", default=False)


@contextlib.contextmanager
def portable():
    """Within it every graph that is traced is one that runs anywhere.

    Needed where `exporting` cannot see what a graph is for: a concrete function made before it is saved. A
    `tf.function` that was traced before keeps its old graph.

    Example:
        >>> with portable():
        ...     served = tf.function(model).get_concrete_function(tf.TensorSpec((None, None), tf.int32))
        >>> tf.saved_model.save(model, folder, signatures=served)
    """
    token = _asked_for.set(True)
    try:
        yield
    finally:
        _asked_for.reset(token)


def exporting():
    """Whether the current graph is traced for an export, or within `portable()`.

    It sees `model.export` in every format, `keras.export.ExportArchive`, `tf.saved_model.save` of functions and models,
    and the converters to LiteRT and ONNX. It does not see that a function traced by `get_concrete_function` will be
    saved later: `traced_ahead` tells that it may be.

    Returns:
        A bool.
    """
    if _asked_for.get():
        return True
    if tf.executing_eagerly():
        return False
    return save_context.in_save_context() or _is_called_by(lambda module, _: module.startswith(EXPORTERS))


def traced_ahead():
    """Whether the current graph is traced by `get_concrete_function` and not because it is called.

    Returns:
        A bool.
    """
    return not tf.executing_eagerly() and _is_called_by(
        lambda module, name: name == "get_concrete_function" and module.startswith("tensorflow.python.eager.")
    )


def compiling():
    """Whether the current graph is traced for `tf.function(jit_compile=True)`, in which every operation must be XLA's.

    Returns:
        A bool.
    """
    return not tf.executing_eagerly() and control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def vectorizing():
    """Whether the current graph is traced to be run for many rows at once, as `tape.jacobian` runs a gradient.

    Returns:
        A bool.
    """
    return not tf.executing_eagerly() and _is_called_by(
        lambda module, _: module.startswith("tensorflow.python.ops.parallel_for.")
    )


def choose(fitting, specially, portably):
    """Runs one of two functions of no arguments, by what the batch turns out to be.

    Args:
        fitting: True, False or a scalar bool tensor, as `rnn_layers.cudnn.fits` returns it.
        specially: Runs where it is true. Both return the same structure of tensors and Nones.
        portably: Runs elsewhere.

    Returns:
        What the function returned.
    """
    if isinstance(fitting, bool):
        return specially() if fitting else portably()
    structures = []

    def tensors_of(function):
        structures.append(function())
        # A branch must not return None.
        return [leaf for leaf in tf.nest.flatten(structures[-1]) if leaf is not None]

    tensors = iter(tf.cond(fitting, lambda: tensors_of(specially), lambda: tensors_of(portably)))
    return tf.nest.map_structure(lambda leaf: None if leaf is None else next(tensors), structures[0])


def _is_called_by(is_it):
    frame = sys._getframe(1)
    while frame is not None:
        if is_it(frame.f_globals.get("__name__") or "", frame.f_code.co_name):
            return True
        frame = frame.f_back
    return False
