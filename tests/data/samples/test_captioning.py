"""The bundled captioning sample: it is what its generator writes, its captions are true, and they can be judged."""

import io
import re
import runpy
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.captioned_pictures.captions import read_captions, read_picture_list
from data.captioned_pictures.source import find_pictures

SAMPLES = Path(__file__).parents[3] / "data" / "samples"
FOLDER = SAMPLES / "captioning"
COUNTS = {"train": 2000, "validation": 200, "test": 200}
SIDE = 48

# Written for this test, apart from the generator's.
COLOURS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "yellow": (1, 1, 0), "purple": (1, 0, 1)}
REVERSED = {"right of": "left of", "below": "above"}

make = runpy.run_path(str(FOLDER / "make" / "draw_scenes.py"))
facts_of, is_correct = make["facts_of"], make["is_correct"]

# (size, colour, shape) of each thing, the left or upper one first, and the relation.
Said = tuple[list[tuple[str, str, str]], str]


@pytest.fixture(scope="module")
def captions() -> dict[str, list[str]]:
    return read_captions(FOLDER / "captions.txt")


@pytest.fixture(scope="module")
def pictures() -> dict[str, np.ndarray]:
    """The pixels of each picture, (rows, columns, channels)."""
    return pixels_of(FOLDER / "images.tar.xz")


@pytest.fixture(scope="module")
def found(pictures) -> dict[str, tuple]:
    """What `seen` finds in each picture."""
    return {name: seen(pixels) for name, pixels in pictures.items()}


def pixels_of(path: Path) -> dict[str, np.ndarray]:
    with tarfile.open(path, "r:xz") as archive:
        contents = {member.name: archive.extractfile(member).read() for member in archive}
    return {name: np.asarray(Image.open(io.BytesIO(one)).convert("RGB")).astype(int) for name, one in contents.items()}


def names(split: str) -> list[str]:
    return read_picture_list(FOLDER / f"{split}.txt")


def said(caption: str) -> Said:
    """What a caption says, read by its key words."""
    things = re.findall(r"a (?:(small|large) )?(\w+) (square|circle|triangle|cross)", caption)
    relation = "".join(re.findall("left of|right of|above|below", caption))
    relation = "left of" if "on the left and" in caption else "above" if "at the top and" in caption else relation
    return (things[::-1], REVERSED[relation]) if relation in REVERSED else (things, relation)


def colour_name(colour: np.ndarray) -> str:
    """The nearest colour: which channels are on, from half of the largest."""
    on = tuple(int(channel > colour.max() / 2) for channel in colour)
    return "white" if on == (1, 1, 1) else next(name for name, channels in COLOURS.items() if channels == on)


def shape_name(mask: np.ndarray) -> str:
    """The shape of the pixels in their bounding box, (rows, columns), by how much of it they fill."""
    if mask.all():
        return "square"
    if mask[-1].all():
        return "triangle"
    return "circle" if mask.mean() > 0.7 else "cross"


def seen(pixels: np.ndarray) -> tuple[Said, list[tuple[int, int, int, int]]]:
    """What a picture shows, read from its pixels, and the top, bottom, left and right end of each thing."""
    # As one number each, which is found faster, in the same order.
    numbers = np.unique(pixels.astype(int) @ [2**16, 2**8, 1])
    colours = [np.array([number >> 16, number >> 8 & 255, number & 255]) for number in numbers]
    background = max(
        colours, key=lambda one: (pixels == one).all(2).sum() if len(set(one)) == 1 and one[0] < 150 else 0
    )
    found = []
    for colour in colours:
        if (colour != background).any():
            mask = (pixels == colour).all(2)
            rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
            box = (rows[0], rows[-1], columns[0], columns[-1])
            shape = shape_name(mask[box[0] : box[1] + 1, box[2] : box[3] + 1])
            size = "" if len(colours) == 3 else "large" if box[1] - box[0] >= 20 else "small"
            found.append(((size, colour_name(colour), shape), box))
    if len(found) == 1:
        return ([found[0][0]], ""), [found[0][1]]
    by_side = sorted(found, key=lambda one: one[1][3])
    if by_side[0][1][3] < by_side[1][1][2]:
        return ([thing for thing, _ in by_side], "left of"), [box for _, box in by_side]
    by_height = sorted(found, key=lambda one: one[1][1])
    assert by_height[0][1][1] < by_height[1][1][0]
    return ([thing for thing, _ in by_height], "above"), [box for _, box in by_height]


