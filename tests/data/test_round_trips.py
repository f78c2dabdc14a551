"""What is written in a format comes back the same, through the reader of `run` and the one of `predict --file`.

A few examples each time, many with `-m soak`.
"""

import json
from itertools import groupby

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.captioned_pictures.captions import open_captions, open_names, read_captions, read_picture_list
from data.errors import BadLines
from data.labelled_texts.files import Reading, find_text_column, read_labelled_texts
from data.sentence_pairs.columns import Reading as PairReading
from data.sentence_pairs.columns import find_pair_columns
from data.sentence_pairs.languages import Languages
from data.sentence_pairs.pairs import read_pair_table, read_parallel_files
from data.tables.delimited import Writing
from data.tables.dialect import DELIMITERS, Layout
from data.tables.rows import dialect_of, read_rows, read_text_rows
from data.tables.table_writer import TableWriter
from data.tagged_sentences.column_layout import Wanted
from data.tagged_sentences.columns import read_parts, read_tagged_sentences
from data.tagged_sentences.lists import read_lists
from data.writing import writing
from templates.ner.files import with_tags
from training.runs.folder import RunFolder

EXAMPLES = pytest.mark.parametrize(
    "examples", [pytest.param(15, id="few"), pytest.param(500, id="many", marks=pytest.mark.soak)]
)
COMPRESSIONS = st.sampled_from(["", "", ".gz", ".xz"])
# Any character that UTF-8 can hold, and often those that mean something in some format.
ODD = st.sampled_from("\"',;|\t \\#\u2028\u00a0\ufeff\0\x85\x1c{}[]<>-_\u200b")
letters = st.one_of(st.characters(exclude_categories=["Cs"]), ODD, st.sampled_from("ab"))
lines = st.text(letters.filter(lambda letter: letter not in "\n\r"), max_size=10)
texts = st.text(st.one_of(letters, st.sampled_from("\n\r")), max_size=10)
sentences = lines.map(lambda line: f"a {line}b")


def run_property(examples, *strategies):
    """Tries a function on so many examples."""
    return lambda function: settings(max_examples=examples, deadline=None)(given(*strategies)(function))()


def write_lines(path, rows):
    with writing(path) as stream:
        stream.writelines(f"{row}\n" for row in rows)


@EXAMPLES
def test_tables_and_what_predict_writes_of_them(examples, tmp_path):
    forms = st.sampled_from([*DELIMITERS.values(), "jsonl", "json"])

    @run_property(
        examples, st.lists(st.tuples(texts, st.sampled_from(["pos", "neg"]), texts), min_size=2), forms, COMPRESSIONS
    )
    def holds(rows, form, compression):
        if form in Writing.OFTEN_BARE:
            # There, lines that each make a complete row are never joined.
            rows = [
                tuple("".join(letter for letter in field if letter not in f"{form}\n\r") for field in row)
                for row in rows
            ]
        rows = [{"text": f"x{text}", "label": label, "more": more} for text, label, more in rows]
        suffix = {"jsonl": ".jsonl", "json": ".json"}.get(form, ".csv")
        path = tmp_path / f"a{suffix}{compression}"
        if form == "json":
            with writing(path) as stream:
                json.dump(rows, stream, ensure_ascii=False, indent=1)
        else:
            with TableWriter(
                path, writing=Writing(form, "evident" if form in Writing.OFTEN_BARE else "needed")
            ) as writer:
                for row in rows:
                    writer.write(row)
        read = read_labelled_texts(path)
        assert read.texts == [row["text"] for row in rows] and read.labels == [row["label"] for row in rows]

        def column(row):
            return find_text_column(path, row)

        answered = list(read_text_rows(path, column, layout=Reading().layout))
        assert [row.row for row in answered] == rows and [row.text for row in answered] == read.texts
        for output in ("out.csv", "out.tsv.gz", "out.jsonl"):
            with TableWriter(tmp_path / output) as writer:
                writer.answered = dialect_of(path, layout=Reading().layout)
                for row in answered:
                    writer.write({**row.row, "predicted_label": "pos", "predicted_score": 0.25})
            assert len(lines_of(tmp_path / output)) >= len(rows)
            layout = Layout("tab" if "tsv" in output else "comma", header=True)
            if "tsv" in output and any(mark in field for row in rows for field in row.values() for mark in "\t\n\r"):
                continue
            back = [row for _, row in read_rows(tmp_path / output, layout=layout)]
            score = 0.25 if output.endswith(".jsonl") else "0.25"
            assert back == [{**row, "predicted_label": "pos", "predicted_score": score} for row in rows]


def lines_of(path):
    from data.files import decoded_lines

    return list(decoded_lines(path))


