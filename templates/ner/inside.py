"""What the tagger does with a sentence: its states, how sure it is of each tag, and the tokens that a tag rests on."""

import csv

import keras
import numpy as np
import tensorflow as tf

from data.sources.source import Source
from data.typical_rows import typical_rows
from data.vocabulary import PADDING
from rnn_layers import crf
from rnn_layers.portable import portable
from rnn_layers.watching import watching
from training.pages.inside import Look
from training.pages.parts import Matrix, Part, Table
from training.pages.states import hidden, lanes_of, norms
from training.pages.unrolled import Bars, Labels, Unrolled
from training.runs.folder import RunFolder
from training.saved_model import in_float32

from . import pipeline, serving
from .config import Config
from .errors import COLUMNS
from .model import decode

MOST_EXAMPLES = 12


def examples(run: RunFolder) -> list[Part]:
    """The first mistakes of the validation split."""
    file = run.path / "errors.tsv"
    if not file.is_file():
        return []
    with open(file, newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))[:MOST_EXAMPLES]
    cells = [[row[name] for name in COLUMNS] for row in rows]
    return [Table("Mistakes", COLUMNS, cells, f"The first of {file.name}.")] if cells else []


def typical_inputs(source: Source, config: Config) -> list[str]:
    """Three sentences of the validation split: a short one, one of middling length, a long one."""
    opened = pipeline.open_source(config, source)
    sentences = opened.read(["validation"])["validation"].tokens
    return [" ".join(sentences[row]) for row in typical_rows(list(map(len, sentences)), 3)]


class Inside:
    """A run's tagger, loaded to be looked into.

    Args:
        run: The run's folder.
        config: The run's configuration.

    Example:
        Inside(run, config).look("Ann lives in Paris.").answer   # "B-PER O O B-LOC O"
    """

    def __init__(self, run: RunFolder, config: Config):
        model = in_float32(serving.load_model(run))
        self.features, tagger, self.tags = serving.parts(model)
        self.answer, self.decoder = model.get_layer("answer"), config.decoder
        self.split = serving.SplitTokens(config.tokens)
        self.crf = tagger.get_layer("crf") if config.decoder == "crf" else None
        outputs = [tagger.get_layer(name).output for name in ("token_vectors", "scores")]
        self.network = keras.Model(tagger.input, [*outputs, tagger.output])
        self.counts = tf.function(self._counts, autograph=False, reduce_retracing=True)

    def look(self, text: str) -> Look:
        """Tags a text and keeps what led to the tags.

        L is the log probability of the tags. What a token counts for a tag is the product of its vector with the
        gradient of the tag's score there (Denil et al. 2014, arXiv:1412.6815).
        """
        tokens = self.split(tf.constant([text]))["tokens"]
        ids = self.features(tokens)
        valid = ids["words"] != PADDING
        if not bool(tf.reduce_any(valid)):
            return Look(text, "", error="no token in this text")
        with tf.GradientTape(persistent=True) as tape, watching() as calls:
            _, scores, outputs = self.network(ids, training=False)
            chosen = decode(self.decoder, outputs, valid)
            if self.crf:
                answer = -tf.reduce_sum(crf.negative_log_likelihood(outputs, chosen, valid))
            else:
                answer = tf.reduce_sum(tf.gather(tf.nn.log_softmax(outputs)[0], chosen[0], batch_dims=1))
            last = 0.5 * tf.reduce_sum(hidden(calls[0])[-1] ** 2)
        gradients = tape.gradient(answer, [hidden(call) for call in calls])
        probabilities = (crf.marginals(outputs) if self.crf else tf.nn.softmax(outputs))[0].numpy()
        names = [token.decode() for token in tokens[0].numpy()]
        tags = [tag.decode() for tag in self.answer(outputs, ids["words"])[0].numpy()]
        numbers = chosen[0].numpy()
        sure = probabilities[np.arange(len(numbers)), numbers].tolist()
        others = [self._likeliest(row) for row in probabilities]
        lanes = [Bars("p(y_t)", sure, most=1, said=others), Labels("y_t", tags)]
        for call, gradient in zip(calls, gradients, strict=True):
            lanes += lanes_of(call, "h_t backward" if call.go_backwards else "h_t forward", norms(gradient))
        lanes.append(Labels("x_t", names))
        note = "Each column is a step. p(y_t): how sure it is of the tag, given the whole sentence."
        parts: list[Part] = [Unrolled("The network, unrolled", lanes, len(names), note)]
        rows = [step for step, number in enumerate(numbers) if self.tags.names[number] != "O"] or range(len(names))
        # Compiling would take longer than it saves.
        with portable():
            counts = self.counts(ids, chosen, tf.constant(list(rows))).numpy()
        shown = [f"{names[step]}: {tags[step]}" for step in rows]
        told = "By so much a token raises the score of the tag of the row, before the CRF, or lowers it."
        parts.append(Matrix("Which tokens count", shown, names, counts, told))
        if self.crf:
            parts.append(self._transitions())
        fading = {
            "the tags' log probability": norms(gradients[0]),
            "half the squared length of the last state": norms(tape.gradient(last, hidden(calls[0]))),
        }
        return Look(text, " ".join(tags), parts, fading)

    def _likeliest(self, row: np.ndarray) -> str:
        return ", ".join(f"{self.tags.names[tag]} {row[tag]:.2f}" for tag in np.argsort(-row, kind="stable")[:3])

    def _transitions(self) -> Matrix:
        """The CRF's scores for one tag after another; what the scheme forbids is left empty."""
        values = np.array(self.crf.transitions)
        if self.crf.allowed is not None:
            values = np.where(np.asarray(self.crf.allowed), values, np.nan)
        note = "What the CRF adds to a sentence's score where the column's tag follows the row's; empty: forbidden."
        return Matrix("From tag to tag", self.tags.names, self.tags.names, values, note)

    def _counts(self, ids, chosen, steps):
        """What each token counts for the tags of some steps, (steps asked for, steps)."""

        def of_step(step):
            with tf.GradientTape() as tape:
                vectors, scores, _ = self.network(ids, training=False)
                score = scores[0, step, chosen[0, step]]
            return tf.reduce_sum(vectors * tape.gradient(score, vectors), axis=-1)[0]

        return tf.map_fn(of_step, steps, fn_output_signature=tf.float32)
