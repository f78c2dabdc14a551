"""Captions in lines: which character separates a picture's name from its caption, and whether the columns are named."""

import csv
import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from data.captioned_pictures.caption_columns import (
    AUTO,
    Caption,
    Columns,
    Told,
    as_list,
    captions_of_rows,
    find_columns,
)
from data.captioned_pictures.files import OTHER_PICTURE_SUFFIXES, PICTURE_SUFFIXES
from data.captioned_pictures.names import without_number
from data.errors import BadLines, shown
from data.files import Line, decoded_lines, numbered_lines, report_encoding, sampled, without_end
from data.tables.delimited import Records, Writing
from data.tables.dialect import DELIMITERS, SAMPLED_LINES, Dialect, Layout, find_dialect

# The share of the sampled records that must agree.
_AGREEING = 0.9
_TAB = "\t"


@dataclasses.dataclass(frozen=True)
class CaptionTable:
    """How captions stand in lines.

    Args:
        dialect: The separator, the quotes and the names of the columns.
        columns: Which are read.
        is_quoted: Whether fields stand in quotes, which do not belong to them.
        rest: Whether the caption is all that is left of a line, whatever separators are in it.
    """

    dialect: Dialect
    columns: Columns
    is_quoted: bool
    rest: bool

    @property
    def is_lines(self) -> bool:
        """Whether each line is a name, a tab and a caption, and nothing is quoted."""
        is_bare = not (self.dialect.has_header or self.is_quoted) and self.dialect.writing.delimiter == _TAB
        return is_bare and self.columns == Columns("1", ["2"]) and len(self.dialect.columns) == 2

    def __str__(self) -> str:
        if self.is_lines:
            return "name<TAB>caption on each line"
        return f"{self.columns}, {self.dialect}{'; what is left of a line is its caption' if self.rest else ''}"


def find_table(
    path: Path, encoding: str, is_picture: Callable[[str], bool], told: Told = Told()
) -> CaptionTable | None:
    """Finds out how captions stand in the lines of a file.

    Args:
        path: The file, plain, .gz or .xz.
        encoding: How its bytes are to be read.
        is_picture: Tells whether there is a picture that is called so.
        told: What is known already.

    Returns:
        The table; None where no two columns are pictures' names and captions.

    Raises:
        UserError: The file is missing or damaged.
    """
    lines = sampled(decoded_lines(path, encoding), SAMPLED_LINES)
    texts = [without_end(line.text) for line in lines if line.text.strip()]
    delimiters = [_TAB, *(character for character in DELIMITERS.values() if character != _TAB)]
    known = DELIMITERS.get(told.layout.delimiter, told.layout.delimiter.replace("\\t", _TAB))
    delimiters = delimiters if known == "auto" else [known]
    if told.layout.header is not False:
        for delimiter in delimiters:
            table = _named_table(lines, delimiter, told)
            if table:
                return table

    def names_picture(text: str) -> bool:
        suffix = PurePosixPath(without_number(text.strip())).suffix.lower()
        return suffix in PICTURE_SUFFIXES or suffix in OTHER_PICTURE_SUFFIXES or is_picture(text.strip())

    def counted(delimiter: str) -> int:
        return sum(names_picture(text.partition(delimiter)[0].strip('" ')) for text in texts if delimiter in text)

    delimiter = max(delimiters, key=counted)
    if known == "auto" and counted(delimiter) <= len(texts) / 2:
        # Names that say nothing, and a tab: as it always was.
        if not texts or 2 * sum(text.count(_TAB) == 1 for text in texts) <= len(texts):
            return None
        delimiter = _TAB
    return _table_by_content(lines, delimiter, told, names_picture)


def read_table_captions(path: Path, table: CaptionTable, encoding: str, bad_lines: BadLines) -> Iterator[Caption]:
    """Reads captions as `find_table` found that they stand."""
    if table.is_lines:
        return read_line_captions(path, encoding, bad_lines)
    return captions_of_rows(f"{path}", _rows(path, table, encoding, bad_lines), table.columns, bad_lines)


