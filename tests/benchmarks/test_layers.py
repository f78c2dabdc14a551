"""The benchmark of the layers at sizes where it takes seconds: what it writes, and that it refuses what is wrong."""

import contextlib
import json
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import layer_memory, layers
from benchmarks.layer_floor import operations, segments
from benchmarks.layer_peers import OTHER_LIBRARIES, available
from benchmarks.layer_problems import CELLS, LONGEST, SHAPES, make_problem
from benchmarks.processes import installed, process_for_each
from benchmarks.turns import seconds_of, take_turns

ALWAYS = {"keras", "keras jit", "ours", "ours portable", "ours jit"}


def run(*arguments):
    done = CliRunner().invoke(layers.main, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def processes():
    """PyTorch's and JAX's, as far as they are installed."""
    with pytest.MonkeyPatch.context() as patch, process_for_each(installed(*OTHER_LIBRARIES)) as processes:
        # PyTorch's threads wait for each other: beside other work on the same cores that can take seconds.
        patch.setenv("OMP_NUM_THREADS", "1")
        yield processes


@pytest.fixture(scope="module")
def prefix(tmp_path_factory, processes):
    """Where a run that times the training step of one cell has written its results."""
    prefix = tmp_path_factory.mktemp("results") / "layers"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layers, "process_for_each", lambda names: contextlib.nullcontext(processes))
        run("--cell", "simple_rnn", "--shape", "tiny", "--mode", "train", "--quick", "--no-memory", "--output", prefix)
    return prefix


def read(prefix):
    return json.loads(prefix.with_suffix(".json").read_text())


def check_ratios(entry):
    """Every ratio is the quotient of two medians that stand beside it."""
    medians = {name: peer["median_ms"] for name, peer in entry["implementations"].items()}
    ours = min(medians[name] for name in ("ours", "ours portable", "ours jit"))
    assert medians[entry["best"]["ours"]] == ours
    floor = sum(min(variants.values()) for variants in entry["floor"]["products_ms"].values())
    assert entry["floor"]["median_ms"] == pytest.approx(floor, abs=1e-3)
    expected = {
        "keras_over_ours": min(medians["keras"], medians["keras jit"]) / ours,
        "keras_plain_over_ours_as_used": medians["keras"] / medians["ours"],
        "ours_over_floor": ours / entry["floor"]["median_ms"],
    }
    expected |= {f"{name}_over_ours": medians[name] / ours for name in ("torch", "jax") if name in medians}
    assert entry["ratios"] == pytest.approx(expected, abs=1e-3)


def test_a_run_writes_times_ratios_and_what_they_depend_on(prefix):
    record = read(prefix)
    assert set(record) == {"machine", "results"}
    assert set(record["machine"]) == {"processor", "cores", "instruction_sets", "system", "graphics_processors"}
    place = record["results"]["simple_rnn"]["tiny"]
    assert set(place) == {"sizes", "train"}
    assert place["sizes"] == {"batch": 2, "steps": 5, "inputs": 3, "units": 4, "valid_steps": 10}
    entry = place["train"]
    assert set(entry["implementations"]) == ALWAYS | set(available())
    for peer in entry["implementations"].values():
        lower, upper = peer["quartiles_ms"]
        assert 0 < lower <= peer["median_ms"] <= upper and peer["first_call_seconds"] > 0
    assert set(entry["floor"]["products_ms"]) == {"x W_x", "dx", "dW_x", "dW_h 1", "recurrent products"}
    assert entry["floor"]["rate_gigaflops"] > 0 and entry["floor"]["ms_at_rate"] >= 0
    assert entry["repeats"] == layers.QUICK_REPEATS
    assert {"tensorflow", "keras", "numpy", "torch", "jax"} <= set(entry["versions"])
    assert entry["threads"]["tensorflow_intra_op"] >= 0
    assert set(entry["devices"]) == {"tensorflow", *installed(*OTHER_LIBRARIES)}
    assert set(entry["devices"].values()) <= {"CPU", "GPU"}
    assert ("torch" in entry["threads"]) == ("torch" in entry["devices"])
    assert entry["command"] == "python -m benchmarks.layers --cell simple_rnn --shape tiny --mode train --repeats 2"
    check_ratios(entry)
    assert str(prefix.parent) not in json.dumps(record)


def test_a_later_run_adds_to_the_results_and_does_without_torch_and_jax(prefix, monkeypatch):
    before = read(prefix)["results"]["simple_rnn"]["tiny"]["train"]
    for name in ("torch", "jax"):
        monkeypatch.setitem(sys.modules, name, None)
    run("--cell", "simple_rnn", "--shape", "tiny", "--mode", "infer", "--quick", "--no-memory", "--output", prefix)
    place = read(prefix)["results"]["simple_rnn"]["tiny"]
    assert place["train"] == before
    entry = place["infer"]
    assert set(entry["implementations"]) == ALWAYS and set(entry["best"]) == {"ours", "keras"}
    assert set(entry["floor"]["products_ms"]) == {"x W_x", "recurrent products"}
    assert entry["versions"]["torch"] is None and entry["versions"]["jax"] is None
    check_ratios(entry)


