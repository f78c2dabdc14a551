"""The template's own tests; they travel with a copy: `python -m pytest ner`."""

import dataclasses
import json
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from data.errors import UserError
from data.tagged_sentences.columns import Part, TaggedSentences, read_tagged_sentences
from data.tagged_sentences.tag_schemes import convert, entities
from data.tagged_sentences.token_features import TokenFeatures
from rnn_layers.crf import ChainLoss
from training.averaging import WeightAverage
from training.device import Device

from . import facts, pipeline, serving
from .characters import CharacterWords
from .config import Config
from .errors import entity_mistakes, write_errors
from .evaluate import make_predict_step, measure
from .files import with_tags
from .model import build_model, decode, loss
from .pipeline import Tags
from .tag_names import written_after, written_tags
from .train import make_train_step

SMALL = Config(
    units=4, embedding_size=5, character_size=3, character_units=4, affix_size=2, batch_size=4, learning_rate=0.01
)
CPU = Device(tf.distribute.get_strategy(), "CPU", "float32", jit=False)
PEOPLE = Tags("IOB2", ["O", "B-PER", "I-PER", "E-PER", "S-PER"])
PLAIN = Tags("plain", ["DET", "NOUN", "VERB"])
SENTENCES = {
    "Ann Lee sings": "B-PER I-PER O",
    "the cat sings": "O O O",
    "Bob": "B-PER",
    "the Ann Lee 's Bob": "O B-PER I-PER O B-PER",
}


