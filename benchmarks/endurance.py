"""Exports under load: many calls in a loop, several threads at once, many loads in one process.

    python cli.py export sentiment exports/sentiment
    python -m benchmarks.endurance exports/sentiment

For each folder `results/endurance.json` gets, under the folder's name: the resident memory after so many calls, and
after each tenth load, by Python's loader and in sessions; and how many answers of threads that ask at once are not
those that one thread gets. The inputs are random, of many sizes, one in eight of the pictures damaged, numbers hostile.
Memory is read from /proc: Linux alone has it.
"""

import gc
import json
import random
import string
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import numpy as np

from benchmarks.hostile_inputs import hostile_numbers
from benchmarks.processes import process_for_each
from training.commands.tensorflow_import import import_tensorflow

RESULTS = Path(__file__).parent / "results" / "endurance.json"
MARKS = (1000, 10_000, 50_000, 100_000)  # calls after which the memory is read
ASKED_BY_EACH_THREAD = 250


@click.command(help=__doc__)
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--calls", default=MARKS[-1], help="Calls of the loop.")
@click.option("--seconds", default=3600.0, help="The loop ends after these, with fewer calls.")
@click.option("--threads", default=8)
@click.option("--loads", default=50)
def main(folders: tuple[Path, ...], calls: int, seconds: float, threads: int, loads: int) -> None:
    for folder in folders:
        measures = (
            (by_threads, (threads,)),
            (by_loads, (loads,)),
            (by_sessions, (loads,)),
            (in_a_loop, (calls, seconds)),
        )
        for measure, arguments in measures:
            # A process for each: what one leaves in memory is not the next one's.
            with process_for_each([measure.__name__]) as processes:
                figures = processes[measure.__name__].submit(measure, folder, *arguments).result()
            print(f"{folder.name}: {json.dumps(figures)}", flush=True)
            results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
            results.setdefault(folder.name, {}).update(figures)
            RESULTS.write_text(json.dumps(results, indent=1) + "\n")


def in_a_loop(folder: Path, calls: int, seconds: float) -> dict:
    """The resident memory, in MiB, after each of `MARKS` and the last call."""
    (ask, make), generator = _load(folder), random.Random(0)
    start, memory, made = time.monotonic(), {}, 0
    while made < calls and time.monotonic() - start < seconds:
        ask(make(generator))
        made += 1
        if made in MARKS:
            memory[made] = _resident_mib()
            print(f"{folder.name}: {made:,} calls, {time.monotonic() - start:.0f} s, {memory[made]} MiB", flush=True)
    return {"calls": made, "mib_after_calls": memory | {made: _resident_mib()}}


def by_threads(folder: Path, threads: int) -> dict:
    """How many answers differ where threads ask at once, and by how much their numbers do at most."""
    (ask, make), generator = _load(folder), random.Random(1)
    asked = [make(generator) for _ in range(ASKED_BY_EACH_THREAD)]
    alone = [ask(inputs) for inputs in asked]

    def work(number: int) -> list:
        order = random.Random(number).sample(range(len(asked)), len(asked))
        return [(place, ask(asked[place])) for place in order]

    with ThreadPoolExecutor(threads) as pool:
        answers = [answer for several in pool.map(work, range(threads)) for answer in several]
    others, furthest = 0, 0.0
    for place, answer in answers:
        for name, expected in alone[place].items():
            if expected.dtype == np.float32:
                furthest = max(furthest, _apart(answer[name], expected))
            else:
                others += not np.array_equal(answer[name], expected)
    return {"threads": threads, "asked_at_once": len(answers), "other_answers": others, "furthest_number": furthest}


def _apart(found: np.ndarray, expected: np.ndarray) -> float:
    """How far numbers are apart; those that are no numbers, or beyond all, are alike."""
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    return float(np.max(np.abs(np.where(same, 0, found) - np.where(same, 0, expected)), initial=0))


def by_loads(folder: Path, loads: int) -> dict:
    """The resident memory, in MiB, after the first load, the tenth, and every further tenth; each is asked once."""
    memory, generator = {}, random.Random(2)
    for number in range(1, loads + 1):
        ask, make = _load(folder)
        ask(make(generator))
        # What is left of a graph is in cycles, which Python takes away when it likes.
        del ask, make
        gc.collect()
        if number == 1 or number % 10 == 0:
            memory[number] = _resident_mib()
    return {"mib_after_loads": memory}


def by_sessions(folder: Path, loads: int) -> dict:
    """The same of sessions, in which TensorFlow Serving and the bindings for C, Java and Go run an export."""
    (_, make), memory, generator = _load(folder), {}, random.Random(2)
    import tensorflow as tf

    asked = [make(generator) for _ in range(loads)]
    for number, inputs in enumerate(asked, start=1):
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(folder))
            signature = loaded.signature_def["serving_default"]
            outputs = {name: output.name for name, output in signature.outputs.items()}
            session.run(outputs, {signature.inputs[name].name: value for name, value in inputs.items()})
        gc.collect()
        if number == 1 or number % 10 == 0:
            memory[number] = _resident_mib()
    return {"mib_after_sessions": memory}


def _load(folder: Path):
    """An export as a function from inputs to the arrays of its answer; and what makes one to three inputs for it."""
    import_tensorflow()
    import tensorflow as tf

    model = tf.saved_model.load(str(folder))
    function = model.signatures["serving_default"]
    # Kept: a signature alone does not keep the model's tables.
    function.model = model
    specs = function.structured_input_signature[1]

    def ask(inputs: dict) -> dict:
        given = {name: tf.constant(value, specs[name].dtype) for name, value in inputs.items()}
        return {key: value.numpy() for key, value in function(**given).items()}

    def make(generator: random.Random) -> dict:
        rows = generator.randint(1, 3)
        return {name: [_drawn(name, spec, generator) for _ in range(rows)] for name, spec in specs.items()}

    return ask, make


def _drawn(name: str, spec, generator: random.Random):
    """A picture, a text, or numbers, for an input."""
    if spec.dtype.is_floating:
        return hostile_numbers(generator, tuple(spec.shape[1:]))
    return _picture(generator) if name == "image_bytes" else _text(generator)


def _text(generator: random.Random) -> str:
    # Short ones mostly, so that there are many calls.
    words = generator.randint(1, 8) if generator.random() < 0.98 else generator.randint(9, 60)
    return " ".join("".join(generator.choices(string.printable, k=generator.randint(1, 8))) for _ in range(words))


def _picture(generator: random.Random) -> bytes:
    import tensorflow as tf

    shape = (generator.randint(1, 96), generator.randint(1, 96), generator.choice((1, 3)))
    picture = tf.fill(shape, tf.constant(generator.randrange(256), tf.uint8))
    encode = generator.choice((tf.io.encode_png, tf.io.encode_jpeg))
    content = encode(picture).numpy()
    return content[: generator.randrange(len(content))] if generator.random() < 1 / 8 else content


def _resident_mib() -> int:
    with open("/proc/self/status") as stream:
        return next(int(line.split()[1]) // 1024 for line in stream if line.startswith("VmRSS:"))


if __name__ == "__main__":
    main()
