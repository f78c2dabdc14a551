"""Changes many files of a folder, so that a full disk changes none and the same command completes a killed one.

All is written inside the folder first. After that, only renames and removals are left to do, and they need no journal:
who types the command again compares the files again and finds those that are missing. Only a merged file could be
taken for its owner's version by then, so that version is kept until the end.
"""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from data.errors import UserError
from data.lock import lock_file, unlock_file

# Inside the destination and not beside it: the same file system for sure, and its parent may not be ours to write to.
STAGE = ".template/incoming"
_NEW, _MERGED = f"{STAGE}/files", f"{STAGE}/merged"


def read_file(path: Path) -> bytes | None:
    """Reads a file of the user's folder.

    Args:
        path: Where it would be.

    Returns:
        Its bytes; None when there is none.

    Raises:
        UserError: Something that is not a file lies there, or a file lies where a folder above it should be.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except (IsADirectoryError, NotADirectoryError):
        raise UserError(
            f"{path}: a file must go here, but a folder is in its place or a file is in its folder's; move that aside"
        ) from None


def read_merged(destination: Path, path: str) -> bytes | None:
    """Reads what `install` kept of a file that it was to replace by a merged one, if it was killed on the way."""
    return read_file(destination / _MERGED / path)


def install(
    destination: Path,
    changes: Mapping[str, bytes | None],
    found: Mapping[str, bytes | None],
    merged: Mapping[str, bytes] | None = None,
) -> None:
    """Changes files of a folder.

    Args:
        destination: The folder; it is made if its parent exists.
        changes: From a path in it to the new bytes, or None to remove the file; done in this order, unless the file is
            like that already.
        found: From a path to what was there when the change was decided on; the rest is read now.
        merged: From a path to the owner's version, for those files that a merged one replaces.

    Raises:
        UserError: There is no space or no permission to write, and nothing was changed; or a file is no longer what was
            found there or cannot be renamed, and those before it are done.
    """
    found = {path: found[path] if path in found else read_file(destination / path) for path in changes}
    changes = {path: content for path, content in changes.items() if content is None or content != found[path]}
    if not changes:
        shutil.rmtree(destination / STAGE, ignore_errors=True)
        return
    _check_links(destination, changes)
    with _alone(destination):
        _stage(destination, changes, merged or {})
        try:
            for path, content in changes.items():
                target = destination / path
                if read_file(target) != found[path]:
                    raise UserError(f"{target}: changed just now, by somebody else; type the command again")
                if content is None:
                    target.unlink(missing_ok=True)
                    _remove_empty_folders(target.parent, destination)
                else:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    _put(destination / _NEW / path, target)
        except OSError as error:
            raise UserError(
                f"{error.filename or destination}: {error.strerror}; some files are new and some are not yet; mend "
                "this and type the command again, and it goes on from there"
            ) from error
        shutil.rmtree(destination / STAGE, ignore_errors=True)


@contextlib.contextmanager
def _alone(destination: Path) -> Iterator[None]:
    """Lets one command at a time change a folder: two would take each other's files from the stage."""
    stage = destination / STAGE
    made = [folder for folder in (stage, stage.parent, destination) if not folder.exists()]
    with contextlib.ExitStack() as at_end:
        for folder in reversed(made):
            at_end.callback(_remove_if_empty, folder)
        try:
            destination.mkdir(exist_ok=True)
            stage.mkdir(parents=True, exist_ok=True)
            lock = lock_file(stage / "lock")
        except OSError as error:
            raise UserError(f"{error.filename or destination}: {error.strerror}; nothing was changed") from error
        if lock is None:
            raise UserError(
                f"{destination}: another command is changing this folder; wait for it, then type this again"
            )
        at_end.callback(unlock_file, lock)
        at_end.callback((stage / "lock").unlink, missing_ok=True)
        yield


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()


def _put(new: Path, target: Path) -> None:
    """Renames a file to where it belongs: a link stays a link, and a file keeps its permissions."""
    target = Path(os.path.realpath(target))
    if target.exists():
        shutil.copymode(target, new)
    os.replace(new, target)


def _check_links(destination: Path, changes: Mapping[str, bytes | None]) -> None:
    """Refuses what would change files elsewhere, or under another name, by way of a link."""
    for path in changes:
        for above in [*Path(path).parents][-2::-1]:
            if (destination / above).is_symlink():
                raise UserError(
                    f"{destination / above}: a link to {os.readlink(destination / above)}, through which {path} would "
                    "be written; nothing was changed; put the folder itself there, or its files"
                )
        if not Path(os.path.realpath(destination / path)).is_relative_to(os.path.realpath(destination)):
            raise UserError(
                f"{destination / path}: a link to {os.readlink(destination / path)}, outside the folder; nothing was "
                "changed; put the file itself there"
            )


def _stage(destination: Path, changes: Mapping[str, bytes | None], merged: Mapping[str, bytes]) -> None:
    """Writes all that will be renamed, or leaves the destination as it was."""
    # What a killed merge has kept must outlive a failure of its repetition.
    made = [destination / folder for folder in (_NEW, _MERGED) if folder == _NEW or not (destination / folder).exists()]
    try:
        shutil.rmtree(destination / _NEW, ignore_errors=True)
        for path, content in merged.items():
            if read_merged(destination, path) != content:
                _write(destination / _MERGED / path, content)
        for path, content in changes.items():
            if content is not None:
                _write(destination / _NEW / path, content)
        _check_writable(destination, changes)
    except BaseException as error:
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise UserError(f"{error.filename or destination}: {error.strerror}; nothing was changed") from error
        raise


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as stream:
        stream.write(content)
        # Otherwise a power cut after the rename can leave an empty file under the final name.
        stream.flush()
        os.fsync(stream.fileno())


def _check_writable(destination: Path, changes: Mapping[str, bytes | None]) -> None:
    """Finds a folder that is not ours to write to now, and not among the renames."""
    for folder in sorted({(destination / path).parent for path in changes}):
        while not folder.exists():
            folder = folder.parent
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def _remove_empty_folders(folder: Path, destination: Path) -> None:
    """Removes a folder that holds nothing but compiled Python, and then those above it."""
    with contextlib.suppress(OSError):
        while folder != destination:
            if folder.exists():
                if [entry.name for entry in folder.iterdir()] == ["__pycache__"]:
                    shutil.rmtree(folder / "__pycache__")
                folder.rmdir()
            folder = folder.parent


def listed(paths: list[str], most: int = 5) -> str:
    """Names a handful of paths and counts the rest: "a.py, b.py and 3 more"."""
    paths = [str(path) for path in paths]
    if len(paths) > most:
        return f"{', '.join(paths[:most])} and {len(paths) - most} more"
    return ", ".join(paths)
