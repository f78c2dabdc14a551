"""The implementations of the decoder of captions that `benchmarks.captioning_speed` compares, with the same weights.

ours     the template's decoder and searches
keras    the same equations with `keras.layers.GRU` in the place of ours, and a greedy search of its own
torch    `benchmarks.torch_captioner` and `benchmarks.torch_search`, in PyTorch's process

Keras's layers compiled with XLA are not among them: captions are short and of many lengths.
"""

import dataclasses
import itertools
from concurrent.futures import Executor
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from benchmarks.keras_translator import greedy_search, with_keras_layers
from benchmarks.processes import Elsewhere
from benchmarks.translation_peers import Peer, decoder_weights_of
from data.batches import plan_batches
from data.errors import UserError
from data.subwords.ids import END, START
from data.subwords.pieces import Subwords
from data.vocabulary import PADDING
from rnn_layers.attention_decoder import AttentionDecoder
from rnn_layers.search import Search
from rnn_layers.token_loss import token_losses
from templates.captioning import pipeline, serving
from templates.captioning.config import Config
from templates.captioning.model import build_model
from templates.captioning.train import learning_rate
from training.adam import Adam
from training.averaging import WeightAverage
from training.device import choose_device
from training.runs.folder import RunFolder


@dataclasses.dataclass(frozen=True)
class Problem:
    """What is computed with.

    Args:
        name: What the data are called.
        config: The run's configuration.
        decoder: The run's decoder.
        training: The pictures to train on; in the place of each stand its places' vectors, as the encoder gives them.
        validation: The pictures to describe, likewise.
    """

    name: str
    config: Config
    decoder: AttentionDecoder
    training: pipeline.Examples
    validation: pipeline.Examples

    def training_batches(self, count: int) -> list[tuple[np.ndarray, ...]]:
        """The first batches of an epoch, and of it again: places, the ids before each id, ids."""
        size = self.config.batch_size
        drawn = pipeline.draw(self.config, self.training, epoch=0)
        plan = plan_batches(drawn.lengths, size, self.config.seed, epoch=0)
        batches = [pipeline.make_batch(self.training, rows, size, drawn.captions) for rows in plan]
        # One caption of each picture, without its axis.
        batches = [(places, before[:, 0], after[:, 0]) for places, before, after in batches]
        return list(itertools.islice(itertools.cycle(batches), count))

    def asked(self, rows: int, count: int) -> list[np.ndarray]:
        """The places of so many pictures at a time, as they come."""
        places = np.arange(count * rows) % len(self.validation)
        return [self.validation.pictures[each] for each in np.split(places, count)]


def make_problem(data: str, run: Path) -> Problem:
    """Reads a finished run, and what its encoder sees in the data's pictures.

    Args:
        data: The data, as `run captioning` takes them.
        run: The run's folder.

    Raises:
        UserError: The data or the run cannot be used, or its network is not what is compared here.
    """
    folder = RunFolder(run)
    told = {"data": data, "precision": "float32", "strategy": "one", "captions_per_picture": 1, "word_dropout": 0.0}
    config = dataclasses.replace(folder.read_config(Config), **told)
    if config.cell != "gru" or not config.tied_embeddings or config.attention not in ("scaled", "multiplicative"):
        raise UserError(f"{run}: compared are GRUs, scaled or multiplicative attention, one table")
    choose_device(config.seed, config.strategy, config.precision, config.jit)
    source = pipeline.find_source(config)
    opened = pipeline.open_source(config, source)
    model = serving.load_model(folder, config)
    subwords = Subwords(folder.read_vocabulary())
    splits = {}
    for split, pictures in opened.read(["train", "validation"]).items():
        examples, _ = pipeline.make_examples(config, opened, split, pictures, subwords)
        places = model.get_layer("encoder").predict(examples.pictures.astype("float32"), verbose=0)
        splits[split] = dataclasses.replace(examples, pictures=places)
    # As a new run has it here; a model's file holds it as it was built.
    decoder = build_model(config, subwords.size, (config.picture_size, config.picture_size, 3)).get_layer("decoder")
    decoder.set_weights(model.get_layer("search").decoder.get_weights())
    return Problem(source.name, config, decoder, splits["train"], splits["validation"])


