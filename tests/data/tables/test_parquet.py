import datetime
import decimal
import json
import string

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import BadLines, UserError
from data.labelled_texts.files import read_labelled_texts
from data.tables.parquet import read_parquet
from data.tables.rows import read_rows
from data.tables.table_writer import TableWriter

LABEL = {"names": ["neg", "pos"], "_type": "ClassLabel"}
STRING = {"dtype": "string", "_type": "Value"}


def described(table: pa.Table, features) -> pa.Table:
    """The table with the metadata that `datasets` writes."""
    return table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def write(path, rows, features=None, **options):
    table = pa.Table.from_pylist(rows) if isinstance(rows, list) else rows
    pq.write_table(described(table, features) if features else table, path, **options)
    return path


def only_rows(path, **options):
    return [row for _, row in read_rows(path, **options)]


def test_rows_are_numbered_and_have_the_values_of_the_file(tmp_path):
    rows = [{"text": "größer\u2028\n", "stars": 4, "ok": True}, {"text": None, "stars": None, "ok": None}]
    path = write(tmp_path / "a.parquet", rows)
    assert list(read_rows(path)) == [(1, rows[0]), (2, rows[1])]
    assert list(read_parquet(path, columns=["stars"])) == [(1, {"stars": 4}), (2, {"stars": None})]


def test_numbers_of_labels_are_their_names_and_minus_one_is_none(tmp_path):
    rows = [{"text": "a", "label": 1}, {"text": "b", "label": 0}, {"text": "c", "label": -1}]
    path = write(tmp_path / "a.parquet", rows, {"text": STRING, "label": LABEL})
    assert [row["label"] for row in only_rows(path)] == ["pos", "neg", None]
    bad_lines = BadLines(skip=True)
    assert read_labelled_texts(path, bad_lines=bad_lines).labels == ["pos", "neg"]
    assert bad_lines.examples == [f"{path}:3: expected a label in 'label', found nothing"]


@pytest.mark.parametrize(
    "feature",
    [
        {"feature": LABEL, "_type": "Sequence", "length": -1},
        {"feature": LABEL, "_type": "List"},
        {"feature": LABEL, "_type": "LargeList"},
        [LABEL],
    ],
    ids=["sequence", "list", "large-list", "old-list"],
)
def test_lists_of_labels_in_every_spelling(tmp_path, feature):
    rows = [{"tokens": ["a", "b"], "tags": [0, 1]}, {"tokens": [], "tags": []}, {"tokens": None, "tags": None}]
    path = write(tmp_path / "a.parquet", rows, {"tokens": [STRING], "tags": feature})
    assert [row["tags"] for row in only_rows(path)] == [["neg", "pos"], [], None]


def test_labels_inside_structures(tmp_path):
    rows = [{"objects": {"kind": [1, 0], "size": [3, 4]}, "facts": {"label": 1, "n": 2}}]
    sequence = {"feature": {"kind": LABEL, "size": {"dtype": "int64", "_type": "Value"}}, "_type": "Sequence"}
    path = write(tmp_path / "a.parquet", rows, {"objects": sequence, "facts": {"label": LABEL, "n": STRING}})
    assert only_rows(path) == [{"objects": {"kind": ["pos", "neg"], "size": [3, 4]}, "facts": {"label": "pos", "n": 2}}]


def test_pairs_and_pictures_are_dictionaries(tmp_path):
    rows = [{"translation": {"de": "Hund", "en": "dog"}, "image": {"bytes": b"\xff\xd8\xff", "path": "a.jpg"}}]
    features = {"translation": {"languages": ["de", "en"], "_type": "Translation"}, "image": {"_type": "Image"}}
    assert only_rows(write(tmp_path / "a.parquet", rows, features)) == rows


def test_dictionary_encoded_columns_and_large_types(tmp_path):
    labels = pa.array(["a", "b", "a"]).dictionary_encode()
    table = pa.table(
        {
            "label": labels,
            "text": pa.array(["x", "y", None], pa.large_string()),
            "tags": pa.array([["p"], [], ["q"]], pa.large_list(pa.string())),
            "lists": pa.ListArray.from_arrays(pa.array([0, 2, 2, 3], pa.int32()), labels),
            "structures": pa.StructArray.from_arrays([labels], ["label"]),
        }
    )
    assert only_rows(write(tmp_path / "a.parquet", table)) == [
        {"label": "a", "text": "x", "tags": ["p"], "lists": ["a", "b"], "structures": {"label": "a"}},
        {"label": "b", "text": "y", "tags": [], "lists": [], "structures": {"label": "b"}},
        {"label": "a", "text": None, "tags": ["q"], "lists": ["a"], "structures": {"label": "a"}},
    ]


