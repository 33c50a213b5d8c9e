"""The stage `report`: one self-contained page, and its figures as SVG and PDF."""

from __future__ import annotations

from pathlib import Path

from ..config.schema import RunConfig
from ..system.printing import in_percent
from .contents import Contents, favourites, read_contents
from .drawings import draw, drawings
from .numbers import figure
from .sections import EXPERT_SECTIONS, SECTIONS, Make, Section, opening, picture, tower_rules
from .summary import headline, sentences
from .templating import fill

EXAMPLES = 3
"""Words of each tower beneath the opening figure."""


def report(config: RunConfig, run: Path, out: Path) -> None:
    """Write `report.html`, and `figures/*.svg` and `figures/*.pdf`, into `out`."""
    contents = read_contents(config, run)
    (out / "report.html").write_text(render(contents), encoding="utf-8")
    for name in drawings(contents):
        draw(contents, name).save(out / "figures")


def render(contents: Contents) -> str:
    """The page.

    Text from the corpus reaches it through the template's escaping or as JSON shown by `textContent`.
    """
    results, top = contents.results, opening(contents)
    return fill(
        "page.html.j2",
        title=f"{results.corpus.name}, seed {results.seed}",
        headline=headline(results),
        sentences=sentences(results),
        results=results,
        figure=figure,
        confidence=in_percent(contents.config.analyze.confidence),
        chance=in_percent((1 + contents.config.analyze.confidence) / 2, 1),
        opening=top,
        division=results.division,
        examples=_examples(contents),
        top=picture(contents, top),
        pair=len(contents.contrasts) == 1,
        contrasts=contents.contrasts,
        colors=tower_rules(contents.towers),
        sections=_made(SECTIONS, contents),
        expert=_made(EXPERT_SECTIONS, contents),
    )


def _examples(contents: Contents) -> dict[int, list[str]]:
    """A few words that each tower prefers in every set of readouts."""
    if not contents.contrasts:
        return {}
    return {tower: list(favourites(contents, tower, EXAMPLES)) for tower in range(1, contents.towers + 1)}


def _made(makers: tuple[Make, ...], contents: Contents) -> list[Section]:
    return [section for make in makers if (section := make(contents)) is not None]
