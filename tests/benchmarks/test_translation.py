"""The benchmarks of the translation template: all that is timed computes the same; what is typed and written."""

import contextlib
import dataclasses
import io
import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner
from rich.console import Console

from benchmarks import records, translation, translation_speed
from benchmarks.keras_translator import with_keras_layers
from benchmarks.processes import installed, process_for_each
from benchmarks.translation_agreement import compare_answers, compare_losses
from benchmarks.translation_alignment import alignment
from benchmarks.translation_peers import Problem, make_model, make_peers
from benchmarks.translation_speed_report import print_report
from data.sentence_pairs.languages import Languages
from data.sentence_pairs.pairs import SentencePairs
from templates.translation import pipeline
from templates.translation.config import Config
from training.device import Device

PAIRS = SentencePairs(
    ["Ein Hund schläft.", "Zwei rote Vögel", "ja", "Der kleine Hund hat gestern lange geschlafen.", "Lena wartet."],
    ["A dog sleeps.", "two red birds", "yes, indeed it is so", "The little dog slept long yesterday.", "Lena waits."],
)


@pytest.fixture(scope="module")
def problem():
    """Five pairs, without dropout, so that even training steps can be compared; a batch has a row of no pieces."""
    config = Config(
        units=6, embedding_size=5, vocabulary_size=290, beam_width=3, batch_size=6, learning_rate=0.01, warm_up_steps=2,
        learning_rate_half_life=2, word_dropout=0, embedding_dropout=0, dropout=0, weight_average=0.5,
    )  # fmt: skip
    subwords = pipeline.subwords_of(pipeline.learn_vocabulary(config, PAIRS))
    examples = pipeline.make_examples(PAIRS, *subwords)
    device = Device(tf.distribute.get_strategy(), "CPU", "float32", jit=False)
    sizes = (subwords[0].size, subwords[1].size)
    return Problem("five", Languages("de", "en"), config, sizes, device, examples, examples)


@pytest.fixture(scope="module")
def processes():
    """PyTorch's, where it is installed."""
    with pytest.MonkeyPatch.context() as patch, process_for_each(installed("torch")) as processes:
        # PyTorch's threads wait for each other: beside other work on the same cores that can take seconds.
        patch.setenv("OMP_NUM_THREADS", "1")
        yield processes


@pytest.fixture(scope="module")
def made(problem, processes):
    """All but what XLA compiles, and a model with weights that all count and clear scores."""
    model = make_model(problem)
    random = np.random.default_rng(3)
    for variable in model.trainable_variables:
        variable.assign(random.normal(size=variable.shape))
    peers = make_peers(problem, make_model(problem), processes)
    assert len(peers) == 3 + 2 * len(installed("torch"))
    del peers["keras jit"]
    return peers, model


@pytest.fixture
def peers(made):
    """All but what XLA compiles, with that model's weights; PyTorch where it is installed. One test may train them."""
    peers, model = made
    for peer in peers.values():
        peer.load(model)
    return peers


def test_the_layers_beside_ours_are_keras_own(problem):
    model = with_keras_layers(make_model(problem))
    reader = model.get_layer("encoder").get_layer("bidirectional_1")
    assert type(reader) is keras.layers.Bidirectional and type(reader.forward_layer) is keras.layers.GRU
    assert [type(layer) for layer in model.get_layer("decoder").recurrent_layers] == [keras.layers.GRU] * 2


def test_losses_are_ours(problem, peers):
    """Of rows of many lengths on both sides, and of one of no pieces."""
    (batch,) = problem.training_batches(1)
    ours = peers["ours"].losses(batch)
    assert len(set((batch[0] != 0).sum(axis=1))) > 4 and ours[:5].min() > 10 and ours[5] == 0
    for name, peer in peers.items():
        np.testing.assert_allclose(peer.losses(batch), ours, rtol=1e-5, atol=1e-5, err_msg=name)


