"""What people look at after a run: every translation beside its reference, and pieces as they can be read."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data.sentence_pairs.pairs import SentencePairs
from data.subwords.ids import END
from data.subwords.pieces import Subwords
from data.tables.table_writer import TableWriter

COLUMNS = ("source", "reference", "translation", "score")
# How a space and the end are shown.
SPACE, END_SHOWN = "▁", "(end)"


def write_translations(path: Path, pairs: SentencePairs, translations: Sequence[str], scores: np.ndarray) -> None:
    """Writes a table with tabs: source, reference, translation, score; the sentences in their order.

    Args:
        path: The `.tsv` to write.
        pairs: The sentences and their references.
        translations: The translation of each.
        scores: The score of each.
    """
    with TableWriter(path, COLUMNS) as writer:
        for *texts, score in zip(pairs.sources, pairs.targets, translations, scores, strict=True):
            writer.write(dict(zip(COLUMNS, [*texts, f"{score:.4f}"], strict=True)))


def shown_pieces(subwords: Subwords, ids: Sequence[int]) -> list[str]:
    """Pieces as labels: a space as a mark that can be seen."""
    return [END_SHOWN if number == END else subwords.decode([number]).replace(" ", SPACE) for number in ids]
