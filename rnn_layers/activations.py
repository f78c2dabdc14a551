"""What the layers need to know of an activation: whether it is element-wise, and its derivative."""

import keras
import tensorflow as tf

FROM_OUTPUT = {
    keras.activations.tanh: lambda output: 1 - output * output,
    keras.activations.sigmoid: lambda output: output * (1 - output),
    keras.activations.relu: lambda output: tf.cast(output > 0, output.dtype),
    keras.activations.linear: tf.ones_like,
}
ELEMENTWISE = {
    *FROM_OUTPUT,
    *(
        getattr(keras.activations, name)
        for name in ("celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh")
        + ("leaky_relu", "log_sigmoid", "mish", "relu6", "selu", "silu", "soft_shrink", "softplus", "softsign")
        + ("sparse_plus", "squareplus", "tanh_shrink", "threshold")
    ),
}


def are_elementwise(*activations):
    """Whether every one of them is known to look at one element at a time (softmax does not).

    Args:
        *activations: Functions, as `keras.activations.get` returns them. A function of one's own is not known.

    Returns:
        A bool.
    """
    return all(activation in ELEMENTWISE for activation in activations)


def have_known_derivatives(*activations):
    """Whether the derivative of every one of them is known as a function of its output.

    Args:
        *activations: Functions, as `keras.activations.get` returns them.

    Returns:
        A bool.
    """
    return all(activation in FROM_OUTPUT for activation in activations)


def derivative(activation, output):
    """f'(z), given y = f(z).

    Args:
        activation: f, a function for which `have_known_derivatives` holds.
        output: y, of any shape.

    Returns:
        A tensor of the same shape.

    Example:
        >>> derivative(keras.activations.tanh, tf.constant([0.0, 0.5]))  # [1.0, 0.75]
    """
    return FROM_OUTPUT[activation](output)
