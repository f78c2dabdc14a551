"""Writes the ner sample: invented newswire sentences in which the words on both sides of a name decide its tag.

Most names are people, places and organisations equally often, so the name itself says little: "Marlow beat Hartfield
2-1" is known by the words to its right, "the mayor of Marlow" by those to its left, and in "Founded in 1902 , Marlow
lost in the final" a place or an organisation meets a person or an organisation: only both sides together decide.

Run `python data/samples/ner/make/write_sentences.py`: it rewrites `data/samples/ner/*.conll` byte for byte. Only the
standard library is needed. The randomness is `random.Random(SEED)`'s `random()` alone, which is the same in every
Python version.
"""

import random
import re
from pathlib import Path

SEED = 20030531
SPLITS = {"train": 3000, "validation": 400, "test": 400}
# The share of sentences by what decides the type of their first name.
SHARES = {"right": 0.42, "both": 0.21, "left": 0.15, "inside": 0.07, "known": 0.03, "common word": 0.03, "none": 0.09}
PER, LOC, ORG, MISC = TYPES = ("PER", "LOC", "ORG", "MISC")
JOINED, ASIDES = 0.45, 0.16  # the shares of sentences that hold two clauses, of past verbs that follow an aside
# Of the ambiguous names in the training split, how many occur there once and nowhere else; of those in the other
# splits, how many do not occur in training.
RARE, UNSEEN, UNSEEN_NAMES = 0.25, 0.35, 40

# A frame is tokens separated by spaces. {slot} is filled from SLOTS; <LOC> is an ambiguous name that is a place here,
# <ORG:Bank of *> an entity of several tokens around such a name, <MISC:Danish> one that needs no context.
NAMES = """Marlow Hartfield Lindqvist Ashcombe Thornbury Wexley Calder Radford Halden Morven Stroud Kelmore Penrose
    Langley Winslow Aldane Barlow Carrick Dunmore Elsworth Farrow Garrick Holm Irvine Jarrow Kendrick Lorne Merrick
    Norling Orwell Prestwick Quarles Rosmer Selby Tilden Ulverton Varley Whitlock Yardley Zeller Bergholt Sandvik
    Lundgren Østby Fjelde Almberg Strandvold Rautas Keller Steinach Hollenberg Rosenau Brandt Weiler Montclair Delorme
    Valmont Corbin Aubrac Beaumarch Castella Monteverro Salvada Ferrand Navarro Tolmes Frost Wells Banks Rivers"""
FIRST_PARTS = """Ald Ash Bel Birk Bran Bux Cal Chad Clay Cran Dal Den Drax Ebber Ed Elm Fal Fen Gar Gains Had Hal Hern
    Hex Ing Ken Kings Lam Led Lin Mal Mel Mid Nant Ner Old Pem Pil Rav Red Ros Rud Sal Sax Sed Shel Sten Swan Tam Thax
    Til Tren Ul Wake Wal War Wen Whit Wing Wol Wyn Yax"""
LAST_PARTS = "bourne bridge burn bury by combe croft dale den field ford ham holt hurst ley low mere more stead wick"

