"""A process for each library that is compared.

TensorFlow and PyTorch in one process end in a segmentation fault where PyTorch comes with Triton, and each library's
threads and memory are its own this way. The processes stay, so that their calls can be interleaved.
"""

import contextlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
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
