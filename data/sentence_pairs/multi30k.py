"""Multi30k for TensorFlow Datasets (TFDS), which has none: who imports this module can ask TFDS for it by its name."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import tensorflow_datasets as tfds
from tensorflow_datasets.core.download.checksums import UrlInfo

from data.sentence_pairs.known_datasets import DATASETS

LANGUAGES = ("de", "en", "fr")
# TFDS's names of the splits, and the files'.
_SPLITS = {"train": "train", "validation": "val", "test": "test_2016_flickr"}
_DATASET = DATASETS["multi30k"]


class Multi30k(tfds.core.GeneratorBasedBuilder):
    """Builds the sentences of task 1, translated by people: 29,000 / 1,014 / 1,000 in each language.

    Source:
        https://aclanthology.org/W16-3210 (English, German), https://aclanthology.org/W17-4718 (French)
    """

    VERSION = tfds.core.Version("1.0.0")
    # TFDS takes a file only if it has this SHA-256, also if it was placed by hand.
    url_infos = {
        url: UrlInfo(tfds.core.utils.Size(file.size), file.sha256, f"{_DATASET.archive}/{file.name}")
        for url, file in zip(_DATASET.urls, _DATASET.files)
    }

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.Translation(LANGUAGES),
            homepage="https://github.com/multi30k/dataset",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        urls = {file.name: url for url, file in zip(_DATASET.urls, _DATASET.files)}
        paths = dl_manager.download(urls)
        return {
            split: self._generate_examples([paths[f"{stem}.{language}.gz"] for language in LANGUAGES])
            for split, stem in _SPLITS.items()
        }

    def _generate_examples(self, paths: list[Path]) -> Iterator[tuple[int, dict[str, str]]]:
        sides = [gzip.decompress(path.read_bytes()).decode("utf-8").removesuffix("\n").split("\n") for path in paths]
        for number, sentences in enumerate(zip(*sides, strict=True)):
            yield number, dict(zip(LANGUAGES, sentences))
