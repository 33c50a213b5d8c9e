"""The field's tools on a trained run: `Auto` classes, one head at a time, and minicons against our own scores."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from minicons.scorer import IncrementalLMScorer, MaskedLMScorer
from transformers import AutoModel, AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer

import twotower
import twotower.transformers
from twotower.data.tokenization import vocabulary_of
from twotower.data.tokenizer_files import load_tokenizer
from twotower.data.windows import contiguous_rows, sliding_rows
from twotower.modeling.language_models import TowersForCausalLM
from twotower.modeling.layers import layer_states
from twotower.modeling.scoring import score_rows

SENTENCES = ["we must keep the peace with all nations .", "the state of the union"]
HEADS = ("joint", "readout_1", "readout_2")


def our_scores(folder: Path, sentence: str, head: str) -> tuple[list[str], list[float]]:
    """Pieces of a sentence and their log-probabilities, computed as the stage `score` does: alone in a document."""
    model = twotower.modeling.model.TowersModel.from_pretrained(folder).eval()
    tokenizer = load_tokenizer(folder / "tokenizer.json")
    encoding = tokenizer.encode(sentence, add_special_tokens=False)
    vocabulary = vocabulary_of(tokenizer)
    stream = np.array([vocabulary.sep, *encoding.ids, vocabulary.sep])
    make = sliding_rows if model.config.objective == "causal" else contiguous_rows
    rows = make(stream, np.array([1]), np.array([len(encoding.ids)]), model.config.window, vocabulary)
    [(pieces, heads)] = score_rows(model, rows, batch=8, passes=0)
    assert pieces.tolist() == encoding.ids
    return encoding.tokens, heads[head].tolist()


@pytest.mark.parametrize("head", HEADS)
def test_minicons_gives_our_scores_of_a_causal_tower(finished, head):
    scorer = IncrementalLMScorer(str(finished / "model"), "cpu", head=head)
    for sentence, scored in zip(SENTENCES, scorer.token_score(SENTENCES), strict=True):
        pieces, wanted = our_scores(finished / "model", sentence, head)
        (first, nothing), *rest = scored
        assert (first, nothing) == ("[SEP]", 0.0) and [piece for piece, _ in rest] == pieces
        assert [score for _, score in rest] == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("family", ["bert", "elmo"])
def test_minicons_gives_our_scores_of_a_tower_that_reads_both_ways(family_runs, family, head):
    folder = family_runs(family) / "model"
    scorer = MaskedLMScorer(str(folder), "cpu", head=head)
    # Given text, minicons 0.3 calls a method that tokenizers of transformers 5 no longer have.
    encoded = scorer.tokenizer(SENTENCES, padding=True)
    for sentence, scored in zip(SENTENCES, scorer.token_score(encoded), strict=True):
        pieces, wanted = our_scores(folder, sentence, head)
        assert [piece for piece, _ in scored] == pieces
        assert [score for _, score in scored] == pytest.approx(wanted, abs=1e-4)


def test_importing_twotower_imports_no_other_library_and_leaves_the_import_system_alone():
    script = (
        "import sys; before = list(sys.meta_path); import twotower\n"
        "assert sys.meta_path == before and not {'transformers', 'torch'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_auto_classes_know_a_run_after_one_import(finished):
    script = (
        "import twotower.transformers\n"
        "from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer\n"
        f"print(type(AutoModel.from_pretrained({str(finished / 'model')!r})).__name__)\n"
        f"print(AutoModelForCausalLM.from_pretrained({str(finished / 'model')!r}, head='readout_2').config.head)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.split() == ["TowersModel", "readout_2"], done.stderr[-2000:]


@pytest.mark.parametrize("head", HEADS)
def test_a_run_is_loaded_as_the_language_model_of_one_head(finished, family_runs, head):
    for run in (finished, family_runs("bert")):
        kind = AutoModelForCausalLM if run == finished else AutoModelForMaskedLM
        ids = torch.arange(5, 15)[None]
        wanted = kind.from_pretrained(run / "model", head=head).eval()(ids).logits
        for path in (run, str(run / "model")):
            model = twotower.load_model(path, head)
            assert not model.training and torch.equal(model(ids).logits, wanted)


def test_a_model_that_cannot_be_loaded_is_one_line(finished, tmp_path):
    with pytest.raises(twotower.InputError, match=r"no model here; give a finished run folder"):
        twotower.load_model(tmp_path)
    with pytest.raises(twotower.InputError, match=r"no 'readout_3'; heads of this model: joint, readout_1"):
        twotower.load_model(finished, head="readout_3")


def test_auto_model_gives_the_features_and_the_towers_states(finished):
    model = AutoModel.from_pretrained(finished / "model")
    encoded = AutoTokenizer.from_pretrained(finished / "model")(SENTENCES, padding=True, return_tensors="pt")
    output = model(**encoded)
    batch, time = encoded["input_ids"].shape
    assert output.last_hidden_state.shape == (batch, time, model.config.hidden_size)
    assert [states.shape for states in output.tower_states] == [(batch, time, model.config.width)] * 2


def test_padding_on_either_side_and_labels_change_nothing(finished):
    model = AutoModelForCausalLM.from_pretrained(finished / "model", head="readout_1").eval()
    tokenizer = AutoTokenizer.from_pretrained(finished / "model")
    alone = model(**tokenizer(SENTENCES[1], return_tensors="pt")).logits[0]
    for side in ("left", "right"):
        padded = tokenizer(SENTENCES, padding=True, padding_side=side, return_tensors="pt")
        logits = model(**padded).logits[1][padded["attention_mask"][1].bool()]
        assert torch.allclose(logits, alone, atol=1e-5)
    ids = tokenizer(SENTENCES[0], return_tensors="pt")["input_ids"]
    _, wanted = our_scores(finished / "model", SENTENCES[0], "readout_1")
    assert model(ids, labels=ids).loss.item() == pytest.approx(-np.mean(wanted), abs=1e-4)


def test_text_is_generated_beyond_the_window(finished):
    model = AutoModelForCausalLM.from_pretrained(finished / "model")
    assert isinstance(model, TowersForCausalLM)
    ids = AutoTokenizer.from_pretrained(finished / "model")("we", return_tensors="pt")
    length = model.config.window + 5
    generated = model.generate(**ids, max_new_tokens=length, min_new_tokens=length, do_sample=False)
    assert generated.shape[1] == ids["input_ids"].shape[1] + length


def test_what_a_model_cannot_do_is_refused_with_the_remedy(finished, family_runs):
    with pytest.raises(ValueError, match="no TowersForMaskedLM; use AutoModelForCausalLM"):
        AutoModelForMaskedLM.from_pretrained(finished / "model")
    with pytest.raises(ValueError, match="no TowersForCausalLM; use AutoModelForMaskedLM"):
        AutoModelForCausalLM.from_pretrained(family_runs("bert") / "model")
    with pytest.raises(ValueError, match="no 'readout_3'; heads of this model: joint, readout_1, readout_2"):
        AutoModelForCausalLM.from_pretrained(finished / "model", head="readout_3")
    model = AutoModelForCausalLM.from_pretrained(finished / "model")
    with pytest.raises(ValueError, match=r"17 tokens; this model reads at most 16"):
        model(torch.zeros((1, 17), dtype=torch.long))


@pytest.mark.parametrize(("family", "head"), [("gpt", "joint"), ("gpt", "readout_2"), ("elmo", "readout_1")])
def test_hidden_states_are_those_of_the_towers_that_the_head_reads(family_runs, family, head):
    folder = family_runs(family) / "model"
    kind = AutoModelForCausalLM if family == "gpt" else AutoModelForMaskedLM
    model = kind.from_pretrained(folder, head=head).eval()
    ids = AutoTokenizer.from_pretrained(folder)(SENTENCES, padding=True, return_tensors="pt")
    output = model(**ids, output_hidden_states=True)
    towers = layer_states(model, ids["input_ids"], ids["attention_mask"].bool())
    read = towers if head == "joint" else [towers[int(head[-1]) - 1]]
    assert len(output.hidden_states) == 1 + model.config.layers
    for layer, states in enumerate(output.hidden_states):
        assert torch.allclose(states, torch.cat([tower[layer] for tower in read], dim=-1), atol=1e-6)
    assert torch.allclose(output.logits, model(**ids).logits, atol=1e-5) and model(**ids).hidden_states is None
    logits, states = model(**ids, output_hidden_states=True, return_dict=False)
    assert torch.equal(logits, output.logits) and len(states) == len(output.hidden_states)


@pytest.mark.parametrize("head", HEADS)
def test_output_embeddings_turn_features_into_the_heads_logits(finished, head):
    model = AutoModelForCausalLM.from_pretrained(finished / "model", head=head).eval()
    ids = AutoTokenizer.from_pretrained(finished / "model")(SENTENCES[0], return_tensors="pt")["input_ids"]
    features = model.head_features(model.tower_outputs(ids))[head][0]
    assert torch.allclose(model.get_output_embeddings()(features), model(ids).logits, atol=1e-5)
    assert model.get_output_embeddings().weight.shape[0] == model.get_output_embeddings().out_features
    with pytest.raises(NotImplementedError, match="vocabulary of a trained run"):
        model.resize_token_embeddings(1000)


def test_what_the_classes_do_not_know_is_refused(finished):
    ids = torch.tensor([[5, 6, 7]])
    for kind in (AutoModel, AutoModelForCausalLM):
        model = kind.from_pretrained(finished / "model")
        with pytest.raises(TypeError, match="atention_mask"):
            model(ids, atention_mask=torch.ones_like(ids))
        with pytest.raises(ValueError, match="do not return attention weights"):
            model(ids, output_attentions=True)
    model = AutoModel.from_pretrained(finished / "model")
    assert len(model(ids, output_hidden_states=True).hidden_states) == 1 + model.config.layers
    with pytest.raises(ValueError, match="padding must come last"):
        model(ids, attention_mask=torch.tensor([[0, 1, 1]]))
