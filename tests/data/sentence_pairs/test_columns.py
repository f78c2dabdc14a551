"""Tables of sentence pairs: what their lines are taken for, and that what is written is read again."""

import json

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from data.errors import BadLines, UserError
from data.sentence_pairs.columns import Reading, find_pair_columns, is_table
from data.sentence_pairs.files import find_pairs
from data.sentence_pairs.languages import UNNAMED, Languages
from data.sentence_pairs.pairs import SentencePairs, read_pair_table
from data.tables.table_writer import TableWriter
from templates.translation.translations import write_translations

SENTENCES = [
    ("Go.", "Va !"),
    ('"I am hungry."', "« J'ai faim. »"),
    ('He said "no".', "Il a dit non."),
    ("Hi; bye", "Si"),
]
DOUBTFUL = ("no,non", "yes,oui")


def table(path, *lines, separator="\t"):
    """A file of some lines, and then the sentences."""
    rows = (separator.join(sentences) for sentences in SENTENCES)
    path.write_text("".join(f"{line}\n" for line in (*lines, *rows)), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "first, languages",
    [
        ("de\ten", ("de", "en")),
        ("DEU\tENG", ("DEU", "ENG")),
        ("zh-Hans\tpt_BR", ("zh-Hans", "pt_BR")),
        ("English words/sentences\tFrench words/sentences", ("English words/sentences", "French words/sentences")),
        ("src\ttgt", ("src", "tgt")),
        ("tgt\tsrc", ("src", "tgt")),
        ("sentence\ttranslation", ("sentence", "translation")),
        ("English\tYoruba", ("English", "Yoruba")),
        ("sentence_en\tfrench_sentence", ("sentence_en", "french_sentence")),
        ("eng\tpcm", ("eng", "pcm")),
    ],
)
def test_a_line_that_names_the_columns_is_no_pair(tmp_path, first, languages):
    pairs = find_pairs(table(tmp_path / "a.tsv", first))
    assert pairs.languages == languages and "column names in the first line" in pairs.notice
    assert len(pairs.read("all")) == len(SENTENCES)


@pytest.mark.parametrize("first", ["no\tnon", "yes\toui", "is\test", "question\tanswer", "en\ten", "French\tfrançais"])
def test_a_pair_that_looks_a_little_like_names_is_a_pair(tmp_path, first):
    pairs = find_pairs(table(tmp_path / "a.tsv", first))
    assert pairs.notice == "separated by tabs, no line of column names; source in '1', target in '2'"
    read = pairs.read("all")
    assert (read.sources[0], read.targets[0], read.lines[0]) == (*first.split("\t"), 1)
    assert read.sources[1:] == [source for source, _ in SENTENCES]
    # Whoever knows better says so.
    named = find_pairs(tmp_path / "a.tsv", reading=Reading(header=True)) if first != "en\ten" else None
    assert named is None or len(named.read("all")) == len(SENTENCES)


@pytest.mark.parametrize(
    "first, others, languages",
    [
        ("id,en,fr", "{0},I will wait {0}.,J'attends {0}.", ("en", "fr")),
        ("id,en", "Saya menunggu {0}.,I will wait {0}.", ("id", "en")),
        ("Unnamed: 0,English,French", "{0},Wait {0}.,Attends {0}.", ("English", "French")),
        (",Deutsch,Englisch", "{0},Warte {0}.,Wait {0}.", ("Deutsch", "Englisch")),
        (
            "source,english_sentence,hindi_sentence",
            "ted,I wait {0}.,J'attends {0}.",
            ("english_sentence", "hindi_sentence"),
        ),
        ("id,en_source,uz_target,split", "{0},I will wait {0}.,Men kutaman {0}.,train", ("en_source", "uz_target")),
        ("index,original,translation,scores", '{0},Wait {0}.,Attends {0}.,"[7, 8]"', ("original", "translation")),
        ("Question,Answer", "How are you {0}?,I am well {0}.", ("Question", "Answer")),
        ("Deutsch,Englisch", "Ich warte {0}.,I will wait {0}.", ("Deutsch", "Englisch")),
        ("eng,lug", "I will wait {0}.,Nja kulinda {0}.", ("eng", "lug")),
        ("Question,Answer,,", "How are you {0}?,I am well {0}.,,", ("Question", "Answer")),
        ("input,output", "私は待ちます{0},I will wait {0}.", ("input", "output")),
    ],
)
def test_a_first_line_that_is_unlike_the_others_names_the_columns(tmp_path, first, others, languages):
    path = tmp_path / "a.csv"
    path.write_text(first + "\n" + "".join(f"{others.format(number)}\n" for number in range(60)), encoding="utf-8")
    pairs = find_pairs(path)
    assert pairs.languages == languages and "column names in the first line; source in" in pairs.notice
    assert pairs.read("all").lines == list(range(2, 62))
    assert read_pair_table(path, reading=Reading(header=False)).lines == list(range(1, 62))


