"""Sentence pairs: which files hold them, what is read of them, and which are not trained on."""

import gzip
import lzma
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import BadLines, UserError
from data.sentence_pairs.columns import Reading
from data.sentence_pairs.files import find_pairs
from data.sentence_pairs.filters import filter_pairs
from data.sentence_pairs.known_datasets import DATASETS
from data.sentence_pairs.languages import Languages
from data.sentence_pairs.pairs import SentencePairs, read_pair_table, read_parallel_files
from data.sources.opened_source import OpenedSource
from data.sources.source import resolve_source
from data.tables.rows import TABLE_SUFFIXES

DE_EN = Languages("de", "en")


def write(folder, files):
    """Writes files; what is called .gz or .xz is packed."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        content = text if isinstance(text, bytes) else text.encode()
        pack = {".gz": gzip.compress, ".xz": lzma.compress}.get(Path(name).suffix, bytes)
        (folder / name).write_bytes(pack(content))
    return folder


def message(call, *arguments, **options):
    with pytest.raises(UserError) as error:
        call(*arguments, **options)
    return str(error.value)


@pytest.fixture
def corpus(tmp_path):
    """A folder of three languages, with other files beside."""
    files = {f"train.{language}.gz": f"{language} 1\n{language} 2\n" for language in ("de", "en", "fr")}
    files |= {"val.de": "de 3\n", "val.en.xz": "en 3\n", "val.fr": "fr 3\n", "test_2016.de": "de 4\n"}
    files |= {"test_2016.en": "en 4\n", "test_2016.fr": "fr 4\n", "images_train.txt.gz": "1.jpg\n", "README.md": "of"}
    return write(tmp_path / "corpus", files)


# Parallel files


def test_line_by_line_the_second_file_translates_the_first(tmp_path):
    write(tmp_path, {"a.de.gz": "\ufeffguten Tag\r\n\r\n ja \n", "a.en.xz": "good day\n\n yes"})
    pairs = read_parallel_files(tmp_path / "a.de.gz", tmp_path / "a.en.xz")
    assert pairs == SentencePairs(["guten Tag", " ja "], ["good day", " yes"], [1, 3])
    assert len(pairs) == 2
    assert pairs.select([1, 0, 1]) == SentencePairs(
        [" ja ", "guten Tag", " ja "], [" yes", "good day", " yes"], [3, 1, 3]
    )
    assert SentencePairs(["a", "b"], ["c", "d"]).select([1]) == SentencePairs(["b"], ["d"])


@pytest.mark.parametrize("skip", [False, True])
def test_files_of_different_lengths_stop_the_run_before_any_bad_line(tmp_path, skip):
    write(tmp_path, {"a.de": "eins\n\nzwei\n", "a.en": "one\ntwo\n"})
    said = message(read_parallel_files, tmp_path / "a.de", tmp_path / "a.en", bad_lines=BadLines(skip))
    assert said == (
        f"parallel files must have the same number of lines; {tmp_path}/a.de has 3 and {tmp_path}/a.en has 2"
    )


def test_a_pair_with_one_side_is_a_bad_line(tmp_path):
    write(tmp_path, {"a.de": "eins\nzwei\n\t \nvier\n", "a.en": "one\n\nthree\nfour\n"})
    paths = tmp_path / "a.de", tmp_path / "a.en"
    assert message(read_parallel_files, *paths) == (
        f"{paths[1]}:2: expected a target sentence, found nothing beside 'zwei' of a.de; "
        "--skip-bad-lines leaves such lines out"
    )
    bad_lines = BadLines(skip=True)
    assert read_parallel_files(*paths, bad_lines=bad_lines) == SentencePairs(["eins", "vier"], ["one", "four"], [1, 4])
    assert bad_lines.count == 2
    assert bad_lines.examples[1] == f"{paths[0]}:3: expected a source sentence, found nothing beside 'three' of a.en"


def test_a_line_that_is_not_valid_in_the_encoding_is_a_bad_line(tmp_path):
    write(tmp_path, {"a.de": "gr\xfcn\nblau\n".encode("latin-1"), "a.en": "green\nblue\n"})
    paths = tmp_path / "a.de", tmp_path / "a.en"
    assert message(read_parallel_files, *paths).startswith(f"{paths[0]}:1: expected utf-8 text, found the byte 0xfc")
    bad_lines = BadLines(skip=True)
    assert read_parallel_files(*paths, bad_lines=bad_lines) == SentencePairs(["blau"], ["blue"], [2])
    assert bad_lines.count == 1
    assert read_parallel_files(*paths, encoding="latin-1").sources == ["grün", "blau"]


def test_no_pair_at_all(tmp_path):
    write(tmp_path, {"a.de": "\n", "a.en": "\n", "b.de": "eins\n", "b.en": "\n", "c.tsv": "", "d.tsv": "de\ten\n"})
    assert (
        message(read_parallel_files, tmp_path / "a.de", tmp_path / "a.en") == f"{tmp_path}/a.de has no sentence pairs"
    )
    said = message(read_parallel_files, tmp_path / "b.de", tmp_path / "b.en", bad_lines=BadLines(skip=True))
    assert said.startswith(f"{tmp_path}/b.de: no pair can be used: 1 bad line left out (")
    assert message(read_pair_table, tmp_path / "c.tsv") == f"{tmp_path}/c.tsv is empty"
    assert message(read_pair_table, tmp_path / "d.tsv") == f"{tmp_path}/d.tsv has column names and no rows"
    write(tmp_path, {"e.tsv": "de\ten\n\t\n"})
    assert message(read_pair_table, tmp_path / "e.tsv") == f"{tmp_path}/e.tsv has no sentence pairs"


# .tsv files


@pytest.mark.parametrize(
    "asked, text, expected",
    [
        (Languages(), "eins\tone\n", ("source", "target", "eins", "one", 1)),
        (Languages(), "de\ten\neins\tone\n", ("de", "en", "eins", "one", 2)),
        (Languages("en", "de"), "de\ten\neins\tone\n", ("en", "de", "one", "eins", 2)),
        (Languages("en"), "de\ten\neins\tone\n", ("en", "de", "one", "eins", 2)),
        (Languages(target="DE"), "\n de \ten\neins\tone\n", ("en", "de", "one", "eins", 3)),
        (Languages("fr", "de"), "de\ten\tfr\neins\tone\tun\n", ("fr", "de", "un", "eins", 2)),
        (DE_EN, "number\ten\tde\n7\tone\teins\n", ("de", "en", "eins", "one", 2)),
        (Languages(), "target\tsource\none\teins\n", ("source", "target", "eins", "one", 2)),
        (Languages(), "pt_BR\tzh-Hans\num\t一\n", ("pt_BR", "zh-Hans", "um", "一", 2)),
        # Nothing names the columns: the first two.
        (DE_EN, "eins\tone\tCC BY\n", ("de", "en", "eins", "one", 1)),
        (Languages("en", "de"), "eins\tone\n", ("en", "de", "eins", "one", 1)),
        (Languages("de"), "eins\tone\n", ("de", "target", "eins", "one", 1)),
        (Languages(), "Hi\tHe\n", ("source", "target", "Hi", "He", 1)),
        (Languages(), "de\tde\n", ("source", "target", "de", "de", 1)),
    ],
)
def test_columns_are_named_by_the_first_line_or_are_the_first_two(tmp_path, asked, text, expected):
    write(tmp_path, {"a.tsv": text})
    files = find_pairs(tmp_path / "a.tsv", asked)
    source, target, *pair, line = expected
    assert files.languages == (source, target)
    assert files.read("all") == SentencePairs([pair[0]], [pair[1]], [line])
    told = "no line of column names; source in '1', target in '2'" if line == 1 else "column names in the first line"
    assert told in files.notice


def test_a_language_that_no_column_has(tmp_path):
    path = write(tmp_path, {"a.tsv": "de\tfr\tit\neins\tun\tuno\n"}) / "a.tsv"
    assert message(find_pairs, path, DE_EN) == f"--target-language en: {path}:1 has de, fr, it"
    assert message(find_pairs, path) == (
        f"{path}:1 has de, fr, it; choose with --source-language and --target-language"
    )
    assert message(find_pairs, path, Languages("fr")) == f"{path}:1 has de, fr, it; choose with --target-language"
    said = "--source-language and --target-language are both de; a translation needs two languages"
    assert message(find_pairs, path, Languages("de", "de")) == said


def test_bad_lines_of_a_table(tmp_path):
    text = 'eins\tone\nzwei\ndrei\tthree\t3\n\tfour\n\t\n"fünf\t"five"\r\nsechs\t \n'
    path = write(tmp_path, {"a.tsv": text}) / "a.tsv"
    assert (
        message(read_pair_table, path)
        == f"{path}:2: expected 2 fields, found 1; --skip-bad-lines leaves such lines out"
    )
    bad_lines = BadLines(skip=True)
    # A quote is no more than a character; the line of two blank sides is not bad.
    assert read_pair_table(path, bad_lines=bad_lines) == SentencePairs(["eins", '"fünf'], ["one", '"five"'], [1, 6])
    assert bad_lines.examples == [
        f"{path}:2: expected 2 fields, found 1",
        f"{path}:3: expected 2 fields, found 3",
        f"{path}:4: expected a source sentence, found nothing beside 'four'",
        f"{path}:7: expected a target sentence, found nothing beside 'sechs'",
    ]
    write(tmp_path, {"b.tsv": "lines\nwithout tabs\n", "c.tsv": "odd\n" + "eins\tone\n" * 9})
    assert message(read_pair_table, tmp_path / "b.tsv") == (
        f"{tmp_path}/b.tsv: expected a sentence, a tab and its translation in every row, found one column; "
        "--delimiter names another separator"
    )
    assert message(read_pair_table, tmp_path / "c.tsv").startswith(f"{tmp_path}/c.tsv:1: expected 2 fields, found 1;")
    assert read_pair_table(tmp_path / "c.tsv", bad_lines=BadLines(skip=True)).lines == list(range(2, 11))


def test_the_encoding_holds_for_the_columns_names_too(tmp_path):
    path = write(tmp_path, {"a.tsv": "de\ten\ngrün\tgreen\n".encode("utf-16")}) / "a.tsv"
    assert "found UTF-16; add --encoding utf-16" in message(find_pairs, path)
    files = find_pairs(path, reading=Reading("utf-16"))
    assert files.languages == ("de", "en")
    assert files.read("all", Reading("utf-16")) == SentencePairs(["grün"], ["green"], [2])


# Folders


def test_a_folder_of_parallel_files(corpus):
    files = find_pairs(corpus, DE_EN)
    assert files.languages == DE_EN
    assert list(files.files) == ["test_2016", "train", "validation"]
    assert {path.name for path in files.used} == {
        *("train.de.gz", "train.en.gz", "val.de", "val.en.xz", "test_2016.de", "test_2016.en")
    }
    assert files.read("train") == SentencePairs(["de 1", "de 2"], ["en 1", "en 2"], [1, 2])
    assert files.read("dev").targets == ["en 3"]
    assert files.read("test") == files.read("test_2016") == SentencePairs(["de 4"], ["en 4"], [1])
    ignored = ["README.md", "images_train.txt.gz", "test_2016.fr", "train.fr.gz", "val.fr"]
    assert [path.name for path in files.ignored] == ignored
    assert find_pairs(corpus, Languages("EN", "Fr")).read("train").targets == ["fr 1", "fr 2"]
    write(corpus, {"test_2017.de": "de 5\n", "test_2017.en": "en 5\n"})
    assert message(find_pairs(corpus, DE_EN).read, "test") == (
        f"{corpus}: 'test' could mean test_2016 or test_2017; name the one that runs are to be measured on 'test', or choose one with evaluate --split"
    )


@pytest.mark.parametrize(
    "names",
    [
        ("train.de-en.de", "train.de-en.en"),
        ("wmt.train.en-de.de.xz", "wmt.train.en-de.en"),
        ("news-train.de", "TRAIN.EN"),
        ("train.de", "train.en", "train.de-fr.de", "train.de-fr.fr"),
    ],
)
def test_names_of_training_files(tmp_path, names):
    write(tmp_path, dict.fromkeys(names, "x\n"))
    files = find_pairs(tmp_path, DE_EN)
    assert {path.name for path in (files.path("train"), files.targets[files.path("train")])} == set(names[:2])


def test_words_for_a_split_within_the_names_of_parallel_files(tmp_path, corpus):
    write(
        tmp_path / "eutrans", {f"{stem}.{end}": "x\n" for stem in ("training", "test", "dev") for end in ("en", "es")}
    )
    found = find_pairs(tmp_path / "eutrans", Languages("es", "en"))
    assert {split: path.name for split, path in found.files.items()} == {
        "train": "training.es",
        "validation": "dev.es",
        "test": "test.es",
    }
    before = find_pairs(corpus, DE_EN)
    write(corpus, {"train_lengths.csv": "a,b\n1,2\n", "old_train.de": "x\n", "old_train.en": "x\n"})
    assert find_pairs(corpus, DE_EN).files == before.files | {"old_train": corpus / "old_train.de"}


def test_languages_that_are_not_given(corpus):
    there = f"{corpus} has de, en, fr"
    assert message(find_pairs, corpus) == f"{there}; choose with --source-language and --target-language"
    assert message(find_pairs, corpus, Languages(target="de")) == f"{there}; choose with --source-language"
    assert message(find_pairs, corpus, Languages("de", "cs")) == (
        f"{corpus} has no file in cs, such as train.cs (plain, .gz or .xz); it has de, en, fr"
    )
    (corpus / "train.fr.gz").unlink()
    # French has no training files any more.
    assert find_pairs(corpus, Languages("de")).languages == DE_EN
    assert find_pairs(corpus, Languages(target="de")).languages == ("en", "de")
    assert message(find_pairs, corpus) == f"{corpus} has de, en; choose with --source-language and --target-language"


def test_a_file_without_counterpart(corpus):
    write(corpus, {"test_2018.en": "en 5\n"})
    # Not a split that everybody has: nothing is wrong with its lacking German.
    assert "test_2018.en" in [path.name for path in find_pairs(corpus, DE_EN).ignored]
    (corpus / "val.en.xz").unlink()
    said = f"{corpus}/val.de has no counterpart; expected val.en (plain, .gz or .xz) beside it"
    assert message(find_pairs, corpus, DE_EN) == message(find_pairs, corpus, Languages("en", "de")) == said
    (corpus / "val.de").unlink()
    (corpus / "train.en.gz").unlink()
    said = f"{corpus}/train.de.gz has no counterpart; expected train.en (plain, .gz or .xz) beside it"
    assert message(find_pairs, corpus, DE_EN) == said
    write(corpus, {"train.en": "en\n", "train.en.xz": "en\n"})
    assert message(find_pairs, corpus, DE_EN) == (
        f"{corpus}/train.en and {corpus}/train.en.xz are both the train split; keep one of them"
    )


def test_a_folder_without_training_files(tmp_path):
    write(tmp_path, {"test.de": "eins\n", "test.en": "one\n"})
    assert message(find_pairs, tmp_path, DE_EN) == (
        f"{tmp_path} has no train files; expected train.de and train.en (plain, .gz or .xz); "
        f"--data {tmp_path}/test.de takes that pair of files"
    )
    assert find_pairs(tmp_path, DE_EN, need_train=False).read("test").sources == ["eins"]
    write(tmp_path / "empty", {"notes.bak": "x", "pairs.txt": "x"})
    assert message(find_pairs, tmp_path / "empty", need_train=False) == (
        f"{tmp_path}/empty: expected train.tsv ({', '.join(TABLE_SUFFIXES)}), or train.de and train.en or the like (plain, .gz "
        "or .xz), found notes.bak, pairs.txt"
    )


def test_a_folder_of_tables(tmp_path):
    write(
        tmp_path, {"train.tsv": "de\ten\neins\tone\n", "dev.tsv.gz": "en\tde\ntwo\tzwei\n", "test.tsv": "drei\tthree\n"}
    )
    files = find_pairs(tmp_path)
    assert (files.languages, files.targets) == (DE_EN, {})
    assert [files.read(split).sources for split in ("train", "validation", "test")] == [["eins"], ["zwei"], ["drei"]]
    assert find_pairs(tmp_path, Languages("en", "de")).read("validation") == SentencePairs(["two"], ["zwei"], [2])
    # Of tables and parallel files those are taken that can be trained on.
    write(tmp_path, {"test.de": "vier\n", "test.en": "four\n"})
    assert find_pairs(tmp_path).read("test").sources == ["drei"]
    write(tmp_path, {"train.de": "eins\n", "train.en": "one\n"})
    assert message(find_pairs, tmp_path, DE_EN) == (
        f"{tmp_path} has train files both in .tsv and in de, en; keep the ones or the others"
    )
    (tmp_path / "train.tsv").unlink()
    assert find_pairs(tmp_path, DE_EN).read("test").sources == ["vier"]


# One pair of files


def test_one_of_two_parallel_files_stands_for_both(tmp_path):
    write(tmp_path, {"news.v1.de.gz": "eins\n", "news.v1.en": "one\n", "news.v1.txt": "", "news.de": ""})
    for name in ("news.v1.de.gz", "news.v1.en"):
        for asked in (DE_EN, Languages("de"), Languages(target="en")):
            files = find_pairs(tmp_path / name, asked)
            assert (files.languages, files.read("all")) == (DE_EN, SentencePairs(["eins"], ["one"], [1]))
    # The one that is named is the source, where nothing else is said.
    assert find_pairs(tmp_path / "news.v1.en").languages == ("en", "de")
    assert find_pairs(tmp_path / "news.v1.en").read("all").sources == ["one"]
    path = tmp_path / "news.v1.de.gz"
    assert message(find_pairs, path, Languages("en", "fr")) == f"--target-language fr: {tmp_path}/news.v1.* has de, en"
    write(tmp_path, {"news.v1.fr": "un\n"})
    assert message(find_pairs, path) == (
        f"{tmp_path}/news.v1.* has de, en, fr; choose with --source-language and --target-language"
    )
    assert find_pairs(path, Languages(target="fr")).languages == ("de", "fr")
    assert message(find_pairs, path, Languages("en", "fr")) == f"{path} is neither in en nor in fr, which are asked for"
    write(tmp_path, {"news.v1.en.gz": "one\n"})
    assert "both go with" in message(find_pairs, path, DE_EN)
    assert message(find_pairs, tmp_path / "news.de", DE_EN) == (
        f"{tmp_path}/news.de has no counterpart; expected news.en (plain, .gz or .xz) beside it"
    )


@pytest.mark.parametrize("name", ["pairs.txt", "pairs", "pairs.pdf.gz"])
def test_a_file_of_another_format(tmp_path, name):
    write(tmp_path, {name: "eins, one\n"})
    assert message(find_pairs, tmp_path / name, DE_EN) == (
        f"{tmp_path / name}: expected a table ({', '.join(TABLE_SUFFIXES)}, or lines with a tab), a folder, or one of two "
        "parallel files such as corpus.de beside corpus.en (plain, .gz or .xz)"
    )
    assert "no such file or folder" in message(find_pairs, tmp_path / "none.tsv")
    write(tmp_path, {"fra-eng.zip": "PK"})
    assert "fra-eng.zip is an archive; unpack it" in message(find_pairs, tmp_path / "fra-eng.zip")


# As a template uses them


def resolve(path, asked=DE_EN):
    find = lambda place: find_pairs(place, asked)  # noqa: E731
    return resolve_source(str(path), benchmark=None, sample="translation", datasets=DATASETS, find=find)


def test_the_fingerprint_is_of_the_two_languages_only(corpus):
    first = resolve(corpus).fingerprint
    assert resolve(corpus, Languages("en", "de")).fingerprint == first
    assert resolve(corpus, Languages("fr", "de")).fingerprint != first
    write(corpus, {"train.fr.gz": "other\nother\n", "test_2018.en": "en\n"})
    assert resolve(corpus).fingerprint == first
    write(corpus, {"val.en.xz": "other\n"})
    assert resolve(corpus).fingerprint != first


def test_a_link_to_a_file_is_known_by_its_own_name(tmp_path):
    write(tmp_path / "store", {"1": "eins\n", "2": "one\n"})
    (tmp_path / "a.de").symlink_to(tmp_path / "store" / "1")
    (tmp_path / "a.en").symlink_to(tmp_path / "store" / "2")
    source = resolve(tmp_path / "a.de")
    assert (source.name, source.path) == ("a.de", tmp_path / "a.de")
    assert source.files.read("all") == SentencePairs(["eins"], ["one"], [1])


@pytest.mark.parametrize("named", ["a.de", "a.tsv"])
def test_validation_pairs_are_held_out_of_a_single_source(tmp_path, named):
    numbers = [str(number) for number in range(20)]
    lines = {"a.de": numbers, "a.en": [f"{n}!" for n in numbers], "a.tsv": [f"{n}\t{n}!" for n in numbers]}
    write(tmp_path, {name: "".join(f"{line}\n" for line in rows) for name, rows in lines.items()})
    source = resolve(tmp_path / named)
    opened = OpenedSource(source, source.files.read, validation_fraction=0.2, bad_lines=BadLines())
    assert (opened.given, opened.holds_out, opened.place("train")) == (["all"], True, str(tmp_path / named))
    read = opened.read(["train", "validation"])
    assert (len(read["train"]), len(read["validation"])) == (16, 4)
    rows = [pair for pairs in read.values() for pair in zip(pairs.sources, pairs.targets, pairs.lines)]
    assert sorted(rows, key=lambda row: row[2]) == [(n, f"{n}!", int(n) + 1) for n in numbers]


def test_the_splits_of_a_folder(corpus):
    source = resolve(corpus)
    opened = OpenedSource(source, source.files.read, validation_fraction=0.2, bad_lines=BadLines())
    assert (opened.holds_out, opened.has_test, opened.to_evaluate(is_own=True)) == (False, True, "test")
    assert opened.ignored_files == "README.md, images_train.txt.gz, test_2016.fr, train.fr.gz, val.fr"
    assert opened.place("val") == f"{corpus}/val.de"


def test_finding_pairs_imports_nothing_heavy():
    code = (
        "import sys; import data.sentence_pairs.files, data.sentence_pairs.filters\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'tensorflow_datasets', 'requests'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[3], timeout=60)
    assert done.returncode == 0


# Filters


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=30),
    st.integers(0, 12),
    st.sampled_from([0, 1, 1.5, 3]),
)
def test_what_is_left_out_is_too_long_or_of_unlike_lengths(lengths, longest, ratio):
    sides = [[" ".join(["word"] * length) for length in side] for side in zip(*lengths)]
    pairs = SentencePairs(*sides, lines=list(range(len(lengths))))

    def is_short(row):
        return not longest or max(1, *lengths[row]) <= longest

    def is_alike(row):
        source, target = (max(length, 1) for length in lengths[row])
        return not ratio or (source <= ratio * target and target <= ratio * source)

    left = [row for row in range(len(lengths)) if is_short(row) and is_alike(row)]
    if not left:
        assert "no training pair is left" in message(filter_pairs, pairs, longest, ratio)
        return
    kept, told = filter_pairs(pairs, longest, ratio)
    assert kept == pairs.select(left)
    too_long = sum(not is_short(row) for row in range(len(lengths)))
    assert (f"{too_long} longer than {longest} words" in told) == bool(too_long)
    assert told.startswith(f"{len(pairs) - len(left)} of {len(pairs)} ") if len(left) < len(pairs) else told == ""


def test_the_report_says_how_many_each_rule_left_out():
    pairs = SentencePairs(["a b c", "a b c d e f", "a"] * 1000, ["d", "a b", "b"] * 1000)
    kept, told = filter_pairs(pairs, 5, 2.5)
    assert set(kept.sources) == {"a"}
    assert told == (
        "2,000 of 3,000 training pairs left out: 1,000 longer than 5 words, "
        "1,000 with one side over 2.5 times as long as the other"
    )
    assert filter_pairs(pairs, 0, 0) == (pairs, "")


def test_characters_of_scripts_without_blanks_are_not_compared_with_words():
    """Before, 89% of the pairs of English and Japanese were left out."""
    english = ["I am hungry, and my friend is tired.", "Thank you.", "Hi!"]
    for others in (
        ["私はお腹が空いていて、友達は疲れています。", "ありがとうございます。", "こんにちは！"],
        ["我饿了，我的朋友也累了。", "谢谢你。", "你好！"],
        ["ฉันหิวและเพื่อนของฉันเหนื่อย", "ขอบคุณ", "สวัสดี"],
    ):
        pairs = SentencePairs(english, others)
        assert filter_pairs(pairs, 120, 5) == (pairs, "")
    with pytest.raises(UserError, match="3 with one side over 5 times"):
        filter_pairs(SentencePairs(["one"] * 3, ["東" * 11] * 3), 120, 5)


def test_files_that_are_neither_validation_nor_test_are_told(tmp_path):
    write(tmp_path, {f"{stem}.{end}": "x\n" for stem in ("train", "tst2012", "tst2013") for end in ("en", "vi")})
    told = "no validation file: some of train is held out, and tst2012, tst2013 read by evaluate --split alone"
    assert find_pairs(tmp_path, Languages("en", "vi")).notice == told
    write(tmp_path, {"dev.en": "x\n", "dev.vi": "x\n"})
    assert find_pairs(tmp_path, Languages("en", "vi")).notice == ""


@pytest.mark.parametrize(
    "names, advice",
    [
        (("src-val.txt", "src-train.txt", "tgt-train.txt", "tgt-val.txt"), ("train.src", "train.tgt")),
        (("small_vocab_en", "small_vocab_fr"), ("small_vocab.en", "small_vocab.fr")),
        (("EN_test.gz", "FR_test.gz"), ("test.EN.gz", "test.FR.gz")),
    ],
)
def test_names_that_do_not_end_in_a_language_are_told_better_ones(tmp_path, names, advice):
    for name in names:
        (tmp_path / name).write_bytes(gzip.compress(b"One line.\n") if name.endswith(".gz") else b"One line.\n")
    pair = names[1:3] if len(names) > 2 else names
    renamed = " and ".join(f"{name} to {new}" for name, new in zip(pair, advice))
    for path in (tmp_path, tmp_path / names[0]):
        assert message(find_pairs, path).endswith(f"; rename {renamed}, and others likewise")
