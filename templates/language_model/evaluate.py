"""What a model reaches on a split: perplexity, bits per character and per byte; and what counting reaches."""

import math
from dataclasses import dataclass, replace

import keras
import numpy as np
import tensorflow as tf

from data.sources.source import Source
from data.subwords.pieces import Subwords
from data.vocabulary import PADDING
from rnn_layers.token_loss import token_losses
from training.runs.folder import RunFolder

from . import pipeline, serving
from .config import Config
from .model import first_states
from .ngrams import surprise_of_ngrams

# Streams after each epoch: side by side they take a fraction of the time, and each begins without what came before it.
STREAMS = 32
# Pieces of a window: no gradient is kept, so there is room for many.
STEPS = 512
# The longest n-gram whose counts a model is compared with.
LONGEST_NGRAM = 8


@dataclass(frozen=True)
class Measured:
    """What `measure` found.

    Args:
        loss: -log p(piece) per piece, in nats.
        losses: That of each piece, (pieces,).
        metrics: `perplexity` per piece, `bits_per_character` and `bits_per_byte`; the last two compare across kinds of
            pieces.
    """

    loss: float
    losses: np.ndarray
    metrics: dict[str, float]


def make_predict_step(model: keras.Model, streams: int):
    """Makes the function of a batch and the states before it that gives each piece's loss in nats, and the states after
    it."""
    shapes = [tf.TensorSpec([streams, state.shape[-1]], tf.float32) for state in model.inputs[1:]]

    @tf.function(input_signature=[*pipeline.batch_signature(streams, STEPS)[:2], shapes], autograph=False)
    def predict_step(before, after, states):
        scores, *states = model([before, *states], training=False)
        losses, _ = token_losses(scores, after)
        return losses, states

    return predict_step


def measure(predict_step, examples: pipeline.Examples, states: list[tf.Tensor]) -> Measured:
    """Measures a model on a whole split, the states carried from window to window.

    Args:
        predict_step: What `make_predict_step` gave.
        examples: The split.
        states: Those before the first window, for as many streams as are read side by side; where there is one, every
            piece is seen after all those before it.

    Returns:
        What was found; see `Measured`.
    """
    losses = np.empty(len(examples), np.float32)
    for window in pipeline.plan_windows(len(examples), len(states[0]), STEPS):
        before, after, _ = pipeline.make_batch(examples, window, STEPS)
        found, states = predict_step(tf.constant(before), tf.constant(after), states)
        is_read = after != PADDING
        losses[(window.starts[:, np.newaxis] + np.arange(STEPS))[is_read]] = found.numpy()[is_read]
    total = float(losses.sum(dtype=np.float64))
    return Measured(total / len(examples), losses, _metrics(total, examples))


def _metrics(nats: float, examples: pipeline.Examples) -> dict[str, float]:
    return {
        "perplexity": math.exp(min(nats / len(examples), 700)),
        "bits_per_character": nats / math.log(2) / examples.characters,
        "bits_per_byte": nats / math.log(2) / examples.bytes,
    }


def with_baselines(result: Measured, training: pipeline.Examples, examples: pipeline.Examples) -> Measured:
    """A result, and beside it the bits per character of counting: `unigram_...`, and `ngram_...` of the best length."""
    found = surprise_of_ngrams(training.ids, examples.ids, LONGEST_NGRAM)
    bits = [float(np.sum(nats)) / math.log(2) / examples.characters for nats in found]
    baselines = {"unigram_bits_per_character": bits[0], "ngram_bits_per_character": min(bits)}
    return replace(result, metrics={**result.metrics, **baselines})


def evaluate(run: RunFolder, config: Config, source: Source, split: str | None) -> dict:
    """Measures a run's model on a split of any source: the verb `evaluate`.

    Args:
        run: The run's folder.
        config: The run's configuration; its fields about reading fit the source.
        source: Where the data comes from.
        split: The split's name. None: "test" where there is one; a single file other than the run's is taken whole.

    Returns:
        `data`, `split`, `rows` (lines), `metrics`; `bad_lines`, a sentence about those left out; and `notes`, what else
        is to be told about the data: a dictionary of sentences.

    Raises:
        UserError: There is no such split, or it cannot be read.
    """
    model, _ = serving.parts(serving.load_model(run))
    own = source.fingerprint == run.read_record().source.fingerprint
    opened = pipeline.open_source(config, source)
    split = split or opened.to_evaluate(own)
    documents = opened.read([split])[split]
    examples = pipeline.make_examples(documents, Subwords(run.read_vocabulary()))
    measured = measure(make_predict_step(model, 1), examples, first_states(model, 1))
    return {
        "data": source.name,
        "split": split,
        "rows": len(documents),
        "metrics": measured.metrics,
        "bad_lines": opened.bad_lines.summary(),
        "notes": {"read": pipeline.describe(examples)},
    }
