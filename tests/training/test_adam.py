"""The optimizer against Keras's: the same weights after the same gradients, with the same variables."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from training.adam import Adam

# The operation takes 1 - beta_2 from a float32 beta_2, which is 1 in 50,000 off; steps here are up to 0.1.
ROUNDING = {"rtol": 1e-4, "atol": 1e-5}
SHAPES = [(7, 5), (5,), (1,), (3, 2, 4)]


def weights_after(optimizer, steps=20):
    """The weights that an optimizer reaches from the same ones with the same gradients, and its variables."""
    random = np.random.default_rng(0)
    variables = [keras.Variable(random.normal(size=shape).astype("f"), name=f"v{n}") for n, shape in enumerate(SHAPES)]
    optimizer.build(variables)

    @tf.function
    def step(gradients):
        optimizer.apply(gradients, variables)

    for _ in range(steps):
        optimizer.learning_rate.assign(random.uniform(1e-3, 1e-1))
        scale = 10.0 ** random.integers(-6, 3)
        step([tf.constant(scale * random.normal(size=shape), tf.float32) for shape in SHAPES])
    return [variable.numpy() for variable in [*variables, *optimizer.variables]]


@pytest.mark.parametrize("given", [{}, {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}, {"weight_decay": 0.1}])
def test_it_reaches_what_kerass_reaches(given):
    ours, theirs = weights_after(Adam(0.01, **given)), weights_after(keras.optimizers.Adam(0.01, **given))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, **ROUNDING)


def test_a_decay_is_adamws():
    ours, theirs = weights_after(Adam(0.01, weight_decay=0.1)), weights_after(keras.optimizers.AdamW(0.01, 0.1))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, **ROUNDING)


def test_its_variables_have_the_names_of_kerass_so_that_a_checkpoint_of_either_is_read():
    paths = []
    for optimizer in (Adam(0.01), keras.optimizers.Adam(0.01)):
        optimizer.build([keras.Variable(np.zeros(3, "f"), name="weight")])
        paths.append([variable.path.partition("/")[2] for variable in optimizer.variables])
    assert paths[0] == paths[1]


def test_it_goes_through_its_configuration_and_refuses_amsgrad():
    optimizer = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(Adam(0.25, beta_1=0.5)))
    assert isinstance(optimizer, Adam) and (float(optimizer.learning_rate), optimizer.beta_1) == (0.25, 0.5)
    with pytest.raises(ValueError, match="amsgrad"):
        Adam(0.1, amsgrad=True)
