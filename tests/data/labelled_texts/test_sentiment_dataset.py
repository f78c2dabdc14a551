"""The sentiment template over TFDS's imdb_reviews: the real builder, fed with a small archive placed by hand."""

from templates.sentiment import pipeline
from templates.sentiment.config import Config
from tests.data.sources.test_datasets import place_archive, small_archive_is_right, tfds_folder

FIXTURES = (small_archive_is_right, tfds_folder)  # pytest finds them by their names in this module


def test_auto_takes_the_prepared_benchmark_and_holds_out_validation_rows(tfds_folder, small_archive_is_right):  # noqa: F811
    place_archive(tfds_folder)
    config = Config(data="auto", validation_fraction=0.4)
    source = pipeline.find_source(config)
    assert (source.kind, source.name, source.notice) == ("dataset", "imdb_reviews", "")
    opened = pipeline.open_source(config, source)
    assert opened.has_test and opened.to_evaluate(is_own=True) == "test"
    texts = opened.read(["train", "validation", "test"])
    assert [len(texts[split].texts) for split in ("train", "validation", "test")] == [2, 1, 2]
    held_out = texts["train"].texts + texts["validation"].texts
    assert sorted(held_out) == ["dull", "dull, dull", "größer <br /> als"]
    assert set(texts["test"].labels) == {"neg", "pos"}
    assert opened.place("test") == "imdb_reviews (test)" and opened.ignored_files == ""
