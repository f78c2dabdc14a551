"""`run ner` with several seeds, by decoder: what it reaches, how far the seeds lie apart, and how long it takes.

Every run is a process of its own. Two clocks: `wall_seconds` from the process's start to the end of its last epoch, and
`train_seconds`, which counts the training steps alone, tracing and compilation included, with the data prepared before.
Each finished run is written to `benchmarks/results/NAME.json` at once, beside those of other seeds and decoders: runs
can be spread out.

    python -m benchmarks.ner --data DATA                                      3 seeds, crf and softmax
    python -m benchmarks.ner --data DATA --seed 3 --seed 4 --decoder crf      two more seeds
    python -m benchmarks.ner --report                                         what has been measured
"""

import json
import statistics
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.layer_machine import describe_machine
from benchmarks.runs import RESULTS, ROOT, run
from data.errors import DataError
from templates.ner.config import Config
from templates.ner.pipeline import find_source
from training.atomic import write_json
from training.quiet import import_tensorflow

DECODERS = ("crf", "softmax")
# A column of the table -> where its figure stands in a run's record, and how it is written.
COLUMNS = {
    "precision": (("test", "precision"), ".4f"),
    "recall": (("test", "recall"), ".4f"),
    "f1": (("test", "f1"), ".4f"),
    "accuracy": (("test", "accuracy"), ".4f"),
    "validation\nf1": (("validation", "f1"), ".4f"),
    "validation\naccuracy": (("validation", "accuracy"), ".4f"),
    "epochs": (("epochs",), ".4g"),
    "best\nepoch": (("best_epoch",), ".4g"),
    "train s": (("train_seconds",), ".1f"),
    "wall s": (("wall_seconds",), ".1f"),
    "sentences\n/ s": (("examples_per_second",), ".0f"),
}


@click.command()
@click.option("--data", help="The folder with CoNLL-2003's files, conll2003, or other tagged sentences.")
@click.option("--seed", "seeds", type=int, multiple=True, default=(0, 1, 2), show_default=True)
@click.option("--decoder", "decoders", type=click.Choice(DECODERS), multiple=True, default=DECODERS, show_default=True)
@click.option("--epochs", type=click.IntRange(min=1), help="Just so many epochs; by default the template's own rule.")
@click.option("--name", default="ner", show_default=True, help="The name of the file of results.")
@click.option("--report", "only_report", is_flag=True, help="Run nothing: show what has been measured.")
def main(data, seeds, decoders, epochs, name, only_report):
    """Measures `run ner`, once for each decoder and seed."""
    results = RESULTS / f"{name}.json"
    if not only_report:
        if data is None:
            raise click.UsageError("Missing option '--data'.")
        RESULTS.mkdir(parents=True, exist_ok=True)
        check_comparable(read(results), name_of(data), epochs, results)
        import_tensorflow()
        machine = describe_machine()
        for seed in seeds:
            for decoder in decoders:
                record = {"machine": machine, **measure(data, decoder, seed, epochs)}
                # Read again: another of these commands may have added its own in the meantime.
                write_json(results, merged(read(results), record))
    records = read(results)
    if not records:
        raise click.ClickException(f"nothing has been measured yet: there is no {results}")
    print_report(records, Console() if Console().is_terminal else Console(width=160))


def typed(decoder: str, seed: int, epochs: int | None) -> str:
    """What to type to have one run again."""
    limit = f" --epochs {epochs} --patience 0" if epochs else ""
    return f"python cli.py run ner --data DATA --decoder {decoder} --seed {seed}{limit}"


