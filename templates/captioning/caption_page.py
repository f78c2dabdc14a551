"""A page of captioned pictures: each with its caption, its references, and where the network looked for every word."""

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.writing import write_text
from training.metrics.captions import caption_tokens

# The veil over what was not looked at: a violet, rare in pictures and neither dark nor bright, so that its edge is seen
# on almost everything; and how much of the picture it hides at most.
_VEIL_COLOUR, _VEIL_STRENGTH = (84, 66, 190), 0.8
# How far from 1 a word's weights may sum: those of half precision do not sum to it exactly.
_SUM_TOLERANCE = 0.01


@dataclass(frozen=True, eq=False)
class ShownCaption:
    """A picture with the caption found for it.

    Args:
        name: What the picture is called.
        picture: uint8 (height, width, 3).
        words: Those of the caption found, in order.
        attention: (words, rows, columns), how much each word looked at each place of the picture, 0 or more; a word's
            weights sum to 1. None for a network without attention.
        references: What people wrote about the picture.
        score: As the search ranks captions: log probability / length to the power of its exponent.
        cider: Of this caption, or None where it was not computed.

    Raises:
        ValueError: a shape or dtype is not as said, or a word's weights do not sum to 1.

    Example:
        ShownCaption("a.jpg", picture, ["a", "dog"], np.full((2, 8, 8), 1 / 64), ["A cat."], -0.5)
    """

    name: str
    picture: np.ndarray
    words: list[str]
    attention: np.ndarray | None
    references: list[str]
    score: float
    cider: float | None = None

    def __post_init__(self):
        shape = self.picture.shape
        if self.picture.dtype != np.uint8 or len(shape) != 3 or shape[2] != 3 or 0 in shape:
            raise ValueError(f"a picture is uint8 (height, width, 3), not {self.picture.dtype} {shape}: {self.name}")
        if self.attention is None:
            return
        shape = self.attention.shape
        if len(shape) != 3 or shape[0] != len(self.words) or 0 in shape[1:]:
            raise ValueError(f"attention is ({len(self.words)} words, rows, columns), not {shape}: {self.name}")
        sums = self.attention.sum(axis=(1, 2), dtype=float)
        # Asked this way round, a weight that is no number is refused too.
        if not (np.all(self.attention >= 0) and np.all(np.abs(sums - 1) <= _SUM_TOLERANCE)):
            raise ValueError(f"each word's attention is 0 or more and sums to 1: {self.name}")


def attention_veil(weights: np.ndarray) -> np.ndarray:
    """Makes what is laid over a picture to show where a word looked: clear where it looked most, else dense.

    Clear means the word's own largest weight. So a word that looked everywhere alike has no veil at all.

    Args:
        weights: (rows, columns), 0 or more, not all 0.

    Returns:
        uint8 (rows, columns, 4): red, green, blue and opacity, to be stretched over the picture.

    Example:
        attention_veil(np.array([[0.75, 0.25]]))[..., 3]   # [[0, 136]]
    """
    weights = np.asarray(weights, np.float64)
    veil = np.empty((*weights.shape, 4), np.uint8)
    veil[..., :3] = _VEIL_COLOUR
    veil[..., 3] = np.rint(255 * _VEIL_STRENGTH * (1 - weights / weights.max()))
    return veil


def words_of_no_reference(shown: ShownCaption) -> list[bool]:
    """Tells for each word of a caption whether no reference has it; case and punctuation make no difference.

    Args:
        shown: The caption and its references.

    Returns:
        A truth value for each word; all false where there is no reference.

    Example:
        words_of_no_reference(ShownCaption("a", picture, ["a", "dog"], None, ["A cat."], -0.5))   # [False, True]
    """
    known = {token for reference in shown.references for token in caption_tokens(reference)}
    return [bool(known) and not known.issuperset(caption_tokens(word)) for word in shown.words]


