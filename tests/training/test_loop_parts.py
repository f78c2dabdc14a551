"""training.device, training.live_line, training.event_log, training.plots, training.commands.tensorflow_import, training.stop_requests, training.memory."""

import io
import json
import os
import platform
import signal
import subprocess
import sys

import matplotlib.image
import numpy as np
import pytest

from tests.command import ROOT, run_python
from training.event_log import EventLog
from training.live_line import LiveLine, duration
from training.plots import plot_confusion_matrix, plot_learning_curve
from training.stop_requests import stop_requests

MIRRORED = """
from training.commands.tensorflow_import import import_tensorflow
import_tensorflow()
import json
import numpy as np, keras, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from templates.sentiment.config import Config
from templates.sentiment.model import build_model
from templates.sentiment.train import make_train_step
from training.averaging import WeightAverage
from training.device import choose_device
config = Config(units=3, embedding_size=4, word_dropout=RATE, embedding_dropout=RATE, output_dropout=RATE, clip_norm=0.2)
device = choose_device(0, strategy=STRATEGY)
with device.strategy.scope():
    keras.utils.set_random_seed(0)
    model = build_model(config, 9, 3)
    optimizer = keras.optimizers.Adam(0.05)
    optimizer.build(model.trainable_variables)
    average = WeightAverage(model.trainable_variables, 0.9)
step = make_train_step(model, optimizer, average, device, config)
# Odd rows are the second replica's: other words, other labels, fifty times the weight, so a very different gradient.
ids = np.array([[2, 3, 4], [5, 6, 7], [2, 0, 0], [8, 7, 0], [3, 3, 3], [0, 0, 0]], np.int32)
labels, weights = np.array([0, 1, 0, 2, 0, 0], np.int32), np.array([1, 50, 1, 50, 1, 0], np.float32)
losses = [float(step(tf.constant(ids), tf.constant(labels), tf.constant(weights))[0]) for _ in range(4)]
print(json.dumps([device.replicas, losses, [v.numpy().tolist() for v in model.trainable_variables + average.variables]]))
"""

GOES_ON = """
import pathlib, tempfile
from training.checkpoint import Position, load_checkpoint, save_checkpoint
path = pathlib.Path(tempfile.mkdtemp()) / "latest.npz"
parts = {"model": model, "optimizer": optimizer, "average": average}
save_checkpoint(path, parts, Position(step=4), {})
further = [float(step(tf.constant(ids), tf.constant(labels), tf.constant(weights))[0]) for _ in range(3)]
load_checkpoint(path, parts)
again = [float(step(tf.constant(ids), tf.constant(labels), tf.constant(weights))[0]) for _ in range(3)]
swapped = model.trainable_variables[0].numpy()
with average.applied():
    assert (model.trainable_variables[0].numpy() == average.variables[0].numpy()).all()
assert (model.trainable_variables[0].numpy() == swapped).all()
print(further == again, np.isfinite(further).all(), len(set(further)))
"""


def mirrored_script(strategy: str, rate: float) -> str:
    return MIRRORED.replace("STRATEGY", repr(strategy)).replace("RATE", str(rate))


def test_two_replicas_take_the_steps_of_one_device_also_with_very_different_gradients():
    one, two = (json.loads(run_python(mirrored_script(name, rate=0.0))) for name in ("one", "mirrored"))
    assert (one[0], two[0]) == (1, 2)
    np.testing.assert_allclose(one[1], two[1], rtol=1e-5)
    for ours, theirs in zip(one[2], two[2]):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_two_replicas_go_on_from_a_checkpoint_with_the_same_dropout():
    output = run_python(mirrored_script("mirrored", rate=0.3) + GOES_ON)
    assert output.splitlines()[-1] == "True True 3"


def test_mirrored_over_one_device_is_refused_and_jit_and_bfloat16_train():
    script = (
        MIRRORED.split("cpu =")[0]
        + """
from training.device import choose_device
from data.errors import UserError
try:
    choose_device(0, strategy="mirrored")
except UserError as error:
    print(error)
"""
        + MIRRORED.split("LogicalDeviceConfiguration()] * 2)")[1]
        .replace("strategy=STRATEGY", "precision='mixed_bfloat16', jit='on'")
        .replace("RATE", "0.1")
        + "print(keras.mixed_precision.dtype_policy().name, device.describe(), np.isfinite(losses).all())"
    )
    output = run_python(script)
    assert "--strategy mirrored: there is one CPU only" in output
    assert "mixed_bfloat16 CPU" in output and "jit on" in output and output.rstrip().endswith("True")


def test_a_cpu_computes_in_bfloat16_where_it_is_asked_for_and_xla_does_not_compile_all():
    script = """
import tensorflow as tf
tf.config.set_visible_devices([], "GPU")
from training.device import choose_device
for asked, jit, precision in ((1, "auto", "auto"), (0, "auto", "auto"), (1, "on", "auto"), (1, "auto", "float32")):
    print(choose_device(0, precision=precision, jit=jit, bfloat16_on_cpu=bool(asked)).precision)
"""
    assert run_python(script).split() == ["mixed_bfloat16", "float32", "float32", "float32"]


