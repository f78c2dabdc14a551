"""Writes the translation sample: German and English sentence pairs from one small grammar of both languages.

A clause is built once, without a language, and then written in each: German puts the finite verb second ("Gestern hat
der kleine Hund zwei rote Vögel gesehen") or last ("..., weil er müde war") and makes articles, adjectives and pronouns
agree with a noun's gender, case and number; English keeps subject and verb together and asks and denies with "do".
Tenses go over one to one (perfect to simple past, present with "gerade" to "is reading"), so that every sentence has
one translation in each direction.

Run ``python data/samples/make_translation.py``: it rewrites ``data/samples/translation/*.tsv`` byte for byte. Only the
standard library is needed. The randomness is ``random.Random(SEED)``'s `random()` alone, which is the same in every
Python version.
"""

import random
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

SEED = 20140901
SPLITS = {"train": 5000, "validation": 400, "test": 400}
KNOWN = 5  # every word of a validation or test pair occurs at least so often in the training split
NEGATED, WITH_TIME, FRONTED = 0.14, 0.7, 0.45  # shares of the clauses that allow it

# singular gender plural | English singular [irregular plural] | kinds, the first one decides the adjectives.
# Gender mw: masculine and weak (den Jungen). "-" has no plural. "_" stands for a space.
NOUNS = """
Mann m Männer | man men | adult; Frau f Frauen | woman women | adult; Lehrer m Lehrer | teacher | adult
Ärztin f Ärztinnen | doctor | adult; Nachbar mw Nachbarn | neighbour | adult; Bäcker m Bäcker | baker | adult
Junge mw Jungen | boy | child; Mädchen n Mädchen | girl | child; Kind n Kinder | child children | child
Vater m - | father | kin; Mutter f - | mother | kin; Bruder m Brüder | brother | kin
Schwester f Schwestern | sister | kin
Onkel m Onkel | uncle | kin; Tante f Tanten | aunt | kin; Großmutter f - | grandmother | kin
Anna f - | Anna | name; Lena f - | Lena | name; Käthe f - | Käthe | name; Peter m - | Peter | name
Jürgen m - | Jürgen | name; Paul m - | Paul | name
Hund m Hunde | dog | animal pet hunter; Katze f Katzen | cat | animal pet hunter; Fuchs m Füchse | fox | animal hunter
Pferd n Pferde | horse | animal pet; Kuh f Kühe | cow | animal pet; Bär mw Bären | bear | animal hunter
Vogel m Vögel | bird | animal prey; Ente f Enten | duck | animal pet prey; Maus f Mäuse | mouse mice | animal prey
Apfel m Äpfel | apple | food; Birne f Birnen | pear | food; Ei n Eier | egg | food cooked
Apfelkuchen m Apfelkuchen | apple_cake | food baked; Brötchen n Brötchen | roll | food baked
Kartoffel f Kartoffeln | potato | food cooked; Suppe f Suppen | soup | food cooked; Wurst f Würste | sausage | food
Tasse_Tee f Tassen_Tee | cup_of_tea cups_of_tea | drink
Glas_Milch n Gläser_Milch | glass_of_milk glasses_of_milk | drink
Glas_Wasser n Gläser_Wasser | glass_of_water glasses_of_water | drink
Buch n Bücher | book | readable; Zeitung f Zeitungen | newspaper | readable; Brief m Briefe | letter | readable written
Gedicht n Gedichte | poem | readable written; Postkarte f Postkarten | postcard | readable written
Mantel m Mäntel | coat | clothing; Hut m Hüte | hat | clothing; Kleid n Kleider | dress | clothing
Hemd n Hemden | shirt | clothing; Jacke f Jacken | jacket | clothing; Handschuh m Handschuhe | glove | clothing
Ball m Bälle | ball | thing; Regenschirm m Regenschirme | umbrella | thing tool; Schlüssel m Schlüssel | key | thing
Uhr f Uhren | clock | thing tool; Tasche f Taschen | bag | thing; Bild n Bilder | picture | thing painted
Geschenk n Geschenke | present | thing; Koffer m Koffer | suitcase | thing openable
Auto n Autos | car | vehicle private; Fahrrad n Fahrräder | bicycle | vehicle private tool
Boot n Boote | boat | vehicle private built; Zug m Züge | train | vehicle public; Bus m Busse | bus | vehicle public
Straßenbahn f Straßenbahnen | tram | vehicle public
Tisch m Tische | table | furniture built tool; Stuhl m Stühle | chair | furniture built tool
Schrank m Schränke | cupboard | furniture built openable
Fenster n Fenster | window | opening openable; Haustür f Haustüren | front_door | opening openable door
Blume f Blumen | flower | plant painted; Baum m Bäume | tree | plant painted
Zimmer n Zimmer | room | place room; Küche f Küchen | kitchen | place room; Garten m Gärten | garden | place sight
Haus n Häuser | house | place built sight; Park m Parks | park | place sight; Wald m Wälder | forest | place
Schule f Schulen | school | place; Museum n Museen | museum | place sight; Stadt f Städte | city | place sight
Dorf n Dörfer | village | place sight; Bahnhof m Bahnhöfe | station | place
Krankenhaus n Krankenhäuser | hospital | place; Spielplatz m Spielplätze | playground | place
Bushaltestelle f Bushaltestellen | bus_stop | place
Straßenbahnhaltestelle f Straßenbahnhaltestellen | tram_stop | place; Dach n Dächer | roof | place
"""
GROUPS = {"person": "adult child kin name".split()}

