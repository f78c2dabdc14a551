"""Flickr8k for TensorFlow Datasets (TFDS), which has none: who imports this module can ask TFDS for it by its name."""

import hashlib
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import tensorflow_datasets as tfds
from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

from data.captioned_pictures.captions import read_captions, read_picture_list
from data.captioned_pictures.known_datasets import DATASETS
from data.sources.dataset import File

# TFDS's names of the splits, and what the lists of their pictures are called.
_LISTS = {
    "train": "Flickr_8k.trainImages.txt",
    "validation": "Flickr_8k.devImages.txt",
    "test": "Flickr_8k.testImages.txt",
}
_CAPTIONS = "Flickr8k.token.txt"
_DATASET = DATASETS["flickr8k"]


class Flickr8k(tfds.core.GeneratorBasedBuilder):
    """Builds the pictures of Flickr8k with their captions: 6,000 / 1,000 / 1,000, five captions for each.

    The lists of the splits decide: what is in none of them is left out, such as captions whose picture is not there.
    The pictures' bytes stay as they are.

    Source:
        https://doi.org/10.1613/jair.3994
    """

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "image": tfds.features.Image(encoding_format="jpeg"),
            "image/filename": tfds.features.Text(),
            "captions": tfds.features.Sequence(tfds.features.Text()),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(features),
            homepage="https://github.com/jbrownlee/Datasets/releases/tag/Flickr8k",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        files = zip(_DATASET.urls, _DATASET.files)
        texts, pictures = (_right_file(dl_manager, url, file) for url, file in files)
        with zipfile.ZipFile(texts) as archive, tempfile.TemporaryDirectory() as folder:
            members = _members(archive)
            captions = read_captions(archive.extract(members[_CAPTIONS], folder))
            lists = {split: read_picture_list(archive.extract(members[name], folder)) for split, name in _LISTS.items()}
        return {
            split: self._generate_examples(pictures, {name: captions[name] for name in names})
            for split, names in lists.items()
        }

    def _generate_examples(
        self, pictures: Path, captions: dict[str, list[str]]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        with zipfile.ZipFile(pictures) as archive:
            members = _members(archive)
            for name, texts in captions.items():
                yield name, {"image": archive.read(members[name]), "image/filename": name, "captions": texts}


def _members(archive: zipfile.ZipFile) -> dict[str, str]:
    """From the last part of each file's path in an archive to the path; __MACOSX holds no files of the set's own."""
    paths = (PurePosixPath(path) for path in archive.namelist())
    return {path.name: str(path) for path in paths if path.parts[0] != "__MACOSX"}


def _right_file(dl_manager: tfds.download.DownloadManager, url: str, file: File) -> Path:
    """A file that was placed by hand, or downloads it; refuses any other.

    TFDS compares SHA-256 only, and without one it takes any download for the file, and none that was placed by hand.
    MD5 finds a file that is damaged or another one, but not one that was forged.
    """
    placed = dl_manager.download_dir / "manual" / _DATASET.archive / file.name
    path = Path(placed if placed.exists() else dl_manager.download(url))
    with open(path, "rb") as stream:
        checksum = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if checksum == file.md5:
        return path
    if path != Path(placed):
        # Else TFDS would take it again instead of downloading.
        path.unlink()
        path.with_name(f"{path.name}.INFO").unlink()
    raise NonMatchingChecksumError(f"{url}, in {path}, has the MD5 {checksum}; expected {file.md5}")
