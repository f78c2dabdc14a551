"""Commands that are printed for a user to type."""

import os
import re
import shlex
from pathlib import Path


def as_typed(*words: str | Path) -> str:
    """Words as one command line for the shell of this system, each quoted where it must be.

    Args:
        words: The command's words; those that are a `Path` never look like an option.

    Example:
        as_typed("python", "cli.py", "predict", Path("my runs/a"))   # python cli.py predict 'my runs/a'
        as_typed("cd", Path("-x"))                                   # cd ./-x
    """
    return " ".join(map(_quoted, words))


def _quoted(word: str | Path) -> str:
    if isinstance(word, Path) and str(word).startswith("-"):
        word = os.path.join(os.curdir, word)
    if os.name == "nt":
        # cmd and PowerShell; no name of a file has a quote in it.
        return str(word) if re.fullmatch(r"[\w.:/\\=+-]+", str(word)) else f'"{word}"'
    return shlex.quote(str(word))
