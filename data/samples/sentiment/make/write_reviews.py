"""Writes the sentiment sample: short invented reviews in which the order of the words decides the label.

Most reviews come in pairs that use the same praising and the same blaming words in opposite places ("I expected the
plot to be dull, but it was gripping" / "... gripping, but it was dull"), so counting words says little. Both halves of
a pair stay in one split, and no two pairs express the same opinions in the same words.

Run `python data/samples/sentiment/make/write_reviews.py`: it rewrites `data/samples/sentiment/*.csv` byte for byte.
Only the standard library is needed. The randomness is `random.Random(SEED)`'s `random()` alone, which is the same
in every Python version.
"""

import csv
import random
from pathlib import Path

SEED = 20240229
SPLITS = {"train": 4000, "validation": 500, "test": 500}
# The share of reviews by how they express an opinion. A bag of words is blind in the first, misled by the second and
# right in the third.
SHARES = {"contrast": 0.52, "negated": 0.10, "plain": 0.38}
NEGATIVE, POSITIVE = 0, 1
LABELS = ("negative", "positive")

# Each domain: names of the reviewed thing; aspects as "noun kind: praise/blame ..." (kind: c count, m mass, p plural);
# what a reader decides to do, praise/blame; and remarks that say nothing about quality.
DOMAINS = {
    "film": {
        "things": "film movie",
        "aspects": """plot c: gripping/dull clever/predictable coherent/muddled
            | acting m: convincing/wooden natural/stiff | ending c: satisfying/rushed moving/pointless
            | jokes p: funny/stale witty/crude | soundtrack c: haunting/irritating lively/monotonous
            | dialogue m: sharp/clumsy witty/wooden | pacing m: brisk/sluggish assured/uneven
            | characters p: believable/flat likeable/annoying | camera work m: elegant/shaky inventive/lazy
            | special effects p: impressive/cheap spectacular/unconvincing
            | second half c: thrilling/tedious absorbing/repetitive | script c: intelligent/silly original/lazy""",
        "actions": "stay until the end/leave early | watch it again/switch it off | buy the disc/ask for my money back",
        "remarks": """we saw it {when} with {who} | {who} paid for the tickets | the cinema was half empty {when}
            | it runs for just over two hours | the {g} is based on a true story | we sat in the third row
            | the {g} was shot in Portugal, if I remember correctly | I watched it on the train
            | I watched it {when} | the director used to make advertisements
            | there are songs in it, but only three | it opened here {when}""",
    },
    "restaurant": {
        "things": "restaurant meal dinner",
        "aspects": """soup m: tasty/bland fragrant/watery | steak c: tender/tough juicy/dry
            | bread m: fresh/stale crusty/soggy | waiters p: friendly/rude attentive/careless
            | service m: quick/slow prompt/sluggish | dessert c: delicious/sickly tempting/soggy
            | coffee m: aromatic/watery fresh/bitter | vegetables p: crisp/soggy fresh/overcooked
            | menu c: inventive/boring varied/limited | dining room c: cosy/gloomy clean/dirty quiet/noisy
            | portions p: generous/tiny | prices p: fair/outrageous reasonable/excessive
            | sauce c: creamy/lumpy delicate/greasy""",
        "actions": "book a table again/walk out | order more/send the plates back | leave a large tip/demand a refund",
        "remarks": """we went there {when} with {who} | {who} booked the table | it is two streets from the station
            | we had the lunch menu and a bottle of water | there were six of us at the table | I ordered the fish
            | {who} lives round the corner | the kitchen closes at ten | the owners also sell olive oil
            | we sat by the window, next to a large family | we were there {when} | it was my birthday""",
    },
    "book": {
        "things": "book novel",
        "aspects": """story c: absorbing/boring original/predictable | prose m: elegant/clumsy clear/confusing
            | chapters p: lively/repetitive focused/rambling | opening c: intriguing/slow gripping/tedious
            | final twist c: surprising/obvious clever/forced | illustrations p: beautiful/ugly detailed/blurry
            | translation c: fluent/awkward faithful/careless | arguments p: persuasive/weak careful/sloppy
            | descriptions p: vivid/lifeless precise/vague | humour m: warm/forced gentle/spiteful
            | characters p: believable/shallow likeable/annoying | dialogue m: natural/stilted sharp/clumsy""",
        "actions": "read on/give up | keep it/give it away | lend it to a friend/throw it in the bin",
        "remarks": """I read it {when} | {who} gave it to me {when} | the {g} has about three hundred pages
            | I found it in the library | it is the second part of a series | the author used to be a nurse
            | I read most of it on the bus | the cover shows a lighthouse | our reading group chose it {when}
            | {who} is halfway through it | the {g} is set in a small harbour town
            | it took me a week, with a break for work""",
    },
    "gadget": {
        "things": "phone tablet laptop",
        "aspects": """screen c: bright/dim sharp/blurry | battery c: reliable/feeble dependable/unreliable
            | buttons p: responsive/sticky solid/wobbly | sound m: clear/muffled rich/tinny
            | manual c: helpful/useless clear/confusing | software m: stable/buggy intuitive/confusing fast/slow
            | charger c: quick/slow sturdy/flimsy | case c: solid/flimsy elegant/ugly
            | setup c: painless/painful easy/complicated | updates p: useful/pointless smooth/disruptive
            | microphone c: clear/noisy reliable/faulty | camera c: sharp/blurry fast/sluggish
            | help line c: competent/useless polite/rude""",
        "actions": "keep it/send it back | buy another one/ask for a refund | give it five stars/give it one star",
        "remarks": """I bought the {g} {when} | I got the {g} for {who} | it comes in black, white and green
            | I use it on the train and at home | it arrived {when}, in a plain brown box
            | {who} has the same model | the {g} replaced one that was six years old | I mostly write letters on it
            | there is a cable in the box | I have had it for three months | {who} chose the colour
            | it weighs about as much as a paperback""",
    },
    "hotel": {
        "things": "hotel stay",
        "aspects": """room c: spacious/cramped clean/dirty quiet/noisy | bed c: comfortable/lumpy firm/saggy
            | breakfast c: plentiful/meagre tasty/bland | receptionists p: helpful/rude polite/grumpy
            | view c: stunning/dreary splendid/depressing | bathroom c: spotless/filthy modern/shabby
            | towels p: soft/scratchy fresh/stained | pool c: clean/murky inviting/neglected
            | internet connection c: fast/slow stable/unreliable | garden c: peaceful/neglected pretty/overgrown
            | pillows p: fluffy/lumpy soft/stained | bar c: cosy/gloomy welcoming/shabby""",
        "actions": "stay another night/check out early | thank the staff/demand a refund"
        " | book again/ask for my money back",
        "remarks": """we stayed there {when} | {who} made the booking | our room was on the fourth floor
            | I was there for work | the station is ten minutes away on foot | we stayed for three nights
            | {who} came along | the building used to be a school | the car park is behind the building
            | it was the week of the fair | we arrived {when}, just after lunch
            | there is a bakery across the road, and a small museum""",
    },
}
ASIDES = """the weather was lovely {when} | the weather was awful {when} | the traffic was terrible {when}
    | I was in a good mood {when} | I had a bad cold {when} | my new shoes were uncomfortable"""
