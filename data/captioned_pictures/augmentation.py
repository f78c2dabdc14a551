"""Pictures changed at random in training: drawn in numpy, alike from the same seed, and applied in the graph."""

import re
from typing import NamedTuple

import numpy as np
import tensorflow as tf

# What a colour gives to the brightness of its grey (ITU-R BT.601).
_GREY = np.array([0.299, 0.587, 0.114])
_MIDDLE, _MOST = 127.5, 255.0
_SIDES = re.compile(r"(?<![a-z])(left|right)(most|wards?|hand(ed)?)?(?![a-z])", re.IGNORECASE)


class Changes(NamedTuple):
    """How pictures are changed, a row for each.

    Args:
        transforms: float32 (count, 2, 2): from which place of the picture the place p of the result is taken, across
            and down: factor * p + offset, in pixels.
        colours: float32 (count, 3, 4): the matrix by which the colours are multiplied, and in its last column what is
            added to them.
    """

    transforms: np.ndarray
    colours: np.ndarray


def draw_changes(
    count: int,
    side: int,
    random: np.random.Generator,
    *,
    shift: float,
    zoom: float,
    flip: np.ndarray,
    brightness: float,
    contrast: float,
    saturation: float,
) -> Changes:
    """Draws how pictures are changed, each independently; the first rows do not depend on how many follow.

    Args:
        count: How many pictures.
        side: Their side in pixels.
        random: What is drawn from, such as `np.random.default_rng([seed, epoch])`.
        shift: The largest shift in either direction, as a share of the side; uniform.
        zoom: Both directions are scaled by one factor in [1 / (1 + zoom), 1 + zoom], its logarithm uniform: as often
            smaller as larger.
        flip: Which pictures may be flipped, bool (count,). Those are with probability 1/2; see `may_flip`.
        brightness: The colours are multiplied by a factor in [1 - brightness, 1 + brightness], uniform.
        contrast: Their distances to the middle grey by one in [1 - contrast, 1 + contrast].
        saturation: And those to the grey of the same brightness by one in [1 - saturation, 1 + saturation].

    Returns:
        The changes. With all strengths 0 and no flip they change nothing.

    Example:
        changes = draw_changes(len(pictures), 128, np.random.default_rng([seed, epoch]), shift=0.1, zoom=0.1, flip=flip,
                               brightness=0.2, contrast=0.2, saturation=0.2)
        apply_changes(pictures[rows], changes.transforms[rows], changes.colours[rows])
    """
    # A row of numbers for each picture, from -1 to 1.
    down, right, scale, flipped, bright, far, colourful = random.uniform(-1, 1, (count, 7)).T
    step = np.exp(-scale * np.log1p(zoom))
    step_right = np.where(flip & (flipped < 0), -step, step)
    centre = (side - 1) / 2
    across = step_right, centre * (1 - step_right) + right * shift * side
    transforms = [across, (step, centre * (1 - step) + down * shift * side)]
    bright, far, colourful = 1 + bright * brightness, 1 + far * contrast, 1 + colourful * saturation
    mixed = colourful[:, None, None] * np.eye(3) + (1 - colourful)[:, None, None] * _GREY
    added = np.broadcast_to((_MIDDLE * (1 - far))[:, None, None], (count, 3, 1))
    colours = np.concatenate([(bright * far)[:, None, None] * mixed, added], axis=-1)
    return Changes(np.transpose(transforms, (2, 0, 1)).astype(np.float32), colours.astype(np.float32))


def apply_changes(pictures: tf.Tensor, transforms: tf.Tensor, colours: tf.Tensor) -> tf.Tensor:
    """Changes pictures, in the graph.

    Beyond its border a picture goes on with the border's colours: nothing appears twice, as in a mirror, so that what
    the captions say stays true.

    Args:
        pictures: uint8 (rows, side, side, 3), the side known when the graph is made.
        transforms: float32 (rows, 2, 2), of `Changes`.
        colours: float32 (rows, 3, 4), of `Changes`.

    Returns:
        float32 (rows, side, side, 3), from 0 to 255.

    Source: bilinear interpolation as one product for each direction: Catmull and Smith, "3-D Transformations of Images
    in Scanline Order", 1980. On two cores it takes half of the time of `tf.raw_ops.ImageProjectiveTransformV3`.
    """
    rows, side = tf.shape(pictures)[0], pictures.shape[1]
    places = tf.range(side, dtype=tf.float32)
    sources = tf.clip_by_value(transforms[:, :, :1] * places + transforms[:, :, 1:], 0.0, side - 1.0)
    # How much of each place goes to each place of the result: (rows, 1, to, from).
    across, down = tf.split(tf.maximum(1 - tf.abs(sources[..., None] - places), 0), 2, axis=1)
    planes = tf.transpose(tf.cast(pictures, tf.float32), [0, 3, 1, 2])
    planes = tf.matmul(tf.matmul(down, planes), across, transpose_b=True)
    planes = tf.matmul(colours[:, :, :3], tf.reshape(planes, [rows, 3, side * side])) + colours[:, :, 3:]
    planes = tf.reshape(tf.clip_by_value(planes, 0.0, _MOST), [rows, 3, side, side])
    return tf.transpose(planes, [0, 2, 3, 1])


def says_side(caption: str) -> bool:
    """Whether an English caption says left or right, also as in "left-hand" or "rightmost".

    What else the words may mean ("right behind", "has left") counts, too: one flip less does no harm.

    Args:
        caption: The text.
    """
    return _SIDES.search(caption) is not None


def may_flip(captions: list[str]) -> bool:
    """Whether a picture may be flipped left to right: none of its English captions says a side.

    Args:
        captions: Those of one picture.

    Example:
        flip = np.array([may_flip(captions) for captions in pictures.captions])
    """
    return not any(map(says_side, captions))
