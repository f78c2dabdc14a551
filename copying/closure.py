"""What a template needs beside its own folder: shared modules that it imports, samples, and other people's packages."""

import ast
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data.errors import UserError

SHARED = ("rnn_layers", "data", "training")
# What draws the inside of networks: a template's module, and all that is there for it alone. Without it a copy is an
# eighth shorter and does the rest as before.
INSIDE, INSIDE_ROOMS = "inside.py", ("training.pages", "training.commands.show", "training.commands.demo")
INSIDE_PACKAGE = "training/pages/__init__.py"


@dataclass(frozen=True)
class Closure:
    """What a template needs.

    Args:
        files: From a path in the copy ("data/errors.py") to the file here; the shared modules, the files beside them
            that are not Python, and the template's samples.
        third_party: The top-level names of the imported packages that are neither shared nor Python's own ("keras").
    """

    files: dict[str, Path]
    third_party: frozenset[str]


@dataclass(frozen=True)
class _Import:
    """One import statement: `from <level dots><module> import <names>`, or `import <module>` when names is None."""

    module: str
    names: tuple[str, ...] | None
    level: int
    line: int
    optional: bool


def template_files(template_folder: Path | str, *, inside: bool = False) -> dict[str, Path]:
    """Finds a template's own files: all but hidden ones and compiled Python.

    Args:
        template_folder: `templates/<name>`.
        inside: With the module that draws what is inside its network.

    Returns:
        From a path inside the folder (with `/`) to the file, sorted.

    Raises:
        UserError: The folder is not a template.
    """
    folder = Path(template_folder)
    if not (folder / "__init__.py").is_file():
        raise UserError(f"{folder}: no such template; `list` shows those there are")
    return {path: file for path, file in _files_below(folder).items() if inside or path != INSIDE}


def closure(template_folder: Path | str, *, inside: bool = False, shared: tuple[str, ...] = SHARED) -> Closure:
    """Finds what a template needs, from every import in its files and in the modules that those import.

    Nothing is imported: whole syntax trees are read, function bodies included, and names are mapped to files. Shared
    packages are found by their import specs, wherever they lie.

    Args:
        template_folder: `templates/<name>`.
        inside: With what draws the inside of networks.
        shared: The packages whose modules travel.

    Returns:
        The closure.

    Raises:
        UserError: An import could not work in a copy: of a module that does not exist, of another template, of another
            part of the project.

    Example:
        >>> sorted(closure("templates/sentiment").files)[:2]
        ['data/__init__.py', 'data/batches.py']
    """
    template_folder = Path(template_folder).resolve()
    name, project = template_folder.name, template_folder.parent.parent
    folders = {package: folder for package in shared if (folder := _package_folder(package))}
    files: dict[str, Path] = {}
    third_party: set[str] = set()
    pending = [(f"{name}/{path}", file) for path, file in template_files(template_folder, inside=inside).items()]
    while pending:
        path, source = pending.pop()
        if source.suffix != ".py":
            continue
        for found in _imports(source):
            module = _absolute_name(found, path, source)
            top = module.partition(".")[0]
            if top == name and found.level:
                continue  # its own folder travels whole
            if not inside and f"{module}.".startswith(tuple(f"{room}." for room in INSIDE_ROOMS)):
                continue
            if top in folders:
                for new, file in _module_files(folders[top], module, found, source).items():
                    if new not in files:
                        files[new] = file
                        pending.append((new, file))
            elif top in shared or top == name or _is_part_of(project, top):
                raise UserError(
                    f"{source}:{found.line}: imports {module}, which would not be in a copy; a template may "
                    f"import {', '.join(shared)}, its own modules relatively, and installed packages"
                )
            elif top not in sys.stdlib_module_names and not found.optional:
                third_party.add(top)
    files |= _files_beside(files)
    for package, folder in folders.items():
        samples = _files_below(folder / "samples" / name)
        files |= {f"{package}/samples/{name}/{path}": file for path, file in samples.items() if file.suffix != ".py"}
    return Closure(dict(sorted(files.items())), frozenset(third_party))


def _package_folder(package: str) -> Path | None:
    # For a name without dots this looks the package up and does not import it.
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _is_part_of(project: Path, top: str) -> bool:
    return (project / f"{top}.py").is_file() or any((project / top).glob("*.py"))


def _imports(source: Path) -> Iterator[_Import]:
    try:
        tree = ast.parse(source.read_bytes())
    except (SyntaxError, ValueError) as error:
        line, reason = getattr(error, "lineno", None) or 1, getattr(error, "msg", error)
        raise UserError(f"{source}:{line}: not valid Python, so its imports cannot be read ({reason})") from None
    optional = {
        id(node)
        for guard in ast.walk(tree)
        if _expects_absence(guard)
        for statement in guard.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _Import(alias.name, None, 0, node.lineno, id(node) in optional)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            yield _Import(node.module or "", names, node.level, node.lineno, id(node) in optional)


def _expects_absence(node: ast.AST) -> bool:
    """Whether this is a `try` that goes on without what its body imports."""
    return isinstance(node, ast.Try) and any(
        isinstance(part, ast.Name) and part.id in ("ImportError", "ModuleNotFoundError")
        for handler in node.handlers
        if handler.type
        for part in ast.walk(handler.type)
    )


def _absolute_name(found: _Import, path: str, source: Path) -> str:
    if not found.level:
        return found.module
    package = path.split("/")[:-1]
    if found.level > len(package):
        raise UserError(
            f"{source}:{found.line}: the relative import leaves {package[0]}, which would not work in a "
            "copy; import shared modules by absolute name, and nothing of another template"
        )
    base = package[: len(package) - found.level + 1]
    return ".".join([*base, found.module] if found.module else base)


def _module_files(top_folder: Path, module: str, found: _Import, source: Path) -> dict[str, Path]:
    """The files that importing a shared module runs: the packages above it, itself, and submodules among the names."""
    files = _path_to(top_folder, module)
    if files is None:
        raise UserError(f"{source}:{found.line}: imports {module}, which does not exist")
    for name in found.names or ():
        files |= _path_to(top_folder, f"{module}.{name}") or {}
    return files


def _path_to(top_folder: Path, module: str) -> dict[str, Path] | None:
    """From paths in the copy to files, for a module and the packages above it; None when there is no such module."""
    files = {}
    folder, parts = top_folder.parent, module.split(".")
    for index, part in enumerate(parts):
        here = "/".join(parts[: index + 1])
        # The top package's folder comes from its spec; its name need not be the package's (an editable install's map).
        folder = top_folder if index == 0 else folder / part
        if (folder / "__init__.py").is_file():
            files[f"{here}/__init__.py"] = folder / "__init__.py"
        elif index == len(parts) - 1 and folder.with_suffix(".py").is_file():
            files[f"{here}.py"] = folder.with_suffix(".py")
        elif not folder.is_dir():
            return None
    return files


def _files_beside(modules: dict[str, Path]) -> dict[str, Path]:
    """Files that are not Python in the folders of travelling modules: a module may open what lies beside it."""
    return {
        f"{path.rpartition('/')[0]}/{file.name}": file
        for path, module in modules.items()
        for file in module.parent.iterdir()
        if file.is_file() and not file.name.startswith(".") and file.suffix not in (".py", ".pyc")
    }


def _files_below(folder: Path) -> dict[str, Path]:
    found = {file.relative_to(folder): file for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc"}
    return {
        path.as_posix(): file
        for path, file in sorted(found.items())
        if not any(part == "__pycache__" or part.startswith(".") for part in path.parts)
    }
