"""The network: pieces to vectors, recurrent layers whose states come in and go out, a score for each next piece."""

import keras
import tensorflow as tf

from rnn_layers.gru import GRU
from rnn_layers.lstm import LSTM
from rnn_layers.simple_rnn import SimpleRNN

from .config import Config

CELLS = {"simple_rnn": SimpleRNN, "gru": GRU, "lstm": LSTM}


def build_model(config: Config, vocabulary_size: int) -> keras.Model:
    """Builds the language model.

    x_t = E y_{t-1};  h_t = the cell's step of x_t and h_{t-1};  p(y_t | y_1 .. y_{t-1}) = softmax(h_t W_y + b_y)

    With tied embeddings the scores are (h_t W + b) E^T (Press and Wolf 2017, arXiv:1608.05859). Dropout is the same at
    every step of a window (Gal and Ghahramani 2016, arXiv:1512.05287).

    Args:
        config: The run's configuration.
        vocabulary_size: The number of ids; 0 is padding.

    Returns:
        A model of a list: y_0 .. y_{T-1}, int32 (batch, steps), the start first, then the states before, each (batch,
        units) float32. It gives a list: the scores of y_1 .. y_T before the softmax, float32 (batch, steps,
        vocabulary_size), then the states after.

    Example:
        model = build_model(Config(cell="gru"), vocabulary_size=300)
        scores, state = model([before, tf.zeros([32, 512])])
    """
    before = keras.Input((None,), dtype="int32", name="before")
    # Small, for with tied embeddings it is the size of the scores, too.
    table = keras.initializers.RandomNormal(stddev=config.embedding_size**-0.5, seed=config.seed)
    embedding = keras.layers.ReversibleEmbedding(
        vocabulary_size,
        config.embedding_size,
        tie_weights=True,
        embeddings_initializer=table,
        reverse_dtype="float32",
        name="embedding",
    )
    outputs = _drop(config.embedding_dropout, config.seed)(embedding(before))
    states_before, states_after = [], []
    for index in range(config.layers):
        layer = CELLS[config.cell](
            config.units, return_sequences=True, return_state=True, name=f"recurrent_{index + 1}"
        )
        first = [
            keras.Input((config.units,), dtype="float32", name=f"state_{len(states_before) + number + 1}")
            for number in range(len(layer.state_size))
        ]
        outputs, *last = layer(outputs, initial_state=first)
        outputs = _drop(config.dropout, config.seed + 1 + index)(outputs)
        states_before += first
        states_after += [keras.ops.cast(state, "float32") for state in last]
    if config.tied_embeddings:
        outputs = keras.layers.Dense(config.embedding_size, name="projection")(outputs)
        scores = embedding(outputs, reverse=True)
    else:
        # float32 whatever the training precision: the softmax of rounded scores is a coarse probability.
        scores = keras.layers.Dense(vocabulary_size, dtype="float32", name="output")(outputs)
    return keras.Model([before, *states_before], [scores, *states_after], name="language_model")


def _drop(share: float, seed: int) -> keras.layers.Layer:
    return keras.layers.SpatialDropout1D(share, seed=seed)


def state_sizes(model: keras.Model) -> list[int]:
    """The length of each of a model's states."""
    return [state.shape[-1] for state in model.inputs[1:]]


def first_states(model: keras.Model, rows) -> list[tf.Tensor]:
    """The states before the first step: zeros, each (rows, units)."""
    return [tf.zeros([rows, size]) for size in state_sizes(model)]


def take_step(model: keras.Model, ids: tf.Tensor, states: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """One step of a model for each row.

    Args:
        model: What `build_model` gave.
        ids: y_{t-1}, int32 (batch,).
        states: The states before, each (batch, units).

    Returns:
        The scores of y_t, float32 (batch, vocabulary_size), and the states after.
    """
    scores, *after = model([ids[:, tf.newaxis], *states], training=False)
    return scores[:, 0], after
