"""Training and translating speed of the `translation` template's network: ours, with Keras's own layers, in PyTorch.

    python -m benchmarks.translation_speed --data DATA --source-language de --target-language en --run RUN

All take turns in one run, on the same planned batches, made beforehand: the template's default network and rates of
dropout, in float32, with oneDNN and with TensorFlow's ops deterministic, as in `run` and `evaluate`. A training step is
forward, gradient, clipping, Adam and the average of the weights; what counts are the targets' pieces, ends included,
padding not. Translating is the search for an answer to every validation sentence, greedily and with a beam, from piece
ids to piece ids. Before anything is timed the losses are compared, with the same weights.

How long a search takes depends on the answers' lengths: for it all have one model's weights, those of a finished run
(`--run`), or of our network after some steps of training, whose answers may be far too short or too long: their lengths
are shown. Answers are compared, too. PyTorch takes part, in a process of its own, if it is installed; it translates
with the encoder that trained faster. `benchmarks.translation_peers` says what each is.
"""

import itertools
import re
import statistics
import time
from concurrent.futures import Executor
from pathlib import Path

import click
import numpy as np
from rich.console import Console

from benchmarks.layer_machine import settings, versions
from benchmarks.layers import set_up
from benchmarks.ner_speed import FAMILIES
from benchmarks.processes import installed, process_for_each
from benchmarks.runs import RESULTS
from benchmarks.translation_agreement import compare_answers, compare_losses
from benchmarks.translation_speed_report import describe, print_report
from benchmarks.turns import pause_after, seconds_of, take_turns
from data.errors import UserError
from data.writing import write_json
from templates.translation.config import USES_ONEDNN, Config

# Batches of a round of training; rounds of translating, each of the whole validation split.
ROUND, TRANSLATING_ROUNDS = 5, 3
# Batches whose losses are compared.
COMPARED = 2


@click.command()
@click.option("--data", required=True, help="The folder with Multi30k's files, multi30k, sample, or your own files.")
@click.option("--source-language", default="auto", show_default=True)
@click.option("--target-language", default="auto", show_default=True)
@click.option("--batches", type=click.IntRange(min=1), default=30, show_default=True, help="To time training on.")
@click.option("--run", type=click.Path(path_type=Path), help="A finished run: its network, pieces and weights.")
@click.option(
    "--practice",
    type=click.IntRange(min=0),
    default=150,
    show_default=True,
    help="Without --run: steps that our network trains before its weights translate.",
)
@click.option("--output", type=click.Path(path_type=Path), help="[default: benchmarks/results/translation_speed.json]")
def main(data, source_language, target_language, batches, run, practice, output):
    """Times training and translating with the same network in three frameworks."""
    console = Console() if Console().is_terminal else Console(width=140)
    output = output or RESULTS / "translation_speed.json"
    flags = f" --source-language {source_language} --target-language {target_language} --batches {batches}"
    flags += " --run RUN" if run else f" --practice {practice}"
    record = {"command": f"python -m benchmarks.translation_speed --data DATA{flags}"}
    set_up(record, output, USES_ONEDNN)
    config = Config(
        data=data,
        source_language=source_language,
        target_language=target_language,
        precision="float32",
        strategy="one",
    )
    try:
        with process_for_each(installed("torch")) as processes:
            record |= measure(config, run, batches, practice, console, processes)
    except (UserError, OSError) as error:
        raise click.ClickException(str(error)) from None
    output.parent.mkdir(parents=True, exist_ok=True)
    write_json(output, record)
    print_report(record, console)


def measure(
    config: Config,
    run: Path | None,
    batches: int,
    practice: int,
    console: Console,
    processes: dict[str, Executor],
) -> dict:
    """Builds, compares and times all implementations.

    Args:
        config: The template's configuration.
        run: The folder of a finished run, or None.
        batches: Of the first epoch, to time training on.
        practice: Steps that ours trains before it translates, without a run.
        console: Where it is said what has been done.
        processes: PyTorch's, by its name, if it takes part.

    Returns:
        What is written, without the command and the machine.

    Raises:
        UserError: The data or the run cannot be used.
        RuntimeError: The implementations do not compute the same.
    """
    from benchmarks.translation_peers import make_model, make_peers, make_problem

    problem = make_problem(config, run)
    model = make_model(problem)
    begun_with = model.get_weights()
    peers = make_peers(problem, model, processes)
    planned = {multiple: problem.training_batches(multiple) for multiple in {peer.multiple for peer in peers.values()}}
    timed = {multiple: all_batches[:batches] for multiple, all_batches in planned.items()}
    warm_up, losses = warm(peers, timed, console)
    peers = {name: peers[name] for name in losses}
    agreement = compare_losses(losses, [after for _, _, after in timed[1][:COMPARED]])
    console.print(f"The same is computed: {describe(agreement)}", highlight=False, soft_wrap=True)

    trained = time_training(peers, timed)
    console.print("training is timed", highlight=False)

    # One model's weights for all.
    if run:
        model.set_weights(begun_with)
    elif practice:
        later = itertools.cycle([*planned[1][batches:], *timed[1]])
        peers["ours"].train(itertools.islice(later, practice))
    translating = ["ours", "keras", *filter(None, [trained["best"].get("torch")])]
    for name in translating[1:]:
        peers[name].load(model)
    batches = [source for source, _, _ in problem.validation_batches()]
    translated = {}
    for width in peers["ours"].search:
        searches = {name: peers[name].search[width] for name in translating if width in peers[name].search}
        translated[str(width)] = time_translating(searches, batches, width)
        console.print(f"translating with width {width} is timed", highlight=False)
    config = problem.config
    names = ("batch_size", "embedding_size", "units", "encoder_layers", "decoder_layers", "cell", "attention")
    return {
        "data": problem.name,
        "languages": list(problem.languages),
        "sizes": {
            "training_pairs": len(problem.training),
            "validation_pairs": len(problem.validation),
            "source_ids": problem.sizes[0],
            "target_ids": problem.sizes[1],
            "validation_pieces_per_target": round(float(problem.validation.target_lengths.mean()), 2),
            **{name: getattr(config, name) for name in names},
        },
        "weights": "of a finished run" if run else f"after {practice} steps and the timed ones",
        "agreement": agreement,
        "warm_up": warm_up,
        "train": trained,
        "translate": translated,
        "versions": versions(),
        **settings(processes),
    }


