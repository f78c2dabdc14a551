"""Configurations, `.keras` files, weight files and SavedModels of the recurrent layers."""

import inspect
import subprocess
import sys

import keras
import numpy as np
import pytest

from rnn_layers.bidirectional import Bidirectional
from rnn_layers.gru import GRU, GRUCell
from rnn_layers.layer import RecurrentLayer
from rnn_layers.lstm import LSTM, LSTMCell
from rnn_layers.simple_rnn import SimpleRNN, SimpleRNNCell

INITIALIZER = keras.initializers.RandomUniform(-0.3, 0.4, seed=5)
OTHER_VALUES = {
    "units": 5,
    "cell": GRUCell(5, reset_after=False),
    "activation": "softsign",
    "recurrent_activation": "hard_sigmoid",
    "use_bias": False,
    "kernel_initializer": INITIALIZER,
    "recurrent_initializer": INITIALIZER,
    "bias_initializer": INITIALIZER,
    "unit_forget_bias": False,
    "kernel_regularizer": keras.regularizers.L1(0.1),
    "recurrent_regularizer": keras.regularizers.L2(0.2),
    "bias_regularizer": keras.regularizers.L1(0.3),
    "activity_regularizer": keras.regularizers.L2(0.4),
    "kernel_constraint": keras.constraints.MaxNorm(1.5),
    "recurrent_constraint": keras.constraints.NonNeg(),
    "bias_constraint": keras.constraints.MaxNorm(2.5),
    "dropout": 0.25,
    "recurrent_dropout": 0.125,
    "reset_after": False,
    "implementation": 1,
    "return_sequences": True,
    "return_state": True,
    "go_backwards": True,
    "stateful": True,
    "unroll": True,
    "seed": 11,
    "use_cudnn": False,
    "jit_compile": False,
    "zero_output_for_mask": True,
    "layer": LSTM(3, recurrent_dropout=0.5),
    "backward_layer": GRU(3, go_backwards=True, reset_after=False),
    "merge_mode": None,
    "weights": [np.full((2, 2), 0.1, "float32"), np.ones(3, "float32")],
    "name": "another",
    "dtype": "mixed_bfloat16",
    "trainable": False,
}
CLASSES = (SimpleRNNCell, GRUCell, LSTMCell, SimpleRNN, GRU, LSTM, RecurrentLayer, Bidirectional)
REQUIRED = {RecurrentLayer: {"cell": SimpleRNNCell(2)}, Bidirectional: {"layer": SimpleRNN(2)}}
LAYERS = (SimpleRNN, GRU, LSTM)


def arguments_of(cls):
    """Every argument of the constructor, and those that all Keras layers take."""
    parameters = [name for name in inspect.signature(cls.__init__).parameters if name not in ("self", "kwargs")]
    return [*parameters, "name", "dtype", "trainable"]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_argument_survives_the_configuration(cls):
    required = REQUIRED.get(cls, {"units": 2})
    default = cls(**required).get_config()
    for name in arguments_of(cls):
        given = {**required, name: OTHER_VALUES[name]}
        config = cls(**given).get_config()
        assert config[name] != default[name], name
        again = cls.from_config(config)
        assert again.get_config() == config, name
        copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(again))
        assert type(copy) is cls
        assert copy.get_config() == config, name


def test_every_class_has_a_registered_name_of_its_own():
    names = [keras.saving.get_registered_name(cls) for cls in CLASSES]
    assert len(set(names)) == len(CLASSES)
    assert names == [f"rnn_templates>{cls.__name__}" for cls in CLASSES]


def everything_of(cls):
    """A layer, every argument of which differs from its default."""
    given = {name: OTHER_VALUES[name] for name in arguments_of(cls)}
    # A bias and a float32 result leave more to compare.
    return cls(**{**given, "use_bias": True, "dtype": "float32"})


