"""Which files of a copy its owner's rules would keep out of version control, as git itself says."""

import subprocess
from collections.abc import Iterable
from pathlib import Path


def rules_that_ignore(destination: Path, paths: Iterable[str]) -> dict[str, str]:
    """Asks git which of some files it would ignore.

    Args:
        destination: The copy's folder, or where it will be.
        paths: Paths in it.

    Returns:
        From a rule, such as `.gitignore:3 (data/)`, to the first path that it takes; empty outside a repository or
        where there is no git.
    """
    place = destination if destination.is_dir() else destination.absolute().parent
    below = "" if destination.is_dir() else f"{destination.name}/"
    given = "\0".join(f"{below}{path}" for path in paths).encode()
    command = ["git", "-C", str(place), "check-ignore", "--no-index", "--verbose", "-z", "--stdin"]
    try:
        done = subprocess.run(command, input=given, capture_output=True, check=False)
    except OSError:
        return {}
    fields = done.stdout.decode("utf-8", "replace").split("\0")
    rules: dict[str, str] = {}
    for source, line, pattern, path in zip(*(fields[start::4] for start in range(4)), strict=False):
        if not pattern.startswith("!"):
            rules.setdefault(f"{source}:{line} ({pattern})", path.removeprefix(below))
    return rules
