"""What a run says of itself: four verdicts, and nobody says that towers divide the work without strangers."""

from dataclasses import replace

import pytest

from small_results import some_results
from twotower.config.conversion import plain, record_from
from twotower.preference.divided import DivisionOfRun
from twotower.preference.division import Division, LabelDivision, ShareOfLabel
from twotower.report.division_figure import forest, shown_labels
from twotower.report.finding import finding_sentences, verdict_sentence
from twotower.report.glossary import explain
from twotower.report.numbers import figure, fixed, number, percent
from twotower.report.sheet import plate
from twotower.report.templating import _environment
from twotower.statistics.gains import Surplus
from twotower.statistics.intervals import Estimate


def label(name, given, share, verdict):
    interval = ShareOfLabel(share, share - 0.01, share + 0.01, null_high=0.02)
    held = Estimate(0.3 * share, 0.3 * share - 0.003, 0.3 * share + 0.003)
    return LabelDivision(name, given, 17, 1.0, interval, held, None, None, verdict)


def division(size=0.55, surplus=0.063, verdict="yes", strangers=None, differ="yes", gain="yes", why=""):
    labels = [
        label("type", "", 0.08, "yes"), label("type x previous type", "", 0.34, "yes"), label("class", "", 0.03, "yes"),
        label("class", "frequency", 0.03, "no"), label("topic", "type", 0.04, "yes"), label("period", "", 0.001, "no"),
        label("deprel", "", 0.0, "not measurable"),
    ]  # fmt: skip
    together = Surplus(surplus, surplus - 0.01, surplus + 0.01, -0.001)
    return Division(
        Estimate(size, size - 0.05, size + 0.05), together, labels, strangers, differ, gain, verdict, why
    )  # fmt: skip


STRANGERS = division(size=0.15, surplus=-0.003, verdict="no")


def told(found, **given):
    """What is said of a run with this division."""
    return finding_sentences(some_results(division=DivisionOfRun(**vars(found), router=None, contexts=[]), **given))


def test_yes_needs_strangers():
    alone, beside = division(verdict="undecided"), division(strangers=STRANGERS)
    assert verdict_sentence(beside).startswith("The towers divide the work: together they are 0.063 nats per token")
    assert "divide the work" not in verdict_sentence(alone) and "no strangers were trained" in verdict_sentence(alone)


def test_towers_that_are_no_natural_pair_say_so_first():
    model = some_results().model
    assert told(division())[0].startswith("Surplus")
    assert told(division(), model=replace(model, cooperation=0.0))[0].startswith("These towers are strangers")
    planted = told(division(), model=replace(model, planted="reach", dial=0.5))[0]
    assert "planted in these towers (reach, dial 0.5)" in planted


def test_an_idle_tower_is_no_division_and_the_reason_is_said():
    idle = division(surplus=-0.002, verdict="no", gain="no", strangers=STRANGERS)
    assert "both together are no better than the better one alone" in verdict_sentence(idle)
    same = division(size=0.1, verdict="no", differ="no", strangers=STRANGERS)
    assert "they differ no more than strangers do" in verdict_sentence(same)


def test_what_cannot_be_measured_is_not_told_as_none():
    why = "Only 3 documents are held out."
    unknown = Division(None, None, [], None, *3 * ("not measurable",), why)
    sentence = verdict_sentence(unknown)
    assert "cannot be measured" in sentence and why in sentence and "do not" not in sentence
    no_tags = replace(division(), labels=[label("class", "frequency", 0.0, "not measurable")])
    untagged = replace(some_results().corpus, tagger="none")
    for given, reason in (({}, "too few words have a word class"), ({"corpus": untagged}, "no tagger was used")):
        sentence = " ".join(told(no_tags, **given))
        assert f"Whether word class matters beyond frequency cannot be measured: {reason}" in sentence


def test_there_are_no_shares_of_a_difference_that_is_not_there():
    nothing = replace(division(size=0.0, verdict="no", differ="no"), labels=[
        label("type", "", float("nan"), "no"), label("class", "frequency", float("nan"), "no"),
    ])  # fmt: skip
    assert shown_labels(nothing) == []
    text = " ".join(told(nothing))
    assert "nan" not in text and "there is no difference to share" in text


