"""Time stamps as files write them: what form a column has, read and written."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

import numpy as np

from data.errors import UserError, shown
from data.series.time_zones import as_local, zone_of

_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_WHOLE = re.compile(r"\s*([+-]?\d+)(?:\.0*)?\s*")
_QUARTER = re.compile(r"(?P<year>\d{4})(?P<between>[ -]?)[Qq](?P<quarter>[1-4])")
_MONTH = re.compile(r"(?P<year>\d{4})(?P<between>[-/.])(?P<month>\d{1,2})")
_DATE = re.compile(
    r"(?P<first>\d{1,4})(?P<between>[-/.])(?P<second>\d{1,2})(?P=between)(?P<third>\d{1,4})"
    r"(?:(?P<blank>[T ])\s*(?P<hour>\d{1,2}):(?P<minute>\d\d)"
    r"(?::(?P<second_of_minute>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<half>[AaPp][Mm])?\s*(?P<offset>Z|UTC|[+-]\d\d(?::?\d\d)?)?)?"
)
# Whole numbers from these on are no counts: they are units of time since 1970, of so many microseconds.
_SINCE_1970 = {10**17: ("nanoseconds", 1e-3), 10**14: ("microseconds", 1), 10**11: ("milliseconds", 10**3)}
_SECONDS_FROM = 10**8
# Counts whose differences do not overflow; the years 1000 to 2999, in microseconds: other dates are slips, and what
# follows them may have no date.
_MOST = 2**53
_FIRST, _LAST = ((datetime(year, 1, 1) - _EPOCH) // _MICROSECOND for year in (1000, 3000))
DAY_FIRST, MONTH_FIRST = "day-first", "month-first"


@dataclass(frozen=True)
class TimeForm:
    """How a column writes its times.

    Args:
        kind: "count" (whole numbers); "seconds", "milliseconds", "microseconds", "nanoseconds" since 1970; "quarter";
            "stamp".
        pattern: Of stamps, how `datetime.strftime` writes them; of quarters, what stands before the Q.
        offset: Of stamps with an offset from UTC, the only one, such as "+02:00", or "varies"; "" where there is none.

    Example:
        >>> find_form(["2016-07-01 00:00", "2016-07-01 01:00"])
        TimeForm(kind='stamp', pattern='%Y-%m-%d %H:%M', offset='')
    """

    kind: str
    pattern: str = ""
    offset: str = ""

    def __str__(self) -> str:
        """In words, for a message."""
        if self.kind == "count":
            return "a whole number"
        if self.kind == "stamp":
            return f"a time such as {datetime(2016, 12, 31, 23).strftime(self.pattern)}"
        return f"a quarter such as 2016{self.pattern}Q3" if self.kind == "quarter" else f"{self.kind} since 1970"


class Stamp(NamedTuple):
    """A time as it was read: of the clock that it was read from, and that clock's offset from UTC, if it is told."""

    clock: datetime
    offset: timedelta | None
    pattern: str


def find_form(texts: Sequence[str], asked: str = "auto") -> TimeForm:
    """Finds the form of a column by all that stands in it.

    Args:
        texts: What stands in the column, each once, nothing missing.
        asked: "auto", "day-first" or "month-first" (01/02/2016), or a pattern of `datetime.strptime`.

    Returns:
        The form that most of them have.

    Raises:
        UserError: 01/02/2016 may be either day, or no form is known that any of them has.
    """
    if "%" in asked:
        return TimeForm("stamp", asked, _offset(filter(None, (_by_pattern(text, asked) for text in texts))))
    if asked not in ("auto", DAY_FIRST, MONTH_FIRST):
        raise UserError(
            f"--time-format {asked}: expected auto, day-first, month-first, or a pattern such as %d.%m.%Y %H:%M"
        )
    counts = [_form_of_numbers(texts), *_forms_of_dates(texts, asked)]
    best = max(counts, key=lambda found: found[0])
    if not best[0]:
        advice = "--time-format %d %B %Y or the like reads others, --time-column NAME another column"
        raise UserError(
            f"expected times such as 2016-07-01 13:00, 2016-07, 2016Q3 or 1467331200, found {shown(texts[0])}; {advice}"
        )
    return best[1]


def _form_of_numbers(texts: Sequence[str]) -> tuple[int, TimeForm]:
    numbers = [int(found[1]) for found in map(_WHOLE.fullmatch, texts) if found]
    largest = max(map(abs, numbers), default=0)
    for pattern, digits in (("%Y%m%d", 8), ("%Y%m", 6)):
        # A count goes on after 12 and after 31; that it stays within months and days is no accident.
        if numbers and all(len(str(number)) == digits and _by_pattern(str(number), pattern) for number in numbers):
            return len(numbers), TimeForm("stamp", pattern)
    kind = next((kind for least, (kind, _) in _SINCE_1970.items() if largest >= least), "")
    return len(numbers), TimeForm(kind or ("seconds" if largest >= _SECONDS_FROM else "count"))


