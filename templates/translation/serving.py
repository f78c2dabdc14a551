"""From raw text to translations: the saved model, the exported signature, and what `predict` does."""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from data.batches import plan_in_order_of_length
from data.chunks import chunks, size_of_row
from data.errors import BadLines
from data.files import content_suffix, decoded_lines, without_end
from data.sentence_pairs.columns import MAYBE_TABLES, find_pair_columns, is_table
from data.sentence_pairs.languages import Languages
from data.subwords.decoder import SubwordDecoder
from data.subwords.encoder import SubwordEncoder
from data.subwords.ids import END, START
from data.subwords.pieces import Subwords
from data.tables.rows import as_text, shown
from data.tables.table_writer import TableWriter, unused_names
from data.vocabulary import PADDING
from data.word_dropout import WordDropout
from data.writing import replacing, writing
from rnn_layers.attention_decoder import AttentionDecoder
from rnn_layers.bidirectional import Bidirectional
from rnn_layers.portable import portable
from rnn_layers.search import Search
from training.commands.unanswered import Unanswered
from training.model_file import load_model_file
from training.runs.folder import RunFolder
from training.saved_model import in_float32, write_saved_model

from .blank import AreBlank
from .config import Config
from .model import CELLS
from .pipeline import reading_of

# Sentences answered at once: so many, and no more characters than this, padding included.
SENTENCES_AT_A_TIME, MOST_CHARACTERS = 64, 20_000
LINES_AT_A_TIME = 256


def save(path: Path, source: Subwords, target: Subwords, translator: keras.Model, config: Config) -> None:
    """Writes `model.keras`: texts in; translations and their scores out.

    Example:
        keras.models.load_model("runs/mine/model.keras")(tf.constant(["Ein Hund schläft."]))["translation"]
    """
    text = keras.Input((), dtype="string", name="source")
    ids = SubwordEncoder(source.pieces, append_end=True, name="pieces")(text)
    memory = translator.get_layer("encoder")(ids)
    search = Search(translator.get_layer("decoder"), START, END, name="search", dtype="float32")
    # A text of nothing is not searched for: its translation is empty, for certain.
    is_blank = AreBlank(name="blank")(text)
    counts = keras.ops.not_equal(ids, PADDING) & ~is_blank[:, None]
    tokens, scores = _as_told(search, config)(memory, counts)
    translation = SubwordDecoder(target.pieces, name="text")(tokens)
    model = keras.Model(text, {"translation": translation, "score": keras.ops.where(is_blank, 0.0, scores)})
    with replacing(path) as temporary:
        model.save(temporary)


def _as_told(search: Search, config: Config) -> Search:
    """Sets how the search is done."""
    search.width, search.length_exponent = config.beam_width, config.length_exponent
    # One more: the end.
    search.most_steps = config.max_length + 1 if config.max_length else 0
    return search


def load_model(run: RunFolder, config: Config) -> keras.Model:
    """Loads a run's `model.keras`: what `save` wrote; it searches as `config` says."""
    layers = [AreBlank, AttentionDecoder, Bidirectional, Search, WordDropout, *CELLS.values()]
    model = load_model_file(run.model_file, layers)
    _as_told(model.get_layer("search"), config)
    return model


def load(run: RunFolder, config: Config):
    """Loads a run's model for `predict`, as a traced function."""
    return as_functions(load_model(run, config))["serving_default"]


def as_functions(model: keras.Model) -> dict:
    """The model as traced functions that compute in float32, under the names of their signatures.

    Args:
        model: What `load_model` gave.

    Returns:
        `serving_default`: `source` (batch,) string -> `translation` and `score`, (batch,); of a blank text "" and 0.
    """
    model, texts = in_float32(model), tf.TensorSpec([None], tf.string, name="source")
    translate = tf.function(lambda source: model(source, training=False), input_signature=[texts], autograph=False)
    return {"serving_default": translate}


def predict(translate, texts: list[str]) -> list[dict]:
    """Translates texts.

    Args:
        translate: What `load` gave.
        texts: The texts, a sentence each.

    Returns:
        Of each, in order: `source`, `translation`, and `score`, the log probability per piece to the power of
        `length_exponent`, in nats.
    """
    answers: list[dict] = [{}] * len(texts)
    lengths = np.array([len(text.encode()) for text in texts])
    for rows in plan_in_order_of_length(lengths, SENTENCES_AT_A_TIME, MOST_CHARACTERS):
        found = translate(tf.constant([texts[row] for row in rows], tf.string))
        translations, scores = (found[name].numpy().tolist() for name in ("translation", "score"))
        for row, translation, score in zip(rows, translations, scores, strict=True):
            answers[row] = {"source": texts[row], "translation": translation.decode(), "score": score}
    return answers


