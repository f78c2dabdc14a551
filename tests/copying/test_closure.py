"""What travels with a template: modules, samples, requirements."""

import sys
from pathlib import Path

import pytest

from copying.closure import closure
from copying.requirements import declared_requirements, requirements_text
from tests.copying.toy_project import ALPHA_SHARED, FILES, SHARED, refused, write

ROOT = Path(__file__).resolve().parents[2]


def test_closure_follows_every_import_form_and_leaves_the_rest(project):
    found = closure(project / "templates/alpha", shared=SHARED)
    assert list(found.files) == ALPHA_SHARED
    assert all(file.is_file() for file in found.files.values())
    # fancy_bar is optional there; never_needed belongs to a module that nobody imports.
    assert found.third_party == {"numpy", "sklearn", "pytest"}


def test_closure_in_an_installed_wheel_has_two_roots_and_imports_nothing(tmp_path, monkeypatch):
    site = tmp_path / "site-packages"
    inner = site / "rnn_templates"
    write(site, {path: text for path, text in FILES.items() if path.startswith("toylayers/")})
    write(inner, {path: text for path, text in FILES.items() if not path.startswith(("toylayers/", "setup.cfg"))})
    write(tmp_path / "elsewhere", {"toydata.py": "raise SystemExit", "toytraining/__init__.py": "raise SystemExit"})
    for folder in (tmp_path / "elsewhere", site, inner):  # each goes before the others, as cli.py does with its own
        monkeypatch.syspath_prepend(folder)
    found = closure(inner / "templates/alpha", shared=SHARED)
    assert list(found.files) == ALPHA_SHARED
    assert found.files["toylayers/gru.py"] == site / "toylayers/gru.py"
    assert found.files["toydata/errors.py"] == inner / "toydata/errors.py"
    assert not [name for name in sys.modules if name.partition(".")[0] in SHARED]


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("templates/alpha/x.py", "\nfrom templates.beta import y\n", ("x.py:2", "templates.beta")),
        ("templates/alpha/x.py", "import cli\n", ("x.py:1", "cli")),
        ("templates/alpha/x.py", "from ..beta import y\n", ("x.py:1", "relative")),
        ("templates/alpha/x.py", "from alpha.model import y\n", ("x.py:1", "relatively")),
        ("templates/alpha/x.py", "def f():\n    import toydata.missing\n", ("x.py:2", "toydata.missing", "not exist")),
        ("toydata/tables.py", "from ...up import y\n", ("tables.py:1", "relative")),
        ("toydata/tables.py", "one\ntwo three\n", ("tables.py:2", "not valid Python")),
    ],
)
def test_an_import_that_a_copy_could_not_run_is_named_with_its_line(project, tmp_path, path, text, words):
    write(project, {path: text})
    refused(project, tmp_path / "new", *words)


def test_requirements_carry_the_declared_bounds(project, monkeypatch):
    lines = requirements_text({"tensorflow_datasets", "sklearn", "absl"}, project).splitlines()
    assert lines[1:] == [
        "absl-py",
        "importlib-resources>=6.0",
        "scikit-learn>=1.5",
        "tensorflow-datasets>=4.9",
        "pytest>=8.3",
    ]
    (project / "setup.cfg").unlink()
    installed = [
        'pytest>=8 ; extra == "test"',
        "numpy>=2",
        'click>=8; python_version < "4" and extra == "test"',
        "tensorflow>=2",
        'tensorflow[and-cuda]>=2; extra == "gpu"',
    ]
    monkeypatch.setattr("importlib.metadata.requires", lambda name: installed)
    text = requirements_text({"numpy", "click", "tensorflow"}, project)
    assert text.splitlines()[1:] == ['click>=8; python_version < "4"', "numpy>=2", "tensorflow>=2", "pytest>=8"]


def test_every_template_here_can_be_copied_with_bounds_for_what_it_imports():
    declared = {line.lower().replace("_", "-") for line in declared_requirements(ROOT)}
    templates = [path.parent for path in (ROOT / "templates").glob("*/__init__.py")]
    assert templates
    for template in templates:
        found = closure(template)
        *lines, optional = requirements_text(found.third_party, ROOT).splitlines()[1:]
        # absl comes with tensorflow, which decides its version.
        assert {line.lower().replace("_", "-") for line in lines} - {"absl-py"} <= declared, template.name
        assert optional.startswith("# for --data hf:...: huggingface-hub>="), template.name
        assert optional.partition("...: ")[2] in declared
        assert "training/checkpoint.py" in found.files
