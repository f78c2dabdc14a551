"""The implementations of the tagger that `benchmarks.ner_speed` compares, with the same weights to begin with.

ours           the template's network and steps
keras          the same with `keras.layers.Bidirectional(keras.layers.LSTM(...))` in the place of ours
keras jit      the same, forward and gradient compiled with XLA; batches are padded to a few lengths
torch          `benchmarks.torch_tagger`, over padded rows, in PyTorch's process
torch packed   `benchmarks.torch_tagger`, over packed rows, there too
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import Executor

import keras
import numpy as np
import tensorflow as tf

from benchmarks.keras_layers import with_layer
from benchmarks.processes import Elsewhere
from data.batches import plan_batches, plan_in_order_of_length
from data.tagged_sentences.token_features import TokenFeatures
from data.vocabulary import FIRST_WORD
from templates.ner import pipeline
from templates.ner.config import Config
from templates.ner.evaluate import BATCH, POSITIONS, make_predict_step
from templates.ner.model import build_model
from templates.ner.pipeline import Tags
from templates.ner.train import LENGTH_MULTIPLE_WITH_JIT, learning_rate, make_train_step
from training.adam import Adam
from training.averaging import WeightAverage
from training.device import Device, choose_device

# Features and tags of a batch, as `templates.ner.pipeline.make_batch` gives them.
Batch = tuple[dict[str, np.ndarray], np.ndarray]
# Added to every weight: what begins at 0 is to count when the losses are compared.
SPREAD = 0.1


@dataclasses.dataclass(frozen=True)
class Problem:
    """What is computed with.

    Args:
        name: What the data are called.
        config: The template's configuration; its decoder is a CRF, its cell an LSTM in one layer.
        features: Says how many ids each feature has.
        tags: What is chosen from.
        first_rare: The id from which on words are rare.
        device: Where the template's own steps run.
        training: The sentences to train on.
        validation: The sentences to tag.
    """

    name: str
    config: Config
    features: TokenFeatures
    tags: Tags
    first_rare: int
    device: Device
    training: pipeline.Examples
    validation: pipeline.Examples

    def count_words(self) -> int:
        """The ids of words, padding and unknown included."""
        return FIRST_WORD + len(self.features.words)

    def training_batches(self, multiple: int, most: int | None = None) -> list[Batch]:
        """The batches of the first epoch, `most` of them, padded to a multiple of a length."""
        size = self.config.batch_size
        plan = plan_batches(self.training.lengths, size, self.config.seed, epoch=0)
        return [pipeline.make_batch(self.training, rows, size, multiple) for rows in plan[:most]]

    def tagging_batches(self, multiple: int, most: int | None = None) -> list[Batch]:
        """The batches of the validation sentences, shortest first, as an epoch's end has them."""
        plan = plan_in_order_of_length(self.validation.lengths, BATCH, POSITIONS)
        return [pipeline.make_batch(self.validation, rows, len(rows), multiple) for rows in plan[:most]]


@dataclasses.dataclass(frozen=True)
class Peer:
    """One implementation.

    Args:
        train: Takes a step on each of some batches, one after the other, and gives the last one's loss per token. All
            is done when it returns.
        tag: Gives the tags (rows, time) and the sentences' losses (rows,) of each batch.
        multiple: The batches' padded length is to be a multiple of this.
    """

    train: Callable[[Iterable[Batch]], float]
    tag: Callable[[Iterable[Batch]], list[tuple[np.ndarray, np.ndarray]]]
    multiple: int = 1


def make_problem(config: Config) -> Problem:
    """Reads the data that a configuration names, as `run ner` does, and chooses the device.

    Raises:
        UserError: The data cannot be used.
    """
    source = pipeline.find_source(config)
    device = choose_device(config.seed, config.strategy, config.precision, config.jit)
    splits = ["train", "validation"]
    opened = pipeline.open_source(config, source)
    sentences, scheme = pipeline.in_one_scheme(config, opened, opened.read(splits))
    tags = pipeline.find_tags(opened, sentences, scheme)
    vocabulary = pipeline.choose_vocabulary(config, sentences["train"])
    features = TokenFeatures(*(vocabulary[name] for name in ("words", "characters", "affixes")))
    first_rare = FIRST_WORD + len(vocabulary["words"]) - len(vocabulary["rare"])
    examples = pipeline.make_examples(sentences, features, tags)
    return Problem(source.name, config, features, tags, first_rare, device, *(examples[split] for split in splits))


