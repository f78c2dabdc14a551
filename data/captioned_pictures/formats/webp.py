"""WebP files in the graph.

Source: RFC 9649, "WebP Image Format", 2.
"""

import tensorflow as tf

from data.captioned_pictures.formats.content import (
    begins_with,
    bytes_at,
    find_chunks,
    number,
    refusing,
    size_problem,
)

_FIRST_CHUNK = 12
_FLAGS, _HAS_ALPHA, _IS_ANIMATED = 20, 0x10, 0x02


def problem(content: tf.Tensor) -> tf.Tensor:
    """Why a WebP is refused by its header; "" where it is not."""
    header = bytes_at(content, 0, 30)
    # The size has its place in each of three kinds: extended, lossless and lossy.
    extended = number(header[24:27], True) + 1, number(header[27:30], True) + 1
    bits = number(header[21:25], True)
    lossless = bits % 2**14 + 1, bits // 2**14 % 2**14 + 1
    lossy = number(header[26:28], True) % 2**14, number(header[28:30], True) % 2**14
    kind = tf.where(begins_with(header[12:], b"VP8X"), 0, tf.where(header[15] == ord("L"), 1, 2))
    width, height = tf.unstack(tf.stack([extended, lossless, lossy])[kind])
    return size_problem(width, height)


def decode(content: tf.Tensor, side: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes a WebP, or its first picture: uint8 (height, width, 3 or 4); and its EXIF data."""
    content = refusing(content, problem(content))
    (exif,) = tf.unstack(find_chunks(content, _FIRST_CHUNK, [b"EXIF"], is_riff=True))
    data = tf.strings.substr(content, exif[0], exif[1])
    # Of an animation that does not say that it has an alpha channel, TensorFlow 2.21 writes one all the same, past the
    # end of the room that it took.
    header = bytes_at(content, 0, _FLAGS + 1)
    flags = header[_FLAGS]

    def with_alpha():
        more_flags = tf.gather([bytes([byte]) for byte in range(256)], tf.bitwise.bitwise_or(flags, _HAS_ALPHA))
        rest = tf.strings.substr(content, _FLAGS + 1, tf.strings.length(content))
        return tf.strings.join([tf.strings.substr(content, 0, _FLAGS), more_flags, rest])

    is_animated = begins_with(header[12:], b"VP8X") & (tf.bitwise.bitwise_and(flags, _IS_ANIMATED) > 0)
    content = tf.cond(is_animated, with_alpha, lambda: content)
    return tf.io.decode_image(content, channels=0, expand_animations=False), data
