"""TFDS's conll2003 and wikiann: the real builders, fed with small archives."""

import dataclasses
import hashlib
import inspect
import io
import json
import tarfile
import zipfile

import pytest

from data.errors import UserError
from data.sources import datasets
from data.sources.datasets import archive_place, find_archive, is_prepared, prepare
from data.sources.source import resolve_source
from data.tagged_sentences.datasets import load_tagged_sentences
from data.tagged_sentences.known_datasets import DATASETS
from tests.data.sources.test_datasets import serving, tfds_folder

FIXTURES = (tfds_folder,)  # pytest finds it by its name in this module
NAMES = ("conll2003", "wikiann")

CONLL_FILES = {
    "train.txt": "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\n\nGröße NNP B-NP B-PER\n\n",
    "valid.txt": "-DOCSTART- -X- -X- O\n\nPeter NNP B-NP B-PER\nBlackburn NNP I-NP I-PER",
    "test.txt": "-DOCSTART- -X- -X- O\n\n\n: : O O\n\n",
}
WIKIANN_FILES = {
    "train": "en:EU\tB-ORG\nen:rejects\tO\n\nen:Größe\tB-PER\n\n",
    "dev": "en:Peter\tB-PER\nen:Blackburn\tI-PER\n\n",
    "test": "en::\tO\n\n",
}
SENTENCES = {
    "train": [(["EU", "rejects"], ["B-ORG", "O"]), (["Größe"], ["B-PER"])],
    "validation": [(["Peter", "Blackburn"], ["B-PER", "I-PER"])],
    "test": [([":"], ["O"])],
}


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


ARCHIVES = {
    "conll2003": zipped({name: text.encode() for name, text in CONLL_FILES.items()}),
    "wikiann": zipped({"en.tar.gz": tarred({name: text.encode() for name, text in WIKIANN_FILES.items()})}),
}


def small(name, **changes):
    """The set, with a small archive in place of its own."""
    archive = ARCHIVES[name]
    known = {"size": len(archive), "sha256": hashlib.sha256(archive).hexdigest()}
    return dataclasses.replace(DATASETS[name], **known, **changes)


def place(dataset, content):
    archive = archive_place(dataset)
    archive.parent.mkdir(parents=True)
    archive.write_bytes(content)
    return archive


@pytest.fixture
def no_network(monkeypatch):
    monkeypatch.setattr(datasets, "is_reachable", lambda dataset: pytest.fail("the network was asked"))


