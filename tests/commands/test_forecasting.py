"""`run forecasting` on files of one's own that others wrote, and copied; and what a user does with the run."""

import csv
import json

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from tests.command import ROOT, change_as_readme_says, checked, cli, cli_process, run_program
from tests.loaders import assert_every_loader_answers

SIZES = (
    "--window",
    "28",
    "--segment",
    "7",
    "--horizon",
    "7",
    "--units",
    "24",
    "--batch-size",
    "32",
    "--dropout",
    "0.1",
)
FLAGS = ("--future-columns", "promotion", "--static-columns", "kind", *SIZES)
DAYS, SHOPS = 280, 3


def sales(days: int = DAYS) -> pd.DataFrame:
    """Sales of some shops: a week's season, and promotions that are known beforehand and double what is sold."""
    random = np.random.default_rng(0)
    frames = []
    for shop in range(SHOPS):
        promoted = random.random(DAYS) < 0.15
        level = 10.0**shop * (10 + 3 * np.sin(2 * np.pi * (np.arange(DAYS) + shop) / 7))
        frames.append(
            pd.DataFrame(
                {
                    "unique_id": f"shop {shop}",
                    "ds": pd.date_range("2023-01-01", periods=DAYS),
                    "y": level * (1 + promoted) * random.normal(1, 0.03, DAYS),
                    "promotion": promoted.astype(int),
                    "kind": "small" if shop < 2 else "large",
                }
            )[:days]
        )
    return pd.concat(frames)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with a run on a table that pandas wrote."""
    folder = tmp_path_factory.mktemp("project")
    sales().sample(frac=1, random_state=0).to_csv(folder / "sales.csv", index=False)
    command = ("run", "forecasting", "--data", "sales.csv", *FLAGS, "--epochs", "25", "--learning-rate", "0.01")
    done = cli_process(*command, "--run-dir", "runs/mine", cwd=folder)
    (folder / "output.txt").write_text(done.stdout + done.stderr)
    history, future = sales(days=200), sales()[lambda rows: rows["ds"] >= "2023-07-20"]
    history.to_csv(folder / "history.csv", index=False)
    future.drop(columns="y").to_csv(folder / "future.csv", index=False)
    return folder


def metrics_of(run) -> dict:
    return json.loads((run / "metrics.json").read_text())


def test_the_run_says_what_it_read_and_leaves_what_the_design_says(project):
    output = (project / "output.txt").read_text()
    for part in ("3 series", "1 day apart", "season", "7 steps", "sine of weekday", "promotion", "seasonal naive",
                 "linear map", "gru is better than the best method without a network"):  # fmt: skip
        assert part in output, part
    run = project / "runs" / "mine"
    names = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    assert names >= {
        "config.json", "metrics.json", "history.csv", "model.keras", "vocabulary.json", "checkpoints/latest.npz",
        "linear_map.npy", "series_validation.csv", "series_test.csv", "plots/learning_curve.png",
        "plots/forecasts_validation.png", "plots/forecasts_test.png", "plots/errors_validation.png", "plots/errors_test.png",
    }  # fmt: skip
    metrics = metrics_of(run)
    figures = {"mae", "mse", "mae_scaled", "mse_scaled", "mase", "smape", "weighted_quantile_loss", "coverage"}
    for split in ("validation", "test"):
        assert set(metrics[split]) == figures and metrics["compared"][split]["gru"] == metrics[split]
        assert list(metrics["compared"][split]) == ["gru", "naive", "seasonal naive", "drift", "linear map"]
        assert len(metrics["per_horizon"][split]["mae"]) == 7
    with open(run / "series_test.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["unique_id"] for row in rows[::5]) == ["shop 0", "shop 1", "shop 2"] and len(rows) == 15
    mine = [float(row["mase"]) for row in rows if row["method"] == "gru"]
    assert np.mean(mine) == pytest.approx(metrics["test"]["mase"], rel=1e-5)


def test_it_forecasts_what_a_season_and_a_line_cannot_know(project):
    metrics = metrics_of(project / "runs" / "mine")
    found = {name: figures["mase"] for name, figures in metrics["compared"]["test"].items()}
    print(found)
    assert found["gru"] < 0.6 * min(found[name] for name in found if name != "gru")
    assert 0.5 < metrics["test"]["coverage"] <= 1
    evaluated = json.loads(cli("evaluate", "runs/mine", "--json", cwd=project).stdout)
    assert evaluated["metrics"] == pytest.approx(metrics["test"], rel=1e-4) and evaluated["split"] == "test"
    ours, theirs = (found["linear map"]["mase"] for found in (evaluated["compared"], metrics["compared"]["test"]))
    assert ours == pytest.approx(theirs, rel=1e-9)
    printed = cli("evaluate", "runs/mine", "--rolling", "3", cwd=project).stdout
    assert "rolling origins, 7 steps apart" in printed and "21 steps before the end" in printed
    assert "all, seasonal naive" in printed
    whole = json.loads(
        cli("evaluate", "runs/mine", "--data", "sales.csv", "--split", "all", "--json", cwd=project).stdout
    )
    assert whole["rows"] == SHOPS * (DAYS - 28 - 7 + 1)


def test_predict_answers_a_file_with_what_is_known_of_the_days_to_come(project):
    flags = ("--file", "history.csv", "--future", "future.csv", "--output", "forecast.csv")
    done = cli_process("predict", "runs/mine", *flags, cwd=project)
    assert "forecast.csv: 3 series, 7 steps ahead each" in done.stderr
    found = pd.read_csv(project / "forecast.csv", parse_dates=["ds"])
    assert list(found) == ["unique_id", "ds", "forecast", "q0.1", "q0.5", "q0.9"]
    assert (found["q0.1"] <= found["q0.5"]).all() and (found["q0.5"] <= found["q0.9"]).all()
    came = found.merge(sales(), on=["unique_id", "ds"], validate="one_to_one")
    assert len(came) == 21 and came["promotion"].any()
    assert (abs(came["forecast"] / came["y"] - 1) < 0.5).all()
    typed = cli("predict", "forecasting", "history.csv", "--future", "future.csv", "--json", cwd=project).stdout
    (answer,) = map(json.loads, typed.splitlines())
    assert [row["forecast"] for row in answer["forecasts"]] == pytest.approx(found["forecast"].tolist(), rel=1e-6)
    lines = cli(
        "predict", "runs/mine", "--future", "future.csv", stdin="history.csv\n", cwd=project
    ).stdout.splitlines()
    assert lines[0].split("\t") == list(found) and len(lines) == 22
    done = cli("predict", "runs/mine", "history.csv", cwd=project, status=1)
    assert "promotion known for 0 steps ahead, and 7 are forecast; --future FILE tells more" in done.stderr


def test_an_exported_model_answers_in_every_loader(project):
    cli_process("export", "runs/mine", "exported", cwd=project)
    function = tf.saved_model.load(str(project / "exported")).signatures["serving_default"]
    random = np.random.default_rng(0)
    inputs = {
        name: random.normal(size=[2, *spec.shape[1:]]).astype(np.float32)
        for name, spec in function.structured_input_signature[1].items()
    }
    assert set(inputs) == {"window", "covariates", "static"}
    answer = assert_every_loader_answers(project / "exported", inputs)
    assert answer["forecast"].shape == (2, 7) and answer["quantiles"].shape == (2, 7, 3)
    begun = assert_every_loader_answers(project / "exported", inputs, "start")
    states = {name: values for name, values in begun.items() if name.startswith("state_")}
    known = random.normal(size=[2, inputs["covariates"].shape[-1]]).astype(np.float32)
    new = {"value": np.float32([100, 200]), "known": known}
    after = assert_every_loader_answers(project / "exported", new | states, "step")
    assert set(states) == {"state_1", "state_2", "state_3"} and after["state_1"][:, -1].tolist() == [100, 200]


def test_the_sample_needs_no_flags_and_what_was_planned_decides(tmp_path):
    """Half the default's window and a third of its epochs, for time; of the whole default the README tells."""
    flags = ("--window", "56", "--units", "64", "--epochs", "5", "--no-test", "--run-dir", "mine")
    done = cli("run", "forecasting", "--data", "sample", *flags, cwd=tmp_path)
    assert "12 series of 1,096 steps, 1 day apart" in done.stdout and "promotion, event=closed" in done.stdout
    metrics = metrics_of(tmp_path / "mine")
    found = {name: figures["mase"] for name, figures in metrics["compared"]["validation"].items()}
    assert found["gru"] < 0.7 * found["linear map"] < 0.7 * found["seasonal naive"]
    assert metrics["test"] is None and not metrics["tested"]
    plans = ROOT / "data" / "samples" / "forecasting" / "train.csv"
    lines = cli("predict", "mine", str(plans), cwd=tmp_path).stdout.splitlines()
    assert len(lines) == 1 + 12 * 28 and lines[1].startswith("bakery-1\t2024-03-01\t")


