"""Lines of the language model's sample, each beside one that is wrong in one place, for what stood far before it.

A model that has understood finds the right one likelier: Linzen, Dupoux and Goldberg 2016, "Assessing the Ability of
LSTMs to Learn Syntax-Sensitive Dependencies", arXiv:1611.01368.
"""

import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "data" / "samples" / "language_model"
VERBS = "is:are was:were has:have likes:like finds:find carries:carry needs:need paints:paint sees:see".split()
OTHER_NUMBER = {a: b for pair in VERBS for a, b in [pair.split(":"), pair.split(":")[::-1]]}
OTHER_BRACKET = {")": "]", "]": "}", "}": ")"}
OTHER_REFLEXIVE = {"himself": "herself", "herself": "himself"}


def lines_of(split: str) -> list[str]:
    return (FOLDER / f"{split}.txt").read_text(encoding="utf-8").splitlines()


def minimal_pairs(split: str) -> dict[str, list[tuple[str, str]]]:
    """Pairs of a right and a wrong line.

    Args:
        split: The sample's split that the right lines are of.

    Returns:
        `verb`: the number of the line's last verb; `bracket`: which one closes what was opened (of those that do not
        touch another mark); `reflexive`: himself or herself.
    """
    pairs: dict[str, list[tuple[str, str]]] = {"verb": [], "bracket": [], "reflexive": []}
    for line in lines_of(split):
        if found := re.search(r"himself|herself", line):
            pairs["reflexive"].append(_pair(line, found, OTHER_REFLEXIVE))
        elif verbs := [word for word in re.finditer(r"(?<= )\w+(?= )", line) if word[0] in OTHER_NUMBER]:
            pairs["verb"].append(_pair(line, verbs[-1], OTHER_NUMBER))
        closing = re.finditer(r"(?<=\w)[)\]}](?= )", line)
        pairs["bracket"] += [_pair(line, bracket, OTHER_BRACKET) for bracket in closing]
    return pairs


def _pair(line: str, found: re.Match, other: dict[str, str]) -> tuple[str, str]:
    return line, line[: found.start()] + other[found[0]] + line[found.end() :]
