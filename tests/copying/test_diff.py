"""Comparing a copy with the project of today, and merging."""

import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from copying.diff import compare
from copying.text import merge_three_ways
from data.errors import UserError
from tests.copying.toy_project import (
    ALPHA_MODEL,
    FILES,
    SHARED,
    VERSION,
    bring_up,
    changed,
    copy,
    statuses,
    tree,
    write,
)


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


def test_files_that_moved_in_the_project_move_in_the_copy_unless_they_were_changed_there(project, tmp_path):
    destination = tmp_path / "mine"
    copy(project, destination)
    write(destination, {"toydata/tables.py": "import toydata.errors as errors\nmine = 1\n"})
    write(
        project,
        {
            "templates/alpha/model.py": "from toydata.rooms import conll, tables\n"
            "def build():\n    return tables.errors.five\n",
            "toydata/rooms/__init__.py": "",
            "toydata/rooms/conll.py": FILES["toydata/formats/conll.py"],
            "toydata/rooms/tables.py": FILES["toydata/tables.py"],
        },
    )
    result = bring_up(project, destination)
    assert {"toydata/rooms/conll.py", "toydata/rooms/tables.py"} <= set(result.taken)
    assert {"toydata/formats/conll.py", "toydata/formats/columns.txt"} <= set(result.removed)
    assert not (destination / "toydata/formats").exists()
    assert result.notes == (
        "toydata/tables.py: you changed it and the project removed or moved it; it stays, but the project no longer "
        "uses it",
    )
    assert (destination / "toydata/tables.py").read_text().endswith("mine = 1\n")
    ran = subprocess.run([sys.executable, "-m", "alpha"], check=False, cwd=destination, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("5\n", "")
    assert changed(project, destination) == {}


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
