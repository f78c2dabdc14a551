"""The command for a machine with a GPU, tried small on a CPU: every step has its line, whatever becomes of it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks import gpu
from benchmarks.gpu_layers import difference
from benchmarks.gpu_runs import EXPORT_INPUTS, inputs_of, with_clock
from tests.command import ROOT


def run(tmp_path, *arguments, status):
    """The lines of `python -m benchmarks.gpu ARGUMENTS` by step, and what it printed."""
    output = tmp_path / "gpu.jsonl"
    command = [sys.executable, "-m", "benchmarks.gpu", "--output", str(output), *arguments]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == status, done.stdout + done.stderr
    lines = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    return {line["step"]: line for line in lines}, done.stdout


def test_steps_run_by_themselves_and_say_what_they_found(tmp_path):
    names = ("machine", "cudnn", "derivatives_lstm_eagerly", "run_sentiment", "layers")
    options = [option for name in names for option in ("--step", name)]
    lines, printed = run(tmp_path, "--cpu", "--folder", str(tmp_path / "work"), *options, status=0)
    assert set(lines) == set(names)
    assert lines["machine"]["figures"]["versions"]["tensorflow"] and lines["machine"]["figures"]["product_is_right"]
    for name, count in {"cudnn": 4, "derivatives_lstm_eagerly": 1}.items():
        tests = lines[name]["figures"]
        assert tests["tests"] == tests["skipped"] == count
        assert tests["passed"] == tests["failures"] == tests["errors"] == 0
    trained = lines["run_sentiment"]["figures"]
    assert trained["device"].startswith("CPU") and len(trained["seconds_of_each_epoch"]) == 2
    assert 0 < trained["share_of_waiting"] < 1 and trained["batches_of_last_epoch"] == 63
    layers = lines["layers"]["figures"]["lstm, tiny, train"]
    assert layers["errors"] == {} and layers["rounds"]["ours"] == layers["rounds"]["keras"] == 3
    assert layers["keras_over_ours"] == pytest.approx(layers["median_ms"]["keras"] / layers["median_ms"]["ours"], 0.01)
    assert 0 < layers["largest_difference_to_keras"]["ours"] < 1e-5
    assert "lstm, tiny, infer" in printed


def test_a_step_that_fails_has_its_line_and_ends_in_exit_code_1(tmp_path):
    lines, printed = run(tmp_path, "--step", "machine", status=1)
    assert list(lines) == ["machine"] and not lines["machine"]["ok"]
    assert lines["machine"]["figures"]["machine"]["cores"] > 0
    assert "TensorFlow sees no GPU" in lines["machine"]["error"] and "TensorFlow sees no GPU" in printed


def test_every_step_has_its_line_when_the_deadline_has_passed(tmp_path):
    lines, _ = run(tmp_path, "--step", "machine", "--step", "layers", "--deadline", "9", status=1)
    assert {name: line["error"] for name, line in lines.items()} == dict.fromkeys(
        ("machine", "layers"), "no time was left"
    )


def test_a_step_that_hangs_is_stopped_and_one_for_which_no_time_is_left_is_not_begun(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu, "LEAST_SECONDS", 2)
    hanging = gpu.STEPS["layers"]._replace(seconds=3)
    script = tmp_path / "hangs"
    script.write_text("#!/bin/sh\nsleep 600 &\nwait\n")
    script.chmod(0o755)
    monkeypatch.setattr(gpu.sys, "executable", str(script))
    line = gpu.run_step(hanging, tmp_path, small=False, shared=False, left=100)
    assert not line["ok"] and line["error"].startswith("stopped after 3 s")
    line = gpu.run_step(hanging, tmp_path, small=False, shared=False, left=1)
    assert not line["ok"] and line["error"] == "no time was left" and line["seconds"] == 0


@pytest.mark.parametrize("template", EXPORT_INPUTS)
def test_inputs_come_from_the_samples(tmp_path, template):
    name, inputs = inputs_of(template, tmp_path)
    assert name == EXPORT_INPUTS[template] and len(set(inputs)) == 6 and all(inputs)
    if name == "image_bytes":
        assert all(Path(path).read_bytes()[:4] == b"\x89PNG" for path in inputs)


def test_the_wait_for_each_batch_is_counted_and_nothing_of_its_step():
    def steps(count):
        for number in range(count):
            time.sleep(0.01)
            yield number

    seconds, taken = [], []
    for batch in with_clock(steps, seconds)(3):
        taken.append(batch)
        time.sleep(0.2)
    assert taken == [0, 1, 2] and len(seconds) == 3
    assert min(seconds) >= 0.01 and min(seconds) < 0.2


def test_differences_are_relative_to_large_references_only():
    assert difference([np.array([1.0, 30.0])], [np.array([1.5, 20.0])]) == 0.5
    assert difference([np.array([0.25])], [np.array([0.0])]) == 0.25