@pytest.mark.parametrize("first", ["no,non", "is,est", "Hello world,Bonjour", "Wait.,Attends.", "yes,oui"])
def test_a_short_pair_over_long_ones_is_a_pair_and_where_that_is_doubtful_it_is_said(tmp_path, first):
    path = tmp_path / "a.csv"
    path.write_text(f"{first}\n" + "I will wait.,J'attends ici.\nI will go.,Je pars.\n")
    pairs = find_pairs(path)
    assert (len(pairs.read("all")), pairs.languages) == ((2, ("is", "est")) if first == "is,est" else (3, UNNAMED))
    told = "; 'no', 'non' taken for a pair (--header: column names)"
    assert (told.replace("'no', 'non'", ", ".join(map(repr, first.split(",")))) in pairs.notice) == (first in DOUBTFUL)


def test_further_columns_are_not_read(tmp_path):
    with_names = tmp_path / "names.tsv"
    with_names.write_text("en\tfr\tattribution\nGo.\tVa !\tCC-BY 2.0 (France)\n", encoding="utf-8")
    assert find_pairs(with_names).languages == ("en", "fr")
    assert find_pairs(with_names).read("all") == SentencePairs(["Go."], ["Va !"], [2])
    for rows, columns in (
        (["Go.\tVa !\tCC-BY #1", "Hi.\tSalut !\tCC-BY #2"], ("1", "2")),
        (["1276\tGo.\t99\tVa !", "1277\tHi.\t98\tSalut !"], ("2", "4")),
        (["eng\tfra\tGo.\tVa !", "eng\tfra\tHi.\tSalut !"], ("3", "4")),
        (["1.25\thttp://a.org/en\tGo.\tVa !", "1.15\thttp://b.org\tHi.\tSalut !"], ("3", "4")),
        # No two columns of sentences: the first two.
        (["1\t2\tthree", "2\t3\tfour"], ("1", "2")),
    ):
        path = tmp_path / "a.tsv"
        path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
        found = find_pair_columns(path)
        assert (found.source, found.target) == columns


def test_columns_by_number_turn_a_table_without_names(tmp_path):
    path = table(tmp_path / "a.tsv")
    assert read_pair_table(path, Languages("2", "1")).sources[0] == "Va !"
    assert read_pair_table(path, Languages("en", "fr")).sources[0] == "Go."
    with pytest.raises(UserError, match=r"^--source-language de: .*a.tsv:1 has en, fr$"):
        find_pairs(table(path, "en\tfr"), Languages("de"))


@pytest.mark.parametrize("separator, name", [(",", "comma"), (";", "semicolon"), ("|", "bar"), ("\t", "tab")])
def test_any_separator_and_the_flag_that_names_it(tmp_path, separator, name):
    path = tmp_path / "a.csv"
    rows = [("en", "fr"), ("Go.", "Va"), ("Hi.", "Salut"), ("I am.", "Je suis.")]
    path.write_text("".join(f"{separator.join(row)}\n" for row in rows), encoding="utf-8")
    for reading in (Reading(), Reading(delimiter=name), Reading(delimiter=separator)):
        pairs = find_pairs(path, reading=reading)
        assert pairs.notice.startswith(f"separated by {name}s, column names in the first line; source in 'en'")
        assert pairs.read("all", reading).targets == ["Va", "Salut", "Je suis."]
    assert len(read_pair_table(path, reading=Reading(header=False))) == 4


