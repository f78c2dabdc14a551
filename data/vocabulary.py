"""A vocabulary: which words get an id of their own, most frequent first."""

from collections import Counter
from collections.abc import Iterable

# Id 0 is padding and id 1 any word outside the vocabulary, in every template.
PADDING, UNKNOWN = 0, 1
FIRST_WORD = 2


def build_vocabulary(counts: Counter, largest: int, least_count: int = 1) -> list[str]:
    """Chooses the words to keep.

    Args:
        counts: How often each word occurs in the training split.
        largest: Ids in all, padding and unknown included.
        least_count: Words rarer than this are left out.

    Returns:
        Words by falling count, ties in alphabetical order; word i has the id i + 2.

    Example:
        build_vocabulary(Counter("a b a".split()), largest=10)   # ["a", "b"]
    """
    kept = [(word, count) for word, count in counts.items() if count >= least_count]
    kept.sort(key=lambda pair: (-pair[1], pair[0]))
    return [word for word, _ in kept[: largest - FIRST_WORD]]


def unknown_share(rows: Iterable) -> float:
    """The share of ids that are unknown, 0 to 1, over rows of ids (integer arrays)."""
    unknown = total = 0
    for row in rows:
        unknown += int((row == UNKNOWN).sum())
        total += len(row)
    return unknown / total if total else 0.0
