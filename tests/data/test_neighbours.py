"""What stands beside each place, against `tf.roll`."""

import numpy as np
import pytest
import tensorflow as tf

from data.neighbours import following, previous


@pytest.mark.parametrize(
    ("values", "by"), [([], 1), ([], 3), ([4], 1), ([True, False, False], 2), ([3, 1, 2], 3), ([3, 1, 2, 5, 4], 2)]
)
def test_neighbours_are_those_of_a_row_rolled_round(values, by):
    values = np.array(values, bool if True in values else "int32")
    assert previous(tf.constant(values), by).numpy().tolist() == tf.roll(values, by, axis=0).numpy().tolist()
    assert following(tf.constant(values), by).numpy().tolist() == tf.roll(values, -by, axis=0).numpy().tolist()