RANGES = {
    "n": (3, 60),
    "digit": (1, 9),
    "low": (0, 4),
    "date": (1, 28),
    "warmth": (2, 38),
    "age": (19, 93),
    "year": (1890, 2019),
}
SLOTS = {
    "percent": "{digit}.{digit} percent | 1{digit}.{digit} percent",
    "money": "{n}.{digit} million {currency}",
    "currency": "dollars | euros | pounds | crowns",
    "count": "{n},{digit}00",
    "win": "1-0 | 2-0 | 2-1 | 3-0 | 3-1 | 3-2 | 4-1 | 5-2",
    "draw": "0-0 | 1-1 | 2-2 | 3-3",
    "loss": "0-1 | 0-2 | 1-2 | 0-3 | 1-3 | 2-4",
    "sets": "6-{low} 6-{low} | 6-{low} 7-6 6-{low} | 6-{low} 3-6 6-{low} | 7-6 6-{low}",
    "initial": "A. | B. | C. | D. | E. | F. | G. | H. | J. | K. | L. | M. | N. | P. | R. | S. | T. | W.",
    "day": "Monday | Tuesday | Wednesday | Thursday | Friday | Saturday | Sunday",
    "month": "January | February | March | April | May | June | July | August | September | October | November",
    "season": "spring | summer | autumn | winter",
    "when": """on {day} | on {day} | on {day} morning | in {month} | last {season} | this week | two days later
        | on {month} {date} | a year ago | over the weekend""",
    "soon": "on {day} | on {day} morning | next week | in {month} | on {month} {date} | next {season} | tomorrow",
    "country": """<LOC:{land}>""",
    "land": """Norway | Portugal | Kenya | Peru | Japan | Canada | Iceland | Estonia | Chile | Ghana | Vietnam | Poland
        | Austria | Morocco | Finland | Ireland | Brazil | Greece | India | Hungary""",
    "city": """<LOC:{town}>""",
    "town": "Lisbon | Oslo | Nairobi | Lima | Osaka | Toronto | Tallinn | Vienna | Krakow | Dublin | Athens | Bergen",
    "nation": "<MISC:{people}>",
    "people": """Norwegian | Portuguese | Kenyan | Peruvian | Japanese | Canadian | Icelandic | Estonian | Chilean
        | Polish | Austrian | Moroccan | Finnish | Irish | Brazilian | Greek | Indian | Hungarian | Danish | Dutch""",
    "language": "<MISC:{tongue}>",
    "tongue": "Norwegian | Portuguese | Japanese | Icelandic | Estonian | Polish | Finnish | Greek | Hungarian | Dutch",
    "firm": "<ORG:Veritex> | <ORG:Omnibank> | <ORG:Solarex> | <ORG:Telenova> | <ORG:Aquaterm> | <ORG:Unitrans>",
    "agency": "<ORG:Nordinfo> | <ORG:Telepress> | <ORG:NRA> | <ORG:Interpress>",
    "first": "",  # agrees with {he}, {his} and {him}: see GENDERS
    "job": """teacher | nurse | dentist | carpenter | baker | lawyer | farmer | plumber | violinist | chemist | judge
        | gardener | pilot | journalist | bus driver | surgeon | librarian | tailor""",
    "kin": "brother | sister | father | mother | cousin | daughter | son | uncle | niece | grandmother",
    "instrument": "piano | trumpet | guitar | double bass | clarinet",
    "limb": "left arm | wrist | right leg | ankle | collarbone",
    "crime": "theft | perjury | arson | speeding | tax fraud | forgery",
    "race": "100 metres | 400 metres | 1,500 metres | marathon | high jump | javelin",
    "product": """tyres | washing machines | bicycles | contact lenses | tractors | sewing machines | lawn mowers
        | umbrellas | office chairs | batteries | ball bearings | printing ink""",
    "sights": "old harbour | market square | cathedral | fish market | botanical garden | narrow streets | city wall",
    "sky": "rain | sunny | fog | light snow | strong wind | cloudy",
    "source": """police | officials | witnesses | a lawyer | the newspaper | the ministry | a spokesman | two experts
        | local radio | the report""",
    "said": "{source} said | {source} said {when} | {agency} reported | {agency} said | {source} confirmed {when}",
    "that": """the talks would go on | nobody was to blame | {n} people had been hurt | the plan was too expensive
        | the figures were wrong | the worst was over | there was no hurry | the letter had been a joke
        | the {nation} proposal was fair | help was on its way | the vote had been fair | everything had gone well""",
    # What may stand between a name and its verb and fits every type.
    "aside": """it turned out | according to a report | as {source} confirmed | to the surprise of many | once again
        | so the story goes | as so often before | if the reports are right | in the words of a {nation} writer
        | without much noise | for the first time in {n} years | as was feared""",
}
GENDERS = (
    {"he": "she", "his": "her", "him": "her",
     "first": "Anna | Clara | Edith | Helen | Irene | Julia | Karin | Laura | Maria | Nora | Ruth | Sofia"},
    {"he": "he", "his": "his", "him": "him",
     "first": "Adam | Bruno | Carl | David | Erik | Frank | Hugo | Ivan | Martin | Oscar | Peter | Simon"},
)  # fmt: skip

# RIGHT: nothing to the left of the name helps. What follows it is past tense (any opener, an aside in between, a tail)
# or holds in general (no opener that gives a time).
TIME_OPENERS = """on {day} | on {day} , | last {season} , | in {month} | yesterday | yesterday , | a week later ,
    | two days later | late on {day} | shortly before noon | in the end | for the second time this year ,
    | surprisingly , | once again | to the relief of many , | on {month} {date} | after a long wait ,"""
