"""The softmax over a part of the vocabulary: it draws fairly, and what it estimates is the whole one."""

import numpy as np
import torch

from twotower.system.processes import joined
from twotower.training.vocabulary_sample import PARTS, VocabularySample

CPU = torch.device("cpu")
VOCABULARY, WIDTH, POSITIONS = 4_000, 8, 64
FREQUENCIES = np.log(1 / np.arange(1, VOCABULARY + 1)).astype(np.float32)


def sample() -> VocabularySample:
    return VocabularySample(FREQUENCIES, 0, joined())


def test_frequent_types_and_targets_are_always_drawn_and_every_other_type_once_in_a_cycle() -> None:
    drawing, targets = sample(), torch.tensor([3, 3_999, 3_999])
    draws = [drawing.draw(targets, CPU) for _ in range(PARTS - 1)]
    times = torch.bincount(torch.cat([draw.types for draw in draws]), minlength=VOCABULARY)
    always = torch.zeros(VOCABULARY, dtype=torch.bool)
    always[: VOCABULARY // PARTS] = True
    always[3_999] = True
    assert (times[always] == PARTS - 1).all()
    assert (times[~always] == 1).all()
    for draw in draws:
        assert draw.types[draw.targets].equal(targets)
        assert len(draw.types) < VOCABULARY / 3


def test_types_stand_for_the_whole_vocabulary() -> None:
    for _ in range(3):
        draw = sample().draw(torch.tensor([0, 1_000]), CPU)
        assert abs(float(draw.log_weights.double().exp().sum()) - VOCABULARY) < 0.01


def test_loss_and_gradient_are_on_the_average_those_of_the_whole_vocabulary() -> None:
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(POSITIONS, WIDTH, generator=generator)
    weight = (0.3 * torch.randn(VOCABULARY, WIDTH, generator=generator)).requires_grad_()
    bias = torch.from_numpy(FREQUENCIES)
    targets = torch.from_numpy(np.random.default_rng(0).choice(VOCABULARY, POSITIONS, p=_probabilities()))
    exact = torch.nn.functional.cross_entropy(hidden @ weight.T + bias, targets)
    (wanted,) = torch.autograd.grad(exact, weight)
    drawing, losses, gradient, draws = sample(), [], torch.zeros_like(weight), 40 * (PARTS - 1)
    for _ in range(draws):
        draw = drawing.draw(targets, CPU)
        logits = hidden @ weight[draw.types].T + bias[draw.types] + draw.log_weights
        loss = torch.nn.functional.cross_entropy(logits, draw.targets)
        gradient += torch.autograd.grad(loss, weight)[0] / draws
        losses.append(float(loss.detach()))
    assert abs(np.mean(losses) - float(exact.detach())) < 0.001
    rare = slice(VOCABULARY // PARTS, None)
    for part in (slice(None), rare):
        assert float((gradient[part] - wanted[part]).norm()) < 0.02 * float(wanted[part].norm())


def _probabilities() -> np.ndarray:
    return np.exp(FREQUENCIES) / np.exp(FREQUENCIES).sum()
