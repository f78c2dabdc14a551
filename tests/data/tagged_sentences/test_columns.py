import gzip
import lzma

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import BadLines, UserError
from data.sources.split_files import find_splits
from data.tagged_sentences.columns import SUFFIXES, TaggedSentences, read_tagged_sentences


def write(path, text: str, encoding="utf-8"):
    content = text.encode(encoding)
    compress = {".gz": gzip.compress, ".xz": lzma.compress}.get(path.suffix, bytes)
    path.write_bytes(compress(content))
    return path


COLUMNS = """-DOCSTART- -X- O O

EU NNP I-NP I-ORG
rejects VBZ I-VP O

Größe NN I-NP O
\t
-DOCSTART- -X- -X- O

# SYM I-NP O
Peter  NNP   I-NP I-PER"""

CONLLU = """# newdoc id = 1
# sent_id = 1
# text = vámonos al mar
1-2\tvámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tvamos\tir\tVERB\tV\t_\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\tP\t_\t1\tobj\t_\t_
2.1\tquizás\t_\tADV\tR\t_\t_\t_\t1:x\t_
3\t20 000\t_\tNUM\t_\t_\t1\tobl\t_\t_

# sent_id = 2
1\t#\t#\tSYM\t_\t_\t0\troot\t_\t_

# newdoc
1\tmar\tmar\tNOUN\tN\t_\t0\troot\t_\t_
"""


