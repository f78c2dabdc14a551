"""Files that were made to do harm are refused in a line, in bounded memory and time; `benchmarks.hostile_files` measures
the real commands."""

import gzip
import json
import os
import random
import struct
import tarfile
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from data import chunks, files, json_text
from data.captioned_pictures import files as picture_files
from data.captioned_pictures.caption_columns import as_list
from data.captioned_pictures.captions import read_captions
from data.captioned_pictures.files import find_picture_files, read_picture
from data.errors import BadLines, UserError
from data.files import decoded_lines, sampled
from data.labelled_texts import word_ids
from data.labelled_texts.files import read_labelled_texts
from data.labelled_texts.word_ids import split_words
from data.sentence_pairs import pairs
from data.sentence_pairs.column_names import holds_sentences
from data.sentence_pairs.pairs import read_parallel_files
from data.sources import split_files
from data.sources.split_files import find_splits
from data.tables import delimited, dialect, rows
from data.tables.parquet import read_columns, read_parquet
from data.tables.rows import read_rows
from data.tagged_sentences import columns, lists
from data.tagged_sentences.columns import read_tagged_sentences
from data.tagged_sentences.vectors import read_vectors
from templates.sentiment import pipeline
from templates.sentiment.config import Config

ROWS = "text,label\na good film,pos\na bad film,neg\n"


@pytest.fixture
def short_lines(monkeypatch):
    for module in (files, delimited, rows):
        monkeypatch.setattr(module, "LONGEST_LINE", 2**16)
    monkeypatch.setattr(rows, "LARGEST_VALUE", 2**17)
    monkeypatch.setattr(json_text, "LARGEST_VALUE", 2**17)


@pytest.mark.parametrize(
    ("name", "encoding", "line"),
    [("a.csv.gz", "utf-8", 4), ("a.csv.xz", "latin-1", 4), ("a.csv.gz", "utf-16", 4), ("a.csv.gz", "mac", 4)],
)
def test_a_line_without_end_is_not_read_to_its_end(tmp_path, short_lines, name, encoding, line):
    path = tmp_path / name
    with files.lzma.open(path, "wb") if name.endswith("xz") else gzip.open(path, "wb") as stream:
        stream.write(
            (ROWS.replace("\n", "\r") if encoding == "mac" else ROWS).encode("utf-8" if encoding == "mac" else encoding)
        )
        for _ in range(16):
            stream.write("\0".encode(encoding if encoding == "utf-16" else "utf-8")[-2:] * 2**18)
    encoding = "utf-8" if encoding == "mac" else encoding
    with pytest.raises(UserError, match=rf"a.csv...:{line}: a line of more than 65,536 bytes, the most that is read"):
        for _ in decoded_lines(path, encoding):
            pass


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.xz"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_file_does_not_unpack_without_end(tmp_path, monkeypatch, name, encoding):
    def write(text: str) -> None:
        pack = files.lzma.compress if name.endswith("xz") else gzip.compress
        (tmp_path / name).write_bytes(pack(text.encode(encoding)))

    alike = ROWS + "a film,pos\n" * 2**18
    write(alike)
    assert "".join(line.text for line in decoded_lines(tmp_path / name, encoding)) == alike
    monkeypatch.setattr(files, "MOST_UNPACKED", 2**20)
    read = []
    with pytest.raises(UserError, match=rf"{name} unpacks to more than 1,048,576 bytes and to 100 times .* unpack it"):
        read.extend(decoded_lines(tmp_path / name, encoding))
    assert 2**15 < len(read) < 2**18
    with pytest.raises(UserError, match="unpacks to more than"), files.open_bytes(tmp_path / name) as stream:
        stream.read()
    # What is as large, but not as much of the same, is read.
    write("".join(f"{random.Random(line).random()}\n" for line in range(60_000)))
    assert sum(1 for _ in decoded_lines(tmp_path / name, encoding)) == 60_000


