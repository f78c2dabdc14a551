"""Whatever text or picture an exported signature is given: its answer does not depend on its neighbours or on padding."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks.fuzz import fuzz_signatures
from benchmarks.hostile_inputs import WORDS
from data.labelled_texts.word_ids import WordIds
from data.subwords.pieces import Subwords
from templates.captioning import serving as captioning
from templates.captioning.model import build_model as build_captioner
from templates.forecasting import serving as forecasting
from templates.forecasting import test_forecasting
from templates.forecasting.model import build_model as build_forecaster
from templates.language_model import serving as language_model
from templates.language_model import test_language_model
from templates.ner import serving as ner
from templates.ner import test_ner
from templates.ner.model import build_model as build_tagger
from templates.sentiment import serving as sentiment
from templates.sentiment import test_sentiment
from templates.sentiment.model import build_model as build_classifier
from templates.translation import serving as translation
from templates.translation import test_translation
from tests.templates.test_captioning_pictures import CONFIG
from training.runs.folder import RunFolder

# Few pieces: what has learned nothing seldom writes an end.
SHORT = {"max_length": 6, "beam_width": 3}


def save_classifier(run, **fields):
    config = dataclasses.replace(test_sentiment.SMALL, **fields)
    # More than a padded text has.
    word_ids = WordIds(WORDS, 2000, name="word_ids")
    sentiment.save(run.model_file, word_ids, build_classifier(config, 2 + len(WORDS), 3), ["a", "b", "c"])
    return sentiment, config


def save_tagger(run, **fields):
    config, features, tags, _ = test_ner.examples_of(test_ner.columns(run.path / "all.conll"), **fields)
    ner.save(run.model_file, features, build_tagger(config, features, tags), config, tags)
    return ner, config


def save_translator(run, **fields):
    config = dataclasses.replace(test_translation.SMALL, **SHORT, **fields)
    translator, (source, target), _ = test_translation.small_model(config)
    translation.save(run.model_file, source, target, translator, config)
    return translation, config


def save_captioner(run, **fields):
    config = dataclasses.replace(CONFIG, **SHORT, **fields)
    subwords = Subwords([f" word{number}" for number in range(31)])
    captioner = build_captioner(config, subwords.size, (config.picture_size, config.picture_size, 3))
    captioning.save(run.model_file, subwords, None, captioner, config)
    return captioning, config


def save_language_model(run, **fields):
    model, subwords, config = test_language_model.small_model(**fields)
    language_model.save(run.model_file, subwords, model)
    return language_model, config


def save_forecaster(run, **fields):
    config = dataclasses.replace(test_forecasting.SMALL, **fields)
    columns = test_forecasting.columns_of(run.path / "days.csv")
    forecasting.save(
        run.model_file,
        build_forecaster(config, test_forecasting.examples_of(config, test_forecasting.waves(), columns)),
    )
    return forecasting, config


@pytest.mark.parametrize("decoding", ["at_once", "step_by_step"])
def test_neighbours_do_not_change_a_forecast(tmp_path, decoding):
    """Those that are fuzzed below are asked with texts; a window is numbers, some of them hostile."""
    run = RunFolder(tmp_path)
    _, config = save_forecaster(run, decoding=decoding)
    forecasting.export(run, config, tmp_path / "exported")
    function = tf.saved_model.load(str(tmp_path / "exported")).signatures["serving_default"]
    random = np.random.default_rng(0)
    windows = random.normal(size=(32, config.window)) * 10.0 ** random.integers(-20, 20, size=(32, 1))
    windows[3, 5], windows[4], windows[5, 2], windows[6] = np.nan, 0, np.inf, 1e30
    windows = windows.astype(np.float32)
    together = function(window=windows)
    for row in range(len(windows)):
        alone = function(window=windows[row : row + 1])
        for name in ("forecast", "quantiles"):
            # Of all steps, the largest: those near 0 are differences of large ones.
            size = np.abs(together[name][row]).max()
            np.testing.assert_allclose(alone[name][0], together[name][row], rtol=0, atol=max(1e-5 * size, 1e-30))


@pytest.mark.parametrize(
    "save, fields",
    [
        (save_classifier, {"pooling": "mean_max", "layers": 2}),
        (save_classifier, {"pooling": "last", "cell": "lstm"}),
        (save_tagger, {"decoder": "crf", "characters": "cnn"}),
        (save_tagger, {"decoder": "softmax", "characters": "rnn"}),
        (save_translator, {"cell": "gru"}),
        (save_captioner, {}),
        (save_language_model, {"layers": 2, "length": 6}),
    ],
)
def test_neither_neighbours_nor_padding_change_an_answer(tmp_path, save, fields):
    keras.utils.set_random_seed(0)
    run = RunFolder(tmp_path)
    serving, config = save(run, **fields)
    serving.export(run, config, tmp_path / "exported")
    for found in fuzz_signatures(tmp_path / "exported", inputs=32).values():
        assert found["inputs"] == 32 and found["others"] == 0 and found["furthest"] <= 1e-5


@pytest.mark.parametrize(
    "save", [save_classifier, save_tagger, save_translator, save_captioner, save_language_model, save_forecaster]
)
def test_what_was_trained_in_bfloat16_answers_in_float32(tmp_path, save):
    """In bfloat16 an answer depends on how many rows are answered at once."""
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    try:
        run = RunFolder(tmp_path)
        serving, config = save(run)
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    model = keras.models.load_model(run.model_file)
    assert "mixed_bfloat16" in {layer.dtype_policy.name for layer in model._flatten_layers()}
    settings = [config] if serving in (language_model, forecasting) else []
    for function in serving.as_functions(model, *settings).values():
        assert "DT_BFLOAT16" not in str(function.get_concrete_function().graph.as_graph_def())
