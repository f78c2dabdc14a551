"""Raw text to word ids inside the graph, with core TensorFlow ops only, so that an exported model takes strings."""

from collections import Counter
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from data.character_sets import BLANK, WITHOUT_BLANKS
from data.vocabulary import FIRST_WORD, PADDING, UNKNOWN

# Texts per call of the tokenizer: bounds the memory of its intermediate strings.
CHUNK = 512
# Of a longer text its beginning and its end are read, half of this each: its words alone would take gigabytes.
LONGEST_TEXT = 2**20  # bytes


def split_words(texts: tf.Tensor) -> tf.RaggedTensor:
    """Splits texts into lower-case words, punctuation and symbols apart.

    "It's <br />NOT bad :)" -> it's, not, bad, :, ). Scripts without blanks between words (Han, Kana, Thai ...) are
    split into characters. Invalid UTF-8 becomes U+FFFD, which is a symbol like any other. Of a text of more than
    `LONGEST_TEXT` bytes the middle is left out.

    Args:
        texts: Strings, (batch,).

    Returns:
        Words, ragged (batch, words).
    """
    lengths, half = tf.strings.length(texts), LONGEST_TEXT // 2
    ends = tf.strings.substr(texts, tf.maximum(lengths - half, 0), tf.fill(tf.shape(lengths), half))
    shortened = tf.strings.join([tf.strings.substr(texts, 0, half), ends], " ")
    texts = tf.where(lengths > LONGEST_TEXT, shortened, texts)
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    texts = tf.strings.regex_replace(texts, rf"<[bB][rR]\s*/?>|{BLANK}+", " ")
    texts = tf.strings.lower(texts, encoding="utf-8")
    texts = tf.strings.regex_replace(texts, "[\u2018\u2019]", "'")
    alone = rf"[^\pL\pN\pM\s']|[{WITHOUT_BLANKS}]"
    texts = tf.strings.regex_replace(texts, f"({alone})", r" \1 ")
    # An apostrophe inside a word belongs to it (don't); at its edge it is a quotation mark.
    texts = tf.strings.regex_replace(texts, r"\B'|'\B", " ' ")
    return tf.strings.split(texts)


def count_words(texts: Sequence[str]) -> Counter:
    """Counts the words of many texts.

    Args:
        texts: The training split's texts.

    Returns:
        Word -> occurrences.
    """
    counts: Counter = Counter()
    for start in range(0, len(texts), CHUNK):
        counts.update(split_words(tf.constant(texts[start : start + CHUNK])).flat_values.numpy().tolist())
    return Counter({word.decode("utf-8"): count for word, count in counts.items()})


@keras.saving.register_keras_serializable(package="rnn_templates")
class WordIds(keras.layers.Layer):
    """Turns texts into padded rows of word ids.

    Args:
        vocabulary: The words; word i has the id i + 2, any other word 1, padding 0.
        maximum_length: Words kept per text.
        keep: Which words of a longer text are kept: "end", "start", or "both" (half from each end).

    Call arguments:
        texts: Strings, (batch,).

    Returns:
        int32 ids, (batch, time), padded with 0 on the right to the longest row, and to one step at least.

    Example:
        layer = WordIds(["a", "good", "film"], maximum_length=400)
        layer(tf.constant(["A good one", ""]))   # [[2, 3, 1], [0, 0, 0]]
    """

    def __init__(self, vocabulary: Sequence[str], maximum_length: int, keep: str = "end", **kwargs):
        super().__init__(**kwargs)
        self.vocabulary = list(vocabulary)
        self.maximum_length = maximum_length
        self.keep = keep
        # Words live in a tensor, not in a line-separated file: any string may be a word. One entry is required.
        words = self.vocabulary or [""]
        keys = tf.constant(words, tf.string)
        values = tf.range(FIRST_WORD, FIRST_WORD + len(words), dtype=tf.int64)
        with tf.init_scope():
            initializer = tf.lookup.KeyValueTensorInitializer(keys, values)
            self.table = tf.lookup.StaticHashTable(initializer, default_value=UNKNOWN)

    def words(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """The words that are read: ragged strings, (batch, words)."""
        return self._shorten(split_words(texts))

    def ragged(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """The ids without padding: ragged int32, (batch, words)."""
        words = self.words(texts)
        return words.with_flat_values(tf.cast(self.table.lookup(words.flat_values), tf.int32))

    def call(self, texts):
        ids = self.ragged(texts)
        # A batch of empty texts must still have one step, or the loop over time has nothing to run on.
        length = tf.maximum(tf.cast(ids.bounding_shape(axis=1), tf.int32), 1)
        return ids.to_tensor(PADDING, shape=tf.stack([-1, length]))

    def rows(self, texts: Sequence[str]) -> list[np.ndarray]:
        """The ids of many texts, an int32 array each."""
        rows = []
        for start in range(0, len(texts), CHUNK):
            ids = self.ragged(tf.constant(list(texts[start : start + CHUNK]), tf.string))
            rows.extend(np.split(ids.flat_values.numpy(), ids.row_splits.numpy()[1:-1]))
        return rows

    def compute_output_shape(self, input_shape):
        return (*input_shape, None)

    def compute_output_spec(self, texts):
        return keras.KerasTensor((*texts.shape, None), dtype="int32")

    def _shorten(self, words: tf.RaggedTensor) -> tf.RaggedTensor:
        most = self.maximum_length
        if self.keep == "start":
            return words[:, :most]
        if self.keep == "end":
            return words[:, -most:]
        head = most // 2
        lengths = words.row_lengths()
        positions = tf.ragged.range(lengths)
        ends = tf.gather(lengths, positions.value_rowids())
        inside = (positions.flat_values >= head) & (positions.flat_values < ends - (most - head))
        return tf.ragged.boolean_mask(words, words.with_flat_values(~inside))

    def get_config(self):
        config = {"vocabulary": self.vocabulary, "maximum_length": self.maximum_length, "keep": self.keep}
        return {**super().get_config(), **config}
