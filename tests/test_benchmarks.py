"""What the benchmarks compare is the same model, and the parts for a GPU run on a processor."""

import json
import zipfile
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
        outputs = make_lean(model).tower_outputs(ids)
    for one, other in zip(outputs, wanted, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


@pytest.fixture
def part(tmp_path, monkeypatch):
    """A part of what is run on a GPU, at the smallest size: from its options to its exit code."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from gpu import main

    return lambda *words: main(["--out", str(tmp_path), "--toy", "--device", "cpu", *words])


@pytest.mark.slow
def test_a_pair_and_its_strangers_are_trained_to_the_end_once(part, corpus, tmp_path):
    small = {
        "prepare.vocabulary": 512, "model.width": 16, "model.layers": 1, "model.heads": 2, "model.embedding": 32,
        "train.tokens": 4096, "train.window": 16, "train.batch": 32, "train.evaluations": 1,
        "train.evaluation-tokens": 500, "readout.tokens": 4096, "readout.batch": 32, "readout.replicates": 2,
        "analyze.bootstrap": 100, "analyze.permutations": 99, "analyze.splits": 5, "analyze.min-count": 3,
    }  # fmt: skip
    words = ["--only", "train", "--presets", "quickstart-gpt", "--corpus", str(corpus)]
    words += [word for name, value in small.items() for word in (f"--{name}", str(value))]
    assert part(*words) == 0
    trained = json.loads((tmp_path / "train.json").read_text())["quickstart-gpt"]
    assert trained["done"] and trained["calls"] == 1
    assert (tmp_path / "runs" / "quickstart-gpt" / "strangers" / "results.json").is_file()
    assert part(*words) == 0 and json.loads((tmp_path / "train.json").read_text())["quickstart-gpt"] == trained


def test_the_parts_for_a_gpu_run_on_a_processor_and_go_on_where_they_stopped(part, tmp_path):
    assert part("--only", "check") == 0
    checks = json.loads((tmp_path / "check.json").read_text())
    assert max(checks["loss: error in nats and gradient"]) < 1e-5
    measured = ("reference's algorithm", "reference's algorithm, with readouts", "plain PyTorch")
    known = {f"paper-gpt-base: {name}": {"kept": 1} for name in (*measured, "two models under Trainer")}
    (tmp_path / "speed.json").write_text(json.dumps(known))
    assert part("--only", "speed", "--presets", "paper-gpt-base") == 0
    speed = json.loads((tmp_path / "speed.json").read_text())
    assert speed["paper-gpt-base: twotower"]["share_of_products"] > 0
    assert speed["paper-gpt-base: plain PyTorch, with readouts"]["tokens_per_second"] > 0
    assert known.items() <= speed.items()
    assert part("--only", "train", "--minutes", "0") == 130
    run = tmp_path / "runs" / "paper-gpt-base"
    run.mkdir(parents=True)
    (run / "results.json").write_text("{}")
    (run / "emergence.parquet").write_bytes(random_bytes(16_000_000))
    assert part("--only", "pack") == 0
    assert json.loads((tmp_path / "pack.json").read_text())["left out"] == ["runs/paper-gpt-base/emergence.parquet"]
    names = zipfile.ZipFile(tmp_path / "packed" / "1.zip").namelist()
    assert {"check.json", "speed.json", "runs/paper-gpt-base/results.json"} <= set(names)


def random_bytes(count):
    return torch.randint(256, (count,), dtype=torch.uint8).numpy().tobytes()