WHO = """my brother | my sister | a friend | a colleague | my neighbour | my father | my mother | my cousin
    | my boss | my flatmate | my aunt | my grandson | my old teacher | my best friend"""
CRITICS = "everyone | the critics | the people at work | most reviewers | some bloggers"
WHEN = """last Sunday | last Friday | that evening | on Monday | in March | in October | last winter | over Easter
    | on my day off | that week | during the holidays | last month | on a rainy afternoon"""
# Praise and blame that suit any subject; strong words, so never simply negated ("not terrible" says little).
GENERAL = """good/bad great/poor excellent/terrible wonderful/awful impressive/disappointing superb/dreadful
    brilliant/mediocre lovely/horrible remarkable/forgettable outstanding/lousy marvellous/abysmal"""
FEELINGS = """delighted/disappointed charmed/annoyed impressed/appalled thrilled/bored pleased/frustrated
    grateful/angry satisfied/irritated"""
VERBS = "love/hate like/dislike admire/despise praise/criticise"
MERITS = """strengths/weaknesses | virtues/faults | high points/low points | pleasures/irritations
    | good ideas/bad ideas | advantages/drawbacks"""

# In every contrast one of the places {a} (said first) and {b} (said last) is the reviewer's own opinion.
LAST_COUNTS = """I expected {N} to be {a}, but {it} {was} {b} | {who} told me {N} would be {a}, but {it} {was} {b}
    | {N} {was} not {a} but {b} | {N} {was} not {a} at all; {it} {was} {b} | far from being {a}, {N} {was} {b}
    | {who} had called {N} {a}, yet I found {them} {b} | {N} seemed {a} at first, but turned out to be {b}
    | on paper {N} sounded {a}; in reality {it} {was} {b}
    | do not believe anyone who says {N} {was} {a}: {it} {was} {b}
    | I would not call {N} {a}; I would call {them} {b}
    | {who} may say that {N} {was} {a}, but to me {it} {was} {b} | instead of {A}, we got {B}
    | I was prepared for {A} and got {B} | {N} {was} never {a}, always {b}
    | I had read that {N} {was} {a}, and instead {it} {was} {b} | where I expected {A}, we got {B}
    | it would be wrong to call {N} {a}, because {it} {was} {b} | {N} {was} anything but {a}: {it} {was} {b}"""
