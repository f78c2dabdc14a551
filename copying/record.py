"""What a copy remembers: `.template.json` (templates, version, hashes), `.template/base.zip` (the files as copied)."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from data.errors import UserError

RECORD = ".template.json"
BASE = ".template/base.zip"


@dataclass(frozen=True)
class Record:
    """The content of `.template.json`.

    Args:
        version: The project's version that the files are of.
        templates: The copied templates, sorted.
        files: From a path in the copy to the SHA-256 of the file as copied.
    """

    version: str
    templates: tuple[str, ...]
    files: dict[str, str]


def sha256(content: bytes) -> str:
    """The SHA-256 of `content` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def record_files(version: str, templates: tuple[str, ...], base: Mapping[str, bytes]) -> dict[str, bytes]:
    """Makes the two files that a copy is remembered by; the same arguments give the same bytes.

    Args:
        version: The project's version.
        templates: The copied templates.
        base: From a path in the copy to the file's bytes as copied.

    Returns:
        From the path of each of the two files to its bytes, `.template.json` last.
    """
    record = {
        "templates": sorted(templates),
        "version": version,
        "files": {path: sha256(content) for path, content in sorted(base.items())},
    }
    stream = io.BytesIO()
    # Stored, not deflated: zlib's output differs between its versions, and git packs what it holds anyway.
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for path, content in sorted(base.items()):
            entry = zipfile.ZipInfo(path, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # otherwise Windows and the others would write different bytes
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return {BASE: stream.getvalue(), RECORD: (json.dumps(record, indent=2) + "\n").encode()}


def read_record(destination: Path) -> Record | None:
    """Reads a copy's `.template.json`.

    Args:
        destination: The copy's folder.

    Returns:
        The record, or None when there is no such file.

    Raises:
        UserError: The file is damaged.
    """
    file = destination / RECORD
    try:
        value = json.loads(file.read_bytes())
        record = Record(str(value["version"]), tuple(map(str, value["templates"])), dict(value["files"]))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{file}: damaged ({type(error).__name__}: {error}); restore it from version control, "
            "or copy into a new folder"
        ) from None
    # Nothing that the record names may lie outside the copy, since merging writes and removes what it names.
    for path in [*record.files, *record.templates]:
        if {"..", "."} & set(path.split("/")) or "" in path.split("/") or {"\\", ":"} & set(path):
            raise UserError(f"{file}: damaged (names {path!r}); restore it from version control")
    return record


def read_base(destination: Path, record: Record, coming: Mapping[str, bytes]) -> dict[str, bytes]:
    """Reads the files as they were copied.

    Args:
        destination: The copy's folder.
        record: Its record.
        coming: From a path in the copy to what the project has for it now. A copy or merge that was killed between its
            two last renames has left that in `base.zip`, beside the record of before.

    Returns:
        From a path in the copy to the file's bytes as copied.

    Raises:
        UserError: `base.zip` is missing, damaged or does not fit the record.
    """
    file = destination / BASE
    try:
        with zipfile.ZipFile(file) as archive:
            base = {path: archive.read(path) for path in archive.namelist()}
    except FileNotFoundError:
        raise UserError(
            f"{file}: missing, and without it changes cannot be told apart; restore it from version control"
        ) from None
    except (zipfile.BadZipFile, zipfile.zlib.error, NotImplementedError, RuntimeError):
        raise UserError(f"{file}: damaged; restore it from version control") from None
    hashes = {path: sha256(content) for path, content in base.items()}
    for path in hashes.keys() | record.files.keys():
        if hashes.get(path) != record.files.get(path) and base.get(path) != coming.get(path):
            raise UserError(
                f"{file}: does not fit {RECORD}; restore both from the same state of version control, or, if a copy or "
                "merge was stopped, type it again with the version of the project that it began with"
            )
    return base
