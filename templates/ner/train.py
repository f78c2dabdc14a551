"""The training loop, from top to bottom."""

import keras
import tensorflow as tf

from data.batches import padding_share, plan_batches
from data.sources.source import Source
from data.tagged_sentences.token_features import TokenFeatures
from data.vocabulary import FIRST_WORD, PADDING
from training.adam import Adam
from training.averaging import WeightAverage
from training.device import Device, choose_device
from training.facts import print_facts, quantiles
from training.plots import plot_confusion_matrix
from training.progress import Progress
from training.runs.folder import RunFolder

from . import facts, pipeline, serving
from .config import Config
from .errors import write_errors
from .evaluate import make_predict_step, measure
from .model import build_model, loss
from .transfer import find_vectors

# With XLA every batch length is compiled, so that there should be few.
LENGTH_MULTIPLE_WITH_JIT = 16


def train(config: Config, source: Source, run: RunFolder, test: bool = True) -> None:
    """Trains a tagger, or goes on with it, and leaves a finished run folder.

    Args:
        config: The run's configuration.
        source: Where the data comes from.
        run: The run's folder, locked.
        test: Whether to measure on the test split at the end, where there is one.

    Raises:
        UserError: The data, the device, the checkpoint, `vectors` or `initialize_from` cannot be used.
        Interrupted: Ctrl-C or SIGTERM; the checkpoint is saved.
    """
    device = choose_device(config.seed, config.strategy, config.precision, config.jit)

    # The data. A run that goes on keeps its words, whatever became of the vectors that it started from.
    opened = pipeline.open_source(config, source)
    wanted = opened.to_train(test)
    sentences, scheme = pipeline.in_one_scheme(config, opened, opened.read(wanted))
    tags = pipeline.find_tags(opened, sentences, scheme)
    best_by = pipeline.best_by(config, tags)
    resumed = run.has_checkpoint()
    vocabulary = run.read_vocabulary() if resumed else pipeline.choose_vocabulary(config, sentences["train"])
    vectors = None if resumed else find_vectors(config, vocabulary["words"])
    if vectors:
        vocabulary["others"] = vectors.others
    run.write_vocabulary(vocabulary)
    words = vocabulary["words"] + vocabulary["others"]
    features = TokenFeatures(words, vocabulary["characters"], vocabulary["affixes"], name="features")
    splits = pipeline.make_examples(sentences, features, tags)
    training, validation = splits["train"], splits["validation"]
    multiple = LENGTH_MULTIPLE_WITH_JIT if device.jit else 1
    batch_rows = device.rows_of_batch(config.batch_size)
    plan = plan_batches(training.lengths, config.batch_size, config.seed, epoch=0)
    print_facts(
        f"Data: {source.name}",
        {
            **{split: facts.describe(examples, tags) for split, examples in splits.items()},
            "tags": facts.describe_tags(tags),
            "not in training": facts.not_in_training(sentences, tags),
            "raw text": facts.describe_cut(config, sentences["train"]),
            "tokens per sentence": quantiles(training.lengths),
            "vocabulary": f"{len(features.words) + FIRST_WORD:,} ids, {len(vocabulary['rare']):,} of words seen once",
            "vectors": vectors and vectors.summary(pipeline.count_words(sentences["train"])),
            "unknown words": ", ".join(
                f"{facts.unknown_share(examples):.1%} of {split}" for split, examples in splits.items()
            ),
            "padding": f"{padding_share(plan, training.lengths, multiple):.1%} of a batch",
            **opened.facts,
            "device": device.describe(),
            "folder": run.path,
        },
    )

    # The model: new, or as it was when the run was stopped.
    with device.strategy.scope():
        first_rare = FIRST_WORD + len(vocabulary["words"]) - len(vocabulary["rare"])
        model = build_model(config, features, tags, first_rare, vectors and vectors.vectors)
        optimizer = Adam(config.learning_rate)
        optimizer.build(model.trainable_variables)
        average = WeightAverage(model.trainable_variables, config.weight_average)
    progress = Progress(run, config, device, best_by, model=model, optimizer=optimizer, average=average)
    train_step = make_train_step(model, optimizer, average, device, config, features=training.features)
    predict_step = make_predict_step(model, config.decoder, training.features)

    def batch_of(rows):
        return pipeline.make_batch(training, rows, batch_rows, multiple)

    with progress:
        for epoch in progress.epochs():
            plan = plan_batches(training.lengths, config.batch_size, config.seed, epoch)
            for rows, batch in progress.steps(plan, batch_of):
                rate = learning_rate(config, progress.step)
                optimizer.learning_rate.assign(rate)
                progress.step_done(*train_step(*batch), rate, len(rows))
            # The average of the weights is what is measured and kept.
            with average.applied():
                result = measure(predict_step, validation, tags)
                progress.keep_best(result)
            progress.end_epoch(result, learning_rate=learning_rate(config, progress.step))

    # The best epoch's weights, measured on the splits, and the files that last.
    progress.restore_best()
    serving.save(run.model_file, features, model, config, tags)
    results = {split: measure(predict_step, splits[split], tags) for split in wanted if split != "train"}
    mistakes = [row for split, result in results.items() for row in result.mistakes(split, splits[split], tags)]
    write_errors(run.path / "errors.tsv", mistakes)
    for split, result in results.items():
        title = f"{split}, {len(splits[split]):,} sentences"
        plot_confusion_matrix(run.plot_file(f"confusion_{split}"), result.confusion, result.classes, title)
    is_tested = "test" in results or not opened.has_test
    per_class = {split: result.per_class for split, result in results.items()}
    progress.finish(source.name, results, is_tested, per_class=per_class)


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
    features: dict,
):
    """Makes the function that takes one optimizer step on one global batch.

    Under a strategy every replica gets the whole batch and takes its own share of the rows: the loss is the sum over
    their tokens divided by the tokens of the *global* batch, so that the sum of the replicas' gradients is the gradient
    of one device. The sum is clipped, not each share. Dropout's masks are those of the first rows on every replica:
    each replica starts from the same seeds.

    Args:
        model: ids to potentials or scores.
        optimizer: Built on the model's trainable variables.
        average: The average of the weights, taken after the step.
        device: Where the step runs.
        config: `clip_norm`, the largest global norm of the gradient, and `decoder`.
        features: The examples' features, for their shapes.

    Returns:
        A function of a dictionary of ids (rows, time, ...) and of tags (rows, time), rows a multiple of the replicas,
        that gives the batch's mean loss per token, before the step, the number of its tokens, and the norm of the
        gradient, before it is clipped, as scalar tensors.
    """
    variables = model.trainable_variables

    @tf.function(reduce_retracing=True, jit_compile=device.jit, autograph=False)
    def loss_and_gradients(ids, tags, token_weight):
        with tf.GradientTape() as tape:
            outputs, valid = model(ids, training=True), ids["words"] != PADDING
            total = tf.reduce_sum(loss(config.decoder, outputs, tags, valid)) * token_weight
        # Dense: Adam moves its averages of every word in every step, also of those that are not in the batch.
        return total, [tf.convert_to_tensor(gradient) for gradient in tape.gradient(total, variables)]

    @tf.function(input_signature=pipeline.batch_signature(features), autograph=False)
    def train_step(ids, tags):
        tokens = tf.reduce_sum(tf.cast(ids["words"] != PADDING, tf.float32))

        def step():
            replica = tf.distribute.get_replica_context()
            mine = slice(replica.replica_id_in_sync_group, None, device.replicas)
            my_ids = {name: rows[mine] for name, rows in ids.items()}
            total, gradients = loss_and_gradients(my_ids, tags[mine], 1 / tokens)
            gradients, norm = tf.clip_by_global_norm(replica.all_reduce("sum", gradients), config.clip_norm)
            # Each replica holds the whole gradient now, and `apply` sums over replicas once more.
            optimizer.apply([gradient / device.replicas for gradient in gradients], variables)
            average.update(optimizer.iterations)
            return total, norm

        total, norm = device.strategy.run(step)
        reduce = device.strategy.reduce
        return reduce("sum", total, axis=None), tokens, reduce("mean", norm, axis=None)

    return train_step
