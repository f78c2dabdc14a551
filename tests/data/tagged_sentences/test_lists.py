"""Sentences in tables of lists, as `datasets` and the hub have them."""

import json

import pyarrow
import pyarrow.parquet
import pytest

from data.errors import BadLines, UserError
from data.tagged_sentences.column_layout import Wanted
from data.tagged_sentences.columns import TaggedSentences, describe_columns, read_tagged_sentences

ROWS = [
    {"id": "0", "tokens": ["Ann", "Lee", "sings"], "pos_tags": [0, 0, 1], "ner_tags": [1, 2, 0]},
    {"id": "1", "tokens": [], "pos_tags": [], "ner_tags": []},
    {"id": "2", "tokens": ["10\u00a0000"], "pos_tags": [1], "ner_tags": [0]},
]
NAMES = {"pos_tags": ["NN", "VB"], "ner_tags": ["O", "B-PER", "I-PER"]}
READ = TaggedSentences([["Ann", "Lee", "sings"], ["10\u00a0000"]], [["B-PER", "I-PER", "O"], ["O"]], [[1, 1, 1], [3]])


def write(path, rows=ROWS, names=NAMES):
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path
    features = {name: {"_type": "Sequence", "feature": {"_type": "ClassLabel", "names": names[name]}} for name in names}
    table = pyarrow.Table.from_pylist(rows)
    described = json.dumps({"info": {"features": features}}) if names else None
    table = table.replace_schema_metadata({"huggingface": described} if described else {})
    pyarrow.parquet.write_table(table, path)
    return path


def test_numbers_of_tags_in_parquet_have_their_names(tmp_path):
    path = write(tmp_path / "train.parquet")
    assert read_tagged_sentences(path) == READ
    assert read_tagged_sentences(path, "pos_tags").tags == [["NN", "NN", "VB"], ["VB"]]
    assert describe_columns(path, Wanted()) == (
        "lists; the tokens are tokens, the tags ner_tags; pos_tags could be the tags too (--tag-column pos_tags)"
    )


def test_lists_in_jsonl(tmp_path):
    named = [row | {"ner_tags": [NAMES["ner_tags"][number] for number in row["ner_tags"]]} for row in ROWS]
    assert read_tagged_sentences(write(tmp_path / "a.jsonl", named)) == READ
    (tmp_path / "a.json").write_text(json.dumps(named))  # an array of them
    assert read_tagged_sentences(tmp_path / "a.json") == READ
    renamed = [{"woerter": row["tokens"], "etiketten": row["ner_tags"]} for row in named]
    path = write(tmp_path / "b.jsonl", renamed)
    assert read_tagged_sentences(path, "etiketten", token_column="woerter") == READ
    with pytest.raises(
        UserError, match="a column of lists called tokens.*--token-column names one: woerter, etiketten"
    ):
        read_tagged_sentences(path)


def test_numbers_without_names_are_tags_and_it_is_said(tmp_path):
    path = write(tmp_path / "a.parquet", names={})
    assert read_tagged_sentences(path).tags == [["1", "2", "0"], ["0"]]
    assert "the tags ner_tags, numbers without names" in describe_columns(path, Wanted())


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"tokens": ["a", "b"], "ner_tags": ["O"]}, "a.jsonl:2: expected as many ner_tags as tokens, found 1 and 2"),
        (
            {"tokens": ["a", ""], "ner_tags": ["O", "O"]},
            "a.jsonl:2: expected a list of texts, none of them empty, in to",
        ),
        ({"tokens": ["a"], "ner_tags": [None]}, "a.jsonl:2: expected a list of texts, none of them empty, in ner_tags"),
        ({"tokens": "a b"}, "a.jsonl:2: expected a list of texts, none of them empty, in tokens, found 'a b'"),
        ({}, "a.jsonl:2: expected a list of texts, none of them empty, in tokens, found nothing"),
    ],
)
def test_a_bad_row_is_named_or_left_out(tmp_path, bad, message):
    good = {"tokens": ["a"], "ner_tags": ["O"]}
    path = write(tmp_path / "a.jsonl", [good, bad, good])
    with pytest.raises(UserError, match=message):
        read_tagged_sentences(path)
    bad_lines = BadLines(skip=True)
    assert read_tagged_sentences(path, bad_lines=bad_lines).lines == [[1], [3]] and bad_lines.count == 1


@pytest.mark.parametrize(
    ("rows", "wanted", "message"),
    [
        ([{"text": "a b", "label": "x"}], Wanted(), "expected a column of lists called tokens, .*its columns are text"),
        ([{"tokens": ["a"]}], Wanted(), "expected a column of lists called ner_tags.*its columns are tokens"),
        ([{"tokens": ["a"], "ner_tags": ["O"]}], Wanted("1"), "--token-column 1: expected a column of lists: tokens, "),
        (
            [{"tokens": ["a"], "ner_tags": ["O"]}],
            Wanted(tag="x"),
            "--tag-column x: expected a column of lists: ner_tags",
        ),
        ([{"tokens": [], "ner_tags": []}], Wanted(), "has no sentences; every list of tokens is empty"),
        ([], Wanted(), "a.jsonl is empty"),
    ],
)
def test_a_table_without_such_lists_is_named(tmp_path, rows, wanted, message):
    with pytest.raises(UserError, match=message):
        read_tagged_sentences(write(tmp_path / "a.jsonl", rows), wanted.tag, token_column=wanted.token)
