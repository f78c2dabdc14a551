"""Going on with texts in the graph: the prompt is read, then each piece is drawn and read in its turn."""

import keras
import tensorflow as tf

from data.subwords.ids import FIRST_BYTE, START
from data.vocabulary import PADDING
from rnn_layers.sampling import sample

from .model import first_states, take_step


def continue_texts(model: keras.Model, prompts: tf.Tensor, length, temperature, top_k, top_p, seed) -> tf.Tensor:
    """Goes on with every row by the same number of pieces.

    A row's continuation does not depend on the other rows: all of them draw by the same random numbers.

    Args:
        model: What `build_model` gave.
        prompts: Pieces, int32 (batch, steps), padded with 0 on the right; a row may be empty.
        length: How many pieces to go on by.
        temperature, top_k, top_p: As `rnn_layers.sampling.sample` takes them.
        seed: Seeds what is drawn.

    Returns:
        The pieces, int32 (batch, length).
    """
    rows, most = tf.shape(prompts)[0], tf.shape(prompts)[1]
    lengths = tf.reduce_sum(tf.cast(prompts != PADDING, tf.int32), axis=1)
    numbers = random_numbers(seed, length)
    # Rows with a longer prompt begin later: each row's n-th piece is drawn by the n-th number.
    steps = tf.reduce_max(tf.concat([lengths, [0]], axis=0)) + length

    def step(place, ids, states, found):
        scores, states = take_step(model, ids, states)
        drawn_before = tf.clip_by_value(place - lengths, 0, length - 1)
        drawn = draw(scores, tf.gather(numbers, drawn_before), temperature, top_k, top_p)
        prompted = prompts[:, tf.minimum(place, most - 1)]
        ids = tf.where(place < lengths, prompted, drawn)
        return place + 1, ids, states, found.write(place, ids)

    found = tf.TensorArray(tf.int32, size=steps, element_shape=[None])
    begin = tf.constant(0), tf.fill([rows], START), first_states(model, rows), found
    shapes = [tf.TensorShape([None, state.shape[-1]]) for state in model.inputs[1:]]
    *_, found = tf.while_loop(
        lambda place, *_: place < steps,
        step,
        begin,
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None]), shapes, tf.TensorShape(None)),
    )
    by_row = tf.transpose(found.stack())
    places = lengths[:, tf.newaxis] + tf.range(length)
    return tf.gather(by_row, places, batch_dims=1)


def random_numbers(seed, length) -> tf.Tensor:
    """The numbers by which pieces are drawn, in [0, 1), (length,) float32."""
    return tf.random.stateless_uniform([length], [seed, 0])


def draw(scores: tf.Tensor, number, temperature, top_k, top_p) -> tf.Tensor:
    """Draws pieces, and never padding, a start or an end: those are no part of a text.

    Args:
        scores: Before the softmax, float32 (rows, vocabulary).
        number: What to draw by, (rows,) or ().
        temperature, top_k, top_p: As `rnn_layers.sampling.sample` takes them.
    """
    pieces = sample(scores[:, FIRST_BYTE:], number, temperature, top_k, top_p)
    return pieces + FIRST_BYTE
