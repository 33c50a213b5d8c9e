"""Every family, and every number of towers, goes from text to a report on real text."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from safetensors.torch import load_file

import twotower
from twotower.data.heldout import PreparedText

FAMILIES = {"gpt": "GPT", "bert": "BERT", "elmo": "ELMo", "hf:llama": "Llama (a backbone of transformers)"}
PROMISE = "a pair of {} towers is trained, read, measured and reported"


@pytest.mark.parametrize("family", [
    *(pytest.param(name, marks=pytest.mark.promise(PROMISE.format(said))) for name, said in FAMILIES.items()),
    *(pytest.param(name, marks=pytest.mark.slow) for name in ("hf:modernbert", "hf:mamba")),
])  # fmt: skip
def test_a_family_trains_is_measured_and_reported(family_runs, family):
    run = twotower.Run.load(family_runs(family))
    results, scores, text = run.results(), run.scores(), PreparedText(run.path)
    assert len(scores) == results.corpus.heldout_tokens
    assert results.model.family == family
    unigram = np.exp(-text.log_frequencies[scores["piece_id"]].mean())
    perplexity = results.training.heldout_perplexity
    assert all(value < 1.02 * unigram for value in [perplexity.joint, *perplexity.towers])
    assert results.preference.types > 50 and results.word_classes.upos.explained is not None
    page = (run.path / "report.html").read_text(encoding="utf-8")
    assert f"2 {family} towers" in page and "figure-profile" in page
    assert run.model().config.objective == results.model.objective
    weights = load_file(run.path / "model" / "model.safetensors")
    assert all(bool(value.isfinite().all()) for value in weights.values())


@pytest.mark.parametrize("towers", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_any_number_of_towers_is_measured_and_reported(with_settings, tmp_path, towers):
    run = twotower.run(with_settings(model={"towers": towers}), tmp_path / "run")
    results, types = run.results(), pd.read_parquet(run.path / "preference.parquet")
    page = (run.path / "report.html").read_text(encoding="utf-8")
    assert results.model.towers == towers == len(results.training.heldout_perplexity.towers)
    rows = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert {len(row["towers"]) for row in rows if row["kind"] == "train"} == {towers}
    if towers == 1:
        assert math.isnan(results.reliability.estimate) and results.word_classes is None
        assert "mean" not in types
        assert "figure-preference" not in page and "One tower has nothing to divide" in page
        return
    means = types[[f"mean_{k}" for k in (1, 2, 3)]].to_numpy()
    assert np.allclose(means.sum(axis=1), 0, atol=1e-5)
    readouts = types[[f"readout_{k}" for k in (1, 2, 3)]].to_numpy()
    assert np.allclose(means, readouts - readouts.mean(axis=1, keepdims=True), atol=1e-5)
    assert math.isfinite(results.reliability.low)
    assert all(len(row.towers) == 3 for row in results.word_classes.upos.profile)
    assert "minus the mean over all towers" in page and (run.path / "figures" / "cloud_3.svg").is_file()


@pytest.mark.slow
@pytest.mark.parametrize(("family", "windows"), [("bert", "pairs"), ("elmo", "pairs"), ("gpt", "pairs")])
def test_sentence_pairs_score_every_heldout_token_too(with_settings, tmp_path, family, windows):
    config = with_settings(
        model={"family": family}, train={"windows": windows, "window": 24, "tokens": 20 * 24 * 32},
        readout={"tokens": 20 * 24 * 32},
    )  # fmt: skip
    run = twotower.run(config, tmp_path / "run", stages=("prepare", "train", "readout", "score"))
    scores, text = run.scores(), PreparedText(run.path)
    assert len(scores) == text.summary.heldout_tokens
    assert np.isfinite(scores[["joint", "readout_1", "second_2"]].to_numpy()).all()
