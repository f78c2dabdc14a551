import subprocess
import sys
from pathlib import Path

import pytest

from data.errors import UserError
from data.labelled_texts.known_datasets import DATASETS
from data.sources import datasets
from data.sources import source as sources
from data.sources.source import resolve_source
from data.sources.split_files import Splits, find_splits

IMDB = DATASETS["imdb_reviews"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A current folder, a sample beside it, and no network."""
    (tmp_path / "samples" / "sentiment").mkdir(parents=True)
    (tmp_path / "samples" / "sentiment" / "train.csv").write_text("text,label\na,1\n")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.setattr(sources, "SAMPLES", tmp_path / "samples")
    monkeypatch.setattr(sources, "is_reachable", lambda dataset: False)
    monkeypatch.setattr(sources, "is_mirror_reachable", lambda mirror: False)
    monkeypatch.setattr(sources, "is_downloaded", lambda mirror: False)
    return tmp_path / "here"


def find(path, need_train=True):
    return find_splits(path, (".csv",), need_train=need_train)


def resolve(data, find=find):
    return resolve_source(data, benchmark="imdb_reviews", sample="sentiment", datasets=DATASETS, find=find)


def prepared(tmp_path):
    version = tmp_path / "tfds" / "imdb_reviews" / "plain_text" / "1.0.0"
    version.mkdir(parents=True)
    (version / "dataset_info.json").touch()


def placed(tmp_path):
    place = tmp_path / "tfds" / "downloads" / "manual" / "aclImdb_v1.tar.gz"
    place.parent.mkdir(parents=True)
    place.touch()


def downloaded(tmp_path):
    place = tmp_path / "tfds" / "downloads" / "imdb_reviews" / IMDB.download
    place.parent.mkdir(parents=True)
    place.touch()
    place.with_name(f"{place.name}.INFO").touch()


def test_auto_without_the_set_is_the_sample_said_loudly(folder):
    source = resolve("auto")
    assert (source.kind, source.name, source.requested) == ("sample", "sample", "auto")
    assert source.path == folder.parent / "samples" / "sentiment"
    assert "Using the small bundled sample: imdb_reviews is not in" in source.notice
    assert "ai.stanford.edu cannot be reached" in source.notice
    assert f"(80 MiB) at {folder.parent / 'tfds' / 'downloads' / 'manual' / 'aclImdb_v1.tar.gz'}" in source.notice
    without = resolve_source("auto", benchmark=None, sample="sentiment", datasets=DATASETS, find=find)
    assert (without.kind, without.notice) == ("sample", "")


@pytest.mark.parametrize("make", [prepared, placed, downloaded, None])
@pytest.mark.parametrize("data", ["auto", "imdb_reviews"])
def test_the_set_is_taken_when_it_is_here_or_can_be_downloaded(folder, monkeypatch, make, data):
    if make is None:
        monkeypatch.setattr(sources, "is_reachable", lambda dataset: dataset is IMDB)
    else:
        make(folder.parent)
    source = resolve(data)
    assert (source.kind, source.name, source.path, source.notice) == ("dataset", "imdb_reviews", None, "")
    assert source.requested == data
    assert len(source.fingerprint) == 64


def test_a_download_that_was_cut_short_does_not_count(folder):
    downloaded(folder.parent)
    (folder.parent / "tfds" / "downloads" / "imdb_reviews" / f"{IMDB.download}.INFO").unlink()
    assert resolve("auto").kind == "sample"


def test_a_named_set_never_falls_back(folder):
    with pytest.raises(UserError) as error:
        resolve("imdb_reviews")
    tfds = folder.parent / "tfds"
    assert str(error.value) == (
        f"imdb_reviews is not in {tfds} and ai.stanford.edu does not give {IMDB.url}; download the archive (80 MiB) "
        f"elsewhere and place it at {tfds}/downloads/manual/aclImdb_v1.tar.gz, or use --data sample "
        f"(huggingface.co, for its mirror {IMDB.mirror.address}, does not answer either)"
    )


def test_a_folder_with_the_name_of_a_set(folder):
    prepared(folder.parent)
    (folder / "imdb_reviews").mkdir()
    (folder / "imdb_reviews" / "train.csv").write_text("text,label\na,1\n")
    source = resolve("imdb_reviews")
    assert source.kind == "dataset"
    assert source.notice == (
        "--data imdb_reviews means the data set; for what is called imdb_reviews in the current folder, "
        "use --data ./imdb_reviews"
    )
    for data in ("./imdb_reviews", Path("imdb_reviews"), str(folder / "imdb_reviews")):
        source = resolve(data)
        assert (source.kind, source.name, source.notice) == ("path", "imdb_reviews", "")
    (folder / "sample").mkdir()
    assert "use --data ./sample" in resolve("sample").notice


def test_paths(folder, monkeypatch):
    (folder / "mine").mkdir()
    (folder / "mine" / "train.csv").write_text("text,label\na,1\n")
    (folder / "reviews.csv").write_text("text,label\na,1\n")
    monkeypatch.setenv("HOME", str(folder))
    assert resolve("mine").path == Path("mine").resolve()
    assert resolve("reviews.csv").name == "reviews.csv"
    assert resolve("~/mine").path == folder / "mine"
    assert resolve("mine/.").name == "mine"
    assert resolve("mine").requested == "mine"
    with pytest.raises(UserError, match=r"review\.csv: no such file or folder; did you mean reviews\.csv\?"):
        resolve("review.csv")
    with pytest.raises(UserError, match=r"the folder nowhere does not exist"):
        resolve("nowhere/train.csv")
    with pytest.raises(UserError, match="is an address; download it and give the path"):
        resolve("https://example.org/reviews.csv")
    with pytest.raises(UserError, match=r"\. has no train file; expected train\.csv.*found reviews.csv, mine"):
        resolve(".")


def test_words_that_mean_nothing(folder):
    for word, near in [("imdb", "imdb_reviews"), ("IMDB_Reviews", "imdb_reviews"), ("smaple", "sample")]:
        with pytest.raises(UserError) as error:
            resolve(word)
        assert str(error.value) == (
            f"no data set, file or folder is called {word!r}; did you mean {near}? "
            f"Expected auto, sample, {', '.join(DATASETS)}, or a path to your own files; "
            "hf:OWNER/NAME is a data set of the Hugging Face hub"
        )
    for word in ("qqq", ""):
        with pytest.raises(UserError, match=f"is called '{word}'; Expected auto, sample"):
            resolve(word)


def test_the_fingerprint_is_of_the_files_that_are_used(folder):
    (folder / "mine").mkdir()
    (folder / "mine" / "train.csv").write_text("text,label\na,1\n")
    first = resolve("mine").fingerprint
    (folder / "mine" / "README.md").write_text("unrelated")
    assert resolve("mine").fingerprint == first
    (folder / "mine").rename(folder / "yours")
    assert resolve("yours").fingerprint == first == resolve("sample").fingerprint
    readme = lambda path: Splits(path, {"all": path / "README.md"}, [])  # noqa: E731
    assert resolve("yours", readme).fingerprint != first
    (folder / "yours" / "test.csv").write_text("text,label\na,1\n")
    assert resolve("yours").fingerprint != first
    (folder / "yours" / "train.csv").unlink()
    assert resolve("yours", lambda path: find(path, need_train=False)).fingerprint != first


def test_a_missing_sample(folder):
    with pytest.raises(UserError, match="the bundled sample is missing: .*samples/ner; install or copy"):
        resolve_source("sample", benchmark=None, sample="ner", datasets=DATASETS, find=find)


def test_a_bucket_as_data_folder(folder, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", "gs://bucket/tfds")
    with pytest.raises(UserError, match="TFDS_DATA_DIR=gs://bucket/tfds is not a local folder"):
        datasets.data_folder()


def test_finding_data_imports_nothing_heavy():
    code = (
        "import sys; import data.files, data.tables.table_writer; from data.sources.source import resolve_source\n"
        "from data.labelled_texts.known_datasets import DATASETS\n"
        "try: resolve_source('imbd', benchmark='imdb_reviews', sample='sentiment', datasets=DATASETS, find=None)\n"
        "except ValueError as error: assert 'imdb_reviews' in str(error)\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'tensorflow_datasets', 'requests', 'pandas'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=False, cwd=root, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
