"""`run captioning` with several seeds: what it reaches, how far the seeds lie apart, and how long it takes.

Every run is a process of its own. Two clocks: `wall_seconds` from the process's start to the end of its last epoch,
reading all pictures and captioning the validation split after each epoch included, and `train_seconds`, which counts
the training steps alone, tracing and compilation included, with the data prepared before. Each finished run is written
to `benchmarks/results/NAME.json` at once, beside those of other seeds: runs can be spread out.

A caption depends on its picture alone, so `shuffled`, each caption scored as that of another picture, is what a model
reaches that is fed shuffled pictures. `ptb` are the test captions' figures with the tokens of published ones; there are
none without Java.

    python -m benchmarks.captioning --data DATA                        3 seeds
    python -m benchmarks.captioning --data DATA --seed 3 --seed 4      two more
    python -m benchmarks.captioning --report                           what has been measured
"""

import json
from pathlib import Path

import click

from benchmarks.records import check_comparable, print_report, read, record_runs
from benchmarks.runs import RESULTS
from data.errors import UserError
from templates.captioning.config import Config
from templates.captioning.pipeline import find_source
from training.metrics.captions import score_with_ptb_tokenizer

COLUMNS = {
    "cider": (("test", "cider"), ".3f"),
    "bleu4": (("test", "bleu4"), ".2f"),
    "bleu1": (("test", "bleu1"), ".2f"),
    "rouge_l": (("test", "rouge_l"), ".3f"),
    "shuffled\ncider": (("shuffled", "test", "cider"), ".3f"),
    "shuffled\nbleu4": (("shuffled", "test", "bleu4"), ".2f"),
    "validation\ncider": (("validation", "cider"), ".3f"),
    "ptb\ncider": (("ptb", "cider"), ".3f"),
    "ptb\nbleu4": (("ptb", "bleu4"), ".2f"),
    "epochs": (("epochs",), ".4g"),
    "best\nepoch": (("best_epoch",), ".4g"),
    "train s": (("train_seconds",), ".1f"),
    "wall s": (("wall_seconds",), ".1f"),
}


@click.command()
@click.option("--data", help="The folder with Flickr8k's pictures, captions and lists, flickr8k, or others.")
@click.option("--seed", "seeds", type=int, multiple=True, default=(0, 1, 2), show_default=True)
@click.option("--epochs", type=click.IntRange(min=1), help="Just so many epochs; by default the template's own rule.")
@click.option("--name", default="captioning", show_default=True, help="The name of the file of results.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the runs' folders, as KEEP/seed0.")
@click.option("--report", "only_report", is_flag=True, help="Run nothing: show what has been measured.")
def main(data, seeds, epochs, name, keep, only_report):
    """Measures `run captioning`, once for each seed."""
    results = RESULTS / f"{name}.json"
    if not only_report:
        if data is None:
            raise click.UsageError("Missing option '--data'.")
        # Resolved: the runs have a working folder of their own.
        folders = {seed: keep and keep.resolve() / f"seed{seed}" for seed in seeds}
        check(data, epochs, [folder for folder in folders.values() if folder], results)
        runs = [({}, typed(seed, epochs), folder) for seed, folder in folders.items()]
        record_runs(results, data, runs, more=ptb_metrics)
    print_report(results, "data", COLUMNS, "captioning")


def typed(seed: int, epochs: int | None) -> str:
    """What to type to have one run again."""
    limit = f" --epochs {epochs} --patience 0" if epochs else ""
    return f"python cli.py run captioning --data DATA --seed {seed}{limit}"


def check(data: str, epochs: int | None, folders: list[Path], results: Path) -> None:
    """Checks, before anything runs, that all of it can, and can stand beside what is there.

    Raises:
        click.ClickException: It cannot.
    """
    try:
        found = find_source(Config(data=data)).name
    except UserError as error:
        raise click.ClickException(str(error)) from None
    check_comparable(read(results), found, lambda one: typed(one["seed"], epochs), results)
    for folder in folders:
        # A run that goes on, or is done, says nothing about the seconds it takes.
        if folder.exists():
            raise click.ClickException(f"{folder} is there already; choose another --keep")


def ptb_metrics(run_dir: Path) -> dict:
    """`ptb`: what a run's test captions score by PTBTokenizer's tokens; None without Java or a test split."""
    captions = run_dir / "captions_test.jsonl"
    if not captions.exists():
        return {"ptb": None}
    with open(captions, encoding="utf-8") as lines:
        pictures = [json.loads(line) for line in lines]
    scores = score_with_ptb_tokenizer([one["caption"] for one in pictures], [one["references"] for one in pictures])
    return {"ptb": scores and scores.metrics}


if __name__ == "__main__":
    main()
