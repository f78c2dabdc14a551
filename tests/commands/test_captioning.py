"""`run captioning` on the sample, on pictures of one's own, killed and copied; and what a user does with the run."""

import csv
import json
import os
import random
import tarfile

import pytest

from benchmarks.kills import write_members
from tests.command import ROOT, change_as_readme_says, checked, cli, cli_process, run_program
from tests.loaders import assert_every_loader_answers

SAMPLE = ROOT / "data" / "samples" / "captioning"
SMALL = (
    "--picture-size", "16", "--grid-stride", "4", "--channels", "4", "--units", "8", "--embedding-size", "8",
    "--vocabulary-size", "300", "--warm-up-steps", "0", "--learning-rate", "0.01", "--max-length", "12",
)  # fmt: skip
OWN = ("--data", "own", *SMALL, "--batch-size", "8", "--epochs", "2", "--patience", "0", "--checkpoint-steps", "2")
METRICS = {
    "template", "data", "finished", "seed", "parameters", "epochs", "train_seconds", "examples_per_second", "device",
    "validation", "test", "versions", "shuffled",
}  # fmt: skip
NAMES = {"bleu1", "bleu2", "bleu3", "bleu4", "cider", "rouge_l"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with a short run on the sample, and pictures of one's own."""
    folder = tmp_path_factory.mktemp("project")
    # The precision of answers, for they are compared with the run's own.
    flags = ("--data", "sample", *SMALL, "--batch-size", "64", "--epochs", "1", "--precision", "float32")
    done = cli("run", "captioning", *flags, "--run-dir", "runs/mine", cwd=folder)
    (folder / "output.txt").write_text(done.stdout + done.stderr)
    with tarfile.open(SAMPLE / "images.tar.xz") as archive:
        names = (SAMPLE / "test.txt").read_text().split()[:40]
        write_members(archive, [archive.getmember(name) for name in names], folder / "pictures")
    write_pictures(folder / "own")
    return folder


@pytest.fixture(scope="module")
def own_run(project):
    """A run on one's own pictures, and what it printed."""
    done = cli_process("run", "captioning", *OWN, "--run-dir", "whole", cwd=project)
    return project / "whole", done.stdout + done.stderr


def write_pictures(folder, count: int = 40) -> None:
    """Pictures of one colour each, without lists of splits; some damaged, one without caption, one only a caption."""
    from PIL import Image

    choose = random.Random(0)
    colours = {"red": (200, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 200)}
    (folder / "jpeg").mkdir(parents=True)
    lines = []
    for number in range(count):
        word, colour = choose.choice(list(colours.items()))
        picture = Image.new("RGB", (choose.randint(10, 60), choose.randint(10, 60)), colour)
        picture = picture.convert({1: "L", 2: "CMYK"}.get(number, "RGB"))
        picture.save(folder / "jpeg" / f"{number}.jpg")
        lines += [f"{number}.jpg\tAll is {word}.", f"{number}.jpg\tNothing but {word}"][: choose.randint(1, 2)]
    (folder / "jpeg" / "5.jpg").write_bytes((folder / "jpeg" / "5.jpg").read_bytes()[:300])
    (folder / "jpeg" / "6.jpg").write_bytes(b"")
    Image.new("RGB", (9, 9)).save(folder / "jpeg" / "no-caption.png")
    (folder / "captions.txt").write_text("\n".join([*lines, "gone.jpg\tNobody knows."]) + "\n")


def metrics_of(run) -> dict:
    return json.loads((run / "metrics.json").read_text())


def read_captions(run, split: str) -> list[dict]:
    return [json.loads(line) for line in (run / f"captions_{split}.jsonl").read_text(encoding="utf-8").splitlines()]


def test_the_run_says_what_it_read_and_leaves_what_the_design_says(project):
    from training.metrics.captions import score_captions

    output = (project / "output.txt").read_text()
    for part in ("2,000 pictures", "pieces per caption", "256 of them single bytes", "cider", "bleu4", "rouge_l"):
        assert part in output, part
    run = project / "runs" / "mine"
    names = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    assert names >= {
        "config.json", "metrics.json", "history.csv", "model.keras", "vocabulary.json", "checkpoints/latest.npz",
        "captions_validation.jsonl", "captions_test.jsonl", "captions.html",
        "plots/learning_curve.png", "plots/captions.png",
    }  # fmt: skip
    assert not [name for name in names if name.split("/")[-1].startswith(".")]
    metrics = metrics_of(run)
    assert set(metrics) >= METRICS and set(metrics["shuffled"]) == {"validation", "test"}
    assert set(metrics["test"]) == set(metrics["validation"]) == set(metrics["shuffled"]["test"]) == NAMES
    found = read_captions(run, "test")
    assert [row["image"] for row in found] == (SAMPLE / "test.txt").read_text().split()
    scores = score_captions([row["caption"] for row in found], [row["references"] for row in found])
    assert scores.metrics == pytest.approx(metrics["test"])


def test_evaluate_greedily_gives_the_figures_of_the_epoch(project):
    flags = ("--split", "validation", "--beam-width", "1", "--json")
    result = json.loads(cli_process("evaluate", "captioning", *flags, cwd=project).stdout)
    with open(project / "runs" / "mine" / "history.csv") as stream:
        (epoch,) = csv.DictReader(stream)
    expected = {name: float(epoch[f"validation_{name}"]) for name in NAMES}
    assert result["metrics"] == pytest.approx(expected, abs=1e-3) and result["rows"] == 200


def test_predict_describes_pictures_and_folders_as_the_run_did(project):
    expected = {row["image"]: row["caption"] for row in read_captions(project / "runs" / "mine", "test")}
    one = sorted(os.listdir(project / "pictures"))[7]
    done = cli("predict", "runs/mine", f"pictures/{one}", "pictures", "--json", cwd=project)
    first, *others = map(json.loads, done.stdout.splitlines())
    assert (first["image"], first["caption"]) == (f"pictures/{one}", expected[one])
    assert [answer["image"] for answer in others] == sorted(str(path) for path in pictures_of(project))
    assert all(answer["caption"] == expected[answer["image"].removeprefix("pictures/")] for answer in others)
    assert all(set(answer) == {"image", "caption", "score"} for answer in others) and "note" not in done.stderr


def pictures_of(project) -> list:
    return [path.relative_to(project) for path in (project / "pictures").iterdir()]


def test_predict_reads_paths_as_a_stream_and_names_what_it_cannot_read(project):
    lines = b"own/jpeg/1.jpg\nown/jpeg/6.jpg\n\nown/gone.jpg\nown/jpeg/2.jpg\n"
    done = cli("predict", "runs/mine", stdin=lines, cwd=project, status=1)
    first, second, third, fourth = done.stdout.split("\n")[:-1]
    assert first.startswith("own/jpeg/1.jpg\t") and fourth.startswith("own/jpeg/2.jpg\t")
    assert (second, third) == ("own/jpeg/6.jpg\t", "own/gone.jpg\t")
    reasons = ["own/jpeg/6.jpg: 0 bytes", "own/gone.jpg: no such picture or folder"]
    told = "Error: 2 of the inputs could not be read; they are named above"
    assert done.stderr.splitlines() == [*reasons, told]
    # A list, in which a name is found as training finds it, has the same answers and the same end.
    (project / "own" / "list.txt").write_text("1.jpg\n6.jpg\n\ngone.jpg\njpeg/2.jpg\n")
    done = cli("predict", "runs/mine", "--file", "own/list.txt", cwd=project, status=1)
    cli("predict", "runs/mine", "--file", "own/list.txt", "--output", "answers.jsonl", cwd=project, status=1)
    (project / "own" / "list.txt").unlink()
    answers = [json.loads(line) for line in (project / "answers.jsonl").read_text().splitlines()]
    assert [answer.get("caption", "") for answer in answers] == [
        first.partition("\t")[2],
        "",
        "",
        fourth.partition("\t")[2],
    ]
    captions = [line.partition("\t")[2] for line in (first, second, third, fourth)]
    assert [line.partition("\t")[2] for line in done.stdout.split("\n")[:-1]] == captions
    assert done.stderr.splitlines()[0] == "own/list.txt:2: 6.jpg: 0 bytes" and done.stderr.splitlines()[2] == told


def test_an_exported_model_searches_as_it_was_told(project):
    import tensorflow as tf

    cli_process("export", "runs/mine", "exported", "--beam-width", "1", "--max-length", "2", cwd=project)
    contents = [(project / "own" / "jpeg" / f"{number}.jpg").read_bytes() for number in (0, 1, 2)]
    found = tf.saved_model.load(project / "exported").signatures["serving_default"](image_bytes=tf.constant(contents))
    assert all(len(text.decode().split()) <= 2 for text in found["caption"].numpy())
    # One damaged picture is its own error, and leaves the others as they are.
    damaged = [contents[0][:200], b"", b"GIF89a", b"no picture", b"\x89PNG\r\n\x1a\n"]
    answer = assert_every_loader_answers(project / "exported", [contents[0], *damaged, contents[1]])
    assert [answer["caption"][row] for row in (0, -1)] == found["caption"].numpy().tolist()[:2]
    assert answer["caption"][1:-1].tolist() == [b""] * len(damaged) and not answer["score"][1:-1].any()
    kinds = [b"JPEG", b"0 bytes", b"GIF", b"no picture of a kind that is known", b"PNG"]
    assert all(kind in error for kind, error in zip(kinds, answer["error"][1:-1], strict=True))
    assert answer["error"][[0, -1]].tolist() == [b"", b""]
    only_damaged = assert_every_loader_answers(project / "exported", damaged, loaders=["C"])
    assert only_damaged["caption"].tolist() == [b""] * len(damaged)


# Pictures of one's own


def test_odd_pictures_are_read_damaged_ones_are_named_and_what_fits_nothing_is_counted(own_run):
    run, output = own_run
    output = " ".join(output.split())
    for part in (
        "5.jpg", "picture is a file of 0 bytes", "6.jpg", "1 picture has no caption", "no-caption.png",
        "1 picture that has captions is not there", "gone.jpg",
    ):  # fmt: skip
        assert part in output, part
    metrics = metrics_of(run)
    assert metrics["test"] is None and metrics["tested"] is True and metrics["epochs"] == 2
    assert 2 <= len(read_captions(run, "validation")) <= 4 and not (run / "captions_test.jsonl").exists()


def test_a_copy_runs_by_itself_changed_as_the_readme_says(project):
    cli("copy", "captioning", "mine", cwd=project)
    change_as_readme_says(project / "mine", "captioning")
    flags = [flag if flag != "own" else "../own" for flag in OWN] + ["--epochs", "1", "--run-dir", "copied"]
    flags += ["--normalized", "--best-by", "different"]

    def run(*arguments):
        return checked(run_program("-m", *arguments, cwd=project / "mine")).stdout

    assert "python -m captioning predict copied picture.jpg" in run("captioning", "run", *flags)
    picture = "../own/jpeg/0.jpg"
    assert json.loads(run("captioning", "predict", "copied", picture, "--json"))["image"] == picture
    metrics = json.loads((project / "mine/copied/metrics.json").read_text())
    assert 0 <= metrics["validation"]["different"] <= 100


# Mistakes


@pytest.mark.parametrize(
    "files, flags, message",
    [
        ({}, (), "bad has no pictures"),
        ({"a.jpg": "no picture", "captions.txt": "a.jpg\tone\n"}, (), "one row is too few"),
        (
            {"a.jpg": "no picture", "b.jpg": "none", "captions.txt": "a.jpg\tone\nb.jpg\ttwo\n"},
            (),
            "no picture can be read",
        ),
        ({"a.jpg": "x", "captions.txt": "a.jpg one\n"}, (), "bad"),
        ({"a.jpg": "x", "captions.txt": "a.jpg\tone\nb\n"}, (), "captions.txt:2"),
        ({"a.jpg": "x", "captions.txt": "a.jpg\tone\nb.jpg\ttwo\n"}, ("--encoder", "ResNet51"), "ResNet50"),
    ],
)
def test_a_mistake_gets_one_line(tmp_path, files, flags, message):
    (tmp_path / "bad").mkdir()
    for name, text in files.items():
        (tmp_path / "bad" / name).write_text(text)
    flags = ("--data", "bad", *SMALL, *flags, "--epochs", "1", "--run-dir", "mine")
    done = cli("run", "captioning", *flags, cwd=tmp_path, status=1)
    assert message in done.stderr and done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.rglob("*")) == sorted(["bad", *files])
