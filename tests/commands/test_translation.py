"""`run translation` on the sample, on files of one's own, killed and copied; and what a user does with the run."""

import csv
import dataclasses
import gzip
import json
import random

import pytest

from tests.command import ROOT, change_as_readme_says, checked, cli, cli_process, run_program
from tests.loaders import BLANKS, assert_every_loader_answers

SAMPLE = ROOT / "data" / "samples" / "translation"
GERMAN = ("--source-language", "de", "--target-language", "en")
# float32: a run's figures are compared with those of `evaluate`, which answers in it whatever a run trained in.
SMALL = (
    "--units", "8", "--embedding-size", "8", "--warm-up-steps", "0", "--learning-rate", "0.02", "--precision", "float32",
)  # fmt: skip
OWN = (
    "--data", "own", "--source-language", "en", "--target-language", "de", *SMALL, "--vocabulary-size", "300",
    "--attention", "additive", "--subword-dropout", "0.1", "--longest", "20", "--batch-size", "16", "--epochs", "2",
    "--patience", "0", "--checkpoint-steps", "3",
)  # fmt: skip
METRICS = {
    "template", "data", "finished", "seed", "parameters", "epochs", "train_seconds", "examples_per_second", "device",
    "validation", "test", "versions", "signatures", "languages",
}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with a short run on the sample, and parallel files of one's own."""
    folder = tmp_path_factory.mktemp("project")
    flags = ("--data", "sample", *SMALL, "--vocabulary-size", "1500", "--batch-size", "64", "--epochs", "1")
    done = cli("run", "translation", *flags, "--run-dir", "runs/mine", cwd=folder)
    (folder / "output.txt").write_text(done.stdout + done.stderr)
    (folder / "own").mkdir()
    write_parallel(folder / "own" / "train", 300)
    write_parallel(folder / "own" / "val", 20)
    return folder


@pytest.fixture(scope="module")
def own_run(project):
    """A run from English to German on the parallel files, and what it printed."""
    done = cli_process("run", "translation", *OWN, "--run-dir", "whole", cwd=project)
    return project / "whole", done.stdout + done.stderr


