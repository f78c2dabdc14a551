"""Which texts say nothing, in the graph: a question of content, not of length."""

import keras
import tensorflow as tf

from data.character_sets import BLANK


@keras.saving.register_keras_serializable(package="rnn_templates")
class AreBlank(keras.layers.Layer):
    r"""Tells which texts hold nothing that can be seen.

    Call arguments:
        texts: Strings in UTF-8, (batch,). Bytes that are not valid are something.

    Returns:
        bool, (batch,).

    Example:
        AreBlank()(tf.constant(["", " \t", "\u200b\u3000", "a", "."]))   # [True, True, True, False, False]
    """

    def call(self, texts):
        return tf.strings.regex_full_match(texts, f"{BLANK}*")

    def compute_output_spec(self, texts):
        return keras.KerasTensor(texts.shape, "bool")
