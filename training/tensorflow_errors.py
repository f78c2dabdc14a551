"""What TensorFlow says where it cannot write a file, as Python would say it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Makes one line of the errors of the block, such as "exported: No space left on device".

    Args:
        path: What is being written, as the user knows it; TensorFlow names temporary files.

    Raises:
        OSError: TensorFlow could not write.
    """
    try:
        yield
    except tf.errors.OpError as error:
        first = error.message.splitlines()[0].partition(" [Op:")[0]
        raise OSError(f"{path}: {first.rpartition('; ')[2]}") from None
