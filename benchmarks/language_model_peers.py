"""The implementations of the language model that `benchmarks.language_model_speed` compares, with the same weights.

ours         the template's network, steps and writing
keras        the same with `keras.layers.LSTM` in the place of ours
keras jit    the same, forward and gradient compiled with XLA
torch        `benchmarks.torch_language_model`, in PyTorch's process
"""

import dataclasses
from collections.abc import Callable

import keras
import tensorflow as tf

from benchmarks.keras_layers import with_layer
from benchmarks.processes import Elsewhere
from data.subwords.pieces import Subwords
from rnn_layers.sampling import sample
from templates.language_model import pipeline
from templates.language_model.carried_states import CarriedStates
from templates.language_model.config import Config
from templates.language_model.model import build_model, first_states, state_sizes, take_step
from templates.language_model.train import make_train_step
from training.adam import Adam
from training.averaging import WeightAverage
from training.device import Device, choose_device

RATES = ("embedding_dropout", "dropout", "learning_rate", "weight_average", "clip_norm")


@dataclasses.dataclass(frozen=True)
class Peer:
    """One implementation.

    Args:
        train_on: Takes a step on each of some batches, and gives the last one's loss per piece.
        loss_of: The loss per piece of a batch, nothing dropped, with states of 0.
        generate: Gives the pieces that follow one, each drawn by a number in [0, 1).
    """

    train_on: Callable
    loss_of: Callable
    generate: Callable


def read_windows(config: Config, steps: int) -> tuple[Device, int, list]:
    """Reads the text as `run` does; the device, the number of ids, and the first windows, over again if need be."""
    device = choose_device(config.seed, config.strategy, config.precision, config.jit)
    opened = pipeline.open_source(config, pipeline.find_source(config))
    documents = opened.read(["train", "validation"])["train"]
    subwords = Subwords(pipeline.learn_vocabulary(config, documents))
    examples = pipeline.make_examples(documents, subwords)
    plan = pipeline.plan_epoch(config, examples, config.batch_size, epoch=0)[:-1]
    batches = [pipeline.make_batch(examples, window, config.backpropagation_steps) for window in plan[:steps]]
    return device, subwords.size, (batches * (steps // len(batches) + 1))[:steps]


def make_peers(config: Config, device: Device, size: int, processes: dict) -> dict[str, Peer]:
    """Builds all that can run here: the implementations by name, ours first; PyTorch's if it has a process."""
    model = build_model(config, size)
    weights, compiled = model.get_weights(), dataclasses.replace(device, jit=True)
    peers = {
        "ours": tensorflow_peer(model, config, device, Adam),
        "keras": tensorflow_peer(with_keras_layer(model), config, device),
        "keras jit": tensorflow_peer(with_keras_layer(model), config, compiled),
    }
    if "torch" in processes:
        rates = {name: getattr(config, name) for name in RATES}
        trained = [variable.numpy() for variable in model.trainable_variables]
        assert len(trained) == 6 and len(weights) >= 6
        where = processes["torch"], "language_model", "benchmarks.torch_language_model", "TorchLanguageModel"
        torch = Elsewhere(*where, trained, rates, config.batch_size)
        peers["torch"] = Peer(*(torch.method(name) for name in ("train_on", "loss_of", "generate")))
    return peers


def with_keras_layer(model: keras.Model) -> keras.Model:
    """The model with Keras's own LSTM, and the same weights."""
    given = {"return_sequences": True, "return_state": True}
    return with_layer(model, "recurrent_1", lambda layer: keras.layers.LSTM(layer.units, name=layer.name, **given))


def tensorflow_peer(model: keras.Model, config: Config, device: Device, adam=keras.optimizers.Adam) -> Peer:
    """A model in the template's steps, and in a loop that writes."""
    optimizer = adam(config.learning_rate)
    optimizer.build(model.trainable_variables)
    average = WeightAverage(model.trainable_variables, config.weight_average)
    carried = CarriedStates(state_sizes(model), config.batch_size, device.strategy)
    step = make_train_step(model, optimizer, average, device, config, carried)

    def train_on(batches) -> float:
        for batch in batches:
            loss, *_ = step(*map(tf.constant, batch))
        return float(loss)

    def loss_of(batch) -> float:
        before, after, _ = batch
        scores, *_ = model([tf.constant(before), *first_states(model, len(before))], training=False)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
        return float(loss(after, scores))

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32), tf.TensorSpec([None], tf.float32)])
    def write(piece, numbers):
        def go_on(place, ids, states, found):
            scores, states = take_step(model, ids, states)
            ids = sample(scores, numbers[place])
            return place + 1, ids, states, found.write(place, ids)

        length = tf.size(numbers)
        begin = 0, piece[tf.newaxis], first_states(model, 1), tf.TensorArray(tf.int32, length, element_shape=[1])
        return tf.while_loop(lambda place, *_: place < length, go_on, begin)[-1].stack()

    return Peer(train_on, loss_of, lambda piece, numbers: write(tf.constant(piece), tf.constant(numbers)).numpy())
