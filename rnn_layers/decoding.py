"""Greedy and beam search in graph: the likeliest sequences of a model that says one token at a time.

    log p(y | x) = sum_t log p(y_t | y_1 .. y_{t-1}, x)       y_n is the end token, and counts in the length n
    score(y)     = log p(y | x) / n^a                         a is the length exponent

A beam holds `width` hypotheses of each example. In every step they are all continued, and the likeliest continuations
take their places. One that ends keeps its place until the search is over and is not stepped again, so the beam of live
ones narrows. What only the greedy search would follow rides along beside the beam, in a place of its own.

Sources: Sutskever, Vinyals and Le 2014, "Sequence to Sequence Learning with Neural Networks", arXiv:1409.3215, section
3.2 (beam search); Wu et al. 2016, "Google's Neural Machine Translation System", arXiv:1609.08144, section 7 (the score
divided by a power of the length).
"""

import math
from typing import NamedTuple

import tensorflow as tf

from rnn_layers.next_tokens import continuations


class Hypotheses(NamedTuple):
    """What a search found, `count` hypotheses for each example, the best first.

    Where fewer exist the last ones have length 0, no token, and -inf as log probability and score.

    Args:
        tokens: (batch, count, steps) int32, the end token included, 0 behind it; steps is the longest length.
        lengths: (batch, count) int32, the end token included.
        log_probabilities: (batch, count) float32, the sum over all tokens, in nats.
        scores: (batch, count) float32, the log probability divided by length^length_exponent.
    """

    tokens: tf.Tensor
    lengths: tf.Tensor
    log_probabilities: tf.Tensor
    scores: tf.Tensor


class _Beam(NamedTuple):
    """Where a search stands. A place is live, finished (not live, its log probability above -inf) or empty.

    tokens (batch, places, 1 + steps taken), the start token first; lengths, log_probabilities, live (batch, places);
    greedy (batch,), the place of the greedy search's hypothesis as long as it is live.
    """

    tokens: tf.Tensor
    lengths: tf.Tensor
    log_probabilities: tf.Tensor
    live: tf.Tensor
    greedy: tf.Tensor


class _Moves(NamedTuple):
    """What comes into each place next: the continuation of its parent if `moved`, else the parent itself.

    All (batch, places); log_probabilities is -inf where the place becomes empty.
    """

    parents: tf.Tensor
    tokens: tf.Tensor
    log_probabilities: tf.Tensor
    moved: tf.Tensor


def greedy_search(step, states, most_steps, *, start, end, length_exponent=1.0, forbidden=()):
    """Takes the likeliest next token until the end token: `beam_search` with a width of 1.

    Args:
        step: As for `beam_search`, and so are all others.
        states: Nested structure of tensors (batch, ...).
        most_steps: (batch,) int32.
        start: The start token.
        end: The end token.
        length_exponent: Matters for the scores only.
        forbidden: Tokens that are never chosen.

    Returns:
        `Hypotheses` with a count of 1.

    Raises:
        ValueError: The end token is forbidden.

    Example:
        >>> found = greedy_search(step, states, [50] * 8, start=2, end=3)
        >>> found.tokens[:, 0]  # (8, steps)
    """
    return _search(step, states, most_steps, start, end, 1, length_exponent, forbidden)


def beam_search(step, states, most_steps, *, start, end, width, length_exponent=1.0, forbidden=()):
    """Looks for the sequences with the highest scores.

    The greedy search's answer is among the candidates: the best score is never below its score. The end token is the
    only choice in the last step, however unlikely it is; so every hypothesis is a whole sequence, and its log
    probability is what the model gives to it when it is fed with it (teacher forcing).

    Args:
        step: (tokens, states, examples) -> (logits, states). A row is one live hypothesis: its last token, (rows,)
            int32; its states, each (rows, ...); the example it belongs to, (rows,) int32, by which a model gathers
            what it keeps for each example. The logits of the next token (rows, vocabulary), log probabilities
            included, are normalized here, in float32. The states that come back have the structure, shapes and types
            of those that were given.
        states: Nested structure of tensors (batch, ...), the states before the start token.
        most_steps: (batch,) int32, the most tokens of each example's hypotheses, the end token included. An example
            with less than 1 has no hypothesis.
        start: The start token, fed first; it is not in the result.
        end: The end token.
        width: The number of hypotheses of each example, at least 1.
        length_exponent: The a above: 0 for the log probability itself, 1 for its mean over the tokens.
        forbidden: Tokens that are never chosen, such as padding and start. They keep their share of the probability.

    Returns:
        `Hypotheses` with a count of `width`, by falling score; of equal scores the one that ended first, and last one
        that only the greedy search found. No token sequence appears twice.

    Raises:
        ValueError: The width is below 1, or the end token is forbidden.

    Example:
        >>> def step(tokens, states, examples):
        ...     output, states = cell(embedding(tokens), states)
        ...     return dense(output), states
        >>> found = beam_search(step, [tf.zeros((8, 512))], [50] * 8, start=2, end=3, width=5)
        >>> found.tokens[:, 0], found.scores[:, 0]  # (8, steps), (8,)
    """
    return _search(step, states, most_steps, start, end, width, length_exponent, forbidden)


