"""A small made-up project with two templates, and the verbs on it."""

from pathlib import Path

import pytest

from copying.copy import copy_template
from copying.diff import compare, merge
from data.errors import UserError

SHARED = ("toylayers", "toydata", "toytraining")
VERSION = "1.0"
ALPHA_MODEL = """import json, os.path
from toydata import tables


def build():
    from toytraining import loop
    if loop:
        import toydata.formats.conll
    return tables.errors.five


def layers():
    from toylayers.gru import x
    return x
"""
FILES = {
    "cli.py": "",
    "setup.cfg": "[options]\ninstall_requires =\n    click>=8\n    numpy>=2.0\n    tensorflow-datasets>=4.9\n"
    "    importlib_resources>=6.0\n[options.extras_require]\ntest =\n"
    "    pytest>=8.3\n    scikit-learn>=1.5\n",
    "toylayers/__init__.py": '"""Layers."""\n',
    "toylayers/gru.py": "import numpy\nfrom . import cell\nfrom .deep.inner import x\n",
    "toylayers/cell.py": "",
    "toylayers/unused.py": "import never_needed\n",
    "toylayers/deep/__init__.py": "",
    "toylayers/deep/inner.py": "from ..base import y\nx = 1\n",
    "toylayers/base.py": "y = 2\n",
    "toydata/__init__.py": "",
    "toydata/errors.py": "one = 1\ntwo = 2\nthree = 3\nfour = 4\nfive = 5\n",
    "toydata/tables.py": "import toydata.errors as errors\n",
    "toydata/formats/__init__.py": "",
    "toydata/formats/conll.py": "",
    "toydata/formats/columns.txt": "token tag\n",
    "toydata/samples/make_alpha.py": "",
    "toydata/samples/alpha/train.csv": "text,label\r\ngood,1\r\n",
    "toydata/samples/alpha/make.py": "",
    "toydata/samples/alpha/__pycache__/make.pyc": "x",
    "toydata/samples/beta/train.csv": "never with alpha\n",
    "toytraining/__init__.py": "",
    "toytraining/loop.py": "try:\n    import fancy_bar\nexcept ImportError:\n    fancy_bar = None\n",
    "templates/__init__.py": "",
    "templates/alpha/__init__.py": '"""Alpha."""\n',
    "templates/alpha/__main__.py": "from .model import build\nprint(build())\n",
    "templates/alpha/model.py": ALPHA_MODEL,
    "templates/alpha/README.md": "# Alpha\n",
    "templates/alpha/test_alpha.py": "import sklearn.metrics\nimport pytest\nfrom . import model\n",
    "templates/alpha/.hidden": "",
    "templates/alpha/__pycache__/model.pyc": "x",
    "templates/beta/__init__.py": '"""Beta."""\n',
    "templates/beta/__main__.py": "import tensorflow_datasets\nfrom toydata.errors import one\n"
    "from toylayers import base\n",
}
ALPHA_SHARED = [
    "toydata/__init__.py",
    "toydata/errors.py",
    "toydata/formats/__init__.py",
    "toydata/formats/columns.txt",
    "toydata/formats/conll.py",
    "toydata/samples/alpha/train.csv",
    "toydata/tables.py",
    "toylayers/__init__.py",
    "toylayers/base.py",
    "toylayers/cell.py",
    "toylayers/deep/__init__.py",
    "toylayers/deep/inner.py",
    "toylayers/gru.py",
    "toytraining/__init__.py",
    "toytraining/loop.py",
]
ALPHA_OWN = [f"alpha/{name}" for name in ("README.md", "__init__.py", "__main__.py", "model.py", "test_alpha.py")]


def write(root: Path, files: dict[str, str | bytes]) -> None:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content if isinstance(content, bytes) else content.encode())


def copy(project: Path, destination: Path, name: str = "alpha", version: str = VERSION, dry_run: bool = False):
    return copy_template(project / "templates" / name, name, destination, version, dry_run=dry_run, shared=SHARED)


def statuses(project: Path, destination: Path) -> dict[str, str]:
    return {file.path: file.status for file in compare(destination, project / "templates", shared=SHARED)}


def changed(project: Path, destination: Path) -> dict[str, str]:
    return {path: status for path, status in statuses(project, destination).items() if status != "same"}


def bring_up(project: Path, destination: Path, version: str = "2.0"):
    return merge(destination, project / "templates", version, shared=SHARED)


def tree(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder, folders too: a refusal or failure must leave not even an empty one."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }


def refused(project: Path, destination: Path, *words: str, **arguments) -> None:
    """Copying is refused in one line with these words, and nothing is written."""
    before = tree(project.parent)
    with pytest.raises(UserError) as error:
        copy(project, destination, **arguments)
    assert tree(project.parent) == before
    assert "\n" not in str(error.value)
    for word in words:
        assert word in str(error.value)
