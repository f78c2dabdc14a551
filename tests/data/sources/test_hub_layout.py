import pytest

from data.sources.hub_layout import find_configurations, wanted_splits


def config(name="default", **described):
    return {"config_name": name, **described}


def split(name, path):
    return {"split": name, "path": path}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"], {"default": ["test", "train"]}),
        (["plain_text/train/0000.parquet", "plain_text/test/0000.parquet"], {"plain_text": ["test", "train"]}),
        (["default/partial-train/0000.parquet", "default/test/0000.parquet"], {"default": ["train", "test"]}),
        (["plain_text/imdb-train.parquet", "plain_text/imdb-test.parquet"], {"plain_text": ["test", "train"]}),
        (["train.parquet", "dev.parquet", "testb.parquet"], {"default": ["validation", "test", "train"]}),
        (["train.parquet", "val.parquet", "dev.parquet"], {"default": ["dev", "train", "val"]}),
        (["data/en-train.parquet", "data/de-train.parquet"], {"de": ["train"], "en": ["train"]}),
        (["de/train.parquet", "en/train.parquet", "en/extra.parquet"], {"de": ["train"], "en": ["extra", "train"]}),
        (["one.parquet", "two.parquet"], {"default": ["train"]}),
        (["a@b/train.parquet"], {"default": ["train"]}),
    ],
)
def test_names_tell_configurations_and_splits(files, expected):
    found, usual = find_configurations(files)
    assert {name: list(splits) for name, splits in found.items()} == expected
    assert usual == (next(iter(expected)) if len(expected) == 1 else "")
    assert sorted(file for splits in found.values() for names in splits.values() for file in names) == sorted(files)


def test_the_files_of_a_split_are_in_order():
    files = [f"data/train-0000{number}-of-00003-0a{number}.parquet" for number in (2, 0, 1)]
    assert find_configurations(files)[0]["default"]["train"] == sorted(files)


FILES = ["a/one.parquet", "a/two.parquet", "a/deep/three.parquet", "b/four.parquet", "c.parquet"]


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        (config(data_files="c.parquet"), {"train": ["c.parquet"]}),
        (config(data_files=["a/*", "c.parquet"]), {"train": ["a/one.parquet", "a/two.parquet", "c.parquet"]}),
        (config(data_files="a/**"), {"train": ["a/deep/three.parquet", "a/one.parquet", "a/two.parquet"]}),
        (config(data_files="**/t*.parquet"), {"train": ["a/deep/three.parquet", "a/two.parquet"]}),
        (config(data_files={"dev": "a/one.*", "test": ["b/*"]}), {"validation": [FILES[0]], "test": [FILES[3]]}),
        (
            config(data_files=[split("train", "a/tw?.parquet"), split("matched", "./b/four.parquet")]),
            {"train": ["a/two.parquet"], "matched": ["b/four.parquet"]},
        ),
        (config(data_dir="a", data_files=[split("train", "one*")]), {"train": ["a/one.parquet"]}),
        (config(data_dir="b/"), {"train": ["b/four.parquet"]}),
    ],
)
def test_the_readme_tells_them_by_patterns(described, expected):
    assert find_configurations(FILES, [described]) == ({"default": expected}, "default")


def test_the_usual_configuration():
    def usual(*described):
        return find_configurations(FILES, list(described))[1]

    one, two = config("one", data_files="a/*"), config("two", data_files="b/*")
    assert usual(one, two) == ""
    assert usual(one, {**two, "default": True}) == "two"
    assert usual(one, config(data_files="c.parquet")) == "default"
    assert usual(one) == "one"


@pytest.mark.parametrize(
    "described",
    [
        None,
        {},
        "text",
        [None],
        [config(data_files="nothing/*")],
        [config()],
        [config(data_files=5)],
        [config(data_files=[{"split": "train", "path": None}])],
        [config(data_files={"train": 5})],
    ],
)
def test_a_readme_that_tells_nothing_leaves_it_to_the_names(described):
    assert find_configurations(["train.parquet"], described) == ({"default": {"train": ["train.parquet"]}}, "default")


@pytest.mark.parametrize("name", ["../up", "..", ".", "/etc", "a\\b", "a@b", "a\nb", ""])
def test_names_that_would_leave_the_folder_are_not_taken(name):
    by_names = ({"default": {"train": ["train.parquet"]}}, "default")
    assert find_configurations(["train.parquet"], [config(name, data_files="train.parquet")]) == by_names
    parts = [split(name, "train.parquet")]
    assert find_configurations(["train.parquet"], [config(data_files=parts)]) == by_names


def test_what_is_needed_of_the_splits():
    splits = {name: [] for name in ("train", "validation", "test", "test_2017", "validation_matched", "unsupervised")}
    assert list(wanted_splits(splits)) == ["train", "validation", "test", "test_2017", "validation_matched"]
    assert list(wanted_splits({"a": [], "test": []})) == ["a", "test"]