def columns(path, sentences=SENTENCES, separator="\t"):
    lines = [
        "".join(f"{token}{separator}{tag}\n" for token, tag in zip(text.split(), tags.split(), strict=True))
        for text, tags in sentences.items()
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def source_of(path, **fields):
    config = dataclasses.replace(SMALL, data=str(path), **fields)
    return config, pipeline.find_source(config)


def examples_of(path, **fields):
    """Config, features, tags, and the examples of the whole file."""
    config, source = source_of(path, **fields)
    opened = pipeline.open_source(config, source)
    sentences, scheme = pipeline.in_one_scheme(config, opened, opened.read(["all"]))
    sentences["train"] = sentences["all"]
    tags = pipeline.find_tags(opened, {"train": sentences["all"], "validation": sentences["all"]}, scheme)
    vocabulary = pipeline.choose_vocabulary(config, sentences["all"])
    features = TokenFeatures(*(vocabulary[name] for name in ("words", "characters", "affixes")), name="features")
    return (
        config,
        features,
        tags,
        pipeline.make_examples(sentences, features, tags)["all"],
    )


def tensors(batch):
    ids, tags = batch
    return {name: tf.constant(array) for name, array in ids.items()}, tf.constant(tags)


@pytest.mark.parametrize("decoder", ["crf", "softmax"])
@pytest.mark.parametrize(
    "cell, directions, layers, characters, affix_size",
    [("simple_rnn", "both", 2, "cnn", 2), ("gru", "forward", 1, "rnn", 0), ("lstm", "both", 1, "none", 2)],
)
def test_one_step_moves_every_weight(tmp_path, decoder, cell, directions, layers, characters, affix_size):
    path = columns(tmp_path / "all.conll")
    fields = {"cell": cell, "directions": directions, "layers": layers, "characters": characters}
    config, features, tags, examples = examples_of(path, decoder=decoder, affix_size=affix_size, **fields)
    config = dataclasses.replace(config, embedding_dropout=0.1, output_dropout=0.1)
    keras.utils.set_random_seed(0)
    model = build_model(config, features, tags)
    optimizer = keras.optimizers.Adam(0.01)
    optimizer.build(model.trainable_variables)
    before = [variable.numpy() for variable in model.trainable_variables]
    average = WeightAverage(model.trainable_variables, 0.9)
    step = make_train_step(model, optimizer, average, CPU, config, examples.features)
    mean_loss, tokens, norm = step(*tensors(pipeline.make_batch(examples, np.arange(4), 6)))
    assert 0 < mean_loss.numpy() < 2 * np.log(len(tags.names)) and tokens == sum(examples.lengths[:4])
    assert 0 < norm < 10
    for variable, old in zip(model.trainable_variables, before):
        assert not np.allclose(variable.numpy(), old), variable.path


@pytest.mark.parametrize("decoder", ["crf", "softmax"])
def test_padding_changes_neither_tags_nor_loss(tmp_path, decoder):
    config, features, tags, examples = examples_of(columns(tmp_path / "all.conll"), decoder=decoder)
    model = build_model(config, features, tags)

    def answer(batch):
        ids, right = tensors(batch)
        outputs, valid = model(ids), ids["words"] != 0
        return loss(decoder, outputs, right, valid).numpy(), decode(decoder, outputs, valid).numpy()

    losses, chosen = answer(pipeline.make_batch(examples, np.arange(4), 6, multiple=8))
    assert losses[4:].tolist() == [0, 0]
    for row in range(4):
        alone, chosen_alone = answer(pipeline.make_batch(examples, np.array([row]), 1))
        assert alone[0] == pytest.approx(losses[row], rel=1e-4)
        size = examples.lengths[row]
        assert chosen_alone[0, :size].tolist() == chosen[row, :size].tolist() and not chosen[row, size:].any()


def test_a_crf_never_writes_what_the_scheme_forbids(tmp_path):
    config, features, tags, examples = examples_of(columns(tmp_path / "all.conll"))
    keras.utils.set_random_seed(3)
    model = build_model(config, features, tags)
    model.get_layer("scores").kernel.assign(
        30 * np.random.default_rng(0).normal(size=(2 * config.units, len(tags.names)))
    )
    measured = measure(make_predict_step(model, "crf", examples.features), examples, tags)
    for row in measured.tags:
        assert convert(convert(row, "IOB2", "IOBES"), "IOBES", "IOB2") == row


@pytest.mark.parametrize("letters", ["BIES", "BILU", "BMES"])
@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "IOBES"])
@pytest.mark.parametrize("types", [("-A", "-B"), ("",)])
def test_tags_come_back_as_the_data_writes_them(scheme, types, letters):
    inner = ["O", *(f"{letter}{kind}" for kind in types for letter in "BIES")]
    tags = Tags(scheme, inner, letters)
    legal = "S-A S-A B-A I-A E-A B-A E-A O S-B S-A".replace("-B", types[-1]).replace("-A", types[0]).split()
    numbers = [inner.index(tag) for tag in legal]
    assert written_tags(tags, numbers) == convert(legal, "IOBES", scheme, letters)
    table = written_after(tags)
    assert [table[before][tag] for before, tag in zip([len(inner), *numbers], numbers)] == written_tags(tags, numbers)


def test_a_single_file_is_split_and_schemes_are_found(tmp_path):
    config, source = source_of(columns(tmp_path / "all.conll"), validation_fraction=0.25)
    opened = pipeline.open_source(config, source)
    sentences, scheme = pipeline.in_one_scheme(config, opened, opened.read(["train", "validation"]))
    assert scheme.name == "IOB2" and [len(sentences[split]) for split in ("train", "validation")] == [3, 1]
    tags = pipeline.find_tags(opened, sentences, scheme)
    assert tags == PEOPLE
    given = [tags for split in sentences.values() for tags in split.tags]
    assert sorted(map(" ".join, given)) == sorted(SENTENCES.values())


def test_plain_tags_are_found_or_demanded(tmp_path):
    path = columns(tmp_path / "pos.conll", {"the cat sings": "DET NOUN VERB", "cats sing": "NOUN VERB"}, " ")
    config, source = source_of(path)
    opened = pipeline.open_source(config, source)
    rows = opened.read(["all"])
    sentences, scheme = pipeline.in_one_scheme(config, opened, rows)
    assert pipeline.find_tags(opened, {"train": sentences["all"], "validation": sentences["all"]}, scheme) == PLAIN
    with pytest.raises(UserError, match="no tag is part of an entity.*--task tags"):
        pipeline.in_one_scheme(dataclasses.replace(config, task="entities"), opened, rows)
    assert pipeline.best_by(config, PLAIN) == "accuracy" and pipeline.best_by(config, PEOPLE) == "f1"
    with pytest.raises(UserError, match="--best-by f1 is for entities"):
        pipeline.best_by(dataclasses.replace(config, best_by="f1"), PLAIN)


