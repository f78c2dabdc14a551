"""The decoder with attention against its equations in numpy, and the loss of its scores against the textbook sum."""

import inspect
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnn_layers.attention_decoder import ATTENTIONS, AttentionDecoder
from rnn_layers.gru import GRU
from rnn_layers.lstm import LSTM
from rnn_layers.simple_rnn import SimpleRNN
from rnn_layers.token_loss import token_losses

CELLS = {"simple_rnn": SimpleRNN, "gru": GRU, "lstm": LSTM}
VOCABULARY, EMBEDDING, UNITS, PLACES, SIZE = 7, 3, 4, 5, 6


def recurrent(cell="gru", layers=2, units=UNITS, **given):
    return [CELLS[cell](units, return_sequences=True, return_state=True, **given) for _ in range(layers)]


def built(cell="gru", layers=2, **given) -> AttentionDecoder:
    """A decoder whose weights, biases too, are random numbers."""
    decoder = AttentionDecoder(recurrent(cell, layers), VOCABULARY, EMBEDDING, **given)
    decoder.build((None, None), (None, None, SIZE))
    random = np.random.default_rng(0)
    for variable in decoder.trainable_variables:
        variable.assign(random.normal(scale=0.6, size=variable.shape))
    return decoder


def call_arguments(batch=3, steps=4, seed=1):
    """Tokens, memory, and a mask with a hole and with padding."""
    random = np.random.default_rng(seed)
    tokens = random.integers(1, VOCABULARY, size=(batch, steps)).astype("int32")
    mask = np.ones((batch, PLACES), bool)
    mask[0, 3:], mask[1, 1] = False, False
    return tokens, random.normal(size=(batch, PLACES, SIZE)).astype("float32"), mask


# The equations


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def simple_rnn_step(x, h, weights):
    w_x, w_h, b = weights
    return np.tanh(x @ w_x + h @ w_h + b)


def gru_step(x, h, weights):
    x_z, x_r, x_n = np.split(x @ weights[0] + weights[2][0], 3)
    h_z, h_r, h_n = np.split(h @ weights[1] + weights[2][1], 3)
    z = sigmoid(x_z + h_z)
    return z * h + (1 - z) * np.tanh(x_n + sigmoid(x_r + h_r) * h_n)


STEPS = {"simple_rnn": simple_rnn_step, "gru": gru_step}


def named_variables(decoder) -> dict[str, list]:
    """The decoder's trainable variables by the letters of its equations."""
    found = {"E": decoder.embedding, "W_o": decoder.output_layer}
    if decoder.attend:
        found |= {"W_q": decoder.query, "W_k": decoder.key, "v": decoder.attend}
    if decoder.memory_first:
        found["first input"] = decoder.first_input
    if not decoder.tied:
        found["W_y"] = decoder.scores
    found |= {f"first {index}": layer for index, layer in enumerate(decoder.first_states)}
    found |= {f"recurrent {index}": layer for index, layer in enumerate(decoder.recurrent_layers)}
    return {name: layer.trainable_variables for name, layer in found.items()} | (
        {"b": [decoder.bias]} if decoder.tied else {}
    )


def textbook(weights, cell, attention, tokens, memory, mask):
    """Scores (batch, steps, vocabulary) and attention (batch, steps, places), one example and one step at a time."""
    (table,), (w_o, b_o) = weights["E"], weights["W_o"]
    w_y, b_y = weights.get("W_y") or (table.T, weights["b"][0])
    layers = [weights[name] for name in weights if name.startswith("recurrent")]
    all_scores, all_attention = [], []
    for row, places, counts in zip(tokens, memory, mask):
        m = places[counts]
        if "first input" in weights:
            g, states = m.mean(axis=0) @ weights["first input"][0] + weights["first input"][1], []
            for layer in layers:
                g = STEPS[cell](g, np.zeros(UNITS), layer)
                states.append(g)
        else:
            states = [
                np.tanh(m.mean(axis=0) @ weights[f"first {i}"][0] + weights[f"first {i}"][1])
                for i in range(len(layers))
            ]
        for token in row:
            x = table[token]
            states[0] = STEPS[cell](x, states[0], layers[0])
            context = []
            if attention != "none":
                q, k = states[0] @ weights["W_q"][0], m @ weights["W_k"][0]
                energies = np.tanh(q + k) @ weights["v"][0] if attention == "additive" else k @ q
                energies /= UNITS**0.5 if attention == "scaled" else 1
                shares = np.exp(energies - energies.max())
                shares /= shares.sum()
                context = [shares @ m]
                all_attention.append(np.zeros(len(places)))
                all_attention[-1][counts] = shares
            g = states[0]
            for index in range(1, len(layers)):
                g = states[index] = STEPS[cell](
                    np.concatenate([g, *context]) if index == 1 else g, states[index], layers[index]
                )
            o = np.tanh(np.concatenate([g, *context, x]) @ w_o + b_o)
            all_scores.append(o @ w_y + b_y)
    shape = (*tokens.shape, -1)
    return np.reshape(all_scores, shape), np.reshape(all_attention, shape) if all_attention else None


