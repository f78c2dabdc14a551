"""PNG files in the graph.

Source: W3C, "Portable Network Graphics (PNG) Specification (Third Edition)", 11.2 and 11.3.
"""

import tensorflow as tf

from data.captioned_pictures.formats.content import bytes_at, find_chunks, number, refusing, size_problem

_GREY, _RGB = 0, 2
_BEGINNING = 8  # bytes, before the first chunk


def problem(content: tf.Tensor) -> tf.Tensor:
    """Why a PNG is refused by its header; "" where it is not."""
    size = bytes_at(content, 16, 8)
    return size_problem(number(size[:4], False), number(size[4:], False))


def decode(content: tf.Tensor, side: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes a PNG: uint8 (height, width, 1 to 4), of which the second and fourth are alpha; and its EXIF data."""
    content = refusing(content, problem(content))
    kind = bytes_at(content, 25, 1)[0]
    colour_key, exif = tf.unstack(find_chunks(content, _BEGINNING, [b"tRNS", b"eXIf"], is_riff=False))
    has_colour_key = (colour_key[0] > 0) & ((kind == _GREY) | (kind == _RGB))
    picture = tf.cond(
        has_colour_key,
        # With it this channel is made; asking for one where there is neither gives a wrong one for fewer than 8 bits.
        lambda: tf.io.decode_png(content, channels=4),
        lambda: tf.io.decode_png(content, channels=0),
    )
    return picture, tf.strings.substr(content, exif[0], exif[1])
