"""Runs the command line, or a script, as a user would: in this process, or in one of its own."""

import base64
import contextlib
import functools
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest

import cli as front_door
from tests.forked import IS_POSSIBLE, Forked

ROOT = Path(__file__).resolve().parent.parent
COMMAND = (sys.executable, str(ROOT / "cli.py"))
# What Python shows to a user who asked for no warnings.
UNSEEN = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def cli(
    *arguments, cwd: Path, status: int = 0, stdin: str | bytes = b"", pictures: bool = False, **environment
) -> Done:
    """Runs `python cli.py ARGUMENTS` in `cwd`; its exit code must be `status`.

    It runs in this process, where TensorFlow is already there, its state of Keras that of a new process; and where a
    run's model that was loaded or exported before, as it is now, need not be traced again, nor matplotlib's pictures
    drawn: without `pictures` their files are blank. What a process of its own shows, that all is imported and
    registered that a command needs, and all that is in its pictures, is `cli_process`'s to show.
    No traceback may show, and nothing of TensorFlow's own chatter.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        patch.setattr(sys, "argv", [COMMAND[1], *map(str, arguments)])
        for name, value in environment.items():
            patch.setenv(name, value)
        with (
            fresh_keras(),
            models_traced_once(),
            contextlib.nullcontext() if pictures else blank_pictures(),
            standard_streams(stdin.encode() if isinstance(stdin, str) else stdin) as files,
            shown_warnings(),
        ):
            code = 0
            try:
                front_door.main()
            except SystemExit as end:
                code = end.code
    return checked(Done(code or 0, *(_content(file) for file in files)), status)


def cli_process(*arguments, cwd: Path, status: int = 0, stdin: bytes = b"", **environment) -> Done:
    """Does what `cli` does in a process of its own, which takes longer."""
    return checked(run_program(COMMAND[1], *arguments, cwd=cwd, stdin=stdin, **environment), status)


def run_program(*program, cwd: Path, stdin: bytes = b"", **environment) -> Done:
    """Runs `python PROGRAM` in a process of its own to its end, however that comes.

    Args:
        program: A script and its arguments, or `-m`, a module and its arguments.
        cwd: The folder to run in.
        stdin: What it reads from standard input.
        environment: Variables besides a user's.
    """
    if IS_POSSIBLE:
        process = Forked(program, cwd, user_environment(environment), stdin)
        output = process.communicate()
        return Done(process.returncode, *output)
    command = [sys.executable, *map(str, program)]
    done = subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, env=user_environment(environment))
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def checked(done: Done, status: int = 0) -> Done:
    assert done.returncode == status, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    for noise in ("oneDNN custom operations", "cuda", "absl", "WARNING", "I0000", "UserWarning"):
        assert noise not in done.stdout + done.stderr, done.stderr
    return done


def user_environment(changes: dict[str, str] | None = None) -> dict[str, str]:
    """The environment of a user's process: TensorFlow has all threads, of which `tests/conftest.py` leaves it one."""
    return {name: value for name, value in os.environ.items() if name != "TF_NUM_INTRAOP_THREADS"} | (changes or {})


@contextlib.contextmanager
def fresh_keras():
    """Keras and TensorFlow as a new process finds them, and afterwards as if nothing had been run."""
    loggers = {logging.getLogger(name): logging.getLogger(name).level for name in ("tensorflow", "absl")}
    _forget_session()
    try:
        yield
    finally:
        _forget_session()
        for logger, level in loggers.items():
            logger.setLevel(level)


def _forget_session() -> None:
    """Resets layers' automatic names, the dtype policy, seeds and determinism."""
    if "keras" not in sys.modules:
        return
    import keras
    from tensorflow.python.framework import config

    keras.utils.clear_session(free_memory=False)
    config.disable_op_determinism()


@contextlib.contextmanager
def models_traced_once():
    """Within it `serving.load` and `export` give what they gave for the same files of a run and the same configuration."""
    with pytest.MonkeyPatch.context() as patch:
        for name in front_door.TEMPLATES:
            if serving := sys.modules.get(f"templates.{name}.serving"):
                patch.setattr(serving, "load", functools.partial(_load_once, serving.load))
                patch.setattr(serving, "export", functools.partial(_export_once, serving.export))
        yield


