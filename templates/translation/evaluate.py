"""What a model reaches on a split: BLEU and chrF of its translations, and how it scores the references."""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from data.batches import plan_in_order_of_length
from data.sources.source import Source
from data.subwords.ids import START
from data.subwords.pieces import Subwords
from data.vocabulary import PADDING
from rnn_layers.attention_decoder import AttentionDecoder
from rnn_layers.search import Search
from rnn_layers.token_loss import token_losses
from training.metrics.translations import score_translations
from training.runs.folder import RunFolder

from . import pipeline, serving
from .config import Config

# Sentences per step, and positions where sentences are long: no gradient is kept, so there is room for many.
BATCH, POSITIONS = 128, 8_192


@dataclass(frozen=True)
class Measured:
    """What `measure` found.

    Args:
        loss: -log p(reference) per piece, in nats.
        metrics: `bleu` and `chrf`, 0 to 100.
        signatures: Metric -> how sacrebleu computed it.
        translations: The translation of each sentence.
        tokens: The pieces of each, without the end.
        scores: The score of each, as the search ranks hypotheses.
    """

    loss: float
    metrics: dict[str, float]
    signatures: dict[str, str]
    translations: list[str]
    tokens: list[np.ndarray]
    scores: np.ndarray


def make_predict_step(encoder: keras.Model, search: Search):
    """Makes the function of a batch that gives the reference's loss (rows,), the pieces found, and their scores."""

    @tf.function(input_signature=pipeline.batch_signature(), autograph=False)
    def predict_step(source, before, after):
        memory, mask = encoder(source, training=False), source != PADDING
        scores = search.decoder(before, memory, mask=mask, training=False)
        losses = tf.where(after != PADDING, token_losses(scores, after)[0], 0.0)
        return tf.reduce_sum(losses, axis=1), *search(memory, mask)

    return predict_step


def measure(predict_step, examples: pipeline.Examples, target: Subwords, language: str = "") -> Measured:
    """Measures a model on a split.

    Args:
        predict_step: What `make_predict_step` gave.
        examples: The split.
        target: The target language's pieces.
        language: What the data call the target language, which says what a word is to BLEU.

    Returns:
        What was found; see `Measured`.
    """
    found: list[np.ndarray] = [np.zeros(0, int)] * len(examples)
    scores, total = np.zeros(len(examples)), 0.0
    for rows in plan_in_order_of_length(examples.lengths, BATCH, POSITIONS):
        losses, tokens, scores_here = predict_step(*pipeline.make_batch(examples, rows, len(rows)))
        total += float(tf.reduce_sum(losses))
        scores[rows] = scores_here.numpy()
        for row, pieces in zip(rows, tokens.numpy(), strict=True):
            # The end is the last id that is not padding.
            found[row] = pieces[: max(np.count_nonzero(pieces) - 1, 0)]
    translations = [target.decode(pieces) for pieces in found]
    compared = score_translations(translations, examples.pairs.targets, language)
    mean_loss = total / max(sum(map(len, examples.targets)), 1)
    return Measured(mean_loss, compared.metrics, compared.signatures, translations, found, scores)


def make_attention_step(encoder: keras.Model, decoder: AttentionDecoder):
    """Makes the function of sources, and of the pieces before each piece of a translation of each, that gives where
    the decoder looks at each step: (rows, steps, places)."""

    @tf.function(input_signature=pipeline.batch_signature()[:2], autograph=False)
    def attention_step(source, before):
        memory, mask = encoder(source, training=False), source != PADDING
        return decoder(before, memory, mask=mask, training=False, return_attention=True)[1]

    return attention_step


def attention_of(attention_step, source: np.ndarray, tokens: list[int]) -> np.ndarray:
    """Where the decoder looks while it writes a translation.

    Args:
        attention_step: What `make_attention_step` gave.
        source: The source's pieces and the end, (places,).
        tokens: The translation's pieces and the end, (steps,).

    Returns:
        (steps, places) float32, each row's sum 1, as exactly as the model's precision has it.
    """
    attention = attention_step(source[np.newaxis], np.array([[START, *tokens[:-1]]], np.int32))
    # Of bfloat16 a figure would be blank.
    return attention[0].numpy().astype(np.float32)


def evaluate(run: RunFolder, config: Config, source: Source, split: str | None) -> dict:
    """Measures a run's model on a split of any source: the verb `evaluate`.

    Args:
        run: The run's folder.
        config: The run's configuration; its fields about reading fit the source, those about answers say how to search.
        source: Where the data comes from.
        split: The split's name. None: "test" where there is one; a single file other than the run's is taken whole.

    Returns:
        `data`, `split`, `rows` (sentences), `metrics`, `signatures`; `bad_lines`, a sentence about those left out; and
        `notes`, what else is to be told about the data: a dictionary of sentences.

    Raises:
        UserError: There is no such split, or it cannot be read.
    """
    model = serving.load_model(run, config)
    subwords = pipeline.subwords_of(run.read_vocabulary())
    own = source.fingerprint == run.read_record().source.fingerprint
    opened = pipeline.open_source(config, source)
    split = split or opened.to_evaluate(own)
    pairs = opened.read([split])[split]
    examples = pipeline.make_examples(pairs, *subwords)
    predict_step = make_predict_step(model.get_layer("encoder"), model.get_layer("search"))
    measured = measure(predict_step, examples, subwords[1], pipeline.languages_of(source).target)
    return {
        "data": source.name,
        "split": split,
        "rows": len(examples),
        "metrics": measured.metrics,
        "signatures": measured.signatures,
        "bad_lines": opened.bad_lines.summary(),
        "notes": {name: note for name, note in opened.notes.items() if note},
    }
