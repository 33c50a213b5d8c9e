"""The page of a study: answers to the paper's three claims, then the figures and tables they rest on."""

from __future__ import annotations

from typing import Any

from .study_answers import conclusions, number
from .study_figures import drawings
from .summary import figure
from .templating import fill, fragment

LINKS = ("reliability", "profiles", "classes", "context")
"""Where on the page each answer has its table."""


def render(title: str, study: dict[str, Any]) -> str:
    """The page; `study` is what `study.json` holds."""
    return fill(
        "study.html.j2",
        title=title,
        answers=list(zip(conclusions(study), LINKS, strict=True)),
        study=study,
        figure=figure,
        number=number,
        q_values={(test["family"], test["name"]): test["q_value"] for test in study["tests"]},
        figures={name: fragment(name, drawing) for name, drawing in drawings(study).items()},
    )


__all__ = ["conclusions", "render"]
