"""Copies and merges killed or failing on the way: the same command typed again ends as if nothing had happened."""

import contextlib
import errno
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from copying.writing import STAGE
from data.errors import UserError
from data.lock import lock_file, unlock_file
from tests.copying.toy_project import FILES, bring_up, changed, copy, tree, write

# The owner's and the project's changes to one text end otherwise if they are merged once more: a line would be lost.
REPEATED = {"base": "a\na\nb\n", "yours": "a\na\na\n", "upstream": "a\nb\n", "merged": "a\na\n"}
# A template with a file of each kind that a merge knows.
BASE = {
    "templates/gamma/__init__.py": "from toydata import errors, moved\nfrom toydata.old.deep import gone\n",
    "templates/gamma/both.txt": REPEATED["base"],
    "templates/gamma/conflict.py": "one = 1\n",
    "templates/gamma/figure.png": b"\x89PNG\0",
    "toydata/old/deep/__init__.py": "",
    "toydata/old/deep/gone.py": "",
    "toydata/moved.py": "",
}
MINE = {
    "gamma/both.txt": REPEATED["yours"],
    "gamma/conflict.py": "mine = 1\n",
    "gamma/conflict.py.orig": "precious\n",
    "gamma/figure.png": b"\x89PNG\0mine",
    "toydata/errors.py": "mine = 2\n" + FILES["toydata/errors.py"],
    "toydata/old/deep/__pycache__/gone.pyc": "compiled",
    "toydata/moved.py": "mine = 3\n",
    "notes.txt": "mine = 4\n",
}
MY_LINES = {b"mine = 1", b"mine = 2", b"mine = 3", b"mine = 4", b"\x89PNG\0mine", b"precious"}
THEIRS = {
    "templates/gamma/__init__.py": "from toydata import errors\nfrom toydata.rooms import moved\n",
    "templates/gamma/both.txt": REPEATED["upstream"],
    "templates/gamma/conflict.py": "theirs = 1\n",
    "templates/gamma/figure.png": b"\x89PNG\0theirs",
    "toydata/errors.py": FILES["toydata/errors.py"] + "theirs = 1\n",
    "toydata/rooms/__init__.py": "",
    "toydata/rooms/moved.py": "",
}


class Killed(BaseException):
    pass


