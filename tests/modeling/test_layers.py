"""Every layer of every tower."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from small_models import CASES, VOCABULARY, model_for, text
from twotower.modeling.layers import layer_states


def rows_for(model, objective):
    ids = torch.from_numpy(text(objective))[:, : model.config.window]
    return ids, ids != VOCABULARY.pad


@pytest.mark.parametrize(("family", "objective"), CASES)
def test_the_first_is_the_input_and_the_last_the_output_whatever_the_padding(family, objective):
    model = model_for(family, objective, layers=3)
    ids, present = rows_for(model, objective)
    with torch.no_grad():
        outputs = model.tower_outputs(ids, present)
        embedded = model.embedding_norm(model.embedding(ids))
    layers_and_states = layer_states(model, ids, present)
    assert [len(layers) for layers in layers_and_states] == [4, 4]
    alone = layer_states(model, ids[:1, :9])
    for tower, layers, output, short in zip(model.towers, layers_and_states, outputs, alone, strict=True):
        assert torch.equal(layers[-1], output)
        assert torch.equal(layers[0], tower.input_map(embedded))
        for one, other in zip(layers, short, strict=True):
            assert torch.allclose(one[0, :9], other[0], atol=1e-5)
        assert not any(one.shape == other.shape and torch.equal(one, other) for one, other in pairwise(layers))


@pytest.mark.parametrize("family", ["gpt", "bert", "hf:llama"])
def test_a_layer_is_what_its_block_gives(family):
    objective = "masked" if family == "bert" else "causal"
    model = model_for(family, objective, layers=3)
    ids, present = rows_for(model, objective)
    seen = []
    blocks = [
        module
        for name, module in model.towers[1].named_modules()
        if name.rpartition(".")[2].isdigit() and name.count(".") <= 3
    ]
    assert len(blocks) == 3
    for block in blocks:
        block.register_forward_hook(lambda _, __, output: seen.append(output if torch.is_tensor(output) else output[0]))
    found = layer_states(model, ids, present)[1]
    assert torch.equal(seen[0], found[1]) and torch.equal(seen[1], found[2])


@pytest.mark.parametrize("objective", ["bidirectional", "masked", "causal"])
def test_the_layers_of_lstms_are_those_of_pytorch(objective):
    model = model_for("elmo", objective, layers=2)
    ids, present = rows_for(model, objective)
    found = layer_states(model, ids, present)[0]
    tower = model.towers[0].backbone
    whole = tower.lstm
    first = nn.LSTM(whole.input_size, whole.hidden_size, batch_first=True)
    first.load_state_dict({name: value for name, value in whole.state_dict().items() if name.endswith("l0")})
    with torch.no_grad():
        below = first(tower.past(found[0]))[0]
    assert torch.allclose(found[1][..., : whole.hidden_size], below, atol=1e-6)
    assert found[1].shape[-1] == whole.hidden_size * (1 if objective == "causal" else 2)
    if objective == "causal":
        return
    # The first real token is the last that the backward LSTM reads: what it saw depends on the row's last token.
    changed = ids.clone()
    changed[2, -1] = 77
    moved = layer_states(model, changed, present)[0][1]
    assert not torch.equal(moved[2, 0, whole.hidden_size :], found[1][2, 0, whole.hidden_size :])
    assert torch.equal(moved[2, 0, : whole.hidden_size], found[1][2, 0, : whole.hidden_size])
