"""data.captioned_pictures.captions, data.captioned_pictures.files and data.captioned_pictures.source: what is read, found and brought together."""

import gzip
import io
import json
import lzma
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.captioned_pictures.caption_files import columns_of, split_of
from data.captioned_pictures.captions import read_captions, read_picture_list
from data.captioned_pictures.files import find_picture_files
from data.captioned_pictures.source import CaptionedPictures, find_pictures
from data.errors import BadLines, UserError
from data.files import fingerprint

CAPTIONS = "a.jpg#0\tA dog .\na.jpg#1\tTwo  dogs .\n\n b.jpg \t A cat\tand a bird \nsub/c#1.png#12\tEin Vögelchen\n"
READ = {"a.jpg": ["A dog .", "Two  dogs ."], "b.jpg": ["A cat\tand a bird"], "sub/c#1.png": ["Ein Vögelchen"]}


def write(path, content: str | bytes, encoding: str = "utf-8"):
    content = content.encode(encoding) if isinstance(content, str) else content
    compress = {".gz": gzip.compress, ".xz": lzma.compress}.get(path.suffix, bytes)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(compress(content))
    return path


def tar_of(members: dict[str, bytes], tar_format: int = tarfile.GNU_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tar_format) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def coco(images: dict[int, str], annotations: list[tuple[int, str]]) -> str:
    return json.dumps(
        {
            "info": {"year": 2014},
            "images": [{"id": identity, "file_name": name, "height": 4} for identity, name in images.items()],
            "annotations": [
                {"id": number, "image_id": identity, "caption": caption}
                for number, (identity, caption) in enumerate(annotations)
            ],
        }
    )


# Reading captions.


