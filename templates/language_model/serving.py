"""From a text to its continuation: the saved model, the exported signatures, and what `predict` does."""

import codecs
import json
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from data.chunks import chunks
from data.files import decoded_lines, without_end
from data.subwords.decoder import SubwordDecoder
from data.subwords.encoder import SubwordEncoder
from data.subwords.ids import START, spellings
from data.subwords.pieces import Subwords
from data.vocabulary import PADDING
from data.writing import replacing, writing
from rnn_layers.portable import portable
from training.commands.unanswered import Unanswered
from training.model_file import load_model_file
from training.runs.folder import RunFolder
from training.saved_model import in_float32, write_saved_model

from .config import Config
from .generation import continue_texts, draw, random_numbers
from .model import CELLS, first_states, state_sizes, take_step

LINES_AT_A_TIME = 64


def save(path: Path, subwords: Subwords, language_model: keras.Model) -> None:
    """Writes `model.keras`: texts in; their log probabilities and the number of their pieces out.

    Example:
        keras.models.load_model("runs/mine/model.keras")(tf.constant(["To be, or not"]))["log_probability"]
    """
    text = keras.Input((), dtype="string", name="text")
    ids = SubwordEncoder(subwords.pieces, name="pieces")(text)
    first = keras.ops.full_like(ids[:, :1], START)
    before = keras.ops.concatenate([first, ids[:, :-1]], axis=1)
    # Zeros, for each row of the batch.
    states = [
        keras.ops.cast(first, "float32") * keras.ops.zeros((1, size), "float32") for size in state_sizes(language_model)
    ]
    scores, *_ = language_model([before, *states])
    is_piece = keras.ops.not_equal(ids, PADDING)
    log_p = keras.ops.take_along_axis(keras.ops.log_softmax(scores), ids[:, :, None], axis=2)[:, :, 0]
    counts = keras.ops.sum(keras.ops.cast(is_piece, "int32"), axis=1)
    total = keras.ops.sum(keras.ops.where(is_piece, log_p, 0.0), axis=1)
    model = keras.Model(text, {"log_probability": total, "pieces": counts})
    with replacing(path) as temporary:
        model.save(temporary)


def load_model(run: RunFolder) -> keras.Model:
    """Loads a run's `model.keras`: what `save` wrote."""
    return load_model_file(run.model_file, [SubwordEncoder, *CELLS.values()])


def parts(model: keras.Model) -> tuple[keras.Model, SubwordEncoder]:
    """Takes a loaded model apart: the language model, and what cuts texts into pieces."""
    return model.get_layer("language_model"), model.get_layer("pieces")


@dataclass(frozen=True)
class Answering:
    """What `load` gives.

    Args:
        functions: What `as_functions` gave.
        go_on: ids (batch,), the states before and a number in [0, 1) -> the next ids, drawn by it; the states after.
        config: Says how a text is continued, or that it is scored.
    """

    functions: dict
    go_on: Callable
    config: Config


def load(run: RunFolder, config: Config) -> Answering:
    """Loads a run's model for `predict`."""
    functions = as_functions(load_model(run), config)

    # One call for a piece: the drawing is some twenty operations.
    @tf.function(autograph=False)
    def go_on(ids, states, number):
        found = functions["step"](ids, *states)
        scores = tf.math.log(found["probabilities"])
        return draw(scores, number, config.temperature, config.top_k, config.top_p), _states_after(found)

    return Answering(functions, go_on, config)


