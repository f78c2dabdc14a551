"""`run language_model` on a text, tinyshakespeare say, with its default network: bits and nats per character.

python -m benchmarks.language_model --data DATA          3 seeds
python -m benchmarks.language_model --report             what has been measured
"""

import json
import math
from pathlib import Path

import click

from benchmarks.records import check_comparable, print_report, read, record_runs
from benchmarks.runs import RESULTS
from templates.language_model import pipeline
from templates.language_model.config import Config

COLUMNS = {
    "validation\nnats": (("nats_per_character", "validation"), ".4f"),
    "bits": (("validation", "bits_per_character"), ".4f"),
    "n-grams'\nbits": (("validation", "ngram_bits_per_character"), ".4f"),
    "epochs": (("epochs",), ".4g"),
    "best\nepoch": (("best_epoch",), ".4g"),
    "characters/s": (("examples_per_second",), ",.0f"),
    "train s": (("train_seconds",), ".1f"),
    "wall s": (("wall_seconds",), ".1f"),
}


@click.command()
@click.option("--data", help="The file of text.")
@click.option("--seed", "seeds", type=int, multiple=True, default=(0, 1, 2), show_default=True)
@click.option("--epochs", type=int, default=Config().epochs, show_default=True, help="As `run` takes them.")
@click.option("--name", default="language_model", show_default=True, help="The name of the file of results.")
@click.option("--report", "only_report", is_flag=True, help="Run nothing: show what has been measured.")
def main(data, seeds, epochs, name, only_report):
    """Measures `run language_model` on DATA, once for each seed."""
    results = RESULTS / f"{name}.json"
    if not only_report:
        if not data:
            raise click.UsageError("--data is needed, unless --report")
        source = pipeline.find_source(Config(data=data))
        check_comparable(read(results), source.name, lambda one: typed(one["seed"], epochs), results)
        record_runs(results, data, [({}, typed(seed, epochs), None) for seed in seeds], more=nats_per_character)
    print_report(results, "data", COLUMNS, "language_model")


def typed(seed: int, epochs: int) -> str:
    """What to type to have one run again."""
    more = "" if epochs == Config().epochs else f" --epochs {epochs}"
    return f"python cli.py run language_model --data DATA{more} --seed {seed}"


def nats_per_character(run_dir: Path) -> dict:
    """`nats_per_character` of each split, in which losses on characters are published."""
    metrics = json.loads((run_dir / "metrics.json").read_text(encoding="utf-8"))
    measured = {split: metrics[split] for split in ("validation", "test") if metrics[split]}
    return {"nats_per_character": {split: math.log(2) * one["bits_per_character"] for split, one in measured.items()}}


if __name__ == "__main__":
    main()
