"""The template's own tests; they travel with a copy: `python -m pytest sentiment`."""

import dataclasses
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from data.errors import UserError
from data.labelled_texts.word_ids import WordIds
from training.averaging import WeightAverage
from training.device import Device

from . import pipeline, serving
from .config import Config
from .evaluate import make_predict_step, measure
from .labels import class_weights, doubtful, label_names
from .model import MeanAndMaximum, build_model
from .train import make_train_step

SMALL = Config(units=4, embedding_size=5, batch_size=4, vocabulary_size=50, learning_rate=0.01)
CPU = Device(tf.distribute.get_strategy(), "CPU", "float32", jit=False)
IDS = np.array([[2, 3, 4], [5, 2, 0], [6, 0, 0]], np.int32)


def table(path, rows, columns=("text", "label")):
    path.write_text("".join(json.dumps(dict(zip(columns, row))) + "\n" for row in rows))
    return path


def source_of(path, **fields):
    config = dataclasses.replace(SMALL, data=str(path), **fields)
    return config, pipeline.find_source(config)


@pytest.mark.parametrize("cell", ["simple_rnn", "gru", "lstm"])
@pytest.mark.parametrize("directions, pooling, layers", [("both", "mean_max", 2), ("forward", "last", 1)])
def test_one_step_moves_every_weight(cell, directions, pooling, layers):
    config = dataclasses.replace(SMALL, cell=cell, directions=directions, pooling=pooling, layers=layers)
    keras.utils.set_random_seed(0)
    model = build_model(config, vocabulary_size=7, classes=3)
    optimizer = keras.optimizers.Adam(0.01)
    optimizer.build(model.trainable_variables)
    before = [variable.numpy() for variable in model.trainable_variables]
    step = make_train_step(model, optimizer, WeightAverage(model.trainable_variables, 0.9), CPU, config)
    loss, weight, norm = step(tf.constant(IDS), tf.constant([0, 1, 2]), tf.ones(3))
    assert loss.numpy() == pytest.approx(np.log(3), rel=0.5) and weight == 3 and 0 < norm < 10
    for variable, old in zip(model.trainable_variables, before):
        assert not np.allclose(variable.numpy(), old), variable.path


def test_weights_of_rows_and_padding_rows_count_as_said():
    keras.utils.set_random_seed(0)
    config = dataclasses.replace(SMALL, word_dropout=0.0, embedding_dropout=0.0, output_dropout=0.0)
    model = build_model(config, vocabulary_size=7, classes=2)
    average = WeightAverage(model.trainable_variables, 0.9)
    step = make_train_step(model, keras.optimizers.SGD(0.0), average, CPU, config)
    alone = [step(tf.constant(IDS[i : i + 1]), tf.constant([1]), tf.ones(1))[0].numpy() for i in range(3)]
    together, weight, _ = step(tf.constant(IDS), tf.constant([1, 1, 1]), tf.constant([1.0, 3.0, 0.0]))
    assert together.numpy() == pytest.approx((alone[0] + 3 * alone[1]) / 4, rel=1e-5) and weight == 4


def test_padding_changes_no_answer():
    model = build_model(dataclasses.replace(SMALL, layers=2), vocabulary_size=7, classes=2)
    padded = np.pad(IDS, ((0, 0), (0, 6)))
    np.testing.assert_allclose(model(IDS), model(padded), atol=1e-6)


def test_mean_and_maximum_leave_padding_out():
    states = np.array([[[1.0, -5.0], [3.0, -1.0], [99.0, 99.0]], [[7.0, 7.0]] * 3], np.float32)
    valid = np.array([[True, True, False], [False] * 3])
    assert MeanAndMaximum()(states, valid).numpy().tolist() == [[2, -3, 3, -1], [0, 0, 0, 0]]


