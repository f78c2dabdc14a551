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

    Attributes:
        transforms: float32 (count, 8): where each place of the result is taken from, as
            ``tf.raw_ops.ImageProjectiveTransformV3`` has it.
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
        random: What is drawn from, such as ``np.random.default_rng([seed, epoch])``.
        shift: The largest shift in either direction, as a share of the side; uniform.
        zoom: Both directions are scaled by one factor in [1 / (1 + zoom), 1 + zoom], its logarithm uniform: as often
            smaller as larger.
        flip: Which pictures may be flipped, bool (count,). Those are with probability 1/2; see ``may_flip``.
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
    zeros = np.zeros(count)
    transforms = [step_right, zeros, centre * (1 - step_right) + right * shift * side]
    transforms += [zeros, step, centre * (1 - step) + down * shift * side, zeros, zeros]
    bright, far, colourful = 1 + bright * brightness, 1 + far * contrast, 1 + colourful * saturation
    mixed = colourful[:, None, None] * np.eye(3) + (1 - colourful)[:, None, None] * _GREY
    added = np.broadcast_to((_MIDDLE * (1 - far))[:, None, None], (count, 3, 1))
    colours = np.concatenate([(bright * far)[:, None, None] * mixed, added], axis=-1)
    return Changes(np.stack(transforms, axis=1).astype(np.float32), colours.astype(np.float32))


def apply_changes(pictures: tf.Tensor, transforms: tf.Tensor, colours: tf.Tensor) -> tf.Tensor:
    """Changes pictures, in the graph.

    Beyond its border a picture goes on with the border's colours: nothing appears twice, as in a mirror, so that what
    the captions say stays true.

    Args:
        pictures: uint8 (rows, side, side, 3).
        transforms: float32 (rows, 8), of ``Changes``.
        colours: float32 (rows, 3, 4), of ``Changes``.

    Returns:
        float32 (rows, side, side, 3), from 0 to 255.
    """
    shape = tf.shape(pictures)
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(pictures, tf.float32),
        transforms=transforms,
        output_shape=shape[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )
    flat = tf.reshape(moved, [shape[0], -1, 3])
    coloured = tf.matmul(flat, colours[:, :, :3], transpose_b=True) + colours[:, None, :, 3]
    return tf.reshape(tf.clip_by_value(coloured, 0.0, _MOST), shape)


def says_side(caption: str) -> bool:
    """Returns whether an English caption says left or right, also as in "left-hand" or "rightmost".

    What else the words may mean ("right behind", "has left") counts, too: one flip less does no harm.

    Args:
        caption: the text.
    """
    return _SIDES.search(caption) is not None


def may_flip(captions: list[str]) -> bool:
    """Returns whether a picture may be flipped left to right: none of its English captions says a side.

    Args:
        captions: those of one picture.

    Example:
        flip = np.array([may_flip(captions) for captions in pictures.captions])
    """
    return not any(map(says_side, captions))
