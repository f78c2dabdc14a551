"""Runs a SavedModel by the loaders that are not ours, nor Python's `tf.saved_model.load`."""

import contextlib
import functools
import pickle
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from tests.command import run_program

# Texts that say nothing, whatever their length.
BLANKS = ["", " ", "\t", "\u00a0", "\u3000", "\u200b", "\ufeff", "\u3164 \u2800"]
ROOT = Path(__file__).resolve().parent.parent


LOADERS = ("saved_model_cli", "TensorFlow 1", "C")


def answers_of_every_loader(
    folder, inputs: dict[str, np.ndarray], signature: str = "serving_default", loaders: Sequence[str] = LOADERS
) -> dict[str, dict[str, np.ndarray]]:
    """What each loader answers.

    Args:
        folder: The SavedModel's.
        inputs: The inputs by their names; of strings an array of objects, bytes.
        signature: Which of its functions is called.
        loaders: Which of them are asked.

    Returns:
        From a loader's name to its answer: output's name -> array.
    """
    saved = SavedModel()
    saved.ParseFromString((Path(folder) / "saved_model.pb").read_bytes())
    definition = saved.meta_graphs[0].signature_def[signature]
    assert set(definition.inputs) == set(inputs)
    outputs = {output: info.name for output, info in definition.outputs.items()}
    placed = {definition.inputs[name].name: value for name, value in inputs.items()}
    ask = {
        "saved_model_cli": lambda: by_command(folder, signature, inputs),
        "TensorFlow 1": lambda: by_session(folder, placed, outputs),
        "C": lambda: by_c(folder, placed, outputs),
    }
    return {loader: ask[loader]() for loader in loaders}


def by_command(folder, signature, inputs):
    command = Path(sysconfig.get_path("scripts")) / "saved_model_cli"
    texts = {name: value for name, value in inputs.items() if value.dtype == object}
    with tempfile.TemporaryDirectory() as found, tempfile.TemporaryDirectory() as given:
        words = ["run", "--dir", folder, "--tag_set", "serve", "--signature_def", signature, "--outdir", found]
        if texts:
            words += ["--input_exprs", ";".join(f"{name}={value.tolist()!r}" for name, value in texts.items())]
        files = {name: Path(given) / f"{name}.npy" for name in set(inputs) - set(texts)}
        for name, file in files.items():
            np.save(file, inputs[name])
        if files:
            words += ["--inputs", ";".join(f"{name}={file}" for name, file in files.items())]
        done = run_program(command, *words, cwd=Path(found))
        assert done.returncode == 0, done.stderr[-2000:]
        return {path.stem: np.load(path, allow_pickle=True) for path in Path(found).glob("*.npy")}


def by_session(folder, placed, outputs):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.saved_model.load(session, ["serve"], str(folder))
        return session.run(outputs, placed)


def by_c(folder, placed, outputs):
    written = (Path(folder) / "saved_model.pb").stat().st_mtime_ns
    request = {"folder": str(folder), "written": written, "outputs": list(outputs.values())}
    request["inputs"] = {
        name: (value.shape, value.reshape(-1).tolist(), tf.as_dtype(value.dtype).as_datatype_enum)
        for name, value in placed.items()
    }
    process, errors = _c_process()
    with contextlib.suppress(BrokenPipeError):
        pickle.dump(request, process.stdin)
        process.stdin.flush()
    try:
        answer = pickle.load(process.stdout)
    except (EOFError, pickle.UnpicklingError):
        process.kill()
        process.wait()
        _c_process.cache_clear()
        errors.seek(0)
        raise AssertionError(errors.read().decode()[-2000:]) from None
    found = {}
    for output, tensor in outputs.items():
        shape, values = answer[tensor]
        found[output] = np.array(values, object if values and isinstance(values[0], bytes) else None).reshape(shape)
    return found


@functools.cache
def _c_process():
    """The process that answers by TensorFlow's C API, whose library takes a second to load; and its standard error."""
    errors, command = tempfile.TemporaryFile(), [sys.executable, str(ROOT / "tests" / "c_api.py")]  # noqa: SIM115
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors), errors


def assert_every_loader_answers(folder, inputs, signature: str = "serving_default", loaders: Sequence[str] = LOADERS):
    """Asserts that all loaders answer what Python's does.

    Args:
        folder: The SavedModel's.
        inputs: From an input's name to its value; or the only one, bytes in a nested list.
        signature: Which of its functions is called.
        loaders: Which of them are asked.

    Returns:
        Its answer: output's name -> array.
    """
    function = _load(str(folder), (Path(folder) / "saved_model.pb").stat().st_mtime_ns).signatures[signature]
    wanted = function.structured_input_signature[1]
    inputs = inputs if isinstance(inputs, dict) else dict.fromkeys(wanted, inputs)
    given = {name: tf.constant(value, wanted[name].dtype).numpy() for name, value in inputs.items()}
    given = {
        name: np.array(value, object if wanted[name].dtype == tf.string else None) for name, value in given.items()
    }
    expected = {
        output: value.numpy()
        for output, value in function(**{name: tf.constant(value) for name, value in given.items()}).items()
    }
    for loader, found in answers_of_every_loader(folder, given, signature, loaders).items():
        assert set(found) == set(expected), loader
        for output, value in expected.items():
            if value.dtype.kind != "f":
                np.testing.assert_array_equal(found[output], value, f"{loader}: {output}")
            else:
                # Of numbers of a hundred, one near 0 is the difference of two of them.
                apart = 1e-5 + 1e-6 * np.abs(value[np.isfinite(value)]).max(initial=0)
                np.testing.assert_allclose(found[output], value, rtol=1e-5, atol=apart, err_msg=f"{loader}: {output}")
    return expected


@functools.lru_cache(maxsize=2)
def _load(folder: str, changed: int):
    """A SavedModel, for all of its signatures once; `changed` is when it was written."""
    return tf.saved_model.load(folder)
