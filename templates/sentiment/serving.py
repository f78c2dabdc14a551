"""From raw text to an answer: the saved model, the exported signature, and what `predict` does."""

import sys
from pathlib import Path

import keras
import tensorflow as tf

from data.chunks import chunks, size_of_row
from data.errors import BadLines, UserError
from data.labelled_texts.files import check_number, described, find_text_column
from data.labelled_texts.word_ids import WordIds
from data.tables.rows import dialect_of, read_text_rows, table_format
from data.tables.table_writer import TableWriter, unused_names
from data.vocabulary import PADDING
from data.writing import replacing
from rnn_layers.portable import portable
from training.commands.unanswered import Unanswered
from training.model_file import load_model_file
from training.runs.folder import RunFolder
from training.saved_model import in_float32, write_saved_model

from .config import Config
from .model import MeanAndMaximum
from .pipeline import reading_of
from .streaming import Stream

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
        ids: The words' ids, (batch, time), 0 at padding.

    Returns:
        A dictionary: `label` (batch,) string, `score` (batch,) its probability, `labels` (batch, classes) string and
        `probabilities` (batch, classes) float32, in the same order; and `error` (batch,) string, "" where all is well.
        A text without a word has an error, the label "" and probabilities of 0.
    """

    def __init__(self, names: list[str], **kwargs):
        super().__init__(**kwargs)
        self.names = list(names)

    def call(self, logits, ids):
        has_words = tf.reduce_any(ids != PADDING, axis=1)
        probabilities = tf.nn.softmax(tf.cast(logits, tf.float32)) * tf.cast(has_words, tf.float32)[:, tf.newaxis]
        names = tf.constant(self.names)
        return {
            "label": tf.where(has_words, tf.gather(names, tf.argmax(probabilities, axis=-1)), ""),
            "score": tf.reduce_max(probabilities, axis=-1),
            "labels": tf.tile(names[tf.newaxis], [tf.shape(logits)[0], 1]),
            "probabilities": probabilities,
            "error": tf.where(has_words, "", "no word in this text"),
        }

    def compute_output_spec(self, logits, ids):
        batch = logits.shape[0]
        return {
            "label": keras.KerasTensor((batch,), "string"),
            "score": keras.KerasTensor((batch,), "float32"),
            "labels": keras.KerasTensor((batch, len(self.names)), "string"),
            "probabilities": keras.KerasTensor((batch, len(self.names)), "float32"),
            "error": keras.KerasTensor((batch,), "string"),
        }

    def get_config(self):
        return {**super().get_config(), "names": self.names}


def save(path: Path, word_ids: WordIds, classifier: keras.Model, names: list[str]) -> None:
    """Writes `model.keras`: texts in, `LabelAnswer`'s dictionary out.

    Example:
        keras.models.load_model("runs/mine/model.keras")(tf.constant(["Great!"]))["label"]
    """
    text = keras.Input((), dtype="string", name="text")
    ids = word_ids(text)
    model = keras.Model(text, LabelAnswer(names, name="answer", dtype="float32")(classifier(ids), ids))
    with replacing(path) as temporary:
        model.save(temporary)


def load_model(run: RunFolder) -> keras.Model:
    """Loads a run's `model.keras`: what `save` wrote."""
    return load_model_file(run.model_file, [MeanAndMaximum])


def load(run: RunFolder, config: Config):
    """Loads a run's model for `predict`, as a traced function of strings (batch,) to `LabelAnswer`'s dictionary."""
    return as_functions(load_model(run))["serving_default"]


def as_functions(model: keras.Model) -> dict:
    """The model as traced functions that compute in float32, under the names of their signatures.

    Called as it is, the model would take each of a text's steps one by one in Python.

    Args:
        model: What `load_model` gave.

    Returns:
        `serving_default`: `text` (batch,) string -> `LabelAnswer`'s dictionary; and, of a model that reads forward and
        answers from the last state, `start` and `step`, as `streaming.Stream` describes them.
    """
    model, texts = in_float32(model), tf.TensorSpec([None], tf.string, name="text")
    whole = tf.function(lambda text: model(text, training=False), input_signature=[texts], autograph=False)
    stream = Stream(*parts(model)).as_functions() if Stream.is_possible(parts(model)[1]) else {}
    return {"serving_default": whole, **stream}


