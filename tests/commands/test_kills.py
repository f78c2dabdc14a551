"""Each template's run killed at three points of its life, one after the other: its end is that of a run left alone.

What the first kill leaves is what the run that is left alone had written at that point (`tests/killed_at.py`). Both have
a checkpoint at every step where one is asked for; what is gone on with last has them as seldom as a user's run.

`pytest -m soak` kills each template's runs at 20 random moments, too.
"""

import signal

import pytest

from benchmarks.kills import COMMON, DEFAULT_SIZE, SMALL, differences, write_small_data
from benchmarks.soak import CASES, kills_of, soak
from tests.command import ROOT, checked, cli_process, run_program

# Captioning's default network once took its first step in a process in other bits than the same step later.
# Its search is a short one: the time is for training steps.
FLAGS = {**SMALL, "captioning": (*DEFAULT_SIZE, "--beam-width", "2", "--max-length", "10")}
POINTS = {
    "sentiment": ("before:training.progress:Progress.step_done:16", "half:latest.npz:2", "half:model.keras:1"),
    "ner": (
        "unnamed:previous.npz:2", "inside:templates.ner.train:make_predict_step:2", "before:templates.ner.train:measure:3",
    ),
    "captioning": (
        "unnamed:latest.npz:3", "inside:templates.captioning.train:make_predict_step:2", "half:captions.html:1",
    ),
    "translation": (
        "half:latest.npz:3", "before:training.progress:Progress.end_epoch:1", "half:metrics.json:1",
    ),
    "language_model": (
        "before:training.progress:Progress.step_done:20", "half:latest.npz:5", "before:templates.language_model.train:measure:3",
    ),
    "forecasting": (
        "before:training.progress:Progress.step_done:20", "half:latest.npz:3", "half:series_validation.csv:1",
    ),
}  # fmt: skip


def kill(point: str, *arguments, cwd) -> None:
    """Runs the command line to the point where it kills itself."""
    done = run_program("-m", "tests.killed_at", point, *arguments, cwd=cwd, PYTHONPATH=str(ROOT))
    assert done.returncode == -signal.SIGKILL, f"{point}: {done.returncode}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("template", POINTS)
def test_a_run_that_is_killed_at_three_points_ends_in_the_same_bits(template, tmp_path):
    write_small_data(template, tmp_path)
    command = ("run", template, *COMMON, *FLAGS[template], "--run-dir")
    leave, *kills = POINTS[template]
    whole = ("-m", "tests.killed_at", leave, "--leave", "killed", *command, "whole")
    checked(run_program(*whole, cwd=tmp_path, PYTHONPATH=str(ROOT)))
    assert (tmp_path / "whole" / "metrics.json").exists() and (tmp_path / "killed" / "config.json").exists()
    for point in kills:
        assert not (tmp_path / "killed" / "metrics.json").exists()
        kill(point, *command, "killed", cwd=tmp_path)
    assert not (tmp_path / "killed" / "metrics.json").exists()
    cli_process(*command, "killed", cwd=tmp_path)
    assert differences(tmp_path / "killed", tmp_path / "whole") == []
    assert not list((tmp_path / "killed").rglob(".*"))
    if template == "sentiment":
        kill("unnamed:exported:1", "export", "killed", "exported", cwd=tmp_path)
        assert not (tmp_path / "exported").exists()
        cli_process("export", "killed", "exported", cwd=tmp_path)
        assert (tmp_path / "exported" / "saved_model.pb").is_file()


@pytest.mark.soak
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.template}-{case.network}")
def test_runs_that_are_killed_at_random_moments_end_in_the_same_bits(case, tmp_path):
    row = soak(case, kills_of(case, 20), seed=1, cwd=tmp_path)
    assert row["kills"] >= kills_of(case, 20) and row["lost"] == []
