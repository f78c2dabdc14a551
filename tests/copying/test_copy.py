"""Copying a template out."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from copying.diff import copied
from data.errors import UserError
from tests.copying.toy_project import (
    ALPHA_OWN,
    ALPHA_SHARED,
    FILES,
    VERSION,
    bring_up,
    changed,
    copy,
    refused,
    tree,
    write,
)

REMEMBERED = {".template.json", ".template/base.zip", ".template/.gitignore"}
GIVEN = {"README.md", ".gitignore"}


def test_a_copy_is_byte_identical_recorded_and_runs_by_itself(project, tmp_path):
    result = copy(project, tmp_path / "my new")
    destination = tmp_path / "my new"
    sources = {f"alpha/{name}": project / "templates" / "alpha" / name for name in ("README.md", "model.py")}
    sources |= {path: project / path for path in ALPHA_SHARED}
    for path, source in sources.items():
        assert (destination / path).read_bytes() == source.read_bytes(), path
    files = {path for path, content in tree(destination).items() if content is not None}
    assert files == {*ALPHA_OWN, *ALPHA_SHARED, *GIVEN, "requirements.txt", *REMEMBERED}
    assert result.written == result.files == tuple(sorted(files - REMEMBERED))
    assert result.commands == (
        f"cd '{destination}'",
        "python -m pip install -r requirements.txt",
        "python -m alpha run",
    )
    record = json.loads((destination / ".template.json").read_text())
    assert record["templates"] == ["alpha"] and record["version"] == VERSION
    with zipfile.ZipFile(destination / ".template/base.zip") as archive:
        assert {path: archive.read(path) for path in archive.namelist()} == {
            path: (destination / path).read_bytes() for path in record["files"]
        }
    assert copied(destination).files == record["files"]
    ran = subprocess.run([sys.executable, "-m", "alpha"], check=False, cwd=destination, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("5\n", "")


def test_copying_is_deterministic_and_a_second_time_changes_nothing(project, tmp_path):
    copy(project, tmp_path / "one")
    os.utime(project / "toydata/errors.py", (1e9, 1e9))
    (tmp_path / "two").mkdir()
    copy(project, tmp_path / "two")
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    result = copy(project, tmp_path / "one")
    assert result.written == () and result.kept == result.files != ()
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_copying_into_the_current_folder_needs_no_cd(project, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert copy(project, Path(".")).commands[0].startswith("python")
    assert (tmp_path / "here/alpha/model.py").is_file()


def test_a_dry_run_lists_sizes_and_writes_nothing(project, tmp_path):
    before = tree(tmp_path)
    planned = copy(project, tmp_path / "mine", dry_run=True)
    assert tree(tmp_path) == before
    done = copy(project, tmp_path / "mine")
    assert (planned.written, planned.sizes) == (done.written, done.sizes)
    assert done.sizes == {path: (tmp_path / "mine" / path).stat().st_size for path in done.files}


def repository(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir()
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    write(folder, files)
    return folder


def test_a_repository_takes_a_copy_where_nothing_is_in_the_way(project, tmp_path):
    fresh = repository(tmp_path / "ein Gerät", {"LICENSE": "MIT", "readme.rst": "mine", ".gitignore": "*.zip\n"})
    result = copy(project, fresh)
    assert result.notes == () and "README.md" not in result.files
    assert (fresh / ".gitignore").read_text() == "*.zip\n"
    subprocess.run(["git", "-C", str(fresh), "add", "-A"], check=True)
    listed = subprocess.run(["git", "-C", str(fresh), "ls-files", "-z"], check=True, capture_output=True).stdout
    assert {path.decode() for path in listed.split(b"\0") if path} == {
        path for path, content in tree(fresh).items() if content is not None and not path.startswith(".git/")
    }
    lived_in = repository(tmp_path / "lived in", {"src/app.py": "", "notes/a.txt": "", ".github/x.yml": ""})
    copy(project, lived_in)
    assert changed(project, lived_in) == {}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"toydata/mine.csv": "1"}, ("holds toydata/mine.csv", "rename", "alpha-project")),
        ({"ToyData/mine.csv": "1"}, ("holds ToyData",)),
        ({"toytraining.py": "x = 1"}, ("holds toytraining.py",)),
        ({"alpha": "a file"}, ("holds alpha",)),
        ({"requirements.txt": "numpy>=2.0\n"}, ("add scikit-learn>=1.5, pytest>=8.3", "nothing was written")),
    ],
)
def test_what_is_in_the_way_in_a_repository_is_named(project, tmp_path, files, words):
    refused(project, repository(tmp_path / "lived in", files), *words)


def test_a_rule_that_keeps_the_copy_out_of_version_control_is_told(project, tmp_path):
    folder = repository(tmp_path / "mine", {".gitignore": "# mine\ntoydata/\n*.json\n"})
    notes = copy(project, folder).notes
    assert [note.partition(" keeps ")[0] for note in notes] == [".gitignore:2 (toydata/)", ".gitignore:3 (*.json)"]
    with open(folder / ".gitignore", "a") as stream:
        stream.writelines(f"{note.split('add ')[1].split(' to ')[0]}\n" for note in notes)
    assert copy(project, folder).notes == ()


def test_the_readme_and_gitignore_are_given_once_and_then_the_owners(project, tmp_path):
    destination = tmp_path / "mine"
    copy(project, destination)
    text = (destination / "README.md").read_text()
    assert text.startswith("# alpha\n\nAlpha.\n") and "python -m alpha run" in text and "{" not in text
    assert "README.md" in copy(project, destination, "beta").written
    assert "python -m beta run" in (destination / "README.md").read_text()
    (destination / "README.md").write_text("mine")
    (destination / ".gitignore").unlink()
    assert changed(project, destination) == {}
    copy(project, destination, "beta")
    bring_up(project, destination)
    assert (destination / "README.md").read_text() == "mine"


def test_a_second_template_shares_files_and_requirements(project, tmp_path):
    destination = tmp_path / "mine"
    copy(project, destination)
    (destination / "alpha/model.py").write_text("mine")  # not beta's business
    result = copy(project, destination, "beta")
    assert "toydata/errors.py" in result.kept and "beta/__main__.py" in result.written
    lines = (destination / "requirements.txt").read_text().splitlines()
    assert {"scikit-learn>=1.5", "tensorflow-datasets>=4.9", "importlib-resources>=6.0"} <= set(lines)
    assert copied(destination).templates == ("alpha", "beta")
    assert changed(project, destination) == {"alpha/model.py": "yours"}


def test_a_changed_shared_file_is_named_and_nothing_is_written(project, tmp_path):
    destination = tmp_path / "mine"
    copy(project, destination)
    (destination / "toydata/errors.py").write_text("mine")
    refused(project, destination, "toydata/errors.py", "new folder", name="beta")
    # A line end that git turned round is no change.
    (destination / "toydata/errors.py").write_bytes(FILES["toydata/errors.py"].replace("\n", "\r\n").encode())
    write(project, {"toylayers/base.py": "y = 3\n"})
    refused(project, destination, "toylayers/base.py", "the project has changed", "diff", name="beta")
    refused(project, destination, "version 1.0", "version 1.1", name="beta", version="1.1")
    write(project, {"toylayers/base.py": FILES["toylayers/base.py"]})
    (destination / "toydata/tables.py").unlink()  # beta does not need it; alpha brings it back
    copy(project, destination, "beta")
    assert changed(project, destination) == {"toydata/tables.py": "deleted"}
    assert copy(project, destination).written == ("toydata/tables.py",)


def test_your_requirements_stay_when_they_suffice(project, tmp_path):
    destination = tmp_path / "mine"
    copy(project, destination)
    file = destination / "requirements.txt"
    file.write_text(file.read_text() + "pandas\n")
    refused(
        project, destination, "requirements.txt", "add importlib-resources>=6.0, tensorflow-datasets>=4.9", name="beta"
    )
    mine = file.read_text() + "importlib-resources>=6.0\ntensorflow-datasets>=4.9\n"
    file.write_text(mine)
    copy(project, destination, "beta")
    assert file.read_text() == mine


def test_bad_destinations_are_refused_in_one_line(project, tmp_path, monkeypatch):
    write(
        tmp_path,
        {
            "full/a": "",
            "full/b": "",
            "full/c/d": "",
            "full/e": "",
            "full/f": "",
            "full/g": "",
            "full/h": "",
            "file": "",
        },
    )
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    (tmp_path / "way in").symlink_to(project / "templates")
    refused(project, tmp_path / "full", "a, b, c, e, f and 2 more", "empty")
    refused(project, tmp_path / "file", "a file, not a folder")
    refused(project, tmp_path / "file" / "below", "its parent")
    refused(project, tmp_path / "no" / "parent", "its parent", "make it first")
    refused(project, tmp_path / "broken", "link")
    refused(project, project / "new", "project's own folder", "my-alpha")
    refused(project, project / "templates/alpha", "the template itself")
    refused(project, tmp_path / "way in" / "new", "project's own folder")
    refused(project, project.parent, "empty")
    refused(project, tmp_path / "new", "no such template", name="gamma")
    monkeypatch.chdir(tmp_path / "full")
    refused(project, Path("."), "empty")
    monkeypatch.setattr("copying.copy.os.access", lambda path, mode: False)  # as root, everything may be written
    refused(project, tmp_path / "new", "no permission")


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        (".template.json", "<<<<<<< ours", "restore"),
        (
            ".template.json",
            '{"version": "1.0", "templates": ["alpha"], "files": {"../../outside": "00"}}',
            "../../outside",
        ),
        (".template.json", '{"version": "1.0", "templates": ["../alpha"], "files": {}}', "../alpha"),
        (".template.json", '{"version": "1.0", "templates": ["alpha"], "files": {"alpha/x.py": "00"}}', "does not fit"),
        (".template/base.zip", "not a zip", "damaged"),
    ],
)
def test_a_damaged_record_is_an_error_and_not_a_guess(project, tmp_path, file, content, words):
    destination = tmp_path / "mine"
    copy(project, destination)
    write(project, {"toydata/errors.py": "one = 2\n"})
    (destination / file).unlink() if content is None else (destination / file).write_text(content)
    refused(project, destination, words, name="beta")
    with pytest.raises(UserError, match="restore"):
        bring_up(project, destination)
