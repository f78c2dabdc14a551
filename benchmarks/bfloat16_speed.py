"""What training in bfloat16 gains on a processor that multiplies in it, and where PyTorch and Keras then stand.

    python -m benchmarks.bfloat16_speed
    python -m benchmarks.bfloat16_speed ner=conll2003 "translation=multi30k --source-language de --target-language en"

Of each template the network and the training step, of its sample or of the data that are named, in float32 and in
bfloat16: ours and Keras's layers under the policy mixed_bfloat16, PyTorch under its autocast, which leaves GRUs in
float32 on a CPU. All take turns, with the same weights and batches, and with oneDNN wherever it is there. The losses
of a batch, nothing dropped, are compared before, also with ours in float32.
"""

import dataclasses
import shlex
import statistics
from collections.abc import Callable, Iterator
from datetime import date
from importlib import import_module
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.layer_machine import describe_machine, versions
from benchmarks.processes import installed, process_for_each
from benchmarks.runs import RESULTS
from benchmarks.turns import pause_after, seconds_of, take_turns
from data.writing import write_json
from training.commands.flags import options
from training.commands.tensorflow_import import import_tensorflow

TEMPLATES = ("ner", "translation", "language_model")
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
STEPS, ROUNDS = 12, 9
QUICK_STEPS, QUICK_ROUNDS = 2, 2
# How far a loss may lie from ours in float32, as a share of it: rounding to 24 and to 8 bits moves it by less.
TOLERANCE = {"float32": 1e-4, "bfloat16": 5e-3}


@dataclasses.dataclass(frozen=True)
class Peer:
    """One implementation in one precision.

    Args:
        train: Takes a step on each of some batches.
        losses: The losses of a batch's rows, or its loss.
    """

    train: Callable
    losses: Callable


@click.command(help=__doc__)
@click.argument("measured", nargs=-1, metavar="[TEMPLATE=DATA]...")
@click.option("--quick", is_flag=True, help="A few steps alone, to try it out; written only with --output.")
@click.option("--output", type=click.Path(path_type=Path), help="[default: benchmarks/results/bfloat16_speed.json]")
def main(measured: tuple[str, ...], quick: bool, output: Path | None) -> None:
    output, found = output or (None if quick else RESULTS / "bfloat16_speed.json"), {}
    for template, config in configs_of_each(measured).items():
        with process_for_each([template]) as processes:
            found[template] = processes[template].submit(measure, template, config, quick).result()
        Console(soft_wrap=True, highlight=False).print(f"{template}: done")
    if output:
        import_tensorflow()
        words = [*map(without_path, measured), *(["--quick"] if quick else [])]
        about = {"command": shlex.join(["python", "-m", "benchmarks.bfloat16_speed", *words])}
        about |= {"machine": describe_machine(), "versions": versions(), "date": date.today().isoformat()}
        write_json(output, about | {"templates": found})
    print_rows(found)


def configs_of_each(measured: tuple[str, ...]) -> dict:
    """The configuration of every template, from TEMPLATE=DATA and the flags of its `run` behind it."""
    words = {template: ["sample"] for template in TEMPLATES}
    for argument in measured:
        template, _, typed = argument.partition("=")
        if template not in words or not typed:
            raise click.UsageError(f"{argument!r}: expected TEMPLATE=DATA, of one of {', '.join(TEMPLATES)}")
        data, *flags = shlex.split(typed)
        words[template] = [str(Path(data).absolute()) if Path(data).exists() else data, *flags]
    configs = {}
    for template, typed in words.items():
        kind = import_module(f"templates.{template}.config").Config
        told = ["--data", *typed, "--strategy", "one"]
        configs[template] = kind(**click.Command("run", params=options(kind)).make_context("run", told).params)
    return configs


def without_path(argument: str) -> str:
    """TEMPLATE=DATA and its flags, without saying where this machine has the data."""
    template, _, typed = argument.partition("=")
    data, *flags = shlex.split(typed)
    return f"{template}={shlex.join(['DATA' if Path(data).exists() else data, *flags])}"


