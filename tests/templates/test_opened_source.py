"""What `pipeline.open_source` gives is alike in every template, and files are looked for once in a run."""

import importlib
import inspect
from pathlib import Path

import pytest

import cli
import data.captioned_pictures.files as picture_files
from data.sources.opened_source import OpenedSource
from data.sources.rows import Rows
from data.sources.source import SAMPLES

TEMPLATES = tuple(cli.TEMPLATES)


def modules(name):
    return (importlib.import_module(f"templates.{name}.{module}") for module in ("config", "pipeline"))


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_sample_opens_into_the_same_members_in_every_template(name):
    config_module, pipeline = modules(name)
    config = config_module.Config(data="sample")
    source = pipeline.find_source(config)
    opened = pipeline.open_source(config, source)
    assert isinstance(opened, OpenedSource) and opened.source is source
    assert sorted(opened.given) == ["test", "train", "validation"]
    assert opened.has_test and not opened.holds_out
    assert opened.to_train(test=True) == ["train", "validation", "test"]
    assert opened.to_train(test=False) == ["train", "validation"]
    assert opened.to_evaluate(is_own=True) == "test"
    assert Path(opened.place("validation")).parent == SAMPLES / name
    read = opened.read(["test", "validation"])
    assert list(read) == ["test", "validation"]
    for rows in read.values():
        # A series is long, and there are few.
        assert isinstance(rows, Rows) and len(rows) >= (12 if name == "forecasting" else 200)
        assert rows.select([3, 1]).select([1]) == rows.select([1])
    told = {fact for fact, said in opened.facts.items() if said}
    assert opened.facts.keys() >= {"bad lines", "not read"} and told <= {"read as", "series"}


def test_finding_and_opening_take_the_same_arguments_in_every_template():
    functions = ("find_source", "open_source")
    taken = {
        tuple(tuple(inspect.signature(getattr(pipeline, function)).parameters) for function in functions)
        for _, pipeline in map(modules, TEMPLATES)
    }
    assert taken == {(("config", "to_train"), ("config", "source"))}


def counted(monkeypatch, owner, name):
    """The calls of a function from here on, as a list of their arguments."""
    calls, function = [], getattr(owner, name)

    def call(*given, **options):
        calls.append(given)
        return function(*given, **options)

    monkeypatch.setattr(owner, name, call)
    return calls


def test_a_folder_of_sentence_pairs_is_scanned_once_in_a_run(tmp_path, monkeypatch):
    for split in ("train", "val", "test"):
        for language in ("de", "en"):
            (tmp_path / f"{split}.{language}").write_text("a\nb\n", encoding="utf-8")
    config_module, pipeline = modules("translation")
    config = config_module.Config(data=str(tmp_path), source_language="de")
    scans = counted(monkeypatch, pipeline, "find_pairs")
    source = pipeline.find_source(config)
    opened = pipeline.open_source(config, source)
    assert [len(rows) for rows in opened.read(opened.to_train(test=True)).values()] == [2, 2, 2]
    assert pipeline.languages_of(source) == ("de", "en") and opened.place("test") == str(tmp_path / "test.de")
    assert set(opened.facts.values()) == {None} and len(scans) == 1


def test_a_packed_archive_of_pictures_is_unpacked_once_in_a_run(monkeypatch):
    config_module, pipeline = modules("captioning")
    config = config_module.Config(data="sample")
    unpacked = counted(monkeypatch, picture_files, "_uncompressed")
    source = pipeline.find_source(config)
    names = pipeline.open_source(config, source).read(["test"])["test"].names
    assert source.files.pictures.read(names[0]) and len(unpacked) == 1
