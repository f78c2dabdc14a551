"""Multi30k and TFDS's ted_hrlr_translate: the real builders, fed with small files."""

import dataclasses
import gzip
import hashlib
import io
import tarfile

import pytest

from data.errors import UserError
from data.sentence_pairs import multi30k
from data.sentence_pairs.datasets import in_languages, languages_of, load_sentence_pairs
from data.sentence_pairs.known_datasets import DATASETS
from data.sentence_pairs.pairs import Languages, SentencePairs
from data.sources import datasets
from data.sources import source as sources
from data.sources.dataset import File
from data.sources.datasets import find_archive, hand_placed, is_prepared, prepare
from data.sources.source import resolve_source
from data.sources.split_files import Splits
from tests.data.sources.test_datasets import serving, tfds_folder

FIXTURES = (tfds_folder,)  # pytest finds it by its name in this module
MULTI30K, TED = DATASETS["multi30k"], DATASETS["ted_hrlr_translate"]
SENTENCES = {"train": ["Größe", "a\u2028b", " c "], "val": ["d"], "test_2016_flickr": ["e", "f"]}


def multi30k_file(name):
    """A small file in place of one of Multi30k's: every sentence is marked with its language."""
    stem, language, _ = name.split(".")
    lines = [f"{sentence} ({language})\n" for sentence in SENTENCES[stem]]
    return gzip.compress("".join(lines).encode(), mtime=0)


def known_file(name, content):
    return File(name, len(content), hashlib.sha256(content).hexdigest())


def pinned(dataset):
    """What the builder pins."""
    from tensorflow_datasets.core.download.checksums import UrlInfo

    return {
        url: UrlInfo(file.size, file.sha256, f"multi30k/{file.name}") for url, file in zip(dataset.urls, dataset.files)
    }


@pytest.fixture
def small_multi30k(tfds_folder, monkeypatch):  # noqa: F811
    """The set with small files, which its builder takes for the right ones."""
    files = tuple(known_file(file.name, multi30k_file(file.name)) for file in MULTI30K.files)
    dataset = dataclasses.replace(MULTI30K, files=files)
    monkeypatch.setattr(multi30k.Multi30k, "url_infos", pinned(dataset))
    return dataset


def place(folder, names):
    folder = folder / "downloads" / "manual" / "multi30k"
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(multi30k_file(name))
    return folder


@pytest.fixture
def no_network(monkeypatch):
    for module in (datasets, sources):
        monkeypatch.setattr(module, "is_reachable", lambda dataset: pytest.fail("the network was asked"))


def pairs_of(stem, source, target):
    return sorted((f"{sentence} ({source})", f"{sentence} ({target})") for sentence in SENTENCES[stem])


# Multi30k


def test_multi30k_is_described_as_its_builder_builds_it():
    import tensorflow_datasets as tfds

    builder = tfds.builder(MULTI30K.builder)
    assert isinstance(builder, multi30k.Multi30k)
    assert builder.info.full_name == MULTI30K.folder
    assert sorted(builder.info.features) == sorted(multi30k.LANGUAGES)
    assert builder.url_infos == pinned(MULTI30K)
    stems = ("train", "val", "test_2016_flickr")
    assert [file.name for file in MULTI30K.files] == [
        f"{stem}.{end}.gz" for stem in stems for end in ("de", "en", "fr")
    ]
    assert (MULTI30K.size, MULTI30K.mebibytes) == (1_945_824, 2)
    assert MULTI30K.urls[0] == "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/train.de.gz"
    assert len({file.sha256 for file in MULTI30K.files}) == len(MULTI30K.urls) == 9


def test_hand_placed_files_are_prepared_without_a_network(tfds_folder, small_multi30k, no_network, capfd):  # noqa: F811
    import tensorflow  # noqa: F401 - its own log lines are not what is tested here

    folder = place(tfds_folder, [file.name for file in MULTI30K.files])
    assert (
        resolve_source(
            "auto",
            benchmark="multi30k",
            sample="translation",
            datasets=DATASETS,
            find=pytest.fail,
            choose=in_languages,
        ).kind
        == "dataset"
    )
    capfd.readouterr()
    train = load_sentence_pairs(small_multi30k, "train", Languages("de", "en"))
    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err == f"Preparing multi30k in {tfds_folder}, from {folder}. Terms: {MULTI30K.terms}.\n"
    assert sorted(zip(train.sources, train.targets)) == pairs_of("train", "de", "en")
    assert train.lines == []

    for path in folder.iterdir():
        path.unlink()
    # Prepared once for all languages and both directions, and read in the same order every time.
    assert load_sentence_pairs(small_multi30k, "train") == train
    assert load_sentence_pairs(small_multi30k, "train", Languages("en", "de")) == SentencePairs(
        train.targets, train.sources
    )
    validation = load_sentence_pairs(small_multi30k, "dev", Languages("fr", "en"))
    assert list(zip(validation.sources, validation.targets)) == pairs_of("val", "fr", "en")
    test = load_sentence_pairs(small_multi30k, "test", Languages("en", "fr"))
    assert sorted(zip(test.sources, test.targets)) == pairs_of("test_2016_flickr", "en", "fr")
    with pytest.raises(UserError, match="multi30k has no split 'all'; it has train, validation, test"):
        load_sentence_pairs(small_multi30k, "all")
    assert capfd.readouterr() == ("", "")


