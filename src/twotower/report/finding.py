"""What the ruler says of a run, in sentences: whether its towers divide the work, by how much, and along what."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from ..data.tagging import NONE
from ..preference.contexts import ContextOfType
from ..preference.divided import DivisionOfRun
from ..preference.division import (
    CLASS,
    TOPIC,
    UNCONVERGED_STRANGERS,
    Division,
    LabelDivision,
    have_converged,
    holds,
    row_of,
)
from ..preference.router import Router
from ..results.results import Results
from ..statistics.verdicts import Verdict
from .numbers import figure, fixed, percent

CONTROL = "Run it with --strangers: no strangers were trained to compare these towers with."
EARLIER = "An earlier version of twotower made this run; analyze it again with `twotower analyze`."
UNTAGGED = "no tagger was used (give one with --prepare.tagger)"
LEADING = 3
"""Labels that are named in a sentence."""
NAMES = {
    "type": "the token itself", "class": "its word class", "previous type": "the token before",
    "previous class": "the class of the word before", "next class": "the class of the word after",
    "type x previous type": "the token and the one before",
    "class x previous class": "its word class and the one before",
    "kind of piece": "whether it is a whole word", "frequency": "its frequency", "surprisal": "how unexpected it is",
    "tag trigram or bag of words": "word order or topic",
    "tenth of the planted difference": "tenths of the planted difference",
    "distance to the last occurrence": "the distance to its last use",
    "position in the sentence": "its place in the sentence", "position in the document": "its place in the document",
    "document": "its document", "topic": "the topic of its document", "period": "the period of its document",
    "cluster": "the source of its document", "part of speech": "its word class",
}  # fmt: skip
"""What labels of a token are called in sentences, tables and figures; a reader's own have the names that they have."""


def untagged(results: Results) -> bool:
    """Whether word classes were not looked for."""
    return results.corpus.tagger == NONE


def are_strangers(results: Results) -> bool:
    """Whether the towers of a run are a control themselves, for which no other strangers are trained."""
    return results.model.cooperation == 0


def verdict_sentence(division: Division | None, converged: bool | None = None, strangers: bool = False) -> str:
    """Whether the towers divide the work, in one sentence. Without strangers it never says that they do.

    `converged`: whether the readouts are, as far as that is known; `strangers`: see `are_strangers`.
    """
    if division is None:
        return f"Whether the towers divide the work was not measured. {EARLIER}"
    if division.size is None or division.verdict == "not measurable":
        return f"Whether the towers divide the work cannot be measured. {division.why}".strip()
    figures = _figures(division)
    if division.verdict == "yes":
        return f"The towers divide the work: {figures}, more than strangers."
    if division.verdict == "no":
        return f"The towers do not divide the work: {_missing(division)} ({figures})."
    if division.strangers is None and "undecided" not in (division.differ, division.gain):
        return f"The towers differ, and both are needed: {figures}.{'' if strangers else f' {CONTROL}'}"
    why = " (the readouts have not converged)" if converged is False else ""
    return f"Whether the towers divide the work is undecided{why}: {figures}."


def _figures(division: Division) -> str:
    assert division.size is not None
    differ = f"they differ by D = {fixed(division.size.estimate)} nats at a token"
    if division.surplus is None:
        return differ
    together = division.surplus.estimate
    than = "better" if together >= 0 else "worse"
    return f"together they are {abs(together):.3f} nats per token {than} than the better one alone, and {differ}"


def _missing(division: Division) -> str:
    """Why the answer is no."""
    if division.differ == "no":
        return "they differ no more than " + ("strangers do" if division.strangers else "by chance")
    return "both together are no better than the better one alone" + (
        ", compared with strangers" if division.strangers and division.surplus and division.surplus.low > 0 else ""
    )


