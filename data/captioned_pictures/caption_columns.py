"""Which columns of a table, or fields of an object, hold the pictures' names, their captions and their splits."""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from data.errors import BadLines
from data.sources.split_files import STANDARD_STEMS
from data.tables.rows import shown

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
class Columns:
    """The columns that are read.

    Args:
        picture: That of the pictures' names.
        captions: Those of the captions: several where each picture has a row.
        split: That of the splits, if any.
    """

    picture: str
    captions: list[str]
    split: str | None = None

    def __str__(self) -> str:
        names = [self.picture, *self.captions, *([self.split] if self.split else [])]
        return f"columns {', '.join(names[:-1])} and {names[-1]}"


def find_columns(names: Iterable[Any]) -> Columns | None:
    """Finds the columns of pictures, captions and splits by their names.

    Example:
        >>> find_columns(["image_name", " comment_number", " comment"])
        Columns(picture='image_name', captions=[' comment'], split=None)
    """
    by_letters: dict[str, str] = {}
    for name in names:
        by_letters.setdefault(re.sub(r"[\W_]", "", str(name).lower()), name)
    picture = _first(by_letters, PICTURE_COLUMNS)
    captions = [name for letters, name in by_letters.items() if _NUMBERED.match(letters)]
    captions = captions or [name for name in [_first(by_letters, CAPTION_COLUMNS)] if name is not None]
    if picture is None or not captions:
        return None
    return Columns(picture, captions, _first(by_letters, SPLIT_COLUMNS))


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
        texts = [text for value in values for text in _texts(value)]
        if name and texts:
            split = split_name(row.get(columns.split)) if columns.split else None
            yield from (Caption(number, name, text, split) for text in texts)
            continue
        wanted = "a caption" if name else "a picture's name"
        column, value = (columns.captions[0], values[0]) if name else (columns.picture, row.get(columns.picture))
        bad_lines.report(path, number, expected=f"{wanted} in {column!r}", found=shown(value))


def split_name(value: Any) -> str | None:
    """The usual name of a split that a file says: `restval` belongs to "train", "val" is "validation"."""
    said = str(value or "").strip().lower()
    return "train" if said == _RESTVAL else STANDARD_STEMS.get(said, said) or None


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
