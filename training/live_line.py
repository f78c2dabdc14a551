"""The live line of a training loop: a bar on a terminal, plain lines elsewhere."""

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

# Without a terminal, a line every so many seconds.
SECONDS_BETWEEN_LINES = 15
# The first steps trace and compile; the expected duration is said after these.
WARM_UP_STEPS = 20


def duration(seconds: float) -> str:
    """A duration for people: "48 s", "3 min 05 s", "2 h 10 min"."""
    seconds = max(round(seconds), 0)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"


class LiveLine:
    """Shows epoch, step, loss, metric, examples per second and time left.

    Args:
        epochs: The epochs the run may take.
        metric: The name of the validation metric that is watched.
        stream: Where to; standard error by default.

    Example:
        with LiveLine(epochs=5, metric="accuracy") as line:
            line.start_epoch(1, batches=350, done=0)
            line.update(batch=1, loss=0.69, rows=64)
            line.end_epoch({"epoch": 1, "loss": 0.5, "validation_accuracy": 0.85})
    """

    def __init__(self, epochs: int, metric: str, stream=None):
        self.epochs, self.metric = epochs, metric
        self.console = Console(file=stream or sys.stderr, highlight=False, soft_wrap=True)
        self.live = self.console.is_terminal
        self.bar = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(bar_width=24),
            TextColumn("step {task.completed:.0f}/{task.total:.0f}  {task.fields[figures]}"),
            console=self.console,
            transient=True,
            disable=not self.live,
        )
        self.task = self.bar.add_task("", total=1, epoch="", figures="")
        self.score = ""
        self.expected_said = False
        self.batches = self.epoch = 0
        self.last_line = time.monotonic()
        self.timed_steps = self.timed_rows = 0
        self.timed_seconds = 0.0
        self.before = 0.0

    def __enter__(self):
        self.bar.start()
        return self

    def __exit__(self, *exception):
        self.bar.stop()

    def start_epoch(self, epoch: int, batches: int, done: int) -> None:
        """Begins (or goes on with) an epoch, numbered from 1, of `batches` steps, `done` of them made before."""
        self.epoch, self.batches = epoch, batches
        self.before = time.monotonic()
        self.bar.update(self.task, total=batches, completed=done, epoch=f"{epoch}/{self.epochs}", figures="")

    def wants_loss(self, batch: int) -> bool:
        """Whether this step's figures will be shown: reading a loss from a GPU waits for the step to end."""
        now = time.monotonic()
        pause = 0.2 if self.live else SECONDS_BETWEEN_LINES
        due_to_say = not self.expected_said and self.timed_steps >= WARM_UP_STEPS
        return now - self.last_line >= pause or batch == self.batches or due_to_say

    def step_done(self, rows: int) -> None:
        """Counts a step of `rows` examples; the first one, which traces the graph, is not timed."""
        now = time.monotonic()
        if self.timed_rows or self.timed_steps:
            self.timed_seconds += now - self.before
            self.timed_rows += rows
        self.timed_steps += 1
        self.before = now

    def update(self, batch: int, loss: float) -> None:
        """Shows the mean loss of the epoch so far after its step `batch`."""
        rate, left = self._rate(), self._seconds_left(batch)
        self.last_line = time.monotonic()
        parts = [f"loss {loss:.4f}", self.score, f"{rate:,.0f} examples/s", f"{duration(left)} left"]
        figures = "  ".join(part for part in parts if part)
        if self.live:
            self.bar.update(self.task, completed=batch, figures=figures)
        elif batch < self.batches:
            self.console.print(f"epoch {self.epoch}/{self.epochs}  step {batch}/{self.batches}  {figures}")

    def say_expected(self, batch: int, stops_early: bool) -> None:
        """Says once, after the first steps, how long the whole run is going to take."""
        if self.expected_said or self.timed_steps < WARM_UP_STEPS:
            return
        self.expected_said = True
        most = "at most about" if stops_early else "about"
        self.console.print(f"expected duration: {most} {duration(self._seconds_left(batch))} for the epochs to come")

    def end_epoch(self, row: dict) -> None:
        """Prints the line of a completed epoch."""
        score = row[f"validation_{self.metric}"]
        self.score = f"{self.metric} {score:.4f}"
        losses = f"loss {row['loss']:.4f}  validation loss {row['validation_loss']:.4f}"
        watched = "" if self.metric == "loss" else f"  validation {self.metric} {score:.4f}"
        self.console.print(f"epoch {row['epoch']}/{self.epochs}  {losses}{watched}  {duration(row['seconds'])}")
        self.last_line = time.monotonic()

    def _rate(self) -> float:
        return self.timed_rows / self.timed_seconds if self.timed_seconds else 0.0

    def _seconds_left(self, batch: int) -> float:
        per_step = self.timed_seconds / max(self.timed_steps - 1, 1)
        return per_step * ((self.epochs - self.epoch) * self.batches + self.batches - batch)
