"""Which columns of a table hold minimal pairs: told by their headings, whatever their order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...data.tables import shown, words_in
from ...system.errors import InputError
from .minimal_pair import KINDS, MEANING, OTHER, SYNTAX, MinimalPair, PairFile

Record = Mapping[str, Any]

WIDE = (
    ("sentence_good", "sentence_bad"),  # BLiMP, SLING, ZhoBLiMP, BLiMP-NL, JBLiMP, TurBLiMP
    ("source_sentence", "target_sentence"),  # RuBLiMP: the sentence of a corpus, and the same made wrong
    ("sen", "wrong_sen"),  # MultiBLiMP
)
"""Columns of known sets whose names do not all say which is better, the better one first."""
BETTER = {
    "good": SYNTAX, "grammatical": SYNTAX, "acceptable": SYNTAX, "correct": SYNTAX, "right": SYNTAX, "true": SYNTAX,
    "better": SYNTAX, "plausible": MEANING, "typical": MEANING, "possible": MEANING, "likely": MEANING,
}  # fmt: skip
"""Words of a heading that name the better sentence, and the kind of such pairs."""
WORSE = {
    "good": ("bad",), "grammatical": ("ungrammatical",), "acceptable": ("unacceptable",),
    "correct": ("incorrect", "wrong"), "right": ("wrong",), "true": ("false",), "better": ("worse",),
    "plausible": ("implausible",), "typical": ("atypical",), "possible": ("impossible",), "likely": ("unlikely",),
}  # fmt: skip
"""Words that name the worse sentence, by the word for the better one."""
_PLAIN = frozenset({"sentence", "sentences", "sent", "sen", "text", "string", "utterance", "phrase", "form", "version"})
"""Words that a heading may have besides."""
LABELS = {label: better for better, bad in WORSE.items() for label in (better, *bad)}
"""Labels of single sentences, and the word for the better one of their kind."""
_LABEL_COLUMNS = frozenset({
    "label", "labels", "acceptability", "acceptable", "grammaticality", "grammatical", "plausibility", "plausible",
    "correct", "correctness", "judgment", "judgement",
})  # fmt: skip
"""Headings under which 1 and 0 are labels."""
_ITEMS = ("item", "itemnum", "item_number", "item_id", "pair", "pair_id", "pairid")
FIELDS = {
    "morphology": SYNTAX, "syntax": SYNTAX, "semantics": OTHER, "syntax_semantics": OTHER, "syntax/semantics": OTHER,
}  # fmt: skip
"""BLiMP's `field` and RuBLiMP's `level`. BLiMP's `semantics` is of quantifiers and polarity items, which are grammar
as much as meaning."""
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Records:
    """The rows of a table by heading."""

    place: str
    headings: tuple[str, ...]
    rows: tuple[tuple[int, Record], ...]
    """The number of the line of each row, and its cells."""

    def heading(self, *names: str) -> str | None:
        """The heading that is the first of `names`, in any case."""
        low = {heading.lower(): heading for heading in self.headings}
        return next((low[name] for name in names if name in low), None)


def pairs_of_records(records: Records, set_name: str, paradigm: str, columns: Sequence[str] = ()) -> PairFile:
    """The pairs of a table: a row each, or two rows that a column of labels tells apart.

    `columns` are the better and the worse one where the user named them. A pair's paradigm is its `UID` or `PID`, a
    `paradigm` or `phenomenon` that the rows of the table differ in, or else `paradigm`. Its kind is what a column
    `kind`, `field` or `level` says, or else meaning under headings and labels that speak of plausibility, and syntax
    under others. Raises `InputError` for headings that do not say which sentence is better, and for rows that are no
    pair.
    """
    names = _named(records, columns) if columns else _wide(records)
    if names:
        better, worse, kind = names
        rows = tuple((number, row, row.get(better), row.get(worse)) for number, row in records.rows)
        polar_headings = better, worse
    else:
        long = _long(records)
        if long is None:
            raise InputError(_unknown(records))
        kind, rows, polar_headings = long
    if not rows:
        raise InputError(f"{records.place} has headings and nothing below them; give pairs of sentences")
    pairs, replaced = [], 0
    of_paradigm = _paradigms(records, paradigm)
    for number, row, good, bad in rows:
        texts = []
        for text, name in ((good, polar_headings[0]), (bad, polar_headings[1])):
            if not isinstance(text, str) or not text.strip():
                raise InputError(
                    f"{records.place}: line {number} has no sentence under {name!r}; give both sentences of the pair"
                )
            clean, count = _SURROGATES.subn("\ufffd", text.strip())
            texts.append(clean)
            replaced += count
        kind_of_row = _kind(records, number, row, kind)
        source = f"{records.place if records.place.startswith('hf:') else Path(records.place).name}:{number}"
        pairs.append(MinimalPair(set_name, of_paradigm(row), kind_of_row, texts[0], texts[1], source))
    return PairFile(records.place, *polar_headings, tuple(pairs), replaced)


def _named(records: Records, columns: Sequence[str]) -> tuple[str, str, str]:
    if len(columns) != 2:
        raise InputError(f"know.pairs: name two columns after the #, the better sentence first, not {len(columns)}")
    headings = [records.heading(name.lower()) for name in columns]
    for name, heading in zip(columns, headings, strict=True):
        if heading is None:
            raise InputError(
                f"know.pairs: {records.place} has no column {name!r}; its columns: {shown(records.headings)}"
            )
    better, worse = (heading or "" for heading in headings)
    return better, worse, _polarity(better)[1] or SYNTAX


def _wide(records: Records) -> tuple[str, str, str] | None:
    """The better and the worse column and the kind that they speak of, None if no two headings say so."""
    for names in WIDE:
        better, worse = (records.heading(name) for name in names)
        if better and worse:
            return better, worse, SYNTAX
    polarities = {heading: _polarity(heading) for heading in records.headings}
    candidates = [
        (better, worse, kind)
        for better, (word, kind) in polarities.items() if word in BETTER and kind
        for worse, (other, _) in polarities.items() if other in WORSE[word]
    ]  # fmt: skip
    if len(candidates) > 1:
        which = "; ".join(f"{better}, {worse}" for better, worse, _ in candidates)
        raise InputError(
            f"{records.place}: several columns may hold the pairs ({which}); name two: {records.place}#BETTER,WORSE"
        )
    return candidates[0] if candidates else None


def _polarity(heading: str) -> tuple[str, str]:
    """The word of a heading that says better or worse, with the kind of such pairs; empty for other headings."""
    telling = [word for word in words_in(heading) if word not in _PLAIN and not word.isdigit()]
    if len(telling) != 1 or telling[0] not in LABELS:
        return "", ""
    return telling[0], BETTER[LABELS[telling[0]]]


Rows = tuple[tuple[int, Record, Any, Any], ...]


def _long(records: Records) -> tuple[str, Rows, tuple[str, str]] | None:
    """Of sentences with labels: the kind, the rows of pairs and what tells better from worse; None for other tables."""
    sentence = next((h for h in records.headings if words_in(h) and set(words_in(h)) <= _PLAIN), None)
    label = next((h for h in records.headings if h != sentence and _are_labels(records, h)), None)
    if sentence is None or label is None:
        return None
    others = [h for h in records.headings if h not in (sentence, label)]
    item = records.heading(*_ITEMS)
    groupings: list[list[str]] = [others, [item] if item else []]
    for keys in groupings:
        if keys and (pairs := _grouped(records, label, keys)):
            break
    else:
        pairs = _adjoining(records, label)
    rows = tuple((good[0], good[1], good[1][sentence], bad[1][sentence]) for good, bad in pairs)
    word = LABELS.get(_label(pairs[0][0][1][label]), "")
    kind = BETTER.get(word) or (_polarity(label)[1] or SYNTAX)
    good, bad = (str(pairs[0][side][1][label]) for side in (0, 1))
    return kind, rows, (f"{sentence} where {label} is {good}", f"{sentence} where it is {bad}")


Numbered = tuple[int, Record]


def _grouped(records: Records, label: str, keys: Sequence[str]) -> list[tuple[Numbered, Numbered]]:
    """Rows that agree in `keys`, if these make pairs of all of them; otherwise none."""
    groups: dict[tuple[str, ...], list[Numbered]] = {}
    for number, row in records.rows:
        groups.setdefault(tuple(str(row.get(key)) for key in keys), []).append((number, row))
    pairs = [_told_apart(group, label) for group in groups.values()]
    return [pair for pair in pairs if pair] if all(pairs) else []


def _adjoining(records: Records, label: str) -> list[tuple[Numbered, Numbered]]:
    """Each two rows that follow each other."""
    pairs = []
    for start in range(0, len(records.rows), 2):
        pair = _told_apart(records.rows[start : start + 2], label)
        if pair is None:
            number = records.rows[start][0]
            raise InputError(
                f"{records.place}: line {number} is not one half of a pair; each item has two sentences, one better "
                f"and one worse by its {label!r}, on lines that follow each other or agree in all other columns"
            )
        pairs.append(pair)
    return pairs


def _told_apart(rows: Sequence[Numbered], label: str) -> tuple[Numbered, Numbered] | None:
    if len(rows) != 2:
        return None
    better = [_is_better(row[label]) for _, row in rows]
    return (rows[0], rows[1]) if better == [True, False] else (rows[1], rows[0]) if better == [False, True] else None


def _label(value: Any) -> str:
    return str(value).strip().lower()


def _is_better(value: Any) -> bool:
    return _label(value) in BETTER or _label(value) in ("1", "1.0")


def _are_labels(records: Records, heading: str) -> bool:
    values = {_label(row.get(heading)) for _, row in records.rows}
    if values <= {"0", "1", "0.0", "1.0"}:
        return len(values) == 2 and heading.lower() in _LABEL_COLUMNS
    known = {LABELS.get(value) for value in values}
    if heading.lower() in _LABEL_COLUMNS and None in known and known != {None}:
        number, row = next((n, row) for n, row in records.rows if _label(row.get(heading)) not in LABELS)
        raise InputError(f"{records.place}: line {number}: {row.get(heading)!r} under {heading!r} is no label")
    return len(known) == 1 and None not in known


def _paradigms(records: Records, otherwise: str) -> Any:
    unique = records.heading("uid", "pid")
    if unique:
        return lambda row: str(row.get(unique) or otherwise)
    for name in ("paradigm", "phenomenon"):
        heading = records.heading(name)
        if heading and len({str(row.get(heading)) for _, row in records.rows}) > 1:
            return lambda row, heading=heading: str(row.get(heading) or otherwise)
    return lambda row: otherwise


def _kind(records: Records, number: int, row: Record, otherwise: str) -> str:
    heading = records.heading("kind")
    if heading and row.get(heading):
        kind = _label(row[heading])
        if kind not in KINDS:
            raise InputError(
                f"{records.place}: line {number}: the kind is {row[heading]!r}; expected {', '.join(KINDS)}"
            )
        return kind
    heading = records.heading("field", "level")
    return FIELDS.get(_label(row.get(heading)), otherwise) if heading else otherwise


def _unknown(records: Records) -> str:
    return (
        f"{records.place}: no two columns say which sentence is better (first line: {shown(records.headings)}); head "
        "them sentence_good and sentence_bad, grammatical and ungrammatical, or plausible and implausible, or name two "
        f"of them: {records.place}#BETTER,WORSE (#1,2 without a line of headings)"
    )
