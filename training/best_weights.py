"""The weights of the best epoch, kept in main memory while later epochs train on."""

from dataclasses import dataclass

import keras
import numpy as np


@dataclass
class _Kept:
    """The value of a variable, whatever the device of the variable."""

    path: str
    value: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    def numpy(self) -> np.ndarray:
        return self.value

    def assign(self, value: np.ndarray) -> None:
        self.value = value


class BestWeights:
    """A model's weights as they were: a part of each checkpoint, so that they are those of its position.

    In a file of their own they would be those of a later epoch than the checkpoint's where a run was killed between
    the two, or went on from the checkpoint before.

    Args:
        model: The model; until `keep` is called, the weights are its first.
    """

    def __init__(self, model: keras.Model):
        self.model = model
        self.variables = [_Kept(variable.path, variable.numpy()) for variable in model.variables]

    def keep(self) -> None:
        """Keeps the weights as they are now."""
        for kept, variable in zip(self.variables, self.model.variables, strict=True):
            kept.assign(variable.numpy())

    def restore(self) -> None:
        """Gives the model the weights that were kept."""
        for kept, variable in zip(self.variables, self.model.variables, strict=True):
            variable.assign(kept.value)
