"""From raw text to tags: the saved model, the exported signatures, and what `predict` does."""

import dataclasses
import zlib
from functools import partial
from pathlib import Path
from typing import NamedTuple

import click
import keras
import numpy as np
import tensorflow as tf

from data.batches import plan_in_order_of_length
from data.tagged_sentences.tag_schemes import LETTERS, UNNAMED, entities
from data.tagged_sentences.token_features import TokenFeatures
from data.tagged_sentences.tokens import split_at_blanks, split_tokens
from data.vocabulary import PADDING
from data.writing import replacing
from rnn_layers.portable import portable
from training.model_file import load_model_file
from training.runs.folder import RunFolder
from training.saved_model import in_float32, write_saved_model

from .characters import CharacterWords
from .config import Config
from .files import tag_file
from .model import JoinLastAxes, decode
from .pipeline import Tags
from .tag_names import written_after

# Texts answered at once: so many, and no more characters than this, padding included.
TEXTS_AT_A_TIME, MOST_CHARACTERS = 256, 100_000

COLOURS = ("red", "green", "yellow", "blue", "magenta", "cyan")


@keras.saving.register_keras_serializable(package="rnn_templates")
class SplitTokens(keras.layers.Layer):
    """Cuts texts into tokens.

    Args:
        by: "rules", those of `data.tagged_sentences.tokens.split_tokens`, or "blanks", for what is already cut.

    Call arguments:
        texts: Strings, (batch,).

    Returns:
        A dictionary: `tokens` (batch, time) string, padded with ""; `starts` and `ends` (batch, time) int32, places in
        the text in characters, the end exclusive; `lengths` (batch,) int32. There is one step at least.
    """

    def __init__(self, by: str = "rules", **kwargs):
        super().__init__(**kwargs)
        self.by = by

    def call(self, texts):
        split = split_at_blanks(texts) if self.by == "blanks" else split_tokens(texts)
        lengths = tf.cast(split.tokens.row_lengths(), tf.int32)
        # A batch of empty texts must still have one step, or the loop over time has nothing to run on.
        shape = tf.stack([-1, tf.reduce_max(tf.concat([lengths, [1]], axis=0))])
        return {
            "tokens": split.tokens.to_tensor("", shape=shape),
            "starts": split.starts.to_tensor(0, shape=shape),
            "ends": split.ends.to_tensor(0, shape=shape),
            "lengths": lengths,
        }

    def compute_output_spec(self, texts):
        batch = texts.shape[0]
        return {
            "tokens": keras.KerasTensor((batch, None), "string"),
            "starts": keras.KerasTensor((batch, None), "int32"),
            "ends": keras.KerasTensor((batch, None), "int32"),
            "lengths": keras.KerasTensor((batch,), "int32"),
        }

    def get_config(self):
        return {**super().get_config(), "by": self.by}


@keras.saving.register_keras_serializable(package="rnn_templates")
class TagAnswer(keras.layers.Layer):
    """Chooses the tags, and writes them as the training data writes them.

    Args:
        decoder: "crf" or "softmax".
        scheme: The data's scheme.
        names: The tagger's tags.
        letters: How the data spell B, I, E and S.

    Call arguments:
        outputs: What the tagger gave.
        words: int32 (batch, time), 0 at padding.

    Returns:
        Tags, (batch, time) string, "" at padding.
    """

    def __init__(self, decoder: str, scheme: str, names: list[str], letters: str = LETTERS, **kwargs):
        super().__init__(**kwargs)
        self.decoder, self.tags = decoder, Tags(scheme, list(names), letters)
        # A mask that comes with the outputs ends here; without this Keras warns that it is lost.
        self.supports_masking = True

    def call(self, outputs, words):
        valid = words != PADDING
        chosen = decode(self.decoder, outputs, valid)
        first = tf.fill(tf.stack([tf.shape(chosen)[0], 1]), len(self.tags.names))
        before = tf.concat([first, chosen[:, :-1]], axis=1)
        written = tf.constant(written_after(self.tags))
        return tf.where(valid, tf.gather_nd(written, tf.stack([before, chosen], axis=-1)), "")

    def compute_mask(self, outputs, previous_mask=None):
        return None

    def compute_output_spec(self, outputs, words):
        return keras.KerasTensor(words.shape, "string")

    def get_config(self):
        return {**super().get_config(), "decoder": self.decoder, **dataclasses.asdict(self.tags)}


