"""Copies a template with everything that it needs into a folder of the user's, byte for byte."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from copying.closure import SHARED, closure, template_files
from copying.record import RECORD, read_base, read_record, record_files
from copying.requirements import requirements_text
from copying.text import same
from copying.writing import STAGE, install, listed, read_file
from data.errors import UserError
from data.quoting import as_typed

REQUIREMENTS = "requirements.txt"


@dataclass(frozen=True)
class CopyResult:
    """What a copy did.

    Args:
        destination: The folder as it was given.
        template: The template's name.
        written: Paths in the folder that are new or renewed, sorted; empty when everything was there already.
        kept: Paths of the template's files that were there already with the same content, sorted.
        commands: What to type next, in order.
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

    The destination may be new, empty, or an earlier copy of the same version, to which the template is added. A refusal
    or a full disk leaves everything as it was; a copy killed on the way is completed by the same command typed again.

    Args:
        template_folder: `templates/<name>`.
        name: The template's name, which its folder bears.
        destination: The folder to copy into; its parent must exist.
        version: The project's version.
        shared: The packages whose modules travel.

    Returns:
        What was written and what to type next.

    Raises:
        UserError: The destination is refused, the template could not run outside the project, or a file cannot be
            written.

    Example:
        >>> copy_template("templates/sentiment", "sentiment", "../reviews", "0.1.0").commands
        ('cd ../reviews', 'python -m pip install -r requirements.txt', 'python -m sentiment run')
    """
    template_folder, destination = Path(template_folder), Path(destination)
    _check_place(destination, template_folder.resolve())
    files = files_of({name: template_folder}, shared=shared)
    record = read_record(destination)
    if record is None:
        records = record_files(version, (name,), files)
        _check_empty(destination, files | records)
        found = {path: read_file(destination / path) for path in files}
    else:
        if record.version != version:
            raise UserError(
                f"{destination}: a copy of version {record.version}, and this is version {version}; bring "
                "it up to date with `diff --merge` first, or copy into a new folder"
            )
        templates = tuple(sorted({*record.templates, name}))
        folders = {template: template_folder.parent / template for template in templates}
        files[REQUIREMENTS] = files_of(folders, shared=shared)[REQUIREMENTS]
        base = read_base(destination, record, files)
        found = {path: read_file(destination / path) for path in files}
        _check_changed(destination, name, files, found, base)
        records = record_files(version, templates, base | files)
    new = {path: content for path, content in files.items() if not _is_there(path, content, found[path])}
    install(destination, new | records, found)
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
        template_folders: From a template's name to its folder; all lie in one `templates` folder.
        shared: The packages whose modules travel.

    Returns:
        From a path in the copy to the file's bytes, sorted by path.

    Raises:
        UserError: A template does not exist or could not run outside the project.
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


def _check_empty(destination: Path, files: Mapping[str, bytes]) -> None:
    """Refuses a folder that holds anything but what a killed copy of these files left."""
    if not destination.exists():
        return
    tops = {path.partition("/")[0] for path in files}
    foreign = [entry.name for entry in destination.iterdir() if entry.name not in tops]
    if not foreign:
        below = {entry.relative_to(destination).as_posix(): entry for entry in destination.rglob("*")}
        foreign = [
            path
            for path, entry in below.items()
            if (entry.is_symlink() or not entry.is_dir())
            and not path.startswith(f"{STAGE}/")
            and not (path in files and same(files[path], read_file(entry)))
        ]
    if foreign:
        raise UserError(
            f"{destination}: neither empty nor an earlier copy (no {RECORD}); it holds {listed(sorted(foreign))}; "
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