@contextlib.contextmanager
def killed_at(count: int) -> Iterator[None]:
    """From the operation of this number on nothing reaches the disk: neither what was to follow nor any clean-up."""
    done = []

    def dying(name: str, real: Callable) -> Callable:
        def operation(*arguments, **options):
            done.append(name)
            if len(done) > count:
                if name == "fsync":
                    os.ftruncate(arguments[0], os.fstat(arguments[0]).st_size // 2)
                raise Killed
            return real(*arguments, **options)

        return operation

    with pytest.MonkeyPatch.context() as patch:
        for name in ("mkdir", "rmdir", "unlink", "replace", "fsync"):
            patch.setattr(os, name, dying(name, getattr(os, name)))
        yield


def raising(error: BaseException, real: Callable, target: str = "") -> Callable:
    """An operation that fails where its last argument ends with `target`."""

    def operation(*arguments):
        if str(arguments[-1]).endswith(target):
            raise error
        real(*arguments)

    return operation


def is_killed(count: int, verb: Callable, *arguments) -> bool:
    """Whether a verb is killed at the operation of this number, which it is unless it has fewer."""
    with killed_at(count), contextlib.suppress(Killed):
        verb(*arguments)
        return False
    return True


@pytest.fixture
def mine(project, tmp_path) -> Path:
    """A copy with the owner's changes, of a project that has moved on since."""
    write(project, BASE)
    copy(project, tmp_path / "mine", "gamma")
    write(tmp_path / "mine", MINE)
    write(project, THEIRS)
    return tmp_path / "mine"


def killed_copies(verb: Callable, project: Path, start: Path) -> Iterator[tuple[int, Path]]:
    """Gives a folder like `start`, there or not, for each operation of a verb, which was killed there."""
    for count in itertools.count():
        destination = start.with_name(f"{start.name} {count}")
        if start.exists():
            shutil.copytree(start, destination)
        if not is_killed(count, verb, project, destination):
            return
        yield count, destination


def without_record(folder: Path) -> dict[str, bytes]:
    return {path: content for path, content in tree(folder).items() if content and not path.startswith(".template")}


def lines(folder: Path) -> set[bytes]:
    return {line for content in without_record(folder).values() for line in content.splitlines()}


# Killed


@pytest.mark.parametrize("existing", ["new", "earlier copy"])
def test_a_copy_killed_at_any_operation_is_completed_by_the_same_command(project, tmp_path, existing):
    start, whole = tmp_path / "start", tmp_path / "whole"
    if existing == "earlier copy":
        write(project, BASE)
        copy(project, start, "gamma")
        shutil.copytree(start, whole)
    copy(project, whole, "beta")
    count = 0
    for count, destination in killed_copies(partial(copy, name="beta"), project, start):
        copy(project, destination, "beta")
        assert tree(destination) == tree(whole), f"killed at operation {count}"
    assert count > 20


def test_a_merge_killed_at_any_operation_loses_nothing_and_is_completed(project, mine, tmp_path):
    whole = shutil.copytree(mine, tmp_path / "whole")
    result = bring_up(project, whole)
    assert [(conflict.path, conflict.beside) for conflict in result.conflicts] == [
        ("gamma/conflict.py", "gamma/conflict.py.orig.1"),
        ("gamma/figure.png", "gamma/figure.png.project"),
    ]
    assert result.merged == ("gamma/both.txt", "toydata/errors.py")
    assert result.removed == ("toydata/old/deep/__init__.py", "toydata/old/deep/gone.py")
    assert not (whole / "toydata/old").exists()
    assert (whole / "gamma/both.txt").read_text() == REPEATED["merged"]
    assert (whole / "gamma/conflict.py.orig.1").read_text() == MINE["gamma/conflict.py"]
    count = 0
    for count, destination in killed_copies(bring_up, project, mine):
        assert lines(destination) >= MY_LINES, f"killed at operation {count}"
        assert MINE["gamma/conflict.py"].encode() in without_record(destination).values(), f"killed at {count}"
        try:
            bring_up(project, destination)
        except UserError as error:  # all was merged: what is left is the owner's to do
            assert "gamma/conflict.py still has conflict markers" in str(error)
        assert tree(destination) == tree(whole), f"killed at operation {count}"
    assert count > 50


def test_every_repetition_may_be_killed_too(project, mine, tmp_path):
    for verb, destination, least in ((partial(copy, name="beta"), tmp_path / "new", 20), (bring_up, mine, 15)):
        whole = shutil.copytree(mine, tmp_path / "whole") if destination == mine else tmp_path / "whole copy"
        verb(project, whole)
        count = 0
        while is_killed(count, verb, project, destination):
            count += 1
        assert tree(destination) == tree(whole)
        assert count > least


def test_no_edit_after_a_kill_is_lost(project, mine):
    for count, destination in killed_copies(bring_up, project, mine):
        edited = [path for path in destination.rglob("*.*") if path.suffix in (".py", ".txt", ".orig", ".1")]
        edited = [path for path in edited if ".template" not in path.parts]
        for number, path in enumerate(edited):
            path.write_text(f"{path.read_text()}edit {number}\n")
        try:
            bring_up(project, destination)
        except UserError as error:
            assert "gamma/conflict.py still has conflict markers" in str(error)
        expected = MY_LINES | {f"edit {number}".encode() for number in range(len(edited))}
        assert expected <= lines(destination), f"killed at operation {count}"


def test_nothing_is_lost_when_the_project_moves_on_before_the_repetition(project, mine):
    refusals = set()
    for count, destination in killed_copies(bring_up, project, mine):
        write(project, {"templates/gamma/conflict.py": "later = 1\n", "toydata/rooms/moved.py": "later = 1\n"})
        halfway = tree(destination)
        try:
            bring_up(project, destination, "3.0")
        except UserError as error:
            assert tree(destination) == halfway
            refusals.add(str(error).partition(": ")[2])
        assert lines(destination) >= MY_LINES, f"killed at operation {count}"
        write(project, THEIRS)
    # Markers must be edited first, and between the last two renames only version 2.0 can complete it.
    assert len(refusals) == 2
    assert {"conflict markers" in refusal for refusal in refusals} == {
        "does not fit" in refusal for refusal in refusals
    }


def test_an_interrupted_copy_with_anything_else_in_it_is_refused(project, tmp_path):
    destination = tmp_path / "mine"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(os, "replace", raising(Killed(), os.replace, "base.zip"))
        copy(project, destination)
    assert not (destination / ".template.json").exists()
    with pytest.raises(UserError, match="not a copy.*stopped"):
        changed(project, destination)
    (destination / "alpha/model.py").write_text("edited\n")
    (destination / "toydata/own.py").write_text("")
    before = tree(destination)
    with pytest.raises(UserError, match=r"holds alpha/model.py, toydata/own.py, and the copy has"):
        copy(project, destination)
    assert tree(destination) == before


# Failing


@pytest.mark.parametrize("existing", ["new", "empty", "earlier copy"])
def test_a_full_disk_leaves_everything_as_it_was(project, tmp_path, monkeypatch, existing):
    destination, name = tmp_path / "mine", "alpha"
    if existing == "empty":
        destination.mkdir()
    elif existing == "earlier copy":
        copy(project, destination)
        name = "beta"
    before, real = tree(tmp_path), os.fsync
    for last in range(4):  # the file at which the disk is full
        written = []

        def full(descriptor, last=last, written=written):
            if len(written) == last:
                os.ftruncate(descriptor, 1)  # a full disk takes a part of a file
                raise OSError(errno.ENOSPC, "No space left on device")
            written.append(descriptor)
            real(descriptor)

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(UserError, match="No space left.*nothing was changed"):
            copy(project, destination, name)
        assert tree(tmp_path) == before
    monkeypatch.setattr(os, "fsync", real)
    copy(project, destination, name)
    assert changed(project, destination) == {}


def test_a_full_disk_after_a_kill_loses_nothing_that_the_repetition_needs(project, mine, tmp_path):
    whole = shutil.copytree(mine, tmp_path / "whole")
    bring_up(project, whole)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(os, "replace", raising(Killed(), os.replace, "base.zip"))
        bring_up(project, mine)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(UserError, match="No space left.*nothing was changed"):
        patch.setattr(os, "fsync", raising(OSError(errno.ENOSPC, "No space left"), os.fsync))
        bring_up(project, mine)
    bring_up(project, mine)
    assert tree(mine) == tree(whole)


def test_a_folder_that_is_not_ours_is_found_before_anything_moves(project, tmp_path, monkeypatch):
    destination = tmp_path / "mine"
    copy(project, destination)
    before, real = tree(destination), os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "toylayers" and real(path, mode))
    write(project, {"toydata/errors.py": "", "toylayers/cell.py": "new\n"})
    with pytest.raises(UserError, match="toylayers: Permission denied; nothing was changed"):
        bring_up(project, destination)
    assert tree(destination) == before


