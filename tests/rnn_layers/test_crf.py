"""The conditional random field against sums over all paths, written out in numpy."""

import functools
import inspect
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_layers.crf import (
    CRF,
    FORBIDDEN,
    ChainLoss,
    decode,
    log_partition,
    marginals,
    negative_log_likelihood,
    path_score,
)

TABLES = ("allowed", "allowed_first", "allowed_last")


def legal_or_minus_infinity(weight, allowed):
    return weight if allowed is None else np.where(allowed, weight, -np.inf)


def all_paths(layer, scores):
    """Every path over the valid steps of one sentence, and its log score by the equations, in float64."""
    transitions, first, last = (np.asarray(weight, np.float64) for weight in layer.get_weights())
    transitions = legal_or_minus_infinity(transitions, layer.allowed)
    first = legal_or_minus_infinity(first, layer.allowed_first)
    last = legal_or_minus_infinity(last, layer.allowed_last)
    length, tags = scores.shape
    paths = np.array(list(itertools.product(range(tags), repeat=length)), int).reshape(tags**length, length)
    if not length:
        return paths, np.zeros(1)
    totals = scores.astype(np.float64)[np.arange(length), paths].sum(axis=1) + first[paths[:, 0]] + last[paths[:, -1]]
    return paths, totals + transitions[paths[:, :-1], paths[:, 1:]].sum(axis=1)


def log_sum(totals):
    return totals.max() + np.log(np.exp(totals - totals.max()).sum())


def make_case(seed, batch=3, time=4, tags=3, spread=2.0, tables=True, dtype="float32"):
    """A layer with random weights and tables, scores, a right-padded mask and tags."""
    random = np.random.default_rng(seed)
    given_tables = {}
    if tables:
        shapes = ((tags, tags), tags, tags)
        given_tables = {name: random.random(shape) < 0.7 for name, shape in zip(TABLES, shapes, strict=True)}
        for name in TABLES[1:]:
            given_tables[name][random.integers(tags)] = True
    layer = CRF(**given_tables, dtype=dtype)
    layer.build((None, None, tags))
    layer.set_weights([random.normal(0, spread, weight.shape) for weight in layer.get_weights()])
    scores = random.normal(0, spread, (batch, time, tags)).astype(dtype)
    mask = np.arange(time) < random.integers(0, time + 1, (batch, 1))
    return layer, scores, mask, np.where(mask, random.integers(0, tags, (batch, time)), -1)


@functools.cache
def graph(tags):
    """Everything that is a function of potentials, for any batch and any length."""
    return tf.function(
        lambda potentials, mask: (log_partition(potentials), marginals(potentials), *decode(potentials, mask)),
        [tf.TensorSpec((None, None, tags, tags)), tf.TensorSpec((None, None), tf.bool)],
    )


@settings(deadline=None, max_examples=80)
@given(
    st.integers(0, 2**32), st.integers(0, 4), st.integers(1, 5), st.integers(1, 4), st.sampled_from([0.0, 1.0, 50.0])
)
def test_sums_and_maxima_over_all_paths(seed, batch, time, tags, spread):
    layer, scores, mask, _ = make_case(seed, batch, time, tags, spread)
    potentials = layer(scores, mask=mask)
    results = [np.asarray(result) for result in graph(tags)(potentials, mask)]
    assert [result.shape for result in results] == [(batch,), (batch, time, tags), (batch, time), (batch,)]
    for log_z, probabilities, best, score, row, valid in zip(*results, scores, mask, strict=True):
        length = valid.sum()
        assert np.isfinite(log_z)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
        np.testing.assert_array_equal(best[length:], 0)
        paths, totals = all_paths(layer, row[:length])
        if totals.max() == -np.inf:
            assert score <= FORBIDDEN
            continue
        bound = 1e-5 * max(1, abs(log_sum(totals)))
        assert abs(log_z - log_sum(totals)) <= bound
        assert abs(score - totals.max()) <= bound
        assert abs(totals[np.all(paths == best[:length], axis=1)][0] - totals.max()) <= bound
        chances = np.exp(totals - log_sum(totals))
        expected = (chances[:, np.newaxis, np.newaxis] * np.eye(tags)[paths]).sum(axis=0)
        # A rounding of scores of 50 is a relative error in exp of them.
        np.testing.assert_allclose(probabilities[:length], expected, rtol=0, atol=1e-5 * max(1, spread))
        after = probabilities[length - 1] if length else np.eye(tags)[0]
        np.testing.assert_allclose(probabilities[length:], np.tile(after, (time - length, 1)), atol=1e-5)


