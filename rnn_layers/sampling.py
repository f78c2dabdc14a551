"""Drawing next tokens: by temperature, from the likeliest k, or from those that make up a share p."""

import tensorflow as tf


def sample(scores, uniform, temperature=1.0, top_k=0, top_p=1.0):
    """Draws the next token of each row.

    p_i = softmax(score_i / temperature); of the tokens in falling order of p, those are drawn from that are among the
    first `top_k` and before which less than `top_p` has been reached; the first of them always is.

    Args:
        scores: Before the softmax, float32 (rows, vocabulary).
        uniform: Numbers in [0, 1), (rows,) or (): equal numbers draw equal tokens, whatever the other rows are.
        temperature: Above 1 draws more evenly, below 1 more of the likeliest; 0 takes the likeliest.
        top_k: How many of the likeliest tokens to draw from; 0: all.
        top_p: The share of the probability to draw from, in (0, 1].

    Returns:
        int32 (rows,).

    Example:
        sample(tf.math.log([[0.1, 0.6, 0.3]]), 0.7)   # [2]: in falling order 0.7 lies behind the 0.6 of token 1

    Source: top p is nucleus sampling: Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration",
    arXiv:1904.09751; top k: Fan et al. 2018, arXiv:1805.04833.
    """
    falling, tokens = tf.math.top_k(scores, tf.shape(scores)[1])
    # At temperature 0 all is with the first token, and the difference keeps numbers finite.
    p = tf.nn.softmax((falling - falling[:, :1]) / tf.maximum(tf.cast(temperature, tf.float32), 1e-6))
    rank = tf.range(tf.shape(scores)[1])
    is_kept = (rank < top_k) | tf.equal(top_k, 0)
    is_kept &= (tf.cumsum(p, axis=1, exclusive=True) < top_p) | (rank == 0)
    reached = tf.cumsum(tf.where(is_kept, p, 0.0), axis=1)
    drawn = tf.broadcast_to(uniform, tf.shape(scores)[:1])[:, tf.newaxis] * reached[:, -1:]
    places = tf.reduce_sum(tf.cast(reached <= drawn, tf.int32), axis=1)
    last = tf.reduce_sum(tf.cast(is_kept, tf.int32), axis=1) - 1
    places = tf.where(tf.cast(temperature, tf.float32) > 0, tf.minimum(places, last), 0)
    return tf.gather(tokens, places, batch_dims=1)
