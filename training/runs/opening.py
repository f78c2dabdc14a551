"""Opening a run's folder for writing: who may write to it, and whether a command goes on with it."""

import contextlib
import os
import shutil
import sys
import time
from pathlib import Path

from data.errors import UserError
from data.lock import lock_file, unlock_file
from data.writing import TEMPORARY
from training.runs.folder import RunFolder
from training.runs.record import Record, differences


@contextlib.contextmanager
def open_run(path: Path, record: Record, restart: bool = False):
    """Opens a run folder for writing: makes it, or goes on with the one that is there.

    Args:
        path: The folder.
        record: What the run is; not written here.
        restart: Move a run that is there aside, to `<path>.before-<time>`, and begin anew. It comes back if the new
            one fails before its first checkpoint.

    Yields:
        The `RunFolder`, locked until the block ends; the lock dies with the process, however it dies.

    Raises:
        UserError: The folder holds something else, a run with another configuration, or another process writes to it.
    """
    if path.exists() and not path.is_dir():
        raise UserError(f"{path}: a file is in the way of the run folder; choose another --run-dir")
    run = RunFolder(path)
    if path.is_dir() and any(path.iterdir()) and not run.config_file.is_file():
        # A run that was killed before it had a configuration leaves no more than its own.
        names = sorted(entry.name for entry in path.iterdir())
        strangers = [name for name in names if name not in ("lock", "checkpoints") and not name.startswith(TEMPORARY)]
        if strangers:
            raise UserError(f"{path}: not empty and not a run folder (holds {strangers[0]}); choose another --run-dir")
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    aside = None
    with contextlib.ExitStack() as locked:
        _lock(path, locked)
        if restart and run.has_begun():
            if sys.platform == "win32":
                locked.close()  # it renames no folder with an open file in it
            aside = _move_aside(path)
            _lock(path, locked)
        try:
            if run.has_begun():
                _refuse_another(run, record)
            for stale in path.rglob(f"{TEMPORARY}*"):
                if stale.is_file():  # left by a run that was killed in the middle of a write
                    stale.unlink(missing_ok=True)
            (path / "checkpoints").mkdir(exist_ok=True)
            yield run
        finally:
            if not run.has_begun():
                _remove(path, [path] if aside else made)
                if aside and not path.exists():
                    os.replace(aside, path)


def _lock(path: Path, locked: contextlib.ExitStack) -> None:
    descriptor = lock_file(path / "lock")
    if descriptor is None:
        raise UserError(f"{path}: another process is training in this folder; wait for it, or choose another --run-dir")
    locked.callback(unlock_file, descriptor)


def _move_aside(path: Path) -> Path:
    """Renames a run that is to begin anew, and makes the new folder of its name."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    aside = path.with_name(f"{path.name}.before-{stamp}")
    while aside.exists():
        aside = aside.with_name(aside.name + "-1")
    os.replace(path, aside)
    path.mkdir()
    return aside


def _remove(path: Path, made: list[Path]) -> None:
    """Takes back what a run made that failed before its first checkpoint, by a mistake in its data, say.

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


def _refuse_another(run: RunFolder, record: Record) -> None:
    if changes := differences(run.read_record().identity(), record.identity()):
        raise UserError(f"{run.path}: holds a run with another {changes}; choose another --run-dir, or --restart")
