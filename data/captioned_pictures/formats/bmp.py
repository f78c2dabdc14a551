"""BMP files in the graph, of 1 to 32 bits a pixel: TensorFlow's op reads only some of them, and not all of these right.

Source: Microsoft, "BITMAPINFOHEADER", "BITMAPV5HEADER", "BITMAPCOREHEADER" and "Bitmap Compression", Windows GDI.
"""

from typing import NamedTuple

import tensorflow as tf

from data.captioned_pictures.formats.content import bytes_at, number, refusing, size_problem

_FILE_HEADER = 14  # bytes
_HEADERS, _OS2_HEADER, _WITH_ALPHA = (12, 40, 52, 56, 64, 108, 124), 12, (56, 108, 124)
_PLAIN, _RUNS_OF_8, _RUNS_OF_4, _MASKS = range(4)
_OTHER_METHODS = (4, 5, 6, 11, 12, 13)  # JPEG, PNG, masks of Windows CE, CMYK
_MASKS_OF_16, _MASKS_OF_32 = (0x7C00, 0x03E0, 0x001F, 0), (0xFF0000, 0xFF00, 0xFF, 0)
# After a 0 in the place of a run's length; larger ones are the lengths of what is not in runs.
_END_OF_ROW, _END, _MOVE = range(3)


class _Header(NamedTuple):
    """What the header says, int32 scalars but for the masks.

    Args:
        size: Its bytes.
        width, height: In pixels; a negative height means that the first row is the upper one.
        bits: Of a pixel.
        compression: The method.
        data: Where the pixels begin.
        masks: The bits that are red, green, blue and alpha, int64 (4,).
    """

    size: tf.Tensor
    width: tf.Tensor
    height: tf.Tensor
    bits: tf.Tensor
    compression: tf.Tensor
    data: tf.Tensor
    masks: tf.Tensor


def problem(content: tf.Tensor) -> tf.Tensor:
    """Why a BMP is refused by its header; "" where it is not."""
    return _problem(_header(content))


def _problem(header: _Header) -> tf.Tensor:
    kinds = {_PLAIN: (1, 2, 4, 8, 16, 24, 32), _RUNS_OF_8: (8,), _RUNS_OF_4: (4,), _MASKS: (16, 32)}
    pairs = [[method, bits] for method, several in kinds.items() for bits in several]
    is_read = tf.reduce_any(tf.reduce_all(tf.stack([header.compression, header.bits]) == tf.constant(pairs), axis=1))
    is_read &= tf.reduce_any(header.size == tf.constant(_HEADERS))
    is_other = tf.reduce_any(header.compression == tf.constant(_OTHER_METHODS))
    other = ["a BMP picture with compression ", tf.strings.as_string(header.compression), ", which is not read"]
    other = tf.where(is_other, tf.strings.join(other), "a damaged BMP picture")
    return tf.where(is_read, size_problem(header.width, tf.abs(header.height)), other)


