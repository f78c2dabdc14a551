"""The benchmark of what takes the time of a training step."""

import json

import pytest
from click.testing import CliRunner

from benchmarks import step_profile
from benchmarks.kills import write_small_data
from tests.command import fresh_keras


def test_the_operations_of_a_run_are_counted_and_timed(tmp_path):
    data, run = write_small_data("sentiment", tmp_path), tmp_path / "run"
    with fresh_keras():
        found = step_profile.profile("sentiment", "--data", str(data), "--run-dir", str(run))
    assert found["ms"] > 0 and found["operations"] >= sum(one["operations"] for one in found["kinds"].values())
    kinds = found["kinds"]
    assert len(kinds) == step_profile.KINDS and "StatefulPartitionedCall" not in kinds
    # The default network's pieces, forward and backward, in both directions.
    assert kinds[step_profile.PIECES]["operations"] >= 4 and kinds[step_profile.PIECES]["ms"] > 0
    assert not (run / "metrics.json").exists()


def test_an_operation_is_known_by_its_name_and_what_holds_others_is_left_out():
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace()
    plane = space.planes.add()
    line = plane.lines.add()
    for number, name in enumerate(
        ["while/body/a/MatMul:MatMul", "b:MatMul", "while:While", "ThunkExecutor::Execute", "EagerLocalExecute: f"]
        + [step_profile.COMPILED]
    ):
        plane.event_metadata[number].name = name
        line.events.add(metadata_id=number, duration_ps=2_000_000_000)
    milliseconds, counts = step_profile.by_kind(space.SerializeToString())
    assert milliseconds == {"MatMul": 4, step_profile.PIECES: 2} and counts == {"MatMul": 2, step_profile.PIECES: 1}


def test_each_template_is_profiled_in_a_process_of_its_own(tmp_path, monkeypatch):
    asked = []

    class Here:
        def submit(self, function, *arguments):
            asked.append(arguments)
            return self

        def result(self):
            return {"ms": 1.0, "operations": 1200, "kinds": {"MatMul": {"operations": 3.0, "ms": 0.25}}}

    class Processes(dict):
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(step_profile, "process_for_each", lambda names: Processes({name: Here() for name in names}))
    output = tmp_path / "found.json"
    done = CliRunner().invoke(step_profile.main, ["ner=mine", "--output", str(output)])
    assert done.exit_code == 0 and "MatMul x 3 0.25" in done.output and "1,200" in done.output
    record = json.loads(output.read_text())
    assert record["data"]["ner"] == "mine" and list(record["steps"]) == [arguments[0] for arguments in asked]
    assert all("--no-test" in arguments for arguments in asked)


@pytest.mark.parametrize("argument", ["ner", "nre=sample", "ner="])
def test_what_is_no_template_with_data_is_refused(argument):
    done = CliRunner().invoke(step_profile.main, [argument])
    assert done.exit_code == 2 and "expected TEMPLATE=DATA" in done.output
