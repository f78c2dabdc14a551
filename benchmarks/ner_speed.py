"""Training and tagging speed of the `ner` template's network: ours, with Keras's own layer, in PyTorch.

    python -m benchmarks.ner_speed --data DATA

All take turns in one run, on the same planned batches, made beforehand: the template's default network and rates of
dropout, in float32, with TensorFlow's ops deterministic, as in the template. A training step is forward, gradient,
clipping, Adam and the average of the weights; the rounds of a pass add up to a real epoch of each. Tagging is the best
path and the loss of every validation sentence, as at an epoch's end. Before that all are compared, with the same
weights, and warmed up with a batch of every length. PyTorch takes part, in a process of its own, if it is installed.
"""

import re
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path

import click
import numpy as np
from rich.console import Console

from benchmarks.layer_machine import settings, versions
from benchmarks.layers import set_up
from benchmarks.ner_speed_report import describe, print_report
from benchmarks.processes import installed, process_for_each
from benchmarks.runs import RESULTS
from benchmarks.turns import pause_after, seconds_of, take_turns
from data.errors import UserError
from data.writing import write_json
from templates.ner.config import Config

FAMILIES = {"keras": ("keras", "keras jit"), "torch": ("torch", "torch packed")}
# Batches of a round of training, and rounds of tagging; each of these takes all sentences of the validation split.
ROUND, TAGGING_ROUNDS = 40, 9
QUICK_BATCHES, QUICK_ROUND, QUICK_TAGGING_ROUNDS = 10, 5, 2
# The losses of a sentence may differ by this times max(1, loss), and this share of the tags, near-ties, may be others.
TOLERANCE, MOST_OTHER_TAGS = 1e-4, 1e-3


@click.command()
@click.option("--data", required=True, help="The folder with CoNLL-2003's files, conll2003, sample, or your own files.")
@click.option("--passes", type=click.IntRange(min=1), default=1, show_default=True, help="Epochs to time of each.")
@click.option("--quick", is_flag=True, help="A few batches alone, to try it out; written only with --output.")
@click.option("--output", type=click.Path(path_type=Path), help="[default: benchmarks/results/ner_speed.json]")
def main(data: str, passes: int, quick: bool, output: Path | None):
    """Times training and tagging with the same network in three frameworks."""
    console = Console() if Console().is_terminal else Console(width=120)
    output = output or (None if quick else RESULTS / "ner_speed.json")
    more = (f" --passes {passes}" if passes > 1 else "") + (" --quick" if quick else "")
    record = {"command": f"python -m benchmarks.ner_speed --data DATA{more}"}
    set_up(record, output)
    try:
        with process_for_each(installed("torch")) as processes:
            config = Config(data=data, precision="float32", strategy="one")
            record |= measure(config, passes, quick, console, processes)
    except (UserError, OSError) as error:
        raise click.ClickException(str(error)) from None
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_json(output, record)
    print_report(record, console)


def measure(config: Config, passes: int, quick: bool, console: Console, processes: dict[str, Executor]) -> dict:
    """Builds, compares and times all implementations.

    Args:
        config: The template's configuration.
        passes: Epochs that each implementation trains.
        quick: A few batches alone.
        console: Where it is said what has been done.
        processes: PyTorch's, by its name, if it takes part.

    Returns:
        What is written, without the command and the machine.

    Raises:
        UserError: The data cannot be used.
        RuntimeError: The implementations do not compute the same.
    """
    from benchmarks.ner_peers import make_peers, make_problem

    problem = make_problem(config)
    peers = make_peers(problem, processes)
    most = QUICK_BATCHES if quick else None
    multiples = {peer.multiple for peer in peers.values()}
    training = {multiple: problem.training_batches(multiple, most) for multiple in multiples}
    tagging = {multiple: problem.tagging_batches(multiple, most) for multiple in multiples}
    warm_up, answers = warm(peers, training, tagging, console)
    peers = {name: peers[name] for name in answers}
    agreement = compare(answers, [ids["words"] != 0 for ids, _ in (training[1][0], tagging[1][0])])
    console.print(f"The same is computed: {describe(agreement)}", highlight=False, soft_wrap=True)

    # A pass takes every batch once: its rounds are pieces of the plan.
    size = QUICK_ROUND if quick else ROUND
    pieces = np.array_split(np.arange(len(training[1])), max(1, round(len(training[1]) / size)))
    counts = [count_sentences([training[1][number] for number in piece]) for piece in pieces]
    works = {}
    for name, peer in peers.items():
        rounds = [[training[peer.multiple][number] for number in piece] for piece in pieces]
        works[name] = lambda turn, peer=peer, rounds=rounds: seconds_of(peer.train, rounds[turn % len(rounds)])
    trained = summarise(take_turns(works, passes * len(pieces)), counts * passes)
    share = sum(counts) / len(problem.training)
    for peer in trained["implementations"].values():
        peer["epoch_seconds"] = round(peer["seconds"] / passes / share, 2)
    trained["epoch_is_extrapolated"] = share < 1

    works = {name: lambda turn, peer=peer: seconds_of(peer.tag, tagging[peer.multiple]) for name, peer in peers.items()}
    turns = QUICK_TAGGING_ROUNDS if quick else TAGGING_ROUNDS
    tagged = summarise(take_turns(works, turns), [count_sentences(tagging[1])] * turns)
    return {
        "data": problem.name,
        "sizes": {
            "training_sentences": len(problem.training),
            "validation_sentences": len(problem.validation),
            "longest": int(problem.training.lengths.max()),
            "tags": len(problem.tags.names),
            "words": problem.count_words(),
            **{name: getattr(config, name) for name in ("batch_size", "embedding_size", "character_size")},
            **{name: getattr(config, name) for name in ("character_units", "affix_size", "units")},
        },
        "agreement": agreement,
        "warm_up": warm_up,
        "train": trained,
        "tag": tagged,
        "versions": versions(),
        **settings(processes),
    }


