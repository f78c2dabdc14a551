"""How long one caller waits for an export's answer: the first call, and then the median and the slowest hundredth.

    python cli.py export RUN exports/translation
    python -m benchmarks.latency exports/translation

Each call asks for one answer, of a text of `--words` words, a picture of 320 x 240, or a window of numbers: from Python
(`tf.saved_model.load`); in a session, as TensorFlow Serving and the C API run an export; and in a session in which
each operation has one thread (Serving's `--tensorflow_intra_op_parallelism=1`). For each folder `results/latency.json`
gets, under the folder's name and how it was asked: the seconds of loading and of the first call, and of the calls after
it the milliseconds at the median and at 99 of 100; of sessions also how many operations an answer takes, and which
kinds take the time. To be run on a quiet machine.
"""

import collections
import itertools
import json
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import click

from benchmarks.layer_machine import describe_machine, versions
from benchmarks.processes import process_for_each
from data.writing import write_json
from training.commands.tensorflow_import import import_tensorflow

RESULTS = Path(__file__).parent / "results" / "latency.json"
# Asked before anything is counted: TensorFlow prepares a function in its first calls.
WARM_UP = 50
# Answers whose operations are timed, and the kinds of operations that are written.
PROFILED, KINDS = 20, 10


@click.command(help=__doc__)
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--calls", default=2000, show_default=True)
@click.option("--words", default=12, show_default=True)
@click.option("--output", default=RESULTS, type=click.Path(path_type=Path))
def main(folders: tuple[Path, ...], calls: int, words: int, output: Path) -> None:
    for folder in folders:
        with process_for_each(WAYS) as processes:
            python = processes["python"]
            record = {"date": str(date.today()), "words": words, "calls": calls}
            record |= {
                name: python.submit(about).result()
                for name, about in (("machine", describe_machine), ("versions", versions))
            }
            for name, (measure, *threads) in WAYS.items():
                record[name] = processes[name].submit(measure, folder, calls, words, *threads).result()
        print(f"{folder.name}: {json.dumps(record)}", flush=True)
        results = json.loads(output.read_text()) if output.exists() else {}
        write_json(output, results | {folder.name: record})


def measure_in_python(folder: Path, calls: int, words: int) -> dict:
    """Loads an export by `tf.saved_model.load`, asks, and says how long it took."""
    import_tensorflow()
    import tensorflow as tf

    start = time.perf_counter()
    function = tf.saved_model.load(str(folder)).signatures["serving_default"]
    loaded = time.perf_counter()
    inputs = {key: one_input(key, spec, words) for key, spec in function.structured_input_signature[1].items()}

    def ask() -> None:
        for value in function(**inputs).values():
            value.numpy()

    return {"load_seconds": round(loaded - start, 2), **ask_often(ask, calls)}


def measure_in_session(folder: Path, calls: int, words: int, threads: int) -> dict:
    """Loads an export into a session whose operations have so many threads (0: TensorFlow's choice), asks, and says how
    long it took, and which operations took the time."""
    import_tensorflow()
    import tensorflow as tf

    graph = tf.Graph()
    session = tf.compat.v1.Session(graph=graph, config=tf.compat.v1.ConfigProto(intra_op_parallelism_threads=threads))
    start = time.perf_counter()
    with graph.as_default():
        signature = tf.compat.v1.saved_model.load(session, ["serve"], str(folder)).signature_def["serving_default"]
    seconds = time.perf_counter() - start
    specs = {key: tf.TensorSpec(one.tensor_shape, one.dtype) for key, one in signature.inputs.items()}
    inputs = {signature.inputs[key].name: one_input(key, spec, words).numpy() for key, spec in specs.items()}
    outputs = [one.name for one in signature.outputs.values()]
    call = session.make_callable(outputs, feed_list=list(inputs))
    figures = ask_often(lambda: call(*inputs.values()), calls)

    milliseconds, counts = collections.Counter(), collections.Counter()
    traced = tf.compat.v1.RunOptions(trace_level=tf.compat.v1.RunOptions.FULL_TRACE)
    for _ in range(PROFILED):
        metadata = tf.compat.v1.RunMetadata()
        session.run(outputs, inputs, options=traced, run_metadata=metadata)
        for node in (node for device in metadata.step_stats.dev_stats for node in device.node_stats):
            # The label is `name = Kind(inputs)`.
            kind = node.timeline_label.partition(" = ")[2].partition("(")[0] or node.node_name
            milliseconds[kind] += (node.op_end_rel_nanos - node.op_start_rel_nanos) / 1e6
            counts[kind] += 1
    return {
        "load_seconds": round(seconds, 2),
        **figures,
        "operations": round(counts.total() / PROFILED),
        "operations_ms": round(milliseconds.total() / PROFILED, 2),
        "kinds": {
            kind: {"operations": round(counts[kind] / PROFILED, 1), "ms": round(total / PROFILED, 3)}
            for kind, total in milliseconds.most_common(KINDS)
        },
    }


WAYS = {
    "python": (measure_in_python,),
    "session": (measure_in_session, 0),
    "session, one thread": (measure_in_session, 1),
}


def ask_often(ask: Callable[[], object], calls: int) -> dict:
    """The seconds of the first call; of later ones the milliseconds at the median and at 99 of 100."""
    import numpy as np

    def timed() -> float:
        began = time.perf_counter()
        ask()
        return time.perf_counter() - began

    first = timed()
    for _ in range(WARM_UP):
        ask()
    milliseconds = 1000 * np.array([timed() for _ in range(calls)])
    return {
        "first_call_seconds": round(first, 3),
        "median_ms": round(float(np.median(milliseconds)), 2),
        "p99_ms": round(float(np.quantile(milliseconds, 0.99)), 2),
    }


def one_input(name: str, spec, words: int):
    """One text, one picture with any structure in it, or numbers."""
    import tensorflow as tf

    if spec.dtype != tf.string:
        return tf.reshape(tf.range(spec.shape[1:].num_elements(), dtype=spec.dtype), [1, *spec.shape[1:]])

    if name != "image_bytes":
        text = itertools.islice(itertools.cycle("a man in a blue shirt is standing on a ladder".split()), words)
        return tf.constant([" ".join(text)])
    height, width = tf.meshgrid(tf.range(240), tf.range(320), indexing="ij")
    picture = tf.stack([height % 256, width % 256, (height + width) % 256], axis=2)
    return tf.io.encode_jpeg(tf.cast(picture, tf.uint8))[tf.newaxis]


if __name__ == "__main__":
    main()