@pytest.mark.parametrize("plain", [False, True])
def test_what_training_lacks_is_missed_and_the_rest_is_measured(tmp_path, plain):
    sentences = {"Ann saw Mona Lisa": "B-PER O B-ART I-ART", "the Bob sings": "O B-PER O"}
    if plain:
        sentences = {"the cat cat": "DET NOUN PROPN", "the cat": "DET NOUN"}
    columns(tmp_path / "train.conll", {"the cat sings": "DET NOUN VERB"} if plain else SENTENCES)
    columns(tmp_path / "test.conll", sentences)
    columns(tmp_path / "valid.conll", {"the cat": "DET NOUN"} if plain else {"Ann": "B-PER"})
    config, source = source_of(tmp_path)
    opened = pipeline.open_source(config, source)
    read, scheme = pipeline.in_one_scheme(config, opened, opened.read(["train", "test"]))
    tags = pipeline.find_tags(opened, read, scheme)
    name = "PROPN" if plain else "ART"
    assert facts.not_in_training(read, tags) == f"{name} (1 in test): counted as missed"
    examples = pipeline.make_examples(read, TokenFeatures(["ann"], [], []), tags)["test"]
    assert examples.known.tolist() == [False, True]

    def oracle(ids, chosen):  # right wherever it can be
        return tf.constant(chosen), tf.reduce_sum(tf.cast(ids["words"] != 0, tf.float32), axis=1) ** 2

    measured = measure(oracle, examples, tags)
    assert measured.per_class[name]["recall"] == 0 and measured.per_class[name]["rows"] == 1
    if plain:
        assert measured.metrics == {"accuracy": 4 / 5} and measured.classes == [*tags.names, "PROPN"]
    else:
        assert measured.metrics == {"precision": 1, "recall": 2 / 3, "f1": 0.8, "accuracy": 5 / 7}
    assert len(measured.mistakes("test", examples, tags)) == 1
    # The loss is that of the sentence whose tags are all known, per token of it.
    assert measured.loss == pytest.approx(len(examples.sentences.tokens[1]))


def test_measure_agrees_with_the_tags_of_the_file(tmp_path):
    config, features, tags, examples = examples_of(columns(tmp_path / "all.conll"))

    def oracle(ids, chosen):
        return tf.constant(chosen), tf.zeros(tf.shape(chosen)[0])

    measured = measure(oracle, examples, tags)
    assert measured.tags == examples.sentences.tags
    assert measured.metrics == {"precision": 1, "recall": 1, "f1": 1, "accuracy": 1}
    assert measured.per_class["PER"]["rows"] == 4 and measured.mistakes("all", examples, tags) == []


def test_tags_in_other_letters_are_compared_in_one_spelling(tmp_path):
    spelled = {text: " ".join(convert(tags.split(), "IOB2", "IOBES", "BILU")) for text, tags in SENTENCES.items()}
    _, _, tags, examples = examples_of(columns(tmp_path / "bilou.conll", spelled))
    assert tags == dataclasses.replace(PEOPLE, scheme="IOBES", letters="BILU")

    def oracle(ids, chosen):
        return tf.constant(chosen), tf.zeros(tf.shape(chosen)[0])

    measured = measure(oracle, examples, tags)
    assert measured.metrics == {"precision": 1, "recall": 1, "f1": 1, "accuracy": 1}
    assert [" ".join(row) for row in measured.tags] == [*spelled.values()]