def test_parquet_does_not_repeat_a_value_without_end(tmp_path, monkeypatch):
    texts = pa.array(["film " * 2**10] * 1000).dictionary_encode()
    pq.write_table(pa.table({"text": texts, "label": ["pos", "neg"] * 500}), tmp_path / "a.parquet")
    assert sum(1 for _ in read_parquet(tmp_path / "a.parquet")) == 1000
    monkeypatch.setattr(files, "MOST_UNPACKED", 2**20)
    with pytest.raises(UserError, match="a.parquet unpacks to more than 1,048,576 bytes .* write it as .csv"):
        list(read_parquet(tmp_path / "a.parquet"))
    assert [row["label"] for _, row in read_parquet(tmp_path / "a.parquet", columns=["label"])] == ["pos", "neg"] * 500
    with pytest.raises(UserError, match="a.parquet unpacks to more than"):
        read_columns(tmp_path / "a.parquet", ["text"])
    assert read_columns(tmp_path / "a.parquet", ["label"]).num_rows == 1000
    # Nor inside a list, or a structure.
    lists = pa.ListArray.from_arrays(pa.array(range(0, 1001, 10), pa.int32()), texts)
    for name, column in {"list": lists, "structure": pa.StructArray.from_arrays([texts], ["text"])}.items():
        pq.write_table(pa.table({name: column}), tmp_path / "a.parquet")
        with pytest.raises(UserError, match="a.parquet unpacks to more than"):
            list(read_parquet(tmp_path / "a.parquet"))
    # What pyarrow does not write plainly, or ends the process for, is not asked for.
    odd = {
        "map": pa.MapArray.from_arrays(lists.offsets, pa.array(["a"] * 1000), texts),
        "fixed": pa.FixedSizeListArray.from_arrays(texts, 10),
        "extension": pa.ExtensionArray.from_storage(pa.opaque(texts.type, "kind", "vendor"), texts),
        "twice": pa.StructArray.from_arrays([texts, texts], ["text", "text"]),
    }
    for name, column in odd.items():
        pq.write_table(pa.table({name: column, "number": range(len(column))}), tmp_path / "a.parquet")
        with pytest.raises(UserError, match=f"a.parquet: column '{name}' is a .*, which is not read; leave it out"):
            list(read_parquet(tmp_path / "a.parquet"))
        assert next(read_parquet(tmp_path / "a.parquet", columns=["number"])) == (1, {"number": 0})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_packed_pipe_is_read(tmp_path):
    os.mkfifo(tmp_path / "a.txt.gz")
    content = gzip.compress(b"one\ntwo\n")
    writer = threading.Thread(target=lambda: (tmp_path / "a.txt.gz").write_bytes(content))
    writer.start()
    assert [line.text for line in decoded_lines(tmp_path / "a.txt.gz")] == ["one\n", "two\n"]
    writer.join()


def test_a_folder_of_many_tables_is_none_of_splits(tmp_path, monkeypatch):
    for name in ("train", "test", "more"):
        (tmp_path / f"{name}.csv").write_text(ROWS)
    monkeypatch.setattr(split_files, "MOST_SPLITS", 3)
    assert set(find_splits(tmp_path, (".csv",)).files) == {"train", "test", "more"}
    (tmp_path / "last.csv").write_text(ROWS)
    with pytest.raises(UserError, match="has more than 3 files of data; expected one for each split, as train.csv"):
        find_splits(tmp_path, (".csv",))
    for name in range(4):
        (tmp_path / f"{name}.de").touch()
    with pytest.raises(UserError, match="as train.de"):
        find_splits(tmp_path, (".de",))


@pytest.mark.parametrize("value", ['[{"text": "a"}, {"text": "b"}, {"text": "c"}]', "[[], [], [], [], []]"])
def test_json_that_is_read_whole_holds_no_more_values_than_fit(tmp_path, monkeypatch, value):
    (tmp_path / "a.json").write_text(value)
    monkeypatch.setattr(json_text, "MOST_VALUES", 5)
    with pytest.raises(UserError, match="a.json: more than 5 values, the most that is read whole; .* name it .jsonl"):
        list(read_rows(tmp_path / "a.json"))


def test_parallel_files_without_sentences_are_not_read_to_their_end(tmp_path, monkeypatch):
    monkeypatch.setattr(pairs, "MOST_BLANK", 3)
    ours, theirs = tmp_path / "a.de", tmp_path / "a.en"
    for path in (ours, theirs):
        path.write_text("a\n\n\n\nb\n")
    assert read_parallel_files(ours, theirs).lines == [1, 5]
    for path in (ours, theirs):
        path.write_text("a\n\n\n\n\nb\n")
    with pytest.raises(UserError, match="a.de:5: more than 3 lines in a row without a sentence; take them out of both"):
        read_parallel_files(ours, theirs)
    # Nor where the other one has ended, or all is markup.
    ours.write_text("a\n")
    with pytest.raises(UserError, match="a.en:5: more than 3 lines in a row"):
        read_parallel_files(ours, theirs)
    tagged = tmp_path / "train.tags.de-en.de"
    tagged.write_text("<url>a</url>\n" * 5 + "a\n")
    with pytest.raises(UserError, match="train.tags.de-en.de:4: more than 3 lines in a row"):
        read_parallel_files(tagged, theirs)


