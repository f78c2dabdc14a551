"""Captions of pictures, in whichever of several formats they stand; and lists of pictures."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from data.captioned_pictures.caption_columns import Caption, Told, captions_of_rows, find_columns
from data.captioned_pictures.caption_json import beginning, read_json_captions
from data.captioned_pictures.caption_tables import find_table, read_line_captions, read_table_captions
from data.captioned_pictures.names import without_number
from data.errors import BadLines, UserError
from data.files import check_file, content_suffix, decoded_lines, numbered_lines, sampled
from data.tables.dialect import SAMPLED_LINES, find_dialect
from data.tables.parquet import PARQUET
from data.tables.rows import read_rows

JSON, JSON_LINES = ".json", ".jsonl"
# What a file of captions or a list of pictures may be called otherwise.
TEXT_SUFFIXES = (".txt", ".tsv", ".token", ".lst")


class CaptionFile(NamedTuple):
    """A file of captions.

    Args:
        description: In words, what it was recognized as.
        captions: What it holds.
        says_splits: Whether it may say in which split a picture is.
    """

    description: str
    captions: Iterator[Caption]
    says_splits: bool = False


def open_captions(
    path: str | os.PathLike,
    encoding: str = "utf-8",
    bad_lines: BadLines | None = None,
    is_picture: Callable[[str], bool] = lambda name: False,
    told: Told = Told(),
) -> CaptionFile:
    """Opens a file of captions.

    Args:
        path: The file, plain, .gz or .xz; see templates/captioning/README.md for the formats.
        encoding: How its bytes are to be read.
        bad_lines: What is done with lines and entries that cannot be used; None raises for the first.
        is_picture: Tells whether there is a picture that is called so.
        told: What is known of delimited files.

    Returns:
        What it was recognized as, and its captions. A file that is none of the formats is taken for lines of
        `name<TAB>caption`, each of which is bad then.

    Raises:
        UserError: The file is missing, or no JSON of a kind that is known; at once. A line is bad; when its turn comes.
    """
    path = check_file(path)
    bad_lines = bad_lines or BadLines(skip=False)
    suffix = content_suffix(path)
    if suffix == JSON:
        return CaptionFile(*read_json_captions(path, encoding, bad_lines), says_splits=True)
    if suffix in (JSON_LINES, PARQUET):
        rows = read_rows(path, encoding, bad_lines)
        first = next(rows, (0, {}))
        told.check(path, list(first[1]))
        columns = find_columns(first[1], told)
        if not columns:
            fields = ", ".join(map(str, first[1])) or "none"
            raise UserError(f"{path}: no fields of file names and captions, such as file_name and text; found {fields}")
        again = read_rows(path, encoding, bad_lines)
        kind = "JSON Lines, " if suffix == JSON_LINES else ""
        return CaptionFile(
            f"{kind}{columns}", captions_of_rows(f"{path}", again, columns, bad_lines), columns.split is not None
        )
    table = find_table(path, encoding, is_picture, told)
    if table:
        return CaptionFile(
            str(table), read_table_captions(path, table, encoding, bad_lines), table.columns.split is not None
        )
    check_columns(path, encoding, told)
    return CaptionFile("name, tab, caption on each line", read_line_captions(path, encoding, bad_lines))


def check_columns(path: Path, encoding: str, told: Told) -> None:
    """Raises a `UserError` where a delimited file has no column of a name that the user gave."""
    sample = sampled(decoded_lines(path, encoding), SAMPLED_LINES)
    told.check(path, find_dialect(sample, told.layout).columns)


class NamedPictures(NamedTuple):
    """The pictures that a file names.

    Args:
        description: In words, what it was recognized as; "" for a list of names.
        names: Number of the line, name, and why the line is not valid text ("" if it is).
    """

    description: str
    names: Iterator[tuple[int, str, str]]


def open_names(
    path: str | os.PathLike,
    encoding: str,
    bad_lines: BadLines,
    is_picture: Callable[[str], bool],
    told: Told = Told(),
) -> NamedPictures:
    """Opens a file that names pictures: one of captions, or a list with a name on each line.

    Args:
        path: The file, plain, .gz or .xz.
        encoding: How its bytes are to be read.
        bad_lines: What is done with lines of captions that cannot be used.
        is_picture: Tells whether there is a picture that is called so.
        told: What is known of delimited files.

    Raises:
        UserError: As `open_captions`.
    """
    path = check_file(path)
    is_list = content_suffix(path) not in (JSON, JSON_LINES, PARQUET) and not find_table(
        path, encoding, is_picture, told
    )
    if not is_list:
        opened = open_captions(path, encoding, bad_lines, is_picture, told)
        return NamedPictures(opened.description, ((one.number, one.name, "") for one in opened.captions))
    return NamedPictures("", _listed_names(path, encoding))


def _listed_names(path: Path, encoding: str) -> Iterator[tuple[int, str, str]]:
    for line in decoded_lines(path, encoding):
        name = line.text.strip()
        if name or line.problem:
            yield line.number, name, f"expected {encoding} text, found {line.problem}" if line.problem else ""


def read_captions(
    path: str | os.PathLike, encoding: str = "utf-8", bad_lines: BadLines | None = None
) -> dict[str, list[str]]:
    """Reads the captions of pictures.

    Args:
        path: As `open_captions` takes it.
        encoding: How its bytes are to be read.
        bad_lines: What is done with lines and JSON entries that cannot be used; None raises for the first.

    Returns:
        From each picture's name, as it stands there but for `#` and the caption's number, to its captions in the order
        of the file, one at least.

    Raises:
        UserError: The file is missing, is no JSON of a known kind, has no captions, or a line is bad: it is not valid
            in the encoding, has no name, or no caption.

    Example:
        >>> read_captions("Flickr8k.token.txt.xz")["1001773457_577c3a7d70.jpg"][0]
        'A black dog and a spotted dog are fighting'
    """
    bad_lines = bad_lines or BadLines(skip=False)
    captions: dict[str, list[str]] = {}
    for caption in checked_captions(path, open_captions(path, encoding, bad_lines).captions, bad_lines):
        captions.setdefault(without_number(caption.name), []).append(caption.text)
    return captions


def checked_captions(path: str | os.PathLike, captions: Iterator[Caption], bad_lines: BadLines) -> list[Caption]:
    """The captions of a file, one at least.

    Raises:
        UserError: There is none.
    """
    before = bad_lines.count
    found = list(captions)
    if found:
        return found
    if bad_lines.count > before:
        raise UserError(f"{path}: no caption can be used: {bad_lines.summary()}")
    raise UserError(f"{path} has no captions")


def splits_in(
    path: Path, encoding: str, is_picture: Callable[[str], bool] = lambda name: False, told: Told = Told()
) -> list[str]:
    """The splits that a file of captions says that its pictures are in, in the order of the file; none if it does not.

    Args:
        path: As `open_captions` takes it, and the others likewise.
    """
    if content_suffix(path) == JSON and '"split"' not in beginning(path, encoding):
        return []  # COCO's files take seconds to read
    opened = open_captions(path, encoding, BadLines(skip=True), is_picture, told)
    captions = opened.captions if opened.says_splits else ()
    return list(dict.fromkeys(caption.split for caption in captions if caption.split))


def read_picture_list(path: str | os.PathLike, encoding: str = "utf-8", bad_lines: BadLines | None = None) -> list[str]:
    """Reads the names of a split's pictures, one on each line.

    Args:
        path: The file, plain, .gz or .xz.
        encoding: How its bytes are to be read.
        bad_lines: What is done with lines that are not valid in the encoding; None raises for the first.

    Returns:
        The names, each once, in the order of the file; maybe none.

    Raises:
        UserError: The file is missing, or a line is not valid in the encoding.
    """
    names = (text.strip() for _, text in numbered_lines(path, encoding, bad_lines))
    return list(dict.fromkeys(name for name in names if name))
