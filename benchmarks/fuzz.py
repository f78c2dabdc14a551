"""Random inputs, hostile ones among them, for all that answers them: a run's signatures, and its `predict`.

    python cli.py run sentiment --data sample --epochs 2 --run-dir runs/sentiment
    python -m benchmarks.fuzz runs/sentiment

Each input is asked alone, in a batch of others, and in one padded to 1,000 steps: its answers must be the same, and its
scores within 1e-5 (of a score beyond 1 in size, that share of it; of a forecast, that share of its window's largest
number). Where two pieces of an answer, or two hypotheses at the edge of a beam, lie that near, rounding decides between
them, and it counts as another answer here. `results/fuzz.json` gets how many were asked, how many answers were others,
and how far scores were apart. Captions, translations and continuations are cut after a few pieces, for time. Of
`predict`, what takes texts or pictures is asked, not what reads tables.
"""

import dataclasses
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np

from benchmarks.hostile_inputs import LONG, hostile_numbers, hostile_picture, hostile_text, long_text, longest_text
from cli import TEMPLATES
from training.commands.run_argument import open_trained_run
from training.commands.tensorflow_import import import_tensorflow

RESULTS = Path(__file__).parent / "results" / "fuzz.json"
MOST_PIECES = 12
ROWS_AT_A_TIME, LARGEST_BATCH = 64, 32
Answer = dict[str, np.ndarray]


@click.command(help=__doc__)
@click.argument("runs", nargs=-1, required=True)
@click.option("--inputs", default=5000)
@click.option("--seconds", default=3600.0, help="Each measurement ends after these, with fewer inputs.")
@click.option("--seed", default=0)
def main(runs: tuple[str, ...], inputs: int, seconds: float, seed: int) -> None:
    import_tensorflow()
    for name in runs:
        template, run, config = open_trained_run(TEMPLATES, name, {})
        for field in ("max_length", "length"):
            if hasattr(config, field):
                config = dataclasses.replace(config, **{field: MOST_PIECES})
        with tempfile.TemporaryDirectory() as folder:
            template.serving.export(run, config, Path(folder) / "export")
            found = fuzz_signatures(Path(folder) / "export", inputs, seconds, seed)
        if template.name != "forecasting":
            model = template.serving.load(run, config)
            found["predict"] = fuzz_predict(template.serving, model, inputs, seconds, seed)
        print(template.name, json.dumps(found, indent=1), flush=True)
        results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        RESULTS.write_text(json.dumps({**results, template.name: found}, indent=1) + "\n")


def fuzz_signatures(folder: Path, inputs: int, seconds: float = 3600.0, seed: int = 0) -> dict:
    """What each signature of an export that takes strings, or windows, and no states, does with random inputs."""
    import tensorflow as tf

    model, found = tf.saved_model.load(str(folder)), {}
    for name, function in model.signatures.items():
        key, *others = specs = function.structured_input_signature[1]
        if "window" in specs:
            found[name] = _compare_forecasts(function, inputs, seconds, seed)
            continue
        if others or specs[key].dtype != tf.string:
            continue

        def ask(rows: list, function=function, key=key) -> list[Answer]:
            given = tf.constant(_even(rows), tf.string) if key == "tokens" else tf.constant(rows, tf.string)
            return _rows(function(**{key: given}), key, rows)

        draw, beside = {
            "tokens": (_tokens, [b"word"] * LONG),
            "image_bytes": (hostile_picture, b""),
        }.get(key, (hostile_text, long_text()))
        found[name] = compare(ask, draw, beside, inputs, seconds, seed)
    return found


def _compare_forecasts(function, inputs: int, seconds: float, seed: int) -> dict:
    """Asks for forecasts; where others are padded, a window of the largest numbers stands beside them."""
    shapes = {name: spec.shape[1:] for name, spec in function.structured_input_signature[1].items()}

    def ask(rows: list[Answer]) -> list[Answer]:
        given = {name: np.array([row[name] for row in rows], np.float32) for name in shapes}
        given = {name: array.reshape(len(rows), *shapes[name]) for name, array in given.items()}
        found = function(**given)
        answers = _rows({name: found[name] for name in ("forecast", "quantiles") if name in found}, "", rows)
        sizes = [max(1.0, np.max(np.abs(row["window"]), initial=0, where=np.isfinite(row["window"]))) for row in rows]
        return [
            {name: (value / np.float32(size)).astype(np.float32) for name, value in answer.items()}
            for answer, size in zip(answers, sizes, strict=True)
        ]

    def draw(generator: random.Random) -> Answer:
        return {name: hostile_numbers(generator, tuple(shape)) for name, shape in shapes.items()}

    return compare(
        ask, draw, {name: np.full(shape, 3e38, np.float32) for name, shape in shapes.items()}, inputs, seconds, seed
    )


