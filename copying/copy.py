"""Copies a template with everything that it needs into a folder of the user's, byte for byte."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from copying.closure import SHARED, closure, template_files
from copying.record import RECORD, read_base, read_record, record_files
from copying.requirements import requirements_text
from copying.text import same
from copying.writing import STAGE, finish, install, listed, read_file
from data.errors import UserError
from data.quoting import as_typed

REQUIREMENTS = "requirements.txt"


@dataclass(frozen=True)
class CopyResult:
    """What a copy did.

    Attributes:
        destination: the folder as it was given.
        template: the template's name.
        written: paths in the folder that are new or renewed, sorted; empty when everything was there already.
        kept: paths of the template's files that were there already with the same content, sorted.
        commands: what to type next, in order.
    """

    destination: Path
    template: str
    written: tuple[str, ...]
    kept: tuple[str, ...]
    commands: tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """All of the template's files in the copy, sorted: written and kept."""
        return tuple(sorted(self.written + self.kept))


def copy_template(
    template_folder: Path | str, name: str, destination: Path | str, version: str, *, shared: tuple[str, ...] = SHARED
) -> CopyResult:
    """Copies a template, the shared modules that it imports, its samples and its requirements; rewrites nothing.

    The destination may be new, empty, or an earlier copy of the same version, to which the template is added. Either
    everything is written or, after a refusal or a failure, nothing; a copy killed among its last renames is completed
    by the same command typed again.

    Args:
        template_folder: `templates/<name>`.
        name: the template's name, which its folder bears.
        destination: the folder to copy into; its parent must exist.
        version: the project's version.
        shared: the packages whose modules travel.

    Returns:
        What was written and what to type next.

    Raises:
        UserError: when the destination is refused or the template could not run outside the project.
        OSError: when the disk or the permissions do not allow it; the destination is then as it was.

    Example:
        >>> copy_template("templates/sentiment", "sentiment", "../reviews", "0.1.0").commands
        ('cd ../reviews', 'python -m pip install -r requirements.txt', 'python -m sentiment run')
    """
    template_folder, destination = Path(template_folder), Path(destination)
    _check_place(destination, template_folder.resolve())
    files = files_of({name: template_folder}, shared=shared)
    finish(destination)
    record = read_record(destination)
    base = {}
    if record is None:
        _check_empty(destination)
        templates = (name,)
    else:
        if record.version != version:
            raise UserError(
                f"{destination}: a copy of version {record.version}, and this is version {version}; bring "
                "it up to date with `diff --merge` first, or copy into a new folder"
            )
        base = read_base(destination, record)
        templates = tuple(sorted({*record.templates, name}))
        folders = {template: template_folder.parent / template for template in templates}
        files[REQUIREMENTS] = files_of(folders, shared=shared)[REQUIREMENTS]
    found = {path: read_file(destination / path) for path in files}
    _check_changed(destination, name, files, found, base)
    base |= files
    new = {path: content for path, content in files.items() if not _is_there(path, content, found[path])}
    changes = new | record_files(version, templates, base)
    found |= {path: read_file(destination / path) for path in changes.keys() - found.keys()}
    changes = {path: content for path, content in changes.items() if content != found[path]}
    if changes:
        install(destination, changes, found)
    go = () if os.path.abspath(destination) == os.getcwd() else (as_typed("cd", destination),)
    return CopyResult(
        destination,
        name,
        tuple(sorted(new)),
        tuple(sorted(files.keys() - new.keys())),
        (*go, f"python -m pip install -r {REQUIREMENTS}", f"python -m {name} run"),
    )


