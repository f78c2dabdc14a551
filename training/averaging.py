"""The running average of a model's weights over the last steps: steadier on validation than the weights themselves."""

import contextlib
from collections.abc import Iterator

import tensorflow as tf


class WeightAverage:
    """An exponential average of weights, a_n = m_n a_{n-1} + (1 - m_n) w_n.

    m_n = min(momentum, (1 + n) / (10 + n)) begins at 0.1: the first steps, far from where the run ends, are forgotten
    soon.

    Args:
        weights: The model's trainable variables.
        momentum: In [0, 1); about the last 1 / (1 - momentum) steps count. 0 makes the average the weights themselves.

    Example:
        average = WeightAverage(model.trainable_variables, 0.995)   # under the strategy's scope
        average.update(optimizer.iterations)                        # after each step, in the graph
        with average.applied():
            model(ids)                                              # computes with the average

    Source: Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992.
    """

    def __init__(self, weights: list, momentum: float):
        self.weights, self.momentum = list(weights), momentum
        # Whether the model's weights are the average's now, and not its own.
        self.is_applied = False
        # Every replica computes the same average; the first one's is kept.
        first = tf.VariableAggregation.ONLY_FIRST_REPLICA
        self.variables = [
            tf.Variable(weight.numpy(), trainable=False, aggregation=first, name=weight.path) for weight in self.weights
        ]

    def update(self, step) -> None:
        """Takes the weights after step `step` (an integer tensor, counted from 0) into the average."""
        step = tf.cast(step, tf.float32)
        momentum = tf.minimum(self.momentum, (1 + step) / (10 + step))
        for average, weight in zip(self.variables, self.weights, strict=True):
            weight = tf.convert_to_tensor(weight)
            average.assign(weight + momentum * (average - weight))

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Puts the average in the place of the weights for the length of the block."""
        kept = [weight.numpy() for weight in self.weights]
        try:
            self.is_applied = True
            for weight, average in zip(self.weights, self.variables, strict=True):
                weight.assign(average.numpy())
            yield
        finally:
            for weight, value in zip(self.weights, kept, strict=True):
                weight.assign(value)
            self.is_applied = False
