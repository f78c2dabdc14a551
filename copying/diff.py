"""Compares a copy with the project of today, and merges what changed on both sides since it was copied."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from packaging.version import Version

from copying.closure import SHARED
from copying.copy import files_of
from copying.record import RECORD, Record, located, read_base, read_record, record_files, renamed_folders
from copying.text import (
    has_conflict,
    has_windows_ends,
    is_text,
    merge_three_ways,
    same,
    unified_diff,
    with_line_ends,
)
from copying.writing import install, listed, read_file, read_merged
from data.errors import UserError

Status = Literal["same", "yours", "upstream", "both", "added", "removed", "deleted", "markers"]
MEANINGS: dict[str, str] = {
    "same": "as in the project",
    "yours": "changed by you",
    "upstream": "changed in the project",
    "both": "changed by you and in the project",
    "added": "new in the project",
    "removed": "no longer in the project",
    "deleted": "deleted by you",
    "markers": "conflict markers of a merge; edit between them",
}


@dataclass(frozen=True)
class FileStatus:
    """How one file of a copy stands.

    Args:
        path: The path in the copy, with `/`.
        status: A key of MEANINGS. "both" also covers a file that one side deleted and the other changed; "markers" goes
            before all others.
        base: The file as copied; None when the project has added it since, or when it was not part of the copy.
        yours: The file in the copy today; None when it is not there.
        upstream: The file in the project today; None when it is not there.
    """

    path: str
    status: Status
    base: bytes | None = field(repr=False)
    yours: bytes | None = field(repr=False)
    upstream: bytes | None = field(repr=False)

    @property
    def meaning(self) -> str:
        """The status in words."""
        if self.status == "both" and self.yours is None:
            return "deleted by you, changed in the project"
        if self.status == "both" and self.upstream is None:
            return "changed by you, no longer in the project"
        if self.status == "both" and self.base is None:
            return "new in the project, and another file of yours is in its place"
        return MEANINGS[self.status]

    def diff(self, of_project: bool = False) -> str:
        """Shows the changes since the copy: yours, then the project's; empty when there are none.

        Args:
            of_project: Show the project's alone, as `git apply` takes them in the copy.

        Returns:
            Unified diffs as one text.
        """
        yours = unified_diff(self.base, self.yours, f"copied/{self.path}", f"yours/{self.path}")
        upstream = unified_diff(self.base, self.upstream, f"copied/{self.path}", f"project/{self.path}")
        if of_project:
            windows = has_windows_ends(self.yours or b"")
            return with_line_ends(upstream.encode(), windows).decode() if windows else upstream
        shown = {"same": "", "yours": yours, "deleted": yours, "both": yours + upstream, "markers": yours + upstream}
        return shown.get(self.status, upstream)


@dataclass(frozen=True)
class Conflict:
    """A file that a person must finish.

    Args:
        path: The file.
        beside: The file written beside it, which holds the other version.
        advice: What to do.
    """

    path: str
    beside: str
    advice: str


@dataclass(frozen=True)
class MergeResult:
    """What a merge did; paths in the copy, sorted.

    Args:
        taken: Files taken from the project (changed or new there).
        merged: Files in which both changes came together.
        removed: Files removed because the project has them no longer and you had not changed them.
        kept: Your changed or deleted files that the project had not changed.
        conflicts: Files that a person must finish.
        notes: One sentence on each file that one side deleted and the other changed.
        version_before, version: The project's versions that the copy is of before and after.
    """

    taken: tuple[str, ...]
    merged: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]
    conflicts: tuple[Conflict, ...]
    notes: tuple[str, ...]
    version_before: str
    version: str


def copied(destination: Path | str) -> Record:
    """What a folder was copied from.

    Args:
        destination: A folder that `copy_template` wrote.

    Returns:
        The templates, the version, and the files' hashes.

    Raises:
        UserError: The folder is not a copy.
    """
    record = read_record(Path(destination))
    if record is None:
        raise UserError(
            f"{destination}: not a copy (no {RECORD}); give the folder that `copy` wrote, or, if it was stopped, type "
            "that again first"
        )
    return record


def compare(
    destination: Path | str, templates_folder: Path | str, *, shared: tuple[str, ...] = SHARED
) -> list[FileStatus]:
    """Compares a copy with what was copied and with what would be copied today; writes nothing.

    Args:
        destination: A folder that `copy_template` wrote.
        templates_folder: The project's `templates`.
        shared: The packages whose modules travel.

    Returns:
        One status for each file of the copy, sorted by path; your own other files are not listed.

    Raises:
        UserError: The folder is not a copy, its record is damaged, or the project has lost one of its templates.

    Example:
        for file in compare("../reviews", "templates"):
            if file.status != "same":
                print(file.path, file.meaning)
    """
    destination = Path(destination)
    record = copied(destination)
    record = replace(record, folders=renamed_folders(destination, record))
    folders = {name: Path(templates_folder) / name for name in record.templates}
    upstream = files_of(folders, inside=record.with_inside, shared=shared)
    base = read_base(destination, record, upstream)
    statuses = []
    for path in base.keys() | upstream.keys():
        place = located(path, record.folders)
        versions = base.get(path), read_file(destination / place), upstream.get(path)
        # What neither side has any longer is nobody's business.
        if versions[1:] != (None, None):
            statuses.append(FileStatus(place, _status(*versions), *versions))
    return sorted(statuses, key=lambda file: file.path)


def merge(
    destination: Path | str, templates_folder: Path | str, version: str, *, shared: tuple[str, ...] = SHARED
) -> MergeResult:
    """Brings a copy up to the project of today and keeps your changes.

    What only the project changed is taken; what both changed is merged line by line. Where both changed the same lines,
    both versions stand in the file between conflict markers and your version is kept as FILE.orig; a file that is not
    text stays yours, with the project's beside it as FILE.project. A full disk leaves everything as it was; a merge
    killed on the way is completed by the same command typed again.

    Args:
        destination: A folder that `copy_template` wrote.
        templates_folder: The project's `templates`.
        version: The project's version.
        shared: The packages whose modules travel.

    Returns:
        What was done. The copy then counts as one of this version: only your changes show in `compare`.

    Raises:
        UserError: As `compare`, conflict markers of an earlier merge still stand in a file to be merged, or a file
            cannot be written.
    """
    destination = Path(destination)
    record = copied(destination)
    if Version(record.version) > Version(version):
        raise UserError(
            f"{destination}: a copy of version {record.version}, and this is version {version}; merge it with a "
            "project that is as new at least"
        )
    statuses = compare(destination, templates_folder, shared=shared)
    found = {file.path: file.yours for file in statuses}
    statuses = [_before_merging(file, destination) for file in statuses]
    folders = renamed_folders(destination, record)
    names = {folder: name for name, folder in folders.items()}
    upstream = {located(file.path, names): file.upstream for file in statuses if file.upstream is not None}
    records = record_files(version, record.templates, upstream, folders)
    unfinished = [file.path for file in statuses if file.status == "markers"]
    if unfinished:
        if all(same(file.base, file.upstream) for file in statuses):
            install(destination, records, {})  # all that a killed merge may have left to do
        raise UserError(
            f"{destination}: {listed(unfinished)} still has conflict markers of a merge; edit between them, then merge "
            "again"
        )
    # What neither side has any longer may have left empty folders when a merge was killed.
    were = {located(path, folders) for path in record.files}
    gone = [path for path in sorted(were - found.keys()) if read_file(destination / path) is None]
    windows = all(has_windows_ends(file.yours) for file in statuses if file.yours and file.path.endswith(".py"))
    changes: dict[str, bytes | None] = dict.fromkeys(gone)
    merged, conflicts, notes = [], [], []
    for file in statuses:
        if file.status in ("upstream", "added", "removed"):
            ends = windows if file.yours is None else has_windows_ends(file.yours)
            changes[file.path] = file.upstream and with_line_ends(file.upstream, ends)
        elif file.status == "both" and file.yours is None:
            notes.append(f"{file.path}: you deleted it and the project changed it; it stays deleted")
        elif file.status == "both" and file.upstream is None:
            notes.append(
                f"{file.path}: you changed it and the project removed or moved it; it stays, but the project no longer "
                "uses it"
            )
        elif file.status == "both":
            conflict = _merge_file(file, destination, changes)
            if conflict:
                conflicts.append(conflict)
            else:
                merged.append(file.path)
    changes |= records
    both = {file.path: file.yours for file in statuses if file.status == "both" and file.path in changes}
    install(destination, changes, found, both)
    by_status = {status: tuple(file.path for file in statuses if file.status == status) for status in MEANINGS}
    return MergeResult(
        tuple(sorted(by_status["upstream"] + by_status["added"])),
        tuple(merged),
        by_status["removed"],
        tuple(sorted(by_status["yours"] + by_status["deleted"])),
        tuple(conflicts),
        tuple(notes),
        record.version,
        version,
    )


def _status(base: bytes | None, yours: bytes | None, upstream: bytes | None) -> Status:
    if has_conflict(yours) and not has_conflict(base):
        return "markers"
    if same(yours, upstream):
        return "same"
    if same(yours, base):
        return "added" if base is None else "removed" if upstream is None else "upstream"
    if same(upstream, base):
        return "deleted" if yours is None else "yours"
    return "both"


def _before_merging(file: FileStatus, destination: Path) -> FileStatus:
    """The file as it was before a merge that was killed after renaming it; any other file as it is.

    Merging what was merged already need not end the same: markers would be taken for the owner's lines, and where both
    sides changed lines that are alike, one can come twice or go missing.
    """
    kept = read_merged(destination, file.path) if file.status in ("both", "markers") else None
    if None in (kept, file.yours, file.upstream) or not all(map(is_text, (kept, file.base or b"", file.upstream))):
        return file
    merged, _ = merge_three_ways(file.base or b"", kept, file.upstream)
    return replace(file, yours=kept, status=_status(file.base, kept, file.upstream)) if merged == file.yours else file


def _merge_file(file: FileStatus, destination: Path, changes: dict[str, bytes | None]) -> Conflict | None:
    """Adds to `changes` what merging a file takes; returns the conflict if there is one."""
    if not all(is_text(content or b"") for content in (file.base, file.yours, file.upstream)):
        beside = _free_path(destination, f"{file.path}.project", file.upstream)
        changes[beside] = file.upstream
        return Conflict(file.path, beside, f"not text, so it stays as it was; the project's version is {beside}")
    content, conflict = merge_three_ways(file.base or b"", file.yours, file.upstream)
    if not conflict:
        changes[file.path] = content
        return None
    beside = _free_path(destination, f"{file.path}.orig", file.yours)
    changes |= {beside: file.yours, file.path: content}  # in this order
    return Conflict(file.path, beside, f"edit it between <<<<<<< and >>>>>>>; your version is kept as {beside}")


def _free_path(destination: Path, path: str, content: bytes) -> str:
    """A path for `content` that overwrites nothing: `path`, or with a number at its end."""
    candidate, number = path, 1
    while (destination / candidate).is_dir() or read_file(destination / candidate) not in (None, content):
        candidate, number = f"{path}.{number}", number + 1
    return candidate