@pytest.mark.parametrize("name", NAMES)
def test_the_sets_are_described_as_tfds_knows_them(name):
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download import resource

    dataset = DATASETS[name]
    builder = tfds.builder(dataset.builder)
    assert builder.info.full_name == dataset.folder
    assert builder.url_infos is None  # no SHA-256: if there is one now, ours is not needed any more
    assert f'"{dataset.tfds_url or dataset.url}"' in inspect.getsource(inspect.getmodule(type(builder))).replace(
        "'", '"'
    )
    assert resource.get_dl_fname(dataset.tfds_url or dataset.url, dataset.sha256) == dataset.download
    assert dataset.unchecked_download in ("", resource.get_dl_fname(dataset.url))
    assert dataset.url.endswith(f"/{dataset.archive}")
    assert dataset.splits == ("train", "validation", "test")
    assert dataset.mebibytes == {"conll2003": 1, "wikiann": 223}[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_hand_placed_archive_is_prepared_without_a_network(tfds_folder, no_network, name, capfd):  # noqa: F811
    import tensorflow  # noqa: F401 - its own log lines are not what is tested here

    dataset = small(name)
    archive = place(dataset, ARCHIVES[name])
    assert (
        archive
        == tfds_folder / "downloads" / "manual" / f"{'conll2003' if name == 'conll2003' else 'panx_dataset'}.zip"
    )
    assert resolve_source(name, benchmark=None, sample="ner", datasets=DATASETS, find=pytest.fail).kind == "dataset"
    capfd.readouterr()
    prepare(dataset)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err == f"Preparing {name} in {tfds_folder}, from {archive}. Terms: {dataset.terms}.\n"
    assert is_prepared(dataset)

    archive.unlink()
    for split, expected in SENTENCES.items():
        sentences = load_tagged_sentences(dataset, split)
        assert sorted(zip(sentences.tokens, sentences.tags)) == sorted(expected)
        assert sentences.lines == []
        assert load_tagged_sentences(dataset, split) == sentences
    assert load_tagged_sentences(dataset, "dev") == load_tagged_sentences(dataset, "validation")
    with pytest.raises(UserError, match=f"{name} has no split 'all'; it has train, validation, test"):
        load_tagged_sentences(dataset, "all")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_archive_is_refused(tfds_folder, no_network, name):  # noqa: F811
    import tensorflow_datasets as tfds

    archive = place(DATASETS[name], ARCHIVES[name])  # the small one is not the published one
    with pytest.raises(UserError) as error:
        load_tagged_sentences(DATASETS[name], "train")
    assert str(error.value) == (
        f"{archive} is not the archive of {name} (its SHA-256 differs); remove it and get {DATASETS[name].url} again"
    )
    assert not is_prepared(DATASETS[name])
    # What TFDS was told is forgotten again.
    known = tfds.core.download.checksums.get_all_url_infos()
    assert (DATASETS[name].tfds_url or DATASETS[name].url) not in known


@pytest.mark.parametrize("name", NAMES)
def test_a_download_comes_from_where_the_archive_is(tfds_folder, monkeypatch, name):  # noqa: F811
    said = []
    # Without https, so that a proxy can answer; for wikiann TFDS has another address.
    tfds_url = DATASETS[name].tfds_url or DATASETS[name].url
    dataset = small(name)
    dataset = dataclasses.replace(dataset, url=dataset.url.replace("https", "http"), tfds_url=tfds_url)
    with serving(body=ARCHIVES[name], kind="application/zip") as (address, asked):
        monkeypatch.setenv("http_proxy", address)
        prepare(dataset, say=lambda message: said.append((message, len(asked))))
    assert asked == [dataset.url] * 2  # whether it is there, and for it
    assert said == [
        (f"Preparing {name} in {tfds_folder}, downloading 0 MiB from {dataset.host}. Terms: {dataset.terms}.", 1)
    ]
    assert sorted(load_tagged_sentences(dataset, "train").tokens) == [["EU", "rejects"], ["Größe"]]
    # Kept where `find_archive` looks for it (the name ends in the checksum, which is another one here).
    kept = {path.name for path in (tfds_folder / "downloads" / name).iterdir() if path.is_file()}
    stem = dataset.download[:20]
    assert len(kept) == 2 and all(file.startswith(stem) for file in kept)


@pytest.mark.parametrize("folder", ["", "conll2003"])
def test_an_archive_that_tfds_downloaded_by_itself_is_taken(tfds_folder, no_network, folder):  # noqa: F811
    dataset = small("conll2003")
    archive = tfds_folder / "downloads" / folder / dataset.unchecked_download
    archive.parent.mkdir(parents=True)
    archive.write_bytes(ARCHIVES["conll2003"])
    assert find_archive(dataset) is None
    info = {"size": dataset.size, "checksum": dataset.sha256, "filename": "conll2003.zip"}
    archive.with_name(f"{archive.name}.INFO").write_text(
        json.dumps({"url_info": info, "original_fname": "conll2003.zip", "urls": [dataset.url]})
    )
    assert find_archive(dataset) == archive
    assert load_tagged_sentences(dataset, "test").tokens == [[":"]]


def test_a_set_that_cannot_be_had_says_where_its_archive_belongs(tfds_folder, monkeypatch):  # noqa: F811
    monkeypatch.setattr(datasets, "is_reachable", lambda dataset: False)
    with pytest.raises(UserError) as error:
        load_tagged_sentences(DATASETS["conll2003"], "train")
    assert str(error.value) == (
        f"conll2003 is not in {tfds_folder} and data.deepai.org does not give https://data.deepai.org/conll2003.zip; "
        f"download the archive (1 MiB) elsewhere and place it at {tfds_folder}/downloads/manual/conll2003.zip"
    )
