"""data.subwords.pieces, data.subwords.learning, encoder and decoder: every text comes back, in Python and in the graph."""

import json
import os
import subprocess
import sys
import time
from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data.subwords.decoder import SubwordDecoder
from data.subwords.encoder import SubwordEncoder
from data.subwords.ids import END, FIRST_BYTE, FIRST_PIECE, START
from data.subwords.learning import byte_pair_pieces, learn_pieces
from data.subwords.pieces import Subwords, count_words, split_words

TEXTS = [
    "Zwei Männer sitzen auf einer Bank, und ein Mann läuft über die Straße.",
    "Ein Mann mit einem orangefarbenen Hut starrt etwas an …",
    "Der Mann sagt: „Die Männer laufen schnell“, und läuft.",
    "Two men are sitting on a bench; a man in an orange hat is staring at 12 men.",
    "The man isn't running, he's walking.  Two men run.",
    "两个男人坐在长椅上。一个男人戴着帽子。两个男人",
]
PIECES = learn_pieces(count_words(TEXTS * 3), 480)
SUBWORDS = Subwords(PIECES)
ENCODER, DECODER = SubwordEncoder(PIECES), SubwordDecoder(PIECES)
BYTES_ALONE = Subwords([]), SubwordEncoder([]), SubwordDecoder([])

encode_in_graph = tf.function(ENCODER.call, input_signature=[tf.TensorSpec([None], tf.string)])
decode_in_graph = tf.function(DECODER.call, input_signature=[tf.TensorSpec([None, None], tf.int32)])
encode_bytes_in_graph = tf.function(BYTES_ALONE[1].call, input_signature=[tf.TensorSpec([None], tf.string)])

# The kinds of characters, their borders in Unicode and in bytes, what text files begin with, and U+FFFD itself.
ODD = "  \n\r\t\0\x7f09aZ.'-/:@[`{~\x80\xa0\xbf\xc0ß\u1fff\u2000\u203f\u2040\u207f\u2080\u3000\u303f\u3040\ufeff\ufffd"
ODD += "\uffff𝄞👨\u200d👩\u0301„“»…"
words = st.sampled_from([*split_words(" ".join(TEXTS)), "", " ", "  ", "\n"])
texts = st.one_of(st.text(max_size=30), st.text(st.sampled_from(ODD), max_size=30), st.lists(words).map("".join))


def unpadded(rows: tf.Tensor) -> list[list[int]]:
    return [[number for number in row if number] for row in rows.numpy().tolist()]


def test_words_are_runs_of_one_kind_with_the_space_before_them():
    for text, cut in [
        ("The cat's 3 mats.", ["The", " cat", "'", "s", " 3", " mats", "."]),
        ("a   b  ", ["a", "  ", " b", "  "]),
        ("sagt: „Nein“ …", ["sagt", ":", " „", "Nein", "“", " …"]),
        ("a \n\nb\t c1", ["a", " \n\n", "b", "\t", " c", "1"]),
        ("", []),
    ]:
        assert split_words(text) == cut


@given(texts)
def test_words_joined_are_the_text(text):
    assert "".join(split_words(text)) == text


@given(texts)
@example("".join(TEXTS))
def test_a_text_comes_back_from_its_ids(text):
    for subwords in (SUBWORDS, BYTES_ALONE[0]):
        ids = subwords.encode(text)
        assert subwords.decode([START, *ids, END, 0]) == text
        assert all(FIRST_BYTE <= number < subwords.size for number in ids)


@settings(deadline=None)
@given(st.lists(texts, max_size=4))
@example([])
@example([""])
@example(["", "a ", "b", "", " ", " c"])
@example(["\ufeffa", "a\0b", "\ufffe\uffff"])
def test_the_graph_gives_the_ids_that_python_gives_and_the_text_back(batch):
    ids = encode_in_graph(tf.constant(batch, tf.string))
    assert ids.dtype == tf.int32 and ids.shape[0] == len(batch)
    assert unpadded(ids) == [SUBWORDS.encode(text) for text in batch]
    assert [text.decode() for text in decode_in_graph(ids).numpy()] == batch
    alone = encode_bytes_in_graph(tf.constant(batch, tf.string))
    assert unpadded(alone) == [[FIRST_BYTE + byte for byte in text.encode()] for text in batch]


