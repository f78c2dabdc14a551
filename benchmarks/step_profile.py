"""Which operations take the time of a training step, by TensorFlow's own profiler.

    python -m benchmarks.step_profile
    python -m benchmarks.step_profile translation=multi30k ner=sample

Each template's `run` with its default settings, of its sample or of the data that are named, in a process of its own;
profiled are ten steps after its tenth one. `results/step_profile.json` gets of each the milliseconds of a step, how
many operations it takes, those of the next batch among them, and which kinds take most of the time: summed over threads
that work side by side, so that they may add up to more than the step. A piece that XLA compiled counts as one
operation. The profiler itself makes many small operations slower.
"""

import collections
import tempfile
import time
from datetime import date
from importlib import import_module
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.first_step import SeenEnough, data_of_each, watch_steps
from benchmarks.processes import process_for_each
from benchmarks.runs import RESULTS
from data.writing import write_json

FIRST, STEPS, KINDS = 10, 10, 10
# How the profiler calls a run of what XLA compiled, and what it is called here.
COMPILED, PIECES = "CpuExecutable::ExecuteAsyncOnStream", "compiled piece"
# They wait for the operations that they hold.
HOLDERS = {
    "StatefulPartitionedCall",
    "PartitionedCall",
    "While",
    "StatelessWhile",
    "If",
    "StatelessIf",
    "XlaLaunch",
    "_XlaRun",
}


@click.command(help=__doc__)
@click.argument("measured", nargs=-1, metavar="[TEMPLATE=DATA]...")
@click.option("--output", default=RESULTS / "step_profile.json", type=click.Path(path_type=Path))
def main(measured: tuple[str, ...], output: Path) -> None:
    data, found = data_of_each(measured), {}
    for template, name in data.items():
        with tempfile.TemporaryDirectory() as folder, process_for_each([template]) as processes:
            flags = ("--data", name, "--no-test", "--run-dir", f"{folder}/run")
            found[template] = processes[template].submit(profile, template, *flags).result()
    from benchmarks.layer_machine import describe_machine, versions

    names = {template: Path(name).name for template, name in data.items()}
    about = {"machine": describe_machine(), "versions": versions(), "date": str(date.today()), "data": names}
    write_json(output, {**about, "steps": found})
    table = Table("", "step, ms", "operations", "most of the time, ms of a step")
    for template, step in found.items():
        kinds = ", ".join(f"{kind} x {one['operations']:g} {one['ms']:g}" for kind, one in step["kinds"].items())
        table.add_row(template, f"{step['ms']:.1f}", f"{step['operations']:,}", kinds)
    Console(soft_wrap=True, highlight=False).print(table)


def profile(template: str, *flags: str) -> dict:
    """Runs a template until enough of its steps are profiled, and says where their time went."""
    from training.commands.tensorflow_import import import_tensorflow

    import_tensorflow(import_module(f"templates.{template}.config").USES_ONEDNN)
    import tensorflow as tf

    marks = []
    with tempfile.TemporaryDirectory() as folder:

        def done(step: int) -> None:
            if step == FIRST:
                tf.profiler.experimental.start(folder)
                marks.append(time.perf_counter())
            if step == FIRST + STEPS:
                marks.append(time.perf_counter())
                tf.profiler.experimental.stop()
                raise SeenEnough

        watch_steps(template, flags, lambda: None, done)
        (file,) = Path(folder).rglob("*.xplane.pb")
        milliseconds, counts = by_kind(file.read_bytes())
    return {
        "ms": round(1000 * (marks[1] - marks[0]) / STEPS, 1),
        "operations": round(counts.total() / STEPS),
        "kinds": {
            kind: {"operations": round(counts[kind] / STEPS, 1), "ms": round(total / STEPS, 2)}
            for kind, total in milliseconds.most_common(KINDS)
        },
    }


def by_kind(profiled: bytes) -> tuple[collections.Counter, collections.Counter]:
    """The milliseconds and the number of operations of each kind in what the profiler wrote."""
    # The profiler's own format; TensorFlow exports no reader.
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace()
    space.ParseFromString(profiled)
    milliseconds, counts = collections.Counter(), collections.Counter()
    for plane in space.planes:
        for event in (event for line in plane.lines for event in line.events):
            called = plane.event_metadata[event.metadata_id].name
            # An operation's event is called `name:Kind`; what is called `class::method` is none.
            name, colon, kind = (PIECES, ":", PIECES) if called == COMPILED else called.rpartition(":")
            if colon and not name.endswith(":") and " " not in called and kind not in HOLDERS:
                milliseconds[kind] += event.duration_ps / 1e9
                counts[kind] += 1
    return milliseconds, counts


if __name__ == "__main__":
    main()
