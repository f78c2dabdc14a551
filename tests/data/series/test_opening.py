"""Splits by time: of one file, of files for each split, and of series that are short."""

import datetime
import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import BadLines, UserError
from data.series.columns import Reading
from data.series.files import find_tables
from data.series.opening import Split, open_series
from data.series.rows import leave_out_short
from data.sources.source import resolve_source
from tests.hub_server import Repository

HEADER = "unique_id,ds,y,event\n"


def rows(name, days, first=0, event="none"):
    return "".join(f"{name},{day},{day}.5,{event}\n" for day in range(first, first + days))


def opened(path, split=Split(), reading=Reading(), to_train=True, columns=None):
    def find(place):
        return find_tables(place, to_train)

    source = resolve_source(str(path), benchmark=None, sample="forecasting", datasets={}, find=find)
    return open_series(source, reading, BadLines(), split, columns)


def spans(series):
    return {
        name: (begins, len(targets))
        for name, begins, targets in zip(series.names, series.begins, series.targets, strict=True)
    }


@pytest.mark.parametrize(
    ("split", "ends"),
    [
        (Split(), (60, 80)),
        (Split(10, 20), (70, 80)),
        (Split(0, 5), (75, 95)),
        (Split(5, 0), (75, 80)),
        (Split(60, 60), (0, 40)),
    ],
)
def test_one_file_is_cut_by_time(split, ends, tmp_path):
    (tmp_path / "a.csv").write_text(HEADER + rows("u", 100))
    source = opened(tmp_path / "a.csv", split)
    assert source.given == ["all", "train", "validation", "test"] and source.has_test and not source.holds_out
    if ends[0]:
        found = source.read(["train", "validation", "test"])
        assert [spans(found[name])["u"] for name in found] == [(0, ends[0]), (ends[0], ends[1]), (ends[1], 100)]
        assert found["train"].targets[0][-1] == ends[0] - 0.5 and len(found["train"].times[0]) == ends[0]
    else:
        with pytest.raises(UserError, match="nothing is left for train: the longest series, 'u', has 100 steps"):
            source.read(["train"])
    assert spans(source.read(["all"])["all"]) == {"u": (0, 100)}
    assert source.place("test") == str(tmp_path / "a.csv")
    assert (source.to_evaluate(is_own=True), source.to_evaluate(is_own=False)) == ("test", "all")


def test_files_for_each_split_go_on_with_one_another(tmp_path):
    (tmp_path / "train.csv").write_text(HEADER + rows("u", 50) + rows("only_trained", 30))
    (tmp_path / "validation.csv").write_text(HEADER + rows("u", 10, 50))
    # As some sets do, the test file begins with what stands in the others; one series is in it alone.
    (tmp_path / "test.csv").write_text(HEADER + rows("u", 70) + rows("new", 8))
    source = opened(tmp_path)
    found = source.read(["train", "validation", "test"])
    assert spans(found["train"]) == {"u": (0, 50), "only_trained": (0, 30)}
    assert spans(found["validation"]) == {"u": (50, 60)}
    assert spans(found["test"]) == {"u": (60, 70), "new": (0, 8)}
    (tmp_path / "validation.csv").unlink()
    found = opened(tmp_path).read(["train", "validation", "test"])
    assert spans(found["train"]) == {"u": (0, 40), "only_trained": (0, 24)}
    assert spans(found["validation"]) == {"u": (40, 50), "only_trained": (24, 30)}
    assert spans(found["test"]) == {"u": (50, 70), "new": (0, 8)}
    (tmp_path / "test.csv").unlink()
    found = opened(tmp_path, Split(5, 5)).read(["train", "validation", "test"])
    assert [spans(found[name])["u"] for name in found] == [(0, 40), (40, 45), (45, 50)]


def test_to_evaluate_a_test_file_is_enough(tmp_path):
    (tmp_path / "test.csv").write_text(HEADER + rows("u", 20))
    source = opened(tmp_path, to_train=False)
    assert source.given == ["test"] and spans(source.read(["test"])["test"]) == {"u": (0, 20)}
    with pytest.raises(UserError, match="has no split 'april'"):
        source.read(["april"])


def test_a_file_that_says_otherwise_is_named(tmp_path):
    (tmp_path / "train.csv").write_text(HEADER + rows("u", 50))
    (tmp_path / "test.csv").write_text(HEADER + "u,49,7,none\n" + rows("u", 9, 50))
    with pytest.raises(UserError, match=r"test.csv:2: expected each time once, found 49 of series 'u' again"):
        opened(tmp_path).read(["train"])


def test_words_that_come_after_training_are_not_learned(tmp_path):
    text = rows("u", 60) + rows("u", 1, 60, "fair") + rows("u", 39, 61) + rows("v", 20, 0, "sale")
    (tmp_path / "a.csv").write_text(HEADER + text)
    source = opened(tmp_path / "a.csv", reading=Reading(future_columns="event"))
    test = source.read(["test"])["test"]
    assert source.columns.future == (("event", "none"), ("event", "sale")) and test.future[0].shape == (100, 2)
    assert test.future[0].sum(axis=1).tolist() == [1.0] * 60 + [0.0] + [1.0] * 39
    assert source.facts["only after training"] == "'fair' in 'event'"
    again = opened(tmp_path / "a.csv", reading=Reading(future_columns="event"), columns=source.columns)
    assert all(np.array_equal(*pair) for pair in zip(again.read(["test"])["test"].future, test.future, strict=True))


