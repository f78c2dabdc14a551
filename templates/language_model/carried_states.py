"""The states in which streams stopped, and from which they go on in the next step."""

import tensorflow as tf


class CarriedStates:
    """The states of every stream, between two steps: a part of each checkpoint, as all that steps change.

    Not a stateful layer: under a strategy each replica would keep another value, and a checkpoint keeps one.

    Args:
        sizes: The length of each state.
        streams: How many streams.
        strategy: Under which the steps run.

    Example:
        carried = CarriedStates([512, 512], 32, device.strategy)
        states = carried.read(begins)    # in the graph, before the step
        carried.write(states)            # after it
    """

    def __init__(self, sizes: list[int], streams: int, strategy: tf.distribute.Strategy):
        self.strategy = strategy
        self.variables = [
            tf.Variable(tf.zeros([streams, size]), trainable=False, name=f"state_{number}")
            for number, size in enumerate(sizes, start=1)
        ]

    def read(self, begins: tf.Tensor) -> list[tf.Tensor]:
        """The states of every stream, each (streams, units); zeros where the streams begin."""
        return [tf.where(begins, 0.0, variable) for variable in self.variables]

    def write(self, states: list) -> None:
        """Keeps the states after a step.

        Args:
            states: What `strategy.run` gave of each: of replica r, those of the streams r, r + replicas, and so on.
        """
        for variable, shares in zip(self.variables, states, strict=True):
            of_replicas = tf.stack(self.strategy.experimental_local_results(shares), axis=1)
            variable.assign(tf.reshape(of_replicas, tf.shape(variable)))
