"""TensorBoard logs, where the `tensorboard` extra is installed; without it the same calls do nothing."""

import importlib.util
from pathlib import Path

import tensorflow as tf

from training.tensorflow_errors import naming


class EventLog:
    """Writes scalars per epoch to `<run>/tensorboard`.

    Args:
        folder: The run's folder.

    Example:
        events = EventLog(run.path)
        events.write(1, {"loss": 0.5, "validation_accuracy": 0.8})
    """

    def __init__(self, folder: Path):
        self.folder, self.writer = folder / "tensorboard", None
        if importlib.util.find_spec("tensorboard") is not None:
            with naming(self.folder):
                self.writer = tf.summary.create_file_writer(str(self.folder))

    def write(self, epoch: int, scalars: dict[str, float | None]) -> None:
        """Writes an epoch's scalars; a value of None (AUC of a single class) has no point."""
        if self.writer is None:
            return
        with naming(self.folder), self.writer.as_default(step=epoch):
            for name, value in scalars.items():
                if value is not None:
                    tf.summary.scalar(name, value)
            self.writer.flush()
