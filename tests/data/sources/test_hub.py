import io
import json
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import UserError
from data.files import fingerprint
from data.labelled_texts.files import read_labelled_texts
from data.sources import hub as hubs
from data.sources import hub_client
from data.sources.hub import CONVERTED, find_on_hub
from data.sources.hub_client import Address
from data.sources.source import resolve_source
from data.sources.split_files import find_splits
from data.tables.rows import TABLE_SUFFIXES
from tests.hub_server import Repository

FEATURES = {"text": {"dtype": "string", "_type": "Value"}, "label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}


def parquet(*texts):
    table = pa.Table.from_pylist([{"text": text, "label": number % 2} for number, text in enumerate(texts)])
    stream = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": FEATURES}})}), stream)
    return stream.getvalue()


README = b"""---
configs:
- config_name: plain_text
  default: true
  data_files:
  - {split: train, path: plain_text/train-*}
  - {split: test, path: plain_text/test-*}
  - {split: unsupervised, path: plain_text/rest-*}
---
# Reviews
"""
TRAIN = ["plain_text/train-00000-of-00002.parquet", "plain_text/train-00001-of-00002.parquet"]
TEST, REST = "plain_text/test-00000-of-00001.parquet", "plain_text/rest-00000-of-00001.parquet"
REVIEWS = {
    "README.md": README,
    TRAIN[0]: parquet("a", "b"),
    TRAIN[1]: parquet("c", "d"),
    TEST: parquet("e"),
    REST: parquet("f"),
}


@pytest.fixture
def hub(hub):
    """The hub, with one data set."""
    hub.repositories["own/reviews"] = Repository({"main": dict(REVIEWS)})
    return hub


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def resolve(data):
    find = lambda path: find_splits(path, TABLE_SUFFIXES)  # noqa: E731
    return resolve_source(data, benchmark=None, sample="sentiment", datasets={}, find=find)


def test_what_there_is_to_train_and_test_on_is_downloaded_once(hub, gone):
    said = []
    name, folder, notice = find_on_hub("hf:own/reviews", said.append)
    commit = hub.repositories["own/reviews"].commit("main")
    assert (name, notice) == (f"hf:own/reviews/plain_text@{commit}", "")
    assert names(folder) == ["test.parquet", "train-00000-of-00002.parquet", "train-00001-of-00002.parquet"]
    assert sorted(hub.downloads()) == sorted(["README.md", *TRAIN, TEST])
    assert said == [
        f"{name}: not needed and left out: unsupervised.",
        f"Downloading 3 files, 0.1 MiB, from {hub.url[7:]}: {name}. Terms: {hub.url}/datasets/own/reviews",
    ]
    hub.asked.clear()
    assert find_on_hub("hf:own/reviews", said.append) == (name, folder, "")
    assert hub.asked == ["GET /api/datasets/own/reviews"]
    hub.asked.clear()
    assert find_on_hub(name, pytest.fail) == (name, folder, "")
    assert hub.asked == []
    gone()
    found = find_on_hub("hf:own/reviews", pytest.fail)
    assert found[:2] == (name, folder)
    assert found[2].startswith("127.0.0.1:9 does not answer (")
    assert found[2].endswith(f"; using {name}, which was downloaded before.")
    assert len(said) == 2


def test_the_source_is_that_of_the_same_files_in_a_folder_of_ones_own(hub, tmp_path):
    source = resolve("hf:own/reviews")
    assert (source.kind, source.path, source.requested) == ("hub", None, "hf:own/reviews")
    texts = read_labelled_texts(source.files.path("train"))
    assert (texts.texts, texts.labels) == (["a", "b", "c", "d"], ["neg", "pos", "neg", "pos"])
    own = tmp_path / "own"
    own.mkdir()
    for name, file in [("train-00000-of-00002", TRAIN[0]), ("train-00001-of-00002", TRAIN[1]), ("test", TEST)]:
        (own / f"{name}.parquet").write_bytes(REVIEWS[file])
    assert source.fingerprint == fingerprint(own.iterdir())
    assert resolve(source.name).fingerprint == source.fingerprint


def test_a_branch_that_moves_is_followed_and_a_commit_is_kept(hub):
    first = find_on_hub("hf:own/reviews")
    hub.repositories["own/reviews"].branches["old"] = dict(REVIEWS)
    hub.repositories["own/reviews"].branches["main"] = {**REVIEWS, TEST: parquet("other")}
    second = find_on_hub("hf:own/reviews")
    assert first[0] != second[0]
    assert hub.downloads().count(TRAIN[0]) == 1
    assert hub.downloads().count(TEST) == 2
    assert find_on_hub(first[0]) == first
    assert find_on_hub("hf:own/reviews@old")[0] == first[0]


def test_what_is_gone_from_the_cache_is_downloaded_again(hub, tmp_path):
    name, folder, _ = find_on_hub("hf:own/reviews")
    for blob in (tmp_path / "cache").rglob("blobs/*"):
        blob.unlink()
    hub.asked.clear()
    assert find_on_hub(name)[:2] == (name, folder)
    assert TEST in hub.downloads()
    assert len(read_labelled_texts(folder / "test.parquet")) == 1


def test_a_download_that_was_stopped_is_not_taken_for_whole(hub, gone):
    files = hub.repositories["own/reviews"].branches["main"]
    hub.damage[TEST] = b"x" * len(files[TEST])
    with pytest.raises(
        UserError, match=rf"what {hub.url[7:]} gave for {TEST} is not that file \(its SHA-256 differs\)"
    ):
        find_on_hub("hf:own/reviews")
    hub.damage.clear()
    hub.asked.clear()
    find_on_hub("hf:own/reviews")
    assert hub.downloads() == [TEST]


def test_what_the_hub_made_of_other_formats_is_taken(hub):
    converted = {f"default/{split}/0000.parquet": parquet("a", "b") for split in ("train", "validation", "test")}
    hub.repositories["own/lines"] = Repository({"main": {"data.zip": b""}, CONVERTED: converted})
    name, folder, _ = find_on_hub("hf:own/lines")
    assert name == f"hf:own/lines/default@{hub.repositories['own/lines'].commit(CONVERTED)}"
    assert names(folder) == ["test.parquet", "train.parquet", "validation.parquet"]
    hub.asked.clear()
    assert find_on_hub(name)[0] == name
    assert hub.asked == []


def test_other_tables_are_taken_where_there_is_no_parquet(hub):
    hub.repositories["own/lines"] = Repository({"main": {"train.jsonl": b'{"a": 1}', "val.csv.gz": b""}})
    assert names(find_on_hub("hf:own/lines")[1]) == ["train.jsonl", "validation.csv.gz"]
    hub.repositories["own/pieces"] = Repository({"main": {"a/train/1.jsonl": b"", "a/train/2.jsonl": b""}})
    with pytest.raises(UserError, match=r"hf:own/pieces/a@\w+: train is in 2 files; only \.parquet is read in pieces"):
        find_on_hub("hf:own/pieces")


def test_a_readme_that_cannot_be_read_leaves_it_to_the_names(hub):
    hub.repositories["own/reviews"].branches["main"]["README.md"] = b"---\nconfigs: [\n---\n"
    assert find_on_hub("hf:own/reviews")[0].startswith("hf:own/reviews/plain_text@")


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (
            "hf:own/nothing",
            r"hf:own/nothing: no such data set on 127\.0\.0\.1:\d+, or not open to everyone; look at http",
        ),
        ("hf:own/secret", r"hf:own/secret: no such data set on .*hf auth login for what is your own"),
        ("hf:own/gated", r"hf:own/gated is given to those who accept its terms: at http.*/datasets/own/gated, then hf"),
        ("hf:own/reviews@v2", r"hf:own/reviews has no revision 'v2'; look at http://.*/tree/main"),
        ("hf:own/reviews/de", r"hf:own/reviews has no configuration 'de'; it has plain_text$"),
        ("hf:own/two", r"hf:own/two has several configurations, de, en; choose one, as in hf:own/two/de$"),
        ("hf:own/other", r"hf:own/other holds no table \(\.parquet, .*\), and the hub made no \.parquet of it"),
        ("hf:own/other@main", r"hf:own/other@main holds no table \(\.parquet, \.jsonl, \.csv, \.tsv\)$"),
        (
            "hf:reviews",
            r"hf:reviews: expected hf:OWNER/NAME, hf:OWNER/NAME/CONFIGURATION or one of them with @REVISION",
        ),
        ("hf:own/reviews/a/b", "expected hf:OWNER/NAME"),
        ("hf:own/..", r"hf:own/\.\.: "),
    ],
)
def test_mistakes(hub, word, message):
    hub.repositories["own/secret"] = Repository({"main": {}}, closed="private")
    hub.repositories["own/gated"] = Repository({"main": dict(REVIEWS)}, closed="gated")
    hub.repositories["own/two"] = Repository({"main": {"en/train.parquet": b"", "de/train.parquet": b""}})
    hub.repositories["own/other"] = Repository({"main": {"notes.txt": b"", "dataset_infos.json": b"{}"}})
    with pytest.raises(UserError, match=message) as error:
        find_on_hub(word, pytest.fail if "gated" not in word else lambda message: None)
    assert "\n" not in str(error.value)


