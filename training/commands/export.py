"""The verb `export`: writes a run's model as a SavedModel, raw input in, answer out."""

from pathlib import Path

import click

from data.errors import UserError
from data.quoting import as_typed
from training.commands.command_line import debug_option
from training.commands.flags import SectionedCommand
from training.commands.run_argument import RUN_HELP, field_options, open_trained_run, run_argument
from training.commands.template import Template


def command(templates: dict[str, Template]) -> click.Command:
    """The verb, for the runs of some templates: a template's name -> the template."""
    version_help = "Write to the folder of this number in OUT, as TensorFlow Serving expects a model's versions."
    return SectionedCommand(
        "export",
        params=[
            run_argument(),
            click.Argument(["out"], type=click.Path(path_type=Path)),
            click.Option(["--version"], type=click.IntRange(min=1), help=version_help),
            debug_option(),
            *field_options(templates, "ANSWERING"),
        ],
        callback=lambda **values: _export(templates, **values),
        help=f"Write a SavedModel to the folder OUT: raw input in, answer out.\n\n{RUN_HELP}",
    )


def _export(templates: dict[str, Template], run: str, out: Path, version: int | None, **flags) -> None:
    template, folder, config = open_trained_run(templates, run, flags)
    base, out = out, out / str(version) if version else out
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out}: already there and not empty; choose another folder")
    from training.commands.tensorflow_import import import_tensorflow

    import_tensorflow()
    template.serving.export(folder, config, out)
    click.echo(f"{out}: a SavedModel; tf.saved_model.load({str(out)!r}).signatures['serving_default'] answers")
    if version:
        name = as_typed(f"--model_name={template.name}", f"--model_base_path={base.resolve()}")
        click.echo(f"{base}: for tensorflow_model_server --rest_api_port=8501 {name}")
