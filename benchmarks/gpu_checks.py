"""Steps of `benchmarks.gpu`: the machine, cuDNN beside the portable path, our Adam beside Keras's, and tests."""

import importlib.metadata
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import numpy as np

from training.commands.tensorflow_import import import_tensorflow

ROOT = Path(__file__).resolve().parent.parent
# Tests that need a GPU have it in their names, and are skipped without one.
TESTS = {
    "cudnn": ("tests/rnn_layers/test_cudnn.py", "-k", "on_a_gpu"),
    **{
        f"derivatives_{cell}_{where}": (
            "tests/rnn_layers/test_differentiation.py",
            "-k",
            f"on_a_gpu and {cell} and {where}",
        )
        for cell in ("simple_rnn", "gru", "lstm")
        for where in ("eagerly", "graph")
    },
}
# (batch, steps, features, units) of the comparison.
SIZES, SMALL_SIZES = (16, 40, 48, 64), (4, 5, 3, 2)
TOLERANCE = 1e-4
KINDS = {
    "tanh": ("simple_rnn", "SimpleRNN", {}),
    "relu": ("simple_rnn", "SimpleRNN", {"activation": "relu"}),
    "gru": ("gru", "GRU", {}),
    "lstm": ("lstm", "LSTM", {}),
}


def describe(folder: Path, small: bool, record: Callable) -> None:
    """The machine, its driver, and the versions of what runs on it."""
    from benchmarks.layer_machine import describe_machine

    import_tensorflow()
    import keras
    import tensorflow as tf

    machine = describe_machine()
    details = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
    build = tf.sysconfig.get_build_info()
    try:
        torch = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        torch = None
    names = ", ".join(machine["graphics_processors"]) or "no GPU"
    record(
        summary=f"{names}, TensorFlow {tf.__version__}, Keras {keras.__version__}, torch {torch}",
        machine=machine,
        driver=driver(),
        compute_capability=[list(each.get("compute_capability", ())) for each in details],
        versions={"python": sys.version.split()[0], "tensorflow": tf.__version__, "keras": keras.__version__},
        torch=torch,
        tensorflow_built_for={name: str(build.get(name)) for name in ("cuda_version", "cudnn_version")},
    )
    if not details and not small:
        raise RuntimeError("TensorFlow sees no GPU")
    product = tf.function(lambda a: tf.reduce_sum(a @ a))(tf.ones((256, 256)))
    record(product_on=product.device, product_is_right=float(product) == 256.0**3, libraries=loaded_libraries())


def loaded_libraries() -> list[str]:
    """The files of NVIDIA's libraries that this process has loaded, which tell their versions; none but on Linux."""
    try:
        lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    names = {Path(line.split()[-1]).resolve().name for line in lines if "/" in line}
    return sorted(name for name in names if name.startswith(("libcud", "libcublas", "libnvidia-ml")))


def driver() -> str | None:
    """What `nvidia-smi` says of the driver and the memory; None where there is none."""
    command = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return None


