"""Sentences whose every token has a tag: files of columns, as the CoNLL shared tasks use them, and CoNLL-U."""

import dataclasses
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from data.errors import BadLines, UserError
from data.files import check_file, content_suffix, decoded_lines, report_encoding, without_end
from data.tagged_sentences.conllu import ConlluColumns, UnusableLine, shown

# What a file of tagged sentences may be called in a folder, for `data.sources.split_files.find_splits`; "" is for eng.testa.
SUFFIXES = (".conll", ".conllu", ".txt", ".bio", ".iob", ".tsv", ".col", "")

_DOCUMENT_MARK = "-DOCSTART-"
_BLANKS = " \t\r"


@dataclasses.dataclass(frozen=True)
class TaggedSentences:
    """Sentences, cut into tokens, and a tag for each token.

    Attributes:
        tokens: the tokens of each sentence, as they stand in the file.
        tags: one tag for each token.
        lines: the line of each token; empty when the sentences come from no file.
        documents: the number, from 0, of the document that each sentence belongs to; empty when that is not known.
    """

    tokens: list[list[str]]
    tags: list[list[str]]
    lines: list[list[int]] = dataclasses.field(default_factory=list)
    documents: list[int] = dataclasses.field(default_factory=list)

    def select(self, sentences: Iterable[int]) -> "TaggedSentences":
        """Returns some of the sentences, in the order in which they are asked for.

        Args:
            sentences: their numbers, from 0.
        """
        numbers = list(sentences)
        columns = (self.tokens, self.tags, self.lines, self.documents)
        return TaggedSentences(*([column[number] for number in numbers] if column else [] for column in columns))


def read_tagged_sentences(
    path: str | os.PathLike,
    column: str = "auto",
    encoding: str = "utf-8",
    bad_lines: BadLines | None = None,
) -> TaggedSentences:
    """Reads tagged sentences: a token and its tag on each line, a blank line after each sentence.

    In a ``.conllu`` file the columns are those of CoNLL-U; its comments, the ranges of multiword tokens and the empty
    nodes are no tokens. In any other file the first column is the token. There the columns are separated by tabs where
    a line has one, else by blanks, every line has as many as the first, and a ``-DOCSTART-`` line begins a document.

    Args:
        path: the file, plain, .gz or .xz.
        column: the column of the tags: a number from 2 on, or in a .conllu file a name such as "xpos". "auto" takes
            the last column, and upos in a .conllu file.
        encoding: how the file's bytes are to be read.
        bad_lines: what is done with lines that cannot be used; None raises for the first. Where bad lines are skipped,
            the whole sentence around one is left out.

    Returns:
        The sentences, each of at least one token.

    Raises:
        UserError: when the file or the column is missing, no sentence can be used, or a line is bad.

    Example:
        >>> sentences = read_tagged_sentences("eng.testa.xz")
        >>> sentences.tokens[1], sentences.tags[1]
        (['LONDON', '1996-08-30'], ['I-LOC', 'O'])

    Source:
        The columns: https://aclanthology.org/W03-0419/, section 3. CoNLL-U: https://universaldependencies.org/format
    """
    path = check_file(path)
    bad_lines = bad_lines or BadLines(skip=False)
    columns = (ConlluColumns if content_suffix(path) == ".conllu" else TextColumns)(path, column)
    before = bad_lines.count
    result = TaggedSentences([], [])
    for tokens, tags, lines, document in _sentences(path, encoding, columns, bad_lines):
        result.tokens.append(tokens)
        result.tags.append(tags)
        result.lines.append(lines)
        result.documents.append(document)
    if result.tokens:
        return result
    if bad_lines.count > before:
        raise UserError(f"{path}: no sentence can be used: {bad_lines.summary()}")
    is_empty = not any(line.text.strip() for line in decoded_lines(path, encoding))
    raise UserError(f"{path} is empty" if is_empty else f"{path} has no sentences; expected a token and its tag a line")


def _sentences(
    path: Path, encoding: str, columns: "TextColumns | ConlluColumns", bad_lines: BadLines
) -> Iterator[tuple[list[str], list[str], list[int], int]]:
    """Yields the tokens, tags and lines of each sentence without a bad line, and the number of its document."""
    tokens, tags, numbers = [], [], []
    is_bad = False
    document = 0
    document_has_sentences = False
    for line in decoded_lines(path, encoding):
        text = without_end(line.text)
        if line.problem:
            report_encoding(path, encoding, line, bad_lines)
            is_bad = True
            continue
        begins_document = columns.begins_document(text)
        if begins_document or not text.strip(_BLANKS):
            if tokens and not is_bad:
                yield tokens, tags, numbers, document
            document_has_sentences |= bool(tokens)
            tokens, tags, numbers, is_bad = [], [], [], False
            if begins_document and document_has_sentences:
                document, document_has_sentences = document + 1, False
            continue
        try:
            word = columns.word(line.number, text)
        except UnusableLine as problem:
            bad_lines.report(path, line.number, expected=problem.expected, found=problem.found, advice=problem.advice)
            is_bad = True
            continue
        if word is not None:
            tokens.append(word[0])
            tags.append(word[1])
            numbers.append(line.number)
    if tokens and not is_bad:
        yield tokens, tags, numbers, document


class TextColumns:
    """The columns of a file in which the first is the token and a later one, by default the last, the tag.

    Args:
        path: the file, for the messages.
        column: the number of the tags' column, from 2 on, or "auto" for the last.

    Raises:
        UserError: for another word than these.
    """

    def __init__(self, path: Path, column: str):
        if column != "auto" and not (column.isdecimal() and int(column) > 1):
            raise UserError(
                f"{path}: the column {column!r} is not one of the tags; --tag-column takes auto for the last column, "
                "or a number from 2 on (1 is the token)"
            )
        self.path = path
        self.index = -1 if column == "auto" else int(column) - 1
        self.width: int | None = None  # columns in a line, once there was one
        self.first_line = 0

    def begins_document(self, text: str) -> bool:
        """Returns whether a line stands between two documents."""
        return text.startswith(_DOCUMENT_MARK) and text[len(_DOCUMENT_MARK) :][:1] in ("", " ", "\t")

    def word(self, number: int, text: str) -> tuple[str, str]:
        """Returns the token and the tag of a line.

        Raises:
            UnusableLine: it has too few columns, or not as many as the first line.
            UserError: the first line does not have the tags' column.
        """
        if "\t" in text:
            fields = [field.strip(_BLANKS) for field in text.split("\t")]
        else:
            fields = [field for field in text.split(" ") if field]
        if len(fields) < 2:
            raise UnusableLine("a token and its tag, with a tab or a blank between", shown(text))
        if self.width is None:
            self.width, self.first_line = len(fields), number
            if self.index >= self.width:
                raise UserError(
                    f"{self.path}:{number}: expected a column {self.index + 1}, found {self.width} columns; "
                    f"--tag-column takes a number from 2 to {self.width}, or auto for the last"
                )
        if len(fields) != self.width:
            raise UnusableLine(f"{self.width} columns, as on line {self.first_line}", f"{len(fields)} in {shown(text)}")
        token, tag = fields[0], fields[self.index]
        if not token or not tag:
            missing = "tag" if token else "token"
            raise UnusableLine(f"a {missing}", f"an empty column in {shown(text)}")
        return token, tag
