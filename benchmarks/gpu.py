"""All that has to be seen on a machine with a GPU, in one command of a few minutes.

    python -m benchmarks.gpu

Every step runs in a process of its own, so that one that fails or hangs does not take the others with it. Its line is
added to the output as it ends: the name, the seconds, whether all went well, its figures, and the end of what it
printed if not. Steps in which nothing is timed run side by side.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console
from rich.table import Table

from benchmarks.gpu_checks import TESTS

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ("sentiment", "ner", "translation", "captioning", "language_model", "forecasting")
# What a forecast is made of is a table, and its export takes numbers: the tests ask it.
EXPORTED = TEMPLATES[:-1]
# With less time left no step is begun.
LEAST_SECONDS = 10
# So much of what a failed step printed is kept, and so much of it shown.
ERROR_CHARACTERS, SHOWN_CHARACTERS = 3000, 700


class Step(NamedTuple):
    """A part of the work.

    Args:
        name: What `--step` takes.
        module: Which module of this folder holds its function.
        function: Called in the process with the folder to work in, whether to keep all small, and a function that takes
            figures as keywords and records them at once.
        seconds: After so long the process is stopped; what it has recorded until then stays.
        arguments: What the function is called with besides.
    """

    name: str
    module: str
    function: str
    seconds: int
    arguments: tuple = ()

    def call(self, folder: Path, small: bool, record: Callable) -> None:
        getattr(import_module(f"benchmarks.{self.module}"), self.function)(folder, small, record, *self.arguments)


# The steps of one group run side by side; runs come first, since others go on with what they leave.
GROUPS = (
    (Step("machine", "gpu_checks", "describe", 60), Step("optimizer", "gpu_checks", "compare_optimizers", 60)),
    *((Step(f"run_{name}", "gpu_runs", "run_template", 110, (name,)),) for name in TEMPLATES),
    (
        Step("agreement", "gpu_checks", "compare_paths", 150),
        *(Step(name, "gpu_checks", "run_tests", 150, (name,)) for name in TESTS),
        Step("killed", "gpu_runs", "kill_and_resume", 120),
        *(Step(f"export_{name}", "gpu_runs", "export_and_answer", 120, (name,)) for name in EXPORTED),
    ),
    (Step("layers", "gpu_layers", "time_layers", 170, (False,)),),
    (Step("layers_tf32", "gpu_layers", "time_layers", 120, (True,)),),
)
STEPS = {step.name: step for group in GROUPS for step in group}


@click.command()
@click.option("--step", "names", type=click.Choice(list(STEPS)), multiple=True, help="Only these steps.")
@click.option("--cpu", is_flag=True, help="Everything small and without a GPU, to try it out.")
@click.option("--deadline", type=float, default=415, show_default=True, help="Seconds after which nothing runs on.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=ROOT / "benchmarks" / "results" / "gpu.jsonl",
    help="Where the lines go; they are added to what is there.  [default: benchmarks/results/gpu.jsonl]",
)
@click.option("--folder", type=click.Path(path_type=Path), help="Keep run folders, exports and logs here.")
@click.option("--child", type=click.Choice(list(STEPS)), hidden=True)
def main(names, cpu, deadline, output, folder, child):
    """Tests, compares, trains, exports and times on this machine's GPU."""
    if child:
        run_here(STEPS[child], folder, cpu)
        return
    started, work = time.monotonic(), folder or Path(tempfile.mkdtemp(prefix="gpu-"))
    work = work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    output.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for group in GROUPS:
        steps = [step for step in group if step.name in (names or STEPS)]
        with ThreadPoolExecutor(max_workers=len(group)) as pool:
            left = started + deadline - time.monotonic()
            running = [pool.submit(run_step, step, work, cpu, len(steps) > 1, left) for step in steps]
            for future in as_completed(running):
                lines.append(future.result())
                with open(output, "a", encoding="utf-8") as stream:
                    stream.write(json.dumps(lines[-1], ensure_ascii=False) + "\n")
                click.echo(as_text(lines[-1]))
    print_tables(lines, round(time.monotonic() - started, 1))
    if not folder:
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(0 if all(line["ok"] for line in lines) else 1)


