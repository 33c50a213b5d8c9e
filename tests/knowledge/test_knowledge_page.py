"""The page's section on what each tower knows: from what instruments give to sentences, tables and figures."""

import json
import re
import shutil
from dataclasses import fields, replace
from xml.etree import ElementTree

import matplotlib
import pytest
from matplotlib.figure import Figure

from twotower.asking import know
from twotower.config.conversion import as_json, record_from
from twotower.knowledge.findings.decoding import (
    ChosenDecoding,
    DecodedTask,
    DecodedView,
    Decoding,
    Majority,
    TaskLeftOut,
    WordsOfTask,
)
from twotower.knowledge.findings.knowledge import Knowledge
from twotower.knowledge.findings.perturbed_masking import (
    BesideUntrained,
    DifferenceInMasking,
    MaskedView,
    MaskingFigures,
    NothingMasked,
    PerturbedMasking,
    TreeAgreement,
)
from twotower.knowledge.findings.probe import (
    ChosenLayer,
    ChosenLayers,
    DifferenceInTrees,
    Probe,
    ProbedView,
    ProbeFigures,
    TreeFigures,
)
from twotower.knowledge.lesions.lesions import lesions
from twotower.knowledge.pairs.pairs import pairs
from twotower.knowledge.similarity import similarity
from twotower.knowledge.subject import Subject
from twotower.knowledge.words.words import words
from twotower.report import templating
from twotower.report.instruments import LABELS, SHOWN, figures_of, parts, what_is_known
from twotower.runs.records import load_config
from twotower.runs.stages import INSTRUMENTS
from twotower.statistics.intervals import Estimate

NOUNS = ["people", "government", "country", "states", "year", "congress", "war", "peace", "law", "public", "time"]


@pytest.fixture(scope="module")
def known(finished, tmp_path_factory):
    """What four instruments say of a real run, as it is read back from `results.json`."""
    folder = tmp_path_factory.mktemp("knowledge")
    hostile = folder / "<b>agreement.txt"
    hostile.write_text("".join(f"the {a} of the {b} and .\nthe {a} of the {b} .\n" for a in NOUNS for b in NOUNS[:4]))
    (folder / "set.txt").write_text("\n".join(f"{a} {b} {len(a + b)}" for a in NOUNS for b in NOUNS if a < b))
    config = load_config(finished)
    know = replace(
        config.know, pairs=(str(hostile),), similarity=(str(folder / "set.txt"),), occurrences=2, compared_tokens=500,
        lesion_tokens=2000,
    )  # fmt: skip
    figures = {}
    for instrument in (pairs, words, lesions, similarity):
        subject = Subject(replace(config, know=know), finished, folder)
        figures[instrument.__name__] = instrument(subject)
    return record_from(Knowledge, json.loads(as_json(Knowledge(**figures))), "results.json")


def test_every_instrument_has_a_part_with_sentences_and_whole_tables(known):
    by_name = {part.name: part for part in parts(known)}
    assert list(by_name) == ["pairs", "words", "lesions", "similarity"]
    for part in by_name.values():
        assert part.sentences and part.tables
        for table in part.tables:
            assert table.rows and all(len(row) == len(table.head) for row in table.rows)
    assert sum(map(len, (part.sentences for part in by_name.values()))) == len(what_is_known(known))
    across = known.similarity.across[-1].cka
    assert f"{across.estimate:.2f}" in by_name["similarity"].sentences[0]
    assert [field.name for field in fields(Knowledge)] == [instrument.name for instrument in SHOWN] == list(INSTRUMENTS)


def test_a_run_that_was_asked_nothing_has_none(known):
    assert parts(None) == [] == what_is_known(None) and figures_of(Knowledge()) == {}
    few = Knowledge(words=replace(known.words, similarity=[]))
    assert figures_of(few) == {} and len(parts(few)) == 1


@pytest.mark.parametrize("width", [6.9, 3.3])
def test_every_figure_is_drawn_and_none_warns(known, width, recwarn):
    drawn = figures_of(known)
    assert set(drawn) == set(LABELS) & set(drawn) and len(drawn) == 4
    for draw in drawn.values():
        with matplotlib.rc_context({"svg.hashsalt": "twotower"}):
            figure = Figure(figsize=(width, 3.4), layout="constrained")
            draw(figure)
            figure.draw_without_rendering()
        assert figure.axes
    assert not [warning for warning in recwarn if "constrained" in str(warning.message)]


