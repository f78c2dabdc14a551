"""The verbs that take a RUN, the same for every template: runs, evaluate, predict, export."""

import dataclasses
import json
import os
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import click

from data.errors import UserError
from data.quoting import as_typed
from training.commands import flags as configuration
from training.commands.flags import debug_option
from training.commands.unanswered import Unanswered
from training.runs.finding import find_run, find_runs
from training.runs.folder import RunFolder

# Inputs answered at a time; on a terminal each line is answered as it is typed.
INPUTS_AT_A_TIME = 256

RUN_HELP = "RUN is a run's folder, or a template's name, meaning its latest finished run under ./runs."


def shared_commands(templates: dict[str, Callable]) -> list[click.Command]:
    """Makes the verbs.

    Args:
        templates: A template's name -> what gives its `training.commands.command_line.Template`.

    Returns:
        The commands runs, evaluate, predict, export.
    """
    path_type = click.Path(path_type=Path)
    run = click.Argument(["run"], metavar="RUN")
    debug = debug_option()
    as_json = click.Option(["--json", "as_json"], is_flag=True, help="Print JSON, an object per line.")
    answering = _options(templates, "ANSWERING")
    reading = _options(templates, "READING") + answering
    evaluate_params = [
        run,
        click.Option(["--data"], help="Other data than the run's own: a dataset's name or a path."),
        click.Option(["--split"], help="Which split to measure on; by default test where there is one."),
        as_json,
        *reading,
        debug,
    ]
    predict_params = [
        run,
        click.Argument(["inputs"], nargs=-1, metavar="[INPUT]..."),
        click.Option(["--file"], type=path_type, help="Read the inputs from a file in the format of the run's data."),
        click.Option(["--output"], type=path_type, help="With --file: write all its columns and the answers here."),
        as_json,
        *reading,
        debug,
    ]
    version_help = "Write to the folder of this number in OUT, as TensorFlow Serving expects a model's versions."
    version = click.Option(["--version"], type=click.IntRange(min=1), help=version_help)
    export_params = [run, click.Argument(["out"], type=path_type), version, *answering, debug]

    def evaluate(run, data, split, as_json, **flags):
        _evaluate(*_open(templates, run), data, split, as_json, flags)

    def predict(run, inputs, file, output, as_json, **flags):
        _predict(*_open(templates, run), inputs, file, output, as_json, flags)

    def export(run, out, version, **flags):
        _export(*_open(templates, run), out, version, flags)

    return [
        click.Command("runs", params=[as_json, debug], callback=_list_runs, help="Tabulate the runs under ./runs."),
        click.Command(
            "evaluate", params=evaluate_params, callback=evaluate, help=f"Measure a run's model.\n\n{RUN_HELP}"
        ),
        click.Command(
            "predict",
            params=predict_params,
            callback=predict,
            help=f"Answer INPUTs, or the lines of standard input.\n\n{RUN_HELP}",
        ),
        click.Command(
            "export",
            params=export_params,
            callback=export,
            help=f"Write a SavedModel to the folder OUT: raw input in, answer out.\n\n{RUN_HELP}",
        ),
    ]


def _options(templates: dict[str, Callable], kind: str) -> list[click.Option]:
    """The flags of all templates together for the fields that each template's config names as `kind`."""
    options = {}
    for template_called in templates.values():
        module = template_called().config()
        for option in configuration.options(module.Config, getattr(module, kind)):
            options.setdefault(option.name, option)
    return list(options.values())


def _open(templates: dict[str, Callable], name: str):
    """The template and the folder of the run that `name` means; it has a model.

    Raises:
        UserError: There is no such run, its template is not here, or it has no model yet.
    """
    folder = find_run(name, list(templates))
    template_name = folder.read_config()["template"]
    if template_name not in templates:
        raise UserError(f"{folder.path}: a run of the template {template_name}; here are {', '.join(templates)}")
    if not folder.model_file.is_file():
        raise UserError(f"{folder.path}: no model yet; the run is not finished, and its own command goes on with it")
    return templates[template_name](), folder