def write_page(path: Path, title: str, shown: Sequence[ShownCaption], facts: dict[str, str]) -> None:
    """Writes a page of HTML that opens by itself: its pictures are in it, and it needs neither network nor scripts.

    Each picture stands once in the file, as PNG or JPEG, whichever is shorter; a word adds its attention, a PNG of as
    many pixels as the attention has places, which the browser stretches smoothly over the picture.

    Args:
        path: The `.html` to write; it appears whole or not at all.
        title: The heading.
        shown: The captions, in the order of the page.
        facts: What stands below the heading, such as the run and its figures: a name and a value each.

    Example:
        write_page(run / "captions.html", "Captions of the test pictures", shown, {"CIDEr": "0.57"})
    """
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
        # Nothing that a caption could smuggle in would run or be fetched.
        '<meta http-equiv="Content-Security-Policy"',
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">",
        f"<title>{_escape(title)}</title><style>{_STYLE}</style></head>",
        f"<body><header><h1>{_escape(title)}</h1>",
        f"<dl>{''.join(f'<div><dt>{_escape(k)}</dt><dd>{_escape(v)}</dd></div>' for k, v in facts.items())}</dl>",
        _explanation(shown),
        "</header>",
        _overview(shown),
        f"<main>{''.join(_article(number, one) for number, one in enumerate(shown))}</main></body></html>",
    ]
    write_text(path, "\n".join(part for part in parts if part) + "\n")


def _explanation(shown: Sequence[ShownCaption]) -> str:
    lines = []
    if any(any(words_of_no_reference(one)) for one in shown):
        lines.append("A word <mark>marked like this</mark> is in none of the picture’s references.")
    if any(one.attention is not None for one in shown):
        lines.append(
            "Below a caption stands the picture once for each word: clear where the network looked most for the word, "
            "under a violet veil where it did not look. The percentage is the clearest place’s share of all attention: "
            "a word that looked everywhere alike has no veil, and a small share."
        )
    return "".join(f"<p>{line}</p>" for line in lines)


def _overview(shown: Sequence[ShownCaption]) -> str:
    """All pictures small, from the worst CIDEr to the best, each a link; nothing where it would not order anything."""
    ranked = sorted((one.cider, number) for number, one in enumerate(shown) if one.cider is not None)
    if len(ranked) < 2:
        return ""
    links = "".join(
        f'<a href="#picture-{number}" aria-label="{_escape(shown[number].name)}, CIDEr {cider:.2f}">'
        f"{_drawing(number, shown[number])}<span>{cider:.2f}</span></a>"
        for cider, number in ranked
    )
    return (
        f'<nav aria-label="The pictures by CIDEr"><h2>From the lowest CIDEr to the highest</h2><div>{links}</div></nav>'
    )


def _article(number: int, one: ShownCaption) -> str:
    height, width = one.picture.shape[:2]
    marks = words_of_no_reference(one)
    texts = [f"<mark>{_escape(word)}</mark>" if mark else _escape(word) for word, mark in zip(one.words, marks)]
    figures = [f"score <b>{one.score:.2f}</b>"]
    if one.cider is not None:
        figures.insert(0, f"CIDEr <b>{one.cider:.2f}</b>")
    references = "".join(f'<li dir="auto">{_escape(reference)}</li>' for reference in one.references)
    return (
        f'\n<article id="picture-{number}"><div class="whole">'
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{_escape(one.name)}">'
        f'<image id="pixels-{number}" width="{width}" height="{height}" href="{_picture_address(one.picture)}"/></svg>'
        f'<p class="name">{_escape(one.name)}</p></div>'
        f'<div class="texts"><h2 dir="auto">{" ".join(texts) or "(no words)"}</h2>'
        f'<p class="figures">{" · ".join(figures)}</p>'
        f'<ul aria-label="references">{references}</ul></div>'
        f"{_strip(number, one, texts)}</article>"
    )


def _strip(number: int, one: ShownCaption, texts: list[str]) -> str:
    """A small picture for each word, with the veil of its attention."""
    if one.attention is None:
        return ""
    panels = "".join(
        f"<li>{_drawing(number, one, attention_veil(weights))}"
        f'<span dir="auto">{text}</span><small>{weights.max():.0%}</small></li>'
        for weights, text in zip(one.attention, texts)
    )
    return f'<ol aria-label="where the network looked, word by word">{panels}</ol>'


def _drawing(number: int, one: ShownCaption, veil: np.ndarray | None = None) -> str:
    """The picture again, by reference to the pixels that are in the page already."""
    height, width = one.picture.shape[:2]
    over = ""
    if veil is not None:
        over = (
            f'<image width="{width}" height="{height}" preserveAspectRatio="none" '
            f'href="{_address("png", _encoded(veil, "png"))}"/>'
        )
    return f'<svg viewBox="0 0 {width} {height}" aria-hidden="true"><use href="#pixels-{number}"/>{over}</svg>'


