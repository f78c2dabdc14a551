"""Where pictures and their captions are in a folder, which picture is in which split, and what fits nothing."""

import dataclasses
import functools
import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from data.captioned_pictures.caption_columns import Caption, Told, captions_of_rows, split_name
from data.captioned_pictures.caption_files import TextFiles, texts_beside
from data.captioned_pictures.captions import JSON, checked_captions, open_captions, read_picture_list, splits_in
from data.captioned_pictures.files import PICTURE_SUFFIXES, PictureFiles, find_picture_files, is_archive
from data.captioned_pictures.names import without_number
from data.captioned_pictures.parquet_pictures import PictureTables, find_picture_tables
from data.captioned_pictures.unmatched import UnmatchedNames, note, notes_of_problems
from data.errors import BadLines, UserError
from data.files import content_suffix, near_names, parts
from data.sources.rows import Rows
from data.sources.split_files import STANDARD_STEMS, Splits

# The pictures' bytes count in the fingerprint if there are no more: reading them takes a second for each GiB.
LARGEST_FINGERPRINT = 2 * 2**30  # bytes
PACKED = frozenset([".zip", ".tgz", ".rar", ".7z"])


@dataclasses.dataclass(frozen=True)
class CaptionedPictures(Rows):
    """Pictures with their captions.

    Args:
        names: Of the pictures, as `PictureFiles.read` takes them.
        captions: Those of each picture, one at least.
    """

    names: list[str]
    captions: list[list[str]]


@dataclasses.dataclass(frozen=True)
class JoinedPictures:
    """The pictures of each split that have captions.

    Args:
        files: Where each split is listed.
        rows: From each split to its pictures.
        notes: One line about each kind of thing that fits nothing, with how many there are and the first few.
        formats: What each file of captions was recognized as.
    """

    files: Splits
    rows: dict[str, CaptionedPictures]
    notes: list[str]
    formats: list[str]

    def split(self, name: str) -> CaptionedPictures:
        """The pictures of a split, one at least.

        Args:
            name: As `data.sources.split_files.Splits.split` takes it.

        Raises:
            UserError: There is no such split, or no picture with a caption in it.
        """
        split = self.files.split(name)
        rows = self.rows[split]
        if not rows.names:
            path = self.files.files[split]
            raise UserError(f"{path}: none of the pictures has both a file and a caption; {'; '.join(self.notes)}")
        return rows


