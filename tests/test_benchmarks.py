"""What the benchmarks compare is the same model."""

from pathlib import Path

import pytest
import torch

from twotower.modeling.configuration import TowersConfig
from twotower.modeling.model import TowersModel

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.parametrize("settings", [
    {"family": "gpt"}, {"family": "bert", "objective": "masked"},
    {"family": "bert", "objective": "masked", "positions": "relative"},
], ids=str)  # fmt: skip
def test_the_lean_towers_are_the_same_model(monkeypatch, settings):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from speed.lean import make_lean

    torch.manual_seed(0)
    model = TowersModel(
        TowersConfig(vocab_size=97, embedding_size=24, width=16, layers=2, heads=2, feedforward=32, window=12,
                     initializer_range=0.2, **settings)
    ).eval()  # fmt: skip
    ids = torch.randint(5, 97, (3, 12))
    with torch.no_grad():
        wanted = model.tower_outputs(ids)
        found = make_lean(model).tower_outputs(ids)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
