"""How a delimited file is written: its separator, its quotes, and whether its first line names the columns.

None of these stands in the file. They are told by its first lines together, never by one of them alone, and said.
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Sequence

from data.errors import UserError
from data.files import MOST_SAMPLED, Line
from data.tables.delimited import Records, Writing, is_evident

# What a separator is called, in messages and by --delimiter; tried in this order.
DELIMITERS = {"comma": ",", "tab": "\t", "semicolon": ";", "bar": "|"}
# As many as a sheet of Excel's has.
MOST_COLUMNS = 2**14
# So many lines are looked at.
SAMPLED_LINES = 500
# The share of the records that must have as many fields as the first.
_AGREEING = 0.9


@dataclasses.dataclass(frozen=True)
class Layout:
    """What is known of a delimited file before it is looked at.

    Args:
        delimiter: One of `DELIMITERS`, the character itself, or "auto".
        header: Whether the first line names the columns; None: look.
        names_columns: Tells by its fields whether the first record names the columns, where that is plain; None where
            it is not, and the other records tell.

    Raises:
        UserError: There is no such delimiter.
    """

    delimiter: str = "auto"
    header: bool | None = None
    names_columns: Callable[[list[str]], bool | None] = lambda fields: None

    def __post_init__(self):
        if self.delimiter not in ("auto", "\\t", *DELIMITERS, *DELIMITERS.values()):
            words = ", ".join(f"{name} ({character})" for name, character in DELIMITERS.items() if name != "tab")
            raise UserError(f"--delimiter {self.delimiter}: expected auto, tab, {words}")


@dataclasses.dataclass(frozen=True)
class Dialect:
    """How a delimited file is written.

    Args:
        writing: Its separator and its quotes.
        columns: The columns' names: as the first line writes them, or "1", "2" and so on. One that stands twice is
            followed by its number, "text (3)", so that none is taken for the other; a blank one is its number then.
        has_header: Whether the first line names the columns.
        header: The names as they stand there, blank and doubled ones as well; empty where there are none.
    """

    writing: Writing
    columns: tuple[str, ...]
    has_header: bool
    header: tuple[str, ...] = ()

    def __str__(self) -> str:
        """In words: "separated by semicolons, no line of column names"."""
        name = next(name for name, character in DELIMITERS.items() if character == self.writing.delimiter)
        quotes = ", fields in quotes" if self.writing.quotes == "always" else ""
        quotes += ", fields in single quotes" if self.writing.quote == "'" else ""
        escapes = ", \\ before a quote" if self.writing.escapes else ""
        names = "column names in the first line" if self.has_header else "no line of column names"
        return f"separated by {name}s{quotes}{escapes}, {names}"


def find_dialect(lines: Sequence[Line], layout: Layout = Layout(), usual: str = ",") -> Dialect:
    """Finds out how a delimited file is written.

    Args:
        lines: Its first lines, up to `SAMPLED_LINES`, as `data.files.sampled` gives them.
        layout: What is known already.
        usual: The separator that the file's name promises; another is taken only where this one does not separate.

    Returns:
        The dialect. A file that no separator cuts into columns has one column.

    Example:
        >>> str(find_dialect([Line(1, "text;label\\n", ""), Line(2, "Nice, really;pos\\n", "")]))
        'separated by semicolons, column names in the first line'
    """
    known = DELIMITERS.get(layout.delimiter, "\t" if layout.delimiter == "\\t" else layout.delimiter)
    candidates = [usual, *(other for other in DELIMITERS.values() if other != usual)] if known == "auto" else [known]
    tables = [_sample(lines, character) for character in candidates]
    if not any(table.is_whole for table in tables):
        # Single quotes, where they leave nothing that is odd and are needed.
        single = [_sample(lines, character, "'") for character in candidates]
        tables = [*(table for table in single if table.is_whole and table.needs_quotes), *tables]
    separated = [table for table in tables if table.separates] or tables[:1]
    named = [table for table in separated if layout.names_columns(table.first)]
    # A separator that cuts all records alike, the names of the columns as well, is none of decimal commas.
    table = (named or [table for table in separated if table.is_whole] or separated)[0]
    header = layout.header if layout.header is not None else layout.names_columns(table.first)
    if header is None:
        header = _first_is_unlike_the_others(table.records)
    width = len(table.first)
    columns = distinct_names(table.first, width) if header else tuple(map(str, range(1, width + 1)))
    return Dialect(table.writing, columns, header, tuple(table.first) if header else ())


@dataclasses.dataclass(frozen=True)
class _Sample:
    """The first records of a file, as some separator cuts them; of bad ones, none, and how many those are."""

    writing: Writing
    records: list[list[str]]
    bad: int

    @property
    def is_whole(self) -> bool:
        """Whether all records have the same number of fields, more than one."""
        return not self.bad and len(set(map(len, self.records))) == 1 < len(self.first)

    @property
    def needs_quotes(self) -> bool:
        """Whether some field holds the separator."""
        return any(self.writing.delimiter in field for record in self.records for field in record)

    @property
    def separates(self) -> bool:
        """Whether almost all records have the same number of fields, more than one."""
        width, count = _most_common_width(self.records)
        return width > 1 and count >= _AGREEING * len(self.records)

    @property
    def first(self) -> list[str]:
        """The first record that has as many fields as most: what stands above the table is not of it."""
        width, _ = _most_common_width(self.records)
        return next((record for record in self.records if len(record) == width or not self.separates), [])


def _most_common_width(records: Sequence[Sequence[str]]) -> tuple[int, int]:
    return Counter(map(len, records)).most_common(1)[0] if records else (0, 0)


def _sample(lines: Sequence[Line], delimiter: str, quote: str = '"') -> _Sample:
    writing = Writing(delimiter, *_quotes(lines, delimiter)) if quote == '"' else Writing(delimiter, quote=quote)
    # A line without the separator may be one of several of a quoted field.
    bare = [line.text.split(delimiter) for line in lines if delimiter in line.text and '"' not in line.text]
    width = _most_common_width(bare)[0] or None if delimiter in Writing.OFTEN_BARE else None
    read = list(Records(iter(lines), writing, width))
    is_long = len(lines) > 1 and sum(len(line.text) for line in lines) > MOST_SAMPLED
    if len(lines) >= SAMPLED_LINES or is_long:
        read = read[:-1]  # the sample may end within it
    records = [fields for first, fields, problem in read if not problem and not first.problem]
    if records and not any(field for record in records[1:] for field in record[len(records[0]) :]):
        # The rows may end in a separator where the names of the columns do not.
        records[0] += [""] * (_most_common_width(records[1:])[0] - len(records[0]))
    return _Sample(writing, records, len(read) - len(records))


def _quotes(lines: Sequence[Line], delimiter: str) -> tuple[str, bool]:
    r"""Which fields stand in quotes, as `Writing` says it, and whether \ stands before a quote within."""
    text = "".join(line.text for line in lines)
    # A field may end in \; elsewhere the quote after it would have closed the field.
    escapes = bool(re.search(rf'\\"[^{re.escape(delimiter)}\r\n"]', text)) and '""' not in text.replace(
        f'{delimiter}""', ""
    )
    if delimiter not in Writing.OFTEN_BARE:
        return "needed", escapes
    rows = [line.text.strip("\r\n").split(delimiter) for line in lines if line.text.strip()]
    if rows and not any(map(_is_quoted, rows[0])):
        rows = rows[1:]  # column names, which often stand without quotes
    width, _ = _most_common_width(rows)
    rows = [row for row in rows if len(row) == width]
    begun = [field for row in rows for field in row if field.startswith('"')]
    # A column in quotes, or quotes that are evident in one row, and closed in all.
    always = any(len(rows) > 1 and all(map(_is_quoted, column)) for column in zip(*rows))
    always = always or (any(map(is_evident, begun)) and all(map(_is_quoted, begun)))
    return ("always" if always else "evident"), escapes and always


def _is_quoted(field: str) -> bool:
    return len(field) > 1 and field[0] == field[-1] == '"'


def _first_is_unlike_the_others(records: list[list[str]]) -> bool:
    """Whether the first record names the columns, as a number does not and a value that comes again hardly does.

    A value of one column may also be the name of it (hate: hate, offensive, none): then the other columns tell.
    """
    first, *others = records or [[]]
    if any(map(_is_number, first)):
        return False
    columns = list(zip(*(record for record in others if len(record) == len(first))))
    few = [(name, values) for name, values in zip(first, columns) if len(set(values)) <= max(2, len(values) // 2)]
    values_again = [name for name, values in few if name and name in values]
    names = [name for name, values in few if name not in values and all(values) and len(name.split()) == 1]
    above_numbers = any(name and all(map(_is_number, values)) for name, values in zip(first, columns))
    are_distinct = len(set(first)) == len(first)
    return not values_again or (are_distinct and (above_numbers or len(names) > len(values_again)))


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    # Python's float takes "1_0", too.
    return "_" not in field and field.strip().lower().lstrip("+-") not in ("nan", "inf", "infinity")


def distinct_names(fields: Sequence[str], width: int) -> tuple[str, ...]:
    """The names of so many columns, by the record that names them; see `Dialect`."""
    fields = [*fields, *[""] * (width - len(fields))]
    counts = Counter(fields)
    return tuple(
        name if counts[name] == 1 else f"{name} ({number})" if name.strip() else str(number)
        for number, name in enumerate(fields, start=1)
    )
