"""How pages are made: Jinja templates that escape every text, and Plotly figures that need its script on the page."""

from __future__ import annotations

from typing import Any

import jinja2
import plotly.graph_objects as go
from markupsafe import Markup
from plotly.offline import get_plotlyjs


def fill(template: str, **values: Any) -> str:
    """The page from a template of this package, with Plotly's script; whatever is no `Markup` is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("twotower.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(plotly=Markup(get_plotlyjs()), **values)


def fragment(name: str, drawing: go.Figure) -> Markup:
    """A figure as HTML, in an element with the id `figure-NAME`."""
    config = {"displaylogo": False, "responsive": True}
    return Markup(drawing.to_html(full_html=False, include_plotlyjs=False, div_id=f"figure-{name}", config=config))