@settings(deadline=None)
@given(st.binary(max_size=20))
@example(b"caf\xe9 \xf0\x9f\x98")
@example(b"\xe2\x80")
@example(b"a\xed\xa0\x80\xc2")
def test_invalid_utf_8_is_read_as_the_replacement_character(raw):
    text = raw.decode("utf-8", "replace")
    ids = encode_in_graph(tf.constant([raw]))
    assert unpadded(ids) == [SUBWORDS.encode(text)]
    assert decode_in_graph(ids)[0].numpy().decode() == text


@settings(deadline=None)
@given(st.lists(st.integers(0, SUBWORDS.size - 1), max_size=20))
@example([])
def test_any_ids_give_a_text_and_bytes_that_are_not_utf_8_the_replacement_character(ids):
    text = decode_in_graph(tf.constant([ids], tf.int32, shape=[1, len(ids)]))[0].numpy().decode()
    assert text == SUBWORDS.decode(ids)


def test_bytes_that_make_a_character_do_so_whatever_stands_between_that_is_no_text():
    ids = [START, FIRST_BYTE + 0xC3, END, FIRST_BYTE + 0xA4, 0, FIRST_BYTE + 0xA4, FIRST_BYTE + ord("b")]
    assert SUBWORDS.decode(ids) == "ä\ufffdb"


def test_lone_surrogates_become_the_replacement_character():
    assert SUBWORDS.decode(SUBWORDS.encode("a\ud800b")) == "a\ufffdb"
    assert count_words(["\udfff"]) == {"\ufffd": 1}


def test_the_longest_piece_that_fits_is_taken_but_never_across_words():
    subwords = Subwords(["ca", "cat", " cat", "ts", "s!"])
    cat, ca_t, space_cat, ts = FIRST_PIECE + 1, FIRST_PIECE, FIRST_PIECE + 2, FIRST_PIECE + 3
    assert subwords.encode("cats cat cab!") == [
        cat, FIRST_BYTE + ord("s"), space_cat, FIRST_BYTE + ord(" "), ca_t, FIRST_BYTE + ord("b"), FIRST_BYTE + ord("!")
    ]  # fmt: skip
    assert subwords.encode("ts!") == [ts, FIRST_BYTE + ord("!")]


def test_ids_are_padded_with_at_least_one_step_and_ended_where_that_is_asked_for():
    layer = SubwordEncoder(["ca", " cat"], append_end=True)
    assert layer(tf.constant(["A cat", ""])).numpy().tolist() == [[68, 260, 2], [2, 0, 0]]
    assert layer(tf.constant(["", ""])).numpy().tolist() == [[2], [2]]
    for batch, shape in (([], (0, 1)), ([""], (1, 1)), (["", "ab"], (2, 2))):
        assert encode_in_graph(tf.constant(batch, tf.string)).shape == shape
        assert ENCODER(tf.constant(batch, tf.string)).shape == shape
    assert decode_in_graph(tf.zeros([0, 1], tf.int32)).shape == (0,)
    assert decode_in_graph(tf.zeros([2, 0], tf.int32)).numpy().tolist() == [b"", b""]


def test_a_decoder_takes_the_hypotheses_of_a_beam_too():
    ids = tf.constant([[SUBWORDS.encode("a"), SUBWORDS.encode("b")]])
    assert DECODER(ids).numpy().tolist() == [[b"a", b"b"]]


# Learning.


def naive_byte_pair_pieces(counts: dict[str, int], least_count: int) -> list[str]:
    """The same, counting everything anew for every piece."""
    cut = {word: list(word) for word in counts}
    pieces, characters = [], set()
    while True:
        savings = Counter()
        for word, symbols in cut.items():
            for pair in zip(symbols, symbols[1:]):
                savings[pair] += counts[word]
            for one in word:
                if not one.isascii() and one not in characters:
                    savings[one,] += counts[word]
        frequent = {symbols: count for symbols, count in savings.items() if count >= least_count}
        if not frequent:
            return pieces
        for symbols in frequent:
            if len(symbols) == 1:
                frequent[symbols] *= len(symbols[0].encode()) - 1
        chosen = min(frequent, key=lambda symbols: (-frequent[symbols], symbols))
        if len(chosen) == 1:
            characters.add(chosen[0])
        else:
            for symbols in cut.values():
                for index in range(len(symbols)):
                    if tuple(symbols[index : index + 2]) == chosen:
                        symbols[index : index + 2] = ["".join(chosen)]
        if "".join(chosen) not in pieces:
            pieces.append("".join(chosen))


