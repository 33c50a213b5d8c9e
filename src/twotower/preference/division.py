"""The ruler on one run: how far its towers differ, which labels the difference follows, and what it gains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np

from ..statistics.clustering import Clusters
from ..statistics.division import FEWEST_DOCUMENTS, NOTHING, Codes, Readings, Share, share
from ..statistics.gains import Surplus, surplus, worth
from ..statistics.intervals import Estimate
from ..statistics.relabelling import permuted_shares, shifted_shares, turned_shares
from ..statistics.tallies import Floats
from ..statistics.verdicts import Verdict, verdict
from .labels import GIVEN, LABELS, Label, Numbers, Occurrences, carriers_of, gold_labels
from .measured import Measured
from .own_labels import own_labels

EXCHANGES = 100
"""Times that labels are exchanged, or signs turned, for a null. No setting: each reads the whole text again, and all
that is asked of them is one quantile, beside which intervals are wide."""
UNCONVERGED_STRANGERS = (
    "The readouts of the strangers have not converged, so their figures may still grow; a higher readout.tokens helps."
)
CLASS = ("class", "frequency")
"""The label that answers whether towers divide the work by word class, and what it is taken beyond."""
TOPIC = ("topic", "type")
"""The same for what a text is about."""


@dataclass(frozen=True)
class ShareOfLabel(Estimate):
    """H of one labelling, with its interval and its null."""

    null_high: float | None
    """The upper end of H with labels exchanged among what carries them (at the usual `analyze.confidence` the 97.5th
    percentile); None where they cannot be."""


@dataclass(frozen=True)
class LabelDivision:
    """How much of the difference between towers one labelling of the occurrences holds."""

    label: str
    given: str
    """The label that is given; "" if none is."""
    values: int
    """Labels that occur in two groups of documents."""
    measured: float
    """Share of the occurrences that have one of these labels."""
    share: ShareOfLabel
    held: Estimate
    """D squared times H, in nats squared."""
    specialization: Estimate | None
    routing: Estimate | None
    """In nats per token; only where nothing is given."""
    verdict: Verdict
    """Whether the label holds a share; beside strangers, whether it holds more nats squared and a larger share, too."""


def row_of(rows: Sequence[LabelDivision], label: str, given: str = "") -> LabelDivision | None:
    """The row of a label, given another; None where that could not be measured."""
    measured = (row for row in rows if row.verdict != "not measurable")
    return next((row for row in measured if (row.label, row.given) == (label, given)), None)


@dataclass(frozen=True)
class Division:
    """How the towers of a run divide the work."""

    size: Estimate | None
    """D, in nats; None where it cannot be measured."""
    surplus: Surplus | None
    """None where no joint readout was trained."""
    labels: list[LabelDivision]
    strangers: Division | None
    """The same for towers that did not cooperate."""
    differ: Verdict
    """Whether the towers differ; more than strangers do, where strangers were measured."""
    gain: Verdict
    """Whether all towers together beat the best one, by more than one tower given twice and than strangers."""
    verdict: Verdict
    """Whether the towers divide the work: they differ and gain, both by more than strangers."""
    why: str
    """What could not be measured, and what to do about it; "" if everything was."""


def division_of(measured: Measured) -> Division | None:
    """The ruler on a scored text; None for a single tower."""
    if measured.towers == 1:
        return None
    if why := unmeasurable(measured):
        return Division(None, None, [], None, "not measurable", "not measurable", "not measurable", why)
    sets = measured.sets
    text = Occurrences(measured)
    readings, converged = readings_of(measured, sets, text), measured.converged
    nats_gained = _surplus(measured, sets, readings)
    labels = [*LABELS, *gold_labels(measured), *own_labels(measured)]
    rows = [row for label in labels for row in shares_of(label, readings, text, converged)]
    differ = verdict(readings.squared, converged=converged)
    gain = verdict(nats_gained, None, _twice(nats_gained), converged)
    why = "" if nats_gained else "No joint readout was trained, so that surplus is not known."
    return Division(readings.size, nats_gained, rows, None, differ, gain, _divides(differ, gain, None), why)


def along(labels: Sequence[Label], measured: Measured) -> list[LabelDivision]:
    """The rows of the given labels; none where nothing can be measured."""
    if measured.towers == 1 or unmeasurable(measured):
        return []
    text = Occurrences(measured)
    readings, converged = readings_of(measured, measured.sets, text), measured.converged
    return [row for label in labels for row in shares_of(label, readings, text, converged)]


def unmeasurable(measured: Measured) -> str:
    """Why nothing can be measured, and what to do about it; "" if it can."""
    if len(measured.sets) < 2 and not measured.exact:
        return "Only one set of readouts was trained; redo the run from `twotower readout` on."
    if measured.documents < FEWEST_DOCUMENTS:
        return (
            f"Only {measured.documents} documents are {'measured' if measured.exact else 'held out'}, and intervals "
            f"need {FEWEST_DOCUMENTS}; give a corpus of more documents, "
            + ("or cut them with --prepare.section-words." if measured.exact else "or a higher prepare.heldout.")
        )
    return ""


def readings_of(measured: Measured, sets: Sequence[str], text: Occurrences) -> Readings:
    """The differences between towers under each set; documents, types and previous types are random."""
    differences = np.stack([
        [measured.difference(contrast, readouts=name) for contrast in measured.contrasts] for name in sets
    ])  # fmt: skip
    clusters = Clusters({"document": measured.block, "type": text.type, "previous type": text.previous})
    return Readings(differences, measured.block, clusters, measured.settings.confidence)


def shares_of(label: Label, readings: Readings, text: Occurrences, converged: bool | None) -> list[LabelDivision]:
    """One row for each condition in `label.given`; none where the run does not have the label."""
    values = label.values(text)
    if values is None:
        return []
    if label.within_documents:
        halves = (2 * text.place >= np.bincount(text.document)[text.document]).astype(np.int64)
        readings = replace(readings, apart=halves)
    return [_row(label, values, given, readings, text, converged) for given in label.given]


def _row(
    label: Label, values: Codes, given: str, readings: Readings, text: Occurrences, converged: bool | None
) -> LabelDivision:
    beyond = GIVEN[given](text) if given else NOTHING
    holding = share(readings, values, beyond)
    comparable = min(holding.values, len(np.unique(values[values >= 0]))) > 1
    measurable = comparable and readings.square[0] > 0
    everywhere = np.where(values < 0, int(values.max(initial=0)) + 1, values)  # what has no label as one of its own
    null = _null(label, everywhere, given, beyond, holding, readings, text) if measurable else None
    high = None if null is None else float(np.quantile(null, (1 + readings.confidence) / 2))
    outcome = verdict(holding.share if measurable else None, high, None, converged)
    if outcome == "yes" and readings.squared.low <= 0:
        outcome = "undecided"  # there may be no difference that it could be a share of
    label_worth = None
    if measurable and not given and not label.within_documents:
        whole = holding if (values >= 0).all() else share(readings, everywhere)
        label_worth = worth(readings, everywhere, whole.held.estimate)
    return LabelDivision(
        label=label.name,
        given=given,
        values=holding.values,
        measured=holding.measured,
        share=ShareOfLabel(holding.share.estimate, holding.share.low, holding.share.high, high),
        held=holding.held,
        specialization=label_worth.specialization if label_worth else None,
        routing=label_worth.routing if label_worth else None,
        verdict=outcome,
    )


def _null(
    label: Label, values: Numbers, given: str, beyond: Codes, holding: Share, readings: Readings, text: Occurrences
) -> Floats:
    """H under chance, which is simulated according to what carries the label, (exchanges,)."""
    generator = text.measured.generator(f"division, {label.name}, {given}")
    if label.by_place and not given:
        return shifted_shares(readings, values, EXCHANGES, generator)
    if label.carried_by and not label.by_place:
        carried_by = carriers_of(label, values, text)
        if all(part.movable for part in carried_by):
            return permuted_shares(readings, carried_by, EXCHANGES, generator, beyond)
    units: list[Codes] = [text.type, text.previous, text.document]
    return turned_shares(readings, holding, units, 4 * EXCHANGES, generator)


def _surplus(measured: Measured, sets: Sequence[str], readings: Readings) -> Surplus | None:
    towers = range(1, measured.towers + 1)
    with_joint = [name for name in sets if f"{name}_together" in measured.scores.columns]
    if not with_joint:
        return None
    # sets that have a tower given twice come first: its null is taken against these
    twice = [name for name in with_joint if f"{name}_twice_1" in measured.scores.columns]
    with_joint = [*twice, *(name for name in with_joint if name not in twice)]

    def read(names: Sequence[str], kind: str) -> Floats:
        return np.array([[measured.log_probs(f"{name}_{kind}{tower}") for tower in towers] for name in names])

    together = np.array([measured.log_probs(f"{name}_together") for name in with_joint])
    given_twice = read(twice, "twice_") if twice else None
    return surplus(read(with_joint, ""), together, given_twice, readings)


def _twice(gained: Surplus | None) -> Estimate | None:
    """What one tower given twice gains, which all together must exceed."""
    if gained is None or gained.null is None:
        return None
    return Estimate(gained.null, gained.null, gained.null)


def _divides(differ: Verdict, gain: Verdict, strangers: Division | None) -> Verdict:
    """Whether towers divide the work; never yes without strangers."""
    verdicts = (differ, gain)
    if "not measurable" in verdicts:
        return "not measurable"
    if "no" in verdicts:
        return "no"
    return "yes" if verdicts == ("yes", "yes") and strangers is not None else "undecided"


Divided = TypeVar("Divided", bound=Division)


def with_strangers(division: Divided, strangers: Division) -> Divided:
    """The same division beside that of strangers of the same text and budget, which its verdicts must exceed."""
    strangers = Division(**{field.name: getattr(strangers, field.name) for field in fields(Division)})
    if division.size is None or strangers.size is None:
        return replace(division, strangers=strangers)
    of_strangers = {(row.label, row.given): row for row in strangers.labels}
    converged = have_converged(division)
    rows = [_beside(row, of_strangers.get((row.label, row.given)), converged) for row in division.labels]
    differ = _stricter(division.differ, verdict(division.size, None, strangers.size, converged))
    gain, gained, control = division.gain, division.surplus, strangers.surplus
    if gained and not control and gain == "yes":
        gain = "not measurable"
    elif gained and control:
        gain = _stricter(gain, verdict(gained, None, control, converged))
    why = division.why if have_converged(strangers) else f"{division.why} {UNCONVERGED_STRANGERS}".strip()
    return replace(
        division, labels=rows, strangers=strangers, differ=differ, gain=gain,
        verdict=_divides(differ, gain, strangers), why=why,
    )  # fmt: skip


def have_converged(alone: Division) -> bool:
    """Whether readouts have converged, by the verdicts of towers without strangers.

    Where they have not, the verdicts are more cautious than the figures by themselves.
    """
    gain = verdict(alone.surplus, None, _twice(alone.surplus))
    return (alone.differ, alone.gain) == (verdict(alone.size), gain)


def _beside(row: LabelDivision, control: LabelDivision | None, converged: bool) -> LabelDivision:
    """Compare nats squared, because a large share of a tiny difference means nothing, and shares, because a difference
    that is merely larger everywhere follows no label more than strangers' does."""
    if control is None:
        return row
    larger = _stricter(
        verdict(row.held, None, control.held, converged), verdict(row.share, None, control.share, converged)
    )
    return replace(row, verdict=_stricter(row.verdict, larger))


def holds(row: LabelDivision) -> bool:
    """Whether a label surely holds a share of the difference by itself, whatever it holds in strangers."""
    return row.verdict != "not measurable" and verdict(row.share, row.share.null_high) == "yes"


def _stricter(alone: Verdict, beside: Verdict) -> Verdict:
    """A verdict that needs both: *no* if either is, and *yes* only if both are."""
    if alone in ("no", "not measurable") or beside == "not measurable":
        return alone
    return beside if alone == "yes" or beside == "no" else "undecided"
