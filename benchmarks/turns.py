"""Timing several implementations in turns, whichever process each is in."""

import gc
import statistics
import time
from collections.abc import Callable, Hashable
from functools import partial

from benchmarks.processes import Method, call_kept

# So long do the threads of PyTorch's last call stay awake; they would take the cores from whoever comes next.
SECONDS_AFTER_TORCH = 0.3


def seconds_of(function: Callable, *arguments, again: bool = False) -> float:
    """The seconds of a call, Python's garbage collector held back.

    Args:
        function: What is called; a method in another process is timed there, without the way there and back.
        arguments: What with.
        again: Whether an untimed call comes just before, so that caches hold what is its own.
    """
    if isinstance(function, Method):
        there = partial(call_kept, function.key, function.name, *function.first)
        return function.process.submit(seconds_of, there, *arguments, again=again).result()
    gc.disable()
    try:
        if again:
            function(*arguments)
        start = time.perf_counter()
        result = function(*arguments)
        seconds = time.perf_counter() - start
        # Freed after the clock has stopped.
        del result
    finally:
        gc.enable()
    return seconds


def take_turns(works: dict[Hashable, Callable[[int], float]], rounds: int) -> dict[Hashable, list[float]]:
    """Has all work, one after the other; every round starts one place further on.

    Args:
        works: By name, what works in a round, given its number from 0, and returns the time that it took.
        rounds: Number of rounds.

    Returns:
        The times of each round, by name.
    """
    names, times = list(works), {name: [] for name in works}
    gc.collect()
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            times[name].append(works[name](turn))
            pause_after(name)
    return times


def per_second(seconds: dict[str, dict[str, list[float]]], amounts: dict[str, int]) -> dict[str, dict[str, float]]:
    """What each does per second, at the median of its rounds.

    Args:
        seconds: The kind of work -> who -> the seconds of each round, as `take_turns` gives them.
        amounts: How much is done in a round, by the kind of work.
    """
    return {
        work: {name: round(amounts[work] / statistics.median(times), 1) for name, times in by_name.items()}
        for work, by_name in seconds.items()
    }


def pause_after(name: Hashable) -> None:
    """Waits until nobody's threads are busy waiting."""
    if str(name).split()[0] == "torch":
        time.sleep(SECONDS_AFTER_TORCH)
