"""The recurrent layers beside Keras's, PyTorch's, `jax.lax.scan` and the products alone, interleaved in one run.

    python -m benchmarks.layers

For every cell and shape it times one training step and one inference call of every implementation, and measures the
peak memory of training, each implementation in a process of its own. PyTorch and JAX take part if they are installed;
each is timed in a process of its own, in turns with what is timed in this one.
Results are written after every cell and shape, and a later run adds to them or replaces what it measures again.
"""

import gc
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

import click
import numpy as np
from rich.console import Console

from benchmarks.layer_floor import RATE_SIZE, floor_runners, operations
from benchmarks.layer_machine import describe_machine, settings, versions
from benchmarks.layer_memory import measure_memory
from benchmarks.layer_peers import KERAS, OTHER_LIBRARIES, OURS, WHOLE_STEP_COMPILED, Implementation, available
from benchmarks.layer_problems import CELLS, SHAPES, TRIAL_SHAPES, Problem, make_problem
from benchmarks.layer_report import plot, print_tables
from benchmarks.processes import Elsewhere, installed, process_for_each
from benchmarks.turns import pause_after, seconds_of, take_turns
from data.writing import write_json
from training.commands.tensorflow_import import import_tensorflow

ROOT = Path(__file__).resolve().parent.parent
MODES = ("train", "infer")
TOLERANCE = 1e-4
QUICK_REPEATS = 2
# Read by glibc, and by TensorFlow, which without oneDNN has no pool.
GIVING_BACK = {"MALLOC_MMAP_THRESHOLD_": "65536", "TF_ENABLE_ONEDNN_OPTS": "0"}


@click.command()
@click.option("--cell", "cells", type=click.Choice(list(CELLS)), multiple=True, help="Only these cells.")
@click.option(
    "--shape",
    "shapes",
    type=click.Choice([*SHAPES, *TRIAL_SHAPES]),
    metavar=f"[{'|'.join(SHAPES)}]",
    multiple=True,
    help="Only these shapes.",
)
@click.option("--mode", "modes", type=click.Choice(MODES), multiple=True, help="Only training or only inference.")
@click.option("--repeats", type=click.IntRange(min=2), default=15, show_default=True, help="Rounds of timed calls.")
@click.option("--quick", is_flag=True, help=f"{QUICK_REPEATS} rounds, to try it out.")
@click.option("--no-memory", is_flag=True, help="Do not measure peak memory.")
@click.option("--only-memory", is_flag=True, help="Measure peak memory alone.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=ROOT / "benchmarks" / "results" / "layers",
    metavar="PREFIX",
    help="Write PREFIX.json and PREFIX.png.  [default: benchmarks/results/layers]",
)
@click.option("--report", "only_report", is_flag=True, help="Measure nothing: show what PREFIX.json holds.")
@click.option("--memory-of", type=click.Choice([*KERAS, *OURS, "torch", "jax"]), hidden=True)
def main(cells, shapes, modes, repeats, quick, no_memory, only_memory, output, only_report, memory_of):
    """Times the recurrent layers beside their peers and beside the matrix products alone."""
    if memory_of:
        click.echo(json.dumps(measure_memory(memory_of, cells[0], shapes[0])))
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=190)
    results, picture = Path(f"{output}.json"), Path(f"{output}.png")
    record = json.loads(results.read_text(encoding="utf-8")) if results.exists() else {"results": {}}
    if not only_report:
        results.parent.mkdir(parents=True, exist_ok=True)
        set_up(record, results)
        with process_for_each(installed(*OTHER_LIBRARIES)) as processes:
            surroundings = {"versions": versions(), **settings(processes)}
            for cell, shape in itertools.product(cells or CELLS, shapes or SHAPES):
                place = record["results"].setdefault(cell, {}).setdefault(shape, {})
                problem = make_problem(cell, shape)
                place["sizes"] = {name: size for name, size in problem.shape._asdict().items() if name != "lengths"}
                place["sizes"]["valid_steps"] = problem.valid_steps
                for mode in () if only_memory else modes or MODES:
                    timed = time_all(problem, mode == "train", QUICK_REPEATS if quick else repeats, processes)
                    command = command_for(cell, shape, mode, timed["repeats"])
                    place[mode] = timed | surroundings | {"command": command}
                    write_json(results, record)
                    console.print(as_line(cell, shape, mode, place[mode]), highlight=False, soft_wrap=True)
                if not no_memory:
                    place["memory"] = {"implementations": memory_of_all(cell, shape)} | surroundings
                    write_json(results, record)
    if not record["results"]:
        raise click.ClickException(f"nothing has been measured yet: there is no {results}")
    print_tables(record, console)
    plot(record, picture)


