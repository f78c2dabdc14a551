"""A run whose weights blow up, and what may be done at once in one folder: what is said, kept, refused and allowed."""

import contextlib
import importlib
import json
import random

import numpy as np
import pytest

from data.lock import lock_file, unlock_file
from tests.command import cli

STEPS_OF_EPOCH, BLOWS_AT = 10, 14  # counted from 0
FLAGS = ("--data", "reviews.csv", "--units", "4", "--embedding-size", "4", "--epochs", "3", "--batch-size", "8",
         "--checkpoint-steps", "6", "--patience", "0", "--run-dir", "run")  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    words = random.Random(0)
    rows = [" ".join(words.choice("abcdefgh") for _ in range(words.randint(1, 9))) for _ in range(89)]
    lines = [f"{text},{'yes' if 'a' in text else 'no'}\n" for text in rows]
    (folder / "reviews.csv").write_text("".join(["text,label\n", *lines]))
    return folder


@pytest.fixture(scope="module")
def blown(project):
    """What a run says at its end that takes one huge step in its second epoch."""
    train = importlib.import_module("templates.sentiment.train")
    usual = train.learning_rate
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            train, "learning_rate", lambda config, step: float("inf") if step == BLOWS_AT else usual(config, step)
        )
        patch.setattr("training.progress.SHARE_OF_CHECKPOINTS", float("inf"))  # as many as are asked for
        return cli("run", "sentiment", *FLAGS, cwd=project, status=1).stderr.splitlines()[-1]


@pytest.fixture(scope="module")
def run(project, blown):
    """That run, ended with its best weights so far."""
    cli("run", "sentiment", *FLAGS, "--epochs", "1", cwd=project)
    return project / "run"


@contextlib.contextmanager
def locked(run):
    """The run's folder as it is while a process trains in it."""
    descriptor = lock_file(run / "lock")
    yield
    unlock_file(descriptor)


def test_a_run_that_blows_up_names_the_step_and_keeps_what_was_good(project, blown):
    # The step too large is the 15th; the loss shows it in the next.
    assert blown.startswith("Error: run: the loss is nan after step 16 (learning rate 0.00198, gradient norm nan); ")
    assert "lower --learning-rate, and --restart; the checkpoint from before is kept" in blown
    assert blown.endswith("--epochs 1 ends this run with its best weights, of epoch 1")


def test_the_best_weights_of_a_run_that_blew_up_can_be_used(project, run):
    metrics = json.loads((run / "metrics.json").read_text())
    assert (metrics["best_epoch"], metrics["epochs"]) == (1, 1)
    with np.load(run / "checkpoints" / "latest.npz") as arrays:
        assert all(np.isfinite(arrays[name]).all() for name in arrays.files if arrays[name].dtype.kind == "f")
        assert json.loads(str(arrays["record"]))["progress"]["step"] == 12
    (answer,) = cli("predict", "run", "a b c", "--json", cwd=project).stdout.splitlines()
    assert 0.5 <= json.loads(answer)["score"] <= 1


def test_while_a_run_is_written_others_may_read_it_and_none_may_write(project, run):
    with locked(run):
        for flags in ((), ("--restart",)):
            done = cli("run", "sentiment", *FLAGS, *flags, cwd=project, status=1)
            assert done.stderr == "Error: run: another process is training in this folder; wait for it, or choose " \
                "another --run-dir\n"  # fmt: skip
        cli("predict", "run", "a b c", cwd=project)
        cli("evaluate", "run", cwd=project)
        cli("export", "run", "exported", cwd=project)
    assert not list(project.glob("run.before-*"))


def test_a_damaged_model_is_said_and_the_runs_own_command_writes_it_anew(project, run):
    """Before, it was a traceback of Keras."""
    file = run / "model.keras"
    file.write_bytes(file.read_bytes()[:-3000])
    done = cli("predict", "run", "a b c", cwd=project, status=1)
    assert done.stderr.startswith("Error: run/model.keras: damaged") and len(done.stderr.splitlines()) == 1
    file.unlink()
    cli("run", "sentiment", *FLAGS, "--epochs", "1", cwd=project)
    cli("predict", "run", "a b c", cwd=project)
