"""The two languages of sentence pairs, as files and columns call them."""

import locale
import re
from collections.abc import Iterable
from typing import NamedTuple

from data.errors import UserError

AUTO = "auto"
# What the sides are called where nothing tells their languages.
UNNAMED = ("source", "target")
SIDES = frozenset((*UNNAMED, "src", "tgt", "trg"))
_FLAGS = ("--source-language", "--target-language")

# "de", "DEU", "pt_BR", "zh-Hans": what a column is called, and hardly what a sentence is.
_CODE = re.compile(r"([a-z]{2,3}|[A-Z]{2,3})([-_][A-Za-z0-9]{2,8})*")
_CODES = frozenset(
    """afr amh ara aze bel ben bos bul cat ceb ces chi cmn cze dan deu dut ell eng epo est eus fas fil fin fra fre ger
    gle glg gre guj hat hau heb hin hrv hun hye ibo ice ind isl ita jav jpn kan kat kaz khm kir kor kur lao lav lit mal
    mar may mkd mlt mon msa mya nep nld nob nor pan pcm per pol por pus ron rum rus sin slk slo slv som spa sqi srp swa
    swe tam tel tgl tha tur ukr urd uzb vie xho yor yue zho zul""".split()
) | {alias[:2] for alias in locale.locale_alias if not alias[2:3].isalnum()}
_NAMES = frozenset(
    """afrikaans albanian amharic arabic armenian azerbaijani basque belarusian bengali bosnian bulgarian burmese
    cantonese catalan chinese croatian czech danish dutch english esperanto estonian finnish french galician georgian
    german greek gujarati hausa hebrew hindi hungarian icelandic igbo indonesian irish italian japanese kannada kazakh
    khmer korean kurdish lao latin latvian lithuanian macedonian malay malayalam mandarin marathi mongolian nepali
    norwegian persian polish portuguese punjabi romanian russian serbian sinhala slovak slovenian somali spanish swahili
    swedish tagalog tamil telugu thai tibetan turkish ukrainian urdu uzbek vietnamese welsh xhosa yoruba zulu""".split()
)
# Of the most frequent ones; a pair of single words may be "French", "français".
_OWN_NAMES = frozenset("deutsch englisch französisch français anglais espagnol allemand español inglés".split())


class Languages(NamedTuple):
    """The language to translate from and the one to translate into, as files or columns call them; or "auto".

    Example:
        >>> Languages("de", "en").target
        'en'
    """

    source: str = AUTO
    target: str = AUTO


def choose_languages(asked: Languages, names: Iterable[str], where: str) -> Languages:
    """Chooses the two languages among those that there are.

    Args:
        asked: What `--source-language` and `--target-language` say; where one of two is given, the other follows.
        names: The languages that there are.
        where: What has them, for messages.

    Returns:
        The languages, none of them "auto", written as in `names`.

    Raises:
        UserError: One is given twice, is not there, or is not given and cannot be told.

    Example:
        >>> choose_languages(Languages(target="en"), ["de", "en"], "corpus")
        Languages(source='de', target='en')
    """
    check_different(asked)
    names = list(names)
    there = f"{where} has {', '.join(names) or 'no language'}"
    known = {name.casefold(): name for name in names}
    for language, flag in zip(asked, _FLAGS):
        if language != AUTO and language.casefold() not in known:
            raise UserError(f"{flag} {language}: {there}")
    source, target = (language if language == AUTO else known[language.casefold()] for language in asked)
    if AUTO in (source, target):
        others = [name for name in names if name not in (source, target)]
        if len(others) != 1 or source == target:
            missing = " and ".join(flag for flag, language in zip(_FLAGS, asked) if language == AUTO)
            raise UserError(f"{there}; choose with {missing}")
        source, target = (others[0] if language == AUTO else language for language in (source, target))
    return Languages(source, target)


def check_different(asked: Languages) -> None:
    """Raises UserError where both languages are the same one."""
    if AUTO not in asked and asked.source.casefold() == asked.target.casefold():
        raise UserError(f"{_FLAGS[0]} and {_FLAGS[1]} are both {asked.source}; a translation needs two languages")


def is_language(name: str) -> bool:
    """Whether a column's name tells a language: its code, a few words that begin with its name, or it joined by _.

    Example:
        [is_language(name) for name in ("pt_BR", "deu", "English sentences", "sentence_fr", "non")]   # but the last
    """
    words = name.casefold().split()
    if "_" in name and len(words) == 1 and tells_language(name):
        return True
    if _CODE.fullmatch(name):
        return re.split("[-_]", name.casefold())[0] in _CODES or name.casefold() in SIDES
    return bool(words) and len(words) <= 3 and (words[0] in _NAMES or name.casefold() in SIDES)


def tells_language(name: str) -> bool:
    """Whether one of the words of a name is a language's name or code: "sentence_en", "Texte français"."""
    return not {*_CODES, *_NAMES, *_OWN_NAMES}.isdisjoint(re.split(r"[\W_]+", name.casefold()))


def code_length(name: str) -> int | None:
    """How many letters the code of a language has that a name is, known or not: 2 for "pt_BR"; else None."""
    return len(re.split("[-_]", name)[0]) if _CODE.fullmatch(name) else None
