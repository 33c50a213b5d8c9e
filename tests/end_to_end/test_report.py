"""The report opens from disk, needs nothing from the network, and says what the numbers say."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from small_results import UNKNOWN, some_results
from twotower.comparison.figures import RunOfStudy
from twotower.comparison.study import Study
from twotower.preference.context import Context, FarGain
from twotower.preference.occurrences import Coefficient, WithinTypes
from twotower.preference.types import Perplexity
from twotower.preference.word_classes import Adjusted, ClassOfPair, Labelling, WordClasses
from twotower.report.numbers import figure
from twotower.report.study_answers import finding
from twotower.report.summary import headline, sentences
from twotower.results.results import results_in
from twotower.statistics.intervals import Estimate


@pytest.mark.promise("a pair of GPT towers is trained, read, measured and reported")
def test_the_page_is_whole_and_needs_no_network(finished):
    page = (finished / "report.html").read_text(encoding="utf-8")

    class Parser(HTMLParser):
        def __init__(self):
            super().__init__()
            self.references, self.ids = [], set()

        def handle_starttag(self, tag, attributes):
            for name, value in attributes:
                if name in ("src", "href"):
                    self.references.append(value)
                if name == "id":
                    self.ids.add(value)

    parser = Parser()
    parser.feed(page)
    assert parser.references and all(reference.startswith("#") for reference in parser.references)
    assert {reference[1:] for reference in parser.references} <= parser.ids
    names = ("labels", "training", "preference", "profile", "context", "shares", "towers")
    wanted = {f"figure-{name}" for name in names}
    assert wanted | {"search", "types"} <= parser.ids
    assert not re.search(r"@import|url\((?!#)", page)


def test_the_page_may_run_its_own_scripts_and_no_other(finished):
    page = (finished / "report.html").read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page).group(1)
    assert "default-src 'none'" in policy and "unsafe-eval" not in policy and "http" not in policy
    allowed = re.search("script-src ([^;]*)", policy).group(1)
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", page, flags=re.DOTALL)
    assert len(scripts) == 2
    for script in scripts:
        assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in allowed
    assert not re.search(r"\son(click|load|error|input)=", page.replace("".join(scripts), ""))


@pytest.mark.promise("a pair of GPT towers is trained, read, measured and reported")
def test_the_summary_has_the_numbers_of_results(finished):
    results = results_in(finished / "results.json", finished)
    text = " ".join(sentences(results))
    assert figure(results.division.size) in text and figure(results.division.surplus, digits=3) in text
    assert figure(results.context.difference, digits=3) in text
    assert f"{results.training.baselines.bigram:.0f}" in text


@pytest.mark.promise("a pair of GPT towers is trained, read, measured and reported")
@pytest.mark.parametrize(
    "name",
    ["labels", "training", "preference", "profile", "context", "shares", "towers", "cloud_1", "cloud_2"],
)
def test_every_figure_is_valid_svg_and_has_a_pdf(finished, name):
    assert (finished / "figures" / f"{name}.pdf").read_bytes().startswith(b"%PDF-")
    assert ElementTree.parse(finished / "figures" / f"{name}.svg").getroot().tag.endswith("svg")


def test_no_positive_claim_without_evidence():
    nothing = Estimate(0.1, -0.1, 0.3)
    noun = ClassOfPair("NOUN", 9, 90, True, 0.1, Adjusted(0.1, -0.1, 0.3, [0.1, -0.1], 0.4, 0.6, False))
    topicality = Coefficient("topicality", **vars(nothing), p_value=0.5)
    results = some_results(
        word_classes=WordClasses(Labelling(["NOUN"], [noun], None), []),
        context=Context(100, 4, [], [FarGain(tower, **vars(nothing)) for tower in (1, 2)], nothing),
        within_types=WithinTypes(6_000, 5, [], 0.01, [topicality]),
    )
    text = " ".join(sentences(results))
    for said in ("neither tower surely prefers a word class", "no clear difference",
                 "Neither tower gains more than the other where"):  # fmt: skip
        assert said in text
    assert "leans" not in text and "tower 1 prefers" not in text and "follows" not in text
    assert "was not measured" in headline(results)
    assert "Only 6 documents are held out" in text


def test_what_could_not_be_measured_is_not_said_to_be_nothing():
    results = some_results(corpus=replace(some_results().corpus, heldout_documents=60))
    assert "was not measured" in headline(results)
    assert "No " not in " ".join(sentences(results))
    pair = RunOfStudy(
        "one", "", False, "none", "a corpus", 0, "hanta", "gpt", 2, 9, Perplexity(9.0, [10.0, 11.0]), UNKNOWN,
        clusters=None, explained=None, nominal=None, topicality=None, far_context=None, direction=None, sd=None,
        size=None, surplus=None, divides="not measurable", labels=[],
    )  # fmt: skip
    stranger = replace(pair, stranger=True, reliability=Estimate(0.1, 0.0, 0.2))
    for run, said in ((stranger, "No run of this study is a pair"), (pair, "could not be measured")):
        assert said in finding(Study([run], {}, None, None, [], [], [], [], {}, {}, None))
