"""Sentences whose every token has a tag: files of columns, as the CoNLL shared tasks use them, CoNLL-U, and lists."""

import dataclasses
import os
from collections.abc import Iterator
from itertools import chain

from data.errors import BadLines, UserError, shown
from data.files import Line, check_file, content_suffix, decoded_lines, report_encoding, sampled, without_end
from data.sources.rows import Rows
from data.tables.rows import read_rows
from data.tagged_sentences.column_layout import (
    BLANKS,
    MOST_TOKENS,
    SAMPLED_LINES,
    ColumnLayout,
    Wanted,
    begins_document,
    cut,
    find_layout,
)
from data.tagged_sentences.conllu import SUFFIX, ConlluColumns, UnusableLine
from data.tagged_sentences.lists import SUFFIXES as LIST_SUFFIXES
from data.tagged_sentences.lists import are_lists, find_lists, read_lists

# What a file of tagged sentences may be called in a folder, for `data.sources.split_files.find_splits`; "" is for
# eng.testa.
SUFFIXES = (".conll", SUFFIX, ".txt", ".bio", ".iob", ".iob2", ".bmes", ".tsv", ".csv", ".col", *LIST_SUFFIXES, "")
# Of these, what is looked at only where no other holds what is needed: often the same sentences once more.
LAST_SUFFIXES = (".csv", *LIST_SUFFIXES)


@dataclasses.dataclass(frozen=True)
class TaggedSentences(Rows):
    """Sentences, cut into tokens, and a tag for each token.

    Args:
        tokens: The tokens of each sentence, as they stand in the file.
        tags: One tag for each token.
        lines: The line of each token, in a table of lists the row; empty when the sentences come from no file.
    """

    tokens: list[list[str]]
    tags: list[list[str]]
    lines: list[list[int]] = dataclasses.field(default_factory=list)

    @property
    def only_row(self) -> str:
        if not super().only_row:
            return ""
        return f"one sentence of {len(self.tokens[0]):,} tokens (a blank line ends a sentence)"


def read_tagged_sentences(
    path: str | os.PathLike,
    column: str = "auto",
    encoding: str = "utf-8",
    bad_lines: BadLines | None = None,
    token_column: str = "auto",
) -> TaggedSentences:
    """Reads tagged sentences: a token and its tag on each line, a blank line after each sentence; or lists of them.

    In a `.conllu` file the columns are those of CoNLL-U; its comments, the ranges of multiword tokens and the empty
    nodes are no tokens. In any other file columns are separated by tabs where a line has one, else by blanks, or by
    commas, semicolons or bars, and every line has as many as most of the first lines have; a `-DOCSTART-` line is none
    of a sentence, nor is a comment above one (`# id 1`). Where a column numbers the sentences, another number ends one,
    too. See `data.tagged_sentences.column_layout`. A `.jsonl`, `.json` or `.parquet` file has a sentence in each row,
    as lists of tokens and tags; there columns have names. See `data.tagged_sentences.lists`.

    Args:
        path: The file, plain, .gz or .xz; or .parquet.
        column: The column of the tags: its number from 1 on, "last", or in a .conllu file a name such as "xpos". "auto"
            takes the last column that is called so, or that is not the tokens', and upos in a .conllu file.
        encoding: How the file's bytes are to be read.
        bad_lines: What is done with lines that cannot be used; None raises for the first. Where bad lines are skipped,
            the whole sentence around one is left out.
        token_column: The column of the tokens, likewise. "auto" takes the first column that is called so, or that
            neither numbers them or sentences nor holds tags of entities; and form in a .conllu file.

    Returns:
        The sentences, each of at least one token.

    Raises:
        UserError: The file or the column is missing, no sentence can be used, a line is bad, or a sentence has more
            than `MOST_TOKENS` of them.

    Example:
        sentences = read_tagged_sentences("eng.testa.xz")
        sentences.tokens[1], sentences.tags[1]   # ["LONDON", "1996-08-30"], ["I-LOC", "O"]

    Source:
        The columns: https://aclanthology.org/W03-0419/, section 3. CoNLL-U: https://universaldependencies.org/format
    """
    bad_lines = bad_lines or BadLines(skip=False)
    before = bad_lines.count
    result = TaggedSentences([], [])
    for tokens, tags, lines in _sentences(path, Wanted(token_column, column), encoding, bad_lines):
        if tokens:
            result.tokens.append(tokens)
            result.tags.append(tags)
            result.lines.append(lines)
    if result.tokens:
        return result
    if bad_lines.count > before:
        raise UserError(f"{path}: no sentence can be used: {bad_lines.summary()}")
    if are_lists(path):
        raise UserError(f"{path} has no sentences; every list of tokens is empty")
    is_empty = not any(line.text.strip() for line in decoded_lines(path, encoding))
    raise UserError(f"{path} is empty" if is_empty else f"{path} has no sentences; expected a token and its tag a line")


def _sentences(
    path: str | os.PathLike, wanted: Wanted, encoding: str, bad_lines: BadLines
) -> Iterator[tuple[list[str], list[str], list[int]]]:
    """The tokens, tags and lines of each sentence."""
    if are_lists(path):
        for sentence in read_lists(path, wanted, encoding, bad_lines):
            yield sentence.tokens, sentence.tags, [sentence.number] * len(sentence.tokens)
        return
    for part in read_parts(check_file(path), wanted, encoding, bad_lines):
        yield part.tokens, part.tags, [part.number + place for place in part.places]


