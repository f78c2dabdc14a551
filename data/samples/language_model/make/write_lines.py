"""Writes the language model's sample: lines in which what comes late depends on what stood far before.

A verb agrees with a subject that other nouns separate from it, "himself" with a name at the line's beginning, and of
three kinds of brackets the one that was opened last is closed first, however much stands inside.

Run `python data/samples/language_model/make/write_lines.py`: it rewrites `data/samples/language_model/*.txt` byte for
byte. Only the standard library is needed. The randomness is `random.Random(SEED)`'s `random()` alone, which is the same
in every Python version.
"""

import random
from pathlib import Path
from typing import NamedTuple

SEED = 19970115
SPLITS = {"train": 13000, "validation": 500, "test": 500}
# The shares of subjects that are persons with a name, of phrases that an aside in brackets follows, outside and inside
# another one, and of subjects and other nouns that a place or a clause follows.
NAMED, ASIDES, ASIDES_INSIDE, FOLLOWED, OTHERS_FOLLOWED = 0.45, 0.4, 0.4, 0.65, 0.4
DEEPEST = 3

SINGULAR, PLURAL = 0, 1
THINGS = "key:keys letter:letters lamp:lamps box:boxes cup:cups coat:coats"
BEINGS = "boy:boys girl:girls dog:dogs goose:geese child:children sailor:sailors"
PLACES = "house:houses bridge:bridges tree:trees garden:gardens wall:walls"
NAMES = {
    "herself": "Ann Clara Helen Ruth".split(),
    "himself": "Adam Carl Ivan Peter".split(),
}
ADJECTIVES = "old small red quiet strange".split()
QUALITIES = "warm lost famous hidden ready".split()
PREPOSITIONS = "near behind beside under".split()
# What somebody does with something: he, they, and what was done.
ACTIONS = "likes:like:liked finds:find:found carries:carry:carried sees:see:saw"
# What a person does with nobody else.
REFLEXIVES = "washes hides admires sees".split()
BRACKETS = ("()", "[]", "{}")
REMARKS = "as usual, it seems, so they say, once again, last year".split(", ")


class Noun(NamedTuple):
    """A noun in both numbers."""

    singular: str
    plural: str


def _nouns(pairs: str) -> list[Noun]:
    return [Noun(*pair.split(":")) for pair in pairs.split()]


NOUNS = {"thing": _nouns(THINGS), "being": _nouns(BEINGS), "place": _nouns(PLACES)}


class Writer:
    """Draws lines.

    Args:
        seed: Of the random numbers.
    """

    def __init__(self, seed: int):
        self.random = random.Random(seed).random

    def line(self) -> str:
        """One line, without its end."""
        if self.chance(NAMED):
            reflexive = self.one(list(NAMES))
            subject = self.one(NAMES[reflexive])
            return f"{subject}{self.asides(0)} {self.one(REFLEXIVES)} {reflexive}{self.place(DEEPEST)}."
        number = self.number()
        subject = self.phrase(self.one(["thing", "being"]), number, 0, is_subject=True)
        return f"{subject[0].upper()}{subject[1:]} {self.predicate(number)}."

    def predicate(self, number: int) -> str:
        """What is said of a subject of this number."""
        if self.chance(0.6):
            return f"{self.one(['is:are', 'was:were']).split(':')[number]} {self.one(QUALITIES)}"
        verb = self.one(ACTIONS.split()).split(":")[number] if self.chance(0.5) else ("has", "have")[number]
        return f"{verb} {self.phrase('thing', self.number(), DEEPEST)}"

    def phrase(self, kind: str, number: int, depth: int, is_subject: bool = False) -> str:
        """A noun and what follows it: a place, a clause, an aside in brackets."""
        noun = self.one(NOUNS[kind])
        article = ("this", "these")[number] if self.chance(0.2) and not is_subject else "the"
        adjective = f"{self.one(ADJECTIVES)} " if self.chance(0.4) else ""
        text = f"{article} {adjective}{noun[number]}"
        if depth >= DEEPEST:
            return text
        if self.chance(FOLLOWED if is_subject else OTHERS_FOLLOWED):
            text += self.clause(depth + 1) if self.chance(0.5) else self.place(depth + 1)
        return text + self.asides(depth + 1)

    def clause(self, depth: int) -> str:
        """A clause that tells who did something with what was named."""
        number, action = self.number(), self.one(ACTIONS.split()).split(":")
        # In the past a verb tells nothing of the number.
        verb = action[2] if self.chance(0.6) else action[number]
        return f" that {self.phrase('being', number, depth + 1)} {verb}"

    def place(self, depth: int) -> str:
        """Where something is."""
        return f" {self.one(PREPOSITIONS)} {self.phrase('place', self.number(), depth + 1)}"

    def asides(self, depth: int, around: str = "") -> str:
        """An aside in brackets of another kind than those around it, or nothing."""
        if depth >= DEEPEST or not self.chance(ASIDES_INSIDE if around else ASIDES):
            return ""
        opening, closing = self.one([kind for kind in BRACKETS if kind not in around])
        inside = self.one(REMARKS)
        if self.chance(0.5):
            inside += f" {self.one(PREPOSITIONS)} {self.phrase('place', self.number(), DEEPEST)}"
        inside += self.asides(depth + 1, around + opening + closing)
        if self.chance(0.4):
            inside += f" with {self.phrase('thing', self.number(), DEEPEST)}"
        return f" {opening}{inside}{closing}"

    def number(self) -> int:
        """Singular or plural."""
        return self.one([SINGULAR, PLURAL])

    def one(self, items):
        """One of the items."""
        return items[int(self.random() * len(items))]

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.random() < probability


def write(folder: Path) -> None:
    """Writes the three files; no line occurs twice, in one of them or in two."""
    writer, seen = Writer(SEED), set()
    for split, lines in SPLITS.items():
        text = []
        while len(text) < lines:
            line = writer.line()
            if line not in seen and 30 <= len(line) <= 160:
                seen.add(line)
                text.append(f"{line}\n")
        (folder / f"{split}.txt").write_text("".join(text), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write(Path(__file__).resolve().parent.parent)