@contextlib.contextmanager
def blank_pictures():
    """Within it matplotlib's figures are saved as a single dot, at a tenth of what drawing one takes."""
    from matplotlib.figure import Figure

    def save(figure, path, **_):
        Path(path).write_bytes(_DOT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", save)
        yield


_DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

# The last ones: each takes some 50 MB.
_loaded: dict[tuple, object] = {}
MOST_LOADED = 4
# Copies, which no test touches.
_exported: dict[tuple, tempfile.TemporaryDirectory] = {}


def _load_once(load, run, config):
    key = _key(load, run, config)
    _loaded[key] = _loaded.pop(key, None) or load(run, config)
    if len(_loaded) > MOST_LOADED:
        del _loaded[next(iter(_loaded))]
    return _loaded[key]


def _export_once(export, run, config, folder: Path) -> None:
    key = _key(export, run, config)
    if key in _exported:
        shutil.copytree(_exported[key].name, folder, dirs_exist_ok=True)
        return
    export(run, config, folder)
    _exported[key] = tempfile.TemporaryDirectory()
    shutil.copytree(folder, _exported[key].name, dirs_exist_ok=True)
    if len(_exported) > MOST_LOADED:
        _exported.pop(next(iter(_exported))).cleanup()


def _key(function, run, config) -> tuple:
    states = [(file, file.stat()) for file in sorted(run.path.absolute().iterdir()) if file.is_file()]
    files = tuple((str(file), state.st_ino, state.st_mtime_ns, state.st_size) for file, state in states)
    return function.__module__, files, repr(config)


@contextlib.contextmanager
def standard_streams(stdin: bytes):
    """Files in the place of standard input, output and error, for native code too, which knows them by their numbers.

    Yields:
        The files of output and error.
    """
    names = ("stdin", "stdout", "stderr")
    before = [getattr(sys, name) for name in names]
    for stream in before[1:]:
        stream.flush()
    saved = [os.dup(number) for number in range(3)]
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile()) for _ in names]
        # The copies outlive the stack's files, which are read when all is over.
        kept = [os.fdopen(os.dup(file.fileno()), "rb") for file in files[1:]]
        files[0].write(stdin)
        files[0].seek(0)
        try:
            for number, (name, file) in enumerate(zip(names, files, strict=True)):
                os.dup2(file.fileno(), number)
                mode = "w" if number else "r"
                setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
            yield kept
        finally:
            for number, name in enumerate(names):
                if number:
                    getattr(sys, name).flush()
                os.dup2(saved[number], number)
                os.close(saved[number])
                setattr(sys, name, before[number])


def _content(file) -> str:
    with file:
        file.seek(0)
        return file.read().decode()


@contextlib.contextmanager
def shown_warnings():
    """Shows on standard error the warnings that a user would see; pytest collects them otherwise."""
    with warnings.catch_warnings():
        warnings.resetwarnings()
        for category in UNSEEN:
            warnings.simplefilter("ignore", category)
        warnings.showwarning = lambda *given, **_: print(warnings.formatwarning(*given[:4]), file=sys.stderr)
        yield


def shell(command: str, cwd: Path, status: int = 0) -> subprocess.CompletedProcess:
    """Types a command into a shell, in which `$CLI` is `python cli.py`; its exit code must be `status`.

    Nothing on standard error may come from Python itself.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = user_environment({"PATH": path, "CLI": f"python {ROOT / 'cli.py'}"})
    done = subprocess.run(["sh", "-c", command], cwd=cwd, capture_output=True, text=True, env=environment)
    assert done.returncode == status, f"{command}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr, done.stderr
    return done


def change_as_readme_says(copy: Path, template: str) -> None:
    """Makes the changes to a copy that its template's README shows: to the model, and of the metrics."""
    changes = (copy / template / "README.md").read_text(encoding="utf-8").split("```diff\n")[1:]
    assert len(changes) == 2
    for change in changes:
        patch = change.partition("```")[0].encode()
        subprocess.run(["git", "apply", "-"], cwd=copy, input=patch, check=True)


def start(*arguments, cwd: Path, **environment) -> Forked | subprocess.Popen:
    """Starts `python cli.py ARGUMENTS`, standard error where standard output goes, and leaves it running."""
    program, environment = (COMMAND[1], *map(str, arguments)), user_environment(environment)
    if IS_POSSIBLE:
        return Forked(program, cwd, environment, merged=True)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen([sys.executable, *program], cwd=cwd, env=environment, **streams)


def run_python(script: str) -> str:
    """Runs Python's code in a process of its own, and returns what it prints."""
    done = run_program("-c", script, cwd=ROOT, PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stderr
    return done.stdout
