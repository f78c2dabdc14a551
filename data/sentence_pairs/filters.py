"""Which sentence pairs are not trained on, those too long or of unlike lengths; and which look as if not meant so."""

import re

from data.errors import UserError
from data.scripts import length_in_words
from data.sentence_pairs.pairs import SentencePairs

# What a page of HTML, and Moses's tokenizer, write in the place of a character.
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d+|#[xX][0-9a-fA-F]+);")


def describe_entities(pairs: SentencePairs) -> str | None:
    """What is to be said of pairs that hold HTML entities, which are learned and translated like any other text.

    Example:
        describe_entities(SentencePairs(["R&amp;D", "a"], ["F&E", "b"]))   # "1 of 2 pairs holds &amp; or the ..."
    """
    found = [match[0] for sides in zip(pairs.sources, pairs.targets) if (match := _ENTITY.search("\n".join(sides)))]
    if not found:
        return None
    count = f"{len(found):,} of {len(pairs):,} pairs {'holds' if len(found) == 1 else 'hold'}"
    return f"{count} {found[0]} or the like, kept as it stands; unescape the files, and what is translated, alike"


def filter_pairs(pairs: SentencePairs, longest: int, largest_ratio: float) -> tuple[SentencePairs, str]:
    """Leaves out training pairs that cost more than they teach.

    A pair whose sides are of very unlike lengths is seldom a translation. Only training pairs are filtered: what a
    model is measured on stays as it is. Lengths are in words, as `data.scripts.length_in_words` counts them; an empty
    sentence counts as 1.

    Args:
        pairs: The training pairs.
        longest: The most words that either side may have; 0: no limit.
        largest_ratio: The most times that one side may be as long as the other, at least 1; 0: no limit.

    Returns:
        The pairs that are left, in the same order, and a sentence about the others; "" if there are none. A pair that
        both rules leave out is counted as too long.

    Raises:
        UserError: No pair is left.

    Example:
        pairs = SentencePairs(["a b c d", "a"], ["e f g", "e f g h"])
        kept, left_out = filter_pairs(pairs, longest=50, largest_ratio=3)
        left_out   # "1 of 2 training pairs left out: 1 with one side over 3 times as long as the other"
    """
    kept, too_long, unlike = [], 0, 0
    for row, sides in enumerate(zip(pairs.sources, pairs.targets, strict=True)):
        shorter, longer = sorted(max(length_in_words(side), 1) for side in sides)
        if longest and longer > longest:
            too_long += 1
        elif largest_ratio and longer > largest_ratio * shorter:
            unlike += 1
        else:
            kept.append(row)
    reasons = [f"{too_long:,} longer than {longest:,} words"] if too_long else []
    if unlike:
        reasons.append(f"{unlike:,} with one side over {largest_ratio:g} times as long as the other")
    counted = f"{too_long + unlike:,} of {len(pairs):,} training pairs left out"
    left_out = f"{counted}: {', '.join(reasons)}" if reasons else ""
    if not kept:
        raise UserError(f"no training pair is left: {left_out or 'there was none'}")
    return pairs.select(kept), left_out
