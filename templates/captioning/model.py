"""The network: a picture to a grid of vectors, and a decoder that looks at them."""

import keras
import tensorflow as tf

from data.subwords.ids import FIRST_BYTE
from data.word_dropout import WordDropout
from rnn_layers.attention_decoder import AttentionDecoder
from rnn_layers.gru import GRU
from rnn_layers.lstm import LSTM
from rnn_layers.simple_rnn import SimpleRNN

from .config import Config
from .encoders import PlaceEmbedding, build_network, is_frozen

# The loops over time take little time beside the convolutions; in float32 their states are not rounded at every step.
LOOPS_IN = "float32"
# The log odds of a word at first.
RARE = -5.0
CELLS = {"simple_rnn": SimpleRNN, "gru": GRU, "lstm": LSTM}


def build_model(config: Config, vocabulary_size: int, picture_shape: tuple[int, ...]) -> keras.Model:
    """Builds the captioner.

    m_j = relu(x_j W_m + b_m) + p_j,  x_j the network's features of place j;  the decoder's equations stand at
    `rnn_layers.attention_decoder.AttentionDecoder`

    Args:
        config: The run's configuration.
        vocabulary_size: The number of ids.
        picture_shape: What the encoder sees: (side, side, 3), or the (height, width, channels) of a frozen network's
            features.

    Returns:
        A model of `picture`, (batch, *picture_shape), and `before`, the ids of a number of captions of each, each one
        step later, the start id first, int32 (batch * captions, steps), 0 at padding. It gives `scores` of the
        captions' ids, float32 (batch * captions, steps, vocabulary_size), and `words`, scores of which ids occur in the
        captions, float32 (batch, vocabulary_size). Its layers `encoder` and `decoder` work alone, too.

    Example:
        model = build_model(Config(), 4000, (128, 128, 3))
        scores = model({"picture": pictures, "before": before})["scores"]
    """
    picture = keras.Input(picture_shape, name="picture")
    before = keras.Input((None,), dtype="int32", name="before")
    encoder = _build_encoder(config, picture_shape)
    decoder = AttentionDecoder(
        [
            CELLS[config.cell](
                config.units,
                return_sequences=True,
                return_state=True,
                # On the steps of a sentence TensorFlow's loop is faster than pieces compiled by XLA.
                jit_compile=False,
                dtype=LOOPS_IN,
                name=f"recurrent_{index + 1}",
            )
            for index in range(config.decoder_layers)
        ],
        vocabulary_size,
        config.embedding_size,
        attention=config.attention,
        # Without attention the picture is what the decoder reads first.
        memory_first=config.attention == "none",
        tied=config.tied_embeddings,
        embedding_dropout=config.embedding_dropout,
        dropout=config.dropout,
        seed=config.seed + 100,
        name="decoder",
    )
    # The id of "unknown" is that of the start, which no vocabulary of bytes needs twice.
    dropped = WordDropout(config.word_dropout, seed=config.seed + 1, first=FIRST_BYTE, name="dropped_before")
    places = encoder(picture)
    # Few of the words occur in a picture's captions: begun at 1/2 each, their loss would drown the other one.
    rare = keras.initializers.Constant(RARE)
    words = keras.layers.Dense(vocabulary_size, bias_initializer=rare, name="words", dtype="float32")
    # The largest of a channel tells that a thing is somewhere, however small; the mean, what fills the picture.
    seen = keras.ops.concatenate([keras.ops.mean(places, axis=1), keras.ops.max(places, axis=1)], axis=-1)
    return keras.Model(
        {"picture": picture, "before": before},
        {
            "scores": decoder(dropped(before), RepeatForCaptions(name="for_captions")(places, before)),
            "words": words(seen),
        },
        name="captioner",
    )


def _build_encoder(config: Config, picture_shape: tuple[int, ...]) -> keras.Model:
    picture = keras.Input(picture_shape, name="picture")
    grid = picture if is_frozen(config) else build_network(config)(picture)
    places = keras.layers.Reshape((-1, grid.shape[-1]), name="places")(grid)
    places = keras.layers.Dense(config.units, "relu", name="vectors")(places)
    places = PlaceEmbedding(seed=config.seed + 2, name="where")(places)
    # Whole channels of a picture at a time: what is dropped cannot be read off the place beside it.
    places = keras.layers.SpatialDropout1D(config.dropout, seed=config.seed + 3, name="drop_channels")(places)
    return keras.Model(picture, places, name="encoder")


@keras.saving.register_keras_serializable(package="rnn_templates")
class RepeatForCaptions(keras.layers.Layer):
    """Repeats what belongs to a picture for each of its captions.

    Call arguments:
        places: (batch, places, size).
        captions: (batch * captions, steps).

    Returns:
        (batch * captions, places, size).
    """

    def call(self, places, captions):
        pictures, *shape = tf.unstack(tf.shape(places))
        count = tf.shape(captions)[0] // tf.maximum(pictures, 1)
        # Not tf.repeat: the gradient of a gather costs more.
        repeated = tf.broadcast_to(places[:, tf.newaxis], [pictures, count, *shape])
        return tf.ensure_shape(tf.reshape(repeated, [pictures * count, *shape]), (None, *places.shape[1:]))

    def compute_output_spec(self, places, captions):
        return keras.KerasTensor((captions.shape[0], *places.shape[1:]), places.dtype)
