"""What `--data` means: the benchmark set, the bundled sample, a named data set, or a path to one's own files."""

import dataclasses
import difflib
import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Generic, TypeVar

from data.errors import UserError
from data.files import fingerprint, near_names
from data.sources.dataset import Dataset
from data.sources.datasets import data_folder, hand_placed, is_available, is_reachable, unreachable
from data.sources.hub import find_on_hub
from data.sources.hub_client import PREFIX, host
from data.sources.mirrors import find_mirror, is_downloaded, is_installed, is_mirror_reachable
from data.sources.split_files import Splits

SAMPLES = Path(__file__).parent.parent / "samples"


Files = TypeVar("Files", bound=Splits)


@dataclasses.dataclass(frozen=True)
class Source(Generic[Files]):
    """Where the data of a run comes from.

    Args:
        kind: "sample", "dataset", "path" or "hub".
        name: "sample", the data set's name, the last part of the path, or the address on the hub, with the commit.
        path: The file or folder; None for a data set and on the hub.
        notice: What the user must be told about the choice, or "".
        fingerprint: 64 hexadecimal digits that change when the data do: over the names and contents of the files that
            are used, or over the data set's name and version.
        requested: What was asked for, such as "auto".
        resolved: Fields of the configuration that were "auto" and that the data decide, such as languages.
        files: What was found at the path, or was downloaded from the hub; None for a data set.
        dataset: The data set; None for files.
    """

    kind: str
    name: str
    path: Path | None
    notice: str
    fingerprint: str
    requested: str
    resolved: dict[str, str] = dataclasses.field(default_factory=dict)
    files: Files | None = dataclasses.field(default=None, repr=False, compare=False)
    dataset: Dataset | None = dataclasses.field(default=None, repr=False, compare=False)

    @property
    def as_data(self) -> str:
        """What finds the same source again as `--data`."""
        return str(self.path) if self.kind == "path" else self.name


def resolve_source(
    data: str | Path,
    *,
    benchmark: str | None,
    sample: str,
    datasets: dict[str, Dataset],
    find: Callable[[Path], Files],
    choose: Callable[[Dataset], Dataset] = lambda dataset: dataset,
    find_mirrored: Callable[[Path], Files] | None = None,
) -> Source[Files]:
    """Finds the data that a word or a path stands for.

    Args:
        data: "auto" (the benchmark set if it is here or can be downloaded, else the sample), "sample", the name of a
            data set (never anything else in its stead), "hf:OWNER/NAME" for one of the Hugging Face hub, or a path.
        benchmark: The name of its benchmark set among them; None when it has none.
        sample: The folder of the template's sample below `data/samples`.
        datasets: The data sets that the template can use, by their names.
        find: Finds the files of a path, such as `data.sources.split_files.find_splits` with the template's formats.
        choose: Gives the part that is wanted of a data set that has several, such as pairs of languages; raises
            UserError when it has no such part.
        find_mirrored: As `find`, for the files of a data set's mirror, where the set tells more than its files do.

    Returns:
        The source. A data set that is not prepared yet is downloaded when it is read, not here.

    Raises:
        UserError: Nothing is there, or a named data set is neither here nor reachable (within 5 s).

    Example:
        resolve_source(
            "sample", benchmark="imdb_reviews", sample="sentiment", datasets=DATASETS, find=find
        ).kind   # "sample"
    """
    requested = os.fspath(data)
    find_mirrored = find_mirrored or find
    if isinstance(data, Path):
        return _path_source(requested, find)
    if requested == "auto":
        return _automatic_source(choose(datasets[benchmark]) if benchmark else None, sample, find, find_mirrored)
    if requested == "sample":
        return _sample_source(sample, "sample", _folder_notice(requested, "the bundled sample"), find)
    if requested in datasets:
        dataset = choose(datasets[requested])
        way = _way_to(dataset)
        if not way:
            raise UserError(f"{unreachable(dataset)}, or use --data sample{_mirror_advice(dataset)}")
        if way == "mirror":
            return _mirror_source(dataset, requested, find_mirrored)
        return _dataset_source(dataset, requested, _folder_notice(requested, "the data set"))
    if requested.startswith(PREFIX):
        return _hub_source(requested, *find_on_hub(requested), find)
    if _looks_like_path(requested):
        return _path_source(requested, find)
    known = ["auto", "sample", *datasets]
    near = difflib.get_close_matches(requested.lower(), known, n=2, cutoff=0.4)
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    raise UserError(
        f"no data set, file or folder is called {requested!r}; {meant}"
        f"Expected {', '.join(known)}, or a path to your own files; "
        f"{PREFIX}OWNER/NAME is a data set of the Hugging Face hub"
    )


