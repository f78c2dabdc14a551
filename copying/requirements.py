"""The packages that a copy needs, with the lower bounds that the project declares."""

import configparser
import importlib.metadata
import re
from collections.abc import Iterable
from pathlib import Path

from data.errors import UserError

DISTRIBUTION = "rnn-templates"
# Import names that no spelling rule turns into the name to install.
_DISTRIBUTIONS = {"absl": "absl-py", "PIL": "pillow", "sklearn": "scikit-learn"}
# tensorflow-datasets 4.9.10 imports importlib_resources when it prepares a data set and does not declare it.
_UNDECLARED = {"tensorflow-datasets": ("importlib-resources",)}
# What is imported only where it is asked for, and what for: a copy's owner installs it by hand.
_OPTIONAL = {"huggingface-hub": "for --data hf:..."}
_HEADER = "# The packages that these files import, with the oldest versions that will do; pytest runs the tests.\n"


def requirements_text(third_party: Iterable[str], project: Path) -> str:
    """Writes a copy's requirements.txt.

    Args:
        third_party: Top-level names of imported packages.
        project: The project's root, the folder of cli.py.

    Returns:
        The file's text: one requirement a line, sorted, then pytest, and in comments what need not be there.

    Raises:
        UserError: The project's own requirements cannot be found.

    Example:
        >>> print(requirements_text({"keras"}, Path(".")))
        # The packages that these files import, ...
        keras>=3.15
        pytest>=8.3
    """
    declared = {}
    for line in declared_requirements(project):
        name = re.match(r"[\w.-]+", line).group()
        # One spelling: a clone says importlib_resources, an installed package importlib-resources.
        declared.setdefault(_normal(name), _normal(name) + line[len(name) :])
    needed = {_normal(_DISTRIBUTIONS.get(name, name)) for name in third_party} - {"pytest"}
    for name in tuple(needed):
        needed.update(_UNDECLARED.get(name, ()))
    # A package that comes with a declared one (absl with tensorflow) is named without a bound.
    lines = [declared.get(name, name) for name in [*sorted(needed - set(_OPTIONAL)), "pytest"]]
    lines += [f"# {_OPTIONAL[name]}: {declared.get(name, name)}" for name in sorted(needed & set(_OPTIONAL))]
    return _HEADER + "".join(f"{line}\n" for line in lines)


def declared_requirements(project: Path) -> list[str]:
    """Reads what the project declares: setup.cfg beside cli.py in a clone, else the installed package's metadata.

    The clone's own file comes first, because another version may be installed beside it.

    Args:
        project: The project's root.

    Returns:
        Requirement lines, those of the extras after the others and without their `extra` marker.

    Raises:
        UserError: There is neither.
    """
    file = project / "setup.cfg"
    if file.is_file():
        settings = configparser.ConfigParser(interpolation=None)
        settings.read(file, encoding="utf-8")
        lines = settings.get("options", "install_requires", fallback="").splitlines()
        if settings.has_section("options.extras_require"):
            for extra in settings.options("options.extras_require"):
                lines += settings.get("options.extras_require", extra).splitlines()
        return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    try:
        requirements = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        raise UserError(
            f"{project}: no setup.cfg, and {DISTRIBUTION} is not installed, so a copy's requirements are "
            f"unknown; copy from a whole clone or install {DISTRIBUTION}"
        ) from None
    return [_without_extra(line) for line in sorted(requirements, key=lambda line: "extra ==" in line)]


def _without_extra(line: str) -> str:
    requirement, _, marker = line.partition(";")
    marker = re.sub(r"(\s+and\s+)?\bextra\s*==\s*(['\"])[^'\"]*\2", "", marker).strip()
    return f"{requirement.strip()}; {marker}" if marker else requirement.strip()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