def warm(peers: dict, training: dict, tagging: dict, console: Console) -> tuple[dict, dict]:
    """Has every implementation tag two batches, and then tag and train a batch of every length.

    Args:
        peers: The implementations by name, with the same weights.
        training: Multiple of the padded length -> batches to train on.
        tagging: Likewise, to tag.
        console: Where the times are said.

    Returns:
        Of each implementation `seconds`, or `failed`, why it cannot run here: XLA may refuse the graph of a whole step.
        Of each that can, what it answered, before it trained, for the first batch of each kind.
    """
    import tensorflow as tf

    warm_up, answers = {}, {}
    for name, peer in peers.items():
        start = time.perf_counter()
        to_train, to_tag = training[peer.multiple], tagging[peer.multiple]
        try:
            answer = peer.tag([to_train[0], to_tag[0]])
            peer.tag(one_of_each_shape(to_tag))
            peer.train(one_of_each_shape(to_train))
        except tf.errors.OpError as error:
            if name != "keras jit":
                raise
            message = re.sub(r"(?<!\w)/\S+", "...", str(error.message).splitlines()[0])
            warm_up[name] = {"failed": message[:200]}
            continue
        answers[name] = answer
        warm_up[name] = {"seconds": round(time.perf_counter() - start, 1)}
        pause_after(name)
        console.print(f"{name}: warm after {warm_up[name]['seconds']} s", highlight=False)
    return warm_up, answers


def one_of_each_shape(batches: list) -> list:
    """The first batch of every shape, shortest first."""
    first = {}
    for ids, tags in batches:
        first.setdefault(tags.shape[::-1], (ids, tags))
    return [first[shape] for shape in sorted(first)]


def compare(answers: dict[str, list], valid: Sequence[np.ndarray]) -> dict:
    """Compares the losses and the best paths with ours.

    Args:
        answers: Implementation -> of each batch tags (rows, time), padded more or less, and losses (rows,).
        valid: Of each batch whether a step counts, (rows, time).

    Returns:
        How many sentences and tokens were compared, our loss per token, and of each of the others the largest
        difference of a sentence's loss, divided by max(1, loss), and the share of tokens with another tag.

    Raises:
        RuntimeError: A difference is larger than rounding explains.
    """
    tokens = sum(int(each.sum()) for each in valid)
    loss = sum(float(losses.sum()) for _, losses in answers["ours"]) / tokens
    sentences = sum(int(each.any(axis=1).sum()) for each in valid)
    found = {"sentences": sentences, "tokens": tokens, "loss_per_token": loss, "tolerance": TOLERANCE, "others": {}}
    for name, answer in answers.items():
        if name == "ours":
            continue
        difference, others = 0.0, 0
        for (tags, losses), (our_tags, our_losses), counts in zip(answer, answers["ours"], valid, strict=True):
            relative = np.abs(losses - our_losses) / np.maximum(1, np.abs(our_losses))
            # `np.maximum` and not `max`: a NaN stays one.
            difference = float(np.maximum(difference, relative.max()))
            others += int((tags[:, : counts.shape[1]] != our_tags)[counts].sum())
        if not difference <= TOLERANCE or others > MOST_OTHER_TAGS * tokens:
            raise RuntimeError(f"{name}: losses differ from ours by {difference:.2g}, {others} of {tokens} tags")
        found["others"][name] = {"loss_difference": difference, "share_of_other_tags": others / tokens}
    return found


def count_sentences(batches: list) -> int:
    """The sentences of batches; the last batch may be filled up with rows of no steps."""
    return sum(int((ids["words"][:, 0] != 0).sum()) for ids, _ in batches)


def summarise(seconds: dict[str, list[float]], sentences: list[int]) -> dict:
    """Medians, and ratios of each framework's best to ours.

    Args:
        seconds: The seconds of each round, by implementation.
        sentences: The sentences of each round.

    Returns:
        `rounds`, `sentences` in all; of each implementation the median and the quartiles of its sentences per second,
        and its seconds in all; `best`, each framework's fastest; `ratios`, the medians over the rounds of its seconds
        over ours.
    """
    implementations = {}
    for name, times in seconds.items():
        lower, middle, upper = np.quantile(np.divide(sentences, times), [0.25, 0.5, 0.75])
        implementations[name] = {
            "sentences_per_second": round(middle, 1),
            "quartiles": [round(lower, 1), round(upper, 1)],
            "seconds": round(sum(times), 3),
        }
    best, ratios = {}, {}
    for family, members in FAMILIES.items():
        timed = [name for name in members if name in seconds]
        if timed:
            best[family] = min(timed, key=lambda name: sum(seconds[name]))
            pairs = zip(seconds[best[family]], seconds["ours"], strict=True)
            ratios[f"{family}_over_ours"] = round(statistics.median(theirs / ours for theirs, ours in pairs), 4)
    amounts = {"rounds": len(sentences), "sentences": sum(sentences)}
    return {**amounts, "implementations": implementations, "best": best, "ratios": ratios}


if __name__ == "__main__":
    main()