def measure(template: str, config, quick: bool) -> dict:
    """Builds, compares and times all of a template's peers, in a process where TensorFlow has not been imported.

    Args:
        template: Its name.
        config: Its configuration, of any precision.
        quick: A few steps alone.

    Returns:
        Examples (of a language model, pieces) per second by `PEER PRECISION`, and how far its loss lies from ours in
        float32, as a share of that.

    Raises:
        RuntimeError: The losses lie further apart than rounding explains.
    """
    steps, rounds = (QUICK_STEPS, QUICK_ROUNDS) if quick else (STEPS, ROUNDS)
    import_tensorflow(onednn=True)
    with process_for_each(PRECISIONS if installed("torch") else ()) as processes:
        peers = {}
        for precision, policy in PRECISIONS.items():
            torch = {}
            if processes:
                torch["torch"] = processes[precision]
                torch["torch"].submit(compute_in, precision).result()
            told = dataclasses.replace(config, precision=policy)
            batches, counted, made = MAKERS[template](told, steps * rounds, torch)
            peers |= {f"{name} {precision}": peer for name, peer in made}
        losses = {name: np.mean(peer.losses(batches[0])) for name, peer in peers.items()}
        apart = {name: float(abs(loss / losses["ours float32"] - 1)) for name, loss in losses.items()}
        # Not `any(... > ...)`: a NaN is too far away, too.
        if not all(each <= TOLERANCE[name.split()[-1]] for name, each in apart.items()):
            raise RuntimeError(f"{template}: not the same is computed: {losses}")
        for name, peer in peers.items():
            peer.train(batches)
            pause_after(name)
        works = {
            name: lambda turn, peer=peer: seconds_of(peer.train, batches[turn * steps : (turn + 1) * steps])
            for name, peer in peers.items()
        }
        seconds = take_turns(works, rounds)
    amounts = [sum(map(counted, batches[turn * steps : (turn + 1) * steps])) for turn in range(rounds)]
    return {
        "per_second": {
            name: round(statistics.median(amount / each for amount, each in zip(amounts, times, strict=True)))
            for name, times in seconds.items()
        },
        "loss_apart": {name: float(f"{each:.2g}") for name, each in apart.items()},
    }


def compute_in(precision: str) -> None:
    """Has PyTorch compute in a precision what its autocast computes in it, from now on in this process."""
    import torch

    torch.set_autocast_dtype("cpu", torch.bfloat16)
    torch.set_autocast_enabled("cpu", precision == "bfloat16")
    # It would keep the weights of the first step: it is emptied where a block of autocast ends.
    torch.set_autocast_cache_enabled(False)


def ner_peers(config, steps: int, processes: dict) -> tuple[list, Callable, Iterator]:
    from benchmarks import ner_peers as peers

    problem = peers.make_problem(config)
    made = peers.make_peers(problem, processes)
    batches = problem.training_batches(1)
    chosen = ((name, Peer(one.train, lambda batch, one=one: one.tag([batch])[0][1])) for name, one in made.items())
    return repeated(batches, steps), lambda batch: len(batch[1]), without_jit(chosen)


def translation_peers(config, steps: int, processes: dict) -> tuple[list, Callable, Iterator]:
    from benchmarks import translation_peers as peers

    problem = peers.make_problem(config)
    made = peers.make_peers(problem, peers.make_model(problem), processes)
    chosen = ((name, Peer(one.train, one.losses)) for name, one in made.items())
    return repeated(problem.training_batches(1), steps), lambda batch: len(batch[0]), without_jit(chosen)


def language_model_peers(config, steps: int, processes: dict) -> tuple[list, Callable, Iterator]:
    from benchmarks import language_model_peers as peers

    device, size, batches = peers.read_windows(config, steps)
    made = peers.make_peers(config, device, size, processes)
    chosen = ((name, Peer(one.train_on, one.loss_of)) for name, one in made.items())
    return batches, lambda batch: np.count_nonzero(batch[1]), without_jit(chosen)


MAKERS = {"ner": ner_peers, "translation": translation_peers, "language_model": language_model_peers}


def without_jit(made: Iterator) -> Iterator:
    """Without Keras's layers compiled by XLA as a whole: a length each takes seconds, and none was the fastest."""
    return (pair for pair in made if "jit" not in pair[0])


def repeated(batches: list, count: int) -> list:
    """So many batches: the first ones, over again if need be."""
    return (batches * (count // len(batches) + 1))[:count]


def print_rows(found: dict[str, dict]) -> None:
    """Ours a second in both precisions, what is gained, and in bfloat16 ours beside the others' fastest."""
    table = Table("template", "float32", "bfloat16", "gained", "ours / Keras", "ours / PyTorch")
    for template, one in found.items():
        ours = {precision: one["per_second"][f"ours {precision}"] for precision in PRECISIONS}
        best = {
            family: max((of for name, of in one["per_second"].items() if beside(name, family)), default=None)
            for family in ("keras", "torch")
        }
        ratios = (f"{ours['bfloat16'] / each:.2f}" if each else "-" for each in best.values())
        gained = f"{ours['bfloat16'] / ours['float32']:.2f}"
        table.add_row(template, *(f"{each:,}" for each in ours.values()), gained, *ratios)
    Console(soft_wrap=True, highlight=False).print(table)


def beside(name: str, family: str) -> bool:
    """Whether a peer is of a family, in bfloat16."""
    return name.startswith(family) and name.endswith("bfloat16")


if __name__ == "__main__":
    main()
