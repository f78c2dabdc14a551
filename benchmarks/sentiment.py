"""`run sentiment` on IMDB beside Keras's published bidirectional-LSTM example, alternating in one run.

Every run is a process of its own. Two clocks: `wall_seconds` from the process's start to the end of its last epoch, and
`train_seconds`, which counts the training steps alone, tracing and compilation included, with the data prepared before.
Each finished run's `metrics.json` is written to `benchmarks/results/` at once, with the command and the times.

    python -m benchmarks.sentiment --data DATA                            the default run, to its end
    python -m benchmarks.sentiment --data DATA --epochs 2 --name fast     two epochs, beside the example's two
"""

import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import click

from benchmarks.runs import RESULTS, ROOT, run


@click.command()
@click.option("--data", required=True, help="The folder with IMDB's train and test files, or imdb_reviews.")
@click.option("--seed", "seeds", type=int, multiple=True, default=(0, 1, 2), show_default=True)
@click.option("--cell", type=click.Choice(["simple_rnn", "gru", "lstm"]), default="gru", show_default=True)
@click.option("--epochs", type=click.IntRange(min=1), help="Just so many epochs; by default the template's own rule.")
@click.option("--keras/--no-keras", "with_keras", default=True, help="Run Keras's example too, before each of ours.")
@click.option("--name", default="sentiment", show_default=True, help="The results' first word.")
def main(data: str, seeds: tuple[int, ...], cell: str, epochs: int | None, with_keras: bool, name: str):
    """Times and measures `run sentiment --cell CELL` and Keras's example, once each per seed."""
    RESULTS.mkdir(exist_ok=True)
    rows = []
    for seed in seeds:
        if with_keras:
            command = [sys.executable, "-m", "benchmarks.keras_bilstm", data, str(seed)]
            seconds, output = run(command, "epochs done")
            record = {"model": "keras_bilstm", "wall_seconds": seconds, **json.loads(output[-1])}
            rows.append(
                save(f"{name}-keras_bilstm-seed{seed}", record, f"python -m benchmarks.keras_bilstm DATA {seed}")
            )
        with tempfile.TemporaryDirectory() as folder:
            run_dir = Path(folder) / "run"
            flags = ["--cell", cell, "--seed", str(seed)]
            flags += ["--epochs", str(epochs), "--patience", "0"] if epochs else []
            command = [sys.executable, str(ROOT / "cli.py"), "run", "sentiment", "--data", data, *flags]
            seconds, _ = run([*command, "--run-dir", str(run_dir)], "epoch ", "validation loss")
            record = {"model": cell, "wall_seconds": seconds, **json.loads((run_dir / "metrics.json").read_text())}
            shutil.copy(run_dir / "history.csv", RESULTS / f"{name}-{cell}-seed{seed}.csv")
            typed = f"python cli.py run sentiment --data DATA {' '.join(flags)}"
            rows.append(save(f"{name}-{cell}-seed{seed}", record, typed))
    for row in rows:
        click.echo(
            f"{row['model']:14} seed {row['seed']}  train {row['train_seconds']:6.1f} s  "
            f"wall {row['wall_seconds']:6.1f} s  test {row['test']['accuracy']:.4f}"
        )
    for model in dict.fromkeys(row["model"] for row in rows):
        ours = [row for row in rows if row["model"] == model]
        accuracy = statistics.median(row["test"]["accuracy"] for row in ours)
        seconds = statistics.median(row["train_seconds"] for row in ours)
        click.echo(f"{model:14} median of {len(ours)}: train {seconds:6.1f} s  test {accuracy:.4f}")


def save(name: str, record: dict, command: str) -> dict:
    """Writes a result beside the command that gave it."""
    record = {"command": command, **record}
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n")
    return record


if __name__ == "__main__":
    main()
