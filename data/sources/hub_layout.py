"""Which files of a repository of the Hugging Face hub hold which split of which configuration of its data set."""

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from data.sources.split_files import SHARD, STANDARD_STEMS, known_split

# What a configuration is called that has no name of its own.
DEFAULT = "default"

# What names may be: folders and files are named after them.
_CONFIGURATION, _SPLIT = re.compile(r"(?![. ])[^@/\\<>:|?*\t\r\n]+"), re.compile(r"\w[\w.-]*")

Splits = dict[str, list[str]]


def find_configurations(files: Iterable[str], described: Any = None) -> tuple[dict[str, Splits], str]:
    """Finds the configurations of a data set.

    Args:
        files: The paths in the repository of the files with rows.
        described: `configs` of its README.md, which tells by patterns what the files are; without it, or where it
            names none of the files, their names tell: "en/train-00000-of-00002.parquet", "en/train/0000.parquet".

    Returns:
        From a configuration's name to its splits, each the files in order; the name of the usual one, the only one,
        the one that the README takes for it, or "default", and "" where it is none of these.

    Example:
        >>> find_configurations(["plain_text/train-00000-of-00001.parquet", "plain_text/test-00000-of-00001.parquet"])
        ({'plain_text': {'test': ['plain_text/test-00000-of-00001.parquet'], 'train': [...]}}, 'plain_text')
    """
    files = sorted(files)
    entries = [entry for entry in described if isinstance(entry, dict)] if isinstance(described, list) else []
    by_name = {str(entry.get("config_name", DEFAULT)): entry for entry in entries}
    by_name = {name: entry for name, entry in by_name.items() if _CONFIGURATION.fullmatch(name)}
    described_splits = {name: _described_splits(files, entry) for name, entry in by_name.items()}
    found = {name: splits for name, splits in described_splits.items() if splits} or _named(files)
    marked = [name for name, entry in by_name.items() if entry.get("default") is True]
    usual = [name for name in (*marked, DEFAULT, *(found if len(found) == 1 else ())) if name in found]
    return {name: _standard(splits) for name, splits in found.items()}, usual[0] if usual else ""


def wanted_splits(splits: Splits) -> Splits:
    """Those to train, validate and test on; all, where there is nothing to train on."""
    if "train" not in splits:
        return splits
    return {
        name: files for name, files in splits.items() if name in STANDARD_STEMS or name.startswith(("test", "valid"))
    }


def _described_splits(files: list[str], entry: Mapping[str, Any]) -> Splits:
    folder, described = str(entry.get("data_dir") or "").strip("/"), entry.get("data_files")
    prefix = f"{folder}/" if folder else ""
    if described is None:
        inside = [file.removeprefix(prefix) for file in files if file.startswith(prefix)]
        named = next(iter(_named(inside).values()), {}) if folder else {}
        return {split: [prefix + file for file in names] for split, names in named.items()}
    if isinstance(described, dict):
        described = [{"split": split, "path": path} for split, path in described.items()]
    elif not (isinstance(described, list) and all(isinstance(part, dict) for part in described)):
        described = [{"split": "train", "path": described}]
    splits: Splits = {}
    for part in described:
        paths = part.get("path", [])
        patterns = [_pattern(prefix + str(path)) for path in (paths if isinstance(paths, list) else [paths])]
        matched = [file for file in files if any(pattern.fullmatch(file) for pattern in patterns)]
        split = str(part.get("split", "train"))
        if matched and _SPLIT.fullmatch(split):
            splits[split] = matched
    return splits


def _pattern(path: str) -> re.Pattern:
    """A path with wildcards, as the hub means it: `*` stays within a folder, `**` does not."""
    pieces = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    path = path.removeprefix("./")
    return re.compile(re.sub(r"\*\*/|\*\*|\*|\?|[^*?]+", lambda found: pieces.get(found[0], re.escape(found[0])), path))


def _named(files: list[str]) -> dict[str, Splits]:
    found: dict[str, Splits] = {}
    for file in files:
        configuration, split = _name(PurePosixPath(file))
        found.setdefault(configuration, {}).setdefault(split, []).append(file)
    for configuration, splits in found.items():
        # Files without a split's name are what there is to train on.
        if not any(known_split(split) for split in splits):
            found[configuration] = {"train": [file for files in splits.values() for file in files]}
    return found


def _name(path: PurePosixPath) -> tuple[str, str]:
    """The configuration and the split that a file's path tells."""
    folders = list(path.parts[:-1])
    shard = SHARD.fullmatch(path.name)
    stem = shard["split"] if shard else path.name.partition(".")[0]
    if folders and known_split(folders[-1].removeprefix("partial-")):
        split = folders.pop().removeprefix("partial-")
    else:
        split = stem
    folder = folders[-1] if folders and folders[-1] != "data" else ""
    folder = folder if _CONFIGURATION.fullmatch(folder) else ""
    front, dash, last = split.rpartition("-")
    if dash and known_split(last):  # imdb-train, once the name of a converted file
        return folder or front, last
    return folder or DEFAULT, split


def _standard(splits: Splits) -> Splits:
    """The splits under the names that we have for them, unless two would have the same."""
    names = [known_split(split) or split for split in splits]
    return {name if names.count(name) == 1 else split: splits[split] for split, name in zip(splits, names)}
