"""`run ner` with several seeds, by decoder: what it reaches, how far the seeds lie apart, and how long it takes.

Every run is a process of its own. Two clocks: `wall_seconds` from the process's start to the end of its last epoch, and
`train_seconds`, which counts the training steps alone, tracing and compilation included, with the data prepared before.
Each finished run is written to `benchmarks/results/NAME.json` at once, beside those of other seeds and decoders: runs
can be spread out.

    python -m benchmarks.ner --data DATA                                      3 seeds, crf and softmax
    python -m benchmarks.ner --data DATA --seed 3 --seed 4 --decoder crf      two more seeds
    python -m benchmarks.ner --report                                         what has been measured
"""

import click

from benchmarks.records import check_comparable, print_report, read, record_runs
from benchmarks.runs import RESULTS
from data.errors import UserError
from templates.ner.config import Config
from templates.ner.pipeline import find_source

DECODERS = ("crf", "softmax")
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
        check_comparable(read(results), name_of(data), lambda one: typed(one["decoder"], one["seed"], epochs), results)
        kinds = [(decoder, seed) for seed in seeds for decoder in decoders]
        runs = [({"decoder": decoder}, typed(decoder, seed, epochs), None) for decoder, seed in kinds]
        record_runs(results, data, runs, place)
    print_report(results, "decoder", COLUMNS, "ner")


def typed(decoder: str, seed: int, epochs: int | None) -> str:
    """What to type to have one run again."""
    limit = f" --epochs {epochs} --patience 0" if epochs else ""
    return f"python cli.py run ner --data DATA --decoder {decoder} --seed {seed}{limit}"


def name_of(data: str) -> str:
    """What the records call the data; a mistake in it is answered before anything runs."""
    try:
        return find_source(Config(data=data)).name
    except UserError as error:
        raise click.ClickException(str(error)) from None


def place(record: dict) -> tuple[int, int]:
    """Where a record stands among others: by decoder, and by seed."""
    return DECODERS.index(record["decoder"]), record["seed"]


if __name__ == "__main__":
    main()