def test_one_irregular_tag_is_read_as_conlleval_reads_it(tmp_path):
    path = columns(tmp_path / "all.conll", SENTENCES | {"A Lund man": "O I-PER O"})
    config, source = source_of(path)
    opened = pipeline.open_source(config, source)
    sentences, scheme = pipeline.in_one_scheme(config, opened, opened.read(["all"]))
    assert len(sentences["all"]) == 5
    assert opened.facts["irregular tags"] == (
        f"1 of 5 sentences does not follow IOB2 and is read as by conlleval ({path}:18: I-PER after O)"
    )
    _, _, tags, examples = examples_of(path)
    assert [tags.names[number] for number in examples.tags[-1]] == ["O", "S-PER", "O"] and examples.known.all()


def test_bad_tags_are_left_out_of_training_only(tmp_path):
    for stem in ("train", "valid", "test"):
        columns(tmp_path / f"{stem}.conll", SENTENCES | {"a Bob": "O PER"})
    config, source = source_of(tmp_path, skip_bad_lines=True)
    opened = pipeline.open_source(config, source)
    sentences, _ = pipeline.in_one_scheme(config, opened, opened.read(["train", "validation", "test"]))
    assert [len(rows) for rows in sentences.values()] == [4, 5, 5]
    assert entities(sentences["test"].tags[-1]) == [("_", 1, 2)]
    assert opened.facts["bad lines"].startswith("1 bad line left out") and "2 of 15" in opened.facts["irregular tags"]


def test_lines_that_cannot_be_read_of_a_split_to_measure_are_told(tmp_path):
    columns(tmp_path / "train.conll")
    (tmp_path / "test.conll").write_text("a O\n\nb O\nc O O\n")
    config, source = source_of(tmp_path, skip_bad_lines=True)
    opened = pipeline.open_source(config, source)
    assert len(opened.read(["train", "test"])["test"]) == 1
    assert opened.facts["not measured of test"] == "the sentences around 1 bad line"
    config, source = source_of(tmp_path)
    with pytest.raises(
        UserError, match="test.conll:4: expected 2 columns.*run --no-test trains without the test split"
    ):
        pipeline.open_source(config, source).read(["test"])