# infinitive (prefix-stem) third person participle (ist-: perfect with sein) | English base, past, participle, -ing form
# [particle, which a pronoun precedes] | subjects > case objects | h habit, g "gerade", m modals, p place, c company,
# o o'clock, d direction
VERBS = """
sehen sieht gesehen | see saw seen seeing | person animal > acc animal vehicle person | hmp
suchen sucht gesucht | look_for looked_for looked_for looking_for | person > acc thing clothing pet | gmp
finden findet gefunden | find found found finding | person > acc thing clothing pet | p
verlieren verliert verloren | lose lost lost losing | person > acc thing clothing | p
vergessen vergisst vergessen | forget forgot forgotten forgetting | person > acc thing clothing |
kaufen kauft gekauft | buy bought bought buying | person > acc food readable clothing thing private | hgm
verkaufen verkauft verkauft | sell sold sold selling | person > acc food readable clothing thing private | hgm
lesen liest gelesen | read read read reading | person > acc readable | hgmp
schreiben schreibt geschrieben | write wrote written writing | person > acc written | hgmp
essen isst gegessen | eat ate eaten eating | person > acc food | hgmp
fressen frisst gefressen | eat ate eaten eating | animal > acc food | gp
trinken trinkt getrunken | drink drank drunk drinking | person > acc drink | hgmp
backen backt gebacken | bake baked baked baking | person > acc baked | hgm
kochen kocht gekocht | cook cooked cooked cooking | person > acc cooked | hgm
malen malt gemalt | paint painted painted painting | person > acc animal painted sight | hgm
fotografieren fotografiert fotografiert | photograph photographed photographed photographing
    | person > acc animal plant sight vehicle | hgm
waschen wäscht gewaschen | wash washed washed washing | person > acc clothing private | hgm
reparieren repariert repariert | repair repaired repaired repairing | person > acc private tool | hgm
bauen baut gebaut | build built built building | person > acc built | gm
tragen trägt getragen | wear wore worn wearing | person > acc clothing | hgm
tragen trägt getragen | carry carried carried carrying | person > acc thing furniture | gm
füttern füttert gefüttert | feed fed fed feeding | person > acc pet | hgmp
jagen jagt gejagt | chase chased chased chasing | hunter > acc prey | hgp
besuchen besucht besucht | visit visited visited visiting | person > acc person sight | hm
treffen trifft getroffen | meet met met meeting | person > acc person | hmp
ein-laden lädt eingeladen | invite invited invited inviting | person > acc person | hm
an-rufen ruft angerufen | call called called calling | person > acc person | hgmo
ab-holen holt abgeholt | pick picked picked picking up | person > acc person | hmo
auf-machen macht aufgemacht | open opened opened opening | person > acc openable | hgm
zu-machen macht zugemacht | close closed closed closing | person > acc openable | hgm
ab-schließen schließt abgeschlossen | lock locked locked locking | person > acc door private | hgm
auf-räumen räumt aufgeräumt | tidy tidied tidied tidying | person > acc room | hgm
weg-werfen wirft weggeworfen | throw threw thrown throwing away | person > acc thing clothing readable | m
an-probieren probiert anprobiert | try tried tried trying on | person > acc clothing | gm
ein-packen packt eingepackt | pack packed packed packing | person > acc clothing readable thing | gm
aus-leihen leiht ausgeliehen | borrow borrowed borrowed borrowing | person > acc readable private | hm
geben gibt gegeben | give gave given giving | person > dat acc food thing readable clothing | m
zeigen zeigt gezeigt | show showed shown showing | person > dat acc thing readable clothing sight private | gm
schicken schickt geschickt | send sent sent sending | person > dat acc readable thing | hm
helfen hilft geholfen | help helped helped helping | person > dat | hgmp
danken dankt gedankt | thank thanked thanked thanking | person > dat | m
schlafen schläft geschlafen | sleep slept slept sleeping | person animal | hgmp
spielen spielt gespielt | play played played playing | person pet | hgmpc
arbeiten arbeitet gearbeitet | work worked worked working | adult kin name | hgmpc
weinen weint geweint | cry cried cried crying | person | gp
lachen lacht gelacht | laugh laughed laughed laughing | person | gp
singen singt gesungen | sing sang sung singing | person | hgmpc
tanzen tanzt getanzt | dance danced danced dancing | person | hgmpc
warten wartet gewartet | wait waited waited waiting | person pet | hgmpc
auf-stehen steht ist-aufgestanden | get_up got_up got_up getting_up | person | hmo
auf-wachen wacht ist-aufgewacht | wake_up woke_up woken_up waking_up | person animal | ho
ein-schlafen schläft ist-eingeschlafen | fall_asleep fell_asleep fallen_asleep falling_asleep | person animal | p
an-kommen kommt ist-angekommen | arrive arrived arrived arriving | public person | hop
ab-fahren fährt ist-abgefahren | depart departed departed departing | public | ho
zurück-kommen kommt ist-zurückgekommen | come_back came_back come_back coming_back | person | hmo
gehen geht ist-gegangen | go went gone going | person | hgmd
laufen läuft ist-gelaufen | run ran run running | person animal | gmd
fahren fährt ist-gefahren | travel travelled travelled travelling | person | hgmd
klettern klettert ist-geklettert | climb climbed climbed climbing | person | gmd
springen springt ist-gesprungen | jump jumped jumped jumping | animal | d
"""

# noun | where: German preposition with dative, English | where to: German (zu with dative, others with accusative),
# English, "-": none | outdoors, indoors, far, or town, top
PLACES = """
Garten | in in | in into | out; Park | in in | in into | out; Wald | in in | in into | out; Haus | in in | in into | in
Zimmer | in in | in into | in; Küche | in in | in into | in; Schule | in at | zu to | far; Museum | in in | in to | far
Stadt | in in | in to | town; Dorf | in in | in to | town; Bahnhof | an at | zu to | town
Dach | auf on | auf onto | top
Krankenhaus | in in | in to | far; Spielplatz | auf at | auf to | out; Tisch | auf on | auf onto | top
Bushaltestelle | an at | zu to | out; Straßenbahnhaltestelle | an at | zu to | out
"""
CITIES = "Berlin Berlin; Wien Vienna; Köln Cologne; München Munich; Zürich Zurich; Prag Prague"
CONTRACTED = {"in dem": "im", "in das": "ins", "an dem": "am", "zu dem": "zum", "zu der": "zur"}
DIRECTIONS = {
    "gehen": "far town out home",
    "laufen": "out in",
    "fahren": "far town city",
    "klettern": "top",
    "springen": "top",
}

NUMERALS = """zwei two; drei three; vier four; fünf five; sechs six; sieben seven; acht eight; neun nine; zehn ten
    ; elf eleven; zwölf twelve"""
DAYS = """Montag Monday; Dienstag Tuesday; Mittwoch Wednesday; Donnerstag Thursday; Freitag Friday; Samstag Saturday
    ; Sonntag Sunday"""
PAST_TIMES = """gestern = yesterday; vorgestern = the day before yesterday; letzte Woche = last week
    ; letzten Sommer = last summer; gestern Abend = yesterday evening; vor {n} Tagen = {n} days ago
    ; vor {n} Wochen = {n} weeks ago; am {day} = on {day}; am {day} = on {day}"""
FUTURE_TIMES = """morgen = tomorrow; übermorgen = the day after tomorrow; nächste Woche = next week
    ; nächsten Sommer = next summer; morgen Abend = tomorrow evening; in {n} Tagen = in {n} days; am {day} = on {day}"""
HABITS = """jeden Morgen = every morning; jeden Abend = every evening; jede Woche = every week
    ; jeden {day} = every {day}; oft = often; immer = always; manchmal = sometimes; nie = never"""
FREQUENCIES = {"often", "always", "sometimes", "never"}  # English puts them before the verb

# tense: German finite forms (ich, er, plural), English finite forms (I, he, plural), English link, times
AUXILIARIES = {
    "future": ("werde wird werden", "will will will", "", "future"),
    "can": ("kann kann können", "can can can", "", "future"),
    "must": ("muss muss müssen", "have has have", "to", "future"),
    "want": ("will will wollen", "want wants want", "to", "future"),
    "should": ("soll soll sollen", "should should should", "", "future"),
    "may": ("darf darf dürfen", "am is are", "allowed to", "future"),
    "could": ("konnte konnte konnten", "could could could", "", "past"),
    "had to": ("musste musste mussten", "had had had", "to", "past"),
    "wanted": ("wollte wollte wollten", "wanted wanted wanted", "to", "past"),
}
FULL = {"must": "have", "want": "want", "had to": "have", "wanted": "want"}  # these ask and deny with "do"
MODALS = [tense for tense in AUXILIARIES if tense != "future"]
TO_HAVE, TO_BE = "habe hat haben".split(), "bin ist sind".split()
HAD, WAS = "hatte hatte hatten".split(), "war war waren".split()