def test_short_series_are_left_out_and_named(tmp_path):
    (tmp_path / "a.csv").write_text(HEADER + rows("long", 100) + rows("short", 20) + rows("shorter", 4))
    found = opened(tmp_path / "a.csv").read(["train", "validation", "test"])
    kept, note = leave_out_short(found["train"], window=10, horizon=3)
    assert (
        kept.names == ["long"] and note == "2 too short for a window of 10 and a horizon of 3 steps: 'short', 'shorter'"
    )
    # The window may reach back into what was trained on, the horizon may not.
    kept, note = leave_out_short(found["test"], window=16, horizon=4)
    assert kept.names == ["long", "short"] and "'shorter'" in note
    with pytest.raises(UserError, match="no series is long enough .* the longest, 'long', has 60; take a smaller"):
        leave_out_short(found["train"], window=60, horizon=1)


def test_a_set_of_the_hub_with_a_series_in_each_row(hub):
    """As data sets for forecasting models lie there: lists of times and values, a train split alone."""
    first = datetime.datetime(2024, 1, 1)
    times = [[first + datetime.timedelta(hours=hour) for hour in range(count)] for count in (50, 30)]
    series = {"id": ["T1", "T2"], "timestamp": times, "target": [list(map(float, range(50))), [1.0] * 29 + [None]]}
    stream = io.BytesIO()
    pq.write_table(pa.table(series), stream)
    hub.repositories["own/loads"] = Repository({"main": {"hourly/train-00000-of-00001.parquet": stream.getvalue()}})
    found = opened("hf:own/loads").read(["train", "validation", "test"])
    assert [spans(found[name]) for name in found] == [
        {"T1": (0, 30), "T2": (0, 17)},
        {"T1": (30, 40), "T2": (17, 23)},
        {"T1": (40, 50), "T2": (23, 29)},
    ]


def test_files_of_whole_series_that_tell_their_first_time_alone(tmp_path):
    """As those of the Monash archive and of GluonTS: what is tested on holds what was trained on."""
    numbers = np.random.default_rng(0).normal(size=[2, 60]).astype(np.float32)
    numbers[0, 3] = np.nan
    for name, less in (("train", 24), ("validation", 12), ("test", 0)):
        values = [list(row[: 60 - 10 * place - less]) for place, row in enumerate(numbers)]
        table = {"start": ["2024-01-01"] * 2, "target": values, "item_id": ["T1", "T2"]}
        pq.write_table(pa.table(table), tmp_path / f"{name}.parquet")
    with pytest.raises(UserError, match=r"train.parquet:1: expected a list of times in 'start', .* --time-column none"):
        opened(tmp_path).read(["train"])
    found = opened(tmp_path, reading=Reading(time_column="none")).read(["train", "validation", "test"])
    assert [spans(found[name]) for name in found] == [
        {"T1": (0, 36), "T2": (0, 26)},
        {"T1": (36, 48), "T2": (26, 38)},
        {"T1": (48, 60), "T2": (38, 50)},
    ]
    assert np.array_equal(found["test"].targets[1], numbers[1, :50])


def test_a_file_of_what_comes_next_goes_on_though_it_begins_alike(tmp_path):
    for name, values in (("train", [0] * 10), ("validation", [0] * 12), ("test", [0, 0, 1])):
        (tmp_path / f"{name}.csv").write_text("y\n" + "".join(f"{value}\n" for value in values))
    found = opened(tmp_path, reading=Reading(time_column="none")).read(["train", "validation", "test"])
    assert [list(spans(found[name]).values()) for name in found] == [[(0, 10)], [(10, 22)], [(22, 25)]]


def test_a_file_that_nearly_begins_as_the_one_before_is_a_mistake(tmp_path):
    numbers = np.random.default_rng(0).normal(size=40).tolist()
    (tmp_path / "train.csv").write_text("y\n" + "".join(f"{value}\n" for value in numbers[:30]))
    revised = [value + (place == 20) for place, value in enumerate(numbers)]
    (tmp_path / "test.csv").write_text("y\n" + "".join(f"{value}\n" for value in revised))
    with pytest.raises(
        UserError, match=r"test.csv:22: expected the value of .*train.csv:22 again, as nearly everywhere"
    ):
        opened(tmp_path, reading=Reading(time_column="none")).read(["train"])
    # Of what hardly ever changes, most values are alike anyway.
    for name, sale in (("train", 10), ("test", 25)):
        lines = "".join(f"{int(place == sale)}\n" for place in range(30))
        (tmp_path / f"{name}.csv").write_text(f"y\n{lines}")
    found = opened(tmp_path, reading=Reading(time_column="none")).read(["train", "validation", "test"])
    assert len(found["test"].targets[0]) == 60


def test_lists_of_values_without_a_name_of_their_own_are_not_joined(tmp_path):
    rows = [{"start": "2024-01-01", "target": [1, 2, 3]}, {"start": "2020-01-01", "target": [7, 8, 9]}]
    (tmp_path / "a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    with pytest.raises(UserError, match=r"a.jsonl:2: expected each series once, found a second list .* of line 1"):
        opened(tmp_path / "a.jsonl", reading=Reading(time_column="none")).read(["train"])
