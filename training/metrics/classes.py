"""Classification metrics over whole splits, in numpy; the tests hold them against scikit-learn's."""

import numpy as np


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """Counts rows by true and predicted class.

    Args:
        labels: True classes, (rows,) int.
        predictions: Predicted classes, (rows,) int.
        classes: The number of classes.

    Returns:
        (classes, classes) int; entry [i, j] counts rows of class i that were predicted as j.

    Example:
        confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)   # [[1, 1], [0, 1]]
    """
    flat = np.bincount(np.asarray(labels) * classes + np.asarray(predictions), minlength=classes * classes)
    return flat.reshape(classes, classes)


def accuracy(confusion: np.ndarray) -> float:
    """The share of rows on the diagonal, 0 to 1."""
    return float(np.trace(confusion) / confusion.sum())


def precision_recall_f1(confusion: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision, recall and F1 of each class, (classes,) each, 0 to 1; 0 where a figure has no denominator."""
    hits = np.diagonal(confusion).astype(float)
    precision = _ratio(hits, confusion.sum(axis=0))
    recall = _ratio(hits, confusion.sum(axis=1))
    return precision, recall, _ratio(2 * precision * recall, precision + recall)


def macro_f1(confusion: np.ndarray) -> float:
    """The mean of F1 over the classes that occur, as labels or as predictions (scikit-learn's default)."""
    occurring = (confusion.sum(axis=0) + confusion.sum(axis=1)) > 0
    return float(precision_recall_f1(confusion)[2][occurring].mean())


def area_under_roc_curve(labels: np.ndarray, scores: np.ndarray) -> float | None:
    """The probability that a row of class 1 scores above a row of class 0, ties counting half.

    Args:
        labels: True classes 0 or 1, (rows,).
        scores: Scores of class 1, (rows,).

    Returns:
        0 to 1; None where one of the classes does not occur (the curve is not defined).

    Source: the Mann-Whitney U statistic; Hanley and McNeil, 1982.
    """
    positive = np.asarray(labels) == 1
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return None
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    # Tied scores share the mean of the ranks that they span.
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    return np.divide(numerator, denominator, out=np.zeros(len(numerator)), where=denominator > 0)
