"""The list of a classifier's mistakes, the surest first."""

import csv
from pathlib import Path

import numpy as np

from data.writing import replacing

COLUMNS = ("label", "predicted_label", "predicted_score", "text")
# More than one reads.
MOST = 1000


def write_errors(path: Path, texts: list[str], labels: list[str], names: list[str], probabilities: np.ndarray) -> None:
    """Writes the rows whose label is another than the predicted one as a table with tabs.

    Args:
        path: The `.tsv` to write.
        texts: A split's texts.
        labels: Their labels.
        names: The labels in the order of the probabilities.
        probabilities: (rows, classes).
    """
    predicted, scores = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = [row for row in np.argsort(-scores, kind="stable") if labels[row] != names[predicted[row]]][:MOST]
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(
            (labels[row], names[predicted[row]], f"{scores[row]:.4f}", " ".join(texts[row].split())) for row in wrong
        )
