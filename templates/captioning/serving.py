"""From a picture's bytes to a caption: the saved model, the exported signature, and what `predict` does."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import tensorflow as tf

from data.errors import DataError
from data.files import near_names, numbered_lines
from data.picture_decoding import decode_picture
from data.picture_files import PICTURE_SUFFIXES
from data.picture_layers import PictureDecoder
from data.subword_layers import SubwordDecoder
from data.subwords import END, START, Subwords
from rnn_layers.attention_decoder import AttentionDecoder
from rnn_layers.portable import portable
from rnn_layers.search import Search
from training.atomic import replacing, writing
from training.run_folder import RunFolder
from training.saved_model import write_saved_model

from .config import Config
from .encoders import FusedBatchNormalization, PlaceEmbedding
from .model import CELLS

# Pictures answered at once.
PICTURES_AT_A_TIME = 32


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
    # Named, so that the imports that register them, and the recurrent layers with them, are seen to be needed.
    layers = [AttentionDecoder, FusedBatchNormalization, PictureDecoder, PlaceEmbedding, Search, SubwordDecoder]
    layers = {layer.__name__: layer for layer in [*layers, *CELLS.values()]}
    model = keras.models.load_model(run.model_file, custom_objects=layers)
    _as_told(model.get_layer("search"), config)
    return model


def load(run: RunFolder, config: Config):
    """Loads a run's model for `predict`, as a traced function."""
    return as_functions(load_model(run, config))["serving_default"]


def as_functions(model: keras.Model) -> dict:
    """The model as traced functions, under the names of their signatures.

    Args:
        model: What `load_model` gave.

    Returns:
        `serving_default`: `image_bytes` (batch,) string -> `caption`, `score` and `error`, (batch,): "" where all is
        well; where the picture cannot be decoded, the reason, and the caption is "".
    """
    contents = tf.TensorSpec([None], tf.string, name="image_bytes")

    def answer(image_bytes):
        # Not all convolutions of TensorFlow's can be of no picture at all.
        nothing = {"caption": tf.zeros([0], tf.string), "score": tf.zeros([0]), "error": tf.zeros([0], tf.string)}
        return tf.cond(tf.size(image_bytes) > 0, lambda: model(image_bytes, training=False), lambda: nothing)

    return {"serving_default": tf.function(answer, input_signature=[contents], autograph=False)}


def predict(describe, inputs: list[str]) -> Iterator[dict]:
    """Describes pictures.

    Args:
        describe: What `load` gave.
        inputs: Paths of pictures, and of folders, which are searched for pictures.

    Yields:
        Of each picture, in order: `image`, its path; `caption`; and `score`, the log probability per piece to the power
        of `length_exponent`, in nats. Of a picture that cannot be read, `error` instead of the last two.

    Raises:
        DataError: A path does not exist, or a folder has no pictures; before any answer.
    """
    paths = [path for text in inputs for path in _pictures_of(text)]
    for start in range(0, len(paths), PICTURES_AT_A_TIME):
        yield from _describe(describe, paths[start : start + PICTURES_AT_A_TIME])


def _pictures_of(text: str) -> list[Path]:
    path = Path(text)
    if not path.exists():
        raise DataError(f"{text}: no such picture or folder{near_names(path)}")
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in PICTURE_SUFFIXES and file.is_file())
    if not found:
        raise DataError(f"{text}: no picture in this folder; expected {', '.join(sorted(PICTURE_SUFFIXES))} files")
    return found


def _describe(describe, paths: list[Path]) -> list[dict]:
    contents, errors = {}, {}
    for path in paths:
        try:
            content = path.read_bytes()
            # Alone, and small: one damaged picture must not take the others' answers with it.
            decode_picture(tf.constant(content), 1)
            contents[path] = content
        except (OSError, tf.errors.InvalidArgumentError) as error:
            errors[path] = getattr(error, "strerror", None) or "no picture that can be read"
    answers = {path: {"image": str(path), "error": reason} for path, reason in errors.items()}
    if contents:
        found = describe(tf.constant(list(contents.values()), tf.string))
        captions, scores = (found[name].numpy().tolist() for name in ("caption", "score"))
        for path, caption, score in zip(contents, captions, scores, strict=True):
            answers[path] = {"image": str(path), "caption": caption.decode(), "score": score}
    return [answers[path] for path in paths]


def as_line(answer: dict) -> str:
    """An answer as a line: the picture, a tab, its caption."""
    said = f"({answer['error']})" if "error" in answer else " ".join(answer["caption"].splitlines())
    return f"{answer['image']}\t{said}"


def predict_file(describe, config: Config, path: Path, output: Path | None, as_json: bool) -> None:
    """Describes the pictures of a list: a path a line, from the list's folder on.

    Args:
        describe: What `load` gave.
        config: Says how the list is read.
        path: The list.
        output: Where to: a line of name, tab and caption for each; None prints.
        as_json: Print an object per line instead.

    Raises:
        DataError: The list cannot be read, or names a picture that is not there; `output` is as it was then.
    """
    names = [(number, text.strip()) for number, text in numbered_lines(path, config.encoding) if text.strip()]
    for number, name in names:
        if not (path.parent / name).is_file():
            raise DataError(f"{path}:{number}: no picture {path.parent / name}")
    count = 0
    with writing(output) as stream:
        for answer in predict(describe, [str(path.parent / name) for _, name in names]):
            answer["image"] = names[count][1]
            line = json.dumps(answer, ensure_ascii=False) if as_json else as_line(answer)
            stream.write(f"{line}\n")
            count += 1
    if output:
        print(f"{output}: {count:,} pictures", file=sys.stderr)


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
