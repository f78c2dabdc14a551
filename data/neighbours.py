"""What stands before and behind every place of a row, for rules that look at a text's characters or bytes.

As `tf.roll`, of which one call takes as long as ten of these operations: it asks other threads to help, however
short the row is.
"""

import tensorflow as tf


def behind(values: tf.Tensor, by: int = 1) -> tf.Tensor:
    """What stands `by` places before each place; at the first places what stands last.

    Args:
        values: (places, ...), at least `by` of them or none.
        by: How far to look.

    Returns:
        A tensor like `values`.

    Example:
        behind(tf.constant([1, 2, 3]))  # [3, 1, 2]
    """
    return tf.concat([values[-by:], values[:-by]], axis=0)


def ahead(values: tf.Tensor, by: int = 1) -> tf.Tensor:
    """What stands `by` places after each place; at the last places what stands first.

    Args:
        values: (places, ...), at least `by` of them or none.
        by: How far to look.

    Returns:
        A tensor like `values`.

    Example:
        ahead(tf.constant([1, 2, 3]))  # [2, 3, 1]
    """
    return tf.concat([values[by:], values[:by]], axis=0)
