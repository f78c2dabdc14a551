"""A picture file's bytes to a square of colours, in the graph, with core TensorFlow ops only."""

from collections.abc import Callable
from functools import cache, partial

import numpy as np
import tensorflow as tf

from data.captioned_pictures.formats import bmp, gif, jpeg, png, webp
from data.captioned_pictures.formats.content import bytes_at
from data.captioned_pictures.formats.orientation import exif_orientation, turned
from data.captioned_pictures.kinds import BEGINNINGS, LONGEST_BEGINNING, READ_KINDS, why_not_read

_WHITE = 255
_READERS = {"JPEG": jpeg, "PNG": png, "GIF": gif, "BMP": bmp, "WebP": webp}


def decode_picture(content: tf.Tensor, kind: str, side: int) -> tf.Tensor:
    """Decodes a picture file and squashes it to a square, antialiased.

    JPEG, PNG, GIF and WebP (of an animation the first picture), and BMP, turned as the EXIF orientation says. Grey,
    palette and CMYK become RGB, of 16 bits the upper 8 count, and what is transparent stands before white. A picture of
    that size already stays as it is.

    What fails, fails in the caller's own graph: where a function fails that is called inside a data set's map,
    TensorFlow 2.21 keeps a kilobyte each time.

    Args:
        content: The file's bytes, a scalar string.
        kind: One of `data.captioned_pictures.kinds.READ_KINDS`, the one that its first bytes tell.
        side: The square's side in pixels.

    Returns:
        uint8 (side, side, 3).

    Raises:
        tf.errors.InvalidArgumentError: when it runs: `why_not_decoded` says why. That a file claims more pixels than
            `LARGEST_PICTURE` or `LARGEST_JPEG` is found before memory is taken for them.

    Example:
        decode_picture(tf.io.read_file("dog.jpg"), "JPEG", 128)   # uint8 (128, 128, 3)
    """
    picture, exif = _READERS[kind].decode(content, side)
    return _squashing(side)(picture, exif)


@cache
def _squashing(side: int) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Makes a picture uint8 (height, width, 1 to 4) a square of colours that is turned as its EXIF data say.

    One function, shared by all kinds; none of its operations can fail.
    """

    def squash(picture, exif):
        picture = tf.ensure_shape(_over_white(picture), [None, None, 3])
        picture = tf.image.resize(picture, (side, side), antialias=True)
        orientation = exif_orientation(exif)
        # Squashing and turning may change places, and a small picture is turned in no time.
        picture = tf.cond(orientation > 1, lambda: turned(picture, orientation), lambda: picture)
        return tf.saturate_cast(tf.round(picture), tf.uint8)

    signature = [tf.TensorSpec([None, None, None], tf.uint8), tf.TensorSpec([], tf.string)]
    return tf.function(squash, input_signature=signature, autograph=False)


def _over_white(picture: tf.Tensor) -> tf.Tensor:
    """Grey or colours, with alpha or without, uint8 (height, width, 1 to 4), as colours (height, width, 3)."""
    channels = tf.shape(picture)[-1]
    colours = picture[..., : (channels - 1) // 2 * 2 + 1]

    def blended():
        alpha = tf.cast(picture[..., channels - 1 :], tf.float32) / _WHITE
        blend = _WHITE + (tf.cast(colours, tf.float32) - _WHITE) * alpha
        return tf.saturate_cast(tf.round(blend), tf.uint8)

    colours = tf.cond(channels % 2 == 0, blended, lambda: colours)
    return tf.cond(channels > 2, lambda: colours, lambda: tf.repeat(colours, 3, axis=-1))


def why_not_decoded(content: tf.Tensor) -> tf.Tensor:
    r"""Why a picture file could not be decoded.

    Args:
        content: The file's bytes, a scalar string, for which `decode_picture` raised an error.

    Returns:
        The reason, a scalar string.

    Example:
        why_not_decoded(b"\xff\xd8\xff")   # "a damaged JPEG picture"
    """
    kind = number_of_kind(content)

    def other():
        reasons = [why_not_read(kind) for kind in [*BEGINNINGS, None]]
        return tf.where(tf.strings.length(content) > 0, tf.gather(reasons, kind), "0 bytes")

    branches = [*(partial(_problem(kind), content) for kind in READ_KINDS), other]
    return tf.switch_case(tf.minimum(kind, len(READ_KINDS)), branches)


def number_of_kind(content: tf.Tensor) -> tf.Tensor:
    r"""Which of the keys of `data.captioned_pictures.kinds.BEGINNINGS` a file is, as it begins.

    Args:
        content: The file's bytes, a scalar string.

    Returns:
        The key's place, a scalar int32; the number of keys where it is none of them.

    Example:
        number_of_kind(b"\xff\xd8\xff")   # 0, of "JPEG"
    """
    beginnings = [(number, one) for number, several in enumerate(BEGINNINGS.values()) for one in several]
    beginnings.append((len(BEGINNINGS), b""))  # anything begins with it
    wanted = np.array([list(one.ljust(LONGEST_BEGINNING, b".")) for _, one in beginnings], np.int32)
    is_it = tf.reduce_all((bytes_at(content, 0, LONGEST_BEGINNING) == wanted) | (wanted == ord(".")), axis=1)
    return tf.gather([number for number, _ in beginnings], tf.where(is_it)[0, 0])


@cache
def _problem(kind: str) -> Callable:
    """Made once in a process, and called: of branches that are spread out in a graph each operation costs time, though
    another one is taken."""

    def problem(content):
        found = _READERS[kind].problem(content)
        return tf.where(found == "", f"a damaged {kind} picture", found)

    signature, attributes = [tf.TensorSpec([], tf.string)], {"_noinline": True}
    return tf.function(problem, input_signature=signature, autograph=False, experimental_attributes=attributes)
