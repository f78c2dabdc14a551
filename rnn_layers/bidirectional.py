"""A recurrent layer that reads its sequences in both directions."""

import keras
import numpy as np
import tensorflow as tf

from rnn_layers.layer import RecurrentLayer

MERGES = {
    "sum": lambda forward, backward: forward + backward,
    "mul": lambda forward, backward: forward * backward,
    "ave": lambda forward, backward: (forward + backward) / 2,
    "concat": lambda forward, backward: tf.concat([forward, backward], axis=-1),
    None: lambda forward, backward: (forward, backward),
}


@keras.saving.register_keras_serializable(package="rnn_templates")
class Bidirectional(keras.layers.Layer):
    """Two recurrent layers, one from the first step to the last and one from the last to the first.

        h_t = merge(forward h_t, backward h_t)

    Every output stands at the step that it belongs to: with `return_sequences` the backward layer's are turned round
    and the outputs of masked steps are 0; without it, each direction gives its last output. The weights are the
    forward layer's followed by the backward layer's, as in `keras.layers.Bidirectional`. Source: Schuster and Paliwal
    1997, "Bidirectional Recurrent Neural Networks".

    Args:
        layer: A recurrent layer of this package or of Keras. It is not used itself: the forward layer is a new one
            with its configuration.
        merge_mode: "concat", "sum", "ave", "mul", or None for a pair of outputs.
        weights: List of arrays to start from, the forward layer's first; None leaves the initializers' values.
        backward_layer: The layer for the other direction, used itself; None makes one like `layer`. It must differ
            from `layer` in `go_backwards`, and agree in `stateful`, `return_sequences` and `return_state`.
        **kwargs: `name`, `dtype`, `trainable`, `activity_regularizer`.

    Raises:
        ValueError: A layer is not recurrent, the layers do not fit each other, or `merge_mode` is unknown.

    Example:
        >>> both = Bidirectional(LSTM(4, return_sequences=True))(np.ones((2, 5, 3)))  # (2, 5, 8)
    """

    def __init__(self, layer, merge_mode="concat", weights=None, backward_layer=None, **kwargs):
        for given in (layer, backward_layer):
            if given is not None and not isinstance(given, keras.layers.RNN):
                raise ValueError(f"Bidirectional needs a recurrent layer (a keras.layers.RNN), got {given!r}")
        if merge_mode not in MERGES:
            raise ValueError(f"merge_mode must be one of {list(MERGES)}, got {merge_mode!r}")
        super().__init__(**kwargs)
        self.forward_layer = _copy(layer, "forward_")
        self.backward_layer = _copy(layer, "backward_", True) if backward_layer is None else backward_layer
        _check_pair(self.forward_layer, self.backward_layer)
        # As in Keras: 0 where there is nothing to read, so that merged outputs never mix in a neighbour's value.
        self.forward_layer.zero_output_for_mask = layer.return_sequences
        self.backward_layer.zero_output_for_mask = layer.return_sequences
        for one in (self.forward_layer, self.backward_layer):
            if isinstance(one, RecurrentLayer):
                one.directions = 2
        # Ours gives the outputs of a backward run in the order of time at no cost; others are turned round.
        self._turns_round = not isinstance(self.backward_layer, RecurrentLayer) or not self.backward_layer.go_backwards
        if not self._turns_round:
            self.backward_layer.outputs_in_order_of_time = True
        self.merge_mode = merge_mode
        self._first_weights = weights
        self.stateful = layer.stateful
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.supports_masking = True
        self.input_spec = layer.input_spec

    def build(self, sequences_shape, initial_state_shape=None):
        """Builds both layers for inputs of shape (batch, steps, features)."""
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)
                layer.built = True
        if self._first_weights is not None:
            self.set_weights([np.asarray(array) for array in self._first_weights])
            # From here on the variables hold them: a configuration must not carry a second copy.
            self._first_weights = None

    def call(self, sequences, initial_state=None, mask=None, training=False, sequences_mask=None):
        """Runs both layers.

        Args:
            sequences: (batch, steps, features).
            initial_state: List of the forward layer's first states followed by the backward layer's.
            mask: (batch, steps), true where a step counts.
            training: Whether dropout is active.
            sequences_mask: Filled in by Keras with the mask that comes with `sequences`; used when `mask` is None.

        Returns:
            The merged output (two of them for `merge_mode=None`), followed by the forward layer's final states and the
            backward layer's if `return_state`.
        """
        mask = sequences_mask if mask is None else mask
        forward_state, backward_state = None, None
        if initial_state is not None:
            half = len(initial_state) // 2
            forward_state, backward_state = list(initial_state[:half]), list(initial_state[half:])
        forward = self.forward_layer(sequences, initial_state=forward_state, mask=mask, training=training)
        backward = self.backward_layer(sequences, initial_state=backward_state, mask=mask, training=training)
        states = ()
        if self.return_state:
            states = (*forward[1:], *backward[1:])
            forward, backward = forward[0], backward[0]
        if self.return_sequences and self._turns_round:
            backward = tf.reverse(backward, (1,))
        output = MERGES[self.merge_mode](tf.cast(forward, self.compute_dtype), tf.cast(backward, self.compute_dtype))
        if not self.return_state:
            return output
        return (*output, *states) if self.merge_mode is None else (output, *states)

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        """The shapes of what `call` returns, in the same order."""
        shape = self.forward_layer.compute_output_shape(sequences_shape)
        other_shape = self.backward_layer.compute_output_shape(sequences_shape)
        states = ()
        if self.return_state:
            states = (*shape[1:], *other_shape[1:])
            shape, other_shape = shape[0], other_shape[0]
        if self.merge_mode is None:
            return (tuple(shape), tuple(other_shape), *states)
        if self.merge_mode == "concat":
            shape = (*shape[:-1], shape[-1] + other_shape[-1])
        return (tuple(shape), *states) if self.return_state else tuple(shape)

    def compute_mask(self, sequences, mask=None):
        """The mask of every output of `call`: the input's for sequences, None for last outputs and states."""
        kept = keras.tree.flatten(mask)[0] if self.return_sequences else None
        outputs = 2 if self.merge_mode is None else 1
        states = len(self.forward_layer.state_size) + len(self.backward_layer.state_size) if self.return_state else 0
        masks = [kept] * outputs + [None] * states
        return kept if len(masks) == 1 else masks

    @property
    def states(self):
        """The kept states of both layers, or None if they keep none."""
        if not self.forward_layer.states or not self.backward_layer.states:
            return None
        return (*self.forward_layer.states, *self.backward_layer.states)

    def reset_state(self):
        """Sets the kept states of both layers to 0.

        Raises:
            AttributeError: The layers are not stateful.
        """
        if not self.stateful:
            raise AttributeError(f"{self.name} is not stateful")
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def reset_states(self):
        """Another name of `reset_state`, as in Keras."""
        self.reset_state()

    def get_config(self):
        """Every argument of the constructor; `weights` only until the variables hold them."""
        weights = None
        if self._first_weights is not None:
            weights = [np.asarray(array).tolist() for array in self._first_weights]
        return {
            **super().get_config(),
            "layer": keras.saving.serialize_keras_object(self.forward_layer),
            "merge_mode": self.merge_mode,
            "weights": weights,
            "backward_layer": keras.saving.serialize_keras_object(self.backward_layer),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The layer that `get_config` described."""
        layers = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects=custom_objects)
            for name in ("layer", "backward_layer")
            if config.get(name) is not None
        }
        return cls(**{**config, **layers})


def _copy(layer, prefix, go_backwards=None):
    """A new layer with the same configuration, under the name with the prefix."""
    config = keras.saving.serialize_keras_object(layer)
    config["config"]["name"] = prefix + layer.name.removeprefix(prefix)
    if go_backwards is not None:
        config["config"]["go_backwards"] = go_backwards
    copy = keras.saving.deserialize_keras_object(config)
    # Keras's own layers leave this argument out of their configuration.
    if hasattr(layer, "use_cudnn"):
        copy.use_cudnn = layer.use_cudnn
    return copy


def _check_pair(forward, backward):
    if forward.go_backwards == backward.go_backwards:
        raise ValueError(
            f"the two layers of a Bidirectional must differ in go_backwards, both have {forward.go_backwards}"
        )
    for name in ("stateful", "return_sequences", "return_state"):
        if getattr(forward, name) != getattr(backward, name):
            raise ValueError(
                f"the two layers of a Bidirectional must have the same {name}, "
                f"got {getattr(forward, name)} and {getattr(backward, name)}"
            )
