"""Tables of series as people have them: done right, or named with file and line, and never filled silently."""

import datetime
import re

import numpy as np
import pandas
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import BadLines, UserError
from data.series import tables
from data.series.columns import Reading, SeriesColumns
from data.series.reading import next_times, read_series, times_as_written
from data.tables.table_writer import TableWriter

NONE = None
# name: the table, how it is read, and the values of each series.
TABLES = {
    "long": ("unique_id,ds,y\nb,2020-01-01,1\na,2020-01-05,2\nb,2020-01-02,3\na,2020-01-06,4\n", {}, {"b": [1, 3], "a": [2, 4]}),
    "wide": ("date,u,v,note\n2020-01-01,1,2,x\n2020-01-02,3,4,y\n", {}, {"u": [1, 3], "v": [2, 4]}),
    "one target of a wide one": ("date,u,v\n2020-01-01,1,2\n2020-01-02,3,4\n", {"target": "v"}, {"v": [2, 4]}),
    "several targets of series": (
        "id,date,u,v\nx,2020-01-01,1,2\nx,2020-01-02,3,4\n",
        {"target": "u,v"},
        {"x u": [1, 3], "x v": [2, 4]},
    ),
    "own names": ("shop;Tag;Umsatz\nx;31.01.2020;1,5\nx;01.02.2020;-2\n", {"id_column": "SHOP", "time_column": "tag"}, {"x": [1.5, -2]}),
    "decimal commas": ('"";"MT_1";"MT_2"\n"2011-01-01 00:15:00";0,5;0\n"2011-01-01 00:30:00";1;3,25\n', {}, {"MT_1": [0.5, 1], "MT_2": [0, 3.25]}),
    "no column names": ("2020-01-01\t1\n2020-01-02\t2\n2020-01-03\t2.5\n", {}, {"2": [1, 2, 2.5]}),
    "pandas numbers rows": (",date,v\n0,2020-01-01,1\n1,2020-01-02,2\n", {}, {"v": [1, 2]}),
    "date and time": ("Date;Time;v\n16/12/2006;17:24:00;1\n16/12/2006;17:25:00;2\n", {"time_column": "Date,Time"}, {"v": [1, 2]}),
    "no times": ("v\n3\n1\n2\n", {"time_column": "none"}, {"v": [3, 1, 2]}),
    "unsorted": ("ds,y\n2020-01-03,3\n2020-01-01,1\n2020-01-02,2\n", {}, {"y": [1, 2, 3]}),
    "constant and negative": ("ds,y\n1,-5\n2,-5\n3,-5\n", {}, {"y": [-5, -5, -5]}),
    "gap": ("ds,y\n2020-01-01,1\n2020-01-02,2\n2020-01-05,3\n", {}, {"y": [1, 2, NONE, NONE, 3]}),
    "gap interpolated later": ("ds,y\n1,1\n2,2\n4,3\n", {"fill": "interpolate"}, {"y": [1, 2, NONE, 3]}),
    "gap is zero": ("ds,y\n1,1\n2,2\n4,3\n", {"fill": "zero"}, {"y": [1, 2, 0, 3]}),
    "missing": ("ds,y\n1,1\n2,NA\n3,\n4,?\n5,5\n", {}, {"y": [1, NONE, NONE, NONE, 5]}),
    "missing at the ends": ("ds,u,v\n1,,1\n2,5,2\n3,6,\n", {"fill": "zero"}, {"u": [5, 6], "v": [1, 2]}),
    "weekdays": ("Date,Close\n2024-01-04,1\n2024-01-05,2\n2024-01-08,3\n2024-01-10,4\n", {}, {"Close": [1, 2, 3, NONE, 4]}),
    "months": ("ds,y\n2020-01-31,1\n2020-02-29,2\n2020-04-30,3\n", {}, {"y": [1, 2, NONE, 3]}),
    "clocks put back": (
        "ds,y\n2023-10-29 01:00,1\n2023-10-29 02:00,2\n2023-10-29 02:00,3\n2023-10-29 03:00,4\n",
        {"time_zone": "Europe/Berlin"},
        {"y": [1, 2, 3, 4]},
    ),
    "days of 23, 24 and 25 hours": (
        "ds,y\n2023-10-28T00:00+02:00,1\n2023-10-29T00:00+02:00,2\n2023-10-30T00:00+01:00,3\n",
        {"time_zone": "Europe/Berlin"},
        {"y": [1, 2, 3]},
    ),
}  # fmt: skip


def read(path, text, reading, bad_lines=None, columns=None):
    path.write_text(text, encoding="utf-8")
    return read_series([path], Reading(**reading), bad_lines, columns)


