"""Word dropout: which words it takes, when, and that it is the same again from the same seed."""

import numpy as np
import pytest

from data.word_dropout import WordDropout

IDS = np.tile([[2, 3, 0]], (2000, 1))


def test_words_are_taken_for_unknown_in_training_alone():
    layer = WordDropout(0.25, seed=3)
    assert (layer(IDS) == IDS).numpy().all()
    dropped = layer(IDS, training=True).numpy()
    assert (dropped[:, 2] == 0).all() and set(dropped[:, 0]) == {1, 2}
    assert (dropped[:, :2] == 1).mean() == pytest.approx(0.25, abs=0.03)


def test_words_before_the_first_rare_one_stay():
    dropped = WordDropout(0.5, seed=3, first=3)(IDS, training=True).numpy()
    assert (dropped[:, 0] == 2).all() and (dropped[:, 1] == 1).mean() == pytest.approx(0.5, abs=0.05)


def test_a_configuration_makes_the_same_layer_again():
    layer = WordDropout(0.25, seed=3, first=3)
    again = WordDropout.from_config(layer.get_config())
    assert (again(IDS, training=True) == layer(IDS, training=True)).numpy().all()
