import pytest

from data.errors import UserError
from data.sources.split_files import find_splits

TABLES = (".jsonl", ".csv", ".tsv")


def touch(folder, *names):
    for name in names:
        (folder / name).touch()
    return folder


def names(splits):
    return {split: path.name for split, path in splits.files.items()}


def test_one_file_holds_all(tmp_path):
    path = touch(tmp_path, "reviews.csv.gz") / "reviews.csv.gz"
    splits = find_splits(path, TABLES)
    assert splits.files == {"all": path}
    assert splits.ignored == []
    assert splits.path("all") == path
    with pytest.raises(UserError, match=r"reviews\.csv\.gz is one file and has no split 'test'"):
        splits.path("test")


@pytest.mark.parametrize(
    ("stem", "split"),
    [
        ("train", "train"),
        ("validation", "validation"),
        ("valid", "validation"),
        ("val", "validation"),
        ("dev", "validation"),
        ("testa", "validation"),
        ("test", "test"),
        ("testb", "test"),
        ("Dev", "validation"),
        ("eng.testa", "validation"),
        ("fold.1.test", "test"),
        ("en_ewt-ud-dev", "validation"),
        ("test_2016_flickr", "test_2016_flickr"),
        ("eng.test_2017", "test_2017"),
        ("extra", "extra"),
        ("a.b", "a.b"),
        ("test-dev", "test-dev"),
        ("image_splits_val", "image_splits_val"),
    ],
)
@pytest.mark.parametrize("compression", ["", ".gz", ".xz"])
def test_stems(tmp_path, stem, split, compression):
    name = f"{stem}.csv{compression}"
    touch(tmp_path, name)
    assert names(find_splits(tmp_path, TABLES, need_train=False)) == {split: name}


def test_unrelated_files_are_ignored_and_named(tmp_path):
    touch(tmp_path, "train.jsonl.xz", "test.csv", "README.md", "README.csv", "notes.txt", ".hidden.csv", ".csv")
    (tmp_path / "folder.csv").mkdir()
    splits = find_splits(tmp_path, TABLES)
    assert names(splits) == {"train": "train.jsonl.xz", "test": "test.csv"}
    assert sorted(path.name for path in splits.ignored) == sorted(
        ["README.md", "README.csv", "notes.txt", ".hidden.csv", ".csv", "folder.csv"]
    )


def test_files_without_a_suffix_need_a_common_split_name(tmp_path):
    touch(tmp_path, "eng.train.xz", "eng.testa.xz", "eng.testb", "README", "notes.md", "test_blind", "dev.conllu.gz~")
    splits = find_splits(tmp_path, ("", ".conllu"))
    assert names(splits) == {
        "train": "eng.train.xz",
        "validation": "eng.testa.xz",
        "test": "eng.testb",
        "test_blind": "test_blind",
    }
    assert splits.path("test").name == "eng.testb"
    assert names(find_splits(tmp_path / "eng.testb", ("", ".conllu"))) == {"all": "eng.testb"}


def test_parallel_files_are_found_one_language_at_a_time(tmp_path):
    touch(tmp_path, "train.en.gz", "train.de.gz", "val.en", "val.de.xz", "test_2016_flickr.en", "image_splits_val.txt")
    splits = find_splits(tmp_path, (".en",))
    assert names(splits) == {"train": "train.en.gz", "validation": "val.en", "test_2016_flickr": "test_2016_flickr.en"}
    assert splits.path("test").name == "test_2016_flickr.en"


def test_other_words_for_a_split(tmp_path):
    touch(tmp_path, "train.csv", "valid.csv", "testb.csv", "test_2017.csv")
    splits = find_splits(tmp_path, TABLES)
    assert {splits.path(name).name for name in ("val", "dev", "validation", "testa")} == {"valid.csv"}
    # "test" is the stem test or testb where there is one, whatever else begins with test.
    assert splits.path("test").name == "testb.csv"
    assert splits.path("test_2017").name == "test_2017.csv"


