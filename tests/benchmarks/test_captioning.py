"""The benchmarks of the captioning template: what is typed and written, and captions that no network made."""

import io
import json
import math
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from benchmarks import caption_baselines, caption_sample, captioning, records
from benchmarks.caption_baselines import Consensus, ciders_of_constants, colour_histogram, human_metrics, nearest
from data.captioned_pictures.source import CaptionedPictures
from training.metrics.captions import CaptionScores, caption_tokens, score_captions

METRICS = {"bleu1": 50.0, "bleu2": 30.0, "bleu3": 20.0, "bleu4": 15.0, "cider": 0.4, "rouge_l": 0.4}
PICTURES = [
    {"image": "a.jpg", "caption": "ein Vögelchen\u2028singt", "score": -1.5, "references": ["a bird", "one bird"]},
    {"image": "b.jpg", "caption": "a dog", "score": -0.5, "references": ["two dogs"]},
]

# Few words, so that captions share many n-grams and repeat some.
sentences = st.lists(st.sampled_from(["a", "b", "c", "Dd", "?"]), max_size=8).map(" ".join)
pictures_of_sentences = st.lists(st.lists(sentences, min_size=1, max_size=3), min_size=1, max_size=5)


def measure(command, *arguments, status=0):
    done = CliRunner().invoke(command.main, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == status, done.output
    return done.output


def picture_of(*colours: str, side: int = 24) -> bytes:
    """A picture of vertical stripes."""
    picture, stream = Image.new("RGB", (side, side)), io.BytesIO()
    for number, colour in enumerate(colours):
        width = side // len(colours)
        picture.paste(colour, (number * width, 0, (number + 1) * width, side))
    picture.save(stream, "PNG")
    return stream.getvalue()


def write_pictures(folder: Path, splits: dict[str, dict[str, tuple[bytes, list[str]]]]) -> Path:
    """A folder with pictures, captions.txt and a list of each split."""
    folder.mkdir()
    lines = []
    for split, pictures in splits.items():
        (folder / f"{split}.txt").write_text("".join(f"{name}\n" for name in pictures))
        for name, (content, captions) in pictures.items():
            (folder / name).write_bytes(content)
            lines += [f"{name}#{number}\t{caption}\n" for number, caption in enumerate(captions)]
    (folder / "captions.txt").write_text("".join(lines))
    return folder


# The template's runs.


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """What is run: a run of no time takes the place of `run captioning`; its figures follow from the seed."""
    commands = []

    def run(command, *end_marks):
        commands.append(command)
        flags = dict(zip(command[4::2], command[5::2], strict=True))
        seed = int(flags["--seed"])
        test = METRICS | {"cider": 0.4 + seed / 100}
        metrics = {
            "data": Path(flags["--data"]).name, "seed": seed, "epochs": 20 + seed, "best_epoch": 17,
            "train_seconds": 100.0 + seed, "device": "CPU", "validation": METRICS, "test": test,
            "shuffled": {"validation": METRICS | {"cider": 0.125}, "test": METRICS | {"cider": 0.0625}},
        }  # fmt: skip
        run_dir = Path(flags["--run-dir"])
        run_dir.mkdir(parents=True)
        (run_dir / "metrics.json").write_text(json.dumps(metrics))
        lines = [json.dumps(picture, ensure_ascii=False) + "\n" for picture in PICTURES]
        (run_dir / "captions_test.jsonl").write_text("".join(lines), encoding="utf-8")
        return 120.0 + seed, []

    def score(captions, references):
        assert captions == [one["caption"] for one in PICTURES]
        assert references == [one["references"] for one in PICTURES]
        return CaptionScores(METRICS | {"cider": 0.375, "bleu4": 13.5}, {})

    monkeypatch.setattr(records, "run", run)
    monkeypatch.setattr(captioning, "score_with_ptb_tokenizer", score)
    monkeypatch.setattr(captioning, "RESULTS", tmp_path / "results")
    return commands


@pytest.fixture
def data(tmp_path):
    red = picture_of("red")
    splits = {split: {f"{split}.png": (red, ["a red picture"])} for split in ("train", "validation", "test")}
    return write_pictures(tmp_path / "some", splits)


def test_three_seeds_are_run_and_written_with_the_figures_of_published_tokens(tmp_path, data, commands):
    shown = measure(captioning, "--data", data)
    runs = records.read(tmp_path / "results" / "captioning.json")
    assert [one["seed"] for one in runs] == [0, 1, 2]
    typed = "python cli.py run captioning --data DATA --seed 1"
    assert runs[1]["command"] == typed and runs[1]["wall_seconds"] == 121
    assert commands[1][1:-2] == [str(records.ROOT / "cli.py"), *typed.replace("DATA", str(data)).split()[2:]]
    assert runs[1]["ptb"]["cider"] == 0.375 and runs[1]["shuffled"]["test"]["cider"] == 0.0625
    assert str(tmp_path) not in json.dumps(runs) and "0.410" in shown and "some" in shown
    # Their folders were only lent to them.
    assert not any(Path(command[-1]).exists() for command in commands)


def test_each_run_is_written_at_once_beside_earlier_ones_and_in_the_place_of_its_like(
    tmp_path, data, commands, monkeypatch
):
    measure(captioning, "--data", data, "--seed", 7)
    run = records.run

    def fail_at_seed_3(command, *end_marks):
        if command[command.index("--seed") + 1] == "3":
            raise KeyboardInterrupt
        return run(command, *end_marks)

    monkeypatch.setattr(records, "run", fail_at_seed_3)
    measure(captioning, "--data", data, "--seed", 7, "--seed", 5, "--seed", 3, status=1)
    assert [one["seed"] for one in records.read(tmp_path / "results" / "captioning.json")] == [5, 7]
    assert len(commands) == 3 and "0.470" in measure(captioning, "--report") and len(commands) == 3


def test_the_table_has_mean_and_deviation_and_no_column_without_figures(tmp_path, data, commands, monkeypatch):
    measure(captioning, "--data", data)
    runs = records.read(tmp_path / "results" / "captioning.json")
    header, *rows = records.table_rows(runs, "data", captioning.COLUMNS)
    table = {row[1]: dict(zip(header, row, strict=True)) for row in rows}
    assert header == ["data", "seed", *captioning.COLUMNS]
    assert [table[str(seed)]["cider"] for seed in range(3)] == ["0.400", "0.410", "0.420"]
    assert (table["mean of 3"]["cider"], table["deviation"]["cider"]) == ("0.410", "0.010")
    assert (table["0"]["ptb\nbleu4"], table["0"]["shuffled\ncider"]) == ("13.50", "0.062")
    assert table["mean of 3"]["epochs"] == "21" and table["mean of 3"]["wall s"] == "121.0"
    # Without Java, and without a test split.
    monkeypatch.setattr(captioning, "score_with_ptb_tokenizer", lambda captions, references: None)
    measure(captioning, "--data", data, "--seed", 0, "--name", "other")
    (one,) = records.read(tmp_path / "results" / "other.json")
    assert one["ptb"] is None and captioning.ptb_metrics(tmp_path) == {"ptb": None}
    (header, *_) = records.table_rows([one], "data", captioning.COLUMNS)
    assert header == ["data", "seed", *(name for name in captioning.COLUMNS if "ptb" not in name)]


def test_folders_are_kept_and_never_gone_on_with(tmp_path, data, commands):
    arguments = ("--data", data, "--seed", 4, "--keep", tmp_path / "kept")
    measure(captioning, *arguments)
    assert commands[0][-1] == str(tmp_path / "kept" / "seed4") and Path(commands[0][-1]).is_dir()
    assert "choose another --keep" in measure(captioning, *arguments, "--seed", 5, status=1) and len(commands) == 1


def test_what_cannot_run_or_be_compared_is_refused_before_anything_runs(tmp_path, data, commands):
    assert "nothing has been measured" in measure(captioning, "--report", status=1)
    assert "--data" in measure(captioning, status=2)
    assert "no data set, file or folder" in measure(captioning, "--data", "nowhere-at-all", status=1)
    assert not commands
    measure(captioning, "--data", data, "--seed", 0, "--epochs", 2)
    assert commands[0][-6:-2] == ["--epochs", "2", "--patience", "0"]
    assert "choose another --name" in measure(captioning, "--data", data, status=1)
    data.rename(tmp_path / "more")
    assert "holds runs on some" in measure(captioning, "--data", tmp_path / "more", "--epochs", 2, status=1)
    assert len(commands) == 1


# The sample's.


def test_the_samples_captions_are_judged_by_what_they_say(tmp_path, monkeypatch):
    said = {"a red square left of a blue circle": "a blue circle right of a red square", "a cat": "a small red cross"}

    def run(command, *end_marks):
        run_dir = Path(command[-1])
        run_dir.mkdir()
        lines = [json.dumps({"caption": caption, "references": [truth]}) + "\n" for caption, truth in said.items()]
        (run_dir / "captions_validation.jsonl").write_text("".join(lines))
        (run_dir / "captions_test.jsonl").write_text(lines[0] * 3 + lines[1])
        metrics = {"data": "sample", "seed": int(command[command.index("--seed") + 1]), "device": "CPU"}
        (run_dir / "metrics.json").write_text(json.dumps(metrics))
        return 90.0, []

    monkeypatch.setattr(records, "run", run)
    monkeypatch.setattr(caption_sample, "RESULTS", tmp_path / "results")
    assert "nothing has been measured" in measure(caption_sample, "--report", status=1)
    shown = measure(caption_sample, "--seed", 4)
    (record,) = records.read(tmp_path / "results" / "caption_sample.json")
    assert record["right"] == {"validation": 0.5, "test": 0.75} and "0.750" in shown and record["wall_seconds"] == 90
    assert record["command"].startswith("python cli.py run captioning --data sample --channels 32 ")
    assert record["command"].endswith(" --seed 4") and "0.750" in measure(caption_sample, "--report")


# Captions without a network.


@given(st.lists(sentences, min_size=1, max_size=6), pictures_of_sentences)
def test_ciders_of_constants_are_those_of_the_metric(candidates, references):
    scores = [score_captions([one] * len(references), references).metrics["cider"] for one in candidates]
    np.testing.assert_allclose(ciders_of_constants(candidates, references), scores, rtol=1e-9, atol=1e-12)


def likeness(caption: str, other: str, captions: list[list[str]]) -> float:
    """The mean over n-gram sizes of the cosine of two captions, from the definition."""
    total = 0.0
    for size in range(1, 5):

        def grams(text, size=size):
            tokens = caption_tokens(text)
            return Counter(tuple(tokens[start : start + size]) for start in range(len(tokens) - size + 1))

        def weighed(text, grams=grams):
            having = {
                gram: sum(any(gram in grams(one) for one in picture) for picture in captions) for gram in grams(text)
            }
            return {gram: count * math.log(len(captions) / having[gram]) for gram, count in grams(text).items()}

        first, second = weighed(caption), weighed(other)
        norms = math.hypot(*first.values()) * math.hypot(*second.values())
        total += sum(weight * second.get(gram, 0) for gram, weight in first.items()) / norms if norms else 0
    return total / 4


@given(pictures_of_sentences, st.data())
def test_the_consensus_is_the_caption_most_like_the_others(captions, draw):
    neighbours = draw.draw(st.lists(st.sampled_from(range(len(captions))), min_size=1, unique=True))
    (chosen,) = Consensus(captions).captions(np.array([neighbours]))
    ours = [caption for picture in neighbours for caption in captions[picture]]
    means = [
        sum(likeness(one, other, captions) for place, other in enumerate(ours) if place != number)
        for number, one in enumerate(ours)
    ]
    assert max(mean for one, mean in zip(ours, means, strict=True) if one == chosen) == pytest.approx(max(means))


def test_nearest_are_those_of_like_colours_at_like_places():
    stripes = [("red", "blue"), ("blue", "red"), ("red", "green"), ("green", "white")]
    known = np.stack([colour_histogram(picture_of(*colours)) for colours in stripes])
    asked = np.stack([colour_histogram(picture_of("red", "blue", side=50)), colour_histogram(picture_of("red"))])
    order = nearest(asked, known, 4)
    assert order[0, :2].tolist() == [0, 2] and nearest(asked, known, 1).tolist() == order[:, :1].tolist()
    np.testing.assert_allclose(asked @ known.T, [[1, 0, 0.5, 0], [0.5, 0.5, 0.5, 0]], atol=1e-12)


def test_histograms_count_the_colours_of_each_place():
    pixels = np.random.default_rng(0).integers(256, size=(32, 32, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    shares = np.zeros((4, 4, 4, 4, 4))
    for row, column in np.ndindex(32, 32):
        shares[row // 8, column // 8, *(pixels[row, column] // 64)] += 1 / 1024
    np.testing.assert_allclose(colour_histogram(stream.getvalue()) ** 2, shares.ravel(), atol=1e-12)


def test_a_human_is_scored_against_the_other_captions():
    words = random.Random(0)
    captions = [[" ".join(words.choices("abcdefg", k=9)) for _ in range(3)] for _ in range(6)]
    turns = [
        score_captions([one[turn] for one in captions], [[one[turn - 2], one[turn - 1]] for one in captions])
        for turn in range(3)
    ]
    found = human_metrics([*captions, ["a picture with one caption alone"]])
    assert set(found) == set(METRICS) and len({turn.metrics["cider"] for turn in turns}) == 3
    for name, value in found.items():
        assert value == pytest.approx(np.mean([turn.metrics[name] for turn in turns])), name


@pytest.fixture
def scenes():
    """Training pictures of two colours. Validation and test pictures are both red or blue, and described otherwise."""
    red, blue, noise = picture_of("red"), picture_of("blue"), picture_of("lime", "black")
    return {
        "train": {
            "r.png": (red, ["A big red wall stands here.", "a big red wall stands there", "nothing of use"]),
            "b.png": (blue, ["the deep blue sea rolls on", "the deep blue sea rolls by", "no use at all to us"]),
            "n.png": (noise, ["so so so so", "So so so so!", "some green leaves hang down"]),
        },
        "validation": {
            "v1.png": (red, ["a big red wall stands here", "one big red wall"]),
            "v2.png": (blue, ["the deep blue sea rolls on", "some green leaves hang down", "some green leaves"]),
            "v3.png": (blue, ["the deep blue sea rolls on", "some green leaves hang down"]),
            "v4.png": (picture_of("yellow"), ["a yellow thing"]),
        },
        "test": {
            "t1.png": (red, ["a big red wall stands there", "one big red wall stands there"]),
            "t2.png": (blue, ["the deep blue sea rolls by", "a sea rolls by"]),
            "t3.png": (red, ["a big red wall stands there", "a wall"]),
        },
    }


def test_what_is_chosen_is_chosen_on_training_and_validation_alone(tmp_path, scenes):
    folder = write_pictures(tmp_path / "scenes", scenes)
    results = tmp_path / "new" / "baselines.json"
    shown = measure(caption_baselines, "--data", folder, "--output", results)
    record = json.loads(results.read_text())
    assert record["command"] == "python -m benchmarks.caption_baselines --data DATA" and record["data"] == "scenes"
    assert record["pictures"] == {"train": 3, "validation": 4, "test": 3} and record["left_out"] == 0
    assert str(tmp_path) not in results.read_text() and all(name in shown for name in record["baselines"])

    validation, test = ([captions for _, captions in scenes[split].values()] for split in ("validation", "test"))
    found = record["baselines"]
    frequent, constant, neighbours = (found[name] for name in list(found)[:3])
    assert (frequent["caption"], frequent["times"]) == ("so so so so", 2)
    assert frequent["test"] == score_captions(["so so so so"] * 3, test).metrics
    candidates = {" ".join(caption_tokens(one)) for _, captions in scenes["train"].values() for one in captions}
    ciders = {one: score_captions([one] * 4, validation).metrics["cider"] for one in candidates}
    assert constant["candidates"] == len(candidates) == 8 and constant["caption"] == max(ciders, key=ciders.get)
    assert constant["validation"]["cider"] == max(ciders.values())
    assert constant["test"] == score_captions([constant["caption"]] * 3, test).metrics
    # One neighbour tells red from blue; all three together have the same captions for every picture.
    assert neighbours["neighbours"] == 1 and set(neighbours["validation_ciders"]) == {"1", "3"}
    assert neighbours["validation_ciders"]["1"] == neighbours["validation"]["cider"]
    assert neighbours["validation_ciders"]["1"] > neighbours["validation_ciders"]["3"]
    wall, sea = "A big red wall stands here.", "the deep blue sea rolls on"
    assert neighbours["test"] == score_captions([wall, sea, wall], test).metrics
    assert found["one human"]["test"] == human_metrics(test)


def test_more_neighbours_are_taken_where_they_score_higher(scenes):
    """Colours that lead astray: what all agree on is better than the caption of a picture of the same colour."""
    scenes["train"]["n.png"] = (picture_of("lime"), ["big red things"])
    pictures = {split: CaptionedPictures([], [captions for _, captions in scenes[split].values()]) for split in scenes}
    swapped = {"r.png": picture_of("blue"), "b.png": picture_of("red")}
    histograms = {
        split: np.stack([colour_histogram(swapped.get(name, content)) for name, (content, _) in rows.items()])
        for split, rows in scenes.items()
    }
    neighbours = caption_baselines.measure(pictures, histograms)["colour neighbours"]
    assert neighbours["neighbours"] == 3
    assert neighbours["validation_ciders"]["3"] > 5 * neighbours["validation_ciders"]["1"]


def test_unreadable_pictures_are_left_out_and_counted_and_single_captions_have_no_human(tmp_path, scenes):
    scenes["train"]["broken.png"] = (picture_of("red")[:60], ["so so so so"])
    scenes["test"] = {"t.png": (picture_of("red"), ["a wall"]), "text.png": (b"no picture", ["a text"])}
    results = tmp_path / "baselines.json"
    folder = write_pictures(tmp_path / "scenes", scenes)
    measure(caption_baselines, "--data", folder, "--output", results)
    record = json.loads(results.read_text())
    assert record["pictures"] == {"train": 3, "validation": 4, "test": 1} and record["left_out"] == 2
    assert record["baselines"]["most frequent caption"]["times"] == 2 and "one human" not in record["baselines"]


def test_data_that_cannot_be_used_are_a_line(tmp_path, scenes):
    results = tmp_path / "baselines.json"
    assert "nowhere" in measure(caption_baselines, "--data", tmp_path / "nowhere", "--output", results, status=1)
    del scenes["validation"]
    folder = write_pictures(tmp_path / "scenes", scenes)
    assert "no split 'validation'" in measure(caption_baselines, "--data", folder, "--output", results, status=1)
    scenes["validation"] = {"v.png": (b"no picture", ["a text"])}
    folder = write_pictures(tmp_path / "more", scenes)
    assert "v.png" in measure(caption_baselines, "--data", folder, "--output", results, status=1)
    assert not results.exists()
