"""The verb `evaluate`: measures a run's model, on its own data or on other data."""

import dataclasses
import json

import click

from training.commands.command_line import debug_option
from training.commands.flags import SectionedCommand
from training.commands.run_argument import RUN_HELP, field_options, json_option, open_trained_run, run_argument
from training.commands.template import Template


def command(templates: dict[str, Template]) -> click.Command:
    """The verb, for the runs of some templates: a template's name -> the template."""
    return SectionedCommand(
        "evaluate",
        params=[
            run_argument(),
            click.Option(["--data"], help="Other data than the run's own: a dataset's name or a path."),
            click.Option(["--split"], help="Which split to measure on; by default test where there is one."),
            json_option(),
            debug_option(),
            *field_options(templates, "READING", "ANSWERING"),
        ],
        callback=lambda **values: _evaluate(templates, **values),
        help=f"Measure a run's model.\n\n{RUN_HELP}",
    )


def _evaluate(templates, run: str, data: str | None, split: str | None, as_json: bool, **flags) -> None:
    template, folder, config = open_trained_run(templates, run, flags)
    recorded = folder.read_record().source
    own = recorded.as_data
    source = template.pipeline.find_source(dataclasses.replace(config, data=data or own), to_train=False)
    if not data and source.fingerprint != recorded.fingerprint:
        click.secho(f"{own}: not the data this run was trained on; it has changed since", fg="yellow", err=True)
    from training.commands.tensorflow_import import import_tensorflow

    import_tensorflow(template.config.USES_ONEDNN)
    result = template.evaluate.evaluate(folder, config, source, split)
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False))
        return
    from training.commands.report import print_evaluation

    print_evaluation(result)
