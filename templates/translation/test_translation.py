"""The template's own tests; they travel with a copy: `python -m pytest translation`."""

import csv
import dataclasses
import itertools
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from data.errors import UserError
from data.sentence_pairs.pairs import SentencePairs
from data.subwords.ids import END, START
from data.subwords.pieces import Subwords
from data.typical_rows import typical_rows
from rnn_layers.token_loss import token_losses
from training.averaging import WeightAverage
from training.device import Device
from training.runs.folder import RunFolder
from training.runs.record import Record

from . import inside, pipeline, serving
from .config import Config
from .evaluate import attention_of, evaluate, make_attention_step, make_predict_step, measure
from .model import build_model
from .train import learning_rate, make_train_step
from .translations import shown_pieces, write_translations

SMALL = Config(
    units=4, embedding_size=5, vocabulary_size=290, batch_size=6, learning_rate=0.01, word_dropout=0.0,
    embedding_dropout=0.0, dropout=0.0, label_smoothing=0.0, warm_up_steps=0,
)  # fmt: skip
LEARNING = dataclasses.replace(SMALL, units=20, embedding_size=20, batch_size=20, learning_rate=0.02, max_length=30)
CPU = Device(tf.distribute.get_strategy(), "CPU", "float32", jit=False)
SUBJECTS = {"der Hund": "dog", "die Katze": "cat", "das Mädchen": "girl", "der König": "king", "die Ärztin": "doctor"}
OBJECTS = {"den Vogel": "bird", "die Küche": "kitchen", "das Haus": "house", "den Apfel": "apple"}
PAIRS = SentencePairs(
    *zip(*(
        (f"Gestern hat {subject} {thing} gesehen.", f"The {english} saw the {object_} yesterday.")
        for (subject, english), (thing, object_) in itertools.product(SUBJECTS.items(), OBJECTS.items())
    ))
)  # fmt: skip
# Answered in this order: known, empty, unknown, very long, of several scripts.
TEXTS = [PAIRS.sources[7], "", "Das Haus!", "Gestern " * 2000, PAIRS.sources[0], " 🙂 \u2028 日本語 \t é", ""]


def write_pairs(path, pairs=PAIRS, header="de\ten\n"):
    lines = (f"{source}\t{target}\n" for source, target in zip(pairs.sources, pairs.targets, strict=True))
    path.write_text(header + "".join(lines), encoding="utf-8")
    return path


def prepared(config=SMALL, rows=range(4)):
    """The two languages' subwords, and some of the pairs as examples."""
    subwords = pipeline.subwords_of(pipeline.learn_vocabulary(config, PAIRS))
    return subwords, pipeline.make_examples(PAIRS.select(rows), *subwords)


def small_model(config=SMALL, rows=range(4)):
    subwords, examples = prepared(config, rows)
    keras.utils.set_random_seed(0)
    return build_model(config, *(each.size for each in subwords)), subwords, examples


def train_steps(model, config):
    optimizer = keras.optimizers.Adam(config.learning_rate)
    optimizer.build(model.trainable_variables)
    average = WeightAverage(model.trainable_variables, 0.9)
    return make_train_step(model, optimizer, average, CPU, config)


def tensors(batch):
    return [tf.constant(array) for array in batch]


# The network and its training step


@pytest.mark.parametrize(
    "cell, attention, encoder_layers, decoder_layers, tied",
    [
        ("gru", "scaled", 1, 2, True),
        ("lstm", "additive", 2, 3, False),
        ("simple_rnn", "none", 1, 1, True),
    ],
)
def test_one_step_moves_every_weight(cell, attention, encoder_layers, decoder_layers, tied):
    config = dataclasses.replace(
        SMALL, cell=cell, attention=attention, encoder_layers=encoder_layers, decoder_layers=decoder_layers,
        tied_embeddings=tied, word_dropout=0.1, embedding_dropout=0.1, dropout=0.1, label_smoothing=0.1,
    )  # fmt: skip
    model, (_, target), examples = small_model(config)
    before = [variable.numpy() for variable in model.trainable_variables]
    mean_loss, pieces, norm = train_steps(model, config)(*tensors(pipeline.make_batch(examples, np.arange(4), 6)))
    assert 0 < mean_loss.numpy() < 2 * np.log(target.size)
    assert pieces == sum(examples.target_lengths[:4]) and 0 < norm < 10
    for variable, old in zip(model.trainable_variables, before, strict=True):
        assert not np.allclose(variable.numpy(), old), variable.path


