"""TensorBoard logs, where the `tensorboard` extra is installed; without it the same calls do nothing."""

import importlib.util
from pathlib import Path

import tensorflow as tf


class EventLog:
    """Writes scalars per epoch to `<run>/tensorboard`.

    Args:
        folder: The run's folder.

    Example:
        events = EventLog(run.path)
        events.write(1, {"loss": 0.5, "validation_accuracy": 0.8})
    """

    def __init__(self, folder: Path):
        installed = importlib.util.find_spec("tensorboard") is not None
        self.writer = tf.summary.create_file_writer(str(folder / "tensorboard")) if installed else None

    def write(self, epoch: int, scalars: dict[str, float | None]) -> None:
        """Writes an epoch's scalars; a value of None (AUC of a single class) has no point."""
        if self.writer is None:
            return
        try:
            with self.writer.as_default(step=epoch):
                for name, value in scalars.items():
                    if value is not None:
                        tf.summary.scalar(name, value)
            self.writer.flush()
        except tf.errors.OpError as error:
            raise OSError(f"tensorboard: {error.message}") from None
