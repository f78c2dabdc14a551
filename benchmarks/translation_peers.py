"""The implementations of the translator that `benchmarks.translation_speed` compares, with the same weights.

ours           the template's network, steps and searches
keras          the same decoder's equations and the same steps, with `keras.layers.GRU` and `keras.layers.Bidirectional`
               in the place of ours, and a greedy search of its own
keras jit      the same, forward and gradient compiled with XLA; batches are padded to a few lengths; no search
torch          `benchmarks.torch_translator`, the source read over padded rows, and `benchmarks.torch_search`, in
               PyTorch's process
torch packed   the same, the source read over packed rows
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from benchmarks.keras_translator import greedy_search, with_keras_layers
from benchmarks.processes import Elsewhere
from data.batches import plan_batches, plan_in_order_of_length
from data.errors import UserError
from data.sentence_pairs.languages import Languages
from data.subwords.ids import END, START
from data.vocabulary import PADDING
from rnn_layers.attention_decoder import AttentionDecoder
from rnn_layers.search import Search
from rnn_layers.token_loss import token_losses
from templates.translation import pipeline, serving
from templates.translation.config import Config
from templates.translation.evaluate import BATCH, POSITIONS
from templates.translation.model import build_model
from templates.translation.train import LENGTH_MULTIPLE_WITH_JIT, learning_rate, make_train_step
from training.adam import Adam
from training.averaging import WeightAverage
from training.device import Device, choose_device
from training.runs.folder import RunFolder

# A batch as `templates.translation.pipeline.make_batch` gives it: sources, the targets' ids before each, targets.
Batch = tuple[np.ndarray, np.ndarray, np.ndarray]
# What a search answers: tokens (rows, steps), the end and 0 behind them, and scores (rows,).
Answer = tuple[np.ndarray, np.ndarray]
# The biases, which begin at 0, are to count when losses are compared: random numbers of this deviation.
SPREAD = 0.1


@dataclasses.dataclass(frozen=True)
class Problem:
    """What is computed with.

    Args:
        name: What the data are called.
        languages: From, into.
        config: The template's configuration: a GRU, one layer in the encoder, an attention of products, tied tables.
        sizes: Ids of both languages.
        device: Where the template's own steps run.
        training: The pairs to train on.
        validation: The pairs to translate.
        run: A finished run whose weights are begun with, or None.
    """

    name: str
    languages: Languages
    config: Config
    sizes: tuple[int, int]
    device: Device
    training: pipeline.Examples
    validation: pipeline.Examples
    run: RunFolder | None = None

    def training_batches(self, multiple: int) -> list[Batch]:
        """The batches of the first epoch, padded to multiples of a length."""
        size = self.config.batch_size
        plan = plan_batches(self.training.order, size, self.config.seed, epoch=0)
        return [pipeline.make_batch(self.training, rows, size, multiple) for rows in plan]

    def validation_batches(self) -> list[Batch]:
        """The batches of the validation pairs, the shortest sources first, as an epoch's end has them."""
        plan = plan_in_order_of_length(self.validation.lengths, BATCH, POSITIONS)
        return [pipeline.make_batch(self.validation, rows, len(rows)) for rows in plan]


@dataclasses.dataclass(frozen=True)
class Peer:
    """One implementation.

    Args:
        train: Takes a step on each of some batches, one after the other, and gives the last one's loss per piece. All
            is done when it returns.
        losses: The loss of each row of a batch, (rows,), with smoothed labels and without dropout.
        search: Beam width -> the search for answers to the sources of some batches; of the widths that there are.
        load: Takes the weights of a Keras model.
        multiple: The batches' padded lengths are to be multiples of this.
    """

    train: Callable[[Iterable[Batch]], float]
    losses: Callable[[Batch], np.ndarray]
    search: dict[int, Callable[[Iterable[np.ndarray]], list[Answer]]]
    load: Callable[[keras.Model], None]
    multiple: int = 1


def make_problem(config: Config, run: Path | None = None) -> Problem:
    """Reads the data that a configuration names, as `run translation` does, and chooses the device.

    Args:
        config: The template's configuration.
        run: The folder of a finished run, whose network, pieces and weights are taken.

    Raises:
        UserError: The data or the run cannot be used, or its network is not what is compared here.
    """
    folder = None if run is None else RunFolder(run)
    if folder:
        kept = {name: getattr(config, name) for name in ("data", "source_language", "target_language")}
        kept |= {name: getattr(config, name) for name in ("precision", "strategy", "jit", "max_length")}
        config = dataclasses.replace(folder.read_config(Config), **kept)
    what = (config.cell, config.encoder_layers, config.tied_embeddings)
    if what != ("gru", 1, True) or config.attention not in ("scaled", "multiplicative"):
        raise UserError(
            f"{run}: compared are GRUs, one layer of them in the encoder, scaled or multiplicative attention, one table"
        )
    source = pipeline.find_source(config)
    device = choose_device(config.seed, config.strategy, config.precision, config.jit)
    pairs = pipeline.open_source(config, source).read(["train", "validation"])
    vocabulary = folder.read_vocabulary() if folder else pipeline.learn_vocabulary(config, pairs["train"])
    subwords = pipeline.subwords_of(vocabulary)
    pairs["train"], _ = pipeline.filter_training(config, pairs["train"])
    training, validation = (pipeline.make_examples(pairs[split], *subwords) for split in ("train", "validation"))
    sizes = (subwords[0].size, subwords[1].size)
    languages = pipeline.languages_of(source)
    return Problem(source.name, languages, config, sizes, device, training, validation, folder)


