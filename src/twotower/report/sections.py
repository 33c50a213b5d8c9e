"""The sections of a run's page, in order: each a function from the contents to a `Section`, or None without data."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import yaml
from markupsafe import Markup

from ..config.conversion import plain
from ..system.printing import in_percent
from . import headings
from .contents import Contents, shares
from .division_figure import shown_labels
from .drawings import draw
from .finding import of_texts, row_name
from .instruments import LABELS as KNOWLEDGE_LABELS
from .instruments import figures_of, parts
from .numbers import figure, p_value, percent
from .scale_figure import scale_rows
from .style import TOWER_COLORS, class_of_piece
from .templating import part

LABELS = {
    "labels": "Share of the difference between towers that each label of the tokens holds, beside its null",
    "scale": "Where each label lies between strangers and a planted division",
    "profile": "What each word class prefers beyond frequency, with intervals",
    "preference": "How many types have which preference",
    "towers": "Log-probability of each type under one tower and under the other",
    "context": "What each tower gains as its context grows",
    "shares": "Share of the variance between types that each group of predictors explains",
    "training": "Loss on training batches and on held-out text",
    **KNOWLEDGE_LABELS,
}
"""What each figure shows, for those who cannot see it."""


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading; `name` is its anchor."""

    name: str
    title: str
    body: Markup


def picture(contents: Contents, name: str) -> Markup:
    """A figure of `drawings`, for the page."""
    label = LABELS.get(name) or f"The words that {name.replace('cloud_', 'tower ')} prefers most"
    return draw(contents, name).inline(label)


def opening(contents: Contents) -> str:
    """The figure that stands on top of the page."""
    if not contents.contrasts:
        return "training"
    if contents.results.division and shown_labels(contents.results.division):
        return "labels"
    return "preference"


def classes(contents: Contents) -> Section | None:
    """Which word classes go to which tower, beyond frequency."""
    if not contents.contrasts or not len(contents.profile):
        return None
    body = part(
        "sections/classes.html.j2", drawn=picture(contents, "profile"), pair=len(contents.contrasts) == 1,
        controls=bool(contents.profile["strangers"].notna().any()),
        confidence=in_percent(contents.config.analyze.confidence),
    )  # fmt: skip
    return Section("classes", headings.of_classes(contents), body)


def words(contents: Contents) -> Section | None:
    """The words that each tower prefers, as clouds, and the table of all types."""
    if not contents.contrasts:
        return None
    clouds = {tower: picture(contents, f"cloud_{tower}") for tower in range(1, contents.towers + 1)}
    rows = {"rows": type_rows(contents.types, list(columns(contents))), "pair": len(contents.contrasts) == 1}
    body = part(
        "sections/words.html.j2", clouds=clouds, columns=COLUMN_HELP, shown=columns(contents),
        rows=Markup(json_for_script(rows)), min_count=2 * contents.config.analyze.min_count,
    )  # fmt: skip
    return Section("words", headings.of_words(contents), body)


def in_sentences(contents: Contents) -> Section | None:
    """Words whose division depends on the word before, in sentences of both kinds."""
    if not contents.in_sentences:
        return None
    pair = len(contents.contrasts) == 1
    body = part(
        "sections/in_sentences.html.j2", words=contents.in_sentences,
        whose=lambda tower: "(tower 1 minus tower 2)" if pair else f"(tower {tower} minus the mean of all)",
    )  # fmt: skip
    return Section("sentences", headings.of_sentences(contents), body)


def passages(contents: Contents) -> Section | None:
    """Held-out text, shaded by which tower predicts each token better."""
    if not contents.passages:
        return None
    body = part("sections/passages.html.j2", passages=contents.passages, towers=contents.towers)
    shades = [piece.shade for passage in contents.passages for piece in passage.pieces]
    return Section("passages", headings.of_passages(shades, "token", "one tower"), body)


def scale(contents: Contents) -> Section | None:
    """How large the division is beside a planted one."""
    rows = scale_rows(contents.results)
    if not rows:
        return None
    kinds = sorted({row.planted for row in rows})
    division = contents.results.division
    body = part(
        "sections/scale.html.j2", drawn=picture(contents, "scale"), kinds=kinds,
        along=division.along_texts if division else None, said=of_texts(division) if division else "",
        percent=percent, row_name=row_name,
    )  # fmt: skip
    return Section("scale", headings.of_scale(rows), body)


def contrasts(contents: Contents) -> Section | None:
    """Groups of word classes against each other, at similar frequency."""
    classes = contents.results.word_classes
    if not classes or not classes.contrasts:
        return None
    body = part("sections/contrasts.html.j2", planned=classes.contrasts, figure=figure, p_value=p_value)
    return Section("contrasts", headings.of_contrasts(contents), body)


