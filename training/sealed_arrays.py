"""Arrays in an `.npz` file with a seal at its end: the SHA-256 of all that stands before it.

A zip's own checksums know nothing of its names, of a file cut short behind its end, or of one that goes on there.
"""

import hashlib
import io
import json
import os
from pathlib import Path

import numpy as np

SEAL = b"sha256"
SEAL_SIZE = len(SEAL) + hashlib.sha256().digest_size


class _Hashed(io.RawIOBase):
    """A stream that is hashed as it is written, and cannot go back."""

    def __init__(self, stream):
        self.stream, self.hash = stream, hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, content) -> int:
        self.hash.update(content)
        return self.stream.write(content)


def write_sealed(path: Path, about: dict, arrays: dict[str, np.ndarray]) -> None:
    """Writes arrays and what is to be known about them, and waits until they are on the disk.

    Args:
        path: The file; `np.load` reads it, too.
        about: Whatever JSON holds; it becomes the array `record`.
        arrays: The arrays by name.
    """
    record = np.array(json.dumps({**about, "sealed": True}))
    with open(path, "wb") as stream:
        hashed = _Hashed(stream)
        np.savez(hashed, record=record, **arrays)  # type: ignore[arg-type]
        stream.write(SEAL + hashed.hash.digest())
        stream.flush()
        os.fsync(stream.fileno())


def read_sealed(path: Path) -> tuple[dict, dict[str, np.ndarray]] | None:
    """Reads what `write_sealed` wrote, all of it.

    Returns:
        What is to be known about the arrays (empty where a file has no `record`), and the arrays by name; None if the
        file is missing or damaged. A file without a seal, as earlier versions wrote, is whole if it can be read.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    is_sealed = content[-SEAL_SIZE:] == SEAL + hashlib.sha256(memoryview(content)[:-SEAL_SIZE]).digest()
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(str(arrays.pop("record", "{}")))
    except Exception:
        # A damaged archive raises what it likes: BadZipFile, ValueError, EOFError, KeyError, zlib.error, RuntimeError.
        if is_sealed:
            raise
        return None
    return (about, arrays) if is_sealed or "sealed" not in about else None
