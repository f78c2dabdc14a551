"""Raw text to tokens with their places in it, inside the graph, with core TensorFlow ops only."""

from typing import NamedTuple

import tensorflow as tf

from data.character_sets import BLANK, KANA_MARKS, WITHOUT_BLANKS
from data.neighbours import following, previous

# Blanks before every row, as many as the rules look ahead, so that they never see another row.
_MARGIN = 3

# Scripts without blanks between words.
_ALONE = rf"[{WITHOUT_BLANKS}{KANA_MARKS}]"
# Marks, skin tones, and the invisible letters of the flags of England, Scotland and Wales.
_MODIFIER = r"[\pM\x{1F3FB}-\x{1F3FF}\x{E0020}-\x{E007F}]"
# Invisible parts of a word: the two joiners, of which the second also joins emoji, and the soft hyphen.
_JOINER = r"[\x{200C}\x{200D}\x{00AD}]"
_ZERO_WIDTH_JOINER = 0x200D
_FLAG_LETTER = r"[\x{1F1E6}-\x{1F1FF}]"

_HYPHENS = "-\u2010\u2011"
_APOSTROPHES = "'\u2019"
# Part of a word between two letters or digits: Lamb-chop, AT&T, O'Brien, U.S, name@example.org, a_b.
_INSIDE_WORDS = _HYPHENS + _APOSTROPHES + ".&@_"
# Part of a number between two digits: 1,000.5, 10:30, 1996/97, and a score with a longer dash.
_INSIDE_NUMBERS = ",:/\u2013"
# Several of the same are one token: ..., --, '', ***.
_REPEATED = _HYPHENS + _APOSTROPHES + ".\u2013\u2014*=_~#!?`+/"
# May follow the full stop that ends a text.
_CLOSING = "\"'\u2019\u201d\u00bb)]}.!?"

# Words before a full stop of their own. It never ends a sentence as a token after letters such as U.S, a.m, Ph.D.
_DOTTED = r"\pL{1,2}(\.\pL{1,2})+"
_TITLES = "Adm Brig Capt Cmdr Col Cpl Dr Gen Gov Hon Lt Maj Messrs Mme Mlle Mr Mrs Ms Pres Prof Rep Rev Sen Sgt Supt"
_FIRMS = "Assn Bros Co Corp Cos Dept Inc Intl Ltd Mfg Natl Univ"
_MONTHS = "Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec"
_STATES = "Ala Ariz Ark Calif Colo Conn Del Fla Ga Ill Ind Kan Ky La Mass Md Mich Minn Miss Mo Mont Neb Nev Okla Ont"
_STATES += " Ore Pa Que Tenn Tex Va Vt Wash Wis Wyo"
_OTHERS = "Ave Blvd Ft Jr Mt Rd Sr St Ste approx ca cf dept est etc incl p pp v vol vs"
_WORDS = f"{_TITLES} {_FIRMS} {_MONTHS} {_STATES} {_OTHERS}"
# A capital letter is an initial. Headlines have the words in capitals.
_ABBREVIATION = rf"\p{{Lu}}|{_WORDS} {_WORDS.upper()}".replace(" ", "|")
_BEFORE_NUMBER = "No|Nos|Art|Ch|Fig|Figs|Op|Sec|Vol|no|nos|art|ch|fig|figs|op|sec|NO|NOS|FIG|SEC|VOL"
_RANK = r"\p{Nd}{1,3}"


class Tokens(NamedTuple):
    """The tokens of some texts.

    Args:
        tokens: Strings, ragged (batch, tokens).
        starts: Where each token starts in its text, in characters (Unicode code points, as Python counts them): ragged
            int32, (batch, tokens).
        ends: Where each token ends, exclusive: ragged int32, (batch, tokens).
    """

    tokens: tf.RaggedTensor
    starts: tf.RaggedTensor
    ends: tf.RaggedTensor


class _Kinds(NamedTuple):
    """What characters are: a truth value each, (characters,)."""

    separator: tf.Tensor
    modifier: tf.Tensor
    joiner: tf.Tensor
    word: tf.Tensor  # a letter, digit or mark of a script with blanks
    letter: tf.Tensor
    capital: tf.Tensor
    digit: tf.Tensor
    symbol: tf.Tensor
    flag_letter: tf.Tensor


