"""What several comparisons of models say together: sentences, and the page."""

from __future__ import annotations

from ..comparison.diffs import AgreementOfDiffs, DiffsCompared
from ..preference.division import LabelDivision
from .contents import is_plain_word
from .diff_finding import in_words
from .finding import LEADING, nats, row_name
from .glossary import GLOSSARY
from .summary import figure
from .templating import fill

FEW = 6
"""Pairs of comparisons up to which each is told."""


def conclusions_of_diffs(found: DiffsCompared) -> list[str]:
    """What is the same in all comparisons, a sentence each."""
    said = [_sizes(found), _labels(found), *_agreements(found), _words(found, 1), _words(found, 2), _controls(found)]
    return [sentence for sentence in said if sentence]


def _sizes(found: DiffsCompared) -> str:
    sizes = "; ".join(
        f"{one.first} and {one.second} by {'an unknown D' if one.size is None else nats(one.size, 2)}"
        for one in found.diffs
    )
    return f"{len(found.diffs)} comparisons; models differ, in nats at a token or word: {sizes}."


def shared_labels(found: DiffsCompared) -> list[tuple[str, list[LabelDivision | None]]]:
    """What each label holds, in each comparison (None: it has no such label), the most on average first."""
    by_name = [{(row.label, row.given): row for row in one.labels} for one in found.diffs]
    names = dict.fromkeys(name for rows in by_name for name in rows)
    table = [(name, [rows.get(name) for rows in by_name]) for name in names]

    def mean(rows: list[LabelDivision | None]) -> float:
        shares = [row.share.estimate for row in rows if row is not None]
        return sum(shares) / len(shares)

    return [
        (row_name(*name), rows) for name, rows in sorted(table, key=lambda one: -mean(one[1]))
    ]  # fmt: skip


def _labels(found: DiffsCompared) -> str:
    sure = [
        name for name, rows in shared_labels(found)
        if all(row is not None and row.verdict == "yes" and not row.given for row in rows)
    ]  # fmt: skip
    if not sure:
        return "No label was shown to hold a share of the difference in all of them."
    return f"In all of them these hold a share of the difference: {in_words(sure)}."


def _agreements(found: DiffsCompared) -> list[str]:
    if len(found.agreement) > FEW:
        known = [one.r.estimate for one in found.agreement if one.r]
        if not known:
            return []
        return [
            f"Which {found.kind} the first model predicts better beyond frequency correlates at {min(known):.2f} to "
            f"{max(known):.2f} over {len(known)} pairs of comparisons, freed of errors of measurement."
        ]
    return [_agreement(one, found) for one in found.agreement]


def _agreement(one: AgreementOfDiffs, found: DiffsCompared) -> str:
    where = "on the same text" if one.same_text else "on other texts"
    if one.r is None:
        return f"How far {one.one} and {one.other} agree cannot be measured: in one of them types do not differ."
    return (
        f"{one.one} and {one.other} ({where}): which {found.kind} the first model predicts better beyond frequency "
        f"correlates at r = {figure(one.r)}, freed of errors of measurement ({one.observed:.2f} as measured; "
        f"{found.types:,} {found.kind})."
    )


def _words(found: DiffsCompared, model: int) -> str:
    whose = "first" if model == 1 else "second"
    words = [one.piece for one in found.words if one.model == model and is_plain_word(one.piece, one.upos)]
    if not words:
        return f"No word is surely predicted better by the {whose} model in all of them, beside the mean word."
    return f"The {whose} model predicts better, beside the mean word, in all of them: {in_words(words[: 3 * LEADING])}."


def _controls(found: DiffsCompared) -> str:
    without = [one.name for one in found.diffs if one.size_of_control is None]
    if not without:
        return ""
    return f"No control was given for {in_words(without)}, so nothing says whether they differ more than two seeds do."


def render_diffs(title: str, found: DiffsCompared) -> str:
    """The page."""
    return fill(
        "diffs.html.j2",
        title=title,
        found=found,
        sentences=conclusions_of_diffs(found),
        labels=shared_labels(found),
        figure=figure,
        glossary={name: GLOSSARY[name] for name in ("token", "word class", "nats", "interval")},
    )
