"""What the benchmarks of whole runs keep: a record of each run, beside those of others, and a table of them.

A record is what a run's `metrics.json` holds, with the command to type, the machine, the seconds on the clock, and the
name of what is compared (a decoder, a direction). A file of results holds the records of one data set and one rule.
"""

import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Hashable, Iterable, Mapping
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.layer_machine import describe_machine
from benchmarks.runs import ROOT, run
from data.writing import write_json
from training.commands.tensorflow_import import import_tensorflow

# What the line at an epoch's end holds.
END_OF_EPOCH = ("epoch ", "validation loss")
# A column's title -> where its figure stands in a record, and how it is written.
Columns = Mapping[str, tuple[tuple[str, ...], str]]


def measure(
    command: str,
    data: str,
    run_dir: Path | None = None,
    more: Callable[[Path], dict] = lambda run_dir: {},
    without: Iterable[str] = (),
) -> dict:
    """Runs a template once, in a process of its own.

    Args:
        command: What one types, `python cli.py run TEMPLATE --data DATA ...`.
        data: What `--data` is to be.
        run_dir: The run's folder; None takes one that is deleted afterwards.
        more: Returns what else is to be recorded, from the run's folder while it is there.
        without: What of `metrics.json` is left out.

    Returns:
        `command`, `wall_seconds` from the process's start to its last epoch's end, `metrics.json`, and `more`.

    Raises:
        click.ClickException: The run failed.

    Example:
        measure("python cli.py run ner --data DATA --seed 3", "conll2003")["test"]["f1"]
    """
    with tempfile.TemporaryDirectory() as folder:
        run_dir = run_dir or Path(folder) / "run"
        words = [data if word == "DATA" else word for word in command.split()[2:]]
        seconds, _ = run([sys.executable, str(ROOT / "cli.py"), *words, "--run-dir", str(run_dir)], *END_OF_EPOCH)
        metrics = json.loads((run_dir / "metrics.json").read_text(encoding="utf-8")) | more(run_dir)
    kept = {name: value for name, value in metrics.items() if name not in without}
    return {"command": command, "wall_seconds": seconds, **kept}


def record_runs(
    results: Path,
    data: str,
    runs: Iterable[tuple[dict, str, Path | None]],
    key: Callable[[dict], Hashable] = lambda record: record["seed"],
    more: Callable[[Path], dict] = lambda run_dir: {},
    without: Iterable[str] = (),
) -> None:
    """Runs a template several times, and writes each run's record at once.

    Args:
        results: The file of the records.
        data: What `--data` is to be.
        runs: Of each run: what names its kind in the record, what one types, and its folder as `measure` takes them.
        key: Where a record stands among others; a new one takes the place of that with the same key.
        more: As in `measure`.
        without: As in `measure`.

    Raises:
        click.ClickException: A run failed; those before it are written.

    Example:
        record_runs(RESULTS / "ner.json", "conll2003", [({}, "python cli.py run ner --data DATA --seed 3", None)])
    """
    results.parent.mkdir(parents=True, exist_ok=True)
    import_tensorflow()
    machine = describe_machine()
    for kind, command, run_dir in runs:
        record = {"machine": machine, **kind, **measure(command, data, run_dir, more, without)}
        # Read again: another of these commands may have added its own in the meantime.
        write_json(results, merged(read(results), record, key))


def read(results: Path) -> list[dict]:
    """The records of a file of results; none if there is no file."""
    return json.loads(results.read_text(encoding="utf-8"))["runs"] if results.exists() else []


def check_comparable(records: list[dict], data: str, typed: Callable[[dict], str], results: Path) -> None:
    """Checks that more runs may stand beside the records.

    Args:
        records: Those that are there.
        data: What the new runs' data are called.
        typed: What one would type for a record's run, if it were one of the new ones.
        results: The file of the records.

    Raises:
        click.ClickException: They may not: a mean over both would say nothing.
    """
    for record in records:
        if record["data"] != data:
            raise click.ClickException(f"{results} holds runs on {record['data']}, not {data}; choose another --name")
        if record["command"] != typed(record):
            raise click.ClickException(f"{results} holds `{record['command']}`; choose another --name")