def make_peers(problem: Problem, processes: dict[str, Executor]) -> dict[str, Peer]:
    """Builds all that can run here: the implementations by name, ours first; PyTorch's if it has a process."""
    config, device = problem.config, problem.device
    model = build_model(config, problem.features, problem.tags, problem.first_rare)
    random = np.random.default_rng(config.seed)
    for variable in model.trainable_variables:
        variable.assign_add(SPREAD * random.normal(size=variable.shape))
    shapes, compiled = problem.training.features, dataclasses.replace(device, jit=True)
    peers = {
        "ours": tensorflow_peer(model, config, shapes, device, Adam),
        "keras": tensorflow_peer(with_keras_layer(model), config, shapes, device),
        "keras jit": tensorflow_peer(with_keras_layer(model), config, shapes, compiled),
    }
    return peers | torch_peers(model, problem, processes)


def with_keras_layer(model: keras.Model) -> keras.Model:
    """The model with Keras's own bidirectional LSTM, and the same weights."""

    def in_its_place(layer):
        one = keras.layers.LSTM(layer.forward_layer.units, return_sequences=True)
        return keras.layers.Bidirectional(one, name=layer.name)

    return with_layer(model, "bidirectional_1", in_its_place)


def tensorflow_peer(
    model: keras.Model,
    config: Config,
    features: dict[str, np.ndarray],
    device: Device,
    adam=keras.optimizers.Adam,
) -> Peer:
    """A model in the template's steps: forward, gradient, clipping, Adam and the average of the weights."""
    optimizer = adam(config.learning_rate)
    optimizer.build(model.trainable_variables)
    average = WeightAverage(model.trainable_variables, config.weight_average)
    train_step = make_train_step(model, optimizer, average, device, config, features)
    predict_step = make_predict_step(model, config.decoder, features)
    if device.jit:
        signature = pipeline.batch_signature(features)
        predict_step = tf.function(predict_step.python_function, input_signature=signature, jit_compile=True)
    steps = itertools.count()

    def train(batches):
        for ids, tags in batches:
            optimizer.learning_rate.assign(learning_rate(config, next(steps)))
            loss, _, _ = train_step({name: tf.constant(array) for name, array in ids.items()}, tf.constant(tags))
        return float(loss)

    def tag(batches):
        return [tuple(result.numpy() for result in predict_step(*batch)) for batch in batches]

    return Peer(train, tag, LENGTH_MULTIPLE_WITH_JIT if device.jit else 1)


def torch_peers(model: keras.Model, problem: Problem, processes: dict[str, Executor]) -> dict[str, Peer]:
    """A model's network in PyTorch, over padded and over packed rows, if PyTorch has a process."""
    peers, weights = {}, weights_of(model)
    for name, packed in (("torch", False), ("torch packed", True)) if "torch" in processes else ():
        arguments = (weights, problem.config, problem.first_rare, packed)
        tagger = Elsewhere(processes["torch"], name, "benchmarks.torch_peers", "Tagger", *arguments)
        peers[name] = Peer(tagger.method("train"), tagger.method("tag"))
    return peers


def weights_of(model: keras.Model) -> dict[str, list[np.ndarray]]:
    """The arrays of a model of one layer of LSTMs in both directions, as `benchmarks.torch_tagger` takes them."""
    layers = {name: model.get_layer(name) for name in ("words_of", "casings", "affixes_of", "scores", "crf")}
    by_characters = model.get_layer("by_characters")
    layers |= {"characters": by_characters.embedding, "filters": by_characters.reader}
    layers |= {"readers": model.get_layer("bidirectional_1")}
    crf = layers["crf"]
    allowed = {"allowed": [crf.allowed, crf.allowed_first, crf.allowed_last]}
    return {name: layer.get_weights() for name, layer in layers.items()} | allowed
