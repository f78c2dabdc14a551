"""A model with one of Keras's layers in the place of ours."""

from collections.abc import Callable

import keras


def with_layer(model: keras.Model, name: str, make: Callable) -> keras.Model:
    """A copy of a model with another layer in the place of one, and the same weights.

    Args:
        model: The model.
        name: Of the layer.
        make: Makes the other one, with the same weights, given it.
    """

    def copy(layer):
        return make(layer) if layer.name == name else layer.__class__.from_config(layer.get_config())

    other = keras.models.clone_model(model, clone_function=copy)
    other.set_weights(model.get_weights())
    return other