def test_held_out_rows_are_neither_lost_nor_shared(tmp_path):
    rows = [(f"text {number}", "ab"[number % 2]) for number in range(20)]
    config, source = source_of(table(tmp_path / "all.jsonl", rows), validation_fraction=0.25)
    opened = pipeline.open_source(config, source)
    texts = opened.read(["train", "validation"])
    assert (len(texts["train"].texts), len(texts["validation"].texts)) == (15, 5)
    assert sorted(texts["train"].texts + texts["validation"].texts) == sorted(text for text, _ in rows)
    assert opened.given == ["all"] and opened.holds_out


def measurable(path, **fields):
    """What can be trained and measured of a folder: its splits, the names of its labels, and what is said of it."""
    config, source = source_of(path, **fields)
    opened = pipeline.open_source(config, source)
    texts = opened.read(opened.to_train(test=True))
    names = label_names(pipeline.known_labels(opened, texts))
    return pipeline.measurable(opened, texts, names), names, opened.facts


def test_a_label_that_training_does_not_have_counts_as_missed_and_is_named(tmp_path):
    table(tmp_path / "train.jsonl", [("good", "yes"), ("bad", "no")])
    table(tmp_path / "valid.jsonl", [("good", "yes"), ("hm", "perhaps"), ("bad", "no"), ("oh", "who knows")])
    texts, names, facts = measurable(tmp_path)
    assert names == ["no", "yes"] and list(texts) == ["train", "validation"]
    said = "2 rows with a label that does not occur in training, counted as missed; the first: {}:2: 'perhaps'"
    assert facts["labels of validation"] == said.format(tmp_path / "valid.jsonl")
    word_ids = WordIds(["good", "bad"], 10)
    assert pipeline.make_examples(texts["train"], word_ids, names).labels.tolist() == [1, 0]
    examples = pipeline.make_examples(texts["validation"], word_ids, names)
    assert examples.labels.tolist() == [1, 2, 0, 3] and examples.unknown == ["perhaps", "who knows"]
    # In the place of a model: sure of the first three rows, by their first word.
    answers = {2: [0.0, 1.0], 3: [0.9, 0.1], 0: [0.5, 0.5], 1: [0.5, 0.5]}

    def predict_step(ids):
        return tf.constant([answers[first] for first in ids[:, 0].numpy()])

    measured = measure(predict_step, examples, names)
    # yes, no, no, no where yes, perhaps, no, who knows is right; F1 is 1 of yes, 0.5 of no, 0 of the others.
    assert measured.metrics["accuracy"] == 0.5 and measured.metrics["macro_f1"] == pytest.approx(1.5 / 4)
    assert measured.metrics["auc"] == 1 and measured.loss == pytest.approx(-np.log(0.9) / 2)
    assert list(measured.per_class) == ["no", "yes", "perhaps", "who knows"]
    assert measured.per_class["perhaps"] == {"precision": 0, "recall": 0, "f1": 0, "rows": 1}


def test_a_test_file_without_labels_is_not_measured_and_no_reason_not_to_train(tmp_path):
    table(tmp_path / "train.jsonl", [("good", "yes", 5), ("bad", "no", 1)], ("text", "sentiment", "rating"))
    file = tmp_path / "test.jsonl"
    # A column that is not the training labels' is not taken for labels, even though it could be.
    for rows, columns in (
        ([(1, "good")], ("id", "text")),
        ([("good", None), ("bad", " ")], ("text", "sentiment")),
        ([("good", 5)], ("text", "rating")),
    ):
        table(file, rows, columns)
        texts, _, facts = measurable(tmp_path, validation_fraction=0.5)
        assert "test" not in texts and facts["test"] == f"not measured: {file} has no labels"
    table(file, [("good", "positive")], ("text", "sentiment"))
    texts, _, facts = measurable(tmp_path, validation_fraction=0.5)
    nothing = f"{file}: none of its labels (positive) occurs in training (no, yes)"
    assert "test" not in texts and facts["test"] == f"not measured: {nothing}"
    # Rows without a label among others are bad lines, counted by file.
    table(file, [("good", "yes"), ("bad", None), ("a",)], ("text", "sentiment"))
    with pytest.raises(UserError, match="test.jsonl:2: expected a label in 'sentiment', found nothing"):
        measurable(tmp_path, validation_fraction=0.5)
    with open(tmp_path / "train.jsonl", "a") as stream:
        stream.write("{\n")
    texts, _, facts = measurable(tmp_path, validation_fraction=0.5, skip_bad_lines=True)
    assert len(texts["test"]) == 1
    assert facts["bad lines"].startswith("3 bad lines left out: 1 of train.jsonl, 2 of test.jsonl (")
    # Of the validation file nothing can be left out: it chooses the weights.
    table(tmp_path / "valid.jsonl", [("good", "positive")])
    with pytest.raises(UserError, match="valid.jsonl: none of its labels"):
        measurable(tmp_path, skip_bad_lines=True)


