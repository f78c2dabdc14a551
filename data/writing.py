"""Files that appear whole or not at all: a reader never sees half of one, a full disk leaves the old one in place."""

import contextlib
import gzip
import json
import lzma
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

# What the name of a file begins with while it is being written.
TEMPORARY = ".unfinished-"


@contextlib.contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Gives a temporary path beside `path`, and moves it over `path` when the block ends well.

    Args:
        path: The file to write. Its folder must exist.

    Yields:
        A path in the same folder with the same suffixes (libraries choose a format by suffix). Whatever the block
        writes there is flushed to the disk and then renamed; if the block raises, it is removed and `path` stays as it
        was.

    Example:
        with replacing(run / "metrics.json") as temporary:
            temporary.write_text("{}")
    """
    path = Path(path)
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
    try:
        yield temporary
        # Without the flush, a power cut after the rename can leave an empty file under the final name.
        with open(temporary, "rb+") as stream:
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and not error.filename:
            # "No space left on device" comes without the file that had none.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


@contextlib.contextmanager
def replacing_folder(path: Path | str) -> Iterator[Path]:
    """Gives a temporary folder beside `path`, and renames it to `path` when the block ends well.

    Args:
        path: The folder to make; if it exists it must be empty. Its parents are made.

    Yields:
        An empty folder for the block to fill; if the block raises, it is removed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
    try:
        temporary.mkdir()
        yield temporary
        if path.is_dir():
            path.rmdir()
        os.replace(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
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
    """Opens a file that appears whole or not at all (.gz and .xz compress), or standard output for None."""
    if path is None:
        yield sys.stdout
        return
    opener = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix.lower(), open)
    with replacing(path) as temporary, opener(temporary, "wt", encoding="utf-8", newline="\n") as stream:
        yield stream
