"""Many files change together or not at all: staged inside the destination, written down in a journal, then moved.

A failure before the journal stands leaves the destination as it was. After that only renames are left to do, and the
same command typed again does those that are missing. `.template.json` moves last: when it is in place, all is.
"""

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from copying.record import RECORD, sha256
from data.errors import UserError
from data.writing import write_json

# Inside the destination and not beside it: the same file system for sure, and its parent may not be ours to write to.
STAGE = ".template/incoming"
_JOURNAL = "journal.json"


def read_file(path: Path) -> bytes | None:
    """Reads a file of the user's folder.

    Args:
        path: where it would be.

    Returns:
        Its bytes; None when there is none.

    Raises:
        UserError: when something that is not a file lies there, or a file lies where a folder above it should be.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except (IsADirectoryError, NotADirectoryError):
        raise UserError(
            f"{path}: a file must go here, but a folder is in its place or a file is in its folder's; move that aside"
        ) from None


def is_interrupted(destination: Path) -> bool:
    """Whether an earlier change was stopped among its renames, so that `finish` has something to do."""
    return (destination / STAGE / _JOURNAL).is_file()


def install(destination: Path, changes: Mapping[str, bytes | None], found: Mapping[str, bytes | None]) -> None:
    """Changes files of a folder together.

    Args:
        destination: the folder; it is made if its parent exists.
        changes: from a path in it to the new bytes, or None to remove the file; moved in this order.
        found: from each of those paths to what was there when the change was decided on.

    Raises:
        UserError: when a file is no longer what was found there.
        OSError: when a folder or file cannot be written; the destination is then as it was.
    """
    stage, made = destination / STAGE, []
    try:
        _make_folder(destination, made)
        _make_folder(stage.parent, made)
        shutil.rmtree(stage, ignore_errors=True)  # of a command that was killed before it decided anything
        stage.mkdir()
        for path, content in changes.items():
            if content is not None:
                (stage / "files" / path).parent.mkdir(parents=True, exist_ok=True)
                _write(stage / "files" / path, content)
                _make_folder((destination / path).parent, made)
        _check_writable(destination, changes)
        write_json(
            stage / _JOURNAL,
            {path: {"before": _hash(found.get(path)), "after": _hash(content)} for path, content in changes.items()},
        )
    except BaseException:
        with contextlib.suppress(OSError):
            (stage / _JOURNAL).unlink(missing_ok=True)
        shutil.rmtree(stage, ignore_errors=True)
        for folder in reversed(made):
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise
    finish(destination)


def finish(destination: Path) -> None:
    """Does the renames that a journal still asks for; nothing when there is none.

    Args:
        destination: the folder given to `install`.

    Raises:
        UserError: when one of the files was changed after the interruption; nothing is moved then.
    """
    stage = destination / STAGE
    if not is_interrupted(destination):
        return
    journal = json.loads((stage / _JOURNAL).read_bytes())
    if _hash(read_file(destination / RECORD)) != journal.get(RECORD, {}).get("after"):
        _check_unchanged(destination, journal)
        for path, hashes in journal.items():
            target, staged = destination / path, stage / "files" / path
            if staged.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(staged, target)
            elif hashes["after"] is None and _hash(read_file(target)) == hashes["before"]:
                target.unlink(missing_ok=True)
    for path, hashes in journal.items():
        if hashes["after"] is None and not (destination / path).exists():
            _remove_empty_folders((destination / path).parent, destination)
    (stage / _JOURNAL).unlink()
    shutil.rmtree(stage, ignore_errors=True)


def _check_unchanged(destination: Path, journal: dict) -> None:
    changed = [
        path
        for path, hashes in journal.items()
        if (destination / STAGE / "files" / path).is_file()
        and _hash(read_file(destination / path)) not in hashes.values()
    ]
    if changed:
        raise UserError(
            f"{destination}: {listed(changed)} changed while a copy or merge was under way, and its new "
            f"content waits in {STAGE}/files; move your version aside and type the command again"
        )


def _check_writable(destination: Path, changes: Mapping[str, bytes | None]) -> None:
    """Finds a folder that is not ours to write to now, and not among the renames."""
    for folder in sorted({(destination / path).parent for path in changes}):
        if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def _write(path: Path, content: bytes) -> None:
    with open(path, "xb") as stream:
        stream.write(content)
        # Otherwise a power cut can leave an empty file under a name that the journal calls complete.
        stream.flush()
        os.fsync(stream.fileno())


def _make_folder(folder: Path, made: list[Path]) -> None:
    """Makes a folder and those above it that are missing, and adds each to `made`."""
    if not folder.is_dir():
        if not folder.parent.is_dir():
            _make_folder(folder.parent, made)
        folder.mkdir(exist_ok=True)
        made.append(folder)


def _remove_empty_folders(folder: Path, destination: Path) -> None:
    """Removes a folder that holds nothing but compiled Python, and then those above it."""
    with contextlib.suppress(OSError):
        while folder != destination:
            if [entry.name for entry in folder.iterdir()] == ["__pycache__"]:
                shutil.rmtree(folder / "__pycache__")
            folder.rmdir()
            folder = folder.parent


def _hash(content: bytes | None) -> str | None:
    return None if content is None else sha256(content)


def listed(paths: list[str], most: int = 5) -> str:
    """Names a handful of paths and counts the rest: "a.py, b.py and 3 more"."""
    paths = [str(path) for path in paths]
    if len(paths) > most:
        return f"{', '.join(paths[:most])} and {len(paths) - most} more"
    return ", ".join(paths)