@pytest.mark.parametrize("cls", LAYERS)
def test_a_keras_file_with_every_argument_set(cls, tmp_path):
    def model_of(layer):
        inputs = keras.Input(batch_shape=(2, 3, 4))
        return keras.Model(inputs, layer(inputs))

    model = model_of(everything_of(cls))
    inputs = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert type(loaded.layers[1]) is cls
    assert loaded.layers[1].get_config() == model.layers[1].get_config()
    for training in (False, True):
        # The same seed draws the same dropout masks after loading.
        for ours, theirs in zip(loaded(inputs, training=training), model(inputs, training=training), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert not any(variable.trainable for variable in loaded.weights)


def test_a_keras_file_of_cells_and_wrapped_layers(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((None, 4)),
            keras.layers.RNN([SimpleRNNCell(3), LSTMCell(2)], return_sequences=True),
            RecurrentLayer(GRUCell(3), return_sequences=True),
            Bidirectional(
                LSTM(3, return_sequences=True), backward_layer=GRU(3, go_backwards=True, return_sequences=True)
            ),
            keras.layers.Bidirectional(GRU(3, return_sequences=True)),
            Bidirectional(SimpleRNN(3, dropout=0.5, seed=3), merge_mode="sum"),
        ]
    )
    inputs = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded(inputs, training=True), model(inputs, training=True))
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy(inputs), model(inputs))


def test_weights_given_to_bidirectional():
    source = Bidirectional(GRU(3))
    source.build((None, None, 4))
    layer = Bidirectional(GRU(3), weights=source.get_weights())
    layer = Bidirectional.from_config(layer.get_config())
    layer.build((None, None, 4))
    for ours, theirs in zip(layer.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert layer.get_config()["weights"] is None


def test_weight_files_of_keras_load_into_our_layers(tmp_path):
    def model_of(library, bidirectional):
        lstm, gru, simple_rnn = library
        layers = [lstm(3, return_sequences=True), bidirectional(gru(2, return_sequences=True)), simple_rnn(2)]
        return keras.Sequential([keras.Input((None, 4)), *layers])

    theirs = model_of((keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN), keras.layers.Bidirectional)
    ours = model_of((LSTM, GRU, SimpleRNN), Bidirectional)
    theirs.save_weights(tmp_path / "their.weights.h5")
    ours.load_weights(tmp_path / "their.weights.h5")
    inputs = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    np.testing.assert_allclose(ours(inputs), theirs(inputs), atol=1e-5)


def test_a_saved_model_needs_nothing_but_tensorflow(tmp_path):
    model = keras.Sequential(
        [
            keras.layers.Embedding(20, 4, mask_zero=True),
            SimpleRNN(3, return_sequences=True, dropout=0.5),
            GRU(4, return_sequences=True, recurrent_dropout=0.5),
            Bidirectional(LSTM(3, return_sequences=True)),
            Bidirectional(GRU(3, reset_after=False), merge_mode="ave"),
        ]
    )
    model.build((None, None))
    model.export(tmp_path / "saved", verbose=False, input_signature=[keras.InputSpec("int32", (None, None))])
    cases = [np.zeros((2, 0), "int32"), np.ones((1, 1), "int32"), np.arange(21, dtype="int32").reshape(3, 7) % 20]
    arrays = {f"ids_{index}": case for index, case in enumerate(cases)}
    arrays |= {f"answer_{index}": model(case) for index, case in enumerate(cases)}
    np.savez(tmp_path / "cases.npz", **arrays)
    script = """
import sys
import numpy as np
import tensorflow as tf
saved, cases = tf.saved_model.load(sys.argv[1]), np.load(sys.argv[2])
for index in range(3):
    answer = cases[f"answer_{index}"]
    for got in (saved.serve(cases[f"ids_{index}"]),
                *saved.signatures["serving_default"](tf.constant(cases[f"ids_{index}"])).values()):
        assert got.shape == answer.shape, (got.shape, answer.shape)
        assert np.abs(got - answer).max() <= 1e-5, index
assert not [name for name in sys.modules if name.split(".")[0] in ("rnn_layers", "data", "training")]
print("answers agree")
"""
    command = [sys.executable, "-c", script, str(tmp_path / "saved"), str(tmp_path / "cases.npz")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "answers agree"
