"""Who knows one template knows all: what is meant to be alike in them is alike, and `train.py` is short."""

import ast
import importlib
from pathlib import Path

import pytest

from training.commands.flags import comments_of

TEMPLATES = sorted(path.parent for path in (Path(__file__).resolve().parents[2] / "templates").glob("*/train.py"))
LONGEST_TRAIN, LONGEST_INNER_LOOP = 110, 8  # lines


def functions_of(template: Path) -> dict[str, ast.FunctionDef]:
    tree = ast.parse((template / "train.py").read_text(encoding="utf-8"))
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def lines_of(node: ast.AST) -> int:
    return node.end_lineno - node.lineno + 1


def find(kind: type, node: ast.AST, text: str):
    """The first node of a kind whose source begins so."""
    return next(found for found in ast.walk(node) if isinstance(found, kind) and ast.unparse(found).startswith(text))


class Blank(ast.NodeTransformer):
    """Leaves out what a template may choose: what it measures, and the parts of `progress`."""

    def visit_Call(self, node):
        self.generic_visit(node)
        if ast.unparse(node.func) in ("measure", "progress.finish"):
            node.args, node.keywords = [], []
        if ast.unparse(node.func) == "Progress":
            node.args = [argument for argument in node.args if "best_by" not in ast.unparse(argument)]
            node.keywords = [keyword for keyword in node.keywords if keyword.arg in ("model", "optimizer", "average")]
        return node


def alike_in(template: Path) -> dict[str, object]:
    functions = functions_of(template)
    train = functions["train"]
    loop = Blank().visit(find(ast.With, train, "with progress"))
    # How an epoch's plan comes about is the template's own.
    epochs = loop.body[0]
    epochs.body = epochs.body[[isinstance(line, ast.For) for line in epochs.body].index(True) :]
    step = functions["step"].body
    return {
        "arguments of train": ast.unparse(train.args),
        "arguments of make_train_step": [argument.arg for argument in functions["make_train_step"].args.args][:5],
        "begin": ast.unparse(Blank().visit(find(ast.Assign, train, "progress = "))),
        "loop": ast.unparse(loop),
        "best weights": ast.unparse(find(ast.Expr, train, "progress.restore_best")),
        "end": ast.unparse(Blank().visit(train.body[-1])),
        "replica": "\n".join(map(ast.unparse, step[:2])),
        "update": "\n".join(map(ast.unparse, step[-4:-1])),
    }


def test_there_are_templates():
    assert len(TEMPLATES) >= 4


@pytest.mark.parametrize("part", alike_in(TEMPLATES[0]))
def test_what_is_meant_to_be_alike_is_alike(part):
    found = {template.name: alike_in(template)[part] for template in TEMPLATES}
    assert all(text == found[TEMPLATES[0].name] for text in found.values()), "\n\n".join(
        f"{name}:\n{text}" for name, text in found.items()
    )


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_the_loop_is_read_at_a_glance(template):
    train = functions_of(template)["train"]
    assert lines_of(train) <= LONGEST_TRAIN
    assert lines_of(find(ast.For, train, "for rows, batch in progress.steps")) <= LONGEST_INNER_LOOP


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
@pytest.mark.parametrize("module", ["train", "evaluate"])
def test_a_function_of_batches_is_traced_once(template, module):
    """Or its bits would depend on the batches before: on those of any length, or on this process's first."""
    tree = ast.parse((template / f"{module}.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "tf.function"]
    # What may be compiled by XLA is called within the other.
    outer = [call for call in calls if "jit_compile" not in ast.unparse(call)]
    assert outer and all("input_signature" in [keyword.arg for keyword in call.keywords] for call in outer)


def test_the_command_line_is_the_same_file():
    assert len({(template / "__main__.py").read_text() for template in TEMPLATES}) == 1


def test_configurations_have_the_same_sections_and_the_fields_that_every_run_has():
    for template in TEMPLATES:
        Config = importlib.import_module(f"templates.{template.name}.config").Config
        sections = {}
        for name, (section, _) in comments_of(Config).items():
            sections.setdefault(section, []).append(name)
        # How an answer is found, where there is anything to choose, stands between the last two.
        assert [*list(sections)[:3], list(sections)[-1]] == ["Data", "Network", "Training", "Run"]
        assert len(sections) <= 5
        assert {"cell", "units"} <= set(sections["Network"])
        assert sections["Training"][:2] == ["epochs", "batch_size"] and "learning_rate" in sections["Training"]
        assert sections["Run"] == ["seed", "precision", "strategy", "jit", "checkpoint_steps"]
