"""training.progress: what is counted, said, saved and stopped around the steps of a loop."""

import dataclasses
import os
import signal
import threading
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from data.errors import UserError
from data.sources.source import Source
from training.checkpoint import load_checkpoint
from training.device import Device
from training.progress import Progress
from training.runs.folder import RunFolder
from training.runs.record import Record
from training.stop_requests import Interrupted

CPU = Device(tf.distribute.get_strategy(), "CPU", "float32", False)
ONES = (tf.constant(1.0),) * 3
PLAN = [np.array([0, 1]), np.array([2, 3]), np.array([4])]


@dataclasses.dataclass(frozen=True)
class Config:
    epochs: int = 2
    patience: int = 0
    checkpoint_steps: int = 100
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class Result:
    loss: float
    metrics: dict


@pytest.fixture
def run(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    run = RunFolder(tmp_path)
    run.write_record(Record("toy", "1", Source("path", "rows", None, "", "abc", "rows"), {}))
    return run


def progress_of(run, best_by="accuracy", **fields):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, name="dense")])
    return Progress(run, Config(**fields), CPU, best_by, model=model)


def make_batch(rows):
    return rows.astype(np.float32), rows


def take(progress, losses=(1.0, 2.0, 3.0), weights=(1.0, 2.0, 3.0), norms=(1.0, 1.0, 1.0)):
    figures = zip(losses, weights, norms, strict=False)
    for (rows, batch), (loss, weight, norm) in zip(progress.steps(PLAN, make_batch), figures, strict=False):
        assert [tensor.numpy().tolist() for tensor in batch] == [rows.tolist()] * 2
        progress.step_done(tf.constant(loss), tf.constant(weight), tf.constant(norm), 0.5, len(rows))


def test_epochs_are_counted_and_told_and_the_best_weights_come_back(run):
    with progress_of(run, epochs=3, patience=2) as progress:
        model = progress.parts["model"]
        for epoch, accuracy in zip(progress.epochs(), (0.5, 0.7, 0.6), strict=False):
            take(progress)
            model.trainable_variables[0].assign([[float(epoch)]])
            progress.keep_best(Result(0.1, {"accuracy": accuracy}))
            progress.end_epoch(Result(0.1, {"accuracy": accuracy}), learning_rate=0.5)
        assert list(progress.epochs()) == [] and progress.step == 9
    progress.restore_best()
    assert model.trainable_variables[0].numpy() == 1.0
    progress.finish("rows", {"validation": Result(0.1, {"accuracy": 0.7})}, is_tested=True, further=5)
    metrics = run.read_metrics()
    assert metrics["best_epoch"] == 2 and metrics["epochs"] == 3 and metrics["further"] == 5 and metrics["test"] is None
    history = (run.path / "history.csv").read_text().splitlines()
    assert history[0].startswith("epoch,loss,validation_loss,validation_accuracy,learning_rate,seconds")
    # The mean over all that the losses are means of: (1 * 1 + 2 * 2 + 3 * 3) / 6.
    assert history[1].startswith(f"1,{14 / 6},0.1,0.5,0.5,")
    assert (run.path / "plots" / "learning_curve.png").is_file()


@pytest.mark.parametrize(
    ("precision", "effect"),
    [("float32", "may differ in its last bits"), ("mixed_bfloat16", "will differ, for the precision is another")],
)
def test_a_resume_elsewhere_says_how_much_may_differ(precision, effect, run, monkeypatch, capsys):
    with progress_of(run) as progress:
        for _ in progress.epochs():
            take(progress)
            progress.end_epoch(Result(0.1, {"accuracy": 0.5}))
            break
    assert "resumed" not in capsys.readouterr().out
    monkeypatch.setattr("tests.training.test_progress.CPU", dataclasses.replace(CPU, name="GPU", precision=precision))
    progress_of(run)
    told = " ".join(capsys.readouterr().out.split())
    assert f"{precision}, jit off, deterministic ops here): the result {effect}" in told


