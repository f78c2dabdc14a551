"""A source of series, split by time: whoever trains sees nothing of what comes after."""

import dataclasses
from pathlib import Path

import numpy as np

from data.errors import BadLines, UserError, shown
from data.series.columns import Reading, SeriesColumns
from data.series.reading import ReadSeries, read_series
from data.series.rows import Series
from data.sources.opened_source import OpenedSource
from data.sources.source import Source

CUT = ("train", "validation", "test")


@dataclasses.dataclass(frozen=True)
class Split:
    """How a series is cut into what is trained on, what is validated on and what is tested on, in this order.

    Args:
        validation_steps: Those to validate on; 0: a fifth of the series.
        test_steps: Those to test on, the last ones; 0: a fifth.

    Example:
        Split().ends(10)   # 6, 8
    """

    validation_steps: int = 0
    test_steps: int = 0

    def ends(self, length: int, is_tested: bool = True) -> tuple[int, int]:
        """Where the training steps end, and those to validate on.

        Args:
            length: The series' steps.
            is_tested: Whether its last ones are to be tested on; else they are validated on.
        """
        fifth = length - length * 4 // 5
        before_test = length - (self.test_steps or fifth) if is_tested else length
        # In fifths from the beginning, as is usual: of 17,420 steps 10,452 are trained on.
        in_fifths = length * 4 // 5 - length * 3 // 5 if is_tested else fifth
        return max(before_test - (self.validation_steps or in_fifths), 0), max(before_test, 0)


class Cutter:
    """Reads a source's series and cuts each by time.

    Args:
        source: What `--data` means.
        reading: How its tables are read.
        bad_lines: What is done with lines that cannot be used.
        split: How series are cut that have no files of their own for it.
        known: What is known of the columns from the training files; None: look.

    Attributes:
        notes: What is to be told of what was read, a line under a name.
    """

    def __init__(
        self, source: Source, reading: Reading, bad_lines: BadLines, split: Split, known: SeriesColumns | None
    ):
        assert source.files
        self.source, self.files = source, source.files
        self.reading, self.bad_lines, self.split, self.known = reading, bad_lines, split, known
        self.notes: dict[str, str | None] = {}
        self._read: dict[tuple[Path, ...], tuple[ReadSeries, SeriesColumns]] = {}

    @property
    def columns(self) -> SeriesColumns:
        """What is known of the columns, which the training steps tell."""
        return self._whole(self._paths("test"))[1]

    def read(self, name: str) -> Series:
        """The series of a split, each from its first step on, of which those before the split are not asked for.

        Raises:
            UserError: There is no such split, no series reaches into it, and as `data.series.reading.read_series`.
        """
        paths = self._paths(name)
        whole, _ = self._whole(paths)
        series, lengths = whole.series, [len(targets) for targets in whole.series.targets]
        if name == "all":
            return series
        train, validation = map(list, zip(*self._ends(whole, paths), strict=True))
        none = [0] * len(lengths)
        begins, ends = {"train": (none, train), "validation": (train, validation)}.get(name, (validation, lengths))
        result = series.between(begins, ends)
        if not len(result):
            longest = int(np.argmax(lengths))
            has = f"the longest series, {shown(series.names[longest])}, has {lengths[longest]:,} steps"
            advice = "see --validation-steps and --test-steps"
            raise UserError(f"{self.source.name}: nothing is left for {name}: {has}; {advice}")
        return result

    def _paths(self, split: str) -> tuple[Path, ...]:
        """The files of which a split's series are read: those before it in time, too."""
        files = self.files.files
        if "all" in files:
            return (files["all"],)
        try:
            last = self.files.split("test" if split in ("train", "validation") else split)
        except UserError:
            if split not in CUT:
                raise
            last = ""  # no test file, or none that is meant
        order = dict.fromkeys(name for name in ("train", "validation", last) if name in files)
        return tuple(files[name] for name in order)

    def _whole(self, paths: tuple[Path, ...]) -> tuple[ReadSeries, SeriesColumns]:
        if paths not in self._read:
            whole = read_series(paths, self.reading, self.bad_lines, self.known)
            unseen = ""
            if not self.known:
                whole, unseen = _as_trained(whole, [end for end, _ in self._ends(whole, paths)])
            self.notes.update({**whole.notes, "only after training": unseen})
            self._read[paths] = whole, whole.columns
        return self._read[paths]

    def _ends(self, whole: ReadSeries, paths: tuple[Path, ...]) -> list[tuple[int, int]]:
        """Where each series' training steps end, and those to validate on."""
        files = self.files.files
        lengths = [len(targets) for targets in whole.series.targets]
        if "train" not in files:
            return [self.split.ends(length) if "all" in files else (0, 0) for length in lengths]
        file_ends = dict(zip(paths, whole.file_ends, strict=True))
        is_tested = paths[-1] not in (files["train"], files.get("validation"))
        if "validation" not in files:
            return [self.split.ends(end, is_tested=not is_tested) for end in file_ends[files["train"]]]
        validation = file_ends[files["validation"]] if is_tested else [self.split.ends(end)[1] for end in lengths]
        return list(zip(file_ends[files["train"]], validation, strict=True))


