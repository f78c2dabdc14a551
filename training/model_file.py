"""Loading a run's `model.keras`, which may be a stranger's."""

from collections.abc import Iterable
from pathlib import Path

import keras

from data.errors import UserError


def load_model_file(path: Path, layers: Iterable[type]) -> keras.Model:
    """Loads a model: its numbers, and of its layers the names and settings; no code is in the file, or run from it.

    Args:
        path: A `.keras` file.
        layers: The classes of layers that the model has besides Keras's own, so that the imports that register them are
            seen to be needed.

    Raises:
        UserError: The file is damaged, is no model, or asks for what is neither Keras's nor among the layers.
    """
    try:
        return keras.saving.load_model(path, custom_objects={layer.__name__: layer for layer in layers}, safe_mode=True)
    except OSError as error:
        if error.errno:  # no permission, or the disk's
            raise
        raise _not_loaded(path, error) from error
    except Exception as error:  # whatever a damaged or a foreign file leads to
        raise _not_loaded(path, error) from error


def _not_loaded(path: Path, error: Exception) -> UserError:
    reason = " ".join(str(error).split())[:200]
    return UserError(f"{path}: damaged, or no model of this template ({type(error).__name__}: {reason})")
