"""`run sentiment` on IMDB beside Keras's published bidirectional-LSTM example, one after the other in one run.

Every run is a process of its own, timed from its start to the end of its last epoch. Each finished run's `metrics.json`
is written to `benchmarks/results/` at once, with the command and the time.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"


@click.command()
@click.option("--data", required=True, help="The folder with IMDB's train and test files, or imdb_reviews.")
@click.option("--seed", "seeds", type=int, multiple=True, default=(0, 1, 2), show_default=True)
@click.option("--cell", type=click.Choice(["simple_rnn", "gru", "lstm"]), default="gru", show_default=True)
@click.option("--keras/--no-keras", "with_keras", default=True, help="Run Keras's example too, first.")
def main(data: str, seeds: tuple[int, ...], cell: str, with_keras: bool):
    """Times and measures `run sentiment --cell CELL`, once per seed, and Keras's example."""
    RESULTS.mkdir(exist_ok=True)
    rows = []
    if with_keras:
        command = [sys.executable, "-m", "benchmarks.keras_bilstm", data]
        seconds, output = run(command, "epochs done")
        record = {"model": "keras_bilstm", "wall_seconds": seconds, **json.loads(output[-1])}
        rows.append(save("sentiment-keras_bilstm", record, "python -m benchmarks.keras_bilstm DATA"))
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            run_dir = Path(folder) / "run"
            flags = ["--cell", cell, "--seed", str(seed)]
            command = [sys.executable, str(ROOT / "cli.py"), "run", "sentiment", "--data", data, *flags]
            seconds, _ = run([*command, "--run-dir", str(run_dir)], "epoch ", "validation loss")
            record = {"model": cell, "wall_seconds": seconds, **json.loads((run_dir / "metrics.json").read_text())}
            shutil.copy(run_dir / "history.csv", RESULTS / f"sentiment-{cell}-seed{seed}.csv")
            typed = f"python cli.py run sentiment --data DATA {' '.join(flags)}"
            rows.append(save(f"sentiment-{cell}-seed{seed}", record, typed))
    for row in rows:
        click.echo(
            f"{row['model']:14} seed {row['seed']}  {row['wall_seconds']:6.1f} s  test {row['test']['accuracy']:.4f}"
        )


def run(command: list[str], *end_marks: str) -> tuple[float, list[str]]:
    """Runs a command and shows its output.

    Args:
        command: The command.
        end_marks: The last line that holds all of these ends the time that counts.

    Returns:
        The seconds from the start of the process to that line, and all lines.
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


def save(name: str, record: dict, command: str) -> dict:
    """Writes a result beside the command that gave it."""
    record = {"command": command, **record}
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n")
    return record


if __name__ == "__main__":
    main()
