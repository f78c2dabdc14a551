import dataclasses
import hashlib
import io
import socket
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.captioned_pictures.known_datasets import DATASETS as PICTURES
from data.errors import UserError
from data.labelled_texts.known_datasets import DATASETS as TEXTS
from data.sentence_pairs.datasets import in_languages
from data.sentence_pairs.known_datasets import DATASETS as PAIRS
from data.sentence_pairs.pairs import Languages
from data.sources import mirrors
from data.sources import source as sources
from data.sources.dataset import File, Mirror
from data.sources.hub_client import Address
from data.sources.source import resolve_source
from data.sources.split_files import find_splits
from data.tables.rows import TABLE_SUFFIXES, read_rows
from data.tagged_sentences.known_datasets import DATASETS as SENTENCES
from tests.hub_server import Repository

MIRRORED = [TEXTS["imdb_reviews"], SENTENCES["conll2003"], PAIRS["multi30k"], PICTURES["flickr8k"]]


def parquet(count):
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([{"text": f"{number}", "label": "a"} for number in range(count)]), stream)
    return stream.getvalue()


FILES = {"deep/train.parquet": parquet(3), "deep/test.parquet": parquet(2)}


def mirrored(hub, revision="main", known=("train", "test"), rows=(3, 2), compared=True, **changed):
    """The IMDB set with a small mirror, of whose files some checksums are known."""
    files = {
        split: (File(path, 0, hashlib.sha256(data).hexdigest() if split in known else ""),)
        for split, (path, data) in zip(("train", "test"), FILES.items())
    }
    hub.repositories["own/mirror"] = Repository({"main": {**FILES, **changed}})
    revision = revision or hub.repositories["own/mirror"].commit("main")
    mirror = Mirror(f"hf:own/mirror/deep@{revision}", files, dict(zip(("train", "test"), rows)), compared)
    return dataclasses.replace(TEXTS["imdb_reviews"], mirror=mirror)


