"""The gated recurrent unit."""

import keras
import tensorflow as tf

from rnn_layers.activations import are_elementwise, derivative, have_known_derivatives
from rnn_layers.cell import RecurrentCell
from rnn_layers.cell_weights import mask_count, passed_on
from rnn_layers.layer import NamedRecurrentLayer, of_cell


@keras.saving.register_keras_serializable(package="rnn_templates")
class GRUCell(RecurrentCell):
    """One step of the gated recurrent unit, z the update gate, r the reset gate, n the candidate.

        z_t = s(x_t W_xz + b_z + h_{t-1} W_hz + c_z)
        r_t = s(x_t W_xr + b_r + h_{t-1} W_hr + c_r)
        n_t = f(x_t W_xn + b_n + r_t * (h_{t-1} W_hn + c_n))      reset_after=True
        n_t = f(x_t W_xn + b_n + (r_t * h_{t-1}) W_hn)            reset_after=False, without c
        h_t = z_t * h_{t-1} + (1 - z_t) * n_t,   h_0 = 0

    s is `recurrent_activation`, f `activation`. `kernel` (features, 3 * units) holds [W_xz W_xr W_xn],
    `recurrent_kernel` (units, 3 * units) holds [W_hz W_hr W_hn], `bias` (2, 3 * units) holds b and c, or (3 * units,)
    b alone. Source: Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder for Statistical
    Machine Translation", arXiv:1406.1078; version 3 has reset_after=False, version 1 and cuDNN reset_after=True.

    Args:
        units to seed: As `rnn_layers.cell_weights.WeightedCell` says.
        recurrent_activation: s, of the two gates.
        reset_after: Whether the reset gate acts after the product with W_hn or before it.
        implementation: 2: one dropout mask for all gates; 1, and whenever `recurrent_dropout` is above 0: one for
            each gate, as in Keras. Nothing else depends on it.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: An argument lies outside its range.

    Example:
        >>> cell = GRUCell(4)
        >>> h_1, states = cell(np.ones((2, 3)), cell.get_initial_state(batch_size=2))  # h_1: (2, 4)
    """

    gates = 3
    # XLA makes one loop of a whole step and cannot vectorize it; gates that are kept are computed by themselves.
    saves_in_inference = True

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        reset_after=True,
        seed=None,
        implementation=2,
        **kwargs,
    ):
        super().__init__(**passed_on(locals(), "recurrent_activation", "reset_after", "implementation"))
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.reset_after = reset_after
        self.implementation = implementation
        self.dropout_mask_count = mask_count(implementation, self.gates, recurrent_dropout)

    @property
    def bias_shape(self):
        """(2, 3 * units), b and c; (3 * units,) when the reset gate acts before the product."""
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def input_weights(self):
        """W_x and b (or None) as tensors in the compute dtype."""
        kernel, bias = super().input_weights()
        return kernel, bias[0] if self.use_bias and self.reset_after else bias

    def recurrent_weights(self):
        """W_h and c (or None) as tensors in the compute dtype."""
        kernel, _ = super().recurrent_weights()
        return kernel, self._tensor(self.bias)[1] if self.use_bias and self.reset_after else None

    def combine(self, projected_inputs, projected_state, states):
        """The equations above with reset_after=True: all that follows the two products."""
        update, _, candidate, _ = self._gates(projected_inputs, projected_state)
        return [update * states[0] + (1 - update) * candidate]

    @property
    def activations(self):
        """Those of the gates, and of the candidate."""
        return [self.recurrent_activation, self.activation]

    @property
    def saved_sizes(self):
        """z_t, r_t, n_t and h_{t-1} W_hn + c_n, unless a derivative is not known from the gate's value."""
        return [1] * 4 if self._has_known_derivatives() else super().saved_sizes

    def save(self, projected_inputs, projected_state, states):
        """`combine`, and the gates."""
        if not self._has_known_derivatives():
            return super().save(projected_inputs, projected_state, states)
        update, reset, candidate, state_share = self._gates(projected_inputs, projected_state)
        hidden = update * states[0] + (1 - update) * candidate
        return [hidden], [update, reset, candidate, state_share]

    def linearize(self, saved, before, after):
        """dh_t with respect to z's, r's and n's sums, r_t, and z_t."""
        if not self._has_known_derivatives():
            return super().linearize(saved, before, after)
        update, reset, candidate, state_share = saved
        by_candidate = (1 - update) * derivative(self.activation, candidate)
        by_update = (before[0] - candidate) * derivative(self.recurrent_activation, update)
        by_reset = by_candidate * state_share * derivative(self.recurrent_activation, reset)
        return [by_update, by_reset, by_candidate, reset, update]

    def pull_back(self, factors, gradients):
        """What reaches the candidate's W_hn passes the reset gate; h_{t-1} itself is reached through z_t."""
        if not self._has_known_derivatives():
            return super().pull_back(factors, gradients)
        by_update, by_reset, by_candidate, reset, update = factors
        (hidden,) = gradients
        gates, candidate = [hidden * by_update, hidden * by_reset], hidden * by_candidate
        inputs = tf.concat([*gates, candidate], axis=-1)
        state = tf.concat([*gates, candidate * reset], axis=-1)
        return inputs, state, [hidden * update]

    def step(self, projected_inputs, states, weights, masks=()):
        """One step from projected inputs; with reset_after=False the candidate's product has to wait for r_t."""
        if self.reset_after:
            return super().step(projected_inputs, states, weights, masks)
        update, _, candidate = self._gates_in_turn(projected_inputs, states[0], weights, masks)
        return [update * states[0] + (1 - update) * candidate]

    def gate_values(self, projected_inputs, states, weights):
        """z_t, r_t and n_t."""
        if self.reset_after:
            values = self._gates(projected_inputs, self.project_state(states[0], weights))
        else:
            values = self._gates_in_turn(projected_inputs, states[0], weights)
        return dict(zip(("update", "reset", "candidate"), values))

    def _gates_in_turn(self, projected_inputs, hidden, weights, masks=()):
        kernel, _ = weights
        h_z, h_r, h_n = [hidden * mask for mask in masks] if masks else [hidden] * 3
        w_z, w_r, w_n = tf.split(kernel, 3, axis=1)
        x_z, x_r, x_n = tf.split(projected_inputs, 3, axis=-1)
        if masks:
            gate_products = tf.matmul(h_z, w_z), tf.matmul(h_r, w_r)
        else:
            gate_products = tf.split(tf.matmul(hidden, kernel[:, : 2 * self.units]), 2, axis=-1)
        update = self.recurrent_activation(x_z + gate_products[0])
        reset = self.recurrent_activation(x_r + gate_products[1])
        return update, reset, self.activation(x_n + tf.matmul(reset * h_n, w_n))

    @property
    def is_hoistable(self):
        """Whether the step is products followed by `combine`: with reset_after=False a product stands in its middle."""
        return self.reset_after and type(self).step is GRUCell.step and are_elementwise(*self.activations)

    def _gates(self, projected_inputs, projected_state):
        sizes = [2 * self.units, self.units]
        (x_gates, x_n), (h_gates, h_n) = (
            tf.split(part, sizes, axis=-1) for part in (projected_inputs, projected_state)
        )
        update, reset = tf.split(self.recurrent_activation(x_gates + h_gates), 2, axis=-1)
        candidate = self.activation(x_n + reset * h_n)
        return update, reset, candidate, h_n

    def _has_known_derivatives(self):
        return have_known_derivatives(*self.activations)

    def get_config(self):
        """Every argument of the constructor."""
        return {
            **super().get_config(),
            "recurrent_activation": keras.activations.serialize(self.recurrent_activation),
            "reset_after": self.reset_after,
            "implementation": self.implementation,
        }


@keras.saving.register_keras_serializable(package="rnn_templates")
class GRU(NamedRecurrentLayer):
    """The gated recurrent unit over whole sequences; the equations stand at `GRUCell`.

    Arguments, defaults and weights are `keras.layers.GRU`'s: `set_weights(keras_layer.get_weights())` works.
    Source: Cho et al. 2014, arXiv:1406.1078.

    Args:
        units to recurrent_dropout, seed, reset_after, implementation: As `GRUCell` says.
        activity_regularizer: Penalty on the output.
        return_sequences to unroll, use_cudnn, jit_compile, zero_output_for_mask: As `rnn_layers.layer.RecurrentLayer`
            says.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: An argument lies outside its range.

    Example:
        >>> layer = GRU(4, return_sequences=True, return_state=True)
        >>> outputs, state = layer(np.ones((2, 5, 3)))  # (2, 5, 4) and (2, 4)
    """

    recurrent_activation = of_cell("recurrent_activation")
    reset_after = of_cell("reset_after")
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
        reset_after=True,
        use_cudnn="auto",
        zero_output_for_mask=False,
        implementation=2,
        jit_compile="auto",
        **kwargs,
    ):
        super().__init__(GRUCell, "gru_cell", **passed_on(locals()))