def test_a_file_that_cannot_be_renamed_is_named_with_what_to_do(project, mine):
    error = PermissionError(errno.EACCES, "Permission denied", str(mine / "toydata/errors.py"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", raising(error, os.replace, "errors.py"))
        with pytest.raises(UserError, match=r"errors.py: Permission denied; .* type the command again"):
            bring_up(project, mine)
    bring_up(project, mine)
    assert (mine / "toydata/errors.py").read_text() == MINE["toydata/errors.py"] + "theirs = 1\n"


def test_a_second_merge_at_the_same_time_is_refused_and_disturbs_nothing(project, mine):
    """Before, each took files from the other's stage, and both ended in the middle."""
    (mine / STAGE).mkdir()
    lock = lock_file(mine / STAGE / "lock")
    before = tree(mine)
    with pytest.raises(UserError, match="another command is changing this folder; wait"):
        bring_up(project, mine)
    assert tree(mine) == before
    unlock_file(lock)
    bring_up(project, mine)
    assert not (mine / STAGE).exists()


def test_a_file_that_is_saved_during_a_merge_is_not_overwritten(project, mine, monkeypatch):
    real = os.access  # called when all is staged and nothing is renamed

    def saving(path, mode):
        (mine / "toydata/errors.py").write_text("saved\n")
        return real(path, mode)

    monkeypatch.setattr(os, "access", saving)
    with pytest.raises(UserError, match="toydata/errors.py: changed just now"):
        bring_up(project, mine)
    assert (mine / "toydata/errors.py").read_text() == "saved\n"
