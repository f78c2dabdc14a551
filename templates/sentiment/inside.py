"""What the classifier sees in a text: its states, what it would say so far, and the words that the answer rests on."""

import csv

import keras
import numpy as np
import tensorflow as tf

from data.sources.source import Source
from data.typical_rows import typical_rows
from rnn_layers.watching import watching
from training.pages.inside import Look
from training.pages.parts import Part, Table, Words
from training.pages.states import hidden, lanes_of, norms
from training.pages.unrolled import Bars, Labels, Unrolled
from training.runs.folder import RunFolder
from training.saved_model import in_float32

from . import pipeline, serving
from .config import Config
from .errors import COLUMNS

MOST_EXAMPLES = 12
BEGINNINGS_AT_A_TIME = 64


def examples(run: RunFolder) -> list[Part]:
    """The validation split's surest mistakes."""
    file = run.path / "errors.tsv"
    if not file.is_file():
        return []
    with open(file, newline="", encoding="utf-8") as stream:
        rows = [list(row.values()) for _, row in zip(range(MOST_EXAMPLES), csv.DictReader(stream, delimiter="\t"))]
    return [Table("Surest mistakes", COLUMNS, rows, f"The first of {file.name}.")] if rows else []


def typical_inputs(source: Source, config: Config) -> list[str]:
    """Three texts of the validation split: a short one, one of middling length, a long one."""
    opened = pipeline.open_source(config, source)
    texts = list(filter(None, opened.read(["validation"])["validation"].texts))
    return [texts[row] for row in typical_rows(list(map(len, texts)), 3)]


class Inside:
    """A run's classifier, loaded to be looked into.

    Args:
        run: The run's folder.
        config: The run's configuration.

    Example:
        Inside(run, config).look("Not bad at all.").answer   # "positive 0.98"
    """

    def __init__(self, run: RunFolder, config: Config):
        self.word_ids, self.classifier, self.names = serving.parts(in_float32(serving.load_model(run)))
        vectors = self.classifier.get_layer("embedding").output
        self.network = keras.Model(self.classifier.input, [vectors, self.classifier.output])
        self.probabilities = tf.function(
            lambda ids: tf.nn.softmax(self.classifier(ids, training=False)),
            input_signature=[tf.TensorSpec([None, None], tf.int32)],
            autograph=False,
        )

    def look(self, text: str) -> Look:
        """Answers a text and keeps what led to the answer.

        L is the answer's log probability. What a word counts is the product of its vector with the gradient of L there
        (Denil et al. 2014, arXiv:1412.6815): by about so much L would be lower without it.
        """
        words = [word.decode() for word in self.word_ids.words(tf.constant([text])).flat_values.numpy()]
        if not words:
            return Look(text, "", error="no word in this text")
        ids = self.word_ids(tf.constant([text]))
        with tf.GradientTape(persistent=True) as tape, watching() as calls:
            vectors, logits = self.network(ids, training=False)
            log_probabilities = tf.nn.log_softmax(logits)[0]
            label = int(tf.argmax(log_probabilities))
            answer = log_probabilities[label]
            last = 0.5 * tf.reduce_sum(hidden(calls[0])[-1] ** 2)
        states = [hidden(call) for call in calls]
        by_vectors, *by_states = tape.gradient(answer, [vectors, *states])
        counts = tf.reduce_sum(vectors * by_vectors, axis=-1)[0].numpy().tolist()
        so_far = self._so_far(ids.numpy()[0])
        name, shown = self.names[label], [word if known else f"{word} (unknown)" for word, known in self._known(words)]
        lanes = [
            Bars(f"y_t: {name}", so_far[:, label].tolist(), most=1, said=[self.names[k] for k in so_far.argmax(1)])
        ]
        for call, gradient in zip(calls, by_states, strict=True):
            lanes += lanes_of(call, "h_t backward" if call.go_backwards else "h_t forward", norms(gradient))
        lanes.append(Labels("x_t", shown, counts, "counts"))
        note = (
            "Each column is a step. y_t: what the answer would be were the text to end there. |dL/dh_t|: how much the "
            "answer hangs on the state after the step. Orange is above 0, blue below."
        )
        return Look(
            text,
            f"{name} {float(tf.exp(answer)):.4f}",
            [
                Words("Which words count", shown, counts, f"By so much a word raises log p({name}), or lowers it."),
                Unrolled("The network, unrolled", lanes, len(words), note),
            ],
            {
                "the answer's log probability": norms(by_states[0]),
                "half the squared length of the last state": norms(tape.gradient(last, states[0])),
            },
        )

    def _known(self, words: list[str]):
        vocabulary = set(self.word_ids.vocabulary)
        return [(word, word in vocabulary) for word in words]

    def _so_far(self, ids: np.ndarray) -> np.ndarray:
        """The probabilities were the text to end after its first word, after its second, and so on."""
        beginnings = np.tril(np.broadcast_to(ids, (len(ids), len(ids))))
        parts = range(0, len(ids), BEGINNINGS_AT_A_TIME)
        return np.concatenate([self.probabilities(beginnings[start : start + BEGINNINGS_AT_A_TIME]) for start in parts])
