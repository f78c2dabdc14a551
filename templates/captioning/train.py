"""The training loop, from top to bottom."""

import math
import time
from dataclasses import replace

import keras
import tensorflow as tf

from data.batches import plan_batches
from data.captioned_pictures.augmentation import apply_changes
from data.errors import BadLines, UserError
from data.sources.source import Source
from data.subwords.pieces import END, FIRST_BYTE, START, Subwords
from data.vocabulary import PADDING
from rnn_layers.search import Search
from rnn_layers.token_loss import token_losses
from training.averaging import WeightAverage
from training.checkpoint import load_checkpoint, load_weights, save_checkpoint, save_weights
from training.commands.report import print_facts, quantiles
from training.device import Device, choose_device, threads, versions
from training.event_log import EventLog
from training.live_line import Display
from training.plots import plot_learning_curve
from training.runs.folder import RunFolder
from training.stop_requests import Interrupted, stop_requests

from . import pipeline, serving
from .caption_figure import plot_captions
from .caption_page import write_page
from .captions import show, typical_rows, write_captions
from .config import Config
from .encoders import build_network, features_of, is_frozen
from .evaluate import make_predict_step, measure, score_shuffled
from .model import build_model

# With XLA every batch length is compiled, so that there should be few.
LENGTH_MULTIPLE_WITH_JIT = 16
# Captions on the page, and of these in the picture.
SHOWN, PICTURES = 40, 4


