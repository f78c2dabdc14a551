"""Pages: what stands in them is shown as it is, pictures are what other readers see, numbers are at their places."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from training.pages.colours import NEGATIVE, POSITIVE, heat_map, png, shade
from training.pages.curves import ticks
from training.pages.page import page
from training.pages.parts import Curves, Matrix, Picture, Section, Table, Words
from training.pages.states import back_in_time
from training.pages.unrolled import Bars, Labels, States, Unrolled
from training.pages.written import alternatives, readable

HOSTILE = "</script><img src=x onerror=alert(1)> & \"quoted\" 'once' 你好 שלום"


def picture_of(address):
    kind, content = address.split(",")
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))


class Elements(HTMLParser):
    """The elements of a page, and whether each that must be closed is."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in ("meta", "link", "img", "input", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def unrolled(steps=3):
    values = np.linspace(-1, 1, steps * 4).reshape(steps, 4)
    lanes = [
        Bars(HOSTILE, [0.5] * steps, most=1, said=[HOSTILE] * steps),
        States("h_t", values, "→"),
        Labels("x_t", [HOSTILE] * steps, [1.0] * steps, "counts"),
    ]
    return Unrolled(HOSTILE, lanes, steps, HOSTILE)


@pytest.mark.parametrize(
    "part",
    [
        Table(HOSTILE, [HOSTILE], [[HOSTILE]], HOSTILE),
        Table(HOSTILE, (), [[HOSTILE, "1"]]),
        Matrix(HOSTILE, [HOSTILE], [HOSTILE], np.array([[0.5]]), HOSTILE),
        Words(HOSTILE, [HOSTILE], [-0.25], HOSTILE),
        Picture(HOSTILE, [(png(np.zeros((2, 2, 3), np.uint8)), HOSTILE)], HOSTILE),
        Curves(HOSTILE, HOSTILE, {HOSTILE: [(1, 2.0), (2, 3.0)]}, HOSTILE, marks={1.5: HOSTILE}),
        unrolled(),
    ],
    ids=lambda part: type(part).__name__,
)
def test_what_a_user_wrote_is_text_and_nothing_else(part):
    whole = page(HOSTILE, [Section(HOSTILE, [part], HOSTILE)], HOSTILE)
    elements = Elements(whole)
    assert elements.open == []
    assert not [
        attributes for _, attributes in elements.found if "onerror" in attributes or attributes.get("src") == "x"
    ]
    # Nothing is fetched from anywhere.
    links = [value for _, attributes in elements.found for name, value in attributes.items() if name in ("src", "href")]
    assert links and all(link.startswith("data:") for link in links)


def test_a_heat_map_is_blue_below_zero_and_orange_above():
    pixels = picture_of(heat_map(np.array([[-2.0, 0.0], [1.0, np.nan]])))
    assert tuple(pixels[0, 0]) == (*NEGATIVE, 255) and tuple(pixels[1, 0]) == (*POSITIVE, 128)
    assert pixels[0, 1, 3] == pixels[1, 1, 3] == 0
    assert picture_of(heat_map(np.zeros((2, 3)))).shape == (2, 3, 4)
    colours = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    np.testing.assert_array_equal(picture_of(png(colours)), colours)
    assert shade(-1, 2).startswith("rgba(49,104,214,0.30") and shade(1, 0).endswith("0.00)")


def test_each_step_of_an_unrolled_network_tells_its_numbers():
    html = unrolled(3).html()
    told = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1])
    assert len(told) == 3 and told[0].startswith(
        f"step 1: {HOSTILE}: 0.500 ({HOSTILE}); h_t: mean -0.73, largest -1.00; x_t: "
    )
    assert 'data-width="66"' in html and 'data-width="14"' in unrolled(400).html()
    assert 'max="400"' in unrolled(400).html()


def test_axes_have_round_numbers():
    assert ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1] and ticks(0.31, 0.34) == [0.31, 0.32, 0.33, 0.34]
    assert ticks(1, 3, whole=True) == [1, 2, 3] and ticks(0, 400, whole=True) == [0, 100, 200, 300, 400]
    assert "no number to draw" in Curves("", "", {"a": [(1, -1.0)]}, logarithmic=True).html()


def test_a_gradient_goes_back_from_the_last_step():
    curves = back_in_time("", {"one": np.array([1.0, 2.0, 4.0])}, "")
    assert list(curves.lines["one"]) == [(0, 1.0), (1, 0.5), (2, 0.25)]


def test_pieces_are_readable():
    assert [readable(piece) for piece in (b" the", b"\xc3", b"\n", b"")] == ["␣the", "\\xc3", "⏎", "·"]
    assert alternatives(np.log([[0.1, 0.7, 0.2]]), "abc") == ["b 0.70, c 0.20, a 0.10"]