@EXAMPLES
def test_json_of_any_kind(examples, tmp_path):
    numbers = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none())
    values = st.recursive(
        st.one_of(texts, numbers), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
    )

    @run_property(examples, st.lists(st.dictionaries(texts, values, max_size=3), min_size=1, max_size=4), st.booleans())
    def holds(rows, is_ascii):
        for name, text in (
            ("a.jsonl", "".join(f"{json.dumps(row, ensure_ascii=is_ascii)}\n" for row in rows)),
            ("a.json", json.dumps(rows, ensure_ascii=is_ascii, indent=2)),
        ):
            (tmp_path / name).write_text(text, encoding="utf-8", newline="\n")
            read = [row for _, row in read_rows(tmp_path / name)]
            assert read == rows
            with TableWriter(tmp_path / "out.jsonl.gz") as writer:
                for row in read:
                    writer.write(row)
            assert [row for _, row in read_rows(tmp_path / "out.jsonl.gz")] == rows


@EXAMPLES
def test_parquet(examples, tmp_path):
    row = st.fixed_dictionaries(
        {
            "text": texts,
            "number": st.integers(-(2**63), 2**63 - 1),
            "share": st.floats(allow_nan=False),
            "maybe": st.none() | texts,
            "content": st.binary(max_size=5),
            "items": st.lists(texts, max_size=3),
            "inside": st.fixed_dictionaries({"a": texts, "b": st.none() | st.integers(0, 9)}),
        }
    )
    kinds = pa.schema(
        [
            ("text", pa.string()),
            ("number", pa.int64()),
            ("share", pa.float64()),
            ("maybe", pa.string()),
            ("content", pa.binary()),
            ("items", pa.list_(pa.string())),
            ("inside", pa.struct([("a", pa.string()), ("b", pa.int8())])),
        ]
    )

    @run_property(
        examples, st.lists(row, min_size=1, max_size=5), st.sampled_from(["none", "snappy", "zstd"]), st.integers(1, 5)
    )
    def holds(rows, compression, group):
        path = tmp_path / "a.parquet"
        pq.write_table(pa.Table.from_pylist(rows, kinds), path, compression=compression, row_group_size=group)
        assert [row for _, row in read_rows(path)] == rows
        answered = list(read_text_rows(path, lambda row: "text"))
        assert [row.text for row in answered] == [row["text"] for row in rows]


@EXAMPLES
def test_parallel_files_and_tables_of_pairs(examples, tmp_path):
    @run_property(examples, st.lists(st.tuples(sentences, sentences), min_size=1, max_size=6), COMPRESSIONS)
    def holds(pairs, compression):
        for side, language in enumerate(("de", "en")):
            write_lines(tmp_path / f"a.{language}{compression}", [pair[side] for pair in pairs])
        read = read_parallel_files(tmp_path / f"a.de{compression}", tmp_path / f"a.en{compression}")
        assert list(zip(read.sources, read.targets)) == pairs
        tsv, jsonl, csv = (tmp_path / f"pairs{suffix}{compression}" for suffix in (".tsv", ".jsonl", ".csv"))
        bare = [tuple(text.replace("\t", " ") for text in pair) for pair in pairs]
        with TableWriter(tsv, writing=Writing("\t", "evident")) as writer:
            for de, en in bare:
                writer.write({"de": de, "en": en})
        for path in (jsonl, csv):
            with TableWriter(path) as writer:
                for de, en in pairs:
                    writer.write({"de": de, "en": en})
        for path, wanted in ((tsv, bare), (jsonl, pairs), (csv, pairs)):
            read = read_pair_table(path, Languages("de", "en"))
            assert list(zip(read.sources, read.targets)) == wanted
            columns = find_pair_columns(path, Languages("de", "en"), PairReading(), need_target=False)
            answered = [sides[0] for _, _, sides in columns.rows(path, "utf-8", BadLines())]
            assert answered == [de for de, _ in wanted]


