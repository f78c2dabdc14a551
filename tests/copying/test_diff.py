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
        "toytraining/extra.py": "markers",
    }
    assert changed(project, destination) == yours
    # Markers that still stand are named, and not merged into a second layer of markers.
    before = tree(destination)
    for version in ("2.0", "3.0"):
        with pytest.raises(UserError, match="toytraining/extra.py still has conflict markers"):
            bring_up(project, destination, version)
        assert tree(destination) == before
        write(project, {"toytraining/extra.py": "later = 1\n"})
    write(destination, {"toytraining/extra.py": "own = theirs = 1\n"})
    assert changed(project, destination) == yours | {"toytraining/extra.py": "both"}


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


def test_permissions_links_and_line_ends_are_the_owners(project, tmp_path):
    destination = tmp_path / "mine"
    copy(project, destination)
    for path in destination.rglob("*.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    (destination / "alpha/model.py").chmod(0o755)
    (destination / "toydata/errors.py").chmod(0o444)
    (destination / "toylayers/cell.py").rename(destination / "my_cell.py")
    (destination / "toylayers/cell.py").symlink_to("../my_cell.py")
    assert changed(project, destination) == {}
    news = {"templates/alpha/model.py": ALPHA_MODEL + "new = 1\n", "toydata/errors.py": "five = 6\nsix = 1\n"}
    write(project, news | {"toylayers/cell.py": "new = 1\n", "templates/alpha/added.py": "new = 1\n"})
    bring_up(project, destination)
    assert (destination / "alpha/model.py").stat().st_mode & 0o777 == 0o755
    assert (destination / "toydata/errors.py").stat().st_mode & 0o777 == 0o444
    assert (destination / "toylayers/cell.py").is_symlink()
    assert (destination / "my_cell.py").read_bytes() == b"new = 1\n"  # it was empty: no line end to follow
    for path in ("alpha/model.py", "toydata/errors.py", "alpha/added.py"):
        content = (destination / path).read_bytes()
        assert content.count(b"\n") == content.count(b"\r\n") > 0, path
    assert changed(project, destination) == {}


@pytest.mark.parametrize("linked", ["toydata", "toydata/errors.py"])
def test_nothing_is_written_through_a_link_that_leads_out(project, tmp_path, linked):
    destination = tmp_path / "mine"
    copy(project, destination)
    (destination / linked).rename(tmp_path / "shared")
    (destination / linked).symlink_to(tmp_path / "shared")
    assert changed(project, destination) == {}
    write(project, {"toydata/errors.py": "five = 6\n", "toylayers/cell.py": "new = 1\n"})
    before = tree(tmp_path)
    with pytest.raises(UserError, match=f"{linked}: a link to .*shared.*nothing was changed"):
        bring_up(project, destination)
    assert tree(tmp_path) == before


def test_a_copy_that_is_newer_than_the_project_is_not_merged(project, tmp_path):
    destination = tmp_path / "mine"
    copy(project, destination, version="1.10")
    with pytest.raises(UserError, match=r"version 1\.10, and this is version 1\.9"):
        bring_up(project, destination, version="1.9")
    bring_up(project, destination, version="1.10.1")


def test_a_template_whose_folder_was_renamed_is_followed(project, tmp_path):
    destination = tmp_path / "mine"
    copy(project, destination)
    (destination / "alpha").rename(destination / "my_own")
    write(destination, {"my_own/README.md": "# Alpha\nmine\n"})
    write(project, {"templates/alpha/model.py": ALPHA_MODEL + "new = 1\n", "templates/alpha/added.py": "new = 1\n"})
    expected = {"my_own/README.md": "yours", "my_own/model.py": "upstream", "my_own/added.py": "added"}
    assert changed(project, destination) == expected
    bring_up(project, destination)
    assert changed(project, destination) == {"my_own/README.md": "yours"}
    assert (destination / "my_own/added.py").is_file() and not (destination / "alpha").exists()
    # The record knows it from now on, also when few of the files are left.
    for path in (destination / "my_own").glob("[!_m]*"):
        path.unlink()
    assert changed(project, destination)["my_own/README.md"] == "deleted"
    with pytest.raises(UserError, match="alpha is there already, as my_own/"):
        copy(project, destination, version="2.0")


def test_a_lost_base_is_found_again_as_far_as_files_are_unchanged(project, tmp_path):
    destination, other = tmp_path / "mine", tmp_path / "other"
    copy(project, destination)
    (destination / "alpha/README.md").write_text("mine")
    write(project, {"toydata/errors.py": "five = 6\n"})
    (destination / ".template/base.zip").unlink()
    assert changed(project, destination) == {"alpha/README.md": "yours", "toydata/errors.py": "upstream"}
    write(project, {"templates/alpha/README.md": "theirs"})
    with pytest.raises(UserError, match=r"what changed in alpha/README.md cannot .* copy alpha of version 1.0 .*"):
        statuses(project, destination)
    # The advice works.
    write(project, {"templates/alpha/README.md": FILES["templates/alpha/README.md"]})
    write(project, {"toydata/errors.py": FILES["toydata/errors.py"]})
    copy(project, other)
    (other / ".template/base.zip").rename(destination / ".template/base.zip")
    write(project, {"templates/alpha/README.md": "theirs"})
    assert changed(project, destination) == {"alpha/README.md": "both"}


def test_the_projects_changes_go_through_git_apply(project, tmp_path):
    write(project, {"templates/alpha/a b.txt": "one\ntwo", "templates/alpha/old.txt": "one\n"})
    destination = tmp_path / "mine"
    copy(project, destination)
    (destination / "toydata/errors.py").write_bytes(FILES["toydata/errors.py"].replace("\n", "\r\n").encode())
    write(destination, {"alpha/README.md": "# Alpha\nmine\n"})
    news = {"templates/alpha/a b.txt": "one\nthree", "templates/alpha/added.py": "new = 1\n"}
    write(project, news | {"toydata/errors.py": FILES["toydata/errors.py"].replace("five = 5", "five = 6")})
    (project / "templates/alpha/old.txt").unlink()
    patch = "".join(f"{file.path} {file.meaning}\n{file.diff(of_project=True)}\n" for file in
                    compare(destination, project / "templates", shared=SHARED) if file.status != "yours")  # fmt: skip
    subprocess.run(["git", "apply", "-"], cwd=destination, input=patch.encode(), check=True)
    assert changed(project, destination) == {"alpha/README.md": "yours"}
    assert b"five = 6\r\n" in (destination / "toydata/errors.py").read_bytes()


LINES = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), max_size=6)
# What one side did to a file: nothing, deleted it, or wrote something else.
EDITS = st.one_of(st.just("same"), st.none(), LINES)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(st.tuples(LINES, EDITS, EDITS), min_size=1, max_size=4), is_renamed=st.booleans(), data=st.data())
def test_whatever_both_sides_do_no_line_of_the_owners_is_lost(project, tmp_path_factory, edits, is_renamed, data):
    for old in (project / "templates/alpha").glob("x*.txt"):
        old.unlink()
    for number, (base, _, _) in enumerate(edits):
        write(project, {f"templates/alpha/x{number}.txt": "".join(f"{line}\n" for line in base)})
    destination = tmp_path_factory.mktemp("copy") / "mine"
    copy(project, destination)
    written = set()
    for number, (_, mine, theirs) in enumerate(edits):
        for side, folder, edit in (
            ("mine", destination / "alpha", mine),
            ("theirs", project / "templates/alpha", theirs),
        ):
            path = folder / f"x{number}.txt"
            if edit is None:
                path.unlink()
            elif edit != "same":
                lines = [f"{line} of {side} {number}" if data.draw(st.booleans()) else line for line in edit]
                path.write_text("".join(f"{line}\n" for line in lines))
                written |= {line for line in lines if "of mine" in line}
    if is_renamed:
        (destination / "alpha").rename(destination / "own")
    result = bring_up(project, destination)
    texts = [path.read_text() for path in destination.rglob("x*.txt*")]
    assert written <= {line for text in texts for line in text.splitlines()}
    left = set(changed(project, destination).values())
    assert left <= {"yours", "deleted", "markers"} and ("markers" in left) == bool(result.conflicts)


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