def test_the_steps_loss_is_the_mean_over_the_pieces_of_the_batch():
    config = dataclasses.replace(SMALL, label_smoothing=0.2)
    model, _, examples = small_model(config)
    source, before, after = pipeline.make_batch(examples, np.arange(4), 6, multiple=8)
    scores = model({"source": source, "before": before}).numpy().astype(float)
    log_p = scores - np.log(np.exp(scores).sum(axis=2, keepdims=True))
    right = np.take_along_axis(log_p, after[:, :, np.newaxis], axis=2)[:, :, 0]
    expected = -(0.8 * right + 0.2 * log_p.mean(axis=2))[after > 0].mean()
    loss, _, _ = train_steps(model, config)(*tensors((source, before, after)))
    assert loss.numpy() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("fields", [{}, {"cell": "lstm", "attention": "additive", "encoder_layers": 2}])
def test_padding_changes_neither_losses_nor_scores(fields):
    model, _, examples = small_model(dataclasses.replace(SMALL, **fields), rows=[0, 9, 14, 19])

    def losses_of(batch):
        source, before, after = tensors(batch)
        losses = token_losses(model({"source": source, "before": before}), after)[0]
        return tf.where(after != 0, losses, 0.0).numpy()

    together = losses_of(pipeline.make_batch(examples, np.arange(4), 6, multiple=16))
    assert not together[4:].any()
    for row in range(4):
        alone = losses_of(pipeline.make_batch(examples, np.array([row]), 1))[0]
        np.testing.assert_allclose(together[row, : len(alone)], alone, rtol=1e-4, atol=1e-5)


def test_model_fit_works_too():
    model, _, examples = small_model()
    source, before, after = pipeline.make_batch(examples, np.arange(4), 4)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(keras.optimizers.Adam(0.02), loss)
    history = model.fit({"source": source, "before": before}, after, batch_size=4, epochs=10, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0] - 0.5


def test_the_learning_rate_rises_then_halves():
    config = dataclasses.replace(SMALL, learning_rate=0.8, warm_up_steps=4, learning_rate_half_life=10)
    rates = [learning_rate(config, step) for step in (0, 1, 2, 3, 4, 14, 24)]
    assert rates == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.8, 0.4, 0.2])
    assert learning_rate(dataclasses.replace(config, learning_rate_half_life=0), 10**6) == 0.8
    assert learning_rate(dataclasses.replace(config, warm_up_steps=0), 0) == 0.8


# From a source to batches


def test_a_batch_is_padded_and_each_piece_is_seen_one_step_later():
    sources, targets = (
        [np.array(row, np.int32) for row in rows] for rows in ([[5, 6, 2], [7, 2]], [[8, 2], [9, 10, 2]])
    )
    examples = pipeline.Examples(sources, targets, SentencePairs(["ab", "c"], ["d", "ef"]))
    source, before, after = pipeline.make_batch(examples, np.array([1, 0]), 3)
    assert source.tolist() == [[7, 2, 0], [5, 6, 2], [0, 0, 0]]
    assert after.tolist() == [[9, 10, 2], [8, 2, 0], [0, 0, 0]]
    assert before.tolist() == [[START, 9, 10], [START, 8, 2], [START, 0, 0]]
    assert {array.dtype for array in (source, before, after)} == {np.dtype("int32")}
    assert [array.shape for array in pipeline.make_batch(examples, np.array([0]), 1, multiple=4)] == [(1, 4)] * 3
    assert examples.lengths.tolist() == [3, 2] and examples.target_lengths.tolist() == [2, 3]
    assert np.argsort(examples.order).tolist() == [0, 1]


def test_both_languages_have_their_own_pieces_or_share_them():
    separate = pipeline.learn_vocabulary(SMALL, PAIRS)
    source, target = pipeline.subwords_of(separate)
    assert set(separate) == {"source", "target"} and separate["source"] != separate["target"]
    assert " gesehen" in source.pieces and " gesehen" not in target.pieces and " saw" in target.pieces
    shared = pipeline.learn_vocabulary(dataclasses.replace(SMALL, vocabulary="shared", vocabulary_size=350), PAIRS)
    assert shared["source"] == shared["target"] and {" gesehen", " saw"} <= set(shared["source"])
    assert all(each.size <= 290 for each in (source, target))
    for each, texts in ((source, PAIRS.sources), (target, PAIRS.targets)):
        assert [each.decode(each.encode(text)) for text in texts] == list(texts)