def compare_paths(folder: Path, small: bool, record: Callable) -> None:
    """Outputs and gradients of each layer with cuDNN and without, as in a training step.

    A case's figures: `why_not_cudnn`; how often cuDNN's operation ran, of how often it should have; and for outputs and
    each gradient max |difference| / max(1, max |reference|).

    Raises:
        RuntimeError: With a GPU, a difference is above 1e-4 without TF32, or cuDNN ran where it should not or the
            reverse.
    """
    import_tensorflow()
    import tensorflow as tf

    counter = count_operations()
    record(tolerance=TOLERANCE, sizes=SMALL_SIZES if small else SIZES)
    cases = [
        (kind, direction, padding, False, "float32")
        for kind in KINDS
        for direction in ("forward", "backward", "both")
        for padding in ("none", "right", "any")
    ]
    cases += [(kind, "forward", "right", True, "float32") for kind in KINDS]
    cases += [(kind, "forward", "right", False, "mixed_bfloat16") for kind in KINDS]
    bad, largest = [], {}
    for kind, direction, padding, tf32, policy in cases:
        tf.config.experimental.enable_tensor_float_32_execution(tf32)
        name = f"{kind}, {direction}, mask {padding}" + ", TF32 on" * tf32 + f", {policy}" * (policy != "float32")
        try:
            found = compare_case(kind, direction, padding, policy, SMALL_SIZES if small else SIZES, counter)
        except Exception as error:  # the other cases are worth knowing all the same
            record(**{name: {"error": f"{type(error).__name__}: {error}"[:600]}})
            bad.append(name)
            continue
        record(**{name: found})
        worst = max(found["differences"].values())
        group = "TF32 on" if tf32 else policy
        largest[group] = max(largest.get(group, 0), worst)
        # Written so that a NaN fails too.
        if not (tf32 or policy != "float32" or worst <= TOLERANCE) or found["cudnn_ran"] != found["cudnn_expected"]:
            bad.append(name)
    record(summary={"cases": len(cases), "bad": bad, "largest difference": largest})
    if bad:
        raise RuntimeError(f"{len(bad)} of {len(cases)} cases: {'; '.join(bad)}")


def count_operations() -> list[int]:
    """Counts from now on how often cuDNN's operation is run: a list that holds the number."""
    import tensorflow as tf

    operation, counts = tf.raw_ops.CudnnRNNV3, [0]

    def count():
        counts[0] += 1
        return np.int64(counts[0])

    def counted(**given):
        # Not a variable, which a function with a gradient of its own must not use.
        with tf.control_dependencies([tf.numpy_function(count, [], tf.int64)]):
            return operation(**given)

    tf.raw_ops.CudnnRNNV3 = counted
    return counts


def compare_case(kind: str, direction: str, padding: str, policy: str, sizes: tuple, counter) -> dict:
    """The figures of one case; the portable path is in float32 whatever the policy is."""
    import tensorflow as tf

    batch, steps, features, units = sizes
    random = np.random.default_rng(5)
    inputs = tf.constant(random.normal(size=(batch, steps, features)), tf.float32)
    width = units * (2 if direction == "both" else 1)
    cotangent = tf.constant(random.normal(size=(batch, steps, width)), tf.float32)
    mask = make_mask(random, padding, batch, steps)
    layers = [make_layer(kind, direction, units, use, dtype) for use, dtype in (("auto", policy), (False, "float32"))]
    for layer in layers:
        layer.build(inputs.shape)
    weights = [
        random.normal(size=weight.shape, scale=0.1) if len(weight.shape) == 1 or weight.shape[0] == 2 else weight
        for weight in layers[1].get_weights()
    ]
    results, names = [], ["outputs", "gradient of the inputs"]
    names += [f"gradient of {variable.path}" for variable in layers[0].trainable_variables]
    counter[0] = 0
    for layer in layers:
        layer.set_weights(weights)
        results.append(in_a_graph(layer, inputs, mask, cotangent))
        if layer is layers[0]:
            ran = counter[0]
    inner = getattr(layers[0], "forward_layer", layers[0])
    why_not = inner.why_not_cudnn()
    differences = {}
    for name, ours, reference in zip(names, *results, strict=True):
        ours, reference = np.asarray(ours, "float64"), np.asarray(reference, "float64")
        differences[name] = float(f"{np.max(np.abs(ours - reference)) / max(1, np.max(np.abs(reference))):.2g}")
    # A mask that is not right-padded goes the portable way.
    expected = padding != "any" and why_not is None
    return {
        "why_not_cudnn": why_not,
        "cudnn_ran": ran > 0,
        "cudnn_expected": expected,
        "cudnn_operations": ran,
        "differences": differences,
    }


def make_mask(random: np.random.Generator, padding: str, batch: int, steps: int):
    """None, rows padded on the right (one of them whole, none empty), or steps left out anywhere."""
    import tensorflow as tf

    if padding == "none":
        return None
    if padding == "right":
        lengths = np.append(random.integers(1, steps, size=batch - 1), steps)
        return tf.constant(np.arange(steps) < lengths[:, np.newaxis])
    mask = random.random((batch, steps)) < 0.7
    mask[0] = np.arange(steps) > 0
    return tf.constant(mask)


