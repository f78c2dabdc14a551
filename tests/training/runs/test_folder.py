"""data.writing, training.runs: what is on the disk, and who may write to it."""

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from data.errors import UserError
from data.sources.source import Source
from data.writing import TEMPORARY, replacing, replacing_folder, write_json, write_text
from training.runs.finding import find_run, find_runs
from training.runs.folder import RunFolder
from training.runs.opening import open_run
from training.runs.record import Record, as_record

CONFIG = {"data": "auto", "epochs": 3, "units": 8, "checkpoint_steps": 10}
SOURCE = Source("sample", "sample", Path("data/samples/sentiment"), "", "abc", "auto", {"text_column": "text"})


def record_of(fingerprint="abc", **changes):
    source = dataclasses.replace(SOURCE, fingerprint=fingerprint)
    return Record("sentiment", "0", source, CONFIG | changes)


@contextlib.contextmanager
def opened(path, restart=False, **changes):
    """Opens a run folder as `run` does just before it trains."""
    record = record_of(**changes)
    with open_run(path, record, restart) as run:
        run.write_record(record)
        yield run


def finish(path, **metrics):
    with opened(path) as run:
        run.write_metrics({"finished": True, **metrics})
    return run


def test_a_file_that_fails_midway_leaves_the_old_one_and_nothing_else(tmp_path):
    path = tmp_path / "metrics.json"
    write_text(path, "old")
    with pytest.raises(OSError, match="disk full"), replacing(path) as temporary:
        temporary.write_text("half of the new")
        raise OSError("disk full")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["metrics.json"]


def test_a_name_may_be_as_long_as_the_file_system_takes(tmp_path):
    for name in ("n" * 250 + ".json", "評" * 83 + ".json"):
        write_text(tmp_path / name, "whole")
        assert (tmp_path / name).read_text() == "whole"
        (tmp_path / name).unlink()
        with replacing_folder(tmp_path / name):
            pass
        assert os.listdir(tmp_path / name) == []


def test_a_reader_never_sees_half_a_file(tmp_path):
    path = tmp_path / "metrics.json"
    versions = [{"version": version, "filler": [version] * 20_000} for version in (1, 2)]
    write_json(path, versions[0])
    stop, seen = threading.Event(), []

    def read():
        while not stop.is_set():
            seen.append(json.loads(path.read_text()) in versions)

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(30):
        write_json(path, versions[turn % 2])
    stop.set()
    reader.join()
    assert seen and all(seen)


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(KeyError), replacing_folder(tmp_path / "exported") as temporary:
        (temporary / "half").write_text("")
        raise KeyError
    assert not list(tmp_path.iterdir())
    with replacing_folder(tmp_path / "a" / "exported") as temporary:
        (temporary / "whole").write_text("")
    assert [path.name for path in (tmp_path / "a" / "exported").iterdir()] == ["whole"]


def test_the_folder_of_a_run_follows_from_all_but_the_epochs():
    path = record_of().default_path()
    assert path.parent.name == "runs" and path.name.startswith("sentiment-") and len(path.name) == len("sentiment-") + 8
    assert record_of(epochs=9, checkpoint_steps=1).default_path() == path
    assert record_of(units=9).default_path() != path
    assert record_of(fingerprint="abd").default_path() != path
    assert "units" in record_of().identity()


def test_a_record_comes_back_as_it_was_written(tmp_path):
    with opened(tmp_path / "run") as run:
        assert run.read_record() == record_of()


def test_a_record_of_another_version_is_read_as_far_as_it_goes():
    written = json.loads(json.dumps(record_of().as_json()))
    del written["version"], written["source"]["resolved"]
    written["source"]["licence"] = "of a later version"
    record = as_record(written)
    assert record == dataclasses.replace(record_of(), version="?", source=dataclasses.replace(SOURCE, resolved={}))
    for strange in (None, [], {}, written | {"source": {}}, written | {"source": None}):
        assert as_record(strange) is None


def test_a_configuration_is_read_with_what_the_data_decided(tmp_path):
    @dataclasses.dataclass(frozen=True)
    class Config:
        text_column: str = "auto"
        data: str = "auto"
        epochs: int = 1
        units: int = 2
        checkpoint_steps: int = 1
        layers: int = 5

    with opened(tmp_path / "run") as run:
        assert run.read_config(Config) == Config("text", "auto", 3, 8, 10)
        run.write_record(record_of(cells=9))
        with pytest.raises(UserError, match="run: made by version 0, whose field cells this version does not have"):
            run.read_config(Config)


