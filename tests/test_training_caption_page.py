"""templates.captioning.caption_page and templates.captioning.caption_figure: what is shown is what was given, and it opens by itself."""

import base64
import html.parser
import io
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.image import imread

from templates.captioning.caption_figure import MOST_PICTURES, plot_captions
from templates.captioning.caption_page import ShownCaption, attention_veil, words_of_no_reference, write_page

UNRULY = "<b>&\"'</style><script>"
VOID = {"meta", "image", "use"}


class Page(html.parser.HTMLParser):
    """The elements of a page in order, each with its attributes and its text; fails where tags do not match."""

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self.open: list[tuple[str, list[str]]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        element = (tag, dict(attributes), [])
        self.elements.append(element)
        if tag not in VOID:
            self.open.append((tag, element[2]))

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes), []))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        for _, texts in self.open:
            texts.append(data)

    def texts(self, tag: str) -> list[str]:
        return ["".join(texts) for name, _, texts in self.elements if name == tag]

    def attributes(self, tag: str, attribute: str) -> list[str]:
        return [found[attribute] for name, found, _ in self.elements if name == tag and attribute in found]


def shown_caption(words=("a", "red", "dog"), side=16, grid=(4, 5), attended=True, seed=0, **others) -> ShownCaption:
    generator = np.random.default_rng(seed)
    attention = generator.dirichlet(np.ones(grid[0] * grid[1]), len(words)).reshape(len(words), *grid)
    fields = {
        "name": "a.jpg",
        "picture": generator.integers(0, 256, (side, side, 3), dtype=np.uint8),
        "words": list(words),
        "attention": attention if attended else None,
        "references": ["A dog.", "The red animal"],
        "score": -0.5,
    }
    return ShownCaption(**(fields | others))


def page_of(folder, shown, title="Captions", facts=None) -> tuple[str, Page]:
    path = folder / "captions.html"
    write_page(path, title, shown, facts or {})
    text = path.read_text(encoding="utf-8")
    return text, Page(text)


def decoded(address: str) -> np.ndarray:
    """The pixels of an address, 0 to 255."""
    kind, content = re.fullmatch(r"data:image/(png|jpeg);base64,(.*)", address).groups()
    pixels = imread(io.BytesIO(base64.b64decode(content, validate=True)), format=kind)
    return pixels if pixels.dtype == np.uint8 else np.rint(pixels * 255).astype(np.uint8)


# The captions shown.


@pytest.mark.parametrize(
    "changed",
    [
        {"picture": np.zeros((4, 4), np.uint8)},
        {"picture": np.zeros((4, 4, 4), np.uint8)},
        {"picture": np.zeros((0, 4, 3), np.uint8)},
        {"picture": np.zeros((4, 4, 3))},
        {"attention": np.full((2, 2, 2), 0.25)},
        {"attention": np.full((3, 4), 0.25)},
        {"attention": np.zeros((3, 0, 2))},
        {"attention": np.full((3, 2, 2), 0.2)},
        {"attention": np.full((3, 2, 2), np.nan)},
        {"attention": np.tile([[1.5, -0.5]], (3, 1, 1))},
    ],
)
def test_a_picture_or_attention_of_another_kind_is_refused_by_name(changed):
    with pytest.raises(ValueError, match="a.jpg"):
        shown_caption(**changed)


def test_attention_in_half_precision_is_taken():
    shown_caption(words=["a"] * 50, grid=(14, 14), attention=shown_caption(["a"] * 50).attention.astype(np.float16))


@given(arrays(float, (3, 4), elements=st.floats(0, 1)).filter(np.any))
@settings(max_examples=50, deadline=None)
def test_the_veil_is_clear_at_the_largest_weight_and_denser_where_the_weight_is_smaller(weights):
    opacity = attention_veil(weights)[..., 3].astype(int)
    assert opacity[np.unravel_index(weights.argmax(), weights.shape)] == 0
    order = np.argsort(weights, axis=None)
    assert np.all(np.diff(opacity.ravel()[order]) <= 0)
    relative = weights / weights.max()
    np.testing.assert_allclose(opacity, attention_veil(np.array([[0, 1]]))[0, 0, 3] * (1 - relative), atol=1)


def test_the_veil_of_attention_to_everything_is_clear_everywhere():
    assert not attention_veil(np.full((3, 3), 1 / 9))[..., 3].any()


@pytest.mark.parametrize("grey", range(0, 256, 15))
def test_the_veil_stands_out_from_grey_of_any_brightness(grey):
    *colour, opacity = attention_veil(np.array([[0, 1]]))[0, 0].astype(float)
    assert np.linalg.norm(np.array(colour) - grey) * opacity / 255 > 60


