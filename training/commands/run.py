"""The verb `run`: trains, goes on with a run that was stopped, or prints what a finished one reached."""

import dataclasses
import typing
from pathlib import Path

import click

from data.errors import UserError
from data.quoting import as_typed
from data.sources.hub_client import PREFIX
from data.sources.source import Source
from training.commands.command_line import debug_option, one_line
from training.commands.flags import SectionedCommand, options
from training.commands.template import Template, has_pages
from training.configuration import names_a_run, recorded
from training.runs.finding import find_run, find_runs, record_or_none
from training.runs.folder import RunFolder
from training.runs.opening import open_run
from training.runs.record import Record, identity_of
from training.stop_requests import Interrupted, termination_interrupts


def command(template: Template) -> click.Command:
    """Makes the verb, with a flag per field of the template's Config."""
    path_type = click.Path(path_type=Path)
    folder_help = f"The run's folder; by default runs/{template.name}-<8 hex of configuration and data>."
    test_help = "Measure on the test split at the end; --no-test while tuning."
    what = template.summary
    return SectionedCommand(
        "run",
        params=[
            click.Option(["--run-dir"], type=path_type, help=folder_help),
            click.Option(["--restart"], is_flag=True, help="Begin anew; the old run is moved aside, not deleted."),
            click.Option(["--test/--no-test"], default=True, show_default=True, help=test_help),
            debug_option(),
            *options(template.config.Config),
        ],
        callback=lambda **values: run(template, **values),
        help=f"{what}\n\nTrains, measures and saves a model. The same command goes on with a run that was stopped; "
        "a larger --epochs extends a finished one.",
        short_help=what,
        context_settings={"max_content_width": 110},
    )


def run(template: Template, run_dir: Path | None, restart: bool, test: bool, **values) -> None:
    """Trains, goes on, or prints what a finished run reached."""
    try:
        config = template.config.Config(**values)
    except UserError as error:  # out of bounds
        raise click.UsageError(str(error)) from None
    config = _name_runs(config, template.name)
    before = None if restart else _source_before(template.name, config, run_dir)
    known = dataclasses.replace(config, data=before.name, **before.resolved) if before else config
    source = template.pipeline.find_source(known)
    record = Record(template.name, template.version, before or source, recorded(config))
    if record.source.notice:
        click.secho(record.source.notice, fg="yellow", bold=True)
    path = run_dir or record.default_path()
    if restart or not RunFolder(path).has_checkpoint():
        # A run that goes on has taken from the others what it needs.
        for named in _named_runs(config).values():
            find_run(named, [])
    with open_run(path, record, restart) as folder:
        if _is_complete(folder, config, test):
            early = folder.read_metrics()["stopped_early"]
            further = "--patience ended it" if early else "a larger --epochs extends it"
            click.echo(f"{path} is finished; {further}, --restart begins anew")
        else:
            _train(template, config, source, record, folder, test)
            if has_pages():
                _report(template, folder)
    from training.commands.report import print_result

    print_result(folder, _commands_to_type(template, folder))


def _name_runs(config, template_name: str):
    """Puts a folder where a field names another run: which one a template's name meant is part of what this run is."""
    folders = {
        name: str(find_run(value, [template_name]).path if value == template_name else Path(value))
        for name, value in _named_runs(config).items()
    }
    return dataclasses.replace(config, **folders)


def _named_runs(config) -> dict[str, str]:
    """The fields that name another run, and what they name."""
    hints = typing.get_type_hints(type(config), include_extras=True)
    return {name: getattr(config, name) for name, hint in hints.items() if names_a_run(hint) and getattr(config, name)}


def _train(template: Template, config, source: Source, record: Record, folder: RunFolder, test: bool) -> None:
    from training.commands.tensorflow_import import import_tensorflow
    from training.memory import keep_freed_memory

    try:
        with termination_interrupts():
            folder.write_record(record)
            keep_freed_memory()
            import_tensorflow(template.config.USES_ONEDNN)
            template.train.train(config, source, folder, test)
    except KeyboardInterrupt:
        raise Interrupted(f"{folder.path}: stopped at once; {_how_to_go_on(folder)}") from None
    except OSError as error:
        if not folder.has_checkpoint():
            raise
        raise UserError(f"{one_line(error)}; {_how_to_go_on(folder)}") from error
    except Exception as error:
        if not _is_lack_of_memory(error):
            raise
        advice = "a lower --batch-size, which is another run, takes less"
        raise UserError(f"{folder.path}: out of memory; {_how_to_go_on(folder)}; {advice}") from error


def _report(template: Template, folder: RunFolder) -> None:
    from training.pages.report import write_report

    write_report(folder, template.inside.examples(folder) if template.shows_inside else [])


def _how_to_go_on(folder: RunFolder) -> str:
    if folder.has_checkpoint():
        return "the last checkpoint is whole, the same command goes on from it"
    return "there was no checkpoint yet, the same command begins again"


def _is_lack_of_memory(error: Exception) -> bool:
    import tensorflow as tf

    return isinstance(error, (MemoryError, tf.errors.ResourceExhaustedError))


def _is_complete(folder: RunFolder, config, test: bool) -> bool:
    """Whether there is nothing left to do: no epoch (early stopping may have ended the run), no test, no lost model."""
    metrics = folder.read_metrics()
    if not metrics or not metrics["finished"] or not folder.model_file.is_file():
        return False
    epochs_left = config.epochs > metrics["epochs"] and not metrics["stopped_early"]
    return not epochs_left and (metrics["tested"] or not test)


def _source_before(template_name: str, config, run_dir: Path | None) -> Source | None:
    """What `auto` or `hf:...` was resolved to by an unfinished run of the same configuration: a run keeps its data.

    Returns:
        The source as that run recorded it; None where there is no such run.
    """
    if config.data != "auto" and not config.data.startswith(PREFIX):
        return None
    fields = identity_of(recorded(config))
    for folder in [RunFolder(run_dir)] if run_dir else reversed(find_runs()):
        record = record_or_none(folder)
        if record is None or (folder.is_finished() and not run_dir):
            continue
        same = record.template == template_name and fields == identity_of(record.config)
        if same and record.config["data"] == config.data:
            return record.source
    return None


def _commands_to_type(template: Template, folder: RunFolder) -> list[str]:
    """The next commands, as this process was called: `python cli.py`, `rnn-templates` or `python -m NAME`."""
    program = click.get_current_context().find_root().command_path
    return [
        f"{program} predict {as_typed(folder.path)} {template.config.EXAMPLE_INPUT}",
        f"{program} evaluate {as_typed(folder.path)} --data FILE",
        f"{program} export {as_typed(folder.path)} exported",
    ]
