"""A template, of which shared code knows the package's name alone: its modules are imported when they are asked for."""

import ast
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType


def has_pages() -> bool:
    """Whether there is a `training.pages`: a copy has it, and the verbs that need it, only if it was asked for."""
    spec = find_spec("training.pages")
    # A folder that is left over, of compiled Python say, has no origin.
    return spec is not None and spec.origin is not None


@dataclass(frozen=True)
class Template:
    """A template's name, what it says of itself, and its modules.

    Args:
        package: Its package: "templates.ner" in the project, "ner" in a copy.
        version: The project's version, recorded in each run.

    Example:
        Template("templates.ner", "0.1.0").config.Config(units=64)
    """

    package: str
    version: str

    @property
    def name(self) -> str:
        """The package's last name, which its runs record."""
        return self.package.rpartition(".")[2]

    @property
    def summary(self) -> str:
        """The first line of the package's docstring, read without importing it."""
        spec = find_spec(self.package)
        source = Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else ""
        return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]

    @property
    def config(self) -> ModuleType:
        """`Config`; `READING`, its fields about reading a file; `ANSWERING`, those about how an answer is found;
        `EXAMPLE_INPUT`, something to type after `predict RUN`; `INPUTS_ARE_FILES`, whether these are paths;
        `USES_ONEDNN`, whether `run` and `evaluate` ask `import_tensorflow` for it."""
        return self._module("config")

    @property
    def pipeline(self) -> ModuleType:
        """`find_source(config, to_train=True)` gives a `data.sources.source.Source`, without TensorFlow."""
        return self._module("pipeline")

    @property
    def train(self) -> ModuleType:
        """`train(config, source, run, test)` leaves a finished run folder."""
        return self._module("train")

    @property
    def evaluate(self) -> ModuleType:
        """`evaluate(run, config, source, split)` gives what `training.commands.evaluate` prints."""
        return self._module("evaluate")

    @property
    def serving(self) -> ModuleType:
        """`load(run, config)` gives a model; `predict(model, inputs)` a dictionary for each, the input first, with
        `error` where it cannot be answered; `as_line(answer)` a line; `predict_file(model, config, path, output,
        as_json)` answers a file's inputs; `export(run, config, folder)` writes a SavedModel. Where answers are running
        text, `stream(model, text)` yields the parts of one as they come, for texts that are typed."""
        return self._module("serving")

    @property
    def shows_inside(self) -> bool:
        """Whether there is a module `inside`."""
        return find_spec(f"{self.package}.inside") is not None

    @property
    def inside(self) -> ModuleType:
        """What can be seen in the network: `examples(run)` gives parts of a page; `typical_inputs(source, config)` some
        inputs; `Inside(run, config)` loads the model, whose `look(input)` gives a `training.pages.inside.Look`."""
        return self._module("inside")

    def _module(self, name: str) -> ModuleType:
        return import_module(f"{self.package}.{name}")
