"""Where pictures and their captions are in a folder, which picture is in which split, and what fits nothing."""

import dataclasses
import functools
import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from data.captioned_pictures.captions import JSON, TEXT_SUFFIXES, columns_of, read_captions, read_picture_list
from data.captioned_pictures.files import PICTURE_SUFFIXES, PictureFiles, find_picture_files, is_archive
from data.errors import BadLines, UserError
from data.files import content_name, content_suffix, near_names
from data.sources.rows import Rows
from data.sources.split_files import DOCUMENTATION, STANDARD_STEMS, Splits

# The pictures' bytes count in the fingerprint if there are no more: reading them takes a second for each GiB.
LARGEST_FINGERPRINT = 2 * 2**30  # bytes
_EXPECTED = "name<TAB>caption or name#k<TAB>caption on each line, or COCO's JSON called *captions*.json"
# After the word that names the split: trainImages, test_list, val2017.
_AFTER_SPLIT = re.compile(r"(images?|imgs?|lists?|set|split|ids?|names?|files?|ing)$")


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
        rows: From that file to the split's pictures.
        notes: One line about each kind of thing that fits nothing, with how many there are and the first few.
    """

    files: Splits
    rows: dict[Path, CaptionedPictures]
    notes: list[str]

    def split(self, name: str) -> CaptionedPictures:
        """The pictures of a split, one at least.

        Args:
            name: As `data.sources.split_files.Splits.path` takes it.

        Raises:
            UserError: There is no such split, or no picture with a caption in it.
        """
        path = self.files.path(name)
        rows = self.rows[path]
        if not rows.names:
            raise UserError(f"{path}: none of the pictures has both a file and a caption; {'; '.join(self.notes)}")
        return rows


@dataclasses.dataclass(frozen=True)
class CaptionFiles(Splits):
    """The files of a source of captioned pictures: of each split the list of its pictures.

    Where there are no lists, it is the captions of the split; "all" where nothing tells splits.

    Args:
        pictures: Where the pictures are.
        captions: The files that hold the captions.
    """

    pictures: PictureFiles
    captions: list[Path]

    @property
    def used(self) -> list[Path]:
        """The files of which the fingerprint is taken: captions, lists, and the pictures unless they are very large."""
        total = sum(place.size for place in self.pictures.places.values())
        pictures = self.pictures.paths if total <= LARGEST_FINGERPRINT else []
        return list(dict.fromkeys([*self.captions, *self.files.values(), *pictures]))

    def join(self, encoding: str = "utf-8", bad_lines: BadLines | None = None) -> JoinedPictures:
        """Reads captions and lists, and brings them together with the pictures.

        What fits nothing is no error: it is left out and counted in the notes.

        Args:
            encoding: How the bytes of captions and lists are to be read.
            bad_lines: What is done with lines that cannot be used; None raises for the first.

        Returns:
            The pictures of each split, in the order of its list.

        Raises:
            UserError: No picture is left, or as `read_captions` and `read_picture_list`.
        """
        find = functools.cache(self.pictures.find)
        by_file = {path: read_captions(path, encoding, bad_lines) for path in self.captions}
        known: dict[str, list[str]] = {}
        absent: dict[str, int] = {}
        for captions in by_file.values():
            for name, texts in captions.items():
                picture = find(name)
                if picture is None:
                    absent[name] = absent.get(name, 0) + len(texts)
                else:
                    known.setdefault(picture, []).extend(texts)
        empty = [name for name, place in self.pictures.places.items() if not place.size]
        usable = known.keys() - set(empty)
        if not usable:
            raise UserError(self._nothing_left(absent, known, empty))
        rows, unknown, listed = {}, [], {}
        for path in self.files.values():
            names = list(by_file[path]) if path in by_file else read_picture_list(path, encoding, bad_lines)
            found = list(dict.fromkeys(find(name) for name in names))
            unknown += [name for name in names if find(name) is None and name not in absent]
            for name in found:
                listed[name] = listed.get(name, 0) + 1
            chosen = [name for name in found if name in usable]
            rows[path] = CaptionedPictures(chosen, [known[name] for name in chosen])
        listed.pop(None, None)
        notes = [
            _note(absent, "picture that has captions is not there", "pictures that have captions are not there"),
            _note(unknown, "picture of a split list is not there", "pictures of split lists are not there"),
            _note(
                [name for name in self.pictures.places if name not in known],
                "picture has no caption",
                "pictures have no caption",
            ),
            _note(empty, "picture is a file of 0 bytes", "pictures are files of 0 bytes"),
            _note(
                [name for name in known if name in usable and name not in listed],
                "picture with captions is in no split",
                "pictures with captions are in no split",
            ),
            _note(
                [name for name, times in listed.items() if times > 1],
                "picture is in several splits",
                "pictures are in several splits",
            ),
        ]
        return JoinedPictures(self, rows, [note for note in notes if note])

    def _nothing_left(self, absent: dict[str, int], known: dict[str, list[str]], empty: list[str]) -> str:
        where = ", ".join(map(str, self.captions))
        if known:
            return f"{where}: all pictures that have captions are files of 0 bytes, such as {empty[0]}"
        one, other = next(iter(absent)), next(iter(self.pictures.places))
        return f"{where}: no caption is of a picture that is there; one is of {one}, and one picture is {other}"


def find_pictures(path: str | os.PathLike, encoding: str = "utf-8", *, need_train: bool = True) -> CaptionFiles:
    """Finds pictures, captions and lists of splits by their names and first lines.

    Args:
        path: A folder with the pictures (loose, in subfolders or in .tar files) and beside them the captions (in the
            folder or in one just below it) and lists such as train.txt or Flickr_8k.trainImages.txt; or the .tar file,
            or the captions, of such a folder where it has several.
        encoding: How the bytes of captions and lists are to be read.
        need_train: Whether lists of which none is of the training split are an error.

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
    folder = path if path.is_dir() else path.parent
    texts = _Texts(folder, encoding)
    is_captions = not path.is_dir() and not is_archive(path)
    if is_captions and path.suffix.lower() in PICTURE_SUFFIXES | {".tgz", ".zip"}:
        raise UserError(f"{path}: expected a folder, a .tar file or the captions' file")
    captions = {path: None} if is_captions else texts.captions()
    pictures = find_picture_files(path if is_archive(path) else folder)
    if not pictures.places:
        where = path if is_archive(path) else folder
        kinds = ", ".join(sorted(PICTURE_SUFFIXES))
        raise UserError(f"{where} has no pictures; expected {kinds} files, or a .tar of them")
    if not captions:
        found = ", ".join(entry.name for entry in texts.entries[:20]) or "nothing"
        raise UserError(f"{folder} has no captions; expected {_EXPECTED} (plain, .gz or .xz), found {found}")
    files = texts.lists()
    if not files:
        # Files of captions tell the splits only if each of them does.
        files = {split: file for file, split in captions.items() if split} or {"all": next(iter(captions))}
    elif need_train and "train" not in files:
        found = ", ".join(f"{file.name} ({split})" for split, file in sorted(files.items()))
        raise UserError(f"{folder} has no list of the pictures to train on, such as train.txt; it has {found}")
    used = {path, *captions, *files.values(), *pictures.archives}
    ignored = [entry for entry in texts.entries if entry not in used]
    return CaptionFiles(folder, files, ignored, pictures, list(captions))


