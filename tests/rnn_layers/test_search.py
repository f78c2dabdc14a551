"""The search layer: what it finds is what its decoder scores highest, and it comes back from a file."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnn_layers import search as search_module
from rnn_layers.attention_decoder import AttentionDecoder
from rnn_layers.gru import GRU
from rnn_layers.lstm import LSTM
from rnn_layers.search import Search

VOCABULARY, SIZE, PLACES, START, END = 8, 5, 4, 1, 2


def make_decoder(cell=GRU, seed=0, **given) -> AttentionDecoder:
    """A decoder whose weights are random numbers, large enough that some tokens are far likelier than others."""
    layers = [cell(4, return_sequences=True, return_state=True) for _ in range(2)]
    decoder = AttentionDecoder(layers, VOCABULARY, 3, **given)
    decoder.build((None, None), (None, None, SIZE))
    random = np.random.default_rng(seed)
    for variable in decoder.trainable_variables:
        variable.assign(random.normal(scale=0.9, size=variable.shape))
    return decoder


def look(batch=4, seed=1):
    """A memory, and a mask with padding."""
    random = np.random.default_rng(seed)
    mask = np.arange(PLACES) < random.integers(1, PLACES + 1, size=(batch, 1))
    return random.normal(size=(batch, PLACES, SIZE)).astype("float32"), mask


def never_ending(decoder):
    """The same decoder, for which the end is very improbable."""
    bias = decoder.bias.numpy()
    bias[END] = -50
    decoder.bias.assign(bias)
    return decoder


def log_softmax(scores):
    scores = scores.astype(float)
    return scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))


@pytest.mark.parametrize("cell, given", [(GRU, {}), (LSTM, {"attention": "additive", "tied": False})])
def test_a_width_of_1_takes_the_likeliest_token_of_each_step(cell, given):
    decoder = make_decoder(cell, **given)
    memory, mask = look()
    tokens, scores = Search(decoder, START, END, width=1, length_exponent=0.5)(memory, mask)
    assert tokens.dtype == tf.int32 and scores.dtype == tf.float32
    for row in range(len(memory)):
        looked_at, states = decoder.look_at(memory[row : row + 1], mask[row : row + 1])
        most, found, total = 2 * mask[row].sum() + 10, [START], 0.0
        while found[-1] != END or len(found) == 1:
            logits, states = decoder.step(tf.constant(found[-1:]), states, looked_at)
            log_p = log_softmax(logits.numpy()[0])
            allowed = [END] if len(found) == most else [token for token in range(VOCABULARY) if token not in (0, START)]
            found.append(max(allowed, key=lambda token: log_p[token]))
            total += log_p[found[-1]]
        answer = found[1:]
        assert tokens.numpy()[row].tolist() == answer + [0] * (tokens.shape[1] - len(answer))
        assert scores.numpy()[row] == pytest.approx(total / len(answer) ** 0.5, abs=1e-4)


@pytest.mark.parametrize("length_exponent", [0.0, 1.0])
def test_scores_are_what_the_decoder_gives_to_the_whole_sequence(length_exponent):
    decoder = make_decoder()
    memory, mask = look()
    search = Search(decoder, START, END, width=6, length_exponent=length_exponent)
    found = search.find(memory, mask)
    for place in range(6):
        tokens, lengths = found.tokens.numpy()[:, place], found.lengths.numpy()[:, place]
        before = np.concatenate([np.full((len(tokens), 1), START), tokens[:, :-1]], axis=1)
        log_p = log_softmax(decoder(before, memory, mask=mask).numpy())
        chosen = np.take_along_axis(log_p, tokens[:, :, np.newaxis], axis=2)[:, :, 0]
        totals = np.where(tokens > 0, chosen, 0).sum(axis=1)
        np.testing.assert_allclose(found.log_probabilities.numpy()[:, place], totals, rtol=1e-5, atol=1e-5)
        expected = totals / lengths.astype(float) ** length_exponent
        np.testing.assert_allclose(found.scores.numpy()[:, place], expected, rtol=1e-5, atol=1e-5)
        assert (np.take_along_axis(tokens, lengths[:, np.newaxis] - 1, axis=1) == END).all()
    best, scores = search(memory, mask)
    assert np.array_equal(best, found.tokens[:, 0]) and np.array_equal(scores, found.scores[:, 0])


def test_a_row_without_a_place_has_no_answer_and_disturbs_no_other():
    search = Search(make_decoder(), START, END, width=3)
    memory, mask = look()
    expected, expected_scores = search(memory[1:], mask[1:])
    mask[0] = False
    tokens, scores = search(memory, mask)
    assert not tokens.numpy()[0].any() and scores.numpy()[0] == -np.inf
    assert np.array_equal(tokens[1:], expected)
    np.testing.assert_allclose(scores.numpy()[1:], expected_scores.numpy(), atol=1e-5)


def test_padding_and_the_other_rows_change_no_answer():
    search = Search(make_decoder(), START, END, width=3)
    memory, mask = look()
    tokens, scores = (each.numpy() for each in search(memory, mask))
    for row in range(len(memory)):
        size = mask[row].sum()
        alone, score = (each.numpy() for each in search(memory[row : row + 1, :size], mask[row : row + 1, :size]))
        assert alone[0].tolist() == tokens[row, : alone.shape[1]].tolist() and not tokens[row, alone.shape[1] :].any()
        assert score[0] == pytest.approx(scores[row], abs=1e-5)


def test_an_answer_has_twice_the_places_and_ten_tokens_at_most_or_as_many_as_are_asked_for():
    search = Search(never_ending(make_decoder()), START, END, width=2)
    memory, mask = look()
    assert np.count_nonzero(search(memory, mask)[0], axis=1).tolist() == (2 * mask.sum(axis=1) + 10).tolist()
    for most in (1, 3):
        search.most_steps = most
        tokens = search(memory, mask)[0].numpy()
        assert tokens.shape == (4, most) and (tokens[:, -1] == END).all()


def test_the_longest_inputs_get_an_answer_of_bounded_length(monkeypatch):
    search = Search(never_ending(make_decoder()), START, END, width=2)
    memory, mask = look()
    monkeypatch.setattr(search_module, "LONGEST", 15)
    counts = np.count_nonzero(search(memory, mask)[0], axis=1)
    assert counts.tolist() == np.minimum(2 * mask.sum(axis=1) + 10, 15).tolist() and set(counts) == {14, 15}
    search.most_steps = 16
    assert np.count_nonzero(search(memory, mask)[0], axis=1).tolist() == [16] * 4


def test_a_wider_beam_finds_no_worse_answer_and_a_changed_width_takes_effect():
    search = Search(make_decoder(seed=5), START, END, width=1)
    memory, mask = look(batch=12)
    greedy = search(memory, mask)[1].numpy()
    search.width = 5
    wide = search(memory, mask)[1].numpy()
    assert (wide >= greedy - 1e-5).all() and (wide > greedy + 1e-3).any()
    assert search.find(memory, mask).tokens.shape[1] == 5


def test_the_length_exponent_decides_between_short_and_long_answers():
    search = Search(make_decoder(seed=5), START, END, width=6, length_exponent=0.0)
    memory, mask = look(batch=12)
    short = np.count_nonzero(search(memory, mask)[0], axis=1)
    search.length_exponent = 3.0
    long = np.count_nonzero(search(memory, mask)[0], axis=1)
    assert (long >= short).all() and (long > short).any()


def test_a_batch_of_no_row_has_no_answer():
    tokens, scores = Search(make_decoder(), START, END, width=3)(np.zeros((0, 3, SIZE), "f"), np.zeros((0, 3), bool))
    assert tokens.shape[0] == 0 and scores.shape == (0,)


def test_a_traced_search_of_unknown_shapes_answers_the_same():
    search = Search(make_decoder(), START, END, width=4)
    signature = [tf.TensorSpec([None, None, SIZE]), tf.TensorSpec([None, None], tf.bool)]
    traced = tf.function(search, input_signature=signature)
    for batch in (4, 1):
        memory, mask = look(batch)
        for one, other in zip(traced(memory, mask), search(memory, mask), strict=True):
            np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-5)


def test_a_model_with_a_search_comes_back_from_its_file(tmp_path):
    memory, mask = look()
    inputs = [keras.Input((None, SIZE)), keras.Input((None,), dtype="bool")]
    search = Search(make_decoder(LSTM), START, END, width=3, length_exponent=0.7, most_steps=6, name="search")
    model = keras.Model(inputs, search(*inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for ours, theirs in zip(model([memory, mask]), loaded([memory, mask]), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-6)
    # What is set on a loaded model counts in the model.
    loaded.get_layer("search").most_steps = 2
    assert loaded([memory, mask])[0].shape == (4, 2)


def test_every_argument_survives_the_configuration():
    other = {
        "decoder": make_decoder(LSTM, tied=False),
        "start": 5,
        "end": 6,
        "width": 2,
        "length_exponent": 0.25,
        "most_steps": 9,
        "name": "another",
        "dtype": "mixed_bfloat16",
    }
    required = {"decoder": make_decoder(), "start": START, "end": END}
    default = Search(**required).get_config()
    names = [name for name in inspect.signature(Search.__init__).parameters if name not in ("self", "kwargs")]
    for name in [*names, "name", "dtype"]:
        config = Search(**{**required, name: other[name]}).get_config()
        assert config[name] != default[name], name
        assert Search.from_config(config).get_config() == config, name
