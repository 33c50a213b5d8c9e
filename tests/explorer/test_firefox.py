"""The pages in Firefox: every view of the explorer and the report draw, and nothing complains."""

import pytest

pytest.importorskip("starlette", reason="needs twotower[explore]")
from explorer_runs import served
from firefox import firefox
from twotower.explorer.explored import ExploredRun
from twotower.explorer.export import export

DRAWN = {
    "words": "canvas", "concordance?query=the&order=1L": ".kwic .sort1",
    "concordance?query=the&panel=sketch": "caption",
    "concordance?query=the&panel=spread": "canvas", "text": ".passage bdi", "sentence": ".predictions li",
    "training": "table.fit tbody tr", "compare": ".passage bdi", "instruments": "p",
}  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with firefox(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def complaints(browser, address, views):
    """What the browser says of the views, each of which is drawn, narrow enough and without a failure."""
    for number, view in enumerate(views):
        browser.open(f"{address}?{number}#{view}", width=400 if number % 2 else 1400)
        browser.until("document.querySelector('#view[data-shown]')")
        browser.until(f"document.querySelector('#view {DRAWN[view]}')")
        assert browser.evaluate("document.querySelector('.failure')?.textContent") is None, view
        assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
    return browser.said


def test_every_view_draws(browser, finished):
    with served(finished) as address:
        assert complaints(browser, address, DRAWN) == []


def test_every_view_draws_from_disk(browser, finished, tmp_path):
    export([ExploredRun(finished)], tmp_path / "page", 10**6)
    page = (tmp_path / "page" / "index.html").as_uri()
    assert complaints(browser, page, [view for view in DRAWN if view != "sentence"]) == []


def test_the_report_can_be_read_by_keyboard(browser, finished):
    browser.open((finished / "report.html").as_uri(), width=900)
    browser.evaluate("document.querySelector('#opening .plot').focus()")
    browser.press("ArrowDown")
    assert browser.evaluate("document.querySelector('#opening .readout').textContent")
    browser.press("Escape")
    assert browser.evaluate("document.querySelector('#opening .readout').textContent") == ""
    browser.evaluate("document.querySelector('a.term').focus()")
    browser.press("Enter")
    assert browser.evaluate("[document.getElementById('tip').hidden, location.hash]") == [False, ""]
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert browser.said == []
