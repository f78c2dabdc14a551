"""A data source ready to be read: the splits it has, and one held out of the training rows where it has none."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from data.errors import BadLines, UserError
from data.sources.rows import Rows
from data.sources.source import Source

Kind = TypeVar("Kind", bound=Rows)


@dataclasses.dataclass(frozen=True)
class OpenedSource(Generic[Kind]):
    """What a template's `pipeline.open_source` gives: the splits of a source, and what is to be told about it.

    Args:
        source: What `--data` means.
        read_own: Reads the rows of a split that the source has of its own.
        validation_fraction: The share of the training rows to hold out where there is no validation split.
        bad_lines: What is done with lines that cannot be used; counts them.
        notes: What this kind of data has to tell, a line under a name; None where there is nothing.

    Example:
        opened = pipeline.open_source(config, pipeline.find_source(config))
        opened.has_test, opened.read(["train", "validation"])["train"]
    """

    source: Source
    read_own: Callable[[str], Kind]
    validation_fraction: float
    bad_lines: BadLines
    notes: dict[str, str | None] = dataclasses.field(default_factory=dict)

    @property
    def given(self) -> Sequence[str]:
        """The splits that the source has of its own; a single file has "all"."""
        if self.source.files:
            return list(self.source.files.files)
        return self.source.dataset.splits if self.source.dataset else ()

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
        """The files beside one's own that are not read, in one line; empty if there are none."""
        files = self.source.files if self.source.kind == "path" else None
        return ", ".join(path.name for path in files.ignored) if files else ""

    @property
    def facts(self) -> dict[str, str | None]:
        """What `run` tells about the data in its table, after they were read; None where there is nothing."""
        files = self.source.files if self.source.kind == "path" else None
        told = {"splits": files.told_by_a_word if files else "", **self.notes, "bad lines": self.bad_lines.summary()}
        return {name: note or None for name, note in {**told, "not read": self.ignored_files}.items()}

    def to_train(self, test: bool) -> list[str]:
        """The splits of a run: to train on, to choose the best epoch by and, with `test`, the test split if any."""
        return ["train", "validation", "test"] if test and self.has_test else ["train", "validation"]

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

    def place(self, split: str) -> str:
        """Where a split stands, for messages: its file, or the dataset's name and the split's."""
        files = self.source.files
        return str(files.path(self._taken_from(split))) if files else f"{self.source.name} ({split})"

    def read(self, wanted: Sequence[str]) -> dict[str, Kind]:
        """Reads splits.

        Args:
            wanted: "train", "validation", "test", or the stems of files of one's own; "all" is the whole of a single
                file.

        Returns:
            The rows of each split.

        Raises:
            UserError: There is no such split, a file is damaged, empty, or lacks what is needed, or there is one row
                only, none to hold out.
        """
        rows: dict[str, Kind] = {}
        for split in wanted:
            if split in rows:
                continue
            if split not in ("train", "validation") or not self.holds_out:
                rows[split] = self.read_own(split)
                continue
            whole = self.read_own(self._taken_from(split))
            if only := whole.only_row:
                raise UserError(f"{self.source.name}: {only} is too few to hold out some for validation")
            rows |= dict(zip(("train", "validation"), whole.hold_out(self.validation_fraction), strict=True))
        return {split: rows[split] for split in wanted}

    def _taken_from(self, split: str) -> str:
        """The split of the source's own that holds the rows of this one."""
        if split in ("train", "validation") and self.holds_out:
            return "all" if "all" in self.given else "train"
        return split