def _automatic_source(
    dataset: Dataset | None, sample: str, find: Callable[[Path], Files], find_mirrored: Callable[[Path], Files]
) -> Source[Files]:
    if dataset is None:
        return _sample_source(sample, "auto", "", find)
    way = _way_to(dataset)
    if way == "mirror":
        return _mirror_source(dataset, "auto", find_mirrored)
    if way:
        return _dataset_source(dataset, "auto", "")
    what, _, there = hand_placed(dataset)
    notice = (
        f"Using the small bundled sample: {dataset.name} is not in {data_folder()} and {dataset.host} cannot be "
        f"reached{_mirror_advice(dataset)}. Figures on the sample say nothing about real data. For the benchmark, "
        f"place {what} ({dataset.mebibytes} MiB) {there} or run again with a network."
    )
    return _sample_source(sample, "auto", notice, find)


def _way_to(dataset: Dataset) -> str:
    """From where a set can be had: "host", also if it is here, "mirror" or "" for neither; within 5 s."""
    mirror = dataset.mirror
    if is_available(dataset):
        return "host"
    if mirror and is_downloaded(mirror):
        return "mirror"
    threads = ThreadPoolExecutor(1)
    by_mirror = threads.submit(is_mirror_reachable, mirror) if mirror else None
    threads.shutdown(wait=False)
    if is_reachable(dataset):
        return "host"
    return "mirror" if by_mirror and by_mirror.result() else ""


def _mirror_advice(dataset: Dataset) -> str:
    if not dataset.mirror:
        return ""
    if not is_installed():
        return f" (its mirror {dataset.mirror.address} is read by huggingface_hub: pip install huggingface_hub)"
    return f" ({host()}, for its mirror {dataset.mirror.address}, does not answer either)"


def _mirror_source(dataset: Dataset, requested: str, find: Callable[[Path], Files]) -> Source[Files]:
    return _hub_source(requested, *find_mirror(dataset), find)


def _hub_source(requested: str, name: str, folder: Path, notice: str, find: Callable[[Path], Files]) -> Source[Files]:
    files = find(folder)
    return Source("hub", name, None, notice, fingerprint(files.used), requested, files=files)


def _sample_source(sample: str, requested: str, notice: str, find: Callable[[Path], Files]) -> Source[Files]:
    folder = SAMPLES / sample
    if not folder.is_dir():
        raise UserError(f"the bundled sample is missing: {folder}; install or copy the project again")
    files = find(folder)
    return Source("sample", "sample", folder, notice, fingerprint(files.used), requested, files=files)


def _dataset_source(dataset: Dataset, requested: str, notice: str) -> Source:
    version = hashlib.sha256(dataset.builder.encode()).hexdigest()
    return Source("dataset", dataset.name, None, notice, version, requested, dataset=dataset)


def _path_source(requested: str, find: Callable[[Path], Files]) -> Source[Files]:
    if "://" in requested:
        hub = "huggingface.co/datasets/"
        if hub in requested:
            raise UserError(f"{requested}: a data set of the hub is named like {PREFIX}{requested.partition(hub)[2]}")
        raise UserError(f"{requested} is an address; download it and give the path to the file")
    path = Path(requested).expanduser()
    if not path.exists():
        raise UserError(f"{path}: no such file or folder{near_names(path)}")
    if not (path.is_file() or path.is_dir()):
        raise UserError(f"{path} is a pipe or a device, and data are read several times; write them to a file")
    # A link to a file keeps its name, which tells the format and which other files belong to it.
    place = path.resolve() if path.is_dir() else path.parent.resolve() / path.name
    files = find(path)
    return Source("path", place.name, place, "", fingerprint(files.used), requested, files=files)


def _looks_like_path(word: str) -> bool:
    separators = [separator for separator in (os.sep, os.altsep) if separator]
    return bool(word) and (os.path.exists(word) or any(mark in word for mark in [".", "~", *separators]))


def _folder_notice(word: str, meaning: str) -> str:
    if not os.path.exists(word):
        return ""
    return f"--data {word} means {meaning}; for what is called {word} in the current folder, use --data ./{word}"