def read_line_captions(path: Path, encoding: str, bad_lines: BadLines) -> Iterator[Caption]:
    """Reads lines of a picture's name, a tab and a caption, which may hold further tabs and quotes of its own."""
    for number, text in numbered_lines(path, encoding, bad_lines):
        if not text.strip():
            continue
        name, tab, caption = text.partition(_TAB)
        name, caption = name.strip(), caption.strip()
        bare = without_number(name)
        if bare and caption:
            yield Caption(number, name, caption)
            continue
        missing = "no tab" if not tab else "no caption" if bare else "no name"
        expected = "a picture's name, a tab and a caption"
        bad_lines.report(path, number, expected=expected, found=f"{missing} in {shown(text)}")


def _rows(path: Path, table: CaptionTable, encoding: str, bad_lines: BadLines) -> Iterator[tuple[int, dict[str, str]]]:
    names, is_header = table.dialect.columns, table.dialect.has_header
    lines = decoded_lines(path, encoding)
    for first, fields, problem in Records(lines, table.dialect.writing, len(names)):
        blanks = _quoted_after_blank(first.text, table.dialect.writing)
        if len(blanks) == len(names):
            fields, problem = blanks, ""
        elif table.rest:
            fields = _cut(fields, len(names), table.dialect.writing.delimiter)
        if first.problem:
            report_encoding(path, encoding, first, bad_lines)
        elif problem:
            bad_lines.report(path, first.number, expected="well-formed quotes", found=problem)
        elif len(fields) != len(names):
            expected = f"{len(names)} fields separated by {shown(table.dialect.writing.delimiter)}"
            bad_lines.report(path, first.number, expected=expected, found=f"{len(fields)} in {shown(first.text)}")
        elif is_header:
            is_header = False
        else:
            yield first.number, dict(zip(names, fields, strict=True))


def _quoted_after_blank(line: str, writing: Writing) -> list[str]:
    """The fields of a line in which a blank stands before a field's quotes: `1.jpg, "A dog, a cat"`; else none."""
    if writing.quotes != "needed" or writing.escapes or f'{writing.delimiter} "' not in line:
        return []
    try:
        return next(csv.reader([line], delimiter=writing.delimiter, skipinitialspace=True, strict=True))
    except csv.Error:
        return []


def _named_table(lines: list[Line], delimiter: str, told: Told) -> CaptionTable | None:
    """The table whose first line names a column of pictures and one of captions."""
    dialect = _dialect(lines, delimiter, _names(lines, delimiter), True)
    if len(dialect.columns) < 2:
        return None
    columns = find_columns(dialect.columns, told)
    return _table(lines, dialect, columns) if columns else None