def test_words_of_no_reference_are_found_whatever_their_case_and_punctuation():
    one = shown_caption(["The", "dog", "-", "sleeps", "red,"])
    assert words_of_no_reference(one) == [False, False, False, True, False]
    assert words_of_no_reference(shown_caption(references=[])) == [False, False, False]


# The page.


def test_every_text_stands_in_the_page_as_it_is(tmp_path):
    one = shown_caption(
        [UNRULY, "x&y"], name=UNRULY + "n", references=[UNRULY + "1", "A dog & <i>cat</i>"], cider=1.234
    )
    text, page = page_of(tmp_path, [one], UNRULY + "t", {UNRULY + "k": UNRULY + "v"})
    assert page.texts("h1") == page.texts("title") == [UNRULY + "t"]
    assert page.texts("dt") == [UNRULY + "k"] and page.texts("dd") == [UNRULY + "v"]
    assert page.texts("h2") == [UNRULY + " x&y"]
    assert page.texts("ul") == [UNRULY + "1A dog & <i>cat</i>"]
    assert "CIDEr 1.23 · score -0.50" in page.texts("p")
    assert UNRULY + "n" in page.texts("p")
    assert not page.attributes("script", "src") and "<script" not in text and "<i>" not in text


def test_the_page_needs_nothing_from_outside(tmp_path):
    text, page = page_of(tmp_path, [shown_caption(cider=1.0), shown_caption(cider=2.0, seed=1)])
    assert not re.search(r"https?:|//|@import|url\(", re.sub(r"base64,[\w+/=]+", "", text))
    assert all(address.startswith("data:image/") for address in page.attributes("image", "href"))
    assert set(page.attributes("use", "href")) <= {f"#{name}" for name in page.attributes("image", "id")}
    assert set(page.attributes("a", "href")) <= {f"#{name}" for name in page.attributes("article", "id")}
    assert not page.texts("script")


def test_each_picture_stands_once_and_each_word_adds_its_own_veil(tmp_path):
    # Flat colours, so that it is stored without loss.
    picture = np.zeros((20, 30, 3), np.uint8)
    picture[5:, :10] = (255, 128, 3)
    one = shown_caption(picture=picture)
    _, page = page_of(tmp_path, [one])
    whole, *veils = [decoded(address) for address in page.attributes("image", "href")]
    np.testing.assert_array_equal(whole[..., :3], picture)
    assert len(veils) == len(one.words)
    for veil, weights in zip(veils, one.attention):
        np.testing.assert_array_equal(veil, attention_veil(weights))
        assert veil[..., 3].argmin() == weights.argmax()
    assert page.texts("small") == [f"{weights.max():.0%}" for weights in one.attention]
    assert set(page.attributes("svg", "viewbox")) == {"0 0 30 20"}


def test_a_photograph_of_any_content_is_stored_close_to_it(tmp_path):
    row, column = np.mgrid[:96, :96]
    smooth = np.stack([row * 2, column * 2, 60 + np.hypot(row - 40, column - 50)], axis=-1)
    picture = np.clip(smooth + np.random.default_rng(0).normal(0, 4, smooth.shape), 0, 255).astype(np.uint8)
    _, page = page_of(tmp_path, [shown_caption(picture=picture, attended=False)])
    (whole,) = [decoded(address) for address in page.attributes("image", "href")]
    assert np.abs(whole[..., :3].astype(int) - picture).mean() < 5


def test_without_attention_there_are_no_panels_and_nothing_about_them(tmp_path):
    text, page = page_of(tmp_path, [shown_caption(attended=False)])
    assert page.texts("h2") == ["a red dog"] and not page.texts("ol") and "veil" not in "".join(page.texts("p"))
    assert len(page.attributes("image", "href")) == 1


def test_a_caption_of_no_words_and_a_page_of_no_pictures_are_written(tmp_path):
    empty = shown_caption(words=[], attention=np.zeros((0, 2, 2)), references=[])
    assert page_of(tmp_path, [empty])[1].texts("h2") == ["(no words)"]
    assert page_of(tmp_path, [])[1].texts("article") == []


def test_words_that_no_reference_has_are_marked(tmp_path):
    _, page = page_of(tmp_path, [shown_caption(["a", "dog", "sleeps"])])
    assert page.texts("article")[0].count("sleeps") == 2
    assert page.texts("mark") == ["marked like this", "sleeps", "sleeps"]


def test_the_overview_goes_from_the_worst_caption_to_the_best(tmp_path):
    figures = [0.5, None, 0.1, 2.0]
    shown = [shown_caption(seed=number, cider=figure) for number, figure in enumerate(figures)]
    _, page = page_of(tmp_path, shown)
    assert page.attributes("a", "href") == ["#picture-2", "#picture-0", "#picture-3"]
    assert page.texts("a") == ["0.10", "0.50", "2.00"]


