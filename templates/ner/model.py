"""The network: tokens to vectors, a recurrent layer over them, scores for tags at every step."""

import keras
import numpy as np
import tensorflow as tf

from data.tagged_sentences.tag_schemes import allowed_transitions
from data.tagged_sentences.token_features import CASINGS, TokenFeatures
from data.vocabulary import FIRST_WORD, PADDING
from data.word_dropout import WordDropout
from rnn_layers import crf
from rnn_layers.bidirectional import Bidirectional
from rnn_layers.gru import GRU
from rnn_layers.lstm import LSTM
from rnn_layers.simple_rnn import SimpleRNN

from .characters import CharacterWords
from .config import Config
from .pipeline import Tags

CELLS = {"simple_rnn": SimpleRNN, "gru": GRU, "lstm": LSTM}
CASING_SIZE = 8


def build_model(
    config: Config,
    features: TokenFeatures,
    tags: Tags,
    first_rare: int | None = None,
    vectors: dict[str, np.ndarray] | None = None,
) -> keras.Model:
    """Builds the tagger of token ids.

    v_t = [word; characters; casing; affixes];  h_t = the cell's step of v_t and h_{t-1}, in both directions;
    e_t = h_t W_y + b_y;  y = the best path through e_1 .. e_T (CRF), or each step's best tag (softmax)

    Args:
        config: The run's configuration.
        features: Says how many ids each feature has.
        tags: What is chosen from.
        first_rare: The id from which on words are rare, and now and then taken for unknown in training.
        vectors: Word -> vector to start from.

    Returns:
        A model of a dictionary of int32 ids, as `features` gives them. Its output is what `loss` and `decode` take:
        potentials (batch, time, tags, tags) of a CRF, or scores (batch, time, tags); in float32.

    Example:
        model = build_model(config, features, tags)
        model.compile("adam", rnn_layers.crf.ChainLoss())   # tags with -1 at padding
    """
    sizes = {"characters": (features.maximum_characters,), "affixes": (2 * len(features.affix_lengths),)}
    inputs = {
        name: keras.Input((None, *sizes.get(name, ())), dtype="int32", name=name)
        for name in ("words", "characters", "casing", "affixes")
    }
    mask = keras.ops.not_equal(inputs["words"], PADDING)
    first_rare = first_rare or FIRST_WORD + len(features.words)
    words = WordDropout(config.word_dropout, seed=config.seed, name="word_dropout")(inputs["words"])
    words = WordDropout(config.rare_word_dropout, seed=config.seed + 1, first=first_rare, name="rare_word_dropout")(
        words
    )
    word_embedding = keras.layers.Embedding(
        FIRST_WORD + len(features.words),
        config.embedding_size,
        _word_initializer(config, features, vectors),
        name="words_of",
    )
    parts = [
        word_embedding(words),
        keras.layers.Embedding(1 + len(CASINGS), CASING_SIZE, name="casings")(inputs["casing"]),
    ]
    if config.characters != "none":
        size, units = config.character_size, config.character_units
        count = FIRST_WORD + len(features.characters)
        parts.append(CharacterWords(count, size, units, config.characters, name="by_characters")(inputs["characters"]))
    if config.affix_size:
        affixes = keras.layers.Embedding(FIRST_WORD + len(features.affixes), config.affix_size, name="affixes_of")
        parts.append(JoinLastAxes(name="joined_affixes")(affixes(inputs["affixes"])))
    states = keras.layers.Concatenate(name="token_vectors")(parts)
    # Whole channels of a sentence at a time, so that what is dropped cannot be read off the word beside it.
    states = keras.layers.SpatialDropout1D(config.embedding_dropout, seed=config.seed + 2)(states)
    for index in range(config.layers):
        # On the steps of a sentence TensorFlow's loop is faster than pieces compiled by XLA.
        layer = CELLS[config.cell](
            config.units, return_sequences=True, jit_compile=False, name=f"recurrent_{index + 1}"
        )
        if config.directions == "both":
            layer = Bidirectional(layer, name=f"bidirectional_{index + 1}")
        states = layer(states, mask=mask)
        states = keras.layers.Dropout(config.output_dropout, seed=config.seed + 3 + index)(states)
    scores = keras.layers.Dense(len(tags.names), dtype="float32", name="scores")(states)
    if config.decoder == "softmax":
        return keras.Model(inputs, scores, name="tagger")
    first, between, last = (table.tolist() for table in allowed_transitions(tags.names, tags.inner_scheme))
    return keras.Model(inputs, crf.CRF(between, first, last, name="crf")(scores, mask=mask), name="tagger")


def loss(decoder: str, outputs: tf.Tensor, tags: tf.Tensor, valid: tf.Tensor) -> tf.Tensor:
    """What training makes small: how improbable the right tags are.

    Args:
        decoder: "crf" or "softmax".
        outputs: What the model gave.
        tags: The right tags, int32 (batch, time).
        valid: Whether a step counts, bool (batch, time).

    Returns:
        -log p(tags) of each sentence, in nats, (batch,).
    """
    if decoder == "crf":
        return crf.negative_log_likelihood(outputs, tags, valid)
    by_step = tf.nn.sparse_softmax_cross_entropy_with_logits(tags, outputs)
    return tf.reduce_sum(tf.where(valid, by_step, 0.0), axis=1)


def decode(decoder: str, outputs: tf.Tensor, valid: tf.Tensor) -> tf.Tensor:
    """The tags that are chosen, int32 (batch, time), 0 where no step counts; see `loss` for the arguments."""
    if decoder == "crf":
        return crf.decode(outputs, valid)[0]
    return tf.where(valid, tf.argmax(outputs, axis=-1, output_type=tf.int32), 0)


def _word_initializer(config: Config, features: TokenFeatures, vectors: dict[str, np.ndarray] | None):
    """Vectors of about unit length per number, as Lample et al. draw them, under those that were given."""
    limit = (3 / config.embedding_size) ** 0.5
    uniform = keras.initializers.RandomUniform(-limit, limit, seed=config.seed)
    if not vectors:
        return uniform

    def given(shape, dtype=None):
        table = keras.ops.convert_to_numpy(uniform(shape)).copy()
        for row, word in enumerate(features.words, start=FIRST_WORD):
            table[row] = vectors.get(word, table[row])
        return keras.ops.convert_to_tensor(table, dtype)

    return given


@keras.saving.register_keras_serializable(package="rnn_templates")
class JoinLastAxes(keras.layers.Layer):
    """(batch, time, count, size) -> (batch, time, count * size): several vectors of a token as one."""

    def call(self, vectors):
        return tf.reshape(vectors, (*tf.unstack(tf.shape(vectors)[:2]), vectors.shape[2] * vectors.shape[3]))

    def compute_output_shape(self, shape):
        return (*shape[:2], shape[2] * shape[3])
