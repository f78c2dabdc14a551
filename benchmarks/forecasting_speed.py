"""Training and answering speed of the `forecasting` template's network: ours, with Keras's own GRU, in PyTorch.

    python -m benchmarks.forecasting_speed --data ETTh1.csv

All take turns in one run, on the same windows, in float32: the network of `benchmarks.forecasting` for 96 steps ahead.
A training step is forward, gradient, clipping, Adam and the average of the weights. Answers are asked for one window at
a time and for 512. Training and answers have a process each: in that of training oneDNN computes TensorFlow's products,
the peers' too, as in `run`, in the other as TensorFlow chooses, as in `predict`. Before that the losses of a batch are
compared, with the same weights. PyTorch takes part, in a process of its own, if it is installed.
"""

import dataclasses
import statistics
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import click
import numpy as np

from benchmarks.forecasting import typed
from benchmarks.layer_machine import settings, versions
from benchmarks.layers import set_up
from benchmarks.processes import Elsewhere, installed, process_for_each
from benchmarks.records import print_per_second
from benchmarks.runs import RESULTS
from benchmarks.turns import pause_after, seconds_of, take_turns
from data.writing import write_json
from templates.forecasting.config import USES_ONEDNN, Config
from training.commands.flags import options
from training.commands.tensorflow_import import import_tensorflow

# Steps of a round of training, rounds, and calls of a round of answers by the windows of a call.
STEPS, ROUNDS, CALLS = 10, 9, {1: 100, 512: 5}
QUICK_STEPS, QUICK_ROUNDS, QUICK_CALLS = 2, 2, {1: 3, 512: 1}
TOLERANCE = 1e-4
RATES = ("dropout", "learning_rate", "weight_average", "clip_norm")


@dataclasses.dataclass(frozen=True)
class Peer:
    """One implementation.

    Args:
        train_on: Takes a step on each of some batches (windows, targets, units), and gives the last one's loss.
        loss_of: The loss per target of a batch, nothing dropped.
        answer: The forecasts of windows.
    """

    train_on: Callable
    loss_of: Callable
    answer: Callable


@click.command()
@click.option("--data", required=True, help="A table of numbers, as `benchmarks.forecasting` takes it.")
@click.option("--quick", is_flag=True, help="A few steps alone, to try it out; written only with --output.")
@click.option("--output", type=click.Path(path_type=Path), help="[default: benchmarks/results/forecasting_speed.json]")
def main(data: str, quick: bool, output: Path | None):
    """Times training and answering with the same network in three frameworks."""
    output = output or (None if quick else RESULTS / "forecasting_speed.json")
    record = {"command": f"python -m benchmarks.forecasting_speed --data DATA{' --quick' if quick else ''}"}
    set_up(record, output)
    words = typed(96, seed=0).replace("DATA", data).split()[4:] + ["--precision", "float32", "--strategy", "one"]
    config = Config(**click.Command("run", params=options(Config)).make_context("run", words).params)
    for work in ("training", "answers"):
        with process_for_each([work]) as process:
            found = process[work].submit(measure, config, quick, work == "training").result()
        record |= found | {"per_second": record.get("per_second", {}) | found["per_second"]}
    if output:
        write_json(output, record)
    print_per_second(record)


def measure(config: Config, quick: bool, is_training: bool) -> dict:
    """Builds, compares and times all implementations, in a process where TensorFlow has not been imported.

    Args:
        config: The network's and the data's.
        quick: Whether a few steps are enough.
        is_training: Whether training is timed, with oneDNN where `run` has it, or answers are.

    Returns:
        What is written, without the command and the machine.
    """
    import_tensorflow(is_training and USES_ONEDNN)
    with process_for_each(installed("torch")) as processes:
        return measure_beside(config, quick, is_training, processes)


