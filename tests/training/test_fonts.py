"""Characters that matplotlib's own font lacks are drawn in a font that has them, and no warnings pour out."""

import warnings

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.image import imread

from training import fonts
from training.plots import plot_confusion_matrix


@pytest.fixture(autouse=True)
def as_in_a_new_process(monkeypatch):
    monkeypatch.setattr(fonts, "_said", [])
    monkeypatch.setattr(font_manager.fontManager, "ttflist", list(font_manager.fontManager.ttflist))
    forget()
    yield
    forget()


def forget():
    fonts._families.cache_clear()
    fonts._installed.cache_clear()


def install(path, family, characters):
    """Makes a font in which each character is a black square, and lets matplotlib know of it."""
    pen = TTGlyphPen(None)
    for step, point in enumerate([(0, 0), (0, 700), (700, 700), (700, 0)]):
        (pen.lineTo if step else pen.moveTo)(point)
    pen.closePath()
    square, names = pen.glyph(), [".notdef", *(f"u{ord(character):X}" for character in characters)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap(dict(zip(map(ord, characters), names[1:], strict=True)))
    builder.setupGlyf(dict.fromkeys(names, square))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (800, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    builder.save(path)
    font_manager.fontManager.addfont(path)
    forget()


def draw(path, names):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot_confusion_matrix(path, np.eye(len(names), dtype=int), names, "test")
    return imread(path)


def test_the_fewest_fonts_that_have_what_is_missing(tmp_path):
    own = fonts.font_families(["dog, é, Ж"])
    install(tmp_path / "a.ttf", "Some Thai", "กข")
    install(tmp_path / "b.ttf", "Few Han", "狗")
    install(tmp_path / "c.ttf", "More Han", "狗好")
    assert fonts.font_families(["dog 狗", "好"]) == [*own, "More Han"]
    assert fonts.font_families(["ก 狗好 \n\u200b"]) == [*own, "More Han", "Some Thai"]
    assert fonts.font_families([]) == fonts.font_families(["dog"]) == own


def test_a_picture_has_the_glyphs_of_the_font_that_has_them(tmp_path, capsys):
    boxes = draw(tmp_path / "boxes.png", ["狗", "dog"])
    said = capsys.readouterr().out
    assert "no installed font has 狗: boxes in plots/" in said and said.count("\n") == 1
    draw(tmp_path / "more_boxes.png", ["猫", "cat"])
    assert capsys.readouterr().out == ""
    install(tmp_path / "dogs.ttf", "Dogs", "狗")
    drawn = draw(tmp_path / "drawn.png", ["狗", "dog"])
    assert capsys.readouterr().out == ""
    assert drawn.shape == boxes.shape and (drawn != boxes).any()
