"""Whether runs divide the same classes and pairs of classes, whatever words they divide."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from planted import planted
from twotower.comparison.label_agreement import label_agreement
from twotower.config.schema import AnalyzeConfig, RunConfig
from twotower.statistics.contrasts import contrasts

SETS = ["readout", "second"]


@dataclass(frozen=True)
class Text:
    occurrences: pd.DataFrame


@dataclass(frozen=True)
class Run:
    """What a comparison reads of a run."""

    text: Text
    table: pd.DataFrame
    sets = SETS
    config = RunConfig(analyze=AnalyzeConfig(min_count=3))

    def differences(self, sets):
        return [contrasts(2)[0].of(self.table, name) for name in sets]


@pytest.fixture(scope="module")
def text():
    return Text(planted(0).scores[["document", "piece_id", "upos"]])


def run_of(text, seed, effect):
    """A run in which each pair of classes has its own effect, and types, occurrences and readouts have theirs."""
    generator = np.random.default_rng(seed)
    pieces, tokens = text.occurrences["piece_id"].max() + 1, len(text.occurrences)
    of_type = 0.3 * generator.standard_normal(pieces)
    table = {}
    for name in SETS:
        noise = 0.3 * generator.standard_normal((2, tokens))
        table[f"{name}_1"] = effect + of_type[text.occurrences["piece_id"]] + noise[0]
        table[f"{name}_2"] = noise[1]
    return Run(text, pd.DataFrame(table))


def effect_of_pairs(text, seed):
    """Nats by class and class before, the same in every run of a seed, (occurrences,)."""
    codes = pd.factorize(text.occurrences["upos"])[0]
    table = 0.4 * np.random.default_rng(seed).standard_normal((codes.max() + 1, codes.max() + 1))
    return table[codes, np.append(0, codes[:-1])]


def agreed(runs):
    agreement = label_agreement(runs, {"all": [(0, 1)]}, AnalyzeConfig(permutations=99))
    return {row.label: row.groups["all"] for row in agreement}


def test_runs_that_divide_the_same_pairs_of_classes_agree_in_them(text):
    shared = effect_of_pairs(text, 5)
    agreement = agreed([run_of(text, 1, shared), run_of(text, 2, shared)])
    pairs = agreement["class x previous class"]
    assert pairs.estimate > 0.7 and pairs.p_value <= 0.02
    assert set(agreement) <= {"class", "previous type", "class x previous class"}


def test_runs_that_divide_others_do_not(text):
    agreement = agreed([run_of(text, 1, effect_of_pairs(text, 5)), run_of(text, 2, effect_of_pairs(text, 6))])
    assert agreement["class x previous class"].estimate < 0.4


def test_runs_of_different_occurrences_are_not_compared(text):
    other = Text(text.occurrences[::-1])
    pieces = [run_of(each, 1, np.zeros(len(each.occurrences))) for each in (text, other)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("twotower.comparison.label_agreement.same_occurrences", lambda *_: False)
        assert label_agreement(pieces, {"all": [(0, 1)]}, AnalyzeConfig()) == []
