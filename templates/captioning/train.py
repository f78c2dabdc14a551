"""The training loop, from top to bottom."""

from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

from data.batches import plan_batches
from data.captioned_pictures.augmentation import apply_changes
from data.sources.source import Source
from data.subwords.ids import END, FIRST_BYTE, START
from data.subwords.pieces import Subwords
from data.vocabulary import PADDING
from rnn_layers import processor
from rnn_layers.search import Search
from rnn_layers.token_loss import token_losses
from training.adam import Adam
from training.averaging import WeightAverage
from training.device import Device, choose_device
from training.facts import print_facts, quantiles
from training.progress import Progress
from training.runs.folder import RunFolder

from . import pipeline, serving
from .caption_figure import plot_captions
from .caption_page import write_page
from .captions import show, typical_rows, write_captions
from .config import Config
from .encoders import build_network, features_of, is_frozen
from .evaluate import make_attention_step, make_predict_step, measure, score_shuffled
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
        UserError: The data, the device, the encoder or the checkpoint cannot be used.
        Interrupted: Ctrl-C or SIGTERM; the checkpoint is saved.
    """
    in_bfloat16 = processor.multiplies_bfloat16()
    device = choose_device(config.seed, config.strategy, config.precision, config.jit, bfloat16_on_cpu=in_bfloat16)
    network = build_network(config) if is_frozen(config) else None

    # The data. A run that goes on keeps its pieces.
    opened = pipeline.open_source(config, source)
    wanted = opened.to_train(test)
    pictures = opened.read(wanted)
    pictures["train"], left_out = pipeline.filter_training(config, pictures["train"])
    resumed = run.has_checkpoint()
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
    batch_rows = device.rows_of_batch(config.batch_size)
    print_facts(
        f"Data: {source.name}",
        {
            **{split: pipeline.describe(examples) for split, examples in splits.items()},
            "pieces per caption": quantiles(pipeline.caption_lengths(training)),
            "vocabulary": f"{subwords.size:,} ids, 256 of them single bytes",
            "left out": left_out or None,
            **{f"{split} unreadable": note or None for split, note in unreadable.items()},
            **opened.facts,
            "device": device.describe(),
            "folder": run.path,
        },
    )

    # The model: new, or as it was when the run was stopped.
    with device.strategy.scope():
        model = build_model(config, subwords.size, seen["train"].pictures.shape[1:])
        optimizer = Adam(config.learning_rate, weight_decay=config.weight_decay, name="adamw")
        optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
        optimizer.build(model.trainable_variables)
        # With the normalization's running statistics, which belong to these weights.
        average = WeightAverage(model.weights, config.weight_average)
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    progress = Progress(run, config, device, config.best_by, model=model, optimizer=optimizer, average=average)
    train_step = make_train_step(model, optimizer, average, device, config, seen["train"].pictures)
    # After every epoch greedily, and with the loss of one reference, which is quick; at the end as `predict` does it.
    search = Search(decoder, START, END, 1, config.length_exponent, config.max_length + 1)
    predict_greedily = make_predict_step(encoder, search, seen["train"].pictures)

    with progress:
        for epoch in progress.epochs():
            # Other captions of each picture in every epoch, and the picture itself a little changed.
            drawn = pipeline.draw(config, training, epoch)
            plan = plan_batches(drawn.lengths, config.batch_size, config.seed, epoch)

            # Teacher forcing: the decoder sees the right pieces before each piece that it is to score.
            def batch_of(rows):
                shown, before, after = pipeline.make_batch(seen["train"], rows, batch_rows, drawn.captions, multiple)
                changes = pipeline.changes_of(drawn, rows, batch_rows)
                return shown, *changes, before, after, pipeline.words_of(training, rows, batch_rows)

            for rows, batch in progress.steps(plan, batch_of):
                rate = learning_rate(config, progress.step)
                optimizer.learning_rate.assign(rate)
                progress.step_done(*train_step(*batch), rate, len(rows))
            # The average of the weights is what is measured and kept.
            with average.applied():
                result = measure(predict_greedily, seen["validation"], subwords, references_in_loss=1)
                progress.keep_best(result)
            progress.end_epoch(result, learning_rate=learning_rate(config, progress.step))

    # The best epoch's weights, measured on the splits, and the files that last.
    progress.restore_best()
    serving.save(run.model_file, subwords, network, model, config)
    search = Search(decoder, START, END, config.beam_width, config.length_exponent, config.max_length + 1)
    predict_step = make_predict_step(encoder, search, seen["train"].pictures)
    results = {split: measure(predict_step, seen[split], subwords) for split in wanted if split != "train"}
    for split, result in results.items():
        write_captions(run.path / f"captions_{split}.jsonl", splits[split], result)
    last, result = list(results.items())[-1]
    looks = config.attention != "none"
    attention_step = make_attention_step(encoder, decoder, seen["train"].pictures) if looks else None
    rows = typical_rows(result.ciders, SHOWN)
    shown = [show(attention_step, subwords, splits[last], seen[last], result, row) for row in rows]
    facts = {name: f"{value:.4g}" for name, value in result.metrics.items()}
    write_page(run.path / "captions.html", f"{source.name}, {last}", shown, facts)
    rows = typical_rows(result.ciders, PICTURES)
    shown = [show(attention_step, subwords, splits[last], seen[last], result, row) for row in rows]
    plot_captions(run.plot_file("captions"), shown, f"{source.name}, {last}")
    is_tested = "test" in results or not opened.has_test
    shuffled = {split: score_shuffled(result.captions, splits[split].references) for split, result in results.items()}
    progress.finish(source.name, results, is_tested, shuffled=shuffled)


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
    pictures: np.ndarray,
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
        config: `batch_size`, `clip_norm`, the largest global norm of the gradient, `label_smoothing`, and `word_loss`.
        pictures: What the encoder sees of the training examples; of it the shape and the type.

    Returns:
        A function of what the encoder sees (pictures, ...), the pictures a multiple of the replicas; of the changes to
        their places (pictures, 2, 2) and colours (pictures, 3, 4), which features are spared; of the pieces before each
        piece of their captions, and of these pieces (pictures, captions, steps); of the pieces that occur in any of a
        picture's captions (pictures, most). It gives the batch's mean loss per piece, before the step, the
        number of its pieces, and the norm of the gradient, before it is clipped, as scalar tensors.
    """
    variables = model.trainable_variables
    frozen = is_frozen(config)
    size = device.rows_of_batch(config.batch_size)
    shown, before, after = pipeline.batch_signature(pictures, size)
    changes, words = pipeline.changes_signature(size)

    @tf.function(reduce_retracing=True, jit_compile=device.jit, autograph=False)
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
        # Dense: Adam moves its averages of every piece in every step, also of those that are not in the batch.
        return total, [tf.convert_to_tensor(gradient) for gradient in tape.gradient(weighted, variables)]

    @tf.function(input_signature=[shown, *changes, before, after, words], autograph=False)
    def train_step(pictures, transforms, colours, before, after, words):
        pieces = tf.reduce_sum(tf.cast(after != PADDING, tf.float32))
        word_weight = 1 / tf.reduce_sum(tf.cast(words != PADDING, tf.float32))

        def step():
            replica = tf.distribute.get_replica_context()
            mine = slice(replica.replica_id_in_sync_group, None, device.replicas)
            shown = pictures[mine] if frozen else apply_changes(pictures[mine], transforms[mine], colours[mine])
            total, gradients = loss_and_gradients(
                shown, before[mine], after[mine], words[mine], 1 / pieces, word_weight
            )
            gradients, norm = tf.clip_by_global_norm(replica.all_reduce("sum", gradients), config.clip_norm)
            # Each replica holds the whole gradient now, and `apply` sums over replicas once more.
            optimizer.apply([gradient / device.replicas for gradient in gradients], variables)
            average.update(optimizer.iterations)
            return total, norm

        total, norm = device.strategy.run(step)
        reduce = device.strategy.reduce
        return reduce("sum", total, axis=None), pieces, reduce("mean", norm, axis=None)

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
