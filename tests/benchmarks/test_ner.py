"""The benchmarks of the ner template: all that is timed computes the same; what is written, added up and refused."""

import contextlib
import dataclasses
import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner
from rich.console import Console

from benchmarks import ner, ner_speed, records, turns
from benchmarks.ner_peers import Problem, tensorflow_peer, torch_peers, with_keras_layer
from benchmarks.processes import installed, process_for_each
from data.tagged_sentences.columns import TaggedSentences
from data.tagged_sentences.token_features import TokenFeatures
from data.vocabulary import FIRST_WORD
from templates.ner import pipeline
from templates.ner.config import Config
from templates.ner.model import build_model
from templates.ner.pipeline import Tags
from training.device import Device

TAGS = Tags("IOB2", ["O", *(f"{letter}-{kind}" for kind in ("ORG", "PER") for letter in "BIES")])
SENTENCES = {
    "Ann Lee sings": "B-PER I-PER O",
    "the cat sings": "O O O",
    "Bob": "B-PER",
    "the Ann Lee of Acme": "O B-PER I-PER O B-ORG",
    "at Acme Works Ltd 's 2 doors": "O B-ORG I-ORG I-ORG O O O",
}


@pytest.fixture(scope="module")
def problem():
    """Five sentences, without dropout, so that even training steps can be compared; a batch has a row of no steps."""
    config = Config(
        units=4, embedding_size=5, character_size=3, character_units=4, affix_size=2, batch_size=6, learning_rate=0.01,
        word_dropout=0, rare_word_dropout=0, embedding_dropout=0, output_dropout=0,
        learning_rate_half_life=2, weight_average=0.5,
    )  # fmt: skip
    sentences = TaggedSentences(*([row.split() for row in rows] for rows in (SENTENCES, SENTENCES.values())))
    vocabulary = pipeline.choose_vocabulary(config, sentences)
    features = TokenFeatures(*(vocabulary[name] for name in ("words", "characters", "affixes")))
    examples = pipeline.make_examples({"train": sentences}, features, TAGS)["train"]
    device = Device(tf.distribute.get_strategy(), "CPU", "float32", jit=False)
    return Problem("five", config, features, TAGS, FIRST_WORD + 3, device, examples, examples)


@pytest.fixture(scope="module")
def processes():
    """PyTorch's, where it is installed."""
    with pytest.MonkeyPatch.context() as patch, process_for_each(installed("torch")) as processes:
        # PyTorch's threads wait for each other: beside other work on the same cores that can take seconds.
        patch.setenv("OMP_NUM_THREADS", "1")
        yield processes


@pytest.fixture(scope="module")
def model(problem):
    """A network in which every weight counts."""
    model = build_model(problem.config, problem.features, TAGS, problem.first_rare)
    random = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(random.normal(size=variable.shape))
    # Clear scores, so that the best paths are of several tags.
    model.get_layer("scores").kernel.assign(5 * random.normal(size=(2 * problem.config.units, len(TAGS.names))))
    return model


def copy_of(model):
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def others(model, problem, processes):
    """All that is timed beside ours, from the same weights; not compiled with XLA. PyTorch where it is installed."""
    keras_peer = tensorflow_peer(with_keras_layer(model), problem.config, problem.training.features, problem.device)
    peers = torch_peers(model, problem, processes)
    assert list(peers) == ["torch", "torch packed"] * ("torch" in processes)
    return {"keras": keras_peer, **peers}


def test_losses_and_best_paths_are_ours(problem, model, processes):
    """Of rows of five lengths, and of one of no steps."""
    batches = problem.training_batches(1)
    valid = batches[0][0]["words"] != 0
    assert valid.sum(axis=1).tolist() == [1, 3, 3, 5, 7, 0]
    ((tags, losses),) = tensorflow_peer(model, problem.config, problem.training.features, problem.device).tag(batches)
    assert len(np.unique(tags[valid])) > 3 and losses[:5].max() > 10 and losses[5] == 0
    for name, peer in others(model, problem, processes).items():
        ((other_tags, other_losses),) = peer.tag(batches)
        np.testing.assert_allclose(other_losses, losses, rtol=1e-5, atol=1e-5, err_msg=name)
        np.testing.assert_array_equal(other_tags, tags, err_msg=name)