def test_a_hub_that_does_not_answer(hub, gone):
    gone()
    start = time.monotonic()
    with pytest.raises(
        UserError, match=r"^hf:own/reviews: 127\.0\.0\.1:9 does not answer \(.*\); it was not downloaded"
    ):
        find_on_hub("hf:own/reviews")
    assert time.monotonic() - start < 5


def test_offline_mode(hub, monkeypatch):
    from huggingface_hub import constants

    name, *_ = find_on_hub("hf:own/reviews")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.asked.clear()
    found, _, notice = find_on_hub("hf:own/reviews")
    assert (found, notice) == (
        name,
        f"HF_HUB_OFFLINE keeps from asking the hub; using {name}, which was downloaded before.",
    )
    assert hub.asked == []


def test_a_page_instead_of_an_answer(hub, monkeypatch):
    from huggingface_hub import HfApi

    monkeypatch.setattr(HfApi, "dataset_info", lambda *_, **__: json.loads("<html>"))
    with pytest.raises(UserError, match=r"does not answer \(JSONDecodeError: Expecting value"):
        find_on_hub("hf:own/reviews")


def test_a_full_disk_is_said_as_it_is(hub, monkeypatch):
    from huggingface_hub import HfApi

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(HfApi, "dataset_info", fail)
    with pytest.raises(OSError, match="No space left"):
        find_on_hub("hf:own/reviews")


def test_without_huggingface_hub(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(UserError, match=r"are read by huggingface_hub; pip install huggingface_hub$"):
        find_on_hub("hf:own/reviews")


def test_addresses_are_written_as_they_are_read():
    for word in ("hf:own/name", "hf:own/name/de", "hf:own/name@v1.0", "hf:own/name/de@refs/pr/3"):
        assert str(Address.parse(word)) == word
    assert Address.parse("hf:own/name/de@refs/pr/3") == Address("own/name", "de", "refs/pr/3")


def test_where_links_are_not_allowed_the_files_are_copied(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(hubs.os, "symlink", refuse)
    monkeypatch.setattr(hubs.os, "link", refuse)
    (tmp_path / "blob").write_bytes(b"rows")
    hubs._link(tmp_path / "blob", tmp_path / "test.parquet")
    assert not (tmp_path / "test.parquet").is_symlink()
    assert (tmp_path / "test.parquet").read_bytes() == b"rows"


def test_an_address_of_the_hub_is_told_how_it_is_named():
    with pytest.raises(UserError, match="a data set of the hub is named like hf:own/reviews"):
        resolve("https://huggingface.co/datasets/own/reviews")
    assert hub_client.PREFIX == "hf:"
