"""Steps of `benchmarks.gpu` that use the templates: runs, one that is killed, and exports that answer without a GPU."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np

from benchmarks.kills import write_members

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "data" / "samples"
EPOCHS = 2
# Sizes with which a run takes a few seconds on a CPU.
SMALL = {
    "sentiment": ("--units", "4", "--embedding-size", "4"),
    "ner": ("--units", "4", "--embedding-size", "4"),
    "translation": ("--units", "8", "--embedding-size", "8", "--max-length", "5", "--beam-width", "1"),
    "captioning": ("--units", "8", "--embedding-size", "8", "--channels", "4", "--picture-size", "32", "--max-length",
                   "5", "--beam-width", "1"),
    "language_model": ("--units", "8", "--embedding-size", "8"),
    "forecasting": ("--units", "4",),
}  # fmt: skip
KILLED = "sentiment"
# The name of each export's input.
EXPORT_INPUTS = {
    "sentiment": "text",
    "ner": "text",
    "translation": "source",
    "captioning": "image_bytes",
    "language_model": "text",
}
# The likeliest pieces, since a draw comes out otherwise wherever a probability is another in its last bits.
ANSWER_FLAGS = {"language_model": ("--temperature", "0", "--length", "40")}
ANSWERS = {
    "sentiment": "label",
    "ner": "tags",
    "translation": "translation",
    "captioning": "caption",
    "language_model": "continuation",
}
INPUTS = 6
# What a program without this project does with an export; nothing but the standard library and TensorFlow is imported.
ANSWER = """
import json, sys
import tensorflow as tf
assert not tf.config.list_physical_devices("GPU")
folder, name, inputs = sys.argv[1], sys.argv[2], json.load(open(sys.argv[3]))
if name == "image_bytes":
    inputs = [open(path, "rb").read() for path in inputs]
found = tf.saved_model.load(folder).signatures["serving_default"](**{name: tf.constant(inputs)})
assert not [name for name in sys.modules if name.split(".")[0] in ("rnn_layers", "data", "training", "templates")]
arrays = {key: value.numpy() for key, value in found.items()}
print(json.dumps({key: [str(each, "utf-8") if isinstance(each, bytes) else each for each in value.tolist()]
    if value.ndim == 1 else [[str(each, "utf-8") if isinstance(each, bytes) else each for each in row]
    for row in value.tolist()] for key, value in arrays.items()}))
"""


def run_flags(template: str, small: bool) -> list[str]:
    """What a run of a template's sample is started with, its folder excepted."""
    return ["run", template, "--data", "sample", "--epochs", str(EPOCHS), *(SMALL[template] if small else ())]


def cli(*arguments: str | Path, **environment: str) -> str:
    """Runs `python cli.py ARGUMENTS` in a process of its own.

    Returns:
        What it printed.

    Raises:
        RuntimeError: It failed.
    """
    command = [sys.executable, "cli.py", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | environment)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"[-2500:])
    return done.stdout


