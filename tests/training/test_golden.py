"""Losses of the first twenty updates, stored: a change that moves them is seen, whether it was meant or not.

`PYTHONPATH=tests python tests/training/test_golden.py` writes them anew; say in the commit what moved them.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import twotower
from twotower.training import loop

STORED = Path(__file__).with_name("golden_losses.json")
UPDATES = 20
CASES = {
    "gpt": {}, "gpt, masked": {"objective": "masked"}, "gpt, three towers": {"towers": 3},
    "gpt, half cooperation": {"cooperation": 0.5}, "bert": {"family": "bert", "positions": "relative"},
    "elmo": {"family": "elmo", "layers": 2}, "elmo, masked": {"family": "elmo", "objective": "masked"},
    "elmo, causal": {"family": "elmo", "objective": "causal"}, "llama": {"family": "hf:llama"},
}  # fmt: skip


def losses(small, folder, model):
    """Joint nats of each of the first updates."""
    values = []
    updates = loop.update

    def recording(*arguments):
        nats = updates(*arguments)
        values.append(float(nats[0]))
        return nats

    loop.update = recording
    try:
        train = replace(small.train, tokens=UPDATES * small.train.window * small.train.batch, masked=0.4)
        config = replace(small, model=replace(small.model, **model), train=train)
        twotower.run(config, folder, stages=("prepare", "train"))
    finally:
        loop.update = updates
    return values


@pytest.mark.promise("towers learn to the last digit as on the developers' machine")
@pytest.mark.parametrize("case", CASES)
def test_the_first_losses_are_those_that_are_stored(small, tmp_path, case):
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    values = losses(small, tmp_path / "run", CASES[case])
    # Processors round differently, and twenty updates let that grow; a change of the algorithm moves more.
    assert values == pytest.approx(stored[case], rel=2e-4)


if __name__ == "__main__":
    import tempfile

    import torch

    from small_runs import small_config, write_corpus

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        usual = small_config(write_corpus(Path(place) / "corpus"))
        golden = {
            case: losses(usual, Path(place) / str(number), model) for number, (case, model) in enumerate(CASES.items())
        }
    STORED.write_text(json.dumps(golden, indent=1) + "\n", encoding="utf-8")
