"""data.captioned_pictures.names and what `look_up` answers: which picture a name means, or why none."""

import tarfile
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.captioned_pictures.files import find_picture_files
from data.captioned_pictures.kinds import why_not_read
from data.captioned_pictures.names import PictureNames
from data.captioned_pictures.source import find_pictures

JPEG, TIFF, HEIC = b"\xff\xd8\xff\xe0\x00\x10JFIF", b"II*\x00\x08\x00\x00\x00", b"\0\0\0\x18ftypheic\0\0\0\0"


@pytest.mark.parametrize(
    ("names", "wanted", "found"),
    [
        (["a.JPG"], "a.jpg", ["a.JPG"]),
        (["a.jpg"], "A.JPG", ["a.jpg"]),
        (["x/cafe\u0301.jpg"], "caf\u00e9.jpg", ["x/cafe\u0301.jpg"]),
        (["caf\u00e9.jpg"], "x/cafe\u0301", ["caf\u00e9.jpg"]),
        (["a.jpg", "A.jpg"], "A.jpg", ["A.jpg"]),
        (["a.jpg", "A.jpg"], "a.JPG", ["A.jpg", "a.jpg"]),
        (["scene#3.jpg", "scene.jpg"], "scene#3", ["scene#3.jpg"]),
        (["scene.jpg"], "scene#3", ["scene.jpg"]),
        (["scene.jpg"], "scene.jpg#0", ["scene.jpg"]),
        (["cats/0.jpg", "dogs/0.jpg"], "0.jpg", ["cats/0.jpg", "dogs/0.jpg"]),
        (["cats/0.jpg", "dogs/0.jpg"], "dogs\\0", ["dogs/0.jpg"]),
        (["a.png"], "a.jpg", []),
        (["b/a.jpg"], "c/a.jpg", []),
        ([], "", []),
    ],
)
def test_what_a_name_means(names, wanted, found):
    assert PictureNames(names).fitting(wanted) == found


def test_pictures_beside_the_file_that_names_them_come_first():
    names = PictureNames(["0.jpg", "cats/0.jpg", "dogs/0.JPG", "dogs/1.JPG", "cats/1.JPG", "images/2.jpg"])
    assert [names.fitting("0.jpg", folder) for folder in ("", "cats", "birds")] == [
        ["0.jpg"],
        ["cats/0.jpg"],
        ["0.jpg"],
    ]
    assert names.fitting("1.jpg", "dogs") == ["dogs/1.JPG"]
    assert names.fitting("../images/2.jpg", "lists") == ["images/2.jpg"]


_PARTS = st.from_regex(r"[a-zé#0-9]{1,4}", fullmatch=True)


@settings(max_examples=50)
@given(st.sets(st.tuples(_PARTS, _PARTS, st.sampled_from(["jpg", "png"])), min_size=1, max_size=6), st.data())
def test_every_spelling_of_a_name_finds_it_or_all_that_it_may_mean(parts, data):
    names = [f"{folder}/{stem}.{suffix}" for folder, stem, suffix in parts]
    wanted = data.draw(st.sampled_from(sorted(names)))
    found = PictureNames(names)
    assert found.fitting(wanted) == [wanted]
    for spelled in (wanted.upper(), unicodedata.normalize("NFD", wanted), wanted.rpartition(".")[0]):
        assert wanted in found.fitting(spelled)
    assert wanted in found.fitting(wanted.rpartition("/")[2])


def test_three_answers_where_a_name_means_no_picture(tmp_path):
    files = {"cats/000.jpg": JPEG, "dogs/000.jpg": JPEG, "1.tif": TIFF, "2.HEIC": HEIC, "4.mp4": b"\0", "5.jfif": JPEG}
    # Content counts: of these, the first is one that is read, and the second none, whatever they are called.
    files |= {"6.tiff": JPEG, "7": JPEG, "8": b"text"}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    pictures = find_picture_files(tmp_path)
    assert sorted(pictures.places) == ["5.jfif", "6.tiff", "7", "cats/000.jpg", "dogs/000.jpg"]
    problems = {name: pictures.look_up(name).problem for name in ("3.jpg", "000.jpg", "1", "2.heic", "4.mp4", "5.JFIF")}
    assert problems == {
        "3.jpg": "not there",
        "000.jpg": "ambiguous: cats/000.jpg or dogs/000.jpg",
        "1": f"1.tif is {why_not_read('TIFF')}",
        "2.heic": f"2.HEIC is {why_not_read('HEIC')}",
        "4.mp4": f"4.mp4 is {why_not_read(None)}",
        "5.JFIF": "",
    }
    assert pictures.find(f"{tmp_path}/7") == "7", "the whole path"
    (tmp_path / "captions.txt").write_text("".join(f"{name}\tA dog\n" for name in (*problems, "2.heic")))
    assert find_pictures(tmp_path).join().notes[:3] == [
        "1 picture that has captions is not there (3.jpg)",
        "1 name means several pictures (000.jpg is ambiguous: cats/000.jpg or dogs/000.jpg)",
        f"3 pictures are of a kind that is not read ({', '.join(problems[one] for one in ('1', '2.heic', '4.mp4'))})",
    ]


def test_kinds_of_pictures_in_an_archive_are_told_by_their_content(tmp_path):
    with tarfile.open(tmp_path / "images.tar", "w") as archive:
        for name, content in {"a.tif": TIFF, "b.avif": JPEG}.items():
            (tmp_path / name).write_bytes(content)
            archive.add(tmp_path / name, name)
    pictures = find_picture_files(tmp_path / "images.tar")
    assert list(pictures.places) == ["b.avif"] and "a.tif is a TIFF picture" in pictures.look_up("a").problem
