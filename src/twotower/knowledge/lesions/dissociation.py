"""Whether lesions of two towers part syntax from meaning: the double dissociation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ...config.schema import AnalyzeConfig
from ...statistics.intervals import Estimate, centred_estimate, exceedance
from ...statistics.tallies import Floats, sample_and_draws
from ..findings.lesions import Dissociation, Interaction, LossOnPairs
from ..pairs.accuracy import weighted_means
from ..pairs.minimal_pair import MEANING, SYNTAX
from .by_class import null_of, resampled
from .removal import INTACT, WAYS, names_of, pairs_of_parts

FEWEST = 20
"""Pairs of a kind from which there is a dissociation to speak of."""


def dissociation(
    margins: Mapping[str, Floats], right: Mapping[str, Floats], syntax: NDArray[np.bool_],
    items: NDArray[np.int64], towers: int, settings: AnalyzeConfig, generator: np.random.Generator,
) -> Dissociation:  # fmt: skip
    """Whether lesions of two towers part syntax from meaning.

    Args:
        margins, right: by lesion, and intact, log-probability of the better sentence minus that of the worse in nats,
            and whether the pair is right, each (pairs,).
        syntax: which pairs are of syntax; the others are of meaning, (pairs,).
        items: what is resampled and divided into halves, numbered from 0: a document, or a pair of a ready set.
        towers: how many; of more than two, the two that are furthest apart on the first half of the items.
        settings: `bootstrap` and `confidence` of the intervals, which are over items.
        generator: of the resampling.

    The interaction is of mean lesions. Its null is the same of random halves of the units (of more than two towers, of
    random parts, `half R a`, `half R b`, …, as many as there are towers, with the same choice of two).
    """
    weights = sample_and_draws(int(items.max()) + 1, settings.bootstrap, generator)
    count = weights.shape[1]

    def means(values: Floats, chosen: NDArray[np.bool_]) -> Floats:
        return resampled(weighted_means(weights, items[chosen], values[chosen]), items[chosen])

    def figure(drawn: Floats) -> Estimate:
        return centred_estimate(drawn, settings.confidence)

    kinds = {SYNTAX: syntax, MEANING: ~syntax}
    losses = [
        LossOnPairs(
            tower, way, kind, accuracy=figure(means(right[INTACT] - right[f"tower {tower}, {way}"], chosen)),
            margin=figure(means(margins[INTACT] - margins[f"tower {tower}, {way}"], chosen)),
        )
        for tower in range(1, towers + 1) for way in WAYS for kind, chosen in kinds.items()
    ]  # fmt: skip
    without_interaction = Dissociation(
        {kind: float(right[INTACT][chosen].mean()) for kind, chosen in kinds.items()}, losses, interaction=None
    )
    test = (generator.permutation(count) % 2 == 1)[items]
    cells = [int((half & chosen).sum()) for half in (test, ~test) for chosen in kinds.values()]
    if towers < 2 or min(cells) < FEWEST // 2:
        return without_interaction
    scale = np.where(syntax, margins[INTACT][syntax].std(), margins[INTACT][~syntax].std())

    def apart(first: str, second: str) -> Floats:
        """How much more the first lesion costs than the second, of each pair, in standard deviations."""
        gaps: Floats = (margins[second] - margins[first]) / np.maximum(scale, 1e-12)
        return gaps

    def contrast(gap: Floats, inside: NDArray[np.bool_]) -> float:
        return float(gap[inside & syntax].mean() - gap[inside & ~syntax].mean())

    def localised(choices: Sequence[tuple[str, str]]) -> tuple[str, str]:
        """The two lesions, the one of syntax first, that are furthest apart on the first half of the items."""
        ordered = [*choices, *((second, first) for first, second in choices)]
        return max(ordered, key=lambda names: contrast(apart(*names), ~test))

    divisions = sum(name.startswith("half") and name.endswith(" a") for name in margins)
    null = np.array([contrast(apart(*localised(group)), test) for group in pairs_of_parts(divisions, towers)])
    chosen_names = localised([names_of(pair) for pair in combinations(range(1, towers + 1), 2)])
    gap = apart(*chosen_names)
    drawn = {kind: means(gap, chosen & test) for kind, chosen in kinds.items()}
    sides = {kind: figure(values) for kind, values in drawn.items()}
    estimate = figure(drawn[SYNTAX] - drawn[MEANING])
    interaction = Interaction(
        **vars(estimate),
        tower_of_syntax=int(chosen_names[0].split()[1].rstrip(",")),
        tower_of_meaning=int(chosen_names[1].split()[1].rstrip(",")),
        null=null_of(null, settings.confidence),
        p_value=exceedance(estimate.estimate, null),
        syntax=sides[SYNTAX],
        meaning=sides[MEANING],
        crossover=bool(sides[SYNTAX].low > 0 and sides[MEANING].high < 0),
    )
    return replace(without_interaction, interaction=interaction)
