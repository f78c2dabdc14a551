"""A run's folder may be a stranger's: whatever its config.json holds is refused in a line, or is a configuration."""

import dataclasses
import json
from types import SimpleNamespace

import pytest

from data.errors import UserError
from templates.ner import config as ner
from training.commands.run_argument import open_trained_run
from training.configuration import recorded

SOURCE = {"kind": "sample", "name": "sample", "path": None, "notice": "", "fingerprint": "0", "requested": "sample"}
GOOD = {"template": "ner", "version": "1", "source": {**SOURCE, "resolved": {}}, "config": recorded(ner.Config())}


def opened(folder, text):
    (folder / "model.keras").touch()
    (folder / "config.json").write_text(text)
    return open_trained_run({"ner": SimpleNamespace(config=ner)}, str(folder), {})[2]


def test_a_configuration_is_read(tmp_path):
    changed = {**GOOD, "config": {**GOOD["config"], "learning_rate": 1, "units": 5}}
    assert opened(tmp_path, json.dumps(changed)) == dataclasses.replace(ner.Config(), learning_rate=1, units=5)


@pytest.mark.parametrize("change", [{"config": None}, {"config": [1]}, {"template": ["ner"]}, {"source": []}])
def test_no_record(tmp_path, change):
    with pytest.raises(UserError, match="not a run folder"):
        opened(tmp_path, json.dumps({**GOOD, **change}))


@pytest.mark.parametrize("resolved", [None, "abc", 1])
def test_no_fields_of_the_datas(tmp_path, resolved):
    with pytest.raises(UserError, match="not a run folder"):
        opened(tmp_path, json.dumps({**GOOD, "source": {**SOURCE, "resolved": resolved}}))


@pytest.mark.parametrize(
    ("name", "value"),
    [("units", "8"), ("units", None), ("units", 8.5), ("units", True), ("encoding", 3), ("cell", "own"), ("cell", ["gru"]), ("data", {})],
)  # fmt: skip
def test_values_of_other_types(tmp_path, name, value):
    for text in (
        json.dumps({**GOOD, "config": {**GOOD["config"], name: value}}),
        json.dumps({**GOOD, "source": {**SOURCE, "resolved": {name: value}}}),
    ):
        with pytest.raises(UserError, match=f"config.json: {name} cannot be .*; was it edited by hand?"):
            opened(tmp_path, text)


def test_nested_without_end(tmp_path):
    with pytest.raises(UserError, match="not a run folder"):
        opened(tmp_path, "[" * 10**5)