def run_template(folder: Path, small: bool, record: Callable, template: str) -> None:
    """Does what `python cli.py run` does, in this process, with a clock around the waiting for batches.

    `share_of_waiting` is the time that the loop waits for its next batch, of the wall time of the last epoch's steps. A
    GPU may still be busy with the step before, so that it waits no longer than this.
    """
    from training.commands.tensorflow_import import import_tensorflow

    import_tensorflow()
    from training.progress import Progress

    seconds = []
    Progress.steps = with_clock(Progress.steps, seconds)
    run, started = folder / f"run_{template}", time.monotonic()
    sys.argv = ["cli.py", *run_flags(template, small), "--run-dir", str(run)]
    try:
        import_module("cli").main()
    except SystemExit as ended:
        if ended.code:
            raise RuntimeError(f"cli.py ended with {ended.code}") from None
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    with open(run / "history.csv", encoding="utf-8") as stream:
        history = list(csv.DictReader(stream))
    last = float(history[-1]["seconds"])
    batches = seconds[len(seconds) // EPOCHS * (EPOCHS - 1) :]
    share = round(sum(batches) / last, 4) if batches else None
    rate = float(history[-1]["examples_per_second"])
    record(
        summary=f"{metrics['device']}; {rate:,.0f} examples/s in epoch {EPOCHS}, waits for input {share}",
        command=f"python {' '.join(sys.argv)}",
        device=metrics["device"],
        examples_per_second=metrics["examples_per_second"],
        examples_per_second_of_each_epoch=[float(row["examples_per_second"]) for row in history],
        seconds_of_each_epoch=[float(row["seconds"]) for row in history],
        share_of_waiting=share,
        batches_of_last_epoch=len(batches),
        seconds_of_all=round(time.monotonic() - started, 1),
        train_seconds=metrics["train_seconds"],
        loss=[float(row["loss"]) for row in history],
        validation=metrics["validation"],
        test=metrics["test"],
    )


def with_clock(steps: Callable, seconds: list[float]) -> Callable:
    """`Progress.steps`, adding the seconds that each step waits for its batch to a list."""

    def timed(*arguments):
        coming = steps(*arguments)
        while True:
            started = time.perf_counter()
            batch = next(coming, None)
            if batch is None:
                return
            seconds.append(time.perf_counter() - started)
            yield batch

    return timed


def finished_run(template: str, folder: Path, small: bool, name: str | None = None) -> Path:
    """The folder of a run of the sample; it is trained if an earlier step did not do so."""
    run = folder / (name or f"run_{template}")
    cli(*run_flags(template, small), "--run-dir", run)
    return run


def kill_and_resume(folder: Path, small: bool, record: Callable) -> None:
    """Kills a run in the middle of an epoch, goes on with it, and compares its end with that of a run left alone.

    Where they differ, two runs left alone are compared as well: then the GPU's numbers are not the same every time.

    Raises:
        RuntimeError: The run ended before it could be killed, did not go on, or, on a CPU, ended in other numbers.
    """
    whole = finished_run(KILLED, folder, small)
    killed = folder / "killed"
    shutil.rmtree(killed, ignore_errors=True)
    command = [*run_flags(KILLED, small), "--checkpoint-steps", "10", "--run-dir", str(killed)]
    process = subprocess.Popen([sys.executable, "cli.py", *command], cwd=ROOT)
    while position(killed)[1] == 0:
        if process.poll() is not None:
            raise RuntimeError(f"the run ended with {process.returncode} before it could be killed")
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    epoch, batch = position(killed)
    record(killed_after={"epoch": epoch, "batch": batch})
    if (killed / "metrics.json").exists():
        raise RuntimeError("the run had ended before it was killed")
    cli(*command)
    differences = ends_apart(killed, whole)
    record(went_on=True, same=not any(differences.values()), differences=differences)
    note = "the same numbers" if not any(differences.values()) else f"differs: {differences}"
    if any(differences.values()):
        if small:
            raise RuntimeError(f"the resumed run ended in other numbers: {differences}")
        again = ends_apart(finished_run(KILLED, folder, small, "whole_again"), whole)
        record(differences_of_two_runs_left_alone=again)
        note += f"; two runs left alone differ: {again}"
    record(summary=f"killed after batch {batch} of epoch {epoch + 1}, went on, {note}")


def position(run: Path) -> tuple[int, int]:
    """The epochs completed and the batches of the next one, as a run's checkpoint says."""
    try:
        with np.load(run / "checkpoints" / "latest.npz") as arrays:
            progress = json.loads(str(arrays["record"]))["progress"]
    except FileNotFoundError:
        return 0, 0
    return progress["epoch"], progress["batch"]


def ends_apart(run: Path, other: Path) -> dict[str, float]:
    """The largest differences of two finished runs: of their last and best weights, and of their metrics."""
    differences = {}
    with (
        np.load(run / "checkpoints" / "latest.npz") as ours,
        np.load(other / "checkpoints" / "latest.npz") as theirs,
    ):
        for name, part in (("latest", "model/"), ("best", "best/")):
            keys = [key for key in ours.files if key.startswith(part) and ours[key].dtype.kind == "f"]
            differences[f"{name} weights"] = max(float(np.max(np.abs(ours[key] - theirs[key]))) for key in keys)
    ours, theirs = (json.loads((each / "metrics.json").read_text(encoding="utf-8")) for each in (run, other))
    for split in ("validation", "test"):
        differences[split] = max(abs(ours[split][name] - theirs[split][name]) for name in ours[split])
    return differences


def export_and_answer(folder: Path, small: bool, record: Callable, template: str) -> None:
    """Exports a run, answers with the export where there is no GPU, and compares with `predict` where there is one.

    Raises:
        RuntimeError: Something failed, or most of the answers are others.
    """
    run, exported = finished_run(template, folder, small), folder / f"exported_{template}"
    name, inputs = inputs_of(template, folder)
    file = folder / f"inputs_{template}.json"
    file.write_text(json.dumps(inputs), encoding="utf-8")
    flags = ANSWER_FLAGS.get(template, ())
    if not exported.exists():
        cli("export", run, exported, *flags)
    holds_cudnn = b"CudnnRNN" in (exported / "saved_model.pb").read_bytes()
    here = [json.loads(line) for line in cli("predict", run, *inputs, "--json", *flags).splitlines()]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", ANSWER, str(exported), name, str(file)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(f"the export did not answer without a GPU:\n{done.stderr[-2000:]}")
    there = json.loads(done.stdout.splitlines()[-1])
    key = ANSWERS[template]
    pairs = [
        (answer[key], [tag for tag in other if tag] if key == "tags" else other)
        for answer, other in zip(here, there[key], strict=True)
    ]
    same = sum(one == other for one, other in pairs)
    scores = [abs(answer["score"] - other) for answer, other in zip(here, there.get("score", []), strict=False)]
    record(
        summary=f"{same} of {len(pairs)} answers the same without a GPU, scores within {max(scores, default=0):.2g}",
        answers=len(pairs),
        same=same,
        largest_score_difference=max(scores, default=None),
        holds_cudnn=holds_cudnn,
        example=pairs[0],
        others=[pair for pair in pairs if pair[0] != pair[1]][:3],
    )
    if holds_cudnn or same < len(pairs) / 2:
        raise RuntimeError("the export holds cuDNN's operation" if holds_cudnn else "most of the answers are others")


def inputs_of(template: str, folder: Path) -> tuple[str, list[str]]:
    """The name of the export's input, and inputs from the sample's test split; of pictures, their paths."""
    sample, name = SAMPLES / template, EXPORT_INPUTS[template]
    if template == "captioning":
        wanted = (sample / "test.txt").read_text(encoding="utf-8").split()[:INPUTS]
        with tarfile.open(sample / "images.tar.xz") as archive:
            members = [member for member in archive.getmembers() if Path(member.name).name in wanted]
            write_members(archive, members, folder / "pictures")
        return name, [str(folder / "pictures" / member.name) for member in members]
    if template == "ner":
        text = (sample / "test.conll").read_text(encoding="utf-8")
        sentences = [block.splitlines() for block in text.split("\n\n")[1 : INPUTS + 1]]
        return name, [" ".join(line.split()[0] for line in sentence) for sentence in sentences]
    if template == "language_model":
        lines = (sample / "test.txt").read_text(encoding="utf-8").splitlines()[:INPUTS]
        return name, [" ".join(line.split()[:4]) for line in lines]
    if template == "translation":
        lines = (sample / "test.tsv").read_text(encoding="utf-8").splitlines()[1 : INPUTS + 1]
        return name, [line.split("\t")[0] for line in lines]
    with open(sample / "test.csv", encoding="utf-8") as stream:
        return name, [row["text"] for row in csv.DictReader(stream)][:INPUTS]
