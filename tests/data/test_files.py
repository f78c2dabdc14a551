import gzip
import io
import lzma
import random

import pytest

from data.errors import BadLines, UserError
from data.files import content_suffix, fingerprint, numbered_lines

TEXT = "first\nzweite Zeile: größer\r\n\nhalf\u2028way \x0c \x85 here\nlast without end"
LINES = [
    (1, "first"),
    (2, "zweite Zeile: größer"),
    (3, ""),
    (4, "half\u2028way \x0c \x85 here"),
    (5, "last without end"),
]


def write(path, content: bytes):
    if path.suffix == ".gz":
        content = gzip.compress(content)
    elif path.suffix == ".xz":
        content = lzma.compress(content, preset=0)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "a.txt.xz", "A.TXT.GZ"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_lines_of_plain_and_compressed_files_with_and_without_bom(tmp_path, name, encoding):
    path = tmp_path / name
    path.write_bytes((gzip.compress if name.lower().endswith(".gz") else bytes)(TEXT.encode(encoding)))
    if name.endswith(".xz"):
        write(path, TEXT.encode(encoding))
    assert list(numbered_lines(path)) == LINES
    assert list(numbered_lines(path, "utf-8-sig")) == LINES


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_encodings_in_which_a_line_end_is_more_than_a_byte(tmp_path, encoding):
    # U+010A holds the byte 10, which is no line end here.
    path = write(tmp_path / "a.txt.gz", f"\u010a{TEXT}".encode(encoding))
    assert list(numbered_lines(path, encoding)) == [(1, "\u010afirst"), *LINES[1:]]


def test_a_byte_order_mark_is_dropped_from_the_first_line_only(tmp_path):
    path = write(tmp_path / "a.txt", "\ufeffone\n\ufefftwo\n".encode())
    assert list(numbered_lines(path)) == [(1, "one"), (2, "\ufefftwo")]


def test_a_line_in_another_encoding_is_named_with_what_to_do(tmp_path):
    path = write(tmp_path / "a.txt", "fine\ncafé\nfine\n".encode("latin-1"))
    with pytest.raises(UserError) as error:
        list(numbered_lines(path))
    assert str(error.value) == (
        f"{path}:2: expected utf-8 text, found the byte 0xe9 at position 4; "
        "--encoding latin-1, cp1251, gb18030, shift_jis or the like reads another encoding; --skip-bad-lines leaves such lines out"
    )
    assert list(numbered_lines(path, "latin-1")) == [(1, "fine"), (2, "café"), (3, "fine")]
    bad_lines = BadLines(skip=True)
    assert list(numbered_lines(path, bad_lines=bad_lines)) == [(1, "fine"), (3, "fine")]
    assert bad_lines.count == 1
    assert f"{path}:2" in bad_lines.summary()


def test_utf_16_that_is_not_valid_names_the_line(tmp_path):
    path = write(tmp_path / "a.txt", "one\ntwo\n".encode("utf-16-le") + b"\x00\xdc\x00\xdc\n\x00")
    with pytest.raises(UserError, match=r"a\.txt:[12].: expected utf-16-le text|a\.txt:[123]: expected utf-16-le text"):
        list(numbered_lines(path, "utf-16-le"))


@pytest.mark.parametrize("encoding", ["klingon", "hex", "rot13", "undefined", ""])
def test_unknown_encodings(tmp_path, encoding):
    with pytest.raises(UserError, match="unknown encoding .*; expected utf-8, latin-1"):
        numbered_lines(write(tmp_path / "a.txt", b"x"), encoding)


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_a_truncated_archive_names_the_last_good_line(tmp_path, suffix):
    # Random enough that the archive is long and its first blocks can be read without its end.
    generator = random.Random(0)
    text = "".join(f"{number} {generator.random()}\n" for number in range(100_000)).encode()
    whole = write(tmp_path / f"whole{suffix}", text)
    path = tmp_path / f"cut.txt{suffix}"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    read = []
    with pytest.raises(UserError) as error:
        read.extend(numbered_lines(path))
    assert len(read) > 10_000
    assert read[-1][1].split()[0] == str(read[-1][0] - 1)
    assert str(error.value).startswith(
        f"{path}: the archive is cut short or damaged; line {len(read)} is the last that can be read; get it again"
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xz", b""),
        ("a.xz", b"plain text"),
        ("a.gz", b"plain text"),
        ("a.gz", gzip.compress(b"text\n")[:-6] + b"\0\0\0\0\0\0"),
        ("a.xz", lzma.compress(b"text\n" * 99)[:40]),
    ],
    ids=[
        "empty",
        "text in .xz",
        "text in .gz",
        "wrong checksum",
        "cut short",
    ],  # gzip writes the time: no name to collect by
)
def test_what_is_no_archive(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match="the archive is cut short or damaged; (no line of it|line 1 is the last)"):
        list(numbered_lines(path))


