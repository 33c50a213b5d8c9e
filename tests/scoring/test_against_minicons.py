"""Log-probabilities beside those of minicons, on sentences that fit into one window."""

from pathlib import Path

import numpy as np
import pytest
from minicons import scorer as minicons

from twotower.config.schema import DiffConfig
from twotower.scoring.named_models import parse_model
from twotower.scoring.scorers import Scorer

SENTENCES = [
    "The state of the Union is strong, and its people are hopeful.",
    "Congress has been asked for unaccountable appropriations.",
    "We shall go on to the end.",
]


def scores_of(folder: Path, texts: list[str]) -> tuple[Scorer, np.ndarray]:
    scorer = Scorer(parse_model(str(folder)), "model", texts, [str(number) for number in range(len(texts))])
    scores, _ = scorer.score(DiffConfig(window=32, device="cpu"), None, False, lambda _: None)
    return scorer, scores.log_probs


@pytest.mark.parametrize("name", ["gpt-a", "llama"])
def test_causal_models_agree_with_minicons(name, language_model):
    folder = language_model(name)
    scorer, log_probs = scores_of(folder, SENTENCES)
    theirs = minicons.IncrementalLMScorer(str(folder), "cpu").token_score(
        SENTENCES, bos_token=name == "gpt-a", bow_correction=False
    )
    for number, scored in enumerate(theirs):
        expected = [value for _, value in scored][1:]  # the first is that of the token before the text
        assert log_probs[scorer.encoded.of(number)] == pytest.approx(expected, abs=1e-4)


def test_masked_models_agree_with_minicons_left_to_right_within_words(language_model, monkeypatch):
    folder = language_model("bert")
    scorer, log_probs = scores_of(folder, SENTENCES)
    scorer_of_theirs = minicons.MaskedLMScorer(str(folder), "cpu")
    monkeypatch.setattr(  # it calls what transformers 5 no longer has
        type(scorer_of_theirs.tokenizer), "batch_encode_plus", type(scorer_of_theirs.tokenizer).__call__, raising=False
    )
    theirs = scorer_of_theirs.token_score(SENTENCES, PLL_metric="within_word_l2r")
    assert (np.bincount(scorer.encoded.word) > 1).any(), "no word has several tokens"
    for number, scored in enumerate(theirs):
        assert log_probs[scorer.encoded.of(number)] == pytest.approx([value for _, value in scored], abs=1e-4)


@pytest.mark.parametrize("name", ["mamba", "modernbert"])
def test_log_probabilities_are_those_of_the_whole_logits(name, language_model):
    """What the head gets is cut down on its way; that must change nothing."""
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

    folder = language_model(name)
    scorer, log_probs = scores_of(folder, SENTENCES)
    assert scorer.files is not None
    kind = AutoModelForCausalLM if name == "mamba" else AutoModelForMaskedLM
    model = kind.from_pretrained(folder).eval()
    ids = scorer.encoded.ids[scorer.encoded.of(0)].tolist()
    with torch.no_grad():
        if name == "mamba":
            logits = model(torch.tensor([[0, *ids]])).logits[0].log_softmax(-1)
            expected = logits[range(len(ids)), ids]
        else:
            word, expected = scorer.encoded.word[scorer.encoded.of(0)], []
            for place, token in enumerate(ids):
                hidden = [4 if k >= place and word[k] == word[place] else one for k, one in enumerate(ids)]
                row = model(torch.tensor([[2, *hidden, 3]])).logits[0, 1 + place].log_softmax(-1)
                expected.append(float(row[token]))
    assert log_probs[scorer.encoded.of(0)] == pytest.approx(np.asarray(expected), abs=1e-4)
