"""Pictures that stand in the rows of .parquet files, with their captions, as most sets on the Hugging Face hub do."""

import dataclasses
import hashlib
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.captioned_pictures.caption_columns import AUTO, PICTURE_COLUMNS, Columns, Told, find_columns, same_letters
from data.captioned_pictures.files import PictureFiles, Place
from data.errors import UserError
from data.files import parts
from data.sources.split_files import Splits, find_splits
from data.tables.parquet import PARQUET, read_parquet

# How a picture is kept: its bytes alone, or as `datasets` does it, with the path that it had.
_BYTES, _PATH = "bytes", "path"
# Where in the folder of a data set that was downloaded whole its tables are.
_DATA = "data"


@dataclasses.dataclass(frozen=True)
class PictureTables:
    """Tables of pictures and captions.

    Args:
        splits: From each split to its file, or to several as `data.files.parts` takes them.
        pictures: The pictures, copied to a temporary file, which goes away with them.
        columns: Which columns are read.
        rows: Of each file the numbers of its rows, and their values, the picture's name in the place of its bytes.
    """

    splits: Splits
    pictures: PictureFiles
    columns: Columns
    rows: dict[Path, list[tuple[int, dict[str, Any]]]]


def find_picture_tables(path: Path, told: Told = Told(), *, need_train: bool = True) -> PictureTables | None:
    """Reads tables that hold pictures.

    Pictures of the same bytes are one picture, whose captions are in several rows.

    Args:
        path: A .parquet file, or a folder of train, validation and test files.
        told: Which columns are asked for.
        need_train: As for `data.sources.split_files.find_splits`.

    Returns:
        The tables; None where there are none, or they hold no pictures, but their names.

    Raises:
        UserError: A file is damaged, or has no captions.
        OSError: The disk has no room for a copy of the pictures.
    """
    splits = _splits(path, need_train)
    if splits is None:
        return None
    first_file = next(iter(splits.files.values()))
    _, first = next(read_parquet(first_file))
    picture = _picture_column(first, told)
    if picture is None:
        return None
    columns = find_columns(first, dataclasses.replace(told, picture_column=picture))
    if columns is None:
        told.check(first_file, list(first))
        advice = "--caption-column names one"
        raise UserError(f"{first_file} has no column of captions, such as caption; it has {', '.join(first)}; {advice}")
    names = [name for name in first if name != picture and same_letters(name) in PICTURE_COLUMNS]
    wanted = list(dict.fromkeys([picture, *columns.captions, *([columns.split] if columns.split else []), *names[:1]]))
    keeper = _Keeper(splits.folder)
    rows = {
        file: [
            (number, row | {picture: keeper.keep(part, row[picture], row[names[0]] if names else None)})
            for part, number, row in _rows(file, wanted)
        ]
        for file in splits.files.values()
    }
    return PictureTables(splits, keeper.pictures(), columns, rows)


def _rows(file: Path, wanted: list[str]) -> Iterator[tuple[Path, int, dict[str, Any]]]:
    for part in parts(file):
        for number, row in read_parquet(part, columns=wanted):
            yield part, number, row


def _splits(path: Path, need_train: bool) -> Splits | None:
    if not path.is_dir():
        return find_splits(path, (PARQUET,)) if path.suffix.lower() == PARQUET else None
    # Beside one another, in folders called train and test, or in the folder of a data set that was downloaded whole.
    for folder, pattern in ((path, f"*{PARQUET}"), (path / _DATA, f"*{PARQUET}"), (path, f"*/*{PARQUET}")):
        if any(folder.glob(pattern)):
            return find_splits(folder, (PARQUET,), need_train=need_train)
    return None


def _picture_column(row: dict[str, Any], told: Told) -> str | None:
    """The column that holds the bytes of pictures."""
    holding = [name for name, value in row.items() if isinstance(_content(value), bytes)]
    asked, _ = told.chosen(list(row))
    if asked != AUTO:
        return asked if asked in holding else None
    usual = [name for name in holding if same_letters(name) in PICTURE_COLUMNS]
    return next(iter(usual or holding), None)


def _content(value: Any) -> Any:
    return value.get(_BYTES) if isinstance(value, dict) else value


class _Keeper:
    """Copies pictures to one file, where they can be read in any order, and gives each a name."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.places: dict[str, Place] = {}
        self.known: dict[bytes, str] = {}
        self.parts: dict[str, Path] = {}
        self.copy = Path(tempfile.mkdtemp(prefix="pictures-"), "pictures")
        self.stream = open(self.copy, "wb")  # noqa: SIM115 (closed by `pictures`)

    def keep(self, part: Path, value: Any, name: Any) -> str:
        content = _content(value) or b""
        digest = hashlib.sha256(content).digest()
        if digest in self.known and content:
            return self.known[digest]
        path = value.get(_PATH) if isinstance(value, dict) else None
        base = next((str(one) for one in (path, name) if isinstance(one, str | int) and one != ""), "")
        base = base or f"{part.stem}-{len(self.places) + 1}"
        unique, again = base, 1
        while unique in self.places:
            again += 1
            unique = f"{again}-{base}"
        self.places[unique] = Place(self.copy, self.stream.tell(), len(content))
        self.parts[unique] = part
        self.known[digest] = unique
        self.stream.write(content)
        return unique

    def pictures(self) -> PictureFiles:
        self.stream.close()
        files = PictureFiles(self.folder, self.places, copied_from=self.parts)
        weakref.finalize(files, shutil.rmtree, self.copy.parent, ignore_errors=True)
        return files
