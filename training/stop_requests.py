"""Ctrl-C and SIGTERM end a run between two steps, with a checkpoint, instead of in the middle of one."""

import contextlib
import signal
import threading
from collections.abc import Iterator


class Interrupted(Exception):
    """A run was asked to stop; the message says from where the same command goes on."""


class StopRequests(threading.Event):
    """Set by the first request to stop.

    Args:
        at_once: Whether this request interrupts what is under way, too: where nothing can be left half done.
    """

    at_once = False


@contextlib.contextmanager
def termination_interrupts() -> Iterator[None]:
    """Makes SIGTERM interrupt as Ctrl-C does, so that what is under way is cleaned up."""
    with _handlers(signal.default_int_handler, [signal.SIGTERM]):
        yield


@contextlib.contextmanager
def stop_requests() -> Iterator[StopRequests]:
    """Turns the first Ctrl-C or SIGTERM into an event; a second Ctrl-C interrupts at once.

    Yields:
        The event, for the loop to ask after each step.

    Example:
        with stop_requests() as stop:
            while not stop.is_set():
                train_step()
    """
    requested = StopRequests()

    def handle(number, frame):
        interrupts = requested.at_once or requested.is_set() and number == signal.SIGINT
        requested.set()
        if interrupts:
            raise KeyboardInterrupt

    with _handlers(handle, [signal.SIGINT, signal.SIGTERM]):
        yield requested


@contextlib.contextmanager
def _handlers(handle, numbers: list[int]) -> Iterator[None]:
    """Handles signals so for the length of the block."""
    before = {}
    try:
        # Only the main thread may set handlers; a loop run from a notebook's thread does without.
        for number in numbers:
            with contextlib.suppress(ValueError):
                before[number] = signal.signal(number, handle)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