CASES = [
    ("gru", 1, {"attention": "multiplicative", "tied": True}),
    ("gru", 2, {"attention": "scaled", "tied": True}),
    ("gru", 3, {"attention": "additive", "tied": False}),
    ("simple_rnn", 2, {"attention": "additive", "tied": True}),
    ("simple_rnn", 2, {"attention": "none", "tied": False}),
    ("gru", 1, {"attention": "none", "memory_first": True}),
    ("simple_rnn", 2, {"attention": "none", "memory_first": True}),
]


@pytest.mark.parametrize("cell, layers, given", CASES)
def test_scores_and_attention_follow_the_equations(cell, layers, given):
    decoder, attention = built(cell, layers, **given), given["attention"]
    tokens, memory, mask = call_arguments()
    weights = {name: [variable.numpy() for variable in found] for name, found in named_variables(decoder).items()}
    expected, expected_attention = textbook(weights, cell, attention, tokens, memory, mask)
    scores, looked = decoder(tokens, memory, mask=mask, return_attention=True)
    np.testing.assert_allclose(scores.numpy(), expected, atol=1e-5)
    if attention == "none":
        assert looked is None
    else:
        np.testing.assert_allclose(looked.numpy(), expected_attention, atol=1e-5)


@pytest.mark.parametrize("cell, layers, given", CASES)
def test_gradients_are_those_of_the_equations(cell, layers, given):
    """Against differences of the equations in float64, of some numbers of every weight and of the memory."""
    decoder, attention = built(cell, layers, **given), given["attention"]
    tokens, memory, mask = call_arguments(batch=2, steps=3)
    factors = np.random.default_rng(2).normal(size=(*tokens.shape, VOCABULARY))
    variables = named_variables(decoder)
    memory_tensor = tf.constant(memory)
    with tf.GradientTape() as tape:
        tape.watch(memory_tensor)
        total = tf.reduce_sum(decoder(tokens, memory_tensor, mask=mask) * factors.astype("float32"))
    gradients = tape.gradient(total, {"memory": [memory_tensor]} | variables)

    weights = {name: [variable.numpy().astype(float) for variable in found] for name, found in variables.items()}
    arrays = {"memory": [memory.astype(float)]} | weights
    choose, step = np.random.default_rng(3), 1e-5

    def total_of():
        return np.sum(textbook(weights, cell, attention, tokens, arrays["memory"][0], mask)[0] * factors)

    for name, found in arrays.items():
        for array, gradient in zip(found, gradients[name], strict=True):
            gradient = tf.convert_to_tensor(gradient).numpy()
            for _ in range(3):
                place = tuple(choose.integers(size) for size in array.shape)
                kept = array[place]
                array[place] = kept + step
                above = total_of()
                array[place] = kept - step
                difference = (above - total_of()) / (2 * step)
                array[place] = kept
                assert gradient[place] == pytest.approx(difference, rel=1e-3, abs=1e-4), (name, place)


def test_a_wide_scaled_attention_compares_no_sharper_than_a_narrow_one():
    """At its first weights and beside states of any width: else a wide one soon looks at one place, whatever is there."""

    def deviation_of_energies(attention, units):
        keras.utils.set_random_seed(1)
        random = np.random.default_rng(1)
        decoder = AttentionDecoder(recurrent(units=units), VOCABULARY, EMBEDDING, attention)
        decoder.build((None, None), (None, None, units))
        states, memory = random.normal(size=(2, 8, 20, units)).astype("float32")
        looked_at, _ = decoder.look_at(memory, np.ones((8, 20), bool))
        return np.std(decoder.query(states).numpy() @ looked_at.keys.numpy().swapaxes(1, 2))

    narrow, wide = (deviation_of_energies("scaled", units) for units in (16, 256))
    assert wide == pytest.approx(narrow, rel=0.2) and wide == pytest.approx(1, rel=0.2)
    assert deviation_of_energies("multiplicative", 256) > 10


