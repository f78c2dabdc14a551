"""Runs that are killed, stopped, shut out or out of disk: nothing is lost, and the end is the same bits."""

import csv
import json
import random
import re
import signal
import time

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.kills import differences
from tests.command import ROOT, cli, cli_process, run_program, start

FLAGS = ("--data", "reviews.csv", "--units", "5", "--embedding-size", "6", "--epochs", "4", "--patience", "0",
         "--batch-size", "8", "--checkpoint-steps", "7")  # fmt: skip


# Of a file, on a disk that is full: less than a checkpoint has, and more than a run prints.
MOST_BYTES = 10_000


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    words = random.Random(0)
    with open(folder / "reviews.csv", "w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "label"])
        for _ in range(500):
            text = " ".join(words.choice("abcdefgh") for _ in range(words.randint(1, 30)))
            writer.writerow([text, "yes" if "a b" in text else "no"])
    cli_process("run", "sentiment", *FLAGS, "--run-dir", "whole", cwd=folder)
    return folder


def position(run) -> tuple[int, int]:
    """The epochs completed and the batches of the next one, as the checkpoint says."""
    try:
        with np.load(run / "checkpoints" / "latest.npz") as arrays:
            progress = json.loads(str(arrays["record"]))["progress"]
    except FileNotFoundError:
        return 0, 0
    return progress["epoch"], progress["batch"]


def wait_until(condition, process, seconds=90):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.01)


def assert_same_end(run, other):
    assert differences(run, other) == []
    assert json.loads((run / "metrics.json").read_text())["epochs"] == 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_stop_saves_and_goes_on(project, number):
    run = project / f"stopped{number}"
    process = start("run", "sentiment", *FLAGS, "--run-dir", run.name, cwd=project)
    wait_until(lambda: position(run) > (0, 0), process)
    process.send_signal(number)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 1 and "the same command goes on from step" in output and "Traceback" not in output
    cli_process("run", "sentiment", *FLAGS, "--run-dir", run.name, cwd=project)
    assert_same_end(run, project / "whole")


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (
            MemoryError("Unable to allocate 3 GiB"),
            "out of memory; there was no checkpoint yet, the same command begins",
        ),
        (tf.errors.ResourceExhaustedError(None, None, "OOM when allocating"), "out of memory; .* a lower --batch-size"),
        (KeyboardInterrupt(), "stopped at once; there was no checkpoint yet, the same command begins again"),
    ],
    ids=["memory", "tensor", "interruption"],
)
def test_a_lack_of_memory_and_an_interruption_are_one_line(project, monkeypatch, failure, said):
    def fail(*arguments):
        raise failure

    monkeypatch.setattr("templates.sentiment.train.train", fail)
    done = cli("run", "sentiment", *FLAGS, "--run-dir", "failed", cwd=project, status=1)
    assert re.search(f"failed: {said}", done.stderr) and len(done.stderr.splitlines()) == 1
    assert not (project / "failed").exists()


def test_a_second_run_into_the_same_folder_is_refused_while_the_first_goes_on(project):
    run = project / "shared"
    process = start("run", "sentiment", *FLAGS, "--epochs", "1000", "--run-dir", "shared", cwd=project)
    wait_until(lambda: position(run) > (0, 0), process)
    done = cli("run", "sentiment", *FLAGS, "--run-dir", "shared", cwd=project, status=1)
    assert "another process is training in this folder" in done.stderr
    assert process.poll() is None
    done = cli("predict", "shared", "a b", cwd=project, status=1)
    assert "no model yet" in done.stderr
    process.kill()
    process.wait()


