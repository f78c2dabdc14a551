"""The networks of translation and captioning with Keras's own recurrent layers, and a greedy search for them."""

from collections.abc import Callable

import keras
import tensorflow as tf

from data.subwords.ids import END, START
from data.vocabulary import PADDING
from rnn_layers.attention_decoder import AttentionDecoder
from rnn_layers.bidirectional import Bidirectional


def with_keras_layers(model: keras.Model) -> keras.Model:
    """The model with Keras's own GRUs in encoder and decoder, and the same weights."""

    def gru(layer, **more):
        return keras.layers.GRU(layer.units, return_sequences=True, name=layer.name, **more)

    def copy(layer):
        config = layer.get_config()
        if isinstance(layer, Bidirectional):
            return keras.layers.Bidirectional(gru(layer.forward_layer), name=layer.name)
        if isinstance(layer, AttentionDecoder):
            layers = [gru(each, return_state=True) for each in layer.recurrent_layers]
            config["recurrent_layers"] = [keras.saving.serialize_keras_object(each) for each in layers]
        return layer.__class__.from_config(config)

    other = keras.models.clone_model(model, clone_function=copy, recursive=True)
    other.set_weights(model.get_weights())
    return other


def twice_as_long(mask: tf.Tensor) -> tf.Tensor:
    """The most pieces of a translation, its end included, (batch,)."""
    return 2 * tf.reduce_sum(tf.cast(mask, tf.int32), axis=1) + 10


def greedy_search(decoder: AttentionDecoder, length_exponent: float, most_steps: Callable = twice_as_long) -> Callable:
    """A greedy search as one would write it: all sentences of a batch go on until the last one has ended.

    Args:
        decoder: The decoder, with Keras's layers.
        length_exponent: Scores are log p / length to the power of this.
        most_steps: Gives the most pieces of each answer, (batch,), of the mask.

    Returns:
        A function of memory and mask that gives tokens and scores, as `rnn_layers.search.Search` does.
    """
    never = tf.one_hot([PADDING, START], decoder.vocabulary_size, on_value=-1e9, off_value=0.0)

    def find(memory, mask):
        memory, states = decoder.look_at(memory, mask)
        most = most_steps(mask)

        def advance(tokens, states, ended, log_p):
            scores, states = decoder.step(tokens[:, -1], states, memory)
            best = tf.argmax(scores + tf.reduce_sum(never, axis=0), axis=1, output_type=tf.int32)
            best = tf.where(most == tf.shape(tokens)[1], END, best)
            gain = tf.gather(scores, best, batch_dims=1) - tf.reduce_logsumexp(scores, axis=1)
            tokens = tf.concat([tokens, tf.where(ended, PADDING, best)[:, tf.newaxis]], axis=1)
            return tokens, states, ended | (best == END), log_p + tf.where(ended, 0.0, gain)

        first = tf.fill([tf.shape(most)[0], 1], START)
        shapes = tf.nest.map_structure(lambda state: state.shape, states)
        each = tf.TensorShape([None])
        tokens, _, _, log_p = tf.while_loop(
            lambda tokens, states, ended, log_p: ~tf.reduce_all(ended),
            advance,
            (first, states, tf.zeros_like(most, tf.bool), tf.zeros_like(most, tf.float32)),
            shape_invariants=(tf.TensorShape([None, None]), shapes, each, each),
        )
        lengths = tf.cast(tf.math.count_nonzero(tokens[:, 1:], axis=1), tf.float32)
        return tokens[:, 1:], log_p / lengths**length_exponent

    return find
