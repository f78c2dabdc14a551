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
from typing import IO, NamedTuple

from data.errors import UserError
from data.files import COMPRESSIONS, check_file, content_suffix, open_bytes

# What is looked for; whether a decoder can read it shows when it is read.
PICTURE_SUFFIXES = frozenset([".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp"])
# Of a compressed archive, what may stand in memory; a larger one is better unpacked.
LARGEST_UNPACKED = 512 * 2**20  # bytes


class Place(NamedTuple):
    """Where a picture's bytes are: the file, the first byte's offset in it (unpacked), and how many there are."""

    path: Path
    offset: int
    size: int


@dataclasses.dataclass(frozen=True)
class PictureFiles:
    """Pictures by their names.

    Args:
        places: From a picture's path below the folder or in the archive, parts separated by "/", to its bytes.
        archives: The .tar files among the places' paths.
        unpacked: The content of those archives that are compressed.

    Example:
        >>> pictures = find_picture_files("flickr8k")
        >>> pictures.find("1000268201_693b08cb0e")
        '1000268201_693b08cb0e.jpg'
        >>> pictures.read("1000268201_693b08cb0e.jpg")[:3]
        b'\\xff\\xd8\\xff'
    """

    places: dict[str, Place]
    archives: list[Path] = dataclasses.field(default_factory=list)
    unpacked: dict[Path, bytes] = dataclasses.field(default_factory=dict, repr=False)

    @property
    def paths(self) -> list[Path]:
        """Every file that holds pictures, once."""
        return list(dict.fromkeys(place.path for place in self.places.values()))

    @functools.cached_property
    def _by_last_part(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """The pictures of each file name, and of each file name without its suffix."""
        named: dict[str, list[str]] = {}
        bare: dict[str, list[str]] = {}
        for name in self.places:
            last = PurePosixPath(name)
            named.setdefault(last.name, []).append(name)
            bare.setdefault(last.stem, []).append(name)
        return named, bare

    def find(self, name: str) -> str | None:
        """Finds the picture that a captions file or a list means.

        Args:
            name: A path, of which the first folders may be missing here or in `places`; or one without its suffix.

        Returns:
            The picture's name in `places`; None where none fits, or several do.
        """
        name = _normalised(name)
        if name in self.places:
            return name
        named, bare = self._by_last_part
        last = name.rpartition("/")[2]
        fitting = [one for one in named.get(last, ()) if _is_end(one, name)]
        if not fitting:
            fitting = [one for one in bare.get(last, ()) if _is_end(str(PurePosixPath(one).with_suffix("")), name)]
        return fitting[0] if len(fitting) == 1 else None

    def read(self, name: str) -> bytes:
        """The bytes of a picture's file; several threads may do so at once.

        Args:
            name: One of `places`.

        Raises:
            UserError: The file ends before the picture does, as when it was changed meanwhile.
        """
        path, offset, size = self.places[name]
        if path in self.unpacked:
            return self.unpacked[path][offset : offset + size]
        with open(path, "rb") as file:
            file.seek(offset)
            content = file.read(size)
        if len(content) < size:
            raise UserError(f"{path}: expected {size} bytes of {name}, found {len(content)}; was the file changed?")
        return content


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
    places = dict(sorted(_loose_pictures(path))) if path.is_dir() else {}
    unpacked: dict[Path, bytes] = {}
    for archive in archives:
        if archive.suffix.lower() in COMPRESSIONS:
            unpacked[archive] = _uncompressed(archive)
        for name, place in _members(archive, unpacked.get(archive)):
            places.setdefault(name, place)
    return PictureFiles(places, archives, unpacked)


def is_archive(path: Path) -> bool:
    """Whether a path is a `.tar` file by its name, compressed or not."""
    return content_suffix(path) == ".tar" and not path.name.startswith(".") and path.is_file()


def _normalised(name: str) -> str:
    return name.replace("\\", "/").removeprefix("./")


def _is_end(one: str, other: str) -> bool:
    """Whether one path is the other, or its last parts."""
    return one == other or one.endswith(f"/{other}") or other.endswith(f"/{one}")


def _is_picture(name: str) -> bool:
    parts = PurePosixPath(name).parts
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return not hidden and PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES


def _loose_pictures(folder: Path) -> Iterator[tuple[str, Place]]:
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
            if _is_picture(file) and path.is_file():
                yield path.relative_to(folder).as_posix(), Place(path, 0, path.stat().st_size)


def _members(archive: Path, content: bytes | None) -> Iterator[tuple[str, Place]]:
    """Yields the name and place of each picture in an archive; of several of one name, the last counts."""
    found: dict[str, Place] = {}
    try:
        with open(archive, "rb") if content is None else io.BytesIO(content) as stream:
            # By the headers alone: between them it leaps over the pictures.
            for member in tarfile.open(fileobj=stream, mode="r:"):  # noqa: SIM115 (the stream is closed)
                name = _normalised(member.name)
                if member.isreg() and not member.issparse() and _is_picture(name):
                    found[name] = Place(archive, member.offset_data, member.size)
            if stream.seek(0, os.SEEK_END) % tarfile.BLOCKSIZE:
                raise tarfile.ReadError("unexpected end of data")  # in a header, which tarfile takes for the end
    except tarfile.ReadError as error:
        if found or "unexpected end" in str(error):
            raise UserError(f"{archive}: the archive is cut short or damaged; get it again ({error})") from None
        advice = "a compressed one must be called .tar.gz or .tar.xz"
        raise UserError(f"{archive}: expected a tar archive ({error}); {advice}") from None
    yield from found.items()


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
