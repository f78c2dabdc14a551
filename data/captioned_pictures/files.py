"""Pictures as files in a folder and as members of .tar archives, which are read where they stand, without unpacking."""

import dataclasses
import functools
import io
import lzma
import os
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple, cast

from data.captioned_pictures.kinds import LONGEST_BEGINNING, READ_KINDS, kind_of, why_not_read
from data.captioned_pictures.names import PictureNames, normalised
from data.errors import UserError
from data.files import COMPRESSIONS, check_file, content_suffix, open_bytes

# What is looked for; whether a decoder can read it shows when it is read.
PICTURE_SUFFIXES = frozenset([".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".gif", ".bmp", ".dib", ".webp"])
# Files called so, or without a suffix, are pictures if they begin like those that are read; else they are named.
OTHER_PICTURE_SUFFIXES = frozenset(
    [".tif", ".tiff", ".avif", ".heic", ".heif", ".jp2", ".jxl", ".ico", ".svg", ".psd", ".ppm", ".pgm", ".tga"]
)
LARGEST_FILE = 2**28  # bytes of a picture
_LARGEST_HEADER = 2**20  # bytes; long names take more than a block
# Of a compressed archive, what may stand in memory; a larger one is better unpacked.
LARGEST_UNPACKED = 512 * 2**20  # bytes


class Place(NamedTuple):
    """Where a picture's bytes are: the file, the first byte's offset in it (unpacked), and how many there are."""

    path: Path
    offset: int
    size: int


class Match(NamedTuple):
    """What a name means.

    Args:
        picture: The picture, one of `PictureFiles.places`; None where there is none of this name, or several.
        problem: Why there is none; "" where there is one.
    """

    picture: str | None
    problem: str


# What is said of a name that nothing has.
NOT_THERE = "not there"


@dataclasses.dataclass(frozen=True)
class PictureFiles:
    """Pictures by their names.

    Args:
        folder: The folder or the archive in which they are.
        places: From a picture's path below the folder or in the archive, parts separated by "/", to its bytes.
        others: The same of every other file.
        archives: The .tar files among the places' paths.
        unpacked: The content of those archives that are compressed.
        copied_from: Of pictures that were copied out of tables, in which of these each is.

    Example:
        >>> pictures = find_picture_files("flickr8k")
        >>> pictures.find("1000268201_693b08cb0e")
        '1000268201_693b08cb0e.jpg'
        >>> pictures.read("1000268201_693b08cb0e.jpg")[:3]
        b'\\xff\\xd8\\xff'
    """

    folder: Path
    places: dict[str, Place]
    others: dict[str, Place] = dataclasses.field(default_factory=dict)
    archives: list[Path] = dataclasses.field(default_factory=list)
    unpacked: dict[Path, bytes] = dataclasses.field(default_factory=dict, repr=False)
    copied_from: dict[str, Path] = dataclasses.field(default_factory=dict, repr=False)

    @property
    def paths(self) -> list[Path]:
        """Every file that holds pictures, once."""
        return list(dict.fromkeys(self.copied_from.get(name, place.path) for name, place in self.places.items()))

    @property
    def not_read(self) -> list[str]:
        """The names of pictures of kinds that are not read, such as TIFF."""
        return [name for name in self.others if PurePosixPath(name).suffix.lower() in OTHER_PICTURE_SUFFIXES]

    @functools.cached_property
    def _names(self) -> tuple[PictureNames, PictureNames]:
        return PictureNames(self.places), PictureNames(self.others)

    def find(self, name: str, below: str = "") -> str | None:
        """The picture that a captions file or a list means, as `look_up`; None where none fits, or several do."""
        return self.look_up(name, below).picture

    def look_up(self, name: str, below: str = "") -> Match:
        """Finds the picture that a captions file or a list means.

        Args:
            name: As `data.captioned_pictures.names.PictureNames.fitting` takes it, or the picture's full path.
            below: The folder of the file that says it, as it stands in `places`.

        Returns:
            The picture, or which of three problems there is: nothing has this name, several have, or what has it is no
            picture that is read.
        """
        name = normalised(name).removeprefix(f"{self.folder.absolute().as_posix()}/")
        pictures, others = self._names
        fitting = pictures.fitting(name, below)
        if len(fitting) == 1:
            return Match(fitting[0], "")
        if fitting:
            more = ", ..." if len(fitting) > 4 else ""
            return Match(None, f"ambiguous: {' or '.join(fitting[:4])}{more}")
        fitting = others.fitting(name, below)
        return Match(None, self.why_not_read(fitting[0]) if fitting else NOT_THERE)

    def below(self, file: Path) -> str:
        """The folder of a file, as it stands before the names of the pictures in it; "" where it is elsewhere."""
        folder, own = file.absolute().parent, self.folder.absolute()
        below = folder.relative_to(own).as_posix() if folder.is_relative_to(own) else "."
        return "" if below == "." else below

    def why_not_read(self, name: str) -> str:
        """What one of `others` is, instead of a picture that can be read."""
        return f"{name} is {why_not_read(kind_of(self.beginning(name)))}"

    def beginning(self, name: str) -> bytes:
        """As many bytes of one of `others` as tell what it is; none of a file that must not be read."""
        try:
            return self._bytes(self.others[name], LONGEST_BEGINNING)
        except OSError:
            return b""

    def shown(self, name: str) -> Path:
        """Where a file is, for messages and answers: its path, or that of its archive and its own in it."""
        if name in self.copied_from:
            return self.copied_from[name] / name
        place = (self.places.get(name) or self.others[name]).path
        return place / name if place in self.archives else place

    def has(self, name: str) -> bool:
        """Whether there is a picture of this name, or several."""
        return bool(self._names[0].fitting(name))

    def read(self, name: str) -> bytes:
        """The bytes of a picture's file; several threads may do so at once.

        Args:
            name: One of `places`, or of `others`.

        Raises:
            UserError: It is very large, or the file ends before the picture does, as when it was changed meanwhile.
        """
        place = self.places.get(name) or self.others[name]
        _check_size(place.size)
        content = self._bytes(place, place.size)
        if len(content) < place.size:
            found = f"expected {place.size} bytes of {name}, found {len(content)}"
            raise UserError(f"{place.path}: {found}; was the file changed?")
        return content

    def _bytes(self, place: Place, most: int) -> bytes:
        most = min(most, place.size)
        if place.path in self.unpacked:
            return self.unpacked[place.path][place.offset : place.offset + most]
        with open(place.path, "rb") as file:
            file.seek(place.offset)
            return file.read(most)


def read_picture(path: Path) -> bytes:
    """The bytes of a picture's file; a `UserError` where it is very large or, like a device, has no end."""
    with open(path, "rb") as file:
        content = file.read(LARGEST_FILE + 1)
    _check_size(len(content))
    return content


def _check_size(size: int) -> None:
    if size > LARGEST_FILE:
        raise UserError(f"a file of more than {LARGEST_FILE // 2**20} MiB, the most that is read of a picture")


def find_picture_files(path: str | os.PathLike) -> PictureFiles:
    """Finds the pictures in a folder, in its subfolders and in the archives directly in it; or those of one archive.

    Hidden files and folders are not looked at. A loose picture hides one of the same path in an archive.

    Args:
        path: The folder, or a `.tar` file, which may be compressed (`.tar.gz`, `.tar.xz`).

    Returns:
        The pictures, sorted by their paths in the folder, and as they stand in an archive; maybe none.

    Raises:
        UserError: The archive is missing, damaged, or compressed and large.
    """
    path = Path(path)
    archives = [entry for entry in sorted(path.iterdir()) if is_archive(entry)] if path.is_dir() else [check_file(path)]
    found = dict(sorted(_loose_files(path))) if path.is_dir() else {}
    unpacked: dict[Path, bytes] = {}
    for archive in archives:
        if archive.suffix.lower() in COMPRESSIONS:
            unpacked[archive] = _uncompressed(archive)
        for name, place in _members(archive, unpacked.get(archive)):
            found.setdefault(name, place)
    files = PictureFiles(path, {}, found, archives, unpacked)
    places = {name: place for name, place in found.items() if _is_picture(name, files)}
    others = {name: place for name, place in found.items() if name not in places}
    return PictureFiles(path, places, others, archives, unpacked)


def is_archive(path: Path) -> bool:
    """Whether a path is a `.tar` file by its name, compressed or not."""
    return content_suffix(path) == ".tar" and not path.name.startswith(".") and path.is_file()


def _is_picture(name: str, files: PictureFiles) -> bool:
    suffix = PurePosixPath(name).suffix.lower()
    if suffix and suffix not in OTHER_PICTURE_SUFFIXES:
        return suffix in PICTURE_SUFFIXES
    return kind_of(files.beginning(name)) in READ_KINDS


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def _loose_files(folder: Path) -> Iterator[tuple[str, Place]]:
    seen = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:  # a link that leads back
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__MACOSX"]
        for file in files:
            path = Path(place, file)
            if not _is_hidden(file) and path.is_file():
                yield path.relative_to(folder).as_posix(), Place(path, 0, path.stat().st_size)


def _members(archive: Path, content: bytes | None) -> Iterator[tuple[str, Place]]:
    """Yields the name and place of each file in an archive; of several of one name, the last counts."""
    found: dict[str, Place] = {}
    try:
        with open(archive, "rb") if content is None else io.BytesIO(content) as stream:
            # By the headers alone: between them it leaps over the pictures.
            for member in tarfile.open(fileobj=cast(IO[bytes], _Headers(stream)), mode="r:"):  # noqa: SIM115 (closed)
                name = normalised(member.name)
                if member.size < 0:  # the next member would be this one
                    raise tarfile.ReadError(f"{name} has {member.size} bytes")
                if member.isreg() and not member.issparse() and not _is_hidden(name):
                    found[name] = Place(archive, member.offset_data, member.size)
            if stream.seek(0, os.SEEK_END) % tarfile.BLOCKSIZE:
                raise tarfile.ReadError("unexpected end of data")  # in a header, which tarfile takes for the end
    except (tarfile.ReadError, OverflowError, ValueError) as error:  # the last two for numbers that nothing can have
        if found or "unexpected end" in str(error):
            raise UserError(f"{archive}: the archive is cut short or damaged; get it again ({error})") from None
        advice = "a compressed one must be called .tar.gz or .tar.xz"
        raise UserError(f"{archive}: expected a tar archive ({error}); {advice}") from None
    yield from found.items()


class _Headers:
    """What tarfile reads of an archive: headers of a usual length, wherever the numbers in others say that they are."""

    def __init__(self, stream: IO[bytes]):
        self.stream = stream
        self.size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        self.tell = stream.tell

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        return self.stream.read(size)

    def seek(self, place: int) -> int:
        if not 0 <= place <= self.size:
            raise tarfile.ReadError("unexpected end of data")
        return self.stream.seek(place)


def _uncompressed(archive: Path) -> bytes:
    try:
        with open_bytes(archive) as stream:
            content = _read_up_to(stream, LARGEST_UNPACKED)
    except (EOFError, zlib.error, lzma.LZMAError, OSError) as error:
        raise UserError(f"{archive}: the archive is cut short or damaged; get it again ({error})") from None
    if content is None:
        mebibytes = LARGEST_UNPACKED // 2**20
        raise UserError(f"{archive} holds more than {mebibytes} MiB; uncompress it to a .tar, which is read in place")
    return content


def _read_up_to(stream: IO[bytes], most: int) -> bytes | None:
    """All of a stream, or None where that is more."""
    content = stream.read(most + 1)
    return content if len(content) <= most else None