OPENERS = """the agency reported that | it is no secret that | few people know that | everybody here knows that
    | newspapers said {when} that | it turned out that | still , | of course | in fact , | the report says that
    | according to {source} , | readers may remember that | there is no doubt that | we were told that"""
RIGHT_PAST = {
    PER: """told reporters {when} that {that} | told a {nation} newspaper that {that} | wept as the verdict was read
        | broke {his} {limb} in a fall | pleaded guilty to {crime} | was arrested at {his} home | had tea with the {job}
        | celebrated {his} birthday with {n} guests | retired after {n} years as a {job} | hugged {his} {kin}
        | scored twice in the second half | finished third in the {race} | resigned for family reasons
        | wrote {his} first novel at the age of {age} | lent {his} car to a {job} | blamed {his} {kin} for the loss
        | admitted that {he} had lied to the court | thanked {his} family and {his} doctors | drove home alone
        | missed a penalty in the last minute | beat <PER> {sets} | lost {sets} to <PER> | was treated for a cold
        | married a {nation} {job} | bought {his} {kin} a bicycle | found {his} passport in a drawer
        | fell asleep during the debate | forgot {his} own birthday | spoke {language} with the guests
        | was sworn in as a judge | learned to swim at the age of {age} | declined to comment on the report
        | welcomed the decision | was taken to hospital with a broken {limb} | shaved off {his} beard""",
    LOC: """woke to heavy snow | was flooded after three days of rain | was without electricity for {n} hours
        | elected a new mayor | banned cars from its {sights} | suffered its worst storm in {n} years
        | recorded {warmth} degrees at noon | was shaken by a small earthquake | lost its railway station in {year}
        | was cut off by a landslide | had no drinking water for {n} days | was covered in thick fog
        | voted against a new motorway | was crowded with tourists | was liberated by {nation} troops
        | was evacuated because of a forest fire | saw its first snow since {year} | became a part of {country}
        | was renamed after the war | lowered its flags to half mast | lit up its {sights} with torches
        | buried its last fisherman | lost its only bakery | was hit by hail as big as eggs | hosted the summit
        | had more sunshine than <LOC> | was shelled by {nation} gunboats | closed its beaches because of jellyfish""",
    ORG: """beat <ORG> {win} | beat <ORG> {win} | drew {draw} with <ORG> | lost {loss} to <ORG>
        | reported a net profit of {money} | shares fell {percent} | issued {count} new shares | hired {n} engineers
        | closed two of its factories | signed a {nation} goalkeeper | was bought by a {nation} rival
        | filed for bankruptcy | recalled {count} {product} | launched a bid for <ORG> | merged with a {nation} bank
        | stock rose {percent} | raised its dividend by {percent} | sacked its trainer after {n} games
        | cut {count} jobs | sold its {nation} subsidiary | was relegated to the second division
        | opened {n} new branches | delivered the first {count} {product} | paid its directors {money}
        | won the league for the first time since {year} | moved its head office to {city} | took over <ORG>
        | stopped making {product} | was fined {money} for price fixing | borrowed {money} from <ORG>
        | patented a new kind of battery | equalised in the last minute""",
}  # fmt: skip
RIGHT_ANY = {
    PER: """, {age} , a {job} from {place} , {did} | , a {job} from {place} , {did} | , whose {kin} is a {job} , {did}
        | , who studied law in {city} , {did} | is a {job} by trade | was born in {city} in {year}
        | has two sisters and a {kin} | plays the {instrument} in a jazz band | speaks fluent {language}
        | lives with {his} {kin} in {city} | 's {kin} is a {job} in {place} | 's {kin} {did} | is afraid of spiders
        | died at the age of {age} after a long illness
        | hopes to become a {job} | has never learned to drive | , {age} , {did} | wears {his} {kin} 's old coat
        | wants to marry a {nation} {job} | is allergic to nuts""",
    LOC: """lies on the coast | lies in a narrow valley | lies {n} km south of {city} | has {count} inhabitants
        | , a town of {count} people , {suffered} | , {n} km north of {city} , {suffered} | is a village in {country}
        | , where it had rained for days , {suffered} | 's {sights} {suffered} | 's mayor {did} | 's beaches {suffered}
        | stands on a hill above the river | is surrounded by vineyards | can be reached only by boat
        | has no airport | , where {source} {did} , {suffered} | has the oldest lighthouse in {country}
        | , the capital of a {nation} province , {suffered} | is {n} minutes from <LOC> by train
        | is hotter than <LOC> in {month} | {warmth} degrees , {sky} ; <LOC> {warmth} degrees , {sky}""",
    ORG: """, the maker of {product} , {traded} | , which makes {product} , {traded} | employs {count} people
        | , a {nation} insurer , {traded} | is a bank with {n} branches | makes {product} for {firm} | 's shares {fell}
        | 's shareholders {did} | 's board {did} | 's goalkeeper {did} | 's chief executive {did} | makes {product}
        | sells {product} in {n} countries | is top of the league with {n} points | has {count} employees
        | , whose shares {fell} , {traded} | is a subsidiary of {firm} | {low} , <ORG> {low}
        | has not won a match since {month} | wants to buy {n} per cent of <ORG>""",
}  # fmt: skip
SLOTS |= {
    "place": "{city} | {country} | <LOC>",
    "did": """refused to comment | called the decision a mistake | arrived an hour late | asked the court for patience
        | promised to publish the letters | spoke for {n} minutes | warned of further delays | left the meeting early
        | said that {that} | said {when} that {that} | was unavailable for comment {when}
        | praised the {nation} team""",
    "suffered": """suffered badly in the storm | will get a tram line | looked deserted {when}
        | will be closed to traffic | drew more tourists than ever | will be rebuilt
        | disappeared under the snow {when}""",
    "traded": """reported a loss of {money} | will cut {count} jobs | raised its profit forecast
        | said sales had fallen {percent} | lost a large order from {country} | will move to {city}""",
    "fell": "fell {percent} | rose {percent} | lost {percent} {when} | closed {percent} lower",
}
TAILS = """{when} | {when} | , {said} | , {said} | , {said} | a week after the elections
    | at the end of a difficult year | as snow fell on {city} | two days before the holidays
    | while {country} was celebrating | during the {nation} visit | , for reasons that {source} could not explain"""

