"""The labels: which there are, what a split has beside them, and what each weighs in the loss."""

import csv
import dataclasses
import difflib
import math
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np

from data.errors import UserError
from data.labelled_texts.files import LabelledTexts

from .config import Config


def label_names(labels: Sequence[str]) -> list[str]:
    """The distinct labels of the training rows, in order of value where all are numbers, else in alphabetical order.

    A label is a text: "1" and "1.0" are two, of which `doubtful` tells.

    Raises:
        UserError: There are fewer than two.
    """
    names = sorted(set(labels))
    if len(names) < 2:
        raise UserError(f"every training row has the label {names[0]!r}; a classifier needs at least two labels")
    values = {name: value for name in names if isinstance(value := _meaning(name), float)}
    return sorted(names, key=values.__getitem__) if len(values) == len(names) else names


def doubtful(names: Sequence[str]) -> str | None:
    """What is to be said of labels that may not be meant: "1" and "1.0" for the same, "nan" for none; or None."""
    groups: dict[object, list[str]] = {}
    for name in names:
        groups.setdefault(_meaning(name), []).append(name)
    alike = [" and ".join(map(repr, group)) for group in groups.values() if len(group) > 1]
    missing = [repr(name) for name in names if name.casefold() in ("nan", "null")]
    said = [f"{'; '.join(alike)} are labels of their own; spell them alike if they mean the same"] if alike else []
    said += (
        [f"{', '.join(missing)} counts as a label; leave the rows out if it means that there is none"]
        if missing
        else []
    )
    return "; ".join(said) or None


def _meaning(label: str) -> float | str:
    """What labels that differ in spelling alone have in common; "nan" is a word, as it has no place among numbers."""
    try:
        # Python's float takes "1_0", too.
        value = math.nan if "_" in label else float(label)
    except ValueError:
        value = math.nan
    return unicodedata.normalize("NFKC", label).casefold() if math.isnan(value) else value


def as_in_training(texts: LabelledTexts, names: Sequence[str], where: str) -> tuple[LabelledTexts, str | None]:
    """A split with its labels spelled as in training.

    Args:
        texts: The split.
        names: The labels of training.
        where: The split's file or name, for messages.

    Returns:
        The split, and what is to be said of its labels; None where all of them occur in training.

    Raises:
        UserError: None of its labels does, or it has none.
    """
    if not texts.labels:
        raise UserError(f"{where} has no labels")
    others = sorted(set(texts.labels) - set(names))
    if not others:
        return texts, None
    counts = Counter(map(_meaning, names))
    known = {_meaning(name): name for name in names if counts[_meaning(name)] == 1}
    respelled = {label: known[_meaning(label)] for label in others if _meaning(label) in known}
    labels = [respelled.get(label, label) for label in texts.labels]
    notes = [f"{_few(list(respelled))} taken for {_few(list(respelled.values()))}"] if respelled else []
    unknown = [row for row, label in enumerate(labels) if label not in names]
    if len(unknown) == len(labels):
        raise UserError(f"{where}: none of its labels ({_few(others)}) occurs in training ({_few(names)})")
    if unknown:
        first = unknown[0]
        line = texts.lines[first] if texts.lines else f"row {first + 1}"
        rows = "row" if len(unknown) == 1 else "rows"
        notes.append(
            f"{len(unknown):,} {rows} with a label that does not occur in training, counted as missed; "
            f"the first: {where}:{line}: {labels[first]!r}"
        )
    return dataclasses.replace(texts, labels=labels), "; ".join(notes)


def class_weights(config: Config, labels: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """The loss weight of each class, (classes,) float32.

    Args:
        config: `class_weights` is "none", "balanced" (rows / (classes * rows of the class)), or "label=weight,...".
        labels: The training labels' numbers.
        names: The labels' names.

    Raises:
        UserError: The setting names no label, or gives no positive number.
    """
    setting = config.class_weights
    if setting == "none":
        return np.ones(len(names), np.float32)
    if setting == "balanced":
        rows = np.maximum(np.bincount(labels, minlength=len(names)), 1)
        return (len(labels) / (len(names) * rows)).astype(np.float32)
    weights = dict.fromkeys(names, 1.0)
    # As in a .csv file: a label that has a comma in it stands in quotes.
    try:
        parts = next(csv.reader([setting], skipinitialspace=True))
    except csv.Error:
        raise UserError(f"--class-weights: a line break in {setting!r}; weights stand between commas") from None
    for part in parts:
        name, equals, number = part.rpartition("=")
        if not equals:
            near = difflib.get_close_matches(part.lower(), ["none", "balanced"], n=1)
            meant = f"did you mean {near[0]}? " if near else ""
            expected = 'none, balanced or label=weight,label=weight; a label with a comma is quoted: "a, b"=2'
            raise UserError(f"--class-weights: no weight in {part!r}; {meant}Expected {expected}")
        if name.strip() not in weights:
            raise UserError(f"--class-weights: no label {name.strip()!r} in {part!r}; labels are {_few(names)}")
        try:
            weights[name.strip()] = float(number)
        except ValueError:
            raise UserError(f"--class-weights: {number!r} in {part!r} is not a number") from None
    if not all(0 < weight < np.inf for weight in weights.values()):
        raise UserError("--class-weights: every weight must be a positive number")
    return np.array([weights[name] for name in names], np.float32)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
