"""What the source never does: run code out of files, start a shell, load a model otherwise than safely."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("data", "training", "rnn_layers", "templates", "copying")
# Modules that make objects out of files, or run what they hold; and those that fetch.
FORBIDDEN_MODULES = {
    "pickle",
    "cPickle",
    "_pickle",
    "dill",
    "cloudpickle",
    "joblib",
    "shelve",
    "marshal",
    "torch",
    "code",
}
FETCHING = {"urllib.request", "http.client", "ftplib", "socket", "httpx", "aiohttp"}
FORBIDDEN_NAMES = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_CALLS = {
    ("os", "system"), ("os", "popen"), ("pandas", "read_pickle"), ("keras", "config", "enable_unsafe_deserialization"),
    ("yaml", "load"), ("subprocess", "getoutput"), ("subprocess", "getstatusoutput"), ("shutil", "unpack_archive"),
}  # fmt: skip
# A ZipFile's `extract` keeps to its folder; what a tar archive holds is never unpacked.
FORBIDDEN_METHODS = {"extractall", "enable_unsafe_deserialization"}


def called(node):
    """The dotted name that a call calls: ("os", "system"); the last parts where the first is no name."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    return (node.id, *parts) if isinstance(node, ast.Name) else tuple(parts)


def says(call, name, value):
    return any(
        one.arg == name and isinstance(one.value, ast.Constant) and one.value.value is value for one in call.keywords
    )


def faults(source):
    found = []
    for node in ast.walk(ast.parse(source)):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for module in modules:
            if module.partition(".")[0] in FORBIDDEN_MODULES or module in FETCHING:
                found.append(f"{node.lineno}: import {module}")
        if not isinstance(node, ast.Call):
            continue
        name = called(node.func)
        wrong = (
            name in FORBIDDEN_CALLS
            or (len(name) == 1 and name[0] in FORBIDDEN_NAMES)
            or (name and name[-1] in FORBIDDEN_METHODS)
            or (name[:1] == ("np",) and name[-1] == "load" and not says(node, "allow_pickle", False))
            or (name[:1] == ("keras",) and name[-1] == "load_model" and not says(node, "safe_mode", True))
            or any(one.arg in ("shell", "trust_remote_code") for one in node.keywords)
            or (any(one.arg == "allow_pickle" for one in node.keywords) and not says(node, "allow_pickle", False))
            or (any(one.arg == "safe_mode" for one in node.keywords) and not says(node, "safe_mode", True))
        )
        if wrong:
            found.append(f"{node.lineno}: {'.'.join(name)}")
    return found


def test_nothing_runs_code_out_of_files_or_starts_a_shell():
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")] + [ROOT / "cli.py"]
    files = [file for file in files if not file.name.startswith("test_")]
    assert len(files) > 100
    assert {str(file.relative_to(ROOT)): found for file in files if (found := faults(file.read_text("utf-8")))} == {}


def test_what_is_looked_for_is_found():
    for line in (
        "import pickle", "from joblib import load", "import torch.serialization", "import urllib.request",
        "os.system('x')", "eval('1')", "np.load(path)", "np.load(path, allow_pickle=True)", "run(x, shell=True)",
        "keras.models.load_model(path)", "keras.saving.load_model(path, safe_mode=False)", "archive.extractall(folder)",
    ):  # fmt: skip
        assert len(faults(line)) == 1, line
    assert faults("np.load(path, allow_pickle=False)\nast.literal_eval(text)\nre.compile(text)\nmodel.compile()") == []