@dataclasses.dataclass(frozen=True)
class CaptionFiles(Splits):
    """The files of a source of captioned pictures: of each split the list of its pictures.

    Where there are no lists, it is the captions of the split; "all" where nothing tells splits.

    Args:
        pictures: Where the pictures are.
        captions: The files that hold the captions.
        beside: The text beside each picture that is its caption, where there are no such files.
        told: What is known of how the files of captions are written.
        tables: The tables that hold the pictures and the captions, where they do; `captions` are their files.
    """

    pictures: PictureFiles
    captions: list[Path]
    beside: dict[str, str] = dataclasses.field(default_factory=dict)
    told: Told = Told()
    tables: PictureTables | None = None

    @property
    def used(self) -> list[Path]:
        """The files of which the fingerprint is taken: captions, lists, and the pictures unless they are very large."""
        total = sum(place.size for place in self.pictures.places.values())
        pictures = self.pictures.paths if total <= LARGEST_FINGERPRINT else []
        texts = [self.pictures.others[text].path for text in self.beside.values()]
        lists = [part for path in self.files.values() for part in parts(path) if part.is_file()]
        return list(dict.fromkeys([*self.captions, *texts, *lists, *pictures]))

    def join(self, encoding: str = "utf-8", bad_lines: BadLines | None = None) -> JoinedPictures:
        """Reads captions and lists, and brings them together with the pictures.

        What fits nothing is no error: it is left out and counted in the notes.

        Args:
            encoding: How the bytes of captions and lists are to be read.
            bad_lines: What is done with lines that cannot be used; None raises for the first.

        Returns:
            The pictures of each split, in the order of its list.

        Raises:
            UserError: No picture is left, or as `open_captions` and `read_picture_list`.
        """
        bad_lines = bad_lines or BadLines(skip=False)
        look_up = functools.cache(self.pictures.look_up)
        formats: dict[str, list[str]] = {}
        known: dict[str, list[str]] = {}
        in_split: dict[str, list[str]] = {}
        unmatched, unlisted = UnmatchedNames(), UnmatchedNames()
        for path, own_split, captions in self._read(encoding, bad_lines, formats):
            below = self.pictures.below(path)
            # One name after the other, as they first occur.
            by_name: dict[str, list[Caption]] = {}
            for caption in captions:
                name = caption.name if content_suffix(path) == JSON else without_number(caption.name)
                by_name.setdefault(name, []).append(caption)
            for caption in itertools.chain(*by_name.values()):
                match = look_up(caption.name, below)
                if match.picture is None:
                    unmatched.add(without_number(caption.name) or caption.name, match)
                    continue
                known.setdefault(match.picture, []).append(caption.text)
                in_split.setdefault(caption.split or own_split or "all", []).append(match.picture)
        empty = [name for name, place in self.pictures.places.items() if not place.size]
        usable = known.keys() - set(empty)
        if not usable:
            raise UserError(self._nothing_left(unmatched, known, empty))
        rows: dict[str, CaptionedPictures] = {}
        listed: dict[str, int] = {}
        for split, path in self.files.items():
            names = in_split.get(split, [])
            if self._is_list(path):
                below = self.pictures.below(path)
                matches = [(name, look_up(name, below)) for name in read_picture_list(path, encoding, bad_lines)]
                for name, match in matches:
                    if match.picture is None:
                        unlisted.add(name, match)
                names = [match.picture for _, match in matches if match.picture is not None]
            names = list(dict.fromkeys(names))
            for name in names:
                listed[name] = listed.get(name, 0) + 1
            chosen = [name for name in names if name in usable]
            rows[split] = CaptionedPictures(chosen, [known[name] for name in chosen])
        unlisted = unlisted.without(unmatched)
        notes = [
            unmatched.note("picture that has captions is not there", "pictures that have captions are not there"),
            unlisted.note("picture of a split list is not there", "pictures of split lists are not there"),
            *notes_of_problems([unmatched, unlisted]),
            note(
                [name for name in self.pictures.places if name not in known],
                "picture has no caption",
                "pictures have no caption",
            ),
            note(empty, "picture is a file of 0 bytes", "pictures are files of 0 bytes"),
            note(
                [name for name in known if name in usable and name not in listed],
                "picture with captions is in no split",
                "pictures with captions are in no split",
            ),
            note(
                [name for name, times in listed.items() if times > 1],
                "picture is in several splits",
                "pictures are in several splits",
            ),
        ]
        said = [": ".join([", ".join(names), what] if names else [what]) for what, names in formats.items()]
        return JoinedPictures(self, rows, list(filter(None, notes)), said)

    def _read(
        self, encoding: str, bad_lines: BadLines, formats: dict[str, list[str]]
    ) -> Iterator[tuple[Path, str | None, Iterable[Caption]]]:
        """Reads each file of captions, tells its split where its name says one, and what it was recognized as."""
        split_of = {path: split for split, path in self.files.items() if list(self.files.values()).count(path) == 1}
        if self.tables:
            for path, rows in self.tables.rows.items():
                formats.setdefault(f"pictures in a table, {self.tables.columns}", []).append(path.name)
                captions = captions_of_rows(f"{path}", rows, self.tables.columns, bad_lines)
                yield path, split_of.get(path), checked_captions(path, captions, bad_lines)
            return
        for path in self.captions:
            opened = open_captions(path, encoding, bad_lines, self.pictures.has, self.told)
            is_below = path.parent != self.folder and path.is_relative_to(self.folder)
            name = path.relative_to(self.folder).as_posix() if is_below else path.name
            formats.setdefault(opened.description, []).append(name)
            yield path, split_of.get(path), checked_captions(path, opened.captions, bad_lines)
        if self.beside:
            formats[f"a text beside each of {len(self.beside):,} pictures"] = []
            captions = texts_beside(self.pictures, self.beside, list(self.files), encoding, bad_lines)
            yield self.folder, None, captions

    def _is_list(self, path: Path) -> bool:
        return path not in self.captions and path.is_file() and not is_archive(path)

    def _nothing_left(self, unmatched: UnmatchedNames, known: dict[str, list[str]], empty: list[str]) -> str:
        where = ", ".join(map(str, self.captions or [self.folder]))
        if known:
            return f"{where}: all pictures that have captions are files of 0 bytes, such as {empty[0]}"
        one, other = unmatched.first(), next(iter(self.pictures.places))
        return f"{where}: no caption is of a picture that is there; one is of {one}, and one picture is {other}"


