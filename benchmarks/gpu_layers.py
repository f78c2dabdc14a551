"""The step of `benchmarks.gpu` that times the layers beside Keras's and PyTorch's."""

import importlib.util
import statistics
import time
from collections.abc import Callable
from concurrent.futures import Executor
from functools import lru_cache
from pathlib import Path

import numpy as np

from benchmarks.layer_problems import GPU_SHAPES, SHAPES, TRIAL_SHAPES, Problem, make_problem
from benchmarks.processes import process_for_each

CELLS, SMALL_CELLS = ("lstm", "gru", "simple_rnn"), ("lstm",)
SHAPES_HERE, SMALL_SHAPES = ("first", "third", "large"), ("tiny",)
WARM_UPS, ROUNDS, SMALL_ROUNDS = 5, 25, 3
# A cell, shape and mode has as many rounds as fit into so many seconds, but no fewer than these.
SECONDS, LEAST_ROUNDS = 1.0, 5


def time_layers(folder: Path, small: bool, record: Callable, tf32: bool) -> None:
    """Times a training step and, without TF32, an inference call of every library, their calls interleaved.

    Args:
        folder: Not used.
        small: Whether to take one cell, a tiny shape and few rounds.
        record: Takes what was found out of each cell, shape and mode.
        tf32: Whether the libraries may compute products in TF32.

    Raises:
        RuntimeError: A library failed somewhere.
    """
    names = ["ours", "keras"] + ["torch"] * (importlib.util.find_spec("torch") is not None)
    failed, ratios = [], []
    with process_for_each(names) as processes:
        settings = {name: process.submit(set_up, name, tf32) for name, process in processes.items()}
        record(settings={name: setting.result() for name, setting in settings.items()})
        for shape in SMALL_SHAPES if small else SHAPES_HERE:
            for cell in SMALL_CELLS if small else CELLS:
                for mode in ("train",) if tf32 else ("train", "infer"):
                    figures = time_all(processes, cell, shape, mode == "train", small)
                    record(**{f"{cell}, {shape}, {mode}": figures})
                    failed += [f"{name} at {cell}, {shape}, {mode}" for name in figures["errors"]]
                    ratios += [figures[key] for key in figures if key.endswith("_over_ours")]
    record(summary=f"ratios to ours: {min(ratios)} to {max(ratios)}" if ratios else "no ratios")
    if failed:
        raise RuntimeError("; ".join(failed))


def time_all(processes: dict[str, Executor], cell: str, shape: str, training: bool, small: bool) -> dict:
    """The medians of all libraries on one problem, and their ratios to ours."""
    started = time.monotonic()
    prepared = {name: process.submit(prepare, name, cell, shape, training) for name, process in processes.items()}
    reference, errors, differences, seconds = None, {}, {}, {}
    for name in ("keras", *(name for name in processes if name != "keras")):
        try:
            seconds[name], arrays = prepared[name].result()
        except Exception as error:  # the others' times are worth knowing all the same
            errors[name] = f"{type(error).__name__}: {error}"[:600]
            continue
        if reference is None:
            reference = arrays
        differences[name] = difference(arrays, reference)
    rounds, milliseconds = SMALL_ROUNDS if small else ROUNDS, {name: [] for name in seconds}
    preparing, names, started = time.monotonic() - started, list(milliseconds), time.monotonic()
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            milliseconds[name].append(processes[name].submit(time_once).result())
        if turn + 1 >= LEAST_ROUNDS and time.monotonic() - started > SECONDS:
            break
    medians = {name: round(statistics.median(times), 4) for name, times in milliseconds.items()}
    quartiles = {
        name: [round(time, 4) for time in statistics.quantiles(times, n=4, method="inclusive")[::2]]
        for name, times in milliseconds.items()
    }
    ratios = {
        f"{name}_over_ours": round(medians[name] / medians["ours"], 3)
        for name in medians
        if name != "ours" and "ours" in medians
    }
    return {
        "sizes": (SHAPES | GPU_SHAPES | TRIAL_SHAPES)[shape][:4],
        "median_ms": medians,
        "quartiles_ms": quartiles,
        **ratios,
        "rounds": {name: len(times) for name, times in milliseconds.items()},
        "preparing_seconds": round(preparing, 1),
        "first_call_seconds": seconds,
        "largest_difference_to_keras": differences,
        "errors": errors,
    }


def difference(arrays: list[np.ndarray], reference: list[np.ndarray]) -> float:
    """The largest max |difference| / max(1, max |reference|) of outputs and gradients."""
    pairs = zip(arrays, reference, strict=True)
    largest = max(float(np.max(np.abs(one - other)) / max(1.0, np.max(np.abs(other)))) for one, other in pairs)
    return float(f"{largest:.2g}")


# What follows runs in the libraries' own processes.

_runs: list[Callable[[], object]] = []


@lru_cache(maxsize=1)
def make_once(cell: str, shape: str) -> Problem:
    """The problem, drawn once for training and inference."""
    return make_problem(cell, shape)


def set_up(name: str, tf32: bool) -> dict:
    """Imports the library, sets whether it may use TF32, and says what it is and runs on."""
    return set_up_torch(tf32) if name == "torch" else set_up_tensorflow(tf32)


def set_up_torch(tf32: bool) -> dict:
    import torch

    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32
    return {
        "version": torch.__version__,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU",
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "tf32 in products, in cuDNN": [torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32],
    }


def set_up_tensorflow(tf32: bool) -> dict:
    from training.commands.tensorflow_import import import_tensorflow

    import_tensorflow()
    import keras
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        # The GPU's memory is shared with the other processes.
        tf.config.experimental.set_memory_growth(gpu, True)
    tf.config.experimental.enable_tensor_float_32_execution(tf32)
    return {
        "version": f"{tf.__version__}, Keras {keras.__version__}",
        "device": tf.config.experimental.get_device_details(gpus[0]).get("device_name") if gpus else "CPU",
        "tf32": tf.config.experimental.tensor_float_32_execution_enabled(),
    }


def prepare(name: str, cell: str, shape: str, training: bool) -> tuple[float, list[np.ndarray]]:
    """Makes what `time_once` runs, and warms it up.

    Returns:
        The seconds of the first call, and the outputs and gradients.
    """
    from benchmarks.layer_peers import make_runner

    _runs.clear()
    run, read = make_runner(name, make_once(cell, shape), training)
    started = time.perf_counter()
    results = run()
    seconds = round(time.perf_counter() - started, 3)
    arrays = read(results)
    for _ in range(WARM_UPS):
        run()
    _runs.append(run)
    return seconds, arrays


def time_once() -> float:
    """Milliseconds of one call, after one that is not timed."""
    (run,) = _runs
    run()
    started = time.perf_counter()
    run()
    return (time.perf_counter() - started) * 1000
