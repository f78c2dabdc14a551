"""Caption metrics: values worked out by hand, and pycocoevalcap's on the same tokens."""

import math
import random
import shutil
import sys
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

from training.metrics.captions import CaptionScores, caption_tokens, score_captions, score_with_ptb_tokenizer

BLEU = ("bleu1", "bleu2", "bleu3", "bleu4")
NAMES = (*BLEU, "cider", "rouge_l")

CAPTIONS = [
    "A small dog jumps over a log.",
    "Two women ride bicycles down the street.",
    "a man a man a man in a hat",
    "",
]
REFERENCES = [
    ["A little dog leaps over a fallen log.", "A dog jumps over a log!", "The dog's jump; a log-crossing."],
    ["Two ladies cycle through town.", "Two women ride their bikes down a street."],
    ["A man wears a (red) hat – and a tie."],
    ["Children don't want to leave the pool.", "Wet children.", "...", "Some kids swim.", "A pool."],
]

needs_java = pytest.mark.skipif(shutil.which("java") is None, reason="PTBTokenizer needs Java")

# Few words, so that captions and references share many n-grams.
sentences = st.lists(st.sampled_from(["a", "b", "c", "dd", "é", "1"]), max_size=9).map(" ".join)
references_of_one = st.lists(sentences, min_size=1, max_size=5)
pictures = st.lists(st.tuples(sentences, references_of_one), min_size=1, max_size=6).filter(
    # pycocoevalcap's CIDEr stops where no reference has a token.
    lambda rows: any(reference for _, references in rows for reference in references)
)


def expected(captions: list[str], references: list[list[str]]) -> CaptionScores:
    """The figures of pycocoevalcap for captions whose tokens are separated by blanks."""
    truth, results = dict(enumerate(references)), {number: [caption] for number, caption in enumerate(captions)}
    bleu, bleu_per_caption = Bleu(4).compute_score(truth, results, verbose=0)
    cider, cider_per_caption = Cider().compute_score(truth, results)
    rouge, rouge_per_caption = Rouge().compute_score(truth, results)
    metrics = {name: 100 * score for name, score in zip(BLEU, bleu, strict=True)}
    per_caption = {name: [100 * score for score in scores] for name, scores in zip(BLEU, bleu_per_caption, strict=True)}
    return CaptionScores(
        metrics | {"cider": cider, "rouge_l": rouge},
        per_caption | {"cider": list(cider_per_caption), "rouge_l": list(rouge_per_caption)},
    )


def assert_same(found: CaptionScores, wanted: CaptionScores) -> None:
    assert tuple(found.metrics) == tuple(found.per_caption) == NAMES
    for name in NAMES:
        assert found.metrics[name] == pytest.approx(wanted.metrics[name], rel=1e-9, abs=1e-9), name
        assert found.per_caption[name] == pytest.approx(wanted.per_caption[name], rel=1e-9, abs=1e-9), name


@given(pictures)
@example([("", ["", "a"])])
@example([("", ["a"]), ("a", [""])])
@example([("a b c dd", ["a b c dd"])])
@example([("a b c dd", ["a b c dd"]), ("1 1 1 1 1 1", ["1 é"])])
@example([("a", ["a", "b"]), ("a b", ["a b"]), ("a a a", ["b"])])
@example([("a b c", ["a b", "a b c dd"]), ("é", ["b b b b b b b b b"])])
def test_figures_are_those_of_pycocoevalcap(rows):
    captions, references = [caption for caption, _ in rows], [references for _, references in rows]
    assert_same(score_captions(captions, references), expected(captions, references))


def test_captions_in_scripts_without_blanks_are_scored_by_their_characters():
    """Before, one wrong character made a caption all wrong."""
    captions, references = ["一只黑狗在跑。", "两个人坐着"], [["一只黑色的狗在跑", "狗在跑"], ["两个人坐在长椅上。"]]

    def spaced(text):
        return " ".join(text.strip("。"))

    found = score_captions(captions, references)
    assert_same(found, expected(list(map(spaced, captions)), [list(map(spaced, texts)) for texts in references]))
    assert found.metrics["rouge_l"] > 0.5 and found.metrics["cider"] > 1


