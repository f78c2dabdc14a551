"""The template's own tests; they travel with a copy: `python -m pytest captioning`."""

import dataclasses
import itertools
import json
import shutil
import subprocess
import sys
import tarfile
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from data.captioned_pictures.source import CaptionedPictures
from data.errors import UserError
from data.subwords.ids import END, START
from data.subwords.pieces import Subwords
from rnn_layers.token_loss import token_losses
from training.averaging import WeightAverage
from training.device import Device
from training.runs.folder import RunFolder
from training.runs.record import Record

from . import pipeline, serving
from .asked import pictures_in
from .captions import caption_words, show, typical_rows, write_captions
from .config import Config
from .encoders import FusedBatchNormalization, build_network, features_of
from .evaluate import attention_of, evaluate, make_attention_step, make_predict_step, measure, score_shuffled
from .model import build_model
from .train import learning_rate, make_train_step, many_hot

SMALL = Config(
    picture_size=16, channels=4, grid_stride=4, units=4, embedding_size=5, vocabulary_size=290, batch_size=4,
    captions_per_picture=2, shift=0.0, zoom=0.0, flip=False, colour_change=0.0, learning_rate=0.01, word_dropout=0.0,
    embedding_dropout=0.0, dropout=0.0, label_smoothing=0.0, warm_up_steps=0, weight_decay=0.0,
)  # fmt: skip
LEARNING = dataclasses.replace(SMALL, channels=8, units=24, embedding_size=16, batch_size=12, max_length=12)
CPU = Device(tf.distribute.get_strategy(), "CPU", "float32", jit=False)
COLOURS = {"red": (220, 30, 30), "green": (30, 200, 60), "blue": (40, 60, 230)}
CORNERS = {"top left": (0, 0), "top right": (0, 8), "bottom left": (8, 0), "bottom right": (8, 8)}
SCENES = list(itertools.product(COLOURS, CORNERS))


def paint(colour: str, corner: str) -> np.ndarray:
    """A picture of 16 x 16 pixels: a spot in one corner."""
    picture = np.full((16, 16, 3), 90, np.uint8)
    row, column = CORNERS[corner]
    picture[row + 2 : row + 6, column + 2 : column + 6] = COLOURS[colour]
    return picture


def captions_of(colour: str, corner: str) -> list[str]:
    return [f"A {colour} spot, {corner}!", f"The spot at the {corner} is {colour}."]


