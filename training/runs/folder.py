"""A run's folder: what is in it, who may write to it, and whether a command goes on with it."""

import contextlib
import csv
import hashlib
import io
import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from data.errors import UserError
from data.writing import TEMPORARY, write_json, write_text
from training.runs.lock import lock_file, unlock_file

RUNS = Path("runs")

# Fields that change nothing of what a run computes up to a given epoch; `data` is kept as what it was resolved to.
NOT_IDENTITY = ("epochs", "checkpoint_steps", "data")


@dataclass(frozen=True)
class RunFolder:
    """The paths of one run. Reading needs no lock; `open_run` hands out a locked folder for writing.

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
    def best_weights_file(self) -> Path:
        return self.path / "checkpoints" / "best.npz"

    @property
    def vocabulary_file(self) -> Path:
        return self.path / "vocabulary.json"

    def plot_file(self, name: str) -> Path:
        """The path of a picture, with its folder made."""
        folder = self.path / "plots"
        folder.mkdir(exist_ok=True)
        return folder / f"{name}.png"

    def read_config(self) -> dict:
        """Reads `config.json`: `template`, `config` (a field of the template's Config each), `source`, `version`.

        Raises:
            UserError: The folder is not a run folder.
        """
        record = read_json(self.config_file)
        if not is_record(record):
            raise UserError(f"{self.path}: not a run folder (no config.json that names a template)")
        return record

    def read_metrics(self) -> dict | None:
        """Reads `metrics.json`; None before the run has written one."""
        return read_json(self.metrics_file)

    def has_begun(self) -> bool:
        """Whether there is anything to lose: a checkpoint, or metrics."""
        return self.checkpoint_file.is_file() or self.metrics_file.is_file()

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

    def write_config(self, template: str, config: dict, source: dict, version: str) -> None:
        """Writes `config.json`: what makes this folder a run folder."""
        write_json(self.config_file, {"template": template, "version": version, "source": source, "config": config})

    def write_history(self, history: list[dict]) -> None:
        """Writes `history.csv`: a row per epoch, a column per figure."""
        stream = io.StringIO()
        writer = csv.DictWriter(stream, fieldnames=list(history[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)
        write_text(self.path / "history.csv", stream.getvalue())


def is_record(record) -> bool:
    """Whether what was read from a `config.json` is a run's."""
    return isinstance(record, dict) and {"template", "config", "source"} <= record.keys()


def read_json(path: Path):
    """Reads a JSON file; None if there is none.

    Raises:
        UserError: The file holds no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise UserError(f"{path}: not JSON ({error}); was it edited by hand?") from None


def identity(template: str, config: dict, source: dict) -> dict:
    """What makes two runs the same run: not `epochs`, so that a larger number of epochs extends a run.

    Args:
        template: The template's name.
        config: The configuration's fields.
        source: The resolved data source, with its `fingerprint`.
    """
    fields = {name: value for name, value in config.items() if name not in NOT_IDENTITY}
    return {"template": template, **fields, "data": source["fingerprint"]}


def default_path(template: str, config: dict, source: dict) -> Path:
    """`runs/<template>-<8 hex>` under the current directory: the same command finds the same folder."""
    text = json.dumps(identity(template, config, source), sort_keys=True)
    return RUNS / f"{template}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@contextlib.contextmanager
def open_run(path: Path, template: str, config: dict, source: dict, restart: bool = False):
    """Opens a run folder for writing: makes it, or goes on with the one that is there.

    Args:
        path: The folder.
        template: The template's name.
        config: The resolved configuration, JSON values only.
        source: The resolved data source: `fingerprint`, and what else is worth keeping.
        restart: Move a run that is there aside, to `<path>.before-<time>`, and begin anew.

    Yields:
        The `RunFolder`, locked until the block ends; the lock dies with the process, however it dies.

    Raises:
        UserError: The folder holds something else, a run with another configuration, or another process writes to it.
    """
    if path.exists() and not path.is_dir():
        raise UserError(f"{path}: a file is in the way of the run folder; choose another --run-dir")
    run = RunFolder(path)
    if path.is_dir() and any(path.iterdir()) and not run.config_file.is_file():
        strangers = sorted(entry.name for entry in path.iterdir() if entry.name not in ("lock", "checkpoints"))
        if strangers:
            raise UserError(f"{path}: not empty and not a run folder (holds {strangers[0]}); choose another --run-dir")
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    lock = _lock(path)
    try:
        if restart and run.has_begun():
            unlock_file(lock)  # Windows renames no folder with an open file in it
            lock = None
            _move_aside(path)
            lock = _lock(path)
        if run.has_begun():
            _refuse_another(run, template, config, source)
        for stale in path.rglob(f"{TEMPORARY}*"):
            stale.unlink()  # left by a run that was killed in the middle of a write
        (path / "checkpoints").mkdir(exist_ok=True)
        yield run
    finally:
        begun = run.has_begun()
        if lock is not None:
            unlock_file(lock)
        if not begun:
            _remove(path, made)


def _lock(path: Path) -> int:
    descriptor = lock_file(path / "lock")
    if descriptor is None:
        raise UserError(f"{path}: another process is training in this folder; wait for it, or choose another --run-dir")
    return descriptor


def _move_aside(path: Path) -> None:
    """Renames a run that is to begin anew, and makes the new folder of its name."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    aside = path.with_name(f"{path.name}.before-{stamp}")
    while aside.exists():
        aside = aside.with_name(aside.name + "-1")
    os.replace(path, aside)
    path.mkdir()


def _remove(path: Path, made: list[Path]) -> None:
    """Takes back what a run that failed before its first checkpoint made (a mistake in its data, say): it holds nothing.

    Args:
        path: The run's folder.
        made: The folders that were not there before, innermost first.
    """
    for name in ("config.json", "vocabulary.json", "lock"):
        with contextlib.suppress(OSError):
            (path / name).unlink()
    shutil.rmtree(path / "tensorboard", ignore_errors=True)
    for folder in (path / "checkpoints", *made):
        with contextlib.suppress(OSError):  # not empty: somebody else's
            folder.rmdir()


def _refuse_another(run: RunFolder, template: str, config: dict, source: dict) -> None:
    record = run.read_config()
    before = identity(record["template"], record["config"], record["source"])
    now = identity(template, config, source)
    differing = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    if differing:
        changes = ", ".join(
            "data (other contents)" if name == "data" else f"{name} ({before.get(name)} there, {now.get(name)} here)"
            for name in differing[:5]
        )
        raise UserError(f"{run.path}: holds a run with another {changes}; choose another --run-dir, or --restart")