def test_sentences_are_cut_anew_by_seed_and_epoch_alone():
    subwords, examples = prepared(rows=range(20))
    assert pipeline.cut_anew(SMALL, examples, *subwords, 3) is examples
    config = dataclasses.replace(SMALL, subword_dropout=0.3)

    def cut(epoch, **fields):
        made = pipeline.cut_anew(dataclasses.replace(config, **fields), examples, *subwords, epoch)
        return [row.tolist() for row in (*made.sources, *made.targets)]

    first = cut(1)
    assert first == cut(1) and first == cut(1, batch_size=3, learning_rate=0.5)
    assert first != cut(2) and first != cut(1, seed=5)
    assert first != [row.tolist() for row in (*examples.sources, *examples.targets)]
    for row, text, each in zip(first, [*PAIRS.sources, *PAIRS.targets], [subwords[0]] * 20 + [subwords[1]] * 20):
        assert row[-1] == END and END not in row[:-1] and each.decode(row) == text


def test_only_training_pairs_are_left_out(tmp_path):
    odd = SentencePairs(["wort " * 8, "kurz", "gut genug"], ["word " * 8, "not short " * 6, "good enough"])
    for split in ("train", "validation", "test"):
        write_pairs(tmp_path / f"{split}.tsv", odd)
    config = dataclasses.replace(SMALL, data=str(tmp_path), longest=7, largest_ratio=3.0)
    source = pipeline.find_source(config)
    splits = pipeline.open_source(config, source).read(["train", "validation", "test"])
    assert [len(pairs) for pairs in splits.values()] == [3, 3, 3]
    kept, told = pipeline.filter_training(config, splits["train"])
    assert kept.sources == ["gut genug"] and told.startswith("2 of 3 training pairs left out")
    everything = dataclasses.replace(config, longest=0, largest_ratio=0.0)
    assert pipeline.filter_training(everything, splits["train"]) == (splits["train"], "")
    with pytest.raises(UserError, match="no training pair is left"):
        pipeline.filter_training(dataclasses.replace(config, longest=1), splits["train"])


def test_either_direction_can_be_asked_for_and_a_single_file_is_split(tmp_path):
    path = write_pairs(tmp_path / "all.tsv")
    config = dataclasses.replace(SMALL, data=str(path))
    source = pipeline.find_source(config)
    assert pipeline.languages_of(source) == ("de", "en")
    splits = pipeline.open_source(config, source).read(["train", "validation"])
    assert [len(pairs) for pairs in splits.values()] == [18, 2]
    assert sorted(sum((pairs.sources for pairs in splits.values()), [])) == sorted(PAIRS.sources)
    turned = dataclasses.replace(config, target_language="de")
    source = pipeline.find_source(turned)
    assert pipeline.languages_of(source) == ("en", "de")
    assert pipeline.open_source(turned, source).read(["all"])["all"].sources == list(PAIRS.targets)
    with pytest.raises(UserError, match="fr"):
        pipeline.find_source(dataclasses.replace(config, source_language="fr"))


def test_the_lines_that_the_readme_shows_are_read(tmp_path):
    readme = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("with a line of each")[2].partition("What a file was taken for")[0]
    names = []
    for line in shown.splitlines():
        if line.startswith(" " * 8):
            with open(tmp_path / names[-1], "a", encoding="utf-8") as file:
                file.write(line[8:] + "\n")
        elif line.startswith(" " * 4):
            names.append(line.split()[0])
    assert len(names) == 13
    for name in names:
        source = pipeline.find_source(dataclasses.replace(SMALL, data=str(tmp_path / name)))
        pairs = pipeline.open_source(SMALL, source).read_own("all")
        (sentence,), (translation,) = pairs.sources, pairs.targets
        assert {sentence, translation} in (
            {"Ein Hund schläft.", "A dog is sleeping."},
            {"a dog is sleeping.", "犬が眠っている。"},
        ), name


@pytest.mark.parametrize(
    "field, value",
    [("epochs", 0), ("units", 1), ("vocabulary_size", 258), ("label_smoothing", 1.0), ("beam_width", 0),
     ("max_length", -1), ("decoder_layers", 0), ("subword_dropout", -0.1)],
)  # fmt: skip
def test_a_field_out_of_bounds_is_named_by_its_flag(field, value):
    with pytest.raises(UserError, match="--" + field.replace("_", "-")):
        dataclasses.replace(SMALL, **{field: value})


