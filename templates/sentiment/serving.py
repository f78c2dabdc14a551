"""From raw text to an answer: the saved model, the exported signature, and what `predict` does."""

import sys
from itertools import islice
from pathlib import Path

import keras
import tensorflow as tf

from data.errors import BadLines
from data.table_writer import TableWriter
from data.tables import find_columns, read_text_rows, table_format
from data.text import WordIds
from rnn_layers.portable import portable
from training.atomic import replacing
from training.run_folder import RunFolder
from training.saved_model import write_saved_model
from training.unanswered import Unanswered

from .config import Config
from .model import MeanAndMaximum

ROWS_AT_A_TIME = 256
# The columns of the answers.
PREDICTED = ("predicted_label", "predicted_score")


@keras.saving.register_keras_serializable(package="rnn_templates")
class LabelAnswer(keras.layers.Layer):
    """Names the most probable label of each row.

    Args:
        names: The labels, in the order of the logits.

    Call arguments:
        logits: (batch, classes).

    Returns:
        A dictionary: `label` (batch,) string, `score` (batch,) its probability, `labels` (batch, classes) string and
        `probabilities` (batch, classes) float32, in the same order.
    """

    def __init__(self, names: list[str], **kwargs):
        super().__init__(**kwargs)
        self.names = list(names)

    def call(self, logits):
        probabilities = tf.nn.softmax(tf.cast(logits, tf.float32))
        names = tf.constant(self.names)
        return {
            "label": tf.gather(names, tf.argmax(probabilities, axis=-1)),
            "score": tf.reduce_max(probabilities, axis=-1),
            "labels": tf.tile(names[tf.newaxis], [tf.shape(logits)[0], 1]),
            "probabilities": probabilities,
        }

    def compute_output_spec(self, logits):
        batch = logits.shape[0]
        return {
            "label": keras.KerasTensor((batch,), "string"),
            "score": keras.KerasTensor((batch,), "float32"),
            "labels": keras.KerasTensor((batch, len(self.names)), "string"),
            "probabilities": keras.KerasTensor((batch, len(self.names)), "float32"),
        }

    def get_config(self):
        return {**super().get_config(), "names": self.names}


def save(path: Path, word_ids: WordIds, classifier: keras.Model, names: list[str]) -> None:
    """Writes `model.keras`: texts in, `LabelAnswer`'s dictionary out.

    Example:
        keras.models.load_model("runs/mine/model.keras")(tf.constant(["Great!"]))["label"]
    """
    text = keras.Input((), dtype="string", name="text")
    model = keras.Model(text, LabelAnswer(names, name="answer", dtype="float32")(classifier(word_ids(text))))
    with replacing(path) as temporary:
        model.save(temporary)


def load_model(run: RunFolder) -> keras.Model:
    """Loads a run's `model.keras`: what `save` wrote."""
    # Named, so that the import that registers it, and the recurrent layers with it, is seen to be needed.
    return keras.models.load_model(run.model_file, custom_objects={"MeanAndMaximum": MeanAndMaximum})


def load(run: RunFolder, config: Config):
    """Loads a run's model as one traced function of strings (batch,), for `predict`; it gives `LabelAnswer`'s dictionary."""
    return as_function(load_model(run))


def as_function(model: keras.Model):
    """The model as one traced function; called as it is, it would take each of a text's steps one by one in Python."""
    signature = [tf.TensorSpec([None], tf.string, name="text")]
    return tf.function(lambda text: model(text, training=False), input_signature=signature)


def parts(model: keras.Model) -> tuple[WordIds, keras.Model, list[str]]:
    """Takes a loaded model apart: texts to ids, ids to logits, the labels."""
    return model.get_layer("word_ids"), model.get_layer("classifier"), model.get_layer("answer").names


def predict(answer, texts: list[str]) -> list[dict]:
    """Answers texts.

    Args:
        answer: What `load` gave.
        texts: The texts.

    Returns:
        `text`, `label` and `score` (the label's probability, 0 to 1) of each, in order.
    """
    answers = answer(tf.constant(texts, tf.string))
    labels = [label.decode("utf-8") for label in answers["label"].numpy()]
    return [
        {"text": text, "label": label, "score": round(float(score), 6)}
        for text, label, score in zip(texts, labels, answers["score"].numpy())
    ]


def as_line(answer: dict) -> str:
    """An answer as a line of text: label, score, text, with tabs between."""
    return f"{answer['label']}\t{answer['score']:.4f}\t{' '.join(answer['text'].split())}"


def predict_file(answer, config: Config, path: Path, output: Path | None, as_json: bool) -> None:
    """Answers every row of a table: all its columns, and `predicted_label` and `predicted_score`.

    Args:
        answer: What `load` gave.
        config: Says how the table is read; only its text column is needed.
        path: The table.
        output: Where to, in the format of its name; None prints, as the table's own format or as JSON.
        as_json: Print JSON.

    Raises:
        DataError: The table cannot be read; `output` is as it was then.
        RunError: After everything: some rows have no text; their answers are empty, or in JSON an `error`.
    """
    kind = ".jsonl" if as_json else table_format(path)
    bad_lines, unanswered = BadLines(config.skip_bad_lines), Unanswered()

    def text_column(row):
        return find_columns(path, row, config.text_column, None)[0]

    rows = read_text_rows(path, text_column, config.encoding, bad_lines)
    with TableWriter(output) if output else TableWriter(sys.stdout, format=kind) as writer:
        # A table may be larger than memory.
        while chunk := list(islice(rows, ROWS_AT_A_TIME)):
            answers = iter(predict(answer, [row.text for row in chunk if not row.problem]))
            for line, row, _, problem in chunk:
                if problem:
                    unanswered.report(f"{path}:{line}", problem)
                    prediction = {"error": problem} if writer.format == ".jsonl" else dict.fromkeys(PREDICTED)
                else:
                    answered = next(answers)
                    prediction = dict(zip(PREDICTED, (answered["label"], answered["score"])))
                writer.write({**row, **prediction})
    if output:
        print(f"{output}: {writer.rows:,} rows", file=sys.stderr)
    if bad_lines.count:
        print(bad_lines.summary(), file=sys.stderr)
    unanswered.check()


def export(run: RunFolder, config: Config, folder: Path) -> None:
    """Writes a SavedModel that needs TensorFlow alone: `text` -> `label`, `score`, `labels`, `probabilities`.

    Args:
        run: The run's folder.
        config: The run's configuration.
        folder: Where to; it appears whole or not at all.

    Raises:
        OSError: The disk is full, or the folder cannot be written to.
    """
    # Portable: the model may have been trained with cuDNN or XLA, and will be served where neither is.
    with portable():
        write_saved_model(folder, load_model(run), lambda model: {"serving_default": as_function(model)})
