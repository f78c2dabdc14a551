"""Writes the translation sample: German and English sentence pairs from one small grammar of both languages.

A clause is built once, without a language, and then written in each: German puts the finite verb second ("Gestern hat
der kleine Hund zwei rote Vögel gesehen") or last ("..., weil er müde war") and makes articles, adjectives and pronouns
agree with a noun's gender, case and number; English keeps subject and verb together and asks and denies with "do".
Tenses go over one to one (perfect to simple past, present with "gerade" to "is reading"), so that every sentence has
one translation in each direction.

Run `python data/samples/translation/make/write_pairs.py`: it rewrites `data/samples/translation/*.tsv` byte for byte.
Only the standard library is needed. The randomness is `random.Random(SEED)`'s `random()` alone, which is the same
in every Python version.

The grammar lies beside this script, which finds it because Python looks for imports in a script's folder first:
`words` (word lists), `lexicon` (reads them), `phrases` and
`clauses` (both languages' inflection and word order), `drawing` (chance), and
`simple_sentences` and `compound_sentences`.
"""

import re
from collections import Counter
from pathlib import Path

import compound_sentences as compound
import simple_sentences as simple
from drawing import Choices, Drawing, Unusable
from lexicon import Text

SEED = 20140901
SPLITS = {"train": 5000, "validation": 400, "test": 400}
KNOWN = 5  # every word of a validation or test pair occurs at least so often in the training split

SHARES = {
    simple.statement: 0.25,
    simple.question: 0.06,
    simple.question_with_a_question_word: 0.08,
    simple.description: 0.04,
    simple.comparison: 0.05,
    simple.there_is: 0.04,
    simple.liking: 0.04,
    compound.reported: 0.09,
    compound.caused: 0.11,
    compound.feeling: 0.04,
    compound.sequence: 0.05,
    compound.purpose: 0.03,
    compound.relative: 0.06,
    compound.two_statements: 0.03,
    compound.two_verbs: 0.02,
    compound.weather: 0.01,
}


class Grammar:
    """Draws sentences.

    Args:
        choices: The source of chance.
    """

    def __init__(self, choices: Choices):
        self.choices = choices

    def sentence(self) -> Text:
        """One German sentence and its English translation."""
        while True:
            kind_of_sentence = self.choices.weighted(SHARES)
            try:
                pair = kind_of_sentence(Drawing(self.choices))
            except Unusable:
                continue
            german, english = (text[0].upper() + text[1:] + ("" if text[-1] == "?" else ".") for text in pair)
            return german, english


def make_pairs() -> dict[str, list[Text]]:
    """Builds all splits.

    Returns:
        Split name -> (German, English) pairs.
    """
    grammar, taken, splits, times = Grammar(Choices(SEED)), (set(), set()), {}, Counter()
    for split, count in SPLITS.items():
        chosen = []
        while len(chosen) < count:
            pair = grammar.sentence()
            words = [(side, word) for side in (0, 1) for word in re.findall(r"[\w']+", pair[side])]
            if any(pair[side] in taken[side] for side in (0, 1)):
                continue
            if split != "train" and any(times[word] < KNOWN for word in words):
                continue
            for side in (0, 1):
                taken[side].add(pair[side])
            chosen.append(pair)
            if split == "train":
                times.update(words)
        splits[split] = chosen
    return splits


def write(folder: Path) -> None:
    """Writes `train.tsv`, `validation.tsv` and `test.tsv`: `german<TAB>english`, UTF-8, `\\n` line ends."""
    for split, chosen in make_pairs().items():
        lines = ["de\ten", *("\t".join(pair) for pair in chosen)]
        (folder / f"{split}.tsv").write_bytes("\n".join([*lines, ""]).encode())


if __name__ == "__main__":
    write(Path(__file__).parent.parent)