def warm(peers: dict, timed: dict[int, list], console: Console) -> tuple[dict, dict]:
    """Has every implementation compute losses, and then train on a batch of every shape that a compiled one has.

    Args:
        peers: The implementations by name, with the same weights.
        timed: Multiple of the padded lengths -> batches.
        console: Where the times are said.

    Returns:
        Of each implementation `seconds`, or `failed`, why it cannot run here: XLA may refuse the graph of a whole step.
        Of each that can, the losses (rows,) of the batches that are compared, from before it trained.
    """
    import tensorflow as tf

    shapes = {}
    for number, (source, _, after) in enumerate(timed[max(timed)]):
        shapes.setdefault((source.shape, after.shape), number)
    warm_up, losses = {}, {}
    for name, peer in peers.items():
        start = time.perf_counter()
        batches = timed[peer.multiple]
        try:
            answer = [peer.losses(batch) for batch in batches[:COMPARED]]
            peer.train([batches[number] for number in shapes.values()])
        except tf.errors.OpError as error:
            if name != "keras jit":
                raise
            message = re.sub(r"(?<!\w)/\S+", "...", str(error.message).splitlines()[0])
            warm_up[name] = {"failed": message[:200]}
            continue
        losses[name] = answer
        warm_up[name] = {"seconds": round(time.perf_counter() - start, 1)}
        pause_after(name)
        console.print(f"{name}: warm after {warm_up[name]['seconds']} s", highlight=False)
    return warm_up, losses


def time_training(peers: dict, timed: dict[int, list]) -> dict:
    """Has all train on the same batches, a few at a time.

    Args:
        peers: The implementations by name, warmed up.
        timed: Multiple of the padded lengths -> batches.

    Returns:
        What `summarise` gives, of the targets' pieces.
    """
    pieces = np.array_split(np.arange(len(timed[1])), max(1, round(len(timed[1]) / ROUND)))
    works = {}
    for name, peer in peers.items():
        rounds = [[timed[peer.multiple][number] for number in piece] for piece in pieces]
        works[name] = lambda turn, peer=peer, rounds=rounds: seconds_of(peer.train, rounds[turn])
    counts = [sum(np.count_nonzero(timed[1][number][2]) for number in piece) for piece in pieces]
    return summarise(take_turns(works, len(pieces)), counts, "target_pieces")


def time_translating(searches: dict, batches: list[np.ndarray], width: int) -> dict:
    """Has all translate the same sentences several times, and compares what they find.

    Args:
        searches: The searches by implementation, with the same weights.
        batches: Of each the sources (rows, places).
        width: The beam's width.

    Returns:
        What `summarise` gives, of sentences, and `answers`, what `compare_answers` gives.

    Raises:
        RuntimeError: They do not find the same.
    """
    works, answers = {}, {}
    for name, search in searches.items():
        works[name] = lambda turn, search=search: seconds_of(search, batches)
        answers[name] = search(batches)
        pause_after(name)
    compared = compare_answers(answers, width)
    amounts = [sum(map(len, batches))] * TRANSLATING_ROUNDS
    return {**summarise(take_turns(works, TRANSLATING_ROUNDS), amounts, "sentences"), "answers": compared}


def summarise(seconds: dict[str, list[float]], amounts: list[int], unit: str) -> dict:
    """Medians, and ratios of each framework's best to ours.

    Args:
        seconds: The seconds of each round, by implementation.
        amounts: What was done in each round.
        unit: What it is counted in.

    Returns:
        `rounds`; `amount` in all, and its `unit`; of each implementation the median and the quartiles of what it does
        per second, and its seconds in all; `best`, each framework's fastest; `ratios`, the medians over the rounds of
        its seconds over ours.
    """
    implementations = {}
    for name, times in seconds.items():
        lower, middle, upper = np.quantile(np.divide(amounts, times), [0.25, 0.5, 0.75]).round(1).tolist()
        implementations[name] = {"per_second": middle, "quartiles": [lower, upper], "seconds": round(sum(times), 3)}
    best, ratios = {}, {}
    for family, members in FAMILIES.items():
        timed = [name for name in members if name in seconds]
        if timed:
            best[family] = min(timed, key=lambda name: sum(seconds[name]))
            pairs = zip(seconds[best[family]], seconds["ours"], strict=True)
            ratios[f"{family}_over_ours"] = round(statistics.median(theirs / ours for theirs, ours in pairs), 4)
    amount = {"rounds": len(amounts), "amount": int(sum(amounts)), "unit": unit}
    return {**amount, "implementations": implementations, "best": best, "ratios": ratios}


if __name__ == "__main__":
    main()
