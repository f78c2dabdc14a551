import os
from pathlib import Path

import pytest

from tests.copying.toy_project import FILES, write


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    """Copies by the hundred are too slow on a busy disk otherwise."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    root = tmp_path / "project"
    write(root, FILES)
    monkeypatch.syspath_prepend(root)
    return root
