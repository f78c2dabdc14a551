"""Flickr8k and TFDS's coco_captions: the real builders, fed with small files."""

import dataclasses
import hashlib
import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from data.captioned_pictures import flickr8k
from data.captioned_pictures.datasets import load_captions, picture_contents
from data.captioned_pictures.known_datasets import DATASETS
from data.captioned_pictures.source import CaptionedPictures
from data.errors import UserError
from data.sources import datasets
from data.sources import source as sources
from data.sources.dataset import File
from data.sources.datasets import find_archive, hand_placed, is_prepared, prepare
from data.sources.source import resolve_source
from data.subwords.pieces import Subwords
from templates.captioning import pipeline
from templates.captioning.config import Config
from tests.data.sources.test_datasets import serving, tfds_folder

FIXTURES = (tfds_folder,)  # pytest finds it by its name in this module
FLICKR8K, COCO = DATASETS["flickr8k"], DATASETS["coco_captions"]


def jpeg(shade: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (6, 4), (shade, 40, 90)).save(stream, "JPEG")
    return stream.getvalue()


def zip_of(members: dict[str, bytes | str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)  # always of the same date
    return stream.getvalue()


def texts_of(name: str) -> list[str]:
    return [f"{name} seen by {person} ." for person in ("Ada", "Bo", "Cy", "Dée", "Eve")]


@pytest.fixture
def no_network(monkeypatch):
    for module in (datasets, sources):
        monkeypatch.setattr(module, "is_reachable", lambda dataset: pytest.fail("the network was asked"))


def captions_of(pictures: CaptionedPictures) -> dict[str, list[str]]:
    assert len(set(pictures.names)) == len(pictures)
    return dict(zip(pictures.names, pictures.captions, strict=True))


def contents_of(dataset, split) -> list[bytes]:
    return list(picture_contents(dataset, split))


# Flickr8k

LISTS = {
    "train": ["3_c.jpg", "1_a.jpg", "5_broken.jpg", "2_b.jpg"],
    "dev": ["4_d.jpg"],
    "test": ["7_f.jpg", "6_e.jpg"],
}
# The last is in none of the lists.
JPEGS = {name: jpeg(20 * number) for number, name in enumerate(sum(LISTS.values(), ["9_no_split.jpg"]))}
# What is not looked at cannot be found wanting.
JPEGS["5_broken.jpg"] = b"this is no picture"


def flickr8k_file(name: str) -> bytes:
    if name == "Flickr8k_Dataset.zip":
        folder = "Flicker8k_Dataset"  # as it is spelt there
        return zip_of(
            {f"{folder}/": ""}
            | {f"{folder}/{name}": content for name, content in JPEGS.items()}
            | {f"__MACOSX/{folder}/._{name}": "another" for name in JPEGS}
            | {f"__MACOSX/{folder}/{name}": "another" for name in JPEGS}
        )
    captioned = [*JPEGS, "2258277193_586949ec62.jpg.1"]  # of which there is no picture
    lines = [f"{name}#{k}\t{text}\n" for name in captioned for k, text in enumerate(texts_of(name))]
    return zip_of(
        {f"Flickr_8k.{split}Images.txt": "".join(f"{name}\n" for name in names) for split, names in LISTS.items()}
        | {"Flickr8k.token.txt": "".join(lines), "Flickr8k.lemma.token.txt": "", "readme.txt": "If you use this"}
        | {"__MACOSX/._Flickr8k.token.txt": "another", "__MACOSX/Flickr_8k.testImages.txt": "another"}
    )


def flickr8k_dataset(**changes):
    """The set with small files."""
    contents = {file.name: flickr8k_file(file.name) for file in FLICKR8K.files}
    files = tuple(File(name, len(it), md5=hashlib.md5(it).hexdigest()) for name, it in contents.items())
    return dataclasses.replace(FLICKR8K, files=files, **changes)


@pytest.fixture
def small_flickr8k(tfds_folder, monkeypatch):  # noqa: F811
    """The set with small files, which its builder takes for the right ones."""
    monkeypatch.setattr(flickr8k, "_DATASET", flickr8k_dataset())
    return flickr8k._DATASET


def place(folder, *names):
    folder = folder / "downloads" / "manual" / "flickr8k"
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(flickr8k_file(name))
    return folder


def test_flickr8k_is_described_as_its_builder_builds_it():
    import tensorflow_datasets as tfds

    builder = tfds.builder(FLICKR8K.builder)
    assert isinstance(builder, flickr8k.Flickr8k)
    assert builder.info.full_name == FLICKR8K.folder
    assert sorted(builder.info.features) == ["captions", "image", "image/filename"]
    assert FLICKR8K.size == sum(file.size for file in FLICKR8K.files) == 1_117_760_547
    assert FLICKR8K.mebibytes == 1066
    release = "https://github.com/jbrownlee/Datasets/releases/download/Flickr8k"
    assert FLICKR8K.urls == [f"{release}/Flickr8k_text.zip", f"{release}/Flickr8k_Dataset.zip"]
    # Each can be checked.
    assert [len(file.md5) for file in FLICKR8K.files] == [32, 32]


def test_hand_placed_files_are_prepared_without_a_network(tfds_folder, small_flickr8k, no_network, capfd):  # noqa: F811
    import tensorflow  # noqa: F401 - its own log lines are not what is tested here

    folder = place(tfds_folder, "Flickr8k_Dataset.zip", "Flickr8k_text.zip")
    assert (
        resolve_source("auto", benchmark="flickr8k", sample="captioning", datasets=DATASETS, find=pytest.fail).kind
        == "dataset"
    )
    capfd.readouterr()
    train = load_captions(small_flickr8k, "train")
    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err == f"Preparing flickr8k in {tfds_folder}, from {folder}. Terms: {FLICKR8K.terms}.\n"
    for path in folder.iterdir():
        path.unlink()

    for split, listed in [("train", "train"), ("dev", "dev"), ("validation", "dev"), ("test", "test")]:
        pictures = load_captions(small_flickr8k, split)
        assert captions_of(pictures) == {name: texts_of(name) for name in LISTS[listed]}
        # The bytes of the files, in the order of the names, every time.
        for _ in range(2):
            assert contents_of(small_flickr8k, split) == [JPEGS[name] for name in pictures.names]
    assert load_captions(small_flickr8k, "train") == train
    for read in (load_captions, picture_contents):
        with pytest.raises(UserError, match="flickr8k has no split 'all'; it has train, validation, test"):
            read(small_flickr8k, "all")
    assert capfd.readouterr() == ("", "")


def test_the_data_folder_can_be_given(tmp_path, small_flickr8k, no_network):
    place(tmp_path / "elsewhere", "Flickr8k_Dataset.zip", "Flickr8k_text.zip")
    contents = picture_contents(small_flickr8k, "dev", tmp_path / "elsewhere")
    assert list(contents) == [JPEGS["4_d.jpg"]]
    assert load_captions(small_flickr8k, "dev", tmp_path / "elsewhere").names == ["4_d.jpg"]
    assert not is_prepared(FLICKR8K)


@pytest.mark.parametrize("name", ["Flickr8k_Dataset.zip", "Flickr8k_text.zip"])
def test_a_file_that_is_not_the_right_one_is_named(tfds_folder, small_flickr8k, no_network, name):  # noqa: F811
    folder = place(tfds_folder, "Flickr8k_Dataset.zip", "Flickr8k_text.zip")
    content = bytearray((folder / name).read_bytes())
    content[100] ^= 1  # of the same size
    (folder / name).write_bytes(content)
    with pytest.raises(UserError) as error:
        picture_contents(small_flickr8k, "train")
    assert str(error.value) == (
        f"{folder}/{name} is not the {name} of flickr8k (its MD5 differs); remove it and get {FLICKR8K.url}{name} again"
    )
    assert (folder / name).is_file()
    assert not is_prepared(FLICKR8K)


def test_the_published_files_are_pinned(tfds_folder, no_network):  # noqa: F811
    place(tfds_folder, "Flickr8k_Dataset.zip", "Flickr8k_text.zip")
    with pytest.raises(UserError, match=r"is not the Flickr8k_\w+\.zip of flickr8k \(its MD5 differs\)"):
        load_captions(FLICKR8K, "train")


def test_a_missing_file_is_downloaded_and_not_kept_if_it_is_another(tfds_folder, monkeypatch):  # noqa: F811
    # Without https, so that a proxy can answer.
    dataset = flickr8k_dataset(url=FLICKR8K.url.replace("https", "http"))
    monkeypatch.setattr(flickr8k, "_DATASET", dataset)
    place(tfds_folder, "Flickr8k_Dataset.zip")
    assert find_archive(dataset) is None
    said = []
    with serving(body=zip_of({"a": "another"}), kind="application/octet-stream") as (address, asked):
        monkeypatch.setenv("http_proxy", address)
        with pytest.raises(UserError) as error:
            prepare(dataset, say=said.append)
    url = dataset.urls[0]
    assert str(error.value) == (
        f"what {url} gave is not the Flickr8k_text.zip of flickr8k (its MD5 differs); remove it and get {url} again"
    )
    assert not [path for path in (tfds_folder / "downloads" / "flickr8k").rglob("*") if path.is_file()]
    assert said == [
        f"Preparing flickr8k in {tfds_folder}, downloading 1066 MiB from github.com. Terms: {dataset.terms}."
    ]
    with serving(body=flickr8k_file("Flickr8k_text.zip"), kind="application/octet-stream") as (address, asked):
        monkeypatch.setenv("http_proxy", address)
        prepare(dataset, say=said.append)
    assert asked == [url, url]  # whether there is anything, and for it
    assert captions_of(load_captions(dataset, "test")) == {name: texts_of(name) for name in LISTS["test"]}


@pytest.mark.parametrize(
    ("dataset", "below", "files", "size"),
    [
        (FLICKR8K, "/flickr8k", "Flickr8k_text.zip, Flickr8k_Dataset.zip", 1066),
        (COCO, "", ", ".join(file.name for file in COCO.files), 38_508),
    ],
)
def test_files_that_cannot_be_had(tfds_folder, monkeypatch, dataset, below, files, size):  # noqa: F811
    for module in (datasets, sources):
        monkeypatch.setattr(module, "is_reachable", lambda dataset: False)
    monkeypatch.setattr(sources, "is_mirror_reachable", lambda mirror: False)
    folder = f"{tfds_folder}/downloads/manual{below}"
    assert hand_placed(dataset) == (files, "them", f"in {folder}")
    for call in (
        lambda: load_captions(dataset, "train"),
        lambda: picture_contents(dataset, "train"),
        lambda: resolve_source(dataset.name, benchmark=None, sample="captioning", datasets=DATASETS, find=pytest.fail),
    ):
        with pytest.raises(UserError) as error:
            call()
        assert str(error.value).partition(", or use --data sample")[0] == (
            f"{dataset.name} is not in {tfds_folder} and {dataset.host} does not give {dataset.urls[0]}; "
            f"download {files} ({size} MiB) elsewhere and place them in {folder}"
        )


# coco_captions

# Of COCO's two sets with captions, the pictures by their numbers, and the split of Karpathy and Li.
COCO_SPLITS = {"train2014": {9: "train", 25: "train", 30: "train"}, "val2014": {42: "val", 73: "test", 74: "restval"}}
COCO_CAPTIONS = ["A dog.", " A dog runs \n", "Perro."]


def coco_name(part: str, number: int) -> str:
    return f"COCO_{part}_{number:012d}.jpg"


def coco_instances(part: str) -> str:
    # Number 25 shows none of the things that COCO looks for.
    boxes = [
        {"id": 7 * n, "image_id": n, "bbox": [1, 1, 2, 2], "area": 4, "iscrowd": 0, "category_id": n}
        for n in COCO_SPLITS[part]
        if n != 25
    ]
    images = [{"id": n, "file_name": coco_name(part, n), "width": 6, "height": 4} for n in COCO_SPLITS[part]]
    things = [{"id": n, "name": f"thing {n}"} for n in range(1, 81)]
    return json.dumps({"images": images, "annotations": boxes, "categories": things})


def coco_files() -> dict[str, bytes]:
    pictures = {
        f"{part}.zip": zip_of({f"{part}/{coco_name(part, n)}": jpeg(n) for n in numbers})
        for part, numbers in (COCO_SPLITS | {"test2014": {1: ""}, "test2015": {2: ""}}).items()
    }
    entries = [
        {
            "filename": coco_name(part, n),
            "split": split,
            "sentences": [{"sentid": 10 * n + k, "raw": f"{n}: {text}"} for k, text in enumerate(COCO_CAPTIONS)],
        }
        for part, numbers in COCO_SPLITS.items()
        for n, split in numbers.items()
    ]
    annotations = {f"annotations/instances_{part}.json": coco_instances(part) for part in COCO_SPLITS}
    return pictures | {
        "annotations_trainval2014.zip": zip_of(annotations),
        "image_info_test2014.zip": zip_of({"annotations/image_info_test2014.json": "{}"}),
        "image_info_test2015.zip": zip_of({"annotations/image_info_test2015.json": "{}"}),
        "caption_datasets.zip": zip_of({"dataset_coco.json": json.dumps({"images": entries})}),
    }


@pytest.fixture
def hand_placed_coco(tfds_folder, monkeypatch):  # noqa: F811
    """The folder with small files, which TFDS takes for the right ones."""
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download.checksums import UrlInfo

    folder = tfds_folder / "downloads" / "manual"
    folder.mkdir(parents=True)
    contents = coco_files()
    for url, file in zip(COCO.urls, COCO.files, strict=True):
        content = contents.pop(file.name)
        (folder / file.name).write_bytes(content)
        info = UrlInfo(tfds.core.utils.Size(len(content)), hashlib.sha256(content).hexdigest(), file.name)
        monkeypatch.setitem(tfds.builder_cls("coco_captions").url_infos, url, info)
    assert not contents
    return folder


def test_coco_is_described_as_tfds_knows_it():
    import tensorflow_datasets as tfds

    builder = tfds.builder(COCO.builder)
    assert builder.info.full_name == COCO.folder
    known = {url: (info.size, info.checksum, info.filename) for url, info in builder.url_infos.items()}
    assert [known[url] for url in COCO.urls] == [(file.size, file.sha256, file.name) for file in COCO.files]
    assert COCO.size == 40_378_880_879


def test_coco_is_prepared_and_the_rest_of_its_validation_pictures_are_trained_on(hand_placed_coco, no_network):
    def expected(*pictures: tuple[str, int]) -> dict[str, list[str]]:
        texts = ("A dog.", "A dog runs", "Perro.")
        return {coco_name(part, n): [f"{n}: {text}" for text in texts] for part, n in pictures}

    rows = {
        "train": [("train2014", 9), ("train2014", 25), ("train2014", 30), ("val2014", 74)],
        "validation": [("val2014", 42)],
        "val": [("val2014", 42)],
        "test": [("val2014", 73)],
    }
    for split, wanted in rows.items():
        pictures = load_captions(COCO, split)
        assert captions_of(pictures) == expected(*wanted)
        contents = {coco_name(part, n): jpeg(n) for part, n in wanted}
        assert contents_of(COCO, split) == [contents[name] for name in pictures.names]
    with pytest.raises(UserError, match="coco_captions has no split 'restval'; it has train, validation, test"):
        load_captions(COCO, "restval")


def test_a_file_of_coco_that_is_not_the_right_one_is_named(hand_placed_coco, no_network):
    (hand_placed_coco / "val2014.zip").write_bytes(zip_of({"a": "another"}))
    with pytest.raises(UserError) as error:
        load_captions(COCO, "train")
    assert str(error.value) == (
        f"{hand_placed_coco}/val2014.zip is not the val2014.zip of coco_captions (its SHA-256 differs); remove it and "
        "get http://images.cocodataset.org/zips/val2014.zip again"
    )
    assert not is_prepared(COCO)


# What the template makes of them


def test_the_template_reads_a_set_as_it_reads_files(tfds_folder, small_flickr8k, no_network, monkeypatch):  # noqa: F811
    monkeypatch.setitem(DATASETS, "flickr8k", small_flickr8k)
    place(tfds_folder, "Flickr8k_Dataset.zip", "Flickr8k_text.zip")
    config = Config(data="flickr8k", picture_size=32, longest=4)
    opened = pipeline.open_source(config, pipeline.find_source(config))
    read = opened.read(["train", "validation", "test"])
    train, told = pipeline.filter_training(config, read["train"])
    assert told == ""
    subwords = Subwords(pipeline.learn_vocabulary(config, train))
    examples, note = pipeline.make_examples(config, opened, "train", train, subwords)
    assert (
        note
        == "1 of 4 cannot be read: 5_broken.jpg: no picture of a kind that is known; JPEG, PNG, GIF, BMP and WebP are read"
    )
    assert sorted(examples.names) == ["1_a.jpg", "2_b.jpg", "3_c.jpg"]
    for name, row, references in zip(examples.names, examples.at, examples.references, strict=True):
        # Each picture is of one colour, its own.
        expected = np.asarray(Image.open(io.BytesIO(JPEGS[name])))[0, 0]
        assert abs(examples.pictures[row].astype(int) - expected).max() <= 2 and references == texts_of(name)
    assert opened.has_test and opened.notes == {}