def write_parallel(stem, count: int) -> None:
    """Toy sentences in two files, the last pair a long one."""
    choose = random.Random(count)
    words = [("rot", "red"), ("blau", "blue"), ("alt", "old"), ("neu", "new"), ("groß", "large")]
    pairs = [choose.choices(words, k=choose.randint(1, 5)) for _ in range(count - 1)] + [words * 6]
    german = [" ".join(word for word, _ in pair) for pair in pairs]
    english = [" ".join(word for _, word in reversed(pair)) for pair in pairs]
    for language, lines in (("de", german), ("en", english)):
        stem.with_suffix(f".{language}").write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_table(path) -> list[dict]:
    with open(path, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def metrics_of(run) -> dict:
    return json.loads((run / "metrics.json").read_text())


def test_the_run_says_what_it_read_and_leaves_what_the_design_says(project):
    from training.metrics.translations import score_translations

    output = (project / "output.txt").read_text()
    for part in (
        "sample, de to en", "5,000 pairs", "pieces per sentence", "256 of each single bytes", "padding", "bleu", "chrf",
        "case:mixed", "tok:13a",
    ):  # fmt: skip
        assert part in output, part
    run = project / "runs" / "mine"
    names = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    assert names >= {
        "config.json", "metrics.json", "history.csv", "model.keras", "vocabulary.json", "checkpoints/latest.npz",
        "translations_validation.tsv", "translations_test.tsv", "plots/learning_curve.png",
        *(f"plots/attention_{number}.png" for number in range(1, 5)),
    }  # fmt: skip
    assert not [name for name in names if name.split("/")[-1].startswith(".")]
    metrics = metrics_of(run)
    assert set(metrics) >= METRICS and metrics["languages"] == ["de", "en"]
    assert set(metrics["signatures"]) == set(metrics["test"]) == set(metrics["validation"]) == {"bleu", "chrf"}
    given, found = read_table(SAMPLE / "test.tsv"), read_table(run / "translations_test.tsv")
    assert [(row["source"], row["reference"]) for row in found] == [(row["de"], row["en"]) for row in given]
    scores = score_translations([row["translation"] for row in found], [row["en"] for row in given])
    assert scores.metrics == pytest.approx(metrics["test"]) and metrics["test"]["chrf"] > 0


def test_evaluate_greedily_gives_the_figures_of_the_epoch(project):
    flags = ("--split", "validation", "--beam-width", "1", "--json")
    result = json.loads(cli_process("evaluate", "translation", *flags, cwd=project).stdout)
    with open(project / "runs" / "mine" / "history.csv") as stream:
        (epoch,) = csv.DictReader(stream)
    expected = {name: float(epoch[f"validation_{name}"]) for name in ("bleu", "chrf")}
    assert result["metrics"] == pytest.approx(expected, abs=1e-3)
    assert result["rows"] == 400 and "tok:13a" in result["signatures"]["bleu"]


def test_a_run_keeps_its_direction_whatever_the_order_of_the_columns(project):
    rows = read_table(SAMPLE / "test.tsv")
    lines = ["en\tde", *(f"{row['en']}\t{row['de']}" for row in rows)]
    (project / "turned.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = json.loads(cli("evaluate", "runs/mine", "--data", "turned.tsv", "--json", cwd=project).stdout)
    assert result["metrics"] == pytest.approx(metrics_of(project / "runs" / "mine")["test"], abs=1e-3)


def test_predict_answers_lines_in_order_whatever_bytes_they_hold(project):
    lines = "Meine Schwester ist zurückgekommen.\n\n".encode() + b"\xff\xfe kaputt\n" + "Der Hund schläft.\r\n".encode()
    lines += b"Hund " * 400
    done = cli("predict", "runs/mine", "--json", stdin=lines, cwd=project)
    answers = [json.loads(line) for line in done.stdout.split("\n")[:-1]]
    expected = ["Meine Schwester ist zurückgekommen.", "", "\ufffd\ufffd kaputt", "Der Hund schläft.", "Hund " * 400]
    assert [answer["source"] for answer in answers] == expected
    assert all(set(answer) == {"source", "translation", "score"} for answer in answers)
    assert answers[1]["translation"] == "" and answers[0]["translation"] and answers[3]["translation"]


def test_predict_translates_a_file_of_lines_and_a_table_as_the_run_did(project):
    rows = read_table(project / "runs" / "mine" / "translations_test.tsv")[:30]
    with gzip.open(project / "lines.txt.gz", "wt", encoding="utf-8") as stream:
        stream.writelines(f"{row['source']}\n" for row in rows)
    cli("predict", "runs/mine", "--file", "lines.txt.gz", "--output", "lines.out", cwd=project)
    expected = [" ".join(row["translation"].splitlines()) for row in rows]
    assert (project / "lines.out").read_text(encoding="utf-8").split("\n") == [*expected, ""]
    table = ["id\tde", *(f"{number}\t{row['source']}" for number, row in enumerate(rows))]
    (project / "table.tsv").write_text("\n".join(table) + "\n", encoding="utf-8")
    done = cli("predict", "runs/mine", "--file", "table.tsv", "--output", "out.tsv", cwd=project)
    assert "out.tsv: 30 sentences" in done.stderr
    written = read_table(project / "out.tsv")
    assert [row["translation"] for row in written] == [row["translation"] for row in rows]
    assert [row["id"] for row in written] == [str(number) for number in range(30)]


def test_an_exported_model_searches_as_it_was_told(project):
    import tensorflow as tf

    from templates.translation import serving
    from templates.translation.config import Config
    from training.runs.folder import RunFolder

    cli_process("export", "runs/mine", "exported", "--beam-width", "3", "--max-length", "12", cwd=project)
    run = RunFolder(project / "runs" / "mine")
    texts = [row["de"] for row in read_table(SAMPLE / "test.tsv")[:20]]
    found = tf.saved_model.load(project / "exported").signatures["serving_default"](source=tf.constant(texts))
    config = dataclasses.replace(run.read_config(Config), beam_width=3, max_length=12)
    expected = serving.predict(serving.load(run, config), texts)
    assert [text.decode() for text in found["translation"].numpy()] == [answer["translation"] for answer in expected]
    assert found["score"].numpy().tolist() == pytest.approx([answer["score"] for answer in expected], abs=1e-4)
    answer = assert_every_loader_answers(project / "exported", [text.encode() for text in (*texts[:2], *BLANKS)])
    assert answer["translation"].tolist()[:2] == found["translation"].numpy().tolist()[:2]
    assert answer["translation"].tolist()[2:] == [b""] * len(BLANKS) and not answer["score"][2:].any()
    assert cli("predict", "runs/mine", *BLANKS, cwd=project).stdout == "\n" * len(BLANKS)


# Files of one's own


def test_the_other_direction_is_learned_from_parallel_files_and_only_training_pairs_are_left_out(project, own_run):
    run, output = own_run
    assert "own, en to de" in output and "1 of 300 training pairs left out" in output and "20 pairs" in output
    metrics = metrics_of(run)
    assert metrics["languages"] == ["en", "de"] and metrics["test"] is None and metrics["tested"] is True
    rows = read_table(run / "translations_validation.tsv")
    for column, language in (("source", "en"), ("reference", "de")):
        assert [row[column] for row in rows] == (project / "own" / f"val.{language}").read_text().splitlines()
    assert (run / "plots" / "attention_1.png").is_file() and not (run / "translations_test.tsv").exists()


def test_a_copy_runs_by_itself_changed_as_the_readme_says(project):
    cli("copy", "translation", "mine", cwd=project)
    change_as_readme_says(project / "mine", "translation")
    flags = [flag if flag != "own" else "../own" for flag in OWN] + ["--epochs", "1", "--run-dir", "copied"]
    flags += ["--normalized", "--best-by", "exact", "--precision", "mixed_bfloat16"]

    def run(*arguments):
        return checked(run_program("-m", *arguments, cwd=project / "mine")).stdout

    assert "python -m translation predict copied" in run("translation", "run", *flags)
    assert json.loads(run("translation", "predict", "copied", "red", "--json"))["source"] == "red"
    metrics = json.loads((project / "mine/copied/metrics.json").read_text())
    assert 0 <= metrics["validation"]["exact"] <= 100


# Mistakes


def parallel(**changes) -> dict[str, str]:
    """The files of a corpus, some of them changed or (None) left out."""
    files = {f"{split}.{language}": "eins\nzwei\ndrei\n" for split in ("train", "val") for language in ("de", "en")}
    files |= {name.replace("_", "."): text for name, text in changes.items()}
    return {name: text for name, text in files.items() if text is not None}


@pytest.mark.parametrize(
    "files, flags, message",
    [
        (parallel(), ("--source-language", "de", "--target-language", "DE"), "are both de"),
        (parallel(), ("--source-language", "fr"), "bad has no file in fr"),
        (parallel(train_en=None), GERMAN, "expected train.en"),
        (parallel(train_en=None), (), "bad"),
        (parallel(train_en=None, val_en=None), (), "bad"),
        (parallel(train_en="one\ntwo\n"), GERMAN, "bad/train.en has 2"),
        (parallel(train_en="one\n\nthree\n"), GERMAN, "bad/train.en:2: expected a target sentence"),
    ],
)
def test_a_mistake_gets_one_line_and_leaves_nothing_behind(tmp_path, files, flags, message):
    (tmp_path / "bad").mkdir()
    for name, text in files.items():
        (tmp_path / "bad" / name).write_text(text)
    flags = ("--data", "bad", *flags, *SMALL, "--epochs", "1", "--run-dir", "mine")
    done = cli("run", "translation", *flags, cwd=tmp_path, status=1)
    assert message in done.stderr and done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.rglob("*")) == sorted(["bad", *files])