def test_a_wide_table_of_parquet_is_a_series_for_each_column(tmp_path):
    wide = sales().pivot(index="ds", columns="unique_id", values="y").reset_index().rename(columns={"ds": "date"})
    wide.to_parquet(tmp_path / "wide.parquet")
    flags = (
        "--validation-steps",
        "40",
        "--test-steps",
        "30",
        "--epochs",
        "1",
        "--run-dir",
        "mine",
        "--quantiles",
        "none",
    )
    done = cli("run", "forecasting", "--data", "wide.parquet", *SIZES, *flags, cwd=tmp_path)
    assert f"{3 * (30 - 7 + 1)} windows" in done.stdout and "NO BETTER than" in done.stdout
    answer = json.loads(cli("predict", "mine", "wide.parquet", "--json", cwd=tmp_path).stdout)
    assert {row["unique_id"] for row in answer["forecasts"]} == {"shop 0", "shop 1", "shop 2"}
    assert answer["forecasts"][0]["ds"].startswith("2023-10-08") and "q0.5" not in answer["forecasts"][0]


def test_a_copy_runs_by_itself_changed_as_the_readme_says(project):
    cli("copy", "forecasting", "mine", cwd=project)
    change_as_readme_says(project / "mine", "forecasting")
    (project / "mine" / "sales.csv").write_bytes((project / "sales.csv").read_bytes())

    def run(*arguments):
        return checked(run_program("-m", *arguments, cwd=project / "mine")).stdout

    flags = ("--data", "sales.csv", *FLAGS, "--epochs", "1", "--run-dir", "copied", "--normalized")
    output = run("forecasting", "run", *flags)
    assert "python -m forecasting predict copied" in output and "rmse" in output
    metrics = metrics_of(project / "mine" / "copied")
    assert metrics["test"]["rmse"] > 0 and len(metrics["per_horizon"]["test"]["rmse"]) == 7


@pytest.mark.parametrize(
    "flags, message",
    [
        (("--window", "280"), "no series is long enough for a window of 280 and a horizon of 7 steps"),
        (("--target", "sold"), "no column 'sold' (--target)"),
        (("--validation-steps", "5"), "no series is long enough"),
        (("--validation-steps", "200", "--test-steps", "200"), "nothing is left for train"),
    ],
)
def test_a_mistake_gets_one_line_and_leaves_nothing_behind(tmp_path, flags, message):
    sales().to_csv(tmp_path / "sales.csv", index=False)
    command = ("run", "forecasting", "--data", "sales.csv", *FLAGS, *flags, "--run-dir", "mine")
    done = cli(*command, cwd=tmp_path, status=1)
    assert message in done.stderr and done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["sales.csv"]
