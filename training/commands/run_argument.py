"""What the verbs `evaluate`, `predict` and `export` share: RUN, and the flags that change how its model is used."""

import dataclasses
from typing import Any

import click

from data.errors import UserError
from training.commands.flags import options
from training.commands.template import Template
from training.configuration import flag
from training.runs.finding import find_run
from training.runs.folder import RunFolder

RUN_HELP = "RUN is a run's folder, or a template's name, meaning its latest finished run under ./runs."


def run_argument() -> click.Argument:
    return click.Argument(["run"], metavar="RUN")


def json_option() -> click.Option:
    return click.Option(["--json", "as_json"], is_flag=True, help="Print JSON, an object per line.")


def field_options(templates: dict[str, Template], *kinds: str) -> list[click.Option]:
    """The flags of all templates together, those of one name once.

    Args:
        templates: A template's name -> the template.
        kinds: Which fields: the tuples of names in a template's config, "READING" and "ANSWERING".
    """
    found: dict[str, click.Option] = {}
    for template in templates.values():
        names = [name for kind in kinds for name in getattr(template.config, kind)]
        for option in options(template.config.Config, names):
            found.setdefault(option.name, option)
    return list(found.values())


def open_trained_run(templates: dict[str, Template], name: str, flags: dict) -> tuple[Template, RunFolder, Any]:
    """Opens the run that RUN means; it has a model.

    Args:
        templates: A template's name -> the template.
        name: What the user typed.
        flags: A field's name -> its value, None where it was not given.

    Returns:
        The template, the folder, and the configuration with what the flags say.

    Raises:
        UserError: There is no such run, its template is not here, it has no model yet, or a flag is another template's.
    """
    folder = find_run(name, list(templates))
    template_name = folder.read_record().template
    if template_name not in templates:
        raise UserError(f"{folder.path}: a run of the template {template_name}; here are {', '.join(templates)}")
    if not folder.model_file.is_file():
        raise UserError(f"{folder.path}: no model yet; the run is not finished, and its own command goes on with it")
    template = templates[template_name]
    config = folder.read_config(template.config.Config)
    given = {name: value for name, value in flags.items() if value is not None}
    foreign = sorted(set(given) - {field.name for field in dataclasses.fields(config)})
    if foreign:
        raise UserError(f"{flag(foreign[0])} is not a flag of the template {template_name}")
    return template, folder, dataclasses.replace(config, **given)
