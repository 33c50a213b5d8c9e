"""Formulas of the documentation as MathML, so that its pages need no script: `$…$` in a line, `$$…$$` as a paragraph.

A Markdown extension. GitHub reads the same notation.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element
from markdown import Extension, Markdown
from markdown.blockprocessors import BlockProcessor
from markdown.inlinepatterns import InlineProcessor

INLINE = r"(?<![\\$\w])\$(?=\S)([^$\n]+?)(?<=\S)\$(?!\w)"
PARAGRAPH = re.compile(r"\$\$\s*(.+?)\s*\$\$\s*", re.DOTALL)


class Inline(InlineProcessor):
    """`$…$` within a line. Code comes first, so dollars in it stay."""

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[Element, int, int]:  # type: ignore[override]  # noqa: N802
        """One formula as an element."""
        return convert_to_element(m.group(1)), m.start(0), m.end(0)


class Paragraph(BlockProcessor):
    """A paragraph that is one formula."""

    def test(self, parent: Element, block: str) -> bool:
        """Whether the whole paragraph lies between two pairs of dollars."""
        return PARAGRAPH.fullmatch(block) is not None

    def run(self, parent: Element, blocks: list[str]) -> None:
        """The paragraph becomes an element of its own."""
        match = PARAGRAPH.fullmatch(blocks.pop(0))
        assert match is not None
        convert_to_element(match.group(1), display="block", parent=parent)


class MathML(Extension):
    """Both notations."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Register them: after code (priority 190), before escapes (180)."""
        md.inlinePatterns.register(Inline(INLINE, md), "mathml", 185)
        md.parser.blockprocessors.register(Paragraph(md.parser), "mathml", 175)


def makeExtension(**settings: Any) -> MathML:  # noqa: N802
    """What Markdown calls."""
    return MathML(**settings)
