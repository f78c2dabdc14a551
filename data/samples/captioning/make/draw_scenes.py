"""Writes the captioning sample: pictures of coloured shapes, and sentences that say how they lie to each other.

A scene is drawn at random first, as facts: two shapes of different colours of which one lies clearly left of or above
the other, or one shape that is small or large. The facts are then painted into a picture, at a random place, in a
random size and shade, and said in several wordings that are all true. `facts_of` reads the facts back from a
sentence, so that a caption can be judged by what it says and not by its words: see `is_correct`.

Run `python data/samples/captioning/make/draw_scenes.py`: it rewrites all files in `data/samples/captioning` but the
README. NumPy is needed. The randomness is `random.Random(SEED)`'s `random()` alone, which is the same in every Python
version; the pixels follow from it. How they are packed is left to zlib and liblzma, of which other versions may write
other bytes.
"""

import io
import random
import re
import struct
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SEED = 20150206
SPLITS = {"train": 2000, "validation": 200, "test": 200}
UNSEEN = 0.1  # of all facts, how many are shown in the validation split alone, and how many in the test split alone
ALONE = 0.15  # share of the pictures with one shape
CAPTIONS = 3  # of each picture
SIDE = 48  # pixels

SHAPES = ("square", "circle", "triangle", "cross")
COLOURS = {
    "red": (208, 36, 40),
    "green": (44, 164, 60),
    "blue": (44, 84, 216),
    "yellow": (232, 204, 40),
    "purple": (148, 48, 172),
    "white": (238, 238, 238),
}
SHADE = 10  # how far a channel may be from the colour's
BACKGROUND = (10, 100)  # shades of grey
SIZES = {"": (12, 18), "small": (9, 13), "large": (25, 36)}  # pixels, width and height
GAP = (2, 10)  # pixels between two shapes
SLANT = 4  # pixels by which two shapes that lie side by side may be higher or lower

# What is said about two shapes, the left or upper one first.
WORDINGS = {
    "left of": (
        "{0} left of {1}",
        "{1} right of {0}",
        "{0} is to the left of {1}",
        "{1} is to the right of {0}",
        "there is {0} to the left of {1}",
        "there is {1} to the right of {0}",
        "{0} on the left and {1} on the right",
    ),
    "above": (
        "{0} above {1}",
        "{1} below {0}",
        "{0} is above {1}",
        "{1} is below {0}",
        "there is {0} above {1}",
        "there is {1} below {0}",
        "{0} at the top and {1} at the bottom",
    ),
    "": ("{0}", "there is {0}", "{0} and nothing else"),
}


@dataclass(frozen=True)
class Thing:
    """A shape in a picture; its size is "small" or "large" where it is alone, else ""."""

    colour: str
    shape: str
    size: str = ""

    def __str__(self) -> str:
        return " ".join(word for word in ("a", self.size, self.colour, self.shape) if word)


@dataclass(frozen=True)
class Facts:
    """What a picture shows, however it is said.

    Attributes:
        things: one shape, or two: first the one on the left, or on top.
        relation: "left of" or "above": how the first lies to the second; "" for one shape.
    """

    things: tuple[Thing, ...]
    relation: str = ""


_THING = rf"a (?:(small|large) )?({'|'.join(COLOURS)}) ({'|'.join(SHAPES)})"


def _pattern(wording: str) -> re.Pattern:
    return re.compile(re.sub(r"\{\d\}", lambda match: _THING, wording))


_PATTERNS = [
    (_pattern(wording), relation, wording.find("{0}") > wording.find("{1}") >= 0)
    for relation, wordings in WORDINGS.items()
    for wording in wordings
]


