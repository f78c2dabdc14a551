"""A word's vector from its characters: endings, capitals and digits tell much about a word never seen before."""

import keras
import tensorflow as tf

from data.vocabulary import PADDING
from rnn_layers.bidirectional import Bidirectional
from rnn_layers.gru import GRU

# Characters that a filter of the convolution sees at a time.
WIDTH = 3


@keras.saving.register_keras_serializable(package="rnn_templates")
class CharacterWords(keras.layers.Layer):
    """Reads each word by its characters.

        cnn    v = max over positions of (c_{i-1}, c_i, c_{i+1}) W + b
        rnn    v = the last states of a GRU in both directions

    Args:
        vocabulary_size: Ids of characters, padding (0) and unknown (1) included.
        size: The length of a character's vector c.
        units: The length of v; even for "rnn".
        kind: "cnn" or "rnn".

    Call arguments:
        ids: int32 (batch, time, characters), padded with 0 on the right.

    Returns:
        (batch, time, units); at padding, without any character, zeros.

    Example:
        CharacterWords(80, size=30, units=50, kind="cnn")(ids)   # (32, 12, 20) -> (32, 12, 50)

    Source: Ma and Hovy, "End-to-end Sequence Labeling via Bi-directional LSTM-CNNs-CRF", 2016; Lample et al., "Neural
    Architectures for Named Entity Recognition", 2016.
    """

    def __init__(self, vocabulary_size: int, size: int, units: int, kind: str, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size, self.size, self.units, self.kind = vocabulary_size, size, units, kind
        self.embedding = keras.layers.Embedding(vocabulary_size, size, name="characters")
        if kind == "cnn":
            self.reader = keras.layers.Conv1D(units, WIDTH, padding="same", name="filters")
        else:
            self.reader = Bidirectional(GRU(units // 2), name="reader")

    def build(self, ids_shape):
        self.embedding.build(ids_shape)
        self.reader.build((None, ids_shape[-1], self.size))

    def call(self, ids):
        # Words one below the other: which sentence they stand in does not matter here.
        flat = tf.reshape(ids, (-1, ids.shape[-1]))
        valid = flat != PADDING
        vectors = self.embedding(flat)
        if self.kind == "cnn":
            vectors = self.reader(vectors * tf.cast(valid[..., tf.newaxis], vectors.dtype))
            seen = tf.where(valid[..., tf.newaxis], vectors, vectors.dtype.min)
            words = tf.reduce_max(seen, axis=1)
        else:
            words = self.reader(vectors, mask=valid)
        words = tf.where(valid[:, :1], words, tf.zeros_like(words))
        return tf.reshape(words, tf.concat([tf.shape(ids)[:2], [words.shape[-1]]], axis=0))

    def compute_output_shape(self, ids_shape):
        return (*ids_shape[:2], self.units)

    def get_config(self):
        config = {"vocabulary_size": self.vocabulary_size, "size": self.size, "units": self.units, "kind": self.kind}
        return {**super().get_config(), **config}