@pytest.mark.parametrize("compression", ["", ".gz", ".xz"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_columns(tmp_path, compression, encoding, line_end):
    path = write(tmp_path / f"eng.train{compression}", COLUMNS.replace("\n", line_end), encoding)
    sentences = read_tagged_sentences(path, encoding="utf-8" if encoding == "utf-8-sig" else encoding)
    assert sentences == TaggedSentences(
        tokens=[["EU", "rejects"], ["Größe"], ["#", "Peter"]],
        tags=[["I-ORG", "O"], ["O"], ["O", "I-PER"]],
        lines=[[3, 4], [6], [10, 11]],
    )


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_conllu(tmp_path, line_end):
    path = write(tmp_path / "es-ud-dev.conllu.gz", CONLLU.replace("\n", line_end))
    sentences = read_tagged_sentences(path)
    assert sentences == TaggedSentences(
        tokens=[["vamos", "nos", "20 000"], ["#"], ["mar"]],
        tags=[["VERB", "PRON", "NUM"], ["SYM"], ["NOUN"]],
        lines=[[5, 6, 8], [11], [14]],
    )
    for column in ("deprel", "DepRel", "8"):
        assert read_tagged_sentences(path, column).tags == [["root", "obj", "obl"], ["root"], ["root"]]


@pytest.mark.parametrize(
    ("column", "tags"), [("auto", ["O", "B-X"]), ("2", ["NN", "VB"]), ("3", ["I-NP", "I-VP"]), ("4", ["O", "B-X"])]
)
def test_a_column_by_number(tmp_path, column, tags):
    path = write(tmp_path / "a.tsv", "New York\tNN\tI-NP\tO\nb VB I-VP B-X\n\n\n\n")
    sentences = read_tagged_sentences(path, column)
    assert (sentences.tokens, sentences.tags) == ([["New York", "b"]], [tags])


def test_only_blanks_and_tabs_separate(tmp_path):
    # Other white space is part of tokens in real files.
    path = write(tmp_path / "a.conll", "10\u00a0000 B-A\n\u3000\tO\n a\u2028b  O \n\x0c O\n")
    assert read_tagged_sentences(path).tokens == [["10\u00a0000", "\u3000", "a\u2028b", "\x0c"]]


def test_what_begins_a_document_ends_a_sentence(tmp_path):
    def lines(text, name="a.conll"):
        return read_tagged_sentences(write(tmp_path / name, text)).lines

    assert lines("-DOCSTART- (1 EU)\n-DOCSTART-\tO\na O\n-DOCSTART- O\nb O\n\nc O\n") == [[3], [5], [7]]
    assert lines("-DOCSTARTS- O\na O\n") == [[1, 2]]
    row = "1\tx\tx\tX\t_\t_\t_\t_\t_\t_\n"
    assert lines(f"#newdoc\n{row}# newdocument\n{row}# newdoc id=3\n{row}", "a.conllu") == [[2, 4], [6]]


def test_a_very_long_sentence(tmp_path):
    path = write(tmp_path / "a.conll.xz", f"{'x' * 100_000} O\n" + "token B-A\n" * 65_000)
    sentences = read_tagged_sentences(path)
    assert [len(tokens) for tokens in sentences.tokens] == [65_001]
    assert sentences.lines[0][-1] == 65_001
    assert len(sentences.tokens[0][0]) == 100_000


@pytest.mark.parametrize(
    ("name", "text", "line", "message"),
    [
        ("a.conll", "a O\nb\n", 2, "expected a token and its tag, with a tab or a blank between, found 'b'"),
        ("a.conll", "a\n", 1, "expected a token and its tag, with a tab or a blank between, found 'a'"),
        (
            "a.conll",
            "b,O\n",
            1,
            "expected a token and its tag, with a tab or a blank between, found 'b,O'; commas separate",
        ),
        ("a.conll", "a X O\n\nb O\n", 3, "expected 3 columns, as on line 1, found 2 in 'b O'"),
        ("a.conll", "\na X O\nb X Y O\n", 3, "expected 3 columns, as on line 2, found 4 in 'b X Y O'"),
        ("a.conll", "a\tO\n\tO\n", 2, r"expected a token, found an empty column in '\tO'"),
        ("a.conll", "a\tO\nb\t\n", 2, r"expected a tag, found an empty column in 'b\t'"),
        ("a.conll", f"a O\n{'b' * 99}\n", 2, "expected a token and its tag"),
        ("a.conllu", "# x\n1 a a NOUN\n", 2, "expected the 10 columns of CoNLL-U, with tabs between, found 1 in '1 a"),
        ("a.conllu", "1\ta\ta\tNOUN\n", 1, r"expected the 10 columns of CoNLL-U, with tabs between, found 4 in '1\ta"),
        ("a.conllu", CONLLU.replace("\tNOUN", "\t_"), 14, "expected a tag in upos, found '_'; --tag-column NAME reads"),
        ("a.conllu", CONLLU.replace("\tNOUN", "\t"), 14, "expected a tag in upos, found ''"),
        ("a.conllu", CONLLU.replace("1\t#", "1\t"), 11, "expected a form, found an empty column"),
        ("a.conllu", CONLLU.replace("1\t#", "x\t#"), 11, "expected a word's number, such as 1, 1-2 or 1.1, found 'x'"),
    ],
)
def test_bad_lines_stop_the_run_with_their_number(tmp_path, name, text, line, message):
    path = write(tmp_path / name, text)
    with pytest.raises(UserError) as error:
        read_tagged_sentences(path)
    assert str(error.value).startswith(f"{path}:{line}: {message}")
    assert str(error.value).endswith("; --skip-bad-lines leaves such lines out")
    assert len(str(error.value)) < 400
    good = CONLLU if name == "a.conllu" else "c X O" if " X " in text else "c O"
    bad_lines = BadLines(skip=True)
    sentences = read_tagged_sentences(write(path, f"{text}\n{good}"), bad_lines=bad_lines)
    assert sentences.tokens[-1] == (["mar"] if name == "a.conllu" else ["c"])
    assert bad_lines.count == 1


def test_skipping_leaves_out_the_sentences_of_bad_lines(tmp_path):
    path = tmp_path / "a.conll"
    path.write_bytes(b"a O\n\nb O\nbad\nworse\nc O\n\nd O\ncaf\xe9 O\n-DOCSTART- O\ne O\n\nf\n\ng O O\nh O\n\ni O")
    bad_lines = BadLines(skip=True)
    sentences = read_tagged_sentences(path, bad_lines=bad_lines)
    assert sentences == TaggedSentences([["a"], ["e"], ["i"]], [["O"]] * 3, [[1], [11], [18]])
    assert [example.split(": ")[0].rpartition(":")[2] for example in bad_lines.examples] == ["4", "5", "9", "13", "15"]
    assert bad_lines.count == 5
    with pytest.raises(UserError, match=r"a\.conll:4: "):
        read_tagged_sentences(path)
    path.write_bytes(b"a O\ncaf\xe9 O\n")
    with pytest.raises(UserError, match=r"a\.conll:2: expected utf-8 text, found the byte 0xe9 .*; --encoding latin-1"):
        read_tagged_sentences(path)
    with pytest.raises(UserError, match=r"a\.conll: no sentence can be used: 1 bad line left out \(.*a\.conll:2: "):
        read_tagged_sentences(path, bad_lines=BadLines(skip=True))
    assert read_tagged_sentences(path, encoding="latin-1").tokens == [["a", "café"]]


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize(
    ("name", "text", "column", "message"),
    [
        ("a.conll", "", "auto", "a.conll is empty"),
        ("a.conllu.gz", "\n \n", "auto", "a.conllu.gz is empty"),
        ("a.conll", "-DOCSTART- O\n\n", "auto", "a.conll has no sentences; expected a token and its tag a line"),
        ("a.conllu", "# a comment\n", "auto", "a.conllu has no sentences"),
        (
            "a.conll",
            "\na O\n",
            "3",
            "a.conll:2: expected a column 3, found 2 columns; --tag-column takes a number from ",
        ),
        ("a.conll", "a O\n", "1", "a.conll: column 1 cannot be the token and the tag; --token-column and --tag-column"),
        (
            "a.conll",
            "a O\n",
            "-1",
            "a.conll: --tag-column -1: expected the number of a column, from 1 on, last or auto",
        ),
        ("a.conll", "a O\n", "0", "a.conll: --tag-column 0: expected the number of a column, from 1 on, last or auto"),
        ("a.conll", "a O\n", "upos", "a.conll: --tag-column upos: expected the number"),
        (
            "a.conllu",
            CONLLU,
            "id",
            "a.conllu: CoNLL-U has no column 'id' for tags; --tag-column takes form, lemma, upos",
        ),
        ("a.conllu", CONLLU, "pos", "a.conllu: CoNLL-U has no column 'pos' for tags"),
        ("a.conllu", CONLLU, "11", "a.conllu: CoNLL-U has no column '11' for tags"),
    ],
)
def test_empty_files_and_missing_columns(tmp_path, name, text, column, message, skip):
    with pytest.raises(UserError, match=message):
        read_tagged_sentences(write(tmp_path / name, text), column, bad_lines=BadLines(skip=skip))


def test_missing_and_damaged_files(tmp_path):
    with pytest.raises(UserError, match=r"a\.conll: no such file"):
        read_tagged_sentences(tmp_path / "a.conll")
    (tmp_path / "a.conll.xz").write_bytes(lzma.compress(b"a O\n" * 9)[:-20])
    with pytest.raises(UserError, match=r"a\.conll\.xz: the archive is cut short or damaged"):
        read_tagged_sentences(tmp_path / "a.conll.xz", bad_lines=BadLines(skip=True))


def test_some_sentences(tmp_path):
    sentences = read_tagged_sentences(write(tmp_path / "a.conll", COLUMNS))
    assert sentences.select([2, 0]) == TaggedSentences(
        [["#", "Peter"], ["EU", "rejects"]], [["O", "I-PER"], ["I-ORG", "O"]], [[10, 11], [3, 4]]
    )
    without_lines = TaggedSentences([["a"], ["b"]], [["O"], ["X"]])
    assert without_lines.select([1]) == TaggedSentences([["b"]], [["X"]])


def test_the_files_of_a_folder(tmp_path):
    names = ["eng.train.xz", "eng.testa.xz", "eng.testb.xz", "README", "readme.txt", "notes.md", "metadata"]
    for name in names:
        (tmp_path / name).touch()
    splits = find_splits(tmp_path, SUFFIXES)
    assert {split: path.name for split, path in splits.files.items()} == {
        "train": "eng.train.xz",
        "validation": "eng.testa.xz",
        "test": "eng.testb.xz",
    }
    for suffix in SUFFIXES:
        (tmp_path / f"x{suffix}").mkdir()
        for stem in ("en_ewt-ud-train", "valid"):
            (tmp_path / f"x{suffix}" / f"{stem}{suffix}.gz").touch()
        assert set(find_splits(tmp_path / f"x{suffix}", SUFFIXES).files) == {"train", "validation"}


# What a token can be in a file of columns: no white space that separates, and no mark of a document.
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t\n\r \ufeff"), min_size=1, max_size=6)
rows = st.tuples(words.filter(lambda token: token != "-DOCSTART-"), words, words)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(rows, min_size=1, max_size=5), min_size=1, max_size=5),
    st.sampled_from(["\t", " ", "  "]),
    st.sampled_from(["\n", "\n \n\n"]),
    st.sampled_from([1, 2]),
)
def test_what_is_written_is_read_back(tmp_path_factory, sentences, separator, blank, column):
    path = tmp_path_factory.mktemp("columns") / "a.conll"
    text = blank.join("".join(f"{separator.join(row)}\n" for row in sentence) for sentence in sentences)
    read = read_tagged_sentences(write(path, text), str(column + 1))
    assert read.tokens == [[row[0] for row in sentence] for sentence in sentences]
    assert read.tags == [[row[column] for row in sentence] for sentence in sentences]
    lines = text.split("\n")
    for tokens, numbers in zip(read.tokens, read.lines):
        assert [lines[number - 1].split(separator)[0] for number in numbers] == tokens
