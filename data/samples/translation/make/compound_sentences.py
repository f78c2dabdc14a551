"""Sentences of two clauses for the translation sample.

Each function gives a German and an English sentence without the capital and the full stop, or raises `Unusable`.
"""

from clauses import Clause, english_present, state
from drawing import Drawing, Unusable, unclear
from lexicon import ADJECTIVES, NOTHING, VERBS, Text, entries, on_one_scale, texts, verbs_named
from phrases import DEFINITE, Phrase, form, joined, share_a_pronoun
from words import CAUSES, EMOTIONS, FOLLOWED_BY, PERSON, SPEAKING, STATES, WEATHER

SPEAKING_ENTRIES, CAUSE_ENTRIES, EMOTION_ENTRIES = entries(SPEAKING), entries(CAUSES), entries(EMOTIONS)
FOLLOWING_ENTRIES, WEATHER_TEXTS = entries(FOLLOWED_BY), texts(WEATHER)


def reported(draw: Drawing) -> Text:
    """What somebody says, believes, knows, hopes or asks: "Anna sagt, dass der Hund müde ist"."""
    choices, who = draw.choices, draw.subject(PERSON)
    forms, (base,), (conjunction, english_conjunction) = choices.one(SPEAKING_ENTRIES)
    denied = base == "know" and choices.chance(0.4)
    if denied:
        conjunction, english_conjunction = "ob", "whether"
    about = who.as_pronoun() if who.definite and conjunction == "dass" and choices.chance(0.4) else None
    if base != "hope" and choices.chance(0.2):
        about = about or draw.subject(("adult", "kin", "name", "animal", "vehicle"), plain=True)
        _, said, english_said = draw.state(about)
    else:
        tense = choices.one(("future", "can")) if base == "hope" else draw.tense()
        clause = draw.clause(subject=about, tense=tense, plain=True)
        said, english_said = clause.german("last"), clause.english()
    german = joined(who.german("nom"), forms[who.person], "nicht" if denied else "")
    english = joined(who.english("nom"), english_present(base, who.person, denied))
    return f"{german}, {conjunction} {said}", f"{english} {english_conjunction} {english_said}"


def caused(draw: Drawing) -> Text:
    """What the state of the subject or the object explains, or not: "Das Kind hat geweint, weil es müde war"."""
    choices = draw.choices
    (part, conjunction, english_conjunction), names, adjectives = choices.one(CAUSE_ENTRIES)
    clause = draw.clause(tense="past", verbs=verbs_named(names), plain=True)
    adjective = choices.one(adjectives)
    of_subject = part == "S"
    reason, other = clause.subject, clause.accusative
    if not of_subject:
        reason, other = other, reason
    if any(adjective in on_one_scale(word) for word in reason.adjectives):
        raise Unusable
    # The pronoun for the reason must not mean the other.
    ambiguous = other is not None and share_a_pronoun(reason, other)
    if of_subject and ambiguous and other.kinds[0] in PERSON:
        raise Unusable
    if not of_subject:
        tells = adjective in ("billig", "teuer", "kaputt", "lang")  # it is no person
        if adjective not in STATES[reason.kinds[0]].split() or (ambiguous and not tells):
            raise Unusable
    complement = adjective, ADJECTIVES[adjective].english
    if of_subject and choices.chance(0.3):
        because = state(reason, complement, "past")
        clause.subject = reason.as_pronoun()
        german = f"{conjunction} {because.german_last}, {clause.german('first')}"
        return german, f"{english_conjunction} {because.english}, {clause.english()}"
    because = state(reason.as_pronoun(), complement, "past")
    draw.front(clause)
    comma = "," if english_conjunction == "although" else ""
    german = f"{clause.german()}, {conjunction} {because.german_last}"
    return german, f"{clause.english()}{comma} {english_conjunction} {because.english}"


def feeling(draw: Drawing) -> Text:
    """What somebody felt, and why: "Lena war stolz, weil sie ein Bild gemalt hat"."""
    choices = draw.choices
    (adjective,), names = choices.one(EMOTION_ENTRIES)
    who = draw.subject(PERSON)
    if not who.definite or adjective in who.adjectives:
        raise Unusable
    actor = draw.phrase_of(who, ["kin"]) if choices.chance(0.35) else who.as_pronoun()
    clause = draw.clause(subject=actor, tense="past", verbs=verbs_named(names), plain=True)
    felt = state(who, (adjective, ADJECTIVES[adjective].english), "past")
    return f"{felt.german}, weil {clause.german('last')}", f"{felt.english} because {clause.english()}"


