"""The splits of a data source: those it has, and a validation split held out of the training rows where it has none."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from data.batches import hold_out
from data.errors import UserError
from data.sources.known_datasets import DATASETS
from data.sources.source import Source
from data.sources.split_files import Splits, find_splits

Rows = TypeVar("Rows")


@dataclasses.dataclass(frozen=True)
class SourceSplits:
    """What can be asked for by `--split`, and where it is.

    Args:
        source: The data source.
        suffixes: The formats that count in a folder, as for `data.sources.split_files.find_splits`.
        found: The files of one's own, where their formats do not tell; None finds them by `suffixes`.

    Example:
        splits = SourceSplits(resolve_source("reviews", benchmark=None, sample="sentiment"), (".csv",))
        splits.given, splits.has_test   # ["test", "train"], True
    """

    source: Source
    suffixes: Sequence[str]
    found: Splits | None = None

    @functools.cached_property
    def _files(self) -> Splits:
        return self.found or find_splits(self.source.path, self.suffixes, need_train=False)

    @property
    def given(self) -> Sequence[str]:
        """The splits that the source has of its own; a single file has "all"."""
        return DATASETS[self.source.name].splits if self.source.kind == "dataset" else list(self._files.files)

    @property
    def has_test(self) -> bool:
        """Whether there is a test split, under whatever name that begins with test."""
        return any(name.lower().startswith("test") for name in self.given)

    @property
    def holds_out(self) -> bool:
        """Whether "validation" is taken out of the training rows."""
        return "validation" not in self.given

    @property
    def ignored_files(self) -> str:
        """The files beside the splits that are not read, in one line; empty if there are none."""
        return "" if self.source.kind == "dataset" else ", ".join(path.name for path in self._files.ignored)

    def to_evaluate(self, is_own: bool) -> str:
        """The split to evaluate on where none is named.

        Args:
            is_own: Whether the model was trained on this source; its training rows say nothing then.

        Returns:
            "test" where there is one; else "validation" of the run's own data, and the whole of another single file.
        """
        if self.has_test:
            return "test"
        return "all" if "all" in self.given and not is_own else "validation"

    def file(self, split: str) -> Path:
        """The file of a split of one's own files; UserError where there is no such split."""
        return self._files.path(self._taken_from(split))

    def place(self, split: str) -> str:
        """Where a split stands, for messages: its file, or the dataset's name and the split's."""
        return f"{self.source.name} ({split})" if self.source.kind == "dataset" else str(self.file(split))

    def read(
        self,
        wanted: Sequence[str],
        read: Callable[[str], Rows],
        select: Callable[[Rows, np.ndarray], Rows],
        count: Callable[[Rows], int],
        share: float,
    ) -> dict[str, Rows]:
        """Reads splits.

        Args:
            wanted: "train", "validation", "test", or the stems of files of one's own; "all" is the whole of a single
                file.
            read: Reads the rows of a split that the source has of its own.
            select: The rows at the given indices.
            count: The number of rows.
            share: The share of the training rows to hold out where there is no validation split.

        Returns:
            The rows of each split.

        Raises:
            UserError: There is one row only, none to hold out; and what `read` raises.
        """
        rows: dict[str, Rows] = {}
        for split in wanted:
            if split in rows:
                continue
            if split not in ("train", "validation") or not self.holds_out:
                rows[split] = read(split)
                continue
            whole = read(self._taken_from(split))
            if count(whole) < 2:
                raise UserError(f"{self.source.name}: one row is too few to hold out some for validation")
            kept, held_out = hold_out(count(whole), share)
            rows |= {"train": select(whole, kept), "validation": select(whole, held_out)}
        return {split: rows[split] for split in wanted}

    def _taken_from(self, split: str) -> str:
        """The split of the source's own that holds the rows of this one."""
        if split in ("train", "validation") and self.holds_out:
            return "all" if "all" in self.given else "train"
        return split
