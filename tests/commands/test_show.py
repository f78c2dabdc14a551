"""`show`, `demo` and `runs --html`: pages that open in a browser without an error, whose numbers are the network's."""

import re
import signal
import threading
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.kills import SMALL, write_small_data
from rnn_layers.watching import watching
from tests.browser import CHROMIUM, Browser
from tests.command import checked, cli, run_program, start
from training.runs.folder import RunFolder

TEXTS = {
    "sentiment": "Not bad at all , in fact rather good .",
    "ner": "Mr Marlow arrived in Hartfield on Friday .",
    "translation": "Gestern hat der kleine Hund zwei rote Vögel gesehen.",
    "language_model": "The old man",
}
SHOWN = {
    "sentiment": ("Which words count", "h_t backward", "z_t update", "The gradient back in time"),
    "ner": ("Which tokens count", "From tag to tag", "f_t forget", "p(y_t)"),
    "translation": ("Where it looked", "Which pieces count", "The encoder, unrolled", "The decoder, unrolled"),
    "captioning": ("Where it looked", "Which parts count", "The decoder, unrolled"),
    "forecasting": ("History and forecast", "Which segments count", "The encoder, unrolled", "The decoder, unrolled"),
    "language_model": ("How surprising each piece was", "The network, unrolled"),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folder of a small run of each template; trained when it is asked for."""
    folder, known = tmp_path_factory.mktemp("runs"), {}

    def run(template, *flags, name=None):
        name = name or template
        if name not in known:
            place = folder / name
            data = write_small_data(template, place)
            cli(
                "run",
                template,
                "--data",
                data,
                "--epochs",
                "1",
                *SMALL[template],
                *flags,
                "--run-dir",
                "run",
                cwd=place,
            )
            known[name] = place / "run"
        return known[name]

    return run


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine")
    with Browser() as browser:
        yield browser


@pytest.mark.parametrize("template", SHOWN)
def test_a_page_shows_what_is_inside_and_opens_without_an_error(template, runs, browser, tmp_path):
    run = runs(template)
    plain = (run / "report.html").read_text()
    assert "<h2 dir=\"auto\">Result</h2>" in plain and "Configuration" in plain and "unrolled" not in re.sub("<style>.*?</style>", "", plain.split("<script>")[0], flags=re.S)  # fmt: skip
    inputs = [TEXTS[template]] if template in TEXTS else []
    done = cli("show", run, *inputs, cwd=tmp_path, pictures=True)
    pictures = list((run / "plots").glob("inside_*.png"))
    assert done.stdout == (
        f"{run / 'report.html'}: open it in a browser ({len(pictures)} pictures in plots/inside_*.png)\n"
    )
    assert pictures and done.stderr == ""
    text = (run / "report.html").read_text()
    assert all(name in text for name in SHOWN[template])
    browser.errors.clear()
    for width in (1000, 360):
        browser.size(width)
        browser.open((run / "report.html").as_uri())
        # A wide part scrolls by itself, and never the page.
        assert browser.run("document.documentElement.scrollWidth") <= width
    browser.run("document.querySelector('.unrolled input').focus()")
    browser.press("ArrowRight")
    assert browser.run("document.querySelector('.unrolled output').textContent").startswith("step 2: ")
    assert browser.errors == []


def test_typical_inputs_are_of_the_runs_own_data(runs, tmp_path):
    run = runs("sentiment")
    cli("show", run, cwd=tmp_path)
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", (run / "report.html").read_text())
    assert len(headings) == 7 and "Result" in headings
    texts = (run.parent / "data" / "validation.csv").read_text()
    assert any(heading in texts for heading in headings[:3])


def test_runs_with_other_cells_are_compared(runs, tmp_path):
    first, second = runs("sentiment"), runs("sentiment", "--cell", "simple_rnn", name="simple")
    cli("show", first, second, "Not bad .", cwd=tmp_path)
    text = (first / "report.html").read_text()
    assert f"{first} (gru)" in text and f"{second} (simple_rnn)" in text
    # Folders of one name are told apart.
    cli("show", first, runs("sentiment", "--seed", "1", name="seed"), "Not bad .", cwd=tmp_path)
    assert (first / "report.html").read_text().count('class="line line1"') >= 2
    other = cli("show", first, runs("ner"), "Not bad .", cwd=tmp_path, status=1).stderr
    assert "a run of ner; it is compared with one of sentiment" in other


def test_numbers_are_those_of_the_network(runs):
    from templates.sentiment import config, inside

    run = RunFolder(runs("sentiment"))
    within = inside.Inside(run, run.read_config(config.Config))
    look = within.look("Not bad at all .")
    words, lanes = look.parts[0], look.parts[1].lanes
    ids = within.word_ids(tf.constant(["Not bad at all ."]))
    # h_t: the layer's own outputs.
    layer = within.classifier.get_layer("bidirectional_1")
    vectors = within.network(ids)[0]
    outputs = layer(vectors, mask=tf.ones([1, 5], tf.bool))[0].numpy()
    np.testing.assert_allclose(lanes[1].values, outputs[:, :5], atol=1e-6)
    assert lanes[0].values[-1] == pytest.approx(float(look.answer.split()[-1]), abs=1e-4)
    # What a word counts: by finite differences along its vector.
    table = within.classifier.get_layer("embedding")
    label = within.names.index(look.answer.split()[0])
    whole, counted = table.get_weights()[0], []
    for place in range(5):
        ends = []
        for sign in (1, -1):
            changed = whole.copy()
            changed[ids[0, place]] *= 1 + sign * 1e-2
            table.set_weights([changed])
            ends.append(float(tf.nn.log_softmax(within.classifier(ids))[0, label]))
        counted.append((ends[0] - ends[1]) / 2e-2)
    table.set_weights([whole])
    np.testing.assert_allclose(words.values, counted, atol=1e-4)
    with watching() as calls:
        within.classifier(ids)
    assert len(calls) == 2


def test_what_cannot_be_shown_is_said(runs, tmp_path):
    run = runs("sentiment")
    assert "no word in this text" in cli("show", run, " ", cwd=tmp_path).stderr
    assert "no answer: no word in this text" in (run / "report.html").read_text()
    missing = cli("show", runs("captioning"), "missing.png", cwd=tmp_path, status=1).stderr
    assert missing.startswith("Error: missing.png: no such file")
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(b"\x89PNG\r\n\x1a\n no more")
    assert "damaged.png" in cli("show", runs("captioning"), damaged, cwd=tmp_path).stderr


def test_runs_are_compared_on_a_page(runs, browser, tmp_path):
    assert "no runs under ./runs" in cli("runs", "--html", "compared.html", cwd=tmp_path, status=1).stderr
    (tmp_path / "runs").mkdir()
    for name in ("sentiment", "ner"):
        (tmp_path / "runs" / name).symlink_to(runs(name))
    assert cli("runs", "--html", "compared.html", cwd=tmp_path).stdout == "compared.html: open it in a browser\n"
    browser.errors.clear()
    browser.open((tmp_path / "compared.html").as_uri())
    assert browser.run("[...document.querySelectorAll('h2')].map(h => h.textContent).sort().join()") == "ner,sentiment"
    assert browser.run("document.querySelectorAll('svg.curves').length") == 6 and browser.errors == []


def write_history(data, path):
    """The first series of a table, of whose last days only what is known beforehand is known."""
    header, *rows = data.read_text().splitlines()
    target = header.split(",").index("y")
    cells = [row.split(",") for row in rows if row.split(",")[0] == rows[0].split(",")[0]]
    for row in cells[-10:]:
        row[target] = ""
    path.write_text("\n".join([header, *map(",".join, cells)]) + "\n")
    return path


@pytest.mark.parametrize("template", ["sentiment", "captioning", "forecasting"])
def test_a_demo_answers_what_is_typed_chosen_or_dropped(template, runs, browser, tmp_path):
    run = runs(template)
    process = start("demo", run, "--port", "0", cwd=tmp_path)
    killer = threading.Timer(120, process.kill)
    killer.start()
    try:
        while not (address := re.search(r"(http://127\.0\.0\.1:\d+) answers", process.written())):
            assert process.poll() is None, process.written()
            time.sleep(0.1)
        browser.errors.clear()
        browser.open(address[1])
        if template == "captioning":
            picture = next((run.parent / "data").rglob("*.png"))
            browser.choose_file("input[type=file]", picture)
        elif template == "forecasting":
            (tmp_path / "notes.csv").write_text("nothing\nto forecast\n")
            browser.drop_file(tmp_path / "notes.csv")
            browser.wait("document.querySelector('#answer').textContent.includes('no answer: notes.csv')")
            browser.drop_file(write_history(run.parent / "data" / "train.csv", tmp_path / "history.csv"))
        else:
            browser.type("Not bad at all .")
            browser.press("Enter")
        browser.wait("document.querySelector('#answer .unrolled')")
        answered = browser.run("document.querySelector('#answer').textContent")
        assert "What the exported model answers" in answered and browser.errors == []
        request = urllib.request.Request(address[1], headers={"Host": "elsewhere.example"})
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(request)
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(address[1] + "/other")
        # As Ctrl-C ends it; where tests run in the background that may be ignored.
        process.send_signal(signal.SIGTERM)
        assert "ended" in process.communicate()[0] and process.returncode == 0
    finally:
        killer.cancel()
        process.kill()


def test_a_copy_shows_what_is_inside_if_that_was_asked_for(runs, tmp_path):
    run = runs("sentiment")
    for name, flags in {"plain": (), "full": ("--with-show",)}.items():
        cli("copy", "sentiment", tmp_path / name, *flags, cwd=tmp_path)
        assert cli("diff", tmp_path / name, cwd=tmp_path).stdout.endswith("every file is as in the project\n")
    plain, full = tmp_path / "plain", tmp_path / "full"
    drawing = {"data/typical_rows.py", "sentiment/inside.py", "training/commands/show.py", "training/commands/demo.py"}
    drawing |= {str(path.relative_to(full)) for path in (full / "training/pages").glob("*.py")}
    everything = {str(path.relative_to(full)) for path in full.rglob("*.py")}
    assert everything - {str(path.relative_to(plain)) for path in plain.rglob("*.py")} == drawing
    verbs = run_program("-m", "sentiment", "--help", cwd=plain).stdout
    assert "predict" in verbs and "show" not in verbs and "demo" not in verbs
    assert "--html" not in run_program("-m", "sentiment", "runs", "--help", cwd=plain).stdout
    trained = ("--data", run.parent / "data", "--epochs", "1", *SMALL["sentiment"], "--run-dir", "run")
    checked(run_program("-m", "sentiment", "run", *trained, cwd=plain))
    assert (plain / "run" / "model.keras").is_file() and not (plain / "run" / "report.html").exists()
    shown = checked(run_program("-m", "sentiment", "show", plain / "run", "Not bad .", cwd=full)).stdout
    assert "report.html: open it in a browser" in shown and (plain / "run" / "report.html").is_file()
    # What an earlier copy lacks is added to it, and stays; what its owner changed stays, too.
    model = plain / "sentiment" / "model.py"
    model.write_text(model.read_text() + "# mine\n")
    cli("copy", "sentiment", plain, "--with-show", cwd=tmp_path)
    assert all((plain / path).is_file() for path in drawing)
    cli("copy", "sentiment", plain, cwd=tmp_path)
    assert cli("diff", plain, cwd=tmp_path).stdout == "yours     sentiment/model.py  (changed by you)\n"
