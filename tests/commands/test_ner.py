"""`run ner` on the bundled sample, on files of one's own, killed and copied; and what a user does with the run."""

import json
import random
import subprocess
import sys

import numpy as np
import pytest

from tests.command import change_as_readme_says, checked, cli, cli_process, run_program
from tests.loaders import BLANKS, assert_every_loader_answers

SMALL = ("--units", "5", "--embedding-size", "6", "--character-units", "4", "--affix-size", "2", "--batch-size", "8")
NAMES = ("Ann", "Bob", "Ann Lee", "Cy of Ur")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with a run on the sample, and another one that reads forward only."""
    folder = tmp_path_factory.mktemp("project")
    flags = ("--units", "48", "--batch-size", "16", "--learning-rate", "0.01", "--epochs", "2", "--patience", "0")
    # So that two epochs are enough.
    rates = ("--weight-average", "0", "--word-dropout", "0", "--embedding-dropout", "0.1", "--output-dropout", "0.1")
    common = ("run", "ner", "--data", "sample", *flags, *rates)
    done = cli(*common, "--run-dir", "runs/both", cwd=folder)
    (folder / "output.txt").write_text(done.stdout + done.stderr)
    cli(*common, "--directions", "forward", "--run-dir", "runs/forward", cwd=folder)
    write_columns(folder / "names.conll", 120)
    return folder


@pytest.fixture(scope="module")
def exported(project):
    """The SavedModel of the run on the sample."""
    cli_process("export", "runs/both", "exported", cwd=project)
    return project / "exported"


def write_columns(path, count: int) -> None:
    choose = random.Random(0)
    lines = []
    for _ in range(count):
        name = choose.choice(NAMES).split()
        tags = [f"{'I' if number else 'B'}-PER" for number in range(len(name))]
        before, after = (choose.choices("xyz", k=choose.randint(0, 4)) for _ in range(2))
        tokens = zip([*before, *name, "said", *after], ["O"] * len(before) + tags + ["O"] * (len(after) + 1))
        lines.append("".join(f"{token} {tag}\n" for token, tag in tokens))
    path.write_text("\n".join(lines))


def metrics_of(project, run) -> dict:
    return json.loads((project / "runs" / run / "metrics.json").read_text())


def test_the_words_on_both_sides_decide(project):
    both, forward = (metrics_of(project, run)["test"]["f1"] for run in ("both", "forward"))
    print(f"test F1: both directions {both:.3f}, forward only {forward:.3f}")
    assert both >= 0.95 and forward <= both - 0.1


def test_the_run_says_what_it_read_and_leaves_what_the_design_says(project):
    output = (project / "output.txt").read_text()
    for part in ("sentences", "entities of 4 types, written in IOB2: LOC, MISC, ORG, PER", "unknown words", "f1"):
        assert part in output
    run = project / "runs" / "both"
    names = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    assert names >= {
        "config.json", "metrics.json", "history.csv", "model.keras", "errors.tsv", "vocabulary.json",
        "plots/learning_curve.png", "plots/confusion_test.png", "plots/confusion_validation.png",
    }  # fmt: skip
    metrics = metrics_of(project, "both")
    assert set(metrics["test"]) == set(metrics["validation"]) == {"precision", "recall", "f1", "accuracy"}
    assert set(metrics["per_class"]["test"]) == {"LOC", "MISC", "ORG", "PER"}


def test_evaluate_gives_the_figures_of_the_run(project):
    result = json.loads(cli_process("evaluate", "runs/both", "--json", cwd=project).stdout)
    assert result["metrics"] == pytest.approx(metrics_of(project, "both")["test"], abs=1e-6)
    assert "PER" in cli("evaluate", "runs/both", "--split", "validation", cwd=project).stdout


def test_predict_tells_entities_and_where_they_are(project):
    texts = ["Mr Marlow arrived in Hartfield on Friday.", ""]
    lines = cli("predict", "runs/both", "--json", *texts, cwd=project).stdout.splitlines()
    answers = [json.loads(line) for line in lines]
    assert [answer["text"] for answer in answers] == texts
    found = {entity["text"]: entity for entity in answers[0]["entities"]}
    assert found["Marlow"]["type"] == "PER" and found["Marlow"]["start_char"] == 3 and found["Marlow"]["end"] == 2
    assert found["Hartfield"]["type"] == "LOC" and answers[0]["tokens"][-1] == "."
    assert "[PER Marlow]" in cli("predict", "runs/both", texts[0], cwd=project).stdout


def test_predict_adds_a_column_to_a_file(project):
    cli("predict", "runs/both", "--file", "names.conll", "--output", "out.conll", cwd=project)
    given, written = ((project / name).read_text().splitlines() for name in ("names.conll", "out.conll"))
    assert [line.rsplit(" ", 1)[0] if line else "" for line in written] == given
    lines = cli("predict", "runs/both", "--file", "names.conll", "--json", cwd=project).stdout.splitlines()
    assert len(lines) == 120 and set(json.loads(lines[0])) == {"tokens", "tags", "entities"}


def test_predict_cuts_at_blanks_and_takes_no_sentences_for_columns(project):
    tweet = "@nasa is in #Hartfield http://t.co/x"
    for flags, same in ((("--tokens", "blanks"), True), ((), False)):
        answer = json.loads(cli("predict", "runs/both", "--json", *flags, tweet, cwd=project).stdout)
        assert (answer["tokens"] == tweet.split()) == same
    (project / "raw.txt").write_text(f"{tweet}\nMr Marlow arrived in Hartfield on Friday .\n")
    done = cli("predict", "runs/both", "--file", "raw.txt", cwd=project, status=1)
    assert "raw.txt:1: a sentence, as it seems" in done.stderr and "predict RUN < FILE" in done.stderr


def test_the_exported_model_needs_tensorflow_alone(project, exported):
    text = "Mr Marlow arrived in Hartfield on Friday."
    script = """