def train(config: Config, source: Source, run: RunFolder, test: bool = True) -> None:
    """Trains a captioner, or goes on with it, and leaves a finished run folder.

    Args:
        config: The run's configuration.
        source: Where the data comes from.
        run: The run's folder, locked.
        test: Whether to measure on the test split at the end, where there is one.

    Raises:
        UserError: The data cannot be used.
        UserError: The device, the encoder or the checkpoint cannot be used.
        Interrupted: Ctrl-C or SIGTERM; the checkpoint is saved.
    """
    device = choose_device(config.seed, config.strategy, config.precision, config.jit, convolutional=True)
    network = build_network(config) if is_frozen(config) else None

    # The data. A run that goes on keeps its pieces.
    bad_lines = BadLines(config.skip_bad_lines)
    opened = pipeline.open_source(config, source, bad_lines)
    wanted = ["train", "validation", "test"] if test and opened.splits.has_test else ["train", "validation"]
    pictures = pipeline.read_splits(config, opened, wanted)
    pictures["train"], left_out = pipeline.filter_training(config, pictures["train"])
    resumed = run.checkpoint_file.is_file()
    vocabulary = run.read_vocabulary() if resumed else pipeline.learn_vocabulary(config, pictures["train"])
    run.write_vocabulary(vocabulary)
    subwords = Subwords(vocabulary)
    splits, unreadable = {}, {}
    for split, read in pictures.items():
        splits[split], unreadable[split] = pipeline.make_examples(config, opened, split, read, subwords)
    training = splits["train"]
    # What the encoder sees: pictures, or of a frozen network its features, computed once.
    seen = {
        split: replace(examples, pictures=features_of(network, examples.pictures)) if network else examples
        for split, examples in splits.items()
    }
    multiple = LENGTH_MULTIPLE_WITH_JIT if device.jit else 1
    batch_rows = math.ceil(config.batch_size / device.replicas) * device.replicas
    print_facts(
        f"Data: {source.name}",
        {
            **{split: pipeline.describe(examples) for split, examples in splits.items()},
            "pieces per caption": quantiles(pipeline.caption_lengths(training)),
            "vocabulary": f"{subwords.size:,} ids, 256 of them single bytes",
            "left out": left_out or None,
            "bad lines": bad_lines.summary() or None,
            **{f"{split} unreadable": note or None for split, note in unreadable.items()},
            **{f"note {number}": note for number, note in enumerate(opened.notes, start=1)},
            "not read": opened.splits.ignored_files or None,
            "device": device.describe(),
            "folder": run.path,
        },
    )

    # The model: new, or as it was when the run was stopped.
    with device.strategy.scope():
        model = build_model(config, subwords.size, seen["train"].pictures.shape[1:])
        optimizer = keras.optimizers.AdamW(config.learning_rate, weight_decay=config.weight_decay)
        optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
        optimizer.build(model.trainable_variables)
        # With the normalization's running statistics, which belong to these weights.
        average = WeightAverage(model.weights, config.weight_average)
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    parts = {"model": model, "optimizer": optimizer, "average": average}
    environment = {**versions(), "device": device.describe(), "threads": threads()}
    progress, environment_before = load_checkpoint(run.checkpoint_file, parts)
    if environment_before not in ({}, environment):
        print_facts("", {"warning": "resumed under another device or version: the result may differ in its last bits"})
    train_step = make_train_step(model, optimizer, average, device, config)
    # After every epoch greedily, and with the loss of one reference, which is quick; at the end as `predict` does it.
    search = Search(decoder, START, END, 1, config.length_exponent, config.max_length + 1)
    predict_greedily = make_predict_step(encoder, search)
    events = EventLog(run.path)

    with stop_requests() as stop, Display(config.epochs, config.best_by) as display:
        while progress.epoch < config.epochs and not progress.out_of_patience(config.patience):
            # Other captions of each picture in every epoch, and the picture itself a little changed.
            drawn = pipeline.draw(config, training, progress.epoch)
            plan = plan_batches(drawn.lengths, config.batch_size, config.seed, progress.epoch)
            display.start_epoch(progress.epoch + 1, len(plan), progress.batch)
            started, seconds_before = time.monotonic(), progress.epoch_seconds
            losses: list[tuple[tf.Tensor, int]] = []

            for rows in plan[progress.batch :]:
                optimizer.learning_rate.assign(learning_rate(config, progress.step))
                # Teacher forcing: the decoder sees the right pieces before each piece that it is to score.
                shown, before, after = pipeline.make_batch(seen["train"], rows, batch_rows, drawn.captions, multiple)
                changes = pipeline.changes_of(drawn, rows, batch_rows)
                words = pipeline.words_of(training, rows, batch_rows)
                step_loss = train_step(*map(tf.constant, (shown, *changes, before, after, words)))
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
                result = measure(predict_greedily, seen["validation"], subwords, references_in_loss=1)
                score = -result.loss if config.best_by == "loss" else result.metrics[config.best_by]
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
    serving.save(run.model_file, subwords, network, model, config)
    run.write_history(progress.history)
    search = Search(decoder, START, END, config.beam_width, config.length_exponent, config.max_length + 1)
    predict_step = make_predict_step(encoder, search)
    results = {split: measure(predict_step, seen[split], subwords) for split in wanted if split != "train"}
    for split, result in results.items():
        write_captions(run.path / f"captions_{split}.jsonl", splits[split], result)
    last, result = list(results.items())[-1]
    rows = typical_rows(result.ciders, SHOWN)
    shown = [show(config, encoder, decoder, subwords, splits[last], seen[last], result, row) for row in rows]
    facts = {name: f"{value:.4g}" for name, value in result.metrics.items()}
    write_page(run.path / "captions.html", f"{source.name}, {last}", shown, facts)
    rows = typical_rows(result.ciders, PICTURES)
    shown = [show(config, encoder, decoder, subwords, splits[last], seen[last], result, row) for row in rows]
    plot_captions(run.plot_file("captions"), shown, f"{source.name}, {last}")
    plot_learning_curve(run.plot_file("learning_curve"), progress.history, config.best_by, progress.best_epoch)
    run.write_metrics(
        {
            "template": run.read_config()["template"],
            "data": source.name,
            "finished": True,
            "tested": "test" in results or not opened.splits.has_test,
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
            "shuffled": {
                split: score_shuffled(result.captions, splits[split].references) for split, result in results.items()
            },
            "versions": versions(),
        }
    )


def learning_rate(config: Config, step: int) -> float:
    """The learning rate of a step, counted from 0. It does not depend on `epochs`, so that a run can be extended."""
    warm_up = min(1.0, (step + 1) / config.warm_up_steps) if config.warm_up_steps else 1.0
    after = max(step - config.warm_up_steps, 0)
    halvings = after / config.learning_rate_half_life if config.learning_rate_half_life else 0
    return config.learning_rate * warm_up * 0.5**halvings