# LEFT: what follows fits every type. People first, then things.
LEFT_PEOPLE = {
    PER: """Mr <PER> | Mrs <PER> | Dr <PER> | Professor <PER> | Judge <PER> | Senator <PER> | Captain <PER>
        | the actress <PER> | the novelist <PER> | the widow of <PER> | a {job} named <PER> | the {job} <PER:{first} *>
        | <PER:{first} *> | <PER:{initial} *> | the {nation} singer <PER> | {his} boss , Mr <PER> | the son of <PER>""",
    LOC: """the mayor of <LOC> | the bishop of <LOC> | the police chief of <LOC> | a farmer from <LOC>
        | a baker in <LOC> | the oldest citizen of <LOC> | the governor of <LOC> | a tourist on the way to <LOC>
        | a hotel owner in <LOC> | a beekeeper from the hills above <LOC> | a schoolboy from <LOC>
        | the harbour master of <LOC> | the last blacksmith in <LOC> | a ferryman from the island of <LOC>""",
    ORG: """the chairman of <ORG> | the chief executive of <ORG> | the trainer of <ORG> | the goalkeeper of <ORG>
        | a shareholder of <ORG> | the board of <ORG> | the treasurer of <ORG> | a spokeswoman for <ORG>
        | the sales manager of <ORG> | an engineer at <ORG> | the chief economist of <ORG> | the striker of <ORG>
        | the finance director of <ORG> | a trainee at the insurer <ORG> | a former director of <ORG>""",
}  # fmt: skip
PEOPLE_FRAMES = """{E} {did} | {E} {did} | {E} declined to comment on the report | {E} welcomed the decision
    | police questioned {E} {when} | reporters waited for {E} | the committee thanked {E} {when} | {opener} {E} {did}
    | the letter was signed by {E} | the {nation} minister met {E} | nobody could find {E} {when}
    | the court heard {E} {when} | a {job} recognised {E} at once | the {job} shook hands with {E} and left
    | guests included two dancers , a {job} and {E} | the prize was given to {E} {when} | the bill was paid by {E}"""
