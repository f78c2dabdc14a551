"""A recurrent decoder with attention: token after token, looking at a memory of vectors."""

from typing import NamedTuple

import keras
import tensorflow as tf

from rnn_layers.cell import RecurrentCell

ATTENTIONS = ("scaled", "multiplicative", "additive", "none")


# Added to the energy of a place that does not count; of float16 it is the lowest number.
_NOT_COUNTED = -1e9


class Memory(NamedTuple):
    """What a decoder looks at.

    Args:
        values: m_1 .. m_S, (batch, places, size).
        keys: What the attention compares with, (batch, places, units).
        mask: Whether a place counts, bool (batch, places).
    """

    values: tf.Tensor
    keys: tf.Tensor
    mask: tf.Tensor


class StepMemory(NamedTuple):
    """What every step of a search needs, computed once before the first.

    Args:
        values: m_1 .. m_S, (batch, places, size).
        keys: What the attention compares with, (batch, places, units).
        energies: What is added to those of the places: 0, or a very low number where one does not count, (batch, 1,
            places).
        weights: Those that the equations name, in the precision of their layers: `table` E, `cells` a pair for each
            layer's input and state, `query` W_q, `scale` v, `output` W_o and b_o, `scores` W_y if not tied, `bias` b.
    """

    values: tf.Tensor
    keys: tf.Tensor
    energies: tf.Tensor
    weights: dict


