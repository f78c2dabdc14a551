"""Writing a model as a SavedModel: what `export` leaves behind."""

from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from training.atomic import replacing_folder


def write_saved_model(folder: Path, model: keras.Model, signatures: Callable[[keras.Model], dict]) -> None:
    """Writes a SavedModel that needs TensorFlow alone.

    Args:
        folder: Where to; it appears whole or not at all.
        model: The model.
        signatures: Gives the model's traced functions by the names of their signatures.

    Raises:
        OSError: The disk is full, or the folder cannot be written to.
    """
    module = tf.Module()
    module.model = model
    with replacing_folder(folder) as temporary:
        try:
            tf.saved_model.save(module, str(temporary), signatures=signatures(model))
        except tf.errors.OpError as error:
            raise OSError(f"{folder}: {error.message}") from None
