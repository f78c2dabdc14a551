"""The template's own tests; they travel with a copy: `python -m pytest language_model`."""

import dataclasses
import json
import math
import random

import keras
import numpy as np
import pytest
import tensorflow as tf

from data.errors import UserError
from data.running_text.documents import Documents
from data.subwords.ids import FIRST_BYTE, START
from data.subwords.pieces import Subwords
from training.averaging import WeightAverage
from training.device import Device
from training.runs.folder import RunFolder

from . import evaluate as evaluating
from . import pipeline, serving
from .carried_states import CarriedStates
from .config import Config
from .evaluate import make_predict_step, measure, with_baselines
from .generation import continue_texts
from .lines import write_lines
from .model import build_model, first_states, state_sizes, take_step
from .ngrams import surprise_of_ngrams
from .train import learning_rate, make_train_step

SMALL = Config(
    units=5, embedding_size=4, batch_size=3, backpropagation_steps=7, learning_rate=0.01, warm_up_steps=0,
    embedding_dropout=0.0, dropout=0.0, length=20,
)  # fmt: skip
CPU = Device(tf.distribute.get_strategy(), "CPU", "float32", jit=False)
TEXT = "Der Bär saß.\nDie Bären saßen.\n"
NETWORKS = [
    {"cell": "lstm"},
    {"cell": "gru", "layers": 2},
    {"cell": "simple_rnn", "tied_embeddings": True},
    {"cell": "lstm", "layers": 2, "tied_embeddings": True},
]


def documents(*texts):
    lines = [line for text in texts for line in text.splitlines(keepends=True)]
    begins = [place == 0 for text in texts for place, _ in enumerate(text.splitlines())]
    return Documents(lines, begins)


def small_model(**fields):
    """A model whose numbers are large enough that some pieces are far likelier than others, and its pieces."""
    config = dataclasses.replace(SMALL, **fields)
    subwords = Subwords(pipeline.learn_vocabulary(config, documents(TEXT)))
    keras.utils.set_random_seed(0)
    model = build_model(config, subwords.size)
    generator = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(generator.normal(scale=0.7, size=variable.shape))
    return model, subwords, config


def saved(path, **fields):
    """A saved model's run folder, and its configuration."""
    model, subwords, config = small_model(**fields)
    path.mkdir(exist_ok=True)
    run = RunFolder(path)
    serving.save(run.model_file, subwords, model)
    run.write_vocabulary(subwords.pieces)
    return run, config


def train_steps(model, config):
    optimizer = keras.optimizers.Adam(config.learning_rate)
    optimizer.build(model.trainable_variables)
    average = WeightAverage(model.trainable_variables, 0.9)
    carried = CarriedStates(state_sizes(model), config.batch_size, CPU.strategy)
    return make_train_step(model, optimizer, average, CPU, config, carried), carried


def batches(examples, config, epoch=0):
    plan = pipeline.plan_epoch(config, examples, config.batch_size, epoch)
    return [pipeline.make_batch(examples, window, config.backpropagation_steps) for window in plan]


def scores_of(model, before):
    """The scores of all steps, with states of 0 before the first, and the states after the last."""
    inputs = [tf.constant(before, tf.int32), *first_states(model, len(before))]
    return tf.function(model, autograph=False)(inputs)  # step by step it takes seconds


def nats_of(model, examples, window):
    """-log p of all pieces of a window that is long enough for them."""
    before, after, _ = pipeline.make_batch(examples, window, 1000)
    log_p = tf.nn.log_softmax(scores_of(model, before)[0]).numpy()
    return -sum(log_p[row, place, after[row, place]] for row, place in zip(*np.nonzero(after), strict=True))


# Text, streams and windows


def test_pieces_know_what_was_before_them_and_a_document_knows_nothing():
    subwords = Subwords([" ab", "ü"])
    examples = pipeline.make_examples(documents("a ab", "üb\n"), subwords)
    a, b, end = (FIRST_BYTE + ord(letter) for letter in "ab\n")
    assert examples.ids.tolist() == [a, 259, 260, b, end]
    assert examples.before.tolist() == [START, a, START, 260, b]
    assert (examples.characters, examples.bytes, len(examples)) == (7, 8, 5)
    assert pipeline.describe(examples) == "7 characters, 8 bytes, 5 pieces"
    rare = pipeline.make_examples(documents("aé"), subwords)
    assert pipeline.describe(rare) == "2 characters, 3 bytes, 3 pieces (66.7% of them bytes of rare characters)"


