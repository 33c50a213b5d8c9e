"""What each tower knows, on the page and as figures for papers."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from .knowledge import parts
from .knowledge_figures import LABELS, figures_of
from .svg import HEIGHT, STYLE, WIDTH
from .templating import part


def section(results: dict[str, Any]) -> Markup | None:
    """The body of the section; None for a run of which nothing was asked."""
    found = parts(results)
    if not found:
        return None
    drawn = {name: _inline(name, draw) for name, draw in figures_of(results).items()}
    return part("knowledge.html.j2", parts=[(one, drawn.get(f"knowledge_{one.name}", "")) for one in found])


def write_knowledge(results: dict[str, Any], folder: Path) -> None:
    """Write one SVG for each figure into `folder`."""
    for name, draw in figures_of(results).items():
        (folder / f"{name}.svg").write_text(_svg(draw), encoding="utf-8")


def _svg(draw: Callable[[Figure], None]) -> str:
    written = io.StringIO()
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")  # not pyplot: no global state, no display
        draw(figure)
        figure.savefig(written, format="svg", metadata={"Date": None})
    return written.getvalue()


def _inline(name: str, draw: Callable[[Figure], None]) -> Markup:
    """The SVG element, with ids of its own and no style that reaches beyond it."""
    svg = _svg(draw)
    svg = re.sub(r"<(metadata|style)\b.*?</\1>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    box = re.search(r'viewBox="[^"]*"', svg)
    head = f'<svg {box.group() if box else ""} role="img" aria-label="{escape(LABELS[name])}">'
    return Markup(f'<div class="knowledge" id="figure-{name}">{head}{svg[svg.index(">") + 1 :]}</div>')
