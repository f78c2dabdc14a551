"""One template's command line: the verb `run`, and around all verbs the place where mistakes become one line.

`cli.py` builds its own verbs from these functions; in a copy they are the whole of `python -m NAME`.
"""

import ast
import contextlib
import dataclasses
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import click

from data.errors import UserError
from data.quoting import as_typed
from training.commands import flags as configuration
from training.commands.flags import QUIET_FLAG, debug_option
from training.commands.on_runs import shared_commands
from training.commands.standard_streams import abandon_unwritable, open_standard_streams
from training.runs.finding import find_run, find_runs, read_json_or_none
from training.runs.folder import NOT_IDENTITY, RunFolder, default_path, is_record, open_run
from training.stop_requests import Interrupted


@dataclass(frozen=True)
class Template:
    """A template's modules, each imported when it is asked for.

    Args:
        folder: The template's folder; its name is the template's name.
        config: Gives the module with `Config`; `READING`, the fields about reading a file; `ANSWERING`, those about how an
            answer is found; `EXAMPLE_INPUT`, something to type after `predict RUN`; `INPUTS_ARE_FILES`, whether these
            are paths.
        pipeline: Gives the module with `find_source(config) -> Source`, which needs no TensorFlow. A source has `kind`
            ("sample", "dataset" or "path"), `name`, `path`, `fingerprint`, `notice` and `resolved`, the fields that the
            data decided.
        train: Gives the module with `train(config, source, run, test)`, which leaves a finished run folder.
        evaluate: Gives the module with `evaluate(run, config, source, split) -> dict`.
        serving: Gives the module with `load(run, config)`, `predict(model, inputs)`, a dictionary for each, the input
            first, with `error` where it cannot be answered, `as_line(answer) -> str`, `predict_file(model, config,
            path, output, as_json)`, which ends by `training.commands.unanswered.Unanswered.check`, and
            `export(run, config, folder)`.
        version: The project's version, recorded in each run.
        mistakes: Exception classes that are the user's mistakes, besides UserError and OSError.
    """

    folder: Path
    config: Callable[[], ModuleType]
    pipeline: Callable[[], ModuleType]
    train: Callable[[], ModuleType]
    evaluate: Callable[[], ModuleType]
    serving: Callable[[], ModuleType]
    version: str
    mistakes: tuple[type[Exception], ...] = ()

    @property
    def name(self) -> str:
        return self.folder.name


def summary(folder: Path) -> str:
    """The first line of a template's docstring, read without importing it."""
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    return docstring.splitlines()[0]


def main(template: Template) -> None:
    """Runs the command line of one template: what `python -m NAME` does."""
    group = click.Group(template.name, help=summary(template.folder), params=common_options(template.version))
    group.add_command(run_command(template, name="run"))
    for command in shared_commands({template.name: lambda: template}):
        group.add_command(command)
    call(group, template.mistakes, prog_name=as_typed("python", "-m", template.name))


def common_options(version: str) -> list[click.Option]:
    """The options of a whole command line: `--debug`, `--version`."""

    def show_version(context, option, asked):
        if asked:
            click.echo(version)
            context.exit()

    return [
        debug_option(),
        click.Option(["--version"], callback=show_version, help="Show the version and exit.", **QUIET_FLAG),
    ]


def call(command: click.Command, mistakes: tuple[type[Exception], ...] = (), prog_name: str | None = None) -> None:
    """Runs a click command; a user's mistake becomes one line and exit code 1, a defect keeps its traceback.

    Args:
        command: The command; `--debug` on the command line shows the traceback of a mistake too.
        mistakes: The exception classes that are a user's mistakes, besides UserError and OSError.
        prog_name: The name in usage lines; click's guess if None.
    """
    open_standard_streams()
    for stream in (sys.stdout, sys.stderr):
        # A pipe on Windows may be in an encoding without emoji.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        try:
            command.main(prog_name=prog_name)
        except SystemExit:  # how click ends, well or not
            sys.stdout.flush()  # a full disk may show here first
            raise
    except BrokenPipeError:
        # The reader of a pipe went away (`| head`); nothing more can be said to it.
        _fail()
    except Interrupted as stopped:
        _fail(str(stopped))
    except (UserError, OSError, *mistakes) as error:
        if "--debug" in sys.argv:
            raise
        _fail(f"Error: {one_line(error)}")


def _fail(message: str | None = None) -> NoReturn:
    """Says why, if it can be said, and ends with exit code 1."""
    with contextlib.suppress(OSError):
        if message:
            click.echo(message, err=True)
    abandon_unwritable()
    sys.exit(1)