def write_pictures(folder, splits=(("train", range(12)), ("val", range(0, 12, 3)))):
    """Pictures, captions and lists of splits, as a user has them."""
    (folder / "pictures").mkdir(parents=True)
    lines = []
    for number, scene in enumerate(SCENES):
        name = f"{number}.png"
        (folder / "pictures" / name).write_bytes(tf.io.encode_png(paint(*scene)).numpy())
        lines += [f"{name}#{at}\t{text}\n" for at, text in enumerate(captions_of(*scene))]
    (folder / "captions.txt").write_text("".join(lines))
    for split, rows in splits:
        (folder / f"{split}.txt").write_text("".join(f"{row}.png\n" for row in rows))
    return folder


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of pictures."""
    return write_pictures(tmp_path_factory.mktemp("own") / "spots")


def prepared(folder, config=SMALL, split="train"):
    """The pieces, and a split as examples."""
    config = dataclasses.replace(config, data=str(folder))
    opened = pipeline.open_source(config, pipeline.find_source(config))
    splits = opened.read(["train", "validation"])
    subwords = Subwords(pipeline.learn_vocabulary(config, splits["train"]))
    examples, note = pipeline.make_examples(config, opened, split, splits[split], subwords)
    assert note == ""
    return subwords, examples


def small_model(folder, config=SMALL):
    subwords, examples = prepared(folder, config)
    keras.utils.set_random_seed(0)
    return build_model(config, subwords.size, examples.pictures.shape[1:]), subwords, examples


def train_steps(model, config, examples, size=4):
    config = dataclasses.replace(config, batch_size=size)
    optimizer = keras.optimizers.AdamW(config.learning_rate, weight_decay=config.weight_decay)
    optimizer.build(model.trainable_variables)
    average = WeightAverage(model.weights, 0.9)
    return make_train_step(model, optimizer, average, CPU, config, examples.pictures)


def make_step_input(config, examples, rows, size, epoch=0):
    """What a training step takes, for some of the examples."""
    drawn = pipeline.draw(config, examples, epoch)
    shown, before, after = pipeline.make_batch(examples, rows, size, drawn.captions)
    words = pipeline.words_of(examples, rows, size)
    return [tf.constant(array) for array in (shown, *pipeline.changes_of(drawn, rows, size), before, after, words)]


# The network and its training step


@pytest.mark.parametrize(
    "fields",
    [
        {"cell": "gru", "attention": "additive", "blocks": 2},
        {"cell": "lstm", "attention": "multiplicative", "decoder_layers": 2, "tied_embeddings": False},
        {"cell": "simple_rnn", "attention": "none"},
        {"cell": "gru", "attention": "none", "decoder_layers": 2, "weight_decay": 0.1},
    ],
)
def test_one_step_moves_every_weight(pictures, fields):
    rates = {"word_dropout": 0.1, "embedding_dropout": 0.1, "dropout": 0.1, "label_smoothing": 0.1}
    strengths = {"shift": 0.1, "zoom": 0.1, "flip": True, "colour_change": 0.2}
    config = dataclasses.replace(SMALL, **fields, **rates, **strengths)
    model, subwords, examples = small_model(pictures, config)
    before = [variable.numpy() for variable in model.trainable_variables]
    mean_loss, _, norm = train_steps(model, config, examples)(*make_step_input(config, examples, np.arange(4), 4))
    assert 0 < mean_loss.numpy() < 2 * np.log(subwords.size)
    for variable, old in zip(model.trainable_variables, before, strict=True):
        assert not np.allclose(variable.numpy(), old, atol=0, rtol=1e-6), variable.path


def test_a_step_has_the_same_bits_whatever_steps_came_before(pictures):
    """As a run that goes on has it: its first step is a later one of the run that was not stopped."""
    config = dataclasses.replace(SMALL, batch_size=4)
    model, _, examples = small_model(pictures, config)
    step = train_steps(model, config, examples)
    for rows in (np.arange(4), np.arange(4, 8)):
        shown, transforms, colours, before, after, words = make_step_input(config, examples, rows, 4)
        step(shown, transforms, colours, before, after, words)
        step(shown, transforms, colours, before[:, :, :-1], after[:, :, :-1], words[:, :-1])
    assert step.experimental_get_tracing_count() == 1


def test_the_steps_loss_is_the_mean_over_the_pieces_and_learns_the_words_too(pictures):
    config = dataclasses.replace(SMALL, label_smoothing=0.2, word_loss=0.5)
    model, _, examples = small_model(pictures, config)
    inputs = make_step_input(config, examples, np.arange(4), 4)
    shown, *_, before, after, words = (tensor.numpy() for tensor in inputs)
    tokens, right = before.reshape(8, -1), after.reshape(8, -1)
    output = model({"picture": shown, "before": tokens}, training=True)
    log_p = tf.nn.log_softmax(output["scores"]).numpy().astype(float)
    found = np.take_along_axis(log_p, right[:, :, np.newaxis], axis=2)[:, :, 0]
    expected = -(0.8 * found + 0.2 * log_p.mean(axis=2))[right > 0].mean()
    step = train_steps(model, config, examples)
    loss, pieces, _ = step(*inputs)
    assert loss.numpy() == pytest.approx(expected, rel=1e-4) and pieces == (after > 0).sum()

    def words_missed():
        scores = model({"picture": shown, "before": tokens})["words"]
        truth = many_hot(words, scores.shape[-1])
        return tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(truth, scores)[:, 3:]).numpy()

    before_steps = words_missed()
    for _ in range(30):
        step(*inputs)
    assert words_missed() < 0.7 * before_steps


def test_the_words_of_a_picture_are_those_of_all_its_captions(pictures):
    subwords, examples = prepared(pictures)
    words = pipeline.words_of(examples, np.array([0, 5]), 3)
    assert words.shape[0] == 3 and words[2].tolist() == words[0].tolist()
    expected = set(np.concatenate(examples.captions[0])) - {END}
    assert set(words[0]) - {0} == expected and len(expected) > 8
    hot = many_hot(tf.constant(words), subwords.size).numpy()
    assert set(np.flatnonzero(hot[0, 1:]) + 1) == expected and set(np.unique(hot[:, 1:])) == {0, 1}


@pytest.mark.parametrize("attention", ["additive", "none"])
def test_padding_changes_neither_losses_nor_scores(pictures, attention):
    model, _, examples = small_model(pictures, dataclasses.replace(SMALL, attention=attention))
    chosen = pipeline.all_captions(examples)

    def losses_of(rows, multiple=1):
        shown, before, after = pipeline.make_batch(examples, rows, len(rows), chosen, multiple)
        tokens, right = (ids.reshape(2 * len(rows), -1) for ids in (before, after))
        losses = token_losses(model({"picture": shown, "before": tokens})["scores"], tf.constant(right))[0]
        return tf.where(right != 0, losses, 0.0).numpy()

    together = losses_of(np.arange(4), 16)
    for row in range(4):
        alone = losses_of(np.array([row]))
        for caption in range(2):
            here = together[2 * row + caption]
            np.testing.assert_allclose(here[: alone.shape[1]], alone[caption], rtol=1e-4, atol=1e-5)
            assert not here[alone.shape[1] :].any()


def test_model_fit_works_too(pictures):
    config = dataclasses.replace(SMALL, captions_per_picture=1)
    model, _, examples = small_model(pictures, config)
    shown, before, after = pipeline.make_batch(examples, np.arange(12), 12, pipeline.all_captions(examples)[:, :1])
    model.compile(
        keras.optimizers.Adam(0.01),
        {"scores": keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0), "words": None},
    )
    data = {"picture": shown.astype("float32"), "before": before[:, 0]}
    history = model.fit(data, {"scores": after[:, 0]}, batch_size=4, epochs=10, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0] - 0.5


def test_the_learning_rate_rises_then_halves():
    config = dataclasses.replace(SMALL, learning_rate=0.8, warm_up_steps=4, learning_rate_half_life=10)
    rates = [learning_rate(config, step) for step in (0, 1, 2, 3, 4, 14, 24)]
    assert rates == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.8, 0.4, 0.2])


# From a source to batches


def test_a_batch_has_every_caption_beside_its_picture(pictures):
    _, examples = prepared(pictures)
    chosen = np.full((12, 2), -1)
    chosen[5] = [1, 0]
    chosen[7, 0] = 1
    shown, before, after = pipeline.make_batch(examples, np.array([5, 7]), 3, chosen)
    assert [shown[row].tolist() for row in range(3)] == [paint(*SCENES[row]).tolist() for row in (5, 7, 5)]
    lengths = [[len(examples.captions[5][1]), len(examples.captions[5][0])], [len(examples.captions[7][1]), 0], [0, 0]]
    assert (after != 0).sum(axis=2).tolist() == lengths
    assert after[0, 0, : lengths[0][0]].tolist() == examples.captions[5][1].tolist()
    assert (before[:, :, 0] == START).all() and (before[:, :, 1:] == after[:, :, :-1]).all()
    assert shown.dtype == np.uint8 and before.dtype == after.dtype == np.int32


def test_captions_are_learned_as_they_are_scored(pictures):
    subwords, examples = prepared(pictures)
    assert subwords.decode(examples.captions[0][0][:-1]) == "a red spot top left"
    assert examples.captions[0][0][-1] == END and examples.references[0] == captions_of("red", "top left")


def test_what_an_epoch_sees_depends_on_seed_and_epoch_alone(pictures):
    _, examples = prepared(pictures)
    config = dataclasses.replace(SMALL, captions_per_picture=1, shift=0.2, colour_change=0.3)

    def drawn(epoch, **fields):
        made = pipeline.draw(dataclasses.replace(config, **fields), examples, epoch)
        return [made.captions.tolist(), made.transforms.tolist(), made.colours.tolist()]

    first = drawn(1)
    assert first == drawn(1) and first == drawn(1, batch_size=3, learning_rate=0.5)
    assert all(one != other for one, other in zip(first, drawn(2)))
    assert all(one != other for one, other in zip(first, drawn(1, seed=5)))
    assert {tuple(row) for row in first[0]} == {(0,), (1,)}
    both = pipeline.draw(dataclasses.replace(config, captions_per_picture=9), examples, 0)
    assert [sorted(row) for row in both.captions.tolist()] == [[0, 1]] * 12
    assert both.lengths.tolist() == [max(map(len, own)) for own in examples.captions]


def test_a_picture_whose_captions_name_a_side_is_never_mirrored(pictures, tmp_path):
    write_pictures(tmp_path / "some")
    lines = (tmp_path / "some" / "captions.txt").read_text().replace("left", "here").splitlines()
    (tmp_path / "some" / "captions.txt").write_text("\n".join(lines) + "\n")
    config = dataclasses.replace(SMALL, flip=True)
    mirrored = np.zeros(12, bool)
    _, examples = prepared(tmp_path / "some")
    for epoch in range(12):
        # The first number is the factor across, negative in a mirror.
        mirrored |= pipeline.draw(config, examples, epoch).transforms[:, 0, 0] < 0
    assert mirrored.tolist() == ["right" not in corner for _, corner in SCENES]


def test_only_training_captions_are_left_out(tmp_path):
    folder = write_pictures(tmp_path / "own")
    with open(folder / "captions.txt", "a") as stream:
        stream.write("0.png#2\t" + "very " * 20 + "long\n1.png#2\t...\n")
    config = dataclasses.replace(SMALL, data=str(folder), longest=8)
    opened = pipeline.open_source(config, pipeline.find_source(config))
    splits = opened.read(["train", "validation"])
    assert [len(captions) for captions in splits["train"].captions[:3]] == [3, 3, 2]
    kept, told = pipeline.filter_training(config, splits["train"])
    assert [len(captions) for captions in kept.captions] == [2] * 12
    assert told.startswith("2 of 26 training captions left out") and len(splits["validation"].captions[0]) == 3
    with pytest.raises(UserError, match="--longest 2"):
        pipeline.filter_training(dataclasses.replace(config, longest=2), splits["train"])
    # Of the first picture nothing is left: it is left out itself.
    shorter = dataclasses.replace(kept, captions=[[], *kept.captions[1:]])
    subwords = Subwords(pipeline.learn_vocabulary(config, shorter))
    examples, note = pipeline.make_examples(config, opened, "train", shorter, subwords)
    assert len(examples) == 11 and note == "" and examples.at.tolist() == list(range(1, 12))


def test_a_damaged_picture_is_named_and_the_others_are_read(tmp_path):
    folder = write_pictures(tmp_path / "own")
    (folder / "pictures" / "3.png").write_bytes((folder / "pictures" / "3.png").read_bytes()[:40])
    config = dataclasses.replace(SMALL, data=str(folder))
    opened = pipeline.open_source(config, pipeline.find_source(config))
    read = opened.read(["train"])["train"]
    subwords = Subwords(pipeline.learn_vocabulary(config, read))
    examples, note = pipeline.make_examples(config, opened, "train", read, subwords)
    assert note.startswith("1 of 12 cannot be read: ") and "3.png" in note
    assert len(examples) == 11 and not [name for name in examples.names if name.endswith("/3.png")]
    shown, _, _ = pipeline.make_batch(examples, np.array([3]), 1, pipeline.all_captions(examples))
    assert (shown[0] == paint(*SCENES[4])).all()


@pytest.mark.parametrize(
    "field, value",
    [("epochs", 0), ("units", 1), ("vocabulary_size", 258), ("label_smoothing", 1.0), ("beam_width", 0),
     ("max_length", 0), ("picture_size", 6), ("shift", -0.1), ("captions_per_picture", 0)],
)  # fmt: skip
def test_a_field_out_of_bounds_is_named_by_its_flag(field, value):
    with pytest.raises(UserError, match="--" + field.replace("_", "-")):
        dataclasses.replace(SMALL, **{field: value})


def test_the_fused_normalization_is_keras_own_but_for_the_unbiased_variance():
    random = np.random.default_rng(0)
    pictures = tf.constant(random.normal(2, 3, size=(3, 4, 5, 6)).astype("float32"))
    factors = random.normal(size=pictures.shape).astype("float32")
    layers = [FusedBatchNormalization(momentum=0.9), keras.layers.BatchNormalization(momentum=0.9)]
    found = []
    for layer in layers:
        layer.build(pictures.shape)
        layer.gamma.assign(np.arange(1, 7))
        layer.beta.assign(np.arange(6))
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            outputs = layer(pictures, training=True)
            total = tf.reduce_sum(outputs * factors)
        gradients = tape.gradient(total, [pictures, layer.gamma.value, layer.beta.value])
        found.append([outputs, *gradients, layer.moving_mean, (layer.moving_variance - 0.9)])
    found[1][-1] *= 60 / 59  # the variance of 3 x 4 x 5 places, of which one is the mean's
    for ours, expected in zip(*found, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-4)
    layers[1].set_weights(layers[0].get_weights())
    np.testing.assert_allclose(layers[0](pictures), layers[1](pictures), atol=1e-5)


# A network of keras.applications

SEEN = dataclasses.replace(
    SMALL, picture_size=32, grid_stride=16, encoder="MobileNetV3Small", encoder_weights="none", max_length=6
)


def test_a_frozen_networks_features_are_computed_once_and_the_saved_model_sees_the_picture(pictures, tmp_path):
    keras.utils.set_random_seed(0)
    network = build_network(SEEN)
    subwords, examples = prepared(pictures, SEEN)
    features = dataclasses.replace(examples, pictures=features_of(network, examples.pictures))
    assert features.pictures.shape == (12, 1, 1, 576) and features.pictures.dtype == np.float32
    model = build_model(SEEN, subwords.size, features.pictures.shape[1:])
    assert not [variable for variable in model.trainable_variables if "mobilenet" in variable.path.lower()]
    train_steps(model, SEEN, features)(*make_step_input(SEEN, features, np.arange(4), 4))
    run = RunFolder(tmp_path)
    serving.save(run.model_file, subwords, network, model, SEEN)
    loaded = serving.load_model(run, SEEN)
    expected = model.get_layer("encoder")(features.pictures)
    np.testing.assert_allclose(loaded.get_layer("encoder")(examples.pictures), expected, atol=1e-4)
    file = pictures / "pictures" / "0.png"
    (answer,) = serving.predict(serving.load(run, SEEN), [str(file)])
    whole = serving.as_functions(loaded)["serving_default"](tf.constant([file.read_bytes()]))
    assert answer["caption"] == whole["caption"].numpy()[0].decode()
    assert answer["score"] == pytest.approx(float(whole["score"][0]), abs=1e-5)


def test_a_network_is_fine_tuned_from_a_file_of_weights(pictures, tmp_path):
    file = tmp_path / "first.weights.h5"
    first = keras.applications.MobileNetV3Small(include_top=False, weights=None, input_shape=(32, 32, 3))
    first.save_weights(file)
    config = dataclasses.replace(SEEN, encoder_weights=str(file), fine_tune=True)
    model, _, examples = small_model(pictures, config)
    own = [variable for variable in model.trainable_variables if "mobilenet" in variable.path.lower()]
    before = [variable.numpy() for variable in own]
    assert all((one == other).all() for one, other in zip(before, (v.numpy() for v in first.trainable_variables)))
    train_steps(model, config, examples)(*make_step_input(config, examples, np.arange(4), 4))
    assert all((variable.numpy() != old).any() for variable, old in zip(own, before, strict=True))


@pytest.mark.parametrize(
    "fields, message",
    [({"encoder": "MobileNet3Small"}, "MobileNetV3Small"), ({"encoder_weights": "gone.h5"}, "gone.h5")],
)
def test_a_network_that_is_not_there_is_named(fields, message):
    with pytest.raises(UserError, match=message):
        build_network(dataclasses.replace(SEEN, **fields))


def test_weights_that_cannot_be_downloaded_are_said_to_be_replaceable(monkeypatch):
    def offline(include_top, weights, input_shape):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "MobileNetV3Small", offline)
    with pytest.raises(UserError, match="imagenet .*96: URL fetch failure; a file of weights .*none"):
        build_network(dataclasses.replace(SEEN, encoder_weights="imagenet", picture_size=96))


# Measuring, and a model that has learned its pictures


def test_measure_tells_the_loss_per_piece_and_what_captions_of_other_pictures_score(pictures):
    model, subwords, examples = small_model(pictures)
    chosen = pipeline.all_captions(examples)
    total = pieces = of_first = pieces_of_first = 0
    for row in range(12):
        shown, before, after = pipeline.make_batch(examples, np.array([row]), 1, chosen)
        scores = model({"picture": shown, "before": before[0]})["scores"]
        losses = token_losses(scores, tf.constant(after[0]))[0].numpy()
        total, pieces = total + losses[after[0] > 0].sum(), pieces + (after > 0).sum()
        of_first += losses[0][after[0, 0] > 0].sum()
        pieces_of_first += (after[0, 0] > 0).sum()

    def oracle(shown, before, after):
        steps = after.shape[2]
        scores = model({"picture": shown, "before": before.reshape(-1, steps)})["scores"]
        losses = token_losses(scores, tf.constant(after.reshape(-1, steps)))[0]
        return (
            tf.reduce_sum(losses.numpy()[after.reshape(-1, steps) > 0]),
            tf.constant(after[:, 0]),
            tf.zeros(len(shown)),
        )

    measured = measure(oracle, examples, subwords)
    assert measured.loss == pytest.approx(total / pieces, rel=1e-4)
    quickly = measure(oracle, examples, subwords, references_in_loss=1)
    assert quickly.loss == pytest.approx(of_first / pieces_of_first, rel=1e-4)
    assert quickly.metrics == measured.metrics
    assert measured.captions == [pipeline.normalise(captions_of(*scene)[0]) for scene in SCENES]
    assert measured.metrics["bleu4"] == pytest.approx(100) and measured.metrics["rouge_l"] == pytest.approx(1)
    shuffled = score_shuffled(measured.captions, examples.references)
    assert set(shuffled) == set(measured.metrics) and shuffled["cider"] < 0.7 * measured.metrics["cider"]
    assert [[*ids, END] for ids in measured.tokens] == [own[0].tolist() for own in examples.captions]


@pytest.fixture(scope="module")
def learned(tmp_path_factory, pictures):
    """A model that knows the pictures by heart, and its run folder."""
    model, subwords, examples = small_model(pictures, LEARNING)
    step = train_steps(model, LEARNING, examples, 12)
    inputs = make_step_input(LEARNING, examples, np.arange(12), 12)
    for _ in range(40):
        losses = [step(*inputs)[0].numpy() for _ in range(50)]
        # Near the least that is possible, so that no picture is told by chance alone.
        if losses[-1] < 0.1:
            break
    run = RunFolder(tmp_path_factory.mktemp("learned"))
    serving.save(run.model_file, subwords, None, model, LEARNING)
    run.write_vocabulary(subwords.pieces)
    return SimpleNamespace(run=run, model=model, subwords=subwords, examples=examples, loss=losses[-1])


@pytest.fixture(scope="module")
def answering(learned):
    """What `predict` answers with; to trace it takes seconds."""
    return serving.load(learned.run, LEARNING)


@pytest.fixture(scope="module")
def answers(answering, pictures):
    return list(serving.predict(answering, [str(pictures / "pictures")]))


def names(corner: str, colour: str, caption: str) -> bool:
    return caption in map(pipeline.normalise, captions_of(colour, corner))


def test_twelve_pictures_are_learned_by_heart(learned):
    # Which of a picture's two captions is asked for costs log 2 for each caption, 0.09 for each of its pieces.
    assert 0.09 < learned.loss < 0.11
    loaded = serving.load_model(learned.run, LEARNING)
    step = make_predict_step(loaded.get_layer("encoder"), loaded.get_layer("search"), learned.examples.pictures)
    measured = measure(step, learned.examples, learned.subwords)
    assert all(names(corner, colour, text) for (colour, corner), text in zip(SCENES, measured.captions, strict=True))
    assert measured.metrics["bleu4"] == pytest.approx(100)


def test_evaluate_reads_the_run_and_any_pictures(learned, pictures, tmp_path):
    config = dataclasses.replace(LEARNING, data=str(pictures))
    source = pipeline.find_source(config, to_train=False)
    learned.run.write_record(Record("captioning", "0", dataclasses.replace(source, fingerprint="another"), {}))
    result = evaluate(learned.run, config, source, None)
    assert (result["split"], result["rows"]) == ("validation", 4)
    assert result["metrics"]["rouge_l"] == pytest.approx(1) and result["shuffled"]["rouge_l"] < 1
    assert result["notes"]["read as"].endswith("name<TAB>caption on each line")


def test_the_page_shows_what_each_word_looked_at(learned, tmp_path):
    parts = [learned.model.get_layer(name) for name in ("encoder", "decoder")]
    search = serving.load_model(learned.run, LEARNING).get_layer("search")
    measured = measure(
        make_predict_step(parts[0], search, learned.examples.pictures), learned.examples, learned.subwords
    )
    attention_step = make_attention_step(*parts, learned.examples.pictures)
    attention = attention_of(attention_step, learned.examples.pictures[3], [*measured.tokens[3], END])
    assert attention.shape == (len(measured.tokens[3]) + 1, 16) and attention.dtype == np.float32
    np.testing.assert_allclose(attention.sum(axis=1), 1, atol=1e-5)
    shown = show(attention_step, learned.subwords, learned.examples, learned.examples, measured, 3)
    assert shown.words == measured.captions[3].split() and shown.attention.shape == (len(shown.words), 4, 4)
    np.testing.assert_allclose(shown.attention.sum(axis=(1, 2)), 1, atol=1e-5)
    assert shown.references == captions_of(*SCENES[3]) and (shown.picture == paint(*SCENES[3])).all()


# Answers


def test_the_saved_model_answers_every_picture_of_a_folder(answers, pictures):
    files = sorted((pictures / "pictures").iterdir())
    assert [answer["image"] for answer in answers] == [str(file) for file in files]
    for file, answer in zip(files, answers, strict=True):
        colour, corner = SCENES[int(file.stem)]
        assert names(corner, colour, answer["caption"]) and -1 < answer["score"] < 0
    json.dumps(answers, allow_nan=False)


def test_what_cannot_be_described_is_answered_in_its_place_with_the_reason(answering, pictures, tmp_path):
    whole = pictures / "pictures" / "2.png"
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "cut.png").write_bytes(whole.read_bytes()[:60])
    (tmp_path / "nothing").mkdir()
    (tmp_path / "damaged.tar").write_bytes(b"x" * 700)
    reasons = {
        "empty.jpg": "0 bytes",
        "gone.png": "no such picture or folder",
        "text.png": "no picture of a kind that is known; JPEG, PNG, GIF, BMP and WebP are read",
        "cut.png": "a damaged PNG picture",
        "nothing": "no picture in it; expected",
        "damaged.tar": "expected a tar archive",
        "n" * 300: "",
    }
    inputs = [str(whole), *(str(tmp_path / name) for name in reasons), "", str(whole)]
    first, *others, nameless, last = serving.predict(answering, inputs)
    # Another row of a product may be summed in another order.
    assert first == {**last, "score": pytest.approx(last["score"], abs=1e-5)}
    assert first["image"] == str(whole) and first["caption"]
    assert nameless["image"] == "" and nameless["error"].startswith("no such picture")
    for (name, reason), answer in zip(reasons.items(), others, strict=True):
        assert set(answer) == {"image", "error"} and answer["image"] == str(tmp_path / name)
        assert answer["error"] and reason in answer["error"]
        assert serving.as_line(answer) == f"{answer['image']}\t"
    (answer,) = serving.predict(answering, [str(tmp_path / "empty.jpgs")])
    assert "did you mean" in answer["error"] and "empty.jpg" in answer["error"]


def test_a_folder_holds_the_pictures_that_training_finds_in_it(answering, answers, pictures, tmp_path):
    content = (pictures / "pictures" / "2.png").read_bytes()
    for name in ("a.png", "__MACOSX/b.png", ".hidden/c.png", "._d.png", "e/f.PNG"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    with tarfile.open(tmp_path / "more.tar", "w") as archive:
        archive.add(tmp_path / "a.png", "g/h.png")
    found = {answer["image"]: answer["caption"] for answer in serving.predict(answering, [str(tmp_path)])}
    assert list(found) == [str(tmp_path / name) for name in ("a.png", "e/f.PNG", "more.tar/g/h.png")]
    (expected,) = (answer["caption"] for answer in answers if answer["image"].endswith("/2.png"))
    assert set(found.values()) == {expected}
    (other,) = serving.predict(answering, [str(tmp_path / "more.tar")])
    assert other["image"] == str(tmp_path / "more.tar" / "g" / "h.png")


def test_a_list_of_pictures_is_described_line_by_line(answering, answers, pictures, tmp_path, capsys):
    (pictures / "list.lst").write_text("pictures/1.png\n\npictures/0.png\n")
    serving.predict_file(answering, LEARNING, pictures / "list.lst", tmp_path / "out.txt", as_json=False)
    found = {answer["image"].rpartition("/")[2]: answer["caption"] for answer in answers}
    expected = "".join(f"pictures/{name}\t{found[name]}\n" for name in ("1.png", "0.png"))
    assert (tmp_path / "out.txt").read_text() == expected and "2 pictures" in capsys.readouterr().err
    (pictures / "list.lst").unlink()


def test_a_list_finds_pictures_as_training_does_and_names_those_it_cannot(
    answering, answers, pictures, tmp_path, capsys
):
    captions = {answer["image"].rpartition("/")[2]: answer["caption"] for answer in answers}
    (tmp_path / "loose").mkdir()
    shutil.copy(pictures / "pictures" / "0.png", tmp_path / "loose")
    (tmp_path / "loose" / "cut.png").write_bytes((pictures / "pictures" / "0.png").read_bytes()[:60])
    with tarfile.open(tmp_path / "packed.tar", "w") as archive:
        for name in ("1.png", "2.png"):
            archive.add(pictures / "pictures" / name, f"packed/{name}")
    lines = [b"0.png", b"loose/0", b"cut.png", b"elsewhere/packed/1.png", b"gone.png", b"caf\xe9.png", b"2"]
    (tmp_path / "list").write_bytes(b"\n".join(lines))
    with pytest.raises(UserError, match="3 of the inputs could not be read"):
        serving.predict_file(answering, LEARNING, tmp_path / "list", tmp_path / "out.txt", as_json=False)
    expected = [
        ("0.png", captions["0.png"]), ("loose/0", captions["0.png"]), ("cut.png", ""), ("elsewhere/packed/1.png",
        captions["1.png"]), ("gone.png", ""), ("caf\ufffd.png", ""), ("2", captions["2.png"]),
    ]  # fmt: skip
    assert (tmp_path / "out.txt").read_text() == "".join(f"{name}\t{caption}\n" for name, caption in expected)
    said = capsys.readouterr().err.splitlines()
    told = (
        "list:3: cut.png: a damaged PNG picture",
        "list:5: gone.png: no picture of",
        "list:6: caf",
        "out.txt: 7 pictures",
    )
    assert all(part in line for part, line in zip(told, said, strict=True))
    (tmp_path / "other.tar").write_text("damaged")
    (tmp_path / "list").write_text("loose/0.png\n2\n")
    with pytest.raises(UserError, match="1 of the inputs"):
        serving.predict_file(answering, LEARNING, tmp_path / "list", None, as_json=True)
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["caption"] == captions["0.png"]
    assert set(second) == {"image", "error"} and "other.tar: expected a tar archive" in second["error"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("captions.csv", 'image,caption\n1.jpg,"A dog, a cat"\n1.jpg,A dog\nb/scene#3,A cat\n000.jpg,A bird\n'),
        ("captions.txt", "1.jpg#0\tA dog\n1.jpg#1\tA dog\nscene#3\tA cat\n000.jpg\tA bird\n"),
        ("metadata.jsonl", '{"file_name": "1.jpg", "text": ["A", "B"]}\n{"file_name": "scene#3", "text": "C"}\n'),
        ("lists/captions.json", '{"1.jpg": "A dog", "scene#3.png": "A cat", "gone.jpg": "Nothing"}'),
        ("b/captions.txt", "scene#3\tA cat\n1\tA dog\n"),
    ],
)
def test_a_file_of_captions_means_the_same_pictures_to_run_and_to_predict(tmp_path, capsys, name, content):
    files = {"a/1.JPG": b"one", "b/scene#3.png": b"three", "a/000.jpg": b"x", "b/000.jpg": b"y"}
    for picture, written in (files | {name: content.encode()}).items():
        (tmp_path / picture).parent.mkdir(exist_ok=True)
        (tmp_path / picture).write_bytes(written)
    config = Config(data=str(tmp_path / name))
    source = pipeline.find_source(config)
    trained_on = [source.files.pictures.read(one) for one in pipeline.open_source(config, source).read_own("all").names]
    asked = [picture for _, picture in pictures_in(tmp_path / name, config)]
    assert [picture.read() for picture in asked if picture.read] == trained_on != []
    assert [picture.error[:9] for picture in asked if not picture.read] in ([], ["ambiguous"], ["no pictur"])
    assert "each picture is described once" in capsys.readouterr().err


def test_the_configuration_says_how_to_search(learned, pictures):
    def caption(**fields):
        config = dataclasses.replace(LEARNING, **fields)
        (found,) = serving.predict(serving.load(learned.run, config), [str(pictures / "pictures" / "4.png")])
        return serving.load_model(learned.run, config).get_layer("search"), found

    greedy, first = caption(beam_width=1)
    wide, second = caption(beam_width=7)
    assert (greedy.width, wide.width, greedy.most_steps) == (1, 7, 13)
    assert second["score"] >= first["score"] - 1e-5
    short, found = caption(max_length=2)
    assert short.most_steps == 3 and len(found["caption"].split()) <= 2


def test_the_exported_model_needs_tensorflow_alone_and_answers_as_predict_does(learned, answers, pictures, tmp_path):
    serving.export(learned.run, LEARNING, tmp_path / "exported")
    script = """
