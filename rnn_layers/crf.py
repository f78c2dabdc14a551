"""A linear-chain conditional random field: the layer, its likelihood, its best path and its marginals.

The layer turns scores into potentials, and everything after it is a function of them alone:

    psi_1(i, j) = first_j + e_1(j)                  the same in every row i
    psi_t(i, j) = A_ij + e_t(j)      t = 2..n       the last valid step also gets last_j
    s(y)        = sum_t psi_t(y_{t-1}, y_t)         y_0 = 0, for a path begins in row 0
    p(y | x)    = exp(s(y)) / Z(x)                  Z(x) = sum_y exp(s(y))

A masked step holds 0 on the diagonal and `FORBIDDEN` elsewhere: a path stays where it is, at no cost.

Sources: Lafferty, McCallum and Pereira 2001, "Conditional Random Fields"; Rabiner 1989, "A Tutorial on Hidden Markov
Models" (the recursions and their scaling); Viterbi 1967; Lample et al. 2016, "Neural Architectures for Named Entity
Recognition", arXiv:1603.01360 (scores from a bidirectional network).
"""

import keras
import numpy as np
import tensorflow as tf

from rnn_layers.hoisted import stack

# The potential of what must not happen. So large that any score added to it is rounded away and none makes up for it; a
# power of 2, so that its multiples are exact and their differences cancel; and its sums never overflow.
FORBIDDEN = -(2.0**100)


@keras.saving.register_keras_serializable(package="rnn_templates")
class CRF(keras.layers.Layer):
    """Potentials of tag paths from the scores of every step.

    Its weights are `transitions` (tags, tags), A above, from the row's tag to the column's; `first` (tags,) and `last`
    (tags,). The latter two start at 0.

    Args:
        allowed: (tags, tags) of bools, whether a tag may be followed by another; None allows everything.
        allowed_first: (tags,) of bools, whether a path may start with a tag; None allows everything.
        allowed_last: (tags,) of bools, whether a path may end with a tag; None allows everything.
        transitions_initializer: Initializer of `transitions`. With "zeros" training starts from independent tags.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: The shapes do not fit each other or the scores, or no tag is allowed first or last.

    Example:
        >>> scores = np.ones((2, 5, 3), "float32")
        >>> potentials = CRF(allowed_first=[True, True, False])(scores)  # (2, 5, 3, 3)
        >>> tags, score = decode(potentials)  # (2, 5), (2,)
    """

    def __init__(self, allowed=None, allowed_first=None, allowed_last=None, transitions_initializer="zeros", **kwargs):
        # Scores are not rounded to the compute type of a mixed precision: they may come in float32.
        super().__init__(autocast=False, **kwargs)
        self.allowed = _bools("allowed", allowed, 2)
        self.allowed_first = _bools("allowed_first", allowed_first, 1)
        self.allowed_last = _bools("allowed_last", allowed_last, 1)
        self.transitions_initializer = keras.initializers.get(transitions_initializer)
        self.supports_masking = True
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def build(self, scores_shape):
        """Makes the weights for scores of shape (batch, time, tags)."""
        tags = scores_shape[-1]
        for name in ("allowed", "allowed_first", "allowed_last"):
            table = getattr(self, name)
            if table is not None and len(table) != tags:
                raise ValueError(f"{self.name}: {name} has shape {table.shape}, the scores have {tags} tags")
        self.input_spec = keras.layers.InputSpec(ndim=3, axes={-1: tags})

        def weight(name, shape, initializer):
            return self.add_weight(name=name, shape=shape, initializer=initializer, autocast=False)

        self.transitions = weight("transitions", (tags, tags), self.transitions_initializer)
        self.first = weight("first", (tags,), "zeros")
        self.last = weight("last", (tags,), "zeros")

    def call(self, scores, mask=None):
        """Adds the transitions to the scores.

        Args:
            scores: (batch, time, tags), the scores (logits) of each step alone.
            mask: (batch, time), true where a step counts. Only right-padding is supported: a row's valid steps are its
                first ones. A row may have none.

        Returns:
            Potentials (batch, time, tags, tags), in float32 whatever the precision of the rest (float64 under that
            policy). No mask goes on with them: they hold it.
        """
        dtype = tf.float64 if self.variable_dtype == "float64" else tf.float32
        scores = tf.cast(scores, dtype)
        time, tags = tf.shape(scores)[1], scores.shape[2]
        transitions = _forbid(self.transitions, self.allowed, dtype)
        first, last = _forbid(self.first, self.allowed_first, dtype), _forbid(self.last, self.allowed_last, dtype)

        # What is added to a step's scores is one of three tables. To gather it is faster than to choose by a mask.
        stay = np.where(np.eye(tags, dtype=bool), 0, FORBIDDEN)
        tables = tf.stack([tf.broadcast_to(first, (tags, tags)), transitions, tf.constant(stay, dtype)])
        step = tf.range(time)[tf.newaxis]
        table, is_last = tf.minimum(step, 1), step == time - 1
        if mask is not None:
            mask = tf.cast(mask, tf.bool)
            table = tf.where(mask, table, 2)
            is_last = mask & ~tf.concat([mask, tf.zeros_like(mask[:, :1])], axis=1)[:, 1:]
            scores = tf.where(mask[:, :, tf.newaxis], scores, tf.zeros_like(scores))
        scores += tf.where(is_last[:, :, tf.newaxis], last, tf.zeros_like(last))
        return tf.gather(tables, table) + scores[:, :, tf.newaxis]

    def compute_mask(self, scores, mask=None):
        """None: the potentials hold the mask."""
        return

    def get_config(self):
        """Every argument of the constructor."""
        tables = {name: getattr(self, name) for name in ("allowed", "allowed_first", "allowed_last")}
        return {
            **super().get_config(),
            **{name: table if table is None else table.tolist() for name, table in tables.items()},
            "transitions_initializer": keras.initializers.serialize(self.transitions_initializer),
        }


