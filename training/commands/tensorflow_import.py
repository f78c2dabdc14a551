"""Imports TensorFlow without its start-up lines; whatever it prints is shown again if the import fails."""

import contextlib
import gc
import logging
import os
import platform
import sys
import tempfile

# Python's garbage collector would go through TensorFlow's 370,000 objects again and again while they are imported (4 s;
# 3.4 s with these thresholds, where Python's are 700, 10, 10) and while a graph is traced.
COLLECTED_AFTER = (20_000, 20, 100)

# What Keras imports, where it is installed, for parts of itself that nothing here uses; pandas alone takes 0.3 to
# 0.5 s.
UNUSED_BY_KERAS = ("sklearn", "matplotlib", "pandas")


@contextlib.contextmanager
def not_installed(*names: str):
    """In the block modules that have not been imported yet cannot be; after it they can."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextlib.contextmanager
def quiet_stderr():
    """Holds back what the block writes to file descriptor 2, and prints it after all if the block raises.

    TensorFlow's native code writes to the descriptor, past `sys.stderr`, and before its log level is read.
    """
    sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:  # no standard error at all
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:
            os.dup2(saved, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def import_tensorflow(onednn: bool = False) -> None:
    """Imports TensorFlow and Keras (3 to 5 s) and lists the devices, quietly.

    TensorFlow has Intel's oneDNN compute on processors with certain instructions (AVX-512 VNNI and later ones). On
    others, too, training takes it less time where products are large (captioning and forecasting 0.7 to 0.85 of it;
    translation, too); but a single row takes up to twice as long.

    Args:
        onednn: Whether to have oneDNN on all x86 processors, unless the user has set `TF_ENABLE_ONEDNN_OPTS`.

    Example:
        import_tensorflow()
        import tensorflow as tf   # already there, no lines on the terminal
    """
    # Whatever ~/.keras/keras.json says: the loops and the layers here are TensorFlow's.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if onednn and platform.machine() in ("x86_64", "AMD64"):
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    is_new = "tensorflow" not in sys.modules
    gc.set_threshold(*COLLECTED_AFTER)
    with quiet_stderr(), not_installed(*UNUSED_BY_KERAS):
        import keras  # noqa: F401
        import tensorflow as tf

        tf.config.list_physical_devices()
    if is_new:
        # What is imported stays: nothing of it needs to be looked at again.
        gc.freeze()
    for name in ("tensorflow", "absl"):
        logging.getLogger(name).setLevel(logging.ERROR)