def decode(content: tf.Tensor, side: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes a BMP: uint8 (height, width, 3 or 4); and no EXIF data."""
    header = _header(content)
    content = refusing(content, _problem(header))
    palette = _palette(content, header)

    def from_rows():
        rows = _rows(content, header)
        return tf.switch_case(
            tf.where(header.bits <= 8, 0, tf.where(header.bits == 24, 1, 2)),
            [
                lambda: tf.gather(palette, _from_bits(rows, header)),
                lambda: tf.reshape(rows[:, : 3 * header.width], [-1, header.width, 3])[..., ::-1],
                lambda: _by_masks(rows, header),
            ],
        )

    is_in_runs = (header.compression == _RUNS_OF_8) | (header.compression == _RUNS_OF_4)
    picture = tf.cond(is_in_runs, lambda: tf.gather(palette, _from_runs(content, header)), from_rows)
    return tf.cond(header.height > 0, lambda: picture[::-1], lambda: picture), tf.constant("")


def _header(content: tf.Tensor) -> _Header:
    head = bytes_at(content, _FILE_HEADER, 56)

    def whole(place: int, digits: int = 4) -> tf.Tensor:
        return tf.cast(number(head[place : place + digits], True), tf.int32)  # the highest bit becomes the sign

    size = whole(0)
    is_os2 = size == _OS2_HEADER
    bits, compression = tf.where(is_os2, whole(10, 2), whole(14, 2)), tf.where(is_os2, _PLAIN, whole(16))
    told = number(tf.reshape(head[40:], [4, 4]), True)
    told *= tf.concat([[1, 1, 1], tf.cast([tf.reduce_any(size == tf.constant(_WITH_ALPHA))], tf.int64)], axis=0)
    usual = tf.where(bits == 16, tf.constant(_MASKS_OF_16, tf.int64), tf.constant(_MASKS_OF_32, tf.int64))
    return _Header(
        size,
        width=tf.where(is_os2, whole(4, 2), whole(4)),
        height=tf.where(is_os2, whole(6, 2), whole(8)),
        bits=bits,
        compression=compression,
        data=tf.cast(number(bytes_at(content, 10, 4), True), tf.int32),
        masks=tf.where(compression == _MASKS, told, usual),
    )


def _palette(content: tf.Tensor, header: _Header) -> tf.Tensor:
    """The colours, uint8 (256, 3); what comes after them in the file for those that there are not."""
    entry = tf.where(header.size == _OS2_HEADER, 3, 4)
    places = tf.range(256)[:, None] * entry + [2, 1, 0]
    return tf.cast(tf.gather(bytes_at(content, _FILE_HEADER + header.size, 4 * 256), places), tf.uint8)


def _rows(content: tf.Tensor, header: _Header) -> tf.Tensor:
    """The rows as they stand, uint8 (height, bytes), which are a multiple of 4."""
    height = tf.cast(tf.abs(header.height), tf.int64)
    used = (tf.cast(header.width, tf.int64) * tf.cast(header.bits, tf.int64) + 7) // 8
    row = (used + 3) // 4 * 4
    left = tf.cast(tf.strings.length(content) - header.data, tf.int64)
    is_whole = (header.data > 0) & (header.width > 0) & (height > 0) & (row * (height - 1) + used <= left)
    content = refusing(content, tf.where(is_whole, "", "the pixels are cut short"))
    size = tf.cast(row * height, tf.int32)
    values = tf.io.decode_raw(tf.strings.substr(content, header.data, size), tf.uint8, fixed_length=size)
    return tf.reshape(values, tf.stack([height, row]))


def _by_masks(rows: tf.Tensor, header: _Header) -> tf.Tensor:
    """Colours of pixels in which masks tell them, with alpha if a mask tells it, too."""
    shape = tf.stack([tf.shape(rows)[0], -1, header.bits // 8])
    parts = tf.reshape(rows, shape)
    parts = tf.pad(parts, [[0, 0], [0, 0], [0, 4 - header.bits // 8]])
    pixels = tf.cast(tf.bitcast(tf.reshape(parts, [shape[0], -1, 4]), tf.uint32), tf.int64)[:, : header.width]

    def channel(mask: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.bitwise.bitwise_and(pixels, mask) * 255 // tf.maximum(mask, 1), tf.uint8)

    channels = tf.where(header.masks[3] > 0, 4, 3)
    return tf.stack([channel(header.masks[at]) for at in range(4)], axis=-1)[..., :channels]


def _from_bits(rows: tf.Tensor, header: _Header) -> tf.Tensor:
    """The numbers of the colours, int32 (height, width), of which one or several stand in a byte."""
    shifts = tf.cast(tf.range(8 - header.bits, -1, -header.bits), tf.uint8)
    lowest = tf.cast(tf.bitwise.left_shift(1, header.bits) - 1, tf.uint8)
    numbers = tf.bitwise.bitwise_and(tf.bitwise.right_shift(rows[..., None], shifts), lowest)
    return tf.cast(tf.reshape(numbers, [tf.shape(rows)[0], -1])[:, : header.width], tf.int32)


def _from_runs(content: tf.Tensor, header: _Header) -> tf.Tensor:
    """The numbers of the colours, int32 (height, width), of which runs are stored; 0 where nothing is.

    A code is a word of two bytes, after which further ones may belong to it.
    """
    width, height = header.width, tf.abs(header.height)
    count = tf.maximum(tf.strings.length(content) - header.data, 0) // 2
    is_sane = (header.data > 0) & (width > 0) & (height > 0) & (count > 0)
    content = refusing(content, tf.where(is_sane, "", "there are no pixels"))
    values = tf.io.decode_raw(tf.strings.substr(content, header.data, 2 * count), tf.uint8)
    values = tf.cast(values, tf.int32)
    first, second = values[::2], values[1::2]
    is_run, is_literal = first > 0, (first == 0) & (second > _MOVE)
    is_end_of_row, is_end, is_move = ((first == 0) & (second == code) for code in (_END_OF_ROW, _END, _MOVE))
    in_byte = 8 // header.bits
    further = tf.where(is_literal, ((second + in_byte - 1) // in_byte + 1) // 2, tf.cast(is_move, tf.int32))
    codes = _reached(tf.where(is_end, count, tf.minimum(tf.range(count) + 1 + further, count)))

    # Where each code begins to write.
    moved = tf.gather(is_move, codes)
    right, down = (tf.where(moved, tf.gather(of, tf.minimum(codes + 1, count - 1)), 0) for of in (first, second))
    pixels = tf.gather(tf.where(is_run, first, tf.where(is_literal, second, 0)), codes)
    line = tf.cumsum(tf.cast(tf.gather(is_end_of_row, codes), tf.int32), exclusive=True)
    row = tf.cast(line, tf.int64) + tf.cumsum(tf.cast(down, tf.int64), exclusive=True)
    column = tf.cumsum(tf.cast(pixels + right, tf.int64), exclusive=True)
    column -= tf.gather(tf.math.segment_min(column, line), line)
    # What lies beyond is as good as at the border.
    row, column = (
        tf.cast(tf.minimum(at, tf.cast(end, tf.int64)), tf.int32) for at, end in ((row, height), (column, width))
    )
    is_whole = tf.reduce_any(tf.gather(is_end, codes)) | (tf.reduce_max(row) >= height - 1)
    content = refusing(content, tf.where(is_whole, "", "the pixels are cut short"))
    pixels = tf.where(row < height, tf.minimum(pixels, width - column), 0)

    # From codes to pixels, of which each is one of its code's.
    ends = tf.cumsum(pixels)
    # Not tf.repeat, which makes a table of codes times the longest run.
    of = tf.searchsorted(ends, tf.range(ends[-1]), side="right")
    one = tf.range(tf.size(of)) - tf.gather(ends - pixels, of)
    code = tf.gather(codes, of)
    place = 2 * code + tf.where(tf.gather(is_run, code), 1, 2 + one // in_byte)
    # Of two in a byte the upper half is the first.
    shifts = tf.where(one % in_byte < in_byte - 1, header.bits, 0)
    numbers = tf.bitwise.right_shift(tf.gather(values, place), shifts) % tf.bitwise.left_shift(1, header.bits)
    places = tf.stack([tf.gather(row, of), tf.gather(column, of) + one], axis=1)
    return tf.scatter_nd(places, numbers, tf.stack([height, width]))


def _reached(following: tf.Tensor) -> tf.Tensor:
    """Which of some places are reached from the first, in order.

    Args:
        following: Which place comes after each, int32 (count,); `count` is the end.

    Source: pointer jumping: Hillis and Steele, "Data parallel algorithms", 1986.
    """
    count = tf.size(following)

    def step(reached, following):
        further = tf.math.unsorted_segment_max(reached, following, count + 1)
        return tf.maximum(reached, further), tf.gather(following, following)

    start = (tf.one_hot(0, count + 1, dtype=tf.int32), tf.concat([following, [count]], axis=0))
    reached, _ = tf.while_loop(lambda _, following: following[0] < count, step, start)
    return tf.cast(tf.where(reached[:-1] > 0)[:, 0], tf.int32)
