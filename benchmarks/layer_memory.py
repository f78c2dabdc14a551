"""Peak memory of one implementation, measured in a process that runs nothing else."""

import contextlib
import ctypes
import gc
import sys

from benchmarks.layer_peers import make_runner
from benchmarks.layer_problems import make_problem
from training.commands.tensorflow_import import import_tensorflow

WARM_UP_CALLS, CALLS = 2, 3
SINCE_WARM_UP = "VmHWM of 3 calls, set back after 2 warm-up calls, over VmRSS before the first"
SINCE_START = "peak resident size of 5 calls over the resident size before the first, compilation included"


def measure_memory(name: str, cell_name: str, shape_name: str) -> dict:
    """Runs training steps in this process and looks at its resident memory.

    Compiling needs memory that later steps do not. So where Linux lets a process set back its own peak, the peak is
    that of steps after the first two. What libraries and compiled programs keep for good is part of it.

    Args:
        name: The implementation.
        cell_name: The cell.
        shape_name: The shape.

    Returns:
        `mib`, the growth over the moment before the first call; `mib_with_compilation`, the same for all calls;
        `mib_of_a_step`, what a step takes and gives back, or None; and `method`, in words.
    """
    # Before the first look, everything there is to import.
    if name not in ("torch", "jax"):
        import_tensorflow()
    run, _ = make_runner(name, make_problem(cell_name, shape_name), training=True)
    _give_back_free_memory()
    before = _resident_kib()
    for _ in range(WARM_UP_CALLS):
        run()
    _give_back_free_memory()
    peak_of_warm_up = _peak_kib()
    can_set_back = _set_peak_back()
    between = _resident_kib()
    for _ in range(CALLS):
        run()
    peak = _peak_kib()
    return {
        "mib": round((peak - before) / 1024, 1),
        "mib_with_compilation": round((max(peak, peak_of_warm_up) - before) / 1024, 1),
        "mib_of_a_step": round((peak - between) / 1024, 1) if can_set_back else None,
        "method": SINCE_WARM_UP if can_set_back else SINCE_START,
    }


def _give_back_free_memory() -> None:
    gc.collect()
    # The C library of Linux keeps what was freed; others may lack the function.
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _set_peak_back() -> bool:
    """Sets the peak to what is resident now, if this system can."""
    if _status("VmHWM") is None:
        return False
    try:
        with open("/proc/self/clear_refs", "w") as stream:
            stream.write("5")
    except OSError:
        return False
    return True


def _resident_kib() -> int:
    resident = _status("VmRSS")
    return _peak_kib() if resident is None else resident


def _peak_kib() -> int:
    # Not ru_maxrss where there is another way: on Linux a new process inherits its parent's.
    peak = _status("VmHWM")
    if peak is not None:
        return peak
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


def _status(field: str) -> int | None:
    try:
        with open("/proc/self/status") as stream:
            return next((int(line.split()[1]) for line in stream if line.startswith(f"{field}:")), None)
    except OSError:
        return None