def test_a_file_that_is_not_the_right_one_is_named(tfds_folder, small_multi30k, no_network):  # noqa: F811
    folder = place(tfds_folder, [file.name for file in MULTI30K.files])
    (folder / "val.en.gz").write_bytes(multi30k_file("val.de.gz"))
    with pytest.raises(UserError) as error:
        load_sentence_pairs(small_multi30k, "train")
    assert str(error.value) == (
        f"{folder}/val.en.gz is not the val.en.gz of multi30k (its SHA-256 differs); remove it and "
        f"get {MULTI30K.url}val.en.gz again"
    )
    assert not is_prepared(MULTI30K)


def test_the_published_files_are_pinned(tfds_folder, no_network):  # noqa: F811
    place(tfds_folder, [file.name for file in MULTI30K.files])
    with pytest.raises(UserError, match=r"is not the [a-z0-9_]+\.[a-z]{2}\.gz of multi30k \(its SHA-256 differs\)"):
        load_sentence_pairs(MULTI30K, "train")


def test_a_file_that_is_missing_is_downloaded(tfds_folder, small_multi30k, monkeypatch):  # noqa: F811
    # Without https, so that a proxy can answer.
    dataset = dataclasses.replace(small_multi30k, url=MULTI30K.url.replace("https", "http"))
    monkeypatch.setattr(multi30k.Multi30k, "url_infos", pinned(dataset))
    monkeypatch.setattr(multi30k, "_DATASET", dataset)
    *names, missing = [file.name for file in dataset.files]
    place(tfds_folder, names)
    assert find_archive(dataset) is None
    said = []
    with serving(body=multi30k_file(missing), kind="application/octet-stream") as (address, asked):
        monkeypatch.setenv("http_proxy", address)
        prepare(dataset, say=said.append)
    host = "raw.githubusercontent.com"
    assert said == [f"Preparing multi30k in {tfds_folder}, downloading 2 MiB from {host}. Terms: {dataset.terms}."]
    # Whether there is anything, and for the one that is not here.
    assert asked == [dataset.urls[0], dataset.urls[-1]]
    test = load_sentence_pairs(dataset, "test", Languages("en", "fr"))
    assert sorted(zip(test.sources, test.targets)) == pairs_of("test_2016_flickr", "en", "fr")


def test_files_that_cannot_be_had(tfds_folder, monkeypatch):  # noqa: F811
    for module in (datasets, sources):
        monkeypatch.setattr(module, "is_reachable", lambda dataset: False)
    monkeypatch.setattr(sources, "is_mirror_reachable", lambda mirror: False)
    folder = place(tfds_folder, ["train.de.gz", "train.en.gz"])
    names = ", ".join(file.name for file in MULTI30K.files)
    assert hand_placed(MULTI30K) == (names, "them", f"in {folder}")
    for call in (
        lambda: load_sentence_pairs(MULTI30K, "train"),
        lambda: resolve_source(
            "multi30k",
            benchmark=None,
            sample="translation",
            datasets=DATASETS,
            find=pytest.fail,
            choose=in_languages,
        ),
    ):
        with pytest.raises(UserError) as error:
            call()
        assert str(error.value).partition(", or use --data sample")[0] == (
            f"multi30k is not in {tfds_folder} and raw.githubusercontent.com does not give {MULTI30K.urls[0]}; "
            f"download {names} (2 MiB) elsewhere and place them in {folder}"
        )
    (tfds_folder / "samples" / "translation").mkdir(parents=True)
    monkeypatch.setattr(sources, "SAMPLES", tfds_folder / "samples")
    source = resolve_source(
        "auto",
        benchmark="multi30k",
        sample="translation",
        datasets=DATASETS,
        find=lambda path: Splits(path, {}, []),
    )
    assert source.kind == "sample"
    assert f"For the benchmark, place {names} (2 MiB) in {folder} or run again with a network." in source.notice


# ted_hrlr_translate


