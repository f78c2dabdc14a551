"""What the captioner does with a picture: where it looks for each piece, and which parts of the picture count."""

import json
from functools import partial
from itertools import islice

import numpy as np
import tensorflow as tf

from data.captioned_pictures.arrays import decode_pictures
from data.captioned_pictures.datasets import picture_contents
from data.captioned_pictures.known_datasets import DATASETS
from data.errors import UserError
from data.sources.source import Source
from data.subwords.ids import END, START, spellings
from data.vocabulary import PADDING
from rnn_layers.portable import portable
from rnn_layers.watching import watching
from training.pages.colours import NEGATIVE, POSITIVE, png
from training.pages.inside import Look
from training.pages.parts import Part, Picture, Table
from training.pages.states import hidden, norms
from training.pages.written import readable, unrolled_writing
from training.runs.folder import RunFolder
from training.saved_model import in_float32

from . import asked, pipeline, serving
from .caption_page import attention_veil
from .config import Config

MOST_EXAMPLES = 6
# Squares across a picture, in which its pixels are counted together.
SQUARES = 16


def examples(run: RunFolder) -> list[Part]:
    """The captions of the validation split with the best and the worst CIDEr."""
    file = run.path / "captions_validation.jsonl"
    if not file.is_file():
        return []
    with open(file, encoding="utf-8") as stream:
        rows = sorted(map(json.loads, stream), key=lambda row: -row["cider"])
    cells = [[row["image"], f"{row['cider']:.2f}", row["caption"], row["references"][0]] for row in rows]
    headings = ["image", "CIDEr", "caption", "first reference"]
    return [
        Table("Best captions", headings, cells[:MOST_EXAMPLES], f"All stand in captions.html and {file.name}."),
        Table("Worst captions", headings, cells[::-1][:MOST_EXAMPLES]),
    ]


def typical_inputs(source: Source, config: Config) -> list[asked.Picture]:
    """Three pictures of the validation split."""
    opened = pipeline.open_source(config, source)
    read = opened.read(["validation"])["validation"]
    rows = [round(place * (len(read) - 1)) for place in (0.1, 0.5, 0.9)]
    if source.files:
        return [asked.Picture(name, partial(source.files.pictures.read, name)) for name in read.select(rows).names]
    contents = list(islice(picture_contents(DATASETS[source.name], "validation"), rows[-1] + 1))
    return [asked.Picture(read.names[row], partial(contents.__getitem__, row)) for row in rows]


