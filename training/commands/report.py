"""What commands print at their end: a run's result, what `evaluate` measured, the table of `runs`."""

import json
from collections.abc import Sequence

import click
from rich.table import Table

from training.facts import MOST_ROWS, console, print_facts
from training.live_line import duration
from training.runs.finding import read_json_or_none
from training.runs.folder import RunFolder
from training.runs.record import Record

# A run, what it was, and what it reached.
Entry = tuple[RunFolder, Record, dict]


def print_result(folder: RunFolder, commands: list[str]) -> None:
    """Prints what a finished run reached, where it is, and the next commands to type."""
    metrics = folder.read_metrics() or {}
    table = Table(title="Result", title_justify="left", title_style="bold")
    splits = [name for name in ("validation", "test") if metrics[name]]
    for heading in ("", *splits):
        table.add_column(heading, justify="left" if not heading else "right")
    for name in metrics["validation"]:
        table.add_row(name, *(number(metrics[split].get(name)) for split in splits))
    out = console()
    out.print(table)
    for split in splits:
        if methods := (metrics.get("compared") or {}).get(split):
            out.print(table_of(f"{split}, beside other methods", "method", methods))
    ended = " (stopped early)" if metrics["stopped_early"] else ""
    print_facts(
        "",
        {
            "trained": f"{metrics['epochs']} epochs{ended} in {duration(metrics['train_seconds'])}, "
            f"{metrics['examples_per_second']:,.0f} examples/s, {metrics['parameters']:,} parameters; "
            f"weights of epoch {metrics['best_epoch']}",
            **(metrics.get("signatures") or {}),
            **(metrics.get("notes") or {}),
            "folder": f"{folder.path} (model.keras, metrics.json, history.csv, plots/)",
        },
    )
    out.print("next:", style="bold")
    for command in commands:
        # As it is: rich would turn a tab of a path into spaces.
        click.echo(f"  {command}")


def print_evaluation(result: dict) -> None:
    """Prints what `evaluate` measured: the metrics, and a row for each class or method.

    Args:
        result: `split`, `rows`, `metrics` (name -> number), and perhaps `per_class` (label -> figures), `compared`
            (method -> figures), `tables` (title -> name -> figures) and `notes` (name -> sentence).
    """
    out = console()
    signatures = result.get("signatures") or {}
    figures = {k: f"{number(v)}  {signatures.get(k, '')}".rstrip() for k, v in result["metrics"].items()}
    print_facts(f"{result['split']}, {result['rows']:,} rows", {**figures, **result.get("notes", {})})
    if result.get("bad_lines"):
        out.print(result["bad_lines"])
    if result.get("per_class"):
        out.print(table_of("per class", "label", result["per_class"]))
    if result.get("compared"):
        out.print(table_of("beside other methods", "method", result["compared"]))
    for title, rows in (result.get("tables") or {}).items():
        out.print(table_of(title, "", rows))


def table_of(title: str, first: str, figures: dict[str, dict[str, float | None]]) -> Table:
    """A row for each class or method, say, and a column for each of its figures.

    Args:
        title: What stands above it.
        first: The heading of the names.
        figures: Name -> figures, each row's in the same order.
    """
    headings = list(next(iter(figures.values())))
    table = Table(title=title, title_justify="left")
    table.add_column(first)
    for heading in headings:
        table.add_column(heading, justify="right")
    for name, found in list(figures.items())[:MOST_ROWS]:
        table.add_row(name, *(number(found[heading]) for heading in headings))
    if len(figures) > MOST_ROWS:
        table.add_row(f"... and {len(figures) - MOST_ROWS} more")
    return table


def print_runs(runs: list[RunFolder]) -> None:
    """Tabulates runs: state, the fields in which runs of a template differ, and their metrics."""
    out = console()
    if not runs:
        out.print("no runs under ./runs; `run TEMPLATE` makes one")
        return
    for template, entries in by_template(runs).items():
        headings, rows = runs_table(entries)
        table = Table(title=template, title_justify="left", title_style="bold")
        for heading in headings:
            table.add_column(heading, overflow="fold", no_wrap=heading == "run")
        for row in rows:
            table.add_row(*row)
        out.print(table)


def by_template(runs: Sequence[RunFolder]) -> dict[str, list[Entry]]:
    """The runs of each template with their records and their metrics, empty where there are none yet."""
    found: dict[str, list[Entry]] = {}
    for folder in runs:
        record = folder.read_record()
        found.setdefault(record.template, []).append((folder, record, read_json_or_none(folder.metrics_file) or {}))
    return found


def runs_table(entries: Sequence[Entry]) -> tuple[list[str], list[list[str]]]:
    """A template's runs as a table: state, the fields in which they differ, and their metrics.

    Args:
        entries: What `by_template` gave of the template.

    Returns:
        The headings, and a row for each run.
    """
    fields = [record.config | {"data": record.source.name} for _, record, _ in entries]
    names = dict.fromkeys(name for config in fields for name in config)
    differing = [name for name in names if len({json.dumps(config.get(name)) for config in fields}) > 1]
    # Of each split the one metric that chose the weights: `runs` is for choosing among runs, `evaluate` tells the rest.
    shown = dict.fromkeys(headline(config, metrics) for (_, _, metrics), config in zip(entries, fields, strict=True))
    columns = {f"{split} {name}": (split, name) for name in shown if name for split in ("validation", "test")}
    rows = []
    for (folder, _, metrics), config in zip(entries, fields, strict=True):
        state = "finished" if metrics.get("finished") else f"epoch {folder.count_epochs()}"
        figures = [number((metrics.get(split) or {}).get(name)) for split, name in columns.values()]
        rows.append([str(folder.path), state, *(str(config.get(name)) for name in differing), *figures])
    return ["run", "state", *differing, *columns], rows


def headline(config: dict, metrics: dict) -> str:
    """The name of the metric by which a run chose its weights; the first one where it was the loss."""
    names = list(metrics.get("validation") or {})
    return config["best_by"] if config.get("best_by") in names else next(iter(names), "")


def number(value) -> str:
    """A figure for a table: four decimals, or thousands with commas, or a dash for None."""
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
