"""Which sentence pairs are not trained on: long ones, and those whose sides are of unlike lengths."""

import dataclasses
from collections.abc import Callable, Sequence

from data.errors import UserError
from data.sentence_pairs.pairs import SentencePairs


@dataclasses.dataclass(frozen=True)
class FilterReport:
    """What `filter_pairs` left out.

    Attributes:
        before: the number of pairs there were.
        too_long: pairs left out because a side is too long.
        unlike: pairs left out because one side is so many times as long as the other.
        longest: the most that a side may have, 0 for no limit.
        largest_ratio: the most times that one side may be as long as the other, 0 for no limit.
        unit: what lengths are counted in.
    """

    before: int
    too_long: int
    unlike: int
    longest: int
    largest_ratio: float
    unit: str

    @property
    def left_out(self) -> int:
        """The number of pairs left out, each counted once."""
        return self.too_long + self.unlike

    def summary(self) -> str:
        """Returns one line about what was left out, or "" when nothing was."""
        reasons = []
        if self.too_long:
            reasons.append(f"{self.too_long:,} longer than {self.longest:,} {self.unit}")
        if self.unlike:
            reasons.append(f"{self.unlike:,} with one side over {self.largest_ratio:g} times as long as the other")
        if not reasons:
            return ""
        return f"{self.left_out:,} of {self.before:,} training pairs left out: {', '.join(reasons)}"


def count_words(sentences: Sequence[str]) -> list[int]:
    """Returns the length of each sentence in words, which blanks separate."""
    return [len(sentence.split()) for sentence in sentences]


def filter_pairs(
    pairs: SentencePairs,
    longest: int,
    largest_ratio: float,
    count: Callable[[Sequence[str]], Sequence[int]] = count_words,
    unit: str = "words",
) -> tuple[SentencePairs, FilterReport]:
    """Leaves out training pairs that cost more than they teach.

    A pair whose sides are of very unlike lengths is seldom a translation. Only training pairs are filtered: what a
    model is measured on stays as it is.

    Args:
        pairs: the training pairs.
        longest: the most that either side may have; 0: no limit.
        largest_ratio: the most times that one side may be as long as the other, at least 1; 0: no limit.
        count: returns the length of each of many sentences; an empty sentence counts as 1.
        unit: what ``count`` counts, for the report.

    Returns:
        The pairs that are left, in the same order, and what was left out. A pair that both rules leave out is counted
        as too long.

    Raises:
        UserError: no pair is left.

    Example:
        >>> pairs = SentencePairs(["a b c d", "a"], ["e f g", "e f g h"])
        >>> kept, report = filter_pairs(pairs, longest=50, largest_ratio=3)
        >>> report.summary()
        '1 of 2 training pairs left out: 1 with one side over 3 times as long as the other'
    """
    kept = []
    too_long = unlike = 0
    for row, lengths in enumerate(zip(count(pairs.sources), count(pairs.targets), strict=True)):
        shorter, longer = sorted(max(int(length), 1) for length in lengths)
        if longest and longer > longest:
            too_long += 1
        elif largest_ratio and longer > largest_ratio * shorter:
            unlike += 1
        else:
            kept.append(row)
    report = FilterReport(len(pairs), too_long, unlike, longest, largest_ratio, unit)
    if not kept:
        raise UserError(f"no training pair is left: {report.summary() or 'there was none'}")
    return pairs.select(kept), report
