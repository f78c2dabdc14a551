"""The loss of a model that scores the next token at every step."""

import tensorflow as tf


def token_losses(scores, tokens, label_smoothing=0.0):
    """How improbable each right token is.

        loss_t = -sum_k q_k log p_k,   q = (1 - s) one-hot(y_t) + s / vocabulary

    Args:
        scores: Before the softmax, (batch, steps, vocabulary).
        tokens: The right ones y_t, int32 (batch, steps).
        label_smoothing: s, in [0, 1); 0 makes the loss -log p(y_t).

    Returns:
        The loss of each token, in nats, (batch, steps); and -log p(y_t), in nats, (batch, steps).

    Example:
        >>> losses, surprise = token_losses(tf.zeros([1, 2, 4]), tf.constant([[3, 1]]))  # both [[log 4, log 4]]

    Source: Szegedy et al. 2016, "Rethinking the Inception Architecture for Computer Vision", arXiv:1512.00567, section 7.
    """
    surprise = tf.nn.sparse_softmax_cross_entropy_with_logits(tokens, scores)
    if not label_smoothing:
        return surprise, surprise
    return surprise + label_smoothing * _right_less_mean(scores, tokens), surprise


@tf.custom_gradient
def _right_less_mean(scores, tokens):
    """The right token's score less the mean score, which is what smoothing adds: log Z is in the surprise already.

    Its gradient is made in one piece: that of a gather and that of a mean would fill a tensor of the scores' size each.
    """
    size = tf.shape(scores)[-1]

    def gradient(upstream):
        spread = tf.broadcast_to(-upstream[..., None] / tf.cast(size, upstream.dtype), tf.shape(scores))
        flat = tf.reshape(spread, [-1, size])
        places = tf.stack([tf.range(tf.shape(flat)[0]), tf.reshape(tokens, [-1])], axis=1)
        return tf.reshape(tf.tensor_scatter_nd_add(flat, places, tf.reshape(upstream, [-1])), tf.shape(scores)), None

    return tf.gather(scores, tokens, batch_dims=2) - tf.reduce_mean(scores, axis=-1), gradient