# base comparative | English base [comparative]
ADJECTIVES = """
klein kleiner | small smaller; groß größer | big bigger; alt älter | old older; jung jünger | young younger
neu neuer | new newer; schön schöner | beautiful more_beautiful; schnell schneller | fast faster
schwer schwerer | heavy heavier; teuer teurer | expensive more_expensive; klug klüger | clever cleverer
freundlich freundlicher | friendly friendlier; müde - | tired; hungrig - | hungry; durstig - | thirsty; krank - | ill
traurig - | sad; glücklich - | happy; stolz - | proud; wütend - | angry; frisch - | fresh
billig billiger | cheap cheaper
kaputt - | broken; schmutzig - | dirty; lang länger | long longer; rot - | red; blau - | blue; grün - | green
weiß - | white; schwarz - | black; braun - | brown
"""
ATTRIBUTES = {
    "adult": "alt jung freundlich klug müde",
    "child": "klein klug freundlich müde",
    "kin": "freundlich klug",
    "animal": "klein groß alt jung schwarz weiß braun hungrig müde schnell",
    "food": "frisch klein groß billig",
    "readable": "neu alt lang schön",
    "clothing": "rot blau grün weiß schwarz neu alt schön teuer schmutzig",
    "thing": "rot blau grün klein groß neu alt schwer teuer schön",
    "vehicle": "rot blau grün neu alt schnell klein",
    "furniture": "klein groß alt neu schwer weiß braun",
    "opening": "klein groß alt weiß",
    "plant": "klein groß rot alt schön",
    "place": "klein groß alt neu schön",
}
OWNABLE = set("pet food drink readable clothing thing private furniture room".split())
SCALES = ("alt jung neu", "klein groß", "billig teuer")  # of one scale a sentence says one thing only
TOO_MUCH = "klein groß alt schwer teuer lang müde schmutzig schnell".split()
COLOURS, SIZES = "rot blau grün weiß schwarz braun".split(), "klein groß alt neu".split()
STATES = {
    "adult": "müde hungrig durstig krank traurig glücklich wütend",
    "animal": "müde hungrig durstig krank",
    "food": "frisch teuer billig",
    "readable": "neu alt teuer billig lang schön",
    "clothing": "neu alt teuer billig schmutzig schön",
    "thing": "neu alt teuer billig kaputt schwer",
    "vehicle": "neu alt teuer billig kaputt schnell",
    "furniture": "alt neu teuer billig kaputt schwer",
    "opening": "alt neu kaputt schmutzig",
    "plant": "schön groß klein",
    "place": "schön groß klein alt neu",
} | {kind: "müde hungrig durstig krank traurig glücklich wütend" for kind in ("child", "kin", "name")}
# Verbs that a state of the subject (S) or the object (O) explains, or makes a surprise.
CAUSES = """
S weil because | essen fressen | hungrig; S weil because | trinken | durstig
S weil because | schlafen ein-schlafen | müde krank
S weil because | weinen | traurig müde; S weil because | lachen singen tanzen | glücklich
S weil because | ein-laden | glücklich
S obwohl although | arbeiten spielen tanzen auf-stehen lesen | müde krank
S obwohl although | lachen singen | traurig wütend
S obwohl although | kochen backen warten | hungrig müde; S weil because | kochen | hungrig
O weil because | kaufen | billig schön neu; O weil because | verkaufen | alt teuer
O weil because | weg-werfen | alt kaputt
O weil because | waschen auf-räumen | schmutzig; O weil because | reparieren | kaputt
O obwohl although | tragen | schwer alt
O obwohl although | kaufen | teuer alt; O obwohl although | lesen | lang alt
O weil because | fotografieren malen | schön
"""
EMOTIONS = """glücklich | finden kaufen treffen ab-holen besuchen
stolz | bauen malen backen reparieren schreiben kochen
    ; traurig | verlieren verkaufen vergessen; wütend | verlieren vergessen weg-werfen"""
SPEAKING = """sagen sagt | say says | dass that; glauben glaubt | believe believes | dass that
    ; wissen weiß | know knows | dass that; hoffen hofft | hope hopes | dass that
fragen fragt | ask asks | ob whether"""
WEATHER = """es regnet | it rains; es schneit | it snows; die Sonne scheint | the sun shines
    ; das Wetter schön ist | the weather is beautiful; es kalt ist | it is cold"""
PAIRS = """kaufen | essen ein-packen an-probieren; finden | verkaufen ein-packen weg-werfen; backen | essen
kochen | essen
    ; waschen | ein-packen verkaufen; treffen | ein-laden; ab-holen | reparieren; schreiben | lesen; suchen | finden"""
FRAMES = {
    "simple": 0.25, "asked": 0.06, "asked for": 0.08, "state": 0.04, "comparison": 0.05, "there is": 0.04,
    "liking": 0.04, "reported": 0.09, "caused": 0.11, "emotion": 0.04, "sequence": 0.05, "purpose": 0.03,
    "relative": 0.06, "two": 0.03, "pronoun": 0.02, "weather": 0.01,
}  # fmt: skip


class Choices:
    """Random choices that depend on nothing but `random.Random.random`."""

    def __init__(self, seed: int):
        self.random, self.piles = random.Random(seed).random, {}

    def one(self, items):
        return items[int(self.random() * len(items))]

    def chance(self, probability: float) -> bool:
        return self.random() < probability

    def shuffled(self, items) -> list:
        return [item for _, item in sorted(((self.random(), item) for item in items), key=lambda entry: entry[0])]

    def dealt(self, items: list):
        """One of the items, each as often as the others over many calls with the same items."""
        key = tuple(items)
        if not self.piles.get(key):
            self.piles[key] = self.shuffled(items)
        return self.piles[key].pop()

    def weighted(self, shares: dict[str, float]) -> str:
        drawn = self.random() * sum(shares.values())
        for name, share in shares.items():
            if drawn < share:
                break
            drawn -= share
        return name


def entries(text: str) -> list[list[list[str]]]:
    """The entries of a word list (separated by ";" or lines), each the words of its parts (separated by "|")."""
    joined = re.sub(r"\n\s+\|", " |", text)
    return [[part.split() for part in entry.split("|")] for entry in re.split("[;\n]", joined) if entry.strip()]


def pairs(text: str) -> list[tuple[str, str]]:
    """The (German, English) entries of a list."""
    split = [
        (entry.split("=") if "=" in entry else entry.split()) for entry in re.split("[;\n]", text) if entry.strip()
    ]
    return [(german.strip(), english.strip()) for german, english in split]


def spaced(text: str) -> str:
    return text.replace("_", " ")


@dataclass(frozen=True)
class Noun:
    german: str
    gender: str  # m, f or n
    weak: bool
    german_plural: str
    english: str
    english_plural: str
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Verb:
    name: str  # "auf-machen"
    third: str
    participle: str
    english: tuple[str, ...]  # base, past, participle, -ing form
    particle: str
    subjects: tuple[str, ...]
    case: str  # "", "acc", "dat" or "dat acc"
    objects: tuple[str, ...]
    flags: str

    @property
    def prefix(self) -> str:
        return self.name.partition("-")[0] if "-" in self.name else ""

    @property
    def stem(self) -> str:
        return self.name.split("-")[-1]


def with_s(word: str) -> str:
    """The plural of an English noun, the third person of a verb; of several words the first or last one changes."""
    first, _, rest = word.partition("_")
    if re.search("(s|sh|ch|x|o)$", first):
        first += "es"
    elif re.search("[^aeiou]y$", first):
        first = first[:-1] + "ies"
    else:
        first += "s"
    return first + ("_" + rest if rest else "")


