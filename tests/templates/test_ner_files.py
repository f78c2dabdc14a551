"""What `predict ner --file` writes is read back: the tokens, and the tags that were found."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import BadLines, UserError
from data.tagged_sentences.column_layout import Wanted
from data.tagged_sentences.columns import read_parts, read_tagged_sentences
from data.tagged_sentences.tag_schemes import convert
from templates.ner import pipeline
from templates.ner.config import Config
from templates.ner.files import with_tags


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(["a", "#x", "10\u00a0000", "O", "."]), min_size=1, max_size=4), min_size=1),
    st.sampled_from(["\t", " "]),
    st.sampled_from([1, 2, 3]),
    st.sampled_from(["BIES", "BILU", "BMES"]),
)
def test_columns_with_tags_are_read_back(tmp_path_factory, sentences, separator, width, letters):
    path = tmp_path_factory.mktemp("columns") / "a.conll"
    text = "\n".join("".join(separator.join([token, "X", "Y"][:width]) + "\n" for token in row) for row in sentences)
    path.write_text(text, encoding="utf-8")
    tags = [convert(["B-A", "I-A", "E-A", "O"][: len(row)], "IOBES", "IOBES", letters) for row in sentences]
    parts = [part for part in read_parts(path, Wanted("1", None), "utf-8", BadLines()) if part.tokens]
    written = "\n".join("".join(with_tags(part, row, False)) for part, row in zip(parts, tags, strict=True))
    path.write_text(written, encoding="utf-8")
    read = read_tagged_sentences(path, "last", token_column="1")
    assert (read.tokens, read.tags) == (sentences, tags)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (
            'Sentence #,Word,Tag\n1,Ulm,B-LOC\n,"1,000",O\n2,he,O\n',
            'Sentence #,Word,Tag,predicted_tag\n1,Ulm,B-LOC,T\n,"1,000",O,T\n2,he,O,T\n',
        ),
        ("token\ttag\nUlm\tB-LOC\n\nhe\tO\n", "token\ttag\tpredicted_tag\nUlm\tB-LOC\tT\n\nhe\tO\tT\n"),
    ],
)
def test_the_answers_of_a_table_have_their_column(tmp_path, text, written):
    path = tmp_path / "a.csv"
    path.write_text(text)
    parts = list(read_parts(path, Wanted(tag=None), "utf-8", BadLines()))
    assert "".join(line for part in parts for line in with_tags(part, ["T"] * len(part.tokens), False)) == written
    before = read_tagged_sentences(path)
    path.write_text(written)
    assert read_tagged_sentences(path) == before


def test_a_file_without_blank_lines_is_named(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("Ulm\tB-LOC\nsank\tO\n" * 600)
    config = Config(data=str(path))
    opened = pipeline.open_source(config, pipeline.find_source(config))
    with pytest.raises(UserError, match=r"a.tsv: one sentence of 1,200 tokens \(a blank line ends a sentence\) is too"):
        opened.read(["train"])
    assert len(opened.read(["all"])["all"]) == 1
