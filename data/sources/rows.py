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

    def hold_out(self, share: float) -> tuple[Self, Self]:
        """Splits the rows into those to train on and those to validate on, by chance, the same for every seed.

        Args:
            share: The share to hold out, 0 to 1; at least one row is held out, and at least one is left.
        """
        # Here and not above: it imports numpy, and files are to be found at once.
        from data.batches import hold_out

        kept, held_out = hold_out(len(self), share)
        return self.select(kept), self.select(held_out)

    @property
    def only_row(self) -> str:
        """What cannot be split, in words, where there is too little to hold out some; "" where there is enough."""
        return "one row" if len(self) < 2 else ""

    def _columns(self) -> list[list]:
        return list(vars(self).values())
