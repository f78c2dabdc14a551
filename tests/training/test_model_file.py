"""A stranger's `model.keras` runs no code: what is neither Keras's nor the template's is refused in a line."""

import json
import zipfile

import keras
import pytest

from data.errors import UserError
from training.model_file import load_model_file


def model_with(path, change):
    """A model whose configuration is changed as a text."""
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="last")]).save(path)
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    contents["config.json"] = change(contents["config.json"].decode()).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def test_a_model_is_loaded(tmp_path):
    model_with(tmp_path / "model.keras", lambda config: config)
    assert load_model_file(tmp_path / "model.keras", []).count_params() == 3


@pytest.mark.parametrize(
    ("module", "name"), [("os", "system"), ("subprocess", "Popen"), ("data.files", "check_file"), ("hostile", "Layer")]
)
def test_other_modules_are_not_imported(tmp_path, monkeypatch, module, name):
    (tmp_path / "hostile.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Layer: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    new = f'"module": "{module}", "class_name": "{name}", "registered_name": "{name}"'
    dense = '"module": "keras.layers", "class_name": "Dense"'

    def change(config):
        assert dense in config
        return config.replace(dense, new)

    model_with(tmp_path / "model.keras", change)
    with pytest.raises(UserError, match=r"model\.keras: damaged, or no model of this template \("):
        load_model_file(tmp_path / "model.keras", [])
    assert not (tmp_path / "ran").exists()


def test_a_lambda_is_not_run(tmp_path):
    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: print("ran") or x)]).save(path)
    with pytest.raises(UserError, match=r"model\.keras: damaged, or no model of this template .*[Ll]ambda"):
        load_model_file(path, [])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no model", bytes(1000)])
def test_damaged_files(tmp_path, content):
    (tmp_path / "model.keras").write_bytes(content)
    with pytest.raises(UserError, match=r"model\.keras: damaged, or no model"):
        load_model_file(tmp_path / "model.keras", [])


def test_a_configuration_that_is_nested_without_end(tmp_path):
    model_with(tmp_path / "model.keras", lambda config: "[" * 10**5 + json.dumps(1) + "]" * 10**5)
    with pytest.raises(UserError, match=r"model\.keras: damaged, or no model"):
        load_model_file(tmp_path / "model.keras", [])
