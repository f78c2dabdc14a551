"""Runs the command line, or a script, as a user would, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def cli(
    *arguments, cwd: Path, status: int = 0, stdin: str | bytes | None = None, **environment
) -> subprocess.CompletedProcess:
    """Runs `python cli.py ARGUMENTS` in `cwd`; its exit code must be `status`.

    No traceback may show, and nothing of TensorFlow's own chatter.
    """
    command = [sys.executable, str(ROOT / "cli.py"), *map(str, arguments)]
    stdin = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(command, cwd=cwd, input=stdin or b"", capture_output=True, env=os.environ | environment)
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == status, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    for noise in ("oneDNN", "cuda", "absl", "WARNING", "I0000", "UserWarning"):
        assert noise not in done.stdout + done.stderr, done.stderr
    return done


def shell(command: str, cwd: Path, status: int = 0) -> subprocess.CompletedProcess:
    """Types a command into a shell, in which `$CLI` is `python cli.py`; its exit code must be `status`.

    Nothing on standard error may come from Python itself.
    """
    environment = os.environ | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "CLI": f"python {ROOT / 'cli.py'}",
    }
    done = subprocess.run(["sh", "-c", command], cwd=cwd, capture_output=True, text=True, env=environment)
    assert done.returncode == status, f"{command}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr, done.stderr
    return done


def start(*arguments, cwd: Path) -> subprocess.Popen:
    """Starts `python cli.py ARGUMENTS` and leaves it running."""
    command = [sys.executable, str(ROOT / "cli.py"), *map(str, arguments)]
    return subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run_python(script: str) -> str:
    """Runs Python's code in a process of its own, and returns what it prints."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout
