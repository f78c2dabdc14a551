"""JPEG files in the graph.

Source: ITU-T T.81, "Digital compression and coding of continuous-tone still images", B.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from data.captioned_pictures.formats.content import bytes_at, refusing, size_problem
from data.captioned_pictures.formats.orientation import EXIF

# JPEGs are made smaller while they are decoded.
LARGEST_JPEG = 2**28  # pixels
# A reduction leaves this many times the square's side, for the antialiased resizing to do the rest.
_FINER_THAN_SQUARE = 2
_MOST_SEGMENTS = 1000
_MARK, _END, _START_OF_SCAN = 0xFF, 0xD9, 0xDA
# Of markers the second byte: the first is 0xFF. Those of frames: baseline, extended, progressive, and the latter two
# arithmetically coded; lossless, hierarchical, JPEG-LS.
_READ_FRAMES = [0xC0, 0xC1, 0xC2, 0xC9, 0xCA]
_OTHER_FRAMES = [0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7]
_ADOBE = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0"


# What is looked for: markers, and what stands after the length; "." stands for any byte.
_WANTED = {
    "frame": (_READ_FRAMES + _OTHER_FRAMES, b"....."),
    "EXIF": ([0xE1], EXIF[:5]),
    "Adobe": ([0xEE], b"Adobe"),
}
_WITHOUT_LENGTH = [0x00, 0x01, *range(0xD0, 0xD9), 0xFF]


class _Header(NamedTuple):
    """The frame's segment to the number of components, int32 (10,); the EXIF data; whether Adobe left its mark."""

    frame: tf.Tensor
    exif: tf.Tensor
    has_adobe: tf.Tensor


def problem(content: tf.Tensor) -> tf.Tensor:
    """Why a JPEG is refused by its header; "" where it is not."""
    return _problem(_header(content))


def decode(content: tf.Tensor, side: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes a JPEG, reduced if it is much larger than the square: uint8 (height, width, 3); and its EXIF data."""
    header = _header(content)
    content = refusing(content, _problem(header))
    shape = tf.image.extract_jpeg_shape(content)
    # As the decoder sees it: a damaged file may hold several frames.
    content = refusing(content, size_problem(shape[1], shape[0], LARGEST_JPEG))

    def marked():
        rest = tf.strings.substr(content, 2, tf.strings.length(content))
        return tf.strings.join([tf.strings.substr(content, 0, 2), _ADOBE, rest])

    # The inks are stored as Adobe does, inverted, whether the file says so or not.
    content = tf.cond((header.frame[9] == 4) & ~header.has_adobe, marked, lambda: content)
    ratios = (1, 2, 4, 8)
    is_fine = tf.reduce_min(shape[:2]) >= _FINER_THAN_SQUARE * side * tf.constant(ratios[1:])

    def reduced(ratio: int):
        return lambda: tf.io.decode_jpeg(content, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE")

    picture = tf.switch_case(tf.reduce_sum(tf.cast(is_fine, tf.int32)), [reduced(ratio) for ratio in ratios])
    return picture, header.exif


def _problem(header: _Header) -> tf.Tensor:
    marker, bits = header.frame[1], header.frame[4]
    is_other = tf.reduce_any(marker == np.array(_OTHER_FRAMES)) | (marker > 0) & (bits != 8)
    other = "a JPEG picture that is lossless, hierarchical or not of 8 bits a colour, which is not read"
    height, width = _pair(header.frame, 5), _pair(header.frame, 7)
    return tf.where(is_other, other, size_problem(width, height, LARGEST_JPEG))


def _header(content: tf.Tensor) -> _Header:
    """Walks from segment to segment, to the beginning of the colours."""
    size = tf.strings.length(content)
    markers = np.zeros([256, len(_WANTED)], bool)
    for number, (several, _) in enumerate(_WANTED.values()):
        markers[several, number] = True
    marks = np.array([list(mark) for _, mark in _WANTED.values()], np.int32)
    has_length = ~np.isin(np.arange(256), _WITHOUT_LENGTH)

    def go_on(place, segment, found):
        is_end = (segment[1] == _END) | (segment[1] == _START_OF_SCAN)
        return (place < size) & ~((segment[0] == _MARK) & is_end)

    def step(place, segment, found):
        is_segment = (segment[0] == _MARK) & tf.gather(has_length, segment[1])
        is_it = tf.reduce_all((segment[4:] == marks) | (marks == ord(".")), axis=1) & tf.gather(markers, segment[1])
        found = tf.where(is_segment & is_it & (found == 0), place, found)
        # What stands between segments is skipped, and a marker may have several first bytes.
        place += tf.where(is_segment, 2 + _pair(segment, 2), 1)
        return place, bytes_at(content, place, 9), found

    start = (tf.constant(2), bytes_at(content, 2, 9), tf.zeros([len(_WANTED)], tf.int32))
    _, _, found = tf.while_loop(go_on, step, start, maximum_iterations=_MOST_SEGMENTS)
    frame, exif, adobe = tf.unstack(found)
    frame = tf.where(frame > 0, bytes_at(content, frame, 10), 0)
    length = tf.where(exif > 0, tf.maximum(_pair(bytes_at(content, exif + 2, 2), 0) - 2, 0), 0)
    return _Header(frame, tf.strings.substr(content, tf.minimum(exif + 4, size), length), adobe > 0)


def _pair(values: tf.Tensor, at: int) -> tf.Tensor:
    return values[at] * 256 + values[at + 1]