def describe_columns(path: str | os.PathLike, wanted: Wanted, encoding: str = "utf-8") -> str:
    """What the columns of a file are taken to be, in words.

    Raises:
        UserError: As `read_tagged_sentences`, for what the first lines tell.
    """
    if are_lists(path):
        first = next((row for _, row in read_rows(path, encoding, BadLines(skip=True))), None)
        return str(find_lists(path, first, wanted)) if first else "none"
    return str(_columns(path, wanted, sampled(decoded_lines(path, encoding), SAMPLED_LINES)))


@dataclasses.dataclass
class Part:
    """A sentence of a file with all the lines that it stands in, or one line that stands between sentences.

    Args:
        number: The number of the first line.
        lines: The lines, without their ends.
        tokens: The sentence's tokens; none of a line between sentences.
        tags: The tag of each; "" where tags are not read.
        places: In which of `lines` each token stands.
        layout: How the columns are laid out; None of CoNLL-U.
    """

    number: int
    lines: list[str] = dataclasses.field(default_factory=list)
    tokens: list[str] = dataclasses.field(default_factory=list)
    tags: list[str] = dataclasses.field(default_factory=list)
    places: list[int] = dataclasses.field(default_factory=list)
    layout: ColumnLayout | None = None


def read_parts(path: str | os.PathLike, wanted: Wanted, encoding: str, bad_lines: BadLines) -> Iterator[Part]:
    """Reads a file sentence by sentence, without holding it in memory.

    Args:
        path: As `read_tagged_sentences` takes it.
        wanted: Which columns are the token and the tag.
        encoding: How the file's bytes are to be read.
        bad_lines: What is done with lines that cannot be used; the whole sentence around one is left out.

    Returns:
        The parts; their lines are the file's, but for sentences left out.

    Raises:
        UserError: As `read_tagged_sentences`, when the iterator gets there.
    """
    lines = decoded_lines(path, encoding)
    sample = sampled(lines, SAMPLED_LINES)
    columns = _columns(path, wanted, sample)
    part, is_bad, sentence = Part(1, layout=columns.layout), False, ""
    for line in chain(sample, lines):
        text = without_end(line.text)
        if not line.problem and (columns.begins_document(text) or not text.strip(BLANKS)):
            if part.lines and not is_bad:
                yield part
            yield Part(line.number, [text])
            part, is_bad = Part(line.number + 1, layout=columns.layout), False
            continue
        if (another := columns.sentence(text)) and another != sentence:
            if part.lines and not is_bad:
                yield part
            part, is_bad, sentence = Part(line.number, layout=columns.layout), False, another
        part.lines.append(text)
        if len(part.lines) > MOST_TOKENS:
            most = f"a sentence of more than {MOST_TOKENS:,} lines, the most that is read"
            raise UserError(f"{path}:{line.number}: {most}; a blank line ends a sentence")
        if line.problem:
            report_encoding(path, encoding, line, bad_lines)
            is_bad = True
            continue
        try:
            word = columns.word(line.number, text, begins=not part.tokens)
        except UnusableLine as problem:
            bad_lines.report(path, line.number, expected=problem.expected, found=problem.found, advice=problem.advice)
            is_bad = True
            continue
        if word is not None:
            part.tokens.append(word[0])
            part.tags.append(word[1])
            part.places.append(len(part.lines) - 1)
    if part.lines and not is_bad:
        yield part


def _columns(path: str | os.PathLike, wanted: Wanted, sample: list[Line]) -> "ConlluColumns | TextColumns":
    if content_suffix(path) == SUFFIX:
        return ConlluColumns(path, wanted.tag, wanted.token)
    return TextColumns(find_layout(path, sample, wanted))


class TextColumns:
    """The columns of a file that is laid out in some way, as `ConlluColumns` are those of CoNLL-U."""

    begins_document = staticmethod(begins_document)

    def __init__(self, layout: ColumnLayout):
        self.layout = layout

    def __str__(self) -> str:
        return str(self.layout)

    def sentence(self, text: str) -> str:
        """What tells the sentence of a line from others; "" where no column does, or it is blank, as above."""
        place = self.layout.sentence
        fields = [] if place is None else cut(text, self.layout.writing)
        return fields[place] if place is not None and len(fields) == self.layout.width else ""

    def word(self, number: int, text: str, begins: bool) -> tuple[str, str] | None:
        """The token and the tag of a line; None of a line that is no token.

        Args:
            number: The line's number.
            text: The line.
            begins: Whether no token of the sentence stands before it.

        Raises:
            UnusableLine: It has too few columns, or not as many as most lines.
        """
        layout, fields = self.layout, cut(text, self.layout.writing)
        if number == layout.header or (begins and layout.is_comment(text, fields)):
            return None
        if layout.tag is not None and len(fields) < 2 and not layout.writing:
            advice = "commas separate columns below a first line such as token,tag" if "," in text[1:-1] else ""
            raise UnusableLine("a token and its tag, with a tab or a blank between", shown(text), advice)
        if not any(fields[layout.width :]):
            fields = fields[: layout.width]  # a line may end in a tab
        if len(fields) != layout.width:
            columns = "1 column" if layout.width == 1 else f"{layout.width} columns"
            raise UnusableLine(f"{columns}, as on line {layout.first_line}", f"{len(fields)} in {shown(text)}")
        token, tag = fields[layout.token], "" if layout.tag is None else fields[layout.tag]
        if not token or not (tag or layout.tag is None):
            missing = "tag" if token else "token"
            raise UnusableLine(f"a {missing}", f"an empty column in {shown(text)}")
        return token, tag
