"""The bundled ner sample: it is what its generator writes, it is valid, and the words on one side are too few."""

import re
import runpy
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

SAMPLES = Path(__file__).parents[3] / "data" / "samples"
FOLDER = SAMPLES / "ner"
COUNTS = {"train": 3000, "validation": 400, "test": 400}
TYPES = ("PER", "LOC", "ORG", "MISC")
WINDOW = 3

Sentence = list[tuple[str, str]]


def sentences(split: str) -> list[Sentence]:
    """The (token, tag) rows of each sentence, without the document lines."""
    blocks = (FOLDER / f"{split}.conll").read_text(encoding="utf-8").split("\n\n")
    rows = [[tuple(line.split("\t")) for line in block.split("\n")] for block in blocks if block]
    return [sentence for sentence in rows if sentence != [("-DOCSTART-", "O")]]


def entities(tags: list[str]) -> set[tuple[str, int, int]]:
    """(type, start, end) of each entity; a tag that continues nothing begins an entity."""
    found, start = set(), None
    for place, tag in enumerate([*tags, "O"]):
        if start is not None and tag != f"I-{tags[start][2:]}":
            found.add((tags[start][2:], start, place))
            start = None
        if start is None and tag != "O":
            start = place
    return found


def entity_f1(truth: list[list[str]], predicted: list[list[str]]) -> float:
    """Twice the entities found exactly, over those that are there and those that were predicted."""
    pairs = [(entities(a), entities(b)) for a, b in zip(truth, predicted, strict=True)]
    return 2 * sum(len(a & b) for a, b in pairs) / sum(len(a) + len(b) for a, b in pairs)


def test_generator_reproduces_the_committed_bytes(tmp_path):
    runpy.run_path(str(FOLDER / "make" / "write_sentences.py"))["write"](tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_bytes() for path in FOLDER.glob("*.conll")}
    assert sorted(written) == ["test.conll", "train.conll", "validation.conll"]
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 1_000_000


@pytest.mark.parametrize("split", COUNTS)
def test_files_are_valid_iob2_in_two_columns(split):
    text = (FOLDER / f"{split}.conll").read_text(encoding="utf-8")
    assert text.startswith("-DOCSTART-\tO\n\n") and text.endswith(".\tO\n\n") and "\n\n\n" not in text
    tag = "O"
    for line in text.split("\n"):
        token, previous, tag = line.partition("\t")[0], tag, line.partition("\t")[2] or "O"
        assert re.fullmatch(rf"(\S+\t(O|[BI]-({'|'.join(TYPES)})))?", line), line
        assert not tag.startswith("I-") or previous[1:] == tag[1:], line
        assert not token.startswith("-DOCSTART") or line == "-DOCSTART-\tO", line
    documents = text.split("-DOCSTART-\tO\n\n")[1:]
    assert all(1 <= document.count("\n\n") <= 9 for document in documents)
    assert len(sentences(split)) == COUNTS[split]


def test_no_sentence_occurs_twice_in_one_split_or_in_two():
    # Letter case and punctuation do not make a sentence a new one.
    texts = [" ".join(token for token, _ in sentence).lower() for split in COUNTS for sentence in sentences(split)]
    normalized = Counter(" ".join(re.findall(r"\w+", text)) for text in texts)
    assert normalized.total() == sum(COUNTS.values())
    assert [text for text, times in normalized.items() if times > 1] == []


@pytest.mark.parametrize("split", COUNTS)
def test_types_are_balanced_and_some_sentences_hold_no_entity(split):
    types = Counter(tag[2:] for sentence in sentences(split) for _, tag in sentence if tag.startswith("B-"))
    assert set(types) == set(TYPES)
    assert max(types.values()) - min(types["PER"], types["LOC"], types["ORG"]) <= 0.02 * types.total()
    assert types["MISC"] >= 0.1 * types.total()
    without = sum(all(tag == "O" for _, tag in sentence) for sentence in sentences(split))
    assert 0.03 * COUNTS[split] <= without <= 0.15 * COUNTS[split]


def test_each_name_is_a_person_a_place_and_an_organisation_about_equally_often():
    types = {name: Counter() for name in runpy.run_path(str(FOLDER / "make" / "write_sentences.py"))["NAMES"].split()}
    assert {"Marlow", "Hartfield", "Lindqvist"} <= set(types)
    for token, tag in (row for sentence in sentences("train") for row in sentence):
        if token in types and tag != "O":
            types[token][tag[2:]] += 1
    for name, counts in types.items():
        three = [counts["PER"], counts["LOC"], counts["ORG"]]
        assert sum(three) >= 30 and max(three) <= 2 * min(three), (name, counts)


def test_a_share_of_the_test_split_has_names_that_training_lacks():
    known = {token for sentence in sentences("train") for token, _ in sentence}
    names = [token for sentence in sentences("test") for token, tag in sentence if tag != "O"]
    assert 0.1 < sum(name not in known for name in names) / len(names) < 0.5


def features(tokens: list[str], place: int, sides: tuple[int, ...]) -> dict[str, bool]:
    """The token, its shape, and the words beside it that may be seen."""
    token = tokens[place]
    found = {f"word {token.lower()}": True, "capital": token[:1].isupper(), "first": place == 0}
    for offset in sides:
        other = tokens[place + offset].lower() if 0 <= place + offset < len(tokens) else "-"
        found[f"{offset} {other}"] = True
        found[f"{'left' if offset < 0 else 'right'} {other}"] = True
    return found


def f1_of_classifier(sides: tuple[int, ...]) -> float:
    """Entity F1 on the test split of a logistic regression over each token's features."""

    def rows(split):
        for sentence in sentences(split):
            tokens = [token for token, _ in sentence]
            yield from (features(tokens, place, sides) for place in range(len(tokens)))

    vectorizer = DictVectorizer()
    # Looser tolerances stop far from the optimum: the figure of both sides then falls to 0.82.
    model = LogisticRegression(C=10, max_iter=1000)
    model.fit(vectorizer.fit_transform(rows("train")), [tag for sentence in sentences("train") for _, tag in sentence])
    found = iter(model.predict(vectorizer.transform(rows("test"))))
    truth = [[tag for _, tag in sentence] for sentence in sentences("test")]
    return entity_f1(truth, [[next(found) for _ in tags] for tags in truth])


def f1_of_dictionary() -> float:
    """Entity F1 on the test split when every token gets the tag it has most often in training."""
    counts = defaultdict(Counter)
    for sentence in sentences("train"):
        for token, tag in sentence:
            counts[token][tag] += 1
    known = {token: tags.most_common(1)[0][0] for token, tags in counts.items()}
    truth = [[tag for _, tag in sentence] for sentence in sentences("test")]
    return entity_f1(truth, [[known.get(token, "O") for token, _ in sentence] for sentence in sentences("test")])


def test_the_words_on_one_side_are_too_few():
    before, after = tuple(range(-WINDOW, 0)), tuple(range(1, WINDOW + 1))
    figures = {
        "dictionary": f1_of_dictionary(),
        "words to the left": f1_of_classifier(before),
        "words to the right": f1_of_classifier(after),
        "words on both sides": f1_of_classifier(before + after),
    }
    print(", ".join(f"{name} {figure:.3f}" for name, figure in figures.items()))
    assert figures["dictionary"] <= 0.5
    assert figures["words to the left"] <= 0.75 and figures["words to the right"] <= 0.8
    assert figures["words on both sides"] >= 0.93