def split_tokens(texts: tf.Tensor) -> Tokens:
    """Splits texts into tokens much as the newswire corpora (Penn Treebank, CoNLL-2003) do, case kept.

    - Blanks, control characters and invisible characters separate and are in no token. Inside a word the two joiners
      and the soft hyphen belong to it, and a joiner between two emoji joins them.
    - Letters and digits make words, with a full stop, hyphen, apostrophe, &, @ or _ between two of them (U.S,
      Lamb-chop, O'Brien, AT&T), with a comma, colon or slash between two digits (1,000.5, 10:30, 1996/97), and with
      + at either side (+44, BBB+), or a hyphen before a blank (pre- and post-war).
    - A full stop after a word belongs to an abbreviation (U.S., J., Inc.) or to a number that starts the text (its rank
      in a list: 1. Ivan Garcia), and is a token elsewhere. The one that ends a text is a token after Inc, too, but not
      after U.S and its like.
    - English endings are apart: Germany 's, we 'll, do n't. "C$5" is C$ 5.
    - Any other punctuation mark or symbol is a token; equal dots, dashes, stars and the like are one ("...", "--").
    - A character of Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar or Tibetan is a token.
    - Marks, skin tones and variation selectors belong to the character before; flags are pairs of letters.

    Args:
        texts: Strings in UTF-8, (batch,). What is not valid is read as U+FFFD: one character for every longest part
            that could have started a character, as Python's `bytes.decode("utf-8", "replace")` does, and offsets count
            it as one character.

    Returns:
        The tokens and their places. Every character that does not separate is in exactly one token, and
        `text[start:end]` is the token.

    Example:
        split_tokens(tf.constant(["Germany's U.N. envoy left."])).tokens
        # [["Germany", "'s", "U.N.", "envoy", "left", "."]]
    """
    padded = _with_margin(tf.strings.unicode_decode(texts, "UTF-8", errors="replace"))
    points, rows = padded.flat_values, padded.value_rowids()
    kinds = _kinds(points)
    attached = _attached(kinds)
    after_joiner = previous(attached & (points == _ZERO_WIDTH_JOINER))

    # The rules see the characters without what is attached to them, so that a mark hides no neighbour.
    base = tf.where(~attached)[:, 0]
    base_points, base_rows, after_joiner, *base_kinds = (
        tf.gather(values, base) for values in (points, rows, after_joiner, *kinds)
    )
    starting = _starting(base_points, base_rows, _Kinds(*base_kinds), after_joiner)
    first = tf.boolean_mask(base, starting)

    return _cut(padded, attached | ~kinds.separator, first)


def split_at_blanks(texts: tf.Tensor) -> Tokens:
    """Splits texts that are already cut: at blanks, tabs and line ends, and nowhere else.

    Args:
        texts: Strings in UTF-8, (batch,); what is not valid is read as `split_tokens` reads it.

    Returns:
        The tokens and their places.

    Example:
        split_at_blanks(tf.constant(["@nasa is in #London http://t.co/x"])).tokens
        # [["@nasa", "is", "in", "#London", "http://t.co/x"]]
    """
    padded = _with_margin(tf.strings.unicode_decode(texts, "UTF-8", errors="replace"))
    inside = ~_is(padded.flat_values, " \t\r\n")
    return _cut(padded, inside, tf.where(inside & ~previous(inside))[:, 0])


def _with_margin(characters: tf.RaggedTensor) -> tf.RaggedTensor:
    margin = tf.fill(tf.stack([characters.nrows(out_type=tf.int32), _MARGIN]), ord(" "))
    return tf.concat([margin, characters], axis=1)


def _cut(padded: tf.RaggedTensor, inside: tf.Tensor, first: tf.Tensor) -> Tokens:
    """The tokens, given which characters are in one, and the places of those that one begins with."""
    points, rows = padded.flat_values, padded.value_rowids()
    token = tf.cumsum(tf.scatter_nd(first[:, None], tf.ones_like(first), tf.shape(points, tf.int64))) - 1
    spelled = tf.RaggedTensor.from_value_rowids(
        tf.boolean_mask(points, inside), tf.boolean_mask(token, inside), tf.size(first, tf.int64), validate=False
    )
    places = tf.cast(tf.ragged.range(padded.row_lengths()).flat_values, tf.int32) - _MARGIN
    starts = tf.gather(places, first)
    ends = starts + tf.cast(spelled.row_lengths(), tf.int32)
    columns = (tf.strings.unicode_encode(spelled, "UTF-8"), starts, ends)
    token_rows = tf.gather(rows, first)
    return Tokens(
        *(tf.RaggedTensor.from_value_rowids(column, token_rows, padded.nrows(), validate=False) for column in columns)
    )


def _kinds(points: tf.Tensor) -> _Kinds:
    # A text has few different characters: the patterns look at each of them once.
    different, which = tf.unique(points)
    spelled = tf.strings.unicode_encode(different[:, None], "UTF-8")

    def matches(pattern: str) -> tf.Tensor:
        return tf.strings.regex_full_match(spelled, pattern)

    separator = matches(BLANK)
    kinds = _Kinds(
        separator=separator,
        modifier=matches(_MODIFIER),
        joiner=matches(_JOINER),
        word=matches(r"[\pL\pN\pM]") & ~matches(_ALONE) & ~separator,
        letter=matches(r"\pL") & ~separator,
        capital=matches(r"\p{Lu}"),
        digit=matches(r"\p{Nd}"),
        symbol=matches(r"\p{So}") & ~separator,
        flag_letter=matches(_FLAG_LETTER),
    )
    return _Kinds(*(tf.gather(kind, which) for kind in kinds))


