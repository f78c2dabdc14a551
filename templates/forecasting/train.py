"""The training loop, from top to bottom."""

import keras
import tensorflow as tf

from data.sources.source import Source
from training.adam import Adam
from training.averaging import WeightAverage
from training.device import Device, choose_device
from training.facts import print_facts
from training.progress import Progress
from training.runs.folder import RunFolder

from . import pipeline, serving
from .config import Config
from .evaluate import (
    baselines,
    by_step,
    compared,
    fit_linear_map,
    make_predict_step,
    measure,
    measure_baselines,
    verdict,
)
from .model import answer, build_model, losses_of
from .pictures import plot_errors, plot_forecasts
from .series_table import write_series


def train(config: Config, source: Source, run: RunFolder, test: bool = True) -> None:
    """Trains a forecaster, or goes on with it, and leaves a finished run folder.

    Args:
        config: The run's configuration.
        source: Where the data comes from.
        run: The run's folder, locked.
        test: Whether to measure on the test split at the end, where there is one.

    Raises:
        UserError: The data, the device or the checkpoint cannot be used.
        Interrupted: Ctrl-C or SIGTERM; the checkpoint is saved.
    """
    device = choose_device(config.seed, config.strategy, config.precision, config.jit)

    # The data. A run that goes on keeps what it learned of its training rows.
    known = pipeline.Learned.of_run(run) if run.has_checkpoint() else None
    opened = pipeline.open_as_learned(config, source, known and known.columns)
    series = opened.read(opened.to_train(test))
    learned = known or pipeline.Learned.of(config, opened.columns, series["train"])
    run.write_vocabulary(learned.to_json())
    splits = {split: pipeline.make_examples(config, rows, learned) for split, rows in series.items()}
    training, validation = splits["train"], splits["validation"]
    batch_rows = device.rows_of_batch(config.batch_size)
    print_facts(
        f"Data: {source.name}",
        {
            **{split: pipeline.describe(examples) for split, examples in splits.items()},
            "window": f"{config.window} steps, read {config.segment} at a time, and {config.horizon} ahead",
            "season": f"{learned.season} steps",
            "known beforehand": ", ".join(learned.covariates) or None,
            **opened.facts,
            "device": device.describe(),
            "folder": run.path,
        },
    )

    # The model: new, or as it was when the run was stopped.
    with device.strategy.scope():
        model = build_model(config, training)
        optimizer = Adam(config.learning_rate)
        optimizer.build(model.trainable_variables)
        average = WeightAverage(model.trainable_variables, config.weight_average)
    progress = Progress(run, config, device, config.best_by, model=model, optimizer=optimizer, average=average)
    train_step = make_train_step(model, optimizer, average, device, config, training)
    predict_step = make_predict_step(model, config, training)

    def batch_of(chosen):
        return pipeline.make_batch(config, training, chosen, batch_rows)

    with progress:
        for epoch in progress.epochs():
            plan = pipeline.plan_epoch(config, training, epoch)
            for rows, batch in progress.steps(plan, batch_of):
                rate = learning_rate(config, progress.step)
                optimizer.learning_rate.assign(rate)
                progress.step_done(*train_step(*batch), rate, len(rows))
            # The average of the weights is what is measured and kept.
            with average.applied():
                result = measure(predict_step, config, validation)
                progress.keep_best(result)
            progress.end_epoch(result, learning_rate=learning_rate(config, progress.step))

    # The best epoch's weights, measured on the splits beside methods without a network, and the files that last.
    progress.restore_best()
    serving.save(run.model_file, model)
    linear = fit_linear_map(config, training)
    serving.save_linear_map(run, linear)
    methods = baselines(config, learned.season, linear)
    results, figures, steps = {}, {}, {}
    for split, examples in splits.items():
        if split == "train":
            continue
        results[split] = result = measure(predict_step, config, examples)
        others = measure_baselines(config, methods, examples)
        figures[split], steps[split] = compared(config, result, others, examples), by_step(result.errors, examples)
        write_series(run.path / f"series_{split}.csv", examples, {config.cell: result.errors, **others})
        plot_errors(run.plot_file(f"errors_{split}"), examples, {config.cell: result.errors, **others})
        plot_forecasts(run.plot_file(f"forecasts_{split}"), config, examples, predict_step, methods)
    is_tested = test or not opened.has_test
    notes = {f"{split}:": verdict(found) for split, found in figures.items()}
    progress.finish(source.name, results, is_tested, compared=figures, per_horizon=steps, notes=notes)


def learning_rate(config: Config, step: int) -> float:
    """The learning rate of a step, counted from 0. It does not depend on `epochs`, so that a run can be extended."""
    halvings = step / config.learning_rate_half_life if config.learning_rate_half_life else 0
    return config.learning_rate * 0.5**halvings


def make_train_step(
    model: keras.Model,
    optimizer: keras.Optimizer,
    average: WeightAverage,
    device: Device,
    config: Config,
    training: pipeline.Examples,
):
    """Makes the function that takes one optimizer step on one global batch.

    Under a strategy every replica gets the whole batch and takes its own share of the rows: the loss is the sum over
    their targets divided by the targets of the *global* batch, so that the sum of the replicas' gradients is the
    gradient of one device. The sum is clipped, not each share. Dropout's masks are those of the first rows on every
    replica: each replica starts from the same seeds.

    Args:
        model: What `build_model` gave.
        optimizer: Built on the model's trainable variables.
        average: The average of the weights, taken after the step.
        device: Where the step runs.
        config: `clip_norm`, the largest global norm of the gradient, and what the loss is.
        training: The training split, for the shapes of its batches.

    Returns:
        A function of what `pipeline.make_batch` gives, rows a multiple of the replicas, that gives the batch's mean
        loss, before the step, the number of its targets, and the norm of the gradient, before it is clipped, as scalar
        tensors.
    """
    variables = model.trainable_variables

    @tf.function(reduce_retracing=True, jit_compile=device.jit, autograph=False)
    def loss_and_gradients(windows, covariates, static, targets, units, weight):
        with tf.GradientTape() as tape:
            found = answer(model, windows, covariates, static, training=True)
            loss = tf.reduce_sum(losses_of(config, found, targets, units)) * weight
        return loss, [tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, variables)]

    @tf.function(input_signature=pipeline.batch_signature(config, training), autograph=False)
    def train_step(*batch):
        count = tf.reduce_sum(tf.cast(tf.math.is_finite(batch[3]), tf.float32))

        def step():
            replica = tf.distribute.get_replica_context()
            mine = slice(replica.replica_id_in_sync_group, None, device.replicas)
            loss, gradients = loss_and_gradients(*(part[mine] for part in batch), 1 / count)
            gradients, norm = tf.clip_by_global_norm(replica.all_reduce("sum", gradients), config.clip_norm)
            # Each replica holds the whole gradient now, and `apply` sums over replicas once more.
            optimizer.apply([gradient / device.replicas for gradient in gradients], variables)
            average.update(optimizer.iterations)
            return loss, norm

        loss, norm = device.strategy.run(step)
        reduce = device.strategy.reduce
        return reduce("sum", loss, axis=None), count, reduce("mean", norm, axis=None)

    return train_step
