"""The stage `report` of a comparison: one self-contained page, and its figures as SVG and PDF."""

from __future__ import annotations

from pathlib import Path

import yaml
from markupsafe import Markup

from ..config.conversion import plain
from ..config.schema import RunConfig
from ..preference.divergence import DivergenceOfGroup, DivergenceOfPair, GroupedBy, Means
from ..system.printing import in_percent
from .contents import favourites
from .diff_contents import DiffContents, read_diff_contents
from .diff_drawings import LABELS, diff_drawings
from .diff_finding import diff_headline, diff_sentences, minus
from .diff_headings import diff_headings
from .glossary import GLOSSARY
from .numbers import figure, p_value
from .sections import json_for_script, tower_rules, type_rows
from .sheet import Plate, plate
from .style import class_name, in_words
from .templating import fill

FAVOURITES = 40
"""Words of each model that are shown."""
TERMS = (
    "token",
    "type",
    "word",
    "word class",
    "function words",
    "content words",
    "nats",
    "interval",
    "perplexity",
    "p",
)
"""The entries of the glossary that do not speak of towers."""


def report_diff(config: RunConfig, run: Path, out: Path) -> None:
    """Write `report.html`, and `figures/*.svg` and `figures/*.pdf`, into `out`."""
    contents = read_diff_contents(config, run)
    plates = {name: plate(name, draw) for name, draw in diff_drawings(contents).items()}
    (out / "report.html").write_text(render(contents, plates), encoding="utf-8")
    (out / "figures").mkdir(exist_ok=True)
    for drawn in plates.values():
        drawn.save(out / "figures")


def render(contents: DiffContents, plates: dict[str, Plate]) -> str:
    """The page. Text of the corpus reaches it through the template's escaping, or as JSON shown by `textContent`."""
    results = contents.results
    return fill(
        "diff.html.j2",
        title=f"{in_words(contents.names)} on {results.corpus.name}",
        headings=list[tuple[str, str]](),
        found=diff_headings(contents),
        names=contents.names,
        headline=diff_headline(results),
        sentences=diff_sentences(results),
        results=results,
        division=contents.division,
        figure=figure,
        p_value=p_value,
        confidence=in_percent(contents.config.analyze.confidence),
        chance=in_percent((1 + contents.config.analyze.confidence) / 2, 1),
        drawn={name: drawn.inline(LABELS[name]) for name, drawn in plates.items()},
        favourites=[favourites(contents, number, FAVOURITES) for number in range(1, 1 + len(contents.names))],
        columns=columns(contents),
        rows=Markup(
            json_for_script(
                {"rows": type_rows(contents.types, list(columns(contents))), "pair": len(contents.names) == 2}
            )
        ),
        min_count=2 * contents.config.analyze.min_count,
        passages=contents.passages,
        unit=results_unit(contents),
        minus=minus(contents.names),
        divergence_tables=divergence_tables,
        controls=[results.control] if results.control else [],
        colors=tower_rules(len(contents.names)),
        contrasts=results.word_classes.contrasts if results.word_classes else [],
        read=results.corpus.inventory.facts(),
        settings=contents.settings,
        provenance=yaml.safe_dump(plain(contents.provenance), sort_keys=False),
        glossary={name: GLOSSARY[name] for name in TERMS},
    )


def columns(contents: DiffContents) -> dict[str, str]:
    """The columns of the table of types, each with its heading."""
    named = {"piece": results_unit(contents), "upos": "word class", "count": "count", "documents": "documents"}
    if len(contents.contrasts) == 1:
        first, second = contents.names
        return named | {
            "mean": f"{first} minus {second}", "standard_error": "standard error", "low": "low", "high": "high",
            "model_1": first, "model_2": second,
        }  # fmt: skip
    for contrast in contents.contrasts:
        named[f"mean{contrast.suffix}"] = contents.names[contrast.tower - 1]
        named[f"standard_error{contrast.suffix}"] = "standard error"
    return named


DIVERGENCE: dict[GroupedBy, str] = {
    "class": "By the word class of the token that came",
    "class before": "By the word class of the token before",
    "place": "By place: tokens of the document that stand before",
    "token before": "Tokens after which the two differ most",
    "token": "Tokens that came where the two differ most",
}
"""What each table of whole distributions is called."""


def divergence_tables(pair: DivergenceOfPair) -> list[tuple[str, list[tuple[str, Means]]]]:
    """The tables of two models: a title, and the rows."""
    whole = [("all", pair.means)]
    return [
        (title, [*whole, *((_name(group), group.means) for group in pair.groups if group.by == by)])
        for by, title in DIVERGENCE.items() if any(group.by == by for group in pair.groups)
    ] or [("All tokens", whole)]  # fmt: skip


def _name(group: DivergenceOfGroup) -> str:
    return class_name(group.name) if group.by in ("class", "class before") else group.name


def results_unit(contents: DiffContents) -> str:
    """What a type is: a `word`, or a `piece` of the vocabulary."""
    return "word" if contents.results.unit == "word" else "type"
