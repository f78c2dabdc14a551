"""A decoder's search for the best sequence, as a Keras layer: what a saved model answers with."""

import keras
import tensorflow as tf

from rnn_layers.attention_decoder import StepMemory
from rnn_layers.decoding import Hypotheses, beam_search

# No answer gets longer, however long the input is: what a decoder writes after that means nothing.
LONGEST = 1000


@keras.saving.register_keras_serializable(package="rnn_templates")
class Search(keras.layers.Layer):
    """Looks for the sequences that a decoder scores highest.

    Args:
        decoder: A `rnn_layers.attention_decoder.AttentionDecoder`.
        start: The start token's id.
        end: The end token's id; 0 is padding.
        width: Hypotheses kept at each step; 1 is greedy.
        length_exponent: Hypotheses are ranked by log probability / length to the power of this.
        most_steps: The most tokens of an answer, its end included; 0: twice the places that count, and ten, but no more
            than 1,000.
        **kwargs: `name`, `dtype`.

    Call arguments:
        memory: What the decoder looks at, (batch, places, size).
        mask: Whether a place counts, bool (batch, places). A row without such a place has no answer, and score -inf.

    Returns:
        The best sequences, int32 (batch, steps), the end token included and 0 behind it; their scores, float32
        (batch,).

    Example:
        tokens, scores = Search(decoder, start=1, end=2, width=5)(memory, mask)
    """

    def __init__(self, decoder, start, end, width=5, length_exponent=1.0, most_steps=0, **kwargs):
        super().__init__(**kwargs)
        self.decoder = decoder
        self.start, self.end = start, end
        self.width, self.length_exponent, self.most_steps = width, length_exponent, most_steps
        self.supports_masking = True

    def build(self, memory_shape, mask_shape=None):
        """Creates the decoder's weights, unless it has them."""
        if not self.decoder.built:
            self.decoder.build((None, None), memory_shape, mask_shape)
        self.built = True

    def find(self, memory, mask) -> Hypotheses:
        """All `width` sequences of each row, the best first; see the class for the arguments."""
        places = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
        most = tf.fill(tf.shape(places), self.most_steps or LONGEST)
        if not self.most_steps:
            most = tf.minimum(most, 2 * places + 10)
        memory, states = self.decoder.look_at(memory, mask)

        def step(tokens, states, live):
            return self.decoder.step(tokens, states, memory, live)

        if self.width == 1 and self.decoder.attend:
            # A row takes along what it looks at, which need not be looked up in every step then.
            states = (states, (memory.values, memory.keys, memory.energies))

            def step(tokens, states, live):
                states, seen = states
                scores, states = self.decoder.step(tokens, states, StepMemory(*seen, memory.weights))
                return scores, (states, seen)

        return beam_search(
            step,
            states,
            tf.where(places > 0, most, 0),
            start=self.start,
            end=self.end,
            width=self.width,
            length_exponent=self.length_exponent,
            forbidden=(0, self.start),
        )

    def call(self, memory, mask):
        """The best sequence of each row; see the class."""
        found = self.find(memory, mask)
        return found.tokens[:, 0], found.scores[:, 0]

    def compute_mask(self, memory, previous_mask=None):
        """None: the answer's padding is 0."""
        return

    def compute_output_spec(self, memory, mask):
        """Shapes and types of what `call` returns."""
        return keras.KerasTensor((memory.shape[0], None), "int32"), keras.KerasTensor((memory.shape[0],), "float32")

    def get_config(self):
        """Every argument of the constructor."""
        return {
            **super().get_config(),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "start": self.start,
            "end": self.end,
            "width": self.width,
            "length_exponent": self.length_exponent,
            "most_steps": self.most_steps,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The layer that `get_config` described."""
        decoder = keras.saving.deserialize_keras_object(config["decoder"], custom_objects)
        return cls(**{**config, "decoder": decoder})
