"""BLEU and chrF are sacrebleu's own figures, with the signatures that say how they were computed."""

import pytest
import sacrebleu

from training.metrics.translations import score_translations

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
