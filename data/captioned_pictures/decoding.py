"""A picture file's bytes to a square of colours, in the graph, with core TensorFlow ops only."""

import numpy as np
import tensorflow as tf

# The most pixels that a file may claim: TensorFlow would take the memory before it finds that they are not there.
LARGEST_PICTURE = 2**26  # pixels
# JPEGs are made smaller while they are decoded.
LARGEST_JPEG = 2**28  # pixels

# What the files of each format begin with; "." stands for any byte.
BEGINNINGS = {
    "JPEG": b"\xff\xd8\xff",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "GIF": b"GIF8",
    "BMP": b"BM",
    "WebP": b"RIFF....WEBP",
}
_NO_PICTURE = f"no {', '.join(list(BEGINNINGS)[:-1])} or {list(BEGINNINGS)[-1]} picture"
_HEADER = 64  # bytes, in which the sizes are
_WHITE = 255
# A reduction of a JPEG leaves this many times the square's side, for the antialiased resizing to do the rest.
_FINER_THAN_SQUARE = 2
# Of a JPEG's segments: those that are looked at for the EXIF one, and the markers' second bytes.
_MOST_SEGMENTS = 100
# Of a GIF's frame: 16 MiB in the usual ones.
_MOST_BLOCKS = 2**16
_MARK, _EXIF_SEGMENT, _START_OF_SCAN = 0xFF, 0xE1, 0xDA
_EXIF = b"Exif\0\0"
_TIFF_MAGIC, _ORIENTATION_TAG, _SHORT, _ENTRY = 42, 0x0112, 3, 12


def decode_picture(content: tf.Tensor, side: int) -> tf.Tensor:
    """Decodes a picture file and squashes it to a square, antialiased.

    JPEG (turned as its EXIF orientation says), PNG, GIF (its first frame), BMP and WebP. Grey, palette and CMYK become
    RGB, of 16 bits the upper 8 count, and what is transparent in PNG and WebP stands before white. A picture of that
    size already stays as it is.

    Args:
        content: The file's bytes, a scalar string.
        side: The square's side in pixels.

    Returns:
        uint8 (side, side, 3).

    Raises:
        tf.errors.InvalidArgumentError: when it runs: the content is of none of these formats or damaged, or claims
            more than `LARGEST_JPEG` or `LARGEST_PICTURE` pixels, which is found before memory is taken for them.

    Example:
        decode_picture(tf.io.read_file("dog.jpg"), 128)   # uint8 (128, 128, 3)
    """
    header = _bytes_at(content, 0, _HEADER)
    is_format = [_begins_with(header, beginning) for beginning in BEGINNINGS.values()]
    number = tf.argmax(tf.cast(tf.stack([*is_format, True]), tf.int32), output_type=tf.int32)
    picture, orientation = tf.switch_case(
        number,
        [
            lambda: (_decode_jpeg(content, side), _exif_orientation(content)),
            lambda: (_decode_png(content, header), 1),
            lambda: (_decode_gif(content, header), 1),
            lambda: (_decode_bmp(content, header), 1),
            lambda: (_decode_webp(content, header), 1),
            lambda: (_refuse(content), 1),
        ],
    )
    picture = tf.ensure_shape(picture, [None, None, 3])
    picture = tf.image.resize(picture, (side, side), antialias=True)
    # Squashing and turning may change places, and a small picture is turned in no time.
    picture = tf.cond(orientation > 1, lambda: _turned(picture, orientation), lambda: picture)
    return tf.saturate_cast(tf.round(picture), tf.uint8)


def reasons_not_to_decode(contents: tf.Tensor) -> tf.Tensor:
    r"""Why picture files could not be decoded, as far as what they begin with tells.

    Args:
        contents: The files' bytes, strings (batch,), of which `decode_picture` raised an error.

    Returns:
        A reason each, strings (batch,).

    Example:
        reasons_not_to_decode(tf.constant(["", "Hello", b"\xff\xd8\xff"]))[0]   # "0 bytes"
    """
    headers = tf.io.decode_raw(tf.strings.substr(contents, 0, _HEADER), tf.uint8, fixed_length=_HEADER)
    reasons = tf.where(tf.strings.length(contents) > 0, _NO_PICTURE, "0 bytes")
    for name, beginning in BEGINNINGS.items():
        reasons = tf.where(_begins_with(headers, beginning), f"a damaged {name}, or of a kind not supported", reasons)
    return reasons


def _bytes_at(content: tf.Tensor, place: tf.Tensor | int, count: int) -> tf.Tensor:
    """Some bytes of a string as int32 (count,), zeros where it has ended."""
    piece = tf.strings.substr(content, tf.minimum(place, tf.strings.length(content)), count)
    return tf.cast(tf.io.decode_raw(piece, tf.uint8, fixed_length=count), tf.int32)


def _begins_with(values: tf.Tensor, beginning: bytes) -> tf.Tensor:
    """Whether bytes (..., count) begin with these, (...)."""
    wanted = np.frombuffer(beginning, np.uint8)
    return tf.reduce_all((tf.cast(values[..., : len(wanted)], tf.uint8) == wanted) | (wanted == ord(".")), axis=-1)


