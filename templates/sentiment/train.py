"""The training loop, from top to bottom."""

import keras
import numpy as np
import tensorflow as tf

from data.batches import padding_share, plan_batches
from data.labelled_texts.word_ids import WordIds
from data.sources.source import Source
from data.vocabulary import FIRST_WORD, unknown_share
from training.adam import Adam
from training.averaging import WeightAverage
from training.device import Device, choose_device
from training.facts import counts, print_facts, quantiles
from training.plots import plot_confusion_matrix
from training.progress import Progress
from training.runs.folder import RunFolder

from . import pipeline, serving
from .config import Config
from .errors import write_errors
from .evaluate import make_predict_step, measure
from .labels import class_weights, doubtful, label_names
from .model import build_model
from .transfer import open_parent

# With XLA every batch length is compiled, so that there should be few.
LENGTH_MULTIPLE_WITH_JIT = 50


def train(config: Config, source: Source, run: RunFolder, test: bool = True) -> None:
    """Trains a classifier, or goes on with it, and leaves a finished run folder.

    Args:
        config: The run's configuration.
        source: Where the data comes from.
        run: The run's folder, locked.
        test: Whether to measure on the test split at the end, where there is one.

    Raises:
        UserError: The data, the device, the checkpoint or `initialize_from` cannot be used.
        Interrupted: Ctrl-C or SIGTERM; the checkpoint is saved.
    """
    device = choose_device(config.seed, config.strategy, config.precision, config.jit)

    # The data. A run that goes on keeps its words and labels, whatever became of the run it was initialized from.
    opened = pipeline.open_source(config, source)
    texts = opened.read(opened.to_train(test))
    names = label_names(pipeline.known_labels(opened, texts))
    texts = pipeline.measurable(opened, texts, names)
    resumed = run.has_checkpoint()
    parent = open_parent(config) if config.initialize_from and not resumed else None
    if resumed:
        vocabulary = run.read_vocabulary()
    else:
        vocabulary = (parent and parent.vocabulary) or pipeline.choose_words(config, texts["train"])
    run.write_vocabulary(vocabulary)
    word_ids = WordIds(vocabulary, config.maximum_length, config.keep, name="word_ids")
    splits = {split: pipeline.make_examples(rows, word_ids, names) for split, rows in texts.items()}
    training, validation = splits["train"], splits["validation"]
    weights = class_weights(config, training.labels, names)
    multiple = LENGTH_MULTIPLE_WITH_JIT if device.jit else 1
    batch_rows = device.rows_of_batch(config.batch_size)
    plan = plan_batches(training.lengths, config.batch_size, config.seed, epoch=0)
    rows_of = np.bincount(training.labels, minlength=len(names))
    unknown = ", ".join(f"{unknown_share(examples.ids):.1%} of {split}" for split, examples in splits.items())
    print_facts(
        f"Data: {source.name}",
        {
            "train": f"{len(training):,} rows ({counts(names, rows_of)})",
            **{split: f"{len(examples):,} rows" for split, examples in splits.items() if split != "train"},
            "labels": doubtful(names),
            "words per text": f"{quantiles(training.lengths)} (read: {config.maximum_length} at most, {config.keep})",
            "vocabulary": f"{len(vocabulary) + FIRST_WORD:,} ids",
            "unknown words": unknown,
            "padding": f"{padding_share(plan, training.lengths, multiple):.1%} of a batch",
            "initialized from": parent and parent.describe(vocabulary),
            **opened.facts,
            "device": device.describe(),
            "folder": run.path,
        },
    )

    # The model: new, from a parent, or as it was when the run was stopped.
    with device.strategy.scope():
        model = build_model(config, len(vocabulary) + FIRST_WORD, len(names))
        if parent:
            parent.copy_to(model, vocabulary, names)
        optimizer = Adam(config.learning_rate)
        optimizer.build(model.trainable_variables)
        average = WeightAverage(model.trainable_variables, config.weight_average)
    progress = Progress(run, config, device, config.best_by, model=model, optimizer=optimizer, average=average)
    train_step = make_train_step(model, optimizer, average, device, config)
    predict_step = make_predict_step(model)

    def batch_of(rows):
        return pipeline.make_batch(training, rows, weights, batch_rows, multiple)

    with progress:
        for epoch in progress.epochs():
            plan = plan_batches(training.lengths, config.batch_size, config.seed, epoch)
            for rows, batch in progress.steps(plan, batch_of):
                rate = learning_rate(config, progress.step)
                optimizer.learning_rate.assign(rate)
                progress.step_done(*train_step(*batch), rate, len(rows))
            # The average of the weights is what is measured and kept.
            with average.applied():
                result = measure(predict_step, validation, names)
                progress.keep_best(result)
            progress.end_epoch(result, learning_rate=learning_rate(config, progress.step))

    # The best epoch's weights, measured on the splits, and the files that last.
    progress.restore_best()
    serving.save(run.model_file, word_ids, model, names)
    results = {split: measure(predict_step, splits[split], names) for split in splits if split != "train"}
    for split, result in results.items():
        title = f"{split}, {len(splits[split]):,} rows"
        plot_confusion_matrix(run.plot_file(f"confusion_{split}"), result.confusion, list(result.per_class), title)
    mistaken, surest = texts["validation"], results["validation"].probabilities
    write_errors(run.path / "errors.tsv", mistaken.texts, mistaken.labels, names, surest)
    is_tested = test or not opened.has_test
    per_class = {split: result.per_class for split, result in results.items()}
    progress.finish(source.name, results, is_tested, per_class=per_class)


