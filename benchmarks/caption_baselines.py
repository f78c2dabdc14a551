"""Captions without a network, on the pictures of `run captioning`: what it must be far above, and what people reach.

    python -m benchmarks.caption_baselines --data DATA

- most frequent caption: that of the training split, for every picture;
- best constant caption: of all training captions the one with the highest CIDEr on the validation split, if it is given
  to every picture; that CIDEr is computed exactly for each of them;
- colour neighbours: the training pictures whose colours, and the places of these, are most like the picture's; of their
  captions the one that is most like the others. How many neighbours is chosen by CIDEr on the validation split;
- one human: one caption of each test picture against its others, the mean over which one. Each has one reference fewer
  than all else is compared with, which lowers its figures.

All are scored once on the test split, as the template scores its captions, and written to
`benchmarks/results/caption_baselines.json`. Pictures that Pillow cannot read are left out and counted.
"""

import io
import math
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from benchmarks.runs import RESULTS
from data.captioned_pictures.files import PictureFiles
from data.captioned_pictures.source import CaptionedPictures, find_pictures
from data.errors import UserError
from data.writing import write_json
from training.metrics.captions import caption_tokens, score_captions

SPLITS = ("train", "validation", "test")
# A picture becomes SIDE x SIDE pixels, CELLS x CELLS places with a histogram each of LEVELS^3 colours.
SIDE, CELLS, LEVELS = 32, 4, 4
# Numbers of neighbours to choose from.
NEIGHBOURS = (1, 3, 10, 30, 100, 300)
# CIDEr's n-grams, its tolerance for a difference in length, in tokens, and its scale.
SIZES, SIGMA, SCALE = (1, 2, 3, 4), 6.0, 10.0
COLUMNS = {"cider": ".3f", "bleu4": ".1f", "bleu1": ".1f", "rouge_l": ".3f"}

Grams = Counter[tuple[str, ...]]


