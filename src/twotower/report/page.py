"""The stage `report`: one self-contained page, and its figures as SVG."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup

from ..config import RunConfig, to_dict
from .contents import CLASS_COLORS, TOWER_COLORS, Contents, read_contents
from .interactive import figures
from .knowledge_section import section, write_knowledge
from .summary import figure, headline, sentences
from .svg import cloud, write_figures
from .templating import fill


def report(config: RunConfig, run: Path, out: Path) -> None:
    """Write `report.html` and `figures/*.svg` into `out`."""
    contents = read_contents(config, run)
    preferring = range(1, contents.towers + 1) if contents.contrasts else ()
    clouds = {tower: cloud(contents, tower) for tower in preferring}
    (out / "report.html").write_text(render(contents, clouds), encoding="utf-8")
    write_figures(contents, clouds, out / "figures")
    write_knowledge(contents.results, out / "figures")


def render(contents: Contents, clouds: dict[int, str]) -> str:
    """The page; `clouds` are the SVG of each tower's word cloud.

    Text from the corpus reaches it through the template's escaping or as JSON shown by `textContent`.
    """
    results = contents.results
    return fill(
        "page.html.j2",
        title=f"{results['corpus']['name']}, seed {results['seed']}",
        headline=headline(results),
        sentences=sentences(results),
        results=results,
        timing=contents.timing,
        figure=figure,
        confidence=f"{contents.config.analyze.confidence:.0%}",
        figures=figures(contents),
        knowledge=section(contents.results),
        contrasts=contents.contrasts,
        clouds={tower: Markup(svg) for tower, svg in clouds.items()},
        columns=_columns(contents),
        types=Markup(_json_for_script(_type_rows(contents))),
        passages=contents.passages,
        colors=TOWER_COLORS,
        class_colors=CLASS_COLORS,
        config=yaml.safe_dump(to_dict(contents.config), sort_keys=False),
        provenance=yaml.safe_dump(contents.provenance, sort_keys=False),
    )


def _columns(contents: Contents) -> dict[str, str]:
    """The columns of the table of types, each with its heading."""
    columns = {"piece": "piece", "upos": "UPOS", "count": "count", "documents": "documents"}
    if len(contents.contrasts) == 1:
        columns |= {"mean": "preference", "standard_error": "s.e.", "low": "low", "high": "high"}
        return columns | {"noise": "noise"}
    for contrast in contents.contrasts:
        columns |= {f"mean_{contrast.tower}": f"tower {contrast.tower}", f"standard_error_{contrast.tower}": "s.e."}
    return columns | {"noise": "noise"}


def _type_rows(contents: Contents) -> list[list[Any]]:
    columns = list(_columns(contents))
    ordered = contents.types.sort_values(columns[4], ascending=False, kind="stable")
    rows: list[list[Any]] = ordered[columns].values.tolist()
    return [
        [
            None if isinstance(v, float) and not math.isfinite(v) else round(v, 4) if isinstance(v, float) else v
            for v in row
        ]
        for row in rows
    ]


def _json_for_script(value: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