@keras.saving.register_keras_serializable(package="rnn_templates")
class ChainLoss(keras.losses.Loss):
    """The negative log likelihood of each sentence's tags, in nats, for `model.compile`.

    Args:
        **kwargs: `name`, `reduction`, `dtype` of `keras.losses.Loss`. The default reduction is the mean over sentences.

    Call arguments:
        y_true: Tags (batch, time), -1 at the steps that the layer's mask left out.
        y_pred: Potentials (batch, time, tags, tags).

    Example:
        >>> model.compile("adam", ChainLoss())
    """

    def __init__(self, name="chain_loss", **kwargs):
        super().__init__(name=name, **kwargs)

    def call(self, y_true, y_pred):
        """The losses, (batch,)."""
        tags = tf.cast(y_true, tf.int32)
        return negative_log_likelihood(y_pred, tags, tags >= 0)


def log_partition(potentials):
    """log Z, the logarithm of the sum over all paths of exp(score).

    Its gradient is the pairwise marginals: p(y_{t-1} = i, y_t = j) at [t, i, j], at the first step p(y_1 = j) in row 0.
    It can be taken once, not twice.

    Args:
        potentials: (batch, time, tags, tags).

    Returns:
        (batch,).
    """

    @tf.custom_gradient
    def differentiable(potentials):
        log_z, kept = _sum_forward(potentials)

        def gradient(upstream):
            pairwise = _pairwise_backward(kept, upstream)
            return tf.raw_ops.PreventGradient(input=pairwise, message="log_partition has no second derivative")

        return log_z, gradient

    return differentiable(potentials)


