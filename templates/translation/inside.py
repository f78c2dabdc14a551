"""What the translator does with a sentence: both directions' states, where it looks, and what each piece rests on."""

import csv

import keras
import tensorflow as tf

from data.sources.source import Source
from data.subwords.ids import END, START, spellings
from data.typical_rows import typical_rows
from data.vocabulary import PADDING
from rnn_layers.portable import portable
from rnn_layers.watching import watching
from training.pages.inside import Look
from training.pages.parts import Matrix, Part, Table
from training.pages.states import hidden, lanes_of, norms
from training.pages.unrolled import Labels, Unrolled
from training.pages.written import readable, unrolled_writing
from training.runs.folder import RunFolder
from training.saved_model import in_float32

from . import pipeline, serving
from .config import Config

MOST_EXAMPLES = 6


def examples(run: RunFolder) -> list[Part]:
    """The translations of the validation split of which the search was surest, and least sure."""
    file = run.path / "translations_validation.tsv"
    if not file.is_file():
        return []
    with open(file, newline="", encoding="utf-8") as stream:
        names, *rows = csv.reader(stream, delimiter="\t")
    rows.sort(key=lambda row: -float(row[-1]))
    return [
        Table("Surest translations", names, rows[:MOST_EXAMPLES], f"The whole split stands in {file.name}."),
        Table("Least sure", names, rows[::-1][:MOST_EXAMPLES]),
    ]


def typical_inputs(source: Source, config: Config) -> list[str]:
    """Three sentences of the validation split: a short one, one of middling length, a long one."""
    opened = pipeline.open_source(config, source)
    texts = opened.read(["validation"])["validation"].sources
    return [texts[row] for row in typical_rows(list(map(len, texts)), 3)]


class Inside:
    """A run's translator, loaded to be looked into.

    Args:
        run: The run's folder.
        config: The run's configuration.

    Example:
        Inside(run, config).look("Ein Hund schläft.").answer   # "A dog is sleeping. -0.2134"
    """

    def __init__(self, run: RunFolder, config: Config):
        model = in_float32(serving.load_model(run, config))
        self.pieces, self.blank, self.text = (model.get_layer(name) for name in ("pieces", "blank", "text"))
        self.search, encoder = model.get_layer("search"), model.get_layer("encoder")
        self.decoder = self.search.decoder
        self.source_names, self.target_names = (
            [readable(spelled) for spelled in spellings(layer.pieces)] for layer in (self.pieces, self.text)
        )
        for names in (self.source_names, self.target_names):
            names[START], names[END] = "(start)", "(end)"
        self.encoder = keras.Model(encoder.input, [encoder.get_layer("embedding").output, encoder.output])
        ids = tf.TensorSpec([1, None], tf.int32)
        counts = tf.function(self._counts, input_signature=[ids, ids, ids], autograph=False)
        # Compiling would take longer than it saves.
        with portable():
            self.counts = counts.get_concrete_function()

    def look(self, text: str) -> Look:
        """Translates a text and keeps what led to the translation.

        L is the translation's log probability. What a source piece counts for a target piece is the product of its
        vector with the gradient of that piece's log probability there (Denil et al. 2014, arXiv:1412.6815).
        """
        given = tf.constant([text])
        if bool(self.blank(given)[0]):
            return Look(text, "", error="nothing to translate in this text")
        source = self.pieces(given)
        mask = source != PADDING
        found, score = self.search(self.encoder(source, training=False)[1], mask)
        # Where no end fits in any more there is none.
        tokens = found[:, : int(tf.reduce_sum(tf.cast(found != PADDING, tf.int32)))]
        before = tf.concat([[[START]], tokens[:, :-1]], axis=1)
        with tf.GradientTape(persistent=True) as tape, watching() as calls:
            _, memory = self.encoder(source, training=False)
            read = len(calls)
            scores, attention = self.decoder(before, memory, mask=mask, training=False, return_attention=True)
            log_probabilities = tf.nn.log_softmax(scores)[0]
            total = tf.reduce_sum(tf.gather(log_probabilities, tokens[0], batch_dims=1))
            last = 0.5 * tf.reduce_sum(hidden(calls[0])[-1] ** 2)
        gradients = tape.gradient(total, [hidden(call) for call in calls])
        sources = [self.source_names[piece] for piece in source[0].numpy()]
        chosen = tokens[0].numpy().tolist()
        targets = [self.target_names[piece] for piece in chosen]
        lanes = []
        for call, gradient in zip(calls[:read], gradients, strict=False):
            lanes += lanes_of(call, "h_j backward" if call.go_backwards else "h_j forward", norms(gradient))
        lanes.append(Labels("x_j", sources))
        parts: list[Part] = []
        if attention is not None:
            note = "A row is a step of the decoder, a column a place of the source; a row's sum is 1."
            parts.append(Matrix("Where it looked", targets, sources, attention[0].numpy(), note))
        note = "By so much a source piece raises the log probability of the piece of the row, or lowers it."
        counts = self.counts(source, before, tokens).numpy()
        writing = unrolled_writing(
            "The decoder, unrolled", [self.target_names[piece] for piece in before[0].numpy()],
            log_probabilities.numpy(), chosen, self.target_names, calls[read:], gradients[read:],
            "Each column is a step. p(y_t): how sure it was of the piece that it wrote.",
        )  # fmt: skip
        parts += [
            Matrix("Which pieces count", targets, sources, counts, note),
            writing,
            Unrolled("The encoder, unrolled", lanes, len(sources), "Each column is a place of the source."),
        ]
        translation = self.text(tokens)[0].numpy().decode()
        fading = {
            "the translation's log probability": norms(gradients[0]),
            "half the squared length of the last state": norms(tape.gradient(last, hidden(calls[0]))),
        }
        return Look(text, f"{translation} {float(score[0]):.4f}", parts, fading)

    def _counts(self, source, before, tokens):
        """What each source piece counts for each target piece, (steps, places)."""

        def of_step(step):
            with tf.GradientTape() as tape:
                vectors, memory = self.encoder(source, training=False)
                scores = self.decoder(before, memory, mask=source != PADDING, training=False)
                chosen = tf.nn.log_softmax(scores)[0, step, tokens[0, step]]
            return tf.reduce_sum(vectors * tape.gradient(chosen, vectors), axis=-1)[0]

        return tf.map_fn(of_step, tf.range(tf.shape(tokens)[1]), fn_output_signature=tf.float32)
