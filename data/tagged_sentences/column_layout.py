"""How a file of columns is laid out: what separates them, how many there are, and which are the token and the tag.

None of these stands in the file. They are told by its first lines together, never by one of them alone, and said.
"""

import dataclasses
import os
import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from data.errors import UserError, shown
from data.files import Line, without_end
from data.tables.delimited import Records, Writing
from data.tables.dialect import DELIMITERS, Layout, find_dialect
from data.tables.dialect import SAMPLED_LINES as LINES_OF_A_TABLE
from data.tagged_sentences.column_names import SENTENCES, TAGS, TOKENS, are_names, places_called
from data.tagged_sentences.tag_schemes import OUTSIDE, is_entity_tag

# So many lines are looked at.
SAMPLED_LINES = 5000
BLANKS = " \t\r"
# A longer sentence is none, and a network that reads it needs more memory than there is.
MOST_TOKENS = 2**16
_DOCUMENT_MARK = "-DOCSTART-"
# What may number a sentence.
_SENTENCE_NUMBER = re.compile(r"(sentence\W*)?[0-9]+", re.IGNORECASE)
# No sentence has tokens to be counted by numbers of more digits.
_MOST_DIGITS = 18
# The share of the lines of which something must be true that is said of all.
_NEARLY_ALL = 0.95
# A file of sentences: fewer of its lines than this have equally many words.
_EQUALLY_LONG = 0.6
_SENTENCE_ENDS = (".", "!", "?", "。", "！", "？", "…")