@dataclasses.dataclass(frozen=True)
class OpenedSeries(OpenedSource[Series]):
    """A source of series, whose splits are parts of the same series, one after the other.

    Args:
        cutter: What reads them.
    """

    cutter: Cutter = dataclasses.field(kw_only=True)

    @property
    def given(self) -> list[str]:
        """The splits there are: of its own, and those that are cut out of others."""
        own = list(super().given)
        return [*own, *(split for split in CUT if split not in own)] if {"all", "train"} & set(own) else own

    @property
    def columns(self) -> SeriesColumns:
        """What is known of the columns, which the training steps tell."""
        return self.cutter.columns

    def to_evaluate(self, is_own: bool) -> str:
        return "all" if "all" in super().given and not is_own else super().to_evaluate(is_own)

    def _taken_from(self, split: str) -> str:
        own = super().given
        return split if split in own or split not in CUT else "all" if "all" in own else "train"


def _as_trained(whole: ReadSeries, ends: list[int]) -> tuple[ReadSeries, str]:
    """What was read, without the words that the training steps do not hold: nothing can be learned of them."""
    series, columns = whole.series, whole.columns
    future = [future[:end].any(axis=0) for future, end in zip(series.future, ends, strict=True) if end]
    static = [static != 0 for static, end in zip(series.static, ends, strict=True) if end]
    seen = [np.any(rows, axis=0) if rows else np.zeros(0, bool) for rows in (future, static)]
    kept = [
        [word is None or not len(here) or bool(here[number]) for number, (_, word) in enumerate(features)]
        for features, here in zip((columns.future, columns.static), seen, strict=True)
    ]
    if all(map(all, kept)):
        return whole, ""
    places = [np.flatnonzero(those) for those in kept]
    fewer = dataclasses.replace(
        columns,
        future=tuple(columns.future[place] for place in places[0]),
        static=tuple(columns.static[place] for place in places[1]),
    )
    unseen = [
        f"{shown(str(word))} in {name!r}"
        for features, those in zip((columns.future, columns.static), kept, strict=True)
        for (name, word), is_kept in zip(features, those, strict=True)
        if not is_kept
    ]
    series = dataclasses.replace(
        series,
        future=[future[:, places[0]] for future in series.future],
        static=[static[places[1]] for static in series.static],
    )
    told = ", ".join(unseen[:5]) + (", ..." if len(unseen) > 5 else "")
    return dataclasses.replace(whole, series=series, columns=fewer), told


def open_series(
    source: Source,
    reading: Reading,
    bad_lines: BadLines,
    split: Split = Split(),
    columns: SeriesColumns | None = None,
) -> OpenedSeries:
    """Opens a source of series.

    Args:
        source: What `--data` means.
        reading: How its tables are read.
        bad_lines: What is done with lines that cannot be used.
        split: How series are cut.
        columns: What is known of the columns from the training files; None: look.

    Example:
        opened = open_series(source, Reading(), BadLines(), Split(validation_steps=2880, test_steps=2880))
        opened.read(["train", "validation", "test"])["test"].begins
    """
    cutter = Cutter(source, reading, bad_lines, split, columns)
    return OpenedSeries(source, cutter.read, 0.0, bad_lines, cutter.notes, cutter=cutter)