def measure(data: str, decoder: str, seed: int, epochs: int | None) -> dict:
    """Runs the template once.

    Args:
        data: What `--data` is to be.
        decoder: "crf" or "softmax".
        seed: The run's seed.
        epochs: So many epochs; None leaves it to the template.

    Returns:
        `command`, `decoder`, `wall_seconds`, and all that the run's `metrics.json` holds.
    """
    command = typed(decoder, seed, epochs)
    with tempfile.TemporaryDirectory() as folder:
        run_dir = Path(folder) / "run"
        flags = command.split("DATA ")[1].split()
        words = [sys.executable, str(ROOT / "cli.py"), "run", "ner", "--data", data, *flags, "--run-dir", str(run_dir)]
        seconds, _ = run(words, "epoch ", "validation loss")
        metrics = json.loads((run_dir / "metrics.json").read_text(encoding="utf-8"))
    return {"command": command, "decoder": decoder, "wall_seconds": seconds, **metrics}


def read(results: Path) -> list[dict]:
    """The records of a file of results; none if there is no file."""
    return json.loads(results.read_text(encoding="utf-8"))["runs"] if results.exists() else []


def name_of(data: str) -> str:
    """What the records call the data; a mistake in it is answered before anything runs."""
    try:
        return find_source(Config(data=data)).name
    except DataError as error:
        raise click.ClickException(str(error)) from None


def check_comparable(records: list[dict], data: str, epochs: int | None, results: Path) -> None:
    """Checks that runs on this data, of so many epochs, may stand beside the records.

    Raises:
        click.ClickException: They may not: a mean over both would say nothing.
    """
    for record in records:
        if record["data"] != data:
            raise click.ClickException(f"{results} holds runs on {record['data']}, not {data}; choose another --name")
        if record["command"] != typed(record["decoder"], record["seed"], epochs):
            raise click.ClickException(f"{results} holds `{record['command']}`; choose another --name")


def merged(records: list[dict], record: dict) -> dict:
    """The content of the file of results: the records, with this one in the place of that of its decoder and seed."""

    def key(one):
        return DECODERS.index(one["decoder"]), one["seed"]

    return {"runs": sorted([*(one for one in records if key(one) != key(record)), record], key=key)}


def figure(record: dict, path: tuple[str, ...]) -> float | None:
    """A figure of a record; None where the run has none: no test split, or no entities."""
    for name in path:
        record = None if record is None else record.get(name)
    return record


def mean_and_deviation(values: list[float]) -> tuple[float, float | None]:
    """The mean, and the standard deviation of the seeds (n - 1), which one seed alone does not have."""
    return statistics.mean(values), statistics.stdev(values) if len(values) > 1 else None


def table_rows(records: list[dict]) -> list[list[str]]:
    """The table's rows: of each decoder a row for every seed, their mean, and their standard deviation."""
    columns = {
        name: column for name, column in COLUMNS.items() if any(figure(one, column[0]) is not None for one in records)
    }
    rows = [["decoder", "seed", *columns]]
    for decoder in dict.fromkeys(record["decoder"] for record in records):
        ours = [record for record in records if record["decoder"] == decoder]
        rows += [[decoder, str(one["seed"])] for one in ours]
        rows += [[decoder, f"mean of {len(ours)}"], [decoder, "deviation"]]
        for path, written in columns.values():
            values = [figure(one, path) for one in ours]
            values += mean_and_deviation(values) if None not in values else (None, None)
            for row, value in zip(rows[-len(values) :], values, strict=True):
                row.append("-" if value is None else format(value, written))
    return rows


def print_report(records: list[dict], console: Console) -> None:
    """Prints the table, and what it was measured on."""
    header, *rows = table_rows(records)
    data = ", ".join(dict.fromkeys(record["data"] for record in records))
    table = Table(title=f"run ner on {data}: test split (validation where it says so)")
    for name in header:
        table.add_column(name, justify="left" if name == "decoder" else "right")
    for number, row in enumerate(rows):
        table.add_row(*row, end_section=number + 1 == len(rows) or row[0] != rows[number + 1][0])
    console.print(table)
    console.print("deviation: the standard deviation over the seeds, n - 1", style="dim", highlight=False)
    for device in dict.fromkeys((record["machine"]["processor"], record["device"]) for record in records):
        console.print("; ".join(device), highlight=False)


if __name__ == "__main__":
    main()