def test_readouts_that_have_not_converged_are_said_beside_the_finding():
    unsure = division(verdict="undecided", differ="undecided", gain="undecided", strangers=STRANGERS)
    assert "(the readouts have not converged)" in verdict_sentence(unsure, converged=False)
    readouts = replace(some_results().readouts, converged=False)
    sentences = told(unsure, readouts=readouts)
    assert any(sentence.startswith("Beware") for sentence in sentences)
    assert any(sentence.startswith("No label of the tokens was shown to hold") for sentence in sentences)


def test_each_figure_stands_beside_its_control():
    text = " ".join(told(division(strangers=STRANGERS)))
    assert "one tower given twice gains −0.001" in text and "strangers together gain −0.003" in text
    assert "strangers differ by 0.15" in text and "exchanged labels hold at most 2.0 %" in text
    assert text.index("the token and the one before 34.0 %") < text.index("the token itself 8.0 %")


def test_what_syntax_and_meaning_hold_is_told_alike():
    text = " ".join(told(division(strangers=STRANGERS)))
    for answer, estimate, held in (
        ("Word class does not matter beyond frequency", "3.0 % [2.0, 4.0]", "0.0090"),
        ("The topic of its document matters beyond the token itself", "4.0 % [3.0, 5.0]", "0.0120"),
    ):
        beginning = f"{answer}: it holds {estimate} of the difference; exchanged labels hold at most 2.0 %."
        theirs = f"In strangers it holds {estimate} of theirs ({held} nats squared, here {held})."
        assert f"{beginning} {theirs}" in text
    few = replace(division(), labels=[label("class", "frequency", 0.03, "no")])
    assert "topic of its document matters beyond the token itself cannot be measured: too few" in " ".join(told(few))


def test_strangers_are_not_told_to_be_run_with_strangers():
    assert "strangers" not in verdict_sentence(division(verdict="undecided"), strangers=True)


def test_numbers_have_a_minus_and_0_has_no_sign():
    assert fixed(-0.04) == "−0.04" and fixed(0.04, signed=True) == "+0.04" and fixed(-0.001) == fixed(0.0) == "0.00"
    assert figure(Estimate(-0.04, -0.1, 0.02)) == "−0.04 [−0.10, 0.02]"
    assert figure(Estimate(float("nan"), float("nan"), float("nan"))) == "not available"
    assert percent(Estimate(-0.004, -0.0001, 0.03)) == "−0.4 % [0.0, 3.0]"
    assert [number(value) for value in (None, -0.25, -0.003, 0.0)] == ["–", "−0.25", "−0.003", "0.00"]


def test_text_of_a_corpus_stays_as_it_is():
    piece = {"text": "-5", "tip": "-5 (number): +0.50 nats", "glued": False, "key": False, "tower": 1, "shade": 50}
    passage = {"pieces": [piece], "name": "1", "document": "1"}
    template = '{% from "shaded.html.j2" import shaded %}{{ shaded(passage, "a passage") }}'
    shown = _environment().from_string(template).render(passage=passage)
    assert ">-5</span>" in shown and 'data-tip="-5 (number): +0.50 nats"' in shown
    assert "at -1, " in explain("at -1, with --seed")


@pytest.mark.parametrize("strangers", [None, STRANGERS])
def test_the_figure_shows_what_was_measured_and_strangers_in_the_pairs_units(strangers):
    unmeasured = division(strangers=strangers)
    labels = [row.label for row in shown_labels(unmeasured)]
    assert labels == ["period", "class", "class", "topic", "type", "type x previous type"]
    svg = str(plate("labels", lambda sheet: forest(unmeasured, sheet)).inline("Shares"))
    assert ("strangers: 33.7 % of what the pair differs in" in svg) == (strangers is not None)
    assert "token and the one before (17 values): 34.0 % [33.0, 35.0]" in svg
    assert "surely holds a share" in svg
    unsure = str(plate("labels", lambda sheet: forest(unmeasured, sheet, converged=False)).inline("Shares"))
    assert "surely holds a share" not in unsure and "may hold none" in unsure


def test_a_division_is_read_back_as_it_was_written():
    divided = division(strangers=STRANGERS)
    assert record_from(Division, plain(divided), "results.json") == divided