@pytest.fixture
def resolve(tmp_path, monkeypatch):
    """Resolves `--data` where no set is here and its own host does not answer."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.setattr(sources, "is_reachable", lambda dataset: False)

    def resolve(data, dataset):
        find = lambda path: find_splits(path, TABLE_SUFFIXES)  # noqa: E731
        return resolve_source(
            data, benchmark="imdb_reviews", sample="sentiment", datasets={"imdb_reviews": dataset}, find=find
        )

    return resolve


@pytest.mark.parametrize("data", ["auto", "imdb_reviews"])
@pytest.mark.parametrize("revision", ["main", None])
def test_the_mirror_is_taken_where_the_host_does_not_answer(hub, gone, resolve, data, revision):
    dataset = mirrored(hub, revision)
    source = resolve(data, dataset)
    commit = hub.repositories["own/mirror"].commit("main")
    assert (source.kind, source.name, source.requested) == ("hub", f"hf:own/mirror/deep@{commit}", data)
    assert source.notice == (
        f"imdb_reviews is read from its mirror hf:own/mirror/deep@{commit}: the same rows, not in the order in which "
        "TFDS gives them, so that figures differ a little."
    )
    assert {split: len(list(read_rows(path))) for split, path in source.files.files.items()} == {"train": 3, "test": 2}
    gone()
    again = resolve(data, dataset)
    assert (again.name, again.fingerprint) == (source.name, source.fingerprint)
    assert resolve(source.name, dataset).fingerprint == source.fingerprint


def test_the_sets_own_host_comes_first(hub, resolve, monkeypatch):
    monkeypatch.setattr(sources, "is_reachable", lambda dataset: True)
    assert resolve("auto", mirrored(hub)).kind == "dataset"


def test_files_that_are_not_those_that_are_known(hub, resolve):
    dataset = mirrored(hub, **{"deep/test.parquet": parquet(4)})
    with pytest.raises(UserError, match=r"gave for deep/test\.parquet is not that file \(its SHA-256 differs\)"):
        resolve("auto", dataset)


def test_files_of_which_no_checksum_is_known_have_the_right_number_of_rows(hub, resolve):
    source = resolve("auto", mirrored(hub, known=("test",), compared=False))
    assert ": as many rows, which were not compared with the set's own, not in the order" in source.notice
    assert source.notice.endswith("No SHA-256 is known of train (3): only the number of rows was checked.")


def test_files_of_which_no_checksum_is_known_with_another_number_of_rows(hub, resolve):
    with pytest.raises(UserError, match=r"hf:own/mirror/deep@main: train has 3 rows, and 4 are right"):
        resolve("auto", mirrored(hub, known=("test",), rows=(4, 2)))


def test_neither_the_host_nor_the_hub_answers(hub, gone, resolve):
    dataset = mirrored(hub)
    gone()
    notice = resolve("auto", dataset).notice
    assert "Using the small bundled sample: imdb_reviews is not in" in notice
    assert f"(127.0.0.1:9, for its mirror {dataset.mirror.address}, does not answer either)" in notice


def test_without_huggingface_hub_its_absence_is_said(hub, resolve, monkeypatch):
    for module in (mirrors, sources):
        monkeypatch.setattr(module, "is_installed", lambda: False)
    assert "is read by huggingface_hub: pip install huggingface_hub)" in resolve("auto", mirrored(hub)).notice


def test_a_network_that_swallows_everything_is_told_within_five_seconds(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        for name in ("http_proxy", "https_proxy", "HF_ENDPOINT"):
            monkeypatch.setenv(name, address)
        start = time.monotonic()
        source = resolve_source(
            "auto",
            benchmark="imdb_reviews",
            sample="sentiment",
            datasets=TEXTS,
            find=lambda path: find_splits(path, TABLE_SUFFIXES),
        )
        assert source.kind == "sample"
        assert time.monotonic() - start < 5


@pytest.mark.parametrize("dataset", MIRRORED, ids=lambda dataset: dataset.name)
def test_what_is_known_of_the_mirrors(dataset):
    mirror = dataset.mirror
    address = Address.parse(mirror.address)
    assert address.configuration and address.revision
    assert set(mirror.files) == set(mirror.rows) == set(dataset.splits) - {"unsupervised"}
    for file in (file for files in mirror.files.values() for file in files):
        assert len(file.sha256) in (0, 64)
    # A branch may move: then every file has to be known by its content.
    assert address.is_pinned or all(file.sha256 for files in mirror.files.values() for file in files)


def test_a_mirror_that_lacks_a_language_is_none():
    assert in_languages(PAIRS["multi30k"], Languages("en", "de")).mirror == PAIRS["multi30k"].mirror
    assert in_languages(PAIRS["multi30k"], Languages("en", "fr")).mirror is None


def test_the_languages_of_a_mirror_are_those_that_the_set_is_mostly_used_for(hub, resolve, monkeypatch):
    from templates.translation.config import Config
    from templates.translation.pipeline import find_source, open_source

    files = {f"{stem}.jsonl": b'{"en": "a dog", "de": "ein Hund"}\n' * 3 for stem in ("train", "val", "test")}
    hub.repositories["own/pairs"] = Repository({"main": files})
    known = {
        split: (File(name, 0, hashlib.sha256(data).hexdigest()),)
        for split, (name, data) in zip(("train", "validation", "test"), files.items())
    }
    mirror = Mirror("hf:own/pairs/default@main", known, dict.fromkeys(known, 3), True, ("de", "en"))
    monkeypatch.setitem(PAIRS, "multi30k", dataclasses.replace(PAIRS["multi30k"], mirror=mirror))
    for config, first in [
        (Config(data="multi30k"), "ein Hund"),
        (Config(data="auto"), "ein Hund"),
        (Config(data="multi30k", source_language="en"), "a dog"),
    ]:
        source = find_source(config)
        assert source.name.startswith("hf:own/pairs/default@")
        assert open_source(config, source).read(["validation"])["validation"].sources == [first] * 3
    # As a run that goes on finds them again.
    again = find_source(Config(data=source.name, source_language="de", target_language="en"))
    assert again.files.languages == Languages("de", "en")