# One step and whole sequences


@pytest.mark.parametrize(
    "given", [*({"attention": one} for one in ATTENTIONS), {"attention": "none", "memory_first": True}]
)
@pytest.mark.parametrize("cell", CELLS)
def test_whole_sequences_score_as_one_step_after_another(cell, given):
    tokens, memory, mask = call_arguments()
    for layers, tied in itertools.product((1, 2, 3), (True, False)):
        decoder = built(cell, layers, tied=tied, **given)
        whole = decoder(tokens, memory, mask=mask).numpy()
        looked_at, states = decoder.look_at(memory, mask)
        for step in range(tokens.shape[1]):
            scores, states = decoder.step(tf.constant(tokens[:, step]), states, looked_at)
            np.testing.assert_allclose(scores.numpy(), whole[:, step], atol=1e-5)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_rows_look_at_the_memory_of_their_example(attention):
    decoder = built(attention=attention)
    tokens, memory, mask = call_arguments()
    live = np.array([[False, True, True], [False, False, True], [True, False, False]])
    rows = np.nonzero(live)[0]
    looked_at, states = decoder.look_at(memory, mask)
    states = tf.nest.map_structure(lambda state: tf.gather(state, rows), states)
    scores, _ = decoder.step(tf.constant(tokens[rows, 0]), states, looked_at, live)
    np.testing.assert_allclose(scores.numpy(), decoder(tokens, memory, mask=mask).numpy()[rows, 0], atol=1e-5)


# Masks


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_places_that_do_not_count_change_nothing_and_are_not_looked_at(attention):
    decoder = built(attention=attention)
    tokens, memory, mask = call_arguments()
    scores, looked = decoder(tokens, memory, mask=mask, return_attention=True)
    changed = np.where(mask[:, :, np.newaxis], memory, 50)
    longer = np.concatenate([changed, np.full((3, 2, SIZE), -50, "float32")], axis=1).astype("float32")
    again = decoder(tokens, longer, mask=np.pad(mask, ((0, 0), (0, 2))))
    np.testing.assert_allclose(again.numpy(), scores.numpy(), atol=1e-5)
    if looked is not None:
        np.testing.assert_allclose(looked.numpy().sum(axis=2), 1, atol=1e-6)
        assert not looked.numpy()[np.broadcast_to(~mask[:, np.newaxis], looked.shape)].any()


def test_without_a_mask_every_place_counts():
    decoder = built()
    tokens, memory, mask = call_arguments()
    everywhere = decoder(tokens, memory, mask=np.ones_like(mask)).numpy()
    np.testing.assert_allclose(decoder(tokens, memory).numpy(), everywhere, atol=1e-6)
    assert np.abs(decoder(tokens, memory, mask=mask).numpy() - everywhere).max() > 1e-3


