"""What stands before and after every place of a row, for rules that look at a text's characters or bytes.

`tf.roll` does the same, but has other threads help it however short the row is, which takes several times as long.
"""

import tensorflow as tf


def previous(values: tf.Tensor, by: int = 1) -> tf.Tensor:
    """What stands `by` places before each place; at the first places what stands last.

    Args:
        values: (places, ...), at least `by` of them or none.
        by: How far to look.

    Returns:
        A tensor like `values`.

    Example:
        previous(tf.constant([1, 2, 3]))  # [3, 1, 2]
    """
    return tf.concat([values[-by:], values[:-by]], axis=0)


def following(values: tf.Tensor, by: int = 1) -> tf.Tensor:
    """What stands `by` places after each place; at the last places what stands first.

    Args:
        values: (places, ...), at least `by` of them or none.
        by: How far to look.

    Returns:
        A tensor like `values`.

    Example:
        following(tf.constant([1, 2, 3]))  # [2, 3, 1]
    """
    return previous(values, -by)
