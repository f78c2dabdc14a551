"""The network: the source's pieces to states in both directions, and a decoder that looks at them."""

import keras

from data.subwords.ids import FIRST_BYTE
from data.vocabulary import PADDING
from data.word_dropout import WordDropout
from rnn_layers.attention_decoder import AttentionDecoder
from rnn_layers.bidirectional import Bidirectional
from rnn_layers.gru import GRU
from rnn_layers.lstm import LSTM
from rnn_layers.simple_rnn import SimpleRNN

from .config import Config

CELLS = {"simple_rnn": SimpleRNN, "gru": GRU, "lstm": LSTM}


def build_model(config: Config, source_size: int, target_size: int) -> keras.Model:
    """Builds the translator of piece ids.

    m_j = [forward h_j ; backward h_j] of the source;  the decoder's equations stand at
    `rnn_layers.attention_decoder.AttentionDecoder`

    Args:
        config: The run's configuration.
        source_size: The number of ids of the source language.
        target_size: The number of ids of the target language.

    Returns:
        A model of `source`, int32 (batch, places), the end id last, and `before`, the target's ids each one step later,
        the start id first, int32 (batch, steps); both padded with 0. It gives the scores of the target's ids, float32
        (batch, steps, target_size). Its layers `encoder` and `decoder` work alone, too.

    Example:
        model = build_model(Config(), 4000, 4000)
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0))
    """
    source = keras.Input((None,), dtype="int32", name="source")
    before = keras.Input((None,), dtype="int32", name="before")
    encoder = _build_encoder(config, source_size)
    decoder = AttentionDecoder(
        [
            CELLS[config.cell](
                config.units,
                return_sequences=True,
                return_state=True,
                # On the steps of a sentence TensorFlow's loop is faster than pieces compiled by XLA.
                jit_compile=False,
                name=f"recurrent_{index + 1}",
            )
            for index in range(config.decoder_layers)
        ],
        target_size,
        config.embedding_size,
        attention=config.attention,
        tied=config.tied_embeddings,
        embedding_dropout=config.embedding_dropout,
        dropout=config.dropout,
        seed=config.seed + 100,
        name="decoder",
    )
    seen = _drop_pieces(config, config.seed + 1, "dropped_before")(before)
    scores = decoder(seen, encoder(source), mask=keras.ops.not_equal(source, PADDING))
    return keras.Model({"source": source, "before": before}, scores, name="translator")


def _build_encoder(config: Config, source_size: int) -> keras.Model:
    source = keras.Input((None,), dtype="int32", name="source")
    mask = keras.ops.not_equal(source, PADDING)
    table = keras.initializers.RandomNormal(stddev=config.embedding_size**-0.5, seed=config.seed)
    embedding = keras.layers.Embedding(source_size, config.embedding_size, table, name="embedding")
    states = embedding(_drop_pieces(config, config.seed, "dropped_source")(source))
    states = keras.layers.SpatialDropout1D(config.embedding_dropout, seed=config.seed + 2, name="drop_channels")(states)
    for index in range(config.encoder_layers):
        # On the steps of a sentence TensorFlow's loop is faster than pieces compiled by XLA.
        layer = CELLS[config.cell](
            config.units // 2, return_sequences=True, jit_compile=False, name=f"recurrent_{index + 1}"
        )
        states = Bidirectional(layer, name=f"bidirectional_{index + 1}")(states, mask=mask)
        # Whole channels of a sentence at a time: what is dropped cannot be read off the word beside it.
        drop = keras.layers.SpatialDropout1D(config.dropout, seed=config.seed + 3 + index, name=f"drop_{index + 1}")
        states = drop(states)
    return keras.Model(source, states, name="encoder")


def _drop_pieces(config: Config, seed: int, name: str) -> WordDropout:
    # Inside a sentence the id of "unknown" is free: it is that of the start, which no vocabulary of bytes needs twice.
    return WordDropout(config.word_dropout, seed=seed, first=FIRST_BYTE, name=name)
