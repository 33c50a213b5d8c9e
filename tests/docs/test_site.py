"""The check of the built documentation finds dead links and whatever would be loaded from another host."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD = '<h2 id="b">B</h2><a href="other.html#a">a</a><a href="#b">b</a><img src="x.svg"><a href="https://example.org">w</a>'


@pytest.fixture
def faults(monkeypatch, tmp_path):
    """A site of two pages, one of which holds the given markup, and what the check says about it."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    check = importlib.import_module("check_site")
    (tmp_path / "other.html").write_text('<h1 id="a">A</h1>')
    (tmp_path / "x.svg").write_text("<svg/>")

    def found(markup: str, css: str = "") -> list[str]:
        (tmp_path / "index.html").write_text(markup)
        (tmp_path / "style.css").write_text(css)
        return check.faults(tmp_path)

    return found


def test_a_sound_site_has_no_faults(faults):
    assert faults(GOOD, "h1 { background: url(x.svg) }") == []


@pytest.mark.parametrize(
    "markup, css, said",
    [
        ('<a href="gone.html">', "", "gone.html does not exist"),
        ('<a href="other.html#nothing">', "", "other.html has nothing of this name"),
        ('<a href="#nothing">', "", "index.html has nothing of this name"),
        ('<img src="gone.png">', "", "gone.png does not exist"),
        ('<script src="https://example.org/x.js"></script>', "", "loads https://example.org/x.js"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "", "loads //example.org/x.css"),
        ("<style>@import 'https://example.org/x.css';</style>", "", "loads https://example.org/x.css"),
        ("", "@font-face { src: url(https://example.org/x.woff2) }", "loads https://example.org/x.woff2"),
    ],
)
def test_each_fault_is_named(faults, markup, css, said):
    assert [said in line for line in faults(GOOD + markup, css)] == [True]


def test_every_page_is_in_the_navigation():
    """If this fails: add a line to `nav` in mkdocs.yml."""
    listed = set(re.findall(r": ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert listed == {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