def _restore_config(template, folder: RunFolder, flags: dict):
    """The run's configuration, with what was said about reading another file or about the answers.

    Raises:
        UserError: A flag of another template's.
    """
    config = configuration.restore(template.config().Config, folder.read_config(), folder.path)
    # What was "auto" stays what it was for the run, whatever the order of columns in another file.
    config = dataclasses.replace(config, **folder.read_config()["source"].get("resolved", {}))
    given = {name: value for name, value in flags.items() if value is not None}
    foreign = sorted(set(given) - {field.name for field in dataclasses.fields(config)})
    if foreign:
        raise UserError(f"{configuration.flag(foreign[0])} is not a flag of the template {template.name}")
    return dataclasses.replace(config, **given)


def _evaluate(template, folder: RunFolder, data: str | None, split: str | None, as_json: bool, flags: dict) -> None:
    config = _restore_config(template, folder, flags)
    recorded = folder.read_config()["source"]
    own = recorded["path"] if recorded["kind"] == "path" else recorded["name"]
    source = template.pipeline().find_source(dataclasses.replace(config, data=data or own), to_train=False)
    if not data and source.fingerprint != recorded["fingerprint"]:
        click.secho(f"{own}: not the data this run was trained on; it has changed since", fg="yellow", err=True)
    from training.commands.tensorflow_import import import_tensorflow

    import_tensorflow()
    from training.commands.report import print_evaluation

    result = template.evaluate().evaluate(folder, config, source, split)
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False))
    else:
        print_evaluation(result)


def _predict(
    template,
    folder: RunFolder,
    inputs: tuple[str, ...],
    file: Path | None,
    output: Path | None,
    as_json: bool,
    flags: dict,
) -> None:
    if file and inputs:
        raise click.UsageError("give INPUTs or --file, not both")
    if output and not file:
        raise click.UsageError("--output goes with --file")
    config = _restore_config(template, folder, flags)
    are_files = template.config().INPUTS_ARE_FILES
    for text in inputs:
        if os.path.isfile(text) and not are_files:
            reads = as_typed("--file", Path(text))
            click.echo(f"note: {text} is a file, and its name was taken as the input; {reads} reads it", err=True)
    if not inputs and not file and sys.stdin.isatty():
        click.echo(f"{'a path' if are_files else 'an input'} per line; Ctrl-D ends", err=True)
    from training.commands.tensorflow_import import import_tensorflow

    import_tensorflow()
    serving = template.serving()
    model = serving.load(folder, config)
    if file:
        serving.predict_file(model, config, file, output, as_json)
        return
    # An argument that is not UTF-8 comes with surrogates, which no tensor holds, but which belong to a file's name.
    given = (text if are_files else os.fsencode(text).decode("utf-8", errors="replace") for text in inputs)
    unanswered = Unanswered()
    for chunk in _chunks(given if inputs else _lines(are_files)):
        for answer in serving.predict(model, chunk):
            click.echo(json.dumps(answer, ensure_ascii=False) if as_json else serving.as_line(answer))
            if "error" in answer:
                unanswered.report(next(iter(answer.values())), answer["error"])
    unanswered.check()


def _lines(are_files: bool) -> Iterator[str]:
    for line in sys.stdin.buffer:
        line = line.rstrip(b"\r\n")
        # Bytes that are not UTF-8 become U+FFFD, as they do inside an exported model; in a file's name they stay.
        if not are_files:
            yield line.decode("utf-8", errors="replace")
        elif line.strip():
            yield os.fsdecode(line)


def _chunks(inputs: Iterator[str]) -> Iterator[list[str]]:
    size = 1 if sys.stdin.isatty() else INPUTS_AT_A_TIME
    while chunk := list(islice(inputs, size)):
        yield chunk


def _export(template, folder: RunFolder, out: Path, version: int | None, flags: dict) -> None:
    config = _restore_config(template, folder, flags)
    base, out = out, out / str(version) if version else out
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out}: already there and not empty; choose another folder")
    from training.commands.tensorflow_import import import_tensorflow

    import_tensorflow()
    template.serving().export(folder, config, out)
    click.echo(f"{out}: a SavedModel; tf.saved_model.load({str(out)!r}).signatures['serving_default'] answers")
    if version:
        name = as_typed(f"--model_name={template.name}", f"--model_base_path={base.resolve()}")
        click.echo(f"{base}: for tensorflow_model_server --rest_api_port=8501 {name}")


def _list_runs(as_json: bool) -> None:
    from training.commands.report import print_runs

    runs = find_runs()
    if as_json:
        for folder in runs:
            click.echo(json.dumps({"run": str(folder.path), **folder.read_config(), "metrics": folder.read_metrics()}))
    else:
        print_runs(runs)