def test_labels_that_are_numbers_are_sorted_as_numbers():
    assert label_names(["10", "9", "9"]) == ["9", "10"]
    assert label_names(["b", "10", "9"]) == ["10", "9", "b"]
    assert label_names(["inf", "10", "-inf", "9"]) == ["-inf", "9", "10", "inf"]
    # "nan" has no place among numbers.
    assert label_names(["nan", "10", "NaN", "9"]) == ["10", "9", "NaN", "nan"]
    with pytest.raises(UserError, match="at least two labels"):
        label_names(["a", "a"])


def test_labels_that_differ_in_spelling_alone_are_said_and_found_again(tmp_path):
    assert doubtful(["a", "b", "1", "2.5", "none"]) is None
    said = "are labels of their own; spell them alike if they mean the same"
    assert doubtful(["1", "1.0", "b"]) == f"'1' and '1.0' {said}"
    assert doubtful(["1_0", "10"]) is None
    missing = "'NaN', 'nan' counts as a label; leave the rows out if it means that there is none"
    assert doubtful(["NaN", "b", "nan"]) == f"'NaN' and 'nan' {said}; {missing}"
    # In test, a spelling that training does not have stands for one that it has, unless that could be several.
    table(tmp_path / "train.jsonl", [("a", "1.0"), ("b", "Caf\u00e9"), ("c", "x"), ("d", "X")])
    table(tmp_path / "test.jsonl", [("a", 1), ("b", "cafe\u0301"), ("c", "x"), ("d", "\uff38")])
    texts, _, facts = measurable(tmp_path)
    assert texts["test"].labels == ["1.0", "Caf\u00e9", "x", "\uff38"]
    assert facts["labels of test"].startswith(
        "1, cafe\u0301 taken for 1.0, Caf\u00e9; 1 row with a label that does not"
    )


def test_class_weights():
    labels, names = np.array([0, 0, 0, 1]), ["a, b", "b=c"]

    def weights(setting):
        return class_weights(dataclasses.replace(SMALL, class_weights=setting), labels, names).tolist()

    assert weights("none") == [1, 1]
    assert weights("balanced") == pytest.approx([4 / 6, 2])
    assert weights("b=c=2.5") == [1, 2.5]
    assert weights('"a, b"=3, b=c=2.5') == weights('"a, b=3",b=c=2.5') == [3, 2.5]
    for setting, message in (
        ("d=1", "no label 'd'"),
        ("b=c=x", "not a number"),
        ("b=c=0", "positive"),
        ("b=c=nan", "positive"),
        ("a, b=2", 'a label with a comma is quoted: "a, b"=2'),
        ("balance", "no weight in 'balance'; did you mean balanced?"),
        ("b=c=1\nb=c=2", "a line break in"),
    ):
        with pytest.raises(UserError, match=message):
            weights(setting)


def test_a_batch_is_padded_to_the_replicas_with_rows_of_no_weight():
    examples = pipeline.Examples([np.array([2, 3]), np.array([4])], np.array([1, 0], np.int32), np.array([2, 1]))
    weights = np.array([1, 5], np.float32)
    ids, labels, row_weights = pipeline.make_batch(examples, np.array([1, 0, 1]), weights, size=4)
    assert ids.tolist() == [[4, 0], [2, 3], [4, 0], [0, 0]]
    assert labels.tolist() == [0, 1, 0, 0] and row_weights.tolist() == [1, 5, 1, 0]