def test_training_steps_and_answers_are_ours(problem, peers):
    """Gradient, clipping, learning rate, Adam: four steps lead through the same losses, and to the same answers."""
    batches = problem.training_batches(1)
    losses = [peers["ours"].train(batches) for _ in range(4)]
    assert losses[3] < losses[0] - 0.1
    ((source, _, _),) = problem.validation_batches()
    answers = {width: search([source])[0] for width, search in peers["ours"].search.items()}
    # The answers are of several lengths.
    assert set(answers) == {1, 3} and len(set((answers[1][0] != 0).sum(axis=1))) > 1
    assert (answers[3][1] >= answers[1][1] - 1e-6).all()
    for name, peer in peers.items():
        if name != "ours":
            assert [peer.train(batches) for _ in range(4)] == pytest.approx(losses, rel=2e-5), name
        for width, search in peer.search.items():
            found = compare_answers({"ours": [answers[width]], name: search([source])}, width)
            assert found[name]["mean_score"] == pytest.approx(found["ours"]["mean_score"], rel=1e-4), name


def test_a_peer_takes_the_weights_of_another_model(problem, peers):
    (batch,) = problem.training_batches(1)
    model = make_model(problem)
    assert all(variable.numpy().any() for variable in model.trainable_variables)
    for peer in peers.values():
        peer.load(model)
    losses = [peer.losses(batch) for peer in peers.values()]
    for other in losses[1:]:
        np.testing.assert_allclose(other, losses[0], rtol=1e-5)
    assert losses[0].sum() / np.count_nonzero(batch[2]) < 8


def test_other_losses_are_not_timed():
    targets, losses = [np.array([[4, 5, 2], [2, 0, 0], [0, 0, 0]])], np.array([6.0, 2.0, 0.0])
    found = compare_losses({"ours": [losses], "peer": [losses * (1 + 1e-5)]}, targets)
    assert (found["sentences"], found["pieces"], found["loss_per_piece"]) == (2, 4, 2)
    assert found["loss_differences"] == {"peer": pytest.approx(1e-5)}
    for wrong in (losses + 1e-3, losses * np.nan):
        with pytest.raises(RuntimeError, match="peer"):
            compare_losses({"ours": [losses], "peer": [wrong]}, targets)


def test_other_answers_are_not_timed_unless_ours_are_better():
    """A beam of ours may find more than another one; no search of another's may, and greedily there is one answer."""
    tokens = np.arange(3, 103)[:, np.newaxis] * [1, 0]
    scores, other = np.linspace(-2, -1, 100), tokens.copy()
    other[:5, 0] += 1
    # More padding is no difference.
    ours, longer = [(tokens, scores)], np.pad(tokens, [(0, 0), (0, 2)])
    assert compare_answers({"ours": ours, "peer": [(longer, scores)]}, 3)["peer"]["others"] == 0
    lower = np.where(np.arange(100) < 5, scores - 0.1, scores)
    found = compare_answers({"ours": ours, "peer": [(other, lower)]}, 3)["peer"]
    assert (found["others"], found["ours_better"], found["pieces_per_answer"]) == (0.05, 0.05, 1)
    for width, theirs in ((1, lower), (3, scores), (3, scores + 0.1), (3, scores * np.nan)):
        with pytest.raises(RuntimeError, match="peer"):
            compare_answers({"ours": ours, "peer": [(other, theirs)]}, width)
    with pytest.raises(RuntimeError, match="peer"):
        compare_answers({"ours": ours, "peer": [(tokens + 1, scores - 1)]}, 3)


