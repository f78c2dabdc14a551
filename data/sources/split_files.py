"""Which file of a folder holds which split: train, validation, test, or one under its own name."""

import dataclasses
import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from data.errors import UserError
from data.files import content_name, near_names, parts
from data.tables.parquet import PARQUET

# Stems with a common meaning; CoNLL-2003 calls its splits train, testa (for tuning) and testb.
STANDARD_STEMS = {
    "train": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "devel": "validation",
    "testa": "validation",
    "test": "test",
    "testb": "test",
}
# At the beginning or the end of a stem, up to a "_", "-" or ".", as in Corona_NLP_train.csv and train_data.csv, these
# mean a split, but only where no train file is found without them.
_LOOSE_WORDS = {**STANDARD_STEMS, "training": "train", "testing": "test"}
# As many files that hold a split together are named: train-00000-of-00002.parquet, once with a hash behind it.
SHARD = re.compile(r"(?P<split>.+)-(?P<number>\d+)-of-(?P<total>\d+)(?P<hash>-[0-9a-f]+)?\.parquet")
# Looked at where no other format has what is looked for: beside tables, such a file may be of another kind.
LAST_FORMATS = (".json", PARQUET)
# Each file under a name of its own is a split; so many are something else.
MOST_SPLITS = 10_000
DOCUMENTATION = ("readme", "license", "licence", "copying", "changes", "changelog", "citation")


@dataclasses.dataclass(frozen=True)
class Splits:
    """The files of a data source.

    Args:
        folder: The folder, or the single file.
        files: From a split's name to its file; a single file is {"all": file}. Several .parquet files of one split are
            one path, with a `*` where their names differ, as `data.files.parts` takes it.
        ignored: What else lies in the folder, sorted by name.
    """

    folder: Path
    files: dict[str, Path]
    ignored: list[Path]

    @property
    def used(self) -> list[Path]:
        """The files of which a fingerprint is taken."""
        return [part for path in self.files.values() for part in parts(path)]

    @property
    def told_by_a_word(self) -> str:
        """Which splits a word in a longer name tells: "train in reviews_train.csv, test in reviews_test.csv"."""
        stems = {split: content_name(path).rpartition(".")[0] for split, path in self.files.items()}
        told = [split for split, stem in stems.items() if _loose_split(stem) == split != known_split(stem)]
        return ", ".join(f"{split} in {self.files[split].name}" for split in told)

    def path(self, name: str) -> Path:
        """The file of a split, as `split` finds it."""
        return self.files[self.split(name)]

    def split(self, name: str) -> str:
        """The split that a word means.

        Args:
            name: A split's name, another word for it ("val", "dev"), or its file's stem. "test" also finds the only
                split whose name begins with test.

        Returns:
            One of `files`.

        Raises:
            UserError: There is no such split, or "test" could mean several; it lists those there are.
        """
        if name in self.files:
            return name
        standard = STANDARD_STEMS.get(name.lower(), name)
        if standard in self.files:
            return standard
        for split, path in self.files.items():
            if content_name(path).rpartition(".")[0] == name and "all" not in self.files:
                return split
        if "all" in self.files:
            raise UserError(
                f"{self.folder} is one file and has no split {name!r}; "
                "give a folder that holds train and test files to have splits"
            )
        tests = sorted(split for split in self.files if split.lower().startswith("test"))
        if standard == "test" and len(tests) == 1:
            return tests[0]
        if standard == "test" and tests:
            raise UserError(
                f"{self.folder}: 'test' could mean {' or '.join(tests)}; name the one that runs are to be measured "
                "on 'test', or choose one with evaluate --split"
            )
        raise UserError(f"{self.folder} has no split {name!r}; it has {', '.join(sorted(self.files)) or 'none'}")


def find_splits(
    path: str | os.PathLike,
    suffixes: Sequence[str],
    *,
    need_train: bool = True,
    loosely: bool = True,
    last: Sequence[str] = LAST_FORMATS,
) -> Splits:
    """Finds the files of a data source by their names.

    Args:
        path: One file, or a folder of files such as train.csv, valid.csv.gz, test.csv.
        suffixes: The formats to look for, such as (".jsonl", ".csv"), compressed or not; for parallel files one
            language, such as (".en",). "" also takes files without a format's suffix, such as eng.testa.xz, but only
            those whose last dotted part is a common split name or begins with "test".
        need_train: Whether a folder without a train file is an error; one without any split always is.
        last: Those of the formats that are looked at only where the others do not hold what is needed.
        loosely: Whether, where there is no train file, training.csv or reviews_train.csv is one.

    Returns:
        The splits; see `Splits.path` for how one is asked for.

    Raises:
        UserError: Nothing is at the path, a single file has another format, two files hold the same split, no file
            holds train, or there are more than `MOST_SPLITS` files.

    Example:
        >>> find_splits("reviews", (".csv",)).files
        {'test': PosixPath('reviews/test.csv'), 'train': PosixPath('reviews/train.csv.gz')}
    """
    path = Path(path)
    if not path.exists():
        raise UserError(f"{path}: no such file or folder{near_names(path)}")
    if not path.is_dir():
        if "" not in suffixes and not content_name(path).lower().endswith(tuple(suffixes)):
            raise UserError(f"{path}: expected a name in {', '.join(suffixes)} (plain, .gz or .xz)")
        return Splits(path, {"all": path}, [])
    orders = [suffix for suffix in suffixes if suffix not in last], suffixes
    entries = sorted(path.iterdir(), key=lambda entry: entry.name)
    files, ignored = _splits_among(entries, orders[0])
    if not files or (need_train and "train" not in files):
        files, ignored = _splits_among(entries, suffixes)
    for these in orders if loosely and "train" not in files else ():
        try:
            found = _splits_among(entries, these, loosely=True)
        except UserError:
            if need_train:
                raise
            continue  # each has its own name then
        if "train" in found[0]:
            files, ignored = found
            break
    if not files or (need_train and "train" not in files):
        wanted = "train" if need_train else "test"
        kinds = ", ".join(f"{wanted}{suffix}" for suffix in suffixes)
        there = ", ".join(entry.name for entry in [*files.values(), *ignored][:20]) or "nothing"
        raise UserError(f"{path} has no {wanted} file; expected {kinds} (plain, .gz or .xz), found {there}")
    return Splits(path, files, ignored)