def read_nouns() -> dict[str, Noun]:
    nouns = {}
    for (german, gender, plural), (english, *irregular), kinds in entries(NOUNS):
        words = english.split("_")
        plurals = irregular[0] if irregular else "_".join([*words[:-1], with_s(words[-1])])
        nouns[german] = Noun(german, gender[0], gender == "mw", plural, english, plurals, tuple(kinds))
    return nouns


def all_kinds(kinds) -> tuple[str, ...]:
    return tuple(kind for group in kinds for kind in GROUPS.get(group, [group]))


def read_verbs() -> list[Verb]:
    verbs = []
    for (name, third, participle), (base, *forms), valency, flags in entries(VERBS):
        subjects, _, objects = " ".join(valency).partition(" > ")
        case = " ".join(word for word in objects.split() if word in ("acc", "dat"))
        kinds = [word for word in objects.split() if word not in ("acc", "dat")]
        particle = forms[3] if len(forms) > 3 else ""
        english = (base, *forms[:3])
        kinds = all_kinds(kinds or ["person"] * (case == "dat"))
        flags = "".join(flags)
        verbs.append(Verb(name, third, participle, english, particle, all_kinds(subjects.split()), case, kinds, flags))
    return verbs


NOUN, VERB_LIST = read_nouns(), read_verbs()
ADJECTIVE = {german[0]: (*german, *english) for german, english in entries(ADJECTIVES)}
PLACE = {noun: (NOUN[noun], *here, *there, group) for (noun,), here, there, (group,) in entries(PLACES)}
NUMBERS = pairs(NUMERALS)

# Endings of "dieser", "welcher" and of adjectives without an article; of "ein" and "kein"; of adjectives after them.
CASES = {"nom": 0, "acc": 1, "dat": 2}
STRONG = {"m": "er en em", "f": "e e er", "n": "es es em", "p": "e e en"}
MIXED_ARTICLE = {"m": "- en em", "f": "e e er", "n": "- - em", "p": "e e en"}
AFTER_DEFINITE = {"m": "e en en", "f": "e e en", "n": "e e en", "p": "en en en"}
AFTER_MIXED = {"m": "er en en", "f": "e e en", "n": "es es en", "p": "en en en"}
DEFINITE = {"m": "der den dem", "f": "die die der", "n": "das das dem", "p": "die die den"}
PRONOUNS = {"m": "er ihn ihm", "f": "sie sie ihr", "n": "es es ihm", "p": "sie sie ihnen", "I": "ich mich mir",
            "we": "wir uns uns"}  # fmt: skip
POSSESSIVES = {"m": "sein", "n": "sein", "f": "ihr", "p": "ihr", "I": "mein", "we": "unser"}
ENGLISH_PRONOUNS = {"he": "he him his", "she": "she her her", "it": "it it its", "they": "they them their",
                    "I": "I me my", "we": "we us our"}  # fmt: skip


def form(table: dict[str, str], key: str, case: str) -> str:
    return table[key].split()[CASES[case]].strip("-")


@dataclass
class Phrase:
    """A noun with its article and adjectives, or the speakers ("I", "we")."""

    noun: Noun | None
    plural: bool = False
    article: str = "def"  # def, indef, this, which, name, owned, counted; indef in the plural is no article
    adjectives: tuple[str, ...] = ()
    owner: "Phrase | None" = None
    count: tuple[str, str] = ("", "")
    pronoun: bool = False
    relative: tuple[str, str] = ("", "")

    @property
    def kinds(self) -> tuple[str, ...]:
        return self.noun.kinds if self.noun else ("adult",)

    @property
    def gender(self) -> str:
        """Which German endings and pronouns agree: m, f, n, p, I or we."""
        return ("we" if self.plural else "I") if self.noun is None else "p" if self.plural else self.noun.gender

    @property
    def sex(self) -> str:
        """Which English pronouns agree."""
        if self.noun is None or self.plural:
            return {"I": "I", "we": "we", "p": "they"}[self.gender]
        if self.noun.german == "Kind" or self.kinds[0] not in GROUPS["person"]:
            return "it"
        return "he" if self.noun.gender == "m" else "she"

    @property
    def person(self) -> int:
        return 2 if self.plural else 0 if self.noun is None else 1

    @property
    def definite(self) -> bool:
        return self.noun is None or self.pronoun or self.article in ("def", "this", "name", "owned")

    def as_pronoun(self) -> "Phrase":
        return self if self.noun is None else Phrase(self.noun, self.plural, pronoun=True)

    def german(self, case: str, denied: bool = False) -> str:
        if self.noun is None or self.pronoun:
            return form(PRONOUNS, self.gender, case)
        key, article, endings = self.gender, "", AFTER_MIXED
        if self.article == "def":
            article, endings = form(DEFINITE, key, case), AFTER_DEFINITE
        elif self.article in ("this", "which"):
            stem = "dies" if self.article == "this" else "welch"
            article, endings = stem + form(STRONG, key, case), AFTER_DEFINITE
        elif self.article == "owned":
            article = POSSESSIVES[self.owner.gender] + form(MIXED_ARTICLE, key, case)
        elif self.article == "indef" and denied:
            article = "kein" + form(MIXED_ARTICLE, key, case)
        elif self.article == "indef" and not self.plural:
            article = "ein" + form(MIXED_ARTICLE, key, case)
        else:
            article, endings = self.count[0], STRONG
        adjectives = [stem_of(adjective) + form(endings, key, case) for adjective in self.adjectives]
        noun = self.noun.german_plural if self.plural else self.noun.german
        if self.plural and case == "dat" and noun[-1] not in "ns":
            noun += "n"
        if self.noun.weak and not self.plural and case != "nom":
            noun = self.noun.german_plural
        return joined(article, *adjectives, spaced(noun)) + self.relative[0]

    def english(self, case: str, denied: bool = False) -> str:
        if self.noun is None or self.pronoun:
            return form(ENGLISH_PRONOUNS, self.sex, case)
        adjectives = [spaced(ADJECTIVE[adjective][2]) for adjective in self.adjectives]
        words = joined(*adjectives, spaced(self.noun.english_plural if self.plural else self.noun.english))
        if self.article == "indef" and not self.plural:
            article = "an" if words[0] in "aeiou" else "a"
        elif self.article == "owned":
            article = form(ENGLISH_PRONOUNS, self.owner.sex, "dat")
        elif self.article == "indef":
            article = "any" if denied else ""
        else:
            article = {"def": "the", "this": "these" if self.plural else "this", "which": "which"}.get(
                self.article, self.count[1]
            )
        return joined(article, words) + self.relative[1]


def stem_of(adjective: str) -> str:
    return {"teuer": "teur", "müde": "müd"}.get(adjective, adjective)


def on_one_scale(adjective: str) -> list[str]:
    """The adjective and those that contradict it."""
    return next((scale.split() for scale in SCALES if adjective in scale.split()), [adjective])


def joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


Text = tuple[str, str]  # German, English
NOTHING = ("", "")