def find_pictures(
    path: str | os.PathLike, encoding: str = "utf-8", *, need_train: bool = True, told: Told = Told()
) -> CaptionFiles:
    """Finds pictures, captions and lists of splits by their names and first lines.

    Args:
        path: A folder with the pictures (loose, in subfolders or in .tar files) and beside them the captions (in the
            folder or in one just below it, or a text beside each picture) and lists such as train.txt or
            Flickr_8k.trainImages.txt; or the .tar file, or the captions, of such a folder where it has several.
        encoding: How the bytes of captions and lists are to be read.
        need_train: Whether splits of which none is the training split are an error.
        told: What is known of how the captions are written.

    Returns:
        The files.

    Raises:
        UserError: Nothing is there, no pictures or no captions are found, or several files could be the captions or
            the list of one split.

    Example:
        >>> found = find_pictures("flickr8k")
        >>> found.files["validation"], found.captions
        (PosixPath('flickr8k/Flickr_8k.devImages.txt'), [PosixPath('flickr8k/Flickr8k.token.txt.xz')])
    """
    path = Path(path)
    if not path.exists():
        raise UserError(f"{path}: no such file or folder{near_names(path)}")
    is_captions = not path.is_dir() and not is_archive(path)
    if is_captions and path.suffix.lower() in PICTURE_SUFFIXES | PACKED:
        unpack = "; unpack it" if path.suffix.lower() in PACKED else ""
        raise UserError(f"{path}: expected a folder, a .tar file or the captions' file{unpack}")
    # A table may hold the pictures, too; other files of captions do not.
    pictures = PictureFiles(path, {}) if is_captions else find_picture_files(path)
    tables = None if pictures.places else find_picture_tables(path, told, need_train=need_train)
    if tables:
        return _of_tables(tables, told)
    pictures = pictures_of(path) if is_captions else pictures
    folder = pictures.folder if pictures.folder.is_dir() else path.parent
    if not pictures.places:
        raise UserError(_no_pictures(pictures))
    texts = TextFiles(folder, encoding, pictures, told)
    if is_captions:
        texts.check(path)
    captions: dict[Path, str | None] = {path: None} if is_captions else texts.captions()
    beside = {} if captions else texts.beside()
    if not captions and not beside:
        raise UserError(texts.nothing_found())
    files = _splits(path, folder, texts, captions, beside, need_train)
    used = {
        path,
        *captions,
        *files.values(),
        *pictures.archives,
        *(pictures.others[text].path for text in beside.values()),
    }
    ignored = [entry for entry in texts.entries if entry not in used]
    return CaptionFiles(folder, files, ignored, pictures, list(captions), beside, told)


def _of_tables(tables: PictureTables, told: Told) -> CaptionFiles:
    splits, columns = tables.splits, tables.columns
    files = splits.files
    if columns.split and len(files) == 1:
        (only,) = files.values()
        said = dict.fromkeys(split_name(row.get(columns.split)) for _, row in tables.rows[only])
        files = {split: only for split in said if split} or files
    captions = [part for path in splits.files.values() for part in parts(path)]
    return CaptionFiles(splits.folder, files, splits.ignored, tables.pictures, captions, told=told, tables=tables)


def _splits(
    path: Path,
    folder: Path,
    texts: TextFiles,
    captions: dict[Path, str | None],
    beside: dict[str, str],
    need_train: bool,
) -> dict[str, Path]:
    """From each split to what tells its pictures: the captions themselves, lists, or folders of these names."""
    files: dict[str, Path] = {}
    if len(captions) == 1:
        (only,) = captions
        files = dict.fromkeys(splits_in(only, texts.encoding, texts.pictures.has, texts.told), only)
    files = files or texts.lists()
    if not files and beside:
        tops = dict.fromkeys(STANDARD_STEMS.get(name.partition("/")[0].lower()) for name in beside)
        files = {split: folder / split for split in tops if split} if None not in tops else {"all": path}
    if not files:
        # Files of captions tell the splits only if each of them does.
        files = {split: file for file, split in captions.items() if split} or {"all": next(iter(captions))}
    elif need_train and "train" not in files and "all" not in files:
        found = ", ".join(f"{file.name} ({split})" for split, file in sorted(files.items()))
        raise UserError(f"{folder} has no list of the pictures to train on, such as train.txt; it has {found}")
    return files


def _no_pictures(pictures: PictureFiles) -> str:
    packed = [name for name in pictures.others if PurePosixPath(name).suffix.lower() in PACKED]
    found = f"; unpack {packed[0]}" if packed else ""
    found = f"; {pictures.why_not_read(pictures.not_read[0])}" if pictures.not_read else found
    kinds = ", ".join(sorted(PICTURE_SUFFIXES))
    return f"{pictures.folder} has no pictures; expected {kinds} files, or a .tar of them{found}"


def pictures_of(path: Path) -> PictureFiles:
    """The pictures that a file of captions or a list speaks of: those in its folder, else those in the one above."""
    pictures = find_picture_files(path.parent)
    if pictures.places:
        return pictures
    above = path.absolute().parent.parent
    # Not all that somebody's home holds.
    return pictures if Path.home().is_relative_to(above) else find_picture_files(above)
