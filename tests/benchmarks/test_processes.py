"""Each library that is compared has a process of its own: TensorFlow is imported beside neither PyTorch nor JAX."""

import ast
import functools
from pathlib import Path

import click
import pytest

from benchmarks import layers
from benchmarks.layer_machine import settings
from benchmarks.layer_problems import make_problem
from benchmarks.processes import Elsewhere, installed, process_for_each
from benchmarks.turns import seconds_of
from tests.command import ROOT

TENSORFLOW, OTHERS = {"tensorflow", "keras"}, {"torch", "jax"}
PACKAGES = ("benchmarks", "copying", "data", "rnn_layers", "templates", "tests", "training")
# In the place of PyTorch or JAX: says what has been imported before.
STUB = f"""
import sys
raise ImportError(f"{{__name__}} beside {{sorted({TENSORFLOW | OTHERS} & sys.modules.keys() - {{__name__}})}}")
"""


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES = {module_of(path): path for package in PACKAGES for path in (ROOT / package).rglob("*.py")}


@functools.cache
def imports_of(module: str) -> dict[str, set[str]]:
    """The modules that a module's statements import, by function; "" for those outside of functions."""
    path, found = FILES[module], {"": set()}
    package = module.split(".")[: None if path.name == "__init__.py" else -1]

    def visit(node, place):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                found.setdefault(place, set()).update(alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                parents = package[: len(package) - child.level + 1] if child.level else []
                base = ".".join(parents + [child.module] * bool(child.module))
                # What is imported from a package may be a module.
                found.setdefault(place, set()).update([base, *(f"{base}.{alias.name}" for alias in child.names)])
            elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                visit(child, place or f"{child.name}, line {child.lineno}")
            elif isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case)):
                visit(child, place)

    visit(ast.parse(path.read_text(encoding="utf-8")), "")
    return found


@functools.cache
def libraries(module: str) -> frozenset[str]:
    """Which of the libraries are imported with a module, by whatever is imported as it is imported."""
    seen, waiting = set(), {module}
    while waiting:
        module = waiting.pop()
        seen.add(module)
        if module in FILES:
            waiting |= imports_of(module)[""] - seen
    return frozenset(module.partition(".")[0] for module in seen) & (TENSORFLOW | OTHERS)


def test_no_module_and_no_function_imports_both():
    """A function's imports come on top of its module's."""
    mixed = []
    for module in FILES:
        for place, names in imports_of(module).items():
            found = libraries(module).union(*map(libraries, names))
            if found & TENSORFLOW and found & OTHERS:
                mixed.append(f"{module} {place}: {sorted(found)}")
    assert libraries("benchmarks.ner_peers") == TENSORFLOW and libraries("benchmarks.torch_peers") == {"torch"}
    assert not mixed, mixed


@pytest.mark.parametrize("library", sorted(OTHERS))
def test_the_layers_other_libraries_are_imported_where_tensorflow_is_not(tmp_path, library, monkeypatch):
    (tmp_path / f"{library}.py").write_text(STUB)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(layers, "available", lambda: [library])
    assert installed(library, "no_such_library") == [library]
    with process_for_each([library]) as processes:
        with pytest.raises(ImportError, match=rf"{library} beside \[\]"):
            settings(processes)
        with pytest.raises(ImportError, match=rf"{library} beside \[\]"):
            layers.time_all(make_problem("gru", "tiny"), True, 2, processes)
    with pytest.raises(click.ClickException, match=rf"{library} beside \[\]"):
        layers.memory_of_all("gru", "tiny")


def test_an_object_elsewhere_is_called_and_timed_there():
    with process_for_each(["one"]) as processes:
        wait = Elsewhere(processes["one"], "event", "threading", "Event").method("wait", 0.05)
        assert wait() is False
        assert seconds_of(wait) >= 0.05
        words = Elsewhere(processes["one"], "words", "collections", "Counter", "abca")
        assert words.method("most_common")(1) == [("a", 2)] and words.method("most_common", 1)() == [("a", 2)]
        Elsewhere(processes["one"], "words", "collections", "Counter", "b")
        assert words.method("total")() == 1
        with pytest.raises(AttributeError, match="no_method"):
            words.method("no_method")()