def values_of(series):
    return {
        name: [None if np.isnan(value) else value for value in targets.tolist()]
        for name, targets in zip(series.names, series.targets, strict=True)
    }


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_read(name, at_once, tmp_path, monkeypatch):
    if not at_once:
        monkeypatch.setattr(tables, "read_whole_columns", lambda *arguments: None)
    text, reading, expected = TABLES[name]
    found = read(tmp_path / "a.csv", text, reading)
    assert values_of(found.series) == expected
    for times, targets in zip(found.series.times, found.series.targets, strict=True):
        assert (
            len(times) >= len(targets)
            and (next_times(times[:1], found.columns.step, len(times) - 1) == times[1:]).all()
        )
    gaps = sum(values.count(None) for values in expected.values())
    assert ("missing" in found.notes) == (gaps > 0 or name == "gap is zero")
    assert SeriesColumns.from_json(found.columns.to_json()) == found.columns


@pytest.mark.parametrize(
    ("text", "reading", "message"),
    [
        ("ds,y\n1,1\n2,many\n", {}, "a.csv:3: expected a number in 'y', found 'many'"),
        ("ds,y\n1,1\n2,inf\n", {}, "a.csv:3: expected a number in 'y', found 'inf'"),
        ("ds,y\n1,1\n2,1e39\n", {}, "a.csv:3: expected a number in 'y', found '1e39'"),
        ("ds,y\n2020-01-01,1\n2020-13-02,1\n", {}, "a.csv:3: expected a time such as 2016-12-31, found '2020-13-02'"),
        ("ds,y\n2020-01-01,1\n,1\n", {}, "a.csv:3: expected a time in 'ds', found ''"),
        ("ds,y\n1,1\n2,1\n2,2\n", {}, "a.csv:4: expected each time once, found 2 again, which stands in"),
        ("id,ds,y\nx,1,1\nx,2,1\nx,2,1\n", {}, "a.csv:4: expected each time once, found 2 of series 'x' again"),
        (
            "ds,y\n2020-01-01 00:00,1\n2020-01-01 01:00,2\n2020-01-01 02:00,2\n2020-01-01 02:59,2\n",
            {},
            "a.csv:5: expected a time some steps of 1 hour after 2020-01-01 02:00:00",
        ),
        ("ds,y\n01/02/2016,1\n02/02/2016,1\n", {}, "a.csv:2: the times in 'ds': 01/02/2016 may be a day of two months"),
        (
            "ds,y\n2023-03-26 01:00,1\n2023-03-26 02:00,2\n2023-03-26 03:00,3\n",
            {"time_zone": "Europe/Berlin"},
            "a.csv:3: clocks in Europe/Berlin do not show 2023-03-26 02:00:00",
        ),
        (
            "ds,y\n2023-10-28T00:00+02:00,1\n2023-10-29T00:00+02:00,2\n2023-10-30T00:00+01:00,3\n",
            {},
            "if clocks are put forward and back, --time-zone NAME says where",
        ),
        ("ds,y\n1,\n2,\n", {}, "no value in 'y'"),
        ("ds,y\n1,1\n", {}, "the series has one row"),
        ("ds,y\n1,1\n2,2\n", {"target": "z"}, "no column 'z' (--target); its columns are 'ds', 'y'"),
        ("id,ds,u,v\nx,1,1,1\nx,2,2,2\n", {}, "'u', 'v' could be the target; choose with --target NAME"),
        ("v\n1\n2\n", {}, "--time-column none to count the rows"),
        ("ds,y\n1,1\n2,2\n90000000,2\n", {}, "would be 90,000,000; the longest gap is between 2 ("),
        ("ds,y,p\n1,1,3\n2,2,\n3,2,4\n", {"future_columns": "p"}, "a.csv:3: no value in 'p'; --fill forward"),
        ("ds,y,p\n1,1,3\n2,2,3\n4,2,4\n", {"future_columns": "p"}, "a.csv:4: no row between 2 and 4, so that 'p' is not known"),
        ("ds,y,k\n1,1,a\n2,2,b\n", {"static_columns": "k"}, "a.csv:3: expected the same 'k' in all rows, found 'b' and 'a'"),
        ("ds,y,k\n1,1,\n2,2,\n", {"static_columns": "k"}, "a.csv:2: no value in 'k' in any row"),
        ("ds,y\n1,1\n2,2\n", {"target": "y", "future_columns": "y"}, "the column 'y' cannot be two things"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(text, reading, message, tmp_path):
    with pytest.raises(UserError, match=re.escape(message)):
        read(tmp_path / "a.csv", text, reading)


def test_bad_lines_are_left_out_and_counted(tmp_path):
    bad_lines = BadLines(skip=True)
    text = "ds,y\n2020-01-01,1\n2020-01-02,many\n2020-01-02,2\n2020-01-02,3\nsoon,4\n2020-01-03,5\n"
    found = read(tmp_path / "a.csv", text, {}, bad_lines)
    assert values_of(found.series) == {"y": [1, 2, 5]} and bad_lines.count == 3


def test_covariates(tmp_path):
    text = "id,ds,y,price,event,kind\na,1,1,2.5,,x\na,2,2,3,fair,x\na,3,,4,none,x\nb,1,1,1,sale,z\nb,2,2,1,fair,z\n"
    reading = Reading(future_columns="price,event", static_columns="kind")
    (tmp_path / "a.csv").write_text(text)
    found = read_series([tmp_path / "a.csv"], reading)
    assert found.columns.future == (("price", None), ("event", "fair"), ("event", "none"), ("event", "sale"))
    assert found.series.future[0].tolist() == [[2.5, 0, 0, 0], [3, 1, 0, 0], [4, 0, 1, 0]]
    assert [row.tolist() for row in found.series.static] == [[1, 0], [0, 1]]
    assert [len(targets) for targets in found.series.targets] == [2, 2] and len(found.series.times[0]) == 3
    # What comes later: without targets, and with words that are not known.
    (tmp_path / "future.csv").write_text("kind,event,price,ds,id\nx,strike,5,4,a\nz,sale,7,3,b\n")
    more = read_series([tmp_path / "a.csv", tmp_path / "future.csv"], reading, columns=found.columns)
    assert more.series.future[0][3].tolist() == [5, 0, 0, 0] and more.series.future[1][2].tolist() == [7, 0, 0, 1]
    assert [len(targets) for targets in more.series.targets] == [2, 2] and more.file_ends == [[2, 2], [2, 2]]


def test_a_file_of_other_steps_is_refused(tmp_path):
    daily = read(tmp_path / "a.csv", TABLES["gap"][0], {})
    (tmp_path / "b.csv").write_text("ds,y\n2020-01-01 00:00,1\n2020-01-01 01:00,2\n2020-01-01 02:00,2\n")
    with pytest.raises(UserError, match="its times are 1 hour apart, and those trained on were 1 day"):
        read_series([tmp_path / "b.csv"], columns=daily.columns)
    with pytest.raises(UserError, match="its times are counts, and those trained on were dates"):
        read(tmp_path / "b.csv", TABLES["constant and negative"][0], {}, columns=daily.columns)
    # One row has no steps, and takes those that are known.
    (tmp_path / "c.csv").write_text("ds,y\n2020-01-01,1\n")
    assert len(read_series([tmp_path / "c.csv"], columns=daily.columns).series) == 1


def test_another_file_may_write_its_times_otherwise(tmp_path):
    """Clocks show what they showed in training, and an answer is written as the file that is answered."""
    plain = "ds,y\n2024-07-01 08:00,1\n2024-07-01 09:00,2\n"
    offset = "ds,y\n01.07.2024 08:00+02:00,1\n01.07.2024 09:00+02:00,2\n"
    eight = np.datetime64("2024-07-01T08")
    trained = read(tmp_path / "a.csv", plain, {})
    found = read(tmp_path / "b.csv", offset, {}, columns=trained.columns)
    assert found.series.times[0][0] == eight and found.columns.time_zone == ""
    assert times_as_written(found.series.times[0][:1], found.columns) == ["01.07.2024 08:00+02:00"]
    trained = read(tmp_path / "a.csv", plain, {"time_zone": "Europe/Berlin"})
    found = read(tmp_path / "b.csv", offset, {}, columns=trained.columns)
    assert found.series.times[0][0] == trained.series.times[0][0] == eight - np.timedelta64(2, "h")
    following = next_times(found.series.times[0], found.columns.step, 3)
    assert times_as_written(following[-1:], found.columns) == ["01.07.2024 12:00+02:00"]


@pytest.mark.parametrize(
    "times",
    [
        pandas.date_range("2023-03-25 22:00", periods=6, freq="h", tz="Europe/Berlin"),
        pandas.date_range("2023-03-25", periods=6, freq="D"),
        pandas.date_range("2023-03-25", periods=6, freq="15min"),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".tsv.xz", ".parquet", ".jsonl"])
def test_files_of_pandas(times, suffix, tmp_path):
    frame = pandas.DataFrame({"unique_id": [7] * 6, "ds": times, "y": [1.5, None, 3, 4, 5, 6]})
    path = tmp_path / f"a{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path)
    elif suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True, date_format="iso")
    else:
        frame.to_csv(path, sep="\t" if ".tsv" in suffix else ",")
    found = read_series([path])
    assert values_of(found.series) == {"7": [1.5, None, 3, 4, 5, 6]}
    expected = times.tz_convert("UTC").tz_localize(None) if times.tz else times
    assert (found.series.times[0] == expected.to_numpy()).all()
    if suffix != ".jsonl" and not times.tz:
        midnights = str(times[0]).removesuffix(" 00:00:00") if found.columns.step.season_length == 7 else str(times[0])
        assert times_as_written(found.series.times[0][:1], found.columns) == [midnights]


def test_files_of_pyarrow(tmp_path):
    days = pa.array([datetime.date(2024, 2, day) for day in (28, 29)])
    names = pa.array(["a", "a"]).dictionary_encode()
    pq.write_table(
        pa.table({"unique_id": names, "ds": days, "y": pa.array([1, 2], pa.int16())}), tmp_path / "a.parquet"
    )
    pa.csv.write_csv(pa.table({"item": ["a", "a"], "ds": days, "y": [1, 2]}), tmp_path / "b.csv")
    lists = {
        "id": ["u"],
        "timestamp": [[datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 2)]],
        "target": [[1.0, 2.0]],
    }
    pq.write_table(pa.table(lists), tmp_path / "c.parquet")
    for path in sorted(tmp_path.iterdir()):
        series = read_series([path]).series
        assert [targets.tolist() for targets in series.targets] == [[1, 2]], path


numbers = st.one_of(st.none(), st.floats(-1e6, 1e6, width=32), st.integers(-5, 5))
names = st.text(st.sampled_from("aé ,\"'|\t-0."), min_size=1, max_size=3).map(lambda name: f"s{name}e")
rows = st.dictionaries(
    st.tuples(names, st.integers(0, 12)), st.tuples(numbers, st.sampled_from(["x", "y,", ""])), min_size=2
)


@settings(max_examples=60, deadline=None)
@given(rows, st.sampled_from([".csv", ".tsv", ".jsonl", ".csv.gz", ".parquet"]), st.randoms())
def test_what_is_written_comes_back(tmp_path_factory, rows, suffix, random):
    """Also at once and row by row the same."""
    path = tmp_path_factory.mktemp("series") / f"a{suffix}"
    rows = {("days", 0): (1, "x"), ("days", 1): (2, "x"), **rows}  # tell that a step is two days
    order = list(rows)
    random.shuffle(order)
    written = [
        {"unique_id": name, "ds": f"2024-01-{2 * day + 1:02}", "y": rows[name, day][0], "word": rows[name, day][1]}
        for name, day in order
    ]
    if suffix == ".parquet":
        pq.write_table(
            pa.Table.from_pylist(written, pa.schema({"unique_id": "str", "ds": "str", "y": "double", "word": "str"})),
            path,
        )
    else:
        with TableWriter(path) as writer:
            for row in written:
                writer.write(row)
    expected = {}
    for name in dict.fromkeys(name for name, _ in order):
        days = sorted(day for other, day in rows if other == name and rows[other, day][0] is not None)
        if days:
            expected[name] = {2 * day + 1: np.float32(rows[name, day][0]) for day in days}
    reading = Reading(future_columns="word", fill="forward")
    results = []
    with pytest.MonkeyPatch.context() as patch:
        for _ in range(2):
            results.append(read_series([path], reading))
            patch.setattr(tables, "read_whole_columns", lambda *arguments: None)
    for result in results:
        series = result.series
        found = {
            name: {
                int(str(time)[8:10]): value for time, value in zip(times, targets, strict=False) if not np.isnan(value)
            }
            for name, times, targets in zip(series.names, series.times, series.targets, strict=True)
        }
        assert found == expected
    assert results[0].columns == results[1].columns and results[0].notes == results[1].notes
    for one, other in zip(results[0].series.future, results[1].series.future, strict=True):
        assert (one == other).all()


def test_several_files_of_one_split(tmp_path):
    for number in range(2):
        table = pa.table({"unique_id": ["a", "b"], "ds": [number, number], "y": [1.0 + number, 3.0 + number]})
        pq.write_table(table, tmp_path / f"train-{number:05}-of-00002.parquet")
    series = read_series([tmp_path / "train-*-of-00002.parquet"]).series
    assert [targets.tolist() for targets in series.targets] == [[1, 2], [3, 4]]


def test_many_series_are_read_at_once(tmp_path, monkeypatch):
    """Row by row would take minutes of 100,000 series."""
    count = 20_000
    table = pa.table(
        {"unique_id": np.repeat(np.arange(count), 5), "ds": np.tile(np.arange(5), count), "y": np.arange(5.0 * count)}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    pa.csv.write_csv(table, tmp_path / "a.csv")
    monkeypatch.setattr(tables, "_row_by_row", None)
    for name in ("a.parquet", "a.csv"):
        series = read_series([tmp_path / name]).series
        assert len(series) == count and series.targets[-1].tolist() == [99995, 99996, 99997, 99998, 99999]
