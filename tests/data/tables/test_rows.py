import gzip
import json
import lzma

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from data.errors import BadLines, UserError
from data.labelled_texts.files import TEXT_COLUMNS, Reading, find_columns, find_text_column, read_labelled_texts
from data.tables.dialect import Layout
from data.tables.rows import read_rows, read_text_rows
from data.tables.table_writer import TableWriter


def write(path, text: str, encoding="utf-8"):
    content = text.encode(encoding)
    compress = {".gz": gzip.compress, ".xz": lzma.compress}.get(path.suffix, bytes)
    path.write_bytes(compress(content))
    return path


ROWS = [
    {"text": "good", "label": "1"},
    {"text": 'größer, "als"\nzwei\r\nZeilen\u2028', "label": "0"},
    {"text": "  ", "label": "1"},
]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
@pytest.mark.parametrize("compression", ["", ".gz", ".xz"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_rows_of_every_format(tmp_path, suffix, compression, encoding):
    delimiter = "," if suffix == ".csv" else "\t"
    if suffix == ".jsonl":
        text = "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS) + "\n\n"
    else:
        fields = [["text", "label"], ["good", "1"], ['"größer, ""als""\nzwei\r\nZeilen\u2028"', "0"], ["  ", "1"]]
        text = "\n".join(delimiter.join(row) for row in fields) + "\n\n"
    path = write(tmp_path / f"a{suffix}{compression}", text, encoding)
    rows = list(read_rows(path, "utf-16" if encoding == "utf-16" else "utf-8"))
    assert [row for _, row in rows] == ROWS
    # The quoted record of the delimited formats spans three lines.
    assert [number for number, _ in rows] == ([1, 2, 3] if suffix == ".jsonl" else [2, 3, 6])


def test_line_ends_of_windows(tmp_path):
    for name, text in [("a.csv", 'text,label\r\n"a,b",1\r\nc,0\r\n'), ("b.csv", "text,label\r\na,1\r\n\r\nb,0")]:
        rows = [tuple(row.values()) for _, row in read_rows(write(tmp_path / name, text))]
        assert rows == ([("a,b", "1"), ("c", "0")] if name == "a.csv" else [("a", "1"), ("b", "0")])


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_very_long_fields_and_nul(tmp_path, suffix):
    long = "word, " * 50_000
    rows = [{"text": long, "label": "a\0b"}, {"text": f'{long}"\n{long}', "label": "c"}]
    with TableWriter(tmp_path / f"a{suffix}") as writer:
        for row in rows:
            writer.write(row)
    assert [row for _, row in read_rows(tmp_path / f"a{suffix}")] == rows


@pytest.mark.parametrize(
    ("name", "text", "line", "message"),
    [
        ("a.csv", "text,label\na,1\nb\n", 3, "expected 2 fields, found 1"),
        ("a.csv", "text,label\na,1,2\n", 2, "expected 2 fields, found 3"),
        ("a.csv", 'text,label\n"a\nb",1\n"c\nd"\n', 4, "expected 2 fields, found 1"),
        (
            "a.csv",
            'text,label\na,1\n"open,1\nb,0\n',
            3,
            "expected well-formed quotes, found a quote that is never closed",
        ),
        ("a.csv", 'text,label\n"he said "no"",1\n', 2, "expected well-formed quotes, found text after a closing quote"),
        ("a.csv", 'text,label\n"a",b\rc\n', 2, "expected well-formed quotes, found a carriage return outside quotes"),
        ("a.tsv", "text\tlabel\na\n", 2, "expected 2 fields, found 1"),
        ("a.jsonl", '{"text": "a"}\n{"text": \n', 2, "expected a JSON object, found '{\"text\":' (Expecting value"),
        ("a.jsonl", "text,label\n", 1, "expected a JSON object, found 'text,label'"),
        ("a.jsonl", '{"text": "a"}\n[{"text": "a"}]\n', 2, 'expected a JSON object, found [{"text": "a"}]'),
        ("a.json", '[{"text": "a"},\n{"text": "b"}, 12]', 3, "expected a JSON object, found 12"),
        ("a.jsonl", "12\n", 1, "expected a JSON object, found 12"),
        ("a.jsonl", "null\n", 1, "expected a JSON object, found nothing"),
        ("a.jsonl", '{"a": ' + "[" * 100_000 + "\n", 1, 'expected a JSON object, found \'{"a": [[['),
        ("a.jsonl", '{"n": ' + "1" * 5000 + "}\n", 1, "expected a JSON object"),
    ],
)
def test_bad_lines_stop_the_run_with_their_number(tmp_path, name, text, line, message):
    path = write(tmp_path / name, text)
    with pytest.raises(UserError) as error:
        list(read_rows(path))
    assert str(error.value).startswith(f"{path}:{line}: {message}")
    assert str(error.value).endswith("; --skip-bad-lines leaves such lines out")
    assert len(str(error.value)) < 400
    bad_lines = BadLines(skip=True)
    list(read_rows(path, bad_lines=bad_lines))
    assert bad_lines.count == 1
    assert bad_lines.examples[0].startswith(f"{path}:{line}: {message}")


def test_skipping_costs_the_bad_lines_only(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b'text,label\n"open,1\nb,0\ncaf\xe9,1\nc,1,2\n"d\nd",1\n"e \xe9\ne",1\nf,0\n"open,1\n')
    bad_lines = BadLines(skip=True)
    assert [row["text"] for _, row in read_rows(path, bad_lines=bad_lines)] == ["b", "d\nd", "f"]
    assert [example.split(": ")[0].rpartition(":")[2] for example in bad_lines.examples] == ["2", "4", "5", "8", "11"]
    assert bad_lines.count == 5
    with pytest.raises(UserError, match=r"a\.csv:2"):
        list(read_rows(path, "latin-1"))
    path.write_bytes(b'text,label\nb,0\n"x\ncaf\xe9",1\n')
    with pytest.raises(UserError, match=r"a\.csv:4: expected utf-8 text, found the byte 0xe9 at position 4; --enc"):
        list(read_rows(path))
    assert [row["text"] for _, row in read_rows(path, "latin-1")] == ["b", "x\ncafé"]


def test_tsv_without_quoting_is_taken_as_it_stands(tmp_path):
    lines = ['"open\t1', 'say "so"\t0', '"It\'s" good\t1', 'the "end"\t0', '"whole"\t1', '5" disk\t0']
    path = write(tmp_path / "a.tsv", "text\tlabel\n" + "\n".join(lines) + "\n")
    rows = [tuple(row.values()) for _, row in read_rows(path)]
    assert rows == [
        ('"open', "1"),
        ('say "so"', "0"),
        ('"It\'s" good', "1"),
        ('the "end"', "0"),
        ('"whole"', "1"),
        ('5" disk', "0"),
    ]
    # Here the quotes would even pair up over two lines; but each line is a row of its own.
    path = write(tmp_path / "b.tsv", 'label\ttext\n1\t"Well\n0\ta so-called "film"\n1\tfine\n')
    assert [row["text"] for _, row in read_rows(path)] == ['"Well', 'a so-called "film"', "fine"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "a.csv is empty"),
        ("a.jsonl", "\n \n", "a.jsonl is empty"),
        ("a.tsv", "\ufeff", "a.tsv is empty"),
        ("a.csv", "text,label\n", "a.csv has column names and no rows"),
        ("a.csv.gz", "", "a.csv.gz is empty"),
        ("a.xlsx", "x", r"a.xlsx: expected a name in \.jsonl, \.csv, \.tsv, \.json, \.parquet, \.txt .*, found \.xlsx"),
        ("a", "", "a is empty"),
        ("a.txt.gz", "text\tlabel\n", "a.txt.gz has column names and no rows"),
    ],
)
def test_empty_and_foreign_files(tmp_path, name, content, message):
    with pytest.raises(UserError, match=message):
        list(read_rows(write(tmp_path / name, content)))


