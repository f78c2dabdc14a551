"""From a picture's bytes to a caption: the saved model, the exported signature, and what `predict` does."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from data.captioned_pictures.arrays import decode_pictures
from data.captioned_pictures.decoder_layer import PictureDecoder
from data.errors import UserError
from data.subwords.decoder import SubwordDecoder
from data.subwords.ids import END, START
from data.subwords.pieces import Subwords
from data.writing import replacing, writing
from rnn_layers.attention_decoder import AttentionDecoder
from rnn_layers.portable import portable
from rnn_layers.search import Search
from training.commands.unanswered import Unanswered
from training.model_file import load_model_file
from training.runs.folder import RunFolder
from training.saved_model import in_float32, write_saved_model

from .asked import Picture, pictures_at, pictures_in, said
from .config import Config
from .encoders import FusedBatchNormalization, PlaceEmbedding
from .model import CELLS

# Pictures answered at once.
PICTURES_AT_A_TIME = 32
# Among more inputs than these no similar names are looked for: in a large folder that takes long.
MOST_SUGGESTIONS = 8


def save(path: Path, subwords: Subwords, network: keras.Model | None, captioner: keras.Model, config: Config) -> None:
    """Writes `model.keras`: pictures' bytes in; captions, their scores and errors out.

    Args:
        path: The file.
        subwords: The captions' pieces.
        network: The frozen network before the captioner's encoder; None where the encoder holds it.
        captioner: What `model.build_model` gave.
        config: The run's configuration.

    Example:
        keras.models.load_model("runs/mine/model.keras")(tf.constant([Path("a.jpg").read_bytes()]))["caption"]
    """
    content = keras.Input((), dtype="string", name="image_bytes")
    side = config.picture_size
    encoder = captioner.get_layer("encoder")
    if network:
        picture = keras.Input((side, side, 3), name="picture")
        encoder = keras.Model(picture, encoder(network(picture)), name="encoder")
    decoded = PictureDecoder(side, name="picture")(content)
    places = encoder(decoded["pictures"])
    search = Search(captioner.get_layer("decoder"), START, END, name="search", dtype="float32")
    # What could not be decoded is not searched for: its caption is empty.
    is_read = keras.ops.equal(decoded["error"], "")
    counts = keras.ops.ones_like(places[:, :, 0], dtype="bool") & is_read[:, None]
    tokens, scores = _as_told(search, config)(places, counts)
    caption = SubwordDecoder(subwords.pieces, name="text")(tokens)
    scores = keras.ops.where(is_read, scores, 0.0)
    model = keras.Model(content, {"caption": caption, "score": scores, "error": decoded["error"]})
    with replacing(path) as temporary:
        model.save(temporary)


def _as_told(search: Search, config: Config) -> Search:
    """Sets how the search is done."""
    search.width, search.length_exponent = config.beam_width, config.length_exponent
    # One more: the end.
    search.most_steps = config.max_length + 1
    return search


def load_model(run: RunFolder, config: Config) -> keras.Model:
    """Loads a run's `model.keras`: what `save` wrote; it searches as `config` says."""
    layers = [AttentionDecoder, FusedBatchNormalization, PictureDecoder, PlaceEmbedding, Search, SubwordDecoder]
    model = load_model_file(run.model_file, [*layers, *CELLS.values()])
    _as_told(model.get_layer("search"), config)
    return model


@dataclass(frozen=True)
class Answering:
    """What `load` gives.

    Args:
        describe: Pictures, uint8 (batch, side, side, 3) -> `caption` string and `score` float32, (batch,).
        side: The pictures' side in pixels.
    """

    describe: Callable[[np.ndarray], dict[str, tf.Tensor]]
    side: int


def load(run: RunFolder, config: Config) -> Answering:
    """Loads a run's model for `predict`, all but what decodes files: tracing that, for every kind, takes longest."""
    model = in_float32(load_model(run, config))
    side = model.get_layer("picture").side
    encoder, search, text = (model.get_layer(name) for name in ("encoder", "search", "text"))

    @tf.function(input_signature=[tf.TensorSpec([None, side, side, 3], tf.uint8)], autograph=False)
    def describe(pictures):
        places = encoder(tf.cast(pictures, tf.float32), training=False)
        tokens, scores = search(places, tf.ones(tf.shape(places)[:2], tf.bool))
        return {"caption": text(tokens), "score": scores}

    return Answering(describe, side)