def test_a_report_needs_no_measuring(prefix, tmp_path, monkeypatch):
    monkeypatch.setattr(layers, "time_all", None)
    record = read(prefix)
    step = {"mib": 77.25, "mib_of_a_step": 12.5, "mib_with_compilation": 99.0, "method": "by hand"}
    memory = dict.fromkeys(ALWAYS, step) | {"ours jit": {"failed": "exit code 1"}}
    record["results"]["simple_rnn"]["tiny"]["memory"] = {"implementations": memory}
    prefix = tmp_path / "layers"
    prefix.with_suffix(".json").write_text(json.dumps(record))
    output = run("--report", "--output", prefix)
    assert "77.2 (12.5)" in output and "failed" in output
    assert "Training step" in output and "simple_rnn" in output and "tiny" in output
    ratio = read(prefix)["results"]["simple_rnn"]["tiny"]["train"]["ratios"]["keras_over_ours"]
    assert f"geometric mean over 1 rows: Keras / ours {ratio:.2f}" in output
    assert prefix.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_times_of_two_machines_are_not_mixed(tmp_path):
    (tmp_path / "layers.json").write_text(json.dumps({"machine": {"processor": "another"}, "results": {}}))
    done = CliRunner().invoke(layers.main, ["--output", str(tmp_path / "layers")])
    assert done.exit_code == 1 and "another machine" in done.output


@pytest.mark.parametrize("cell", CELLS)
def test_all_do_the_same_work(cell, processes):
    """Outputs and every gradient, with padded rows; the other settings of TensorFlow's are compared above."""
    problem = make_problem(cell, "tiny_padded")
    names = [name for name in available() if name not in ("keras jit", "ours", "ours jit")]
    results = {}
    for name in names:
        first_call, _ = layers.make_ready(name, problem, True, processes)
        _, results[name] = first_call()
        assert len(results[name]) == 2 + len(problem.weights)
        layers.check(name, problem, results[name], results["keras"])
    assert all(np.abs(gradient).max() > 0 for gradient in results["keras"])


def test_wrong_results_are_not_timed():
    problem = make_problem("simple_rnn", "tiny_padded")
    good = [np.ones((3, 5, 4), np.float32), np.ones((3, 5, 3), np.float32)]
    layers.check("peer", problem, good, good)
    outputs_at_padding = good[0] + np.where(problem.mask, 0, 9)[:, :, np.newaxis]
    layers.check("peer", problem, [outputs_at_padding, good[1]], good)
    with pytest.raises(RuntimeError, match="the outputs differ"):
        layers.check("peer", problem, [good[0] + 1e-3, good[1]], good)
    with pytest.raises(RuntimeError, match="the gradient of the inputs differ"):
        layers.check("peer", problem, [good[0], good[1] * np.nan], good)
    with pytest.raises(RuntimeError, match="1 results"):
        layers.check("peer", problem, good[:1], good)


def test_the_padded_batches_are_like_imdb():
    bucket, unsorted = SHAPES["padded"], SHAPES["padded_unsorted"]
    for shape in (bucket, unsorted):
        assert len(shape.lengths) == shape.batch == 64 and max(shape.lengths) == shape.steps <= LONGEST
    assert min(bucket.lengths) > 0.9 * bucket.steps and 150 < np.median(bucket.lengths) < 200
    assert np.sum(unsorted.lengths) < 0.7 * unsorted.batch * unsorted.steps


def test_the_floor_counts_the_steps_that_count():
    assert segments(None, 64, 200) == [(200, 64)]
    lengths = SHAPES["padded_unsorted"].lengths
    parts = segments(lengths, 64, max(lengths))
    assert sum(steps for steps, _ in parts) == max(lengths)
    assert [rows for _, rows in parts] == sorted((rows for _, rows in parts), reverse=True)
    # Every row stays until it has ended, and the groups add little.
    assert sum(lengths) <= sum(steps * rows for steps, rows in parts) < 1.2 * sum(lengths)
    # Six products of 64 * 200 rows: three with W_x, (128, 128), and three with W_h, (128, 128).
    assert operations(make_problem("simple_rnn", "first"), training=True) == 6 * 2 * 64 * 200 * 128 * 128
    assert operations(make_problem("lstm", "tiny_padded"), training=False) == 2 * (2 + 5 + 4) * (3 + 4) * 4 * 4


def test_rounds_are_interleaved_and_begin_with_each_in_turn():
    calls = []
    works = {name: lambda turn, name=name: seconds_of(calls.append, name, again=True) for name in "abc"}
    seconds = take_turns(works, 2)
    assert "".join(calls) == "aabbcc" + "bbccaa"
    assert {name: len(times) for name, times in seconds.items()} == {"a": 2, "b": 2, "c": 2}


def test_memory_is_the_growth_since_the_first_call(monkeypatch):
    def make_runner(name, problem, training):
        assert (name, problem.name, problem.shape.units, training) == ("keras", "gru", 4, True)
        return lambda: np.ones(8 * 2**20), None

    monkeypatch.setattr(layer_memory, "make_runner", make_runner)
    found = json.loads(run("--memory-of", "keras", "--cell", "gru", "--shape", "tiny").splitlines()[-1])
    # Each call takes 64 MiB and gives them back.
    assert found["mib_with_compilation"] >= found["mib"] > 63
    if found["method"] == layer_memory.SINCE_WARM_UP:
        assert found["mib"] == pytest.approx(64, abs=8) and found["mib_of_a_step"] == pytest.approx(64, abs=8)
