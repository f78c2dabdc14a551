"""Runs the command line in a process that kills itself, as `kill -9` would, at a point of its life that is named.

    python -m tests.killed_at half:latest.npz:2 run sentiment --data sample --run-dir mine
    python -m tests.killed_at half:latest.npz:2 --leave killed run sentiment --data sample --run-dir mine

The second lives on: what it had written till then to the folder of `--run-dir` is copied to `killed`, as a process that
is killed there would leave it, and so the run that is never touched and the first of its kills are one process.

The points, N counted from 1:
    half:NAME:N                  half of the bytes of a file are written, the N-th time that NAME is
    unnamed:NAME:N               all of them are, and the file has its temporary name still
    before:MODULE:FUNCTION:N     a function, or Class.method, is about to be called for the N-th time
    inside:MODULE:FUNCTION:N     as before, of the functions that FUNCTION makes: a step, say
"""

import importlib
import itertools
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path


class Killing:
    """Ends the process as `kill -9` would."""

    def at_file(self, file: str, whole: bool) -> None:
        """Where a file has its temporary name still: all of it is written, or half of it."""
        if not whole and os.path.isfile(file):
            os.truncate(file, os.path.getsize(file) // 2)
        self()

    def __call__(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class Leaving:
    """Copies a run's folder to another, as it would be left by a process that is killed."""

    def __init__(self, run: Path, left: Path):
        self.run, self.left = run.absolute(), left

    def at_file(self, file: str, whole: bool) -> None:
        self()
        copy = self.left / Path(file).absolute().relative_to(self.run)
        if not whole and copy.is_file():
            os.truncate(copy, copy.stat().st_size // 2)

    def __call__(self) -> None:
        shutil.copytree(self.run, self.left)


def acting_at(number: int, function: Callable, calls: itertools.count, act: Callable) -> Callable:
    """The function, before whose number-th call `act` is called."""

    def wrapped(*arguments, **named):
        if next(calls) == number:
            act()
        return function(*arguments, **named)

    return wrapped


def act_at_file(name: str, number: int, whole: bool, act: Killing | Leaving) -> None:
    """Acts where the writing of a file ends: each gets its name by `os.replace`."""
    replace, calls = os.replace, itertools.count(1)

    def replacing(source, target):
        if Path(target).name == name and next(calls) == number:
            act.at_file(source, whole)
        replace(source, target)

    os.replace = replacing


def act_at_call(module: str, function: str, number: int, inside: bool, act: Killing | Leaving) -> None:
    """Acts at a call of a function, or of what the function gives."""
    *owner, name = function.split(".")
    holder = importlib.import_module(module)
    for part in owner:
        holder = getattr(holder, part)
    original, calls = getattr(holder, name), itertools.count(1)

    def making(*arguments, **named):
        return acting_at(number, original(*arguments, **named), calls, act)

    setattr(holder, name, making if inside else acting_at(number, original, calls, act))


def main() -> None:
    point, *rest = sys.argv[1:]
    kind, *where, number = point.split(":")
    act: Killing | Leaving = Killing()
    if rest[0] == "--leave":
        left, rest = rest[1], rest[2:]
        act = Leaving(Path(rest[rest.index("--run-dir") + 1]), Path(left))
    from training.commands.tensorflow_import import import_tensorflow

    import_tensorflow()
    import training.progress

    # At all steps where one is asked for, however long it takes: the same points in each process.
    training.progress.SHARE_OF_CHECKPOINTS = float("inf")
    if kind in ("half", "unnamed"):
        act_at_file(*where, int(number), kind == "unnamed", act)
    else:
        act_at_call(*where, int(number), kind == "inside", act)
    import cli

    sys.argv = ["cli.py", *rest]
    cli.main()


if __name__ == "__main__":
    main()
