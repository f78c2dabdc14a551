"""Copying a template out and merging later changes in, on small made-up projects."""

import errno
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from copying import writing
from copying.closure import closure
from copying.copy import copy_template
from copying.diff import compare, copied, merge
from copying.requirements import declared_requirements, requirements_text
from copying.text import merge_three_ways
from data.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
SHARED = ("toylayers", "toydata", "toytraining")
VERSION = "1.0"
ALPHA_MODEL = """import json, os.path
from toydata import tables


def build():
    from toytraining import loop
    if loop:
        import toydata.formats.conll
    return tables.errors.five


def layers():
    from toylayers.gru import x
    return x
"""
FILES = {
    "cli.py": "",
    "setup.cfg": "[options]\ninstall_requires =\n    click>=8\n    numpy>=2.0\n    tensorflow-datasets>=4.9\n"
    "    importlib_resources>=6.0\n[options.extras_require]\ntest =\n"
    "    pytest>=8.3\n    scikit-learn>=1.5\n",
    "toylayers/__init__.py": '"""Layers."""\n',
    "toylayers/gru.py": "import numpy\nfrom . import cell\nfrom .deep.inner import x\n",
    "toylayers/cell.py": "",
    "toylayers/unused.py": "import never_needed\n",
    "toylayers/deep/__init__.py": "",
    "toylayers/deep/inner.py": "from ..base import y\nx = 1\n",
    "toylayers/base.py": "y = 2\n",
    "toydata/__init__.py": "",
    "toydata/errors.py": "one = 1\ntwo = 2\nthree = 3\nfour = 4\nfive = 5\n",
    "toydata/tables.py": "import toydata.errors as errors\n",
    "toydata/formats/__init__.py": "",
    "toydata/formats/conll.py": "",
    "toydata/formats/columns.txt": "token tag\n",
    "toydata/samples/make_alpha.py": "",
    "toydata/samples/alpha/train.csv": "text,label\r\ngood,1\r\n",
    "toydata/samples/alpha/make.py": "",
    "toydata/samples/alpha/__pycache__/make.pyc": "x",
    "toydata/samples/beta/train.csv": "never with alpha\n",
    "toytraining/__init__.py": "",
    "toytraining/loop.py": "try:\n    import fancy_bar\nexcept ImportError:\n    fancy_bar = None\n",
    "templates/__init__.py": "",
    "templates/alpha/__init__.py": '"""Alpha."""\n',
    "templates/alpha/__main__.py": "from .model import build\nprint(build())\n",
    "templates/alpha/model.py": ALPHA_MODEL,
    "templates/alpha/README.md": "# Alpha\n",
    "templates/alpha/test_alpha.py": "import sklearn.metrics\nimport pytest\nfrom . import model\n",
    "templates/alpha/.hidden": "",
    "templates/alpha/__pycache__/model.pyc": "x",
    "templates/beta/__init__.py": '"""Beta."""\n',
    "templates/beta/__main__.py": "import tensorflow_datasets\nfrom toydata.errors import one\n"
    "from toylayers import base\n",
}
ALPHA_SHARED = [
    "toydata/__init__.py",
    "toydata/errors.py",
    "toydata/formats/__init__.py",
    "toydata/formats/columns.txt",
    "toydata/formats/conll.py",
    "toydata/samples/alpha/train.csv",
    "toydata/tables.py",
    "toylayers/__init__.py",
    "toylayers/base.py",
    "toylayers/cell.py",
    "toylayers/deep/__init__.py",
    "toylayers/deep/inner.py",
    "toylayers/gru.py",
    "toytraining/__init__.py",
    "toytraining/loop.py",
]
ALPHA_OWN = [f"alpha/{name}" for name in ("README.md", "__init__.py", "__main__.py", "model.py", "test_alpha.py")]


def write(root: Path, files: dict[str, str | bytes]) -> None:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    root = tmp_path / "project"
    write(root, FILES)
    monkeypatch.syspath_prepend(root)
    return root