import json, pathlib, sys
import tensorflow as tf
answer = tf.saved_model.load("exported").signatures["serving_default"]
contents = [path.read_bytes() for path in sorted(pathlib.Path(sys.argv[1]).iterdir())]
found = {name: value.numpy() for name, value in answer(image_bytes=tf.constant(contents)).items()}
assert set(found) == {"caption", "score", "error"} and found["score"].dtype == "float32"
assert answer(image_bytes=tf.constant([], tf.string))["caption"].shape == (0,)
jpeg = tf.io.encode_jpeg(tf.io.decode_png(contents[0]), quality=100, chroma_downsampling=False).numpy()
assert answer(image_bytes=tf.constant([jpeg]))["caption"].numpy()[0] == found["caption"][0]
assert not [name for name in sys.modules if name.split(".")[0] in ("rnn_layers", "data", "training", "templates")]
print(json.dumps([[text.decode() for text in found["caption"]], found["score"].tolist()]))
"""
    environment = {"PATH": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", script, str(pictures / "pictures")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    captions, scores = json.loads(done.stdout)
    assert captions == [answer["caption"] for answer in answers]
    np.testing.assert_allclose(scores, [answer["score"] for answer in answers], atol=1e-4)


# What people look at


def test_captions_are_written_beside_their_references(tmp_path):
    examples = pipeline.Examples(
        ["a.png", "b.png"], np.zeros((2, 1, 1, 3)), np.arange(2), [[], []], [], [["A é"], ["B", "C"]]
    )
    measured = SimpleNamespace(captions=["x", ""], scores=np.array([-0.25, -1.0]), ciders=[1.5, 0.0])
    write_captions(tmp_path / "out.jsonl", examples, measured)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows == [
        {"image": "a.png", "caption": "x", "score": -0.25, "cider": 1.5, "references": ["A é"]},
        {"image": "b.png", "caption": "", "score": -1.0, "cider": 0.0, "references": ["B", "C"]},
    ]


def test_the_pictures_to_show_are_good_and_bad_ones():
    ciders = np.linspace(0, 3, 100)[::-1]
    rows = typical_rows(ciders, 4)
    assert (
        ciders[rows].tolist() == sorted(ciders[rows], reverse=True) and ciders[rows].min() < 1 < 2 < ciders[rows].max()
    )
    assert typical_rows([0.5], 4) == [0] and len(typical_rows([0.1, 0.2], 40)) == 2


def test_words_begin_with_a_space_whatever_their_pieces_are():
    subwords = Subwords([" snow", "board"])
    tokens = subwords.encode("a snowboard é")
    assert caption_words(subwords, tokens) == (["a", "snowboard", "é"], [0, 1, 3])
    assert caption_words(subwords, []) == ([], [])


def test_where_a_script_has_no_blanks_each_piece_is_a_word():
    """Before, a caption in Chinese was one word with one picture of attention; a character in bytes is still one."""
    subwords = Subwords(["狗在", "跑"])
    tokens = subwords.encode("狗在跑猫")
    assert caption_words(subwords, tokens)[1] == [0, 1] and len(tokens) == 5


def test_the_length_of_captions_without_blanks_is_that_of_their_characters():
    pictures = CaptionedPictures(["a", "b"], [["一只黑色的狗在跑。"], ["狗" * 20]])
    kept, told = pipeline.filter_training(dataclasses.replace(SMALL, longest=5), pictures)
    assert kept.captions == [["一只黑色的狗在跑。"], []] and told.startswith("1 of 2 training captions left out")