# Measuring, and a model that has learned its pairs


def test_measure_tells_the_loss_per_piece_and_translations_in_their_order():
    model, (_, target), examples = small_model(rows=[3, 0, 19, 8, 5])
    total = pieces = 0
    for row in range(5):
        source, before, after = pipeline.make_batch(examples, np.array([row]), 1)
        losses = token_losses(model({"source": source, "before": before}), tf.constant(after))[0]
        total, pieces = total + losses.numpy().sum(), pieces + after.size

    def oracle(source, before, after):
        losses = tf.where(after != 0, token_losses(model({"source": source, "before": before}), after)[0], 0.0)
        return tf.reduce_sum(losses, axis=1), tf.constant(after), tf.constant(source[:, 0])

    measured = measure(oracle, examples, target)
    assert measured.loss == pytest.approx(total / pieces, rel=1e-4)
    assert measured.translations == examples.pairs.targets
    assert measured.metrics == pytest.approx({"bleu": 100, "chrf": 100})
    assert measured.scores.tolist() == [ids[0] for ids in examples.sources]
    assert [[*ids, END] for ids in measured.tokens] == [ids.tolist() for ids in examples.targets]


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A model that knows the pairs by heart, and its run folder."""
    folder = tmp_path_factory.mktemp("learned")
    model, subwords, examples = small_model(LEARNING, range(20))
    step, batch = train_steps(model, LEARNING), tensors(pipeline.make_batch(examples, np.arange(20), 20))
    for _ in range(20):
        losses = [step(*batch)[0].numpy() for _ in range(50)]
        if losses[-1] < 0.005:
            break
    run = RunFolder(folder)
    serving.save(run.model_file, *subwords, model, LEARNING)
    run.write_vocabulary({"source": subwords[0].pieces, "target": subwords[1].pieces})
    return SimpleNamespace(run=run, model=model, subwords=subwords, examples=examples, loss=losses[-1])


@pytest.fixture(scope="module")
def answers(learned):
    return serving.predict(serving.load(learned.run, LEARNING), TEXTS)


def test_twenty_pairs_are_learned_by_heart(learned):
    assert learned.loss < 0.02
    loaded = serving.load_model(learned.run, LEARNING)
    step = make_predict_step(loaded.get_layer("encoder"), loaded.get_layer("search"))
    measured = measure(step, learned.examples, learned.subwords[1])
    assert measured.translations == list(PAIRS.targets) and measured.loss < 0.02
    assert "case:mixed" in measured.signatures["bleu"]


def test_the_attention_finds_what_is_translated(learned):
    parts = [learned.model.get_layer(name) for name in ("encoder", "decoder")]
    source, target = learned.examples.sources[0], learned.examples.targets[0].tolist()
    attention_step = make_attention_step(*parts)
    attention = attention_of(attention_step, source, target)
    assert attention.shape == (len(target), len(source))
    np.testing.assert_allclose(attention.sum(axis=1), 1, atol=1e-5)
    # The rows are the decoder's own, each piece scored after those before it.
    again = attention_of(attention_step, source, [*target[:3], END])
    np.testing.assert_allclose(again[:4], attention[:4], atol=1e-5)


def test_evaluate_reads_the_run_and_any_pairs(learned, tmp_path):
    config = dataclasses.replace(LEARNING, data=str(write_pairs(tmp_path / "pairs.tsv")))
    source = pipeline.find_source(config)
    learned.run.write_record(Record("translation", "0", dataclasses.replace(source, fingerprint="another"), {}))
    result = evaluate(learned.run, config, source, None)
    assert (result["split"], result["rows"]) == ("all", 20)
    assert result["metrics"] == pytest.approx({"bleu": 100, "chrf": 100}) and set(result["signatures"]) == {
        "bleu",
        "chrf",
    }


# Answers


def test_the_saved_model_answers_every_text_in_order(answers):
    assert [answer["source"] for answer in answers] == TEXTS
    assert answers[0]["translation"] == PAIRS.targets[7] and answers[4]["translation"] == PAIRS.targets[0]
    assert answers[1] == answers[6] == {"source": "", "translation": "", "score": 0.0}
    assert all(set(answer) == {"source", "translation", "score"} for answer in answers)
    assert -0.1 < answers[0]["score"] <= 0 and all(np.isfinite(answer["score"]) for answer in answers)
    json.dumps(answers, allow_nan=False)


def test_the_model_file_is_loaded_by_keras_alone_and_reads_any_bytes(learned, answers):
    loaded = keras.models.load_model(learned.run.model_file)
    found = loaded(tf.constant([PAIRS.sources[7].encode(), b"\xff\xfe Hund \xc3", b"", "\ufffd".encode(), b"\xff"]))
    translations = [text.decode() for text in found["translation"].numpy()]
    assert translations[0] == answers[0]["translation"] and translations[2] == ""
    assert translations[3] == translations[4]
    assert found["score"].dtype == tf.float32 and np.isfinite(found["score"].numpy()).all()
    nothing = loaded(tf.constant([], tf.string))
    assert nothing["translation"].shape == nothing["score"].shape == (0,)


def test_the_configuration_says_how_to_search(learned):
    def translate(**fields):
        model = serving.load_model(learned.run, dataclasses.replace(LEARNING, **fields))
        found = serving.predict(
            serving.as_functions(model)["serving_default"], ["Gestern hat die Katze", "Haus", "Vogel Apfel gesehen."]
        )
        return model.get_layer("search"), found

    greedy, first = translate(beam_width=1)
    wide, _ = translate(beam_width=7, length_exponent=0.5, max_length=0)
    assert (greedy.width, wide.width) == (1, 7)
    assert (wide.length_exponent, wide.most_steps, greedy.most_steps) == (0.5, 0, 31)
    _, wider = translate(beam_width=7)
    assert all(one["score"] >= other["score"] - 1e-5 for one, other in zip(wider, first, strict=True))
    short, found = translate(max_length=2)
    assert short.most_steps == 3
    longest = max(map(len, learned.subwords[1].pieces))
    assert all(len(answer["translation"]) <= 2 * longest for answer in found)


def test_no_answer_has_more_pieces_than_are_asked_for(learned):
    model = serving.load_model(learned.run, dataclasses.replace(LEARNING, max_length=3))
    step = make_predict_step(model.get_layer("encoder"), model.get_layer("search"))
    _, tokens, _ = step(*tensors(pipeline.make_batch(learned.examples, np.arange(5), 5)))
    assert tokens.shape == (5, 4) and (tokens.numpy()[:, 3] == END).all()


def test_the_exported_model_needs_tensorflow_alone_and_answers_as_predict_does(learned, answers, tmp_path):
    serving.export(learned.run, LEARNING, tmp_path / "exported")
    (tmp_path / "texts.json").write_text(json.dumps(TEXTS))
    script = """