def copy(project: Path, destination: Path, name: str = "alpha", version: str = VERSION):
    return copy_template(project / "templates" / name, name, destination, version, shared=SHARED)


def statuses(project: Path, destination: Path) -> dict[str, str]:
    return {file.path: file.status for file in compare(destination, project / "templates", shared=SHARED)}


def changed(project: Path, destination: Path) -> dict[str, str]:
    return {path: status for path, status in statuses(project, destination).items() if status != "same"}


def bring_up(project: Path, destination: Path, version: str = "2.0"):
    return merge(destination, project / "templates", version, shared=SHARED)


def tree(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder, folders too: a refusal or failure must leave not even an empty one."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }


def refused(project: Path, destination: Path, *words: str, **arguments) -> None:
    """Copying is refused in one line with these words, and nothing is written."""
    before = tree(project.parent)
    with pytest.raises(UserError) as error:
        copy(project, destination, **arguments)
    assert tree(project.parent) == before
    assert "\n" not in str(error.value)
    for word in words:
        assert word in str(error.value)


# What travels


def test_closure_follows_every_import_form_and_leaves_the_rest(project):
    found = closure(project / "templates/alpha", shared=SHARED)
    assert list(found.files) == ALPHA_SHARED
    assert all(file.is_file() for file in found.files.values())
    # fancy_bar is optional there; never_needed belongs to a module that nobody imports.
    assert found.third_party == {"numpy", "sklearn", "pytest"}


def test_closure_in_an_installed_wheel_has_two_roots_and_imports_nothing(tmp_path, monkeypatch):
    site = tmp_path / "site-packages"
    inner = site / "rnn_templates"
    write(site, {path: text for path, text in FILES.items() if path.startswith("toylayers/")})
    write(inner, {path: text for path, text in FILES.items() if not path.startswith(("toylayers/", "setup.cfg"))})
    write(tmp_path / "elsewhere", {"toydata.py": "raise SystemExit", "toytraining/__init__.py": "raise SystemExit"})
    for folder in (tmp_path / "elsewhere", site, inner):  # each goes before the others, as cli.py does with its own
        monkeypatch.syspath_prepend(folder)
    found = closure(inner / "templates/alpha", shared=SHARED)
    assert list(found.files) == ALPHA_SHARED
    assert found.files["toylayers/gru.py"] == site / "toylayers/gru.py"
    assert found.files["toydata/errors.py"] == inner / "toydata/errors.py"
    assert not [name for name in sys.modules if name.partition(".")[0] in SHARED]


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("templates/alpha/x.py", "\nfrom templates.beta import y\n", ("x.py:2", "templates.beta")),
        ("templates/alpha/x.py", "import cli\n", ("x.py:1", "cli")),
        ("templates/alpha/x.py", "from ..beta import y\n", ("x.py:1", "relative")),
        ("templates/alpha/x.py", "from alpha.model import y\n", ("x.py:1", "relatively")),
        ("templates/alpha/x.py", "def f():\n    import toydata.missing\n", ("x.py:2", "toydata.missing", "not exist")),
        ("toydata/tables.py", "from ...up import y\n", ("tables.py:1", "relative")),
        ("toydata/tables.py", "one\ntwo three\n", ("tables.py:2", "not valid Python")),
    ],
)
def test_an_import_that_a_copy_could_not_run_is_named_with_its_line(project, tmp_path, path, text, words):
    write(project, {path: text})
    refused(project, tmp_path / "new", *words)


def test_requirements_carry_the_declared_bounds(project, monkeypatch):
    lines = requirements_text({"tensorflow_datasets", "sklearn", "absl"}, project).splitlines()
    assert lines[1:] == [
        "absl-py",
        "importlib-resources>=6.0",
        "scikit-learn>=1.5",
        "tensorflow-datasets>=4.9",
        "pytest>=8.3",
    ]
    (project / "setup.cfg").unlink()
    installed = [
        'pytest>=8 ; extra == "test"',
        "numpy>=2",
        'click>=8; python_version < "4" and extra == "test"',
        "tensorflow>=2",
        'tensorflow[and-cuda]>=2; extra == "gpu"',
    ]
    monkeypatch.setattr("importlib.metadata.requires", lambda name: installed)
    text = requirements_text({"numpy", "click", "tensorflow"}, project)
    assert text.splitlines()[1:] == ['click>=8; python_version < "4"', "numpy>=2", "tensorflow>=2", "pytest>=8"]


