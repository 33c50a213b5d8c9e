"""What the towers of each family can and cannot see, and how large they are."""

import pytest
import torch
from torch import nn

from twotower.config.presets import PRESETS
from twotower.config.schema import OBJECTIVES
from twotower.modeling.configuration import TowersConfig
from twotower.modeling.model import TowersModel
from twotower.modeling.objectives import resolve_objective
from twotower.modeling.sizes import towers_config
from twotower.system.errors import InputError

VOCABULARY, WINDOW = 97, 12


def build(**fields) -> TowersModel:
    torch.manual_seed(0)
    sizes = {
        "vocab_size": VOCABULARY, "embedding_size": 24, "width": 16, "layers": 2, "heads": 2, "feedforward": 32,
        "lstm_hidden": 20, "window": WINDOW,
    }  # fmt: skip
    config = TowersConfig(**sizes | fields)
    config.objective = resolve_objective(fields.get("objective", "auto"), config)
    return TowersModel(config).eval()


def seen(model: TowersModel, tower: int = 0, present: torch.Tensor | None = None) -> torch.Tensor:
    """Which positions (columns) change the tower's output at which position (rows), bool (window, window)."""
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(5, VOCABULARY, (1, WINDOW), generator=generator)
    changes = []
    with torch.no_grad():
        before = model.tower_outputs(ids, present)[tower]
        for position in range(WINDOW):
            other = ids.clone()
            other[0, position] = (ids[0, position] + 7) % VOCABULARY
            after = model.tower_outputs(other, present)[tower]
            changes.append((after - before).abs().amax(dim=(0, 2)) > 0)
    return torch.stack(changes, dim=1)


EVERYTHING = torch.ones(WINDOW, WINDOW, dtype=torch.bool)
PAST_AND_SELF = EVERYTHING.tril()


@pytest.mark.parametrize(
    ("family", "objective", "wanted"),
    [
        ("gpt", "auto", PAST_AND_SELF),
        ("bert", "auto", EVERYTHING),
        ("elmo", "auto", ~torch.eye(WINDOW, dtype=torch.bool)),
        ("elmo", "masked", EVERYTHING),
        ("elmo", "causal", PAST_AND_SELF),
        ("hf:llama", "auto", PAST_AND_SELF),
        ("hf:mamba", "auto", PAST_AND_SELF),
        ("hf:modernbert", "auto", EVERYTHING),
    ],
)
def test_what_each_family_sees(family, objective, wanted):
    visible = seen(build(family=family, objective=objective))
    if family == "hf:mamba":  # a state space forgets: only what it must not see, and the nearest tokens, are certain
        assert not visible[~wanted].any() and visible.diagonal().all() and visible.diagonal(-1).all()
    else:
        assert torch.equal(visible, wanted)


def test_elmos_backward_half_sees_the_right_context_alone_and_never_the_target():
    model = build(family="elmo")
    for tower in (0, 1):
        lstm = model.towers[tower].backbone.lstm
        with torch.no_grad():
            for parameter in lstm.parameters():
                parameter.zero_()  # the forward half says nothing any more
        assert torch.equal(seen(model, tower), EVERYTHING.triu(1))


def test_the_references_elmo_sees_the_left_context_alone():
    model = build(family="elmo", elmo_backward="off")
    assert torch.equal(seen(model), EVERYTHING.tril(-1))
    assert model.config.output_width == 32  # of the same shape as with the backward half
    assert not any("backward" in name for name, _ in model.named_parameters())