def test_a_truncated_archive(tmp_path):
    path = tmp_path / "a.jsonl.xz"
    path.write_bytes(lzma.compress(b'{"text": "a", "label": 1}\n' * 9)[:-20])
    with pytest.raises(UserError, match=r"a\.jsonl\.xz: the archive is cut short or damaged"):
        read_labelled_texts(path, bad_lines=BadLines(skip=True))


def test_labels_become_stripped_strings(tmp_path):
    values = [1, 0, True, " pos ", 2.5, "1"]
    text = "".join(json.dumps({"id": 7, "label": value, "rating": 9, "text": str(value)}) + "\n" for value in values)
    result = read_labelled_texts(write(tmp_path / "a.jsonl", text))
    assert result.labels == ["1", "0", "true", "pos", "2.5", "1"]
    assert result.texts == ["1", "0", "True", " pos ", "2.5", "1"]
    assert result.lines == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{"text": "a", "label": null}', "expected a label in 'label', found nothing"),
        ('{"text": "a", "label": "  "}', "expected a label in 'label', found '  '"),
        ('{"text": "a"}', "expected a label in 'label', found nothing"),
        ('{"text": "a", "label": ["x"]}', "expected a label in 'label', found \\[\"x\"\\]"),
        ('{"text": null, "label": 1}', "expected a text in 'text', found nothing"),
        ('{"label": 1}', "expected a text in 'text', found nothing"),
        ('{"text": {"a": "b"}, "label": 1}', "expected a text in 'text', found {"),
    ],
)
def test_rows_without_a_usable_text_or_label(tmp_path, row, message):
    path = write(tmp_path / "a.jsonl", f'{{"text": "", "label": "x"}}\n{row}\n')
    with pytest.raises(UserError, match=f"a.jsonl:2: {message}.*; --skip-bad-lines"):
        read_labelled_texts(path)
    bad_lines = BadLines(skip=True)
    result = read_labelled_texts(path, bad_lines=bad_lines)
    assert (result.texts, result.labels, result.lines, bad_lines.count) == ([""], ["x"], [1], 1)
    with pytest.raises(UserError, match="no row can be used: 1 bad line left out"):
        read_labelled_texts(write(tmp_path / "b.jsonl", '{"text": null, "label": 1}'), bad_lines=BadLines(skip=True))