@EXAMPLES
def test_sentences_with_tags(examples, tmp_path):
    words = st.text(letters.filter(lambda letter: letter not in "\n\r\t \ufeff"), min_size=1, max_size=5)
    words = words.filter(lambda word: not word.startswith(("#", "-DOCSTART-")))
    tags = st.sampled_from(["O", "B-A", "I-A", "B-B"])
    rows = st.lists(st.lists(st.tuples(words, tags), min_size=1, max_size=4), min_size=2, max_size=5)

    @run_property(examples, rows, st.sampled_from([" ", "\t"]), COMPRESSIONS)
    def holds(rows, separator, compression):
        tokens = [[token for token, _ in row] for row in rows]
        tags = [[tag for _, tag in row] for row in rows]
        conll, conllu, lists = (tmp_path / f"a{suffix}{compression}" for suffix in (".conll", ".conllu", ".jsonl"))
        write_lines(conll, ["\n".join(f"{separator.join(pair)}" for pair in row) + "\n" for row in rows])
        with writing(conllu) as stream:
            for row in rows:
                stream.write("# text = a\n")
                for number, (token, tag) in enumerate(row, 1):
                    stream.write("\t".join([str(number), token, "_", "X", tag, *["_"] * 5]) + "\n")
                stream.write("\n")
        write_lines(lists, [json.dumps({"tokens": one, "ner_tags": other}) for one, other in zip(tokens, tags)])
        for path, column, token_column in ((conll, "2", "1"), (conllu, "xpos", "auto"), (lists, "auto", "auto")):
            read = read_tagged_sentences(path, column, token_column=token_column)
            assert (read.tokens, read.tags) == (tokens, tags)
        for path, wanted in ((conll, Wanted("1", None)), (conllu, Wanted(tag=None))):
            parts = list(read_parts(path, wanted, "utf-8", BadLines()))
            assert [part.tokens for part in parts if part.tokens] == tokens
            found = iter(tags)
            is_conllu = path == conllu
            written = [
                line for part in parts for line in with_tags(part, next(found) if part.tokens else [], is_conllu)
            ]
            if is_conllu:
                fields = [line.split("\t") for line in written if line[:1].isdigit()]
                assert [field[9].strip() for field in fields] == [f"Predicted={tag}" for row in tags for tag in row]
                continue
            with writing(tmp_path / "out.conll") as stream:
                stream.writelines(written)
            read = read_tagged_sentences(tmp_path / "out.conll", "last", token_column="1")
            assert (read.tokens, read.tags) == (tokens, tags)
        assert [sentence.tokens for sentence in read_lists(lists, Wanted(tag=None))] == tokens


@EXAMPLES
def test_captions_of_each_kind(examples, tmp_path):
    # A name does not end in # and a number, which would be the caption's; captions have blanks for whatever is white.
    names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=5).map(lambda name: f"{name}.jpg")
    captions = sentences.map(lambda text: " ".join(text.split()))
    some = st.dictionaries(names, st.lists(captions, min_size=1, max_size=3, unique=True), min_size=2, max_size=4)

    @run_property(examples, some, COMPRESSIONS)
    def holds(known, compression):
        pairs = [(name, caption) for name, several in known.items() for caption in several]
        ids = {name: number for number, name in enumerate(known)}
        coco = {
            "images": [{"id": number, "file_name": name} for name, number in ids.items()],
            "annotations": [{"image_id": ids[name], "caption": caption} for name, caption in pairs],
        }
        karpathy = {
            "images": [
                {"filename": name, "sentences": [{"raw": one} for one in several]} for name, several in known.items()
            ]
        }
        objects = [{"file_name": name, "text": caption} for name, caption in pairs]
        for number, content in enumerate((coco, karpathy, objects, known)):
            with writing(tmp_path / f"{number}.json{compression}") as stream:
                json.dump(content, stream, ensure_ascii=number % 2 == 0)
        write_lines(tmp_path / f"metadata.jsonl{compression}", map(json.dumps, objects))
        write_lines(tmp_path / f"captions.txt{compression}", [f"{name}\t{caption}" for name, caption in pairs])
        numbered = [
            f"{name}#{number}\t{caption}" for name, several in known.items() for number, caption in enumerate(several)
        ]
        write_lines(tmp_path / f"captions.token{compression}", numbered)
        with TableWriter(tmp_path / f"captions.csv{compression}") as writer:
            for name, caption in pairs:
                writer.write({"image": name, "caption": caption})
        for name in [
            *(f"{number}.json" for number in range(4)),
            "metadata.jsonl",
            "captions.txt",
            "captions.token",
            "captions.csv",
        ]:
            path = tmp_path / f"{name}{compression}"
            assert read_captions(path) == known, name
            named = open_names(path, "utf-8", BadLines(), lambda name: name in known)
            assert [name for name, _ in groupby(one.partition("#")[0] for _, one, _ in named.names)] == list(known)
            assert open_captions(path).description
        write_lines(tmp_path / f"train.txt{compression}", known)
        assert read_picture_list(tmp_path / f"train.txt{compression}") == list(known)


@EXAMPLES
def test_vocabularies(examples, tmp_path):
    @run_property(examples, st.lists(texts, unique=True) | st.dictionaries(texts, st.lists(texts), max_size=3))
    def holds(words):
        run = RunFolder(tmp_path)
        run.write_vocabulary(words)
        assert run.read_vocabulary() == words
