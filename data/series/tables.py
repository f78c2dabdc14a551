"""Reading the columns of a table of series: codes for words, numbers, times, and the line of each row."""

import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

import numpy as np

from data.errors import BadLines, UserError
from data.series.columns import LOOKED_AT, Reading, Roles, find_roles
from data.series.numbers import as_number, is_missing
from data.series.time_stamps import TimeForm, find_form, read_times
from data.series.whole_columns import read_whole_columns
from data.tables.dialect import Dialect
from data.tables.parquet import Row
from data.tables.rows import as_text, dialect_of, read_rows, shown


class Words:
    """A column of words, each kept once."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.codes = array("q")

    def add(self, word: str) -> None:
        """Adds a row's word."""
        self.codes.append(self.numbers.setdefault(word, len(self.numbers)))

    @property
    def words(self) -> list[str]:
        """The words, each once, in the order in which they first came."""
        return list(self.numbers)

    @property
    def array(self) -> np.ndarray:
        """The number of each row's word, int64."""
        return np.frombuffer(self.codes, np.int64) if self.codes else np.zeros(0, np.int64)


@dataclass(frozen=True)
class Table:
    """The rows of a file.

    Args:
        path: The file.
        roles: What its columns hold.
        lines: (rows,) the number of each row's line.
        names: What tells the series apart, each once; one empty name where nothing does.
        series: (rows,) the place in `names` of each row's.
        times: (rows,) as `data.series.time_stamps.read_times` gives them.
        form: How the times are written.
        written: How the rows are written, in words; "" where the file's name says it.
        targets: Column -> (rows,) float64, NaN where a value is missing.
        covariates: Column -> its words, and the place in them of each row's, (rows,).
    """

    path: str | os.PathLike
    roles: Roles
    lines: np.ndarray
    names: list[str]
    series: np.ndarray
    times: np.ndarray
    form: TimeForm
    targets: dict[str, np.ndarray]
    covariates: dict[str, tuple[list[str], np.ndarray]]
    written: str = ""


def read_table(path: str | os.PathLike, reading: Reading, bad_lines: BadLines, like: Roles | None = None) -> Table:
    """Reads a table.

    Args:
        path: As `data.tables.rows.read_rows` takes it; where a cell holds a list, as in .jsonl and .parquet, there is
            a row for each of its values.
        reading: How it is to be read.
        bad_lines: What is done with rows that cannot be used.
        like: The columns of another table, which this one goes on with; it need not have the targets.

    Raises:
        UserError: The file or a column is missing, the times have no known form, or a line is bad.
    """
    rows = read_rows(path, reading.encoding, bad_lines, reading.layout)
    first = list(islice(rows, LOOKED_AT))
    roles = _like(path, first, like) if like else find_roles(path, [row for _, row in first], reading)
    dialect = dialect_of(path, reading.encoding, reading.layout)
    table, times = _at_once(path, reading, roles, dialect) or _row_by_row(
        path, chain(first, rows), roles, bad_lines, dialect is not None and dialect.writing.delimiter != ","
    )
    table = replace(table, written=str(dialect or ""))
    return _with_times(table, *times, reading, bad_lines) if roles.times else table


Coded = tuple[list[str], np.ndarray]


def _at_once(
    path: str | os.PathLike, reading: Reading, roles: Roles, dialect: Dialect | None
) -> tuple[Table, Coded] | None:
    """A table without its times, and these as they are written; None where it has to be read row by row."""
    covariates = (*roles.future, *roles.static)
    words = [name for name in (roles.id, *roles.times, *covariates) if name is not None]
    if not {*roles.targets, *words}:
        return None
    whole = read_whole_columns(path, dialect, reading.encoding, roles.targets, words)
    if not whole:
        return None
    rows = len(next(iter((*whole.numbers.values(), *(codes for _, codes in whole.words.values())))))
    names, series = whole.words[roles.id] if roles.id else ([""], np.zeros(rows, np.int64))
    times = _joined_codes([whole.words[name] for name in roles.times], rows)
    if any(map(is_missing, times[0])):
        return None
    lines = np.arange(whole.first_line, whole.first_line + rows)
    kept = {name: whole.words[name] for name in covariates}
    counted = np.zeros(rows, np.int64)
    return Table(path, roles, lines, names, series, counted, TimeForm("count"), whole.numbers, kept), times