def as_functions(model: keras.Model, config: Config) -> dict:
    """The model as traced functions that compute in float32, under the names of their signatures.

    Args:
        model: What `load_model` gave.
        config: Says how `serving_default` goes on.

    Returns:
        `serving_default`: `text` (batch,) string -> `continuation` (batch,) string, as the configuration says.
        `generate`: besides `text`, `length` int32, `temperature` float32, `top_k` int32, `top_p` float32 and `seed`
        int32, all () -> `continuation`.
        `score`: `text` -> `log_probability` (batch,) float32, in nats, and `pieces` (batch,) int32.
        `encode`: `text` -> `ids` (batch, pieces) int32, 0 at padding, and `lengths` (batch,) int32.
        `start`: `batch` () int32 -> `state_1` and so on, (batch, units) float32; `ids` (batch,) int32, the start, which
        is before the first piece; `spelled` (vocabulary,) string, what each id stands for.
        `step`: `ids` (batch,) int32 and the states before -> `probabilities` (batch, vocabulary) float32 of the next
        piece, and the states after.
    """
    model = in_float32(model)
    language_model, encoder = parts(model)
    decoder = SubwordDecoder(encoder.pieces, dtype="float32")
    spelled = spellings(encoder.pieces)
    names = [f"state_{number}" for number in range(1, len(state_sizes(language_model)) + 1)]
    texts = tf.TensorSpec([None], tf.string, name="text")
    whole, part = {"shape": [], "dtype": tf.int32}, {"shape": [], "dtype": tf.float32}

    @tf.function(input_signature=[texts], autograph=False)
    def serving_default(text):
        settings = config.length, config.temperature, config.top_k, config.top_p, config.seed
        return {"continuation": decoder(continue_texts(language_model, encoder(text), *settings))}

    @tf.function(
        input_signature=[
            texts,
            tf.TensorSpec(**whole, name="length"),
            tf.TensorSpec(**part, name="temperature"),
            tf.TensorSpec(**whole, name="top_k"),
            tf.TensorSpec(**part, name="top_p"),
            tf.TensorSpec(**whole, name="seed"),
        ],
        autograph=False,
    )
    def generate(text, length, temperature, top_k, top_p, seed):
        ids = continue_texts(language_model, encoder(text), length, temperature, top_k, top_p, seed)
        return {"continuation": decoder(ids)}

    @tf.function(input_signature=[texts], autograph=False)
    def score(text):
        return model(text, training=False)

    @tf.function(input_signature=[texts], autograph=False)
    def encode(text):
        ids = encoder(text)
        return {"ids": ids, "lengths": tf.reduce_sum(tf.cast(ids != PADDING, tf.int32), axis=1)}

    @tf.function(input_signature=[tf.TensorSpec(**whole, name="batch")], autograph=False)
    def start(batch):
        states = dict(zip(names, first_states(language_model, batch), strict=True))
        return {**states, "ids": tf.fill([batch], START), "spelled": tf.constant(spelled)}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.int32, name="ids"),
            *(
                tf.TensorSpec([None, size], tf.float32, name=name)
                for name, size in zip(names, state_sizes(language_model), strict=True)
            ),
        ],
        autograph=False,
    )
    def step(ids, *states):
        scores, after = take_step(language_model, ids, list(states))
        return {"probabilities": tf.nn.softmax(scores), **dict(zip(names, after, strict=True))}

    functions = (serving_default, generate, score, encode, start, step)
    return {function.python_function.__name__: function for function in functions}


def predict(answering: Answering, texts: list[str]) -> list[dict]:
    """Goes on with texts, or scores them.

    Args:
        answering: What `load` gave.
        texts: The texts; an empty one is a document's beginning.

    Returns:
        Of each, in order: `text` and `continuation`; or, to score, `text`, `log_probability` in nats, `pieces`, and
        `bits_per_character`, None where there is no character.
    """
    given = tf.constant(texts, tf.string)
    if not answering.config.score:
        found = answering.functions["serving_default"](given)["continuation"].numpy()
        return [
            {"text": text, "continuation": continuation.decode()}
            for text, continuation in zip(texts, found, strict=True)
        ]
    found = answering.functions["score"](given)
    rows = zip(texts, found["log_probability"].numpy().tolist(), found["pieces"].numpy().tolist(), strict=True)
    return [
        {
            "text": text,
            "log_probability": log_probability,
            "pieces": pieces,
            "bits_per_character": -log_probability / math.log(2) / len(text) if text else None,
        }
        for text, log_probability, pieces in rows
    ]


