"""A division beside one of syntax and topics: the same tokens, another pair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planted import planted
from planted_division import SIMULATIONS, SLACK
from twotower.preference.along_texts import along_texts, correlation_of
from twotower.preference.division import readings_of
from twotower.preference.labels import Occurrences
from twotower.preference.measured import Measured
from twotower.system.errors import InputError

TYPES_SD = 0.4


def natural(seed: int = 0) -> Measured:
    return planted(seed, type_sd=TYPES_SD, readout_sd=0.1)


def of_texts(measured: Measured, along: float, seed: int = 1) -> Measured:
    """A pair of another seed, whose difference by type correlates at `along` with that of `measured`."""
    generator = np.random.default_rng([seed, 7])
    effect = measured.type_means(lambda part: measured.difference(measured.contrasts[0], part))
    effect = np.nan_to_num(effect - np.nanmean(effect))
    other = TYPES_SD * generator.standard_normal(len(effect))
    scores = measured.scores.copy()
    difference = (along * effect + (1 - along**2) ** 0.5 * other)[measured.piece]
    for name in measured.sets:
        noise = (
            0.3 * generator.standard_normal(len(scores)) + 0.1 * generator.standard_normal(len(effect))[measured.piece]
        )
        scores[f"{name}_1"] = scores[f"{name}_2"] + difference + noise
    return replace(measured, scores=scores, seed=measured.seed + seed)


def test_a_division_along_that_of_the_texts_is_found_whatever_the_towers_are_called() -> None:
    measured = natural()
    texts = of_texts(measured, 0.8)
    along = along_texts(measured, texts)
    assert along is not None and along.verdict == "yes"
    assert 0.6 < along.correlation.estimate < 0.9 and along.correlation.low < 0.8 < along.correlation.high
    assert along.tenths[0].verdict == "yes" and along.tenths[0].share.low > 0.2
    exchanged = texts.scores.rename(columns={
        f"{name}_{tower}": f"{name}_{3 - tower}" for name in texts.sets for tower in (1, 2)
    })  # fmt: skip
    turned = along_texts(measured, replace(texts, scores=exchanged))
    assert turned is not None and turned.correlation.estimate == pytest.approx(along.correlation.estimate)


def test_a_division_of_its_own_is_not_said_to_run_along_the_texts() -> None:
    measured = natural()
    along = along_texts(measured, of_texts(measured, 0.0))
    assert along is not None and along.verdict != "yes" and along.correlation.estimate < 0.3


def test_no_more_than_strangers_is_no() -> None:
    measured = natural()
    texts = of_texts(measured, 0.5)
    strangers = along_texts(measured, of_texts(measured, 0.9))
    along = along_texts(measured, texts, strangers)
    assert along is not None and along.verdict == "no" and along.strangers == strangers


def test_towers_that_are_the_same_have_no_difference_to_set_beside() -> None:
    measured = natural()
    copies = measured.scores.assign(**{f"{name}_2": measured.scores[f"{name}_1"] for name in measured.sets})
    assert along_texts(replace(measured, scores=copies), of_texts(measured, 0.5)) is None


def test_pairs_that_start_alike_or_read_another_text_are_refused() -> None:
    measured = natural()
    with pytest.raises(InputError, match="seed 0"):
        along_texts(measured, replace(of_texts(measured, 0.5), seed=0))
    with pytest.raises(InputError, match="same text"):
        along_texts(measured, planted(1, type_sd=TYPES_SD, readout_sd=0.1))


@pytest.mark.montecarlo
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("along", [0.0, 0.3, 0.8])
def test_the_interval_of_the_correlation_covers_where_types_documents_and_readouts_are_random(along: float) -> None:
    drawn = []
    for seed in range(SIMULATIONS):
        measured = natural(seed)
        texts = of_texts(measured, along, 1 + seed)
        pair = [readings_of(which, which.sets, Occurrences(which)) for which in (measured, texts)]
        correlation = correlation_of(*pair)
        drawn += [correlation] if correlation else []
    assert len(drawn) > 0.75 * SIMULATIONS, "few pairs owe so much to their most frequent types that D may be 0"
    estimates = np.array([correlation.estimate for correlation in drawn])
    expected = 0.0 if along == 0 else float(estimates.mean())
    covered = np.mean([correlation.low <= expected <= correlation.high for correlation in drawn])
    print(f"\nalong {along}: mean {estimates.mean():.3f}, coverage {covered:.3f}")  # shown with -s
    assert abs(covered - 0.95) <= SLACK
