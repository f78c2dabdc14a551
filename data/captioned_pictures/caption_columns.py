"""Which columns of a table, or fields of an object, hold the pictures' names, their captions and their splits."""

import ast
import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from data.errors import BadLines, UserError
from data.json_text import parse_json
from data.sources.split_files import STANDARD_STEMS
from data.tables.dialect import Layout
from data.tables.rows import shown

AUTO = "auto"
# Compared by their letters and digits: "image_name" is "Image Name". The first that is there counts.
PICTURE_COLUMNS = (
    "filename", "imagename", "imagefile", "imagefilename", "imagepath", "filepath", "image", "file", "path", "picture",
    "photo", "img", "imageid", "imgid", "photoid", "name", "id",
)  # fmt: skip
CAPTION_COLUMNS = (
    "caption", "captions", "text", "comment", "sentence", "sentences", "description", "raw", "title", "prompt",
)  # fmt: skip
SPLIT_COLUMNS = ("split", "subset")
_NUMBERED = re.compile(r"(caption|text|sentence|comment)\d+$")
# Karpathy and Li's further training pictures, out of COCO's validation split.
_RESTVAL = "restval"
# A list that is written out is parsed as Python, which takes some hundred times its size.
_LONGEST_LIST = 2**20  # characters
# In an object that stands for a caption.
_TEXT_KEYS = ("raw", "caption", "text")


class Caption(NamedTuple):
    """A caption of a picture.

    Args:
        number: Of its line or entry, from 1.
        name: The picture's name, as it stands there, maybe with `#` and the caption's number.
        text: The caption.
        split: The picture's split, where the file says it.
    """

    number: int
    name: str
    text: str
    split: str | None = None


@dataclasses.dataclass(frozen=True)
class Told:
    """What the user says of tables of captions.

    Args:
        layout: Of delimited ones: the separator, and whether the first line names the columns.
        picture_column: The column of the pictures' names: its name, its number from 1, or "auto".
        caption_column: Likewise that of the captions.
    """

    layout: Layout = Layout()
    picture_column: str = AUTO
    caption_column: str = AUTO

    def chosen(self, names: Sequence[str]) -> tuple[str | None, str | None]:
        """The columns of pictures and captions that are asked for: `AUTO` for none, None for one that is not there."""
        return _chosen(names, self.picture_column), _chosen(names, self.caption_column)

    def check(self, path: Path, names: Sequence[str]) -> None:
        """Raises a `UserError` if there is no column of a name that is asked for."""
        for flag, name in (("--picture-column", self.picture_column), ("--caption-column", self.caption_column)):
            if _chosen(names, name) is None:
                raise UserError(f"{path} has no column {name!r} for {flag}; its columns are {', '.join(names)}")


@dataclasses.dataclass(frozen=True)
class Columns:
    """The columns that are read.

    Args:
        picture: That of the pictures' names.
        captions: Those of the captions: several where each picture has a row.
        split: That of the splits, if any.
        hold_lists: Whether a text of captions is a list of them, as JSON or Python writes it.
    """

    picture: str
    captions: list[str]
    split: str | None = None
    hold_lists: bool = False

    def __str__(self) -> str:
        names = [self.picture, *self.captions, *([self.split] if self.split else [])]
        names = [str(name).strip() for name in names]
        lists = " (lists of captions)" if self.hold_lists else ""
        return f"columns {', '.join(names[:-1])} and {names[-1]}{lists}"


def find_columns(names: Iterable[Any], told: Told = Told()) -> Columns | None:
    """Finds the columns of pictures, captions and splits by their names.

    Args:
        names: Of all columns.
        told: Which are asked for.

    Returns:
        The columns; None where one is missing.

    Example:
        >>> find_columns(["image_name", " comment_number", " comment"])
        Columns(picture='image_name', captions=[' comment'], split=None)
    """
    names = list(names)
    by_letters: dict[str, str] = {}
    for name in names:
        by_letters.setdefault(same_letters(name), name)
    picture, caption = told.chosen(names)
    captions = [name for letters, name in by_letters.items() if _NUMBERED.match(letters)] if caption == AUTO else []
    picture = _first(by_letters, PICTURE_COLUMNS) if picture == AUTO else picture
    caption = _first(by_letters, CAPTION_COLUMNS) if caption == AUTO else caption
    captions = captions or ([caption] if caption is not None else [])
    if picture is None or not captions:
        return None
    return Columns(picture, captions, _first(by_letters, SPLIT_COLUMNS))


def same_letters(name: Any) -> str:
    """A column's name as it is compared: "Image Name" is "imagename"."""
    return re.sub(r"[\W_]", "", str(name).lower())


def captions_of_rows(
    path: str, rows: Iterable[tuple[int, dict[str, Any]]], columns: Columns, bad_lines: BadLines
) -> Iterator[Caption]:
    """The captions in rows: a text, or a list of texts, or of objects that hold one, in each column of captions.

    Args:
        path: What a bad row is named by, with its number.
        rows: Their numbers, and their values by their columns.
        columns: Which are read.
        bad_lines: What is done with a row without a picture's name or without a caption.
    """
    for number, row in rows:
        name = _name(row.get(columns.picture))
        values = [row.get(column) for column in columns.captions]
        values = [as_list(value) or value for value in values] if columns.hold_lists else values
        texts = [text for value in values for text in _texts(value)]
        if name and texts:
            split = split_name(row.get(columns.split)) if columns.split else None
            yield from (Caption(number, name, text, split) for text in texts)
            continue
        wanted = "a caption" if name else "a picture's name"
        column, value = (columns.captions[0], values[0]) if name else (columns.picture, row.get(columns.picture))
        bad_lines.report(path, number, expected=f"{wanted} in {column!r}", found=shown(value))


def as_list(text: Any) -> list[str] | None:
    """The texts in a list that is written out, as pandas writes one into a table: "['A dog', 'Two dogs']"."""
    if not isinstance(text, str) or len(text) > _LONGEST_LIST or not text.strip().startswith("["):
        return None
    for parse in (parse_json, ast.literal_eval):
        try:
            found = parse(text.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, list) and found and all(isinstance(one, str) for one in found):
            return found
    return None


def split_name(value: Any) -> str | None:
    """The usual name of a split that a file says: `restval` belongs to "train", "val" is "validation"."""
    said = str(value or "").strip().lower()
    return "train" if said == _RESTVAL else STANDARD_STEMS.get(said, said) or None


def _chosen(names: Sequence[str], name: str) -> str | None:
    if name == AUTO:
        return AUTO
    same = [one for one in names if str(one).strip().lower() == name.strip().lower()]
    if not same and name.isdecimal() and 0 < int(name) <= len(names):
        return names[int(name) - 1]
    return same[0] if same else None


def _first(by_letters: dict[str, str], wanted: Sequence[str]) -> str | None:
    return next((by_letters[letters] for letters in wanted if letters in by_letters), None)


def _name(value: Any) -> str:
    if isinstance(value, dict):  # as `datasets` keeps a picture: its path, and maybe its bytes
        value = value.get("path")
    is_name = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value).strip() if is_name else ""


def _texts(value: Any) -> list[str]:
    if isinstance(value, list | tuple):
        return [text for item in value for text in _texts(item)]
    if isinstance(value, dict):
        value = next((value[key] for key in _TEXT_KEYS if isinstance(value.get(key), str)), None)
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return [text] if text else []