def test_every_template_here_can_be_copied_with_bounds_for_what_it_imports():
    declared = {line.lower().replace("_", "-") for line in declared_requirements(ROOT)}
    templates = [path.parent for path in (ROOT / "templates").glob("*/__init__.py")]
    assert templates
    for template in templates:
        found = closure(template)
        lines = requirements_text(found.third_party, ROOT).splitlines()[1:]
        # absl comes with tensorflow, which decides its version.
        assert {line.lower().replace("_", "-") for line in lines} - {"absl-py"} <= declared, template.name
        assert "training/checkpoint.py" in found.files


# Copying


def test_a_copy_is_byte_identical_recorded_and_runs_by_itself(project, tmp_path):
    result = copy(project, tmp_path / "my new")
    destination = tmp_path / "my new"
    sources = {f"alpha/{name}": project / "templates" / "alpha" / name for name in ("README.md", "model.py")}
    sources |= {path: project / path for path in ALPHA_SHARED}
    for path, source in sources.items():
        assert (destination / path).read_bytes() == source.read_bytes(), path
    files = {path for path, content in tree(destination).items() if content is not None}
    assert files == {*ALPHA_OWN, *ALPHA_SHARED, "requirements.txt", ".template.json", ".template/base.zip"}
    assert result.written == result.files == tuple(sorted(files - {".template.json", ".template/base.zip"}))
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
        (".template/base.zip", None, "missing"),
    ],
)
def test_a_damaged_record_is_an_error_and_not_a_guess(project, tmp_path, file, content, words):
    destination = tmp_path / "mine"
    copy(project, destination)
    (destination / file).unlink() if content is None else (destination / file).write_text(content)
    refused(project, destination, words, name="beta")
    with pytest.raises(UserError, match="restore"):
        bring_up(project, destination)


# Failures on the way


@pytest.mark.parametrize("existing", ["new", "empty", "earlier copy"])
def test_a_full_disk_leaves_everything_as_it_was(project, tmp_path, monkeypatch, existing):
    destination, name = tmp_path / "mine", "alpha"
    if existing == "empty":
        destination.mkdir()
    elif existing == "earlier copy":
        copy(project, destination)
        name = "beta"
    before, real = tree(tmp_path), writing._write
    for last in range(4):  # the file at which the disk is full
        written = []

        def full(path, content, last=last, written=written):
            if len(written) == last:
                path.write_bytes(content[:1])  # a full disk takes a part of a file
                raise OSError(errno.ENOSPC, "No space left on device", str(path))
            written.append(path)
            real(path, content)

        monkeypatch.setattr(writing, "_write", full)
        with pytest.raises(OSError, match="No space left"):
            copy(project, destination, name)
        assert tree(tmp_path) == before
    monkeypatch.setattr(writing, "_write", real)
    copy(project, destination, name)
    assert changed(project, destination) == {}


def test_a_folder_that_is_not_ours_is_found_before_anything_moves(project, tmp_path, monkeypatch):
    destination = tmp_path / "mine"
    copy(project, destination)
    before, real = tree(destination), os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "toylayers" and real(path, mode))
    write(project, {"toydata/errors.py": "", "toylayers/cell.py": "new\n"})
    with pytest.raises(PermissionError, match="toylayers"):
        bring_up(project, destination)
    assert tree(destination) == before