def learning_rate(config: Config, step: int) -> float:
    """The learning rate of a step, counted from 0. It does not depend on `epochs`, so that a run can be extended."""
    halvings = step / config.learning_rate_half_life if config.learning_rate_half_life else 0
    return config.learning_rate * 0.5**halvings


def make_train_step(
    model: keras.Model, optimizer: keras.Optimizer, average: WeightAverage, device: Device, config: Config
):
    """Makes the function that takes one optimizer step on one global batch.

    Under a strategy every replica gets the whole batch and takes its own share of the rows: the loss is the weighted
    sum over them divided by the weight of the *global* batch, so that the sum of the replicas' gradients is the
    gradient of one device. The sum is clipped, not each share. Dropout's masks are those of the first rows on every
    replica: each replica starts from the same seeds.

    Args:
        model: ids to logits.
        optimizer: Built on the model's trainable variables.
        average: The average of the weights, taken after the step.
        device: Where the step runs.
        config: `clip_norm`, the largest global norm of the gradient, and `label_smoothing`.

    Returns:
        A function of ids (rows, time), labels (rows,) and weights (rows,), rows a multiple of the replicas, that gives
        the batch's mean loss, before the step, the sum of its weights, and the norm of the gradient, before it is
        clipped, as scalar tensors.
    """
    smoothing, classes = config.label_smoothing, model.output.shape[-1]
    cross_entropy = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing, reduction=None)
    variables = model.trainable_variables

    @tf.function(reduce_retracing=True, jit_compile=device.jit, autograph=False)
    def loss_and_gradients(ids, labels, weights):
        with tf.GradientTape() as tape:
            targets = tf.one_hot(labels, classes)
            loss = tf.reduce_sum(weights * cross_entropy(targets, model(ids, training=True)))
        # Dense: Adam moves its averages of every word in every step, also of those that are not in the batch.
        return loss, [tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, variables)]

    @tf.function(input_signature=pipeline.batch_signature(), autograph=False)
    def train_step(ids, labels, weights):
        total_weight = tf.reduce_sum(weights)

        def step():
            replica = tf.distribute.get_replica_context()
            mine = slice(replica.replica_id_in_sync_group, None, device.replicas)
            loss, gradients = loss_and_gradients(ids[mine], labels[mine], weights[mine] / total_weight)
            gradients, norm = tf.clip_by_global_norm(replica.all_reduce("sum", gradients), config.clip_norm)
            # Each replica holds the whole gradient now, and `apply` sums over replicas once more.
            optimizer.apply([gradient / device.replicas for gradient in gradients], variables)
            average.update(optimizer.iterations)
            return loss, norm

        loss, norm = device.strategy.run(step)
        reduce = device.strategy.reduce
        return reduce("sum", loss, axis=None), total_weight, reduce("mean", norm, axis=None)

    return train_step