def one_line(error: Exception) -> str:
    """An exception as one line for the user."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    return " ".join(str(error).split())


def run_command(template: Template, name: str) -> click.Command:
    """The verb `run`, with a flag per field of the template's Config.

    Args:
        template: The template.
        name: The command's name: "run" in a copy, the template's name under `cli.py run`.
    """
    path_type = click.Path(path_type=Path)
    folder_help = f"The run's folder; by default runs/{template.name}-<8 hex of configuration and data>."
    test_help = "Measure on the test split at the end; --no-test while tuning."
    params = [
        debug_option(),
        click.Option(["--run-dir"], type=path_type, help=folder_help),
        click.Option(["--restart"], is_flag=True, help="Begin anew; the old run is moved aside, not deleted."),
        click.Option(["--test/--no-test"], default=True, show_default=True, help=test_help),
        *configuration.options(template.config().Config),
    ]
    what = summary(template.folder)
    return click.Command(
        name,
        params=params,
        callback=lambda **values: run(template, **values),
        help=f"{what}\n\nTrains, measures and saves a model. The same command goes on with a run that was stopped; a larger "
        "--epochs extends a finished one.",
        short_help=what,
        context_settings={"max_content_width": 110},
    )


def run(template: Template, run_dir: Path | None, restart: bool, test: bool, **values) -> None:
    """Trains, goes on, or prints what a finished run reached."""
    config = configuration.build(template.config().Config, values)
    if getattr(config, "initialize_from", None):
        # A template's name means its latest run: which one that was is part of what this run is.
        parent = find_run(config.initialize_from, [template.name])
        config = dataclasses.replace(config, initialize_from=str(parent.path))
    before = None if restart else _resolved_before(template.name, config, run_dir)
    resolved = dataclasses.replace(config, data=before["name"]) if before else config
    source = template.pipeline().find_source(resolved)
    record = before or source.record()
    if record["notice"]:
        click.secho(record["notice"], fg="yellow", bold=True)
    fields = dataclasses.asdict(config)
    path = run_dir or default_path(template.name, fields, record)
    with open_run(path, template.name, fields, record, restart) as folder:
        if _is_complete(folder, config, test):
            early = folder.read_metrics()["stopped_early"]
            further = "--patience ended it" if early else "a larger --epochs extends it"
            click.echo(f"{path} is finished; {further}, --restart begins anew")
        else:
            _train(template, config, source, record, folder, test)
    from training.commands.report import print_result

    print_result(folder, _commands_to_type(template, folder))


def _train(template: Template, config, source, record: dict, folder: RunFolder, test: bool) -> None:
    from training.commands.tensorflow_import import import_tensorflow

    try:
        folder.write_config(template.name, dataclasses.asdict(config), record, template.version)
        import_tensorflow()
        template.train().train(config, source, folder, test)
    except OSError as error:
        if not folder.checkpoint_file.is_file():
            raise
        raise UserError(f"{one_line(error)}; the last checkpoint is whole, the same command goes on from it") from error


def _is_complete(folder: RunFolder, config, test: bool) -> bool:
    """Whether there is nothing left to do: no epoch (early stopping may have ended the run) and no test."""
    metrics = folder.read_metrics()
    if not metrics or not metrics["finished"]:
        return False
    epochs_left = config.epochs > metrics["epochs"] and not metrics["stopped_early"]
    return not epochs_left and (metrics["tested"] or not test)


def _resolved_before(template_name: str, config, run_dir: Path | None) -> dict | None:
    """What `auto` was resolved to by an unfinished run of the same configuration: a run keeps the data it began with.

    Returns:
        The source as that run recorded it; None where there is no such run.
    """
    if config.data != "auto":
        return None
    fields = {name: value for name, value in dataclasses.asdict(config).items() if name not in NOT_IDENTITY}
    for folder in [RunFolder(run_dir)] if run_dir else reversed(find_runs()):
        record = read_json_or_none(folder.config_file)
        if not is_record(record) or (folder.is_finished() and not run_dir):
            continue
        before = record["config"]
        if record["template"] == template_name and before["data"] == "auto" and fields.items() <= before.items():
            return record["source"]
    return None


def _commands_to_type(template: Template, folder: RunFolder) -> list[str]:
    """The next commands, as this process was called: `python cli.py`, `rnn-templates` or `python -m NAME`."""
    program = click.get_current_context().find_root().command_path
    return [
        f"{program} predict {as_typed(folder.path)} {template.config().EXAMPLE_INPUT}",
        f"{program} evaluate {as_typed(folder.path)} --data FILE",
        f"{program} export {as_typed(folder.path)} exported",
    ]
