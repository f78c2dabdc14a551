"""The independently recurrent network: a cell that Keras lacks, and what a cell of one's own takes."""

import keras

from rnn_layers.cell import RecurrentCell


@keras.saving.register_keras_serializable(package="rnn_templates")
class IndRNNCell(RecurrentCell):
    """One step of the independently recurrent network: h_t = f(x_t W_x + b + u * h_{t-1}), h_0 = 0.

    Every unit sees only its own past, through one weight of the vector u, `recurrent_kernel` (units,). Source: Li et
    al. 2018, "Independently Recurrent Neural Network (IndRNN): Building A Longer and Deeper RNN", arXiv:1803.04831.

    Args and errors are those of `rnn_layers.cell_weights.WeightedCell`; the paper's activation is "relu".

    Example:
        >>> layer = RecurrentLayer(IndRNNCell(4, activation="relu"), return_sequences=True)
        >>> outputs = layer(np.ones((2, 5, 3)))  # (2, 5, 4)
    """

    def __init__(self, units, recurrent_initializer="uniform", **kwargs):
        super().__init__(units, recurrent_initializer=recurrent_initializer, **kwargs)

    @property
    def recurrent_shape(self):
        """Shape of `recurrent_kernel`: one weight for each unit."""
        return (self.units,)

    def project_state(self, hidden, weights, masks=()):
        """u * h_{t-1}."""
        return (hidden * masks[0] if masks else hidden) * weights[0]

    def combine(self, projected_inputs, projected_state, states):
        """h_t = f(a_t + u * h_{t-1})."""
        return [self.activation(projected_inputs + projected_state)]