def test_generator_reproduces_the_committed_files(tmp_path, pictures):
    make["write"](tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(written) == ["captions.txt", "images.tar.xz", "test.txt", "train.txt", "validation.txt"]
    for name in set(written) - {"images.tar.xz"}:
        assert written[name] == (FOLDER / name).read_bytes()
    # Another zlib may pack the same pixels into other bytes.
    repeated = pixels_of(tmp_path / "images.tar.xz")
    assert list(repeated) == list(pictures)
    assert all((repeated[name] == pictures[name]).all() for name in pictures)
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 1_000_000


def test_the_archive_names_no_owner_and_the_pictures_are_small(pictures):
    with tarfile.open(FOLDER / "images.tar.xz", "r:xz") as archive:
        members = archive.getmembers()
    assert {(one.mtime, one.uid, one.gid, one.uname, one.gname, one.mode) for one in members} == {
        (0, 0, 0, "", "", 0o644)
    }
    assert max(one.size for one in members) <= 512
    assert {pixels.shape for pixels in pictures.values()} == {(SIDE, SIDE, 3)}


def test_the_sample_is_a_source_in_which_everything_fits():
    source = find_pictures(FOLDER)
    joined = source.join()
    assert {split: len(joined.split(split)) for split in source.files} == COUNTS
    assert joined.notes == [] and source.ignored == []
    for split in COUNTS:
        assert joined.split(split).names == names(split)


def test_each_caption_says_what_is_in_the_picture(captions, found):
    assert captions.keys() == found.keys()
    for name, texts in captions.items():
        shown, _ = found[name]
        assert len(set(texts)) == 3
        for text in texts:
            assert re.fullmatch("[a-z]+( [a-z]+)+", text)
            assert said(text) == shown, f"{name}: {text}"


def test_the_relation_is_clear(found):
    for name, ((_, relation), boxes) in found.items():
        if relation:
            (top, bottom, left, right), (low, lowest, east, eastmost) = boxes
            along, across = (east + eastmost - left - right) / 2, (low + lowest - top - bottom) / 2
            along, across = (along, across) if relation == "left of" else (across, along)
            assert along >= 13 and abs(across) <= 5, name
            assert (east - right if relation == "left of" else low - bottom) >= 3, name


def test_no_fact_of_validation_and_test_is_shown_in_training(captions):
    facts = {split: {facts_of(captions[name][0]) for name in names(split)} for split in COUNTS}
    assert not facts["train"] & facts["test"] and not facts["train"] & facts["validation"]
    assert not facts["validation"] & facts["test"]
    # Repeating the caption of some training picture is never right.
    assert not any(is_correct(captions[names("train")[0]][0], captions[name][0]) for name in names("test"))


def test_words_and_relations_are_balanced(captions):
    texts = [text for name in names("train") for text in captions[name]]
    words = Counter(word for text in texts for word in text.split())
    assert len(words) == 29 and min(words.values()) >= 300
    for alike in ("square circle triangle cross", "red green blue yellow purple white", "left right", "above below"):
        counts = [words[word] for word in alike.split()]
        assert max(counts) < 1.25 * min(counts), alike
    assert words.keys() >= {word for name in captions for text in captions[name] for word in text.split()}


def test_every_wording_says_the_same_in_both_orders():
    things = make["Thing"]("red", "square"), make["Thing"]("blue", "circle")
    alone = make["Thing"]("white", "cross", "small")
    for relation, wordings in make["WORDINGS"].items():
        facts = make["Facts"](things if relation else (alone,), relation)
        for wording in wordings:
            assert facts_of(wording.format(*facts.things)) == facts
        if relation:
            assert any(wording.index("{1}") < wording.index("{0}") for wording in wordings)
    assert is_correct(" A blue circle is to the right of a red square . ", "a red square left of a blue circle")


@pytest.mark.parametrize(
    "caption",
    [
        "a red square right of a blue circle",
        "a blue circle left of a red square",
        "a red square above a blue circle",
        "a red circle left of a blue square",
        "a red square left of a blue square",
        "a red square left of a green circle",
        "a small red square left of a blue circle",
        "a red square",
        "a red square left of",
        "a red square left of left of a blue circle",
        "a red square left of a blue circle left of a blue circle",
        "a red square and a blue circle",
        "a red square is left of a blue circle on the left and a blue circle on the right",
        "a orange square left of a blue circle",
        "",
    ],
)
def test_a_caption_that_says_anything_else_is_not_correct(caption):
    assert not is_correct(caption, "a red square left of a blue circle")


def test_nothing_is_correct_by_a_reference_that_is_not_understood():
    assert not is_correct("a dog", "a dog") and facts_of("a dog") is None