def stream(answering: Answering, text: str) -> Iterator[str]:
    """Answers one text: what `predict` would answer, its line ends kept, while it comes about.

    Args:
        answering: What `load` gave.
        text: The text.

    Yields:
        The text, then what it is continued by, a piece at a time; a character comes when its last byte has come. To
        score, the one line.
    """
    functions, config = answering.functions, answering.config
    if config.score:
        yield as_line(*predict(answering, [text]))
        return
    yield text
    begun = functions["start"](tf.constant(1))
    spelled, ids = begun.pop("spelled").numpy(), begun.pop("ids")
    states, decoder = list(begun.values()), codecs.getincrementaldecoder("utf-8")("replace")
    prompt = functions["encode"](tf.constant([text], tf.string))
    for piece in prompt["ids"][0, : int(prompt["lengths"][0])]:
        states = _states_after(functions["step"](ids, *states))
        ids = piece[tf.newaxis]
    for number in random_numbers(config.seed, config.length):
        ids, states = answering.go_on(ids, states, number)
        yield decoder.decode(spelled[int(ids[0])])
    yield decoder.decode(b"", final=True)


def _states_after(found: dict) -> list[tf.Tensor]:
    return [value for name, value in found.items() if name != "probabilities"]


def as_line(answer: dict) -> str:
    """An answer as a line: the text and its continuation, without line ends; to score, log probability, tab, text."""
    if "log_probability" in answer:
        return f"{answer['log_probability']:.4f}\t{' '.join(answer['text'].splitlines())}"
    return " ".join((answer["text"] + answer.get("continuation", "")).splitlines())


def predict_file(answering: Answering, config: Config, path: Path, output: Path | None, as_json: bool) -> None:
    """Goes on with each line of a file, or scores it.

    Args:
        answering: What `load` gave.
        config: Says how the file is read.
        path: The file.
        output: Where to, an answer a line; None prints.
        as_json: Write an object per line instead.

    Raises:
        UserError: The file cannot be read; `output` is as it was then.
        UserError: After everything: some lines are not valid text; their answer is empty, or in JSON an `error`.
    """
    unanswered, count = Unanswered(), 0
    with writing(output) as file:
        for chunk in chunks(decoded_lines(path, config.encoding), LINES_AT_A_TIME, lambda line: len(line.text)):
            answers = iter(predict(answering, [without_end(line.text) for line in chunk if not line.problem]))
            for line in chunk:
                if line.problem:
                    problem = f"expected {config.encoding} text, found {line.problem}; --encoding names another one"
                    unanswered.report(f"{path}:{line.number}", problem)
                    answer = {"text": without_end(line.text), "error": problem}
                else:
                    answer = next(answers)
                written = json.dumps(answer, ensure_ascii=False) if as_json else as_line(answer)
                file.write(f"{'' if 'error' in answer and not as_json else written}\n")
                count += 1
    if output:
        print(f"{output}: {count:,} lines", file=sys.stderr)
    unanswered.check()


def export(run: RunFolder, config: Config, folder: Path) -> None:
    """Writes a SavedModel that needs TensorFlow alone; its signatures are those of `as_functions`.

    Args:
        run: The run's folder.
        config: The run's configuration; says how `serving_default` goes on with a text.
        folder: Where to; it appears whole or not at all.

    Raises:
        OSError: The disk is full, or the folder cannot be written to.
    """
    # Portable: the model may have been trained with cuDNN or XLA, and will be served where neither is.
    with portable():
        model = load_model(run)
        language_model, _ = parts(model)
        states = {
            f"state_{number}": np.zeros([1, size], np.float32)
            for number, size in enumerate(state_sizes(language_model), start=1)
        }
        examples = {
            "serving_default": {"text": ["The ", ""]},
            "score": {"text": ["The end."]},
            "step": {"ids": [START], **states},
        }
        write_saved_model(folder, model, lambda model: as_functions(model, config), examples)
