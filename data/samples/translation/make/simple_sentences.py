"""Sentences of one clause for the translation sample.

Each function gives a German and an English sentence without the capital, and without the full stop where no question
mark ends it, or raises `Unusable`.
"""

import re

from clauses import HABEN, MODALS, english_present, state
from drawing import Drawing, Unusable, unclear
from lexicon import ADJECTIVES, NOTHING, NOUNS, VERBS, Text
from phrases import Phrase, joined
from words import ATTRIBUTES, COLOURS, PERSON


def statement(draw: Drawing) -> Text:
    """A clause of any kind: "Gestern hat der Hund eine Wurst gefressen"."""
    clause = draw.front(draw.clause())
    accusative = clause.accusative
    if clause.subject.noun and accusative and "adult" in accusative.kinds and draw.choices.chance(0.5):
        clause.accusative = draw.speakers()
    return clause.german(), clause.english()


def question(draw: Drawing) -> Text:
    """A question to be answered with yes or no: "Hat der Hund gestern eine Wurst gefressen?"."""
    clause = draw.clause(plain=True)
    return clause.german("first") + "?", clause.english("question") + "?"


def question_with_a_question_word(draw: Drawing) -> Text:
    """A question for an adverbial, the subject or the object: "Wann ...?", "Wer ...?", "Welche Wurst ...?"."""
    choices = draw.choices
    adverbs, who = [("wann", "when"), ("warum", "why"), ("wo", "where")], ("wer", "who")
    word = choices.one([*adverbs, who, "what", "what", "which", "how many"])
    tense = choices.one(("past", "past", "past", "future", *MODALS))
    if word in adverbs:
        return _question_for_an_adverbial(draw, word, tense)
    return _question_for_the_subject(draw, word, tense) if word == who else _question_for_the_object(draw, word, tense)


def _question_for_an_adverbial(draw: Drawing, word: Text, tense: str) -> Text:
    """With "wann", "warum" or "wo" before a clause that does not say it yet."""
    verbs = [verb for verb in VERBS if "p" in verb.flags] if word == ("wo", "where") else VERBS
    clause = draw.clause(tense=tense, verbs=verbs, plain=True)
    clause.place = NOTHING
    if word == ("wann", "when"):
        clause.time = clause.clock = NOTHING
    return f"{word[0]} {clause.german('first')}?", f"{word[1]} {clause.english('question')}?"


def _question_for_the_subject(draw: Drawing, word: Text, tense: str) -> Text:
    """With "wer" for the subject of a clause that people are the subjects of."""
    verbs = [verb for verb in VERBS if "adult" in verb.subjects]
    anybody = Phrase(NOUNS["Mann"], article="indef")
    clause = draw.clause(subject=anybody, tense=tense, verbs=verbs, bare=True)
    clause.subject_text = word
    if draw.choices.chance(0.5):
        clause.time = draw.time(tense)
    for phrase in (clause.accusative, clause.dative):
        if phrase and phrase.article == "owned":
            phrase.owner = Phrase(None, phrase.owner.plural)  # "his" would be nobody's
    return clause.german() + "?", clause.english() + "?"


def _question_for_the_object(draw: Drawing, word: str, tense: str) -> Text:
    """With "was", "wen", "welcher ..." or "wie viele ..." for the accusative of a clause."""
    clause = draw.clause(tense=tense, verbs=[verb for verb in VERBS if verb.case == "acc"], plain=True)
    head, clause.accusative, clause.place = clause.accusative, None, NOTHING
    person = head.kinds[0] in PERSON
    if head.kinds[0] == "name" or head.article == "owned":
        raise Unusable
    if word == "what":
        may_be_a_person = not person and set(PERSON) & set(clause.verb.objects)
        # "Was jagt die Katze?" may ask for the subject, and "tragen" is "wear" or "carry".
        if may_be_a_person or clause.verb.name in ("jagen", "tragen"):
            raise Unusable
        german, english = ("wen", "whom") if person else ("was", "what")
    else:
        head.article = "which"
        if word == "how many":
            head.article, head.count, head.plural = "counted", ("wie viele", "how many"), True
        if unclear(head, clause.subject, clause.verb):
            raise Unusable
        german, english = head.german("acc"), head.english("acc")
    return f"{german} {clause.german('first')}?", f"{english} {clause.english('question')}?"


