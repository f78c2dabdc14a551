"""A wheel, installed elsewhere, and a copy of a template: both run without the repository."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile

import pytest

from tests.command import ROOT, change_as_readme_says, checked, cli, run_program

QUICK = ("--data", "sample", "--epochs", "1", "--units", "4", "--embedding-size", "4", "--no-test")


def run(*command, cwd, status=0, **environment):
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, capture_output=True, text=True, env=os.environ | environment
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a clean copy of the tree: setuptools leaves a build folder behind."""
    folder = tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns("build", "*.egg-info", "__pycache__", ".*")

    def ignore(place, names):
        return ignored(place, names) | ({"runs"} if place == str(ROOT) else set())  # and not training/runs

    shutil.copytree(ROOT, folder / "tree", ignore=ignore)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), "."]
    run(*command, cwd=folder / "tree")
    (file,) = folder.glob("*.whl")
    return file


def test_the_wheel_holds_two_packages_and_no_generic_names(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"rnn_layers", "rnn_templates"}
    assert "rnn_layers/gru.py" in names and not [name for name in names if name.startswith("rnn_templates/rnn_layers")]
    assert "rnn_templates/cli.py" in names and "rnn_templates/data/samples/sentiment/train.csv" in names
    assert "rnn_templates/templates/sentiment/README.md" in names
    assert not [name for name in names if "__pycache__" in name or "tests/" in name or "benchmarks" in name]


def test_the_installed_wheel_runs_beside_foreign_modules_of_the_same_names(wheel, tmp_path):
    environment = tmp_path / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=tmp_path)
    python = environment / "bin" / "python"
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip()
    run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", site, wheel, cwd=tmp_path)
    assert not {"data", "templates", "training", "copying", "cli.py"} & set(os.listdir(site))
    # The dependencies are those of this environment; its .pth files, an editable install's say, are not read.
    with open(os.path.join(site, "dependencies.pth"), "w") as stream:
        stream.write(sysconfig.get_path("purelib") + "\n")
    work = tmp_path / "work"
    (work / "training").mkdir(parents=True)
    (work / "training" / "__init__.py").write_text("raise ImportError('a foreign training')")
    (work / "data.py").write_text("raise ImportError('a foreign data')")
    run(python, "-c", "import rnn_layers.gru; print(rnn_layers.gru.GRU(3))", cwd=tmp_path)
    script = os.path.join(site, "bin", "rnn-templates")
    output = run(python, script, "run", "sentiment", *QUICK, "--run-dir", "mine", cwd=work)
    assert "next:" in output and "rnn-templates predict mine" in output
    run(python, script, "copy", "sentiment", work / "copied", cwd=work)
    assert (work / "copied" / "sentiment" / "train.py").read_bytes() == (
        ROOT / "templates/sentiment/train.py"
    ).read_bytes()
    answer = run(python, "-m", "sentiment", "predict", "../mine", "good", "--json", cwd=work / "copied")
    assert json.loads(answer)["text"] == "good"


def test_a_copy_trains_predicts_and_passes_its_own_tests(tmp_path):
    cli("copy", "sentiment", "mine", cwd=tmp_path)
    project = tmp_path / "mine"
    # Away from the repository: nothing of it may be found by way of an editable install either.
    alone = {"PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"}
    where = "import training, data, rnn_layers; print(training.__file__, data.__file__, rnn_layers.__file__)"
    assert run(sys.executable, "-c", where, cwd=project, **alone).count(str(project)) == 3
    trained = run_program("-m", "sentiment", "run", *QUICK, "--run-dir", "first", cwd=project, **alone)
    assert "python -m sentiment predict first" in checked(trained).stdout
    tests = run_program("-m", "pytest", "-q", "-p", "no:cacheprovider", "sentiment", cwd=project, **alone)
    assert tests.returncode == 0 and " passed" in tests.stdout, tests.stdout
    # A model of the copy answers here.
    assert json.loads(cli("predict", project / "first", "good", "--json", cwd=tmp_path).stdout)["label"]
    change_as_readme_says(project, "sentiment")
    flags = (*QUICK, "--hidden-units", "3", "--best-by", "balanced_accuracy", "--run-dir", "changed")
    checked(run_program("-m", "sentiment", "run", *flags, cwd=project, **alone))
    metrics = json.loads((project / "changed" / "metrics.json").read_text())
    assert 0 <= metrics["validation"]["balanced_accuracy"] <= 1
    for name in ("config", "model", "evaluate"):
        shutil.copy(ROOT / "templates" / "sentiment" / f"{name}.py", project / "sentiment")
    shutil.rmtree(project / "first")
    assert "every file is as in the project" in cli("diff", "mine", cwd=tmp_path).stdout
    with open(project / "sentiment" / "model.py", "a") as stream:
        stream.write("# mine\n")
    assert "yours     sentiment/model.py" in cli("diff", "mine", cwd=tmp_path).stdout
    assert "+# mine" in cli("diff", "mine", "--patch", cwd=tmp_path).stdout
    assert "1 files of yours" in cli("diff", "mine", "--merge", cwd=tmp_path).stdout


def test_the_readme_names_the_two_commands_that_ci_runs():
    readme, script = (ROOT / "README.md").read_text(), (ROOT / ".ci" / "run").read_text()
    assert "pip install -e . && python cli.py run sentiment" in readme
    assert "pip install --use-pep517 -e '.[test]' && pytest" in readme
    assert "\npip install -q --use-pep517 -e '.[test]'\n" in script and "\npytest " in script
