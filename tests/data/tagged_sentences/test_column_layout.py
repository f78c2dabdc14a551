"""How files of columns are laid out, in the shapes in which people have them: what is read, and what is said of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import BadLines, UserError
from data.files import Line
from data.tagged_sentences.column_layout import Wanted, find_layout
from data.tagged_sentences.columns import describe_columns, read_parts, read_tagged_sentences

SHAPES = {
    "eng.train": (
        "-DOCSTART- -X- O O\n\nUlm NNP I-NP I-LOC\nsank VBD I-VP O\n\n# SYM I-NP O\n7 CD I-NP O\n",
        "4, separated by blanks; the token is 1, the tag 4; 3 has tags of entities too (--tag-column 3)",
        [["Ulm", "sank"], ["#", "7"]],
        [["I-LOC", "O"], ["O", "O"]],
    ),
    "esp.train": (
        "Ulm B-LOC\n, O\nque O\n\nBar B-ORG\nBaz I-ORG\n \n",
        "2, separated by blanks; the token is 1, the tag 2",
        [["Ulm", ",", "que"], ["Bar", "Baz"]],
        [["B-LOC", "O", "O"], ["B-ORG", "I-ORG"]],
    ),
    "germeval.tsv": (
        "#\thttp://example.org/1 [2009-10-17]\n1\tUlm\tB-LOC\tO\n2\tsank\tO\tO\n\n"
        "#\thttp://example.org/2 [2010-01-02]\n1\tFC\tB-ORG\tO\n2\tUlm\tI-ORG\tB-LOC\n",
        "4, separated by tabs; the token is 2, the tag 4 (1 numbers the tokens); lines such as "
        "'#\\thttp://example.org/1 [2009-10-17]' are comments; 3 has tags of entities too (--tag-column 3)",
        [["Ulm", "sank"], ["FC", "Ulm"]],
        [["O", "O"], ["O", "B-LOC"]],
    ),
    "multiconer.conll": (
        "\n# id 5239d808\tdomain=en\nthe _ _ O\nUlm _ _ B-LOC\n\n\n# id 07fcda\tdomain=en\nhe _ _ O\nran _ _ O\n",
        "4, separated by blanks; the token is 1, the tag 4; lines such as '# id 5239d808\\tdomain=en' are comments",
        [["the", "Ulm"], ["he", "ran"]],
        [["O", "B-LOC"], ["O", "O"]],
    ),
    "two-multiconer.conll": (
        "# id 5239d808\tdomain=en\nthe\tO\nUlm\tB-LOC\n\n# id 07fcda\tdomain=en\nhe\tO\n",
        "2, separated by tabs; the token is 1, the tag 2; lines such as '# id 5239d808\\tdomain=en' are comments",
        [["the", "Ulm"], ["he"]],
        [["O", "B-LOC"], ["O"]],
    ),
    "wnut17.conll": (
        "@nasa\tO\nin\tO\n#Ulm\tB-location\n:)\tO\n\t\n#Ulm\tB-location\n#\tO\n",
        "2, separated by tabs; the token is 1, the tag 2",
        [["@nasa", "in", "#Ulm", ":)"], ["#Ulm", "#"]],
        [["O", "O", "B-location", "O"], ["B-location", "O"]],
    ),
    "bc5cdr.tsv": (
        "Selegiline\tB\n-\tO\ninduced\tO\nlow\tB\npressure\tI\n\n",
        "2, separated by tabs; the token is 1, the tag 2",
        [["Selegiline", "-", "induced", "low", "pressure"]],
        [["B", "O", "O", "B", "I"]],
    ),
    "msra.char": (
        "\u4e0a B-LOC\n\u6d77 E-LOC\n\u4eba O\n\u3002 O\n\n\u5317 B-LOC\n\u4eac M-LOC\n\u5e02 E-LOC\n",
        "2, separated by blanks; the token is 1, the tag 2",
        [["\u4e0a", "\u6d77", "\u4eba", "\u3002"], ["\u5317", "\u4eac", "\u5e02"]],
        [["B-LOC", "E-LOC", "O", "O"], ["B-LOC", "M-LOC", "E-LOC"]],
    ),
    "ontonotes.bio": (
        "token\tpos\tner\nThe\tDT\tB-WORK_OF_ART\nUlm\tNNP\tI-WORK_OF_ART\n\nfive\tCD\tB-CARDINAL\n",
        "3, separated by tabs; the token is 1, the tag 3; line 1 names them",
        [["The", "Ulm"], ["five"]],
        [["B-WORK_OF_ART", "I-WORK_OF_ART"], ["B-CARDINAL"]],
    ),
    "germeval-2014.tsv": (
        "#\thttp://example.org/1\t[2009-10-17]\t\n1\tUlm\tB-LOC\tO\n2\tsank\tO\tO\t\n\n"
        "#\thttp://example.org/2\t[2010-01-02]\t\n1\tFC\tB-ORG\tO\n2\tUlm\tI-ORG\tB-LOC\n",
        "4, separated by tabs; the token is 2, the tag 4 (1 numbers the tokens); lines such as "
        "'#\\thttp://example.org/1\\t[2009-10-17]\\t' are comments; 3 has tags of entities too (--tag-column 3)",
        [["Ulm", "sank"], ["FC", "Ulm"]],
        [["O", "O"], ["O", "B-LOC"]],
    ),
    "kaggle.csv": (
        'Sentence #,Word,POS,Tag\nSentence: 1,Ulm,NNP,B-geo\n,"1,000",CD,O\n,"""",``,O\nSentence: 2,he,PRP,O\n',
        "4, separated by commas; the token is 2, the tag 4; 1 tells sentences apart; line 1 names them",
        [["Ulm", "1,000", '"'], ["he"]],
        [["B-geo", "O", "O"], ["O"]],
    ),
    "without-names.csv": (
        "Sentence: 1,Ulm,NNP,B-geo\n,sank,VBD,O\n,.,.,O\nSentence: 2,he,PRP,O\n,ran,VBD,O\n,.,.,O\n",
        "4, separated by commas; the token is 2, the tag 4; 1 tells sentences apart",
        [["Ulm", "sank", "."], ["he", "ran", "."]],
        [["B-geo", "O", "O"], ["O", "O", "O"]],
    ),
    "by-name.csv": (
        ",pos,sentence_idx,word,prev-word,tag,,\n0,NNP,1,Ulm,,B-geo,,\n1,VBD,1,sank,Ulm,O,,\n2,PRP,2,he,,O,,\n",
        "8, separated by commas; the token is 4, the tag 6 (1 numbers the tokens); 3 tells sentences apart; "
        "line 1 names them",
        [["Ulm", "sank"], ["he"]],
        [["B-geo", "O"], ["O"]],
    ),
    "blank-lines.csv": (
        "word;tag\nUlm;B-LOC\nsank;O\n\nhe;O\n",
        "2, separated by semicolons; the token is 1, the tag 2; line 1 names them",
        [["Ulm", "sank"], ["he"]],
        [["B-LOC", "O"], ["O"]],
    ),
    "numbered-sentences.tsv": (
        "sentence_id\ttoken\ttag\n7\tUlm\tB-LOC\n7\tsank\tO\n8\the\tO\n",
        "3, separated by tabs; the token is 2, the tag 3; 1 tells sentences apart; line 1 names them",
        [["Ulm", "sank"], ["he"]],
        [["B-LOC", "O"], ["O"]],
    ),
    "restaurants.bio": (
        "B-Dish\tpho\nI-Dish\tbo\nO\there\n\nO\tnow\n",
        "2, separated by tabs; the token is 2, the tag 1",
        [["pho", "bo", "here"], ["now"]],
        [["B-Dish", "I-Dish", "O"], ["O"]],
    ),
    "en_ewt-ud-train.conllu": (
        "# text = He ran\n1\tHe\the\tPRON\tPRP\tCase=Nom\t2\tnsubj\t_\t_\n2\tran\trun\tVERB\tVBD\t_\t0\troot\t_\t_\n",
        "CoNLL-U; the token is form, the tag upos",
        [["He", "ran"]],
        [["PRON", "VERB"]],
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_shapes_of_public_files(tmp_path, name):
    text, said, tokens, tags = SHAPES[name]
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert describe_columns(path, Wanted()) == said
    read = read_tagged_sentences(path)
    assert (read.tokens, read.tags) == (tokens, tags)
    # Without the tags being wanted, the same tokens.
    parts = read_parts(path, Wanted(tag=None), "utf-8", BadLines())
    assert [part.tokens for part in parts if part.tokens] == tokens


@pytest.mark.parametrize(
    ("wanted", "tokens", "tags"),
    [
        (Wanted("2", "3"), ["a", "b"], ["X", "Y"]),
        (Wanted("last", "2"), ["O", "B-A"], ["a", "b"]),
        (Wanted("1", "last"), ["1", "2"], ["O", "B-A"]),
        (Wanted("4", "auto"), ["O", "B-A"], ["X", "Y"]),
        (Wanted("auto", "1"), ["a", "b"], ["1", "2"]),
    ],
)
def test_columns_by_number(tmp_path, wanted, tokens, tags):
    path = tmp_path / "a.tsv"
    path.write_text("1\ta\tX\tO\n2\tb\tY\tB-A\n")
    read = read_tagged_sentences(path, wanted.tag, token_column=wanted.token)
    assert (read.tokens, read.tags) == ([tokens], [tags])


def test_a_column_of_a_treebank_may_say_that_there_is_none(tmp_path):
    path = tmp_path / "a.conllu"
    path.write_text(SHAPES["en_ewt-ud-train.conllu"][0])
    for column, tags in [("feats", ["Case=Nom", "_"]), ("6", ["Case=Nom", "_"]), ("deps", ["_", "_"])]:
        assert read_tagged_sentences(path, column).tags == [tags]
    assert read_tagged_sentences(path, "feats", token_column="lemma").tokens == [["he", "run"]]
    with pytest.raises(UserError, match="CoNLL-U has no column 'word' for tokens; --token-column takes form, lemma"):
        read_tagged_sentences(path, token_column="word")


def test_an_odd_first_line_makes_no_other_line_bad(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("a note of six words here\n\n" + "Ann NNP B-PER\nsings VBZ O\n\n" * 60)
    with pytest.raises(UserError, match="a.conll:1: expected 3 columns, as on line 3, found 6 in 'a note of"):
        read_tagged_sentences(path)
    bad_lines = BadLines(skip=True)
    assert len(read_tagged_sentences(path, bad_lines=bad_lines)) == 60 and bad_lines.count == 1


def test_the_users_word_goes_before_names_and_tags(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("word,lemma,tag\nmen,man,O\nUlms,Ulm,B-LOC\n")
    assert read_tagged_sentences(path, "2", token_column="last").tokens == [["O", "B-LOC"]]
    assert read_tagged_sentences(path, token_column="2").tokens == [["man", "Ulm"]]
    path.write_text("I\tPRP\n")  # a word as well as a tag
    assert read_tagged_sentences(path).tokens == [["I"]]
    path.write_text("O\tin\nB-LOC\tUlm\n")
    assert read_tagged_sentences(path, token_column="1").tokens == [["O", "B-LOC"]]


def test_a_bad_line_of_a_table_costs_its_sentence_alone(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('Sentence #,Word,Tag\n1,Ulm,B-LOC\n,"sank,O\n2,he,O\n2,ran,O\n')
    with pytest.raises(UserError, match="a.csv:3: expected 3 columns, as on line 2, found 1 in "):
        read_tagged_sentences(path)
    assert read_tagged_sentences(path, bad_lines=BadLines(skip=True)).tokens == [["he", "ran"]]


@pytest.mark.parametrize("text", ["to Ulm\tO B-LOC\n" * 3, 'text,label\n"to, Ulm",x\nto Bonn,x\n'])
def test_sentences_in_a_column_are_not_taken_for_tokens(tmp_path, text):
    (tmp_path / "a.iob").write_text(text)
    with pytest.raises(UserError, match="a.iob:[12]: a sentence, as it seems"):
        read_tagged_sentences(tmp_path / "a.iob")


SENTENCES = [
    "Ann Lee arrived in Oslo.\n",
    "Ann lives in Oslo\n",
    "Ann saw the house .\nBob Lee lives near Ulm , it seems .\n",
    "Ann saw it .\n\nBob Lee lives near Ulm .\n\nSo be it .\n",
    "\u6211\u7231\u5317\u4eac\u3002\n\u4ed6\u4e0d\u5728\u8fd9\u91cc\u3002\n",
]


@pytest.mark.parametrize("tag", [None, "auto"])
@pytest.mark.parametrize("text", SENTENCES)
def test_sentences_are_not_taken_for_columns(tmp_path, text, tag):
    path = tmp_path / "raw.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"raw.txt:1: a sentence, as it seems .*predict RUN < FILE"):
        list(read_parts(path, Wanted(tag=tag), "utf-8", BadLines()))
    width = len(text.split("\n")[0].split())
    assert describe_columns(path, Wanted("1", None)).startswith(str(width))


@pytest.mark.parametrize(
    "text",
    ["Ann\n", "Ann\nsings\n.\n", "Ann O\n", "Ann X O\n", "Ann NNP\n\nBob NNP\n", "the D det\ncat N nsubj\n", ". . O\n"],
)
def test_columns_are_not_taken_for_sentences(tmp_path, text):
    (tmp_path / "a.conll").write_text(text)
    assert describe_columns(tmp_path / "a.conll", Wanted(tag=None)).startswith(str(len(text.split("\n")[0].split())))


def test_a_file_without_lines_has_no_columns():
    assert str(find_layout("a", [Line(1, "\n", ""), Line(2, "-DOCSTART- O\n", "")], Wanted())) == "none"


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t\n\r \ufeff"), min_size=1, max_size=4)
TAGS = st.sampled_from(["O", "B-A", "I-A", "B", "_", "VERB"])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(st.tuples(cells, cells, TAGS), min_size=2, max_size=4), min_size=2, max_size=4),
    st.sampled_from(["\t", " ", "   "]),
    st.sampled_from(["", "# id 1f\tdomain=en\n", "# text = a b c d e f\n", "#\thttp://example.org/ [x]\n"]),
    st.booleans(),
)
def test_what_is_written_is_read_back(tmp_path_factory, sentences, separator, comment, numbered):
    path = tmp_path_factory.mktemp("columns") / "a.conll"
    rows = [
        [[*([str(number)] if numbered else []), *row] for number, row in enumerate(sentence, 1)]
        for sentence in sentences
        if not any(row[0].startswith(("#", "-DOCSTART-")) for row in sentence)
    ]
    text = "\n".join(comment + "".join(separator.join(row) + "\n" for row in sentence) for sentence in rows)
    path.write_text(f"{text}\n", encoding="utf-8")
    if rows:
        read = read_tagged_sentences(path, token_column="2" if numbered else "1")
        assert read.tokens == [[row[-3] for row in sentence] for sentence in rows]
        assert read.tags == [[row[-1] for row in sentence] for sentence in rows]
