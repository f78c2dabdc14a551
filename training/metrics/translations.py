"""BLEU and chrF of translations, as sacrebleu computes them."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TextScores:
    """What `score_translations` found.

    Args:
        metrics: `bleu` and `chrf`, 0 to 100.
        signatures: How each was computed, in sacrebleu's words: what makes figures of different papers comparable.
    """

    metrics: dict[str, float]
    signatures: dict[str, str]


def score_translations(translations: Sequence[str], references: Sequence[str]) -> TextScores:
    """Compares translations with references, one of each, as they are: case and punctuation count.

    Args:
        translations: The translations, detokenized.
        references: What a human wrote, untouched.

    Returns:
        `TextScores`; both 0 where there is nothing to compare.

    Example:
        score_translations(["A dog runs."], ["A dog is running."]).metrics["bleu"]

    Source: Post 2018, "A Call for Clarity in Reporting BLEU Scores" (BLEU, tokenization 13a); Popovic 2015, "chrF:
    character n-gram F-score for automatic MT evaluation".
    """
    from sacrebleu.metrics import BLEU, CHRF

    if len(translations) != len(references):
        raise ValueError(f"{len(translations)} translations and {len(references)} references")
    figures, signatures = {}, {}
    for name, metric in (("bleu", BLEU()), ("chrf", CHRF())):
        found = metric.corpus_score(list(translations), [list(references)]) if translations else None
        figures[name] = found.score if found else 0.0
        signatures[name] = str(metric.get_signature()) if found else ""
    return TextScores(figures, signatures)
