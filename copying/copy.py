"""Copies a template with everything that it needs into a folder of the user's, byte for byte."""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from copying.closure import SHARED, closure, template_files
from copying.given import GITIGNORE, README, files_given
from copying.ignored import rules_that_ignore
from copying.record import BASE, RECORD, read_base, read_record, record_files, renamed_folders
from copying.requirements import requirements_text
from copying.text import same
from copying.writing import STAGE, install, listed, read_file
from data.errors import UserError
from data.quoting import as_typed

REQUIREMENTS = "requirements.txt"
# What a new repository may hold already, by how the names begin.
USUAL = (".", "license", "licence", "copying", "readme", "requirements.txt")


@dataclass(frozen=True)
class CopyResult:
    """What a copy did.

    Args:
        destination: The folder as it was given.
        template: The template's name.
        written: Paths in the folder that are new or renewed, sorted; empty when everything was there already.
        kept: Paths of files that were there already, the template's with the same content, sorted.
        sizes: From a path, written or kept, to the file's bytes in the copy.
        notes: What the owner should see to, one sentence each.
        commands: What to type next, in order.
    """

    destination: Path
    template: str
    written: tuple[str, ...]
    kept: tuple[str, ...]
    sizes: Mapping[str, int]
    notes: tuple[str, ...]
    commands: tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """All files of the copy, sorted: written and kept."""
        return tuple(sorted(self.written + self.kept))


def copy_template(
    template_folder: Path | str,
    name: str,
    destination: Path | str,
    version: str,
    *,
    inside: bool = False,
    dry_run: bool = False,
    shared: tuple[str, ...] = SHARED,
) -> CopyResult:
    """Copies a template, the shared modules that it imports, its samples and its requirements; rewrites nothing.

    The destination may be new or empty, a git repository in which nothing has the name of what comes, or an earlier
    copy of the same version, to which the template is added. A README and a .gitignore are given where there is none. A
    refusal or a full disk leaves everything as it was; a copy killed on the way is completed by the same command typed
    again.

    Args:
        template_folder: `templates/<name>`.
        name: The template's name, which its folder bears.
        destination: The folder to copy into; its parent must exist.
        version: The project's version.
        inside: With what draws the inside of networks, and the commands for it.
        dry_run: Write nothing.
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
    files = files_of({name: template_folder}, inside=[name] if inside else [], shared=shared)
    record = read_record(destination)
    folders, given_before, owned = {name: template_folder}, {}, set()
    if record is None:
        records = record_files(version, (name,), files)
        _check_free(destination, name, files | records | files_given(folders, version))
        found = {path: read_file(destination / path) for path in files}
        _check_requirements(destination, files, found)
    else:
        if name in renamed_folders(destination, record):
            raise UserError(f"{destination}: {name} is there already, as {renamed_folders(destination, record)[name]}/")
        if record.version != version:
            raise UserError(
                f"{destination}: a copy of version {record.version}, and this is version {version}; bring "
                "it up to date with `diff --merge` first, or copy into a new folder"
            )
        templates = tuple(sorted({*record.templates, name}))
        given_before = files_given({name: template_folder.parent / name for name in record.templates}, version)
        folders = {template: template_folder.parent / template for template in templates}
        with_inside = [*record.with_inside, *([name] if inside else [])]
        files[REQUIREMENTS] = files_of(folders, inside=with_inside, shared=shared)[REQUIREMENTS]
        base = read_base(destination, record, files)
        found = {path: read_file(destination / path) for path in files}
        if name in record.templates:
            # What the copy has had since, its owner may have changed.
            owned = {path for path in files if found[path] is not None and same(files[path], base.get(path))}
        _check_changed(destination, name, {path: files[path] for path in files.keys() - owned}, found, base)
        records = record_files(version, templates, base | files, record.folders)
    new = {
        path: content
        for path, content in files.items()
        if path not in owned and not _is_there(path, content, found[path])
    }
    given = {
        path: content
        for path, content in files_given(folders, version).items()
        if _may_be_given(destination, path, given_before.get(path))
    }
    new |= {path: content for path, content in given.items() if read_file(destination / path) != content}
    notes = [
        f"{rule} keeps {path} out of version control; add !/{path.rpartition('/')[0] or path} to {GITIGNORE}"
        for rule, path in rules_that_ignore(destination, [*files, *(records.keys() - {BASE})]).items()
    ]
    if not dry_run:
        install(destination, new | records, found)
    go = () if os.path.abspath(destination) == os.getcwd() else (as_typed("cd", destination),)
    return CopyResult(
        destination,
        name,
        tuple(sorted(new)),
        tuple(sorted((files | given).keys() - new.keys())),
        {path: len(content) for path, content in sorted((files | given).items())},
        tuple(notes),
        (*go, f"python -m pip install -r {REQUIREMENTS}", f"python -m {name} run"),
    )


def files_of(
    template_folders: Mapping[str, Path], *, inside: Collection[str] = (), shared: tuple[str, ...] = SHARED
) -> dict[str, bytes]:
    """Reads all files that a copy of some templates holds, `.template.json` and `base.zip` aside.

    Args:
        template_folders: From a template's name to its folder; all lie in one `templates` folder.
        inside: The templates that come with what draws the inside of their networks.
        shared: The packages whose modules travel.

    Returns:
        From a path in the copy to the file's bytes, sorted by path.

    Raises:
        UserError: A template does not exist or could not run outside the project.
    """
    sources, third_party = {}, set()
    for name, folder in template_folders.items():
        found = closure(folder, inside=name in inside, shared=shared)
        own = template_files(folder, inside=name in inside)
        sources |= {f"{name}/{path}": file for path, file in own.items()} | found.files
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


def _may_be_given(destination: Path, path: str, before: bytes | None) -> bool:
    """Whether there is no such file of the owner's: none, under any usual spelling, or the one given before."""
    if path == README and (
        others := [entry.name for entry in _entries(destination) if entry.name.lower().startswith("readme")]
    ):
        return others == [README] and same(read_file(destination / README), before)
    return read_file(destination / path) in (None, before)


