"""Nouns with their articles and adjectives, and pronouns, of the translation sample: inflected in both languages."""

import re
from dataclasses import dataclass

from lexicon import ADJECTIVES, NOTHING, Noun, Text
from words import PERSON

# German forms in the nominative, accusative and dative, "-" for none, by what decides them: a gender, p for the plural,
# or the speakers.
CASES = ("nom", "acc", "dat")
DEFINITE = {"m": "der den dem", "f": "die die der", "n": "das das dem", "p": "die die den"}
PRONOUNS = {"m": "er ihn ihm", "f": "sie sie ihr", "n": "es es ihm", "p": "sie sie ihnen", "I": "ich mich mir",
            "we": "wir uns uns"}  # fmt: skip
# Endings of "dieser", "welcher" and of adjectives without an article; of "ein", "kein" and possessives; of adjectives
# after the definite ones and after the others.
STRONG = {"m": "er en em", "f": "e e er", "n": "es es em", "p": "e e en"}
MIXED_ARTICLE = {"m": "- en em", "f": "e e er", "n": "- - em", "p": "e e en"}
AFTER_DEFINITE = {"m": "e en en", "f": "e e en", "n": "e e en", "p": "en en en"}
AFTER_MIXED = {"m": "er en en", "f": "e e en", "n": "es es en", "p": "en en en"}
POSSESSIVES = {"m": "sein", "n": "sein", "f": "ihr", "p": "ihr", "I": "mein", "we": "unser"}
STEMS = {"teuer": "teur", "müde": "müd"}  # of adjectives, where they differ from the base form
CONTRACTED = {"in dem": "im", "in das": "ins", "an dem": "am", "zu dem": "zum", "zu der": "zur"}

# English forms in the nominative and accusative.
ENGLISH_PRONOUNS = {"he": "he him", "she": "she her", "it": "it it", "they": "they them", "I": "I me", "we": "we us"}
ENGLISH_POSSESSIVES = {"he": "his", "she": "her", "it": "its", "they": "their", "I": "my", "we": "our"}


def joined(*parts: str) -> str:
    """The parts that are not empty, separated by spaces."""
    return " ".join(part for part in parts if part)


def form(table: dict[str, str], key: str, case: str) -> str:
    """The form of a case, "nom", "acc" or "dat", in one line of a table."""
    return table[key].split()[CASES.index(case)].strip("-")


@dataclass
class Phrase:
    """A noun with its article and adjectives, a pronoun for it, or the speakers ("I", "we").

    Attributes:
        noun: None for the speakers.
        plural: whether it is in the plural.
        article: "def", "indef" (in the plural: none), "this", "which", "owned", "counted", "name" (none), or "pronoun"
            instead of the whole phrase.
        adjectives: German base forms.
        owner: whom the possessive of an "owned" phrase stands for.
        count: what counts a "counted" phrase.
        relative: the relative clause.
    """

    noun: Noun | None
    plural: bool = False
    article: str = "def"
    adjectives: tuple[str, ...] = ()
    owner: "Phrase | None" = None
    count: Text = NOTHING
    relative: Text = NOTHING

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of what it names, which decide what it may do and what may be said of it."""
        return self.noun.kinds if self.noun else ("adult",)

    @property
    def gender(self) -> str:
        """Which German endings and pronouns agree: m, f, n, p, I or we."""
        if self.noun is None:
            return "we" if self.plural else "I"
        return "p" if self.plural else self.noun.gender

    @property
    def english_gender(self) -> str:
        """Which English pronouns agree: he, she, it, they, I or we."""
        if self.noun is None:
            return self.gender
        if self.plural:
            return "they"
        if self.noun.german == "Kind" or self.kinds[0] not in PERSON:
            return "it"
        return "he" if self.noun.gender == "m" else "she"

    @property
    def person(self) -> int:
        """Which form of a verb agrees: 0 of "I", 1 of "he", 2 of the plural."""
        return 2 if self.plural else 0 if self.noun is None else 1

    @property
    def is_pronoun(self) -> bool:
        """Whether a pronoun is written, for the speakers or for the noun."""
        return self.noun is None or self.article == "pronoun"

    @property
    def definite(self) -> bool:
        """Whether it is known who or what is meant."""
        return self.article in ("def", "this", "name", "owned", "pronoun")

    def as_pronoun(self) -> "Phrase":
        """The pronoun that stands for it."""
        return self if self.noun is None else Phrase(self.noun, self.plural, "pronoun")

    def german(self, case: str, denied: bool = False) -> str:
        """The German words in the nominative, accusative or dative.

        Args:
            case: "nom", "acc" or "dat".
            denied: whether an indefinite phrase is denied, with "kein".
        """
        if self.is_pronoun:
            return form(PRONOUNS, self.gender, case)
        article, endings = self.german_article(case, denied)
        adjectives = [STEMS.get(word, word) + form(endings, self.gender, case) for word in self.adjectives]
        weak = self.noun.weak and case != "nom"
        noun = self.noun.german_plural if self.plural or weak else self.noun.german
        if self.plural and case == "dat" and noun[-1] not in "ns":
            noun += "n"
        return joined(article, *adjectives, noun) + self.relative[0]

    def german_article(self, case: str, denied: bool) -> tuple[str, dict[str, str]]:
        """What stands before the adjectives, and the endings that they have after it."""
        key = self.gender
        if self.article == "def":
            return form(DEFINITE, key, case), AFTER_DEFINITE
        if self.article in ("this", "which"):
            return {"this": "dies", "which": "welch"}[self.article] + form(STRONG, key, case), AFTER_DEFINITE
        if self.article == "owned":
            return POSSESSIVES[self.owner.gender] + form(MIXED_ARTICLE, key, case), AFTER_MIXED
        if self.article == "indef" and (denied or not self.plural):
            return ("kein" if denied else "ein") + form(MIXED_ARTICLE, key, case), AFTER_MIXED
        return self.count[0], STRONG

    def english(self, case: str, denied: bool = False) -> str:
        """The English words in the nominative or accusative; `denied` as for `german`, with "any" in the plural."""
        if self.is_pronoun:
            return form(ENGLISH_PRONOUNS, self.english_gender, case)
        noun = self.noun.english_plural if self.plural else self.noun.english
        words = joined(*(ADJECTIVES[adjective].english for adjective in self.adjectives), noun)
        return joined(self.english_article(words, denied), words) + self.relative[1]

    def english_article(self, words: str, denied: bool) -> str:
        """What stands before the adjectives and the noun."""
        if self.article == "indef" and self.plural:
            return "any" if denied else ""
        if self.article == "indef":
            return "an" if words[0] in "aeiou" else "a"
        if self.article == "owned":
            return ENGLISH_POSSESSIVES[self.owner.english_gender]
        if self.article == "this":
            return "these" if self.plural else "this"
        return {"def": "the", "which": "which"}.get(self.article, self.count[1])


def share_a_pronoun(one: Phrase, other: Phrase) -> bool:
    """Whether a German or an English pronoun could mean both."""
    return one.gender == other.gender or one.english_gender == other.english_gender


def prepositional(prepositions: Text, phrase: Phrase, case: str) -> Text:
    """The phrase after a preposition, with "im" for "in dem" and the like.

    Args:
        prepositions: the German and the English one.
        phrase: what follows them.
        case: its German case.
    """
    german = f"{prepositions[0]} {phrase.german(case)}"
    for two_words, contracted in CONTRACTED.items():
        german = re.sub(rf"^{two_words}\b", contracted, german)
    return german, f"{prepositions[1]} {phrase.english('acc')}"