def make_layer(kind: str, direction: str, units: int, use_cudnn, policy: str):
    """One of the layers, alone in one of the directions or in both."""
    from importlib import import_module

    from rnn_layers.bidirectional import Bidirectional

    module, name, arguments = KINDS[kind]
    layer = getattr(import_module(f"rnn_layers.{module}"), name)(
        units,
        return_sequences=True,
        go_backwards=direction == "backward",
        use_cudnn=use_cudnn,
        jit_compile=False,
        dtype=policy,
        **arguments,
    )
    return Bidirectional(layer, dtype=policy) if direction == "both" else layer


def in_a_graph(layer, inputs, mask, cotangent) -> list:
    """The outputs and the gradients for the inputs and the weights, as a training step computes them."""
    import tensorflow as tf

    @tf.function(autograph=False)
    def work(inputs, mask, cotangent):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = tf.cast(layer(inputs, mask=mask, training=True), tf.float32)
        return [outputs, *tape.gradient(outputs, [inputs, *layer.trainable_variables], output_gradients=cotangent)]

    return work(inputs, mask, cotangent)


def compare_optimizers(folder: Path, small: bool, record: Callable) -> None:
    """The weights and moments that our Adam reaches, beside those of Keras's, in as many steps as a short epoch has.

    Raises:
        RuntimeError: They are further apart than 1 - beta_2, taken from a float32 by ours, explains.
    """
    import_tensorflow()
    import keras
    import tensorflow as tf

    from training.adam import Adam

    differences, steps = {}, 20 if small else 200
    for name, given in {"adam": {}, "adamw": {"weight_decay": 0.1}}.items():
        reached = []
        for make in (Adam, keras.optimizers.Adam):
            random, optimizer = np.random.default_rng(3), make(1e-3, **given)
            weight = keras.Variable(random.normal(size=(300, 200)).astype("float32"))
            optimizer.build([weight])
            step = tf.function(lambda gradient: optimizer.apply([gradient], [weight]), autograph=False)  # noqa: B023
            for _ in range(steps):
                step(tf.constant(random.normal(size=weight.shape), tf.float32))
            reached.append([each.numpy() for each in (weight, *optimizer.variables)])
        pairs = list(zip(*reached, strict=True))
        differences[name] = max(float(np.max(np.abs(one - other))) for one, other in pairs)
    record(summary=f"within {max(differences.values()):.2g} after {steps} steps", differences=differences)
    if not max(differences.values()) <= TOLERANCE:
        raise RuntimeError(f"our optimizer and Keras's are apart: {differences}")


def run_tests(folder: Path, small: bool, record: Callable, name: str) -> None:
    """Runs pytest on one part of what waits for a GPU.

    Raises:
        RuntimeError: A test failed, or, with a GPU, none ran.
    """
    report = folder / f"{name}.xml"
    # All in one process: setup.cfg's options share them out to several, which would share the GPU's memory, too.
    options = ["-q", "-o", "addopts=", "-p", "no:cacheprovider", f"--junitxml={report}"]
    command = [sys.executable, "-m", "pytest", *options, *TESTS[name]]
    # Plugins of other projects may import PyTorch, which must not be beside TensorFlow in one process.
    alone = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True)
    print(done.stdout[-6000:], done.stderr[:4000], done.stderr[-2000:])
    if not report.exists():
        raise RuntimeError(f"pytest died with {done.returncode}")
    suite = next(ElementTree.parse(report).iter("testsuite"))
    counts = {name: int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")}
    passed = counts["tests"] - counts["failures"] - counts["errors"] - counts["skipped"]
    record(summary=f"{passed} passed, {counts}", passed=passed, **counts, command=" ".join(command[1:]))
    if done.returncode or (not small and not passed):
        raise RuntimeError(f"pytest ended with {done.returncode}, {passed} passed")
