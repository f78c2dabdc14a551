"""What every recurrent cell shares: its arguments, weights, dropout masks and the two projections of a step."""

import keras
import tensorflow as tf

# Not exported by Keras, but `keras.layers.RNN` asks for this very class when it draws one dropout mask for all steps.
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell

from rnn_layers.activations import are_elementwise


class RecurrentCell(keras.layers.Layer, DropoutRNNCell):
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

    Args:
        units: Size of the hidden state h, and of the output.
        activation: Name or function; `None` is the identity.
        use_bias: Whether the bias is there.
        kernel_initializer: For W_x, `kernel`, shape (features, gates * units).
        recurrent_initializer: For W_h, `recurrent_kernel`, shape (units, gates * units).
        bias_initializer: For `bias`, shape (gates * units,).
        kernel_regularizer: For `kernel`.
        recurrent_regularizer: For `recurrent_kernel`.
        bias_regularizer: For `bias`.
        kernel_constraint: For `kernel`.
        recurrent_constraint: For `recurrent_kernel`.
        bias_constraint: For `bias`.
        dropout: Share of the inputs x_t dropped in training, in [0, 1). A sequence has one mask for all its steps
            (Gal and Ghahramani 2016, "A Theoretically Grounded Application of Dropout in Recurrent Neural Networks").
        recurrent_dropout: The same for h_{t-1} where it enters W_h.
        seed: Whole number from which the dropout masks follow; `None` takes one from Keras's global seed. The state of
            the generator is a non-trainable variable of the cell.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: `units` is not positive, or a dropout rate lies outside [0, 1).
    """

    gates = 1
    # Whether `save` is called in inference too when XLA compiles; for a cell of which that makes better code.
    saves_in_inference = False

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
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        **kwargs,
    ):
        if units <= 0:
            raise ValueError(f"units must be positive, got {units}")
        for name, rate in (("dropout", dropout), ("recurrent_dropout", recurrent_dropout)):
            if not 0 <= rate < 1:
                raise ValueError(f"{name} must be at least 0 and below 1, got {rate}")
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = keras.regularizers.get(recurrent_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.recurrent_constraint = keras.constraints.get(recurrent_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.state_size = units
        self.output_size = units

    @property
    def recurrent_shape(self):
        """Shape of `recurrent_kernel`."""
        return (self.units, self.gates * self.units)

    @property
    def bias_shape(self):
        """Shape of `bias`."""
        return (self.gates * self.units,)

    def initial_bias(self, shape, dtype=None):
        """The first value of `bias`; a cell whose gates start differently overrides this."""
        return self.bias_initializer(shape, dtype=dtype)

    def build(self, input_shape):
        """Creates `kernel`, `recurrent_kernel` and `bias` for inputs of shape (..., features)."""
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.gates * self.units),
            name="kernel",
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            shape=self.recurrent_shape,
            name="recurrent_kernel",
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=self.bias_shape,
                name="bias",
                initializer=self.initial_bias,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def get_initial_state(self, batch_size=None):
        """h_0 = 0, and every other state likewise.

        Args:
            batch_size: Number of rows.

        Returns:
            A list of tensors of zeros, each (batch_size, units), in the compute dtype.
        """
        sizes = [self.state_size] if isinstance(self.state_size, int) else self.state_size
        return [tf.zeros((batch_size, size), dtype=self.compute_dtype) for size in sizes]

    def draw_dropout_masks(self, batch_size, features):
        """Draws the masks of one pass over a sequence, the same numbers as Keras's cell draws from the same seed.

        Args:
            batch_size: Number of rows.
            features: Number of inputs in a step.

        Returns:
            Two lists of masks, (batch_size, features) for the inputs and (batch_size, units) for the state: empty
            without dropout, one mask, or one for every gate. An element is 0 or 1 / (1 - rate).
        """
        count = getattr(self, "dropout_mask_count", None) or 1

        def draw(rate, size):
            if rate == 0:
                return []
            ones = tf.ones((batch_size, size), dtype=self.compute_dtype)
            return [keras.random.dropout(ones, rate, seed=self.seed_generator) for _ in range(count)]

        return draw(self.dropout, features), draw(self.recurrent_dropout, self.units)

    def input_weights(self):
        """W_x and b_x (or None) as tensors in the compute dtype."""
        return self._tensor(self.kernel), self._tensor(self.bias)

    def recurrent_weights(self):
        """W_h and b_h (or None) as tensors in the compute dtype, read once before a loop."""
        return self._tensor(self.recurrent_kernel), None

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
            factors: What `linearize` returned, for one step or for all of them.
            gradients: Those of the states after the step, each (..., units).

        Returns:
            The gradients of a_t and of r_t, (..., gates * units), and the list of those of the states before the step,
            each (..., units) or None for zero, without what flows through r_t.
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
        nested = keras.tree.is_nested(states)
        old_states = list(states) if nested else [states]
        input_masks, state_masks = (), ()
        if training:
            input_masks = _as_list(self.get_dropout_mask(inputs))
            state_masks = _as_list(self.get_recurrent_dropout_mask(old_states[0]))
        projected = self.project_inputs(inputs, self.input_weights(), input_masks)
        new_states = self.step(projected, old_states, self.recurrent_weights(), state_masks)
        return new_states[0], new_states if nested else new_states[0]

    def get_config(self):
        """Every argument of the constructor."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "recurrent_regularizer": keras.regularizers.serialize(self.recurrent_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "recurrent_constraint": keras.constraints.serialize(self.recurrent_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }

    def _tensor(self, variable):
        return None if variable is None else tf.cast(tf.convert_to_tensor(variable), self.compute_dtype)

    def _project(self, rows, weights, masks):
        """rows W + b, each gate's columns from the rows under that gate's mask when there is one per gate."""
        kernel, bias = weights
        if len(masks) <= 1:
            return _dense(rows * masks[0] if masks else rows, kernel, bias)
        kernels = tf.split(kernel, self.gates, axis=1)
        projected = [_dense(rows * mask, part, None) for mask, part in zip(masks, kernels, strict=True)]
        projected = tf.concat(projected, axis=-1)
        return projected if bias is None else projected + bias


def mask_count(implementation, gates, recurrent_dropout):
    """How many dropout masks a gated cell draws for each of its inputs, by Keras's rule.

    Args:
        implementation: 1 for a mask per gate, 2 for one that all gates share.
        gates: The cell's number of gates.
        recurrent_dropout: The cell's rate; above 0 it makes the masks per gate whatever `implementation` says.

    Returns:
        `gates` or `None`, which `DropoutRNNCell` reads as a single mask.

    Raises:
        ValueError: `implementation` is neither 1 nor 2.
    """
    if implementation not in (1, 2):
        raise ValueError(f"implementation must be 1 or 2, got {implementation}")
    return gates if implementation == 1 or recurrent_dropout > 0 else None


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