def _picture_address(picture: np.ndarray) -> str:
    # Drawings are shorter as PNG, photographs as JPEG.
    contents = {kind: _encoded(picture, kind) for kind in ("png", "jpeg")}
    kind = min(contents, key=lambda kind: len(contents[kind]))
    return _address(kind, contents[kind])


def _address(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _encoded(pixels: np.ndarray, kind: str) -> bytes:
    from matplotlib.image import imsave

    settings = {"jpeg": {"pil_kwargs": {"quality": 90}}, "png": {"metadata": {"Software": None}}}
    stream = io.BytesIO()
    imsave(stream, pixels, format=kind, origin="upper", **settings[kind])
    return stream.getvalue()


def _escape(text: str) -> str:
    # A file's name may hold bytes that are no characters.
    return html.escape(text.encode("utf-8", "replace").decode("utf-8"))


_STYLE = """
:root { --page: #f4f4f2; --card: #fff; --text: #1c1d21; --quiet: #5d616b; --line: #dcdcd8; --mark: #a81e2c; }
@media screen and (prefers-color-scheme: dark) {
  :root { --page: #131418; --card: #1d1f24; --text: #e7e8eb; --quiet: #a0a5b0; --line: #33363e; --mark: #ff8b8b; }
}
@media screen { :root { color-scheme: light dark; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.25rem clamp(0.75rem, 3vw, 2rem) 3rem; max-width: 76rem; background: var(--page);
  color: var(--text); font: 1rem/1.45 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0 0 0.75rem; }
header p { max-width: 48rem; margin: 0.4rem 0; color: var(--quiet); font-size: 0.9rem; }
dl { display: flex; flex-wrap: wrap; gap: 0.4rem 1.75rem; margin: 0 0 0.75rem; }
dt { font-size: 0.8rem; color: var(--quiet); }
dd { margin: 0; font-variant-numeric: tabular-nums; }
svg { display: block; width: 100%; height: auto; border-radius: 4px; outline: 1px solid var(--line); }
mark { background: none; color: var(--mark); text-decoration: underline wavy 1px; text-underline-offset: 0.2em; }
header, nav { margin: 0 0 1.25rem; }
nav h2 { font-size: 0.8rem; font-weight: normal; color: var(--quiet); margin: 0 0 0.4rem; }
nav div { display: grid; grid-template-columns: repeat(auto-fill, minmax(3.25rem, 1fr)); gap: 0.5rem; }
nav a { color: inherit; font-size: 0.75rem; text-align: center; text-decoration: none;
  font-variant-numeric: tabular-nums; }
nav a:hover span, nav a:focus span { text-decoration: underline; }
article { display: grid; grid-template-columns: 14rem 1fr; gap: 0 1.5rem; margin: 0 0 1.25rem; padding: 1rem;
  background: var(--card); border: 1px solid var(--line); border-radius: 8px; break-inside: avoid; }
article:target { border-color: var(--text); }
.name { margin: 0.3rem 0 0; font-size: 0.8rem; color: var(--quiet); }
article h2 { font-size: 1.3rem; line-height: 1.3; margin: 0 0 0.3rem; }
.figures { margin: 0 0 0.75rem; font-size: 0.85rem; color: var(--quiet); font-variant-numeric: tabular-nums; }
.figures b { color: var(--text); }
ul { margin: 0; padding: 0 0 0 0.9rem; border-left: 3px solid var(--line); list-style: none; }
ul li { margin: 0 0 0.15rem; }
ol { grid-column: 1 / -1; display: grid; grid-template-columns: repeat(auto-fill, minmax(7.5rem, 1fr)); gap: 0.75rem;
  list-style: none; margin: 1rem 0 0; padding: 1rem 0 0; border-top: 1px solid var(--line); }
ol li { line-height: 1.25; text-align: center; break-inside: avoid; }
ol span { display: block; margin-top: 0.3rem; font-weight: 600; }
ol small { color: var(--quiet); font-size: 0.75rem; font-variant-numeric: tabular-nums; }
@media (max-width: 36rem) {
  article { grid-template-columns: 1fr; padding: 0.75rem; }
  .whole { max-width: 14rem; margin-bottom: 0.75rem; }
  ol { grid-template-columns: repeat(auto-fill, minmax(5.25rem, 1fr)); gap: 0.6rem; }
}
@media print {
  :root { font-size: 9.5pt; }
  body { background: none; padding: 0; }
  nav { display: none; }
  article { grid-template-columns: 10rem 1fr; }
  ol { grid-template-columns: repeat(8, 1fr); gap: 0.5rem; }
}
"""
