"""What surrounds learning: counting, timing, reading the loss, checkpoints, stopping, the best weights, the history."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import keras
import numpy as np
import tensorflow as tf

from data.errors import UserError
from training.best_weights import BestWeights
from training.checkpoint import load_checkpoint, save_checkpoint
from training.device import Device, threads, versions
from training.event_log import EventLog
from training.facts import print_facts
from training.live_line import LiveLine
from training.plots import plot_learning_curve
from training.runs.folder import RunFolder
from training.runs.record import differences
from training.stop_requests import Interrupted, stop_requests

# Of the time of a run, checkpoints take no more than this share: where they would, there are fewer.
SHARE_OF_CHECKPOINTS = 0.02


class Progress:
    """How far a run has come, and all that is done around its steps but the learning.

    Whatever the rest of a run depends on is in its `position` and in the variables of its `parts`, and a checkpoint
    holds both: a run that is killed at any step and started again ends in the same bits on a CPU.

    Args:
        run: The run's folder, locked; where it holds a checkpoint, the run goes on from there.
        config: The run's configuration; of it, `epochs`, `patience` and `checkpoint_steps`.
        device: Where the steps run, which a checkpoint remembers.
        best_by: The validation metric that chooses the best epoch, the higher the better, or "loss".
        parts: Name -> whatever has `variables` that steps change: `model`, whose weights are kept, the optimizer,
            built, and what else there is.

    Raises:
        UserError: The checkpoint is damaged, or of another model.

    Example:
        with Progress(run, config, device, "accuracy", model=model, optimizer=optimizer) as progress:
            for epoch in progress.epochs():
                plan = plan_batches(lengths, config.batch_size, config.seed, epoch)
                for rows, batch in progress.steps(plan, lambda rows: (ids[rows], labels[rows])):
                    progress.step_done(*train_step(*batch), config.learning_rate, len(rows))
                result = measure(predict_step, validation)
                progress.keep_best(result)
                progress.end_epoch(result, learning_rate=config.learning_rate)
    """

    def __init__(self, run: RunFolder, config, device: Device, best_by: str, **parts):
        self.run, self.config, self.device, self.best_by = run, config, device, best_by
        self.best = BestWeights(parts["model"])
        self.parts = {**parts, "best": self.best}
        self.identity = run.identity()
        self.environment = {**versions(), "device": device.describe(), "threads": threads()}
        self.position, before = load_checkpoint(run.checkpoint_file, self.parts, self.identity)
        if changes := differences(before, {name: self.environment.get(name) for name in before}):
            # How a device is described tells its precision.
            is_same = device.precision in before.get("device", device.precision)
            effect = "may differ in its last bits" if is_same else "will differ, for the precision is another"
            warning = f"resumed under another {changes}: the result {effect}"
            print_facts("", {"warning": warning})
        self.line = LiveLine(config.epochs, best_by)
        self.events = EventLog(run.path)
        self.batches = 0
        self._next_save = 0.0
        # Figures of steps, on the device until they are needed: reading one waits for its step.
        self._unread: list[tuple[tf.Tensor, tf.Tensor, tf.Tensor, float]] = []
        self._last_step = f"step {self.step:,}"
        self._within = ExitStack()

    def __enter__(self):
        self._stop = self._within.enter_context(stop_requests())
        self._within.enter_context(self.line)
        return self

    def __exit__(self, kind, *exception):
        self._within.close()
        if kind is KeyboardInterrupt and self._stop.at_once and not self._weights_are_average():
            # In the middle of validation, all steps of the epoch made: nothing but the measuring is to be done again.
            self._save()
            raise self._interrupted() from None

    def _weights_are_average(self) -> bool:
        """Whether an interruption came between two lines of what puts the model's own weights back."""
        return "average" in self.parts and self.parts["average"].is_applied

    @property
    def step(self) -> int:
        """Steps taken, in all epochs."""
        return self.position.step

    def epochs(self) -> Iterator[int]:
        """The epochs to come, numbered from 0; none after `patience` epochs in a row that did not beat the best."""
        while not self._is_over():
            yield self.position.epoch
            if self._stop.is_set():
                self._save()
                raise self._interrupted()

    def _is_over(self) -> bool:
        return self.position.epoch >= self.config.epochs or self.position.out_of_patience(self.config.patience)

    def steps(self, plan: Sequence[np.ndarray], make_batch: Callable) -> Iterator[tuple[np.ndarray, list]]:
        """The steps to come of an epoch: those of its plan that were not made before a restart.

        Args:
            plan: The rows of each batch, as `data.batches.plan_batches` gives them.
            make_batch: Makes a batch's arrays, a tuple, of its rows. It runs in a thread of its own, for the next step
                while one is under way, so that a device does not wait for it.

        Yields:
            Each batch's rows, and its arrays as tensors.
        """
        self.batches = len(plan)
        self.line.start_epoch(self.position.epoch + 1, self.batches, self.position.batch)
        self._started, self._seconds_before = time.monotonic(), self.position.epoch_seconds

        def tensors_of(rows):
            return keras.tree.map_structure(tf.constant, make_batch(rows))

        with ThreadPoolExecutor(max_workers=1) as thread:
            coming = None
            for rows in plan[self.position.batch :]:
                following = rows, thread.submit(tensors_of, rows)
                if coming:
                    yield coming[0], coming[1].result()
                coming = following
            if coming:
                yield coming[0], coming[1].result()
        if self.position.batch == self.batches:
            # Whoever asks to stop from here to `keep_best` need not wait for the measuring to end.
            self._stop.at_once = True
            if self._stop.is_set():
                raise KeyboardInterrupt

    def step_done(self, loss: tf.Tensor, weight: tf.Tensor, norm: tf.Tensor, learning_rate: float, rows: int) -> None:
        """Counts a step; when it is time, shows the loss, saves a checkpoint, or stops.

        Args:
            loss: The batch's mean loss, a scalar.
            weight: What it is the mean of, such as the number of tokens: the epoch's loss is the mean over all of them.
            norm: The global norm of the gradient before it was clipped, a scalar.
            learning_rate: The step's.
            rows: The number of examples.

        Raises:
            UserError: A loss or a gradient was not finite since the figures were last looked at, which no checkpoint
                has seen; the first such step is named.
            Interrupted: Ctrl-C or SIGTERM; the checkpoint is saved.
        """
        position = self.position
        self._unread.append((loss, weight, norm, learning_rate))
        position.batch += 1
        position.step += 1
        position.rows += rows
        self.line.step_done(rows)
        # Asked once: a request that comes later is the next step's.
        stop = self._stop.is_set()
        ends_epoch = position.batch == self.batches
        is_turn = position.step % self.config.checkpoint_steps == 0 and not ends_epoch
        at_checkpoint = is_turn and self._may_save() or stop
        if at_checkpoint or ends_epoch or self.line.wants_loss(position.batch):
            self._read_losses()
        if at_checkpoint or ends_epoch:
            # A step too large may show in its weights first: they are about to be kept, or measured.
            weights = self.parts["model"].trainable_weights
            self._check_finite("the norm of the weights", float(tf.linalg.global_norm(weights)))
        if at_checkpoint:
            self._save()
        if stop:
            raise self._interrupted()

    def _interrupted(self) -> Interrupted:
        return Interrupted(f"{self.run.path}: stopped; the same command goes on from step {self.position.step:,}")

    def _read_losses(self) -> None:
        position = self.position
        for step, (loss, weight, norm, rate) in enumerate(self._unread, position.step - len(self._unread) + 1):
            self._last_step = f"step {step:,} (learning rate {rate:.3g}, gradient norm {float(norm):.3g})"
            self._check_finite("the loss", float(loss))
            self._check_finite("the gradient", float(norm))
            position.loss_sum += float(loss) * float(weight)
            position.loss_weight += float(weight)
        self._unread.clear()
        position.epoch_seconds = self._seconds_before + time.monotonic() - self._started
        self.line.update(position.batch, position.loss)
        self.line.say_expected(position.batch, stops_early=self.config.patience > 0)

    def _check_finite(self, what: str, value: float) -> None:
        """Stops the run at a figure that is not finite: nothing is saved of what came after the last checkpoint."""
        if math.isfinite(value):
            return
        advice = "lower --learning-rate"
        if self.run.has_checkpoint():
            advice += ", and --restart; the checkpoint from before is kept"
        if best := self.position.best_epoch:
            advice += f", and --epochs {self.position.epoch} ends this run with its best weights, of epoch {best}"
        raise UserError(f"{self.run.path}: {what} is {value} after {self._last_step}; {advice}")

    def _may_save(self) -> bool:
        return time.monotonic() >= self._next_save

    def _save(self) -> None:
        began = time.monotonic()
        save_checkpoint(self.run.checkpoint_file, self.parts, self.position, self.environment, self.identity)
        ended = time.monotonic()
        self._next_save = ended + (ended - began) / SHARE_OF_CHECKPOINTS

    def keep_best(self, result) -> None:
        """Keeps the model's weights as they are now, if they are the best yet; of equal scores the lower loss is.

        A score can be the same for many epochs: 0 where nothing is right yet, 1 where all is.

        Args:
            result: What was measured on the validation split: `loss`, and `metrics` by name.

        Raises:
            UserError: The loss or the score is not finite.
        """
        self._stop.at_once = False
        score = -result.loss if self.best_by == "loss" else result.metrics[self.best_by]
        self._check_finite("the validation loss", result.loss)
        self._check_finite(f"the validation {self.best_by}", score)
        if self.position.improves(score, result.loss):
            self.position.best, self.position.best_epoch = score, self.position.epoch + 1
            self.best.keep()

    def end_epoch(self, result, **figures: float) -> None:
        """Ends an epoch: its row of the history, a checkpoint, its line.

        Args:
            result: As for `keep_best`.
            figures: More columns of the row.
        """
        position = self.position
        row = {
            "epoch": position.epoch + 1,
            "loss": position.loss,
            "validation_loss": result.loss,
            **{f"validation_{name}": value for name, value in result.metrics.items()},
            **figures,
        }
        timing = {
            "seconds": round(position.epoch_seconds, 3),
            "examples_per_second": round(position.rows / position.epoch_seconds, 1),
        }
        position.history.append({**row, **timing})
        position.end_epoch()
        if self._is_over() or self._may_save():
            self._save()
        self.run.write_history(position.history)
        self.events.write(position.epoch, row)
        self.line.end_epoch({**row, **timing})

    def restore_best(self) -> None:
        """Gives the model the weights of the best epoch."""
        self.best.restore()
        # Again: the run may have been killed between the last epoch's checkpoint and this file.
        self.run.write_history(self.position.history)

    def finish(self, data: str, results: dict, is_tested: bool, **more) -> None:
        """Writes `metrics.json`, which makes the run a finished one, and draws the learning curve.

        Args:
            data: The name of the data.
            results: What was measured at the end, by split; see `keep_best`.
            is_tested: Whether nothing is left to be measured.
            more: Further entries.
        """
        position = self.position
        plot_learning_curve(self.run.plot_file("learning_curve"), position.history, self.best_by, position.best_epoch)
        self.run.write_metrics(
            {
                "template": self.run.read_record().template,
                "data": data,
                "finished": True,
                "tested": is_tested,
                "seed": self.config.seed,
                "parameters": self.parts["model"].count_params(),
                "epochs": position.epoch,
                "best_epoch": position.best_epoch,
                "stopped_early": position.epoch < self.config.epochs,
                "train_seconds": round(position.train_seconds, 3),
                "examples_per_second": round(position.rows_trained / position.train_seconds, 1),
                "device": self.device.describe(),
                "validation": results["validation"].metrics,
                "test": results["test"].metrics if "test" in results else None,
                **more,
                "versions": versions(),
            }
        )