def finding_sentences(results: Results) -> list[str]:
    """What the ruler found, each figure beside its control, and how good the measurement is."""
    division = results.division
    if division is None:
        return []
    if division.size is None:
        return [_quality(results)]
    sentences = [
        _planted(results), _surplus(division), _size(division, are_strangers(results)),
        "" if division.strangers is None or have_converged(division.strangers) else UNCONVERGED_STRANGERS,
        largest_shares(division.labels if results.readouts.converged else []),
        _known(division.router), _contexts(division.contexts, results.model.towers > 2),
        beyond(division, CLASS, UNTAGGED if untagged(results) else "too few words have a word class"),
        beyond(division, TOPIC, "too few documents are held out"), of_texts(division), _quality(results),
    ]  # fmt: skip
    return [sentence for sentence in sentences if sentence]


PLANTED = {
    "classes": "each has a loss of its own, on its share of the labels",
    "texts": "each trains on a text of its own",
    "reach": "one sees the last tokens, the other what is further back",
    "idle": "the last one does nothing",
}
"""What `model.planted` makes of the towers."""


def _planted(results: Results) -> str:
    """What distinguishes these towers from a natural pair; "" for a natural pair."""
    model = results.model
    if model.planted != "none":
        dial = "" if model.planted == "idle" else f", dial {model.dial:g}"
        return f"A division is planted in these towers ({model.planted}{dial}): {PLANTED[model.planted]}."
    return "These towers are strangers: each has a loss of its own." if are_strangers(results) else ""


def _surplus(division: Division) -> str:
    surplus = division.surplus
    if surplus is None:
        return "What the towers gain from each other was not measured: no readout of all towers together was trained."
    text = f"Surplus: all towers together gain {figure(surplus, 3)} nats per token over the better one alone"
    controls = []
    if surplus.null is not None:
        controls.append(f"one tower given twice gains {fixed(surplus.null, 3)}")
    if division.strangers and division.strangers.surplus:
        controls.append(f"strangers together gain {figure(division.strangers.surplus, 3)}")
    return f"{text}; {', '.join(controls)}." if controls else f"{text}."


def _size(division: Division, strangers: bool) -> str:
    assert division.size is not None
    text = (
        f"Size: the towers differ by D = {figure(division.size)} nats at a token in what two sets of readouts agree on"
    )
    if division.strangers and division.strangers.size:
        return f"{text}; strangers differ by {figure(division.strangers.size)}."
    return f"{text}." if strangers else f"{text}. No strangers were trained to compare it with."


def largest_shares(labels: Sequence[LabelDivision], unit: str = "token") -> str:
    """The labels that hold most, of those that hold anything."""
    rows = [row for row in labels if not row.given and holds(row)]
    if not rows:
        return f"No label of the {unit}s was shown to hold a share of this difference."
    rows = sorted(rows, key=lambda row: -row.share.estimate)[:LEADING]
    named = "; ".join(f"{label_name(row.label, unit=unit)} {percent(row.share)}" for row in rows)
    return f"What holds most of this difference (D squared): {named}."


def _known(router: Router | None) -> str:
    """What a rule finds that was fitted to all labels; no more than labels that are tallied hold by themselves."""
    if router is None or not router.share.low > 0:
        return ""
    return f"A rule fitted to all labels at once predicts {percent(router.share)} of it on other documents."


def _contexts(contexts: Sequence[ContextOfType], several: bool) -> str:
    """The words in contexts that divide most, found on half of the documents and confirmed on the other half."""
    whose = "a tower's log-probability minus the mean of all" if several else "tower 1 minus tower 2"
    return of_contexts(contexts, whose, (lambda tower: f"tower {tower}") if several else None)


def of_contexts(contexts: Sequence[ContextOfType], whose: str, name_of: Callable[[int], str] | None) -> str:
    """The leading words in contexts; `name_of` says what each of several towers or models is called."""
    rows = [row for row in contexts if row.piece.isalpha() and row.after.isalpha()][:LEADING]
    named = "; ".join(
        f"“{row.piece}” after “{row.after}” {fixed(row.there, signed=True)}, "
        f"otherwise {fixed(row.otherwise, signed=True)}" + (f" ({name_of(row.tower)})" if name_of else "")
        for row in rows
    )
    return f"Where it comes from, in nats, {whose}: {named}." if rows else ""


