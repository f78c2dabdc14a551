"""Runs that are killed and gone on with: small ones of each template, and whether two run folders hold the same.

The tests kill at chosen points (`tests/commands/test_kills.py`), `benchmarks.soak` at random moments.
"""

import csv
import itertools
import json
import re
import tarfile
import zipfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "data" / "samples"
# Rows of each split of the small data.
ROWS = {"train": 240, "validation": 40, "test": 40}
# Of series, which are cut by time, the days of some.
DAYS = {"train": slice(0, 120), "validation": slice(120, 150), "test": slice(150, 180)}
SMALL = {
    "sentiment": ("--units", "5", "--embedding-size", "6", "--batch-size", "8"),
    "ner": (
        "--units", "5", "--embedding-size", "6", "--character-units", "4", "--affix-size", "2", "--batch-size", "8",
    ),
    "captioning": (
        "--picture-size", "16", "--grid-stride", "4", "--channels", "4", "--units", "8", "--embedding-size", "8",
        "--vocabulary-size", "300", "--max-length", "12", "--batch-size", "8",
    ),
    "translation": (
        "--units", "8", "--embedding-size", "8", "--vocabulary-size", "400", "--subword-dropout", "0.1",
        "--batch-size", "8",
    ),
    "language_model": ("--units", "8", "--embedding-size", "6", "--batch-size", "8", "--backpropagation-steps", "40"),
    "forecasting": (
        "--window", "28", "--segment", "7", "--horizon", "10", "--units", "8", "--batch-size", "8",
        "--future-columns", "promotion,event", "--static-columns", "kind",
    ),
}  # fmt: skip
# A template's own network, and some steps of it.
DEFAULT_SIZE = ("--batch-size", "16")
# With early stopping, dropout and averaged weights, which are on by default.
COMMON = ("--data", "data", "--epochs", "2", "--seed", "3", "--checkpoint-steps", "6")
# Figures that tell a time, wherever they stand.
TIMES = ("seconds", "examples_per_second", "train_seconds", "epoch_seconds")
# Files that tell nothing of what a run reached, or no more than others, with times among it.
NOT_COMPARED = ("lock", "previous.npz", "damaged.npz", "report.html")


def write_small_data(template: str, folder: Path) -> Path:
    """Writes the first rows of a template's sample, split, to a new folder `data` in `folder`; its path comes back."""
    sample, data = SAMPLES / template, folder / "data"
    data.mkdir(parents=True)
    if template == "captioning":
        # A picture takes as long as several sentences.
        names = {split: (sample / f"{split}.txt").read_text().split()[: count // 2] for split, count in ROWS.items()}
        kept = {name for listed in names.values() for name in listed}
        for split, listed in names.items():
            (data / f"{split}.txt").write_text("\n".join(listed) + "\n")
        lines = (sample / "captions.txt").read_text().splitlines(keepends=True)
        (data / "captions.txt").write_text(
            "".join(lines[:1] + [row for row in lines[1:] if row.startswith(tuple(kept))])
        )
        with tarfile.open(sample / "images.tar.xz") as archive:
            members = [member for member in archive if Path(member.name).name in kept]
            write_members(archive, members, data)
        return data
    if template == "forecasting":
        header, *rows = (sample / "train.csv").read_text(encoding="utf-8").splitlines()
        series = [list(days) for _, days in itertools.groupby(rows, lambda row: row.split(",")[0])][::4]
        for split, days in DAYS.items():
            lines = [header, *(row for one in series for row in one[days])]
            (data / f"{split}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return data
    suffix = next(sample.glob("train.*")).suffix
    between = "\n\n" if template == "ner" else "\n"
    for split, count in ROWS.items():
        rows = (sample / f"{split}{suffix}").read_text(encoding="utf-8").split(between)
        (data / f"{split}{suffix}").write_text(between.join(rows[: count + 1]) + "\n", encoding="utf-8")
    return data


def write_members(archive: tarfile.TarFile, members: list[tarfile.TarInfo], folder: Path) -> None:
    """Writes files of an archive to a folder; `extractall` is not safe without a filter, which Python 3.11.2 lacks."""
    folder.mkdir(exist_ok=True)
    for member in members:
        (folder / member.name).write_bytes(archive.extractfile(member).read())


def differences(run: Path, whole: Path) -> list[str]:
    """The files, and of checkpoints and models the arrays, in which two finished runs differ but for times.

    Args:
        run: The folder of a run that was killed and gone on with.
        whole: That of the same run, never touched.

    Returns:
        What differs, a line for each; nothing if the runs are the same bit for bit.
    """
    names = [
        {
            str(file.relative_to(folder))
            for file in folder.rglob("*")
            if file.is_file() and file.name not in NOT_COMPARED
        }
        for folder in (run, whole)
    ]
    # Of TensorBoard's files the names tell the times.
    ours, theirs = ({name for name in found if not name.startswith("tensorboard")} for found in names)
    missing = [f"{name}: in one of them only" for name in sorted(ours ^ theirs)]
    return missing + [line for name in sorted(ours & theirs) for line in _differences_of_file(name, run, whole)]


def _differences_of_file(name: str, run: Path, whole: Path) -> list[str]:
    ours, theirs = _content(run / name), _content(whole / name)
    return [f"{name}: {key}" for key in sorted({*ours, *theirs}) if ours.get(key) != theirs.get(key)]


def _content(file: Path) -> dict:
    """What is to be the same in a file, by some names."""
    if file.suffix == ".npz":
        with np.load(file) as arrays:
            found = {name: (arrays[name].shape, arrays[name].tobytes()) for name in arrays.files if name != "record"}
            return {**found, "record": _untimed(json.loads(str(arrays["record"])))}
    if file.suffix == ".keras":
        # But for metadata.json, which tells the time of saving, and numbers that are addresses in memory.
        with zipfile.ZipFile(file) as archive:
            found = {name: archive.read(name) for name in archive.namelist() if name != "metadata.json"}
            return {name: re.sub(rb'"shared_object_id": \d+', b"", content) for name, content in found.items()}
    if file.name == "history.csv":
        with open(file, newline="", encoding="utf-8") as stream:
            return {f"epoch {row['epoch']}": _untimed(row) for row in csv.DictReader(stream)}
    if file.suffix == ".json":
        found = json.loads(file.read_text(encoding="utf-8"))
        return _untimed(found) if isinstance(found, dict) else {"all": found}
    return {"all": file.read_bytes()}


def _untimed(value):
    if isinstance(value, dict):
        return {name: _untimed(inner) for name, inner in value.items() if name not in TIMES}
    return [_untimed(inner) for inner in value] if isinstance(value, list) else value