def test_patience_and_the_loss_as_the_measure(run):
    with progress_of(run, best_by="loss", epochs=9, patience=2) as progress:
        seen = []
        for epoch in progress.epochs():
            take(progress)
            result = Result((3.0, 2.0, 2.5, 2.0)[epoch], {"loss": 0.0})
            progress.keep_best(result)
            progress.end_epoch(result)
            seen.append(epoch)
    assert seen == [0, 1, 2, 3] and progress.position.best_epoch == 2


def test_of_equal_scores_the_lower_loss_is_the_better_one_also_to_patience_and_after_a_restart(run):
    """Before, the first of many epochs with a BLEU of 0 was kept, and patience ended the run."""
    results = [Result(loss, {"accuracy": 0.0}) for loss in (3.0, 2.0, 2.5, 1.0, 1.0, 1.5)]
    for stops_after in (2, 9):
        with progress_of(run, epochs=9, patience=2) as progress:
            for epoch in progress.epochs():
                take(progress)
                progress.keep_best(results[epoch])
                progress.end_epoch(results[epoch])
                if epoch + 1 == stops_after:
                    break
    assert progress.position.epoch == 6 and progress.position.best_epoch == 4


def test_a_stopped_epoch_goes_on_where_it_was(run):
    with progress_of(run, checkpoint_steps=2) as progress:
        take(progress, losses=(1.0, 2.0))
    again = progress_of(run)
    assert (again.position.batch, again.position.step, again.position.loss) == (2, 2, 5 / 3)
    with again:
        assert [rows.tolist() for rows, _ in again.steps(PLAN, make_batch)] == [[4]]


def test_a_stop_request_saves_and_says_the_step_that_it_goes_on_from(run):
    with pytest.raises(Interrupted, match="goes on from step 1$"), progress_of(run) as progress:
        for rows, _ in progress.steps(PLAN, make_batch):
            os.kill(os.getpid(), signal.SIGTERM)
            progress.step_done(*ONES, 0.5, len(rows))
    assert load_checkpoint(run.checkpoint_file, {})[0].step == 1


def test_a_stop_request_between_two_looks_at_it_is_the_next_steps(run):
    """Before, it ended the run with a promise and without a checkpoint."""

    class ComesAtSecondLook:
        looks = 0

        def is_set(self):
            self.looks += 1
            return self.looks > 1

    with progress_of(run) as progress:
        progress._stop = ComesAtSecondLook()
        steps = progress.steps(PLAN, make_batch)
        rows, _ = next(steps)
        progress.step_done(*ONES, 0.5, len(rows))
        rows, _ = next(steps)
        with pytest.raises(Interrupted, match="step 2$"):
            progress.step_done(*ONES, 0.5, len(rows))
        steps.close()
    assert load_checkpoint(run.checkpoint_file, {})[0].step == 2


def test_a_stop_request_while_measuring_saves_the_epochs_steps_and_only_measures_again(run):
    class Average:
        variables, is_applied = [], False

    with pytest.raises(Interrupted, match="goes on from step 3$"), progress_of(run) as progress:
        take(progress)
        os.kill(os.getpid(), signal.SIGINT)
    with progress_of(run) as progress:
        assert list(progress.steps(PLAN, make_batch)) == [] and progress.position.loss == 14 / 6
        progress.keep_best(Result(0.1, {"accuracy": 0.5}))
        progress.end_epoch(Result(0.1, {"accuracy": 0.5}))
    # Not where the interruption may have left the average in the weights' place.
    with pytest.raises(KeyboardInterrupt), progress_of(run) as progress:
        progress.parts["average"] = Average()
        take(progress)
        Average.is_applied = True
        os.kill(os.getpid(), signal.SIGINT)
    assert load_checkpoint(run.checkpoint_file, {})[0].step == 3


def test_a_stop_request_at_an_epochs_end_stops_before_the_next(run):
    with pytest.raises(Interrupted, match="goes on from step 3$"), progress_of(run) as progress:
        for _ in progress.epochs():
            take(progress)
            progress.keep_best(Result(0.1, {"accuracy": 0.5}))
            os.kill(os.getpid(), signal.SIGTERM)
            progress.end_epoch(Result(0.1, {"accuracy": 0.5}))
    assert progress.position.epoch == 1 and load_checkpoint(run.checkpoint_file, {})[0] == progress.position