def test_test_must_not_be_ambiguous(tmp_path):
    splits = find_splits(touch(tmp_path, "train.csv", "test_2016.csv", "test_2017.csv"), TABLES)
    with pytest.raises(
        UserError,
        match="'test' could mean test_2016 or test_2017; name the one that runs are to be measured on 'test', or choose one with evaluate --split",
    ):
        splits.path("test")
    with pytest.raises(UserError, match="has no split 'validation'; it has test_2016, test_2017, train"):
        splits.path("validation")
    with pytest.raises(UserError, match="has no split 'tset'"):
        splits.path("tset")


@pytest.mark.parametrize(
    ("first", "second", "split"),
    [
        ("train.csv", "train.jsonl", "train"),
        ("test.csv", "test.csv.gz", "test"),
        ("dev.csv", "valid.csv", "validation"),
        ("eng.train.csv", "deu.train.csv", "train"),
    ],
)
def test_two_files_for_one_split(tmp_path, first, second, split):
    touch(tmp_path, first, second)
    with pytest.raises(UserError) as error:
        find_splits(tmp_path, TABLES)
    message = str(error.value)
    assert first in message
    assert second in message
    assert f"are both the {split} split; keep one of them" in message


def test_some_formats_are_looked_at_last(tmp_path):
    for name in ("train.txt", "train.csv", "train.json", "test.csv"):
        (tmp_path / name).write_text("a")
    found = find_splits(tmp_path, (".txt", ".csv", ".json"), last=(".csv", ".json"))
    assert found.files == {"train": tmp_path / "train.txt"}
    (tmp_path / "train.json").unlink()
    (tmp_path / "train.txt").unlink()
    assert set(find_splits(tmp_path, (".txt", ".csv", ".json"), last=(".csv", ".json")).files) == {"train", "test"}


def test_a_folder_without_train(tmp_path):
    with pytest.raises(UserError, match=r"has no train file; expected train\.jsonl, train\.csv, train\.tsv .*nothing"):
        find_splits(tmp_path, TABLES)
    with pytest.raises(UserError, match="has no test file"):
        find_splits(tmp_path, TABLES, need_train=False)
    touch(tmp_path, "test.csv", "train.txt")
    with pytest.raises(UserError, match=r"found test\.csv, train\.txt"):
        find_splits(tmp_path, TABLES)
    assert names(find_splits(tmp_path, TABLES, need_train=False)) == {"test": "test.csv"}


def test_nothing_there_and_another_format(tmp_path):
    touch(tmp_path, "reviews.csv", "reviews.parquet")
    with pytest.raises(UserError, match=r"no such file or folder; did you mean .*reviews\.csv"):
        find_splits(tmp_path / "review.csv", TABLES)
    with pytest.raises(UserError, match=r"reviews\.parquet: expected a name in \.jsonl, \.csv, \.tsv"):
        find_splits(tmp_path / "reviews.parquet", TABLES)


PARQUET = (*TABLES, ".parquet")


def test_several_files_of_a_split_are_one(tmp_path):
    touch(tmp_path, *(f"train-0000{number}-of-00003.parquet" for number in range(3)), "test-00000-of-00001.parquet")
    touch(tmp_path, "validation-00000-of-00002-0a1b.parquet", "validation-00001-of-00002-cd.parquet")
    splits = find_splits(tmp_path, PARQUET)
    assert names(splits) == {
        "train": "train-*-of-00003.parquet",
        "validation": "validation-*-of-00002-*.parquet",
        "test": "test-00000-of-00001.parquet",
    }
    assert sorted(path.name for path in splits.used) == sorted(path.name for path in tmp_path.iterdir())
    assert splits.ignored == []


def test_a_missing_file_of_a_split_is_named(tmp_path):
    touch(tmp_path, "train-00000-of-00003.parquet", "train-00002-of-00003.parquet")
    with pytest.raises(UserError, match=r"train-\*-of-00003\.parquet: number 1 of 3 is missing"):
        find_splits(tmp_path, PARQUET)


