"""`run translation` with several seeds and directions: what it reaches, how far the seeds lie apart, how long it takes.

Every run is a process of its own. Two clocks: `wall_seconds` from the process's start to the end of its last epoch,
the translation of the validation split after each epoch included, and `train_seconds`, which counts the training steps
alone, tracing and compilation included, with the data prepared before. Each finished run is written to
`benchmarks/results/NAME.json` at once, beside those of other seeds and directions: runs can be spread out.

    python -m benchmarks.translation --data DATA                                   8 runs: de-en with seeds 0 to 5,
                                                                                   en-de and en-fr with seed 0
    python -m benchmarks.translation --data DATA --direction de-en --seed 6        one more seed of one direction
    python -m benchmarks.translation --report                                      what has been measured
"""

from pathlib import Path

import click

from benchmarks.records import check_comparable, print_report, read, record_runs
from benchmarks.runs import RESULTS
from data.errors import UserError
from templates.translation.config import Config
from templates.translation.pipeline import find_source

# The seeds of a direction, where `--seed` does not say others; of any other direction seed 0.
DEFAULT_SEEDS = {"de-en": (0, 1, 2, 3, 4, 5), "en-de": (0,), "en-fr": (0,)}
COLUMNS = {
    "bleu": (("test", "bleu"), ".2f"),
    "chrf": (("test", "chrf"), ".2f"),
    "validation\nbleu": (("validation", "bleu"), ".2f"),
    "validation\nchrf": (("validation", "chrf"), ".2f"),
    "epochs": (("epochs",), ".4g"),
    "best\nepoch": (("best_epoch",), ".4g"),
    "train s": (("train_seconds",), ".1f"),
    "wall s": (("wall_seconds",), ".1f"),
    "pairs\n/ s": (("examples_per_second",), ".0f"),
}


@click.command()
@click.option("--data", help="The folder with Multi30k's files, multi30k, or other sentence pairs.")
@click.option("--seed", "seeds", type=int, multiple=True, help="[default: 0 to 5 of de-en, else 0]")
@click.option(
    "--direction",
    "directions",
    multiple=True,
    default=tuple(DEFAULT_SEEDS),
    show_default=True,
    metavar="SOURCE-TARGET",
)
@click.option("--epochs", type=click.IntRange(min=1), help="Just so many epochs; by default the template's own rule.")
@click.option("--name", default="translation", show_default=True, help="The name of the file of results.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the runs' folders, as KEEP/de-en-seed0.")
@click.option("--report", "only_report", is_flag=True, help="Run nothing: show what has been measured.")
def main(data, seeds, directions, epochs, name, keep, only_report):
    """Measures `run translation`, once for each direction and seed."""
    results = RESULTS / f"{name}.json"
    if not only_report:
        if data is None:
            raise click.UsageError("Missing option '--data'.")
        # By seed first: whoever stops early has something of every direction.
        kinds = [(direction, seed) for direction in directions for seed in seeds or DEFAULT_SEEDS.get(direction, (0,))]
        kinds.sort(key=lambda one: one[1])
        # Resolved: the runs have a working folder of their own.
        folders = {one: keep and keep.resolve() / f"{one[0]}-seed{one[1]}" for one in kinds}
        check(data, directions, epochs, [folder for folder in folders.values() if folder], results)
        runs = [
            ({"direction": direction}, typed(direction, seed, epochs), folder)
            for (direction, seed), folder in folders.items()
        ]
        record_runs(results, data, runs, place)
    print_report(results, "direction", COLUMNS, "translation")


def typed(direction: str, seed: int, epochs: int | None) -> str:
    """What to type to have one run again."""
    source, target = languages_of(direction)
    limit = f" --epochs {epochs} --patience 0" if epochs else ""
    flags = f"--source-language {source} --target-language {target} --seed {seed}{limit}"
    return f"python cli.py run translation --data DATA {flags}"


def languages_of(direction: str) -> tuple[str, str]:
    """The languages of a direction: from, into.

    Raises:
        click.BadParameter: It is not written as such.
    """
    source, _, target = direction.partition("-")
    if not source or not target or " " in direction:
        raise click.BadParameter(f"{direction!r} is no direction; write it as de-en", param_hint="'--direction'")
    return source, target


def place(record: dict) -> tuple:
    """Where a record stands among others: by direction, the default ones first, and by seed."""
    direction, known = record["direction"], list(DEFAULT_SEEDS)
    return (known.index(direction) if direction in known else len(known)), direction, record["seed"]


def check(data: str, directions: tuple[str, ...], epochs: int | None, folders: list[Path], results: Path) -> None:
    """Checks, before anything runs, that all of it can, and can stand beside what is there.

    Raises:
        click.ClickException: It cannot.
    """
    for direction in directions:
        source, target = languages_of(direction)
        try:
            found = find_source(Config(data=data, source_language=source, target_language=target)).name
        except UserError as error:
            raise click.ClickException(str(error)) from None
        check_comparable(read(results), found, lambda one: typed(one["direction"], one["seed"], epochs), results)
    for folder in folders:
        # A run that goes on, or is done, says nothing about the seconds it takes.
        if folder.exists():
            raise click.ClickException(f"{folder} is there already; choose another --keep")


if __name__ == "__main__":
    main()
