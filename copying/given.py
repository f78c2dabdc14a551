"""What a copy's owner is given once, and may then change at will: a README and a .gitignore."""

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

README, GITIGNORE = "README.md", ".gitignore"
_IGNORED = """\
# What runs, tests and Python leave behind.
/runs/
__pycache__/
.pytest_cache/
.venv/
"""
_README = """\
# {title}

{summaries}

Copied from rnn-templates {version}. Every file is yours to change; the project is not needed to run it.

    python -m pip install -r requirements.txt
{runs}

A run leaves a folder in `runs/`: the trained model, its measures, pictures. With it:

    python -m {name} predict RUN {example}
    python -m {name} evaluate RUN --data FILE
    python -m {name} export RUN exported        a SavedModel that needs TensorFlow alone

## Your own data

    python -m {name} run --data FILE_OR_FOLDER

{readmes} shows the formats that are read, and what the columns may be called. All flags:
`python -m {name} run --help`.

## Change it

| | |
| --- | --- |
| the network | `{name}/model.py`; a new flag for it is a field of `{name}/config.py` |
| the loss, the optimizer, the loop | `{name}/train.py`, to be read from top to bottom |
| a metric | `{name}/evaluate.py`: what `measure` returns is printed, kept in `metrics.json` and can be `--best-by` |
| how data is read | `{name}/pipeline.py` |
| what an export takes and answers | `{name}/serving.py` |

`rnn_layers/` holds the recurrent layers, `data/` the readers of files, `training/` what surrounds learning:
checkpoints, run folders, the commands.

    python -m pytest            the tests{of_templates}; they download nothing

## What is new in the project

In a clone of the project, with this folder in the place of MINE:

    python cli.py diff MINE             what you changed, what changed there, and both
    python cli.py diff MINE --merge     takes over what changed there, and keeps your changes

Commit `.template.json` and `.template/` too: they remember what was copied.
"""


def files_given(folders: Mapping[str, Path], version: str) -> dict[str, bytes]:
    """Writes the files that a copy begins with and that are nobody's but its owner's.

    Args:
        folders: From each copied template's name to its folder in the project.
        version: The project's version.

    Returns:
        From a path in the copy to the file's bytes.
    """
    names = sorted(folders)
    summaries = [f"`{name}`: {_summary(folders[name])}" for name in names]
    text = _README.format(
        title=" and ".join(names),
        summaries=_summary(folders[names[0]]) if len(names) == 1 else "\n".join(f"- {line}" for line in summaries),
        version=version,
        runs="\n".join(f"    python -m {name} run" for name in names),
        name=names[0],
        example=_example(folders[names[0]]),
        readmes=_listed([f"`{name}/README.md`" for name in names]),
        of_templates="" if len(names) == 1 else " of all templates",
    )
    return {README: text.encode(), GITIGNORE: _IGNORED.encode()}


def _summary(folder: Path) -> str:
    return ast.get_docstring(ast.parse((folder / "__init__.py").read_bytes())) or ""


def _example(folder: Path) -> str:
    """What the template's configuration gives for an input that one may type first."""
    file = folder / "config.py"
    for statement in ast.parse(file.read_bytes() if file.is_file() else b"").body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "EXAMPLE_INPUT":
            return ast.literal_eval(statement.value)
    return "INPUT"


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]
