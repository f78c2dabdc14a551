"""Some of many at a time: a file may be larger than memory, and one of its lines as large as thousands of others."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

# What is held at a time is not much more.
LARGEST_CHUNK = 2**24  # characters or bytes

Item = TypeVar("Item")


def chunks(items: Iterable[Item], most: int, size: Callable[[Item], int]) -> Iterator[list[Item]]:
    """Cuts a sequence into pieces.

    Args:
        items: The sequence, which may have no end.
        most: A piece has so many items, or fewer where they are large together.
        size: Gives an item's size, in characters or bytes.

    Example:
        >>> list(chunks(["a", "b", "c"], 2, len))
        [['a', 'b'], ['c']]
    """
    chunk: list[Item] = []
    total = 0
    for item in items:
        chunk.append(item)
        total += size(item)
        if len(chunk) >= most or total >= LARGEST_CHUNK:
            yield chunk
            chunk, total = [], 0
    if chunk:
        yield chunk


def size_of_row(row: dict[str, Any]) -> int:
    """The characters and bytes of a row's values, of lists the number of their items."""
    return sum(len(value) for value in row.values() if hasattr(value, "__len__"))
