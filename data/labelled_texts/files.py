"""Tables of texts and their labels: which columns hold them, and what stands in these."""

import dataclasses
import os
from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import Any

from data.errors import BadLines, UserError
from data.sources.rows import Rows
from data.tables.dialect import Layout
from data.tables.rows import as_text, dialect_of, read_rows, shown

# The usual names, in the order in which they are looked for; v1 and v2 are those of Kaggle's SMS Spam Collection.
TEXT_COLUMNS = (
    *("text", "review", "sentence", "comment", "content", "message", "body", "tweet", "review_text", "reviewtext"),
    *("review_body", "comment_text", "v2"),
)
LABEL_COLUMNS = (
    *("label", "sentiment", "class", "category", "target", "tag", "airline_sentiment", "polarity", "liked", "rating"),
    *("stars", "star_rating", "overall", "v1"),
)


# What `predict` adds to a table, which may be one that is read: predicted_label, predicted_score.
PREDICTED_COLUMN = "predicted_"


@dataclasses.dataclass(frozen=True)
class LabelledTexts(Rows):
    """Texts and their labels.

    Args:
        texts: The texts, as they stand in the file.
        labels: The label of each; empty where there are none.
        lines: The line on which each row begins; empty when the texts come from no file.
    """

    texts: list[str]
    labels: list[str]
    lines: list[int] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Reading:
    """How tables of texts are to be read.

    Args:
        text_column: The column of the texts: its name, compared without regard to case, or its number from 1; "auto"
            takes the first present of `TEXT_COLUMNS`.
        label_column: Likewise of the labels, and of `LABEL_COLUMNS`.
        delimiter: What separates the columns of a .csv or .tsv file; see `data.tables.dialect.Layout`.
        header: Whether the first line of a .csv or .tsv file names the columns; None: look.
        encoding: How the file's bytes are to be read.
    """

    text_column: str = "auto"
    label_column: str = "auto"
    delimiter: str = "auto"
    header: bool | None = None
    encoding: str = "utf-8"

    @property
    def layout(self) -> Layout:
        """What is known of a delimited file."""
        return Layout(self.delimiter, self.header, self._names_columns)

    def _names_columns(self, fields: list[str]) -> bool | None:
        names = set(map(_plain, fields))
        asked = {_plain(name) for name in (self.text_column, self.label_column) if not name.isdecimal()} - {"auto"}
        usual = not names.isdisjoint(TEXT_COLUMNS) and not names.isdisjoint(LABEL_COLUMNS)
        answered = any(name.startswith(PREDICTED_COLUMN) for name in names)
        return True if usual or answered or (asked and asked <= names) else None


def read_labelled_texts(
    path: str | os.PathLike,
    reading: Reading = Reading(),
    bad_lines: BadLines | None = None,
    training_columns: Collection[str] = (),
    need_labels: bool = True,
) -> LabelledTexts:
    """Reads the texts and labels of a table; no other column is looked at.

    Args:
        path: A table; see `data.tables.rows.read_rows`.
        reading: How it is to be read.
        bad_lines: What is done with lines that cannot be used; None raises for the first.
        training_columns: As for `find_columns`.
        need_labels: Whether a file without labels is a mistake; else its rows come without.

    Returns:
        The texts and labels. Labels are stripped strings: a JSON 1 is "1", true is "true". An empty text is kept.

    Raises:
        UserError: The file or a column is missing, no row can be used, or a line is bad.
    """
    bad_lines = bad_lines or BadLines(skip=False)
    result = LabelledTexts([], [])
    columns: tuple[str, str | None] | None = None
    unlabelled: dict[int, str] = {}  # the row -> what stands where its label should
    for number, row in read_rows(path, reading.encoding, bad_lines, reading.layout):
        columns = columns or find_columns(path, row, reading, training_columns, need_labels)
        text_column, label_column = columns
        text = as_text(row.get(text_column))
        if text is None:
            bad_lines.report(path, number, expected=f"a text in {text_column!r}", found=shown(row.get(text_column)))
            continue
        value = row.get(label_column) if label_column is not None else None
        label = (as_text(value) or "").strip()
        if not label and need_labels:
            bad_lines.report(path, number, expected=f"a label in {label_column!r}", found=shown(value))
            continue
        if not label:
            unlabelled[len(result)] = shown(value)
        result.texts.append(text)
        result.labels.append(label)
        result.lines.append(number)
    if not result.texts:
        raise UserError(f"{path}: no row can be used: {bad_lines.summary()}")
    if len(unlabelled) == len(result):
        return dataclasses.replace(result, labels=[])
    for place, found in unlabelled.items():
        bad_lines.report(path, result.lines[place], expected=f"a label in {label_column!r}", found=found)
    return result.select(place for place in range(len(result)) if place not in unlabelled)


