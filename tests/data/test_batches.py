"""data.batches: planned epochs, padding, held-out rows."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from data.batches import (
    hold_out,
    pad,
    padded_length,
    padding_share,
    plan_batches,
    plan_in_order_of_length,
)

lengths_of = st.lists(st.integers(0, 30), min_size=1, max_size=400).map(np.array)


@settings(deadline=None, max_examples=60)
@given(lengths_of, st.integers(1, 9), st.integers(0, 3), st.integers(0, 3))
def test_an_epoch_is_a_pure_function_in_which_every_row_occurs_once(lengths, batch_size, seed, epoch):
    plan = plan_batches(lengths, batch_size, seed, epoch)
    assert sorted(np.concatenate(plan)) == list(range(len(lengths)))
    assert sorted(map(len, plan))[1:] == [batch_size] * (len(plan) - 1)
    again = plan_batches(lengths, batch_size, seed, epoch)
    assert all((one == other).all() for one, other in zip(plan, again, strict=True))


def test_epochs_and_seeds_differ():
    lengths = np.arange(1000) % 50
    orders = {tuple(np.concatenate(plan_batches(lengths, 10, seed, epoch))) for seed in (0, 1) for epoch in (0, 1)}
    assert len(orders) == 4


def test_rows_of_similar_length_share_a_batch_and_batches_come_in_random_order():
    lengths = np.random.default_rng(0).integers(1, 400, 6400)
    plan = plan_batches(lengths, 64, seed=0, epoch=0)
    assert padding_share(plan, lengths) < 0.03
    shuffled = np.array_split(np.random.default_rng(0).permutation(6400), 100)
    assert padding_share(shuffled, lengths) > 0.4
    means = [lengths[rows].mean() for rows in plan]
    assert abs(np.corrcoef(means, range(len(means)))[0, 1]) < 0.3
    assert padding_share(plan_in_order_of_length(lengths, 64), lengths) < 0.01


def test_padding_has_one_step_at_least():
    assert pad([np.array([4, 5]), np.array([6])]).tolist() == [[4, 5], [6, 0]]
    assert pad([np.array([], int)]).tolist() == [[0]]
    assert pad([np.array([1, 2, 3])], multiple=4).tolist() == [[1, 2, 3, 0]]
    assert padded_length(np.array([], int)) == 1
    assert pad([]).shape == (0, 1)


@given(st.integers(2, 500), st.floats(0.001, 0.999))
def test_held_out_rows_leave_some_and_take_some(rows, share):
    kept, held_out = hold_out(rows, share)
    assert sorted([*kept, *held_out]) == list(range(rows))
    assert len(kept) and len(held_out)
    assert abs(len(held_out) - rows * share) <= 1