@dataclass
class Clause:
    """What happens, in neither language."""

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
    denied: bool = False
    fronted: str = ""  # "time" or "place"
    subject_text: Text | None = None  # instead of the subject: "wer", a relative pronoun

    def german_middle(self, without: str = "") -> str:
        """What stands between the finite verb and the words that close the clause, after the subject."""
        before, after, no = [], [self.place[0] if without != "place" else ""], "nicht" if self.denied else ""
        if self.dative:
            before.append(self.dative.german("dat"))
        if self.accusative:
            text = self.accusative.german("acc", self.denied)
            if self.accusative.noun is None or self.accusative.pronoun or (self.denied and self.accusative.definite):
                before.append(text)
            elif self.accusative.definite:
                after.insert(0, text)
            else:
                after.append(text)
            if self.accusative.article == "indef" and not self.accusative.pronoun and self.accusative.noun:
                no = ""
        time = self.time[0] if without != "time" else ""
        return joined(*before, time, self.clock[0], self.company[0], *after, no, self.direction[0])

    def german_verb(self) -> tuple[str, str]:
        """The finite verb, and what closes the clause."""
        verb, person = self.verb, self.subject.person
        participle = verb.participle.removeprefix("ist-")
        if self.tense in ("past", "pluperfect"):
            to_be = participle != verb.participle
            forms = (TO_BE if to_be else TO_HAVE) if self.tense == "past" else (WAS if to_be else HAD)
            return forms[person], participle
        if self.tense in AUXILIARIES:
            return AUXILIARIES[self.tense][0].split()[person], verb.prefix + verb.stem
        first = verb.stem[:-1] if verb.stem.endswith("en") else verb.stem[:-1] + "e"
        return (first, verb.third, verb.stem)[person], verb.prefix

    def german(self, order: str = "second") -> str:
        """The clause with the finite verb "first", "second" or "last", or as "um ... zu" ("infinitive")."""
        subject = self.subject_text[0] if self.subject_text else self.subject.german("nom")
        finite, closing = self.german_verb()
        if order == "infinitive":
            prefix, stem = self.verb.prefix, self.verb.stem
            return joined(self.german_middle(), f"{prefix}zu{stem}" if prefix else f"zu {stem}")
        if order == "last":
            final = closing + finite if closing and closing == self.verb.prefix else joined(closing, finite)
            return joined(subject, self.german_middle(), final)
        if order == "first":
            return joined(finite, subject, self.german_middle(), closing)
        if self.fronted:
            front = getattr(self, self.fronted)[0]
            return joined(front, finite, subject, self.german_middle(self.fronted), closing)
        return joined(subject, finite, self.german_middle(), closing)

    def english_verb(self) -> tuple[str, str, str]:
        """The auxiliary of questions and denials, what follows it then, and the plain form ("": always with it)."""
        base, past, participle, ing = self.verb.english
        person, tense = self.subject.person, self.tense
        if tense == "past":
            return "did", base, past
        if tense == "pluperfect":
            return "had", participle, ""
        if tense == "present":
            return ("do", "does", "do")[person], base, with_s(base) if person == 1 else base
        if tense == "progressive":
            return ("am", "is", "are")[person], ing, ""
        _, forms, link, _ = AUXILIARIES[tense]
        finite = forms.split()[person]
        if tense in FULL:
            do = "did" if tense in ("had to", "wanted") else ("do", "does", "do")[person]
            return do, f"{FULL[tense]} to {base}", f"{finite} to {base}"
        return finite, joined(link, base), ""

    def english(self, order: str = "plain") -> str:
        """The clause as a statement ("plain"), a "question" or an "infinitive"."""
        subject = self.subject_text[1] if self.subject_text else self.subject.english("nom")
        auxiliary, tail, plain = self.english_verb()
        often = self.time[1] if self.time[1] in FREQUENCIES and self.fronted != "time" else ""
        time = self.time[1] if not often and self.fronted != "time" else ""
        if order == "infinitive":
            start = ["to", self.verb.english[0]]
        elif order == "question":
            start = [auxiliary, subject, often, tail]
        elif self.denied:
            start = [subject, "cannot" if auxiliary == "can" else f"{auxiliary} not", tail]
        else:
            start = [subject, often, plain] if plain else [subject, auxiliary, tail]
        accusative = self.accusative.english("acc", self.denied) if self.accusative else ""
        short = self.accusative is not None and (self.accusative.pronoun or self.accusative.noun is None)
        objects = [accusative, self.verb.particle] if short else [self.verb.particle, accusative]
        place = self.place[1] if self.fronted != "place" else ""
        dative = self.dative.english("acc") if self.dative else ""
        rest = [dative, *objects, self.direction[1], self.company[1], place, self.clock[1], time]
        front = getattr(self, self.fronted)[1] if self.fronted and order == "plain" else ""
        return spaced(joined(front, *start, *rest))


def prepositional(german: str, english: str, phrase: Phrase, case: str) -> Text:
    """The two phrases with "im" for "in dem" and the like."""
    text = f"{german} {phrase.german(case)}"
    for long, short in CONTRACTED.items():
        text = re.sub(rf"^{long}\b", short, text)
    return text, f"{english} {phrase.english('acc')}"


