"""What is drawn comes as often as it should, and from where it should."""

import numpy as np
import pytest
import tensorflow as tf

from rnn_layers.sampling import sample

P = np.array([0.1, 0.45, 0.05, 0.4])
SCORES = tf.constant(np.log(P)[np.newaxis], tf.float32)


def shares(**settings):
    """How often each of the four tokens is drawn, over even numbers."""
    count = 2000
    drawn = sample(tf.repeat(SCORES, count, axis=0), tf.range(count, dtype=tf.float32) / count, **settings)
    return np.bincount(drawn.numpy(), minlength=4) / count


def expected(kept=(0, 1, 2, 3), temperature=1.0):
    p = np.where(np.isin(np.arange(4), kept), P ** (1 / temperature), 0)
    return p / p.sum()


@pytest.mark.parametrize(
    "settings, kept",
    [
        ({}, (0, 1, 2, 3)),
        ({"temperature": 2.0}, (0, 1, 2, 3)),
        ({"temperature": 0.5}, (0, 1, 2, 3)),
        ({"top_k": 2}, (1, 3)),
        ({"top_k": 9}, (0, 1, 2, 3)),
        ({"top_p": 0.46}, (1, 3)),
        ({"top_p": 0.86}, (0, 1, 3)),
        ({"top_p": 1e-9}, (1,)),
        ({"top_k": 3, "top_p": 0.5}, (1, 3)),
    ],
)
def test_tokens_are_drawn_as_often_as_they_are_probable(settings, kept):
    found = shares(**settings)
    np.testing.assert_allclose(found, expected(kept, settings.get("temperature", 1.0)), atol=2e-3)


@pytest.mark.parametrize("settings", [{"temperature": 0.0}, {"temperature": 1e-9}, {"top_k": 1}])
def test_the_likeliest_alone(settings):
    assert shares(**settings)[1] == 1


def test_of_equal_scores_the_first_is_the_likeliest():
    assert sample(tf.zeros([2, 5]), tf.constant([0.0, 0.999]), temperature=0.0).numpy().tolist() == [0, 0]


def test_extremes_give_a_token():
    scores = tf.constant([[-np.inf, 3e38, -3e38], [0.0, -np.inf, -np.inf]], tf.float32)
    assert sample(scores, tf.constant([0.99999994, 0.0])).numpy().tolist() == [1, 0]


def test_a_row_does_not_depend_on_the_others():
    scores = tf.random.stateless_normal([50, 30], [1, 2])
    together = sample(scores, 0.37, 0.8, 12, 0.9).numpy()
    alone = [sample(scores[row : row + 1], 0.37, 0.8, 12, 0.9).numpy()[0] for row in range(50)]
    assert together.tolist() == alone and len(set(alone)) > 5


def test_numbers_may_be_tensors_of_a_graph():
    drawn = tf.function(sample)(SCORES, tf.constant(0.5), tf.constant(1.0), tf.constant(0), tf.constant(1.0))
    assert drawn.numpy().tolist() == sample(SCORES, 0.5).numpy().tolist()
