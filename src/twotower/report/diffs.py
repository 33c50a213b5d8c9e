"""What several comparisons of models say together: sentences, and the page."""

from __future__ import annotations

from ..comparison.diffs import AgreementOfDiffs, DiffsCompared
from ..preference.division import LabelDivision, holds
from .contents import is_plain_word
from .finding import LEADING, row_name
from .glossary import GLOSSARY
from .numbers import figure, fixed, span
from .style import in_words
from .templating import fill

FEW = 6
"""Pairs of comparisons up to which each is told."""


def conclusions_of_diffs(compared: DiffsCompared) -> list[str]:
    """What is the same in all comparisons, a sentence each."""
    sentences = [
        _sizes(compared),
        *_agreements(compared),
        _words(compared, 1),
        _words(compared, 2),
        _controls(compared),
    ]
    return [sentence for sentence in sentences if sentence]


def _sizes(compared: DiffsCompared) -> str:
    sizes = "; ".join(
        f"{diff.first} and {diff.second} by {'an unknown D' if diff.size is None else figure(diff.size)}"
        for diff in compared.diffs
    )
    return f"{len(compared.diffs)} comparisons; models differ, in nats at a token or word: {sizes}."


def shared_labels(compared: DiffsCompared) -> list[tuple[str, list[LabelDivision | None]]]:
    """What each label holds, in each comparison (None: it has no such label), the most on average first."""
    by_name = [{(row.label, row.given): row for row in diff.labels} for diff in compared.diffs]
    names = dict.fromkeys(name for rows in by_name for name in rows)
    table = [(name, [rows.get(name) for rows in by_name]) for name in names]

    def mean(rows: list[LabelDivision | None]) -> float:
        shares = [row.share.estimate for row in rows if row is not None]
        return sum(shares) / len(shares)

    return [
        (row_name(*name), rows) for name, rows in sorted(table, key=lambda label_rows: -mean(label_rows[1]))
    ]  # fmt: skip


def finding_of_diffs(compared: DiffsCompared) -> str:
    """Which labels hold a share of the difference in all of them."""
    sure = [
        name for name, rows in shared_labels(compared)
        if all(row is not None and holds(row) and not row.given for row in rows)
    ]  # fmt: skip
    if not sure:
        return "No label was shown to hold a share of the difference in all of them."
    return f"In all of them these hold a share of the difference: {in_words(sure)}."


def _agreements(compared: DiffsCompared) -> list[str]:
    if len(compared.agreement) > FEW:
        known = [agreement.r.estimate for agreement in compared.agreement if agreement.r]
        if not known:
            return []
        return [
            f"Which {compared.kind} the first model predicts better beyond frequency correlates at "
            f"{fixed(min(known))} to {fixed(max(known))} over {len(known)} pairs of comparisons, freed of errors of "
            "measurement."
        ]
    return [_agreement(agreement, compared) for agreement in compared.agreement]


def _agreement(agreement: AgreementOfDiffs, compared: DiffsCompared) -> str:
    where = "on the same text" if agreement.same_text else "on other texts"
    if agreement.r is None:
        return (
            f"How far {agreement.one} and {agreement.other} agree cannot be measured: in one of them types do not "
            "differ."
        )
    return (
        f"{agreement.one} and {agreement.other} ({where}): which {compared.kind} the first model predicts better "
        f"beyond frequency correlates at r = {figure(agreement.r)}, freed of errors of measurement "
        f"({fixed(agreement.observed)} as measured; {compared.types:,} {compared.kind})."
    )


def _words(compared: DiffsCompared, model: int) -> str:
    whose = "first" if model == 1 else "second"
    words = [word.piece for word in compared.words if word.model == model and is_plain_word(word.piece, word.upos)]
    if not words:
        return f"No word is surely predicted better by the {whose} model in all of them, beside the mean word."
    return f"The {whose} model predicts better, beside the mean word, in all of them: {in_words(words[: 3 * LEADING])}."


def _controls(compared: DiffsCompared) -> str:
    without = [diff.name for diff in compared.diffs if diff.size_of_control is None]
    if not without:
        return ""
    return f"No control was given for {in_words(without)}, so nothing says whether they differ more than two seeds do."


def headings_of_diffs(compared: DiffsCompared) -> dict[str, str]:
    """By the anchor of a part of the page, its heading."""
    sizes = [diff.size.estimate for diff in compared.diffs if diff.size]
    agreements = [agreement.r.estimate for agreement in compared.agreement if agreement.r]
    name, rows = next(iter(shared_labels(compared)), ("", []))
    most = [row.share.estimate for row in rows if row is not None]
    first, second = (sum(word.model == model for word in compared.words) for model in (1, 2))
    return {
        "summary": "What these comparisons show",
        "sizes": f"D is {span(sizes)} nats" if sizes else "D could not be measured",
        "labels": f"Most is held by {name}: {span(most, percent=True)}" if most else "No label was measured in them",
        "agreement": f"The differences of {compared.kind} correlate by {span(agreements)}" if agreements
        else f"How far {compared.kind} agree could not be measured",
        "words": f"{first:,} types are better under the first model in all of them, {second:,} under the second",
    }  # fmt: skip


def render_diffs(title: str, compared: DiffsCompared) -> str:
    """The page."""
    return fill(
        "diffs.html.j2",
        title=title,
        found=compared,
        finding=finding_of_diffs(compared),
        headed=headings_of_diffs(compared),
        headings=list[tuple[str, str]](),
        sentences=conclusions_of_diffs(compared),
        labels=shared_labels(compared),
        figure=figure,
        glossary={name: GLOSSARY[name] for name in ("token", "word class", "nats", "interval")},
    )
