"""Training and answering speed of the `sentiment` template's network: ours, with Keras's own layers, in PyTorch.

    python -m benchmarks.sentiment_speed --data DATA

All take turns in one run, on the same planned batches, in float32: the template's default network and rates of dropout.
A training step is forward, gradient, clipping, Adam and the average of the weights. Answering is from ids to
probabilities, of one text at a time and of 64, as they come. Before that the losses of a batch's rows are compared,
with the same weights. PyTorch takes part, in a process of its own, if it is installed.
"""

from pathlib import Path

import click
import numpy as np

from benchmarks.layer_machine import settings, versions
from benchmarks.layers import set_up
from benchmarks.processes import installed, process_for_each
from benchmarks.records import print_per_second
from benchmarks.runs import RESULTS
from benchmarks.turns import pause_after, per_second, seconds_of, take_turns
from data.errors import UserError
from data.writing import write_json
from templates.sentiment.config import Config

# Steps of a round of training, rounds, and of a round of answering how many batches of how many texts.
STEPS, ROUNDS, ANSWERS = 12, 9, {1: 60, 64: 6}
QUICK_STEPS, QUICK_ROUNDS, QUICK_ANSWERS = 2, 2, {1: 3, 64: 1}
TOLERANCE = 1e-4


@click.command()
@click.option("--data", required=True, help="imdb_reviews, sample, or your own files.")
@click.option("--quick", is_flag=True, help="A few steps alone, to try it out; written only with --output.")
@click.option("--output", type=click.Path(path_type=Path), help="[default: benchmarks/results/sentiment_speed.json]")
def main(data: str, quick: bool, output: Path | None):
    """Times training and answering with the same network in three frameworks."""
    output = output or (None if quick else RESULTS / "sentiment_speed.json")
    record = {"command": f"python -m benchmarks.sentiment_speed --data DATA{' --quick' if quick else ''}"}
    set_up(record, output)
    try:
        with process_for_each(installed("torch")) as processes:
            record |= measure(Config(data=data, precision="float32", strategy="one"), quick, processes)
    except (UserError, OSError) as error:
        raise click.ClickException(str(error)) from None
    if output:
        write_json(output, record)
    print_per_second(record)


def measure(config: Config, quick: bool, processes: dict) -> dict:
    """Builds, compares and times all implementations; what is written, without the command and the machine."""
    from benchmarks.sentiment_peers import make_peers, make_problem

    steps, rounds, answers = (QUICK_STEPS, QUICK_ROUNDS, QUICK_ANSWERS) if quick else (STEPS, ROUNDS, ANSWERS)
    problem = make_problem(config)
    peers = make_peers(problem, processes)
    batches = problem.training_batches(steps * rounds)
    rounds = len(batches) // steps
    losses = {name: peer.losses_of(batches[0]) for name, peer in peers.items()}
    apart = {name: float(np.abs(found - losses["ours"]).max()) for name, found in losses.items()}
    if max(apart.values()) > TOLERANCE:
        raise RuntimeError(f"not the same is computed: {apart}")
    asked = {rows: problem.answered(rows, count) for rows, count in answers.items()}
    for name, peer in peers.items():
        peer.train_on(batches[:3])
        for several in asked.values():
            peer.answer(several[:2])
        pause_after(name)

    def training(peer):
        return lambda turn: seconds_of(peer.train_on, batches[turn * steps : (turn + 1) * steps])

    def answering(peer, several):
        return lambda turn: seconds_of(peer.answer, several)

    seconds = {"training": take_turns({name: training(peer) for name, peer in peers.items()}, rounds)}
    counted = {"training": steps * config.batch_size}
    for rows, several in asked.items():
        name = f"answering {rows} at a time"
        seconds[name] = take_turns({name: answering(peer, several) for name, peer in peers.items()}, rounds)
        counted[name] = rows * len(several)
    return {
        "sizes": {
            "words": problem.words,
            **{key: getattr(config, key) for key in ("batch_size", "maximum_length", "embedding_size", "units")},
        },
        "largest_difference": max(apart.values()),
        "unit": "texts",
        "per_second": per_second(seconds, counted),
        "versions": versions(),
        **settings(processes),
    }


if __name__ == "__main__":
    main()
