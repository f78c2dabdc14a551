"""Which of many rows are shown."""

from collections.abc import Sequence

import numpy as np


def typical_rows(lengths: Sequence[int] | np.ndarray, count: int) -> list[int]:
    """Rows to show: as many short as long ones, but none of the extremes.

    Args:
        lengths: The rows' lengths.
        count: How many are wanted.

    Returns:
        Indices, at most `count`, shortest first; always the same for the same lengths.
    """
    order = np.argsort(np.asarray(lengths), kind="stable")
    places = np.linspace(0.1, 0.9, count) * (len(order) - 1)
    return list(dict.fromkeys(int(order[round(place)]) for place in places))