def measure_beside(config: Config, quick: bool, is_training: bool, processes: dict) -> dict:
    steps, rounds, calls = (QUICK_STEPS, QUICK_ROUNDS, QUICK_CALLS) if quick else (STEPS, ROUNDS, CALLS)
    batches, peers = read_and_build(config, steps * rounds, processes)
    losses = {name: peer.loss_of(batches[0]) for name, peer in peers.items()}
    apart = {name: abs(loss - losses["ours"]) / losses["ours"] for name, loss in losses.items()}
    if max(apart.values()) > TOLERANCE:
        raise RuntimeError(f"not the same is computed: {losses}")
    windows = {size: np.resize(batches[0][0], (size, config.window)) for size in calls}
    for name, peer in peers.items():
        peer.train_on(batches[:2])
        for given in windows.values():
            peer.answer(given)
        pause_after(name)

    def training(peer):
        return lambda turn: seconds_of(peer.train_on, batches[turn * steps : (turn + 1) * steps])

    def answering(peer, size):
        # One call after another, as one caller asks.
        return lambda turn: sum(seconds_of(peer.answer, windows[size]) for _ in range(calls[size]))

    per_second = {}
    if is_training:
        trained = take_turns({name: training(peer) for name, peer in peers.items()}, rounds)
        per_second["training"] = {
            name: round(config.batch_size * steps / statistics.median(took)) for name, took in trained.items()
        }
    for size, count in ({} if is_training else calls).items():
        answered = take_turns({name: answering(peer, size) for name, peer in peers.items()}, rounds)
        per_second[f"answers, {size} at a time"] = {
            name: round(size * count / statistics.median(took)) for name, took in answered.items()
        }
    sizes = ("window", "segment", "horizon", "units", "batch_size")
    return {
        "sizes": {name: getattr(config, name) for name in sizes},
        "loss": losses["ours"],
        "largest_difference": max(apart.values()),
        "unit": "windows",
        "per_second": per_second,
        "versions": versions(),
        **settings(processes),
    }


def read_and_build(config: Config, steps: int, processes: dict) -> tuple[list, dict[str, Peer]]:
    """Reads the table as `run` does: the first batches, over again if need be; and all implementations, ours first."""
    import keras

    from templates.forecasting import model as network
    from templates.forecasting import pipeline
    from training.adam import Adam
    from training.device import choose_device

    device = choose_device(config.seed, config.strategy, config.precision, config.jit)
    opened = pipeline.open_source(config, pipeline.find_source(config))
    series = opened.read(["train"])["train"]
    examples = pipeline.make_examples(config, series, pipeline.Learned.of(config, opened.columns, series))
    plan = pipeline.plan_epoch(config, examples, epoch=0)
    whole = [pipeline.make_batch(config, examples, chosen, config.batch_size) for chosen in plan[:-1][:steps]]
    model = network.build_model(config, examples)
    with mock.patch.dict(network.CELLS, {config.cell: keras.layers.GRU}):
        other = network.build_model(config, examples)
    other.set_weights(model.get_weights())
    compiled = dataclasses.replace(device, jit=True)
    peers = {
        "ours": tensorflow_peer(model, config, device, examples, Adam),
        "keras": tensorflow_peer(other, config, device, examples),
        "keras jit": tensorflow_peer(other, config, compiled, examples),
    }
    if "torch" in processes:
        names = ("encoder_input", "recurrent", "positions", "output")
        weights = {name: model.get_layer(name).get_weights() for name in names}
        rates = {name: getattr(config, name) for name in RATES}
        where = processes["torch"], "forecaster", "benchmarks.torch_forecaster", "TorchForecaster"
        torch = Elsewhere(*where, weights, config.horizon, rates)
        peers["torch"] = Peer(*(torch.method(name) for name in ("train_on", "loss_of", "answer")))
    batches = [(windows, targets, units) for windows, _, _, targets, units in whole]
    return (batches * (steps // len(batches) + 1))[:steps], peers


def tensorflow_peer(model, config: Config, device, examples, adam=None) -> Peer:
    """A model in the template's steps."""
    import keras
    import tensorflow as tf

    from templates.forecasting.model import losses_of
    from templates.forecasting.serving import as_functions
    from templates.forecasting.train import make_train_step
    from training.averaging import WeightAverage

    optimizer = (adam or keras.optimizers.Adam)(config.learning_rate)
    optimizer.build(model.trainable_variables)
    average = WeightAverage(model.trainable_variables, config.weight_average)
    step = make_train_step(model, optimizer, average, device, config, examples)
    serve, steps = as_functions(model, config)["serving_default"], config.window + config.horizon

    def train_on(batches) -> float:
        for windows, targets, units in batches:
            nothing = np.zeros([len(windows), steps, 0], np.float32), np.zeros([len(windows), 0], np.float32)
            loss, *_ = step(*map(tf.constant, (windows, *nothing, targets, units)))
        return float(loss)

    def loss_of(batch) -> float:
        windows, targets, units = map(tf.constant, batch)
        losses = losses_of(config, model({"window": windows}, training=False), targets, units)
        return float(tf.reduce_mean(losses))

    return Peer(train_on, loss_of, lambda windows: serve(tf.constant(windows))["forecast"].numpy())


if __name__ == "__main__":
    main()
