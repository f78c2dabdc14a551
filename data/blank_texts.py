"""Which texts say nothing, in the graph: a question of content, not of length."""

import keras
import tensorflow as tf

# Blanks, controls, and what is invisible: joiners, the marks of byte order and direction, the fillers of Hangul and the
# empty cell of Braille, which Unicode counts among letters and symbols.
BLANK = r"[\pZ\p{Cc}\p{Cf}\x{115F}\x{1160}\x{2800}\x{3164}\x{FFA0}]"


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
