"""How pages are made: Jinja templates that escape every text, one style and one script for all of them."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup

from .glossary import GLOSSARY, anchor, explain, term
from .numbers import fixed
from .sheet import palette


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("twotower.report", "templates"),
        autoescape=jinja2.select_autoescape(("html", "j2")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["explain"] = explain
    environment.filters |= {"anchor": anchor, "fixed": fixed}
    environment.globals |= {"term": term, "glossary": GLOSSARY, "light": palette(False), "dark": palette(True)}
    return environment


def fill(template: str, **values: Any) -> str:
    """The page from a template of this package; whatever is no `Markup` is escaped.

    The page may run its own scripts, by their digests, and load nothing: see `with_policy`.
    """
    return with_policy(_environment().get_template(template).render(**values))


def part(template: str, **values: Any) -> Markup:
    """A part of a page from a template of this package; whatever is no `Markup` is escaped."""
    return Markup(_environment().get_template(template).render(**values))


def with_policy(page: str) -> str:
    """The page with a Content-Security-Policy (W3C, level 3): no request, no evaluation, no script but those it has.

    Styles are inline, because figures carry theirs; text from a corpus reaches neither styles nor scripts unescaped.
    """
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", page, flags=re.DOTALL)
    digests = {base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts}
    allowed = " ".join(f"'sha256-{digest}'" for digest in sorted(digests)) or "'none'"
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; "
        "form-action 'none'"
    )
    start = '<meta charset="utf-8">'
    assert start in page, "a page without its encoding"
    return page.replace(start, f'{start}\n<meta http-equiv="Content-Security-Policy" content="{policy}">', 1)