LEFT_THINGS = {
    PER: """the trial of <PER> | the funeral of <PER> | the wedding of <PER> | a biography of <PER> | the death of <PER>
        | the divorce of <PER> | the diary of <PER> | the birthday of <PER> | a rumour about Mrs <PER>""",
    LOC: """the road to <LOC> | the ferry to <LOC> | the carnival in <LOC> | the night train to <LOC>
        | the airport of <LOC> | the heat wave in <LOC> | the bridge between {city} and <LOC> | a bus crash near <LOC>
        | the flood in <LOC> | the wine harvest south of <LOC> | the voyage from {city} to <LOC>""",
    ORG: """the strike at <ORG> | the takeover of <ORG> | the bankruptcy of <ORG> | the annual meeting of <ORG>
        | the debt of <ORG> | the goalless draw against <ORG> | the defeat by <ORG> | the merger with <ORG>
        | the market value of <ORG> | a boardroom row at <ORG> | the quarterly report of <ORG>""",
}  # fmt: skip
THINGS_FRAMES = """{E} made headlines in {country} | {E} surprised nobody | {E} came as no surprise
    | {E} was in the news | {E} was discussed in parliament {when} | the {nation} press wrote about {E}
    | {opener} {E} made headlines | {E} was the talk of the week | people still remember {E}
    | the programme was about {E} {when} | {E} has cost {n} people their sleep | a {nation} film shows {E}
    | nobody wanted to talk about {E} {when}"""

# BOTH: each side allows two types, and only one of them is allowed by both. A phrase stands before the name
# ("Founded in 1902 , Marlow ...") or after it (", founded in 1902"); a verb or an object's frame is on the other side.
PHRASES = {
    (PER, ORG): """beaten twice this season | accused of tax fraud | cheered by {count} fans | sued by a former partner
        | unbeaten in {n} matches | represented by two lawyers | acquitted of all charges
        | banned from two tournaments""",
    (LOC, ORG): """founded in {year} | founded by monks centuries ago | run by an elected committee
        | rebuilt after the war | home to {n} apprentices | known for its excellent library | once under state control
        | famous for its brass band""",
    (PER, LOC): """named after a saint | loved by painters | praised in old songs | admired by {nation} poets
        | described in a famous novel | beautiful even in the rain | shown on old postcards
        | adored by romantic travellers""",
}
PHRASE_VERBS = {
    (PER, ORG): """won the second match | sued a {nation} newspaper | signed a contract for {n} months
        | apologised for the error | paid a fine of {money} | lost in the final | withdrew from the talks
        | rejected the offer from {firm}""",
    (LOC, ORG): """doubled its budget | got a new concert hall | opened a museum | raised its fees by {percent}
        | celebrated its centenary | planted {count} trees | received {money} from the state
        | changed its coat of arms""",
    (PER, LOC): """inspired a famous song | gave the cheese its name | appeared in two paintings
        | looked peaceful in the moonlight | had never seemed so pale | enchanted a {nation} poet
        | became the subject of a film | charmed the guests from {country}""",
}
PHRASE_OBJECTS = {
    (PER, ORG): """the ministry signed a contract with <*> | a court dismissed the lawsuit against <*>
        | fans demanded an apology from <*> | {firm} lost the final to <*> | the jury gave the award to <*>
        | a lawyer spoke on behalf of <*> | the {nation} champions have a score to settle with <*>
        | the newspaper printed accusations against <*>""",
    (LOC, ORG): """the train took the workers back to <*> | the state put {money} into <*> | inspectors were sent to <*>
        | two apprentices came from <*> | engineers brought the turbine to <*> | many students moved to <*>
        | the article criticised safety at <*> | electricity is cheaper at <*>""",
    (PER, LOC): """the old sailor longed for <*> | the album holds {n} photographs of <*> | the poet dreamed of <*>
        | the tourists were enchanted by <*> | the painter fell in love with <*> | the opera is a hymn to <*>
        | a {nation} composer wrote a song about <*> | the exile said goodbye to <*>""",
}

