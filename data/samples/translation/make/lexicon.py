"""The translation sample's words as values: nouns, verbs, adjectives, places and times, read from `words`.

A pair of strings (`Text`) is German first and English second, here and in all modules of the grammar.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import words as words

Text = tuple[str, str]  # German, English
NOTHING = ("", "")


@dataclass(frozen=True)
class Noun:
    """A noun of both languages; `german_plural` is "-" where there is none."""

    german: str
    gender: str  # m, f or n
    weak: bool  # all forms but the nominative are the plural: "den Jungen"
    german_plural: str
    english: str
    english_plural: str
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Verb:
    """A verb of both languages, and what it goes with."""

    name: str  # the infinitive with its separable prefix marked: "auf-machen"
    third: str
    participle: str
    with_sein: bool  # the perfect is made with "sein", not with "haben"
    english: tuple[str, str, str, str]  # base, past, participle, -ing form
    particle: str
    subjects: tuple[str, ...]  # kinds
    case: str  # "", "acc", "dat" or "dat acc"
    objects: tuple[str, ...]  # kinds of what is in the accusative
    flags: str  # what a clause may say: see `words.VERBS`

    @property
    def prefix(self) -> str:
        """The separable prefix, "" where there is none."""
        return self.name.rpartition("-")[0]

    @property
    def stem(self) -> str:
        """The infinitive without the separable prefix, which is also the present of the plural."""
        return self.name.rpartition("-")[2]


@dataclass(frozen=True)
class Adjective:
    """An adjective of both languages and its comparatives, which are "" where it is not compared."""

    german: str
    german_more: str
    english: str
    english_more: str


@dataclass(frozen=True)
class Place:
    """A noun and the prepositions for being there and for going there."""

    noun: Noun
    where: Text
    where_to: Text
    group: str


def entries(text: str) -> list[list[list[str]]]:
    """Reads a list of `words`: the words of the parts of its entries."""
    lines = re.sub(r"\n\s+\|", " |", text)
    return [
        [[word.replace("_", " ") for word in part.split()] for part in entry.split("|")]
        for entry in re.split("[;\n]", lines)
        if entry.strip()
    ]


def texts(text: str) -> list[Text]:
    """Reads a list whose entries are a German and an English phrase."""
    return [(" ".join(german), " ".join(english)) for german, english in entries(text)]


def with_s(word: str) -> str:
    """The plural of an English noun, the third person of a verb; of several words the first one changes."""
    first, space, rest = word.partition(" ")
    if re.search("(s|sh|ch|x|o)$", first):
        first += "es"
    elif re.search("[^aeiou]y$", first):
        first = first[:-1] + "ies"
    else:
        first += "s"
    return first + space + rest


def read_nouns() -> dict[str, Noun]:
    """The nouns by their German singular."""
    nouns = {}
    for (german, gender, plural), (english, *irregular), kinds in entries(words.NOUNS):
        *modifiers, head = english.split(" ")
        english_plural = irregular[0] if irregular else " ".join([*modifiers, with_s(head)])
        nouns[german] = Noun(german, gender[0], gender == "mw", plural, english, english_plural, tuple(kinds))
    return nouns


def read_verbs() -> list[Verb]:
    """The verbs; two of them may have one German infinitive."""
    verbs = []
    for (name, third, participle), (base, past, perfect, ing, *particle), valency, flags in entries(words.VERBS):
        subjects, _, objects = " ".join(valency).partition(" > ")
        case = " ".join(word for word in objects.split() if word in ("acc", "dat"))
        verb = Verb(
            name,
            third,
            participle.removeprefix("ist-"),
            participle.startswith("ist-"),
            (base, past, perfect, ing),
            "".join(particle),
            every_kind(subjects.split()),
            case,
            every_kind(word for word in objects.split() if word not in ("acc", "dat")),
            "".join(flags),
        )
        verbs.append(verb)
    return verbs


def every_kind(kinds: Iterable[str]) -> tuple[str, ...]:
    """The kinds, with those of people for "person"."""
    return tuple(one for kind in kinds for one in (words.PERSON if kind == "person" else [kind]))


def read_adjectives() -> dict[str, Adjective]:
    """The adjectives by their German base form."""
    return {
        german: Adjective(german, more.strip("-"), english, "".join(english_more))
        for (german, more), (english, *english_more) in entries(words.ADJECTIVES)
    }


def verbs_named(names: Iterable[str]) -> list[Verb]:
    """The verbs with these German infinitives, in the order of the word list."""
    return [verb for verb in VERBS if verb.name in names]


def on_one_scale(adjective: str) -> list[str]:
    """The German adjective and those that contradict it."""
    return next((scale.split() for scale in words.SCALES if adjective in scale.split()), [adjective])


NOUNS, VERBS, ADJECTIVES = read_nouns(), read_verbs(), read_adjectives()
PLACES = [
    Place(NOUNS[noun], tuple(where), tuple(where_to), group)
    for (noun,), where, where_to, (group,) in entries(words.PLACES)
]
NUMERALS, DAYS, CITIES = texts(words.NUMERALS), texts(words.DAYS), texts(words.CITIES)
TIMES = {"past": texts(words.PAST_TIMES), "present": texts(words.HABITS), "future": texts(words.FUTURE_TIMES)}
