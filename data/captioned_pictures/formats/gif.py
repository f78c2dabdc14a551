"""GIF files in the graph: the first picture, before white.

Source: CompuServe, "Graphics Interchange Format, Version 89a", 1990.
"""

from typing import NamedTuple

import tensorflow as tf

from data.captioned_pictures.formats.content import bytes_at, number, refusing, size_problem

# Of one picture: 16 MiB in the usual ones.
_MOST_BLOCKS = 2**16
_MOST_EXTENSIONS = 100
_SCREEN, _DESCRIPTOR = 13, 10  # bytes
_CONTROL, _INTERLACED, _HAS_TABLE = 0xF9, 0x40, 0x80
_TABLE = 3 * 256  # bytes of the largest
_GREYS = bytes(level for level in range(256) for _ in range(3))


class _Picture(NamedTuple):
    """The first picture as its descriptor says.

    Args:
        place: Where the descriptor is.
        data: Where the blocks of the colours' numbers begin, after a byte.
        corner: Of the picture on the screen, left and top, int32 (2,).
        size: Width and height, int32 (2,).
        screen: The screen's, which no picture leaves.
        is_interlaced: Whether its rows come in four turns.
        table: The colours, three bytes each, a string; "" if there is none.
        transparent: The number of the colour that is not seen; -1 if all are.
    """

    place: tf.Tensor
    data: tf.Tensor
    corner: tf.Tensor
    size: tf.Tensor
    screen: tf.Tensor
    is_interlaced: tf.Tensor
    table: tf.Tensor
    transparent: tf.Tensor


def problem(content: tf.Tensor) -> tf.Tensor:
    """Why a GIF is refused by its header; "" where it is not."""
    return _problem(_first_picture(content))


def decode(content: tf.Tensor, side: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes the first picture of a GIF before white: uint8 (height, width, 3); and no EXIF data.

    The op decodes all pictures, takes what is missing of one from wherever, and has black for what is not seen. So it
    is given the one alone, without its place on the screen, and with white for the colour that is not seen.
    """
    first = _first_picture(content)
    content = refusing(content, _problem(first))
    end = _after_blocks(content, first.data + 1)
    is_whole = (bytes_at(content, first.place, 1)[0] == ord(",")) & (end <= tf.strings.length(content))
    content = refusing(content, tf.where(is_whole, "", "the first picture is cut short"))
    table = tf.strings.join([tf.where(first.table == "", _GREYS, first.table), bytes(_TABLE)])
    at = 3 * tf.maximum(first.transparent, 0)
    seen = [tf.strings.substr(table, 0, at), b"\xff\xff\xff", tf.strings.substr(table, at + 3, _TABLE)]
    table = tf.where(first.transparent >= 0, tf.strings.join(seen), table)
    size = tf.strings.substr(content, first.place + 5, 4)
    flags = tf.where(first.is_interlaced, bytes([_INTERLACED]), b"\0")
    screen = [b"GIF89a", size, bytes([_HAS_TABLE + 7, 0, 0]), tf.strings.substr(table, 0, _TABLE)]
    alone = [b",\0\0\0\0", size, flags, tf.strings.substr(content, first.data, end - first.data), b";"]
    picture = tf.io.decode_gif(tf.strings.join(screen + alone))[0]
    padding = tf.pad(tf.stack([first.corner, first.screen - first.corner - first.size], axis=1)[::-1], [[0, 1], [0, 0]])
    return tf.pad(picture, padding, constant_values=255), tf.constant("")


def _problem(first: _Picture) -> tf.Tensor:
    return size_problem(first.screen[0], first.screen[1])


def _first_picture(content: tf.Tensor) -> _Picture:
    header = bytes_at(content, 0, _SCREEN)

    def is_extension(place, transparent):
        return bytes_at(content, place, 1)[0] == ord("!")

    def step(place, transparent):
        control = bytes_at(content, place, 7)
        told = tf.where(control[3] % 2 == 1, control[6], -1)
        return _after_blocks(content, place + 2), tf.where(control[1] == _CONTROL, told, transparent)

    start = (_SCREEN + _table_size(header[10]), tf.constant(-1))
    place, transparent = tf.while_loop(is_extension, step, start, maximum_iterations=_MOST_EXTENSIONS)
    descriptor = bytes_at(content, place, _DESCRIPTOR)
    left, top, width, height = (tf.cast(number(descriptor[at : at + 2], True), tf.int32) for at in (1, 3, 5, 7))
    corner, size = tf.stack([left, top]), tf.stack([width, height])
    screen = tf.stack([number(header[6:8], True), number(header[8:10], True)])
    own, common = _table_size(descriptor[9]), _table_size(header[10])
    table_place = tf.minimum(tf.where(own > 0, place + _DESCRIPTOR, _SCREEN), tf.strings.length(content))
    return _Picture(
        place,
        data=place + _DESCRIPTOR + own,
        corner=corner,
        size=size,
        screen=tf.maximum(tf.cast(screen, tf.int32), corner + size),
        is_interlaced=tf.bitwise.bitwise_and(descriptor[9], _INTERLACED) > 0,
        table=tf.strings.substr(content, table_place, tf.where(own > 0, own, common)),
        transparent=transparent,
    )


def _table_size(flags: tf.Tensor) -> tf.Tensor:
    """The bytes of a colour table; 0 where the flags say that there is none."""
    return tf.where(flags >= _HAS_TABLE, 6 * tf.bitwise.left_shift(1, flags % 8), 0)


def _after_blocks(content: tf.Tensor, place: tf.Tensor) -> tf.Tensor:
    """Where the blocks have ended that begin at a place: each begins with its length; the last is empty."""

    def step(place, length):
        return place + 1 + length, bytes_at(content, place + 1 + length, 1)[0]

    start = (place, bytes_at(content, place, 1)[0])
    place, _ = tf.while_loop(lambda place, length: length > 0, step, start, maximum_iterations=_MOST_BLOCKS)
    return place + 1