def test_a_folder_for_each_split(tmp_path):
    for split, count in [("train", 2), ("test", 1), ("images", 1)]:
        (tmp_path / split).mkdir()
        touch(tmp_path / split, *(f"000{number}.parquet" for number in range(count)))
    splits = find_splits(tmp_path, PARQUET)
    assert splits.files == {"train": tmp_path / "train" / "*.parquet", "test": tmp_path / "test" / "0000.parquet"}
    assert splits.ignored == [tmp_path / "images"]


def test_two_ways_to_one_split_are_an_error(tmp_path):
    touch(tmp_path, "train-00000-of-00002.parquet", "train-00001-of-00002.parquet", "train.parquet")
    with pytest.raises(UserError, match=r"train-\*-of-00002\.parquet and .*train\.parquet are both the train split"):
        find_splits(tmp_path, PARQUET)


def test_json_and_parquet_are_splits_where_no_other_file_is(tmp_path):
    for name in ("train.json", "info.json", "test.parquet"):
        (tmp_path / name).write_text("x")
    suffixes = (".csv", ".json", ".parquet")
    assert {split: path.name for split, path in find_splits(tmp_path, suffixes).files.items()} == {
        "info": "info.json",
        "test": "test.parquet",
        "train": "train.json",
    }
    (tmp_path / "train.csv").write_text("x")
    splits = find_splits(tmp_path, suffixes)
    assert splits.files == {"train": tmp_path / "train.csv"}
    assert [path.name for path in splits.ignored] == ["info.json", "test.parquet", "train.json"]


@pytest.mark.parametrize(
    ("files", "splits"),
    [
        ("training.csv testing.csv validation.csv", {"train": 0, "testing": 1, "validation": 2}),
        ("train_data.csv test_data.csv", {"train": 0, "test_data": 1}),
        ("Corona_NLP_train.csv Corona_NLP_test.csv other.csv", {"train": 0, "test": 1, "other": 2}),
        ("twitter_training.csv twitter_validation.csv", {"train": 0, "validation": 1}),
        ("train.char.csv dev.char.csv test.char.csv", {"train": 0, "validation": 1, "test": 2}),
        (
            "a.training.jsonl test_2017_flickr.jsonl train_test.jsonl",
            {"train": 0, "test_2017_flickr": 1, "train_test": 2},
        ),
        ("training.json", {"train": 0}),
        # Where there is a train file, all others have the names that they had.
        ("train.csv training.csv x_test.csv", {"train": 0, "training": 1, "x_test": 2}),
    ],
)
def test_words_for_a_split_within_a_name(tmp_path, files, splits):
    touch(tmp_path, *files.split())
    expected = {split: files.split()[place] for split, place in splits.items()}
    for need_train in (True, False):
        found = find_splits(tmp_path, (*TABLES, ".json"), need_train=need_train)
        assert names(found) == expected
    assert all(found.path(name.rpartition(".")[0]).name == name for name in expected.values())


def test_what_a_word_tells_is_said(tmp_path):
    touch(tmp_path, "x_training.csv", "y.train.test.csv", "dev.csv")
    assert find_splits(tmp_path, TABLES).told_by_a_word == "train in x_training.csv"
    touch(tmp_path, "train.csv")
    assert find_splits(tmp_path, TABLES).told_by_a_word == ""


def test_two_words_for_one_split(tmp_path):
    touch(tmp_path, "a_train.csv", "b_train.csv", "c_train")
    with pytest.raises(UserError, match=r"a_train\.csv and .*b_train\.csv are both the train split; keep one of them"):
        find_splits(tmp_path, TABLES)
    # To evaluate, each has its own name, as before.
    assert names(find_splits(tmp_path, TABLES, need_train=False)) == {
        "a_train": "a_train.csv",
        "b_train": "b_train.csv",
    }
