"""Shared by all tests: nothing of a user's own settings or data folders leaks in; how many run at a time."""

import gc
import itertools
import os
import random

import hypothesis
import numpy as np
import pytest

from training.commands.tensorflow_import import COLLECTED_AFTER

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if "PYTEST_XDIST_WORKER" in os.environ:
    # One of several processes, each with a core: more threads would only take turns. What a test starts has them all.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    # And none takes all of a GPU's memory.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")

# The longest files, longest first.
LONGEST = (
    "test_readmes.py", "test_kills.py", "test_show.py", "test_packaging.py", "test_differentiation.py", "test_sample.py",
    "test_resume.py", "test_language_model.py", "test_ner.py", "test_captioning.py", "test_translation.py",
)  # fmt: skip

# Of the tests.
_numbers = itertools.count()
# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")


@pytest.hookimpl(optionalhook=True)  # there may be no pytest-xdist
def pytest_xdist_auto_num_workers(config) -> int:
    """How many processes are to run the tests: one for each core; none beside pytest's own for a single file or test."""
    if len(config.args) == 1 and ".py" in config.args[0]:
        return 0
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pytest_collection_modifyitems(items) -> None:
    """The files that take minutes come first: one that began last would keep one core while the others have nothing."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


def pytest_collection_finish() -> None:
    """All that the tests' files import is there: the garbage collector need not look at it again."""
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)


@pytest.fixture(scope="session")
def caches(tmp_path_factory):
    """A folder in which each test has folders of its own."""
    return tmp_path_factory.mktemp("caches")


@pytest.fixture(autouse=True)
def no_datasets_of_the_user(caches, monkeypatch):
    """Points TFDS and the hub at empty folders, so that `auto` never finds (or fills) the user's own."""
    own = caches / str(next(_numbers))
    for variable, name in (("TFDS_DATA_DIR", "tfds"), ("HF_HOME", "hub")):
        (own / name).mkdir(parents=True)
        monkeypatch.setenv(variable, str(own / name))


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A small hub on 127.0.0.1, without data sets, and an empty cache."""
    from huggingface_hub import constants

    from tests.hub_server import serving

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_ASSETS_CACHE", str(tmp_path / "assets"))
    with serving() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture
def gone(monkeypatch):
    """What takes the hub away."""
    return lambda: monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")


@pytest.fixture(autouse=True)
def the_same_numbers_every_time():
    """Seeds what Keras draws its own seeds from, so that a test that fails fails again."""
    random.seed(0)
    np.random.seed(0)