@pytest.mark.parametrize("pieces, streams, steps", [(100, 4, 7), (101, 4, 25), (3, 8, 5), (1, 1, 1), (17, 5, 100)])
def test_every_piece_is_read_once_in_an_epoch_wherever_it_begins(pieces, streams, steps):
    for offset in (0, pieces - 1):
        plan = pipeline.plan_windows(pieces, streams, steps, offset)
        read = [
            (start + place) % pieces
            for window in plan
            for start, count in zip(window.starts, window.counts, strict=True)
            for place in range(count)
        ]
        assert sorted(read) == list(range(pieces)) and sum(map(len, plan)) == pieces
        assert [window.begins for window in plan] == [number == 0 for number in range(len(plan))]


def test_a_window_goes_on_where_the_one_before_it_stopped():
    examples = pipeline.make_examples(documents("abcdefghij"), Subwords([]))
    first, second = (
        pipeline.make_batch(examples, window, 3) for window in pipeline.plan_windows(10, streams=2, steps=3)
    )
    spelled = {0: ".", START: "^"} | {FIRST_BYTE + byte: chr(byte) for byte in range(256)}
    shown = [["".join(spelled[piece] for piece in row) for row in side] for side in (*first[:2], *second[:2])]
    assert shown == [["^ab", "efg"], ["abc", "fgh"], ["cd.", "hi."], ["de.", "ij."]]
    assert first[2] is True and second[2] is False


def test_epochs_begin_at_other_places_and_a_seed_at_the_same():
    examples = pipeline.make_examples(documents(TEXT * 20), Subwords([]))
    starts = [pipeline.plan_epoch(SMALL, examples, 3, epoch)[0].starts.tolist() for epoch in (0, 1, 0)]
    assert starts[0] == starts[2] != starts[1]


# The network and its training step


@pytest.mark.parametrize("network", NETWORKS)
def test_one_step_moves_every_weight(network):
    config = dataclasses.replace(SMALL, **network)
    subwords = Subwords([])
    keras.utils.set_random_seed(0)
    model = build_model(config, subwords.size)
    before = [variable.numpy() for variable in model.trainable_variables]
    step, carried = train_steps(model, config)
    examples = pipeline.make_examples(documents(TEXT * 3), subwords)
    loss, weight, norm = step(*map(tf.constant, batches(examples, config)[0]))
    assert loss.numpy() == pytest.approx(math.log(subwords.size), rel=0.05) and weight == 21 and 0 < norm < 10
    for variable, old in zip(model.trainable_variables, before, strict=True):
        assert not np.allclose(variable.numpy(), old), variable.path
    assert all(np.abs(state.numpy()).min() > 0 for state in carried.variables)


@pytest.mark.parametrize("network", NETWORKS)
def test_states_that_are_carried_make_windows_one_pass(network):
    model, subwords, config = small_model(**network)
    step, carried = train_steps(model, dataclasses.replace(config, learning_rate=1e-30))
    examples = pipeline.make_examples(documents(TEXT * 4), subwords)
    rows = [step(*map(tf.constant, batch)) for batch in batches(examples, config)]
    found = sum(float(loss * weight) for loss, weight, _ in rows)
    # The same streams, each in one piece.
    (whole,) = pipeline.plan_windows(len(examples), 3, 1000, pipeline.plan_epoch(config, examples, 3, 0)[0].starts[0])
    assert found == pytest.approx(nats_of(model, examples, whole), rel=1e-5)
    # A new epoch begins with nothing in mind.
    again = [step(*map(tf.constant, batch)) for batch in batches(examples, config)]
    assert sum(float(loss * weight) for loss, weight, _ in again) == pytest.approx(found, rel=1e-5)


