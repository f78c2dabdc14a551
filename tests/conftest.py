"""Shared by all tests: nothing of a user's own settings or data folders leaks in."""

import os
import random

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(autouse=True)
def no_datasets_of_the_user(tmp_path_factory, monkeypatch):
    """Points TFDS at an empty folder, so that `auto` never finds (or fills) the user's own data folder."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path_factory.mktemp("tfds")))


@pytest.fixture(autouse=True)
def the_same_numbers_every_time():
    """Seeds what Keras draws its own seeds from, so that a test that fails fails again."""
    random.seed(0)
    np.random.seed(0)
