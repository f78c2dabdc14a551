"""`--initialize-from` a language model: what fits of its weights is where a run of another template begins."""

import json
import shutil

import numpy as np
import pytest

from tests.command import cli

SIZES = ("--cell", "gru", "--units", "4", "--embedding-size", "6", "--epochs", "1")
# So low that a run ends with the weights it began with.
UNMOVED = ("--learning-rate", "1e-9", "--weight-average", "0")
TEXT = "A good film is not a bad film.\nThe good and the bad are not good.\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with a language model of words, and small data for the others."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "text.txt").write_text(TEXT * 40)
    (folder / "texts.csv").write_text("text,label\n" + "a good film,yes\nnot a bad film,no\n" * 20)
    (folder / "tagged.conll").write_text("Good O\nfilm B-THING\n\nbad O\nzebra B-THING\n\n" * 20)
    (folder / "pairs.tsv").write_text("source\ttarget\n" + "guter Film\ta good film\nböser Film\ta bad film\n" * 20)
    flags = ("--pieces", "words", "--batch-size", "4", "--backpropagation-steps", "8")
    cli("run", "language_model", "--data", "text.txt", *flags, *SIZES, "--run-dir", "lm", cwd=folder)
    return folder


def weights_of(run) -> tuple[dict, list[str] | dict]:
    """The best weights of a run by path, and its vocabulary."""
    with np.load(run / "checkpoints" / "latest.npz") as file:
        weights = {name.removeprefix("best/"): file[name] for name in file.files if name.startswith("best/")}
    return weights, json.loads((run / "vocabulary.json").read_text())


def vector_of(project, piece: str) -> np.ndarray:
    weights, pieces = weights_of(project / "lm")
    return weights["embedding/embeddings"][259 + pieces.index(piece)]


def cell_of(weights: dict, layer: str) -> list[np.ndarray]:
    return [array for name, array in weights.items() if f"{layer}/" in name and "cell" in name]


def test_sentiment_takes_its_vectors_and_the_layer_that_reads_forward(project):
    flags = ("--data", "texts.csv", *SIZES, *UNMOVED, "--initialize-from", "lm", "--run-dir", "sentiment")
    printed = cli("run", "sentiment", *flags, cwd=project).stdout
    assert "lm: vectors of 5 of 5 words, 1 recurrent layer (forward)" in " ".join(printed.split())
    weights, words = weights_of(project / "sentiment")
    for word in ("good", "film", "not"):
        found = weights["embedding/embeddings"][2 + words.index(word)]
        np.testing.assert_allclose(found, vector_of(project, f" {word}"), atol=1e-6)
    language_model = cell_of(weights_of(project / "lm")[0], "recurrent_1")
    forward, backward = cell_of(weights, "forward_recurrent_1"), cell_of(weights, "backward_recurrent_1")
    assert len(language_model) == len(forward) == len(backward) == 3
    for ours, theirs in zip(forward, language_model, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert np.abs(backward[0] - language_model[0]).max() > 0.1
    # Another cell takes the vectors alone.
    printed = cli("run", "sentiment", *flags[:2], *SIZES, "--cell", "lstm", *flags[-4:-1], "other", cwd=project).stdout
    assert "vectors of 5 of 5 words, 0 recurrent layers" in " ".join(printed.split())


def test_ner_takes_its_vectors(project):
    flags = ("--data", "tagged.conll", *SIZES, *UNMOVED, "--initialize-from", "lm", "--run-dir", "ner")
    printed = cli("run", "ner", *flags, cwd=project).stdout
    assert "vectors for 75.0% of 4 words" in " ".join(printed.split())
    weights, vocabulary = weights_of(project / "ner")
    table = weights["words_of/embeddings"]
    for word in ("film", "bad"):
        np.testing.assert_allclose(
            table[2 + vocabulary["words"].index(word)], vector_of(project, f" {word}"), atol=1e-6
        )


def test_translation_takes_its_vectors_and_the_decoders_first_layer(project):
    flags = ("--data", "pairs.tsv", *SIZES, *UNMOVED, "--vocabulary-size", "280", "--beam-width", "1")
    printed = cli(
        "run", "translation", *flags, "--initialize-from", "lm", "--run-dir", "translation", cwd=project
    ).stdout
    assert "target ids, the decoder's first layer" in " ".join(printed.split())
    weights, vocabulary = weights_of(project / "translation")
    table = weights["decoder/embedding/embeddings"]
    np.testing.assert_allclose(table[259 + vocabulary["target"].index(" film")], vector_of(project, " film"), atol=1e-6)
    # Bytes are pieces of every vocabulary.
    language_model = weights_of(project / "lm")[0]
    np.testing.assert_allclose(table[3:259], language_model["embedding/embeddings"][3:259], atol=1e-6)
    for ours, theirs in zip(
        cell_of(weights, "decoder/recurrent_1"), cell_of(language_model, "recurrent_1"), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_run_goes_on_when_what_it_began_with_is_gone(project, tmp_path):
    beginning = tmp_path / "lm"
    shutil.copytree(project / "lm", beginning)
    flags = ("--data", "texts.csv", *SIZES, "--initialize-from", str(beginning), "--run-dir", str(tmp_path / "run"))
    cli("run", "sentiment", *flags, cwd=project)
    shutil.rmtree(beginning)
    further = cli("run", "sentiment", *flags, "--epochs", "2", cwd=project).stdout
    assert "trained  2 epochs" in further and "initialized from" not in further
    done = cli("run", "sentiment", *flags, "--restart", cwd=project, status=1)
    assert f"{beginning}: no such run folder" in done.stderr


@pytest.mark.parametrize(
    ("flags", "status", "message"),
    [
        (("sentiment", "--data", "texts.csv"), 1, "lm: --embedding-size is 6 there and 128 here"),
        (("ner", "--data", "tagged.conll"), 1, "lm: --embedding-size is 6 there and 100 here"),
        (("ner", "--data", "tagged.conll", "--vectors", "v.txt"), 2, "--vectors and --initialize-from both say"),
        (("translation", "--data", "pairs.tsv"), 1, "lm: --embedding-size is 6 there and 256 here"),
    ],
)
def test_what_does_not_fit_is_named(project, flags, status, message):
    done = cli("run", *flags, "--initialize-from", "lm", "--run-dir", "none", cwd=project, status=status)
    assert message in done.stderr and "Traceback" not in done.stderr


def test_a_run_that_is_no_language_models_is_named(project, tmp_path):
    run = tmp_path / "unfinished"
    run.mkdir()
    (run / "config.json").write_text((project / "lm" / "config.json").read_text())
    for name in ("sentiment", "ner", "translation"):
        data = {"sentiment": "texts.csv", "ner": "tagged.conll", "translation": "pairs.tsv"}[name]
        flags = (name, "--data", data, "--initialize-from", str(run), "--run-dir", str(tmp_path / "run"))
        done = cli("run", *flags, cwd=project, status=1)
        assert f"{run}: not a finished run of a language model" in done.stderr
