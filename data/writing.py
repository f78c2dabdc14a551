"""Files that appear whole or not at all: a reader never sees half of one, a full disk leaves the old one in place."""

import contextlib
import gzip
import io
import json
import lzma
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TextIO, cast

from data.errors import UserError

# What the name of a file begins with while it is being written.
TEMPORARY = ".unfinished-"
# Of the name that follows it, the last characters: most file systems end at 255 bytes, and a character may take four.
LONGEST_NAME = 50


@contextlib.contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Gives a temporary path beside `path`, and moves it over `path` when the block ends well.

    Args:
        path: The file to write. Its folder must exist. A link stays a link, and a file keeps its permissions.

    Yields:
        A path in the same folder with the same suffixes (libraries choose a format by suffix). Whatever the block
        writes there is flushed to the disk and then renamed; if the block raises, it is removed and `path` stays as it
        was.

    Example:
        with replacing(run / "metrics.json") as temporary:
            temporary.write_text("{}")
    """
    named, path = path, Path(os.path.realpath(path))
    temporary = _unfinished(path)
    try:
        yield temporary
        if path.exists():
            with contextlib.suppress(OSError):
                shutil.copymode(path, temporary)
        # Without the flush, a power cut after the rename can leave an empty file under the final name.
        with open(temporary, "rb+") as stream:
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        _name_place(error, temporary, named)
        raise


def _unfinished(path: Path) -> Path:
    return path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name[-LONGEST_NAME:]}")


def _name_place(error: BaseException, temporary: Path, path: Path | str) -> None:
    """Raises for an error of the system one that names the place which the user knows.

    "No space left on device" comes without the file that had none, others with the name that it has for a while.
    """
    if isinstance(error, OSError) and error.errno:
        where = os.fspath(error.filename) if isinstance(error.filename, (str, os.PathLike)) else ""
        if not where or Path(where).is_relative_to(temporary):
            raise OSError(error.errno, error.strerror, str(path)) from error


@contextlib.contextmanager
def replacing_folder(path: Path | str) -> Iterator[Path]:
    """Gives a temporary folder beside `path`, and renames it to `path` when the block ends well.

    Args:
        path: The folder to make; if it exists it must be empty. Its parents are made.

    Yields:
        An empty folder for the block to fill; if the block raises, it is removed.
    """
    path = Path(path)
    made = [folder for folder in path.parents if not folder.exists()]
    temporary = _unfinished(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        yield temporary
        if path.is_dir():
            path.rmdir()
        os.replace(temporary, path)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        for folder in made:
            with contextlib.suppress(OSError):  # not there, or not empty: somebody else's
                folder.rmdir()
        _name_place(error, temporary, path)
        raise


def write_text(path: Path | str, text: str) -> None:
    """Writes `text` as UTF-8, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path | str, value) -> None:
    """Writes `value` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


@contextlib.contextmanager
def writing(path: Path | None) -> Iterator[TextIO]:
    """Opens a file that appears whole or not at all, or standard output for None.

    Args:
        path: The file; its suffix may be .gz or .xz, which compress. To a pipe or a device it is written as it comes.

    Yields:
        A text stream in UTF-8, in which half a character becomes "?": one row must not cost all the others.

    Raises:
        UserError: The path is a folder, or its folder is not there.
    """
    if path is None:
        yield sys.stdout
        return
    if path.is_dir():
        raise UserError(f"{path} is a folder; expected the name of a file to write")
    if not path.parent.is_dir():
        raise UserError(f"{path}: the folder {path.parent} does not exist; make it first")
    with contextlib.ExitStack() as within:
        cannot_be_replaced = path.exists() and not path.is_file()
        place = path if cannot_be_replaced else within.enter_context(replacing(path))
        binary: IO[bytes] = within.enter_context(open(place, "wb"))
        if path.suffix.lower() == ".gz":
            # No name and no time in the archive: the same rows give the same bytes.
            packed = gzip.GzipFile(filename="", mode="wb", fileobj=binary, mtime=0)
            binary = cast(IO[bytes], within.enter_context(packed))
        elif path.suffix.lower() == ".xz":
            binary = within.enter_context(lzma.LZMAFile(binary, "wb"))
        text = io.TextIOWrapper(binary, encoding="utf-8", errors="replace", newline="\n")
        yield within.enter_context(text)