def brute_force_loss(layer, scores, mask, tags):
    losses = []
    for row, valid, truth in zip(scores, mask, tags, strict=True):
        paths, totals = all_paths(layer, row[valid])
        losses.append(log_sum(totals) - totals[np.all(paths == truth[valid], axis=1)][0])
    return np.array(losses)


@pytest.mark.parametrize(("dtype", "bound"), [("float32", 1e-5), ("float64", 1e-8)])
@pytest.mark.parametrize("tables", [False, True])
def test_the_gradient_against_differences_of_the_sum_over_all_paths(dtype, bound, tables):
    layer, scores, _, _ = make_case(4, tables=tables, dtype=dtype)
    mask = np.arange(4) < np.array([[4], [2], [0]])
    tags = np.array([[0, 2, 2, 1], [2, 1, -1, 77], [-1, -1, -1, -1]])
    if tables:
        # What the tags take must be allowed, something else forbidden.
        layer.allowed[0, 2] = layer.allowed[2, 2] = layer.allowed[2, 1] = layer.allowed_last[1] = True
        layer.allowed_first[[0, 2]] = True
        assert not layer.allowed.all()
    weights = [1.0, 0.5, 2.0]
    with tf.GradientTape() as tape:
        watched = tf.constant(scores)
        tape.watch(watched)
        losses = negative_log_likelihood(layer(watched, mask=mask), tags, mask)
        total = tf.reduce_sum(losses * weights)
    gradients = tape.gradient(total, [watched, *layer.trainable_variables])
    np.testing.assert_allclose(losses, brute_force_loss(layer, scores, mask, tags), rtol=0, atol=bound)
    exact = CRF(**{name: getattr(layer, name) for name in TABLES}, dtype="float64")
    exact.build((None, None, 3))
    values = [scores.astype(np.float64), *(np.asarray(weight, np.float64) for weight in layer.get_weights())]

    def loss_at(values):
        exact.set_weights(values[1:])
        return float(brute_force_loss(exact, values[0], mask, tags) @ weights)

    for position, gradient in enumerate(gradients):
        expected = np.zeros_like(values[position])
        for index in np.ndindex(*expected.shape):
            around = []
            for change in (1e-5, -1e-5):
                changed = [value.copy() for value in values]
                changed[position][index] += change
                around.append(loss_at(changed))
            expected[index] = (around[0] - around[1]) / 2e-5
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=bound)
        if not tables:
            assert np.any(gradient)
    np.testing.assert_array_equal(gradients[0][~mask], 0)


def test_by_hand():
    layer = CRF()
    layer.build((None, None, 2))
    layer.set_weights([np.array([[1.0, 0.0], [-3.0, 2.0]]), np.array([0.0, 1.0]), np.array([4.0, 0.0])])
    scores = np.array([[[1.0, 2.0], [3.0, 5.0]]], "float32")
    potentials = layer(scores)
    np.testing.assert_array_equal(potentials[0], [[[1, 3], [1, 3]], [[8, 5], [4, 7]]])
    # The paths 00, 01, 10 and 11.
    np.testing.assert_allclose(log_partition(potentials), [log_sum(np.array([9.0, 6.0, 7.0, 10.0]))], rtol=1e-6)
    tags, score = decode(potentials)
    np.testing.assert_array_equal(tags, [[1, 1]])
    np.testing.assert_array_equal(score, [10])
    np.testing.assert_array_equal(path_score(potentials, [[0, 1]]), [6])
    # One step is the first and the last.
    np.testing.assert_array_equal(layer(scores, mask=np.array([[True, False]]))[0, 0], [[5, 3], [5, 3]])


