"""The page of a study: its finding, answers to the paper's three claims, then the figures and tables they rest on."""

from __future__ import annotations

from pathlib import Path

from ..comparison.families import distinct_groups
from ..comparison.figures import RunOfStudy
from ..comparison.study import Study
from ..preference.division import CLASS, TOPIC, row_of
from .finding import row_name
from .numbers import figure, number, p_value
from .sheet import plate
from .study_answers import at_least_zero, conclusions, finding
from .study_figures import LABELS, drawings
from .study_headings import figure_name, headings
from .style import class_name
from .templating import fill

LINKS = ("runs", "agreement", "labels", "runs")
"""Where on the page each answer has its figure or table."""


def render(title: str, study: Study, figures: Path | None = None) -> str:
    """The page. Writes its figures, as SVG and PDF, into the folder `figures`."""
    plates = {name: plate(name, draw) for name, draw in drawings(study).items()}
    if figures is not None:
        for drawn in plates.values():
            drawn.save(figures)
    return fill(
        "study.html.j2",
        title=title,
        finding=finding(study),
        answers=[(*answer.split("? ", 1), link) for answer, link in zip(conclusions(study), LINKS, strict=True)],
        study=study,
        found=headings(study),
        figure=figure,
        p=p_value,
        number=number,
        figure_name=figure_name,
        row_name=row_name,
        share_of=share_of,
        followed=(CLASS, TOPIC),
        at_least_zero=at_least_zero,
        distinct=distinct_groups,
        class_name=class_name,
        q_values={(test.family, test.name): test.q_value for test in study.tests},
        headings=list[tuple[str, str]](),
        opening=next(name for name in ("division", "profiles", "emergence") if name in plates),
        figures={name: drawn.inline(LABELS.get(name, "Agreement of every two runs")) for name, drawn in plates.items()},
    )


def share_of(row: RunOfStudy, label: tuple[str, str]) -> str:
    """What a label holds of a run's difference beyond another one, with its interval."""
    held = row_of(row.labels, *label)
    return figure(held.share if held else None)