def test_what_json_cannot_hold_can_be_written(tmp_path):
    rows = [
        {
            "day": datetime.date(2020, 2, 29),
            "at": datetime.datetime(2020, 2, 29, 12, 30),
            "price": decimal.Decimal("1.50"),
            "raw": b"\x00\xff",
        }
    ]
    path = write(tmp_path / "a.parquet", rows)
    with TableWriter(tmp_path / "out.jsonl") as lines, TableWriter(tmp_path / "out.csv") as table:
        for row in only_rows(path):
            lines.write(row)
            table.write(row)
    written = json.loads((tmp_path / "out.jsonl").read_text())
    assert written == {"day": "2020-02-29", "at": "2020-02-29 12:30:00.000000", "price": "1.50", "raw": "AP8="}
    assert only_rows(tmp_path / "out.csv")[0]["day"] == "2020-02-29"


def test_it_is_not_written(tmp_path):
    with pytest.raises(UserError, match=r"out\.parquet: expected a name in \.jsonl, \.csv, \.tsv \(.*found \.parquet"):
        TableWriter(tmp_path / "out.parquet")


def test_what_was_read_from_it_is_printed_as_json(tmp_path, capsys):
    import sys

    with TableWriter(sys.stdout, format=".parquet") as writer:
        writer.write({"a": 1})
    assert writer.format == ".jsonl"
    assert capsys.readouterr().out == '{"a": 1}\n'


def test_a_label_without_a_name_is_a_bad_row(tmp_path):
    rows = [{"label": 0}, {"label": 2}, {"label": 1}]
    path = write(tmp_path / "a.parquet", rows, {"label": LABEL})
    with pytest.raises(UserError, match=r"a\.parquet:2: expected a label from 0 to 1, found 2; --skip-bad-lines"):
        list(read_rows(path))
    bad_lines = BadLines(skip=True)
    assert list(read_rows(path, bad_lines=bad_lines)) == [(1, {"label": "neg"}), (3, {"label": "pos"})]
    assert bad_lines.count == 1


def test_text_that_is_not_utf8_is_a_bad_row(tmp_path):
    raw = pa.array([b"good", b"caf\xe9", b"fine"], pa.binary()).view(pa.string())
    path = write(tmp_path / "a.parquet", pa.table({"text": raw}))
    bad_lines = BadLines(skip=True)
    assert list(read_rows(path, bad_lines=bad_lines)) == [(1, {"text": "good"}), (3, {"text": "fine"})]
    assert bad_lines.examples == [f"{path}:2: expected UTF-8 text, found the byte 0xe9"]


@pytest.mark.parametrize(
    "metadata",
    [
        b"{",
        b"[]",
        b'{"info": 3}',
        b'{"info": {"features": {"label": 3}}}',
        b'{"info": {"features": {"label": {"_type": "ClassLabel", "names": 7}}}}',
        b'{"info": {"features": {"label": {"_type": "Sequence"}}}}',
    ],
)
def test_damaged_metadata(tmp_path, metadata):
    table = pa.table({"label": [0, 1]}).replace_schema_metadata({b"huggingface": metadata})
    with pytest.raises(UserError, match=r"a\.parquet: the names of labels cannot be read from its schema"):
        list(read_rows(write(tmp_path / "a.parquet", table)))


@pytest.mark.parametrize(
    ("feature", "values"),
    [
        (LABEL, ["good", "bad"]),
        (LABEL, [0.5, 1.0]),
        (LABEL, [True, False]),
        ([LABEL], [0, 1]),
        ({"_type": "ClassLabel", "num_classes": 2}, [0, 1]),
        ({"a": LABEL}, [0, 1]),
    ],
)
def test_metadata_that_do_not_fit_the_column_change_nothing(tmp_path, feature, values):
    path = write(tmp_path / "a.parquet", [{"label": value} for value in values], {"label": feature, "gone": LABEL})
    assert [row["label"] for row in only_rows(path)] == values


