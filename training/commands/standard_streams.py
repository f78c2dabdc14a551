"""Standard input, output and error as a program finds them: any may be closed, full, or without a reader."""

import os
import sys


def open_standard_streams() -> None:
    """Opens the null device in place of each standard stream that is closed (`<&-`, a service, `pythonw`).

    Otherwise the next file that is opened, a checkpoint say, gets the number of a closed one, and native code writes
    its messages into it. To be called before anything is opened to stay open.

    Example:
        open_standard_streams()
        sys.stdin.read()   # "" where standard input is closed
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest number that is free is given out: this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def abandon_unwritable() -> None:
    """Points standard output and error at the null device where what they hold cannot be written.

    Otherwise Python tries again as it ends, fails, and ends with a complaint of its own.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