def as_line(answer: dict) -> str:
    """An answer as a line: the translation; nothing where there is none."""
    return " ".join(answer.get("translation", "").splitlines())


def predict_file(translate, config: Config, path: Path, output: Path | None, as_json: bool) -> None:
    """Translates a file: a sentence a line; or a table (.tsv, .csv, .jsonl), whose column is the source language's.

    Args:
        translate: What `load` gave.
        config: Says how the file is read.
        path: The file.
        output: Where to: a translation a line, or the table with one more column, `translation`; None prints.
        as_json: Print an object per line, or per row of the table, instead.

    Raises:
        UserError: The file cannot be read; `output` is as it was then.
        UserError: After everything: some lines or rows have no text; their translation is empty, or in JSON an `error`.
    """
    unanswered = Unanswered()
    if is_table(path, reading_of(config)):
        count = _translate_table(translate, config, path, output, as_json, unanswered)
    else:
        count = _translate_lines(translate, config, path, output, as_json, unanswered)
    if output:
        print(f"{output}: {count:,} sentences", file=sys.stderr)
    unanswered.check()


def _translate_lines(
    translate, config: Config, path: Path, output: Path | None, as_json: bool, unanswered: Unanswered
) -> int:
    count = 0
    with writing(output) as stream:
        for chunk in chunks(decoded_lines(path, config.encoding), LINES_AT_A_TIME, lambda line: len(line.text)):
            answers = iter(predict(translate, [without_end(line.text) for line in chunk if not line.problem]))
            for line in chunk:
                if line.problem:
                    problem = f"expected {config.encoding} text, found {line.problem}; --encoding names another one"
                    unanswered.report(f"{path}:{line.number}", problem)
                    answer = {"source": without_end(line.text), "error": problem}
                else:
                    answer = next(answers)
                stream.write(f"{json.dumps(answer, ensure_ascii=False) if as_json else as_line(answer)}\n")
                count += 1
    return count


def _translate_table(
    translate, config: Config, path: Path, output: Path | None, as_json: bool, unanswered: Unanswered
) -> int:
    bad_lines, asked = BadLines(config.skip_bad_lines), Languages(config.source_language, config.target_language)
    columns = find_pair_columns(path, asked, reading_of(config), need_target=False)
    print(f"{path}: {columns}", file=sys.stderr)
    kind = ".jsonl" if as_json or not columns.dialect else columns.format
    named = output and content_suffix(output) not in MAYBE_TABLES
    names: list[str] = []
    with TableWriter(output or sys.stdout, format=None if named else kind) as writer:
        writer.answered = columns.dialect
        if columns.dialect and writer.format == columns.format:
            writer.writing = columns.dialect.writing
        rows = columns.rows(path, config.encoding, bad_lines)
        for chunk in chunks(rows, LINES_AT_A_TIME, lambda row: size_of_row(row[1])):
            texts = [as_text(source) for _, _, (source, _) in chunk]
            answers = iter(predict(translate, [text for text in texts if text is not None]))
            for (line, row, (source, _)), text in zip(chunk, texts, strict=True):
                names = names or unused_names(row, ["translation", "error"])
                expected, found = f"a text in {columns.source!r}", shown(source)
                if text is not None:
                    writer.write({**row, names[0]: next(answers)["translation"]})
                elif bad_lines.skip:
                    bad_lines.report(path, line, expected=expected, found=found)
                else:
                    problem = f"expected {expected}, found {found}; --skip-bad-lines leaves such lines out"
                    unanswered.report(f"{path}:{line}", problem)
                    writer.write({**row, **({names[1]: problem} if writer.format == ".jsonl" else {names[0]: ""})})
    if bad_lines.count:
        print(bad_lines.summary(), file=sys.stderr)
    return writer.rows


def export(run: RunFolder, config: Config, folder: Path) -> None:
    """Writes a SavedModel that needs TensorFlow alone: `source` -> `translation`, `score`.

    Args:
        run: The run's folder.
        config: The run's configuration; says how the search is done.
        folder: Where to; it appears whole or not at all.

    Raises:
        OSError: The disk is full, or the folder cannot be written to.
    """
    # Portable: the model may have been trained with cuDNN or XLA, and will be served where neither is.
    with portable():
        examples = {
            "serving_default": {"source": ["Ein Hund schläft.", "Zwei Männer spielen auf einer Wiese Fußball."]}
        }
        write_saved_model(folder, load_model(run, config), as_functions, examples)
