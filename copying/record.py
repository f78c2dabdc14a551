"""What a copy remembers: `.template.json` (templates, version, hashes), `.template/base.zip` (the files as copied)."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from copying.closure import INSIDE, INSIDE_PACKAGE
from copying.writing import listed, read_file
from data.errors import UserError

RECORD = ".template.json"
BASE = ".template/base.zip"
# A rule of the owner's such as *.zip must not keep it from version control.
KEPT = {".template/.gitignore": b"!*\n"}


@dataclass(frozen=True)
class Record:
    """The content of `.template.json`.

    Args:
        version: The project's version that the files are of.
        templates: The copied templates, sorted.
        files: From a path in the copy to the SHA-256 of the file as copied.
        folders: From a template to what its owner calls its folder, if that is another name.
    """

    version: str
    templates: tuple[str, ...]
    files: dict[str, str]
    folders: dict[str, str] = field(default_factory=dict)

    @property
    def with_inside(self) -> tuple[str, ...]:
        """The templates that were copied with what draws the inside of their networks; all, where none has a module."""
        if INSIDE_PACKAGE not in self.files:
            return ()
        return tuple(name for name in self.templates if f"{name}/{INSIDE}" in self.files) or self.templates


def sha256(content: bytes) -> str:
    """The SHA-256 of `content` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def record_files(
    version: str, templates: tuple[str, ...], base: Mapping[str, bytes], folders: Mapping[str, str] | None = None
) -> dict[str, bytes]:
    """Makes the files that a copy is remembered by; the same arguments give the same bytes.

    Args:
        version: The project's version.
        templates: The copied templates.
        base: From a path in the copy to the file's bytes as copied.
        folders: What the owner calls a template's folder, if that is another name.

    Returns:
        From the path of each of these files to its bytes, `.template.json` last.
    """
    record = {
        "templates": sorted(templates),
        "version": version,
        **({"folders": dict(sorted(folders.items()))} if folders else {}),
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
    return {**KEPT, BASE: stream.getvalue(), RECORD: (json.dumps(record, indent=2) + "\n").encode()}


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
        folders = {str(name): str(folder) for name, folder in dict(value.get("folders", {})).items()}
        record = Record(str(value["version"]), tuple(map(str, value["templates"])), dict(value["files"]), folders)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{file}: damaged ({type(error).__name__}: {error}); restore it from version control, "
            "or copy into a new folder"
        ) from None
    # Nothing that the record names may lie outside the copy, since merging writes and removes what it names.
    for path in [*record.files, *record.templates, *record.folders.values()]:
        if {"..", "."} & set(path.split("/")) or "" in path.split("/") or {"\\", ":"} & set(path):
            raise UserError(f"{file}: damaged (names {path!r}); restore it from version control")
    return record


def read_base(destination: Path, record: Record, coming: Mapping[str, bytes]) -> dict[str, bytes]:
    """Reads the files as they were copied.

    Where `base.zip` is lost, they are found again as far as they are unchanged here or in the project.

    Args:
        destination: The copy's folder.
        record: Its record.
        coming: From a path in the copy to what the project has for it now. A copy or merge that was killed between its
            two last renames has left that in `base.zip`, beside the record of before.

    Returns:
        From a path in the copy to the file's bytes as copied.

    Raises:
        UserError: `base.zip` is damaged or does not fit the record, or is missing and a file cannot be found again.
    """
    file = destination / BASE
    try:
        with zipfile.ZipFile(file) as archive:
            base = {path: archive.read(path) for path in archive.namelist()}
    except FileNotFoundError:
        return _found_again(destination, record, coming)
    except (zipfile.BadZipFile, zipfile.zlib.error, NotImplementedError, RuntimeError):
        raise UserError(f"{file}: damaged; restore it from version control, or remove it") from None
    hashes = {path: sha256(content) for path, content in base.items()}
    for path in hashes.keys() | record.files.keys():
        if hashes.get(path) != record.files.get(path) and base.get(path) != coming.get(path):
            raise UserError(
                f"{file}: does not fit {RECORD}; restore both from the same state of version control, or, if a copy or "
                "merge was stopped, type it again with the version of the project that it began with"
            )
    return base


def _found_again(destination: Path, record: Record, coming: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files as they were copied, by their hashes."""
    base, lost = {}, []
    for path, expected in record.files.items():
        mine = read_file(destination / located(path, record.folders))
        candidates = coming.get(path), mine, mine and mine.replace(b"\r\n", b"\n")
        fitting = [content for content in candidates if content is not None and sha256(content) == expected]
        if fitting:
            base[path] = fitting[0]
        else:
            lost.append(path)
    if lost:
        templates = " and ".join(record.templates)
        raise UserError(
            f"{destination / BASE}: missing, and without it what changed in {listed(lost)} cannot be told; restore it "
            f"from version control, or copy {templates} of version {record.version} of the project into a new folder "
            f"and move that folder's {BASE} here"
        )
    return base


def located(path: str, folders: Mapping[str, str]) -> str:
    """Where a copy has a file: a template's folder may have another name there."""
    top, slash, below = path.partition("/")
    return f"{folders.get(top, top)}{slash}{below}" if slash else path


def renamed_folders(destination: Path, record: Record) -> dict[str, str]:
    """Finds the templates' folders that the owner has renamed.

    Args:
        destination: The copy's folder.
        record: Its record.

    Returns:
        From a template's name to its folder's, where that is another: the one that has most of the files, at least
        half of them.
    """
    known = {path.partition("/")[0] for path in record.files}
    found = {}
    for name in record.templates:
        if (destination / name).exists():
            continue
        if name in record.folders and (destination / record.folders[name]).is_dir():
            found[name] = record.folders[name]
            continue
        own = [path.partition("/")[2] for path in record.files if path.startswith(f"{name}/")]
        candidates = [
            (sum((folder / path).is_file() for path in own), folder.name)
            for folder in sorted(destination.iterdir())
            if folder.is_dir() and folder.name not in known and not folder.name.startswith(".")
        ]
        count, folder = max(candidates, default=(0, ""))
        if own and 2 * count >= len(own):
            found[name] = folder
    return found
