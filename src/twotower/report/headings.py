"""Headings that say what was found, for the parts of a run's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..knowledge.findings.differences import differences
from ..preference.scale import ScaleRow
from ..system.printing import in_percent
from .contents import Contents, favourites, shares
from .finding import label_name
from .numbers import fixed, percent
from .passages import PASSAGE_LIMIT, PASSAGE_SHADE
from .style import in_words, plural

LEVEL = 0.05
"""p below which something that runs agree in is called sure."""
FAR = 1.0
"""Nats ahead that a heading counts."""
NAMED = 3
"""Classes or words that a heading names for each tower."""


def of_classes(contents: Contents) -> str:
    """Which word classes surely go to which tower."""
    table = contents.profile
    if len(contents.series) != 1:
        return "Which word classes go to which tower"
    sure = table[table["compared"].astype(bool) & table["sure"].astype(bool)]
    taken = {"tower 1": sure[sure["mean"] > 0][::-1], "tower 2": sure[sure["mean"] < 0]}
    parts = better_at({name: [plural(tag) for tag in rows["upos"]] for name, rows in taken.items()})
    return _sentence(parts) or "No word class surely goes to either tower"


def of_words(contents: Contents) -> str:
    """The words that each tower prefers most."""
    towers = {f"tower {tower}": favourites(contents, tower, NAMED) for tower in range(1, contents.towers + 1)}
    parts = better_at({name: [f"“{word}”" for word in words] for name, words in towers.items()})
    return _sentence(parts) or "No single word surely goes to a tower"


def better_at(taken: Mapping[str, Sequence[str]]) -> str:
    """`Tower 1 is better at nouns; tower 2 is better at verbs and particles`; "" where nothing goes to anybody."""
    return "; ".join(f"{name} is better at {in_words(things[:NAMED])}" for name, things in taken.items() if things)


def of_passages(shades: Sequence[int], unit: str, ahead: str) -> str:
    """At how many of the tokens, or words, that passages show one tower, or model, is at least `FAR` nats ahead."""
    if not shades:
        return "No passage is shown"
    far = sum(shade >= FAR / PASSAGE_LIMIT * PASSAGE_SHADE for shade in shades) / len(shades)
    return f"In these passages {ahead} is at least {FAR:g} nat ahead at {in_percent(far)} of the {unit}s"


def of_sentences(contents: Contents) -> str:
    """How many words are shown in two contexts."""
    count = {1: "One word", 2: "Two words", 3: "Three words"}[len(contents.in_sentences)]
    return f"{count} in {'its' if len(contents.in_sentences) == 1 else 'their'} sentences: the word before decides"


def of_preferences(contents: Contents) -> str:
    """How far half of the types lie from their mean."""
    if len(contents.series) != 1 or not len(contents.types):
        return "How preferences are distributed"
    values = contents.types["mean"].to_numpy()
    middle = float(np.median(np.abs(values - values.mean())))
    return f"Half of the types lie within {middle:.2f} nats of the mean preference"


def of_contrasts(contents: Contents) -> str:
    """Which planned contrasts of word classes are sure."""
    classes, level = contents.results.word_classes, 1 - contents.config.analyze.confidence
    parts = []
    for row in classes.contrasts if classes else []:
        if row.area and row.p_value is not None and row.p_value < level:
            first, second = row.contrast.split(" against ")
            parts.append(f"tower {1 if row.area.estimate > 0.5 else 2} prefers {first} to {second} words")
    return _sentence("; ".join(parts)) if parts else "No two groups of word classes surely differ at similar frequency"


def of_towers(contents: Contents) -> str:
    """How alike two towers are in what they find hard."""
    if len(contents.series) != 1 or len(contents.types) < 3:
        return "Each tower against all" if len(contents.series) != 1 else "Tower 1 against tower 2"
    r = contents.types["readout_1"].corr(contents.types["readout_2"])
    return f"What is hard for one tower is hard for the other: their log-probabilities of types correlate by {fixed(r)}"


def of_context(contents: Contents) -> str:
    """Which tower, if any, surely gains more from far context."""
    context = contents.results.context
    if not context or not context.difference:
        return "How much each tower gains from context"
    low, high = context.difference.low, context.difference.high
    if low <= 0 <= high:
        return f"Context beyond {context.near} tokens helps neither tower surely more"
    return f"Context beyond {context.near} tokens helps tower {1 if low > 0 else 2} more"


def of_predictors(contents: Contents) -> str:
    """Which group of predictors explains most, if any surely does."""
    table = shares(contents)
    sure = table[table["low"].astype(float) > 0]
    if not len(sure):
        return "No group of predictors surely explains the preferences"
    most = sure.iloc[-1]
    return f"Of all predictors, “{most['name']}” explains most: {100 * most['estimate']:.0f} % of the variance"


def of_scale(rows: Sequence[ScaleRow]) -> str:
    """The label that surely holds more than in strangers; the last of `rows` holds most of a planted division."""
    known = [(row, row.share) for row in rows if row.share is not None and row.share.low > 0]
    if not known:
        return "No label surely lies above strangers on the way to a planted division"
    row, share = known[-1]
    return f"Of the way from strangers to a planted division, {label_name(row.label)} lies at {percent(share, 0)}"


def of_knowledge(contents: Contents) -> str:
    """In how many tests of its instruments the towers differ."""
    known, level = contents.results.knowledge, 1 - contents.config.analyze.confidence
    tests = [row.p_value for row in differences(known) if row.p_value is not None] if known else []
    if not tests:
        return "What each tower knows"
    return f"What each tower knows: the towers differ in {sum(p < level for p in tests)} of {len(tests)} tests"


def of_training(contents: Contents) -> str:
    """The perplexity at the end of training."""
    reached = contents.results.training.heldout_perplexity.joint
    return f"Training ends at a held-out perplexity of {reached:.0f}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