def test_the_mask_of_the_places_is_not_taken_for_one_of_the_steps():
    """Keras would let a loss leave out the steps that the mask of the places says."""
    tokens, memory, mask = call_arguments()
    inputs = [keras.Input((None,), dtype="int32"), keras.Input((None, SIZE)), keras.Input((None,), dtype="bool")]
    model = keras.Model(inputs, built()(inputs[0], inputs[1], mask=inputs[2]))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    expected = token_losses(model([tokens, memory, mask]), tokens)[0].numpy().mean()
    assert model.evaluate([tokens, memory, mask], tokens, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_a_row_without_a_place_gives_numbers():
    decoder = built()
    tokens, memory, mask = call_arguments()
    assert np.isfinite(decoder(tokens, memory, mask=np.zeros_like(mask)).numpy()).all()


def test_later_tokens_change_no_earlier_score():
    decoder = built("lstm", 3)
    tokens, memory, mask = call_arguments()
    other = tokens.copy()
    other[:, 2:] = tokens[:, 2:] % (VOCABULARY - 1) + 1
    scores, changed = (decoder(ids, memory, mask=mask).numpy() for ids in (tokens, other))
    np.testing.assert_allclose(changed[:, :2], scores[:, :2], atol=1e-6)
    assert (np.abs(changed[:, 2:] - scores[:, 2:]).max(axis=2) > 1e-4).all()


# Training


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("tied", [True, False])
def test_one_training_step_moves_every_weight(attention, tied):
    decoder = AttentionDecoder(
        recurrent("lstm", 3), VOCABULARY, EMBEDDING, attention, tied, embedding_dropout=0.1, dropout=0.1, seed=4
    )
    tokens, memory, mask = call_arguments(batch=8)
    right = np.roll(tokens, -1, axis=1)
    with tf.GradientTape() as tape:
        scores = decoder(tokens, memory, mask=mask, training=True)
        total = tf.reduce_mean(token_losses(scores, right)[0])
    gradients = tape.gradient(total, decoder.trainable_variables)
    before = [variable.numpy() for variable in decoder.trainable_variables]
    keras.optimizers.SGD(10.0).apply([*map(tf.convert_to_tensor, gradients)], decoder.trainable_variables)
    for variable, old in zip(decoder.trainable_variables, before, strict=True):
        assert np.isfinite(variable.numpy()).all() and not np.array_equal(variable.numpy(), old), variable.path


@pytest.mark.parametrize("seed", [0, 3])
def test_dropout_follows_from_the_seed_and_no_two_places_share_a_mask(seed):
    def masks_of(seed):
        given = {"embedding_dropout": 0.5, "dropout": 0.5, "seed": seed}
        decoder = AttentionDecoder(recurrent(), VOCABULARY, EMBEDDING, **given)
        layers = (decoder.drop_channels, decoder.drop_states, decoder.drop_inputs, decoder.drop_output)
        return [layer(tf.ones([1, 2, 200]), training=True).numpy() for layer in layers]

    masks = masks_of(seed)
    for mask, again in zip(masks, masks_of(seed), strict=True):
        assert np.array_equal(mask, again) and np.array_equal(mask[:, 0], mask[:, 1])
    for one, other in itertools.combinations(masks, 2):
        assert not np.array_equal(one, other)


def test_dropout_acts_in_training_only():
    decoder = built(embedding_dropout=0.5, dropout=0.5, seed=1)
    tokens, memory, mask = call_arguments()
    plain = built()
    np.testing.assert_allclose(decoder(tokens, memory, mask=mask).numpy(), plain(tokens, memory, mask=mask).numpy())
    trained = decoder(tokens, memory, mask=mask, training=True).numpy()
    assert np.abs(trained - plain(tokens, memory, mask=mask).numpy()).max() > 0.01


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("loops", ["mixed_bfloat16", "float32"])
def test_scores_are_float32_in_mixed_precision_and_gradients_reach_all(loops, tied):
    layers = recurrent(dtype=loops)
    decoder = AttentionDecoder(layers, VOCABULARY, EMBEDDING, tied=tied, dtype="mixed_bfloat16")
    tokens, memory, mask = call_arguments()
    with tf.GradientTape() as tape:
        scores = decoder(tokens, memory, mask=mask)
        total = tf.reduce_sum(scores**2)
    assert scores.dtype == tf.float32 and np.isfinite(scores.numpy()).all()
    for gradient in tape.gradient(total, decoder.trainable_variables):
        assert np.isfinite(tf.convert_to_tensor(gradient).numpy()).all()
    exact = AttentionDecoder(recurrent(), VOCABULARY, EMBEDDING, tied=tied)
    exact.build((None, None), (None, None, SIZE))
    exact.set_weights(decoder.get_weights())
    np.testing.assert_allclose(scores.numpy(), exact(tokens, memory, mask=mask).numpy(), atol=0.05)
    looked_at, states = decoder.look_at(memory, mask)
    for step in range(tokens.shape[1]):
        types = [[state.dtype for state in layer] for layer in states]
        stepped, states = decoder.step(tf.constant(tokens[:, step]), states, looked_at)
        np.testing.assert_allclose(stepped.numpy(), scores[:, step].numpy(), atol=0.05)
        # A search loops over them.
        assert [[state.dtype for state in layer] for layer in states] == types


# Configuration and files

OTHER_VALUES = {
    "recurrent_layers": recurrent("lstm", 3, units=5),
    "vocabulary_size": 11,
    "embedding_size": 9,
    "attention": "none",
    "tied": False,
    "embedding_dropout": 0.125,
    "dropout": 0.25,
    "seed": 0,
    "memory_first": True,
    "name": "another",
    "dtype": "mixed_bfloat16",
    "trainable": False,
}


def test_every_argument_survives_the_configuration():
    required = {"recurrent_layers": recurrent(), "vocabulary_size": VOCABULARY, "embedding_size": EMBEDDING}
    default = AttentionDecoder(**required).get_config()
    names = [name for name in inspect.signature(AttentionDecoder.__init__).parameters if name not in ("self", "kwargs")]
    for name in [*names, "name", "dtype", "trainable"]:
        needed = {"attention": "none"} if name == "memory_first" else {}
        config = AttentionDecoder(**{**required, **needed, name: OTHER_VALUES[name]}).get_config()
        assert config[name] != default[name], name
        again = AttentionDecoder.from_config(config)
        assert again.get_config() == config, name
        copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(again))
        assert type(copy) is AttentionDecoder and copy.get_config() == config, name