def run_here(step: Step, folder: Path, small: bool) -> None:
    """What the process of a step does: its figures go to a file, one JSON object a line."""
    with open(folder / f"{step.name}.figures", "w", encoding="utf-8") as stream:

        def record(**figures):
            stream.write(json.dumps(figures) + "\n")
            stream.flush()

        step.call(folder, small, record)


def run_step(step: Step, folder: Path, small: bool, shared: bool, left: float) -> dict:
    """Runs a step in a process of its own and waits for it, or for its time to be over.

    Args:
        step: The step.
        folder: Where its figures and its log go; steps find there what earlier ones left.
        small: Whether to keep all small and to see no GPU.
        shared: Whether other steps use the GPU meanwhile, so that TensorFlow must not take all of its memory.
        left: The seconds until the deadline of all steps.

    Returns:
        The step's line.
    """
    seconds = min(step.seconds, left)
    if seconds < LEAST_SECONDS:
        return {"step": step.name, "seconds": 0, "ok": False, "figures": {}, "error": "no time was left"}
    environment = os.environ | ({"TF_FORCE_GPU_ALLOW_GROWTH": "true"} if shared else {})
    if small:
        environment["CUDA_VISIBLE_DEVICES"] = ""
    command = [sys.executable, "-m", "benchmarks.gpu", "--child", step.name, "--folder", str(folder)]
    started, figures_file, log = time.monotonic(), folder / f"{step.name}.figures", folder / f"{step.name}.log"
    figures_file.unlink(missing_ok=True)
    with open(log, "wb") as stream:
        process = subprocess.Popen(
            command + ["--cpu"] * small,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            problem = "" if process.wait(timeout=seconds) == 0 else f"exit code {process.returncode}\n"
        except subprocess.TimeoutExpired:
            problem = f"stopped after {seconds:.0f} s\n"
        # Whatever the step has started ends with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    figures = {}
    if figures_file.exists():
        for line in figures_file.read_text(encoding="utf-8").splitlines():
            figures |= json.loads(line)
    taken = round(time.monotonic() - started, 1)
    line = {"step": step.name, "seconds": taken, "ok": not problem, "figures": figures}
    if problem:
        line["error"] = problem + log.read_text(encoding="utf-8", errors="replace")[-ERROR_CHARACTERS:]
    return line


def as_text(line: dict) -> str:
    """What is shown of a line as it comes; the output holds all of it."""
    shown = {name: line[name] for name in ("step", "seconds", "ok")} | {"summary": line["figures"].get("summary")}
    if "error" in line:
        shown["error"] = line["error"][-SHOWN_CHARACTERS:]
    return json.dumps(shown, ensure_ascii=False)


def print_tables(lines: list[dict], seconds: float) -> None:
    """All steps in one table, and the layers' times in another."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=150)
    table = Table("step", "s", "ok", "figures", title=f"{seconds} s")
    for line in lines:
        figures = line["figures"].get("summary") or line.get("error", "").strip().splitlines()[-1:] or ""
        table.add_row(line["step"], str(line["seconds"]), "yes" if line["ok"] else "NO", str(figures))
    console.print(table, highlight=False, markup=False)
    for line in lines:
        timed = {
            name: figures
            for name, figures in line["figures"].items()
            if isinstance(figures, dict) and "median_ms" in figures
        }
        if timed:
            libraries = list(next(iter(timed.values()))["median_ms"])
            table = Table("", *(f"{name}, ms" for name in libraries), "keras/ours", "torch/ours", title=line["step"])
            for name, figures in timed.items():
                times = [f"{figures['median_ms'].get(library, '')}" for library in libraries]
                ratios = [f"{figures.get(f'{library}_over_ours', '')}" for library in ("keras", "torch")]
                table.add_row(name, *times, *ratios)
            console.print(table)


if __name__ == "__main__":
    main()