def test_training_steps_are_ours(problem, model, processes):
    """Gradient, clipping, learning rate, Adam: four steps lead through the same losses, and to the same tags."""
    batches = problem.training_batches(1)
    ours = tensorflow_peer(copy_of(model), problem.config, problem.training.features, problem.device)
    losses = [ours.train(batches) for _ in range(4)]
    ((tags, _),) = ours.tag(batches)
    assert losses[3] < losses[0] - 0.1
    for name, peer in others(model, problem, processes).items():
        assert [peer.train(batches) for _ in range(4)] == pytest.approx(losses, rel=2e-5), name
        np.testing.assert_array_equal(peer.tag(batches)[0][0], tags, err_msg=name)


def test_other_losses_or_tags_are_not_timed():
    valid = [np.array([[True, True], [True, False]])]
    tags, losses = np.array([[1, 2], [3, 0]]), np.array([4.0, 0.5])
    # What stands after a row's end, or beyond our padding, does not count.
    longer = np.array([[1, 2, 0], [3, 7, 7]])
    found = ner_speed.compare({"ours": [(tags, losses)], "peer": [(longer, losses * (1 + 1e-5))]}, valid)
    assert (found["sentences"], found["tokens"], found["loss_per_token"]) == (2, 3, 1.5)
    assert found["others"]["peer"] == {"loss_difference": pytest.approx(1e-5), "share_of_other_tags": 0}
    for wrong in ((tags, losses + 1e-3), (tags, losses * np.nan), (tags + [[0, 0], [1, 0]], losses)):
        with pytest.raises(RuntimeError, match="peer"):
            ner_speed.compare({"ours": [(tags, losses)], "peer": [wrong]}, valid)


def test_rounds_are_turns_with_each_first_once(monkeypatch):
    pauses, calls = [], []
    monkeypatch.setattr(turns.time, "sleep", pauses.append)
    works = {name: lambda turn, name=name: calls.append((turn, name)) or turn for name in ("a", "torch packed", "c")}
    seconds = turns.take_turns(works, 3)
    assert [name[0] for _, name in calls] == list("atctcacat") and [turn for turn, _ in calls] == [0] * 3 + [1] * 3 + [
        2
    ] * 3
    assert seconds == dict.fromkeys(works, [0, 1, 2])
    assert pauses == [turns.SECONDS_AFTER_TORCH] * 3


def test_ratios_are_medians_over_rounds_of_each_framework_at_its_best():
    seconds = {
        "ours": [1.0, 2.0, 4.0],
        "keras": [3.0, 3.0, 3.0],
        "keras jit": [2.0, 3.0, 1.0],
        "torch packed": [0.5, 0.5, 2.0],
    }
    found = ner_speed.summarise(seconds, [10, 20, 20])
    assert found["implementations"]["ours"] == {"sentences_per_second": 10, "quartiles": [7.5, 10], "seconds": 7}
    assert found["best"] == {"keras": "keras jit", "torch": "torch packed"}
    assert found["ratios"] == {"keras_over_ours": 1.5, "torch_over_ours": 0.5}
    assert (found["rounds"], found["sentences"]) == (3, 50)
    assert set(ner_speed.summarise({"ours": [1.0], "keras": [1.0]}, [1])["ratios"]) == {"keras_over_ours"}


class FakePeer:
    """Waits instead of computing, and notes the batches that it got."""

    multiple = 1

    def __init__(self, clock, seconds=0.0, fails=False):
        self.clock, self.seconds, self.fails, self.trained = clock, seconds, fails, []

    def train(self, batches):
        self.clock.sleep(self.seconds * len(batches))
        self.trained += [tuple(map(tuple, ids["words"])) for ids, _ in batches]

    def tag(self, batches):
        if self.fails:
            raise tf.errors.InvalidArgumentError(None, None, "no such kernel\nat /home/someone/here")
        self.clock.sleep(self.seconds)
        return [(np.zeros_like(tags), np.ones(len(tags))) for _, tags in batches]


