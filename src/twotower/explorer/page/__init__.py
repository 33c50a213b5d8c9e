"""The page itself: plain HTML, scripts and a style sheet, without a framework and without a build step."""

from __future__ import annotations

from importlib import resources

SCRIPTS = (
    "core.js", "filter.js", "find.js", "data.js", "color.js", "surface.js", "table.js", "scatter.js", "lines.js",
    "words.js", "hits.js", "panels.js", "concordance.js", "passages.js", "sentence.js", "training.js", "compare.js",
    "instruments.js", "main.js",
)  # fmt: skip
"""In the order in which they run: each adds to the one global, `explorer`."""
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}
SERVED = "script-src 'self'; style-src 'self'; connect-src 'self'"
FROM_DISK = "script-src 'self' file:; style-src 'self' file:; connect-src 'none'"
"""A page on a disk has no origin, and so no `'self'`, in some browsers."""


def files(live: bool) -> dict[str, tuple[str, bytes]]:
    """The files of the page by name, each with its media type; `live` for the page that a server stands behind."""
    folder = resources.files(__name__)
    texts = {
        name: folder.joinpath(name).read_text(encoding="utf-8") for name in ("index.html", "explorer.css", *SCRIPTS)
    }
    scripts = "\n".join(f'<script src="{name}"></script>' for name in SCRIPTS)
    page = texts["index.html"]
    assert "<!--scripts-->" in page and "<!--policy-->" in page, "the page has lost its places"
    policy = (
        f"default-src 'none'; {SERVED if live else FROM_DISK}; img-src 'self' data: blob:; base-uri 'none'; "
        "form-action 'none'"
    )
    page = page.replace("<!--policy-->", f'<meta http-equiv="Content-Security-Policy" content="{policy}">')
    texts["index.html"] = page.replace("<!--scripts-->", scripts).replace("LIVE", "live" if live else "exported")
    return {name: (KINDS[name[name.rindex(".") :]], content.encode()) for name, content in texts.items()}
