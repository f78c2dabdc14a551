"""A table of the errors of each series, of which there may be too many for anything else."""

import csv
import io
from pathlib import Path

import numpy as np

from data.writing import write_text

from .metrics import Errors
from .pipeline import Examples


def write_series(path: Path, examples: Examples, errors: dict[str, Errors]) -> None:
    """Writes a row for each series and method: `unique_id`, `method`, and the figures; empty where there are none."""
    found = {method: one.per_series(examples.scales) for method, one in errors.items()}
    names = list(next(iter(found.values())))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["unique_id", "method", *names])
    for row, name in enumerate(examples.series.names):
        for method, figures in found.items():
            values = [figures[one][row] if one in figures else np.nan for one in names]
            writer.writerow([name, method, *("" if np.isnan(value) else f"{value:.6g}" for value in values)])
    write_text(path, stream.getvalue())