def make_peers(problem: Problem, processes: dict[str, Executor]) -> dict[str, Peer]:
    """Builds all that can run here: the implementations by name, ours first; PyTorch's if it has a process."""
    config, decoder = problem.config, problem.decoder
    places = keras.Input(problem.training.pictures.shape[1:], name="places")
    before = keras.Input((None,), dtype="int32", name="before")
    model = keras.Model([places, before], decoder(before, places))
    plain = with_keras_layers(model)
    most, exponent = config.max_length + 1, config.length_exponent
    ours = {width: Search(decoder, START, END, width, exponent, most) for width in (1, config.beam_width)}
    written = greedy_search(plain.get_layer("decoder"), exponent, lambda mask: tf.fill(tf.shape(mask)[:1], most))
    peers = {
        "ours": tensorflow_peer(model, config, ours, Adam),
        "keras": tensorflow_peer(plain, config, {1: written}),
    }
    if "torch" in processes:
        arguments = (decoder_weights_of(decoder), config)
        captioner = Elsewhere(processes["torch"], "captioner", "benchmarks.torch_peers", "Captioner", *arguments)
        searches = {width: captioner.method("search", width) for width in ours}
        load = captioner.method("load")
        peers["torch"] = Peer(
            captioner.method("train"),
            captioner.method("losses"),
            searches,
            lambda model: load(decoder_weights_of(model.get_layer("decoder"))),
        )
    return peers


def tensorflow_peer(model: keras.Model, config: Config, searches: dict, adam=keras.optimizers.Adam) -> Peer:
    """A decoder in the template's steps, without its pictures: forward, gradient, clipping, Adam, the average."""
    variables = model.trainable_variables
    optimizer = adam(config.learning_rate)
    optimizer.build(variables)
    average = WeightAverage(variables, config.weight_average)
    steps = itertools.count()
    vectors, ids = tf.TensorSpec([None, *model.inputs[0].shape[1:]]), tf.TensorSpec([None, None], tf.int32)

    @tf.function(input_signature=[tf.TensorSpec([config.batch_size, *vectors.shape[1:]]), ids, ids], autograph=False)
    def train_step(places, before, after):
        with tf.GradientTape() as tape:
            each, _ = token_losses(model([places, before], training=True), after, config.label_smoothing)
            counts = tf.cast(after != PADDING, tf.float32)
            loss = tf.reduce_sum(each * counts) / tf.reduce_sum(counts)
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), config.clip_norm)
        optimizer.apply(gradients, variables)
        average.update(optimizer.iterations)
        return loss

    def train(batches) -> float:
        for batch in batches:
            optimizer.learning_rate.assign(learning_rate(config, next(steps)))
            loss = train_step(*map(tf.constant, batch))
        return float(loss)

    @tf.function(input_signature=[vectors, ids, ids], autograph=False)
    def losses(places, before, after):
        each, _ = token_losses(model([places, before], training=False), after, config.label_smoothing)
        return tf.reduce_sum(tf.where(after != PADDING, each, 0.0), axis=1)

    def as_function(search):
        @tf.function(input_signature=[vectors], autograph=False)
        def find(places):
            return search(places, tf.ones(tf.shape(places)[:2], tf.bool))

        return lambda asked: [tuple(found.numpy() for found in find(tf.constant(places))) for places in asked]

    return Peer(
        train,
        lambda batch: losses(*map(tf.constant, batch)).numpy(),
        {width: as_function(search) for width, search in searches.items()},
        lambda other: model.set_weights(other.get_weights()),
    )