def facts_of(caption: str) -> Facts | None:
    """Reads what a caption says.

    Args:
        caption: a sentence; letter case, blanks at its ends and a full stop do not count.

    Returns:
        The facts; None when it is not one of the sentences that the sample's grammar makes.

    Example:
        >>> facts_of("a blue circle right of a red square") == facts_of("a red square is to the left of a blue circle")
        True
    """
    text = " ".join(caption.lower().replace(".", " ").split())
    for pattern, relation, is_reversed in _PATTERNS:
        match = pattern.fullmatch(text)
        if match:
            words = match.groups()
            things = [Thing(words[at + 1], words[at + 2], words[at] or "") for at in range(0, len(words), 3)]
            return Facts(tuple(reversed(things) if is_reversed else things), relation)
    return None


def is_correct(caption: str, facts: Facts | str) -> bool:
    """Whether a caption names every shape, colour, size and relation of a picture, and no other.

    Args:
        caption: what a model says.
        facts: what the picture shows, or any of its captions.
    """
    truth = facts_of(facts) if isinstance(facts, str) else facts
    return truth is not None and facts_of(caption) == truth


class Choices:
    """Random choices that are the same in every Python version."""

    def __init__(self, seed: int):
        self.random = random.Random(seed).random

    def number(self, least: int, most: int) -> int:
        """A whole number, both ends included."""
        return least + int(self.random() * (most - least + 1))

    def some(self, options: list, count: int) -> list:
        """Different options, in random order."""
        left = list(options)
        return [left.pop(self.number(0, len(left) - 1)) for _ in range(count)]

    def one(self, options: list):
        return options[self.number(0, len(options) - 1)]


def all_facts() -> tuple[list[Facts], list[Facts]]:
    """Everything that a picture can show: of one shape, and of two."""
    things = [(colour, shape) for colour in COLOURS for shape in SHAPES]
    alone = [Facts((Thing(*thing, size),)) for thing in things for size in ("small", "large")]
    pairs = [(Thing(*one), Thing(*other)) for one in things for other in things if one[0] != other[0]]
    return alone, [Facts(pair, relation) for pair in pairs for relation in ("left of", "above")]