def test_a_sentence_that_does_not_end_is_not_read_to_its_end(tmp_path, monkeypatch):
    for module in (columns, lists):
        monkeypatch.setattr(module, "MOST_TOKENS", 3)
    (tmp_path / "a.conll").write_text("Ann B-PER\nsings O\n. O\n\n" * 9)
    assert len(read_tagged_sentences(tmp_path / "a.conll").tokens) == 9
    (tmp_path / "a.conll").write_text("Ann B-PER\nsings O\n. O\n\n" + "Ann B-PER\nsings O\n" * 9)
    with pytest.raises(UserError, match="a.conll:8: a sentence of more than 3 lines, .* a blank line ends a sentence"):
        read_tagged_sentences(tmp_path / "a.conll")
    rows = [{"tokens": ["Ann"] * count, "tags": ["B-PER"] * count} for count in (3, 4)]
    (tmp_path / "a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    with pytest.raises(UserError, match="a.jsonl:2: expected at most 3 tokens, found 4"):
        read_tagged_sentences(tmp_path / "a.jsonl")


def test_of_a_text_without_end_its_two_ends_are_read(monkeypatch):
    texts = ["begins well " * 4000 + "middle " * 100_000 + "ends badly " * 4000, "Ünd so weiter", ""]
    whole = [words.tolist() for words in split_words(tf.constant(texts)).numpy()]
    assert len(whole[0]) == 116_000
    monkeypatch.setattr(word_ids, "LONGEST_TEXT", 40)
    first, *others = (words.tolist() for words in split_words(tf.constant(texts)).numpy())
    assert others == whole[1:]
    assert first == b"begins well begins w ds badly ends badly".split()


def test_long_lines_are_told_by_fewer_of_them(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_SAMPLED", 10**5)
    monkeypatch.setattr(dialect, "MOST_SAMPLED", 10**5)
    path = tmp_path / "a.csv"
    wanted = [f"{number}, " + "a," * 20_000 for number in range(40)]
    path.write_text("text,label\n" + "".join(f'"{text}",pos\n' for text in wanted))
    assert len(sampled(decoded_lines(path), 500)) == 4
    assert read_labelled_texts(path).texts == wanted


def test_a_quote_does_not_stay_open_for_ever(tmp_path, short_lines):
    path = tmp_path / "a.csv"
    path.write_text(ROWS + '"' + ("a" * 2**14 + "\n") * 2**6 + '",pos\nlast,pos\n')
    with pytest.raises(UserError, match="a.csv:4: expected well-formed quotes, found a quote that is never closed"):
        read_labelled_texts(path)


def test_columns_without_number(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("text,label" + ",c" * 2**14 + "\n" + "a,b" + ",1" * 2**14 + "\n")
    with pytest.raises(UserError, match="a.csv:1: 16,386 columns, and 16,384 are the most that is read; keep those"):
        read_labelled_texts(path)
    monkeypatch.setattr("data.tables.parquet.MOST_COLUMNS", 3)
    pq.write_table(pa.table({name: ["a"] for name in "abcd"}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match="a.parquet: 4 columns, and 3 are the most that is read"):
        list(read_parquet(tmp_path / "a.parquet"))


DEEP = {
    "[" * 10**5 + "]" * 10**5: "lists or objects nested more than 100 deep",
    '{"a":' * 10**5 + "1" + "}" * 10**5: "lists or objects nested more than 100 deep",
    '{"text": ' + "[" * 900 + r'"\ud83d"' + "]" * 900 + "}": "lists or objects nested more than 100 deep",
    '{"text": '
    + "9" * 10**5
    + "}": "Exceeds the limit (4300 digits) for integer string conversion: value has 100000 digits",
    '{"text": "a", "text": "b", "label": "c"}': "the key 'text' comes twice",
}


@pytest.mark.parametrize("number", range(len(DEEP)))
def test_json_that_cannot_be_taken_costs_its_line(tmp_path, number):
    text, reason = list(DEEP.items())[number]
    good = '{"text": "a", "label": "pos"}\n'
    path = tmp_path / "a.jsonl"
    path.write_text(good + text + "\n" + good)
    with pytest.raises(UserError) as error:
        read_labelled_texts(path)
    assert "a.jsonl:2: expected a JSON object, found '" in str(error.value) and f"({reason})" in str(error.value)
    bad_lines = BadLines(skip=True)
    assert len(read_labelled_texts(path, bad_lines=bad_lines)) == 2 and bad_lines.count == 1
    for name, read in (("a.json", lambda path: list(read_rows(path))), ("captions.json", read_captions)):
        (tmp_path / name).write_text(f"[{text}]")
        with pytest.raises(UserError) as error:
            read(tmp_path / name)
        assert str(error.value).startswith(f"{tmp_path / name}:1: expected ") and f"({reason})" in str(error.value)


def test_json_of_the_depth_that_is_allowed_and_numbers_that_are_none(tmp_path):
    path = tmp_path / "a.jsonl"
    deep = json.loads('{"text": "a", "x": ' + "[" * 99 + "]" * 99 + "}")
    path.write_text(json.dumps(deep) + "\n")
    assert [row for _, row in read_rows(path)] == [deep]
    path.write_text('{"text": "a", "label": 1e999}\n')
    with pytest.raises(UserError, match="a.jsonl:1: expected a label in 'label', found Infinity"):
        read_labelled_texts(path)


def test_json_is_no_larger_than_what_is_read_whole(tmp_path, short_lines):
    for read in (lambda path: list(read_rows(path)), read_captions):
        (tmp_path / "captions.json").write_text('[{"file_name": "a.jpg", "caption": "a"},\n' * 2**12)
        with pytest.raises(
            UserError, match=r"captions.json: more than 131,072 characters, the most that is read whole"
        ):
            read(tmp_path / "captions.json")
    (tmp_path / "a.jsonl").write_text('{"text": "' + "a" * 2**16 + '"}\n')
    with pytest.raises(UserError, match=r"a.jsonl:1: a line of more than 65,536 bytes"):
        list(read_rows(tmp_path / "a.jsonl"))


def test_half_characters_in_captions_are_replaced(tmp_path):
    (tmp_path / "captions.json").write_text(r'[{"file_name": "a.jpg", "caption": "A \ud83d dog"}]')
    assert read_captions(tmp_path / "captions.json") == {"a.jpg": ["A \ufffd dog"]}


def test_a_list_that_is_written_out_is_parsed_only_if_it_is_short():
    assert as_list(str(["a"] * 10)) == ["a"] * 10
    assert as_list("[" + "1," * 2**20 + "]") is None


@pytest.fixture
def parquet(tmp_path):
    path = tmp_path / "a.parquet"
    table = pa.table({"text": ["a good film"] * 100, "words": [["a", "b"]] * 100, "number": range(100)})
    pq.write_table(table, path, compression="none")
    return path


def test_parquet_that_lies_about_its_rows(parquet):
    content = bytearray(parquet.read_bytes())
    length = struct.unpack("<I", content[-8:-4])[0]
    footer = content[-8 - length : -8]
    changed = 0
    for at in range(len(footer) - 1):
        if footer[at : at + 2] == b"\xc8\x01":  # 100, as the footer's numbers are written
            lying = footer[:at] + b"\x90\x03" + footer[at + 2 :]
            parquet.write_bytes(content[: -8 - length] + lying + content[-8:])
            try:
                assert len(list(read_parquet(parquet))) == 100
            except UserError as error:
                changed += "says that it has 200 rows, and 100 are there" in str(error)
    assert changed == 1


def test_damaged_parquet_is_refused_or_whole(parquet):
    content, random_numbers = parquet.read_bytes(), random.Random(0)
    refused = 0
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(3):
            damaged[random_numbers.randrange(len(content) - 1500, len(content))] = random_numbers.choice((0, 128, 255))
        parquet.write_bytes(damaged)
        try:
            assert len(list(read_parquet(parquet))) == 100
        except UserError:
            refused += 1
    assert refused > 30


def header(name, size, kind=tarfile.REGTYPE):
    """A member's header with a size as it stands there."""
    member = tarfile.TarInfo(name)
    member.type = kind
    content = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    content[124:136] = size
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content)
    return bytes(content)


NEGATIVE, HUGE, MORE = (
    b"\xff" * 8 + struct.pack(">i", -1024),
    b"\x80" + (2**80).to_bytes(11),
    b"\x80" + (2**40).to_bytes(11),
)
EMPTY = b"00000000000\0"


@pytest.mark.parametrize(
    "content",
    [
        header("a.png", NEGATIVE),
        header("b.png", EMPTY) + header("c.png", EMPTY) + header("a.png", NEGATIVE),
        header("a.png", HUGE),
        header("a.png", MORE),
        header("a.png", b"\x80" + (2**62).to_bytes(11)),
        header("a", MORE, tarfile.XHDTYPE),
        header("a", MORE, tarfile.GNUTYPE_LONGNAME),
        header("a", NEGATIVE, tarfile.GNUTYPE_LONGNAME),
        header("a", b"00000000036\0", tarfile.XHDTYPE) + b"99999999999999999999 path=x\n".ljust(512, b"\0"),
    ],
)
def test_archives_whose_numbers_lie(tmp_path, content):
    path = tmp_path / "a.tar"
    path.write_bytes(content + bytes(2048))
    with pytest.raises(UserError, match=r"a\.tar: "):
        find_picture_files(path)


def test_members_that_lead_out_of_an_archive_are_not_followed(tmp_path):
    (tmp_path / "outside.png").write_bytes(b"outside")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, kind in (
            ("../outside.png", tarfile.REGTYPE),
            ("soft.png", tarfile.SYMTYPE),
            ("hard.png", tarfile.LNKTYPE),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, str(tmp_path / "outside.png")
            archive.addfile(member)
        archive.addfile(tarfile.TarInfo("/etc/passwd.png"))
        archive.addfile(tarfile.TarInfo("twice.png"))
        archive.addfile(tarfile.TarInfo("twice.png"))
    found = find_picture_files(tmp_path / "a.tar")
    # Names alone: all that is read of them is in the archive, and here that is nothing.
    assert {found.read(name) for name in found.places} == {b""}
    assert "soft.png" not in found.places and "hard.png" not in found.places and len(found.places) == 2


def test_a_picture_of_any_size_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(picture_files, "LARGEST_FILE", 2**20)
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    os.truncate(tmp_path / "a.png", 2**40)
    for read in (lambda: read_picture(tmp_path / "a.png"), lambda: find_picture_files(tmp_path).read("a.png")):
        with pytest.raises(UserError, match="a file of more than 1 MiB, the most that is read of a picture"):
            read()


def test_a_name_may_say_any_number_of_files(tmp_path):
    (tmp_path / "train-00000-of-99999999999999.parquet").touch()
    with pytest.raises(UserError, match="number 1 of 99999999999999 is missing"):
        find_splits(tmp_path, (".parquet",))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes that have names")
def test_data_are_no_pipe_and_no_device(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    for name in ("pipe.csv", "zero.csv"):
        with pytest.raises(UserError, match=f"{name} is a pipe or a device, and data are read several times"):
            pipeline.find_source(Config(data=str(tmp_path / name)))
    with pytest.raises(UserError, match="has no train file"):
        pipeline.find_source(Config(data=str(tmp_path)))


def test_folders_that_lead_back_into_themselves(tmp_path):
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "a.png").touch()
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "train.csv").symlink_to("gone.csv")
    assert list(find_picture_files(tmp_path).places) == ["a.png"]
    with pytest.raises(UserError, match="has no train file"):
        find_splits(tmp_path, (".csv",))


def test_long_fields_take_no_square_of_their_length(tmp_path):
    for text in ("1" * 10**6 + "x", " " * 10**6 + "x", "1" + " " * 10**6 + "x", "https://" + "a" * 10**6 + " x"):
        assert holds_sentences([text])
    assert not holds_sentences(["1" * 10**6, " " * 10**6, "http://" + "a" * 10**6])
    for language in ("de", "en"):
        (tmp_path / f"a.tags.{language}").write_text("<" + "a" * 10**6 + ">x\n<a>" + "</" * 10**5 + "\n")
    assert len(read_parallel_files(tmp_path / "a.tags.de", tmp_path / "a.tags.en")) == 2


def test_numbers_of_thousands_of_digits_count_nothing(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("".join(f"{number} a{number} O\n" for number in ("9" * 5000,) * 4))
    assert read_tagged_sentences(path, token_column="2").tokens == [[f"a{'9' * 5000}"] * 4]
    (tmp_path / "a.vec").write_text("9" * 5000 + " " + "9" * 5000 + "\n")
    with pytest.raises(UserError, match="a.vec:1: expected finite numbers after the word"):
        read_vectors(tmp_path / "a.vec", ["a"])


def test_few_rows_are_held_where_they_are_large(monkeypatch):
    monkeypatch.setattr(chunks, "LARGEST_CHUNK", 10)
    assert [len(chunk) for chunk in chunks.chunks(["a" * 6] * 5, 100, len)] == [2, 2, 1]
    assert [len(chunk) for chunk in chunks.chunks(["a"] * 5, 2, len)] == [2, 2, 1]
    assert chunks.size_of_row({"a": "abc", "b": None, "c": b"ab", "d": 1.5}) == 5