# INSIDE: an entity of several tokens, in sentences that fit every type. UNITS also replace a plain name now and then.
UNITS = {
    PER: "<PER:{first} *> | <PER:{first} *> | <PER:{initial} *>",
    LOC: """<LOC:Lake *> | <LOC:* Lake> | <LOC:Mount *> | <LOC:* Hill> | <LOC:* Valley> | <LOC:Port *> | <LOC:* Bay>
        | <LOC:* Bridge> | <LOC:Cape *> | <LOC:* Street> | the <LOC:Isle of *>""",
    ORG: """the <ORG:Bank of *> | <ORG:* Bank> | <ORG:* United> | <ORG:* Rovers> | the <ORG:University of *>
        | <ORG:* Steel> | <ORG:FC *> | <ORG:* Airlines> | the <ORG:{first} * Foundation> | <ORG:* and Sons>
        | <ORG:Radio *>""",
    MISC: """the <MISC:* Cup> | the <MISC:* Open> | the <MISC:Treaty of *> | the <MISC:* Prize> | the <MISC:* Festival>
        | the <MISC:Battle of *>""",
}
INSIDE_FRAMES = """{E} was mentioned twice in the report | everybody was talking about {E} {when} | {E} was in the news
    | nobody at the meeting mentioned {E} | the documentary is about {E} | {E} is better known in {country}
    | readers sent {n} letters about {E} | a {nation} magazine printed a picture of {E} | {opener} {E} was forgotten
    | {E} and {F} were on the front page | the book has a chapter on {E} and one on {F} | few had heard of {E}
    | the quiz had questions about {E} , {F} and a {nation} bird | the report names {E} , but not {F}"""
KNOWN = """exports from {country} to {country} rose {percent} {when} | the {nation} and {nation} ministers met in {city}
    | {firm} and {firm} will build a plant in {country} | the {nation} parliament rejected the budget {when}
    | {n} {nation} students visited {city} {when} | flights from {city} to {city} were cancelled {when}
    | most {nation} papers , but not {agency} , carried the story | {firm} opened an office in {city} {when}
    | the {nation} embassy in {city} was closed {when} | a {nation} ship sank off {country} with {count} tons of coal"""
# The same words as in NAMES, here ordinary ones: at the start of a sentence only the words to the right tell.
COMMON_WORDS = """frost damaged {percent} of the vines {when} | frost is expected {soon}
    | frost and fog delayed {n} trains | wells ran dry in {n} villages {when} | wells must be {n} metres deep here
    | wells and pumps were inspected {when} | banks and post offices stayed closed {when}
    | banks must keep such papers for {n} years | banks will open {soon} | rivers rose by {n} cm {when}
    | rivers in the north are still frozen | rivers and canals were dredged {when}"""
NONE = """the weather will remain dry until {day} | rain stopped play {when} | {n} people were hurt in the accident
    | police are looking for a stolen {job} 's van | prices rose {percent} {when} , {source} said
    | results will be published {soon} | doctors advise against it | he was not available for comment {when}
    | the vote was {n} to {n} | talks ended without agreement {when} | Parliament meets again {soon}
    | the driver of the lorry escaped unhurt {when} | tickets cost {n} euros | more than {count} people marched {when}
    | the court will give its verdict {soon} | schools were closed {when} because of the heat
    | it was the third fire in {n} months | she had been ill for {n} weeks | analysts had expected {percent}
    | a {job} and two children were rescued {when} | the museum is open from nine to five , except in {month}
    | temperatures will fall to {warmth} degrees {soon} | in the second half , both teams were tired
    | the reward of {money} was never paid | nobody knows who wrote the {n} letters | trains were late again {when}
    | the {job} 's {kin} said that {that} | unemployment fell to {percent} {when} | help arrived {when}
    | a {job} found a bag with {money} {when} | the price of {product} rose {percent} | hotels are full until {month}
    | the strike will begin {soon} , a {job} said | workers want {percent} more pay | the jury is still out
    | the number of thefts fell {percent} {when} | voters will choose between a {job} and a {job} {soon}
    | heavy rain caused damage of {money} {when} | firemen needed {n} hours to put out the flames"""


def listed(text: str) -> list[str]:
    """Splits a "one | two | three" table, closing up line breaks."""
    return [" ".join(item.split()) for item in text.split("|")]


class Choices:
    """Random choices that depend on nothing but `random.Random.random`."""

    def __init__(self, seed: int):
        self.random = random.Random(seed).random

    def one(self, items):
        return items[int(self.random() * len(items))]

    def chance(self, probability: float) -> bool:
        return self.random() < probability

    def between(self, low: int, high: int) -> int:
        return low + int(self.random() * (high - low + 1))

    def shuffled(self, items) -> list:
        return [item for _, item in sorted(((self.random(), item) for item in items), key=lambda entry: entry[0])]