@click.command()
@click.option("--data", required=True, help="The folder with Flickr8k's pictures, captions and lists, or your own.")
@click.option("--output", type=click.Path(path_type=Path), help="[default: benchmarks/results/caption_baselines.json]")
def main(data: str, output: Path | None):
    """Scores captions that no network made."""
    output = output or RESULTS / "caption_baselines.json"
    try:
        source = find_pictures(data)
        joined = source.join()
        given = {split: joined.split(split) for split in SPLITS}
        read = {split: read_histograms(source.pictures, pictures) for split, pictures in given.items()}
    except (UserError, OSError) as error:
        raise click.ClickException(str(error)) from None
    pictures = {split: kept for split, (kept, _) in read.items()}
    record = {
        "command": "python -m benchmarks.caption_baselines --data DATA",
        "data": Path(data).resolve().name,
        "pictures": {split: len(kept) for split, kept in pictures.items()},
        "left_out": sum(len(given[split]) - len(kept) for split, kept in pictures.items()),
        "baselines": measure(pictures, {split: histograms for split, (_, histograms) in read.items()}),
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    write_json(output, record)
    print_report(record, Console() if Console().is_terminal else Console(width=120))


def measure(pictures: dict[str, CaptionedPictures], histograms: dict[str, np.ndarray]) -> dict[str, dict]:
    """Chooses on the training and validation splits, and scores on the test split.

    Args:
        pictures: Those of each split.
        histograms: Their rows of `colour_histogram`, (pictures, colours at places).

    Returns:
        From each baseline's name to `test`, its metrics as `score_captions` gives them, and what was chosen.
    """
    training, validation, test = (pictures[split].captions for split in SPLITS)
    times = Counter(" ".join(caption_tokens(caption)) for captions in training for caption in captions)
    frequent = max(times, key=times.get)
    constant = list(times)[np.argmax(ciders_of_constants(list(times), validation))]
    consensus = Consensus(training)
    most = min(max(NEIGHBOURS), len(training))
    order = {split: nearest(histograms[split], histograms["train"], most) for split in ("validation", "test")}
    by_count = {
        count: score_captions(consensus.captions(order["validation"][:, :count]), validation).metrics
        for count in sorted({min(count, most) for count in NEIGHBOURS})
    }
    best = max(by_count, key=lambda count: by_count[count]["cider"])
    found = {
        "most frequent caption": {
            "caption": frequent,
            "times": times[frequent],
            "test": score_captions([frequent] * len(test), test).metrics,
        },
        "best constant caption": {
            "caption": constant,
            "candidates": len(times),
            "validation": score_captions([constant] * len(validation), validation).metrics,
            "test": score_captions([constant] * len(test), test).metrics,
        },
        "colour neighbours": {
            "neighbours": best,
            "validation_ciders": {str(count): metrics["cider"] for count, metrics in by_count.items()},
            "validation": by_count[best],
            "test": score_captions(consensus.captions(order["test"][:, :best]), test).metrics,
        },
    }
    if any(len(picture) > 1 for picture in test):
        found["one human"] = {"note": "against one reference fewer than all else", "test": human_metrics(test)}
    return found


def ciders_of_constants(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> np.ndarray:
    """CIDEr of every candidate, each as the caption of all pictures.

    What the references that hold an n-gram add together depends only on how often the caption holds it, and on its
    length: these sums are made once for all candidates of a length, so that ten thousands of candidates take seconds.

    Args:
        candidates: Captions.
        references: The references of each picture.

    Returns:
        `score_captions([candidate] * len(references), references).metrics["cider"]` of each candidate, (candidates,).
    """
    pictures = [[count_grams(reference) for reference in picture] for picture in references]
    rarity, unseen = rarities(pictures)
    numbers = {gram: number for number, gram in enumerate(rarity)}
    # What an occurrence in a caption adds, up to as many as the reference has, but for lengths and the caption's norm.
    entries = []
    for picture in pictures:
        for grams in picture:
            norms, length = norms_of(grams, rarity, unseen), length_of(grams)
            for gram, count in grams.items():
                if rarity[gram]:
                    value = count * rarity[gram] ** 2 / norms[len(gram) - 1] / len(picture)
                    entries.append((numbers[gram], count, length, value))
    if not entries:
        return np.zeros(len(candidates))
    number, count, length, value = (np.array(column) for column in zip(*entries, strict=True))
    counts = range(1, int(count.max()) + 1)
    ciders = np.zeros(len(candidates))
    of_length: dict[int, list[tuple[int, Grams]]] = {}
    for row, grams in enumerate(map(count_grams, candidates)):
        of_length.setdefault(length_of(grams), []).append((row, grams))
    for ours, rows in of_length.items():
        near = value * np.exp(-((ours - length) ** 2) / (2 * SIGMA**2))
        sums = [np.bincount(number, near * np.minimum(count, most), len(numbers)).tolist() for most in counts]
        for row, grams in rows:
            norms = norms_of(grams, rarity, unseen)
            for gram, occurrences in grams.items():
                if gram in numbers and norms[len(gram) - 1]:
                    ciders[row] += sums[min(occurrences, len(sums)) - 1][numbers[gram]] / norms[len(gram) - 1]
    return SCALE / len(SIZES) / len(pictures) * ciders


class Consensus:
    """Finds, among the captions of some pictures, the one that is most like the others.

    Likeness is the mean over n-gram sizes of the cosine between the captions' n-grams, each weighed by how rare it is
    in all captions.

    Args:
        captions: The captions of each picture.

    Source: Devlin et al. 2015, "Exploring Nearest Neighbor Approaches for Image Captioning", arXiv:1505.04467; the
    likeness is CIDEr without its regard for lengths, which makes a sum of vectors of the mean over the others.
    """

    def __init__(self, captions: Sequence[Sequence[str]]):
        grams = [[count_grams(caption) for caption in picture] for picture in captions]
        rarity, unseen = rarities(grams)
        numbers = {gram: number for number, gram in enumerate(rarity)}
        self.texts = [caption for picture in captions for caption in picture]
        self.number, self.weight, sizes = [], [], []
        for counts in (counts for picture in grams for counts in picture):
            norms = norms_of(counts, rarity, unseen)
            self.number += [numbers[gram] for gram in counts]
            self.weight += [count * rarity[gram] / (norms[len(gram) - 1] or 1) for gram, count in counts.items()]
            sizes.append(len(counts))
        self.number, self.weight = np.array(self.number, int), np.array(self.weight, float)
        # Where each picture's captions begin, and each caption's n-grams.
        self.of_picture = np.cumsum([0, *map(len, captions)])
        self.of_caption = np.cumsum([0, *sizes])

    def captions(self, pictures: np.ndarray) -> list[str]:
        """Returns for each row of pictures, (rows, pictures), the caption that is most like the others."""
        return [self.texts[self._most_like_others(row)] for row in pictures]

    def _most_like_others(self, pictures: np.ndarray) -> int:
        ours = np.concatenate([np.arange(*self.of_picture[picture : picture + 2]) for picture in pictures])
        begin, end = self.of_caption[ours], self.of_caption[ours + 1]
        grams = np.concatenate([np.arange(*pair) for pair in zip(begin, end, strict=True)])
        caption = np.repeat(np.arange(len(ours)), end - begin)
        _, place = np.unique(self.number[grams], return_inverse=True)
        weight = self.weight[grams]
        others = np.bincount(place, weight)[place] - weight
        return ours[np.argmax(np.bincount(caption, weight * others, len(ours)))]


def count_grams(caption: str) -> Grams:
    """How often each n-gram of 1 to 4 tokens occurs."""
    tokens = caption_tokens(caption)
    return Counter(gram for size in SIZES for gram in zip(*(tokens[start:] for start in range(size)), strict=False))


def length_of(grams: Grams) -> int:
    """The number of tokens."""
    return sum(count for gram, count in grams.items() if len(gram) == 1)


def rarities(pictures: Sequence[Sequence[Grams]]) -> tuple[dict[tuple[str, ...], float], float]:
    """CIDEr's weight of each n-gram, the logarithm of pictures over pictures that have it; and that of any other."""
    having = Counter(gram for picture in pictures for gram in set().union(*picture))
    return {gram: math.log(len(pictures) / count) for gram, count in having.items()}, math.log(len(pictures))


def norms_of(grams: Grams, rarity: dict[tuple[str, ...], float], unseen: float) -> list[float]:
    """The length of a caption's vector of weighed n-grams, for each n-gram size."""
    squares = [0.0] * len(SIZES)
    for gram, count in grams.items():
        squares[len(gram) - 1] += (count * rarity.get(gram, unseen)) ** 2
    return [math.sqrt(square) for square in squares]


def read_histograms(files: PictureFiles, pictures: CaptionedPictures) -> tuple[CaptionedPictures, np.ndarray]:
    """The pictures that can be read, and a row of `colour_histogram` for each; UserError where there are none."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        found = list(threads.map(lambda name: colour_histogram(files.read(name)), pictures.names))
    rows = [row for row, histogram in enumerate(found) if histogram is not None]
    if not rows:
        raise UserError(f"{pictures.names[0]} and all others of its split: no pictures that Pillow can read")
    return pictures.select(rows), np.stack([found[row] for row in rows])


def colour_histogram(content: bytes) -> np.ndarray | None:
    """Which colours a picture has at which places.

    Args:
        content: The picture's file.

    Returns:
        The square root of each colour's share at each place, (CELLS^2 LEVELS^3,): the product of two pictures' is 1
        where all shares agree, 0 where they share no colour at any place. None where Pillow cannot read the file.
    """
    try:
        with Image.open(io.BytesIO(content)) as picture:
            pixels = np.asarray(picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX), int)
    except (OSError, SyntaxError, ValueError):
        return None
    colours = pixels * LEVELS // 256 @ [LEVELS**2, LEVELS, 1]
    cells = np.arange(SIDE) * CELLS // SIDE
    places = cells[:, np.newaxis] * CELLS + cells
    counts = np.bincount((places * LEVELS**3 + colours).ravel(), minlength=CELLS**2 * LEVELS**3)
    return np.sqrt(counts / SIDE**2)


def nearest(histograms: np.ndarray, training: np.ndarray, count: int) -> np.ndarray:
    """The rows of the training pictures most like each picture, the most alike first, (pictures, count)."""
    return np.argsort(-(histograms @ training.T), axis=1, kind="stable")[:, :count]


def human_metrics(captions: Sequence[Sequence[str]]) -> dict[str, float]:
    """The metrics of one caption of each picture against its others, the mean over which one; of those with several."""
    several = [picture for picture in captions if len(picture) > 1]
    turns = []
    for turn in range(min(map(len, several))):
        others = [[*picture[:turn], *picture[turn + 1 :]] for picture in several]
        turns.append(score_captions([picture[turn] for picture in several], others).metrics)
    return {name: float(np.mean([metrics[name] for metrics in turns])) for name in turns[0]}


def print_report(record: dict, console: Console) -> None:
    """Prints the figures on the test split, and what was chosen."""
    table = Table(title=f"Captions without a network on {record['data']}: test split")
    table.add_column("baseline")
    for name in COLUMNS:
        table.add_column(name, justify="right")
    table.add_column("")
    for name, one in record["baselines"].items():
        figures = [format(one["test"][column], written) for column, written in COLUMNS.items()]
        chosen = f"of the {one['neighbours']} nearest" if "neighbours" in one else one.get("caption", one.get("note"))
        table.add_row(name, *figures, chosen)
    console.print(table)
    counts = ", ".join(f"{count} {split}" for split, count in record["pictures"].items())
    console.print(f"pictures: {counts}; {record['left_out']} unreadable", highlight=False)


if __name__ == "__main__":
    main()
