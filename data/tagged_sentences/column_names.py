"""What a line above the first sentence of a file of columns may call them."""

import re
from collections.abc import Sequence

# But for capitals and all that is no letter or digit.
TOKENS = {"token", "tokens", "word", "words", "form", "text"}
TAGS = {"tag", "tags", "label", "labels", "iob", "bio", "ner", "nertag", "nertags", "entity", "entities"}
SENTENCES = {"sentence", "sentenceid", "sentenceidx", "sentenceindex", "sentenceno", "sentencenumber", "sentid"}
_OTHERS = {"", "id", "index", "lemma", "pos", "postag", "upos", "xpos", "chunk", "misc", "predictedtag"}


def are_names(fields: Sequence[str]) -> bool:
    """Whether a line's fields name columns: one that of tokens, and one that of tags, or all something usual."""
    names = {*map(_plain, fields)}
    return len(fields) > 1 and bool(names & TOKENS) and bool(names & TAGS or names <= TOKENS | SENTENCES | _OTHERS)


def places_called(usual: set[str], names: Sequence[str]) -> list[int]:
    """The places, from 0, of the names that are among the usual ones.

    Example:
        >>> places_called(SENTENCES, ["Sentence #", "Word", "Tag"])
        [0]
    """
    return [place for place, name in enumerate(names) if _plain(name) in usual]


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())
