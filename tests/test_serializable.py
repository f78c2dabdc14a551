"""Every layer and cell of the project is registered under a name of its own, so that saved models load elsewhere."""

import ast
from importlib import import_module

import keras

from tests.command import ROOT

# Not to be used by themselves.
ABSTRACT = {"WeightedCell", "RecurrentCell", "NamedRecurrentLayer"}


def layers() -> list[type]:
    """The classes that are layers, in all modules that could define one."""
    found = []
    for folder in ("rnn_layers", "data", "training", "templates"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            source = file.read_text(encoding="utf-8")
            if "make" in file.parts or file.name.startswith(("test_", "__main__")) or "keras" not in source:
                continue
            names = {node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}
            module = import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
            found += [getattr(module, name) for name in names]
    return [cls for cls in found if issubclass(cls, keras.layers.Layer) and cls.__name__ not in ABSTRACT]


def test_every_layer_is_registered_under_a_name_of_its_own():
    names = {cls: keras.saving.get_registered_name(cls) for cls in layers()}
    assert len(names) > 20
    assert {cls for cls, name in names.items() if not name.startswith("rnn_templates>")} == set()
    assert len(set(names.values())) == len(names)
