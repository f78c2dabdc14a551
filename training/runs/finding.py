"""How runs are found again: the folders under `./runs`, and what a user means by RUN."""

import contextlib
import os
from pathlib import Path

from data.errors import UserError
from training.runs.folder import RunFolder, read_json
from training.runs.record import RUNS, Record, as_record


def find_runs(folder: Path = RUNS) -> list[RunFolder]:
    """The run folders directly under `folder`, the one written last at the end; those moved aside are left out."""
    if not folder.is_dir():
        return []
    runs = [RunFolder(entry) for entry in folder.iterdir() if ".before-" not in entry.name]
    times = {run: _written_at(run) for run in runs if record_or_none(run)}
    return sorted(times, key=times.__getitem__)


def read_json_or_none(path: Path):
    """Reads a JSON file; None if it is missing or holds none."""
    try:
        return read_json(path)
    except (UserError, OSError):
        return None


def record_or_none(run: RunFolder) -> Record | None:
    """Reads a folder's record; None if it is no run's folder."""
    return as_record(read_json_or_none(run.config_file))


def _written_at(run: RunFolder) -> tuple[float, str]:
    for file in (run.metrics_file, run.config_file):
        with contextlib.suppress(FileNotFoundError):
            return file.stat().st_mtime, run.path.name
    return 0.0, run.path.name  # moved aside just now


def find_run(name: str, templates: list[str]) -> RunFolder:
    """The run that RUN means: a run folder, or a template's name, meaning its latest finished run under `./runs`.

    Args:
        name: What the user typed.
        templates: The templates' names.

    Raises:
        UserError: There is none; the message lists the runs found.
    """
    path = Path(name)
    if record_or_none(RunFolder(path)):
        return RunFolder(path)
    runs = find_runs()
    if name in templates:
        finished = [run for run in runs if run.read_record().template == name and run.is_finished()]
        if finished:
            return finished[-1]
        what = f"no finished run of {name} under {RUNS}/; `run {name}` makes one"
    elif path.is_dir() and not os.access(path, os.R_OK | os.X_OK):
        what = f"{name}: no permission to read this folder"
    elif path.exists():
        what = f"{name}: not a run folder (no config.json that names a template)"
    else:
        what = f"{name}: no such run folder"
    found = ", ".join(str(run.path) for run in runs[-5:]) or "none"
    raise UserError(f"{what} (runs found: {found})")
