"""The pictures that `predict` is asked for: by paths, by a list of names, or by a file of captions."""

import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from data.captioned_pictures.captions import open_names
from data.captioned_pictures.files import (
    NOT_THERE,
    PICTURE_SUFFIXES,
    Match,
    PictureFiles,
    find_picture_files,
    is_archive,
    read_picture,
)
from data.captioned_pictures.names import without_number
from data.captioned_pictures.parquet_pictures import find_picture_tables
from data.captioned_pictures.source import pictures_of
from data.errors import BadLines, UserError
from data.files import near_names

from .config import Config
from .pipeline import told_of


class Picture(NamedTuple):
    """A picture that was asked for.

    Args:
        name: What its answer calls it.
        read: Gives its file's bytes; None where there is no such file.
        error: Why there is none.
    """

    name: str
    read: Callable[[], bytes] | None
    error: str = ""


def pictures_at(text: str, suggests: bool = True) -> list[Picture]:
    """The picture at a path, or those in the folder or .tar file at it, as training finds them.

    Args:
        text: The path.
        suggests: Whether to look for similar names where nothing is there.
    """
    path = Path(text)
    try:
        if not text or not path.exists():
            raise UserError(f"no such picture or folder{near_names(path) if suggests else ''}")
        is_folder = path.is_dir() or is_archive(path)
        files = find_picture_files(path) if is_folder else PictureFiles(path, {})
        tables = None if files.places else find_picture_tables(path, need_train=False)
        if not tables and not is_folder:
            return [Picture(text, partial(read_picture, path))]
        files = tables.pictures if tables else files
        others = [Picture(str(files.shown(name)), None, files.why_not_read(name)) for name in files.not_read]
        if not files.places and not others:
            kinds = ", ".join(sorted(PICTURE_SUFFIXES))
            raise UserError(f"no picture in it; expected {kinds} files, or a .tar of them")
    except (UserError, OSError) as error:
        return [Picture(text, None, said(error))]
    return [Picture(str(files.shown(name)), partial(files.read, name)) for name in files.places] + others


def pictures_in(path: Path, config: Config) -> Iterator[tuple[int, Picture]]:
    """The pictures that a list names, and the numbers of its lines; or those that a file of captions speaks of, once.

    Raises:
        UserError: The file is missing or damaged, or a line of captions is bad.
    """
    tables = find_picture_tables(path, told_of(config), need_train=False)
    if tables:
        places = enumerate(tables.pictures.places, start=1)
        yield from ((number, Picture(name, partial(tables.pictures.read, name))) for number, name in places)
        return
    beside = _Beside(path)
    bad_lines = BadLines(config.skip_bad_lines)
    opened = open_names(path, config.encoding, bad_lines, beside.has, told_of(config))
    if opened.description:
        print(f"note: {path}: {opened.description}; each picture is described once", file=sys.stderr)
    seen = set()
    for number, name, problem in opened.names:
        if problem:
            yield number, Picture(name, None, problem)
            continue
        picture = beside.picture(name)
        if opened.description and picture.name in seen:
            continue
        seen.add(picture.name)
        yield number, picture
    if bad_lines.count:
        print(bad_lines.summary(), file=sys.stderr)


class _Beside:
    """The pictures beside a list, which are looked for when the first name is no path: there may be many."""

    def __init__(self, path: Path):
        self.path = path
        self.files: PictureFiles | None = None
        self.problem = ""

    def has(self, name: str) -> bool:
        return os.path.isfile(self.path.parent / name) or bool(self._found().has(name))

    def picture(self, name: str) -> Picture:
        """The picture of a name, called so but for `#` and a caption's number."""
        if os.path.isfile(self.path.parent / name):
            return Picture(name, partial(read_picture, self.path.parent / name))
        files = self._found()
        found = self._look_up(files, name)
        bare = without_number(name)
        if self._look_up(files, bare) == found:
            name = bare
        if found.picture:
            return Picture(name, partial(files.read, found.picture))
        missing = self.problem or f"no picture of this name in {files.folder}"
        return Picture(name, None, missing if found.problem == NOT_THERE else found.problem)

    def _look_up(self, files: PictureFiles, name: str) -> Match:
        return files.look_up(name, files.below(self.path))

    def _found(self) -> PictureFiles:
        if self.files is None:
            try:
                self.files = pictures_of(self.path)
            except (UserError, OSError) as error:
                self.files, self.problem = PictureFiles(self.path.parent, {}), said(error)
        return self.files


def said(error: Exception) -> str:
    """What an error says, without its number."""
    return getattr(error, "strerror", None) or str(error)
