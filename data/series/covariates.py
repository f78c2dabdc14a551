"""Columns beside the targets, as numbers: what is known beforehand, and what is the same at all times of a series."""

import numpy as np

from data.errors import UserError, shown
from data.series.columns import Feature, SeriesColumns
from data.series.filling import Fill, fill_windows
from data.series.grid import Grid
from data.series.numbers import as_number, is_missing
from data.series.ordered_rows import Rows

# A column of words may have so many different ones; more are texts.
MOST_WORDS = 1000


def future_of(
    rows: Rows, grid: Grid, names: tuple[str, ...], fill: Fill, columns: SeriesColumns | None
) -> tuple[np.ndarray, tuple[Feature, ...]]:
    """What is known beforehand at each place of the grid.

    Args:
        rows: The rows of all files.
        grid: The places of the series' steps.
        names: The columns.
        fill: What stands where a value is missing; "none": a missing value is a mistake.
        columns: What is known of the columns from the training files; None: look.

    Returns:
        (places, features) float32; what each feature is.

    Raises:
        UserError: A value is missing, or is no number in a column of numbers.
    """
    features = columns.future if columns else _features(rows, names)
    placed = np.zeros([grid.size, len(features)], np.float32)
    for name in names:
        here = [number for number, (column, _) in enumerate(features) if column == name]
        if not here:  # a column without any word
            continue
        values = np.stack([_values(rows, name, word) for column, word in features if column == name], axis=-1)
        spread = np.full([grid.size, len(here)], np.nan, np.float32)
        spread[grid.rows] = values
        if np.isnan(spread[:, 0]).any():
            _fill(rows, grid, name, spread, fill, are_words=features[here[0]][1] is not None)
        placed[:, here] = spread
    return placed, features


def static_of(
    rows: Rows, names: tuple[str, ...], columns: SeriesColumns | None
) -> tuple[np.ndarray, tuple[Feature, ...]]:
    """What is the same at all times of a series.

    Returns:
        (names of series, features) float32; what each feature is.

    Raises:
        UserError: It is not the same, it is missing, or is no number in a column of numbers.
    """
    features = columns.static if columns else _features(rows, names)
    result = np.zeros([len(rows.names), len(features)], np.float32)
    for name in names:
        words, codes = rows.covariates[name]
        are_numbers = any(column == name and word is None for column, word in features)
        known = np.flatnonzero(
            ~np.array([is_missing(word) if are_numbers else not word.strip() for word in words])[codes]
        )
        series, first = np.unique(rows.series[known], return_index=True)
        if len(series) < len(np.unique(rows.series)):
            row = int(np.flatnonzero(~np.isin(rows.series, series))[0])
            raise UserError(f"{rows.place(row)}: no value in {name!r} in any row{rows.called(row)}")
        code = np.zeros(len(rows.names), np.int64)
        code[series] = codes[known[first]]
        if (differs := known[codes[known] != code[rows.series[known]]]).size:
            row = int(differs[0])
            found = f"{shown(words[codes[row]])} and {shown(words[code[rows.series[row]]])}"
            raise UserError(
                f"{rows.place(row)}: expected the same {name!r} in all rows{rows.called(row)}, found {found}; "
                "a column that varies is one of --future-columns"
            )
        rows_of = np.zeros(len(rows.names), np.int64)
        rows_of[series] = known[first]
        for number, (column, word) in enumerate(features):
            if column == name:
                result[:, number] = _values(rows, name, word)[rows_of]
    return result, features


def _features(rows: Rows, names: tuple[str, ...]) -> tuple[Feature, ...]:
    """A column of numbers is one, a column of words one for each word; where nothing stands, it is none of them."""
    found: list[Feature] = []
    for name in names:
        words = [word for word in rows.covariates[name][0] if word.strip()]
        numbers = [number for word in words if not is_missing(word) and (number := as_number(word)) is not None]
        if len(numbers) == sum(not is_missing(word) for word in words) > 0:
            found.append((name, None))
        elif len(words) > MOST_WORDS:
            raise UserError(
                f"{rows.tables[0].path}: {name!r} holds {len(words):,} different texts; expected numbers or few words"
            )
        else:
            found += [(name, word) for word in sorted(set(words))]
    return tuple(found)


def _values(rows: Rows, name: str, word: str | None) -> np.ndarray:
    """A feature in each row: the number, or whether it is the word; float32, NaN where nothing stands."""
    words, codes = rows.covariates[name]
    if word is not None:
        return (np.array([other == word for other in words], np.float32))[codes]
    numbers = [as_number(other) for other in words]
    if None in numbers:
        row = int(np.flatnonzero(codes == numbers.index(None))[0])
        raise UserError(f"{rows.place(row)}: expected a number in {name!r}, found {shown(words[codes[row]])}")
    return np.array(numbers, np.float32)[codes]


def _fill(rows: Rows, grid: Grid, name: str, values: np.ndarray, fill: Fill, are_words: bool) -> None:
    """Puts numbers where a column that is known beforehand has none; `values` (places, features) changes."""
    gaps = np.isnan(values[:, 0])
    if fill == "none":
        place = int(np.flatnonzero(gaps)[0])
        row = int(np.searchsorted(grid.rows, place))
        problem = f"{rows.place(row)}: no value in {name!r}"
        if grid.rows[row] != place:
            gap = f"between {rows.written(row - 1)} and {rows.written(row)}"
            problem = f"{rows.place(row)}: no row{rows.called(row)} {gap}, so that {name!r} is not known there"
        raise UserError(f"{problem}; --fill forward, zero or interpolate says what stands for it")
    if fill == "zero":
        values[gaps] = 0
        return
    how: Fill = "forward" if are_words else fill
    number_of = np.repeat(np.arange(len(grid.lengths)), grid.lengths)
    for number in np.unique(number_of[gaps]):
        here = slice(grid.starts[number], grid.starts[number] + grid.lengths[number])
        filled = fill_windows(values[here].T, how).T
        if np.isnan(filled).any():
            row = int(np.flatnonzero(grid.rows >= here.start)[0])
            raise UserError(f"{rows.place(row)}: no value in {name!r} in any row{rows.called(row)}")
        values[here] = filled