@settings(deadline=None)
@given(
    st.dictionaries(st.text(st.sampled_from("abcäñ我"), min_size=1, max_size=7), st.integers(1, 5), max_size=12),
    st.integers(1, 4),
)
@example({"aaaa": 2, "aaa": 3, "aba": 1, "abab": 2}, 2)
def test_the_pieces_are_those_of_naive_byte_pair_encoding(counts, least_count):
    assert list(byte_pair_pieces(counts, least_count)) == naive_byte_pair_pieces(counts, least_count)


def test_learning_gives_the_size_asked_for_and_no_piece_in_vain():
    counts = count_words(TEXTS * 3)
    for size in (FIRST_PIECE, 262, 280, 310):
        pieces = learn_pieces(counts, size)
        subwords = Subwords(pieces)
        assert subwords.size == size and len(set(pieces)) == len(pieces)
        used = {number for text in TEXTS for number in subwords.encode(text)}
        assert used >= set(range(FIRST_PIECE, size))
        assert all(len(piece.encode()) > 1 and len(split_words(piece)) == 1 for piece in pieces)


def test_leaving_out_what_longest_match_does_not_use_makes_the_texts_shorter():
    counts = count_words(TEXTS * 3)

    def length(pieces):
        subwords = Subwords(pieces)
        return sum(len(subwords.encode(text)) for text in TEXTS)

    for size in (320, 360, 400):
        plain = list(byte_pair_pieces(counts))[: size - FIRST_PIECE]
        assert length(learn_pieces(counts, size)) < length(plain)


def test_learning_does_not_depend_on_the_order_of_the_texts():
    assert learn_pieces(count_words(TEXTS[::-1]), 380) == learn_pieces(count_words(TEXTS), 380)
    command = "from data.subwords.pieces import count_words; from data.subwords.learning import learn_pieces; import json, sys\n"
    command += "print(json.dumps(learn_pieces(count_words(json.loads(sys.argv[1])), 380)))"
    for seed in ("1", "2"):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        arguments = [sys.executable, "-c", command, json.dumps(TEXTS)]
        done = subprocess.run(arguments, capture_output=True, text=True, check=True, env=environment)
        assert json.loads(done.stdout) == learn_pieces(count_words(TEXTS), 380)


def test_rare_pairs_and_characters_do_not_become_pieces():
    assert learn_pieces({"ab": 4, "cd": 5, "ä": 4, "我": 5}, 1000, least_count=5) == ["我", "cd"]


def test_long_words_are_learned_from_and_no_piece_is_longer_than_24_bytes():
    pieces = learn_pieces({"ab" * 50_000: 1, "é" * 1000: 2, "": 3}, 1000)
    assert pieces and max(len(piece.encode()) for piece in pieces) <= 24
    assert learn_pieces({}, 1000) == learn_pieces({"ab": 9}, 10) == []


# Dropout.


@given(texts, st.floats(0, 1), st.integers(0, 9))
def test_dropout_changes_the_ids_but_not_the_text(text, rate, seed):
    ids = SUBWORDS.encode_with_dropout(text, rate, np.random.default_rng(seed))
    assert SUBWORDS.decode(ids) == text
    assert ids == SUBWORDS.encode_with_dropout(text, rate, np.random.default_rng(seed))
    if rate == 0:
        assert ids == SUBWORDS.encode(text)
    if rate == 1:
        assert ids == [FIRST_BYTE + byte for byte in text.encode()]


def chances(subwords: Subwords, word: bytes, rate: float) -> Counter:
    """The probability of every way to cut a word: at each place the pieces are tried from the longest on."""
    if not word:
        return Counter({(): 1.0})
    known = {subwords.pieces[number].encode(): FIRST_PIECE + number for number in range(len(subwords.pieces))}
    found, left = Counter(), 1.0
    for length in range(len(word), 0, -1):
        number = known.get(word[:length]) if length > 1 else FIRST_BYTE + word[0]
        if number is None:
            continue
        taken = left * (1 - rate) if length > 1 else left
        left -= taken
        for rest, chance in chances(subwords, word[length:], rate).items():
            found[(number, *rest)] += taken * chance
    return found


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_every_cut_is_as_frequent_under_dropout_as_its_probability(rate):
    subwords, draws = Subwords(["ab", "abc", "bc", "cd", "de", "abcd"]), 20_000
    generator = np.random.default_rng(1)
    counts = Counter(tuple(subwords.encode_with_dropout("abcde", rate, generator)) for _ in range(draws))
    expected = chances(subwords, b"abcde", rate)
    assert sum(expected.values()) == pytest.approx(1) and set(counts) <= set(expected)
    for cut, chance in expected.items():
        deviation = (draws * chance * (1 - chance)) ** 0.5
        assert abs(counts[cut] - draws * chance) < 5 * deviation + 1


