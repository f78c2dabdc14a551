"""What a model reaches on a split: BLEU, CIDEr and ROUGE-L of its captions, and how it scores the references."""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from data.sources.source import Source
from data.subwords.ids import START
from data.subwords.pieces import Subwords
from data.vocabulary import PADDING
from rnn_layers.attention_decoder import AttentionDecoder
from rnn_layers.search import Search
from rnn_layers.token_loss import token_losses
from training.metrics.captions import score_captions
from training.runs.folder import RunFolder

from . import pipeline, serving
from .config import Config

# Pictures per step: no gradient is kept, so there is room for many.
BATCH = 64


@dataclass(frozen=True)
class Measured:
    """What `measure` found.

    Args:
        loss: -log p(reference) per piece, in nats.
        metrics: `bleu1` to `bleu4`, 0 to 100, `cider`, 0 to 10, `rouge_l`, 0 to 1.
        captions: The caption of each picture.
        tokens: The pieces of each, without the end.
        scores: The score of each, as the search ranks hypotheses.
        ciders: The CIDEr of each.
    """

    loss: float
    metrics: dict[str, float]
    captions: list[str]
    tokens: list[np.ndarray]
    scores: np.ndarray
    ciders: list[float]


def make_predict_step(encoder: keras.Model, search: Search, pictures: np.ndarray):
    """Makes the function of a batch of such pictures: the references' loss (), the pieces found, and their scores."""

    @tf.function(input_signature=pipeline.batch_signature(pictures), autograph=False)
    def predict_step(pictures, before, after):
        places = encoder(pictures, training=False)
        steps = tf.shape(after)[2]
        before, after = (tf.reshape(ids, [-1, steps]) for ids in (before, after))
        repeated = tf.repeat(places, tf.shape(after)[0] // tf.shape(places)[0], axis=0)
        losses, _ = token_losses(search.decoder(before, repeated, training=False), after)
        total = tf.reduce_sum(tf.where(after != PADDING, losses, 0.0))
        return total, *search(places, tf.ones(tf.shape(places)[:2], tf.bool))

    return predict_step


def measure(
    predict_step, examples: pipeline.Examples, subwords: Subwords, references_in_loss: int | None = None
) -> Measured:
    """Measures a model on a split.

    Args:
        predict_step: What `make_predict_step` gave.
        examples: The split.
        subwords: The captions' pieces.
        references_in_loss: How many references of each picture the loss is taken of; None: all. The metrics always
            compare with all.

    Returns:
        What was found; see `Measured`.
    """
    found: list[np.ndarray] = []
    scores, total = [], 0.0
    chosen = pipeline.all_captions(examples)[:, :references_in_loss]
    for start in range(0, len(examples), BATCH):
        rows = np.arange(start, min(start + BATCH, len(examples)))
        loss, tokens, scores_here = predict_step(*pipeline.make_batch(examples, rows, len(rows), chosen))
        total += float(loss)
        scores.append(scores_here.numpy())
        # The end is the last id that is not padding.
        found += [pieces[: max(np.count_nonzero(pieces) - 1, 0)] for pieces in tokens.numpy()]
    captions = [subwords.decode(pieces) for pieces in found]
    compared = score_captions(captions, examples.references)
    pieces = sum(len(ids) for rows in examples.captions for ids in rows[:references_in_loss])
    return Measured(
        total / max(pieces, 1),
        compared.metrics,
        captions,
        found,
        np.concatenate(scores),
        compared.per_caption["cider"],
    )


def score_shuffled(captions: list[str], references: list[list[str]]) -> dict[str, float]:
    """What captions score when each is given to the next picture.

    A caption depends on its picture alone: this is what the model reaches if it is shown the wrong pictures.

    Args:
        captions: The caption of each picture.
        references: The references of each.

    Returns:
        The metrics, as `measure` gives them.
    """
    return score_captions(captions[1:] + captions[:1], references).metrics


def make_attention_step(encoder: keras.Model, decoder: AttentionDecoder, pictures: np.ndarray):
    """Makes the function of such pictures, and of the pieces before each piece of a caption of each, that gives where
    the decoder looks at each step: (pictures, steps, places)."""
    shown = pipeline.batch_signature(pictures)[0]

    @tf.function(input_signature=[shown, tf.TensorSpec([None, None], tf.int32)], autograph=False)
    def attention_step(pictures, before):
        return decoder(before, encoder(pictures, training=False), training=False, return_attention=True)[1]

    return attention_step


def attention_of(attention_step, picture: np.ndarray, tokens: list[int]) -> np.ndarray:
    """Where the decoder looks while it writes a caption.

    Args:
        attention_step: What `make_attention_step` gave.
        picture: What the encoder sees of the picture, one row of `Examples.pictures`.
        tokens: The caption's pieces and the end, (steps,).

    Returns:
        (steps, places) float32, each row's sum 1, as exactly as the model's precision has it.
    """
    attention = attention_step(picture[np.newaxis], np.array([[START, *tokens[:-1]]], np.int32))
    # Under bfloat16 a mean of rows would be far from 1.
    return attention[0].numpy().astype(np.float32)


def evaluate(run: RunFolder, config: Config, source: Source, split: str | None) -> dict:
    """Measures a run's model on a split of any source: the verb `evaluate`.

    Args:
        run: The run's folder.
        config: The run's configuration; its fields about reading fit the source, those about answers say how to search.
        source: Where the data comes from.
        split: The split's name. None: "test" where there is one; other pictures than the run's are taken whole.

    Returns:
        `data`, `split`, `rows` (pictures), `metrics`, `shuffled`; `bad_lines`, a sentence about those left out; and
        `notes`, what else is to be told about the data: a dictionary of sentences.

    Raises:
        UserError: There is no such split, or it cannot be read.
    """
    model = serving.load_model(run, config)
    subwords = Subwords(run.read_vocabulary())
    own = source.fingerprint == run.read_record().source.fingerprint
    opened = pipeline.open_source(config, source)
    split = split or opened.to_evaluate(own)
    pictures = opened.read([split])[split]
    examples, unreadable = pipeline.make_examples(config, opened, split, pictures, subwords)
    predict_step = make_predict_step(model.get_layer("encoder"), model.get_layer("search"), examples.pictures)
    measured = measure(predict_step, examples, subwords)
    return {
        "data": source.name,
        "split": split,
        "rows": len(examples),
        "metrics": measured.metrics,
        "shuffled": score_shuffled(measured.captions, examples.references),
        "bad_lines": "; ".join(note for note in (opened.bad_lines.summary(), unreadable) if note),
        "notes": {name: note for name, note in opened.notes.items() if note},
    }
