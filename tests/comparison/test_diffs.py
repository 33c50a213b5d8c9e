"""Several comparisons of models, compared: the agreement that was planted is found, and pages say what is the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import twotower
from small_language_models import compared
from twotower.cli import main
from twotower.comparison.diffs import agreement_of
from twotower.statistics.tallies import Tallies
from twotower.system.errors import InputError

DOCUMENTS, TYPES = 60, 200


def measured(truth: np.ndarray, noise: np.ndarray) -> Tallies:
    """Each type once in each document, with its true difference and what the document adds."""
    return Tallies(np.ones((DOCUMENTS, TYPES)), truth + noise)


@pytest.mark.parametrize("rho", [0.8, 0.0, -0.6])
def test_the_correlation_is_that_of_what_is_there_not_of_what_is_measured(rho: float):
    generator, correlations, attenuated = np.random.default_rng(5), [], []
    for _ in range(4):
        profile, rest = generator.standard_normal((2, TYPES))
        other = rho * profile + np.sqrt(1 - rho**2) * rest
        first, second = (
            measured(truth, 6 * generator.standard_normal((DOCUMENTS, TYPES))) for truth in (profile, other)
        )
        observed, r = agreement_of(first, second, np.ones((TYPES, 1)) / TYPES**0.5, False, 0.95)
        assert r is not None and r.low < r.estimate < r.high
        correlations.append(r.estimate)
        attenuated.append(observed)
    assert np.mean(correlations) == pytest.approx(rho, abs=0.15)
    assert abs(np.mean(attenuated)) < abs(rho) + 0.05 and np.mean(attenuated) == pytest.approx(rho / 1.6, abs=0.12)


def test_noise_that_two_comparisons_share_is_no_agreement():
    """Two comparisons of one text have its accidents in common: halves keep them apart."""
    generator = np.random.default_rng(6)
    profile, other = generator.standard_normal((2, TYPES))
    shared = 6 * generator.standard_normal((DOCUMENTS, TYPES))
    observed, r = agreement_of(
        measured(profile, shared), measured(other, shared), np.ones((TYPES, 1)) / TYPES**0.5, True, 0.95
    )
    assert observed > 0.25, "as they were measured, they seem to agree"
    assert r is not None and abs(r.estimate) < 0.25 and r.low < 0 < r.high


def test_a_comparison_that_measures_nothing_agrees_with_nothing():
    nothing = measured(np.zeros(TYPES), np.zeros((DOCUMENTS, TYPES)))
    assert agreement_of(nothing, nothing, np.ones((TYPES, 1)) / TYPES**0.5, True, 0.95) == (0.0, None)


@pytest.fixture(scope="module")
def by_word(corpus: Path, language_model, built_once) -> Path:
    models = [language_model(name) for name in ("llama", "gpt-short")]
    return built_once("diff-by-word", lambda folder: compared(*models, corpus=corpus, out=folder))


def test_comparisons_of_tokens_and_of_words_meet_in_whole_words(tagged_diff: Path, by_word: Path, tmp_path: Path):
    compared = twotower.compare_diffs([tagged_diff, by_word], out=tmp_path / "both")
    assert compared.kind == "whole words" and compared.types >= 10
    assert [diff.first for diff in compared.diffs] == ["model-gpt-a", "model-llama"]
    assert compared.diffs[0].size_of_control is not None and compared.diffs[1].size_of_control is None
    (agreement,) = compared.agreement
    assert agreement.same_text and -1 <= agreement.observed <= 1
    tables = {run: twotower.Diff(run).preference().set_index("piece")["mean"] for run in (tagged_diff, by_word)}
    for word in compared.words:
        side = 1 if word.model == 1 else -1
        assert all(side * mean > 0 for mean in word.means)
        assert all(word.piece in table.index for table in tables.values())


def test_the_command_writes_a_page_and_says_what_is_the_same(tagged_diff: Path, by_word: Path, tmp_path: Path, capsys):
    out = tmp_path / "both"
    for _ in range(2):  # the second time over its own output
        assert main(["compare", str(tagged_diff), str(by_word), "--out", str(out)]) == 0
    output = capsys.readouterr().out
    assert "2 comparisons; models differ" in output and "diff-tagged and diff-by-word (on the same text)" in output
    assert "No control was given for diff-by-word" in output
    assert json.loads((out / "diffs.json").read_text())["kind"] == "whole words"
    page = (out / "diffs.html").read_text()
    assert "model-llama" in page and "tower" not in page.split("<main>")[1].split("glossary")[0]


def test_what_cannot_be_compared_is_refused_in_one_line(
    tagged_diff: Path, by_word: Path, finished: Path, tmp_path: Path, capsys
):
    out = ["--out", str(tmp_path / "out")]
    assert main(["compare", str(tagged_diff), str(finished), *out]) == 2
    assert "give folders of one kind" in capsys.readouterr().err
    assert main(["compare", str(tagged_diff), *out]) == 2
    assert "give two run folders or more" in capsys.readouterr().err
    with pytest.raises(InputError, match="compare_diffs"):
        twotower.compare([tagged_diff, by_word], out=tmp_path / "out")
    with pytest.raises(InputError, match="two folders are called"):
        twotower.compare_diffs([tagged_diff, tagged_diff])
    for words in (["know", str(tagged_diff)], ["lesion", str(tagged_diff)], ["export", str(tagged_diff), *out[1:]]):
        assert main(words) == 2
        assert "a comparison of models" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
