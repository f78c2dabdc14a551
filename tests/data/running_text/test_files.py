"""Files of running text as people have them: one, a folder of splits, a folder of documents."""

import gzip
import lzma

import pytest

from data.errors import BadLines, UserError
from data.running_text.files import find_documents, read_documents
from data.sources.split_files import Splits


def read(path, encoding="utf-8", skip=False) -> list[str]:
    return read_documents(path, encoding, BadLines(skip)).texts


def names(found: Splits) -> dict[str, str]:
    return {split: path.name for split, path in found.files.items()}


@pytest.mark.parametrize("name", ["input.txt", "enwik8", "book", "novel.md", "a.dat"])
def test_a_file_may_be_called_as_it_likes(tmp_path, name):
    (tmp_path / name).write_text("To be,\nor not\n")
    found = find_documents(tmp_path / name)
    assert names(found) == {"all": name} and read(found.path("all")) == ["To be,\nor not\n"]


@pytest.mark.parametrize(
    "files, splits",
    [
        (("wiki.train.tokens", "wiki.valid.tokens", "wiki.test.tokens"), ("train", "validation", "test")),
        (("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"), ("train", "validation", "test")),
        (("train.txt", "test.txt", "notes.csv"), ("train", "test")),
    ],
)
def test_folders_of_splits_as_they_are_published(tmp_path, files, splits):
    for name in files:
        (tmp_path / name).write_text(name)
    found = find_documents(tmp_path)
    assert set(found.files) == set(splits)
    assert [path.name for path in found.ignored] == [name for name in files if name.endswith("csv")]


def test_a_folder_of_documents_is_read_in_the_order_of_names(tmp_path):
    for name, text in (("b.txt", "second\n"), ("a.txt", "first\nline"), ("testament.txt", "third\n")):
        (tmp_path / name).write_text(text)
    for name in ("README.txt", "cover.jpg", "c.md", ".hidden.txt"):
        (tmp_path / name).write_text("no")
    found = find_documents(tmp_path)
    assert names(found) == {"all": "*.txt"}
    assert read(found.path("all")) == ["first\nline", "second\n", "third\n"]
    assert [path.name for path in found.ignored] == [".hidden.txt", "README.txt", "c.md", "cover.jpg"]


def test_compressed_texts_and_those_with_other_line_ends(tmp_path):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"\xef\xbb\xbfone\r\ntwo\r\n"))
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress("drei\u2028vier".encode()))
    (tmp_path / "c.xz").write_bytes(lzma.compress("fünf".encode("latin-1")))
    found = find_documents(tmp_path)
    assert read(found.path("all")) == ["one\ntwo\n", "drei\u2028vier"]
    assert read(tmp_path / "c.xz", "latin-1") == ["fünf"]


def test_what_cannot_be_read_is_named(tmp_path):
    (tmp_path / "bad.txt").write_bytes(b"good\nb\xe4d\nfine\n")
    with pytest.raises(UserError, match="bad.txt:2: expected utf-8 text, found the byte 0xe4 at position 2"):
        read(tmp_path / "bad.txt")
    assert read(tmp_path / "bad.txt", skip=True) == ["good\nfine\n"]
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(UserError, match="empty.txt: there is no text in it"):
        read(tmp_path / "empty.txt")
    with pytest.raises(UserError, match="no such file or folder"):
        find_documents(tmp_path / "nothing.txt")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.jpg").write_bytes(b"\xff")
    with pytest.raises(UserError, match="pictures has no train file; expected train.txt"):
        find_documents(tmp_path / "pictures")
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "test.txt").write_text("a")
    with pytest.raises(UserError, match="only has no train file"):
        find_documents(tmp_path / "only")
    assert names(find_documents(tmp_path / "only", need_train=False)) == {"test": "test.txt"}


def test_a_text_of_one_long_line_is_read(tmp_path):
    (tmp_path / "text8").write_text("a" * (2**26 + 5))
    assert len(read(tmp_path / "text8")[0]) == 2**26 + 5
