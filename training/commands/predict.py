"""The verb `predict`: answers inputs that are typed, piped, or in a file."""

import io
import json
import os
import sys
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import click

from data.files import LONGEST_LINE, check_encoding, check_file, check_length, content_suffix
from data.quoting import as_typed
from training.commands.command_line import debug_option
from training.commands.flags import SectionedCommand
from training.commands.run_argument import RUN_HELP, field_options, json_option, open_trained_run, run_argument
from training.commands.template import Template
from training.commands.unanswered import Unanswered

# Inputs answered at a time; on a terminal each line is answered as it is typed.
INPUTS_AT_A_TIME = 256
# Tables that hold no JSON.
DELIMITED = (".csv", ".tsv")


def command(templates: dict[str, Template]) -> click.Command:
    """The verb, for the runs of some templates: a template's name -> the template."""
    path_type = click.Path(path_type=Path)
    return SectionedCommand(
        "predict",
        params=[
            run_argument(),
            click.Argument(["inputs"], nargs=-1, metavar="[INPUT]..."),
            click.Option(
                ["--file"], type=path_type, help="Read the inputs from a file in the format of the run's data."
            ),
            click.Option(["--output"], type=path_type, help="With --file: write all its columns and the answers here."),
            json_option(),
            debug_option(),
            *field_options(templates, "READING", "ANSWERING"),
        ],
        callback=lambda **values: _predict(templates, **values),
        help=f"Answer INPUTs, or the lines of standard input.\n\n{RUN_HELP}",
    )


def _predict(
    templates: dict[str, Template],
    run: str,
    inputs: tuple[str, ...],
    file: Path | None,
    output: Path | None,
    as_json: bool,
    **flags,
) -> None:
    template, folder, config = open_trained_run(templates, run, flags)
    if file and inputs:
        raise click.UsageError("give INPUTs or --file, not both")
    if output and not file:
        raise click.UsageError("--output goes with --file")
    if file:
        check_file(file)
    if output and as_json and content_suffix(output) in DELIMITED:
        raise click.UsageError(
            f"--json writes an object a line, and --output {output} is a table; leave one of them out"
        )
    encoding = flags["encoding"]
    if encoding:
        check_encoding(encoding)
    are_files = template.config.INPUTS_ARE_FILES
    for text in inputs:
        if os.path.isfile(text) and not are_files:
            reads = as_typed("--file", Path(text))
            click.echo(f"note: {text} is a file, and its name was taken as the input; {reads} reads it", err=True)
    if not inputs and not file and sys.stdin.isatty():
        click.echo(f"{'a path' if are_files else 'an input'} per line; Ctrl-D ends", err=True)
    from training.commands.tensorflow_import import import_tensorflow

    import_tensorflow()
    serving = template.serving
    model = serving.load(folder, config)
    if file:
        as_json = as_json or bool(output and content_suffix(output) == ".jsonl")
        serving.predict_file(model, config, file, output, as_json)
        return
    # An argument that is not UTF-8 comes with surrogates, which no tensor holds, but which belong to a file's name.
    given = (text if are_files else os.fsencode(text).decode("utf-8", errors="replace") for text in inputs)
    if inputs and not as_json and hasattr(serving, "stream"):
        for text in given:
            for part in serving.stream(model, text):
                click.echo(part, nl=False)
            click.echo()
        return
    unanswered = Unanswered()
    for chunk in _chunks(given if inputs else _lines(are_files, encoding)):
        for answer in serving.predict(model, chunk):
            click.echo(json.dumps(answer, ensure_ascii=False) if as_json else serving.as_line(answer))
            if "error" in answer:
                unanswered.report(next(iter(answer.values())), answer["error"])
    unanswered.check()


def _lines(are_files: bool, encoding: str | None) -> Iterator[str]:
    # Not the run's encoding, which is that of its files: a terminal's is UTF-8, unless one is named here and now.
    # Bytes that are not valid in it become U+FFFD, as they do inside an exported model; in a file's name they stay.
    errors = "surrogateescape" if are_files and not encoding else "replace"
    with io.TextIOWrapper(open(0, "rb", closefd=False), encoding or "utf-8", errors, newline="\n") as lines:
        for number, line in enumerate(iter(partial(lines.readline, LONGEST_LINE + 1), "")):
            check_length("standard input", number + 1, len(line), LONGEST_LINE)
            line = line.removeprefix("\ufeff") if number == 0 else line
            line = line.rstrip("\r\n")
            if line.strip() or not are_files:
                yield line


def _chunks(inputs: Iterator[str]) -> Iterator[list[str]]:
    size = 1 if sys.stdin.isatty() else INPUTS_AT_A_TIME
    while chunk := list(islice(inputs, size)):
        yield chunk
