"""A figure for the page and for papers: Matplotlib draws it, and the page lets its marks say what they are."""

from __future__ import annotations

import io
import re
import textwrap
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.artist import Artist
from matplotlib.collections import Collection, LineCollection
from matplotlib.figure import Figure

from .style import DARK, NARROW, STYLE, WIDE, ZERO_COLOR

SVG = "http://www.w3.org/2000/svg"
_HREF = "{http://www.w3.org/1999/xlink}href"
_REFERENCE = re.compile(r"(?:url\()?#([\w-]+)\)?")


class Sheet(Figure):
    """A figure of one width; `tips` holds what its marks say on the page, by the id of their group."""

    def __init__(self, narrow: bool = False) -> None:
        # Not pyplot: no global state, no display.
        super().__init__(figsize=(NARROW if narrow else WIDE, 3.4), layout="constrained")
        self.narrow, self.tips = narrow, dict[str, list[str]]()
        self.row_size = 8 if narrow else 9
        """Of names beside rows, in whole points: Matplotlib measures others too short, and the page would cut them."""

    def _repr_svg_(self) -> str:
        """How a notebook shows the figure."""
        return _svg(self)

    def height(self, inches: float) -> None:
        """Set the height; the width stays."""
        self.set_size_inches(self.get_figwidth(), inches)

    def panels(self, number: int, height: float) -> Any:
        """Axes beside each other, two to a row, or below each other where the figure is narrow; flat."""
        columns = 1 if self.narrow else min(2, number)
        rows = -(-number // columns)
        self.height(height * rows)
        axes = self.subplots(rows, columns, squeeze=False).ravel()
        for unused in axes[number:]:
            unused.remove()
        return axes[:number]

    def tell(self, marks: Collection, tips: Sequence[str]) -> None:
        """Say of each mark what it is; the page shows it when a reader points at it or steps to it."""
        name = f"marks{len(self.tips)}"
        marks.set_gid(name)
        self.tips[name] = list(tips)

    def wrap(self, label: str, width: int = 26) -> str:
        """The label of an axis or of a row, on several lines where the figure is narrow."""
        return textwrap.fill(label, width) if self.narrow else label

    def key(self, columns: int = 4, handles: Sequence[Artist] | None = None, scale: float = 1.0) -> None:
        """The legend, above the axes, where it covers nothing; each label once."""
        labelled: dict[str, Artist] = {}
        for axes in self.axes:
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
                labelled.setdefault(label, handle)
        chosen = {str(artist.get_label()): artist for artist in handles} if handles is not None else labelled
        if chosen:
            longest = max(map(len, chosen))
            fit = max(1, int((48 if self.narrow else 104) / (longest + 6)))
            self.legend(
                list(chosen.values()), list(chosen), loc="outside upper left", ncols=min(columns, fit, len(chosen)),
                markerscale=scale, scatterpoints=1,
            )  # fmt: skip


def zero(axes: Any) -> None:
    """A dashed line where nothing is preferred."""
    axes.axvline(0.0, color=ZERO_COLOR, linewidth=0.8, linestyle="--", zorder=0)


def interval(axes: Any, at: Any, low: Any, high: Any, color: Any, vertical: bool = False) -> LineCollection:
    """Bars from `low` to `high`; those without an interval (NaN) are left out."""
    ends = (np.asarray(end, dtype=np.float64) for end in (low, high))  # None becomes NaN
    drawn: LineCollection = (axes.vlines if vertical else axes.hlines)(at, *ends, color=color, linewidth=1.0)
    return drawn


Draw = Callable[[Sheet], None]


@dataclass(frozen=True)
class Plate:
    """A figure, drawn wide (for papers and wide screens) and narrow (for a column and for small screens)."""

    name: str
    wide: Sheet
    narrow: Sheet
    svg: str
    """The wide one."""

    def save(self, folder: Path) -> None:
        """Write `NAME.svg` and `NAME.pdf` into `folder`, for papers."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}.svg").write_text(self.svg, encoding="utf-8")
        with matplotlib.rc_context(STYLE), warnings.catch_warnings():
            _allow_other_scripts()
            self.wide.savefig(folder / f"{self.name}.pdf", metadata={"CreationDate": None})

    def inline(self, label: str) -> Markup:
        """The figure as part of a page, in an element with the id `figure-NAME`; the page shows one of its two forms.

        `label` tells a reader who cannot see it what it shows. Colours become the variables that `palette` sets.
        """
        with matplotlib.rc_context(STYLE):
            narrow = _svg(self.narrow)
        drawn = [
            _for_page(svg, sheet.tips, f"{self.name}-{kind}", kind, label)
            for kind, sheet, svg in (("wide", self.wide, self.svg), ("narrow", self.narrow, narrow))
        ]
        head = f'<div class="plot" id="figure-{self.name}" tabindex="0" role="group" aria-label="{escape(label)}">'
        line = '<p class="readout" role="status"></p>'
        return Markup(f"{head}{''.join(drawn)}{line}</div>")


def plate(name: str, draw: Draw) -> Plate:
    """Draw a figure."""
    with matplotlib.rc_context(STYLE):
        wide, narrow = Sheet(), Sheet(narrow=True)
        for sheet in (wide, narrow):
            draw(sheet)
        return Plate(name, wide, narrow, _svg(wide))


def _svg(sheet: Sheet) -> str:
    written = io.StringIO()
    with warnings.catch_warnings():
        _allow_other_scripts()
        sheet.draw_without_rendering()
        sheet.set_layout_engine("none")  # laid out once, written twice
        sheet.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    return written.getvalue()


def _allow_other_scripts() -> None:
    """Matplotlib's font has no Chinese, say; in SVG the reader's own fonts show it."""
    warnings.filterwarnings("ignore", message=r"Glyph \d+ .*missing from")


def palette(dark: bool) -> str:
    """The style rules that give each colour of the figures its value."""
    return " ".join(f"{_variable(light)}: {other if dark else light};" for light, other in DARK.items())


def _variable(color: str) -> str:
    return f"--c{color[1:]}"


def _for_page(svg: str, tips: dict[str, list[str]], name: str, kind: str, label: str) -> str:
    """The SVG element: no style that reaches beyond it, ids of its own, short numbers, a tip for each mark."""
    root = ElementTree.fromstring(svg)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.endswith(("}metadata", "}style")):
                parent.remove(child)
    groups = {element.get("id"): element for element in root.iter() if element.get("id")}
    for group, tip in tips.items():
        _attach(groups.get(group), tip, f"{name}: {group}")
    used = {
        match.group(1) for element in root.iter() for value in element.attrib.values() for match in _references(value)
    }
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{SVG}}}")
        element.text = (element.text or "").strip() or None
        element.tail = None
        if (old := element.attrib.pop("id", None)) in used:
            element.set("id", f"{name}-{old}")
        if reference := element.attrib.pop(_HREF, None):  # an image holds its data in place of a name
            element.set("href", f"#{name}-{reference[1:]}" if reference.startswith("#") else reference)
        for key, value in element.attrib.items():
            if key not in ("data-tip", "href"):
                element.set(key, _shortened(key, value, name))
    box = root.get("viewBox", "")
    attributes = {"viewBox": box, "class": kind, "role": "img", "aria-label": label}
    root.attrib.clear()
    root.attrib.update(attributes)
    return ElementTree.tostring(root, encoding="unicode")


def _references(value: str) -> list[re.Match[str]]:
    return list(_REFERENCE.finditer(value)) if "#" in value else []


def _attach(group: ElementTree.Element | None, tips: list[str], where: str) -> None:
    marks = [] if group is None else [
        child for child in _children(group) if child.tag in (f"{{{SVG}}}use", f"{{{SVG}}}path")
    ]  # fmt: skip
    if len(marks) != len(tips):
        raise RuntimeError(f"{where} has {len(marks)} marks and {len(tips)} tips")
    for mark, tip in zip(marks, tips, strict=True):
        mark.set("data-tip", tip)


def _children(element: ElementTree.Element) -> list[ElementTree.Element]:
    """What is drawn below an element, in order: not what is only defined."""
    drawn = []
    for child in element:
        if child.tag != f"{{{SVG}}}defs":
            drawn += [child, *_children(child)]
    return drawn


def _shortened(key: str, value: str, name: str) -> str:
    value = re.sub(r"-?\d+\.\d{3,}", lambda match: f"{float(match.group()):.2f}".rstrip("0").rstrip("."), value)
    if key in ("style", "clip-path"):
        value = re.sub(r"url\(#([\w-]+)\)", rf"url(#{name}-\1)", value)
        value = re.sub(r"font: ([\d.]+px)[^;]*", r"font-size: \1", value)
        value = re.sub(r"#[0-9a-f]{6}\b", lambda match: _themed(match.group()), value)
    return value


def _themed(color: str) -> str:
    return f"var({_variable(color)})" if color in DARK else color
