"""What the language model does with a text: how surprising each piece was, what it expected, what it carried along."""

import csv

import tensorflow as tf

from data.sources.source import Source
from data.subwords.ids import START, spellings
from rnn_layers.watching import watching
from training.pages.inside import Look
from training.pages.parts import Part, Table, Words
from training.pages.states import hidden, norms
from training.pages.written import readable, unrolled_writing
from training.runs.folder import RunFolder
from training.saved_model import in_float32

from . import pipeline, serving
from .config import Config
from .lines import COLUMNS
from .model import first_states

# Letters of a typical input.
LENGTH = 120
MOST_EXAMPLES = 8


def examples(run: RunFolder) -> list[Part]:
    """The validation split's likeliest lines, and the most surprising ones."""
    file = run.path / "lines_validation.tsv"
    if not file.is_file():
        return []
    with open(file, newline="", encoding="utf-8") as stream:
        _, *rows = csv.reader(stream, delimiter="\t")
    note = f"Bits per character, all before the line read; more stand in {file.name}."
    best, worst = rows[:MOST_EXAMPLES], rows[::-1][:MOST_EXAMPLES]
    return [Table("Likeliest lines", COLUMNS, best, note), Table("Most surprising lines", COLUMNS, worst)]


def typical_inputs(source: Source, config: Config) -> list[str]:
    """The beginnings of three lines of the validation split."""
    opened = pipeline.open_source(config, source)
    lines = [line.strip() for line in opened.read(["validation"])["validation"].lines]
    lines = [line for line in lines if line]
    return [lines[round(place * (len(lines) - 1))][:LENGTH] for place in (0.1, 0.5, 0.9)]


class Inside:
    """A run's language model, loaded to be looked into.

    Args:
        run: The run's folder.
        config: The run's configuration.

    Example:
        Inside(run, config).look("To be, or not").answer   # "log probability -21.3 in 13 pieces"
    """

    def __init__(self, run: RunFolder, config: Config):
        model, self.pieces = serving.parts(in_float32(serving.load_model(run)))
        self.window = config.backpropagation_steps
        self.states = first_states(model, 1)
        self.model, self.names = model, [readable(spelled) for spelled in spellings(self.pieces.pieces)]
        self.names[START] = "(start)"

    def look(self, text: str) -> Look:
        """Scores a text and keeps what led to the score. L is the log probability of its last piece."""
        ids = self.pieces(tf.constant([text]))
        chosen = [piece for piece in ids[0].numpy().tolist() if piece]
        if not chosen:
            return Look(text, "", error="no piece in this text")
        before = tf.constant([[START, *chosen[:-1]]], tf.int32)
        with tf.GradientTape(persistent=True) as tape, watching() as calls:
            scores, *_ = self.model([before, *self.states], training=False)
            log_probabilities = tf.nn.log_softmax(scores)[0]
            of_chosen = tf.gather(log_probabilities, chosen, batch_dims=1)
            answer = of_chosen[-1]
            last = 0.5 * tf.reduce_sum(hidden(calls[0])[-1] ** 2)
        gradients = tape.gradient(answer, [hidden(call) for call in calls])
        names = [self.names[piece] for piece in chosen]
        total = float(tf.reduce_sum(of_chosen))
        surprises = (-of_chosen).numpy().tolist()
        parts = [
            Words("How surprising each piece was", names, surprises, "-log p of each piece, in nats."),
            unrolled_writing(
                "The network, unrolled", [self.names[piece] for piece in before[0].numpy()], log_probabilities.numpy(),
                chosen, self.names, calls, gradients,
                "Each column is a step. p(y_t): how likely the piece that came was. |dL/dh_t|: how much the log "
                "probability of the last piece hangs on the state after the step.",
            ),
        ]  # fmt: skip
        fading = {
            "the last piece's log probability": norms(gradients[0]),
            "half the squared length of the last state": norms(tape.gradient(last, hidden(calls[0]))),
        }
        marks = {float(self.window): "training's window"} if self.window < len(chosen) else {}
        return Look(text, f"log probability {total:.2f} in {len(chosen)} pieces", parts, fading, marks=marks)
