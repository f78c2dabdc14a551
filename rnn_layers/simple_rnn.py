"""The simple (Elman) recurrent layer."""

import keras

from rnn_layers.activations import derivative, have_known_derivatives
from rnn_layers.cell import RecurrentCell
from rnn_layers.cell_weights import passed_on
from rnn_layers.layer import NamedRecurrentLayer


@keras.saving.register_keras_serializable(package="rnn_templates")
class SimpleRNNCell(RecurrentCell):
    """One step of the simple recurrent network.

        z_t = x_t W_x + b_h
        h_t = f(z_t + h_{t-1} W_h),   h_0 = 0

    W_x is `kernel` (features, units), W_h `recurrent_kernel` (units, units), b_h `bias` (units,), f `activation`; the
    output is h_t. Source: Elman 1990, "Finding Structure in Time".

    Args and errors are those of `rnn_layers.cell_weights.WeightedCell`, which are `keras.layers.SimpleRNNCell`'s.

    Example:
        >>> cell = SimpleRNNCell(4, activation="relu")
        >>> h_1, states = cell(np.ones((2, 3)), cell.get_initial_state(batch_size=2))  # h_1: (2, 4)
        >>> whole = keras.layers.RNN(SimpleRNNCell(4), return_sequences=True)(np.ones((2, 5, 3)))  # (2, 5, 4)
    """

    gates = 1
    adds_projections = True

    def combine(self, projected_inputs, projected_state, states):
        """h_t = f(z_t + h_{t-1} W_h)."""
        return [self.activation(projected_inputs + projected_state)]

    @property
    def saved_sizes(self):
        """Nothing: f' follows from h_t, except for an activation of which we know no better."""
        return [] if have_known_derivatives(self.activation) else super().saved_sizes

    def save(self, projected_inputs, projected_state, states):
        """`combine`, with nothing to keep."""
        if not have_known_derivatives(self.activation):
            return super().save(projected_inputs, projected_state, states)
        return self.combine(projected_inputs, projected_state, states), []

    def linearize(self, saved, before, after):
        """f'(z_t + h_{t-1} W_h)."""
        if not have_known_derivatives(self.activation):
            return super().linearize(saved, before, after)
        return [derivative(self.activation, after[0])]

    def pull_back(self, factors, gradients):
        """dz_t = f' * dh_t; all of it reaches h_{t-1} through W_h."""
        if not have_known_derivatives(self.activation):
            return super().pull_back(factors, gradients)
        projected = gradients[0] * factors[0]
        return projected, projected, [None]


@keras.saving.register_keras_serializable(package="rnn_templates")
class SimpleRNN(NamedRecurrentLayer):
    """The simple recurrent network over whole sequences: h_t = f(x_t W_x + b_h + h_{t-1} W_h), h_0 = 0.

    Arguments, defaults and weights are `keras.layers.SimpleRNN`'s: `set_weights(keras_layer.get_weights())` works.
    Source: Elman 1990, "Finding Structure in Time".

    Args:
        units to recurrent_dropout, seed: As `rnn_layers.cell_weights.WeightedCell` says.
        activity_regularizer: Penalty on the output.
        return_sequences to unroll, use_cudnn, jit_compile, zero_output_for_mask: As `rnn_layers.layer.RecurrentLayer`
            says.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: An argument lies outside its range.

    Example:
        >>> layer = SimpleRNN(4, return_sequences=True, return_state=True)
        >>> outputs, state = layer(np.ones((2, 5, 3)))  # (2, 5, 4) and (2, 4)
        >>> outputs, state = layer(np.ones((2, 5, 3)), initial_state=[state])
    """

    def __init__(
        self,
        units,
        activation="tanh",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        seed=None,
        use_cudnn="auto",
        zero_output_for_mask=False,
        jit_compile="auto",
        **kwargs,
    ):
        super().__init__(SimpleRNNCell, "simple_rnn_cell", **passed_on(locals()))
