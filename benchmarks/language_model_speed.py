"""Training and writing speed of the `language_model` template's network: ours, with Keras's own LSTM, in PyTorch.

    python -m benchmarks.language_model_speed --data DATA

All take turns in one run, on the same windows, in float32: the template's default network and rates of dropout. A
training step is forward, gradient, clipping, Adam and the average of the weights, the states carried on. Writing is
piece by piece at batch 1, drawn at temperature 1: ours by the exported graph's function, Keras's by its model in a loop
of TensorFlow's, PyTorch's in Python. Before that the losses of a batch are compared, with the same weights. PyTorch
takes part, in a process of its own, if it is installed.
"""

import statistics
from pathlib import Path

import click
import numpy as np

from benchmarks.layer_machine import settings, versions
from benchmarks.layers import set_up
from benchmarks.processes import installed, process_for_each
from benchmarks.records import print_per_second
from benchmarks.runs import RESULTS
from benchmarks.turns import pause_after, seconds_of, take_turns
from data.writing import write_json
from templates.language_model.config import Config

# Steps of a round of training, rounds, and pieces that are written in a round.
STEPS, ROUNDS, PIECES = 30, 9, 500
QUICK_STEPS, QUICK_ROUNDS, QUICK_PIECES = 3, 2, 50
TOLERANCE = 1e-4


@click.command()
@click.option("--data", required=True, help="A file of text, or sample.")
@click.option("--quick", is_flag=True, help="A few steps alone, to try it out; written only with --output.")
@click.option(
    "--output", type=click.Path(path_type=Path), help="[default: benchmarks/results/language_model_speed.json]"
)
def main(data: str, quick: bool, output: Path | None):
    """Times training and writing with the same network in three frameworks."""
    output = output or (None if quick else RESULTS / "language_model_speed.json")
    record = {"command": f"python -m benchmarks.language_model_speed --data DATA{' --quick' if quick else ''}"}
    set_up(record, output)
    with process_for_each(installed("torch")) as processes:
        record |= measure(Config(data=data, precision="float32", strategy="one"), quick, processes)
    if output:
        write_json(output, record)
    print_per_second(record)


def measure(config: Config, quick: bool, processes: dict) -> dict:
    """Builds, compares and times all implementations; what is written, without the command and the machine."""
    from benchmarks.language_model_peers import make_peers, read_windows

    steps, rounds, pieces = (QUICK_STEPS, QUICK_ROUNDS, QUICK_PIECES) if quick else (STEPS, ROUNDS, PIECES)
    device, size, batches = read_windows(config, steps * rounds)
    peers = make_peers(config, device, size, processes)
    losses = {name: peer.loss_of(batches[0]) for name, peer in peers.items()}
    apart = {name: abs(loss - losses["ours"]) / losses["ours"] for name, loss in losses.items()}
    if max(apart.values()) > TOLERANCE:
        raise RuntimeError(f"not the same is computed: {losses}")
    numbers = np.random.default_rng(0).random(pieces).astype(np.float32)
    for name, peer in peers.items():
        peer.train_on(batches[:2])
        peer.generate(1, numbers)
        pause_after(name)

    def training(peer):
        return lambda turn: seconds_of(peer.train_on, batches[turn * steps : (turn + 1) * steps])

    trained = take_turns({name: training(peer) for name, peer in peers.items()}, rounds)
    written = take_turns(
        {name: lambda turn, peer=peer: seconds_of(peer.generate, 1, numbers) for name, peer in peers.items()}, rounds
    )
    counted = sum(int((after != 0).sum()) for _, after, _ in batches[:steps])
    return {
        "sizes": {
            "ids": size,
            **{key: getattr(config, key) for key in ("batch_size", "backpropagation_steps", "embedding_size", "units")},
        },
        "loss_per_piece": losses["ours"],
        "largest_difference": max(apart.values()),
        "unit": "characters",
        "per_second": {
            "training": {name: round(counted / statistics.median(seconds)) for name, seconds in trained.items()},
            "writing": {name: round(pieces / statistics.median(seconds)) for name, seconds in written.items()},
        },
        "versions": versions(),
        **settings(processes),
    }


if __name__ == "__main__":
    main()
