"""What sees the picture: a small convolutional network, or one of keras.applications; and where things are in it."""

import difflib
import inspect

import keras
import numpy as np
import tensorflow as tf

from data.errors import UserError

from .config import CONVOLUTIONAL, Config

# Pictures whose features are computed at once.
BATCH = 64


def is_frozen(config: Config) -> bool:
    """Whether the network that sees the picture is not trained, so that its features are computed once."""
    return config.encoder != CONVOLUTIONAL and not config.fine_tune


def build_network(config: Config) -> keras.Model:
    """Builds the network that sees the picture.

    Args:
        config: The run's configuration.

    Returns:
        A model of pictures, float32 (batch, side, side, 3), 0 to 255, that gives a grid of features, (batch, height,
        width, channels).

    Raises:
        UserError: There is no such network, or its weights cannot be read.
    """
    if config.encoder == CONVOLUTIONAL:
        return _convolutional(config)
    return _application(config)


def _convolutional(config: Config) -> keras.Model:
    """Residual blocks, as in He et al. 2016 (arXiv:1512.03385): a stage for each halving of the picture."""
    layers = keras.layers
    seeds = iter(range(config.seed + 1000, config.seed + 2000))

    def convolve(values, channels, size=3, stride=1):
        start = keras.initializers.HeNormal(seed=next(seeds))
        convolution = layers.Conv2D(channels, size, stride, "same", use_bias=False, kernel_initializer=start)
        # A moving average over 50 steps: a run is short.
        return FusedBatchNormalization(momentum=0.98)(convolution(values))

    picture = keras.Input((config.picture_size, config.picture_size, 3), name="picture")
    values = layers.Rescaling(1 / 64, -2)(picture)
    # Patches of 4 x 4 pixels first, as in Liu et al. 2022 (arXiv:2201.03545): finer maps would take most of the time.
    channels, stride = config.channels, 4
    values = layers.ReLU()(convolve(values, channels, size=4, stride=4))
    while stride <= config.grid_stride:
        for block in range(config.blocks):
            shrinks = block == 0 and stride > 4
            inner = layers.ReLU()(convolve(values, channels, stride=2 if shrinks else 1))
            inner = convolve(inner, channels)
            if shrinks:
                values = convolve(layers.AveragePooling2D(2, padding="same")(values), channels, size=1)
            values = layers.ReLU()(layers.Add()([inner, values]))
        stride, channels = stride * 2, channels * 2
    return keras.Model(picture, values, name=CONVOLUTIONAL)


def _application(config: Config) -> keras.Model:
    constructors = {
        name: value
        for name, value in vars(keras.applications).items()
        if inspect.isfunction(value) and "include_top" in inspect.signature(value).parameters
    }
    if config.encoder not in constructors:
        near = difflib.get_close_matches(config.encoder, constructors, n=3) or sorted(constructors)
        raise UserError(
            f"--encoder {config.encoder}: no network of keras.applications; did you mean {', '.join(near)}?"
        )
    constructor = constructors[config.encoder]
    weights = None if config.encoder_weights == "none" else config.encoder_weights
    shape = (config.picture_size, config.picture_size, 3)
    try:
        network = constructor(include_top=False, weights=weights, input_shape=shape)
    # Keras raises no narrower one where weights cannot be downloaded.
    except Exception as error:
        what = f"--encoder {config.encoder} --encoder-weights {config.encoder_weights}"
        hint = "; a file of weights that is here, or none, will do" if config.encoder_weights == "imagenet" else ""
        raise UserError(f"{what} --picture-size {config.picture_size}: {error}{hint}") from error
    network.trainable = config.fine_tune
    picture = keras.Input(shape, name="picture")
    # Each family of networks has its own way to scale a picture.
    scaled = inspect.getmodule(constructor).preprocess_input(picture)
    return keras.Model(picture, network(scaled), name=config.encoder.lower())


def features_of(network: keras.Model, pictures: np.ndarray) -> np.ndarray:
    """The grids of features of pictures.

    Args:
        network: What `build_network` gave.
        pictures: uint8 (count, side, side, 3).

    Returns:
        float32 (count, height, width, channels).
    """
    starts = range(0, len(pictures), BATCH)
    found = (network.predict_on_batch(pictures[at : at + BATCH]) for at in starts)
    return np.concatenate([np.asarray(features, np.float32) for features in found])


@keras.saving.register_keras_serializable(package="rnn_templates")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Keras's layer, which takes the mean and the variance of a training batch in passes of their own, as one op.

    Args, weights and results are those of `keras.layers.BatchNormalization`, but that the moving variance averages the
    unbiased one. Pictures alone, (batch, height, width, channels).

    Source: Ioffe and Szegedy 2015, "Batch Normalization", arXiv:1502.03167.
    """

    def call(self, inputs, training=None, mask=None):
        if not training or not self.trainable:
            return super().call(inputs, training=False)
        scale, offset = (tf.cast(tf.convert_to_tensor(weight), tf.float32) for weight in (self.gamma, self.beta))
        nothing = tf.zeros([0])
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs, scale=scale, offset=offset, mean=nothing, variance=nothing, epsilon=self.epsilon, is_training=True
        )
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(self.momentum * moving + (1 - self.momentum) * batch)
        return outputs


@keras.saving.register_keras_serializable(package="rnn_templates")
class PlaceEmbedding(keras.layers.Layer):
    """Adds to the vector of each place of a grid one that tells which place it is.

    m_j = x_j + p_j

    Args:
        seed: From which the first p_j follow.
        **kwargs: `name`, `dtype`.

    Call arguments:
        places: x_j, (batch, places, size).

    Returns:
        m_j, of the same shape.

    Source: Gehring et al. 2017, "Convolutional Sequence to Sequence Learning", arXiv:1705.03122, section 3.1.
    """

    def __init__(self, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed

    def build(self, places_shape):
        start = keras.initializers.RandomNormal(stddev=0.1, seed=self.seed)
        self.embeddings = self.add_weight(shape=places_shape[1:], initializer=start, name="embeddings")

    def call(self, places):
        return places + keras.ops.cast(self.embeddings, places.dtype)

    def compute_output_shape(self, places_shape):
        return places_shape

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}
