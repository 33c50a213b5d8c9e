"""Sums over documents equal the rolling log-likelihood of lm-evaluation-harness, where that is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from twotower.config.schema import DiffConfig
from twotower.scoring.named_models import parse_model
from twotower.scoring.scorers import Scorer

WINDOW = 32


@pytest.mark.parametrize(("stride", "characters"), [("window", 1500), ("half", 50)])
def test_documents_have_the_rolling_log_likelihood(language_model, corpus: Path, stride: str, characters: int):
    """With disjoint windows always; at the default stride where a text fits into one window."""
    pytest.importorskip("lm_eval", reason="lm-evaluation-harness is not installed")
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    folder = str(language_model("gpt-a"))
    texts = [path.read_text(encoding="utf-8")[:characters] for path in sorted(corpus.glob("*.txt"))[:4]]
    theirs = HFLM(pretrained=folder, tokenizer=folder, batch_size=4, device="cpu", dtype="float32", max_length=WINDOW)
    requests = [
        Instance(request_type="loglikelihood_rolling", doc={}, arguments=(text,), idx=place)
        for place, text in enumerate(texts)
    ]
    expected = theirs.loglikelihood_rolling(requests, disable_tqdm=True)
    scorer = Scorer(parse_model(folder), "a", texts, list(map(str, range(len(texts)))))
    given = DiffConfig(window=WINDOW, stride=stride, device="cpu")
    scores, _ = scorer.score(given, None, False, lambda _: None)
    sums = np.add.reduceat(scores.log_probs.astype(float), scorer.encoded.first[:-1])
    assert sums == pytest.approx(expected, abs=1e-3)
