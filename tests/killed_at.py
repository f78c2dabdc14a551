"""Runs the command line in a process that kills itself, as `kill -9` would, at a point of its life that is named.

    python -m tests.killed_at half:latest.npz:2 run sentiment --data sample

The points, N counted from 1:
    half:NAME:N                  half of the bytes of a file are written, the N-th time that NAME is
    unnamed:NAME:N               all of them are, and the file has its temporary name still
    before:MODULE:FUNCTION:N     a function, or Class.method, is about to be called for the N-th time
    inside:MODULE:FUNCTION:N     as before, of the functions that FUNCTION makes: a step, say
"""

import importlib
import itertools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path


def kill_here() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killing_at(number: int, function: Callable, calls: itertools.count) -> Callable:
    """The function, but for the call that is the number-th."""

    def wrapped(*arguments, **named):
        if next(calls) == number:
            kill_here()
        return function(*arguments, **named)

    return wrapped


def kill_at_file(name: str, number: int, whole: bool) -> None:
    """Kills where the writing of a file ends: each gets its name by `os.replace`."""
    replace, calls = os.replace, itertools.count(1)

    def replacing(source, target):
        if Path(target).name == name and next(calls) == number:
            if not whole and os.path.isfile(source):
                os.truncate(source, os.path.getsize(source) // 2)
            kill_here()
        replace(source, target)

    os.replace = replacing


def kill_at_call(module: str, function: str, number: int, inside: bool) -> None:
    """Kills at a call of a function, or of what the function gives."""
    *owner, name = function.split(".")
    holder = importlib.import_module(module)
    for part in owner:
        holder = getattr(holder, part)
    original, calls = getattr(holder, name), itertools.count(1)

    def making(*arguments, **named):
        return killing_at(number, original(*arguments, **named), calls)

    setattr(holder, name, making if inside else killing_at(number, original, calls))


def main() -> None:
    point, *rest = sys.argv[1:]
    kind, *where, number = point.split(":")
    from training.commands.tensorflow_import import import_tensorflow

    import_tensorflow()
    import training.progress

    # At all steps where one is asked for, however long it takes: the same points in each process.
    training.progress.SHARE_OF_CHECKPOINTS = float("inf")
    if kind in ("half", "unnamed"):
        kill_at_file(*where, int(number), whole=kind == "unnamed")
    else:
        kill_at_call(*where, int(number), inside=kind == "inside")
    import cli

    sys.argv = ["cli.py", *rest]
    cli.main()


if __name__ == "__main__":
    main()
