"""Tagged sentences in tables, a sentence a row: a list of tokens and a list of tags, as sets of the hub have them."""

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from data.errors import BadLines, UserError
from data.files import content_suffix
from data.tables.rows import as_text, read_rows, shown
from data.tagged_sentences.column_layout import MOST_TOKENS, Wanted

SUFFIXES = (".jsonl", ".json", ".parquet")
# How the columns are usually called, the likeliest first.
_TOKENS = ("tokens", "words", "token", "sentence", "text")
_TAGS = ("ner_tags", "ner", "tags", "ner_labels", "labels", "label", "entities", "upos", "pos_tags", "pos")


class ListColumns(NamedTuple):
    """Which columns of a table hold the lists.

    Args:
        tokens: The name of the tokens' column.
        tags: That of the tags'; None: they are not read.
        numbers: Whether the tags are numbers whose names are not known.
        others: Columns that could hold the tags, too.
    """

    tokens: str
    tags: str | None
    numbers: bool
    others: tuple[str, ...]

    def __str__(self) -> str:
        """In words: "lists: the tokens are tokens, the tags ner_tags"."""
        words = f"lists; the tokens are {self.tokens}"
        if self.tags is not None:
            words += f", the tags {self.tags}" + (", numbers without names" if self.numbers else "")
        if self.others:
            words += f"; {', '.join(self.others)} could be the tags too (--tag-column {self.others[0]})"
        return words


class Sentence(NamedTuple):
    """A row: its number, all its columns, its tokens (perhaps none), and their tags ("" where they are not read)."""

    number: int
    row: dict[str, Any]
    tokens: list[str]
    tags: list[str]


def are_lists(path: str | os.PathLike) -> bool:
    """Whether a file's name says that it is a table of lists."""
    return content_suffix(path) in SUFFIXES


def find_lists(path: str | os.PathLike, row: dict[str, Any], wanted: Wanted) -> ListColumns:
    """Finds the columns by the first row of a table.

    Raises:
        UserError: There is no such column, or none that is usual.

    Example:
        >>> find_lists("a.jsonl", {"id": "0", "tokens": ["Ann", "sings"], "ner_tags": [1, 0]}, Wanted())
        ListColumns(tokens='tokens', tags='ner_tags', numbers=True, others=())
    """
    lists = [name for name, value in row.items() if isinstance(value, list)]
    texts = [name for name in lists if all(isinstance(item, str) for item in row[name])]
    tokens = _named(path, "--token-column", wanted.token, row, _TOKENS, texts)
    alike = [name for name in lists if name != tokens and len(row[name]) == len(row[tokens])]
    tags = None
    if wanted.tag is not None:
        tags = _named(path, "--tag-column", wanted.tag, row, _TAGS, alike)
    numbers = tags is not None and any(isinstance(item, int) for item in row[tags])
    others = () if tags is None else tuple(name for name in alike if name != tags)
    return ListColumns(tokens, tags, numbers, others)


def _named(
    path: str | os.PathLike, flag: str, name: str, row: dict[str, Any], usual: tuple[str, ...], possible: list[str]
) -> str:
    if name != "auto":
        if not isinstance(row.get(name), list):
            raise UserError(
                f"{path}: {flag} {name}: expected a column of lists: {', '.join(possible) or 'none is one'}"
            )
        return name
    found = next((column for column in usual if column in possible), possible[0] if len(possible) == 1 else None)
    if found is None:
        names = f"; {flag} names one: {', '.join(possible)}" if possible else f"; its columns are {', '.join(row)}"
        raise UserError(f"{path}: expected a column of lists called {', '.join(usual[:4])} or the like{names}")
    return found


def read_lists(
    path: str | os.PathLike, wanted: Wanted, encoding: str = "utf-8", bad_lines: BadLines | None = None
) -> Iterator[Sentence]:
    """Reads a table of lists row by row, without holding it in memory.

    Args:
        path: A .jsonl, .json or .parquet file, as `data.tables.rows.read_rows` takes it.
        wanted: The names of the columns of tokens and tags; "auto" takes the usual ones.
        encoding: How the bytes of a .jsonl or .json file are to be read.
        bad_lines: What is done with rows that cannot be used; None raises for the first.

    Returns:
        The sentences. A tag that is a number, of which no name is known, is its digits.

    Raises:
        UserError: As `read_rows` and `find_lists`, or a row is bad, when the iterator gets there.
    """
    bad_lines = bad_lines or BadLines(skip=False)
    columns = None
    for number, row in read_rows(path, encoding, bad_lines):
        columns = columns or find_lists(path, row, wanted)
        tokens, problem = _texts(row, columns.tokens)
        tags = [""] * len(tokens)
        if columns.tags is not None and not problem:
            tags, problem = _texts(row, columns.tags)
        if problem:
            bad_lines.report(path, number, expected=problem, found=shown(row.get(problem.rpartition(" ")[2])))
        elif len(tags) != len(tokens):
            expected = f"as many {columns.tags} as {columns.tokens}"
            bad_lines.report(path, number, expected=expected, found=f"{len(tags)} and {len(tokens)}")
        elif len(tokens) > MOST_TOKENS:
            bad_lines.report(path, number, expected=f"at most {MOST_TOKENS:,} tokens", found=f"{len(tokens):,}")
        else:
            yield Sentence(number, row, tokens, tags)


def _texts(row: dict[str, Any], column: str) -> tuple[list[str], str]:
    """A list as texts, and what was expected in its place, or ""."""
    value = row.get(column)
    texts = [as_text(item) for item in value] if isinstance(value, list) else [None]
    found = [text for text in texts if text]
    return found, "" if len(found) == len(texts) else f"a list of texts, none of them empty, in {column}"
