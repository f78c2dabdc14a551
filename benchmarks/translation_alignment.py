"""From which step on the attention of `run translation` looks where the words are, in the first steps of a run.

A seed whose attention settles on one place of every sentence before it is aligned falls behind the others. The steps
are those of a run with the same flags; every `--every` steps the weights as they are (not their average) are looked at
with some pairs of the validation split.

    python -m benchmarks.translation_alignment --data DATA --source-language de --target-language en --seed 2
    python -m benchmarks.translation_alignment ... --attention multiplicative     without the division by sqrt(units)
"""

import itertools
from typing import NamedTuple

import click
import numpy as np

from data.batches import plan_batches
from data.errors import UserError
from data.vocabulary import PADDING
from templates.translation import pipeline
from templates.translation.config import Config

# Pairs of the validation split that are looked at.
PAIRS = 128


class Alignment(NamedTuple):
    """How the attention lies on some known pairs.

    Args:
        aligned: The correlation, over all steps of all targets, of how far in the source the middle of the attention
            lies and how far in the target the step is.
        largest_share: The mean of each step's largest share.
        last_share: The mean share of the source's last place, its end.
    """

    aligned: float
    largest_share: float
    last_share: float


def alignment(attention: np.ndarray, places: np.ndarray, steps: np.ndarray) -> Alignment:
    """Describes where an attention looks.

    Args:
        attention: (rows, steps, places), each step's sum 1.
        places: How many places of each row count, (rows,).
        steps: How many steps of each row count, (rows,).
    """
    counts = np.arange(attention.shape[1]) < steps[:, np.newaxis]
    middle = attention @ np.arange(attention.shape[2]) / places[:, np.newaxis]
    step = np.arange(attention.shape[1]) / steps[:, np.newaxis]
    last = np.take_along_axis(attention, (places - 1)[:, np.newaxis, np.newaxis], axis=2)[:, :, 0]
    return Alignment(
        float(np.corrcoef(middle[counts], step[counts])[0, 1]),
        float(attention.max(axis=2)[counts].mean()),
        float(last[counts].mean()),
    )


@click.command()
@click.option("--data", required=True, help="The folder with Multi30k's files, multi30k, sample, or your own files.")
@click.option("--source-language", default="auto", show_default=True)
@click.option("--target-language", default="auto", show_default=True)
@click.option("--attention", type=click.Choice(["scaled", "multiplicative"]), default="scaled")
@click.option("--seed", "seeds", type=int, multiple=True, default=(0,), show_default=True)
@click.option("--steps", type=click.IntRange(min=1), default=300, show_default=True)
@click.option("--every", type=click.IntRange(min=1), default=50, show_default=True)
def main(seeds, steps, every, **fields):
    """Prints how the attention lies in the first steps of `run translation`."""
    click.echo("seed  step  training loss  aligned  largest share  at the end")
    for seed in seeds:
        try:
            for step, loss, found in measure(Config(seed=seed, **fields), steps, every):
                shares = f"{found.largest_share:13.2f}  {found.last_share:10.2f}"
                click.echo(f"{seed:4}  {step:4}  {loss:13.3f}  {found.aligned:7.2f}  {shares}")
        except UserError as error:
            raise click.ClickException(str(error)) from None


def measure(config: Config, steps: int, every: int):
    """Trains for some steps; gives, every so many, the step, its mean loss since the last, and the `Alignment`."""
    import keras
    import tensorflow as tf

    from benchmarks.translation_peers import make_problem
    from templates.translation.model import build_model
    from templates.translation.train import learning_rate, make_train_step
    from training.averaging import WeightAverage

    problem = make_problem(config)
    model = build_model(config, *problem.sizes)
    optimizer = keras.optimizers.Adam(config.learning_rate)
    optimizer.build(model.trainable_variables)
    average = WeightAverage(model.trainable_variables, config.weight_average)
    train_step = make_train_step(model, optimizer, average, problem.device, config)
    rows = np.random.default_rng(0).permutation(len(problem.validation))[:PAIRS]
    source, before, after = pipeline.make_batch(problem.validation, rows, len(rows))
    plans = (plan_batches(problem.training.order, config.batch_size, config.seed, epoch) for epoch in itertools.count())
    losses = []
    for step, batch in enumerate(itertools.islice(itertools.chain.from_iterable(plans), steps), start=1):
        optimizer.learning_rate.assign(learning_rate(config, step - 1))
        loss, _, _ = train_step(*map(tf.constant, pipeline.make_batch(problem.training, batch, config.batch_size)))
        losses.append(float(loss))
        if step % every == 0:
            memory, mask = model.get_layer("encoder")(source), tf.constant(source != PADDING)
            _, attention = model.get_layer("decoder")(before, memory, mask=mask, return_attention=True)
            counts = (source != PADDING).sum(axis=1), (after != PADDING).sum(axis=1)
            yield step, np.mean(losses), alignment(attention.numpy(), *counts)
            losses.clear()


if __name__ == "__main__":
    main()