def _entries(folder: Path) -> Iterable[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else ()


def _check_free(destination: Path, name: str, files: Mapping[str, bytes]) -> None:
    """Refuses a folder with anything in the way, or with anything unusual in it, if it is no repository.

    What a killed copy of these files left is not in the way.
    """
    tops = {path.partition("/")[0] for path in files} - {REQUIREMENTS, README, GITIGNORE}
    entries = list(_entries(destination))
    strangers = [
        entry.name
        for entry in entries
        if entry.name not in tops and not entry.name.lower().startswith(USUAL) and not (destination / ".git").exists()
    ]
    if strangers:
        raise UserError(
            f"{destination}: neither empty, nor a git repository, nor an earlier copy (no {RECORD}); it holds "
            f"{listed(strangers)}; give a new or empty folder"
        )
    # Some file systems take Data for data, and Python takes a package before a module of its name.
    in_the_way = [
        entry.name
        for entry in entries
        if entry.name not in tops and {entry.name.lower(), entry.name.lower().removesuffix(".py")} & tops
    ]
    for top in sorted(tops & {entry.name for entry in entries}):
        below = [destination / top, *(destination / top).rglob("*")]
        in_the_way += [
            path
            for path, entry in sorted((entry.relative_to(destination).as_posix(), entry) for entry in below)
            if (entry.is_symlink() or not entry.is_dir())
            and not path.startswith(f"{STAGE}/")
            and not (path in files and same(files[path], read_file(entry)))
        ]
    if in_the_way:
        folders = ", ".join(f"{top}/" for top in sorted(tops) if f"{top}/__init__.py" in files)
        raise UserError(
            f"{destination}: holds {listed(in_the_way)}, and the copy has {folders} of its own; rename what is there, "
            f"or copy into a new folder, such as {destination / f'{name}-project'}"
        )


def _check_requirements(destination: Path, files: Mapping[str, bytes], found: Mapping[str, bytes | None]) -> None:
    """Refuses a requirements.txt of the owner's that lacks something: it is not ours to change."""
    mine = found[REQUIREMENTS]
    if mine is not None and (missing := _missing_lines(files[REQUIREMENTS], mine)):
        raise UserError(
            f"{destination / REQUIREMENTS}: add {', '.join(missing)} to it and copy again; nothing was written"
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
