"""The front door: list, run, runs, evaluate, predict, show, demo, export, copy, diff."""

import sys
from functools import partial
from pathlib import Path

# Before any import of ours: an installed wheel keeps data, templates and training beside this file, and a folder of the
# user's own that is called `data` or `training` must not be taken for them.
sys.path.insert(0, str(Path(__file__).resolve().parent))

import click  # noqa: E402

from data.quoting import as_typed  # noqa: E402
from rnn_layers import __version__  # noqa: E402
from training.commands.command_line import Commands, call, commands_on_runs, common_options, run_command  # noqa: E402
from training.commands.template import Template  # noqa: E402

FOLDER = Path(__file__).resolve().parent / "templates"

# The folders that have a command line of their own; here alone is a template called by its folder's name.
TEMPLATES = {
    name: Template(f"templates.{name}", __version__)
    for name in sorted(path.parent.name for path in FOLDER.glob("*/__main__.py"))
}


class TemplateCommands(Commands):
    """`run TEMPLATE`: a command per template."""

    def resolve_command(self, ctx, args):
        if not args[0].startswith("-"):
            _check_known(args[0], ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx, formatter):
        with formatter.section("Templates"):
            formatter.write_dl([(name, template.summary) for name, template in TEMPLATES.items()])


def _check_known(name: str, context: click.Context | None = None) -> None:
    """Raises click.UsageError for a name that no template has."""
    if name not in TEMPLATES:
        from difflib import get_close_matches

        near = get_close_matches(name, TEMPLATES, n=1, cutoff=0.4)
        meant = f"did you mean {near[0]}? " if near else ""
        raise click.UsageError(f"no template {name!r}; {meant}Templates: {', '.join(TEMPLATES)}", context)


@click.command("list", help="List the templates.")
def list_templates():
    width = max(map(len, TEMPLATES))
    for name, template in TEMPLATES.items():
        click.echo(f"{name:{width}}  {template.summary}")


@click.command("copy")
@click.argument("template")
@click.argument("dest", type=click.Path(path_type=Path))
@click.option("--with-show", is_flag=True, help="With the verbs `show` and `demo`, `runs --html`, and runs' reports.")
@click.option("--dry-run", is_flag=True, help="List the files with their sizes, and write nothing.")
def copy_project(template: str, dest: Path, with_show: bool, dry_run: bool):
    """Copy TEMPLATE to the folder DEST, with the modules it uses and its sample: a project of your own.

    DEST may be new or empty, a git repository in which nothing is in the way, or an earlier copy of this version, to
    which the template is added.
    """
    _check_known(template)
    from copying.copy import copy_template

    result = copy_template(FOLDER / template, template, dest, __version__, inside=with_show, dry_run=dry_run)
    kept = f", {len(result.kept)} were there already" if result.kept else ""
    if dry_run:
        for path in result.written:
            click.echo(f"{result.sizes[path]:>9,}  {path}")
        size = sum(result.sizes[path] for path in result.written)
        click.echo(f"{dest}: {len(result.written)} files, {size:,} bytes, would be written{kept}")
    else:
        click.echo(f"{dest}: {len(result.written)} files written{kept}")
    for note in result.notes:
        click.echo(f"note: {note}")
    if dry_run:
        return
    click.echo("next:")
    for command in result.commands:
        click.echo(f"  {command}")


@click.command("diff")
@click.argument("dest", type=click.Path(path_type=Path))
@click.option("--patch", is_flag=True, help="Show the changes line by line.")
@click.option("--upstream", is_flag=True, help="Show only what changed here; with --patch as `git apply` takes it.")
@click.option("--merge", "merging", is_flag=True, help="Take over what changed here, and keep what you changed.")
@click.pass_context
def diff_project(context: click.Context, dest: Path, patch: bool, upstream: bool, merging: bool):
    """Compare the copy DEST with this version of the project, file by file.

    Where a merge leaves conflict markers for you to edit, the exit code is 1.
    """
    from copying.diff import compare, merge

    if merging:
        result = merge(dest, FOLDER, __version__)
        _show_merge(result)
        context.exit(1 if result.conflicts else 0)
    changed = [file for file in compare(dest, FOLDER) if file.status != "same"]
    if upstream:
        changed = [file for file in changed if file.status not in ("yours", "deleted")]
    for file in changed:
        click.echo(f"{file.status:8}  {file.path}  ({file.meaning})")
        if patch:
            click.echo(file.diff(of_project=upstream))
    if not changed and upstream:
        click.echo(f"{dest}: nothing has changed in the project")
    elif not changed:
        click.echo(f"{dest}: every file is as in the project")
    elif any(file.status not in ("yours", "deleted", "markers") for file in changed):
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


def run_group() -> click.Group:
    """The verb `run`, with a command per template."""
    commands = {name: partial(run_command, template) for name, template in TEMPLATES.items()}
    settings = {"help": "Train TEMPLATE, or go on with it.", "subcommand_metavar": "TEMPLATE [OPTIONS]"}
    return TemplateCommands(commands, name="run", **settings)


def main() -> None:
    """What the console script `rnn-templates` and `python cli.py` run."""
    commands = {
        "list": lambda: list_templates,
        "run": run_group,
        **commands_on_runs(TEMPLATES),
        "copy": lambda: copy_project,
        "diff": lambda: diff_project,
    }
    what = "Small recurrent networks that you run, copy out and ship."
    name = Path(sys.argv[0]).name
    words = ("python", Path(sys.argv[0])) if name.endswith(".py") else (name,)
    call(Commands(commands, help=what, params=common_options(__version__)), prog_name=as_typed(*words))


if __name__ == "__main__":
    main()