def _forms_of_dates(texts: Sequence[str], asked: str) -> Iterable[tuple[int, TimeForm]]:
    quarters = [found for found in map(_QUARTER.fullmatch, texts) if found]
    yield len(quarters), TimeForm("quarter", quarters[0]["between"] if quarters else "")
    months = [found for found in map(_MONTH.fullmatch, texts) if found]
    yield len(months), TimeForm("stamp", f"%Y{months[0]['between']}%m" if months else "")
    order = _order(texts, asked)
    stamps = [stamp for text in texts if (stamp := _stamp(text, order))]
    # A date alone among times is midnight.
    longest = max((stamp.pattern for stamp in stamps), key=len, default="")
    yield len(stamps), TimeForm("stamp", _without_idle_parts(longest, stamps), _offset(stamps))


def _without_idle_parts(pattern: str, stamps: Sequence[Stamp]) -> str:
    """A pattern without fractions of seconds that are all 0, as .parquet has them of days, too."""
    if ".%f" not in pattern or any(stamp.clock.microsecond for stamp in stamps):
        return pattern
    if "%z" in pattern or any(stamp.clock.time() != time.min for stamp in stamps):
        return pattern.replace(".%f", "")
    return re.split("[T ]", pattern)[0]


def _offset(stamps: Iterable[Stamp]) -> str:
    offsets = {stamp.offset for stamp in stamps}
    if None in offsets and len(offsets) > 1:
        raise UserError("some times have an offset from UTC (+02:00), others have none; write all in one way")
    if not offsets or None in offsets:
        return ""
    if len(offsets) > 1:
        return "varies"
    minutes = round(next(iter(offsets)).total_seconds() / 60)  # type: ignore[union-attr]
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _order(texts: Sequence[str], asked: str) -> str:
    """Which of the first two numbers of 01/02/2016 is the day: "day-first" or "month-first"; "" where none is."""
    dates = [date for date in map(_DATE.fullmatch, texts) if date and len(date["third"]) == 4]
    if not dates:
        return "" if asked == "auto" else asked
    firsts, seconds = (next((date for date in dates if int(date[part]) > 12), None) for part in ("first", "second"))
    if firsts and seconds:
        raise UserError(f"{firsts[0]} has its day first and {seconds[0]} its month; write all in one way")
    told = DAY_FIRST if firsts or all(date["between"] == "." for date in dates) else MONTH_FIRST if seconds else ""
    if asked != "auto" and told not in ("", asked):
        raise UserError(f"--time-format {asked} does not read {(firsts or seconds or dates[0])[0]}")
    if not told and asked == "auto":
        found = f"{dates[0][0]} may be a day of two months, and no other time tells"
        raise UserError(f"{found}; add --time-format day-first or --time-format month-first")
    return told or asked


def _stamp(text: str, order: str) -> Stamp | None:
    """The time that a text stands for, or None."""
    found = _DATE.fullmatch(text)
    if not found:
        return _iso_stamp(text)
    first, second, third = (int(found[part]) for part in ("first", "second", "third"))
    between = found["between"]
    if len(found["first"]) == 4:
        year, month, day, pattern = first, second, third, f"%Y{between}%m{between}%d"
    elif len(found["third"]) != 4 or not order:
        return None  # two digits of a year may stand anywhere
    elif order == DAY_FIRST:
        year, month, day, pattern = third, second, first, f"%d{between}%m{between}%Y"
    else:
        year, month, day, pattern = third, first, second, f"%m{between}%d{between}%Y"
    try:
        clock, more = datetime(year, month, day), ""
        if found["hour"]:
            clock, more = _with_time(clock, found)
        return Stamp(clock, _timedelta(found["offset"]), pattern + more)
    except ValueError:
        return None


def _with_time(day: datetime, found: re.Match) -> tuple[datetime, str]:
    hour, half = int(found["hour"]), (found["half"] or "").lower()
    if half and not 1 <= hour <= 12:
        raise ValueError
    hour = hour % 12 + 12 * (half == "pm") if half else hour
    # 24:00 is the end of its day.
    ends = hour == 24 and int(found["minute"]) == int(found["second_of_minute"] or 0) == 0
    clock = day.replace(
        hour=0 if ends else hour,
        minute=int(found["minute"]),
        second=int(found["second_of_minute"] or 0),
        microsecond=int((found["fraction"] or "0")[:6].ljust(6, "0")),
    )
    pattern = found["blank"] + ("%I:%M" if half else "%H:%M") + (":%S" if found["second_of_minute"] else "")
    pattern += (".%f" if found["fraction"] else "") + (" %p" if half else "") + ("%z" if found["offset"] else "")
    return clock + timedelta(days=ends), pattern


def _timedelta(offset: str | None) -> timedelta | None:
    if offset is None:
        return None
    digits = offset.lstrip("+-ZUTC").replace(":", "").ljust(4, "0")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -size if offset.startswith("-") else size


