"""templates.captioning: picture files of every kind are answered alike by predict and by the exported signature, in Python and in C."""

import keras
import numpy as np
import pytest

from data.captioned_pictures.kinds import READ_KINDS
from data.subwords.pieces import Subwords
from templates.captioning import serving
from templates.captioning.config import Config
from templates.captioning.model import build_model
from tests.data.captioned_pictures.picture_files import KINDS, OTHER_KINDS, seen_by_pillow
from tests.loaders import assert_every_loader_answers
from training.runs.folder import RunFolder

CONFIG = Config(
    picture_size=16, channels=4, grid_stride=4, units=4, embedding_size=5, vocabulary_size=290, max_length=3, beam_width=2
)  # fmt: skip
# What Pillow sees of each, and what cannot be decoded, in turn.
FILES = {kind: make(16, 16) for kind, make in KINDS.items()}
UNREADABLE = OTHER_KINDS | {f"a damaged {kind}": KINDS[kind](16, 16)[:60] for kind in READ_KINDS}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run whose model has learned nothing."""
    run = RunFolder(tmp_path_factory.mktemp("run"))
    keras.utils.set_random_seed(0)
    subwords = Subwords([f" word{number}" for number in range(31)])
    captioner = build_model(CONFIG, subwords.size, (16, 16, 3))
    serving.save(run.model_file, subwords, None, captioner, CONFIG)
    return run


def test_the_exported_signature_answers_as_predict_does(run, tmp_path):
    contents = [*FILES.values(), *UNREADABLE.values()]
    for number, content in enumerate(contents):
        (tmp_path / f"{number}.jpg").write_bytes(content)
    inputs = [str(tmp_path / f"{number}.jpg") for number in range(len(contents))]
    predicted = list(serving.predict(serving.load(run, CONFIG), inputs))
    serving.export(run, CONFIG, tmp_path / "exported")
    exported = assert_every_loader_answers(tmp_path / "exported", contents, loaders=["C"])
    assert [answer.get("error", "") for answer in predicted] == [text.decode() for text in exported["error"]]
    assert [answer.get("caption", "") for answer in predicted] == [text.decode() for text in exported["caption"]]
    scores = [answer.get("score", 0.0) for answer in predicted]
    assert exported["score"].tolist() == pytest.approx(scores, abs=1e-5)
    errors = dict(zip([*FILES, *UNREADABLE], exported["error"], strict=True))
    assert {kind for kind, error in errors.items() if error} == set(UNREADABLE)
    assert all(error.decode().startswith(f"{kind} picture") for kind, error in errors.items() if error)


def test_a_file_is_described_as_what_pillow_sees_of_it_is(run, tmp_path):
    """The scores of two pictures of an untrained network differ as soon as these do."""
    answering = serving.load(run, CONFIG)
    for number, content in enumerate(FILES.values()):
        (tmp_path / f"{number:02}.jpg").write_bytes(content)
    found = [answer["score"] for answer in serving.predict(answering, [str(tmp_path)])]
    seen = np.stack([seen_by_pillow(content, 16) for content in FILES.values()])
    expected = answering.describe(seen)["score"].numpy()
    assert found == pytest.approx(expected, abs=1e-3)
    assert len({round(float(score), 5) for score in expected}) > 10
