"""Processes that begin where TensorFlow is imported already, which costs a process of its own six seconds.

They are forked from one that has imported what others have written, nothing of ours, and has run nothing: what they
import, register and compute, how they are stopped and what they leave is as in a process that a user starts.
"""

import atexit
import contextlib
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Of what a run imports, what takes long.
IMPORTED = ["tensorflow", "keras", "matplotlib.figure", "sacrebleu", "PIL.Image"]
# Elsewhere a library may not work after a fork.
IS_POSSIBLE = sys.platform == "linux"


class Forked:
    """A process of Python's, with those of the methods of `subprocess.Popen` that tests use.

    Args:
        program: What would follow `python`: a script and its arguments, `-m`, a module and its arguments, or `-c` and code.
        cwd: The folder to run in.
        environment: All of its environment.
        stdin: What it reads from standard input.
        merged: Whether standard error goes where standard output goes.
    """

    def __init__(self, program, cwd: Path, environment: dict[str, str], stdin: bytes = b"", merged: bool = False):
        self._folder = tempfile.TemporaryDirectory()
        files = [Path(self._folder.name, name) for name in ("stdin", "stdout", "stderr")]
        for file in files:
            file.write_bytes(stdin if file.name == "stdin" else b"")
        self._outputs = files[1:]
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(IMPORTED)
        streams = [str(file) for file in [*files[:2], files[1 if merged else 2]]]
        arguments = [str(argument) for argument in program], str(cwd), dict(environment), streams
        self._process = context.Process(target=_run, args=arguments, daemon=True)
        self._process.start()
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("python", timeout or 0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it has written to standard output and standard error, when it has ended."""
        self.wait(timeout)
        return self.written(), self._outputs[1].read_bytes().decode()

    def written(self) -> str:
        """What it has written to standard output until now."""
        return self._outputs[0].read_bytes().decode()


def _is_of_the_project(file: str) -> bool:
    """Whether a module's file is the project's own, and not one of an environment in a folder of it, `.venv` say."""
    return file.startswith(f"{ROOT}{os.sep}") and not file.startswith(f"{sys.prefix}{os.sep}")


def _run(program: list[str], cwd: str, environment: dict[str, str], streams: list[str]) -> None:
    """Becomes the process of a program: its folder, environment, streams and modules."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    for number, (file, name) in enumerate(zip(streams, ("stdin", "stdout", "stderr"), strict=True)):
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND if number else os.O_RDONLY)
        os.dup2(descriptor, number)
        os.close(descriptor)
        setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115
    places = environment.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = [*filter(None, places), *(place for place in sys.path if Path(place).resolve() != ROOT)]
    for name, module in list(sys.modules.items()):
        if name == "__mp_main__" or _is_of_the_project(str(getattr(module, "__file__", None))):
            del sys.modules[name]
    try:
        if program[0] == "-c":
            exec(program[1], {"__name__": "__main__"})
        elif program[0] == "-m":
            sys.path.insert(0, cwd)
            sys.argv = program[1:]
            runpy.run_module(program[1], run_name="__main__", alter_sys=True)
        else:
            sys.path.insert(0, str(Path(program[0]).parent))
            sys.argv = program
            runpy.run_path(program[0], run_name="__main__")
    finally:
        with contextlib.suppress(Exception):
            atexit._run_exitfuncs()