def _search(step, states, most_steps, start, end, width, length_exponent, forbidden):
    if width < 1:
        raise ValueError(f"width must be at least 1, got {width}")
    if end in forbidden:
        raise ValueError(f"the end token {end} is forbidden: no hypothesis could end")
    end, forbidden = int(end), [int(token) for token in forbidden]
    most_steps = tf.cast(most_steps, tf.int32)
    states = tf.nest.map_structure(tf.convert_to_tensor, states)
    shapes = tf.nest.map_structure(lambda state: tf.TensorShape([None, *state.shape[1:]]), states)
    # With a width of 1 the beam itself is the greedy search.
    places = width if width == 1 else width + 1

    def advance(taken, beam, states):
        # A row for every live place, in their order.
        live_places = tf.where(beam.live)
        examples = tf.cast(live_places[:, 0], tf.int32)
        logits, new_states = step(tf.gather_nd(beam.tokens[:, :, -1], live_places), states, examples)
        is_last = tf.gather(most_steps == taken + 1, examples)
        next_tokens, gains = continuations(tf.cast(logits, tf.float32), is_last, width, end, forbidden)

        # The row of each place; one that is not live gets any.
        batch = tf.shape(most_steps)[0]
        rows = tf.cumsum(tf.cast(tf.reshape(beam.live, [batch * places]), tf.int32)) - 1
        rows = tf.reshape(tf.maximum(rows, 0), [batch, places])
        next_tokens = tf.gather(next_tokens, rows)
        totals = beam.log_probabilities[:, :, tf.newaxis] + tf.gather(gains, rows)
        # Neither what is impossible nor what is not a number is ever chosen.
        totals = tf.where(beam.live[:, :, tf.newaxis] & (totals > -math.inf), totals, -math.inf)

        moves, choices = _best_moves(beam, next_tokens, totals, width)
        greedy = beam.greedy
        if width > 1:
            moves, greedy = _with_greedy(beam, next_tokens, totals, moves, choices)
        beam = _moved(beam, moves, greedy, end)
        parents = tf.gather_nd(tf.gather(rows, moves.parents, batch_dims=1), tf.where(beam.live))
        new_states = [tf.gather(state, parents) for state in tf.nest.flatten(new_states)]
        # The loop's variables keep their static shapes, though a step may know them less well.
        for state, shape in zip(new_states, tf.nest.flatten(shapes), strict=True):
            state.set_shape(shape)
        return taken + 1, beam, tf.nest.pack_sequence_as(states, new_states)

    beam = _first_beam(most_steps, start, places)
    # States are kept for live hypotheses only.
    states = tf.nest.map_structure(lambda state: tf.boolean_mask(state, most_steps > 0), states)
    each, every = tf.TensorShape([None]), tf.TensorShape([None, places])
    _, beam, _ = tf.while_loop(
        lambda taken, beam, states: tf.reduce_any(beam.live),
        advance,
        (tf.constant(0), beam, states),
        shape_invariants=(
            tf.TensorShape([]),
            _Beam(tf.TensorShape([None, places, None]), every, every, every, each),
            shapes,
        ),
    )
    return _best(beam, width, length_exponent, most_steps.shape[0])


def _first_beam(most_steps, start, places):
    """One live hypothesis of no token for each example, in place 0, which is the greedy one too."""
    batch = tf.shape(most_steps)[0]
    live = (tf.range(places) == 0) & (most_steps > 0)[:, tf.newaxis]
    return _Beam(
        tokens=tf.fill([batch, places, 1], tf.constant(int(start))),
        lengths=tf.zeros([batch, places], tf.int32),
        log_probabilities=tf.where(live, 0.0, -math.inf),
        live=live,
        greedy=tf.zeros_like(most_steps),
    )