def test_scores_never_make_up_for_a_forbidden_step():
    random = np.random.default_rng(0)
    # Tag 2 may only follow 1 or itself, and tag 0 not follow 2.
    allowed = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]], bool)
    layer = CRF(allowed, allowed_first=[True, False, False], allowed_last=[False, True, False])
    # Every second step pays for 2 and for 0: over 300 steps far more than any potential of -10,000 would.
    scores = random.normal(size=(4, 300, 3)).astype("float32")
    scores[:, ::2, 2] += 1e4
    scores[:, 1::2, 0] += 1e4
    mask = np.arange(300) < np.array([[300], [299], [2], [1]])
    potentials = layer(scores, mask=mask)
    tags, score = (np.asarray(result) for result in decode(potentials, mask))
    for row, length in zip(tags[:3], (300, 299, 2), strict=True):
        assert row[0] == 0
        assert row[length - 1] == 1
        assert allowed[row[: length - 1], row[1:length]].all()
    assert np.all(score[:3] > -1e6)
    # The last row's only step would have to be 0 and 1: no path is legal, and everything stays finite.
    assert score[3] <= FORBIDDEN
    for value in (log_partition(potentials), marginals(potentials)):
        assert np.isfinite(value).all()
    # Where 2 gets all of the probability by its score, and none by the rules.
    assert np.max(marginals(potentials)[:3, 0, 1:]) == 0


def forward_in_float64(potentials, reduce):
    best = potentials[0, 0]
    for step in potentials[1:]:
        best = reduce(best[:, np.newaxis] + step)
    return float(reduce(best[:, np.newaxis])[0])


def test_five_thousand_steps():
    random = np.random.default_rng(1)
    allowed = random.random((6, 6)) < 0.5
    np.fill_diagonal(allowed, True)
    layer = CRF(allowed)
    layer.build((None, None, 6))
    layer.set_weights([random.uniform(-50, 50, weight.shape) for weight in layer.get_weights()])
    scores = random.normal(0, 20, (1, 5000, 6)).astype("float32")
    potentials = layer(scores)
    in_float64 = np.asarray(potentials[0], np.float64)

    def log_sum_of_columns(values):
        largest = values.max(axis=0)
        return largest + np.log(np.exp(values - largest).sum(axis=0))

    log_z, probabilities, tags, score = graph(6)(potentials, np.ones((1, 5000), bool))
    np.testing.assert_allclose(log_z, [forward_in_float64(in_float64, log_sum_of_columns)], rtol=1e-5)
    np.testing.assert_allclose(score, [forward_in_float64(in_float64, lambda values: values.max(axis=0))], rtol=1e-5)
    np.testing.assert_allclose(tf.reduce_sum(probabilities, axis=2), np.ones((1, 5000)), atol=1e-4)
    assert allowed[tags[0, :-1], tags[0, 1:]].all()
    # The sum of the float32 potentials along the path, exactly, is the best that there is.
    along = in_float64[np.arange(5000), np.append(0, tags[0, :-1]), tags[0]].sum()
    np.testing.assert_allclose(along, forward_in_float64(in_float64, lambda values: values.max(axis=0)), rtol=1e-9)


def test_small_differences_decide_after_thousands_of_steps():
    random = np.random.default_rng(2)
    layer = CRF()
    # The sum over the steps so far would be rounded to 1/32.
    scores = (100 + random.normal(0, 0.01, (1, 5000, 3))).astype("float32")
    _, probabilities, tags, _ = graph(3)(layer(scores), np.ones((1, 5000), bool))
    np.testing.assert_array_equal(tags, scores.argmax(axis=2))
    chances = np.exp(scores.astype(np.float64) - 100)
    np.testing.assert_allclose(probabilities, chances / chances.sum(axis=2, keepdims=True), rtol=1e-4)


def test_a_path_that_falls_far_behind_is_not_lost():
    # Tag 1 loses 100 at every step, and exp(-1000) is 0: yet it is the only one that may end.
    layer = CRF(allowed=np.eye(2, dtype=bool), allowed_last=[False, True])
    scores = np.zeros((1, 10, 2), "float32")
    scores[..., 1] = -100
    potentials = layer(scores)
    np.testing.assert_allclose(log_partition(potentials), [-1000], rtol=1e-6)
    np.testing.assert_array_equal(marginals(potentials), np.tile([0.0, 1.0], (1, 10, 1)))
    np.testing.assert_array_equal(decode(potentials)[0], np.ones((1, 10)))


