"""data.captioned_pictures.augmentation: what is drawn, and that the graph does what is drawn, place by place."""

import numpy as np
import pytest
import tensorflow as tf

from data.captioned_pictures.augmentation import apply_changes, draw_changes, may_flip, says_side

SIDE = 12
PICTURES = np.random.default_rng(0).integers(0, 256, (6, SIDE, SIDE, 3)).astype(np.uint8)
NONE = {"shift": 0.0, "zoom": 0.0, "brightness": 0.0, "contrast": 0.0, "saturation": 0.0}
ALL = {"shift": 0.2, "zoom": 0.3, "brightness": 0.3, "contrast": 0.4, "saturation": 0.5}
GREY = np.array([0.299, 0.587, 0.114])


def drawn(count: int, flip: bool = False, seed: int = 0, **strengths: float):
    random = np.random.default_rng([seed, 3])
    return draw_changes(count, SIDE, random, **(NONE | {"flip": np.full(count, flip)} | strengths))


def changed(pictures: np.ndarray = PICTURES, **strengths) -> np.ndarray:
    return apply_changes(tf.constant(pictures), *map(tf.constant, drawn(len(pictures), **strengths))).numpy()


def by_hand(picture: np.ndarray, transform: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """One picture changed, place by place."""
    result = np.zeros(picture.shape)
    for down in range(SIDE):
        for right in range(SIDE):
            x, y = np.clip(transform[:, 0] * [right, down] + transform[:, 1], 0, SIDE - 1)
            left, top = int(x), int(y)
            after, below = min(left + 1, SIDE - 1), min(top + 1, SIDE - 1)
            upper = picture[top, left] * (1 - x + left) + picture[top, after] * (x - left)
            lower = picture[below, left] * (1 - x + left) + picture[below, after] * (x - left)
            colour = upper * (1 - y + top) + lower * (y - top)
            result[down, right] = np.clip(colours[:, :3] @ colour + colours[:, 3], 0, 255)
    return result


def test_without_strengths_nothing_changes():
    np.testing.assert_allclose(changed(), PICTURES, atol=1e-3)


@pytest.mark.parametrize("flip", [False, True])
def test_the_graph_does_what_was_drawn(flip):
    changes = drawn(len(PICTURES), flip=flip, **ALL)
    expected = [by_hand(*row) for row in zip(PICTURES, *changes, strict=True)]
    signature = [tf.TensorSpec([None, *row.shape[1:]], row.dtype) for row in (PICTURES, *changes)]
    result = tf.function(apply_changes, input_signature=signature).get_concrete_function()
    assert result.output_shapes.as_list() == [None, SIDE, SIDE, 3] and result.output_dtypes == tf.float32
    assert result(*(tf.constant(row[:0]) for row in (PICTURES, *changes))).shape == (0, SIDE, SIDE, 3)
    result = result(*map(tf.constant, (PICTURES, *changes)))
    np.testing.assert_allclose(result, expected, atol=0.02)
    assert np.abs(expected - PICTURES).mean() > 10


def test_those_that_may_be_flipped_are_in_half_of_the_cases():
    flip = np.arange(2000) % 2 == 0
    transforms = drawn(2000, flip=flip).transforms
    assert (transforms[~flip] == [[1, 0], [1, 0]]).all()
    is_flipped = transforms[flip, 0, 0] == -1
    assert is_flipped.mean() == pytest.approx(0.5, abs=0.05)
    assert (transforms[flip][is_flipped] == [[-1, SIDE - 1], [1, 0]]).all()
    result = changed(flip=True, seed=1)
    flipped = [(row == picture[:, ::-1]).all() for row, picture in zip(result.round(), PICTURES, strict=True)]
    kept = [(row == picture).all() for row, picture in zip(result.round(), PICTURES, strict=True)]
    assert any(flipped) and any(kept) and np.array_equal(flipped, np.logical_not(kept))


def test_shifts_are_uniform_up_to_a_share_of_the_side():
    across, down = drawn(4000, shift=0.25).transforms[:, :, 1].T / SIDE
    for shifts in (across, down):
        assert -0.25 <= shifts.min() < -0.24 and 0.24 < shifts.max() <= 0.25
        assert shifts.std() == pytest.approx(0.25 / 3**0.5, rel=0.05)
    assert abs(np.corrcoef(across, down)[0, 1]) < 0.05


def test_zooms_keep_the_centre_and_are_as_often_in_as_out():
    transforms = drawn(4000, zoom=0.5).transforms
    scales = transforms[:, 0, 0]
    assert (scales == transforms[:, 1, 0]).all() and 1 / 1.5 <= scales.min() < 0.68 and 1.48 < scales.max() <= 1.5001
    assert (scales > 1).mean() == pytest.approx(0.5, abs=0.05)
    centre = (SIDE - 1) / 2
    np.testing.assert_allclose(transforms @ [centre, 1], centre, rtol=1e-5)


def test_beyond_the_border_the_border_goes_on():
    changes = drawn(1)
    changes.transforms[0, 0, 1] = 3 - SIDE
    result = apply_changes(PICTURES[:1], *changes).numpy()[0]
    np.testing.assert_allclose(result[:, : SIDE - 3], np.repeat(PICTURES[0][:, :1], SIDE - 3, axis=1), atol=1e-3)
    np.testing.assert_allclose(result[:, SIDE - 3 :], PICTURES[0][:, :3], atol=1e-3)


def test_brightness_multiplies_and_contrast_moves_from_the_middle():
    dark = np.random.default_rng(1).integers(64, 128, PICTURES.shape).astype(np.uint8)
    factors = changed(dark, brightness=0.5) / dark
    assert (factors.std(axis=(1, 2, 3)) < 1e-4).all() and factors.min() >= 0.5 and factors.max() <= 1.5
    assert factors.mean(axis=(1, 2, 3)).std() > 0.1
    factors = (changed(dark, contrast=0.5) - 127.5) / (dark - 127.5)
    assert (factors.std(axis=(1, 2, 3)) < 1e-3).all() and factors.min() >= 0.499 and factors.max() <= 1.501
    assert factors.mean(axis=(1, 2, 3)).std() > 0.1


def test_saturation_keeps_the_grey_and_moves_the_colours_from_it():
    middle = np.random.default_rng(1).integers(100, 150, PICTURES.shape).astype(np.uint8)
    result, grey = changed(middle, saturation=0.5), (middle @ GREY)[..., None]
    np.testing.assert_allclose((result @ GREY)[..., None], grey, atol=1e-2)
    factors = [np.median(row) for row in (result - grey) / (middle - grey)]
    for row, picture, average, factor in zip(result, middle, grey, factors, strict=True):
        np.testing.assert_allclose(row, average + factor * (picture - average), atol=0.02)
    assert min(factors) >= 0.5 and max(factors) <= 1.5 and np.std(factors) > 0.1


def test_a_row_depends_on_the_seed_and_its_number_alone():
    few, many, others = drawn(5, flip=True, **ALL), drawn(9, flip=True, **ALL), drawn(5, flip=True, seed=1, **ALL)
    for one, same, other in zip(few, many, others, strict=True):
        assert (one == same[:5]).all() and (one != other).any(axis=tuple(range(1, one.ndim))).all()
        assert one.dtype == np.float32


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("a dog left of a cat", True),
        ("The man on the RIGHT.", True),
        ("a left-handed batter", True),
        ("the rightmost of three boys", True),
        ("leftmost", True),
        ("the girl right behind him", True),
        ("looking leftwards", True),
        ("his lefthand", True),
        ("two dogs on a bright day stand upright", False),
        ("a cleft rock under copyright", False),
        ("", False),
    ],
)
def test_captions_that_say_a_side(caption, expected):
    assert says_side(caption) is expected


def test_a_picture_may_be_flipped_if_none_of_its_captions_says_a_side():
    assert may_flip(["a dog", "a cat"]) and may_flip([])
    assert not may_flip(["a dog", "a dog on the left"])