def _number(digits: tf.Tensor, is_little: tf.Tensor | bool) -> tf.Tensor:
    """Bytes (..., digits) as whole numbers int64 (...), the lowest byte first or last."""
    count = digits.shape[-1]
    weights = 256 ** np.arange(count, dtype=np.int64)
    return tf.reduce_sum(tf.cast(digits, tf.int64) * tf.where(is_little, weights, weights[::-1].copy()), axis=-1)


def _of_size(content: tf.Tensor, width: tf.Tensor, height: tf.Tensor, most: int) -> tf.Tensor:
    """The content, unless it claims too many pixels."""
    width, height = tf.cast(width, tf.int64), tf.cast(height, tf.int64)
    # The division cannot overflow.
    fits = (width <= most // tf.maximum(height, 1)) & (width >= 0) & (height >= 0)
    message = [f"more than {most:,} pixels:", width, "x", height]
    with tf.control_dependencies([tf.debugging.Assert(fits, message)]):
        return tf.identity(content)


def _refuse(content: tf.Tensor) -> tf.Tensor:
    with tf.control_dependencies([tf.debugging.Assert(tf.strings.length(content) < 0, [_NO_PICTURE])]):
        return tf.zeros([1, 1, 3], tf.uint8)


def _decode_jpeg(content: tf.Tensor, side: int) -> tf.Tensor:
    shape = tf.image.extract_jpeg_shape(content)
    content = _of_size(content, shape[1], shape[0], LARGEST_JPEG)
    ratios = (1, 2, 4, 8)
    is_fine = tf.reduce_min(shape[:2]) >= _FINER_THAN_SQUARE * side * tf.constant(ratios[1:])

    def decode(ratio: int):
        return lambda: tf.io.decode_jpeg(content, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE")

    return tf.switch_case(tf.reduce_sum(tf.cast(is_fine, tf.int32)), [decode(ratio) for ratio in ratios])


def _decode_png(content: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    content = _of_size(content, _number(header[16:20], False), _number(header[20:24], False), LARGEST_PICTURE)
    # Asking for an alpha channel where there is none gives a wrong one for fewer than 8 bits.
    return _over_white(tf.io.decode_png(content, channels=0))


def _decode_gif(content: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    """The first frame alone: the op decodes them all, and takes what is missing of one from wherever."""
    size = tf.strings.length(content)

    def table_size(flags: tf.Tensor) -> tf.Tensor:
        return tf.where(flags >= 128, 6 * tf.bitwise.left_shift(1, flags % 8), 0)

    def after_blocks(place: tf.Tensor) -> tf.Tensor:
        # Each begins with its length; the last is empty.
        def step(place, length):
            return place + 1 + length, _bytes_at(content, place + 1 + length, 1)[0]

        start = (place, _bytes_at(content, place, 1)[0])
        place, _ = tf.while_loop(lambda place, length: length > 0, step, start, maximum_iterations=_MOST_BLOCKS)
        return place + 1

    def is_extension(place):
        return _bytes_at(content, place, 1)[0] == ord("!")

    place = 13 + table_size(header[10])
    (place,) = tf.while_loop(
        is_extension, lambda place: (after_blocks(place + 2),), (place,), maximum_iterations=_MOST_SEGMENTS
    )
    frame = _bytes_at(content, place, 10)
    end = after_blocks(place + 11 + table_size(frame[9]))
    is_whole = (frame[0] == ord(",")) & (end <= size)
    with tf.control_dependencies([tf.debugging.Assert(is_whole, ["damaged GIF: the first frame is cut short"])]):
        content = tf.strings.join([tf.strings.substr(content, 0, tf.minimum(end, size)), ";"])
    content = _of_size(content, _number(frame[5:7], True), _number(frame[7:9], True), LARGEST_PICTURE)
    return tf.io.decode_image(content, channels=3, expand_animations=False)


def _decode_bmp(content: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    # The size needs no check: the op compares it with the content's.
    picture = tf.io.decode_bmp(content, channels=3)

    def coloured():
        # The op gives the numbers of a palette's colours for grey.
        place = 14 + tf.cast(_number(header[14:18], True), tf.int32)
        palette = tf.reshape(_bytes_at(content, tf.maximum(place, 0), 4 * 256), [256, 4])[:, 2::-1]
        return tf.gather(tf.cast(palette, tf.uint8), tf.cast(picture[..., 0], tf.int32))

    return tf.cond(_number(header[28:30], True) == 8, coloured, lambda: picture)


def _decode_webp(content: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    # The size has its place in each of three kinds: extended, lossless and lossy.
    extended = _number(header[24:27], True) + 1, _number(header[27:30], True) + 1
    bits = _number(header[21:25], True)
    lossless = bits % 2**14 + 1, bits // 2**14 % 2**14 + 1
    lossy = _number(header[26:28], True) % 2**14, _number(header[28:30], True) % 2**14
    sizes = tf.stack([extended, lossless, lossy])
    kind = tf.where(_begins_with(header[12:], b"VP8X"), 0, tf.where(header[15] == ord("L"), 1, 2))
    content = _of_size(content, sizes[kind, 0], sizes[kind, 1], LARGEST_PICTURE)
    # Of an animation that does not say that it has an alpha channel, TensorFlow 2.21 writes one all the same, past the
    # end of the room that it took.
    flags = header[20]

    def with_alpha():
        more_flags = tf.gather([bytes([byte]) for byte in range(256)], tf.bitwise.bitwise_or(flags, 0x10))
        rest = tf.strings.substr(content, 21, tf.strings.length(content))
        return tf.strings.join([tf.strings.substr(content, 0, 20), more_flags, rest])

    is_animated = (kind == 0) & (tf.bitwise.bitwise_and(flags, 0x02) > 0)
    content = tf.cond(is_animated, with_alpha, lambda: content)
    return _over_white(tf.io.decode_image(content, channels=0, expand_animations=False))


def _over_white(picture: tf.Tensor) -> tf.Tensor:
    """Grey or colours, with alpha or without, (height, width, 1 to 4), as colours (height, width, 3)."""
    channels = tf.shape(picture)[-1]
    colours = picture[..., : (channels - 1) // 2 * 2 + 1]

    def blended():
        alpha = tf.cast(picture[..., channels - 1 :], tf.float32) / _WHITE
        blend = _WHITE + (tf.cast(colours, tf.float32) - _WHITE) * alpha
        return tf.saturate_cast(tf.round(blend), tf.uint8)

    colours = tf.cond(channels % 2 == 0, blended, lambda: colours)
    return tf.broadcast_to(colours, tf.concat([tf.shape(picture)[:2], [3]], axis=0))


def _exif_orientation(content: tf.Tensor) -> tf.Tensor:
    """The orientation that a JPEG's EXIF segment tells, 1 to 8; 1 where there is none, or a damaged one.

    Source: CIPA DC-008, "Exchangeable image file format for digital still cameras", 4.5 and 4.6.
    """
    beginning = 4 + len(_EXIF)  # of a segment: marker, length, and what an EXIF one is known by

    def is_exif(segment):
        return (segment[1] == _EXIF_SEGMENT) & _begins_with(segment[4:], _EXIF)

    def go_on(place, segment):
        return (segment[0] == _MARK) & (segment[1] != _START_OF_SCAN) & ~is_exif(segment)

    def step(place, segment):
        # The marker may have several first bytes.
        length = tf.where(segment[1] == _MARK, 1, 2 + segment[2] * 256 + segment[3])
        return place + length, _bytes_at(content, place + length, beginning)

    start = (tf.constant(2), _bytes_at(content, 2, beginning))
    place, segment = tf.while_loop(go_on, step, start, maximum_iterations=_MOST_SEGMENTS)

    def read():
        length = tf.maximum(segment[2] * 256 + segment[3] - (beginning - 2), 0)
        return _tiff_orientation(tf.strings.substr(content, place + beginning, length))

    return tf.cond((segment[0] == _MARK) & is_exif(segment), read, lambda: 1)


def _tiff_orientation(content: tf.Tensor) -> tf.Tensor:
    size = tf.strings.length(content)
    is_little, is_big = (tf.strings.substr(content, 0, tf.minimum(size, 2)) == order for order in ("II", "MM"))

    def number(place: tf.Tensor | int, count: int):
        return _number(_bytes_at(content, place, count), is_little)

    # The first directory: how many entries, then each with tag, type, count and value.
    place = tf.cast(tf.minimum(number(4, 4), tf.cast(size, tf.int64)), tf.int32)
    entries = tf.minimum(tf.cast(number(place, 2), tf.int32), tf.maximum(size - place - 2, 0) // _ENTRY)
    rows = tf.strings.substr(content, tf.minimum(place + 2, size), entries * _ENTRY)
    rows = tf.reshape(tf.io.decode_raw(rows, tf.uint8), [-1, _ENTRY])
    is_orientation = (_number(rows[:, :2], is_little) == _ORIENTATION_TAG) & (
        _number(rows[:, 2:4], is_little) == _SHORT
    )
    found = tf.reduce_max(tf.where(is_orientation, _number(rows[:, 8:10], is_little), 0))
    is_valid = (is_little | is_big) & (number(2, 2) == _TIFF_MAGIC) & (found >= 1) & (found <= 8)
    return tf.cast(tf.where(is_valid, found, 1), tf.int32)


def _turned(picture: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """A square picture as it is to be seen."""

    def one_of(*orientations: int):
        return tf.reduce_any(orientation == tf.constant(orientations))

    picture = tf.where(one_of(5, 6, 7, 8), tf.transpose(picture, [1, 0, 2]), picture)
    picture = tf.where(one_of(2, 3, 6, 7), picture[:, ::-1], picture)
    return tf.where(one_of(3, 4, 7, 8), picture[::-1], picture)