@pytest.mark.parametrize("family", ["bert", "elmo", "hf:modernbert", "gpt"])
def test_padding_is_not_seen_and_a_padded_row_gives_what_the_row_alone_gives(family):
    model = build(family=family)
    present = torch.arange(WINDOW)[None] < 9
    real = seen(model, present=present)[:9]
    assert not real[:, 9:].any()
    ids = torch.randint(5, VOCABULARY, (1, WINDOW), generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        padded, alone = model.tower_outputs(ids, present)[1][:, :9], model.tower_outputs(ids[:, :9])[1]
    assert torch.allclose(padded, alone, atol=1e-6)


@pytest.mark.parametrize(
    ("family", "objective", "message"),
    [
        ("bert", "causal", "its positions see the tokens after them.*possible: masked"),
        ("hf:modernbert", "causal", "its positions see the tokens after them.*possible: masked"),
        ("gpt", "bidirectional", "only elmo"),
        ("hf:llama", "bidirectional", "only elmo.*possible: causal, masked"),
        ("hf:nonsense", "auto", "is not a model type of this `transformers`"),
        ("hf:t5", "auto", "is an encoder-decoder"),
        ("hf:vit", "auto", "takes no `inputs_embeds`"),
        ("hf:clip", "auto", "has no hidden size and number of layers of its own"),
        ("hf:xlnet", "auto", "cannot be built at width 16"),
    ],
)
def test_a_family_that_cannot_do_it_says_why(family, objective, message):
    with pytest.raises(InputError, match=message) as caught:
        build(family=family, objective=objective)
    assert "\n" not in str(caught.value)


def on_meta(name: str) -> TowersModel:
    with torch.device("meta"):
        return TowersModel(towers_config(PRESETS[name], vocabulary=30_528))


def millions(module: nn.Module) -> float:
    return sum(parameter.numel() for parameter in module.parameters()) / 1e6


def test_the_papers_sizes_hold_the_papers_parameters():
    for size, wanted in (("large", 75.7), ("base", 21.3)):
        bert, gpt = on_meta(f"paper-bert-{size}"), on_meta(f"paper-gpt-{size}")
        assert all(millions(tower.backbone) == pytest.approx(wanted, abs=0.05) for tower in bert.towers)
        # GPT-2's positions and last LayerNorm belong to its towers.
        assert all(millions(tower.backbone) == pytest.approx(wanted, abs=0.1) for tower in gpt.towers)
        assert bert.config.embedding_size == 2 * bert.config.width and gpt.config.embedding_size == gpt.config.width
    for size, wanted in (("large", 822), ("base", 210)):
        elmo = on_meta(f"paper-elmo-{size}")
        lstms = [module for module in elmo.modules() if isinstance(module, nn.LSTM)]
        assert len(lstms) == 4 and sum(map(millions, lstms)) == pytest.approx(wanted, abs=0.5)
        assert (elmo.config.embedding_size, elmo.config.width) == (512, 256)
    for size, layers, width in (("small", 4, 512), ("medium", 8, 512), ("base", 12, 768), ("large", 24, 1024)):
        config = on_meta(f"single-bert-{size}").config
        assert (config.towers, config.layers, config.width, config.embedding_size) == (1, layers, width, width)


@pytest.mark.parametrize("family", OBJECTIVES)
def test_the_embedding_is_uniform_as_in_the_reference_and_towers_begin_differently(family):
    model = build(family=family, vocab_size=5000)
    weight = model.embedding.weight
    assert model.joint_decoder()[0] is weight
    assert weight.abs().max() <= 0.02 and weight.std().item() == pytest.approx(0.02 / 3**0.5, rel=0.02)
    first, second = (torch.cat([p.flatten() for p in tower.parameters() if p.ndim > 1]) for tower in model.towers)
    assert first.shape == second.shape and not torch.equal(first, second)


@pytest.mark.parametrize("fields", [
    *({"family": family} for family in (*OBJECTIVES, "hf:llama", "hf:mamba", "hf:modernbert")),
    {"towers": 1}, {"towers": 8, "embedding_size": 16},
])  # fmt: skip
def test_a_saved_model_gives_the_same_scores_when_loaded(fields, tmp_path):
    """Buffers that are not saved, such as those of rotary positions, are made anew as they were."""
    model = build(readouts=["readout", "second"], twice=["readout"], **fields)
    model.save_pretrained(tmp_path)
    again = TowersModel.from_pretrained(tmp_path).eval()
    ids = torch.randint(5, VOCABULARY, (3, WINDOW), generator=torch.Generator().manual_seed(2))
    arguments = ids, ids, torch.ones(3, WINDOW, dtype=torch.bool)
    scores, others = model.log_probs(*arguments), again.log_probs(*arguments)
    assert list(scores) == list(others) == model.config.head_names
    assert all(torch.equal(scores[name], others[name]) for name in scores)
    assert not list(tmp_path.glob("*.bin"))


@pytest.mark.parametrize(("family", "usual", "other"), [("gpt", "gelu_tanh", "gelu"), ("bert", "gelu", "gelu_tanh")])
def test_the_activation_can_be_chosen_and_its_approximation_is_close(family, usual, other):
    ids = torch.arange(5, 5 + WINDOW)[None]
    with torch.no_grad():
        default, same, approximate = (
            build(family=family, activation=kind).tower_outputs(ids)[0] for kind in ("auto", usual, other)
        )
    assert torch.equal(default, same)
    assert 0 < (default - approximate).abs().max() < 1e-2