def _table_by_content(
    lines: list[Line], delimiter: str, told: Told, names_picture: Callable[[str], bool]
) -> CaptionTable | None:
    """The table of which one column names pictures, and one other is text."""
    records = [fields for _, fields in _records(lines, _dialect(lines, delimiter, (), False))]
    if not records:
        return None
    width, _ = _usual_width(records)
    # A blank after a comma: it stands in a caption.
    in_captions = [delimiter == "," and any(field.startswith(" ") for field in record[2:]) for record in records]
    if not _agree(records) or _most(in_captions):
        has_numbers = _most(len(record) > 2 and record[1].strip().isdigit() for record in records)
        width = 3 if has_numbers else 2
    cut = [_cut(record, width, delimiter) for record in records]
    columns = list(zip(*(record for record in cut if len(record) == width), strict=True))
    pictures = [_most(map(names_picture, column)) for column in columns]
    texts = [_most(any(map(str.isalpha, value)) for value in column) for column in columns]
    blanks = [_most(len(value.split()) > 1 for value in column) for column in columns]
    if True in pictures:
        picture = pictures.index(True)
    elif delimiter == _TAB and width == 2:
        picture = 0  # names that say nothing
    else:
        return None
    candidates = [number for number, is_text in enumerate(texts) if is_text and not pictures[number]]
    candidates = [number for number in candidates if number != picture]
    candidates = [number for number in candidates if blanks[number]] or candidates
    is_header = told.layout.header
    if is_header is None:
        # A first line that names no picture, and has one word where the others have more.
        first = cut[0] + [""] * (width - len(cut[0]))
        names_none = pictures[picture] and not names_picture(first[picture])
        is_header = names_none and any(blanks[number] and len(first[number].split()) == 1 for number in candidates)
    names = _names(lines, delimiter) if is_header else tuple(map(str, range(1, width + 1)))
    if len(names) != width:
        return None
    dialect = _dialect(lines, delimiter, names, is_header)
    name, caption = told.chosen(names)
    if name is None or caption is None or (len(candidates) != 1 and caption == AUTO):
        return None
    name = names[picture] if name == AUTO else name
    caption = names[candidates[0]] if caption == AUTO else caption
    return _table(lines, dialect, Columns(name, [caption]))


def _table(lines: list[Line], dialect: Dialect, columns: Columns) -> CaptionTable:
    records = _records(lines, dialect)
    quoted = [fields for first, fields in records if fields != without_end(first.text).split(dialect.writing.delimiter)]
    if dialect.writing.quotes == "evident":
        # Not two captions that begin or end with a quote, and all that stands between them.
        quoted = [fields for fields in quoted if not any("\n" in field for field in fields)]
    has_more = any(len(fields) > len(dialect.columns) for _, fields in records)
    at = dialect.columns.index(columns.captions[0])
    hold_lists = _most(
        as_list(fields[at]) is not None for _, fields in records[dialect.has_header :] if len(fields) > at
    )
    columns = dataclasses.replace(columns, hold_lists=hold_lists)
    is_last = columns.captions == [dialect.columns[-1]]
    return CaptionTable(dialect, columns, bool(quoted), is_last and (has_more or not quoted))


def _names(lines: list[Line], delimiter: str) -> tuple[str, ...]:
    """The names in the first line that is separated, none of them twice; a title may stand above it."""
    first = [line for line in lines if delimiter in line.text][:1]
    return find_dialect(first, Layout(delimiter, header=True)).columns


def _dialect(lines: list[Line], delimiter: str, names: tuple[str, ...], has_header: bool) -> Dialect:
    writing = find_dialect(lines, Layout(delimiter)).writing
    if writing.quotes == "evident" and _most(line.text.startswith('"') for line in lines if line.text.strip()):
        writing = dataclasses.replace(writing, quotes="always")  # no picture's name begins with one
    return Dialect(writing, names, has_header)


def _records(lines: list[Line], dialect: Dialect) -> list[tuple[Line, list[str]]]:
    """The records of the first lines and where they begin, but for bad ones."""
    writing = dialect.writing
    bare = [line.text.split(writing.delimiter) for line in lines if line.text.strip() and '"' not in line.text]
    width = _usual_width(bare)[0] if bare and writing.delimiter in writing.OFTEN_BARE else None
    records = Records(iter(lines), writing, width)
    return [(first, fields) for first, fields, problem in records if not problem and not first.problem]


def _usual_width(records: list[list[str]]) -> tuple[int, int]:
    return Counter(map(len, records)).most_common(1)[0]


def _agree(records: list[list[str]]) -> bool:
    return _usual_width(records)[1] >= _AGREEING * len(records)


def _most(answers: Iterable[bool]) -> bool:
    answers = list(answers)
    return sum(answers) > len(answers) / 2


def _cut(fields: list[str], width: int, delimiter: str) -> list[str]:
    """The fields of a record, of which the last takes what is too many."""
    return fields if len(fields) <= width else [*fields[: width - 1], delimiter.join(fields[width - 1 :])]