def inside(shape: str, size: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which pixels are in a shape, given their distances to the right of its centre and below it."""
    half = size / 2
    wide, high = abs(x), abs(y)
    if shape == "circle":
        return x * x + y * y <= half * half
    if shape == "triangle":
        return (high <= half) & (2 * wide <= y + half)
    if shape == "cross":
        arm = size / 6
        return ((wide <= half) & (high <= arm)) | ((wide <= arm) & (high <= half))
    return (wide <= half) & (high <= half)


def places(facts: Facts, sizes: list[int], choices: Choices) -> list[tuple[float, float]]:
    """The centre, (x, y) in pixels, of each shape, so that the relation holds clearly."""
    if len(sizes) == 1:
        box, offsets = (sizes[0], sizes[0]), [(0, 0)]
    else:
        largest, along = max(sizes), sum(sizes) + min(choices.number(*GAP), SIDE - 2 - sum(sizes))
        slant = choices.number(-SLANT, SLANT)
        across = [(largest - size) / 2 for size in sizes]
        lower = [max(0, -slant) + across[0], max(0, slant) + across[1]]
        starts = [(0, lower[0]), (along - sizes[1], lower[1])]
        box = (along, largest + abs(slant))
        offsets = starts
        if facts.relation == "above":
            box, offsets = box[::-1], [start[::-1] for start in starts]
    corner = [choices.number(1, SIDE - 1 - int(length)) for length in box]
    return [(corner[0] + x + size / 2, corner[1] + y + size / 2) for (x, y), size in zip(offsets, sizes)]


def paint(facts: Facts, choices: Choices) -> tuple[np.ndarray, list[tuple[int, int, int]]]:
    """Paints a picture: indices of colours, (rows, columns), and the colours, the background first."""
    grey = choices.number(*BACKGROUND)
    palette = [(grey, grey, grey)]
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    sizes = [choices.number(*SIZES[thing.size]) for thing in facts.things]
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    for thing, size, (left, top) in zip(facts.things, sizes, places(facts, sizes, choices)):
        pixels[inside(thing.shape, size, x - left, y - top)] = len(palette)
        palette.append(tuple(min(255, one + choices.number(-SHADE, SHADE)) for one in COLOURS[thing.colour]))
    return pixels, palette


def png(pixels: np.ndarray, palette: list[tuple[int, int, int]]) -> bytes:
    """Packs a picture of up to four colours into a PNG file with two bits a pixel.

    Source:
        Portable Network Graphics (third edition), sections 5.3, 7.2 and 11.2: https://www.w3.org/TR/png-3/
    """
    packed = (pixels.reshape(SIDE, -1, 4) << np.array([6, 4, 2, 0], np.uint8)).sum(2, dtype=np.uint8)
    above = np.vstack([np.zeros_like(packed[:1]), packed[:-1]])
    # Filter 2: every byte less the one above it, which is the same in most places.
    rows = np.hstack([np.full((SIDE, 1), 2, np.uint8), packed - above])
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", SIDE, SIDE, 2, 3, 0, 0, 0),
        b"PLTE": bytes(channel for colour in palette for channel in colour),
        b"IDAT": zlib.compress(rows.tobytes(), 9),
        b"IEND": b"",
    }
    framed = (
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks.items()
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


@dataclass(frozen=True)
class Picture:
    """A picture of the sample: its file name, its content as a PNG file, and its captions."""

    name: str
    content: bytes
    captions: list[str]


def make_pictures(counts: dict[str, int] = SPLITS) -> dict[str, list[Picture]]:
    """Draws all splits.

    Args:
        counts: how many pictures of each split.

    Returns:
        Split name -> its pictures.
    """
    choices = Choices(SEED)
    shown: dict[str, list[list[Facts]]] = {split: [] for split in counts}
    for kind in all_facts():
        mixed = choices.some(kind, len(kind))
        held = round(UNSEEN * len(kind))
        shown["test"].append(mixed[:held])
        shown["validation"].append(mixed[held : 2 * held])
        shown["train"].append(mixed[2 * held :])
    splits, number = {}, 0
    for split, count in counts.items():
        alone = round(ALONE * count)
        chosen = []
        for kind, wanted in zip(shown[split], (alone, count - alone)):
            # Whole rounds, so that no fact is shown much more often than another.
            rounds = [choices.some(kind, len(kind)) for _ in range(-(-wanted // len(kind)))]
            chosen += sum(rounds, [])[:wanted]
        splits[split] = []
        for facts in choices.some(chosen, count):
            wordings = choices.some(list(WORDINGS[facts.relation]), CAPTIONS)
            captions = [wording.format(*facts.things) for wording in wordings]
            splits[split].append(Picture(f"{number:04d}.png", png(*paint(facts, choices)), captions))
            number += 1
    return splits


def write(folder: Path, counts: dict[str, int] = SPLITS) -> None:
    """Writes `images.tar.xz`, `captions.txt` (`name#k<TAB>caption`) and the names of each split's pictures.

    Args:
        folder: where to.
        counts: how many pictures of each split.
    """
    splits = make_pictures(counts)
    pictures = sum(splits.values(), [])
    lines = [f"{one.name}#{k}\t{text}" for one in pictures for k, text in enumerate(one.captions)]
    (folder / "captions.txt").write_bytes("\n".join([*lines, ""]).encode())
    for split, chosen in splits.items():
        (folder / f"{split}.txt").write_bytes("".join(f"{one.name}\n" for one in chosen).encode())
    # In blocks of 512 bytes the small files would take three times their room.
    with tarfile.open(folder / "images.tar.xz", "w:xz", preset=9, format=tarfile.USTAR_FORMAT) as archive:
        for one in pictures:
            member = tarfile.TarInfo(one.name)  # no owner, and the same time, 1970, for all
            member.size = len(one.content)
            archive.addfile(member, io.BytesIO(one.content))


if __name__ == "__main__":
    write(Path(__file__).parent.parent)