def ted_archive():
    texts = {
        "az_tr_to_en/az-tr.train": "bir\n\nüç",
        "az_tr_to_en/en.train": "one\ntwo\nthree",
        **{f"az_tr_to_en/{name}": name for name in ("az.dev", "en.dev", "az.test", "en.test")},
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in texts.items():
            member = tarfile.TarInfo(f"datasets/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def test_ted_is_described_as_tfds_knows_it():
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download import resource

    builder = tfds.builder(TED.builder)
    url, size, checksum, archive = (builder.pkg_dir_path / "checksums.tsv").read_text().split()
    assert (TED.url, TED.size, TED.archive) == (url, int(size), archive)
    assert TED.download == resource.get_dl_fname(url, checksum)
    # Every pair is a configuration, and there are no others.
    assert {config.language_pair for config in builder.BUILDER_CONFIGS} == set(TED.language_pairs)
    for pair in TED.language_pairs:
        dataset = in_languages(TED, Languages(*pair))
        assert tfds.builder(dataset.builder).info.full_name == dataset.folder
        assert tuple(tfds.builder(dataset.builder).info.features) == pair
        assert in_languages(TED, Languages(*pair[::-1])) == dataset
    assert in_languages(TED) == TED


def test_ted_is_prepared_and_read_in_the_languages_that_are_asked_for(tfds_folder, no_network, monkeypatch):  # noqa: F811
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download.checksums import UrlInfo

    content = ted_archive()
    info = UrlInfo(tfds.core.utils.Size(len(content)), hashlib.sha256(content).hexdigest(), TED.archive)
    monkeypatch.setitem(tfds.builder_cls("ted_hrlr_translate").url_infos, TED.url, info)
    place = tfds_folder / "downloads" / "manual" / TED.archive
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    asked = Languages("en", "az_tr")
    train = load_sentence_pairs(TED, "train", asked)
    # TFDS leaves out pairs with an empty side.
    assert sorted(zip(train.sources, train.targets)) == [("one", "bir"), ("three", "üç")]
    assert load_sentence_pairs(TED, "test", Languages("az_tr")) == SentencePairs(["az.test"], ["en.test"])

    place.unlink()
    resolve = lambda *asked: resolve_source(  # noqa: E731
        "ted_hrlr_translate",
        benchmark=None,
        sample="",
        datasets=DATASETS,
        find=pytest.fail,
        choose=lambda dataset: in_languages(dataset, Languages(*asked)),
    )
    first = resolve("az_tr", "en")
    assert (first.kind, first.name) == ("dataset", "ted_hrlr_translate")
    assert resolve("en", "az_tr").fingerprint == first.fingerprint
    # What is prepared in one pair of languages is not there in another.
    monkeypatch.setattr(sources, "is_reachable", lambda dataset: dataset.builder == "ted_hrlr_translate/pt_to_en:1.0.0")
    assert resolve("pt", "en").fingerprint != first.fingerprint
    with pytest.raises(UserError, match="ted_hrlr_translate is not in"):
        resolve("gl", "en")


# Languages


@pytest.mark.parametrize(
    "dataset, asked, expected",
    [
        (MULTI30K, Languages(), ("de", "en")),
        (MULTI30K, Languages("en"), ("en", "de")),
        (MULTI30K, Languages(target="de"), ("en", "de")),
        (MULTI30K, Languages("fr", "de"), ("fr", "de")),
        (TED, Languages(), ("pt", "en")),
        (TED, Languages("en"), ("en", "pt")),
        (TED, Languages(target="tr"), ("en", "tr")),
        (TED, Languages("pt", "ru"), ("pt", "ru")),
    ],
)
def test_languages_that_are_not_given_follow_from_the_set(dataset, asked, expected):
    assert languages_of(dataset, asked) == Languages(*expected)


def test_languages_that_a_set_does_not_have():
    flags = "choose two that go together with --source-language and --target-language"
    for asked, there in [
        (Languages("fr"), "de and fr, en and fr"),
        (Languages("cs", "en"), "de and en, de and fr, en and fr"),
    ]:
        with pytest.raises(UserError) as error:
            languages_of(MULTI30K, asked)
        assert str(error.value) == f"multi30k has {there}; {flags}"
    with pytest.raises(UserError, match="ted_hrlr_translate has ru and en, ru and pt; choose"):
        in_languages(TED, Languages(target="ru"))
    with pytest.raises(UserError, match="are both de; a translation needs two languages"):
        languages_of(MULTI30K, Languages("de", "de"))


def test_a_set_of_something_else():
    with pytest.raises(
        UserError, match="called 'imdb_reviews'; Expected auto, sample, multi30k, ted_hrlr_translate, or"
    ):
        resolve_source(
            "imdb_reviews",
            benchmark=None,
            sample="translation",
            datasets=DATASETS,
            find=pytest.fail,
            choose=in_languages,
        )
