"""A whole command line: its commands, each made when it is asked for, and its end, where mistakes become one line.

`cli.py` puts its own from these parts; in a copy, `main` is the whole of `python -m NAME`.
"""

import contextlib
import io
import sys
from collections.abc import Callable
from typing import NoReturn

import click

from data.errors import UserError
from data.quoting import as_typed
from training.commands.standard_streams import abandon_unwritable, open_standard_streams
from training.commands.template import Template, has_pages
from training.stop_requests import Interrupted

# A flag that is acted upon elsewhere than in the command's own function.
QUIET_FLAG = {"is_flag": True, "is_eager": True, "expose_value": False}


def main(template: Template) -> None:
    """Runs the command line of one template: what `python -m NAME` does."""
    commands = {"run": lambda: run_command(template), **commands_on_runs({template.name: template})}
    group = Commands(commands, name=template.name, help=template.summary, params=common_options(template.version))
    call(group, prog_name=as_typed("python", "-m", template.package))


class Commands(click.Group):
    """A group of commands, each made when it is asked for: a command imports what it runs and nothing else.

    Args:
        commands: A command's name -> what makes it, in the order in which they are listed.
    """

    def __init__(self, commands: dict[str, Callable[[], click.Command]], **settings):
        super().__init__(**settings)
        self.makers = commands

    def list_commands(self, ctx):
        return list(self.makers)

    def get_command(self, ctx, cmd_name):
        return self.makers[cmd_name]() if cmd_name in self.makers else None


def run_command(template: Template) -> click.Command:
    """The verb `run` of a template."""
    from training.commands.run import command

    return command(template)


def commands_on_runs(templates: dict[str, Template]) -> dict[str, Callable[[], click.Command]]:
    """The verbs on runs that are there, for `Commands`.

    Args:
        templates: A template's name -> the template.
    """

    def runs():
        from training.commands.runs import command

        return command(has_pages())

    def evaluate():
        from training.commands.evaluate import command

        return command(templates)

    def predict():
        from training.commands.predict import command

        return command(templates)

    def export():
        from training.commands.export import command

        return command(templates)

    def show():
        from training.commands.show import command

        return command(templates)

    def demo():
        from training.commands.demo import command

        return command(templates)

    pages = {"show": show, "demo": demo} if has_pages() else {}
    return {"runs": runs, "evaluate": evaluate, "predict": predict, **pages, "export": export}


def debug_option() -> click.Option:
    """The flag `--debug`; it is looked for on the command line when an error is caught."""
    return click.Option(["--debug"], help="Show the traceback of an error.", **QUIET_FLAG)


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


def call(command: click.Command, prog_name: str | None = None) -> None:
    """Runs a click command; a user's mistake becomes one line and exit code 1, a defect keeps its traceback.

    Args:
        command: The command; `--debug` on the command line shows the traceback of a mistake too.
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
    except (UserError, OSError) as error:
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