FIRST_COUNTS = """{N} {was} {a}, not {b} | {N} {was} {a} rather than {b}
    | {N} {was} {a}, though I expected {them} to be {b}
    | {N} {was} {a}, even though {who} had told me {it} would be {b}
    | I found {N} {a}, although {who} had called {them} {b} | {N} {was} {a} and not at all {b}
    | {N} turned out to be {a} instead of {b} | {N} {was} always {a}, never {b}
    | {N} {was} so {a} that I wonder how {who} could call {them} {b} | we got {A} instead of {B}
    | I would call {N} {a}; I would not call {them} {b} | to me {N} {was} {a}, even if {who} found {them} {b}
    | {N} {was} {a}, and anyone who says {it} {was} {b} is mistaken
    | {N} {was} {a}, although I had read that {it} {was} {b}
    | {N} {was} in reality {a}, but on paper {it} sounded {b} | {N} {was} {a} and anything but {b}"""
WHOLE_LAST = """{N} {was} {a}, but all in all {G} was {b} | although {N} {was} {a}, {G} as a whole was {b}
    | {N} {was} {a}; even so, {G} was {b} overall"""
WHOLE_FIRST = """all in all {G} was {a}, even if {N} {was} {b} | {G} as a whole was {a}, although {N} {was} {b}
    | overall {G} was {a}, despite {D}"""
FEELING_LAST = """I expected to be {a}, but I was {b} | I thought I would be {a} and ended up {b}
    | far from being {a}, I was {b} | {who} said I would be {a}; I was {b} instead | I was not {a} but {b}"""
FEELING_FIRST = """I was {a}, not {b} | in the end I was {a}, although I had expected to be {b}
    | it left me {a} rather than {b} | I was more {a} than {b} | I was {a}, even though {who} said I would be {b}"""
ACTION_LAST = """I had planned to {a}, but decided to {b} instead | I was ready to {a} and ended up wanting to {b}
    | {who} told me to {a}; I would rather {b}"""
ACTION_FIRST = """I would sooner {a} than {b} | in the end I decided to {a}, though I had planned to {b}
    | I chose to {a} rather than {b}"""
VERB_LAST = """I wanted to {a} it, but I came to {b} it | I was sure that I would {a} {G}; instead I came to {b} it
    | {who} said I would {a} it, and I began to {b} it within minutes"""
VERB_FIRST = """I came to {a} it, though I was sure that I would {b} it
    | I had to {a} {G}, although {who} said I would {b} it | it was easier to {a} {G} than to {b} it"""
MERIT_LAST = """{G} has few {a} and many {b} | the {a} were outnumbered by the {b} | I found fewer {a} than {b}"""
MERIT_FIRST = """{G} has many {a} and few {b} | the {a} outnumbered the {b} | I found more {a} than {b}"""
# {a} is denied, so the reviewer means its opposite; {N2} {was2} {c} is a second aspect, denied in the same way.
NEGATED = """{N} {was} anything but {a} | {N} {was} far from {a} | there was nothing {a} about {N}
    | {N} {was} by no means {a} | nobody could call {N} {a} | I would never call {N} {a} | {N} {was} not {a} at all
    | {N} {was} never {a} | {N} {was} anything but {a}, and {N2} {was2} never {c}
    | {N} {was} not {a}, and {N2} {was2} not {c} either | I did not find {N} {a}, nor {was2} {N2} {c}"""