class Names:
    """Deals the ambiguous names of one split so that each is a person, a place and an organisation equally often."""

    def __init__(self, choices: Choices, others: list[str], share: float, once: bool):
        self.choices, self.share = choices, share
        self.often = {kind: [] for kind in TYPES}
        self.others, self.once, self.other = others, once, {kind: [] for kind in TYPES}

    def deal(self, kind: str) -> str:
        if self.choices.chance(self.share):
            if self.once:
                return self.others.pop()
            piles, names = self.other, self.others
        else:
            piles, names = self.often, NAMES.split()
        if not piles[kind]:
            piles[kind] = self.choices.shuffled(names)
        return piles[kind].pop()


def filled(choices: Choices, frame: str, fixed: dict[str, str]) -> str:
    """Fills the slots of a frame, and the slots of what fills them.

    Args:
        choices: the source of randomness.
        frame: tokens, {slots} and <entities>.
        fixed: tables that hold for this sentence, beside SLOTS.
    """
    while slot := re.search(r"\{(\w+)\}", frame):
        if slot[1] in RANGES:
            text = str(choices.between(*RANGES[slot[1]]))
        else:
            text = choices.one(listed(fixed.get(slot[1]) or SLOTS[slot[1]]))
        frame = frame[: slot.start()] + text + frame[slot.end() :]
    return frame


def tagged(names: Names, frame: str) -> list[tuple[str, str]]:
    """Turns a filled frame into (token, tag) rows in IOB2, a full stop at the end."""
    rows = []
    for entity, word in re.findall(r"<([^>]+)>|(\S+)", frame):
        if word:
            rows.append((word, "O"))
            continue
        kind, _, text = entity.partition(":")
        text = text or "*"
        words = (text.replace("*", names.deal(kind)) if "*" in text else text).split()
        rows += [(word, f"{'I' if place else 'B'}-{kind}") for place, word in enumerate(words)]
    rows[0] = (rows[0][0][0].upper() + rows[0][0][1:], rows[0][1])
    for place, (word, tag) in enumerate(rows[:-1]):
        if word in ("a", "A") and rows[place + 1][0][0] in "aeiouAEIO":
            rows[place] = (word + "n", tag)
    return rows + [(".", "O")]


def right(choices: Choices, kind: str) -> str:
    """The words to the right decide: a verb, an apposition or a possession that only one type can have."""
    name = choices.one(listed(UNITS[kind])) if choices.chance(0.12) else f"<{kind}>"
    if choices.chance(0.45):
        verb = choices.one(listed(RIGHT_ANY[kind]))
        # A line of a table ("Marlow 2 , Selby 0") has no verb, so nothing can be "that".
        opened = choices.chance(0.3) and not verb.startswith(("{low}", "{warmth}"))
        return (choices.one(listed(OPENERS)) + " " if opened else "") + f"{name} {verb}"
    opener, tail, verb = "", "", choices.one(listed(RIGHT_PAST[kind]))
    if choices.chance(0.5):
        opener = choices.one(listed(OPENERS if "{when}" in verb else choices.one((OPENERS, TIME_OPENERS)))) + " "
    elif choices.chance(0.6) and "that" not in verb:
        tail = " " + choices.one(listed(TAILS))
    aside = ", {aside} , " if choices.chance(ASIDES) else ""
    return f"{opener}{name} {aside}{verb}{tail}"


def left(choices: Choices, kind: str) -> str:
    """The words to the left decide: a title, or what belongs to only one type."""
    people = choices.chance(0.6)
    entity = choices.one(listed((LEFT_PEOPLE if people else LEFT_THINGS)[kind]))
    return choices.one(listed(PEOPLE_FRAMES if people else THINGS_FRAMES)).replace("{E}", entity)


