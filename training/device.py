"""Where and how a run computes: seed, determinism, strategy, precision and jit are chosen here and nowhere else."""

import math
import platform
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

# Not exported by TensorFlow, whose own tests ask it.
from tensorflow.python.util import _pywrap_util_port

from data.errors import UserError


@dataclass(frozen=True)
class Device:
    """What was chosen for this process.

    Args:
        strategy: The `tf.distribute.Strategy` that variables are made under and steps run under.
        name: What it runs on, for people: "CPU (x86_64, 2 cores)" or "2 x NVIDIA L4".
        precision: The Keras dtype policy: "float32" or "mixed_bfloat16".
        jit: Whether forward and gradient are compiled with XLA.
    """

    strategy: tf.distribute.Strategy
    name: str
    precision: str
    jit: bool

    @property
    def replicas(self) -> int:
        return self.strategy.num_replicas_in_sync

    def rows_of_batch(self, batch_size: int) -> int:
        """The rows of every batch: as many as are asked for, filled up so that each replica has the same number."""
        return math.ceil(batch_size / self.replicas) * self.replicas

    def describe(self) -> str:
        """One line: the device, the replicas, whether oneDNN computes, the precision, jit."""
        replicas = f", {self.replicas} replicas" if self.replicas > 1 else ""
        onednn = ", oneDNN" if uses_onednn() else ""
        return f"{self.name}{replicas}{onednn}, {self.precision}, jit {'on' if self.jit else 'off'}, deterministic ops"


def choose_device(
    seed: int, strategy: str = "auto", precision: str = "auto", jit: str = "auto", bfloat16_on_cpu: bool = False
) -> Device:
    """Seeds everything, makes every op deterministic, and chooses device, precision and jit. Call it once, first.

    Args:
        seed: Seeds Python, numpy, TensorFlow and Keras.
        strategy: "auto" (every GPU there is, mirrored if several), "one" (one device), "mirrored" (every GPU, or every
            logical CPU device where there is no GPU).
        precision: "auto" (mixed_bfloat16 on a GPU that computes in it, compute capability 8.0 or higher; else float32),
            "float32" or "mixed_bfloat16". mixed_float16 is not offered: it would need loss scaling around the clipping.
        bfloat16_on_cpu: Whether "auto" is mixed_bfloat16 on a CPU, too, unless jit is "on": for a network that was
            found to train as well in it, on a processor where that takes less time (`rnn_layers.processor` tells).
        jit: "auto" (off: on a CPU each new batch length costs seconds of compiling), "on" or "off".

    Returns:
        The `Device`; Keras's global dtype policy is set to its precision.

    Raises:
        UserError: "mirrored" with a single device to mirror over.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    gpus = tf.config.list_logical_devices("GPU")
    devices = gpus or tf.config.list_logical_devices("CPU")
    if strategy == "mirrored" and len(devices) < 2:
        raise UserError(f"--strategy mirrored: there is one {devices[0].device_type} only; use --strategy one")
    if strategy == "mirrored" or (strategy == "auto" and len(gpus) > 1):
        chosen = tf.distribute.MirroredStrategy([device.name for device in devices])
    else:
        chosen = tf.distribute.get_strategy()
    if precision == "auto":
        computes = all(map(_computes_bfloat16, _gpu_details())) if gpus else bfloat16_on_cpu and jit != "on"
        precision = "mixed_bfloat16" if computes else "float32"
    keras.mixed_precision.set_dtype_policy(precision)
    return Device(chosen, _device_name(len(gpus) if chosen.num_replicas_in_sync > 1 else 1), precision, jit == "on")


def uses_onednn() -> bool:
    """Whether Intel's oneDNN computes products and convolutions in this process, where there is no GPU."""
    return _pywrap_util_port.IsMklEnabled() and not tf.config.list_physical_devices("GPU")


def versions() -> dict[str, str]:
    """The versions that a run's bits depend on."""
    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
    }


def threads() -> str:
    """The thread counts that a run's bits depend on, as "intra/inter"; 0 means TensorFlow's choice for this machine."""
    setting = tf.config.threading
    return f"{setting.get_intra_op_parallelism_threads()}/{setting.get_inter_op_parallelism_threads()}"


def _gpu_details() -> list[dict]:
    return [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]


def _computes_bfloat16(details: dict) -> bool:
    return details.get("compute_capability", (0, 0)) >= (8, 0)


def _device_name(count: int) -> str:
    details = _gpu_details()
    if not details:
        return f"CPU ({platform.processor() or platform.machine()}, {_cores()} cores)"
    name = details[0].get("device_name", "GPU")
    return f"{count} x {name}" if count > 1 else name


def _cores() -> int:
    import os

    # A container or `taskset` may allow fewer cores than the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