def files_of(template_folders: Mapping[str, Path], *, shared: tuple[str, ...] = SHARED) -> dict[str, bytes]:
    """Reads all files that a copy of some templates holds, `.template.json` and `base.zip` aside.

    Args:
        template_folders: from a template's name to its folder; all lie in one `templates` folder.
        shared: the packages whose modules travel.

    Returns:
        From a path in the copy to the file's bytes, sorted by path.

    Raises:
        UserError: when a template does not exist or could not run outside the project.
    """
    sources, third_party = {}, set()
    for name, folder in template_folders.items():
        found = closure(folder, shared=shared)
        sources |= {f"{name}/{path}": file for path, file in template_files(folder).items()} | found.files
        third_party |= found.third_party
    files = {path: file.read_bytes() for path, file in sources.items()}
    # One requirements.txt serves all the templates of a copy.
    project = next(iter(template_folders.values())).resolve().parent.parent
    files[REQUIREMENTS] = requirements_text(third_party, project).encode()
    return dict(sorted(files.items()))


def _is_there(path: str, content: bytes, found: bytes | None) -> bool:
    """Whether the folder's file will do: it is the same, or a requirements.txt that asks for all that is needed."""
    if path == REQUIREMENTS and found is not None:
        return not _missing_lines(content, found)
    return same(content, found)


def _missing_lines(needed: bytes, found: bytes) -> list[str]:
    here = {line.strip() for line in found.decode("utf-8", "replace").splitlines()}
    return [line for line in needed.decode().splitlines() if not line.startswith("#") and line.strip() not in here]


def _check_place(destination: Path, template_folder: Path) -> None:
    """Refuses a destination by where it is and what it is."""
    place, project = destination.resolve(), template_folder.parent.parent
    if place.is_relative_to(project):
        itself = place.is_relative_to(template_folder)
        inside = "the template itself" if itself else f"the project's own folder {project}"
        raise UserError(
            f"{destination}: inside {inside}; copy to a folder outside it, such as "
            f"{project.parent / f'my-{template_folder.name}'}"
        )
    if destination.is_symlink() and not destination.exists():
        raise UserError(f"{destination}: a link to nothing; remove it or give another folder")
    if destination.exists() and not destination.is_dir():
        raise UserError(f"{destination}: a file, not a folder; give a new or empty folder")
    parent = destination.absolute().parent
    if not parent.is_dir():
        raise UserError(f"{destination}: its parent {parent} is no folder; make it first or mend the path")
    if not os.access(destination if destination.exists() else parent, os.W_OK | os.X_OK):
        raise UserError(f"{destination}: no permission to write there; give a folder of your own")


def _check_empty(destination: Path) -> None:
    """Refuses a folder that holds anything but what a killed copy left."""
    if not destination.exists():
        return
    stage = destination / STAGE
    if stage.is_dir():
        # That copy was killed before its first rename: it left its stage and some empty folders.
        entries = [
            entry
            for entry in destination.rglob("*")
            if not entry.is_relative_to(stage) and (entry.is_symlink() or not entry.is_dir())
        ]
    else:
        entries = list(destination.iterdir())
    if entries:
        names = listed(sorted(entry.relative_to(destination).as_posix() for entry in entries))
        raise UserError(
            f"{destination}: neither empty nor an earlier copy (no {RECORD}); it holds {names}; "
            "give a new or empty folder"
        )


def _check_changed(
    destination: Path,
    name: str,
    files: Mapping[str, bytes],
    found: Mapping[str, bytes | None],
    base: Mapping[str, bytes],
) -> None:
    """Refuses to write over a file that is not what would be written."""
    changed = [
        path
        for path, content in files.items()
        if found[path] is not None
        and not _is_there(path, content, found[path])
        and not (path == REQUIREMENTS and same(found[path], base.get(path)))
    ]
    if not changed:
        return
    if all(same(found[path], base.get(path)) for path in changed):
        raise UserError(
            f"{destination}: the project has changed {listed(changed)} since it was copied; nothing was "
            "written; bring the copy up to date with `diff --merge` first, or copy into a new folder"
        )
    advice = f"put {'it' if len(changed) == 1 else 'them'} back or copy {name} into a new folder"
    if changed == [REQUIREMENTS]:
        advice = f"add {', '.join(_missing_lines(files[REQUIREMENTS], found[REQUIREMENTS]))} to it and copy again"
    raise UserError(
        f"{destination}: {listed(changed)} changed there since it was copied; nothing was written; {advice}"
    )
