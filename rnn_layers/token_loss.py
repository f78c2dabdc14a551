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

    Source: Szegedy et al. 2016, "Rethinking the Inception Architecture for Computer Vision",
    arXiv:1512.00567, section 7.
    """
    if label_smoothing:
        return _losses(scores, tokens, label_smoothing)
    surprise, _ = _losses(scores, tokens, 0.0)
    return surprise, surprise


def _losses(scores, tokens, smoothing):
    # TensorFlow's own op is, where ops are to be deterministic, a gather, and its gradient takes several times as long.
    @tf.custom_gradient
    def losses_of(scores):
        size = scores.shape[-1] or tf.shape(scores)[-1]
        log_p = tf.nn.log_softmax(tf.reshape(scores, [-1, size]))
        right = tf.reshape(tokens, [-1])
        surprise = -tf.gather(log_p, right, batch_dims=1)
        losses = (1 - smoothing) * surprise - smoothing * tf.reduce_mean(log_p, axis=1) if smoothing else surprise

        def gradient(of_losses, of_surprise):
            of_losses, of_surprise = (tf.reshape(each, [-1, 1]) for each in (of_losses, of_surprise))
            # p - q, with q = one-hot for the surprise.
            found = tf.exp(log_p) * (of_losses + of_surprise)
            if smoothing:
                found -= of_losses * (smoothing / tf.cast(size, found.dtype))
            places = tf.stack([tf.range(tf.size(right)), right], axis=1)
            at_right = tf.reshape((1 - smoothing) * of_losses + of_surprise, [-1])
            return tf.reshape(tf.tensor_scatter_nd_sub(found, places, at_right), tf.shape(scores))

        return (tf.reshape(losses, tf.shape(tokens)), tf.reshape(surprise, tf.shape(tokens))), gradient

    return losses_of(scores)
