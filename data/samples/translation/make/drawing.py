"""Draws the parts of a sentence of the translation sample: nouns, times, places, whole clauses."""

import random
from collections.abc import Iterable, Sequence
from typing import TypeVar

from clauses import AUXILIARIES, MODALS, Clause, State, state
from lexicon import (
    ADJECTIVES,
    CITIES,
    DAYS,
    NOTHING,
    NOUNS,
    NUMERALS,
    PLACES,
    TIMES,
    VERBS,
    Noun,
    Text,
    Verb,
    on_one_scale,
)
from phrases import Phrase, joined, prepositional
from words import (
    ATTRIBUTES,
    COLOURS,
    DIRECTIONS,
    FREQUENCIES,
    OWNABLE,
    PERSON,
    SIZES,
    STATES,
    TOO_MUCH,
)

TENSES = {"past": 0.36, "present": 0.2, "progressive": 0.13, "future": 0.13, "modal": 0.18}
NEGATED, WITH_TIME, FRONTED = 0.14, 0.7, 0.45  # shares of the clauses that allow it
# Shares of the articles of nouns that are not owned; the others occur where a noun need not be definite.
DEFINITE_ARTICLES, INDEFINITE_SUBJECTS, INDEFINITE_OBJECTS, COUNTED = {"def": 0.5, "this": 0.08}, 0.08, 0.25, 0.15

Item = TypeVar("Item")


class Unusable(Exception):
    """What was drawn has no clear translation."""


class Choices:
    """Random choices that depend on nothing but `random.Random.random`."""

    def __init__(self, seed: int):
        self.random, self.piles = random.Random(seed).random, {}

    def one(self, items: Sequence[Item]) -> Item:
        """One of the items."""
        return items[int(self.random() * len(items))]

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.random() < probability

    def dealt(self, items: Sequence[Item]) -> Item:
        """One of the items, each as often as the others over many calls with the same items."""
        key = tuple(items)
        if not self.piles.get(key):
            shuffled = sorted(((self.random(), item) for item in items), key=lambda entry: entry[0])
            self.piles[key] = [item for _, item in shuffled]
        return self.piles[key].pop()

    def weighted(self, shares: dict[Item, float]) -> Item:
        """One of the keys, as often as its share says."""
        drawn = self.random() * sum(shares.values())
        for item, share in shares.items():  # noqa: B007 (the last one, where rounding leaves some)
            if drawn < share:
                break
            drawn -= share
        return item


