"""Fonts for texts in pictures: the usual one, and behind it those that have what it lacks."""

import contextlib
import functools
import logging
import unicodedata
import warnings
from collections.abc import Iterable

from training.facts import print_facts

# It has a glyph for every character, and all that it shows of one is its script.
_NO_FONT = "Last Resort"
# Characters that are named where no font has them.
_NAMED = 5


def font_families(texts: Iterable[str]) -> list[str]:
    """The fonts to write some texts in, for matplotlib's `fontfamily`: each character in the first that has it.

    A line is printed, once, about characters that no installed font has: they are drawn as boxes.

    Args:
        texts: What is to be written.

    Returns:
        Families: matplotlib's own, and where it lacks characters those of other fonts that have most of them.

    Example:
        figure.text(0, 0, "dog 狗", fontfamily=font_families(["dog 狗"]))
    """
    return list(_families("".join(sorted({character for text in texts for character in text}))))


@contextlib.contextmanager
def boxes_in_silence():
    """Within it matplotlib does not warn of each character, or weight, that no font has, whenever it draws."""
    logger = logging.getLogger("matplotlib.font_manager")
    level = logger.level
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)


@functools.cache
def _families(characters: str) -> tuple[str, ...]:
    import matplotlib
    from matplotlib.font_manager import FontProperties, findfont
    from matplotlib.ft2font import FT2Font

    families = list(matplotlib.rcParams["font.family"])
    missing = {ord(character) for character in characters if unicodedata.category(character)[0] not in "CZ"}
    missing -= set(FT2Font(findfont(FontProperties(family=families))).get_charmap())
    while missing:
        covered, name = max(((len(missing & has), name) for name, has in _installed().items()), default=(0, ""))
        if not covered:
            _say_missing("".join(map(chr, sorted(missing))))
            break
        families.append(name)
        missing -= _installed()[name]
    return tuple(families)


@functools.cache
def _installed() -> dict[str, frozenset[int]]:
    """The characters of each installed family, by one upright font of it; those of all faces of a collection."""
    from matplotlib.font_manager import fontManager
    from matplotlib.ft2font import FT2Font

    fonts = {}
    for entry in sorted(fontManager.ttflist, key=lambda entry: (entry.name, entry.weight != 400, entry.fname)):
        if entry.style == "normal" and not entry.name.startswith(_NO_FONT) and entry.name not in fonts:
            with contextlib.suppress(OSError, RuntimeError):  # damaged, or taken away since matplotlib listed it
                fonts[entry.name] = frozenset(FT2Font(entry.fname).get_charmap())
    return fonts


_said: list[str] = []  # in this process


def _say_missing(characters: str) -> None:
    if not _said:
        more = f" and {len(characters) - _NAMED} more" if len(characters) > _NAMED else ""
        has = f"no installed font has {' '.join(characters[:_NAMED])}{more}: boxes in plots/; Noto Sans CJK or the like"
        print_facts("", {"fonts": f"{has} in ~/.local/share/fonts would draw them"})
    _said.append(characters)
