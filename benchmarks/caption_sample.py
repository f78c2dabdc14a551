"""`run captioning` on the bundled sample: how many captions name every shape, colour, size and relation, and no other.

The sample's sentences are simple and its pictures many for what they show, so the network is made small, and nothing is
dropped: see `FLAGS`. No scene of the validation and test pictures is in the training pictures. Two clocks, as in
`benchmarks.captioning`.

    python -m benchmarks.caption_sample              3 seeds, about 2 minutes each
    python -m benchmarks.caption_sample --report     what has been measured
"""

import json
from pathlib import Path

import click

from benchmarks.records import check_comparable, print_report, read, record_runs
from benchmarks.runs import RESULTS
from data.samples.captioning.make.draw_scenes import is_correct

FLAGS = (
    "--channels 32 --units 128 --embedding-size 64 --captions-per-picture 3 --dropout 0 --embedding-dropout 0 "
    "--label-smoothing 0 --weight-decay 0.05 --shift 0.2 --zoom 0.1 --colour-change 0.1 --learning-rate 2e-3 "
    "--warm-up-steps 100 --learning-rate-half-life 700 --weight-average 0.99 --best-by loss --epochs 17"
)
COLUMNS = {
    "right": (("right", "test"), ".3f"),
    "validation\nright": (("right", "validation"), ".3f"),
    "cider": (("test", "cider"), ".3f"),
    "bleu4": (("test", "bleu4"), ".2f"),
    "epochs": (("epochs",), ".4g"),
    "best\nepoch": (("best_epoch",), ".4g"),
    "train s": (("train_seconds",), ".1f"),
    "wall s": (("wall_seconds",), ".1f"),
}


@click.command()
@click.option("--seed", "seeds", type=int, multiple=True, default=(0, 1, 2), show_default=True)
@click.option("--name", default="caption_sample", show_default=True, help="The name of the file of results.")
@click.option("--report", "only_report", is_flag=True, help="Run nothing: show what has been measured.")
def main(seeds, name, only_report):
    """Measures `run captioning` on the sample, once for each seed."""
    results = RESULTS / f"{name}.json"
    if not only_report:
        check_comparable(read(results), "sample", lambda one: typed(one["seed"]), results)
        record_runs(results, "sample", [({}, typed(seed), None) for seed in seeds], more=shares_right)
    print_report(results, "data", COLUMNS, "captioning")


def typed(seed: int) -> str:
    """What to type to have one run again."""
    return f"python cli.py run captioning --data sample {FLAGS} --seed {seed}"


def shares_right(run_dir: Path) -> dict:
    """`right`: of each split, the share of the captions that say what the picture shows, in whatever wording."""
    shares = {}
    for split in ("validation", "test"):
        lines = (run_dir / f"captions_{split}.jsonl").read_text(encoding="utf-8").splitlines()
        pictures = [json.loads(line) for line in lines]
        shares[split] = sum(is_correct(one["caption"], one["references"][0]) for one in pictures) / len(pictures)
    return {"right": shares}


if __name__ == "__main__":
    main()