def path_score(potentials, tags, mask=None):
    """The unnormalized log score of one path in each row, sum_t psi_t(y_{t-1}, y_t).

    Args:
        potentials: (batch, time, tags, tags).
        tags: (batch, time) int32; anything at masked steps.
        mask: (batch, time), true where a step counts; None for all steps.

    Returns:
        (batch,); 0 for a row without a valid step.
    """
    tags = tf.cast(tags, tf.int32)
    if mask is not None:
        mask = tf.cast(mask, tf.bool)
        tags = tf.where(mask, tags, 0)
    before = tf.concat([tf.zeros_like(tags[:, :1]), tags], axis=1)[:, :-1]
    batch, time = tf.unstack(tf.shape(tags))
    rows, steps = tf.meshgrid(tf.range(batch), tf.range(time), indexing="ij")
    taken = tf.gather_nd(potentials, tf.stack([rows, steps, before, tags], axis=-1))
    return tf.reduce_sum(taken if mask is None else tf.where(mask, taken, tf.zeros_like(taken)), axis=1)


def negative_log_likelihood(potentials, tags, mask=None):
    """-log p(y | x) of each row's tags. Every forbidden step in them costs 2^100 nats: check the tags beforehand.

    Args:
        potentials: (batch, time, tags, tags).
        tags: (batch, time) int32; anything at masked steps.
        mask: (batch, time), the mask that the layer had.

    Returns:
        (batch,), nats per sentence.
    """
    return log_partition(potentials) - path_score(potentials, tags, mask)


def marginals(potentials):
    """The probability of each tag at each step given the whole sentence.

    Args:
        potentials: (batch, time, tags, tags).

    Returns:
        (batch, time, tags). A masked step repeats the last valid one; a row without a valid step is in tag 0.
    """
    log_z, kept = _sum_forward(potentials)
    return tf.reduce_sum(_pairwise_backward(kept, tf.ones_like(log_z)), axis=2)


def decode(potentials, mask=None):
    """The best path of each row, by Viterbi's algorithm.

    A forbidden step is taken only where every path has one, whatever the scores.

    Args:
        potentials: (batch, time, tags, tags).
        mask: (batch, time), the mask that the layer had.

    Returns:
        Tags (batch, time) int32, 0 at masked steps; the paths' unnormalized log scores (batch,), of which
        `exp(score - log_partition(potentials))` is the probability.
    """
    steps = _batch_last(potentials)
    time, tags, _, batch = tf.unstack(tf.shape(steps))
    potentials_of = tf.TensorArray(steps.dtype, time).unstack(steps)

    def advance(step, best, history):
        history = history.write(step, best)
        best = tf.reduce_max(best[:, tf.newaxis] + potentials_of.read(step), axis=0)
        # Only differences count, and small numbers keep them exact over thousands of steps.
        return step + 1, best - tf.reduce_max(best, axis=0), history

    history = tf.TensorArray(potentials.dtype, size=time, element_shape=steps.shape[2:], clear_after_read=False)
    _, best, history = tf.while_loop(lambda step, *_: step < time, advance, (0, _start(steps), history))

    # Where psi_t(i, 0) of each row stands in the flat potentials when t = 0.
    flat = tf.reshape(potentials, [-1])
    columns = (tf.range(batch) * time * tags + tf.range(tags)[:, tf.newaxis]) * tags

    def retreat(step, tag, path):
        arrived = history.read(step) + tf.gather(flat, columns + (step * tags * tags + tag))
        return step - 1, tf.argmax(arrived, axis=0, output_type=tf.int32), path.write(step, tag)

    last = tf.argmax(best, axis=0, output_type=tf.int32)
    path = tf.TensorArray(tf.int32, size=time, element_shape=last.shape)
    _, _, path = tf.while_loop(lambda step, *_: step >= 0, retreat, (time - 1, last, path))
    tags = tf.transpose(stack(path, potentials.shape[1], last.shape, [batch]))
    tags.set_shape(potentials.shape[:2])
    score = path_score(potentials, tags, mask)
    return tags if mask is None else tf.where(tf.cast(mask, tf.bool), tags, 0), score


