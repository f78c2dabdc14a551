"""Training and answering speed of the `captioning` template's decoder: ours, with Keras's own layers, in PyTorch.

    python cli.py run captioning --data sample --run-dir RUN
    python -m benchmarks.captioning_speed --data sample --run RUN

All take turns in one run, on the same batches, in float32, with oneDNN as `run` and `evaluate` have it, with a finished
run's decoder, on what its encoder sees in its pictures: the convolutions are left out. A training step is forward,
gradient, clipping, Adam and the average of the weights. Answering is the search for a caption, of one picture at a time
and of 64, greedily and with the run's beam. Before that losses and answers are compared, with the same weights; a beam
of ours follows the greedy hypothesis besides, and so finds a better caption now and then. PyTorch takes part, in a
process of its own, if it is installed.
"""

from pathlib import Path

import click

from benchmarks.layer_machine import settings, versions
from benchmarks.layers import set_up
from benchmarks.processes import installed, process_for_each
from benchmarks.records import print_per_second
from benchmarks.runs import RESULTS
from benchmarks.translation_agreement import compare_answers, compare_losses
from benchmarks.turns import pause_after, per_second, seconds_of, take_turns
from data.errors import UserError
from data.writing import write_json
from templates.captioning.config import USES_ONEDNN

# Steps of a round of training, rounds, and of a round of answering how many batches of how many pictures.
STEPS, ROUNDS, ANSWERS = 12, 9, {1: 40, 64: 4}
QUICK_STEPS, QUICK_ROUNDS, QUICK_ANSWERS = 2, 2, {1: 2, 8: 1}


@click.command(help=__doc__)
@click.option("--data", required=True, help="sample, flickr8k, or your own files.")
@click.option("--run", required=True, type=click.Path(exists=True, path_type=Path), help="A finished run's folder.")
@click.option("--quick", is_flag=True, help="A few steps alone, to try it out; written only with --output.")
@click.option("--output", type=click.Path(path_type=Path), help="[default: benchmarks/results/captioning_speed.json]")
def main(data: str, run: Path, quick: bool, output: Path | None):
    output = output or (None if quick else RESULTS / "captioning_speed.json")
    record = {"command": f"python -m benchmarks.captioning_speed --data DATA --run RUN{' --quick' if quick else ''}"}
    set_up(record, output, USES_ONEDNN)
    try:
        with process_for_each(installed("torch")) as processes:
            record |= measure(data, run, quick, processes)
    except (UserError, OSError) as error:
        raise click.ClickException(str(error)) from None
    if output:
        write_json(output, record)
    print_per_second(record)


def measure(data: str, run: Path, quick: bool, processes: dict) -> dict:
    """Builds, compares and times all implementations; what is written, without the command and the machine."""
    from benchmarks.captioning_peers import make_peers, make_problem

    steps, rounds, answers = (QUICK_STEPS, QUICK_ROUNDS, QUICK_ANSWERS) if quick else (STEPS, ROUNDS, ANSWERS)
    problem = make_problem(data, run)
    peers = make_peers(problem, processes)
    batches = problem.training_batches(steps * rounds)
    losses = {name: [peer.losses(batch) for batch in batches[:2]] for name, peer in peers.items()}
    agreement = compare_losses(losses, [after for _, _, after in batches[:2]])
    asked = {rows: problem.asked(rows, count) for rows, count in answers.items()}

    # Answers first: steps of training change the weights.
    seconds, counted, compared = {}, {}, {}
    for width in peers["ours"].search:
        searching = {name: peer.search[width] for name, peer in peers.items() if width in peer.search}
        for rows, several in asked.items():
            work = f"{'greedy' if width == 1 else f'beam of {width}'}, {rows} at a time"
            found = {}
            for name, search in searching.items():
                found[name] = search(several)
                pause_after(name)
            compared[work] = compare_answers(found, width)
            works = {
                name: lambda turn, search=search, several=several: seconds_of(search, several)
                for name, search in searching.items()
            }
            seconds[work], counted[work] = take_turns(works, rounds), rows * len(several)
    for name, peer in peers.items():
        peer.train(batches[:3])
        pause_after(name)
    works = {
        name: lambda turn, peer=peer: seconds_of(peer.train, batches[turn * steps : (turn + 1) * steps])
        for name, peer in peers.items()
    }
    seconds = {"training": take_turns(works, rounds), **seconds}
    counted["training"] = steps * problem.config.batch_size
    return {
        "data": problem.name,
        "sizes": {
            "ids": problem.decoder.vocabulary_size,
            "places": problem.training.pictures.shape[1],
            **{
                key: getattr(problem.config, key) for key in ("batch_size", "embedding_size", "units", "decoder_layers")
            },
        },
        "agreement": agreement,
        "answers": compared,
        "unit": "captions",
        "per_second": per_second(seconds, counted),
        "versions": versions(),
        **settings(processes),
    }


if __name__ == "__main__":
    main()
