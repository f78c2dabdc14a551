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

# More than a log probability can make up for: what is finished keeps its place.
_FINISHED_FIRST = 1e30


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

    tokens (batch, places, 1 + steps taken), the start token first, and behind the end token what does not matter;
    log_probabilities, live (batch, places); greedy (batch,), the place of the greedy search's hypothesis.
    """

    tokens: tf.Tensor
    log_probabilities: tf.Tensor
    live: tf.Tensor
    greedy: tf.Tensor


class _Candidates(NamedTuple):
    """What may come into the places next: of each what is in it, and its continuations.

    All (batch, places, 1 + choices). The token of what is finished is the end token once more, and of what is live
    nothing stays: its log probability is -inf, as of all that is impossible.
    """

    tokens: tf.Tensor
    log_probabilities: tf.Tensor


def greedy_search(step, states, most_steps, *, start, end, length_exponent=1.0, forbidden=()):
    """Takes the likeliest next token until the end token: what `beam_search` finds with a width of 1.

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
    return beam_search(
        step, states, most_steps, start=start, end=end, width=1, length_exponent=length_exponent, forbidden=forbidden
    )


def beam_search(step, states, most_steps, *, start, end, width, length_exponent=1.0, forbidden=()):
    """Looks for the sequences with the highest scores.

    The greedy search's answer is among the candidates: the best score is never below its score. The end token is the
    only choice in the last step, however unlikely it is; so every hypothesis is a whole sequence, and its log
    probability is what the model gives to it when it is fed with it (teacher forcing).

    Args:
        step: (tokens, states, live) -> (logits, states). A row is one live hypothesis: its last token, (rows,) int32;
            its states, each (rows, ...). `live`, bool (batch, places), tells whose rows they are: where it is true, in
            this order; so that `tf.where(live)[:, 0]` are the examples that they belong to. The logits of the next
            token (rows, vocabulary), log probabilities included, are normalized here, in float32. The states that come
            back have the structure, shapes and types of those that were given.
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
        >>> def step(tokens, states, live):
        ...     output, states = cell(embedding(tokens), states)
        ...     return dense(output), states
        >>> found = beam_search(step, [tf.zeros((8, 512))], [50] * 8, start=2, end=3, width=5)
        >>> found.tokens[:, 0], found.scores[:, 0]  # (8, steps), (8,)
    """
    if width < 1:
        raise ValueError(f"width must be at least 1, got {width}")
    if end in forbidden:
        raise ValueError(f"the end token {end} is forbidden: no hypothesis could end")
    start, end, forbidden = int(start), int(end), [int(token) for token in forbidden]
    most_steps = tf.cast(most_steps, tf.int32)
    states = tf.nest.map_structure(tf.convert_to_tensor, states)
    if width == 1:
        tokens, log_probabilities = _follow_the_likeliest(step, states, most_steps, start, end, forbidden)
    else:
        tokens, log_probabilities = _search(step, states, most_steps, start, end, width, forbidden)
    return _best(tokens, log_probabilities, width, length_exponent, end, most_steps.shape[0])


