"""The benchmark of the sentiment template's speed: all that is timed computes the same."""

import numpy as np
import pytest

from benchmarks.kills import write_small_data
from benchmarks.processes import installed, process_for_each
from benchmarks.sentiment_peers import make_peers, make_problem
from templates.sentiment.config import Config


@pytest.fixture(scope="module")
def peers(tmp_path_factory):
    """The problem and the implementations; without dropout, so that even training steps can be compared."""
    data = write_small_data("sentiment", tmp_path_factory.mktemp("small"))
    config = Config(
        data=str(data), units=4, embedding_size=5, batch_size=8, learning_rate=0.01, learning_rate_half_life=2,
        word_dropout=0, embedding_dropout=0, output_dropout=0, weight_average=0.5, precision="float32", strategy="one",
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch, process_for_each(installed("torch")) as processes:
        patch.setenv("OMP_NUM_THREADS", "1")
        problem = make_problem(config)
        yield problem, make_peers(problem, processes)


def test_they_compute_the_same_before_and_after_some_steps(peers):
    problem, peers = peers
    batches = problem.training_batches(4)
    before = {name: peer.losses_of(batches[0]) for name, peer in peers.items()}
    last = {name: peer.train_on(batches) for name, peer in peers.items()}
    after = {name: peer.losses_of(batches[0]) for name, peer in peers.items()}
    assert np.abs(after["ours"] - before["ours"]).max() > 1e-3
    for name in peers:
        np.testing.assert_allclose(before[name], before["ours"], atol=1e-5)
        assert last[name] == pytest.approx(last["ours"], abs=1e-5)
        np.testing.assert_allclose(after[name], after["ours"], atol=1e-4)


def test_they_answer_the_same(peers):
    problem, peers = peers
    asked = problem.answered(1, 3) + problem.answered(8, 2)
    answers = {name: peer.answer(asked) for name, peer in peers.items()}
    assert [len(answer) for answer in answers["ours"]] == [1, 1, 1, 8, 8]
    for found in answers.values():
        for one, other in zip(found, answers["ours"], strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4)