KILLED = """
import os, sys
from copying import writing
from copying.copy import copy_template
from copying.diff import merge
module, function, count, verb, project, destination = sys.argv[1:]
sys.path.insert(0, project)
owner = {"writing": writing, "os": os}[module]
real, calls = getattr(owner, function), []
def dying(*arguments):
    calls.append(1)
    if len(calls) > int(count):
        os._exit(9)
    return real(*arguments)
setattr(owner, function, dying)
shared = ("toylayers", "toydata", "toytraining")
if verb == "copy":
    copy_template(f"{project}/templates/alpha", "alpha", destination, "1.0", shared=shared)
else:
    merge(destination, f"{project}/templates", "2.0", shared=shared)
"""


def killed(function: str, count: int, verb: str, project: Path, destination: Path) -> None:
    """Runs a verb in a process that dies, without any clean-up, at a call of a function."""
    module, function = function.split(".")
    arguments = [module, function, str(count), verb, str(project), str(destination)]
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments], check=False, cwd=ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 9, ran.stderr


# os.replace is called once for the journal and then once for each file; 21 files and two records.
@pytest.mark.parametrize(
    ("function", "count"),
    [
        ("writing._write", 0),
        ("writing._write", 9),
        ("os.replace", 0),
        ("os.replace", 1),
        ("os.replace", 12),
        ("os.replace", 23),
    ],
)
def test_a_killed_copy_is_completed_by_the_same_command(project, tmp_path, function, count):
    copy(project, tmp_path / "whole")
    destination = tmp_path / "mine"
    killed(function, count, "copy", project, destination)
    assert not (destination / ".template.json").exists()
    with pytest.raises(UserError, match="interrupted|not a copy"):
        compare(destination, project / "templates", shared=SHARED)
    copy(project, destination)
    assert tree(destination) == tree(tmp_path / "whole")


@pytest.mark.parametrize(
    ("function", "count"),
    [
        ("writing._write", 1),
        ("os.replace", 0),
        ("os.replace", 1),
        ("os.replace", 2),
        ("os.replace", 3),
        ("os.replace", 5),
    ],
)
def test_a_killed_merge_loses_nothing_and_is_completed(project, tmp_path, function, count):
    def prepare(destination):
        copy(project, destination)
        write(destination, {"toydata/errors.py": "MINE = 1\n", "alpha/README.md": "# Alpha\nmine\n"})

    prepare(tmp_path / "whole")
    prepare(tmp_path / "mine")
    write(
        project,
        {
            "toydata/errors.py": "THEIRS = 1\n",
            "toylayers/cell.py": "new\n",
            "toytraining/loop.py": "import toytraining.more\n",
            "toytraining/more.py": "",
            "templates/alpha/model.py": "from toydata import errors\nfrom toytraining import loop\n",
        },
    )
    bring_up(project, tmp_path / "whole")
    killed(function, count, "merge", project, tmp_path / "mine")
    assert any(content == b"MINE = 1\n" for content in tree(tmp_path / "mine").values())
    bring_up(project, tmp_path / "mine")
    assert tree(tmp_path / "mine") == tree(tmp_path / "whole")
    assert (tmp_path / "mine/toydata/errors.py.orig").read_text() == "MINE = 1\n"


def test_an_edit_after_a_kill_is_not_overwritten(project, tmp_path):
    destination = tmp_path / "mine"
    copy(project, destination)
    write(project, {"toydata/errors.py": "theirs = 1\n", "toytraining/loop.py": "theirs = 1\n"})
    killed("os.replace", 1, "merge", project, destination)
    (destination / "toytraining/loop.py").write_text("edited\n")
    before = tree(destination)
    with pytest.raises(UserError, match="toytraining/loop.py"):
        bring_up(project, destination)
    assert tree(destination) == before


# Comparing and merging


