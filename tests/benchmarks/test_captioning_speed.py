"""The benchmark of the captioning decoder's speed: all that is timed computes the same."""

import numpy as np
import pytest

from benchmarks.captioning_peers import Problem, make_peers
from benchmarks.processes import installed, process_for_each
from benchmarks.translation_agreement import compare_answers, compare_losses
from data.subwords.ids import END
from templates.captioning.config import Config
from templates.captioning.model import build_model
from templates.captioning.pipeline import Examples
from tests.command import fresh_keras

PLACES, IDS = 5, 270


def examples(count: int, config: Config, seed: int) -> Examples:
    random = np.random.default_rng(seed)
    captions = [[np.array([*random.integers(259, IDS, size), END], np.int32)] for size in random.integers(1, 6, count)]
    places = random.normal(size=(count, PLACES, config.units)).astype("float32")
    words = [np.unique(own[0][:-1]) for own in captions]
    return Examples([str(row) for row in range(count)], places, np.arange(count), captions, words, [["a dog"]] * count)


@pytest.fixture(scope="module")
def peers():
    """The problem and the implementations; without dropout, so that even training steps can be compared."""
    config = Config(
        units=6, embedding_size=5, batch_size=4, channels=2, picture_size=32, learning_rate=0.02, warm_up_steps=1,
        learning_rate_half_life=2, embedding_dropout=0, dropout=0, weight_average=0.5, beam_width=3, max_length=7,
        precision="float32", strategy="one",
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch, process_for_each(installed("torch")) as processes, fresh_keras():
        patch.setenv("OMP_NUM_THREADS", "1")
        decoder = build_model(config, IDS, (32, 32, 3)).get_layer("decoder")
        decoder.bias.assign(np.random.default_rng(0).normal(size=IDS))
        problem = Problem("made up", config, decoder, examples(10, config, 1), examples(3, config, 2))
        yield problem, make_peers(problem, processes)


def test_losses_answers_and_steps_of_training_are_ours(peers):
    problem, peers = peers
    batches = problem.training_batches(4)
    assert [places.shape for places, _, _ in batches] == [(4, PLACES, 6)] * 4
    after = [after for _, _, after in batches[:2]]

    def losses():
        return {name: [peer.losses(batch) for batch in batches[:2]] for name, peer in peers.items()}

    before = losses()
    assert set(compare_losses(before, after)["loss_differences"]) == peers.keys() - {"ours"}
    last = {name: peer.train(batches) for name, peer in peers.items()}
    now = losses()
    compare_losses(now, after)
    assert np.abs(now["ours"][0] - before["ours"][0]).max() > 1e-2
    assert list(last.values()) == pytest.approx([last["ours"]] * len(last), abs=1e-4)

    for rows, count in ((1, 3), (8, 2)):
        asked = problem.asked(rows, count)
        assert [len(places) for places in asked] == [rows] * count
        for width in (1, 3):
            found = {name: peer.search[width](asked) for name, peer in peers.items() if width in peer.search}
            assert len(found) == len(peers) - (width > 1)
            assert compare_answers(found, width)["ours"]["pieces_per_answer"] <= 8