def save(path: Path, features: TokenFeatures, tagger: keras.Model, config: Config, tags: Tags) -> None:
    """Writes `model.keras`: texts in; tokens, their places and their tags out.

    Example:
        keras.models.load_model("runs/mine/model.keras")(tf.constant(["Ann lives in Paris."]))["tags"]
    """
    text = keras.Input((), dtype="string", name="text")
    split = SplitTokens(config.tokens, name="split")(text)
    ids = features(split["tokens"])
    answer = TagAnswer(config.decoder, tags.scheme, tags.names, tags.letters, name="answer", dtype="float32")
    model = keras.Model(text, {**split, "tags": answer(tagger(ids), ids["words"])})
    with replacing(path) as temporary:
        model.save(temporary)


def load_model(run: RunFolder) -> keras.Model:
    """Loads a run's `model.keras`: what `save` wrote."""
    return load_model_file(run.model_file, [CharacterWords, JoinLastAxes])


class Tagger(NamedTuple):
    """A model that answers.

    Args:
        functions: What `as_functions` gave.
        tags: What it chooses from.
    """

    functions: dict
    tags: Tags


def load(run: RunFolder, config: Config) -> Tagger:
    """Loads a run's model for `predict`."""
    model = load_model(run)
    return Tagger(as_functions(model, config.tokens), parts(model)[2])


def as_functions(model: keras.Model, tokens: str = "rules") -> dict:
    """The model as traced functions that compute in float32, under the names of their signatures.

    Args:
        model: What `load_model` gave.
        tokens: How texts are cut, as `SplitTokens` takes it.

    Returns:
        `serving_default`: `text` (batch,) string -> `tokens`, `tags`, `starts`, `ends`, `lengths`; and `tokens`:
        `tokens` (batch, time) string, padded with "" -> `tags`.
    """
    model = in_float32(model)
    features, tagger, answer = (model.get_layer(name) for name in ("features", "tagger", "answer"))
    split = SplitTokens(tokens)

    def tag_texts(text):
        found = split(text)
        return {**found, **tag_tokens(found["tokens"])}

    def tag_tokens(tokens):
        # One step at least, also for a batch without a token.
        padded = tf.pad(tokens, [[0, 0], [0, tf.cast(tf.shape(tokens)[1] == 0, tf.int32)]], constant_values="")
        ids = features(padded)
        tags = answer(tagger(ids, training=False), ids["words"])
        return {"tags": tags[:, : tf.shape(tokens)[1]]}

    texts, cut = tf.TensorSpec([None], tf.string, name="text"), tf.TensorSpec([None, None], tf.string, name="tokens")
    return {
        "serving_default": tf.function(tag_texts, input_signature=[texts], autograph=False),
        "tokens": tf.function(tag_tokens, input_signature=[cut], autograph=False),
    }


def parts(model: keras.Model) -> tuple[TokenFeatures, keras.Model, Tags]:
    """Takes a loaded model apart: tokens to ids, ids to potentials or scores, the tags."""
    return model.get_layer("features"), model.get_layer("tagger"), model.get_layer("answer").tags


def predict(tagger: Tagger, texts: list[str]) -> list[dict]:
    """Tags texts.

    Args:
        tagger: What `load` gave.
        texts: The texts.

    Returns:
        Of each, in order: `text`, `tokens`, `tags` and, unless tags are plain, `entities`: each with `type`, `text`,
        `start` and `end` (tokens), `start_char` and `end_char` (characters of the text); ends are exclusive.
    """
    answers: list[dict] = [{}] * len(texts)
    lengths = np.array([len(text) for text in texts])
    for rows in plan_in_order_of_length(lengths, TEXTS_AT_A_TIME, MOST_CHARACTERS):
        found = tagger.functions["serving_default"](tf.constant([texts[row] for row in rows], tf.string))
        found = {name: tensor.numpy() for name, tensor in found.items()}
        for place, row in enumerate(rows):
            size = found["lengths"][place]
            tokens, tags = (_decoded(found[name][place][:size]) for name in ("tokens", "tags"))
            answers[row] = {"text": texts[row], "tokens": tokens, "tags": tags}
            if tagger.tags.are_entities:
                places = found["starts"][place].tolist(), found["ends"][place].tolist()
                answers[row]["entities"] = _entities(texts[row], tags, *places)
    return answers