def merged(records: list[dict], record: dict, key: Callable[[dict], Hashable]) -> dict:
    """The content of a file of results: the records, with this one in the place of that with its key, sorted by it."""
    return {"runs": sorted([*(one for one in records if key(one) != key(record)), record], key=key)}


def figure(record: dict, path: tuple[str, ...]) -> float | None:
    """A figure of a record; None where the run has none, as without a test split."""
    for name in path:
        record = None if record is None else record.get(name)
    return record


def mean_and_deviation(values: list[float]) -> tuple[float, float | None]:
    """The mean, and the standard deviation of the seeds (n - 1), which one seed alone does not have."""
    return statistics.mean(values), statistics.stdev(values) if len(values) > 1 else None


def spread(values: list[float]) -> float | None:
    """How far the best seed lies from the worst, which one seed alone does not say."""
    return max(values) - min(values) if len(values) > 1 else None


def table_rows(records: list[dict], compared: str, columns: Columns) -> list[list[str]]:
    """A table's rows.

    Args:
        records: The records, those of one kind together.
        compared: The field that says of what kind a run is.
        columns: The columns after that and the seed; one of which no record has a figure is left out.

    Returns:
        The titles; then of each kind a row for every seed, their mean, their standard deviation, and their spread.
    """
    columns = {
        name: column for name, column in columns.items() if any(figure(one, column[0]) is not None for one in records)
    }
    rows = [[compared, "seed", *columns]]
    for kind in dict.fromkeys(record[compared] for record in records):
        ours = [record for record in records if record[compared] == kind]
        rows += [[kind, str(one["seed"])] for one in ours]
        rows += [[kind, f"mean of {len(ours)}"], [kind, "deviation"], [kind, "spread"]]
        for path, written in columns.values():
            values = [figure(one, path) for one in ours]
            values += (*mean_and_deviation(values), spread(values)) if None not in values else (None, None, None)
            for row, value in zip(rows[-len(values) :], values, strict=True):
                row.append("-" if value is None else format(value, written))
    return rows


def print_report(results: Path, compared: str, columns: Columns, template: str) -> None:
    """Prints the table of a file of results, and what it was measured on.

    Raises:
        click.ClickException: There is no such file.
    """
    records = read(results)
    if not records:
        raise click.ClickException(f"nothing has been measured yet: there is no {results}")
    console = Console() if Console().is_terminal else Console(width=160)
    header, *rows = table_rows(records, compared, columns)
    data = ", ".join(dict.fromkeys(record["data"] for record in records))
    table = Table(title=f"run {template} on {data}: test split (validation where it says so)")
    for name in header:
        table.add_column(name, justify="left" if name == compared else "right")
    for number, row in enumerate(rows):
        table.add_row(*row, end_section=number + 1 == len(rows) or row[0] != rows[number + 1][0])
    console.print(table)
    said = "deviation: the standard deviation over the seeds, n - 1; spread: from the lowest to the highest"
    console.print(said, style="dim", highlight=False)
    for device in dict.fromkeys((record["machine"]["processor"], record["device"]) for record in records):
        console.print("; ".join(device), highlight=False)


def print_per_second(record: dict) -> None:
    """Prints what each does per second, and beside it the share of ours."""
    found = record["per_second"]
    table = Table("", *found, title=f"{record['unit']} per second (beside ours)", title_justify="left")
    for name in found["training"]:
        cells = [f"{row[name]:,} ({row[name] / row['ours']:.2f})" if name in row else "-" for row in found.values()]
        table.add_row(name, *cells)
    Console(soft_wrap=True, highlight=False).print(table)
