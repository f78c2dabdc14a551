"""What checkpoints take of a run's time: each template's own network on its sample.

    python -m benchmarks.checkpoints
    python -m benchmarks.checkpoints ner --epochs 8

`results/checkpoints.json` gets, for each template, how often a checkpoint was written, its bytes, the seconds that all
of them took, those of the run, from the command to its end, and the share. A longer run has a smaller one: its first
checkpoint and its last are always written.
"""

import json
import os
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import click

from benchmarks.kills import SMALL
from benchmarks.layer_machine import describe_machine
from benchmarks.processes import process_for_each
from data.writing import write_json

RESULTS = Path(__file__).parent / "results" / "checkpoints.json"


@click.command(help=__doc__)
@click.argument("templates", nargs=-1, type=click.Choice(list(SMALL)))
@click.option("--epochs", default=3, help="Of each run.")
def main(templates: tuple[str, ...], epochs: int) -> None:
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for template in templates or SMALL:
        with process_for_each([template]) as processes:
            figures = processes[template].submit(run, template, epochs).result()
        print(f"{template}: {json.dumps(figures)}", flush=True)
        results[template] = figures
        write_json(RESULTS, results)


def run(template: str, epochs: int) -> dict:
    """Runs a template, and gives the figures of its checkpoints."""
    import cli
    from training import progress

    save, seconds = progress.save_checkpoint, []

    def timed(*arguments) -> None:
        began = time.monotonic()
        save(*arguments)
        seconds.append(time.monotonic() - began)

    progress.save_checkpoint = timed
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        flags = ["--data", "sample", "--epochs", str(epochs), "--run-dir", "run"]
        sys.argv = ["cli.py", "run", template, *flags]
        began = time.monotonic()
        try:
            cli.main()
        except SystemExit as end:
            if end.code:
                raise RuntimeError(f"{template}: exit code {end.code}") from None
        ended = time.monotonic()
        size = Path("run", "checkpoints", "latest.npz").stat().st_size
    return {
        "command": f"run {template} {' '.join(flags[:-2])}", "checkpoints": len(seconds), "bytes": size,
        "seconds": round(sum(seconds), 3), "run_seconds": round(ended - began, 1),
        "share": round(sum(seconds) / (ended - began), 4), "machine": describe_machine(),
        "date": date.today().isoformat(),
    }  # fmt: skip


if __name__ == "__main__":
    main()