def _joined_codes(columns: list[Coded], rows: int) -> Coded:
    """The words of several columns joined by blanks; one of them missing leaves nothing."""
    words, codes = ["0"], np.zeros(rows, np.int64)
    for place, (others, other_codes) in enumerate(columns):
        others = ["" if is_missing(other) else other.strip() for other in others]
        if place == 0:
            words, codes = others, other_codes
            continue
        pairs, codes = np.unique(codes * len(others) + other_codes, return_inverse=True)
        halves = [(words[pair // len(others)], others[pair % len(others)]) for pair in pairs.tolist()]
        words = [" ".join(half) if all(half) else "" for half in halves]
    return words, codes


def _row_by_row(
    path: str | os.PathLike, rows: Iterator[Row], roles: Roles, bad_lines: BadLines, decimal_comma: bool
) -> tuple[Table, Coded]:
    """A table without its times, and these as they are written."""
    ids, times, lines = Words(), Words(), array("q")
    targets = {name: array("d") for name in roles.targets}
    covariates = {name: Words() for name in (*roles.future, *roles.static)}
    for number, row in _unpacked(path, rows, roles):
        name = as_text(row.get(roles.id)) if roles.id else ""
        time = _joined(row, roles.times)
        numbers = [as_number(row.get(target), decimal_comma) for target in roles.targets]
        if name is None or not time or None in numbers:
            _report(path, number, row, roles, numbers, bad_lines)
            continue
        lines.append(number)
        ids.add(name)
        times.add(time)
        for column, value in zip(targets.values(), numbers, strict=True):
            column.append(value)  # type: ignore[arg-type]  # none of them is None here
        for column_name, words in covariates.items():
            words.add(as_text(row.get(column_name)) or "")
    if not lines:
        raise UserError(f"{path}: no row can be used: {bad_lines.summary()}")
    table = Table(
        path,
        roles,
        np.frombuffer(lines, np.int64),
        ids.words,
        ids.array,
        np.zeros(len(lines), np.int64),
        TimeForm("count"),
        {name: np.frombuffer(column, np.float64) for name, column in targets.items()},
        {name: (words.words, words.array) for name, words in covariates.items()},
    )
    return table, (times.words, times.array)


def _like(path: str | os.PathLike, first: list[Row], like: Roles) -> Roles:
    columns = list(dict.fromkeys(name for _, row in first for name in row))
    needed = [name for name in (like.id, *like.times, *like.future, *like.static) if name is not None]
    if missing := next((name for name in needed if name not in columns), None):
        raise UserError(
            f"{path}: no column {missing!r}, which the other files have; its columns are {', '.join(columns)}"
        )
    targets = tuple(name for name in like.targets if name in columns)
    unread = tuple(name for name in columns if name not in (*needed, *targets))
    return Roles(like.id, like.times, targets, like.future, like.static, unread)


def _joined(row: dict[str, Any], columns: tuple[str, ...]) -> str:
    """The words of a time; "" where one is missing, "0" where rows are counted."""
    if not columns:
        return "0"
    words = [row.get(column) for column in columns]
    if any(map(is_missing, words)):
        return ""
    return " ".join((as_text(word) or "").strip() for word in words)


def _unpacked(path: str | os.PathLike, rows: Iterator[Row], roles: Roles) -> Iterator[Row]:
    """The rows, and one for each value of those whose cells hold lists of times and values."""
    lists = (*roles.times, *roles.targets, *roles.future)
    whole: dict[str | None, int] = {}
    for number, row in rows:
        held = {name: row[name] for name in lists if isinstance(row.get(name), list)}
        if not held:
            yield number, row
            continue
        longest = max(map(len, held.values()))
        if roles.times and longest > 1 and held.keys().isdisjoint(roles.times):
            one = roles.times[0]
            raise UserError(
                f"{path}:{number}: expected a list of times in {one!r}, as of values, found {shown(row.get(one))}; "
                "if that is the time of the first value, --time-column none counts them, --season N tells their season"
            )
        if not roles.times and longest > 1:
            name = as_text(row.get(roles.id)) if roles.id else None
            if name in whole:
                again = f"series {shown(name)} again" if roles.id else "a second list of values"
                raise UserError(
                    f"{path}:{number}: expected each series once, found {again}, after that of line {whole[name]}; "
                    "--id-column NAME tells series apart"
                )
            whole[name] = number
        if len(set(map(len, held.values()))) > 1:
            sizes = ", ".join(f"{len(values)} in {name!r}" for name, values in held.items())
            raise UserError(f"{path}:{number}: expected lists of one length, found {sizes}")
        for values in zip(*held.values(), strict=True):
            # Within lists, .parquet has times that are no strings.
            plain = [value.isoformat() if hasattr(value, "isoformat") else value for value in values]
            yield number, {**row, **dict(zip(held, plain, strict=True))}


def _report(
    path: str | os.PathLike,
    number: int,
    row: dict[str, Any],
    roles: Roles,
    numbers: list[float | None],
    bad_lines: BadLines,
) -> None:
    """Reports a row without a name, a time, or with a target that is no number."""
    if None in numbers:
        column = roles.targets[numbers.index(None)]
        expected, advice = f"a number in {column!r}", "NA or nothing stands for a missing one"
    elif roles.id and as_text(row.get(roles.id)) is None:
        column, expected, advice = roles.id, f"the name of a series in {roles.id!r}", ""
    else:
        column = next(name for name in roles.times if is_missing(row.get(name)))
        expected, advice = f"a time in {column!r}", ""
    bad_lines.report(path, number, expected=expected, found=shown(row.get(column)), advice=advice)


def _with_times(table: Table, texts: list[str], codes: np.ndarray, reading: Reading, bad_lines: BadLines) -> Table:
    try:
        form = find_form(texts, reading.time_format)
    except UserError as error:
        where = ", ".join(map(repr, table.roles.times))
        raise UserError(f"{table.path}:{table.lines[0]}: the times in {where}: {error}") from None
    times, are_times = read_times(texts, form, reading.time_format)
    usable = are_times[codes]
    for row in np.flatnonzero(~usable):
        found = shown(texts[codes[row]])
        bad_lines.report(table.path, int(table.lines[row]), expected=str(form), found=found)
    return replace(
        table,
        lines=table.lines[usable],
        series=table.series[usable],
        times=times[codes[usable]],
        form=form,
        targets={name: column[usable] for name, column in table.targets.items()},
        covariates={name: (words, codes[usable]) for name, (words, codes) in table.covariates.items()},
    )
