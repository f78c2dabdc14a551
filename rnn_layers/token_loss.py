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
    # The sum over all k is log Z less the mean score; log Z is the surprise plus the right token's score.
    right = tf.gather(scores, tokens, batch_dims=2)
    return surprise + label_smoothing * (right - tf.reduce_mean(scores, axis=-1)), surprise
