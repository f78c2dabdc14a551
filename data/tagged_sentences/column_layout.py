"""How a file of columns is laid out: what separates them, how many there are, and which are the token and the tag.

None of these stands in the file. They are told by its first lines together, never by one of them alone, and said.
"""

import dataclasses
import os
import re
from collections import Counter
from collections.abc import Sequence

from data.errors import UserError, shown
from data.files import Line, without_end
from data.tagged_sentences.tag_schemes import OUTSIDE, is_entity_tag

# So many lines are looked at.
SAMPLED_LINES = 5000
BLANKS = " \t\r"
_DOCUMENT_MARK = "-DOCSTART-"
# What a line above the first sentence may call its columns.
_TOKEN_NAMES = {"token", "tokens", "word", "words", "form", "text"}
_OTHER_NAMES = {"id", "index", "lemma", "pos", "upos", "xpos", "chunk", "tag", "tags", "label", "labels", "iob", "bio"}
_OTHER_NAMES |= {"ner", "ner_tag", "ner_tags", "entity", "entities", "sentence", "misc"}
# The share of the lines of which something must be true that is said of all.
_NEARLY_ALL = 0.95
# A file of sentences: fewer of its lines than this have equally many words.
_EQUALLY_LONG = 0.6
_SENTENCE_ENDS = (".", "!", "?", "。", "！", "？", "…")


def cut(text: str) -> list[str]:
    """The columns of a line: between tabs where it has one, else between blanks."""
    if "\t" in text:
        return [field.strip(BLANKS) for field in text.split("\t")]
    return [field for field in text.strip(BLANKS).split(" ") if field]


def begins_document(text: str) -> bool:
    """Whether a line stands between two documents."""
    return text.startswith(_DOCUMENT_MARK) and text[len(_DOCUMENT_MARK) :][:1] in ("", " ", "\t")


@dataclasses.dataclass(frozen=True)
class Wanted:
    """Which columns are asked for.

    Args:
        token: The number of the tokens' column, from 1 on, or "last"; "auto" is the first that does not number them.
        tag: Likewise; "auto" is the last one that is not the tokens'. None: tags are not read, and need not be there.
    """

    token: str = "auto"
    tag: str | None = "auto"

    def check(self, path: str | os.PathLike) -> None:
        """Raises a `UserError` for what is no column of a file of columns, whatever the file holds."""
        for flag, column in (("--token-column", self.token), ("--tag-column", self.tag)):
            if column not in (None, "auto", "last") and not (column.isdecimal() and int(column)):
                raise UserError(
                    f"{path}: {flag} {column}: expected the number of a column, from 1 on, last or auto; "
                    "columns have names in .conllu, .jsonl and .parquet files only"
                )


@dataclasses.dataclass(frozen=True)
class ColumnLayout:
    """How a file of columns is laid out.

    Args:
        width: The number of columns; 0 where there is no line.
        has_tabs: Whether tabs separate them, not blanks.
        first_line: The first line with as many.
        token: The place of the tokens' column, from 0.
        tag: That of the tags'; None: they are not read.
        numbered: Whether the first column numbers the tokens of a sentence.
        header: The line that names the columns; 0: none does.
        comment: The first comment, or "".
        other_tags: The places of other columns that hold tags of entities.
    """

    width: int
    has_tabs: bool
    first_line: int
    token: int
    tag: int | None
    numbered: bool
    header: int
    comment: str
    other_tags: tuple[int, ...]

    def __str__(self) -> str:
        """In words: "4, separated by blanks; the token is 1, the tag 4"."""
        if not self.width:
            return "none"
        separator = f", separated by {'tabs' if self.has_tabs else 'blanks'}" if self.width > 1 else ""
        words = f"{self.width}{separator}; the token is {self.token + 1}"
        if self.tag is not None:
            words += f", the tag {self.tag + 1}"
        if self.numbered and self.token:
            words += " (1 numbers the tokens)"
        if self.header:
            words += f"; line {self.header} names them"
        if self.comment:
            words += f"; lines such as {shown(self.comment)} are comments"
        if self.other_tags:
            others = " and ".join(str(place + 1) for place in self.other_tags)
            verb = "has" if len(self.other_tags) == 1 else "have"
            words += f"; {others} {verb} tags of entities too (--tag-column {self.other_tags[0] + 1})"
        return words

    def is_comment(self, text: str, fields: list[str]) -> bool:
        """Whether a line before the first token of a sentence is a comment: it begins with # and is not like tokens."""
        if not text.startswith("#"):
            return False
        if len(fields) != self.width or (self.width > 1 and ("\t" in text) != self.has_tabs):
            return True
        return bool(re.match(r"#+ +\S" if self.has_tabs else r"#+ *[\w.]+ = ", text))