def _follow_the_likeliest(step, states, most_steps, start, end, forbidden):
    """The greedy search. For one example the operations beside the model's are what takes time: here they are few.

    Returns:
        Tokens (batch, 1, steps taken), the end token behind the end, and log probabilities (batch, 1).
    """
    batch = tf.shape(most_steps)[0]
    ends = tf.fill([batch], end)

    def advance(taken, tokens, totals, going):
        examples, last, most, states = going
        live = tf.scatter_nd(examples, tf.ones_like(last, tf.bool), [batch])[:, tf.newaxis]
        logits, new_states = step(last, states, live)
        log_p = tf.nn.log_softmax(tf.cast(logits, tf.float32))
        if forbidden:
            size = log_p.shape[1] or tf.shape(log_p)[1]
            log_p += tf.reduce_min(tf.one_hot(forbidden, size, -math.inf, 0.0), axis=0)
        last = tf.where(most == taken + 1, end, tf.argmax(log_p, axis=1, output_type=tf.int32))
        gains = tf.gather(log_p, last, batch_dims=1)
        tokens = tf.concat([tokens, tf.tensor_scatter_nd_update(ends, examples, last)[:, tf.newaxis]], axis=1)
        totals = tf.tensor_scatter_nd_add(totals, examples, gains)
        # What is not a number is as impossible as what has no probability.
        goes_on = (last != end) & (gains > -math.inf)
        rows = tf.nest.flatten((examples, last, most, new_states))
        # In most steps no example ends.
        rows = tf.cond(tf.reduce_all(goes_on), lambda: rows, lambda: _rows_where(goes_on, rows))
        return taken + 1, tokens, totals, tf.nest.pack_sequence_as(going, _with_shapes_of(going, rows))

    is_there = most_steps > 0
    going = (tf.range(batch)[:, tf.newaxis], tf.fill([batch], start), most_steps, states)
    going = tf.nest.pack_sequence_as(going, _rows_where(is_there, tf.nest.flatten(going)))
    loop = tf.constant(0), tf.zeros([batch, 0], tf.int32), tf.where(is_there, 0.0, -math.inf), going
    shapes = tf.TensorShape([]), tf.TensorShape([None, None]), tf.TensorShape([None]), _shapes_of_rows(going)
    _, tokens, totals, _ = tf.while_loop(
        lambda taken, tokens, totals, going: tf.size(going[1]) > 0, advance, loop, shapes
    )
    totals = tf.where(totals > -math.inf, totals, -math.inf)
    return tokens[:, tf.newaxis], totals[:, tf.newaxis]


def _with_shapes_of(states, tensors):
    """Tensors with the static shapes of states: a loop's variables keep them, though a step may know them less well."""
    for tensor, state in zip(tensors, tf.nest.flatten(states), strict=True):
        tensor.set_shape([None, *state.shape[1:]])
    return tensors


def _rows_where(chosen, tensors):
    """Of each tensor the rows where `chosen`, bool (rows,), is true."""
    places = tf.where(chosen)[:, 0]
    return [tf.gather(tensor, places) for tensor in tensors]


def _shapes_of_rows(states):
    """The static shapes of a structure of tensors, but for how many rows there are."""
    return tf.nest.map_structure(lambda state: tf.TensorShape([None, *state.shape[1:]]), states)


def _search(step, states, most_steps, start, end, width, forbidden):
    """The beam search, of a width above 1.

    Returns:
        Tokens (batch, width + 1, steps taken), the end token behind the end, and log probabilities (batch, width + 1).
    """
    shapes, places = _shapes_of_rows(states), width + 1
    ends = tf.fill([tf.shape(most_steps)[0], places, 1], end)

    def advance(taken, beam, states):
        # A row for every live place, in their order.
        live_places = tf.where(beam.live)
        logits, new_states = step(tf.gather_nd(beam.tokens[:, :, -1], live_places), states, beam.live)
        is_last = tf.gather(most_steps == taken + 1, live_places[:, 0])
        next_tokens, gains = continuations(tf.cast(logits, tf.float32), is_last, width, end, forbidden)

        # The row of each place; one that is not live gets any.
        rows = tf.cumsum(tf.cast(tf.reshape(beam.live, [-1]), tf.int32)) - 1
        rows = tf.reshape(tf.maximum(rows, 0), [-1, places])
        candidates = _candidates(beam, ends, tf.gather(next_tokens, rows), tf.gather(gains, rows))
        picks, greedy = _picks(beam, candidates, width)
        beam, parents = _picked(beam, candidates, picks, greedy, end)
        parents = tf.gather_nd(tf.gather(rows, parents, batch_dims=1), tf.where(beam.live))
        new_states = [tf.gather(state, parents) for state in tf.nest.flatten(new_states)]
        return taken + 1, beam, tf.nest.pack_sequence_as(states, _with_shapes_of(states, new_states))

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
            _Beam(tf.TensorShape([None, places, None]), every, every, each),
            shapes,
        ),
    )
    return beam.tokens[:, :, 1:], beam.log_probabilities


def _first_beam(most_steps, start, places):
    """One live hypothesis of no token for each example, in place 0, which is the greedy one too."""
    batch = tf.shape(most_steps)[0]
    live = (tf.range(places) == 0) & (most_steps > 0)[:, tf.newaxis]
    return _Beam(
        tokens=tf.fill([batch, places, 1], tf.constant(int(start))),
        log_probabilities=tf.where(live, 0.0, -math.inf),
        live=live,
        greedy=tf.zeros_like(most_steps),
    )


