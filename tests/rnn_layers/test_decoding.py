"""Greedy and beam search against every sequence there is, and against the same searches in plain Python."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_layers.decoding import Hypotheses, beam_search, greedy_search
from rnn_layers.gru import GRUCell
from rnn_layers.next_tokens import largest

START, END = 1, 2


def examples_of(live):
    """The example of each row."""
    return tf.cast(tf.where(live)[:, 0], tf.int32)


class TableModel:
    """Logits that depend on the example, the step, the last token and the one before.

    They are (batch, steps, last, before, next). Without the step there would be sequences of equal probability.
    """

    def __init__(self, seed, batch=3, vocabulary=4, spread=2.0):
        size = (batch, 10, vocabulary, vocabulary, vocabulary)
        self.logits = np.random.default_rng(seed).normal(size=size, scale=spread).astype("f")
        self.vocabulary = vocabulary
        self.rows = []

    def step(self, tokens, states, live):
        examples = examples_of(live)
        if tf.executing_eagerly():
            self.rows.append(len(tokens))
        place = tf.stack([examples, states["taken"], tokens, states["before"]], axis=1)
        return tf.gather_nd(tf.constant(self.logits), place), {"before": tokens, "taken": states["taken"] + 1}

    def states(self, batch=None):
        zeros = tf.zeros([len(self.logits) if batch is None else batch], tf.int32)
        return {"before": zeros, "taken": zeros}

    def log_probabilities(self, example, tokens):
        """Of the token that follows, by the tokens so far, in float64."""
        before, last = ([0, START] + list(tokens))[-2:]
        logits = self.logits[example, len(tokens), last, before].astype(np.float64)
        return logits - np.log(np.exp(logits).sum())

    def log_probability(self, example, tokens):
        """By teacher forcing."""
        return sum(self.log_probabilities(example, tokens[:step])[token] for step, token in enumerate(tokens))

    def all_sequences(self, most_steps):
        others = [token for token in range(self.vocabulary) if token != END]
        return [(*tokens, END) for count in range(most_steps) for tokens in itertools.product(others, repeat=count)]


def python_greedy(model, example, most_steps, forbidden=()):
    tokens = ()
    while tokens[-1:] != (END,) and len(tokens) < most_steps:
        gains = model.log_probabilities(example, tokens)
        gains[list(forbidden)] = -np.inf
        tokens += (END,) if len(tokens) == most_steps - 1 else (int(np.argmax(gains)),)
    return tokens


def python_beam(model, example, most_steps, width, exponent, forbidden=()):
    """The beam that narrows, with the greedy search's path beside it.

    Returns:
        The best `width` as [(score, tokens)]; how many hypotheses each step had to continue.
    """
    live, finished, rows = [((), 0.0)] if most_steps else [], {}, []
    greedy = python_greedy(model, example, most_steps, forbidden)
    for step in range(most_steps):
        prefixes = {tokens for tokens, _ in live}
        rows.append(len(prefixes | {greedy[:step]} if step < len(greedy) else prefixes))
        longer = []
        for tokens, total in live:
            gains = model.log_probabilities(example, tokens)
            for token in [END] if step == most_steps - 1 else set(range(model.vocabulary)) - set(forbidden):
                longer.append(((*tokens, token), total + gains[token]))
        longer = sorted(longer, key=lambda pair: -pair[1])[: width - len(finished)]
        finished.update(pair for pair in longer if pair[0][-1] == END)
        live = [pair for pair in longer if pair[0][-1] != END]
    if most_steps:
        finished[greedy] = model.log_probability(example, greedy)
    scores = [(total / len(tokens) ** exponent, tokens) for tokens, total in finished.items()]
    return sorted(scores, reverse=True)[:width], rows


def found_sequences(found, example):
    """The hypotheses of one example as tuples of tokens."""
    tokens, lengths = found.tokens.numpy()[example], found.lengths.numpy()[example]
    return [tuple(map(int, row[:length])) for row, length in zip(tokens, lengths, strict=True) if length]


def search(model, most_steps, width, **options):
    return beam_search(model.step, model.states(), most_steps, start=START, end=END, width=width, **options)


@pytest.mark.parametrize("limit", [1, 2, 6])
def test_greedy_takes_the_likeliest_token_of_each_step(limit):
    model = TableModel(0, batch=20)
    found = greedy_search(model.step, model.states(), [limit] * 20, start=START, end=END)
    assert found.tokens.shape[1] == found.lengths.shape[1] == 1
    for example in range(20):
        assert found_sequences(found, example) == [python_greedy(model, example, limit)]


@given(seed=st.integers(0, 1000), vocabulary=st.integers(3, 9))
@settings(max_examples=15, deadline=None)
def test_width_1_is_greedy_token_for_token(seed, vocabulary):
    model = TableModel(seed, vocabulary=vocabulary)
    found = search(model, [7, 3, 5], 1)
    greedy = greedy_search(model.step, model.states(), [7, 3, 5], start=START, end=END)
    for one, other in zip(found, greedy, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("exponent", [0.0, 0.6, 1.0])
def test_a_width_that_covers_all_prefixes_finds_every_sequence_in_order(exponent):
    model, limit = TableModel(1), 5
    sequences = model.all_sequences(limit)
    found = search(model, [limit] * 3, len(sequences), length_exponent=exponent)
    for example in range(3):
        scores = {tokens: model.log_probability(example, tokens) / len(tokens) ** exponent for tokens in sequences}
        assert found_sequences(found, example) == sorted(sequences, key=lambda tokens: -scores[tokens])
        np.testing.assert_allclose(found.scores[example], sorted(scores.values(), reverse=True), rtol=1e-5)


@given(
    seed=st.integers(0, 10_000),
    vocabulary=st.integers(3, 6),
    width=st.integers(1, 8),
    limits=st.lists(st.integers(0, 6), min_size=3, max_size=3),
    exponent=st.sampled_from([0.0, 0.7, 1.0]),
    forbidden=st.sampled_from([(), (START,), (0, START)]),
)
@settings(max_examples=40, deadline=None)
def test_it_finds_what_the_search_in_python_finds(seed, vocabulary, width, limits, exponent, forbidden):
    model = TableModel(seed, vocabulary=vocabulary)
    found = search(model, limits, width, length_exponent=exponent, forbidden=forbidden)
    rows = np.zeros(6)
    for example, limit in enumerate(limits):
        expected, continued = python_beam(model, example, limit, width, exponent, forbidden)
        rows[:limit] += continued
        sequences = found_sequences(found, example)
        assert sequences == [tokens for _, tokens in expected]
        np.testing.assert_allclose(found.scores[example, : len(expected)], [score for score, _ in expected], rtol=1e-5)
        rescored = [model.log_probability(example, tokens) for tokens in sequences]
        np.testing.assert_allclose(found.log_probabilities[example, : len(expected)], rescored, rtol=1e-5)
        assert np.all(np.isneginf(found.scores[example, len(expected) :]))
    # Only these cost a step of the model.
    assert model.rows == [count for count in rows if count]


@given(seed=st.integers(0, 10_000), width=st.integers(2, 4), exponent=st.sampled_from([0.0, 1.0]))
@settings(max_examples=15, deadline=None)
def test_results_are_sorted_and_distinct_and_never_below_greedy(seed, width, exponent):
    model = TableModel(seed, batch=8, vocabulary=6)
    limits = [9] * 8
    found = search(model, limits, width, length_exponent=exponent)
    greedy = greedy_search(model.step, model.states(), limits, start=START, end=END, length_exponent=exponent)
    assert np.all(np.diff(found.scores) <= 0)
    assert np.all(found.scores[:, 0] >= greedy.scores[:, 0] - 1e-5)
    assert all(len(set(found_sequences(found, example))) == width for example in range(8))


@pytest.mark.parametrize("dead_end", [False, True])
def test_the_greedy_path_survives_when_the_beam_drops_it(dead_end):
    # 3 is the likeliest first token, but it has three continuations and 4 has two, which fill the beam. From there on
    # 3 goes on surely (or not at all) and 4 does not.
    logits = np.full((1, 8, 8, 8), -np.inf, "f")
    logits[0, START, 0, [3, 4]] = np.log([0.55, 0.45])
    logits[0, 3, START, [5, 6, 7]] = np.log([0.34, 0.33, 0.33])
    logits[0, 4, START, [5, 6]] = np.log([0.51, 0.49])
    logits[0, 5, 3, END] = -np.inf if dead_end else 0.0
    logits[0, 5:7, 4, :] = 0.0
    logits[0, :, 5:7, :] = 0.0
    model = TableModel(0)
    model.logits, model.vocabulary = np.repeat(logits[:, np.newaxis], 6, axis=1), 8
    found = search(model, [6], 2, length_exponent=0.0)
    # One row at first, two in the beam, then the greedy one beside them until it has ended.
    assert model.rows[:4] == [1, 2, 3, 2]
    if dead_end:
        assert all(tokens[0] == 4 and tokens[-1] == END for tokens in found_sequences(found, 0))
    else:
        assert found_sequences(found, 0)[0] == (3, 5, END)
        np.testing.assert_allclose(found.scores[0, 0], np.log(0.55 * 0.34), rtol=1e-5)


def ending_model(lengths, vocabulary=5):
    """Example i almost surely says token 3, and the end token as token number lengths[i]."""

    def step(tokens, states, live):
        examples = examples_of(live)
        rows.append(examples.numpy().tolist())
        logits = tf.one_hot(tf.where(states + 1 == tf.gather(lengths, examples), END, 3), vocabulary) * 20.0
        return logits, states + 1

    rows = []
    return step, tf.zeros([len(lengths)], tf.int32), rows


def test_finished_examples_are_not_stepped():
    step, states, rows = ending_model([1, 4, 2])
    found = greedy_search(step, states, [100] * 3, start=START, end=END)
    assert rows == [[0, 1, 2], [1, 2], [1], [1]]
    assert found.tokens.numpy().tolist() == [[[END, 0, 0, 0]], [[3, 3, 3, END]], [[3, END, 0, 0]]]


def test_finished_hypotheses_take_a_place_and_are_not_stepped():
    step, states, rows = ending_model([1, 100])
    found = beam_search(step, states, [3, 3], start=START, end=END, width=3)
    # All start as one row. Of the first example's three hypotheses one ends at once, the other two at the limit.
    assert rows == [[0, 1], [0, 0, 1, 1, 1], [0, 0, 1, 1, 1]]
    assert np.all(found.lengths == [[1, 3, 3], [3, 3, 3]])


def test_the_limit_of_each_example_forces_the_end_token_and_its_probability_counts():
    step, states, rows = ending_model([100, 100, 100])
    found = greedy_search(step, states, [3, 0, 1], start=START, end=END, length_exponent=0.0)
    assert rows == [[0, 2], [0], [0]]
    assert found.tokens.numpy().tolist() == [[[3, 3, END]], [[0, 0, 0]], [[END, 0, 0]]]
    assert found.lengths.numpy().tolist() == [[3], [0], [1]]
    np.testing.assert_allclose(found.scores, [[-20.0], [-np.inf], [-20.0]], rtol=1e-5)


def test_an_example_alone_is_found_as_in_a_batch():
    model = TableModel(3, batch=5, vocabulary=6)
    limits = [8, 2, 5, 8, 3]
    found = search(model, limits, 4)
    for example, limit in enumerate(limits):
        one = TableModel(0, batch=1, vocabulary=6)
        one.logits = model.logits[example : example + 1]
        alone = search(one, [limit], 4)
        assert found_sequences(alone, 0) == found_sequences(found, example)
        np.testing.assert_allclose(alone.scores[0], found.scores[example], rtol=1e-6)


def test_what_does_not_exist_has_no_length_and_no_score():
    model = TableModel(4, batch=1, vocabulary=3)
    found = search(model, [2], 7)  # wider than the vocabulary, and than the three sequences there are
    assert sorted(found_sequences(found, 0)) == [(0, END), (1, END), (END,)]
    assert found.lengths.numpy()[0, 3:].tolist() == [0] * 4
    assert not np.any(found.tokens[0, 3:])
    assert np.all(np.isneginf(found.scores[0, 3:])) and np.all(np.isneginf(found.log_probabilities[0, 3:]))


def test_impossible_tokens_are_not_chosen_and_no_number_at_all_ends_the_search():
    def step(tokens, states, live):
        logits = tf.constant([[0.0, -np.inf, 1.0, -np.inf], [np.nan] * 4, [-np.inf] * 4])
        return tf.gather(logits, examples_of(live)), states

    found = beam_search(step, (), [3, 3, 3], start=START, end=END, width=4)
    assert sorted(found_sequences(found, 0)) == [(0, 0, END), (0, END), (END,)]
    assert found_sequences(found, 1) == found_sequences(found, 2) == []
    assert np.all(np.isneginf(found.scores[1:]))


def test_forbidden_tokens_keep_their_share_of_the_probability():
    model = TableModel(5)
    found = search(model, [5] * 3, 4, length_exponent=0.0, forbidden=np.array([0, START]))
    for example in range(3):
        sequences = found_sequences(found, example)
        assert sequences and all(set(tokens) <= {END, 3} for tokens in sequences)
        rescored = [model.log_probability(example, tokens) for tokens in sequences]
        np.testing.assert_allclose(found.scores[example, : len(sequences)], rescored, rtol=1e-5)


def test_of_equal_hypotheses_the_first_to_end_and_the_lowest_token_come_first():
    found = beam_search(
        lambda tokens, states, live: (tf.zeros([tf.shape(tokens)[0], 4]), states),
        (),
        [2],
        start=START,
        end=END,
        width=4,
    )
    assert found_sequences(found, 0) == [(END,), (0, END), (1, END), (3, END)]
    np.testing.assert_array_equal(found.scores, [[found.scores[0, 0]] * 4])


def test_scores_are_float32_when_the_model_is_not():
    model = TableModel(6)

    def half(tokens, states, live):
        logits, states = model.step(tokens, states, live)
        return tf.cast(logits, tf.bfloat16), states

    found = beam_search(half, model.states(), [5] * 3, start=START, end=END, width=3)
    model.logits = tf.cast(tf.cast(model.logits, tf.bfloat16), tf.float32).numpy()
    assert found.log_probabilities.dtype == found.scores.dtype == tf.float32
    for example in range(3):
        rescored = [model.log_probability(example, tokens) for tokens in found_sequences(found, example)]
        np.testing.assert_allclose(found.log_probabilities[example], rescored, rtol=1e-5)


@pytest.mark.parametrize(("width", "autograph"), [(1, False), (3, False), (3, True)])
def test_in_a_graph_with_unknown_batch_as_eagerly_and_a_batch_of_none(width, autograph):
    model = TableModel(7)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)], autograph=autograph)
    def in_graph(limits):
        states = model.states(tf.shape(limits)[0])
        return beam_search(model.step, states, limits, start=START, end=END, width=width)

    for limits in ([6, 2, 4], [3], [0, 0], []):
        found = in_graph(tf.constant(limits, tf.int32))
        assert isinstance(found, Hypotheses)
        eagerly = beam_search(model.step, model.states(len(limits)), limits, start=START, end=END, width=width)
        for one, other in zip(found, eagerly, strict=True):
            assert one.shape == other.shape and one.shape[:2] == (len(limits), width)
            np.testing.assert_allclose(one, other, rtol=1e-6)
    assert in_graph.experimental_get_tracing_count() == 1


class Decoder(tf.Module):
    """A small network of real layers: memory of each example in, hypotheses out."""

    def __init__(self, vocabulary=40, units=16):
        super().__init__()
        keras.utils.set_random_seed(0)
        self.embedding = keras.layers.Embedding(vocabulary, 8)
        self.cell = GRUCell(units)
        self.dense = keras.layers.Dense(vocabulary, kernel_initializer=keras.initializers.RandomNormal(stddev=2.0))
        self.dense.build([None, units])
        self.dense.bias.assign(4.0 * np.eye(vocabulary)[END])
        self.step(tf.zeros([1], tf.int32), [tf.zeros([1, units])], tf.zeros([1], tf.int32), tf.zeros([1, units]))

    def step(self, tokens, states, examples, memory):
        output, states = self.cell(self.embedding(tokens), states)
        return self.dense(output + tf.gather(memory, examples)), states

    @tf.function(input_signature=[tf.TensorSpec([None, 16]), tf.TensorSpec([None], tf.int32)], autograph=False)
    def decode(self, memory, limits):
        def step(tokens, states, live):
            return self.step(tokens, states, examples_of(live), memory)

        return beam_search(step, [memory], limits, start=START, end=END, width=5, forbidden=(0, START))

    def teacher_forced(self, memory, tokens):
        """The log probability of each row of (batch, steps) tokens, 0 behind the end."""
        states, total = [memory], 0.0
        rows = tf.range(len(tokens))
        before = tf.fill([len(tokens)], START)
        for token in tf.unstack(tokens, axis=1):
            logits, states = self.step(before, states, rows, memory)
            gains = tf.gather(tf.nn.log_softmax(logits), token, batch_dims=1)
            total += tf.where(token == 0, 0.0, gains)
            before = token
        return total


def test_scores_of_a_recurrent_network_are_those_of_teacher_forcing():
    decoder, memory = Decoder(), tf.random.stateless_normal([6, 16], [0, 0])
    found = decoder.decode(memory, tf.fill([6], 12))
    assert len(set(found.lengths.numpy().ravel())) > 2
    for place in range(5):
        forced = decoder.teacher_forced(memory, found.tokens[:, place])
        np.testing.assert_allclose(found.log_probabilities[:, place], forced, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(
            found.scores[:, place], forced / tf.cast(found.lengths[:, place], "float32"), rtol=1e-5, atol=1e-6
        )


def test_a_saved_model_finds_the_same(tmp_path):
    decoder = Decoder()
    tf.saved_model.save(decoder, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    for batch in (4, 1, 0):
        memory, limits = tf.random.stateless_normal([batch, 16], [0, 1]), tf.range(batch) + 5
        for one, other in zip(decoder.decode(memory, limits), loaded.decode(memory, limits), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("columns", [1, 5, 1024, 2003, 4000, None])
@pytest.mark.parametrize("count", [1, 5])
def test_the_largest_are_those_of_top_k(columns, count):
    # Whole numbers of which the large ones are few and the smaller ones many, so that some are equal.
    values = np.random.default_rng(0).geometric(0.5, size=(30, columns or 900)).astype("f")
    count = min(count, values.shape[1])
    values[0] = -np.inf
    in_graph = tf.function(largest, input_signature=[tf.TensorSpec([None, columns]), tf.TensorSpec([], tf.int32)])
    for found in (largest(tf.constant(values), count), in_graph(values, count) if columns is None else None):
        if found is not None:
            expected = tf.math.top_k(values, count)
            np.testing.assert_array_equal(found[0], expected.values)
            np.testing.assert_array_equal(found[1], expected.indices)


def test_a_width_of_0_and_a_forbidden_end_are_refused():
    model = TableModel(0)
    with pytest.raises(ValueError, match="width must be at least 1, got 0"):
        search(model, [5] * 3, 0)
    with pytest.raises(ValueError, match="end token 2 is forbidden"):
        search(model, [5] * 3, 2, forbidden=(END,))