def test_checkpoints_that_take_long_are_fewer_and_the_last_epoch_has_one(run, monkeypatch):
    saved = []

    def slow_save(path, parts, position, *rest):
        saved.append((position.epoch, position.step))
        time.sleep(0.2)

    monkeypatch.setattr("training.progress.save_checkpoint", slow_save)
    with progress_of(run, epochs=3, checkpoint_steps=1) as progress:
        for _ in progress.epochs():
            take(progress)
            progress.keep_best(Result(0.1, {"accuracy": 0.5}))
            progress.end_epoch(Result(0.1, {"accuracy": 0.5}))
    assert saved[0] == (0, 1) and saved[-1] == (3, 9) and len(saved) == 2


NAN, INFINITE = float("nan"), float("inf")


@pytest.mark.parametrize(
    "figures, what",
    [
        ({"losses": (1.0, NAN, NAN)}, r"the loss is nan after step 5 \(learning rate 0.5, gradient norm 1\)"),
        ({"norms": (1.0, INFINITE, NAN)}, r"the gradient is inf after step 5 \(learning rate 0.5, gradient norm inf\)"),
        ({}, r"the norm of the weights is inf after step 6 \("),
    ],
)
@pytest.mark.parametrize("checkpoint_steps", [1, 100])
def test_the_first_figure_that_is_not_finite_stops_the_run_before_anything_is_saved(
    run, figures, what, checkpoint_steps, monkeypatch
):
    """Before, a gradient or weights that were not finite went into the checkpoint, and the step was not named."""
    monkeypatch.setattr("training.progress.SHARE_OF_CHECKPOINTS", float("inf"))  # as many as are asked for
    with pytest.raises(UserError, match=what) as error, progress_of(run, checkpoint_steps=checkpoint_steps) as progress:
        take(progress)
        progress.keep_best(Result(0.1, {"accuracy": 0.5}))
        progress.end_epoch(Result(0.1, {"accuracy": 0.5}))
        if not figures:
            progress.parts["model"].trainable_variables[0].assign([[1e30]])
            progress.config = dataclasses.replace(progress.config, checkpoint_steps=3)
        take(progress, **figures)
    assert "--epochs 1 ends this run with its best weights, of epoch 1" in str(error.value)
    model = progress.parts["model"]
    kept, _ = load_checkpoint(run.checkpoint_file, {"model": model})
    assert (kept.epoch, kept.step) == (1, 4 if figures and checkpoint_steps == 1 else 3)
    assert np.isfinite(kept.loss_sum) and abs(model.trainable_variables[0].numpy()) < 10


@pytest.mark.parametrize(
    "result, what",
    [
        (Result(NAN, {"accuracy": 0.9}), "the validation loss is nan"),
        (Result(0.1, {"accuracy": NAN}), "the validation accuracy is nan"),
    ],
)
def test_a_validation_that_is_not_finite_stops_the_run_and_is_never_the_best(run, result, what):
    """Before, NaN was the best there can be: no later score was higher."""
    with (
        pytest.raises(UserError, match=f"{what} after step 3 .*; lower --learning-rate$"),
        progress_of(run) as progress,
    ):
        take(progress)
        progress.keep_best(result)
    assert not list((run.path / "checkpoints").iterdir())


def test_the_next_batch_is_made_while_a_step_runs_and_its_error_comes_out(run):
    made, second = [], threading.Event()

    def make(rows):
        made.append(rows[0])
        if rows[0] == 2:
            second.set()
        if rows[0] == 4:
            raise ValueError("no such row")
        return (rows,)

    with progress_of(run) as progress:
        steps = progress.steps(PLAN, make)
        next(steps)
        assert second.wait(5) and made == [0, 2]
        next(steps)
        with pytest.raises(ValueError, match="no such row"):
            next(steps)
