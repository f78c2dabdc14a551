"""What counting reaches: n-grams of the training text, smoothed, as a model's honest neighbour."""

import numpy as np

# The most pieces of training that are counted, the last ones.
MOST_COUNTED = 5_000_000


def surprise_of_ngrams(training: np.ndarray, test: np.ndarray, longest: int) -> list[np.ndarray]:
    """How improbable each piece of a text is to n-grams of the lengths 1 to `longest`.

        p_n(w | h) = (max(c(h w) - D, 0) + D N(h) p_{n-1}(w | h')) / c(h)

    c counts in the training text; for all lengths but the longest in question it counts the different pieces before,
    N(h) the different pieces after h, h' is h without its first piece, D = a / (a + 2 b) with the n-grams that are
    counted once and twice; p_0 is the same for every id.

    Args:
        training: Ids, (pieces,) integers.
        test: Ids, (pieces,) integers.
        longest: The longest n.

    Returns:
        -log p of each piece of the test text, in nats, (pieces,); one array for each n.

    Source: interpolated Kneser-Ney smoothing: Chen and Goodman 1999, "An empirical study of smoothing techniques for
    language modeling", section 3.
    """
    training = training[-MOST_COUNTED:]
    both = np.concatenate([training, test]).astype(np.int64)
    size = int(both.max()) + 1
    # grams[n - 1]: a number for the n-gram that ends at each place; the same number, the same n-gram.
    grams = [both]
    while len(grams) < longest:
        earlier = np.concatenate([np.zeros(1, np.int64), grams[-1][:-1]])
        grams.append(np.unique(earlier * size + both, return_inverse=True)[1])
    found = []
    for n in range(1, longest + 1):
        p = np.full(len(test), 1 / size)
        for length in range(1, n + 1):
            p = _interpolated(p, grams, length, len(training), is_longest=length == n)
        found.append(-np.log(p))
    return found


def _interpolated(lower: np.ndarray, grams: list[np.ndarray], length: int, trained: int, is_longest: bool):
    """p_length of the pieces after the first `trained`, given p_{length - 1}."""
    gram = grams[length - 1]
    context = np.zeros_like(gram) if length == 1 else np.concatenate([np.zeros(1, np.int64), grams[length - 2][:-1]])
    if is_longest:
        # Every place of the training text counts.
        counted = np.arange(length - 1, trained)
    else:
        # Each n-gram once for every different piece before it.
        counted = np.unique(grams[length][length:trained], return_index=True)[1] + length
    of_gram = np.bincount(gram[counted], minlength=gram.max() + 1)
    of_context = np.bincount(context[counted], minlength=context.max() + 1)
    once, twice = np.count_nonzero(of_gram == 1), np.count_nonzero(of_gram == 2)
    discount = once / (once + 2 * twice) if once else 0.5
    first = np.unique(gram[counted], return_index=True)[1]
    different = np.bincount(context[counted][first], minlength=context.max() + 1)
    gram, context = gram[trained:], context[trained:]
    total = of_context[context]
    kept = np.maximum(of_gram[gram] - discount, 0) + discount * different[context] * lower
    return np.where(total > 0, kept / np.maximum(total, 1), lower)
