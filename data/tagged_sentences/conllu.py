"""The columns of a CoNLL-U file, the format of the Universal Dependencies treebanks."""

import os
import re

from data.errors import UserError, shown

SUFFIX = ".conllu"
COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
_TAG_COLUMNS = COLUMNS[1:]

_WORD_NUMBER = re.compile(r"[0-9]+")
# The surface of several words ("1-2"), and a word that is understood but not there ("1.1").
_NO_WORD_NUMBER = re.compile(r"[0-9]+[-.][0-9]+")
_NEW_DOCUMENT = re.compile(r"#\s*newdoc(\s|$)")


class UnusableLine(Exception):
    """A line that holds no token and tag, though it should.

    Args:
        expected: What should have been there.
        found: What is there.
        advice: What the user may do about it, or "".
    """

    def __init__(self, expected: str, found: str, advice: str = ""):
        super().__init__(expected, found)
        self.expected, self.found, self.advice = expected, found, advice


class ConlluColumns:
    """The token, form, and the tags' column of a CoNLL-U file.

    Args:
        path: The file, for the messages.
        column: The name of the tags' column or its number, from 2 on; "auto" is upos; None: tags are not read.
        token_column: That of the tokens, likewise; "auto" is form.

    Raises:
        UserError: CoNLL-U has no such column.

    Source:
        https://universaldependencies.org/format
    """

    def __init__(self, path: str | os.PathLike, column: str | None, token_column: str = "auto"):
        self.token = _column_named(path, "--token-column", "form" if token_column == "auto" else token_column)
        self.tag = (
            None if column is None else _column_named(path, "--tag-column", "upos" if column == "auto" else column)
        )

    def __str__(self) -> str:
        return f"CoNLL-U; the token is {self.token}" + (f", the tag {self.tag}" if self.tag else "")

    layout = None

    def sentence(self, text: str) -> str:
        """Blank lines alone tell sentences apart."""
        return ""

    def begins_document(self, text: str) -> bool:
        """Whether a line, a comment, begins a document."""
        return text.startswith("#") and _NEW_DOCUMENT.match(text) is not None

    def word(self, number: int, text: str, begins: bool) -> tuple[str, str] | None:
        """The token and the tag of a line; None of a line that is no word.

        Raises:
            UnusableLine: It does not have CoNLL-U's columns, or no tag.
        """
        if text.startswith("#"):
            return None
        fields = [field.strip(" \r") for field in text.split("\t")]
        if len(fields) != len(COLUMNS):
            raise UnusableLine(
                f"the {len(COLUMNS)} columns of CoNLL-U, with tabs between",
                f"{len(fields)} in {shown(text)}",
                "give the file another suffix, such as .conll, if its columns are others",
            )
        if not _WORD_NUMBER.fullmatch(fields[0]):
            if _NO_WORD_NUMBER.fullmatch(fields[0]):
                return None
            raise UnusableLine("a word's number, such as 1, 1-2 or 1.1", shown(fields[0]))
        token, tag = fields[COLUMNS.index(self.token)], fields[COLUMNS.index(self.tag)] if self.tag else ""
        if not token:
            raise UnusableLine(f"a {self.token}", f"an empty column in {shown(text)}")
        # "_" says that a word has none, no features, say; a part of speech every word has.
        if self.tag and tag in ("", "_" if self.tag == "upos" else ""):
            raise UnusableLine(f"a tag in {self.tag}", shown(tag), "--tag-column NAME reads another column")
        return token, tag


def _column_named(path: str | os.PathLike, flag: str, column: str) -> str:
    name = column.strip().lower()
    if name.isdecimal() and 2 <= int(name) <= len(COLUMNS):
        name = COLUMNS[int(name) - 1]
    if name not in _TAG_COLUMNS:
        what = "for tags" if flag == "--tag-column" else "for tokens"
        raise UserError(
            f"{path}: CoNLL-U has no column {column!r} {what}; {flag} takes {', '.join(_TAG_COLUMNS)}, or auto for "
            f"{'upos' if what == 'for tags' else 'form'}"
        )
    return name
