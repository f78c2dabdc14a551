"""Tables of texts and labels: what is written in whatever way is read back, without a flag."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import json_text
from data.errors import BadLines, UserError
from data.labelled_texts.files import LABEL_COLUMNS, TEXT_COLUMNS, Reading, described, read_labelled_texts
from data.tables import rows as table_rows
from data.tables.delimited import Writing
from data.tables.dialect import DELIMITERS
from data.tables.table_writer import TableWriter, unused_names

# Each with what it can write.
ENCODINGS = {"utf-8": None, "utf-8-sig": None, "utf-16": None, "latin-1": 0xFF, "cp1252": 0x7F}
MARKS = '",;|\t\n\r\\ '


def texts_in(encoding: str, without: str = ""):
    characters = st.characters(max_codepoint=ENCODINGS[encoding], exclude_categories=["Cs"], exclude_characters=without)
    return st.text(st.one_of(characters, st.sampled_from([mark for mark in MARKS if mark not in without])), max_size=8)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(sorted(ENCODINGS)), st.sampled_from([*sorted(DELIMITERS), "json"]))
def test_what_is_written_is_read_back_without_a_flag(tmp_path_factory, data, encoding, form):
    folder = tmp_path_factory.mktemp("tables")
    delimiter = DELIMITERS.get(form, ",")
    often_bare = delimiter in Writing.OFTEN_BARE
    # There, lines that each make a complete row are never joined.
    texts = texts_in(encoding, without=f"{delimiter}\n\r" if often_bare else "")
    pairs = data.draw(st.lists(st.tuples(texts, texts), min_size=1, max_size=4))
    pairs = [(f"x{text}", f"{label.strip()}y") for text, label in pairs]
    path = folder / ("a.jsonl" if form == "json" else "a.csv")
    writing = Writing(delimiter, data.draw(st.sampled_from(["needed", "evident"])) if often_bare else "needed")
    with TableWriter(path, ["text", "label"], writing=writing) as writer:
        for text, label in pairs:
            writer.write({"text": text, "label": label})
    if encoding != "utf-8":
        path.write_bytes(path.read_bytes().decode().encode(encoding))
    read = read_labelled_texts(path, Reading(encoding="utf-8" if encoding == "utf-8-sig" else encoding))
    assert list(zip(read.texts, read.labels)) == pairs
    if form == "json":
        lines = [json.loads(line) for line in path.read_bytes().decode(encoding).split("\n") if line]
        array = folder / "array.json"
        array.write_bytes(json.dumps(lines, ensure_ascii=False, indent=1).encode(encoding))
        read = read_labelled_texts(array, Reading(encoding="utf-8" if encoding == "utf-8-sig" else encoding))
        assert list(zip(read.texts, read.labels)) == pairs


def test_json_is_an_array_or_an_object_on_each_line(tmp_path, monkeypatch):
    file = tmp_path / "a.json"
    for text in (
        '[{"text": "a", "label": 1}, {"text": "\\ud83d", "label": 0}]',
        '\n\n[\n {"text": "a",\n  "label": 1},\n{"text": "\\ud83d", "label": 0}]\n',
        '{"text": "a", "label": 1}\n\n{"text": "\\ud83d", "label": 0}\n',
    ):
        file.write_text(text)
        read = read_labelled_texts(file)
        assert (read.texts, read.labels) == (["a", "\ufffd"], ["1", "0"])
    assert described(file, Reading(), ["text", "label"]) == "text in 'text', label in 'label'"
    for text, message in (
        ('\n[{"text": "a"},\n{"text": ]', r"a\.json:3: expected an array of JSON objects \(Expecting value"),
        ('[{"text": "a", "label": 1}', r"a\.json:1: expected an array of JSON objects \(Expecting ','"),
        ("[" * 100_000, r"a\.json:1: expected an array of JSON objects"),
        (
            '{\n  "text": "a"\n}\n',
            r"a\.json:1: expected a JSON object, found '{' .*; write one on each line, or an arr",
        ),
        ("[]", r"a\.json is empty"),
        ('[{"text": "caf\u00e9"}]', r"a\.json:1: expected utf-8 text, found the byte 0xe9"),
    ):
        file.write_bytes(text.encode("latin-1"))
        with pytest.raises(UserError, match=message):
            read_labelled_texts(file)
    monkeypatch.setattr(json_text, "LARGEST_VALUE", 30)
    file.write_text('[{"text": "a", "label": 1},\n{"text": "b", "label": 0}]')
    with pytest.raises(
        UserError, match="more than 30 characters, the most that is read whole; write an object on each line"
    ):
        read_labelled_texts(file)


def test_what_is_no_number_is_no_label(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text('{"text": "a", "label": 1}\n{"text": "b", "label": NaN}\n')
    with pytest.raises(UserError, match=r"a\.jsonl:2: expected a label in 'label', found NaN"):
        read_labelled_texts(file)
    bad_lines = BadLines(skip=True)
    assert read_labelled_texts(file, bad_lines=bad_lines).labels == ["1"] and bad_lines.count == 1


def test_new_columns_have_names_that_no_column_has():
    names = ["predicted_label", "predicted_score"]
    assert unused_names(["text"], names) == names
    assert unused_names(["predicted_score", "predicted_label (2)"], names) == [f"{name} (3)" for name in names]


README = Path(__file__).parents[3] / "templates" / "sentiment" / "README.md"


def readme_formats() -> dict[str, tuple[str, list[str]]]:
    """The files that the README shows, by name: what is in each, and the flags beside it."""
    block = README.read_text(encoding="utf-8").partition("The same row as each format has it")[2].split("```")[1]
    found: dict[str, tuple[str, list[str]]] = {}
    for line in block.strip("\n").split("\n"):
        name, (text, _, flags) = line[:17].strip() or list(found)[-1], line[17:].partition("   ")
        before = found.get(name, ("", []))
        found[name] = before[0] + text.replace("<TAB>", "\t") + "\n", before[1] + flags.split()
    return found


@pytest.mark.parametrize("name", readme_formats())
def test_the_lines_of_the_readme_are_read(tmp_path, name):
    text, flags = readme_formats()[name]
    (tmp_path / name).write_text(text, encoding="utf-8")
    given = {flag[2:].replace("-", "_"): value for flag, value in zip(flags[::2], flags[1::2], strict=True)}
    read = read_labelled_texts(tmp_path / name, Reading(**given))
    assert (read.texts, read.labels) == (["Dull, and far too long."], ["0"])
    assert read.lines == [text.count("\n")]


def test_the_readme_names_the_formats_and_the_columns():
    text = README.read_text(encoding="utf-8")
    suffixes = {*table_rows.TABLE_SUFFIXES, *table_rows.TEXT_SUFFIXES}
    assert {Path(name).suffix for name in readme_formats()} | {".parquet"} == suffixes
    assert not [name for name in (*TEXT_COLUMNS, *LABEL_COLUMNS) if f"`{name}`" not in text.lower()]
