"""Long short-term memory."""

import keras
import tensorflow as tf

from rnn_layers.activations import derivative, have_known_derivatives
from rnn_layers.cell import RecurrentCell
from rnn_layers.cell_weights import mask_count, passed_on
from rnn_layers.layer import NamedRecurrentLayer, of_cell


@keras.saving.register_keras_serializable(package="rnn_templates")
class LSTMCell(RecurrentCell):
    """One step of long short-term memory: i, f, o the input, forget and output gates, g the candidate, c the memory.

        i_t = s(x_t W_xi + b_i + h_{t-1} W_hi)
        f_t = s(x_t W_xf + b_f + h_{t-1} W_hf)
        g_t = f(x_t W_xg + b_g + h_{t-1} W_hg)
        o_t = s(x_t W_xo + b_o + h_{t-1} W_ho)
        c_t = f_t * c_{t-1} + i_t * g_t,   c_0 = 0
        h_t = o_t * f(c_t),                h_0 = 0

    s is `recurrent_activation`, f `activation`, the states are [h, c]. `kernel` (features, 4 * units) holds
    [W_xi W_xf W_xg W_xo], `recurrent_kernel` (units, 4 * units) and `bias` (4 * units,) likewise. Sources: Hochreiter
    and Schmidhuber 1997, "Long Short-Term Memory"; the forget gate: Gers, Schmidhuber and Cummins 2000; its bias of 1:
    Jozefowicz et al. 2015, "An Empirical Exploration of Recurrent Network Architectures".

    Args:
        units to seed: As `rnn_layers.cell_weights.WeightedCell` says.
        recurrent_activation: s, of the three gates.
        unit_forget_bias: Whether b_f starts at 1.
        implementation: 2: one dropout mask for all gates; 1, and whenever `recurrent_dropout` is above 0: one for
            each gate, as in Keras. Nothing else depends on it.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: An argument lies outside its range.

    Example:
        >>> cell = LSTMCell(4)
        >>> h_1, [_, c_1] = cell(np.ones((2, 3)), cell.get_initial_state(batch_size=2))  # (2, 4) each
    """

    gates = 4
    adds_projections = True

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        unit_forget_bias=True,
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        implementation=2,
        **kwargs,
    ):
        super().__init__(**passed_on(locals(), "recurrent_activation", "unit_forget_bias", "implementation"))
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.implementation = implementation
        self.dropout_mask_count = mask_count(implementation, self.gates, recurrent_dropout)
        self.state_size = [units, units]

    def initial_bias(self, shape, dtype=None):
        """The first value of `bias`, with 1 for the forget gate if `unit_forget_bias`."""
        if not self.unit_forget_bias:
            return super().initial_bias(shape, dtype)
        one_gate, two_gates = (self.units,), (2 * self.units,)
        before = self.bias_initializer(one_gate, dtype=dtype)
        forget = keras.ops.ones(one_gate, dtype=dtype)
        return keras.ops.concatenate([before, forget, self.bias_initializer(two_gates, dtype=dtype)])

    def combine(self, projected_inputs, projected_state, states):
        """The equations above: all that follows the two products."""
        return self._gates_and_states(projected_inputs, projected_state, states)[1]

    @property
    def activations(self):
        """Those of the gates, and of the candidate."""
        return [self.recurrent_activation, self.activation]

    @property
    def saved_sizes(self):
        """i_t, f_t, g_t and o_t, unless a derivative is not known from the gate's value."""
        return [1] * 4 if self._has_known_derivatives() else super().saved_sizes

    def save(self, projected_inputs, projected_state, states):
        """`combine`, and the gates."""
        if not self._has_known_derivatives():
            return super().save(projected_inputs, projected_state, states)
        gates, new_states = self._gates_and_states(projected_inputs, projected_state, states)
        return new_states, gates

    def linearize(self, saved, before, after):
        """dc_t with respect to i's, f's and g's sums, dh_t with respect to o's, dh_t by c_t, and f_t."""
        if not self._has_known_derivatives():
            return super().linearize(saved, before, after)
        write, forget, candidate, read = saved
        shown = self.activation(after[1])
        return [
            candidate * derivative(self.recurrent_activation, write),
            before[1] * derivative(self.recurrent_activation, forget),
            write * derivative(self.activation, candidate),
            shown * derivative(self.recurrent_activation, read),
            read * derivative(self.activation, shown),
            forget,
        ]

    def pull_back(self, factors, gradients):
        """h_t is reached through o_t and c_t, everything else through c_t."""
        if not self._has_known_derivatives():
            return super().pull_back(factors, gradients)
        by_write, by_forget, by_candidate, by_read, shown_by_memory, forget = factors
        hidden, memory = gradients
        memory = memory + hidden * shown_by_memory
        projected = tf.concat([memory * by_write, memory * by_forget, memory * by_candidate, hidden * by_read], axis=-1)
        return projected, projected, [None, memory * forget]

    def gate_values(self, projected_inputs, states, weights):
        """i_t, f_t, g_t and o_t."""
        values, _ = self._gates_and_states(projected_inputs, self.project_state(states[0], weights), states)
        return dict(zip(("input", "forget", "candidate", "output"), values, strict=True))

    def _gates_and_states(self, projected_inputs, projected_state, states):
        sums = projected_inputs + projected_state
        # One call for the three gates, although g's share is wasted: XLA makes vector code of it, and of three not.
        write, forget, _, read = tf.split(self.recurrent_activation(sums), 4, axis=-1)
        candidate = self.activation(sums[..., 2 * self.units : 3 * self.units])
        memory = forget * states[1] + write * candidate
        return [write, forget, candidate, read], [read * self.activation(memory), memory]

    def _has_known_derivatives(self):
        return have_known_derivatives(*self.activations)

    def get_config(self):
        """Every argument of the constructor."""
        return {
            **super().get_config(),
            "recurrent_activation": keras.activations.serialize(self.recurrent_activation),
            "unit_forget_bias": self.unit_forget_bias,
            "implementation": self.implementation,
        }


@keras.saving.register_keras_serializable(package="rnn_templates")
class LSTM(NamedRecurrentLayer):
    """Long short-term memory over whole sequences; the equations stand at `LSTMCell`.

    Arguments, defaults and weights are `keras.layers.LSTM`'s: `set_weights(keras_layer.get_weights())` works.
    Source: Hochreiter and Schmidhuber 1997, "Long Short-Term Memory".

    Args:
        units to recurrent_dropout, seed, unit_forget_bias, implementation: As `LSTMCell` says.
        activity_regularizer: Penalty on the output.
        return_sequences to unroll, use_cudnn, jit_compile, zero_output_for_mask: As `rnn_layers.layer.RecurrentLayer`
            says.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: An argument lies outside its range.

    Example:
        >>> layer = LSTM(4, return_sequences=True, return_state=True)
        >>> outputs, h, c = layer(np.ones((2, 5, 3)))  # (2, 5, 4), (2, 4) and (2, 4)
    """

    recurrent_activation = of_cell("recurrent_activation")
    unit_forget_bias = of_cell("unit_forget_bias")
    implementation = of_cell("implementation")

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        unit_forget_bias=True,
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        use_cudnn="auto",
        zero_output_for_mask=False,
        implementation=2,
        jit_compile="auto",
        **kwargs,
    ):
        super().__init__(LSTMCell, "lstm_cell", **passed_on(locals()))