def test_rows_of_the_hub_are_pairs_within_a_column(tmp_path):
    path = tmp_path / "a.jsonl"
    rows = [{"id": number, "translation": {"en": en, "fr": fr}} for number, (en, fr) in enumerate(SENTENCES)]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert read_pair_table(path) == SentencePairs(*map(list, zip(*SENTENCES)), [1, 2, 3, 4])
    assert read_pair_table(path, Languages("fr")).sources[0] == "Va !"
    path.write_text('{"id": 1, "q": "Go.", "a": "Va !"}\n{"id": 2, "q": "Hi.", "a": null}\n')
    with pytest.raises(UserError, match="has id, q, a; choose with --source-language and --target-language$"):
        find_pairs(path)
    bad_lines = BadLines(skip=True)
    assert read_pair_table(path, Languages("q", "a"), bad_lines=bad_lines).targets == ["Va !"]
    assert bad_lines.examples == [f"{path}:2: expected a target sentence, found nothing beside 'Hi.'"]


@pytest.mark.parametrize("nested", [True, False])
def test_parquet_files_of_the_hub(tmp_path, nested):
    rows = [{"translation": {"en": en, "fr": fr}} if nested else {"en": en, "fr": fr} for en, fr in SENTENCES]
    write = lambda name, rows: pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / name)  # noqa: E731
    for number in (0, 1):
        write(f"train-0000{number}-of-00002.parquet", rows[2 * number : 2 * number + 2])
    write("validation-00000-of-00001.parquet", rows[:1])
    pairs = find_pairs(tmp_path)
    assert pairs.languages == ("en", "fr") and pairs.notice == "source in 'en', target in 'fr'"
    assert pairs.read("train") == SentencePairs(*map(list, zip(*SENTENCES)), [1, 2, 3, 4])
    assert find_pairs(tmp_path, Languages("fr")).read("validation").sources == ["Va !"] and len(pairs.used) == 3


def test_text_files_are_tables_where_tabs_separate_their_columns(tmp_path):
    (tmp_path / "jesc").mkdir()
    for split in ("train", "dev", "test"):
        table(tmp_path / "jesc" / split)
    (tmp_path / "jesc" / "notes").write_text("of these files\n")
    pairs = find_pairs(tmp_path / "jesc")
    assert list(pairs.files) == ["validation", "test", "train"] and [path.name for path in pairs.ignored] == ["notes"]
    assert len(pairs.read("train")) == len(SENTENCES)
    assert is_table(table(tmp_path / "fra.txt")) and find_pairs(tmp_path / "fra.txt").read("all").sources[0] == "Go."
    (tmp_path / "lines.txt").write_text("A line, and another.\nNo tab here.\n")
    assert not is_table(tmp_path / "lines.txt") and not is_table(tmp_path / "lines.de")


def test_a_file_for_which_only_the_source_is_needed(tmp_path):
    def columns(text, asked):
        path = tmp_path / "a.tsv"
        path.write_text(text, encoding="utf-8")
        found = find_pair_columns(path, asked, need_target=False)
        return found.source, found.target, found.dialect.has_header

    assert columns("de\nHund\n", Languages("de", "en")) == ("de", None, True)
    assert columns("id\tDE\n1\tHund\n", Languages("de", "en")) == ("DE", None, True)
    # As in training, where these might be numbers and their names.
    assert columns("1\teins\n2\tzwei\n", Languages("de", "en")) == ("1", None, False)
    assert columns("1\tHund\n2\tKatze\n", Languages("2")) == ("2", None, False)
    assert columns("Hund\nKatze\n", Languages()) == ("1", None, False)
    assert columns("en\tde\nDog\tHund\n", Languages()) == ("en", None, True)
    with pytest.raises(UserError, match="a.tsv:1: no column 'de'; --source-language names one of 'id', 'text'$"):
        columns("id\ttext\n1\tHund\n", Languages("de", "en"))