@keras.saving.register_keras_serializable(package="rnn_templates")
class AttentionDecoder(keras.layers.Layer):
    """Scores the next token, given those before it and a memory (a sentence's states, a picture's grid).

        x_t = E y_{t-1}                                   the token before
        h_t = first recurrent layer's step of x_t
        a_tj = softmax_j(score(h_t W_q, m_j W_k))         how much of place j
        c_t = sum_j a_tj m_j                              the context
        g_t = the further layers' steps of [h_t; c_t]     g_t = h_t if there is one layer only
        o_t = tanh([g_t; c_t; x_t] W_o + b_o)
        scores of y_t = o_t E^T + b                       or o_t W_y + b, if not tied

    score is a product q.k (multiplicative; Luong et al. 2015, arXiv:1508.04025), q.k / sqrt(units) (scaled; Vaswani et
    al. 2017, arXiv:1706.03762) or v.tanh(q + k) (additive; Bahdanau et al. 2015, arXiv:1409.0473). A product over many
    channels can grow so fast that a softmax puts everything on one place before any is known to be the right one; it
    then learns little about the others. Every state starts at tanh(mean_j(m_j) W + b). The context does not enter the
    first layer, as in Wu et al. 2016 (arXiv:1609.08144): no product of the attention or of the output waits for the
    loop over time, and in training each is one product for all steps. With `memory_first` the states start at 0, and
    the layers read x_0 = mean_j(m_j) W + b before the tokens (Vinyals et al. 2015, arXiv:1411.4555).

    Args:
        recurrent_layers: `rnn_layers.layer.RecurrentLayer`s, all with `return_sequences` and `return_state`.
        vocabulary_size: The number of tokens; 0 is padding.
        embedding_size: The length of x_t and o_t.
        attention: "scaled", "multiplicative", "additive", or "none": then c_t is left out, and the memory is seen at
            the start alone.
        tied: Whether the table E also scores the outputs (Press and Wolf 2017, arXiv:1608.05859).
        embedding_dropout: The share of x_t's channels dropped in training, the same ones at every step.
        dropout: The share dropped of [h_t; c_t] where it enters the next layer, of what enters W_o, and of o_t.
        seed: From which the dropout masks follow.
        memory_first: Whether the memory is the first input instead of setting the first states; without attention only.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        tokens: y_0 .. y_{T-1}, int32 (batch, steps), the start token first.
        memory: (batch, places, size).
        mask: Whether a place counts, bool (batch, places).
        training: Whether dropout is active.
        return_attention: Whether a_tj is returned too, (batch, steps, places).

    Returns:
        Scores of y_1 .. y_T before the softmax, float32 (batch, steps, vocabulary_size).

    Raises:
        ValueError: There is no layer, one does not return sequences and states, or the attention is unknown or does not
            go with `memory_first`.

    Example:
        layer = GRU(8, return_sequences=True, return_state=True)
        decoder = AttentionDecoder([layer], vocabulary_size=20, embedding_size=6)
        decoder(tokens, memory, tf.ones([2, 7], bool))   # tokens (2, 5), memory (2, 7, 9) -> (2, 5, 20)
    """

    def __init__(
        self,
        recurrent_layers,
        vocabulary_size,
        embedding_size,
        attention="multiplicative",
        tied=True,
        embedding_dropout=0.0,
        dropout=0.0,
        seed=None,
        memory_first=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not recurrent_layers:
            raise ValueError("there must be one recurrent layer at least")
        if not all(layer.return_sequences and layer.return_state for layer in recurrent_layers):
            raise ValueError("every recurrent layer needs return_sequences=True and return_state=True")
        if attention not in ATTENTIONS:
            raise ValueError(f"attention must be one of {', '.join(ATTENTIONS)}, got {attention!r}")
        if memory_first and attention != "none":
            raise ValueError(f'memory_first needs attention="none", got {attention!r}')
        self.recurrent_layers = list(recurrent_layers)
        self.vocabulary_size, self.embedding_size = vocabulary_size, embedding_size
        self.attention, self.memory_first, self.tied, self.seed = attention, memory_first, tied, seed
        self.embedding_dropout, self.dropout = embedding_dropout, dropout
        self.supports_masking = True
        units = self.recurrent_layers[0].units
        # About unit length, so that a tied table gives scores of about 1 from the first step on.
        table = keras.initializers.RandomNormal(stddev=embedding_size**-0.5, seed=seed)
        own = {"dtype": self.dtype_policy}
        seeds = [None if seed is None else seed + place for place in range(4)]
        self.embedding = keras.layers.Embedding(vocabulary_size, embedding_size, table, name="embedding", **own)
        self.drop_channels = keras.layers.SpatialDropout1D(
            embedding_dropout, seed=seeds[0], name="drop_channels", **own
        )
        self.drop_states = keras.layers.SpatialDropout1D(dropout, seed=seeds[1], name="drop_states", **own)
        self.drop_inputs = keras.layers.SpatialDropout1D(dropout, seed=seeds[2], name="drop_inputs", **own)
        self.drop_output = keras.layers.SpatialDropout1D(dropout, seed=seeds[3], name="drop_output", **own)
        sizes = [size for layer in self.recurrent_layers for size in layer.state_size]
        self.first_input, self.first_states = None, []
        if memory_first:
            self.first_input = keras.layers.Dense(embedding_size, name="first_input", **own)
        else:
            self.first_states = [
                keras.layers.Dense(size, "tanh", name=f"first_state_{index}", **own) for index, size in enumerate(sizes)
            ]
        self.attend = None
        if attention != "none":
            self.query = keras.layers.Dense(units, use_bias=False, name="query", **own)
            self.key = keras.layers.Dense(units, use_bias=False, name="key", **own)
            kind = keras.layers.AdditiveAttention if attention == "additive" else keras.layers.Attention
            self.attend = kind(use_scale=attention == "additive", name="attention", **own)
        self.output_layer = keras.layers.Dense(embedding_size, "tanh", name="output_layer", **own)
        self.scores = None if tied else keras.layers.Dense(vocabulary_size, name="scores", dtype="float32")

    def build(self, tokens_shape, memory_shape, mask_shape=None):
        """Creates the weights for memories of shape (batch, places, size)."""
        size, units = memory_shape[-1], self.recurrent_layers[0].units
        context = size if self.attend else 0
        self.embedding.build((None, None))
        width = self.embedding_size
        for index, layer in enumerate(self.recurrent_layers):
            layer.build((None, None, width))
            width = layer.units + (context if index == 0 else 0)
        for first in [self.first_input] if self.first_input else self.first_states:
            first.build((None, size))
        if self.attend:
            self.query.build((None, None, units))
            self.key.build((None, None, size))
            self.attend.build([(None, None, units), (None, None, size), (None, None, units)])
        last = self.recurrent_layers[-1].units
        self.output_layer.build((None, None, last + context + self.embedding_size))
        if self.tied:
            self.bias = self.add_weight(shape=(self.vocabulary_size,), initializer="zeros", name="bias")
        else:
            self.scores.build((None, None, self.embedding_size))
        self.built = True

    def look_at(self, memory, mask):
        """Prepares what all steps of a search look at.

        Args:
            memory: (batch, places, size).
            mask: Whether a place counts, bool (batch, places).

        Returns:
            The `StepMemory`; the first states, a list of every layer's list of (batch, units).
        """
        (values, keys, mask), states = self._look_at(memory, mask)
        lowest = max(_NOT_COUNTED, values.dtype.min)
        energies = tf.where(mask, tf.zeros([], values.dtype), tf.cast(lowest, values.dtype))[:, tf.newaxis]
        return StepMemory(values, keys, energies, self._step_weights()), states

    def _look_at(self, memory, mask):
        memory = tf.cast(memory, self.compute_dtype)
        keys = self.key(memory) if self.attend else memory
        if self.attention == "scaled":
            # Here, where training and search share it.
            keys *= self.recurrent_layers[0].units ** -0.5
        counts = tf.cast(mask, memory.dtype)[:, :, tf.newaxis]
        mean = tf.reduce_sum(memory * counts, axis=1) / tf.maximum(tf.reduce_sum(counts, axis=1), 1)
        return Memory(memory, keys, mask), self._first_states(mean)

    def _step_weights(self):
        def read(variable, dtype=self.compute_dtype):
            return tf.cast(tf.convert_to_tensor(variable), dtype)

        weights = {
            "table": read(self.embedding.embeddings),
            "cells": [
                # Another's cell, such as Keras's, reads its own.
                (layer.cell.input_weights(), layer.cell.recurrent_weights())
                if isinstance(layer.cell, RecurrentCell)
                else ()
                for layer in self.recurrent_layers
            ],
            "output": [read(self.output_layer.kernel), read(self.output_layer.bias)],
            "bias": read(self.bias if self.tied else self.scores.bias, tf.float32),
        }
        if not self.tied:
            weights["scores"] = read(self.scores.kernel, tf.float32)
        if self.attend:
            weights["query"] = read(self.query.kernel)
        if self.attention == "additive":
            weights["scale"] = read(self.attend.scale)
        return weights

    def _first_states(self, mean):
        if not self.memory_first:
            states = iter([state(mean) for state in self.first_states])
            return [
                [tf.cast(next(states), layer.compute_dtype) for _ in layer.state_size]
                for layer in self.recurrent_layers
            ]
        outputs, new_states = self.first_input(mean), []
        for layer in self.recurrent_layers:
            zeros = [tf.zeros([tf.shape(mean)[0], size], layer.compute_dtype) for size in layer.state_size]
            outputs, states = layer.cell(tf.cast(outputs, layer.compute_dtype), zeros)
            outputs = tf.cast(outputs, self.compute_dtype)
            new_states.append(states)
        return new_states

    def call(self, tokens, memory, mask=None, training=False, return_attention=False):
        """Scores for every step of known tokens; see the class."""
        mask = tf.ones(tf.shape(memory)[:2], tf.bool) if mask is None else mask
        memory, states = self._look_at(memory, mask)
        inputs = self.drop_channels(self.embedding(tokens), training=training)
        outputs, attention, context = inputs, None, []
        for index, (layer, first) in enumerate(zip(self.recurrent_layers, states, strict=True)):
            if index:
                outputs = self.drop_states(outputs, training=training)
            outputs, *_ = layer(outputs, initial_state=first, training=training)
            # A recurrent layer may compute in another precision.
            outputs = tf.cast(outputs, self.compute_dtype)
            if index == 0 and self.attend:
                seen, attention = self.attend(
                    [self.query(outputs), memory.values, memory.keys],
                    mask=[None, memory.mask],
                    return_attention_scores=True,
                )
                context = [seen]
                if len(self.recurrent_layers) > 1:
                    outputs = tf.concat([outputs, seen], axis=-1)
        everything = self.drop_inputs(tf.concat([outputs, *context, inputs], axis=-1), training=training)
        scores = self._score(self.drop_output(self.output_layer(everything), training=training))
        return (scores, attention) if return_attention else scores

    def step(self, tokens, states, memory, live=None):
        """One step, as a search takes it: the equations once more, for a search is as fast as its operations are few.

        Args:
            tokens: y_{t-1}, int32 (rows,).
            states: The states after the step before, or the first ones.
            memory: The `StepMemory` of the examples.
            live: Whose rows they are: where it is true, in this order, bool (batch, hypotheses of an example). None: of
                each example one.

        Returns:
            Scores of y_t, float32 (rows, vocabulary_size); the new states.
        """
        weights = memory.weights
        inputs = tf.gather(weights["table"], tokens)
        outputs, context, new_states = inputs, [], []
        for index, (layer, before) in enumerate(zip(self.recurrent_layers, states, strict=True)):
            outputs = tf.cast(outputs, layer.compute_dtype)
            if weights["cells"][index]:
                input_weights, recurrent_weights = weights["cells"][index]
                projected = layer.cell.project_inputs(outputs, input_weights)
                new_states.append(layer.cell.step(projected, before, recurrent_weights))
            else:
                new_states.append(layer.cell(outputs, before)[1])
            outputs = tf.cast(new_states[-1][0], self.compute_dtype)
            if index == 0 and self.attend:
                context = [self._look(tf.matmul(outputs, weights["query"]), memory, live)]
                if len(self.recurrent_layers) > 1:
                    outputs = tf.concat([outputs, *context], axis=-1)
        kernel, bias = weights["output"]
        outputs = tf.matmul(tf.concat([outputs, *context, inputs], axis=-1), kernel)
        # With an axis more, as in `call`: else TensorFlow makes one operation of all three, which rounds otherwise.
        outputs = tf.tanh(outputs[:, tf.newaxis] + bias)[:, 0]
        if self.tied:
            # Not outputs E^T: of a few rows that is the form TensorFlow is slowest in, unless oneDNN computes it.
            scores = tf.cast(tf.transpose(tf.matmul(weights["table"], outputs, transpose_b=True)), tf.float32)
        else:
            scores = tf.matmul(tf.cast(outputs, tf.float32), weights["scores"])
        return tf.nn.bias_add(scores, weights["bias"]), new_states

    def _look(self, queries, memory, live):
        """c_t of some rows' queries, (rows, units). The hypotheses of an example share a product with its memory."""
        if live is None:
            queries = queries[:, tf.newaxis]
        else:
            places, size = tf.where(live), queries.shape[1]
            queries = tf.scatter_nd(places, queries, tf.concat([tf.shape(live, tf.int64), [size]], axis=0))
        if self.attention == "additive":
            seen = tf.tanh(queries[:, :, tf.newaxis] + memory.keys[:, tf.newaxis])
            energies = tf.reduce_sum(memory.weights["scale"] * seen, axis=-1)
        elif live is None:
            # A product of one row takes TensorFlow several times as long.
            energies = tf.reduce_sum(queries * memory.keys, axis=-1)[:, tf.newaxis]
        else:
            energies = tf.matmul(queries, memory.keys, transpose_b=True)
        # tf.nn.softmax takes 0.1 ms for a few short rows on a processor, these two a tenth of it.
        shares = tf.exp(tf.nn.log_softmax(tf.cast(energies + memory.energies, tf.float32)))
        shares = tf.cast(shares, self.compute_dtype)
        if live is None:
            return tf.reduce_sum(shares[:, 0, :, tf.newaxis] * memory.values, axis=1)
        return tf.gather_nd(tf.matmul(shares, memory.values), places)

    def _score(self, outputs):
        if not self.tied:
            return self.scores(outputs)
        table = tf.cast(tf.convert_to_tensor(self.embedding.embeddings), self.compute_dtype)
        # One product over (batch x steps) rows: a batched one, and its gradient, would be several times slower.
        flat = tf.matmul(tf.reshape(outputs, (-1, self.embedding_size)), table, transpose_b=True)
        scores = tf.cast(flat, tf.float32) + tf.cast(tf.convert_to_tensor(self.bias), tf.float32)
        scores = tf.reshape(scores, tf.concat([tf.shape(outputs)[:2], [self.vocabulary_size]], axis=0))
        scores.set_shape((*outputs.shape[:2], self.vocabulary_size))
        return scores

    def compute_mask(self, tokens, previous_mask=None):
        """None: the memory's mask is not that of the steps."""
        return

    def compute_output_spec(self, tokens, memory, mask=None, training=False, return_attention=False):
        """Shapes and types of what `call` returns."""
        scores = keras.KerasTensor((*tokens.shape, self.vocabulary_size), "float32")
        if not return_attention:
            return scores
        return scores, keras.KerasTensor((*tokens.shape, memory.shape[1]), self.compute_dtype)

    def get_config(self):
        """Every argument of the constructor."""
        return {
            **super().get_config(),
            "recurrent_layers": [keras.saving.serialize_keras_object(layer) for layer in self.recurrent_layers],
            "vocabulary_size": self.vocabulary_size,
            "embedding_size": self.embedding_size,
            "attention": self.attention,
            "tied": self.tied,
            "embedding_dropout": self.embedding_dropout,
            "dropout": self.dropout,
            "seed": self.seed,
            "memory_first": self.memory_first,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The layer that `get_config` described."""
        layers = [keras.saving.deserialize_keras_object(layer, custom_objects) for layer in config["recurrent_layers"]]
        return cls(**{**config, "recurrent_layers": layers})
