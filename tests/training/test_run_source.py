"""What data a run goes on with."""

import pytest

from data.sources.source import Source
from templates.sentiment.config import Config
from training.commands.run import _source_before
from training.configuration import recorded
from training.runs.folder import RunFolder
from training.runs.record import Record

PINNED = f"hf:own/reviews/plain_text@{'0a' * 20}"


@pytest.fixture
def begun(tmp_path):
    """The folder of a run that was begun on a data set of the hub."""
    source = Source("hub", PINNED, None, "", "f" * 64, "hf:own/reviews", {"keep": "end"})
    path = tmp_path / "run"
    path.mkdir()
    config = Config(data="hf:own/reviews", units=7)
    RunFolder(path).write_record(Record("sentiment", "1", source, recorded(config)))
    return path


def test_a_run_keeps_the_revision_that_it_began_with(begun):
    before = _source_before("sentiment", Config(data="hf:own/reviews", units=7), begun)
    assert (before.name, before.kind, before.path, before.resolved) == (PINNED, "hub", None, {"keep": "end"})


@pytest.mark.parametrize(
    "changed",
    [{"data": "hf:own/other"}, {"data": "auto"}, {"data": "sample"}, {"units": 8}],
    ids=lambda changed: str(changed),
)
def test_another_command_is_not_that_run(begun, changed):
    assert _source_before("sentiment", Config(**{"data": "hf:own/reviews", "units": 7, **changed}), begun) is None