def test_columns_are_found_or_named(tmp_path):
    def find(*columns, **given):
        return find_columns("a.csv", dict.fromkeys(columns, "x"), Reading(**given))

    assert find("id", "rating", "Sentiment", " Review ") == (" Review ", "Sentiment")
    assert find("body", "text", "tag", "label") == ("text", "label")
    assert find("text", "x", "y", label_column="Y") == ("text", "y")
    assert find("v1", "v2", "3", "4", "5") == ("v2", "v1")
    for label in ("airline_sentiment", "Liked", "stars", "rating", "target", "category"):
        assert find("Tweet", label) == ("Tweet", label)
    assert find("text", "x", "y", label_column="3") == ("text", "y")
    assert find("text", "x", "1", label_column="1") == ("text", "1")
    assert find_text_column("a.csv", {"text": "a", "Text": "b"}, Reading("Text")) == "Text"
    # A name that is there in training, and not taken there, is not taken elsewhere.
    training = ("text", "sentiment", "stars")
    assert find_columns("a.csv", {"text": "a", "stars": "1"}, Reading(), training, need_labels=False) == ("text", None)
    assert find_columns("a.csv", {"text": "a", "label": "1"}, Reading(), training) == ("text", "label")
    with pytest.raises(UserError) as error:
        find("great film", "1")
    assert str(error.value) == (
        f"a.csv: no text column ({', '.join(TEXT_COLUMNS)}); its columns are 'great film', '1'; use --text-column NAME"
    )
    with pytest.raises(
        UserError, match=r"no label column \(label, .*its columns are 'text', 'x'; use --label-column N"
    ):
        find("text", "x")
    with pytest.raises(UserError, match="its columns have no names; they begin 1: 'x', 2: 'x'; use --text-column NUM"):
        find("1", "2")
    with pytest.raises(UserError, match="a.csv: no column 'txt'; its columns are 'text', 'label'; use --text-column"):
        find("text", "label", text_column="txt")
    with pytest.raises(UserError, match="'text' cannot be both the text and the label"):
        find("text", "label", label_column="text")


def test_a_column_without_a_name_is_looked_for_once(tmp_path):
    (tmp_path / "a.csv").write_text(",label\ngood,pos\nbad,neg\n")
    asked = []
    found = read_text_rows(tmp_path / "a.csv", lambda row: asked.append(row) or "")
    assert [row.text for row in found] == ["good", "bad"] and len(asked) == 1


def test_half_characters_in_json_are_replaced(tmp_path):
    row = r'{"text": "\ud83d\ude00 \ud83d", "label": "\udc00x", "other": [{"\ud800": "\ud800"}]}'
    [(_, read)] = read_rows(write(tmp_path / "a.jsonl", row))
    assert read == {"text": "😀 \ufffd", "label": "\ufffdx", "other": [{"\ufffd": "\ufffd"}]}


characters = st.characters(exclude_categories=["Cs"])
texts = st.text(st.one_of(characters, st.sampled_from('",\t\n\r\\ \u2028\ufeff\0')), max_size=12)


@settings(max_examples=150, deadline=None)
@given(st.lists(texts, min_size=1, max_size=4, unique=True), st.data(), st.sampled_from(["", ".gz", ".xz"]))
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_what_is_written_is_read_back(tmp_path_factory, suffix, columns, data, compression):
    table = data.draw(st.lists(st.lists(texts, min_size=len(columns), max_size=len(columns)), min_size=1, max_size=5))
    if suffix == ".tsv":
        # Lines that each make a complete row are never joined (see read_rows).
        assume(not any(mark in field for row in [columns, *table] for field in row for mark in "\t\n\r"))
    layout = Layout("comma" if suffix == ".csv" else "tab", header=True)
    path = tmp_path_factory.mktemp("tables") / f"a{suffix}{compression}"
    rows = [dict(zip(columns, fields)) for fields in table]
    with TableWriter(path) as writer:
        for row in rows:
            writer.write(row)
    assert [row for _, row in read_rows(path, layout=layout)] == rows
