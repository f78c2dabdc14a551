"""Tables of texts and their labels: which columns hold them, and what stands in these."""

import dataclasses
import os
from collections.abc import Iterable, Sequence

from data.errors import BadLines, UserError
from data.files import content_suffix
from data.sources.rows import Rows
from data.tables.rows import as_text, read_rows, shown

# The usual names, in the order in which they are looked for; v1 and v2 are those of Kaggle's SMS Spam Collection.
TEXT_COLUMNS = (
    *("text", "review", "sentence", "comment", "content", "message", "body", "tweet", "review_text", "reviewtext"),
    *("review_body", "comment_text", "v2"),
)
LABEL_COLUMNS = (
    *("label", "sentiment", "class", "category", "target", "tag", "airline_sentiment", "polarity", "liked", "rating"),
    *("stars", "star_rating", "overall", "v1"),
)


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


def read_labelled_texts(
    path: str | os.PathLike,
    text_column: str = "auto",
    label_column: str = "auto",
    encoding: str = "utf-8",
    bad_lines: BadLines | None = None,
    training_columns: Sequence[str] = (),
    need_labels: bool = True,
) -> LabelledTexts:
    """Reads the texts and labels of a table; no other column is looked at.

    Args:
        path: A table; see `data.tables.rows.read_rows`.
        text_column: The column of the texts; "auto" takes the first present of `TEXT_COLUMNS`.
        label_column: The column of the labels; "auto" takes the first present of `LABEL_COLUMNS`.
        encoding: How the file's bytes are to be read.
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
    for number, row in read_rows(path, encoding, bad_lines):
        columns = columns or _columns_of(path, row, text_column, label_column, training_columns, need_labels)
        text_name, label_name = columns
        text = as_text(row.get(text_name))
        if text is None:
            bad_lines.report(path, number, expected=f"a text in {text_name!r}", found=shown(row.get(text_name)))
            continue
        value = row.get(label_name) if label_name is not None else None
        label = (as_text(value) or "").strip()
        if not label:
            found = shown(value)
            if need_labels:
                bad_lines.report(path, number, expected=f"a label in {label_name!r}", found=found)
                continue
            unlabelled[len(result)] = found
        result.texts.append(text)
        result.labels.append(label)
        result.lines.append(number)
    if not result.texts:
        raise UserError(f"{path}: no row can be used: {bad_lines.summary()}")
    if len(unlabelled) == len(result):
        return dataclasses.replace(result, labels=[])
    for place, found in unlabelled.items():
        bad_lines.report(path, result.lines[place], expected=f"a label in {label_name!r}", found=found)
    return result.select(place for place in range(len(result)) if place not in unlabelled)


def column_names(path: str | os.PathLike, encoding: str = "utf-8") -> list[str]:
    """The columns of a table, as its first row has them; none where no row can be read."""
    return list(next((row for _, row in read_rows(path, encoding, BadLines(skip=True))), ()))


def find_text_column(
    path: str | os.PathLike, columns: Iterable[str], text_column: str = "auto", training_columns: Sequence[str] = ()
) -> str:
    """The column that holds the text: `find_columns`, of a file that need not have labels."""
    columns = list(columns)
    found = _find_column(columns, text_column, TEXT_COLUMNS, training_columns)
    if found is None:
        raise _missing(path, columns, text_column, TEXT_COLUMNS, "text")
    return found


def find_columns(
    path: str | os.PathLike,
    columns: Iterable[str],
    text_column: str = "auto",
    label_column: str = "auto",
    training_columns: Sequence[str] = (),
) -> tuple[str, str]:
    """Finds the columns that hold the text and the label.

    Args:
        path: The file, for the messages.
        columns: The names of its columns.
        text_column: A name, compared without regard to case, or "auto".
        label_column: Likewise.
        training_columns: The names of the training file's columns. One that is not taken for the texts or labels there
            is not taken here: a test file without `sentiment` is not measured by its `rating`.

    Returns:
        The names of both, as the file writes them.

    Raises:
        UserError: A column is missing; it lists those there are and the flag that names one.
    """
    columns = list(columns)
    text, label = _columns_of(path, columns, text_column, label_column, training_columns, need_labels=True)
    assert label is not None
    return text, label


def _columns_of(
    path: str | os.PathLike,
    columns: Iterable[str],
    text_column: str,
    label_column: str,
    training_columns: Sequence[str],
    need_labels: bool,
) -> tuple[str, str | None]:
    columns = list(columns)
    text = find_text_column(path, columns, text_column, training_columns)
    label = _find_column(columns, label_column, LABEL_COLUMNS, training_columns)
    if label is None and need_labels:
        raise _missing(path, columns, label_column, LABEL_COLUMNS, "label")
    if label == text:
        raise UserError(
            f"{path}: the column {text!r} cannot be both the text and the label; use --text-column and --label-column"
        )
    return text, label


def _find_column(
    columns: list[str], wanted: str, usual: tuple[str, ...], training_columns: Sequence[str]
) -> str | None:
    if wanted in columns:
        return wanted
    names = usual if wanted == "auto" else (wanted.strip().lower(),)
    in_training = [column.strip().lower() for column in training_columns]
    not_taken = [name for name in names if name in in_training][1:]
    written = {column.strip().lower(): column for column in reversed(columns)}
    return next((written[name] for name in names if name in written and name not in not_taken), None)


def _missing(path: str | os.PathLike, columns: list[str], wanted: str, usual: tuple[str, ...], role: str) -> UserError:
    missing = f"no {role} column ({', '.join(usual)})" if wanted == "auto" else f"no column {wanted!r}"
    present = ", ".join(map(shown, columns[:20])) + (", ..." if len(columns) > 20 else "")
    message = f"{path}: {missing}; its columns are {present}; use --{role}-column NAME"
    if content_suffix(path) != ".jsonl":
        message += ", or add a first line that names the columns if the file has none"
    return UserError(message)