import json, sys
import tensorflow as tf
model = tf.saved_model.load("exported")
answer, tag = model.signatures["serving_default"], model.signatures["tokens"]
given = {name: value.numpy() for name, value in answer(text=tf.constant([sys.argv[1], "", "word " * 5000])).items()}
assert set(given) == {"tokens", "tags", "starts", "ends", "lengths"}
assert given["lengths"].tolist()[1:] == [0, 5000] and given["tags"].shape == (3, 5000)
assert answer(text=tf.constant([], tf.string))["tags"].shape[0] == 0
assert answer(text=tf.constant([""]))["lengths"].numpy().tolist() == [0]
assert tag(tokens=tf.zeros([2, 0], tf.string))["tags"].shape == (2, 0)
again = tag(tokens=tf.constant(given["tokens"]))["tags"].numpy()
assert (again == given["tags"]).all()
assert not [name for name in sys.modules if name.split(".")[0] in ("rnn_layers", "data", "training", "templates")]
size = given["lengths"][0]
print(json.dumps([[entry.decode() for entry in given[name][0][:size]] for name in ("tokens", "tags")]))
"""
    command = [sys.executable, "-c", script, text]
    environment = {"PATH": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    predicted, *blank = map(
        json.loads, cli("predict", "runs/both", text, *BLANKS, "--json", cwd=project).stdout.splitlines()
    )
    assert json.loads(done.stdout) == [predicted["tokens"], predicted["tags"]]
    assert [answer["tokens"] for answer in blank] == [[]] * len(BLANKS)


def test_every_loader_runs_both_signatures(exported):
    text = "Mr Marlow arrived in Hartfield on Friday."
    found = assert_every_loader_answers(exported, [text.encode(), *(blank.encode() for blank in BLANKS)])
    assert found["lengths"].tolist() == [8] + [0] * len(BLANKS)
    tags = assert_every_loader_answers(exported, [found["tokens"][0].tolist()], "tokens")["tags"]
    assert tags.tolist() == found["tags"][:1].tolist()


def test_a_treebank_runs_from_end_to_end(project):
    choose = random.Random(1)
    words = {"DET": ["the", "a"], "NOUN": ["cat", "dog", "bird"], "VERB": ["sees", "hears"]}
    blocks = []
    for _ in range(80):
        tags = ["DET", "NOUN", "VERB", "DET", "NOUN"][: choose.choice([3, 5])]
        rows = [
            f"{number}\t{choose.choice(words[tag])}\t_\t{tag}\t{tag[0]}\t_\t_\t_\t_\t_\n"
            for number, tag in enumerate(tags, 1)
        ]
        blocks.append("# text\n" + "".join(rows))
    (project / "tree.conllu").write_text("\n".join(blocks) + "\n")
    flags = (*SMALL, "--units", "12", "--epochs", "8", "--patience", "0", "--learning-rate", "0.03")
    done = cli("run", "ner", "--data", "tree.conllu", *flags, "--run-dir", "pos", cwd=project)
    metrics = json.loads((project / "pos" / "metrics.json").read_text())
    assert set(metrics["validation"]) == {"accuracy"} and metrics["validation"]["accuracy"] > 0.9, done.stdout
    assert cli("predict", "pos", "the cat sees", cwd=project).stdout == "the/DET cat/NOUN sees/VERB\n"
    assert "entities" not in json.loads(cli("predict", "pos", "the cat sees", "--json", cwd=project).stdout)
    cli("predict", "pos", "--file", "tree.conllu", "--output", "tagged.conllu", cwd=project)
    assert (project / "tagged.conllu").read_text().splitlines()[1].endswith("\tPredicted=DET")
    initials = cli("run", "ner", "--data", "tree.conllu", "--tag-column", "xpos", *SMALL, "--epochs", "1",
                   "--run-dir", "xpos", cwd=project)  # fmt: skip
    assert "tags                 D, N, V" in initials.stdout


def test_a_run_starts_from_vectors(project):
    random_numbers = np.random.default_rng(0).normal(size=(4, 6)).round(3)
    rows = [
        f"{word} {' '.join(map(str, row))}\n" for word, row in zip(["ann", "said", "x", "elsewhere"], random_numbers)
    ]
    (project / "small.vec").write_text("".join(rows))
    flags = ("run", "ner", "--data", "names.conll", "--vectors", "small.vec", *SMALL, "--epochs", "1", "--no-test")
    done = cli(*flags, "--run-dir", "vectors", cwd=project)
    assert "vectors for" in done.stdout and "1 other words" in done.stdout
    assert "add --embedding-size 6" in cli(*flags, "--embedding-size", "7", cwd=project, status=1).stderr


@pytest.mark.parametrize(
    "text, message",
    [
        ("Ann B-PER\nsings\n", "bad.conll:6: expected a token and its tag"),
        (
            "a B-PER\nb I-PER\n\nc B-PER\nd B-PER\n\ne O\nf X-PER\n",
            "bad.conll:12: expected O, or a tag that begins with B-",
        ),
        ("\n", "no entity in the training sentences, every tag is O; columns: 2, separated by blanks"),
    ],
)
def test_a_mistake_in_a_file_is_named_in_one_line(project, text, message):
    (project / "bad.conll").write_text(f"the O\n\n{'Bob B-PER' if text.strip() else 'Bob O'}\n\n{text}")
    done = cli("run", "ner", "--data", "bad.conll", *SMALL, "--epochs", "1", cwd=project, status=1)
    assert message in done.stderr and done.stderr.count("\n") == 1


def test_a_copy_runs_by_itself_changed_as_the_readme_says(project):
    cli("copy", "ner", "mine", cwd=project)
    change_as_readme_says(project / "mine", "ner")
    flags = (*SMALL, "--batch-size", "64", "--epochs", "1", "--run-dir", "copied")
    flags += ("--hidden-units", "5", "--best-by", "sentence_accuracy")

    def run(*arguments):
        return checked(run_program("-m", "ner", *arguments, cwd=project / "mine")).stdout

    run("run", "--data", "sample", *flags)
    assert "arrived" in run("predict", "copied", "Mr Marlow arrived.")
    metrics = json.loads((project / "mine/copied/metrics.json").read_text())
    assert 0 <= metrics["validation"]["sentence_accuracy"] <= 1
