"""What a model reaches on a split: entities found, tokens right, and the figures of each type."""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from data.batches import plan_in_order_of_length
from data.sources.source import Source
from data.tagged_sentences.tag_schemes import PLAIN, convert, entities
from data.vocabulary import PADDING
from training.metrics.classes import accuracy, confusion_matrix, precision_recall_f1
from training.metrics.entities import score_entities
from training.runs.folder import RunFolder

from . import facts, pipeline, serving
from .config import Config
from .errors import entity_mistakes, tag_mistakes
from .model import decode, loss
from .tag_names import written_tags

# Sentences per step, and positions where sentences are long: no gradient is kept, so there is room for many.
BATCH, POSITIONS = 256, 16_384


@dataclass(frozen=True)
class Measured:
    """What `measure` found.

    Args:
        loss: -log p(tags) per token, in nats, over the sentences whose tags training has.
        metrics: `precision`, `recall` and `f1` of entities (not for plain tags), and `accuracy` of tokens; 0 to 1.
        per_class: Type of entity, or tag -> `precision`, `recall`, `f1`, `rows`.
        confusion: (classes, classes) counts, rows true, columns predicted.
        classes: Their names.
        tags: The predicted tags of each sentence, written as in the data.
    """

    loss: float
    metrics: dict[str, float]
    per_class: dict[str, dict[str, float]]
    confusion: np.ndarray
    classes: list[str]
    tags: list[list[str]]

    def mistakes(self, split: str, examples: pipeline.Examples, tags: pipeline.Tags) -> list[dict[str, str]]:
        """The mistakes, one by one, as `errors.write_errors` takes them."""
        sentences = examples.sentences
        if not tags.are_entities:
            return list(tag_mistakes(split, sentences, self.tags))
        true, predicted = ([entities(row) for row in rows] for rows in (sentences.tags, self.tags))
        return list(entity_mistakes(split, sentences, true, predicted))


def make_predict_step(model: keras.Model, decoder: str, features: dict[str, np.ndarray]):
    """Makes the function of a batch that gives its tags (rows, time) and the losses of its sentences (rows,)."""

    @tf.function(input_signature=pipeline.batch_signature(features), autograph=False)
    def predict_step(ids, tags):
        outputs, valid = model(ids, training=False), ids["words"] != PADDING
        return decode(decoder, outputs, valid), loss(decoder, outputs, tags, valid)

    return predict_step


def measure(predict_step, examples: pipeline.Examples, tags: pipeline.Tags) -> Measured:
    """Measures a model on a split.

    Args:
        predict_step: What `make_predict_step` gave.
        examples: The split.
        tags: What is chosen from.

    Returns:
        What was found; see `Measured`.
    """
    numbers: list[np.ndarray] = [np.zeros(0, int)] * len(examples)
    total = 0.0
    for rows in plan_in_order_of_length(examples.lengths, BATCH, POSITIONS):
        chosen, losses = predict_step(*pipeline.make_batch(examples, rows, len(rows)))
        total += float(tf.reduce_sum(tf.boolean_mask(losses, examples.known[rows])))
        for row, found in zip(rows, chosen.numpy(), strict=True):
            numbers[row] = found[: examples.lengths[row]]
    predicted = [written_tags(tags, row) for row in numbers]
    mean_loss = total / max(int(examples.lengths[examples.known].sum()), 1)
    true = examples.sentences.tags
    if tags.scheme != PLAIN:
        # Each in the same scheme and letters: what says the same is the same.
        told = [convert(row, tags.scheme, tags.scheme, tags.letters) for row in true]
        right = sum(one == other for pair in zip(told, predicted, strict=True) for one, other in zip(*pair))
        scores = score_entities([entities(row) for row in true], [entities(row) for row in predicted])
        metrics = {**scores.micro, "accuracy": right / max(int(examples.lengths.sum()), 1)}
        return Measured(mean_loss, metrics, scores.per_type, scores.confusion, scores.types, predicted)
    classes = [*tags.names, *sorted({tag for row in true for tag in row} - {*tags.names})]
    number = {name: place for place, name in enumerate(classes)}
    labels = np.array([number[tag] for row in true for tag in row], int)
    confusion = confusion_matrix(labels, np.concatenate(numbers), len(classes))
    figures = zip(classes, *precision_recall_f1(confusion), confusion.sum(axis=1), strict=True)
    per_class = {
        name: {"precision": float(precision), "recall": float(recall), "f1": float(f1), "rows": int(rows)}
        for name, precision, recall, f1, rows in figures
    }
    return Measured(mean_loss, {"accuracy": accuracy(confusion)}, per_class, confusion, classes, predicted)


def evaluate(run: RunFolder, config: Config, source: Source, split: str | None) -> dict:
    """Measures a run's model on a split of any source: the verb `evaluate`.

    Args:
        run: The run's folder.
        config: The run's configuration; its fields about reading fit the source.
        source: Where the data comes from.
        split: The split's name. None: "test" where there is one; a single file other than the run's is taken whole.

    Returns:
        `data`, `split`, `rows` (sentences), `metrics`, `per_class`, `bad_lines`, a sentence about those left out, and
        `notes`, what else there is to say of the data, under a name.

    Raises:
        UserError: There is no such split, or it cannot be read.
    """
    features, tagger, tags = serving.parts(serving.load_model(run))
    own = source.fingerprint == run.read_record().source.fingerprint
    opened = pipeline.open_source(config, source)
    split = split or opened.to_evaluate(own)
    sentences, scheme = pipeline.in_one_scheme(config, opened, opened.read([split]), tags.scheme)
    tags = pipeline.Tags(scheme.name, tags.names, scheme.letters)
    examples = pipeline.make_examples(sentences, features, tags)[split]
    measured = measure(make_predict_step(tagger, config.decoder, examples.features), examples, tags)
    notes = {**opened.notes, "not in training": facts.not_in_training(sentences, tags)}
    return {
        "data": source.name,
        "split": split,
        "rows": len(examples),
        "metrics": measured.metrics,
        "per_class": measured.per_class,
        "bad_lines": opened.bad_lines.summary(),
        "notes": {name: note for name, note in notes.items() if note},
    }
