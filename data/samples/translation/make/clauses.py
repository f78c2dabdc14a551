"""Clauses of the translation sample: built once without a language, written in German and in English word order."""

from dataclasses import dataclass
from typing import NamedTuple

from lexicon import NOTHING, Text, Verb, with_s
from phrases import Phrase, joined
from words import FREQUENCIES


class Auxiliary(NamedTuple):
    """The finite verb of a tense, which an infinitive follows."""

    german: str  # the forms of ich, er and the plural
    english: str  # those of I, he and the plural
    link: str  # what stands before the English infinitive
    period: str  # the adverbs of time that fit: past or future
    full_verb: str = ""  # the English base form, where questions and denials take "do"


AUXILIARIES = {
    "future": Auxiliary("werde wird werden", "will will will", "", "future"),
    "can": Auxiliary("kann kann können", "can can can", "", "future"),
    "must": Auxiliary("muss muss müssen", "have has have", "to", "future", "have"),
    "want": Auxiliary("will will wollen", "want wants want", "to", "future", "want"),
    "should": Auxiliary("soll soll sollen", "should should should", "", "future"),
    "may": Auxiliary("darf darf dürfen", "am is are", "allowed to", "future"),
    "could": Auxiliary("konnte konnte konnten", "could could could", "", "past"),
    "had to": Auxiliary("musste musste mussten", "had had had", "to", "past", "have"),
    "wanted": Auxiliary("wollte wollte wollten", "wanted wanted wanted", "to", "past", "want"),
}
MODALS = [tense for tense in AUXILIARIES if tense != "future"]
# Forms by person, as `Phrase.person` counts them.
HABEN, HATTE = ("habe", "hat", "haben"), ("hatte", "hatte", "hatten")
SEIN, WAR = ("bin", "ist", "sind"), ("war", "war", "waren")
DO, BE, BE_PAST = ("do", "does", "do"), ("am", "is", "are"), ("was", "was", "were")


def english_present(base: str, person: int, denied: bool = False) -> str:
    """The present of an English verb."""
    if denied:
        return f"{DO[person]} not {base}"
    return with_s(base) if person == 1 else base


