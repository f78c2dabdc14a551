"""data.tagged_sentences.vectors: the text formats, which words are found, and what is said about bad files."""

import gzip
import lzma
import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import UserError
from data.tagged_sentences.vectors import read_vectors

GLOVE = "the 0.5 -1 2e-3\n, 1 2 3\nParis 4 5 6\nparis 7 8 9\n. . . 1 1 1\nthe 9 9 9\n1 3 2 1\nnew york 2 2 2\n"
FORMATS = {
    "glove": GLOVE,
    "glove without a last line end": GLOVE[:-1],
    "windows": GLOVE.replace("\n", "\r\n"),
    "word2vec": "8 3\n" + GLOVE,
    "fasttext": "8 3\n" + GLOVE.replace("\n", " \n"),
    "byte order mark": "\ufeff" + GLOVE,
}


def write(path, content: str | bytes):
    content = content.encode() if isinstance(content, str) else content
    packed = {".gz": gzip.compress, ".xz": lzma.compress}.get(path.suffix, bytes)(content)
    path.write_bytes(packed)
    return path


def lists(found) -> dict[str, list[float]]:
    return {word: vector.tolist() for word, vector in found.vectors.items()}


@pytest.mark.parametrize("name", ["a.txt", "a.vec.gz", "a.txt.xz"])
@pytest.mark.parametrize("content", FORMATS.values(), ids=FORMATS)
def test_formats(tmp_path, name, content):
    found = read_vectors(write(tmp_path / name, content), {"the", ",", "PARIS", "Paris", ". . .", "1", "Berlin", "."})
    assert lists(found) == {
        ",": [1, 2, 3],
        ". . .": [1, 1, 1],
        "1": [3, 2, 1],
        "PARIS": [7, 8, 9],
        "Paris": [4, 5, 6],
        "the": [np.float32(0.5), -1, np.float32(2e-3)],
    }
    assert all(vector.dtype == np.float32 and vector.shape == (3,) for vector in found.vectors.values())
    assert found.size == 3
    assert found.exact == {"the", ",", "Paris", ". . .", "1"}
    assert found.lowered == {"PARIS"}
    assert found.missing == {"Berlin", "."}


def test_coverage_in_one_line(tmp_path):
    counts = Counter({"the": 1000, "PARIS": 30, "Berlin": 5, "Rome": 1})
    found = read_vectors(write(tmp_path / "a.txt", GLOVE), counts)
    assert found.summary(counts) == "vectors for 50.0% of 4 words (99.4% of tokens), 1 of them in lower case"
    found = read_vectors(tmp_path / "a.txt", {"the": 2_000_000}.keys() | {str(number) for number in range(2, 1501)})
    assert found.summary({"the": 1}) == "vectors for 0.1% of 1,500 words (100.0% of tokens)"
    assert read_vectors(tmp_path / "a.txt", []).summary({}) == "vectors for 0.0% of 0 words (0.0% of tokens)"


words_of = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=" "), min_size=1, max_size=4)
words_of = words_of.filter(lambda word: word[0] != "\ufeff" and not word.strip().isdecimal())


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            words_of, st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=2, max_size=2)
        ),
        min_size=1,
    ),
    st.sets(words_of),
    st.booleans(),
)
def test_any_words_and_numbers_come_back(tmp_path_factory, lines, others, heading):
    path = tmp_path_factory.mktemp("vectors") / "a.vec"
    content = "".join(f"{word} {numbers[0]!r} {numbers[1]!r}\n" for word, numbers in lines)
    write(path, f"{len(lines)} 2\n{content}" if heading else content)
    table = dict(reversed(lines))
    wanted = others | {word for word, _ in lines[::2]}
    expected = {word: table.get(word, table.get(word.lower())) for word in wanted}
    assert lists(read_vectors(path, wanted)) == {word: numbers for word, numbers in expected.items() if numbers}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", " is empty; expected lines of a word and its numbers"),
        ("\n \n", " is empty; expected lines of a word and its numbers"),
        ("the 1 2\nof 1\n", ":2: expected a word and 2 numbers, found 1 of them; correct the line or leave it out"),
        ("the 1 2\nx 1 2 3\n", ":2: expected a word and 2 numbers, found 3 of them; correct the line or leave it out"),
        (
            "2 3\nthe 1 2\nx 1 2\n",
            ":2: expected a word and 3 numbers, found 2 of them; correct the line or leave it out",
        ),
        (
            "the 1 2\nof 1 x\n",
            ":2: expected finite numbers after the word, found 'x'; correct the line or leave it out",
        ),
        ("the 1 nan\n", ":1: expected finite numbers after the word, found 'nan'; correct the line or leave it out"),
        (
            "a 1 2\nthe 1 -inf\n",
            ":2: expected finite numbers after the word, found '-inf'; correct the line or leave it out",
        ),
        (
            "a 1 2\nthe 1 1e39\n",
            ":2: expected finite numbers after the word, found '1e39'; correct the line or leave it out",
        ),
        (
            "a 1 2\nthe 1 1_0\n",
            ":2: expected finite numbers after the word, found '1_0'; correct the line or leave it out",
        ),
        (
            "the\t1\t2\n",
            ":1: expected a word and its numbers with blanks between, found 'the\\t1\\t2'; correct the line",
        ),
        (
            "3 2\nthe 1 2\nof 1 2\n",
            ":1: expected 3 vectors as this line says, found 2; the file is cut short or its first",
        ),
        (
            b"the 1 2\n" + b"caf\xe9 1 2\n",
            ":2: expected utf-8 text, found the byte 0xe9 at position 4; name its own",
        ),
    ],
)
def test_bad_files_are_named_with_the_line_and_what_to_do(tmp_path, content, message):
    path = write(tmp_path / "a.txt", content)
    with pytest.raises(UserError) as error:
        read_vectors(path, {"the", "of", "café"})
    assert str(error.value).startswith(f"{path}{message}")


