"""Which picture a captions file or a list means by a name: paths cut short, suffixes left out, other spellings."""

import functools
import posixpath
import re
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

# The number of a caption after its picture's name: "dog.jpg#2".
_NUMBER = re.compile(r"#\d+$")


class PictureNames:
    """The paths of pictures, to be found by what others call them.

    Args:
        names: Their paths below a folder or in an archive, parts separated by "/".

    Example:
        >>> names = PictureNames(["cats/000.jpg", "dogs/000.jpg", "dogs/001.JPG"])
        >>> names.fitting("001.jpg"), names.fitting("000"), names.fitting("000", below="cats")
        (['dogs/001.JPG'], ['cats/000.jpg', 'dogs/000.jpg'], ['cats/000.jpg'])
    """

    def __init__(self, names: Iterable[str]):
        self.names = frozenset(names)

    def fitting(self, name: str, below: str = "") -> list[str]:
        """The pictures that a name may mean: as it stands, else by its last parts, else without the suffix; each first
        in the very same characters, then in another case or Unicode form; and last, all that without the `#` and the
        number at its end.

        Args:
            name: A path, of which the first folders may be missing here or there; or one without its suffix.
            below: The folder of the file that says the name, as it stands in `names`: pictures in it come first.

        Returns:
            One where all is well; none where nothing fits; several where the name is ambiguous.
        """
        name = normalised(name)
        without = without_number(name)
        whole, bare = (posixpath.normpath(posixpath.join(below, one)) for one in (name, without))
        for one in (whole, name, bare, without):
            if one in self.names:
                return [one]
        for spelled in (_as_it_stands, _folded):
            by_last_part, by_stem = self._indexed(spelled)
            wanted, nearest = spelled(name), spelled(whole)
            last = wanted.rpartition("/")[2]
            for named, part in ((by_last_part, _as_it_stands), (by_stem, _without_suffix)):
                fitting = [one for one in named.get(last, ()) if _is_end(part(spelled(one)), wanted)]
                if fitting:
                    near = [one for one in fitting if below and part(spelled(one)) == nearest]
                    return near if len(near) == 1 else fitting
        return self.fitting(without, below) if without != name else []

    @functools.cache  # noqa: B019 (lives as long as the names)
    def _indexed(self, spelled: Callable[[str], str]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """The pictures of each file name, and of each file name without its suffix."""
        named: dict[str, list[str]] = {}
        bare: dict[str, list[str]] = {}
        for name in sorted(self.names):
            last = PurePosixPath(spelled(name))
            named.setdefault(last.name, []).append(name)
            bare.setdefault(last.stem, []).append(name)
        return named, bare


def normalised(name: str) -> str:
    """A path with "/" between its parts and nothing before the first."""
    return name.replace("\\", "/").removeprefix("./")


def without_number(name: str) -> str:
    """A picture's name without the `#` and the caption's number that may follow it."""
    return _NUMBER.sub("", name).strip()


def _as_it_stands(name: str) -> str:
    return name


def _folded(name: str) -> str:
    """Equal for two spellings of one name: macOS writes "é" as two characters, Windows takes JPG for jpg."""
    return unicodedata.normalize("NFC", name).casefold()


def _without_suffix(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _is_end(one: str, other: str) -> bool:
    """Whether one path is the other, or its last parts."""
    return one == other or one.endswith(f"/{other}") or other.endswith(f"/{one}")
