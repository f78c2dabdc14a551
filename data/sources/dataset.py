"""What is known of a public data set: where it comes from, what it weighs, and under which terms."""

import dataclasses
import urllib.parse


@dataclasses.dataclass(frozen=True)
class File:
    """One of the files of a set that is not a single archive.

    Args:
        name: Its name.
        size: In bytes.
        sha256: Of its bytes; "" where it is not known.
        md5: Of its bytes, where there is no SHA-256.
        url: Its address, where that is not the set's and the name.
    """

    name: str
    size: int
    sha256: str = ""
    md5: str = ""
    url: str = ""


@dataclasses.dataclass(frozen=True)
class Mirror:
    """The same data in a repository of the Hugging Face hub, for when the set's own host does not answer.

    Its rows are not in the order in which TFDS gives the set's: a run on a mirror is a run on another source.

    Args:
        address: Where: "hf:OWNER/NAME/CONFIGURATION@REVISION".
        files: Of each split; the names are paths in the repository.
        rows: How many rows each split has.
        is_compared: Whether the rows were compared with those of the set's own files, and are the same.
        languages: Of sentence pairs, the only ones that it holds.
    """

    address: str
    files: dict[str, tuple[File, ...]]
    rows: dict[str, int]
    is_compared: bool = False
    languages: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Of all files, in bytes; 0 where one is not known."""
        sizes = [file.size for files in self.files.values() for file in files]
        return sum(sizes) if all(sizes) else 0


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A public data set.

    Args:
        name: The name by which `--data` calls it.
        builder: The TFDS builder, with configuration and version.
        folder: Where TFDS keeps the prepared set, below its data folder.
        url: Where its archive is downloaded from, or the address that all its files' addresses begin with.
        archive: The archive's file name, when it is placed by hand, or the name of the folder of its files.
        download: The name that TFDS gives the archive, when TFDS has downloaded it.
        size: Of the archive, or of all files, in bytes.
        terms: Under which terms the set may be used, in one line.
        splits: The names of its splits, as `data.sources.split_files` calls them.
        sha256: Of the archive, where TFDS knows none; "" where it does.
        tfds_url: Where TFDS would download the archive from, where that is not `url`; "" where it is.
        unchecked_download: The name that TFDS gives the archive without `sha256`, where it is of any use, or "".
        files: Its files, where it is not a single archive.
        language_pairs: Of sentence pairs, the languages that go together; those that are meant if none are named first.
        more_training: TFDS's splits that belong to the training split, besides the one of that name.
        mirror: The same data elsewhere, or None.
    """

    name: str
    builder: str
    folder: str
    url: str
    archive: str
    download: str
    size: int
    terms: str
    splits: tuple[str, ...]
    sha256: str = ""
    tfds_url: str = ""
    unchecked_download: str = ""
    files: tuple[File, ...] = ()
    language_pairs: tuple[tuple[str, str], ...] = ()
    more_training: tuple[str, ...] = ()
    mirror: Mirror | None = None

    @property
    def urls(self) -> list[str]:
        """The addresses of all that is downloaded."""
        return [file.url or self.url + file.name for file in self.files] or [self.url]

    @property
    def host(self) -> str:
        """The host that the archive comes from."""
        return urllib.parse.urlsplit(self.url).hostname or ""

    @property
    def mebibytes(self) -> int:
        """The size of the archive in MiB."""
        return round(self.size / 2**20)