def predict_tokens(tagger: Tagger, sentences: list[list[str]]) -> list[list[str]]:
    """The tags of sentences that are already cut into tokens, in order."""
    tags: list[list[str]] = [[]] * len(sentences)
    lengths = np.array([len(tokens) for tokens in sentences])
    for rows in plan_in_order_of_length(lengths, TEXTS_AT_A_TIME, MOST_CHARACTERS // 5):
        padded = tf.ragged.constant([sentences[row] for row in rows], tf.string, ragged_rank=1).to_tensor("")
        found = tagger.functions["tokens"](padded)["tags"].numpy()
        for place, row in enumerate(rows):
            tags[row] = _decoded(found[place][: lengths[row]])
    return tags


def _decoded(strings) -> list[str]:
    return [string.decode("utf-8", errors="replace") for string in strings]


def _entities(text: str, tags: list[str], starts: list[int], ends: list[int]) -> list[dict]:
    found = []
    for entity in entities(tags):
        start, end = starts[entity.start], ends[entity.end - 1]
        what = {"type": entity.type, "text": text[start:end], "start": entity.start, "end": entity.end}
        found.append({**what, "start_char": start, "end_char": end})
    return found


def as_line(answer: dict) -> str:
    """An answer as a line: the text with its entities in brackets, or each token with its tag; in colours."""
    if "entities" not in answer:
        pairs = zip(answer["tokens"], answer["tags"], strict=True)
        return " ".join(f"{token}/{click.style(tag, fg=_colour(tag))}" for token, tag in pairs)
    pieces, end = [], 0
    for entity in answer["entities"]:
        name = "" if entity["type"] == UNNAMED else f"{entity['type']} "
        inside = f"[{name}{entity['text']}]"
        pieces += [
            answer["text"][end : entity["start_char"]],
            click.style(inside, fg=_colour(entity["type"]), bold=True),
        ]
        end = entity["end_char"]
    return " ".join("".join([*pieces, answer["text"][end:]]).splitlines())


def _colour(name: str) -> str:
    """A colour for a name, always the same."""
    return COLOURS[zlib.crc32(name.encode()) % len(COLOURS)]


def predict_file(tagger: Tagger, config: Config, path: Path, output: Path | None, as_json: bool) -> None:
    """Tags the sentences of a file; see `files.tag_file`."""

    def answers(sentences: list[list[str]]) -> list[dict]:
        tags = predict_tokens(tagger, sentences)
        return [_answer(tagger, *sentence) for sentence in zip(sentences, tags, strict=True)]

    tag_file(answers, config, path, output, as_json)


def _answer(tagger: Tagger, tokens: list[str], tags: list[str]) -> dict:
    answer = {"tokens": tokens, "tags": tags}
    if tagger.tags.are_entities:
        answer["entities"] = [
            {"type": entity.type, "text": " ".join(tokens[entity.start : entity.end])}
            | {"start": entity.start, "end": entity.end}
            for entity in entities(tags)
        ]
    return answer


def export(run: RunFolder, config: Config, folder: Path) -> None:
    """Writes a SavedModel that needs TensorFlow alone; its signatures are those of `as_functions`.

    Args:
        run: The run's folder.
        config: The run's configuration.
        folder: Where to; it appears whole or not at all.

    Raises:
        OSError: The disk is full, or the folder cannot be written to.
    """
    # Portable: the model may have been trained with cuDNN or XLA, and will be served where neither is.
    with portable():
        examples = {
            "serving_default": {"text": ["Ann Lee lives in Paris.", "No."]},
            "tokens": {"tokens": [["Ann", "Lee", "lives", "in", "Paris", "."]]},
        }
        write_saved_model(folder, load_model(run), partial(as_functions, tokens=config.tokens), examples)