def test_measure_counts_rows_in_their_own_order():
    keras.utils.set_random_seed(1)
    model = build_model(SMALL, vocabulary_size=7, classes=2)
    random = np.random.default_rng(0)
    ids = [random.integers(1, 7, length).astype(np.int32) for length in random.integers(0, 9, 300)]
    rows = [np.argmax(model(np.atleast_2d(row if len(row) else [0]))) for row in ids[:40]]
    examples = pipeline.Examples(ids[:40], np.array(rows, np.int32), np.array([len(row) for row in ids[:40]]))
    assert measure(make_predict_step(model), examples, ["a", "b"]).metrics["accuracy"] == 1


def test_the_saved_model_answers_raw_text_with_names(tmp_path):
    model = build_model(SMALL, vocabulary_size=4, classes=2)
    serving.save(tmp_path / "model.keras", WordIds(["good", "bad"], 5, name="word_ids"), model, ["nö", "ja"])
    loaded = keras.models.load_model(tmp_path / "model.keras")
    texts = ["Good!", "", "bad " * 1000]
    expected = tf.nn.softmax(model(np.array([[2, 1, 0, 0, 0], [0] * 5, [3] * 5]))).numpy()
    # A text without a word has no label.
    expected[1] = 0
    answer = loaded(tf.constant(texts))
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-6)
    first, _, third = (["nö", "ja"][index].encode() for index in expected.argmax(axis=1))
    assert answer["label"].numpy().tolist() == [first, b"", third]
    assert answer["error"].numpy().tolist() == [b"", b"no word in this text", b""]
    assert [row["text"] for row in serving.predict(serving.as_functions(loaded)["serving_default"], texts)] == texts


@pytest.mark.parametrize("cell, layers", [("simple_rnn", 1), ("gru", 2), ("lstm", 2)])
def test_a_text_that_comes_in_parts_is_answered_as_a_whole(tmp_path, cell, layers):
    config = dataclasses.replace(SMALL, cell=cell, layers=layers, directions="forward", pooling="last")
    words = "good bad not at all".split()
    model = build_model(config, vocabulary_size=2 + len(words), classes=2)
    serving.save(tmp_path / "model.keras", WordIds(words, 400, name="word_ids"), model, ["no", "yes"])
    functions = serving.as_functions(keras.models.load_model(tmp_path / "model.keras"))
    texts = ["Not bad at all, in fact good.", "Bad!", "good " * 30]
    whole = functions["serving_default"](tf.constant(texts))
    state = functions["start"](tf.constant(3))
    rows = [text.split() for text in texts]
    for place in range(max(map(len, rows))):
        # Nothing comes of a text that has ended.
        parts = [row[place] if place < len(row) else "" for row in rows]
        state = functions["step"](tf.constant(parts), *state.values())
        assert state.pop("labels").numpy().tolist() == [[b"no", b"yes"]] * 3
        probabilities = state.pop("probabilities")
    np.testing.assert_allclose(probabilities, whole["probabilities"], atol=1e-5)


def test_what_reads_in_both_directions_has_no_steps(tmp_path):
    for fields in ({"pooling": "last"}, {"directions": "forward"}):
        model = build_model(dataclasses.replace(SMALL, **fields), vocabulary_size=3, classes=2)
        serving.save(tmp_path / "model.keras", WordIds(["good"], 5, name="word_ids"), model, ["a", "b"])
        assert list(serving.as_functions(keras.models.load_model(tmp_path / "model.keras"))) == ["serving_default"]


