"""One step of a recurrent layer: two projections, an element-wise part, and how a gradient comes back through it."""

import tensorflow as tf
from keras import tree

from rnn_layers.activations import are_elementwise
from rnn_layers.cell_weights import WeightedCell


class RecurrentCell(WeightedCell):
    """One step of a recurrent layer, split into what depends on the old state and what does not.

    With `gates` blocks of columns in each kernel, a step is

        a_t = x_t W_x + b_x                   `project_inputs`, for one step or for all steps at once
        r_t = h_{t-1} W_h + b_h               `project_state`
        s_t = g(a_t, r_t, s_{t-1})            `combine`, element-wise

    where the first of the states s is the hidden state h, which is also the output. A new cell sets `gates`, and
    `state_size` if it carries more than h, and writes `combine`: everything else, the hoisted products and the hoisted
    gradient among it (`rnn_layers.hoisted`), follows. `save`, `linearize` and `pull_back` may be overridden by a cell
    that knows its derivatives in a cheaper form. A cell whose state enters in another way overrides `step`, and is
    then differentiated step by step.

    Args and errors are those of `rnn_layers.cell_weights.WeightedCell`.
    """

    # Whether a step takes its two projections as their sum only, so that their gradients are one and the same.
    adds_projections = False
    # Whether `save` is called in inference too when XLA compiles; for a cell of which that makes better code.
    saves_in_inference = False

    def project_inputs(self, inputs, weights, masks=()):
        """a_t = x_t W_x + b_x.

        Args:
            inputs: (batch, features) for one step, or (steps, batch, features) for all.
            weights: What `input_weights` returned.
            masks: Dropout masks as `draw_dropout_masks` returns them.

        Returns:
            The projections, (..., gates * units).
        """
        return self._project(inputs, weights, masks)

    def project_state(self, hidden, weights, masks=()):
        """r_t = h_{t-1} W_h + b_h.

        Args:
            hidden: h_{t-1}, (batch, units), or those of all steps, (steps, batch, units).
            weights: What `recurrent_weights` returned.
            masks: Dropout masks as `draw_dropout_masks` returns them.

        Returns:
            The projections, (..., gates * units).
        """
        return self._project(hidden, weights, masks)

    def combine(self, projected_inputs, projected_state, states):
        """The element-wise part of a step, in the equations' own words.

        Args:
            projected_inputs: a_t, (batch, gates * units).
            projected_state: r_t, (batch, gates * units).
            states: The old states, each (batch, units); the first is h_{t-1}.

        Returns:
            The list of new states; the first is h_t, the output.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define combine(projected_inputs, projected_state, states)"
        )

    def step(self, projected_inputs, states, weights, masks=()):
        """One step from projected inputs.

        Args:
            projected_inputs: a_t as `project_inputs` returns it, (batch, gates * units).
            states: The old states, each (batch, units).
            weights: What `recurrent_weights` returned.
            masks: Dropout masks for the state.

        Returns:
            The list of new states.
        """
        return self.combine(projected_inputs, self.project_state(states[0], weights, masks), states)

    def gate_values(self, projected_inputs, states, weights):
        """What the gates let through in a step, for whoever looks into the layer (`rnn_layers.watching`).

        Args:
            projected_inputs: a_t as `project_inputs` returns it, (batch, gates * units).
            states: The old states, each (batch, units).
            weights: What `recurrent_weights` returned.

        Returns:
            A dictionary of a gate's name to its values, (batch, units); empty for a cell without gates.
        """
        return {}

    @property
    def is_hoistable(self):
        """Whether a step is the two products followed by `combine`, so that the gradient can be hoisted too."""
        return type(self).step is RecurrentCell.step and are_elementwise(*self.activations)

    @property
    def activations(self):
        """The functions given as arguments that `combine` applies; one that mixes units, as softmax does, is no
        element-wise part."""
        return [self.activation]

    @property
    def saved_sizes(self):
        """The widths, in units, of the tensors that `save` adds for every step."""
        return [self.gates, self.gates]

    def save(self, projected_inputs, projected_state, states):
        """`combine`, and what `linearize` will need of this step besides the states.

        Args:
            projected_inputs: a_t, (batch, gates * units).
            projected_state: r_t, (batch, gates * units).
            states: The old states, each (batch, units).

        Returns:
            The list of new states; the list of tensors to keep, each (batch, size * units) with `saved_sizes`.
        """
        return self.combine(projected_inputs, projected_state, states), [projected_inputs, projected_state]

    def linearize(self, saved, before, after):
        """The derivatives of the element-wise part, for all steps at once: none of them depends on a gradient.

        A state is a function of what stands in its own unit alone, so that the derivatives of the state k with respect
        to everything are one product of a row of ones with the Jacobian.

        Args:
            saved: What `save` kept, each (steps, batch, size * units).
            before: The states before each step, each (steps, batch, units).
            after: The states after each step, likewise.

        Returns:
            What `pull_back` takes: tensors whose first axis is the steps.
        """
        factors = []
        # Copies, for inside a tf.cond a tape does not find what the branch captured.
        sources = [tf.identity(tensor) for tensor in (*saved, *before)]
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(sources)
            states = self.combine(*sources[:2], sources[2:])
        for state in states:
            factors += tape.gradient(state, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return factors

    def pull_back(self, factors, gradients):
        """From the gradients of the states after a step to those of what went into it.

        Args:
            factors: What `linearize` returned, of one step.
            gradients: Those of the states after the step, each (batch, units).

        Returns:
            The gradients of a_t and of r_t, (batch, gates * units), and the list of those of the states before the
            step, each (batch, units) or None for zero, without what flows through r_t.
        """
        count = 2 + len(gradients)
        rows = [factors[start : start + count] for start in range(0, len(factors), count)]
        sums = []
        for column in range(count):
            repeats = self.gates if column < 2 else 1
            terms = [_repeat(gradient, repeats) * row[column] for gradient, row in zip(gradients, rows, strict=True)]
            sums.append(tf.add_n(terms) if len(terms) > 1 else terms[0])
        return sums[0], sums[1], sums[2:]

    def call(self, inputs, states, training=False):
        """One step from plain inputs, as `keras.layers.RNN` asks for it.

        Args:
            inputs: x_t, (batch, features).
            states: List of the old states, each (batch, units), or the only one.
            training: Whether dropout is active.

        Returns:
            The output, (batch, units), and the new states, nested as `states` was.
        """
        nested = tree.is_nested(states)
        old_states = list(states) if nested else [states]
        input_masks, state_masks = (), ()
        if training:
            input_masks = _as_list(self.get_dropout_mask(inputs))
            state_masks = _as_list(self.get_recurrent_dropout_mask(old_states[0]))
        projected = self.project_inputs(inputs, self.input_weights(), input_masks)
        new_states = self.step(projected, old_states, self.recurrent_weights(), state_masks)
        return new_states[0], new_states if nested else new_states[0]

    def _project(self, rows, weights, masks):
        """rows W + b, each gate's columns from the rows under that gate's mask when there is one per gate."""
        kernel, bias = weights
        if len(masks) <= 1:
            return _dense(rows * masks[0] if masks else rows, kernel, bias)
        kernels = tf.split(kernel, self.gates, axis=1)
        projected = [_dense(rows * mask, part, None) for mask, part in zip(masks, kernels, strict=True)]
        projected = tf.concat(projected, axis=-1)
        return projected if bias is None else projected + bias


def _as_list(masks):
    if masks is None:
        return []
    return list(masks) if isinstance(masks, (list, tuple)) else [masks]


def _repeat(tensor, count):
    return tensor if count == 1 else tf.concat([tensor] * count, axis=-1)


def _dense(rows, kernel, bias):
    # One product over (steps x batch) rows: tf.matmul would make a batched one, whose gradient is several times slower.
    shape = rows.shape
    flat = rows if len(shape) == 2 else tf.reshape(rows, (-1, shape[-1]))
    product = tf.matmul(flat, kernel)
    if bias is not None:
        product = tf.nn.bias_add(product, bias)
    if len(shape) == 2:
        return product
    product = tf.reshape(product, tf.concat([tf.shape(rows)[:2], [kernel.shape[1]]], axis=0))
    product.set_shape((*shape[:2], kernel.shape[1]))
    return product
