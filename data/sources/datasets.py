"""Public data sets, downloaded, checked and kept by TensorFlow Datasets (TFDS).

Whether a set is there, and whether its host answers, is found out without TFDS: offline, TFDS 4.9.10 keeps asking for
204 s before it says so. TFDS is imported by the functions that prepare or read a set.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import UserError
from data.sources.dataset import Dataset
from data.sources.split_files import STANDARD_STEMS
from data.sources.tfds_quirks import careful_downloads, quiet_tfds

if TYPE_CHECKING:
    import tensorflow as tf


def data_folder() -> Path:
    """The folder in which TFDS keeps its data: TFDS_DATA_DIR, by default ~/tensorflow_datasets.

    Raises:
        UserError: TFDS_DATA_DIR names a bucket, which cannot be looked at as a folder.
    """
    named = os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    if "://" in named:
        raise UserError(f"TFDS_DATA_DIR={named} is not a local folder; copy the data set into one and name that")
    return Path(named).expanduser()


def is_prepared(dataset: Dataset, data_dir: Path | None = None) -> bool:
    """Whether TFDS has prepared the set in its data folder, by looking at the folder only."""
    return ((data_dir or data_folder()) / dataset.folder / "dataset_info.json").is_file()


def archive_place(dataset: Dataset, data_dir: Path | None = None) -> Path:
    """Where an archive that was downloaded by hand belongs, or the folder for the files of a set of several."""
    return (data_dir or data_folder()) / "downloads" / "manual" / dataset.archive


def hand_placed(dataset: Dataset, data_dir: Path | None = None) -> tuple[str, str, str]:
    """The words for advice: what can be placed by hand, "it" or "them", and where."""
    place = archive_place(dataset, data_dir)
    if dataset.files:
        return ", ".join(file.name for file in dataset.files), "them", f"in {place}"
    return "the archive", "it", f"at {place}"


def find_archive(dataset: Dataset, data_dir: Path | None = None) -> Path | None:
    """The set's archive if it was placed by hand or downloaded earlier, or None.

    Of a set of several files it is the folder, if all of them were placed there.
    """
    downloads = (data_dir or data_folder()) / "downloads"
    place = archive_place(dataset, data_dir)
    if all((place / file.name).is_file() for file in dataset.files) if dataset.files else place.is_file():
        return place
    for name in filter(None, (dataset.download, dataset.unchecked_download)):
        for place in (downloads / dataset.name / name, downloads / name):
            # TFDS takes a download for complete only with this note beside it.
            if place.is_file() and place.with_name(f"{place.name}.INFO").is_file():
                return place
    return None


def is_available(dataset: Dataset, data_dir: Path | None = None) -> bool:
    """Whether the set can be read or prepared without a network."""
    return is_prepared(dataset, data_dir) or find_archive(dataset, data_dir) is not None


def answers(url: str, seconds: float = 3.0) -> bool:
    """Asks an address once whether it would give its file.

    The question goes the way that a download would go: by `requests`, with the proxies, certificates and exceptions
    that the environment names.

    Args:
        url: The address.
        seconds: The answer comes within this time, also when packets are dropped or names are not resolved.

    Returns:
        Whether it answered in time and has the file.
    """
    import requests

    found = []

    def ask() -> None:
        # Whatever goes wrong, the file cannot be had.
        with contextlib.suppress(Exception), requests.get(url, stream=True, timeout=seconds) as response:
            # A page instead of a file: a login page or a proxy's error.
            is_page = "text/html" in response.headers.get("Content-Type", "")
            found.append(response.status_code == 200 and not is_page)

    # Name resolution has no time limit of its own, so that the thread is left behind when time is up.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return bool(found and found[0])


def is_reachable(dataset: Dataset, seconds: float = 3.0) -> bool:
    """Whether the set's own host would give the archive; as `answers`."""
    return answers(dataset.urls[0], seconds)


