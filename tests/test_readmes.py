"""Every command and every piece of Python in a README does what it says: on small data, with small networks, an epoch.

Each README's are run in its own order in a folder that has the files that it names. `NOT_RUN` says which are not, and why.
"""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.kills import SMALL, write_small_data
from tests.command import ROOT, checked, cli, run_program

READMES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("templates/*/README.md")),
    *sorted(ROOT.glob("data/samples/*/README.md")),
    ROOT / "benchmarks" / "README.md",
]
PROGRAMS = ("python", "pip", "pytest", "docker", "curl", "(printf", "git", "ruff", "pre-commit", "rnn-templates", "cd")

# How a command begins -> why it is not run here.
NOT_RUN = {
    "pip install": "needs a package registry; .ci/run does it",
    "python -m venv": "needs a package registry; .ci/run does it",
    "python -m pip": "needs a package registry",
    ". .venv/": "goes with the line above",
    "pre-commit install": "changes the clone",
    "ruff format": ".ci/run does it",
    "ruff check": ".ci/run does it",
    "mypy": ".ci/run does it",
    "pytest": "these are the tests",
    "python -m pytest": "these are the tests",
    "python cli.py demo": "a server that runs on; tests/commands/test_show.py asks one",
    "docker run": "needs a server that is no Python package",
    "curl -d": "needs that server",
    "(printf": "needs that server",
    "python cli.py run sentiment --data hf:": "needs the hub; tests/commands/test_hub.py has one of its own",
    "python cli.py run spoken_digits": "a template that is not there",
    "python cli.py predict RUN INPUT": "that template's",
    "python cli.py export RUN exported": "that template's",
    "python -m sentiment run --hidden-units": "in a copy that was changed: tests/test_packaging.py",
    "python -m ner run --hidden-units": "in a copy that was changed: tests/commands/test_ner.py",
    "python -m captioning run --normalized": "in a copy that was changed: tests/commands/test_captioning.py",
    "python -m translation run --normalized": "in a copy that was changed: tests/commands/test_translation.py",
    "python -m language_model run --normalized": "in a copy that was changed: tests/commands/test_language_model.py",
    "python -m forecasting run --normalized": "in a copy that was changed: tests/commands/test_forecasting.py",
    "python -m benchmarks.": "needs the data sets, and hours; tests/benchmarks/ tries them small",
}
CLI = re.compile(rf"python (?:cli\.py|-m (?P<template>{'|'.join(SMALL)})) (?P<words>.*)")


def test_the_list_of_what_is_not_run_has_not_grown():
    every = [part for readme in READMES for line in commands_of(readme) for part in parts_of(line)]
    assert len(NOT_RUN) == 25 and [start for start in NOT_RUN if not any(part.startswith(start) for part in every)] == [
        "python -m pip"  # of the copy's README
    ]


