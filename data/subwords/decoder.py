"""The ids of subwords to strings in the graph, with core TensorFlow ops only."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from data.subwords.ids import spellings


@keras.saving.register_keras_serializable(package="rnn_templates")
class SubwordDecoder(keras.layers.Layer):
    """Joins subwords to texts, as `data.subwords.pieces.Subwords.decode` does.

    Args:
        pieces: The learned pieces.

    Call arguments:
        ids: int32 (batch, time) or (..., time). Padding, start and end give nothing.

    Returns:
        Strings in UTF-8, (batch,) or (...); bytes that are not UTF-8 give U+FFFD.

    Example:
        SubwordDecoder(["ca", " cat"])(tf.constant([[1, 68, 260, 2, 0]]))   # ["A cat"]
    """

    def __init__(self, pieces: Sequence[str], **kwargs):
        super().__init__(**kwargs)
        self.pieces = list(pieces)
        self._spelled = spellings(self.pieces)

    def call(self, ids):
        with tf.device("CPU:0"):
            texts = tf.strings.reduce_join(tf.gather(tf.constant(self._spelled, tf.string), ids), axis=-1)
            return tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")

    def compute_mask(self, ids, previous_mask=None):
        return None

    def compute_output_shape(self, ids_shape):
        return tuple(ids_shape[:-1])

    def compute_output_spec(self, ids):
        return keras.KerasTensor(ids.shape[:-1], "string")

    def get_config(self):
        return {**super().get_config(), "pieces": self.pieces}
