"""How long one caller waits for an export's answer: the first call, and then the median and the slowest hundredth.

    python cli.py export RUN exports/translation
    python -m benchmarks.latency exports/translation

Each call asks for one answer, of a text of `--words` words, a picture of 320 x 240, or a window of numbers. For each
folder `results/latency.json` gets, under the folder's name: the seconds of loading and of the first call, and of the
calls after it the milliseconds at the median and at 99 of 100. To be run on a quiet machine.
"""

import itertools
import json
import time
from pathlib import Path

import click

from benchmarks.processes import process_for_each
from training.commands.tensorflow_import import import_tensorflow

RESULTS = Path(__file__).parent / "results" / "latency.json"
# Asked before anything is counted: TensorFlow prepares a function in its first calls.
WARM_UP = 50


@click.command(help=__doc__)
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--calls", default=2000, show_default=True)
@click.option("--words", default=12, show_default=True)
@click.option("--output", default=RESULTS, type=click.Path(path_type=Path))
def main(folders: tuple[Path, ...], calls: int, words: int, output: Path) -> None:
    for folder in folders:
        with process_for_each([folder.name]) as processes:
            figures = processes[folder.name].submit(measure, folder, calls, words).result()
        print(f"{folder.name}: {json.dumps(figures)}", flush=True)
        results = json.loads(output.read_text()) if output.exists() else {}
        results[folder.name] = figures
        output.write_text(json.dumps(results, indent=1) + "\n")


def measure(folder: Path, calls: int, words: int) -> dict:
    """Loads an export, asks, and says how long it took."""
    import_tensorflow()
    import numpy as np
    import tensorflow as tf

    start = time.perf_counter()
    model = tf.saved_model.load(str(folder))
    function = model.signatures["serving_default"]
    loaded = time.perf_counter()
    specs = function.structured_input_signature[1]
    inputs = {key: _input(key, spec, words) for key, spec in specs.items()}
    kinds = {"image_bytes": "a picture", "window": "a window"}
    asked = next((kind for key, kind in kinds.items() if key in specs), f"{words} words")

    def ask():
        began = time.perf_counter()
        for value in function(**inputs).values():
            value.numpy()
        return time.perf_counter() - began

    first = ask()
    for _ in range(WARM_UP):
        ask()
    milliseconds = 1000 * np.array([ask() for _ in range(calls)])
    return {
        "asked": asked,
        "load_seconds": round(loaded - start, 2),
        "first_call_seconds": round(first, 3),
        "calls": calls,
        "median_ms": round(float(np.median(milliseconds)), 2),
        "p99_ms": round(float(np.quantile(milliseconds, 0.99)), 2),
    }


def _input(name: str, spec, words: int):
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
