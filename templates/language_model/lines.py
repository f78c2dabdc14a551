"""The lines of a split that a language model finds likeliest, and those that surprise it most."""

import csv
import math
from pathlib import Path

import numpy as np

from data.subwords.ids import spellings
from data.subwords.pieces import Subwords
from data.writing import replacing

COLUMNS = ("bits_per_character", "line")
# Of shorter lines, the first letters alone make the figure.
SHORTEST = 10
# Lines at either end, and characters of a line; there is no reading more.
MOST, LONGEST = 500, 300


def write_lines(path: Path, lines: list[str], ids: np.ndarray, losses: np.ndarray, subwords: Subwords) -> None:
    """Writes lines with their bits per character as a table with tabs, the likeliest first.

    Args:
        path: The `.tsv` to write.
        lines: A split's lines, with their ends.
        ids: The pieces of all lines, one after the other, (pieces,).
        losses: -log p of each of them, given all before it, in nats, (pieces,).
        subwords: What the pieces are.
    """
    lengths = np.array([len(spelled) for spelled in spellings(subwords.pieces)])
    begins = np.concatenate([[0], np.cumsum(lengths[ids])[:-1]])
    ends = np.cumsum([len(line.encode("utf-8", "replace")) for line in lines])
    # A piece counts for the line that it begins in.
    nats = np.bincount(np.searchsorted(ends, begins, side="right"), weights=losses, minlength=len(lines))
    bits = {row: nats[row] / math.log(2) / len(line) for row, line in enumerate(lines) if len(line.strip()) >= SHORTEST}
    rows = sorted(bits, key=bits.__getitem__)
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows if len(rows) <= 2 * MOST else rows[:MOST] + rows[-MOST:]:
            writer.writerow((f"{bits[row]:.4f}", " ".join(lines[row].split())[:LONGEST]))
