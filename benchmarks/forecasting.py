"""`run forecasting` on ETT: the errors on its test steps, beside those of methods without a network.

python -m benchmarks.forecasting --data ETTh1.csv                3 seeds, a few minutes each
python -m benchmarks.forecasting --data ETTh1.csv --horizon 720
python -m benchmarks.forecasting --report                        what has been measured

The file holds the first 14,400 rows (`head -n 14401`): 12 months of 30 days to train on, 4 to validate on, 4 to test
on. Window, segment and loss were chosen by validation.
"""

import click

from benchmarks.records import print_report, record_runs
from benchmarks.runs import RESULTS
from templates.forecasting import pipeline
from templates.forecasting.config import Config

NETWORK = "--units 256 --dropout 0.5 --batch-size 448 --learning-rate-half-life 400 --no-calendar --quantiles none"
SETTINGS = {
    96: f"--window 336 --segment 24 {NETWORK} --learning-rate 0.001 --epochs 8",
    720: f"--window 720 --segment 48 {NETWORK} --learning-rate 0.0003 --epochs 3",
}
COLUMNS = {
    "mse": (("test", "mse_scaled"), ".4f"),
    "mae": (("test", "mae_scaled"), ".4f"),
    "linear map's\nmse": (("compared", "test", "linear map", "mse_scaled"), ".4f"),
    "its mae": (("compared", "test", "linear map", "mae_scaled"), ".4f"),
    "validation\nmse": (("validation", "mse_scaled"), ".4f"),
    "best\nepoch": (("best_epoch",), ".4g"),
    "windows/s": (("examples_per_second",), ",.0f"),
    "train s": (("train_seconds",), ".1f"),
    "wall s": (("wall_seconds",), ".1f"),
}


@click.command()
@click.option("--data", help="The table.")
@click.option("--horizon", type=click.Choice(list(map(str, SETTINGS))), default="96", show_default=True)
@click.option("--seed", "seeds", type=int, multiple=True, default=(0, 1, 2), show_default=True)
@click.option("--name", default="forecasting", show_default=True, help="The name of the file of results.")
@click.option("--report", "only_report", is_flag=True, help="Run nothing: show what has been measured.")
def main(data, horizon, seeds, name, only_report):
    """Measures `run forecasting` on DATA, once for each seed."""
    results = RESULTS / f"{name}.json"
    if not only_report:
        if not data:
            raise click.UsageError("--data is needed, unless --report")
        source = pipeline.find_source(Config(data=data))
        kind = f"{source.name}, {horizon} ahead"
        runs = [({"table": kind}, typed(int(horizon), seed), None) for seed in seeds]
        # Left out: each step ahead has its figures, which makes thousands of lines.
        record_runs(results, data, runs, lambda record: (record["table"], record["seed"]), without=["per_horizon"])
    print_report(results, "table", COLUMNS, "forecasting")


def typed(horizon: int, seed: int) -> str:
    """What to type to have one run again."""
    steps = "--validation-steps 2880 --test-steps 2880"
    return f"python cli.py run forecasting --data DATA {steps} --horizon {horizon} {SETTINGS[horizon]} --seed {seed}"


if __name__ == "__main__":
    main()
