"""Kills runs by SIGKILL at random moments of their whole life, goes on with them, and compares what they end with.

    python -m benchmarks.soak

A moment may be in the import, in reading, in a step, in a checkpoint, while measuring, in the final evaluation, while
files are written, and in the export. Each run is killed several times before it is let end; then all that it left is
compared, bit for bit but for times, with what the same run left that was never touched. `pytest -m soak` does the same
with fewer kills.
"""

import collections
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.kills import COMMON, DEFAULT_SIZE, ROOT, SMALL, differences, write_small_data
from benchmarks.layer_machine import describe_machine
from data.writing import write_json

RESULTS = Path(__file__).parent / "results" / "soak.json"
# Kills of one run before it is let end.
MOST_KILLS_OF_A_RUN = 8
# So much longer than it is expected to live may a process be left alone: some end before they are killed.
MARGIN = 1.05


@dataclass(frozen=True)
class Case:
    """A run to kill.

    Args:
        template: Its template.
        network: "small", or "default" for the template's own size.
        share: The part of the template's kills that it gets.
    """

    template: str
    network: str
    share: float

    @property
    def command(self) -> tuple[str, ...]:
        flags = SMALL[self.template] if self.network == "small" else DEFAULT_SIZE
        return ("run", self.template, *COMMON, *flags, "--run-dir")


# The networks whose first step in a process once differed from its later ones are those of the default size.
CASES = (
    Case("sentiment", "small", 1.0),
    Case("ner", "small", 1.0),
    Case("captioning", "small", 0.7),
    Case("captioning", "default", 0.3),
    Case("translation", "small", 0.7),
    Case("translation", "default", 0.3),
    Case("language_model", "small", 1.0),
    Case("forecasting", "small", 1.0),
)


def start(arguments: tuple[str, ...], cwd: Path) -> subprocess.Popen:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    with open(cwd / "said.txt", "w") as said:
        command = [sys.executable, str(ROOT / "cli.py"), *arguments]
        return subprocess.Popen(command, cwd=cwd, env=environment, stdout=said, stderr=subprocess.STDOUT)


def run_to_its_end(arguments: tuple[str, ...], cwd: Path) -> float:
    """Runs a command to its end; gives its seconds."""
    began = time.monotonic()
    process = start(arguments, cwd)
    check(process.wait(), arguments, cwd)
    return time.monotonic() - began


def check(code: int, arguments: tuple[str, ...], cwd: Path) -> None:
    if code:
        said = (cwd / "said.txt").read_text(errors="replace")
        raise RuntimeError(f"{' '.join(arguments)}: exit code {code}\n{said}")


def kill_at(moment: float, arguments: tuple[str, ...], cwd: Path) -> bool:
    """Runs a command and kills it after so many seconds; gives whether it had not ended before."""
    process = start(arguments, cwd)
    with contextlib.suppress(subprocess.TimeoutExpired):
        check(process.wait(moment), arguments, cwd)
        return False
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def steps_of(run: Path) -> int:
    """The steps that a run need not make again, by its checkpoints."""
    for name in ("latest", "previous"):
        with contextlib.suppress(FileNotFoundError), np.load(run / "checkpoints" / f"{name}.npz") as arrays:
            return json.loads(str(arrays["record"]))["progress"]["step"]
    return 0


@dataclass(frozen=True)
class Whole:
    """The run that was never touched: its folder, how long it and its export lived, its steps and their seconds."""

    run: Path
    life: float
    export_life: float
    steps: int
    seconds: float


def run_whole(case: Case, cwd: Path) -> Whole:
    life = run_to_its_end((*case.command, "whole"), cwd)
    export_life = run_to_its_end(("export", "whole", "exported-whole"), cwd)
    seconds = json.loads((cwd / "whole" / "metrics.json").read_text())["train_seconds"]
    return Whole(cwd / "whole", life, export_life, steps_of(cwd / "whole"), seconds)


