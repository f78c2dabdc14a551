"""Data sets of the Hugging Face hub: `--data hf:OWNER/NAME`, with /CONFIGURATION and @REVISION where they matter.

What was downloaded of a revision is listed in a folder under the names that files of one's own would have
(train.parquet, test-00000-of-00002.parquet). The folder holds links into huggingface_hub's cache and appears when all
is there; from then on the data are read without a network.
"""

import contextlib
import dataclasses
import os
import shutil
import sys
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data.errors import UserError
from data.files import content_name, content_suffix
from data.sources.hub_client import (
    Address,
    Listing,
    Unreachable,
    download_file,
    endpoint,
    host,
    is_cached,
    library,
    list_files,
)
from data.sources.hub_layout import Splits, find_configurations, wanted_splits
from data.tables.parquet import PARQUET
from data.writing import replacing_folder, write_text

# The branch in which the hub keeps what it made of data sets in other formats.
CONVERTED = "refs/convert/parquet"
# What is taken where there is no .parquet; .json is mostly about the data.
_OTHER_TABLES = (".jsonl", ".csv", ".tsv")


def say_on_stderr(message: str) -> None:
    """Tells what is about to be done, apart from the results."""
    print(message, file=sys.stderr, flush=True)


def find_on_hub(word: str, say: Callable[[str], None] = say_on_stderr) -> tuple[str, Path, str]:
    """Finds a data set on the hub and downloads what there is to train, validate and test on.

    Args:
        word: The address, as `Address` has it.
        say: Is told the size before anything is downloaded; by default prints to standard error.

    Returns:
        The address with configuration and commit, by which the same data are found again; the folder of its files; what
        the user must be told, or "".

    Raises:
        UserError: huggingface_hub is not installed, there is no such data set, configuration or revision, it is not
            open to everyone, holds no table, or the hub cannot be reached and the data were never downloaded.
    """
    address = Address.parse(word)
    before = recall(address)
    if before and address.is_pinned:
        return str(before), _place(before), ""
    try:
        listing, files = _tables(address)
    except Unreachable as error:
        if not before:
            raise UserError(f"{address}: {error}; it was not downloaded before") from None
        return str(before), _place(before), f"{error}; using {before}, which was downloaded before."
    if not files:
        converted = "" if address.revision else f", and the hub made no {PARQUET} of it (no branch {CONVERTED})"
        raise UserError(f"{address} holds no table ({', '.join((PARQUET, *_OTHER_TABLES))}){converted}")
    configurations, usual = find_configurations(files, _described(address.repository, listing))
    configuration = _chosen(address, list(configurations), usual)
    pinned = dataclasses.replace(address, configuration=configuration, revision=listing.commit)
    splits = configurations[configuration]
    wanted = wanted_splits(splits)
    if (left_out := sorted(set(splits) - set(wanted))) and not _is_complete(_place(pinned)):
        say(f"{pinned}: not needed and left out: {', '.join(left_out)}.")
    download(pinned, wanted, listing, say)
    remember(address, pinned)
    return str(pinned), _place(pinned), ""


def download(pinned: Address, splits: Splits, listing: Listing, say: Callable[[str], None] = say_on_stderr) -> Path:
    """Downloads the files of some splits, unless they are there.

    Args:
        pinned: Where from, with a commit; the folder is named after it.
        splits: The paths of each split's files in the repository.
        listing: What the hub says of the files; where it knows a SHA-256, the file must have it.
        say: As for `find_on_hub`.

    Returns:
        The folder of links.

    Raises:
        UserError: The hub does not give a file, or another one.
        OSError: The disk is full or the cache cannot be written to.
    """
    folder = _place(pinned)
    if _is_complete(folder):
        return folder
    files = [file for names in splits.values() for file in names]
    for split, names in splits.items():
        if len(names) > 1 and content_suffix(names[0]) != PARQUET:
            raise UserError(f"{pinned}: {split} is in {len(names)} files; only {PARQUET} is read in pieces")
    due = [file for file in files if not is_cached(pinned, file)]
    if due:
        size = sum(listing.sizes.get(file, 0) for file in due) / 2**20
        amount = f"{max(size, 0.1):,.1f} MiB" if all(listing.sizes.get(file) for file in due) else "of unknown size"
        count = f"{len(due)} file{'s' if len(due) > 1 else ''}"
        terms = f"{endpoint()}/datasets/{pinned.repository}"
        say(f"Downloading {count}, {amount}, from {host()}: {pinned}. Terms: {terms}")
    paths = {file: download_file(pinned, file, listing.checksums.get(file, "")) for file in files}
    shutil.rmtree(folder, ignore_errors=True)  # links to what is no longer in the cache
    try:
        with replacing_folder(folder) as made:
            for split, names in splits.items():
                for number, file in enumerate(names):
                    shard = f"-{number:05d}-of-{len(names):05d}" if len(names) > 1 else ""
                    _link(paths[file], made / f"{split}{shard}{_suffix(file)}")
    except OSError:
        if not _is_complete(folder):  # another process may have put the same there meanwhile
            raise
    return folder