class Inside:
    """A run's captioner, loaded to be looked into.

    Args:
        run: The run's folder.
        config: The run's configuration.

    Example:
        Inside(run, config).look("dog.jpg").answer   # "a dog runs on the grass -0.8213"
    """

    def __init__(self, run: RunFolder, config: Config):
        model = in_float32(serving.load_model(run, config))
        self.encoder, self.text = model.get_layer("encoder"), model.get_layer("text")
        self.search, self.side = model.get_layer("search"), model.get_layer("picture").side
        self.decoder = self.search.decoder
        self.names = [readable(spelled) for spelled in spellings(self.text.pieces)]
        self.names[START], self.names[END] = "(start)", "(end)"
        shape = [1, self.side, self.side, 3]
        ids = tf.TensorSpec([1, None], tf.int32)
        counts = tf.function(
            self._counts, input_signature=[tf.TensorSpec(shape, tf.float32), ids, ids], autograph=False
        )
        # Compiling would take longer than it saves.
        with portable():
            self.counts = counts.get_concrete_function()

    def look(self, path: str | asked.Picture) -> Look:
        """Describes a picture and keeps what led to its caption.

        L is the caption's log probability. What a part of the picture counts for a piece is the product of its colours
        with the gradient of the piece's log probability there, summed over a square (Denil et al. 2014,
        arXiv:1412.6815).
        """
        asked_for = asked.pictures_at(path)[0] if isinstance(path, str) else path
        try:
            content = asked_for.read() if asked_for.read else b""
        except (UserError, OSError) as error:
            return Look(asked_for.name, "", error=asked.said(error))
        decoded = decode_pictures([content], 1, self.side)
        if why := asked_for.error or decoded.unreadable.get(0):
            return Look(asked_for.name, "", error=why)
        picture = tf.constant(decoded.pictures, tf.float32)
        places = self.encoder(picture, training=False)
        found, score = self.search(places, tf.ones(tf.shape(places)[:2], tf.bool))
        tokens = found[:, : int(tf.reduce_sum(tf.cast(found != PADDING, tf.int32)))]
        before = tf.concat([[[START]], tokens[:, :-1]], axis=1)
        with tf.GradientTape(persistent=True) as tape, watching() as calls:
            scores, attention = self.decoder(before, places, training=False, return_attention=True)
            log_probabilities = tf.nn.log_softmax(scores)[0]
            total = tf.reduce_sum(tf.gather(log_probabilities, tokens[0], batch_dims=1))
            last = 0.5 * tf.reduce_sum(hidden(calls[0])[-1] ** 2)
        gradients = tape.gradient(total, [hidden(call) for call in calls])
        chosen = tokens[0].numpy().tolist()
        pieces = [self.names[piece] for piece in chosen]
        pixels = np.clip(picture[0].numpy(), 0, 255).astype(np.uint8)
        shown = png(pixels)
        parts: list[Part] = []
        if attention is not None:
            looked = [_under(pixels, attention_veil(_square(row))) for row in attention[0].numpy()]
            note = "Clear where it looked most for the piece."
            parts.append(Picture("Where it looked", list(zip([shown, *looked], ["the picture", *pieces])), note))
        counts = self.counts(picture, before, tokens).numpy()
        most = float(np.abs(counts).max()) or 1.0
        counted = [_under(pixels // 3, _coloured(row, most)) for row in counts]
        note = "Orange where the picture raises the log probability of the piece, blue where it lowers it."
        parts.append(Picture("Which parts count", list(zip(counted, pieces)), note))
        parts.append(
            unrolled_writing(
                "The decoder, unrolled", [self.names[piece] for piece in before[0].numpy()], log_probabilities.numpy(),
                chosen, self.names, calls, gradients,
                "Each column is a step. p(y_t): how sure it was of the piece that it wrote.",
            )
        )  # fmt: skip
        fading = {
            "the caption's log probability": norms(gradients[0]),
            "half the squared length of the last state": norms(tape.gradient(last, hidden(calls[0]))),
        }
        caption = self.text(tokens)[0].numpy().decode()
        return Look(asked_for.name, f"{caption} {float(score[0]):.4f}", parts, fading)

    def _counts(self, picture, before, tokens):
        """What each square of the picture counts for each piece, (steps, rows, columns)."""
        pixels = (picture.shape[1] / SQUARES) ** 2

        def of_step(step):
            with tf.GradientTape() as tape:
                tape.watch(picture)
                scores = self.decoder(before, self.encoder(picture, training=False), training=False)
                chosen = tf.nn.log_softmax(scores)[0, step, tokens[0, step]]
            counts = tf.reduce_sum((picture - 127.5) * tape.gradient(chosen, picture), axis=-1)[0]
            counts = tf.image.resize(counts[..., tf.newaxis], [SQUARES, SQUARES], "area")[..., 0]
            return counts * pixels

        return tf.map_fn(of_step, tf.range(tf.shape(tokens)[1]), fn_output_signature=tf.float32)


def _square(weights: np.ndarray) -> np.ndarray:
    side = round(len(weights) ** 0.5)
    return weights.reshape(side, -1)


def _coloured(counts: np.ndarray, most: float) -> np.ndarray:
    """Red, green, blue and opacity of each square."""
    veil = np.empty((*counts.shape, 4), np.uint8)
    veil[..., :3] = np.where(counts[..., np.newaxis] < 0, NEGATIVE, POSITIVE)
    veil[..., 3] = np.round(230 * np.minimum(np.abs(counts) / most, 1))
    return veil


def _under(pixels: np.ndarray, veil: np.ndarray) -> str:
    """A picture with a coarse veil laid over it, as a `data:` address."""
    rows, columns = (np.arange(size) * cells // size for size, cells in zip(pixels.shape[:2], veil.shape[:2]))
    veil = veil[rows][:, columns].astype(np.float32)
    opacity = veil[..., 3:] / 255
    return png(np.round(pixels * (1 - opacity) + veil[..., :3] * opacity).astype(np.uint8))
