"""Exact resume: everything the rest of a run depends on, in one file that is written whole.

`tf.train.Checkpoint(model=...)` and a weights file leave out the state of Keras's seed generators, so a run with
dropout that goes on from them ends elsewhere. Here *every* variable of the model, the optimizer and the average is
kept, together with the position in the epoch's plan, the running loss, early stopping and the history.
"""

import json
import re
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras
import numpy as np

from data.errors import UserError
from data.writing import replacing


@dataclass
class Position:
    """How far a run has come; with the variables, all that its remainder depends on.

    Args:
        epoch: Epochs completed.
        batch: Batches completed in the epoch under way: the position in its plan.
        step: Batches completed in all.
        loss_sum: Sum over the epoch's batches, so far, of the loss times its weight.
        loss_weight: Sum of these weights.
        rows: Rows of the epoch so far.
        best: The best validation score yet; None before the first.
        best_epoch: The epoch (from 1) that gave it.
        history: A dictionary of figures per completed epoch.
        train_seconds: Time spent training, over all restarts.
        epoch_seconds: The part of it spent in the epoch under way.
        rows_trained: Rows trained on, in all.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    loss_weight: float = 0.0
    rows: int = 0
    best: float | None = None
    best_epoch: int = 0
    history: list[dict] = field(default_factory=list)
    train_seconds: float = 0.0
    epoch_seconds: float = 0.0
    rows_trained: int = 0

    @property
    def loss(self) -> float:
        """The mean loss of the epoch so far."""
        return self.loss_sum / self.loss_weight

    def end_epoch(self) -> None:
        """Counts the epoch under way as completed, and begins the next."""
        self.epoch += 1
        self.train_seconds += self.epoch_seconds
        self.rows_trained += self.rows
        self.batch, self.rows = 0, 0
        self.loss_sum, self.loss_weight, self.epoch_seconds = 0.0, 0.0, 0.0

    def improves(self, score: float, loss: float) -> bool:
        """Whether `score` (higher is better) beats the best yet, or equals it with a lower validation loss."""
        if self.best is None or score != self.best:
            return self.best is None or score > self.best
        return loss < self.history[self.best_epoch - 1]["validation_loss"]

    def out_of_patience(self, patience: int) -> bool:
        """Whether the last `patience` epochs all failed to beat the best; `patience` 0 means never."""
        return bool(patience) and self.epoch - self.best_epoch >= patience


def save_checkpoint(path: Path, parts: dict, position: Position, environment: dict[str, str]) -> None:
    """Writes the checkpoint, whole or not at all.

    Args:
        path: The `.npz` file; its folder exists.
        parts: Name -> whatever has `variables`: the model (trainable and not, seed generators among them), the
            optimizer, built, and what else the run carries from step to step.
        position: How far the run has come.
        environment: Versions, device and threads, to warn by when a resume differs.
    """
    arrays = {key: variable.numpy() for name, part in parts.items() for key, variable in _by_path(name, part).items()}
    record = json.dumps({"progress": asdict(position), "environment": environment})
    with replacing(path) as temporary:
        np.savez(temporary, record=np.array(record), **arrays)


def load_checkpoint(path: Path, parts: dict) -> tuple[Position, dict[str, str]]:
    """Sets every variable to what the checkpoint holds.

    Args:
        path: The `.npz` file; a fresh `Position` comes back where there is none.
        parts: As given to `save_checkpoint`, of the same names and shapes.

    Returns:
        The position, and the environment it was reached in (empty for a fresh run).

    Raises:
        UserError: The file does not fit the model (another version of the code wrote it) or is damaged.
    """
    if not path.is_file():
        return Position(), {}
    with _open_arrays(path) as arrays:
        record = json.loads(str(arrays["record"]))
        for name, part in parts.items():
            _assign(path, arrays, name, part)
    position = record["progress"]
    # Before there was a weight, a loss counted by its rows.
    return Position(**{"loss_weight": float(position["rows"]), **position}), record["environment"]


def save_weights(path: Path, model: keras.Model) -> None:
    """Writes the model's variables alone: the best epoch's, while later epochs train on."""
    with replacing(path) as temporary:
        np.savez(temporary, **{key: variable.numpy() for key, variable in _by_path("model", model).items()})


def load_weights(path: Path, model: keras.Model) -> None:
    """Sets the model's variables to what `save_weights` wrote."""
    with _open_arrays(path) as arrays:
        _assign(path, arrays, "model", model)


def _by_path(name: str, part) -> dict:
    """Every variable of a part, seed generators included, each once, in the part's own order, by its path."""
    found: dict = {}
    for variable in {id(variable): variable for variable in part.variables}.values():
        path = f"{name}/{getattr(variable, 'path', variable.name)}"
        while path in found:
            path += "+"
        found[path] = variable
    return found


def _open_arrays(path: Path):
    try:
        return np.load(path, allow_pickle=False)
    except (zipfile.BadZipFile, ValueError, EOFError):
        raise UserError(f"{path}: damaged; `run ... --restart` begins anew and keeps the old folder") from None


def _assign(path: Path, arrays, name: str, part) -> None:
    """Sets a part's variables, each to the array of its path."""
    variables = _by_path(name, part)
    kept = [key for key in arrays.files if key.startswith(f"{name}/")]
    if kept and all(key.rpartition("/")[2].isdecimal() for key in kept):
        # Up to version 0.1 the keys were numbers, in the part's order.
        kept.sort(key=lambda key: int(key.rpartition("/")[2]))
        pairs = list(zip(kept, variables.values(), strict=False))
    elif set(kept) == set(variables):
        pairs = list(variables.items())
    else:
        # Keras numbers what has no name of its own by what was made before it in the process.
        same_but_for_numbers = [_unnumbered(key) for key in kept] == [_unnumbered(key) for key in variables]
        pairs = list(zip(kept, variables.values(), strict=True)) if same_but_for_numbers else []
    fitting = [arrays[key].shape == tuple(variable.shape) for key, variable in pairs]
    if not all(fitting) or not len(kept) == len(variables) == len(pairs):
        raise UserError(
            f"{path}: does not fit this model; another version of the code wrote it. "
            "`run ... --restart` begins anew and keeps the old folder"
        )
    for key, variable in pairs:
        variable.assign(arrays[key])


def _unnumbered(path: str) -> str:
    return re.sub(r"_\d+(?=[/_]|$)", "", path)
