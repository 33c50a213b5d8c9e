"""Words to states: which pieces are a word's, and the same numbers whatever stands beside it in the batch."""

import numpy as np
import pytest
import torch

import twotower.knowledge.representations as module
from small_models import CASES, VOCABULARY, WINDOW, model_for
from twotower.data.tokenizer_training import train_tokenizer
from twotower.data.trees import read_trees
from twotower.knowledge.representations import Sentence, encode_trees, longest, represent
from twotower.modeling.layers import layer_states

TREES = """# text = Don't go, du!
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\tdo\tAUX\t_\t_\t3\taux\t_\t_
2\tn't\tnot\tPART\t_\t_\t3\tadvmod\t_\t_
3\tgo\tgo\tVERB\t_\t_\t0\troot\t_\tSpaceAfter=No
4\t,\t,\tPUNCT\t_\t_\t3\tpunct\t_\t_
5-6\tdu\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
5\tde\tde\tADP\t_\t_\t3\tobl\t_\t_
6\tle\tle\tDET\t_\t_\t5\tdet\t_\t_
7\t!\t!\tPUNCT\t_\t_\t3\tpunct\t_\t_

"""


def sentence(*counts: int, seed: int = 0) -> Sentence:
    """A sentence whose words have so many pieces."""
    pieces = np.random.default_rng(seed).integers(10, 90, sum(counts))
    return Sentence(pieces, np.arange(sum(counts)), np.repeat(np.arange(len(counts)), counts), len(counts))


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(lambda: iter([["don't go , du ! we do not go to the house of dust"] * 3]), 60)


def test_words_have_the_pieces_that_hold_their_letters(tokenizer, tmp_path):
    words = ["we", "do", "house", "\u00e9\u4e2d"]
    rows = [f"{place}\t{word}\t_\tX\t_\t_\t{place - 1}\tdep\t_\t_" for place, word in enumerate(words, start=1)]
    (tmp_path / "a.conllu").write_text("\n".join([*rows, "", ""]), encoding="utf-8")
    (sentence,) = encode_trees(tokenizer, read_trees(tmp_path / "a.conllu"))
    names = [tokenizer.id_to_token(int(piece)) for piece in sentence.pieces]
    for number, word in enumerate(words[:3]):
        mine = [names[place] for place in sentence.piece[sentence.word == number]]
        assert "".join(mine).replace("##", "") == word
    assert sentence.holds(tokenizer.token_to_id("[UNK]")).tolist() == [False, False, False, True]
    assert sentence.counts.min() >= 1


def test_words_of_multiword_tokens_share_their_pieces(tokenizer, tmp_path):
    path = tmp_path / "a.conllu"
    path.write_text(TREES, encoding="utf-8")
    trees = read_trees(path)
    (sentence,) = encode_trees(tokenizer, trees)
    assert sentence.words == len(trees[0].words) == 7
    names = [tokenizer.id_to_token(int(piece)).replace("##", "") for piece in sentence.pieces]
    mine = ["".join(names[place] for place in sentence.piece[sentence.word == number]) for number in range(7)]
    assert mine[0].startswith("do") and mine[1].endswith("n't") and mine[2:4] == ["go", ","]
    assert mine[4] == mine[5] == "du" and mine[6] == "!"


@pytest.mark.parametrize(("family", "objective"), CASES)
def test_states_do_not_depend_on_the_batch(family, objective, monkeypatch):
    model = model_for(family, objective, layers=2)
    sentences = [sentence(1, 2, 1), sentence(2, 2, 3, 1, seed=1), sentence(1, seed=2), sentence(3, 1, 1, seed=3)]
    together = represent(model, sentences, VOCABULARY)
    assert together.starts.tolist() == [0, 3, 7, 8, 11]
    assert len(together.towers) == 2 and all(len(layers) == 3 for layers in together.towers)
    monkeypatch.setattr(module, "BATCH_TOKENS", 1)
    for number, one in enumerate(sentences):
        alone = represent(model, [one], VOCABULARY)
        rows = slice(together.starts[number], together.starts[number + 1])
        for layers, mine in zip(together.towers, alone.towers, strict=True):
            for state, own in zip(layers, mine, strict=True):
                torch.testing.assert_close(state[rows], own, atol=2e-6, rtol=1e-5)
        torch.testing.assert_close(together.embedding[rows], alone.embedding)


@pytest.mark.parametrize(("family", "objective"), [("gpt", "causal"), ("bert", "masked")])
def test_a_word_is_the_mean_over_its_pieces_inside_the_frame(family, objective):
    model = model_for(family, objective)
    short = sentence(2, 1, 3)
    after = [] if objective == "causal" else [VOCABULARY.sep]
    ids = torch.tensor([[VOCABULARY.sep, *short.pieces.tolist(), *after]])
    for layers, states in zip(represent(model, [short], VOCABULARY).towers, layer_states(model, ids), strict=True):
        for mine, state in zip(layers, states, strict=True):
            wanted = torch.stack([state[0, 1:3].mean(0), state[0, 3], state[0, 4:7].mean(0)])
            torch.testing.assert_close(mine, wanted)


@pytest.mark.parametrize("backward", ["on", "off"])
def test_the_state_of_a_word_has_read_the_word_and_each_direction_only_its_own_side(backward):
    model = model_for("elmo", "bidirectional", layers=2, elmo_backward=backward)
    one, other = sentence(1, 1, 1, 1, 1), sentence(1, 1, 1, 1, 1)
    other.pieces[2] += 1
    first, second = represent(model, [one], VOCABULARY), represent(model, [other], VOCABULARY)
    for layer in (1, 2):
        a, b = first.towers[0][layer], second.towers[0][layer]
        halves = (
            [(a, b)] if backward == "off" and layer == 1 else list(zip(a.chunk(2, -1), b.chunk(2, -1), strict=True))
        )
        changed = [(x - y).abs().amax(dim=1).gt(1e-7).tolist() for x, y in halves]
        assert changed[0] == [False, False, True, True, True]
        if len(changed) > 1:
            assert changed[1] == ([True, True, True, False, False] if backward == "on" else [False] * 5)


def test_what_does_not_fit_is_refused():
    model = model_for("bert", "masked")
    assert longest(model) == WINDOW - 2 and longest(model_for("gpt", "causal")) == WINDOW - 1
    with pytest.raises(ValueError, match="at most 10"):
        represent(model, [sentence(11)], VOCABULARY)
    with pytest.raises(ValueError, match="without any"):
        represent(model, [sentence(1, 0, 1)], VOCABULARY)
