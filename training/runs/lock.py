"""A lock on a file that the operating system lets go when the process ends, however it ends."""

import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


def lock_file(path: Path) -> int | None:
    """Locks `path`, making it if need be.

    Args:
        path: The lock's file. It stays afterwards: removing it would let two processes lock two files of one name.

    Returns:
        A descriptor for `unlock_file`; None if another process holds the lock.

    Example:
        descriptor = lock_file(run / "lock")
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        os.close(descriptor)
        return None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def unlock_file(descriptor: int) -> None:
    """Lets go of a lock that `lock_file` gave."""
    os.close(descriptor)
