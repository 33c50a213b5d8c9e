"""A model beside a copy of its own that was changed by a known amount: the comparison finds that amount."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from twotower import pipeline
from twotower.config.schema import DiffConfig, PrepareConfig, RunConfig

WINDOW = 32
Change = Callable[[torch.nn.Module], None]


def changed(folder: Path, out: Path, change: Change) -> Path:
    """A copy of a model, saved like any other, after `change`."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        change(model)
    model.save_pretrained(out)
    AutoTokenizer.from_pretrained(folder).save_pretrained(out)
    return out


def scores_of(one: Path, other: Path, corpus: Path, out: Path) -> pd.DataFrame:
    given = DiffConfig((str(one), str(other)), window=WINDOW, device="cpu")
    prepare = PrepareConfig(corpus=(str(corpus),), tagger="none", heldout_words=40)
    pipeline.run(RunConfig(preset="diff", threads=1, prepare=prepare, diff=given), out, ("prepare", "score"))
    return pd.read_parquet(out / "scores.parquet")


def distributions(folder: Path, scores: pd.DataFrame) -> np.ndarray:
    """Log-probabilities of the whole vocabulary at each token, (tokens, vocabulary), document by document.

    From `transformers` alone, in windows that move on by half, as the scores were made.
    """
    model, log_probs = AutoModelForCausalLM.from_pretrained(folder).double().eval(), list[Any]()
    for _, own in scores.groupby("document", sort=False):
        ids = torch.tensor([0, *own["piece_id"].tolist()])  # the token that ends a text stands before it
        last = len(ids) - 1
        ends = [min(WINDOW, last), *range(min(WINDOW, last) + WINDOW // 2, last + WINDOW // 2, WINDOW // 2)]
        done = 0
        for end in (min(one, last) for one in ends):
            begin = max(0, end - WINDOW)
            with torch.inference_mode():
                rows = model(ids[None, begin:end]).logits[0].log_softmax(-1)
            log_probs.append(rows[done - begin :].numpy())
            done = end
    return np.concatenate(log_probs)


def test_noise_has_the_size_that_is_computed(corpus: Path, language_model, tmp_path: Path):
    """Noise in the bias before the decoder moves logits by d alike everywhere, and so log p by d - log E exp d."""
    gpt = language_model("gpt-a")
    noise = torch.randn(32, generator=torch.Generator().manual_seed(0)) * 0.05
    copy = changed(gpt, tmp_path / "noisy", lambda model: model.transformer.ln_f.bias.add_(noise))
    scores = scores_of(gpt, copy, corpus, tmp_path / "run")
    moved = AutoModelForCausalLM.from_pretrained(gpt).lm_head.weight.detach().double().numpy() @ noise.double().numpy()
    before = distributions(gpt, scores)
    norm = np.log((np.exp(before) * np.exp(moved)).sum(axis=1))
    change = norm - moved[scores["piece_id"]]  # the first model minus the second
    difference = scores["model_1"].to_numpy(float) - scores["model_2"].to_numpy(float)
    assert difference == pytest.approx(change, abs=2e-5)
    assert 0.01 < change.std() < 1 and difference.std() == pytest.approx(change.std(), rel=1e-4)
    assert scores["kl_2"].to_numpy() == pytest.approx(norm - np.exp(before) @ moved, abs=1e-5), "KL(first ‖ second)"


def rounded(bits: int) -> Change:
    """Weights of matrices on 2^bits - 1 levels, symmetric about 0, row by row."""
    most = 2 ** (bits - 1) - 1

    def change(model: torch.nn.Module) -> None:
        for weight in model.parameters():
            if weight.ndim == 2:
                step = weight.abs().amax(dim=1, keepdim=True) / most
                weight.copy_((weight / step).round() * step)

    return change


def test_quantization_costs_what_transformers_says_and_fewer_bits_cost_more(
    corpus: Path, language_model, tmp_path: Path
):
    """The steps of 5 bits are 127/15 those of 8, and, as long as errors are small, so is the difference."""
    gpt, sizes = language_model("gpt-a"), {}
    for bits in (8, 5):
        copy = changed(gpt, tmp_path / f"{bits}-bits", rounded(bits))
        scores = scores_of(gpt, copy, corpus, tmp_path / f"run-{bits}")
        ours, theirs = distributions(gpt, scores), distributions(copy, scores)
        places = np.arange(len(scores)), scores["piece_id"].to_numpy()
        difference = scores["model_1"].to_numpy(float) - scores["model_2"].to_numpy(float)
        assert difference == pytest.approx(ours[places] - theirs[places], abs=5e-5)
        kl = (np.exp(ours) * (ours - theirs)).sum(axis=1)
        assert scores["kl_2"].mean() == pytest.approx(kl.mean(), rel=1e-2)
        sizes[bits] = difference.std()
    assert sizes[5] / sizes[8] == pytest.approx(127 / 15, rel=0.25)