def soak(case: Case, kills: int, seed: int, cwd: Path) -> dict:
    """Kills runs of a case until there were so many kills.

    Args:
        case: What to run.
        kills: How many kills.
        seed: Of the moments.
        cwd: An empty folder.

    Returns:
        A row of the report: `kills`, `runs` that were compared, `moments` (what had been reached -> kills), and `lost`,
        what differed, which is to be empty.
    """
    began, choose = time.monotonic(), random.Random(f"{seed} {case.template} {case.network}")
    write_small_data(case.template, cwd)
    whole = run_whole(case, cwd)
    moments: collections.Counter[str] = collections.Counter()
    lost, runs = [], 0
    while (left := kills - moments.total()) > 0:
        runs += 1
        name, out = f"killed-{runs}", f"exported-{runs}"
        # The last kill of a run is its export's.
        wanted, here = min(left, choose.randint(3, MOST_KILLS_OF_A_RUN)), 0
        while here < wanted - 1 and not (cwd / name / "metrics.json").exists():
            life = whole.life - whole.seconds * steps_of(cwd / name) / whole.steps
            if kill_at(choose.uniform(0, life * MARGIN), (*case.command, name), cwd):
                here += 1
                moments[reached(cwd / name, whole.steps)] += 1
        run_to_its_end((*case.command, name), cwd)
        if kill_at(choose.uniform(0, whole.export_life), ("export", name, out), cwd):
            moments["exporting"] += 1
        if not (cwd / out).exists():
            run_to_its_end(("export", name, out), cwd)
        found = differences(cwd / name, whole.run) + differences_of_exports(cwd / out, cwd / "exported-whole")
        lost += [f"{name}, {line}" for line in found]
    return {
        "template": case.template, "network": case.network, "kills": moments.total(), "runs": runs,
        "moments": dict(sorted(moments.items())), "lost": lost, "seconds": round(time.monotonic() - began),
    }  # fmt: skip


def reached(run: Path, steps: int) -> str:
    """What a run that was killed had reached, by what it left."""
    if (run / "metrics.json").exists():
        return "finished, printing"
    if not (run / "checkpoints").exists():
        return "importing, reading, before there was a folder"
    done = steps_of(run)
    if not done:
        return "before the first checkpoint"
    return "after the last step" if done >= steps else "between"


def differences_of_exports(folder: Path, whole: Path) -> list[str]:
    """Whether two exports have other files or other weights; the order of functions and variables is the process's."""
    names = [{str(file.relative_to(out)) for file in out.rglob("*") if file.is_file()} for out in (folder, whole)]
    differing = sorted(names[0] ^ names[1])
    if weights_of(folder) != weights_of(whole):
        differing.append("weights")
    return [f"export: {name}" for name in differing]


def weights_of(export: Path) -> list[tuple]:
    """The values of an export's variables, in an order of their own."""
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(export / "variables" / "variables"))
    names = [name for name in reader.get_variable_to_shape_map() if not name.startswith("_CHECKPOINTABLE")]
    values = [np.asarray(reader.get_tensor(name)) for name in names]
    return sorted((value.shape, value.tobytes()) for value in values)


def kills_of(case: Case, kills_a_template: int) -> int:
    return round(case.share * kills_a_template)


@click.command(help=__doc__)
@click.option("--kills", default=50, show_default=True, help="Kills of each template's runs.")
@click.option("--seed", default=0, show_default=True, help="Of the moments.")
@click.option("--at-once", default=2, show_default=True, help="Runs at a time.")
@click.option("--template", "templates", multiple=True, help="Only these templates; the results are only printed.")
def main(kills: int, seed: int, at_once: int, templates: tuple[str, ...]) -> None:
    cases = [case for case in CASES if not templates or case.template in templates]
    out, rows = Console(soft_wrap=True, highlight=False), []

    def soak_in_new_folder(case: Case) -> dict:
        with tempfile.TemporaryDirectory() as folder:
            row = soak(case, kills_of(case, kills), seed, Path(folder))
        out.print(f"{case.template} {case.network}: {row['kills']} kills, {row['runs']} runs, lost: {row['lost'] or 0}")
        return row

    # Those that take longest first, so that none is left alone at the end.
    cases.sort(key=lambda case: case.network)
    with ThreadPoolExecutor(at_once) as pool:
        rows = list(pool.map(soak_in_new_folder, cases))
    table = Table("template", "network", "kills", "runs compared", "reached when killed", "lost", "minutes")
    for row in rows:
        moments = ", ".join(f"{count} {what}" for what, count in row["moments"].items())
        lost, minutes = str(len(row["lost"])), f"{row['seconds'] / 60:.1f}"
        table.add_row(row["template"], row["network"], str(row["kills"]), str(row["runs"]), moments, lost, minutes)
    out.print(table)
    if not templates:
        about = {"date": date.today().isoformat(), "machine": describe_machine(), "seed": seed, "at_once": at_once}
        write_json(RESULTS, {**about, "rows": rows})
    if any(row["lost"] for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