@pytest.mark.parametrize("compression", ["", ".gz", ".xz"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_lines_of_captions_with_and_without_numbers(tmp_path, compression, encoding, line_end):
    path = write(tmp_path / f"captions.txt{compression}", CAPTIONS.replace("\n", line_end), encoding)
    assert read_captions(path, "utf-8" if encoding == "utf-8-sig" else encoding) == READ


@given(
    st.dictionaries(
        st.from_regex(r"[a-z0-9_./]{0,8}[a-z0-9]", fullmatch=True),
        st.lists(st.from_regex(r"[a-zé]([a-zé #\t]*[a-zé.])?", fullmatch=True), min_size=1, max_size=4),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_written_is_read(tmp_path_factory, captions):
    lines = [f"{name}#{k}\t{text}\n" for name, texts in captions.items() for k, text in enumerate(texts)]
    assert read_captions(write(tmp_path_factory.mktemp("captions") / "captions.txt", "".join(lines))) == captions


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("b.jpg A cat", "no tab in 'b.jpg A cat'"),
        ("b.jpg#0\t ", r"no caption in 'b.jpg#0\t '"),
        ("#0\tA cat", r"no name in '#0\tA cat'"),
        (" \tA cat", r"no name in ' \tA cat'"),
    ],
)
def test_a_bad_line_is_named_or_left_out_and_counted(tmp_path, line, found):
    path = write(tmp_path / "captions.txt", f"a.jpg\tA dog\n{line}\nc.jpg\tA bird\n")
    with pytest.raises(UserError) as error:
        read_captions(path)
    expected = "expected a picture's name, a tab and a caption"
    assert str(error.value) == f"{path}:2: {expected}, found {found}; --skip-bad-lines leaves such lines out"
    bad_lines = BadLines(skip=True)
    assert read_captions(path, bad_lines=bad_lines) == {"a.jpg": ["A dog"], "c.jpg": ["A bird"]}
    assert bad_lines.count == 1


def test_invalid_text_is_a_bad_line(tmp_path):
    path = write(tmp_path / "captions.txt", b"a.jpg\tA dog\nb.jpg\tcaf\xe9\n")
    with pytest.raises(UserError, match=r"captions.txt:2: expected utf-8 text.*--encoding latin-1"):
        read_captions(path)
    assert list(read_captions(path, bad_lines=BadLines(skip=True))) == ["a.jpg"]
    assert read_captions(path, "latin-1")["b.jpg"] == ["café"]


def test_a_file_without_captions_is_an_error(tmp_path):
    with pytest.raises(UserError, match="has no captions"):
        read_captions(write(tmp_path / "captions.txt", "\n \n"))
    with pytest.raises(UserError, match="no caption can be used: 1 bad line left out"):
        read_captions(write(tmp_path / "captions.txt", "A dog\n"), bad_lines=BadLines(skip=True))
    with pytest.raises(UserError, match="no such file; did you mean"):
        read_captions(tmp_path / "caption.txt")


@pytest.mark.parametrize("name", ["captions_val2014.json", "captions_val2014.json.gz"])
def test_coco_captions(tmp_path, name):
    content = coco({7: "x/7.jpg", 9: "9.jpg", 8: "8.jpg"}, [(9, "Eine  Kuh\n"), (7, " A dog"), (9, "Two cows")])
    assert read_captions(write(tmp_path / name, content)) == {"9.jpg": ["Eine Kuh", "Two cows"], "x/7.jpg": ["A dog"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"images": [\n{"id": 1,}]}', ":2: expected JSON"),
        ("[]", r"expected captions as COCO's \(images, annotations\), .*; found a list"),
        ('{"images": [], "licenses": []}', "found an object of images, licenses"),
        ('{"images": [], "annotations": []}', "has no captions"),
        (b'{"images": [], "annotations": ["\xff"]}', ":1: expected utf-8 text, found the byte 0xff"),
    ],
)
def test_json_that_holds_no_captions_is_an_error(tmp_path, content, message):
    with pytest.raises(UserError, match=message):
        read_captions(write(tmp_path / "captions.json", content), bad_lines=BadLines(skip=True))


def test_entries_of_json_that_cannot_be_used_are_counted(tmp_path):
    content = json.loads(coco({1: "1.jpg", 2: " "}, [(1, "A dog"), (3, "A cat"), (2, "A cow"), (1, " ")]))
    content["annotations"] += [{"image_id": 1, "category_id": 5}, 5, {"image_id": [1], "caption": "A pig"}]
    path = write(tmp_path / "captions.json", json.dumps(content))
    with pytest.raises(UserError, match=r"captions.json:images:2: expected an id and a file_name"):
        read_captions(path)
    bad_lines = BadLines(skip=True)
    assert read_captions(path, bad_lines=bad_lines) == {"1.jpg": ["A dog"]}
    assert bad_lines.count == 7
    assert "captions.json:annotations:2: expected the id of one of the images, found 3" in bad_lines.summary()


def test_a_list_holds_each_name_once(tmp_path):
    path = write(tmp_path / "train.txt.gz", "b.jpg\n\n a.jpg \r\nb.jpg")
    assert read_picture_list(path) == ["b.jpg", "a.jpg"]


def test_columns_are_counted_in_most_lines(tmp_path):
    texts = ["b.jpg\n\na.jpg", "\n\na\tb\tc\n", "", "a b\na\tb\na\tb", "a\tb\na\na"]
    counts = [columns_of(write(tmp_path / f"{number}", text)) for number, text in enumerate(texts)]
    assert counts == [1, 3, 0, 2, 1]


# Finding and reading pictures.


@pytest.mark.parametrize("name", ["images.tar", "images.tar.gz", "images.TAR.xz"])
@pytest.mark.parametrize("tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_of_an_archive_are_read_at_their_places(tmp_path, name, tar_format):
    deep = "/".join(["folder" * 4] * 5)  # a path for which each format needs a header of its own
    members = {"./b.JPG": b"b" * 513, "a.png": b"a", f"{deep}/ü.jpeg": bytes(512), "zero.png": b""}
    others = {"notes.txt": b"n", "._b.JPG": b"x", "__MACOSX/a.png": b"x", ".hidden/a.png": b"x"}
    path = tmp_path / name
    path.write_bytes({".tar": bytes, ".gz": gzip.compress, ".xz": lzma.compress}[path.suffix](tar_of(others | members)))
    pictures = find_picture_files(path)
    assert {one: pictures.read(one) for one in pictures.places} == {
        one.removeprefix("./"): content for one, content in members.items()
    }
    assert pictures.paths == pictures.archives == [path]


def test_links_folders_and_replaced_members_of_an_archive(tmp_path):
    with tarfile.open(tmp_path / "images.tar", "w") as archive:
        for name, kind, content in [
            ("folder.png", tarfile.DIRTYPE, b""),
            ("link.png", tarfile.SYMTYPE, b""),
            ("a.png", tarfile.REGTYPE, b"old"),
            ("a.png", tarfile.REGTYPE, b"newer"),
        ]:
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname = kind, len(content), "a.png"
            archive.addfile(member, io.BytesIO(content))
    pictures = find_picture_files(tmp_path / "images.tar")
    assert {name: pictures.read(name) for name in pictures.places} == {"a.png": b"newer"}


def test_a_folder_with_subfolders_links_and_archives(tmp_path):
    write(tmp_path / "a.png", b"loose")
    write(tmp_path / "images" / "b.jpeg", b"b")
    write(tmp_path / ".cache" / "a.png", b"x")
    write(tmp_path / "images" / "notes.txt", b"x")
    (tmp_path / "images" / "again").symlink_to(tmp_path)
    write(tmp_path / "images.tar", tar_of({"a.png": b"packed", "c.png": b"c"}))
    pictures = find_picture_files(tmp_path)
    contents = {name: pictures.read(name) for name in pictures.places}
    assert contents == {"a.png": b"loose", "images/b.jpeg": b"b", "c.png": b"c"}
    assert len(pictures.paths) == 3


@pytest.mark.parametrize("cut", [600, 1100, 2047])
def test_a_cut_archive_is_an_error(tmp_path, cut):
    content = tar_of({"a.png": b"a" * 500, "b.png": b"b" * 500})
    for path in (write(tmp_path / "images.tar", content[:cut]), write(tmp_path / "images.tar.gz", content[:cut])):
        with pytest.raises(UserError, match="cut short or damaged"):
            find_picture_files(path)


def test_a_damaged_or_wrongly_named_archive_is_an_error(tmp_path):
    packed = gzip.compress(tar_of({"a.png": b"a" * 5000}))
    with pytest.raises(UserError, match="cut short or damaged"):
        path = tmp_path / "images.tar.gz"
        path.write_bytes(packed[:-20])
        find_picture_files(path)
    with pytest.raises(UserError, match="expected a tar archive .*must be called .tar.gz"):
        find_picture_files(write(tmp_path / "images.tar", packed))


def test_a_large_compressed_archive_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("data.captioned_pictures.files.LARGEST_UNPACKED", 2**20)
    path = write(tmp_path / "images.tar.gz", tar_of({"a.png": bytes(2**21)}))
    with pytest.raises(UserError, match="holds more than 1 MiB; uncompress it"):
        find_picture_files(path)


def test_a_file_that_became_shorter_is_an_error(tmp_path):
    write(tmp_path / "a.png", b"12345")
    pictures = find_picture_files(tmp_path)
    write(tmp_path / "a.png", b"123")
    with pytest.raises(UserError, match="expected 5 bytes of a.png, found 3"):
        pictures.read("a.png")


def test_names_are_found_by_what_captions_and_lists_call_them(tmp_path):
    for name in ("train/1.png", "val/1.png", "val/2.png", "3.jpg", "3.png", "4.jpg"):
        write(tmp_path / name, b"x")
    find = find_picture_files(tmp_path).find
    same = ("train/1.png", "3.jpg", "4.jpg")
    assert [find(name) for name in same] == list(same)
    assert find("2.png") == find("val\\2.png") == find("./val/2.png") == find("/data/val/2.png") == "val/2.png"
    assert find("2") == find("val/2") == "val/2.png" and find("4") == "4.jpg"
    assert find("train/2.png") is None, "of another folder"
    assert find("1.png") is None and find("3") is None, "several fit"
    assert find("4.jpg.1") is None and find("4.png") is None and find("") is None


# Finding the files of a source, and bringing them together.


FLICKR = {
    "Flickr8k.token.txt": "".join(f"{n}.jpg#{k}\tcaption {k} of {n}\n" for n in "12345x" for k in range(2)),
    "Flickr8k.lemma.token.txt": "1.jpg#0\tlemma\n",
    "ExpertAnnotations.txt": "1.jpg\t2.jpg#1\t1\t1\t1\n",
    "Flickr_8k.trainImages.txt": "3.jpg\n1.jpg\n7.jpg\n",
    "Flickr_8k.devImages.txt": "4.jpg\n8.jpg\n",
    "Flickr_8k.testImages.txt": "1.jpg\n6.jpg\n",
    "readme.txt": "test\n",
}


def flickr(folder, **changes):
    for name, content in FLICKR.items():
        write(folder / name, content)
    pictures = {f"{n}.jpg": b"" if n == 4 else b"picture %d" % n for n in range(1, 8)}
    write(folder / "images.tar", tar_of(pictures))
    return folder


def test_a_folder_as_flickr8k_is(tmp_path):
    source = find_pictures(flickr(tmp_path))
    assert source.captions == [tmp_path / "Flickr8k.token.txt"]
    assert {split: path.name for split, path in source.files.items()} == {
        "train": "Flickr_8k.trainImages.txt",
        "validation": "Flickr_8k.devImages.txt",
        "test": "Flickr_8k.testImages.txt",
    }
    assert [path.name for path in source.ignored] == ["ExpertAnnotations.txt", "Flickr8k.lemma.token.txt"]
    joined = source.join()
    train = joined.split("train")
    assert train == CaptionedPictures(
        ["3.jpg", "1.jpg"], [["caption 0 of 3", "caption 1 of 3"], ["caption 0 of 1", "caption 1 of 1"]]
    )
    assert train.select([1]).names == ["1.jpg"] and source.pictures.read("1.jpg") == b"picture 1"
    assert joined.split("test").names == ["1.jpg"]
    assert joined.notes == [
        "1 picture that has captions is not there (x.jpg)",
        "1 picture of a split list is not there (8.jpg)",
        "2 pictures have no caption (6.jpg, 7.jpg)",
        "1 picture is a file of 0 bytes (4.jpg)",
        "2 pictures with captions are in no split (2.jpg, 5.jpg)",
        "1 picture is in several splits (1.jpg)",
    ]
    with pytest.raises(UserError, match="devImages.txt: none of the pictures has both a file and a caption"):
        joined.split("dev")
    with pytest.raises(UserError, match="has no split 'valid2'"):
        joined.split("valid2")


def test_the_fingerprint_is_of_captions_lists_and_pictures(tmp_path, monkeypatch):
    folder = flickr(tmp_path)

    def taken() -> str:
        return fingerprint(find_pictures(folder).used)

    before = taken()
    write(folder / "ExpertAnnotations.txt", "1.jpg\t2.jpg#1\t4\t4\t4\n")
    assert taken() == before
    for name in ("Flickr8k.token.txt", "Flickr_8k.testImages.txt"):
        write(folder / name, FLICKR[name] + "\n")
        before, after = taken(), before
        assert before != after
    write(folder / "images.tar", tar_of({"1.jpg": b"another"}))
    assert taken() != before
    monkeypatch.setattr("data.captioned_pictures.source.LARGEST_FINGERPRINT", 3)
    assert folder / "images.tar" not in find_pictures(folder).used


def test_the_captions_or_the_archive_can_be_given_where_there_are_several(tmp_path):
    folder = flickr(tmp_path)
    lemmas = find_pictures(folder / "Flickr8k.lemma.token.txt").join()
    assert lemmas.split("train").captions == [["lemma"]]
    write(folder / "others.tar", tar_of({"3.jpg": b"other"}))
    assert find_pictures(folder / "others.tar").join().split("train").names == ["3.jpg"]
    write(folder / "Flickr30k.token.txt", "1.jpg#0\tcaption\n")
    with pytest.raises(UserError, match="Flickr30k.token.txt, Flickr8k.token.txt could all be the captions; give"):
        find_pictures(folder)


def test_captions_of_coco_tell_the_splits_where_there_are_no_lists(tmp_path):
    for split, name in (("train2014", "1"), ("val2014", "2")):
        write(tmp_path / split / f"COCO_{split}_{name}.jpg", b"x")
        content = coco({1: f"COCO_{split}_{name}.jpg", 2: "missing.jpg"}, [(1, split), (2, "missing")])
        write(tmp_path / "annotations" / f"captions_{split}.json", content)
        write(tmp_path / "annotations" / f"instances_{split}.json", "{}")
    joined = find_pictures(tmp_path).join()
    assert joined.split("train") == CaptionedPictures(["train2014/COCO_train2014_1.jpg"], [["train2014"]])
    assert joined.split("val") == CaptionedPictures(["val2014/COCO_val2014_2.jpg"], [["val2014"]])
    assert joined.notes == ["1 picture that has captions is not there (missing.jpg)"]


def test_without_lists_all_pictures_are_one_split(tmp_path):
    write(tmp_path / "pictures" / "1.png", b"x")
    write(tmp_path / "captions.tsv", "1.png\tone\n2.png\ttwo\n")
    source = find_pictures(tmp_path)
    assert list(source.files) == ["all"]
    assert source.join().split("all") == CaptionedPictures(["pictures/1.png"], [["one"]])


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"captions.txt": "1.png\tone\n"}, "has no pictures; expected .*.png.* files, or a .tar"),
        ({"1.png": "x"}, r"has no captions; expected name<TAB>caption .*found nothing"),
        ({"1.png": "x", "captions.txt": "one\n"}, r"has no captions; .*found captions.txt \(what begins with 'one'\)"),
        ({"1.png": "x", "captions.txt": "2.png\ttwo\n"}, "no caption is of a picture that is there; one is of 2.png"),
        ({"1.png": "", "captions.txt": "1.png\tone\n"}, "all pictures that have captions are files of 0 bytes"),
        ({"1.png": "x", "captions.txt": "1.png\tone\n", "dev.txt": "1.png"}, r"no list .*has dev.txt \(validation\)"),
        (
            {"1.png": "x", "c.txt": "1.png\tone\n", "dev.txt": "1.png", "val.txt": "1.png", "train.txt": "1.png"},
            "dev.txt and .*val.txt are both the validation split; keep one",
        ),
    ],
)
def test_what_is_missing_or_unclear_is_an_error(tmp_path, files, message):
    for name, content in files.items():
        write(tmp_path / name, content)
    with pytest.raises(UserError, match=message):
        find_pictures(tmp_path).join()