def _best_moves(beam, next_tokens, totals, width):
    """What the beam keeps: all that is finished, and the likeliest continuations in the places that are left.

    Args:
        beam: The `_Beam`.
        next_tokens: (batch, places, choices).
        totals: (batch, places, choices), the log probabilities of hypotheses continued so, finite or -inf.
        width: The number of places that belong to the beam.

    Returns:
        `_Moves` of these places; which of the flattened `totals` came into each, (batch, width), -1 for none.
    """
    batch, _, count = tf.unstack(tf.shape(totals))
    flat = [batch, width * count]
    is_finished = ~beam.live & (beam.log_probabilities > -math.inf)
    kept = tf.where(is_finished[:, :width], math.inf, -math.inf)
    values, picks = tf.math.top_k(tf.concat([kept, tf.reshape(totals[:, :width], flat)], axis=1), width)
    moved = tf.math.is_finite(values)
    choices = tf.where(moved, picks - width, 0)
    parents = tf.where(moved, choices // count, tf.minimum(picks, width - 1))
    tokens = tf.gather(tf.reshape(next_tokens[:, :width], flat), choices, batch_dims=1)
    log_probabilities = tf.where(values < math.inf, values, tf.gather(beam.log_probabilities, parents, batch_dims=1))
    return _Moves(parents, tokens, log_probabilities, moved), tf.where(moved, choices, -1)


def _with_greedy(beam, next_tokens, totals, moves, choices):
    """Adds the last place, of the greedy hypothesis. It is empty for as long as the beam holds that one itself.

    Once out of the beam it never comes back, for the beam only continues what it holds: nothing is there twice.

    Returns:
        `_Moves` of all places; the greedy hypothesis's place.
    """
    rider, count = totals.shape[1] - 1, tf.shape(totals)[2]
    total = tf.gather(totals, beam.greedy, batch_dims=1)
    choice = tf.argmax(total, axis=1, output_type=tf.int32)
    total = tf.reduce_max(total, axis=1)
    # A place that is not live has no continuation: once it has ended it is no longer followed.
    goes_on = total > -math.inf
    same = moves.moved & goes_on[:, tf.newaxis] & (choices == (beam.greedy * count + choice)[:, tf.newaxis])
    in_beam = tf.reduce_any(same, axis=1)
    moved = goes_on & ~in_beam
    stays = tf.where(beam.live[:, rider], -math.inf, beam.log_probabilities[:, rider])
    token = tf.gather_nd(next_tokens, tf.stack([tf.range(tf.shape(choice)[0]), beam.greedy, choice], axis=1))
    own = _Moves(tf.where(moved, beam.greedy, rider), token, tf.where(moved, total, stays), moved)
    place = tf.where(in_beam, tf.argmax(same, axis=1, output_type=tf.int32), rider)
    return _Moves(*(tf.concat([some, one[:, tf.newaxis]], 1) for some, one in zip(moves, own, strict=True))), place


def _moved(beam, moves, greedy, end):
    """The `_Beam` after the `_Moves`."""
    tokens = tf.where(moves.moved, moves.tokens, 0)
    return _Beam(
        tokens=tf.concat([tf.gather(beam.tokens, moves.parents, batch_dims=1), tokens[:, :, tf.newaxis]], axis=2),
        lengths=tf.gather(beam.lengths, moves.parents, batch_dims=1) + tf.cast(moves.moved, tf.int32),
        log_probabilities=moves.log_probabilities,
        live=moves.moved & (moves.tokens != end),
        greedy=greedy,
    )


def _best(beam, width, length_exponent, batch):
    """The `Hypotheses` of a beam where nothing is live; `batch` is the static batch size or None."""
    is_there = beam.log_probabilities > -math.inf
    penalties = tf.maximum(tf.cast(beam.lengths, tf.float32), 1.0) ** length_exponent
    # Of equal scores the lower place comes first.
    scores, order = tf.math.top_k(beam.log_probabilities / penalties, width)
    is_there, lengths, log_probabilities, tokens = (
        tf.gather(each, order, batch_dims=1)
        for each in (is_there, beam.lengths, beam.log_probabilities, beam.tokens[:, :, 1:])
    )
    lengths = tf.where(is_there, lengths, 0)
    longest = tf.maximum(tf.reduce_max(lengths), 0)  # Of no number the maximum is the least there is.
    tokens = tf.where(is_there[:, :, tf.newaxis], tokens, 0)[:, :, :longest]
    found = Hypotheses(tokens, lengths, log_probabilities, scores)
    for each in found:
        each.set_shape([batch, width, None][: len(each.shape)])
    return found
