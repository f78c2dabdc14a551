"""The bundled language model's sample: it is what its generator writes, and counting cannot tell what fits far before."""

import re
import runpy
from collections import Counter

import numpy as np
import pytest

from data.running_text.documents import Documents
from data.running_text.pieces import choose_pieces
from data.subwords.pieces import Subwords
from templates.language_model.ngrams import surprise_of_ngrams
from tests.minimal_pairs import FOLDER, VERBS, lines_of, minimal_pairs

COUNTS = {"train": 13000, "validation": 500, "test": 500}


def test_generator_reproduces_the_committed_bytes(tmp_path):
    runpy.run_path(str(FOLDER / "make" / "write_lines.py"))["write"](tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_bytes() for path in FOLDER.glob("*.txt")}
    assert sorted(written) == ["test.txt", "train.txt", "validation.txt"]
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 1_000_000


def test_no_line_occurs_twice_and_brackets_close_in_order():
    lines = [line for split in COUNTS for line in lines_of(split)]
    assert {split: len(lines_of(split)) for split in COUNTS} == COUNTS and len(set(lines)) == len(lines)
    for line in lines:
        assert re.fullmatch(r"[A-Z][a-z \[\](){}]+\.", line), line
        brackets = re.sub(r"[^\[\](){}]", "", line)
        while brackets != (brackets := re.sub(r"\(\)|\[\]|\{\}", "", brackets)):
            pass
        assert brackets == "", line


def test_pairs_are_even():
    """No form of a verb, no kind of bracket, no reflexive is much more frequent: who guesses is half right."""
    singular = {pair.partition(":")[0] for pair in VERBS}
    for name, found in minimal_pairs("test").items():
        words = [re.findall(r"\w+|[^\w ]", side) for pair in found for side in pair]
        changed = [
            next(word for word, other in zip(right, wrong, strict=True) if word != other)
            for right, wrong in zip(words[::2], words[1::2], strict=True)
        ]
        counts = Counter(word in singular if name == "verb" else word for word in changed)
        assert len(found) > 100 and max(counts.values()) / len(found) < (0.45 if name == "bracket" else 0.6), counts


@pytest.mark.parametrize("kind", ["characters", "words"])
def test_counting_cannot_tell(kind):
    """`pytest tests/data/samples/test_language_model.py -s` prints the shares that the sample's README tells."""
    text = Documents([f"{line}\n" for line in lines_of("train")], [True] + [False] * (COUNTS["train"] - 1)).texts
    subwords = Subwords(choose_pieces(kind, text, 4000))
    training = np.array(subwords.encode(text[0]))
    for name, pairs in minimal_pairs("test").items():
        rows = [subwords.encode(f"\n{side}") for pair in pairs for side in pair]
        cuts = np.cumsum([len(row) for row in rows])[:-1]
        shares = []
        for nats in surprise_of_ngrams(training, np.concatenate(rows), 8):
            right, wrong = np.array([part.sum() for part in np.split(nats, cuts)]).reshape(-1, 2).T
            shares.append(float(np.mean((right < wrong) + 0.5 * (right == wrong))))
        print(f"{kind}, {name}, {len(pairs)} pairs: " + " ".join(f"{share:.3f}" for share in shares))
        assert max(shares) < 0.9 and np.mean(shares) < 0.75
