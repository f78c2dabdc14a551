"""Words taken for unknown in training, as a Keras layer over word ids."""

import keras

from data.vocabulary import FIRST_WORD, PADDING, UNKNOWN


@keras.saving.register_keras_serializable(package="rnn_templates")
class WordDropout(keras.layers.Layer):
    """In training, takes some words for unknown: the vector of the unknown word learns, and no single word decides.

    Args:
        rate: The share of words, in [0, 1).
        seed: Where the choice starts from.
        first: The lowest id that may be taken: a vocabulary is in order of falling counts, so that from some id on all
            words are rare.

    Call arguments:
        ids: int32 (batch, time); padding (0) stays.

    Returns:
        ids of the same shape.

    Source: Iyyer et al., "Deep Unordered Composition Rivals Syntactic Methods for Text Classification", 2015; of rare
    words alone: Lample et al., "Neural Architectures for Named Entity Recognition", 2016.
    """

    def __init__(self, rate: float, seed: int, first: int = FIRST_WORD, **kwargs):
        super().__init__(**kwargs)
        self.rate, self.seed, self.first = rate, seed, first
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, ids, training=False):
        if not training or not self.rate:
            return ids
        dropped = keras.random.uniform(keras.ops.shape(ids), seed=self.seed_generator) < self.rate
        return keras.ops.where(dropped & (ids >= max(self.first, PADDING + 1)), UNKNOWN, ids)

    def compute_output_shape(self, ids_shape):
        return ids_shape

    def compute_output_spec(self, ids, training=False):
        return keras.KerasTensor(ids.shape, ids.dtype)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "first": self.first}
