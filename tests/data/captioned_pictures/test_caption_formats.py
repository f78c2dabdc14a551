"""The formats of captions: each is recognized, said and read, whatever the first line looks like."""

import csv
import io
import json
import re
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.captioned_pictures.caption_columns import Told
from data.captioned_pictures.captions import open_captions, read_captions
from data.captioned_pictures.source import find_pictures
from data.errors import BadLines, UserError
from data.files import fingerprint
from data.tables.dialect import DELIMITERS, Layout

README = Path(__file__).parents[3] / "templates" / "captioning" / "README.md"
CAPTIONS = {"1.jpg": ["A dog, a cat .", 'The "big" dog'], "2.jpg": ["Two; three", "A|b"], "3.jpg": ["A bird"]}
ROWS = [(name, text) for name, texts in CAPTIONS.items() for text in texts]


def folder_of(folder: Path, files: dict[str, str | bytes], pictures=("1.jpg", "2.jpg", "3.jpg")) -> Path:
    for name, content in {**dict.fromkeys(pictures, b"picture"), **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def rows_of(path: Path, **told) -> tuple[dict[str, dict[str, list[str]]], list[str], list[str]]:
    """From each split to its captions; what was recognized; and what fits nothing."""
    source = find_pictures(path, **told)
    joined = source.join()
    rows = {split: dict(zip(joined.rows[split].names, joined.rows[split].captions)) for split in source.files}
    return rows, joined.formats, joined.notes


def table(delimiter: str, header: list[str] | None, quoting=csv.QUOTE_MINIMAL, number: bool = False) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, quoting=quoting, lineterminator="\n")
    writer.writerows([header] if header else [])
    writer.writerows((name, row, text) if number else (name, text) for row, (name, text) in enumerate(ROWS))
    return stream.getvalue()


def karpathy(splits: dict[str, str]) -> str:
    def entry(name, split):
        sentences = [{"raw": text, "tokens": text.split()} for text in CAPTIONS[name]]
        return {"filename": name, "imgid": 0, "sentences": sentences, "split": split, "sentids": []}

    return json.dumps({"images": [entry(*item) for item in splits.items()], "dataset": "flickr8k"})


