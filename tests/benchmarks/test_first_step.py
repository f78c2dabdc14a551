"""The benchmark of the wait for a first step."""

import json
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

from benchmarks import first_step
from benchmarks.kills import write_small_data
from tests.command import fresh_keras


def test_a_run_is_ended_after_its_second_step_and_its_parts_are_timed(tmp_path):
    data, run = write_small_data("sentiment", tmp_path), tmp_path / "run"
    with fresh_keras():
        parts = first_step.until_second_step("sentiment", "--data", str(data), "--units", "4", "--run-dir", str(run))
    assert list(parts) == list(first_step.PARTS) and min(parts.values()) > 0
    # Tracing is the first step's.
    assert parts["first step"] > parts["second step"]
    assert not (run / "metrics.json").exists()


def test_medians_of_some_processes_are_written(tmp_path, monkeypatch):
    seconds = iter([1.0, 9.0, 2.0] * len(first_step.TEMPLATES))

    class Done:
        returncode = 0

        @property
        def stdout(self):
            return "chatter\n" + json.dumps(dict.fromkeys(first_step.PARTS, next(seconds)))

    asked = []
    monkeypatch.setattr(
        first_step, "subprocess", SimpleNamespace(run=lambda command, **_: asked.append(command) or Done())
    )
    output = tmp_path / "found.json"
    done = CliRunner().invoke(first_step.main, ["ner=mine", "--output", str(output)])
    assert done.exit_code == 0, done.output
    record = json.loads(output.read_text())
    assert record["data"]["ner"] == "mine" and record["versions"]["tensorflow"]
    assert record["seconds"] == {template: dict.fromkeys(first_step.PARTS, 2.0) for template in first_step.TEMPLATES}
    assert [command[command.index("--data") + 1] for command in asked].count("mine") == 3


def test_a_run_that_fails_is_a_line(monkeypatch):
    class Failed:
        returncode, stderr = 1, "Error: no such data"

    monkeypatch.setattr(first_step, "subprocess", SimpleNamespace(run=lambda *_, **__: Failed()))
    with pytest.raises(click.ClickException, match="run ner failed: Error: no such data"):
        first_step.measure("ner", "sample", 1)


@pytest.mark.parametrize("argument", ["ner", "nre=sample", "ner="])
def test_what_is_no_template_with_data_is_refused_before_anything_runs(argument):
    done = CliRunner().invoke(first_step.main, [argument])
    assert done.exit_code == 2 and "expected TEMPLATE=DATA" in done.output
