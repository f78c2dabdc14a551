"""What the benchmarks of whole runs share: a command in a process of its own, by the clock, and where results go."""

import subprocess
import time
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"


def run(command: list[str], *end_marks: str) -> tuple[float, list[str]]:
    """Runs a command and shows its output.

    Args:
        command: The command.
        end_marks: The last line that holds all of these ends the time that counts.

    Returns:
        The seconds from the start of the process to that line, and all lines.

    Raises:
        click.ClickException: The command failed.
    """
    start, seconds, lines = time.monotonic(), 0.0, []
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        click.echo(lines[-1])
        if all(mark in line for mark in end_marks):
            seconds = time.monotonic() - start
    if process.wait():
        raise click.ClickException(f"{' '.join(command)} failed")
    return round(seconds, 1), lines
