"""Tables of texts and their labels: which columns hold them, and what stands in these."""

import dataclasses
import os
from collections.abc import Iterable

from data.errors import BadLines, UserError
from data.files import content_suffix
from data.sources.rows import Rows
from data.tables.rows import as_text, read_rows, shown

TEXT_COLUMNS = ("text", "review", "sentence", "comment", "content", "message", "body")
LABEL_COLUMNS = ("label", "sentiment", "class", "category", "target", "tag")


@dataclasses.dataclass(frozen=True)
class LabelledTexts(Rows):
    """Texts and their labels.

    Args:
        texts: The texts, as they stand in the file.
        labels: The label of each.
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
) -> LabelledTexts:
    """Reads the texts and labels of a table; no other column is looked at.

    Args:
        path: A .jsonl, .csv or .tsv file, plain, .gz or .xz.
        text_column: The column of the texts; "auto" takes the first present of `TEXT_COLUMNS`.
        label_column: The column of the labels; "auto" takes the first present of `LABEL_COLUMNS`.
        encoding: How the file's bytes are to be read.
        bad_lines: What is done with lines that cannot be used; None raises for the first.

    Returns:
        The texts and labels. Labels are stripped strings: a JSON 1 is "1", true is "true". An empty text is kept.

    Raises:
        UserError: The file or a column is missing, no row can be used, or a line is bad.
    """
    bad_lines = bad_lines or BadLines(skip=False)
    result = LabelledTexts([], [])
    columns = None
    for number, row in read_rows(path, encoding, bad_lines):
        columns = columns or find_columns(path, row, text_column, label_column)
        text = as_text(row.get(columns[0]))
        if text is None:
            bad_lines.report(path, number, expected=f"a text in {columns[0]!r}", found=shown(row.get(columns[0])))
            continue
        label = (as_text(row.get(columns[1])) or "").strip()
        if not label:
            bad_lines.report(path, number, expected=f"a label in {columns[1]!r}", found=shown(row.get(columns[1])))
            continue
        result.texts.append(text)
        result.labels.append(label)
        result.lines.append(number)
    if not result.texts:
        raise UserError(f"{path}: no row can be used: {bad_lines.summary()}")
    return result


def find_text_column(path: str | os.PathLike, columns: Iterable[str], text_column: str = "auto") -> str:
    """The column that holds the text: `find_columns`, of a file that need not have labels."""
    return _find_column(path, list(columns), text_column, TEXT_COLUMNS, "text")


def find_columns(
    path: str | os.PathLike, columns: Iterable[str], text_column: str = "auto", label_column: str = "auto"
) -> tuple[str, str]:
    """Finds the columns that hold the text and the label.

    Args:
        path: The file, for the messages.
        columns: The names of its columns.
        text_column: A name, compared without regard to case, or "auto".
        label_column: Likewise.

    Returns:
        The names of both, as the file writes them.

    Raises:
        UserError: A column is missing; it lists those there are and the flag that names one.
    """
    columns = list(columns)
    text = find_text_column(path, columns, text_column)
    label = _find_column(path, columns, label_column, LABEL_COLUMNS, "label")
    if label == text:
        raise UserError(
            f"{path}: the column {text!r} cannot be both the text and the label; use --text-column and --label-column"
        )
    return text, label


def _find_column(path: str | os.PathLike, columns: list[str], wanted: str, usual: tuple[str, ...], role: str) -> str:
    if wanted in columns:
        return wanted
    written = {column.strip().lower(): column for column in reversed(columns)}
    for name in usual if wanted == "auto" else (wanted.strip().lower(),):
        if name in written:
            return written[name]
    missing = f"no {role} column ({', '.join(usual)})" if wanted == "auto" else f"no column {wanted!r}"
    present = ", ".join(map(shown, columns[:20])) + (", ..." if len(columns) > 20 else "")
    message = f"{path}: {missing}; its columns are {present}; use --{role}-column NAME"
    if content_suffix(path) != ".jsonl":
        message += ", or add a first line that names the columns if the file has none"
    raise UserError(message)