def first_row(path: str | os.PathLike, reading: Reading = Reading()) -> dict[str, Any]:
    """The columns of a table's first row; none where no row can be read."""
    rows = read_rows(path, reading.encoding, BadLines(skip=True), reading.layout)
    return next((row for _, row in rows), {})


def described(path: str | os.PathLike, reading: Reading, columns: Sequence[str | None]) -> str:
    """What a table is taken for: "separated by bars, no line of column names; text in '2', label in '1'".

    Args:
        path: The file.
        reading: How it is to be read.
        columns: The column of the texts and, where it is needed, that of the labels.
    """
    roles = [f"{role} in {column!r}" for role, column in zip(("text", "label"), columns) if column is not None]
    dialect = dialect_of(path, reading.encoding, reading.layout)
    return "; ".join([*([str(dialect)] if dialect else []), ", ".join(roles)])


def find_text_column(
    path: str | os.PathLike,
    row: Mapping[str, Any],
    reading: Reading = Reading(),
    training_columns: Collection[str] = (),
) -> str:
    """The column that holds the text: `find_columns`, of a file that need not have labels."""
    found = _find_column(list(row), reading.text_column, TEXT_COLUMNS, training_columns)
    if found is None:
        raise _missing(path, row, reading.text_column, TEXT_COLUMNS, "text")
    return found


def check_number(path: str | os.PathLike, row: Mapping[str, Any], reading: Reading, column: str) -> None:
    """Checks that a number, which was perhaps meant for a file without names, is not that of a column beside the texts.

    Args:
        path: The file, for the message.
        row: Its first row.
        reading: Says which column is asked for.
        column: The one that this is.

    Raises:
        UserError: It is asked for by number, and another column has one of the usual names of texts.
    """
    usual = _find_column(list(row), "auto", TEXT_COLUMNS, ())
    if reading.text_column.isdecimal() and usual not in (None, column):
        number = reading.text_column
        raise UserError(
            f"{path}: column {number} is {column!r}, and {usual!r} looks like the texts; use --text-column NAME"
        )


def find_columns(
    path: str | os.PathLike,
    row: Mapping[str, Any],
    reading: Reading = Reading(),
    training_columns: Collection[str] = (),
    need_labels: bool = True,
) -> tuple[str, str | None]:
    """Finds the columns that hold the text and the label.

    Args:
        path: The file, for the messages.
        row: Its first row: a column's name -> its value.
        reading: Says which columns are asked for.
        training_columns: The names of the training file's columns. One that is not taken for the texts or labels there
            is not taken here: a test file without `sentiment` is not measured by its `rating`.
        need_labels: Whether there must be a column of labels.

    Returns:
        The names of both, as the file writes them; None in the place of a column of labels that is not there.

    Raises:
        UserError: A column is missing; it lists those there are and the flag that names one.
    """
    text = find_text_column(path, row, reading, training_columns)
    label = _find_column(list(row), reading.label_column, LABEL_COLUMNS, training_columns)
    if label is None and need_labels:
        raise _missing(path, row, reading.label_column, LABEL_COLUMNS, "label")
    if label == text:
        raise UserError(
            f"{path}: the column {text!r} cannot be both the text and the label; use --text-column and --label-column"
        )
    return text, label


def _plain(name: str) -> str:
    return name.strip().lower()


def _find_column(
    columns: list[str], wanted: str, usual: tuple[str, ...], training_columns: Collection[str]
) -> str | None:
    if wanted in columns:
        return wanted
    if wanted.isdecimal() and 1 <= int(wanted) <= len(columns):
        return columns[int(wanted) - 1]
    names = usual if wanted == "auto" else (_plain(wanted),)
    in_training = set(map(_plain, training_columns))
    not_taken = [name for name in names if name in in_training][1:]
    written = {_plain(column): column for column in reversed(columns)}
    return next((written[name] for name in names if name in written and name not in not_taken), None)


def _missing(
    path: os.PathLike | str, row: Mapping[str, Any], wanted: str, usual: Sequence[str], role: str
) -> UserError:
    missing = f"no {role} column ({', '.join(usual)})" if wanted == "auto" else f"no column {wanted!r}"
    more = ", ..." if len(row) > 20 else ""
    if list(row) == [str(number) for number in range(1, len(row) + 1)]:
        values = ", ".join(f"{name}: {shown(value)}" for name, value in islice(row.items(), 20))
        advice = f"use --{role}-column NUMBER, or --header if the first line names them"
        return UserError(f"{path}: {missing}; its columns have no names; they begin {values}{more}; {advice}")
    present = ", ".join(map(shown, islice(row, 20)))
    return UserError(f"{path}: {missing}; its columns are {present}{more}; use --{role}-column NAME")
