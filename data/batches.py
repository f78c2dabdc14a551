"""An epoch's batches as a pure function of seed and epoch, rows of similar length together.

Nothing is streamed or shuffled in a buffer: a run that is killed goes on at a position of the list, and a list made
again is the same list.
"""

from collections.abc import Sequence

import numpy as np

# A window of this many batches is sorted by length: long enough for little padding, short enough for random batches.
BATCHES_PER_WINDOW = 50


def plan_batches(lengths: np.ndarray, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Plans one epoch of training.

    Rows are shuffled, sorted by length within windows, cut into batches, and the batches are shuffled.

    Args:
        lengths: The rows' lengths, (rows,).
        batch_size: Rows per batch over all replicas together.
        seed: The run's seed.
        epoch: The epoch, from 0.

    Returns:
        Index arrays; every row occurs once, only one batch may be short.

    Example:
        for rows in plan_batches(lengths, 64, seed=0, epoch=3)[resumed_at:]:
            ...
    """
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(len(lengths))
    window = batch_size * BATCHES_PER_WINDOW
    starts = range(0, len(order), window)
    windows = [order[start : start + window] for start in starts]
    ordered = np.concatenate([rows[np.argsort(lengths[rows], kind="stable")] for rows in windows])
    batches = _cut(ordered, batch_size)
    return [batches[index] for index in random.permutation(len(batches))]


def plan_in_order_of_length(
    lengths: np.ndarray, batch_size: int, most_positions: int | None = None
) -> list[np.ndarray]:
    """Plans one pass for evaluation: shortest rows first, no chance, hardly any padding.

    Args:
        lengths: The rows' lengths, (rows,).
        batch_size: Rows per batch, at most.
        most_positions: The largest product of a batch's rows and its padded length, so that a few very long rows do not
            take the memory of a whole batch of them; one row is always taken. None: every batch but the last is full.

    Returns:
        Index arrays; every row occurs once.
    """
    order = np.argsort(lengths, kind="stable")
    if most_positions is None:
        return _cut(order, batch_size)
    batches, start = [], 0
    for stop in range(1, len(order) + 1):
        # One row more would be too many, or too long.
        is_full = stop - start == batch_size
        if stop == len(order) or is_full or (stop - start + 1) * max(int(lengths[order[stop]]), 1) > most_positions:
            batches.append(order[start:stop])
            start = stop
    return batches


def _cut(order: np.ndarray, batch_size: int) -> list[np.ndarray]:
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def padded_length(lengths: np.ndarray, multiple: int = 1) -> int:
    """The length a batch is padded to: its longest row, at least 1, rounded up to a multiple.

    A batch of length 0 would crash the loop over time; a few fixed lengths spare a compiler one compilation per length.
    """
    longest = max(int(lengths.max(initial=0)), 1)
    return -(-longest // multiple) * multiple


def padding_share(plan: Sequence[np.ndarray], lengths: np.ndarray, multiple: int = 1) -> float:
    """The share of an epoch's positions that hold padding, 0 to 1."""
    positions = sum(len(rows) * padded_length(lengths[rows], multiple) for rows in plan)
    return 1 - float(lengths.sum()) / positions if positions else 0.0


def pad(rows: Sequence[np.ndarray], multiple: int = 1) -> np.ndarray:
    """Pads rows of ids with 0 on the right.

    Args:
        rows: The rows, 1-D integer arrays.
        multiple: The padded length is a multiple of this.

    Returns:
        (rows, length) int32.

    Example:
        pad([np.array([4, 5]), np.array([6])])   # [[4, 5], [6, 0]]
    """
    lengths = np.array([len(row) for row in rows], int)
    padded = np.zeros((len(rows), padded_length(lengths, multiple)), np.int32)
    for row, values in zip(padded, rows):
        row[: len(values)] = values
    return padded


def hold_out(rows: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Splits rows into training and held-out validation rows; the same for every seed, so that runs compare.

    Args:
        rows: The number of rows.
        share: The share to hold out, 0 to 1; at least one row is held out, and at least one is left.

    Returns:
        Sorted indices to train on, and sorted indices to validate on.
    """
    held_out = min(max(round(rows * share), 1), rows - 1)
    order = np.random.default_rng(0).permutation(rows)
    return np.sort(order[held_out:]), np.sort(order[:held_out])