def _splits_among(
    entries: Sequence[Path], suffixes: Sequence[str], loosely: bool = False
) -> tuple[dict[str, Path], list[Path]]:
    """The files of splits among those of a folder, and the others."""
    files: dict[str, Path] = {}
    ignored = []
    for entry in entries:
        split, file = split_name(entry, suffixes, loosely), entry
        if PARQUET in suffixes:
            split, file = (known_split(entry.name), shards) if (shards := _shards_inside(entry)) else (split, file)
            file = _all_shards(file, files.values())
        if split is None:
            ignored.append(entry)
        elif files.setdefault(split, file) != file:
            raise UserError(f"{files[split]} and {file} are both the {split} split; keep one of them")
        elif len(files) > MOST_SPLITS:
            many = f"{entry.parent} has more than {MOST_SPLITS:,} files of data"
            raise UserError(f"{many}; expected one for each split, as train{suffixes[0]}")
    return files, ignored


def _all_shards(entry: Path, known: Collection[Path]) -> Path:
    """The path that stands for all files of a split, given one; the file itself, where it is the only one.

    Args:
        entry: The file.
        known: Paths that were found to be complete.

    Raises:
        UserError: Some of them are missing.
    """
    shard = SHARD.fullmatch(entry.name)
    if not shard or int(shard["total"]) < 2:
        return entry
    path = entry.with_name(f"{shard['split']}-*-of-{shard['total']}{'-*' if shard['hash'] else ''}{PARQUET}")
    if path in known:
        return path
    there = {int(found["number"]) for part in parts(path) if (found := SHARD.fullmatch(part.name))}
    # The name may say any number of files: not all of them are counted.
    missing = next((number for number in range(int(shard["total"])) if number not in there), None)
    if missing is not None:
        raise UserError(f"{path}: number {missing} of {int(shard['total'])} is missing; get it, too")
    return path


def _shards_inside(entry: Path) -> Path | None:
    """The path that stands for the .parquet files in a folder of a split's name (train/0000.parquet), or None."""
    if not entry.is_dir() or not known_split(entry.name):
        return None
    found = parts(entry / f"*{PARQUET}")
    return found[0] if len(found) == 1 and found[0].is_file() else entry / f"*{PARQUET}" if len(found) > 1 else None


def split_name(entry: Path, suffixes: Sequence[str], loosely: bool = False) -> str | None:
    """The split that a folder's entry holds, or None when it is not one of the files looked for.

    Args:
        entry: A file or a folder.
        suffixes: As for `find_splits`.
        loosely: Whether train_data.csv is train, too.
    """
    name = content_name(entry)
    lower = name.lower()
    # Before anything that takes longer: a folder may hold a million other files.
    if not ("" in suffixes or lower.endswith(tuple(suffix.lower() for suffix in suffixes))):
        return None
    if name.startswith(".") or lower.startswith(DOCUMENTATION) or not entry.is_file():
        return None
    for suffix in sorted(suffixes, key=len, reverse=True):
        if suffix and lower.endswith(suffix.lower()) and len(name) > len(suffix):
            stem = shard["split"] if (shard := SHARD.fullmatch(name)) else name[: -len(suffix)]
            return known_split(stem) or (_loose_split(stem) if loosely else None) or stem
    return known_split(name) if "" in suffixes else None


def known_split(stem: str) -> str | None:
    """The split that a file's name without its suffix means, such as validation for "eng.testa", or None."""
    last = stem.rpartition(".")[2]  # "eng.testa": the language, then the split
    if last.lower() in STANDARD_STEMS:
        return STANDARD_STEMS[last.lower()]
    if last.lower().startswith("test"):
        return last
    return STANDARD_STEMS.get(last.rpartition("-")[2].lower())  # "en_ewt-ud-dev", as Universal Dependencies names them


def _loose_split(stem: str) -> str | None:
    """The split that the first or the last word of a stem means; None where they mean two."""
    words = re.split(r"[_.-]", stem.lower())
    found = {_LOOSE_WORDS[word] for word in (words[0], words[-1]) if word in _LOOSE_WORDS}
    return found.pop() if len(found) == 1 else None