def test_statuses_and_a_merge_of_each(project, tmp_path):
    destination = tmp_path / "mine"
    copy(project, destination)
    mine = {
        "alpha/README.md": "# Alpha\nmine\n",
        "toydata/errors.py": FILES["toydata/errors.py"].replace("one = 1", "one = 11"),
        "toydata/tables.py": "import toydata.errors as errors\nboth = 1\n",
        "toydata/formats/columns.txt": "mine\n",
        "toytraining/extra.py": "own = 1\n",
        "notes.txt": "nobody's business",
    }
    write(destination, mine)
    (destination / "toylayers/cell.py").unlink()
    (destination / "alpha/test_alpha.py").unlink()
    write(
        project,
        {
            "toydata/errors.py": FILES["toydata/errors.py"].replace("five = 5", "five = 55"),
            "toydata/tables.py": "import toydata.errors as errors\nboth = 1\n",
            "toytraining/loop.py": "from . import extra, more\n",
            "toytraining/extra.py": "theirs = 1\n",
            "toytraining/more.py": "",
            "toylayers/cell.py": "changed\n",
            "templates/alpha/model.py": ALPHA_MODEL.replace("toydata.formats.conll", "re"),
        },
    )
    (project / "toydata/samples/alpha/train.csv").write_bytes(b"text,label\r\nbad,0\r\n")
    assert changed(project, destination) == {
        "alpha/README.md": "yours",
        "alpha/model.py": "upstream",
        "alpha/test_alpha.py": "deleted",
        "toydata/errors.py": "both",
        "toydata/formats/__init__.py": "removed",
        "toydata/formats/columns.txt": "both",
        "toydata/formats/conll.py": "removed",
        "toydata/samples/alpha/train.csv": "upstream",
        "toylayers/cell.py": "both",
        "toytraining/extra.py": "both",
        "toytraining/loop.py": "upstream",
        "toytraining/more.py": "added",
    }
    files = {file.path: file for file in compare(destination, project / "templates", shared=SHARED)}
    assert files["toydata/errors.py"].diff().count("@@") == 4
    assert "-one = 1\n+one = 11\n" in files["toydata/errors.py"].diff()
    assert "+++ project/alpha/model.py" in files["alpha/model.py"].diff()
    assert files["toydata/tables.py"].diff() == ""
    assert files["toylayers/cell.py"].meaning == "deleted by you, changed in the project"

    result = bring_up(project, destination)
    assert result.taken == (
        "alpha/model.py",
        "toydata/samples/alpha/train.csv",
        "toytraining/loop.py",
        "toytraining/more.py",
    )
    assert result.merged == ("toydata/errors.py",)
    assert result.removed == ("toydata/formats/__init__.py", "toydata/formats/conll.py")
    assert result.kept == ("alpha/README.md", "alpha/test_alpha.py")
    assert [conflict.path for conflict in result.conflicts] == ["toytraining/extra.py"]
    assert [note.split(":")[0] for note in result.notes] == ["toydata/formats/columns.txt", "toylayers/cell.py"]
    assert (result.version_before, result.version) == (VERSION, "2.0")
    text = (destination / "toydata/errors.py").read_text()
    assert "one = 11\n" in text and "five = 55\n" in text
    assert (destination / "toydata/samples/alpha/train.csv").read_bytes() == b"text,label\r\nbad,0\r\n"
    assert (destination / "toydata/formats/columns.txt").read_text() == "mine\n"
    assert not (destination / "toydata/formats/conll.py").exists()
    assert (destination / "toytraining/extra.py").read_text() == (
        "<<<<<<< yours\nown = 1\n=======\ntheirs = 1\n>>>>>>> project\n"
    )
    assert (destination / "toytraining/extra.py.orig").read_text() == "own = 1\n"
    assert (destination / "notes.txt").read_text() == "nobody's business"
    # From here on only what is yours differs, and another merge has nothing to do.
    yours = {
        "alpha/README.md": "yours",
        "alpha/test_alpha.py": "deleted",
        "toydata/errors.py": "yours",
        "toylayers/cell.py": "deleted",
        "toytraining/extra.py": "yours",
    }
    assert changed(project, destination) == yours
    before = tree(destination)
    assert bring_up(project, destination).conflicts == ()
    assert tree(destination) == before
    # Markers that still stand are not merged into a second layer of markers.
    write(project, {"toytraining/extra.py": "later = 1\n"})
    with pytest.raises(UserError, match="toytraining/extra.py"):
        bring_up(project, destination, "3.0")
    assert tree(destination) == before


