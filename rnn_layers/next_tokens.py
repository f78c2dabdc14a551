"""Choosing next tokens: the largest of a few thousand numbers in each row, and their log probabilities."""

import math

import tensorflow as tf

# `largest` looks at groups of about this many numbers; where there are no more than a few groups it does not.
GROUP = 64


def continuations(logits, is_last, width, end, forbidden):
    """The likeliest next tokens of each row, the likeliest first, and their log p.

    Args:
        logits: (rows, vocabulary) float32.
        is_last: (rows,) bool, where only the end token may come.
        width: How many are needed, if the vocabulary has so many.
        end: The end token.
        forbidden: List of tokens whose log p is set to -inf.

    Returns:
        Two of (rows, choices), int32 and float32.
    """
    vocabulary, wanted = logits.shape[1], width + len(forbidden)
    count = tf.minimum(wanted, tf.shape(logits)[1]) if vocabulary is None else min(wanted, vocabulary)
    log_p = tf.nn.log_softmax(logits)
    gains, tokens = largest(log_p, count)
    if forbidden:
        is_forbidden = tf.reduce_any(tokens[:, :, tf.newaxis] == tf.constant(forbidden), axis=2)
        gains = tf.where(is_forbidden, -math.inf, gains)
    only_end = tf.where(tf.range(count) == 0, log_p[:, end, tf.newaxis], -math.inf)
    is_last = is_last[:, tf.newaxis]
    return tf.where(is_last, end, tokens), tf.where(is_last, only_end, gains)


def largest(values, count):
    """`tf.math.top_k`, faster on a processor where rows are long and few numbers are wanted.

    The maximum of each group of neighbours is taken first; the largest numbers are in the groups with the largest ones.

    Args:
        values: (rows, columns).
        count: How many; no more than there are columns.

    Returns:
        The numbers, falling, (rows, count); their columns, (rows, count) int32, of equal numbers the lowest first.
    """
    columns = values.shape[1]
    if columns is None or count == 1 or columns < 4 * GROUP * count:
        return tf.math.top_k(values, count)
    # A size that divides saves the copy that padding makes.
    size = next((size for size in range(GROUP // 2, 2 * GROUP) if columns % size == 0), GROUP)
    if columns % size:
        values = tf.pad(values, [[0, 0], [0, -columns % size]], constant_values=-math.inf)
    rows = tf.shape(values)[0]
    groups = tf.reshape(values, [rows, values.shape[1] // size, size])
    _, chosen = tf.math.top_k(tf.reduce_max(groups, axis=2), count)
    # In their order, so that of equal numbers the lowest column still comes first.
    chosen = tf.sort(chosen, axis=1)
    found, places = tf.math.top_k(tf.reshape(tf.gather(groups, chosen, batch_dims=1), [rows, count * size]), count)
    return found, tf.gather(chosen, places // size, batch_dims=1) * size + places % size
