"""The verb `runs`: a table for each template, of its runs' states, the fields that differ, and their metrics."""

import json
from pathlib import Path

import click

from data.errors import UserError
from training.commands.command_line import debug_option
from training.runs.finding import find_runs


def command(with_pages: bool) -> click.Command:
    """Makes the verb; with `--html` where there are pages."""
    as_json = click.Option(["--json", "as_json"], is_flag=True, help="Print JSON, an object per line.")
    html_help = "Write a page that compares them: what differs, and their curves over each other."
    as_html = click.Option(["--html", "page"], type=click.Path(path_type=Path), metavar="FILE", help=html_help)
    params: list[click.Parameter] = [as_json, *([as_html] if with_pages else []), debug_option()]
    return click.Command("runs", params=params, callback=_list_runs, help="Tabulate the runs under ./runs.")


def _list_runs(as_json: bool, page: Path | None = None) -> None:
    runs = find_runs()
    if page:
        if not runs:
            raise UserError("no runs under ./runs to compare; `run TEMPLATE` makes one")
        from training.pages.comparison import write_comparison

        write_comparison(page, runs)
        click.echo(f"{page}: open it in a browser")
        return
    if as_json:
        for run in runs:
            click.echo(json.dumps({"run": str(run.path), **run.read_record().as_json(), "metrics": run.read_metrics()}))
        return
    from training.commands.report import print_runs

    print_runs(runs)