def set_up(record: dict, results: Path, onednn: bool = False) -> None:
    """Imports TensorFlow, with oneDNN everywhere if a template's `run` has it, and writes the machine into the record,
    which holds the times of one machine only."""
    # On a GPU the frameworks share its memory only if none takes all of it at once.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    import_tensorflow(onednn)
    import tensorflow as tf

    for device in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(device, True)
    machine = describe_machine()
    if record.setdefault("machine", machine) != machine:
        raise click.ClickException(f"{results} holds the times of another machine; choose another --output")


def time_all(problem: Problem, training: bool, repeats: int, processes: dict[str, Executor]) -> dict:
    """Times every implementation on a problem, and the floor.

    Args:
        problem: The batch and the weights.
        training: Whether to time a training step; else an inference call.
        repeats: Number of rounds.
        processes: Those of PyTorch and JAX, by name; all others are timed in this one.

    Returns:
        What is written under the cell, shape and mode: times in milliseconds, ratios of their medians, and the rounds.

    Raises:
        RuntimeError: An implementation's outputs or gradients are not Keras's.
    """
    import tensorflow as tf

    peers, works, reference = {}, {}, None
    for name in available():
        first_call, milliseconds = make_ready(name, problem, training, processes)
        try:
            seconds, arrays = first_call()
        except tf.errors.OpError as error:
            if name not in WHOLE_STEP_COMPILED:
                raise
            message = re.sub(r"(?<!\w)/\S+", "...", str(error.message).splitlines()[0])
            peers[name] = {"failed": message[:200]}
            continue
        peers[name] = {"first_call_seconds": seconds}
        reference = reference or arrays
        check(name, problem, arrays, reference)
        works[name] = lambda turn, milliseconds=milliseconds: milliseconds()
        del arrays
        pause_after(name)
    products = floor_runners(problem, training)
    for product, variants in products.items():
        for variant, run in variants.items():
            run()
            works[product, variant] = lambda turn, run=run: 1000 * seconds_of(run, again=True)
    milliseconds = take_turns(works, repeats)
    for name, peer in peers.items():
        if name in milliseconds:
            lower, middle, upper = statistics.quantiles(milliseconds[name], n=4, method="inclusive")
            peer |= {"median_ms": round(middle, 4), "quartiles_ms": [round(lower, 4), round(upper, 4)]}
    medians = {
        product: {variant: round(statistics.median(milliseconds[product, variant]), 4) for variant in variants}
        for product, variants in products.items()
    }
    works.clear()
    gc.collect()
    return {**summarise(peers, medians, operations(problem, training)), "repeats": repeats}


def make_ready(name: str, problem: Problem, training: bool, processes: dict[str, Executor]) -> tuple[Callable, ...]:
    """The two methods of an `Implementation`, made in its library's process; TensorFlow's is this one."""
    if name in OTHER_LIBRARIES:
        arguments = ("benchmarks.layer_peers", "Implementation", name, problem, training)
        one = Elsewhere(processes[name], name, *arguments)
        return one.method("first_call"), one.method("milliseconds")
    one = Implementation(name, problem, training)
    return one.first_call, one.milliseconds