def test_a_path_that_is_no_source_is_an_error(tmp_path):
    with pytest.raises(UserError, match="no such file or folder"):
        find_pictures(tmp_path / "nowhere")
    for name in ("a.png", "images.tgz", "images.zip"):
        with pytest.raises(UserError, match="expected a folder, a .tar file or the captions' file"):
            find_pictures(write(tmp_path / name, b"x"))


def test_a_list_of_test_pictures_is_enough_to_evaluate(tmp_path):
    for name, content in {"1.png": "x", "captions.txt": "1.png\tone\n", "my_test.txt": "1"}.items():
        write(tmp_path / name, content)
    assert find_pictures(tmp_path, need_train=False).join().split("test").names == ["1.png"]


def test_several_test_lists_keep_their_own_names(tmp_path):
    files = {"1.png": "x", "2.png": "x", "captions.txt": "1.png\tone\n2.png\ttwo\n", "train.txt": "1.png"}
    for name, content in (files | {"test_2016.txt": "1.png", "test_2017.txt": "2.png"}).items():
        write(tmp_path / name, content)
    joined = find_pictures(tmp_path).join()
    assert joined.split("test_2017").names == ["2.png"]
    with pytest.raises(UserError, match="'test' could mean test_2016 or test_2017"):
        joined.split("test")


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("Flickr_8k.trainImages.txt", "train"),
        ("Flickr_8k.devImages.txt.gz", "validation"),
        ("captions_val2014.json", "validation"),
        ("flickr30k_testimages.txt", "test"),
        ("TEST-list.txt", "test"),
        ("training.txt", "train"),
        ("contest.txt", None),
        ("medieval_latest.txt", None),
        ("train_val.txt", None),
        ("captions.txt", None),
    ],
)
def test_the_split_is_told_by_a_word_of_the_name(tmp_path, name, split):
    assert split_of(tmp_path / "test" / name) == split