class Drawing:
    """The parts of one sentence, in which no noun occurs twice.

    Args:
        choices: The source of chance.
    """

    def __init__(self, choices: Choices):
        self.choices, self.used = choices, set()

    def speakers(self) -> Phrase:
        """The speakers, as "I" or as "we"."""
        return Phrase(None, self.choices.chance(0.4))

    def subject(self, kinds: Iterable[str], plain: bool = False) -> Phrase:
        """A subject of one of the kinds, which may be the speakers; plain as for `phrase`, and no speakers."""
        if "adult" in kinds and not plain and self.choices.chance(0.13):
            return self.speakers()
        return self.phrase(kinds, plain=plain, indefinite=INDEFINITE_SUBJECTS)

    def phrase(
        self,
        kinds: Iterable[str],
        owner: Phrase | None = None,
        plain: bool = False,
        indefinite: float = INDEFINITE_OBJECTS,
    ) -> Phrase:
        """A noun with what stands before it.

        Args:
            kinds: the noun is of one of them.
            owner: who may own it, beside the speakers.
            plain: only a definite article, or a possessive for kin, or a name.
            indefinite: share of the indefinite articles where it need not be plain.
        """
        choices = self.choices
        noun = self.noun(kinds)
        first_kind = noun.kinds[0]
        if first_kind == "name":
            return Phrase(noun, article="name")
        plural = noun.german_plural != "-" and choices.chance(0.3)
        owned = first_kind == "kin" or (not plain and bool(OWNABLE & set(noun.kinds)) and choices.chance(0.15))
        articles = dict(DEFINITE_ARTICLES)
        if not plain:
            articles |= {"indef": indefinite, "counted": COUNTED if plural else 0}
        article = "owned" if owned else choices.weighted(articles)
        kin_of_animal = first_kind == "kin" and owner and "animal" in owner.kinds
        if owner is None or kin_of_animal or (owner.noun and choices.chance(0.15)):
            owner = self.speakers()
        count = NOTHING
        if article == "counted":
            # One in two is a numeral. Both are dealt, whichever is taken.
            count = choices.one(
                (choices.dealt(NUMERALS), choices.dealt(NUMERALS), ("viele", "many"), ("einige", "some"))
            )
        return Phrase(noun, plural, article, self.adjectives(noun), owner if owned else None, count)

    def noun(self, kinds: Iterable[str]) -> Noun:
        """A noun of one of the kinds that the sentence does not have yet."""
        nouns = [noun for noun in NOUNS.values() if set(noun.kinds) & set(kinds)]
        noun = self.choices.dealt(nouns)
        while noun in self.used:
            noun = self.choices.one(nouns)
        self.used.add(noun)
        return noun

    def phrase_of(self, owner: Phrase, kinds: Iterable[str]) -> Phrase:
        """A plain phrase; where it has a possessive, that is the owner's."""
        phrase = self.phrase(kinds, owner, plain=True)
        if phrase.article == "owned":
            phrase.owner = owner
        return phrase

    def adjectives(self, noun: Noun) -> tuple[str, ...]:
        """No, one or two adjectives that go with the noun."""
        words = ATTRIBUTES.get(noun.kinds[0], "").split()
        if not words or not self.choices.chance(0.34):
            return ()
        first = self.choices.one(words)
        colours = [word for word in words if word in COLOURS]
        two = first in SIZES and colours and self.choices.chance(0.25)
        return (first, self.choices.one(colours)) if two else (first,)

    def tense(self) -> str:
        """The tense of a clause: see `Clause`."""
        tense = self.choices.weighted(TENSES)
        return self.choices.one(MODALS) if tense == "modal" else tense

    def time(self, tense: str) -> Text:
        """An adverb of time that fits the tense."""
        if tense == "progressive":
            return "gerade", "right now"
        if tense == "pluperfect":
            return NOTHING
        german, english = self.choices.one(TIMES[AUXILIARIES[tense].period if tense in AUXILIARIES else tense])
        number, day = self.choices.one(NUMERALS[:5]), self.choices.one(DAYS)
        return german.format(n=number[0], day=day[0]), english.format(n=number[1], day=day[1])

    def place(self, groups: Iterable[str], going_there: bool = False) -> Text:
        """A place of one of the groups, where something is or where it goes."""
        place = self.choices.one([place for place in PLACES if place.group in groups and place.noun not in self.used])
        self.used.add(place.noun)
        adjectives = self.adjectives(place.noun) if self.choices.chance(0.5) else ()
        prepositions = place.where_to if going_there else place.where
        case = "acc" if going_there and prepositions[0] != "zu" else "dat"
        return prepositional(prepositions, Phrase(place.noun, adjectives=adjectives), case)

    def direction(self, verb: Verb) -> Text:
        """Where a verb of motion leads."""
        groups = DIRECTIONS[verb.name].split()
        if "city" in groups and self.choices.chance(0.5):
            german, english = self.choices.one(CITIES)
            return f"nach {german}", f"to {english}"
        if "home" in groups and self.choices.chance(0.25):
            return "nach Hause", "home"
        return self.place(groups, going_there=True)

    def clause(
        self,
        subject: Phrase | None = None,
        tense: str = "",
        verbs: Sequence[Verb] = VERBS,
        bare: bool = False,
        plain: bool = False,
    ) -> Clause:
        """A clause.

        Args:
            subject: its subject, else one is drawn.
            tense: its tense, else one is drawn.
            verbs: the verbs to choose from.
            bare: no time, place or denial beyond what the tense needs.
            plain: it is not denied, and a subject that is drawn is definite and not the speakers.

        Raises:
            Unusable: when none of the verbs goes with the tense and the subject.
        """
        choices = self.choices
        tense = tense or self.tense()
        flag = {"present": "h", "progressive": "g"}.get(tense, "m" if tense in MODALS else "")
        verbs = [verb for verb in verbs if flag in verb.flags]
        if subject:
            verbs = [verb for verb in verbs if set(subject.kinds) & set(verb.subjects)]
        if not verbs:
            raise Unusable
        verb = choices.dealt(verbs)
        clause = Clause(subject or self.subject(verb.subjects, plain), verb, tense)
        may_be_denied = clause.subject.definite and tense != "present" and not bare and not plain
        clause.denied = may_be_denied and choices.chance(NEGATED)
        if "dat" in verb.case:
            clause.dative = self.phrase_of(clause.subject, PERSON)
        if "acc" in verb.case:
            clause.accusative = self.phrase(verb.objects, None if clause.dative else clause.subject)
            if clause.accusative.article == "counted":
                clause.denied = False
        if tense in ("present", "progressive") or (not bare and choices.chance(WITH_TIME)):
            clause.time = self.time(tense)
        if "d" in verb.flags:
            clause.direction = self.direction(verb)
            if verb.name == "fahren" and not clause.denied and choices.chance(0.4):
                clause.company = choices.one((("mit dem Zug", "by train"), ("mit dem Bus", "by bus")))
        if not bare and not clause.denied:
            self.add_circumstances(clause)
        return clause

    def add_circumstances(self, clause: Clause) -> None:
        """Adds to the clause, where its verb allows it, with whom, where and at what hour."""
        choices, flags = self.choices, clause.verb.flags
        if "c" in flags and "pet" not in clause.subject.kinds and choices.chance(0.3):
            companion = self.phrase_of(clause.subject, ("child", "kin", "name"))
            clause.company = prepositional(("mit", "with"), companion, "dat")
        if "p" in flags and choices.chance(0.4):
            kinds = {*clause.subject.kinds, *(clause.accusative.kinds if clause.accusative else ())}
            outdoors = kinds & {"animal", "vehicle"}
            clause.place = self.place(["out"] if outdoors else ["out", "in", "far", "town"])
        if "o" in flags and choices.chance(0.5):
            german, english = choices.one(NUMERALS)
            clause.clock = f"um {german} Uhr", f"at {english} o'clock"

    def front(self, clause: Clause) -> Clause:
        """The clause, perhaps with its time or place in front."""
        if clause.tense == "progressive":
            return clause
        choices, hardly_in_front = self.choices, FREQUENCIES - {"sometimes"}
        if clause.time != NOTHING and clause.time[1] not in hardly_in_front and choices.chance(FRONTED):
            clause.front, clause.time = clause.time, NOTHING
        elif clause.time == NOTHING and clause.place != NOTHING and choices.chance(FRONTED):
            clause.front, clause.place = clause.place, NOTHING
        return clause

    def state(self, subject: Phrase) -> State:
        """The clause that a subject is in some state, other than its adjectives say."""
        choices = self.choices
        said = {word for adjective in subject.adjectives for word in on_one_scale(adjective)}
        adjective = choices.one([word for word in STATES[subject.kinds[0]].split() if word not in said])
        degree = choices.one((NOTHING, NOTHING, ("sehr", "very"), ("zu", "too")))
        if adjective == "kaputt" or (degree == ("zu", "too") and adjective not in TOO_MUCH):
            degree = NOTHING
        complement = joined(degree[0], adjective), joined(degree[1], ADJECTIVES[adjective].english)
        denied = degree != ("zu", "too") and subject.definite and choices.chance(0.2)
        return state(subject, complement, choices.one(("present", "past")), denied)


def unclear(head: Phrase, subject: Phrase, verb: Verb) -> bool:
    """Whether a German reader could take the head, in front of the clause, for its subject."""
    shown = any(one.gender in ("m", "I", "we") and one.article != "name" for one in (head, subject))
    return not shown and head.plural == subject.plural and bool(set(head.kinds) & set(verb.subjects))
