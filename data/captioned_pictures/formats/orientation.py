"""Which way up a picture is: what its EXIF data say, and turning it.

Source: CIPA DC-008, "Exchangeable image file format for digital still cameras", 4.5 and 4.6.
"""

import tensorflow as tf

from data.captioned_pictures.formats.content import bytes_at, number

EXIF = b"Exif\0\0"
_TIFF_MAGIC, _ORIENTATION_TAG, _SHORT, _ENTRY = 42, 0x0112, 3, 12


def exif_orientation(content: tf.Tensor) -> tf.Tensor:
    """The orientation that EXIF data tell.

    Args:
        content: The data, a scalar string; it may begin with `EXIF`.

    Returns:
        1 to 8, int32; 1 where it tells none, or is damaged.
    """
    begins = tf.strings.substr(content, 0, tf.minimum(tf.strings.length(content), len(EXIF))) == EXIF
    content = tf.strings.substr(content, tf.where(begins, len(EXIF), 0), tf.strings.length(content))
    size = tf.strings.length(content)
    is_little, is_big = (tf.strings.substr(content, 0, tf.minimum(size, 2)) == order for order in ("II", "MM"))

    def number_at(place: tf.Tensor | int, count: int):
        return number(bytes_at(content, place, count), is_little)

    # The first directory: how many entries, then each with tag, type, count and value.
    place = tf.cast(tf.minimum(number_at(4, 4), tf.cast(size, tf.int64)), tf.int32)
    entries = tf.minimum(tf.cast(number_at(place, 2), tf.int32), tf.maximum(size - place - 2, 0) // _ENTRY)
    rows = tf.strings.substr(content, tf.minimum(place + 2, size), entries * _ENTRY)
    rows = tf.reshape(tf.io.decode_raw(rows, tf.uint8), [-1, _ENTRY])
    is_orientation = (number(rows[:, :2], is_little) == _ORIENTATION_TAG) & (number(rows[:, 2:4], is_little) == _SHORT)
    found = tf.reduce_max(tf.where(is_orientation, number(rows[:, 8:10], is_little), 0))
    is_valid = (is_little | is_big) & (number_at(2, 2) == _TIFF_MAGIC) & (found >= 1) & (found <= 8)
    return tf.cast(tf.where(is_valid, found, 1), tf.int32)


def turned(picture: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """A square picture (side, side, channels) as it is to be seen."""

    def one_of(*orientations: int):
        return tf.reduce_any(orientation == tf.constant(orientations))

    picture = tf.where(one_of(5, 6, 7, 8), tf.transpose(picture, [1, 0, 2]), picture)
    picture = tf.where(one_of(2, 3, 6, 7), picture[:, ::-1], picture)
    return tf.where(one_of(3, 4, 7, 8), picture[::-1], picture)