def loss_and_gradients(layer, scores, tags, mask):
    with tf.GradientTape() as tape:
        tape.watch(scores)
        losses = negative_log_likelihood(layer(scores, mask=mask), tags, mask)
    return losses, tape.gradient(losses, [scores, *layer.trainable_variables])


@pytest.mark.parametrize("compiled", [False, True])
def test_no_row_no_step_one_step_and_compilation(compiled):
    layer, scores, mask, tags = make_case(2, 3, 5, 4, tables=False)
    signature = [
        tf.TensorSpec((None, None, 4)),
        tf.TensorSpec((None, None), tf.int32),
        tf.TensorSpec((None, None), "bool"),
    ]
    both = tf.function(
        lambda *given: (*loss_and_gradients(layer, *given), *decode(layer(given[0], mask=given[2]), given[2])),
        None if compiled else signature,
        jit_compile=compiled,
    )
    cuts = [(slice(None), slice(None)), (slice(0), slice(None)), (slice(None), slice(1)), (slice(None), slice(0))]
    for rows, steps in cuts[:1] if compiled else cuts:
        values = [tf.constant(value[rows, steps]) for value in (scores, tags.astype("int32"), mask)]
        losses, gradients, paths, best = both(*values)
        expected = brute_force_loss(layer, *(value.numpy() for value in (values[0], values[2], values[1])))
        np.testing.assert_allclose(losses, expected, rtol=0, atol=1e-5)
        assert [gradient.shape for gradient in gradients] == [values[0].shape, (4, 4), (4,), (4,)]
        assert paths.shape == values[1].shape
        assert best.shape == losses.shape
        # Eagerly the same.
        _, eager = loss_and_gradients(layer, *values)
        for ours, theirs in zip(gradients, eager, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)
        np.testing.assert_array_equal(paths, decode(layer(values[0], mask=values[2]), values[2])[0])


def test_padding_changes_nothing():
    layer, scores, _, tags = make_case(7, 2, 3, 4, tables=False)
    tags = np.abs(tags)
    longer = np.concatenate([scores, np.full((2, 2, 4), 1e6, "float32")], axis=1)
    mask = np.tile(np.arange(5) < 3, (2, 1))
    without, padded = layer(scores), layer(longer, mask=mask)
    np.testing.assert_array_equal(padded[:, :3], without)
    np.testing.assert_allclose(log_partition(padded), log_partition(without), rtol=1e-6)
    for filling in (-1, 3, 1000):
        filled = np.pad(tags, ((0, 0), (0, 2)), constant_values=filling)
        np.testing.assert_allclose(path_score(padded, filled, mask), path_score(without, tags), rtol=1e-6)
    paths, best = decode(padded, mask)
    np.testing.assert_array_equal(paths, np.pad(decode(without)[0], ((0, 0), (0, 2))))
    np.testing.assert_allclose(best, decode(without)[1], rtol=1e-6)


def test_a_second_derivative_is_refused():
    potentials = make_case(3)[0](np.ones((1, 3, 3), "float32"))
    with tf.GradientTape() as outer:
        outer.watch(potentials)
        with tf.GradientTape() as inner:
            inner.watch(potentials)
            log_z = log_partition(potentials)
        first = inner.gradient(log_z, potentials)
    with pytest.raises(LookupError, match="no second derivative"):
        outer.gradient(first, potentials)


OTHER_VALUES = {
    "allowed": np.array([[True, False], [True, True]]),
    "allowed_first": [1, 0],
    "allowed_last": (False, True),
    "transitions_initializer": keras.initializers.RandomUniform(-0.3, 0.4, seed=5),
    "name": "another",
    "dtype": "mixed_bfloat16",
    "trainable": False,
}


def test_every_argument_survives_the_configuration():
    default = CRF().get_config()
    names = [name for name in inspect.signature(CRF.__init__).parameters if name not in ("self", "kwargs")]
    for name in [*names, "name", "dtype", "trainable"]:
        layer = CRF(**{name: OTHER_VALUES[name]})
        config = layer.get_config()
        assert config[name] != default[name], name
        assert CRF.from_config(config).get_config() == config, name
        layer.build((None, None, 2))
        copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
        assert copy.get_config() == config, name
    assert [keras.saving.get_registered_name(each) for each in (CRF, ChainLoss)] == [
        "rnn_templates>CRF",
        "rnn_templates>ChainLoss",
    ]
    loss = ChainLoss(reduction="sum", name="other")
    assert ChainLoss.from_config(loss.get_config()).get_config() == loss.get_config()


