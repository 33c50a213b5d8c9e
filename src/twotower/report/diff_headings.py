"""Headings that say what was found, for the parts of the page of a comparison."""

from __future__ import annotations

from ..preference.word_classes import ClassOfPair
from ..system.printing import in_percent
from .contents import favourites
from .diff_contents import DiffContents
from .headings import NAMED, better_at, of_passages
from .numbers import fixed
from .style import in_words, plural


def diff_headings(contents: DiffContents) -> dict[str, str]:
    """By the anchor of a part of the page, its heading."""
    passages = [piece.shade for passage in contents.passages for piece in passage.pieces]
    return {
        "classes": _classes(contents),
        "words": _words(contents),
        "passages": of_passages(passages, contents.results.unit, "one model"),
        "scatter": _types(contents),
        "contexts": _contexts(contents),
        "contrasts": _contrasts(contents),
        "divergence": _divergence(contents),
    }


def _classes(contents: DiffContents) -> str:
    classes, names = contents.results.word_classes, contents.names
    upos = classes.upos if classes else None
    if upos is None or len(names) > 2:
        return "Which word classes each model predicts better"
    sure = {
        row.name: row.adjusted.mean for row in upos.profile
        if isinstance(row, ClassOfPair) and row.compared and row.adjusted and row.adjusted.sure
    }  # fmt: skip
    taken = {
        name: [plural(tag) for tag in sorted(sure, key=lambda tag: -sign * sure[tag]) if sign * sure[tag] > 0]
        for name, sign in zip(names, (1, -1), strict=True)
    }
    return better_at(taken) or "No model surely predicts a word class better"


def _words(contents: DiffContents) -> str:
    taken = {
        name: [f"“{word}”" for word in favourites(contents, number, NAMED)]
        for number, name in enumerate(contents.names, start=1)
    }
    return better_at(taken) or "No model surely predicts a single word better"


def _types(contents: DiffContents) -> str:
    if len(contents.names) != 2 or len(contents.types) < 3:
        return "How well each model predicts each type"
    r = contents.types["model_1"].corr(contents.types["model_2"])
    first, second = contents.names
    return f"What is hard for {first} is hard for {second}: their log-probabilities of types correlate by {fixed(r)}"


def _contexts(contents: DiffContents) -> str:
    rows = contents.results.division.contexts
    if not rows:
        return "No word's difference surely depends on the word before"
    row = next((row for row in rows if row.piece.isalpha() and row.after.isalpha()), rows[0])
    return (
        f"The difference at “{row.piece}” is {fixed(row.there, signed=True)} nats after "
        f"“{row.after or '(beginning)'}”, otherwise {fixed(row.otherwise, signed=True)}"
    )


def _contrasts(contents: DiffContents) -> str:
    classes, names = contents.results.word_classes, contents.names
    clauses = []
    for row in classes.contrasts if classes else []:
        if row.area and row.p_value is not None and row.p_value < 1 - contents.config.analyze.confidence:
            first, second = row.contrast.split(" against ")
            who = names[0] if row.area.estimate > 0.5 else in_words(names[1:])
            clauses.append(f"{who} has the advantage at {first} beside {second} words")
    return "; ".join(clauses) or "No two groups of word classes surely differ at similar frequency"


def _divergence(contents: DiffContents) -> str:
    pairs = contents.results.divergence
    if not pairs:
        return ""
    agree = in_percent(pairs[0].means.agreement.estimate)
    return f"The best guess of {pairs[0].first} and {pairs[0].second} is the same at {agree} of the tokens"
