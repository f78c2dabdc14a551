"""data.tagged_sentences.token_features: the features in the graph against a plain Python account of them."""

import time
import unicodedata
from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data.tagged_sentences.token_features import CASINGS, TokenFeatures, count_tokens
from data.vocabulary import build_vocabulary

# The characters of an old Unicode version: Python's and TensorFlow's newer ones agree about them.
known = st.characters(exclude_categories=["Cs"]).filter(lambda one: unicodedata.ucd_3_2_0.category(one) != "Cn")
tokens_of = st.text(st.one_of(st.sampled_from("abiNGOß0719.-'İΣς٣é我ǅ"), known), max_size=12)
TRAIN = Counter(
    {"Running": 3, "running": 1, "RUN": 2, "1996-08-22": 4, "747s": 1, "İΣΑΣ": 1, "é": 2, "-ing": 1, ",": 9}
)
TRAIN["我们"] += 1


def layer_of(counts: Counter, **options) -> TokenFeatures:
    lengths = options.get("affix_lengths", (2, 3, 4))
    return TokenFeatures(*(build_vocabulary(count, 100_000) for count in count_tokens(counts, lengths)), **options)


def normalised(token: str) -> str:
    return "".join("0" if one.isdecimal() else one for one in token.replace("\0", "\ufffd").lower())


def casing(token: str) -> str:
    categories = [unicodedata.category(one) for one in token]
    upper, lower = [one in ("Lu", "Lt") for one in categories], [one == "Ll" for one in categories]
    if categories and all(one == "Nd" for one in categories):
        return "digits"
    if "Nd" in categories:
        return "has_digit"
    if categories and all(one[0] in "PS" for one in categories):
        return "punctuation"
    if any(lower) and not any(upper):
        return "lower"
    if any(upper) and not any(lower) and "Lt" not in categories:
        return "upper"
    letters = [one for one in categories if one[0] == "L"]
    if any(upper):
        return "title" if letters[0] in ("Lu", "Lt") and sum(upper) == 1 else "mixed"
    return "other"


def reference(layer: TokenFeatures, token: str) -> dict[str, list | int]:
    def find(vocabulary, entry):
        return vocabulary.index(entry) + 2 if entry in vocabulary else 1

    most = layer.maximum_characters
    characters = list(token)
    if len(characters) > most:
        characters = characters[: most // 2] + characters[len(characters) - (most - most // 2) :]
    ids = [find(layer.characters, one) for one in characters]
    word = normalised(token)
    starts = [find(layer.affixes, "<" + word[:size]) if len(word) >= size else 0 for size in layer.affix_lengths]
    ends = [find(layer.affixes, ">" + word[-size:]) if len(word) >= size else 0 for size in layer.affix_lengths]
    return {
        "words": find(layer.words, word) if token else 0,
        "characters": ids + [0] * (most - len(ids)),
        "casing": CASINGS.index(casing(token)) + 1 if token else 0,
        "affixes": starts + ends,
    }


LAYERS = [
    layer_of(TRAIN),
    layer_of(TRAIN, maximum_characters=5, affix_lengths=(1, 3)),
    layer_of(TRAIN, maximum_characters=1, affix_lengths=()),
    layer_of(Counter()),
]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.one_of(tokens_of, st.sampled_from(list(TRAIN))), max_size=8), st.sampled_from(LAYERS))
@example(["a\0B", "\0", "İİİ", "e\u0301" * 9, "ΑΣ", "\n", "A\nb", "a\n1\n", "a\u2028B"], LAYERS[1])
def test_features_are_those_of_plain_python(tokens, layer):
    rows = layer.rows(tokens)
    expected = [reference(layer, token) for token in tokens]
    for name, ids in rows.items():
        assert ids.dtype == np.int32
        assert ids.tolist() == [one[name] for one in expected]


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(tokens_of, st.integers(1, 5), max_size=8))
def test_counts_are_those_of_plain_python(tokens):
    words, characters, affixes = count_tokens(tokens, affix_lengths=(2, 3))
    all_tokens = [token for token, count in tokens.items() for _ in range(count) if token]
    all_words = [normalised(token) for token in all_tokens]
    assert words == Counter(all_words)
    assert characters == Counter("".join(all_tokens))
    assert affixes == Counter(
        affix
        for word in all_words
        for size in (2, 3)
        if len(word) >= size
        for affix in ("<" + word[:size], ">" + word[-size:])
    )


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("said", "lower"),
        ("'s", "lower"),
        ("all-round", "lower"),
        ("NATO", "upper"),
        ("U.S.", "upper"),
        ("I", "upper"),
        ("Paris", "title"),
        ("Élan", "title"),
        ("ǅ", "title"),
        ("McDonald", "mixed"),
        ("Jean-Paul", "mixed"),
        ("eBay", "mixed"),
        ("1996", "digits"),
        ("٣٤", "digits"),
        ("1,000.5", "has_digit"),
        ("747s", "has_digit"),
        ("...", "punctuation"),
        ("$", "punctuation"),
        ("😀", "punctuation"),
        ("我们", "other"),
        ("½", "other"),
    ],
)
def test_casings(token, expected):
    assert CASINGS[LAYERS[0].rows([token])["casing"][0] - 1] == expected == casing(token)


