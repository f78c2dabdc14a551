"""The implementations of the classifier that `benchmarks.sentiment_speed` compares, with the same weights.

ours           the template's network and steps
keras          the same with `keras.layers.Bidirectional` and `keras.layers.GRU` in the place of ours
torch          `benchmarks.torch_classifier` over padded rows, in PyTorch's process
torch packed   the same over packed rows

Keras's layers compiled with XLA are not among them: at such lengths that takes minutes to compile, and twice the time
afterwards (`benchmarks.layers`).
"""

import dataclasses
import itertools
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from benchmarks.keras_layers import with_layer
from benchmarks.processes import Elsewhere
from data.batches import plan_batches
from data.labelled_texts.word_ids import WordIds
from data.vocabulary import FIRST_WORD
from templates.sentiment import pipeline
from templates.sentiment.config import Config
from templates.sentiment.labels import label_names
from templates.sentiment.model import build_model
from templates.sentiment.train import learning_rate, make_train_step
from training.adam import Adam
from training.averaging import WeightAverage
from training.device import Device, choose_device


@dataclasses.dataclass(frozen=True)
class Problem:
    """What is computed with.

    Args:
        config: The template's configuration.
        device: Where the template's own steps run.
        words: Ids in all.
        names: The labels.
        training: The rows to train on.
        validation: The rows to answer for.
    """

    config: Config
    device: Device
    words: int
    names: list[str]
    training: pipeline.Examples
    validation: pipeline.Examples

    def training_batches(self, count: int) -> list[tuple[np.ndarray, ...]]:
        """The first batches of the first epoch."""
        size, weights = self.config.batch_size, np.ones(len(self.names), np.float32)
        plan = plan_batches(self.training.lengths, size, self.config.seed, epoch=0)
        return [pipeline.make_batch(self.training, rows, weights, size) for rows in plan[:count]]

    def answered(self, rows: int, count: int) -> list[np.ndarray]:
        """Ids of so many validation texts at a time, as they come."""
        weights, places = np.ones(len(self.names), np.float32), np.arange(count * rows) % len(self.validation)
        return [pipeline.make_batch(self.validation, each, weights, rows)[0] for each in np.split(places, count)]


@dataclasses.dataclass(frozen=True)
class Peer:
    """One implementation.

    Args:
        train_on: Takes a step on each of some batches, and gives the last one's loss.
        losses_of: The loss of each row of a batch, nothing dropped or smoothed, (batch,).
        answer: The probabilities of each of some batches of ids.
    """

    train_on: Callable
    losses_of: Callable
    answer: Callable


def make_problem(config: Config) -> Problem:
    """Reads the data as `run sentiment` does.

    Raises:
        UserError: The data cannot be used.
    """
    device = choose_device(config.seed, config.strategy, config.precision, config.jit)
    opened = pipeline.open_source(config, pipeline.find_source(config))
    texts = opened.read(["train", "validation"])
    names = label_names(pipeline.known_labels(opened, texts))
    words = pipeline.choose_words(config, texts["train"])
    word_ids = WordIds(words, config.maximum_length, config.keep)
    examples = (pipeline.make_examples(texts[split], word_ids, names) for split in ("train", "validation"))
    return Problem(config, device, len(words) + FIRST_WORD, names, *examples)


def make_peers(problem: Problem, processes: dict) -> dict[str, Peer]:
    """Builds all that can run here: the implementations by name, ours first; PyTorch's if it has a process."""
    config, device = problem.config, problem.device
    model = build_model(config, problem.words, len(problem.names))
    weights = model.get_weights()
    peers = {
        "ours": tensorflow_peer(model, config, device, Adam),
        "keras": tensorflow_peer(with_keras_layer(model), config, device),
    }
    for name, packed in (("torch", False), ("torch packed", True)) if "torch" in processes else ():
        where = processes["torch"], name, "benchmarks.torch_classifier", "TorchClassifier"
        torch = Elsewhere(*where, weights, config, packed)
        peers[name] = Peer(*(torch.method(method) for method in ("train_on", "losses_of", "answer")))
    return peers


def with_keras_layer(model: keras.Model) -> keras.Model:
    """The model with Keras's own bidirectional GRU, and the same weights."""

    def in_its_place(layer):
        one = keras.layers.GRU(layer.forward_layer.units, return_sequences=True)
        return keras.layers.Bidirectional(one, name=layer.name)

    return with_layer(model, "bidirectional_1", in_its_place)


def tensorflow_peer(model: keras.Model, config: Config, device: Device, adam=keras.optimizers.Adam) -> Peer:
    """A model in the template's steps."""
    optimizer = adam(config.learning_rate)
    optimizer.build(model.trainable_variables)
    average = WeightAverage(model.trainable_variables, config.weight_average)
    train_step = make_train_step(model, optimizer, average, device, config)
    steps = itertools.count()

    @tf.function(input_signature=pipeline.batch_signature()[:1], autograph=False)
    def predict_step(ids):
        return tf.nn.softmax(model(ids, training=False))

    def train_on(batches) -> float:
        for batch in batches:
            optimizer.learning_rate.assign(learning_rate(config, next(steps)))
            loss, *_ = train_step(*map(tf.constant, batch))
        return float(loss)

    def losses_of(batch) -> np.ndarray:
        ids, labels, _ = batch
        return keras.losses.sparse_categorical_crossentropy(labels, predict_step(tf.constant(ids))).numpy()

    return Peer(
        train_on,
        losses_of,
        lambda batches: [predict_step(tf.constant(ids)).numpy() for ids in batches],
    )
