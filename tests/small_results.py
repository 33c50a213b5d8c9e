"""Results of a run that nobody made, for what is said of them: a pair with next to nothing to tell."""

import math
from dataclasses import replace

from twotower.data.inventory import Inventory
from twotower.knowledge.findings.knowledge import Knowledge
from twotower.knowledge.findings.pairs import DifferenceOfTowers, GeneratedPairs, KindOfPairs, Pairs
from twotower.preference.emergence import Emergence
from twotower.preference.types import Perplexity, Spread
from twotower.results.results import Baselines, CorpusOfRun, ModelOfRun, Results, TrainingOfRun
from twotower.statistics.intervals import Estimate
from twotower.training.convergence import KeptAside, StatesKept, TrainedReadouts

INVENTORY = Inventory((), (), 30, 60_000, 0, 0, ())
UNKNOWN = Estimate(math.nan, math.nan, math.nan)


def some_results(**given) -> Results:
    """Two causal towers whose statistics are all missing, but for those that are `given`."""
    return replace(
        Results(
            corpus=CorpusOfRun("a corpus", 30, 60_000, 6, 6_000, [], 64 * "0", "hanta", 512, INVENTORY, None),
            model=ModelOfRun("gpt", "causal", 2, 1.0, 1_000, 16, 1, "none", 1.0),
            training=TrainingOfRun(48, 24_576, Perplexity(9.0, [10.0, 11.0]), Baselines(300.0, 200.0)),
            readouts=TrainedReadouts(
                True, "converged", 2_000_000, 4_000_000, "linear", None, [], KeptAside(2, 900), StatesKept(9_000, 1)
            ),
            seed=0, division=None, preference=Spread(5, 6_000, 0.1, 0.0, ["tower 1 minus tower 2"]),
            reliability=UNKNOWN, reliability_by_cluster=None, word_classes=None, explained_by=None, within_types=None,
            context=None, direction=None, emergence=Emergence([]),
        ),
        **given,
    )  # fmt: skip


def known_of_pairs(syntax: float, meaning: float) -> Knowledge:
    """What a run's towers differ by in minimal pairs."""
    kinds = [
        KindOfPairs("a", kind, 1, 20, {}, DifferenceOfTowers(value, 0.0, 0.0, [1, 2], 0.01, 0.1))
        for kind, value in (("syntax", syntax), ("meaning", meaning))
    ]
    return Knowledge(pairs=Pairs([], [], [], {}, GeneratedPairs(), [], [], kinds))
