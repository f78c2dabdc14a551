"""Rows of data, kept as columns."""

from collections.abc import Iterable
from typing import Self


class Rows:
    """A dataclass of lists, each of which has an item for every row, or none where that is not known.

    Example:
        @dataclass(frozen=True)
        class Pairs(Rows):
            sources: list[str]
            targets: list[str]

        pairs = Pairs(["a", "b"], ["c", "d"])
        len(pairs), pairs.select([1])   # 2, Pairs(["b"], ["d"])
    """

    def __len__(self) -> int:
        return len(self._columns()[0])

    def select(self, rows: Iterable[int]) -> Self:
        """Some of the rows, in the order in which they are asked for.

        Args:
            rows: Their numbers, from 0.
        """
        rows = list(rows)
        return type(self)(*([column[row] for row in rows] if column else [] for column in self._columns()))

    @property
    def only_row(self) -> str:
        """What its row is called, in messages, where it has one only."""
        return "one row"

    def _columns(self) -> list[list]:
        return list(vars(self).values())
