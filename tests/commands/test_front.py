"""The front door without a run: what it imports, how fast it answers, and mistakes that need no TensorFlow."""

import importlib
import json
import lzma
import os
import resource
import subprocess
import sys

import pytest

import cli as front_door
from tests.command import ROOT, cli, shell

HEAVY = ("tensorflow", "keras", "numpy", "tensorflow_datasets", "matplotlib", "rich", "requests")
QUICK = [
    ("--help",),
    ("list",),
    ("run", "--help"),
    ("run", "sentiment", "--help"),
    ("run", "captioning", "--help"),
    ("run", "ner", "--help"),
    ("run", "translation", "--help"),
    ("predict", "--help"),
    ("--version",),
]


@pytest.mark.parametrize("arguments", QUICK, ids=" ".join)
def test_help_and_lists_answer_at_once_without_tensorflow(arguments, tmp_path):
    script = (
        f"import sys; sys.argv = ['cli.py', *{arguments!r}]; sys.path.insert(0, {str(ROOT)!r}); import cli, atexit\n"
        f"atexit.register(lambda: print('HEAVY', [name for name in {HEAVY} if name in sys.modules]))\n"
        "cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert "HEAVY []" in done.stdout, done.stdout + done.stderr

    def seconds(*command):
        """What a process takes of a processor, however busy it is with others."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *command], check=True, capture_output=True, cwd=tmp_path)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    if min(seconds(ROOT / "cli.py", *arguments) for _ in range(2)) >= 0.3:
        # A slow machine: in proportion to what click alone takes, one after the other.
        pairs = [(seconds("-c", "import click"), seconds(ROOT / "cli.py", *arguments)) for _ in range(3)]
        click_alone, ours = map(min, zip(*pairs, strict=True))
        assert ours < 6 * click_alone


IMPORTED = [
    (("list",), ["training.commands.flags", "training.runs", "data.sources", "copying", "templates.ner"]),
    (("run", "--help"), ["training.commands.flags", "training.runs", "data.sources", "copying", "templates.ner"]),
    (("run", "sentiment", "--help"), ["training.commands.predict", "copying", "templates.ner"]),
    (("runs",), ["training.commands.flags", "training.commands.run", "copying", "templates.ner"]),
    (("copy", "sentiment", "mine"), ["training.commands.flags", "training.runs", "templates.ner"]),
    (("diff", "mine"), ["training.commands.flags", "training.runs", "templates.ner"]),
]


@pytest.mark.parametrize("arguments, not_needed", IMPORTED, ids=lambda value: " ".join(value))
def test_a_command_imports_what_it_runs_and_nothing_else(arguments, not_needed, tmp_path):
    if arguments == ("diff", "mine"):
        cli("copy", "sentiment", "mine", cwd=tmp_path)
    script = (
        f"import sys; sys.argv = ['cli.py', *{arguments!r}]; sys.path.insert(0, {str(ROOT)!r}); import cli, atexit\n"
        f"atexit.register(lambda: print('UNNEEDED', [name for name in {not_needed} if name in sys.modules]))\n"
        "cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0 and "UNNEEDED []" in done.stdout, done.stdout + done.stderr


def test_list_shows_the_templates_by_their_docstrings(tmp_path):
    lines = cli("list", cwd=tmp_path).stdout.splitlines()
    beginnings = {
        "captioning": "Describe a picture in a sentence (one-to-many)",
        "ner": "Tag every token (many-to-many",
        "sentiment": "Label a text (many-to-one)",
        "translation": "Translate a sentence (many-to-many, lengths differ)",
    }
    told = {name: summary.lstrip() for name, _, summary in (line.partition(" ") for line in lines)}
    assert list(told) == list(front_door.TEMPLATES) and all(map(str.strip, told.values()))
    assert all(told[name].startswith(beginning) for name, beginning in beginnings.items())


@pytest.mark.parametrize("template", front_door.TEMPLATES)
def test_every_flag_of_a_template_has_a_help_text_in_a_section(tmp_path, template):
    from training.commands.flags import comments_of, options

    Config = importlib.import_module(f"templates.{template}.config").Config
    comments = comments_of(Config)
    assert list(comments) == list(Config.__dataclass_fields__)
    assert all(help_text and section != "Options" for section, help_text in comments.values())
    help_lines = cli("run", template, "--help", cwd=tmp_path).stdout.splitlines()
    headings = [line[:-1] for line in help_lines if line.endswith(":") and not line.startswith(" ")]
    assert headings == ["Options", *dict.fromkeys(section for section, _ in comments.values())]
    assert headings[1:4] == ["Data", "Network", "Training"] and headings[-1] == "Run"
    for option in options(Config):
        assert any(line.split()[:1] == [option.opts[0]] for line in help_lines)


def test_the_bounds_of_a_field_stand_beside_its_default(tmp_path):
    shown = " ".join(cli("run", "translation", "--help", cwd=tmp_path).stdout.split())
    for part in (
        "[default: 256; at least 2]",
        "[default: 0.002; more than 0]",
        "[default: 0.3; at least 0 and below 1]",
    ):
        assert part in shown


# What each template's run on its sample was called before its fields had sections: a folder made then is found again.
# Translation's was another one before its attention was scaled.
FOLDERS = {
    "captioning": "captioning-62816bd5",
    "ner": "ner-88ed3731",
    "sentiment": "sentiment-1c206bf7",
    "translation": "translation-c1545227",
}


@pytest.mark.parametrize("template", FOLDERS)
def test_the_folder_of_a_run_is_called_as_ever(template):
    config = importlib.import_module(f"templates.{template}.config").Config(data="sample")
    source = importlib.import_module(f"templates.{template}.pipeline").find_source(config)
    from training.configuration import recorded
    from training.runs.record import Record

    assert Record(template, "0", source, recorded(config)).default_path().name == FOLDERS[template]


MISTAKES = [
    (("runn",), 2, "No such command 'runn'"),
    (("run", "sentimant"), 2, "did you mean sentiment?"),
    (("run", "sentiment", "--epoch", "3"), 2, "--epochs"),
    (("run", "sentiment", "--epochs", "-1"), 2, "--epochs must be at least 1, got -1"),
    (("run", "sentiment", "--epochs", "many"), 2, "not a valid integer"),
    (("run", "sentiment", "--cell", "gro"), 2, "'gru'"),
    (("run", "sentiment", "--output-dropout", "1"), 2, "--output-dropout must be at least 0 and below 1, got 1.0"),
    (("run", "translation", "--beam-width", "0"), 2, "--beam-width must be at least 1, got 0"),
    (("run", "ner", "--learning-rate", "0"), 2, "--learning-rate must be more than 0, got 0.0"),
    (("run", "ner", "--validation-fraction", "nan"), 2, "--validation-fraction must be more than 0, got nan"),
    (("run", "sentiment", "--initialize-from", "sentiment"), 1, "no finished run of sentiment"),
    (("run", "translation", "--data", "corpus.de"), 1, "corpus.de: no such file or folder"),
    (("run", "sentiment", "--data", "reviews.cvs"), 1, "reviews.cvs: no such file or folder"),
    (("run", "sentiment", "--data", "imdb_review"), 1, "did you mean imdb_reviews"),
    (("evaluate", "runs/mine"), 1, "runs/mine: no such run folder"),
    (("predict", "sentiment", "good"), 1, "no finished run of sentiment"),
    (("predict", "photos", "good"), 1, "photos: not a run folder"),
    (("export", "sentiment"), 2, "Missing argument 'OUT'"),
    (("copy", "sentimant", "mine"), 2, "did you mean sentiment?"),
    (("diff", "photos"), 1, "photos: not a copy"),
    (("run", "sentiment", "--data", "sample", "--run-dir", "photos"), 1, "photos: not empty and not a run folder"),
]


@pytest.mark.parametrize(
    "arguments, status, message", MISTAKES, ids=lambda value: " ".join(value) if type(value) is tuple else ""
)
def test_a_mistake_gets_one_line(arguments, status, message, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("")
    done = cli(*arguments, cwd=tmp_path, status=status)
    line = done.stderr.splitlines()[-1]
    assert line.startswith("Error: ") and message in line
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


@pytest.mark.parametrize("template", FOLDERS)
def test_a_template_has_a_command_line_of_its_own(template, tmp_path):
    def shown(*arguments):
        command = [sys.executable, "-m", f"templates.{template}", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout

    lines = shown("--help").splitlines()
    assert lines[0].startswith(f"Usage: python -m templates.{template} ")
    listed = lines[lines.index("Commands:") :]
    commands = [line.split()[0] for line in listed if line[:3].strip() and line.startswith("  ")]
    assert commands == ["run", "runs", "evaluate", "predict", "show", "demo", "export"]
    assert (
        shown("run", "--help").splitlines()[1:] == cli("run", template, "--help", cwd=tmp_path).stdout.splitlines()[1:]
    )
    assert shown("--version") == cli("--version", cwd=tmp_path).stdout


def test_debug_shows_the_traceback(tmp_path):
    command = [sys.executable, str(ROOT / "cli.py"), "--debug", "evaluate", "runs/mine"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1 and "Traceback" in done.stderr and "UserError" in done.stderr


@pytest.mark.parametrize("arguments", ["--help", "runs"])
def test_standard_streams_may_be_closed_full_or_without_a_reader(arguments, tmp_path):
    shell(f"$CLI {arguments} <&- >&- 2>&-", tmp_path)
    assert shell(f"$CLI {arguments} >&-", tmp_path).stderr == ""
    assert shell(f"$CLI {arguments} 2>&- <&-", tmp_path).stdout
    shell(f"{{ sleep 1; $CLI {arguments}; echo $? >status; }} | true", tmp_path)
    assert (tmp_path / "status").read_text() == "1\n"
    if os.path.exists("/dev/full"):
        full = shell(f"$CLI {arguments} >/dev/full", tmp_path, status=1).stderr
        assert full == "Error: No space left on device\n"
        shell(f"$CLI {arguments} >/dev/full 2>/dev/full", tmp_path, status=1)


def test_copy_and_diff_need_no_standard_streams(tmp_path):
    shell("$CLI copy sentiment mine <&- >&- 2>&-", tmp_path)
    shell("$CLI diff mine <&- >&- 2>&-", tmp_path)
    shell("cd mine && python -m sentiment runs <&- >&- 2>&-", tmp_path)


def test_a_file_never_gets_the_number_of_a_closed_stream(tmp_path):
    (tmp_path / "script.py").write_text(
        f"import os, sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from training.commands.standard_streams import open_standard_streams\n"
        "open_standard_streams()\n"
        "with open('checkpoint', 'w') as file:\n"
        "    os.write(2, b'chatter'), print('chatter', file=sys.stderr)\n"
        "    print(file.fileno(), repr(sys.stdin.read()), os.get_inheritable(0))\n"
    )
    number, read, inherited = shell("python script.py <&- 2>&-", tmp_path).stdout.split()
    assert int(number) > 2 and read == "''" and inherited == "True"
    assert (tmp_path / "checkpoint").read_text() == ""


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_files_that_cannot_be_read_are_named_with_their_line(tmp_path):
    good = [{"text": f"text {number}", "label": str(number % 2)} for number in range(10)]
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "latin.csv").write_bytes("text,label\nschön,1\nschlecht,0\n".encode("latin-1"))
    write(tmp_path / "column.jsonl", [{"titel": "a", "label": "1"}])
    write(tmp_path / "one.jsonl", [{"text": "a", "label": "1"}, {"text": "b", "label": "1"}])
    whole = lzma.compress("".join(json.dumps(row) + "\n" for row in good * 2000).encode())
    (tmp_path / "cut.jsonl.xz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "split").mkdir()
    write(tmp_path / "split" / "train.jsonl", good)
    write(tmp_path / "split" / "valid.jsonl", [{"text": "new", "label": "7"}])
    (tmp_path / "two").mkdir()
    for name in ("train", "test_a", "test_b"):
        write(tmp_path / "two" / f"{name}.jsonl", good)
    expected = {
        "empty.csv": "empty.csv is empty",
        "latin.csv": "latin.csv:2: ",
        "column.jsonl": "its columns are 'titel', 'label'",
        "cut.jsonl.xz": "cut short",
        "one.jsonl": "at least two labels",
        "split": "valid.jsonl: none of its labels (7) occurs in training (0, 1)",
        "two": "'test' could mean test_a or test_b",
    }
    for name, message in expected.items():
        done = cli("run", "sentiment", "--data", name, "--run-dir", "mine", cwd=tmp_path, status=1)
        assert message in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
        assert not (tmp_path / "mine").exists()


def test_bad_lines_are_left_out_and_counted_once_and_strange_labels_are_only_labels(tmp_path):
    labels = ["[spam]", "[/b]", ":smile: $a$", "🙂"]
    lines = [json.dumps({"text": f"text {number}", "label": labels[number % 4]}) for number in range(40)]
    (tmp_path / "mixed.jsonl").write_text("\n".join([*lines, "not JSON", "[1]"]) + "\n")
    (tmp_path / "notes.txt").write_text("")
    flags = ("--units", "2", "--embedding-size", "2", "--epochs", "1", "--run-dir", "mine")
    done = cli("run", "sentiment", "--data", "mixed.jsonl", *flags, cwd=tmp_path, status=1)
    assert "mixed.jsonl:41: " in done.stderr and "--skip-bad-lines" in done.stderr
    done = cli("run", "sentiment", "--data", "mixed.jsonl", "--skip-bad-lines", *flags, cwd=tmp_path)
    assert "2 bad lines left out" in done.stdout
    for label in labels:
        assert label in done.stdout
    assert "mine/plots" not in done.stderr and (tmp_path / "mine" / "plots" / "confusion_validation.png").is_file()


@pytest.mark.parametrize("template", front_door.TEMPLATES)
def test_a_run_asks_for_onednn_where_its_template_does(template, tmp_path, monkeypatch):
    asked = []

    def stop(onednn=False):
        asked.append(onednn)
        raise OSError("enough")

    monkeypatch.setattr("training.commands.tensorflow_import.import_tensorflow", stop)
    cli("run", template, "--data", "sample", "--run-dir", "mine", cwd=tmp_path, status=1)
    assert asked == [template in ("captioning", "forecasting", "translation")]
