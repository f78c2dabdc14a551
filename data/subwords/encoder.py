"""Strings to the ids of subwords in the graph, with core TensorFlow ops only."""

import string
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from data.neighbours import following, previous
from data.subwords.ids import END, FIRST_BYTE, FIRST_PIECE
from data.vocabulary import PADDING

# What a byte is; those of characters beyond ASCII are letters until their neighbours tell otherwise.
_LETTER, _SPACE, _DIGIT, _CONTROL, _MARK, _END_OF_TEXT = range(6)
_BYTE_KINDS = np.full(256, _LETTER, np.int32)
for _kind, _bytes in (
    (_CONTROL, [*range(0x20), 0x7F]),
    (_SPACE, b" "),
    (_DIGIT, string.digits.encode()),
    (_MARK, string.punctuation.encode()),
):
    _BYTE_KINDS[list(_bytes)] = _kind
# After a byte of a text stands another one, or the end of the word.
_SYMBOLS, _END_OF_WORD = 257, 256


@keras.saving.register_keras_serializable(package="rnn_templates")
class SubwordEncoder(keras.layers.Layer):
    """Cuts texts into subwords, as `data.subwords.pieces.Subwords.encode` does.

    Args:
        pieces: The learned pieces, each of two bytes or more.
        append_end: Whether the id `END` follows every text.

    Call arguments:
        texts: Strings in UTF-8, (batch,). What is not valid is read as U+FFFD.

    Returns:
        int32 (batch, time), padded with 0. There is one step at least.

    Example:
        SubwordEncoder(["ca", " cat"])(tf.constant(["A cat", ""]))   # [[68, 260], [0, 0]]

    Source: The step from every place to the end of its longest match is found for all places at once, and the places
    on the way from the start of a word by doubling the step: Hillis and Steele, "Data Parallel Algorithms", 1986.
    """

    def __init__(self, pieces: Sequence[str], append_end: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.pieces, self.append_end = list(pieces), append_end
        keys, nodes, self._node_ids = _tree(self.pieces)
        with tf.init_scope():
            initializer = tf.lookup.KeyValueTensorInitializer(keys, nodes, tf.int64, tf.int64)
            self.children = tf.lookup.StaticHashTable(initializer, default_value=-1)

    def call(self, texts):
        # The loops are of many small integer ops, which are slower anywhere else.
        with tf.device("CPU:0"):
            texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
            # All texts in one row, a byte after each of them.
            row = tf.io.decode_raw(tf.strings.reduce_join(tf.strings.join([texts, "\n"])), tf.uint8)
            row = tf.cast(row, tf.int32)
            ends = tf.cumsum(tf.strings.length(texts) + 1) - 1
            is_end = tf.scatter_nd(ends[:, None], tf.ones_like(ends), tf.shape(row)) > 0
            starts = _word_starts(row, is_end)
            ids, lengths = self._longest_matches(row, starts)
            kept = _on_the_way(starts, lengths)
            if not self.append_end:
                kept &= ~is_end
            ids = tf.boolean_mask(tf.where(is_end, END, ids), kept)
            splits = tf.concat([[0], tf.gather(tf.cumsum(tf.cast(kept, tf.int32)), ends)], axis=0)
            ragged = tf.RaggedTensor.from_row_splits(ids, splits, validate=False)
            longest = tf.reduce_max(tf.concat([ragged.row_lengths(), [1]], axis=0))
            return ragged.to_tensor(PADDING, shape=tf.stack([-1, longest]))

    def _longest_matches(self, row: tf.Tensor, starts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The id and the length of the longest piece from every place on that ends within its word."""
        after = tf.concat([tf.where(starts, _END_OF_WORD, row), [_END_OF_WORD]], axis=0)
        node_ids = tf.constant(self._node_ids, tf.int32)

        def go_on(length, places, nodes, ids, lengths):
            return tf.size(places) > 0

        def step(length, places, nodes, ids, lengths):
            keys = nodes * _SYMBOLS + tf.cast(tf.gather(after, places + length), tf.int64)
            nodes = self.children.lookup(keys)
            found = nodes >= 0
            places, nodes, length = tf.boolean_mask(places, found), tf.boolean_mask(nodes, found), length + 1
            found_ids = tf.gather(node_ids, nodes)
            is_piece = found_ids > 0
            ending = tf.boolean_mask(places, is_piece)[:, None]
            ids = tf.tensor_scatter_nd_update(ids, ending, tf.boolean_mask(found_ids, is_piece))
            lengths = tf.tensor_scatter_nd_update(lengths, ending, tf.fill(tf.shape(ending)[:1], length))
            return length, places, nodes, ids, lengths

        # A byte is its own node, and a match that is always there.
        begin = (1, tf.range(tf.size(row)), tf.cast(row, tf.int64), row + FIRST_BYTE, tf.ones_like(row))
        shapes = (tf.TensorShape([]), *(tf.TensorShape([None]) for _ in range(4)))
        _, _, _, ids, lengths = tf.while_loop(go_on, step, begin, shapes)
        return ids, lengths

    def compute_output_shape(self, texts_shape):
        return (*texts_shape, None)

    def compute_output_spec(self, texts):
        return keras.KerasTensor((*texts.shape, None), "int32")

    def get_config(self):
        return {**super().get_config(), "pieces": self.pieces, "append_end": self.append_end}


def _tree(pieces: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pieces as a tree of their beginnings.

    Returns:
        For every node but the first 256, which are the bytes: its parent's number * 257 + its last byte, int64, and its
        number; and the id of every node, int32, 0 where it is only the beginning of a piece.
    """
    nodes: dict[int, int] = {}
    ids = list(range(FIRST_BYTE, FIRST_PIECE))
    for number, piece in enumerate(pieces, start=FIRST_PIECE):
        node, *rest = piece.encode()
        for byte in rest:
            node = nodes.setdefault(node * _SYMBOLS + byte, len(ids))
            if node == len(ids):
                ids.append(0)
        ids[node] = number
    # A table has one entry at least; no text leads to this one.
    nodes = nodes or {-1: 0}
    return np.array(list(nodes), np.int64), np.array(list(nodes.values()), np.int64), np.array(ids, np.int32)


def _word_starts(row: tf.Tensor, is_end: tf.Tensor) -> tf.Tensor:
    """Where a word starts; the rule is `data.subwords.pieces.split_words`'. The byte after a text is a word, too."""
    # The row may wrap around: it ends with the end of a text.
    after = following(row)
    two = row == 0xC2  # U+0080 to U+00BF
    three = ((row == 0xE2) & ((after == 0x80) | (after == 0x81))) | ((row == 0xE3) & (after == 0x80))
    mark = two | previous(two) | three | previous(three) | previous(three, 2)
    kinds = tf.where(mark, _MARK, tf.gather(tf.constant(_BYTE_KINDS), row))
    kinds = tf.where(is_end, _END_OF_TEXT, kinds)
    before, after = previous(kinds), following(kinds)
    follows_space = before == _SPACE
    # The last of several spaces belongs to what follows.
    space_starts = ~follows_space | ((after != _SPACE) & (after != _END_OF_TEXT))
    return is_end | tf.where(kinds == _SPACE, space_starts, ~follows_space & (kinds != before))


def _on_the_way(starts: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    """Which places are reached from the start of a word, match after match."""
    size = tf.size(starts)
    # One place more, where every word ends.
    targets = tf.range(size) + lengths
    reached = tf.concat([starts, [True]], axis=0)
    targets = tf.concat([tf.where(tf.gather(reached, targets), size, targets), [size]], axis=0)

    def go_on(reached, targets):
        return tf.reduce_min(targets) < size

    def double(reached, targets):
        found = tf.boolean_mask(targets, reached)[:, None]
        reached = tf.tensor_scatter_nd_update(reached, found, tf.ones_like(found[:, 0], tf.bool))
        return reached, tf.gather(targets, targets)

    reached, _ = tf.while_loop(go_on, double, (reached, targets))
    return reached[:-1]