def compare(
    ask: Callable[[list], list[Answer]], draw: Callable, beside, inputs: int, seconds: float, seed: int
) -> dict:
    """Asks each input alone, in a batch, and in a batch with `beside`, and compares the answers."""
    generator, start = random.Random(seed), time.monotonic()
    found = {"inputs": 0, "others": 0, "furthest": 0.0, "slowest_seconds": 0.0}
    ask([])
    while found["inputs"] < inputs and time.monotonic() - start < seconds:
        rows = [draw(generator) for _ in range(min(ROWS_AT_A_TIME, inputs - found["inputs"]))]
        alone = []
        for row in rows:
            begun = time.monotonic()
            alone += ask([row])
            found["slowest_seconds"] = max(found["slowest_seconds"], round(time.monotonic() - begun, 3))
        among = []
        while len(among) < len(rows):
            among += ask(rows[len(among) : len(among) + generator.randint(0, LARGEST_BATCH)])
        padded = ask([*rows, beside])
        for row, expected, *others in zip(rows, alone, among, padded[:-1], strict=True):
            for answer in others:
                is_other, distance = _difference(expected, answer)
                if is_other:
                    print(f"another answer: {str(row)[:200]}\n  {_said(expected)}\n  {_said(answer)}", flush=True)
                found["others"] += is_other
                found["furthest"] = max(found["furthest"], distance)
        found["inputs"] += len(rows)
    return found | {"seconds": round(time.monotonic() - start)}


def fuzz_predict(serving, model, inputs: int, seconds: float, seed: int) -> dict:
    """What `predict` does with texts as the command hands them over."""
    generator, found, start = random.Random(seed + 1), {"inputs": 0, "others": 0}, time.monotonic()
    if serving.__name__.endswith("captioning.serving"):
        return _fuzz_predict_pictures(serving, model, inputs, seconds, generator)
    assert list(serving.predict(model, [])) == []
    while found["inputs"] < inputs and time.monotonic() - start < seconds:
        size = generator.randint(1, 256)
        texts = [hostile_text(generator).decode(errors="replace") for _ in range(size)]
        if generator.random() < 0.1:
            texts[0] = longest_text(generator).decode()
        answers = list(serving.predict(model, texts))
        asked = generator.sample(range(size), min(8, size))
        found["others"] += sum(_differs(serving.predict(model, [texts[row]])[0], answers[row]) for row in asked)
        assert len(answers) == size
        assert all("\n" not in serving.as_line(answer) for answer in answers)
        found["inputs"] += size
    return found


def _fuzz_predict_pictures(serving, model, inputs: int, seconds: float, generator) -> dict:
    found, start = {"inputs": 0, "others": 0}, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        while found["inputs"] < inputs and time.monotonic() - start < seconds:
            paths = [Path(folder) / f"{number}.jpg" for number in range(generator.randint(1, 64))]
            for path in paths:
                path.write_bytes(hostile_picture(generator))
            names = [str(path) for path in paths]
            answers = list(serving.predict(model, names))
            assert [answer["image"] for answer in answers] == names
            for row in generator.sample(range(len(names)), min(8, len(names))):
                found["others"] += _differs(next(iter(serving.predict(model, [names[row]]))), answers[row])
            found["inputs"] += len(names)
    return found


def _differs(expected: dict, found: dict) -> bool:
    same = {key: value for key, value in expected.items() if key != "score"}
    return same != {key: value for key, value in found.items() if key != "score"}


def _tokens(generator: random.Random) -> list[bytes]:
    return [hostile_text(generator) for _ in range(generator.randrange(12))]


def _even(rows: list[list[bytes]]) -> np.ndarray:
    """Rows of tokens padded with "" to the longest."""
    longest = max(map(len, rows), default=0)
    even = [[*row, *[b""] * (longest - len(row))] for row in rows]
    return np.array(even, object).reshape(len(rows), longest)


def _rows(answers: dict, key: str, asked: list) -> list[Answer]:
    """The answer to each row, without its padding."""
    arrays = {name: tensor.numpy() for name, tensor in answers.items()}
    if key == "tokens":
        return [{"tags": arrays["tags"][number, : len(row)]} for number, row in enumerate(asked)]
    if "lengths" in arrays:
        return [
            {name: array[number, :size] if array.ndim > 1 else array[number] for name, array in arrays.items()}
            for number, size in enumerate(arrays["lengths"])
        ]
    return [{name: array[number] for name, array in arrays.items()} for number in range(len(asked))]


def _difference(expected: Answer, found: Answer) -> tuple[bool, float]:
    """Whether anything but scores differs; and the furthest that scores are apart, of large ones as a share of them."""
    is_other, furthest = False, 0.0
    for name, value in expected.items():
        value, other = np.asarray(value), np.asarray(found[name])
        if value.dtype == np.float32:
            # What is no number, or beyond all, is to be so again.
            finite = np.isfinite(value)
            is_other |= not np.array_equal(value[~finite], other[~finite], equal_nan=True)
            apart = np.abs(value[finite] - other[finite]) / np.maximum(1, np.abs(value[finite]))
            is_other |= not np.isfinite(apart).all()
            furthest = max(furthest, float(np.max(apart, initial=0)))
        else:
            is_other |= not np.array_equal(value, other)
    return is_other, furthest


def _said(answer: Answer) -> str:
    return str({name: value for name, value in answer.items() if name not in ("starts", "ends", "labels")})[:400]


if __name__ == "__main__":
    main()
