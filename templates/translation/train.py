"""The training loop, from top to bottom."""

import keras
import tensorflow as tf

from data.batches import padding_share, plan_batches
from data.sources.source import Source
from data.subwords.ids import END, START
from data.typical_rows import typical_rows
from data.vocabulary import PADDING
from rnn_layers import processor
from rnn_layers.search import Search
from rnn_layers.token_loss import token_losses
from training.adam import Adam
from training.averaging import WeightAverage
from training.device import Device, choose_device
from training.facts import print_facts, quantiles
from training.metrics.translations import describe_tokenizer
from training.progress import Progress
from training.runs.folder import RunFolder

from . import pipeline, serving
from .attention_figure import plot_attention
from .config import Config
from .evaluate import attention_of, make_attention_step, make_predict_step, measure
from .model import build_model
from .transfer import open_parent
from .translations import shown_pieces, write_translations

# With XLA every batch length is compiled, so that there should be few.
LENGTH_MULTIPLE_WITH_JIT = 16
# Pictures of attention.
PICTURES = 4


def train(config: Config, source: Source, run: RunFolder, test: bool = True) -> None:
    """Trains a translator, or goes on with it, and leaves a finished run folder.

    Args:
        config: The run's configuration.
        source: Where the data comes from.
        run: The run's folder, locked.
        test: Whether to measure on the test split at the end, where there is one.

    Raises:
        UserError: The data, the device, the checkpoint or `initialize_from` cannot be used.
        Interrupted: Ctrl-C or SIGTERM; the checkpoint is saved.
    """
    in_bfloat16 = processor.multiplies_bfloat16()
    device = choose_device(config.seed, config.strategy, config.precision, config.jit, bfloat16_on_cpu=in_bfloat16)

    # The data. A run that goes on keeps its pieces, whatever became of the run it was initialized from.
    opened = pipeline.open_source(config, source)
    wanted = opened.to_train(test)
    pairs = opened.read(wanted)
    resumed = run.has_checkpoint()
    parent = open_parent(config) if config.initialize_from and not resumed else None
    vocabulary = run.read_vocabulary() if resumed else pipeline.learn_vocabulary(config, pairs["train"])
    run.write_vocabulary(vocabulary)
    subwords = pipeline.subwords_of(vocabulary)
    pairs["train"], left_out = pipeline.filter_training(config, pairs["train"])
    splits = {split: pipeline.make_examples(rows, *subwords) for split, rows in pairs.items()}
    training, validation = splits["train"], splits["validation"]
    multiple = LENGTH_MULTIPLE_WITH_JIT if device.jit else 1
    batch_rows = device.rows_of_batch(config.batch_size)
    plan = plan_batches(training.order, config.batch_size, config.seed, epoch=0)
    languages = pipeline.languages_of(source)
    print_facts(
        f"Data: {source.name}, {languages.source} to {languages.target}",
        {
            **{split: pipeline.describe(examples) for split, examples in splits.items()},
            "pieces per sentence": quantiles(training.lengths),
            "vocabulary": pipeline.describe_vocabulary(config, *subwords),
            "padding": f"{padding_share(plan, training.lengths, multiple):.1%} of a batch's sources, "
            f"{padding_share(plan, training.target_lengths, multiple):.1%} of its targets",
            "initialized from": parent and parent.describe(subwords[1]),
            "left out": left_out or None,
            "words of BLEU": describe_tokenizer(validation.pairs.targets, languages.target),
            **opened.facts,
            "device": device.describe(),
            "folder": run.path,
        },
    )

    # The model: new, or as it was when the run was stopped.
    with device.strategy.scope():
        model = build_model(config, subwords[0].size, subwords[1].size)
        encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
        if parent:
            parent.copy_to(decoder, subwords[1])
        optimizer = Adam(config.learning_rate)
        optimizer.build(model.trainable_variables)
        average = WeightAverage(model.trainable_variables, config.weight_average)
    progress = Progress(run, config, device, config.best_by, model=model, optimizer=optimizer, average=average)
    train_step = make_train_step(model, optimizer, average, device, config)
    # After every epoch greedily, which is quick; at the end as `predict` does it.
    most_steps = config.max_length + 1 if config.max_length else 0
    greedy = Search(decoder, START, END, 1, config.length_exponent, most_steps)
    predict_greedily = make_predict_step(encoder, greedy)

    with progress:
        for epoch in progress.epochs():
            examples = pipeline.cut_anew(config, training, *subwords, epoch)
            plan = plan_batches(examples.order, config.batch_size, config.seed, epoch)

            # Teacher forcing: the decoder sees the right pieces before each piece that it is to score.
            def batch_of(rows):
                return pipeline.make_batch(examples, rows, batch_rows, multiple)

            for rows, batch in progress.steps(plan, batch_of):
                rate = learning_rate(config, progress.step)
                optimizer.learning_rate.assign(rate)
                progress.step_done(*train_step(*batch), rate, len(rows))
            # The average of the weights is what is measured and kept.
            with average.applied():
                result = measure(predict_greedily, validation, subwords[1], languages.target)
                progress.keep_best(result)
            progress.end_epoch(result, learning_rate=learning_rate(config, progress.step))

    # The best epoch's weights, measured on the splits, and the files that last.
    progress.restore_best()
    serving.save(run.model_file, *subwords, model, config)
    search = Search(decoder, START, END, config.beam_width, config.length_exponent, most_steps)
    predict_step = make_predict_step(encoder, search)
    results = {
        split: measure(predict_step, splits[split], subwords[1], languages.target)
        for split in wanted
        if split != "train"
    }
    for split, result in results.items():
        file = run.path / f"translations_{split}.tsv"
        write_translations(file, splits[split].pairs, result.translations, result.scores)
    last, result = list(results.items())[-1]
    pictured = typical_rows(splits[last].lengths, PICTURES) if config.attention != "none" else []
    attention_step = make_attention_step(encoder, decoder)
    for number, row in enumerate(pictured, start=1):
        pieces, found = splits[last].sources[row], [*result.tokens[row], END]
        attention = attention_of(attention_step, pieces, found)
        shown = shown_pieces(subwords[0], pieces), shown_pieces(subwords[1], found)
        plot_attention(run.plot_file(f"attention_{number}"), attention, *shown, title=f"{last}, sentence {row + 1}")
    is_tested = "test" in results or not opened.has_test
    signatures = results["validation"].signatures
    progress.finish(source.name, results, is_tested, languages=list(languages), signatures=signatures)


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

    Under a strategy every replica gets the whole batch and takes its own share of the rows: the loss is the sum over
    their pieces divided by the pieces of the *global* batch, so that the sum of the replicas' gradients is the gradient
    of one device. The sum is clipped, not each share. Dropout's masks are those of the first rows on every replica:
    each replica starts from the same seeds.

    Args:
        model: What `build_model` gave.
        optimizer: Built on the model's trainable variables.
        average: The average of the weights, taken after the step.
        device: Where the step runs.
        config: `clip_norm`, the largest global norm of the gradient, and `label_smoothing`.

    Returns:
        A function of the sources' pieces (rows, places), of the targets' pieces before each piece and of the targets'
        pieces (rows, steps), rows a multiple of the replicas, that gives the batch's mean loss per piece, before the
        step, the number of its pieces, and the norm of the gradient, before it is clipped, as scalar tensors.
    """
    variables = model.trainable_variables

    @tf.function(reduce_retracing=True, jit_compile=device.jit, autograph=False)
    def loss_and_gradients(source, before, after, piece_weight):
        with tf.GradientTape() as tape:
            scores = model({"source": source, "before": before}, training=True)
            losses, _ = token_losses(scores, after, config.label_smoothing)
            total = tf.reduce_sum(tf.where(after != PADDING, losses, 0.0)) * piece_weight
        # Dense: Adam moves its averages of every piece in every step, also of those that are not in the batch.
        return total, [tf.convert_to_tensor(gradient) for gradient in tape.gradient(total, variables)]

    @tf.function(
        input_signature=pipeline.batch_signature(config.batch_size if device.replicas == 1 else None), autograph=False
    )
    def train_step(source, before, after):
        pieces = tf.reduce_sum(tf.cast(after != PADDING, tf.float32))

        def step():
            replica = tf.distribute.get_replica_context()
            mine = slice(replica.replica_id_in_sync_group, None, device.replicas)
            total, gradients = loss_and_gradients(source[mine], before[mine], after[mine], 1 / pieces)
            gradients, norm = tf.clip_by_global_norm(replica.all_reduce("sum", gradients), config.clip_norm)
            # Each replica holds the whole gradient now, and `apply` sums over replicas once more.
            optimizer.apply([gradient / device.replicas for gradient in gradients], variables)
            average.update(optimizer.iterations)
            return total, norm

        total, norm = device.strategy.run(step)
        reduce = device.strategy.reduce
        return reduce("sum", total, axis=None), pieces, reduce("mean", norm, axis=None)

    return train_step
