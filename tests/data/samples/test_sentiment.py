"""The bundled sentiment sample: it is what its generator writes, it is clean, and a bag of words cannot read it."""

import csv
import re
import runpy
from collections import Counter
from pathlib import Path

import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression

SAMPLES = Path(__file__).parents[3] / "data" / "samples"
FOLDER = SAMPLES / "sentiment"
COUNTS = {"train": 4000, "validation": 500, "test": 500}


def rows(split: str) -> list[dict[str, str]]:
    with open(FOLDER / f"{split}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def texts_and_labels(split: str) -> tuple[list[str], list[str]]:
    return [row["text"] for row in rows(split)], [row["label"] for row in rows(split)]


def test_generator_reproduces_the_committed_bytes(tmp_path):
    runpy.run_path(str(FOLDER / "make" / "write_reviews.py"))["write"](tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_bytes() for path in FOLDER.glob("*.csv")}
    assert sorted(written) == ["test.csv", "train.csv", "validation.csv"]


def test_counts_balance_and_size():
    for split, count in COUNTS.items():
        assert Counter(row["label"] for row in rows(split)) == {"negative": count // 2, "positive": count // 2}
        assert all(list(row) == ["text", "label"] for row in rows(split))
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 1_000_000


def test_no_text_occurs_twice_within_or_across_splits():
    # Letter case and punctuation do not make a review a new one.
    normalized = [" ".join(re.findall(r"\w+", row["text"].lower())) for split in COUNTS for row in rows(split)]
    assert [text for text, times in Counter(normalized).items() if times > 1] == []


def test_texts_read_like_short_reviews():
    vocabulary = set()
    for split in COUNTS:
        for text in (row["text"] for row in rows(split)):
            assert 8 <= len(text.split()) <= 40, text
            assert re.fullmatch(r"[A-Z][A-Za-z ,;:.!']*[.!]", text), text
            assert 1 <= len(re.findall(r"[.!]", text)) <= 3, text
            assert not re.search(r"\b(\w+) \1\b", text, flags=re.IGNORECASE), text
            assert not re.search(r"\ba (?!use)[aeiou]|\ban [^aeiou]", text, flags=re.IGNORECASE), text
            vocabulary.update(re.findall(r"[a-z']+", text.lower()))
    assert 400 <= len(vocabulary) <= 900


@pytest.mark.parametrize("vectorizer", [CountVectorizer, TfidfVectorizer])
def test_a_bag_of_words_stays_below_080(vectorizer):
    (train, train_labels), (validation, validation_labels), (test, test_labels) = map(texts_and_labels, COUNTS)
    features = vectorizer()
    train_features = features.fit_transform(train)
    models = [LogisticRegression(C=c, max_iter=2000).fit(train_features, train_labels) for c in (0.01, 0.1, 1, 10, 100)]
    best = max(models, key=lambda model: model.score(features.transform(validation), validation_labels))
    accuracy = best.score(features.transform(test), test_labels)
    print(f"{vectorizer.__name__}: test accuracy {accuracy:.3f} (C={best.C})")
    assert accuracy < 0.80
