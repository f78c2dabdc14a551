import contextlib
import hashlib
import http.server
import io
import socket
import tarfile
import threading
import time

import pytest

from data.errors import UserError
from data.labelled_texts.datasets import load_labelled_texts
from data.labelled_texts.known_datasets import DATASETS
from data.sources import datasets
from data.sources.datasets import (
    is_prepared,
    is_reachable,
    prepare,
)
from data.sources.source import resolve_source

IMDB = DATASETS["imdb_reviews"]
REVIEWS = {
    "train/neg/0_1.txt": "dull",
    "train/neg/1_2.txt": "dull, dull",
    "train/pos/0_9.txt": "größer <br /> als",
    "train/unsup/0_0.txt": "who knows",
    "test/neg/0_3.txt": "bad",
    "test/pos/0_8.txt": "good",
}


def make_archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in REVIEWS.items():
            member = tarfile.TarInfo(f"aclImdb/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


ARCHIVE = make_archive()


@pytest.fixture
def tfds_folder(tmp_path, monkeypatch):
    """An empty TFDS data folder, and no proxy but those that a test sets."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    return tmp_path / "tfds"


@pytest.fixture
def small_archive_is_right(monkeypatch):
    """Registers the small archive's checksum with the real builder in place of the real archive's."""
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download.checksums import UrlInfo

    info = UrlInfo(tfds.core.utils.Size(len(ARCHIVE)), hashlib.sha256(ARCHIVE).hexdigest(), IMDB.archive)
    monkeypatch.setitem(tfds.builder_cls("imdb_reviews").url_infos, IMDB.url, info)


@contextlib.contextmanager
def serving(body=ARCHIVE, status=200, kind="application/x-gzip", length=None):
    """A proxy that answers every request alike; yields its address and the requests it got."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(length or len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def place_archive(folder, content=ARCHIVE):
    place = folder / "downloads" / "manual" / "aclImdb_v1.tar.gz"
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    return place


def test_the_set_is_described_as_tfds_knows_it():
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download import resource

    builder = tfds.builder(IMDB.builder)
    assert builder.info.full_name == IMDB.folder
    url, size, checksum, archive = (builder.pkg_dir_path / "checksums.tsv").read_text().split()
    assert (url, int(size), archive) == (IMDB.url, IMDB.size, IMDB.archive)
    assert resource.get_dl_fname(url, checksum) == IMDB.download
    assert (IMDB.host, IMDB.mebibytes) == ("ai.stanford.edu", 80)
    # TFDS checks the archive itself.
    assert (IMDB.sha256, IMDB.tfds_url, IMDB.unchecked_download) == ("", "", "")


def test_a_hand_placed_archive_is_prepared_without_a_network(tfds_folder, small_archive_is_right, monkeypatch, capfd):
    import tensorflow  # noqa: F401 - its own log lines are not what is tested here

    monkeypatch.setattr(datasets, "is_reachable", lambda dataset: pytest.fail("the network was asked"))
    place = place_archive(tfds_folder)
    assert (
        resolve_source("auto", benchmark="imdb_reviews", sample="sentiment", datasets=DATASETS, find=pytest.fail).kind
        == "dataset"
    )
    assert not is_prepared(IMDB)
    capfd.readouterr()
    prepare(IMDB)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err == f"Preparing imdb_reviews in {tfds_folder}, from {place}. Terms: {IMDB.terms}.\n"
    assert is_prepared(IMDB)

    place.unlink()
    train = load_labelled_texts(IMDB, "train")
    assert sorted(zip(train.texts, train.labels)) == [
        ("dull", "neg"),
        ("dull, dull", "neg"),
        ("größer <br /> als", "pos"),
    ]
    assert load_labelled_texts(IMDB, "train") == train
    test = load_labelled_texts(IMDB, "test")
    assert sorted(zip(test.texts, test.labels)) == [("bad", "neg"), ("good", "pos")]
    with pytest.raises(UserError, match="imdb_reviews: the split 'unsupervised' has no labels"):
        load_labelled_texts(IMDB, "unsupervised")
    with pytest.raises(UserError, match="imdb_reviews has no split 'dev'; it has train, test, unsupervised"):
        load_labelled_texts(IMDB, "dev")
    assert capfd.readouterr() == ("", "")


def test_a_download_says_its_size_and_terms_first_and_goes_through_the_proxy(
    tfds_folder, small_archive_is_right, monkeypatch
):
    said = []
    with serving() as (address, asked):
        monkeypatch.setenv("http_proxy", address)
        assert (
            resolve_source("imdb_reviews", benchmark=None, sample="sentiment", datasets=DATASETS, find=pytest.fail).kind
            == "dataset"
        )
        prepare(IMDB, say=lambda message: said.append((message, len(asked))))
    assert is_prepared(IMDB)
    # Kept where `find_archive` looks for it (the name ends in the checksum, which is another one here).
    names = [path.name for path in (tfds_folder / "downloads" / "imdb_reviews").glob("*aclImdb*")]
    assert len(names) == 2
    assert all(name.startswith(IMDB.download.partition("xA90")[0]) for name in names)
    assert set(asked) == {IMDB.url}
    # Only the two questions whether the archive can be had came before.
    before = f"Preparing imdb_reviews in {tfds_folder}, downloading 80 MiB from ai.stanford.edu. Terms: {IMDB.terms}."
    assert said == [(before, 2)]
    assert len(asked) == 3


def test_a_wrong_archive_is_refused(tfds_folder):
    place = place_archive(tfds_folder, b"something else")
    with pytest.raises(UserError) as error:
        load_labelled_texts(IMDB, "train")
    assert str(error.value) == (
        f"{place} is not the archive of imdb_reviews (its SHA-256 differs); remove it and get {IMDB.url} again"
    )
    assert not is_prepared(IMDB)


def test_a_download_that_breaks_off(tfds_folder, monkeypatch):
    with serving(length=len(ARCHIVE) + 1000) as (address, _):
        monkeypatch.setenv("http_proxy", address)
        with pytest.raises(UserError) as error:
            prepare(IMDB, say=lambda message: None)
    assert f"the download of {IMDB.url} failed (" in str(error.value)
    assert "place the archive at" in str(error.value)
    assert "\n" not in str(error.value)
    assert not is_prepared(IMDB)


@pytest.mark.parametrize("by_another_process", [True, False])
def test_a_set_that_another_process_prepares_meanwhile(tfds_folder, monkeypatch, by_another_process):
    import tensorflow_datasets as tfds

    def collide(builder):
        if by_another_process:
            (tfds_folder / IMDB.folder).mkdir(parents=True)
            (tfds_folder / IMDB.folder / "dataset_info.json").touch()
        raise OSError(39, "Directory not empty")

    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", collide)
    place_archive(tfds_folder)
    with contextlib.nullcontext() if by_another_process else pytest.raises(OSError, match="Directory not empty"):
        prepare(IMDB)


@pytest.mark.parametrize(
    ("answer", "reachable"),
    [({}, True), ({"status": 503}, False), ({"status": 403}, False), ({"kind": "text/html; charset=utf-8"}, False)],
)
def test_who_counts_as_reachable(tfds_folder, monkeypatch, answer, reachable):
    with serving(**answer) as (address, asked):
        monkeypatch.setenv("HTTP_PROXY", address)
        assert is_reachable(IMDB) is reachable
    assert asked == [IMDB.url]  # once, without repeating


def test_a_network_that_swallows_everything_is_told_within_five_seconds(tfds_folder, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{silent.getsockname()[1]}")
        start = time.monotonic()
        with pytest.raises(UserError, match="ai.stanford.edu does not give .*; download the archive .80 MiB."):
            resolve_source("imdb_reviews", benchmark=None, sample="sentiment", datasets=DATASETS, find=pytest.fail)
        assert time.monotonic() - start < 5
        start = time.monotonic()
        with pytest.raises(UserError, match="imdb_reviews is not in"):
            load_labelled_texts(IMDB, "train")
        assert time.monotonic() - start < 5


def test_names_that_are_never_resolved_are_told_within_the_time(tfds_folder, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: time.sleep(30))
    start = time.monotonic()
    assert not is_reachable(IMDB, seconds=0.5)
    assert time.monotonic() - start < 10
