"""A signal is planted in the future: nobody sees it who should not know it yet.

The same series twice, but that from some step on all targets are a million, and a word comes that was not there before.
"""

import json

import keras
import numpy as np
import pytest

from templates.forecasting import pipeline
from templates.forecasting.config import Config
from tests.command import cli

STEPS, TRAINED, VALIDATED = 100, 60, 80
WINDOW, HORIZON = 8, 4
SMALL = {"window": WINDOW, "horizon": HORIZON, "segment": 4, "units": 4, "epochs": 1, "batch_size": 16, "seed": 1}


def write(path, planted_from, has_gaps=True):
    """Three series with missing values and rows in each part; from `planted_from` on, what must not be seen."""
    random = np.random.default_rng(0)
    lines = ["unique_id,ds,y,event,kind"]
    for name in "abc":
        for step, value in enumerate(random.normal(size=STEPS).cumsum()):
            is_planted = step >= planted_from
            event = "planted" if is_planted else "fair" if step % 7 == 0 else "none"
            number = "" if step % 13 == 5 else str(10**6 if is_planted else round(value, 4))
            if step % 17 != 3 or not has_gaps:
                lines.append(f"{name},{step},{number},{event},{name}")
    path.write_text("\n".join(lines))
    return path


def learned_and_examples(path, fill):
    config = Config(
        **{**SMALL, "data": str(path), "fill": fill, "future_columns": "event", "static_columns": "kind"},
    )
    opened = pipeline.open_source(config, pipeline.find_source(config))
    series = opened.read(["train", "validation", "test"])
    learned = pipeline.Learned.of(config, opened.columns, series["train"])
    return config, learned, {split: pipeline.make_examples(config, rows, learned) for split, rows in series.items()}


@pytest.mark.parametrize("fill", ["none", "forward", "interpolate", "zero"])
@pytest.mark.parametrize("planted_from", [TRAINED, TRAINED + 9, VALIDATED, VALIDATED + 9])
def test_no_window_holds_what_comes_after_it(fill, planted_from, tmp_path):
    # Without a fill, rows that are missing would be a mistake: nobody knew their events.
    as_it_is, changed = (
        write(tmp_path / f"{place}.csv", place, has_gaps=fill != "none") for place in (STEPS, planted_from)
    )
    config, learned, examples = learned_and_examples(as_it_is, fill)
    _, learned_there, planted = learned_and_examples(changed, fill)
    # Whatever is learned is learned of the training rows.
    assert learned_there.to_json() == learned.to_json()
    seen = 0
    for split, those in examples.items():
        others = planted[split]
        assert len(those) == len(others) and (those.origins == others.origins).all()
        batch, other = (pipeline.make_batch(config, one, np.arange(len(one)), len(one)) for one in (those, others))
        step = np.array([those.series.times[row] for row in range(len(those.series))])
        at = step.reshape(-1)[those.origins]  # the step of each example's first target
        unaware = at <= planted_from
        known = WINDOW + np.clip(planted_from - at[unaware], 0, HORIZON)
        for row, count in zip(np.flatnonzero(unaware), known, strict=True):
            assert np.array_equal(batch[0][row], other[0][row], equal_nan=True)
            assert np.array_equal(batch[1][row][:count], other[1][row][:count])
            assert np.array_equal(batch[3][row][: count - WINDOW], other[3][row][: count - WINDOW], equal_nan=True)
        assert np.array_equal(batch[2], other[2]) and np.array_equal(batch[4], other[4])
        seen += int(unaware.sum())
        if split == "train":
            assert unaware.all() and max(np.nanmax(part) for part in (*other[:2], other[3])) < 1000
        if split == "test":
            # Validation rows are before every test row, and are seen.
            assert at.min() == VALIDATED
    assert seen


def test_nothing_that_is_learned_or_chosen_depends_on_the_test(tmp_path):
    """Neither a run's weights, nor what it validates, nor what it fits to compare itself with."""
    figures, weights = [], []
    for planted_from in (STEPS, VALIDATED):
        path, folder = write(tmp_path / "a.csv", planted_from), tmp_path / str(planted_from)
        flags = [text for field, value in SMALL.items() for text in (f"--{field.replace('_', '-')}", str(value))]
        flags += ["--fill", "forward", "--future-columns", "event", "--static-columns", "kind"]
        cli("run", "forecasting", "--data", path, "--run-dir", folder, *flags, cwd=tmp_path)
        figures.append(json.loads((folder / "metrics.json").read_text()))
        weights.append(keras.saving.load_model(folder / "model.keras").get_weights())
    as_it_is, planted = figures
    assert all(np.array_equal(*pair) for pair in zip(*weights, strict=True))
    assert as_it_is["validation"] == planted["validation"]
    assert as_it_is["compared"]["validation"] == planted["compared"]["validation"]
    assert as_it_is["test"]["mae"] < 100 < planted["test"]["mae"]
