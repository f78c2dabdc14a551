"""Precision, recall and F1 of entities: one counts as found if its type, its first and its last token are right."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# An entity: its type, its first token, and the token after its last.
Span = tuple[str, int, int]

# In a confusion of types: no entity with these tokens.
NONE = "none"


@dataclass(frozen=True)
class EntityScores:
    """What `score_entities` found; figures are 0 to 1.

    Args:
        micro: `precision`, `recall` and `f1` over all entities together.
        per_type: Type -> `precision`, `recall`, `f1`, and `rows`, the number of true entities.
        confusion: (types + 1, types + 1) counts of spans, rows true, columns predicted; the last is `NONE`: spans that
            only one side has.
        types: The names of rows and columns.
    """

    micro: dict[str, float]
    per_type: dict[str, dict[str, float]]
    confusion: np.ndarray
    types: list[str]


def score_entities(true: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]]) -> EntityScores:
    """Counts entities over a whole split.

    Args:
        true: The entities of each sentence.
        predicted: Those that a model found, sentence by sentence.

    Returns:
        The figures; a figure without a denominator is 0.

    Example:
        score_entities([[("PER", 0, 2)]], [[("PER", 0, 2), ("LOC", 3, 4)]]).micro["precision"]   # 0.5

    Source: Tjong Kim Sang and De Meulder, "Introduction to the CoNLL-2003 Shared Task", 2003.
    """
    types = sorted({span[0] for spans in (*true, *predicted) for span in spans})
    number = {name: index for index, name in enumerate([*types, NONE])}
    confusion = np.zeros((len(number), len(number)), int)
    true_counts: Counter[str] = Counter()
    predicted_counts: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for true_spans, predicted_spans in zip(true, predicted, strict=True):
        true_types = {span[1:]: span[0] for span in true_spans}
        predicted_types = {span[1:]: span[0] for span in predicted_spans}
        true_counts.update(true_types.values())
        predicted_counts.update(predicted_types.values())
        for place in true_types.keys() | predicted_types.keys():
            true_type, predicted_type = true_types.get(place, NONE), predicted_types.get(place, NONE)
            confusion[number[true_type], number[predicted_type]] += 1
            right[true_type] += true_type == predicted_type
    per_type = {
        name: _figures(right[name], predicted_counts[name], true_counts[name]) | {"rows": true_counts[name]}
        for name in types
    }
    micro = _figures(right.total(), predicted_counts.total(), true_counts.total())
    return EntityScores(micro, per_type, confusion, [*types, NONE])


def _figures(right: int, predicted: int, true: int) -> dict[str, float]:
    precision, recall = right / predicted if predicted else 0.0, right / true if true else 0.0
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}