def test_damaged_files(tmp_path):
    path = write(tmp_path / "a.parquet", [{"text": string.printable * 50, "label": n} for n in range(3000)])
    content = path.read_bytes()
    damaged = {"short": content[:-20], "half": content[: len(content) // 2], "none": b"", "other": b"text,label\na,b\n"}
    for name, piece in damaged.items():
        (tmp_path / f"{name}.parquet").write_bytes(piece)
        with pytest.raises(UserError, match=rf"{name}\.parquet: not a \.parquet file, cut short, or damaged; get it"):
            list(read_rows(tmp_path / f"{name}.parquet"))
    broken = bytearray(content)
    broken[4:400] = b"\x00" * 396
    (tmp_path / "broken.parquet").write_bytes(broken)
    with pytest.raises(UserError, match=r"broken\.parquet: not a \.parquet file, cut short, or damaged; get it again"):
        list(read_rows(tmp_path / "broken.parquet"))


def test_missing_empty_and_compressed_files(tmp_path):
    with pytest.raises(UserError, match=r"gone\.parquet: no such file"):
        read_rows(tmp_path / "gone.parquet")
    path = write(tmp_path / "empty.parquet", pa.table({"text": pa.array([], pa.string())}))
    with pytest.raises(UserError, match=r"empty\.parquet has column names and no rows"):
        list(read_rows(path))
    (tmp_path / "a.parquet.gz").write_bytes(b"")
    with pytest.raises(UserError, match=r"a\.parquet\.gz: \.parquet is compressed inside; unpack the file"):
        list(read_rows(tmp_path / "a.parquet.gz"))
    twice = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(UserError, match=r"every column needs its own name; its columns are 'a', 'a'"):
        list(read_rows(write(tmp_path / "twice.parquet", twice)))


def test_a_parquet_file_with_another_name_is_told(tmp_path):
    path = write(tmp_path / "a.csv", [{"text": "a"}])
    with pytest.raises(UserError, match=r"a\.csv is a \.parquet file, not plain text; name it a\.parquet"):
        list(read_rows(path))


def test_several_files_are_read_as_one(tmp_path):
    for number in range(2):
        write(tmp_path / f"train-0000{number}-of-00002.parquet", [{"n": number}, {"n": number + 10}])
    path = tmp_path / "train-*-of-00002.parquet"
    assert list(read_rows(path)) == [(1, {"n": 0}), (2, {"n": 10}), (3, {"n": 1}), (4, {"n": 11})]
    write(tmp_path / "train-00001-of-00002.parquet", [{"m": 1}])
    with pytest.raises(
        UserError, match=r"train-00001-of-00002\.parquet: its columns are 'm', and 'n' in .*train-00000"
    ):
        list(read_rows(path))


def test_rows_are_read_in_pieces_that_fit_memory(tmp_path):
    rows = [{"image": bytes(2**20), "n": n} for n in range(64)]
    path = write(tmp_path / "a.parquet", rows, row_group_size=8, compression="NONE", use_dictionary=False)
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    most = 0
    for number, row in read_rows(path):
        assert row["n"] == number - 1
        most = max(most, pool.bytes_allocated() - before)
    assert most < 40 * 2**20


@settings(max_examples=30, deadline=None)
@given(st.data(), st.integers(1, 5), st.integers(1, 3))
def test_what_pyarrow_writes_is_read_back(tmp_path_factory, data, count, group):
    kinds = data.draw(st.lists(st.sampled_from(["text", "number", "tags"]), min_size=1, max_size=3, unique=True))
    value = {
        "text": st.none() | st.text(max_size=8),
        "number": st.none() | st.integers(-(2**40), 2**40),
        "tags": st.none() | st.lists(st.text(max_size=3), max_size=3),
    }
    types = {"text": pa.string(), "number": pa.int64(), "tags": pa.list_(pa.string())}
    rows = [{kind: data.draw(value[kind]) for kind in kinds} for _ in range(count)]
    schema = pa.schema([(kind, types[kind]) for kind in kinds])
    path = tmp_path_factory.mktemp("parquet") / "a.parquet"
    write(path, pa.Table.from_pylist(rows, schema), row_group_size=group)
    assert list(read_rows(path)) == list(enumerate(rows, start=1))