@pytest.mark.parametrize("readme", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_of_a_readme(readme, samples, tmp_path, monkeypatch):
    sandbox(samples, monkeypatch)
    template = readme.parent.name if readme.parent.parent.name == "templates" else ""
    here = tmp_path / "here"
    write_files(here, template, samples)
    on_the_sample = f"python cli.py run {template} --data sample"
    if template and not any(line.startswith(on_the_sample) for line in commands_of(readme)):
        cli(*small(("run", template, "--data", "sample")), "--run-dir", "runs/mine", cwd=here)
    for line in commands_of(readme):
        for part in parts_of(line):
            if not part.startswith(tuple(NOT_RUN)):
                run(part, here, on_the_sample)
    for code in code_of(readme):
        done = run_program("-c", code, cwd=here, PYTHONPATH=str(ROOT))
        assert done.returncode == 0, f"{readme}:\n{code}\n{done.stderr[-2000:]}"


def test_commands_of_a_copys_readme(samples, tmp_path, monkeypatch):
    sandbox(samples, monkeypatch)
    cli("copy", "sentiment", "mine", cwd=tmp_path)
    copy = tmp_path / "mine"
    shutil.copy(samples / "sentiment" / "test.csv", copy / "reviews.csv")
    ran = 0
    for line in commands_of(copy / "README.md"):
        for part in parts_of(line):
            if part.startswith("python -m sentiment"):
                words = [word.replace("FILE_OR_FOLDER", "FILE").replace("FILE", "reviews.csv").replace("RUN", "runs/mine")
                         for word in shlex.split(part)]  # fmt: skip
                if words[3] == "run" and words[-1] != "--help":
                    words = [*words, *SMALL["sentiment"], "--epochs", "1", "--run-dir", "runs/mine", "--restart"]
                    words += [] if "--data" in words else ["--data", "sample"]
                checked(run_program(*words[1:], cwd=copy))
                ran += 1
            elif part.startswith("python cli.py diff"):
                cli(*shlex.split(part.replace("MINE", "mine"))[2:], cwd=tmp_path)
                ran += 1
            else:
                assert part.startswith(tuple(NOT_RUN)), part
    assert ran == 7 and (copy / "exported" / "saved_model.pb").is_file()


def commands_of(readme: Path) -> Iterator[str]:
    """The lines of a README's blocks that are commands, without what is said beside them."""
    text = re.sub(r"^```.*?^```$", "", readme.read_text(encoding="utf-8"), flags=re.M | re.S)
    for line in text.splitlines():
        if line.startswith("    ") and line.split()[0] in PROGRAMS:
            yield re.split(r"\s{2,}|\s+#", line.strip())[0]


def parts_of(line: str) -> list[str]:
    return line.split(" && ")


def code_of(readme: Path) -> list[str]:
    """A README's blocks of Python."""
    return [block.partition("```")[0] for block in readme.read_text(encoding="utf-8").split("```python\n")[1:]]


def run(command: str, here: Path, on_the_sample: str) -> None:
    """Runs a command of a README by `cli.py`, which is also what `python -m TEMPLATE` is, in a copy.

    The first that begins like `on_the_sample` is the run that later ones take.
    """
    found = CLI.fullmatch(command)
    if not found:
        words = shlex.split(command)
        assert words[0] == "python" and words[1].startswith("data/samples/"), f"{command}: neither run nor in NOT_RUN"
        return
    words = [word.replace("RUN", "runs/mine").replace("SEED", "0").replace("FILE", "own") for word in
             shlex.split(found["words"])]  # fmt: skip
    stdin = b""
    if "<" in words:
        stdin = (here / words[-1]).read_bytes()
        words = words[: words.index("<")]
    if words[0] == "run":
        words = words if found["template"] is None else ["run", found["template"], *words[1:]]
        words = list(words if "--help" in words else small(words))
        if command.startswith(on_the_sample) and not (here / "runs" / "mine").exists():
            words += ["--run-dir", "runs/mine"]
    done = cli(*words, cwd=here, stdin=stdin)
    if "--output" in words:
        assert (here / words[words.index("--output") + 1]).stat().st_size
    assert done.stdout or "--output" in words or words[0] == "diff", command


def small(words) -> tuple[str, ...]:
    return (*words, *SMALL[words[1]], "--epochs", "1")


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """A folder with a small sample for each template."""
    folder = tmp_path_factory.mktemp("samples")
    for template in SMALL:
        write_small_data(template, folder / "new").rename(folder / template)
    return folder


def sandbox(samples: Path, monkeypatch) -> None:
    """The bundled samples are small ones, and no public data set is here or to be had."""
    monkeypatch.setattr("data.sources.source.SAMPLES", samples)
    for asked in ("is_available", "is_reachable", "is_downloaded", "is_mirror_reachable"):
        monkeypatch.setattr(f"data.sources.source.{asked}", lambda *_: False)


def write_files(here: Path, template: str, samples: Path) -> None:
    """Writes the files that a README names, as a user would have them."""
    here.mkdir()
    for name in ("lines.txt", "in.txt", "tweets.txt", "beginnings.txt"):
        (here / name).write_text("Ann Lee arrived in Oslo.\nNot bad at all.\n")
    for name in ("reviews.csv", "tickets.csv", "in.csv", "other.csv"):
        shutil.copy(samples / "sentiment" / "test.csv", here / name)
    for name in ("news.conll", "in.conll", "other.conll"):
        shutil.copy(samples / "ner" / "test.conll", here / name)
    (here / "in.conllu").write_text("1\tAnn\t_\tPROPN\t_\t_\t0\troot\t_\t_\n2\tsings\t_\tVERB\t_\t_\t1\t_\t_\t_\n\n")
    rows = [row.split("\t") for row in (samples / "translation" / "train.tsv").read_text().splitlines()[1:]]
    for place, language in enumerate(("de", "en")):
        (here / f"corpus.{language}").write_text("".join(f"{row[place]}\n" for row in rows))
    (here / "in.de").write_text("Ein Hund schläft.\n")
    shutil.copy(samples / "language_model" / "test.txt", here / "other.txt")
    shutil.copytree(samples / "language_model", here / "novels")
    shutil.copytree(samples / "captioning", here / "photos")
    write_series(here, samples / "forecasting")
    pictures = sorted(path for path in (samples / "captioning").rglob("*") if path.suffix in (".jpg", ".png"))
    (here / "folder").mkdir()
    for name in ("picture.jpg", "photo.jpg", "folder/a.jpg"):
        shutil.copy(pictures[0], here / name)
    (here / "paths.txt").write_text("picture.jpg\n")
    (here / "list.txt").write_text("picture.jpg\n")
    shutil.copytree(samples / (template if template in ("captioning", "translation") else "sentiment"), here / "other")
    if template == "ner":
        tokens = [["Ann", "sings"], ["Oslo"]]
        pq.write_table(pa.table({"tokens": tokens}), here / "in.parquet")
        (here / "in.csv").write_text("sentence,word,tag\n1,Ann,B-PER\n1,sings,O\n2,Oslo,B-LOC\n")


def write_series(here: Path, sample: Path) -> None:
    """Writes a table of sales, the last days of it as a history, whose plans go further, and these plans alone."""
    whole = [(sample / f"{split}.csv").read_text().splitlines() for split in ("train", "validation", "test")]
    header, last = whole[0][0], whole[2][1:]
    lines = [header, *(row for part in whole for row in part[1:])]
    (here / "sales.csv").write_text("\n".join(lines) + "\n")
    # unique_id,ds,y,promotion,event,kind
    columns = [row.split(",") for row in last]
    names, days = sorted({row[0] for row in columns}), sorted({row[1] for row in columns})
    ahead = [str(np.datetime64(days[-1]) + np.timedelta64(step, "D")) for step in range(1, 11)]
    kinds = {row[0]: row[5] for row in columns}
    plans = [(name, day, "", "0", "none", kinds[name]) for name in names for day in ahead]
    (here / "history.csv").write_text("\n".join([header, *last, *map(",".join, plans)]) + "\n")
    without = [(name, day, *rest) for name, day, _, *rest in plans]
    (here / "future.csv").write_text("\n".join([header.replace("y,", "", 1), *map(",".join, without)]) + "\n")
