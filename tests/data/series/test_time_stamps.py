"""Time stamps of any usual form are read, are written as they were, and what may be two times is refused."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import UserError
from data.series.time_stamps import find_form, format_times, read_times
from data.series.time_zones import as_local, as_utc, zone_of

FORMS = {
    "2016-07-01": "2016-07-01",
    "2016-07-01 13:00:00": "2016-07-01T13:00:00",
    "2016-07-01T13:00:00.250": "2016-07-01T13:00:00.250000",
    "2016-07-01T13:00:00Z": "2016-07-01T13:00:00",
    "2016-07-01 13:00:00 UTC": "2016-07-01T13:00:00",
    "2016-07-01T13:00:00+02:00": "2016-07-01T11:00:00",
    "2016-07-01 13:00-0330": "2016-07-01T16:30:00",
    "2016/7/1 9:05": "2016-07-01T09:05:00",
    "20160701": "2016-07-01",
    "20160701T130000": "2016-07-01T13:00:00",
    "2016-W26-5": "2016-07-01",
    "2016-07": "2016-07-01",
    "201607": "2016-07-01",
    "2016Q3": "2016-07-01",
    "2016-Q3": "2016-07-01",
    "13/07/2016": "2016-07-13",
    "07/13/2016 1:30 PM": "2016-07-13T13:30:00",
    "07/13/2016 12:30 am": "2016-07-13T00:30:00",
    "01.02.2016": "2016-02-01",
    "2016-07-01 24:00": "2016-07-02T00:00:00",
    "1467378000": "2016-07-01T13:00:00",
    "1467378000000": "2016-07-01T13:00:00",
    "1467378000000000": "2016-07-01T13:00:00",
    "1467378000000000000": "2016-07-01T13:00:00",
    "1467378000.0": "2016-07-01T13:00:00",
}


@pytest.mark.parametrize("text", FORMS)
def test_a_form_is_read(text):
    times, are_times = read_times([text, "soon"], find_form([text, "soon"]))
    assert times[0] == np.datetime64(FORMS[text]) and are_times.tolist() == [True, False]


def test_whole_numbers_are_counts():
    assert read_times(["-1", "0", "2016"], find_form(["-1", "0", "2016"]))[0].tolist() == [-1, 0, 2016]
    # 201613 is no month.
    assert find_form(["201612", "201613"]).kind == "count" and find_form(["20160731", "20160732"]).kind == "count"


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["01/02/2016", "03/04/2016"], "01/02/2016 may be a day of two months"),
        (["13/02/2016", "02/13/2016"], "13/02/2016 has its day first and 02/13/2016 its month"),
        (["1/2/16"], "--time-format %d %B %Y or the like reads others"),
        (["2016-07-01T00:00Z", "2016-07-01T01:00"], "some times have an offset"),
    ],
)
def test_what_may_be_two_times_is_refused(texts, message):
    with pytest.raises(UserError, match=re.escape(message)):
        find_form(texts)


def test_the_whole_column_tells_day_and_month():
    form = find_form(["01/02/2016", "02/02/2016", "13/02/2016"])
    assert read_times(["01/02/2016"], form)[0] == np.datetime64("2016-02-01")
    for asked, day in (("day-first", "2016-02-01"), ("month-first", "2016-01-02")):
        assert read_times(["01/02/2016"], find_form(["01/02/2016"], asked), asked)[0] == np.datetime64(day)
    with pytest.raises(UserError, match="--time-format month-first does not read 13/02/2016"):
        find_form(["13/02/2016"], "month-first")
    with pytest.raises(UserError, match="expected auto, day-first"):
        find_form(["13/02/2016"], "european")


clocks = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1))
PATTERNS = st.sampled_from(
    ["%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d", "%d.%m.%Y %H:%M", "%Y%m%d", "%Y-%m", "%Y/%m/%d %I:%M %p"]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(clocks, min_size=1, max_size=5), PATTERNS, st.sampled_from([None, 0, 120, -210]))
def test_what_is_written_is_what_was_read(times, pattern, offset):
    if offset is not None and ":" in pattern:
        pattern += "%z"
        times = [time.replace(tzinfo=zone_of(f"{offset // 60:+03}:{abs(offset) % 60:02}")) for time in times]
    if "%f" in pattern:
        times[0] = times[0].replace(microsecond=1)  # fractions that are all 0 are not written
    texts = [time.strftime(pattern) for time in times]
    form = find_form(texts)
    read, are_times = read_times(texts, form)
    assert are_times.all()
    written = format_times(read, form, form.offset)
    assert [text.replace(":", "") for text in written] == [text.replace(":", "") for text in texts]
    again, _ = read_times(written, form)
    assert (again == read).all()


@pytest.mark.parametrize("unit", ["seconds", "milliseconds", "microseconds", "nanoseconds", "count"])
def test_numbers_are_written_as_they_were(unit):
    factor = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9, "count": 0}[unit]
    texts = [str(1467378000 * factor + place) for place in range(3)] if factor < 10**9 else ["1467378000123456000"]
    form = find_form(texts)
    assert form.kind == unit and format_times(read_times(texts, form)[0], form) == texts


@settings(max_examples=60, deadline=None)
@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)), st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe"])
)
def test_zones_there_and_back(utc, name):
    times = np.array([utc], "datetime64[us]")
    local = as_local(times, name)
    expected = utc.replace(tzinfo=UTC).astimezone(zone_of(name))
    assert local[0] == np.datetime64(expected.replace(tzinfo=None))
    both, are_shown = as_utc(local, name)
    assert are_shown.all() and both[expected.fold, 0] == times[0]


def test_hours_that_come_twice_and_never():
    autumn, spring = np.array(["2023-10-29T02:30", "2023-03-26T02:30"], "datetime64[us]")
    both, are_shown = as_utc(np.array([autumn, spring]), "Europe/Berlin")
    assert both[1, 0] - both[0, 0] == np.timedelta64(1, "h") and are_shown.tolist() == [True, False]
    with pytest.raises(UserError, match="--time-zone Berlin: expected a zone such as Europe/Berlin"):
        zone_of("Berlin")


def test_a_year_of_hours_is_told_by_its_offsets():
    zone = zone_of("Europe/Berlin")
    hours = [datetime(2023, 10, 28, tzinfo=UTC) + timedelta(hours=hour) for hour in range(60)]
    texts = [hour.astimezone(zone).isoformat(" ") for hour in hours]
    form = find_form(texts)
    read, _ = read_times(texts, form)
    assert form.offset == "varies" and all(after - before == np.timedelta64(1, "h") for before, after in pairwise(read))
    assert format_times(read, form, "Europe/Berlin") == texts