def _sum_forward(potentials):
    """The recursion from the first step to the last, in log space.

        alpha_t(j) = log sum_i exp(alpha_{t-1}(i) + psi_t(i, j))

    After every step the largest alpha is taken out and counted in log Z apart, so that what is summed stays small.

    Returns:
        log Z, (batch,); what `_pairwise_backward` needs: the array of exp(alpha_{t-1}(i) + psi_t(i, j) - m_t(j)),
        (tags, tags, batch), m_t(j) being the largest exponent; that of their sums over i; p(y_n = j), (tags, batch);
        the potentials' static shape.
    """
    steps = _batch_last(potentials)
    time = tf.shape(steps)[0]
    potentials_of = tf.TensorArray(steps.dtype, time).unstack(steps)

    def advance(step, alpha, kept):
        paths = alpha[:, tf.newaxis] + potentials_of.read(step)
        largest = tf.reduce_max(paths, axis=0)
        terms = tf.exp(paths - largest)
        sums = tf.reduce_sum(terms, axis=0)
        alpha = tf.math.log(sums) + largest
        scale = tf.reduce_max(alpha, axis=0)
        return (
            step + 1,
            alpha - scale,
            [array.write(step, value) for array, value in zip(kept, (terms, sums, scale), strict=True)],
        )

    kept = [
        tf.TensorArray(potentials.dtype, size=time, element_shape=steps.shape[axis:], clear_after_read=False)
        for axis in (1, 2, 3)
    ]
    _, alpha, (terms, sums, scales) = tf.while_loop(lambda step, *_: step < time, advance, (0, _start(steps), kept))
    last = tf.exp(alpha)
    total = tf.reduce_sum(last, axis=0)
    scales = stack(scales, potentials.shape[1], steps.shape[3:], tf.shape(total))
    return tf.reduce_sum(scales, axis=0) + tf.math.log(total), (terms, sums, last / total, potentials.shape)


def _pairwise_backward(kept, upstream):
    """The pairwise marginals, from the last step to the first, each row multiplied by its `upstream`, (batch,).

        p(y_{t-1} = i, y_t = j) = p(y_t = j) p(y_{t-1} = i | y_t = j, x_1 .. x_t)

    The second factor is what the forward recursion summed, divided by the sum: probabilities, which cannot overflow.

    Returns:
        (batch, time, tags, tags).
    """
    terms, sums, last, shape = kept
    time = terms.size()

    def retreat(step, marginal, pairwise):
        pair = terms.read(step) * (marginal / sums.read(step))
        return step - 1, tf.reduce_sum(pair, axis=1), pairwise.write(step, pair)

    pairwise = tf.TensorArray(last.dtype, size=time, element_shape=terms.element_shape)
    _, _, pairwise = tf.while_loop(lambda step, *_: step >= 0, retreat, (time - 1, last * upstream, pairwise))
    tags, batch = tf.unstack(tf.shape(last))
    pairwise = tf.transpose(stack(pairwise, shape[1], terms.element_shape, [tags, tags, batch]), (3, 0, 1, 2))
    pairwise.set_shape(shape)
    return pairwise


def _batch_last(potentials):
    """(time, tags, tags, batch): a step is one piece of memory, and sums over tags run along whole rows of it."""
    return tf.transpose(potentials, (1, 2, 3, 0))


def _start(steps):
    """The log scores before the first step, (tags, batch): every path begins in row 0."""
    _, tags, _, batch = tf.unstack(tf.shape(steps))
    start = tf.where(tf.range(tags)[:, tf.newaxis] == 0, tf.zeros((1, batch), steps.dtype), FORBIDDEN)
    start.set_shape(steps.shape[2:])
    return start


def _forbid(weight, allowed, dtype):
    weight = tf.cast(weight, dtype)
    return weight if allowed is None else tf.where(tf.constant(allowed), weight, FORBIDDEN)


def _bools(name, table, rank):
    """The table as an array of bools, or None."""
    if table is None:
        return None
    table = np.asarray(table)
    if table.ndim != rank or len(set(table.shape)) != 1:
        raise ValueError(f"{name} must have shape ({', '.join(['tags'] * rank)}), got {table.shape}")
    if rank == 1 and not table.any():
        raise ValueError(f"{name} allows no tag")
    return table.astype(bool)