def test_names_of_files_stay_text(known):
    page = templating.part("knowledge.html.j2", parts=[(shown, "") for shown in parts(known)], confidence="95 %")
    assert "<b>" not in page and "&lt;b&gt;agreement" in page
    assert len(re.findall("<h3", page)) == 4


def test_the_page_of_a_run_that_was_asked_has_the_section_and_papers_its_figures(finished, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    before = (run / "report.html").read_text(encoding="utf-8")
    know(run, {"compared_tokens": 500}, only=("similarity",))
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "What each tower knows" in page and "What each tower knows" not in before
    drawing = re.search(r'id="figure-knowledge_similarity".*?</svg>', page, flags=re.DOTALL)
    assert drawing and "<style" not in drawing.group() and "<metadata" not in drawing.group()
    used = set(re.findall(r'(?:url\(|href=")#([^")]+)', drawing.group()))
    assert used <= set(re.findall(r'\bid="([^"]+)"', drawing.group()))
    ElementTree.parse(run / "figures" / "knowledge_similarity.svg")
    figures = json.loads((run / "results.json").read_text())["knowledge"]["similarity"]
    assert f"{figures['tokens']:,} held-out tokens" in page


def test_probes_decoding_and_perturbed_masking_have_parts_too():
    estimate = Estimate(0.5, 0.4, 0.6)
    trees = dict.fromkeys(("uuas", "dspr", "root", "nspr"), estimate)
    decoded = dict.fromkeys(("accuracy", "control", "selectivity", "compression"), estimate)
    of = [
        ("embedding", 0, None, True), ("tower 1, layer 0", 1, 0, True), ("tower 2, layer 0", 2, 0, True),
        ("untrained tower 1, layer 0", 1, 0, False),
    ]  # fmt: skip
    best = ChosenLayer(0, **vars(estimate), null={"untrained": estimate, "linear_order": estimate})
    probed = ProbeFigures(
        [ProbedView(*view, rank={}, dev={}, **trees) for view in of], TreeFigures(**trees),
        [ChosenLayers(tower, *[best] * 4) for tower in (1, 2)],
        [DifferenceInTrees([1, 2], layer, **trees) for layer in (0, "chosen")],
    )  # fmt: skip
    task = DecodedTask(
        17, WordsOfTask(90, 20, 20, 15), 0, [DecodedView(*view, dev=0.5, codelength=9.0, **decoded) for view in of],
        Majority(estimate, estimate), [ChosenDecoding(tower, 0, **decoded, null={}) for tower in (1, 2)], [],
    )  # fmt: skip
    beside, agreement = BesideUntrained(**vars(estimate), null=estimate), TreeAgreement(estimate, estimate)
    masked = MaskingFigures(
        [MaskedView("tower 1", 1, beside, beside, agreement)], {"right_branching": agreement},
        [DifferenceInMasking([1, 2], estimate, estimate)],
    )  # fmt: skip
    known = Knowledge(
        probe=Probe({}, {}, probed),
        decoding=Decoding({}, {}, {"upos": task, "topic": TaskLeftOut("fewer than 2 labels")}),
        perturbed_masking=PerturbedMasking({}, {}, masked),
    )
    by_name = {part.name: part for part in parts(known)}
    assert list(by_name) == ["probe", "decoding", "perturbed_masking"]
    assert "linear order 0.50" in by_name["probe"].sentences[0]
    assert "Topic was not decoded: fewer than 2 labels." in by_name["decoding"].sentences
    for part in by_name.values():
        assert all(len(row) == len(table.head) for table in part.tables for row in table.rows)
    for draw in figures_of(known).values():
        figure = Figure(figsize=(6.9, 3.4), layout="constrained")
        draw(figure)
        figure.draw_without_rendering()
    left_out = Knowledge(perturbed_masking=NothingMasked("this run's objective is causal"))
    assert parts(left_out)[0].sentences == ["This run's objective is causal."] and parts(left_out)[0].tables == []
