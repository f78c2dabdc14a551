"""What several benchmarks' tests use."""

import pytest

from benchmarks import turns


class Clock:
    """Stands for the module `time`: its seconds pass only while somebody sleeps, however busy the machine is."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    """The clock by which implementations are timed."""
    clock = Clock()
    monkeypatch.setattr(turns, "time", clock)
    return clock