def check(name: str, problem: Problem, arrays: list[np.ndarray], reference: list[np.ndarray]) -> None:
    """Compares outputs (where a step counts) and gradients with Keras's.

    Raises:
        RuntimeError: They differ by more than 1e-4 max(1, largest value).
    """
    whats = ["outputs", "gradient of the inputs", *(f"gradient of weight {place}" for place in range(len(arrays)))]
    for what, array, expected in zip(whats, arrays, reference, strict=False):
        if what == "outputs" and problem.mask is not None:
            array, expected = array[problem.mask], expected[problem.mask]
        difference = np.max(np.abs(array - expected)) if array.shape == expected.shape else np.inf
        # Written so that a NaN fails too.
        if not difference <= TOLERANCE * max(1.0, np.max(np.abs(expected))):
            raise RuntimeError(f"{name}, {problem.name}: the {what} differ from Keras's by {difference:.2g}")
    if len(arrays) != len(reference):
        raise RuntimeError(f"{name}, {problem.name}: {len(arrays)} results, Keras has {len(reference)}")


def summarise(peers: dict, medians: dict, count: int) -> dict:
    """Adds up the floor and divides the medians, each family at its own best.

    Args:
        peers: What was measured of every implementation.
        medians: The medians of the floor's products and of "rate", by product and variant.
        count: The floating point operations of the floor's products.

    Returns:
        `implementations`, `floor`, `best` and `ratios`. Ratios named `x_over_ours` are above 1 where ours is faster;
        `ours_over_floor` is 1 where nothing but the products takes time.
    """
    rate = 2 * RATE_SIZE**3 / min(medians["rate"].values())
    products = {name: variants for name, variants in medians.items() if name != "rate"}
    floor = {
        "median_ms": round(sum(min(variants.values()) for variants in products.values()), 4),
        "products_ms": products,
        "ms_at_rate": round(count / rate, 4),
        "rate_gigaflops": round(rate / 1e6, 1),
    }
    timed = {name: peer["median_ms"] for name, peer in peers.items() if "median_ms" in peer}
    best = {
        family: min((name for name in names if name in timed), key=timed.get)
        for family, names in (("ours", OURS), ("keras", KERAS), ("torch", ("torch",)), ("jax", ("jax",)))
        if any(name in timed for name in names)
    }
    ours = timed[best["ours"]]
    ratios = {f"{family}_over_ours": timed[name] / ours for family, name in best.items() if family != "ours"}
    ratios["keras_plain_over_ours_as_used"] = timed["keras"] / timed["ours"]
    ratios["ours_over_floor"] = ours / floor["median_ms"]
    ratios = {name: round(ratio, 4) for name, ratio in ratios.items()}
    return {"implementations": peers, "floor": floor, "best": best, "ratios": ratios}


def memory_of_all(cell: str, shape: str) -> dict:
    """The peak memory of training with each implementation, by name, every one in a process of its own.

    What a step takes is measured in another one, where all that is freed is given back at once: otherwise the C
    library, and TensorFlow with oneDNN in a pool of its own, keep most of it for the next step.
    """
    found = {}
    for name in available():
        command = [sys.executable, "-m", "benchmarks.layers", "--memory-of", name, "--cell", cell, "--shape", shape]
        done, of_a_step = (
            subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | more)
            for more in ({}, GIVING_BACK)
        )
        if done.returncode == 0:
            found[name] = json.loads(done.stdout.splitlines()[-1])
            there = json.loads(of_a_step.stdout.splitlines()[-1]) if of_a_step.returncode == 0 else {}
            found[name] |= {"mib_of_a_step": there.get("mib_of_a_step"), "environment_of_a_step": GIVING_BACK}
        elif name in WHOLE_STEP_COMPILED:
            found[name] = {"failed": f"exit code {done.returncode}"}
        else:
            raise click.ClickException(f"{' '.join(command)} failed\n{done.stderr}")
    return found


def command_for(cell: str, shape: str, mode: str, repeats: int) -> str:
    """What to type to measure one entry again."""
    return f"python -m benchmarks.layers --cell {cell} --shape {shape} --mode {mode} --repeats {repeats}"


def as_line(cell: str, shape: str, mode: str, entry: dict) -> str:
    """An entry's times in one line, printed as soon as it is there."""
    times = [f"{name} {peer.get('median_ms', 'failed')}" for name, peer in entry["implementations"].items()]
    return f"{cell} {shape} {mode}, ms: {', '.join(times)}, floor {entry['floor']['median_ms']}"


if __name__ == "__main__":
    main()
