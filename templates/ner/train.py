"""The training loop, from top to bottom."""

import math
import time

import keras
import tensorflow as tf

from data.batches import padding_share, plan_batches
from data.errors import BadLines, UserError
from data.sources.source import Source
from data.tagged_sentences.token_features import TokenFeatures
from data.tagged_sentences.vectors import read_vectors
from data.vocabulary import FIRST_WORD, PADDING
from training.averaging import WeightAverage
from training.checkpoint import load_checkpoint, load_weights, save_checkpoint, save_weights
from training.commands.report import print_facts, quantiles
from training.device import Device, choose_device, threads, versions
from training.event_log import EventLog
from training.live_line import Display
from training.plots import plot_confusion_matrix, plot_learning_curve
from training.runs.folder import RunFolder
from training.stop_requests import Interrupted, stop_requests

from . import pipeline, serving
from .config import Config
from .errors import write_errors
from .evaluate import make_predict_step, measure
from .model import build_model, loss

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
        UserError: The data cannot be used.
        UserError: The device or the checkpoint cannot be used.
        Interrupted: Ctrl-C or SIGTERM; the checkpoint is saved.
    """
    device = choose_device(config.seed, config.strategy, config.precision, config.jit)

    # The data. A run that goes on keeps its words, whatever became of the vectors that it started from.
    bad_lines = BadLines(config.skip_bad_lines)
    source_splits = pipeline.splits_of(source)
    wanted = ["train", "validation", "test"] if test and source_splits.has_test else ["train", "validation"]
    sentences, scheme = pipeline.read_splits(config, source, wanted, bad_lines)
    tags = pipeline.find_tags(source, sentences, scheme)
    resumed = run.checkpoint_file.is_file()
    vocabulary = run.read_vocabulary() if resumed else pipeline.choose_vocabulary(config, sentences["train"])
    vectors = None
    if config.vectors and not resumed:
        room = config.vocabulary_size - FIRST_WORD - len(vocabulary["words"])
        vectors = read_vectors(config.vectors, vocabulary["words"], others=room)
        if vectors.size != config.embedding_size:
            raise UserError(f"{config.vectors}: vectors of {vectors.size} numbers; add --embedding-size {vectors.size}")
        vocabulary["others"] = vectors.others
    run.write_vocabulary(vocabulary)
    words = vocabulary["words"] + vocabulary["others"]
    features = TokenFeatures(words, vocabulary["characters"], vocabulary["affixes"], name="features")
    places = {split: source_splits.place(split) for split in wanted}
    splits = pipeline.make_examples(sentences, features, tags, places)
    training, validation = splits["train"], splits["validation"]
    multiple = LENGTH_MULTIPLE_WITH_JIT if device.jit else 1
    batch_rows = math.ceil(config.batch_size / device.replicas) * device.replicas
    plan = plan_batches(training.lengths, config.batch_size, config.seed, epoch=0)
    best_by = config.best_by if config.best_by != "auto" else "f1" if tags.are_entities else "accuracy"
    if best_by == "f1" and not tags.are_entities:
        raise UserError("--best-by f1 is for entities; of plain tags the accuracy is measured")
    print_facts(
        f"Data: {source.name}",
        {
            **{split: pipeline.describe(examples, tags) for split, examples in splits.items()},
            "tags": pipeline.describe_tags(tags),
            "tokens per sentence": quantiles(training.lengths),
            "vocabulary": f"{len(features.words) + FIRST_WORD:,} ids, {len(vocabulary['rare']):,} of words seen once",
            "vectors": vectors and vectors.summary(pipeline.count_words(sentences["train"])),
            "unknown words": ", ".join(
                f"{pipeline.unknown_share(examples):.1%} of {split}" for split, examples in splits.items()
            ),
            "padding": f"{padding_share(plan, training.lengths, multiple):.1%} of a batch",
            "bad lines": bad_lines.summary() or None,
            "not read": source_splits.ignored_files or None,
            "device": device.describe(),
            "folder": run.path,
        },
    )

    # The model: new, or as it was when the run was stopped.
    with device.strategy.scope():
        first_rare = FIRST_WORD + len(vocabulary["words"]) - len(vocabulary["rare"])
        model = build_model(config, features, tags, first_rare, vectors and vectors.vectors)
        optimizer = keras.optimizers.Adam(config.learning_rate)
        optimizer.build(model.trainable_variables)
        average = WeightAverage(model.trainable_variables, config.weight_average)
    parts = {"model": model, "optimizer": optimizer, "average": average}
    environment = {**versions(), "device": device.describe(), "threads": threads()}
    progress, environment_before = load_checkpoint(run.checkpoint_file, parts)
    if environment_before not in ({}, environment):
        print_facts("", {"warning": "resumed under another device or version: the result may differ in its last bits"})
    train_step = make_train_step(model, optimizer, average, device, config, features=training.features)
    predict_step = make_predict_step(model, config.decoder, training.features)
    events = EventLog(run.path)

    with stop_requests() as stop, Display(config.epochs, best_by) as display:
        while progress.epoch < config.epochs and not progress.out_of_patience(config.patience):
            plan = plan_batches(training.lengths, config.batch_size, config.seed, progress.epoch)
            display.start_epoch(progress.epoch + 1, len(plan), progress.batch)
            started, seconds_before = time.monotonic(), progress.epoch_seconds
            losses: list[tuple[tf.Tensor, int]] = []

            for rows in plan[progress.batch :]:
                optimizer.learning_rate.assign(learning_rate(config, progress.step))
                ids, right_tags = pipeline.make_batch(training, rows, batch_rows, multiple)
                step_loss = train_step(
                    {name: tf.constant(array) for name, array in ids.items()}, tf.constant(right_tags)
                )
                losses.append((step_loss, len(rows)))
                progress.batch += 1
                progress.step += 1
                progress.rows += len(rows)
                display.step_done(len(rows))
                ends_epoch = progress.batch == len(plan)
                at_checkpoint = progress.step % config.checkpoint_steps == 0 and not ends_epoch or stop.is_set()
                if at_checkpoint or ends_epoch or display.wants_loss(progress.batch):
                    # Read here and not at every step: on a GPU it waits until the step is done.
                    for step_loss, count in losses:
                        progress.loss_sum += float(step_loss) * count
                    losses.clear()
                    progress.epoch_seconds = seconds_before + time.monotonic() - started
                    display.update(progress.batch, progress.loss_sum / progress.rows)
                    display.say_expected(progress.batch, stops_early=config.patience > 0)
                    if not math.isfinite(progress.loss_sum):
                        raise UserError(f"{run.path}: the loss is not finite; lower --learning-rate, and --restart")
                if at_checkpoint:
                    save_checkpoint(run.checkpoint_file, parts, progress, environment)
                if stop.is_set():
                    raise Interrupted(f"{run.path}: stopped; the same command goes on from step {progress.step:,}")

            # The epoch's end: measure, keep the best weights, save.
            with average.applied():
                result = measure(predict_step, validation, tags)
                score = -result.loss if best_by == "loss" else result.metrics[best_by]
                if progress.improves(score):
                    progress.best, progress.best_epoch = score, progress.epoch + 1
                    save_weights(run.best_weights_file, model)
            row = {
                "epoch": progress.epoch + 1,
                "loss": progress.loss_sum / progress.rows,
                "validation_loss": result.loss,
                **{f"validation_{name}": value for name, value in result.metrics.items()},
                "learning_rate": learning_rate(config, progress.step),
            }
            timing = {
                "seconds": round(progress.epoch_seconds, 3),
                "examples_per_second": round(progress.rows / progress.epoch_seconds, 1),
            }
            progress.history.append({**row, **timing})
            progress.end_epoch()
            save_checkpoint(run.checkpoint_file, parts, progress, environment)
            run.write_history(progress.history)
            events.write(progress.epoch, row)
            display.end_epoch({**row, **timing})

    # The best epoch's weights, measured on the splits, and the files that last.
    load_weights(run.best_weights_file, model)
    serving.save(run.model_file, features, model, config, tags)
    run.write_history(progress.history)
    results = {split: measure(predict_step, splits[split], tags) for split in wanted if split != "train"}
    mistakes = [row for split, result in results.items() for row in result.mistakes(split, splits[split], tags)]
    write_errors(run.path / "errors.tsv", mistakes)
    for split, result in results.items():
        title = f"{split}, {len(splits[split]):,} sentences"
        plot_confusion_matrix(run.plot_file(f"confusion_{split}"), result.confusion, result.classes, title)
    plot_learning_curve(run.plot_file("learning_curve"), progress.history, best_by, progress.best_epoch)
    run.write_metrics(
        {
            "template": run.read_config()["template"],
            "data": source.name,
            "finished": True,
            "tested": "test" in results or not source_splits.has_test,
            "seed": config.seed,
            "parameters": model.count_params(),
            "epochs": progress.epoch,
            "best_epoch": progress.best_epoch,
            "stopped_early": progress.epoch < config.epochs,
            "train_seconds": round(progress.train_seconds, 3),
            "examples_per_second": round(progress.rows_trained / progress.train_seconds, 1),
            "device": device.describe(),
            "validation": results["validation"].metrics,
            "test": results["test"].metrics if "test" in results else None,
            "per_class": {split: result.per_class for split, result in results.items()},
            "versions": versions(),
        }
    )


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
        that gives the batch's mean loss per token, before the step, as a scalar tensor.
    """
    variables = model.trainable_variables

    @tf.function(reduce_retracing=True, jit_compile=device.jit)
    def loss_and_gradients(ids, tags, token_weight):
        with tf.GradientTape() as tape:
            outputs, valid = model(ids, training=True), ids["words"] != PADDING
            total = tf.reduce_sum(loss(config.decoder, outputs, tags, valid)) * token_weight
        # Dense: Keras's Adam squares the slices of an embedding's gradient before it sums those of one word.
        return total, [tf.convert_to_tensor(gradient) for gradient in tape.gradient(total, variables)]

    @tf.function(input_signature=pipeline.batch_signature(features))
    def train_step(ids, tags):
        def step():
            replica = tf.distribute.get_replica_context()
            mine = slice(replica.replica_id_in_sync_group, None, device.replicas)
            token_weight = 1 / tf.reduce_sum(tf.cast(ids["words"] != PADDING, tf.float32))
            my_ids = {name: rows[mine] for name, rows in ids.items()}
            total, gradients = loss_and_gradients(my_ids, tags[mine], token_weight)
            gradients, _ = tf.clip_by_global_norm(replica.all_reduce("sum", gradients), config.clip_norm)
            # Each replica holds the whole gradient now, and `apply` sums over replicas once more.
            optimizer.apply([gradient / device.replicas for gradient in gradients], variables)
            average.update(optimizer.iterations)
            return total

        return device.strategy.reduce("sum", device.strategy.run(step), axis=None)

    return train_step
