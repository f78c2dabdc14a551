"""Every benchmark that is a command can be imported and asked what it takes."""

from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

import benchmarks

FOLDER = Path(benchmarks.__file__).parent
COMMANDS = [path.stem for path in sorted(FOLDER.glob("*.py")) if "@click.command(" in path.read_text()]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_benchmark_tells_what_it_takes(name):
    done = CliRunner().invoke(import_module(f"benchmarks.{name}").main, ["--help"])
    assert done.exit_code == 0 and done.output.startswith("Usage: ")