def test_figures_of_sentences_are_those_of_pycocoevalcap_on_the_same_tokens():
    def tokenized(texts):
        return [" ".join(caption_tokens(text)) for text in texts]

    wanted = expected(tokenized(CAPTIONS), [tokenized(picture) for picture in REFERENCES])
    assert wanted.metrics["cider"] > 0.1 and wanted.metrics["bleu4"] > 10
    assert_same(score_captions(CAPTIONS, REFERENCES), wanted)


def test_tokens_are_lower_case_words_without_punctuation():
    assert caption_tokens("A dog's T-shirt, in red & white.") == ["a", "dogs", "tshirt", "in", "red", "white"]
    assert caption_tokens("«Straße» …\tÉté\n2 $5 “so”") == ["straße", "été", "2", "5", "so"]
    assert caption_tokens(" -- !") == caption_tokens("") == []


def test_case_and_punctuation_do_not_count():
    plain = score_captions(["a dog runs", "red cats"], [["the dog runs"], ["red cats sleep", "cats"]])
    assert plain == score_captions(["A dog runs.", "Red, cats"], [["The dog... runs"], ["red CATS sleep!", "cat's"]])


def test_bleu_clips_repeated_words_and_takes_the_closest_length():
    metrics = score_captions(["a a a a"], [["a dog and a cat", "a man"]]).metrics
    assert metrics["bleu1"] == pytest.approx(100 * 2 / 4 * math.exp(1 - 5 / 4))
    # Of two lengths as close, the shorter: no penalty.
    metrics = score_captions(["a dog runs"], [["a cat", "a man walks home"]]).metrics
    assert metrics["bleu1"] == pytest.approx(100 / 3)


def test_bleu_is_over_all_captions_together():
    scores = score_captions(["a dog runs home", "a cat"], [["a dog runs home"], ["the cat"]])
    assert scores.metrics["bleu1"] == pytest.approx(100 * 5 / 6)
    assert scores.metrics["bleu2"] == pytest.approx(100 * math.sqrt(5 / 6 * 3 / 4))
    assert scores.per_caption["bleu1"] == pytest.approx([100, 50])


def test_cider_of_a_repeated_reference_is_ten_for_four_words():
    captions = ["one red bird sings", "two green fish"]
    scores = score_captions(captions, [[caption] for caption in captions])
    # Three words have no n-gram of four.
    assert scores.per_caption["cider"] == pytest.approx([10, 7.5]) and scores.metrics["cider"] == pytest.approx(8.75)


def test_cider_punishes_another_length():
    scores = score_captions(["red", "green fish"], [["red bird"], ["green fish"]])
    assert scores.per_caption["cider"][0] == pytest.approx(10 / 4 / math.sqrt(2) * math.exp(-1 / 72))


def test_cider_ignores_words_of_every_picture():
    scores = score_captions(["the", "the fish"], [["the bird"], ["the fish"]])
    assert scores.per_caption["cider"][0] == 0 < scores.per_caption["cider"][1]
    assert score_captions(["a dog runs"], [["a dog runs"]]).metrics["cider"] == 0


def test_rouge_takes_the_best_precision_and_the_best_recall():
    assert score_captions(["a dog runs fast"], [["a brown dog runs"]]).metrics["rouge_l"] == pytest.approx(3 / 4)
    precision, recall = 3 / 4, 1
    metrics = score_captions(["a b c d"], [["a b", "a b c x y z"]]).metrics
    assert metrics["rouge_l"] == pytest.approx(2.44 * precision * recall / (recall + 1.44 * precision))
    # The order counts: "b a" has one token in common with "a b".
    assert score_captions(["b a"], [["a b"]]).metrics["rouge_l"] == pytest.approx(1 / 2)