def make_model(problem: Problem) -> keras.Model:
    """The template's network, with a run's weights, or with new ones whose biases are not 0."""
    model = build_model(problem.config, *problem.sizes)
    if problem.run:
        saved = serving.load_model(problem.run, problem.config)
        model.get_layer("encoder").set_weights(saved.get_layer("encoder").get_weights())
        model.get_layer("decoder").set_weights(saved.get_layer("search").decoder.get_weights())
        return model
    random = np.random.default_rng(problem.config.seed)
    for variable in model.trainable_variables:
        if not variable.numpy().any():
            variable.assign(SPREAD * random.normal(size=variable.shape))
    return model


def make_peers(problem: Problem, model: keras.Model, processes: dict[str, Executor]) -> dict[str, Peer]:
    """Builds all that can run here, with a model's weights: the implementations by name, ours first.

    The model itself is the one that ours trains. PyTorch's implementations are there if it has a process.
    """
    config, device = problem.config, problem.device
    compiled = dataclasses.replace(device, jit=True)
    plain = with_keras_layers(model)
    peers = {
        "ours": tensorflow_peer(model, config, device, our_searches(model, config), Adam),
        "keras": tensorflow_peer(
            plain, config, device, {1: greedy_search(plain.get_layer("decoder"), config.length_exponent)}
        ),
        "keras jit": tensorflow_peer(with_keras_layers(model), config, compiled, {}),
    }
    for name, packed in (("torch", False), ("torch packed", True)) if "torch" in processes else ():
        arguments = (weights_of(model), config, packed)
        translator = Elsewhere(processes["torch"], name, "benchmarks.torch_peers", "Translator", *arguments)
        peers[name] = torch_peer(translator, config)
    return peers


def our_searches(model: keras.Model, config: Config) -> dict[int, Callable]:
    """The template's searches: greedy, and as wide as the configuration says."""
    decoder, exponent = model.get_layer("decoder"), config.length_exponent
    return {width: Search(decoder, START, END, width, exponent) for width in (1, config.beam_width)}


def tensorflow_peer(
    model: keras.Model, config: Config, device: Device, searches: dict[int, Callable], adam=keras.optimizers.Adam
) -> Peer:
    """A model in the template's steps: forward, gradient, clipping, Adam and the average of the weights."""
    optimizer = adam(config.learning_rate)
    optimizer.build(model.trainable_variables)
    average = WeightAverage(model.trainable_variables, config.weight_average)
    train_step = make_train_step(model, optimizer, average, device, config)
    encoder, steps = model.get_layer("encoder"), itertools.count()

    def train(batches):
        for batch in batches:
            optimizer.learning_rate.assign(learning_rate(config, next(steps)))
            loss, _, _ = train_step(*map(tf.constant, batch))
        return float(loss)

    @tf.function(input_signature=pipeline.batch_signature())
    def losses(source, before, after):
        each, _ = token_losses(
            model({"source": source, "before": before}, training=False), after, config.label_smoothing
        )
        return tf.reduce_sum(tf.where(after != PADDING, each, 0.0), axis=1)

    def as_function(search):
        @tf.function(input_signature=pipeline.batch_signature()[:1], autograph=False)
        def find(source):
            return search(encoder(source, training=False), source != PADDING)

        return lambda sources: [tuple(found.numpy() for found in find(source)) for source in sources]

    return Peer(
        train,
        lambda batch: losses(*batch).numpy(),
        {width: as_function(search) for width, search in searches.items()},
        lambda other: model.set_weights(other.get_weights()),
        LENGTH_MULTIPLE_WITH_JIT if device.jit else 1,
    )


def torch_peer(translator: Elsewhere, config: Config) -> Peer:
    """A `benchmarks.torch_peers.Translator` in PyTorch's process."""
    load = translator.method("load")
    return Peer(
        translator.method("train"),
        translator.method("losses"),
        {width: translator.method("search", width) for width in (1, config.beam_width)},
        lambda model: load(weights_of(model)),
    )


def weights_of(model: keras.Model) -> dict[str, list]:
    """The arrays of a model, as `benchmarks.torch_translator` takes them."""
    encoder = model.get_layer("encoder")
    layers = {"source_table": encoder.get_layer("embedding"), "readers": encoder.get_layer("bidirectional_1")}
    return {name: layer.get_weights() for name, layer in layers.items()} | decoder_weights_of(
        model.get_layer("decoder")
    )


def decoder_weights_of(decoder: AttentionDecoder) -> dict[str, list]:
    """The arrays of a decoder, as `benchmarks.torch_decoder` takes them."""
    layers = {"target_table": decoder.embedding, "output_layer": decoder.output_layer}
    layers |= {"query": decoder.query, "key": decoder.key}
    return {name: layer.get_weights() for name, layer in layers.items()} | {
        "layers": [layer.get_weights() for layer in decoder.recurrent_layers],
        "first_states": [layer.get_weights() for layer in decoder.first_states],
        "bias": [decoder.bias.numpy()],
    }