def test_a_file_that_is_not_text_stays_and_no_file_beside_it_is_overwritten(project, tmp_path):
    write(project, {"templates/alpha/figure.png": b"\x89PNG\0base"})
    destination = tmp_path / "mine"
    copy(project, destination)
    write(
        destination,
        {
            "alpha/figure.png": b"\x89PNG\0mine",
            "alpha/figure.png.project": "precious",
            "alpha/README.md": "mine\r\n",
            "alpha/README.md.orig": "precious",
        },
    )
    write(project, {"templates/alpha/figure.png": b"\x89PNG\0theirs", "templates/alpha/README.md": "theirs\n"})
    result = bring_up(project, destination)
    assert [(conflict.path, conflict.beside) for conflict in result.conflicts] == [
        ("alpha/README.md", "alpha/README.md.orig.1"),
        ("alpha/figure.png", "alpha/figure.png.project.1"),
    ]
    assert (destination / "alpha/figure.png").read_bytes() == b"\x89PNG\0mine"
    assert (destination / "alpha/figure.png.project.1").read_bytes() == b"\x89PNG\0theirs"
    assert (destination / "alpha/README.md.orig.1").read_bytes() == b"mine\r\n"
    for name in ("figure.png.project", "README.md.orig"):
        assert (destination / "alpha" / name).read_text() == "precious"
    assert b"\r\n>>>>>>> project\r\n" in (destination / "alpha/README.md").read_bytes()


def test_comparing_needs_a_copy_and_a_template_that_is_still_there(project, tmp_path):
    with pytest.raises(UserError, match="not a copy"):
        compare(tmp_path, project / "templates", shared=SHARED)
    copy(project, tmp_path / "mine", "beta")
    for file in (project / "templates/beta").iterdir():
        file.unlink()
    before = tree(tmp_path)
    for verb in (bring_up, statuses):
        with pytest.raises(UserError, match="no such template"):
            verb(project, tmp_path / "mine")
    assert tree(tmp_path) == before


NAMES = st.text("abcé ñ-_", min_size=1, max_size=8).map(lambda name: f"x{name}.txt")
CONTENTS = st.one_of(st.binary(max_size=200), st.text("ab\r\n").map(str.encode))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents=st.dictionaries(NAMES, CONTENTS, max_size=4))
def test_whatever_the_files_hold_a_copy_compares_as_the_same(project, tmp_path_factory, contents):
    for folder in ("templates/alpha", "toydata/samples/alpha"):
        for old in (project / folder).glob("x*.txt"):
            old.unlink()
        write(project / folder, contents)
    destination = tmp_path_factory.mktemp("copy") / "mine"
    copy(project, destination)
    assert set(statuses(project, destination).values()) == {"same"}
    for name, content in contents.items():
        assert (destination / "alpha" / name).read_bytes() == content
        assert (destination / "toydata/samples/alpha" / name).read_bytes() == content
    before = tree(destination)
    bring_up(project, destination, VERSION)
    assert tree(destination) == before


TEXTS = st.lists(st.sampled_from("abcdef"), max_size=12).map(lambda lines: "\n".join(lines).encode())


@given(base=TEXTS, yours=TEXTS, upstream=TEXTS)
def test_merging_three_ways_keeps_every_line_that_either_side_added(base, yours, upstream):
    assert merge_three_ways(base, base, upstream) == (upstream, False)
    assert merge_three_ways(base, yours, base) == (yours, False)
    assert merge_three_ways(base, yours, yours) == (yours, False)
    merged, _ = merge_three_ways(base, yours, upstream)
    assert set(yours.split()) - set(base.split()) <= set(merged.split())
    assert set(upstream.split()) - set(base.split()) <= set(merged.split())
