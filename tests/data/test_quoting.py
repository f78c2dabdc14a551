"""Commands that are printed can be typed: a shell takes them apart into the words they were made of."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from data.quoting import as_typed

WORDS = ["plain", "a b", "it's", '"', "$HOME", "a\tb", "\\", "*", "", "ü", "a;b", "a\nb", "-x", "R&D", "runs/mine-1.5"]


def test_a_shell_takes_a_command_apart_into_its_words():
    script = "import sys; print(ascii(sys.argv[1:]))"
    words = [word for word in WORDS if os.name != "nt" or word.isascii() and word.isprintable() and '"' not in word]
    done = subprocess.run(as_typed(sys.executable, "-c", script, *words), shell=True, capture_output=True, text=True)
    assert done.stdout.strip() == ascii(words), done.stderr


def test_a_path_is_never_taken_for_an_option():
    assert as_typed("cd", Path("-x"), "-x", Path("x")) == f"cd .{os.sep}-x -x x"


@pytest.mark.parametrize("word, quoted", [("a b", '"a b"'), ("R&D", '"R&D"'), ("C:\\runs\\a", "C:\\runs\\a")])
def test_windows_knows_double_quotes_only(monkeypatch, word, quoted):
    monkeypatch.setattr(os, "name", "nt")
    assert as_typed("cd", word) == f"cd {quoted}"