def _iso_stamp(text: str) -> Stamp | None:
    """What else ISO 8601 allows, such as 20160701T1300 and 2016-W26-5."""
    try:
        clock = datetime.fromisoformat(text)
    except ValueError:
        return None
    return Stamp(clock.replace(tzinfo=None), clock.utcoffset(), "%Y-%m-%dT%H:%M:%S" + ("%z" if clock.tzinfo else ""))


def _by_pattern(text: str, pattern: str) -> Stamp | None:
    try:
        clock = datetime.strptime(text, pattern)
    except ValueError:
        return None
    except re.error as error:
        raise UserError(f"--time-format {pattern}: not a pattern of times ({error})") from None
    return Stamp(clock.replace(tzinfo=None), clock.utcoffset(), pattern)


def read_times(texts: Sequence[str], form: TimeForm, asked: str = "auto") -> tuple[np.ndarray, np.ndarray]:
    """Reads the times of a column.

    Args:
        texts: What stands in the column.
        form: Its form, as `find_form` gives it.
        asked: As for `find_form`.

    Returns:
        The times: int64 of a count, else datetime64[us], in UTC where the form has an offset; which texts are times.
    """
    read = _reader(form, texts, asked)
    values, are_times = np.zeros(len(texts), np.int64), np.zeros(len(texts), bool)
    for place, text in enumerate(texts):
        value = read(text)
        if value is not None and (abs(value) < _MOST if form.kind == "count" else _FIRST <= value <= _LAST):
            values[place], are_times[place] = value, True
    return (values if form.kind == "count" else values.astype("datetime64[us]")), are_times


def _reader(form: TimeForm, texts: Sequence[str], asked: str) -> Callable[[str], int | None]:
    """What gives the microseconds since 1970 of a text, or its count; None for one that is of another form."""
    if form.kind == "quarter":
        return lambda text: (
            _microseconds(datetime(int(found["year"]), 3 * int(found["quarter"]) - 2, 1))
            if (found := _QUARTER.fullmatch(text)) and int(found["year"])
            else None
        )
    if form.kind != "stamp":
        factors = dict(_SINCE_1970.values())
        factor = {"seconds": 10**6, "count": 1, **factors}[form.kind]
        divisor = 1000 if form.kind == "nanoseconds" else 1
        return lambda text: (
            int(found[1]) * (1 if divisor > 1 else int(factor)) // divisor
            if (found := _WHOLE.fullmatch(text))
            else None
        )
    if "%" in asked or form.pattern in ("%Y%m%d", "%Y%m"):
        return lambda text: _utc(_by_pattern(_without_point(text) if asked == "auto" else text, form.pattern), form)
    if _MONTH.fullmatch(datetime(2016, 7, 1).strftime(form.pattern)):
        pattern = form.pattern
        return lambda text: _utc(_by_pattern(text, pattern), form)
    order = asked if asked != "auto" else DAY_FIRST if form.pattern.startswith("%d") else MONTH_FIRST
    return lambda text: _utc(_stamp(text, order), form)


def _without_point(text: str) -> str:
    return found[1] if (found := _WHOLE.fullmatch(text)) else text


def _microseconds(clock: datetime) -> int:
    return (clock - _EPOCH) // _MICROSECOND


def _utc(stamp: Stamp | None, form: TimeForm) -> int | None:
    if stamp is None or (stamp.offset is None) != (form.offset == ""):
        return None
    return _microseconds(stamp.clock) - (stamp.offset or timedelta(0)) // _MICROSECOND


def format_times(times: np.ndarray, form: TimeForm, time_zone: str = "") -> list[str]:
    """Writes times in the form of a file.

    Args:
        times: As `Series.times`.
        form: The file's.
        time_zone: The zone whose clocks are written where times are in UTC; "" where they are as they were written.

    Returns:
        A text each; stamps with an offset have that of the zone.
    """
    if form.kind == "count":
        return [str(count) for count in times.tolist()]
    if form.kind not in ("stamp", "quarter"):
        factor = {"seconds": 1e6, "milliseconds": 1e3, "microseconds": 1}.get(form.kind)
        whole = times.astype("datetime64[us]").astype(np.int64).tolist()
        return [str(number * 1000 if factor is None else number // int(factor)) for number in whole]
    clocks: list[datetime] = as_local(times.astype("datetime64[us]"), time_zone).tolist()
    if form.kind == "quarter":
        return [f"{clock.year:04}{form.pattern}Q{(clock.month + 2) // 3}" for clock in clocks]
    if form.offset:
        zone = zone_of(time_zone or "UTC")
        clocks = [utc.replace(tzinfo=UTC).astimezone(zone) for utc in times.tolist()]
    pattern = form.pattern.replace("%z", "%:z")
    return [_written(clock, pattern) for clock in clocks]


def _written(clock: datetime, pattern: str) -> str:
    offset = clock.isoformat()[-6:] if clock.tzinfo else ""
    # strftime writes years before 1000 with fewer than four digits on some systems.
    return clock.strftime(pattern.replace("%:z", offset).replace("%Y", f"{clock.year:04}"))