def make_train_step(
    model: keras.Model, optimizer: keras.Optimizer, average: WeightAverage, device: Device, config: Config
):
    """Makes the function that takes one optimizer step on one global batch.

    Under a strategy every replica gets the whole batch and takes its own share of the pictures: each loss is a sum
    divided by the count in the *global* batch, so that the sum of the replicas' gradients is the gradient of one device
    (but for the convolutional encoder's batch normalization, whose statistics are those of a replica's share). The sum
    is clipped, not each share. Dropout's masks are those of the first rows on every replica: each replica starts from
    the same seeds.

    Args:
        model: What `build_model` gave.
        optimizer: Built on the model's trainable variables.
        average: The average of the weights, taken after the step.
        device: Where the step runs.
        config: `clip_norm`, the largest global norm of the gradient, `label_smoothing`, and `word_loss`.

    Returns:
        A function of what the encoder sees (pictures, ...), the pictures a multiple of the replicas; of the changes to
        their places (pictures, 2, 2) and colours (pictures, 3, 4), which features are spared; of the pieces before each
        piece of their captions, and of these pieces (pictures, captions, steps); of the pieces that occur in any of a
        picture's captions (pictures, most). It gives the batch's mean loss per piece, before the step, as a scalar
        tensor.
    """
    variables = model.trainable_variables
    frozen = is_frozen(config)

    @tf.function(reduce_retracing=True, jit_compile=device.jit)
    def loss_and_gradients(pictures, before, after, words, piece_weight, word_weight):
        steps = tf.shape(after)[2]
        before, pieces = (tf.reshape(ids, [-1, steps]) for ids in (before, after))
        occurring = many_hot(words, model.output["words"].shape[-1])[:, FIRST_BYTE:]
        with tf.GradientTape() as tape:
            output = model({"picture": pictures, "before": before}, training=True)
            losses, _ = token_losses(output["scores"], pieces, config.label_smoothing)
            total = tf.reduce_sum(tf.where(pieces != PADDING, losses, 0.0)) * piece_weight
            missed = tf.nn.sigmoid_cross_entropy_with_logits(occurring, output["words"][:, FIRST_BYTE:])
            weighted = total + tf.reduce_sum(missed) * word_weight * config.word_loss
        # Dense: Keras's Adam squares the slices of an embedding's gradient before it sums those of one piece.
        return total, [tf.convert_to_tensor(gradient) for gradient in tape.gradient(weighted, variables)]

    @tf.function(reduce_retracing=True)
    def train_step(pictures, transforms, colours, before, after, words):
        def step():
            replica = tf.distribute.get_replica_context()
            mine = slice(replica.replica_id_in_sync_group, None, device.replicas)
            shown = pictures[mine] if frozen else apply_changes(pictures[mine], transforms[mine], colours[mine])
            piece_weight = 1 / tf.reduce_sum(tf.cast(after != PADDING, tf.float32))
            word_weight = 1 / tf.reduce_sum(tf.cast(words != PADDING, tf.float32))
            total, gradients = loss_and_gradients(
                shown, before[mine], after[mine], words[mine], piece_weight, word_weight
            )
            gradients, _ = tf.clip_by_global_norm(replica.all_reduce("sum", gradients), config.clip_norm)
            # Each replica holds the whole gradient now, and `apply` sums over replicas once more.
            optimizer.apply([gradient / device.replicas for gradient in gradients], variables)
            average.update(optimizer.iterations)
            return total

        return device.strategy.reduce("sum", device.strategy.run(step), axis=None)

    return train_step


def many_hot(ids: tf.Tensor, size: int) -> tf.Tensor:
    """1 at the places of ids, 0 elsewhere.

    Args:
        ids: Each once in a row, int32 (rows, most); 0 is padding.
        size: The number of ids.

    Returns:
        float32 (rows, size); place 0 says nothing.
    """
    rows = tf.broadcast_to(tf.range(tf.shape(ids)[0])[:, tf.newaxis], tf.shape(ids))
    places = tf.reshape(tf.stack([rows, ids], axis=-1), [-1, 2])
    return tf.scatter_nd(places, tf.ones([tf.size(ids)]), [tf.shape(ids)[0], size])
