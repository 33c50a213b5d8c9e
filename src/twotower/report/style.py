"""One palette, one set of labels and one type size, for the pages and for the figures of papers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..data.tagging import NO_WORD

TOWER_COLORS = ("#2f6db3", "#b4500f", "#1f7a4d", "#7b3fa0", "#8a6508", "#b91d55", "#0b7285", "#5c5f66")
PREFERENCE_COLOR = "#743a98"
"""Of whatever belongs to no single tower: the preference of two."""
ALL_COLOR = "#444b57"
"""Of all towers together."""
FLOOR_COLOR = "#b9bec7"
"""Of the bound of a null."""
ZERO_COLOR = "#7a808a"
CLASS_COLORS = {"function": PREFERENCE_COLOR, "content": TOWER_COLORS[2], "other": ZERO_COLOR}
INK, SOFT = "#1d2330", "#5b6472"

DARK = {
    "#2f6db3": "#79b0f2", "#b4500f": "#f39a5c", "#1f7a4d": "#5fc792", "#7b3fa0": "#c99bea", "#8a6508": "#dcb455",
    "#b91d55": "#f58bb0", "#0b7285": "#5cc4d8", "#5c5f66": "#b3b7bf", PREFERENCE_COLOR: "#cda2ec", ALL_COLOR: "#c3c9d3",
    FLOOR_COLOR: "#555d6b", ZERO_COLOR: "#9aa1ac",
    INK: "#e7eaf0", SOFT: "#a9b1be",
}  # fmt: skip
"""From each colour to the one that takes its place on a dark page."""

WORD_CLASSES = {
    "ADJ": "adjective", "ADP": "preposition", "ADV": "adverb", "AUX": "auxiliary", "CCONJ": "coordinator",
    "DET": "determiner", "INTJ": "interjection", "NOUN": "noun", "NUM": "numeral", "PART": "particle",
    "PRON": "pronoun", "PROPN": "proper noun", "PUNCT": "punctuation", "SCONJ": "subordinator", "SYM": "symbol",
    "VERB": "verb", "X": "unknown",
}  # fmt: skip
"""From a tag of Universal Dependencies to what it is called here."""

PROFILE_AXIS = "mean preference beyond frequency (nats)"
CONTEXT_AXES = ("tokens of context", "gain over one token (nats)")
SHARES_AXIS = "share of the variance between types"
PREFERENCE_AXIS = "preference (nats)"

STYLE: dict[Any, Any] = {
    "font.size": 9, "font.family": "sans-serif", "axes.spines.top": False, "axes.spines.right": False,
    "axes.edgecolor": SOFT, "axes.labelcolor": INK, "axes.titlecolor": INK, "axes.titlesize": 9, "text.color": INK,
    "xtick.color": SOFT, "ytick.color": SOFT, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
    "legend.frameon": False, "legend.fontsize": 8.5, "legend.handletextpad": 0.4, "legend.columnspacing": 1.2,
    "lines.linewidth": 1.4, "svg.hashsalt": "twotower", "svg.fonttype": "none", "pdf.fonttype": 42,
}  # fmt: skip
"""Of Matplotlib. Text stays text: in SVG a reader can select it, in PDF journals ask for embedded TrueType (42)."""
WIDE, NARROW = 6.9, 3.3
"""Inches: the width of a text block and of one of two columns; the page shows one or the other, as there is room."""


def class_name(tag: str) -> str:
    """What a word class is called: `VERB` is `verb`; a tag of another set stays as it is."""
    return WORD_CLASSES.get(tag, tag)


def class_of_piece(tag: str) -> str:
    """What the class of a type is called; also of types that are only part of a word."""
    return "part of a word" if tag == NO_WORD else class_name(tag)


def plural(tag: str) -> str:
    """The plural of `class_name`; a tag of another set stays as it is."""
    name = WORD_CLASSES.get(tag)
    irregular = {"auxiliary": "auxiliaries", "punctuation": "punctuation", "unknown": "words of no class"}
    return tag if name is None else irregular.get(name, f"{name}s")


def in_words(names: Sequence[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    return " and ".join(", ".join(names).rsplit(", ", 1))
