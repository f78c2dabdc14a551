"""The verb `runs`: a table for each template, of its runs' states, the fields that differ, and their metrics."""

import json

import click

from training.commands.command_line import debug_option
from training.runs.finding import find_runs


def command() -> click.Command:
    """Makes the verb."""
    as_json = click.Option(["--json", "as_json"], is_flag=True, help="Print JSON, an object per line.")
    return click.Command(
        "runs", params=[as_json, debug_option()], callback=_list_runs, help="Tabulate the runs under ./runs."
    )


def _list_runs(as_json: bool) -> None:
    runs = find_runs()
    if as_json:
        for run in runs:
            click.echo(json.dumps({"run": str(run.path), **run.read_record().as_json(), "metrics": run.read_metrics()}))
        return
    from training.commands.report import print_runs

    print_runs(runs)