def test_a_run_that_failed_before_its_first_checkpoint_leaves_nothing(tmp_path):
    with pytest.raises(KeyError), opened(tmp_path / "runs" / "run") as run:
        run.write_vocabulary(["word"])
        raise KeyError
    assert not list(tmp_path.iterdir())
    (tmp_path / "empty").mkdir()
    with opened(tmp_path / "empty" / "run"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
    (tmp_path / "mine").mkdir()
    with opened(tmp_path / "mine") as run:
        (run.path / "notes.txt").write_text("")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_a_folder_with_another_configuration_is_refused_by_its_fields(tmp_path):
    finish(tmp_path / "run")
    with opened(tmp_path / "run", epochs=9):
        pass
    with pytest.raises(UserError, match=r"another units \(8 there, 16 here\)"), opened(tmp_path / "run", units=16):
        pass
    assert RunFolder(tmp_path / "run").read_record().config["units"] == 8


def test_a_folder_that_is_no_run_folder_is_refused(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("")
    (tmp_path / "file").write_text("")
    for name, message in (("photos", "cat.jpg"), ("file", "in the way")):
        with pytest.raises(UserError, match=message), opened(tmp_path / name):
            pass
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["cat.jpg"]


def test_what_a_kill_left_before_there_was_a_configuration_is_in_nobodys_way(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "lock").touch()
    (tmp_path / f"{TEMPORARY}123-config.json").write_text("{")
    finish(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoints", "config.json", "lock", "metrics.json"]


def test_one_process_writes_at_a_time_and_a_dead_one_lets_go(tmp_path):
    script = (
        "import sys, pathlib\n"
        "from training.runs.opening import open_run\n"
        "from training.runs.record import as_record\n"
        f"record = as_record({record_of().as_json()})\n"
        "with open_run(pathlib.Path(sys.argv[1]), record) as run:\n"
        "    run.write_record(record); print('locked', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "run")]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "locked\n"
    with pytest.raises(UserError, match="another process"), opened(tmp_path / "run"):
        pass
    other.kill()
    other.wait()
    (tmp_path / "run" / ".unfinished-1-latest.npz").write_text("left by the kill")
    with opened(tmp_path / "run"):
        assert not list((tmp_path / "run").glob(".*"))


def test_a_run_whose_metrics_are_damaged_is_not_finished(tmp_path):
    run = finish(tmp_path / "run", tested=True)
    assert run.is_finished()
    run.metrics_file.write_bytes(run.metrics_file.read_bytes()[:9])
    assert run.read_metrics() is None and not run.is_finished() and run.has_begun()


def test_restart_moves_the_old_run_aside(tmp_path):
    finish(tmp_path / "run", note="old")
    with opened(tmp_path / "run", restart=True, units=9) as run:
        assert run.read_metrics() is None and run.read_record().config["units"] == 9
        run.write_metrics({})
    (aside,) = tmp_path.glob("run.before-*")
    assert RunFolder(aside).read_metrics()["note"] == "old"


def test_a_run_is_found_by_folder_or_by_template(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="no finished run of sentiment .*runs found: none"):
        find_run("sentiment", ["sentiment"])
    finish(tmp_path / "runs" / "one")
    os.utime(tmp_path / "runs" / "one" / "metrics.json", (1, 1))
    finish(tmp_path / "runs" / "two")
    with opened(tmp_path / "runs" / "unfinished") as run:
        run.write_metrics({"finished": False})
    assert find_run("sentiment", ["sentiment"]).path.name == "two"
    assert find_run("runs/one", ["sentiment"]).path.name == "one"
    assert {run.path.name for run in find_runs()} == {"one", "two", "unfinished"}
    (tmp_path / "runs" / "strange").mkdir()
    (tmp_path / "runs" / "strange" / "config.json").write_text('{"name": "of some other tool"}')
    assert len(find_runs()) == 3
    with pytest.raises(UserError, match="not a run folder .*runs/one"):
        find_run("runs/strange", ["sentiment"])
    with pytest.raises(UserError, match="no such run folder"):
        find_run("runs/three", ["sentiment"])