# Saving and serving.


def test_layers_come_back_from_a_saved_model(tmp_path):
    pieces = [*PIECES, "a\nb", "\0\0", '"\\', "\u2028x"]
    text = keras.Input((), dtype="string", name="text")
    ids = SubwordEncoder(pieces, append_end=True, name="encoder")(text)
    assert ids.shape == (None, None) and ids.dtype == "int32"
    back = SubwordDecoder(pieces)(ids)
    assert back.shape == (None,)
    keras.Model(text, {"ids": ids, "text": back}).save(tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")
    assert model.get_layer("encoder").pieces == pieces
    for batch in (["a\nb", '\0\0\0"\\ \u2028x', TEXTS[0]], [""], []):
        answer = model(tf.constant(batch, tf.string))
        assert [text.decode() for text in answer["text"].numpy()] == batch
        assert unpadded(answer["ids"]) == [[*Subwords(pieces).encode(text), END] for text in batch]


SERVE = """
import json, resource, sys, time
import tensorflow as tf
loaded = tf.saved_model.load(sys.argv[1])
def serve(texts):
    return loaded.signatures["serving_default"](texts=tf.constant(texts, tf.string))
batch = json.loads(sys.argv[2])
answer = serve(batch)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
seconds, same = [], True
for word in ("a" * 100_000, "Männer" * 16_667, chr(0x1d11e) * 100_000):
    start = time.process_time()
    long = serve([word[:100_000], *batch])
    seconds.append(time.process_time() - start)
    same &= long["text"][0].numpy().decode() == word[:100_000]
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps({
    "ids": answer["ids"].numpy().tolist(), "text": [text.decode() for text in answer["text"].numpy()],
    "seconds": max(seconds), "same": same, "mebibytes": grown / (1 << 20 if sys.platform == "darwin" else 1 << 10),
    "project": [name for name in sys.modules if name.split(".")[0] in ("data", "rnn_layers", "templates")],
}))
"""


def test_an_exported_model_needs_tensorflow_alone_and_takes_a_word_of_100_000_characters(tmp_path):
    module = tf.Module()
    module.layers = [SubwordEncoder(PIECES), SubwordDecoder(PIECES)]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def serve(texts):
        ids = module.layers[0](texts)
        return {"ids": ids, "text": module.layers[1](ids)}

    tf.saved_model.save(module, str(tmp_path / "model"), signatures=serve)
    batch = [*TEXTS, "", "a\0\n  b"]
    command = [sys.executable, "-c", SERVE, "model", json.dumps(batch)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["project"] == [] and answer["text"] == batch and answer["same"]
    assert answer["ids"] == ENCODER(tf.constant(batch)).numpy().tolist()
    assert answer["seconds"] < 2 and answer["mebibytes"] < 1024


def test_a_word_of_100_000_characters_is_quick_in_python_too():
    for word in ("a" * 100_000, "Männer" * 16_667, "𝄞" * 100_000):
        start = time.process_time()
        ids = SUBWORDS.encode(word)
        dropped = SUBWORDS.encode_with_dropout(word, 0.1, np.random.default_rng(0))
        assert time.process_time() - start < 2
        assert SUBWORDS.decode(ids) == SUBWORDS.decode(dropped) == word


def test_a_large_vocabulary_agrees_with_python():
    generator = np.random.default_rng(0)
    some = ["".join(row) for row in generator.choice(list("abcdeé我 "), size=(600, 40))]
    pieces = learn_pieces(count_words(some), 3000)
    assert len(pieces) > 1000
    assert unpadded(SubwordEncoder(pieces)(tf.constant(some))) == [Subwords(pieces).encode(text) for text in some]
