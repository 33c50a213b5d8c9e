"""What a doubling of the readouts' text has changed, on planted truth."""

import numpy as np
import pytest

from twotower.training.convergence import compare

SETS = ["readout", "second"]
TYPES, TOKENS = 300, 40_000


def reading(preference, generator, noise=0.3, gain=0.05):
    """Scores of two sets whose towers differ by `preference` (types,) and by noise of the sets, by type and token."""
    piece = np.arange(TOKENS) * 7919 % TYPES
    scores = {}
    for name in SETS:
        own = generator.normal(0, noise, TYPES) + preference
        difference = own[piece] + generator.normal(0, 1, TOKENS)
        base = generator.normal(-5, 1, TOKENS)
        scores |= {
            f"{name}_1": base + difference / 2, f"{name}_2": base - difference / 2, f"{name}_together": base + gain,
        }  # fmt: skip
    return {name: values.astype(np.float32) for name, values in scores.items()}, piece


@pytest.mark.parametrize("true", [1.0, 0.7])
def test_agreement_is_that_of_the_preferences_whatever_the_noise_of_text_and_readouts(true):
    agreements = []
    for seed in range(8):
        generator = np.random.default_rng(seed)
        was = generator.normal(0, 0.4, TYPES)
        now = true * was + np.sqrt(1 - true**2) * generator.normal(0, 0.4, TYPES)
        (before, piece), (after, _) = reading(was, generator), reading(now, generator)
        doubling = compare(before, after, SETS, 2, piece, 1000)
        agreements.append(doubling.agreement.estimate)
        assert doubling.agreement.low < doubling.agreement.estimate < doubling.agreement.high
    assert np.mean(agreements) == pytest.approx(true, abs=0.06)


def test_readouts_that_settled_have_converged_and_others_not():
    generator = np.random.default_rng(0)
    preference = generator.normal(0, 0.4, TYPES)
    first, piece = reading(preference, generator, noise=0.0)
    second, _ = reading(preference, generator, noise=0.0)
    same_text = {name: second[name] - second[name].mean() + first[name].mean() for name in first}
    assert compare(first, same_text, SETS, 2, piece, 1000).converged
    other, _ = reading(0.5 * preference + generator.normal(0, 0.4, TYPES), generator, noise=0.0)
    assert not compare(first, other, SETS, 2, piece, 1000).converged
    better = same_text | {f"{name}_together": same_text[f"{name}_together"] + 0.2 for name in SETS}
    doubling = compare(first, better, SETS, 2, piece, 1000)
    assert doubling.surplus.change == pytest.approx(0.2, abs=1e-3) and not doubling.converged


def test_towers_without_preference_have_none_to_agree_in():
    generator = np.random.default_rng(1)
    (before, piece), (after, _) = reading(np.zeros(TYPES), generator), reading(np.zeros(TYPES), generator)
    assert compare(before, after, SETS, 2, piece, 1000).agreement is None


def test_a_single_tower_is_told_by_its_nats():
    generator = np.random.default_rng(2)
    before, piece = reading(np.zeros(TYPES), generator)
    own = {name: values for name, values in before.items() if name.endswith("_1")}
    better = {name: values + 0.05 for name, values in own.items()}
    assert compare(own, own, SETS, 1, piece, 10).converged and not compare(own, better, SETS, 1, piece, 10).converged
    assert compare(own, better, SETS, 1, piece, 10).surplus is None


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("tokens", [1, 40, 512, 513, 1100])
def test_a_tiny_text_shows_no_convergence_and_warns_of_nothing(tokens):
    generator = np.random.default_rng(2)
    preference = generator.normal(0, 0.4, TYPES)
    (before, piece), (after, _) = reading(preference, generator), reading(preference, generator)
    cut = [{name: values[:tokens] for name, values in scores.items()} for scores in (before, after)]
    doubling = compare(*cut, SETS, 2, piece[:tokens], 1000)
    assert np.isfinite(doubling.surplus.estimate) and isinstance(doubling.converged, bool)
    assert doubling.agreement is not None or not doubling.converged  # so little text cannot tell
    if tokens <= 512:
        assert np.isnan(doubling.surplus.standard_error) and doubling.agreement is None and not doubling.converged
