"""What a model reaches on a split: accuracy, macro F1, for two classes AUC, and the figures of each class."""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from data.batches import pad, plan_in_order_of_length
from data.sources.source import Source
from training.metrics.classes import accuracy, area_under_roc_curve, confusion_matrix, macro_f1, precision_recall_f1
from training.runs.folder import RunFolder

from . import pipeline, serving
from .config import Config
from .labels import as_in_training

# Rows per step: no gradient is kept, so there is room for more than in training.
BATCH = 256


@dataclass(frozen=True)
class Measured:
    """What `measure` found.

    Args:
        loss: The mean cross-entropy of the rows whose label occurs in training, in nats.
        metrics: `accuracy`, `macro_f1`, and `auc` for two classes (of the same rows as the loss); 0 to 1.
        per_class: Label -> `precision`, `recall`, `f1` and `rows`; labels that do not occur in training come last.
        confusion: (classes, classes) counts, rows true, columns predicted, in the order of `per_class`.
        probabilities: (rows, labels of training), of each row in order.
    """

    loss: float
    metrics: dict[str, float | None]
    per_class: dict[str, dict[str, float]]
    confusion: np.ndarray
    probabilities: np.ndarray


def make_predict_step(model: keras.Model):
    """Makes the function of ids (BATCH, time) that gives probabilities (BATCH, classes); make it once, it is traced."""
    signature = [tf.TensorSpec([BATCH, None], tf.int32)]
    return tf.function(
        lambda ids: tf.nn.softmax(model(ids, training=False)), input_signature=signature, autograph=False
    )


def measure(predict_step, examples: pipeline.Examples, names: list[str]) -> Measured:
    """Measures a model on a split.

    Args:
        predict_step: What `make_predict_step` gave.
        examples: The split.
        names: The labels.

    Returns:
        What was found; see `Measured`. A row whose label does not occur in training counts as missed.
    """
    probabilities = np.empty((len(examples), len(names)))
    for rows in plan_in_order_of_length(examples.lengths, BATCH):
        # Always so many rows, the last ones empty if need be: for a known number the recurrence is compiled.
        ids = [examples.ids[row] for row in rows] + [np.zeros(0, np.int32)] * (BATCH - len(rows))
        probabilities[rows] = predict_step(tf.constant(pad(ids)))[: len(rows)].numpy()
    all_names = [*names, *examples.unknown]
    confusion = confusion_matrix(examples.labels, probabilities.argmax(axis=1), len(all_names))
    known = examples.labels < len(names)
    labels, of_known = examples.labels[known], probabilities[known]
    metrics = {"accuracy": accuracy(confusion), "macro_f1": macro_f1(confusion)}
    if len(names) == 2:
        metrics["auc"] = area_under_roc_curve(labels, of_known[:, 1])
    figures = zip(all_names, *precision_recall_f1(confusion), confusion.sum(axis=1), strict=True)
    per_class = {
        name: {"precision": float(precision), "recall": float(recall), "f1": float(f1), "rows": int(rows)}
        for name, precision, recall, f1, rows in figures
    }
    right = of_known[np.arange(len(labels)), labels]
    loss = float(-np.log(np.maximum(right, 1e-12)).mean())
    return Measured(loss, metrics, per_class, confusion, probabilities)


def evaluate(run: RunFolder, config: Config, source: Source, split: str | None) -> dict:
    """Measures a run's model on a split of any source: the verb `evaluate`.

    Args:
        run: The run's folder.
        config: The run's configuration; its fields about reading fit the source.
        source: Where the data comes from.
        split: The split's name. None: "test" where there is one; a single file other than the run's is taken whole.

    Returns:
        `data`, `split`, `rows`, `metrics`, `per_class`; `bad_lines`, a sentence about those left out; and `notes`, what
        else is to be told about the data: a dictionary of sentences.

    Raises:
        UserError: There is no such split, or no label of it is known to the model.
    """
    word_ids, classifier, names = serving.parts(serving.load_model(run))
    own = source.fingerprint == run.read_record().source.fingerprint
    opened = pipeline.open_source(config, source)
    split = split or opened.to_evaluate(own)
    texts, note = as_in_training(opened.read([split])[split], names, opened.place(split))
    examples = pipeline.make_examples(texts, word_ids, names)
    measured = measure(make_predict_step(classifier), examples, names)
    return {
        "data": source.name,
        "split": split,
        "rows": len(examples),
        "metrics": measured.metrics,
        "per_class": measured.per_class,
        "bad_lines": opened.bad_lines.summary(),
        "notes": {name: said for name, said in {**opened.notes, "labels": note}.items() if said},
    }
