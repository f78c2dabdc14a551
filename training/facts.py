"""Facts in a table, a line each: what a run says of its data before it begins."""

import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

# Labels, classes or runs listed one by one; beyond that the table says how many more there are.
MOST_ROWS = 30
# The width of tables that go to a file or a pipe.
PLAIN_WIDTH = 160


def console() -> Console:
    """Standard output; wide enough for a path on one line where it is no terminal."""
    # No markup: a label such as "[spam]" is a label.
    width = None if sys.stdout.isatty() else PLAIN_WIDTH
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True, width=width)


def print_facts(title: str, facts: Mapping[str, object]) -> None:
    """Prints a table of names and values; a value of None is left out."""
    table = Table(title=title, title_justify="left", title_style="bold", show_header=False, box=None, pad_edge=False)
    for name, value in facts.items():
        if value is not None:
            table.add_row(name, str(value))
    console().print(table)


def quantiles(lengths) -> str:
    """The least, median, 90 % and 99 % quantile and the largest of some lengths, in one line."""
    import numpy as np

    least, median, most, nearly, largest = np.quantile(lengths, [0, 0.5, 0.9, 0.99, 1]).astype(int)
    return f"least {least}, median {median}, 90% {most}, 99% {nearly}, longest {largest}"


def counts(names: Sequence[str], numbers: Sequence[int]) -> str:
    """Label counts in one line: "neg 12,500, pos 12,500"."""
    shown = ", ".join(f"{name} {number:,}" for name, number in list(zip(names, numbers))[:MOST_ROWS])
    return shown + (f" and {len(names) - MOST_ROWS} more labels" if len(names) > MOST_ROWS else "")
