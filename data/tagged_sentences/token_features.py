"""What a tagger sees of a token, inside the graph: its word, its characters, its casing, its beginnings and endings."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from data.vocabulary import FIRST_WORD, PADDING, UNKNOWN

# Distinct tokens per step outside a model: bounds the memory of the intermediate strings.
CHUNK = 8192

AFFIX_LENGTHS = (2, 3, 4)
# Before an affix in its vocabulary: the beginning "ing" and the ending "ing" are two affixes.
PREFIX, SUFFIX = "<", ">"

# Casing i + 1 is the first pattern that a token matches as a whole; the last casing is that of all the others.
_CASINGS = {
    "lower": r"[^\p{Lu}\p{Lt}\p{Nd}]*\p{Ll}[^\p{Lu}\p{Lt}\p{Nd}]*",
    "upper": r"[^\p{Ll}\p{Lt}\p{Nd}]*\p{Lu}[^\p{Ll}\p{Lt}\p{Nd}]*",
    "title": r"[^\pL\p{Nd}]*[\p{Lu}\p{Lt}][^\p{Lu}\p{Lt}\p{Nd}]*",
    "mixed": r"[^\p{Nd}]*[\p{Lu}\p{Lt}][^\p{Nd}]*",
    "digits": r"\p{Nd}+",
    "has_digit": r"(?s).*\p{Nd}.*",
    "punctuation": r"[\pP\pS]+",
}
CASINGS = (*_CASINGS, "other")


class TokenCounts(NamedTuple):
    """How often normalised words, characters and affixes occur."""

    words: Counter
    characters: Counter
    affixes: Counter


def normalise(tokens: tf.Tensor) -> tf.Tensor:
    """Tokens in lower case with every digit as 0: "Boeing747" -> "boeing000"; any shape, in UTF-8."""
    # Lower-casing stops at a character 0, which no token of a text has.
    tokens = tf.strings.regex_replace(tokens, r"\x00", "\ufffd")
    return tf.strings.regex_replace(tf.strings.lower(tokens, encoding="utf-8"), r"\p{Nd}", "0")


def count_tokens(tokens: Mapping[str, int], affix_lengths: Sequence[int] = AFFIX_LENGTHS) -> TokenCounts:
    """Counts what the vocabularies of `TokenFeatures` are chosen from.

    Args:
        tokens: How often each token, as it is written, occurs in the training split.
        affix_lengths: The lengths of the affixes, in characters.

    Returns:
        The counts of words, characters and affixes.

    Example:
        counts = count_tokens(Counter(token for sentence in train for token in sentence))
        words = build_vocabulary(counts.words, largest=20_000)
    """
    counts = TokenCounts(Counter(), Counter(), Counter())
    written = [token for token in tokens if token]
    for start in range(0, len(written), CHUNK):
        chunk = written[start : start + CHUNK]
        normalised = [word.decode("utf-8") for word in normalise(tf.constant(chunk, tf.string)).numpy()]
        for token, word in zip(chunk, normalised):
            occurrences = tokens[token]
            counts.words[word] += occurrences
            for character in token:
                counts.characters[character] += occurrences
            for length in affix_lengths:
                if len(word) >= length:
                    counts.affixes[PREFIX + word[:length]] += occurrences
                    counts.affixes[SUFFIX + word[-length:]] += occurrences
    return counts


@keras.saving.register_keras_serializable(package="rnn_templates")
class TokenFeatures(keras.layers.Layer):
    """Turns tokens into ids: of the word, of its characters, of its casing, of its affixes.

    The token "" is padding, and 0 in every feature. Element i of a vocabulary has the id i + 2, anything else 1. Text
    that is not valid UTF-8 is read as U+FFFD.

    Args:
        words: The normalised words (lower case, every digit as 0).
        characters: The characters, case kept.
        affixes: The beginnings and endings of normalised words, "<" before a beginning and ">" before an ending.
        maximum_characters: Characters kept of a token; of a longer one half from each end.
        affix_lengths: The lengths of the affixes, in characters.

    Call arguments:
        tokens: Strings, (batch, time) or any other shape, with 0 for sizes too: no step is added.

    Returns:
        A dictionary of int32 tensors:
        - `words`, (batch, time): the word.
        - `characters`, (batch, time, maximum_characters): padded with 0 on the right.
        - `casing`, (batch, time): 1 lower, 2 UPPER, 3 Title, 4 miXed, 5 digits alone, 6 with a digit, 7 punctuation
          marks and symbols alone, 8 other (letters without case).
        - `affixes`, (batch, time, 2 * number of lengths): the beginnings from the shortest length given to the last,
          then the endings; 0 where the word is shorter than the affix.

    Example:
        counts = count_tokens(Counter(["Paris", "said"]))
        layer = TokenFeatures(*(build_vocabulary(count, 1000) for count in counts))
        layer(tf.constant([["Paris", "said"], ["Rome", ""]]))["words"]   # [[2, 3], [1, 0]]
    """

    def __init__(
        self,
        words: Sequence[str],
        characters: Sequence[str],
        affixes: Sequence[str],
        maximum_characters: int = 20,
        affix_lengths: Sequence[int] = AFFIX_LENGTHS,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.words, self.characters, self.affixes = list(words), list(characters), list(affixes)
        self.maximum_characters = maximum_characters
        self.affix_lengths = tuple(affix_lengths)
        with tf.init_scope():
            self.word_table = _table(self.words)
            self.character_table = _table(self.characters)
            self.affix_table = _table(self.affixes)

    def call(self, tokens):
        shape = tf.shape(tokens)
        columns = self._columns(tf.reshape(tokens, [-1]))
        return {
            name: tf.ensure_shape(
                tf.reshape(ids, tf.concat([shape, tf.shape(ids)[1:]], axis=0)), tokens.shape + ids.shape[1:]
            )
            for name, ids in columns.items()
        }

    def rows(self, tokens: Sequence[str]) -> dict[str, np.ndarray]:
        """The features of many tokens, as `call` gives them: int32, (tokens,) or (tokens, size).

        Computed once for the distinct tokens of a data set and gathered batch by batch:

            rows = layer.rows(["", *distinct])
            words, characters = rows["words"][indices], rows["characters"][indices]
        """
        chunks = [
            self._columns(tf.constant(list(tokens[start : start + CHUNK]), tf.string))
            for start in range(0, max(len(tokens), 1), CHUNK)
        ]
        return {name: np.concatenate([chunk[name].numpy() for chunk in chunks]) for name in chunks[0]}

    def _columns(self, tokens: tf.Tensor) -> dict[str, tf.Tensor]:
        """The features of tokens, (tokens,)."""
        tokens = tf.strings.unicode_transcode(tokens, "UTF-8", "UTF-8", errors="replace")
        normalised = normalise(tokens)
        shown = tf.cast(tokens != "", tf.int32)
        return {
            "words": _ids(self.word_table, normalised) * shown,
            "characters": self._character_ids(tokens),
            "casing": _casing(tokens) * shown,
            "affixes": self._affix_ids(normalised),
        }

    def _character_ids(self, tokens: tf.Tensor) -> tf.Tensor:
        characters = tf.strings.unicode_split(tokens, "UTF-8")
        most, lengths = self.maximum_characters, characters.row_lengths()
        head = most // 2
        positions = tf.ragged.range(lengths)
        ends = tf.gather(lengths, positions.value_rowids())
        inside = (positions.flat_values >= head) & (positions.flat_values < ends - (most - head))
        kept = tf.ragged.boolean_mask(characters, characters.with_values(~inside))
        ids = kept.with_values(_ids(self.character_table, kept.values))
        return ids.to_tensor(PADDING, shape=[None, most])

    def _affix_ids(self, words: tf.Tensor) -> tf.Tensor:
        lengths = tf.strings.length(words, unit="UTF8_CHAR")
        beginnings, endings = [], []
        none = tf.zeros(tf.stack([tf.size(words), 0]), tf.int32)
        for size in self.affix_lengths:
            kept = tf.minimum(lengths, size)
            long_enough = tf.cast(lengths >= size, tf.int32)
            beginning = tf.strings.substr(words, tf.zeros_like(kept), kept, unit="UTF8_CHAR")
            ending = tf.strings.substr(words, lengths - kept, kept, unit="UTF8_CHAR")
            beginnings.append((_ids(self.affix_table, PREFIX + beginning) * long_enough)[:, None])
            endings.append((_ids(self.affix_table, SUFFIX + ending) * long_enough)[:, None])
        return tf.concat([none, *beginnings, *endings], axis=1)

    def _shapes(self, shape: tuple) -> dict[str, tuple]:
        sizes = {"words": (), "characters": (self.maximum_characters,), "casing": ()}
        sizes["affixes"] = (2 * len(self.affix_lengths),)
        return {name: (*shape, *size) for name, size in sizes.items()}

    def compute_output_shape(self, input_shape):
        return self._shapes(tuple(input_shape))

    def compute_output_spec(self, tokens):
        return {name: keras.KerasTensor(shape, dtype="int32") for name, shape in self._shapes(tokens.shape).items()}

    def get_config(self):
        config = {
            "words": self.words,
            "characters": self.characters,
            "affixes": self.affixes,
            "maximum_characters": self.maximum_characters,
            "affix_lengths": list(self.affix_lengths),
        }
        return {**super().get_config(), **config}


def _table(vocabulary: list[str]) -> tf.lookup.StaticHashTable:
    # The entries live in a tensor, not in a line-separated file: any string may be one. One at least is required.
    keys = tf.constant(vocabulary or [""], tf.string)
    values = tf.range(FIRST_WORD, FIRST_WORD + tf.size(keys, tf.int64), dtype=tf.int64)
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), default_value=UNKNOWN)


def _ids(table: tf.lookup.StaticHashTable, strings: tf.Tensor) -> tf.Tensor:
    return tf.cast(table.lookup(strings), tf.int32)


def _casing(tokens: tf.Tensor) -> tf.Tensor:
    casing = tf.fill(tf.shape(tokens), len(CASINGS))
    for number, pattern in reversed(list(enumerate(_CASINGS.values(), start=1))):
        casing = tf.where(tf.strings.regex_full_match(tokens, pattern), number, casing)
    return casing
