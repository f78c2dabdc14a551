"""training.metrics.classes against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from training.metrics.classes import accuracy, area_under_roc_curve, confusion_matrix, macro_f1, precision_recall_f1

rows = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60)


@settings(deadline=None, max_examples=100)
@given(rows)
def test_confusion_accuracy_precision_recall_and_f1(pairs):
    labels, predictions = np.array(pairs).T
    confusion = confusion_matrix(labels, predictions, 5)
    assert (confusion == reference.confusion_matrix(labels, predictions, labels=range(5))).all()
    assert accuracy(confusion) == pytest.approx(reference.accuracy_score(labels, predictions))
    assert macro_f1(confusion) == pytest.approx(
        reference.f1_score(labels, predictions, average="macro", zero_division=0)
    )
    expected = reference.precision_recall_fscore_support(labels, predictions, labels=range(5), zero_division=0)
    for ours, theirs in zip(precision_recall_f1(confusion), expected):
        np.testing.assert_allclose(ours, theirs)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.5, 0.7, 1.0])), min_size=1, max_size=60))
def test_area_under_the_roc_curve_with_ties(pairs):
    labels, scores = np.array(pairs).T
    ours = area_under_roc_curve(labels, scores)
    if len(set(labels)) == 1:
        assert ours is None
    else:
        assert ours == pytest.approx(reference.roc_auc_score(labels, scores))