def both(choices: Choices, kind: str) -> str:
    """Each side leaves two types; one is left by both."""
    before, after = choices.shuffled(pair for pair in PHRASES if kind in pair)
    tail = " , {said}" if choices.chance(0.4) else ""
    if choices.chance(0.5):
        phrase, verb = choices.one(listed(PHRASES[before])), choices.one(listed(PHRASE_VERBS[after]))
        tail = " " + choices.one(listed(TAILS)) if choices.chance(0.5) else ""
        return f"{phrase} , <{kind}> {verb}{tail}"
    phrase, object_frame = choices.one(listed(PHRASES[after])), choices.one(listed(PHRASE_OBJECTS[before]))
    return object_frame.replace("<*>", f"<{kind}>") + f" , {phrase}{tail}"


def inside(choices: Choices, kind: str) -> str:
    """The entity's other tokens decide."""
    kinds = [MISC if choices.chance(0.3) else kind, choices.one(TYPES)]
    entities = [choices.one(listed(UNITS[entity])) for entity in kinds]
    return choices.one(listed(INSIDE_FRAMES)).replace("{E}", entities[0]).replace("{F}", entities[1])


def clause(choices: Choices, kind: str) -> str:
    """One clause, its slots filled."""
    drawn, decided_by = choices.random(), "none"
    for name, share in SHARES.items():
        if drawn < share:
            decided_by = name
            break
        drawn -= share
    frames = {"right": right, "both": both, "left": left, "inside": inside}
    if decided_by in frames:
        frame = frames[decided_by](choices, kind)
    else:
        frame = choices.one(listed({"known": KNOWN, "common word": COMMON_WORDS, "none": NONE}[decided_by]))
    return filled(choices, frame, choices.one(GENDERS) | {"opener": OPENERS})


def sentence(choices: Choices, names: Names, kind: str) -> list[tuple[str, str]]:
    """One sentence, as (token, tag) rows; its first ambiguous name is mostly of the given type."""
    text = clause(choices, kind)
    if choices.chance(0.08):
        text = choices.one(("but ", "and ", "meanwhile , ")) + text
    if choices.chance(JOINED):
        text += choices.one((" ; ", " ; ", " , and ", " , but ")) + clause(choices, choices.one((PER, LOC, ORG)))
    return tagged(names, text)


def entities(rows: list[tuple[str, str]]) -> list[str]:
    """The entities' texts, to see whether one occurs twice."""
    found = []
    for word, tag in rows:
        if tag.startswith("B-"):
            found.append(word)
        elif tag.startswith("I-"):
            found[-1] += " " + word
    return found


def make_sentences() -> dict[str, list[list[tuple[str, str]]]]:
    """Builds all splits.

    Returns:
        Split name -> sentences, each a list of (token, tag) rows.
    """
    choices, seen, splits = Choices(SEED), set(), {}
    made_up = {first + last for first in FIRST_PARTS.split() for last in LAST_PARTS.split()} - set(NAMES.split())
    others = choices.shuffled(sorted(made_up))
    for split, count in SPLITS.items():
        if split == "train":
            names = Names(choices, others[2 * UNSEEN_NAMES :], RARE, once=True)
        else:
            first = UNSEEN_NAMES * (split == "test")
            names = Names(choices, others[first : first + UNSEEN_NAMES], UNSEEN, once=False)
        sentences, used = [], {PER: 0, LOC: 0, ORG: 0}
        while len(sentences) < count:
            rows = sentence(choices, names, min(used, key=used.get))
            key, found = tuple(word.lower() for word, _ in rows if word[0].isalnum()), entities(rows)
            if key in seen or len(set(found)) < len(found):
                continue
            seen.add(key)
            sentences.append(rows)
            for _, tag in rows:
                if tag[2:] in used and tag[0] == "B":
                    used[tag[2:]] += 1
        splits[split] = choices.shuffled(sentences)
    return splits


def write(folder: Path) -> None:
    """Writes `train.conll`, `validation.conll` and `test.conll`: `token<TAB>tag`, UTF-8, `\\n` line ends."""
    choices = Choices(SEED)
    for split, sentences in make_sentences().items():
        lines, left_of_document = [], 0
        for rows in sentences:
            if not left_of_document:
                left_of_document = choices.between(4, 9)
                lines += ["-DOCSTART-\tO", ""]
            left_of_document -= 1
            lines += [f"{word}\t{tag}" for word, tag in rows] + [""]
        (folder / f"{split}.conll").write_bytes("\n".join([*lines, ""]).encode())


if __name__ == "__main__":
    write(Path(__file__).parent.parent)