def test_a_pass_is_an_epoch_of_each(problem, processes, tmp_path, monkeypatch, clock):
    """With batches of two sentences: each implementation trains on each of them once per pass, after the warm-up."""
    small = dataclasses.replace(problem, config=dataclasses.replace(problem.config, batch_size=2))
    peers = {"ours": FakePeer(clock, 0.002), "keras": FakePeer(clock, 0.004), "keras jit": FakePeer(clock, fails=True)}
    monkeypatch.setattr("benchmarks.ner_peers.make_problem", lambda config: small)
    monkeypatch.setattr("benchmarks.ner_peers.make_peers", lambda problem, processes: peers)
    monkeypatch.setattr(ner_speed, "process_for_each", lambda names: contextlib.nullcontext(processes))
    monkeypatch.setattr(ner_speed, "ROUND", 1)
    monkeypatch.setattr(ner_speed, "TAGGING_ROUNDS", 3)
    results = tmp_path / "new" / "speed.json"
    arguments = ["--data", "elsewhere", "--passes", "2", "--output", str(results)]
    done = CliRunner().invoke(ner_speed.main, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    batches = [tuple(map(tuple, ids["words"])) for ids, _ in small.training_batches(1)]
    assert len(batches) == 3
    for name in ("ours", "keras"):
        assert peers[name].trained[-6:] == batches * 2
        # The warm-up: one of every length, the shortest first.
        lengths = [len(batch[0]) for batch in peers[name].trained[:-6]]
        assert lengths == sorted({len(batch[0]) for batch in batches})
    record = json.loads(results.read_text())
    assert record["command"] == "python -m benchmarks.ner_speed --data DATA --passes 2"
    assert record["data"] == "five" and str(tmp_path) not in results.read_text()
    assert record["warm_up"]["keras jit"] == {"failed": "no such kernel"} and "failed" in done.output
    trained, tagged = record["train"], record["tag"]
    assert (trained["rounds"], trained["sentences"]) == (6, 10) and tagged["rounds"] == 3
    for name in ("ours", "keras"):
        one = trained["implementations"][name]
        assert one["epoch_seconds"] == pytest.approx(one["seconds"] / 2, abs=0.01)
    assert not trained["epoch_is_extrapolated"] and trained["best"] == tagged["best"] == {"keras": "keras"}
    assert trained["ratios"] == tagged["ratios"] == {"keras_over_ours": pytest.approx(2)}
    assert {"processor", "cores"} <= set(record["machine"]) and record["versions"]["keras"] == keras.__version__
    assert set(record["devices"]) == {"tensorflow", *processes}


def test_a_try_says_that_the_epoch_is_extrapolated(problem, monkeypatch, clock):
    small = dataclasses.replace(problem, config=dataclasses.replace(problem.config, batch_size=2))
    monkeypatch.setattr("benchmarks.ner_peers.make_problem", lambda config: small)
    monkeypatch.setattr(
        "benchmarks.ner_peers.make_peers",
        lambda problem, processes: {"ours": FakePeer(clock, 0.002), "keras": FakePeer(clock, 0.001)},
    )
    monkeypatch.setattr(ner_speed, "QUICK_BATCHES", 1)
    record = ner_speed.measure(problem.config, 1, True, Console(quiet=True), {})
    (ours,) = [record["train"]["implementations"]["ours"]]
    assert record["train"]["epoch_is_extrapolated"] and record["train"]["sentences"] < 5
    assert ours["epoch_seconds"] == pytest.approx(ours["seconds"] * 5 / record["train"]["sentences"], abs=0.01)


def fake_run(monkeypatch, folder, without=()):
    """Puts a run of no time in the place of `run ner`; its figures follow from seed and decoder."""

    def run(command, *end_marks):
        flags = dict(zip(command[4::2], command[5::2], strict=True))
        seed, better = int(flags["--seed"]), 0.02 * (flags["--decoder"] == "crf")
        scores = {"precision": 0.9, "recall": 0.8, "f1": 0.85 + better + seed / 100, "accuracy": 0.97}
        metrics = {
            "data": Path(flags["--data"]).name, "seed": seed, "epochs": 10 + seed, "best_epoch": 7,
            "train_seconds": 100.0 + seed, "examples_per_second": 1000.0, "device": "CPU", "versions": {"keras": "3"},
            "validation": scores, "test": {name: score for name, score in scores.items() if name not in without},
        }  # fmt: skip
        run_dir = Path(flags["--run-dir"])
        run_dir.mkdir()
        (run_dir / "metrics.json").write_text(json.dumps(metrics))
        return 120.0 + seed, []

    monkeypatch.setattr(records, "run", run)
    monkeypatch.setattr(ner, "RESULTS", folder / "results")


def measure(*arguments, status=0):
    done = CliRunner().invoke(ner.main, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == status, done.output
    return done.output


@pytest.fixture
def data(tmp_path):
    (tmp_path / "some").mkdir()
    for split in ("train", "test"):
        (tmp_path / "some" / f"{split}.conll").write_text("Bob B-PER\n\nsings O\n")
    return tmp_path / "some"


def test_runs_are_written_one_by_one_beside_earlier_ones(tmp_path, data, monkeypatch):
    fake_run(monkeypatch, tmp_path)
    results = tmp_path / "results" / "ner.json"
    measure("--data", data, "--seed", 1, "--decoder", "crf")
    (first,) = json.loads(results.read_text())["runs"]
    assert first["command"] == "python cli.py run ner --data DATA --decoder crf --seed 1"
    assert first["test"]["f1"] == 0.88 and first["wall_seconds"] == 121 and first["data"] == "some"
    assert first["machine"]["cores"] > 0 and first["versions"] == {"keras": "3"}
    measure("--data", data, "--seed", 0, "--seed", 1)
    runs = json.loads(results.read_text())["runs"]
    assert [(one["decoder"], one["seed"]) for one in runs] == [("crf", 0), ("crf", 1), ("softmax", 0), ("softmax", 1)]
    assert runs[1] == first and str(tmp_path) not in results.read_text()
    monkeypatch.setattr(ner, "record_runs", None)
    assert "0.8750" in measure("--report") and "some" in measure("--report")


def test_runs_on_other_data_or_of_other_lengths_are_not_mixed(tmp_path, data, monkeypatch):
    fake_run(monkeypatch, tmp_path)
    assert "nothing has been measured" in measure("--report", status=1)
    assert "--data" in measure(status=2)
    assert "no data set, file or folder" in measure("--data", "nowhere-at-all", status=1)
    measure("--data", data, "--seed", 0, "--decoder", "crf", "--epochs", 2)
    before = (tmp_path / "results" / "ner.json").read_text()
    assert "--epochs 2 --patience 0" in json.loads(before)["runs"][0]["command"]
    assert "choose another --name" in measure("--data", data, "--seed", 1, status=1)
    data.rename(tmp_path / "more")
    assert "holds runs on some" in measure("--data", tmp_path / "more", "--epochs", 2, status=1)
    assert (tmp_path / "results" / "ner.json").read_text() == before


def test_the_table_has_mean_and_deviation_of_each_decoder(tmp_path, data, monkeypatch):
    fake_run(monkeypatch, tmp_path, without=["accuracy"])
    measure("--data", data, "--decoder", "crf")
    measure("--data", data, "--seed", 5, "--decoder", "softmax")
    header, *rows = records.table_rows(records.read(tmp_path / "results" / "ner.json"), "decoder", ner.COLUMNS)
    assert "accuracy" not in header and "validation\naccuracy" in header
    table = {tuple(row[:2]): dict(zip(header, row, strict=True)) for row in rows}
    assert [table["crf", str(seed)]["f1"] for seed in range(3)] == ["0.8700", "0.8800", "0.8900"]
    # 0.87, 0.88, 0.89: the squares of the distances from the mean add up to 2e-4, over n - 1 = 2.
    assert (table["crf", "mean of 3"]["f1"], table["crf", "deviation"]["f1"]) == ("0.8800", "0.0100")
    assert (table["crf", "mean of 3"]["wall s"], table["crf", "deviation"]["wall s"]) == ("121.0", "1.0")
    assert (table["softmax", "mean of 1"]["f1"], table["softmax", "deviation"]["f1"]) == ("0.9000", "-")
    assert records.mean_and_deviation([1.0, 2.0, 6.0]) == (3.0, pytest.approx(7**0.5))