def test_every_caption_has_its_figures_in_order():
    scores = score_captions(CAPTIONS, REFERENCES)
    turned = score_captions(CAPTIONS[::-1], REFERENCES[::-1])
    assert {name: len(figures) for name, figures in scores.per_caption.items()} == dict.fromkeys(NAMES, len(CAPTIONS))
    assert_same(turned, CaptionScores(scores.metrics, {name: row[::-1] for name, row in scores.per_caption.items()}))


@pytest.mark.parametrize("captions, references", [([], []), ([""], [[""]]), (["!"], [["a dog", "a cat"]])])
def test_nothing_to_compare_is_finite(captions, references):
    scores = score_captions(captions, references)
    assert all(math.isfinite(value) for value in scores.metrics.values())
    assert [scores.metrics[name] for name in (*BLEU, "cider")] == [0] * 5


@pytest.mark.parametrize("score", [score_captions, score_with_ptb_tokenizer])
@pytest.mark.parametrize(
    "captions, references, message",
    [
        (["a dog"], [], "1 captions and references of 0 pictures"),
        (["a dog", "a cat"], [["a dog"], []], r"picture 1: .*not \[\]"),
        (["a dog"], ["a dog runs"], "picture 0: needs a list .*not 'a dog runs'"),
    ],
)
def test_pictures_without_references_are_refused(score, captions, references, message):
    with pytest.raises(ValueError, match=message):
        score(captions, references)


def test_a_thousand_captions_are_scored_within_two_seconds():
    chance = random.Random(0)
    words = ["".join(chance.choices("abcdefghij", k=4)) for _ in range(500)]
    texts = [" ".join(chance.choices(words, range(500, 0, -1), k=chance.randint(8, 16))) for _ in range(6000)]
    start = time.process_time()
    scores = score_captions(texts[:1000], [texts[first : first + 5] for first in range(1000, 6000, 5)])
    assert time.process_time() - start < 2 and len(scores.per_caption["cider"]) == 1000


def ptb_expected(captions: list[str], references: list[list[str]]) -> CaptionScores:
    sides = [[caption] for caption in captions], references
    results, truth = (
        PTBTokenizer().tokenize({number: [{"caption": text} for text in texts] for number, texts in enumerate(side)})
        for side in sides
    )
    return expected([texts[0] for texts in results.values()], list(truth.values()))


@needs_java
def test_ptb_figures_are_those_of_pycocoevalcap():
    captions, references = [*CAPTIONS, "A T-shirt: two dogs' “bones”."], [*REFERENCES, ["a t-shirt, a hat", ""]]
    found = score_with_ptb_tokenizer(captions, references)
    assert_same(found, ptb_expected(captions, references))
    assert found.metrics != score_captions(captions, references).metrics
    # Line ends and halves of characters inside a caption do not shift the following ones.
    assert_same(
        score_with_ptb_tokenizer(["a\u2028dog\n", "\ud800", "cats"], [["a dog"], ["x"], ["cats"]]),
        score_with_ptb_tokenizer(["a dog", "", "cats"], [["a dog"], ["x"], ["cats"]]),
    )


@needs_java
def test_ptb_tokens_are_split_at_no_break_spaces_as_bleu_and_cider_do():
    captions, references = ["a 1 1/2 year old", "two dogs"], [["it is 1 1/4 year old"], ["two dogs run"]]
    found, wanted = score_with_ptb_tokenizer(captions, references), ptb_expected(captions, references)
    for name in (*BLEU, "cider"):
        assert found.metrics[name] == pytest.approx(wanted.metrics[name], rel=1e-9)


def test_ptb_figures_are_none_without_java_or_pycocoevalcap(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert score_with_ptb_tokenizer(CAPTIONS, REFERENCES) is None
    stub = tmp_path / "java"
    stub.write_text("#!/bin/sh\necho 'No Java here.' >&2\nexit 1\n")
    stub.chmod(0o755)
    assert score_with_ptb_tokenizer(CAPTIONS, REFERENCES) is None
    stub.write_text("#!/bin/sh\nexit 0\n")
    monkeypatch.setitem(sys.modules, "pycocoevalcap.tokenizer", None)
    assert score_with_ptb_tokenizer(CAPTIONS, REFERENCES) is None