PLAIN = """{N} {was} {a} | {N} {was} {a} and {N2} {was2} {c} | I found {N} {a} and {N2} {c} | what {A}
    | {N} {was} really {a} | I keep telling {who} how {a} {N} {was} | both {who} and I found {N} {a}
    | {N} {was} {a}, and {N2} {was2} {c} too | I can only say that {N} {was} {a}"""
VERDICTS = """I would recommend it to anyone/I would not recommend it to anyone
    | I cannot wait to tell my friends about it/I cannot see why anyone would bother with it
    | it was worth every penny/it was not worth a penny | well worth the time/a waste of time"""

# Words that two opinions of one review may share.
SHAREABLE = """I the a an was were it they them to be but not at all is in and of we got had that would call called
    my even though although rather than expected who so with"""


def listed(text: str) -> list[str]:
    """Splits a "one | two | three" table, closing up line breaks."""
    return [" ".join(item.split()) for item in text.split("|")]


def pairs(text: str, separator: str | None = None) -> list[tuple[str, str]]:
    """Splits "praise/blame" entries into (blame, praise), so that NEGATIVE and POSITIVE index them."""
    entries = text.split() if separator is None else listed(text)
    return [tuple(reversed(entry.split("/"))) for entry in entries]


class Choices:
    """Random choices that depend on nothing but `random.Random.random`."""

    def __init__(self, seed: int):
        self.random = random.Random(seed).random

    def one(self, items):
        return items[int(self.random() * len(items))]

    def chance(self, probability: float) -> bool:
        return self.random() < probability

    def shuffled(self, items: list) -> list:
        return [item for _, item in sorted(((self.random(), item) for item in items), key=lambda entry: entry[0])]


def with_article(phrase: str) -> str:
    return ("an " if phrase[0] in "aeiou" and not phrase.startswith("use") else "a ") + phrase


def aspect_of(choices: Choices, domain: dict) -> dict:
    """Draws one aspect: its noun, kind and (blame, praise) adjectives."""
    head, adjectives = choices.one(listed(domain["aspects"])).split(": ")
    noun, kind = head.rsplit(" ", 1)
    return {"noun": noun, "kind": kind, "pair": choices.one(pairs(adjectives))}


def words_of(aspect: dict, first: str, last: str) -> dict[str, str]:
    """What a frame may say about one aspect, agreeing with its noun in number; {A}, {B}, {D} hold the article."""
    noun, plural = aspect["noun"], aspect["kind"] == "p"
    article = with_article if aspect["kind"] == "c" else str
    one = {"c": "one", "m": noun, "p": "ones"}[aspect["kind"]]
    return {
        "N": f"the {noun}", "was": "were" if plural else "was", "it": "they" if plural else "it",
        "them": "them" if plural else "it", "a": first, "b": last,
        "A": article(f"{first} {noun}"), "B": article(f"{last} {one}"), "D": article(f"{last} {noun}"),
    }  # fmt: skip


def contrast(choices: Choices, domain: dict, thing: str) -> tuple[str, str]:
    """An opinion whose two versions hold the same words in another order, as (negative, positive) sentences."""
    kind, aspect = choices.random(), aspect_of(choices, domain)
    thing_words = {"G": f"the {thing}", "who": choices.one(listed(WHO) + listed(CRITICS))}
    if kind < 0.70:
        if kind < 0.15:
            aspect = {"noun": thing, "kind": "c", "pair": choices.one(pairs(GENERAL))}
        frames, pair = (LAST_COUNTS, FIRST_COUNTS), aspect["pair"]
    elif kind < 0.78:
        frames, pair = (WHOLE_LAST, WHOLE_FIRST), choices.one(pairs(GENERAL))
    elif kind < 0.85:
        frames, pair = (FEELING_LAST, FEELING_FIRST), choices.one(pairs(FEELINGS))
    elif kind < 0.91:
        frames, pair = (ACTION_LAST, ACTION_FIRST), choices.one(pairs(domain["actions"], "|"))
    elif kind < 0.96:
        frames, pair = (VERB_LAST, VERB_FIRST), choices.one(pairs(VERBS))
    else:
        frames, pair = (MERIT_LAST, MERIT_FIRST), choices.one(pairs(MERITS, "|"))
    opinion_first = choices.chance(0.5)
    frame = choices.one(listed(frames[opinion_first]))
    sentences = []
    for label in (NEGATIVE, POSITIVE):
        meant, other = pair[label], pair[1 - label]
        first, last = (meant, other) if opinion_first else (other, meant)
        sentences.append(frame.format(**words_of(aspect, first, last), **thing_words))
    return tuple(sentences)