def unreachable(dataset: Dataset, data_dir: Path | None = None) -> str:
    """What to say when a set is not there and cannot be downloaded: what was tried, and what to do."""
    data_dir = data_dir or data_folder()
    what, it, there = hand_placed(dataset, data_dir)
    return (
        f"{dataset.name} is not in {data_dir} and {dataset.host} does not give {dataset.urls[0]}; "
        f"download {what} ({dataset.mebibytes} MiB) elsewhere and place {it} {there}"
    )


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def prepare(dataset: Dataset, data_dir: Path | None = None, say: Callable[[str], None] = _say) -> None:
    """Downloads a set, unless its archive is there, and lets TFDS prepare it; does nothing for a prepared set.

    Args:
        dataset: The set; the module of a builder of our own, such as data.sentence_pairs.multi30k, must be imported.
        data_dir: TFDS's data folder; None means `data_folder()`.
        say: Is told the size and the terms before anything is downloaded; by default prints to standard error.

    Raises:
        UserError: The archive is neither there nor to be had, or is not the one that TFDS knows (SHA-256).
        OSError: The disk is full or the folder cannot be written to.
    """
    data_dir = data_dir or data_folder()
    if is_prepared(dataset, data_dir):
        return
    archive = find_archive(dataset, data_dir)
    if archive is None and not is_reachable(dataset):
        raise UserError(unreachable(dataset, data_dir))
    source = f"from {archive}" if archive else f"downloading {dataset.mebibytes} MiB from {dataset.host}"
    say(f"Preparing {dataset.name} in {data_dir}, {source}. Terms: {dataset.terms}.")

    import requests
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download import download_manager

    # TFDS moves an archive of an older download there, and does not make the folder.
    (data_dir / "downloads" / dataset.name).mkdir(parents=True, exist_ok=True)
    careful = careful_downloads(
        dataset.url, tfds_url=dataset.tfds_url, archive=dataset.archive, size=dataset.size, sha256=dataset.sha256
    )
    with quiet_tfds(), careful:
        try:
            tfds.builder(dataset.builder, data_dir=data_dir).download_and_prepare()
        except download_manager.NonMatchingChecksumError as error:
            raise UserError(_wrong_archive(dataset, data_dir, archive, str(error))) from None
        except (requests.exceptions.RequestException, tfds.download.DownloadError) as error:
            reason = f"{type(error).__name__}: {str(error)[:200]}"
            what, _, there = hand_placed(dataset, data_dir)
            raise UserError(
                f"the download of {dataset.url} failed ({reason}); run the command again, or place {what} {there}"
            ) from None
        except OSError:
            if not is_prepared(dataset, data_dir):  # another process may have put the same set there meanwhile
                raise


def _wrong_archive(dataset: Dataset, data_dir: Path, archive: Path | None, problem: str) -> str:
    """Says which file is not what it should be, given what TFDS said, which names its address."""
    url = next((url for url in dataset.urls if url in problem), dataset.urls[0])
    what = "the archive"
    if dataset.files:
        name = url.rpartition("/")[2]
        what, place = f"the {name}", archive_place(dataset, data_dir) / name
        archive = place if place.is_file() else None
    wrong = archive or f"what {url} gave"
    checksum = "MD5" if any(file.md5 for file in dataset.files) else "SHA-256"
    return f"{wrong} is not {what} of {dataset.name} (its {checksum} differs); remove it and get {url} again"


def read_examples(
    dataset: Dataset, split: str, data_dir: Path | None = None, decoders: Any = None
) -> tuple["tf.data.Dataset", Mapping[str, Any]]:
    """Opens a split, preparing the set if need be.

    Args:
        dataset: The set; the module of a builder of our own must be imported, as for `prepare`.
        split: One of `dataset.splits`, or another common word for it.
        data_dir: TFDS's data folder; None means `data_folder()`.
        decoders: What TFDS decodes, and how, as `as_dataset` takes it; None means everything.

    Returns:
        The examples, always in the same order; the features of the whole set, as TFDS describes them.

    Raises:
        UserError: For an unknown split, and as `prepare`.
    """
    standard = split if split in dataset.splits else STANDARD_STEMS.get(split.lower(), split)
    if standard not in dataset.splits:
        raise UserError(f"{dataset.name} has no split {split!r}; it has {', '.join(dataset.splits)}")
    data_dir = data_dir or data_folder()
    prepare(dataset, data_dir)
    import tensorflow_datasets as tfds

    with quiet_tfds():
        builder = tfds.builder_from_directory(data_dir / dataset.folder)
        name = next(name for name in builder.info.splits if STANDARD_STEMS.get(name, name) == standard)
        names = [name, *(dataset.more_training if standard == "train" else ())]
        # One file after the other: the order must not depend on how fast each is read.
        one_by_one = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
        examples = builder.as_dataset(
            split="+".join(names), decoders=decoders, shuffle_files=False, read_config=one_by_one
        )
    return examples, builder.info.features


def read_batches(
    dataset: Dataset,
    split: str,
    columns: Sequence[str],
    data_dir: Path | None = None,
    decoders: Any = None,
) -> Iterator[tuple[dict[str, Any], Mapping[str, Any]]]:
    """Reads a split in batches, preparing the set if need be.

    Args:
        dataset: The set.
        split: One of `dataset.splits`, or another common word for it.
        columns: The features that are wanted.
        data_dir: TFDS's data folder; None means `data_folder()`.
        decoders: As for `read_examples`.

    Returns:
        An iterator of (a batch: a tensor for each column, ragged where rows are sequences; the features of the whole
        set, as TFDS describes them). The order is always the same.

    Raises:
        UserError: As `read_examples`; on the first step.
    """
    examples, features = read_examples(dataset, split, data_dir, decoders=decoders)
    for batch in examples.map(lambda example: {column: example[column] for column in columns}).ragged_batch(1024):
        yield batch, features
