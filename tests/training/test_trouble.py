"""Disks that are full or read-only, folders that vanish, file systems without locks: what is said, and what stays."""

import errno
import os
import sys
from pathlib import Path

import pytest

from data import lock
from data.errors import UserError
from data.writing import TEMPORARY, replacing_folder, write_text
from tests.training.runs.test_folder import finish, opened
from training.commands.command_line import one_line
from training.event_log import EventLog
from training.runs import finding
from training.runs.folder import RunFolder

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="flock is POSIX's")


def failing(code: int):
    """A function of the system that fails for the path that it is given first."""

    def fail(path, *arguments, **more):
        raise OSError(code, os.strerror(code), path)

    return fail


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
@pytest.mark.parametrize("owner, function", [(os, "replace"), (Path, "write_text")])
def test_a_write_that_fails_is_said_of_the_file_that_the_user_knows(tmp_path, monkeypatch, code, owner, function):
    """Before, a read-only folder was said of `/home/.../.unfinished-123-metrics.json`."""
    monkeypatch.chdir(tmp_path)
    write_text("metrics.json", "old")
    monkeypatch.setattr(owner, function, failing(code))
    with pytest.raises(OSError) as error:
        write_text("metrics.json", "new")
    monkeypatch.undo()
    assert one_line(error.value) == f"metrics.json: {os.strerror(code)}"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"metrics.json": "old"}


def test_a_folder_that_cannot_be_written_leaves_none_of_those_above_it(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "replace", failing(errno.EACCES))
    with pytest.raises(PermissionError) as error, replacing_folder(tmp_path / "models" / "reviews" / "1"):
        pass
    assert error.value.filename == str(tmp_path / "models" / "reviews" / "1") and not list(tmp_path.iterdir())


def test_event_logs_that_cannot_be_written_are_an_error_of_the_system(tmp_path):
    """Before, it was one of TensorFlow's, with a traceback."""
    (tmp_path / "tensorboard").write_text("in the way")
    with pytest.raises(OSError, match=r"^\S+/tensorboard: [^;\[]+$"):
        EventLog(tmp_path)


@posix_only
@pytest.mark.parametrize("code", sorted(lock.NO_LOCKS))
def test_a_file_system_without_locks_is_said_and_the_run_goes_on(tmp_path, monkeypatch, capsys, code):
    def flock(descriptor, operation):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(lock.fcntl, "flock", flock)
    with opened(tmp_path / "run") as run:
        run.write_metrics({})
    warning = capsys.readouterr().err
    assert f"run/lock: no locks on this file system ({os.strerror(code)})" in warning and warning.count("\n") == 1


@posix_only
def test_a_lock_that_fails_for_another_reason_names_its_file_and_lets_go(tmp_path, monkeypatch):
    def flock(descriptor, operation):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    before = os.listdir("/dev/fd")
    monkeypatch.setattr(lock.fcntl, "flock", flock)
    with pytest.raises(OSError) as error:
        lock.lock_file(tmp_path / "lock")
    assert error.value.filename == str(tmp_path / "lock") and os.listdir("/dev/fd") == before


@posix_only
def test_a_lock_whose_file_was_removed_meanwhile_is_taken_anew(tmp_path, monkeypatch):
    """Who holds a lock may remove its file: the next one must not hold a lock that nobody else can find."""
    flock, calls = lock.fcntl.flock, []

    def slow(descriptor, operation):
        calls.append(descriptor)
        if len(calls) == 1:
            (tmp_path / "lock").unlink()
        flock(descriptor, operation)

    monkeypatch.setattr(lock.fcntl, "flock", slow)
    descriptor = lock.lock_file(tmp_path / "lock")
    assert len(calls) == 2 and lock.lock_file(tmp_path / "lock") is None
    lock.unlock_file(descriptor)


def test_a_restart_that_fails_before_its_first_checkpoint_gives_the_old_run_back(tmp_path):
    """Before, the old run stayed aside, and an empty folder in its place."""
    finish(tmp_path / "run", note="old")
    with pytest.raises(KeyError), opened(tmp_path / "run", restart=True, units=9) as run:
        run.write_vocabulary(["word"])
        raise KeyError
    assert os.listdir(tmp_path) == ["run"] and RunFolder(tmp_path / "run").read_metrics()["note"] == "old"
    with opened(tmp_path / "run"):
        pass


def test_a_restart_while_another_process_writes_moves_nothing(tmp_path):
    finish(tmp_path / "run", note="old")
    descriptor = lock.lock_file(tmp_path / "run" / "lock")
    with pytest.raises(UserError, match="another process"), opened(tmp_path / "run", restart=True):
        pass
    assert os.listdir(tmp_path) == ["run"] and RunFolder(tmp_path / "run").read_metrics()["note"] == "old"
    lock.unlock_file(descriptor)


def test_an_export_into_the_run_that_was_killed_is_no_obstacle(tmp_path):
    """Before, the run said "Is a directory" for ever after."""
    finish(tmp_path / "run")
    (tmp_path / "run" / f"{TEMPORARY}1-exported").mkdir()
    (tmp_path / "run" / f"{TEMPORARY}1-metrics.json").write_text("half")
    with opened(tmp_path / "run"):
        assert not (tmp_path / "run" / f"{TEMPORARY}1-metrics.json").exists()


def test_a_run_that_is_moved_aside_while_runs_are_listed_is_left_out_of_nothing_else(tmp_path, monkeypatch):
    """Before, `runs` ended with "No such file or directory"."""
    for name in ("one", "two"):
        finish(tmp_path / name)

    def read_and_lose(run, read=finding.record_or_none):
        record = read(run)
        if run.path.name == "one":
            os.replace(run.path, tmp_path / "one.before-now")
        return record

    monkeypatch.setattr(finding, "record_or_none", read_and_lose)
    assert [run.path.name for run in finding.find_runs(tmp_path)][-1] == "two"


def test_a_run_that_may_not_be_read_is_said_to_be_one(tmp_path, monkeypatch):
    """Before, it was no run folder."""
    (tmp_path / "run").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may do everything
    with pytest.raises(UserError, match="run: no permission to read this folder"):
        finding.find_run(str(tmp_path / "run"), ["sentiment"])
