"""Exact resume: everything the rest of a run depends on, in one file that is written whole and sealed.

`tf.train.Checkpoint(model=...)` and a weights file leave out the state of Keras's seed generators, so a run with
dropout that goes on from them ends elsewhere. Here *every* variable of the model, the optimizer and the average is
kept, together with the best weights, the position in the epoch's plan, the running loss, early stopping and the
history. The checkpoint before the latest stays beside it, and is gone on from where the latest is damaged.
"""

import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from data.errors import UserError
from data.writing import replacing
from training.facts import print_facts
from training.runs.folder import PREVIOUS
from training.runs.record import differences
from training.sealed_arrays import read_sealed, write_sealed

DAMAGED = "damaged.npz"
ADVICE = "`run ... --restart` begins anew and keeps the old folder"


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


def save_checkpoint(
    path: Path, parts: dict, position: Position, environment: dict[str, str], identity: dict | None = None
) -> None:
    """Writes the checkpoint, whole or not at all; the one before it stays beside it as `previous.npz`.

    Args:
        path: The `.npz` file; its folder exists.
        parts: Name -> whatever has `variables`: the model (trainable and not, seed generators among them), the
            optimizer, built, the best weights, and what else the run carries from step to step.
        position: How far the run has come.
        environment: Versions, device and threads, to warn by when a resume differs.
        identity: What makes the run this run: its configuration, its data, its words.
    """
    arrays = {key: variable.numpy() for name, part in parts.items() for key, variable in _by_path(name, part).items()}
    about = {"progress": asdict(position), "environment": environment, "identity": identity}
    with replacing(path) as temporary:
        write_sealed(temporary, about, arrays)
        if path.is_file():
            os.replace(path, path.with_name(PREVIOUS))


def load_checkpoint(path: Path, parts: dict, identity: dict | None = None) -> tuple[Position, dict[str, str]]:
    """Sets every variable to what the checkpoint holds, or the one before it where the latest is damaged or gone.

    Args:
        path: The `.npz` file; a fresh `Position` comes back where there is none.
        parts: As given to `save_checkpoint`, of the same names and shapes.
        identity: As given to `save_checkpoint`; a checkpoint of another run is refused.

    Returns:
        The position, and the environment it was reached in (empty for a fresh run).

    Raises:
        UserError: Both files are damaged, are of another run, or do not fit the model (another version of the code
            wrote them).
    """
    if not path.is_file() and not path.with_name(PREVIOUS).is_file():
        return Position(), {}
    path, about, arrays = _read_latest(path)
    before = about.get("identity")
    if identity and before and (changes := differences(before, identity)):
        raise UserError(f"{path}: of a run with another {changes}; {ADVICE}")
    position = {"loss_weight": float(about["progress"]["rows"]), **about["progress"]}  # once, a loss counted by rows
    if "best" in parts and not _of("best", arrays):
        arrays |= _best_beside(path) if position.get("best_epoch") else _renamed(arrays)
    pairs = [pair for name, part in parts.items() for pair in _pairs(path, arrays, name, part)]
    for variable, value in pairs:
        variable.assign(value)
    return Position(**position), about["environment"]


def _read_latest(path: Path) -> tuple[Path, dict, dict[str, np.ndarray]]:
    """Reads the latest checkpoint that is whole, and says so if it is the one before; sets the damaged one aside."""
    if read := read_sealed(path):
        return path, *read
    previous, problem = path.with_name(PREVIOUS), "is damaged" if path.is_file() else "is gone"
    read = read_sealed(previous)
    if not read:
        raise UserError(f"{path} {problem}, and {PREVIOUS} beside it is no whole checkpoint either; {ADVICE}")
    if path.is_file():
        os.replace(path, path.with_name(DAMAGED))
    step = read[0]["progress"]["step"]
    print_facts("", {"warning": f"{path} {problem}; going on from the one before it, {PREVIOUS}, of step {step:,}"})
    return previous, *read


def _best_beside(path: Path) -> dict[str, np.ndarray]:
    """The best weights of a run of version 0.1, which kept them in a file of their own."""
    file = path.with_name("best.npz")
    read = read_sealed(file)
    if not read:
        raise UserError(f"{file}: missing or damaged; {ADVICE}")
    return _renamed(read[1])


def _renamed(arrays: dict) -> dict[str, np.ndarray]:
    return {key.replace("model/", "best/", 1): arrays[key] for key in _of("model", arrays)}


def _by_path(name: str, part) -> dict:
    """Every variable of a part, seed generators included, each once, in the part's own order, by its path."""
    found: dict = {}
    for variable in {id(variable): variable for variable in part.variables}.values():
        path = f"{name}/{variable.path if hasattr(variable, 'path') else variable.name}"
        while path in found:
            path += "+"
        found[path] = variable
    return found


def _of(name: str, arrays: dict) -> list[str]:
    """The keys of a part."""
    return [key for key in arrays if key.startswith(f"{name}/")]


def _pairs(path: Path, arrays: dict, name: str, part) -> list[tuple]:
    """A part's variables, each with the array of its path."""
    variables, kept = _by_path(name, part), _of(name, arrays)
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
        raise UserError(f"{path}: does not fit this model; another version of the code wrote it. {ADVICE}")
    return [(variable, arrays[key]) for key, variable in pairs]


def _unnumbered(path: str) -> str:
    return re.sub(r"_\d+(?=[/_]|$)", "", path)
