"""What a tower and its readout can and cannot see."""

import pytest
import torch
import torch.nn.functional as F

from twotower.modeling.configuration import TowersConfig
from twotower.modeling.model import TowersModel, fresh_readouts


def build(**fields) -> TowersModel:
    torch.manual_seed(0)
    sizes = {
        "vocab_size": 97,
        "embedding_size": 16,
        "width": 16,
        "layers": 2,
        "heads": 2,
        "feedforward": 32,
        "window": 12,
    }
    return TowersModel(TowersConfig(**sizes | fields)).eval()


def windows(rows=5, window=12, vocabulary=97):
    return torch.randint(0, vocabulary, (rows, window + 1), generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("norm", ["own", "joint"])
def test_changing_tower_2_leaves_the_readout_of_tower_1_alone_unless_the_norm_is_joint(norm):
    model = build(readout_norm=norm, readouts=["readout"])
    for readout in model.readouts["readout"].values():
        torch.nn.init.normal_(readout.decoder.weight)
    batch = windows()
    arguments = batch[:, :-1], batch[:, 1:], torch.ones(5, 12, dtype=torch.bool)
    before = model.log_probs(*arguments)
    with torch.no_grad():
        model.towers[1].backbone.ln_f.weight.mul_(3.0)
    after = model.log_probs(*arguments)
    assert not torch.equal(before["readout_2"], after["readout_2"]) or norm == "own"
    assert not torch.equal(before["joint"], after["joint"])
    assert torch.equal(before["readout_1"], after["readout_1"]) == (norm == "own")


def test_readouts_of_all_towers_begin_alike_and_as_the_unigram_model():
    config = TowersConfig(vocab_size=97, width=16, embedding_size=16)
    unigram = torch.log_softmax(torch.randn(97), dim=0)
    first, second = fresh_readouts(config, seed=4, log_frequencies=unigram)
    for weight, its_twin in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(weight, its_twin) and weight is not its_twin
    other_seed = fresh_readouts(config, seed=5, log_frequencies=unigram)[0]
    assert not torch.equal(first.dense.weight, other_seed.dense.weight)
    features = first.features(torch.randn(3, 16))
    assert torch.allclose(F.log_softmax(first.decoder(features), dim=1), unigram.expand(3, -1), atol=1e-6)


def test_together_is_read_by_readouts_as_wide_as_those_of_one_tower_and_its_null_reads_one_tower_twice():
    model = build(towers=3, readouts=["readout", "second"], twice=["readout"])
    alone = ["1", "2", "3"]
    assert list(model.readouts["readout"]) == [*alone, "together", "twice_1", "twice_2", "twice_3"]
    assert list(model.readouts["second"]) == [*alone, "together"]
    together, null = model.readouts["readout"]["together"], model.readouts["readout"]["twice_2"]
    assert together.decoder.weight.shape == model.readouts["readout"]["1"].decoder.weight.shape == (97, 16)
    assert torch.equal(together.dense.weight, null.dense.weight) and together.dense.weight.shape == (16, 3 * 16)
    states = [torch.randn(5, 16) for _ in range(3)]
    features = {name: head[0] for name, head in model.head_features(states).items()}
    assert list(features) == model.config.head_names
    changed = [states[0] + 1, states[1], states[2] + 1]
    after = {name: head[0] for name, head in model.head_features(changed).items()}
    same = {name for name, value in features.items() if torch.equal(value, after[name])}
    assert same == {"readout_2", "second_2", "readout_twice_2"}


def test_one_tower_has_nothing_to_read_together():
    assert build(towers=1, readouts=["readout"], twice=["readout"]).config.head_names == ["joint", "readout_1"]


def test_a_lens_leads_to_the_decoder_of_the_joint_model_and_has_none():
    model = build(readouts=["readout"], twice=["readout"], readout_kind="lens", embedding_size=24)
    heads = model.head_features([torch.randn(5, 16), torch.randn(5, 16)])
    for name in ("readout_1", "readout_together", "readout_twice_2"):
        features, weight, bias = heads[name]
        assert features.shape == (5, 24) and weight is model.embedding.weight and bias is model.decoder_bias
    assert not [name for name, _ in model.readouts.named_parameters() if "decoder" in name]
