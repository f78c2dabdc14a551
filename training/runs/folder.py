"""A run's folder: what is in it, read and written."""

import contextlib
import csv
import dataclasses
import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import get_type_hints

from data.errors import UserError, shown
from data.writing import write_json, write_text
from training.configuration import is_of_type
from training.runs.record import Record, as_record

# The checkpoint before the latest, beside it.
PREVIOUS = "previous.npz"


@dataclass(frozen=True)
class RunFolder:
    """The paths of one run. Reading needs no lock; `training.runs.opening` hands out a locked folder for writing.

    Args:
        path: The folder that holds `config.json`.

    Example:
        run = RunFolder(Path("runs/sentiment-1a2b3c4d"))
        run.read_metrics()["test"]["accuracy"]
    """

    path: Path

    @property
    def config_file(self) -> Path:
        return self.path / "config.json"

    @property
    def metrics_file(self) -> Path:
        return self.path / "metrics.json"

    @property
    def model_file(self) -> Path:
        return self.path / "model.keras"

    @property
    def checkpoint_file(self) -> Path:
        return self.path / "checkpoints" / "latest.npz"

    @property
    def vocabulary_file(self) -> Path:
        return self.path / "vocabulary.json"

    def plot_file(self, name: str) -> Path:
        """The path of a picture, with its folder made."""
        folder = self.path / "plots"
        folder.mkdir(exist_ok=True)
        return folder / f"{name}.png"

    def read_record(self) -> Record:
        """Reads `config.json`.

        Raises:
            UserError: The folder is not a run folder.
        """
        record = as_record(read_json(self.config_file))
        if record is None:
            raise UserError(f"{self.path}: not a run folder (no config.json that names a template)")
        return record

    def read_config(self, config_class: type):
        """Reads the run's configuration; what was "auto" is what the run's data decided.

        Args:
            config_class: The template's `Config`.

        Raises:
            UserError: The fields are not this version's.
        """
        record = self.read_record()
        unknown = sorted(set(record.config) - {field.name for field in dataclasses.fields(config_class)})
        if unknown:
            made_by = f"made by version {record.version}, whose field {unknown[0]} this version does not have"
            raise UserError(f"{self.path}: {made_by}")
        values = {**record.config, **record.source.resolved}
        hints = get_type_hints(config_class, include_extras=True)
        for name, value in values.items():
            if name not in hints or not is_of_type(hints[name], value):
                raise UserError(f"{self.config_file}: {name} cannot be {shown(str(value))}; was it edited by hand?")
        return config_class(**values)

    def read_metrics(self) -> dict | None:
        """Reads `metrics.json`; None before the run has written one, or where it is damaged: `run` writes it anew."""
        with contextlib.suppress(UserError):
            return read_json(self.metrics_file)
        return None

    def has_checkpoint(self) -> bool:
        """Whether there is a checkpoint, or the one before it alone, as a kill between two renames leaves it."""
        return self.checkpoint_file.is_file() or self.checkpoint_file.with_name(PREVIOUS).is_file()

    def has_begun(self) -> bool:
        """Whether there is anything to lose: a checkpoint, or metrics."""
        return self.has_checkpoint() or self.metrics_file.is_file()

    def identity(self) -> dict:
        """What a checkpoint must have been made with: the record's identity, and the words."""
        words = self.vocabulary_file.read_bytes() if self.vocabulary_file.is_file() else b""
        return {**self.read_record().identity(), "vocabulary": hashlib.sha256(words).hexdigest()}

    def is_finished(self) -> bool:
        metrics = self.read_metrics()
        return bool(metrics and metrics.get("finished"))

    def write_metrics(self, metrics: dict) -> None:
        write_json(self.metrics_file, metrics)

    def count_epochs(self) -> int:
        """The epochs completed, by `history.csv`."""
        try:
            return len((self.path / "history.csv").read_text(encoding="utf-8").splitlines()) - 1
        except FileNotFoundError:
            return 0

    def read_vocabulary(self) -> list[str] | dict[str, list[str]]:
        """The words that the run began with, or several lists of them by name: what `write_vocabulary` was given.

        Raises:
            UserError: The file is gone or damaged.
        """
        words = read_json(self.vocabulary_file)
        if not isinstance(words, (list, dict)):
            raise UserError(f"{self.vocabulary_file}: missing or damaged; `run ... --restart` begins anew")
        return words

    def write_vocabulary(self, words: list[str] | dict[str, list[str]]) -> None:
        write_json(self.vocabulary_file, words)

    def write_record(self, record: Record) -> None:
        """Writes `config.json`: what makes this folder a run folder."""
        write_json(self.config_file, record.as_json())

    def write_history(self, history: list[dict]) -> None:
        """Writes `history.csv`: a row per epoch, a column per figure."""
        stream = io.StringIO()
        writer = csv.DictWriter(stream, fieldnames=list(history[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)
        write_text(self.path / "history.csv", stream.getvalue())


def read_json(path: Path):
    """Reads a JSON file; None if there is none.

    Raises:
        UserError: The file holds no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not JSON ({error}); was it edited by hand?") from None
