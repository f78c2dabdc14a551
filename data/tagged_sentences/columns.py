"""Sentences whose every token has a tag: files of columns, as the CoNLL shared tasks use them, and CoNLL-U."""

import dataclasses
import os
from collections.abc import Iterator

from data.errors import BadLines, UserError, shown
from data.files import check_file, content_suffix, decoded_lines, report_encoding, without_end
from data.sources.rows import Rows
from data.tagged_sentences.conllu import SUFFIX, ConlluColumns, UnusableLine

# What a file of tagged sentences may be called in a folder, for `data.sources.split_files.find_splits`; "" is for
# eng.testa.
SUFFIXES = (".conll", SUFFIX, ".txt", ".bio", ".iob", ".tsv", ".col", "")

_DOCUMENT_MARK = "-DOCSTART-"
_BLANKS = " \t\r"


@dataclasses.dataclass(frozen=True)
class TaggedSentences(Rows):
    """Sentences, cut into tokens, and a tag for each token.

    Args:
        tokens: The tokens of each sentence, as they stand in the file.
        tags: One tag for each token.
        lines: The line of each token; empty when the sentences come from no file.
    """

    tokens: list[list[str]]
    tags: list[list[str]]
    lines: list[list[int]] = dataclasses.field(default_factory=list)


def read_tagged_sentences(
    path: str | os.PathLike,
    column: str = "auto",
    encoding: str = "utf-8",
    bad_lines: BadLines | None = None,
) -> TaggedSentences:
    """Reads tagged sentences: a token and its tag on each line, a blank line after each sentence.

    In a `.conllu` file the columns are those of CoNLL-U; its comments, the ranges of multiword tokens and the empty
    nodes are no tokens. In any other file the first column is the token. There the columns are separated by tabs where
    a line has one, else by blanks, and every line has as many as the first; a `-DOCSTART-` line is none of a sentence.

    Args:
        path: The file, plain, .gz or .xz.
        column: The column of the tags: a number from 2 on, or in a .conllu file a name such as "xpos". "auto" takes
            the last column, and upos in a .conllu file.
        encoding: How the file's bytes are to be read.
        bad_lines: What is done with lines that cannot be used; None raises for the first. Where bad lines are skipped,
            the whole sentence around one is left out.

    Returns:
        The sentences, each of at least one token.

    Raises:
        UserError: The file or the column is missing, no sentence can be used, or a line is bad.

    Example:
        sentences = read_tagged_sentences("eng.testa.xz")
        sentences.tokens[1], sentences.tags[1]   # ["LONDON", "1996-08-30"], ["I-LOC", "O"]

    Source:
        The columns: https://aclanthology.org/W03-0419/, section 3. CoNLL-U: https://universaldependencies.org/format
    """
    path = check_file(path)
    bad_lines = bad_lines or BadLines(skip=False)
    before = bad_lines.count
    result = TaggedSentences([], [])
    for part in read_parts(path, column, encoding, bad_lines):
        if part.tokens:
            result.tokens.append(part.tokens)
            result.tags.append(part.tags)
            result.lines.append([part.number + place for place in part.places])
    if result.tokens:
        return result
    if bad_lines.count > before:
        raise UserError(f"{path}: no sentence can be used: {bad_lines.summary()}")
    is_empty = not any(line.text.strip() for line in decoded_lines(path, encoding))
    raise UserError(f"{path} is empty" if is_empty else f"{path} has no sentences; expected a token and its tag a line")


@dataclasses.dataclass
class Part:
    """A sentence of a file with all the lines that it stands in, or one line that stands between sentences.

    Args:
        number: The number of the first line.
        lines: The lines, without their ends.
        tokens: The sentence's tokens; none of a line between sentences.
        tags: The tag of each; "" where tags are not read.
        places: In which of `lines` each token stands.
    """

    number: int
    lines: list[str] = dataclasses.field(default_factory=list)
    tokens: list[str] = dataclasses.field(default_factory=list)
    tags: list[str] = dataclasses.field(default_factory=list)
    places: list[int] = dataclasses.field(default_factory=list)


def read_parts(path: str | os.PathLike, column: str | None, encoding: str, bad_lines: BadLines) -> Iterator[Part]:
    """Reads a file sentence by sentence, without holding it in memory.

    Args:
        path: As `read_tagged_sentences` takes it.
        column: Likewise; None reads the tokens alone, and the file need not have tags.
        encoding: How the file's bytes are to be read.
        bad_lines: What is done with lines that cannot be used; the whole sentence around one is left out.

    Returns:
        The parts; their lines are the file's, but for sentences left out.

    Raises:
        UserError: As `read_tagged_sentences`, when the iterator gets there.
    """
    columns = (ConlluColumns if content_suffix(path) == SUFFIX else TextColumns)(path, column)
    part, is_bad = Part(1), False
    for line in decoded_lines(path, encoding):
        text = without_end(line.text)
        if not line.problem and (columns.begins_document(text) or not text.strip(_BLANKS)):
            if part.lines and not is_bad:
                yield part
            yield Part(line.number, [text])
            part, is_bad = Part(line.number + 1), False
            continue
        part.lines.append(text)
        if line.problem:
            report_encoding(path, encoding, line, bad_lines)
            is_bad = True
            continue
        try:
            word = columns.word(line.number, text)
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


class TextColumns:
    """The columns of a file in which the first is the token and a later one, by default the last, the tag.

    Args:
        path: The file, for the messages.
        column: The number of the tags' column, from 2 on, or "auto" for the last; None: tags are not read.

    Raises:
        UserError: It is another word than these.
    """

    def __init__(self, path: str | os.PathLike, column: str | None):
        if column not in (None, "auto") and not (column.isdecimal() and int(column) > 1):
            raise UserError(
                f"{path}: the column {column!r} is not one of the tags; --tag-column takes auto for the last column, "
                "or a number from 2 on (1 is the token)"
            )
        self.path = path
        self.index = None if column is None else -1 if column == "auto" else int(column) - 1
        self.width: int | None = None  # columns in a line, once there was one
        self.first_line = 0

    def begins_document(self, text: str) -> bool:
        """Whether a line stands between two documents."""
        return text.startswith(_DOCUMENT_MARK) and text[len(_DOCUMENT_MARK) :][:1] in ("", " ", "\t")

    def word(self, number: int, text: str) -> tuple[str, str]:
        """The token and the tag of a line.

        Raises:
            UnusableLine: It has too few columns, or not as many as the first line.
            UserError: The first line does not have the tags' column.
        """
        if "\t" in text:
            fields = [field.strip(_BLANKS) for field in text.split("\t")]
        else:
            fields = [field for field in text.split(" ") if field]
        if self.index is not None and len(fields) < 2:
            raise UnusableLine("a token and its tag, with a tab or a blank between", shown(text))
        if self.width is None:
            self.width, self.first_line = len(fields), number
            if self.index is not None and self.index >= self.width:
                raise UserError(
                    f"{self.path}:{number}: expected a column {self.index + 1}, found {self.width} columns; "
                    f"--tag-column takes a number from 2 to {self.width}, or auto for the last"
                )
        if len(fields) != self.width:
            columns = "1 column" if self.width == 1 else f"{self.width} columns"
            raise UnusableLine(f"{columns}, as on line {self.first_line}", f"{len(fields)} in {shown(text)}")
        token, tag = fields[0], "" if self.index is None else fields[self.index]
        if not token or not (tag or self.index is None):
            missing = "tag" if token else "token"
            raise UnusableLine(f"a {missing}", f"an empty column in {shown(text)}")
        return token, tag