@dataclass
class Clause:
    """What happens, in neither language.

    Attributes:
        subject: who does it; the verb agrees with it.
        verb: what is done.
        tense: "past", "pluperfect", "present", "progressive", or one of AUXILIARIES.
        dative: to whom.
        accusative: what or whom.
        time, clock, company, place, direction: adverbials.
        front: the adverbial in front of a statement, which is not among the others then.
        denied: whether it is denied.
        subject_text: what is written for the subject, where it is not the subject itself: a question word, a relative
            pronoun, nothing.
    """

    subject: Phrase
    verb: Verb
    tense: str
    dative: Phrase | None = None
    accusative: Phrase | None = None
    time: Text = NOTHING
    clock: Text = NOTHING
    company: Text = NOTHING
    place: Text = NOTHING
    direction: Text = NOTHING
    front: Text = NOTHING
    denied: bool = False
    subject_text: Text | None = None

    def german(self, order: str = "second") -> str:
        """The clause with the finite verb "first", "second" or "last", or as "um ... zu" ("infinitive")."""
        subject = self.subject_text[0] if self.subject_text else self.subject.german("nom")
        finite, closing = self.german_verb()
        middle, prefix = self.german_middle(), self.verb.prefix
        if order == "infinitive":
            return joined(middle, f"{prefix}zu{self.verb.stem}" if prefix else f"zu {self.verb.stem}")
        if order == "last":
            separated = prefix and closing == prefix
            return joined(subject, middle, closing + finite if separated else joined(closing, finite))
        if order == "first":
            return joined(finite, subject, middle, closing)
        start = (self.front[0], finite, subject) if self.front != NOTHING else (subject, finite)
        return joined(*start, middle, closing)

    def german_verb(self) -> tuple[str, str]:
        """The finite verb, and what closes the clause."""
        verb, person = self.verb, self.subject.person
        if self.tense == "past":
            return (SEIN if verb.with_sein else HABEN)[person], verb.participle
        if self.tense == "pluperfect":
            return (WAR if verb.with_sein else HATTE)[person], verb.participle
        if self.tense in AUXILIARIES:
            return AUXILIARIES[self.tense].german.split()[person], verb.prefix + verb.stem
        first = verb.stem[:-1] + ("" if verb.stem.endswith("en") else "e")
        return (first, verb.third, verb.stem)[person], verb.prefix

    def german_middle(self) -> str:
        """What stands between the finite verb and the words that close the clause, after the subject."""
        dative = self.dative.german("dat") if self.dative else ""
        early, known, new, no = "", "", "", "nicht" if self.denied else ""
        if self.accusative:
            text = self.accusative.german("acc", self.denied)
            if self.accusative.is_pronoun or (self.denied and self.accusative.definite):
                early = text
            elif self.accusative.definite:
                known = text
            else:
                new = text
            if self.accusative.article == "indef":
                no = ""  # "kein" denies it
        adverbials = self.time[0], self.clock[0], self.company[0]
        return joined(dative, early, *adverbials, known, self.place[0], new, no, self.direction[0])

    def english(self, order: str = "plain") -> str:
        """The clause as a statement ("plain"), a "question" or an "infinitive"."""
        subject = self.subject_text[1] if self.subject_text else self.subject.english("nom")
        auxiliary, tail, plain = self.english_verb()
        often, time = (self.time[1], "") if self.time[1] in FREQUENCIES else ("", self.time[1])
        if order == "infinitive":
            start = ["to", self.verb.english[0]]
        elif order == "question":
            start = [auxiliary, subject, often, tail]
        elif self.denied:
            start = [subject, "cannot" if auxiliary == "can" else f"{auxiliary} not", tail]
        else:
            start = [subject, often, plain] if plain else [subject, auxiliary, tail]
        dative = self.dative.english("acc") if self.dative else ""
        objects = [self.verb.particle, self.accusative.english("acc", self.denied) if self.accusative else ""]
        if self.accusative and self.accusative.is_pronoun:
            objects.reverse()
        adverbials = self.direction[1], self.company[1], self.place[1], self.clock[1], time
        return joined(self.front[1], *start, dative, *objects, *adverbials)

    def english_verb(self) -> tuple[str, str, str]:
        """The auxiliary of questions and denials, what follows it then, and the plain form ("": always with it)."""
        base, past, participle, ing = self.verb.english
        person = self.subject.person
        if self.tense == "past":
            return "did", base, past
        if self.tense == "pluperfect":
            return "had", participle, ""
        if self.tense == "present":
            return DO[person], base, english_present(base, person)
        if self.tense == "progressive":
            return BE[person], ing, ""
        auxiliary = AUXILIARIES[self.tense]
        finite = auxiliary.english.split()[person]
        if auxiliary.full_verb:
            do = "did" if auxiliary.period == "past" else DO[person]
            return do, f"{auxiliary.full_verb} to {base}", f"{finite} to {base}"
        return finite, joined(auxiliary.link, base), ""


class State(NamedTuple):
    """A written clause with "to be"."""

    german: str
    german_last: str  # with the finite verb last
    english: str


def state(subject: Phrase, complement: Text, tense: str, denied: bool = False) -> State:
    """Writes the clause that the subject is or was something.

    Args:
        subject: who or what.
        complement: what it is.
        tense: "present" or "past".
        denied: whether it is denied.
    """
    present, who = tense == "present", subject.german("nom")
    verb, english_verb = (SEIN if present else WAR)[subject.person], (BE if present else BE_PAST)[subject.person]
    rest = joined("nicht" if denied else "", complement[0])
    return State(
        joined(who, verb, rest),
        joined(who, rest, verb),
        joined(subject.english("nom"), english_verb, "not" if denied else "", complement[1]),
    )