def cut(text: str, writing: Writing | None = None) -> list[str]:
    """The columns of a line as a table writes them, or else between tabs where it has one, else between blanks."""
    if writing:
        if '"' not in text:
            return [field.strip(BLANKS) for field in text.split(writing.delimiter)]
        _, fields, problem = next(iter(Records(iter([Line(0, text, "")]), writing)))
        return [text] if problem else [field.strip(BLANKS) for field in fields]
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
        token: The number of the tokens' column, from 1 on, or "last"; "auto" is the first that is called so, or else
            that neither numbers them or sentences nor holds tags of entities.
        tag: Likewise; "auto" is the last one that is called so, or that is not the tokens', or one of entities before
            these. None: tags are not read, and need not be there.
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
        writing: How they are separated by commas, semicolons or bars; None where it is tabs or blanks.
        first_line: The first line with as many.
        token: The place of the tokens' column, from 0.
        tag: That of the tags'; None: they are not read.
        numbered: Whether the first column numbers the tokens of a sentence.
        sentence: The place of a column that tells sentences apart: where it is not blank and changes, one begins.
        header: The line that names the columns; 0: none does.
        comment: The first comment, or "".
        other_tags: The places of other columns that hold tags of entities.
    """

    width: int
    has_tabs: bool
    writing: Writing | None
    first_line: int
    token: int
    tag: int | None
    numbered: bool
    sentence: int | None
    header: int
    comment: str
    other_tags: tuple[int, ...]

    def __str__(self) -> str:
        """In words: "4, separated by blanks; the token is 1, the tag 4"."""
        if not self.width:
            return "none"
        separator = "tab" if self.has_tabs else "blank"
        if self.writing:
            separator = next(name for name, mark in DELIMITERS.items() if mark == self.writing.delimiter)
        words = f"{self.width}{f', separated by {separator}s' if self.width > 1 else ''}; the token is {self.token + 1}"
        if self.tag is not None:
            words += f", the tag {self.tag + 1}"
        if self.numbered and self.token:
            words += " (1 numbers the tokens)"
        if self.sentence is not None:
            words += f"; {self.sentence + 1} tells sentences apart"
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
        return self.numbered or bool(re.match(r"#+ +\S" if self.has_tabs else r"#+ *[\w.]+ = ", text))


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
    writing = _writing(lines)
    rows, comments = _rows(lines, writing)
    if wanted.token == "auto" and wanted.tag in ("auto", None) and not writing and _are_sentences(rows):
        raise _no_columns(path, wanted, rows[0])
    names = rows[0].fields if rows and are_names(rows[0].fields) else []
    header = rows[0].number if names else 0
    rows = rows[1:] if names else rows
    least = 1 if wanted.tag is None else 2
    wide = [row for row in rows if len(row.fields) >= least] or rows
    width = Counter(len(row.fields) for row in wide).most_common(1)[0][0] if wide else 0
    rows = [row for row in rows if len(row.fields) == width]
    if not rows:
        tag = None if wanted.tag is None else 1
        return ColumnLayout(0, False, writing, 0, 0, tag, False, None, header, "", ())
    names = names if len(names) == width else []
    numbered = width > least and _numbers_tokens(rows)
    sentence = 0 if width > least and _numbers_sentences(rows) else None
    sentence = next(iter(places_called(SENTENCES, names)), sentence)
    counts = {sentence} | ({0} if numbered else set())
    filled = [place for place in range(width) if place not in counts and any(row.fields[place] for row in rows)]
    filled = filled or [width - 1]
    first_tags = filled[:1] if _tags_come_first(rows, filled[0], filled[-1]) else []
    auto = (places_called(TOKENS, names) or filled[len(first_tags) :])[0]
    token = _place("--token-column", wanted.token, width, auto, path, rows[0])
    if wanted.token == "auto" and sum(" " in row.fields[token] for row in rows) > len(rows) / 2:
        raise _no_columns(path, wanted, rows[0])
    others = [place for place in range(width) if place != token]
    tag = None
    if wanted.tag is not None and others:
        likely = (places_called(TAGS, names), first_tags, filled, others)
        auto = next(place for places in likely for place in reversed(places) if place != token)
        tag = _place("--tag-column", wanted.tag, width, auto, path, rows[0])
        if tag == token:
            raise UserError(
                f"{path}: column {tag + 1} cannot be the token and the tag; --token-column and --tag-column"
            )
    layout = ColumnLayout(
        width,
        sum("\t" in row.text for row in rows) > len(rows) / 2,
        writing,
        rows[0].number,
        token,
        tag if wanted.tag is None or others else 1,
        numbered,
        sentence,
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


def _no_columns(path: str | os.PathLike, wanted: Wanted, row: _Row) -> UserError:
    return UserError(
        f"{path}:{row.number}: a sentence, as it seems ({shown(row.text)}), where a token"
        f"{'' if wanted.tag is None else ' and its tag'} should stand on each line, and a blank line after each "
        "sentence; predict RUN < FILE reads sentences, a line each, and --token-column 1 takes them for columns"
    )


def _writing(lines: Sequence[Line]) -> Writing | None:
    """How the lines are written if they are a table with commas or the like: one of tokens by its names or its tags."""
    dialect = find_dialect(lines[:LINES_OF_A_TABLE], Layout(names_columns=are_names), usual="\t")
    if dialect.writing.delimiter == "\t" or len(dialect.columns) < 2:
        return None
    rows, _ = _rows(lines, dialect.writing)
    return dialect.writing if dialect.has_header or _has_entity_tags(rows, -1) else None


def _rows(lines: Sequence[Line], writing: Writing | None) -> tuple[list[_Row], list[_Row]]:
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
            maybe_comments.append(_Row(line.number, text, cut(text, writing), begins))
        else:
            rows.append(_Row(line.number, text, cut(text, writing), begins))
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


def _numbers_tokens(rows: list[_Row]) -> bool:
    """Whether the first column counts: 1, 2, 3."""
    steps = [(before.fields[0], row.fields[0]) for before, row in zip(rows, rows[1:]) if not row.begins]
    counted = sum(_is_number(one) and _is_number(other) and int(one) + 1 == int(other) for one, other in steps)
    return bool(steps) and counted >= _NEARLY_ALL * len(steps)


def _is_number(field: str) -> bool:
    return len(field) <= _MOST_DIGITS and field.isdecimal()


def _numbers_sentences(rows: list[_Row]) -> bool:
    """Whether the first column numbers sentences of 3 tokens or more on average, at each or at their first one."""
    values = [row.fields[0] for row in rows if row.fields[0]]
    different = [value for value, _ in groupby(values)]
    are_numbers = all(_SENTENCE_NUMBER.fullmatch(value) for value in different)
    return are_numbers and 1 < len(different) == len({*different}) <= len(rows) / 3


def _has_entity_tags(rows: list[_Row], place: int) -> bool:
    tags = Counter(row.fields[place] for row in rows)
    formed = sum(count for tag, count in tags.items() if is_entity_tag(tag))
    return formed > 0 and formed + tags[OUTSIDE] >= _NEARLY_ALL * len(rows)


def _tags_come_first(rows: list[_Row], first: int, last: int) -> bool:
    """Whether the first column holds tags of entities and the last does not; I alone is a word as well as a tag."""
    are_typed = any(len(row.fields[first]) > 1 for row in rows)
    return are_typed and _has_entity_tags(rows, first) and not _has_entity_tags(rows, last)


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