def _last(mask: tf.Tensor) -> tf.Tensor:
    """The index of the last true value at or before each place, 0 where there is none."""
    mask |= tf.range(tf.size(mask)) == 0
    return tf.gather(tf.where(mask)[:, 0], tf.cumsum(tf.cast(mask, tf.int64)) - 1)


def _is(points: tf.Tensor, characters: str) -> tf.Tensor:
    return tf.reduce_any(points[:, None] == tf.constant([ord(character) for character in characters]), axis=1)


def _attached(kinds: _Kinds) -> tf.Tensor:
    """Which characters belong to the one before, whatever that is."""
    between = previous(~kinds.separator | kinds.modifier) & following(kinds.letter | kinds.modifier | kinds.symbol)
    extends = kinds.modifier | (kinds.joiner & between)
    return extends & ~tf.gather(kinds.separator, _last(~extends))


def _starting(points: tf.Tensor, rows: tf.Tensor, kinds: _Kinds, after_joiner: tf.Tensor) -> tf.Tensor:
    """Which characters start a token."""
    word, digit = kinds.word, kinds.digit
    lower = tf.where((points >= ord("A")) & (points <= ord("Z")), points + 32, points)
    stop, plus, apostrophe = points == ord("."), points == ord("+"), _is(points, _APOSTROPHES)

    last_stop = stop & previous(word) & ~following(word | stop)
    inside = previous(word) & following(word) & _is(points, _INSIDE_WORDS)
    inside |= previous(digit) & following(digit) & _is(points, _INSIDE_NUMBERS)
    hyphen = _is(points, _HYPHENS)
    inside |= hyphen & previous(last_stop) & following(word)  # U.S.-led
    hanging = hyphen & previous(word) & following(kinds.separator)  # anti- and pro-European
    point = stop & following(digit) & ~previous(stop)  # .500

    joined = (word & previous(word | inside | point | plus)) | inside | last_stop | hanging
    joined |= (plus & previous(word)) | (point & previous(plus))
    joined |= _is(points, _REPEATED) & (points == previous(points))
    joined |= (points == ord("$")) & previous(kinds.capital)

    one, two, ended = following(lower), following(lower, 2), ~(word | inside)
    ending = _is(one, "sdm") & following(ended, 2)
    ending |= ((_is(one, "rv") & (two == ord("e"))) | ((one == ord("l")) & (two == ord("l")))) & following(ended, 3)
    ending &= apostrophe
    negation = (lower == ord("n")) & following(apostrophe) & (two == ord("t")) & following(ended, 3)
    joined = (joined & ~ending & ~negation) | (word & previous(ending))

    joined |= kinds.symbol & previous(kinds.symbol) & after_joiner
    place = tf.range(tf.size(points, tf.int64))
    joined |= kinds.flag_letter & ((place - _last(~kinds.flag_letter)) % 2 == 0)

    starting = ~kinds.separator & ~joined
    ends_word = last_stop & ~following(joined)
    return starting | _sentence_stops(points, rows, kinds, starting, tf.where(ends_word)[:, 0])


def _sentence_stops(
    points: tf.Tensor, rows: tf.Tensor, kinds: _Kinds, starting: tf.Tensor, stops: tf.Tensor
) -> tf.Tensor:
    """Which of the full stops that end a word, given by their places, are tokens of their own."""
    starts = tf.gather(_last(starting), stops)
    words = tf.strings.unicode_encode(tf.gather(points, tf.ragged.range(starts, stops + 1)), "UTF-8")

    def matches(pattern: str) -> tf.Tensor:
        return tf.strings.regex_full_match(words, rf"(?s)(.*-)?({pattern})\.")

    def of_row(reduce, mask: tf.Tensor) -> tf.Tensor:
        found = tf.where(mask)[:, 0]
        by_row = reduce(found, tf.gather(rows, found), tf.maximum(tf.reduce_max(rows) + 1, 0))
        return tf.gather(by_row, tf.gather(rows, stops))

    shown = ~kinds.separator
    is_first = starts == of_row(tf.math.unsorted_segment_min, shown)
    is_last = stops > of_row(tf.math.unsorted_segment_max, shown & ~_is(points, _CLOSING))
    number_follows = tf.gather(following(kinds.separator) & following(kinds.digit, 2), stops)

    abbreviation = matches(_ABBREVIATION) | (matches(_BEFORE_NUMBER) & number_follows)
    whole = matches(_DOTTED) | (abbreviation & (is_first | ~is_last)) | (matches(_RANK) & is_first & ~is_last)
    apart = tf.boolean_mask(stops, ~whole)
    return tf.scatter_nd(apart[:, None], tf.ones_like(apart), tf.shape(points, tf.int64)) > 0