def beyond(division: Division, label: tuple[str, str], unmeasured: str, unit: str = "token") -> str:
    """Whether a label matters beyond another one, beside strangers; or why that is not known (`unmeasured`)."""
    name, given = NAMES[label[0]].removeprefix("its "), label_name(label[1], unit=unit).removeprefix("its ")
    row = row_of(division.labels, *label)
    if row is None:
        return f"Whether {name} matters beyond {given} cannot be measured: {unmeasured}."
    begin = name[0].upper() + name[1:]
    if not math.isfinite(row.share.estimate):
        return f"{begin} has no share of the difference beyond {given}, because there is no difference to share."
    words_of: dict[Verdict, str] = {
        "yes": f"{begin} matters beyond {given}", "no": f"{begin} does not matter beyond {given}",
        "undecided": f"Whether {name} matters beyond {given} is undecided",
    }  # fmt: skip
    high = row.share.null_high
    chance = "" if high is None else f"; exchanged labels hold at most {fixed(100 * high, 1)} %"
    text = f"{words_of[row.verdict]}: it holds {percent(row.share)} of the difference{chance}."
    control = row_of(division.strangers.labels, *label) if division.strangers else None
    if control is None:
        return text
    mine, theirs = (fixed(held.held.estimate, 4) for held in (row, control))
    return f"{text} In strangers it holds {percent(control.share)} of theirs ({theirs} nats squared, here {mine})."


def of_texts(division: DivisionOfRun) -> str:
    """Whether the division runs along syntax and meaning; "" where no pair was planted by texts."""
    along = division.along_texts
    if along is None:
        return ""
    words_of: dict[Verdict, str] = {
        "yes": "In part the division runs along syntax and meaning",
        "no": "The division does not run along syntax and meaning",
        "undecided": "Whether the division runs along syntax and meaning is undecided",
        "not measurable": "Whether the division runs along syntax and meaning cannot be measured",
    }
    text = (
        f"{words_of[along.verdict]}: at the same tokens it correlates at r = {figure(along.correlation)} with that of "
        "a tower of syntax and a tower of topics"
    )
    strangers = f", and that of strangers at {figure(along.strangers.correlation)}" if along.strangers else ""
    return f"{text}{strangers}."


def _quality(results: Results) -> str:
    """How far the readouts were trained."""
    readouts = results.readouts
    tokens = f"{readouts.tokens:,} tokens"
    last = readouts.doubling
    agreement = last.agreement.estimate if last and last.agreement else None
    free = " (freed of noise, so that it may exceed 1)" if agreement is not None and agreement > 1 else ""
    moved = (
        "" if agreement is None
        else f" Preferences before and after the last doubling of their text correlate at r = {fixed(agreement)}{free}."
    )  # fmt: skip
    if readouts.converged:
        return f"Quality of the measurement: the readouts have converged after {tokens}.{moved}"
    return (
        f"Beware: the readouts have not converged ({tokens}).{moved} Figures may change with longer readouts: raise "
        "--readout.tokens."
    )


def label_name(label: str, given: str = "", unit: str = "token") -> str:
    """What a label is called, and what it is taken beyond; `unit` is what carries it, a token or a word."""
    name = NAMES.get(label, label) + (f" beyond {NAMES.get(given, given)}" if given else "")
    if unit == "word":  # what is a token of towers is a word here
        name = name.replace("the token", "the word").replace("its word class", "its class")
    return name


def row_name(label: str, given: str = "", unit: str = "token") -> str:
    """The same beside a row of a table or figure, without its article."""
    return re.sub(r"(^|beyond )(the|its) ", r"\1", label_name(label, given, unit))