def test_no_entity_in_the_column_that_is_read_names_the_one_that_has_them(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("# id 1\n1\tAnn\tB-PER\tO\n2\tsings\tO\tO\n\n1\tBob\tB-PER\tO\n")
    config, source = source_of(path)
    opened = pipeline.open_source(config, source)
    rows, scheme = pipeline.in_one_scheme(config, opened, opened.read(["train", "validation"]))
    with pytest.raises(UserError, match=r"every tag is O; columns: 4.* 3 has tags of entities too \(--tag-column 3\)"):
        pipeline.find_tags(opened, rows, scheme)
    config, source = source_of(path, tag_column="3")
    assert pipeline.open_source(config, source).read(["all"])["all"].tags == [["B-PER", "O"], ["B-PER"]]


def test_mistakes_are_told_as_people_read_them(tmp_path):
    _, _, _, examples = examples_of(columns(tmp_path / "all.conll"))
    predicted = [["B-LOC", "I-LOC", "O"], ["O", "B-PER", "O"], ["O"], ["O", "B-PER", "O", "O", "B-PER"]]
    true = [entities(row) for row in examples.sentences.tags]
    rows = list(entity_mistakes("all", examples.sentences, true, [entities(row) for row in predicted]))
    told = [(row["place"], row["mistake"], row["true_text"], row["predicted_text"]) for row in rows]
    assert told == [
        ("line 1", "type", "Ann Lee", "Ann Lee"),
        ("line 6", "invented", "", "cat"),
        ("line 9", "missed", "Bob", ""),
        ("line 12", "border", "Ann Lee", "Ann"),
    ]
    write_errors(tmp_path / "errors.tsv", rows)
    assert (tmp_path / "errors.tsv").read_text().splitlines()[1].split("\t")[-1] == "Ann Lee sings"


def saved(tmp_path, **fields):
    config, features, tags, examples = examples_of(columns(tmp_path / "all.conll"), **fields)
    keras.utils.set_random_seed(1)
    model = build_model(config, features, tags)
    serving.save(tmp_path / "model.keras", features, model, config, tags)
    loaded = keras.models.load_model(tmp_path / "model.keras")
    return serving.Tagger(serving.as_functions(loaded), tags), examples


@pytest.mark.parametrize("fields", [{}, {"decoder": "softmax", "characters": "rnn"}])
def test_the_saved_model_answers_raw_text(tmp_path, fields):
    tagger, _ = saved(tmp_path, **fields)
    texts = ["Ann Lee sings.", "", "  Größe\tüber 🙂 Bob! ", "sings " * 3000]
    answers = serving.predict(tagger, texts)
    assert [answer["text"] for answer in answers] == texts
    assert answers[0]["tokens"] == ["Ann", "Lee", "sings", "."] and answers[1]["tokens"] == []
    assert len(answers[3]["tags"]) == 3000
    for answer in answers:
        assert len(answer["tags"]) == len(answer["tokens"])
        for entity in answer["entities"]:
            assert answer["text"][entity["start_char"] : entity["end_char"]] == entity["text"]
    tokens = [answer["tokens"] for answer in answers]
    assert serving.predict_tokens(tagger, tokens) == [answer["tags"] for answer in answers]
    json.dumps(answers)


def test_a_line_of_an_answer_shows_the_entities():
    answer = {"text": "Ann Lee\nsings", "tokens": ["Ann", "Lee", "sings"], "tags": ["B-PER", "I-PER", "O"]}
    answer["entities"] = [{"type": "PER", "text": "Ann Lee", "start": 0, "end": 2, "start_char": 0, "end_char": 7}]
    line = serving.as_line(answer)
    assert "[PER Ann Lee]" in line and line.endswith("sings") and "\n" not in line
    assert "cat" in serving.as_line({"text": "cat", "tokens": ["cat"], "tags": ["NOUN"]})


def predicted(path, output=None, **fields):
    """What `predict --file` writes, with a tagger that tags a token by its length; else what it prints."""

    def by_length(tokens):
        return {"tags": tf.where(tokens != "", tf.strings.as_string(tf.strings.length(tokens, "UTF8_CHAR")), "")}

    serving.predict_file(
        serving.Tagger({"tokens": by_length}, PLAIN), dataclasses.replace(SMALL, **fields), path, output, not output
    )
    return output and output.read_text(encoding="utf-8")


def test_files_get_one_more_column_and_keep_the_rest(tmp_path):
    path, out = tmp_path / "a.conll", tmp_path / "out"
    path.write_text("-DOCSTART- -X- O\n\nAnn NNP O\nsings\tVB\tO\n\n\nBob NNP O", encoding="utf-8")
    assert predicted(path, out) == "-DOCSTART- -X- O\n\nAnn NNP O 3\nsings\tVB\tO\t5\n\n\nBob NNP O 3\n"
    path = tmp_path / "b.conllu"
    rest = "\t_\t_\t_\t_\t_\t_\t_"
    lines = ["# text = du\n", f"1-2\tdu{rest}\t_\n", f"1\tde{rest}\t_\n", f"1.1\tx{rest}\t_\n", f"2\tles{rest}\tX=1\n"]
    path.write_text("".join(lines) + "\n", encoding="utf-8")
    lines[2], lines[4] = f"1\tde{rest}\tPredicted=2\n", f"2\tles{rest}\tX=1|Predicted=3\n"
    assert predicted(path, out) == "".join(lines) + "\n"


def test_a_treebank_takes_tags_with_bars_and_gives_them_back(tmp_path):
    tags = ["Case=Nom|Number=Sing", "_", "a\\\\p|b"]
    rows = [f"{n}\tw\t_\tX\t_\t_\t_\t_\t_\t{misc}" for n, misc in enumerate(["_", "SpaceAfter=No", "X=1|Y"], 1)]
    lines = with_tags(Part(1, rows, ["w"] * 3, [""] * 3, [0, 1, 2]), tags, is_conllu=True)
    miscs = [line.rstrip("\n").split("\t")[9].split("|") for line in lines]
    assert [misc[:-1] for misc in miscs] == [[], ["SpaceAfter=No"], ["X=1", "Y"]]
    unescape = {r"\p": "|", r"\\": "\\"}
    found = [re.sub(r"\\.", lambda match: unescape[match[0]], misc[-1].removeprefix("Predicted=")) for misc in miscs]
    assert found == tags


def test_lists_get_one_more_list(tmp_path, capsys):
    path, out = tmp_path / "a.jsonl", tmp_path / "out.jsonl"
    rows = [{"id": 7, "tokens": ["Ann", "sings"]}, {"id": 8, "tokens": []}]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    written = [json.loads(line) for line in predicted(path, out).splitlines()]
    assert written == [rows[0] | {"predicted_tags": ["3", "5"]}, rows[1] | {"predicted_tags": []}]
    again = [json.loads(line) for line in predicted(out, tmp_path / "again.jsonl").splitlines()]
    assert again == [row | {"predicted_tags (2)": row["predicted_tags"]} for row in written]
    capsys.readouterr()
    predicted(path)
    assert json.loads(capsys.readouterr().out.splitlines()[0]) == {"tokens": ["Ann", "sings"], "tags": ["3", "5"]}


def test_text_that_is_already_cut_is_cut_at_blanks(tmp_path):
    config, features, tags, _ = examples_of(columns(tmp_path / "all.conll"), tokens="blanks")
    tweet = "@nasa  is in #London\u00a0! http://t.co/abc\t:)"
    serving.save(tmp_path / "model.keras", features, build_model(config, features, tags), config, tags)
    loaded = keras.models.load_model(tmp_path / "model.keras")
    expected = ["@nasa", "is", "in", "#London\u00a0!", "http://t.co/abc", ":)"]
    assert [token.decode() for token in loaded(tf.constant([tweet]))["tokens"].numpy()[0]] == expected
    for tokens, cut in [("blanks", expected), ("rules", None)]:
        [answer, _] = serving.predict(serving.Tagger(serving.as_functions(loaded, tokens), tags), [tweet, ""])
        assert (answer["tokens"] == expected) == bool(cut)
        for entity in answer["entities"]:
            assert tweet[entity["start_char"] : entity["end_char"]] == entity["text"]


def test_a_run_says_that_the_rules_cut_text_otherwise_than_its_data():
    rows = TaggedSentences([["@nasa", "sings"], ["#London", ":)"], ["Ann", "sings"]], [["O", "O"]] * 3)
    assert facts.describe_cut(SMALL, rows).startswith("33% of the sentences are cut by the rules for raw text")
    assert facts.describe_cut(dataclasses.replace(SMALL, tokens="blanks"), rows) is None
    assert facts.describe_cut(SMALL, rows.select([2])) is None


def test_models_saved_before_open(tmp_path):
    answer = {"name": "answer", "decoder": "softmax", "scheme": "IOBES", "names": ["O", "S-A"]}
    assert serving.TagAnswer.from_config(answer).tags == Tags("IOBES", ["O", "S-A"], "BIES")
    assert serving.SplitTokens.from_config({"name": "split"}).by == "rules"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.conll", "10\u00a0000 O\n\u00a0 O\nx O\n\n\u3000\tO\n\x0c O\n a\u2028b  O \n"),
        ("b.conll", "-DOCSTART-\n\na O\n-DOCSTART- -X-\nb O\n\t\nc O\n-DOCSTARTS- O\n"),
        ("c.tsv", "New York\tB-LOC\nis O\n"),
        ("d.conllu", "# newdoc\n1-2\tab\t_\tX\t_\t_\t_\t_\t_\t_\n1\t10 000\t_\tX\t_\t_\t_\t_\t_\t_\n"
                     "# newdoc\n2\t\u00a0\t_\tX\t_\t_\t_\t_\t_\t_\n2.1\tx\t_\t_\t_\t_\t_\t_\t_\t_\n"),
    ],
)  # fmt: skip
def test_a_file_is_tagged_in_the_sentences_that_training_reads(tmp_path, capsys, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    predicted(path)
    found = [json.loads(line)["tokens"] for line in capsys.readouterr().out.split("\n")[:-1]]
    assert found == read_tagged_sentences(path).tokens


def test_a_file_to_tag_needs_no_tags(tmp_path):
    path, out = tmp_path / "a.conll", tmp_path / "out"
    path.write_text("10\u00a0000\nx\n\n\u00a0\n", encoding="utf-8")
    assert predicted(path, out) == "10\u00a0000 6\nx 1\n\n\u00a0 1\n"
    path.write_text("Ann\n\nNew York\n", encoding="utf-8")
    with pytest.raises(UserError, match="a.conll:3: expected 1 column, as on line 1, found 2 in 'New York'"):
        predicted(path, out)
    assert out.read_text(encoding="utf-8").startswith("10")


def test_what_training_leaves_out_of_a_file_is_left_out_of_the_answer(tmp_path, capsys):
    path = tmp_path / "d.conll"
    path.write_bytes(b"-DOCSTART-\nAnn\ncaf\xe9\nsings\n\nBob\n")
    with pytest.raises(UserError, match="d.conll:3: .*--skip-bad-lines leaves such lines out"):
        predicted(path)
    assert predicted(path, tmp_path / "out", skip_bad_lines=True) == "-DOCSTART-\n\nBob 3\n"
    assert "1 sentences" in (told := capsys.readouterr().err) and "1 bad line left out" in told


def test_characters_of_padding_give_zeros():
    for kind in ("cnn", "rnn"):
        layer = CharacterWords(9, size=3, units=4, kind=kind)
        ids = np.array([[[2, 3, 0, 0], [0, 0, 0, 0]]])
        words = layer(ids).numpy()
        assert words.shape == (1, 2, 4) and words[0, 0].any() and not words[0, 1].any()
        np.testing.assert_allclose(layer(np.pad(ids, ((0, 0), (0, 0), (0, 3)))).numpy(), words, atol=1e-6)


def test_model_fit_works_too(tmp_path):
    config, features, tags, examples = examples_of(columns(tmp_path / "all.conll"))
    model = build_model(config, features, tags)
    ids, right = pipeline.make_batch(examples, np.arange(4), 4)
    model.compile(keras.optimizers.Adam(0.05), ChainLoss())
    history = model.fit(ids, np.where(ids["words"] != 0, right, -1), epochs=20, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0] / 2


@pytest.mark.parametrize("field, value", [("epochs", -1), ("units", 0), ("rare_word_dropout", 1.0), ("affix_size", -1)])
def test_a_field_out_of_bounds_is_named_by_its_flag(field, value):
    with pytest.raises(UserError, match="--" + field.replace("_", "-")):
        dataclasses.replace(SMALL, **{field: value})


def test_both_directions_of_characters_get_half_of_their_vector():
    with pytest.raises(UserError, match="--character-units must be even with --characters rnn, got 5"):
        dataclasses.replace(SMALL, characters="rnn", character_units=5)


README = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
FORMATS = re.findall(r"^\| `(.+?)` .*?\| `(.+?)` \| `(.+?)` \| `(.+?)` \|(?: `(.+?)`)? \|$", README, re.MULTILINE)


def test_the_readme_has_formats():
    assert len(FORMATS) >= 9


@pytest.mark.parametrize(("name", "line", "token", "tag", "flags"), FORMATS, ids=[row[0] for row in FORMATS])
def test_the_lines_of_the_readme_are_read(tmp_path, name, line, token, tag, flags):
    path = tmp_path / name
    path.write_text(line.replace("\u21e5", "\t").replace("\u21b5", "\n") + "\n", encoding="utf-8")
    words = iter(flags.split())
    fields = {flag.removeprefix("--").replace("-", "_"): value for flag, value in zip(words, words)}
    config, source = source_of(path, **fields)
    rows = pipeline.open_source(config, source).read(["all"])["all"]
    assert (rows.tokens, rows.tags) == ([[token]], [[tag]])
