"""Figures: the same drawing for the page and for papers, and marks that say what they are."""

import re
from functools import partial

import numpy as np
import pytest

from twotower.comparison.agreement import Agreement, Spectrum
from twotower.comparison.study import AgreementOfText
from twotower.report import study_figures
from twotower.report.glossary import GLOSSARY, explain, term
from twotower.report.sheet import palette, plate
from twotower.report.style import DARK, TOWER_COLORS


def draw(sheet):
    axes = sheet.add_subplot()
    dots = axes.scatter([1, 2, 3], [3, 1, 2], color=TOWER_COLORS[0], label="<b>&")
    sheet.tell(dots, ["one", 'two "quoted" <i>', "three"])
    axes.set_xlabel("an axis whose label is longer than a narrow figure is wide")
    sheet.key()


def test_a_figure_on_a_page_has_a_tip_for_each_mark_and_colours_of_the_theme():
    shown = str(plate("points", draw).inline("Three points"))
    assert shown.count('data-tip="one"') == 2 and "two &quot;quoted&quot; &lt;i&gt;" in shown  # wide and narrow
    assert "<b>" not in shown and "<style" not in shown and "<?xml" not in shown
    assert f"var(--c{TOWER_COLORS[0][1:]})" in shown and TOWER_COLORS[0] not in shown
    identifiers = re.findall(r' id="([^"]+)"', shown)
    assert len(identifiers) == len(set(identifiers))
    assert set(re.findall(r'(?:href="|url\()#([\w-]+)', shown)) <= set(identifiers)


def test_the_file_for_papers_keeps_its_colours_and_its_text(tmp_path):
    plate("points", draw).save(tmp_path)
    svg = (tmp_path / "points.svg").read_text(encoding="utf-8")
    assert TOWER_COLORS[0] in svg and "var(" not in svg and "an axis whose label" in svg
    assert b"/Type3" not in (tmp_path / "points.pdf").read_bytes()


def test_the_same_drawing_gives_the_same_file():
    assert plate("points", draw).svg == plate("points", draw).svg


def test_marks_without_their_tips_are_refused():
    def wrong(sheet):
        sheet.tell(sheet.add_subplot().scatter([1, 2], [1, 2]), ["one"])

    with pytest.raises(RuntimeError, match="2 marks and 1 tips"):
        plate("wrong", wrong).inline("Wrong")


def test_every_colour_of_a_figure_has_one_for_dark_pages():
    assert all(color in DARK for color in TOWER_COLORS)
    assert palette(False).count("--c") == palette(True).count("--c") == len(DARK)


def test_terms_are_linked_once_and_text_is_escaped():
    text = str(explain("The null <b> & the null; reliability."))
    assert text.count('href="#term-null"') == 1 and "&lt;b&gt; &amp;" in text
    assert 'href="#term-reliability"' in text
    with pytest.raises(KeyError):
        term("no such term")
    assert all(meaning.endswith(".") for meaning in GLOSSARY.values())


@pytest.mark.parametrize(("runs", "named"), [(study_figures.MOST_NAMED, True), (study_figures.MOST_NAMED + 1, False)])
def test_a_matrix_of_very_many_runs_is_an_image_without_names(runs, named):
    names = [f"run{number}" for number in range(runs)]
    agreement = Agreement(9, np.eye(runs).tolist(), [1] * runs, {}, Spectrum([], [], 1.0, []))
    text = AgreementOfText("a corpus", False, names, "pieces", agreement, [])
    drawn = plate("agreement", partial(study_figures._matrix, text))
    page = drawn.inline("Agreement")
    assert ("run3 and run4: r = 0.00" in page) == named == (">run3<" in page)
    assert len(page) < (6e6 if named else 1e6)
