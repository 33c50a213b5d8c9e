"""What is predicted from what, and that the loss is the plain one for every family and objective."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from small_models import CASES, VOCABULARY, model_for, text, watched
from twotower.modeling.objectives import loss_weights, make_batch, mask


@pytest.mark.parametrize(("family", "objective"), CASES)
@pytest.mark.parametrize("towers", [1, 3])
def test_loss_and_gradients_equal_plain_pytorch(family, objective, towers):
    model = model_for(family, objective, towers=towers)
    joint = watched(model)
    batch = make_batch(objective, text(objective), VOCABULARY, 0.4, np.random.default_rng(1))
    sums = joint(batch.inputs, batch.targets, batch.predicted, batch.present, 2)
    features = model.joint_features(model.tower_outputs(batch.inputs, batch.present))
    logits = F.linear(features, *model.joint_decoder())
    plain = F.cross_entropy(logits[batch.predicted].double(), batch.targets[batch.predicted], reduction="sum")
    assert sums.shape == (1 + 2 * towers,) and sums[0].item() == pytest.approx(plain.item(), rel=1e-5)
    names, parameters = zip(*((n, p) for n, p in model.named_parameters() if p.requires_grad), strict=True)
    wanted = torch.autograd.grad(plain, parameters, allow_unused=True)
    # The readouts' losses are added, and must not reach the towers.
    gradients = torch.autograd.grad(sums.sum(), parameters, allow_unused=True)
    assert all(one is not None for one in gradients), "a parameter that is not trained"
    for name, one, other in zip(names, gradients, wanted, strict=True):
        assert (one - other).norm() <= 1e-5 * other.norm() + 1e-6, name


@pytest.mark.parametrize("objective", ["causal", "masked", "bidirectional"])
def test_padding_and_cls_are_never_targets(objective):
    ids = text(objective)
    for seed in range(20):
        batch = make_batch(objective, ids, VOCABULARY, 0.9, np.random.default_rng(seed))
        chosen = batch.targets[batch.predicted].numpy()
        assert not np.isin(chosen, [VOCABULARY.pad, VOCABULARY.cls]).any() and len(chosen)
        assert batch.count == len(chosen) and batch.present is not None
        assert ((batch.inputs == VOCABULARY.pad) == ~batch.present).all()
    if objective == "masked":
        assert not np.isin(chosen, VOCABULARY.special).any()


def test_masking_is_that_of_bert_and_random_pieces_are_ordinary():
    ids = np.random.default_rng(0).integers(5, 90, (400, 100))
    ids[:, 0], ids[:, -1] = VOCABULARY.cls, VOCABULARY.sep
    inputs, selected = mask(ids, VOCABULARY, 0.15, np.random.default_rng(1))
    ordinary = ids[:, 1:-1].size
    assert not selected[:, [0, -1]].any() and selected.sum() / ordinary == pytest.approx(0.15, abs=0.006)
    fate = inputs[selected]
    assert (inputs[~selected] == ids[~selected]).all()
    hidden, kept = fate == VOCABULARY.mask, fate == ids[selected]
    assert hidden.mean() == pytest.approx(0.8, abs=0.02)
    assert kept.mean() == pytest.approx(0.1 + 0.1 / 85, abs=0.02)
    random = fate[~hidden & ~kept]
    assert np.isin(random, VOCABULARY.ordinary).all() and len(np.unique(random)) == 85


def test_a_batch_with_nothing_selected_by_chance_predicts_one_token():
    ids = np.full((1, 4), 7)
    for seed in range(30):
        _, selected = mask(ids, VOCABULARY, 0.01, np.random.default_rng(seed))
        assert selected.sum() >= 1
    assert mask(np.zeros((1, 4), dtype=int), VOCABULARY, 0.5, np.random.default_rng(0))[1].sum() == 0


def test_parts_of_a_batch_are_the_batch():
    batch = make_batch("masked", text("masked", rows=7), VOCABULARY, 0.4, np.random.default_rng(1))
    for size in (0, 1, 3, 7, 100):
        parts = list(batch.split(size))
        assert torch.equal(torch.cat([part.inputs for part in parts]), batch.inputs)
        assert sum(part.count for part in parts) == batch.count and max(map(len, parts)) <= (size or 7)


@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
def test_strangers_learn_from_their_own_losses_alone_and_cooperation_lies_between(strength):
    model = model_for("gpt", "causal", cooperation=strength)
    joint = watched(model)
    batch = make_batch("causal", text("causal"), VOCABULARY, 0.0, np.random.default_rng(1))
    arguments = batch.inputs, batch.targets, batch.predicted, batch.present
    weights = torch.tensor(loss_weights(model.config))
    (joint(*arguments, 2) * weights).sum().backward()
    gradients = [parameter.grad.clone() for parameter in model.towers[0].parameters()]
    features = model.joint_features(outputs := model.tower_outputs(batch.inputs))
    chosen = batch.targets[batch.predicted]

    def plain(features, bias):
        logits = F.linear(features, model.embedding.weight, bias)
        return F.cross_entropy(logits[batch.predicted], chosen, reduction="sum")

    loss = strength * plain(features, model.decoder_bias)
    if strength < 1:
        head = model.own_heads[0]
        loss = loss + (1 - strength) * plain(head.fusion(outputs[0]), head.bias)
    wanted = torch.autograd.grad(loss, list(model.towers[0].parameters()))
    for one, other in zip(gradients, wanted, strict=True):
        assert (one - other).norm() <= 1e-5 * other.norm() + 1e-6
    assert model.fusion.dense.weight.grad is not None  # among strangers the joint head watches
    assert len(joint.trained_apart()) == (3 if strength == 0 else 2)
    assert sum(map(len, joint.trained_apart())) == len(list(joint.parameters()))
