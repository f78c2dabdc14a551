"""What the processor can do: rules about speed ask it, and nothing else does."""

import functools
import os
from pathlib import Path

# Not exported by TensorFlow, whose own tests ask it.
from tensorflow.python.util import _pywrap_util_port


@functools.cache
def instruction_sets() -> frozenset[str]:
    """The instruction sets of an x86 processor as Linux calls them, such as "avx512_bf16"; none on other machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # only Linux has this file
        return frozenset()
    return frozenset(next((line for line in lines if line.startswith("flags")), "").partition(":")[2].split())


def multiplies_bfloat16() -> bool:
    """Whether TensorFlow's products of bfloat16 take less time than those of float32: oneDNN has instructions."""
    return _pywrap_util_port.IsMklEnabled() and not instruction_sets().isdisjoint({"avx512_bf16", "amx_bf16"})


def cores() -> int:
    """The cores that this process may use: a container or `taskset` may allow fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
