"""Keras's Adam, in one pass over the memory."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="rnn_templates")
class Adam(keras.optimizers.Adam):
    """Keras's Adam with the same variables and equations, as one operation of TensorFlow's for each weight.

        m = m + (1 - beta_1) (g - m)
        v = v + (1 - beta_2) (g^2 - v)
        w = w - learning_rate sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)

    Keras's own takes about ten operations, each of which goes through as many numbers as the weight has: of a model of
    large tables of words that is a good part of a step on a processor. With `weight_decay` it is AdamW.

    Args:
        learning_rate to **kwargs: As `keras.optimizers.Adam` says; without `amsgrad`.

    Raises:
        ValueError: `amsgrad` is asked for.

    Example:
        optimizer = Adam(1e-3)
        optimizer.build(model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)

    Source: Kingma and Ba 2015, arXiv:1412.6980, the last paragraph of section 2; Loshchilov and Hutter 2019,
    arXiv:1711.05101 (the decay).
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.amsgrad:
            raise ValueError("amsgrad has no such operation: take keras.optimizers.Adam")

    def update_step(self, gradient, variable, learning_rate):
        """Takes the step of one weight; `variable` is TensorFlow's, of one device."""
        place, dtype = self._get_variable_index(variable), variable.dtype
        step = tf.cast(self.iterations + 1, dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[place].value.handle,
            v=self._velocities[place].value.handle,
            beta1_power=tf.cast(self.beta_1, dtype) ** step,
            beta2_power=tf.cast(self.beta_2, dtype) ** step,
            lr=tf.cast(learning_rate, dtype),
            beta1=tf.cast(self.beta_1, dtype),
            beta2=tf.cast(self.beta_2, dtype),
            epsilon=tf.cast(self.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
        )