@pytest.mark.parametrize("network", NETWORKS)
def test_steps_equal_one_pass(network):
    model, _, _ = small_model(**network)
    ids = np.random.default_rng(0).integers(1, 260, (2, 30))
    scores, *last = scores_of(model, ids)
    states = first_states(model, 2)
    for place in range(30):
        found, states = take_step(model, tf.constant(ids[:, place], tf.int32), states)
        np.testing.assert_allclose(found, scores[:, place], atol=1e-5)
    for state, expected in zip(states, last, strict=True):
        np.testing.assert_allclose(state, expected, atol=1e-5)


def test_it_learns_what_follows_what():
    config = dataclasses.replace(
        SMALL, units=32, embedding_size=8, learning_rate=0.02, backpropagation_steps=16, length=18
    )
    subwords = Subwords([])
    keras.utils.set_random_seed(0)
    model = build_model(config, subwords.size)
    step, _ = train_steps(model, config)
    examples = pipeline.make_examples(documents("one two three four\n" * 60), subwords)
    losses = [
        float(step(*map(tf.constant, batch))[0]) for epoch in range(16) for batch in batches(examples, config, epoch)
    ]
    assert losses[-1] < 0.05 < 4 < losses[0]
    prompt = tf.constant([subwords.encode("one two")], tf.int32)
    found = continue_texts(model, prompt, 12, 0.0, 0, 1.0, 0)
    assert subwords.decode(found[0].numpy()) == " three four\n"
    assert measure(make_predict_step(model, 1), examples, first_states(model, 1)).metrics["perplexity"] < 1.05


def test_the_learning_rate_rises_then_halves():
    config = dataclasses.replace(SMALL, warm_up_steps=10, learning_rate=1.0, learning_rate_half_life=20)
    assert [learning_rate(config, step) for step in (0, 4, 10, 30, 50)] == [0.1, 0.5, 1, 0.5, 0.25]


# What is measured


@pytest.mark.parametrize("streams", [1, 4])
def test_figures_are_those_of_the_whole_text(streams, monkeypatch):
    monkeypatch.setattr(evaluating, "STEPS", 9)
    model, subwords, _ = small_model(layers=2)
    examples = pipeline.make_examples(documents(TEXT, TEXT), subwords)
    found = measure(make_predict_step(model, streams), examples, first_states(model, streams))
    (whole,) = pipeline.plan_windows(len(examples), streams, 1000)
    nats = nats_of(model, examples, whole)
    assert found.loss == pytest.approx(nats / len(examples), rel=1e-5)
    assert found.losses.shape == (len(examples),) and found.losses.sum() == pytest.approx(nats, rel=1e-5)
    assert found.metrics["perplexity"] == pytest.approx(math.exp(nats / len(examples)), rel=1e-4)
    assert found.metrics["bits_per_character"] == pytest.approx(nats / math.log(2) / (2 * len(TEXT)), rel=1e-5)
    assert found.metrics["bits_per_byte"] == pytest.approx(nats / math.log(2) / (2 * len(TEXT.encode())), rel=1e-5)


def test_lines_are_listed_from_the_likeliest_to_the_most_surprising(tmp_path):
    lines, subwords = ["one  two three\n", "short\n", "größer, más\n", "four five six\n"], Subwords(["four"])
    ids = np.array(subwords.encode("".join(lines)), np.int32)
    spelled = [subwords.decode([number]) for number in ids]
    assert "four" in spelled and len(ids) == sum(len(line.encode()) for line in lines) - 3
    first, last = len(lines[0]), spelled.index("four")
    losses = np.where(np.arange(len(ids)) < first, 2.0, np.where(np.arange(len(ids)) < last, 0.5, 4.0))
    write_lines(tmp_path / "lines.tsv", lines, ids, losses, subwords)
    heading, *rows = [line.split("\t") for line in (tmp_path / "lines.tsv").read_text().splitlines()]
    assert heading == ["bits_per_character", "line"]
    # Three letters of the third line are two bytes each; "four" is one piece.
    expected = {"größer, más": 15 * 0.5 / 12, "one two three": 2.0, "four five six": 11 * 4.0 / 14}
    assert [line for _, line in rows] == sorted(expected, key=expected.get)
    for bits, line in rows:
        assert float(bits) == pytest.approx(expected[line] / math.log(2), abs=1e-4)