@pytest.mark.parametrize("name", ["a.bin", "a.bin.gz"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_binary_files_are_told_how_to_become_text(tmp_path, name, encoding):
    numbers = np.random.default_rng(0).normal(size=(50, 100)).astype(np.float32)
    word2vec = b"50 100\n" + b"".join(b"word%d " % row + vector.tobytes() + b"\n" for row, vector in enumerate(numbers))
    fasttext = np.array([793712314, 12, 100, 5, 5], np.int32).tobytes() + word2vec[7:]
    for content in (word2vec, fasttext):
        path = write(tmp_path / name, content)
        with pytest.raises(
            UserError, match=r"a\.bin(\.gz)?:[12]: expected text, found binary data; save the vectors as"
        ):
            read_vectors(path, {"the"}, encoding)


def test_other_encodings_missing_and_damaged_files(tmp_path):
    path = write(tmp_path / "a.txt", "café 1 2\n".encode("latin-1"))
    assert lists(read_vectors(path, {"café"}, "latin-1")) == {"café": [1, 2]}
    path = write(tmp_path / "b.txt", "2 2\nthe 1 2\ncafé 3 4\n".encode("utf-16"))
    assert lists(read_vectors(path, {"café"}, "utf-16")) == {"café": [3, 4]}
    with pytest.raises(UserError, match="no such file; did you mean .*a.txt"):
        read_vectors(tmp_path / "a.txt.gz", {"the"})
    path = tmp_path / "c.txt.gz"
    path.write_bytes(gzip.compress("".join(f"word{number} 1 2\n" for number in range(9999)).encode())[:-999])
    with pytest.raises(UserError, match="the archive is cut short or damaged"):
        read_vectors(path, {"the"})
    path = tmp_path / "d.txt"
    path.write_bytes(gzip.compress(b"the 1 2\n"))
    with pytest.raises(UserError, match="is packed by gzip, not plain text; name it d.txt.gz"):
        read_vectors(path, {"the"})


def test_words_nobody_wants_cost_little(tmp_path):
    """400,000 lines of 100 numbers in 10 s is the aim; a tenth of them takes a tenth of it."""
    line = " ".join(f"{number:.5f}" for number in np.random.default_rng(0).normal(size=100))
    path = write(tmp_path / "a.txt", "".join(f"word{number} {line}\n" for number in range(40_000)))
    start = time.process_time()
    found = read_vectors(path, {f"word{number}" for number in range(0, 40_000, 20)})
    assert time.process_time() - start < 1
    assert len(found.vectors) == 2_000 and found.size == 100


def test_further_words_are_kept_in_their_order_if_they_are_normalised(tmp_path):
    path = tmp_path / "a.vec"
    path.write_text("The 1 2\nthe 3 4\ncat 5 6\nRome 7 8\n1996 9 9\n0000 1 1\ncat 0 0\nmat 2 2\ndog 3 3\n")
    found = read_vectors(path, {"cat", "absent"}, others=3)
    assert found.others == ["the", "0000", "mat"]
    assert {word: vector.tolist() for word, vector in found.vectors.items()} == {
        "cat": [5, 6],
        "the": [3, 4],
        "0000": [1, 1],
        "mat": [2, 2],
    }
    assert found.summary({"cat": 3, "absent": 1}) == (
        "vectors for 50.0% of 2 words (75.0% of tokens), and for 3 other words"
    )
    assert read_vectors(path, {"cat"}).others == []