def test_from_config_leaves_the_dictionary_as_it_was():
    config = AttentionDecoder(recurrent(), VOCABULARY, EMBEDDING).get_config()
    first = AttentionDecoder.from_config(config)
    second = AttentionDecoder.from_config(config)
    assert first.get_config() == second.get_config() == config
    assert first.recurrent_layers[0] is not second.recurrent_layers[0]


@pytest.mark.parametrize("cell, attention, tied", [("gru", "additive", True), ("lstm", "multiplicative", False)])
def test_a_model_with_a_decoder_comes_back_from_its_file(tmp_path, cell, attention, tied):
    tokens, memory, mask = call_arguments()
    inputs = [
        keras.Input((None,), dtype="int32"),
        keras.Input((None, SIZE)),
        keras.Input((None,), dtype="bool"),
    ]
    decoder = built(cell, attention=attention, tied=tied, dropout=0.3, seed=2)
    model = keras.Model(inputs, decoder(inputs[0], inputs[1], mask=inputs[2]))
    assert model.output_shape == (None, None, VOCABULARY)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    expected = model([tokens, memory, mask]).numpy()
    np.testing.assert_allclose(expected, decoder(tokens, memory, mask=mask).numpy(), atol=1e-6)
    np.testing.assert_allclose(loaded([tokens, memory, mask]).numpy(), expected, atol=1e-6)


@pytest.mark.parametrize(
    "layers, given, message",
    [
        ([GRU(3, return_state=True)], {}, "return_sequences"),
        ([GRU(3, return_sequences=True)], {}, "return_state"),
        ([*recurrent(layers=1), GRU(3)], {}, "every recurrent layer"),
        (recurrent(), {"memory_first": True}, 'memory_first needs attention="none"'),
        (recurrent(), {"attention": "dot"}, "scaled, multiplicative, additive, none.*'dot'"),
        ([], {}, "layer"),
    ],
)
def test_wrong_arguments_are_refused(layers, given, message):
    with pytest.raises(ValueError, match=message):
        AttentionDecoder(layers, VOCABULARY, EMBEDDING, **given)


# The loss of the scores


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_the_loss_is_the_cross_entropy_with_smoothed_targets(smoothing):
    random = np.random.default_rng(0)
    scores, tokens = random.normal(scale=3, size=(2, 3, 5)), random.integers(0, 5, size=(2, 3))
    log_p = scores - np.log(np.exp(scores).sum(axis=2, keepdims=True))
    q = (1 - smoothing) * np.eye(5)[tokens] + smoothing / 5
    variable = tf.Variable(scores.astype("float32"))
    with tf.GradientTape() as tape:
        losses, surprise = token_losses(variable, tf.constant(tokens, tf.int32), smoothing)
        total = tf.reduce_sum(losses)
    np.testing.assert_allclose(losses.numpy(), -(q * log_p).sum(axis=2), rtol=1e-5)
    np.testing.assert_allclose(surprise.numpy(), -np.take_along_axis(log_p, tokens[..., None], 2)[..., 0], rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(total, variable).numpy(), np.exp(log_p) - q, atol=1e-6)


def test_without_smoothing_the_loss_is_keras_own():
    random = np.random.default_rng(1)
    scores, tokens = random.normal(size=(2, 3, 5)).astype("float32"), random.integers(0, 5, size=(2, 3))
    losses, surprise = token_losses(tf.constant(scores), tf.constant(tokens, tf.int32))
    expected = keras.losses.sparse_categorical_crossentropy(tokens, scores, from_logits=True)
    np.testing.assert_allclose(losses.numpy(), expected.numpy(), rtol=1e-5)
    assert surprise is losses


def test_the_loss_of_extreme_scores_is_a_number():
    scores = tf.constant([[[1e4, -1e4, 0.0]]])
    losses, _ = token_losses(scores, tf.constant([[1]]), 0.1)
    assert losses.numpy()[0, 0] == pytest.approx(0.9 * 2e4 + 0.1 * 1e4, rel=1e-5)