def test_probabilities_of_ngrams_sum_to_one_and_are_those_of_the_equation():
    generator = np.random.default_rng(0)
    training, size = generator.integers(0, 4, 200), 4
    history = training[-50:]
    for length in range(1, 5):
        surprises = [surprise_of_ngrams(training, np.array([*history, w]), length)[-1][-1] for w in range(size)]
        assert np.exp(-np.array(surprises)).sum() == pytest.approx(1)
    # By hand: after a comes b twice and c once; before b stands a alone, before c stands a, before a stand b and c.
    training = np.array([0, 1, 0, 1, 0, 2, 0])
    once, twice = 2, 2  # bigrams: ab ba twice; ac ca once
    discount = once / (once + 2 * twice)
    unigrams_once, unigrams_twice = 2, 1  # by their different neighbours: b 1, c 1, a 2
    lower = unigrams_once / (unigrams_once + 2 * unigrams_twice)
    p_of_b = (1 - lower) / 4 + lower * 3 / 4 * (1 / 3)
    expected = (2 - discount) / 3 + discount * 2 / 3 * p_of_b
    assert math.exp(-surprise_of_ngrams(training, np.array([0, 1]), 2)[-1][-1]) == pytest.approx(expected)


def test_counting_stands_beside_the_result():
    model, subwords, _ = small_model()
    training, test = (pipeline.make_examples(documents(text), subwords) for text in (TEXT * 9, TEXT))
    result = measure(make_predict_step(model, 1), test, first_states(model, 1))
    metrics = with_baselines(result, training, test).metrics
    # What was read nine times before.
    assert metrics["ngram_bits_per_character"] < 1 < metrics["unigram_bits_per_character"] < 5
    assert metrics["bits_per_character"] == result.metrics["bits_per_character"]


# Answers


@pytest.mark.parametrize("network", NETWORKS)
def test_rows_go_on_as_they_do_alone_and_as_a_stream(tmp_path, network):
    run, config = saved(tmp_path, **network, temperature=1.0)
    answering = serving.load(run, config)
    texts = ["Der B", "", "Die Bären saßen und " * 9, "\u65e5\u672c", "\x00"]
    together = serving.predict(answering, texts)
    for text, answer in zip(texts, together, strict=True):
        assert answer == serving.predict(answering, [text])[0] and answer["text"] == text
        parts = list(serving.stream(answering, text))
        assert parts[0] == text and "".join(parts) == text + answer["continuation"]
    assert serving.predict(answering, []) == []
    other = serving.predict(serving.load(run, dataclasses.replace(config, seed=1)), texts[:1])
    assert other != together[:1]


@pytest.mark.parametrize("settings", [{"temperature": 0.0}, {"top_k": 9, "top_p": 0.9, "seed": 2}])
def test_a_stream_draws_as_it_is_told(tmp_path, settings):
    run, config = saved(tmp_path, **settings)
    answering = serving.load(run, config)
    (answer,) = serving.predict(answering, ["Die "])
    assert "".join(serving.stream(answering, "Die ")) == "Die " + answer["continuation"]


def test_settings_of_a_call_are_those_of_the_configuration(tmp_path):
    run, config = saved(tmp_path, temperature=0.7, top_k=9, top_p=0.9, seed=4, length=15)
    functions = serving.load(run, config).functions
    text = tf.constant(["Die ", ""])
    asked = {"length": 15, "temperature": 0.7, "top_k": 9, "top_p": 0.9, "seed": 4}
    found = functions["generate"](text=text, **{name: tf.constant(value) for name, value in asked.items()})
    assert found["continuation"].numpy().tolist() == functions["serving_default"](text)["continuation"].numpy().tolist()
    greedily = [
        functions["generate"](text=text, **{k: tf.constant(v) for k, v in {**asked, **changed}.items()})
        for changed in ({"temperature": 0.0, "seed": 1}, {"top_k": 1, "seed": 2}, {"top_p": 1e-6, "seed": 3})
    ]
    assert len({tuple(answer["continuation"].numpy().tolist()) for answer in greedily}) == 1