def find_layout(path: str | os.PathLike, lines: Sequence[Line], wanted: Wanted) -> ColumnLayout:
    """Finds out how a file of columns is laid out.

    Args:
        path: The file, for messages.
        lines: Its first lines, up to `SAMPLED_LINES`.
        wanted: The columns that are asked for.

    Raises:
        UserError: The lines are sentences and not columns, or there is no column of a number that is asked for.

    Example:
        >>> str(find_layout("a.tsv", [Line(1, "1\\tAnn\\tB-PER\\n", ""), Line(2, "2\\tsings\\tO\\n", "")], Wanted()))
        '3, separated by tabs; the token is 2, the tag 3 (1 numbers the tokens)'
    """
    wanted.check(path)
    rows, comments = _rows(lines)
    if wanted.token == "auto" and wanted.tag in ("auto", None) and _are_sentences(rows):
        raise UserError(
            f"{path}:{rows[0].number}: a sentence, as it seems ({shown(rows[0].text)}), where a token"
            f"{'' if wanted.tag is None else ' and its tag'} should stand on each line, and a blank line after each "
            "sentence; predict RUN < FILE reads sentences, a line each, and --token-column 1 takes them for columns"
        )
    header = rows[0].number if rows and _is_header(rows[0].fields) else 0
    rows = rows[1:] if header else rows
    least = 1 if wanted.tag is None else 2
    wide = [row for row in rows if len(row.fields) >= least] or rows
    width = Counter(len(row.fields) for row in wide).most_common(1)[0][0] if wide else 0
    rows = [row for row in rows if len(row.fields) == width]
    if not rows:
        return ColumnLayout(0, False, 0, 0, None if wanted.tag is None else 1, False, header, "", ())
    numbered = width > least and _numbers_tokens(rows)
    token = _place("--token-column", wanted.token, width, int(numbered), path, rows[0])
    others = [place for place in range(width) if place != token]
    tag = None
    if wanted.tag is not None and others:
        tag = _place("--tag-column", wanted.tag, width, others[-1], path, rows[0])
        if tag == token:
            raise UserError(
                f"{path}: column {tag + 1} cannot be the token and the tag; --token-column and --tag-column"
            )
    layout = ColumnLayout(
        width,
        sum("\t" in row.text for row in rows) > len(rows) / 2,
        rows[0].number,
        token,
        tag if wanted.tag is None or others else 1,
        numbered,
        header,
        "",
        () if tag is None else tuple(place for place in others if place != tag and _has_entity_tags(rows, place)),
    )
    comment = next((row.text for row in comments if layout.is_comment(row.text, row.fields)), "")
    return dataclasses.replace(layout, comment=comment)


@dataclasses.dataclass(frozen=True)
class _Row:
    number: int
    text: str
    fields: list[str]
    begins: bool  # a sentence


def _rows(lines: Sequence[Line]) -> tuple[list[_Row], list[_Row]]:
    """The lines of sentences, and those before the first tokens of one that look like comments."""
    rows: list[_Row] = []
    maybe_comments: list[_Row] = []
    begins = True
    for line in lines:
        text = without_end(line.text)
        if line.problem:
            continue
        if begins_document(text) or not text.strip(BLANKS):
            begins = True
        elif begins and text.startswith("#"):
            maybe_comments.append(_Row(line.number, text, cut(text), begins))
        else:
            rows.append(_Row(line.number, text, cut(text), begins))
            begins = False
    return rows or maybe_comments, maybe_comments


def _place(flag: str, column: str, width: int, auto: int, path: str | os.PathLike, row: _Row) -> int:
    if column in ("auto", "last"):
        return auto if column == "auto" else width - 1
    if int(column) > width:
        raise UserError(
            f"{path}:{row.number}: expected a column {column}, found {width} column{'s' * (width > 1)}; {flag} takes a "
            f"number from 1 to {width}, last or auto"
        )
    return int(column) - 1


def _is_header(fields: list[str]) -> bool:
    names = [field.lower().strip("# ") for field in fields]
    return len(names) > 1 and not _TOKEN_NAMES.isdisjoint(names) and {*names} <= _TOKEN_NAMES | _OTHER_NAMES


def _numbers_tokens(rows: list[_Row]) -> bool:
    """Whether the first column counts: 1, 2, 3."""
    steps = [(before.fields[0], row.fields[0]) for before, row in zip(rows, rows[1:]) if not row.begins]
    counted = sum(one.isdecimal() and other.isdecimal() and int(one) + 1 == int(other) for one, other in steps)
    return bool(steps) and counted >= _NEARLY_ALL * len(steps)


def _has_entity_tags(rows: list[_Row], place: int) -> bool:
    tags = Counter(row.fields[place] for row in rows)
    formed = sum(count for tag, count in tags.items() if is_entity_tag(tag))
    return formed > 0 and formed + tags[OUTSIDE] >= _NEARLY_ALL * len(rows)


def _are_sentences(rows: list[_Row]) -> bool:
    """Whether lines are whole sentences: of as many words as it happens, or each by itself and without a tag."""
    if not rows or any("\t" in row.text for row in rows):
        return False
    lengths = Counter(len(row.fields) for row in rows)
    if lengths.most_common(1)[0][0] == 1:
        # Without blanks between its words, as in Chinese.
        return sum(len(row.text) > 2 and row.text.endswith(_SENTENCE_ENDS[3:]) for row in rows) > len(rows) / 2
    if sum(len(row.fields) > 2 for row in rows) < len(rows) / 2 or any(map(_ends_in_entity_tag, rows)):
        return False
    vary = len(rows) > 1 and lengths.most_common(1)[0][1] < _EQUALLY_LONG * len(rows)
    return vary or (all(row.begins for row in rows) and not any(map(_ends_like_a_tag, rows)))


def _ends_in_entity_tag(row: _Row) -> bool:
    return row.fields[-1] == OUTSIDE or is_entity_tag(row.fields[-1])


def _ends_like_a_tag(row: _Row) -> bool:
    last = row.fields[-1]
    return last == last.upper() and not last.endswith(_SENTENCE_ENDS)