def test_probabilities_are_float32_whatever_the_training_precision(tmp_path):
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    try:
        model = build_model(SMALL, vocabulary_size=4, classes=2)
        model.get_layer("output").bias.assign([1.0, 1.001])
        serving.save(tmp_path / "model.keras", WordIds(["good"], 5, name="word_ids"), model, ["a", "b"])
        first, second = keras.models.load_model(tmp_path / "model.keras")(tf.constant(["good"]))["probabilities"][0]
        # The logits are near the bias: bfloat16 could not tell 1.0 from 1.001.
        expected = tf.nn.softmax(model(np.full((1, 1), 2, np.int32)))[0]
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    assert first.dtype == tf.float32 and float(second - first) == pytest.approx(
        float(expected[1] - expected[0]), abs=1e-6
    )


def test_model_fit_works_too():
    model = build_model(SMALL, vocabulary_size=7, classes=3)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    history = model.fit(IDS, np.array([0, 1, 2]), epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2


@pytest.mark.parametrize(
    "field, value", [("epochs", -1), ("units", 0), ("output_dropout", 1.0), ("learning_rate", 0.0)]
)
def test_a_field_out_of_bounds_is_named_by_its_flag(field, value):
    with pytest.raises(UserError, match="--" + field.replace("_", "-")):
        dataclasses.replace(SMALL, **{field: value})


def test_a_row_without_a_text_is_named_and_all_others_are_answered(tmp_path, capsys):
    def answer(texts):
        """In the place of a model: the text is its own label."""
        return {"label": texts, "score": tf.ones(tf.shape(texts)), "error": tf.fill(tf.shape(texts), "")}

    rows = [{"id": 1, "text": None}, {"id": 2, "text": "good"}, {"id": 3, "text": ""}, {"id": 4, "text": ["a"]}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*rows, {"id": 5}]))
    with pytest.raises(UserError, match="3 of the inputs could not be read"):
        serving.predict_file(answer, SMALL, tmp_path / "in.jsonl", None, as_json=False)
    printed = capsys.readouterr()
    found = [json.loads(line) for line in printed.out.splitlines()]
    assert [row.get("predicted_label") for row in found] == [None, "good", "", None, None]
    assert [set(row) for row in found[3:]] == [{"id", "text", "error"}, {"id", "error"}]
    told, *named = printed.err.splitlines()
    assert told.endswith("in.jsonl: text in 'text'")
    assert [line.partition(": ")[0][-7:] for line in named] == [f"jsonl:{line}" for line in (1, 4, 5)]
    assert "in.jsonl:1: expected a text in 'text', found nothing" in printed.err
    with pytest.raises(UserError):
        serving.predict_file(answer, SMALL, table(tmp_path / "in.jsonl", [(None, 1)]), tmp_path / "out.csv", False)
    assert (tmp_path / "out.csv").read_text() == "text,label,predicted_label,predicted_score\n,1,,\n"
    skipping = dataclasses.replace(SMALL, skip_bad_lines=True)
    rows = table(tmp_path / "in.jsonl", [(None, 1), ("good", 2)])
    serving.predict_file(answer, skipping, rows, tmp_path / "out.csv", as_json=False)
    assert "1 rows" in (said := capsys.readouterr().err) and "1 bad line left out" in said


def test_columns_of_an_earlier_answer_stay(tmp_path, capsys):
    def answer(texts):
        return {"label": texts, "score": tf.ones(tf.shape(texts)), "error": tf.fill(tf.shape(texts), "")}

    (tmp_path / "in.csv").write_text("text;predicted_label\ngood, really;old\n")
    for name in ("one.csv", "two.csv"):
        serving.predict_file(answer, SMALL, tmp_path / "in.csv", tmp_path / name, as_json=False)
        (tmp_path / "in.csv").write_text((tmp_path / name).read_text())
    assert (tmp_path / "two.csv").read_text().splitlines()[0] == (
        "text,predicted_label,predicted_label (2),predicted_score (2),predicted_label (3),predicted_score (3)"
    )
    told = f"{tmp_path / 'in.csv'}: separated by semicolons, column names in the first line; text in 'text'"
    assert capsys.readouterr().err.splitlines()[0] == told
    rows = [("good",), ("bad", "old")]
    with pytest.raises(UserError, match="in.jsonl:2: has a column predicted_label or predicted_score; the first row"):
        file = table(tmp_path / "in.jsonl", rows, ("text", "predicted_label"))
        serving.predict_file(answer, SMALL, file, tmp_path / "out.jsonl", as_json=False)


