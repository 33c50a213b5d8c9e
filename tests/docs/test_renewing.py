"""The figures, the output and the pictures in the documentation are those of one run, renewed by one command."""

import importlib.util
import re
from pathlib import Path

import pytest

from twotower.api.plots import ComparisonPlots, RunPlots
from twotower.report.numbers import figure
from twotower.results.results import read_results
from twotower.runs.finished import RunFolder
from twotower.system.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("renew_docs", ROOT / "tools" / "renew_docs.py")
renew_docs = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(renew_docs)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
GALLERY = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")


def test_a_page_takes_the_figures_and_the_output_of_a_run_and_keeps_the_rest(finished):
    results = read_results(RunFolder(finished))
    page = (
        "So <!-- figure surplus -->1<!-- end --> nats, *kept*.\n\n"
        "<!-- output twotower show runs/demo -->\n```text\nold\n```\n\nEnd.\n"
    )
    new = renew_docs.renewed(page, results, finished)
    assert f"So <!-- figure surplus -->{figure(results.division.surplus, 3)}<!-- end --> nats, *kept*." in new
    assert "\nold\n" not in new and "report: runs/demo/report.html\n```\n\nEnd.\n" in new
    assert renew_docs.renewed(new, results, finished) == new
    assert all(len(line) <= 110 for line in new.splitlines())


def test_a_figure_that_is_unknown_or_missing_is_named(finished):
    results = read_results(RunFolder(finished))
    with pytest.raises(InputError, match="figure 'surpluss' is unknown"):
        renew_docs.renewed("<!-- figure surpluss -->1<!-- end -->", results, finished)
    with pytest.raises(InputError, match="the run has no strangers"):
        renew_docs.renewed("<!-- figure D-strangers -->1<!-- end -->", results, finished)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_mark_in_the_documentation_is_whole(page):
    text = page.read_text(encoding="utf-8")
    names = [match[1] for match in renew_docs.FIGURE.findall(text)]
    assert names == re.findall(r"<!-- figure (.*?) -->", text) and set(names) <= renew_docs.FIGURES.keys()
    assert len(names) == text.count("<!-- end -->")
    assert len(renew_docs.OUTPUT.findall(text)) == text.count("<!-- output ")


def test_the_gallery_has_every_figure_with_its_line_and_a_small_picture():
    for plots, name in ((RunPlots, "run"), (ComparisonPlots, "comparison")):
        methods = [method for method in vars(plots) if not method.startswith("_")]
        assert [method for method in methods if f"{name}.plot.{method}(" not in GALLERY] == []
    pictures = re.findall(r"\((gallery/[\w-]+\.png)\)", GALLERY)
    assert len(pictures) >= 10 and len(set(pictures)) == len(pictures)
    assert all(100 < (ROOT / "docs" / picture).stat().st_size < 25_000 for picture in pictures)
    assert {f"gallery/{path.name}" for path in (ROOT / "docs" / "gallery").iterdir()} == set(pictures)


def test_pictures_are_made_from_the_run(finished, tmp_path):
    page = tmp_path / "figures.md"
    page.write_text("![Labels](gallery/labels.png) ![None](gallery/study-labels.png)")
    assert renew_docs.pictures(finished, None, page) == [tmp_path / "gallery" / "labels.png"]
    assert (tmp_path / "gallery" / "labels.png").read_bytes().startswith(b"\x89PNG")