class Grammar:
    """Draws clauses and sentences."""

    def __init__(self, choices: Choices):
        self.choices, self.used = choices, set()

    def phrase(self, kinds, role: str, owner: Phrase | None = None, plain: bool = False) -> Phrase:
        """A noun of one of the kinds, not used in this sentence yet; plain: a definite article or a name."""
        choices = self.choices
        nouns = [noun for noun in NOUN.values() if set(noun.kinds) & set(kinds)]
        noun = choices.dealt(nouns)
        while noun in self.used:
            noun = choices.one(nouns)
        self.used.add(noun)
        if noun.kinds[0] == "name":
            return Phrase(noun, article="name")
        plural = noun.german_plural != "-" and choices.chance(0.3)
        owned = noun.kinds[0] == "kin"
        articles = {"def": 0.5, "this": 0.08}
        if not plain:
            indefinite = {"subject": 0.08, "object": 0.25}[role]
            articles |= {"indef": indefinite, "counted": 0.15 if plural else 0}
            owned = owned or (bool(OWNABLE & set(noun.kinds)) and choices.chance(0.15))
        article = "owned" if owned else choices.weighted(articles)
        if (
            owner is None
            or (noun.kinds[0] == "kin" and "animal" in owner.kinds)
            or (owner.noun and choices.chance(0.15))
        ):
            owner = Phrase(None, choices.chance(0.4))
        count = NOTHING
        if article == "counted":
            plural = noun.german_plural != "-"
            count = choices.one((choices.dealt(NUMBERS), choices.dealt(NUMBERS), ("viele", "many"), ("einige", "some")))
        return Phrase(noun, plural, article, self.adjectives(noun), owner if owned else None, count)

    def adjectives(self, noun: Noun) -> tuple[str, ...]:
        words = ATTRIBUTES.get(noun.kinds[0], "").split()
        if not words or not self.choices.chance(0.34):
            return ()
        first = self.choices.one(words)
        colours = [word for word in words if word in COLOURS]
        two = first in SIZES and colours and self.choices.chance(0.25)
        return (first, self.choices.one(colours)) if two else (first,)

    def subject(self, kinds, plain: bool = False) -> Phrase:
        if "adult" in kinds and not plain and self.choices.chance(0.13):
            return Phrase(None, self.choices.chance(0.4))
        return self.phrase(kinds, "subject", plain=plain)

    def time(self, tense: str) -> Text:
        if tense == "progressive":
            return "gerade", "right now"
        if tense == "pluperfect":
            return NOTHING
        period = AUXILIARIES[tense][3] if tense in AUXILIARIES else tense
        text = {"past": PAST_TIMES, "future": FUTURE_TIMES, "present": HABITS}[period]
        german, english = self.choices.one(pairs(text))
        number, day = self.choices.one(NUMBERS[:5]), self.choices.one(pairs(DAYS))
        return tuple(
            one.replace("{n}", number[at]).replace("{day}", day[at]) for at, one in enumerate((german, english))
        )

    def where(self, groups, at: int) -> Text:
        """A place: at=1 where something is, at=3 where it goes."""
        places = [place for place in PLACE.values() if place[-1] in groups and place[0] not in self.used]
        place = self.choices.one(places)
        self.used.add(place[0])
        phrase = Phrase(place[0], adjectives=self.adjectives(place[0]) if self.choices.chance(0.5) else ())
        return prepositional(place[at], place[at + 1], phrase, "dat" if at == 1 or place[at] == "zu" else "acc")

    def direction(self, verb: Verb) -> Text:
        groups = DIRECTIONS[verb.name].split()
        if "city" in groups and self.choices.chance(0.5):
            german, english = self.choices.one(pairs(CITIES))
            return f"nach {german}", f"to {english}"
        if "home" in groups and self.choices.chance(0.25):
            return "nach Hause", "home"
        return self.where(groups, 3)

    def tense(self) -> str:
        tense = self.choices.weighted({"past": 0.36, "present": 0.2, "progressive": 0.13, "future": 0.13, "m": 0.18})
        return self.choices.one(MODALS) if tense == "m" else tense

    def clause(self, subject=None, tense="", verbs=None, bare=False, plain=False, **fixed) -> Clause:
        """A clause.

        Args:
            subject: its subject, else one is drawn.
            tense: its tense, else one is drawn.
            verbs: the verbs to choose from, else all.
            bare: no time, place or denial beyond what the tense needs.
            plain: the subject is definite, not a speaker.
            fixed: further attributes of the clause.
        """
        choices = self.choices
        tense = tense or self.tense()
        flag = {"present": "h", "progressive": "g"}.get(tense, "m" if tense in MODALS else "")
        verbs = [verb for verb in verbs or VERB_LIST if flag in verb.flags]
        if subject:
            verbs = [verb for verb in verbs if set(subject.kinds) & set(verb.subjects)]
        if not verbs:
            raise Unusable
        verb = choices.dealt(verbs)
        subject = subject or self.subject(verb.subjects, plain)
        clause = Clause(subject, verb, tense, **fixed)
        denial = subject.definite and tense != "present" and not bare and not plain
        clause.denied = denial and choices.chance(NEGATED)
        if "dat" in verb.case:
            clause.dative = self.phrase(GROUPS["person"], "object", subject, plain=True)
            if clause.dative.article == "owned":
                clause.dative.owner = subject
        if "acc" in verb.case:
            owner = subject if not clause.dative else None
            clause.accusative = clause.accusative or self.phrase(verb.objects, "object", owner)
            if clause.denied and clause.accusative.article == "counted":
                clause.denied = False
        if not bare or tense in ("present", "progressive"):
            if tense in ("present", "progressive") or choices.chance(WITH_TIME):
                clause.time = clause.time if clause.time != NOTHING else self.time(tense)
        if "d" in verb.flags:
            clause.direction = self.direction(verb)
            if verb.name == "fahren" and not clause.denied and choices.chance(0.4):
                clause.company = choices.one((("mit dem Zug", "by train"), ("mit dem Bus", "by bus")))
        if not bare and not clause.denied:
            outdoors = {"animal", "vehicle"} & {*subject.kinds, *(clause.accusative.kinds if clause.accusative else ())}
            if "c" in verb.flags and "pet" not in subject.kinds and choices.chance(0.3):
                other = self.phrase(("child", "kin", "name"), "object", subject, plain=True)
                if other.article == "owned":
                    other.owner = subject
                clause.company = prepositional("mit", "with", other, "dat")
            if "p" in verb.flags and choices.chance(0.4):
                clause.place = self.where(["out"] if outdoors else ["out", "in", "far", "town"], 1)
            if "o" in verb.flags and choices.chance(0.5):
                german, english = choices.one(NUMBERS)
                clause.clock = (f"um {german} Uhr", f"at {english} o'clock")
        return clause

    def front(self, clause: Clause) -> Clause:
        """The clause, perhaps with its time or place in front."""
        if clause.tense == "progressive":
            return clause
        if clause.time != NOTHING and clause.time[1] not in FREQUENCIES - {"sometimes"}:
            clause.fronted = "time" if self.choices.chance(FRONTED) else ""
        elif clause.place != NOTHING and clause.time == NOTHING:
            clause.fronted = "place" if self.choices.chance(FRONTED) else ""
        return clause

    def be(self, subject: Phrase, complement: Text, tense: str, denied: bool = False) -> dict[str, str]:
        """A clause with "to be", as German second and last, and English."""
        german = (TO_BE if tense == "present" else WAS)[subject.person]
        english = ("am is are" if tense == "present" else "was was were").split()[subject.person]
        who, no = subject.german("nom"), "nicht" if denied else ""
        rest = joined(no, complement[0])
        return {
            "second": joined(who, german, rest),
            "last": joined(who, rest, german),
            "english": joined(subject.english("nom"), english, "not" if denied else "", complement[1]),
        }

    def state(self, subject: Phrase) -> dict[str, str]:
        """The clause that a subject is in some state."""
        said = {word for one in subject.adjectives for word in on_one_scale(one)}
        choices = self.choices
        adjective = choices.one([word for word in STATES[subject.kinds[0]].split() if word not in said])
        degree = choices.one((NOTHING, NOTHING, ("sehr", "very"), ("zu", "too")))
        if adjective == "kaputt" or (degree == ("zu", "too") and adjective not in TOO_MUCH):
            degree = NOTHING
        text = joined(degree[0], adjective), joined(degree[1], spaced(ADJECTIVE[adjective][2]))
        denied = degree != ("zu", "too") and subject.definite and choices.chance(0.2)
        return self.be(subject, text, choices.one(("present", "past")), denied)

    # The frames: each gives a German and an English sentence without capital; most end them with a full stop.

    def simple(self) -> Text:
        clause = self.front(self.clause())
        if (
            clause.subject.noun
            and clause.accusative
            and "adult" in clause.accusative.kinds
            and self.choices.chance(0.5)
        ):
            clause.accusative = Phrase(None, self.choices.chance(0.4))
        return clause.german(), clause.english()

    def asked(self) -> Text:
        clause = self.clause(plain=True)
        return clause.german("first") + "?", clause.english("question") + "?"

    def asked_for(self) -> Text:
        choices = self.choices
        word = choices.one(("wann when", "warum why", "wo where", "wer who", "what", "what", "which", "how many"))
        tense = choices.one(("past", "past", "past", "future", *MODALS))
        if word in ("wann when", "warum why", "wo where"):
            verbs = [verb for verb in VERB_LIST if "p" in verb.flags] if word == "wo where" else None
            clause = self.clause(tense=tense, verbs=verbs, plain=True)
            clause.place, german, english = NOTHING, *word.split()
            if word == "wann when":
                clause.time = clause.clock = NOTHING
            return f"{german} {clause.german('first')}?", f"{english} {clause.english('question')}?"
        if word == "wer who":
            verbs = [verb for verb in VERB_LIST if "adult" in verb.subjects]
            subject = Phrase(NOUN["Mann"], article="indef")
            clause = self.clause(subject=subject, tense=tense, verbs=verbs, bare=True, subject_text=tuple(word.split()))
            if choices.chance(0.5):
                clause.time = self.time(tense)
            for one in (clause.accusative, clause.dative):
                if one and one.article == "owned":
                    one.owner = Phrase(None, one.owner.plural)
            return clause.german() + "?", clause.english() + "?"
        verbs = [verb for verb in VERB_LIST if verb.case == "acc"]
        clause = self.clause(tense=tense, verbs=verbs, plain=True)
        head, clause.accusative, clause.place = clause.accusative, None, NOTHING
        if head.kinds[0] == "name" or head.article == "owned":
            raise Unusable
        if word == "what":
            person = head.kinds[0] in GROUPS["person"]
            if (
                not person
                and set(GROUPS["person"]) & set(clause.verb.objects)
                or clause.verb.name in ("jagen", "tragen")
            ):
                raise Unusable
            german, english = ("wen", "whom") if person else ("was", "what")
        else:
            if word == "how many":
                head.article, head.count, head.plural = "counted", ("wie viele", "how many"), True
            else:
                head.article, head.count = "which", NOTHING
            if unclear(head, clause.subject, clause.verb):
                raise Unusable
            german, english = head.german("acc"), head.english("acc")
        return f"{german} {clause.german('first')}?", f"{english} {clause.english('question')}?"

    def stated(self) -> Text:
        subject = self.subject(self.choices.one((GROUPS["person"], ["animal"], list(ATTRIBUTES)[4:])))
        if subject.kinds[0] == "drink":
            raise Unusable
        clause = self.state(subject)
        return clause["second"], clause["english"]

    def comparison(self) -> Text:
        choices = self.choices
        kinds = choices.one(
            (GROUPS["person"], ["animal"], ["vehicle"], ["clothing"], ["readable"], ["thing"], ["place"])
        )
        first, second = self.subject(kinds, plain=True), self.subject(kinds, plain=True)
        for one in (first, second):
            one.adjectives = tuple(word for word in one.adjectives if word in COLOURS)
        states = "alt jung freundlich klug" if kinds == GROUPS["person"] else ATTRIBUTES[kinds[0]]
        words = [word for word in states.split() if ADJECTIVE[word][1] != "-"]
        base, more, english, *english_more = ADJECTIVE[choices.one(words)]
        if choices.chance(0.65):
            text = f"{more} als {second.german('nom')}", f"{spaced(english_more[0])} than {second.english('nom')}"
            clause = self.be(first, text, choices.one(("present", "past")))
        else:
            text = f"so {base} wie {second.german('nom')}", f"as {spaced(english)} as {second.english('nom')}"
            clause = self.be(first, text, choices.one(("present", "past")), choices.chance(0.5))
        return clause["second"], clause["english"]

    def there_is(self) -> Text:
        choices = self.choices
        place = self.where(["out", "town"], 1)
        what = self.phrase(choices.one((["animal"], ["plant"], ["vehicle"], ["child"])), "object")
        if what.article != "counted":
            what.article, what.owner = "indef", None
        past, denied = choices.chance(0.4), what.article == "indef" and choices.chance(0.2)
        be = ("were" if what.plural else "was") if past else ("are" if what.plural else "is")
        gives = "gab" if past else "gibt"
        noun, english = what.german("acc", denied), what.english("nom")
        if not denied and choices.chance(0.3):
            return f"{gives} es {place[0]} {noun}?", f"{be} there {english} {place[1]}?"
        english = "no " + re.sub("^an? ", "", english) if denied else english
        return f"{place[0]} {gives} es {noun}", f"there {be} {english} {place[1]}"

    def liking(self) -> Text:
        choices = self.choices
        person = self.subject(GROUPS["person"])
        thing = self.phrase(["readable", "clothing", "place", "thing", "private"], "subject", plain=True)
        whom, he, denied = person.german("dat"), person.english("nom"), person.definite and choices.chance(0.25)
        no = "nicht" if denied else ""
        if person.article == "counted":
            raise Unusable
        if choices.chance(0.4) and thing.kinds[0] != "place":
            german = joined(thing.german("nom"), "gehören" if thing.plural else "gehört", whom, no)
            verb = (
                ("do not belong" if thing.plural else "does not belong")
                if denied
                else "belong" + "s" * (not thing.plural)
            )
            return german, f"{thing.english('nom')} {verb} to {person.english('acc')}"
        if choices.chance(0.5):
            german = joined(thing.german("nom"), "gefallen" if thing.plural else "gefällt", whom, no)
            verb = (
                ("does not like" if person.person == 1 else "do not like")
                if denied
                else "like" + "s" * (person.person == 1)
            )
        else:
            german = joined(thing.german("nom"), TO_HAVE[thing.person], whom, no, "gefallen")
            verb = "did not like" if denied else "liked"
        return german, f"{he} {verb} {thing.english('acc')}"

    def reported(self) -> Text:
        choices, who = self.choices, self.subject(GROUPS["person"])
        forms, english, (conjunction, that) = choices.one(entries(SPEAKING))
        denied = forms[0] == "wissen" and choices.chance(0.4)
        if denied:
            conjunction, that = "ob", "whether"
        infinitive, third = forms
        first = "weiß" if infinitive == "wissen" else infinitive[:-1]
        says = (first, third, infinitive)[who.person]
        english_says = english[1] if who.person == 1 else english[0]
        if denied:
            english_says = ("does" if who.person == 1 else "do") + f" not {english[0]}"
        about = who.as_pronoun() if who.definite and that == "that" and choices.chance(0.4) else None
        if infinitive != "hoffen" and choices.chance(0.2):
            about = about or self.subject(("adult", "kin", "name", "animal", "vehicle"), plain=True)
            clause = self.state(about)
            inner, inner_english = clause["last"], clause["english"]
        else:
            tense = choices.one(("future", "can")) if infinitive == "hoffen" else self.tense()
            clause = self.clause(subject=about, tense=tense, plain=True)
            inner, inner_english = clause.german("last"), clause.english()
        german = joined(who.german("nom"), says, "nicht" if denied else "") + f", {conjunction} {inner}"
        return german, f"{who.english('nom')} {english_says} {that} {inner_english}"

    def caused(self) -> Text:
        choices = self.choices
        (which, conjunction, because), names, adjectives = choices.one(entries(CAUSES))
        verbs = [verb for verb in VERB_LIST if verb.name in names]
        clause = self.clause(tense="past", verbs=verbs, plain=True)
        adjective = choices.one(adjectives)
        reason = clause.subject if which == "S" else clause.accusative
        if any(adjective in on_one_scale(word) for word in reason.adjectives):
            raise Unusable
        other = clause.accusative if which == "S" else None
        if other and other.kinds[0] in GROUPS["person"] and (other.gender == reason.gender or other.sex == reason.sex):
            raise Unusable  # the pronoun could mean either
        if which == "O":
            telling = adjective in ("billig", "teuer", "kaputt", "lang")
            alike = reason.gender == clause.subject.gender or reason.sex == clause.subject.sex
            wrong = adjective not in " ".join(STATES.get(kind, "") for kind in reason.kinds[:1])
            if wrong or (alike and not telling):
                raise Unusable
        complement = adjective, spaced(ADJECTIVE[adjective][2])
        if which == "S" and choices.chance(0.3):
            state = self.be(reason, complement, "past")
            clause.subject = reason.as_pronoun()
            german = f"{conjunction} {state['last']}, {clause.german('first')}"
            return german, f"{because} {state['english']}, {clause.english()}"
        state = self.be(reason.as_pronoun(), complement, "past")
        self.front(clause)
        comma = ", " if because == "although" else " "
        return (
            f"{clause.german()}, {conjunction} {state['last']}",
            f"{clause.english()}{comma}{because} {state['english']}",
        )

    def emotion(self) -> Text:
        choices = self.choices
        (adjective,), names = choices.one(entries(EMOTIONS))
        who = self.subject(GROUPS["person"])
        if not who.definite or adjective in who.adjectives:
            raise Unusable
        verbs = [verb for verb in VERB_LIST if verb.name in names]
        actor = who.as_pronoun()
        if choices.chance(0.35):
            actor = self.phrase(["kin"], "subject", who)
            actor.owner = who
        clause = self.clause(subject=actor, tense="past", verbs=verbs, plain=True)
        state = self.be(who, (adjective, ADJECTIVE[adjective][2]), "past")
        return f"{state['second']}, weil {clause.german('last')}", f"{state['english']} because {clause.english()}"

    def sequence(self) -> Text:
        choices = self.choices
        who = self.subject(GROUPS["person"])
        if not who.definite:
            raise Unusable
        after = choices.chance(0.5)
        first = self.clause(subject=who, tense="pluperfect" if after else "past", bare=True)
        second = self.clause(subject=who, tense="past", bare=True)
        objects = [one for clause in (first, second) for one in (clause.accusative, clause.dative) if one]
        alive = [one for one in objects if one.kinds[0] in (*GROUPS["person"], "animal")]
        # The pronoun must be able to mean nobody else.
        if first.verb.name == second.verb.name or any(one.gender == who.gender or one.sex == who.sex for one in alive):
            raise Unusable
        word, english = ("nachdem", "after") if after else ("bevor", "before")
        if choices.chance(0.5):
            second.subject = who.as_pronoun()
            return (
                f"{word} {first.german('last')}, {second.german('first')}",
                f"{english} {first.english()}, {second.english()}",
            )
        first.subject = who.as_pronoun()
        return f"{second.german()}, {word} {first.german('last')}", f"{second.english()} {english} {first.english()}"

    def purpose(self) -> Text:
        verbs = [verb for verb in VERB_LIST if verb.name in ("gehen", "fahren")]
        clause = self.clause(
            tense=self.choices.one(("past", "past", "future", "want", "must")), verbs=verbs, plain=False
        )
        actions = [verb for verb in VERB_LIST if "m" in verb.flags and "acc" in verb.case]
        aim = self.clause(subject=clause.subject, tense="future", verbs=actions, bare=True)
        self.front(clause)
        clause.denied = False
        return f"{clause.german()}, um {aim.german('infinitive')}", f"{clause.english()} {aim.english('infinitive')}"

    def relative(self) -> Text:
        choices = self.choices
        if choices.chance(0.5):
            kinds = choices.one((("adult", "child"), ("adult", "child"), ("animal",)))
            head = self.phrase(kinds, "subject", plain=True)
            clause = self.clause(subject=head, tense="past", plain=True)
            end = clause.accusative
            if end and unclear(end, head, clause.verb):
                raise Unusable
            who = "who" if head.kinds[0] in ("adult", "child") else "that"
            clause.subject_text = form(DEFINITE, head.gender, "nom"), who
        else:
            verbs = [verb for verb in VERB_LIST if verb.case == "acc"]
            clause = self.clause(tense="past", verbs=verbs)
            head, clause.accusative, clause.denied = clause.accusative, None, False
            head.article, head.count, head.owner = choices.one(("def", "this")), NOTHING, None
            if head.kinds[0] in ("name", "kin", "drink") or unclear(head, clause.subject, clause.verb):
                raise Unusable
            if clause.subject.article in ("indef", "counted"):
                raise Unusable
            who = "whom" if head.kinds[0] in ("adult", "child") else "that"
        german, english = clause.german("last"), clause.english()
        if clause.subject_text:
            relative = f", {german},", f" {english}"
        else:
            relative = f", {form(DEFINITE, head.gender, 'acc')} {german},", f" {who} {english}"
        head.relative = relative
        if head.kinds[0] in STATES and (head.kinds[0] not in ("adult", "child", "animal") or choices.chance(0.4)):
            state = self.state(head)
            return state["second"], state["english"]
        main = self.clause(subject=head, tense=choices.one(("past", "future", "progressive")), bare=True)
        return main.german(), main.english()

    def two(self) -> Text:
        tense = self.choices.one(("past", "future"))
        first, second = self.front(self.clause(tense=tense)), self.clause(tense=tense, bare=True)
        word = self.choices.one((("und", "and"), ("aber", "but")))
        return f"{first.german()}, {word[0]} {second.german()}", f"{first.english()}, {word[1]} {second.english()}"

    def pronoun(self) -> Text:
        (name,), names = self.choices.one(entries(PAIRS))
        later = self.choices.one([verb for verb in VERB_LIST if verb.name in names])
        clause = self.clause(tense="past", verbs=[verb for verb in VERB_LIST if verb.name == name], plain=True)
        thing = clause.accusative
        if not set(thing.kinds) & set(later.objects) or thing.kinds[0] == "name":
            raise Unusable
        second = Clause(clause.subject, later, "past", accusative=thing.as_pronoun(), subject_text=NOTHING)
        german = joined(second.german_middle(), second.german_verb()[1])
        return f"{clause.german()} und {german}", f"{clause.english()} and {second.english()}"

    def weather(self) -> Text:
        german, english = self.choices.one(entries(WEATHER))
        clause = self.clause(tense="present")
        clause.time = NOTHING
        return f"wenn {' '.join(german)}, {clause.german('first')}", f"when {' '.join(english)}, {clause.english()}"

    def sentence(self) -> Text:
        """One pair of sentences."""
        frames = {"asked for": self.asked_for, "state": self.stated, "there is": self.there_is}
        while True:
            name, self.used = self.choices.weighted(FRAMES), set()
            try:
                german, english = frames.get(name, getattr(self, name, None))()
            except Unusable:
                continue
            return tuple(text[0].upper() + text[1:] + "." * (text[-1] != "?") for text in (german, english))


class Unusable(Exception):
    """What was drawn has no clear translation."""


def unclear(head: Phrase, subject: Phrase, verb: Verb) -> bool:
    """Whether a German reader could take the head, in front of the clause, for its subject."""
    shown = any(one.gender in ("m", "I", "we") and one.article != "name" for one in (head, subject))
    return not shown and head.plural == subject.plural and bool(set(head.kinds) & set(verb.subjects))


def make_pairs() -> dict[str, list[Text]]:
    """Builds all splits.

    Returns:
        Split name -> (German, English) pairs.
    """
    grammar, taken, splits, times = Grammar(Choices(SEED)), [{}, {}], {}, Counter()
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
                taken[side][pair[side]] = pair[1 - side]
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
    write(Path(__file__).parent / "translation")