def test_a_file_without_column_names_is_read_alike_by_all(tmp_path):
    rows = [(f"text number {row}", "pn"[row % 2]) for row in range(20)]
    (tmp_path / "all.tsv").write_text("".join(f"{label}\t{text}\n" for text, label in rows))
    config, source = source_of(tmp_path / "all.tsv", text_column="2", label_column="1")
    opened = pipeline.open_source(config, source)
    texts = opened.read(["all"])["all"]
    assert list(zip(texts.texts, texts.labels)) == rows and texts.lines == list(range(1, 21))
    assert opened.facts["read as"] == "separated by tabs, no line of column names; text in '2', label in '1'"

    def answer(texts):
        return {"label": texts, "score": tf.ones(tf.shape(texts)), "error": tf.fill(tf.shape(texts), "")}

    # What is written has no names either, a line for a line, and is read back by the same numbers.
    for name in ("a.csv", "b.csv"):
        file = tmp_path / ("all.tsv" if name == "a.csv" else "a.csv")
        serving.predict_file(answer, config, file, tmp_path / name, as_json=False)
        written = (tmp_path / name).read_text().splitlines()
        assert written[0].startswith("p,text number 0,text number 0,1.0") and len(written) == 20
    with pytest.raises(UserError, match="--delimiter :: expected auto, tab, comma"):
        dataclasses.replace(SMALL, delimiter=":")


def test_a_number_that_is_hardly_that_of_the_texts_is_refused_but_in_the_run_s_own_file(tmp_path, capsys):
    def answer(texts):
        return {"label": texts, "score": tf.ones(tf.shape(texts)), "error": tf.fill(tf.shape(texts), "")}

    for folder in ("own", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "test.csv").write_text("title,text\nhigh,low\n")
    config = dataclasses.replace(SMALL, data=str(tmp_path / "own"), text_column="1")
    serving.predict_file(answer, config, tmp_path / "own" / "test.csv", None, as_json=False)
    assert capsys.readouterr().out.splitlines()[1] == "high,low,high,1.0"
    with pytest.raises(UserError, match="column 1 is 'title', and 'text' looks like the texts; use --text-column NAME"):
        serving.predict_file(answer, config, tmp_path / "other" / "test.csv", None, as_json=False)
    by_name = dataclasses.replace(config, text_column="title")
    serving.predict_file(answer, by_name, tmp_path / "other" / "test.csv", None, as_json=False)
    assert capsys.readouterr().out.splitlines()[1] == "high,low,high,1.0"


def test_tables_in_files_of_text_where_there_are_no_others(tmp_path):
    rows = "".join(f"text number {row};{'pn'[row % 2]}\n" for row in range(20))
    for name in ("train.txt", "val.txt", "test.txt", "Collection"):
        (tmp_path / name).write_text(rows)
    columns = {"text_column": "1", "label_column": "2"}
    for to_train in (True, False):
        source = pipeline.find_source(dataclasses.replace(SMALL, data=str(tmp_path)), to_train)
        assert sorted(source.files.files) == ["test", "train", "validation"]
    for name in ("train.txt", "Collection"):
        config, source = source_of(tmp_path / name, **columns)
        opened = pipeline.open_source(config, source)
        assert len(opened.read(["all"])["all"]) == 20
        assert opened.facts["read as"] == "separated by semicolons, no line of column names; text in '1', label in '2'"
    # Beside other tables they are notes, as they were.
    (tmp_path / "train.csv").write_text("text,label\na,p\nb,n\n")
    assert source_of(tmp_path)[1].files.files == {"train": tmp_path / "train.csv"}
    with pytest.raises(UserError, match=r"a\.xlsx: expected a name in \.jsonl, .*, \.txt \("):
        source_of((tmp_path / "train.csv").rename(tmp_path / "a.xlsx"))