class _Texts:
    """The files of a folder that may be captions or lists."""

    def __init__(self, folder: Path, encoding: str):
        self.folder = folder
        below = [entry for entry in sorted(folder.iterdir()) if entry.is_dir() and not entry.name.startswith(".")]
        self.entries = _files(folder)
        self.candidates = [*self.entries, *(file for entry in below for file in _files(entry))]
        self.columns = {
            file: columns_of(file, encoding) for file in self.candidates if content_suffix(file) in TEXT_SUFFIXES
        }

    def captions(self) -> dict[Path, str | None]:
        """The files of captions, and the split that each names: several only if they are of different splits."""
        found = [file for file, columns in self.columns.items() if columns == 2]
        found += [file for file in self.candidates if content_suffix(file) == JSON and "caption" in file.name.lower()]
        # The lemmas of the captions come beside them.
        found = [file for file in found if "lemma" not in file.name.lower()] or found
        found = [file for file in found if file.parent == self.folder] or found
        found = [file for file in found if re.search("caption|token", file.name.lower())] or found
        splits = {file: split_of(file) for file in found}
        if len(found) > 1 and (None in splits.values() or len(set(splits.values())) < len(found)):
            names = ", ".join(str(file.relative_to(self.folder)) for file in found)
            raise UserError(f"{self.folder}: {names} could all be the captions; give the right one as --data")
        return splits

    def lists(self) -> dict[str, Path]:
        """The list of each split: of those in the folder, else of those below."""
        found = [(split_of(file), file) for file, columns in self.columns.items() if columns == 1]
        found = [(split, file) for split, file in found if split]
        found = [(split, file) for split, file in found if file.parent == self.folder] or found
        splits: dict[str, list[Path]] = {}
        for split, file in found:
            splits.setdefault(split, []).append(file)
        files = {}
        for split, several in splits.items():
            if len(several) == 1:
                files[split] = several[0]
            elif split == "test" and len({_stem(file) for file in several}) == len(several):
                files |= {_stem(file): file for file in several}  # test_2016 and test_2017, each under its own name
            else:
                raise UserError(f"{several[0]} and {several[1]} are both the {split} split; keep one of them")
        return files


def split_of(path: Path) -> str | None:
    """The split that a file's name says, in any of its words: Flickr_8k.devImages.txt is "validation".

    Args:
        path: The file.

    Returns:
        "train", "validation" or "test"; None where the name says no split or several.
    """
    words = re.findall("[a-z]+", re.sub("(?<=[a-z])(?=[A-Z])", " ", _stem(path)).lower())
    splits = {STANDARD_STEMS.get(word) or STANDARD_STEMS.get(_AFTER_SPLIT.sub("", word)) for word in words} - {None}
    return splits.pop() if len(splits) == 1 else None


def _stem(path: Path) -> str:
    return PurePosixPath(content_name(path)).stem


def _files(folder: Path) -> list[Path]:
    """The files directly in a folder that are neither pictures, hidden, nor documentation."""
    return [
        entry
        for entry in sorted(folder.iterdir())
        if not entry.name.lower().startswith((".", *DOCUMENTATION))
        and entry.suffix.lower() not in PICTURE_SUFFIXES
        and entry.is_file()
    ]


def _note(names: Iterable[str], one: str, many: str) -> str:
    """Says how many there are, and the first few; nothing where there are none."""
    names = list(names)
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"{len(names):,} {one if len(names) == 1 else many} ({shown})" if names else ""
