"""Entity metrics against seqeval's default mode, which counts as conlleval does, on random tags."""

import numpy as np
import pytest
import seqeval.metrics
from hypothesis import given
from hypothesis import strategies as st

from data.tagged_sentences.tag_schemes import entities
from training.metrics.entities import NONE, score_entities

TAGS = ["O", *(f"{letter}-{kind}" for kind in ("PER", "LOC", "MISC") for letter in "BIES")]
SENTENCE = st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), min_size=1, max_size=12)


@given(st.lists(SENTENCE, min_size=1, max_size=6))
def test_figures_are_those_of_seqeval(pairs):
    true, predicted = ([[pair[side] for pair in sentence] for sentence in pairs] for side in (0, 1))
    scores = score_entities([entities(row) for row in true], [entities(row) for row in predicted])
    for name, reference in (
        ("precision", seqeval.metrics.precision_score),
        ("recall", seqeval.metrics.recall_score),
        ("f1", seqeval.metrics.f1_score),
    ):
        assert scores.micro[name] == pytest.approx(reference(true, predicted, zero_division=0))
    if scores.per_type:
        report = seqeval.metrics.classification_report(true, predicted, output_dict=True, zero_division=0)
        for kind, figures in scores.per_type.items():
            assert figures["rows"] == report[kind]["support"]
            assert figures["f1"] == pytest.approx(report[kind]["f1-score"])
            assert figures["precision"] == pytest.approx(report[kind]["precision"])


def test_the_confusion_pairs_entities_with_the_same_tokens():
    true = [[("PER", 0, 2), ("LOC", 3, 4)], [("PER", 0, 1)]]
    predicted = [[("ORG", 0, 2), ("LOC", 3, 5)], [("PER", 0, 1)]]
    scores = score_entities(true, predicted)
    assert scores.types == ["LOC", "ORG", "PER", NONE]
    expected = np.zeros((4, 4), int)
    expected[2, 1] = expected[2, 2] = expected[0, 3] = expected[3, 0] = 1
    assert scores.confusion.tolist() == expected.tolist()
    assert scores.micro == {"precision": 1 / 3, "recall": 1 / 3, "f1": pytest.approx(1 / 3)}


def test_no_entity_at_all_is_no_mistake_and_no_success():
    scores = score_entities([[]], [[]])
    assert scores.micro == {"precision": 0.0, "recall": 0.0, "f1": 0.0} and scores.types == [NONE]
