"""A lock on a file that the operating system lets go when the process ends, however it ends."""

import contextlib
import errno
import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


# What a file system answers that has no locks: some mounts of NFS, Lustre, FUSE.
NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}


def lock_file(path: Path) -> int | None:
    """Locks `path`, making it if need be.

    Where the file system has no locks, that is said and the command goes on: it is the lock of one who does not begin
    a run twice, and every file is written whole, so that two such commands could stop, but not damage each other.

    Args:
        path: The lock's file. Only who holds the lock may remove it.

    Returns:
        A descriptor for `unlock_file`; None if another process holds the lock.

    Example:
        descriptor = lock_file(run / "lock")
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if sys.platform == "win32":
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                os.close(descriptor)
                if isinstance(error, (BlockingIOError, PermissionError)):
                    return None
                raise OSError(error.errno, error.strerror, str(path)) from error
            advice = "see to it yourself that no other command writes here"
            print(f"warning: {path}: no locks on this file system ({error.strerror}); {advice}", file=sys.stderr)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        # Who held the lock removed the file between the two calls above: it is nobody's lock any longer.
        os.close(descriptor)


def unlock_file(descriptor: int) -> None:
    """Lets go of a lock that `lock_file` gave."""
    os.close(descriptor)
