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


def conclusions_of_diffs(compared: DiffsCompared) -> list[str]:
    """What is the same in all comparisons, a sentence each."""
    said = [
        _sizes(compared),
        _labels(compared),
        *_agreements(compared),
        _words(compared, 1),
        _words(compared, 2),
        _controls(compared),
    ]
    return [sentence for sentence in said if sentence]


def _sizes(compared: DiffsCompared) -> str:
    sizes = "; ".join(
        f"{diff.first} and {diff.second} by {'an unknown D' if diff.size is None else nats(diff.size, 2)}"
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


def _labels(compared: DiffsCompared) -> str:
    sure = [
        name for name, rows in shared_labels(compared)
        if all(row is not None and row.verdict == "yes" and not row.given for row in rows)
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
            f"Which {compared.kind} the first model predicts better beyond frequency correlates at {min(known):.2f} to "
            f"{max(known):.2f} over {len(known)} pairs of comparisons, freed of errors of measurement."
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
        f"({agreement.observed:.2f} as measured; {compared.types:,} {compared.kind})."
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


def render_diffs(title: str, compared: DiffsCompared) -> str:
    """The page."""
    return fill(
        "diffs.html.j2",
        title=title,
        found=compared,
        sentences=conclusions_of_diffs(compared),
        labels=shared_labels(compared),
        figure=figure,
        glossary={name: GLOSSARY[name] for name in ("token", "word class", "nats", "interval")},
    )
