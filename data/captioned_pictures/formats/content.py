"""What the readers of picture files share: bytes and numbers of a string, in the graph."""

import numpy as np
import tensorflow as tf

# The most pixels that a file may claim: TensorFlow would take the memory before it finds that they are not there.
LARGEST_PICTURE = 2**26  # pixels
_MOST_CHUNKS = 2**16


def bytes_at(content: tf.Tensor, place: tf.Tensor | int, count: int) -> tf.Tensor:
    """Some bytes of a string as int32 (count,), zeros where it has ended."""
    piece = tf.strings.substr(content, tf.minimum(place, tf.strings.length(content)), count)
    return tf.cast(tf.io.decode_raw(piece, tf.uint8, fixed_length=count), tf.int32)


def begins_with(values: tf.Tensor, beginning: bytes) -> tf.Tensor:
    """Whether bytes (count,) begin with these, of which "." is any one; a scalar."""
    wanted = np.frombuffer(beginning, np.uint8).astype(np.int32)
    return tf.reduce_all((values[: len(wanted)] == wanted) | (wanted == ord(".")))


def number(digits: tf.Tensor, is_little: tf.Tensor | bool) -> tf.Tensor:
    """Bytes (..., digits) as whole numbers int64 (...), the lowest byte first or last."""
    weights = 256 ** np.arange(digits.shape[-1], dtype=np.int64)
    return tf.reduce_sum(tf.cast(digits, tf.int64) * tf.where(is_little, weights, weights[::-1].copy()), axis=-1)


def size_problem(width: tf.Tensor, height: tf.Tensor, most: int = LARGEST_PICTURE) -> tf.Tensor:
    """Says that a file claims too many pixels; "" where it does not."""
    width, height = tf.cast(width, tf.int64), tf.cast(height, tf.int64)
    words = [f"more than {most:,} pixels: ", tf.strings.as_string(width), " x ", tf.strings.as_string(height)]
    # The division cannot overflow.
    return tf.where(width > most // tf.maximum(height, 1), tf.strings.join(words), "")


def refusing(content: tf.Tensor, problem: tf.Tensor) -> tf.Tensor:
    """The content; an InvalidArgumentError where there is a problem: a string that is not ""."""
    # Not tf.debugging.Assert, which spares a GPU the problem and makes two functions more for it.
    with tf.control_dependencies([tf.raw_ops.Assert(condition=problem == "", data=[problem])]):
        return tf.identity(content)


def find_chunks(content: tf.Tensor, start: int, names: list[bytes], *, is_riff: bool) -> tf.Tensor:
    """Finds chunks of a RIFF file (WebP), or of a PNG, each of which says its name and its length.

    Args:
        content: The file, a scalar string.
        start: Where the first chunk is.
        names: Of four bytes each.
        is_riff: The name comes first, lengths have the lowest byte first, and odd ones are followed by a byte; in a PNG
            a checksum of four bytes follows.

    Returns:
        Where the data of the first one of each name begins and their length, int32 (names, 2); zeros where none is.
    """
    size = tf.strings.length(content)
    wanted = np.array([list(name) for name in names], np.int32)

    def step(place, found):
        head = tf.reshape(bytes_at(content, place, 8), [2, 4])
        name, length = (head[0], head[1]) if is_riff else (head[1], head[0])
        length = tf.cast(tf.minimum(number(length, is_riff), tf.cast(size - place, tf.int64)), tf.int32)
        is_it = tf.reduce_all(name == wanted, axis=1) & (found[:, 0] == 0)
        found = tf.where(is_it[:, None], tf.stack([place + 8, length]), found)
        return place + 8 + length + (length % 2 if is_riff else 4), found

    def go_on(place, found):
        return (place < size) & tf.reduce_any(found[:, 0] == 0)

    start_loop = (tf.constant(start), tf.zeros([len(names), 2], tf.int32))
    return tf.while_loop(go_on, step, start_loop, maximum_iterations=_MOST_CHUNKS)[1]
