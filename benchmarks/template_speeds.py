"""The templates beside the same networks of Keras's layers and of PyTorch, as one table of what was measured.

    python -m benchmarks.template_speeds
    python -m benchmarks.template_speeds sentiment=imdb_reviews ner=conll2003 forecasting=ETTh1.csv
    python -m benchmarks.template_speeds "translation=multi30k --source-language de --target-language en --run RUN"

The second measures these templates first, one after the other, each by its own `benchmarks.TEMPLATE_speed` on the data
that are named; whatever that takes besides may stand behind them. A ratio is our work per second divided by the
other's at its own best setting: above 1 ours is ahead.
"""

import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.runs import RESULTS, run
from data.writing import write_json

MEASURED = ("sentiment", "ner", "translation", "captioning", "language_model", "forecasting")
PEERS = {"keras": "ours / Keras", "torch": "ours / PyTorch"}
TABLE = RESULTS / "template_speeds.json"


@click.command(help=__doc__)
@click.argument("measured", nargs=-1, metavar="[TEMPLATE=DATA]...")
def main(measured: tuple[str, ...]) -> None:
    for template, arguments in [asked(argument) for argument in measured]:
        data, *more = (str(Path(one).absolute()) if Path(one).exists() else one for one in arguments)
        run([sys.executable, "-m", f"benchmarks.{template}_speed", "--data", data, *more])
    rows = [row for template in MEASURED for row in rows_of(template, RESULTS / f"{template}_speed.json")]
    if measured:
        write_json(TABLE, rows)
    print_rows(rows)


def asked(argument: str) -> tuple[str, list[str]]:
    """A template and what its benchmark is given, from TEMPLATE=DATA."""
    template, _, arguments = argument.partition("=")
    if template not in MEASURED or not arguments:
        raise click.UsageError(f"{argument!r}: expected TEMPLATE=DATA, of one of {', '.join(MEASURED)}")
    return template, shlex.split(arguments)


def rows_of(template: str, file: Path) -> Iterator[dict]:
    """The rows of a template, one for each kind of work: none where it was never measured."""
    if not file.exists():
        return
    record = json.loads(file.read_text())
    for work, (per_second, ratios) in works_of(record).items():
        row = {"template": template, "work": work, "unit": unit_of(record, work), "ours_per_second": per_second["ours"]}
        for family in PEERS:
            best = max((value for name, value in per_second.items() if name.split()[0] == family), default=None)
            # The median of the rounds' ratios, where a benchmark keeps it.
            row[family] = best and round(ratios.get(f"{family}_over_ours", per_second["ours"] / best), 2)
        yield row | {"processor": processor(record["machine"]), "date": record.get("date")}


def works_of(record: dict) -> dict[str, tuple[dict[str, float], dict[str, float]]]:
    """By the kind of work, however a benchmark writes it: what each implementation does per second, and ratios."""
    if "per_second" in record:
        return {work: (per_second, {}) for work, per_second in record["per_second"].items()}
    searches = {"1": "greedy search"}
    works = {
        "training": record["train"],
        **({"tagging": record["tag"]} if "tag" in record else {}),
        **{searches.get(width, f"beam of {width}"): work for width, work in record.get("translate", {}).items()},
    }
    return {
        name: (
            {
                one: figures.get("per_second") or figures["sentences_per_second"]
                for one, figures in work["implementations"].items()
            },
            work["ratios"],
        )
        for name, work in works.items()
    }


def unit_of(record: dict, work: str) -> str:
    """What is counted per second."""
    return record.get("unit") or ("pieces" if work == "training" and "translate" in record else "sentences")


def processor(machine: dict) -> str:
    special = [name for name in ("amx_tile", "avx512f") if name in machine["instruction_sets"]]
    return f"{machine['processor']}, {machine['cores']} cores" + (f", {special[0]}" if special else "")


def print_rows(rows: list[dict]) -> None:
    processors = list(dict.fromkeys(row["processor"] for row in rows))
    table = Table("template", "work", "ours, per second", *PEERS.values(), "on", "measured")
    for row in rows:
        ratios = (f"{row[family]:.2f}" if row[family] else "-" for family in PEERS)
        about = str(processors.index(row["processor"]) + 1), row["date"] or "-"
        table.add_row(row["template"], row["work"], f"{row['ours_per_second']:,.0f} {row['unit']}", *ratios, *about)
    console = Console(soft_wrap=True, highlight=False)
    console.print(table)
    for number, name in enumerate(processors, 1):
        console.print(f"{number}: {name}")


if __name__ == "__main__":
    main()