def _candidates(beam, ends, next_tokens, gains):
    """The `_Candidates`.

    Args:
        beam: The `_Beam`.
        ends: The end token, (batch, places, 1).
        next_tokens: (batch, places, choices).
        gains: Their log p, (batch, places, choices); of places that are not live, any.
    """
    stays = tf.where(beam.live, -math.inf, beam.log_probabilities)
    totals = tf.where(beam.live, beam.log_probabilities, -math.inf)[:, :, tf.newaxis] + gains
    # Neither what is impossible nor what is not a number is ever chosen.
    totals = tf.where(totals > -math.inf, totals, -math.inf)
    return _Candidates(
        tokens=tf.concat([ends, next_tokens], axis=2),
        log_probabilities=tf.concat([stays[:, :, tf.newaxis], totals], axis=2),
    )


def _picks(beam, candidates, width):
    """Which candidate comes into each place, as its place among the flattened ones; and the greedy hypothesis's place.

    The beam keeps all that is finished, and the likeliest continuations in the places that are left. Beside it stands
    the greedy hypothesis, in a place that is empty for as long as the beam holds that one itself. Once out of the beam
    it never comes back, for the beam only continues what it holds: nothing is there twice.

    Returns:
        (batch, places) and (batch,), int32.
    """
    totals = candidates.log_probabilities
    count = tf.shape(totals)[2]
    keys = totals[:, :width] + tf.one_hot(0, count, _FINISHED_FIRST)
    _, picks = tf.math.top_k(tf.reshape(keys, [-1, width * count]), width)
    choice = tf.argmax(tf.gather(totals, beam.greedy, batch_dims=1), axis=1, output_type=tf.int32)
    greedy = beam.greedy * count + choice
    is_greedy = picks == greedy[:, tf.newaxis]
    in_beam = tf.reduce_any(is_greedy, axis=1)
    # Then the last place stays as it is: empty.
    beside = tf.where(in_beam, width * count, greedy)
    place = tf.where(in_beam, tf.argmax(is_greedy, axis=1, output_type=tf.int32), width)
    return tf.concat([picks, beside[:, tf.newaxis]], axis=1), place


def _picked(beam, candidates, picks, greedy, end):
    """The `_Beam` of the picked candidates, and the places that they come from, (batch, places)."""
    _, places, _ = candidates.tokens.shape
    count = tf.shape(candidates.tokens)[2]
    tokens, log_probabilities = (
        tf.gather(tf.reshape(each, [-1, places * count]), picks, batch_dims=1) for each in candidates
    )
    parents = picks // count
    beam = _Beam(
        tokens=tf.concat([tf.gather(beam.tokens, parents, batch_dims=1), tokens[:, :, tf.newaxis]], axis=2),
        log_probabilities=log_probabilities,
        live=(tokens != end) & (log_probabilities > -math.inf),
        greedy=greedy,
    )
    return beam, parents


def _best(tokens, log_probabilities, width, length_exponent, end, batch):
    """The `Hypotheses` of what a search found; `batch` is the static batch size or None."""
    is_there = log_probabilities > -math.inf
    lengths = tf.where(is_there, tf.reduce_sum(tf.cast(tokens != end, tf.int32), axis=2) + 1, 0)
    penalties = tf.maximum(tf.cast(lengths, tf.float32), 1.0) ** length_exponent
    # Of equal scores the lower place comes first.
    scores, order = tf.math.top_k(log_probabilities / penalties, width)
    lengths, log_probabilities, tokens = (
        tf.gather(each, order, batch_dims=1) for each in (lengths, log_probabilities, tokens)
    )
    longest = tf.maximum(tf.reduce_max(lengths), 0)  # Of no number the maximum is the least there is.
    tokens = tf.where(tf.sequence_mask(lengths, tf.shape(tokens)[2]), tokens, 0)[:, :, :longest]
    found = Hypotheses(tokens, lengths, log_probabilities, scores)
    for each in found:
        each.set_shape([batch, width, None][: len(each.shape)])
    return found