def test_digits_and_case_share_a_word_and_affixes_tell_beginnings_from_endings():
    layer = layer_of(TRAIN)
    rows = layer.rows(["Running", "RUNNING", "1996-08-22", "2025-12-31", "ingrun", "zzzz", "-ing", "ing-"])
    assert rows["words"][0] == rows["words"][1] > 1
    assert rows["words"][2] == rows["words"][3] > 1
    # Only the word's ending "ing" is known, not a beginning "ing"; "-ing" as a beginning is.
    assert rows["affixes"][0, 4] > 1 and rows["affixes"][4, 1] == 1
    assert rows["affixes"][5].tolist() == [1] * 6
    assert rows["affixes"][6, 2] > 1 and rows["affixes"][7, 5] == 1


def test_padding_shapes_and_empty_batches():
    layer = LAYERS[1]
    features = layer(tf.constant([["Running", ""], ["", ""]]))
    assert {name: tuple(ids.shape) for name, ids in features.items()} == {
        "words": (2, 2),
        "characters": (2, 2, 5),
        "casing": (2, 2),
        "affixes": (2, 2, 4),
    }
    for name, ids in features.items():
        assert ids.dtype == tf.int32
        assert (ids.numpy() != 0).reshape(4, -1).any(1).tolist() == [True, False, False, False], name
        assert ids.numpy()[0, 0].tolist() == layer.rows(["Running"])[name][0].tolist()
    for shape in ((0, 3), (3, 0), (0, 0)):
        features = layer(tf.zeros(shape, tf.string))
        assert [tuple(ids.shape) for ids in features.values()] == [shape, (*shape, 5), shape, (*shape, 4)]
    assert [ids.shape for ids in layer.rows([]).values()] == [(0,), (0, 5), (0,), (0, 4)]


def test_invalid_utf_8_is_read_as_a_replacement_character():
    layer = layer_of(Counter({"caf\ufffd": 1}))
    invalid, valid = layer(tf.constant([[b"caf\xe9"]])), layer(tf.constant([["caf\ufffd"]]))
    assert all((invalid[name].numpy() == valid[name].numpy()).all() for name in valid)
    assert invalid["words"].numpy().tolist() == [[2]]


@pytest.mark.parametrize("options", [{}, {"maximum_characters": 7, "affix_lengths": (3,), "name": "seen"}])
def test_a_saved_model_gives_the_same(tmp_path, options):
    tokens = keras.Input((None,), dtype="string")
    model = keras.Model(tokens, layer_of(TRAIN, **options)(tokens))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    model.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(str(tmp_path / "exported"))
    for batch in ([["Running", "1997-08-22", ""], ["我们", "ΑΣ", "x" * 40]], [["a"]], [[]], np.zeros((0, 2), object)):
        batch = tf.constant(batch, tf.string)
        expected = model(batch)
        for features in (loaded(batch), exported.serve(batch)):
            for name, ids in expected.items():
                assert ids.shape == features[name].shape
                assert (ids.numpy() == features[name].numpy()).all()
    if options:
        assert loaded.get_layer("seen").get_config() == model.get_layer("seen").get_config()


def test_shapes_are_known_before_a_call():
    layer = LAYERS[0]
    outputs = layer(keras.Input((None,), dtype="string"))
    assert {name: (ids.shape, ids.dtype) for name, ids in outputs.items()} == {
        "words": ((None, None), "int32"),
        "characters": ((None, None, 20), "int32"),
        "casing": ((None, None), "int32"),
        "affixes": ((None, None, 6), "int32"),
    }
    assert layer.compute_output_shape((2, 3)) == {
        "words": (2, 3),
        "characters": (2, 3, 20),
        "casing": (2, 3),
        "affixes": (2, 3, 6),
    }


def test_twenty_thousand_distinct_tokens_take_a_few_seconds_of_a_processor():
    random = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyzABCDEFé019-."))
    tokens = Counter("".join(random.choice(letters, size)) for size in random.integers(4, 15, 21_000))
    assert len(tokens) > 20_000
    start = time.process_time()
    layer = layer_of(tokens)
    rows = layer.rows(list(tokens))
    assert time.process_time() - start < 4  # 1.3 when nothing else runs; minutes, were it quadratic
    assert (rows["words"] > 1).all() and len(rows["characters"]) == len(tokens)