BARE = "".join(f"{name},{text}\n" for name, text in ROWS)
FORMATS = {
    "Kaggle's Flickr8k": ("captions.txt", table(",", ["image", "caption"]), "columns image and caption"),
    "without a header": ("captions.csv", table(",", None), "columns 1 and 2"),
    "in quotes": ("captions.csv", table(",", ["image", "caption"], csv.QUOTE_ALL), "separated by commas"),
    "commas without quotes": ("captions.txt", "image,caption\n" + BARE, "what is left of a line is its caption"),
    "nor a header": ("captions.txt", BARE, "no line of column names; what is left"),
    "Kaggle's Flickr30k": (
        "results.csv",
        "image_name| comment_number| comment\n" + "".join(f"{name}| 0| {text}\n" for name, text in ROWS),
        "columns image_name and comment, separated by bars",
    ),
    "with numbers": ("captions.txt", table(",", ["image_name", "comment_number", "comment"], number=True), "comment"),
    "numbers without a header": ("x.csv", table(",", None, number=True), "columns 1 and 3"),
    "semicolons": ("c.csv", table(";", ["image", "caption"]), "separated by semicolons"),
    "tabs in a .csv": ("c.csv", table("\t", ["file_name", "text"]), "separated by tabs"),
    "unusual column names": ("c.csv", table(",", ["foto", "bildtext"]), "columns foto and bildtext"),
    "metadata.jsonl": (
        "metadata.jsonl",
        "".join(json.dumps({"file_name": name, "text": text}) + "\n" for name, text in ROWS),
        "JSON Lines, columns file_name and text",
    ),
    "a list of objects": (
        "captions.json",
        json.dumps([{"image": name, "caption": texts} for name, texts in CAPTIONS.items()]),
        "a list of objects, columns image and caption",
    ),
    "by names": ("captions.json", json.dumps(CAPTIONS), "captions by pictures' names"),
    "a tab in the first caption": (
        "captions.txt",
        "1.jpg#0\tA dog,\ta cat .\n" + "".join(f"{name}#1\t{text}\n" for name, text in ROWS[1:]),
        "name<TAB>caption on each line",
    ),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_each_format_is_read_and_said(tmp_path, kind):
    name, content, said = FORMATS[kind]
    rows, formats, notes = rows_of(folder_of(tmp_path, {name: content}))
    found = {picture: [" ".join(text.split()) for text in texts] for picture, texts in rows["all"].items()}
    assert (found, notes) == (CAPTIONS, [])
    assert len(formats) == 1 and formats[0].startswith(f"{name}: ") and said in formats[0]
    assert rows_of(tmp_path / name)[0] == rows, "given itself"


def test_the_lines_of_the_readme_are_read(tmp_path):
    section = README.read_text(encoding="utf-8").partition("\n### Formats\n")[2].partition("\n## ")[0]
    formats = re.findall(r"^- `([^`]+)`.*\n(?:  .*\n)*\n((?:      .*\n)+)", section, re.MULTILINE)
    assert len(formats) >= 8
    for number, (name, lines) in enumerate(formats):
        lines = re.sub(r"^ {6}", "", lines, flags=re.MULTILINE).replace("<TAB>", "\t")
        folder = folder_of(
            tmp_path / str(number), {name: lines}, ["dog.jpg", "train/dog.jpg"][name[:5] == "train" :][:1]
        )
        rows, _, notes = rows_of(folder)
        assert [list(captions.values()) for captions in rows.values()] == [[["A dog runs, a cat sleeps ."]]], name
        assert notes == []


_TEXTS = st.from_regex(r"[aé漢](?:[aé漢 ,;|\"'#\t]*[aé漢.\"])?", fullmatch=True).map(
    lambda text: " ".join(text.split())
)
_NAMES = st.from_regex(r"[a-z0-9_#]{1,8}\.(jpg|png)", fullmatch=True)


@settings(max_examples=40)
@given(
    st.dictionaries(_NAMES, st.lists(_TEXTS, min_size=1, max_size=3), min_size=1, max_size=4),
    st.sampled_from([*DELIMITERS.values(), "karpathy", "jsonl", "lines"]),
    st.booleans(),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_is_written_is_read(tmp_path_factory, captions, kind, header, quoting):
    path = tmp_path_factory.mktemp("captions") / "captions.csv"
    rows = [(name, text) for name, texts in captions.items() for text in texts]
    if kind == "karpathy":
        path = path.with_suffix(".json")
        images = [{"filename": name, "sentences": [{"raw": one} for one in texts]} for name, texts in captions.items()]
        path.write_text(json.dumps({"images": images}), encoding="utf-8")
    elif kind == "jsonl":
        path = path.with_suffix(".jsonl")
        objects = [json.dumps({"file_name": name, "caption": text}, ensure_ascii=False) for name, text in rows]
        path.write_text("\n".join(objects), encoding="utf-8")
    elif kind == "lines":
        path.write_text("".join(f"{name}#{row}\t{text}\n" for row, (name, text) in enumerate(rows)), encoding="utf-8")
    else:
        with open(path, "w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, delimiter=kind, quoting=quoting)
            writer.writerows(([("image", "caption")] if header else []) + rows)
    assert read_captions(path) == captions


def test_karpathys_splits_are_taken_and_restval_is_training(tmp_path):
    splits = {"1.jpg": "train", "2.jpg": "restval", "3.jpg": "val"}
    files = {"dataset_flickr8k.json": karpathy(splits), "train.txt": "3.jpg\n"}
    rows, formats, _ = rows_of(folder_of(tmp_path, files))
    assert {split: list(captions) for split, captions in rows.items()} == {
        "train": ["1.jpg", "2.jpg"],
        "validation": ["3.jpg"],
    }
    assert "Karpathy's JSON, with its splits (restval belongs to train)" in formats[0]


def test_splits_stand_in_a_column(tmp_path):
    content = "raw,split,filename\n" + 'A dog,train,1.jpg\n"A cat, too",val,2.jpg\nA bird,test,3.jpg\n'
    rows, formats, _ = rows_of(folder_of(tmp_path, {"annotations.csv": content}))
    assert rows == {
        "train": {"1.jpg": ["A dog"]},
        "validation": {"2.jpg": ["A cat, too"]},
        "test": {"3.jpg": ["A bird"]},
    }
    assert "columns filename, raw and split" in formats[0]
    with pytest.raises(UserError, match="no list of the pictures to train on"):
        find_pictures(folder_of(tmp_path, {"annotations.csv": content.replace("train", "test")}))


@pytest.mark.parametrize("write", [json.dumps, repr])
def test_lists_of_captions_in_a_table(tmp_path, write):
    """As the hub's nlphuji/flickr30k has them, and pandas writes them."""
    stream = io.StringIO()
    csv.writer(stream).writerows([("raw", "filename"), *((write(texts), name) for name, texts in CAPTIONS.items())])
    rows, formats, _ = rows_of(folder_of(tmp_path, {"annotations.csv": stream.getvalue()}))
    assert rows["all"] == CAPTIONS and "columns filename and raw (lists of captions)" in formats[0]


def test_each_folder_has_metadata_of_its_own(tmp_path):
    """As `datasets` calls an imagefolder: the names are those in the same folder."""
    lines = {f"{split}/metadata.jsonl": f'{{"file_name": "1.jpg", "text": "{split}"}}\n' for split in ("train", "test")}
    rows, formats, notes = rows_of(folder_of(tmp_path, lines, ("train/1.jpg", "test/1.jpg")))
    assert formats == ["test/metadata.jsonl, train/metadata.jsonl: JSON Lines, columns file_name and text"]
    assert rows == {"test": {"test/1.jpg": ["test"]}, "train": {"train/1.jpg": ["train"]}} and notes == []


def test_texts_beside_pictures(tmp_path):
    texts = {"train/1.txt": "A dog\nTwo dogs\n", "train/2.jpg.txt": "\ufeffA cat", "val/3.txt": "A bird\r\n"}
    folder_of(tmp_path, texts, ("train/1.jpg", "train/2.jpg", "val/3.jpg", "val/4.jpg"))
    rows, formats, notes = rows_of(tmp_path)
    assert rows == {
        "train": {"train/1.jpg": ["A dog", "Two dogs"], "train/2.jpg": ["A cat"]},
        "validation": {"val/3.jpg": ["A bird"]},
    }
    assert formats == ["a text beside each of 3 pictures"] and notes == ["1 picture has no caption (val/4.jpg)"]
    before = fingerprint(find_pictures(tmp_path).used)
    (tmp_path / "val" / "3.txt").write_text("Another bird")
    assert fingerprint(find_pictures(tmp_path).used) != before
    (tmp_path / "val" / "3.txt").write_bytes(b"caf\xe9")
    with pytest.raises(UserError, match=r"3.txt:1: expected utf-8 text, found the byte 0xe9"):
        find_pictures(tmp_path).join()


def test_boxes_beside_pictures_are_no_captions(tmp_path):
    with pytest.raises(UserError, match=r"has no captions; .*found 1.txt \(what begins with '0 0.5"):
        find_pictures(folder_of(tmp_path, {f"{n}.txt": "0 0.5 0.5 0.1 0.2\n" for n in (1, 2, 3)}))


def test_texts_beside_pictures_in_an_archive(tmp_path):
    with tarfile.open(tmp_path / "00000.tar", "w") as archive:
        for name, content in {"7.jpg": b"x", "7.txt": b"A dog", "7.json": b"{}"}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    for path in (tmp_path, tmp_path / "00000.tar"):
        assert rows_of(path)[0] == {"all": {"7.jpg": ["A dog"]}}


def test_the_usual_format_goes_before_another_unless_none_of_its_pictures_is_there(tmp_path):
    folder_of(tmp_path, {"captions.txt": "1.jpg#0\tA dog\n", "results.csv": "image,caption\n2.jpg,A cat\n"})
    assert rows_of(tmp_path)[0] == {"all": {"1.jpg": ["A dog"]}}
    folder_of(tmp_path, {"captions.txt": "translations\tof words\n"})
    assert rows_of(tmp_path)[0] == {"all": {"2.jpg": ["A cat"]}}


def test_judgements_of_captions_are_no_captions(tmp_path):
    files = {"ExpertAnnotations.txt": "1.jpg\t2.jpg#1\t1\t1\t1\n2.jpg\t1.jpg#0\t3\t4\t3\n"}
    with pytest.raises(UserError, match="has no captions"):
        find_pictures(folder_of(tmp_path, files))
    with pytest.raises(UserError, match="expected captions: .*; found what begins with '1.jpg"):
        find_pictures(tmp_path / "ExpertAnnotations.txt")


def test_columns_are_named_by_flags(tmp_path):
    folder_of(tmp_path, {"c.csv": "id;de;en;name\n1;Ein Hund;A dog;1.jpg\n2;Eine Katze;A cat;2.jpg\n"})
    told = Told(Layout("semicolon"), "name", "en")
    assert rows_of(tmp_path, told=told)[0] == {"all": {"1.jpg": ["A dog"], "2.jpg": ["A cat"]}}
    assert rows_of(tmp_path, told=Told(picture_column="4", caption_column="2"))[0]["all"]["1.jpg"] == ["Ein Hund"]
    for read in (open_captions, find_pictures):
        with pytest.raises(
            UserError, match="has no column 'fr' for --caption-column; its columns are id, de, en, name"
        ):
            read(tmp_path / "c.csv", told=Told(caption_column="fr"))


def test_a_header_can_be_denied(tmp_path):
    folder_of(tmp_path, {"c.csv": "image,caption\n1.jpg,A dog\n"}, ("image.jpg", "1.jpg"))
    assert rows_of(tmp_path, told=Told(Layout(header=False)))[0] == {
        "all": {"image.jpg": ["caption"], "1.jpg": ["A dog"]}
    }


def test_a_line_without_a_separator_is_named(tmp_path):
    """As line 19,999 of Kaggle's results.csv."""
    lines = [f"{number}.jpg| 0| A dog runs .\n" for number in range(1, 9)]
    path = tmp_path / "results.csv"
    path.write_text("image_name| comment_number| comment\n" + "".join(lines) + "9.jpg| 4   A dog runs .\n")
    with pytest.raises(UserError, match=r"results.csv:10: expected 3 fields separated by '\|', found 2 in '9.jpg"):
        read_captions(path)
    bad_lines = BadLines(skip=True)
    assert len(read_captions(path, bad_lines=bad_lines)) == 8 and bad_lines.count == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("captions.json", '{"image": "1.jpg", "caption": "a"}\n{"image": "2.jpg"}', ":2: expected JSON"),
        ("metadata.jsonl", '{"width": 3}\n', "no fields of file names and captions, .*; found width"),
        ("dataset.json", '{"images": [{"sentences": [], "filename": "1.jpg"}]}', "expected a filename and sentences"),
        ("captions.csv", "image,caption\n1.jpg,\n", "captions.csv:2: expected a caption in 'caption', found ''"),
        ("captions.csv", "image,caption\n,A dog\n", "captions.csv:2: expected a picture's name in 'image', found ''"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, name, content, message):
    with pytest.raises(UserError, match=message):
        find_pictures(folder_of(tmp_path, {name: content})).join()


def test_what_is_not_read_is_named_by_what_it_is(tmp_path):
    files = {"a.xlsx": "PK", "b.json": '{"width": 3}', "c.txt": "1.jpg\n", "d.mat": "x", "e.csv": ""}
    with pytest.raises(UserError) as error:
        find_pictures(folder_of(tmp_path, files))
    found = "a.xlsx (an Excel workbook; save it as .csv), b.json (an object of width), c.txt (a list of pictures), "
    assert str(error.value).endswith(f"found {found}d.mat (MATLAB's), e.csv (empty)")


# .parquet


def write_parquet(path: Path, **columns) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def test_pictures_in_tables_as_on_the_hub(tmp_path):
    def picture(number):
        return {"bytes": b"picture %d" % number, "path": f"{number}.png"}

    folder = tmp_path / "data"
    write_parquet(folder / "train-00000-of-00002.parquet", image=[picture(1)], caption=[["A dog", "Two dogs"]])
    write_parquet(folder / "train-00001-of-00002.parquet", image=[picture(2)], caption=[["A cat"]])
    write_parquet(folder / "test-00000-of-00001.parquet", image=[picture(3)], caption=[["A bird"]])
    rows, formats, notes = rows_of(tmp_path)
    assert rows == {"test": {"3.png": ["A bird"]}, "train": {"1.png": ["A dog", "Two dogs"], "2.png": ["A cat"]}}
    files = "test-00000-of-00001.parquet, train-*-of-00002.parquet"
    assert formats == [f"{files}: pictures in a table, columns image and caption"] and notes == []
    source = find_pictures(tmp_path)
    assert source.pictures.read("2.png") == b"picture 2"
    assert [path.name for path in source.used] == [path.name for path in find_pictures(folder).used]
    assert fingerprint(source.used) == fingerprint(find_pictures(tmp_path).used)
    copy = source.pictures.places["2.png"].path
    del source
    assert not copy.exists()


def test_rows_of_one_picture_are_its_captions(tmp_path):
    """Whose copies could be held out of the training rows otherwise."""
    columns = {"jpg": [b"one", b"one", b"two"], "caption_0": ["a", "b", "c"], "caption_1": ["d", "e", "f"]}
    path = write_parquet(tmp_path / "all.parquet", **columns, split=["train", "train", "test"])
    rows, _, _ = rows_of(path)
    assert rows == {"train": {"all-1": ["a", "d", "b", "e"]}, "test": {"all-2": ["c", "f"]}}


def test_a_table_of_names_needs_the_pictures_beside_it(tmp_path):
    write_parquet(tmp_path / "metadata.parquet", file_name=["1.jpg"], text=["A dog"])
    assert rows_of(folder_of(tmp_path, {}))[0] == {"all": {"1.jpg": ["A dog"]}}


def test_a_table_of_pictures_without_captions_is_an_error(tmp_path):
    path = write_parquet(tmp_path / "all.parquet", image=[b"one"], label=[3])
    with pytest.raises(UserError, match="has no column of captions, such as caption; it has image, label; --caption"):
        find_pictures(path)


def test_files_that_cannot_be_read_are_no_captions_and_are_named_where_nothing_else_is(tmp_path):
    damaged = {"a.csv": b"PK\x03\x04", "b.csv": "image,caption\n1.jpg,A dog\n".encode("utf-16")}
    folder_of(tmp_path, damaged)
    with pytest.raises(UserError, match=r"a.csv is packed by zip, .*b.csv:1: .*found UTF-16; add --encoding utf-16\)"):
        find_pictures(tmp_path)
    assert rows_of(folder_of(tmp_path, {"captions.txt": "1.jpg\tA dog\n"}))[0] == {"all": {"1.jpg": ["A dog"]}}
    assert read_captions(tmp_path / "b.csv", "utf-16") == {"1.jpg": ["A dog"]}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("archive.zip", b"PK", "has no pictures; .*; unpack archive.zip$"),
        ("1.heic", b"\0\0\0\x18ftypheic", "has no pictures; .*; 1.heic is a HEIC picture"),
    ],
)
def test_where_no_picture_can_be_read_it_is_said_what_is_there(tmp_path, name, content, message):
    with pytest.raises(UserError, match=message):
        find_pictures(folder_of(tmp_path, {name: content, "captions.txt": "1.jpg\tA dog\n"}, ()))


def test_quotes_in_which_captions_begin_and_end_do_not_join_lines(tmp_path):
    lines = ['1.jpg\t" Sale " says a sign .', '2.jpg\t" Open\tnow', "3.jpg\tA dog .", '4.jpg\tIt says " closed "']
    path = tmp_path / "captions.txt"
    path.write_text("\n".join(lines))
    assert [f"{name}\t{text}" for name, (text,) in read_captions(path).items()] == lines


def test_one_odd_line_does_not_decide_what_a_file_is(tmp_path):
    """A blank for the tab in the first line, beside the lemmas of the captions."""
    lines = "1.jpg#0 A dog runs .\n1.jpg#1\tTwo dogs run .\n2.jpg#0\tA cat sits .\n"
    lemmas = "1.jpg#0\tA dog run .\n1.jpg#1\tTwo dog run .\n2.jpg#0\tA cat sit .\n"
    folder_of(tmp_path, {"Flickr8k.token.txt": lines, "Flickr8k.lemma.token.txt": lemmas}, ("1.jpg", "2.jpg"))
    source = find_pictures(tmp_path)
    with pytest.raises(UserError, match=r"Flickr8k.token.txt:1: expected a picture's name, a tab and a caption"):
        source.join()
    bad_lines = BadLines(skip=True)
    assert source.join(bad_lines=bad_lines).rows["all"].captions == [["Two dogs run ."], ["A cat sits ."]]
    assert bad_lines.count == 1


@pytest.mark.parametrize("header", ["", "image,caption\n"])
def test_a_blank_may_stand_before_quotes(tmp_path, header):
    odd = ['1.jpg, "A tan , ""male"" dog"', '2.jpg, "No" and "yes"', '3.jpg,It says, "go on"']
    path = tmp_path / "captions.txt"
    path.write_text(header + "\n".join([*odd, "4.jpg,A dog , a cat", '5.jpg, "A bird"', "6.jpg,A fish"]))
    found = {name: text for name, (text,) in read_captions(path).items()}
    assert list(found.values())[:3] == ['A tan , "male" dog', '"No" and "yes"', 'It says, "go on"']
    assert list(found.values())[3:] == ["A dog , a cat", "A bird", "A fish"]


def test_a_blank_may_stand_before_quotes_of_a_middle_column(tmp_path):
    path = tmp_path / "captions.csv"
    path.write_text('image, caption, split\n1.jpg, "A dog, a cat", train\n2.jpg, "A bird", val\n')
    found = [(caption.name, caption.text, caption.split) for caption in open_captions(path).captions]
    assert found == [("1.jpg", "A dog, a cat", "train"), ("2.jpg", "A bird", "validation")]


def test_json_by_names_needs_no_telling_name(tmp_path):
    """As a folder of train.json and test.json, which are longer than what is looked at."""
    long = {f"{number}.jpg": ["A dog " + "runs " * 20_000] for number in (1, 2)}
    folder_of(tmp_path, {"train.json": json.dumps(long), "test.json": '{"3.jpg": "A bird"}', "b.json": '{"x": ["y"]}'})
    rows, formats, _ = rows_of(tmp_path)
    assert {split: list(captions) for split, captions in rows.items()} == {
        "train": ["1.jpg", "2.jpg"],
        "test": ["3.jpg"],
    }
    assert formats == ["test.json, train.json: captions by pictures' names"]
    (tmp_path / "train.json").write_text(json.dumps(long).replace(".jpg", ".gif"))
    (tmp_path / "test.json").unlink()
    with pytest.raises(UserError, match=r"train.json \(JSON with 1.gif\)"):
        find_pictures(tmp_path)


@pytest.mark.parametrize("line", ["1.jpg: A dog", "1 A dog", "1#zhc#0 A dog"])
def test_where_a_tab_is_missing_it_is_said(tmp_path, line):
    folder_of(tmp_path, {"captions.txt": f"{line} runs\n{line} sits\n"})
    for path in (tmp_path, tmp_path / "captions.txt"):
        with pytest.raises(UserError, match="what begins with '1.*; a tab must stand between name and caption"):
            find_pictures(path)


@pytest.mark.parametrize("delimiter", [",", "\t", "|"])
def test_a_title_above_the_column_names_is_one_bad_line(tmp_path, delimiter):
    path = tmp_path / "captions.txt"
    path.write_text("My pictures\n\nimage,caption\n1.jpg,A dog runs\n2.jpg,A cat\n".replace(",", delimiter))
    with pytest.raises(UserError, match=r"captions.txt:1: expected 2 fields separated by .*, found 1 in 'My pictures"):
        read_captions(path)
    assert read_captions(path, bad_lines=BadLines(skip=True)) == {"1.jpg": ["A dog runs"], "2.jpg": ["A cat"]}
