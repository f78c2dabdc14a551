"""A text that comes bit by bit: what the label would be so far, from states of a constant size."""

import keras
import tensorflow as tf

from data.labelled_texts.word_ids import WordIds
from data.vocabulary import PADDING
from rnn_layers.bidirectional import Bidirectional
from rnn_layers.layer import RecurrentLayer

from .model import CELLS, MeanAndMaximum


class Stream:
    """A classifier that reads forward and answers from its last state, as a step for each part of a text.

    Args:
        word_ids: Cuts texts into words.
        classifier: What `build_model` gave.
        names: The labels.

    Example:
        if Stream.is_possible(classifier):
            functions = Stream(word_ids, classifier, names).as_functions()
    """

    def __init__(self, word_ids: WordIds, classifier: keras.Model, names: list[str]):
        self.word_ids, self.names = word_ids, names
        self.embedding, self.output = classifier.get_layer("embedding"), classifier.get_layer("output")
        layers = [layer for layer in classifier.layers if isinstance(layer, tuple(CELLS.values()))]
        # The same cells, and so the same weights, in layers that also give their states.
        self.layers = [RecurrentLayer(layer.cell, return_sequences=True, return_state=True) for layer in layers]
        self.sizes = [size for layer in self.layers for size in layer.state_size]

    @staticmethod
    def is_possible(classifier: keras.Model) -> bool:
        """Whether what comes later leaves the states as they are: `--directions forward --pooling last`."""
        return not any(isinstance(layer, (Bidirectional, MeanAndMaximum)) for layer in classifier.layers)

    def as_functions(self) -> dict:
        """`start` and `step` as traced functions, under the names of their signatures.

        Returns:
            `start`: `batch` () int32 -> `state_1` and so on, (batch, units) float32.
            `step`: `text` (batch,) string, the next words, as many as have come, and the states before ->
            `labels` (batch, classes) string, `probabilities` (batch, classes) float32 after them, and the states after.
        """
        names = [f"state_{number}" for number in range(1, len(self.sizes) + 1)]
        states = [tf.TensorSpec([None, size], tf.float32, name=name) for name, size in zip(names, self.sizes)]

        @tf.function(input_signature=[tf.TensorSpec([], tf.int32, name="batch")], autograph=False)
        def start(batch):
            return {name: tf.zeros([batch, size]) for name, size in zip(names, self.sizes, strict=True)}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text"), *states], autograph=False)
        def step(text, *states):
            probabilities, after = self._step(text, list(states))
            labels = tf.tile(tf.constant(self.names)[tf.newaxis], [tf.shape(text)[0], 1])
            return {"labels": labels, "probabilities": probabilities, **dict(zip(names, after, strict=True))}

        return {"start": start, "step": step}

    def _step(self, text: tf.Tensor, states: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        ids = self.word_ids(text)
        mask, outputs, after = ids != PADDING, self.embedding(ids), []
        for layer in self.layers:
            own = states[len(after) : len(after) + len(layer.state_size)]
            outputs, *new = layer(outputs, initial_state=own, mask=mask)
            after += new
        # h, which is the state where no word has come.
        last = after[-len(self.layers[-1].state_size)]
        return tf.nn.softmax(self.output(last)), after