def preference(contents: Contents) -> Section | None:
    """The distribution of preferences."""
    if not contents.contrasts:
        return None
    drawn = "" if opening(contents) == "preference" else picture(contents, "preference")
    body = part("sections/preference.html.j2", drawn=drawn, pair=len(contents.contrasts) == 1)
    return Section("preference", headings.of_preferences(contents), body)


def towers(contents: Contents) -> Section | None:
    """Each type under one tower and under the other."""
    if not contents.contrasts:
        return None
    pair = len(contents.contrasts) == 1
    body = part("sections/towers.html.j2", drawn=picture(contents, "towers"), pair=pair)
    return Section("towers", headings.of_towers(contents), body)


def context(contents: Contents) -> Section | None:
    """What each tower gains from more context."""
    gains = contents.results.context
    if not gains or not contents.contrasts:
        return None
    body = part("sections/context.html.j2", drawn=picture(contents, "context"), tokens=gains.tokens)
    return Section("context", headings.of_context(contents), body)


def predictors(contents: Contents) -> Section | None:
    """What explains the preferences."""
    explained = contents.results.explained_by
    if not explained or not contents.contrasts or shares(contents).empty:
        return None
    body = part("sections/shares.html.j2", drawn=picture(contents, "shares"), found=explained)
    return Section("shares", headings.of_predictors(contents), body)


def knowledge(contents: Contents) -> Section | None:
    """What each tower knows, by the instruments that were used."""
    used = parts(contents.results.knowledge)
    if not used:
        return None
    drawn = figures_of(contents.results.knowledge)
    shown_parts = [
        (instrument, picture(contents, name) if (name := f"knowledge_{instrument.name}") in drawn else "")
        for instrument in used
    ]
    body = part("knowledge.html.j2", parts=shown_parts, confidence=in_percent(contents.config.analyze.confidence))
    return Section("knowledge", headings.of_knowledge(contents), body)


def training(contents: Contents) -> Section:
    """The curves of training."""
    drawn = "" if opening(contents) == "training" else picture(contents, "training")
    return Section("training", headings.of_training(contents), part("sections/training.html.j2", drawn=drawn))


def record(contents: Contents) -> Section:
    """What was run, on what, with which settings and versions."""
    read = contents.results.corpus.inventory
    body = part(
        "sections/record.html.j2", results=contents.results, read=read.facts(), warnings=read.warnings(),
        timing=contents.trained, config=contents.settings,
        provenance=yaml.safe_dump(plain(contents.provenance), sort_keys=False),
    )  # fmt: skip
    return Section("record", "What was run", body)


Make = Callable[[Contents], Section | None]
SECTIONS: tuple[Make, ...] = (classes, words, in_sentences, passages)
"""For every reader."""
EXPERT_SECTIONS: tuple[Make, ...] = (
    scale, knowledge, contrasts, preference, towers, context, predictors, training, record,
)  # fmt: skip
"""Below those, under a heading of their own."""


COLUMN_HELP = {
    "piece": "An entry of the vocabulary: a whole word, or a part of a word; ## marks a part that continues a word.",
    "upos": "The word class that the type has most often; parts of words have none.",
    "count": "How many times the type occurs in the held-out text.",
    "documents": "In how many held-out documents it occurs.",
    "mean": "Mean log-probability under tower 1 minus that under tower 2, in nats: positive for tower 1.",
    "standard_error": "Standard error of the preference, over documents and readouts.",
    "low": "Lower end of the interval of the preference.",
    "high": "Upper end of the interval of the preference.",
    "under": "The preference under one set of readouts; sets share nothing but the towers.",
}


def columns(contents: Contents) -> dict[str, str]:
    """The columns of the table of types, each with its heading."""
    named = {"piece": "type", "upos": "word class", "count": "count", "documents": "documents"}
    if len(contents.contrasts) == 1:
        named |= {"mean": "preference", "standard_error": "standard error", "low": "low", "high": "high"}
        return named | {f"under_{name}": f"set {number}" for number, name in enumerate(contents.sets, start=1)}
    for contrast in contents.contrasts:
        named |= {
            f"mean_{contrast.tower}": f"tower {contrast.tower}",
            f"standard_error_{contrast.tower}": "standard error",
        }
    return named


def type_rows(types: pd.DataFrame, wanted: list[str]) -> list[list[Any]]:
    """The rows of a table of types, of the columns that are `wanted`, the largest preference (the fifth) first."""
    ordered = types.sort_values(wanted[4], ascending=False, kind="stable")
    return [
        [_cell(name, value) for name, value in zip(wanted, row, strict=True)] for row in ordered[wanted].values.tolist()
    ]


def _cell(column: str, value: Any) -> Any:
    if column == "upos":
        return class_of_piece(value)
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value


def json_for_script(value: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def tower_rules(towers: int) -> Markup:
    """The variables that give each tower, or model, its colour on the page."""
    colors = (TOWER_COLORS[number % len(TOWER_COLORS)] for number in range(towers))
    return Markup(" ".join(f"--tower-{k}: var(--c{color[1:]});" for k, color in enumerate(colors, start=1)))