def test_scores_are_those_of_the_network(tmp_path):
    run, config = saved(tmp_path, layers=2, score=True)
    answering, model = serving.load(run, config), serving.parts(serving.load_model(run))[0]
    subwords = Subwords(run.read_vocabulary())
    texts = ["Die Bären", "", "x" * 300, "é\u65e5"]
    answers = serving.predict(answering, texts)
    for text, answer in zip(texts, answers, strict=True):
        ids = subwords.encode(text)
        log_p = tf.nn.log_softmax(scores_of(model, [[START, *ids]])[0][0]).numpy()
        expected = sum(log_p[place, piece] for place, piece in enumerate(ids))
        assert answer["log_probability"] == pytest.approx(expected, rel=1e-5) and answer["pieces"] == len(ids)
    assert answers[0]["bits_per_character"] == pytest.approx(-answers[0]["log_probability"] / math.log(2) / 9)
    assert answers[1] == {"text": "", "log_probability": 0, "pieces": 0, "bits_per_character": None}
    assert serving.as_line(answers[0]) == f"{answers[0]['log_probability']:.4f}\tDie Bären"
    assert list(serving.stream(answering, texts[0])) == [serving.as_line(answers[0])]


def test_the_exported_steps_equal_the_exported_score(tmp_path):
    run, config = saved(tmp_path / "run", cell="gru", layers=2)
    serving.export(run, config, tmp_path / "exported")
    signatures = tf.saved_model.load(str(tmp_path / "exported")).signatures
    text = "Die Bären saßen."
    encoded = signatures["encode"](text=tf.constant([text]))
    state = signatures["start"](batch=tf.constant(1))
    spelled, ids, total = state.pop("spelled").numpy(), state.pop("ids"), 0.0
    for piece in encoded["ids"][0]:
        state = signatures["step"](ids=ids, **state)
        total += math.log(state.pop("probabilities")[0, piece])
        ids = piece[tf.newaxis]
    assert b"".join(spelled[encoded["ids"][0].numpy()]).decode() == text
    assert total == pytest.approx(float(signatures["score"](text=tf.constant([text]))["log_probability"][0]), rel=1e-5)
    assert encoded["lengths"].numpy().tolist() == [len(encoded["ids"][0])]


def test_lines_of_a_file_are_answered_line_for_line(tmp_path, capsys):
    run, config = saved(tmp_path, score=True)
    (tmp_path / "in.txt").write_bytes(b"Der\r\n\nB\xffr\nDie")
    answering = serving.load(run, config)
    with pytest.raises(UserError, match="1 of the inputs could not be read"):
        serving.predict_file(answering, config, tmp_path / "in.txt", tmp_path / "out.txt", as_json=False)
    lines = (tmp_path / "out.txt").read_text().split("\n")
    assert [line.partition("\t")[2] for line in lines] == ["Der", "", "", "Die", ""] and lines[2] == ""
    assert "in.txt:3: expected utf-8 text, found the byte 0xff at position 2" in capsys.readouterr().err
    with pytest.raises(UserError):
        serving.predict_file(answering, config, tmp_path / "in.txt", None, as_json=True)
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["text"] for row in found] == ["Der", "", "B\ufffdr", "Die"]
    assert [sorted(row) for row in found[2:3]] == [["error", "text"]]


def test_a_line_holds_no_line_end():
    assert serving.as_line({"text": "a\nb", "continuation": "c\r\nd\u2028e"}) == "a bc d e"


def test_a_text_is_validated_on_its_end(tmp_path):
    text = "".join(random.Random(0).choice("ab\n") for _ in range(1000))
    (tmp_path / "all.txt").write_text(text)
    config = dataclasses.replace(SMALL, data=str(tmp_path / "all.txt"), validation_fraction=0.1)
    opened = pipeline.open_source(config, pipeline.find_source(config))
    read = opened.read(["train", "validation"])
    assert ["".join(read[split].texts) for split in ("train", "validation")] == [text[:900], text[900:]]


@pytest.mark.parametrize("field, value", [("temperature", -1.0), ("top_p", 0.0), ("length", 0), ("dropout", 1.0)])
def test_a_field_out_of_bounds_is_named_by_its_flag(field, value):
    with pytest.raises(UserError, match="--" + field.replace("_", "-")):
        dataclasses.replace(SMALL, **{field: value})
