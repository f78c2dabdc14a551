"""The second way to a public data set: the same rows in a repository of the Hugging Face hub."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

from data.errors import UserError
from data.files import parts
from data.sources.dataset import Dataset, Mirror
from data.sources.datasets import answers
from data.sources.hub import download, recall, remember, say_on_stderr
from data.sources.hub_client import Address, Listing, Unreachable, endpoint, list_files
from data.sources.split_files import find_splits
from data.tables.parquet import PARQUET, count_rows
from data.tables.rows import TABLE_SUFFIXES, read_rows


def is_installed() -> bool:
    """Whether huggingface_hub is there, without which no mirror is read."""
    return importlib.util.find_spec("huggingface_hub") is not None


def is_downloaded(mirror: Mirror) -> bool:
    """Whether the mirror can be read without a network."""
    return is_installed() and recall(Address.parse(mirror.address)) is not None


def is_mirror_reachable(mirror: Mirror, seconds: float = 3.0) -> bool:
    """Whether the hub would give the mirror's files; as `data.sources.datasets.answers`."""
    address = Address.parse(mirror.address)
    file = next(iter(mirror.files.values()))[0]
    url = f"{endpoint()}/datasets/{address.repository}/resolve/{address.revision}/{file.name}"
    return is_installed() and answers(url, seconds)


def find_mirror(dataset: Dataset, say: Callable[[str], None] = say_on_stderr) -> tuple[str, Path, str]:
    """Downloads a data set's mirror, unless it is there.

    Args:
        dataset: The set; it has a mirror.
        say: Is told the size and the terms before anything is downloaded; by default prints to standard error.

    Returns:
        The address with the commit, by which the same data are found again; the folder of its files; what the user
        must be told.

    Raises:
        UserError: The hub does not give the files, gives others (SHA-256), or a split has not as many rows as it
            should.
    """
    mirror = dataset.mirror
    assert mirror
    address = Address.parse(mirror.address)
    pinned = recall(address)
    splits = {split: [file.name for file in files] for split, files in mirror.files.items()}
    if not pinned:
        say(f"{dataset.name}: terms: {dataset.terms}.")
        listing = _listing(address, mirror)
        pinned = Address(address.repository, address.configuration, listing.commit)
    else:
        listing = Listing(pinned.revision, {}, {})
    folder = download(pinned, splits, listing, say)
    unchecked = [split for split, files in mirror.files.items() if not all(file.sha256 for file in files)]
    for split in unchecked:
        _check_rows(folder, split, mirror)
    remember(address, pinned)
    rows = "the same rows" if mirror.is_compared else "as many rows, which were not compared with the set's own"
    notice = (
        f"{dataset.name} is read from its mirror {pinned}: {rows}, not in the order in which TFDS gives them, "
        "so that figures differ a little."
    )
    if unchecked:
        splits_told = ", ".join(f"{split} ({mirror.rows[split]:,})" for split in unchecked)
        notice += f" No SHA-256 is known of {splits_told}: only the number of rows was checked."
    return str(pinned), folder, notice


def _listing(address: Address, mirror: Mirror) -> Listing:
    files = [file for files in mirror.files.values() for file in files]
    known = Listing(
        address.revision,
        {file.name: file.size for file in files},
        {file.name: file.sha256 for file in files if file.sha256},
    )
    if address.is_pinned and all(file.size for file in files):
        return known
    try:
        told = list_files(address.repository, address.revision)
    except Unreachable as error:
        raise UserError(f"{mirror.address}: {error}") from None
    return Listing(told.commit, told.sizes, {**told.checksums, **known.checksums})


def _check_rows(folder: Path, split: str, mirror: Mirror) -> None:
    path = find_splits(folder, TABLE_SUFFIXES).path(split)
    is_parquet = path.suffix == PARQUET
    count = sum(count_rows(part) for part in parts(path)) if is_parquet else sum(1 for _ in read_rows(path))
    if count != mirror.rows[split]:
        raise UserError(f"{mirror.address}: {split} has {count:,} rows, and {mirror.rows[split]:,} are right")
