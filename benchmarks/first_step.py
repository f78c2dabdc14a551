"""What a user waits for before a run has taken its first step, and where that time goes.

    python -m benchmarks.first_step
    python -m benchmarks.first_step translation=multi30k ner=sample

Each template's `run` with its default settings, of its sample or of the data that are named, until its first step is
done; the median of several processes. `results/first_step.json` gets the seconds of TensorFlow's import, of what comes
between (reading the data, learning a vocabulary, building the network), and of the first step, in which TensorFlow
traces and compiles what it computes; and those of the second step, which is as fast as those after it.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date
from importlib import import_module
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.runs import RESULTS, ROOT
from data.writing import write_json

TEMPLATES = ("sentiment", "ner", "captioning", "translation", "language_model", "forecasting")
PROGRAM = """import json, sys
from benchmarks.first_step import until_second_step
print(json.dumps(until_second_step(*sys.argv[1:])))"""
PARTS = ("import", "data and network", "first step", "second step")


@click.command(help=__doc__)
@click.argument("measured", nargs=-1, metavar="[TEMPLATE=DATA]...")
@click.option("--repeats", type=click.IntRange(min=1), default=3, show_default=True, help="Processes of each.")
@click.option("--output", default=RESULTS / "first_step.json", type=click.Path(path_type=Path))
def main(measured: tuple[str, ...], repeats: int, output: Path) -> None:
    data = data_of_each(measured)
    found = {template: measure(template, data[template], repeats) for template in data}
    # Here, where no process is timed any more.
    from benchmarks.layer_machine import describe_machine, versions

    names = {template: Path(name).name for template, name in data.items()}
    about = {"machine": describe_machine(), "versions": versions(), "date": str(date.today()), "data": names}
    write_json(output, {**about, "seconds": found})
    table = Table("", *PARTS)
    for template, seconds in found.items():
        table.add_row(template, *(f"{seconds[part]:.2f}" for part in PARTS))
    Console(soft_wrap=True, highlight=False).print(table)


def data_of_each(measured: tuple[str, ...]) -> dict[str, str]:
    """The data of every template, from TEMPLATE=DATA; the sample's where none are named."""
    data = dict.fromkeys(TEMPLATES, "sample")
    for argument in measured:
        template, _, name = argument.partition("=")
        if template not in data or not name:
            raise click.UsageError(f"{argument!r}: expected TEMPLATE=DATA, of one of {', '.join(TEMPLATES)}")
        data[template] = str(Path(name).absolute()) if Path(name).exists() else name
    return data


def measure(template: str, data: str, repeats: int) -> dict[str, float]:
    """The seconds of each of the `PARTS`, medians over processes."""
    found = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            command = [
                sys.executable,
                "-c",
                PROGRAM,
                template,
                "--data",
                data,
                "--no-test",
                "--run-dir",
                f"{folder}/run",
            ]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise click.ClickException(f"run {template} failed: {done.stderr[-2000:]}")
        found.append(json.loads(done.stdout.splitlines()[-1]))
    return {part: round(statistics.median(one[part] for one in found), 2) for part in PARTS}


class SeenEnough(Exception):
    """Ends a run that has shown what was to be seen."""


def until_second_step(template: str, *flags: str) -> dict[str, float]:
    """Runs a template until its second step is done; the seconds of each of the `PARTS`."""
    from training.commands.tensorflow_import import import_tensorflow

    config = import_module(f"templates.{template}.config")
    marks = [time.perf_counter()]
    import_tensorflow(config.USES_ONEDNN)
    marks.append(time.perf_counter())

    def begun():
        marks.append(time.perf_counter())

    def done(step):
        marks.append(time.perf_counter())
        if step == 2:
            raise SeenEnough

    watch_steps(template, flags, begun, done)
    return {part: end - begin for part, begin, end in zip(PARTS, marks, marks[1:], strict=False)}


def watch_steps(template: str, flags: Sequence[str], begun: Callable[[], None], done: Callable[[int], None]) -> None:
    """Runs a template in this process until what watches its steps has seen enough.

    Args:
        template: Its name.
        flags: Those of its `run`.
        begun: Called before the first step of an epoch.
        done: Called after each step, with its number from 1; raises `SeenEnough`.
    """
    from cli import run_group
    from training.progress import Progress

    steps, step_done = Progress.steps, Progress.step_done

    def watched_steps(self, *arguments):
        begun()
        yield from steps(self, *arguments)

    def watched_step_done(self, loss, *arguments):
        # To have read it is to have waited for the step.
        float(loss)
        done(self.step + 1)
        step_done(self, loss, *arguments)

    Progress.steps, Progress.step_done = watched_steps, watched_step_done
    try:
        run_group().main([template, *flags], standalone_mode=False)
    except SeenEnough:
        return
    finally:
        Progress.steps, Progress.step_done = steps, step_done
    raise click.ClickException("the run ended before enough of its steps")


if __name__ == "__main__":
    main()