class FakePeer:
    """Waits instead of computing, and notes what it got."""

    def __init__(self, clock, seconds=0.0, multiple=1, widths=(1,), fails=False):
        self.clock, self.seconds, self.multiple, self.fails = clock, seconds, multiple, fails
        self.trained, self.loaded = [], 0
        self.search = dict.fromkeys(widths, self.find)

    def train(self, batches):
        batches = list(batches)
        self.clock.sleep(self.seconds * len(batches))
        self.trained += [batch[2].tolist() for batch in batches]

    def losses(self, batch):
        if self.fails:
            raise tf.errors.InvalidArgumentError(None, None, "no such kernel\nat /home/someone/here")
        return np.ones(len(batch[2]))

    def find(self, sources):
        self.clock.sleep(self.seconds * len(sources))
        return [(np.tile([3, 2], (len(source), 1)), np.full(len(source), -1.0)) for source in sources]

    def load(self, model):
        self.loaded += 1


def test_all_train_on_the_timed_batches_and_translate_with_one_models_weights(
    problem, processes, tmp_path, monkeypatch, clock
):
    small = dataclasses.replace(problem, config=dataclasses.replace(problem.config, batch_size=1))
    peers = {
        "ours": FakePeer(clock, 0.002, widths=(1, 3)),
        "keras": FakePeer(clock, 0.004),
        "keras jit": FakePeer(clock, multiple=16, fails=True),
        "torch": FakePeer(clock, 0.006, widths=(1, 3)),
        "torch packed": FakePeer(clock, 0.001, widths=(1, 3)),
    }
    monkeypatch.setattr("benchmarks.translation_peers.make_problem", lambda config, run: small)
    monkeypatch.setattr("benchmarks.translation_peers.make_peers", lambda problem, model, processes: peers)
    monkeypatch.setattr(translation_speed, "process_for_each", lambda names: contextlib.nullcontext(processes))
    monkeypatch.setattr(translation_speed, "ROUND", 2)
    results = tmp_path / "new" / "speed.json"
    arguments = ["--data", "elsewhere", "--batches", "4", "--practice", "7", "--output", str(results)]
    done = CliRunner().invoke(translation_speed.main, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    targets = [batch[2].tolist() for batch in small.training_batches(1)]
    assert len(targets) == 5
    # The practice goes on with the batches behind those that are timed.
    assert peers["ours"].trained[-11:] == [*targets[:4], targets[4], *targets[:4], targets[4], targets[0]]
    assert peers["keras"].trained[-4:] == peers["torch"].trained[-4:] == targets[:4]
    assert [peer.loaded for peer in peers.values()] == [0, 1, 0, 0, 1]
    record = json.loads(results.read_text())
    assert "--data DATA" in record["command"] and "--batches 4 --practice 7" in record["command"]
    assert str(tmp_path) not in results.read_text() and record["data"] == "five"
    assert record["warm_up"]["keras jit"] == {"failed": "no such kernel"} and "failed" in done.output
    trained, greedy, beam = record["train"], record["translate"]["1"], record["translate"]["3"]
    assert (trained["rounds"], trained["amount"]) == (2, sum(np.count_nonzero(each) for each in targets[:4]))
    assert trained["best"] == {"keras": "keras", "torch": "torch packed"}
    assert trained["ratios"] == {"keras_over_ours": pytest.approx(2), "torch_over_ours": pytest.approx(0.5)}
    assert set(greedy["implementations"]) == {"ours", "keras", "torch packed"} and greedy["amount"] == 15
    assert set(beam["implementations"]) == {"ours", "torch packed"} and beam["ratios"] == {
        "torch_over_ours": pytest.approx(0.5)
    }
    assert set(record["devices"]) == {"tensorflow", *processes}


def test_speeds_are_medians_over_rounds_and_ratios_of_the_same_rounds():
    seconds = {"ours": [1.0, 2.0, 4.0], "keras": [3.0, 3.0, 3.0], "torch": [9.0, 9.0, 9.0], "torch packed": [2.0, 2, 2]}
    found = translation_speed.summarise(seconds, [10, 20, 20], "sentences")
    assert found["implementations"]["ours"] == {"per_second": 10, "quartiles": [7.5, 10], "seconds": 7}
    assert (found["amount"], found["unit"], found["rounds"]) == (50, "sentences", 3)
    assert found["best"] == {"keras": "keras", "torch": "torch packed"}
    assert found["ratios"] == {"keras_over_ours": 1.5, "torch_over_ours": 1}


def fake_run(monkeypatch, folder):
    """Puts a run of no time in the place of `run translation`; its figures follow from seed and direction."""
    commands = []

    def run(command, *end_marks):
        commands.append(command)
        flags = dict(zip(command[4::2], command[5::2], strict=True))
        seed, scores = int(flags["--seed"]), {"bleu": 30.0, "chrf": 50.0}
        scores["bleu"] += seed + 5 * (flags["--target-language"] == "de")
        metrics = {
            "data": Path(flags["--data"]).name, "seed": seed, "epochs": 10 + seed, "best_epoch": 7,
            "languages": [flags["--source-language"], flags["--target-language"]], "train_seconds": 100.0 + seed,
            "examples_per_second": 400.0, "device": "CPU", "validation": scores, "test": scores,
        }  # fmt: skip
        run_dir = Path(flags["--run-dir"])
        run_dir.mkdir(parents=True)
        (run_dir / "metrics.json").write_text(json.dumps(metrics))
        return 120.0 + seed, []

    monkeypatch.setattr(records, "run", run)
    monkeypatch.setattr(translation, "RESULTS", folder / "results")
    return commands


def measure(*arguments, status=0):
    done = CliRunner().invoke(translation.main, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == status, done.output
    return done.output


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "some"
    folder.mkdir()
    for split in ("train", "val", "test"):
        for language, text in (("de", "ein Hund\n"), ("en", "a dog\n"), ("fr", "un chien\n")):
            (folder / f"{split}.{language}").write_text(text)
    return folder


def test_by_default_one_direction_has_six_seeds_and_two_have_one(tmp_path, data, monkeypatch):
    commands = fake_run(monkeypatch, tmp_path)
    shown = measure("--data", data)
    runs = json.loads((tmp_path / "results" / "translation.json").read_text())["runs"]
    assert [(one["direction"], one["seed"]) for one in runs] == [
        *(("de-en", seed) for seed in range(6)), ("en-de", 0), ("en-fr", 0)
    ]  # fmt: skip
    typed = "python cli.py run translation --data DATA --source-language en --target-language de --seed 0"
    assert runs[6]["command"] == typed and runs[6]["test"]["bleu"] == 35 and runs[6]["wall_seconds"] == 120
    # Whoever stops early has something of every direction.
    assert [command[command.index("--seed") + 1] for command in commands] == list("00012345")
    assert commands[1][1:-2] == [str(records.ROOT / "cli.py"), *typed.replace("DATA", str(data)).split()[2:]]
    assert str(tmp_path) not in json.dumps(runs) and "32.50" in shown and "some" in shown


def test_runs_are_written_beside_earlier_ones_and_in_the_place_of_their_like(tmp_path, data, monkeypatch):
    commands = fake_run(monkeypatch, tmp_path)
    measure("--data", data, "--direction", "fr-en")
    measure("--data", data, "--direction", "en-fr", "--direction", "de-en", "--seed", 1, "--seed", 0)
    measure("--data", data, "--direction", "de-en", "--seed", 1)
    runs = records.read(tmp_path / "results" / "translation.json")
    assert [(one["direction"], one["seed"]) for one in runs] == [
        ("de-en", 0), ("de-en", 1), ("en-fr", 0), ("en-fr", 1), ("fr-en", 0)
    ]  # fmt: skip
    assert len(commands) == 6 and "fr-en" in measure("--report") and len(commands) == 6


def test_folders_are_kept_and_never_gone_on_with(tmp_path, data, monkeypatch):
    commands = fake_run(monkeypatch, tmp_path)
    arguments = ("--data", data, "--direction", "de-en", "--seed", 4, "--keep", tmp_path / "kept")
    measure(*arguments)
    assert commands[0][-1] == str(tmp_path / "kept" / "de-en-seed4") and Path(commands[0][-1]).is_dir()
    assert "choose another --keep" in measure(*arguments, "--seed", 5, status=1) and len(commands) == 1


def test_what_cannot_run_or_be_compared_is_refused_before_anything_runs(tmp_path, data, monkeypatch):
    commands = fake_run(monkeypatch, tmp_path)
    assert "nothing has been measured" in measure("--report", status=1)
    assert "--data" in measure(status=2)
    assert "no data set, file or folder" in measure("--data", "nowhere-at-all", status=1)
    assert "write it as de-en" in measure("--data", data, "--direction", "german", status=2)
    assert "it" in measure("--data", data, "--direction", "de-en", "--direction", "it-en", status=1)
    assert not commands
    measure("--data", data, "--direction", "de-en", "--seed", 0, "--epochs", 2)
    assert commands[0][-6:-2] == ["--epochs", "2", "--patience", "0"]
    assert "choose another --name" in measure("--data", data, status=1)
    data.rename(tmp_path / "more")
    assert "holds runs on some" in measure("--data", tmp_path / "more", "--epochs", 2, status=1)
    assert len(commands) == 1


def test_the_table_has_mean_deviation_and_spread_of_each_direction(tmp_path, data, monkeypatch):
    fake_run(monkeypatch, tmp_path)
    measure("--data", data)
    runs = records.read(tmp_path / "results" / "translation.json")
    header, *rows = records.table_rows(runs, "direction", translation.COLUMNS)
    table = {tuple(row[:2]): dict(zip(header, row, strict=True)) for row in rows}
    assert header[:4] == ["direction", "seed", "bleu", "chrf"]
    assert [table["de-en", str(seed)]["bleu"] for seed in range(3)] == ["30.00", "31.00", "32.00"]
    assert [table["de-en", row]["bleu"] for row in ("mean of 6", "deviation", "spread")] == ["32.50", "1.87", "5.00"]
    assert table["de-en", "mean of 6"]["wall s"] == "122.5" and table["de-en", "2"]["pairs\n/ s"] == "400"
    assert [table["en-de", row]["bleu"] for row in ("mean of 1", "deviation", "spread")] == ["35.00", "-", "-"]


def test_an_attention_along_the_diagonal_is_aligned_and_one_at_the_end_is_not():
    lengths, diagonal, end = np.array([5, 3]), np.zeros((2, 5, 5)), np.zeros((2, 5, 5))
    for row, length in enumerate(lengths):
        diagonal[row, range(length), range(length)] = end[row, :length, length - 1] = 1
        # What does not count does not matter.
        diagonal[row, length:, 0] = end[row, length:, 0] = 1
    assert alignment(diagonal, lengths, lengths) == pytest.approx((1, 1, 2 / 8))
    aligned, *shares = alignment(end, lengths, lengths)
    assert abs(aligned) < 0.3 and shares == [1, 1]


def test_without_pytorch_there_is_no_ratio_to_it(problem, monkeypatch, clock):
    console = Console(width=160, record=True, file=io.StringIO())
    peers = {"ours": FakePeer(clock, 0.001, widths=(1, 3)), "keras": FakePeer(clock, 0.001)}
    monkeypatch.setattr("benchmarks.translation_peers.make_problem", lambda config, run: problem)
    monkeypatch.setattr("benchmarks.translation_peers.make_peers", lambda problem, model, processes: peers)
    record = translation_speed.measure(problem.config, None, 1, 0, console, {})
    assert set(record["train"]["ratios"]) == {"keras_over_ours"} and record["translate"]["3"]["ratios"] == {}
    assert record["sizes"]["validation_pairs"] == 5 and record["languages"] == ["de", "en"]
    record["machine"] = {"processor": "any", "cores": 2}
    print_report(record, console)
    printed = console.export_text()
    assert "Keras's time over ours" in printed and "PyTorch" not in printed
