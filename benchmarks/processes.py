"""A process for each library that is compared.

TensorFlow and PyTorch in one process end in a segmentation fault where PyTorch comes with Triton, and each library's
threads and memory are its own this way. The processes stay, so that their calls can be interleaved. (TensorFlow itself
imports JAX if that is installed; what is timed of JAX runs where TensorFlow is not.)
"""

import contextlib
import importlib.util
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context


@contextlib.contextmanager
def process_for_each(names: Iterable[str]) -> Iterator[dict[str, Executor]]:
    """Starts a process for each name, and ends all of them after the block.

    What is called in them are functions of modules that import a library inside functions only: a new process imports
    the main module again, whichever library it is for.

    Args:
        names: The libraries' names.

    Yields:
        What runs functions in each process, by name: `processes["torch"].submit(function, argument).result()`. An
        error is raised by `result()`; `BrokenProcessPool` says that the process died.
    """
    with contextlib.ExitStack() as stack:
        spawn = get_context("spawn")
        yield {name: stack.enter_context(ProcessPoolExecutor(1, mp_context=spawn)) for name in names}


def installed(*libraries: str) -> list[str]:
    """Those of the libraries that are installed; none is imported."""
    return [name for name in libraries if importlib.util.find_spec(name) is not None]


@dataclass(frozen=True)
class Method:
    """A method of an object in another process, called like a function of this one.

    Args:
        process: Where the object is.
        key: Under which it is kept there.
        name: The method's.
        first: The method's first arguments; what it is called with comes behind them.
    """

    process: Executor
    key: str
    name: str
    first: tuple = ()

    def __call__(self, *arguments):
        return self.process.submit(call_kept, self.key, self.name, *self.first, *arguments).result()


class Elsewhere:
    """An object in another process, made there; it takes the place of the one with the same key.

    Args:
        process: Where.
        key: Tells it from others of that process.
        module: The module of its class, which is imported there and not here.
        kind: The class.
        arguments: What the class is called with.

    Example:
        tagger = Elsewhere(processes["torch"], "packed", "benchmarks.torch_peers", "Tagger", *arguments)
        train = tagger.method("train")
        loss = train(batches)
    """

    def __init__(self, process: Executor, key: str, module: str, kind: str, *arguments):
        self.process, self.key = process, key
        process.submit(keep, key, module, kind, *arguments).result()

    def method(self, name: str, *first) -> Method:
        """One of its methods, given its first arguments."""
        return Method(self.process, self.key, name, first)


# What follows runs in the libraries' own processes.

_kept: dict[str, object] = {}


def keep(key: str, module: str, kind: str, *arguments) -> None:
    """Makes an object and keeps it."""
    _kept.pop(key, None)
    make: Callable = getattr(import_module(module), kind)
    _kept[key] = make(*arguments)


def call_kept(key: str, name: str, *arguments):
    """Calls a method of an object that is kept."""
    return getattr(_kept[key], name)(*arguments)