def make_model():
    inputs = keras.Input((None,), dtype="int32")
    embedded = keras.layers.Embedding(9, 4, mask_zero=True)(inputs)
    potentials = CRF(allowed_first=[True, True, False], name="crf")(keras.layers.Dense(3)(embedded))
    return keras.Model(inputs, potentials)


def test_an_ordinary_model_learns_and_its_file_loads(tmp_path):
    keras.utils.set_random_seed(1)
    ids = np.random.default_rng(0).integers(1, 9, (64, 7))
    ids[np.arange(7) >= np.random.default_rng(1).integers(1, 8, (64, 1))] = 0
    # The tag says whether the word before was an even one: the word itself does not tell.
    tags = np.where(ids == 0, -1, np.pad(ids[:, :-1] % 2 + (ids[:, :-1] > 6), ((0, 0), (1, 0))))
    model = make_model()
    model.compile(keras.optimizers.Adam(0.05), ChainLoss())
    before = model.get_weights()
    history = model.fit(ids, tags, epochs=8, batch_size=16, verbose=0).history["loss"]
    assert history[-1] < 0.8 * history[0]
    for old, new in zip(before, model.get_weights(), strict=True):
        assert np.any(old != new)
    # The loss is the mean over sentences, and a weight is one sentence's.
    mask = ids != 0
    losses = negative_log_likelihood(model(ids), tags, mask).numpy()
    np.testing.assert_allclose(model.evaluate(ids, tags, verbose=0), losses.mean(), rtol=1e-5)
    weights = np.arange(64.0)
    weighted = model.evaluate(ids, tags, sample_weight=weights, batch_size=64, verbose=0)
    np.testing.assert_allclose(weighted, (losses * weights).mean(), rtol=1e-5)

    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded(ids), model(ids))
    assert loaded.get_layer("crf").get_config() == model.get_layer("crf").get_config()
    np.testing.assert_allclose(loaded.evaluate(ids, tags, verbose=0), losses.mean(), rtol=1e-5)


def test_a_saved_model_decodes(tmp_path):
    model = make_model()
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "tags", lambda ids: decode(model(ids), ids != 0), [tf.TensorSpec((None, None), tf.int32, name="ids")]
    )
    archive.write_out(tmp_path / "saved", verbose=False)
    served = tf.saved_model.load(tmp_path / "saved")
    for ids in (np.array([[1, 2, 3, 0], [4, 0, 0, 0], [0, 0, 0, 0]]), np.zeros((0, 3)), np.zeros((2, 0))):
        ids = tf.constant(ids, tf.int32)
        for got, expected in zip(served.tags(ids), decode(model(ids), ids != 0), strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_the_potentials_are_float32_under_any_precision():
    full, scores, mask, _ = make_case(5)
    for policy in ("mixed_bfloat16", "mixed_float16", "bfloat16"):
        layer = CRF(**{name: getattr(full, name) for name in TABLES}, dtype=policy)
        layer.build((None, None, 3))
        layer.set_weights(full.get_weights())
        potentials = layer(scores, mask=mask)
        assert potentials.dtype == tf.float32
        assert layer(keras.Input((None, 3))).dtype == "float32"
        if policy != "bfloat16":
            # Neither the weights nor scores in float32 are rounded on the way.
            np.testing.assert_array_equal(potentials, full(scores, mask=mask))
    assert CRF(dtype="float64")(scores).dtype == tf.float64


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CRF(allowed=[True, False]), r"allowed must have shape \(tags, tags\), got \(2,\)"),
        (lambda: CRF(allowed=np.ones((2, 3))), "allowed must have shape"),
        (lambda: CRF(allowed_first=[[True]]), "allowed_first must have shape"),
        (lambda: CRF(allowed_last=[False, False]), "allowed_last allows no tag"),
        (lambda: CRF(allowed_first=[True, True])(np.ones((1, 2, 3))), r"shape \(2,\), the scores have 3 tags"),
        (lambda: CRF()(np.ones((2, 3))), "expected ndim=3"),
    ],
)
def test_mistakes_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