def sequence(draw: Drawing) -> Text:
    """One thing before or after the other: "Bevor Anna ..., hat sie ...", "Paul hat ..., nachdem er ... hatte"."""
    choices = draw.choices
    who = draw.subject(PERSON)
    if not who.definite:
        raise Unusable
    after = choices.chance(0.5)
    inner = draw.clause(subject=who, tense="pluperfect" if after else "past", bare=True)
    main = draw.clause(subject=who, tense="past", bare=True)
    objects = [phrase for clause in (inner, main) for phrase in (clause.accusative, clause.dative) if phrase]
    alive = [phrase for phrase in objects if phrase.kinds[0] in (*PERSON, "animal")]
    # The pronoun must be able to mean nobody else.
    if inner.verb.name == main.verb.name or any(share_a_pronoun(phrase, who) for phrase in alive):
        raise Unusable
    conjunction, english_conjunction = ("nachdem", "after") if after else ("bevor", "before")
    if choices.chance(0.5):
        main.subject = who.as_pronoun()
        german = f"{conjunction} {inner.german('last')}, {main.german('first')}"
        return german, f"{english_conjunction} {inner.english()}, {main.english()}"
    inner.subject = who.as_pronoun()
    german = f"{main.german()}, {conjunction} {inner.german('last')}"
    return german, f"{main.english()} {english_conjunction} {inner.english()}"


def purpose(draw: Drawing) -> Text:
    """Where somebody went, and what for: "Peter ist in die Stadt gefahren, um ein Buch zu kaufen"."""
    tense = draw.choices.one(("past", "past", "future", "want", "must"))
    clause = draw.clause(tense=tense, verbs=verbs_named(("gehen", "fahren")))
    actions = [verb for verb in VERBS if "m" in verb.flags and "acc" in verb.case]
    aim = draw.clause(subject=clause.subject, tense="future", verbs=actions, bare=True)
    draw.front(clause)
    clause.denied = False
    return f"{clause.german()}, um {aim.german('infinitive')}", f"{clause.english()} {aim.english('infinitive')}"


def relative(draw: Drawing) -> Text:
    """A noun with a relative clause: "Der Junge, der die Haustür zugemacht hat, ist angekommen"."""
    choices = draw.choices
    head = _doer(draw) if choices.chance(0.5) else _thing_done_to(draw)
    if head.kinds[0] not in ("adult", "child", "animal") or choices.chance(0.4):
        said = draw.state(head)
        return said.german, said.english
    main = draw.clause(subject=head, tense=choices.one(("past", "future", "progressive")), bare=True)
    return main.german(), main.english()


def _doer(draw: Drawing) -> Phrase:
    """A phrase with a relative clause of which it is the subject: "der Hund, der ...,"."""
    head = draw.phrase(draw.choices.one((("adult", "child"), ("adult", "child"), ("animal",))), plain=True)
    clause = draw.clause(subject=head, tense="past", plain=True)
    if clause.accusative and unclear(clause.accusative, head, clause.verb):
        raise Unusable
    who = "who" if head.kinds[0] in ("adult", "child") else "that"
    clause.subject_text = form(DEFINITE, head.gender, "nom"), who
    head.relative = f", {clause.german('last')},", f" {clause.english()}"
    return head


def _thing_done_to(draw: Drawing) -> Phrase:
    """A phrase with a relative clause of which it is the object: "der Hund, den ...,"."""
    clause = draw.clause(tense="past", verbs=[verb for verb in VERBS if verb.case == "acc"])
    head, clause.accusative, clause.denied = clause.accusative, None, False
    head.article = draw.choices.one(("def", "this"))
    if head.kinds[0] in ("name", "kin", "drink") or unclear(head, clause.subject, clause.verb):
        raise Unusable
    if clause.subject.article in ("indef", "counted"):
        raise Unusable
    whom = "whom" if head.kinds[0] in ("adult", "child") else "that"
    german = f", {form(DEFINITE, head.gender, 'acc')} {clause.german('last')},"
    head.relative = german, f" {whom} {clause.english()}"
    return head


def two_statements(draw: Drawing) -> Text:
    """Two main clauses: "Der Hund hat geschlafen, und die Katze hat eine Maus gejagt"."""
    tense = draw.choices.one(("past", "future"))
    first, second = draw.front(draw.clause(tense=tense)), draw.clause(tense=tense, bare=True)
    german, english = draw.choices.one((("und", "and"), ("aber", "but")))
    return f"{first.german()}, {german} {second.german()}", f"{first.english()}, {english} {second.english()}"


def two_verbs(draw: Drawing) -> Text:
    """Two verbs, and a pronoun for the object of the second: "Anna hat einen Apfel gekauft und ihn gegessen"."""
    (name,), names = draw.choices.one(FOLLOWING_ENTRIES)
    second_verb = draw.choices.one(verbs_named(names))
    first = draw.clause(tense="past", verbs=verbs_named([name]), plain=True)
    thing = first.accusative
    if not set(thing.kinds) & set(second_verb.objects) or thing.kinds[0] == "name":
        raise Unusable
    second = Clause(first.subject, second_verb, "past", accusative=thing.as_pronoun(), subject_text=NOTHING)
    participle = second.german_verb()[1]
    german = f"{first.german()} und {second.german_middle()} {participle}"
    return german, f"{first.english()} and {second.english()}"


def weather(draw: Drawing) -> Text:
    """What is done in some weather: "Wenn es regnet, liest Anna ein Buch"."""
    german, english = draw.choices.one(WEATHER_TEXTS)
    clause = draw.clause(tense="present")
    clause.time = NOTHING
    return f"wenn {german}, {clause.german('first')}", f"when {english}, {clause.english()}"