def test_tensorflow_is_imported_without_a_line_unless_the_import_fails():
    script = "from training.commands.tensorflow_import import import_tensorflow; import_tensorflow(); import tensorflow as tf; tf.constant(1)"
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    environment |= {"PYTHONPATH": str(ROOT), "KERAS_BACKEND": "jax"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    failing = "import os; from training.commands.tensorflow_import import quiet_stderr\nwith quiet_stderr():\n    os.write(2, b'why it failed'); raise OSError"
    done = subprocess.run([sys.executable, "-c", failing], capture_output=True, text=True, env=environment)
    assert done.returncode == 1 and "why it failed" in done.stderr


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="oneDNN is x86's")
@pytest.mark.parametrize("own, asked, expected", [(None, True, True), ("0", True, False), ("1", False, True)])
def test_onednn_computes_where_a_template_asks_for_it_unless_the_user_has_set_it(own, asked, expected):
    script = f"""
from training.commands.tensorflow_import import import_tensorflow
import_tensorflow({asked})
from training.device import choose_device, uses_onednn
import tensorflow as tf
expected = {expected} and not tf.config.list_physical_devices("GPU")
print(uses_onednn() == expected, ("oneDNN" in choose_device(0).describe()) == expected)
"""
    environment = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    environment |= {"TF_ENABLE_ONEDNN_OPTS": own} if own else {}
    # Not `run_python`, whose processes have imported TensorFlow.
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True True\n", "")


def test_what_keras_would_import_for_nothing_is_left_and_can_be_imported_afterwards():
    script = """
import sys
from training.commands.tensorflow_import import UNUSED_BY_KERAS, import_tensorflow
import_tensorflow()
print([name for name in UNUSED_BY_KERAS if name in sys.modules])
import sklearn.base, matplotlib.pyplot, keras
print(keras.ops.ones(2).shape)
"""
    # Not `run_python`, whose processes have them already.
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout.splitlines()) == (0, ["[]", "(2,)"]), done.stderr


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the malloc of glibc is told so")
@pytest.mark.parametrize("own, expected", [({}, True), ({"MALLOC_TRIM_THRESHOLD_": "65536"}, False)])
def test_what_is_freed_is_kept_for_whoever_asks_next_unless_the_user_has_set_it(own, expected):
    script = """
import ctypes
from training.memory import keep_freed_memory
keep_freed_memory()
library = ctypes.CDLL(None)
library.malloc.restype, library.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
def resident():
    with open("/proc/self/status") as stream:
        return next(int(line.split()[1]) // 1024 for line in stream if line.startswith("VmRSS:"))
before = resident()
array = library.malloc(2**25 - 2**20)
ctypes.memset(array, 1, 2**25 - 2**20)
library.free(array)
print(resident() - before)
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, env=environment | own
    )
    assert done.returncode == 0, done.stderr
    assert (int(done.stdout) >= 30) is expected  # MiB


@pytest.mark.parametrize("seconds, text", [(4.4, "4 s"), (185, "3 min 05 s"), (7800, "2 h 10 min"), (-1, "0 s")])
def test_a_duration_reads_like_one(seconds, text):
    assert duration(seconds) == text


def test_plain_lines_tell_epoch_step_loss_metric_rate_and_time_left(monkeypatch):
    now = iter(range(0, 10_000, 2))
    monkeypatch.setattr("training.live_line.time.monotonic", lambda: float(next(now)))
    stream = io.StringIO()
    with LiveLine(epochs=2, metric="accuracy", stream=stream) as display:
        display.start_epoch(1, batches=30, done=0)
        for batch in range(1, 31):
            display.step_done(rows=64)
            if display.wants_loss(batch):
                display.update(batch, loss=0.5)
                display.say_expected(batch, stops_early=True)
        display.end_epoch({"epoch": 1, "loss": 0.5, "validation_loss": 0.4, "validation_accuracy": 0.8, "seconds": 61})
        display.start_epoch(2, batches=30, done=0)
        display.step_done(rows=64)
        display.update(1, loss=0.3)
    lines = stream.getvalue().splitlines()
    assert any(line.startswith("epoch 1/2  step ") and "examples/s" in line and line.endswith("left") for line in lines)
    assert sum("expected duration: at most about" in line for line in lines) == 1
    assert "epoch 1/2  loss 0.5000  validation loss 0.4000  validation accuracy 0.8000  1 min 01 s" in lines
    assert "epoch 2/2  step 1/30  loss 0.3000  accuracy 0.8000" in lines[-1]


def test_a_request_to_stop_is_an_event_and_a_second_one_interrupts():
    # A shell's background job has begun with SIGINT ignored.
    before = signal.getsignal(signal.SIGINT)
    with stop_requests() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_pictures_are_drawn_for_few_and_many_classes(tmp_path):
    history = [
        {"epoch": epoch, "loss": 1 / epoch, "validation_loss": 2 / epoch, "validation_accuracy": 0.5}
        for epoch in (1, 2)
    ]
    plot_learning_curve(tmp_path / "curve.png", history, "accuracy", best_epoch=2)
    plot_learning_curve(tmp_path / "losses.png", history, "loss", best_epoch=1)
    for classes in (2, 60):
        names = [f"a rather long name of a class {number}" for number in range(classes)]
        plot_confusion_matrix(tmp_path / f"{classes}.png", np.eye(classes, dtype=int) * 7, names, "test")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2.png", "60.png", "curve.png", "losses.png"]
    widths = [matplotlib.image.imread(tmp_path / f"{name}.png").shape[1] for name in ("curve", "losses")]
    assert widths[0] == 2 * widths[1]  # a loss is drawn once
    for path in tmp_path.iterdir():
        pixels = matplotlib.image.imread(path)[..., :3]
        assert min(pixels.shape[:2]) > 300 and pixels.std() > 0.05


def test_event_logs_are_written_where_tensorboard_is_installed(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    EventLog(tmp_path).write(1, {"loss": 0.5})
    assert not list(tmp_path.iterdir())
    monkeypatch.undo()
    EventLog(tmp_path).write(1, {"loss": 0.5, "validation_auc": None})
    (file,) = (tmp_path / "tensorboard").iterdir()
    assert file.stat().st_size > 100
