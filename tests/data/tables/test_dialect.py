import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import BadLines, UserError
from data.files import Line
from data.tables.delimited import Writing
from data.tables.dialect import DELIMITERS, Layout, find_dialect
from data.tables.rows import dialect_of, read_rows
from data.tables.table_writer import TableWriter


def table(tmp_path, name: str, text: str, layout: Layout = Layout()):
    """What is told of a file, and its rows."""
    path = tmp_path / name
    path.write_bytes(text.encode())
    return str(dialect_of(path, layout=layout)), [row for _, row in read_rows(path, layout=layout)]


# Each as people have it: the file's name, its text, what is told of it, and its rows.
FILES = {
    "semicolons in a .csv, as a German Excel writes it": (
        "a.csv",
        "text;label\nNett, wirklich;pos\nNaja, 2,5 Sterne;neg\n",
        "separated by semicolons, column names in the first line",
        [{"text": "Nett, wirklich", "label": "pos"}, {"text": "Naja, 2,5 Sterne", "label": "neg"}],
    ),
    "bars": (
        "a.csv",
        'text|label\na, "b"|pos\n"c|neg\n',
        "separated by bars, column names in the first line",
        [{"text": 'a, "b"', "label": "pos"}, {"text": '"c', "label": "neg"}],
    ),
    "tabs in a .csv": (
        "a.csv",
        "text\tlabel\na, b\tpos\n",
        "separated by tabs, column names in the first line",
        [{"text": "a, b", "label": "pos"}],
    ),
    "commas in a .tsv": (
        "a.tsv",
        'text,label\n"a, b",pos\nc,neg\n',
        "separated by commas, column names in the first line",
        [{"text": "a, b", "label": "pos"}, {"text": "c", "label": "neg"}],
    ),
    "lines that end in a carriage return": (
        "a.csv",
        "text,label\ra,pos\rb,neg",
        "separated by commas, column names in the first line",
        [{"text": "a", "label": "pos"}, {"text": "b", "label": "neg"}],
    ),
    "no column names, the label a number, as SST-2 has it": (
        "a.tsv",
        "hide new secretions\t0\ncontains no wit\t0\nthat loves its characters\t1\n",
        "separated by tabs, no line of column names",
        [
            {"1": "hide new secretions", "2": "0"},
            {"1": "contains no wit", "2": "0"},
            {"1": "that loves its characters", "2": "1"},
        ],
    ),
    "no column names, the label a word": (
        "a.csv",
        "good film,pos\nbad film,neg\nfine film,pos\ndull film,neg\n",
        "separated by commas, no line of column names",
        [
            {"1": f"{word} film", "2": tag}
            for word, tag in [("good", "pos"), ("bad", "neg"), ("fine", "pos"), ("dull", "neg")]
        ],
    ),
    "every field in quotes": (
        "a.tsv",
        '"text"\t"label"\n"I am hungry."\t"neg"\n"No ""more"""\t"pos"\n',
        "separated by tabs, fields in quotes, column names in the first line",
        [{"text": "I am hungry.", "label": "neg"}, {"text": 'No "more"', "label": "pos"}],
    ),
    "quotes where they are needed, as pandas writes them": (
        "a.tsv",
        'text\tlabel\n"He said ""no""."\tneg\n"two\nlines"\tpos\n"a\ttab"\tpos\nplain\tneg\n',
        "separated by tabs, fields in quotes, column names in the first line",
        [
            {"text": 'He said "no".', "label": "neg"},
            {"text": "two\nlines", "label": "pos"},
            {"text": "a\ttab", "label": "pos"},
            {"text": "plain", "label": "neg"},
        ],
    ),
    "quotes where a comma stands, as a spreadsheet writes them": (
        "a.tsv",
        'text\tlabel\n"Nice, really"\tpos\nBad\tneg\n"They say ""so so"", I say no"\tneg\n',
        "separated by tabs, fields in quotes, column names in the first line",
        [
            {"text": "Nice, really", "label": "pos"},
            {"text": "Bad", "label": "neg"},
            {"text": 'They say "so so", I say no', "label": "neg"},
        ],
    ),
    "quotes that are part of the text": (
        "a.tsv",
        'text\tlabel\n"I am hungry."\tneg\n"open\tpos\nHe said "no".\tneg\n',
        "separated by tabs, column names in the first line",
        [
            {"text": '"I am hungry."', "label": "neg"},
            {"text": '"open', "label": "pos"},
            {"text": 'He said "no".', "label": "neg"},
        ],
    ),
    "tabs in a file without a suffix, as SMS Spam Collection has it": (
        "SMSSpam",
        'ham\tOk lar, fine\nspam\tFree, "win"\nham\tGo, now\nspam\tCall, please\n',
        "separated by tabs, no line of column names",
        [
            {"1": "ham", "2": "Ok lar, fine"},
            {"1": "spam", "2": 'Free, "win"'},
            {"1": "ham", "2": "Go, now"},
            {"1": "spam", "2": "Call, please"},
        ],
    ),
    "semicolons in a .txt": (
        "a.txt",
        "i feel fine;joy\ni feel low;sadness\nso good;joy\nso sad;sadness\n",
        "separated by semicolons, no line of column names",
        [
            {"1": text, "2": label}
            for text, label in zip(("i feel fine", "i feel low", "so good", "so sad"), ("joy", "sadness") * 2)
        ],
    ),
    "a backslash before a quote": (
        "a.csv",
        'text,label\n"He said \\"no\\", and left",neg\nfine,pos\n',
        "separated by commas, \\ before a quote, column names in the first line",
        [{"text": 'He said "no", and left', "label": "neg"}, {"text": "fine", "label": "pos"}],
    ),
    "single quotes where they are needed": (
        "a.csv",
        "Web;'Chrome; \"the\" browser''s end'\nSport;\"Bayern\" won, again\nWeb;'Aus; ''tis'\nWeb;Bayern's end\nSport;'a\nb'\n",
        "separated by semicolons, fields in single quotes, no line of column names",
        [
            {"1": "Web", "2": 'Chrome; "the" browser\'s end'},
            {"1": "Sport", "2": '"Bayern" won, again'},
            {"1": "Web", "2": "Aus; 'tis"},
            {"1": "Web", "2": "Bayern's end"},
            {"1": "Sport", "2": "a\nb"},
        ],
    ),
    "a column's name that is a value, too": (
        "a.tsv",
        "comments\tgender_bias\tbias\thate\nso it is\tFalse\tothers\thate\nnot so\tTrue\tnone\tnone\nno\tFalse\tnone\thate\n"
        "well then\tFalse\tnone\tnone\n",
        "separated by tabs, column names in the first line",
        [
            {"comments": "so it is", "gender_bias": "False", "bias": "others", "hate": "hate"},
            {"comments": "not so", "gender_bias": "True", "bias": "none", "hate": "none"},
            {"comments": "no", "gender_bias": "False", "bias": "none", "hate": "hate"},
            {"comments": "well then", "gender_bias": "False", "bias": "none", "hate": "none"},
        ],
    ),
    "a value over numbers is a name": (
        "a.csv",
        "id,text,spam\n1,so it is,spam\n2,not so,ham\n3,no,spam\n4,well,ham\n",
        "separated by commas, column names in the first line",
        [
            {"id": str(number), "text": text, "spam": label}
            for number, text, label in [
                (1, "so it is", "spam"),
                (2, "not so", "ham"),
                (3, "no", "spam"),
                (4, "well", "ham"),
            ]
        ],
    ),
    "no column names, two labels": (
        "a.tsv",
        "".join(f"text {row}\t{label}\t{label}\n" for row, label in enumerate(["OTHER", "OTHER", "OFFENSE", "OTHER"])),
        "separated by tabs, no line of column names",
        [
            {"1": f"text {row}", "2": label, "3": label}
            for row, label in enumerate(["OTHER", "OTHER", "OFFENSE", "OTHER"])
        ],
    ),
    "no column names, a value that does not come again": (
        "a.tsv",
        "fine\tpos\trare\n" + "".join(f"text {row}\t{'pn'[row % 2]}os\toften\n" for row in range(4)),
        "separated by tabs, no line of column names",
        [{"1": "fine", "2": "pos", "3": "rare"}]
        + [{"1": f"text {row}", "2": f"{'pn'[row % 2]}os", "3": "often"} for row in range(4)],
    ),
    "columns without a name": (
        "a.csv",
        "v1,v2,,,\nham,Go until jurong point,,,\nspam,Free entry,,,\n",
        "separated by commas, column names in the first line",
        [
            {"v1": "ham", "v2": "Go until jurong point", "3": "", "4": "", "5": ""},
            {"v1": "spam", "v2": "Free entry", "3": "", "4": "", "5": ""},
        ],
    ),
    "a name that stands twice is nobody's": (
        "a.csv",
        "text,label,text\na,pos,b\nc,neg,d\n",
        "separated by commas, column names in the first line",
        [{"text (1)": "a", "label": "pos", "text (3)": "b"}, {"text (1)": "c", "label": "neg", "text (3)": "d"}],
    ),
    "names without the separator that every row ends in": (
        "a.csv",
        ",english,yoruba\n0,one,okan,\n1,two,eji,\n",
        "separated by commas, column names in the first line",
        [
            {"1": "0", "english": "one", "yoruba": "okan", "4": ""},
            {"1": "1", "english": "two", "yoruba": "eji", "4": ""},
        ],
    ),
    "quotes of two fields that seem to be those of one": (
        "a.tsv",
        'source\ttarget\n", he said\t, sagte er "\nplain\tschlicht\n',
        "separated by tabs, column names in the first line",
        [{"source": '", he said', "target": ', sagte er "'}, {"source": "plain", "target": "schlicht"}],
    ),
    "one column, whose texts hold other separators": (
        "a.csv",
        "text\nHello; you\nBye\nNo | way\n",
        "separated by commas, column names in the first line",
        [{"text": "Hello; you"}, {"text": "Bye"}, {"text": "No | way"}],
    ),
}