def test_a_name_with_bytes_that_are_no_characters_is_written(tmp_path):
    _, page = page_of(tmp_path, [shown_caption(name="caf\udce9.jpg")])
    assert "caf?.jpg" in page.texts("p")


def test_forty_pictures_of_noise_with_twelve_words_stay_below_three_million_bytes(tmp_path):
    shown = [shown_caption(["word"] * 12, side=128, grid=(14, 14), seed=seed) for seed in range(40)]
    write_page(tmp_path / "captions.html", "Captions", shown, {})
    assert (tmp_path / "captions.html").stat().st_size < 3e6
    assert [path.name for path in tmp_path.iterdir()] == ["captions.html"]


# The figure.


def recorded_figure(monkeypatch) -> list:
    """Keeps every text that is drawn."""
    from matplotlib.figure import Figure

    figures = []
    save = Figure.savefig

    def keep(self, *arguments, **settings):
        figures.append(self)
        return save(self, *arguments, **settings)

    monkeypatch.setattr(Figure, "savefig", keep)
    return figures


def test_no_text_lies_over_another_or_leaves_the_figure(tmp_path, monkeypatch):
    figures = recorded_figure(monkeypatch)
    endless = shown_caption(
        words=["Donaudampfschifffahrtsgesellschaft"] * 30,
        references=["a reference that says everything there is to say about it " * 5],
        cider=0.25,
    )
    plot_captions(tmp_path / "captions.png", [endless, shown_caption(["a", "$x$", "$"])], "a title of many words " * 9)
    (figure,) = figures
    boxes = [text.get_window_extent() for text in figure.texts if text.get_text()]
    # A title and what the colours say, two lines for each picture, and the words' own, no more than 21 of a picture.
    assert len(boxes) == 2 + 2 * 2 + 21 + 3
    width, height = figure.get_size_inches() * figure.dpi
    for number, box in enumerate(boxes):
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
        assert not any(box.overlaps(other) for other in boxes[:number])
        assert not any(box.overlaps(axes.get_window_extent()) for axes in figure.axes)
    assert "$x$" in [text.get_text() for text in figure.texts]


def test_the_figure_grows_by_a_row_for_each_picture_up_to_the_most_shown(tmp_path):
    sizes = []
    for count in range(1, MOST_PICTURES + 3):
        plot_captions(tmp_path / "captions.png", [shown_caption(seed=seed) for seed in range(count)], "test")
        sizes.append(imread(tmp_path / "captions.png").shape)
    heights, widths, _ = zip(*sizes)
    assert len(set(widths)) == 1
    assert np.diff(heights[:MOST_PICTURES]) == pytest.approx(heights[1] - heights[0], abs=1)
    assert len(set(heights[MOST_PICTURES - 1 :])) == 1


def test_a_panel_shows_the_picture_where_the_word_looked_and_the_veil_elsewhere(tmp_path, monkeypatch):
    figures = recorded_figure(monkeypatch)
    attention = np.zeros((1, 2, 2))
    attention[0, 0, 1] = 1
    picture = np.full((8, 8, 3), (0, 255, 0), np.uint8)
    plot_captions(tmp_path / "captions.png", [shown_caption(["dog"], picture=picture, attention=attention)], "")
    pixels = imread(tmp_path / "captions.png")[..., :3]
    box = figures[0].axes[1].get_window_extent()
    left, right = int(box.x0) + 4, int(box.x1) - 4
    top, bottom = len(pixels) - int(box.y1) + 4, len(pixels) - int(box.y0) - 4
    np.testing.assert_allclose(pixels[top, right], (0, 1, 0), atol=0.02)
    red, green, blue, opacity = attention_veil(attention[0])[1, 0] / 255
    veiled = np.array((red, green, blue)) * opacity + np.array((0, 1, 0)) * (1 - opacity)
    for place in ((top, left), (bottom, left), (bottom, right)):
        np.testing.assert_allclose(pixels[place], veiled, atol=0.02)


def test_pictures_without_attention_and_captions_without_words_are_drawn(tmp_path):
    empty = shown_caption(words=[], attention=np.zeros((0, 2, 2)), references=[])
    plot_captions(tmp_path / "captions.png", [shown_caption(attended=False), empty], "test")
    assert imread(tmp_path / "captions.png").ndim == 3


def test_a_figure_of_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no captions"):
        plot_captions(tmp_path / "captions.png", [], "test")
    assert not list(tmp_path.iterdir())
