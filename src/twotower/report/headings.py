"""Headings that say what was found, for the parts of a run's page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .contents import Contents, favourites, shares
from .style import plural

LEVEL = 0.05
"""p below which something that runs agree in is called sure."""
NAMED = 3
"""Classes or words that a heading names for each tower."""


def of_classes(contents: Contents) -> str:
    """Which word classes surely go to which tower."""
    table = contents.profile
    if len(contents.series) != 1:
        return "Which word classes go to which tower"
    sure = table[table["compared"].astype(bool) & table["sure"].astype(bool)]
    said = []
    for tower, rows in ((1, sure[sure["mean"] > 0][::-1]), (2, sure[sure["mean"] < 0])):
        if len(rows):
            said.append(f"tower {tower} is better at {_listed([plural(tag) for tag in rows['upos'][:NAMED]])}")
    if not said:
        return "No word class surely goes to either tower"
    return _sentence("; ".join(said))


def of_words(contents: Contents) -> str:
    """The words that each tower prefers most."""
    said = []
    for tower in range(1, contents.towers + 1):
        words = list(favourites(contents, tower, NAMED))
        if words:
            said.append(f"tower {tower} is better at {_listed([f'“{word}”' for word in words])}")
    return _sentence("; ".join(said)) if said else "No single word surely goes to a tower"


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
    said = []
    for row in classes.contrasts if classes else []:
        if row.area and row.p_value is not None and row.p_value < level:
            first, second = row.contrast.split(" against ")
            said.append(f"tower {1 if row.area.estimate > 0.5 else 2} prefers {first} to {second} words")
    return _sentence("; ".join(said)) if said else "No two groups of word classes surely differ at similar frequency"


def of_towers(contents: Contents) -> str:
    """How alike two towers are in what they find hard."""
    if len(contents.series) != 1 or len(contents.types) < 3:
        return "Each tower against all" if len(contents.series) != 1 else "Tower 1 against tower 2"
    r = contents.types["readout_1"].corr(contents.types["readout_2"])
    return f"What is hard for one tower is hard for the other: their log-probabilities of types correlate by {r:.2f}"


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


def of_training(contents: Contents) -> str:
    """The perplexity at the end of training."""
    reached = contents.results.training.heldout_perplexity.joint
    return f"Training ends at a held-out perplexity of {reached:.0f}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