# What is written is read again

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('"\t\n\r,;|\\'), min_size=1)
some_pairs = st.lists(st.tuples(texts, texts).filter(lambda pair: all(map(str.strip, pair))), min_size=1, max_size=6)


def assume_told_apart(rows):
    """Lines that each make a complete row are never joined (see `Writing`): no field is to be cut into such."""
    assume(not any({"\t", "\n"} <= set(field) for pair in rows for field in pair))


@pytest.mark.parametrize("suffix", [".tsv", ".csv", ".jsonl"])
@given(rows=some_pairs)
@example(rows=[('"I am hungry."', 'He said "no".'), ('"', '""')])
@example(rows=[("no", "non")])
def test_written_pairs_are_read_again(tmp_path_factory, suffix, rows):
    if suffix == ".tsv":
        assume_told_apart(rows)
    path = tmp_path_factory.mktemp("written") / f"a{suffix}"
    with TableWriter(path) as writer:
        for source, target in rows:
            writer.write({"de": source, "en": target})
    read = read_pair_table(path, Languages("de", "en"))
    assert list(zip(read.sources, read.targets, strict=True)) == rows


@given(rows=some_pairs)
def test_a_runs_translations_are_read_again(tmp_path_factory, rows):
    assume_told_apart(rows)
    path = tmp_path_factory.mktemp("written") / "translations_test.tsv"
    sources, targets = map(list, zip(*rows))
    write_translations(path, SentencePairs(sources, targets), targets[::-1], np.zeros(len(rows)))
    read = read_pair_table(path, Languages("source", "reference"))
    assert (read.sources, read.targets) == (sources, targets)
    assert read_pair_table(path, Languages("source", "translation")).targets == targets[::-1]


@given(
    lines=st.lists(st.text(st.sampled_from('ab "\t\t,;'), max_size=9), min_size=1, max_size=8),
    first=st.sampled_from(["", "de\ten\n", "en\tde\n", "no\tnon\n", '"de"\t"en"\n']),
    asked=st.sampled_from([Languages(), Languages("de", "en"), Languages("2", "1")]),
)
@example(lines=['a\tb\t\t""'], first="de\ten\n", asked=Languages())
def test_what_is_trained_on_is_what_is_answered(tmp_path_factory, lines, first, asked):
    path = tmp_path_factory.mktemp("lines") / "a.tsv"
    path.write_text(first + "".join(f"{line}\n" for line in lines))
    try:
        trained_on = read_pair_table(path, asked, bad_lines=BadLines(skip=True))
        languages = find_pair_columns(path, asked).languages
    except UserError:
        return
    columns = find_pair_columns(path, asked if languages == ("source", "target") else languages, need_target=False)
    answered = {line: source for line, _, (source, _) in columns.rows(path, "utf-8", BadLines(skip=True))}
    assert [answered[line] for line in trained_on.lines] == trained_on.sources
    assert columns.dialect == find_pair_columns(path, asked).dialect


def test_lines_that_are_all_markup_are_no_sentences(tmp_path):
    for language in ("de", "en"):
        lines = [f"<url>http://{language}</url>", "<title>Talk</title>", f" Hi {language}.", f"<b>x</b> y {language}"]
        lines += ["<reviewer href=''>A. B.</reviewer>"] if language == "de" else []
        (tmp_path / f"train.tags.de-en.{language}").write_text("".join(f"{line}\n" for line in lines))
    pairs = find_pairs(tmp_path, Languages("de", "en"))
    assert pairs.read("train").sources == [" Hi de.", "<b>x</b> y de"]
    assert "without the lines of train.tags.de-en.de that are marked up" in pairs.notice


def test_a_name_that_tells_the_pair_of_languages_needs_no_flags(tmp_path):
    for name in ("Books.en-fr.en", "Books.en-fr.fr", "Books.en-fr.ids", "Books.en-fr.de"):
        (tmp_path / name).write_text("a\n")
    assert find_pairs(tmp_path / "Books.en-fr.fr").languages == ("fr", "en")