import json, sys
import tensorflow as tf
answer = tf.saved_model.load("exported").signatures["serving_default"]
texts = json.load(open("texts.json"))
found = {name: value.numpy() for name, value in answer(source=tf.constant(texts)).items()}
assert set(found) == {"translation", "score"} and found["score"].dtype == "float32"
assert answer(source=tf.constant([], tf.string))["translation"].shape == (0,)
assert answer(source=tf.constant([""]))["translation"].numpy().tolist() == [b""]
assert answer(source=tf.constant([b"\\xff\\xfe", b"ok \\xc3"]))["score"].shape == (2,)
assert not [name for name in sys.modules if name.split(".")[0] in ("rnn_layers", "data", "training", "templates")]
print(json.dumps([[text.decode() for text in found["translation"]], found["score"].tolist()]))
"""
    environment = {"PATH": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    translations, scores = json.loads(done.stdout)
    assert translations == [answer["translation"] for answer in answers]
    np.testing.assert_allclose(scores, [answer["score"] for answer in answers], atol=1e-4)


# Files, without a model


def shout(texts):
    """In the place of a model: "translates" into capitals."""
    return {"translation": tf.strings.upper(texts), "score": tf.cast(tf.strings.length(texts), tf.float32)}


def test_answers_come_in_the_order_of_the_texts_however_these_are_batched():
    sizes = []

    def counting(texts):
        sizes.append(len(texts))
        return shout(texts)

    random = np.random.default_rng(0)
    texts = ["ab" * size for size in random.integers(0, 3000, size=150)]
    assert [answer["translation"] for answer in serving.predict(counting, texts)] == [text.upper() for text in texts]
    assert sum(sizes) == 150 and max(sizes) <= serving.SENTENCES_AT_A_TIME and len(sizes) > 3
    assert serving.predict(counting, []) == []


def test_an_answer_is_one_line():
    assert serving.as_line({"translation": "one\ntwo\r\nthree"}) == "one two three"
    assert serving.as_line({"translation": ""}) == ""


def test_a_file_of_lines_is_translated_line_by_line(tmp_path, capsys):
    lines = ["a", "", "b c", *["d"] * 300]
    (tmp_path / "in.txt").write_text("\n".join(lines) + "\n")
    serving.predict_file(shout, SMALL, tmp_path / "in.txt", tmp_path / "out.txt", as_json=False)
    assert (tmp_path / "out.txt").read_text().split("\n") == [*(line.upper() for line in lines), ""]
    assert "303 sentences" in capsys.readouterr().err
    serving.predict_file(shout, SMALL, tmp_path / "in.txt", None, as_json=True)
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert printed[2] == {"source": "b c", "translation": "B C", "score": 3} and len(printed) == 303


def test_a_table_gets_one_more_column(tmp_path, capsys):
    config = dataclasses.replace(SMALL, source_language="de")
    write_pairs(tmp_path / "in.tsv", SentencePairs(['ein "Wort"', "zwei"], ["one", "two"]))
    serving.predict_file(shout, config, tmp_path / "in.tsv", tmp_path / "out.tsv", as_json=False)
    with open(tmp_path / "out.tsv", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    assert rows == [
        {"de": 'ein "Wort"', "en": "one", "translation": 'EIN "WORT"'},
        {"de": "zwei", "en": "two", "translation": "ZWEI"},
    ]
    serving.predict_file(shout, config, tmp_path / "in.tsv", None, as_json=True)
    assert json.loads(capsys.readouterr().out.splitlines()[1]) == rows[1]


def test_a_table_is_answered_as_it_was_read_in_training_and_written_as_it_was_written(tmp_path, capsys):
    rows = ['"i am hungry."\t"J\'ai faim."\tCC-BY', 'he said "no".\tNon.\tCC-BY', "r&d\tR & D\tCC-BY"]
    for name in ("fra.tsv", "fra.txt"):
        (tmp_path / name).write_text("".join(f"{row}\n" for row in rows))
        config = dataclasses.replace(SMALL, data=str(tmp_path / name))
        trained_on = pipeline.open_source(config, pipeline.find_source(config)).read_own("all")
        assert trained_on.sources == [row.split("\t")[0] for row in rows]
        output = tmp_path / f"out_{name}"
        serving.predict_file(shout, config, tmp_path / name, output, as_json=False)
        assert "separated by tabs, no line of column names; source in '1'" in capsys.readouterr().err
        written = output.read_text().splitlines()
        assert written == [f"{row}\t{row.split(chr(9))[0].upper()}" for row in rows]
        # What was answered can be answered again: the columns of the first answer stay.
        again = dataclasses.replace(config, source_language="1")
        serving.predict_file(shout, again, output, tmp_path / "again.tsv", as_json=False)
        assert (tmp_path / "again.tsv").read_text().splitlines()[0] == written[0] + '\t"I AM HUNGRY."'
    serving.predict_file(shout, SMALL, tmp_path / "fra.tsv", tmp_path / "fra.csv", as_json=False)
    with open(tmp_path / "fra.csv", newline="") as stream:
        assert [row[0] for row in csv.reader(stream)] == trained_on.sources


@pytest.mark.parametrize(
    "text, language, message",
    [
        ('{"en": "b"}\n{"de": "a"}\n', "de", "in.jsonl: no column 'de'.*'en'"),
        ('{"de": "a"}\nno JSON\n', "de", "in.jsonl:2"),
    ],
)
def test_a_table_that_cannot_be_read_leaves_the_output_as_it_was(tmp_path, text, language, message):
    (tmp_path / "in.jsonl").write_text(text)
    (tmp_path / "out.jsonl").write_text("before")
    config = dataclasses.replace(SMALL, source_language=language)
    with pytest.raises(UserError, match=message):
        serving.predict_file(shout, config, tmp_path / "in.jsonl", tmp_path / "out.jsonl", as_json=False)
    assert (tmp_path / "out.jsonl").read_text() == "before" and len(list(tmp_path.iterdir())) == 2


def test_what_has_no_text_is_named_and_everything_else_is_translated(tmp_path, capsys):
    (tmp_path / "in.de").write_bytes(b"a\ncaf\xe9\n\nb\n")
    with pytest.raises(UserError, match="1 of the inputs"):
        serving.predict_file(shout, SMALL, tmp_path / "in.de", tmp_path / "out.en", as_json=False)
    assert (tmp_path / "out.en").read_text() == "A\n\n\nB\n"
    assert "in.de:2: expected utf-8 text, found the byte 0xe9" in capsys.readouterr().err
    config = dataclasses.replace(SMALL, source_language="de")
    (tmp_path / "in.jsonl").write_text('{"de": "a"}\n{"de": null}\n{"en": "b"}\n{"de": ""}\n')
    with pytest.raises(UserError, match="2 of the inputs"):
        serving.predict_file(shout, config, tmp_path / "in.jsonl", None, as_json=False)
    printed = capsys.readouterr()
    first, null, missing, last = map(json.loads, printed.out.splitlines())
    assert first["translation"] == "A" and last == {"de": "", "translation": ""}
    assert set(null) == {"de", "error"} and set(missing) == {"en", "error"}
    assert "in.jsonl:2: expected a text in 'de', found nothing" in printed.err and "in.jsonl:3: " in printed.err
    skipping = dataclasses.replace(config, skip_bad_lines=True)
    serving.predict_file(shout, skipping, tmp_path / "in.jsonl", tmp_path / "out.jsonl", as_json=False)
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2 and "2 bad lines" in capsys.readouterr().err
    (tmp_path / "in.jsonl").write_text('{"de": null, "id": 1}\n{"de": "a", "id": 2}\n')
    with pytest.raises(UserError, match="1 of the inputs"):
        serving.predict_file(shout, config, tmp_path / "in.jsonl", tmp_path / "out.tsv", as_json=False)
    assert (tmp_path / "out.tsv").read_text() == "de\tid\ttranslation\n\t1\t\na\t2\tA\n"


def test_translations_are_written_beside_their_references(tmp_path):
    pairs = SentencePairs(['a "b"', "c\td"], ["A", "CD"])
    write_translations(tmp_path / "out.tsv", pairs, ["x\ny", ""], np.array([-0.25, -1.0]))
    with open(tmp_path / "out.tsv", newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream, delimiter="\t"))
    assert rows == [
        ["source", "reference", "translation", "score"],
        ['a "b"', "A", "x\ny", "-0.2500"],
        ["c\td", "CD", "", "-1.0000"],
    ]


def test_attention_is_float32_whatever_a_model_computes_in():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model, _, examples = small_model()
    finally:
        keras.config.set_dtype_policy("float32")
    step = make_attention_step(model.get_layer("encoder"), model.get_layer("decoder"))
    attention = attention_of(step, examples.sources[0], [5, 6, END])
    assert attention.dtype == np.float32 and attention.shape == (3, len(examples.sources[0]))
    np.testing.assert_allclose(attention.sum(axis=1), 1, atol=0.02)


def test_a_report_shows_translations_whatever_is_in_them(tmp_path):
    # An untrained network writes lines, tabs and quotes where none should be.
    found = ['"a', 'b "c"\n\td', "e"]
    pairs = SentencePairs(["A", "B", "C"], ["A", "B", "C"])
    write_translations(tmp_path / "translations_validation.tsv", pairs, found, np.array([-3.0, -1.0, -2.0]))
    surest, least_sure = inside.examples(RunFolder(tmp_path))
    assert [row[2] for row in surest.rows] == ['b "c"\n\td', "e", '"a'] == [row[2] for row in least_sure.rows][::-1]


def test_the_sentences_to_draw_are_neither_the_shortest_nor_the_longest():
    lengths = np.arange(100)[::-1]
    rows = typical_rows(lengths, 4)
    assert lengths[rows].tolist() == sorted(lengths[rows]) and min(lengths[rows]) > 5 and max(lengths[rows]) < 95
    assert typical_rows(np.array([7]), 4) == [0] and len(typical_rows(np.array([3, 1]), 4)) == 2


def test_pieces_are_shown_as_they_can_be_read():
    subwords = Subwords([" cat", "\u00e9"])
    assert shown_pieces(subwords, [*subwords.encode("a caté"), END]) == ["a", "▁cat", "é", "(end)"]
