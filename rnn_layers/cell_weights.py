"""What a recurrent cell has before it computes anything: its arguments, its weights and its dropout masks."""

import keras
import tensorflow as tf

# Not exported by Keras, but `keras.layers.RNN` asks for this very class when it draws one dropout mask for all steps.
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell


class WeightedCell(keras.layers.Layer, DropoutRNNCell):
    """The arguments that Keras's cells share, the weights made from them, and the masks of dropout.

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

    # Blocks of columns in each kernel.
    gates = 1

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
        """Draws the masks of one pass over a sequence in training.

        From the same state of the generator they are the same numbers as Keras's cell draws. A layer of Keras's also
        draws them in inference, where it does not use them, so that what it draws next depends on what was predicted in
        between; ours leaves the generator as it is.

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


def passed_on(arguments, *kept):
    """What a constructor passes on to the next one: its arguments, said once, in its signature.

    Args:
        arguments: The constructor's `locals()` at its beginning.
        kept: The names of arguments that it keeps for itself.

    Returns:
        A dictionary of the others, with those of `**kwargs` among them.
    """
    passed = {name: value for name, value in arguments.items() if name not in ("self", "__class__", "kwargs", *kept)}
    return {**passed, **arguments["kwargs"]}


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
