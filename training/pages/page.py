"""A whole page: its sections in one file, with the style and the few lines of script that it needs."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from data.writing import replacing
from training.pages.parts import Section

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --faint: #ddd; --soft: #666; --mark: #b00060; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --paper: #16181c; --faint: #3a3d44; --soft: #a0a4ab; --mark: #ff7ab8; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 72rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; } h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; } p { margin: .25rem 0 .5rem; max-width: 46rem; }
table { border-collapse: collapse; font-size: .875rem; } .wide { overflow-x: auto; max-width: 100%; }
th, td { padding: .15rem .6rem; border-bottom: 1px solid var(--faint); text-align: start; vertical-align: top;
  overflow-wrap: normal; min-width: 2.2rem; } td.number { text-align: end; font-variant-numeric: tabular-nums; }
td:not(.number) { max-width: 40rem; }
.matrix th, .matrix td { text-align: center; padding: .15rem .3rem; font-variant-numeric: tabular-nums; }
.matrix tbody th { text-align: end; white-space: nowrap; } .matrix thead th { vertical-align: bottom; }
.matrix thead span { writing-mode: vertical-rl; transform: rotate(180deg); white-space: nowrap; }
figure { margin: .5rem 0; } svg { max-width: none; } svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
svg.curves { width: 100%; max-width: 44rem; height: auto; display: block; }
.grid { stroke: var(--faint); } .mark { stroke: var(--mark); } text.mark { stroke: none; fill: var(--mark); }
.line { fill: none; stroke-width: 2; stroke: var(--ink); } .line1, .line4 { stroke: #e07a00; }
.line2 { stroke: #3168d6; } .line3 { stroke: #9a4fb5; }
.legend { list-style: none; padding: 0; margin: 0; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
.bar { fill: #e88214; } .bar.against { fill: #3168d6; } .pixels { image-rendering: pixelated; }
.cursor { fill: none; stroke: var(--mark); stroke-width: 2; }
.lanes { display: flex; } .names { width: 8.5rem; flex: none; margin-inline-end: .5rem; }
.window { overflow-x: auto; min-width: 0; } .unrolled label { display: flex; gap: .5rem; align-items: center; }
.unrolled input { width: min(30rem, 70vw); } output { display: block; font-variant-numeric: tabular-nums; }
.words span { padding: .05rem .15rem; } .for { text-decoration: underline; text-decoration-thickness: 1px; }
.against { text-decoration: underline dotted 1px; } .words .for, .words .against { text-underline-offset: .2em; }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; } .pictures figure { max-width: 14rem; }
.pictures img { width: 100%; min-width: 9rem; image-rendering: auto; display: block; }
textarea { width: 100%; font: inherit; } button { font: inherit; }
[aria-busy] { opacity: .5; } figcaption { font-size: .875rem; color: var(--soft); }
@media (max-width: 40rem) { .names { width: 5rem; } }
"""
# Hovering over a column, or the slider, marks a step and tells its numbers.
SCRIPT = """
function watch(figure) {
  const width = +figure.dataset.width, slider = figure.querySelector("input"), output = figure.querySelector("output");
  const told = JSON.parse(figure.querySelector("script").textContent), panel = figure.querySelector(".window");
  const cursor = figure.querySelector(".cursor"), drawing = panel.querySelector("svg");
  function show(step) {
    slider.value = step + 1; output.textContent = told[step]; cursor.setAttribute("x", step * width);
  }
  slider.addEventListener("input", () => {
    const step = slider.value - 1;
    show(step);
    if (step * width < panel.scrollLeft || (step + 1) * width > panel.scrollLeft + panel.clientWidth)
      panel.scrollLeft = step * width - panel.clientWidth / 2;
  });
  drawing.addEventListener("pointermove", event => {
    const step = Math.floor((event.clientX - drawing.getBoundingClientRect().left) / width);
    if (step >= 0 && step < told.length) show(step);
  });
}
document.querySelectorAll(".unrolled").forEach(watch);
"""


def page(title: str, sections: Sequence[Section], subtitle: str = "", script: str = "") -> str:
    """The HTML of a page.

    Args:
        title: Its heading.
        sections: What it shows.
        subtitle: A line below the heading.
        script: What it does besides.
    """
    body = "".join(section.html() for section in sections)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>{escape(title)}</title><style>{STYLE}</style></head>
<body><main><h1>{escape(title)}</h1><p>{escape(subtitle)}</p>{body}</main><script>{SCRIPT}{script}</script></body></html>
"""


def write_page(path: Path, title: str, sections: Sequence[Section], subtitle: str = "") -> None:
    """Writes a page to a file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(page(title, sections, subtitle), encoding="utf-8")