def description(draw: Drawing) -> Text:
    """A noun and its state: "Der Hund ist müde"."""
    lifeless = [kind for kind in ATTRIBUTES if kind not in (*PERSON, "animal")]
    said = draw.state(draw.subject(draw.choices.one((PERSON, ["animal"], lifeless))))
    return said.german, said.english


def comparison(draw: Drawing) -> Text:
    """Two nouns of one kind compared: "Der Hund ist größer als die Katze", "... so groß wie die Katze"."""
    choices = draw.choices
    kinds = choices.one((PERSON, ["animal"], ["vehicle"], ["clothing"], ["readable"], ["thing"], ["place"]))
    first, second = draw.subject(kinds, plain=True), draw.subject(kinds, plain=True)
    for phrase in (first, second):
        phrase.adjectives = tuple(word for word in phrase.adjectives if word in COLOURS)
    words = "alt jung freundlich klug" if kinds == PERSON else ATTRIBUTES[kinds[0]]
    compared = [ADJECTIVES[word] for word in words.split() if ADJECTIVES[word].german_more]
    adjective, than, than_english = choices.one(compared), second.german("nom"), second.english("nom")
    if choices.chance(0.65):
        complement = f"{adjective.german_more} als {than}", f"{adjective.english_more} than {than_english}"
        said = state(first, complement, choices.one(("present", "past")))
    else:
        complement = f"so {adjective.german} wie {than}", f"as {adjective.english} as {than_english}"
        said = state(first, complement, choices.one(("present", "past")), denied=choices.chance(0.5))
    return said.german, said.english


def there_is(draw: Drawing) -> Text:
    """What is in a place: "Im Park gibt es eine Blume", "Gibt es eine Blume im Park?"."""
    choices = draw.choices
    place, english_place = draw.place(["out", "town"])
    what = draw.phrase(choices.one((["animal"], ["plant"], ["vehicle"], ["child"])))
    if what.article != "counted":
        what.article = "indef"
    past, denied = choices.chance(0.4), what.article == "indef" and choices.chance(0.2)
    be = ("were" if what.plural else "was") if past else ("are" if what.plural else "is")
    gives = "gab" if past else "gibt"
    noun, english_noun = what.german("acc", denied), what.english("nom")
    if not denied and choices.chance(0.3):
        return f"{gives} es {place} {noun}?", f"{be} there {english_noun} {english_place}?"
    if denied:
        english_noun = "no " + re.sub("^an? ", "", english_noun)
    return f"{place} {gives} es {noun}", f"there {be} {english_noun} {english_place}"


def liking(draw: Drawing) -> Text:
    """What somebody likes or owns, with a dative in German: "Das Buch gefällt Anna", "Das Buch gehört Anna"."""
    choices = draw.choices
    person = draw.subject(PERSON)
    thing = draw.phrase(["readable", "clothing", "place", "thing", "private"], plain=True)
    denied = person.definite and choices.chance(0.25)
    if person.article == "counted":
        raise Unusable
    what, whom, no = thing.german("nom"), person.german("dat"), "nicht" if denied else ""
    who, english_thing = person.english("nom"), thing.english("acc")
    if choices.chance(0.4) and thing.kinds[0] != "place":
        german = joined(what, "gehören" if thing.plural else "gehört", whom, no)
        belongs = english_present("belong", thing.person, denied)
        return german, f"{english_thing} {belongs} to {person.english('acc')}"
    if choices.chance(0.5):
        german = joined(what, "gefallen" if thing.plural else "gefällt", whom, no)
        return german, f"{who} {english_present('like', person.person, denied)} {english_thing}"
    german = joined(what, HABEN[thing.person], whom, no, "gefallen")
    return german, f"{who} {'did not like' if denied else 'liked'} {english_thing}"