def _tables(address: Address) -> tuple[Listing, list[str]]:
    """What the repository holds, and its .parquet files; those that the hub made, where it has none of its own.

    Other tables are taken where there is neither.
    """
    listing = list_files(address.repository, address.revision)
    files = _of_kind(listing, (PARQUET,))
    if not files and not address.revision:
        with contextlib.suppress(UserError):  # there is no such branch
            converted = list_files(address.repository, CONVERTED)
            if files := _of_kind(converted, (PARQUET,)):
                return converted, files
    return listing, files or _of_kind(listing, _OTHER_TABLES)


def _of_kind(listing: Listing, suffixes: tuple[str, ...]) -> list[str]:
    return [file for file in listing.sizes if content_suffix(file) in suffixes]


def _described(repository: str, listing: Listing) -> Any:
    """What the README.md says of configurations, or None."""
    if "README.md" not in listing.sizes:
        return None
    path = download_file(Address(repository, revision=listing.commit), "README.md", listing.checksums["README.md"])
    # A page written by hand: whatever is wrong with it, the files have names.
    with contextlib.suppress(Exception):
        return (library().metadata_load(path) or {}).get("configs")
    return None


def _chosen(address: Address, names: list[str], usual: str) -> str:
    if not address.configuration and not usual:
        example = dataclasses.replace(address, configuration=names[0])
        raise UserError(f"{address} has several configurations, {', '.join(names)}; choose one, as in {example}")
    if address.configuration and address.configuration not in names:
        raise UserError(
            f"hf:{address.repository} has no configuration {address.configuration!r}; it has {', '.join(names)}"
        )
    return address.configuration or usual


def _suffix(file: str) -> str:
    """What the name of a file ends in, with the suffix of a compression: ".csv.gz"."""
    name = content_name(file)
    return Path(file).name[len(name) - len(content_suffix(name)) :]


def _link(path: Path, link: Path) -> None:
    """A link, or where the system allows none, another name or a copy."""
    with contextlib.suppress(OSError):
        os.symlink(path, link)
        return
    with contextlib.suppress(OSError):
        os.link(path, link)
        return
    shutil.copyfile(path, link)


def _kept(repository: str) -> Path:
    """Where all is kept of a repository; in the folder that huggingface_hub leaves to others, beside its cache."""
    library()
    from huggingface_hub import constants

    return Path(constants.HF_ASSETS_CACHE).expanduser() / "rnn-templates" / repository.replace("/", "--")


def _place(pinned: Address) -> Path:
    """The folder of a configuration of a commit."""
    return _kept(pinned.repository) / pinned.revision / pinned.configuration


def _is_complete(folder: Path) -> bool:
    return folder.is_dir() and all(link.exists() for link in folder.iterdir())


def _note(address: Address) -> Path:
    name = urllib.parse.quote(f"{address.configuration}@{address.revision}", safe="@")
    return _kept(address.repository) / "notes" / name


def recall(address: Address) -> Address | None:
    """What the same address meant when it was last asked for, if all of that is still there."""
    note = _note(address)
    if address.configuration and address.is_pinned:
        found = address
    elif note.is_file():
        found = Address.parse(note.read_text(encoding="utf-8"))
    else:
        return None
    return found if _is_complete(_place(found)) else None


def remember(address: Address, pinned: Address) -> None:
    """Keeps what an address meant, for when the hub cannot be asked."""
    note = _note(address)
    note.parent.mkdir(parents=True, exist_ok=True)
    write_text(note, str(pinned))
