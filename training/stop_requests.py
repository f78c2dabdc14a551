"""Ctrl-C and SIGTERM end a run between two steps, with a checkpoint, instead of in the middle of one."""

import contextlib
import signal
import threading
from collections.abc import Iterator


class Interrupted(Exception):
    """A run was asked to stop and has saved its checkpoint."""


@contextlib.contextmanager
def stop_requests() -> Iterator[threading.Event]:
    """Turns the first Ctrl-C or SIGTERM into an event; a second Ctrl-C interrupts at once.

    Yields:
        The event, for the loop to ask after each step.

    Example:
        with stop_requests() as stop:
            while not stop.is_set():
                train_step()
    """
    requested = threading.Event()
    before = {}

    def handle(number, frame):
        if requested.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        requested.set()

    try:
        # Only the main thread may set handlers; a loop run from a notebook's thread does without.
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(ValueError):
                before[number] = signal.signal(number, handle)
        yield requested
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