@pytest.mark.parametrize("what", FILES)
def test_files_as_people_have_them(tmp_path, what):
    name, text, told, rows = FILES[what]
    assert table(tmp_path, name, text) == (told, rows)


def test_apostrophes_are_no_quotes(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\n'Tis so,pos\n'No' is her answer,neg\n'Go, she said,neg\n" + "Come,pos\n" * 30)
    assert str(dialect_of(path)) == "separated by commas, column names in the first line"
    bad_lines = BadLines(skip=True)
    rows = [row["text"] for _, row in read_rows(path, bad_lines=bad_lines)]
    assert rows[:3] == ["'Tis so", "'No' is her answer", "Come"] and bad_lines.count == 1


def test_a_flag_overrules_what_is_found(tmp_path):
    text = "1;2\n3;4\n"
    assert table(tmp_path, "a.csv", text)[1] == [{"1": "1", "2": "2"}, {"1": "3", "2": "4"}]
    assert table(tmp_path, "a.csv", text, Layout(header=True))[1] == [{"1": "3", "2": "4"}]
    assert table(tmp_path, "a.csv", text, Layout("comma", header=False))[1] == [{"1": "1;2"}, {"1": "3;4"}]
    assert table(tmp_path, "a.csv", "a\tb\nc\td\n", Layout("\\t", header=False))[1] == [
        {"1": "a", "2": "b"},
        {"1": "c", "2": "d"},
    ]
    message = "--delimiter :: expected auto, tab, comma (,), semicolon (;), bar (|)"
    with pytest.raises(UserError, match=re.escape(message)):
        Layout(":")


def test_who_knows_the_names_tells_the_header(tmp_path):
    text = "a,pos\nb,neg\nc,pos\nd,pos\n"
    assert len(table(tmp_path, "a.csv", text)[1]) == 4
    assert len(table(tmp_path, "a.csv", text, Layout(names_columns=lambda fields: "pos" in fields))[1]) == 3
    # Both separate; the one by which a name is known is the right one.
    text = "text;x,label\na;x,1\n"
    assert table(tmp_path, "a.csv", text, Layout(names_columns=lambda fields: "text" in fields))[1] == [
        {"text": "a", "x,label": "x,1"}
    ]


def test_a_line_above_the_table_is_named_and_costs_no_other(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Results of 2019\n" + "text,label\n" + "".join(f"text {row},{row % 2}\n" for row in range(20)))
    with pytest.raises(UserError, match=r"a\.csv:1: expected 2 fields, found 1"):
        list(read_rows(path))
    bad_lines = BadLines(skip=True)
    rows = [row for _, row in read_rows(path, bad_lines=bad_lines)]
    assert len(rows) == 20 and rows[0] == {"text": "text 0", "label": "0"} and bad_lines.count == 1


texts = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from('";|,\t\n\r\\ ')), max_size=8)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=5), st.sampled_from(sorted(DELIMITERS)))
@pytest.mark.parametrize("quotes", ["needed", "evident"])
def test_what_is_written_in_a_dialect_is_read_back(tmp_path_factory, quotes, rows, name):
    delimiter = DELIMITERS[name]
    if quotes == "evident":
        delimiter = "|" if name in ("semicolon", "bar") else "\t"
        # Quotes that are evident in one row are quotes in all.
        rows = [tuple(field.replace('""', "") for field in row) for row in rows]
    if delimiter in Writing.OFTEN_BARE:  # there, lines that each make a complete row are never joined
        rows = [tuple(field.replace(delimiter, "").replace("\n", "") for field in row) for row in rows]
    path = tmp_path_factory.mktemp("dialect") / "a.csv"
    with TableWriter(path, ["text", "label"], writing=Writing(delimiter, quotes)) as writer:
        for text, label in rows:
            writer.write({"text": f"x{text}", "label": label})
    read = read_rows(path, layout=Layout(delimiter, header=True))
    assert [(row["text"], row["label"]) for _, row in read] == [(f"x{text}", label) for text, label in rows]


def test_decimal_commas_do_not_separate():
    lines = ["Zeit;Last\n", *(f"{day:02}.01.2022;50,{day}\n" for day in range(1, 29))]
    dialect = find_dialect([Line(number, text, "") for number, text in enumerate(lines, 1)])
    assert dialect.columns == ("Zeit", "Last") and dialect.writing.delimiter == ";"
