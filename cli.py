"""The front door: list, run, runs, evaluate, predict, export, copy, diff."""

import sys
from functools import partial
from importlib import import_module
from pathlib import Path

# Before any import of ours: an installed wheel keeps data, templates and training beside this file, and a folder of the
# user's own that is called `data` or `training` must not be taken for them.
sys.path.insert(0, str(Path(__file__).resolve().parent))

import click  # noqa: E402

from data.errors import UserError  # noqa: E402
from data.quoting import as_typed  # noqa: E402
from rnn_layers import __version__  # noqa: E402
from training.commands.command_line import (  # noqa: E402
    Template,
    call,
    common_options,
    run_command,
    summary,
)
from training.commands.on_runs import shared_commands  # noqa: E402

TEMPLATES = Path(__file__).resolve().parent / "templates"


def template_names() -> list[str]:
    """The templates' names: the folders that have a command line of their own."""
    return sorted(path.parent.name for path in TEMPLATES.glob("*/__main__.py"))


def open_template(name: str) -> Template:
    """The template of a name; the one place where a template is imported by the name of its folder."""
    return import_module(f"templates.{name}.__main__").TEMPLATE


class TemplateGroup(click.Group):
    """`run TEMPLATE`: a command per template, made when it is asked for."""

    def list_commands(self, context):
        return template_names()

    def get_command(self, context, name):
        return run_command(open_template(name), name) if name in template_names() else None

    def resolve_command(self, context, args):
        if args and args[0] not in template_names() and not args[0].startswith("-"):
            raise click.UsageError(_unknown_template(args[0]), context)
        return super().resolve_command(context, args)

    def format_commands(self, context, formatter):
        with formatter.section("Templates"):
            formatter.write_dl([(name, summary(TEMPLATES / name)) for name in template_names()])


def _unknown_template(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, template_names(), n=1, cutoff=0.4)
    meant = f"did you mean {near[0]}? " if near else ""
    return f"no template {name!r}; {meant}Templates: {', '.join(template_names())}"


@click.command("list", help="List the templates.")
def list_templates():
    width = max(map(len, template_names()))
    for name in template_names():
        click.echo(f"{name:{width}}  {summary(TEMPLATES / name)}")


@click.command("copy")
@click.argument("template")
@click.argument("dest", type=click.Path(path_type=Path))
def copy_project(template: str, dest: Path):
    """Copy TEMPLATE to the folder DEST, with the modules it uses and its sample: a project of your own.

    DEST may be new, empty, or an earlier copy of this version, to which the template is added.
    """
    if template not in template_names():
        raise click.UsageError(_unknown_template(template))
    from copying.copy import copy_template

    result = copy_template(TEMPLATES / template, template, dest, __version__)
    kept = f", {len(result.kept)} were there already" if result.kept else ""
    click.echo(f"{dest}: {len(result.written)} files written{kept}")
    click.echo("next:")
    for command in result.commands:
        click.echo(f"  {command}")


@click.command("diff")
@click.argument("dest", type=click.Path(path_type=Path))
@click.option("--patch", is_flag=True, help="Show the changes line by line.")
@click.option("--merge", "merging", is_flag=True, help="Take over what changed here, and keep what you changed.")
def diff_project(dest: Path, patch: bool, merging: bool):
    """Compare the copy DEST with this version of the project, file by file."""
    from copying.diff import compare, merge

    if merging:
        _show_merge(merge(dest, TEMPLATES, __version__))
        return
    changed = [file for file in compare(dest, TEMPLATES) if file.status != "same"]
    for file in changed:
        click.echo(f"{file.status:8}  {file.path}  ({file.meaning})")
        if patch:
            click.echo(file.diff())
    if not changed:
        click.echo(f"{dest}: every file is as in the project")
    elif any(file.status not in ("yours", "deleted") for file in changed):
        click.echo("--merge takes over what changed in the project, and keeps what you changed")


def _show_merge(result) -> None:
    for what in ("taken", "merged", "removed"):
        for path in getattr(result, what):
            click.echo(f"{what:8}  {path}")
    for note in result.notes:
        click.echo(f"note      {note}")
    for conflict in result.conflicts:
        click.echo(f"conflict  {conflict.path}: {conflict.advice}")
    click.echo(f"now a copy of version {result.version}; {len(result.kept)} files of yours kept as they were")


class OrderedGroup(click.Group):
    """Lists its commands in the order in which they were added."""

    def list_commands(self, context):
        return list(self.commands)


def main() -> None:
    """What the console script `rnn-templates` and `python cli.py` run."""
    on_runs = shared_commands({name: partial(open_template, name) for name in template_names()})
    group = OrderedGroup(
        help="Small recurrent networks that you run, copy out and ship.",
        params=common_options(__version__),
        commands=[
            list_templates,
            TemplateGroup("run", help="Train TEMPLATE, or go on with it.", subcommand_metavar="TEMPLATE [OPTIONS]"),
            *on_runs,
            copy_project,
            diff_project,
        ],
    )
    name = Path(sys.argv[0]).name
    words = ("python", Path(sys.argv[0])) if name.endswith(".py") else (name,)
    call(group, (UserError,), prog_name=as_typed(*words))


if __name__ == "__main__":
    main()
