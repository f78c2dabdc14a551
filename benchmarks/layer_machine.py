"""What a time depends on besides the code: the machine, in words, and the versions."""

import importlib.metadata
import importlib.util
import os
import platform
from concurrent.futures import Executor
from datetime import date
from pathlib import Path

INSTRUCTION_SETS = ("avx", "avx2", "fma", "avx512f", "avx512_bf16", "amx_tile", "neon", "asimd")
PACKAGES = ("tensorflow", "keras", "torch", "jax", "numpy")


def describe_machine() -> dict:
    """Processor, cores, instruction sets and graphics processors; no names of hosts."""
    import tensorflow as tf

    processor, flags = platform.processor() or platform.machine(), set()
    information = Path("/proc/cpuinfo")
    if information.exists():
        fields = [line.partition(":") for line in information.read_text().splitlines()]
        named = {name.strip(): value.strip() for name, _, value in reversed(fields)}
        processor = named.get("model name", processor)
        flags = set(named.get("flags", named.get("Features", "")).split())
    graphics = [
        tf.config.experimental.get_device_details(device).get("device_name", "GPU")
        for device in tf.config.list_physical_devices("GPU")
    ]
    return {
        "processor": processor,
        "cores": cores(),
        "instruction_sets": [name for name in INSTRUCTION_SETS if name in flags],
        "system": platform.system(),
        "graphics_processors": graphics,
    }


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def settings(processes: dict[str, Executor]) -> dict:
    """The day, each library's device and default threads (TensorFlow's 0: one per core), and whether oneDNN computes.

    Args:
        processes: Those of the libraries other than TensorFlow, by name. After the call they have imported them.
    """
    import tensorflow as tf

    from training.device import uses_onednn

    others = {name: process.submit(settings_here, name) for name, process in processes.items()}
    devices = {"tensorflow": "GPU" if tf.config.list_physical_devices("GPU") else "CPU"}
    threads = {
        "tensorflow_intra_op": tf.config.threading.get_intra_op_parallelism_threads(),
        "tensorflow_inter_op": tf.config.threading.get_inter_op_parallelism_threads(),
    }
    for name, found in others.items():
        devices[name], default_threads = found.result()
        if default_threads:
            threads[name] = default_threads
    return {"date": date.today().isoformat(), "devices": devices, "threads": threads, "onednn": uses_onednn()}


def settings_here(library: str) -> tuple[str, int | None]:
    """The device of PyTorch or JAX, in whose process this runs, and its default threads if it tells them."""
    if library == "torch":
        import torch

        return "GPU" if torch.cuda.is_available() else "CPU", torch.get_num_threads()
    import jax

    return jax.default_backend().upper(), None


def versions() -> dict:
    """The versions of what is compared; None for what is not installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        installed = importlib.util.find_spec(package) is not None
        found[package] = importlib.metadata.version(package) if installed else None
    return found