def direct(choices: Choices, domain: dict, thing: str, negated: bool) -> tuple[str, str]:
    """An opinion in words of one kind only, said or denied, as (negative, positive) sentences."""
    if not negated and choices.chance(0.06):
        return choices.one(pairs(VERDICTS, "|"))
    aspect, second = aspect_of(choices, domain), aspect_of(choices, domain)
    while second["noun"] == aspect["noun"] or set(second["pair"]) & set(aspect["pair"]):
        second = aspect_of(choices, domain)
    if not negated and choices.chance(0.2):
        aspect = {"noun": thing, "kind": "c", "pair": choices.one(pairs(GENERAL))}
    frame, who = choices.one(listed(NEGATED if negated else PLAIN)), choices.one(listed(WHO))
    sentences = []
    for label in (NEGATIVE, POSITIVE):
        side = 1 - label if negated else label
        words = words_of(aspect, aspect["pair"][side], aspect["pair"][side])
        more = words_of(second, second["pair"][side], "")
        sentences.append(frame.format(**words, N2=more["N"], was2=more["was"], c=more["a"], who=who))
    return tuple(sentences)


def opinions(choices: Choices, domain: dict, thing: str) -> list[tuple[str, str]]:
    """One or two opinion sentences of a review, each as (negative, positive) versions."""
    drawn, kind = choices.random(), "contrast"
    for name, share in SHARES.items():
        if drawn < share:
            kind = name
            break
        drawn -= share

    def sentence():
        if kind == "contrast":
            return contrast(choices, domain, thing)
        return direct(choices, domain, thing, negated=kind == "negated")

    found = [sentence()]
    if choices.chance(0.3):
        another = sentence()
        # The same subject twice would be a repetition or a contradiction.
        if not set(another[0].split()) & set(found[0][0].split()) - set(SHAREABLE.split()):
            found.append(another)
    return found


def remark(choices: Choices, domain: dict, thing: str) -> str:
    """A clause that says nothing about the quality of the thing."""
    table = ASIDES if choices.chance(0.12) else domain["remarks"]
    return choices.one(listed(table)).format(g=thing, when=choices.one(listed(WHEN)), who=choices.one(listed(WHO)))


def finished(clause: str) -> str:
    return clause[0].upper() + clause[1:] + ("!" if clause.startswith("what ") else ".")


def review(choices: Choices, domain: dict, thing: str, sentences: tuple[str, ...]) -> str:
    """Surrounds the opinions with remarks: before, after or joined to the first one."""
    sentences, place = list(sentences), choices.random()
    first = remark(choices, domain, thing)
    joins = ", and" not in sentences[0] and not sentences[0].startswith(("do not", "what ", "well worth", "a waste"))
    if place < 0.15 and joins:
        sentences[0] = f"{first}, and {sentences[0]}"
    elif place < 0.5:
        sentences.insert(0, first)
    elif place < 0.75:
        sentences.append(first)
    return " ".join(finished(clause) for clause in sentences)


def make_reviews() -> dict[str, list[tuple[str, str]]]:
    """Builds all splits.

    Returns:
        Split name -> shuffled rows (text, label), half of them positive.
    """
    choices, seen, splits = Choices(SEED), set(), {}
    for split, count in SPLITS.items():
        rows = []
        while len(rows) < count:
            domain = DOMAINS[choices.one(list(DOMAINS))]
            thing = choices.one(domain["things"].split())
            said = opinions(choices, domain, thing)
            versions = zip(*said)  # all negative sentences, then all positive ones
            texts = [review(choices, domain, thing, sentences) for sentences in versions]
            key = tuple(positive for _, positive in said)
            if key in seen or not all(8 <= len(text.split()) <= 40 for text in texts):
                continue
            seen.add(key)
            rows += zip(texts, LABELS)
        splits[split] = choices.shuffled(rows)
    return splits


def write(folder: Path) -> None:
    """Writes `train.csv`, `validation.csv` and `test.csv` (columns `text,label`, UTF-8, `\\n` line ends)."""
    for split, rows in make_reviews().items():
        with open(folder / f"{split}.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("text", "label"))
            writer.writerows(rows)


if __name__ == "__main__":
    write(Path(__file__).parent.parent)