def test_a_byte_that_is_wrong_in_utf8_is_no_reason_to_read_all_as_another_encoding(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("schön und gut\nnaïve\ncafé\n".encode() + b"cut \xf0\x9f\n")
    with pytest.raises(
        UserError, match=r"a\.txt:4: .*; the file is UTF-8 but for a few bytes; --skip-bad-lines leaves"
    ):
        list(numbered_lines(path))
    path.write_bytes("schön und gut\nnaïve\n".encode("latin-1"))
    with pytest.raises(
        UserError,
        match=r"a\.txt:1: .*; --encoding latin-1, cp1251, gb18030, shift_jis or the like reads another encoding; --skip",
    ):
        list(numbered_lines(path))


def test_lines_that_end_in_a_carriage_return(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfone\rtwo\r\rthree")
    assert list(numbered_lines(path)) == [(1, "one"), (2, "two"), (3, ""), (4, "three")]
    path.write_bytes(b"one\r" + b"x" * 200_000 + b"\rthree\r")
    assert [(number, len(line)) for number, line in numbered_lines(path)] == [(1, 3), (2, 200_000), (3, 5)]
    # Where lines end otherwise, it is a character like any other.
    path.write_bytes(b"one\rstill one\ntwo\r\n")
    assert list(numbered_lines(path)) == [(1, "one\rstill one"), (2, "two")]


def test_archives_under_another_name(tmp_path):
    (tmp_path / "a.csv").write_bytes(gzip.compress(b"x"))
    (tmp_path / "b.csv").write_bytes(lzma.compress(b"x"))
    (tmp_path / "c.csv").write_bytes(b"PK\x03\x04....")
    (tmp_path / "d.csv").write_bytes("a,b\n".encode("utf-16"))
    with pytest.raises(UserError, match="is packed by gzip, not plain text; name it a.csv.gz"):
        numbered_lines(tmp_path / "a.csv")
    with pytest.raises(UserError, match="is packed by xz, not plain text; name it b.csv.xz"):
        numbered_lines(tmp_path / "b.csv")
    with pytest.raises(UserError, match="is packed by zip, not plain text; unpack it first"):
        numbered_lines(tmp_path / "c.csv")
    with pytest.raises(UserError, match=r"d\.csv:1: expected utf-8 text, found UTF-16; add --encoding utf-16"):
        numbered_lines(tmp_path / "d.csv")


def test_missing_files_and_folders(tmp_path):
    (tmp_path / "reviews.csv.gz").touch()
    (tmp_path / "other.txt").touch()
    with pytest.raises(UserError, match=r"reviews\.csv: no such file; did you mean .*reviews\.csv\.gz\?$"):
        numbered_lines(tmp_path / "reviews.csv")
    with pytest.raises(UserError, match=r"revews\.csv\.gz: no such file; did you mean .*reviews\.csv\.gz\?$"):
        numbered_lines(tmp_path / "revews.csv.gz")
    with pytest.raises(UserError, match="zzz: no such file$"):
        numbered_lines(tmp_path / "zzz")
    with pytest.raises(UserError, match="nowhere does not exist"):
        numbered_lines(tmp_path / "nowhere" / "a.csv")
    with pytest.raises(UserError, match="is a folder; expected a file"):
        numbered_lines(tmp_path)


def test_lines_are_streamed(tmp_path):
    path = write(tmp_path / "a.txt.gz", b"x" * 99 + b"\n")
    with open(path, "ab") as file:  # a second member, damaged: only what was asked for may have been read
        file.write(gzip.compress(io.BytesIO(b"y\n" * 1_000_000).getvalue())[:-20])
    assert next(numbered_lines(path)) == (1, "x" * 99)


def test_content_suffix():
    names = ["x.csv.gz", "x.CSV", "eng.testa.xz", "train.de.gz", "x.gz", "x", "a.b/x.tsv", ".csv", "x.csv.zip"]
    assert [content_suffix(name) for name in names] == [".csv", ".csv", ".testa", ".de", "", "", ".tsv", "", ".zip"]


def test_fingerprint_follows_names_and_contents_only(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.csv").write_text("1")
        (tmp_path / folder / "b.csv").write_text("2")
    one, two = sorted((tmp_path / "one").iterdir()), sorted((tmp_path / "two").iterdir())
    first = fingerprint(one)
    assert len(first) == 64
    assert int(first, 16) > 0
    assert fingerprint(two[::-1]) == first
    two[0].write_text("2")
    two[1].write_text("1")
    assert fingerprint(two) != first
    assert fingerprint(one[:1]) != first
    assert fingerprint([one[1].rename(one[1].with_name("c.csv")), one[0]]) != first
    with pytest.raises(UserError, match="no such file"):
        fingerprint(one)


def test_bad_lines_keep_the_first_few_and_count_all():
    bad_lines = BadLines(skip=True)
    assert bad_lines.summary() == ""
    for line in range(1, 9):
        bad_lines.report("x.csv", line, expected="2 fields", found="1")
    assert bad_lines.count == 8
    assert len(bad_lines.examples) == 5
    assert bad_lines.summary().startswith("8 bad lines left out (x.csv:1: expected 2 fields, found 1; x.csv:2:")
    with pytest.raises(UserError) as error:
        BadLines(skip=False).report("x.csv", 3, expected="2 fields", found="1")
    assert str(error.value) == "x.csv:3: expected 2 fields, found 1; --skip-bad-lines leaves such lines out"