def as_functions(model: keras.Model) -> dict:
    """The model as traced functions that compute in float32, under the names of their signatures.

    Args:
        model: What `load_model` gave.

    Returns:
        `serving_default`: `image_bytes` (batch,) string -> `caption`, `score` and `error`, (batch,): "" where all is
        well; where the picture cannot be decoded, the reason, and the caption is "".
    """
    model = in_float32(model)
    contents = tf.TensorSpec([None], tf.string, name="image_bytes")

    def answer(image_bytes):
        # Not all convolutions of TensorFlow's can be of no picture at all.
        nothing = {"caption": tf.zeros([0], tf.string), "score": tf.zeros([0]), "error": tf.zeros([0], tf.string)}
        return tf.cond(tf.size(image_bytes) > 0, lambda: model(image_bytes, training=False), lambda: nothing)

    return {"serving_default": tf.function(answer, input_signature=[contents], autograph=False)}


def predict(answering: Answering, inputs: list[str]) -> Iterator[dict]:
    """Describes pictures.

    Args:
        answering: What `load` gave.
        inputs: Paths of pictures; and of folders and .tar files, whose pictures are found as training finds them.

    Yields:
        Of each picture, in order: `image`, its path; `caption`; and `score`, the log probability per piece to the power
        of `length_exponent`, in nats. Of what is not there or cannot be read, `error` instead of the last two.
    """
    suggests = len(inputs) <= MOST_SUGGESTIONS
    pictures = [picture for text in inputs for picture in pictures_at(text, suggests)]
    for start in range(0, len(pictures), PICTURES_AT_A_TIME):
        yield from _describe(answering, pictures[start : start + PICTURES_AT_A_TIME])


def _describe(answering: Answering, pictures: list[Picture]) -> list[dict]:
    contents = [_content(picture) for picture in pictures]
    decoded = decode_pictures((content for content, _ in contents), len(contents), answering.side)
    reasons = [reason or decoded.unreadable.get(number, "") for number, (_, reason) in enumerate(contents)]
    rows = [
        {"image": picture.name} | ({"error": reason} if reason else {})
        for picture, reason in zip(pictures, reasons, strict=True)
    ]
    whole = [number for number, reason in enumerate(reasons) if not reason]
    if whole:
        found = answering.describe(decoded.pictures[whole])
        captions, scores = (found[name].numpy().tolist() for name in ("caption", "score"))
        for number, caption, score in zip(whole, captions, scores, strict=True):
            rows[number] |= {"caption": caption.decode(), "score": score}
    return rows


def _content(picture: Picture) -> tuple[bytes, str]:
    """A picture's bytes, and why they cannot be read; "" where they can."""
    if not picture.read:
        return b"", picture.error
    try:
        return picture.read(), ""
    except (UserError, OSError) as error:
        return b"", said(error)


def as_line(answer: dict) -> str:
    """An answer as a line: the picture, a tab, its caption; nothing where it could not be read."""
    return f"{answer['image']}\t{' '.join(answer.get('caption', '').splitlines())}"


def predict_file(answering: Answering, config: Config, path: Path, output: Path | None, as_json: bool) -> None:
    """Describes the pictures of a list, a name a line; or of a file of captions, each of its pictures once.

    A name is a path from the file's folder on, or is found among the pictures of that folder as training finds those of
    its lists and captions.

    Args:
        answering: What `load` gave.
        config: Says how the file is read.
        path: The file.
        output: Where to: a line of name, tab and caption for each; None prints.
        as_json: Print an object per line instead.

    Raises:
        UserError: The list cannot be read; `output` is as it was then.
        UserError: After everything: some of the pictures were not there or could not be read.
    """
    unanswered, count, listed = Unanswered(), 0, pictures_in(path, config)
    with writing(output) as stream:
        while chunk := list(islice(listed, PICTURES_AT_A_TIME)):
            answers = _describe(answering, [picture for _, picture in chunk])
            for (number, _), answer in zip(chunk, answers, strict=True):
                line = json.dumps(answer, ensure_ascii=False) if as_json else as_line(answer)
                stream.write(f"{line}\n")
                if "error" in answer:
                    unanswered.report(f"{path}:{number}: {answer['image']}", answer["error"])
            count += len(chunk)
    if output:
        print(f"{output}: {count:,} pictures", file=sys.stderr)
    unanswered.check()


def export(run: RunFolder, config: Config, folder: Path) -> None:
    """Writes a SavedModel that needs TensorFlow alone; its signature is that of `as_functions`.

    Args:
        run: The run's folder.
        config: The run's configuration; says how the search is done.
        folder: Where to; it appears whole or not at all.

    Raises:
        OSError: The disk is full, or the folder cannot be written to.
    """
    # Portable: the model may have been trained with cuDNN or XLA, and will be served where neither is.
    with portable():
        white = tf.io.encode_png(tf.fill((config.picture_size, config.picture_size, 3), tf.constant(255, tf.uint8)))
        examples = {"serving_default": {"image_bytes": [white.numpy()]}}
        write_saved_model(folder, load_model(run, config), as_functions, examples)