def test_a_full_disk_keeps_the_last_checkpoint(project):
    """A limit on the size of a file stands for a full disk: the system refuses the write in the same place."""
    pytest.importorskip("resource", reason="needs POSIX")
    run = project / "full"
    process = start("run", "sentiment", *FLAGS, "--run-dir", "full", cwd=project)
    wait_until(lambda: position(run) > (0, 0), process)
    process.kill()
    process.wait()
    before = (run / "checkpoints" / "latest.npz").read_bytes()

    def without_large_files(*arguments):
        limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({MOST_BYTES}, {MOST_BYTES}))"
        code = f"{limit}; import sys; sys.argv = {['cli.py', *arguments]}; import cli; cli.main()"
        return run_program("-c", code, cwd=project, PYTHONPATH=str(ROOT))

    done = without_large_files("run", "sentiment", *FLAGS, "--run-dir", "full")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "latest.npz: File too large" in done.stderr and "the same command goes on" in done.stderr
    done = without_large_files("export", "whole", "exported")
    assert done.returncode == 1 and done.stderr.startswith("Error: ") and len(done.stderr.splitlines()) == 1
    assert not (project / "exported").exists()
    assert (run / "checkpoints" / "latest.npz").read_bytes() == before
    assert not list(run.rglob(".*"))
    cli_process("run", "sentiment", *FLAGS, "--run-dir", "full", cwd=project)
    assert_same_end(run, project / "whole")


def test_restart_keeps_the_old_run(project):
    cli("run", "sentiment", *FLAGS, "--run-dir", "again", "--epochs", "1", cwd=project)
    cli_process("run", "sentiment", *FLAGS, "--run-dir", "again", "--restart", cwd=project)
    assert_same_end(project / "again", project / "whole")
    (aside,) = project.glob("again.before-*")
    assert json.loads((aside / "metrics.json").read_text())["epochs"] == 1


def test_another_run_is_a_start_with_its_vocabulary_and_new_labels(project):
    other = project / "other.jsonl"
    rows = [{"text": "a b c" if number % 3 else "h g zzz", "label": "xyz"[number % 3]} for number in range(90)]
    other.write_text("".join(json.dumps(row) + "\n" for row in rows))
    flags = [
        *FLAGS[2:],
        "--data",
        "other.jsonl",
        "--epochs",
        "1",
        "--class-weights",
        "balanced",
        "--best-by",
        "macro_f1",
    ]
    cli(
        "run",
        "sentiment",
        *flags,
        "--learning-rate",
        "1e-9",
        "--initialize-from",
        "whole",
        "--run-dir",
        "child",
        cwd=project,
    )
    whole, child = (np.load(project / run / "checkpoints" / "latest.npz") for run in ("whole", "child"))
    best = [name for name in whole.files if name.startswith("best/")]
    weights = [name for name in best if whole[name].dtype == np.float32]  # not the seeds of dropout
    shared = [name for name in weights if whole[name].shape == child[name].shape]
    assert len(shared) == len(weights) - 2  # all but the output's kernel and bias
    for name in shared:
        np.testing.assert_allclose(whole[name], child[name], atol=1e-6)
    metrics = json.loads((project / "child" / "metrics.json").read_text())
    assert set(metrics["per_class"]["validation"]) == {"x", "y", "z"} and set(metrics["validation"]) == {
        "accuracy",
        "macro_f1",
    }
    done = cli("run", "sentiment", *flags, "--units", "7", "--initialize-from", "whole", cwd=project, status=1)
    assert "--units is 5 there and 7 here" in done.stderr
    done = cli("run", "sentiment", *flags, "--initialize-from", "nothing", cwd=project, status=1)
    assert "nothing: no such run folder" in done.stderr


def test_auto_keeps_the_data_that_an_unfinished_run_began_with(project):
    """Offline, `auto` means the sample, said loudly; with the benchmark at hand later, the run stays with the sample."""
    folder = project / "automatic"
    folder.mkdir()
    offline = {
        "TFDS_DATA_DIR": str(folder / "none"),
        "https_proxy": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }
    flags = ("--units", "3", "--embedding-size", "3", "--no-test", "--checkpoint-steps", "5")
    process = start("run", "sentiment", *flags, "--epochs", "50", cwd=folder, **offline)
    wait_until(lambda: any(position(run) > (0, 0) for run in folder.glob("runs/*")), process)
    process.kill()
    assert "Using the small bundled sample" in process.communicate()[0]
    (run,) = folder.glob("runs/*")
    place = folder / "prepared" / "downloads" / "manual" / "aclImdb_v1.tar.gz"
    place.parent.mkdir(parents=True)
    place.write_text("not read by this run")
    done = cli("run", "sentiment", *flags, "--epochs", "1", cwd=folder, TFDS_DATA_DIR=str(folder / "prepared"))
    assert "Data: sample" in done.stdout and list(folder.glob("runs/*")) == [run]