def parts(model: keras.Model) -> tuple[WordIds, keras.Model, list[str]]:
    """Takes a loaded model apart: texts to ids, ids to logits, the labels."""
    return model.get_layer("word_ids"), model.get_layer("classifier"), model.get_layer("answer").names


def predict(answer, texts: list[str]) -> list[dict]:
    """Answers texts.

    Args:
        answer: What `load` gave.
        texts: The texts.

    Returns:
        `text`, `label` and `score` (the label's probability, 0 to 1) of each, in order; of a text without a word
        `error` instead of the last two.
    """
    answers = answer(tf.constant(texts, tf.string))
    labels, errors = ([string.decode() for string in answers[name].numpy()] for name in ("label", "error"))
    scores = [round(float(score), 6) for score in answers["score"].numpy()]
    return [
        {"text": text, "error": error} if error else {"text": text, "label": label, "score": score}
        for text, label, score, error in zip(texts, labels, scores, errors, strict=True)
    ]


def as_line(answer: dict) -> str:
    """An answer as a line: label, score, text, with tabs between; no label and score where there is an error."""
    label, score = ("", "") if "error" in answer else (answer["label"], f"{answer['score']:.4f}")
    return f"{label}\t{score}\t{' '.join(answer['text'].split())}"


def predict_file(answer, config: Config, path: Path, output: Path | None, as_json: bool) -> None:
    """Answers every row of a table: all its columns, and `predicted_label` and `predicted_score`.

    Where the table has columns of these names already, they stay, and the new ones are `predicted_label (2)` and so on.

    Args:
        answer: What `load` gave.
        config: Says how the table is read; only its text column is needed.
        path: The table.
        output: Where to, in the format of its name; None prints, as the table's own format or as JSON.
        as_json: Print JSON.

    Raises:
        UserError: The table cannot be read, or is another than the run's and the number that the run has for the texts
            is hardly theirs; `output` is as it was then.
        UserError: After everything: some rows have no text; their answers are empty, or in JSON an `error`.
    """
    kind = ".jsonl" if as_json else table_format(path)
    bad_lines, unanswered, reading = BadLines(config.skip_bad_lines), Unanswered(), reading_of(config)
    names: list[str] = []

    def text_column(row):
        column = find_text_column(path, row, reading)
        # What was right for the run's own file need not be for another.
        if Path(config.data).resolve() not in (path.resolve(), path.resolve().parent):
            check_number(path, row, reading, column)
        names.extend(unused_names(row, [*PREDICTED, "error"]))
        print(f"{path}: {described(path, reading, [column])}", file=sys.stderr)
        return column

    rows = read_text_rows(path, text_column, reading.encoding, bad_lines, reading.layout)
    with TableWriter(output) if output else TableWriter(sys.stdout, format=kind) as writer:
        writer.answered = dialect_of(path, reading.encoding, reading.layout)
        for chunk in chunks(rows, ROWS_AT_A_TIME, lambda row: size_of_row(row.row)):
            answers = iter(predict(answer, [row.text for row in chunk if not row.problem]))
            for line, row, _, problem in chunk:
                answered = {"error": problem} if problem else next(answers)
                if "error" in answered:
                    unanswered.report(f"{path}:{line}", answered["error"])
                    is_json = writer.format == ".jsonl"
                    prediction = {names[-1]: answered["error"]} if is_json else dict.fromkeys(names[:-1])
                else:
                    prediction = dict(zip(names, (answered["label"], answered["score"])))
                if not prediction.keys().isdisjoint(row):  # JSON, where a row may have columns of its own
                    raise UserError(f"{path}:{line}: has a column {' or '.join(prediction)}; the first row has none")
                writer.write({**row, **prediction})
    if output:
        print(f"{output}: {writer.rows:,} rows", file=sys.stderr)
    if bad_lines.count:
        print(bad_lines.summary(), file=sys.stderr)
    unanswered.check()


def export(run: RunFolder, config: Config, folder: Path) -> None:
    """Writes a SavedModel that needs TensorFlow alone: `text` -> `label`, `score`, `labels`, `probabilities`, `error`.

    Args:
        run: The run's folder.
        config: The run's configuration.
        folder: Where to; it appears whole or not at all.

    Raises:
        OSError: The disk is full, or the folder cannot be written to.
    """
    # Portable: the model may have been trained with cuDNN or XLA, and will be served where neither is.
    with portable():
        examples = {"serving_default": {"text": ["Not bad at all, in fact rather good.", "Bad."]}}
        write_saved_model(folder, load_model(run), as_functions, examples)
