"""The network: words to vectors, a recurrent layer over them, one answer from its states."""

import keras

from data.vocabulary import PADDING
from data.word_dropout import WordDropout
from rnn_layers.bidirectional import Bidirectional
from rnn_layers.gru import GRU
from rnn_layers.lstm import LSTM
from rnn_layers.simple_rnn import SimpleRNN

from .config import Config

CELLS = {"simple_rnn": SimpleRNN, "gru": GRU, "lstm": LSTM}


def build_model(config: Config, vocabulary_size: int, classes: int) -> keras.Model:
    """Builds the classifier of word ids.

    e_t = E[id_t];  h_t = the cell's step of e_t and h_{t-1};  y = softmax(pool(h_1 .. h_T) W_y + b_y)

    Args:
        config: The run's configuration.
        vocabulary_size: Ids in all, padding (0) and unknown (1) included.
        classes: Labels to choose from.

    Returns:
        A model of int32 ids (batch, time), padded with 0 on the right, to logits (batch, classes) in float32.

    Example:
        model = build_model(Config(), vocabulary_size=20_000, classes=2)
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    """
    ids = keras.Input((None,), dtype="int32", name="ids")
    mask = keras.ops.not_equal(ids, PADDING)
    words = WordDropout(config.word_dropout, seed=config.seed, name="word_dropout")(ids)
    states = keras.layers.Embedding(vocabulary_size, config.embedding_size, name="embedding")(words)
    # Whole channels at a time: dropping single numbers leaves a word recognizable by its other numbers.
    states = keras.layers.SpatialDropout1D(config.embedding_dropout, seed=config.seed + 1)(states)
    for index in range(config.layers):
        only_last = config.pooling == "last" and index == config.layers - 1
        layer = CELLS[config.cell](config.units, return_sequences=not only_last, name=f"recurrent_{index + 1}")
        if config.directions == "both":
            layer = Bidirectional(layer, name=f"bidirectional_{index + 1}")
        states = layer(states, mask=mask)
    if config.pooling == "mean_max":
        states = MeanAndMaximum(name="pooling")(states, mask)
    states = keras.layers.Dropout(config.output_dropout, seed=config.seed + 2)(states)
    # float32 whatever the training precision: the softmax of rounded logits is a coarse probability.
    logits = keras.layers.Dense(classes, dtype="float32", name="output")(states)
    return keras.Model(ids, logits, name="classifier")


@keras.saving.register_keras_serializable(package="rnn_templates")
class MeanAndMaximum(keras.layers.Layer):
    """The mean and the maximum over time of each channel, padding left out.

    Call arguments:
        states: (batch, time, channels).
        valid: Whether a step counts, bool (batch, time).

    Returns:
        (batch, 2 * channels): means, then maxima; zeros for a row without a step that counts.

    Example:
        MeanAndMaximum()(states, valid)   # states (32, 200, 128) -> (32, 256)
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        # The mask that recurrent layers attach to their output ends here; without this Keras warns that it is lost.
        self.supports_masking = True

    def call(self, states, valid):
        counted = keras.ops.expand_dims(keras.ops.cast(valid, states.dtype), -1)
        steps = keras.ops.sum(counted, axis=1)
        mean = keras.ops.sum(states * counted, axis=1) / keras.ops.maximum(steps, 1)
        maximum = keras.ops.max(keras.ops.where(counted > 0, states, float("-inf")), axis=1)
        return keras.ops.concatenate([mean, keras.ops.where(steps > 0, maximum, 0)], axis=-1)

    def compute_mask(self, inputs, previous_mask=None):
        return None

    def compute_output_shape(self, states_shape, valid_shape):
        return (states_shape[0], 2 * states_shape[-1])
