"""The training loop, from top to bottom."""

import keras
import tensorflow as tf

from data.sources.source import Source
from data.subwords.pieces import Subwords
from data.vocabulary import PADDING
from rnn_layers.token_loss import token_losses
from training.adam import Adam
from training.averaging import WeightAverage
from training.device import Device, choose_device
from training.facts import print_facts
from training.progress import Progress
from training.runs.folder import RunFolder

from . import pipeline, serving
from .carried_states import CarriedStates
from .config import Config
from .evaluate import STREAMS, make_predict_step, measure, with_baselines
from .lines import write_lines
from .model import build_model, first_states, state_sizes


def train(config: Config, source: Source, run: RunFolder, test: bool = True) -> None:
    """Trains a language model, or goes on with it, and leaves a finished run folder.

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

    # The data. A run that goes on keeps its pieces.
    opened = pipeline.open_source(config, source)
    documents = opened.read(opened.to_train(test))
    resumed = run.has_checkpoint()
    vocabulary = run.read_vocabulary() if resumed else pipeline.learn_vocabulary(config, documents["train"])
    run.write_vocabulary(vocabulary)
    subwords = Subwords(vocabulary)
    splits = {split: pipeline.make_examples(rows, subwords) for split, rows in documents.items()}
    training, validation = splits["train"], splits["validation"]
    streams, steps = device.rows_of_batch(config.batch_size), config.backpropagation_steps
    print_facts(
        f"Data: {source.name}",
        {
            **{split: pipeline.describe(examples) for split, examples in splits.items()},
            "pieces": f"{config.pieces}, {subwords.size:,} ids, 256 of them single bytes",
            "streams": f"{streams} of {len(training) // streams:,} pieces, read {steps} at a time",
            **opened.facts,
            "device": device.describe(),
            "folder": run.path,
        },
    )

    # The model: new, or as it was when the run was stopped.
    with device.strategy.scope():
        model = build_model(config, subwords.size)
        optimizer = Adam(config.learning_rate)
        optimizer.build(model.trainable_variables)
        average = WeightAverage(model.trainable_variables, config.weight_average)
    carried = CarriedStates(state_sizes(model), streams, device.strategy)
    progress = Progress(
        run, config, device, config.best_by, model=model, optimizer=optimizer, average=average, states=carried
    )
    train_step = make_train_step(model, optimizer, average, device, config, carried)
    predict_step = make_predict_step(model, STREAMS)

    def batch_of(window):
        return pipeline.make_batch(training, window, steps)

    with progress:
        for epoch in progress.epochs():
            plan = pipeline.plan_epoch(config, training, streams, epoch)
            for rows, batch in progress.steps(plan, batch_of):
                rate = learning_rate(config, progress.step)
                optimizer.learning_rate.assign(rate)
                progress.step_done(*train_step(*batch), rate, len(rows))
            # The average of the weights is what is measured and kept.
            with average.applied():
                result = measure(predict_step, validation, first_states(model, STREAMS))
                progress.keep_best(result)
            progress.end_epoch(result, learning_rate=learning_rate(config, progress.step))

    # The best epoch's weights, measured on each split from its first piece to its last, and the files that last.
    progress.restore_best()
    serving.save(run.model_file, subwords, model)
    measured = [split for split in splits if split != "train"]
    predict_step = make_predict_step(model, 1)
    results = {split: measure(predict_step, splits[split], first_states(model, 1)) for split in measured}
    results = {split: with_baselines(result, training, splits[split]) for split, result in results.items()}
    lines = documents["validation"].lines
    write_lines(run.path / "lines_validation.tsv", lines, validation.ids, results["validation"].losses, subwords)
    is_tested = test or not opened.has_test
    progress.finish(source.name, results, is_tested)


def learning_rate(config: Config, step: int) -> float:
    """The learning rate of a step, counted from 0. It does not depend on `epochs`, so that a run can be extended."""
    warm_up = min(1.0, (step + 1) / config.warm_up_steps) if config.warm_up_steps else 1.0
    after = max(step - config.warm_up_steps, 0)
    halvings = after / config.learning_rate_half_life if config.learning_rate_half_life else 0
    return config.learning_rate * warm_up * 0.5**halvings


def make_train_step(
    model: keras.Model,
    optimizer: keras.Optimizer,
    average: WeightAverage,
    device: Device,
    config: Config,
    carried: CarriedStates,
):
    """Makes the function that takes one optimizer step on one window of all streams.

    The gradient goes back to the window's first piece and no further: backpropagation through time, truncated
    (Williams and Peng 1990). Under a strategy every replica gets the whole batch and takes its own share of the
    streams: the loss is the sum over their pieces divided by the pieces of the *global* batch, so that the sum of the
    replicas' gradients is the gradient of one device. The sum is clipped, not each share. Dropout's masks are those of
    the first streams on every replica: each replica starts from the same seeds.

    Args:
        model: What `build_model` gave.
        optimizer: Built on the model's trainable variables.
        average: The average of the weights, taken after the step.
        device: Where the step runs.
        config: `clip_norm`, the largest global norm of the gradient, and the sizes of a batch.
        carried: The states of the streams, before and after the step.

    Returns:
        A function of the piece before each piece and of the pieces (streams, steps), streams a multiple of the
        replicas, and of whether the streams begin, that gives the batch's mean loss per piece, before the step, the
        number of its pieces, and the norm of the gradient, before it is clipped, as scalar tensors.
    """
    variables = model.trainable_variables
    streams = device.rows_of_batch(config.batch_size)

    @tf.function(reduce_retracing=True, jit_compile=device.jit, autograph=False)
    def loss_and_gradients(before, after, states, piece_weight):
        with tf.GradientTape() as tape:
            scores, *states = model([before, *states], training=True)
            losses, _ = token_losses(scores, after)
            total = tf.reduce_sum(tf.where(after != PADDING, losses, 0.0)) * piece_weight
        # Dense: Adam moves its averages of every piece in every step, also of those that are not in the batch.
        return total, [tf.convert_to_tensor(gradient) for gradient in tape.gradient(total, variables)], states

    @tf.function(input_signature=pipeline.batch_signature(streams, config.backpropagation_steps), autograph=False)
    def train_step(before, after, begins):
        pieces = tf.reduce_sum(tf.cast(after != PADDING, tf.float32))
        states = carried.read(begins)

        def step():
            replica = tf.distribute.get_replica_context()
            mine = slice(replica.replica_id_in_sync_group, None, device.replicas)
            shares = [state[mine] for state in states]
            total, gradients, last = loss_and_gradients(before[mine], after[mine], shares, 1 / pieces)
            gradients, norm = tf.clip_by_global_norm(replica.all_reduce("sum", gradients), config.clip_norm)
            # Each replica holds the whole gradient now, and `apply` sums over replicas once more.
            optimizer.apply([gradient / device.replicas for gradient in gradients], variables)
            average.update(optimizer.iterations)
            return total, norm, last

        total, norm, last = device.strategy.run(step)
        carried.write(last)
        reduce = device.strategy.reduce
        return reduce("sum", total, axis=None), pieces, reduce("mean", norm, axis=None)

    return train_step
