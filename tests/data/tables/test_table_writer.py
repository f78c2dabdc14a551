import gzip
import io
import json
import os
import stat
import threading

import numpy as np
import pytest

from data.errors import UserError
from data.tables.dialect import Layout
from data.tables.rows import dialect_of, read_rows
from data.tables.table_writer import TableWriter

ROW = {"id": 7, "text": "a, b", "label": None}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'id,text,label,predicted\n7,"a, b",,pos\n'),
        ("a.tsv", "id\ttext\tlabel\tpredicted\n7\ta, b\t\tpos\n"),
        ("a.jsonl", '{"id": 7, "text": "a, b", "label": null, "predicted": "pos"}\n'),
    ],
)
def test_columns_keep_their_order_and_new_ones_follow(tmp_path, name, content):
    with TableWriter(tmp_path / name) as writer:
        writer.write({**ROW, "predicted": "pos"})
    assert (tmp_path / name).read_text() == content
    assert os.listdir(tmp_path) == [name]
    stream = io.StringIO()
    with TableWriter(stream, format=(tmp_path / name).suffix) as writer:
        writer.write({**ROW, "predicted": "pos"})
    assert stream.getvalue() == content


def test_values_that_are_no_strings(tmp_path):
    row = {"a": True, "b": [1, "ü"], "c": np.float32(0.5), "d": np.int64(3), "e": np.array([1, 2]), "f": 1e-9}
    with TableWriter(tmp_path / "a.csv") as writer:
        writer.write(row)
    assert [read for _, read in read_rows(tmp_path / "a.csv")] == [
        {"a": "true", "b": '[1, "ü"]', "c": "0.5", "d": "3", "e": "[1, 2]", "f": "1e-09"}
    ]
    with TableWriter(tmp_path / "a.jsonl") as writer:
        writer.write(row)
    assert json.loads((tmp_path / "a.jsonl").read_text()) == {
        "a": True,
        "b": [1, "ü"],
        "c": 0.5,
        "d": 3,
        "e": [1, 2],
        "f": 1e-9,
    }
    with pytest.raises(TypeError, match="a table cannot hold a object"), TableWriter(tmp_path / "b.csv") as writer:
        writer.write({"a": object()})


def test_nothing_is_seen_before_the_end_and_an_error_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"old\n"))
    for error in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(error), TableWriter(path) as writer:
            for _ in range(10_000):
                writer.write(ROW)
            assert gzip.decompress(path.read_bytes()) == b"old\n"
            assert len(os.listdir(tmp_path)) == 2
            raise error
        assert gzip.decompress(path.read_bytes()) == b"old\n"
        assert os.listdir(tmp_path) == ["a.csv.gz"]
    with TableWriter(path) as writer:
        writer.write(ROW)
    assert [row for _, row in read_rows(path)] == [{"id": "7", "text": "a, b", "label": ""}]
    assert os.listdir(tmp_path) == ["a.csv.gz"]


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".csv.xz"])
def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    # The error shows when what was held back is written, at the very end.
    monkeypatch.setattr("data.writing.os.fsync", full)
    with pytest.raises(OSError, match="No space left"), TableWriter(path) as writer:
        writer.write(ROW)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [path.name]


def test_permissions_are_those_of_any_new_file(tmp_path):
    before = os.umask(0o027)
    try:
        with TableWriter(tmp_path / "new.csv") as writer:
            writer.write(ROW)
        (tmp_path / "old.csv").touch(mode=0o600)
        with TableWriter(tmp_path / "old.csv") as writer:
            writer.write(ROW)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.csv").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "old.csv").stat().st_mode) == 0o600


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.csv").write_text("old\n")
    (tmp_path / "link.csv").symlink_to("real.csv")
    with TableWriter(tmp_path / "link.csv") as writer:
        writer.write(ROW)
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == 'id,text,label\n7,"a, b",\n'


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe.jsonl")
    read = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe.jsonl").read_text()))
    reader.start()
    with TableWriter(tmp_path / "pipe.jsonl") as writer:
        writer.write({"a": 1})
    reader.join(10)
    assert read == ['{"a": 1}\n']
    assert stat.S_ISFIFO((tmp_path / "pipe.jsonl").stat().st_mode)


def test_the_file_that_is_read_can_be_written(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\n" + "x,1\n" * 5000)
    with TableWriter(path) as writer:
        for number, row in read_rows(path):
            writer.write({**row, "line": number})
    assert path.read_text().startswith("text,label,line\nx,1,2\n")
    assert len(path.read_text().splitlines()) == 5001


def test_columns_in_delimited_files(tmp_path):
    with TableWriter(tmp_path / "a.csv", columns=["b", "a"]) as writer:
        writer.write({"a": 1})
    assert (tmp_path / "a.csv").read_text() == "b,a\n,1\n"
    with TableWriter(tmp_path / "none.csv", columns=["a"]):
        pass
    assert (tmp_path / "none.csv").read_text() == "a\n"
    unknown = r"row 2 has a column 'c' that the first row did not have; write \.jsonl"
    with pytest.raises(UserError, match=unknown), TableWriter(tmp_path / "b.csv") as writer:
        writer.write({"a": 1})
        writer.write({"a": 1, "c": 2})
    assert not (tmp_path / "b.csv").exists()


def test_half_characters_do_not_stop_the_writer(tmp_path):
    with TableWriter(tmp_path / "a.jsonl") as writer:
        writer.write({"text": "x\udce9y"})
    assert (tmp_path / "a.jsonl").read_text() == '{"text": "x?y"}\n'


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("a.txt", r"a\.txt: expected a name in \.jsonl, \.csv, \.tsv .*, found \.txt"),
        ("nowhere/a.csv", "the folder .*nowhere does not exist; make it first"),
        ("folder.csv", "is a folder; expected the name of a file to write"),
    ],
)
def test_targets_that_cannot_be_written(tmp_path, target, message):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UserError, match=message), TableWriter(tmp_path / target):
        pytest.fail("written to")


def test_the_same_rows_give_the_same_bytes(tmp_path):
    for name in ("a.csv.gz", "b.csv.gz"):
        with TableWriter(tmp_path / name) as writer:
            writer.write(ROW)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()


@pytest.mark.parametrize("first", ["v1,v2,,", ",text,text,", None])
def test_a_table_that_is_answered_keeps_its_line_of_column_names_or_has_none(tmp_path, first):
    path, rows = tmp_path / "in.csv", ["a,one two,,", "b,three,,"]
    path.write_text("".join(f"{line}\n" for line in ([first] if first else []) + rows))
    layout = Layout(header=first is not None)
    with TableWriter(tmp_path / "out.csv") as writer:
        writer.answered = dialect_of(path, layout=layout)
        for _, row in read_rows(path, layout=layout):
            writer.write({**row, "new": "x"})
    answered = [f"{first},new"] if first else []
    assert (tmp_path / "out.csv").read_text().splitlines() == answered + [f"{row},x" for row in rows]
