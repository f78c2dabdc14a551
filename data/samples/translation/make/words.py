"""The words of the translation sample, German and English, and which of them make sense together.

A list is a text: entries are separated by ";" or a line end, the parts of an entry by "|", the words of a part by
spaces; "_" is a space within a word. A line that begins with spaces and "|" continues the entry before it.
`lexicon` reads the lists.
"""

PERSON = ("adult", "child", "kin", "name")  # in a list of kinds, "person" means all of these

# singular gender plural | English singular [irregular plural] | kinds, the first one decides the adjectives.
# Gender mw: masculine and weak (den Jungen). "-" has no plural.
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

# infinitive (prefix-stem) third person participle (ist-: perfect with sein) | English base, past, participle, -ing form
# [particle, which a pronoun precedes] | subjects > case objects | what a clause may say: h habit, g "gerade",
# m modal verb, p place, c company, o o'clock, d direction
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

# base comparative ("-": it is not compared) | English base [comparative]
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

# noun | where: German preposition with dative, English | where to: German (zu with dative, others with accusative),
# English | group: outdoors, indoors, far, town, top
PLACES = """
Garten | in in | in into | out; Park | in in | in into | out; Wald | in in | in into | out; Haus | in in | in into | in
Zimmer | in in | in into | in; Küche | in in | in into | in; Schule | in at | zu to | far; Museum | in in | in to | far
Stadt | in in | in to | town; Dorf | in in | in to | town; Bahnhof | an at | zu to | town
Dach | auf on | auf onto | top
Krankenhaus | in in | in to | far; Spielplatz | auf at | auf to | out; Tisch | auf on | auf onto | top
Bushaltestelle | an at | zu to | out; Straßenbahnhaltestelle | an at | zu to | out
"""
CITIES = "Berlin | Berlin; Wien | Vienna; Köln | Cologne; München | Munich; Zürich | Zurich; Prag | Prague"
# Where each verb of motion leads: groups of places, home, a city.
DIRECTIONS = {
    "gehen": "far town out home",
    "laufen": "out in",
    "fahren": "far town city",
    "klettern": "top",
    "springen": "top",
}

NUMERALS = """
zwei | two; drei | three; vier | four; fünf | five; sechs | six; sieben | seven; acht | eight
neun | nine; zehn | ten; elf | eleven; zwölf | twelve
"""
DAYS = """
Montag | Monday; Dienstag | Tuesday; Mittwoch | Wednesday; Donnerstag | Thursday; Freitag | Friday
Samstag | Saturday; Sonntag | Sunday
"""
# {n} is one of NUMERALS, {day} one of DAYS.
PAST_TIMES = """
gestern | yesterday; vorgestern | the day before yesterday; letzte Woche | last week; letzten Sommer | last summer
gestern Abend | yesterday evening; vor {n} Tagen | {n} days ago; vor {n} Wochen | {n} weeks ago
am {day} | on {day}; am {day} | on {day}
"""
FUTURE_TIMES = """
morgen | tomorrow; übermorgen | the day after tomorrow; nächste Woche | next week; nächsten Sommer | next summer
morgen Abend | tomorrow evening; in {n} Tagen | in {n} days; am {day} | on {day}
"""
HABITS = """
jeden Morgen | every morning; jeden Abend | every evening; jede Woche | every week; jeden {day} | every {day}
oft | often; immer | always; manchmal | sometimes; nie | never
"""
FREQUENCIES = {"often", "always", "sometimes", "never"}  # English puts them before the verb

# The adjectives that go with a noun, by its first kind: as attributes, and as a state that it is said to be in.
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
STATES = {
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
} | dict.fromkeys(PERSON, "müde hungrig durstig krank traurig glücklich wütend")
SCALES = ("alt jung neu", "klein groß", "billig teuer")  # of one scale a sentence says one thing only
TOO_MUCH = "klein groß alt schwer teuer lang müde schmutzig schnell".split()  # they go with "zu"
# Of two attributes the first is one of SIZES, the second one of COLOURS.
COLOURS, SIZES = "rot blau grün weiß schwarz braun".split(), "klein groß alt neu".split()
OWNABLE = set("pet food drink readable clothing thing private furniture room".split())  # they may have a possessive

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
# A feeling | verbs for what caused it.
EMOTIONS = """
glücklich | finden kaufen treffen ab-holen besuchen; stolz | bauen malen backen reparieren schreiben kochen
traurig | verlieren verkaufen vergessen; wütend | verlieren vergessen weg-werfen
"""
# A verb | what may be done next to the same thing.
FOLLOWED_BY = """
kaufen | essen ein-packen an-probieren; finden | verkaufen ein-packen weg-werfen; backen | essen; kochen | essen
waschen | ein-packen verkaufen; treffen | ein-laden; ab-holen | reparieren; schreiben | lesen; suchen | finden
"""
# ich er wir | English | the conjunction of what is said.
SPEAKING = """
sage sagt sagen | say | dass that; glaube glaubt glauben | believe | dass that; weiß weiß wissen | know | dass that
hoffe hofft hoffen | hope | dass that; frage fragt fragen | ask | ob whether
"""
WEATHER = """
es regnet | it rains; es schneit | it snows; die Sonne scheint | the sun shines
das Wetter schön ist | the weather is beautiful; es kalt ist | it is cold
"""
