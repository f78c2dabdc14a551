"""A layer that runs a recurrent cell over sequences; SimpleRNN, GRU and LSTM are it with their own cell."""

import inspect

import keras
import tensorflow as tf

from rnn_layers import cudnn
from rnn_layers.cell import RecurrentCell
from rnn_layers.portable import choose
from rnn_layers.recurrence import run_over_time
from rnn_layers.watching import is_watching


@keras.saving.register_keras_serializable(package="rnn_templates")
class RecurrentLayer(keras.layers.RNN):
    """Runs a cell of this package over sequences.

    It is a `keras.layers.RNN` (states, shapes and masks are handled as there) with another loop, and it accepts
    sequences without a single step. `mask` may be given or come with the sequences; unlike in Keras 3.15 a mask that
    comes with the sequences also counts when `initial_state` is given.

    Args:
        cell: A `rnn_layers.cell.RecurrentCell`. Other cells run in `keras.layers.RNN`.
        return_sequences: Whether to return the outputs of all steps, (batch, steps, units), or the last, (batch,
            units).
        return_state: Whether to return the final states, each (batch, units), after the output.
        go_backwards: Whether to take the steps from the last to the first and return outputs in that order.
        stateful: Whether a batch starts from the states in which the one before it ended, until `reset_state()`. The
            batch size must be fixed.
        unroll: Whether a graph holds every step instead of a loop. Only for short sequences of known length.
        zero_output_for_mask: Whether a masked step's output is 0; otherwise it repeats the output before it.
        use_cudnn: "auto": cuDNN wherever it can run the layer; False: never; True: a call fails with the reason where
            it cannot. An exported graph never holds it. `why_not_cudnn` tells what stands in the way.
        jit_compile: Whether XLA compiles pieces of the loop: "auto" by a rule (`rnn_layers.recurrence`), True wherever
            it can be done, or False.
        **kwargs: `name`, `dtype`, `trainable`, `activity_regularizer`.

    Raises:
        TypeError: The cell is not a `RecurrentCell`.
        ValueError: `use_cudnn` or `jit_compile` is none of its three values.
    """

    def __init__(
        self,
        cell,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        zero_output_for_mask=False,
        use_cudnn="auto",
        jit_compile="auto",
        **kwargs,
    ):
        if not isinstance(cell, RecurrentCell):
            raise TypeError(
                f"cell must be an rnn_layers RecurrentCell, got {cell!r}; keras.layers.RNN runs other cells"
            )
        for name, value in (("use_cudnn", use_cudnn), ("jit_compile", jit_compile)):
            if value not in ("auto", True, False):
                raise ValueError(f'{name} must be "auto", True or False, got {value!r}')
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            zero_output_for_mask=zero_output_for_mask,
            **kwargs,
        )
        self.use_cudnn = use_cudnn
        self.jit_compile = jit_compile
        # Keras then does not compile a model that holds the layer: XLA has no cuDNN recurrence.
        self.supports_jit = cudnn.why_not(self) is not None
        # Set by a Bidirectional, which wants the outputs of both directions in the order of time and shares the cores.
        self.outputs_in_order_of_time = False
        self.directions = 1
        self.input_spec = keras.InputSpec(ndim=3)

    def call(self, sequences, initial_state=None, mask=None, training=False, sequences_mask=None):
        """Runs the cell over a batch of sequences.

        Args:
            sequences: (batch, steps, features).
            initial_state: List of the first states, each (batch, units), or the only one; zeros (or, if stateful, the
                kept states) when None.
            mask: (batch, steps), true where a step counts; (1, steps) and (batch, 1) stand for all rows and for all
                steps, and a last axis of size 1 may follow. At other steps a row keeps its states.
            training: Whether dropout is active.
            sequences_mask: Filled in by Keras with the mask that comes with `sequences`; used when `mask` is None.

        Returns:
            The output, followed by the final states if `return_state`.

        Raises:
            ValueError: The layer is stateful and the batch has another size; it is unrolled and the number of steps
                is unknown; it demands cuDNN where cuDNN cannot run it; or the mask has another shape than the batch.
            tf.errors.InvalidArgumentError: The mask has, which only the running graph could know.
        """
        self._check_call(sequences)
        if initial_state is None:
            initial_state = self.states if self.stateful else self.get_initial_state(tf.shape(sequences)[0])
        states = initial_state if keras.tree.is_nested(initial_state) else [initial_state]
        states = [keras.ops.convert_to_tensor(state, dtype=self.cell.compute_dtype) for state in states]
        if len(states) != len(self.state_size):
            raise ValueError(f"{self.name} has {len(self.state_size)} states, initial_state holds {len(states)}")
        mask = self._mask_of(sequences, keras.tree.flatten(sequences_mask if mask is None else mask)[0])

        last_output, outputs, states = self._run(
            tf.cast(sequences, self.cell.compute_dtype), states, mask, training=training
        )
        if self.go_backwards and self.return_sequences and not self.outputs_in_order_of_time:
            outputs = tf.reverse(outputs, (1,))
        if self.stateful:
            for variable, state in zip(self.states, states, strict=True):
                variable.assign(state)
        output = tf.cast(outputs if self.return_sequences else last_output, self.compute_dtype)
        if self.return_state:
            return output, *(tf.cast(state, self.compute_dtype) for state in states)
        return output

    def why_not_cudnn(self):
        """Why cuDNN cannot run this layer as it is configured on this machine.

        Whether a mask is right-padded, and whether the graph is exported or compiled, is found out in the call.

        Returns:
            A reason in one line, or None.

        Example:
            >>> LSTM(4, activation="relu").why_not_cudnn()  # on a machine with a GPU
            'activation is relu, cuDNN has tanh'
        """
        return cudnn.why_not(self)

    def _run(self, sequences, states, mask, training):
        """The last output, all outputs in the order of time or None, and the final states."""

        def by_cudnn():
            lengths = None if mask is None else cudnn.lengths_of(mask)
            return cudnn.run(self.cell, sequences, states, lengths, training, *how)

        def portably():
            return run_over_time(
                self.cell,
                sequences,
                states,
                mask,
                training,
                *how,
                unroll=self.unroll,
                jit_compile=self.jit_compile,
                directions=self.directions,
            )

        how = self.go_backwards, self.zero_output_for_mask, self.return_sequences
        if is_watching() or self.why_not_cudnn() or cudnn.why_not_here(training):
            return portably()
        return choose(cudnn.fits(sequences, mask), by_cudnn, portably)

    def _mask_of(self, sequences, mask):
        """The mask as bool (batch, steps), or None."""
        if mask is None:
            return None
        mask = tf.cast(mask, tf.bool)
        problem = f"{self.name}: the mask must be of shape (batch, steps)"
        if len(mask.shape) == 3 and mask.shape[2] == 1:
            mask = mask[:, :, 0]
        if len(mask.shape) != 2:
            raise ValueError(f"{problem}, got {tuple(mask.shape)}")
        for size, wanted in zip(mask.shape, sequences.shape, strict=False):
            if None not in (size, wanted) and size not in (1, wanted):
                raise ValueError(f"{problem}, {tuple(sequences.shape[:2])}, got {tuple(mask.shape)}")
        if tuple(mask.shape) == tuple(sequences.shape[:2]) and None not in mask.shape:
            return mask
        # An error where the sizes do not fit, which no static shape told.
        mask = tf.broadcast_to(mask, tf.shape(sequences)[:2], name="mask_must_be_of_shape_batch_steps")
        mask.set_shape(sequences.shape[:2])
        return mask

    def _check_call(self, sequences):
        if self.use_cudnn is True and self.why_not_cudnn():
            raise ValueError(f"{self.name}: use_cudnn=True, but {self.why_not_cudnn()}")
        if self.unroll and sequences.shape[1] is None:
            raise ValueError(f"{self.name}: unroll=True needs a known number of steps, got {tuple(sequences.shape)}")
        if self.stateful and sequences.shape[0] not in (None, self.states[0].shape[0]):
            raise ValueError(
                f"{self.name} is stateful with a batch of {self.states[0].shape[0]}, got {sequences.shape[0]} sequences"
            )

    def get_config(self):
        """Every argument of the constructor."""
        return {
            **super().get_config(),
            "use_cudnn": self.use_cudnn,
            "jit_compile": self.jit_compile,
            "activity_regularizer": keras.regularizers.serialize(self.activity_regularizer),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The layer that `get_config` described."""
        # A copy, for Keras takes the cell out of the dictionary that it is given.
        return super().from_config(dict(config), custom_objects=custom_objects)


def of_cell(name):
    """A read-only attribute of a layer that is its cell's.

    Args:
        name: The attribute of `layer.cell`.

    Returns:
        A property.
    """
    return property(lambda layer: getattr(layer.cell, name), doc=f"The cell's `{name}`.")


class NamedRecurrentLayer(RecurrentLayer):
    """A layer whose constructor takes the arguments of its own cell instead of the cell.

    Args:
        cell_class: The class of the cell.
        cell_name: The cell's name.
        **arguments: Those of `RecurrentLayer` but for the cell, and those of the cell; `dtype` and `trainable` are
            both's, and `name` is the layer's.
    """

    def __init__(self, cell_class, cell_name, **arguments):
        parameters = inspect.signature(cell_class.__init__).parameters
        of_cell = {name: arguments.pop(name) for name in parameters if name in arguments}
        shared = {name: arguments[name] for name in ("dtype", "trainable") if name in arguments}
        super().__init__(cell_class(name=cell_name, **of_cell, **shared), **arguments)

    units = of_cell("units")
    activation = of_cell("activation")
    use_bias = of_cell("use_bias")
    kernel_initializer = of_cell("kernel_initializer")
    recurrent_initializer = of_cell("recurrent_initializer")
    bias_initializer = of_cell("bias_initializer")
    kernel_regularizer = of_cell("kernel_regularizer")
    recurrent_regularizer = of_cell("recurrent_regularizer")
    bias_regularizer = of_cell("bias_regularizer")
    kernel_constraint = of_cell("kernel_constraint")
    recurrent_constraint = of_cell("recurrent_constraint")
    bias_constraint = of_cell("bias_constraint")
    dropout = of_cell("dropout")
    recurrent_dropout = of_cell("recurrent_dropout")
    seed = of_cell("seed")

    def get_config(self):
        """Every argument of the constructor, the cell's among them."""
        config = super().get_config()
        del config["cell"]
        return {**self.cell.get_config(), **config}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The layer that `get_config` described."""
        return cls(**config)
